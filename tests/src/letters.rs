//! A mail server on 127.0.0.1 that keeps every letter (as much of RFC 5321 as a sender needs).

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

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

    /// What stands below the heads, with soft line breaks (RFC 2045 section 6.7) taken out.
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

/// The server; it takes letters as long as the test runs.
pub struct Letters {
    /// Its port.
    pub port: u16,
    kept: Arc<Mutex<Vec<Letter>>>,
}

impl Letters {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let keeps = kept.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let keeps = keeps.clone();
                std::thread::spawn(move || take(stream, &keeps));
            }
        });
        Self { port, kept }
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
