/* conf_authority.c - the options of an authority: the files of an issuing CA. See conf_option.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/ca/conf_option.h"

#define AT(field_) offsetof(struct conf_authority, field_)

const struct conf_option conf_authority_options[] = {
    OPTION("certificate", value_path, AT(certificate), NULL,
           "the path of a PEM file as in \"issuing.crt\"", .required = true),
    OPTION("chain", value_path, AT(chain), NULL, "the path of a PEM file as in \"chain.pem\"",
           .required = true),
    OPTION("root", value_path, AT(root), NULL, "the path of a PEM file as in \"root.crt\"",
           .required = true),
    OPTION("cross", value_path, AT(cross), NULL,
           "the path of a PEM file as in \"root-2.cross.crt\""),
    {.name = NULL},
};

struct conf_authority *conf_authority_of(struct conf *conf, const char *name)
{
  for (size_t i = 0; i < conf->n_authorities; i++)
    if (strcmp(conf->authorities[i].name, name) == 0)
      return &conf->authorities[i];
  if (conf->n_authorities == AUTHORITIES_MAX)
    return NULL;
  struct conf_authority *authority = &conf->authorities[conf->n_authorities++];
  *authority = (struct conf_authority){.conf_path = conf->path};
  TEXT_COPY(authority->name, bytes_of_text(name));
  return authority;
}

void conf_authority_free(struct conf_authority *authority)
{
  free(authority->certificate);
  free(authority->chain);
  free(authority->root);
  free(authority->cross);
}
