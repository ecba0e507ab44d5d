/* conf_webhook.c - the options of a webhook: who is told of events. See conf_option.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/ip.h"
#include "lib/base/text.h"
#include "lib/ca/conf_option.h"
#include "lib/ca/event.h"

enum { URL_MAX = 1000, TIMEOUT_S = 10, TIMEOUT_MAX_S = 300 };

#define AT(field_) offsetof(struct conf_webhook, field_)

static value_reader value_hook_url, value_hook_event;

const struct conf_option conf_webhook_options[] = {
    OPTION("url", value_hook_url, AT(url), NULL,
           "an https URL as in \"https://mes.example/hook\"; plain http reaches 127.0.0.1, [::1] "
           "and localhost alone",
           .required = true),
    OPTION("secret_file", value_path, AT(secret_file), NULL,
           "the path of a file as in \"hook.secret\"", .required = true),
    OPTION("events", value_hook_event, AT(kinds), NULL,
           "kinds of events as in { \"issued\", \"revoked\", \"refused\", \"expiring\" }",
           .required = true, .list = true),
    OPTION("cacert", value_path, AT(cacert), NULL, "the path of a PEM file as in \"mes-ca.pem\""),
    OPTION("timeout", value_duration, AT(timeout_s), NULL, "a duration from \"1s\" to \"5m\"",
           .least = 1, .most = TIMEOUT_MAX_S),
    {.name = NULL},
};

/* --- the URL --- */

static bool is_loopback(struct bytes host)
{
  struct ip ip;
  if (bytes_equal(host, bytes_of_text("localhost")))
    return true;
  if (!ip_read(host, &ip))
    return false;
  static const uint8_t v6[16] = {[15] = 1};
  return ip.len == 4 ? ip.octets[0] == 127 : memcmp(ip.octets, v6, sizeof v6) == 0;
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. What stands before an '@' would be a secret in the
 * configuration, and is refused with the '@'. */
static bool read_host(struct bytes authority, struct bytes *ret_host)
{
  bool bracketed = authority.len > 0 && authority.data[0] == '[';
  const uint8_t *end = memchr(authority.data, bracketed ? ']' : ':', authority.len);
  if (bracketed && end == NULL)
    return false;
  size_t host_at = bracketed ? 1 : 0;
  size_t host_end = end != NULL ? (size_t)(end - authority.data) : authority.len;
  struct bytes host = bytes_of(authority.data + host_at, host_end - host_at);
  size_t rest_at = host_end + host_at;
  struct bytes rest = bytes_of(authority.data + rest_at, authority.len - rest_at);
  struct ip ip;
  uint64_t port;
  if (bracketed ? !ip_read(host, &ip) || ip.len != 16 : !text_is_token(host, 253, "-."))
    return false;
  *ret_host = host;
  return rest.len == 0 ||
         (rest.data[0] == ':' && text_to_u64(bytes_of(rest.data + 1, rest.len - 1), 65535, &port) &&
          port > 0);
}

/* RFC 3986, without a fragment, which is not sent. */
static bool has_url_characters(const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>#\\^`{|}", text[i]) != NULL)
      return false;
  return true;
}

static enum value_result value_hook_url(const struct conf_option *option, const char *text,
                                        void *object)
{
  struct conf_webhook *webhook = object;
  struct bytes host;
  size_t len = strnlen(text, URL_MAX + 1);
  bool tls = strncmp(text, "https://", 8) == 0;
  (void)option;
  if ((!tls && strncmp(text, "http://", 7) != 0) || len > URL_MAX || !has_url_characters(text, len))
    return VALUE_BAD;
  const char *authority = text + (tls ? 8 : 7);
  if (!read_host(bytes_of(authority, strcspn(authority, "/?")), &host) ||
      (!tls && !is_loopback(host)))
    return VALUE_BAD;
  char *url = strdup(text);
  if (url == NULL)
    return VALUE_NO_MEMORY;
  free(webhook->url);
  webhook->url = url;
  return VALUE_OK;
}

/* --- the events --- */

/* Whoever waits for new certificates waits for those, too, that take the place of another. */
static enum value_result value_hook_event(const struct conf_option *option, const char *text,
                                          void *object)
{
  struct conf_webhook *webhook = object;
  enum event_kind kind;
  (void)option;
  if (!event_kind_named(bytes_of_text(text), &kind))
    return VALUE_BAD;
  webhook->kinds |= event_bit(kind);
  if (kind == EVENT_ISSUED)
    webhook->kinds |= event_bit(EVENT_REPLACED) | event_bit(EVENT_RENEWED);
  return VALUE_OK;
}

/* --- the section --- */

struct conf_webhook *conf_webhook_of(struct conf *conf, const char *name)
{
  for (size_t i = 0; i < conf->n_webhooks; i++)
    if (strcmp(conf->webhooks[i].name, name) == 0)
      return &conf->webhooks[i];
  struct conf_webhook *webhooks =
      conf->n_webhooks < WEBHOOKS_MAX
          ? realloc(conf->webhooks, (conf->n_webhooks + 1) * sizeof *webhooks)
          : NULL;
  if (webhooks == NULL)
    return NULL;
  conf->webhooks = webhooks;
  struct conf_webhook *webhook = &webhooks[conf->n_webhooks++];
  *webhook = (struct conf_webhook){.conf_path = conf->path, .timeout_s = TIMEOUT_S};
  TEXT_COPY(webhook->name, bytes_of_text(name));
  return webhook;
}

void conf_webhook_free(struct conf_webhook *webhook)
{
  free(webhook->url);
  free(webhook->secret_file);
  free(webhook->cacert);
}
