//! How the statements of the sweeps, the queues and their lists find their rows: by an index with their condition, whatever
//! else a table contains.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jiff::Timestamp;

use crate::change::form_draft;
use crate::compliance::{archive, retention};
use crate::identity::{second_factor, session, workload};
use crate::integration::{inbox, webhook};
use crate::queue::{lease, timer};
use crate::record::Filter;
use crate::{Config, Error, Lane, Mode, Result, Row, Store, Value, idempotency};

/// The plan of a statement on SQLite, a line a step.
fn plan(store: &Store, sql: &str) -> String {
    let params: Vec<(&'static str, Value)> = [
        ("now", Timestamp::UNIX_EPOCH.into()),
        ("before", Timestamp::UNIX_EPOCH.into()),
        ("from", Timestamp::UNIX_EPOCH.into()),
        ("last", Timestamp::UNIX_EPOCH.into()),
        ("most", 1_000_i64.into()),
        ("skipped", 999_i64.into()),
        ("limit", 20_i64.into()),
        ("empty", (&[][..] as &[u8]).into()),
        ("after", "x".into()),
        ("held", true.into()),
        ("open", true.into()),
        ("connection", "x".into()),
        ("state", "parked".into()),
        ("of", "x".into()),
        ("until", Timestamp::UNIX_EPOCH.into()),
        ("holder", "x".into()),
        ("believed", Timestamp::UNIX_EPOCH.into()),
    ]
    .into_iter()
    .filter(|(name, _)| sql.contains(&format!("${name}")))
    .collect();
    let ask = format!("EXPLAIN QUERY PLAN {sql}");
    let lines = |rows: Vec<Row>| -> Result<String> {
        let lines = rows.iter().map(|row| row.text("detail"));
        Ok(lines.collect::<Result<Vec<_>>>()?.join("\n"))
    };
    let done = if sql.contains("$tenant") {
        store.wait(Lane::Pages, "acme", Mode::Read, move |tx| tx.query(&ask, &params))
    } else {
        store.wait_across(Lane::Worker, "a plan", Mode::Read, move |tx| tx.query(&ask, &params))
    };
    lines(done.unwrap()).unwrap()
}

/// A statement, the index that it uses, and whether its results may be sorted.
fn statements() -> Vec<(String, &'static str, bool)> {
    vec![
        (
            session::PRUNE.to_owned(),
            "session_across_by_expires_at (expires_at<?)",
            false,
        ),
        (
            second_factor::PRUNE.to_owned(),
            "ceremony_across_by_expires_at (expires_at<?)",
            false,
        ),
        (
            idempotency::LAST_OF_MOST.to_owned(),
            "idempotency_across_by_created_at (created_at<?)",
            false,
        ),
        (
            idempotency::PRUNE.to_owned(),
            "idempotency_across_by_created_at (created_at<?)",
            false,
        ),
        (
            webhook::PRUNE.to_owned(),
            "webhook_delivery_across_by_state_ended_at (state=? AND ended_at<?)",
            false,
        ),
        (timer::FAILING.to_owned(), "timer_across_failing", false),
        (
            timer::changes_sql(),
            "change_by_state_number_created_at (tenant=? AND state=?)",
            true,
        ),
        (
            timer::CHECKS.to_owned(),
            "gate_check_by_state_id (tenant=? AND state=?)",
            true,
        ),
        (timer::READERS.to_owned(), "message_held (tenant=?)", false),
        (
            timer::ITEMS.to_owned(),
            "action_item_by_state_due_at (tenant=? AND state=?)",
            true,
        ),
        (
            timer::REVIEWS.to_owned(),
            "access_review_by_is_open (tenant=? AND is_open=?)",
            false,
        ),
    ]
}

/// The statements that lease and list deliveries.
fn of_deliveries() -> Vec<(String, &'static str, bool)> {
    vec![
        (
            lease::depth_sql("inbox"),
            "inbox_across_by_state_run_at (state=?)",
            false,
        ),
        (
            inbox::lease_sql(),
            "SEARCH inbox USING INDEX sqlite_autoindex_inbox_1 (tenant=? AND id=?)",
            true,
        ),
        (
            inbox::lease_sql(),
            "inbox_begun (tenant=? AND connection=? AND subject=? AND received_at<?)",
            true,
        ),
        (
            inbox::lease_sql(),
            "inbox_several (tenant=? AND connection=? AND received_at<?)",
            true,
        ),
        (
            inbox::list_sql(false),
            "inbox_by_connection_state_id (tenant=? AND connection=? AND state=?)",
            false,
        ),
        (
            inbox::list_sql(true),
            "inbox_by_connection_state_id (tenant=? AND connection=? AND state=? AND id<?)",
            false,
        ),
    ]
}

/// The statements that end workload credentials, and unsent drafts.
fn of_workloads() -> Vec<(String, &'static str, bool)> {
    vec![
        (
            form_draft::PRUNE.to_owned(),
            "form_draft_across_by_saved_at (saved_at<?)",
            false,
        ),
        (
            workload::PRUNE.to_owned(),
            "workload_token_across_by_expires_at (expires_at<?)",
            false,
        ),
        (
            workload::PRUNE_USED.to_owned(),
            "workload_used_across_by_expires_at (expires_at<?)",
            false,
        ),
    ]
}

/// The statements of retention.
fn of_retention() -> Vec<(String, &'static str, bool)> {
    vec![
        (
            retention::TO_ERASE.to_owned(),
            "change_to_erase (tenant=? AND updated_at>? AND updated_at<?)",
            false,
        ),
        (
            retention::FORGET.to_owned(),
            "inbox_with_body (tenant=? AND received_at>? AND received_at<?)",
            false,
        ),
        (
            retention::COUNT.to_owned(),
            "inbox_with_body (tenant=? AND received_at>? AND received_at<?)",
            false,
        ),
        (
            archive::TO_ARCHIVE.to_owned(),
            "change_to_archive (tenant=? AND updated_at<?)",
            false,
        ),
    ]
}

