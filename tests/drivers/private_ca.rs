//! Services whose certificate a private authority signed, over real TLS on loopback.

use std::io::Write;
use std::time::Duration;

use minectl::config::{Config, FanWattsConfig, RelayFamily, Secret};
use minectl::http::{CA_FILE_MAX, Request, send};
use minectl::model::FaultKind;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::NamedTempFile;

use crate::config;
use crate::pdu_presets::{read, with_pdu};
use crate::pinned::serve;

const LIMIT: Duration = Duration::from_secs(2);

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// An https server for 127.0.0.1 whose certificate an authority of its own signed: its address, the authority's PEM.
fn server(body: &'static str) -> (String, String) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "Test authority");
    let ca_key = KeyPair::generate().unwrap();
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    (serve(leaf.der().clone(), &key, body), pem)
}

#[test]
fn a_certificate_of_the_named_authority_is_taken_and_without_naming_it_is_not() {
    let (url, pem) = server("hello");
    let ca = file(&pem);
    let mut request = Request::get("d", &url, LIMIT);
    let fault = send(&request).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.detail.contains("no public authority signed it; `ca_file` can name one of your own"), "{fault}");
    request.ca_file = Some(ca.path());
    assert_eq!(send(&request).unwrap().text(), "hello");
}

#[test]
fn a_certificate_of_another_authority_or_for_another_host_is_refused() {
    let ((url, pem), (_, other)) = (server("hello"), server("hello"));
    let (ca, other) = (file(&pem), file(&other));
    let mut request = Request::get("d", &url, LIMIT);
    request.ca_file = Some(other.path());
    let fault = send(&request).unwrap_err();
    assert!(fault.detail.contains("neither a public authority nor one in `ca_file` signed it"), "{fault}");
    let by_name = url.replace("127.0.0.1", "localhost");
    let mut request = Request::get("d", &by_name, LIMIT);
    request.ca_file = Some(ca.path());
    let fault = send(&request).unwrap_err();
    assert!(fault.detail.contains("not valid for name \"localhost\""), "{fault}");
}

#[test]
fn a_file_may_hold_several_authorities_with_text_between_them() {
    let ((url, pem), (_, other)) = (server("hello"), server("hello"));
    let ca = file(&format!("# ours\n{other}\n# and the new one\n{pem}"));
    let mut request = Request::get("d", &url, LIMIT);
    request.ca_file = Some(ca.path());
    assert_eq!(send(&request).unwrap().status, 200);
}

#[test]
fn a_file_that_is_gone_or_holds_no_certificate_is_named() {
    let (url, pem) = server("hello");
    let too_long = format!("{pem}{}", " ".repeat(CA_FILE_MAX as usize + 1 - pem.len()));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, says) in [("no PEM", "holds no PEM certificate"), (&too_long, "is longer than"), (broken, "ca_file")] {
        let ca = file(text);
        let mut request = Request::get("d", &url, LIMIT);
        request.ca_file = Some(ca.path());
        let fault = send(&request).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Missing, "{fault}");
        assert!(fault.detail.contains("`ca_file`") && fault.detail.contains(says), "{fault}");
    }
    let just_fits = file(&too_long[..CA_FILE_MAX as usize]);
    let mut request = Request::get("d", &url, LIMIT);
    request.ca_file = Some(just_fits.path());
    assert_eq!(send(&request).unwrap().status, 200);
    request.ca_file = Some("/nonexistent/ca.pem".as_ref());
    assert_eq!(send(&request).unwrap_err().kind, FaultKind::Missing);
}

#[test]
fn plain_http_works_beside_such_an_authority() {
    // A redirect of the signal page may lead there.
    let (_, pem) = server("hello");
    let ca = file(&pem);
    let server = crate::server::Server::new(vec![crate::server::Act::answer(200, "", "open")]);
    let url = server.url.clone();
    let mut request = Request::get("d", &url, LIMIT);
    request.ca_file = Some(ca.path());
    assert_eq!(send(&request).unwrap().text(), "open");
}

