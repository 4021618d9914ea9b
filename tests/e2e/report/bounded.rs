//! Lists that grow: each page of them has a limit and a way to the next one, and filters by service and state.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

/// Services beside those of the demo: more than a menu holds.
const SERVICES: usize = 60;
/// Incidents beside those of the demo: more than a page of the list shows.
const INCIDENTS: usize = 120;

fn items(server: &Server, role: &str, path: &str) -> Vec<Value> {
    let found = server.must("GET", &format!("/api/v1{path}"), &server.token(role), None);
    found["items"].as_array().unwrap().clone()
}

fn furnish(server: &Server) {
    let (admin, commander) = (server.token("admin"), server.token("commander"));
    for number in 0..SERVICES {
        let body =
            json!({"key": format!("depot-{number:02}"), "name": format!("Depot {number}"), "criticality": "low"});
        server.must("POST", "/api/v1/services", &admin, Some(&body));
    }
    for number in 0..INCIDENTS {
        let service = format!("depot-{:02}", number % 2);
        let body = json!({"title": format!("Scanner {number} is slow"), "severity": 4, "services": [service],
            "started_at": server.server_time().to_string()});
        server.must("POST", "/api/v1/incidents", &commander, Some(&body));
    }
}

#[test]
fn lists_come_in_pages_and_narrow_by_service_and_state() {
    let place = Place::demo("bounded");
    let server = Server::start(&place, true);
    furnish(&server);
    let session = Session::begin(&server, "change_manager");
    let first = session.get("/t/halden/incidents");
    assert_eq!(first.status, 200);
    assert!(first.body.contains("1 to 100 of "), "{}", first.body);
    assert!(first.body.contains("/incidents?after=100"), "the way to the next page");
    let second = session.get("/t/halden/incidents?after=100");
    assert!(second.body.contains("101 to "), "{}", second.body);
    let one = session.get("/t/halden/incidents?service=depot-01&state=open");
    assert!(one.body.contains("60 in all"), "{}", one.body);
    assert!(
        session
            .get("/t/halden/incidents?state=closed&service=depot-01")
            .body
            .contains("No entries match the filter")
    );
    let found = items(&server, "commander", "/incidents?service=depot-01&state=open&limit=200");
    assert_eq!(found.len(), INCIDENTS / 2);
    assert_eq!(
        items(&server, "commander", "/incidents?service=depot-01&state=closed"),
        [] as [Value; 0]
    );
    gateways_come_in_pages(&server);
    let (code, answer) = server.get("/api/v1/incidents?state=opne", Some(&server.token("commander")));
    assert_eq!(code, 422);
    assert!(String::from_utf8_lossy(&answer).contains("Did you mean `open`?"));
}

/// No service beside those of the demo has a source or a gate: two findings for each.
fn gateways_come_in_pages(server: &Server) {
    let session = Session::begin(server, "auditor");
    let shown = |question: &str| session.get(&format!("/t/halden/gateways{question}")).body;
    let first = shown("");
    assert!(
        first.contains("1 to 100 of ") && first.contains("/gateways?after=100"),
        "{first}"
    );
    assert!(!first.contains("depot-59, production"), "it stands on the next page");
    assert!(shown("?after=100").contains("101 to "));
    let one = shown("?service=depot-59");
    assert!(
        one.contains("2 in all") && one.contains("depot-59, production"),
        "{one}"
    );
    assert!(shown("?service=depot-59&q=nowhere").contains("No entries match the filter"));
}

