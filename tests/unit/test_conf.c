/* test_conf.c - good and broken configurations, each with the message that a person reads. A case
 * in tests/cases/conf is a folder: `input`, a whole file, or `edit`, a text of the sample and what
 * is put in its place; and `expect`, "ok" or the message. With an edit, the message is for the line
 * of the edit ("+3 ...": three lines below it). */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "tests/unit/ca_kit.h"

static char folder[] = "/tmp/mintmark-conf-XXXXXX";

static const char *conf_path(void)
{
  static char path[64];
  snprintf(path, sizeof path, "%s/mintmark.conf", folder);
  return path;
}

/* What conf_load says of this text, or "ok". */
static void load(struct bytes text, struct buf *ret_said)
{
  AUTO(fault) f = {0};
  struct conf *conf = NULL;
  assert_true(file_write(conf_path(), text, 0600, true, &f));
  buf_clear(ret_said);
  if (conf_load(conf_path(), &conf, &f))
    buf_add_text(ret_said, "ok");
  else {
    assert_int_equal(f.code, FAULT_BAD_CONFIG);
    assert_null(conf);
    buf_add_text(ret_said, f.detail);
  }
  conf_release(conf);
}

/* Replaces `from` by `to`; the line that it begins on. */
static unsigned edit(struct buf *text, struct bytes from, struct bytes to)
{
  uint8_t *at = text->len < from.len ? NULL : memmem(text->data, text->len, from.data, from.len);
  AUTO(buf) edited = {0};
  unsigned line = 1;
  if (at == NULL)
    fail_msg("the sample has no '%.*s'", (int)from.len, (const char *)from.data);
  size_t front = (size_t)(at - text->data);
  for (size_t i = 0; i < front; i++)
    line += text->data[i] == '\n';
  buf_add(&edited, text->data, front);
  buf_add_bytes(&edited, to);
  buf_add(&edited, at + from.len, text->len - front - from.len);
  buf_clear(text);
  buf_add_bytes(text, buf_bytes(&edited));
  return line;
}

static struct bytes take_line(struct bytes *text)
{
  const uint8_t *end = memchr(text->data, '\n', text->len);
  assert_non_null(end);
  struct bytes line = bytes_of(text->data, (size_t)(end - text->data));
  *text = bytes_of(end + 1, text->len - line.len - 1);
  return line;
}

/* False, and the difference printed, when it says something else. */
static bool check_case(const char *name)
{
  AUTO(buf) text = {0};
  AUTO(buf) expected = {0};
  AUTO(buf) want = {0};
  AUTO(buf) said = {0};
  AUTO(buf) pair = {0};
  AUTO(fault) none = {0};
  char path[512];
  snprintf(path, sizeof path, "%s/tests/cases/conf/%s/edit", getenv("MINTMARK_SRCDIR"), name);
  bool edited = file_exists(path);
  unsigned line = 0;
  snprintf(path, sizeof path, "tests/cases/conf/%s/expect", name);
  kit_source(path, &expected);
  snprintf(path, sizeof path, "tests/cases/conf/%s/%s", name, edited ? "edit" : "input");
  kit_source(edited ? "etc/mintmark.conf" : path, &text);
  if (edited) {
    kit_source(path, &pair);
    struct bytes rest = buf_bytes(&pair), from = take_line(&rest), to = take_line(&rest);
    line = edit(&text, from, to);
  }
  char *message = (char *)(uintptr_t)buf_text(&expected);
  message[strcspn(message, "\n")] = '\0';
  if (edited && message[0] == '+')
    line += (unsigned)strtoul(message, &message, 10), message++;
  if (strcmp(message, "ok") == 0)
    buf_add_text(&want, "ok");
  else if (edited)
    buf_addf(&want, "%s:%u: %s", conf_path(), line, message);
  else
    buf_addf(&want, "%s:%s", conf_path(), message);
  load(buf_bytes(&text), &said);
  /* The fault cuts a message that is too long. */
  if (strncmp(buf_text(&said), buf_text(&want), sizeof none.detail - 1) == 0)
    return true;
  print_error("%s\n  want %s\n  have %s\n", name, buf_text(&want), buf_text(&said));
  return false;
}

