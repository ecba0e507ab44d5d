noinst_LIBRARIES += lib/ca/libca.a
lib_ca_libca_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(CONFUSE_CFLAGS) $(CRYPTO_CFLAGS)
CA_LIBS = lib/ca/libca.a lib/pki/libpki.a lib/base/libbase.a \
  $(SQLITE_LIBS) $(CONFUSE_LIBS) $(CRYPTO_LIBS)
PKI_LIBS = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
lib_ca_libca_a_SOURCES = \
  lib/ca/authority.h \
  lib/ca/conf.h \
  lib/ca/issue.h \
  lib/ca/key_holder.c lib/ca/key_holder.h \
  lib/ca/ledger.h \
  lib/ca/principal.h \
  lib/ca/profile.h \
  lib/ca/signer.c lib/ca/signer.h
