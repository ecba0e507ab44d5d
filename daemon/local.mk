# daemon

# The REST handlers. What they call of the front (exchange_fail, exchange_finish) comes from the
# program that is linked with them.
noinst_LIBRARIES += daemon/librest.a
daemon_librest_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS)
REST_LIBS = daemon/librest.a $(JANSSON_LIBS)
daemon_librest_a_SOURCES = \
  daemon/accept.c daemon/accept.h \
  daemon/cert_fields.c daemon/cert_fields.h \
  daemon/cert_form.c daemon/cert_form.h \
  daemon/cert_json.c daemon/cert_json.h \
  daemon/csv.c daemon/csv.h \
  daemon/cursor.c daemon/cursor.h \
  daemon/fields.c daemon/fields.h \
  daemon/issue_decode.c daemon/issue_decode.h \
  daemon/json_text.c daemon/json_text.h \
  daemon/listing.c daemon/listing.h \
  daemon/rest.h \
  daemon/rest_ca.c \
  daemon/rest_issue.c \
  daemon/rest_principal.c \
  daemon/rest_search.c \
  daemon/search_decode.c daemon/search_decode.h
