#!/usr/bin/env bash
# Weeks in minutes: minectl as real processes, one each two minutes of site time, against the simulated site with a week's
# weather, calls on most afternoons, and devices that fail now and then. The clock is set on from outside before each run.
#
#   scripts/soak.sh [DAYS] [SEED]   default 30 and 1; a day takes about a minute; writes target/soak/result.txt as well
#
# Prints memory, growth of database, history and log, bytes written, the longest run, and each call that was missed.
# Exit code 1 when a call was missed, a run took longer than its budget, or something grew without bound.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
-h | --help) usage && exit 0 ;;
esac
DAYS=${1:-30}
SEED=${2:-1}
FOLDER=$TARGET/soak

need_build_tools
need_packages /usr/bin/python3=python3 /usr/bin/time=time
say "Building ..."
(cd "$ROOT" && cargo build --release --locked --quiet --bin minectl --example site)

rm -rf "$FOLDER"
mkdir -p "$FOLDER"
# The page lies in memory, as install.sh has it.
PAGE=$(mktemp -d -p /dev/shm)
SITE_PID=
trap 'rm -rf "$PAGE"; if [ -n "$SITE_PID" ]; then kill "$SITE_PID"; fi' EXIT
start_site_somewhere "$TARGET/release/examples/site" "$FOLDER" "36000 37000 38000 39000"
adapted_config "$FOLDER/config.txt"
# As cron starts it.
export "$(grep ^MALLOC_ARENA_MAX= "$ROOT/cron/minectl.cron")"
sed -i "s#^page = .*#page = \"$PAGE\"#" "$FOLDER/config.txt"
chmod 600 "$FOLDER/config.txt"
/usr/bin/python3 "$ROOT/scripts/soak_run.py" "$TARGET/release/minectl" "$FOLDER" "$BASE" "$DAYS" "$SEED" |
    tee "$FOLDER/result.txt"
