/* test_peer.c - which client certificates count, and which do not. */
#include "tests/unit/unit.h"

#include "lib/ca/peer.h"
#include "lib/pki/name.h"
#include "tests/unit/peer_kit.h"

static struct made root, middle, other_root, leaf, low_leaf, same_name;

static int make_all(void **state)
{
  (void)state;
  made_cert(&(struct recipe){.name = "Root", .is_ca = true}, &root);
  made_cert(&(struct recipe){.name = "Middle", .is_ca = true, .issuer = &root}, &middle);
  made_cert(&(struct recipe){.name = "Other", .is_ca = true}, &other_root);
  made_cert(&(struct recipe){.name = "Root", .is_ca = true}, &same_name);
  made_cert(&(struct recipe){.name = "W-1", .issuer = &root}, &leaf);
  made_cert(&(struct recipe){.name = "W-2", .issuer = &middle}, &low_leaf);
  return 0;
}

static int free_all(void **state)
{
  (void)state;
  struct made *const all[] = {&root, &middle, &other_root, &leaf, &low_leaf, &same_name};
  for (size_t i = 0; i < ARRAY_LEN(all); i++)
    made_free(all[i]);
  return 0;
}

/* --- the way up --- */

static struct peer *peer_of(const struct made *const *sent, size_t n)
{
  AUTO(fault) f = {0};
  struct bytes ders[16];
  struct peer *peer = NULL;
  for (size_t i = 0; i < n; i++)
    ders[i] = buf_bytes(&sent[i]->der);
  assert_true(peer_read(ders, n, &peer, &f));
  return peer;
}

/* How long the way is from what was sent to this anchor; 0: there is none. */
static size_t way(const struct made *anchor, const struct made *const *sent, size_t n)
{
  AUTO(peer) peer = peer_of(sent, n);
  struct vouchers vouchers = {.anchors = &anchor->cert, .n_anchors = 1};
  struct peer_path path = {0};
  assert_int_equal(peer->fault.code, FAULT_NONE);
  return peer_find_path(peer, &vouchers, &path) ? path.n : 0;
}

#define WAY(anchor, ...)                                                                           \
  way(anchor, (const struct made *const[]){__VA_ARGS__},                                           \
      sizeof((const struct made *const[]){__VA_ARGS__}) / sizeof(struct made *))

static void a_way_leads_up_by_signatures(void **state)
{
  (void)state;
  assert_int_equal(WAY(&root, &leaf), 2);
  assert_int_equal(WAY(&root, &leaf, &root), 2);
  assert_int_equal(WAY(&root, &low_leaf, &middle), 3);
  assert_int_equal(WAY(&middle, &low_leaf), 2);
  assert_int_equal(WAY(&middle, &low_leaf, &middle, &root), 2);
  /* in any order (RFC 8446, 4.4.2), and with others among them */
  assert_int_equal(WAY(&root, &low_leaf, &other_root, &root, &middle), 3);
}

static void what_is_not_signed_by_an_anchor_leads_nowhere(void **state)
{
  (void)state;
  assert_int_equal(WAY(&root, &low_leaf), 0); /* the one between is missing */
  assert_int_equal(WAY(&other_root, &leaf, &root), 0);
  assert_int_equal(WAY(&same_name, &leaf), 0); /* the name alone does not count */
  assert_int_equal(WAY(&root, &same_name), 0);
  assert_int_equal(WAY(&root, &other_root, &leaf, &root), 0); /* only the first is the client's */
  assert_int_equal(WAY(&other_root, &low_leaf, &middle, &root, &root, &root), 0);
}

static void what_cannot_be_read_is_told_to_who_asks(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct bytes many[CHAIN_MAX + 1];
  for (size_t i = 0; i < ARRAY_LEN(many); i++)
    many[i] = buf_bytes(&leaf.der);
  const struct bytes cut = bytes_of(leaf.der.data, leaf.der.len - 1);
  const struct {
    const struct bytes *ders;
    size_t n;
  } rows[] = {{many, ARRAY_LEN(many)}, {&cut, 1}, {&cut, 0}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(peer) peer = NULL;
    assert_true(peer_read(rows[i].ders, rows[i].n, &peer, &f));
    assert_int_equal(peer->fault.code, FAULT_UNAUTHENTICATED);
  }
}

