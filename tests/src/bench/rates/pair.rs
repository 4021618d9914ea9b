//! Two servers over one database beside one of them: the gate and new changes, by as many connections in all.

use anyhow::{Result, anyhow};
use serde_json::json;

use super::super::client::request;
use super::super::lists;
use super::super::load::{Amount, Load, run};
use super::super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact};
use super::super::report::Line;
use super::ROUNDS;

/// Artifacts and changes of this measure are numbered from here, rounds so far apart.
const FIRST: u64 = 1 << 47;
const APART: u64 = 1 << 24;
/// The share of one server's rate that two reach at least: they share the processor with the database and the load.
const SHARE: f64 = 0.9;

/// Measures at two servers over the same database.
///
/// # Errors
/// When a request is refused.
pub fn measure(servers: [&Product; 2], amount: Amount) -> Result<Vec<Line>> {
    let [one, _] = servers;
    let passing = artifact(FIRST);
    let mut caller = Caller::new(one)?;
    let change = caller.nearly_approved(&passing, assent::clock::now())?;
    caller.ask("change_manager", "POST", &change.path, Some(&change.approval))?;
    let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={passing}");
    let pipeline = one.token("pipeline");
    let asking = |_: u64| request("GET", &path, Some(pipeline), None);
    let checking = |number: u64| {
        let question = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact(number)});
        request("POST", "/api/v1/gate-checks", Some(pipeline), Some(&question))
    };
    let requester = one.token("requester");
    let creating = |number: u64| lists::creation(requester, number);
    Ok(vec![
        compared("GET /gate", servers, amount, (200, &asking))?,
        compared("Recorded gate checks (stop)", servers, amount, (201, &checking))?,
        compared("New changes", servers, amount, (201, &creating))?,
    ])
}

/// Rounds in turns at one server and at both, each of the two with half of the connections.
fn compared(
    what: &str,
    servers: [&Product; 2],
    amount: Amount,
    (wanted, make): (u16, &(dyn Fn(u64) -> Vec<u8> + Sync)),
) -> Result<Line> {
    let whole = Amount {
        seconds: amount.seconds / f64::from(ROUNDS),
        ..amount
    };
    let half = Amount {
        connections: amount.connections / 2,
        ..whole
    };
    let (mut alone, mut both) = (Load::default(), Load::default());
    let mut first = FIRST + APART;
    for _ in 0..ROUNDS {
        alone.add(run(servers[0].address, whole, first, wanted, &make)?);
        let parts: Vec<Result<Load>> = std::thread::scope(|scope| {
            let begin = |(server, place): (&&Product, u64)| {
                let (address, first) = (server.address, first + place * APART);
                scope.spawn(move || run(address, half, first, wanted, &make))
            };
            let threads: Vec<_> = servers.iter().zip(1..).map(begin).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Result<Load>>| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a thread of the load panicked")))
            };
            threads.into_iter().map(join).collect()
        });
        let mut round = Load::default();
        for part in parts {
            let part = part?;
            round.seconds = round.seconds.max(part.seconds);
            round.took.extend(part.took);
        }
        both.add(round);
        first += 3 * APART;
    }
    let what = format!(
        "{what} at two servers, {} connections in all, beside one server",
        amount.connections
    );
    Ok(Line::rates(what, both.rate(), alone.rate(), "/s", SHARE))
}
