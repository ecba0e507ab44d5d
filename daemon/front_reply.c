/* front_reply.c - from x.reply to libmicrohttpd. */
#include "daemon/front_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/http_date.h"

enum { STREAM_BLOCK = 16 * 1024, FILE_BLOCK = 64 * 1024 };

/* --- a body that is made while it is sent --- */

struct stream {
  struct reply_stream source;
  struct conn *conn;
  struct front *front;
  struct buf made; /* not yet handed over from `at` on */
  size_t at;
  bool ended;
};

static bool make_more(struct stream *stream)
{
  buf_clear(&stream->made);
  stream->at = 0;
  while (stream->made.len < STREAM_BLOCK && !stream->ended)
    if (!stream->source.next(stream->source.state, &stream->made, &stream->ended) ||
        !buf_ok(&stream->made))
      return false;
  return true;
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t max)
{
  (void)position;
  struct stream *stream = context;
  if (stream->at == stream->made.len && !make_more(stream))
    return MHD_CONTENT_READER_END_WITH_ERROR;
  size_t len = stream->made.len - stream->at;
  if (len == 0)
    return MHD_CONTENT_READER_END_OF_STREAM;
  if (len > max)
    len = max;
  memcpy(out, stream->made.data + stream->at, len);
  stream->at += len;
  /* A long answer is fine as long as it moves. */
  front_set_deadline(stream->conn, stream->front->request_seconds);
  return (ssize_t)len;
}

static void free_stream(void *context)
{
  struct stream *stream = context;
  if (stream->source.free != NULL)
    stream->source.free(stream->source.state);
  buf_free(&stream->made);
  free(stream);
}

static struct MHD_Response *stream_response(struct incoming *in)
{
  struct stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL)
    return NULL;
  *stream = (struct stream){.source = in->x.reply.stream, .conn = in->conn, .front = in->front};
  struct MHD_Response *response = MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, stream, free_stream);
  if (response == NULL)
    free(stream);
  else
    in->x.reply.stream = (struct reply_stream){0};
  return response;
}

/* --- a body that is a file --- */

struct file_body {
  struct reply_file file;
  struct conn *conn;
  struct front *front;
};

/* Read by us, not by libmicrohttpd, because a long file is fine as long as it moves. */
static ssize_t read_file(void *context, uint64_t position, char *out, size_t max)
{
  struct file_body *body = context;
  ssize_t n;
  do
    n = pread(body->file.fd, out, max, (off_t)position);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return MHD_CONTENT_READER_END_WITH_ERROR; /* it is shorter than it was */
  front_set_deadline(body->conn, body->front->request_seconds);
  return n;
}

static void free_file(void *context)
{
  struct file_body *body = context;
  close(body->file.fd);
  free(body);
}

static struct MHD_Response *file_response(struct incoming *in)
{
  struct file_body *body = malloc(sizeof *body);
  if (body == NULL)
    return NULL;
  *body = (struct file_body){.file = in->x.reply.file, .conn = in->conn, .front = in->front};
  struct MHD_Response *response =
      MHD_create_response_from_callback(body->file.size, FILE_BLOCK, read_file, body, free_file);
  if (response == NULL)
    free(body);
  else
    in->x.reply.file = (struct reply_file){0};
  return response;
}

/* --- a body that is there --- */

static void free_secret(void *context)
{
  struct buf *body = context;
  buf_wipe(body);
  free(body);
}

/* libmicrohttpd frees a body without wiping it: so it is told how. */
static struct MHD_Response *secret_response(struct buf *body)
{
  struct buf *own = malloc(sizeof *own);
  if (own == NULL)
    return NULL;
  *own = *body;
  struct MHD_Response *response =
      MHD_create_response_from_buffer_with_free_callback_cls(own->len, own->data, free_secret, own);
  if (response == NULL)
    free(own);
  else
    *body = (struct buf){0};
  return response;
}

static struct MHD_Response *body_response(struct reply *reply)
{
  if (reply->body.len == 0)
    return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
  if (reply->secret)
    return secret_response(&reply->body);
  struct MHD_Response *response =
      MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
  if (response != NULL)
    reply->body = (struct buf){0};
  return response;
}

static struct MHD_Response *make_response(struct incoming *in)
{
  if (in->x.reply.file.given)
    return file_response(in);
  return in->x.reply.stream.next != NULL ? stream_response(in) : body_response(&in->x.reply);
}

/* --- headers --- */

enum { CACHE_CONTROL_SIZE = 80 };

static const char *cache_control(const struct reply *reply, char out[CACHE_CONTROL_SIZE])
{
  if (reply->cache_control != NULL)
    return reply->cache_control;
  if (reply->max_age_s == 0)
    return "no-store";
  snprintf(out, CACHE_CONTROL_SIZE, "public, max-age=%u%s", reply->max_age_s,
           reply->expires_at != 0 ? ", no-transform, must-revalidate" : "");
  return out;
}

static bool add_headers(struct MHD_Response *response, const struct incoming *in)
{
  const struct reply *reply = &in->x.reply;
  char retry_after[12] = "", caching[CACHE_CONTROL_SIZE], modified[HTTP_DATE_SIZE] = "",
       expires[HTTP_DATE_SIZE] = "";
  if (reply->retry_after_s > 0)
    snprintf(retry_after, sizeof retry_after, "%u", reply->retry_after_s);
  if (reply->modified_at != 0)
    http_date_text(modified, reply->modified_at);
  if (reply->expires_at != 0)
    http_date_text(expires, reply->expires_at);
  const struct {
    const char *name, *value;
  } headers[] = {
      {MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type},
      {"X-Request-Id", in->x.request_id},
      {MHD_HTTP_HEADER_CACHE_CONTROL, cache_control(reply, caching)},
      {MHD_HTTP_HEADER_ETAG, reply->etag},
      {MHD_HTTP_HEADER_LAST_MODIFIED, modified},
      {"Repr-Digest", reply->repr_digest},
      {MHD_HTTP_HEADER_EXPIRES, expires},
      {"X-Content-Type-Options", "nosniff"},
      {MHD_HTTP_HEADER_LOCATION, reply->location},
      {MHD_HTTP_HEADER_RETRY_AFTER, retry_after},
      {MHD_HTTP_HEADER_ALLOW, reply->allow},
      {MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->www_authenticate},
      {MHD_HTTP_HEADER_CONNECTION, in->close ? "close" : NULL},
  };
  for (size_t i = 0; i < ARRAY_LEN(headers); i++)
    if (headers[i].value != NULL && headers[i].value[0] != '\0' &&
        MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
      return false;
  return true;
}

enum MHD_Result front_send(struct incoming *in)
{
  struct reply *reply = &in->x.reply;
  size_t len = reply->body.len;
  struct MHD_Response *response = make_response(in);
  if (response == NULL)
    return MHD_NO;
  in->close = in->close || in->front->quiescing; /* asked once: what follows must agree on it */
  front_tls_hold_back(in, len);
  in->sent_status = reply->status;
  front_set_deadline(in->conn, in->front->request_seconds);
  enum MHD_Result queued = add_headers(response, in)
                               ? MHD_queue_response(in->connection, reply->status, response)
                               : MHD_NO;
  MHD_destroy_response(response);
  return queued;
}
