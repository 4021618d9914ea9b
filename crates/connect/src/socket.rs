//! The only module that opens sockets. All calls block, so they belong on a worker's thread, never on the server's own.

pub mod call;
pub mod egress;
pub mod http;
pub mod stream;

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use model::integration::signal;

use crate::notify::mail::Message;

/// How to reach the mail server.
#[derive(Clone)]
pub struct SmtpConfig {
    /// Its name or address; with TLS, the name in its certificate.
    pub host: String,
    /// Its port, by custom 25, 465 (implicit TLS) or 587 (STARTTLS).
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// The account's login, if the server wants one.
    pub login: Option<String>,
    /// The account's password. It is never printed.
    pub password: Option<String>,
    /// One or more certificates (PEM) of an own authority, trusted besides the public ones.
    pub authority_pem: Option<String>,
    /// How we introduce ourselves (EHLO): this server's own domain name.
    pub own_name: Option<String>,
    /// The longest wait for each single step: to connect, to read, to write.
    pub timeout: Duration,
}

impl SmtpConfig {
    /// The default time limit of each step. RFC 5321 section 4.5.3.2 names minutes; a worker that serves others cannot wait so
    /// long.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// A server without login and with the usual timeout.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16, tls: TlsMode) -> Self {
        Self {
            host: host.into(),
            port,
            tls,
            login: None,
            password: None,
            authority_pem: None,
            own_name: None,
            timeout: Self::DEFAULT_TIMEOUT,
        }
    }
}

impl fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all: for a relay on the same machine or a trusted network.
    None,
    /// Begins in the clear and must turn to TLS; without it nothing is sent.
    Starttls,
    /// TLS from the first byte.
    Implicit,
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// Whether trying the same message again later may help. It may where the server, the net or
    /// our configuration is at fault, and does not where the server refuses this very message.
    pub temporary: bool,
    /// The error, with the server's own text where it gave any.
    pub text: String,
}

/// How long a server that has taken a letter may take to close the session.
const GOODBYE: Duration = Duration::from_secs(2);

/// Sends one message over a connection of its own. `left` returns how long the whole may still take. When it returns without
/// error, the server has taken the responsibility for the message. After an error the server may still have it (the connection
/// broke before the response), so a second try must carry the same message id.
///
/// # Errors
/// [`SendError`]; also where a login is set but the connection would show it to others.
pub fn send_mail(config: &SmtpConfig, message: &Message, left: &dyn Fn() -> Duration) -> Result<(), SendError> {
    let credentials = credentials(config)?;
    let tls = tls(config)?;
    let name = config.own_name.clone().map_or_else(ClientId::default, ClientId::Domain);
    let failed = |error: Error| SendError {
        temporary: match error.status() {
            Some(code) => is_temporary(code.into()),
            None => !(error.is_client() && needs_smtputf8(message)),
        },
        text: describe(&error),
    };
    let place = (config.host.as_str(), config.port);
    let wrapper = tls.as_ref().filter(|_| config.tls == TlsMode::Implicit);
    // Two addresses, a handshake, the greeting and EHLO.
    let patience = step(config, left, 5)?;
    let mut connection = SmtpConnection::connect(place, Some(patience), &name, wrapper, None).map_err(failed)?;
    let wait = |connection: &mut SmtpConnection, steps: u32| {
        let set = connection.set_timeout(Some(step(config, left, steps)?));
        set.map_err(|error| passing(error.to_string()))
    };
    if let Some(tls) = tls.as_ref().filter(|_| config.tls == TlsMode::Starttls) {
        wait(&mut connection, 3)?;
        connection.starttls(tls, &name).map_err(failed)?;
    }
    if let Some(credentials) = &credentials {
        wait(&mut connection, 3)?;
        connection.auth(DEFAULT_MECHANISMS, credentials).map_err(failed)?;
    }
    // MAIL, RCPT, DATA, and the message.
    wait(&mut connection, 4)?;
    connection
        .send(message.envelope(), &message.formatted())
        .map_err(failed)?;
    // The server has the letter, whatever happens to the connection.
    let _ = connection.set_timeout(Some(GOODBYE));
    connection.abort();
    Ok(())
}

/// How long each of the next steps may take, so that all of them end in time.
fn step(config: &SmtpConfig, left: &dyn Fn() -> Duration, steps: u32) -> Result<Duration, SendError> {
    let share = config.timeout.min(left() / steps);
    if share.is_zero() {
        return Err(passing("the mail server took too long".to_owned()));
    }
    Ok(share)
}

/// An error that a retry may solve.
fn passing(text: String) -> SendError {
    SendError { temporary: true, text }
}

fn credentials(config: &SmtpConfig) -> Result<Option<Credentials>, SendError> {
    let (Some(login), Some(password)) = (&config.login, &config.password) else {
        return Ok(None);
    };
    if config.tls == TlsMode::None && !is_this_machine(&config.host) {
        return Err(misconfigured("a login to another machine needs TLS"));
    }
    Ok(Some(Credentials::new(login.clone(), password.clone())))
}