/// A look-up: the table, the filter, the index and whether the few matches are sorted.
type LookUp = (&'static str, Filter, &'static str, bool);

fn newest() -> Filter {
    Filter::new().descending_by("id").limit(50)
}

/// Look-ups of integrations in a long history.
fn of_signals() -> Vec<LookUp> {
    let place = || newest().equals("service", "x").equals("environment", "x");
    let elsewhere = place().differs("connection", "x").at_least("id", "x");
    let open = || newest().equals("is_over", false);
    vec![
        ("deployment", place(), "deployment_by_service_environment_id (", false),
        ("deployment", elsewhere, "deployment_by_service_environment_id (", false),
        (
            "deployment",
            newest().equals("connection", "x"),
            "deployment_by_connection_id (tenant=? AND connection=?)",
            false,
        ),
        (
            "outside_check",
            open().equals("connection", "x"),
            "outside_check_by_connection_is_over_id (tenant=? AND connection=? AND is_over=?)",
            false,
        ),
        (
            "outside_check",
            open(),
            "outside_check_by_is_over_id (tenant=? AND is_over=?)",
            false,
        ),
        (
            "drift_finding",
            newest()
                .at_least("last_seen", Timestamp::UNIX_EPOCH)
                .one_of("service", ["x", "y"]),
            "drift_finding_by_service_last_seen (tenant=? AND service=? AND last_seen>?)",
            true,
        ),
    ]
}

/// Look-ups of changes, decisions and work in a long history.
fn of_work() -> Vec<LookUp> {
    let now = Timestamp::UNIX_EPOCH;
    let closed = || Filter::new().also_one_of("state", ["closed"]).limit(500);
    let decided = Filter::new().equals("person", "x").equals("state", "standing");
    let settled = Filter::new().equals("owner", "x").is_set("settled_at");
    let active = || newest().equals("active", true);
    vec![
        (
            "approval",
            decided.at_least("at", now).descending_by("at").limit(50),
            "approval_by_person_state_at (tenant=? AND person=? AND state=? AND at>?)",
            false,
        ),
        (
            "conflict",
            Filter::new().equals("other", "x").order_by("id"),
            "conflict_by_other_id (tenant=? AND other=?)",
            false,
        ),
        (
            "running",
            active(),
            "running_by_active_id (tenant=? AND active=?)",
            false,
        ),
        (
            "running",
            active().equals("service", "x"),
            "running_by_service_active_id (tenant=? AND service=? AND active=?)",
            false,
        ),
        (
            "action_item",
            settled.descending_by("settled_at").descending_by("id").limit(50),
            "action_item_by_owner_settled_at_id (tenant=? AND owner=?",
            false,
        ),
        (
            "change",
            closed().at_least("updated_at", now).descending_by("updated_at"),
            "change_by_updated_at_number_state (tenant=? AND updated_at>?)",
            false,
        ),
        (
            "change",
            closed().less("id", "x").descending_by("id"),
            "sqlite_autoindex_change_1 (tenant=? AND id<?)",
            false,
        ),
    ]
}

#[test]
fn look_ups_in_a_long_history_read_what_they_find() {
    let folder = std::env::temp_dir().join(format!("assent-plans-of-history-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
    for (table, filter, index, is_sorted) in of_signals().into_iter().chain(of_work()) {
        let (tail, params) = filter.written().unwrap();
        let ask = format!("EXPLAIN QUERY PLAN SELECT id, body FROM \"{table}\" WHERE tenant = $tenant{tail}");
        let plan = store
            .wait(Lane::Pages, "acme", Mode::Read, move |tx| {
                let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
                let rows = tx.query(&ask, &params)?;
                let lines = rows.iter().map(|row| row.text("detail"));
                Ok::<_, Error>(lines.collect::<Result<Vec<_>>>()?.join("\n"))
            })
            .unwrap();
        assert!(plan.contains(index), "{table}{tail}\n{plan}");
        assert!(is_sorted || !plan.contains("FOR ORDER BY"), "{table}{tail}\n{plan}");
    }
    store.close();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_asked_often_goes_by_an_index_that_holds_little_else() {
    let folder = std::env::temp_dir().join(format!("assent-plans-of-queues-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
    let all = statements()
        .into_iter()
        .chain(of_deliveries())
        .chain(of_workloads())
        .chain(of_retention());
    for (sql, index, is_sorted) in all {
        let plan = plan(&store, &sql);
        assert!(plan.contains(index), "{sql}\n{plan}");
        // A common table expression in the statement is no table.
        let is_handed_on = |line: &str| {
            let name = line.strip_prefix("SCAN ").unwrap_or_default();
            plan.lines().any(|it| it == format!("CO-ROUTINE {name}"))
        };
        let walks = plan
            .lines()
            .any(|line| line.starts_with("SCAN ") && !line.contains(index) && !is_handed_on(line));
        assert!(!walks, "{sql}\n{plan}");
        assert!(is_sorted || !plan.contains("FOR ORDER BY"), "{sql}\n{plan}");
        // Found rows are looked up by their whole key, so that no more rows are read than removed.
        let is_found = sql.contains(") IN");
        let is_whole = ["digest=?)", "form=?)", "AND id=?)", "seq=?)"]
            .iter()
            .any(|end| plan.contains(end));
        assert!(!sql.starts_with("DELETE") || !is_found || is_whole, "{sql}\n{plan}");
    }
    store.close();
    std::fs::remove_dir_all(&folder).unwrap();
}
