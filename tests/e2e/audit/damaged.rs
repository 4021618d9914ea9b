//! Files of evidence that were changed past the server: replay names each, nobody gets another one whole, and sending the right
//! one again mends it. A file that came twice is kept once.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tests::{Place, Server, on_postgres};

use crate::audit::tamper::{replay, run_sql};
use crate::platform::beside::beside;

/// How large each file is: two whole chunks of the database and a half.
const BYTES: usize = 5 << 19;

/// A file of its own for each number.
fn content(number: usize) -> Vec<u8> {
    let line = format!("file {number} was seen by 412 of 412\n");
    line.bytes().cycle().take(BYTES).collect()
}

/// One piece of evidence.
pub(crate) struct Sent {
    key: String,
    id: String,
    hex: String,
    /// The file's bytes.
    pub(crate) whole: Vec<u8>,
}

impl Sent {
    /// Sends a file as evidence of a change.
    pub(crate) fn new(server: &Server, key: &str, number: usize) -> Self {
        let whole = content(number);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &whole).unwrap();
        let done = Command::new("curl")
            .args(["-sS", "-f", "-H"])
            .arg(format!("Authorization: Bearer {}", server.token("requester")))
            .args(["-F", "kind=file", "-F", "aspect=functional", "-F", "result=passed"])
            .args(["-F", "environment=staging", "-F"])
            .arg(format!("file=@{}", file.path().display()))
            .arg(format!("{}/api/v1/changes/{key}/evidence", server.url))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let made: Value = serde_json::from_slice(&done.stdout).unwrap();
        let digest = proof::crypto::digest_text(&whole);
        assert_eq!(made["file_digest"], digest, "{made:#}");
        Self {
            key: key.to_owned(),
            id: made["id"].as_str().unwrap().to_owned(),
            hex: digest.trim_start_matches("sha256:").to_owned(),
            whole,
        }
    }

    /// Requests the file: how curl ended, the status, and the body.
    pub(crate) fn ask(&self, server: &Server) -> (Option<i32>, String, Vec<u8>) {
        let came = tempfile::NamedTempFile::new().unwrap();
        let done = Command::new("curl")
            .args(["-s", "-w", "%{http_code}", "-H"])
            .arg(format!("Authorization: Bearer {}", server.token("auditor")))
            .arg("-o")
            .arg(came.path())
            .arg(format!(
                "{}/api/v1/changes/{}/evidence/{}/file",
                server.url, self.key, self.id
            ))
            .output()
            .unwrap();
        let status = String::from_utf8(done.stdout).unwrap();
        (done.status.code(), status, std::fs::read(came.path()).unwrap())
    }
}

/// Where the file lies, on SQLite.
fn path_of(place: &Place, sent: &Sent) -> PathBuf {
    place.folder.path().join("evidence").join(&sent.hex)
}

