#!/usr/bin/env bash
# Holds every package that minectl is built from against deny.toml: licences, where it comes from, packages that are not
# wanted, and known weaknesses (the RustSec database). Needs cargo-deny, which it builds into target/deny-tools (some
# minutes); so it is no part of scripts/test.sh. Run it before a release, and when Cargo.lock changes.
#
#   scripts/deny.sh                    all of it; fetches the database
#   scripts/deny.sh --database FOLDER  with a clone of https://github.com/RustSec/advisory-db that is there already
#   scripts/deny.sh --offline          all but known weaknesses
#
# Exit code 1 when something is not as it should be.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TOOLS=$TARGET/deny-tools
FOLDER=$TARGET/deny
database=
checks=(bans licenses sources advisories)
case ${1:-} in
-h | --help) usage && exit 0 ;;
--offline) checks=(bans licenses sources) ;;
--database) database=$(readlink -f "${2:?--database wants a folder}") ;;
"") ;;
*) usage >&2 && fail "unknown argument \`$1\`" ;;
esac

need_build_tools
need_packages git=git
PATH=$TOOLS/bin:$PATH
mkdir -p "$FOLDER"
if ! cargo deny --version >/dev/null 2>&1; then
    say "Building cargo-deny into $TOOLS (some minutes)"
    # Unoptimised: it runs for a second.
    cargo install cargo-deny --locked --quiet --debug --root "$TOOLS" >"$FOLDER/install.log" 2>&1 ||
        fail "cargo-deny cannot be built, so nothing was checked: $(tail -n 1 "$FOLDER/install.log")"
fi
cp "$ROOT/deny.toml" "$FOLDER/deny.toml"
if [ -n "$database" ]; then
    # It clones from there what it would fetch.
    sed -i "s#^\[advisories\]#&\ndb-path = \"$FOLDER/advisories\"#" "$FOLDER/deny.toml"
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$database.insteadOf"
    export GIT_CONFIG_VALUE_0=https://github.com/RustSec/advisory-db
fi
cd "$ROOT"
cargo fetch --locked --quiet
code=0
for check in "${checks[@]}"; do
    say "--- $check"
    cargo deny --locked --log-level error --config "$FOLDER/deny.toml" check "$check" || code=1
done
exit $code
