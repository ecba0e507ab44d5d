# daemon

# The REST handlers. What they call of the front (exchange_fail, exchange_finish) comes from the
# program that is linked with them.
noinst_LIBRARIES += daemon/librest.a
daemon_librest_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS)
REST_LIBS = daemon/librest.a $(JANSSON_LIBS)
daemon_librest_a_SOURCES = \
  daemon/json_text.c daemon/json_text.h \
  daemon/rest.h
