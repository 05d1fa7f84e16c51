"""The runs of scripts/soak.sh.

    soak_run.py MINECTL FOLDER BASE_PORT DAYS SEED

Exit code 1 when a call was missed, a run took longer than its budget, or something grew without bound.
"""

import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

MINECTL, FOLDER, BASE, DAYS, SEED = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
# Sunday 2026-11-22, 12:00 in Chicago.
START, INTERVAL_S, DAY_S = 1_795_370_400, 120, 86_400
# Within a run the site's clock goes this much faster than the real one.
RATE = 40
RUNS_A_DAY = DAY_S // INTERVAL_S
# A run's budget is time at the site; waits for devices are real time, and the longest of them is Foreman's.
BUDGET_S, WAIT_S = 105, 10
# By when the mine must be off after the page changed, whatever fails meanwhile; and what it may draw then, in watts.
DEADLINE_S, OFF_W = 900, 20_000
RUN_NUMBER, CALL_NUMBER = 250, 342
MEMORY_MB, DATABASE_MB, LOG_MB = 32, 3, 26
# What may fail without being an excuse for a missed call, and for how many runs at most.
FAULTS = [
    ("room-alert", "hang"), ("room-alert", "500"), ("room-alert", "frozen"), ("iotawatt", "refuse"),
    ("iotawatt", "stalled-null"), ("relays-a", "reset"), ("relays-b", "hang"), ("foreman", "hang"), ("foreman", "500"),
    ("spdu-c", "hang"), ("signal", "500"), ("signal", "hang"), ("telegram", "refuse"), ("twilio", "500"),
    ("smtp", "451"), ("dead-man", "hang"),
]  # fmt: skip
FAULT_RUNS_MAX = 3

TICK = [MINECTL, "--config", str(FOLDER / "config.txt"), "tick"]
chance = random.Random(SEED)


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    answer = urllib.request.urlopen(f"http://127.0.0.1:{BASE}{path}", data=data, timeout=60)
    return json.loads(answer.read())


def set_clock(site):
    clock = f"{time.time():.3f}:{site}:{RATE}"
    os.environ["MINECTL_TEST_CLOCK"] = clock
    control("/clock", {"clock": clock})


def tick():
    """One process: exit code, seconds, MB of memory at most, KB given to the disk."""
    note = FOLDER / "time.txt"
    began = time.monotonic()
    # Its own figures say nothing of this program's memory, as those of a child of ours would.
    subprocess.run(["/usr/bin/time", "-f", "%M %O %x", "-o", str(note), *TICK], check=False)
    took = time.monotonic() - began
    kilobytes, blocks, code = note.read_text().split("\n")[-2].split()
    return int(code), took, int(kilobytes) / 1024, int(blocks) / 2


def size_mb(*names):
    files = [file for name in names for file in FOLDER.glob(name)]
    files += [inner for file in files if file.is_dir() for inner in file.rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def calls_of(day):
    """Begin and end of the day's calls, in seconds of the day; most afternoons have one, some days two."""
    calls = []
    if chance.random() < 0.7:
        begin = chance.uniform(13, 18) * 3600
        calls.append((begin, begin + chance.uniform(0.5, 4) * 3600))
    if chance.random() < 0.2:
        begin = chance.uniform(1, 8) * 3600
        calls.append((begin, begin + chance.uniform(0.3, 2) * 3600))
    return calls


class Soak:
    def __init__(self):
        self.calls, self.missed, self.codes, self.faults = 0, [], {}, 0
        self.longest, self.memory, self.written = 0.0, 0.0, 0.0
        self.calling_since, self.fault_left = None, 0
        self.sizes = []

    def signal(self, in_call, at):
        if in_call == (self.calling_since is not None):
            return
        self.calling_since = at if in_call else None
        self.calls += in_call
        control("/set", {"signal_number": CALL_NUMBER if in_call else RUN_NUMBER})

    def fault(self):
        if self.fault_left > 0:
            self.fault_left -= 1
            if self.fault_left == 0:
                control("/fault/clear", {})
        elif chance.random() < 0.01:
            device, kind = chance.choice(FAULTS)
            control("/fault", {"device": device, "kind": kind})
            self.fault_left = chance.randint(1, FAULT_RUNS_MAX)
            self.faults += 1

    def one_run(self, at, day, of_day, calls):
        self.signal(any(begin <= of_day < end for begin, end in calls), at)
        self.fault()
        set_clock(at)
        code, took, memory, written = tick()
        self.codes[code] = self.codes.get(code, 0) + 1
        self.longest, self.memory = max(self.longest, took), max(self.memory, memory)
        self.written += written
        if self.calling_since is not None and at - self.calling_since >= DEADLINE_S:
            watts = sum(control("/state")["spdu_watts"])
            if watts > OFF_W:
                self.missed.append(f"day {day + 1}, {of_day / 3600:.1f} h: {watts / 1000:.0f} kW")

    def one_day(self, day):
        calls = calls_of(day)
        weather = {"outdoor_c": chance.uniform(-15, 28), "day_swing_c": chance.uniform(2, 8)}
        control("/set", weather)
        began = time.monotonic()
        self.written, runs = 0.0, RUNS_A_DAY
        for number in range(runs):
            of_day = number * INTERVAL_S
            self.one_run(START + day * DAY_S + of_day, day, of_day, calls)
        sizes = [size_mb("data/db*"), size_mb("data/history"), size_mb("minectl.log*"), size_mb("data")]
        self.sizes.append(sizes)
        print(
            f"{day + 1:4} {weather['outdoor_c']:6.1f} {len(calls):5} {self.memory:7.1f} {self.longest:9.1f}"
            f" {self.written / runs:8.1f}" + "".join(f" {size:8.2f}" for size in sizes)
            + f" {(time.monotonic() - began):7.0f}",
            flush=True,
        )  # fmt: skip


soak = Soak()
control("/set", {"signal_number": RUN_NUMBER})
print(" day  out C calls  RSS MB longest s KB/run  db MB  history   log MB  data MB  real s")
for day in range(DAYS):
    soak.one_day(day)

wrong = []
if soak.missed:
    wrong.append(f"{len(soak.missed)} runs of calls with the mine on after {DEADLINE_S} s")
if soak.longest > BUDGET_S / RATE + WAIT_S + 1:
    wrong.append(f"a run took {soak.longest:.1f} s")
for name, value, limit in [
    ("memory", soak.memory, MEMORY_MB),
    ("database", max(sizes[0] for sizes in soak.sizes), DATABASE_MB),
    ("log", max(sizes[2] for sizes in soak.sizes), LOG_MB),
]:
    if value > limit:
        wrong.append(f"{name}: {value:.1f} MB, at most {limit} MB are allowed")
if set(soak.codes) - {0, 1}:
    wrong.append(f"exit codes {soak.codes}")
print(f"{DAYS} days, seed {SEED}: {soak.calls} calls, {soak.faults} faults, exit codes {soak.codes}")
print(f"missed: {len(soak.missed)}", *soak.missed[:20], sep="\n  ")
print("FAILED: " + "; ".join(wrong) if wrong else "PASSED")
sys.exit(bool(wrong))
