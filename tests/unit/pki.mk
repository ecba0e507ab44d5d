# lib/pki
PKI_TEST_LIBS = lib/pki/libpki.a lib/base/libbase.a $(CHECK_LIBS) $(CRYPTO_LIBS)
PKI_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS)

# reading
PKI_READ_TESTS = tests/unit/test_csr tests/unit/test_der tests/unit/test_name tests/unit/test_p256 tests/unit/test_pem tests/unit/test_pubkey tests/unit/test_san
check_PROGRAMS += $(PKI_READ_TESTS)
TESTS += $(PKI_READ_TESTS)
tests_unit_test_csr_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_csr_SOURCES = tests/unit/test_csr.c tests/unit/unit.h
tests_unit_test_csr_LDADD = $(PKI_TEST_LIBS)
EXTRA_DIST += tests/cases/csr
tests_unit_test_der_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_der_SOURCES = tests/unit/test_der.c tests/unit/unit.h
tests_unit_test_der_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_name_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_name_SOURCES = tests/unit/test_name.c tests/unit/unit.h
tests_unit_test_name_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_p256_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_p256_SOURCES = tests/unit/test_p256.c tests/unit/unit.h
tests_unit_test_p256_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_pem_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_pem_SOURCES = tests/unit/test_pem.c tests/unit/unit.h
tests_unit_test_pem_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_pubkey_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_pubkey_SOURCES = tests/unit/test_pubkey.c tests/unit/unit.h
tests_unit_test_pubkey_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_san_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_san_SOURCES = tests/unit/test_san.c tests/unit/unit.h
tests_unit_test_san_LDADD = $(PKI_TEST_LIBS)

# writing
PKI_WRITE_TESTS = tests/unit/test_cert tests/unit/test_cert_foreign tests/unit/test_cms tests/unit/test_crl tests/unit/test_crl_build tests/unit/test_export \
  tests/unit/test_lint tests/unit/test_private_key
check_PROGRAMS += $(PKI_WRITE_TESTS)
TESTS += $(PKI_WRITE_TESTS)
PKI_CASE_SOURCES = \
  tests/unit/cases.c tests/unit/cases.h \
  tests/unit/cert_case.c tests/unit/cert_case.h \
  tests/unit/dertext.c tests/unit/dertext.h
tests_unit_test_cert_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_cert_SOURCES = tests/unit/test_cert.c tests/unit/unit.h $(PKI_CASE_SOURCES)
tests_unit_test_cert_LDADD = $(PKI_TEST_LIBS)
EXTRA_DIST += tests/cases/cert
tests_unit_test_crl_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_crl_SOURCES = tests/unit/test_crl.c tests/unit/unit.h \
  tests/unit/cases.c tests/unit/cases.h \
  tests/unit/dertext.c tests/unit/dertext.h
tests_unit_test_crl_LDADD = $(PKI_TEST_LIBS)
EXTRA_DIST += tests/cases/crl
tests_unit_test_crl_build_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_crl_build_SOURCES = tests/unit/test_crl_build.c tests/unit/unit.h
tests_unit_test_crl_build_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_export_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_export_SOURCES = tests/unit/test_export.c tests/unit/unit.h $(PKI_CASE_SOURCES)
tests_unit_test_export_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_cert_foreign_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_cert_foreign_SOURCES = tests/unit/test_cert_foreign.c tests/unit/unit.h
tests_unit_test_cert_foreign_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_cms_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_cms_SOURCES = tests/unit/test_cms.c tests/unit/unit.h $(PKI_CASE_SOURCES)
tests_unit_test_cms_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_lint_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_lint_SOURCES = tests/unit/test_lint.c tests/unit/unit.h $(PKI_CASE_SOURCES)
tests_unit_test_lint_LDADD = $(PKI_TEST_LIBS)
tests_unit_test_private_key_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_private_key_SOURCES = tests/unit/test_private_key.c tests/unit/unit.h
tests_unit_test_private_key_LDADD = $(PKI_TEST_LIBS)

# OCSP
PKI_OCSP_TESTS = tests/unit/test_ocsp_request tests/unit/test_ocsp_response
check_PROGRAMS += $(PKI_OCSP_TESTS)
TESTS += $(PKI_OCSP_TESTS)
tests_unit_test_ocsp_request_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_ocsp_request_SOURCES = tests/unit/test_ocsp_request.c tests/unit/unit.h \
  tests/unit/cases.c tests/unit/cases.h \
  tests/unit/dertext.c tests/unit/dertext.h
tests_unit_test_ocsp_request_LDADD = $(PKI_TEST_LIBS)
EXTRA_DIST += tests/cases/ocsp
tests_unit_test_ocsp_response_CFLAGS = $(PKI_TEST_CFLAGS)
tests_unit_test_ocsp_response_SOURCES = tests/unit/test_ocsp_response.c tests/unit/unit.h
tests_unit_test_ocsp_response_LDADD = $(PKI_TEST_LIBS)
