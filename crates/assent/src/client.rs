//! A blocking client of the server's REST API. With `kube` the one place of the command line that opens connections.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::common::Common;
use crate::failure::{Failure, Result, read_file, read_text};

/// The largest response that is read.
const MAX_ANSWER_BYTES: u64 = 1 << 30;

/// The largest decision that is read: a gate's response has a few kilobytes.
const MAX_DECISION_BYTES: u64 = 1 << 20;

/// A server and the credential for it.
pub struct Client {
    server: String,
    token: Option<String>,
    /// A session's cookie, when a person signed in.
    session: Option<String>,
    agent: Agent,
}

/// The server's successful response, 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The record's ETag.
    pub etag: Option<String>,
    /// The tenant of the credential, where the response names it.
    pub tenant: Option<String>,
    /// The body, null when there is none.
    pub body: Value,
}

impl Client {
    /// A client for the server and credential that were named.
    ///
    /// # Errors
    /// When the address is invalid, or plain http would carry the credential off this machine.
    pub fn new(common: &Common) -> Result<Self> {
        Self::with_patience(common, Duration::from_secs(common.timeout))
    }

    /// The same, with another patience than the command line's.
    ///
    /// # Errors
    /// When the address is invalid, or plain http would carry the credential off this machine.
    pub fn with_patience(common: &Common, patience: Duration) -> Result<Self> {
        let server = common.server.trim_end_matches('/').to_owned();
        check_address(&server, common.insecure_http)?;
        let agent = agent(common.ca_cert.as_deref(), patience)?;
        let mut client = Self {
            server,
            token: None,
            session: None,
            agent,
        };
        match &common.as_person {
            Some(person) => client.sign_in(person, &common.as_password, common.as_code.as_deref())?,
            None => client.token = common.credential()?,
        }
        Ok(client)
    }

