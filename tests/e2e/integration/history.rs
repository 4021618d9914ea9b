//! The past of another system: imported once as reported later, with each wrong line named; it opens no gate and is in no
//! figure.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{artifact, gate_path};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

const GOOD: &str = "key,title,service,environment,outcome,approved_by,started_at,ended_at\n\
    CHG1,Sharper labels,label-print,production,succeeded,ada;bob,2026-09-01T10:00:00Z,2026-09-01T11:00:00Z\n\
    CHG2,\"Blunter labels, again\",label-print,production,failed,,2026-09-02T10:00:00Z,2026-09-02T11:00:00Z\n";
const BAD: &str = "key,title,service,environment,outcome,ended_at\n\
    CHG3,Fine,label-print,production,succeeded,2026-09-03T11:00:00Z\n\
    CHG4,,label-print,production,succeeded,2026-09-03T11:00:00Z\n\
    CHG5,Nowhere,no-such-service,production,great,2094-09-03T11:00:00Z\n";

fn import(server: &Server, role: &str, text: &str, is_dry_run: bool) -> (u16, Value) {
    let body = json!({"source": "servicenow", "text": text, "dry_run": is_dry_run});
    let (status, answer) = server.ask(
        "POST",
        "/api/v1/history-imports",
        Some(&server.token(role)),
        Some(&body),
    );
    (status, serde_json::from_slice(&answer).unwrap())
}

fn kept(server: &Server) -> Vec<Value> {
    let page = server.must(
        "GET",
        "/api/v1/imported-changes?limit=200",
        &server.token("auditor"),
        None,
    );
    page["items"].as_array().unwrap().clone()
}

/// How many a figure counts, and how many imported ones it leaves out, once it follows the log to its end.
fn excluded(server: &Server) -> (Value, Value) {
    let path =
        "/api/v1/metrics/change_failure_rate?from=2026-08-01T00:00:00Z&to=2026-10-01T00:00:00Z&service=label-print";
    let figure = || server.must("GET", path, &server.token("auditor"), None);
    server.wait_for_log();
    eventually("the figure reaches the end of the log", || {
        let shown = figure();
        shown["projected_to"] == shown["log_size"]
    });
    let found = figure();
    (found["of"].clone(), found["excluded"]["imported"].clone())
}

#[test]
fn the_past_is_imported_once_and_proves_nothing() {
    let place = Place::demo("history");
    let server = Server::start(&place, true);
    assert_eq!(import(&server, "change_manager", GOOD, true).0, 403);
    let before = excluded(&server);
    // A try writes nothing, and names each wrong line.
    let (status, told) = import(&server, "admin", BAD, true);
    assert_eq!((status, &told["added"]), (200, &json!(1)), "{told:#}");
    let lines: Vec<u64> = told["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 4, 4, 4], "{told:#}");
    // One wrong line refuses the whole.
    let (status, refused) = import(&server, "admin", BAD, false);
    assert!(
        status == 422 && refused.to_string().contains("line 4: service"),
        "{refused:#}"
    );
    assert_eq!(kept(&server).len(), 0);
    // The same again adds nothing; another value on the same change is refused.
    assert_eq!(import(&server, "admin", GOOD, false).1["added"], 2);
    let again = import(&server, "admin", GOOD, false).1;
    assert_eq!((&again["added"], &again["known"]), (&json!(0), &json!(2)));
    let (status, differs) = import(&server, "admin", &GOOD.replace(",failed,", ",succeeded,"), false);
    assert!(status == 422 && differs.to_string().contains("differs"), "{differs:#}");
    let rows = kept(&server);
    assert!(
        rows.len() == 2 && rows.iter().all(|it| it["is_imported"] == true),
        "{rows:#?}"
    );
    must_prove_nothing(&server, &before);
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn must_prove_nothing(server: &Server, before: &(Value, Value)) {
    let after = excluded(server);
    assert_eq!(before.0, after.0, "no figure counts what was governed elsewhere");
    assert_eq!(
        (&before.1, &after.1),
        (&Value::Null, &json!(2)),
        "and says how many it leaves out"
    );
    let (_, answer) = server.get(&gate_path(&artifact(95_001)), Some(&server.token("pipeline")));
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_ne!(answer["decision"], "go", "{answer:#}");
    let changes = server.must("GET", "/api/v1/changes?limit=200", &server.token("auditor"), None);
    assert!(
        !changes.to_string().contains("Sharper labels"),
        "an imported change is no change"
    );
}
