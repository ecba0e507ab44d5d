"""pair.py BUILD OTHER-BUILD [ROUNDS [OPTION...]] - which build takes less CPU for a certificate? Both run
mintmark-bench at the same time, with 32 connections each: what the host does to one, it does to the other. In
turns, each round of 8 seconds may differ by a tenth from the next; at the same time, by a few hundredths. A
BUILD is a folder with mintmark-bench in it, OPTIONs are for both."""
import json, statistics, subprocess, sys

if len(sys.argv) < 3 or sys.argv[1] == "--help":
    sys.exit(__doc__)
builds, rounds, options = sys.argv[1:3], int((sys.argv[3:] or ["6"])[0]), sys.argv[4:]


def start(build):
    command = [f"{build}/mintmark-bench", "-c", "32", "-T", "8", "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def result(bench):
    output = bench.communicate()[0]
    if bench.returncode != 0:
        sys.exit(f"{bench.args[0]} has failed")
    return json.loads(output)


ratios = []
for _ in range(rounds):
    benches = [start(build) for build in builds]
    one, other = [result(bench)["cpu_us"] for bench in benches]
    ratios.append(one / other)
    print(f"{one:.1f} and {other:.1f} us of CPU a certificate: {one / other:.3f}", flush=True)
print(f"median {statistics.median(ratios):.3f}, mean {statistics.mean(ratios):.3f}")
