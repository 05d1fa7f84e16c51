//! TLS towards a service whose certificate a private authority signed. The public authorities count as well, so that a
//! service that gets itself a public certificate stays reachable.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// A longer `ca_file` is none; the bundle of all public authorities is a fourth of it.
pub const CA_FILE_MAX: u64 = 1024 * 1024;

/// Why a `ca_file` is of no use.
#[derive(Debug)]
pub(super) struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// The text of a `ca_file`; `Err` says in words why it is of no use: not readable, too long, or no PEM certificate in it.
pub fn read_ca_file(path: &Path) -> Result<String, String> {
    let unusable = |cause: &dyn fmt::Display| format!("`ca_file` {}: {cause}", path.display());
    let file = File::open(path).map_err(|cause| unusable(&cause))?;
    let mut bytes = Vec::new();
    file.take(CA_FILE_MAX + 1).read_to_end(&mut bytes).map_err(|cause| unusable(&cause))?;
    if bytes.len() as u64 > CA_FILE_MAX {
        return Err(unusable(&format!("is longer than {CA_FILE_MAX} bytes")));
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let has_one = text.contains("-----BEGIN CERTIFICATE-----");
    if has_one { Ok(text) } else { Err(unusable(&"holds no PEM certificate")) }
}

/// The cause of a request that was not sent, if it is the file of the authority.
pub(super) fn unusable_file(error: &ureq::Error) -> Option<String> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the package's enum grows")]
    match error {
        ureq::Error::Other(error) => error.downcast_ref::<Unusable>().map(ToString::to_string),
        _ => None,
    }
}

/// TLS with whom a public authority vouches for, or one of this file.
pub(super) fn client(path: &Path) -> Result<ClientConfig, ureq::Error> {
    let unusable = |text: String| ureq::Error::Other(Box::new(Unusable(text)));
    let pem = read_ca_file(path).map_err(unusable)?;
    let mut known = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let added = certificate
            .map_err(|cause| cause.to_string())
            .and_then(|certificate| known.add(certificate).map_err(|cause| cause.to_string()));
        added.map_err(|cause| unusable(format!("`ca_file` {}: {cause}", path.display())))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ureq::Error::Rustls)?;
    Ok(builder.with_root_certificates(known).with_no_client_auth())
}
