/* profile_names.c - see profile_names.h. */
#include "lib/ca/profile_names.h"

#include <string.h>

static bool ends_with(struct bytes name, const char *end, struct bytes *ret_front)
{
  size_t len = strlen(end);
  if (name.len < len || (len > 0 && memcmp(name.data + name.len - len, end, len) != 0))
    return false;
  *ret_front = bytes_of(name.data, name.len - len);
  return true;
}

/* Both are in lower case. "*.x" stands for one label before ".x", "**.x" for one or more. */
static bool dns_matches(struct bytes name, const char *pattern)
{
  size_t stars = strspn(pattern, "*");
  struct bytes front;
  if (!ends_with(name, pattern + stars, &front))
    return false;
  if (stars == 0)
    return front.len == 0;
  return front.len > 0 && (stars > 1 || memchr(front.data, '.', front.len) == NULL);
}

static const char *judge_ip(const struct profile *profile, struct bytes value)
{
  struct ip ip;
  if (!ip_from_octets(value, &ip))
    return "not an IP address";
  for (size_t i = 0; i < profile->n_ip_ranges; i++)
    if (ip_range_has(&profile->ip_ranges[i], &ip))
      return NULL;
  return "not within the profile's ip_ranges";
}

static const char *judge_dns(const struct profile *profile, struct bytes value)
{
  if (value.len > 0 && value.data[0] == '*' && !profile->allow_wildcards)
    return "the profile does not allow wildcards";
  for (size_t i = 0; i < profile->n_dns_patterns; i++)
    if (dns_matches(value, profile->dns_patterns[i]))
      return NULL;
  return "none of the profile's dns_patterns";
}

static const char *judge_uri(const struct profile *profile, struct bytes value)
{
  for (size_t i = 0; i < profile->n_uri_prefixes; i++) {
    size_t len = strlen(profile->uri_prefixes[i]);
    if (value.len > len && memcmp(value.data, profile->uri_prefixes[i], len) == 0)
      return NULL;
  }
  return "none of the profile's uri_prefixes";
}

/* Why this name is not allowed; NULL when it is. */
static const char *judge(const struct profile *profile, struct san name)
{
  static const char *(*const judges[SAN_KIND_END])(const struct profile *, struct bytes) = {
      [SAN_IP] = judge_ip, [SAN_DNS] = judge_dns, [SAN_URI] = judge_uri};
  if (name.kind >= SAN_KIND_END || judges[name.kind] == NULL)
    return "of a kind that is not known";
  return judges[name.kind](profile, name.value);
}

static void add_item(struct san name, const char *why, struct fault *f)
{
  AUTO(buf) text = {0};
  san_text(name, &text);
  fault_add_item(f, buf_text(&text), "%s", why);
}

/* One by one, to the end: each name that is not allowed is told. */
static size_t count_not_allowed(const struct profile *profile,
                                const struct profile_request *request, const struct sans *names,
                                struct fault *f)
{
  size_t n = 0;
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    const char *why = judge(profile, name);
    if (why == NULL && request->only != NULL && !sans_has(request->only, name))
      why = "not one of the names that were imported for this device";
    if (why == NULL)
      continue;
    add_item(name, why, f);
    n++;
  }
  return n;
}

static bool is_peer(struct san name, const struct ip *peer)
{
  return bytes_equal(name.value, bytes_of(peer->octets, peer->len));
}

/* A device holds the address that it asks from, or else it would not get the answer. */
static size_t count_not_proven(const struct profile *profile, const struct profile_request *request,
                               const struct sans *names, struct fault *f)
{
  size_t n = 0;
  if (!profile->ip_proof_peer || request->peer == NULL)
    return 0;
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    if (name.kind != SAN_IP || is_peer(name, request->peer))
      continue;
    add_item(name, "not the address that the device asks from", f);
    n++;
  }
  return n;
}

static size_t count_not_requested(const struct sans *csr_names, const struct sans *names,
                                  struct fault *f)
{
  size_t n = 0;
  for (size_t i = 0; i < csr_names->n; i++) {
    struct san name = sans_get(csr_names, i);
    if (sans_has(names, name))
      continue;
    add_item(name, "in the CSR, but not in the request", f);
    n++;
  }
  return n;
}

/* The request's names, then those that only the CSR has. */
static bool copy_names(const struct profile_request *request, struct sans *ret_names,
                       struct fault *f)
{
  const struct sans *csr_names = &request->csr->names;
  if (!sans_copy(ret_names, request->names, f))
    return false;
  for (size_t i = 0; i < csr_names->n; i++) {
    AUTO(buf) text = {0};
    struct san name = sans_get(csr_names, i);
    san_text(name, &text);
    if (!buf_ok(&text))
      return fault_no_memory(f);
    if (!sans_add(ret_names, name.kind, buf_bytes(&text), f))
      return false;
  }
  return true;
}

static bool check_number(const struct profile *profile, const struct sans *names, struct fault *f)
{
  if (names->n > profile->names_max)
    return fault_set(f, TOO_MANY_NAMES, "%zu names; profile %s allows %u", names->n, profile->name,
                     profile->names_max);
  if (names->n == 0 && profile->require_name)
    return fault_set(f, NAME_REQUIRED, "profile %s needs one of ip_sans, dns_sans, uri_sans",
                     profile->name);
  return true;
}

bool profile_check_names(const struct profile *profile, const struct profile_request *request,
                         struct plan *plan, struct fault *f)
{
  const struct sans *names = request->names;
  size_t not_requested = 0;
  enum csr_names csr_names = profile->csr_names;
  if (csr_names == CSR_NAMES_COPY && request->names_are_all)
    csr_names = CSR_NAMES_REFUSE;
  if (request->csr->names.n > 0 && csr_names == CSR_NAMES_COPY) {
    if (!copy_names(request, &plan->names, f))
      return false;
    names = &plan->names;
  }
  if (!check_number(profile, names, f))
    return false;
  size_t not_allowed = count_not_allowed(profile, request, names, f);
  size_t not_proven = count_not_proven(profile, request, names, f);
  if (csr_names == CSR_NAMES_REFUSE)
    not_requested = count_not_requested(&request->csr->names, names, f);
  if (not_allowed > 0)
    return fault_set(f, NAME_NOT_ALLOWED, "profile %s does not allow %zu of %zu names",
                     profile->name, not_allowed, names->n);
  if (not_proven > 0)
    return fault_set(f, ADDRESS_NOT_PROVEN, "profile %s lets a device name its own address alone",
                     profile->name);
  if (not_requested > 0)
    return fault_set(f, NAME_NOT_REQUESTED,
                     "%zu name%s of the CSR %s not in the request; add %s there, or leave %s out",
                     not_requested, not_requested == 1 ? "" : "s",
                     not_requested == 1 ? "is" : "are", not_requested == 1 ? "it" : "them",
                     not_requested == 1 ? "it" : "them");
  plan->spec.names = names;
  return true;
}
