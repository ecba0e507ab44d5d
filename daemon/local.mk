# daemon

# The REST handlers. What they call of the front (exchange_fail, exchange_finish) comes from the
# program that is linked with them.
noinst_LIBRARIES += daemon/librest.a
daemon_librest_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS)
REST_LIBS = daemon/librest.a $(JANSSON_LIBS)
daemon_librest_a_SOURCES = \
  daemon/accept.c daemon/accept.h \
  daemon/batch_form.c daemon/batch_form.h \
  daemon/cert_find.c daemon/cert_find.h \
  daemon/cert_fields.c daemon/cert_fields.h \
  daemon/cert_form.c daemon/cert_form.h \
  daemon/cert_json.c daemon/cert_json.h \
  daemon/conditional.c daemon/conditional.h \
  daemon/crl_file.c daemon/crl_file.h \
  daemon/crl_name.c daemon/crl_name.h \
  daemon/crl_serve.c daemon/crl_serve.h \
  daemon/crl_store.c daemon/crl_store.h \
  daemon/crl_table.c daemon/crl_table.h \
  daemon/csv.c daemon/csv.h \
  daemon/cursor.c daemon/cursor.h \
  daemon/event_decode.c daemon/event_decode.h \
  daemon/event_form.c daemon/event_form.h \
  daemon/fields.c daemon/fields.h \
  daemon/filter.c daemon/filter.h \
  daemon/fields_plain.c daemon/fields_plain.h \
  daemon/issue_decode.c daemon/issue_decode.h \
  daemon/json_text.c daemon/json_text.h \
  daemon/listing.c daemon/listing.h \
  daemon/ocsp.c daemon/ocsp.h \
  daemon/ocsp_cache.c daemon/ocsp_cache.h \
  daemon/ocsp_credential.c daemon/ocsp_credential.h \
  daemon/ocsp_responder.c daemon/ocsp_responder.h \
  daemon/order_json.c daemon/order_json.h \
  daemon/paged.c daemon/paged.h \
  daemon/rest.h \
  daemon/rest_authority.c \
  daemon/rest_ca.c \
  daemon/rest_device.c \
  daemon/rest_import.c \
  daemon/rest_event.c \
  daemon/rest_issue.c \
  daemon/rest_ocsp.c \
  daemon/rest_order.c \
  daemon/rest_report.c \
  daemon/rest_principal.c \
  daemon/rest_reply.c daemon/rest_reply.h \
  daemon/rest_revoke.c \
  daemon/rest_search.c \
  daemon/revoke_decode.c daemon/revoke_decode.h \
  daemon/search_decode.c daemon/search_decode.h \
  daemon/who.h

# The front, and the daemon put together.
noinst_LIBRARIES += daemon/libfront.a
daemon_libfront_a_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) \
  $(SYSTEMD_CFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
FRONT_LIBS = daemon/libfront.a daemon/librest.a daemon/libfront.a $(CA_LIBS) \
  $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CURL_LIBS)
daemon_libfront_a_SOURCES = \
  daemon/admit.c daemon/admit.h \
  daemon/adopt.c daemon/adopt.h \
  daemon/auth.c daemon/auth.h \
  daemon/background.c daemon/background.h \
  daemon/clock_watch.c daemon/clock_watch.h \
  daemon/authority_watch.c daemon/authority_watch.h \
  daemon/backups.c daemon/backups.h \
  daemon/crl_adopt.c daemon/crl_adopt.h \
  daemon/rest_standing.c \
  daemon/crl_list.c daemon/crl_list.h \
  daemon/crl_make.c daemon/crl_make.h \
  daemon/crl_publisher.c daemon/crl_publisher.h \
  daemon/crl_schedule.c daemon/crl_schedule.h \
  daemon/exchange.c daemon/exchange.h \
  daemon/expiring.c daemon/expiring.h \
  daemon/front.c daemon/front.h daemon/front_internal.h \
  daemon/front_conn.c daemon/front_conn.h \
  daemon/front_head.c \
  daemon/front_reply.c \
  daemon/front_tls.c \
  daemon/front_request.c \
  daemon/fronts.c daemon/fronts.h \
  daemon/health.c daemon/health.h \
  daemon/intake.c daemon/intake.h \
  daemon/intake_job.c \
  daemon/intakes.c daemon/intakes.h \
  daemon/key_check.c daemon/key_check.h \
  daemon/limits.c daemon/limits.h \
  daemon/line_reader.c daemon/line_reader.h \
  daemon/listen.c daemon/listen.h \
  daemon/metric.h daemon/metric_authority.c \
  daemon/metrics.c daemon/metrics.h \
  daemon/metrics_text.c daemon/metrics_text.h \
  daemon/process_figures.c daemon/process_figures.h \
  daemon/query.c daemon/query.h \
  daemon/renew.c daemon/renew.h \
  daemon/renew_files.c daemon/renew_files.h \
  daemon/request_check.c daemon/request_check.h \
  daemon/restore.c daemon/restore.h \
  daemon/rest_batch.c \
  daemon/rest_metrics.c \
  daemon/route.c daemon/route.h \
  daemon/routes.c \
  daemon/run.c daemon/run.h \
  daemon/run_check.c \
  daemon/run_fixed.c daemon/run_fixed.h \
  daemon/service.h \
  daemon/tls.c daemon/tls.h \
  daemon/webhook.c daemon/webhook.h \
  daemon/webhook_post.c daemon/webhook_post.h \
  daemon/webhook_setup.c daemon/webhook_setup.h \
  daemon/webhook_sign.c daemon/webhook_sign.h \
  daemon/webhooks.c daemon/webhooks.h

sbin_PROGRAMS += mintmarkd
mintmarkd_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
mintmarkd_SOURCES = daemon/main.c
mintmarkd_LDADD = $(FRONT_LIBS)
