//! The cost of an act that concerns every open change: a global freeze over many of them, the gate right after it, a check that
//! waits, another act meanwhile, and the settler's time for the rest.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::base::Base;
use super::lists;
use super::load::{Amount, seconds_since};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, text_of};
use super::report::Line;

/// Changes whose check waits when the freeze comes.
const WAITING: u64 = 3;
/// Artifacts of this measure are numbered from here, far from those of the other measures.
const FIRST: u64 = 1 << 45;
/// The longest that making the changes may take, in seconds.
const FILLING: f64 = 1_800.0;
/// Connections that make them.
const CONNECTIONS: usize = 16;
/// How long all may take before the measure is given up, in seconds.
const PATIENCE: f64 = 600.0;

/// Measures on a product of its own with so many open changes.
///
/// # Errors
/// When a request is refused, the gate lets something through, or the settler never ends.
pub fn measure(product: &Product, open: u64) -> Result<Vec<Line>> {
    let amount = Amount {
        connections: CONNECTIONS,
        seconds: FILLING,
        count: open,
    };
    let made = lists::fill(product, amount, 0)?.took.len();
    let now = assent::clock::now();
    let mut caller = Caller::new(product)?;
    let mut checks = Vec::new();
    for number in 0..WAITING {
        let artifact = artifact(FIRST + number);
        caller.nearly_approved(&artifact, now)?;
        let question = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact,
            "wait_until": (now + SignedDuration::from_hours(5)).to_string()});
        let check = caller.ask("pipeline", "POST", "/gate-checks", Some(&question))?;
        checks.push(text_of(&check, "id")?);
    }
    let free = artifact(FIRST + WAITING);
    let asked = caller.nearly_approved(&free, now)?;
    caller.ask("change_manager", "POST", &asked.path, Some(&asked.approval))?;
    let freeze = json!({"title": "Everything stands still", "reason": "Measured.", "starts_at": now.to_string(),
        "ends_at": (now + SignedDuration::from_hours(2)).to_string()});
    let began = assent::clock::now();
    caller.ask("change_manager", "POST", "/freezes", Some(&freeze))?;
    let act = seconds_since(began) * 1_000.0;
    ensure!(!may_go(&mut caller, &free)?, "the gate lets a change through a freeze");
    let mut others: Vec<f64> = Vec::new();
    let mut turned = None;
    let rest = loop {
        let since = assent::clock::now();
        caller.ask(
            "requester",
            "POST",
            &format!("{}/comments", asked.path.trim_end_matches("/approvals")),
            Some(&json!({"text": "Still here."})),
        )?;
        others.push(seconds_since(since) * 1_000.0);
        if turned.is_none() && are_turned(&mut caller, &checks)? {
            turned = Some(seconds_since(began));
        }
        if turned.is_some() && is_settled(product)? {
            break seconds_since(began);
        }
        ensure!(seconds_since(began) < PATIENCE, "it is not settled after {PATIENCE} s");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    };
    let turned = turned.unwrap_or(rest);
    let worst = others.iter().copied().fold(0.0, f64::max);
    Ok(vec![
        Line::under(format!("A global freeze over {made} open changes"), act, "–", 50.0),
        Line::under("The slowest other act until all is settled", worst, "–", 100.0),
        Line::below(
            "Waiting checks turned after the freeze",
            turned,
            format!("{turned:.2} s"),
            1.0,
            "s",
        ),
        Line::below(
            "All open changes settled after the freeze",
            rest,
            format!("{rest:.1} s"),
            60.0,
            "s",
        ),
    ])
}

fn may_go(caller: &mut Caller<'_>, artifact: &str) -> Result<bool> {
    let question = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact});
    let check = caller.ask("pipeline", "POST", "/gate-checks", Some(&question))?;
    Ok(check["decision"] == "go")
}

/// Whether each check reports the freeze.
fn are_turned(caller: &mut Caller<'_>, checks: &[String]) -> Result<bool> {
    for id in checks {
        let check = caller.ask("pipeline", "GET", &format!("/gate-checks/{id}"), None)?;
        let reasons: &[Value] = check["reasons"].as_array().map_or(&[], Vec::as_slice);
        if reasons.iter().all(|reason| reason["code"] != "freeze") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_settled(product: &Product) -> Result<bool> {
    let mut base = Base::of(product).context("the database cannot be read")?;
    Ok(base.count("unsettled")? == 0)
}
