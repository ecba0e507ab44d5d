/* conf.c - see conf.h. The tables of options, and libConfuse, which tells sections, lists and lines
 * apart; the values are read by conf_value.c and conf_profile.c while it parses, so that each
 * message has its line. */
#include "lib/ca/conf.h"

#include <confuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/ca/conf_option.h"
#include "lib/ca/conf_scan.h"
#include "lib/pki/authority_name.h"

enum {
  FILE_MAX = 1024 * 1024,
  PROFILES_MAX = 1000,
  OPTIONS_MAX = 32,
  EXPIRING_MAX_S = 10 * 366 * 86400
};

#define AT(field_) offsetof(struct conf, field_)

/* --- what is being loaded; libConfuse hands nothing of ours to its callbacks --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  const char *path; /* as the caller wrote it */
  struct conf *conf;
  struct fault *f;
  char default_profile[65];
  int default_profile_line;
} loading;

/* The first error counts: what follows from it is no news. */
static int fail(int line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(int line, const char *format, ...)
{
  AUTO(buf) what = {0};
  va_list args;
  va_start(args, format);
  buf_vaddf(&what, format, args);
  va_end(args);
  if (loading.f->code == FAULT_NONE)
    fault_set(loading.f, BAD_CONFIG, "%s:%d: %s", loading.path, line, buf_text(&what));
  return -1;
}

static enum value_result value_default_profile(const struct conf_option *option, const char *text,
                                               void *object)
{
  (void)option, (void)object;
  bool is_name = text_is_token(bytes_of_text(text), 64, "-_.") &&
                 TEXT_COPY(loading.default_profile, bytes_of_text(text));
  return is_name ? VALUE_OK : VALUE_BAD;
}

static const struct conf_option root_options[] = {
    OPTION("listen", value_listen, AT(listen), "127.0.0.1:8443",
           "ADDRESS:PORT as in \"127.0.0.1:8443\" or \"[::1]:8443\""),
    OPTION("public_listen", value_listen, AT(public_listen), NULL,
           "ADDRESS:PORT as in \"10.1.0.2:8080\""),
    OPTION("public_url", value_url, AT(public_url), NULL,
           "a URL of at most 200 characters as in \"http://ca.widgets.example\""),
    OPTION("ledger", value_path, AT(ledger), "mintmark.db", "the path of a file"),
    OPTION("instance", value_instance, AT(instance), "1", "a number from 1 to 127"),
    OPTION("threads", value_cores, AT(threads), "0", "a number from 0 (one for each core) to 64",
           .most = 64),
    OPTION("workers", value_cores, AT(workers), "0", "a number from 0 (one for each core) to 32",
           .most = 32),
    OPTION("connections", value_number, AT(connections), "2000", "a number from 1 to 100000",
           .least = 1, .most = 100000),
    OPTION("connections_per_address", value_number, AT(connections_per_address), "500",
           "a number from 1 to 100000", .least = 1, .most = 100000),
    OPTION("request_seconds", value_number, AT(request_seconds), "15", "a number from 1 to 3600",
           .least = 1, .most = 3600),
    OPTION("idle_seconds", value_number, AT(idle_seconds), "60", "a number from 1 to 3600",
           .least = 1, .most = 3600),
    OPTION("work_seconds", value_number, AT(work_seconds), "10", "a number from 1 to 600",
           .least = 1, .most = 600),
    OPTION("queue", value_number, AT(queue), "4096", "a number from 1 to 1000000", .least = 1,
           .most = 1000000),
    OPTION("expiring", value_duration, AT(expiring_s), "30d",
           "a duration as in \"30d\", or \"0s\" for none", .most = EXPIRING_MAX_S),
    OPTION("default_profile", value_default_profile, 0, NULL, "the name of a profile"),
    {.name = NULL},
};

static const struct conf_option tls_options[] = {
    OPTION("certificate", value_path, AT(tls_certificate), NULL,
           "the path of a PEM file as in \"server.crt\"", .required = true),
    OPTION("key", value_path, AT(tls_key), NULL, "the path of a PEM file as in \"server.key\"",
           .required = true),
    {.name = NULL},
};

static const struct conf_option key_holder_options[] = {
    OPTION("socket", value_path, AT(key_holder_socket), NULL,
           "the path of a Unix socket as in \"/run/mintmark-keyd/socket\""),
    OPTION("program", value_program, AT(key_holder_program), NULL,
           "the name or path of a program as in \"mintmark-keyd\""),
    OPTION("config", value_path, AT(key_holder_config), NULL,
           "the path of a file as in \"keyd.conf\""),
    {.name = NULL},
};

static const struct conf_option admin_options[] = {
    OPTION("token_sha256", value_token_hash, AT(admin_token_sha256), NULL,
           "64 hexadecimal digits, the SHA-256 of the token", .required = true),
    {.name = NULL},
};

static const struct conf_option log_options[] = {
    OPTION("format", value_log_format, AT(log_format), "plain", "\"plain\" or \"json\""),
    OPTION("level", value_log_level, AT(log_level), "info",
           "\"debug\", \"info\", \"warning\" or \"error\""),
    {.name = NULL},
};

enum { MINUTE_S = 60, DAY_S = 86400, YEAR_S = 366 * DAY_S };

static const struct conf_option crl_options[] = {
    OPTION("validity", value_duration, AT(crl.validity_s), "7d", "a duration as in \"7d\"",
           .least = MINUTE_S, .most = YEAR_S),
    OPTION("every", value_duration, AT(crl.every_s), "1d", "a duration as in \"1d\"",
           .least = MINUTE_S, .most = YEAR_S),
    OPTION("delay", value_duration, AT(crl.delay_s), "10s", "a duration as in \"10s\"", .least = 1,
           .most = DAY_S),
    OPTION("delta_every", value_duration, AT(crl.delta_every_s), "0s",
           "a duration as in \"1h\", or \"0s\" for none", .most = YEAR_S),
    OPTION("shards", value_number, AT(crl.shards), "1", "a number from 1 to 1000", .least = 1,
           .most = 1000),
    OPTION("folder", value_path, AT(crl.folder), "crl", "the path of a folder"),
    {.name = NULL},
};

static const struct conf_option ocsp_options[] = {
    OPTION("validity", value_duration, AT(ocsp.validity_s), "4h", "a duration as in \"4h\"",
           .least = MINUTE_S, .most = 31 * DAY_S),
    OPTION("responder_validity", value_duration, AT(ocsp.responder_validity_s), "14d",
           "a duration as in \"14d\"", .least = MINUTE_S, .most = 366 * DAY_S),
    OPTION("cache", value_number, AT(ocsp.cache), "100000", "a number from 0 to 10000000",
           .most = 10000000),
    {.name = NULL},
};

#define RATE                                                                                       \
  "a number for each second, minute or hour as in \"50/s\", \"600/m\" or \"1000/h\", or \"none\""
static const struct conf_option limits_options[] = {
    OPTION("per_principal", value_rate, AT(per_principal), "20000/s", RATE),
    OPTION("per_address", value_rate, AT(per_address), "20000/s", RATE),
    OPTION("failed_per_address", value_rate, AT(failed_per_address), "60/m", RATE),
    {.name = NULL},
};

struct section {
  const char *name;
  const struct conf_option *options;
  bool titled, required, many;
};

static const struct section sections[] = {
    {"tls", tls_options, .required = true},
    {"authority", conf_authority_options, .titled = true, .required = true, .many = true},
    {"key_holder", key_holder_options, .required = true},
    {"admin", admin_options, .titled = true},
    {.name = "crl", .options = crl_options},
    {.name = "ocsp", .options = ocsp_options},
    {.name = "log", .options = log_options},
    {.name = "limits", .options = limits_options},
    {"profile", conf_profile_options, .titled = true, .required = true, .many = true},
    {"trust", conf_trust_options, .titled = true, .many = true},
    {"webhook", conf_webhook_options, .titled = true, .many = true},
};

/* --- from libConfuse's words to ours --- */

static const struct section *section_named(const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(sections); i++)
    if (strcmp(sections[i].name, name) == 0)
      return &sections[i];
  return NULL;
}

