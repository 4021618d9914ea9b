//! Raises monitors when the watch of a change begins, and lowers them at its end. The monitors to raise follow from the changes
//! and their settings. A round updates the records, and a queued call notifies the address, so a killed server loses neither.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::card::Does;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::incident::monitor::{self, Monitor, Raised, for_place};
use model::incident::raised_monitor::{RaisedMonitor, RaisedMonitorInput};
use serde::Serialize;
use serde_json::{Value, json};
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun, in_use, in_use_by_keys};
use crate::incident::watched_changes::watched_at;

/// The kind of call that reports a monitor as raised or lowered; the subject is the id of the raised monitor.
const CALL: &str = "monitor";
/// The most changes for which one monitor is raised at once.
const MOST_RAISED: usize = 500;

impl PlainNoun for RaisedMonitor {
    type Input = RaisedMonitorInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    /// Monitors are raised by the clock.
    fn add(_cx: &mut Context<'_, '_>, _input: RaisedMonitorInput, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }
}

/// Whether a call reports a monitor.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == CALL
}

/// The monitors to raise and to lower.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    raise: Vec<(Monitor, Raised)>,
    lower: Vec<RaisedMonitor>,
}

impl Due {
    /// Whether nothing is due.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raise.is_empty() && self.lower.is_empty()
    }
}

/// The monitors that are due now. A tenant without monitors is not looked at.
///
/// # Errors
/// The store's.
pub fn find_due(cx: &mut Context<'_, '_>) -> Result<Due> {
    let monitors = in_use_by_keys::<Monitor>(cx)?;
    let raised = in_use::<RaisedMonitor>(cx)?;
    if monitors.is_empty() && raised.is_empty() {
        return Ok(Due::default());
    }
    let changes = watched_at(cx, cx.now)?;
    Ok(due(&monitors, &raised, &changes))
}

fn due(monitors: &[Monitor], raised: &[RaisedMonitor], changes: &[Change]) -> Due {
    let mut due = Due::default();
    let mut wanted: BTreeSet<(&str, &str)> = BTreeSet::new();
    for monitor in monitors {
        let mut count = 0;
        for change in changes {
            let places = monitor.places(change);
            if places.is_empty() || count >= MOST_RAISED {
                continue;
            }
            count += 1;
            wanted.insert((monitor.id.as_str(), change.key.as_str()));
            let is_known = |it: &RaisedMonitor| it.monitor == monitor.id && it.change == change.key;
            if !raised.iter().any(is_known) {
                let change = change.key.clone();
                due.raise.push((monitor.clone(), Raised { change, places }));
            }
        }
    }
    let is_over = |it: &&RaisedMonitor| !wanted.contains(&(it.monitor.as_str(), it.change.as_str()));
    due.lower = raised.iter().filter(is_over).cloned().collect();
    due
}

/// Raises and lowers the monitors that are due; returns whether there were any.
///
/// # Errors
/// The store's.
pub fn follow(cx: &mut Context<'_, '_>) -> Result<bool> {
    let due = find_due(cx)?;
    let is_news = !due.is_empty();
    for (monitor, raised) in due.raise {
        let record = RaisedMonitor {
            id: RecordId(cx.new_id()?),
            version: 0,
            change: raised.change,
            monitor: monitor.id.clone(),
            monitor_key: monitor.key.clone(),
            places: raised.places,
            at: cx.now,
            lowered_at: None,
            active: true,
        };
        let data = json!({"change_key": record.change, "monitor": record.monitor_key});
        let saved = cx.put_estate("raised_monitor.raised", record, data)?;
        queue_notice(cx, &monitor, &saved)?;
    }
    for record in due.lower {
        let lowered = RaisedMonitor {
            active: false,
            lowered_at: Some(cx.now),
            ..record
        };
        let data = json!({"change_key": lowered.change, "monitor": lowered.monitor_key});
        let saved = cx.put_estate("raised_monitor.lowered", lowered, data)?;
        // An address that got the notice “raised” also gets “lowered”, even when the monitor is out of use since.
        if let Some(stored) = record::load::<Monitor>(cx.tx, saved.monitor.as_str())? {
            queue_notice(cx, &stored.record, &saved)?;
        }
    }
    Ok(is_news)
}

