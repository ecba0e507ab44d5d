# keyd
