# The sample configuration is documentation: mintmark init writes the real one.
dist_doc_DATA = etc/mintmark.conf etc/keyd.conf
