"""The killing part of scripts/kill.sh: starts runs, kills them at random moments, and judges what is left.

    kill_runs.py MINECTL FOLDER BASE_PORT KILLS SEED

Exit code 1 when something was broken.
"""

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

MINECTL, FOLDER, BASE, KILLS, SEED = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
DATA = FOLDER / "data"
# Runs between two turns of the signal: the miners get all the way down, and often all the way back.
TURN_EVERY = 40
CURTAIL, RUN = 342, 250
REAL, SITE, RATE = (float(part) for part in os.environ["MINECTL_TEST_CLOCK"].split(":"))

dice = random.Random(SEED)
broken = []
counts = Counter()


def site_time():
    return SITE + (time.time() - REAL) * RATE


def minectl(*words):
    return subprocess.run([MINECTL, "--config", str(FOLDER / "config.txt"), *words], capture_output=True, text=True, timeout=120)


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{BASE}{path}", data=data, timeout=60) as answer:
        return json.load(answer)


def complain(what):
    broken.append(what)
    print(f"BROKEN after {counts['kills']} kills: {what}", flush=True)
    if len(broken) > 10:
        sys.exit(1)


class Left:
    """What a run left in the database."""

    def __init__(self):
        said = minectl("db", "export")
        self.opens = said.returncode == 0
        if not self.opens:
            complain(f"the store does not open: {said.stderr.strip()}")
        self.records = {}
        for line in said.stdout.splitlines():
            record = json.loads(line)
            if "kind" in record:
                self.records.setdefault(record["kind"], {})[record["key"]] = record["record"]
        self.events = self.records.get("event", {})
        self.messages = self.records.get("message", {})
        self.state = self.records.get("state", {}).get("")
        self.intents = self.records.get("intents", {}).get("", {"at": None, "commands": []})
        if self.opens and counts["completed"] and not self.state:
            complain("the state is lost")
        aside = sorted(path.name for path in DATA.glob("db.bad-*"))
        if aside:
            complain(f"a database was set aside: {aside}")

    def last_pass(self):
        return ((self.state or {}).get("last_pass") or {}).get("wall", 0)


def words_of(command, boards):
    """A saved command as the site names it: device and what."""
    (kind, of), = command.items()
    if kind == "fan":
        board, relay = boards[of["fan"]]
        return board, f"relay {relay}={0 if of['on'] else 1}"
    if kind == "miner":
        return "foreman", f"miner {of['miner']} {of['mode']}"
    if kind == "outlet":
        return of["outlet"]["pdu"], f"outlet {of['outlet']['outlet']} {'on' if of['on'] else 'off'}"
    return of["pdu"], "bank off"


def fan_boards():
    boards, fan = {}, None
    for line in (FOLDER / "config.txt").read_text().splitlines():
        key, _, value = (part.strip().strip('"') for part in line.partition("="))
        if line.strip() == "[[fan]]":
            fan = {}
        elif fan is not None and key in ("number", "board", "relay"):
            fan[key] = value
            if len(fan) == 3:
                boards[int(fan["number"])] = (fan["board"], fan["relay"])
                fan = None
    return boards


def starts_miners(what):
    return (what.startswith("outlet") and what.endswith(" on")) or what.endswith((" normal", " low", " high"))


