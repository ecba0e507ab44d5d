# mintmark-bench: built with the rest, not installed.
noinst_PROGRAMS += mintmark-bench
mintmark_bench_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SSL_CFLAGS) $(JANSSON_CFLAGS)
mintmark_bench_LDADD = $(CA_LIBS) $(SSL_LIBS) $(JANSSON_LIBS)
mintmark_bench_SOURCES = \
  tests/bench/bench.c \
  tests/bench/fill.c tests/bench/fill.h \
  tests/bench/floor.c tests/bench/floor.h \
  tests/bench/histogram.c tests/bench/histogram.h \
  tests/bench/keys.c tests/bench/keys.h \
  tests/bench/load.c tests/bench/load.h \
  tests/bench/load_connection.c \
  tests/bench/load_thread.c tests/bench/load_thread.h \
  tests/bench/options.c tests/bench/options.h \
  tests/bench/proc.c tests/bench/proc.h \
  tests/bench/progress.c tests/bench/progress.h \
  tests/bench/reply.c tests/bench/reply.h \
  tests/bench/report.c tests/bench/report.h \
  tests/bench/requests.c tests/bench/requests.h \
  tests/bench/revoke.c tests/bench/revoke.h \
  tests/bench/tally.c \
  tests/bench/target.c tests/bench/target.h

# OCSP, against a daemon that runs.
noinst_PROGRAMS += mintmark-ocsp-bench
mintmark_ocsp_bench_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SSL_CFLAGS)
mintmark_ocsp_bench_LDADD = $(CA_LIBS) $(SSL_LIBS)
mintmark_ocsp_bench_SOURCES = tests/bench/ocsp_bench.c tests/bench/proc.c tests/bench/proc.h \
  tests/bench/reply.c tests/bench/reply.h

# That it works, in the ordinary checks; what it measures is for doc/performance.md.
TESTS += tests/bench/smoke.sh tests/bench/crl.sh tests/bench/queries.sh
EXTRA_DIST += tests/bench/smoke.sh tests/bench/crl.sh tests/bench/queries.sh

# What a certificate costs in instructions, which noise does not touch: held against what was recorded.
if HAVE_CALLGRIND
check_PROGRAMS += mintmark-pipeline
TESTS += tests/bench/pipeline.sh
mintmark_pipeline_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
mintmark_pipeline_LDADD = $(CA_LIBS) keyd/libkeyd.a $(CA_LIBS) $(SECCOMP_LIBS)
mintmark_pipeline_SOURCES = tests/bench/pipeline.c tests/bench/pipeline_signer.c \
  tests/bench/pipeline_signer.h
endif
EXTRA_DIST += tests/bench/pipeline.sh tests/bench/pipeline.instructions \
  tests/bench/pair.py tests/bench/side_by_side.sh tests/bench/side_by_side.py
