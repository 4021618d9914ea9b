//! Emergency cards through the real program, without a server: a use that a card does not allow is refused and recorded.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use proof::crypto::SigningKey;
use proof::emergency::{self, Card};
use proof::jwks::{Jwk, Jwks};
use proof::revocation::RevocationList;
use serde_json::Value;

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("emergency-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let keys = Jwks {
            tenant: "acme".to_owned(),
            keys: vec![Jwk::new(*key().public())],
        };
        std::fs::write(path.join("keys"), keys.to_json().to_string()).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a card that is valid between these seconds from now.
    fn card(&self, name: &str, from: i64, to: i64) {
        let now = assent::clock::now().as_second();
        let card = Card {
            jti: name.to_owned(),
            tenant: "acme".to_owned(),
            iat: now + from,
            nbf: now + from,
            exp: now + to,
            services: vec!["pay".to_owned()],
            environment: "production".to_owned(),
            uses: 1,
            signers: vec!["ada".to_owned(), "ben".to_owned()],
        };
        std::fs::write(self.0.join(name), emergency::sign(&card, &key()).unwrap()).unwrap();
    }

    /// Queries the gate with further arguments; the exit code and the code of the response, or the error.
    fn ask(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assent"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ASSENT_")) {
            command.env_remove(name);
        }
        let record = self.file("record");
        command
            .args([
                "gate",
                "check",
                "--json",
                "--service",
                "pay",
                "--environment",
                "production",
            ])
            .args([
                "--commit",
                "6dcb09b",
                "--by",
                "ivo",
                "--reason",
                "Dark.",
                "--emergency-record",
            ])
            .arg(record);
        let done = command.args(words).output().unwrap();
        let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        let said = told["detail"].as_str().or(told["code"].as_str()).unwrap_or_default();
        (done.status.code().unwrap(), said.to_owned())
    }

    fn by_card(&self, name: &str, more: &[&str]) -> (i32, String) {
        let (card, keys) = (self.file(name), self.file("keys"));
        let mut words = vec!["--emergency-card", &card, "--keys", &keys];
        words.extend(more);
        self.ask(&words)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed([3; 32]).unwrap()
}

#[test]
fn a_card_is_refused_outside_of_its_limits_and_every_try_is_recorded() {
    let folder = Folder::new("limits");
    folder.card("good", -60, 3_600);
    folder.card("expired", -7_200, -3_600);
    folder.card("early", 3_600, 7_200);
    folder.card("lost", -60, 3_600);
    let list = RevocationList {
        tenant: Some("acme".to_owned()),
        epoch: 1,
        issued_at: 1_795_000_000,
        next_update: 1_795_000_060,
        revoked: vec!["lost".to_owned()],
        not_before: Vec::new(),
    };
    std::fs::write(folder.file("list"), list.sign(&key()).unwrap()).unwrap();
    assert_eq!(folder.by_card("good", &[]), (0, "good".to_owned()));
    for (name, code) in [("good", "used_up"), ("expired", "expired"), ("early", "not_yet_valid")] {
        assert_eq!(folder.by_card(name, &[]), (1, code.to_owned()), "{name}");
    }
    let list = folder.file("list");
    assert_eq!(
        folder.by_card("lost", &["--revocations", &list]),
        (1, "revoked".to_owned())
    );
    assert_eq!(folder.ask(&["--without-card"]), (1, "no_card".to_owned()));
    let record = emergency::read(&std::fs::read_to_string(folder.file("record")).unwrap()).unwrap();
    let codes: Vec<&str> = record.lines.iter().map(|line| line.code.as_str()).collect();
    assert_eq!(
        (record.broken_at, codes),
        (
            None,
            vec!["good", "used_up", "expired", "not_yet_valid", "revoked", "no_card"]
        )
    );
}

#[test]
fn a_record_that_is_edited_cut_or_ahead_of_the_clock_lets_nothing_through() {
    let folder = Folder::new("record");
    folder.card("good", -60, 3_600);
    assert_eq!(folder.ask(&["--without-card"]).0, 1);
    assert_eq!(folder.ask(&["--without-card"]).0, 1);
    let whole = std::fs::read_to_string(folder.file("record")).unwrap();
    let mut lines = emergency::read(&whole).unwrap().lines;
    for (text, why) in [
        (whole.replacen("ivo", "eve", 1), "does not follow"),
        (
            whole.lines().skip(1).map(|row| format!("{row}\n")).collect(),
            "does not follow",
        ),
        (whole.trim_end().to_owned(), "was cut"),
        (whole[..whole.len() - 20].to_owned(), "cannot be continued"),
    ] {
        std::fs::write(folder.file("record"), text).unwrap();
        let (code, said) = folder.by_card("good", &[]);
        assert!(code == 2 && said.contains(why), "{code} {said}");
    }
    let mut last = lines.pop().unwrap();
    last.at += 7_200;
    lines.push(last.sealed().unwrap());
    let rows = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n");
    std::fs::write(folder.file("record"), rows.collect::<String>()).unwrap();
    let (code, said) = folder.by_card("good", &[]);
    assert!(code == 2 && said.contains("clock"), "{code} {said}");
}
