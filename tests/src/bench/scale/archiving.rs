//! Lists, searches and the gate while the archive moves changes, texts of changes are erased and raw bodies of deliveries are
//! removed; afterwards the size of an archived change, and the time in which one is opened.
//!
//! Half of the walked changes and all deliveries are made old in the database, while the product does not run: a release has no
//! clock that could be moved. A replay of the folder would report this.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::super::base::Base;
use super::super::client::request;
use super::super::load::{Amount, run, seconds_since, share_of};
use super::super::product::{Caller, Product, artifact, text_of};
use super::super::report::Line;
use super::{Engine, Point, Wish, lines_of, look};

/// The days after which a change moves, and a raw body of a delivery goes.
const DAYS: i64 = 90;
/// The span by which rows are made old, in microseconds: 120 days.
const OLDER: i64 = 120 * 24 * 60 * 60 * 1_000_000;
/// Deliveries whose bodies are removed at each size.
const DELIVERIES: u64 = 2_000;
/// The most changes whose texts are erased at each size; at most a quarter of the changes.
const ERASED: u64 = 400;
/// The most archived changes that are opened, each in a segment of its own.
const OPENED: usize = 200;
/// The most that opening one may take, in milliseconds, and that it may cost in its segment, in kilobytes.
const OPENED_MS: f64 = 200.0;
const ARCHIVED_KB: f64 = 8.0;
/// Pause between two looks at the archive, and after how many looks without progress the measure is given up.
const PAUSE: Duration = Duration::from_millis(500);
const LOOKS: usize = 1_400;

/// Measures over `changes` walked changes. `start` starts the product over the folder.
///
/// # Errors
/// When a request is refused, or the archive stands still.
pub(super) fn measure(start: &dyn Fn() -> Result<Product>, wish: &Wish, changes: u64) -> Result<Vec<Line>> {
    let product = start()?;
    switch_on(&product)?;
    deliver(&product, changes)?;
    let (moved_before, bodies_before) = (count_moved(&product)?, count_bodies(&product)?);
    drop(product);
    make_old(wish)?;
    let product = start()?;
    let (point, erased) = look_and_erase(&product, wish, changes)?;
    let archive = wait_until_moved(&product)?;
    let (moved, bodies) = (count_moved(&product)?, count_bodies(&product)?);
    let what = format!("{changes} walked changes while the archive, erasures and a purge run");
    let mut lines = lines_of(&what, &point);
    // The bytes of that moment are those of no state.
    lines.truncate(3);
    let figure = format!(
        "{} moved, {erased} erased, {} bodies removed",
        moved - moved_before,
        bodies_before - bodies
    );
    lines.push(Line::told(
        format!("During it, of {changes} walked changes"),
        figure,
        "–",
    ));
    lines.extend(archived(&product, &archive)?);
    Ok(lines)
}

/// Two people put the retention in force, unless it is.
fn switch_on(product: &Product) -> Result<()> {
    let mut caller = Caller::new(product)?;
    let kept = caller.ask("auditor", "GET", "/retention", None)?;
    if kept["archive_days"] == DAYS && kept["deliveries_days"] == DAYS {
        return Ok(());
    }
    let wanted = json!({"archive_days": DAYS, "deliveries_days": DAYS, "reason": "Measured."});
    let made = caller.ask("admin", "POST", "/retention", Some(&wanted))?;
    let path = format!("/configurations/{}/activation", text_of(&made, "id")?);
    caller.ask("change_manager", "POST", &path, Some(&json!({})))?;
    Ok(())
}

fn deliver(product: &Product, changes: u64) -> Result<()> {
    let connection = json!({"kind": "plain", "name": format!("Bench over {changes}"), "map": []});
    let made = Caller::new(product)?.ask("admin", "POST", "/connections", Some(&connection))?;
    let (path, secret) = (text_of(&made, "hook_path")?, text_of(&made, "secret")?);
    let delivering = |number: u64| {
        let body = json!({
            "id": format!("run-{changes}-{number}"), "service": "bench", "environment": "production", "status": "success",
            "artifact": artifact(number), "at": "2026-01-01T00:00:00Z",
        });
        request("POST", &path, Some(&secret), Some(&body))
    };
    let amount = Amount {
        connections: 4,
        seconds: 60.0,
        count: DELIVERIES,
    };
    run(product.address, amount, 0, 202, &delivering)?;
    Ok(())
}