static const struct conf_option *options_of(cfg_t *cfg)
{
  const struct section *section = section_named(cfg_name(cfg));
  return section != NULL ? section->options : root_options;
}

static const struct conf_option *option_named(cfg_t *cfg, const char *name)
{
  const struct conf_option *option = options_of(cfg);
  while (strcmp(option->name, name) != 0)
    option++;
  return option;
}

static void set_initial(const struct conf_option *option, void *object)
{
  for (; option->name != NULL; option++)
    if (option->initial != NULL && option->read(option, option->initial, object) != VALUE_OK)
      fail(0, "out of memory");
}

static struct profile *add_profile(struct conf *conf, const char *name)
{
  struct profile *profiles = realloc(conf->profiles, (conf->n_profiles + 1) * sizeof *profiles);
  if (profiles == NULL)
    return NULL;
  conf->profiles = profiles;
  struct profile *profile = &profiles[conf->n_profiles++];
  *profile = (struct profile){0};
  TEXT_COPY(profile->name, bytes_of_text(name));
  set_initial(conf_profile_options, profile);
  return profile;
}

static bool check_title(cfg_t *cfg)
{
  const char *title = cfg_title(cfg);
  bool is_authority = strcmp(cfg_name(cfg), "authority") == 0;
  if (title == NULL || (is_authority ? authority_name_is_valid(title)
                                     : text_is_token(bytes_of_text(title), 64, "-_.")))
    return true;
  fail(cfg->line, "%s \"%s\" cannot be called so; write %s", cfg_name(cfg), title,
       is_authority ? AUTHORITY_NAME_FORM : "1 to 64 of A-Z a-z 0-9 - _ .");
  return false;
}

