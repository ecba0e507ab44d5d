noinst_LIBRARIES += lib/pki/libpki.a
lib_pki_libpki_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
lib_pki_libpki_a_SOURCES = \
  lib/pki/authority_name.h \
  lib/pki/der.c lib/pki/der.h \
  lib/pki/oid.h
# reading
lib_pki_libpki_a_SOURCES += \
  lib/pki/csr.c lib/pki/csr.h \
  lib/pki/digest.c lib/pki/digest.h \
  lib/pki/evp.h \
  lib/pki/name.c lib/pki/name.h \
  lib/pki/ocsp_request.c lib/pki/ocsp_request.h \
  lib/pki/pem.c lib/pki/pem.h \
  lib/pki/p256.c lib/pki/p256.h \
  lib/pki/point.c lib/pki/point.h \
  lib/pki/pubkey.c lib/pki/pubkey.h \
  lib/pki/pubkey_strength.c \
  lib/pki/pubkey_verify.c \
  lib/pki/san.c lib/pki/san.h \
  lib/pki/san_form.c lib/pki/san_form.h
# writing
lib_pki_libpki_a_SOURCES += \
  lib/pki/cert.h \
  lib/pki/cert_build.c \
  lib/pki/cert_ext.c lib/pki/cert_ext.h \
  lib/pki/cert_read.c \
  lib/pki/cert_usage.c \
  lib/pki/cms.c lib/pki/cms.h \
  lib/pki/crl.c lib/pki/crl.h \
  lib/pki/crl_build.c lib/pki/crl_build.h \
  lib/pki/export.h \
  lib/pki/export_c.c \
  lib/pki/export_p12.c \
  lib/pki/ext.c lib/pki/ext.h \
  lib/pki/lint.c lib/pki/lint.h \
  lib/pki/ocsp_response.c lib/pki/ocsp_response.h \
  lib/pki/ossl.c lib/pki/ossl.h \
  lib/pki/private_key.c lib/pki/private_key.h \
  lib/pki/private_key_file.c lib/pki/private_key_file.h
