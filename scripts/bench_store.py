"""The measuring part of `scripts/bench.sh store`: what a run does with the store, by minectl, by SQLite and by CSV files.

    bench_store.py BENCH_STORE BENCH_PEERS FOLDER RUNS [DEVICE]

Every run is a process of its own: load what is remembered, append 45 samples, save (each tenth run with an event), read
the last 24 hours. Times are those within the process, without its start. DEVICE (loop0, say) is the block device of which
FOLDER is the only user: then bytes are the sectors that it was given until everything is on it, the file system's own
included. Without it they are what the kernel was given by the process (write_bytes in /proc/PID/io). Exit code 1 when an
aim is missed.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

SERIES, DAY, INTERVAL = 45, 86400, 120
START = 1_795_305_600


def samples(now):
    """As a mine has them: switches, fans, PDUs, temperatures."""
    noise = [(now // 120 * 7919 + n * 104729) % 1000 for n in range(SERIES)]
    switches = [float(now // DAY % 2 == 0)] * 18
    return switches + [1400 + v / 10 for v in noise[18:27]] + [160_000.0 + v for v in noise[27:33]] + [15 + v / 100 for v in noise[33:]]


BENCH, PEERS, FOLDER, RUNS = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
DEVICE = sys.argv[5] if len(sys.argv) > 5 else ""
STORES = {
    "minectl": [BENCH, "tick"],
    "SQLite": [PEERS, "sqlite"],
    "CSV files": [PEERS, "csv"],
}


def on_device():
    """KB that the device was given so far."""
    subprocess.run(["sync", "-f", str(FOLDER)], check=True)
    return int(Path(f"/sys/block/{DEVICE}/stat").read_text().split()[6]) / 2


def one(words):
    """One process: what it said, KB given to the disk."""
    before = on_device() if DEVICE else 0
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode != 0:
        sys.exit(f"bench: `{' '.join(words)}` ended with exit code {process.returncode}")
    return json.loads(text), on_device() - before if DEVICE else usage.ru_oublock / 2


def size_kb(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1024


# A day of history for each, so that 24 hours can be read.
for name in STORES:
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
header = "time_unix_s," + ",".join(f"series.{n}_w" for n in range(SERIES)) + "\n"


def day_file(day_start):
    lines = [",".join([str(now), *(f"{v:.3f}".rstrip("0").rstrip(".") for v in samples(now))]) for now in range(day_start, day_start + DAY, INTERVAL)]
    return header + "\n".join(lines) + "\n"


def name_of(day_start):
    return time.strftime("%Y-%m-%d", time.gmtime(day_start))


(FOLDER / "minectl/history").mkdir()
(FOLDER / f"minectl/history/{name_of(START - DAY)}.csv").write_text(day_file(START - DAY))
for name in ("SQLite", "CSV files"):
    subprocess.run([*STORES[name], str(FOLDER / name), str(START - DAY), str(DAY // INTERVAL)], stdout=subprocess.DEVNULL, check=True)

measured = {name: [] for name in STORES}
for run in range(RUNS + 5):
    for name, words in STORES.items():
        found = one([*words, str(FOLDER / name), str(START + run * INTERVAL)])
        # The first runs make the files, sum the day before up, and compact.
        if run >= 5:
            measured[name].append(found)

load_average = os.getloadavg()[0]
print(f"{RUNS} runs of each in turn, medians; {os.cpu_count()} cores, load {load_average:.1f}; SQLite by rusqlite, synchronous=full")
print("bytes: sectors of a device of its own, the file system's included" if DEVICE else "bytes: those of the processes, without the file system's own")
print(f"{'':<26}" + "".join(f"{name:>12}" for name in STORES) + f"{'to SQLite':>12}{'to CSV':>10}")


def row(title, pick):
    values = [statistics.median(pick(found) for found in measured[name]) for name in STORES]
    ratios = [f"{values[0] / value:.2f}" if value else "-" for value in values[1:]]
    print(f"{title:<26}" + "".join(f"{value:>12.2f}" for value in values) + f"{ratios[0]:>12}{ratios[1]:>10}")
    return values


whole = row("all of it, ms", lambda found: found[0]["all"])
row("  load, ms", lambda found: found[0]["load"])
row("  save, ms", lambda found: found[0]["save"])
day_read = row("  24 h read, ms", lambda found: found[0]["read"])
written = row("written a run, KB", lambda found: found[1])
row("peak memory, MB", lambda found: found[0]["peak_kb"] / 1024)
memory = row("  by the store, MB", lambda found: (found[0]["peak_kb"] - found[0]["bare_kb"]) / 1024)
print(f"database after the runs: {size_kb(FOLDER / 'minectl/db'):.0f} KB, of SQLite with its history {size_kb(FOLDER / 'SQLite'):.0f} KB")

# --- how it grows ----------------------------------------------------------------------------------------------------

grown = FOLDER / "grown"
(grown / "history").mkdir(parents=True)
sizes = {}
today = START
for day in range(3 * 365):
    today = START + day * DAY
    (grown / f"history/{name_of(today)}.csv").write_text(day_file(today))
    if day % 10 == 9 or day + 1 in (30, 365, 1095):
        subprocess.run([BENCH, "keep", str(grown), str(today + DAY), "12"], check=True)
    if day + 1 in (30, 365, 1095):
        sizes[day + 1] = size_kb(grown / "history") / 1024
print("history after a month, a year, three years: " + ", ".join(f"{size:.1f} MB" for size in sizes.values()))
reads, _ = one([BENCH, "read", str(grown), str(today + DAY - INTERVAL)])
print("reading all 45 series of it: " + ", ".join(f"{name} {value:.1f} ms" for name, value in reads.items()))

# In three years nothing but the history's hours grows.
aims = [
    ("wall time at most 3 times SQLite's", whole[0], 3 * whole[1], "ms"),
    ("written at most 180 KB a run", written[0], 180, "KB"),
    ("written at most 1.2 times SQLite's", written[0], 1.2 * written[1], "KB"),
    ("memory by the store at most 5 MB", memory[0], 5, "MB"),
    ("database at most 3 MB", size_kb(FOLDER / "minectl/db") / 1024, 3, "MB"),
    ("history at most 40 MB after a year", sizes[365], 40, "MB"),
    ("24 h read in 3 ms", reads["day"], 3, "ms"),
    ("30 d read in 20 ms", reads["month_quarters"], 20, "ms"),
    ("2 years of hours read in 100 ms", reads["years"], 100, "ms"),
]
met = True
for title, value, limit, unit in aims:
    good = value <= limit
    met &= good
    print(f"{'met    ' if good else 'NOT met'}  {title}: {value:.1f} of {limit:.1f} {unit}")
shutil.rmtree(grown)
sys.exit(0 if met else 1)
