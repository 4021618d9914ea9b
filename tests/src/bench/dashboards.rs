//! Dashboards of the roles over many changes: how long the server takes for the figures of each, beside reading and parsing as many rows
//! as they are computed from.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::client::request;
use super::lists::fill;
use super::load::{Amount, Load, run, seconds_since, share_of};
use super::product::{Caller, Product};
use super::report::Line;

/// The dashboards of the roles.
const DASHBOARDS: [&str; 9] = [
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
/// Requests of each dashboard.
const ASKED: u64 = 100;
/// The most that a dashboard may take, in milliseconds.
const LIMIT_MS: f64 = 50.0;
/// The most rows that a dashboard reads.
const READ: u32 = 5_000;
/// How often each dashboard is requested after an act.
const ACTS: u64 = 20;
/// The changes of these acts are numbered from here, far from those of other measures.
const FIRST: u64 = 1 << 44;
/// How often the floor is measured.
const FLOOR_RUNS: usize = 20;
/// How long the figures may take to reach the end of the log, in tenths of a second.
const CATCHING_UP: usize = 18_000;

/// Measures each dashboard over so many changes.
pub fn measure(product: &Product, changes: u64) -> Result<Vec<Line>> {
    catch_up(product)?;
    let floor = match product.database_url() {
        Some(_) => "–".to_owned(),
        None => format!("{:.1} ms, reading and parsing {READ} rows", floor(product)?),
    };
    let amount = Amount {
        connections: 1,
        seconds: 60.0,
        count: ASKED,
    };
    let token = product.token("change_manager");
    let one = |dashboard: &&str| -> Result<Line> {
        let path = format!("/api/v1/dashboards/{dashboard}/figures");
        let took = run(product.address, amount, 0, 200, &|_| {
            request("GET", &path, Some(token), None)
        })?;
        let what = format!("Dashboard {dashboard} over {changes} changes, p95 of {ASKED}, one connection");
        Ok(Line::under(what, took.share(0.95), floor.clone(), LIMIT_MS))
    };
    let mut lines: Vec<Line> = DASHBOARDS.iter().map(one).collect::<Result<_>>()?;
    for (place, dashboard) in (0..).zip(DASHBOARDS) {
        let took = after_acts(product, dashboard, FIRST + place * ACTS)?;
        let what = format!("Dashboard {dashboard} over {changes} changes, each time after an act, p95 of {ACTS}");
        lines.push(Line::under(what, took, floor.clone(), LIMIT_MS));
    }
    Ok(lines)
}

/// The first request of a dashboard after an act, again and again: nothing that was found before it may be shown.
fn after_acts(product: &Product, dashboard: &str, first: u64) -> Result<f64> {
    let path = format!("/api/v1/dashboards/{dashboard}/figures");
    let once = Amount {
        connections: 1,
        seconds: 60.0,
        count: 1,
    };
    let mut all = Load::default();
    for number in first..first + ACTS {
        fill(product, once, number)?;
        all.add(run(product.address, once, 0, 200, &|_| {
            request("GET", &path, Some(product.token("change_manager")), None)
        })?);
    }
    Ok(all.share(0.95))
}

/// Waits until the figures include all of the log.
fn catch_up(product: &Product) -> Result<()> {
    // The response for a window without changes has the position of the rows as well.
    let path = "/metrics/emergency_share?from=2020-01-01&to=2020-01-02";
    for _ in 0..CATCHING_UP {
        let shown: Value = Caller::new(product)?.ask("change_manager", "GET", path, None)?;
        if shown["projected_to"] == shown["log_size"] {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bail!("the figures do not reach the end of the log")
}

/// Reading the newest rows of the projection and parsing their bodies, in milliseconds, the 95th of a hundred.
fn floor(product: &Product) -> Result<f64> {
    let base = rusqlite::Connection::open(product.database())?;
    let mut rows = base.prepare(
        "SELECT body FROM change_outcome WHERE tenant = 'halden' ORDER BY moved_at DESC, number DESC LIMIT ?1",
    )?;
    let mut took = Vec::new();
    for _ in 0..FLOOR_RUNS {
        let begun = assent::clock::now();
        let mut parsed = 0_usize;
        for body in rows.query_map([READ], |row| row.get::<_, String>(0))? {
            let value: Value = serde_json::from_str(&body?)?;
            parsed += usize::from(value.is_object());
        }
        ensure!(parsed > 0, "the projection has no rows");
        took.push(seconds_since(begun) * 1_000.0);
    }
    Ok(share_of(&took, 0.95))
}
