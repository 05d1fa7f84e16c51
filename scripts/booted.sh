#!/usr/bin/env bash
# The release installed on a booted Debian of its own, in a container (systemd-nspawn): real systemd, cron, nginx, the debug
# page started by its socket, a power cut, the removal, and the Debian package. There is no mine: each device is a fault,
# which must not matter. Takes about five minutes, and four more the first time. Needs root; changes nothing here.
#
#   scripts/booted.sh                  the debug build, packed for the occasion
#   scripts/booted.sh --tarball FILE --deb FILE     this release
#
# Prints `ok - ...` or `not ok - ...` for each fact, then `N passed, N failed`.

source "$(dirname "$0")/../tests/system/facts.sh"

tarball='' deb=''
while [ $# -gt 0 ]; do
    case $1 in
    --tarball) tarball=$(readlink -f "${2:?--tarball wants a file}") && shift ;;
    --deb) deb=$(readlink -f "${2:?--deb wants a file}") && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument \`$1\`" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || fail "needs root, to start a container"
need_packages debootstrap=debootstrap systemd-nspawn=systemd-container
FOLDER=$TARGET/booted
SYSTEM=$FOLDER/debian
PACKAGES=systemd,systemd-sysv,dbus,cron,nginx-light,fcgiwrap,logrotate,curl,ca-certificates,openssl,tzdata
if [ ! -e "$FOLDER/made" ]; then
    say "# a Debian is made (some minutes)"
    rm -rf "$FOLDER"
    mkdir -p "$FOLDER"
    debootstrap --variant=minbase --include=$PACKAGES bookworm "$SYSTEM" http://deb.debian.org/debian >"$FOLDER/made.log" 2>&1 ||
        fail "debootstrap cannot make a Debian, so nothing was tried: $(tail -n 1 "$FOLDER/made.log")"
    touch "$FOLDER/made"
fi
if [ -z "$tarball" ] || [ -z "$deb" ]; then
    if ! [ -x "$TARGET/debug/minectl" ]; then
        need_build_tools
        (cd "$ROOT" && cargo build --locked --quiet --bin minectl)
    fi
    strip -o "$FOLDER/program" "$TARGET/debug/minectl"
    machine=$(uname -m | sed 's/armv[78]l/armv7/')
    bash "$ROOT/scripts/package.sh" --out "$FOLDER/package" --binary "$machine=$FOLDER/program" "$machine" >/dev/null
    tarball=$(ls "$FOLDER"/package/*.tar.gz) deb=$(ls "$FOLDER"/package/*.deb)
fi

# The system of before is kept as it was made: each time a copy is booted.
RUNNING=$FOLDER/running
container='' first=''
power_off() {
    if [ -n "$first" ]; then kill -9 "$first" 2>/dev/null || true; fi
    if [ -n "$container" ]; then wait "$container" 2>/dev/null || true; fi
    container='' first=''
}
trap power_off EXIT
boot() {
    systemd-nspawn -D "$RUNNING" -b --register=no --keep-unit --private-network --console=pipe >"$FOLDER/boot.log" 2>&1 </dev/null &
    container=$!
    local _
    for _ in $(seq 120); do
        sleep 0.5
        first=$(pgrep -P "$container" systemd | head -n 1)
        if [ -n "$first" ] && within systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; then return 0; fi
    done
    fail "the container does not boot; see $FOLDER/boot.log"
}
within() { nsenter -t "$first" -a -- "$@"; }
as_minectl() { within setpriv --reuid=minectl --regid=minectl --init-groups "$@"; }
code_of() { within curl -s -m 20 -o /dev/null -w '%{http_code}' "$@"; }
units() { within systemctl is-active cron nginx minectl-fcgi.socket | tr '\n' ' '; }
failed_units() { within systemctl --failed --no-legend --plain; }
left_behind() { within find / -xdev -name '*minectl*' -not -path '/proc/*' -not -path '/srv/*'; }
page_is_there() { [ "$(code_of http://127.0.0.1/)" = 200 ]; }

rm -rf "$RUNNING"
cp -a "$SYSTEM" "$RUNNING"
cp "$tarball" "$RUNNING/srv/minectl.tar.gz"
cp "$deb" "$RUNNING/srv/minectl.deb"

say "# the release is installed"
boot
within sh -c 'cd /srv && tar -xzf minectl.tar.gz && mv minectl-*/ release'
fact "install.sh installs" within /srv/release/install.sh --quiet
fact "a second time it changes nothing" is "$(within /srv/release/install.sh --quiet 2>&1 | grep -c '^done' || true)" 0
fact "cron, nginx and the debug page's socket are active" is "$(units)" "active active active "
fact "there is no debug page without a password" is "$(code_of http://127.0.0.1/admin/)" 404
# shellcheck disable=SC2016 # expanded in the container
within sh -c 'printf "ann:%s\n" "$(openssl passwd -6 secret)" >/etc/nginx/minectl.htpasswd
    chown root:www-data /etc/nginx/minectl.htpasswd && chmod 640 /etc/nginx/minectl.htpasswd'
within /usr/local/lib/minectl/install.sh --quiet >/dev/null
sleep 1
fact "with one it asks for it, and systemd starts fcgiwrap for the first request" \
    is "$(code_of http://127.0.0.1/admin/) $(code_of -u ann:secret http://127.0.0.1/admin/) $(within systemctl is-active minectl-fcgi.service)" "401 200 active"
fact "cron's run draws the page within its interval" wait_for 150 page_is_there
fact "the files belong to minectl" is "$(within stat -c '%U' /var/lib/minectl /run/minectl/page /var/log/minectl/minectl.log | sort -u)" minectl
fact "observe mode commands nothing" sh -c "! grep -q 'to be sent' '$RUNNING/var/log/minectl/minectl.log'"
fact "logrotate takes the log's entry" within logrotate -d /etc/logrotate.d/minectl

say "# the power is cut"
power_off
boot
fact "after the boot the page's folder is there again, empty" is "$(within stat -c '%a %U' /run/minectl/page)" "755 minectl"
fact "all is active again" is "$(units)" "active active active "
fact "the web server says that the page is not drawn yet" is "$(code_of http://127.0.0.1/)" 503
fact "the debug page is there at once" is "$(code_of -u ann:secret http://127.0.0.1/admin/)" 200
fact "cron's next run draws the page" wait_for 150 page_is_there
fact "nothing is remembered wrongly" sh -c "! nsenter -t $first -a -- setpriv --reuid=minectl --regid=minectl --init-groups minectl events | grep -q 'moved to'"
fact "no unit has failed" is "$(failed_units)" ""

say "# it is removed"
fact "install.sh --uninstall --purge takes it away" within /usr/local/lib/minectl/install.sh --uninstall --purge --quiet
fact "and leaves nothing" is "$(left_behind)" ""
fact "and nginx and cron go on" is "$(within systemctl is-active cron nginx | tr '\n' ' ')" "active active "

say "# the Debian package"
fact "the package installs, and its services start" within dpkg -i /srv/minectl.deb
fact "all is active" is "$(units)" "active active active "
fact "cron's run draws the page" wait_for 150 page_is_there
fact "it is removed" within dpkg --purge minectl
fact "and leaves nothing" is "$(left_behind)" ""
fact "no unit has failed" is "$(failed_units)" ""
power_off
rm -rf "$RUNNING"
sum_up
