//! How soon a waiting gate check hears of the approval that it waits for, while many others wait as well.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Scope};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::client::{Connection, request};
use super::load::share_of;
use super::product::{Caller, ENVIRONMENT, PendingDecision, Product, SERVICE, artifact, text_of};
use super::report::Line;

/// How many changes are approved: p99 is then the second longest.
const APPROVED: usize = 100;
/// Waiting threads do little, and there are hundreds of them.
const STACK: usize = 256 << 10;
/// How long an approval may take to be heard of before the measure is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Artifacts of this measure are numbered from here, far from those of the other measures.
const FIRST: u64 = 1 << 40;

/// Measures with never fewer than `waiting` checks left waiting.
pub fn measure(product: &Product, waiting: usize) -> Result<Line> {
    let now = assent::clock::now();
    let mut caller = Caller::new(product)?;
    let mut checks = Vec::new();
    let mut changes = Vec::new();
    for number in 0..waiting + APPROVED {
        let artifact = artifact(FIRST + number as u64);
        changes.push(caller.nearly_approved(&artifact, now)?);
        let question = json!({
            "service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact,
            "wait_until": (now + SignedDuration::from_hours(5)).to_string(),
        });
        let check = caller.ask("pipeline", "POST", "/gate-checks", Some(&question))?;
        checks.push(text_of(&check, "id")?);
    }
    let took = approve_one_by_one(product, &mut caller, &changes, &checks)?;
    let p99 = share_of(&took, 0.99);
    let what = format!(
        "Approval to gate, p99 of {}, {waiting} more pipelines waiting in long polls",
        took.len()
    );
    Ok(Line::under(what, p99, "–", 300.0))
}

/// Milliseconds from each approval's sending until its waiting check's response was read.
fn approve_one_by_one(
    product: &Product,
    caller: &mut Caller<'_>,
    changes: &[PendingDecision],
    checks: &[String],
) -> Result<Vec<f64>> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let took = Waiter::start_all(scope, product, checks, &is_over)
            .and_then(|hear| approve_each(caller, &changes[..APPROVED], &hear));
        // Also after a failure: the waiting threads end with their present request.
        is_over.store(true, Ordering::Relaxed);
        took
    })
}

fn approve_each(
    caller: &mut Caller<'_>,
    changes: &[PendingDecision],
    hear: &Receiver<(usize, Timestamp)>,
) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let approved_at = assent::clock::now();
        caller.ask("change_manager", "POST", &change.path, Some(&change.approval))?;
        let (which, at) = hear.recv_timeout(PATIENCE).context("nobody heard of it")?;
        if which != number {
            bail!("check {which} turned go on the approval of change {number}");
        }
        took.push(at.duration_since(approved_at).as_secs_f64() * 1_000.0);
    }
    Ok(took)
}

/// One waiting pipeline.
struct Waiter<'a> {
    product: &'a Product,
    check: &'a str,
    number: usize,
    is_over: &'a AtomicBool,
}

impl<'a> Waiter<'a> {
    /// Starts a thread for each check; returns when all of them wait.
    fn start_all<'scope>(
        scope: &'scope Scope<'scope, '_>,
        product: &'a Product,
        checks: &'a [String],
        is_over: &'a AtomicBool,
    ) -> Result<Receiver<(usize, Timestamp)>>
    where
        'a: 'scope,
    {
        let (heard, hear) = channel();
        let (begun, begin) = channel();
        for (number, check) in checks.iter().enumerate() {
            let waiter = Waiter {
                product,
                check,
                number,
                is_over,
            };
            waiter.start(scope, begun.clone(), heard.clone())?;
        }
        drop(begun);
        for _ in checks {
            begin.recv().map_err(|_| anyhow!("a waiting check was not answered"))?;
        }
        Ok(hear)
    }

    fn start<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        begun: Sender<()>,
        heard: Sender<(usize, Timestamp)>,
    ) -> Result<()>
    where
        'a: 'scope,
    {
        Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
            // A failure shows as silence: the other side waits for as long as its patience lasts.
            if let Ok(Some(at)) = self.wait(begun) {
                let _ = heard.send((self.number, at));
            }
        })?;
        Ok(())
    }

    /// Sends requests until the check turned go; nothing when the measure was over before.
    fn wait(&self, begun: Sender<()>) -> Result<Option<Timestamp>> {
        let token = self.product.token("pipeline");
        let path = format!("/api/v1/gate-checks/{}", self.check);
        let mut connection = Connection::open(self.product.address)?;
        let first = connection.ask(&request("GET", &path, Some(token), None))?;
        let is_waiting = first.json()?["decision"] == "stop";
        let waiting = request("GET", &format!("{path}?wait=20"), Some(token), None);
        // From here on the connection is open and the next request waits.
        let _ = begun.send(());
        drop(begun);
        if !is_waiting {
            bail!("the check did not wait");
        }
        while !self.is_over.load(Ordering::Relaxed) {
            let answer = connection.ask(&waiting)?;
            let at = assent::clock::now();
            if answer.json()?["decision"] == "go" {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}
