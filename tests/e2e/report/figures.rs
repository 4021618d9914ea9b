//! Every figure of the demo equals a manual count over the changes, and opens the rows that it is counted from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server};

/// All items of a list, page by page.
pub(crate) fn all(server: &Server, path: &str) -> Vec<Value> {
    let (token, mut items, mut after) = (server.token("executive"), Vec::new(), String::new());
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = server.must("GET", &format!("{path}{joint}limit=200{after}"), &token, None);
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return items,
        }
    }
}

fn figure(server: &Server, path: &str) -> Value {
    server.must(
        "GET",
        &format!("/api/v1/metrics/{path}"),
        &server.token("executive"),
        None,
    )
}

/// The number of rows for each value of a field.
pub(crate) fn words(rows: &[Value]) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for row in rows {
        *found.entry(row["counted"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    found
}

/// The figure matches its rows.
fn must_agree(server: &Server, id: &str, query: &str) -> Value {
    let shown = figure(server, &format!("{id}?{query}"));
    let rows = all(server, &format!("/api/v1/metrics/{id}/rows?{query}"));
    let found = words(&rows);
    let count = |word: &str| found.get(word).copied().unwrap_or_default();
    assert_eq!(shown["hits"], json!(count("hit")), "{id}?{query}");
    assert_eq!(shown["of"], json!(count("hit") + count("miss")), "{id}?{query}");
    for (why, excluded) in shown["excluded"].as_object().unwrap() {
        assert_eq!(*excluded, json!(count(why)), "{id}?{query}: {why}");
    }
    shown
}

#[test]
fn each_figure_of_the_demo_is_a_hand_count_over_its_changes_and_opens_its_rows() {
    let place = Place::demo("figures");
    let server = Server::start(&place, true);
    let is_whole = || {
        let shown = figure(&server, "success_share");
        shown["projected_to"] == shown["log_size"] && shown["of"].as_i64().is_some_and(|of| of > 0)
    };
    eventually("the figures reach the end of the log", is_whole);
    let metrics = all(&server, "/api/v1/metrics");
    assert_eq!(metrics.len(), 10);
    for metric in &metrics {
        let id = metric["id"].as_str().unwrap();
        let shown = must_agree(&server, id, "environment=");
        assert_eq!(
            shown["definition"]["digest"], metric["digest"],
            "{id} names its definition"
        );
        for by in [
            "team",
            "service",
            "kind",
            "category",
            "risk",
            "template",
            "environment",
            "vendor",
        ] {
            must_agree(&server, id, &format!("by={by}"));
        }
    }
    // Counted manually: changes that ended in the window of the definition, by their own fields.
    let (from, to) = ("2000-01-01", "2100-01-01");
    assert_eq!(
        server
            .ask(
                "GET",
                &format!("/api/v1/metrics/success_share?from={from}&to={to}"),
                Some(&server.token("executive")),
                None
            )
            .0,
        422,
        "ten years at most"
    );
    let window = figure(&server, "success_share");
    let (from, to) = (window["from"].as_str().unwrap(), window["to"].as_str().unwrap());
    let changes = all(&server, "/api/v1/changes");
    let within = |it: &&Value| it["actual_end"].as_str().is_some_and(|at| from <= at && at < to);
    let ended: Vec<&Value> = changes
        .iter()
        .filter(within)
        .filter(|it| it["succeeded"].is_boolean())
        .collect();
    let by_hand = ended.iter().filter(|it| it["succeeded"] == true).count();
    let rows = all(&server, "/api/v1/metrics/success_share/rows");
    let shown: Vec<&Value> = rows.iter().filter(|it| it["counted"] != "skipped").collect();
    assert_eq!(shown.len(), ended.len());
    let excluded: Vec<&str> = shown
        .iter()
        .filter(|it| !["hit", "miss"].contains(&it["counted"].as_str().unwrap()))
        .map(|it| it["key"].as_str().unwrap())
        .collect();
    let out = ended
        .iter()
        .filter(|it| excluded.contains(&it["key"].as_str().unwrap()));
    let out = out.filter(|it| it["succeeded"] == true).count();
    assert_eq!(window["hits"], json!(by_hand - out));
}

#[test]
fn each_metric_has_a_link_on_the_page_of_metrics() {
    let place = Place::demo("metrics-linked");
    let server = Server::start(&place, true);
    let metrics = server.must("GET", "/api/v1/metrics", &server.token("auditor"), None);
    let page = Session::begin(&server, "auditor").get("/t/halden/metrics").body;
    let metrics = metrics["items"].as_array().unwrap();
    assert!(metrics.len() >= 10, "{metrics:?}");
    for it in metrics {
        let link = format!("/t/halden/metrics/{}", it["id"].as_str().unwrap());
        let is_linked = [format!("{link}\""), format!("{link}?")]
            .iter()
            .any(|it| page.contains(it.as_str()));
        assert!(is_linked, "{link}");
    }
}

#[test]
fn the_event_log_has_the_events_of_each_change_in_both_formats() {
    let place = Place::demo("event-log");
    let server = Server::start(&place, true);
    let token = server.token("auditor");
    let ask = |format: &str| server.must("GET", &format!("/api/v1/event-log?format={format}"), &token, None);
    eventually("the projection reaches the changes", || {
        ask("csv")["cases"].as_i64().unwrap() > 10
    });
    let (xes, csv) = (ask("xes"), ask("csv"));
    let text = |log: &Value| log["text"].as_str().unwrap().to_owned();
    assert_eq!(
        text(&xes).matches("<trace>").count() as i64,
        xes["cases"].as_i64().unwrap()
    );
    assert_eq!(
        text(&xes).matches("<event>").count() as i64,
        xes["events"].as_i64().unwrap()
    );
    assert_eq!(text(&csv).lines().count() as i64, csv["events"].as_i64().unwrap() + 1);
    assert!(text(&csv).starts_with("case_id,activity,timestamp,resource,kind,risk,services\n"));
    let (code, told) = server.ask("GET", "/api/v1/event-log?format=pdf", Some(&token), None);
    assert!(
        code == 422 && String::from_utf8_lossy(&told).contains("xes, csv"),
        "{code}"
    );
}

/// pm4py reads both formats and finds the variants, the durations and the beginnings that the lines of the file have.
const PROCESS_MINING: &str = r#"
import collections, csv, json, pathlib, sys, warnings
warnings.simplefilter("ignore")
import pandas, pm4py
folder = pathlib.Path(sys.argv[1])
xes = pm4py.read_xes(str(folder / "log.xes"))
table = pandas.read_csv(folder / "log.csv")
table["timestamp"] = pandas.to_datetime(table["timestamp"], utc=True)
other = pm4py.format_dataframe(table, case_id="case_id", activity_key="activity", timestamp_key="timestamp")
# Counted by hand from the lines, without pm4py.
cases = collections.OrderedDict()
for row in csv.DictReader((folder / "log.csv").open()):
    cases.setdefault(row["case_id"], []).append(row)
moment = lambda row: pandas.Timestamp(row["timestamp"])
variants = collections.Counter(tuple(row["activity"] for row in rows) for rows in cases.values())
durations = sorted((moment(rows[-1]) - moment(rows[0])).total_seconds() for rows in cases.values())
assert len(variants) > 3 and durations[-1] > 0, (len(variants), durations[-1:])
changes = json.loads((folder / "changes.json").read_text())
for log in (xes, other):
    assert dict(pm4py.get_variants(log)) == dict(variants)
    assert sorted(pm4py.get_all_case_durations(log)) == durations
    assert pm4py.get_start_activities(log) == {"change.created": len(cases)}
    begun = log.groupby("case:concept:name")["time:timestamp"].min()
    for change in changes:
        if change["key"] in cases:
            wanted = pandas.Timestamp(change["created_at"]).floor("ms")
            assert begun[change["key"]].floor("ms") == wanted, change["key"]
print(len(cases), len(variants))
"#;

#[test]
fn pm4py_reads_the_event_log_and_finds_the_same_times_and_variants() {
    let place = Place::demo("event-log-pm4py");
    let server = Server::start(&place, true);
    let token = server.token("auditor");
    let ask = |format: &str| server.must("GET", &format!("/api/v1/event-log?format={format}"), &token, None);
    eventually("the projection reaches the changes", || {
        let shown = figure(&server, "success_share");
        shown["projected_to"] == shown["log_size"] && ask("csv")["cases"].as_i64().unwrap() > 10
    });
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    for format in ["xes", "csv"] {
        let text = ask(format)["text"].as_str().unwrap().to_owned();
        std::fs::write(folder.join(format!("log.{format}")), text).unwrap();
    }
    let changes = Value::Array(all(&server, "/api/v1/changes"));
    std::fs::write(folder.join("changes.json"), changes.to_string()).unwrap();
    let python = std::env::var_os("ASSENT_TEST_PYTHON").expect("run by cargo xtask test, which installs the judges");
    let told = std::process::Command::new(python)
        .args(["-c", PROCESS_MINING])
        .arg(folder)
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}