static void every_case_gets_its_message(void **state)
{
  char path[512];
  struct dirent **entries;
  size_t n_cases = 0, n_wrong = 0;
  (void)state;
  snprintf(path, sizeof path, "%s/tests/cases/conf", getenv("MINTMARK_SRCDIR"));
  int n = scandir(path, &entries, NULL, alphasort);
  assert_true(n > 0);
  for (int i = 0; i < n; i++) {
    if (entries[i]->d_name[0] != '.') {
      n_wrong += !check_case(entries[i]->d_name);
      n_cases++;
    }
    free(entries[i]);
  }
  free(entries);
  assert_int_equal(n_wrong, 0);
  assert_true(n_cases >= 60);
}

static void the_sample_says_what_its_comments_say(void **state)
{
  AUTO(buf) text = {0};
  AUTO(buf) said = {0};
  AUTO(fault) f = {0};
  struct conf *conf;
  char path[64];
  (void)state;
  kit_source("etc/mintmark.conf", &text);
  load(buf_bytes(&text), &said);
  assert_string_equal(buf_text(&said), "ok");
  assert_true(conf_load(conf_path(), &conf, &f));
  snprintf(path, sizeof path, "%s/mintmark.db", folder);
  assert_string_equal(conf->ledger, path);
  snprintf(path, sizeof path, "%s/chain.pem", folder);
  assert_string_equal(conf->authorities[0].chain, path);
  assert_string_equal(conf->authorities[0].name, "issuing");
  assert_string_equal(conf->key_holder_program, "mintmark-keyd");
  assert_null(conf->key_holder_socket);
  assert_string_equal(conf->default_profile->name, "device-server");
  assert_int_equal(conf->n_profiles, 5);
  assert_int_equal(conf->instance, 1);
  assert_true(conf->threads >= 1 && conf->workers >= 1);
  assert_int_equal(conf->queue, 4096);
  assert_int_equal(conf->work_seconds, 10);
  const struct profile *server = conf_profile(conf, "device-server");
  assert_int_equal(server->validity_s, 825 * 86400);
  assert_string_equal(server->subject[0].template, "${device_serial}");
  assert_int_equal(server->renew_from_s, 275 * 86400);
  assert_int_equal(server->renew_grace_s, 0);
  assert_int_equal(conf_profile(conf, "server")->renew_from_s, 0);
  const struct profile *idevid = conf_profile(conf, "idevid");
  assert_true(idevid->never_expires && idevid->may_outlive_issuer && idevid->hardware_type_len > 0);
  assert_null(conf_profile(conf, "none"));
  const struct profile *responder = conf_profile(conf, PROFILE_OCSP);
  assert_int_equal(responder->validity_s, 14 * 86400);
  assert_int_equal(responder->ext_key_usage, EKU_OCSP_SIGNING);
  assert_true(responder->ocsp_nocheck && !responder->may_outlive_issuer);
  conf_release(conf);
}

