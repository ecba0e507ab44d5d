noinst_LIBRARIES += lib/pki/libpki.a
lib_pki_libpki_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
lib_pki_libpki_a_SOURCES = \
  lib/pki/der.c lib/pki/der.h \
  lib/pki/oid.h
