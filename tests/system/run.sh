#!/usr/bin/env bash
# The system test: minectl between the real programs it will live with: Debian's cron, nginx, Prometheus, InfluxDB,
# VictoriaMetrics, a browser, two mail servers; and its installation. scripts/test.sh calls it and installs them. Needs root, for cron and Postfix.
#
#   tests/system/run.sh        prints `ok - ...` or `not ok - ...` for each fact, then `N passed, N failed`
#
# Uses the debug build and the pages that cargo test has drawn. Everything lies in a scratch folder and listens on 127.0.0.1; screenshots go to
# target/screenshots. A cron that is running already is used and left alone.

source "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

HERE=$ROOT/tests/system
SHOTS=$TARGET/screenshots
# Bases of blocks of forty ports for the site; nginx, Prometheus and the mail server listen in a block's last ten.
BASES="27000 28000 29000 30000 31000"
# Not root: as on the Pi, the program runs as a user that owns its own files only.
CRON_USER=daemon
CRON_FILE=/etc/cron.d/minectl-system-test

processes=()
finish() {
    local pid
    if [ -e "$CRON_FILE" ] && grep -qF "$SCRATCH" "$CRON_FILE"; then rm -f "$CRON_FILE"; fi
    for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
    # Their files are going away; give them the moment to close.
    sleep 0.3
    rm -rf "$SCRATCH"
}

[ "$(id -u)" = 0 ] || fail "needs root, to give a crontab to the real cron; start it as root or with sudo"
for tool in nginx cron chromium promtool prometheus openssl curl; do
    command -v $tool >/dev/null || fail "\`$tool\` is not installed; scripts/test.sh installs it"
done
for program in minectl examples/site; do
    [ -x "$TARGET/debug/$program" ] || fail "\`$program\` is not built: cargo build --bin minectl --example site"
done

# Not below a private home: cron's user must reach it.
SCRATCH=$(mktemp -d /tmp/minectl-system-XXXXXX)
trap finish EXIT
trap 'exit 130' INT TERM
chmod 755 "$SCRATCH"
mkdir -p "$SHOTS"
cp "$TARGET/debug/minectl" "$SCRATCH/minectl"
unset MINECTL_CONFIG MINECTL_TEST_CLOCK MINECTL_TEST_BOOT

# new_site NAME: a site of its own in real time, and a folder with a configuration for it; sets BASE, FOLDER, CONFIG.
new_site() {
    FOLDER=$SCRATCH/$1
    CONFIG=$FOLDER/config.txt
    mkdir "$FOLDER"
    start_site_somewhere "$TARGET/debug/examples/site" "$FOLDER" "$BASES"
    processes+=("$SITE_PID")
    adapted_config "$CONFIG"
    control /set '{"signal_number": 262}'
}

set_config() { "$SCRATCH/minectl" --config "$CONFIG" config set "$1" "$2" >/dev/null; }

# (a) cron ------------------------------------------------------------------------------------------------------------

start_cron_runs() {
    new_site cron
    CRON_FOLDER=$FOLDER CRON_BASE=$BASE
    # Less than the interval first, then the interval: each step must be a sound configuration.
    set_config tick.budget "50 s"
    set_config loop_interval "1 minute"
    "$SCRATCH/minectl" --config "$CONFIG" crontab >"$FOLDER/line"
    chown -R "$CRON_USER" "$FOLDER"
    {
        echo "# A test of minectl's in $SCRATCH; it goes away by itself."
        # What the line prints would be mailed: it is kept instead, and so is each exit code.
        sed -E "s#^(\S+ \S+ \S+ \S+ \S+) minectl (.*)#\1 $CRON_USER (\2) >>$FOLDER/printed 2>\&1; echo \$? >>$FOLDER/codes#" \
            "$FOLDER/line"
    } >"$FOLDER/crontab"
    install -m 644 -o root -g root "$FOLDER/crontab" "$CRON_FILE"
    local running
    running=$(cat /run/crond.pid 2>/dev/null || true)
    if [ -n "$running" ] && kill -0 "$running" 2>/dev/null; then
        say "# a cron is running already (process $running) and is used"
    else
        cron -f &
        processes+=($!)
    fi
    CRON_SINCE=$SECONDS
}