class Judge:
    """What must hold over all runs."""

    def __init__(self):
        self.boards = fan_boards()
        self.before = Left()
        self.commands = len(control("/commands"))
        self.waiting = {}
        self.curtail_since = None
        self.runs_since_turn = 0

    def turn(self, number):
        control("/set", {"signal_number": number})
        self.curtail_since = site_time() if number == CURTAIL else None
        self.runs_since_turn = 0

    def look(self, began, was_killed):
        left = Left()
        lost = [key for key, event in self.before.events.items() if left.events.get(key, event) != event or key not in left.events]
        lost = [key for key in lost if self.before.events[key]["at"] > began - 7 * 86400 + 3600]
        if lost:
            complain(f"{len(lost)} events are lost, such as {self.before.events[lost[0]]}")
        if left.last_pass() < self.before.last_pass():
            complain(f"a completed pass is lost: {self.before.last_pass()} became {left.last_pass()}")
        self.waiting.update({(key, entry["channel"]): entry for key, entry in left.messages.items()})
        self.judge_commands(left, began, was_killed)
        self.before = left

    def judge_commands(self, left, began, was_killed):
        everything = control("/commands")
        fresh = [c for c in everything[self.commands:] if c["accepted"] and not c["what"].endswith("settings")]
        self.commands = len(everything)
        counts["commands"] += len(fresh)
        # Saving the intent saves the state of that pass with it.
        if fresh and left.last_pass() < began - RATE:
            complain(f"{len(fresh)} commands went out before anything was saved, such as {fresh[0]}")
        saved = {words_of(command, self.boards) for command in left.intents["commands"]}
        if was_killed and saved and (left.intents["at"] or {}).get("wall", 0) >= began:
            counts["killed under way"] += 1
            # An earlier pass of this run has recorded what came of its own commands; the last ones are here.
            late = [c for c in fresh if c["time"] > left.intents["at"]["wall"] + RATE]
            others = [c for c in late if (c["device"], c["what"]) not in saved]
            if others:
                complain(f"{len(others)} commands are in no intent, such as {others[0]}")
        if self.curtail_since is not None and self.runs_since_turn > 1:
            started = [c for c in fresh if starts_miners(c["what"])]
            if started:
                complain(f"miners were started during a call: {started[0]}")
            truth = control("/state")
            watts = sum(truth["spdu_watts"])
            stopped = [c for c in fresh if c["what"].startswith("relay") and c["what"].endswith("=1")]
            if stopped and watts > 50_000:
                complain(f"a fan was stopped while the miners draw {watts:.0f} W: {stopped[0]}")


def run(kill_after=None):
    """One run; returns when it began (site time), whether it was killed, and how long it took."""
    began, clock = site_time(), time.monotonic()
    process = subprocess.Popen(
        [MINECTL, "--config", str(FOLDER / "config.txt"), "tick"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, err = process.communicate(timeout=kill_after if kill_after is not None else 120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        # What it had sent may still be on its way to the site.
        time.sleep(0.05)
        return began, True, time.monotonic() - clock
    if process.returncode not in (0, 1) or out or err:
        complain(f"a run ended with exit code {process.returncode}: {out} {err}")
    return began, False, time.monotonic() - clock


whole = max(run()[2] for _ in range(3))
counts["completed"] += 3
judge = Judge()
judge.turn(CURTAIL)
runs = 0
while counts["kills"] < KILLS:
    runs += 1
    if runs % TURN_EVERY == 0:
        judge.turn(RUN if judge.curtail_since is not None else CURTAIL)
    judge.runs_since_turn += 1
    began, was_killed, took = run(None if runs % 3 == 0 else dice.uniform(0, whole))
    counts["kills" if was_killed else "completed"] += 1
    if not was_killed:
        whole = whole * 0.9 + took * 0.1
    judge.look(began, was_killed)
    if was_killed and counts["kills"] % 200 == 0:
        print(f"{counts['kills']} kills, {counts['completed']} whole runs, {len(judge.before.events)} events", flush=True)

# Whatever waited comes out once runs are left alone.
for _ in range(60):
    run()
    counts["completed"] += 1
    if not Left().messages:
        break
heard = json.dumps(control("/recorded"), ensure_ascii=False)
for (key, channel), entry in judge.waiting.items():
    first = json.dumps(entry["notice"]["text"].splitlines()[0], ensure_ascii=False)[1:-1]
    if first not in heard:
        complain(f"message {key} by {channel} never arrived: {first}")
rows = minectl("history", "--since", "20 days", "--series", "curtail", "--format", "csv").stdout.count("\n") - 1
if rows < counts["completed"]:
    complain(f"{counts['completed']} whole runs left {rows} lines of history")
checked = minectl("db", "check")
if checked.returncode != 0:
    complain(checked.stdout)
print(
    f"{counts['kills']} runs killed ({counts['killed under way']} with commands under way), {counts['completed']} whole runs, "
    f"{counts['commands']} commands, {len(judge.before.events)} events, {len(judge.waiting)} messages, {rows} lines of history: "
    f"{'nothing lost, nothing broken' if not broken else str(len(broken)) + ' broken'}"
)
sys.exit(1 if broken else 0)
