"""The replaying part of scripts/powercut.sh: records the writes of a run, cuts them off everywhere, and judges.

    powercut_replay.py MINECTL FOLDER BASE_PORT CUTS

Exit code 1 when something was broken.

What a cut may leave: a write is on the card once its file was synced after it. Of later writes any sector of 512 bytes
may have arrived or not. Names (made, renamed, removed) arrive in order; a sync of a file or a folder brings all of them
before it. `sync_file_range` is no promise.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

MINECTL, FOLDER, BASE, CUTS_MAX = sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3], int(sys.argv[4])
DATA, START, TRACE = FOLDER / "data", FOLDER / "start", FOLDER / "trace"
SECTOR = 512
WAYS = ("dropped", "torn", "in part")
CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,connect"

broken, counts = [], Counter()


def complain(what):
    broken.append(what)
    print(f"BROKEN: {what}", flush=True)
    if len(broken) > 10:
        sys.exit(1)


def minectl(*words, before=()):
    return subprocess.run([*before, MINECTL, "--config", str(FOLDER / "config.txt"), *words], capture_output=True, text=True, timeout=300)


def tick(before=()):
    ran = minectl("tick", before=before)
    if ran.returncode not in (0, 1) or ran.stdout or (ran.stderr and not before):
        complain(f"a run ended with exit code {ran.returncode}: {ran.stdout}{ran.stderr}")
    return ran


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{BASE}{path}", data=data, timeout=60) as answer:
        return json.load(answer)


# --- what was written -----------------------------------------------------------------------------------------------

QUOTED = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
PATH = re.compile(rb"<((?:\\x[0-9a-f]{2})+)>")


def unhex(text):
    return bytes.fromhex(text.decode().replace("\\x", ""))


def whole_lines():
    """The calls in the order in which they ended."""
    begun = {}
    for line in TRACE.read_bytes().splitlines():
        process, _, call = line.partition(b" ")
        call = call.strip()
        if call.endswith(b"<unfinished ...>"):
            begun[process] = call[: -len(b"<unfinished ...>")]
        elif call.startswith(b"<... "):
            yield begun.pop(process, b"") + call.partition(b"resumed>")[2]
        else:
            yield call


def operations():
    """What touched the data folder: (kind, file, ...), and ("told",) where the first message went out."""
    ends = {}
    telegram = f"htons({int(BASE) + 21})".encode()
    for call in whole_lines():
        name, _, rest = call.partition(b"(")
        result = rest.rpartition(b" = ")[2]
        if name == b"connect":
            if telegram in rest:
                yield ("told",)
            continue
        if result.startswith(b"-"):
            continue
        texts = [unhex(text) for text, _ in QUOTED.findall(rest)]
        held = PATH.search(rest)
        file = os.fsdecode(unhex(held.group(1))) if held else ""
        names = [os.path.join(FOLDER, os.fsdecode(text)) for text in texts]
        ours = lambda path: path == str(DATA) or path.startswith(str(DATA) + "/")
        if name == b"openat":
            path = names[0]
            if ours(path) and b"O_CREAT" in rest and path not in ends and not os.path.exists(str(START) + path[len(str(DATA)):]):
                yield ("make", path)
            if ours(path) and b"O_TRUNC" in rest:
                yield ("length", path, 0)
                ends[path] = 0
        elif name in (b"write", b"pwrite64") and ours(file):
            if name == b"pwrite64":
                place = int(rest.rpartition(b")")[0].rpartition(b",")[2])
            else:
                place = ends.get(file, length_before(file))
            ends[file] = max(ends.get(file, length_before(file)), place + len(texts[0]))
            yield ("write", file, place, texts[0])
        elif name == b"ftruncate" and ours(file):
            length = int(rest.partition(b")")[0].rpartition(b",")[2])
            ends[file] = length
            yield ("length", file, length)
        elif name in (b"fsync", b"fdatasync") and ours(file):
            yield ("sync", file)
        elif name.startswith(b"rename") and ours(names[0]):
            ends[names[1]] = ends.pop(names[0], 0)
            yield ("rename", names[0], names[1])
        elif name in (b"unlink", b"unlinkat", b"rmdir") and names and ours(names[0]):
            ends.pop(names[0], None)
            yield ("remove", names[0])
        elif name.startswith(b"mkdir") and ours(names[0]):
            yield ("folder", names[0])


def length_before(path):
    before = Path(str(START) + path[len(str(DATA)):])
    return before.stat().st_size if before.is_file() else 0


# --- what a cut leaves ----------------------------------------------------------------------------------------------


class Card:
    """The data folder as the card has it: names to contents, changed call by call."""

    def __init__(self, folder):
        self.contents, self.names, self.folders = {}, {}, set()
        for path in sorted(folder.rglob("*")):
            name = str(DATA) + str(path)[len(str(folder)):]
            if path.is_dir():
                self.folders.add(name)
            else:
                self.names[name] = name
                self.contents[name] = bytearray(path.read_bytes())

    def content(self, path):
        return self.contents.setdefault(self.names.setdefault(path, path), bytearray())

    def name_call(self, call):
        kind, path = call[0], call[1]
        if kind == "make" and path not in self.names:
            fresh = path
            while fresh in self.contents:
                fresh += "'"
            self.names[path] = fresh
            self.contents[fresh] = bytearray()
        elif kind == "folder":
            self.folders.add(path)
        elif kind == "remove":
            self.names.pop(path, None)
            self.folders.discard(path)
        elif kind == "rename":
            below = path + "/"
            self.names = {(call[2] + n[len(path):] if n == path or n.startswith(below) else n): c for n, c in self.names.items() if n != call[2]}
            self.folders = {call[2] + n[len(path):] if n == path or n.startswith(below) else n for n in self.folders}

    def write(self, content, place, data, arrived):
        for start in range(0, len(data), SECTOR):
            if not arrived():
                continue
            part = data[start:start + SECTOR]
            if len(content) < place + start + len(part):
                content.extend(bytes(place + start + len(part) - len(content)))
            content[place + start:place + start + len(part)] = part

    def lay_out(self):
        shutil.rmtree(DATA, ignore_errors=True)
        DATA.mkdir()
        for folder in sorted(self.folders):
            Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in self.names.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(self.contents[content])


def after_cut(calls, way, dice):
    """The card after these calls: names as far as a sync brought them (more by chance), writes by what came of them.
    The way `whole` is no cut: everything arrives."""
    named = [n for n, call in enumerate(calls) if call[0] in ("make", "rename", "remove", "folder")]
    last_sync = max((n for n, call in enumerate(calls) if call[0] == "sync"), default=-1)
    later = [n for n in named if n > last_sync]
    if way == "dropped":
        later = []
    elif way == "in part":
        later = later[: dice.randint(0, len(later))]
    kept = {n for n in named if n <= last_sync} | set(later)
    # A file goes by the name it has at the time; which of its writes were synced is settled first.
    file_of, synced, number = {}, {}, 0
    pending = {}
    for n, call in enumerate(calls):
        if call[0] == "rename":
            for path in [p for p in file_of if p == call[1] or p.startswith(call[1] + "/")]:
                file_of[call[2] + path[len(call[1]):]] = file_of.pop(path)
        elif call[0] in ("write", "length"):
            file = file_of.setdefault(call[1], call[1])
            pending.setdefault(file, []).append(n)
        elif call[0] == "sync":
            for m in pending.pop(file_of.get(call[1], call[1]), []):
                synced[m] = True
        elif call[0] == "remove":
            file_of.pop(call[1], None)
        elif call[0] == "make":
            number += 1
            file_of[call[1]] = f"{call[1]}#{number}"
    card = Card(START)
    holder = {name: content for name, content in card.names.items()}
    for n, call in enumerate(calls):
        if call[0] in ("make", "rename", "remove", "folder"):
            if call[0] == "make":
                # Its content exists from now on, whatever becomes of its name.
                fresh = f"{call[1]}#{n}"
                holder[call[1]] = fresh
                card.contents[fresh] = bytearray()
                if n in kept:
                    card.names[call[1]] = fresh
                continue
            if call[0] == "rename":
                for path in [p for p in holder if p == call[1] or p.startswith(call[1] + "/")]:
                    holder[call[2] + path[len(call[1]):]] = holder.pop(path)
            elif call[0] == "remove":
                holder.pop(call[1], None)
            if n in kept:
                card.name_call(call)
            continue
        if call[0] not in ("write", "length"):
            continue
        content = card.contents.setdefault(holder.setdefault(call[1], call[1]), bytearray())
        is_safe = synced.get(n, False)
        chance = {"dropped": 0.0, "torn": 0.5, "in part": 0.85, "whole": 1.0}[way]
        if call[0] == "write":
            card.write(content, call[2], call[3], lambda: is_safe or dice.random() < chance)
        elif is_safe or dice.random() < chance:
            del content[call[2]:]
    return card


# --- the run after it -----------------------------------------------------------------------------------------------


def saved():
    said = minectl("db", "export")
    if said.returncode != 0:
        complain(f"the store does not open: {said.stderr.strip()}")
    records = [json.loads(line) for line in said.stdout.splitlines()]
    return {(r["kind"], r["key"]): r["record"] for r in records if "kind" in r}


def judge(where, events, told_before):
    control("/reset", {})
    control("/set", {"signal_number": 342, "outdoor_c": 15})
    tick()
    asleep = [c for c in control("/commands") if c["what"].endswith("sleeping") or c["what"].startswith("outlet")]
    if not asleep:
        complain(f"{where}: the run after it commanded nothing")
    heard = "\n".join(message["text"] for message in control("/recorded")["telegram"])
    page = (FOLDER / "page/index.html").read_text()
    aside = list(DATA.glob("db.bad-*"))
    records = saved()
    if aside:
        counts["set aside"] += 1
        if "moved to " not in page:
            complain(f"{where}: a database was set aside, and the page does not say so")
    else:
        lost = [key for key in events if key not in records]
        if lost:
            complain(f"{where}: {len(lost)} events of before are lost")
    if not told_before and "curtail" not in heard:
        complain(f"{where}: nobody was told of the call: {heard[:200]}")
    if "nothing is remembered" in json.dumps([r for (kind, _), r in records.items() if kind == "event" and r["at"] > START_AT]):
        counts["booted"] += 1
        complain(f"{where}: the state was lost")


control("/set", {"signal_number": 250, "outdoor_c": 15})
for _ in range(4):
    tick()
# The compaction of the day is part of the recorded run.
(DATA / "db.compacted").unlink(missing_ok=True)
shutil.copytree(DATA, START)
before = saved()
shutil.rmtree(DATA)
shutil.copytree(START, DATA)
events = [key for key in before if key[0] == "event"]
START_AT = max(before[key]["at"] for key in events)
control("/set", {"signal_number": 342})
# Unfinished calls of several threads are put together again by their process.
tick(before=["strace", "-f", "-y", "-xx", "-s", "4000000", "-o", str(TRACE), "-e", f"trace={CALLS}"])
calls = list(operations())
first_told = next((n for n, call in enumerate(calls) if call[0] == "told"), len(calls))
points = range(len(calls) + 1)
cuts = [(point, way) for point in points for way in WAYS]
if CUTS_MAX and len(cuts) > CUTS_MAX:
    cuts = [cuts[n * len(cuts) // CUTS_MAX] for n in range(CUTS_MAX)]
print(f"{len(calls)} calls recorded: {dict(Counter(call[0] for call in calls))}; {len(cuts)} cuts", flush=True)
whole = after_cut(calls, "whole", random.Random(0))
live = {str(p): p.read_bytes() for p in DATA.rglob("*") if p.is_file() and not p.name.startswith(("last-snapshot", "tick.lock", ".new", "db.compacted"))}
for name, content in live.items():
    if "/evidence/" not in name and bytes(whole.contents.get(whole.names.get(name, ""), b"")) != content:
        complain(f"the record is not the run: {name} differs")
for number, (point, way) in enumerate(cuts):
    dice = random.Random(number)
    done = [call for call in calls[:point] if call[0] != "told"]
    after_cut(done, way, dice).lay_out()
    judge(f"cut {point} {way} (after {calls[point - 1][:2] if point else 'nothing'})", events, first_told < point)
    counts["cuts"] += 1
    if counts["cuts"] % 100 == 0:
        print(f"{counts['cuts']} cuts, {counts['set aside']} databases set aside", flush=True)
print(
    f"{counts['cuts']} power cuts: {counts['set aside']} databases set aside and told, state and call kept in all: "
    f"{'nothing broken' if not broken else str(len(broken)) + ' broken'}"
)
sys.exit(1 if broken else 0)
