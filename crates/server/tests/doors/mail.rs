//! Letters: sent by a worker to a mail server, or kept where there is none.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};

use connect::socket::{SmtpConfig, TlsMode};
use model::change::related_records::Message;
use serde_json::json;
use server::Smtp;
use store::queue::job;
use store::record::{self, Filter};

use crate::world::World;

/// Takes one letter by SMTP (RFC 5321) and returns its text.
fn take_letter(stream: TcpStream, letters: &Sender<String>) {
    let mut answers = stream.try_clone().unwrap();
    let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    say("220 test");
    let mut text = String::new();
    let mut is_data = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if is_data {
            is_data = line != ".";
            text.push_str(&line);
            text.push('\n');
            if !is_data {
                say("250 taken");
                let _ = letters.send(std::mem::take(&mut text));
            }
            continue;
        }
        match line.split(' ').next().unwrap_or_default() {
            "DATA" => {
                is_data = true;
                say("354 go on");
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok"),
        }
    }
}

fn deliveries(world: &World) -> Vec<(String, String)> {
    let found = world.act(|cx| Ok(record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    found
        .into_iter()
        .map(|it| (it.record.topic, it.record.delivery))
        .collect()
}

#[test]
fn whoever_is_asked_gets_a_letter() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, letters) = channel();
    std::thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|stream| take_letter(stream, &send))
    });
    let world = World::with(|settings| {
        let server = SmtpConfig::new("127.0.0.1", port, TlsMode::None);
        let from = "assent@example.org".to_owned();
        settings.smtp = Some(Smtp { server, from });
    });
    let tag = world.get("adam", "/people/oscar").header("etag").to_owned();
    let mend = world
        .as_person("adam", "PATCH", "/people/oscar")
        .header("if-match", &tag);
    mend.json(&json!({"email": "oscar@example.org"})).send().expect(200);
    let key = world.draft();
    world.schedule(&key);
    let told = letters.recv().unwrap();
    assert!(told.contains("Your mail address was changed"), "{told}");
    let letter = letters.recv().unwrap();
    assert!(letter.contains("To: oscar") && letter.contains(&key), "{letter}");
    assert!(letter.contains("Auto-Submitted: auto-generated"));
    while !deliveries(&world).iter().any(|(_, delivery)| delivery == "mailed") {}
}

#[test]
fn without_a_mail_server_messages_are_kept() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let waiting = || world.act(|cx| Ok(job::list(cx.tx, "waiting", 1)?.len()));
    while waiting() > 0 {}
    let told = deliveries(&world);
    assert!(!told.is_empty());
    assert!(told.iter().all(|(_, delivery)| delivery == "kept"), "{told:?}");
}
