#!/usr/bin/env bash
# Records the golden files (tests/**/*.snap) anew from what the program does today, and shows what changed. Read the
# difference before it is committed: a golden file that is blessed unread proves nothing.
#
#   scripts/bless.sh                every golden file
#   scripts/bless.sh dashboard      those of one test binary

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

arguments=()
case ${1:-} in
-h | --help) usage && exit 0 ;;
"") ;;
*) arguments=(--test "$1") ;;
esac

cd "$ROOT"
before=$(git status --porcelain -- '*.snap')
[ -z "$before" ] || say "Golden files that differ from the last commit already:" "$before"
INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test --locked --quiet "${arguments[@]}"
if [ -z "$(git status --porcelain -- '*.snap')" ]; then
    say "No golden file changed."
    exit
fi
git --no-pager diff --stat -- '*.snap'
git --no-pager diff -- '*.snap'
git status --porcelain -- '*.snap' | sed -n 's/^?? /new: /p'
