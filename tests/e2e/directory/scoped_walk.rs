//! Every reading route and page, walked as the scoped vendor of the demo: no response names a service, a change, an incident, a
//! freeze, a window or an item outside of their scope.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::journey::{self, SERVICE, artifact};
use tests::session::{Session, links};
use tests::{Place, Server};

/// Outside things, by names that occur nowhere else.
const SERVICE_OUT: &str = "zanzibar-core";
const NAMES_OUT: [&str; 12] = [
    SERVICE_OUT,
    "zanzibar-front",
    "Zanzibar Front",
    "Zanzibar Ledger",
    "zanzibar-db-1",
    "Zanzibar Database",
    "Quokka outage",
    "Wombat freeze",
    "Numbat window",
    "Bilby news",
    "Potoroo Hosts",
    "Bandicoot works",
];
/// The fewest responses that a whole walk sees.
const FEWEST_ANSWERS: usize = 35;
/// How many pages are followed at most.
const MOST_PAGES: usize = 300;

struct Scene {
    /// The key of the change inside.
    own: String,
    /// Texts that no response may contain.
    secrets: Vec<String>,
    /// The values for the places of paths.
    pool: Vec<String>,
    /// The values for the second place of a path, and further ones.
    ids: Vec<String>,
}

fn at(now: Timestamp, seconds: i64) -> String {
    (now + SignedDuration::from_secs(seconds)).to_string()
}

fn change(server: &Server, title: &str, services: &[&str], number: u64) -> String {
    let mut request = journey::request(title, &artifact(number), server.server_time());
    request["targets"] = services
        .iter()
        .map(|service| json!({"service": service, "environment": "production", "artifact": artifact(number)}))
        .collect();
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&request));
    made["key"].as_str().unwrap().to_owned()
}

/// A service outside with everything that could bring its name inside: arrows both ways, a shared incident, spans that reach
/// the vendor's service, and changes that the vendor's change depends on.
fn scene(server: &Server) -> Scene {
    let admin = server.token("admin");
    let now = server.server_time();
    let post =
        |path: &str, token: &str, body: Value| server.must("POST", &format!("/api/v1{path}"), token, Some(&body));
    post(
        "/services",
        &admin,
        json!({"key": SERVICE_OUT, "name": "Zanzibar Ledger", "criticality": "critical", "regimes": ["sox"]}),
    );
    post(
        "/config-items",
        &admin,
        json!({"key": "zanzibar-db-1", "name": "Zanzibar Database", "service": SERVICE_OUT}),
    );
    let front = json!({"key": "zanzibar-front", "name": "Zanzibar Front", "criticality": "high"});
    post("/services", &admin, front);
    for (from, to) in [("zanzibar-front", SERVICE), (SERVICE, SERVICE_OUT)] {
        post("/dependencies", &admin, json!({"from": from, "to": to}));
    }
    let own = change(server, "Swap the drums", &[SERVICE], 62_001);
    let other = change(server, "Koala work", &[SERVICE_OUT], 62_002);
    let both = change(server, "Dugong work", &[SERVICE, SERVICE_OUT], 62_003);
    let requester = server.token("requester");
    for (kind, to) in [("depends_on", &other), ("follows_up", &both)] {
        post(
            &format!("/changes/{own}/links"),
            &requester,
            json!({"kind": kind, "to": to}),
        );
    }
    post(&format!("/changes/{own}/submission"), &requester, json!({}));
    let commander = server.token("commander");
    let incident = |title: &str, services: &[&str]| {
        let body = json!({"title": title, "severity": 2, "services": services, "started_at": at(now, -600)});
        let made = post("/incidents", &commander, body);
        made["key"].as_str().unwrap().to_owned()
    };
    let shared = incident("Both halls wait", &[SERVICE, SERVICE_OUT]);
    let outside = incident("Quokka outage", &[SERVICE_OUT]);
    post(
        &format!("/changes/{own}/links"),
        &requester,
        json!({"kind": "fixes", "to": &shared}),
    );
    let spans = spans_outside(server, now);
    let mut secrets: Vec<String> = NAMES_OUT.iter().map(|name| (*name).to_owned()).collect();
    secrets.extend([other, both, outside, "Koala work".to_owned(), "Dugong work".to_owned()]);
    let mut pool = vec![own.clone(), SERVICE.to_owned(), shared, "production".to_owned()];
    pool.extend(secrets.iter().filter(|it| !it.contains(' ')).cloned());
    pool.extend(spans);
    Scene {
        own,
        secrets,
        pool,
        ids: vec!["production".to_owned()],
    }
}