#[test]
fn signal_foreman_and_pdus_take_their_own_authority() {
    let (url, pem) = server(r#"<p>System load</p><b id="load-number">251</b>"#);
    let ca = file(&pem);
    let sense = |cfg: &Config| minectl::drivers::sense(cfg, &config::fast(), LIMIT, &[]);
    let mut cfg = config::nowhere();
    cfg.signal = config::signal(&url);
    assert!(sense(&cfg).signal.unwrap_err().detail.starts_with("no secure connection"));
    cfg.signal.ca_file = Some(ca.path().to_owned());
    assert_eq!(sense(&cfg).signal.unwrap().text, "251");

    let (url, pem) = server(r#"{"results": [], "total": 0}"#);
    let ca = file(&pem);
    cfg.foreman = config::foreman(&url);
    assert!(sense(&cfg).foreman.unwrap_err().detail.starts_with("no secure connection"));
    cfg.foreman.ca_file = Some(ca.path().to_owned());
    assert!(sense(&cfg).foreman.is_ok());

    let (url, pem) = server(r#"{"Outputs":[{"ID":1,"State":1,"Load":480}]}"#);
    let ca = file(&pem);
    let section = "preset = \"netio\"\noutlets = [\"1\"]";
    assert!(read(&with_pdu(&url, section)).unwrap_err().detail.starts_with("no secure connection"));
    let section = format!("{section}\nca_file = \"{}\"", ca.path().display());
    assert_eq!(read(&with_pdu(&url, &section)).unwrap().total.unwrap().value.value(), 480.0);
}

#[test]
fn units_meters_and_boards_take_their_own_authority() {
    let sense = |cfg: &Config| minectl::drivers::sense(cfg, &config::fast(), LIMIT, &[]);
    let refused = |fault: minectl::model::Fault| assert!(fault.detail.starts_with("no secure connection"), "{fault}");
    let mut cfg = config::nowhere();

    let (url, pem) = server(include_str!("../fixtures/room_alert/12e_v3.2.5.json"));
    let ca = file(&pem);
    cfg.rooms = vec![config::room(&format!("{url}/getData.json"))];
    refused(sense(&cfg).rooms["room-alert"].clone().unwrap_err());
    cfg.rooms[0].ca_file = Some(ca.path().to_owned());
    assert!(sense(&cfg).rooms["room-alert"].is_ok());

    let (url, pem) = server(include_str!("../fixtures/controlbyweb/x-400.json"));
    let ca = file(&pem);
    cfg.fans.insert(1, config::fan(1, "relays-a", 1));
    cfg.boards = vec![config::board("relays-a", &url, RelayFamily::Series400)];
    refused(sense(&cfg).boards["relays-a"].clone().unwrap_err());
    cfg.boards[0].ca_file = Some(ca.path().to_owned());
    assert!(sense(&cfg).boards["relays-a"].is_ok());

    let (url, pem) = server(include_str!("../fixtures/emoncms/11.16_redis.json"));
    let ca = file(&pem);
    let mut meter = config::emoncms(&url, 1);
    cfg.fan_watts = FanWattsConfig::EmonCms(meter.clone());
    refused(sense(&cfg).fan_watts.unwrap_err());
    meter.ca_file = Some(ca.path().to_owned());
    cfg.fan_watts = FanWattsConfig::EmonCms(meter);
    assert!(sense(&cfg).fan_watts.is_ok());
}

#[test]
fn an_iotawatt_takes_its_own_authority_with_and_without_a_password() {
    let (url, pem) = server(include_str!("../fixtures/iotawatt/query_02_08_04.json"));
    let ca = file(&pem);
    let folder = tempfile::tempdir().unwrap();
    for password in [None, Some("site-iotawatt-password")] {
        let mut meter = config::iotawatt(&url, 2);
        meter.user = password.map(|_| "user".to_owned());
        meter.password = password.map(Secret::new);
        let mut cfg = config::nowhere();
        cfg.paths.data = folder.path().to_owned();
        cfg.fan_watts = FanWattsConfig::IotaWatt(meter.clone());
        let sense = |cfg: &Config| minectl::drivers::sense(cfg, &config::fast(), LIMIT, &[]);
        assert!(sense(&cfg).fan_watts.unwrap_err().detail.starts_with("no secure connection"));
        meter.ca_file = Some(ca.path().to_owned());
        cfg.fan_watts = FanWattsConfig::IotaWatt(meter);
        assert!(sense(&cfg).fan_watts.is_ok(), "{password:?}");
    }
}
