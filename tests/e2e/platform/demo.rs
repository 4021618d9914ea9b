//! The promises of `serve --demo`: a believable organisation with a past, people who have just their role's rights, changes
//! with exactly the expected approvals, and no access to data that is not its own.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::artifact;
use tests::{Place, Server, binary, on_postgres};

use crate::platform::crash::must_replay;

/// Every role of the first tenant.
const ROLES: [&str; 11] = [
    "requester",
    "owner",
    "security",
    "change_manager",
    "implementer",
    "auditor",
    "commander",
    "executive",
    "admin",
    "pipeline",
    "vendor",
];

/// Those who write changes.
const WRITERS: [&str; 5] = ["requester", "owner", "change_manager", "implementer", "pipeline"];

fn list(server: &Server, role: &str, path: &str) -> Vec<Value> {
    let token = server.token(role);
    let told = server.must("GET", &format!("/api/v1{path}"), &token, None);
    assert!(told["next"].is_null(), "{path} goes on behind one page");
    told["items"].as_array().unwrap().clone()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn the_demo_is_an_organisation_with_a_past() {
    let place = Place::demo("demo-contents");
    let server = Server::start(&place, true);
    let now = server.server_time();
    let all = list(&server, "auditor", "/changes?limit=200");
    let states: BTreeSet<&str> = all.iter().filter_map(|it| it["state"].as_str()).collect();
    let told = [
        "approved",
        "assessing",
        "authorizing",
        "cancelled",
        "closed",
        "draft",
        "implementing",
        "rejected",
        "reviewing",
        "scheduled",
    ];
    assert_eq!(states, BTreeSet::from(told), "one in every state");
    let ended: Vec<&Value> = all.iter().filter(|it| it["state"] == "closed").collect();
    let mut months = [0; 3];
    for change in &ended {
        let age = now.duration_since(time(&change["created_at"])).as_hours() / 24;
        let month = usize::try_from(age / 31).unwrap();
        assert!(month < 3, "{} is {age} days old", change["key"]);
        months[month] += 1;
    }
    assert!(
        months.iter().all(|count| *count >= 5),
        "changes in each month: {months:?}"
    );
    let outcomes: BTreeSet<&str> = ended.iter().filter_map(|it| it["outcome"].as_str()).collect();
    let kinds = ["failed", "rolled_back", "succeeded", "succeeded_with_issues"];
    assert_eq!(outcomes, BTreeSet::from(kinds), "they ended in every way");

    let services = list(&server, "auditor", "/services?limit=200");
    assert!(services.len() >= 8, "{services:?}");
    let token = server.token("auditor");
    let report = server.must("GET", "/api/v1/ownership-reports", &token, None);
    assert_eq!(report["unapprovable"], json!([]), "everything has who answers for it");
    assert!(list(&server, "auditor", "/dependencies?limit=200").len() >= 8);
    let places = list(&server, "auditor", "/environments");
    let places: BTreeMap<&str, bool> = places
        .iter()
        .map(|it| (it["key"].as_str().unwrap(), it["is_production"] == true))
        .collect();
    assert_eq!(places, BTreeMap::from([("production", true), ("staging", false)]));

    let freezes = list(&server, "auditor", "/freezes");
    let week = now + SignedDuration::from_hours(7 * 24);
    assert!(!freezes.is_empty() && freezes.iter().all(|it| time(&it["starts_at"]) >= week));
    assert!(!list(&server, "auditor", "/incidents").is_empty());
    let windows = list(&server, "auditor", "/windows");
    let is_notice = |it: &&Value| it["title"].as_str().unwrap().contains("notice");
    assert!(
        windows.iter().any(|it| is_notice(&it)),
        "a vendor's notice: {windows:?}"
    );
    must_be_logged_as_it_was(&server, now);
    must_show_what_went_against_the_rules(&server, &all);
}

/// A failed rollback, a lowered risk, a bypassed approval, and a vendor who sees their own services alone.
fn must_show_what_went_against_the_rules(server: &Server, changes: &[Value]) {
    let token = server.token("auditor");
    let show = |change: &Value| {
        let path = format!("/api/v1/changes/{}", change["key"].as_str().unwrap());
        server.must("GET", &path, &token, None)
    };
    let shown: Vec<Value> = changes.iter().map(show).collect();
    let rows = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let failed_to_go_back = |change: &Value| {
        let targets = rows(&change["targets"]);
        let mut earlier = targets.iter().flat_map(|target| rows(&target["earlier"]));
        earlier.any(|it| it["outcome"] == "rollback_failed")
    };
    let is_lowered = |change: &Value| {
        let lowered = rows(&change["risk"]["lowered"]);
        lowered.iter().any(|it| !it["accepted_by"].is_null())
    };
    let is_bypassed = |change: &Value| {
        let bypassed = rows(&change["break_glass"]["bypassed"]);
        bypassed.iter().any(|it| it["code"] == "approval_missing")
    };
    assert!(shown.iter().any(failed_to_go_back), "a rollback failed");
    assert!(shown.iter().any(is_lowered), "an approver accepted a lower value");
    assert!(shown.iter().any(is_bypassed), "break-glass bypassed an approval");
    let path = format!("/api/v1/people/{}", server.person("vendor")["login"].as_str().unwrap());
    let vendor = server.must("GET", &path, &server.token("admin"), None);
    assert!(!rows(&vendor["services"]).is_empty(), "the vendor is scoped: {vendor}");
}

/// The log begins with the demo's own event; past events were recorded now.
fn must_be_logged_as_it_was(server: &Server, now: Timestamp) {
    server.wait_for_log();
    let token = server.token("auditor");
    let (status, bytes) = server.get("/t/halden/log/tile/entries/000", Some(&token));
    assert_eq!(status, 200);
    let mut events = Vec::new();
    let mut rest = bytes.as_slice();
    // Each entry follows its length, in two bytes (C2SP tlog-tiles).
    while let [high, low, behind @ ..] = rest {
        let (entry, next) = behind.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        events.push(serde_json::from_slice::<Value>(entry).unwrap());
        rest = next;
    }
    assert_eq!(events[0]["kind"], "demo.filled");
    assert!(events.len() > 200);
    let age = now.duration_since(time(&events[0]["occurred_at"]));
    assert!(age >= SignedDuration::from_hours(90 * 24), "it begins {age:#} ago");
    for event in &events {
        let span = now.duration_since(time(&event["recorded_at"])).abs();
        // The demo was filled by this run, or by an earlier one on this day.
        assert!(span < SignedDuration::from_hours(24), "{event}");
    }
}

#[test]
fn its_people_have_just_their_roles_and_the_other_tenant_its_own() {
    let place = Place::demo("demo-people");
    let server = Server::start(&place, true);
    let may = |path: &str, body: &Value| -> BTreeSet<&str> {
        let is_let = |role: &&str| {
            let (status, _) = server.ask("POST", &format!("/api/v1{path}"), Some(&server.token(role)), Some(body));
            // A request whose body is refused (422) passed the permission check.
            assert!([201, 403, 422].contains(&status), "{role} POST {path}: {status}");
            status != 403
        };
        ROLES.into_iter().filter(is_let).collect()
    };
    assert_eq!(may("/changes", &json!({"title": "Mine"})), BTreeSet::from(WRITERS));
    assert_eq!(may("/connections", &json!({})), BTreeSet::from(["admin"]));
    let token = json!({"name": "t", "person": "ingrid", "scopes": ["read"]});
    assert_eq!(may("/tokens", &token), BTreeSet::from(["admin"]));
    assert_eq!(may("/freezes", &json!({})), BTreeSet::from(["change_manager"]));
    for role in ["other_requester", "other_admin"] {
        assert_eq!(server.person(role)["tenant"], "cartwell");
    }
    let theirs = list(&server, "other_requester", "/services");
    let ours = list(&server, "requester", "/services");
    let key = |it: &Value| it["id"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = ours.iter().map(key).collect();
    assert!(!theirs.is_empty() && theirs.iter().map(key).all(|id| !ours.contains(&id)));
}

/// Writes a change of a service, submits it, has it assessed, and returns its risk and its required approvals: what, from whom,
/// covering what, due when.
fn asked(server: &Server, number: u64, service: &str, kind: &str, level: &str) -> (String, BTreeSet<String>) {
    let now = server.server_time();
    let requester = server.token("requester");
    let hours = |hours: i64| (now + SignedDuration::from_hours(hours)).to_string();
    let mut wanted = json!({
        "title": format!("A {level} {kind} change of {service}"), "kind": kind, "description": "What.", "justification": "Why.",
        "category": "application", "complexity": level,
        "impact": {"data": "none", "availability": level, "compliance": "none"},
        "targets": [{"service": service, "environment": "production", "artifact": artifact(number)}],
        "planned_start": hours(2), "planned_end": hours(3), "plan": [{"title": "Out", "minutes": 10}],
        "rollback_plan": [{"title": "Back", "minutes": 5}], "rollback_minutes": 5,
    });
    if kind == "emergency" {
        let outage = json!({"title": "It is down", "severity": 1, "services": [service]});
        let incident = server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&outage));
        wanted["incident"] = incident["key"].clone();
    }
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    if kind == "normal" {
        let words = json!({"dependencies_reviewed": true, "security": "Looked at."});
        server.must("POST", &format!("{path}/assessment"), &requester, Some(&words));
    }
    let shown = server.must("GET", &path, &requester, None);
    let risk = shown["risk"]["level"].as_str().unwrap().to_owned();
    let told = server.must("GET", &format!("{path}/requirements"), &requester, None);
    let rows = told["obligations"].as_array().unwrap();
    let asked = rows.iter().map(|row| {
        let it = &row["obligation"];
        for more in ["lead_time", "valid_for", "training", "function"] {
            assert!(it[more].is_null(), "{it}");
        }
        assert!(it["step_up"] != true && it["dual_control"] != true, "{it}");
        let parts = ["require", "from", "covers", "aspect", "environment", "due"];
        let parts: Vec<&str> = parts.into_iter().filter_map(|part| it[part].as_str()).collect();
        parts.join(" ")
    });
    (risk, asked.collect())
}

