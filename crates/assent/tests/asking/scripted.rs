//! A server with the responses that each test needs, and the program that calls it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedRequest {
    pub(crate) line: String,
    pub(crate) headers: String,
    pub(crate) body: Value,
}

/// A server that serves one request after the other, in order, and then returns the requests.
pub(crate) struct Scripted {
    pub(crate) address: String,
    thread: JoinHandle<Vec<ReceivedRequest>>,
}

pub(crate) type Answer = (u16, &'static str, Value);

impl Scripted {
    pub(crate) fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let one = |answer: Answer| answer_one(&mut listener.accept().unwrap().0, &answer);
            answers.into_iter().map(one).collect()
        });
        Self { address, thread }
    }

    /// Runs the program against this server; returns its output and its requests.
    pub(crate) fn run(self, words: &[&str]) -> (Output, Vec<ReceivedRequest>) {
        self.run_in(&[], words)
    }

    /// The same, where these variables are set; `{server}` is this server's address.
    pub(crate) fn run_in(self, variables: &[(&str, &str)], words: &[&str]) -> (Output, Vec<ReceivedRequest>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assent"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ASSENT_")) {
            command.env_remove(name);
        }
        command
            .env("ASSENT_SERVER", &self.address)
            .env("ASSENT_TOKEN", "ast_test");
        command.envs(
            variables
                .iter()
                .map(|(name, value)| (name, value.replace("{server}", &self.address))),
        );
        let output = command.args(words).output().unwrap();
        // A program with fewer requests than expected must fail the test, not block it for ever.
        let place = self.address.trim_start_matches("http://").to_owned();
        while !self.thread.is_finished() && TcpStream::connect(&place).is_ok() {
            std::thread::yield_now();
        }
        (output, self.thread.join().unwrap())
    }
}

fn answer_one(stream: &mut TcpStream, (status, headers, body): &Answer) -> ReceivedRequest {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let length = lines.iter().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length:")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    let mut bytes = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut bytes).unwrap();
    let kind = if *status < 400 {
        "application/json"
    } else {
        "application/problem+json"
    };
    let text = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    ReceivedRequest {
        line: lines.first().cloned().unwrap_or_default(),
        headers: lines[1..].join("\n").to_lowercase(),
        body: serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))),
    }
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
