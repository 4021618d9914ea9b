//! Bytes to a host and port, over TCP or TLS, under the same guard as [`super::call`]. A plain stream has no response, so each
//! delivery has a connection of its own: everything is written, our side is closed, and the delivery counts once the receiver
//! has read to that end and closed its side. A receiver that resets the connection or stays silent took nothing for certain.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::call::certificates;
use super::egress::Egress;

/// The longest wait for a single step: to connect, to write, to read.
const STEP: Duration = Duration::from_secs(5);
/// How much is written at once, in bytes.
const CHUNK: usize = 16 * 1024;
/// How much is read of a receiver that sends something before it closes, in bytes.
const READ_MAX: usize = 64 * 1024;

/// Sends bytes to streams. Clones share the trusted authorities.
#[derive(Clone)]
pub struct Streams {
    egress: Egress,
    tls: Arc<ClientConfig>,
}

impl Streams {
    /// A sender that goes where `egress` allows. `authorities_pem` are certificates trusted instead of the public ones.
    ///
    /// # Errors
    /// A sentence when the certificates cannot be read.
    pub fn new(egress: Egress, authorities_pem: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        match authorities_pem {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(pem) => {
                for certificate in certificates(pem)? {
                    let der = CertificateDer::from(certificate.der().to_vec());
                    roots.add(der).map_err(|error| error.to_string())?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            egress,
            tls: Arc::new(config),
        })
    }

    /// Sends everything and waits until the receiver has closed. `left` returns how long the whole may still take.
    ///
    /// # Errors
    /// A sentence: the address may not be called, or the receiver did not take everything for certain.
    pub fn send(
        &self,
        (host, port): (&str, u16),
        is_tls: bool,
        bytes: &[u8],
        left: &dyn Fn() -> Duration,
    ) -> Result<(), String> {
        let mut tcp = self.connect((host, port), is_tls, left)?;
        if !is_tls {
            write(&mut tcp, bytes, left)?;
            return finish(&mut tcp, left);
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| "the host is no name for TLS".to_owned())?;
        let mut session = ClientConnection::new(self.tls.clone(), name).map_err(|error| error.to_string())?;
        let mut stream = Stream::new(&mut session, &mut tcp);
        patience(stream.sock, left)?;
        write_all(&mut stream, bytes, left)?;
        session.send_close_notify();
        while session.wants_write() {
            patience(&tcp, left)?;
            session.write_tls(&mut tcp).map_err(failed)?;
        }
        tcp.shutdown(Shutdown::Write).map_err(failed)?;
        let mut stream = Stream::new(&mut session, &mut tcp);
        read_to_end(left, |stream_left, buffer| {
            patience(stream.sock, stream_left)?;
            Ok(stream.read(buffer))
        })
    }

    /// Connects to the first address that accepts. One refused address among several refuses the name, as in calls over HTTP.
    fn connect(&self, place: (&str, u16), is_tls: bool, left: &dyn Fn() -> Duration) -> Result<TcpStream, String> {
        let found: Vec<SocketAddr> = place
            .to_socket_addrs()
            .map_err(|_| "the name is unknown".to_owned())?
            .collect();
        for address in &found {
            let ip = address.ip();
            if !is_tls && !self.egress.names(ip) {
                return Err(format!(
                    "{ip} is not called in the clear; use tls, or have the operator allow the address"
                ));
            }
            if !self.egress.allows(ip) {
                return Err(format!("{ip} lies inside, and the operator has not allowed it"));
            }
        }
        let mut why = "the name has no address".to_owned();
        for address in found {
            match TcpStream::connect_timeout(&address, share(left)?) {
                Ok(stream) => return Ok(stream),
                Err(error) => why = failed(error),
            }
        }
        Err(why)
    }
}

fn share(left: &dyn Fn() -> Duration) -> Result<Duration, String> {
    let share = STEP.min(left());
    if share.is_zero() {
        return Err("the receiver took too long".to_owned());
    }
    Ok(share)
}

/// Bounds the next step.
fn patience(tcp: &TcpStream, left: &dyn Fn() -> Duration) -> Result<(), String> {
    let share = Some(share(left)?);
    tcp.set_read_timeout(share).map_err(failed)?;
    tcp.set_write_timeout(share).map_err(failed)
}

fn write(tcp: &mut TcpStream, bytes: &[u8], left: &dyn Fn() -> Duration) -> Result<(), String> {
    for chunk in bytes.chunks(CHUNK) {
        let mut rest = chunk;
        while !rest.is_empty() {
            patience(tcp, left)?;
            let count = tcp.write(rest).map_err(failed)?;
            rest = &rest[count..];
        }
    }
    Ok(())
}

fn write_all(
    stream: &mut Stream<'_, ClientConnection, TcpStream>,
    bytes: &[u8],
    left: &dyn Fn() -> Duration,
) -> Result<(), String> {
    for chunk in bytes.chunks(CHUNK) {
        let mut rest = chunk;
        while !rest.is_empty() {
            patience(stream.sock, left)?;
            let count = stream.write(rest).map_err(failed)?;
            rest = &rest[count..];
        }
        patience(stream.sock, left)?;
        stream.flush().map_err(failed)?;
    }
    Ok(())
}

fn finish(tcp: &mut TcpStream, left: &dyn Fn() -> Duration) -> Result<(), String> {
    tcp.shutdown(Shutdown::Write).map_err(failed)?;
    read_to_end(left, |left, buffer| {
        patience(tcp, left)?;
        Ok(tcp.read(buffer))
    })
}

/// Reads until the other side has closed; bytes before that are no response to anything. A TLS alert is an error of `read`.
fn read_to_end(
    left: &dyn Fn() -> Duration,
    mut read: impl FnMut(&dyn Fn() -> Duration, &mut [u8]) -> Result<std::io::Result<usize>, String>,
) -> Result<(), String> {
    let (mut buffer, mut seen) = ([0_u8; 1_024], 0);
    while seen < READ_MAX {
        match read(left, &mut buffer)? {
            Ok(0) => return Ok(()),
            Ok(count) => seen += count,
            // A receiver that closes without TLS's own goodbye has closed all the same.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err("the receiver sends without end".to_owned())
}

fn failed(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            "the receiver did not read to the end and close the connection in time".to_owned()
        }
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the receiver broke the connection".to_owned(),
        ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    fn left() -> Duration {
        Duration::from_secs(2)
    }

    fn allowed(authorities: Option<&[u8]>) -> Streams {
        Streams::new(Egress::parse(&["127.0.0.1".to_owned()]).unwrap(), authorities).unwrap()
    }

    fn reader() -> (u16, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let mut all = Vec::new();
            listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
            all
        });
        (port, thread)
    }

