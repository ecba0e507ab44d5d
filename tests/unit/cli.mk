# cli
CLI_TESTS = tests/unit/test_cli_address tests/unit/test_cli_args tests/unit/test_cli_client \
  tests/unit/test_cli_conf_text tests/unit/test_cli_screen
CLI_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
CLI_TEST_LIBS = $(CLI_LIBS) $(CHECK_LIBS)
check_PROGRAMS += $(CLI_TESTS)
TESTS += $(CLI_TESTS)
tests_unit_test_cli_address_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_address_SOURCES = tests/unit/test_cli_address.c tests/unit/unit.h
tests_unit_test_cli_address_LDADD = $(CLI_TEST_LIBS)
tests_unit_test_cli_args_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_args_SOURCES = tests/unit/test_cli_args.c tests/unit/unit.h
tests_unit_test_cli_args_LDADD = $(CLI_TEST_LIBS)
tests_unit_test_cli_client_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_client_SOURCES = tests/unit/test_cli_client.c tests/unit/unit.h
tests_unit_test_cli_client_LDADD = $(CLI_TEST_LIBS)
tests_unit_test_cli_conf_text_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_conf_text_SOURCES = tests/unit/test_cli_conf_text.c tests/unit/unit.h
tests_unit_test_cli_conf_text_LDADD = $(CLI_TEST_LIBS)
tests_unit_test_cli_screen_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_screen_SOURCES = tests/unit/test_cli_screen.c tests/unit/unit.h
tests_unit_test_cli_screen_LDADD = $(CLI_TEST_LIBS)

check_PROGRAMS += tests/unit/test_cli_device_file
TESTS += tests/unit/test_cli_device_file
tests_unit_test_cli_device_file_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_device_file_SOURCES = tests/unit/test_cli_device_file.c tests/unit/unit.h
tests_unit_test_cli_device_file_LDADD = $(CLI_TEST_LIBS)

check_PROGRAMS += tests/unit/test_cli_pace
TESTS += tests/unit/test_cli_pace
tests_unit_test_cli_pace_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_test_cli_pace_SOURCES = tests/unit/test_cli_pace.c tests/unit/unit.h
tests_unit_test_cli_pace_LDADD = $(CLI_TEST_LIBS)

# The program itself, as somebody uses it.
CLI_SHELL_TESTS = tests/flow/cli_daemon.sh tests/flow/cli_files.sh tests/flow/cli_init.sh \
  tests/flow/cli_renew.sh
TESTS += $(CLI_SHELL_TESTS)
EXTRA_DIST += $(CLI_SHELL_TESTS)
