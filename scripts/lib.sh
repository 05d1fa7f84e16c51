#!/usr/bin/env bash
# Shared by the scripts beside it, not to be started: `source "$(dirname "$0")/lib.sh"`.
# Finds the repository (ROOT), installs what is missing and says so, builds, and starts the simulated site.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Debian keeps nginx and cron in sbin, rustup keeps cargo in the home folder; a plain user's PATH may have neither.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin"
export PATH
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Prints the comment at the top of the calling script, for --help.
usage() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "\`$*\` needs root, and there is no sudo; run it as root and start again"
    fi
}

# need_packages PROBE=PACKAGE...: installs the Debian packages whose probe (a command, or a path) is not there.
need_packages() {
    local pair missing=() policy=/usr/sbin/policy-rc.d set_policy=no done=0
    for pair in "$@"; do
        if ! command -v "${pair%%=*}" >/dev/null && ! [ -e "${pair%%=*}" ]; then
            missing+=("${pair#*=}")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        fail "missing: ${missing[*]} (names of Debian packages); there is no apt-get here, install them by hand"
    say "Installing Debian packages: ${missing[*]}"
    # A web server or a Prometheus that is installed for a test must not start serving.
    if ! [ -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        set_policy=yes
    fi
    mkdir -p "$TARGET"
    {
        as_root apt-get update -q &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
                -o DPkg::Lock::Timeout=300 "${missing[@]}"
    } >"$TARGET/apt.log" 2>&1 || done=$?
    if [ "$set_policy" = yes ]; then as_root rm -f "$policy"; fi
    if [ "$done" != 0 ]; then
        tail -n 15 "$TARGET/apt.log" >&2
        fail "apt-get cannot install ${missing[*]}; all of its words are in $TARGET/apt.log"
    fi
}

# The Rust version that Cargo.toml asks for.
wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

cargo_is_good() {
    local have
    have=$(cd "$ROOT" && cargo --version 2>/dev/null | awk '{print $2}') || return 1
    [ -n "$have" ] && printf '%s\n%s\n' "$(wanted_rust)" "$have" | sort -V -C
}

# Rust, from rustup; where that cannot be reached, from Debian.
need_cargo() {
    cargo_is_good && return
    local installer
    installer=$(mktemp)
    if command -v rustup >/dev/null; then
        say "Installing with rustup: the stable toolchain ($(cargo --version 2>/dev/null || echo 'no cargo') is too old)"
        { rustup toolchain install stable --profile minimal -c clippy,rustfmt && rustup default stable; } || true
    elif say "Installing Rust with rustup (https://sh.rustup.rs) into ${CARGO_HOME:-~/.cargo}" &&
        curl --proto '=https' --tlsv1.2 -sSf --retry 2 -m 120 https://sh.rustup.rs -o "$installer"; then
        sh "$installer" -y --quiet --no-modify-path --profile minimal --default-toolchain stable -c clippy,rustfmt || true
    fi
    rm -f "$installer"
    hash -r
    # An older cargo of Debian's comes first in PATH.
    cargo_is_good || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    if ! cargo_is_good; then
        say "rustup gave none; trying Debian's own"
        need_packages /usr/lib/none=cargo-web /usr/lib/none=rustc-web /usr/lib/none=rustfmt-web
        hash -r
    fi
    cargo_is_good || fail "no cargo of version $(wanted_rust) or newer could be installed; see https://rustup.rs"
}

# What a build needs: a C compiler (for the encryption library), cargo, and time zones (minectl reads the system's).
need_build_tools() {
    need_packages curl=curl cc=gcc /usr/share/zoneinfo/America/Chicago=tzdata \
        /etc/ssl/certs/ca-certificates.crt=ca-certificates /usr/include/stdlib.h=libc6-dev
    need_cargo
}

# One value of a drawn metrics.prom, by the series' full name; nothing when it is not there.
metric() { awk -v name="$2" '{ value = $NF; sub(/ [^ ]*$/, ""); if ($0 == name) print value }' "$1"; }

# start_site PROGRAM FOLDER BASE [ARGUMENTS...]: starts the site; SITE_PID is its process. 1 when it could not.
start_site() {
    local program=$1 folder=$2 base=$3
    shift 3
    # nohup: a site that is to be kept outlives its terminal.
    nohup "$program" --base-port "$base" --dir "$folder" "$@" </dev/null >"$folder/site.out" 2>"$folder/site.err" &
    SITE_PID=$!
    for _ in $(seq 150); do
        if grep -q '^site ready' "$folder/site.out"; then return 0; fi
        kill -0 "$SITE_PID" 2>/dev/null || return 1
        sleep 0.1
    done
    fail "the site does not get ready; see $folder/site.err"
}

# The same on the first free block of ports; BASE is where.
start_site_somewhere() {
    local program=$1 folder=$2 bases=$3
    shift 3
    for BASE in $bases; do
        if start_site "$program" "$folder" "$BASE" "$@"; then return 0; fi
        grep -q 'in use' "$folder/site.err" || fail "the site does not start: $(cat "$folder/site.err")"
    done
    fail "no free block of ports: tried $bases"
}

# adapted_config TO: config.txt for the site at BASE, with its files beside it.
adapted_config() {
    sed -E -e "s/\b18(0[0-9]{2})\b/$((BASE / 1000))\1/" -e 's#"demo/#"#' "$ROOT/config.txt" >"$1"
}

# control PATH [JSON]: asks the site's control port, or sets something there.
control() {
    if [ $# -gt 1 ]; then
        curl -sSf -m 20 -d "$2" "http://127.0.0.1:$BASE$1" >/dev/null
    else
        curl -sSf -m 20 "http://127.0.0.1:$BASE$1"
    fi
}
