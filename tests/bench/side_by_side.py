"""side_by_side.py WORK N NAME KIND URL [PID...] - one row of side_by_side.sh: sends the CSRs of WORK/csr,
eight at a time, and prints the CPU time a certificate of the processes, kernel included."""
import json, os, ssl, subprocess, sys, threading, time, http.client
from urllib.parse import urlparse

work, n, name, kind, url = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
pids = [int(pid) for pid in sys.argv[6:]]
TICK = os.sysconf("SC_CLK_TCK")
csrs = [open(f"{work}/csr/{i}.csr").read() for i in range(n)]


def cpu_s():
    if kind == "openssl":
        times = os.times()
        return times.children_user + times.children_system
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def mintmark(connection, i, token):
    body = json.dumps({"csr": csrs[i], "device_serial": f"W-{i}",
                       "ip_sans": [f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"]})
    connection.request("POST", "/v1/certificates", body,
                       {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    reply = connection.getresponse()
    return reply.read() and reply.status == 201


def cfssl(connection, i, _):
    body = json.dumps({"certificate_request": csrs[i],
                       "hosts": [f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"]})
    connection.request("POST", "/api/v1/cfssl/sign", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    return json.loads(reply.read())["success"]


def openssl(_, i, __):
    return subprocess.run(["openssl", "x509", "-req", "-in", f"{work}/csr/{i}.csr", "-CA", f"{work}/ca/issuing.crt",
                           "-CAkey", f"{work}/ca/keys/issuing.key", "-days", "825", "-out", os.devnull],
                          stderr=subprocess.DEVNULL).returncode == 0


def connect():
    to = urlparse(url)
    if kind == "openssl":
        return None
    if to.scheme == "https":
        return http.client.HTTPSConnection(to.netloc, context=ssl.create_default_context(cafile=f"{work}/ca/root.crt"))
    return http.client.HTTPConnection(to.netloc)


def station(first, failures):
    token = open(f"{work}/ca/admin.token").read().strip()
    ask, connection = {"mintmark": mintmark, "cfssl": cfssl, "openssl": openssl}[kind], connect()
    for i in range(first, n, 8):
        if not ask(connection, i, token):
            failures.append(i)


failures, threads = [], []
before, begun = cpu_s(), time.monotonic()
for first in range(8):
    threads.append(threading.Thread(target=station, args=(first, failures)))
    threads[-1].start()
for thread in threads:
    thread.join()
took, used = time.monotonic() - begun, cpu_s() - before
if failures:
    sys.exit(f"{name}: {len(failures)} of {n} were refused")
print(f"{name:40} {used / n * 1e6:8.0f} us of CPU a certificate {n / took:8.0f} a second")
