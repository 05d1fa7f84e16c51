#!/usr/bin/env bash
# Installs minectl on Raspberry Pi OS or Debian: user, program, configuration, folders, cron entry, log rotation, page.
# Does only what is missing, so it may be run again at any time; after a change of `loop_interval` that is how the cron
# entry follows. Needs root.
#
#   install.sh                 from the release's folder, or from a clone (then cargo builds the program first)
#   install.sh --dry-run       says what it would do, changes nothing
#   install.sh --uninstall     takes all of it away again but configuration, data and log
#   install.sh --uninstall --purge    takes those away too, and the user
#
#   --no-packages     installs no Debian packages; what is missing is named
#   --no-nginx        leaves the web server alone: another one serves /run/minectl/page
#   --mailto ADDRESS  who gets cron's mail; else as it was, at first root
#   --binary FILE     this program instead of the one beside the script
#   --root DIR        into the system below DIR, which is not running: nothing is started, no package installed
#   --packaged        for the Debian package's own scripts: what dpkg brought is left to dpkg
#   --quiet           says only what it changes, and leaves `minectl doctor` out, with which it ends else
#
# A file that you changed is kept, and so is the configuration, always. Exit code 0 when all is in place.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH LC_ALL=C
umask 022

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
usage() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "${BASH_SOURCE[0]}"; }

