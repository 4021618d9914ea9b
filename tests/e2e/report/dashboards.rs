//! Dashboards: a tile's count equals a hand count over the lists, each row opens its changes, saved ones are their owner's, and
//! OpenMetrics has the main figures.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

const ROLES: [&str; 9] = [
    "requester",
    "approver",
    "service_owner",
    "change_manager",
    "board",
    "commander",
    "executive",
    "auditor",
    "platform",
];

fn get(server: &Server, role: &str, path: &str) -> (u16, Value) {
    let (status, body) = server.get(&format!("/api/v1{path}"), Some(&server.token(role)));
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn post(server: &Server, role: &str, path: &str, body: &Value) -> (u16, Value) {
    let (status, body) = server.ask("POST", &format!("/api/v1{path}"), Some(&server.token(role)), Some(body));
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// How many changes a list has, at most 200.
fn count(server: &Server, query: &str) -> usize {
    let (status, found) = get(server, "executive", &format!("/changes?limit=200&{query}"));
    assert_eq!(status, 200, "{found}");
    found["items"].as_array().unwrap().len()
}

fn tile<'a>(figures: &'a Value, id: &str) -> &'a Value {
    let mut tiles = figures["tiles"].as_array().unwrap().iter();
    tiles.find(|it| it["id"] == id).unwrap()
}

#[test]
fn every_number_of_a_dashboard_is_a_hand_count_and_opens_its_rows() {
    let place = Place::demo("dashboards");
    let server = Server::start(&place, true);
    let (_, figures) = get(&server, "executive", "/dashboards/change_manager/figures");
    let mut seen = 0;
    for row in tile(&figures, "states")["rows"].as_array().unwrap() {
        let state = row["id"].as_str().unwrap();
        let counted = count(&server, &format!("state={state}"));
        assert_eq!(row["count"], json!(counted), "{row}");
        let path = format!("/dashboards/change_manager/rows?tile=states&row={state}&limit=200");
        let (_, rows) = get(&server, "executive", &path);
        assert_eq!(rows["items"].as_array().unwrap().len(), counted, "{state}");
        seen += counted;
    }
    assert!(seen > 0, "the demo has open changes");
    let ages = tile(&figures, "ages")["rows"].as_array().unwrap().iter();
    let all: i64 = ages.map(|row| row["count"].as_i64().unwrap()).sum();
    assert_eq!(all, i64::try_from(seen).unwrap(), "every open change has one age");
    let (_, narrow) = get(
        &server,
        "executive",
        "/dashboards/change_manager/figures?service=label-print",
    );
    for row in tile(&narrow, "states")["rows"].as_array().unwrap() {
        let state = row["id"].as_str().unwrap();
        assert_eq!(
            row["count"],
            json!(count(&server, &format!("state={state}&service=label-print")))
        );
    }
    assert_eq!(
        get(
            &server,
            "executive",
            "/dashboards/change_manager/rows?tile=freezes&row=x"
        )
        .0,
        404
    );
    assert_eq!(
        get(&server, "executive", "/dashboards/executive/rows?tile=success&row=x").0,
        409
    );
    assert!(server.stop().success());
}