static void *trust_of(cfg_t *cfg)
{
  struct conf_trust *trust = conf_trust_of(loading.conf, cfg_title(cfg));
  if (trust == NULL)
    fail(cfg->line, "no room for trust \"%s\"; write at most %d", cfg_title(cfg), TRUSTS_MAX);
  return trust;
}

static void *authority_of(cfg_t *cfg)
{
  struct conf_authority *authority = conf_authority_of(loading.conf, cfg_title(cfg));
  if (authority == NULL)
    fail(cfg->line, "no room for authority \"%s\"; write at most %d", cfg_title(cfg),
         AUTHORITIES_MAX);
  return authority;
}

static void *webhook_of(cfg_t *cfg)
{
  struct conf_webhook *webhook = conf_webhook_of(loading.conf, cfg_title(cfg));
  if (webhook == NULL)
    fail(cfg->line, "no room for webhook \"%s\"; write at most %d", cfg_title(cfg), WEBHOOKS_MAX);
  return webhook;
}

static void *profile_of(cfg_t *cfg)
{
  struct conf *conf = loading.conf;
  for (size_t i = 0; i < conf->n_profiles; i++)
    if (strcmp(conf->profiles[i].name, cfg_title(cfg)) == 0)
      return &conf->profiles[i];
  struct profile *profile =
      conf->n_profiles < PROFILES_MAX ? add_profile(conf, cfg_title(cfg)) : NULL;
  if (profile == NULL)
    fail(cfg->line, "no room for profile \"%s\"; write at most %d", cfg_title(cfg), PROFILES_MAX);
  return profile;
}

/* What the options of this section are fields of; NULL after an error. */
static void *object_of(cfg_t *cfg)
{
  static const struct {
    const char *section;
    void *(*of)(cfg_t *cfg);
  } rows[] = {{"profile", profile_of},
              {"authority", authority_of},
              {"trust", trust_of},
              {"webhook", webhook_of}};
  if (!check_title(cfg))
    return NULL;
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    if (strcmp(cfg_name(cfg), rows[i].section) == 0)
      return rows[i].of(cfg);
  return loading.conf;
}

/* A flag of ours beside libConfuse's. */
enum { OPTION_SEEN = 1 << 24 };

/* libConfuse forgets an option's earlier values at each '=', so that one without a value yet marks
 * a new assignment. */
static bool is_given_twice(cfg_opt_t *opt)
{
  bool first = opt->nvalues == 1 && opt->values[0]->string == NULL;
  bool seen = (opt->flags & OPTION_SEEN) != 0;
  opt->flags |= OPTION_SEEN;
  return first && seen;
}

static int take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
  const struct conf_option *option = option_named(cfg, opt->name);
  void *object = object_of(cfg);
  if (object == NULL)
    return -1;
  if (is_given_twice(opt))
    return fail(cfg->line, "%s is given twice; write it once", opt->name);
  char *text = strdup(value);
  if (text == NULL)
    return fail(cfg->line, "out of memory");
  conf_scan_restore(text);
  enum value_result outcome = option->read(option, text, object);
  if (outcome != VALUE_OK)
    fail(cfg->line,
         outcome == VALUE_BAD ? "%s = \"%.100s\" is not valid; write %s"
                              : "%s = \"%.100s\": out of memory for %s",
         opt->name, text, option->wants);
  free(text);
  if (option->read == value_default_profile)
    loading.default_profile_line = cfg->line;
  *(const char **)result = value;
  return outcome == VALUE_OK ? 0 : -1;
}

static bool check_required(cfg_t *cfg)
{
  for (const struct conf_option *option = options_of(cfg); option->name != NULL; option++)
    if (option->required && (cfg_getopt(cfg, option->name)->flags & OPTION_SEEN) == 0) {
      fail(cfg->line, "%s has no %s; write %s = %s", cfg_name(cfg), option->name, option->name,
           option->wants);
      return false;
    }
  return true;
}