#[test]
fn its_changes_are_asked_for_exactly_what_is_promised() {
    let place = Place::demo("demo-asks");
    let server = Server::start(&place, true);
    let usual = [
        "approval owner what start",
        "approval security what start",
        "approval change_manager what_and_when start",
        "evidence functional staging start",
        "validation close",
        "review close",
    ];
    let usual: BTreeSet<String> = usual.map(str::to_owned).into();
    let mut high = usual.clone();
    high.insert("peer_review security approval".to_owned());
    let mut risks: BTreeMap<String, String> = BTreeMap::new();
    let services = list(&server, "auditor", "/services?limit=200");
    for (number, service) in services.iter().enumerate() {
        let service = service["key"].as_str().unwrap();
        let number = 70_000 + number as u64;
        let (risk, told) = asked(&server, number, service, "normal", "low");
        let wanted = if risk == "high" { &high } else { &usual };
        assert_eq!(&told, wanted, "{risk} risk, {service}");
        risks.insert(service.to_owned(), risk);
    }
    // Services without dependants have low risk; a change of the ledger is never easy, nor is the first change of a backup that
    // nobody has rehearsed.
    for (service, risk) in [
        ("status-page", "low"),
        ("label-print", "low"),
        ("backup", "high"),
        ("ledger-db", "high"),
    ] {
        assert_eq!(risks[service], risk, "{service}");
    }
    let medium = ("medium".to_owned(), usual.clone());
    assert_eq!(asked(&server, 70_100, "driver-app", "normal", "medium"), medium);
    assert_eq!(
        asked(&server, 70_101, "booking-api", "normal", "high"),
        ("high".to_owned(), high)
    );
    let (_, urgent) = asked(&server, 70_102, "booking-api", "emergency", "low");
    let before: BTreeSet<&str> = urgent
        .iter()
        .map(String::as_str)
        .filter(|it| !it.ends_with("close"))
        .collect();
    let told = ["approval change_manager what start", "approval owner what start"];
    assert_eq!(before, BTreeSet::from(told));
}

