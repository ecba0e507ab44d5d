# man
dist_man_MANS += man/mintmark.1
