//! Calls to external servers over HTTP. Redirects are never followed: the content of a call is meant for one server.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::integration::signal;
use ureq::Agent;
use ureq::config::{Config, ConfigBuilder};
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::egress::Egress;

/// How long a call may take, from the name's look-up to the response's last byte.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How long it may take until an address of the operator's is connected.
const OPERATOR_CONNECTS: Duration = Duration::from_secs(2);
/// How much of a response is read, in bytes.
pub const ANSWER_MAX_BYTES: u64 = 1 << 20;

/// A call to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST`, `PUT`, `DELETE`, or `REPORT` of CalDAV.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers; their values are never printed.
    pub headers: Vec<(String, String)>,
    /// The body of the request.
    pub body: Vec<u8>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("headers", &names)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The response of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Retry-After` in seconds, where given.
    pub retry_after_seconds: Option<i64>,
    /// `Content-Type`; empty where absent.
    pub media_type: String,
    /// `ETag`; empty where absent.
    pub entity_tag: String,
    /// The body, at most [`ANSWER_MAX_BYTES`].
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether it was taken: 2xx.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the server as a whole cannot take calls now, whatever their content: 429 and 5xx.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.status == 429 || self.status >= 500
    }
}

/// Makes calls. Clones share connections.
#[derive(Clone)]
pub struct Caller {
    agent: Agent,
    /// The header by which calls go on with a trace of OpenTelemetry.
    traceparent: Option<String>,
}

impl Caller {
    /// A caller that goes where `egress` allows. `authorities_pem` are certificates trusted besides the public ones'.
    ///
    /// # Errors
    /// A sentence when the certificates cannot be read.
    pub fn new(egress: Egress, authorities_pem: Option<&[u8]>) -> Result<Self, String> {
        let config = config(authorities_pem)?.timeout_global(Some(PATIENCE)).build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Guarded { egress });
        Ok(Self {
            agent,
            traceparent: None,
        })
    }

    /// A caller for an address that the operator sets, such as a bucket's: it may be inside the network, since nobody else can
    /// set it. `authorities_pem` as in [`Caller::new`].
    ///
    /// # Errors
    /// As [`Caller::new`].
    pub fn of_operator(authorities_pem: Option<&[u8]>) -> Result<Self, String> {
        let config = config(authorities_pem)?
            .timeout_connect(Some(OPERATOR_CONNECTS))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default());
        Ok(Self {
            agent,
            traceparent: None,
        })
    }

    /// The same caller, whose calls continue a trace.
    #[must_use]
    pub fn tracing(&self, traceparent: Option<String>) -> Self {
        Self {
            agent: self.agent.clone(),
            traceparent,
        }
    }

    /// The agent that makes the calls, under the guard.
    pub(super) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Makes a call.
    ///
    /// # Errors
    /// A sentence: there was no response, or the address may not be called.
    pub fn call(&self, call: &Call) -> Result<Answer, String> {
        let mut response = self.send(call, PATIENCE)?;
        let retry_after_seconds = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let told_of = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (media_type, entity_tag) = (told_of("content-type"), told_of("etag"));
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX_BYTES)
            .read_to_vec()
            // The status is enough; a body that is too long, or breaks off, does not matter.
            .unwrap_or_default();
        Ok(Answer {
            status,
            retry_after_seconds,
            media_type,
            entity_tag,
            body,
        })
    }

    /// Makes a call whose response is needed whole, within some time: its status and at most so many bytes.
    ///
    /// # Errors
    /// As [`Caller::call`], and where the response is longer or breaks off.
    pub fn fetch(&self, call: &Call, most_bytes: u64, patience: Duration) -> Result<(u16, Vec<u8>), String> {
        let mut response = self.send(call, patience)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(most_bytes).read_to_vec();
        Ok((status, body.map_err(|error| error_text(&error))?))
    }

    fn send(&self, call: &Call, patience: Duration) -> Result<ureq::http::Response<ureq::Body>, String> {
        let mut request = ureq::http::Request::builder().method(call.method).uri(&call.url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        let wrong = |_| "the address is none".to_owned();
        let run = match call.body.is_empty() && matches!(call.method, "GET" | "DELETE") {
            true => {
                let request = self.agent.configure_request(request.body(()).map_err(wrong)?);
                self.agent.run(request.timeout_global(Some(patience)).build())
            }
            false => {
                let request = self
                    .agent
                    .configure_request(request.body(&call.body[..]).map_err(wrong)?);
                self.agent.run(request.timeout_global(Some(patience)).build())
            }
        };
        run.map_err(|error| error_text(&error))
    }
}

/// The configuration of every caller.
fn config(authorities_pem: Option<&[u8]>) -> Result<ConfigBuilder<AgentScope>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    if let Some(pem) = authorities_pem {
        tls = tls.root_certs(RootCerts::from(certificates(pem)?));
    }
    Ok(Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // CalDAV reads a collection by `REPORT`.
        .allow_non_standard_methods(true)
        // A proxy would look the name up itself, and the check would see the proxy's address alone.
        .proxy(None)
        .max_idle_age(Duration::from_secs(10))
        .user_agent(concat!("assent/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build()))
}

pub(super) fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, String> {
    let wrong = || "the file holds no certificate in PEM".to_owned();
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|_| wrong())? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(wrong()) } else { Ok(found) }
}

/// Looks names up as usual, and lets only addresses through that may be called.
#[derive(Debug)]
struct Guarded {
    egress: Egress,
}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let is_plain = uri.scheme_str() == Some("http");
        let mut allowed = self.empty();
        let mut refused: Option<IpAddr> = None;
        for address in found.iter() {
            let ip = address.ip();
            // Calls that leave the operator's own network use TLS.
            let may = if is_plain {
                self.egress.names(ip)
            } else {
                self.egress.allows(ip)
            };
            if may {
                allowed.push(*address);
            } else {
                refused = Some(ip);
            }
        }
        match refused {
            // One address inside among several outside is how a name is bent to point inside: none is taken.
            Some(ip) => Err(refusal(ip, is_plain)),
            None => Ok(allowed),
        }
    }
}

fn refusal(ip: IpAddr, is_plain: bool) -> ureq::Error {
    let text = if is_plain {
        format!("{ip} is not called over plain http; use https, or have the operator allow the address")
    } else {
        format!("{ip} lies inside, and the operator has not allowed it")
    };
    ureq::Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, text))
}

/// The error, without the address: it may hold a token of the receiver's.
pub(super) fn error_text(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::Io(inner) => inner.to_string(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "the name is unknown".to_owned(),
        ureq::Error::BadUri(_) => "the address is none".to_owned(),
        other => other.to_string(),
    };
    signal::SetAside::because(text).reason
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that sends these bytes to one request; returns its port and the request.
    fn one_answer(answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0_u8; 4_096];
            let count = stream.read(&mut bytes).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&bytes[..count]).into_owned()
        });
        (port, thread)
    }

    fn call(url: String) -> Call {
        Call {
            method: "POST",
            url,
            headers: vec![("x-one".to_owned(), "1".to_owned())],
            body: b"{}".to_vec(),
        }
    }

    #[test]
    fn an_address_inside_is_refused_by_number_and_by_name() {
        let caller = Caller::new(Egress::default(), None).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("https://127.0.0.1:{port}/"),
            format!("https://localhost:{port}/"),
            format!("https://[::ffff:127.0.0.1]:{port}/"),
            "https://169.254.169.254/latest/meta-data".to_owned(),
        ] {
            let why = caller.call(&call(url.clone())).unwrap_err();
            assert!(
                why.contains("lies inside") || why.contains("plain http"),
                "{url}: {why}"
            );
        }
        assert!(listener.accept().is_err(), "nobody knocked");
    }

    #[test]
    fn an_allowed_address_is_called_and_its_redirect_is_not_followed() {
        let caller = Caller::new(Egress::parse(&["127.0.0.1".to_owned()]).unwrap(), None).unwrap();
        let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nRetry-After: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let (port, thread) = one_answer(answer);
        let tracing = caller.tracing(Some("00-4b-00-01".to_owned()));
        let found = tracing.call(&call(format!("http://127.0.0.1:{port}/hook"))).unwrap();
        assert_eq!((found.status, found.retry_after_seconds), (302, Some(7)));
        assert!(!found.is_taken() && !found.is_busy());
        let asked = thread.join().unwrap();
        assert!(asked.starts_with("POST /hook HTTP/1.1"), "{asked}");
        assert!(asked.to_lowercase().contains("x-one: 1"), "{asked}");
        assert!(asked.to_lowercase().contains("traceparent: 00-4b-00-01"), "{asked}");
    }

    #[test]
    fn a_call_prints_no_header_and_no_address() {
        let text = format!("{:?}", call("https://example.org/token".to_owned()));
        assert!(!text.contains("token"), "{text}");
    }
}