    /// Signs in as a person and gives a fresh factor at once.
    fn sign_in(&mut self, person: &str, password_file: &str, code: Option<&str>) -> Result<()> {
        let (tenant, login) = person
            .split_once('/')
            .ok_or_else(|| Failure::could_not("Write --as TENANT/LOGIN."))?;
        let text = read_text(password_file)?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(Failure::could_not(format!(
                "No password of {person} came: --as-password FILE names where it stands, `-` for standard input."
            )));
        }
        let body = serde_json::json!({"tenant": tenant, "login": login, "password": password});
        let bytes = ("application/json", body.to_string().into_bytes());
        let response = self.raw("POST", "/api/v1/session", Some(bytes), &[])?;
        let cookie = response
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.split(';').next())
            .map(str::to_owned);
        read_response(response).map_err(|failure| as_person(failure, person))?;
        self.session = cookie;
        self.post("/session/step-up", &shown(password, code))?;
        Ok(())
    }

    /// The server's address, without a slash at the end.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// GET of a path under `/api/v1`.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, None, &[])
    }

    /// POST of a JSON body to a path under `/api/v1`.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send("POST", path, Some(body), &[])
    }

    /// DELETE of a path under `/api/v1`.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.send("DELETE", path, None, &[])
    }

    /// DELETE with a body.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn delete_with(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send("DELETE", path, Some(body), &[])
    }

    /// PATCH or PUT on the condition that nobody was faster than `etag`.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn conditional(&self, method: &str, path: &str, body: &Value, etag: &str) -> Result<Answer> {
        self.send(method, path, Some(body), &[("If-Match", etag)])
    }

    /// Any method on a path under `/api/v1`, with headers.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Result<Answer> {
        let bytes = body.map(|body| ("application/json", body.to_string().into_bytes()));
        let response = self.raw(method, &format!("/api/v1{path}"), bytes, headers)?;
        read_response(response)
    }

    /// POST of a multipart form with one file.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn upload(&self, path: &str, fields: &[(&str, String)], name: &str, file: &[u8]) -> Result<Answer> {
        let (kind, bytes) = form(fields, name, file);
        let response = self.raw("POST", &format!("/api/v1{path}"), Some((&kind, bytes)), &[])?;
        read_response(response)
    }

    /// Exchanges a token of a pipeline's platform for one of this server (RFC 8693).
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn exchange(&self, tenant: &str, token: &str) -> Result<Value> {
        let form = format!(
            "grant_type={}&subject_token_type={}&subject_token={}",
            encode("urn:ietf:params:oauth:grant-type:token-exchange"),
            encode("urn:ietf:params:oauth:token-type:jwt"),
            encode(token)
        );
        let body = ("application/x-www-form-urlencoded", form.into_bytes());
        let response = self.raw("POST", &format!("/t/{}/token", encode(tenant)), Some(body), &[])?;
        read_response(response).map(|answer| answer.body)
    }

    /// POST of a delivery as it came to a connection's own route. The credential is the connection's secret.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn deliver(&self, connection: &str, kind: &str, bytes: Vec<u8>) -> Result<Answer> {
        let path = format!("/hooks/{}", encode(connection));
        read_response(self.raw("POST", &path, Some((kind, bytes)), &[])?)
    }

    /// Queries the gate at a path under `/api/v1`. Only a response with the header `Assent-Decision` is a decision.
    ///
    /// # Errors
    /// The server's refusal where nothing was decided, or why the request failed.
    pub fn decision(&self, path: &str, door: &str) -> Result<Value> {
        let mut response = self.raw("GET", &format!("/api/v1{path}"), None, &[("Assent-Gateway", door)])?;
        if !response.headers().contains_key("assent-decision") {
            return Err(refused(response));
        }
        let bytes = response
            .body_mut()
            .with_config()
            .limit(MAX_DECISION_BYTES)
            .read_to_vec();
        let bytes = bytes.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|_| no_json())
    }

    /// The bytes at a path of the server, `None` when they are not there.
    ///
    /// # Errors
    /// The server's refusal, or why the request failed.
    pub fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let mut response = self.raw("GET", path, None, &[])?;
        if response.status() == 404 {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(refused(response));
        }
        let bytes = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
        bytes.map(Some).map_err(|error| self.unreachable(&error))
    }

    /// Writes the resource at a path under `/api/v1` into a sink as it arrives; returns the number of bytes.
    ///
    /// # Errors
    /// The server's refusal, why the request failed, or that the download broke off: the written bytes are then incomplete.
    pub fn download(&self, path: &str, sink: &mut impl std::io::Write) -> Result<u64> {
        let mut response = self.raw("GET", &format!("/api/v1{path}"), None, &[])?;
        if !response.status().is_success() {
            return Err(refused(response));
        }
        let mut source = response.body_mut().as_reader();
        std::io::copy(&mut source, sink)
            .map_err(|error| Failure::could_not(format!("The answer broke off and is not whole: {error}.")))
    }

    fn raw(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
        headers: &[(&str, &str)],
    ) -> Result<Response<ureq::Body>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server));
        request = request.header("Accept", "application/json, application/problem+json, */*");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(cookie) = &self.session {
            // A session's request names the server's own address as its origin, as a page's would.
            request = request.header("Cookie", cookie).header("Origin", &self.server);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let wrong = |error: ureq::http::Error| Failure::could_not(format!("The request cannot be made: {error}."));
        let answer = match body {
            Some((kind, bytes)) => self
                .agent
                .run(request.header("Content-Type", kind).body(bytes).map_err(wrong)?),
            None => self.agent.run(request.body(()).map_err(wrong)?),
        };
        answer.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let why = match error {
            ureq::Error::Timeout(_) => "it did not answer in time; --timeout gives it longer".to_owned(),
            other => other.to_string(),
        };
        let text = format!("{} cannot be asked: {why}.", self.server);
        Failure::could_not(match error {
            ureq::Error::Timeout(_) => text,
            _ => format!("{text} --server or ASSENT_SERVER says where the server is."),
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.session.is_some() {
            // It would end by itself; ending it now leaves less to steal.
            let _ = self.delete("/session");
        }
    }
}

/// A refused sign-in with the person's name: a token would not mend it.
fn as_person(failure: Failure, person: &str) -> Failure {
    match failure {
        Failure::Refused { status, mut problem } if problem.is_object() => {
            problem["as"] = Value::from(person);
            Failure::Refused { status, problem }
        }
        other => other,
    }
}

/// A blocking agent that never follows a redirect: a credential belongs to one server.
pub(crate) fn agent(authority: Option<&str>, timeout: Duration) -> Result<Agent> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    if let Some(path) = authority {
        tls = tls.root_certs(RootCerts::from(certificates(path)?));
    }
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(timeout))
        .user_agent(concat!("assent/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build();
    Ok(config.new_agent())
}

fn certificates(path: &str) -> Result<Vec<Certificate<'static>>> {
    let bytes = read_file(path)?;
    let wrong = || Failure::could_not(format!("`{path}` holds no certificate in PEM."));
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&bytes) {
        if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|_| wrong())? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(wrong()) } else { Ok(found) }
}

