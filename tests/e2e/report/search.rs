//! The search: records of each kind, acts and pages in one response, inside the reader's scope.

use serde_json::{Value, json};
use tests::journey::{self, artifact};
use tests::session::Session;
use tests::{Place, Server};

fn search(server: &Server, role: &str, text: &str) -> (u16, Value) {
    let path = format!("/api/v1/search?q={}", text.replace(' ', "%20"));
    let (status, body) = server.get(&path, Some(&server.token(role)));
    (status, serde_json::from_slice(&body).unwrap())
}

fn of_kind(found: &Value, kind: &str) -> Vec<String> {
    let items = found["items"].as_array().unwrap().iter();
    let items = items.filter(|item| item["kind"] == kind);
    items.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_search_finds_records_acts_and_pages_and_says_what_it_cannot_read() {
    let place = Place::demo("search");
    let server = Server::start(&place, true);
    let (request, digest) = (
        journey::request("Let the quokka carry labels", &artifact(9_001), server.server_time()),
        artifact(9_001),
    );
    let path = journey::waiting_for_approval(&server, &request, &digest);
    let key = path.rsplit('/').next().unwrap();
    let (status, found) = search(&server, "change_manager", "quokka labels");
    assert_eq!(
        (status, of_kind(&found, "change")),
        (200, vec![key.to_owned()]),
        "{found}"
    );
    let (_, found) = search(&server, "change_manager", "label-print");
    assert!(
        of_kind(&found, "service").contains(&"label-print".to_owned()),
        "{found}"
    );
    let login = server.person("security")["login"].as_str().unwrap().to_owned();
    let (_, found) = search(&server, "change_manager", &login);
    assert!(of_kind(&found, "person").contains(&login), "{found}");
    let (_, found) = search(&server, "change_manager", "freezes");
    let pages = found["items"].as_array().unwrap().iter();
    assert!(pages.into_iter().any(|item| item["path"] == "/freezes"), "{found}");
    // Operators narrow changes, so nothing else is found with one.
    let (_, found) = search(&server, "change_manager", "state:open service:label-print quokka");
    assert_eq!(of_kind(&found, "change"), [key]);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let (status, told) = search(&server, "change_manager", "outcome:faild");
    assert!(
        status == 422 && told.to_string().contains("Did you mean `failed`?"),
        "{told}"
    );
    let (status, told) = search(&server, "change_manager", "service:label-prnt");
    assert!(
        status == 422 && told.to_string().contains("Did you mean `label-print`?"),
        "{told}"
    );
    // A failure that is closed is shown as one.
    let (_, found) = search(&server, "change_manager", "outcome:failed state:closed service:wms");
    let failures = found["items"].as_array().unwrap();
    assert!(!failures.is_empty(), "{found}");
    assert!(failures.iter().all(|item| item["outcome"] == "failed"), "{found}");
    let (_, found) = search(&server, "change_manager", "outcome:succeeded state:closed service:wms");
    let successes = found["items"].as_array().unwrap();
    assert!(successes.iter().all(|item| item["outcome"].is_null()), "{found}");
    let session = Session::begin(&server, "change_manager");
    let service = session.get("/t/halden/services/wms").body;
    assert!(
        service.contains("/metrics/success_share?service=wms"),
        "the page counts no successes of its own: {service}"
    );
    assert!(!service.contains("closed changes succeeded."), "{service}");
    let failed = session.get("/t/halden/search?q=outcome:failed%20state:closed%20service:wms");
    assert!(failed.body.contains("Failed"), "{}", failed.body);
    let (_, found) = search(&server, "change_manager", "label outc");
    assert_eq!(found["completions"], json!(["label outcome:"]));
    // An act is offered only to people with the right to it.
    let (_, found) = search(&server, "auditor", &format!("approve {key}"));
    assert_eq!(of_kind(&found, "act"), Vec::<String>::new(), "{found}");
    let (_, found) = search(&server, "requester", &format!("cancel {key}"));
    assert_eq!(of_kind(&found, "act"), [format!("cancel {key}")], "{found}");
}

#[test]
fn a_setting_is_found_by_its_name_by_those_who_may_change_it() {
    let place = Place::demo("settings-found");
    let server = Server::start(&place, true);
    let settings = |role: &str, text: &str| -> Vec<String> {
        let (_, found) = search(&server, role, text);
        let items = found["items"].as_array().unwrap().iter();
        let items = items.filter(|item| item["kind"] == "setting");
        items.map(|item| item["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(settings("requester", "quiet hours"), ["/telling"]);
    assert_eq!(settings("admin", "scim"), ["/identity-providers"]);
    assert!(settings("requester", "scim").is_empty());
    assert_eq!(settings("vendor", "your password"), ["/account"]);
    assert!(settings("vendor", "holidays").is_empty());
}

#[test]
fn a_scoped_reader_finds_nothing_outside_of_their_services() {
    let place = Place::demo("search-scoped");
    let server = Server::start(&place, true);
    let mut request = journey::request("Let the quokka carry labels", &artifact(9_002), server.server_time());
    request["targets"] = json!([{"service": "edge-dns", "environment": "production", "artifact": artifact(9_002)}]);
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&request));
    let key = made["key"].as_str().unwrap();
    for text in ["quokka", key, "edge-dns", "service:edge-dns", &format!("approve {key}")] {
        let (status, found) = search(&server, "vendor", text);
        let told = found.to_string();
        let is_silent = status == 422 || found["items"].as_array().is_some_and(|items| items.is_empty());
        assert!(is_silent && !told.contains("quokka"), "{text}: {told}");
    }
    let (status, found) = search(&server, "vendor", "Changes");
    assert_eq!(status, 200);
    let places = found["items"].as_array().unwrap().iter();
    let places: Vec<&str> = places.filter_map(|item| item["path"].as_str()).collect();
    assert!(places.contains(&"/changes"), "{found}");
    assert!(
        !places.contains(&"/people") && !places.contains(&"/services"),
        "{found}"
    );
}
