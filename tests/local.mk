# Tests by kind; each kind's folder lists its own.
AM_TESTS_ENVIRONMENT = MINTMARK_SRCDIR='$(abs_top_srcdir)' MINTMARK_BUILDDIR='$(abs_top_builddir)'; \
  export MINTMARK_SRCDIR MINTMARK_BUILDDIR;
CHECK_LIBS = $(CMOCKA_LIBS)

# For ./check --dist: make distcheck comes by here behind the tests, and then removes where they ran.
installcheck-local:
	test -z "$$MINTMARK_KEEP_LOGS" || { $(MKDIR_P) "$$MINTMARK_KEEP_LOGS" && \
	  cp -p --parents $(TEST_LOGS) "$$MINTMARK_KEEP_LOGS"; }

if HAVE_CMOCKA
include tests/unit/base.mk
include tests/unit/ca.mk
include tests/unit/keyd.mk
include tests/unit/daemon.mk
include tests/unit/cli.mk
include tests/flow/local.mk
include tests/unit/pki.mk
endif
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/tree/local.mk
