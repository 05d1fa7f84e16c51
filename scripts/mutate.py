#!/usr/bin/env python3
"""Removes each guard of src/decide/interlock.rs in turn and runs the tests of the rules: every removal must make one fail.

    scripts/mutate.py            all guards; exit code 1 when one can be removed unnoticed
    scripts/mutate.py I2         only the guards whose text begins so

Works on a copy under target/mutate and leaves the tree alone. Takes about half a minute for each guard.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "mutate"
GUARDS = pathlib.Path("src/decide/interlock.rs")


def mutations(text):
    """Each guard's text, with the file as it is without that guard."""
    for found in re.finditer(r'Some\("(I\d: [^"]+)"\)', text):
        name, start, end = found.group(1), found.start(), found.end()
        before, after = text[:start], text[end:]
        if before.endswith("=> "):
            yield name, before + "None" + after
        elif re.search(r"else \{\s*return $", before):
            yield name, before + "None" + after
        else:
            # `return Some(...);` inside an `if`: the block becomes empty.
            yield name, before[: before.rindex("return ")] + after.removeprefix(";")


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else "I"
    COPY.mkdir(parents=True, exist_ok=True)
    for name in ["src", "tests", "templates"]:
        shutil.rmtree(COPY / name, ignore_errors=True)
        shutil.copytree(ROOT / name, COPY / name)
    for name in ["Cargo.toml", "Cargo.lock", "config.txt", "clippy.toml", "README.md"]:
        shutil.copy(ROOT / name, COPY / name)
    text = (ROOT / GUARDS).read_text()
    unnoticed = 0
    for name, mutated in mutations(text):
        if not name.startswith(wanted):
            continue
        (COPY / GUARDS).write_text(mutated)
        command = ["cargo", "test", "--quiet", "--test", "decide"]
        run = subprocess.run(command, cwd=COPY, capture_output=True, text=True)
        out = run.stdout + run.stderr
        failed = sorted(set(re.findall(r"^    (\w+::\w+)$", out, re.M)))
        if run.returncode == 0:
            unnoticed += 1
            print(f"UNNOTICED  {name}", flush=True)
        elif not failed:
            print(f"BROKEN     {name}: the copy does not build\n{out[-1500:]}", flush=True)
            unnoticed += 1
        else:
            print(f"caught     {name}: {', '.join(failed)}", flush=True)
    print(f"{unnoticed} guards can be removed unnoticed")
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
