/* service.c - see service.h. */
#include "cli/service.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/conf_text.h"

static const char daemon_user[] = "mintmark", key_holder_user[] = "mintmark-keyd";

static const char state_dir[] = "/var/lib/mintmark";

/* Everything else stays root's, and readable by both. */
static const struct {
  const char *name, *user;
} owners[] = {
    {"server.key", daemon_user},
    {"server.crt", daemon_user},
    {"keys", key_holder_user},
    {"keys/issuing.key", key_holder_user},
};

const char *service_folder_of(const char *name, const char *dir)
{
  return strncmp(name, "server.", 7) == 0 ? state_dir : dir;
}

bool service_check(struct fault *f)
{
  if (geteuid() != 0)
    return fault_set(f, BAD_USAGE, "--service gives files to other users: run it as root");
  for (size_t i = 0; i < ARRAY_LEN(owners); i++)
    if (getpwnam(owners[i].user) == NULL)
      return fault_set(f, BAD_USAGE, "there is no user %s yet: run systemd-sysusers first",
                       owners[i].user);
  struct stat st;
  return (stat(state_dir, &st) == 0 && S_ISDIR(st.st_mode)) ||
         fault_set(f, BAD_USAGE, "there is no folder %s yet: run systemd-tmpfiles --create first",
                   state_dir);
}

bool service_fill_conf(struct buf *conf, struct fault *f)
{
  return conf_text_set(conf, "ledger", "\"/var/lib/mintmark/mintmark.db\"", f) &&
         conf_text_set_within(conf, "tls {", "certificate", "\"/var/lib/mintmark/server.crt\"",
                              f) &&
         conf_text_set_within(conf, "tls {", "key", "\"/var/lib/mintmark/server.key\"", f) &&
         conf_text_set_within(conf, "crl {", "folder", "\"/var/lib/mintmark/crl\"", f) &&
         conf_text_comment_out(conf, "program", f) && conf_text_comment_out(conf, "config", f) &&
         conf_text_set(conf, "socket", "\"/run/mintmark/keyd.sock\"", f);
}

static bool give(const char *dir, const char *name, const char *user, struct fault *f)
{
  AUTO(buf) path = {0};
  const struct passwd *owner = getpwnam(user);
  buf_addf(&path, "%s/%s", service_folder_of(name, dir), name);
  if (owner != NULL && buf_ok(&path) && lchown(buf_text(&path), owner->pw_uid, owner->pw_gid) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "cannot give %s to %s: %s", buf_text(&path), user,
                   strerror(errno));
}

bool service_give_files(const char *dir, struct fault *f)
{
  for (size_t i = 0; i < ARRAY_LEN(owners); i++)
    if (!give(dir, owners[i].name, owners[i].user, f))
      return false;
  /* Both users must get to their files. */
  if (chmod(dir, 0755) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "cannot open %s to the services: %s", dir, strerror(errno));
}

void service_print_next(const char *dir)
{
  printf("Next, start the service, and ask it for a first certificate:\n"
         "  systemctl enable --now mintmark-keyd.socket mintmarkd.service\n"
         "  mintmark issue --dir %s --serial W-1001 --ip 10.1.1.68\n",
         dir);
}
