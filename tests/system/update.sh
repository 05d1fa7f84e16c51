#!/usr/bin/env bash
# scripts/update.sh on a copy of this system (an overlay in memory, in namespaces of its own), from a web server of its own:
# good releases, tampered ones, ones that do not work, and a power cut after each of its commands. Prints `ok - ...` or
# `not ok - ...` for each fact. Uses the debug build; needs root. run.sh calls it.
#
#   tests/system/update.sh --all-cuts     cuts the power after every command, not after every sixth

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

in_a_namespace "$0" "$@"
[ -x "$TARGET/debug/minectl" ] || fail "\`minectl\` is not built: cargo build --bin minectl"
STRIDE=6
if [ "${1:-}" = --all-cuts ]; then STRIDE=1; fi
FOLDER=$(mktemp -d)
trap 'umount -l "$FOLDER/root" "$FOLDER" 2>/dev/null; rmdir "$FOLDER"' EXIT
scratch_system "$FOLDER"
SERVED=$FOLDER/served
URL=http://127.0.0.1:8080
MACHINE=$(uname -m | sed 's/armv[78]l/armv7/')
BIN=$SCRATCH_ROOT/usr/local/bin/minectl
LIB=$SCRATCH_ROOT/usr/local/lib/minectl
TRUST=$SCRATCH_ROOT/etc/minectl-update
mkdir "$SERVED"
(cd "$SERVED" && exec python3 -m http.server --bind 127.0.0.1 8080 >/dev/null 2>&1) &
for name in ours theirs; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$FOLDER/$name"; done

# A device that stays silent is looked at again after a pause, and this test has none to spare.
mkdir "$SCRATCH_ROOT/tmp/quick"
printf '#!/bin/sh\n' >"$SCRATCH_ROOT/tmp/quick/sleep"
chmod 755 "$SCRATCH_ROOT/tmp/quick/sleep"
update() { env -i HOME=/root PATH=/tmp/quick:/usr/sbin:/usr/bin:/bin timeout 100 chroot "$SCRATCH_ROOT" /usr/local/lib/minectl/update.sh "$@"; }
in_place() { inside /usr/local/bin/minectl --version; }

# program FILE VERSION: a stand-in of a few lines, whose doctor, runs and check of the configuration end as files in /tmp say.
# A run gives the database its version's form, which no other can read.
program() {
    cat >"$1" <<END
#!/bin/sh
code() { cat "/tmp/\$1-$2" 2>/dev/null || echo 0; }
case "\$*" in
--version) echo "minectl $2" ;;
*crontab) echo '*/2 * * * * minectl /usr/bin/timeout --kill-after=5 115 /usr/local/bin/minectl --config /etc/minectl/config.txt tick' ;;
*init) echo 'mode = "observe"' >/etc/minectl/config.txt ;;
"config get "* | *"config get "*) ;;
*"db check") [ "\$(cat /var/lib/minectl/db/form)" = $2 ] || exit 6 ;;
*check) exit \$(code check) ;;
"help doctor") exit \$(code help) ;;
*doctor) echo "room-alert FAIL"; exit \$(code doctor) ;;
*tick) echo $2 >>/var/lib/minectl/runs; echo $2 >/var/lib/minectl/db/form; exit \$(code tick) ;;
esac
END
    chmod 755 "$1"
}

