/* requests.c - see requests.h. */
#include "tests/bench/requests.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/base64.h"
#include "tests/bench/target.h"

/* As a production line would ask: an address, a name, an order, a model. */
static void add_body(struct buf *body, struct bytes csr, size_t n, const char *profile)
{
  char device[DEVICE_NAME_SIZE];
  keys_device(n, device);
  buf_add_text(body, "{\"csr\":\"-----BEGIN CERTIFICATE REQUEST-----\\n");
  base64_add(body, csr, 0);
  buf_addf(body,
           "\\n-----END CERTIFICATE REQUEST-----\\n\",\"device_serial\":\"%s\",\"profile\":\"%s\","
           "\"ip_sans\":[\"10.%zu.%zu.%zu\"],\"dns_sans\":[\"w-%07zu.widgets.example\"],"
           "\"order\":\"" TARGET_ORDER "\",\"model\":\"WX-%zu\"}",
           device, profile, n >> 16 & 255, n >> 8 & 255, n & 255, n % 10000000, n / 5000 % 5);
}

static void add_request(struct buf *out, struct bytes body, const struct request_form *form)
{
  buf_addf(out,
           "POST /v1/certificates HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
           "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
           form->host, form->token, form->close ? "Connection: close\r\n" : "", body.len);
  buf_add_bytes(out, body);
}

bool requests_make(const struct keys *keys, const struct request_form *form,
                   struct requests *ret_requests, struct fault *f)
{
  AUTO(buf) body = {0};
  AUTO(requests) requests = {.n = keys->n - form->first};
  requests.at = calloc(requests.n + 1, sizeof *requests.at);
  if (requests.at == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < requests.n; i++) {
    buf_clear(&body);
    add_body(&body, keys->csrs[form->first + i], form->first + i, form->profile);
    add_request(&requests.octets, buf_bytes(&body), form);
    requests.at[i + 1] = requests.octets.len;
  }
  if (!buf_ok(&body) || !buf_ok(&requests.octets))
    return fault_no_memory(f);
  *ret_requests = requests;
  requests = (struct requests){0};
  return true;
}

bool requests_write_lines(const struct keys *keys, const struct request_form *form,
                          const char *path, struct fault *f)
{
  AUTO(buf) body = {0};
  FILE *file = fopen(path, "wxe");
  if (file == NULL)
    return fault_set(f, FILE_ERROR, "%s: %m", path);
  for (size_t i = form->first; i < keys->n; i++) {
    buf_clear(&body);
    add_body(&body, keys->csrs[i], i, form->profile);
    buf_add_u8(&body, '\n');
    fwrite(body.data, 1, body.len, file);
  }
  bool failed = ferror(file) != 0;
  failed |= fclose(file) != 0;
  return buf_ok(&body) ? !failed || fault_set(f, FILE_ERROR, "%s: %m", path) : fault_no_memory(f);
}

struct bytes requests_get(const struct requests *requests, size_t n)
{
  return bytes_of(requests->octets.data + requests->at[n], requests->at[n + 1] - requests->at[n]);
}

void requests_free(struct requests *requests)
{
  buf_wipe(&requests->octets);
  free(requests->at);
  *requests = (struct requests){0};
}