#[test]
fn freezes_windows_and_checks_narrow_too_and_fields_search_where_menus_would_be_long() {
    let place = Place::demo("bounded-more");
    let server = Server::start(&place, true);
    let (manager, pipeline) = (server.token("change_manager"), server.token("pipeline"));
    furnish(&server);
    let (now, hour) = (server.server_time(), jiff::SignedDuration::from_hours(1));
    for (title, service) in [("Depots rest", "depot-07"), ("Depots sleep", "depot-08")] {
        let body = json!({"title": title, "services": [service], "reason": "Stocktaking.",
            "starts_at": (now + hour * 2).to_string(), "ends_at": (now + hour * 3).to_string()});
        server.must("POST", "/api/v1/freezes", &manager, Some(&body));
        server.must(
            "POST",
            "/api/v1/windows",
            &manager,
            Some(&body_of_window(title, service, now)),
        );
        let question =
            json!({"service": service, "environment": "production", "artifact": format!("sha256:{:064}", 7)});
        server.ask("POST", "/api/v1/gate-checks", Some(&pipeline), Some(&question));
    }
    let titles = |path: &str| -> Vec<String> {
        let found = items(&server, "change_manager", path).into_iter();
        found.map(|it| it["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        titles("/freezes?service=depot-07&state=announced&q=depots"),
        ["Depots rest"]
    );
    assert_eq!(
        titles("/windows?service=depot-08&state=ahead&q=depots"),
        ["Depots sleep"]
    );
    assert_eq!(
        titles("/windows?service=depot-08&state=over&q=depots"),
        [] as [String; 0]
    );
    let checks = items(&server, "change_manager", "/gate-checks?service=depot-07&state=settled");
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0]["service"], "depot-07");
    assert_eq!(
        items(&server, "change_manager", "/gate-checks?service=depot-07&state=waiting"),
        [] as [Value; 0]
    );
    let session = Session::begin(&server, "change_manager");
    for page in ["/freezes", "/windows", "/gate-checks"] {
        let shown = session.get(&format!("/t/halden{page}?service=depot-07"));
        assert_eq!(shown.status, 200, "{page}");
        assert!(
            shown.body.contains("depot-07") && !shown.body.contains("Depots sleep"),
            "{page}"
        );
        assert!(shown.body.contains("/picks/services"), "{page} searches for a service");
    }
    let session = Session::begin(&server, "requester");
    let form = session.get("/t/halden/changes/new");
    assert!(
        form.body.contains("/picks/services") && !form.body.contains("depot-31"),
        "no menu of 60 services"
    );
    let offered = session.get("/t/halden/picks/services?q=depot%2031");
    assert_eq!(offered.status, 200);
    let offered: Value = serde_json::from_str(&offered.body).unwrap();
    assert_eq!(offered["items"], json!([{"value": "depot-31", "label": "Depot 31"}]));
    assert_eq!(session.get("/t/halden/picks/secrets").status, 404);
    environments_and_items_are_offered(&session);
    owners_and_lessons_search_too(&server);
    keys_of_records_search_too(&server, &session);
}

/// Where an act takes the key of a change, an incident or a team, its field searches.
fn keys_of_records_search_too(server: &Server, session: &Session) {
    let offered = |path: &str| -> Value {
        let answer = session.get(&format!("/t/halden/picks/{path}"));
        assert_eq!(answer.status, 200, "{path}");
        serde_json::from_str::<Value>(&answer.body).unwrap()["items"].clone()
    };
    let found = items(server, "change_manager", "/changes?limit=1");
    let newest = found.first().expect("the demo has changes");
    let (key, title) = (newest["key"].as_str().unwrap(), newest["title"].as_str().unwrap());
    assert_eq!(offered("changes")[0], json!({"value": key, "label": title}));
    assert_eq!(offered(&format!("changes?q={key}"))[0]["value"], key);
    assert_eq!(offered("changes?q=no-such-word-anywhere"), json!([]));
    assert_eq!(offered("incidents?q=scanner%20119")[0]["label"], "Scanner 119 is slow");
    let list = session.get("/t/halden/changes").body;
    assert!(list.contains("/picks/teams"), "a list of changes searches for its team");
    let manager = Session::begin(server, "change_manager");
    let freezes = manager.get("/t/halden/freezes").body;
    assert!(
        freezes.contains("/picks/changes"),
        "an exception searches for its change"
    );
    let beside = offered("records?q=scanner%20119");
    assert_eq!(
        beside[0]["label"], "Scanner 119 is slow",
        "a link leads to an incident too"
    );
    assert_eq!(offered(&format!("records?q={key}"))[0]["value"], key);
    assert_eq!(
        offered("actors?q=system")[0]["value"],
        "system",
        "events without a person are found"
    );
    assert_eq!(offered("members-of-no-such-group"), json!([]));
    let audit = Session::begin(server, "auditor").get("/t/halden/audit").body;
    assert!(audit.contains("/picks/actors"), "the log searches for who acted");
    let units = manager.get("/t/halden/business-units").body;
    assert!(units.contains("/picks/services"), "a noun's form searches for services");
}

