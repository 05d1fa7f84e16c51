#!/usr/bin/env bash
# minectl as it will live: the Debian package on a copy of this system (an overlay in memory, in namespaces of its own), the
# real cron, nginx, fcgiwrap and logrotate, and the simulated mine. Runs by cron, a fan set in the debug page, a call, the
# proof, log rotation, a reboot with the clock an hour behind. Takes about twenty minutes, nearly all of it waiting for the
# clock. Needs root; changes nothing here.
#
#   scripts/real-run.sh               the debug build, packed for the occasion
#   scripts/real-run.sh --deb FILE    this package
#
# Prints `ok - ...` or `not ok - ...` for each fact, then `N passed, N failed`.

source "$(dirname "$0")/../tests/system/facts.sh"

deb=
case ${1:-} in
--deb) deb=$(readlink -f "${2:?--deb wants a file}") ;;
-h | --help) usage && exit 0 ;;
"") ;;
*) usage >&2 && fail "unknown argument \`$1\`" ;;
esac
if [ -z "${MINECTL_NAMESPACE:-}" ]; then
    need_packages cron=cron nginx=nginx-light logrotate=logrotate fcgiwrap=fcgiwrap curl=curl openssl=openssl \
        "/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketime.so.1=libfaketime"
    if ! [ -x "$TARGET/debug/minectl" ] || ! [ -x "$TARGET/debug/examples/site" ]; then
        need_build_tools
        (cd "$ROOT" && cargo build --locked --quiet --bin minectl --example site)
    fi
fi
in_a_namespace "$0" "$@"
FOLDER=$(mktemp -d)
pids=()
finish() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    umount -l "$FOLDER/root" "$FOLDER" 2>/dev/null || true
    rmdir "$FOLDER"
}
trap finish EXIT
scratch_system "$FOLDER"
LOG=$SCRATCH_ROOT/var/log/minectl/minectl.log
CRON=$SCRATCH_ROOT/etc/cron.d/minectl
# The sample configuration's own addresses: nobody else listens in this network.
BASE=18000

as_minectl() { inside setpriv --reuid=minectl --regid=minectl --init-groups "$@"; }
page() { curl -sS -m 10 "http://127.0.0.1/$1"; }
served() { page metrics.prom | awk -v name="$1" '{ value = $NF; sub(/ [^ ]*$/, ""); if ($0 == name) print value }'; }
kilowatts() { control /state | python3 -c 'import json, sys; print(round(sum(json.load(sys.stdin)["spdu_watts"]) / 1000))'; }
runs() { grep -c 'run begins' "$LOG" 2>/dev/null || true; }