dead_man_successes() {
    curl -sSf -m 10 "http://127.0.0.1:$CRON_BASE/recorded" |
        /usr/bin/python3 -c 'import json, sys; print(len([p for p in json.load(sys.stdin)["dead_man"] if p["path"].count("/") == 2]))'
}

check_cron_runs() {
    # Two runs: one at the next full minute, one a minute later, and the seconds that a run takes.
    while [ $((SECONDS - CRON_SINCE)) -lt 190 ]; do
        if [ "$(grep -c 'run ends' "$CRON_FOLDER/minectl.log" 2>/dev/null || true)" -ge 2 ] 2>/dev/null &&
            [ "$(wc -l <"$CRON_FOLDER/codes" 2>/dev/null || echo 0)" -ge 2 ]; then break; fi
        sleep 1
    done
    rm -f "$CRON_FILE"
    local log=$CRON_FOLDER/minectl.log starts
    starts=$(sed -n 's/^.*T\?\([0-9][0-9]:[0-9][0-9]\):[0-9][0-9][-+].* run begins.*/\1/p' "$log" 2>/dev/null | sort -u | wc -l)
    fact "the real cron ran the line of \`minectl crontab\` in two different minutes" test "$starts" -ge 2
    if [ "$starts" -lt 2 ]; then cat "$CRON_FOLDER/crontab" "$CRON_FOLDER/printed" "$log" 2>/dev/null | tail -n 30 | sed 's/^/    /'; fi
    fact "every run ended with exit code 0" sh -c "sort -u '$CRON_FOLDER/codes' | tee /dev/stderr | grep -qx 0 && ! grep -qvx 0 '$CRON_FOLDER/codes'"
    fact "the runs printed nothing, so cron would mail nothing" sh -c "cat '$CRON_FOLDER/printed' && ! [ -s '$CRON_FOLDER/printed' ]"
    fact "the dead-man service was told of both runs' success" test "$(dead_man_successes)" -ge 2
    fact "the page, the data and the log belong to cron's user" \
        test "$(stat -c %U "$CRON_FOLDER/page/index.html" "$log" "$CRON_FOLDER/data" | sort -u)" = "$CRON_USER"
}

# cron/minectl.cron is what the install puts in place: the same line, for the default paths.
check_cron_file() {
    local printed file
    cp "$ROOT/config.txt" "$SCRATCH/default.txt"
    printed=$("$SCRATCH/minectl" --config "$SCRATCH/default.txt" crontab |
        sed -e "s#$SCRATCH/minectl#/usr/local/bin/minectl#" -e "s#$SCRATCH/default.txt#/etc/minectl/config.txt#")
    file=$(grep -v -e '^#' -e '^[A-Z_]*=' "$ROOT/cron/minectl.cron")
    if [ "$printed" = "$file" ]; then
        ok "cron/minectl.cron holds the line that \`minectl crontab\` prints for the default paths"
    else
        not_ok "cron/minectl.cron holds the line that \`minectl crontab\` prints for the default paths" "$printed" "$file"
    fi
}

# (b) nginx -----------------------------------------------------------------------------------------------------------

start_nginx() {
    NGINX_PORT=$((BASE + 30))
    URL=http://127.0.0.1:$NGINX_PORT
    mkdir -p "$SCRATCH/nginx"
    # The shipped file as it is, but for where it listens and where the page is.
    sed -e "s#listen 80;#listen 127.0.0.1:$NGINX_PORT;#" -e '/listen \[::\]/d' -e "s#root .*;#root $FOLDER/page;#" \
        "$ROOT/cron/nginx-minectl.conf" >"$SCRATCH/nginx/site.conf"
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
    include $SCRATCH/nginx/site.conf;
}
END
    fact "nginx takes cron/nginx-minectl.conf without a warning" \
        sh -c "nginx -t -c '$SCRATCH/nginx/nginx.conf' -e '$SCRATCH/nginx/error.log' 2>&1 | tee /dev/stderr | grep -q 'test is successful' && ! grep -q warn '$SCRATCH/nginx/error.log'"
    nginx -c "$SCRATCH/nginx/nginx.conf" -e "$SCRATCH/nginx/error.log" &
    processes+=($!)
    for _ in $(seq 50); do
        curl -s -o /dev/null -m 2 "$URL/" && break
        sleep 0.1
    done
}

