//! The page of a service: its neighbours with arrows, owners and criticality, its builds with the changes that brought them, the
//! freezes and incidents that concern it, and the way to a new change of it. Its owner is told apart from that of a change.

use jiff::SignedDuration;
use serde_json::json;
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact, question, scheduled};
use tests::session::Session;
use tests::{Place, Server};

use crate::integration::rollback;

/// A service that needs the one of the journeys.
const NEIGHBOUR: &str = "pick-list";
const INCIDENT: &str = "Labels come out blank";
const FREEZE: &str = "Stocktaking";

/// The section of a page with this id.
fn section(page: &str, id: &str) -> String {
    let found = page.split(&format!("<section id=\"{id}\"")).nth(1);
    let found = found.unwrap_or_else(|| panic!("there is no section `{id}` in {page}"));
    found.split("</section>").next().unwrap().to_owned()
}

/// A build that a change brought into production, by the report of a connected system; returns the key of the change.
fn deployed(server: &Server) -> String {
    let build = artifact(871);
    let path = scheduled(server, "Bring the new labels", &build);
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question(&build)),
    );
    assert_eq!(check["decision"], "go", "{check:#}");
    let hook = rollback::connect(server);
    hook.report("run-1", "in_progress", &build);
    hook.report("run-1", "success", &build);
    eventually("the build runs", || {
        server.must("GET", &path, &server.token("requester"), None)["outcome"] == "succeeded"
    });
    path.rsplit('/').next().unwrap().to_owned()
}

/// A neighbour of high criticality, an open incident, and a freeze that lies ahead.
fn surround(server: &Server) {
    let admin = server.token("admin");
    let service = json!({"key": NEIGHBOUR, "name": "Pick lists", "criticality": "high"});
    server.must("POST", "/api/v1/services", &admin, Some(&service));
    let arrow = json!({"from": NEIGHBOUR, "to": SERVICE});
    server.must("POST", "/api/v1/dependencies", &admin, Some(&arrow));
    let incident = json!({"title": INCIDENT, "severity": 3, "services": [SERVICE]});
    server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&incident));
    let ahead = |days: i64| (server.server_time() + SignedDuration::from_hours(24 * days)).to_string();
    let freeze = json!({
        "title": FREEZE, "reason": "The warehouse counts.", "services": [SERVICE], "environments": [ENVIRONMENT],
        "starts_at": ahead(40), "ends_at": ahead(41),
    });
    server.must(
        "POST",
        "/api/v1/freezes",
        &server.token("change_manager"),
        Some(&freeze),
    );
}

#[test]
fn the_page_of_a_service_shows_what_is_around_it_and_leads_to_a_new_change() {
    let place = Place::demo("service-page");
    let server = Server::start(&place, true);
    let key = deployed(&server);
    surround(&server);
    let session = Session::begin(&server, "requester");
    let page = session.get(&format!("/t/halden/services/{SERVICE}")).body;
    let neighbours = section(&page, "dependencies");
    let neighbour = format!("/t/halden/services/{NEIGHBOUR}");
    for words in [
        "marker-end=\"url(#arrow-head)\"",
        neighbour.as_str(),
        "Needs it",
        "High",
        "Service owner",
    ] {
        assert!(neighbours.contains(words), "`{words}` is not in {neighbours}");
    }
    let running = section(&page, "running");
    assert!(running.contains(&format!("/t/halden/changes/{key}")), "{running}");
    assert!(section(&page, "freezes").contains(FREEZE));
    assert!(section(&page, "incidents").contains(INCIDENT));
    assert!(page.contains("New change here"), "{page}");
    let form = session.get(&format!("/t/halden/changes/new?service={SERVICE}"));
    assert_eq!(form.status, 200, "{}", form.body);
    let change = session.get(&format!("/t/halden/changes/{key}")).body;
    assert!(change.contains("Change owner"), "{change}");
    let reader = Session::begin(&server, "auditor");
    let read = reader.get(&format!("/t/halden/services/{SERVICE}")).body;
    assert!(!read.contains("New change here"), "who writes none is offered none");
}