/* --- whether it holds: leaf, middle, root, each changed a little --- */

struct chain {
  struct cert certs[3];
  struct peer_path path;
  struct vouchers vouchers;
  int64_t now;
};

static void old_leaf(struct chain *c)
{
  c->certs[0].not_after = PEER_NOW - 1;
}
static void last_second(struct chain *c)
{
  c->certs[0].not_after = PEER_NOW;
}
static void young_leaf(struct chain *c)
{
  c->certs[0].not_before = PEER_NOW + 1;
}
static void old_middle(struct chain *c)
{
  c->certs[1].not_after = PEER_NOW - 1;
}
static void old_anchor(struct chain *c)
{
  c->certs[2].not_after = PEER_NOW - 1;
}
static void young_anchor(struct chain *c)
{
  c->certs[2].not_before = PEER_NOW + 1;
}
static void server_leaf(struct chain *c)
{
  c->certs[0].ext_key_usage = EKU_SERVER_AUTH;
}
static void leaf_of_both(struct chain *c)
{
  c->certs[0].ext_key_usage = EKU_SERVER_AUTH | EKU_CLIENT_AUTH;
}
static void any_use_leaf(struct chain *c)
{
  c->certs[0].ext_key_usage = 0;
  c->certs[0].has_unknown_eku = true;
}
static void no_eku(struct chain *c)
{
  c->certs[0].has_ext_key_usage = false;
  c->certs[0].ext_key_usage = 0;
}
static void no_eku_where_it_is_needed(struct chain *c)
{
  no_eku(c);
  c->vouchers.needs_eku = true;
}
static void leaf_that_only_agrees(struct chain *c)
{
  c->certs[0].key_usage = KU_KEY_AGREEMENT;
}
static void leaf_without_key_usage(struct chain *c)
{
  c->certs[0].has_key_usage = false;
  c->certs[0].key_usage = 0;
}
static void ca_as_leaf(struct chain *c)
{
  c->certs[0].is_ca = c->certs[0].has_basic_constraints = true;
}
static void critical_leaf(struct chain *c)
{
  c->certs[0].has_unknown_critical = true;
}
static void critical_middle(struct chain *c)
{
  c->certs[1].has_unknown_critical = true;
}
static void leaf_as_middle(struct chain *c)
{
  c->certs[1].is_ca = false;
}
static void middle_without_constraints(struct chain *c)
{
  c->certs[1].is_ca = c->certs[1].has_basic_constraints = false;
}
static void leaf_as_anchor(struct chain *c)
{
  c->certs[2].is_ca = false;
}
static void middle_may_not_sign(struct chain *c)
{
  c->certs[1].key_usage = KU_CRL_SIGN;
}
static void anchor_may_not_sign(struct chain *c)
{
  c->certs[2].key_usage = KU_DIGITAL_SIGNATURE;
}
static void anchor_without_key_usage(struct chain *c)
{
  c->certs[2].has_key_usage = false;
  c->certs[2].key_usage = 0;
}
static void anchor_allows_no_ca(struct chain *c)
{
  c->certs[2].path_len = 0;
}
static void anchor_allows_one_ca(struct chain *c)
{
  c->certs[2].path_len = 1;
}
static void middle_allows_no_ca(struct chain *c)
{
  c->certs[1].path_len = 0;
}
static void middle_for_servers(struct chain *c)
{
  c->certs[1].has_ext_key_usage = true;
  c->certs[1].ext_key_usage = EKU_SERVER_AUTH;
}
static void middle_for_clients(struct chain *c)
{
  c->certs[1].has_ext_key_usage = true;
  c->certs[1].ext_key_usage = EKU_CLIENT_AUTH;
}
static void no_list_at_all(struct chain *c)
{
  c->vouchers.needs_crl = true;
}
static void nothing(struct chain *c)
{
  (void)c;
}

