"""The measuring part of scripts/bench.sh: runs minectl and the Python loop in turn and prints the table.

    bench_measure.py MINECTL FOLDER BASE_PORT RUNS

Exit code 1 when an aim is missed.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

MINECTL, FOLDER, BASE, RUNS = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
WALL_OVER_SLOWEST_S, CPU_SHARE, MEMORY_MB = 0.100, 0.1, 24.0
# Until the fans are where the temperature wants them.
WARM_UP = 8
INTERVAL_S = 120

TICK = [MINECTL, "--config", str(FOLDER / "config.txt"), "tick"]
# The site's clock is set on by an interval before each run, so that a run finds what it finds when cron starts it.
origin = int(time.time())
intervals = 0
LOOP = [sys.executable, str(Path(__file__).with_name("bench_loop.py")), BASE, str(FOLDER / "loop")]


def next_interval():
    """Sets the clock of the site, and of minectl, on."""
    global intervals
    intervals += 1
    clock = f"{origin}:{origin + INTERVAL_S * intervals}:1"
    os.environ["MINECTL_TEST_CLOCK"] = clock
    body = json.dumps({"clock": clock}).encode()
    urllib.request.urlopen(f"http://127.0.0.1:{BASE}/clock", data=body, timeout=20).read()
    # The site's physics have caught up when it answers; this lets the machine come to rest.
    time.sleep(0.3)


def run(words):
    """One process: wall s, CPU s, MB of memory at most, KB given to the disk."""
    # GNU time starts it, for the memory: a process that Python starts counts Python's own memory as its peak.
    note = FOLDER / "time.txt"
    began = time.monotonic()
    process = subprocess.Popen(["/usr/bin/time", "-f", "%M %x", "-o", str(note), *words])
    _, code, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(code)
    last = note.read_text().split("\n")[-2].split()
    if process.returncode != 0:
        sys.exit(f"bench: `{' '.join(words)}` ended with exit code {process.returncode}")
    # Blocks of 512 bytes that were made dirty, as /proc/PID/io counts in write_bytes.
    return wall, usage.ru_utime + usage.ru_stime, int(last[0]) / 1024, usage.ru_oublock / 2


def slowest_device():
    text = (FOLDER / "page/metrics.prom").read_text()
    seconds = re.findall(r'^minectl_device_answer_seconds\{device="([^"]*)"\} ([0-9.]+)$', text, re.M)
    return max((float(value), name) for name, value in seconds)


def size_kb(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1024


def written_by_tick():
    """What a run leaves behind beside the database: the page's files."""
    return size_kb(FOLDER / "page")


(FOLDER / "loop").mkdir()
for _ in range(WARM_UP):
    next_interval()
    run(TICK)
time.sleep(1)
run(LOOP)

ticks, loops, slowest = [], [], []
for _ in range(RUNS):
    # Both within one interval, so that minectl sees a run every two minutes.
    next_interval()
    ticks.append(run(TICK))
    slowest.append(slowest_device())
    # Foreman takes one call a second at each endpoint.
    time.sleep(1)
    loops.append(run(LOOP))
time.sleep(1)
further = subprocess.run([*LOOP, str(RUNS)], capture_output=True, text=True, check=True).stdout.split()
further_cpu = statistics.median(float(value) for value in further)

tick = [statistics.median(column) for column in zip(*ticks)]
loop = [statistics.median(column) for column in zip(*loops)]
slow = statistics.median(value for value, _ in slowest)
over = statistics.median(ours[0] - device[0] for ours, device in zip(ticks, slowest))
rows = [
    ("wall time", "ms", 1000),
    ("CPU time (user + system)", "ms", 1000),
    ("peak memory", "MB", 1),
    ("written to disk", "KB", 1),
]
load = os.getloadavg()[0]
print(f"{RUNS} runs of each in turn, medians; every answer takes 50 ms; {os.cpu_count()} cores, load {load:.1f}")
print(f"{'':<28}{'minectl tick':>14}{'Python loop':>14}{'ratio':>9}")
for (name, unit, factor), ours, theirs in zip(rows, tick, loop):
    ratio = f"{ours / theirs:9.2f}" if theirs else f"{'-':>9}"
    print(f"{name + ', ' + unit:<28}{ours * factor:>14.1f}{theirs * factor:>14.1f}{ratio}")
print(f"{'CPU of a further pass, ms':<28}{'':>14}{further_cpu * 1000:>14.1f}{tick[1] / further_cpu:9.2f}   (Python left running)")
print(f"{'data folder after the runs':<28}{size_kb(FOLDER / 'data'):>11.0f} KB{size_kb(FOLDER / 'loop'):>11.0f} KB")
print(f"{'of it the database':<28}{size_kb(FOLDER / 'data/db') if (FOLDER / 'data/db').exists() else float('nan'):>11.0f} KB")
print(f"{'page, drawn at each run':<28}{written_by_tick():>11.0f} KB   (part of what is written; in memory on the Pi)")
print(f"slowest device: `{slowest[-1][1]}`, {slow * 1000:.0f} ms")

aims = [
    (f"wall time at most the slowest device + {WALL_OVER_SLOWEST_S * 1000:.0f} ms", over * 1000, WALL_OVER_SLOWEST_S * 1000, "ms more"),
    ("CPU at most a tenth of the Python loop", tick[1] * 1000, loop[1] * 1000 * CPU_SHARE, "ms"),
    (f"memory at most {MEMORY_MB:.0f} MB", tick[2], MEMORY_MB, "MB"),
]
met = True
for name, value, limit, unit in aims:
    good = value <= limit
    met &= good
    print(f"{'met    ' if good else 'NOT met'}  {name}: {value:.1f} of {limit:.1f} {unit}")
sys.exit(0 if met else 1)
