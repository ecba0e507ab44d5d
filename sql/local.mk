# The ledger's migrations, in their order: installed to be read, embedded to be run.
SQL_MIGRATIONS = sql/0001-ledger.sql \
  sql/0002-events.sql \
  sql/0003-orders.sql \
  sql/0004-devices.sql \
  sql/0005-principals.sql \
  sql/0006-authorities.sql \
  sql/0007-revocations.sql \
  sql/0008-crls.sql \
  sql/0009-webhooks.sql \
  sql/0010-standing.sql \
  sql/0011-batches.sql \
  sql/0012-marks.sql \
  sql/0013-keys.sql \
  sql/0014-key_runs.sql \
  sql/0015-tags.sql

sqldir = $(pkgdatadir)/sql
dist_sql_DATA = $(SQL_MIGRATIONS)

nodist_lib_ca_libca_a_SOURCES = lib/ca/migrations.c
CLEANFILES += lib/ca/migrations.c
lib/ca/migrations.c: $(SQL_MIGRATIONS) build-aux/embed
	$(AM_V_GEN)$(MKDIR_P) lib/ca && \
	  (cd $(srcdir) && $(SHELL) build-aux/embed ledger_migrations $(SQL_MIGRATIONS)) >$@-t && \
	  mv $@-t $@