fn owners_and_lessons_search_too(server: &Server) {
    let setup = Session::begin(server, "admin").get("/t/halden/setup").body;
    assert!(setup.contains("/picks/services"), "any service can be given an owner");
    assert!(!setup.contains("value=\"depot-31\""), "no menu of 60 services");
    let body = json!({"key": "dispatch-bergen", "name": "Dispatch Bergen", "services": ["label-print"],
        "mail_addresses": ["desk@halden.example"]});
    server.must(
        "POST",
        "/api/v1/business-units",
        &server.token("change_manager"),
        Some(&body),
    );
    let session = Session::begin(server, "change_manager");
    let lessons = session.get("/t/halden/lessons").body;
    assert!(lessons.contains("/picks/groups") && lessons.contains("/picks/business-units"));
    assert!(!lessons.contains("dispatch-bergen"), "no menu of all business units");
    let offered = session.get("/t/halden/picks/business-units?q=bergen");
    assert_eq!(offered.status, 200);
    let offered: Value = serde_json::from_str(&offered.body).unwrap();
    assert_eq!(
        offered["items"],
        json!([{"value": "dispatch-bergen", "label": "Dispatch Bergen"}])
    );
}

fn environments_and_items_are_offered(session: &Session<'_>) {
    for (kind, word, key) in [
        ("environments", "prod", "production"),
        ("items", "replica", "ledger-replica"),
    ] {
        let offered = session.get(&format!("/t/halden/picks/{kind}?q={word}"));
        assert_eq!(offered.status, 200, "{kind}");
        let offered: Value = serde_json::from_str(&offered.body).unwrap();
        assert_eq!(offered["items"][0]["value"], key, "{offered}");
    }
}

#[test]
fn problems_come_in_pages_and_narrow_by_words_service_and_state() {
    let place = Place::demo("bounded-problems");
    let server = Server::start(&place, true);
    let commander = server.token("commander");
    for number in 0..105 {
        let service = ["wms", "label-print"][number % 2];
        let body = json!({"title": format!("Scanners lose their way {number}"), "services": [service]});
        server.must("POST", "/api/v1/problems", &commander, Some(&body));
    }
    let session = Session::begin(&server, "commander");
    let shown = |path: &str| session.get(&format!("/t/halden/problems{path}")).body;
    assert!(shown("?q=scanners").contains("1 to 100 of 105"));
    assert!(shown("?q=scanners&after=100").contains("101 to 105 of 105"));
    let one = shown("?q=scanners&service=label-print&state=open");
    assert!(
        one.contains("52 in all") && !one.contains("Scanners lose their way 0<"),
        "{one}"
    );
    assert!(shown("?q=scanners&state=dismissed").contains("No entries match the filter"));
    assert!(shown("").contains("Record a problem"));
}

#[test]
fn an_inbox_counts_all_its_items_shows_some_and_leads_to_the_rest() {
    let place = Place::demo("bounded-inbox");
    let server = Server::start(&place, true);
    let requester = server.token("requester");
    let owner = server.must("GET", "/api/v1/me", &server.token("owner"), None)["login"].clone();
    for number in 0..130 {
        let body = json!({"title": format!("Label the shelf {number}"), "owner": owner});
        server.must("POST", "/api/v1/action-items", &requester, Some(&body));
    }
    let all = items(&server, "owner", "/action-items?whose=mine&open=true&limit=200").len();
    let session = Session::begin(&server, "owner");
    let inbox = session.get("/t/halden/inbox").body;
    assert!(inbox.contains(&format!("{all} action items")), "the title counts all");
    assert!(inbox.contains(&format!("The first 100 of {all}.")), "{inbox}");
    let shown = |path: &str| {
        let body = session.get(&format!("/t/halden/inbox?whose=mine&kind={path}")).body;
        [5, 129].map(|number| body.contains(&format!(">Label the shelf {number}<")))
    };
    assert_eq!(shown("other"), [true, false], "the soonest due first");
    assert_eq!(shown("other&after=100"), [false, true]);
    assert_eq!(shown("decide_drift"), [false, false]);
    assert_eq!(session.get("/t/halden/inbox?whose=everybody").status, 404);
}

fn body_of_window(title: &str, service: &str, now: jiff::Timestamp) -> Value {
    let hour = jiff::SignedDuration::from_hours(1);
    json!({"title": title, "services": [service], "starts_at": (now + hour * 4).to_string(),
        "ends_at": (now + hour * 5).to_string()})
}
