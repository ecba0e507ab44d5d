/* conf_trust.c - the options of a trust: foreign authorities that vouch for clients. See
 * conf_option.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/ca/conf_option.h"

#define AT(field_) offsetof(struct conf_trust, field_)

static value_reader value_trust_role, value_name_from;

const struct conf_option conf_trust_options[] = {
    OPTION("certificates", value_path, AT(certificates), NULL,
           "the path of a PEM file as in \"acme.pem\"", .required = true),
    OPTION("role", value_trust_role, 0, NULL, "\"station\" or \"device\"", .required = true),
    OPTION("name_from", value_name_from, 0, NULL, "\"serialNumber\" or \"CN\""),
    OPTION("crl", value_path, AT(crl), NULL, "the path of a PEM or DER file as in \"acme.crl\""),
    {.name = NULL},
};

/* Whoever may do more than a station is let in by us alone. */
static enum value_result value_trust_role(const struct conf_option *option, const char *text,
                                          void *object)
{
  struct conf_trust *trust = object;
  enum role role;
  (void)option;
  if (!role_named(bytes_of_text(text), &role) || (role != ROLE_STATION && role != ROLE_DEVICE))
    return VALUE_BAD;
  trust->role = role;
  return VALUE_OK;
}

static enum value_result value_name_from(const struct conf_option *option, const char *text,
                                         void *object)
{
  struct conf_trust *trust = object;
  enum attribute attribute;
  (void)option;
  if (!attribute_named(bytes_of_text(text), &attribute) ||
      (attribute != ATTR_SERIAL_NUMBER && attribute != ATTR_COMMON_NAME))
    return VALUE_BAD;
  trust->name_from = attribute;
  return VALUE_OK;
}

struct conf_trust *conf_trust_of(struct conf *conf, const char *name)
{
  for (size_t i = 0; i < conf->n_trusts; i++)
    if (strcmp(conf->trusts[i].name, name) == 0)
      return &conf->trusts[i];
  struct conf_trust *trusts = conf->n_trusts < TRUSTS_MAX
                                  ? realloc(conf->trusts, (conf->n_trusts + 1) * sizeof *trusts)
                                  : NULL;
  if (trusts == NULL)
    return NULL;
  conf->trusts = trusts;
  struct conf_trust *trust = &trusts[conf->n_trusts++];
  *trust = (struct conf_trust){.conf_path = conf->path, .name_from = ATTR_SERIAL_NUMBER};
  TEXT_COPY(trust->name, bytes_of_text(name));
  return trust;
}

void conf_trust_free(struct conf_trust *trust)
{
  free(trust->certificates);
  free(trust->crl);
}
