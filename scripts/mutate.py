#!/usr/bin/env python3
"""Removes each guard of src/decide/interlock.rs in turn and runs the tests of the rules: every removal must make one fail.

    scripts/mutate.py            all guards; exit code 1 when one can be removed unnoticed
    scripts/mutate.py I2         only the guards whose text begins so

Works on a copy under target/mutate, whose builds are incremental, and leaves the tree alone. Runs tests/decide first and
the optimised proofs of the interlocks only when that notices nothing. Takes about a minute for each guard.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "mutate"
GUARDS = pathlib.Path("src/decide/interlock.rs")
# A removed guard that makes a test run for ever is stopped, and counts as noticed.
LIMIT_S = 900
OPTIMISED = ["--config", "profile.dev.package.minectl.opt-level=2"]
# The same flags for both, so that neither makes the other build anew.
RUNS = [["--test", "decide"], ["--test", "proof", "stories"]]


def mutations(text):
    """Each guard's text, with the file as it is without that guard."""
    for found in re.finditer(r'Some\("(I\d+: [^"]+)"\)', text):
        name, start, end = found.group(1), found.start(), found.end()
        before, after = text[:start], text[end:]
        if before.endswith("=> ") or re.search(r"(=>|else) \{\s*(return )?$", before):
            yield name, before + "None" + after
        elif before.endswith("=> return "):
            yield name, before.removesuffix("return ") + "{}" + after
        elif re.search(r"return $", before):
            # `return Some(...);` inside an `if`: the block becomes empty.
            yield name, before[: before.rindex("return ")] + after.removeprefix(";")
        else:
            sys.exit(f"{GUARDS}: `{name}` is written in a way that this script does not know")


def copy_tree():
    """Brings the copy up to date; what has not changed keeps its time, so that cargo builds no more than it must."""
    COPY.mkdir(parents=True, exist_ok=True)
    for name in ["src", "tests", "templates", "cron"]:
        wanted = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*") if path.is_file()}
        have = {path.relative_to(COPY) for path in (COPY / name).rglob("*") if path.is_file()}
        for path in have - wanted:
            (COPY / path).unlink()
        for path in wanted:
            put(path, (ROOT / path).read_bytes())
    for name in ["Cargo.toml", "Cargo.lock", "config.txt", "clippy.toml", "README.md", "CONTRIBUTING.md"]:
        if (ROOT / name).exists():
            put(pathlib.Path(name), (ROOT / name).read_bytes())


def put(path, content):
    target = COPY / path
    if target.exists() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def run(arguments):
    """Runs tests; returns the exit code (None when out of time) and the output."""
    command = ["cargo", "test", "--locked", "--quiet", *OPTIMISED, *arguments]
    try:
        done = subprocess.run(command, cwd=COPY, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def failures(out):
    return sorted(set(re.findall(r"^    (\w+::\w+)$", out, re.M)))


def judge(name):
    """Runs the tests on the copy as it is; returns whether the removal is noticed, and prints by what."""
    for arguments in RUNS:
        code, out = run(arguments)
        failed = failures(out)
        if code is None:
            print(f"caught     {name}: the tests do not end", flush=True)
            return True
        if code != 0 and not failed:
            print(f"BROKEN     {name}: the copy does not build or its tests crash\n{out[-1500:]}", flush=True)
            return False
        if failed:
            shown = ", ".join(failed[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
            print(f"caught     {name}: {shown}", flush=True)
            return True
    print(f"UNNOTICED  {name}", flush=True)
    return False


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else "I"
    copy_tree()
    text = (ROOT / GUARDS).read_text()
    chosen = [(name, mutated) for name, mutated in mutations(text) if name.startswith(wanted)]
    if not chosen:
        sys.exit(f"no guard of {GUARDS} begins with `{wanted}`")
    for arguments in RUNS:
        code, out = run(arguments)
        if code != 0:
            sys.exit(f"the tests fail with every guard in place: {', '.join(failures(out)) or out[-1500:]}")
    unnoticed = 0
    try:
        for name, mutated in chosen:
            put(GUARDS, mutated.encode())
            unnoticed += not judge(name)
    finally:
        put(GUARDS, text.encode())
    print(f"{unnoticed} of {len(chosen)} guards can be removed unnoticed")
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
