"""The measuring part of `scripts/bench.sh devices`: how long a run takes as the number of devices grows, and when some
of them say nothing at all.

    bench_devices.py MINECTL FOLDER BASE_PORT RUNS

The simulated site at BASE_PORT is everything but the PDUs of the first part: those are a server here, each at a loopback
address of its own, answering after 50 ms with 48 outlets. Exit code 1 when an aim is missed.
"""

import asyncio
import datetime
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

MINECTL, FOLDER, BASE, RUNS = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
DELAY_S = 0.050
COUNTS = [1, 10, 100, 500]
# The aim at 100 devices; at 500 it is printed beside.
OVER_SLOWEST_MS = 150
OUTLETS = 48
# As much as an outlet draws, and all of them together: more than the fans can cool would be a call, told to people.
OUTLET_W, MINE_W = 3300.5, 950_000
INTERVAL_S = 120
# The site's clock is set on by an interval before each run: a run that comes too early tells so, and telling takes time.
origin = int(time.time())
intervals = 0


def control(path, body):
    urllib.request.urlopen(f"http://127.0.0.1:{BASE}{path}", data=json.dumps(body).encode(), timeout=20).read()


def next_interval():
    """Sets the clock of the site, of the PDUs and of minectl on; returns what it shows."""
    global intervals
    intervals += 1
    shown = origin + INTERVAL_S * intervals
    clock = f"{int(time.time())}:{shown}:1"
    os.environ["MINECTL_TEST_CLOCK"] = clock
    control("/clock", {"clock": clock})
    # The site's physics have caught up when it answers; this lets the machine come to rest.
    time.sleep(0.3)
    return datetime.datetime.fromtimestamp(shown, datetime.timezone.utc)


class Pdus(asyncio.Protocol):
    """Any PDU: whatever is asked, after the delay all its outlets are said to be on."""

    body = b""

    def connection_made(self, transport):
        self.transport, self.asked = transport, b""

    def data_received(self, data):
        self.asked += data
        if b"\r\n\r\n" in self.asked:
            asyncio.get_running_loop().call_later(DELAY_S, self.answer)

    def answer(self):
        if not self.transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            self.transport.write(head % len(Pdus.body) + Pdus.body)
            self.transport.close()


def outlets(now, pdus):
    """What each of so many PDUs says."""
    watts = min(OUTLET_W, MINE_W / (pdus * OUTLETS))
    at = now.isoformat().replace("+00:00", "Z")
    rows = [
        {"id": n, "label": f"m-{n:03}", "notes": "", "status": True, "curCons": watts, "warning": False,
         "autoReset": False, "minThreshold": 0, "maxThreshold": 0, "total": 120, "updateTime": at, "type": 1}
        for n in range(1, OUTLETS + 1)
    ]
    return json.dumps(rows).encode()


def address(n):
    return f"127.0.{1 + n // 250}.{1 + n % 250}"


def serve():
    """Starts the PDUs on a thread; returns their port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ready = threading.Event()

    async def main():
        hosts = [address(n) for n in range(max(COUNTS))]
        server = await asyncio.get_running_loop().create_server(Pdus, hosts, port, backlog=1024)
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    if not ready.wait(20):
        sys.exit("bench: the PDUs do not start")
    return port


def config(name, pdus, port, mode):
    """A configuration of its own, with its own folders; `pdus` of None: the site's own six."""
    folder = FOLDER / name
    folder.mkdir()
    text = (FOLDER / "config.txt").read_text()
    text = re.sub(r'(?m)^(data|page|log) = "(.*)"$', rf'\1 = "{name}/\2"', text)
    text = re.sub(r'(?m)^mode = ".*"$', f'mode = "{mode}"', text)
    if pdus is not None:
        start, end = text.index("\n[[pdu]]\n"), text.index("\n# Any other PDU")
        sections = "".join(
            f'\n[[pdu]]\nname = "pdu-{n}"\nurl = "http://{address(n)}:{port}"\npreset = "digital-shovel"\n'
            f'token = "site-spdu-token"\noutlets = ["1-{OUTLETS}"]\n'
            for n in range(pdus)
        )
        comments = text[:start].rstrip("\n")
        text = comments + "\n" + sections + text[end:]
    path = FOLDER / f"{name}.txt"
    path.write_text(text)
    return path


