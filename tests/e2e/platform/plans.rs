//! SQLite's query plans. The server logs each statement that it prepares; a statement that names a value finds its rows by it,
//! and does not walk through all of a tenant's rows.

use std::collections::BTreeSet;

use tests::{Place, Server};

/// The log levels at which a server logs its statements.
pub const LEVELS: &str = "info,assent_statements=trace";

/// Walks that are meant, by how their statements begin, and why they cost little.
const WALKS: &[(&str, &str)] = &[
    (
        "SELECT DISTINCT m.person AS reader FROM message m",
        "an index of the messages that are held",
    ),
    (
        "DELETE FROM evidence_blob",
        "a sweep once a day; the rows hold no bytes here",
    ),
    ("DELETE FROM evidence_chunk", "PostgreSQL alone keeps chunks"),
    (
        "DELETE FROM gate_use",
        "bounded: what was refused beyond the newest goes",
    ),
    ("SELECT * FROM gate_use", "bounded, as above"),
    (
        "SELECT tenant FROM unsettled",
        "a row for each tenant with unsettled changes, seldom any",
    ),
    ("DELETE FROM settled", "once all is settled"),
    (
        "SELECT count(*) AS it FROM (SELECT 1 AS one FROM",
        "at most 101 open changes, by an index of states",
    ),
    (
        "SELECT file FROM archive_garbage",
        "files of the archive that wait for their removal are few",
    ),
    ("UPDATE archive_garbage", "as above"),
    (
        "SELECT change_id FROM archived_change a",
        "a replay, which goes through everything",
    ),
    ("DELETE FROM server WHERE beat_at", "one row a server"),
    (
        "DELETE FROM session WHERE tenant = $tenant AND method",
        "once, when a provider goes; sessions end by themselves",
    ),
    (
        "SELECT \"change\".id, version",
        "a page of the list, which ends as soon as it is full; its own test looks at each",
    ),
    (
        "SELECT count(*) AS looked",
        "looks at a bounded number of changes and then says that there are more; its own test looks at where it begins",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"change\" WHERE tenant = $tenant AND \"updated_at\"",
        "at most a thousand, for a weekly look",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"condition\" WHERE tenant = $tenant AND \"state\"",
        "conditions are few",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"running\" WHERE tenant = $tenant AND \"active\"",
        "one row a service and environment",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"token\" WHERE tenant = $tenant AND \"revoked\"",
        "tokens are few",
    ),
    (
        "SELECT id, version, body, code FROM \"witness\" WHERE tenant = $tenant AND \"active\"",
        "a tenant has at most a dozen in use",
    ),
    ("SELECT count(*) AS it FROM \"webhook\"", "webhooks are few"),
    (
        "SELECT count(*) AS it FROM \"ownership\" WHERE tenant = $tenant AND \"people_group\"",
        "rows of ownership are few",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"peer_review\" WHERE tenant = $tenant AND \"person\"",
        "when somebody is compromised",
    ),
    ("UPDATE log_state", "one row a tenant"),
    ("SELECT tenant FROM revocation_state", "one row a tenant"),
    (
        "SELECT count(*) AS it FROM \"sink\"",
        "a tenant has at most twenty in use",
    ),
    (
        "SELECT id, version, body, code FROM \"sink\" WHERE tenant = $tenant AND \"active\"",
        "a tenant has at most twenty in use",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"sink\" WHERE tenant = $tenant AND \"active\"",
        "a tenant has at most twenty in use",
    ),
    (
        "SELECT s.tenant AS tenant, s.id AS id FROM sink_state",
        "one row of the log's state a tenant",
    ),
    (
        "SELECT count(*) AS active",
        "one row a sink, of which a tenant has at most twenty in use",
    ),
    (
        "SELECT w.tenant AS tenant, w.id AS id FROM webhook_state",
        "one row of the log's state a tenant",
    ),
];

/// Statements with a limit that sort all their matches first, by how they begin, and why the matches are few.
const SORTS: &[(&str, &str)] = &[
    (
        "SELECT \"change\".id, version",
        "a page of the list; its own test looks at each",
    ),
    (
        "SELECT * FROM gate_use",
        "bounded: what was refused beyond the newest goes",
    ),
    ("DELETE FROM gate_use", "bounded, as above"),
    ("SELECT * FROM second_factor", "a person has few factors"),
    (
        "SELECT * FROM session WHERE tenant = $tenant AND person = $person AND expires_at > $now",
        "a person has few living sessions",
    ),
    (
        "SELECT e.subject_table AS of_table",
        "what was written since a place of the log",
    ),
    (
        "SELECT id, version, body, code FROM \"lesson_attempt\" WHERE tenant = $tenant AND \"person\"",
        "a person tries a lesson a few times",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"configuration\"",
        "people propose few policies and tables",
    ),
    (
        "SELECT id, version, body, sealed, code FROM \"provenance\"",
        "one artifact or commit has few origins",
    ),
    (
        "SELECT person, name, query, shared, version FROM saved_view",
        "people save few views",
    ),
];

