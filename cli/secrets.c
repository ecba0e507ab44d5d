/* secrets.c - see secrets.h. */
#include "cli/secrets.h"

#include "lib/base/file.h"
#include "lib/pki/der.h"
#include "lib/pki/pem.h"

enum { LINE_FILE_MAX = 4096 };

bool secret_line_read(const char *path, const char *what, struct buf *ret_line, struct fault *f)
{
  AUTO(secret_buf) content = {0};
  if (path == NULL)
    return true;
  if (!file_read(path, LINE_FILE_MAX, &content, f))
    return false;
  size_t len = 0;
  while (len < content.len && content.data[len] != '\n' && content.data[len] != '\r')
    len++;
  if (len == 0)
    return fault_set(f, BAD_FILE, "%s holds no %s: its first line is empty", path, what);
  buf_add(ret_line, content.data, len);
  return buf_ok(ret_line) || fault_no_memory(f);
}

/* EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING } (RFC 5958, 3). */
static bool is_encrypted(struct bytes octets)
{
  struct der outer = der_of(octets), info;
  struct bytes algorithm, data;
  return der_enter(&outer, DER_SEQUENCE, &info) && der_at_end(&outer) &&
         der_take(&info, DER_SEQUENCE, &algorithm) && der_take(&info, DER_OCTET_STRING, &data) &&
         der_at_end(&info);
}

/* Gives DER each coat that a private key may have, until one fits. */
static bool read_der(struct bytes der, struct bytes passphrase, struct private_key **ret_key,
                     struct fault *f)
{
  static const char *const plain[] = {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", NULL};
  static const char *const encrypted[] = {"ENCRYPTED PRIVATE KEY", NULL};
  for (const char *const *label = is_encrypted(der) ? encrypted : plain; *label != NULL; label++) {
    AUTO(secret_buf) pem = {0};
    pem_add(&pem, *label, der);
    if (private_key_read(buf_bytes(&pem), passphrase, ret_key, f))
      return true;
    if (f->code == FAULT_BAD_PASSPHRASE || f->code == FAULT_NO_MEMORY)
      return false;
  }
  return fault_set(f, BAD_FILE, "not a private key");
}

bool key_read_any(struct bytes octets, struct bytes passphrase, struct private_key **ret_key,
                  struct fault *f)
{
  if (octets.len > 0 && octets.data[0] == 0x30)
    return read_der(octets, passphrase, ret_key, f);
  return private_key_read(octets, passphrase, ret_key, f);
}

bool key_file_read(const char *path, struct bytes passphrase, struct private_key **ret_key,
                   struct fault *f)
{
  AUTO(secret_buf) content = {0};
  if (!file_read(path, KEY_FILE_MAX, &content, f))
    return false;
  return key_read_any(buf_bytes(&content), passphrase, ret_key, f) || fault_prefix(f, "%s", path);
}
