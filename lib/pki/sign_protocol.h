/* sign_protocol.h - what mintmarkd and mintmark-keyd say to each other, in frames of lib/base/wire.
 * A reply has the id of its request. Whatever is not laid out as here ends the connection.
 *
 *   SIGN_REQUEST    key: 32 octets, SHA-256 over the signing key's SubjectPublicKeyInfo
 *                   count: u16, 1 to SIGN_BATCH_MAX
 *                   count times   kind: u8 (enum sign_kind), tbs: bytes (length u32, octets)
 *   SIGN_REPLY      count: u16, as asked
 *                   count times   status: u8 (enum sign_status),
 *                                 bytes: the signature, or the reason as text without a NUL
 *   PROBE_REQUEST   key: 32 octets
 *   PROBE_REPLY     status: u8, bytes: empty, or the reason
 *   COUNT_REQUEST   key: 32 octets
 *                   recorded: u64, how many certificates of this key the asker's ledger has
 *   COUNT_REPLY     status: u8
 *                   bytes: when done, three u64: the certificates that the key has signed, the
 *                   highest `recorded` that it was ever told, and the highest cRLNumber that it
 *                   has signed; otherwise the reason
 *
 *   HELLO_REQUEST   nothing
 *   HELLO_REPLY     keys: u16, how many of them there are
 *
 * There is no message that signs a digest or octets of the peer's choice, and none that asks for a
 * key. */
#pragma once

enum { SIGN_KEY_SHA256_LEN = 32, SIGN_BATCH_MAX = 64 };

/* The longest payloads: a CRL of 64 MiB with what stands around it; a full batch of signatures. */
enum {
  SIGN_CRL_MAX = 64 * 1024 * 1024,
  SIGN_REQUEST_MAX = SIGN_CRL_MAX + 64 * 1024,
  SIGN_REPLY_MAX = 128 * 1024
};

enum sign_message {
  SIGN_REQUEST = 1,
  SIGN_REPLY = 2,
  PROBE_REQUEST = 3,
  PROBE_REPLY = 4,
  COUNT_REQUEST = 5,
  COUNT_REPLY = 6,
  HELLO_REQUEST = 7,
  HELLO_REPLY = 8
};

enum sign_kind { SIGN_CERTIFICATE = 1, SIGN_CRL = 2 };

/* Zero is neither: a reply that was never filled in says nothing good. */
enum sign_status {
  SIGN_DONE = 1,
  SIGN_REFUSED = 2, /* and will be again */
  SIGN_LATER = 3    /* the signatures of this hour are used up */
};