/// How many files or chunks are kept.
fn kept(place: &Place) -> usize {
    if on_postgres() {
        let count = beside(place, "SELECT count(*) FROM evidence_chunk WHERE tenant = 'halden'");
        return count.trim().parse().unwrap();
    }
    std::fs::read_dir(place.folder.path().join("evidence")).unwrap().count()
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// Changes one file, cuts one, takes one away, and puts the parts of one into another order or adds to it. Returns the findings
/// that replay must report.
fn damage(place: &Place, sent: &[Sent]) -> Vec<String> {
    let [changed, cut, gone, odd] = [0, 1, 2, 3].map(|at| &sent[at]);
    let mut other = changed.whole.clone();
    other[(1 << 20) + 7] ^= 1;
    let digest = proof::crypto::digest_text(&other);
    let mut said = vec![format!("has another content: its digest is {digest}")];
    if !on_postgres() {
        write(&path_of(place, changed), &other);
        write(&path_of(place, cut), &cut.whole[..BYTES - 1]);
        std::fs::remove_file(path_of(place, gone)).unwrap();
        write(&path_of(place, odd), &[odd.whole.as_slice(), b"!"].concat());
        said.push(format!("is cut: {} of {BYTES} bytes are there", BYTES - 1));
        said.extend([
            "is gone".to_owned(),
            format!("has {} bytes, 1 more than were kept", BYTES + 1),
        ]);
        return said;
    }
    let of = |sent: &Sent| format!("tenant = 'halden' AND digest = '{}'", sent.hex);
    let byte = "set_byte(bytes, 7, get_byte(bytes, 7) # 1)";
    run_sql(
        place,
        &format!(
            "UPDATE evidence_chunk SET bytes = {byte} WHERE {} AND part = 1",
            of(changed)
        ),
    );
    run_sql(
        place,
        &format!("DELETE FROM evidence_chunk WHERE {} AND part = 2", of(cut)),
    );
    for table in ["evidence_chunk", "evidence_blob"] {
        run_sql(place, &format!("DELETE FROM {table} WHERE {}", of(gone)));
    }
    for (from, to) in [(0, 9), (1, 0), (9, 1)] {
        let part = format!(
            "UPDATE evidence_chunk SET part = {to} WHERE {} AND part = {from}",
            of(odd)
        );
        run_sql(place, &part);
    }
    let swapped = [
        &odd.whole[1 << 20..2 << 20],
        &odd.whole[..1 << 20],
        &odd.whole[2 << 20..],
    ]
    .concat();
    said.push(format!("is cut: {} of {BYTES} bytes are there", 2 << 20));
    said.push("is gone".to_owned());
    let digest = proof::crypto::digest_text(&swapped);
    said.push(format!("has another content: its digest is {digest}"));
    said
}

#[test]
fn a_damaged_file_of_evidence_is_named_by_replay_and_never_handed_out_whole() {
    let place = Place::demo("damaged");
    let server = Server::start(&place, true);
    let body = json!({"title": "With files", "targets": [{"service": "edge-dns", "environment": "production"}]});
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&body));
    let key = made["key"].as_str().unwrap();
    let before = kept(&place);
    let sent: Vec<Sent> = (0..5).map(|number| Sent::new(&server, key, number)).collect();
    let each = if on_postgres() { 3 } else { 1 };
    assert_eq!(kept(&place) - before, 5 * each);
    let again = Sent::new(&server, key, 4);
    assert_eq!(kept(&place) - before, 5 * each, "what came twice is kept once");
    server.stop();
    let (code, said) = replay(&place);
    assert_eq!(code, Some(0), "{said}");
    let wanted = damage(&place, &sent);
    let (code, said) = replay(&place);
    assert_eq!(code, Some(1), "{said}");
    for (sent, what) in sent.iter().zip(&wanted) {
        let line = format!(
            "evidence {} file: The file sha256:{} of {key} {what}.",
            sent.id, sent.hex
        );
        assert!(said.contains(&line), "{line}\n{said}");
    }
    assert_eq!(said.matches("  - ").count(), 4, "nothing else is wrong: {said}");
    let server = Server::start(&place, true);
    for (sent, is_there) in sent.iter().zip([true, true, false, true]) {
        let (end, status, came) = sent.ask(&server);
        if is_there {
            // The status was sent when the file began; 18 is curl's code for a body that broke off.
            assert_eq!((end, status.as_str()), (Some(18), "200"));
            assert!(came.len() < sent.whole.len(), "{} bytes came", came.len());
        } else {
            assert_eq!((end, status.as_str()), (Some(0), "404"));
        }
        let is_told = |line: &str| line.contains("is not the one that was kept") && line.contains(&sent.hex);
        assert!(server.log().lines().any(is_told), "{}", server.last_words());
    }
    for whole in [&sent[4], &again] {
        assert_eq!(whole.ask(&server), (Some(0), "200".to_owned(), whole.whole.clone()));
    }
    let figures = server.get("/metrics", None).1;
    let figures = String::from_utf8_lossy(&figures);
    assert!(figures.contains("assent_evidence_damaged_total 4"), "{figures}");
    for (number, damaged) in sent.iter().enumerate().take(4) {
        Sent::new(&server, key, number);
        assert_eq!(damaged.ask(&server), (Some(0), "200".to_owned(), damaged.whole.clone()));
    }
    server.stop();
    let (code, said) = replay(&place);
    assert_eq!(code, Some(0), "{said}");
}
