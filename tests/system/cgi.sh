#!/usr/bin/env bash
# The debug page and the configuration page between the real programs: nginx with the shipped files, fcgiwrap as another
# user, curl, and a browser with its scripts switched off. tests/system/run.sh calls it; it also runs alone, as root.
#
#   tests/system/cgi.sh        prints `ok - ...` or `not ok - ...` for each fact
#
# Uses the debug build. Everything lies in a scratch folder and listens on 127.0.0.1; screenshots go to target/screenshots.

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

HERE=$ROOT/tests/system
SHOTS=$TARGET/screenshots
BASES="32000 33000 34000 35000"
CGI_USER=daemon

[ "$(id -u)" = 0 ] || fail "needs root, to start fcgiwrap as another user"
for tool in nginx fcgiwrap chromium curl openssl setpriv; do
    command -v $tool >/dev/null || fail "\`$tool\` is not installed; scripts/test.sh installs it"
done

SCRATCH=$(mktemp -d /tmp/minectl-cgi-XXXXXX)
processes=()
FCGI_PID=
finish() {
    local pid
    for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
    # fcgiwrap leaves its workers behind: its whole group ends.
    if [ -n "$FCGI_PID" ]; then kill -- "-$FCGI_PID" 2>/dev/null || true; fi
    sleep 0.2
    rm -rf "$SCRATCH"
}
trap finish EXIT
trap 'exit 130' INT TERM
chmod 755 "$SCRATCH"
mkdir -p "$SHOTS" "$SCRATCH/mine" "$SCRATCH/nginx"
cp "$TARGET/debug/minectl" "$SCRATCH/minectl"
unset MINECTL_CONFIG MINECTL_TEST_CLOCK MINECTL_TEST_BOOT

# A mine that has made one run, owned by the user that the pages run as.
start_site_somewhere "$TARGET/debug/examples/site" "$SCRATCH/mine" "$BASES"
processes+=("$SITE_PID")
CONFIG=$SCRATCH/mine/config.txt
adapted_config "$CONFIG"
# Names and texts of others as a hostile hand would write them: they are shown as text.
HOSTILE='</b><img src=x onerror=alert(1)>"&'
control /set '{"signal_number": 262}'
"$SCRATCH/minectl" --config "$CONFIG" config set site.name "$HOSTILE" >/dev/null
chown -R "$CGI_USER:" "$SCRATCH/mine"
as_user() { setpriv --reuid "$CGI_USER" --regid "$(id -g "$CGI_USER")" --clear-groups "$@"; }
minectl() { as_user "$SCRATCH/minectl" --config "$CONFIG" "$@"; }
minectl tick || true

# The shipped files as they are, but for where things are.
sed -e "s#/usr/local/bin/minectl#$SCRATCH/minectl#" -e "s#/etc/minectl/config.txt#$CONFIG#" "$ROOT/cron/minectl.cgi" >"$SCRATCH/minectl.cgi"
chmod 755 "$SCRATCH/minectl.cgi"
PORT=$((BASE + 30))
URL=http://127.0.0.1:$PORT
sed -e "s#/usr/local/lib/minectl/minectl.cgi#$SCRATCH/minectl.cgi#" -e "s#/run/minectl-fcgi.socket#$SCRATCH/fcgi.socket#" \
    -e "s#/etc/nginx/minectl.htpasswd#$SCRATCH/nginx/htpasswd#" "$ROOT/cron/nginx-minectl-admin.conf" >"$SCRATCH/nginx/admin.conf"
# The limit is tried with curl; the browser's clicks come faster than a person's.
sed -e 's#rate=1r/s#rate=20r/s#' "$ROOT/cron/nginx-minectl-admin-limit.conf" >"$SCRATCH/nginx/limit.conf"
sed -e "s#listen 80;#listen 127.0.0.1:$PORT;#" -e '/listen \[::\]/d' -e "s#root .*;#root $SCRATCH/mine/page;#" \
    -e "s|include /etc/nginx/minectl.d/\*.conf;|include $SCRATCH/nginx/admin.conf;|" "$ROOT/cron/nginx-minectl.conf" >"$SCRATCH/nginx/site.conf"
printf 'ann:%s\n' "$(openssl passwd -6 'correct horse')" >"$SCRATCH/nginx/htpasswd"
chmod 644 "$SCRATCH/nginx/htpasswd"
cat >"$SCRATCH/nginx/nginx.conf" <<END
daemon off;
pid $SCRATCH/nginx/pid;
error_log $SCRATCH/nginx/error.log;
worker_processes 1;
user www-data;
events {}
http {
    client_body_temp_path $SCRATCH/nginx/body;
    proxy_temp_path $SCRATCH/nginx/proxy;
    fastcgi_temp_path $SCRATCH/nginx/fastcgi;
    uwsgi_temp_path $SCRATCH/nginx/uwsgi;
    scgi_temp_path $SCRATCH/nginx/scgi;
    include $SCRATCH/nginx/limit.conf;
    include $SCRATCH/nginx/site.conf;
}
END
mkdir "$SCRATCH/socket"
chown "$CGI_USER" "$SCRATCH" "$SCRATCH/socket"
# The command of the shipped service, but for where the socket is: systemd would hand it over.
eval "command=($(sed -n 's/^ExecStart=//p' "$ROOT/cron/minectl-fcgi.service" | sed "s#/usr/local/lib/minectl/minectl.cgi#$SCRATCH/minectl.cgi#"))"
# shellcheck disable=SC2154 # set by the eval above
setsid setpriv --reuid "$CGI_USER" --regid "$(id -g "$CGI_USER")" --clear-groups "${command[@]}" \
    -s "unix:$SCRATCH/fcgi.socket" >/dev/null 2>"$SCRATCH/fcgi.log" &
