//! A foreign server on 127.0.0.1: it returns the test's responses and keeps the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A request that it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Sent {
    /// A header's value, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Its response: the status and a body.
pub type Answers = dyn Fn(&Sent) -> (u16, Vec<u8>) + Send + Sync;

/// The server. It ends when it is dropped.
pub struct Outside {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    port: u16,
    sent: Arc<Mutex<Vec<Sent>>>,
    is_over: Arc<AtomicBool>,
}

impl Outside {
    /// Starts one with responses from the closure.
    pub fn start(answers: impl Fn(&Sent) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::begin(true, answers)
    }

    /// Starts one that keeps nothing but the closure's own data, for more than fits in memory.
    pub fn start_forgetful(answers: impl Fn(&Sent) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::begin(false, answers)
    }

    /// Starts one with responses of bytes.
    pub fn start_bytes(answers: impl Fn(&Sent) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        Self::begin_bytes(true, answers)
    }

    fn begin(keeps: bool, answers: impl Fn(&Sent) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::begin_bytes(keeps, move |sent| {
            let (status, body) = answers(sent);
            let text = if body.is_null() {
                String::new()
            } else {
                body.to_string()
            };
            (status, text.into_bytes())
        })
    }

    fn begin_bytes(keeps: bool, answers: impl Fn(&Sent) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (kept, over, answers): (_, _, Arc<Answers>) = (sent.clone(), is_over.clone(), Arc::new(answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (kept, answers) = (kept.clone(), answers.clone());
                std::thread::spawn(move || serve(stream.unwrap(), keeps.then_some(&kept), answers.as_ref()));
            }
        });
        let url = format!("http://127.0.0.1:{port}");
        Self {
            url,
            port,
            sent,
            is_over,
        }
    }

    /// All that it was sent so far, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Waits for a request that the closure accepts, and returns it.
    pub fn wait_for(&self, what: &str, likes: impl Fn(&Sent) -> bool) -> Sent {
        let found = crate::held::awaited(|| self.sent().into_iter().find(|one| likes(one)));
        found.unwrap_or_else(|| panic!("never came: {what}; there were {:#?}", self.sent()))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // The thread waits for one more knock before it looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: TcpStream, kept: Option<&Mutex<Vec<Sent>>>, answers: &Answers) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(sent) = read(&mut reader) {
        let (status, body) = answers(&sent);
        if let Some(kept) = kept {
            kept.lock().unwrap().push(sent);
        }
        let more = match status {
            302 => "Location: /elsewhere\r\n",
            429 => "Retry-After: 1\r\n",
            _ => "",
        };
        let head = format!(
            "HTTP/1.1 {status} It\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Sent> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut sent = Sent {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length: usize = sent.header("content-length").parse().unwrap_or(0);
    sent.body = vec![0; length];
    reader.read_exact(&mut sent.body).ok()?;
    Some(sent)
}

/// Bytes in base64, as command lines carry them.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let word = part.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= part.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// How GitHub signs a delivery (`X-Hub-Signature-256`): HMAC-SHA256 over the body, in hexadecimal digits.
pub fn github_signature(secret: &str, body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}
