/* issue_decode.c - see issue_decode.h. */
#include "daemon/issue_decode.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/fields.h"
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
static const struct field_table none = {NULL, 0, FAULT_UNKNOWN_FIELD};

static bool decode_json(const struct exchange *x, struct issue_request *request, struct fault *f)
{
  return fields_from_query(&none, x->query, x->n_query, request, f) &&
         fields_from_json(&in_json, buf_bytes(&x->body), request, f);
}

static bool decode_pkcs10(const struct exchange *x, struct issue_request *request, struct fault *f)
{
  return csr_decode(buf_bytes(&x->body), &request->csr, f) &&
         fields_from_query(&in_query, x->query, x->n_query, request, f);
}

bool issue_decode(const struct exchange *x, struct issue_request *request, struct fault *f)
{
  static const struct {
    const char *content_type;
    bool (*decode)(const struct exchange *x, struct issue_request *request, struct fault *f);
  } forms[] = {{"application/json", decode_json}, {"application/pkcs10", decode_pkcs10}};
  bool is_device = x->principal.role == ROLE_DEVICE;
  snprintf(request->station, sizeof request->station, "%s",
           is_device ? STATION_DEVICE : x->principal.name);
  if (is_device)
    memcpy(request->own_serial, x->principal.name, sizeof request->own_serial);
  request->secret_no = x->principal.secret_no;
  request->role = x->principal.role;
  memcpy(request->source, x->source, sizeof request->source);
  memcpy(request->request_id, x->request_id, sizeof request->request_id);
  for (size_t i = 0; i < ARRAY_LEN(forms); i++)
    if (strcmp(forms[i].content_type, x->content_type) == 0)
      return forms[i].decode(x, request, f);
  return fault_set(f, UNSUPPORTED_MEDIA_TYPE,
                   "send application/json, or application/pkcs10 for a bare CSR");
}