# served PATH TYPE: 200, of this type, not to be guessed at, and the same bytes as the file.
served() {
    curl -sS -m 5 -D "$SCRATCH/head" -o "$SCRATCH/body" "$URL$1" && cat "$SCRATCH/head" &&
        grep -q '^HTTP/1.1 200' "$SCRATCH/head" && grep -qiF "content-type: $2" "$SCRATCH/head" &&
        grep -qi '^x-content-type-options: nosniff' "$SCRATCH/head" &&
        grep -qi '^referrer-policy: no-referrer' "$SCRATCH/head" &&
        grep -qi "^content-security-policy: default-src 'none'" "$SCRATCH/head" &&
        cmp "$SCRATCH/body" "$FOLDER/page/${3:-${1#/}}"
}
code_of() { curl -s -m 5 -o /dev/null -w '%{http_code}' "$@"; }

check_nginx() {
    start_nginx
    fact "nginx serves the page with its security headers" served / "text/html; charset=utf-8" index.html
    fact "nginx serves status.json as JSON" served /status.json "application/json"
    fact "nginx serves metrics.prom as Prometheus text" served /metrics.prom "text/plain; version=0.0.4"
    fact "nginx lists no folder, and gives no file in the making" \
        test "$(mkdir "$FOLDER/page/sub" && code_of "$URL/sub/") $(touch "$FOLDER/page/.index.html.tmp" && code_of "$URL/.index.html.tmp")" = "404 404"
    fact "nginx takes no POST" test "$(code_of -d x=1 "$URL/status.json")" = 403
    # Each directive but the script's must be the same in both; the header alone can forbid frames.
    local page header
    page=$(grep -o 'Content-Security-Policy" content="[^"]*' "$FOLDER/page/index.html" | sed -e 's/.*content="//' -e "s/&#x27;/'/g" -e 's/&#x3D;/=/g')
    header=$(sed -n 's/^ *add_header Content-Security-Policy "\(.*\)" always;/\1/p' "$ROOT/cron/nginx-minectl.conf")
    directives() { tr ';' '\n' <<<"$1" | sed 's/^ *//' | grep -v -e '^script-src' -e '^frame-ancestors' | sort; }
    fact "the header's policy is the page's own" test "$(directives "$page")" = "$(directives "$header")"
    mv "$FOLDER/page/index.html" "$FOLDER/page/kept"
    fact "before the first run nginx says in words that no page is drawn yet" \
        sh -c "curl -s -m 5 -w '%{http_code}' '$URL/' | tee /dev/stderr | grep -q 'has not drawn its page yet' && [ \$(curl -s -o /dev/null -w '%{http_code}' '$URL/') = 503 ]"
    mv "$FOLDER/page/kept" "$FOLDER/page/index.html"
}

# (d) Prometheus ------------------------------------------------------------------------------------------------------

check_prometheus() {
    local port=$((BASE + 31)) answer=
    fact "promtool finds nothing to say about metrics.prom" \
        sh -c "promtool check metrics <'$FOLDER/page/metrics.prom' 2>&1 | tee '$SCRATCH/promtool'; promtool check metrics <'$FOLDER/page/metrics.prom' && ! [ -s '$SCRATCH/promtool' ]"
    cat >"$SCRATCH/prometheus.yml" <<END
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: minectl
    metrics_path: /metrics.prom
    static_configs: [ { targets: ["127.0.0.1:$NGINX_PORT"] } ]
END
    prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/tsdb" \
        --web.listen-address="127.0.0.1:$port" >"$SCRATCH/prometheus.log" 2>&1 &
    processes+=($!)
    for _ in $(seq 30); do
        answer=$(curl -s -m 3 "http://127.0.0.1:$port/api/v1/query?query=minectl_miners_power_watts" || true)
        if [[ $answer = *'"value"'* ]]; then break; fi
        sleep 0.5
    done
    if [[ $answer = *'"__name__":"minectl_miners_power_watts"'*'"value"'* ]]; then
        ok "a real Prometheus scrapes nginx and knows the miners' watts"
    else
        not_ok "a real Prometheus scrapes nginx and knows the miners' watts" "$answer" "$(tail -n 5 "$SCRATCH/prometheus.log")"
    fi
    counted /usr/bin/python3 "$HERE/grafana_facts.py" "$ROOT/packaging/grafana-dashboard.json" "http://127.0.0.1:$port"
}

