# The command line. All but main() is a library, so that the unit tests reach it.
noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
cli_libcli_a_SOURCES = \
  cli/address.c cli/address.h \
  cli/after.c cli/after.h \
  cli/args.c cli/args.h \
  cli/bundle.c cli/bundle.h \
  cli/client.c cli/client.h \
  cli/client_problem.c cli/client_problem.h \
  cli/conf_text.c cli/conf_text.h \
  cli/daemon_program.c cli/daemon_program.h \
  cli/device_file.c cli/device_file.h \
  cli/facts.c cli/facts.h \
  cli/help.c cli/help.h \
  cli/item.c cli/item.h \
  cli/issue_batch.c cli/issue_batch.h \
  cli/batch_watch.c cli/batch_watch.h \
  cli/json_out.c cli/json_out.h \
  cli/new_authority.c cli/new_authority.h \
  cli/new_ca.c cli/new_ca.h \
  cli/new_file.c cli/new_file.h \
  cli/outputs.c cli/outputs.h \
  cli/pace.c cli/pace.h \
  cli/pair.c cli/pair.h \
  cli/progress.c cli/progress.h \
  cli/renewal.c cli/renewal.h \
  cli/restore_accept.c cli/restore_accept.h \
  cli/screen.c cli/screen.h \
  cli/secrets.c cli/secrets.h \
  cli/service.c cli/service.h \
  cli/table.c \
  cli/verb.h \
  cli/verb_backup.c \
  cli/verb_authority.c \
  cli/verb_authority_add.c \
  cli/verb_check_config.c \
  cli/verb_device.c \
  cli/verb_device_import.c \
  cli/verb_export.c \
  cli/verb_init.c \
  cli/verb_issue.c \
  cli/verb_log.c \
  cli/order_view.c cli/order_view.h \
  cli/verb_order.c \
  cli/verb_order_list.c \
  cli/verb_order_report.c \
  cli/verb_restore.c \
  cli/verb_renew.c \
  cli/verb_revoke.c \
  cli/verb_show.c \
  cli/station_cert.c cli/station_cert.h \
  cli/verb_station.c \
  cli/verb_station_change.c \
  cli/where.c cli/where.h
nodist_cli_libcli_a_SOURCES = cli/etc_files.c
CLI_LIBS = cli/libcli.a $(PKI_LIBS) $(JANSSON_LIBS) $(CURL_LIBS)

# The samples, from which init makes an authority's own configuration.
CLI_SAMPLES = $(top_srcdir)/etc/mintmark.conf $(top_srcdir)/etc/keyd.conf
cli/etc_files.c: $(CLI_SAMPLES) $(top_srcdir)/build-aux/embed
	$(AM_V_GEN)$(MKDIR_P) cli && $(SHELL) $(top_srcdir)/build-aux/embed etc_files $(CLI_SAMPLES) > $@.new && mv $@.new $@
CLEANFILES += cli/etc_files.c

bin_PROGRAMS += mintmark
mintmark_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
mintmark_SOURCES = cli/main.c
mintmark_LDADD = $(CLI_LIBS)