#[test]
fn a_demo_over_somebodys_files_is_refused_and_touches_nothing() {
    let place = Place::new("demo-files");
    std::fs::write(place.folder.path().join("thesis.odt"), "Chapter one").unwrap();
    let mut server = Server::spawn(&place, true, &[]);
    assert!(!server.wait_for_end().success());
    let told = server.log();
    assert!(
        told.contains("holds other data: `thesis.odt`") && told.contains("--data with a new folder"),
        "{told}"
    );
    drop(server);
    let left = std::fs::read_dir(place.folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["thesis.odt"]);
}

#[test]
fn a_demo_over_data_of_somebody_else_is_refused_and_touches_nothing() {
    let place = Place::new("demo-foreign");
    let mut create = Command::new(binary());
    create.args(["person", "create", "--admin", "--tenant", "acme", "--login", "root"]);
    match &place.database {
        Some(url) => create
            .args(["--database", url])
            .env("ASSENT_MASTER_KEY", tests::MASTER_KEY),
        None => create.arg("--data").arg(place.folder.path()),
    };
    let done = create.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut server = Server::spawn(&place, true, &[]);
    let status = server.wait_for_end();
    assert!(!status.success());
    let told = server.log();
    assert!(
        told.contains("holds other data") && told.contains("--data with a new folder"),
        "{told}"
    );
    drop(server);
    assert!(!place.folder.path().join("demo-credentials.json").exists());
    let server = Server::start(&place, false);
    let (key, theirs) = ("/t/halden/log/key", "/t/acme/log/key");
    let told = [key, theirs].map(|path| server.get(path, None).0);
    assert_eq!(told, [404, 200], "no tenant of the demo was made");
}