dry=no uninstall=no purge=no packages=yes nginx=yes packaged=no quiet=no mailto='' binary='' root=''
value() { if [ -z "${2:-}" ]; then fail "$1 wants a value after it"; fi; }
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) dry=yes ;;
    --uninstall) uninstall=yes ;;
    --purge) purge=yes ;;
    --no-packages) packages=no ;;
    --no-nginx) nginx=no ;;
    --packaged) packaged=yes ;;
    --quiet) quiet=yes ;;
    --mailto) value "$@" && mailto=$2 && shift ;;
    --binary) value "$@" && binary=$2 && shift ;;
    --root) value "$@" && root=$(cd "$2" && pwd) && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument \`$1\`" ;;
    esac
    shift
done
[ "$purge" = no ] || [ "$uninstall" = yes ] || fail "--purge goes with --uninstall"
if [ "$root" = / ]; then root=; fi
if [[ $mailto = *[[:space:]%]* ]]; then fail "--mailto: one address without blanks, or a user of this machine"; fi

ETC=/etc/minectl
CONFIG=$ETC/config.txt
# What root's update.sh trusts: only root writes here, while $ETC is minectl's once the configuration page may save.
TRUST=/etc/minectl-update
DATA=/var/lib/minectl
LOG=/var/log/minectl
CRON=/etc/cron.d/minectl
SITE=/etc/nginx/sites-available/minectl
SITE_ON=/etc/nginx/sites-enabled/minectl
DEFAULT_ON=/etc/nginx/sites-enabled/default
ADMIN=/etc/nginx/snippets/minectl-admin.conf
ADMIN_ON=/etc/nginx/minectl.d/admin.conf
ADMIN_PASSWORDS=/etc/nginx/minectl.htpasswd
DEFAULT_WAS_ON=$ETC/.nginx-default-was-on
if [ "$HERE" = /usr/lib/minectl ]; then packaged=yes; fi
if [ "$packaged" = yes ]; then
    BIN=/usr/bin/minectl LIB=/usr/lib/minectl UNITS=/usr/lib/systemd/system
else
    BIN=/usr/local/bin/minectl LIB=/usr/local/lib/minectl UNITS=/etc/systemd/system
fi
# What was put in place, with checksums: a file that differs from its line was changed by the owner.
LIST=$LIB/installed
COMPLETIONS="bash:/usr/local/share/bash-completion/completions/minectl
zsh:/usr/local/share/zsh/site-functions/_minectl
fish:/usr/local/share/fish/vendor_completions.d/minectl.fish"
MANUAL=/usr/local/share/man/man1/minectl.1

# --- Telling and doing -------------------------------------------------------------------------------------------------

changes=0
told() { printf '%-6s %s\n' "$1" "$2"; }
same() { if [ "$quiet" = no ]; then told same "$1"; fi; }
kept() { if [ "$quiet" = no ]; then told kept "$1"; fi; }
# doing SENTENCE COMMAND...: does it and says so; in a dry run says what it would do.
doing() {
    local sentence=$1
    shift
    changes=$((changes + 1))
    if [ "$dry" = yes ]; then
        told would "$sentence"
    else
        "$@" || fail "$sentence: failed"
        told "done" "$sentence"
    fi
}

sum_of() { sha256sum "$1" | cut -d' ' -f1; }
listed_sum() { awk -v path="$1" '$2 == path { print $1 }' "$root$LIST" 2>/dev/null || true; }

# Replaces a file at once, so that nobody ever reads half of it; the disk has it before the name changes.
place() {
    local from=$1 to=$2 mode=$3 new
    mkdir -p "$(dirname "$to")"
    new=$(dirname "$to")/.$(basename "$to").minectl-new
    cp "$from" "$new" && chmod "$mode" "$new" && sync "$new" && mv -fT "$new" "$to" && sync "$(dirname "$to")"
}
list_file() {
    local path=$1 sum=$2
    mkdir -p "$root$LIB"
    { grep -v " $path\$" "$root$LIST" 2>/dev/null || true; } >"$root$LIST.new"
    if [ -n "$sum" ]; then printf '%s %s\n' "$sum" "$path" >>"$root$LIST.new"; fi
    mv -f "$root$LIST.new" "$root$LIST"
}
place_and_list() {
    local folder
    # Folders that are made for this file alone go with it.
    folder=$(dirname "$2")
    while [ ! -d "$root$folder" ]; do
        list_file "$folder" folder
        folder=$(dirname "$folder")
    done
    place "$1" "$root$2" "$3" && list_file "$2" "$(sum_of "$1")"
}

# put FROM PATH MODE WHAT: installs a file of ours. One in /etc that the owner has changed stays as it is.
put() {
    local from=$1 path=$2 mode=$3 what=$4 to=$root$2 was
    was=$(listed_sum "$path")
    if [ ! -e "$to" ]; then
        doing "$path: $what" place_and_list "$from" "$path" "$mode"
    elif [ "$(sum_of "$from")" = "$(sum_of "$to")" ]; then
        if [ "$(stat -c %a "$to")" != "$mode" ]; then
            doing "$path: mode $mode" chmod "$mode" "$to"
        else same "$path"; fi
        if [ "$was" != "$(sum_of "$to")" ] && [ "$dry" = no ]; then list_file "$path" "$(sum_of "$to")"; fi
    elif [[ $path != /etc/* ]] || [ "$was" = "$(sum_of "$to")" ]; then
        doing "$path: $what (a newer one)" place_and_list "$from" "$path" "$mode"
    else
        kept "$path: changed by you; ours lies in $LIB"
    fi
}

take_away() {
    local path=$1 was
    if [ ! -e "$root$path" ] && [ ! -L "$root$path" ]; then return 0; fi
    was=$(listed_sum "$path")
    if [[ $path = /etc/* ]] && [ -n "$was" ] && [ "$was" != "$(sum_of "$root$path")" ] && [ "$purge" = no ]; then
        kept "$path: changed by you; remove it by hand, or with --purge"
    else
        doing "remove $path" rm -rf "$root${path:?}"
    fi
}

systemd_runs() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
# Numbers of the user and its groups in the system below --root.
id_in() { awk -F: -v name="$2" '$1 == name { print $3 }' "$root/etc/$1"; }
owner() {
    local user group
    user=$(id_in passwd "$1") group=$(id_in group "$2")
    printf '%s:%s' "${user:-0}" "${group:-0}"
}

# --- The steps ---------------------------------------------------------------------------------------------------------

# Finds what is installed: the release's folder, what an earlier install put into LIB, or a clone.
find_sources() {
    if [ -d "$HERE/cron" ]; then
        FILES=$HERE/cron SCRIPTS=$HERE SIGNERS=$HERE/release-signers PROGRAM=${binary:-$HERE/minectl}
        if [ "$HERE" = "$LIB" ] && [ -z "$binary" ]; then PROGRAM=$root$BIN; fi
    else
        FILES=$HERE/../cron SCRIPTS=$HERE SIGNERS=$HERE/../packaging/release-signers PROGRAM=${binary:-$HERE/../target/release/minectl}
        if [ -z "$binary" ] && [ "$dry" = no ]; then
            (cd "$HERE/.." && command -v cargo >/dev/null) ||
                fail "there is no cargo to build the program with; take a release, or see https://rustup.rs"
            (cd "$HERE/.." && cargo build --release --locked --quiet --bin minectl) || fail "cargo could not build minectl"
        fi
    fi
    [ -d "$FILES" ] || fail "the folder cron is not beside this script: unpack the whole release"
    if [ ! -x "$PROGRAM" ] && [ "$dry" = no ]; then fail "no program at $PROGRAM"; fi
    if [ -x "$PROGRAM" ] && ! "$PROGRAM" --version >/dev/null 2>&1; then
        fail "$PROGRAM does not run on this machine ($(uname -m)): take the release for it"
    fi
}

packages_step() {
    local pair missing=()
    for pair in /usr/sbin/cron=cron /usr/sbin/logrotate=logrotate /usr/sbin/nginx=nginx-light \
        /etc/ssl/certs/ca-certificates.crt=ca-certificates /usr/share/zoneinfo/America/Chicago=tzdata \
        /usr/sbin/fcgiwrap=fcgiwrap; do
        case ${pair#*=} in
        nginx-light) if [ "$nginx" = no ]; then continue; fi ;;
        # Only the debug and configuration pages need it.
        fcgiwrap) if [ "$nginx" = no ] || [ ! -e "$FILES/nginx-minectl-admin.conf" ]; then continue; fi ;;
        esac
        [ -e "$root${pair%%=*}" ] || missing+=("${pair#*=}")
    done
    if [ ${#missing[@]} = 0 ]; then
        same "Debian packages"
    elif [ "$packages" = yes ] && [ -z "$root" ]; then
        doing "Debian packages: ${missing[*]}" install_packages "${missing[@]}"
    else
        told note "not installed: ${missing[*]} (apt-get install ${missing[*]})"
    fi
}
install_packages() {
    apt-get update -q >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >/dev/null
}

user_step() {
    local prefix=()
    if [ -n "$root" ]; then prefix=(--prefix "$root"); fi
    if [ -n "$(id_in passwd minectl)" ]; then
        same "user minectl"
    else
        doing "user minectl: everything runs as it, it owns only its own files and has no password" \
            useradd "${prefix[@]}" --system --user-group --no-create-home --home-dir $DATA --shell /usr/sbin/nologin minectl
    fi
}

# The folders of the tmpfiles file, now: after a boot systemd makes them.
folders_step() {
    local kind path mode user group
    while read -r kind path mode user group _; do
        [ "$kind" = d ] || continue
        if [ -d "$root$path" ] && [ "$(stat -c '%a %u:%g' "$root$path")" = "${mode#0} $(owner "$user" "$group")" ]; then
            same "$path"
        else
            doing "$path: folder of $user, mode $mode" make_folder "$path" "$mode" "$user" "$group"
        fi
    done <"$FILES/tmpfiles-minectl.conf"
}
config_folder_step() {
    if [ -d "$root$ETC" ]; then same $ETC; else doing "$ETC: folder that only root and minectl may read" make_folder $ETC 0750 root minectl; fi
}
# only_root_writes PATH: whether it is root's own and nobody else may write it.
only_root_writes() {
    [ ! -L "$root$1" ] && [ "$(stat -c %u "$root$1")" = 0 ] && [ $((0$(stat -c %a "$root$1") & 022)) = 0 ]
}
trust_step() {
    if [ -d "$root$TRUST" ] && [ "$(stat -c '%a %u:%g' "$root$TRUST")" = "755 0:0" ]; then
        same $TRUST
    else
        doing "$TRUST: folder of root, for whom update.sh trusts" make_folder $TRUST 0755 root root
    fi
    move_trusted release-signers
    move_trusted release-source
    put "$SIGNERS" $TRUST/release-signers 644 "whose releases update.sh takes"
}
# An earlier install.sh had it beside the configuration. Whoever could write there may have put his own in its place.
move_trusted() {
    local from=$ETC/$1 to=$TRUST/$1
    if [ ! -e "$root$from" ] && [ ! -L "$root$from" ]; then return 0; fi
    if ! only_root_writes $ETC || ! only_root_writes "$from"; then
        told note "$from is not trusted: others than root may have written it. Look at it; if it is yours: sudo install -m 644 $from $to; then: sudo rm $from"
    elif [ -e "$root$to" ] && ! cmp -s "$root$from" "$root$to"; then
        told note "$from is not read any more; $to is, and it differs: take over what you miss, then: sudo rm $from"
    else
        doing "$to: moved from $ETC, where not only root may write" move_and_list "$from" "$to"
    fi
}
move_and_list() {
    local was
    was=$(listed_sum "$1")
    place "$root$1" "$root$2" 644 && rm -f "$root$1" && list_file "$1" ''
    if [ -n "$was" ]; then list_file "$2" "$was"; fi
}
make_folder() { mkdir -p "$root$1" && chown "$(owner "$3" "$4")" "$root$1" && chmod "$2" "$root$1"; }

config_step() {
    if [ -e "$root$CONFIG" ] || [ -L "$root$CONFIG" ]; then
        kept "$CONFIG: yours"
    else
        doing "$CONFIG: a sample in observe mode (commands nothing), for root and minectl only" new_config
    fi
}
new_config() {
    "$PROGRAM" --config "$root$CONFIG" config init >/dev/null &&
        chown "$(owner root minectl)" "$root$CONFIG" && chmod 0640 "$root$CONFIG"
}

cron_step() {
    local line mail new
    if [ "$dry" = yes ] && { [ ! -e "$root$CONFIG" ] || [ ! -x "$PROGRAM" ]; }; then
        doing "$CRON: starts a run at each loop_interval" true
        return
    fi
    if ! line=$("$PROGRAM" --config "$root$CONFIG" crontab 2>&1); then
        printf '%s\n' "$line" | sed 's/^/       /'
        told note "$CRON is left as it is: mend the configuration, then start this again"
        return
    fi
    # The line names the program and the file where they are now.
    line=${line//"$(readlink -f "$PROGRAM")"/$BIN}
    line=${line//"$root$CONFIG"/$CONFIG}
    mail=$(grep -m 1 '^MAILTO=' "$root$CRON" 2>/dev/null || echo MAILTO=root)
    if [ -n "$mailto" ]; then mail=MAILTO=$mailto; fi
    new=$(mktemp)
    {
        grep -e '^#' -e '^[A-Z_]*=' "$FILES/minectl.cron" | grep -v '^MAILTO='
        printf '%s\n%s\n' "$mail" "$line"
    } >"$new"
    if [ -e "$root$CRON" ] && cmp -s "$new" "$root$CRON" && [ "$(stat -c %a "$root$CRON")" = 644 ]; then
        same $CRON
    else
        doing "$CRON: starts a run at each loop_interval: ${line%% /usr/bin/timeout*}" place "$new" "$root$CRON" 644
    fi
    rm -f "$new"
}

program_step() {
    local file pair
    if [ "$PROGRAM" = "$root$BIN" ]; then same $BIN; else put "$PROGRAM" $BIN 755 "the program"; fi
    if [ "$HERE" != "$LIB" ]; then
        for file in install.sh update.sh; do
            if [ -e "$SCRIPTS/$file" ]; then put "$SCRIPTS/$file" $LIB/$file 755 "to install again or update without the release's folder"; fi
        done
        for file in "$FILES"/*; do put "$file" "$LIB/cron/$(basename "$file")" 644 "the file as it came, to compare with"; done
        put "$SIGNERS" $LIB/release-signers 644 "the file as it came, to compare with"
    fi
    for pair in $COMPLETIONS; do generated "${pair#*:}" "shell completions (${pair%%:*})" completions "${pair%%:*}"; done
    generated $MANUAL "the manual page (man minectl)" man
}
# generated PATH WHAT ARGUMENTS...: a file that the program itself prints.
generated() {
    local path=$1 what=$2 text
    shift 2
    if [ ! -x "$PROGRAM" ]; then doing "$path: $what" true && return; fi
    text=$(mktemp)
    "$PROGRAM" "$@" >"$text" || fail "\`minectl $*\` failed"
    put "$text" "$path" 644 "$what"
    rm -f "$text"
}

nginx_step() {
    if [ "$nginx" = no ]; then return 0; fi
    local before=$changes
    if [ "$packaged" = no ]; then put "$FILES/nginx-minectl.conf" $SITE 644 "serves the page to the local network only"; fi
    if [ -e "$FILES/nginx-minectl-admin.conf" ]; then admin_step; fi
    if [ ! -d "$root/etc/nginx/sites-enabled" ]; then
        told note "no nginx here: nothing serves /run/minectl/page yet"
        return 0
    fi
    if [ -L "$root$SITE_ON" ]; then same $SITE_ON; else doing "$SITE_ON: the page is served" ln -s $SITE "$root$SITE_ON"; fi
    # Debian's greeting answers on the same port; its file stays in sites-available.
    if [ -L "$root$DEFAULT_ON" ] && [ "$(readlink "$root$DEFAULT_ON")" = /etc/nginx/sites-available/default ]; then
        doing "$DEFAULT_ON: Debian's greeting makes room (its file stays)" default_site off
    fi
    if [ "$changes" != "$before" ] && [ "$dry" = no ] && [ -z "$root" ]; then reload_nginx; fi
}
# The debug and configuration pages: there with a password, else not.
admin_step() {
    if [ "$packaged" = no ]; then
        put "$FILES/nginx-minectl-admin.conf" $ADMIN 644 "the debug and configuration pages, behind a password"
        put "$FILES/nginx-minectl-admin-limit.conf" /etc/nginx/conf.d/minectl-admin.conf 644 "how often passwords may be tried"
        put "$FILES/minectl.cgi" $LIB/minectl.cgi 755 "what the web server starts for these pages"
    fi
    if [ ! -e "$root$ADMIN_PASSWORDS" ]; then
        told note "the debug page is off; to switch it on, give yourself a password, then $(if [ "$packaged" = yes ]; then echo "sudo dpkg-reconfigure minectl"; else echo "this again"; fi):"
        printf '       %s\n' "printf 'NAME:%s\\n' \"\$(openssl passwd -6)\" | sudo tee -a $ADMIN_PASSWORDS" \
            "sudo chown root:www-data $ADMIN_PASSWORDS && sudo chmod 640 $ADMIN_PASSWORDS"
    elif [ -L "$root$ADMIN_ON" ]; then
        same "the debug page"
    else
        doing "$ADMIN_ON: the debug page is served, with the passwords of $ADMIN_PASSWORDS" admin_on
    fi
}
admin_on() { mkdir -p "$(dirname "$root$ADMIN_ON")" && ln -s $ADMIN "$root$ADMIN_ON"; }
default_site() {
    if [ "$1" = off ]; then
        : >"$root$DEFAULT_WAS_ON" && rm -f "$root$DEFAULT_ON"
    else
        ln -s /etc/nginx/sites-available/default "$root$DEFAULT_ON" && rm -f "$root$DEFAULT_WAS_ON"
    fi
}
reload_nginx() {
    local said
    if ! said=$(nginx -t -q 2>&1); then
        printf '%s\n' "$said" | sed 's/^/       /'
        told note "nginx refuses its configuration and goes on with the old one; mend it, then: systemctl reload nginx"
    elif systemd_runs; then
        systemctl reload-or-restart nginx || told note "nginx did not reload: systemctl status nginx"
    elif [ -s /run/nginx.pid ]; then
        nginx -s reload
    fi
}

# A service that the debug and configuration pages need runs as minectl, by units of ours.
units_step() {
    local unit units=()
    for unit in "$FILES"/minectl-*.service "$FILES"/minectl-*.socket; do
        [ -e "$unit" ] || continue
        units+=("$(basename "$unit")")
        if [ "$packaged" = no ]; then put "$unit" "$UNITS/$(basename "$unit")" 644 "runs the debug and configuration pages as minectl"; fi
    done
    if [ ${#units[@]} = 0 ] || ! systemd_runs || [ "$dry" = yes ] || [ "$nginx" = no ]; then return 0; fi
    systemctl daemon-reload
    for unit in "${units[@]}"; do
        [[ $unit = *.socket ]] || continue
        if systemctl is-active -q "$unit"; then same "$unit"; else doing "$unit: started, and at each boot" systemctl enable -q --now "$unit"; fi
    done
}

doctor_step() {
    if [ -n "$root" ] || [ "$dry" = yes ] || [ "$packaged" = yes ] || [ "$quiet" = yes ]; then return 0; fi
    "$PROGRAM" help doctor >/dev/null 2>&1 || return 0
    printf '\nminectl doctor:\n'
    setpriv --reuid=minectl --regid=minectl --init-groups "$BIN" --config $CONFIG doctor ||
        printf '\nWhat doctor names is to be mended in %s: sudo minectl config edit\n' "$CONFIG"
}

# A run that is at work ends first: the lock is the run's own.
wait_for_the_run() {
    local lock=$root$DATA/tick.lock
    if [ "$dry" = no ] && [ -e "$lock" ] && [ -z "$root" ]; then
        flock -w 130 "$lock" true || told note "a run has been at work for longer than two minutes; going on"
    fi
}

remove_all() {
    local sum path
    take_away $CRON
    take_away $CRON-update
    wait_for_the_run
    if systemd_runs && [ "$dry" = no ]; then
        for path in "$FILES"/minectl-*.socket "$FILES"/minectl-*.service; do
            if [ -e "$path" ]; then systemctl disable -q --now "$(basename "$path")" 2>/dev/null || true; fi
        done
    fi
    if [ -L "$root$ADMIN_ON" ]; then doing "remove $ADMIN_ON" rm -f "$root$ADMIN_ON"; fi
    if [ -L "$root$SITE_ON" ]; then doing "remove $SITE_ON" rm -f "$root$SITE_ON"; fi
    if [ -e "$root$DEFAULT_WAS_ON" ] && [ ! -e "$root$DEFAULT_ON" ]; then
        doing "$DEFAULT_ON: Debian's greeting is back" default_site on
    fi
    if [ "$packaged" = no ]; then
        # What lies in a folder comes before it, and the list itself last.
        while read -r sum path; do
            if [ "$sum" != folder ]; then
                take_away "$path"
            elif [ "$dry" = no ] && [ -d "$root$path" ]; then
                rmdir --ignore-fail-on-non-empty "$root$path"
            fi
        done < <(sort -r -k 2 "$root$LIST" 2>/dev/null)
        take_away $LIB
    fi
    if [ -d "$root/etc/nginx/minectl.d" ] && [ "$dry" = no ]; then rmdir --ignore-fail-on-non-empty "$root/etc/nginx/minectl.d"; fi
    if [ -e "$root/etc/nginx" ] && [ "$dry" = no ] && [ -z "$root" ] && command -v nginx >/dev/null; then reload_nginx; fi
    take_away /run/minectl
    # update.sh's, for going back to a program that is gone.
    take_away $DATA-before-update
    if [ "$purge" = no ]; then
        if [ -d "$root$TRUST" ] && [ "$dry" = no ]; then rmdir --ignore-fail-on-non-empty "$root$TRUST"; fi
        told kept "$ETC $(if [ -d "$root$TRUST" ]; then echo "$TRUST "; fi)$DATA $LOG and the user minectl; --purge removes them too"
        return 0
    fi
    take_away $ADMIN_PASSWORDS
    take_away $ETC
    take_away $TRUST
    take_away $DATA
    take_away $LOG
    if [ -n "$(id_in passwd minectl)" ]; then
        local prefix=()
        if [ -n "$root" ]; then prefix=(--prefix "$root"); fi
        doing "remove the user minectl" userdel "${prefix[@]}" minectl
    fi
}

# --- All of it ---------------------------------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || fail "needs root: sudo $0"
if [ "$packaged" = no ] && [ -e "$root/usr/lib/minectl/install.sh" ]; then
    fail "minectl is installed as a Debian package here: apt-get remove minectl first, or update that"
fi
if [ "$uninstall" = yes ]; then
    FILES=$root$LIB/cron
    remove_all
    printf '\nminectl is gone. It switched nothing: every fan and every miner stays as it is.\n'
    exit 0
fi
find_sources
if [ "$dry" = no ]; then mkdir -p "$root$LIB"; fi
packages_step
user_step
config_folder_step
if [ "$packaged" = no ]; then
    program_step
    trust_step
    put "$FILES/tmpfiles-minectl.conf" /etc/tmpfiles.d/minectl.conf 644 "the page lies in memory, made anew at each boot"
    put "$FILES/logrotate-minectl" /etc/logrotate.d/minectl 644 "the log is put aside by the day, compressed"
fi
folders_step
config_step
nginx_step
units_step
# Last: from here on it runs.
cron_step
case $dry:$changes in
yes:*) printf '\n%d changes would be made; nothing was.\n' "$changes" ;;
no:0) printf '\nNothing to do: all is in place.\n' ;;
no:*) printf '\n%d changes. Next: sudo minectl config edit (your addresses), then sudo -u minectl minectl plan\n' "$changes" ;;
esac
doctor_step
