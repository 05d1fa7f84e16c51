"""The measuring part of scripts/bench.sh page: fills the history with 30 days and draws the page again and again.

    bench_page.py MINECTL FOLDER RUNS

Exit code 1 when an aim is missed.
"""

import datetime
import random
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

MINECTL, FOLDER, RUNS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
DAYS, INTERVAL_S = 30, 120
DRAWN_MS_MAX, BYTES_MAX = 50.0, 300_000


def minectl(*words):
    done = subprocess.run([MINECTL, "--config", str(FOLDER / "config.txt"), *words], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"bench: `minectl {' '.join(words)}` ended with exit code {done.returncode}: {done.stderr}")
    return done.stdout


def fill(history):
    """Thirty days of runs, each value near the one of the run that was made."""
    today = sorted(history.glob("????-??-??.csv"))[-1]
    header, last = today.read_text().splitlines()[:2]
    levels = [float(value) if value else None for value in last.split(",")[1:]]
    now, chance = int(time.time()), random.Random(7)
    days = {}
    for at in range(now - DAYS * 86_400, now - INTERVAL_S, INTERVAL_S):
        # A call each day for two hours: what is drawn has edges.
        is_off = at % 86_400 < 7200
        values = ["" if level is None else f"{level * (0.02 if is_off and level > 1000 else chance.uniform(0.97, 1.03)):.1f}" for level in levels]
        days.setdefault(at // 86_400, []).append(f"{at},{','.join(values)}")
    for day, lines in days.items():
        name = datetime.datetime.fromtimestamp(day * 86_400, datetime.timezone.utc).strftime("%Y-%m-%d.csv")
        # The run's own line comes behind them.
        path = history / name
        path.write_text("\n".join([header, *lines]) + "\n" + ("\n".join(path.read_text().splitlines()[1:]) + "\n" if path.exists() else ""))
    return len(levels)


minectl("tick")
series = fill(FOLDER / "data/history")
# Each run sums up one day.
for _ in range(DAYS + 1):
    minectl("tick")
read, drawn, size = [], [], 0
for _ in range(RUNS):
    found = re.search(r"read in ([\d.]+) ms, drawn in ([\d.]+) ms, the page has (\d+) bytes", minectl("render"))
    read.append(float(found[1]))
    drawn.append(float(found[2]))
    size = int(found[3])
summed = len(list((FOLDER / "data/history/15min").glob("*.csv")))
print(f"The page with {DAYS} days of history: {series} series, a run every {INTERVAL_S} s, {summed} days summed up; {RUNS} times")
print(f"  read what is kept   {statistics.median(read):6.1f} ms   (shortest {min(read):.1f}, longest {max(read):.1f})")
print(f"  drawn               {statistics.median(drawn):6.1f} ms   (shortest {min(drawn):.1f}, longest {max(drawn):.1f})   aim: less than {DRAWN_MS_MAX:.0f} ms")
print(f"  size                {size:,} bytes   aim: less than {BYTES_MAX:,}")
missed = statistics.median(drawn) >= DRAWN_MS_MAX or size >= BYTES_MAX
print("an aim is missed" if missed else "the aims are met")
sys.exit(missed)