/// Nobody has to clean up by hand: the routes were shut, so nothing of it was acknowledged.
#[test]
fn a_demo_that_was_killed_while_it_was_filled_is_filled_anew() {
    if on_postgres() {
        return a_demo_of_another_folder_is_refused();
    }
    let place = Place::new("demo-killed");
    let folder = place.folder.path();
    let mark = folder.join("demo.filling");
    let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |it| it.len() / 1024);
    for written in [0, 500, 1_500, 3_500] {
        let server = Server::spawn(&place, true, &[]);
        eventually("the filling has come so far", || {
            mark.exists() && size("assent.db") + size("assent.db-wal") >= written
        });
        let is_full = folder.join("demo-credentials.json").exists();
        server.kill();
        assert!(!is_full, "it was killed too late, after {written} KiB");
        assert!(mark.exists());
    }
    let mut other = Server::spawn(&place, false, &[]);
    assert!(!other.wait_for_end().success(), "half a demo is nobody's installation");
    let told = other.log();
    assert!(
        told.contains("interrupted while it was filled") && told.contains("--demo"),
        "{told}"
    );
    drop(other);
    let server = Server::start(&place, true);
    assert!(!mark.exists());
    let made = list(&server, "auditor", "/changes?limit=200");
    let keys: BTreeSet<&str> = made.iter().filter_map(|it| it["key"].as_str()).collect();
    assert!(made.len() > 20 && keys.len() == made.len(), "{} changes", made.len());
    let first = keys
        .iter()
        .map(|key| key.trim_start_matches("CHG-").parse::<usize>().unwrap());
    assert_eq!(
        first.max(),
        Some(1000 + made.len()),
        "nothing of the earlier tries is left"
    );
    let passwords = std::fs::read(folder.join("demo-credentials.json")).unwrap();
    assert!(server.stop().success());
    let server = Server::start(&place, true);
    assert_eq!(std::fs::read(folder.join("demo-credentials.json")).unwrap(), passwords);
    assert_eq!(list(&server, "auditor", "/changes?limit=200").len(), made.len());
}

/// A database that is not in the folder is nothing that a start empties.
fn a_demo_of_another_folder_is_refused() {
    let place = Place::demo("demo-elsewhere");
    std::fs::remove_file(place.folder.path().join("demo-credentials.json")).unwrap();
    let mut server = Server::spawn(&place, true, &[]);
    assert!(!server.wait_for_end().success());
    let told = server.log();
    assert!(
        told.contains("interrupted while it was filled") && told.contains("empty the database"),
        "{told}"
    );
}

#[test]
fn the_pack_sox_can_be_tried_and_says_whom_it_refuses() {
    let place = Place::demo("demo-sox");
    let server = Server::start(&place, true);
    let [admin, manager, requester] = ["admin", "change_manager", "requester"].map(|role| server.token(role));
    let pack = json!({"packs": ["sox"], "reason": "The year ends"});
    let made = server.must("POST", "/api/v1/policies", &admin, Some(&pack));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &manager, Some(&json!({})));
    let change = |service: &str| json!({"title": "Close the month", "targets": [{"service": service, "environment": "production"}]});
    let (status, answer) = server.ask("POST", "/api/v1/changes", Some(&requester), Some(&change("ledger-db")));
    let told: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, &told["code"]), (403, &json!("not_allowed")), "{told}");
    assert_eq!(told["policies"][0]["id"], "sox.act.create_function", "{told}");
    server.must("POST", "/api/v1/changes", &requester, Some(&change("booking-api")));
}

