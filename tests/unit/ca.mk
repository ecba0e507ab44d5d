# ca
CA_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(SQLITE_CFLAGS) $(CRYPTO_CFLAGS)
CA_TEST_LIBS = $(CA_LIBS) $(CHECK_LIBS)

# the ledger
LEDGER_TESTS = tests/unit/test_event tests/unit/test_event_search tests/unit/test_ledger_crl \
  tests/unit/test_recorder tests/unit/test_ledger tests/unit/test_ledger_hold tests/unit/test_ledger_tags tests/unit/test_ledger_marks tests/unit/test_ledger_known tests/unit/test_ledger_checkpoint tests/unit/test_ledger_search \
  tests/unit/test_ledger_revoke tests/unit/test_revoke tests/unit/test_ledger_webhook tests/unit/test_ledger_batches \
  tests/unit/test_migrate tests/unit/test_principal
check_PROGRAMS += $(LEDGER_TESTS)
TESTS += $(LEDGER_TESTS)
tests_unit_test_event_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_event_SOURCES = tests/unit/test_event.c tests/unit/ledger_unit.h
tests_unit_test_event_LDADD = $(CA_TEST_LIBS)
tests_unit_test_event_search_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_event_search_SOURCES = tests/unit/test_event_search.c tests/unit/ledger_unit.h
tests_unit_test_event_search_LDADD = $(CA_TEST_LIBS)
tests_unit_test_recorder_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_recorder_SOURCES = tests/unit/test_recorder.c tests/unit/ledger_unit.h
tests_unit_test_recorder_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_SOURCES = tests/unit/test_ledger.c tests/unit/ledger_unit.h
tests_unit_test_ledger_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_checkpoint_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_checkpoint_SOURCES = tests/unit/test_ledger_checkpoint.c tests/unit/ledger_unit.h
tests_unit_test_ledger_checkpoint_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_tags_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_tags_SOURCES = tests/unit/test_ledger_tags.c tests/unit/ledger_unit.h
tests_unit_test_ledger_tags_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_marks_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_marks_SOURCES = tests/unit/test_ledger_marks.c tests/unit/ledger_unit.h
tests_unit_test_ledger_marks_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_known_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_known_SOURCES = tests/unit/test_ledger_known.c tests/unit/ledger_unit.h
tests_unit_test_ledger_known_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_hold_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_hold_SOURCES = tests/unit/test_ledger_hold.c tests/unit/ledger_unit.h
tests_unit_test_ledger_hold_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_search_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_search_SOURCES = tests/unit/test_ledger_search.c tests/unit/ledger_unit.h
tests_unit_test_ledger_search_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_crl_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_crl_SOURCES = tests/unit/test_ledger_crl.c tests/unit/ledger_unit.h
tests_unit_test_ledger_crl_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_revoke_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_revoke_SOURCES = tests/unit/test_ledger_revoke.c tests/unit/ledger_unit.h
tests_unit_test_ledger_revoke_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_batches_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_batches_SOURCES = tests/unit/test_ledger_batches.c tests/unit/ledger_unit.h
tests_unit_test_ledger_batches_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_webhook_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_webhook_SOURCES = tests/unit/test_ledger_webhook.c tests/unit/ledger_unit.h
tests_unit_test_ledger_webhook_LDADD = $(CA_TEST_LIBS)
tests_unit_test_revoke_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_revoke_SOURCES = tests/unit/test_revoke.c tests/unit/ledger_unit.h
tests_unit_test_revoke_LDADD = $(CA_TEST_LIBS)
tests_unit_test_migrate_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_migrate_SOURCES = tests/unit/test_migrate.c tests/unit/ledger_unit.h
tests_unit_test_migrate_LDADD = $(CA_TEST_LIBS)
tests_unit_test_principal_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_principal_SOURCES = tests/unit/test_principal.c tests/unit/ledger_unit.h
tests_unit_test_principal_LDADD = $(CA_TEST_LIBS)