fn tls(config: &SmtpConfig) -> Result<Option<TlsParameters>, SendError> {
    if config.tls == TlsMode::None {
        return Ok(None);
    }
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.authority_pem {
        let authority = Certificate::from_pem(pem.as_bytes()).map_err(misconfigured)?;
        parameters = parameters.add_root_certificate(authority);
    }
    parameters.build_rustls().map(Some).map_err(misconfigured)
}

/// A mail must not be lost because a setting is wrong for an hour, so these errors are temporary.
fn misconfigured(what: impl fmt::Display) -> SendError {
    passing(format!("the mail server's configuration cannot be used: {what}"))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// 5xx refuses the message for good, except where the code is about our login (RFC 4954 section 6): with a corrected password
/// the same message gets through.
fn is_temporary(code: u16) -> bool {
    matches!(code, 530 | 534 | 535 | 538) || !(500..600).contains(&code)
}

/// Whether the server must take addresses beyond ASCII. This is the only property of a message that the library itself refuses;
/// its other refusals depend on the server's offers or on our configuration, and may change.
fn needs_smtputf8(message: &Message) -> bool {
    let envelope = message.envelope();
    envelope
        .to()
        .iter()
        .chain(envelope.from())
        .any(|address| !address.to_string().is_ascii())
}

/// The error and all its causes on one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    signal::SetAside::because(text).reason
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::net::TcpListener;

    use super::*;
    use crate::notify::mail::{Letter, Party, message};

    fn send_mail(config: &SmtpConfig, message: &Message) -> Result<(), SendError> {
        super::send_mail(config, message, &|| Duration::MAX)
    }

    fn any_message() -> Message {
        let party = |address: &str| Party {
            name: String::new(),
            address: address.to_owned(),
        };
        message(&Letter {
            from: party("a@example.org"),
            to: party("b@example.org"),
            reply_to: None,
            unsubscribe: None,
            subject: "x".to_owned(),
            text: "x".to_owned(),
            message_id: "a@b".to_owned(),
            written_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        })
        .unwrap()
    }

    #[test]
    fn codes_say_whether_to_try_again() {
        for code in [421, 450, 451, 452, 454, 530, 534, 535, 538] {
            assert!(is_temporary(code), "{code}");
        }
        for code in [500, 521, 550, 552, 553, 554, 556] {
            assert!(!is_temporary(code), "{code}");
        }
    }

    #[test]
    fn nobody_at_home_is_temporary() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let config = SmtpConfig::new("127.0.0.1", port, TlsMode::None);
        let error = send_mail(&config, &any_message()).unwrap_err();
        assert!(error.temporary, "{error:?}");
    }

    #[test]
    fn a_silent_server_is_given_up_after_the_timeout() {
        // The listener takes the connection into its backlog and never sends a byte.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for tls in [TlsMode::None, TlsMode::Starttls, TlsMode::Implicit] {
            let mut config = SmtpConfig::new("127.0.0.1", port, tls);
            config.timeout = Duration::from_millis(50);
            let error = send_mail(&config, &any_message()).unwrap_err();
            assert!(error.temporary, "{error:?}");
        }
    }

    #[test]
    fn a_letter_whose_time_is_over_is_kept_whatever_a_single_step_may_take() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = SmtpConfig::new("127.0.0.1", listener.local_addr().unwrap().port(), TlsMode::None);
        assert_eq!(config.timeout, SmtpConfig::DEFAULT_TIMEOUT);
        let left = |milliseconds: u64| move || Duration::from_millis(milliseconds);
        let error = super::send_mail(&config, &any_message(), &left(0)).unwrap_err();
        assert!(error.temporary && error.text.contains("took too long"), "{error:?}");
        assert_eq!(step(&config, &left(400), 4).unwrap(), Duration::from_millis(100));
        // The listener takes the connection into its backlog and never sends a byte.
        let error = super::send_mail(&config, &any_message(), &left(250)).unwrap_err();
        assert!(error.temporary, "{error:?}");
    }

    #[test]
    fn a_password_is_neither_printed_nor_sent_in_the_clear() {
        let mut config = SmtpConfig::new("mail.example.org", 25, TlsMode::None);
        config.login = Some("robot".to_owned());
        config.password = Some("hush hush".to_owned());
        assert!(!format!("{config:?}").contains("hush"));
        let error = send_mail(&config, &any_message()).unwrap_err();
        assert!(error.text.contains("needs TLS"), "{error:?}");
        assert!(["127.0.0.1", "::1", "localhost"].into_iter().all(is_this_machine));
        assert!(!["localhost.example.org", "10.0.0.1"].into_iter().any(is_this_machine));
    }

    #[test]
    fn an_authority_that_is_none_is_told() {
        let mut config = SmtpConfig::new("127.0.0.1", 465, TlsMode::Implicit);
        config.authority_pem = Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_owned());
        let error = send_mail(&config, &any_message()).unwrap_err();
        assert!(error.text.contains("configuration"), "{error:?}");
    }
}
