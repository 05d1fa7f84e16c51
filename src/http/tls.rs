//! An agent whose TLS goes by settings of our own: one pinned certificate, or one more authority. What is trusted is not
//! decided here.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};

use super::lookup::Lookup;
use super::pinned;

/// An agent that speaks https by these settings.
pub(super) fn agent(config: ureq::config::Config, client: ClientConfig) -> ureq::Agent {
    let connector = TcpConnector::default().chain(OwnTls { client: Arc::new(client) });
    ureq::Agent::with_parts(config, connector, Lookup::default())
}

/// Wraps a TCP connection; the package's own way takes neither a verifier nor authorities beside the public ones.
#[derive(Debug)]
struct OwnTls {
    client: Arc<ClientConfig>,
}

impl<In: Transport> Connector<In> for OwnTls {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Either<In, TlsTransport>>, ureq::Error> {
        let Some(tcp) = chained else { return Ok(None) };
        // A redirect may lead on without TLS.
        if !details.needs_tls() {
            return Ok(Some(Either::A(tcp)));
        }
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ureq::Error::Tls("host is no name for TLS"))?;
        let conn = ClientConnection::new(Arc::clone(&self.client), name).map_err(ureq::Error::Rustls)?;
        let mut sock = TransportAdapter::new(tcp.boxed(), Arc::clone(&details.current_time));
        sock.set_timeout(remaining(details));
        let mut stream = StreamOwned { conn, sock };
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(pinned::handshake_error)?;
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
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

struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
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

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