# release VERSION PROGRAM [KEY]: what package.sh would put on the server, signed.
release() {
    local name=minectl-$1-$MACHINE work=$FOLDER/packed
    rm -rf "$work" "${SERVED:?}"/*
    mkdir "$work"
    cp -a "$SCRATCH_ROOT/tmp/release" "$work/$name"
    cp "$2" "$work/$name/minectl"
    tar -C "$work" -czf "$SERVED/minectl-$MACHINE.tar.gz" "$name"
    (cd "$SERVED" && sha256sum "minectl-$MACHINE.tar.gz" && echo "$(printf '0%.0s' $(seq 64))  minectl_$1_amd64.deb") >"$SERVED/sums"
    mv "$SERVED/sums" "$SERVED/SHA256SUMS"
    ssh-keygen -q -Y sign -n minectl-release -f "${3:-$FOLDER/ours}" "$SERVED/SHA256SUMS" 2>/dev/null
}

# All that an update could change; the stand-in's runs and the interim files of a run apart.
everything() {
    (cd "$SCRATCH_ROOT" && find usr/local/bin usr/local/lib/minectl usr/local/share/man/man1 etc/minectl etc/minectl-update etc/cron.d etc/nginx -name '*minectl*' -type f -o -path '*/minectl*/*' -type f) |
        (cd "$SCRATCH_ROOT" && grep -v '/previous$' | sort | xargs sha256sum)
}

# refused SENTENCE WORDS [ARGUMENTS...]: the update ends with 1, says these words, and leaves all as it was.
refused() {
    local sentence=$1 words=$2 before said code=0
    shift 2
    before=$(everything)
    said=$(update "$@" 2>&1) || code=$?
    if [ $code = 1 ] && [[ $said = *"$words"* ]] && [ "$before" = "$(everything)" ]; then
        ok "$sentence"
    else
        not_ok "$sentence" "exit code $code" "$said" "$(diff <(echo "$before") <(everything) || true)"
    fi
}

# (a) the real program ----------------------------------------------------------------------------------------------------

release_folder "$SCRATCH_ROOT/tmp/release"
inside /tmp/release/install.sh --no-packages --quiet >"$FOLDER/said" || cat "$FOLDER/said"
as_minectl() { inside setpriv --reuid=minectl --regid=minectl --init-groups /usr/local/bin/minectl "$@"; }
as_minectl tick || true
# A program that remembers nothing says so in an event: at the first run, and never again.
remembered="1 $(stat -c %i "$SCRATCH_ROOT/var/lib/minectl/db")"
HERE_VERSION=$(in_place | cut -d' ' -f2)
# The same program with another version: as long, so that only those bytes differ.
LC_ALL=C sed "s/${HERE_VERSION//./\\.}/9.9.9/g" "$SCRATCH_ROOT/tmp/release/minectl" >"$FOLDER/newer"
chmod 755 "$FOLDER/newer"
release 9.9.9 "$FOLDER/newer"
refused "without a trusted key nothing is taken" "no key is trusted yet" --from "$URL"
printf 'minectl-release namespaces="minectl-release" %s\n' "$(cat "$FOLDER/ours.pub")" >>"$TRUST/release-signers"
refused "without a source it asks for one" "from where?"
# As after the configuration page was allowed to save, whoever is minectl could exchange the keys.
way_out() { inside chown root:root "$1" && inside chmod "$2" "$1"; }
inside chown minectl:minectl /etc/minectl-update/release-signers
refused "a key file of minectl's is not trusted, and the way out is named" \
    "owner minectl); nothing was changed. Look whether what stands there is yours, then: sudo chown root:root /etc/minectl-update/release-signers && sudo chmod 644 /etc/minectl-update/release-signers" \
    --from "$URL"
way_out /etc/minectl-update/release-signers 666
refused "nor one that others than root may write" "release-signers is not trusted: others than root may have written it (mode 666" --from "$URL"
way_out /etc/minectl-update/release-signers 644
inside chown minectl:minectl /etc/minectl-update
refused "nor one in a folder of minectl's" "/etc/minectl-update is not trusted" --from "$URL"
way_out /etc/minectl-update 755
inside mv /etc/minectl-update/release-signers /etc/minectl/release-signers
inside ln -s /etc/minectl/release-signers /etc/minectl-update/release-signers
refused "nor one behind a link" "release-signers is not trusted" --from "$URL"
inside rm /etc/minectl-update/release-signers
inside mv /etc/minectl/release-signers /etc/minectl-update/release-signers
echo "$URL" >"$TRUST/release-source"
inside chown minectl /etc/minectl-update/release-source
refused "nor is a source of minectl's" "release-source is not trusted"
rm "$TRUST/release-source"
fact "a good release is taken" update --from "$URL"
fact "the new program is in place" is "$(in_place)" "minectl 9.9.9"
fact "the database is kept: the new program remembers the runs of the old one" \
    is "$(as_minectl events --json | grep -c 'nothing is remembered') $(stat -c %i "$SCRATCH_ROOT/var/lib/minectl/db")" "$remembered"
fact "nothing of the update is left lying about" sh -c "! ls -d '$LIB/update' '$SCRATCH_ROOT/etc/cron.d/minectl-update' 2>/dev/null"
fact "the second time there is nothing newer, from the remembered source" sh -c "chroot '$SCRATCH_ROOT' /usr/local/lib/minectl/update.sh | grep 'in place already'"
data_before() { ls -d "$SCRATCH_ROOT"/var/lib/minectl-before-update* 2>/dev/null; }
fact "the data from before are kept for it, for nobody else to read" is "$(data_before) $(inside stat -c '%a %U' /var/lib/minectl-before-update)" \
    "$SCRATCH_ROOT/var/lib/minectl-before-update 700 minectl"
# stored WORD: overrides and events that hold the word, and databases that were set aside.
stored() {
    local overrides events
    overrides=$(as_minectl db export | grep -c "^{\"kind\":\"override\".*$1" || true)
    events=$(as_minectl events --json | grep -c "$1" || true)
    echo "$overrides override, $events event, $(find "$SCRATCH_ROOT/var/lib/minectl" -maxdepth 1 -name 'db.bad-*' | wc -l) set aside"
}
as_minectl set fan 3 on --for "5 h" --reason "held since the update" >/dev/null
fact "--rollback goes back" update --rollback
fact "to the program before" is "$(in_place)" "minectl $HERE_VERSION"
fact "what was stored since the update stays where it can read that" is "$(stored 'since the update')" "1 override, 1 event, 0 set aside"
fact "and what was kept for going back is gone" is "$(data_before)" ""

# The real program, but each run of it leaves the database in a newer form; a run ends badly while /tmp/bad is there.
newer_form() {
    cat >"$1" <<END
#!/bin/sh
case "\$*" in
--version) echo "minectl $2" ;;
*crontab) /tmp/release/minectl "\$@" | sed 's#/tmp/release/minectl#/usr/local/bin/minectl#g' ;;
*tick)
    code=0
    /tmp/release/minectl "\$@" || code=\$?
    python3 /tmp/newer_form.py /var/lib/minectl/db || exit 102
    if [ -e /tmp/bad ]; then exit 101; fi
    exit \$code
    ;;
*) exec /tmp/release/minectl "\$@" ;;
esac
END
    chmod 755 "$1"
}
cp "$ROOT/tests/system/newer_form.py" "$SCRATCH_ROOT/tmp/"
newer_form "$FOLDER/newer-form" 9.9.10
release 9.9.10 "$FOLDER/newer-form"
touch "$SCRATCH_ROOT/tmp/bad"
refused "when the new program gave the data a newer form and fails, those from before come back with the old one" \
    "taken back: minectl $HERE_VERSION is in place again, with the data of "
as_minectl tick || true
fact "its next run finds overrides and events" is "$(stored 'since the update')" "1 override, 1 event, 0 set aside"
fact "the newer form is kept beside" ls "$SCRATCH_ROOT"/var/lib/minectl/minectl-newer-*/db/db
rm "$SCRATCH_ROOT/tmp/bad"
fact "the same program is taken when its runs end well" update
fact "going back from it by hand brings the data from before too" \
    sh -c "chroot '$SCRATCH_ROOT' /usr/local/lib/minectl/update.sh --rollback | grep 'minectl $HERE_VERSION is in place instead of 9.9.10, with the data of '"
as_minectl tick || true
fact "with overrides and events" is "$(stored 'since the update')" "1 override, 1 event, 0 set aside"
fact "it is taken once more" update
rm -rf "$(data_before)"
refused "without the data from before it does not go back, and says what that would cost" "there are none from before" --rollback
fact "the database that the old program would have set aside is where it was" inside sh -c "ls /var/lib/minectl/db/db && ! ls -d /var/lib/minectl/db.bad-*"
inside sh -c 'mkdir /var/minectl-newer && mv /var/lib/minectl/db /var/lib/minectl/state.json /var/minectl-newer/'
fact "by the way out that it names it goes back" update --rollback
fact "and begins anew" is "$(as_minectl tick || true) $(stored 'since the update')" " 0 override, 0 event, 0 set aside"

# (b) with stand-ins, for speed: 1.0.0 is in place, 1.1.0 is offered -----------------------------------------------------

program "$FOLDER/1.0.0" 1.0.0
program "$FOLDER/1.1.0" 1.1.0
cp "$FOLDER/1.0.0" "$SCRATCH_ROOT/tmp/release/minectl"
inside /tmp/release/install.sh --no-packages --quiet >/dev/null
# data_of VERSION: a database in that version's form, with what must not be lost.
data_of() {
    rm -rf "$SCRATCH_ROOT"/var/lib/minectl/{db*,minectl-newer-*,state.json} "$SCRATCH_ROOT"/var/lib/minectl-before-update*
    inside setpriv --reuid=minectl --regid=minectl --init-groups sh -c "mkdir /var/lib/minectl/db && cd /var/lib/minectl/db && echo $1 >form && echo owner >overrides"
}
data_of 1.0.0

release 1.1.0 "$FOLDER/1.1.0" "$FOLDER/theirs"
refused "a release signed by somebody else is not taken" "not by a key in"
release 1.1.0 "$FOLDER/1.1.0"
printf 'x' >>"$SERVED/minectl-$MACHINE.tar.gz"
refused "a tarball that was tampered with is not taken" "does not match its checksum"
release 1.1.0 "$FOLDER/1.1.0"
sed -i 's/^0000/1111/' "$SERVED/SHA256SUMS"
refused "a list of checksums that was tampered with is not taken" "not by a key in"
release 1.1.0 "$FOLDER/1.1.0"
(cd "$SERVED" && rm SHA256SUMS.sig && ssh-keygen -q -Y sign -n file -f "$FOLDER/ours" SHA256SUMS 2>/dev/null)
refused "a signature by our key for something else is not taken" "not by a key in"
release 1.1.0 "$FOLDER/1.1.0"
rm "$SERVED/SHA256SUMS.sig"
refused "a release without a signature is not taken" "cannot fetch"
release 0.9.0 "$FOLDER/1.1.0"
refused "an older release is not taken" "older than 1.0.0"
release 1.2.0 "$FOLDER/1.1.0"
refused "a program with another version than was signed is not taken" "wanted 1.2.0"
printf '\177ELF' >"$FOLDER/foreign"
chmod 755 "$FOLDER/foreign"
release 1.2.0 "$FOLDER/foreign"
refused "a program for another machine is not taken" "does not run here"
rm -rf "${SERVED:?}"/*
refused "a server without a release changes nothing" "cannot fetch"
refused "plain http is for this machine only" "cannot fetch" --from http://127.0.0.2:8080

release 1.1.0 "$FOLDER/1.1.0"
answer() { printf '%s' "$2" >"$SCRATCH_ROOT/tmp/$1"; }
forget_answers() { rm -f "$SCRATCH_ROOT"/tmp/{check,help,doctor,tick}-*; }
answer check-1.1.0 3
refused "a program that does not take the configuration is not taken" "does not take"
forget_answers
answer doctor-1.1.0 1
refused "when doctor finds faults that were not there, the old program comes back" "taken back: minectl 1.0.0"
fact "the new one has not run then" sh -c "! grep -q 1.1.0 '$SCRATCH_ROOT/var/lib/minectl/runs'"
answer doctor-1.1.0 101
refused "when doctor crashes, the old program comes back" "ends with 101"
forget_answers
for code in 3 101 124; do
    answer tick-1.1.0 $code
    refused "when a run ends with $code, the old program comes back" "a run ends with exit code $code"
done
forget_answers
fact "none of it was left lying about" sh -c "! ls -d '$LIB/update' '$SCRATCH_ROOT/etc/cron.d/minectl-update' 2>/dev/null"
answer doctor-1.0.0 1
answer doctor-1.1.0 1
answer tick-1.1.0 1
fact "faults of devices that were there before are no reason to go back" update
fact "and the new program is in place" is "$(in_place)" "minectl 1.1.0"
forget_answers
release 1.0.0 "$FOLDER/1.0.0"
fact "--allow-older takes an older one" update --allow-older
fact "and it is in place" is "$(in_place)" "minectl 1.0.0"

# (c) power cuts ------------------------------------------------------------------------------------------------------------

# Every bash of the update reads this; at its CUT_AT-th command after the release was fetched all of its processes end at once.
cat >"$SCRATCH_ROOT/tmp/cut" <<'END'
case $0 in
*/update.sh)
    set -T
    begun=no count=0
    trap 'case $BASH_COMMAND in change\ *) begun=yes ;; esac
        if [ $begun = yes ]; then count=$((count + 1)); if [ $count = "$CUT_AT" ]; then touch /tmp/was-cut; kill -9 0; fi; fi' DEBUG
    ;;
