#!/usr/bin/env bash
# Shows minectl at work on a simulated mine: normal, curtailed, proven off, fans down, resumed. Under two minutes
# after the build; an hour at the site is a minute here. Nothing outside this machine is touched.
#
#   scripts/demo.sh            the demonstration; its data and its page stay in ./demo
#   scripts/demo.sh --serve    the same, then serves the page on 127.0.0.1 until Ctrl-C
#   scripts/demo.sh --keep     the same, then leaves the site running and says how to play with it
#
# Exit code 0 when every stage was reached, 1 with the reason when not.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RATE=60
TICK_S=2 # two minutes at the site
TICKS_MAX=48
STAGES=(
    "normal: the miners run and the signal is low"
    "the utility calls: minectl sees it and sends the miners to sleep"
    "off, proven by measured watts"
    "the fans have run on and stop, one after the other"
    "the signal is low again: fans first, then the miners in groups"
    "mining as before"
)
# Bases of a block of forty ports; the first is the one of config.txt.
BASES="18000 21000 22000 23000 24000 25000 26000"
DEMO=$ROOT/demo
PAGE=$DEMO/page
MINECTL=$TARGET/debug/minectl
SITE=$TARGET/debug/examples/site

keep=no serve=no
for argument in "$@"; do
    case $argument in
    --keep) keep=yes ;;
    --serve) serve=yes ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument \`$argument\`; known are --keep and --serve" ;;
    esac
done

SITE_PID=
server_pid=
finish() {
    local pid
    for pid in $server_pid $SITE_PID; do
        # One that is gone already is what is wanted.
        kill "$pid" 2>/dev/null || true
    done
}
trap finish EXIT
trap 'exit 130' INT TERM

build() {
    need_build_tools
    say "Building minectl and the simulated site (the first time takes some minutes) ..."
    (cd "$ROOT" && cargo build --locked --quiet --bin minectl --example site)
}

# One text or number of the drawn status.json, which has one key a line: `status miners.phase`.
status() {
    awk -v wanted="$1" '
        match($0, /^ *"[a-z_0-9]+": /) {
            length_of_key = RLENGTH
            key = substr($0, 1, RLENGTH - 2); depth = match(key, /"/) - 1; gsub(/[ "]/, "", key)
            path[depth / 2] = key; name = path[1]
            for (i = 2; i <= depth / 2; i++) name = name "." path[i]
            if (name == wanted) {
                value = substr($0, length_of_key + 1); sub(/,$/, "", value)
                if (value ~ /^"/) { value = substr(value, 2, length(value) - 2); gsub(/\\"/, "\"", value) }
                print value; exit
            }
        }' "$PAGE/status.json"
}

fans_running() { awk '/^minectl_fan_running\{/ { n += $NF } END { print n + 0 }' "$PAGE/metrics.prom"; }
watts() { metric "$PAGE/metrics.prom" minectl_miners_power_watts; }
kilowatts() { watts | awk '{ printf "%.0f", $1 / 1000 }'; }

# The progress line stands below the story on a terminal; elsewhere there is none.
progress() {
    [ -t 1 ] || return 0
    local width=30 filled
    filled=$((width * stage / ${#STAGES[@]}))
    printf '\r\033[K[%s%s] stage %d of %d, tick %d' "$(printf '%*s' "$filled" '' | tr ' ' '#')" \
        "$(printf '%*s' $((width - filled)) '' | tr ' ' '.')" "$((stage < ${#STAGES[@]} ? stage + 1 : stage))" \
        "${#STAGES[@]}" "$tick"
}

line() {
    if [ -t 1 ]; then printf '\r\033[K'; fi
    printf '%s\n' "$*"
}

# What the last tick was about, in plain words, and what it told people.
story() {
    local intake told
    line "$(printf '%s  tick %-2d %s' "$(status time.clock)" "$tick" "$(status headline)")"
    intake=$(status climate.intake.text)
    line "         $(kilowatts) kW, $(fans_running) of 9 fans running, intake $intake"
    told=$(tail -n "+$((log_seen + 1))" "$DEMO/minectl.log" | sed -n -e 's/ ⏎ /; /g' -e 's/^.*\] notice \([a-z]*\): /\1: /p')
    log_seen=$(wc -l <"$DEMO/minectl.log")
    if [ -n "$told" ]; then
        while IFS= read -r text; do line "         told -> $text"; done <<<"$told"
    fi
}

reached() {
    line "         === $((stage + 1)) of ${#STAGES[@]} reached: ${STAGES[stage]}"
    stage=$((stage + 1))
}

# Looks whether the stage in work is reached, and then turns the utility's signal for the next.
drive() {
    local phase level
    phase=$(status miners.phase)
    level=$(status signal.level)
    case $stage in
    0)
        if [ "$phase" = running ] && [ "$level" = run ] && [ "$tick" -ge 3 ]; then
            watts_before=$(watts)
            reached
            line "         >>> the utility's page now says 342 MW: at 310 and above the miners must be off"
            control /set '{"signal_number": 342}'
        fi
        ;;
    1) if [ "$level" = curtail ] && [[ $phase = curtail* ]]; then reached && drive; fi ;;
    2)
        if [ "$phase" = curtailed ]; then
            fans_before=$(fans_running)
            reached
        fi
        ;;
    3)
        if [ "$phase" = curtailed ] && [ "$(fans_running)" -le 1 ] && [ "$(fans_running)" -lt "$fans_before" ]; then
            reached
            line "         >>> the utility's page says 250 MW: below 300, three times in a row, they may run"
            control /set '{"signal_number": 250}'
        fi
        ;;
    4) if [ "$phase" = resuming ]; then reached; fi ;;
    5)
        if [ "$phase" = running ] && awk "BEGIN { exit !($(watts) >= 0.9 * $watts_before) }"; then reached; fi
        ;;
    esac
}

run_ticks() {
    local began now code
    began=$(date +%s%N)
    tick=0 stage=0 log_seen=0 watts_before=0 fans_before=9
    while [ "$stage" -lt ${#STAGES[@]} ] && [ "$tick" -lt $TICKS_MAX ]; do
        progress
        # As cron does: at fixed times, whatever the tick before took.
        now=$(date +%s%N)
        sleep "$(awk "BEGIN { left = $TICK_S - ($now - $began) / 1e9 % $TICK_S; print ($tick == 0) ? 0 : left }")"
        tick=$((tick + 1))
        code=0
        "$MINECTL" tick || code=$?
        case $code in
        0 | 1) ;; # 1: done, with a fault that the story tells
        4) line "         this tick found the one before still at work" && continue ;;
        *) fail "\`minectl tick\` ended with code $code; its log is $DEMO/minectl.log" ;;
        esac
        story
        drive
    done
    if [ -t 1 ]; then progress && printf '\n'; fi
}

how_to_play() {
    cat <<END

The site runs on (process $SITE_PID; end it with \`kill $SITE_PID\`). Set this in your shell, then play:

  cd $ROOT
  export MINECTL_CONFIG=$MINECTL_CONFIG MINECTL_TEST_CLOCK=$MINECTL_TEST_CLOCK
  alias minectl=$MINECTL
  while sleep $TICK_S; do minectl tick; done &      # cron's part; end it with \`kill %1\`

  minectl status
  minectl plan                                    # what one pass would do now, and why
  minectl set signal curtail --for "20 minutes" --reason "a try"
  minectl set temp intake-west "106 F"
  minectl clear all
  curl -d '{"signal_number": 342}' http://127.0.0.1:$BASE/set      # the utility calls
  curl -d '{"outdoor_c": 41}' http://127.0.0.1:$BASE/set           # a heat wave
  curl -d '{"device": "spdu-a", "kind": "hang"}' http://127.0.0.1:$BASE/fault
  curl -d '{"device": "internet", "kind": "refuse"}' http://127.0.0.1:$BASE/fault
  curl http://127.0.0.1:$BASE/faults                               # every device's faults
  curl -d '{}' http://127.0.0.1:$BASE/fault/clear
  curl http://127.0.0.1:$BASE/state                                # the truth
  curl http://127.0.0.1:$BASE/recorded                             # every message sent
END
}

# Serves the page on the first free port, until Ctrl-C; with --keep it is the shell that waits.
serve_page() {
    command -v python3 >/dev/null || fail "--serve needs python3; the page can be opened as the file $PAGE/index.html"
    local port
    for port in 8080 8081 8082 8090 8888; do
        python3 -m http.server --bind 127.0.0.1 --directory "$PAGE" "$port" >/dev/null 2>&1 &
        server_pid=$!
        sleep 1
        if kill -0 "$server_pid" 2>/dev/null; then
            say "The page is served on http://127.0.0.1:$port/ until Ctrl-C."
            wait "$server_pid"
            return
        fi
    done
    fail "no free port among 8080 8081 8082 8090 8888; the page can be opened as the file $PAGE/index.html"
}

build
rm -rf "$DEMO"
mkdir -p "$DEMO"
# Three in the afternoon at the site: the hour when utilities call.
clock="$(date +%s.%N):$(TZ=America/Chicago date -d 'tomorrow 15:00' +%s):$RATE"
start_site_somewhere "$SITE" "$DEMO" "$BASES" --clock "$clock"
MINECTL_CONFIG=$ROOT/config.txt
if [ "$BASE" != 18000 ]; then
    say "Ports 18000 to 18039 are in use; the site takes $BASE to $((BASE + 39))."
    MINECTL_CONFIG=$DEMO/config.txt
    adapted_config "$MINECTL_CONFIG"
fi
export MINECTL_CONFIG MINECTL_TEST_CLOCK=$clock
control /set '{"outdoor_c": 29, "day_swing_c": 0, "signal_number": 262}'
say "The mine: 288 miners, 9 fans, 6 PDUs, all simulated. A minute at the site is a second here; a tick each two."
run_ticks

say ""
failed=no
for number in "${!STAGES[@]}"; do
    if [ "$number" -lt "$stage" ]; then
        say "reached      $((number + 1)). ${STAGES[number]}"
    else
        say "NOT reached  $((number + 1)). ${STAGES[number]}"
        failed=yes
    fi
done
say ""
say "The page:  $PAGE/index.html  (open it in a browser)"
say "The log:   $DEMO/minectl.log"
if [ "$failed" = yes ]; then
    fail "stage $((stage + 1)) was not reached in $tick ticks; the last state: $(status headline)"
fi
if [ "$keep" = yes ]; then
    how_to_play
fi
if [ "$serve" = yes ]; then serve_page; fi
if [ "$keep" = yes ]; then SITE_PID=; fi