FCGI_PID=$!
for _ in $(seq 50); do
    [ -S "$SCRATCH/fcgi.socket" ] && break
    sleep 0.1
done
chmod 666 "$SCRATCH/fcgi.socket"

fact "nginx takes the shipped files of the debug page without a warning" \
    sh -c "nginx -t -c '$SCRATCH/nginx/nginx.conf' -e '$SCRATCH/nginx/error.log' 2>&1 | tee /dev/stderr | grep -q 'test is successful' && ! grep -q warn '$SCRATCH/nginx/error.log'"
nginx -c "$SCRATCH/nginx/nginx.conf" -e "$SCRATCH/nginx/error.log" &
processes+=($!)
for _ in $(seq 50); do
    curl -s -o /dev/null -m 2 "$URL/" && break
    sleep 0.1
done

same() { [ "$1" = "$2" ] || { echo "wanted: $1; got: $2" && return 1; }; }
code_of() { curl -s -m 20 -o /dev/null -w '%{http_code}' "$@"; }
LOGIN="ann:correct horse"
fact "the owner's page still needs no password" same "200" "$(code_of "$URL/")"
fact "the debug page needs a password" same "401 401 401" "$(code_of "$URL/admin/") $(code_of -u ann:wrong "$URL/admin/") $(code_of "$URL/admin/config")"
fact "with the password it is there" same "200 200" "$(code_of -u "$LOGIN" "$URL/admin/") $(code_of -u "$LOGIN" "$URL/admin/config")"
fact "without the slash it is found, too" same "303 to $URL/admin/" "$(curl -s -m 20 -o /dev/null -w '%{http_code} to %{redirect_url}' -H "Authorization: Basic $(printf %s "$LOGIN" | base64)" "$URL/admin")"
fact "the program's headers come through, each once" sh -c "curl -s -m 20 -D - -o /dev/null -u '$LOGIN' '$URL/admin/' | tee /dev/stderr |
    awk 'tolower(\$1) ~ /^(content-security-policy|x-frame-options|cache-control|referrer-policy|set-cookie):/ { seen[tolower(\$1)]++ }
         END { for (name in seen) { n++; if (seen[name] != 1) exit 1 } exit n != 5 }'"

# A form as a browser would send it, with its cookie and its token.
curl -s -m 20 -c "$SCRATCH/cookies" -u "$LOGIN" "$URL/admin/" >"$SCRATCH/page.html"
token=$(sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' "$SCRATCH/page.html" | head -n 1)
form() { code_of -u "$LOGIN" -b "$SCRATCH/cookies" -H "Origin: ${ORIGIN:-$URL}" -d "do=apply&target=fan%203&value=on&for=20+min&reason=curl" "$@" "$URL/admin/"; }
fact "a form without a token, or from another site, is refused" \
    same "403 403 403" "$(form) $(ORIGIN=http://evil.example form --data-urlencode "token=$token") $(form -d token=1.2)"
fact "a form of 70 KiB is refused" same "413" "$(head -c 70000 /dev/zero | tr '\0' x | form --data-urlencode "token=$token" --data-urlencode reason2@-)"
fact "nothing was set by what was refused" sh -c "! '$SCRATCH/minectl' --config '$CONFIG' status | grep 'fan 3 = on'"
fact "a form of our own is taken" same "303" "$(form --data-urlencode "token=$token")"
minectl events >"$SCRATCH/events"
fact "the event says who it was and from where" grep -q 'fan 3 = on for 20 min by debug page: ann from 127.0.0.1: curl' "$SCRATCH/events"
minectl clear all >/dev/null

began=$(date +%s)
fact "Run now starts a run and waits for it" same "303 soon" "$(code_of -u "$LOGIN" -b "$SCRATCH/cookies" -H "Origin: $URL" -d do=run --data-urlencode "token=$token" "$URL/admin/") $(test $(($(date +%s) - began)) -lt 60 && echo soon)"
fact "that run is in the log" test "$(grep -c 'run begins' "$SCRATCH/mine/minectl.log")" -ge 2

fact "axe can be fetched" fetch_axe
fetch_axe
/usr/bin/python3 "$HERE/cgi_browser.py" "$URL" "$LOGIN" "$SHOTS" "$AXE" "$HOSTILE"
minectl events >"$SCRATCH/events"
fact "what was set in the browser is in the events, set and cleared" \
    sh -c "grep -q 'set: fan 3 = on .*by debug page: ann' '$SCRATCH/events' && grep -q 'cleared: fan 3 = on by debug page: ann' '$SCRATCH/events'"
fact "what was saved in the browser is in the file and in the events" \
    sh -c "test \"\$('$SCRATCH/minectl' --config '$CONFIG' config get signal.curtail_at)\" = 312 && grep -q 'signal.curtail_at: 310 → 312' '$SCRATCH/events'"
fact "the file still belongs to its user" same "$CGI_USER" "$(stat -c %U "$CONFIG")"
fact "no secret came to the browser" sh -c "! grep -l -e site-foreman-key -e site-spdu-token -e site-telegram-token -e site-smtp-password -e site-twilio-token '$SCRATCH/page.html' '$SHOTS'/cgi-*.html"
chmod 600 "$SCRATCH/nginx/limit.conf"
sed -i 's#rate=20r/s#rate=1r/s#' "$SCRATCH/nginx/limit.conf"
nginx -s reload -c "$SCRATCH/nginx/nginx.conf" -e "$SCRATCH/nginx/error.log"
sleep 0.3
fact "who tries passwords fast is held up" sh -c "for i in \$(seq 40); do curl -s -m 5 -o /dev/null -w '%{http_code}\n' -u ann:x\$i '$URL/admin/'; done | tee /dev/stderr | grep -q 503"
