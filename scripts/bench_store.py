"""The measuring part of `scripts/bench.sh store`: what a run does with the store, by minectl, by SQLite and by CSV files.

    bench_store.py BENCH_STORE FOLDER RUNS
    bench_store.py sqlite|csv FOLDER NOW      one run of the others, in a process of its own

Every run is a process of its own: load what is remembered, append 45 samples, save (each tenth run with an event), read
the last 24 hours. Times are those within the process, without its start. Bytes are what the kernel was given for the disk
(write_bytes in /proc/PID/io). Exit code 1 when an aim is missed.
"""

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

SERIES, DAY, INTERVAL = 45, 86400, 120
START = 1_795_305_600
# State as minectl saves it, about: a little over four kilobytes.
STATE = json.dumps({"last_pass": 0, "cut": [{"pdu": f"spdu-{n // 24}", "outlet": str(n % 24)} for n in range(144)]})


def samples(now):
    """As a mine has them: switches, fans, PDUs, temperatures."""
    noise = [(now // 120 * 7919 + n * 104729) % 1000 for n in range(SERIES)]
    switches = [float(now // DAY % 2 == 0)] * 18
    return switches + [1400 + v / 10 for v in noise[18:27]] + [160_000.0 + v for v in noise[27:33]] + [15 + v / 100 for v in noise[33:]]


def by_sqlite(folder, now):
    began = time.perf_counter()
    for save in (False, True):
        # Two openings, as minectl has two: the database is never held while devices are read.
        db = sqlite3.connect(folder / "store.sqlite", isolation_level=None)
        db.execute("pragma synchronous = full")
        if not save:
            db.execute("create table if not exists state (id integer primary key, value text)")
            db.execute("create table if not exists events (id integer primary key, at integer, value text)")
            db.execute(f"create table if not exists history (at integer primary key, {', '.join(f's{n} real' for n in range(SERIES))})")
            db.execute("select value from state").fetchall()
            db.execute("select value from events order by id desc limit 60").fetchall()
            load = time.perf_counter() - began
        else:
            saving = time.perf_counter()
            db.execute("begin immediate")
            db.execute("insert or replace into state values (1, ?)", (STATE,))
            if now // 120 % 10 == 0:
                db.execute("insert into events (at, value) values (?, ?)", (now, f"something changed at {now}"))
                db.execute("delete from events where at < ?", (now - 7 * DAY,))
            db.execute(f"insert into history values (?{', ?' * SERIES})", (now, *samples(now)))
            db.execute("commit")
            save_took = time.perf_counter() - saving
            reading = time.perf_counter()
            rows = db.execute("select * from history where at >= ?", (now - DAY,)).fetchall()
            read = time.perf_counter() - reading
        db.close()
    return began, load, save_took, read, len(rows) * SERIES


def by_csv(folder, now):
    began = time.perf_counter()
    state = folder / "state.json"
    if state.exists():
        json.loads(state.read_text())
    load = time.perf_counter() - began
    saving = time.perf_counter()
    (folder / "history").mkdir(exist_ok=True)
    with open(folder / f"history/{now // DAY}.csv", "a") as file:
        file.write(",".join([str(now), *(f"{value:.3f}" for value in samples(now))]) + "\n")
        file.flush()
        os.fdatasync(file.fileno())
    if now // 120 % 10 == 0:
        with open(folder / "events.jsonl", "a") as file:
            file.write(json.dumps({"at": now, "text": f"something changed at {now}"}) + "\n")
            file.flush()
            os.fdatasync(file.fileno())
    with open(folder / "state.new", "w") as file:
        file.write(STATE)
        file.flush()
        os.fsync(file.fileno())
    os.rename(folder / "state.new", state)
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    save = time.perf_counter() - saving
    reading = time.perf_counter()
    points = 0
    for day in (now // DAY - 1, now // DAY):
        path = folder / f"history/{day}.csv"
        for line in path.read_text().splitlines() if path.exists() else []:
            fields = line.split(",")
            if int(fields[0]) >= now - DAY:
                points += len([float(field) for field in fields[1:]])
    return began, load, save, time.perf_counter() - reading, points


if sys.argv[1] in ("sqlite", "csv"):
    began, load, save, read, points = (by_sqlite if sys.argv[1] == "sqlite" else by_csv)(Path(sys.argv[2]), int(sys.argv[3]))
    took = {"all": time.perf_counter() - began, "load": load, "save": save, "read": read}
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
    print(json.dumps({name: value * 1000 for name, value in took.items()} | {"points": points, "peak_kb": int(peak)}))
    sys.exit(0)

BENCH, FOLDER, RUNS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
STORES = {
    "minectl": [BENCH, "tick"],
    "SQLite": [sys.executable, __file__, "sqlite"],
    "CSV files": [sys.executable, __file__, "csv"],
}


def one(words):
    """One process: what it said, KB given to the disk."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode != 0:
        sys.exit(f"bench: `{' '.join(words)}` ended with exit code {process.returncode}")
    return json.loads(text), usage.ru_oublock / 2


def size_kb(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1024


# A day of history for each, so that 24 hours can be read.
day_before = [START - DAY + n * INTERVAL for n in range(DAY // INTERVAL)]
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
(FOLDER / "CSV files/history").mkdir()
(FOLDER / f"CSV files/history/{START // DAY - 1}.csv").write_text(day_file(START - DAY).split("\n", 1)[1])
by_sqlite(FOLDER / "SQLite", START - 2 * DAY)
db = sqlite3.connect(FOLDER / "SQLite/store.sqlite")
db.executemany(f"insert into history values (?{', ?' * SERIES})", ((now, *samples(now)) for now in day_before))
db.commit()
db.close()

measured = {name: [] for name in STORES}
for run in range(RUNS + 5):
    for name, words in STORES.items():
        found = one([*words, str(FOLDER / name), str(START + run * INTERVAL)])
        # The first runs make the files, sum the day before up, and compact.
        if run >= 5:
            measured[name].append(found)

load_average = os.getloadavg()[0]
print(f"{RUNS} runs of each in turn, medians; {os.cpu_count()} cores, load {load_average:.1f}; SQLite {sqlite3.sqlite_version}, synchronous=full")
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
memory = row("peak memory, MB", lambda found: found[0]["peak_kb"] / 1024)
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
