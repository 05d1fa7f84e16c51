#!/usr/bin/env bash
# The proofs of the rules: random stories against the interlocks, every order of faults of a small site, a simulated year.
# They run optimised (about a minute to build) and print their figures.
#
#   scripts/prove.sh            all of them
#   scripts/prove.sh NAME...    those whose name contains NAME
#   scripts/prove.sh --build    only builds them

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ "${1:-}" = -h ] || [ "${1:-}" = --help ]; then
    usage && exit 0
fi
cd "$ROOT"
# The dependencies stay as the other tests have them; only this program is optimised.
proof=(cargo test --locked --config 'profile.dev.package.minectl.opt-level=2' --test proof)
if [ "${1:-}" = --build ]; then
    exec "${proof[@]}" --no-run
fi
exec "${proof[@]}" -- --nocapture "$@"
