/* test_wire.c - frames arrive whole, or not at all. */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/wire.h"

static void make_pair(int fds[2])
{
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void a_frame_arrives_as_it_was_sent(void **state)
{
  (void)state;
  int fds[2];
  make_pair(fds);
  AUTO(buf) sent = {0}, received = {0};
  wire_put_u8(&sent, 7);
  wire_put_u16(&sent, 0x1234);
  wire_put_u32(&sent, 0xdeadbeef);
  wire_put_u64(&sent, UINT64_C(0x0123456789abcdef));
  buf_add_text(&sent, "key");
  wire_put_bytes(&sent, bytes_of_text("certificate"));
  assert_int_equal(wire_send(fds[0], 3, 42, buf_bytes(&sent)), WIRE_OK);
  struct wire_header header;
  assert_int_equal(wire_receive(fds[1], 1024, &header, &received), WIRE_OK);
  assert_int_equal(header.type, 3);
  assert_int_equal(header.id, 42);
  struct wire_reader in = {.rest = buf_bytes(&received)};
  assert_int_equal(wire_get_u8(&in), 7);
  assert_int_equal(wire_get_u16(&in), 0x1234);
  assert_true(wire_get_u32(&in) == 0xdeadbeef);
  assert_true(wire_get_u64(&in) == UINT64_C(0x0123456789abcdef));
  assert_true(bytes_equal(wire_get_octets(&in, 3), bytes_of_text("key")));
  assert_true(bytes_equal(wire_get_bytes(&in), bytes_of_text("certificate")));
  assert_true(wire_at_end(&in));
  close(fds[0]);
  assert_int_equal(wire_receive(fds[1], 1024, &header, &received), WIRE_CLOSED);
  close(fds[1]);
}

static void a_frame_over_the_limit_is_refused(void **state)
{
  (void)state;
  int fds[2];
  make_pair(fds);
  AUTO(buf) received = {0};
  struct wire_header header;
  assert_int_equal(wire_send(fds[0], 1, 1, bytes_of_text("0123456789")), WIRE_OK);
  assert_int_equal(wire_receive(fds[1], 9, &header, &received), WIRE_BAD_FRAME);
  close(fds[0]);
  close(fds[1]);
}

static void a_cut_frame_is_told_from_a_closed_peer(void **state)
{
  (void)state;
  int fds[2];
  make_pair(fds);
  AUTO(buf) received = {0};
  struct wire_header header;
  assert_int_equal(write(fds[0], "Mk\1\1\0\0\0\1\0\0\0\5ab", 14), 14);
  close(fds[0]);
  assert_int_equal(wire_receive(fds[1], 100, &header, &received), WIRE_BROKEN);
  close(fds[1]);
}

static void a_payload_is_never_read_beyond_its_end(void **state)
{
  (void)state;
  const uint8_t octets[] = {0, 0, 0, 9, 'a', 'b'};
  struct wire_reader in = {.rest = bytes_of(octets, sizeof octets)};
  assert_int_equal(wire_get_bytes(&in).len, 0);
  assert_true(in.failed);
  assert_false(wire_at_end(&in));
  assert_int_equal(wire_get_u8(&in), 0);
  in = (struct wire_reader){.rest = bytes_of(octets, sizeof octets)};
  assert_true(wire_get_u64(&in) == 0 && in.failed);
  in = (struct wire_reader){.rest = bytes_of(octets, sizeof octets)};
  assert_int_equal(wire_get_octets(&in, sizeof octets + 1).len, 0);
  assert_true(in.failed);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_frame_arrives_as_it_was_sent),
      cmocka_unit_test(a_frame_over_the_limit_is_refused),
      cmocka_unit_test(a_cut_frame_is_told_from_a_closed_peer),
      cmocka_unit_test(a_payload_is_never_read_beyond_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
