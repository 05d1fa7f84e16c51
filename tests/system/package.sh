#!/usr/bin/env bash
# scripts/package.sh and what it makes: packed twice to the same bytes, looked at by lintian, installed and removed on a copy
# of this system (an overlay in memory, in namespaces of its own). Prints `ok - ...` or `not ok - ...` for each fact. Packs
# the debug build, to be quick; needs root. run.sh calls it.

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

in_a_namespace "$0" "$@"
[ -x "$TARGET/debug/minectl" ] || fail "\`minectl\` is not built: cargo build --bin minectl"
FOLDER=$(mktemp -d)
trap 'umount -l "$FOLDER/root" "$FOLDER" 2>/dev/null; rmdir "$FOLDER"' EXIT
scratch_system "$FOLDER"
MACHINE=$(uname -m | sed 's/armv[78]l/armv7/')
strip -o "$FOLDER/program" "$TARGET/debug/minectl"

owner_of() { inside stat -c '%a %U:%G' "$1"; }
as_cron() { inside setpriv --reuid=minectl --regid=minectl --init-groups env -i PATH=/usr/bin:/bin SHELL=/bin/sh "$@"; }

# (a) packing -------------------------------------------------------------------------------------------------------------

fact "package.sh packs a program" bash "$ROOT/scripts/package.sh" --out "$FOLDER/a" --binary "$MACHINE=$FOLDER/program" "$MACHINE"
ssh-keygen -q -t ed25519 -N '' -f "$FOLDER/key"
printf 'minectl-release %s\n' "$(cat "$FOLDER/key.pub")" >"$FOLDER/signers"
again() {
    umask 077
    cp "$FOLDER/program" "$FOLDER/other"
    TZ=Asia/Kathmandu LANG=C.UTF-8 bash "$ROOT/scripts/package.sh" --out "$FOLDER/b" --binary "$MACHINE=$FOLDER/other" --sign "$FOLDER/key" "$MACHINE"
}
fact "it packs again with another umask, time zone and time, and signs" again
fact "to the same bytes" diff -r -x '*.sig' "$FOLDER/a" "$FOLDER/b"
fact "SHA256SUMS names all of it" sh -c "cd '$FOLDER/a' && sha256sum --strict -c SHA256SUMS && [ \$(wc -l <SHA256SUMS) = \$(ls | grep -vc SHA256SUMS) ]"
fact "the signature is as update.sh verifies it" \
    sh -c "ssh-keygen -Y verify -f '$FOLDER/signers' -I minectl-release -n minectl-release -s '$FOLDER/b/SHA256SUMS.sig' <'$FOLDER/a/SHA256SUMS'"
tar -C "$SCRATCH_ROOT/tmp" -xzf "$FOLDER/a/minectl-$MACHINE.tar.gz"
fact "the tarball holds all that its install.sh wants" \
    sh -c "chroot '$SCRATCH_ROOT' sh -c '/tmp/minectl-*/install.sh --no-packages' | grep 'changes. Next'"