def tick(path, pdus=1, limit=130):
    """One run with so many PDUs of ours: wall s, CPU s, MB of memory at most."""
    Pdus.body = outlets(next_interval(), pdus)
    note = FOLDER / "time.txt"
    began = time.monotonic()
    words = ["/usr/bin/time", "-f", "%e %U %S %M %x", "-o", str(note), MINECTL, "--config", str(path), "tick"]
    try:
        subprocess.run(words, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        sys.exit(f"bench: a run with {path.name} did not end within {limit} s")
    wall = time.monotonic() - began
    _, user, system, kilobytes, code = note.read_text().split("\n")[-2].split()
    if code not in ("0", "1"):
        sys.exit(f"bench: a run with {path.name} ended with exit code {code}")
    return wall, float(user) + float(system), int(kilobytes) / 1024


def answers(name):
    """How long each device took, in the last run."""
    text = (FOLDER / name / "page/metrics.prom").read_text()
    return [float(s) for s in re.findall(r'^minectl_device_answer_seconds\{device="[^"]*"\} ([0-9.]+)$', text, re.M)]


met = True


def aim(good, words):
    global met
    met &= good
    print(f"{'PASS' if good else 'FAIL'}  {words}")


def growing():
    port = serve()
    control("/set", {"signal_number": 262, "delay_ms": int(DELAY_S * 1000)})
    print(f"{'PDUs':>6}{'devices':>9}{'wall ms':>9}{'slowest ms':>12}{'over ms':>9}{'to 1 PDU':>10}{'CPU ms':>8}{'memory MB':>11}")
    first = None
    for count in COUNTS:
        name = f"pdus-{count}"
        path = config(name, count, port, "observe")
        for _ in range(2):
            tick(path, count)
        runs, slowest, devices = [], [], 0
        for _ in range(RUNS):
            # Foreman takes one call a second at each endpoint.
            time.sleep(1)
            runs.append(tick(path, count))
            took = answers(name)
            slowest.append(max(took))
            devices = len(took)
        wall, cpu, memory = [statistics.median(column) for column in zip(*runs)]
        slow = statistics.median(slowest)
        over = statistics.median(run[0] - slow for run, slow in zip(runs, slowest)) * 1000
        first = first or wall
        print(f"{count:>6}{devices:>9}{wall * 1000:>9.0f}{slow * 1000:>12.0f}{over:>9.0f}{wall / first:>10.2f}{cpu * 1000:>8.0f}{memory:>11.1f}")
        if count <= 100:
            aim(over <= OVER_SLOWEST_MS, f"{count} PDUs: at most the slowest device + {OVER_SLOWEST_MS} ms")


def hanging():
    text = (FOLDER / "config.txt").read_text()
    budget = int(re.search(r'(?m)^budget = "(\d+) s"$', text).group(1))
    faults = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{BASE}/faults", timeout=20).read())
    everything = [device for device, known in faults.items() if "hang" in known]
    pdus = [f"spdu-{letter}" for letter in "abcdef"]
    print(f"{'hanging':<34}{'runs':>5}{'wall s, longest':>17}{'budget s':>10}")
    for name, devices, runs in [
        ("one", pdus[:1], 3), ("five", pdus[:5], 3), ("all", everything, 2),
    ]:
        control("/fault/clear", {})
        path = config(f"hanging-{name}", None, 0, "live")
        for _ in range(2):
            tick(path)
        for device in devices:
            control("/fault", {"device": device, "kind": "hang"})
        longest = max(tick(path)[0] for _ in range(runs))
        control("/fault/clear", {})
        what = f"{name} ({devices[0]})" if len(devices) == 1 else f"{name} ({len(devices)}: {devices[0]} to {devices[-1]})"
        print(f"{what:<34}{runs:>5}{longest:>17.1f}{budget:>10}")
        aim(longest <= budget, f"{name} hanging: the run ends inside its budget")


print(f"{RUNS} runs each, medians; every answer takes {DELAY_S * 1000:.0f} ms; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
growing()
print()
hanging()
print(f"load at the end {os.getloadavg()[0]:.1f}")
sys.exit(0 if met else 1)
