//! The address of a mail server, as settings write it.

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// TLS after STARTTLS, insisted on.
    StartTls,
    /// None.
    Plain,
}

/// A mail server, as settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account's login.
    pub login: Option<String>,
    /// How the connection is protected.
    pub protection: Protection,
}

impl MailAddress {
    /// Reads `smtps://HOST`, `smtp://LOGIN@HOST:PORT`, `smtp+plain://HOST`.
    ///
    /// # Errors
    /// The accepted forms.
    pub fn parse(url: &str) -> std::result::Result<Self, String> {
        let help = || "write smtps://HOST, smtp://LOGIN@HOST:PORT or smtp+plain://HOST".to_owned();
        let (scheme, rest) = url.split_once("://").ok_or_else(help)?;
        let (protection, usual) = match scheme {
            "smtps" => (Protection::Implicit, 465),
            "smtp" => (Protection::StartTls, 587),
            "smtp+plain" => (Protection::Plain, 25),
            _ => return Err(help()),
        };
        let rest = rest.trim_end_matches('/');
        let (login, place) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(login, place)| (Some(login.to_owned()), place));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| help())?),
            None => (place, usual),
        };
        if host.is_empty() || host.contains(['/', ' ']) {
            return Err(help());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            login,
            protection,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_mail_server_is_named_by_an_address() {
        let full = MailAddress::parse("smtp://bob@x.example@mail.example:2525/").unwrap();
        assert_eq!(
            (full.host.as_str(), full.port, full.login.as_deref()),
            ("mail.example", 2525, Some("bob@x.example"))
        );
        assert_eq!(full.protection, Protection::StartTls);
        assert_eq!(MailAddress::parse("smtps://mail.example").unwrap().port, 465);
        assert_eq!(
            MailAddress::parse("smtp+plain://127.0.0.1").unwrap().protection,
            Protection::Plain
        );
        for wrong in [
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://mail.example:port",
            "smtp://@",
        ] {
            assert!(MailAddress::parse(wrong).is_err(), "{wrong}");
        }
    }
}