fn queue_notice(cx: &mut Context<'_, '_>, monitor: &Monitor, raised: &RaisedMonitor) -> Result<()> {
    if monitor.url.is_none() {
        return Ok(());
    }
    let id = cx.new_id()?;
    Ok(call::insert(cx.tx, &id, (CALL, raised.id.as_str()), cx.now)?)
}

/// The call to make: the address and the body. The body has the present state, so a late call is still correct.
///
/// # Errors
/// The store's.
pub fn errand(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<(String, Value)>> {
    let Some(raised) = record::load::<RaisedMonitor>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(None);
    };
    let stored = record::load::<Monitor>(cx.tx, raised.monitor.as_str())?;
    let Some(url) = stored.and_then(|stored| stored.record.url) else {
        return Ok(None);
    };
    let state = if raised.active { "raised" } else { "lowered" };
    let mut body = json!({
        "id": raised.id, "state": state, "change": raised.change, "monitor": raised.monitor_key, "places": raised.places,
        "raised_at": raised.at,
    });
    if let Some(at) = raised.lowered_at {
        body["lowered_at"] = json!(at);
    }
    Ok(Some((url, body)))
}

/// The files of a tenant for Prometheus: scrape targets in the form of `file_sd`, and rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The targets, as JSON.
    pub targets: String,
    /// The rules, as JSON, which is YAML as well.
    pub rules: String,
}

/// The files of monitors as the records require them.
///
/// # Errors
/// The store's.
pub fn files(cx: &mut Context<'_, '_>) -> Result<Files> {
    let monitors = in_use_by_keys::<Monitor>(cx)?;
    let raised = in_use::<RaisedMonitor>(cx)?;
    let mut now: Vec<(&Monitor, Raised)> = Vec::new();
    for it in &raised {
        if let Some(monitor) = monitors.iter().find(|monitor| monitor.id == it.monitor) {
            let (change, places) = (it.change.clone(), it.places.clone());
            now.push((monitor, Raised { change, places }));
        }
    }
    Ok(Files {
        targets: format!("{:#}\n", monitor::targets(&now)),
        rules: format!("{:#}\n", monitor::rules(&cx.tenant(), &now)),
    })
}

/// A monitor that is raised for a change, with what Prometheus gets for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placed {
    /// The key of the monitor.
    pub monitor: String,
    /// The key of the change.
    pub change: String,
    /// The places of the change, as service/environment.
    pub places: BTreeSet<String>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The scrape targets.
    pub targets: BTreeSet<String>,
    /// The expressions of the alert rules, one for each place.
    pub expressions: Vec<String>,
}

/// The raised monitors with their targets and rules, in the order of their records (`GET /monitoring-state`).
///
/// # Errors
/// 403, or the store's.
pub fn find_placed(cx: &mut Context<'_, '_>) -> Result<Vec<Placed>> {
    noun::allow::<Monitor>(cx, Does::List)?;
    let monitors = in_use_by_keys::<Monitor>(cx)?;
    let placed = |it: RaisedMonitor| {
        let monitor = monitors.iter().find(|monitor| monitor.id == it.monitor)?;
        let expression = monitor.expression.as_deref();
        let expressions = it.places.iter().filter_map(|place| Some(for_place(expression?, place)));
        Some(Placed {
            monitor: it.monitor_key,
            change: it.change,
            raised_at: it.at,
            targets: monitor.scrape_targets.clone(),
            expressions: expressions.collect(),
            places: it.places,
        })
    };
    Ok(in_use::<RaisedMonitor>(cx)?.into_iter().filter_map(placed).collect())
}

/// The monitors that were raised for a change, in the order of time.
///
/// # Errors
/// The store's.
pub(crate) fn raised_for(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<RaisedMonitor>> {
    let filter = Filter::new().equals("change", change).order_by("id");
    Ok(record::bodies::<RaisedMonitor>(cx.tx, &filter)?)
}
