#!/usr/bin/env python3
"""station.py - a station of the production line asks Mintmark for a widget's certificate.

Nothing but the standard library. The widget has made its key and its request (CSR); the station
adds what goes on the record and writes the chain that comes back:

  station.py --url https://10.1.0.2:8443 --root root.crt --token line-3.token \\
      --serial W-1001 --ip 10.1.1.68 --order PO-7781 --csr W-1001.csr --out W-1001.chain.pem

It may be run again at any time, after a crash or a power cut too: the same request gets the same
certificate. Exit codes: 0 done, 1 refused (do not try again), 3 not now (try again later).
"""
import argparse
import http.client
import json
import os
import random
import ssl
import sys
import time
import urllib.parse

DONE, REFUSED, NOT_NOW = 0, 1, 3


def ask_once(url, context, token, body):
    """One try: (status, headers, body). OSError or HTTPException: no answer came."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname, parts.port or 443, timeout=30,
                                             context=context)
    try:
        connection.request("POST", "/v1/certificates", body, {
            "Authorization": "Bearer " + token,
            "Content-Type": "application/json",
            "Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def retry_after(headers):
    try:
        return max(0.0, float(headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0


def ask(url, context, token, body, patience_s):
    """Asks until there is an answer that will not change. None: there was none in time.

    The body is the same octets each time: that is what makes the retry safe. Whether the first
    request was lost, or only its answer, the ledger has one row in the end.
    """
    deadline = time.monotonic() + patience_s
    pause = 0.2
    while True:
        wait = 0.0
        try:
            status, headers, answer = ask_once(url, context, token, body)
            if status not in (429, 503):
                return status, answer
            wait = retry_after(headers)
        except ssl.SSLCertVerificationError as wrong:
            sys.exit("%s is not the daemon that root.crt vouches for: %s" % (url, wrong))
        except (OSError, http.client.HTTPException):
            pass
        # A little chance, so that a line of stations does not come back all at once.
        wait = max(wait, pause) * random.uniform(1.0, 1.3)
        if time.monotonic() + wait > deadline:
            return None
        time.sleep(wait)
        pause = min(2 * pause, 5.0)


def write_whole(path, text):
    """The widget's loader never sees half a file."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def read_arguments():
    parser = argparse.ArgumentParser(description="asks Mintmark for a widget's certificate")
    for name in ("url", "root", "token", "serial", "csr", "out"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--ip", action="append", default=[])
    parser.add_argument("--dns", action="append", default=[])
    parser.add_argument("--profile", default="device-server")
    parser.add_argument("--order")
    parser.add_argument("--model")
    parser.add_argument("--rework", action="store_true",
                        help="the widget has a certificate, and a new key since")
    parser.add_argument("--patience", type=float, default=120, help="seconds [120]")
    return parser.parse_args()


def make_body(arguments):
    with open(arguments.csr, encoding="ascii") as file:
        request = {"csr": file.read(), "device_serial": arguments.serial,
                   "profile": arguments.profile, "ip_sans": arguments.ip,
                   "dns_sans": arguments.dns, "replace": arguments.rework}
    for name in ("order", "model"):
        if getattr(arguments, name):
            request[name] = getattr(arguments, name)
    return json.dumps(request).encode()


def explain(status, answer):
    """A problem document (RFC 9457) says what is wrong, name by name."""
    try:
        problem = json.loads(answer)
        lines = ["%s: %s" % (problem["code"], problem["detail"])]
        lines += ["  %(name)s: %(why)s" % error for error in problem.get("errors", [])]
        return "\n".join(lines)
    except (ValueError, KeyError, TypeError):
        return "status %d" % status


def main():
    arguments = read_arguments()
    with open(arguments.token, encoding="ascii") as file:
        token = file.read().strip()
    # This root and no other; the name in the URL is checked.
    context = ssl.create_default_context(cafile=arguments.root)
    result = ask(arguments.url, context, token, make_body(arguments), arguments.patience)
    if result is None:
        print("no answer in %g s; run this again" % arguments.patience, file=sys.stderr)
        return NOT_NOW
    status, answer = result
    if status not in (200, 201):
        print(explain(status, answer), file=sys.stderr)
        return REFUSED
    reply = json.loads(answer)
    write_whole(arguments.out, reply["certificate"] + "".join(reply["ca_chain"]))
    print("%s has certificate %s%s" % (arguments.serial, reply["serial_number"],
                                       "" if status == 201 else ", as before"))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