# production orders
ORDER_TESTS = tests/unit/test_order tests/unit/test_ledger_order
check_PROGRAMS += $(ORDER_TESTS)
TESTS += $(ORDER_TESTS)
tests_unit_test_order_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_order_SOURCES = tests/unit/test_order.c tests/unit/unit.h
tests_unit_test_order_LDADD = $(CA_TEST_LIBS)
tests_unit_test_ledger_order_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_order_SOURCES = tests/unit/test_ledger_order.c tests/unit/ledger_unit.h
tests_unit_test_ledger_order_LDADD = $(CA_TEST_LIBS)

# the configuration, the policy and the pipeline
CA_KIT_SOURCES = tests/unit/ca_kit.c tests/unit/ca_kit.h tests/unit/unit.h
ISSUE_TESTS = tests/unit/test_authorities tests/unit/test_authority tests/unit/test_conf tests/unit/test_issue tests/unit/test_issue_queue tests/unit/test_profile
check_PROGRAMS += $(ISSUE_TESTS)
TESTS += $(ISSUE_TESTS)
tests_unit_test_issue_queue_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_issue_queue_SOURCES = tests/unit/test_issue_queue.c tests/unit/unit.h
tests_unit_test_issue_queue_LDADD = $(CA_TEST_LIBS)
tests_unit_test_issue_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_issue_SOURCES = tests/unit/test_issue.c $(CA_KIT_SOURCES)
tests_unit_test_issue_LDADD = $(CA_TEST_LIBS)
tests_unit_test_authorities_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_authorities_SOURCES = tests/unit/test_authorities.c $(CA_KIT_SOURCES)
tests_unit_test_authorities_LDADD = $(CA_TEST_LIBS)
tests_unit_test_authority_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_authority_SOURCES = tests/unit/test_authority.c $(CA_KIT_SOURCES)
tests_unit_test_authority_LDADD = $(CA_TEST_LIBS)
tests_unit_test_conf_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c $(CA_KIT_SOURCES)
tests_unit_test_conf_LDADD = $(CA_TEST_LIBS)
tests_unit_test_profile_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c $(CA_KIT_SOURCES)
tests_unit_test_profile_LDADD = $(CA_TEST_LIBS)
EXTRA_DIST += tests/cases/conf tests/cases/profile

# clients with certificates
PEER_KIT = tests/unit/peer_kit.c tests/unit/peer_kit.h tests/unit/unit.h
PEER_TESTS = tests/unit/test_peer tests/unit/test_peer_who
check_PROGRAMS += $(PEER_TESTS)
TESTS += $(PEER_TESTS)
tests_unit_test_peer_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_peer_SOURCES = tests/unit/test_peer.c $(PEER_KIT)
tests_unit_test_peer_LDADD = $(CA_TEST_LIBS)
tests_unit_test_peer_who_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_peer_who_SOURCES = tests/unit/test_peer_who.c tests/unit/ledger_unit.h $(PEER_KIT)
tests_unit_test_peer_who_LDADD = $(CA_TEST_LIBS)
# devices
check_PROGRAMS += tests/unit/test_device
TESTS += tests/unit/test_device
tests_unit_test_device_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_device_SOURCES = tests/unit/test_device.c tests/unit/ledger_unit.h
tests_unit_test_device_LDADD = $(CA_TEST_LIBS)
# copies of the ledger
check_PROGRAMS += tests/unit/test_ledger_backup
TESTS += tests/unit/test_ledger_backup
tests_unit_test_ledger_backup_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_ledger_backup_SOURCES = tests/unit/test_ledger_backup.c tests/unit/ledger_unit.h
tests_unit_test_ledger_backup_LDADD = $(CA_TEST_LIBS)


# renewals
check_PROGRAMS += tests/unit/test_renewal
TESTS += tests/unit/test_renewal
tests_unit_test_renewal_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_renewal_SOURCES = tests/unit/test_renewal.c tests/unit/ledger_unit.h
tests_unit_test_renewal_LDADD = $(CA_TEST_LIBS)
check_PROGRAMS += tests/unit/test_standing
TESTS += tests/unit/test_standing
tests_unit_test_standing_CFLAGS = $(CA_TEST_CFLAGS)
tests_unit_test_standing_SOURCES = tests/unit/test_standing.c $(CA_KIT_SOURCES)
tests_unit_test_standing_LDADD = $(CA_TEST_LIBS)
