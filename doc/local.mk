# Pages for those who build against Mintmark, and their examples, which the checks compile and run.
DOCS = doc/station.md doc/device.md doc/webhook.md
DOC_EXAMPLES = doc/examples/station.py doc/examples/device.c doc/examples/webhook.py
EXTRA_DIST += $(DOCS) $(DOC_EXAMPLES)

check_PROGRAMS += doc/examples/device
doc_examples_device_SOURCES = doc/examples/device.c
doc_examples_device_LDADD = $(SSL_LIBS) $(CRYPTO_LIBS)
