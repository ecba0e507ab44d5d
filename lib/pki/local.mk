noinst_LIBRARIES += lib/pki/libpki.a
lib_pki_libpki_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
lib_pki_libpki_a_SOURCES = \
  lib/pki/der.c lib/pki/der.h \
  lib/pki/oid.h
# reading
lib_pki_libpki_a_SOURCES += \
  lib/pki/evp.h \
  lib/pki/name.c lib/pki/name.h \
  lib/pki/pubkey.c lib/pki/pubkey.h \
  lib/pki/pubkey_strength.c \
  lib/pki/pubkey_verify.c \
  lib/pki/san.c lib/pki/san.h \
  lib/pki/san_form.c lib/pki/san_form.h
