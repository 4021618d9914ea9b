//! Sends mails to a foreign server, Python's aiosmtpd, and reads back the received ones.
//!
//! Run with `--features foreign` and `ASSENT_TEST_PYTHON` naming a Python interpreter for which
//! `pip install aiosmtpd` was done.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use connect::notify::mail::{Letter, Message, Party, message};
use connect::socket::{SendError, SmtpConfig, TlsMode};
use serde_json::{Value, json};

fn send_mail(config: &SmtpConfig, message: &Message) -> Result<(), SendError> {
    connect::socket::send_mail(config, message, &|| Duration::MAX)
}

struct Receiver {
    child: Child,
    out: BufReader<ChildStdout>,
    port: u16,
}

impl Receiver {
    fn start(arguments: &[&str]) -> Self {
        let python = std::env::var_os("ASSENT_TEST_PYTHON")
            .expect("ASSENT_TEST_PYTHON must name a Python interpreter that has aiosmtpd");
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/smtp_receiver.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the receiver did not start");
        let port = said["port"].as_u64().unwrap().try_into().unwrap();
        Self { child, out, port }
    }

    fn config(&self, tls: TlsMode) -> SmtpConfig {
        let host = if tls == TlsMode::None { "127.0.0.1" } else { "localhost" };
        let mut config = SmtpConfig::new(host, self.port, tls);
        config.timeout = Duration::from_secs(20);
        config
    }

    /// Ends the server and gives all mails that it took.
    fn received(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A certificate for `localhost` in files of their own, which go away with it.
struct Certificate {
    folder: PathBuf,
    pem: String,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("assent-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let it = Self {
            folder,
            pem: made.cert.pem(),
        };
        std::fs::write(it.path("cert.pem"), &it.pem).unwrap();
        std::fs::write(it.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        it
    }

    fn path(&self, file: &str) -> String {
        self.folder.join(file).to_str().unwrap().to_owned()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn letter(subject: &str, text: &str) -> Letter {
    Letter {
        from: Party {
            name: "Assent".to_owned(),
            address: "assent@example.org".to_owned(),
        },
        to: Party {
            name: "Žofie, \"the\" Owner".to_owned(),
            address: "owner@example.net".to_owned(),
        },
        reply_to: None,
        unsubscribe: None,
        subject: subject.to_owned(),
        text: text.to_owned(),
        message_id: "0197f3a2-mail.1@assent.example.org".to_owned(),
        written_at: "2026-01-02T03:04:05Z".parse().unwrap(),
    }
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers
        .filter(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name))
        .map(|pair| pair[1].as_str().unwrap())
        .collect()
}

#[test]
fn letters_arrive_once_and_read_back_equal() {
    let long_line = "word ".repeat(400);
    let letters = [
        letter("CHG-7 waits for you", "Hello,\n\nplease look.\n"),
        letter(
            "Änderung „CHG-7“ wartet 🚦 auf Sie, und dieser Betreff ist sehr viel länger als eine Zeile",
            "Grüße\n",
        ),
        letter("dots", ".\n..\n.leading\nFrom the start\n.\n"),
        letter("long", &format!("{long_line}\nend\n")),
        letter("ends without a line feed", "a\tb = c"),
        letter("", "\n"),
        letter("=20 =C3 equal signs", "=20 a=b\n=\n"),
    ];
    let receiver = Receiver::start(&["plain"]);
    let mut config = receiver.config(TlsMode::None);
    config.own_name = Some("assent.example.org".to_owned());
    for it in &letters {
        send_mail(&config, &message(it).unwrap()).unwrap();
    }
    let mails = receiver.received();
    assert_eq!(mails.len(), letters.len());
    for (mail, sent) in mails.iter().zip(&letters) {
        assert_eq!(mail["envelope_from"], "assent@example.org");
        assert_eq!(mail["envelope_to"], json!(["owner@example.net"]));
        assert_eq!(mail["hello"], "assent.example.org");
        assert_eq!(mail["from"], json!([["Assent", "assent@example.org"]]));
        assert_eq!(mail["to"], json!([[sent.to.name, "owner@example.net"]]));
        assert_eq!(header(mail, "Subject"), [sent.subject.as_str()]);
        assert_eq!(header(mail, "Message-ID"), ["<0197f3a2-mail.1@assent.example.org>"]);
        assert_eq!(header(mail, "Auto-Submitted"), ["auto-generated"]);
        assert_eq!(header(mail, "Date"), ["Fri, 02 Jan 2026 03:04:05 +0000"]);
        // A mail's last line always ends; nothing else may differ.
        let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(text.trim_end_matches('\n'), sent.text.trim_end_matches('\n'));
    }
}

#[test]
fn what_tries_to_inject_arrives_as_mere_text() {
    let mut it = letter(
        "Hi\r\nBcc: eve@example.org\r\n\r\nbody",
        "x\r\n.\r\nMAIL FROM:<eve@example.org>\r\n",
    );
    it.from.name = "A\r\nBcc: eve@example.org".to_owned();
    it.to.name = "B>, <eve@example.org".to_owned();
    let receiver = Receiver::start(&["plain"]);
    send_mail(&receiver.config(TlsMode::None), &message(&it).unwrap()).unwrap();
    let mails = receiver.received();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["envelope_to"], json!(["owner@example.net"]));
    assert_eq!(
        mails[0]["from"],
        json!([["A Bcc: eve@example.org", "assent@example.org"]])
    );
    assert_eq!(mails[0]["to"], json!([["B>, <eve@example.org", "owner@example.net"]]));
    assert_eq!(header(&mails[0], "Bcc"), Vec::<&str>::new());
    assert_eq!(header(&mails[0], "Subject"), ["Hi Bcc: eve@example.org body"]);
    assert!(
        mails[0]["text"]
            .as_str()
            .unwrap()
            .contains("MAIL FROM:<eve@example.org>")
    );
}

#[test]
fn tls_is_used_with_a_trusted_authority_and_refused_without() {
    for (mode, tls) in [("starttls", TlsMode::Starttls), ("implicit", TlsMode::Implicit)] {
        let certificate = Certificate::new(mode);
        let receiver = Receiver::start(&[mode, &certificate.path("cert.pem"), &certificate.path("key.pem")]);
        let it = message(&letter("over TLS", "x\n")).unwrap();
        let mut config = receiver.config(tls);
        let refused = send_mail(&config, &it).unwrap_err();
        assert!(refused.temporary, "{refused:?}");
        assert!(refused.text.to_lowercase().contains("certificate"), "{refused:?}");
        config.authority_pem = Some(certificate.pem.clone());
        config.login = Some("robot".to_owned());
        config.password = Some("right".to_owned());
        send_mail(&config, &it).unwrap();
        let mails = receiver.received();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0]["is_encrypted"], true);
        assert_eq!(mails[0]["login"], "robot");
    }
}

