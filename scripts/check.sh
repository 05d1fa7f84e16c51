#!/usr/bin/env bash
# The fast gate for each commit: format, lints, Rust version, layout rules, quick tests, shell scripts. Changes nothing.
#
#   scripts/check.sh            every step, each with its time; exit code 1 when one failed
#   scripts/check.sh --no-tests without the tests, for who runs them all anyway
#   scripts/check.sh --quick    without tests and clippy, which builds every package once more: what takes seconds
#
# Uses shellcheck and shfmt when they are installed (scripts/test.sh installs them), and actionlint, which Debian has not.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LINES_MAX=450
# The test binaries that need no built program and no waiting.
QUICK_TESTS="config decide layout"

tests=yes clippy=yes
case ${1:-} in
-h | --help) usage && exit 0 ;;
--no-tests) tests=no ;;
--quick) tests=no clippy=no ;;
"") ;;
*) usage >&2 && fail "unknown argument \`$1\`" ;;
esac

failed=()

step() {
    local name=$1 began code=0
    shift
    began=$(date +%s%N)
    "$@" >"$log" 2>&1 || code=$?
    printf '%-34s %s  %5.1f s\n' "$name" "$([ $code = 0 ] && echo ok || echo FAILED)" \
        "$(awk "BEGIN { print ($(date +%s%N) - $began) / 1e9 }")"
    if [ $code != 0 ]; then
        sed 's/^/    /' "$log"
        failed+=("$name")
    fi
}

# No dependency may need a newer Rust than Cargo.toml promises, and this cargo must be able to check it.
rust_version() {
    local host
    cargo_is_good || { echo "cargo here is $(cargo --version), Cargo.toml wants $(wanted_rust)" && return 1; }
    host=$(rustc -vV | sed -n 's/^host: //p')
    cargo metadata --format-version 1 --locked --filter-platform "$host" | tr ',' '\n' |
        awk -F'"' -v wanted="$(wanted_rust)" '
            function number(text, part) { split(text, part, "."); return part[1] * 1e6 + part[2] * 1e3 + part[3] }
            /^"manifest_path"/ { count = split($4, folder, "/"); package = folder[count - 1] }
            /^"rust_version":"/ && number($4) > number(wanted) { print package " needs Rust " $4 ", Cargo.toml says " wanted; bad = 1 }
            END { exit bad }'
}

file_lengths() {
    local file lines bad=0
    while IFS= read -r file; do
        lines=$(wc -l <"$file")
        if [ "$lines" -gt $LINES_MAX ]; then
            echo "$file has $lines lines, at most $LINES_MAX are allowed: split it by subject"
            bad=1
        fi
    done < <(find src -name '*.rs')
    return $bad
}

# Test modules stand at the end of a file and may unwrap.
left_overs() {
    find src -name '*.rs' -exec awk '
        FNR == 1 { in_tests = 0 }
        /#\[cfg\(test\)\]/ { in_tests = 1 }
        /TODO|FIXME|XXX/ || (!in_tests && /\.unwrap\(|\.expect\(/) { print FILENAME ":" FNR ": " $0; bad = 1 }
        END { exit bad }' {} +
}

quick_tests() {
    local name arguments=(--lib)
    for name in $QUICK_TESTS; do
        if [ -e "tests/$name.rs" ]; then arguments+=(--test "$name"); fi
    done
    cargo test --locked --quiet "${arguments[@]}"
}

shell_files() {
    find scripts tests/system packaging .ci -type f \( -name '*.sh' -o -path '*/deb/p*' -o -path .ci/run \)
}

shell_lint() { shell_files | xargs shellcheck --shell=bash; }
shell_format() { shell_files | xargs shfmt -i 4 -d; }

cd "$ROOT"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
command -v cargo >/dev/null || fail "there is no cargo; scripts/test.sh installs it"

step "format" cargo fmt --check
if [ $clippy = no ]; then
    say "clippy                             left out: scripts/check.sh has it"
elif cargo clippy --version >/dev/null 2>&1; then
    step "clippy" cargo clippy --locked --quiet --all-targets -- -D warnings
    # `test = false` in Cargo.toml leaves the proofs out of --all-targets; a broken one is to be noticed here.
    step "clippy of the proofs" cargo clippy --locked --quiet --test proof -- -D warnings
else
    say "clippy                             skipped: not installed (rustup component add clippy)"
fi
step "Rust version of dependencies" rust_version
step "length of files" file_lengths
step "no TODO, no unwrap" left_overs
if [ "$tests" = yes ]; then
    step "unit and quick tests" quick_tests
fi
for tool in shellcheck shfmt; do
    if command -v $tool >/dev/null; then
        step "$tool" "$([ $tool = shfmt ] && echo shell_format || echo shell_lint)"
    else
        say "$tool: skipped, not installed (scripts/test.sh installs it)"
    fi
done
if command -v actionlint >/dev/null; then step "actionlint" actionlint; fi

if [ ${#failed[@]} -gt 0 ]; then
    fail "$(printf '%s; ' "${failed[@]}" | sed 's/; $//') failed"
fi
say "All checks passed."
