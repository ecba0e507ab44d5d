# Fuzz targets, which replay their corpus in the ordinary test run.
check_PROGRAMS += tests/fuzz/fuzz_csr
TESTS += tests/fuzz/replay_csr
EXTRA_DIST += tests/fuzz/replay_csr
tests_fuzz_fuzz_csr_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_csr_SOURCES = tests/fuzz/fuzz_csr.c
tests_fuzz_fuzz_csr_LDADD = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_cert
TESTS += tests/fuzz/replay_cert
EXTRA_DIST += tests/fuzz/replay_cert
tests_fuzz_fuzz_cert_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_cert_SOURCES = tests/fuzz/fuzz_cert.c tests/fuzz/replay.h \
  tests/unit/dertext.c tests/unit/dertext.h
tests_fuzz_fuzz_cert_LDADD = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_crl
TESTS += tests/fuzz/replay_crl
EXTRA_DIST += tests/fuzz/replay_crl
tests_fuzz_fuzz_crl_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_crl_SOURCES = tests/fuzz/fuzz_crl.c tests/fuzz/replay.h \
  tests/unit/dertext.c tests/unit/dertext.h
tests_fuzz_fuzz_crl_LDADD = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_ocsp
TESTS += tests/fuzz/replay_ocsp
EXTRA_DIST += tests/fuzz/replay_ocsp
tests_fuzz_fuzz_ocsp_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_ocsp_SOURCES = tests/fuzz/fuzz_ocsp.c tests/fuzz/replay.h \
  tests/unit/dertext.c tests/unit/dertext.h
tests_fuzz_fuzz_ocsp_LDADD = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
