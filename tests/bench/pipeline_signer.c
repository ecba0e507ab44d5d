/* pipeline_signer.c - see pipeline_signer.h. A file of its own also because the key holder's
 * headers have a struct conf that is not the daemon's. */
#include "tests/bench/pipeline_signer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keyd/answer.h"
#include "keyd/keys.h"
#include "lib/base/when.h"
#include "lib/base/wire.h"

enum { CONNECTIONS_MAX = 8 };

struct pipeline_signer {
  struct keys *keys;
  struct state *state;
  pthread_t thread;
  int listener;
  struct connection {
    const struct pipeline_signer *signer;
    pthread_t thread;
    int fd;
  } connections[CONNECTIONS_MAX];
  size_t n;
};

static void *serve(void *context)
{
  struct connection *connection = context;
  AUTO(buf) request = {0};
  AUTO(buf) reply = {0};
  struct wire_header header;
  uint8_t type;
  while (wire_receive(connection->fd, SIGN_REQUEST_MAX, &header, &request) == WIRE_OK) {
    buf_clear(&reply);
    if (!answer_request(connection->signer->keys, header.type, buf_bytes(&request), &type,
                        &reply) ||
        wire_send(connection->fd, type, header.id, buf_bytes(&reply)) != WIRE_OK)
      break;
  }
  close(connection->fd);
  return NULL;
}

/* Until the listener is shut down; then the connections have their ends, too. */
static void *run(void *context)
{
  struct pipeline_signer *signer = context;
  int fd;
  while (signer->n < CONNECTIONS_MAX &&
         (fd = accept4(signer->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    struct connection *connection = &signer->connections[signer->n];
    *connection = (struct connection){.signer = signer, .fd = fd};
    if (pthread_create(&connection->thread, NULL, serve, connection) == 0)
      signer->n++;
    else
      close(fd);
  }
  for (size_t i = 0; i < signer->n; i++)
    pthread_join(signer->connections[i].thread, NULL);
  return NULL;
}

static bool load(const char *dir, struct pipeline_signer *signer, struct fault *f)
{
  char certificate[512], key[512], state[512];
  snprintf(certificate, sizeof certificate, "%s/issuing.crt", dir);
  snprintf(key, sizeof key, "%s/keys/issuing.key", dir);
  snprintf(state, sizeof state, "%s/pipeline.state", dir);
  char name[] = "issuing";
  const struct conf conf = {
      .n_keys = 1,
      .keys = {{.name = name,
                .certificate = certificate,
                .key = key,
                .limits = {.max_validity_s = INT64_C(825) * 86400,
                           .backdate_s = 3600,
                           .key_usages = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                           .ext_key_usages = EKU_SERVER_AUTH | EKU_CLIENT_AUTH}}},
  };
  return keys_load(&conf, when_now(), &signer->keys, f) && state_open(state, &signer->state, f) &&
         keys_count_in(signer->keys, signer->state, f);
}

static bool open_listener(const char *path, struct pipeline_signer *signer, struct fault *f)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
      (int)sizeof address.sun_path)
    return fault_set(f, BAD_USAGE, "%s is too long for a socket", path);
  signer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return (signer->listener >= 0 &&
          bind(signer->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
          listen(signer->listener, 4) == 0) ||
         fault_set(f, INTERNAL, "cannot listen at %s: %s", path, strerror(errno));
}

static void signer_free(struct pipeline_signer *signer)
{
  keys_free(signer->keys);
  state_free(signer->state);
  if (signer->listener >= 0)
    close(signer->listener);
  free(signer);
}

bool pipeline_signer_start(const char *dir, const char *socket_path,
                           struct pipeline_signer **ret_signer, struct fault *f)
{
  struct pipeline_signer *signer = calloc(1, sizeof *signer);
  if (signer == NULL)
    return fault_no_memory(f);
  signer->listener = -1;
  if (load(dir, signer, f) && open_listener(socket_path, signer, f)) {
    if (pthread_create(&signer->thread, NULL, run, signer) == 0) {
      *ret_signer = signer;
      return true;
    }
    fault_set(f, INTERNAL, "the signer's thread does not start");
  }
  signer_free(signer);
  return false;
}

void pipeline_signer_stop(struct pipeline_signer *signer)
{
  shutdown(signer->listener, SHUT_RDWR);
  pthread_join(signer->thread, NULL);
  signer_free(signer);
}
