//! The same calls in the shapes of the `http` crate, as the library for OpenID Connect makes them: under the one guard of
//! [`super::call`], without redirects, with bounded responses.

use openidconnect::{HttpRequest, HttpResponse};

use super::call::{ANSWER_MAX_BYTES, Caller, error_text};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct HttpError {
    /// A text for the person who set the address up.
    pub text: String,
}

/// A client for calls to identity providers. Clones share it.
#[derive(Clone)]
pub struct Http {
    caller: Caller,
}

impl Http {
    /// A client that goes where the caller may go.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// Sends a request and reads the whole response, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`] with the host and the error; never with the content of the request.
    pub fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let wrong = |error: ureq::Error| HttpError {
            text: format!("`{host}` cannot be asked: {}", error_text(&error)),
        };
        let mut answer = self.caller.agent().run(request).map_err(wrong)?;
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX_BYTES)
            .read_to_vec()
            .map_err(wrong)?;
        let (parts, _) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::net::TcpListener;

    use super::super::egress::Egress;
    use super::*;

    #[test]
    fn the_own_network_is_called_only_where_it_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ask = |egress: Egress, host: &str| {
            let uri = format!("http://{host}:{}/", address.port());
            let request = openidconnect::http::Request::builder()
                .uri(uri)
                .body(Vec::new())
                .unwrap();
            Http::new(Caller::new(egress, None).unwrap()).call(request)
        };
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
            let error = ask(Egress::default(), host).unwrap_err();
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
        let allowed = Egress::parse(&["127.0.0.0/8".to_owned()]).unwrap();
        let answer = ask(allowed, "127.0.0.1").unwrap();
        served.join().unwrap();
        // A redirect is returned as a response and is not followed.
        assert_eq!(
            (answer.status().as_u16(), answer.body().as_slice()),
            (302, b"ok".as_slice())
        );
    }
}
