#!/usr/bin/env bash
# minectl's mail against a real Postfix with Cyrus SASL, under an authority of its own: STARTTLS, TLS from the start, a wrong
# password, a refused and a put-off recipient. tests/system/run.sh calls it; it also runs alone, as root.
#
#   tests/system/postfix.sh        prints `ok - ...` or `not ok - ...` for each fact
#
# Uses the debug build. Everything lies in a scratch folder and listens on 127.0.0.1; the machine's own Postfix, if there
# is one, is not touched.

source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

[ "$(id -u)" = 0 ] || fail "needs root, as Postfix does"
for tool in postfix saslpasswd2 openssl; do
    command -v $tool >/dev/null || fail "\`$tool\` is not installed; scripts/test.sh installs it"
done

SCRATCH=$(mktemp -d)
STARTTLS=$((30000 + $$ % 1000 * 2))
TLS=$((STARTTLS + 1))
PASSWORD=site-smtp-password

finish() {
    postfix -c "$SCRATCH" stop >/dev/null 2>&1 || true
    rm -rf "$SCRATCH"
}
trap finish EXIT
chmod 755 "$SCRATCH"

make_certificates() {
    cd "$SCRATCH"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem \
        -subj "/CN=postfix test authority" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=127.0.0.1"
    printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' >ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.pem
}

configure_postfix() {
    mkdir "$SCRATCH/queue" "$SCRATCH/data" "$SCRATCH/mail" "$SCRATCH/sasl"
    chown postfix "$SCRATCH/data" "$SCRATCH/mail"
    printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: %s\n' \
        "$SCRATCH/sasldb2" >"$SCRATCH/sasl/smtpd.conf"
    printf '%s' "$PASSWORD" | saslpasswd2 -p -c -f "$SCRATCH/sasldb2" -u test minectl
    chown postfix "$SCRATCH/sasldb2"
    cat >"$SCRATCH/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $SCRATCH/queue
data_directory = $SCRATCH/data
maillog_file = $SCRATCH/maillog
maillog_file_prefixes = $SCRATCH
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
virtual_mailbox_domains = example.org
virtual_mailbox_base = $SCRATCH/mail
virtual_mailbox_maps = inline:{{owner@example.org=owner/} {partner@example.org=partner/} {refused@example.org=refused/} {grey@example.org=grey/}}
virtual_uid_maps = static:$(id -u postfix)
virtual_gid_maps = static:$(id -g postfix)
virtual_minimum_uid = 1
smtpd_tls_cert_file = $SCRATCH/server.pem
smtpd_tls_key_file = $SCRATCH/server.key
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = test
cyrus_sasl_config_path = $SCRATCH/sasl
smtpd_recipient_restrictions =
    check_recipient_access inline:{{refused@example.org=550 5.1.1 no such mailbox} {grey@example.org=450 4.2.0 greylisted}},
    permit_sasl_authenticated, reject
EOF
    {
        printf '127.0.0.1:%s inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n' "$STARTTLS"
        printf '127.0.0.1:%s inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n' "$TLS"
        for service in rewrite:trivial-rewrite bounce defer:bounce trace:bounce verify error retry:error anvil proxymap; do
            printf '%s unix - - n - 0 %s\n' "${service%%:*}" "${service##*:}"
        done
        printf 'cleanup unix n - n - 0 cleanup\nvirtual unix - n n - - virtual\nqmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\npickup unix n - n 60 1 pickup\n'
        printf 'postlog unix-dgram n - n - 1 postlogd\n'
    } >"$SCRATCH/master.cf"
}

# notify_test EDIT...: the command with the sample configuration for this server as the sed scripts leave it.
notify_test() {
    local edits=()
    for edit in "$@"; do edits+=(-e "$edit"); done
    sed -E -e "s#^port = .*#port = $STARTTLS#" -e 's#^security = .*#security = "starttls"#' \
        -e "s|^# ca_file = .*|ca_file = \"$SCRATCH/ca.pem\"|" "${edits[@]}" "$ROOT/config.txt" >"$SCRATCH/minectl.txt"
    chmod 600 "$SCRATCH/minectl.txt"
    "$TARGET/debug/minectl" --config "$SCRATCH/minectl.txt" notify test --channel email
}

# says CODE SENTENCE WORDS EDIT...: ok when the command ends so and says all the words (separated by |), and no secret.
says() {
    local wanted=$1 sentence=$2 words=$3 output code=0 word
    shift 3
    output=$(notify_test "$@" 2>&1) || code=$?
    local good=1
    [ "$code" = "$wanted" ] || good=0
    while read -r word; do grep -qF -- "$word" <<<"$output" || good=0; done <<<"${words//|/$'\n'}"
    if grep -qF "$PASSWORD" <<<"$output"; then good=0; fi
    if [ $good = 1 ]; then printf 'ok - %s\n' "$sentence"; else printf 'not ok - %s\n    exit %s: %s\n' "$sentence" "$code" "$output"; fi
}

# has NAME COUNT SENTENCE: ok when that mailbox holds so many letters.
has() {
    local count
    for _ in $(seq 30); do
        count=$({ find "$SCRATCH/mail/$1/new" -type f 2>/dev/null || true; } | wc -l)
        [ "$count" = "$2" ] && break
        sleep 0.1
    done
    if [ "$count" = "$2" ]; then printf 'ok - %s\n' "$3"; else printf 'not ok - %s\n    %s letters\n' "$3" "$count"; fi
}

(make_certificates) >"$SCRATCH/openssl.log" 2>&1 || fail "no certificates: $(tail -n 3 "$SCRATCH/openssl.log")"
configure_postfix
postfix -c "$SCRATCH" start >"$SCRATCH/start.log" 2>&1 || fail "Postfix does not start: $(tail -n 5 "$SCRATCH/start.log")"

to_refused='s#^to = \["owner.*#to = ["owner@example.org", "refused@example.org"]#'
to_grey='s#^to = \["owner.*#to = ["owner@example.org", "grey@example.org"]#'
says 0 "Postfix takes a message over STARTTLS, with login, under a private authority" "email: accepted"
says 0 "and with TLS from the start" "email: accepted" "s#^port = $STARTTLS#port = $TLS#" 's#^security = .*#security = "tls"#'
has owner 2 "both are in the owner's mailbox"
has partner 2 "and in the partner's"
says 1 "a wrong password is refused for good, with the way out" "REFUSED for good, access refused|login answered with 535|check \`user\`" \
    's#^user = .*#user = "other"#'
says 1 "one refused recipient is named with Postfix's words" "accepted, but not all is well|refused@example.org|550|no such mailbox" "$to_refused"
says 1 "one greylisted recipient is put off" "accepted for owner@example.org, NOT this time for all|450|greylisted" "$to_grey"
has owner 4 "and the other recipient has both messages"
says 1 "without the authority's file nothing is said to the server" "certificate is not trusted|name that in \`ca_file\`" 's#^ca_file#\# ca_file#'
says 1 "without encryption Postfix takes no login, and none is sent" "offers no login" 's#^security = .*#security = "none"#'
has owner 4 "and nothing more has arrived"