/// Fails on a logged statement that walks through a tenant's rows although it names a value of another column, or that sorts all
/// its matches for the first few. PostgreSQL plans by its own statistics, so there is nothing to look at.
pub fn must_look_up(place: &Place, server: &Server) {
    if place.database.is_some() {
        return;
    }
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let base = rusqlite::Connection::open_with_flags(place.folder.path().join("assent.db"), flags).unwrap();
    let statements = said(&server.log());
    assert!(statements.len() > 200, "only {} statements were said", statements.len());
    let is_meant = |text: &str, meant: &[(&str, &str)]| meant.iter().any(|(begin, _)| text.starts_with(begin));
    let (mut walks, mut sorts) = (Vec::new(), Vec::new());
    for text in &statements {
        let plan = plan(&base, text);
        if names_more(text) && !is_meant(text, WALKS) && walks_through(&base, &plan) {
            walks.push(text);
        }
        // Several values are several stretches of an index, which are always sorted: open states, some services.
        let is_one_stretch = text.contains(" LIMIT ") && !text.contains(" IN (");
        // A sort by the last columns alone sorts the rows of one value of the first.
        let is_sorted = plan.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
        if is_one_stretch && is_sorted && !is_meant(text, SORTS) {
            sorts.push(text);
        }
    }
    println!("{} statements, each finds its rows by what it names", statements.len());
    assert!(walks.is_empty(), "these walk through all rows of a tenant: {walks:#?}");
    assert!(
        sorts.is_empty(),
        "these sort all their matches for the first few: {sorts:#?}"
    );
}

/// The steps of a statement's plan.
fn plan(base: &rusqlite::Connection, text: &str) -> Vec<String> {
    let mut select = base.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    // Values that are not given are NULL; a plan does not depend on them.
    let details = select.raw_query().mapped(|row| row.get::<_, String>("detail"));
    details.map(Result::unwrap).collect()
}

/// The distinct statements of a log, on one line each.
fn said(log: &str) -> BTreeSet<String> {
    let texts = log.lines().filter_map(|line| {
        let told: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_one = told["target"] == "assent_statements";
        told["text"].as_str().filter(|_| is_one).map(str::to_owned)
    });
    let plain = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let looks = |text: &String| ["SELECT", "UPDATE", "DELETE"].iter().any(|verb| text.starts_with(verb));
    texts.map(plain).filter(looks).collect()
}

/// Whether a statement gives the value of another column than the tenant.
fn names_more(text: &str) -> bool {
    [" = ", " IN ("].iter().any(|sign| {
        text.match_indices(sign).any(|(at, _)| {
            let column = text[..at].rsplit([' ', '.', '(']).next().unwrap_or_default();
            let given = text[at + sign.len()..].starts_with(['$', '\'']);
            given && column.trim_matches('"') != "tenant"
        })
    })
}

/// Whether a table is read by nothing but the tenant, or by nothing at all. A table that a statement builds itself has no
/// index.
fn walks_through(base: &rusqlite::Connection, plan: &[String]) -> bool {
    let is_table = |name: &str| {
        let ask = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        base.prepare(ask).unwrap().exists([name]).unwrap()
    };
    plan.iter().any(|detail| {
        let scanned = detail.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        scanned.is_some_and(is_table) || detail.ends_with("(tenant=?)")
    })
}

#[test]
fn what_was_said_is_read_back() {
    let log = "{\"level\":\"TRACE\",\"message\":\"a statement is prepared\",\"text\":\"SELECT *\\n   FROM \\\"call\\\"\",\"target\":\"assent_statements\"}\n\
               {\"level\":\"INFO\",\"message\":\"begun\",\"text\":\"SELECT 1\",\"target\":\"assent\"}";
    assert_eq!(said(log).into_iter().collect::<Vec<_>>(), ["SELECT * FROM \"call\""]);
    assert!(names_more("FROM \"call\" WHERE tenant = $tenant AND \"state\" = $p_0"));
    assert!(names_more(
        "FROM call c WHERE tenant = $tenant AND c.state IN ('waiting')"
    ));
    assert!(!names_more("FROM call WHERE tenant = $tenant AND run_at > $now"));
}