more_runs_than() { [ "$(runs)" -gt "$1" ]; }
ended_after() { [ "$(grep -c 'run ends' "$LOG")" -gt "$1" ]; }
phase_is() { [ "$(served "minectl_miners_phase{phase=\"$1\"}")" = 1 ]; }
below() { [ "$(kilowatts)" -lt "$1" ]; }
page_is_served() { page index.html | grep -q '</html>'; }

# start_services [COMMAND...]: the web server, and cron by this command.
start_services() {
    inside nginx
    "$@" chroot "$SCRATCH_ROOT" /usr/sbin/cron
}
# As a power cut does: nobody is asked.
stop_services() {
    local pid
    # This script sees the processes of its own namespace only.
    for pid in $(pgrep -x 'cron|nginx|minectl|fcgiwrap' || true); do kill -9 "$pid" || true; done
    rm -f "$SCRATCH_ROOT"/run/*.pid
}

say "# the package is made and installed"
if [ -z "$deb" ]; then
    machine=$(uname -m | sed 's/armv[78]l/armv7/')
    strip -o "$FOLDER/program" "$TARGET/debug/minectl"
    bash "$ROOT/scripts/package.sh" --out "$FOLDER/package" --binary "$machine=$FOLDER/program" "$machine" >/dev/null
    deb=$(ls "$FOLDER"/package/*.deb)
fi
cp "$deb" "$SCRATCH_ROOT/tmp/minectl.deb"
# This copy's cron has minectl's entry alone, and its mail lies where it can be read.
rm -f "$SCRATCH_ROOT"/etc/cron.d/* "$SCRATCH_ROOT"/etc/crontab
printf '#!/bin/sh\ncat >>/var/mail/all\n' >"$SCRATCH_ROOT/usr/sbin/sendmail.test"
install -m 666 /dev/null "$SCRATCH_ROOT/var/mail/all"
chmod 755 "$SCRATCH_ROOT/usr/sbin/sendmail.test"
rm -f "$SCRATCH_ROOT/usr/sbin/sendmail"
ln -s sendmail.test "$SCRATCH_ROOT/usr/sbin/sendmail"
fact "the package installs" inside dpkg --no-triggers -i /tmp/minectl.deb
mkdir "$FOLDER/site"
start_site "$TARGET/debug/examples/site" "$FOLDER/site" "$BASE" || fail "the site does not start"
pids+=("$SITE_PID")
control /set '{"signal_number": 262}'
inside minectl config set tick.budget "50 s" >/dev/null
inside minectl config set loop_interval "1 minute" >/dev/null
inside minectl config set mode live >/dev/null
inside /usr/lib/minectl/install.sh --quiet >/dev/null
fact "the cron entry follows loop_interval" grep -q '^\* \* \* \* \* minectl /usr/bin/timeout .* /usr/bin/minectl ' "$CRON"
inside nginx -t -q
inside nginx
fact "before the first run the web server says so" sh -c "curl -sS -m 5 http://127.0.0.1/ | grep 'has not drawn its page yet'"
inside nginx -s stop
sleep 1
start_services

say "# the mine runs; cron starts the runs"
fact "cron's first run draws the page, and nginx serves it" wait_for 130 page_is_served
fact "and nginx serves what it measured" wait_for 100 phase_is running
fact "three runs, one a minute, by the real cron" wait_for 200 more_runs_than 2
minutes() { sed -n 's/^.*[T ]\([0-9][0-9]\):\([0-9][0-9]\):[0-9][0-9].* run begins.*/\1 \2/p' "$LOG" | awk '{ now = $1 * 60 + $2; if (NR > 1 && now - before != 1) bad = 1; before = now } END { exit bad || NR < 3 }'; }
fact "one minute apart" minutes

say "# somebody sets a fan in the browser"
ADMIN=http://127.0.0.1/admin/
code_of() { curl -s -m 60 -o /dev/null -w '%{http_code}' "$@"; }
fact "without a password there is no debug page" is "$(code_of "$ADMIN")" 404
printf 'ann:%s\n' "$(openssl passwd -6 'correct horse')" >"$SCRATCH_ROOT/etc/nginx/minectl.htpasswd"
inside chown root:www-data /etc/nginx/minectl.htpasswd
chmod 640 "$SCRATCH_ROOT/etc/nginx/minectl.htpasswd"
inside /usr/lib/minectl/install.sh --quiet >/dev/null
# What its unit says, by hand: there is no systemd here.
UNIT=$(find "$SCRATCH_ROOT/lib/systemd/system/" "$SCRATCH_ROOT/usr/lib/systemd/system/" "$SCRATCH_ROOT/etc/systemd/system/" -name minectl-fcgi.service | head -n 1)
eval "pages=($(sed -n 's/^ExecStart=//p' "$UNIT"))"
mkdir "$SCRATCH_ROOT/run/minectl-fcgi"
inside chown minectl:www-data /run/minectl-fcgi
# shellcheck disable=SC2154 # set by the eval above
as_minectl setsid "${pages[@]}" -s unix:/run/minectl-fcgi/socket &
pids+=($!)
wait_for 10 test -S "$SCRATCH_ROOT/run/minectl-fcgi/socket"
ln -s minectl-fcgi/socket "$SCRATCH_ROOT/run/minectl-fcgi.socket"
chmod 666 "$SCRATCH_ROOT/run/minectl-fcgi/socket"
inside nginx -s reload
sleep 1
LOGIN="ann:correct horse"
fact "with one it asks for it" is "$(code_of "$ADMIN") $(code_of -u ann:wrong "$ADMIN") $(code_of -u "$LOGIN" "$ADMIN")" "401 401 200"
form() {
    local token
    token=$(curl -s -m 60 -c "$FOLDER/cookies" -u "$LOGIN" "$ADMIN" | sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' | head -n 1)
    code_of -u "$LOGIN" -b "$FOLDER/cookies" -H "Origin: http://127.0.0.1" --data-urlencode "token=$token" "$@" "$ADMIN"
}
overrides() { page status.json | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["overrides"]))'; }
fan_is_set() { overrides | grep -q 'fan 3'; }
fact "a fan is set" is "$(form -d 'do=apply&target=fan+3&value=on&for=20+min&reason=test')" 303
fact "cron's next run shows it on the page" wait_for 130 fan_is_set
fact "the events say who it was" sh -c "chroot '$SCRATCH_ROOT' setpriv --reuid=minectl --regid=minectl --init-groups minectl events --since 1h | grep 'fan 3 = on for 20 min by debug page: ann from 127.0.0.1: test'"
fact "and it is cleared again" is "$(form -d 'do=apply&target=fan+3&value=auto')" 303
fan_is_free() { ! fan_is_set; }
fact "which cron's next run shows, too" wait_for 130 fan_is_free

say "# the utility calls"
control /set '{"signal_number": 342}'
began=$SECONDS
fact "the miners are off within eight minutes, by the site's own truth" wait_for 480 below 25
say "# off after $((SECONDS - began)) s"
fact "and that is proven on the page" wait_for 150 phase_is curtailed

say "# the log is put aside"
before=$(grep -c 'run ends' "$LOG")
wait_for 90 ended_after "$before"
inside logrotate -f -s /var/lib/logrotate.test /etc/logrotate.d/minectl
fact "the next run writes a new log" wait_for 100 more_runs_than 0
fact "the old one is kept" sh -c "ls '$SCRATCH_ROOT'/var/log/minectl/minectl.log-*"

say "# power is lost, and comes back with the clock an hour behind"
stop_services
umount -l "$SCRATCH_ROOT/run"
mount -t tmpfs -o mode=755 run "$SCRATCH_ROOT/run"
mkdir -p "$SCRATCH_ROOT/run/lock"
printf '%s\n' "$(cat /proc/sys/kernel/random/uuid)" >"$FOLDER/boot_id"
mount --bind "$FOLDER/boot_id" "$SCRATCH_ROOT/proc/sys/kernel/random/boot_id"
# The wall clock as cron's jobs see it; the other clock begins anew with the boot (start_services below).
sed -i "s#^SHELL=.*#&\nLD_PRELOAD=/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketime.so.1\nFAKETIME=-1h\nFAKETIME_DONT_FAKE_MONOTONIC=1#" "$CRON"
up=$(cut -d. -f1 /proc/uptime)
inside systemd-tmpfiles --create --boot minectl.conf
fact "the boot makes the page's folder anew" is "$(inside stat -c '%a %U' /run/minectl/page) $(ls "$SCRATCH_ROOT/run/minectl/page")" "755 minectl "
before=$(runs)
start_services unshare --time --boottime -$((up - 30)) --monotonic -$((up - 30)) --fork
fact "the first run after it draws the page" wait_for 130 page_is_served
fact "and knows that the call goes on" wait_for 60 phase_is curtailed
fact "no miner has been started" below 25
fact "the restart is told" sh -c "chroot '$SCRATCH_ROOT' setpriv --reuid=minectl --regid=minectl --init-groups minectl events --since 24h | grep 'started anew'"
sed -i -e '/^LD_PRELOAD/d' -e '/^FAKETIME/d' "$CRON"
before=$(runs)
fact "the clock is put right, and the runs go on" wait_for 150 more_runs_than $((before + 1))
fact "the move of the clock is told" wait_for 60 grep -qE 'the wall clock was moved forward by (59 min|1 h)' "$LOG"
fact "still no miner has been started" below 25
fact "and the page says so" phase_is curtailed

say "# the call is over"
control /set '{"signal_number": 262}'
left_curtailed() { phase_is resuming || phase_is running; }
fact "the miners come back after resume_after and in groups" wait_for 1500 left_curtailed
fact "cron had nothing to mail in all that time" is "$(cat "$SCRATCH_ROOT/var/mail/all" 2>/dev/null || true)" ""
fact "no run was ended by timeout" sh -c "! grep -h 'broke off' '$SCRATCH_ROOT'/var/log/minectl/*"
sum_up
