/* widget.c - the widget's side of flow.h: keys, requests, and what a verifier says of the reply. */
#include "tests/flow/flow.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "lib/pki/san.h"

void make_csr_for(const struct private_key *key, const char *subject_cn, const struct sans *names,
                  struct buf *ret_pem)
{
  AUTO(buf) subject = {0}, der = {0};
  AUTO(fault) f = {0};
  struct name_part part = {ATTR_COMMON_NAME, bytes_of_text(subject_cn != NULL ? subject_cn : "")};
  assert_true(name_write(&part, subject_cn != NULL, &subject, &f));
  assert_true(private_key_write_csr(key, buf_bytes(&subject), names, &der, &f));
  pem_add(ret_pem, "CERTIFICATE REQUEST", buf_bytes(&der));
}

void make_csr(struct buf *ret_pem)
{
  AUTO(fault) f = {0};
  struct private_key *key = NULL;
  assert_true(private_key_generate("ec-p256", &key, &f));
  make_csr_for(key, NULL, NULL, ret_pem);
  private_key_free(key);
}

void issue_body(const char *csr_pem, const char *serial, const char *ip, const char *more,
                struct buf *ret_json)
{
  json_t *body =
      json_pack("{s:s, s:s, s:s}", "csr", csr_pem, "device_serial", serial, "profile", "test");
  assert_non_null(body);
  if (ip != NULL)
    json_object_set_new(body, "ip_sans", json_pack("[s]", ip));
  char *text = json_dumps(body, JSON_COMPACT);
  buf_addf(ret_json, "%.*s%s}", (int)strlen(text) - 1, text, more != NULL ? more : "");
  free(text);
  json_decref(body);
}

void flow_order(const struct flow *flow, const char *name, unsigned quantity, const char *more)
{
  AUTO(buf) body = {0};
  AUTO(answer) answer = {0};
  buf_addf(&body, "{\"name\":\"%s\",\"profile\":\"test\",\"quantity\":%u%s}", name, quantity,
           more != NULL ? more : "");
  flow_ask(flow,
           &(struct ask){.path = "/v1/orders",
                         .token = flow->admin,
                         .content_type = "application/json",
                         .body = buf_bytes(&body)},
           &answer);
  if (answer.status != 201)
    fail_msg("order %s: %ld: %s", name, answer.status, buf_text(&answer.body));
}

void flow_issue(const struct flow *flow, const char *csr_pem, const char *serial, const char *ip,
                const char *more, struct answer *answer)
{
  AUTO(buf) body = {0};
  issue_body(csr_pem, serial, ip, more, &body);
  flow_ask(flow,
           &(struct ask){.path = "/v1/certificates",
                         .token = flow->station,
                         .content_type = "application/json",
                         .body = buf_bytes(&body)},
           answer);
}

static X509 *read_certificate(const char *pem)
{
  BIO *bio = BIO_new_mem_buf(pem, -1);
  X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  BIO_free(bio);
  assert_non_null(certificate);
  return certificate;
}

void assert_chain(const struct flow *flow, const json_t *reply, const char *ip)
{
  char path[128];
  AUTO(buf) root_pem = {0};
  AUTO(fault) f = {0};
  assert_true(file_read(flow_path(flow, "ca/root.crt", path), 65536, &root_pem, &f));
  X509 *root = read_certificate(buf_text(&root_pem));
  X509 *leaf = read_certificate(json_text(reply, "certificate"));
  STACK_OF(X509) *chain = sk_X509_new_null();
  const json_t *item;
  size_t index;
  json_array_foreach(json_object_get(reply, "ca_chain"), index, item)
      sk_X509_push(chain, read_certificate(json_string_value(item)));
  X509_STORE *store = X509_STORE_new();
  X509_STORE_add_cert(store, root);
  X509_STORE_CTX *context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf, chain);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(context) != 1)
    fail_msg("the chain does not verify: %s",
             X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
  assert_int_equal(X509_check_ip_asc(leaf, ip, 0), 1);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  sk_X509_pop_free(chain, X509_free);
  X509_free(leaf);
  X509_free(root);
}