/* What is commented out in the sample shows the default: written out, it changes nothing. */
static void the_commented_defaults_are_the_defaults(void **state)
{
  static const char *const names[] = {
      "instance",        "threads",      "workers",      "connections", "connections_per_address",
      "request_seconds", "idle_seconds", "work_seconds", "queue",       "expiring"};
  AUTO(buf) text = {0};
  AUTO(fault) f = {0};
  struct conf *plain, *written;
  (void)state;
  kit_source("etc/mintmark.conf", &text);
  assert_true(file_write(conf_path(), buf_bytes(&text), 0600, true, &f));
  assert_true(conf_load(conf_path(), &plain, &f));
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(buf) from = {0};
    buf_addf(&from, "# %s = ", names[i]);
    struct bytes to = bytes_of(from.data + 2, from.len - 2);
    edit(&text, buf_bytes(&from), to);
  }
  assert_true(file_write(conf_path(), buf_bytes(&text), 0600, true, &f));
  if (!conf_load(conf_path(), &written, &f))
    fail_msg("%s", f.detail);
  assert_int_equal(plain->instance, written->instance);
  assert_int_equal(plain->threads, written->threads);
  assert_int_equal(plain->workers, written->workers);
  assert_int_equal(plain->connections, written->connections);
  assert_int_equal(plain->connections_per_address, written->connections_per_address);
  assert_int_equal(plain->request_seconds, written->request_seconds);
  assert_int_equal(plain->idle_seconds, written->idle_seconds);
  assert_int_equal(plain->work_seconds, written->work_seconds);
  assert_int_equal(plain->queue, written->queue);
  assert_int_equal(plain->expiring_s, written->expiring_s);
  conf_release(plain);
  conf_release(written);
}

static void a_profile_that_says_nothing_allows_nothing(void **state)
{
  static const char bare[] = "tls { certificate = a key = b }\n"
                             "authority \"x\" { certificate = a chain = b root = c }\n"
                             "key_holder { socket = s }\n"
                             "profile \"bare\" { validity = 1d key_types = { ec-p256 }\n"
                             "key_usage = { digitalSignature } ext_key_usage = { serverAuth }\n"
                             "subject = { \"CN=${device_serial}\" } }\n";
  AUTO(buf) said = {0};
  AUTO(fault) f = {0};
  struct conf *conf;
  (void)state;
  load(bytes_of_text(bare), &said);
  assert_string_equal(buf_text(&said), "ok");
  assert_true(conf_load(conf_path(), &conf, &f));
  const struct profile *profile = conf_profile(conf, "bare");
  assert_int_equal(profile->n_ip_ranges + profile->n_dns_patterns + profile->n_uri_prefixes, 0);
  assert_false(profile->allow_wildcards || profile->may_outlive_issuer || profile->never_expires);
  assert_true(profile->require_device_serial);
  assert_int_equal(profile->renew_from_s, 0);
  assert_int_equal(profile->renew_grace_s, 0);
  assert_int_equal(profile->renew_key, RENEW_KEY_ANY);
  assert_int_equal(profile->csr_names, CSR_NAMES_REFUSE);
  assert_null(conf->default_profile);
  assert_null(conf->key_holder_program);
  conf_release(conf);
}

static void variables_of_the_environment_stay_out(void **state)
{
  AUTO(buf) text = {0};
  AUTO(buf) said = {0};
  AUTO(fault) f = {0};
  struct conf *conf;
  (void)state;
  setenv("device_serial", "from the environment", 1);
  kit_source("etc/mintmark.conf", &text);
  load(buf_bytes(&text), &said);
  assert_true(conf_load(conf_path(), &conf, &f));
  assert_string_equal(conf->default_profile->subject[0].template, "${device_serial}");
  conf_release(conf);
  unsetenv("device_serial");
}

/* Cut anywhere, it is refused with a line, or is whole; never worse. */
static void a_cut_configuration_is_refused(void **state)
{
  AUTO(buf) text = {0};
  AUTO(buf) said = {0};
  (void)state;
  kit_source("etc/mintmark.conf", &text);
  for (size_t n = 0; n < text.len; n++) {
    if (n > 0 && text.data[n - 1] != '\n' && n % 7 != 0)
      continue;
    load(bytes_of(text.data, n), &said);
    if (strcmp(buf_text(&said), "ok") != 0)
      assert_int_equal(strncmp(buf_text(&said), conf_path(), strlen(conf_path())), 0);
  }
}

