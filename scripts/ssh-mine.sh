#!/usr/bin/env bash
# The common jobs on a mine's controller over SSH, from your own machine. Needs nothing there but minectl and sudo.
#
#   scripts/ssh-mine.sh HOST status              the site as of the last run, in colour
#   scripts/ssh-mine.sh HOST watch               the same, every 10 seconds
#   scripts/ssh-mine.sh HOST check               one line and an exit code for a monitor (0, 1, 2, 3)
#   scripts/ssh-mine.sh HOST plan                what a run would do now, and why
#   scripts/ssh-mine.sh HOST hold TIME REASON    holds the miners off: hold 30m "work on PDU 3"
#   scripts/ssh-mine.sh HOST resume              ends that hold
#   scripts/ssh-mine.sh HOST clear               ends all overrides
#   scripts/ssh-mine.sh HOST ack                 acknowledges all alarms
#   scripts/ssh-mine.sh HOST events [TIME]       what happened, by default in the last 24 hours
#   scripts/ssh-mine.sh HOST log [LINES]         the log's end, and what comes
#
# HOST is what `ssh` takes. The exit code is minectl's; ssh's own is 255.

set -euo pipefail

usage() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 2
}

case ${1:-} in
-h | --help) usage && exit 0 ;;
"" | -*) usage >&2 && exit 2 ;;
esac
host=$1 job=${2:-status}
shift
[ $# = 0 ] || shift

terminal=()
if [ -t 1 ]; then terminal=(-t); fi

# remote WORDS...: minectl there, as the user that the runs have. ssh joins its words to one line for a shell there.
remote() {
    local line
    printf -v line ' %q' "$@"
    ssh "${terminal[@]}" -- "$host" "cd / && sudo -u minectl minectl$line"
}

case $job in
status | plan | check | resume | clear | ack | watch)
    [ $# = 0 ] || fail "\`$job\` takes nothing more"
    ;;
esac
case $job in
status) remote status ;;
watch) ssh -t -- "$host" "cd / && watch -n 10 sudo -u minectl minectl status" ;;
check) remote status --check ;;
plan) remote plan ;;
hold)
    [ $# = 2 ] || fail "\`hold\` takes a time and a reason: hold 30m \"work on PDU 3\""
    remote set miners off --for "$1" --reason "$2"
    ;;
resume) remote clear miners ;;
clear) remote clear all ;;
ack) remote ack all ;;
events)
    [ $# -le 1 ] || fail "\`events\` takes a time at most: events 7d"
    remote events --since "${1:-24 h}"
    ;;
log)
    [[ ${1:-40} =~ ^[0-9]+$ ]] || fail "\`log\` takes a number of lines"
    ssh "${terminal[@]}" -- "$host" "sudo tail -n ${1:-40} -F \"\$(sudo -u minectl sh -c 'cd / && minectl config get paths.log')\""
    ;;
*) fail "unknown job \`$job\`; --help lists them" ;;
esac
