//! A change by mail: a letter from a known person to their own address is one draft, with its files, and nothing more; a
//! stranger, a forger, a program and another person get no draft and no informative reply.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::letters::{Letter, Letters};
use tests::{Place, Server};

use crate::notify::told::{hand_on, login, mailbox, start};
use crate::platform::crash::{must_replay, must_verify};

const PLAN: &str = "Stop the queue, swap the labels, start the queue.";

/// A letter with a file of a known kind and one of another.
fn letter(from: &str, to: &str, id: &str, more: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: Fwd: Swap the labels\r\nMessage-ID: <{id}@mail.example>\r\n{more}\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe old ones smear. I approve it.\r\n\r\nService: label-print\r\n\
         Environment: production\r\nWhy: They come off\r\nStart: soon\r\n\
         --b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"../plan.txt\"\r\n\r\n{PLAN}\r\n\
         --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"run.sh\"\r\n\r\nrm -rf /\r\n--b--\r\n"
    )
}

fn address_of(server: &Server, role: &str) -> String {
    let path = format!("/api/v1/people/{}/telling", login(server, role));
    let found = server.must("GET", &path, &server.token(role), None);
    found["change_address"].as_str().unwrap().to_owned()
}

/// The drafts with the letter's title.
fn drafts(server: &Server) -> Vec<Value> {
    let found = server.must("GET", "/api/v1/changes?limit=200", &server.token("auditor"), None);
    let items = found["items"].as_array().unwrap().iter();
    items
        .filter(|change| change["title"] == "Swap the labels")
        .cloned()
        .collect()
}

#[test]
fn a_letter_of_a_known_person_is_one_draft_and_nobody_elses() {
    let place = Place::demo("by_mail");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let path = format!("/api/v1/people/{}/telling", login(&server, "requester"));
    let before = server.must("GET", &path, &server.token("requester"), None);
    assert!(before["change_address"].is_null(), "no mail is taken yet");
    let mailbox = mailbox(&server);
    let own = address_of(&server, "requester");
    let others = server.must("GET", &path, &server.token("admin"), None);
    assert!(others["change_address"].is_null(), "nobody else reads it");
    let mail_of = |role: &str| format!("{}@halden.example", login(&server, role));
    let requester = mail_of("requester");

    send_what_drafts_nothing(&server, &mailbox, &own, &mail_of("owner"));
    eventually("the person hears that another wrote to their address", || {
        !letters.to(&requester, "was not taken").is_empty()
    });
    assert_eq!(letters.to(&requester, "was not taken").len(), 1, "once a day");
    assert!(drafts(&server).is_empty());
    assert!(
        letters.to("eve@mail.example", "").is_empty(),
        "a stranger learns nothing"
    );

    for _ in 0..2 {
        let taken = hand_on(&server, &mailbox, &letter(&requester, &own, "m9", ""));
        assert!(taken.is_some_and(|status| status < 300), "{taken:?}");
    }
    eventually("the writer is answered", || {
        !letters.to(&requester, "is drafted from your letter").is_empty()
    });
    let found = drafts(&server);
    assert_eq!(found.len(), 1, "a letter that comes again is one draft");
    must_be_the_letter(&server, &found[0]);
    must_say_what_is_missing(&letters.to(&requester, "is drafted from your letter"), &found[0]);
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// A stranger and another known person who know the address, an address that was changed, a program, and a wrong secret.
fn send_what_drafts_nothing(server: &Server, mailbox: &(String, String), own: &str, owner: &str) {
    let stranger = letter("eve@mail.example", own, "m1", "");
    assert_eq!(hand_on(server, mailbox, &stranger), Some(202));
    assert_eq!(hand_on(server, mailbox, &letter(owner, own, "m2", "")), Some(202));
    let at = own.find('@').unwrap();
    let swapped = if own[..at].ends_with('a') { "b" } else { "a" };
    let forged = format!("{}{swapped}{}", &own[..at - 1], &own[at..]);
    let requester = format!("{}@halden.example", login(server, "requester"));
    assert_eq!(
        hand_on(server, mailbox, &letter(&requester, &forged, "m3", "")),
        Some(202)
    );
    let program = letter(&requester, own, "m4", "Auto-Submitted: auto-replied\r\n");
    assert_eq!(hand_on(server, mailbox, &program), Some(202));
    let plain = letter(&requester, "assent@halden.example", "m5", "");
    assert_eq!(
        hand_on(server, mailbox, &plain),
        Some(202),
        "`From` alone makes nothing"
    );
    let wrong = (mailbox.0.clone(), "another-secret-of-enough-length".to_owned());
    assert_eq!(hand_on(server, &wrong, &letter(&requester, own, "m6", "")), Some(401));
}

fn must_be_the_letter(server: &Server, found: &Value) {
    let (key, token) = (found["key"].as_str().unwrap(), server.token("requester"));
    let path = format!("/api/v1/changes/{key}");
    let change = server.must("GET", &path, &token, None);
    assert_eq!(change["state"], "draft");
    assert_eq!(change["requester"], json!(login(server, "requester")), "{change}");
    assert_eq!(change["justification"], "They come off");
    assert_eq!(change["targets"][0]["service"], "label-print");
    assert!(
        change["description"]
            .as_str()
            .unwrap()
            .starts_with("The old ones smear.")
    );
    let approvals = server.must("GET", &format!("{path}/approvals"), &token, None);
    assert!(
        approvals["items"].as_array().unwrap().is_empty(),
        "nothing is decided by mail"
    );
    let evidence = server.must("GET", &format!("{path}/evidence"), &token, None);
    let evidence = evidence["items"].as_array().unwrap();
    assert_eq!(evidence.len(), 1, "{evidence:?}");
    assert_eq!(
        (&evidence[0]["name"], &evidence[0]["result"]),
        (&json!("plan.txt"), &json!("informational"))
    );
    let file = format!("{path}/evidence/{}/file", evidence[0]["id"].as_str().unwrap());
    let (status, bytes) = server.get(&file, Some(&token));
    assert_eq!((status, String::from_utf8_lossy(&bytes).trim()), (200, PLAN));
}

fn must_say_what_is_missing(answers: &[Letter], found: &Value) {
    assert_eq!(answers.len(), 1, "one answer to one letter");
    let answer = &answers[0];
    assert_eq!(answer.head("Auto-Submitted"), "auto-generated");
    assert!(!answer.head("Reply-To").contains('+'), "nothing answers an answer");
    let text = answer.text();
    for words in [
        found["key"].as_str().unwrap(),
        "a planned start",
        "run.sh",
        "Nothing is decided by mail",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