static void flipped_octets_never_do_harm(void **state)
{
  AUTO(buf) text = {0};
  AUTO(buf) said = {0};
  uint32_t random = 12345;
  (void)state;
  kit_source("etc/mintmark.conf", &text);
  for (int round = 0; round < 3000; round++) {
    AUTO(buf) copy = {0};
    buf_add_bytes(&copy, buf_bytes(&text));
    for (int i = 0; i <= round % 4; i++) {
      static const char likely[] = "{}=\"'#/*,\\$ \n0aZ\x01\xff";
      random = random * 1664525u + 1013904223u;
      copy.data[(random >> 8) % copy.len] = (uint8_t)likely[random % (sizeof likely - 1)];
    }
    load(buf_bytes(&copy), &said);
  }
  load(buf_bytes(&text), &said); /* and nothing of it stays behind */
  assert_string_equal(buf_text(&said), "ok");
}

static void *load_often(void *context)
{
  AUTO(fault) f = {0};
  bool *ok = context;
  *ok = true;
  for (int i = 0; i < 50; i++) {
    struct conf *conf = NULL;
    *ok = conf_load(conf_path(), &conf, &f) && *ok;
    conf_release(conf);
  }
  return NULL;
}

static void threads_may_load_at_once(void **state)
{
  AUTO(buf) text = {0};
  AUTO(buf) said = {0};
  pthread_t threads[4];
  bool ok[ARRAY_LEN(threads)];
  (void)state;
  kit_source("etc/mintmark.conf", &text);
  load(buf_bytes(&text), &said);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, load_often, &ok[i]), 0);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
    pthread_join(threads[i], NULL);
    assert_true(ok[i]);
  }
}

/* The message for an unknown option lists those that there are. */
static void the_manual_names_every_option(void **state)
{
  static const char *const sections[] = {
      "",      "tls {",    "authority \"a\" {", "key_holder {",  "admin \"a\" {",
      "log {", "limits {", "profile \"a\" {",   "trust \"a\" {", "webhook \"a\" {"};
  AUTO(buf) manual = {0};
  size_t n = 0;
  (void)state;
  kit_source("man/mintmark.conf.5", &manual);
  for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
    AUTO(buf) text = {0};
    AUTO(buf) said = {0};
    buf_addf(&text, "%s\nnot_an_option = 1\n%s", sections[i], i > 0 ? "}" : "");
    load(buf_bytes(&text), &said);
    char *rest = strstr((char *)(uintptr_t)buf_text(&said), "here there are ");
    assert_non_null(rest);
    rest += strlen("here there are ");
    for (char *name; (name = strsep(&rest, ",")) != NULL; n++) {
      AUTO(buf) item = {0};
      AUTO(buf) section = {0};
      name += strspn(name, " ");
      buf_addf(&item, ".It Cm %s\n", name);
      buf_addf(&section, ".Ss Section %s\n", name);
      if (strstr(buf_text(&manual), buf_text(&item)) == NULL &&
          strstr(buf_text(&manual), buf_text(&section)) == NULL)
        fail_msg("the manual does not tell of %s", name);
    }
  }
  assert_true(n > 40);
}

static void a_file_that_is_not_there_is_told(void **state)
{
  AUTO(fault) f = {0};
  struct conf *conf;
  (void)state;
  assert_false(conf_load("/nowhere/mintmark.conf", &conf, &f));
  assert_int_equal(f.code, FAULT_FILE_ERROR);
}

static int make_folder(void **state)
{
  (void)state;
  return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
  (void)state;
  unlink(conf_path());
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_case_gets_its_message),
      cmocka_unit_test(the_sample_says_what_its_comments_say),
      cmocka_unit_test(the_commented_defaults_are_the_defaults),
      cmocka_unit_test(a_profile_that_says_nothing_allows_nothing),
      cmocka_unit_test(variables_of_the_environment_stay_out),
      cmocka_unit_test(a_cut_configuration_is_refused),
      cmocka_unit_test(flipped_octets_never_do_harm),
      cmocka_unit_test(the_manual_names_every_option),
      cmocka_unit_test(threads_may_load_at_once),
      cmocka_unit_test(a_file_that_is_not_there_is_told),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
