#!/usr/bin/env bash
# Kills whole runs at random moments against the simulated site while calls come and go, and looks after each kill:
# the store opens again, no completed run, event or message is lost, no command went out before it was saved, and the
# interlocks hold. Another run in three is left to its end.
#
#   scripts/kill.sh [KILLS] [SEED]     default 2000; exit code 1 when something was broken, with the story so far
#
# It takes about a second a kill. What it found is in target/kill/result.txt, the data folder beside it.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
-h | --help) usage && exit 0 ;;
esac
FOLDER=$TARGET/kill

# An unoptimised build does as well, and is there already: PROFILE=dev.
PROFILE=${PROFILE:-release}
BUILT=$TARGET/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")

need_build_tools
need_packages /usr/bin/python3=python3
say "Building ..."
(cd "$ROOT" && cargo build --profile "$PROFILE" --locked --quiet --bin minectl --example site)

rm -rf "$FOLDER"
mkdir -p "$FOLDER"
SITE_PID=
trap 'if [ -n "$SITE_PID" ]; then kill "$SITE_PID"; fi' EXIT
unset MINECTL_TEST_BOOT
# A minute of the site a second: a call takes half a minute.
MINECTL_TEST_CLOCK="$(date +%s.%N):1795370400:60"
export MINECTL_TEST_CLOCK
start_site_somewhere "$BUILT/examples/site" "$FOLDER" "21000 22000 23000 24000 25000 26000" --clock "$MINECTL_TEST_CLOCK"
adapted_config "$FOLDER/config.txt"
# Each message is looked for by its words, so none may be summed up with others.
sed -i "s/^max_per_hour = .*/max_per_hour = 1000/" "$FOLDER/config.txt"
chmod 600 "$FOLDER/config.txt"
control /set '{"signal_number": 250, "outdoor_c": 15}'
python3 "$ROOT/scripts/kill_runs.py" "$BUILT/minectl" "$FOLDER" "$BASE" "${1:-2000}" "${2:-1}" |
    tee "$FOLDER/result.txt"
