#!/usr/bin/env bash
# The values of each run, pushed to the real InfluxDB and the real VictoriaMetrics of Debian, and read back from there: a
# service that answers 204 may have thrown all away. tests/system/run.sh calls it; it also runs alone.
#
#   tests/system/influx.sh        prints `ok - ...` or `not ok - ...` for each fact, then `N passed, N failed`
#
# Uses the debug build. Everything lies in a scratch folder and listens on 127.0.0.1.

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

HERE=$ROOT/tests/system
BASES="23000 24000 25000 26000"
for tool in influxd victoria-metrics curl; do
    command -v $tool >/dev/null || fail "\`$tool\` is not installed; scripts/test.sh installs it"
done

SCRATCH=$(mktemp -d /tmp/minectl-influx-XXXXXX)
processes=()
finish() {
    local pid
    for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
    sleep 0.3
    rm -rf "$SCRATCH"
}
trap finish EXIT
trap 'exit 130' INT TERM
unset MINECTL_CONFIG MINECTL_TEST_CLOCK MINECTL_TEST_BOOT

mkdir "$SCRATCH/mine"
start_site_somewhere "$TARGET/debug/examples/site" "$SCRATCH/mine" "$BASES"
processes+=("$SITE_PID")
CONFIG=$SCRATCH/mine/config.txt
adapted_config "$CONFIG"
control /set '{"signal_number": 262}'
INFLUXDB=http://127.0.0.1:$((BASE + 33)) VICTORIA=http://127.0.0.1:$((BASE + 34))
cp "$CONFIG" "$SCRATCH/plain.txt"

# push_to URL: from the next run on.
push_to() { printf '\n[influx]\nurl = "%s"\ntimeout = "5 s"\n' "$1" | cat "$SCRATCH/plain.txt" - >"$CONFIG"; }
minectl() { "$TARGET/debug/minectl" --config "$CONFIG" "$@"; }
kept() { minectl history --since "1 hour" --format json >"$SCRATCH/kept.json"; }
# Each sends all that it has: what was sent before is forgotten.
anew() { rm -f "$SCRATCH/mine/data/pushed-until.json"; }
last_log() { tail -n 40 "$SCRATCH/mine/minectl.log"; }
up() {
    for _ in $(seq 100); do
        if curl -s -o /dev/null -m 1 "$1"; then return 0; fi
        sleep 0.1
    done
    return 1
}

push_to "$INFLUXDB/write?db=mine"
code=0
minectl tick || code=$?
fact "a service that does not run is told, and the run ends as it should" \
    sh -c "[ $code = 1 ] && grep 'influx: unreachable: connection refused' '$SCRATCH/mine/minectl.log'"

cat >"$SCRATCH/influxdb.conf" <<END
reporting-disabled = true
bind-address = "127.0.0.1:$((BASE + 35))"
[meta]
  dir = "$SCRATCH/influxdb/meta"
[data]
  dir = "$SCRATCH/influxdb/data"
  wal-dir = "$SCRATCH/influxdb/wal"
[http]
  bind-address = "127.0.0.1:$((BASE + 33))"
[monitor]
  store-enabled = false
END
influxd -config "$SCRATCH/influxdb.conf" >"$SCRATCH/influxdb.log" 2>&1 &
processes+=($!)
victoria-metrics -storageDataPath="$SCRATCH/victoria" -httpListenAddr="127.0.0.1:$((BASE + 34))" \
    >"$SCRATCH/victoria.log" 2>&1 &
processes+=($!)
fact "a real InfluxDB and a real VictoriaMetrics are up" up "$INFLUXDB/ping"
up "$VICTORIA/health" || cat "$SCRATCH/victoria.log"

minectl tick || true
fact "InfluxDB's own words about a database that is not there are told" \
    sh -c "tail -n 40 '$SCRATCH/mine/minectl.log' | tee /dev/stderr | grep 'status 404: .*database not found'"
curl -sS -m 10 -o /dev/null -d 'q=CREATE DATABASE mine' "$INFLUXDB/query"
minectl tick || true
kept
fact "when it is there, all that waited goes out" sh -c "tail -n 3 '$SCRATCH/mine/minectl.log' | tee /dev/stderr | grep 'influx: 3 runs taken'"
counted /usr/bin/python3 "$HERE/influx_facts.py" influxdb "$INFLUXDB?db=mine" "$SCRATCH/kept.json"

# The field `curtail` was an integer before: for as long as that week's shard is kept.
curl -sS -m 10 -o /dev/null -d 'q=CREATE DATABASE other' "$INFLUXDB/query"
curl -sS -m 10 --data-binary 'minectl,site=Container\ 1 curtail=1i' "$INFLUXDB/write?db=other"
anew
push_to "$INFLUXDB/write?db=other"
code=0
minectl tick || code=$?
kept
fact "what InfluxDB drops of a line is told in its words" \
    sh -c "[ $code = 1 ] && tail -n 40 '$SCRATCH/mine/minectl.log' | tee /dev/stderr | grep 'partial write: field type conflict'"
counted /usr/bin/python3 "$HERE/influx_facts.py" influxdb "$INFLUXDB?db=other" "$SCRATCH/kept.json" curtail

anew
push_to "$VICTORIA/write"
minectl tick || true
kept
fact "VictoriaMetrics gets them as well" sh -c "tail -n 3 '$SCRATCH/mine/minectl.log' | tee /dev/stderr | grep 'influx: 5 runs taken'"
counted /usr/bin/python3 "$HERE/influx_facts.py" victoria "$VICTORIA" "$SCRATCH/kept.json"
if [ "$failed" != 0 ]; then last_log; fi
sum_up
