//! Addresses: which are whole, which may go unencrypted, and who vouches for the encrypted ones.

use minectl::config::MailSecurity;

use crate::support::*;

#[test]
fn a_public_page_by_plain_http_needs_the_owner_s_word() {
    let url = "url = \"http://127.0.0.1:18001/power-signal\"";
    let public = changed(url, "url = \"http://www.example.org/load\"");
    let found = parse(&public).unwrap_err();
    assert!(found.len() == 1 && found[0].contains("allow_plain_http"), "{found:?}");
    sound(&public.replace("allow_plain_http = false", "allow_plain_http = true"));
}

#[test]
fn plain_http_goes_to_private_addresses_only() {
    let url = "url = \"http://127.0.0.1:18005\"";
    for host in [
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.9:8080",
        "169.254.1.1",
        "localhost",
        "relays.local",
        "relays",
        "[::1]",
        "[fd00::5]",
        "[fe80::5]",
    ] {
        no_mistake(url, &format!("url = \"http://{host}\""));
    }
    for host in ["8.8.8.8", "172.32.0.1", "example.org", "134744072", "[2001:db8::1]", "localhost.example.org"] {
        one_mistake(url, &format!("url = \"http://{host}\""), "plain http");
        no_mistake(url, &format!("url = \"https://{host}\""));
    }
}

#[test]
fn addresses_are_whole_or_bare_as_the_device_needs() {
    let url = "url = \"http://127.0.0.1:18005\"";
    one_mistake(url, "url = \"127.0.0.1:18005\"", "must start with `http://`");
    one_mistake(url, "url = \"ftp://127.0.0.1\"", "must start with `http://`");
    one_mistake(url, "url = \"http://127.0.0.1/state.json\"", "must be without a path");
    one_mistake(url, "url = \"http://127.0.0.1?x=1\"", "must end before");
    one_mistake(url, "url = \"http://user:hunter2@127.0.0.1\"", "keys of their own");
    one_mistake(url, "url = \"http://127.0.0.1:99999\"", "is not an address");
    one_mistake(url, "url = \"http://10.0.0.1\\\\@8.8.8.8\"", "contains a blank");
    assert_eq!(sound(&changed(url, "url = \"http://127.0.0.1:18005/\"")).boards[0].url, "http://127.0.0.1:18005");
}

#[test]
fn mail_without_encryption_goes_to_private_addresses_only() {
    one_mistake("security = \"none\"", "security = \"ssl\"", "known: `starttls`, `tls`, `none`");
    let host = "host = \"127.0.0.1\"";
    for good in ["192.168.0.2", "::1", "mail", "mail.local"] {
        no_mistake(host, &format!("host = \"{good}\""));
    }
    let text = changed(host, "host = \"smtp.example.org\"");
    assert!(parse(&text).unwrap_err()[0].contains("`email.security`: \"none\" would send"));
    assert_eq!(
        sound(&text.replace("\"none\"\nuser", "\"x\"\nuser").replace("security = \"none\"", "security = \"tls\""))
            .email
            .unwrap()
            .security,
        MailSecurity::Tls
    );
    one_mistake(host, "host = \"http://mail\"", "is not a host");
}

#[test]
fn a_private_authority_is_a_file_that_is_there_for_an_https_address() {
    let (_folder, file) = folder_with("-----BEGIN CERTIFICATE-----");
    let path = file.display();
    let urls = [
        ("signal", "url = \"http://127.0.0.1:18001/power-signal\""),
        ("room_alert", "url = \"http://127.0.0.1:18002/getData.json\""),
        ("iotawatt", "url = \"http://127.0.0.1:18003\""),
        ("relay_board", "url = \"http://127.0.0.1:18005\""),
        ("foreman", "url = \"http://127.0.0.1:18020\""),
        ("pdu", "url = \"http://127.0.0.1:18011\""),
        ("telegram", "url = \"http://127.0.0.1:18021\""),
        ("sms", "url = \"http://127.0.0.1:18022\""),
        ("dead_man", "url = \"http://127.0.0.1:18023/ping/5f0c5a9e-0000-4000-8000-000000000001\""),
    ];
    for (section, url) in urls {
        let secure = url.replace("http://", "https://");
        no_mistake(url, &format!("ca_file = \"{path}\"\n{secure}"));
        one_mistake(url, &format!("ca_file = \"{path}\"\n{url}"), "needs an address with `https://`");
        let gone = format!("ca_file = \"/nonexistent/ca.pem\"\n{secure}");
        one_mistake(url, &gone, "/nonexistent/ca.pem is not a file");
        assert!(mistakes(url, &gone)[0].contains(section), "{section}");
    }
    let both = format!("tls_sha256 = \"{}\"\nca_file = \"{path}\"\nurl = \"https://127.0.0.1:18011\"", "ab".repeat(32));
    one_mistake("url = \"http://127.0.0.1:18011\"", &both, "keep one of the two");
}

#[test]
fn the_address_that_values_are_written_to_is_whole_and_holds_no_login() {
    let mistakes = |lines: &str| parse(&format!("{SAMPLE}\n[influx]\n{lines}\n")).err().unwrap_or_default();
    for good in [
        "http://10.0.0.5:8086/write?db=mine",
        "http://10.0.0.5:8428/write",
        "https://influx.example.org/api/v2/write?org=mine&bucket=mine",
    ] {
        assert!(mistakes(&format!("url = \"{good}\"")).is_empty(), "{good}");
    }
    for (bad, words) in [
        ("http://influx.example.org/write?db=mine", "plain http"),
        ("http://10.0.0.5:8086/write?db=mine&u=minectl&p=hunter2", "a login"),
        ("http://10.0.0.5:8086/write?db=mine&precision=s", "must be without `precision`"),
        ("http://10.0.0.5:8428", "has no path"),
    ] {
        let found = mistakes(&format!("url = \"{bad}\""));
        assert!(found.len() == 1 && found[0].contains(words), "{bad}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    let url = "url = \"http://10.0.0.5:8428/write\"";
    assert!(mistakes("")[0].contains("missing key `url` in `influx`"), "{:?}", mistakes(""));
    for (lines, words) in [
        ("user = \"a\"", "needs `password`"),
        ("password = \"hunter2\"", "needs `user`"),
        ("token = \"hunter2\"\nuser = \"a\"\npassword = \"b\"", "with a token, leave it out"),
        ("timeout = \"61 s\"", "is outside"),
    ] {
        let found = mistakes(&format!("{url}\n{lines}"));
        assert!(found.len() == 1 && found[0].contains(words) && !found[0].contains("hunter2"), "{lines}: {found:?}");
    }
}
