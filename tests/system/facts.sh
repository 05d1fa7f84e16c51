#!/usr/bin/env bash
# Shared by the system tests beside it, not to be started: facts with their count, and a scratch copy of this system.

source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

passed=0 failed=0
ok() {
    printf 'ok - %s\n' "$1"
    passed=$((passed + 1))
}
not_ok() {
    printf 'not ok - %s\n' "$1"
    shift
    if [ $# -gt 0 ]; then printf '%s\n' "$*" | head -n 40 | sed 's/^/    /'; fi
    failed=$((failed + 1))
}
# fact SENTENCE COMMAND...: ok when the command succeeds; its output is shown when it does not.
fact() {
    local sentence=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$sentence"; else not_ok "$sentence" "$output"; fi
}
# is FOUND WANTED: whether both are the same; says what it found when not.
is() { [ "$1" = "$2" ] || { printf 'wanted: %s\nis:     %s\n' "$2" "$1" && return 1; }; }
# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    local until=$((SECONDS + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || return 1
        sleep 1
    done
}
# Takes over the lines of a program that prints `ok - ` and `not ok - ` itself, and counts them.
counted() {
    local output code=0
    output=$("$@" 2>&1) || code=$?
    printf '%s\n' "$output"
    passed=$((passed + $(grep -c '^ok - ' <<<"$output" || true)))
    failed=$((failed + $(grep -c '^not ok - ' <<<"$output" || true)))
    if [ $code != 0 ] && ! grep -q '^not ok - ' <<<"$output"; then not_ok "$2 ends with exit code $code"; fi
}

sum_up() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
}

AXE_VERSION=4.14.1
AXE_SHA512=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5

# axe is used in tests only and is no part of minectl: fetched as it is published, held to its checksum, kept below target.
fetch_axe() {
    AXE=$TARGET/axe-core-$AXE_VERSION/axe.min.js
    if [ -e "$AXE" ]; then return; fi
    local file=axe-core-$AXE_VERSION.tgz
    (
        cd "$SCRATCH"
        if command -v npm >/dev/null; then
            npm pack --silent "axe-core@$AXE_VERSION"
        else
            curl -sSf -m 120 -O "https://registry.npmjs.org/axe-core/-/$file"
        fi
        # Each step only after the one before: within a condition the shell does not stop by itself.
        echo "$AXE_SHA512  $file" | sha512sum -c && tar xzf "$file" package/axe.min.js &&
            mkdir -p "${AXE%/*}" && mv package/axe.min.js "$AXE"
    ) >"$SCRATCH/axe.log" 2>&1
}

# in_a_namespace SCRIPT [ARGUMENTS...]: starts the calling script again with mounts, processes and network of its own; all
# of it is gone with the script's end, however it ends.
in_a_namespace() {
    [ "$(id -u)" = 0 ] || fail "needs root, for a scratch copy of this system; start it as root or with sudo"
    if [ -z "${MINECTL_NAMESPACE:-}" ]; then
        exec unshare --mount --pid --net --ipc --fork --kill-child env MINECTL_NAMESPACE=1 bash "$@"
    fi
    mount --make-rprivate /
    mount -t proc proc /proc
    ip link set lo up
}

# scratch_system FOLDER: a copy of this system at FOLDER/root, made of what is installed here. What is written to it goes to
# FOLDER/upper, in memory. Start programs in it with `inside`.
scratch_system() {
    local folder=$1
    mount -t tmpfs -o mode=755 scratch "$folder"
    SCRATCH_ROOT=$folder/root SCRATCH_UPPER=$folder/upper
    mkdir "$folder/root" "$folder/upper" "$folder/work"
    mount -t overlay scratch -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$SCRATCH_ROOT"
    mount -t proc proc "$SCRATCH_ROOT/proc"
    mount --rbind /dev "$SCRATCH_ROOT/dev"
    # A boot empties these two.
    mount -t tmpfs -o mode=755 run "$SCRATCH_ROOT/run"
    mount -t tmpfs -o mode=1777 tmp "$SCRATCH_ROOT/tmp"
    mkdir -p "$SCRATCH_ROOT/run/lock"
}
inside() { env -i HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot "$SCRATCH_ROOT" "$@"; }

# written_files: what differs from the machine's own system, with contents and times; for comparing.
written_files() {
    (cd "$SCRATCH_UPPER" && find . -mindepth 1 \( -type d -printf '%p/ %m %u %g\n' -o -printf '%p %m %u %g %s %T@ %l\n' \) | sort)
}

# release_folder FOLDER: the debug build as a release is packed, but for the version and without the documents.
release_folder() {
    mkdir -p "$1/cron"
    strip -o "$1/minectl" "$TARGET/debug/minectl"
    cp "$ROOT/scripts/install.sh" "$ROOT/scripts/update.sh" "$ROOT/packaging/release-signers" "$1/"
    cp "$ROOT"/cron/* "$1/cron/"
}
