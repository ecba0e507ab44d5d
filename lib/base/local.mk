noinst_LIBRARIES += lib/base/libbase.a
lib_base_libbase_a_SOURCES = \
  lib/base/base64.c lib/base/base64.h \
  lib/base/bloom.c lib/base/bloom.h \
  lib/base/buf.c lib/base/buf.h \
  lib/base/cleanup.h \
  lib/base/embedded.h \
  lib/base/fault.c lib/base/fault.h \
  lib/base/file.c lib/base/file.h \
  lib/base/hash.c lib/base/hash.h \
  lib/base/http_date.c lib/base/http_date.h \
  lib/base/ip.c lib/base/ip.h \
  lib/base/log.c lib/base/log.h \
  lib/base/log_out.c lib/base/log_out.h \
  lib/base/text.c lib/base/text.h \
  lib/base/thread.c lib/base/thread.h \
  lib/base/when.c lib/base/when.h \
  lib/base/wire.c lib/base/wire.h