/// A freeze, a window, an announcement and a vendor's notice of the service outside; the ids of the first two.
fn spans_outside(server: &Server, now: Timestamp) -> [String; 2] {
    let manager = server.token("change_manager");
    let post = |path: &str, body: Value| server.must("POST", &format!("/api/v1{path}"), &manager, Some(&body));
    let span = |title: &str, more: Value| {
        let mut body = json!({"title": title, "starts_at": at(now, 900_000), "ends_at": at(now, 990_000),
            "services": [SERVICE_OUT], "environments": ["production"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let freeze = span("Wombat freeze", json!({"reason": "Audit.", "reach": "dependants"}));
    let freeze = post("/freezes", freeze);
    let window = post("/windows", span("Numbat window", json!({})));
    post(
        "/announcements",
        json!({"title": "Bilby news", "text": "Mind it.", "services": [SERVICE_OUT], "starts_at": at(now, -60), "ends_at": at(now, 7_200)}),
    );
    let vendor = json!({"key": "potoroo", "name": "Potoroo Hosts", "services": [SERVICE_OUT]});
    server.must("POST", "/api/v1/vendors", &server.token("admin"), Some(&vendor));
    post(
        "/vendor-notices",
        json!({"vendor": "potoroo", "reference": "P-1", "title": "Bandicoot works", "services": [SERVICE_OUT], "impact": "outage",
            "starts_at": at(now, 900_000), "ends_at": at(now, 990_000)}),
    );
    [freeze, window].map(|made| made["id"].as_str().unwrap().to_owned())
}

/// The paths of the API that are read, without streams.
fn reading_paths(server: &Server) -> Vec<String> {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let is_read = |methods: &Value| {
        let get = &methods["get"];
        get.is_object() && !get.to_string().contains("text/event-stream")
    };
    paths
        .filter(|(path, methods)| path.starts_with("/api/v1/") && is_read(methods))
        .map(|(path, _)| path.clone())
        .collect()
}

/// A path with its places filled: the first by each value of the pool, further ones by each id.
fn filled(path: &str, scene: &Scene) -> Vec<String> {
    let places = path.matches('{').count();
    let first: Vec<String> = match places {
        0 => return vec![path.to_owned()],
        1 => scene.pool.clone(),
        _ => vec![scene.own.clone(), SERVICE.to_owned(), SERVICE_OUT.to_owned()],
    };
    let begun = first.iter().map(|value| filled_once(path, value)).collect();
    (1..places).fold(begun, |paths: Vec<String>, _| {
        let next = |path: &String| scene.ids.iter().map(|id| filled_once(path, id)).collect::<Vec<_>>();
        paths.iter().flat_map(next).collect()
    })
}

fn filled_once(path: &str, value: &str) -> String {
    let (before, rest) = path.split_once('{').unwrap();
    let after = rest.split_once('}').unwrap().1;
    format!("{before}{value}{after}")
}

/// The forbidden content of a response, apart from the content of its path.
fn leaks<'s>(scene: &'s Scene, path: &str, body: &str) -> Vec<&'s str> {
    let named = |secret: &&String| body.contains(secret.as_str()) && !path.contains(secret.as_str());
    scene.secrets.iter().filter(named).map(String::as_str).collect()
}

/// Reads every route; returns the number of those with content.
fn walk_routes(server: &Server, token: &str, scene: &mut Scene, found: &mut Vec<String>) -> usize {
    let mut given = 0;
    // Ids of records that belong to the own change fill places as well.
    for list in ["evidence", "links", "comments", "tasks", "checklist", "events"] {
        let (_, body) = server.get(&format!("/api/v1/changes/{}/{list}", scene.own), Some(token));
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let ids = body["items"].as_array().into_iter().flatten();
        scene
            .ids
            .extend(ids.filter_map(|row| row["id"].as_str()).take(2).map(str::to_owned));
    }
    for path in reading_paths(server) {
        for path in filled(&path, scene) {
            let (status, body) = server.get(&path, Some(token));
            let body = String::from_utf8_lossy(&body);
            given += usize::from(status == 200);
            for leak in leaks(scene, &path, &body) {
                found.push(format!("{path} ({status}) names {leak}"));
            }
        }
    }
    for query in ["q=work", "q=Zanzibar", "q=swap", "sort=planned_start"] {
        let path = format!("/api/v1/changes?{query}&limit=200");
        let body = server.get(&path, Some(token)).1;
        for leak in leaks(scene, &path, &String::from_utf8_lossy(&body)) {
            found.push(format!("{path} names {leak}"));
        }
    }
    given
}

/// Follows the links of the vendor's pages.
fn walk_pages(server: &Server, scene: &Scene, found: &mut Vec<String>) -> usize {
    let vendor = Session::begin(server, "vendor");
    let begin = ["/", "/changes", "/changes.csv", "/calendar", "/messages", "/account"];
    let mut ahead: VecDeque<String> = begin.iter().map(|path| (*path).to_owned()).collect();
    ahead.push_back(format!("/changes/{}", scene.own));
    ahead.push_back(format!("/changes/{}/runbook", scene.own));
    let mut seen: BTreeSet<String> = ahead.iter().cloned().collect();
    let mut count = 0;
    while let Some(path) = ahead.pop_front().filter(|_| count < MOST_PAGES) {
        count += 1;
        let page = vendor.get(&format!("/t/halden{path}"));
        for leak in leaks(scene, &path, &page.body) {
            found.push(format!("page {path} names {leak}"));
        }
        for link in links(&page.body) {
            let Some(next) = link
                .strip_prefix("/t/halden")
                .map(|it| it.split('#').next().unwrap_or_default())
            else {
                continue;
            };
            let is_stream = next.contains("/live") || next.contains("/sign-out");
            if !is_stream && !next.is_empty() && seen.insert(next.to_owned()) {
                ahead.push_back(next.to_owned());
            }
        }
    }
    count
}

#[test]
fn no_answer_to_the_vendor_names_a_record_outside() {
    let place = Place::demo("scoped-walk");
    let server = Server::start(&place, true);
    let mut scene = scene(&server);
    let vendor = server.token("vendor");
    let mut found = Vec::new();
    let given = walk_routes(&server, &vendor, &mut scene, &mut found);
    let pages = walk_pages(&server, &scene, &mut found);
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
    assert!(given >= FEWEST_ANSWERS && pages >= 20, "{given} answers, {pages} pages");
    // The same walk as somebody who sees everything finds the names: it looks where they are.
    let mut named = Vec::new();
    walk_routes(&server, &server.token("change_manager"), &mut scene, &mut named);
    assert!(named.len() >= 20, "only {} answers name them", named.len());
}

#[test]
fn a_refusal_to_the_vendor_names_what_they_asked_for_alone() {
    let place = Place::demo("scoped-refusals");
    let server = Server::start(&place, true);
    let scene = scene(&server);
    let vendor = server.token("vendor");
    // The dependency is unmet, and the requirement reports it without its key.
    let (status, body) = server.get(&format!("/api/v1/changes/{}/requirements", scene.own), Some(&vendor));
    let body = String::from_utf8_lossy(&body).into_owned();
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("another change"), "{body}");
    // A service outside gets the same response as one that does not exist.
    let told = |key: &str| {
        let (status, body) = server.get(&format!("/api/v1/services/{key}"), Some(&vendor));
        let body: Value = serde_json::from_slice(&body).unwrap();
        (status, body["detail"].as_str().unwrap_or_default().replace(key, "KEY"))
    };
    assert_eq!(told(SERVICE_OUT), told("nowhere-at-all"));
    assert_eq!(told(SERVICE_OUT).0, 404);
}