static int check_key_holder(cfg_t *cfg)
{
  const struct conf *conf = loading.conf;
  bool child = conf->key_holder_program != NULL && conf->key_holder_config != NULL;
  bool any_child = conf->key_holder_program != NULL || conf->key_holder_config != NULL;
  if (conf->key_holder_socket != NULL ? any_child : !child)
    return fail(cfg->line,
                "key_holder is reached in one way; write program and config, or socket alone");
  return 0;
}

static int check_profile(cfg_t *cfg, const struct profile *profile)
{
  AUTO(fault) f = {0};
  if (conf_profile_is_whole(profile, &f))
    return 0;
  return fail(cfg->line, "profile \"%s\": %s", profile->name, f.detail);
}

static int check_crl(cfg_t *cfg)
{
  const struct conf_crl *crl = &loading.conf->crl;
  if (crl->every_s >= crl->validity_s)
    return fail(cfg->line,
                "the next CRL must come before the last one ends; write an every that is "
                "less than validity");
  if (crl->delta_every_s >= crl->every_s)
    return fail(cfg->line, "a delta CRL as seldom as a complete one tells nothing; write a "
                           "delta_every that is less than every");
  return 0;
}

/* Called at the brace that closes a section. */
static int check_section(cfg_t *root, cfg_opt_t *opt)
{
  unsigned n = cfg_opt_size(opt);
  cfg_t *cfg = cfg_opt_getnsec(opt, n - 1);
  const struct section *section = section_named(opt->name);
  if (n > 1 && !section->many)
    return fail(root->line, "there are two sections %s; write one", opt->name);
  void *object = object_of(cfg);
  if (object == NULL || !check_required(cfg))
    return -1;
  if (section->options == conf_profile_options)
    return check_profile(cfg, object);
  if (section->options == key_holder_options)
    return check_key_holder(cfg);
  if (section->options == crl_options)
    return check_crl(cfg);
  if (section->options == admin_options &&
      (!principal_name_is_valid(bytes_of_text(cfg_title(cfg))) ||
       !TEXT_COPY(loading.conf->admin_name, bytes_of_text(cfg_title(cfg)))))
    return fail(cfg->line, "admin \"%s\" cannot be called so; write A-Z a-z 0-9 - _ only",
                cfg_title(cfg));
  return 0;
}

static void add_option_names(cfg_t *cfg, struct buf *out)
{
  for (unsigned i = 0; i < cfg_num(cfg); i++)
    buf_addf(out, "%s%s", i > 0 ? ", " : "", cfg_opt_name(cfg_getnopt(cfg, i)));
}

