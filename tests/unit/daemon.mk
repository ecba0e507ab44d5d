# daemon

# the REST handlers
REST_TESTS = tests/unit/test_accept tests/unit/test_cert_json tests/unit/test_conditional tests/unit/test_csv \
  tests/unit/test_cursor tests/unit/test_issue_decode tests/unit/test_json_text \
  tests/unit/test_rest tests/unit/test_rest_event tests/unit/test_rest_memory tests/unit/test_rest_principal \
  tests/unit/test_rest_revoke tests/unit/test_rest_search
check_PROGRAMS += $(REST_TESTS)
TESTS += $(REST_TESTS)
EXTRA_DIST += tests/cases/json
# Without lib/ca: these tests bring a ledger and an issuer of their own.
REST_TEST_LIBS = $(REST_LIBS) $(PKI_TEST_LIBS)
REST_TEST_CFLAGS = $(PKI_TEST_CFLAGS) $(JANSSON_CFLAGS)
SAMPLE = tests/unit/unit.h tests/unit/sample.c tests/unit/sample.h lib/ca/revocation.c
FAKE_SERVICE = $(SAMPLE) tests/unit/fake_service.c tests/unit/fake_service.h lib/ca/event.c
tests_unit_test_accept_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_accept_SOURCES = tests/unit/test_accept.c tests/unit/unit.h
tests_unit_test_accept_LDADD = $(REST_TEST_LIBS)
tests_unit_test_cert_json_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_cert_json_SOURCES = tests/unit/test_cert_json.c $(SAMPLE)
tests_unit_test_cert_json_LDADD = $(REST_TEST_LIBS)
tests_unit_test_conditional_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_conditional_SOURCES = tests/unit/test_conditional.c tests/unit/unit.h
tests_unit_test_conditional_LDADD = $(REST_TEST_LIBS)
tests_unit_test_csv_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_csv_SOURCES = tests/unit/test_csv.c tests/unit/unit.h
tests_unit_test_csv_LDADD = $(REST_TEST_LIBS)
tests_unit_test_cursor_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_cursor_SOURCES = tests/unit/test_cursor.c tests/unit/unit.h
tests_unit_test_cursor_LDADD = $(REST_TEST_LIBS)
tests_unit_test_issue_decode_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_issue_decode_SOURCES = tests/unit/test_issue_decode.c tests/unit/unit.h
tests_unit_test_issue_decode_LDADD = $(REST_TEST_LIBS)
tests_unit_test_json_text_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_json_text_SOURCES = tests/unit/test_json_text.c tests/unit/unit.h
tests_unit_test_json_text_LDADD = $(REST_TEST_LIBS)
tests_unit_test_rest_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_rest_SOURCES = tests/unit/test_rest.c $(FAKE_SERVICE)
tests_unit_test_rest_LDADD = $(REST_TEST_LIBS)
tests_unit_test_rest_event_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_rest_event_SOURCES = tests/unit/test_rest_event.c $(FAKE_SERVICE)
tests_unit_test_rest_event_LDADD = $(REST_TEST_LIBS)
tests_unit_test_rest_memory_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_rest_memory_SOURCES = tests/unit/test_rest_memory.c $(FAKE_SERVICE)
tests_unit_test_rest_memory_LDFLAGS = $(AM_LDFLAGS) \
  -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc
tests_unit_test_rest_memory_LDADD = $(REST_TEST_LIBS)
tests_unit_test_rest_principal_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_rest_principal_SOURCES = tests/unit/test_rest_principal.c $(FAKE_SERVICE)
tests_unit_test_rest_principal_LDADD = $(REST_TEST_LIBS)
tests_unit_test_rest_revoke_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_rest_revoke_SOURCES = tests/unit/test_rest_revoke.c $(FAKE_SERVICE)
tests_unit_test_rest_revoke_LDADD = $(REST_TEST_LIBS)
tests_unit_test_rest_search_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_rest_search_SOURCES = tests/unit/test_rest_search.c $(FAKE_SERVICE)
tests_unit_test_rest_search_LDADD = $(REST_TEST_LIBS)

# the front
FRONT_TESTS = tests/unit/test_auth tests/unit/test_background tests/unit/test_exchange tests/unit/test_front tests/unit/test_query \
  tests/unit/test_line_reader tests/unit/test_request_check tests/unit/test_route
