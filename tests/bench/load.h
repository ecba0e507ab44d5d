/* load.h - one run: connections that send requests and take the time. Threads: load_run starts
 * some, each with connections, an epoll and counters of its own. */
#pragma once
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "tests/bench/histogram.h"
#include "tests/bench/requests.h"

enum { CODES_MAX = 24, CODE_SIZE = 48 };

/* Answers that are no new certificate, and connections that failed. */
struct code_count {
  char code[CODE_SIZE]; /* "http 409 key-already-used", "connection reset" */
  uint64_t n;
};

struct tally {
  struct histogram latency;
  uint64_t issued, received_octets;
  struct code_count codes[CODES_MAX];
};
void tally_code(struct tally *tally, const char *code, uint64_t n);
void tally_merge(struct tally *to, const struct tally *from);

struct load {
  /* in */
  const struct requests *requests;
  const char *host, *root_file;
  size_t connections, threads;
  bool handshake;
  double rate;      /* 0: closed loop */
  int64_t begin_ns; /* sending */
  /* shared while it runs */
  _Atomic int64_t start_ns; /* measuring */
  _Atomic int64_t end_ns;   /* 0: when all are sent, or not known yet */
  atomic_bool paused;       /* nothing is sent */
  atomic_size_t busy;       /* requests that have no answer yet */
  struct sockaddr_storage address;
  socklen_t address_len;
  SSL_CTX *tls;
  atomic_size_t next;     /* request */
  atomic_size_t answered; /* with a new certificate, from the beginning on */
  atomic_uint running;    /* threads */
  atomic_bool sent_all;   /* the keys ran out */
};

int64_t load_now_ns(void);

struct load_thread;
struct loads {
  struct load *load;
  struct load_thread **threads;
  size_t n;
};
/* Connects nothing yet; starts the threads. load must outlive it. */
bool loads_start(struct load *load, struct loads *ret_loads, struct fault *f);
/* Waits until all threads have ended, at most until the instant; false when some have not. */
bool loads_wait(struct loads *loads, int64_t until_ns);
/* Sends nothing more, and waits until all is answered (false: it is not within 10 seconds); goes
 * on. */
bool loads_pause(struct loads *loads);
void loads_go_on(struct loads *loads);
/* Joins, and adds up what was measured. */
void loads_end(struct loads *loads, struct tally *ret_tally);
