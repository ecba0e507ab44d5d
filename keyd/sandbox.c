/* sandbox.c - see sandbox.h. */
#include "keyd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

enum { DESCRIPTORS_MAX = 128 };

static bool fail(struct fault *f, const char *what)
{
  return fault_set(f, INTERNAL, "%s: %s", what, strerror(errno));
}

/* A socket that came to stand at 0, 1 or 2 would get the log written into it. */
static bool open_standard_descriptors(void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
      return false;
  return true;
}

static bool close_all_but(const int *keep, size_t n)
{
  unsigned first = STDERR_FILENO + 1;
  for (size_t i = 0; i < n; i++) {
    unsigned next = (unsigned)keep[i];
    if (next > first && close_range(first, next - 1, 0) != 0)
      return false;
    first = next + 1;
  }
  return close_range(first, ~0U, 0) == 0;
}

bool sandbox_prepare(const int *keep, size_t n, struct fault *f)
{
  const struct rlimit none = {0, 0};
  umask(077);
  signal(SIGPIPE, SIG_IGN); /* a log that nobody reads must not end us */
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    return fail(f, "cannot forbid core dumps");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail(f, "cannot become undumpable");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail(f, "cannot give up new privileges");
  if (!open_standard_descriptors() || !close_all_but(keep, n))
    return fail(f, "cannot close inherited descriptors");
  return true;
}

void sandbox_lock_memory(void)
{
  struct rlimit limit;
  const struct rlimit descriptors = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
  /* With a bound on locked memory, locking what is yet to come would make a later malloc fail. */
  bool unbounded = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
  mlockall(unbounded ? MCL_CURRENT | MCL_FUTURE : MCL_CURRENT); /* best effort, both of them */
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

/* Serving a connection, signing, counting, logging, ending. */
static const int calls[] = {
    SCMP_SYS(accept4),
    SCMP_SYS(brk),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(close),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(fdatasync),
    SCMP_SYS(flock),
    SCMP_SYS(futex),
    SCMP_SYS(getpid), /* OpenSSL's generator looks whether it was forked */
    SCMP_SYS(getrandom),
    SCMP_SYS(getsockopt),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(munlock), /* OpenSSL's secure memory, when it ends */
    SCMP_SYS(munmap),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(read),
    SCMP_SYS(recvfrom),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity), /* malloc, for how many arenas */
    SCMP_SYS(sched_yield),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(write),
#ifdef WITH_SANITIZERS
    /* The sanitizers' own threads, stacks and search for leaks at the end. */
    SCMP_SYS(arch_prctl),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(getppid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(gettid),
    SCMP_SYS(kill),
    SCMP_SYS(lseek),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(ptrace),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(stat),
    SCMP_SYS(tgkill),
    SCMP_SYS(wait4),
#endif
};

/* Memory, but no code. */
static const int calls_without_exec[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

static int add_rules(scmp_filter_ctx filter)
{
  int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  for (size_t i = 0; i < ARRAY_LEN(calls) && error == 0; i++)
    error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
  for (size_t i = 0; i < ARRAY_LEN(calls_without_exec) && error == 0; i++)
    error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls_without_exec[i], 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  return error;
}

bool sandbox_enter(struct fault *f)
{
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == NULL)
    return fault_no_memory(f);
  int error = add_rules(filter);
  if (error == 0)
    error = seccomp_load(filter);
  seccomp_release(filter);
  return error == 0 || fault_set(f, INTERNAL, "cannot filter system calls: %s", strerror(-error));
}
