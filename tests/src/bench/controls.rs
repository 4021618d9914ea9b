//! The report on the controls of a framework over a year of changes, beside fetching the whole log as an auditor does and
//! hashing it; and which of these changes touched a service before a time.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use proof::tile::entries_path;
use serde_json::json;

use super::base::Base;
use super::client::{Connection, request};
use super::load::{Amount, run, seconds_since};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, text_of};
use super::report::Line;

/// Artifacts of these changes are numbered from here.
const FIRST: u64 = 1 << 45;
/// Connections that make the changes.
const CONNECTIONS: usize = 16;
/// The longest that making them may take, in seconds.
const MAKING: f64 = 3_600.0;
/// How often it is looked whether all events have their places, every tenth of a second.
const LOOKS: usize = 18_000;
/// The events of a full bundle.
const EVENTS: u64 = 256;
/// The days over which the work is spread.
const DAYS: u64 = 360;
/// The limits of a report, in seconds and in MiB.
const SECONDS: f64 = 60.0;
const MEMORY: f64 = 300.0;
/// The limit of a further look at it, in seconds.
const AGAIN: f64 = 5.0;
/// The limit of “what changed?”, in milliseconds, and how often it is requested.
const WHAT_CHANGED_MS: f64 = 1_000.0;
const ASKED: usize = 20;

/// Makes changes whose work was done within the last year, then reports on them.
pub fn measure(product: &Product, changes: u64) -> Result<Vec<Line>> {
    let now = assent::clock::now();
    let approver = text_of(&product.person("owner")?, "login")?;
    let token = product.token("implementer");
    let amount = Amount {
        connections: CONNECTIONS,
        seconds: MAKING,
        count: changes,
    };
    let make = |number: u64| done(token, &approver, number, now);
    let made = run(product.address, amount, FIRST, 201, &make)?.took.len() as u64;
    let mut base = Base::of(product)?;
    wait_until_placed(&mut base)?;
    let (before, _) = product.memory()?;
    product.forget_most_memory()?;
    let mut auditor = Caller::new(product)?;
    let from = now - SignedDuration::from_hours(24 * 366);
    let path = format!("/control-reports/sox?from={from}&to={now}");
    let began = assent::clock::now();
    let report = auditor.ask("auditor", "GET", &path, None)?;
    let seconds = seconds_since(began);
    let (_, most) = product.memory()?;
    let began = assent::clock::now();
    let again = auditor.ask("auditor", "GET", &path, None)?;
    let once_more = seconds_since(began);
    ensure!(
        again["population"] == report["population"],
        "the report changed: {}",
        again["population"]
    );
    let population = report["population"]["changes"].as_u64().unwrap_or_default();
    ensure!(population >= made, "the report has {population} changes and not {made}");
    let began = assent::clock::now();
    let size = report["log"]["size"].as_u64().unwrap_or_default();
    let (bytes, last) = hash_log(product, size)?;
    let floor = seconds_since(began);
    let floor = format!(
        "{floor:.1} s to fetch and hash {size} events ({:.0} MB, {last:02x})",
        bytes as f64 / 1e6
    );
    let taken = (most - before).max(0.0);
    let what = format!("A control report over {population} changes");
    let memory = format!("{most:.0} MiB at most, {before:.0} MiB before it");
    Ok(vec![
        Line::below(what, seconds, format!("{seconds:.1} s"), SECONDS, "s").beside(floor),
        Line::below(
            "The same report again",
            once_more,
            format!("{once_more:.1} s"),
            AGAIN,
            "s",
        ),
        Line::below("Memory while it is made", most, memory, MEMORY, "MiB"),
        Line::below(
            "Memory of it for the report",
            taken,
            format!("{taken:.0} MiB"),
            MEMORY,
            "MiB",
        ),
        what_changed(&mut auditor, (population, now))?,
    ])
}

/// Which changes touched the service before times of the year: the slowest response.
fn what_changed(auditor: &mut Caller<'_>, (changes, now): (u64, Timestamp)) -> Result<Line> {
    let mut slowest = 0.0_f64;
    for number in 0..ASKED {
        let days = i64::try_from(number)? * 17;
        let before = now - SignedDuration::from_hours(24 * days);
        let path = format!("/what-changed?service={SERVICE}&before={before}");
        let began = assent::clock::now();
        auditor.ask("auditor", "GET", &path, None)?;
        slowest = slowest.max(seconds_since(began) * 1_000.0);
    }
    let what = format!("What changed on a service before a time, over {changes} changes, the slowest of {ASKED}");
    Ok(Line::under(what, slowest, "–", WHAT_CHANGED_MS))
}

/// The request for a change whose work is done: one request, and a report counts it.
fn done(token: &str, approver: &str, number: u64, now: Timestamp) -> Vec<u8> {
    let hours = number % DAYS * 24 + number % 20;
    let start = now - SignedDuration::from_hours(i64::try_from(hours).unwrap_or_default() + 2);
    let body = json!({
        "title": format!("Change the ribbon no{number}"), "description": "The old one is worn.", "justification": "Labels are pale.",
        "complexity": "low", "category": "application",
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact(number)}],
        "retrospective": {
            "actual_start": start.to_string(), "actual_end": (start + SignedDuration::from_mins(40)).to_string(),
            "reason": "The line stood still.", "verbal_approver": approver,
        },
    });
    request("POST", "/api/v1/changes", Some(token), Some(&body))
}

/// Fetches the full bundles of a log and hashes each: their bytes, and a byte of the hashes, so that hashing is not left out by the
/// compiler.
fn hash_log(product: &Product, size: u64) -> Result<(u64, u8)> {
    let mut connection = Connection::open(product.address)?;
    let (mut bytes, mut last) = (0, 0);
    for number in 0..size / EVENTS {
        let path = format!("/t/halden/log/{}", entries_path(number, EVENTS));
        let token = product.token("auditor");
        let answer = connection.ask(&request("GET", &path, Some(token), None))?;
        ensure!(answer.status == 200, "{path} answered {}", answer.status);
        bytes += answer.body.len() as u64;
        last ^= proof::crypto::sha256(&answer.body)[0];
    }
    Ok((bytes, last))
}

fn wait_until_placed(base: &mut Base) -> Result<()> {
    for _ in 0..LOOKS {
        if base.count("event WHERE seq IS NULL")? == 0 {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bail!("events wait for their places")
}