#[test]
fn a_dashboard_is_a_pdf_by_the_api_on_the_page_and_by_the_command_with_its_filters() {
    let place = Place::demo("dashboard-pdf");
    let server = Server::start(&place, true);
    let file = |path: &str| server.get(&format!("/api/v1/dashboards/{path}"), Some(&server.token("executive")));
    let has = |file: &[u8], text: &str| file.windows(text.len()).any(|at| at == text.as_bytes());
    let (status, whole) = file("change_manager/file");
    assert_eq!(status, 200);
    assert!(whole.starts_with(b"%PDF-"));
    let (_, figures) = get(&server, "executive", "/dashboards/change_manager/figures");
    for tile in figures["tiles"].as_array().unwrap() {
        let title = tile["title"].as_str().unwrap();
        assert!(has(&whole, &format!("({title})")), "{title}");
    }
    let (_, narrow) = file("change_manager/file?service=label-print");
    assert!(has(&narrow, "Service label-print") && !has(&whole, "Service label-print"));
    assert_eq!(file("change_manager/file?service=label-pint").0, 422);
    assert_eq!(file("nobodys/file").0, 404);
    assert_eq!(server.get("/api/v1/dashboards/executive/file", None).0, 401);
    let vendor = server
        .get("/api/v1/dashboards/executive/file", Some(&server.token("vendor")))
        .0;
    assert_eq!(vendor, 404, "a vendor sees no dashboards");
    let reader = Session::begin(&server, "change_manager");
    let page = reader.get("/t/halden/dashboard/board?kind=normal").body;
    assert!(page.contains("/dashboard/board/dashboard.pdf?kind=normal"), "{page}");
    assert_eq!(
        reader.get("/t/halden/dashboard/board/dashboard.pdf?kind=normal").status,
        200
    );
    let out = place.folder.path().join("board.pdf");
    let done = std::process::Command::new(tests::binary())
        .args(["dashboard", "file", "board", "-o"])
        .arg(&out)
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token("owner"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(std::fs::read(&out).unwrap().starts_with(b"%PDF-"));
}

#[test]
fn each_role_has_a_page_with_charts_and_the_tables_behind_them() {
    let place = Place::demo("dashboard-pages");
    let server = Server::start(&place, true);
    let reader = Session::begin(&server, "change_manager");
    for role in ROLES {
        let page = reader.get(&format!("/t/halden/dashboard/{role}"));
        assert_eq!(page.status, 200, "{role}");
        assert!(page.body.contains("<table"), "{role}");
        assert!(page.body.contains("data-stream="), "{role} follows what happens");
    }
    let wall = reader
        .get("/t/halden/dashboard/change_manager?wall=on&service=label-print")
        .body;
    assert!(wall.contains("<body class=\"wall\">"));
    let usual = reader.get("/t/halden/dashboard/change_manager").body;
    assert!(!usual.contains("<body class=\"wall\">"));
    assert_eq!(reader.get("/t/halden/dashboard").status, 200);
    assert_eq!(reader.get("/t/halden/dashboard/nobodys").status, 404);
    assert_eq!(reader.get("/t/halden/templates/restart-label-print/rework").status, 200);
    assert!(server.stop().success());
}

#[test]
fn a_saved_dashboard_is_its_owners_until_it_is_shared() {
    let place = Place::demo("saved-dashboards");
    let server = Server::start(&place, true);
    let body = json!({"title": "Mine", "tiles": ["own", "states"], "query": "kind=normal"});
    let (status, made) = post(&server, "requester", "/dashboards", &body);
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let figures = format!("/dashboards/{id}/figures");
    assert_eq!(get(&server, "requester", &figures).0, 200);
    assert_eq!(get(&server, "owner", &figures).0, 404);
    assert_eq!(get(&server, "owner", &format!("/dashboards/{id}")).0, 404);
    let too_many = json!({"title": "x", "tiles": vec!["states"; 51]});
    let (status, refused) = post(&server, "requester", "/dashboards", &too_many);
    assert_eq!((status, refused["errors"][0]["code"].as_str()), (422, Some("too_many")));
    let wrong = json!({"title": "x", "tiles": ["states"], "query": "owner=adam"});
    assert_eq!(post(&server, "requester", "/dashboards", &wrong).0, 422);
    // A vendor sees none of it: the route is closed to scoped people.
    assert_eq!(get(&server, "vendor", "/dashboards/change_manager/figures").0, 404);
    assert!(server.stop().success());
}

#[test]
fn openmetrics_has_the_main_figures_for_a_token_alone() {
    let place = Place::demo("openmetrics");
    let server = Server::start(&place, true);
    let (status, text) = server.get("/api/v1/openmetrics", Some(&server.token("executive")));
    let text = String::from_utf8(text).unwrap();
    assert_eq!(status, 200, "{text}");
    assert!(text.ends_with("# EOF\n"));
    let drafts = count(&server, "state=draft");
    assert!(
        text.contains(&format!("assent_states{{row=\"draft\"}} {drafts}\n")),
        "{text}"
    );
    assert_eq!(server.get("/api/v1/openmetrics", None).0, 401);
    assert_ne!(server.get("/api/v1/openmetrics", Some(&server.token("vendor"))).0, 200);
    assert!(server.stop().success());
}

#[test]
fn a_similar_title_on_the_same_service_is_named() {
    let place = Place::demo("lookalikes");
    let server = Server::start(&place, true);
    let body = json!({"title": "Renew the spooler certificate", "targets": [{"service": "label-print", "environment": "production"}]});
    let (status, made) = post(&server, "requester", "/changes", &body);
    assert_eq!(status, 201, "{made}");
    let keys = |query: &str| {
        let (status, found) = get(&server, "requester", &format!("/change-lookalikes?{query}"));
        assert_eq!(status, 200, "{found}");
        let items = found["items"].as_array().unwrap().iter();
        items.map(|it| it["key"].clone()).collect::<Vec<_>>()
    };
    let title = "title=spooler%20certificate%20renew";
    assert_eq!(keys(&format!("{title}&service=label-print")), [made["key"].clone()]);
    assert!(keys(&format!("{title}&service=edge-dns")).is_empty());
    assert!(keys("title=Move%20the%20printer&service=label-print").is_empty());
    assert_eq!(
        get(
            &server,
            "requester",
            &format!("/change-lookalikes?{title}&service=nowhere")
        )
        .0,
        422
    );
    assert!(server.stop().success());
}
