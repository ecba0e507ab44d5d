/* issue_decode.c - see issue_decode.h. */
#include "daemon/issue_decode.h"

#include <stddef.h>
#include <string.h>

#include "daemon/fields.h"
#include "lib/base/text.h"
#include "lib/pki/csr.h"

static bool put_csr(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct issue_request *request = to;
  (void)field;
  return csr_decode(text, &request->csr, f);
}

/* A name that is wrong does not end the reading: all that are wrong are told at once. */
static bool put_name(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct issue_request *request = to;
  return sans_add(&request->names, (enum san_kind)field->kind, text, f) ||
         f->code == FAULT_BAD_NAME;
}

#define LABEL_AT(member)                                                                           \
  .type = FIELD_STRING, .put = field_put_label, .at = offsetof(struct issue_request, member)

/* The CSR comes first, because the query has all but it; the names last, because a malformed
 * request (400) goes before a name that is refused (422). */
static const struct field fields[] = {
    {"csr", .type = FIELD_STRING, .required = true, .put = put_csr},
    {"device_serial", LABEL_AT(device_serial)},
    {"profile", LABEL_AT(profile)},
    {"order", LABEL_AT(order)},
    {"model", LABEL_AT(model)},
    {"replace", .type = FIELD_BOOLEAN, .put = field_put_flag,
     .at = offsetof(struct issue_request, replace)},
    {"ip_sans", .type = FIELD_STRINGS, .put = put_name, .kind = SAN_IP},
    {"dns_sans", .type = FIELD_STRINGS, .put = put_name, .kind = SAN_DNS},
    {"uri_sans", .type = FIELD_STRINGS, .put = put_name, .kind = SAN_URI},
};

static const struct field_table in_json = {fields, ARRAY_LEN(fields), FAULT_UNKNOWN_FIELD};
static const struct field_table in_query = {fields + 1, ARRAY_LEN(fields) - 1, FAULT_UNKNOWN_FIELD};
static const struct field_table csr_in_json = {fields, 1, FAULT_UNKNOWN_FIELD};
static const struct field_table none = {NULL, 0, FAULT_UNKNOWN_FIELD};

/* Where the fields of one kind of request may stand. */
struct form {
  const struct field_table *json, *query;
};

static bool decode_json(const struct exchange *x, const struct form *form,
                        struct issue_request *request, struct fault *f)
{
  return fields_from_query(&none, x->query, x->n_query, request, f) &&
         fields_from_json(form->json, buf_bytes(&x->body), request, f);
}

static bool decode_pkcs10(const struct exchange *x, const struct form *form,
                          struct issue_request *request, struct fault *f)
{
  return csr_decode(buf_bytes(&x->body), &request->csr, f) &&
         fields_from_query(form->query, x->query, x->n_query, request, f);
}

/* Who asks. */
static void take_principal(const struct exchange *x, struct issue_request *request)
{
  bool is_device = x->principal.role == ROLE_DEVICE;
  TEXT_COPY(request->station, bytes_of_text(is_device ? STATION_DEVICE : x->principal.name));
  if (is_device)
    memcpy(request->own_serial, x->principal.name, sizeof request->own_serial);
  request->secret_no = x->principal.secret_no;
  request->role = x->principal.role;
  memcpy(request->source, x->source, sizeof request->source);
  memcpy(request->request_id, x->request_id, sizeof request->request_id);
}

static bool decode(const struct exchange *x, const struct form *form, struct issue_request *request,
                   struct fault *f)
{
  static const struct {
    const char *content_type;
    bool (*decode)(const struct exchange *x, const struct form *form, struct issue_request *request,
                   struct fault *f);
  } types[] = {{"application/json", decode_json}, {"application/pkcs10", decode_pkcs10}};
  take_principal(x, request);
  for (size_t i = 0; i < ARRAY_LEN(types); i++)
    if (strcmp(types[i].content_type, x->content_type) == 0)
      return types[i].decode(x, form, request, f);
  return fault_set(f, UNSUPPORTED_MEDIA_TYPE,
                   "send application/json, or application/pkcs10 for a bare CSR");
}

bool issue_decode(const struct exchange *x, struct issue_request *request, struct fault *f)
{
  static const struct form form = {&in_json, &in_query};
  return decode(x, &form, request, f);
}

bool issue_decode_line(const struct exchange *x, struct bytes line, struct issue_request *request,
                       struct fault *f)
{
  take_principal(x, request);
  return fields_from_json(&in_json, line, request, f);
}

bool renew_decode(const struct exchange *x, struct issue_request *request, struct fault *f)
{
  static const struct form form = {&csr_in_json, &none};
  /* The name of a certificate's holder is its device_serial. */
  memcpy(request->device_serial, x->principal.name, sizeof request->device_serial);
  request->renews = x->principal.renews;
  return decode(x, &form, request, f);
}
