# Fuzz targets, which replay their corpus in the ordinary test run.
check_PROGRAMS += tests/fuzz/fuzz_csr
TESTS += tests/fuzz/replay_csr
EXTRA_DIST += tests/fuzz/replay_csr
tests_fuzz_fuzz_csr_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_csr_SOURCES = tests/fuzz/fuzz_csr.c
tests_fuzz_fuzz_csr_LDADD = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
