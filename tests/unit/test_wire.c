/* test_wire.c - frames arrive whole, or not at all. */
#include "tests/unit/unit.h"

#include <pthread.h>
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

/* The next frame of `in` has this id and this text. */
static void assert_next(struct wire_input *in, int fd, uint32_t id, const char *text)
{
  struct wire_header header;
  struct bytes payload;
  assert_int_equal(wire_input_receive(in, fd, 1024 * 1024, &header, &payload), WIRE_OK);
  assert_int_equal(header.id, id);
  assert_true(bytes_equal(payload, bytes_of_text(text)));
}

static void frames_that_arrive_together_are_told_apart(void **state)
{
  (void)state;
  int fds[2];
  make_pair(fds);
  struct wire_input in = {0};
  struct wire_header header;
  struct bytes payload;
  assert_int_equal(wire_send(fds[0], 1, 1, bytes_of_text("one")), WIRE_OK);
  assert_int_equal(wire_send(fds[0], 1, 2, bytes_of_text("")), WIRE_OK);
  assert_int_equal(wire_send(fds[0], 1, 3, bytes_of_text("three")), WIRE_OK);
  assert_int_equal(write(fds[0], "Mk\1\1\0\0\0\4\0\0\0\5ab", 14), 14);
  assert_next(&in, fds[1], 1, "one");
  assert_false(wire_input_is_empty(&in));
  assert_next(&in, fds[1], 2, "");
  assert_next(&in, fds[1], 3, "three");
  assert_false(wire_input_is_empty(&in));
  /* The rest of a frame is taken in without what is behind it. */
  assert_int_equal(write(fds[0], "cde", 3), 3);
  assert_int_equal(wire_send(fds[0], 1, 5, bytes_of_text("five")), WIRE_OK);
  assert_next(&in, fds[1], 4, "abcde");
  assert_true(wire_input_is_empty(&in));
  assert_next(&in, fds[1], 5, "five");
  close(fds[0]);
  assert_int_equal(wire_input_receive(&in, fds[1], 1024, &header, &payload), WIRE_CLOSED);
  close(fds[1]);
  wire_input_free(&in);
}

static void *send_by_octets(void *context)
{
  static const char frame[] = "Mk\1\1\0\0\0\7\0\0\0\5seven";
  const int *fd = context;
  for (size_t i = 0; i < sizeof frame - 1; i++)
    if (write(*fd, frame + i, 1) != 1)
      return NULL;
  return context;
}

static void a_frame_may_come_in_pieces_or_be_long(void **state)
{
  (void)state;
  int fds[2];
  make_pair(fds);
  struct wire_input in = {0};
  AUTO(buf) text = {0};
  pthread_t thread;
  void *sent;
  assert_int_equal(pthread_create(&thread, NULL, send_by_octets, &fds[0]), 0);
  assert_next(&in, fds[1], 7, "seven");
  assert_int_equal(pthread_join(thread, &sent), 0);
  assert_ptr_equal(sent, &fds[0]);
  while (text.len < 100000)
    buf_add_text(&text, "longer than what is read ahead ");
  assert_int_equal(wire_send(fds[0], 1, 8, buf_bytes(&text)), WIRE_OK);
  assert_next(&in, fds[1], 8, buf_text(&text));
  assert_true(wire_input_is_empty(&in));
  close(fds[0]);
  close(fds[1]);
  wire_input_free(&in);
}

static void what_is_no_frame_is_refused_when_it_was_read_ahead(void **state)
{
  (void)state;
  static const struct {
    const char *octets;
    size_t len;
    enum wire_result result;
  } cases[] = {
      {"Mk\1\1\0\0\0\2\0\0\0\5ab", 14, WIRE_BROKEN},
      {"Mk\1\1", 4, WIRE_BROKEN},
      {"Mk\2\1\0\0\0\2\0\0\0\0", 12, WIRE_BAD_FRAME},
      {"Mk\1\1\0\0\0\2\0\0\4\1", 12, WIRE_BAD_FRAME},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int fds[2];
    make_pair(fds);
    struct wire_input in = {0};
    struct wire_header header;
    struct bytes payload;
    assert_int_equal(wire_send(fds[0], 1, 1, bytes_of_text("good")), WIRE_OK);
    assert_int_equal(write(fds[0], cases[i].octets, cases[i].len), (ssize_t)cases[i].len);
    close(fds[0]);
    assert_next(&in, fds[1], 1, "good");
    assert_int_equal(wire_input_receive(&in, fds[1], 1024, &header, &payload), cases[i].result);
    wire_input_clear(&in);
    assert_true(wire_input_is_empty(&in));
    close(fds[1]);
    wire_input_free(&in);
  }
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
      cmocka_unit_test(frames_that_arrive_together_are_told_apart),
      cmocka_unit_test(a_frame_may_come_in_pieces_or_be_long),
      cmocka_unit_test(what_is_no_frame_is_refused_when_it_was_read_ahead),
      cmocka_unit_test(a_payload_is_never_read_beyond_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
