//! How long a tenant keeps texts, files and raw deliveries. The retention is proposed like any configuration that needs
//! two people, and the clock carries it out, a few changes and deliveries at a time. Retention rules and legal holds
//! keep more than it does.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::compliance::erasure::{Erasure, Retention};
use model::compliance::hold_order::{HoldOrder, free_spans};
use model::compliance::retention_rule::too_early;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, ErasureKind};
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::policy::configuration::Configuration;
use serde_json::{Value, json};
use store::compliance::retention;

pub use crate::compliance::retention_in_force::{carried_out, in_force};
use crate::compliance::retention_in_force::{rules, since};
use crate::compliance::{erase_texts, find_holds};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};

/// How many changes one scan returns.
const CHANGES: i64 = 100;
/// The most further scans if legal holds keep all of the changes.
const PAGES: usize = 20;
/// How many held changes a refusal names.
const NAMED: usize = 5;
/// How many raw bodies one transaction forgets.
const DELIVERIES: i64 = 500;

/// Proposes a retention (`POST /retention {changes_days, deliveries_days, archive_days, reason}`); null, or a value
/// that was never set, keeps for ever and archives nothing.
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_retention(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let present = in_force(cx)?;
    let mut reading = Reading::new(body, "");
    let retention = Retention {
        changes_days: days(&mut reading, body, ("changes_days", present.changes_days)),
        deliveries_days: days(&mut reading, body, ("deliveries_days", present.deliveries_days)),
        archive_days: days(&mut reading, body, ("archive_days", present.archive_days)),
    };
    let reason = reading.needed("reason", TEXT);
    for (field, text) in too_early(retention, &rules(cx)?) {
        reading.wrong(field, "less_than_rule", text);
    }
    reading.finish()?;
    check_held(cx, present, retention)?;
    let digest = configurations::of_retention(&retention)?;
    let proposal = Configuration {
        retention: Some(retention),
        ..bare(cx, ConfigurationKind::Retention, digest, reason)?
    };
    save(cx, proposal)
}

fn days(reading: &mut Reading<'_>, body: &Body, (field, present): (&'static str, Option<i64>)) -> Option<i64> {
    match body.get(field) {
        None => present,
        Some(Value::Null) => {
            reading.value(field);
            None
        }
        Some(_) => reading.integer(field, Retention::FEWEST..=Retention::MOST),
    }
}

/// Refuses a retention that would erase more than the present one while a hold order keeps some of it: its proposer
/// must know that these records stay.
fn check_held(cx: &mut Context<'_, '_>, present: Retention, wanted: Retention) -> Result<()> {
    let is_shorter = wanted
        .changes_days
        .is_some_and(|days| present.changes_days.is_none_or(|it| days < it));
    let orders = find_holds::active_orders(cx)?;
    let before = since(cx.now, wanted.changes_days).filter(|_| is_shorter && !orders.is_empty());
    let Some(before) = before else { return Ok(()) };
    let mut held = BTreeSet::new();
    let mut last = None;
    for _ in 0..PAGES {
        let page = retention::changes_to_erase_after(cx.tx, before, last.as_ref(), CHANGES)?;
        for (_, id) in &page {
            let change = cx.change(id)?;
            if !find_holds::holding(cx, &orders, &change)?.is_empty() {
                held.insert(change.key);
            }
        }
        last = page.into_iter().last();
        if last.is_none() || held.len() >= NAMED {
            break;
        }
    }
    if held.is_empty() {
        return Ok(());
    }
    let named: Vec<&str> = held.iter().take(NAMED).map(String::as_str).collect();
    let text = format!(
        "Hold orders keep changes that this retention would erase, {} among them.",
        named.join(", ")
    );
    let satisfy = "Propose more days, or have the hold orders lifted first (`assent hold-order list`).";
    Err(Refusal::not_now("under_legal_hold", text, satisfy, Vec::new()).into())
}

