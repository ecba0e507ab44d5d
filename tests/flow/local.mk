# Flow tests: the real programs, over TLS.
FLOW_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS) $(GNUTLS_CFLAGS) \
  $(SQLITE_CFLAGS) $(CRYPTO_CFLAGS)
FLOW_LIBS = tests/flow/libflow.a lib/pki/libpki.a lib/base/libbase.a $(CURL_LIBS) $(JANSSON_LIBS) $(GNUTLS_LIBS) \
  $(SQLITE_LIBS) $(CRYPTO_LIBS) $(CHECK_LIBS)
check_LIBRARIES += tests/flow/libflow.a
tests_flow_libflow_a_CFLAGS = $(FLOW_CFLAGS)
tests_flow_libflow_a_SOURCES = tests/flow/flow.c tests/flow/flow.h tests/flow/ask.c tests/flow/widget.c \
  tests/unit/unit.h
FLOW_TESTS = tests/flow/test_rest tests/flow/test_malformed tests/flow/test_load \
  tests/flow/test_crash tests/flow/test_operate tests/flow/test_attack \
  tests/flow/test_orders tests/flow/test_order_race tests/flow/test_mtls tests/flow/test_renew \
  tests/flow/test_roles
flow_scripts = tests/browser/lock.sh
EXTRA_DIST += tests/flow/daemon.sh $(flow_scripts)
check_PROGRAMS += $(FLOW_TESTS)
TESTS += $(FLOW_TESTS) $(flow_scripts)

tests_flow_test_rest_SOURCES = tests/flow/test_rest.c
tests_flow_test_rest_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_rest_LDADD = $(FLOW_LIBS)

tests_flow_test_malformed_SOURCES = tests/flow/test_malformed.c
tests_flow_test_malformed_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_malformed_LDADD = $(FLOW_LIBS)

tests_flow_test_load_SOURCES = tests/flow/test_load.c
tests_flow_test_load_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_load_LDADD = $(FLOW_LIBS)

tests_flow_test_crash_SOURCES = tests/flow/test_crash.c
tests_flow_test_crash_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_crash_LDADD = $(FLOW_LIBS)

tests_flow_test_operate_SOURCES = tests/flow/test_operate.c
tests_flow_test_operate_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_operate_LDADD = $(FLOW_LIBS)

tests_flow_test_attack_SOURCES = tests/flow/test_attack.c
tests_flow_test_attack_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_attack_LDADD = $(FLOW_LIBS)

tests_flow_test_orders_SOURCES = tests/flow/test_orders.c tests/flow/order_steps.h
tests_flow_test_orders_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_orders_LDADD = $(FLOW_LIBS)

tests_flow_test_order_race_SOURCES = tests/flow/test_order_race.c tests/flow/order_steps.h
tests_flow_test_order_race_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_order_race_LDADD = $(FLOW_LIBS)

tests_flow_test_mtls_SOURCES = tests/flow/test_mtls.c tests/unit/peer_kit.c tests/unit/peer_kit.h
tests_flow_test_mtls_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_mtls_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_devices
TESTS += tests/flow/test_devices
tests_flow_test_devices_SOURCES = tests/flow/test_devices.c
tests_flow_test_devices_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_devices_LDADD = $(FLOW_LIBS)

tests_flow_test_renew_SOURCES = tests/flow/test_renew.c tests/unit/peer_kit.c \
  tests/unit/peer_kit.h
tests_flow_test_renew_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_renew_LDADD = $(FLOW_LIBS)

TESTS += tests/flow/examples.sh tests/flow/authority.sh tests/flow/cli_batch.sh tests/flow/crl.sh tests/flow/crl_crash.sh
EXTRA_DIST += tests/flow/examples.sh tests/flow/authority.sh tests/flow/cli_batch.sh tests/flow/crl.sh tests/flow/crl_crash.sh

# With the daemon's own table of routes.
tests_flow_test_roles_SOURCES = tests/flow/test_roles.c
tests_flow_test_roles_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_roles_LDADD = $(FRONT_LIBS) $(FLOW_LIBS)

# With the daemon's own table of routes.
check_PROGRAMS += tests/flow/test_public
TESTS += tests/flow/test_public
tests_flow_test_public_SOURCES = tests/flow/test_public.c
tests_flow_test_public_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_public_LDADD = $(FRONT_LIBS) $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_metrics
TESTS += tests/flow/test_metrics
tests_flow_test_metrics_SOURCES = tests/flow/test_metrics.c tests/flow/exposition.c \
  tests/flow/exposition.h
tests_flow_test_metrics_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_metrics_LDADD = $(FRONT_LIBS) $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_events
TESTS += tests/flow/test_events
tests_flow_test_events_SOURCES = tests/flow/test_events.c
tests_flow_test_events_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_events_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_backup
TESTS += tests/flow/test_backup
tests_flow_test_backup_SOURCES = tests/flow/test_backup.c
tests_flow_test_backup_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_backup_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_renewal
TESTS += tests/flow/test_renewal
tests_flow_test_renewal_SOURCES = tests/flow/test_renewal.c tests/unit/peer_kit.c \
  tests/unit/peer_kit.h
tests_flow_test_renewal_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_renewal_LDADD = lib/ca/libca.a $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_revoke
TESTS += tests/flow/test_revoke
tests_flow_test_revoke_SOURCES = tests/flow/test_revoke.c
tests_flow_test_revoke_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_revoke_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/flow/test_webhook
TESTS += tests/flow/test_webhook
tests_flow_test_webhook_SOURCES = tests/flow/test_webhook.c tests/flow/receiver.c \
  tests/flow/receiver.h
tests_flow_test_webhook_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_webhook_LDADD = $(FLOW_LIBS)

TESTS += tests/flow/ocsp.sh
EXTRA_DIST += tests/flow/ocsp.sh

UPLOADER = tests/flow/uploader.c tests/flow/uploader.h
check_PROGRAMS += tests/flow/test_batch tests/flow/test_batch_cut
TESTS += tests/flow/test_batch tests/flow/test_batch_cut
tests_flow_test_batch_SOURCES = tests/flow/test_batch.c $(UPLOADER)
tests_flow_test_batch_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_batch_LDADD = $(FLOW_LIBS)
tests_flow_test_batch_cut_SOURCES = tests/flow/test_batch_cut.c $(UPLOADER)
tests_flow_test_batch_cut_CFLAGS = $(FLOW_CFLAGS)
tests_flow_test_batch_cut_LDADD = $(FLOW_LIBS)
TESTS += tests/flow/life.sh
EXTRA_DIST += tests/flow/life.sh