esac
END
release 1.1.0 "$FOLDER/1.1.0"
sum_of() { sha256sum "$1" | cut -d' ' -f1; }
old_sum=$(sum_of "$FOLDER/1.0.0") new_sum=$(sum_of "$FOLDER/1.1.0")
tar -C "$SCRATCH_ROOT" -cf "$FOLDER/before.tar" usr/local/bin/minectl usr/local/lib/minectl etc/minectl etc/minectl-update etc/cron.d
# cut_through AFTER: goes through all cuts; after each one the program must be whole, and what cron starts at boot must end it.
cut_through() {
    local at=1 wrong=0 cuts=0 sum expected=$1 ends="" code
    while [ $at -lt 400 ]; do
        rm -rf "$LIB" "$SCRATCH_ROOT"/etc/cron.d/minectl* "$SCRATCH_ROOT/tmp/was-cut"
        tar -C "$SCRATCH_ROOT" -xf "$FOLDER/before.tar"
        data_of 1.0.0
        setsid env -i HOME=/root PATH=/tmp/quick:/usr/sbin:/usr/bin:/bin BASH_ENV=/tmp/cut CUT_AT=$at \
            chroot "$SCRATCH_ROOT" /usr/local/lib/minectl/update.sh >"$FOLDER/said" 2>&1 || true
        [ -e "$SCRATCH_ROOT/tmp/was-cut" ] || break
        cuts=$((cuts + 1))
        sum=$(sum_of "$BIN")
        if [ "$sum" != "$old_sum" ] && [ "$sum" != "$new_sum" ]; then
            echo "cut $at: the program is neither the old nor the new one" && wrong=$((wrong + 1))
        fi
        if [ "$sum" = "$new_sum" ] && [ -e "$LIB/update/pending" ] && [ ! -e "$SCRATCH_ROOT/etc/cron.d/minectl-update" ]; then
            echo "cut $at: the new program is in place, not judged, and nothing would do it at boot" && wrong=$((wrong + 1))
        fi
        code=0
        update --recover >"$FOLDER/said" 2>&1 || code=$?
        sum=$(sum_of "$BIN")
        if [ "$sum" = "$new_sum" ]; then ends="$ends new"; else ends="$ends old"; fi
        if [ "$sum" != "$old_sum" ] && { [ "$sum" != "$new_sum" ] || [ "$expected" = old ]; }; then
            echo "cut $at: the wrong program is in place after the boot" && wrong=$((wrong + 1))
        fi
        if ! grep -q owner "$SCRATCH_ROOT/var/lib/minectl/db/overrides" || ! inside /usr/local/bin/minectl db check; then
            echo "cut $at: the data are lost, or in a form that the program in place cannot read" && wrong=$((wrong + 1))
        fi
        if ls -d "$LIB/update" "$SCRATCH_ROOT"/{etc/cron.d/minectl-update,usr/local/bin/.minectl.minectl-new,var/lib/minectl-before-update.new} 2>/dev/null; then
            echo "cut $at: something is left lying about: $(cat "$FOLDER/said")" && wrong=$((wrong + 1))
        fi
        at=$((at + STRIDE))
    done
    echo "$cuts cuts; afterwards: $(tr ' ' '\n' <<<"$ends" | sort | uniq -c | tr -s '\n ' ' ')"
    [ $wrong = 0 ] && [ $cuts -gt 5 ]
}
cuts() {
    local sentence=$1 output code=0
    output=$(cut_through "$2") || code=$?
    if [ $code = 0 ]; then ok "$sentence ($output)"; else not_ok "$sentence" "$output"; fi
}
cuts "a power cut at any moment leaves a whole program, and the boot ends the update" new
answer tick-1.1.0 101
cuts "the same when the new program does not work: then the old one is in place after the boot" old
sum_up
