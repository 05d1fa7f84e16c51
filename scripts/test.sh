#!/usr/bin/env bash
# All tests, from a clean clone on a Debian or Raspberry Pi OS machine with git, curl and a C compiler. Installs what is
# missing (Rust, Debian packages) and says so. Takes about twelve minutes on two cores the first time.
#
#   scripts/test.sh             all of cargo's tests, the proofs, the system test, check.sh but for clippy; exit code 1
#                               when anything failed
#   scripts/test.sh --no-system without the system test, which needs root (it starts a real cron) and a real browser
#
# The last line is the sum: `N passed, N failed`.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

system=yes
for argument in "$@"; do
    case $argument in
    --no-system) system=no ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument \`$argument\`; known is --no-system" ;;
    esac
done

summary=()
failed_parts=0

# part NAME COMMAND...: runs, keeps going when it fails, and remembers its time for the summary.
part() {
    local name=$1 code=0 began
    shift
    began=${began_before:-$(date +%s)}
    printf '\n--- %s\n' "$name"
    "$@" || code=$?
    summary+=("$(printf '%-22s %-7s %4d s' "$name" "$([ $code = 0 ] && echo ok || echo FAILED)" $(($(date +%s) - began)))")
    if [ $code != 0 ]; then failed_parts=$((failed_parts + 1)); fi
    return 0
}

install() {
    need_build_tools
    need_packages shellcheck=shellcheck shfmt=shfmt strace=strace
    if [ "$system" = yes ]; then
        need_packages nginx=nginx-light fcgiwrap=fcgiwrap cron=cron logrotate=logrotate lintian=lintian chromium=chromium \
            promtool=prometheus influxd=influxdb victoria-metrics=victoria-metrics openssl=openssl \
            /usr/bin/python3=python3 /usr/lib/python3/dist-packages/aiosmtpd=python3-aiosmtpd \
            /usr/lib/python3/dist-packages/html5lib=python3-html5lib pdftotext=poppler-utils \
            postfix=postfix saslpasswd2=sasl2-bin /usr/share/doc/libsasl2-modules=libsasl2-modules
    fi
}

cd "$ROOT"
began=$(date +%s)
records=$(mktemp -d)
trap 'rm -rf "$records"' EXIT
part "install what is missing" install
part "check.sh" bash scripts/check.sh --quick
part "build" cargo build --locked --bin minectl --example site
build_tests() { { cargo test --locked --no-run && cargo test --locked --no-run --test proof; } 2>&1 | tail -n 3; }
part "build the tests" build_tests
# The random stories only compute, and most other tests wait for devices and for the clock: the stories go beside them and
# give way. Unoptimised, and so fewer: all of them, every order of faults and the simulated years are for scripts/prove.sh.
proofs() { PROPTEST_CASES=150 nice -n 19 cargo test --locked --test proof stories >"$records/proofs" 2>&1; }
proofs_began=$(date +%s)
proofs &
proofs_pid=$!
# Counted from their own lines, so they are kept as well as shown.
cargo_tests() { RUST_TEST_THREADS=$((3 * $(nproc))) cargo test --locked --no-fail-fast 2>&1 | tee "$records/cargo"; }
part "cargo test" cargo_tests
if [ "$system" = yes ]; then
    system_test() { bash tests/system/run.sh 2>&1 | tee "$records/system"; }
    part "system test" system_test
fi
proofs_done() {
    local code=0
    wait "$proofs_pid" || code=$?
    cat "$records/proofs"
    return $code
}
began_before=$proofs_began part "proofs" proofs_done
printf '\n--- Summary, %d s in all\n' $(($(date +%s) - began))
printf '%s\n' "${summary[@]}"
grep -h '^test result:' "$records/cargo" "$records/proofs" || true
# A part that failed without a failed test in it (a build, a lint) counts as one.
awk -v parts="$failed_parts" '
    /^test result:/ { sub(/^test result: [a-zA-Z]*\. /, ""); passed += $1; failed += $3 }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
    END {
        if (parts > 0 && failed == 0) failed = parts
        if (passed + failed == 0) failed = 1
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0
    }' "$records"/*
