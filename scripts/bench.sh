#!/usr/bin/env bash
# What one run of minectl costs, beside a plain Python loop that does the same reads: wall time, CPU time, memory, bytes
# written. Every device of the simulated site answers after 50 ms. Both are run in turn, and medians are printed.
#
#   scripts/bench.sh [RUNS]           default 21; writes target/bench/result.txt as well
#   scripts/bench.sh devices [RUNS]   a run with 1, 10, 100 and 500 PDUs, and with one, five and all devices hanging;
#                                     default 9; takes about 6 minutes and writes target/bench/devices.txt as well
#   scripts/bench.sh page [RUNS]      how long the page takes to draw with 30 days of history, and its size (default 21)
#   scripts/bench.sh store [RUNS]     only the store, beside SQLite and CSV files doing the same work (default 101)
#
# Says whether the aims are met: wall time at most the slowest device + 100 ms (with 100 PDUs + 150 ms), CPU at most a
# tenth of the Python loop, memory at most 24 MB; with devices that hang, the run ends inside its budget. Exit code 1 when
# one is not.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what=table
case ${1:-} in
-h | --help) usage && exit 0 ;;
devices | page)
    what=$1
    shift
    ;;
esac
if [ "${1:-}" = store ]; then
    need_build_tools
    need_packages /usr/bin/python3=python3 /usr/include/sqlite3.h=libsqlite3-dev mkfs.ext4=e2fsprogs
    say "Building ..."
    (cd "$ROOT" && cargo build --release --locked --quiet --example bench_store)
    (cd "$ROOT/tests/bench_peers" && cargo build --release --locked --quiet --target-dir "$TARGET/bench-peers")
    folder=$TARGET/bench-store
    rm -rf "$folder" "$folder.img" "$folder.txt"
    mkdir -p "$folder"
    truncate -s 600M "$folder.img"
    mkfs.ext4 -q "$folder.img"
    device=
    if mount -o loop "$folder.img" "$folder" 2>/dev/null; then
        trap 'umount "$folder"; rm -f "$folder.img"' EXIT
        device=$(basename "$(findmnt -no SOURCE "$folder")")
    else
        trap 'rm -f "$folder.img"' EXIT
        say "No file system of its own (needs root): bytes are those of the processes alone."
    fi
    /usr/bin/python3 "$ROOT/scripts/bench_store.py" "$TARGET/release/examples/bench_store" \
        "$TARGET/bench-peers/release/bench-peers" "$folder" "${2:-101}" "$device" | tee "$folder.txt"
    exit "${PIPESTATUS[0]}"
fi
RUNS=${1:-$([ "$what" = devices ] && echo 9 || echo 21)}
FOLDER=$TARGET/bench
VENV=$TARGET/bench-venv

need_build_tools
need_packages /usr/bin/python3=python3 /usr/bin/time=time
if [ "$what" = table ]; then
    need_packages /usr/share/doc/python3-venv=python3-venv
fi
if [ "$what" = table ] && ! "$VENV/bin/python" -c 'import requests' 2>/dev/null; then
    say "Installing the Python package requests into $VENV"
    /usr/bin/python3 -m venv "$VENV" && "$VENV/bin/pip" install --quiet requests
fi
say "Building ..."
(cd "$ROOT" && cargo build --release --locked --quiet --bin minectl --example site)

rm -rf "$FOLDER"
mkdir -p "$FOLDER"
SITE_PID=
trap 'if [ -n "$SITE_PID" ]; then kill "$SITE_PID"; fi' EXIT
start_site_somewhere "$TARGET/release/examples/site" "$FOLDER" "32000 33000 34000 35000"
adapted_config "$FOLDER/config.txt"
# As cron starts it.
export "$(grep ^MALLOC_ARENA_MAX= "$ROOT/cron/minectl.cron")"
unset MINECTL_TEST_CLOCK MINECTL_TEST_BOOT
if [ "$what" = devices ]; then
    /usr/bin/python3 "$ROOT/scripts/bench_devices.py" "$TARGET/release/minectl" "$FOLDER" "$BASE" "$RUNS" |
        tee "$FOLDER/devices.txt"
    exit
fi
if [ "$what" = page ]; then
    control /set '{"signal_number": 262}'
    /usr/bin/python3 "$ROOT/scripts/bench_page.py" "$TARGET/release/minectl" "$FOLDER" "$RUNS" | tee "$FOLDER/page.txt"
    exit
fi
control /set '{"signal_number": 262, "delay_ms": 50}'
"$VENV/bin/python" "$ROOT/scripts/bench_measure.py" "$TARGET/release/minectl" "$FOLDER" "$BASE" "$RUNS" |
    tee "$FOLDER/result.txt"
