# mintmark-keyd: lib/pki, lib/base, libcrypto, libseccomp, and nothing else.
noinst_LIBRARIES += keyd/libkeyd.a
keyd_libkeyd_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SECCOMP_CFLAGS)
keyd_libkeyd_a_SOURCES = \
  keyd/answer.c keyd/answer.h \
  keyd/conf.c keyd/conf.h \
  keyd/conf_line.c keyd/conf_line.h \
  keyd/guard.c keyd/guard.h \
  keyd/keys.c keyd/keys.h \
  keyd/rate.c keyd/rate.h \
  keyd/sandbox.c keyd/sandbox.h \
  keyd/server.c keyd/server.h \
  keyd/sockets.c keyd/sockets.h \
  keyd/state.c keyd/state.h \
  lib/pki/sign_protocol.h

KEYD_LIBS = keyd/libkeyd.a lib/pki/libpki.a lib/base/libbase.a $(CRYPTO_LIBS) $(SECCOMP_LIBS)

sbin_PROGRAMS += mintmark-keyd
mintmark_keyd_SOURCES = keyd/main.c
mintmark_keyd_LDADD = $(KEYD_LIBS)