fact "and what works from another machine" sh -c "'$SCRATCH_ROOT'/tmp/minectl-*/ssh-mine.sh --help | grep -q 'HOST status'"
DEB=$(ls "$FOLDER"/a/*.deb)
cp "$DEB" "$SCRATCH_ROOT/tmp/minectl.deb"
# Without the triggers of other packages: the index of all manual pages takes a minute.
install_deb() { inside dpkg --no-triggers -i /tmp/minectl.deb; }
fact "the Debian package does not go in beside an installation by install.sh" \
    sh -c "! chroot '$SCRATCH_ROOT' dpkg -i /tmp/minectl.deb 2>&1 | tee '$FOLDER/said' >/dev/null; grep 'install.sh --uninstall' '$FOLDER/said'; ! [ -e '$SCRATCH_ROOT/usr/bin/minectl' ]"
inside sh -c '/tmp/minectl-*/install.sh --uninstall --purge' >/dev/null
fact "lintian has nothing to say" is "$(lintian --allow-root --fail-on none --tag-display-limit 0 "$DEB" 2>&1 | grep -v '^running with root')" ""

# (b) the Debian package --------------------------------------------------------------------------------------------------

packages() { inside dpkg --get-selections | grep -c install; }
before=$(packages)
install_deb >"$FOLDER/said" 2>&1 && code=0 || code=$?
fact "dpkg installs it and says in one line how to run the doctor" is "$code $(grep -c 'sudo -u minectl minectl doctor' "$FOLDER/said")" "0 1"
fact "the doctor's verdict comes by that command" \
    sh -c "chroot '$SCRATCH_ROOT' setpriv --reuid=minectl --regid=minectl --init-groups minectl doctor | grep 'config.txt'"
fact "the sample configuration and what works from another machine are among the examples" \
    sh -c "cd '$SCRATCH_ROOT/usr/share/doc/minectl/examples' && cmp config.txt '$ROOT/config.txt' && ./ssh-mine.sh --help | grep -q 'HOST status'"
fact "a new installation observes, for root and minectl only" \
    is "$(as_cron minectl config get mode) $(owner_of /etc/minectl/config.txt)" "observe 640 root:minectl"
fact "its cron entry is the line of \`minectl crontab\`" \
    is "$(grep -v -e '^#' -e '^[A-Z_]*=' "$SCRATCH_ROOT/etc/cron.d/minectl")" "$(as_cron minectl crontab)"
code=0
as_cron minectl tick >"$FOLDER/said" 2>&1 || code=$?
fact "a run as cron starts it draws the page and prints nothing" \
    is "$code $(cat "$FOLDER/said")$(cd "$SCRATCH_ROOT/run/minectl/page" && echo *)" "1 index.html metrics.prom status.json"
fact "nginx takes its site" inside nginx -t -q
fact "the manual page can be read" sh -c "gzip -dc '$SCRATCH_ROOT/usr/share/man/man1/minectl.1.gz' | grep minectl"
inside sed -i 's/^warn_after_failures = .*/warn_after_failures = 7/' /etc/minectl/config.txt
sum=$(sha256sum "$SCRATCH_ROOT/etc/minectl/config.txt")
fact "installing it again ends well" install_deb
fact "and keeps the configuration" is "$(sha256sum "$SCRATCH_ROOT/etc/minectl/config.txt")" "$sum"
fact "update.sh leaves a Debian package to dpkg" sh -c "cp '$ROOT/scripts/update.sh' '$SCRATCH_ROOT/tmp/' && ! chroot '$SCRATCH_ROOT' /tmp/update.sh --from a/b 2>'$FOLDER/said' && grep 'Debian package' '$FOLDER/said'"
fact "dpkg removes it" inside dpkg --no-triggers -r minectl
fact "no run is started any more" sh -c "! [ -e '$SCRATCH_ROOT/etc/cron.d/minectl' ] && ! [ -e '$SCRATCH_ROOT/usr/bin/minectl' ]"
fact "Debian's greeting is back" sh -c "[ -e '$SCRATCH_ROOT/etc/nginx/sites-enabled/default' ] && ! [ -L '$SCRATCH_ROOT/etc/nginx/sites-enabled/minectl' ]"
fact "configuration and data stay" sh -c "cd '$SCRATCH_ROOT' && [ \"\$(sha256sum '$SCRATCH_ROOT/etc/minectl/config.txt')\" = '$sum' ] && ls var/lib/minectl/db"
echo 'owner:none' >"$SCRATCH_ROOT/etc/nginx/minectl.htpasswd"
fact "dpkg purges it" inside dpkg --no-triggers -P minectl
left() { (cd "$SCRATCH_UPPER" && find . ! -type d -path '*minectl*' ! -path './var/log/dpkg.log' ! -type c); }
fact "then nothing is left, and no user" is "$(
    left
    inside getent passwd minectl || true
)" ""
fact "and the other packages are all there" is "$(packages)" "$before"
sum_up
