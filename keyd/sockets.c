/* sockets.c - see sockets.h. */
#include "keyd/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/text.h"

enum { SYSTEMD_FIRST_FD = 3, BACKLOG = 64, FD_MAX = 1024 * 1024 };

bool sockets_read_list(const char *text, struct sockets *ret_sockets, struct fault *f)
{
  struct sockets list = {.n = 0};
  for (const char *p = text;;) {
    size_t len = strcspn(p, ",");
    uint64_t fd;
    if (list.n == SOCKETS_MAX || !text_to_u64(bytes_of(p, len), FD_MAX, &fd) || fd <= STDERR_FILENO)
      return fault_set(f, BAD_USAGE, "--fds takes 1 to %d descriptors above 2: 3,4,5", SOCKETS_MAX);
    if (list.n > 0 && (int)fd <= list.fds[list.n - 1])
      return fault_set(f, BAD_USAGE, "--fds takes its descriptors in ascending order");
    list.fds[list.n++] = (int)fd;
    if (p[len] == '\0')
      break;
    p += len + 1;
  }
  *ret_sockets = list;
  return true;
}

bool sockets_from_systemd(struct sockets *ret_sockets, struct fault *f)
{
  const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
  uint64_t number, n;
  *ret_sockets = (struct sockets){.n = 0};
  if (pid == NULL || fds == NULL || !text_to_u64(bytes_of_text(pid), INT32_MAX, &number) ||
      number != (uint64_t)getpid())
    return true;
  if (!text_to_u64(bytes_of_text(fds), SOCKETS_MAX, &n) || n > 1)
    return fault_set(f, BAD_USAGE, "systemd handed over %s sockets: give the unit one", fds);
  if (n == 1)
    *ret_sockets = (struct sockets){.fds = {SYSTEMD_FIRST_FD}, .n = 1};
  return true;
}

static bool has_option(int fd, int option, int expected)
{
  int value = -1;
  socklen_t len = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == expected;
}

bool sockets_check(const struct sockets *sockets, bool listening, struct fault *f)
{
  for (size_t i = 0; i < sockets->n; i++) {
    int fd = sockets->fds[i];
    if (!has_option(fd, SO_DOMAIN, AF_UNIX) || !has_option(fd, SO_TYPE, SOCK_STREAM) ||
        !has_option(fd, SO_ACCEPTCONN, listening))
      return fault_set(f, BAD_USAGE, "descriptor %d is not a %s Unix stream socket", fd,
                       listening ? "listening" : "connected");
  }
  return true;
}

bool sockets_unblock(int fd, struct fault *f)
{
  int flags = fcntl(fd, F_GETFL);
  return (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) ||
         fault_set(f, INTERNAL, "cannot prepare the socket: %s", strerror(errno));
}

static bool path_address(const char *path, struct sockaddr_un *ret_address)
{
  *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
  return text_copy(ret_address->sun_path, sizeof ret_address->sun_path, bytes_of_text(path));
}

/* A socket file outlives its process. */
static void remove_stale(const struct sockaddr_un *address)
{
  struct stat st;
  if (lstat(address->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
    return;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED)
    unlink(address->sun_path);
  close(fd);
}

bool sockets_listen(const char *path, int *ret_fd, struct fault *f)
{
  struct sockaddr_un address;
  if (!path_address(path, &address))
    return fault_set(f, BAD_CONFIG, "the socket's path is too long: %s", path);
  remove_stale(&address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* Who may connect is looked at again for each connection; the mode is the outer fence. */
  mode_t before = umask(0117);
  bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
  umask(before);
  if (bound && listen(fd, BACKLOG) == 0) {
    *ret_fd = fd;
    return true;
  }
  fault_set(f, FILE_ERROR, "cannot listen at %s: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return false;
}

int notify_connect(void)
{
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address;
  if (path == NULL || (path[0] != '/' && path[0] != '@') || !path_address(path, &address))
    return -1;
  socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  if (path[0] == '@')
    address.sun_path[0] = '\0'; /* the abstract namespace */
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, len) == 0)
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

void notify_ready(int fd)
{
  static const char ready[] = "READY=1\nSTATUS=Signing\n";
  if (fd < 0)
    return;
  send(fd, ready, sizeof ready - 1, MSG_NOSIGNAL); /* systemd's own time limit sees a failure */
  close(fd);
}