check_PROGRAMS += $(FRONT_TESTS)
TESTS += $(FRONT_TESTS)
# Without lib/ca: what the front asks of it is small, and stands in the tests.
FRONT_TEST_LIBS = daemon/libfront.a lib/base/libbase.a $(JANSSON_LIBS) $(CHECK_LIBS)
FRONT_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_auth_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c tests/unit/unit.h
tests_unit_test_auth_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_background_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_background_SOURCES = tests/unit/test_background.c tests/unit/unit.h
tests_unit_test_background_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_exchange_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c tests/unit/unit.h
tests_unit_test_exchange_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_front_CFLAGS = $(FRONT_TEST_CFLAGS) $(GNUTLS_CFLAGS)
tests_unit_test_front_SOURCES = tests/unit/test_front.c tests/unit/unit.h
tests_unit_test_front_LDADD = $(FRONT_TEST_LIBS) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(SYSTEMD_LIBS) \
  $(CRYPTO_LIBS)
tests_unit_test_line_reader_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_line_reader_SOURCES = tests/unit/test_line_reader.c tests/unit/unit.h
tests_unit_test_line_reader_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_query_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_query_SOURCES = tests/unit/test_query.c tests/unit/unit.h
tests_unit_test_query_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_request_check_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_request_check_SOURCES = tests/unit/test_request_check.c tests/unit/unit.h
tests_unit_test_request_check_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_route_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_route_SOURCES = tests/unit/test_route.c tests/unit/unit.h
tests_unit_test_route_LDADD = $(FRONT_TEST_LIBS)

# metrics
METRICS_TESTS = tests/unit/test_metrics tests/unit/test_authority_watch
check_PROGRAMS += $(METRICS_TESTS)
TESTS += $(METRICS_TESTS)
tests_unit_test_metrics_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c tests/unit/unit.h
tests_unit_test_metrics_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_authority_watch_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_authority_watch_SOURCES = tests/unit/test_authority_watch.c \
  tests/unit/ledger_unit.h
tests_unit_test_authority_watch_LDADD = daemon/libfront.a $(REST_LIBS) $(CA_TEST_LIBS)

# clock_watch
check_PROGRAMS += tests/unit/test_clock_watch
TESTS += tests/unit/test_clock_watch
tests_unit_test_clock_watch_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_clock_watch_SOURCES = tests/unit/test_clock_watch.c tests/unit/unit.h
tests_unit_test_clock_watch_LDADD = $(FRONT_TEST_LIBS)

# limits
check_PROGRAMS += tests/unit/test_limits
TESTS += tests/unit/test_limits
tests_unit_test_limits_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_limits_SOURCES = tests/unit/test_limits.c tests/unit/unit.h
tests_unit_test_limits_LDADD = $(FRONT_TEST_LIBS) $(CRYPTO_LIBS)

# webhooks
check_PROGRAMS += tests/unit/test_webhook
TESTS += tests/unit/test_webhook
tests_unit_test_webhook_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_webhook_SOURCES = tests/unit/test_webhook.c tests/unit/unit.h
tests_unit_test_webhook_LDADD = $(FRONT_LIBS) $(CHECK_LIBS)

# revocation lists
CRL_TESTS = tests/unit/test_crl_schedule tests/unit/test_crl_store
check_PROGRAMS += $(CRL_TESTS)
TESTS += $(CRL_TESTS)
tests_unit_test_crl_schedule_CFLAGS = $(FRONT_TEST_CFLAGS)
tests_unit_test_crl_schedule_SOURCES = tests/unit/test_crl_schedule.c tests/unit/unit.h
tests_unit_test_crl_schedule_LDADD = $(FRONT_TEST_LIBS)
tests_unit_test_crl_store_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_crl_store_SOURCES = tests/unit/test_crl_store.c tests/unit/unit.h
tests_unit_test_crl_store_LDADD = $(REST_TEST_LIBS)

# OCSP
check_PROGRAMS += tests/unit/test_ocsp_cache
TESTS += tests/unit/test_ocsp_cache
tests_unit_test_ocsp_cache_CFLAGS = $(REST_TEST_CFLAGS)
tests_unit_test_ocsp_cache_SOURCES = tests/unit/test_ocsp_cache.c tests/unit/unit.h
tests_unit_test_ocsp_cache_LDADD = $(REST_TEST_LIBS)