static void what_holds_and_what_does_not(void **state)
{
  (void)state;
  static const struct {
    void (*change)(struct chain *c);
    const char *says; /* NULL: it holds */
  } rows[] = {
      {nothing, NULL},
      {last_second, NULL},
      {leaf_of_both, NULL},
      {no_eku, NULL},
      {leaf_without_key_usage, NULL},
      {anchor_without_key_usage, NULL},
      {anchor_allows_one_ca, NULL},
      {middle_allows_no_ca, NULL},
      {middle_for_clients, NULL},
      {old_leaf, "client certificate expired"},
      {young_leaf, "client certificate is not valid before"},
      {old_middle, "CA above the client certificate expired"},
      {old_anchor, "CA above the client certificate expired"},
      {young_anchor, "not valid before"},
      {server_leaf, "lacks clientAuth"},
      {any_use_leaf, "lacks clientAuth"},
      {no_eku_where_it_is_needed, "extKeyUsage is missing"},
      {leaf_that_only_agrees, "lacks digitalSignature"},
      {ca_as_leaf, "it is a CA's"},
      {critical_leaf, "critical"},
      {critical_middle, "critical"},
      {leaf_as_middle, "not a CA"},
      {middle_without_constraints, "not a CA"},
      {leaf_as_anchor, "not a CA"},
      {middle_may_not_sign, "may not sign"},
      {anchor_may_not_sign, "may not sign"},
      {anchor_allows_no_ca, "fewer CAs"},
      {middle_for_servers, "not for clients"},
      {no_list_at_all, "no revocation list"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(fault) f = {0};
    struct chain c = {{low_leaf.cert, middle.cert, root.cert}, .now = PEER_NOW};
    rows[i].change(&c);
    c.path = (struct peer_path){{&c.certs[0], &c.certs[1], &c.certs[2]}, 3};
    bool holds = peer_check_path(&c.path, &c.vouchers, c.now, &f);
    if (holds != (rows[i].says == NULL))
      fail_msg("row %zu: %s", i, f.detail);
    if (!holds && (f.code != FAULT_UNAUTHENTICATED || strstr(f.detail, rows[i].says) == NULL))
      fail_msg("row %zu: %s", i, f.detail);
  }
}

/* --- revocation lists --- */

/* What is said of low_leaf below middle and root, with these lists of them. */
static void try_lists(const struct list_recipe *recipes, size_t n, const char *says)
{
  AUTO(fault) f = {0};
  struct buf ders[4] = {0};
  struct crl lists[4];
  for (size_t i = 0; i < n; i++) {
    made_list(&recipes[i], &ders[i]);
    if (!crl_read(buf_bytes(&ders[i]), &lists[i], &f))
      fail_msg("%s", f.detail);
  }
  struct peer_path path = {{&low_leaf.cert, &middle.cert, &root.cert}, 3};
  struct vouchers vouchers = {.needs_crl = true, .crls = lists, .n_crls = n};
  bool holds = peer_check_path(&path, &vouchers, PEER_NOW, &f);
  if (holds != (says == NULL) || (says != NULL && strstr(f.detail, says) == NULL))
    fail_msg("%s, wanted: %s", f.detail, says != NULL ? says : "nothing");
  for (size_t i = 0; i < n; i++)
    buf_free(&ders[i]);
}

#define TRY_LISTS(says, ...)                                                                       \
  try_lists((const struct list_recipe[]){__VA_ARGS__},                                             \
            sizeof((const struct list_recipe[]){__VA_ARGS__}) / sizeof(struct list_recipe), says)

static void each_certificate_is_looked_up_in_its_issuers_list(void **state)
{
  (void)state;
  struct bytes of_leaf = low_leaf.cert.serial_number;
  static const uint8_t another[] = {1, 2, 3, 4, 5, 6, 7, 8, 0x90};
  TRY_LISTS(NULL, {.issuer = &middle}, {.issuer = &root});
  TRY_LISTS(NULL, {.issuer = &root}, {.issuer = &middle, .revoked = {another, sizeof another}});
  TRY_LISTS("revoked", {.issuer = &middle, .revoked = of_leaf}, {.issuer = &root});
  TRY_LISTS("revoked", {.issuer = &middle}, {.issuer = &root, .revoked = of_leaf});
  TRY_LISTS("no revocation list", {.issuer = &root});
  TRY_LISTS("no revocation list", {.issuer = &middle});
}

static void a_list_that_is_stale_young_or_forged_is_none(void **state)
{
  (void)state;
  TRY_LISTS("out of date",
            {.issuer = &middle, .next_update = PEER_NOW - 1, .this_update = PEER_NOW - 60},
            {.issuer = &root});
  TRY_LISTS(NULL, {.issuer = &middle, .next_update = PEER_NOW}, {.issuer = &root});
  TRY_LISTS("out of date", {.issuer = &middle, .this_update = PEER_NOW + 1}, {.issuer = &root});
  TRY_LISTS("no revocation list", {.issuer = &middle, .signer = &other_root}, {.issuer = &root});
}

static void a_list_is_signed_by_who_may(void **state)
{
  (void)state;
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  struct crl crl;
  made_list(&(struct list_recipe){.issuer = &root}, &der);
  assert_true(crl_read(buf_bytes(&der), &crl, &f));
  assert_true(crl_is_signed_by(&crl, &root.cert));
  assert_false(crl_is_signed_by(&crl, &same_name.cert));
  struct cert may_not = root.cert;
  may_not.key_usage = KU_KEY_CERT_SIGN;
  assert_false(crl_is_signed_by(&crl, &may_not));
  der.data[der.len / 2] ^= 1;
  assert_false(crl_read(buf_bytes(&der), &crl, &f) && crl_is_signed_by(&crl, &root.cert));
  assert_false(crl_read(bytes_of(der.data, der.len - 1), &crl, &f));
}

/* --- the name in a subject --- */

static void a_subject_names_one_device(void **state)
{
  (void)state;
  AUTO(buf) name = {0};
  AUTO(fault) f = {0};
  struct bytes value;
  const struct name_part parts[] = {{ATTR_COMMON_NAME, bytes_of_text("Widget")},
                                    {ATTR_SERIAL_NUMBER, bytes_of_text("W-1")},
                                    {ATTR_ORGANIZATION_UNIT, bytes_of_text("a")},
                                    {ATTR_ORGANIZATION_UNIT, bytes_of_text("b")}};
  assert_true(name_write(parts, ARRAY_LEN(parts), &name, &f));
  assert_true(name_value(buf_bytes(&name), ATTR_SERIAL_NUMBER, &value));
  assert_true(bytes_equal(value, bytes_of_text("W-1")));
  assert_false(name_value(buf_bytes(&name), ATTR_ORGANIZATION, &value));
  assert_false(name_value(buf_bytes(&name), ATTR_ORGANIZATION_UNIT, &value)); /* which of them? */
  assert_false(name_value(bytes_of(name.data, name.len - 1), ATTR_COMMON_NAME, &value));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_way_leads_up_by_signatures),
      cmocka_unit_test(what_is_not_signed_by_an_anchor_leads_nowhere),
      cmocka_unit_test(what_cannot_be_read_is_told_to_who_asks),
      cmocka_unit_test(what_holds_and_what_does_not),
      cmocka_unit_test(each_certificate_is_looked_up_in_its_issuers_list),
      cmocka_unit_test(a_list_that_is_stale_young_or_forged_is_none),
      cmocka_unit_test(a_list_is_signed_by_who_may),
      cmocka_unit_test(a_subject_names_one_device),
  };
  return cmocka_run_group_tests(tests, make_all, free_all);
}
