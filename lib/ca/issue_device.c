/* issue_device.c - what a device may ask for: for itself, and within what was imported of it. See
 * issue_private.h. */
#include "lib/base/text.h"
#include "lib/ca/issue_private.h"
#include "lib/ca/ledger_device.h"

void device_bounds_free(struct device_bounds *bounds)
{
  sans_free(&bounds->names);
}

static bool keep_to_itself(struct issue_request *request, struct fault *f)
{
  if (request->device_serial[0] == '\0')
    TEXT_COPY(request->device_serial, bytes_of_text(request->own_serial));
  if (request->own_serial[0] != '\0' && strcmp(request->device_serial, request->own_serial) == 0)
    return true;
  return fault_set(f, FORBIDDEN, "a device asks for itself only: this is %s", request->own_serial);
}

/* Fills in what the request left out; false when it says something else. */
static bool keep_to(const char *imported, char asked[LABEL_SIZE])
{
  if (imported[0] == '\0')
    return true;
  if (asked[0] == '\0')
    text_copy(asked, LABEL_SIZE, bytes_of_text(imported));
  return strcmp(asked, imported) == 0;
}

static bool keep_to_import(const struct device *device, struct issue_request *request,
                           struct fault *f)
{
  if (!keep_to(device->model, request->model))
    return fault_set(f, FORBIDDEN, "%s is of model %s: leave model out, or say so",
                     device->device_serial, device->model);
  if (!keep_to(device->order, request->order))
    return fault_set(f, ORDER_NOT_ALLOWED, "%s belongs to order %s: leave order out, or say so",
                     device->device_serial, device->order);
  return true;
}

bool issue_bound_device(struct ledger *ledger, struct issue_request *request,
                        struct device_bounds *ret_bounds, struct fault *f)
{
  AUTO(device) device = {0};
  bool found = false;
  if (request->role != ROLE_DEVICE)
    return true;
  if (!keep_to_itself(request, f) ||
      !ledger_find_device(ledger, request->own_serial, &found, &device, f))
    return false;
  if (found && request->renews == 0 && !keep_to_import(&device, request, f))
    return false;
  ret_bounds->is_device = true;
  /* An address that cannot be read is nobody's: it proves no name. */
  ip_read(bytes_of_text(request->source), &ret_bounds->peer);
  ret_bounds->has_names = device.names.len > 0;
  return device_names_read(buf_bytes(&device.names), &ret_bounds->names, f);
}
