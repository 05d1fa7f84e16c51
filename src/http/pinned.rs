//! TLS towards a device with a certificate of its own: exactly the one whose SHA-256 is configured is taken, whoever
//! signed it and whatever name or date it bears. That the device holds its key is checked as always.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};

/// A device that showed another certificate.
#[derive(Debug)]
pub(super) struct OtherCertificate {
    seen: [u8; 32],
}

impl fmt::Display for OtherCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: Vec<String> = self.seen.iter().map(|byte| format!("{byte:02X}")).collect();
        write!(f, "certificate is not the pinned one; its SHA-256 is {}", digits.join(":"))
    }
}

impl std::error::Error for OtherCertificate {}

/// The error of a handshake: a wrong certificate by its name, anything else as it came.
pub(super) fn handshake_error(error: std::io::Error) -> ureq::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let other = match inner {
        Some(rustls::Error::Other(rustls::OtherError(other))) => other.downcast_ref::<OtherCertificate>(),
        _ => None,
    };
    match other {
        Some(OtherCertificate { seen }) => ureq::Error::Other(Box::new(OtherCertificate { seen: *seen })),
        None => ureq::Error::from(error),
    }
}

/// The cause of a failed handshake, if it is the certificate.
pub(super) fn other_certificate(error: &ureq::Error) -> Option<String> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the package's enum grows")]
    match error {
        ureq::Error::Other(error) => error.downcast_ref::<OtherCertificate>().map(ToString::to_string),
        _ => None,
    }
}

/// TLS only with the holder of this certificate.
pub(super) fn client(pin: [u8; 32]) -> Result<ClientConfig, ureq::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Pin { pin, provider: Arc::clone(&provider) });
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ureq::Error::Rustls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

#[derive(Debug)]
struct Pin {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen: [u8; 32] = Sha256::digest(end_entity).into();
        if seen == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::Other(rustls::OtherError(Arc::new(OtherCertificate { seen }))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
