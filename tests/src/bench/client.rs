//! A small blocking HTTP client for load: one kept connection, requests as ready bytes, responses with a declared length.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The longest pause within a response; a waiting gate check responds after a minute at the latest.
const PATIENCE: Duration = Duration::from_secs(90);
/// The longest response that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// One kept connection to a server on this machine.
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, of a response that must be 2xx.
    pub fn json(&self) -> Result<Value> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!((200..300).contains(&self.status), "answered {}: {text}", self.status);
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {text}"))
    }
}

impl Connection {
    /// Connects. Load goes to this machine alone, so another address is refused.
    pub fn open(address: SocketAddr) -> Result<Self> {
        ensure!(address.ip().is_loopback(), "{address} is not on this machine");
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            address,
            stream,
            buffer: Vec::with_capacity(16 << 10),
        })
    }

    /// Opens it anew where the server closed it in a long pause.
    pub fn keep_open(&mut self) -> Result<()> {
        if !self.is_open() {
            *self = Self::open(self.address)?;
        }
        Ok(())
    }

    /// Whether the server has not closed it while it was idle.
    fn is_open(&self) -> bool {
        let silent = || {
            self.stream.set_nonblocking(true)?;
            let peeked = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            peeked
        };
        matches!(silent(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Sends a request as [`request`] made it and reads the whole response.
    pub fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let body_at = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..body_at]).into_owned();
        let (status, length) = read_head(&head)?;
        ensure!(length <= LONGEST, "an answer of {length} bytes");
        while self.buffer.len() < body_at + length {
            self.read_more()?;
        }
        ensure!(
            self.buffer.len() == body_at + length,
            "more bytes than declared:\n{head}"
        );
        Ok(Answer {
            status,
            body: self.buffer[body_at..].to_vec(),
        })
    }

    fn read_more(&mut self) -> Result<()> {
        let mut bytes = [0; 16 << 10];
        let count = self.stream.read(&mut bytes)?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        self.buffer.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}

/// The status and the body's length.
fn read_head(head: &str) -> Result<(u16, usize)> {
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    let length = head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let (Some(status), Some(length)) = (status, length) else {
        bail!("an answer without status or length:\n{head}");
    };
    Ok((status, length))
}

/// A request as bytes, made once and sent often.
pub fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    if let Some(token) = token {
        text.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    let body = body.map(Value::to_string);
    if let Some(body) = &body {
        text.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    text.push_str("\r\n");
    text.push_str(&body.unwrap_or_default());
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_head_tells_status_and_length_in_any_case() {
        let head = "HTTP/1.1 403 Forbidden\r\nassent-decision: stop\r\nContent-LENGTH: 12\r\n\r\n";
        assert_eq!(read_head(head).unwrap(), (403, 12));
        assert!(read_head("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_connection_that_the_server_closed_is_not_open() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection::open(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(connection.is_open());
        drop(server);
        // The end of the connection arrives a moment after it was sent.
        while connection.is_open() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn only_this_machine_is_asked() {
        assert!(Connection::open(SocketAddr::from(([192, 0, 2, 1], 80))).is_err());
    }
}
