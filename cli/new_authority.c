/* new_authority.c - see new_authority.h. */
#include "cli/new_authority.h"

#include <string.h>

#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/cert.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"

static bool read_der(const char *path, struct buf *ret_der, struct fault *f)
{
  AUTO(buf) pem = {0};
  struct bytes label;
  bool broken = false;
  if (!file_read(path, CERT_MAX, &pem, f))
    return false;
  struct bytes text = buf_bytes(&pem);
  return (pem_next(&text, &label, ret_der, &broken) &&
          bytes_equal(label, bytes_of_text("CERTIFICATE"))) ||
         fault_set(f, BAD_FILE, "%s holds no certificate in PEM", path);
}

static bool take_certificate(const char *path, const struct cert *cert, struct new_cert *root,
                             struct fault *f)
{
  if (!cert->is_ca || !cert_is_signed_by(cert, cert))
    return fault_set(f, BAD_FILE, "%s is not a root", path);
  if (cert->subject_key_id.len != sizeof root->key_id)
    return fault_set(f, BAD_FILE, "%s has no subjectKeyIdentifier of %zu octets", path,
                     sizeof root->key_id);
  memcpy(root->key_id, cert->subject_key_id.data, sizeof root->key_id);
  root->not_before = cert->not_before;
  root->not_after = cert->not_after;
  buf_add_bytes(&root->subject, cert->subject);
  buf_add_bytes(&root->spki, cert->key.spki);
  return (buf_ok(&root->subject) && buf_ok(&root->spki)) || fault_no_memory(f);
}

bool new_authority_read_root(const char *certificate_path, const char *key_path,
                             struct bytes passphrase, struct new_authority *authority,
                             struct fault *f)
{
  struct new_cert *root = &authority->old_root;
  AUTO(cert) cert = {0};
  if (!read_der(certificate_path, &root->der, f))
    return false;
  if (!cert_read(buf_bytes(&root->der), true, &cert, f))
    return fault_prefix(f, "%s", certificate_path);
  if (!take_certificate(certificate_path, &cert, root, f))
    return false;
  if (key_path == NULL)
    return true;
  if (!key_file_read(key_path, passphrase, &root->key, f))
    return false;
  return private_key_fits(root->key, cert.key.spki) ||
         fault_set(f, BAD_FILE, "%s is not the key of %s", key_path, certificate_path);
}

bool new_authority_organization(const struct new_authority *authority, char ret_name[256],
                                struct fault *f)
{
  struct bytes subject = buf_bytes(&authority->old_root.subject), value;
  return ((name_value(subject, ATTR_ORGANIZATION, &value) ||
           name_value(subject, ATTR_COMMON_NAME, &value)) &&
          text_copy(ret_name, 256, value)) ||
         fault_set(f, BAD_FILE, "the root's subject has neither organization nor common name");
}

static bool make_root(const struct new_authority_plan *plan, const char *organization,
                      struct new_authority *authority, struct fault *f)
{
  struct new_cert *root = &authority->root, *old = &authority->old_root;
  new_cert_set_validity(root, plan->now, plan->root_validity_s, WHEN_NEVER);
  if (!new_cert_make_key(root, organization, plan->root_cn, plan->key_type, f) ||
      !new_cert_sign(root, root, new_cert_root_spec(), &root->der, f))
    return false;
  if (!plan->cross)
    return true;
  /* The same name and key, as long as the old root is good for it. */
  int64_t not_after = root->not_after;
  if (root->not_after > old->not_after)
    root->not_after = old->not_after;
  bool done = new_cert_sign(root, old, new_cert_root_spec(), &authority->cross_der, f);
  root->not_after = not_after;
  return done;
}

bool new_authority_make(const struct new_authority_plan *plan, struct new_authority *authority,
                        struct fault *f)
{
  char organization[256];
  struct new_cert *issuing = &authority->issuing;
  if (!new_authority_organization(authority, organization, f) ||
      (plan->root_cn != NULL && !make_root(plan, organization, authority, f)))
    return false;
  const struct new_cert *above = plan->root_cn != NULL ? &authority->root : &authority->old_root;
  new_cert_set_validity(issuing, plan->now, plan->issuing_validity_s, above->not_after);
  return new_cert_make_key(issuing, organization, plan->issuing_cn, plan->key_type, f) &&
         new_cert_sign(issuing, above, new_cert_issuing_spec(), &issuing->der, f);
}

void new_authority_free(struct new_authority *authority)
{
  new_cert_free(&authority->old_root);
  new_cert_free(&authority->root);
  new_cert_free(&authority->issuing);
  buf_free(&authority->cross_der);
}
