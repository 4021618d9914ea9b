//! A vendor's desk announces maintenance by mail, and hears the result of each letter.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::letters::Letters;
use tests::{Place, Server};

use crate::notify::told::{hand_on, mailbox, start};
use crate::platform::crash::{must_replay, must_verify};

const DESK: &str = "noc@hosts.example";

fn letter(from: &str, to: &str, id: &str, words: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: Storage maintenance\r\nMessage-ID: <{id}@hosts.example>\r\n\r\n{words}\r\n"
    )
}

fn notices(server: &Server) -> Vec<Value> {
    let list = server.must("GET", "/api/v1/vendor-notices", &server.token("owner"), None);
    list["items"].as_array().unwrap().clone()
}

#[test]
fn a_vendor_announces_maintenance_by_mail_and_hears_what_came_of_it() {
    let place = Place::demo("vendor-mail");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let admin = server.token("admin");
    let vendor = json!({"key": "hosts", "name": "Northern Hosts", "services": ["label-print"], "contacts": [DESK]});
    server.must("POST", "/api/v1/vendors", &admin, Some(&vendor));
    let path = "/api/v1/vendors/hosts/notice-address";
    let (status, _) = server.ask("POST", path, Some(&admin), Some(&json!({})));
    assert_eq!(status, 409, "no mail is taken yet");
    let mailbox = mailbox(&server);
    server.must("POST", path, &admin, Some(&json!({})));
    let sent = || letters.to(DESK, "Where to send notices of maintenance");
    eventually("the desk has the address", || !sent().is_empty());
    let text = sent().remove(0).text();
    let address = text.lines().map(str::trim).find(|line| line.starts_with("assent+"));
    let address = address.expect("the letter names the address").to_owned();
    let words = "Reference: NH-7\r\nServices: label-print\r\nStart: 2041-12-02 20:00 UTC\r\nEnd: 2041-12-02 23:00 UTC\r\n\
                 Impact: outage\r\nDisks of row 4 are replaced.";
    let stranger = letter("eve@mail.example", &address, "n0", &words.replace("NH-7", "NH-8"));
    assert_eq!(hand_on(&server, &mailbox, &stranger), Some(202));
    assert_eq!(
        hand_on(&server, &mailbox, &letter(DESK, &address, "n1", words)),
        Some(202)
    );
    eventually("the desk hears that it is recorded", || {
        !letters.to(DESK, "NH-7 is recorded").is_empty()
    });
    let found = notices(&server);
    assert_eq!(found.len(), 1, "a stranger announces nothing: {found:?}");
    assert_eq!(
        (&found[0]["reference"], &found[0]["impact"]),
        (&json!("NH-7"), &json!("outage"))
    );
    assert_eq!(
        found[0]["unacknowledged"],
        json!(["label-print"]),
        "nobody approves it; its owner acknowledges it"
    );
    assert_eq!(
        hand_on(
            &server,
            &mailbox,
            &letter(DESK, &address, "n2", "Reference: NH-9\r\nServices: label-print")
        ),
        Some(202)
    );
    eventually("the desk hears what is missing", || {
        let said = letters.to(DESK, "Your notice was not recorded");
        said.iter().any(|letter| letter.text().contains("it lacks Start, End"))
    });
    assert_eq!(notices(&server).len(), 1);
    assert!(letters.to("eve@mail.example", "").is_empty());
    must_replay(&place);
    must_verify(&server);
}
