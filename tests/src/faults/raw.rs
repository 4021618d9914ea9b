//! Raw HTTP: heads and bodies that no client library would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a read may wait before the test has failed: far longer than any patience of the server's.
const LONGEST: Duration = Duration::from_secs(90);

/// A connection to a server at `http://…`.
///
/// # Panics
/// When nobody listens there.
pub fn connect(url: &str) -> TcpStream {
    let address = url.trim_start_matches("http://");
    let stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(LONGEST))
        .expect("a socket takes a timeout");
    stream
        .set_write_timeout(Some(LONGEST))
        .expect("a socket takes a timeout");
    stream
}

/// The head of a request, without the empty line that ends it.
pub fn head(method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: assent\r\nConnection: close\r\n");
    if let Some(token) = token {
        text.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text
}

/// Sends as much as the server takes; a server that has responded and closed takes no more, which is no fault.
pub fn send(stream: &mut TcpStream, pieces: &[&[u8]]) {
    for piece in pieces {
        if stream.write_all(piece).is_err() {
            return;
        }
    }
}

/// Reads, in spite of signals to this process.
///
/// # Errors
/// The stream's, but for interruptions.
pub fn read(stream: &mut TcpStream, piece: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match stream.read(piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The status that the server returns; `None` when it ends the connection without a response.
///
/// # Panics
/// When it does neither.
pub fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut seen = Vec::new();
    let mut piece = [0_u8; 64];
    while seen.len() < 12 {
        match read(stream, &mut piece) {
            Ok(0) => return None,
            Ok(length) => seen.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("the server neither answers nor hangs up: {error}"),
        }
    }
    let text = String::from_utf8_lossy(&seen[9..12]).into_owned();
    Some(text.parse().expect("a status has three digits"))
}

/// Reads until the server has hung up.
///
/// # Panics
/// When it does not.
pub fn until_the_end(stream: &mut TcpStream) {
    let mut piece = [0_u8; 256];
    loop {
        match read(stream, &mut piece) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("the server does not hang up: {error}"),
        }
    }
}

/// Sends a whole request and returns its status.
pub fn ask(url: &str, head: &str, pieces: &[&[u8]]) -> Option<u16> {
    let mut stream = connect(url);
    send(&mut stream, &[head.as_bytes(), b"\r\n"]);
    send(&mut stream, pieces);
    status(&mut stream)
}
