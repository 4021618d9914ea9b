//! Rates, side by side: a round of the product, a round of its floor, and so on, so that a busy moment of the machine
//! meets both.

pub mod pair;

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::base::Base;
use super::client::request;
use super::floor::{Floor, Rows, count_bundles, rows_of_one, told, weigh};
use super::lists;
use super::load::{Amount, Load, run};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact};
use super::report::Line;

/// How many rounds each side gets.
const ROUNDS: u32 = 4;
/// How many acts are weighed to learn which rows one of them writes: fewer than a bundle of the log has events.
const WEIGHED: u64 = 100;
/// How often they are weighed at most, until no bundle was filled meanwhile.
const WEIGHINGS: u64 = 4;
/// Artifacts and changes of these measures are numbered from here.
const FIRST: u64 = 1 << 41;
/// The wanted rate of new changes, each second.
const NEW_CHANGES: f64 = 2_000.0;

/// One side of a comparison.
pub struct Side<'a> {
    /// Whom it asks.
    pub address: SocketAddr,
    /// The status that it must return.
    pub wanted: u16,
    /// Makes the request of a number.
    pub make: &'a (dyn Fn(u64) -> Vec<u8> + Sync),
}

/// Runs rounds in turns and returns the result of each side.
pub fn take_turns(amount: Amount, sides: &[Side<'_>]) -> Result<Vec<Load>> {
    let amount = Amount {
        seconds: amount.seconds / f64::from(ROUNDS),
        ..amount
    };
    let mut loads: Vec<Load> = sides.iter().map(|_| Load::default()).collect();
    let mut first = FIRST + WEIGHINGS * WEIGHED;
    for _ in 0..ROUNDS {
        for (side, load) in sides.iter().zip(&mut loads) {
            load.add(run(side.address, amount, first, side.wanted, &side.make)?);
            first += 1 << 24;
        }
    }
    Ok(loads)
}

/// `GET /gate` on go, beside a bare route and a route with one look-up.
pub fn gate(product: &Product, amount: Amount) -> Result<Vec<Line>> {
    let floor = Floor::start(&[])?;
    let passing = artifact(FIRST);
    let mut caller = Caller::new(product)?;
    let change = caller.nearly_approved(&passing, assent::clock::now())?;
    caller.ask("change_manager", "POST", &change.path, Some(&change.approval))?;
    let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={passing}");
    let token = product.token("pipeline");
    let asking = |_: u64| request("GET", &path, Some(token), None);
    let looking_up = |_: u64| request("GET", "/lookup", None, None);
    let bare = |_: u64| request("GET", "/bare", None, None);
    let side = |address, make| Side {
        address,
        wanted: 200,
        make,
    };
    let sides = [
        side(product.address, &asking as &(dyn Fn(u64) -> Vec<u8> + Sync)),
        side(floor.address, &looking_up),
        side(floor.address, &bare),
    ];
    let loads = take_turns(amount, &sides)?;
    let [asked, looked_up, answered] = loads.as_slice() else {
        return Ok(Vec::new());
    };
    let what = format!("GET /gate, {} connections", amount.connections);
    // On PostgreSQL a check has a transaction of its own, and the floor one prepared statement.
    let wanted = if product.database_url().is_some() { 0.6 } else { 0.8 };
    let p99 = |load: &Load| load.share(0.99);
    let floor_p99 = format!("{:.1} ms with one look-up", p99(looked_up));
    Ok(vec![
        Line::rates(
            format!("{what}, beside one look-up"),
            asked.rate(),
            looked_up.rate(),
            "/s",
            wanted,
        ),
        Line::told(
            format!("{what}, beside a bare route"),
            format!("{:.0} /s", asked.rate()),
            format!("{:.0} /s", answered.rate()),
        ),
        Line::under(format!("{what}, p99"), p99(asked), floor_p99, 10.0),
    ])
}

/// Recorded gate checks and new changes, each beside a route that only commits as many rows of the same sizes.
pub fn writes(product: &Product, amount: Amount) -> Result<Vec<Line>> {
    let token = product.token("pipeline");
    let checking = |number| {
        let question = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact(number)});
        request("POST", "/api/v1/gate-checks", Some(token), Some(&question))
    };
    let requester = product.token("requester");
    let creating = |number| lists::creation(requester, number);
    let checks = beside_commits(product, amount, "Recorded gate checks (stop)", &checking)?;
    let changes = beside_commits(product, amount, "New changes", &creating)?;
    let reached = changes.reached(NEW_CHANGES);
    Ok(vec![checks.judged(0.3), changes.judged(0.3), reached])
}

/// A request's writes, beside a route that only commits as many rows of the same sizes.
///
/// # Errors
/// When either side refuses, or cannot be reached.
pub fn beside_commits(
    product: &Product,
    amount: Amount,
    what: &str,
    make: &(dyn Fn(u64) -> Vec<u8> + Sync),
) -> Result<Compared> {
    let rows = weigh_one(product, make).with_context(|| format!("weighing: {what}"))?;
    let floor = Floor::start(&rows)?;
    let committing = |_: u64| request("POST", "/commit", None, Some(&json!({})));
    let sides = [
        Side {
            address: product.address,
            wanted: 201,
            make,
        },
        Side {
            address: floor.address,
            wanted: 201,
            make: &committing,
        },
    ];
    let loads = take_turns(amount, &sides)?;
    ensure!(loads.len() == 2, "a side is missing");
    let connections = match amount.connections {
        1 => "one connection".to_owned(),
        many => format!("{many} connections"),
    };
    Ok(Compared {
        what: format!("{what}, {connections}, {}", told(&rows)?),
        rate: loads[0].rate(),
        floor: loads[1].rate(),
    })
}

/// Two rates of one run.
pub struct Compared {
    what: String,
    rate: f64,
    floor: f64,
}

impl Compared {
    /// As a line that wants a share of the floor's rate.
    pub fn judged(self, wanted: f64) -> Line {
        Line::rates(self.what, self.rate, self.floor, "/s", wanted)
    }

    /// As a line that wants a rate, whatever the floor's is.
    fn reached(&self, wanted: f64) -> Line {
        Line::least(
            format!("{}, in all", self.what),
            self.rate,
            format!("{:.0} /s", self.rate),
            wanted,
            "/s",
        )
    }
}

/// Which rows one act writes.
fn weigh_one(product: &Product, make: &(dyn Fn(u64) -> Vec<u8> + Sync)) -> Result<Vec<Rows>> {
    weigh_status(product, make, 201, FIRST)
}

/// The rows that one request with this status writes; requests are numbered from `first`.
pub fn weigh_status(
    product: &Product,
    make: &(dyn Fn(u64) -> Vec<u8> + Sync),
    wanted: u16,
    first: u64,
) -> Result<Vec<Rows>> {
    let mut base = Base::of(product)?;
    let amount = Amount {
        connections: 1,
        seconds: 60.0,
        count: WEIGHED,
    };
    for round in 0..WEIGHINGS {
        let (before, bundles) = (weigh(&mut base)?, count_bundles(&mut base)?);
        let done = run(product.address, amount, first + round * WEIGHED, wanted, &make)?;
        let after = weigh(&mut base)?;
        // A bundle of the log that fills meanwhile takes the bytes out of older rows.
        if count_bundles(&mut base)? == bundles {
            return Ok(rows_of_one(&before, &after, done.took.len() as f64));
        }
    }
    bail!("a bundle of the log was filled during each of {WEIGHINGS} weighings")
}
