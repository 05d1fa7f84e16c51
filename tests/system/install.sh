#!/usr/bin/env bash
# scripts/install.sh on a copy of this system (an overlay in memory, in namespaces of its own): the machine itself is not
# touched. Prints `ok - ...` or `not ok - ...` for each fact. Uses the debug build; needs root. run.sh calls it.

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

in_a_namespace "$0"
[ -x "$TARGET/debug/minectl" ] || fail "\`minectl\` is not built: cargo build --bin minectl"
FOLDER=$(mktemp -d)
trap 'umount -l "$FOLDER/root" "$FOLDER" 2>/dev/null; rmdir "$FOLDER"' EXIT
scratch_system "$FOLDER"
release_folder "$SCRATCH_ROOT/tmp/release"
if [ -e /usr/local/bin/minectl ] || [ -e /etc/minectl ]; then fail "minectl is installed on this machine; the test wants one without"; fi

CONFIG=$SCRATCH_ROOT/etc/minectl/config.txt
CRON=$SCRATCH_ROOT/etc/cron.d/minectl
install_it() { inside /tmp/release/install.sh --no-packages "$@"; }
as_minectl() { inside setpriv --reuid=minectl --regid=minectl --init-groups "$@"; }
# Under cron's environment, not under this shell's.
minectl() { as_minectl env -i HOME=/var/lib/minectl PATH=/usr/bin:/bin SHELL=/bin/sh /usr/local/bin/minectl "$@"; }
owner_of() { inside stat -c '%a %U:%G' "$1"; }

# (a) dry run -----------------------------------------------------------------------------------------------------------

install_it --dry-run >"$FOLDER/said" 2>&1 || true
fact "a dry run names user, program, configuration, cron entry and page" \
    sh -c "for word in 'user minectl' /usr/local/bin/minectl /etc/minectl/config.txt /etc/cron.d/minectl sites-enabled/minectl; do grep -q \"^would .*\$word\" '$FOLDER/said' || { cat '$FOLDER/said'; exit 1; }; done"
fact "a dry run changes nothing" is "$(written_files)" ""

# (b) into a system that is not running -----------------------------------------------------------------------------------

plain=$SCRATCH_ROOT/tmp/card
mkdir -p "$plain"/{etc,var/lib,var/log}
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$plain/etc/passwd"
printf 'root:x:0:\nadm:x:4:\n' >"$plain/etc/group"
fact "--root installs into a system that is not running" install_it --root /tmp/card
fact "its cron entry names that system's own paths" grep -q ' minectl .* /usr/local/bin/minectl --config /etc/minectl/config.txt tick$' "$plain/etc/cron.d/minectl"
fact "its configuration belongs to root and that system's group" \
    is "$(stat -c '%a %u:%g' "$plain/etc/minectl/config.txt")" "640 0:$(awk -F: '/^minectl:/ { print $3 }' "$plain/etc/group")"
fact "the running system stays as it was" is "$(written_files)" ""

# (c) for real ------------------------------------------------------------------------------------------------------------

install_it >"$FOLDER/said" 2>&1 && code=0 || code=$?
fact "install.sh ends well" is "$code" 0
# No device of the sample answers here.
fact "it ends with the doctor, by the program in place as minectl, and with what to do" sh -c "
    sed -n '/^minectl doctor:/,\$ p' '$FOLDER/said' | grep FAIL &&
    tail -n 1 '$FOLDER/said' | grep -x 'What doctor names is to be mended in /etc/minectl/config.txt: sudo minectl config edit'"
fact "the user can log in nowhere and owns the data" \
    is "$(inside getent passwd minectl | cut -d: -f6,7) $(owner_of /var/lib/minectl)" "/var/lib/minectl:/usr/sbin/nologin 750 minectl:minectl"
fact "the configuration is root's, readable for minectl, for nobody else" \
    is "$(owner_of /etc/minectl/config.txt) $(owner_of /etc/minectl)" "640 root:minectl 750 root:minectl"
