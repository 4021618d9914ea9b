//! Many changes: making them, then listing and searching them.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::request;
use super::load::{Amount, Load, run};
use super::product::{ENVIRONMENT, Product, SERVICE};
use super::report::Line;

/// Words of titles. Each change has three of them, so that a search for one finds a share of all changes.
const WORDS: [&str; 12] = [
    "rotate",
    "certificate",
    "upgrade",
    "database",
    "index",
    "router",
    "firmware",
    "cache",
    "payment",
    "invoice",
    "mailbox",
    "archive",
];
/// How many people look at lists at once.
const LOOKING: usize = 4;

/// The request for a new change: a draft with the usual fields of a person.
pub fn creation(token: &str, number: u64) -> Vec<u8> {
    let word = |step: u64| WORDS[(number.wrapping_mul(step) % WORDS.len() as u64) as usize];
    let body: Value = json!({
        "title": format!("{} {} {} no{number}", word(1), word(5), word(7)),
        "description": "The present version leaves support next month; the new one runs in staging since Monday.",
        "justification": "Without it security fixes stop.",
        "complexity": "low", "category": "application",
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": super::product::artifact(number)}],
    });
    request("POST", "/api/v1/changes", Some(token), Some(&body))
}

/// Makes changes of the numbers from `first` on until `amount` is reached.
pub fn fill(product: &Product, amount: Amount, first: u64) -> Result<Load> {
    let token = product.token("requester");
    run(product.address, amount, first, 201, &|number| creation(token, number))
}

/// Measures lists and searches, each mix with `asked` requests over 4 connections.
pub fn measure(product: &Product, changes: u64, seconds: f64, asked: u64) -> Result<Vec<Line>> {
    let token = product.token("requester");
    let amount = Amount {
        connections: LOOKING,
        seconds,
        count: asked,
    };
    let get = |path: &str| request("GET", &format!("/api/v1/changes?limit=50{path}"), Some(token), None);
    let lists = |number: u64| match number % 4 {
        0 => get(""),
        1 => get("&state=draft"),
        2 => get("&service=label-print&environment=production"),
        _ => get("&state=draft&risk=low&kind=normal"),
    };
    let common = |number: u64| get(&format!("&q={}", WORDS[(number % WORDS.len() as u64) as usize]));
    let narrow = |number: u64| get(&format!("&q=no{}", number.wrapping_mul(7_919) % changes.max(1)));
    let two = |number: u64| {
        let word = |step: u64| WORDS[(number.wrapping_mul(step) % WORDS.len() as u64) as usize];
        get(&format!("&q={}+{}", word(1), word(5)))
    };
    let mut lines = Vec::new();
    let mut add = |what: &str, load: Load| {
        let what = format!("{what} over {changes} changes, p95, {LOOKING} connections");
        lines.push(Line::under(what, load.share(0.95), "–", 50.0));
    };
    add("Lists", run(product.address, amount, 0, 200, &lists)?);
    add(
        "Search for a common word",
        run(product.address, amount, 0, 200, &common)?,
    );
    add(
        "Search for two common words",
        run(product.address, amount, 0, 200, &two)?,
    );
    add("Search for a rare word", run(product.address, amount, 0, 200, &narrow)?);
    Ok(lines)
}
