#!/usr/bin/env bash
# Updates a minectl that install.sh installed, to the newest release: fetched, its signature and checksum verified, tried
# against your configuration, put in place by one rename, judged by `minectl doctor` and by a whole run, and taken back when
# either goes worse than before. Configuration, data and cron entry stay; when the old program cannot read what the new one
# made of the data, it gets back the data from before. Needs root, curl and ssh-keygen (openssh-client).
#
#   update.sh --from OWNER/REPO       from this GitHub repository; remembered for the next time
#   update.sh --from URL              the same from any folder of a web server
#   update.sh                         from where the last one came
#   update.sh --version v0.2.0        that release instead of the newest
#   update.sh --allow-older           even when it is older than the one in place
#   update.sh --rollback              back to the program before the last update
#   update.sh --recover               ends an update that a power cut broke off (cron starts this at boot)
#
# Exit code 0: the new program runs, or there is none. 1: nothing was changed, or it was taken back; the text says which.

set -euo pipefail

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH LC_ALL=C
umask 022

BIN=/usr/local/bin/minectl
LIB=/usr/local/lib/minectl
CONFIG=/etc/minectl/config.txt
# Whose releases are taken, and from where: root's word alone. The configuration's folder may be minectl's.
TRUST=/etc/minectl-update
SIGNERS=$TRUST/release-signers
SOURCE=$TRUST/release-source
CRON=/etc/cron.d/minectl
# There only while an update is under way.
CRON_RECOVER=/etc/cron.d/minectl-update
# The data as it was before the last update, readable for its owner only.
DATA_BEFORE=/var/lib/minectl-before-update
SIGNED_FOR=minectl-release
WORK=$LIB/update
PENDING=$WORK/pending
OLD=$LIB/previous

say() { printf '%s\n' "$*"; }
fail() {
    printf 'update.sh: %s\n' "$*" >&2
    exit 1
}
usage() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "${BASH_SOURCE[0]}"; }

version_of() { "$1" --version 2>/dev/null | awk '{ print $2 }'; }
is_older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# Replaces a file at once; the disk has the new one before the name changes, and the name before this returns.
place() {
    local from=$1 to=$2 mode=$3 new
    new=$(dirname "$to")/.$(basename "$to").minectl-new
    cp "$from" "$new"
    chmod "$mode" "$new"
    sync "$new"
    mv -fT "$new" "$to"
    sync "$(dirname "$to")"
}

# As cron starts it: as minectl, with cron's environment.
as_cron() {
    setpriv --reuid=minectl --regid=minectl --init-groups env -i HOME=/var/lib/minectl PATH=/usr/bin:/bin SHELL=/bin/sh \
        LOGNAME=minectl "$@"
}

# --- The data ----------------------------------------------------------------------------------------------------------