    #[test]
    fn a_receiver_that_reads_to_the_end_took_everything() {
        let (port, thread) = reader();
        let bytes = vec![7_u8; 300_000];
        allowed(None).send(("127.0.0.1", port), false, &bytes, &left).unwrap();
        assert_eq!(thread.join().unwrap(), bytes);
    }

    #[test]
    fn a_receiver_that_stays_silent_or_leaves_early_took_nothing() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = ("127.0.0.1", silent.local_addr().unwrap().port());
        let short = || Duration::from_millis(200);
        let why = allowed(None).send(place, false, b"x", &short).unwrap_err();
        assert!(why.contains("in time"), "{why}");
        let hasty = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = ("127.0.0.1", hasty.local_addr().unwrap().port());
        // Closed with bytes unread, a connection is reset.
        let thread = std::thread::spawn(move || {
            let mut stream = hasty.accept().unwrap().0;
            stream.read_exact(&mut [0_u8; 10]).unwrap();
        });
        let why = allowed(None)
            .send(place, false, &vec![0; 4_000_000], &left)
            .unwrap_err();
        assert!(why.contains("broke") || why.contains("in time"), "{why}");
        thread.join().unwrap();
    }

    #[test]
    fn an_address_inside_is_not_called_and_nothing_leaves_in_the_clear_but_where_it_may() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let streams = Streams::new(Egress::default(), None).unwrap();
        for is_tls in [true, false] {
            let why = streams.send(("127.0.0.1", port), is_tls, b"x", &left).unwrap_err();
            assert!(why.contains("lies inside") || why.contains("in the clear"), "{why}");
        }
        assert!(listener.accept().is_err(), "nobody knocked");
    }

    #[test]
    fn tls_checks_the_certificate_and_delivers_all() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let pem = made.cert.pem();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let server = Arc::new(server);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let mut taken = Vec::new();
            for _ in 0..2 {
                let mut tcp = listener.accept().unwrap().0;
                let mut session = rustls::ServerConnection::new(server.clone()).unwrap();
                let mut all = Vec::new();
                let read = Stream::new(&mut session, &mut tcp).read_to_end(&mut all);
                taken.push(read.map(|_| all).ok());
            }
            taken
        });
        let bytes = vec![9_u8; 200_000];
        let egress = Egress::parse(&["127.0.0.1".to_owned(), "::1".to_owned()]).unwrap();
        let streams = Streams::new(egress, Some(pem.as_bytes())).unwrap();
        streams.send(("localhost", port), true, &bytes, &left).unwrap();
        // Public authorities did not sign this one.
        assert!(allowed(None).send(("127.0.0.1", port), true, b"x", &left).is_err());
        let taken = thread.join().unwrap();
        assert_eq!((taken[0].as_ref(), taken[1].as_ref()), (Some(&bytes), None));
    }
}
