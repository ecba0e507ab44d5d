#!/usr/bin/env python3
"""Receives Mintmark's events: verifies each one, drops repeats, and prints it as a line.

Put a TLS server in front of it, or run it beside the daemon with url = "http://127.0.0.1:PORT/".
A real one keeps what it has had in its database, in the transaction that uses it.
"""

import argparse
import hashlib
import hmac
import http.server
import json
import threading
import time

SIZE_MAX = 64 * 1024
AGE_MAX_S = 300


def is_genuine(secret, signature, body, now):
    """True for what the daemon signed, lately; False for anything else, whatever it is."""
    try:
        fields = dict(item.split("=", 1) for item in signature.split(","))
        text = fields["t"].encode() + b"." + body
        want = hmac.new(secret, text, hashlib.sha256).hexdigest()
        fresh = abs(now - int(fields["t"])) <= AGE_MAX_S
        return hmac.compare_digest(want.encode(), fields["v1"].encode()) and fresh
    except (KeyError, ValueError):
        return False


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    secret = b""
    lock = threading.Lock()
    last_id = 0

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > SIZE_MAX:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(int(length))
        signature = self.headers.get("Mintmark-Signature", "")
        if not is_genuine(self.secret, signature, body, time.time()):
            return self.answer(403)
        # They come in order: what is not larger was here before.
        event_id = json.loads(body)["id"]
        with self.lock:
            if event_id > Receiver.last_id:
                print(body.decode(), flush=True)
                Receiver.last_id = event_id
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--secret", required=True, help="the webhook's secret_file")
    parser.add_argument("--port", type=int, default=8080, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--port-file", help="write the port into this file")
    args = parser.parse_args()
    with open(args.secret, "rb") as file:
        Receiver.secret = file.read().strip(b"\r\n")
    # The daemon keeps its connection: one thread alone would have no time for anybody else.
    server = http.server.ThreadingHTTPServer(("127.0.0.1", args.port), Receiver)
    if args.port_file:
        with open(args.port_file, "w", encoding="ascii") as file:
            file.write(f"{server.server_port}\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
