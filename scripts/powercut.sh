#!/usr/bin/env bash
# Cuts the power in a run at every point: records what a run writes (strace), and plays it back up to each point with the
# writes since the last sync dropped, torn, or kept in part. After each cut a run is started: it must end well, go on
# with the call that is under way, and say on the page what was lost; what was saved before must be there.
#
#   scripts/powercut.sh [CUTS]     at most so many cuts, spread over the run (default: each point, three ways each)
#
# Exit code 1 when something was broken. What it found is in target/powercut/result.txt. Linux only. PROFILE=dev takes
# the unoptimised build.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
-h | --help) usage && exit 0 ;;
esac
FOLDER=$TARGET/powercut
PROFILE=${PROFILE:-release}
BUILT=$TARGET/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")

need_build_tools
need_packages /usr/bin/python3=python3 strace=strace
say "Building ..."
(cd "$ROOT" && cargo build --profile "$PROFILE" --locked --quiet --bin minectl --example site)

rm -rf "$FOLDER"
mkdir -p "$FOLDER"
SITE_PID=
trap 'if [ -n "$SITE_PID" ]; then kill "$SITE_PID"; fi' EXIT
unset MINECTL_TEST_BOOT
MINECTL_TEST_CLOCK="$(date +%s.%N):1795370400:60"
export MINECTL_TEST_CLOCK
start_site_somewhere "$BUILT/examples/site" "$FOLDER" "27000 28000 29000 30000 31000" --clock "$MINECTL_TEST_CLOCK"
adapted_config "$FOLDER/config.txt"
chmod 600 "$FOLDER/config.txt"
python3 "$ROOT/scripts/powercut_replay.py" "$BUILT/minectl" "$FOLDER" "$BASE" "${1:-0}" | tee "$FOLDER/result.txt"