data_folder() {
    local folder
    folder=$("$BIN" --config "$CONFIG" config get paths.data 2>/dev/null || true)
    case $folder in
    /*) say "$folder" ;;
    *) say /var/lib/minectl ;;
    esac
}

# No run begins until `let_runs`; one that is at work ends first. 1 when it does not.
hold_runs() {
    # As a run makes it: root's own could be opened by no run.
    [ -e "$DATA/tick.lock" ] || as_cron touch "$DATA/tick.lock" || return 1
    exec 8<"$DATA/tick.lock" || return 1
    flock -w 150 8
}
let_runs() { exec 8<&-; }

# on_data COMMANDS ARGUMENTS...: in the data folder, while nobody has the database open. As its owner: nothing that stands in
# a folder of his can lead root astray.
# shellcheck disable=SC2016  # The inner shell's own.
on_data() { as_cron flock -w 30 "$DATA/db.lock" sh -e -c 'cd "$1"; shift; '"$1" sh "$DATA" "${@:2}" 8<&- 9<&-; }

# Copies what a new program may give another form: the database, the state and the small files beside; not what is only
# added to (history, pages, inputs, calls).
# shellcheck disable=SC2016  # The inner shell's own.
copy_data() {
    rm -rf "$DATA_BEFORE.new"
    install -d -o minectl -g minectl -m 0700 "$DATA_BEFORE.new" &&
        on_data 'for name in db db.old; do if [ -d $name ]; then cp -a $name "$1/"; fi; done
            find . -maxdepth 1 -type f ! -name "*.lock" ! -name ".*" -exec cp -a -t "$1" {} +' "$DATA_BEFORE.new" &&
        sync -f "$DATA_BEFORE.new" && rm -rf "$DATA_BEFORE" && mv -T "$DATA_BEFORE.new" "$DATA_BEFORE" && sync "$(dirname "$DATA_BEFORE")"
}

# Whether the program before can read the data as it is now: 0 it can, 6 it would begin anew without, else it does not say.
old_reads_data() {
    local code=0 try
    for try in 1 2 3; do
        code=0
        as_cron timeout --kill-after=5 60 "$OLD" --config "$CONFIG" db check >"$WORK/check" 2>&1 || code=$?
        # Somebody has it open, or there is no room for a look.
        if [ "$code" != 1 ] || ! grep -q '^ *try again$' "$WORK/check"; then break; fi
        code=9
        if [ "$try" != 3 ]; then sleep 5; fi
    done
    # Programs that do not know 6 say it in these words.
    if [ "$code" = 1 ] && grep -q "newer than this program's" "$WORK/check"; then code=6; fi
    if [ "$code" = 1 ]; then code=0; fi
    return $code
}

# Puts the copy in the place of what is there, which is kept in AWAY. The database waits under the name by which a
# compaction's is found: a power cut at any moment leaves the one or the other. A run removes what is left of `.new...`.
# shellcheck disable=SC2016  # The inner shell's own.
put_data_back() {
    on_data 'before=$1 away=$2
        rm -rf minectl-newer-* db.old
        mkdir "$away"
        for name in db.old db; do if [ -d "$before/$name" ]; then rm -rf db.old; cp -a "$before/$name" db.old; fi; done
        sync -f .
        if [ -d db ]; then mv db "$away/db"; fi
        if [ -d db.old ]; then mv db.old db; fi
        for file in "$before"/*; do
            name=${file##*/}
            if [ ! -f "$file" ]; then continue; fi
            cp -a "$file" .new-put-back
            if [ -e "$name" ]; then cp -a "$name" "$away/"; fi
            mv -f .new-put-back "$name"
        done
        sync -f .' "$DATA_BEFORE" "$1"
}

# Sees to it that the program before finds data that it can read, and says in DATA_NOTE how. 1 when there are none.
data_for_the_old() {
    local code=0 away
    away=minectl-newer-$(date +%s)
    data_before_done=yes
    old_reads_data || code=$?
    case $code in
    0) DATA_NOTE="with the data as they are" ;;
    6)
        if [ ! -d "$DATA_BEFORE" ]; then return 1; fi
        if put_data_back "$away"; then
            DATA_NOTE="with the data of $(date -r "$DATA_BEFORE" '+%F %R'), from before the update: it cannot read the newer form, which is kept in $DATA/$away"
        else
            data_before_done=no
            DATA_NOTE="but it cannot read the data, and those from before could not be put back: they lie in $DATA_BEFORE"
        fi
        ;;
    *)
        DATA_NOTE="with the data as they are; \`minectl db check\` did not say whether it can read them, those from before lie in $DATA_BEFORE"
        data_before_done=no
        ;;
    esac
}

# Once the program before is in place again.
drop_data_before() { if [ "$data_before_done" = yes ]; then rm -rf "$DATA_BEFORE"; fi; }

# --- Fetching ----------------------------------------------------------------------------------------------------------

machine() {
    # The kernel of a 32-bit system may be a 64-bit one: Debian's word for the programs counts.
    case $(dpkg --print-architecture) in
    arm64) say aarch64 ;;
    armhf) say armv7 ;;
    amd64) say x86_64 ;;
    *) fail "there is no release for this machine ($(dpkg --print-architecture)); build it from a clone: scripts/install.sh" ;;
    esac
}

