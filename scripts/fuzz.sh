#!/usr/bin/env bash
# Fuzzing: every reader of bytes that come from outside, one after the other, each for a bounded time, from the seeds that
# tests/fuzz/corpus.txt lists. Needs cargo-fuzz, which it installs into target/fuzz-tools; the usual stable toolchain does.
#
#   scripts/fuzz.sh                           all targets, 20 s each; the build before it takes some minutes
#   scripts/fuzz.sh --seconds 300 signal_page telegram   these, so long
#   scripts/fuzz.sh --list                    the targets
#
# A finding is a panic, an input that takes over 10 s, over 600 MB of memory (the sanitizer's own included) or one
# allocation over 64 MB. It is kept in target/fuzz/findings; exit code 1. The last lines are a table, which is written to
# target/fuzz/result.txt as well. What was learnt stays in target/fuzz/corpus, and the next run goes on from there.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SECONDS_EACH=20
FOLDER=$TARGET/fuzz
TOOLS=$TARGET/fuzz-tools
LIMITS=(-timeout=10 -rss_limit_mb=600 -malloc_limit_mb=64 -max_len=16384)

mapfile -t known < <(sed -n '/^\[\[bin\]\]/,$ s/^name = "\(.*\)"/\1/p' "$ROOT/tests/fuzz/Cargo.toml")
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --list) printf '%s\n' "${known[@]}" && exit 0 ;;
    --seconds)
        SECONDS_EACH=${2:-}
        [[ $SECONDS_EACH =~ ^[1-9][0-9]*$ ]] || fail "--seconds wants a number from 1"
        shift
        ;;
    *)
        [[ " ${known[*]} " == *" $1 "* ]] || fail "unknown target \`$1\`; known are: ${known[*]}"
        targets+=("$1")
        ;;
    esac
    shift
done
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")

need_build_tools
need_packages c++=g++
PATH="$TOOLS/bin:$PATH"
mkdir -p "$FOLDER/findings"
if ! cargo fuzz --version >/dev/null 2>&1; then
    say "Installing cargo-fuzz into $TOOLS (some minutes)"
    cargo install cargo-fuzz --locked --quiet --root "$TOOLS" >"$FOLDER/install.log" 2>&1 ||
        fail "cargo-fuzz cannot be installed, so nothing was fuzzed: $(tail -n 1 "$FOLDER/install.log")"
fi

say "Building ..."
# The sanitizer is behind an option of the compiler that a stable one only takes when it is told to.
export RUSTC_BOOTSTRAP=1
build() { (cd "$ROOT" && nice -n 15 cargo fuzz build --fuzz-dir tests/fuzz --target-dir "$FOLDER" "$@"); }
if [ ${#targets[@]} = 1 ]; then build "${targets[0]}"; else build; fi >"$FOLDER/build.log" 2>&1 ||
    { tail -n 20 "$FOLDER/build.log" >&2 && fail "the targets do not build, so nothing was fuzzed"; }
programs=$FOLDER/$(rustc -vV | sed -n 's/^host: //p')/release

# seed TARGET: puts its seeds where it begins.
seed() {
    local path file
    mkdir -p "$FOLDER/corpus/$1"
    while read -r _ path; do
        while IFS= read -r file; do
            cp "$file" "$FOLDER/corpus/$1/seed_$(tr / _ <<<"${file#"$ROOT"/}")"
        done < <(find "$ROOT/$path" -type f)
    done < <(grep "^$1 " "$ROOT/tests/fuzz/corpus.txt")
}

# number LOG NAME: one of the fuzzer's own figures.
number() { sed -n "s/^stat::$2: *//p" "$1" | tail -n 1; }

table=$FOLDER/result.txt
printf '%-14s %12s %9s %9s %9s  %s\n' target inputs 'per s' 'peak MB' 'slowest s' result >"$table"
found=0
total=0
for target in "${targets[@]}"; do
    seed "$target"
    log=$FOLDER/$target.log
    say "$target: $SECONDS_EACH s"
    result=clean
    # Leaks are not looked for: that needs rights which a container may not have, and the memory is bounded anyway.
    ASAN_OPTIONS=detect_leaks=0 nice -n 15 "$programs/$target" "$FOLDER/corpus/$target" "${LIMITS[@]}" \
        -max_total_time="$SECONDS_EACH" -print_final_stats=1 -artifact_prefix="$FOLDER/findings/$target-" \
        >"$log" 2>&1 || result=FOUND
    if [ $result = FOUND ]; then
        found=1
        grep -m 1 -E 'panicked at|ERROR: |SUMMARY' -A 1 "$log" >&2 || true
        result="FOUND: $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
    fi
    inputs=$(number "$log" number_of_executed_units)
    total=$((total + ${inputs:-0}))
    printf '%-14s %12s %9s %9s %9s  %s\n' "$target" "${inputs:--}" "$(number "$log" average_exec_per_sec)" \
        "$(number "$log" peak_rss_mb)" "$(number "$log" slowest_unit_time_sec)" "$result" >>"$table"
done
printf '%-14s %12s\n' total $total >>"$table"
cat "$table"
say "$SECONDS_EACH s each, load average at the end $(cut -d ' ' -f 1 /proc/loadavg)"
exit $found