#[test]
fn starttls_is_never_given_up_for_plain_text() {
    let receiver = Receiver::start(&["plain"]);
    let it = message(&letter("secret", "x\n")).unwrap();
    let error = send_mail(&receiver.config(TlsMode::Starttls), &it).unwrap_err();
    assert!(error.text.to_lowercase().contains("tls"), "{error:?}");
    assert_eq!(receiver.received(), Vec::<Value>::new());
}

#[test]
fn a_wrong_password_is_temporary_and_sends_nothing() {
    let receiver = Receiver::start(&["plain"]);
    let mut config = receiver.config(TlsMode::None);
    config.login = Some("robot".to_owned());
    config.password = Some("wrong".to_owned());
    let error = send_mail(&config, &message(&letter("x", "x\n")).unwrap()).unwrap_err();
    assert!(error.temporary, "{error:?}");
    assert!(!error.text.contains("wrong"), "{error:?}");
    assert_eq!(receiver.received(), Vec::<Value>::new());
}

#[test]
fn the_server_s_answer_says_whether_to_try_again() {
    for (answer, temporary) in [("answer=451 try later", true), ("answer=554 no such mail here", false)] {
        let receiver = Receiver::start(&[answer]);
        let it = message(&letter("x", "x\n")).unwrap();
        let error = send_mail(&receiver.config(TlsMode::None), &it).unwrap_err();
        assert_eq!(error.temporary, temporary, "{error:?}");
        let words = answer.split_once(' ').unwrap().1;
        assert!(error.text.contains(words), "{error:?}");
        assert_eq!(receiver.received(), Vec::<Value>::new());
    }
}

#[test]
fn what_a_server_does_not_offer_is_told_apart_from_what_it_cannot_take() {
    let receiver = Receiver::start(&["bare"]);
    let mut config = receiver.config(TlsMode::None);
    let mut it = letter("x", "x\n");
    it.to.address = "žofie@example.net".to_owned();
    let error = send_mail(&config, &message(&it).unwrap()).unwrap_err();
    assert!(!error.temporary, "{error:?}");
    config.login = Some("robot".to_owned());
    config.password = Some("right".to_owned());
    let error = send_mail(&config, &message(&letter("x", "x\n")).unwrap()).unwrap_err();
    assert!(error.temporary, "{error:?}");
    assert_eq!(receiver.received(), Vec::<Value>::new());
}

#[test]
fn an_address_beyond_ascii_arrives_where_the_server_takes_it() {
    let receiver = Receiver::start(&["plain"]);
    let mut it = letter("x", "x\n");
    it.to.address = "žofie@example.net".to_owned();
    send_mail(&receiver.config(TlsMode::None), &message(&it).unwrap()).unwrap();
    let mails = receiver.received();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["envelope_to"], json!(["žofie@example.net"]));
}