/// Plain http carries the credential for everybody on the way to read, so it may not leave this machine.
pub(crate) fn check_address(server: &str, is_insecure_fine: bool) -> Result<()> {
    let wrong = || {
        Failure::could_not(format!(
            "`{server}` is no address of a server; write https://assent.example"
        ))
    };
    let (scheme, rest) = server.split_once("://").ok_or_else(wrong)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains('@') {
        return Err(wrong());
    }
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback || is_insecure_fine => Ok(()),
        "http" => Err(Failure::could_not(format!(
            "`{server}` would carry the credential in plain sight. Use https, or --insecure-http if the way is safe."
        ))),
        _ => Err(wrong()),
    }
}

fn read_response(mut response: Response<ureq::Body>) -> Result<Answer> {
    if !response.status().is_success() {
        return Err(refused(response));
    }
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let (etag, tenant) = (header("etag"), header("assent-tenant"));
    let text = response
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER_BYTES)
        .read_to_string();
    let text = text.map_err(|error| Failure::could_not(format!("The answer broke off: {error}.")))?;
    let body = if text.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).map_err(|_| no_json())?
    };
    Ok(Answer {
        status,
        etag,
        tenant,
        body,
    })
}

/// The response is not from an Assent server, so the server is not down: a bad gateway (RFC 9110, section 15.6.3).
fn no_json() -> Failure {
    Failure::Refused {
        status: 502,
        problem: serde_json::json!({"detail": "The answer is no JSON; is this an Assent server?"}),
    }
}

fn refused(mut response: Response<ureq::Body>) -> Failure {
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(1 << 20)
        .read_to_string()
        .unwrap_or_default();
    let problem = serde_json::from_str(&text)
        .unwrap_or_else(|_| serde_json::json!({"detail": format!("The server answered {status} without saying why.")}));
    Failure::Refused { status, problem }
}

/// A multipart form (RFC 7578). The boundary occurs in none of the parts.
fn form(fields: &[(&str, String)], name: &str, file: &[u8]) -> (String, Vec<u8>) {
    let occurs = |mark: &str| {
        file.windows(mark.len()).any(|part| part == mark.as_bytes()) || fields.iter().any(|(_, it)| it.contains(mark))
    };
    let boundary = (0_u64..)
        .map(|n| format!("assent-part-{n}"))
        .find(|mark| !occurs(mark))
        .unwrap_or_default();
    let mut bytes = Vec::new();
    for (field, value) in fields {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
        bytes.extend_from_slice(head.as_bytes());
    }
    let safe: String = name
        .chars()
        .map(|c| {
            if c == '"' || c == '\\' || c.is_control() {
                '_'
            } else {
                c
            }
        })
        .collect();
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{safe}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(file);
    bytes.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), bytes)
}

/// The fresh factor: digits are a code of an authenticator, anything else is a recovery code.
fn shown(password: &str, code: Option<&str>) -> Value {
    match code {
        None => serde_json::json!({"password": password}),
        Some(code) if code.bytes().all(|byte| byte.is_ascii_digit()) => serde_json::json!({"code": code}),
        Some(code) => serde_json::json!({"recovery_code": code}),
    }
}

/// Percent-encodes a text for a path or query (RFC 3986, section 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    model::core::percent::encoded(text)
}

/// A query of those fields that have a value, with its question mark; empty when none has.
#[must_use]
pub fn query(fields: &[(&str, Option<&str>)]) -> String {
    let set = fields
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?))));
    let joined = set.collect::<Vec<_>>().join("&");
    if joined.is_empty() {
        joined
    } else {
        format!("?{joined}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for fine in [
            "https://a.example",
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:80",
        ] {
            assert!(check_address(fine, false).is_ok(), "{fine}");
        }
        for wrong in [
            "http://a.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
        ] {
            assert!(check_address(wrong, false).is_err(), "{wrong}");
            assert!(check_address(wrong, true).is_ok(), "{wrong}");
        }
        for none in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "http://localhost@a.example",
        ] {
            assert!(check_address(none, true).is_err(), "{none}");
        }
    }

    #[test]
    fn what_goes_into_an_address_is_encoded() {
        assert_eq!(encode("a b/ü&c~"), "a%20b%2F%C3%BC%26c~");
        assert_eq!(query(&[("a", None), ("b", None)]), "");
        assert_eq!(
            query(&[("a", Some("1 2")), ("b", None), ("c", Some("x"))]),
            "?a=1%202&c=x"
        );
    }

    #[test]
    fn a_form_has_a_boundary_that_stands_in_no_part() {
        let (kind, bytes) = form(&[("kind", "junit".into())], "a\"b.xml", b"--assent-part-0 inside");
        assert_eq!(kind, "multipart/form-data; boundary=assent-part-1");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("--assent-part-1\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\njunit\r\n"));
        assert!(text.contains("filename=\"a_b.xml\""));
        assert!(text.ends_with("\r\n--assent-part-1--\r\n"));
    }
}