release_folder() {
    local from=$1 wanted=$2
    case $from in
    *://*) say "${from%/}" ;;
    */*)
        if [ -n "$wanted" ]; then
            say "https://github.com/$from/releases/download/$wanted"
        else
            say "https://github.com/$from/releases/latest/download"
        fi
        ;;
    *) fail "--from wants OWNER/REPO or an address" ;;
    esac
}

fetch() {
    local url=$1 to=$2 proto='=https'
    # A server on this machine is for trying things out.
    if [[ $url =~ ^http://127\.0\.0\.1[:/] ]]; then proto='=http'; fi
    curl -q -sSfL --proto "$proto" --proto-redir "$proto" --retry 3 --connect-timeout 20 -m 900 --max-filesize 100000000 \
        -o "$to" "$url" || fail "cannot fetch $url; nothing was changed"
}

only_root_writes() { [ ! -L "$1" ] && [ "$(stat -c %u "$1")" = 0 ] && [ $((0$(stat -c %a "$1") & 022)) = 0 ]; }

# Who could write there could have his own program started as root.
check_trust() {
    local path mode
    for path in "$TRUST" "$SIGNERS" "$SOURCE"; do
        if [ ! -e "$path" ] && [ ! -L "$path" ]; then continue; fi
        if only_root_writes "$path"; then continue; fi
        mode=644
        if [ -d "$path" ]; then mode=755; fi
        fail "$path is not trusted: others than root may have written it ($(stat -c 'mode %a, owner %U' "$path")); nothing was changed." \
            "Look whether what stands there is yours, then: sudo chown root:root $path && sudo chmod $mode $path"
    done
}

# Only what a trusted key has signed is looked at any further.
verify_signature() {
    grep -q '^[^#]' "$SIGNERS" 2>/dev/null ||
        fail "no key is trusted yet: put the release's public key into $SIGNERS (its head says how;" \
            "install.sh moves one of /etc/minectl there); nothing was changed"
    ssh-keygen -Y verify -f "$SIGNERS" -I "$SIGNED_FOR" -n "$SIGNED_FOR" -s "$1.sig" <"$1" >/dev/null 2>&1 ||
        fail "the signature of SHA256SUMS is not by a key in $SIGNERS: the release is not what it says; nothing was changed"
}

verify_checksum() {
    local folder=$1 file=$2 line
    line=$(awk -v file="$file" '$2 == file' "$folder/SHA256SUMS")
    [[ $line =~ ^[0-9a-f]{64}\ \ [^[:space:]]+$ ]] || fail "SHA256SUMS does not name $file once; nothing was changed"
    (cd "$folder" && sha256sum --status -c <<<"$line") || fail "$file does not match its checksum; nothing was changed"
}

# The release in $WORK/new, verified, runnable here, and at home with the configuration. Sets NEW_VERSION.
get_release() {
    local from=$1 wanted=$2 older=$3 url file=minectl-$MACHINE.tar.gz here said
    url=$(release_folder "$from" "$wanted")
    here=$(version_of "$BIN")
    mkdir -p "$WORK/fetched" "$WORK/new"
    trap 'rm -rf "$WORK"' EXIT
    fetch "$url/SHA256SUMS" "$WORK/fetched/SHA256SUMS"
    fetch "$url/SHA256SUMS.sig" "$WORK/fetched/SHA256SUMS.sig"
    verify_signature "$WORK/fetched/SHA256SUMS"
    # The Debian packages carry the version in their names, under the same signature.
    NEW_VERSION=$(awk '{ print $2 }' "$WORK/fetched/SHA256SUMS" | sed -n 's/^minectl_\([0-9][0-9A-Za-z.+~-]*\)_[a-z0-9]*\.deb$/\1/p' | sort -u)
    [ "$(wc -w <<<"$NEW_VERSION")" = 1 ] || fail "SHA256SUMS names no version, or several; nothing was changed"
    if [ "$NEW_VERSION" = "$here" ]; then
        say "minectl $here is in place already, and there is no newer one at $url"
        exit 0
    fi
    if is_older "$NEW_VERSION" "$here" && [ "$older" = no ]; then
        fail "$url offers $NEW_VERSION, older than $here in place; nothing was changed (--allow-older takes it)"
    fi
    fetch "$url/$file" "$WORK/fetched/$file"
    verify_checksum "$WORK/fetched" "$file"
    tar -C "$WORK/new" --strip-components=1 --no-same-owner -xzf "$WORK/fetched/$file" || fail "cannot unpack $file; nothing was changed"
    said=$(version_of "$WORK/new/minectl" || true)
    [ "$said" = "$NEW_VERSION" ] || fail "the new program does not run here (it says \`$said\`, wanted $NEW_VERSION); nothing was changed"
    "$WORK/new/minectl" --config "$CONFIG" config check || fail "minectl $NEW_VERSION does not take $CONFIG as it is; nothing was changed"
}

# --- Judging -----------------------------------------------------------------------------------------------------------

# How bad it is by the doctor: 0 well, 1 warnings, 2 faults, more for a program that breaks down. 1 for one that knows no
# doctor.
doctor() {
    local code=0
    if ! "$BIN" help doctor >/dev/null 2>&1; then return 1; fi
    as_cron timeout --kill-after=5 300 "$BIN" --config "$CONFIG" doctor >"$WORK/doctor" 2>&1 || code=$?
    # Its own exit codes are those of every command: 1 is faults, 5 is warnings.
    case $code in
    0) return 0 ;;
    5) return 1 ;;
    1) return 2 ;;
    *) return $((code > 2 ? code : 3)) ;;
    esac
}

how_bad() {
    local code=0
    doctor || code=$?
    say "$code"
}

# A device may be silent for a moment: three looks, unless the program itself is what fails.
doctor_is_content() {
    local allowed=$1 code try
    for try in 1 2 3; do
        code=$(how_bad)
        if [ "$code" -le "$allowed" ]; then return 0; fi
        if [ "$code" -gt 2 ]; then break; fi
        if [ "$try" != 3 ]; then sleep 20; fi
    done
    say "\`minectl doctor\` ends with $code; before the update it was $allowed or better:"
    grep -E 'FAIL|panic|error' "$WORK/doctor" | head -n 12 | sed 's/^/    /' || true
    return 1
}

# One run by the line that cron uses. Exit code 1 says that devices have faults and that the run did all the rest.
a_run_ends_well() {
    local line code try
    line=$(sed -n 's#^[0-9*].* minectl \(/usr/bin/timeout .*\)$#\1#p' "$CRON" | head -n 1)
    [ -n "$line" ] || { say "there is no line for minectl in $CRON" && return 1; }
    for try in 1 2 3 4; do
        code=0
        hold_runs || true
        let_runs
        as_cron /bin/sh -c "${line//\\%/%}" >"$WORK/run" 2>&1 || code=$?
        # 4: cron's own run came first.
        if [ "$code" != 4 ]; then break; fi
        if [ "$try" != 4 ]; then sleep 5; fi
    done
    if [ "$code" -le 1 ]; then return 0; fi
    say "a run ends with exit code $code:"
    head -n 12 "$WORK/run" | sed 's/^/    /'
    return 1
}

# --- Changing ----------------------------------------------------------------------------------------------------------

# With runs held: puts the new program in place. From here a power cut leaves enough behind to end the update or to take it back.
change() {
    local allowed=$1
    if ! copy_data; then
        rm -rf "$DATA_BEFORE.new"
        fail "the data in $DATA cannot be copied to $DATA_BEFORE (is there room? df -h); nothing was changed"
    fi
    place "$BIN" "$OLD" 755
    printf '# An update of minectl was broken off; this ends it at boot, and goes away by itself.\nSHELL=/bin/sh\nMAILTO=root\n@reboot root %s --recover\n' \
        "$LIB/update.sh" >"$WORK/cron"
    place "$WORK/cron" "$CRON_RECOVER" 644
    printf '%s %s %s\n' "$(version_of "$OLD")" "$NEW_VERSION" "$allowed" >"$WORK/note"
    place "$WORK/note" "$PENDING" 600
    trap - EXIT
    place "$WORK/new/minectl" "$BIN" 755
}

forget() {
    rm -f "$PENDING"
    sync "$WORK"
    rm -rf "$DATA_BEFORE.new"
    rm -f "$CRON_RECOVER" "$(dirname "$BIN")/.$(basename "$BIN").minectl-new"
    rm -rf "$WORK"
}

# The data first: a power cut after it leaves the new program with the data from before, as an update begins.
roll_back() {
    hold_runs || true
    data_for_the_old || DATA_NOTE="but it cannot read the data, and there are none from before: a run of it begins anew"
    place "$OLD" "$BIN" 755
    let_runs
    drop_data_before
    forget
    fail "taken back: minectl $(version_of "$BIN") is in place again, $DATA_NOTE"
}

judge() {
    local new=$1 allowed=$2
    if ! doctor_is_content "$allowed" || ! a_run_ends_well; then roll_back; fi
    # The files around it: cron entry, log rotation, web server, manual. Yours are kept.
    if ! "$WORK/new/install.sh" --no-packages --quiet >"$WORK/install" 2>&1; then
        say "the program is in place, but its install.sh said:"
        sed 's/^/    /' "$WORK/install"
    fi
    forget
    say "minectl $new is in place; doctor and a whole run are content. \`update.sh --rollback\` goes back."
}

# What a power cut broke off.
recover() {
    local old new allowed
    if [ ! -e "$PENDING" ]; then
        # Broken off before anything was changed, or when all was done.
        if [ -e "$CRON_RECOVER" ] || [ -e "$WORK" ]; then mkdir -p "$WORK" && forget; fi
        return 0
    fi
    read -r old new allowed <"$PENDING"
    if cmp -s "$BIN" "$OLD"; then
        forget
        say "an update to minectl $new was broken off before it was in place; minectl $old goes on"
    else
        say "an update to minectl $new was broken off; it is judged now"
        judge "$new" "$allowed"
    fi
}

roll_back_by_hand() {
    local now
    [ -x "$OLD" ] || fail "there is no program before the last update ($OLD)"
    now=$(version_of "$BIN")
    "$OLD" --config "$CONFIG" config check || fail "minectl $(version_of "$OLD") does not take $CONFIG as it is; nothing was changed"
    mkdir -p "$WORK"
    trap 'rm -rf "$WORK"' EXIT
    hold_runs || fail "$NO_PAUSE"
    data_for_the_old ||
        fail "minectl $(version_of "$OLD") cannot read the data as minectl $now left them, and there are none from before; nothing was changed." \
            "To begin anew with it, without what is set by hand and the events: sudo mkdir /var/minectl-newer && sudo mv $DATA/db $DATA/state.json /var/minectl-newer/; then this again"
    place "$OLD" "$BIN" 755
    let_runs
    drop_data_before
    say "minectl $(version_of "$BIN") is in place instead of $now, $DATA_NOTE"
}

# --- All of it ---------------------------------------------------------------------------------------------------------

from='' wanted='' older=no action=update
while [ $# -gt 0 ]; do
    case $1 in
    --from) from=${2:?--from wants OWNER/REPO or an address} && shift ;;
    --version) wanted=${2:?--version wants a tag} && shift ;;
    --allow-older) older=yes ;;
    --rollback) action=rollback ;;
    --recover) action=recover ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument \`$1\`" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || fail "needs root: sudo $0"
if [ -e /usr/lib/minectl/install.sh ]; then
    fail "minectl is installed as a Debian package here: fetch the new one and \`apt-get install ./minectl_...deb\`"
fi
if [ ! -x "$BIN" ] || [ ! -e "$LIB/installed" ]; then fail "minectl was not installed by install.sh here"; fi
mkdir -p /run/lock
exec 9>/run/lock/minectl-update
flock -n 9 || fail "another update is at work"
DATA=$(data_folder)
NO_PAUSE="$DATA/tick.lock could not be taken (a run that does not end? a folder that is not there?); nothing was changed"
recover
case $action in
recover) exit 0 ;;
rollback) roll_back_by_hand && exit 0 ;;
update) ;;
esac
for tool in curl ssh-keygen; do
    command -v $tool >/dev/null || fail "\`$tool\` is not installed: apt-get install curl openssh-client"
done
check_trust
if [ -z "$from" ]; then from=$(cat "$SOURCE" 2>/dev/null || true); fi
[ -n "$from" ] || fail "from where? --from OWNER/REPO (on GitHub) or --from URL"
MACHINE=$(machine)
get_release "$from" "$wanted" "$older"
say "minectl $(version_of "$BIN") -> $NEW_VERSION: verified; doctor looks at the site before the change"
# A fault that is there already is no reason to go back.
allowed=$(how_bad)
if [ "$allowed" -lt 1 ] || [ "$allowed" -gt 2 ]; then allowed=1; fi
hold_runs || fail "$NO_PAUSE"
change "$allowed"
let_runs
judge "$NEW_VERSION" "$allowed"
if [ "$(cat "$SOURCE" 2>/dev/null || true)" != "$from" ]; then
    printf '%s\n' "$from" >"$SOURCE.new"
    place "$SOURCE.new" "$SOURCE" 644
    rm -f "$SOURCE.new"
fi
