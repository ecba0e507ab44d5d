# Units for all programs, their users and their folders.
UNITS = systemd/mintmarkd.service systemd/mintmarkd.socket systemd/mintmarkd-public.socket \
  systemd/mintmark-keyd.service systemd/mintmark-keyd.socket \
  systemd/mintmark-renew@.service systemd/mintmark-renew@.timer
systemdsystemunit_DATA = $(UNITS)
CLEANFILES += $(UNITS)
EXTRA_DIST += $(UNITS:=.in) systemd/mintmark.sysusers systemd/mintmark.tmpfiles

$(UNITS): Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
	  -e 's|@sysconfdir[@]|$(sysconfdir)|g' $(top_srcdir)/$@.in >$@.new && mv $@.new $@
systemd/mintmarkd.service: systemd/mintmarkd.service.in
systemd/mintmarkd.socket: systemd/mintmarkd.socket.in
systemd/mintmarkd-public.socket: systemd/mintmarkd-public.socket.in
systemd/mintmark-keyd.service: systemd/mintmark-keyd.service.in
systemd/mintmark-keyd.socket: systemd/mintmark-keyd.socket.in
systemd/mintmark-renew@.service: systemd/mintmark-renew@.service.in
systemd/mintmark-renew@.timer: systemd/mintmark-renew@.timer.in

install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	$(INSTALL_DATA) $(top_srcdir)/systemd/mintmark.sysusers '$(DESTDIR)$(sysusersdir)/mintmark.conf'
	$(SED) -e 's|@sysconfdir[@]|$(sysconfdir)|g' $(top_srcdir)/systemd/mintmark.tmpfiles \
	  >'$(DESTDIR)$(tmpfilesdir)/mintmark.conf'

uninstall-hook:
	rm -f '$(DESTDIR)$(sysusersdir)/mintmark.conf' '$(DESTDIR)$(tmpfilesdir)/mintmark.conf'
