/* conf_option.h - what an option of mintmark.conf is: a row of a table, and the readers that turn
 * its text into a field. For conf*.c alone. Threads: any. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ca/conf.h"

enum value_result { VALUE_OK, VALUE_BAD, VALUE_NO_MEMORY };

struct conf_option;

/* Sets the field of `object` from one value (of a list: adds it); `object` is unchanged unless
 * VALUE_OK. */
typedef enum value_result value_reader(const struct conf_option *option, const char *text,
                                       void *object);

struct conf_option {
  const char *name;
  value_reader *read;
  size_t at;           /* of the field, in struct conf or struct profile */
  const char *initial; /* the default; NULL: none */
  const char *wants;   /* for messages: "write ..." */
  unsigned least, most;
  bool required, list;
};

/* A row; behind the five come .least, .most, .required, .list. */
#define OPTION(name_, read_, at_, initial_, wants_, ...)                                           \
  {                                                                                                \
    .name = (name_), .read = (read_), .at = (at_), .initial = (initial_), .wants = (wants_),       \
    __VA_ARGS__                                                                                    \
  }

/* struct conf */
value_reader value_text;    /* char *: 1 to 255 characters */
value_reader value_path;    /* char *: against the folder of the configuration, whose path is the
                               object's first member */
value_reader value_program; /* char *: likewise, but a name without a slash stays as it is */
value_reader value_listen;  /* char *: "ADDRESS:PORT" */
value_reader value_url; /* char *: "http://..." or "https://...", 200 characters at most; a slash at
                           the end is dropped */
value_reader value_duration; /* int64_t: seconds; at least `least`, at most `most` */
value_reader value_number;   /* unsigned: least to most */
value_reader value_instance;
value_reader value_cores; /* unsigned: 0 is one for each core */
value_reader value_log_format;
value_reader value_log_level;
value_reader value_token_hash;
value_reader value_rate; /* struct rate: "50/s", "600/m", "1000/h" or "none" */
/* struct profile */
value_reader value_flag;     /* bool */
value_reader value_validity; /* validity_s and never_expires */
value_reader value_backdate;
value_reader value_renew_from; /* renew_from_s: "never" is 0 */
value_reader value_renew_key;
value_reader value_key_type, value_key_usage, value_ext_key_usage;
value_reader value_ip_range, value_dns_pattern, value_uri_prefix;
value_reader value_csr_names, value_subject, value_hardware_type;
value_reader value_ip_proof; /* bool: is it "peer"? */
value_reader value_role;

/* The options of a profile, ending with a row without a name. */
extern const struct conf_option conf_profile_options[];

/* The options of a trust, likewise; struct conf_trust. */
extern const struct conf_option conf_trust_options[];
enum { TRUSTS_MAX = 16 };
/* The trust of this name, which is added when it is new; NULL when there is no room. */
struct conf_trust *conf_trust_of(struct conf *conf, const char *name);
void conf_trust_free(struct conf_trust *trust); /* what it owns, not the object itself */

/* The options of an authority, likewise; struct conf_authority. */
extern const struct conf_option conf_authority_options[];
/* The authority of this name, which is added when it is new; NULL when there is no room. */
struct conf_authority *conf_authority_of(struct conf *conf, const char *name);
void conf_authority_free(
    struct conf_authority *authority); /* what it owns, not the object itself */

/* The options of a webhook, and the same for it; struct conf_webhook. */
extern const struct conf_option conf_webhook_options[];
struct conf_webhook *conf_webhook_of(struct conf *conf, const char *name);
void conf_webhook_free(struct conf_webhook *webhook);

/* What no single option can tell: the fault's detail says what is wrong and what would be right. */
bool conf_profile_is_whole(const struct profile *profile, struct fault *f);