/// The demo that people get has a year behind it, so that there is something to learn from: forecasts have figures, predicted
/// and observed failures are beside each other, and planned undos and an incident's cause are among its events.
#[test]
fn a_year_of_the_demo_is_enough_to_forecast_from() {
    let place = Place::new("demo-year");
    let server = Server::start_with(&place, false, &["--demo"]);
    let token = server.token("auditor");
    let models = list(&server, "auditor", "/failure-models");
    assert!(models.len() >= 3, "one a quarter: {models:#?}");
    let newest = server.must(
        "GET",
        &format!("/api/v1/failure-models/{}", models[0]["key"].as_str().unwrap()),
        &token,
        None,
    );
    assert!(newest["outcomes"].as_i64().unwrap() >= 300, "{newest:#}");
    let environments = newest["environments"].as_array().unwrap();
    let production = environments
        .iter()
        .find(|it| it["environment"] == "production")
        .unwrap();
    assert_eq!(production["has_features"], true, "{production:#}");
    let bins = production["calibration"]["bins"].as_array().unwrap();
    assert!(bins.len() >= 5, "{production:#}");
    // The lowest first: low and high forecasts both occur, and more failed of the high ones.
    let sum = |bins: &[Value], name: &str| bins.iter().map(|it| it[name].as_i64().unwrap()).sum::<i64>();
    let (low, high) = bins.split_at(bins.len() / 2);
    assert!(sum(low, "failures") < sum(high, "failures"), "{bins:#?}");
    let [first, last] = [&bins[0], &bins[bins.len() - 1]].map(|it| it["predicted_ppm"].as_i64().unwrap());
    assert!(2 * first < last, "{bins:#?}");
    let all = sum(bins, "changes");
    assert!(all > 200, "services that fail have a figure too: {bins:#?}");

    let open = list(&server, "auditor", "/changes?limit=200&state=scheduled");
    let forecasts: Vec<Value> = open
        .iter()
        .map(|it| {
            let key = it["key"].as_str().unwrap();
            server.must("GET", &format!("/api/v1/changes/{key}/forecast"), &token, None)
        })
        .collect();
    assert!(
        forecasts.iter().any(|it| it["probability_ppm"].is_i64()),
        "one has a figure: {forecasts:#?}"
    );
    let incidents = list(&server, "auditor", "/incidents?limit=200");
    assert!(incidents.len() >= 4, "the past has its incidents: {incidents:#?}");
    each_template_can_be_used_today(&server);
    what_surrounds_changes_is_there_too(&server);
    work_is_counted_with_the_team_that_does_it(&server);
    each_whole_quarter_finds_what_was_planted(&server);
    a_reviewed_failure_moves_what_is_open(&server, &open);
    server.wait_for_log();
    assert!(server.stop().success());
    must_replay(&place);
}

