#!/usr/bin/env bash
# The program for another machine, run here under qemu-user against the simulated mine: a run while it mines, then a call
# until it is proven off. Prints `ok - ...` or `not ok - ...` for each fact. After scripts/package.sh; release.yml calls it.
#
#   tests/system/foreign.sh aarch64 [PROGRAM]      or armv7

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

machine=${1:-}
case $machine in
aarch64) triple=aarch64-unknown-linux-gnu qemu=(qemu-aarch64-static -L /usr/aarch64-linux-gnu) library=libc6-arm64-cross ;;
armv7) triple=armv7-unknown-linux-gnueabihf qemu=(qemu-arm-static -L /usr/arm-linux-gnueabihf) library=libc6-armhf-cross ;;
*) usage >&2 && fail "which machine? aarch64 or armv7" ;;
esac
program=${2:-$TARGET/package/build/$triple/release/minectl}
[ -x "$program" ] || fail "no program at $program; scripts/package.sh $machine builds it"
need_packages "${qemu[0]}=qemu-user-static" "${qemu[2]}/lib=$library"
if ! [ -x "$TARGET/debug/examples/site" ]; then
    need_build_tools
    (cd "$ROOT" && cargo build --locked --quiet --example site)
fi
FOLDER=$(mktemp -d)
SITE_PID=
trap 'kill $SITE_PID 2>/dev/null || true; rm -rf "$FOLDER"' EXIT
start_site_somewhere "$TARGET/debug/examples/site" "$FOLDER" "32000 33000 34000"
adapted_config "$FOLDER/config.txt"
control /set '{"signal_number": 262}'
minectl() { "${qemu[@]}" "$program" --config "$FOLDER/config.txt" "$@"; }

# A run that ends: 0, or 1 for faults that it names.
run_ends_well() {
    local code=0
    minectl tick || code=$?
    [ $code -le 1 ]
}
proven_off() {
    local _
    for _ in 1 2 3 4 5 6; do
        run_ends_well || return 1
        if [ "$(metric "$FOLDER/page/metrics.prom" 'minectl_miners_phase{phase="curtailed"}')" = 1 ]; then return 0; fi
    done
    return 1
}
fact "$machine: the configuration is checked" minectl config check
fact "$machine: a whole run ends well" run_ends_well
fact "$machine: it has drawn the miners' watts" \
    sh -c "awk '\$1 == \"minectl_miners_power_watts\" { exit !(\$2 > 500000) } END { if (NR == 0) exit 1 }' '$FOLDER/page/metrics.prom'"
control /set '{"signal_number": 342}'
fact "$machine: a call is obeyed, and proven by measured watts" proven_off
fact "$machine: the database tells of it to the next process" sh -c "'${qemu[0]}' -L '${qemu[2]}' '$program' --config '$FOLDER/config.txt' events | grep -i 'proven'"
sum_up
