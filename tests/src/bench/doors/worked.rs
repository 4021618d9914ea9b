//! Deliveries that each make a draft: how many a second have had their effect once the last of them was accepted.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::base::Base;
use super::super::client::request;
use super::super::load::{Amount, run, seconds_since};
use super::super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, text_of};
use super::super::report::Line;

/// Artifacts of the deliveries are numbered from here.
const FIRST: u64 = 1 << 48;
/// The wanted rate, each second.
const WANTED: f64 = 1_000.0;
/// How many senders deliver at once.
const SENDERS: usize = 16;
/// Pause between two looks, and the longest time until all are done, in seconds.
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: f64 = 600.0;

/// Delivers so many requested deployments of one service, and waits until each has its draft.
///
/// # Errors
/// When a delivery is refused, or one is set aside.
pub fn measure(product: &Product, count: u64) -> Result<Line> {
    let map = json!([{"repository": "labels", "service": SERVICE, "environments": {"live": ENVIRONMENT}}]);
    let connection = json!({"kind": "plain", "name": "Bench of drafts", "map": map});
    let made = Caller::new(product)?.ask("admin", "POST", "/connections", Some(&connection))?;
    let (id, path, secret) = (
        text_of(&made, "id")?,
        text_of(&made, "hook_path")?,
        text_of(&made, "secret")?,
    );
    let delivering = |number: u64| {
        let body = json!({
            "id": format!("draft-{number}"), "service": "labels", "environment": "live", "artifact": artifact(number),
        });
        request("POST", &path, Some(&secret), Some(&body))
    };
    let mut base = Base::of(product)?;
    let changes = "\"change\" WHERE tenant = 'halden'";
    let before = base.count(changes)?;
    let amount = Amount {
        connections: SENDERS,
        seconds: PATIENCE,
        count,
    };
    let began = assent::clock::now();
    let accepted = run(product.address, amount, FIRST, 202, &delivering)?;
    let of_these = |state: &str| format!("inbox WHERE tenant = 'halden' AND connection = '{id}' AND state = '{state}'");
    while base.count(&of_these("waiting"))? > 0 {
        ensure!(seconds_since(began) < PATIENCE, "deliveries wait after {PATIENCE} s");
        std::thread::park_timeout(PAUSE);
    }
    let seconds = seconds_since(began);
    let parked = base.count(&of_these("parked"))?;
    ensure!(parked == 0, "{parked} deliveries were set aside");
    let drafted = base.count(changes)? - before;
    let wanted = i64::try_from(count).context("too many deliveries")?;
    ensure!(drafted == wanted, "{drafted} changes of {count} deliveries");
    let rate = count as f64 / seconds.max(f64::EPSILON);
    let what = format!("Deliveries worked, each of which makes a draft, {SENDERS} connections, {count} of one service");
    let figure = format!("{rate:.0} /s, accepted at {:.0} /s", accepted.rate());
    Ok(Line::least(what, rate, figure, WANTED, "/s"))
}