fact "the program is root's and not writable for minectl" is "$(owner_of /usr/local/bin/minectl)" "755 root:root"
fact "the web server may read the page and not the data, the log or the configuration" sh -c "
    run() { chroot '$SCRATCH_ROOT' setpriv --reuid=www-data --regid=www-data --init-groups ls \"\$1\"; }
    run /run/minectl/page && ! run /var/lib/minectl 2>/dev/null && ! run /var/log/minectl 2>/dev/null && ! run /etc/minectl 2>/dev/null"
fact "a new installation observes" is "$(minectl config get mode)" "observe"
fact "the cron entry is the line of \`minectl crontab\`" \
    is "$(grep -v -e '^#' -e '^[A-Z_]*=' "$CRON")" "$(minectl crontab)"
fact "the shipped cron file is the one that was installed" cmp "$CRON" "$ROOT/cron/minectl.cron"
fact "nginx takes the site without a word" is "$(inside nginx -t -q 2>&1)" ""
fact "Debian's greeting makes room for the page" sh -c "! [ -e '$SCRATCH_ROOT/etc/nginx/sites-enabled/default' ]"
fact "systemd-tmpfiles takes the folders as they are" inside systemd-tmpfiles --create /etc/tmpfiles.d/minectl.conf
fact "the manual page and the completions are there" \
    sh -c "grep -q 'minectl' '$SCRATCH_ROOT/usr/local/share/man/man1/minectl.1' && grep -q minectl '$SCRATCH_ROOT/usr/local/share/bash-completion/completions/minectl'"
# No device of the sample answers here: a run has faults and ends well all the same.
minectl config get tick.budget >/dev/null
code=0
as_minectl timeout 100 env -i PATH=/usr/bin:/bin /usr/local/bin/minectl tick >"$FOLDER/said" 2>&1 || code=$?
fact "a run as cron starts it draws the page and prints nothing" \
    is "$code $(cat "$FOLDER/said")$(ls "$SCRATCH_ROOT/run/minectl/page")" "1 $(printf 'index.html\nmetrics.prom\nstatus.json')"
fact "logrotate takes its file, and the next run writes a new log" sh -c "
    chroot '$SCRATCH_ROOT' logrotate -f -s /tmp/logrotate.state /etc/logrotate.d/minectl &&
    [ \$(ls '$SCRATCH_ROOT/var/log/minectl' | wc -l) = 2 ] && ! [ -s '$SCRATCH_ROOT/var/log/minectl/minectl.log' ]"

# (d) again -----------------------------------------------------------------------------------------------------------------

before=$(written_files)
fact "the second run of install.sh finds nothing to do" sh -c "chroot '$SCRATCH_ROOT' /tmp/release/install.sh --no-packages | grep '^Nothing to do'"
fact "and has written nothing" is "$(written_files)" "$before"
fact "with --quiet it says nothing then and leaves the doctor out" is "$(install_it --quiet 2>&1 | grep -v -e '^note' -e '^       ')" "$(printf '\nNothing to do: all is in place.')"
fact "the copy that it left does the same without the release's folder" \
    sh -c "chroot '$SCRATCH_ROOT' /usr/local/lib/minectl/install.sh --no-packages | grep '^Nothing to do'"
fact "and has written nothing" is "$(written_files)" "$before"

# (e) what the owner changed ----------------------------------------------------------------------------------------------

inside sed -i 's/^MAILTO=.*/MAILTO=owner@example.org/' /etc/cron.d/minectl
inside /usr/local/bin/minectl config set loop_interval "5 minutes" >/dev/null
inside /usr/local/bin/minectl config set tick.budget "200 s" >/dev/null
inside sed -i 's/listen 80;/listen 8080;/' /etc/nginx/sites-available/minectl
kept=$(sha256sum "$SCRATCH_ROOT/etc/nginx/sites-available/minectl" "$CONFIG")
install_it >"$FOLDER/said" 2>&1
fact "an edited configuration and an edited site are kept byte for byte" is "$(sha256sum "$SCRATCH_ROOT/etc/nginx/sites-available/minectl" "$CONFIG")" "$kept"
fact "that is said, with the file to compare with" grep '^kept .*/etc/nginx/sites-available/minectl: changed by you; ours lies in /usr/local/lib/minectl' "$FOLDER/said"
fact "the cron entry follows loop_interval, and MAILTO stays" \
    is "$(grep -v '^#' "$CRON" | cut -c1-30)" "$(printf 'SHELL=/bin/sh\nMALLOC_ARENA_MAX=1\nMAILTO=owner@example.org\n*/5 * * * * minectl /usr/bin/t')"
if [ -e "$ROOT/cron/nginx-minectl-admin.conf" ]; then
    # The commands as they are said, with a password typed.
    grep -A 2 '^note .*the debug page is off' "$FOLDER/said" | sed -n -e 's/sudo //g' -e 's/^       //p' >"$SCRATCH_ROOT/tmp/password"
    fact "without a password file the debug page is off, and it says how to switch it on" \
        is "$(grep -c -e 'openssl passwd -6' -e 'chmod 640' "$SCRATCH_ROOT/tmp/password")" 2
    fact "nothing of it is served then" sh -c "! [ -e '$SCRATCH_ROOT/etc/nginx/minectl.d/admin.conf' ]"
    sed -i 's/openssl passwd -6/& -salt salt typed/' "$SCRATCH_ROOT/tmp/password"
    fact "what it says makes a file that only root and the web server may read" \
        is "$(inside sh -e /tmp/password >/dev/null && cut -d: -f1 "$SCRATCH_ROOT/etc/nginx/minectl.htpasswd" | tail -n 1) $(owner_of /etc/nginx/minectl.htpasswd)" "NAME 640 root:www-data"
    fact "with one it is on" sh -c "chroot '$SCRATCH_ROOT' /tmp/release/install.sh --no-packages | grep '^done .*minectl.d/admin.conf'"
    fact "and nginx takes that too" is "$(inside nginx -T -q 2>&1 | grep -c 'location ^~ /admin')" 1
    fact "its program is in place" test "$(owner_of /usr/local/lib/minectl/minectl.cgi)" = "755 root:root"
    rm "$SCRATCH_ROOT/etc/nginx/minectl.htpasswd"
fi
inside sed -i 's/^mode = .*/mode = "perhaps"/' /etc/minectl/config.txt
before=$(sha256sum "$CRON")
fact "with a mistake in the configuration it says so and leaves the cron entry alone" \
    sh -c "chroot '$SCRATCH_ROOT' /tmp/release/install.sh --no-packages | grep 'cron.d/minectl is left as it is' && [ \"\$(sha256sum '$CRON')\" = '$before' ]"
inside sed -i 's/^mode = .*/mode = "observe"/' /etc/minectl/config.txt
printf 'x' >>"$SCRATCH_ROOT/tmp/release/cron/tmpfiles-minectl.conf"
printf '#!/bin/false\n' >"$SCRATCH_ROOT/tmp/release/other"
chmod 755 "$SCRATCH_ROOT/tmp/release/other"
before=$(sha256sum "$SCRATCH_ROOT/usr/local/bin/minectl")
fact "a program that does not run here is refused before anything is changed" \
    sh -c "! chroot '$SCRATCH_ROOT' /tmp/release/install.sh --no-packages --binary /tmp/release/other 2>'$FOLDER/said' && grep 'does not run on this machine' '$FOLDER/said'"
fact "and the program in place stays" is "$(sha256sum "$SCRATCH_ROOT/usr/local/bin/minectl")" "$before"
cp "$ROOT/cron/tmpfiles-minectl.conf" "$SCRATCH_ROOT/tmp/release/cron/"

# An installation from before /etc/minectl-update, whose owner had added a key and updated once.
trust_before() {
    inside sh -c 'cd /etc/minectl && mv ../minectl-update/release-signers . && rm -rf ../minectl-update && echo owner/repo >release-source'
    inside sed -i 's#/etc/minectl-update/release-signers#/etc/minectl/release-signers#' /usr/local/lib/minectl/installed
}
in_trust() { (
    cd "$SCRATCH_ROOT/etc" && ls minectl/release-* 2>/dev/null
    cat minectl-update/release-source minectl-update/release-signers | grep -c -e owner/repo -e 'added by me'
); }
echo '# added by me' >>"$SCRATCH_ROOT/etc/minectl-update/release-signers"
trust_before
fact "keys and source that only root could write move to where only root can write" \
    is "$(install_it >/dev/null && in_trust) $(owner_of /etc/minectl-update) $(owner_of /etc/minectl-update/release-source)" "2 755 root:root 644 root:root"
fact "and an added key stays from then on" is "$(install_it >/dev/null && in_trust)" 2
trust_before
inside chown minectl:minectl /etc/minectl
install_it >"$FOLDER/said"
fact "those that minectl could write stay where they are, to be looked at" sh -c "
    grep '^note .*/etc/minectl/release-signers is not trusted.*sudo install -m 644 /etc/minectl/release-signers /etc/minectl-update/release-signers' '$FOLDER/said' &&
    grep -q added '$SCRATCH_ROOT/etc/minectl/release-signers' && ! grep -q added '$SCRATCH_ROOT/etc/minectl-update/release-signers' &&
    [ -e '$SCRATCH_ROOT/etc/minectl/release-source' ] && ! [ -e '$SCRATCH_ROOT/etc/minectl-update/release-source' ]"
inside chown root:minectl /etc/minectl
inside rm /etc/minectl/release-signers /etc/minectl/release-source

# (f) gone ------------------------------------------------------------------------------------------------------------------

cp "$SCRATCH_ROOT/usr/local/lib/minectl/cron/nginx-minectl.conf" "$SCRATCH_ROOT/etc/nginx/sites-available/minectl"
owners_files() { (cd "$SCRATCH_ROOT" && find etc/minectl var/lib/minectl -type f ! -name '.nginx*' ! -name release-signers -exec sha256sum {} + | sort); }
before=$(owners_files)
fact "uninstalling in a dry run changes nothing" \
    is "$(w=$(written_files) && install_it --uninstall --dry-run >/dev/null && [ "$w" = "$(written_files)" ] && echo same)" same
fact "uninstalling ends well" install_it --uninstall
# Folders that were looked into and files of the user's making apart, only these may be left.
left() {
    local file
    (cd "$SCRATCH_UPPER" && find . ! -type d ! -path './etc/minectl/*' ! -path './etc/minectl-update/*' ! -path './var/lib/minectl/*' ! -path './var/log/*') |
        grep -v -E -x '\./etc/((passwd|group|shadow|gshadow|subuid|subgid)-?|\.pwd\.lock)' | while read -r file; do
        # A file that was taken away and put back lies there again, the same as before.
        if [ ! -L "$SCRATCH_UPPER/$file" ] || [ "$(readlink "$SCRATCH_UPPER/$file")" != "$(readlink "/$file")" ]; then echo "$file"; fi
    done
}
fact "nothing is left but configuration, data, log and the user" is "$(left)" ""
fact "Debian's greeting is back" test -e "$SCRATCH_ROOT/etc/nginx/sites-enabled/default"
fact "configuration and data are as they were" is "$(owners_files)" "$before"
fact "a second uninstalling finds nothing and ends well" install_it --uninstall
fact "installing again goes on with the old configuration and data" install_it
fact "and they are as they were" is "$(owners_files)" "$before"
fact "purging ends well" install_it --uninstall --purge
fact "then nothing at all is left" is "$(
    left
    ls -d "$SCRATCH_ROOT"/{etc,var/lib,var/log,run}/minectl* 2>/dev/null
    inside getent passwd minectl || true
)" ""
fact "an unknown argument is refused" sh -c "! chroot '$SCRATCH_ROOT' /tmp/release/install.sh --prune 2>/dev/null"
sum_up