/* What would be right, for each of libConfuse's own complaints. */
static const char *advice_for(const char *complaint)
{
  static const struct {
    const char *part, *advice;
  } rows[] = {
      {"no such option", "here there are "},
      {"missing equal sign", "write NAME = VALUE"},
      {"missing opening brace", "write { behind the section's name"},
      {"missing title", "write a name behind it, as in profile \"device-server\" { ... }"},
      {"duplicate title", "give each a name of its own"},
      {"premature end", "close what is open with }"},
      {"unexpected closing brace", "remove it"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    if (strstr(complaint, rows[i].part) != NULL)
      return rows[i].advice;
  return "write NAME = VALUE, or NAME = { VALUE, VALUE } for a list";
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
  AUTO(buf) text = {0};
  buf_vaddf(&text, format, args);
  const char *advice = advice_for(buf_text(&text));
  buf_addf(&text, "; %s", advice);
  if (advice[strlen(advice) - 1] == ' ')
    add_option_names(cfg, &text);
  fail(cfg->line, "%s", buf_text(&text));
}

/* --- the whole file --- */

static void make_options(const struct conf_option *rows, cfg_opt_t *ret_opts)
{
  for (; rows->name != NULL; rows++)
    *ret_opts++ = (cfg_opt_t)CFG_STR_CB(
        rows->name, NULL, CFGF_NODEFAULT | (rows->list ? CFGF_LIST : CFGF_NONE), take_value);
  *ret_opts = (cfg_opt_t)CFG_END();
}

/* libConfuse copies all of it. */
static cfg_t *make_parser(void)
{
  cfg_opt_t root[OPTIONS_MAX], parts[ARRAY_LEN(sections)][OPTIONS_MAX];
  size_t n = ARRAY_LEN(root_options) - 1;
  make_options(root_options, root);
  for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
    cfg_flag_t titled = sections[i].titled ? CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE;
    make_options(sections[i].options, parts[i]);
    root[n] = (cfg_opt_t)CFG_SEC(sections[i].name, parts[i], CFGF_MULTI | CFGF_NODEFAULT | titled);
    root[n++].validcb = check_section;
  }
  root[n] = (cfg_opt_t)CFG_END();
  cfg_t *parser = cfg_init(root, CFGF_NONE);
  if (parser != NULL)
    cfg_set_error_function(parser, on_error);
  return parser;
}

static int check_sections(cfg_t *parser)
{
  for (size_t i = 0; i < ARRAY_LEN(sections); i++)
    if (sections[i].required && cfg_size(parser, sections[i].name) == 0)
      return fail(parser->line, "there is no section %s; write %s%s { ... }", sections[i].name,
                  sections[i].name, sections[i].titled ? " \"NAME\"" : "");
  return 0;
}

static int choose_default_profile(struct conf *conf)
{
  if (loading.default_profile_line == 0)
    return 0;
  conf->default_profile = conf_profile(conf, loading.default_profile);
  if (conf->default_profile != NULL)
    return 0;
  return fail(loading.default_profile_line,
              "default_profile = \"%s\" is not there; write the name of a profile of this file",
              loading.default_profile);
}

static void parse(struct conf *conf, const char *path, struct buf *text, struct fault *f)
{
  pthread_mutex_lock(&lock);
  memset(&loading, 0, sizeof loading);
  loading.path = path, loading.conf = conf, loading.f = f;
  for (size_t i = 0; i < ARRAY_LEN(sections); i++)
    if (!sections[i].many)
      set_initial(sections[i].options, conf);
  set_initial(root_options, conf);
  cfg_t *parser = make_parser();
  if (parser == NULL)
    fail(0, "out of memory");
  else if (cfg_parse_buf(parser, buf_text(text)) != CFG_SUCCESS)
    fail(parser->line, "this line cannot be read; write NAME = VALUE");
  else if (check_sections(parser) == 0)
    choose_default_profile(conf);
  cfg_free(parser);
  pthread_mutex_unlock(&lock);
}

/* A reload finds the file again whatever the working folder is then. */
static char *absolute(const char *path)
{
  char *folder = path[0] == '/' ? NULL : getcwd(NULL, 0);
  char *whole = NULL;
  if (folder == NULL)
    return strdup(path);
  if (asprintf(&whole, "%s/%s", folder, path) < 0)
    whole = NULL;
  free(folder);
  return whole;
}

bool conf_load(const char *path, struct conf **ret_conf, struct fault *f)
{
  AUTO(buf) text = {0};
  AUTO(conf) conf = calloc(1, sizeof *conf);
  if (conf == NULL)
    return fault_no_memory(f);
  conf->references = 1;
  conf->path = absolute(path);
  if (conf->path == NULL)
    return fault_no_memory(f);
  if (!file_read(path, FILE_MAX, &text, f) || !conf_scan(path, &text, f))
    return false;
  AUTO(fault) found = {0};
  parse(conf, path, &text, &found);
  if (found.code != FAULT_NONE) {
    fault_move(f, &found);
    return false;
  }
  profile_make_ocsp(conf->ocsp.responder_validity_s, &conf->ocsp_profile);
  *ret_conf = TAKE(conf);
  return true;
}

const struct profile *conf_profile(const struct conf *conf, const char *name)
{
  for (size_t i = 0; i < conf->n_profiles; i++)
    if (strcmp(conf->profiles[i].name, name) == 0)
      return &conf->profiles[i];
  return strcmp(name, PROFILE_OCSP) == 0 ? &conf->ocsp_profile : NULL;
}

struct conf *conf_hold(struct conf *conf)
{
  conf->references++;
  return conf;
}

void conf_release(struct conf *conf)
{
  if (conf == NULL || --conf->references > 0)
    return;
  for (size_t i = 0; i < conf->n_profiles; i++)
    profile_free(&conf->profiles[i]);
  for (size_t i = 0; i < conf->n_authorities; i++)
    conf_authority_free(&conf->authorities[i]);
  for (size_t i = 0; i < conf->n_trusts; i++)
    conf_trust_free(&conf->trusts[i]);
  for (size_t i = 0; i < conf->n_webhooks; i++)
    conf_webhook_free(&conf->webhooks[i]);
  char *owned[] = {conf->path,
                   conf->listen,
                   conf->public_listen,
                   conf->public_url,
                   conf->crl.folder,
                   conf->ledger,
                   conf->tls_certificate,
                   conf->tls_key,
                   conf->key_holder_socket,
                   conf->key_holder_program,
                   conf->key_holder_config};
  for (size_t i = 0; i < ARRAY_LEN(owned); i++)
    free(owned[i]);
  free(conf->profiles);
  free(conf->trusts);
  free(conf->webhooks);
  free(conf);
}