/// The areas beside changes have records: a board that has decided and meets again, people who are told of changes, a vendor,
/// drift and retention.
fn what_surrounds_changes_is_there_too(server: &Server) {
    let told = |path: &str, name: &str| -> BTreeSet<String> {
        let rows = list(server, "auditor", path);
        rows.iter()
            .map(|it| it[name].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let has = |path: &str, name: &str, wanted: &[&str]| {
        let wanted: BTreeSet<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(told(path, name), wanted, "{name} of {path}");
    };
    has("/agendas", "state", &["frozen", "signed"]);
    has("/agenda-items", "outcome", &["", "approved"]);
    has("/business-units", "key", &["customer-desk", "dispatch-oslo"]);
    has("/communication-plans", "key", &["noticed-by-users"]);
    has("/communications", "stage", &["announced"]);
    has("/vendors", "key", &["cartwell"]);
    has("/vendor-notices", "state", &["announced", "completed"]);
    has("/drift-findings", "state", &["open"]);
    has("/drift-findings", "service", &["edge-dns"]);
    let sources = list(server, "auditor", "/drift-sources");
    assert_eq!(
        sources[0]["differences"], 2,
        "a change explains the other: {sources:#?}"
    );
    let rules = list(server, "auditor", "/retention-rules");
    assert!(rules.iter().any(|it| it["active"] == true), "{rules:#?}");
}

/// The work on a service is that of its team, so that figures by team differ.
fn work_is_counted_with_the_team_that_does_it(server: &Server) {
    let wanted = BTreeSet::from(["Finance", "Logistics", "Mobile", "Pricing", "Warehouse"]);
    eventually("the figures know the teams", || {
        let path = "/api/v1/metrics/success_share?by=team";
        let figure = server.must("GET", path, &server.token("auditor"), None);
        let groups = figure["groups"].as_array().unwrap().iter();
        let teams: BTreeSet<&str> = groups.map(|it| it["group"].as_str().unwrap()).collect();
        teams.is_superset(&wanted)
    });
}

/// However long the past is, no template is past its review date: the first standard change of a visitor is submitted.
fn each_template_can_be_used_today(server: &Server) {
    let templates = list(server, "auditor", "/templates");
    let now = server.server_time();
    assert!(templates.len() >= 2, "{templates:#?}");
    for template in &templates {
        assert!(time(&template["review_by"]) > now, "{template:#}");
    }
    let start = now + SignedDuration::from_hours(1);
    let wanted = json!({
        "kind": "standard", "template": "restart-label-print", "title": "Restart label printing",
        "targets": [{"service": "label-print", "environment": "production"}],
        "planned_start": start.to_string(), "planned_end": (start + SignedDuration::from_hours(1)).to_string(),
    });
    let token = server.token("requester");
    let made = server.must("POST", "/api/v1/changes", &token, Some(&wanted));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    server.must("POST", &format!("{path}/submission"), &token, Some(&json!({})));
    server.must(
        "POST",
        &format!("{path}/cancellation"),
        &token,
        Some(&json!({"reason": "Only tried."})),
    );
}

/// The quarters of the past are compared by themselves. Each whole one finds the tenant's rule with needless approvals and the
/// work on the network that fails under light rules, and nothing else; its proposal was tried on past events.
fn each_whole_quarter_finds_what_was_planted(server: &Server) {
    let whole = || {
        let mut found = list(server, "auditor", "/risk-adjustments");
        found.retain(|it| it["compared"].as_i64().unwrap() >= 180);
        found
    };
    eventually("two whole quarters are compared", || whole().len() >= 2);
    for quarter in whole() {
        let comparison = &quarter["comparison"];
        let findings = comparison["findings"].as_array().unwrap().iter();
        let findings: Vec<[&str; 2]> = findings
            .map(|it| ["kind", "subject"].map(|part| it[part].as_str().unwrap()))
            .collect();
        let planted = [
            ["useless_rule", "halden.require.platform"],
            ["under_ruled", "category network"],
        ];
        assert_eq!(findings, planted, "{}: {comparison:#}", quarter["quarter"]);
        let count = |test: &Value, name: &str| test[name].as_i64().unwrap();
        let test = &comparison["back_test"];
        assert!(comparison["proposal"].is_object(), "{comparison:#}");
        assert!(
            comparison["parameters"].is_null(),
            "no parameter meets them: {comparison:#}"
        );
        assert!(2 * count(test, "reproduced") > count(test, "changes"), "{test:#}");
        assert!(
            count(test, "rerouted") >= 20 && count(test, "failures_met") >= 3,
            "{test:#}"
        );
        let removals = comparison["removals"].as_array().unwrap();
        assert_eq!(
            (removals.len(), &removals[0]["rule"]),
            (1, &json!("halden.require.platform"))
        );
        let test = &removals[0]["back_test"];
        assert!(2 * count(test, "reproduced") > count(test, "changes"), "{test:#}");
        assert!(count(test, "asked_less") >= 30, "{test:#}");
    }
}

/// The review of a failure names a cause that open changes share: their forecasts move everywhere, and give the reason.
fn a_reviewed_failure_moves_what_is_open(server: &Server, open: &[Value]) {
    let post = |role: &str, path: &str, body: Value| {
        server.must("POST", &format!("/api/v1{path}"), &server.token(role), Some(&body))
    };
    let cause = json!({"key": "full_disk", "name": "A full disk", "features": ["high_impact"]});
    post("admin", "/causes", cause);
    let outage = json!({"title": "The disk is full", "severity": 3, "services": ["wms"]});
    let incident = post("commander", "/incidents", outage)["key"].clone();
    let review =
        json!({"incident_key": incident, "summary": "The disk was full.", "cause": "full_disk", "is_complete": true});
    post("change_manager", "/incident-reviews", review);
    let token = server.token("auditor");
    let shown = |change: &Value| {
        let path = format!("/api/v1/changes/{}/forecast", change["key"].as_str().unwrap());
        server.must("GET", &path, &token, None)
    };
    eventually("a forecast has moved", || {
        open.iter().any(|change| shown(change)["moved_ppm"].is_i64())
    });
    let moved = open.iter().map(shown).find(|it| it["moved_ppm"].is_i64()).unwrap();
    assert!(
        moved["moved_ppm"].as_i64() > moved["probability_ppm"].as_i64(),
        "{moved:#}"
    );
    let why = moved["moves"][0].as_str().unwrap();
    assert!(why.starts_with("moved from ") && why.ends_with("full_disk"), "{why}");
}
