//! TLS towards a device with a certificate of its own: exactly the one whose SHA-256 is configured is taken, whoever
//! signed it and whatever name or date it bears. That the device holds its key is checked as always.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use sha2::{Digest, Sha256};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};

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

/// The cause of a failed handshake, if it is the certificate.
pub(super) fn other_certificate(error: &ureq::Error) -> Option<String> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the package's enum grows")]
    match error {
        ureq::Error::Other(error) => error.downcast_ref::<OtherCertificate>().map(ToString::to_string),
        _ => None,
    }
}

/// An agent that speaks https only with the holder of this certificate.
pub(super) fn agent(config: ureq::config::Config, pin: [u8; 32]) -> Result<ureq::Agent, ureq::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Pin { pin, provider: Arc::clone(&provider) });
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ureq::Error::Rustls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let connector = TcpConnector::default().chain(PinnedConnector { tls: Arc::new(tls), pin });
    Ok(ureq::Agent::with_parts(config, connector, DefaultResolver::default()))
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

/// Wraps a TCP connection; the package's own way offers no verifier.
#[derive(Debug)]
struct PinnedConnector {
    tls: Arc<ClientConfig>,
    pin: [u8; 32],
}

impl<In: Transport> Connector<In> for PinnedConnector {
    type Out = PinnedTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<PinnedTransport>, ureq::Error> {
        let Some(tcp) = chained else { return Ok(None) };
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ureq::Error::Tls("host is no name for TLS"))?;
        let conn = ClientConnection::new(Arc::clone(&self.tls), name).map_err(ureq::Error::Rustls)?;
        let mut sock = TransportAdapter::new(tcp.boxed(), Arc::clone(&details.current_time));
        sock.set_timeout(remaining(details));
        let mut stream = StreamOwned { conn, sock };
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| self.cause(error))?;
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(PinnedTransport { buffers, stream }))
    }
}

impl PinnedConnector {
    /// A wrong certificate by its name; anything else as it came.
    fn cause(&self, error: std::io::Error) -> ureq::Error {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let other = match inner {
            Some(rustls::Error::Other(rustls::OtherError(other))) => other.downcast_ref::<OtherCertificate>(),
            _ => None,
        };
        match other {
            Some(OtherCertificate { seen }) if *seen != self.pin => {
                ureq::Error::Other(Box::new(OtherCertificate { seen: *seen }))
            }
            Some(_) | None => ureq::Error::from(error),
        }
    }
}

/// What is left for the handshake: connecting has used some of it.
fn remaining(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Instant::Exact(end), Instant::Exact(now)) = (details.now + timeout.after, (details.current_time)()) {
        timeout.after = end.saturating_duration_since(now).into();
    }
    timeout
}

struct PinnedTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for PinnedTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for PinnedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedTransport").finish_non_exhaustive()
    }
}
