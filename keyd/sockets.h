/* sockets.h - where the connections come from: a path, systemd, or the daemon that started us; and
 * the word to systemd that we are ready. Called by the main thread alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/fault.h"

enum { SOCKETS_MAX = 64 };

/* Connected or listening sockets, by their descriptors, ascending. */
struct sockets {
  int fds[SOCKETS_MAX];
  size_t n;
};

/* "3,4,7": connected Unix stream sockets that were inherited. BAD_USAGE otherwise. */
bool sockets_read_list(const char *text, struct sockets *ret_sockets, struct fault *f);
/* What systemd's socket activation handed to this process (LISTEN_PID, LISTEN_FDS): none, or one
 * listening Unix stream socket. BAD_USAGE for anything else. */
bool sockets_from_systemd(struct sockets *ret_sockets, struct fault *f);
/* Are they what they were said to be? BAD_USAGE otherwise. */
bool sockets_check(const struct sockets *sockets, bool listening, struct fault *f);
/* accept() on a listening socket must not wait. */
bool sockets_unblock(int fd, struct fault *f);
/* Listens at a path (mode 0660). A socket there that nobody listens at any more is replaced;
 * FILE_ERROR when somebody does. */
bool sockets_listen(const char *path, int *ret_fd, struct fault *f);

/* A socket to NOTIFY_SOCKET, or -1 when nobody wants to know. */
int notify_connect(void);
/* Says READY=1, and closes. */
void notify_ready(int fd);