/// Changes whose retention of texts has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Their ids, the oldest first.
    pub changes: Vec<String>,
    /// Where the next scan continues; `None` once all were read, so that the scan starts over.
    pub next: Option<String>,
}

/// The ids of some changes whose retention of texts has ended, the oldest first.
///
/// # Errors
/// The store's.
pub fn changes_due(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    Ok(changes_due_after(cx, None)?.changes)
}

/// The same after a position: changes under legal holds are skipped, so that they delay no later ones.
///
/// # Errors
/// The store's.
pub fn changes_due_after(cx: &mut Context<'_, '_>, after: Option<&str>) -> Result<Due> {
    let days = carried_out(cx)?.changes_days;
    let Some(before) = since(cx.now, days) else {
        return Ok(Due::default());
    };
    let orders = find_holds::active_orders(cx)?;
    let (mut changes, mut last) = (Vec::new(), after.and_then(read_place));
    for _ in 0..PAGES {
        let page = retention::changes_to_erase_after(cx.tx, before, last.as_ref(), CHANGES)?;
        let is_last = page.len() < CHANGES as usize;
        for (_, id) in &page {
            if orders.is_empty() || !is_held(cx, &orders, id)? {
                changes.push(id.clone());
            }
        }
        last = page.into_iter().last().filter(|_| !is_last);
        if last.is_none() || !changes.is_empty() {
            break;
        }
    }
    let next = last.map(|(at, id)| format!("{at} {id}"));
    Ok(Due { changes, next })
}

/// The position of a scan: when the last change was saved, and its id.
fn read_place(text: &str) -> Option<(Timestamp, String)> {
    let (at, id) = text.split_once(' ')?;
    Some((at.parse().ok()?, id.to_owned()))
}

fn is_held(cx: &mut Context<'_, '_>, orders: &[HoldOrder], id: &str) -> Result<bool> {
    let change = cx.change(id)?;
    Ok(!find_holds::holding(cx, orders, &change)?.is_empty())
}

/// Erases the texts of one such change, if they are still due.
///
/// # Errors
/// The store's.
pub fn erase_due(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let days = carried_out(cx)?.changes_days;
    let change = cx.change(id)?;
    let is_due = since(cx.now, days).is_some_and(|before| change.updated_at < before);
    if !is_due || !change.state.is_final() || change.is_kept() {
        return Ok(());
    }
    let orders = find_holds::active_orders(cx)?;
    if !find_holds::holding(cx, &orders, &change)?.is_empty() {
        return Ok(());
    }
    let erasure = Erasure {
        kind: ErasureKind::Texts,
        comment: None,
        reason: None,
        asked_by: None,
        handed_by: None,
        asked_at: cx.now,
        done_at: None,
        done_by: None,
    };
    erase_texts::erase(cx, change, erasure).map(drop)
}

/// Erases raw bodies of deliveries whose retention has ended and that no hold order holds; returns whether more may
/// wait.
///
/// # Errors
/// The store's.
pub fn forget_due(cx: &mut Context<'_, '_>) -> Result<bool> {
    let days = carried_out(cx)?.deliveries_days;
    let Some(before) = since(cx.now, days) else {
        return Ok(false);
    };
    let orders = find_holds::active_orders(cx)?;
    let mut count = 0;
    for span in free_spans(&orders, before) {
        let left = DELIVERIES - i64::try_from(count).unwrap_or(DELIVERIES);
        if left > 0 {
            count += retention::forget_deliveries_between(cx.tx, span, left)?;
        }
    }
    if count > 0 {
        let data = json!({"count": count, "received_before": before});
        let subject = ("tenant_info", cx.tenant());
        cx.emit(
            vec![draft("deliveries.forgotten", subject, cx.now, data)],
            Written::default(),
        )?;
    }
    Ok(i64::try_from(count).is_ok_and(|count| count == DELIVERIES))
}