/// Makes every second change and all deliveries older than the retention keeps them. Changes with an odd number stay: one of
/// them is the pattern of added rows.
fn make_old(wish: &Wish) -> Result<()> {
    let sql = format!(
        "UPDATE \"change\" SET updated_at = updated_at - {OLDER}
            WHERE tenant = 'halden' AND state = 'closed' AND number % 2 = 0 AND substr(body, 1, 1) = '{{' AND id NOT LIKE 'row-%';
         UPDATE inbox SET state = 'done', holder = '', lease_until = 0, received_at = received_at - {OLDER}
            WHERE tenant = 'halden' AND length(body) > 0;"
    );
    match &wish.engine {
        Engine::Sqlite => rusqlite::Connection::open(wish.folder.join("assent.db"))?.execute_batch(&sql)?,
        Engine::Postgres(url) => postgres::Client::connect(url, postgres::NoTls)?.batch_execute(&sql)?,
    }
    Ok(())
}

/// Measures while texts of the newest changes are erased; returns how many were.
fn look_and_erase(product: &Product, wish: &Wish, changes: u64) -> Result<(Point, u64)> {
    let newest = format!(
        "SELECT key FROM \"change\" WHERE tenant = 'halden' AND state = 'closed'
            AND title = 'Print return labels in two languages' AND id NOT LIKE 'row-%' ORDER BY number DESC LIMIT {}",
        ERASED.min(changes / 4)
    );
    let keys = Base::of(product)?.texts(&newest)?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let erasing = scope.spawn(|| erase(product, &keys, &is_over));
        let point = look(product, wish, changes);
        is_over.store(true, Ordering::Relaxed);
        let erased = erasing.join().unwrap_or_else(|_| Err(anyhow!("the eraser panicked")))?;
        Ok((point?, erased))
    })
}

fn erase(product: &Product, keys: &[String], is_over: &AtomicBool) -> Result<u64> {
    let mut caller = Caller::new(product)?;
    let mut erased = 0;
    for key in keys {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let path = format!("/changes/{key}/erasure");
        let wanted = json!({"kind": "texts", "reason": "Measured."});
        caller.ask("admin", "POST", &path, Some(&wanted))?;
        let confirmation = format!("{path}/confirmation");
        caller.ask("change_manager", "POST", &confirmation, Some(&json!({})))?;
        erased += 1;
    }
    Ok(erased)
}

/// Waits until no change is due any more; returns the contents of the archive.
fn wait_until_moved(product: &Product) -> Result<Value> {
    let mut caller = Caller::new(product)?;
    let (mut last, mut still) = (Value::Null, 0);
    while still < LOOKS {
        let archive = caller.ask("auditor", "GET", "/archive", None)?;
        if archive["waiting"] == 0 {
            return Ok(archive);
        }
        still = if archive["changes"] == last { still + 1 } else { 0 };
        last = archive["changes"].clone();
        std::thread::park_timeout(PAUSE);
    }
    bail!("the archive stands still at {last} changes")
}

fn count_moved(product: &Product) -> Result<i64> {
    Base::of(product)?.count("archived_change WHERE tenant = 'halden'")
}

fn count_bodies(product: &Product) -> Result<i64> {
    Base::of(product)?.count("inbox WHERE tenant = 'halden' AND length(body) > 0")
}

/// The cost of an archived change, and the time in which one is opened out of a segment that nobody opened before.
fn archived(product: &Product, archive: &Value) -> Result<Vec<Line>> {
    let field = |name: &str| archive[name].as_f64().unwrap_or(f64::NAN);
    let kilobytes = field("bytes") / field("changes") / 1_000.0;
    let first = format!(
        "SELECT min(c.key) FROM archived_change a JOIN \"change\" c ON c.tenant = a.tenant AND c.id = a.change_id
         WHERE a.tenant = 'halden' GROUP BY a.segment LIMIT {OPENED}"
    );
    let keys = Base::of(product)?.texts(&first)?;
    ensure!(!keys.is_empty(), "nothing is archived");
    let mut caller = Caller::new(product)?;
    let mut took = Vec::new();
    for key in &keys {
        let began = assent::clock::now();
        caller.ask("auditor", "GET", &format!("/changes/{key}"), None)?;
        took.push(seconds_since(began) * 1_000.0);
    }
    let figure = format!("{kilobytes:.1} kB of {} changes", field("changes"));
    let opening = format!("Opening an archived change, p95 of {}", keys.len());
    Ok(vec![
        Line::below(
            "An archived change in its segment",
            kilobytes,
            figure,
            ARCHIVED_KB,
            "kB",
        ),
        Line::under(opening, share_of(&took, 0.95), "–", OPENED_MS),
    ])
}
