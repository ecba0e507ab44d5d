/* private_key_file.h - what private_key.c hands to private_key_file.c; not for other files. */
#pragma once
#include "lib/pki/private_key.h"

/* Makes a private key of OpenSSL's, which it takes over in every case. BAD_FILE for a type that
 * Mintmark does not take. */
bool private_key_adopt(EVP_PKEY *pkey, struct private_key **ret_key, struct fault *f);
