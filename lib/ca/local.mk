noinst_LIBRARIES += lib/ca/libca.a
lib_ca_libca_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(CONFUSE_CFLAGS) $(CRYPTO_CFLAGS)
CA_LIBS = lib/ca/libca.a lib/pki/libpki.a lib/base/libbase.a \
  $(SQLITE_LIBS) $(CONFUSE_LIBS) $(CRYPTO_LIBS)
PKI_LIBS = lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS)
lib_ca_libca_a_SOURCES = \
  lib/ca/authorities.c lib/ca/authorities.h \
  lib/ca/authority.c lib/ca/authority.h \
  lib/ca/batch.h \
  lib/ca/conf.c lib/ca/conf.h \
  lib/ca/conf_option.h \
  lib/ca/conf_authority.c \
  lib/ca/conf_profile.c \
  lib/ca/conf_trust.c \
  lib/ca/conf_webhook.c \
  lib/ca/conf_scan.c lib/ca/conf_scan.h \
  lib/ca/conf_value.c \
  lib/ca/crl_record.h \
  lib/ca/denials.c lib/ca/denials.h \
  lib/ca/event.c lib/ca/event.h \
  lib/ca/device.c lib/ca/device.h \
  lib/ca/expiring.h \
  lib/ca/issue.c lib/ca/issue.h \
  lib/ca/issue_device.c \
  lib/ca/issue_draft.c \
  lib/ca/issue_order.c \
  lib/ca/issue_private.h \
  lib/ca/issue_queue.c \
  lib/ca/issue_renewal.c \
  lib/ca/issue_worker.c \
  lib/ca/issue_writer.c \
  lib/ca/key_child.c lib/ca/key_child.h \
  lib/ca/key_holder.c lib/ca/key_holder.h \
  lib/ca/ledger.c lib/ca/ledger.h \
  lib/ca/ledger_append.c \
  lib/ca/ledger_authority.c lib/ca/ledger_authority.h \
  lib/ca/ledger_backup.c lib/ca/ledger_backup.h \
  lib/ca/ledger_batch_lines.c \
  lib/ca/ledger_batches.c \
  lib/ca/ledger_call.c \
  lib/ca/ledger_connection.c \
  lib/ca/ledger_candidates.c lib/ca/ledger_candidates.h \
  lib/ca/ledger_mark.c \
  lib/ca/ledger_marked.c \
  lib/ca/ledger_meter.c lib/ca/ledger_meter.h \
  lib/ca/ledger_crl.c \
  lib/ca/ledger_event.c \
  lib/ca/ledger_event_search.c \
  lib/ca/ledger_expiring.c \
  lib/ca/ledger_checkpoint.c lib/ca/ledger_checkpoint.h \
  lib/ca/ledger_filters.h \
  lib/ca/ledger_guards.c \
  lib/ca/ledger_has_name.c \
  lib/ca/ledger_known.c lib/ca/ledger_known.h \
  lib/ca/ledger_label.c \
  lib/ca/ledger_device.c lib/ca/ledger_device.h \
  lib/ca/ledger_import.c \
  lib/ca/ledger_migrate.c \
  lib/ca/ledger_order.c \
  lib/ca/ledger_order_cache.c \
  lib/ca/ledger_order_use.c \
  lib/ca/ledger_principal.c \
  lib/ca/ledger_principal_cache.c \
  lib/ca/ledger_private.h \
  lib/ca/ledger_renewal.c \
  lib/ca/ledger_revocation.c \
  lib/ca/ledger_revoke.c \
  lib/ca/ledger_restore.c \
  lib/ca/ledger_row.c \
  lib/ca/ledger_search.c \
  lib/ca/ledger_select.c \
  lib/ca/ledger_span.c \
  lib/ca/ledger_sql.h \
  lib/ca/ledger_tag_logs.c \
  lib/ca/ledger_tagged.c \
  lib/ca/ledger_tags.c lib/ca/ledger_tags.h \
  lib/ca/ledger_tally.c \
  lib/ca/ledger_webhook.c \
  lib/ca/lists_at_hand.c lib/ca/lists_at_hand.h \
  lib/ca/order.c lib/ca/order.h \
  lib/ca/peer.c lib/ca/peer.h \
  lib/ca/peer_who.c \
  lib/ca/pem_file.c lib/ca/pem_file.h \
  lib/ca/principal.c lib/ca/principal.h \
  lib/ca/profile.c lib/ca/profile.h \
  lib/ca/profile_renewal.c \
  lib/ca/profile_names.c lib/ca/profile_names.h \
  lib/ca/recorder.c lib/ca/recorder.h \
  lib/ca/revocation.c lib/ca/revocation.h \
  lib/ca/revoke.c lib/ca/revoke.h \
  lib/ca/signer.c lib/ca/signer.h \
  lib/ca/standing.c lib/ca/standing.h \
  lib/ca/trust.c lib/ca/trust.h \
  lib/ca/webhook.h
