dist_man_MANS += man/mintmarkd.8 man/mintmark-keyd.8 man/mintmark.1
dist_man_MANS += man/mintmark.conf.5
