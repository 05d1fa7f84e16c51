//! A PDU with a certificate of its own, over real TLS on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use minectl::http::{Request, send};
use minectl::model::FaultKind;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

use crate::pdu_presets::{read, with_pdu};

const LIMIT: Duration = Duration::from_secs(2);

/// An https server with a new certificate for another name, long out of date; its address and the SHA-256.
fn server() -> (String, [u8; 32]) {
    let key = KeyPair::generate().unwrap();
    let mut own = CertificateParams::new(vec!["pdu.invalid".to_owned()]).unwrap();
    (own.not_before, own.not_after) = (rcgen::date_time_ymd(2010, 1, 1), rcgen::date_time_ymd(2012, 1, 1));
    let certificate = own.self_signed(&key).unwrap();
    let pin = Sha256::digest(certificate.der()).into();
    (serve(certificate.der().clone(), &key, r#"{"Outputs":[{"ID":1,"State":1,"Load":480}]}"#), pin)
}

/// An https server on loopback that shows this certificate and answers each request with `body`; its address.
pub(crate) fn serve(certificate: CertificateDer<'static>, key: &KeyPair, body: &'static str) -> String {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok_and(|length| length > 0) {
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    url
}

fn hex(pin: &[u8; 32]) -> String {
    pin.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[test]
fn the_pinned_certificate_is_taken_whatever_its_name_and_date() {
    let (url, pin) = server();
    let section = format!("preset = \"netio\"\noutlets = [\"1\"]\ntls_sha256 = \"{}\"", hex(&pin));
    assert_eq!(read(&with_pdu(&url, &section)).unwrap().total.unwrap().value.value(), 480.0);
    let mut request = Request::get("d", &url, LIMIT);
    request.pin = Some(pin);
    assert_eq!(send(&request).unwrap().status, 200);
}

#[test]
fn another_certificate_is_another_device_and_its_sha_256_is_told() {
    let ((url, seen), (_, pin)) = (server(), server());
    let mut request = Request::get("d", &url, LIMIT);
    request.pin = Some(pin);
    let fault = send(&request).unwrap_err();
    assert_eq!(fault.kind, FaultKind::WrongDevice);
    let wanted = format!("certificate is not the pinned one; its SHA-256 is {}", hex(&seen));
    assert!(fault.detail.starts_with(&wanted), "{fault}");
    let mut off_by_one = seen;
    off_by_one[31] ^= 1;
    request.pin = Some(off_by_one);
    assert_eq!(send(&request).unwrap_err().kind, FaultKind::WrongDevice);
}

#[test]
fn without_a_pin_such_a_certificate_is_refused_and_with_one_plain_http_is() {
    let (url, pin) = server();
    let fault = send(&Request::get("d", &url, LIMIT)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    let plain = url.replace("https://", "http://");
    let mut request = Request::get("d", &plain, LIMIT);
    request.pin = Some(pin);
    assert!(send(&request).unwrap_err().detail.starts_with("no secure connection"));
}

#[test]
fn a_device_that_hangs_in_the_handshake_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mut request = Request::get("d", &url, Duration::from_millis(300));
    request.pin = Some([0; 32]);
    let began = Instant::now();
    assert_eq!(send(&request).unwrap_err().kind, FaultKind::TimedOut);
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}