# (e) mail ------------------------------------------------------------------------------------------------------------

check_mail() {
    local folder=$SCRATCH/mail port=$((BASE + 32)) minectl=("$SCRATCH/minectl" --config "$SCRATCH/mail.txt")
    mkdir "$folder"
    make_certificates "$folder" >"$SCRATCH/openssl.log" 2>&1 || { not_ok "certificates are made" "$(cat "$SCRATCH/openssl.log")" && return; }
    sed -e 's#^port = .*#port = '"$port"'#' -e 's#^security = .*#security = "starttls"#' \
        -e "s|^# ca_file = .*|ca_file = \"$folder/ca.pem\"|" -e 's#^data = .*#data = "mail/data"#' \
        -e 's#^page = .*#page = "mail/page"#' -e 's#^log = .*#log = "mail/minectl.log"#' "$CONFIG" >"$SCRATCH/mail.txt"
    /usr/bin/python3 "$HERE/mail_server.py" "$port" "$folder" >"$folder/out" 2>&1 &
    processes+=($!)
    for _ in $(seq 50); do
        grep -q ready "$folder/out" && break
        sleep 0.1
    done
    fact "a real mail server is up" grep ready "$folder/out"
    grep -q ready "$folder/out" || cat "$folder/out"
    # An override of the signal towards running is a warning, and warnings go by mail.
    "${minectl[@]}" set signal run --for "10 minutes" --reason "system test" >/dev/null
    "${minectl[@]}" tick || true
    counted /usr/bin/python3 "$HERE/mail_facts.py" "$folder/letters.jsonl" "$folder/minectl.log"
    counted bash "$HERE/postfix.sh"
}

# An authority of our own, and its certificate for 127.0.0.1.
make_certificates() {
    (
        cd "$1"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem \
            -subj "/CN=system test authority" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=127.0.0.1"
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' >ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.pem
    )
}

# (f) the page's states -------------------------------------------------------------------------------------------------

check_states() {
    local pages=$TARGET/tmp/pages
    fact "cargo test has drawn the pages of invented sites (cargo test --test dashboard every_state)" ls "$pages/hostile/index.html"
    fact "axe can be fetched" fetch_axe
    fetch_axe || { cat "$SCRATCH/axe.log" && return; }
    counted /usr/bin/python3 "$HERE/page_facts.py" "$pages" "$AXE" "$SHOTS"
}

say "# cron runs in the background meanwhile"
start_cron_runs
check_cron_file
new_site page
# Mining first, then in the middle of a curtailment: a page with something on every part of it.
set_config tick.budget "40 s"
"$SCRATCH/minectl" --config "$CONFIG" tick || true
control /set '{"signal_number": 342}'
"$SCRATCH/minectl" --config "$CONFIG" tick || true
fact "a run draws the page, status.json and metrics.prom" \
    ls "$FOLDER/page/index.html" "$FOLDER/page/status.json" "$FOLDER/page/metrics.prom"
check_nginx
check_prometheus
counted /usr/bin/python3 "$HERE/browser.py" "$URL/" "$SHOTS"
check_states
counted bash "$HERE/cgi.sh"
counted bash "$HERE/influx.sh"
check_mail
counted bash "$HERE/install.sh"
counted bash "$HERE/update.sh"
counted bash "$HERE/package.sh"
check_cron_runs
sum_up
