//! A mail server on 127.0.0.1 that keeps every letter (as much of RFC 5321 as a sender needs), or is silent or busy.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A letter as it came.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Heads and text, with line feeds.
    pub raw: String,
}

impl Letter {
    /// A head, unfolded; empty when it is not there.
    pub fn head(&self, name: &str) -> String {
        let heads = self.raw.split("\n\n").next().unwrap_or_default().replace("\n ", " ");
        let wanted = format!("{}:", name.to_lowercase());
        let found = heads.lines().find(|line| line.to_lowercase().starts_with(&wanted));
        found.map_or_else(String::new, |line| line[wanted.len()..].trim().to_owned())
    }

    /// The text below the heads, with soft line breaks (RFC 2045 section 6.7) taken out.
    pub fn text(&self) -> String {
        let text = self.raw.split_once("\n\n").map_or("", |(_, text)| text);
        text.replace("=\n", "")
    }

    /// The addresses in it that lead to a server, without its name.
    pub fn links(&self, server: &str) -> BTreeSet<String> {
        let text = self.text().replace("=3D", "=");
        let words = text.split(|it: char| it.is_whitespace() || matches!(it, '<' | '>' | '"' | '(' | ')'));
        let found = words.filter_map(|word| word.strip_prefix(server));
        found.map(|path| path.trim_end_matches(['.', ',']).to_owned()).collect()
    }
}

/// The server's behaviour for new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It takes letters.
    Taking,
    /// It listens and never responds.
    Silent,
    /// It greets and never comes to the end of its greeting (RFC 5321, section 4.2.1).
    Talking,
    /// It requests a retry later (RFC 5321, section 4.2.3, code 421).
    Busy,
}

/// The server; it responds as long as the test runs.
pub struct Letters {
    /// Its port.
    pub port: u16,
    kept: Arc<Mutex<Vec<Letter>>>,
    manner: Arc<Mutex<Manner>>,
}

impl Letters {
    /// Starts one that takes letters.
    pub fn start() -> Self {
        Self::start_as(Manner::Taking)
    }

    /// Starts one with a behaviour.
    pub fn start_as(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let keeps = kept.clone();
        let manner = Arc::new(Mutex::new(manner));
        let mannered = manner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (keeps, manner) = (keeps.clone(), *mannered.lock().unwrap());
                std::thread::spawn(move || match manner {
                    Manner::Taking => take(stream, &keeps),
                    Manner::Silent => listen(stream),
                    Manner::Talking => talk(stream),
                    Manner::Busy => put_off(stream),
                });
            }
        });
        Self { port, kept, manner }
    }

    /// Changes the behaviour for new connections.
    pub fn turn(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// A file of settings in a folder, by which a server sends its letters here.
    pub fn settings(&self, folder: &Path) -> PathBuf {
        let settings = folder.join("mail.toml");
        let text = format!(
            "smtp = \"smtp+plain://127.0.0.1:{}\"\nsmtp_from = \"assent@halden.example\"\n",
            self.port
        );
        std::fs::write(&settings, text).unwrap();
        settings
    }

    /// All letters so far.
    pub fn all(&self) -> Vec<Letter> {
        self.kept.lock().unwrap().clone()
    }

    /// Those to an address whose subject holds a text.
    pub fn to(&self, address: &str, subject: &str) -> Vec<Letter> {
        let is_it = |letter: &Letter| letter.head("To").contains(address) && letter.head("Subject").contains(subject);
        self.all().into_iter().filter(is_it).collect()
    }
}

/// Listens to one client, until it leaves.
fn listen(mut stream: TcpStream) {
    let mut heard = [0_u8; 64];
    while stream.read(&mut heard).is_ok_and(|count| count > 0) {}
}

/// Goes on for as long as somebody listens.
fn talk(mut stream: TcpStream) {
    while stream.write_all(b"220-One moment\r\n").is_ok() {
        std::thread::park_timeout(Duration::from_secs(1));
    }
}

fn put_off(mut stream: TcpStream) {
    // A client that left already needs no response.
    let _ = stream.write_all(b"421 too many of you\r\n");
}

fn take(stream: TcpStream, kept: &Mutex<Vec<Letter>>) {
    let mut answers = stream.try_clone().unwrap();
    // A sender that was killed is gone, which is no fault here.
    let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    if !say("220 test") {
        return;
    }
    let (mut raw, mut is_data) = (String::new(), false);
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if is_data && line == "." {
            is_data = false;
            kept.lock().unwrap().push(Letter {
                raw: std::mem::take(&mut raw),
            });
            say("250 taken");
        } else if is_data {
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            raw.push('\n');
        } else if line.starts_with("DATA") {
            is_data = true;
            say("354 go on");
        } else if line.starts_with("QUIT") {
            say("221 bye");
            return;
        } else {
            say("250 ok");
        }
    }
}
