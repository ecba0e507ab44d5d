/* authority_name.h - how an authority may be called. Its lists and its certificate are files and
 * URLs of that name ("/crl/NAME.crl", "/crl/NAME/3.crl", "/ca/NAME.pem"), which certificates name
 * for good: no name may stand for the file or the folder of another one, or for all of them. Pure.
 */
#pragma once
#include <stdbool.h>
#include <string.h>

#include "lib/base/text.h"

#define AUTHORITY_NAME_FORM "1 to 64 of A-Z a-z 0-9 - _, but not \"roots\""

static inline bool authority_name_is_valid(const char *name)
{
  return text_is_token(bytes_of_text(name), 64, "-_") && strcmp(name, "roots") != 0;
}
