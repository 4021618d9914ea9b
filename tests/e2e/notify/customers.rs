//! A customer's letter: nothing internal in it, and its link opts the reader out and back in, without an account.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{SERVICE, approve, artifact, request, waiting_for_approval};
use tests::letters::Letters;
use tests::{Place, Server};

use crate::notify::told::start;
use crate::platform::crash::{must_replay, must_verify};

const CUSTOMER: &str = "ops@customer.example";

fn addresses(server: &Server, list: &str, field: &str) -> Value {
    let path = format!("/api/v1/customer-lists/{list}");
    let found = server.must("GET", &path, &server.token("change_manager"), None);
    found.get(field).cloned().unwrap_or_else(|| json!([]))
}

fn page(server: &Server, method: &str, path: &str) -> (u16, String) {
    let (status, body) = server.ask(method, path, None, None);
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Another code, and the same link of another tenant, are nowhere.
fn opens_nothing_else(server: &Server, link: &str) {
    let (letter_path, code) = link.rsplit_once('/').unwrap();
    let other = format!("{letter_path}/{}", code.chars().rev().collect::<String>());
    let elsewhere = link.replacen("/t/halden/", "/t/cartwell/", 1);
    for wrong in [other, elsewhere] {
        for method in ["GET", "POST"] {
            assert_eq!(page(server, method, &wrong).0, 404, "{method} {wrong}");
        }
    }
}

#[test]
fn a_customer_is_told_in_public_words_and_opts_out_by_the_link() {
    let place = Place::demo("customers");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let manager = server.token("change_manager");
    let list =
        json!({"key": "buyers", "name": "Difficult buyers", "services": [SERVICE], "mail_addresses": [CUSTOMER]});
    let list = server.must("POST", "/api/v1/customer-lists", &manager, Some(&list));
    let list = list["id"].as_str().unwrap().to_owned();
    assert_eq!(
        server.get("/api/v1/customer-lists", Some(&server.token("requester"))).0,
        403
    );
    let plan = json!({"key": "buyers", "name": "Buyers", "audiences": ["customers"], "stages": ["announced"],
        "subject_en": "{stage}: {services}", "text_en": "{start} to {end}: {disruption}."});
    server.must("POST", "/api/v1/communication-plans", &manager, Some(&plan));

    let new = artifact(512);
    let wanted = request(
        "Vault of Hansen",
        &new,
        server.server_time() + SignedDuration::from_hours(2),
    );
    let path = waiting_for_approval(&server, &wanted, &new);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    let key = path.rsplit('/').next().unwrap().to_owned();
    eventually("the customer has a letter", || {
        !letters.to(CUSTOMER, "Announced").is_empty()
    });
    let letter = letters.to(CUSTOMER, "Announced").remove(0);
    for internal in ["Hansen", "Difficult", &key] {
        assert!(!letter.raw.contains(internal), "{internal} is in {}", letter.raw);
    }
    let link = letter.links(&server.url).pop_first().expect("a link to opt out");
    assert!(letter.head("List-Unsubscribe").contains(&link), "{}", letter.raw);

    let (status, seen) = page(&server, "GET", &link);
    assert!(status == 200 && seen.contains("No more letters"), "{status} {seen}");
    assert_eq!(
        addresses(&server, &list, "mail_addresses"),
        json!([CUSTOMER]),
        "looking changes nothing"
    );
    for _ in 0..2 {
        let (status, seen) = page(&server, "POST", &link);
        assert!(status == 200 && seen.contains("Get letters again"), "{status} {seen}");
    }
    assert_eq!(addresses(&server, &list, "opted_out_addresses"), json!([CUSTOMER]));
    let back = json!({"mail_addresses": [CUSTOMER]});
    let own = format!("/api/v1/customer-lists/{list}");
    let (status, said) = server.ask_with("PATCH", &own, Some(&manager), Some(&back), &[("If-Match", "*")]);
    assert!(
        status == 422 && String::from_utf8_lossy(&said).contains("opted_out"),
        "{status}"
    );
    let (status, _) = page(&server, "POST", &format!("{link}/return"));
    assert_eq!(
        (status, addresses(&server, &list, "mail_addresses")),
        (200, json!([CUSTOMER]))
    );

    opens_nothing_else(&server, &link);
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}
