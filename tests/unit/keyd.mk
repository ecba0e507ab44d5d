# keyd, and lib/ca's side of it
KEYD_FIXTURE = tests/unit/keyd_ca.c tests/unit/keyd_ca.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_guard
TESTS += tests/unit/test_guard
tests_unit_test_guard_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c $(KEYD_FIXTURE)
tests_unit_test_guard_LDADD = $(KEYD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_state
TESTS += tests/unit/test_state
tests_unit_test_state_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_state_SOURCES = tests/unit/test_state.c tests/unit/unit.h
tests_unit_test_state_LDADD = $(KEYD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_signer
TESTS += tests/unit/test_signer
tests_unit_test_signer_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_signer_SOURCES = tests/unit/test_signer.c $(KEYD_FIXTURE)
tests_unit_test_signer_LDADD = $(CA_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_keyd
TESTS += tests/unit/test_keyd
tests_unit_test_keyd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keyd_SOURCES = tests/unit/test_keyd.c $(KEYD_FIXTURE)
tests_unit_test_keyd_LDADD = $(KEYD_LIBS) $(CHECK_LIBS)
