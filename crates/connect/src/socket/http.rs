//! Blocking HTTP to other systems: no redirects, bounded answers, and no address inside of the server's own network
//! unless the operator allowed it. A name is looked up once, and the address that was checked is the one that is used,
//! so a name that changes its mind between check and call gains nothing.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// How long one call may take, from the look-up of the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// What the operator says about calls to the outside.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Networks inside of ours that may be called nevertheless: address and bits.
    pub allowed: Vec<(IpAddr, u8)>,
    /// Certificates (PEM) of an own authority, trusted instead of the public ones.
    pub authority_pem: Option<String>,
}

impl Outgoing {
    /// Reads networks such as `10.1.0.0/16` or plain addresses.
    ///
    /// # Errors
    /// A sentence that names the text that is neither.
    pub fn parse(networks: &[String], authority_pem: Option<String>) -> Result<Self, String> {
        let allowed = networks
            .iter()
            .map(|text| network(text).ok_or(format!("`{text}` is no address or network")));
        Ok(Self {
            allowed: allowed.collect::<Result<_, _>>()?,
            authority_pem,
        })
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address)
            || self
                .allowed
                .iter()
                .any(|(network, bits)| lies_in(address, *network, *bits))
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn lies_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(u32::from(address)), u128::from(u32::from(network)), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (u128::from(address), u128::from(network), 128),
        _ => return false,
    };
    let shift = width - u32::from(bits);
    address.checked_shr(shift).unwrap_or(0) == network.checked_shr(shift).unwrap_or(0)
}

/// Whether an address lies in the open internet: none of the ranges that the registries (RFC 6890) keep for a machine
/// itself, its own network, documentation, benchmarks, groups or the future.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    const INNER: &[&str] = &[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ];
    match address.to_canonical() {
        IpAddr::V4(address) => !INNER
            .iter()
            .filter_map(|text| network(text))
            .any(|(network, bits)| lies_in(IpAddr::V4(address), network, bits)),
        // Of IPv6 only global unicast is given out, but for documentation and the ways that embed an IPv4 address.
        IpAddr::V6(address) => {
            let inside =
                |text: &str| network(text).is_some_and(|(network, bits)| lies_in(IpAddr::V6(address), network, bits));
            inside("2000::/3") && !["2001::/23", "2001:db8::/32", "2002::/16"].into_iter().any(inside)
        }
    }
}

/// Looks names up and leaves out what may not be called.
struct Guard(Outgoing);

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut kept = self.empty();
        for address in found.iter().filter(|address: &&SocketAddr| self.0.allows(address.ip())) {
            kept.push(*address);
        }
        if kept.is_empty() {
            return Err(Error::Other(Box::new(HttpError::new(
                "its address lies inside of the server's own network, which `outgoing_allow` does not name",
            ))));
        }
        Ok(kept)
    }
}

/// Says why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct HttpError {
    /// In words for the one who set the address up.
    pub text: String,
}

impl HttpError {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// A client for calls to the outside. Clones share it.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
}

impl Http {
    /// A client under the operator's rules.
    ///
    /// # Errors
    /// [`HttpError`] when the own authority's certificates cannot be read.
    pub fn new(outgoing: Outgoing) -> Result<Self, HttpError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
        if let Some(pem) = &outgoing.authority_pem {
            tls = tls.root_certs(RootCerts::from(certificates(pem)?));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("assent/", env!("CARGO_PKG_VERSION")))
            // A proxy of the environment would look names up by itself, past the guard.
            .proxy(None)
            .tls_config(tls.build())
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Guard(outgoing));
        Ok(Self { agent })
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`] with the host and what went wrong; never with what was sent.
    pub fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let wrong = |error: Error| HttpError::new(format!("`{host}` cannot be asked: {error}"));
        let mut answer = self.agent.run(request).map_err(wrong)?;
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(LONGEST)
            .read_to_vec()
            .map_err(wrong)?;
        let (parts, _) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, bytes))
    }
}

fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, HttpError> {
    let wrong = || HttpError::new("the own authority holds no certificate in PEM");
    let mut found = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| wrong())? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(wrong()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_of_the_own_network_are_told_apart() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2002:a00:1::",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "192.0.3.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_own_network_is_called_only_where_it_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ask = |outgoing: Outgoing, host: &str| {
            let uri = format!("http://{host}:{}/", address.port());
            let request = openidconnect::http::Request::builder()
                .uri(uri)
                .body(Vec::new())
                .unwrap();
            Http::new(outgoing).unwrap().call(request)
        };
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
            let error = ask(Outgoing::default(), host).unwrap_err();
            assert!(!error.text.is_empty(), "{host}");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody may have called");
        listener.set_nonblocking(false).unwrap();
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0_u8; 1_024];
            let _ = std::io::Read::read(&mut stream, &mut buffer).unwrap();
            let answer = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 2\r\n\r\nok";
            std::io::Write::write_all(&mut stream, answer).unwrap();
        });
        let allowed = Outgoing::parse(&["127.0.0.0/8".to_owned()], None).unwrap();
        let answer = ask(allowed, "127.0.0.1").unwrap();
        served.join().unwrap();
        // A redirect is an answer, not a way on.
        assert_eq!(
            (answer.status().as_u16(), answer.body().as_slice()),
            (302, b"ok".as_slice())
        );
        assert!(Outgoing::parse(&["10.0.0.0/33".to_owned()], None).is_err());
    }
}
