//! A dry run of the retention: records to erase now, records that a hold order keeps, and records that a retention rule
//! still keeps. Nothing is written.

use model::compliance::erasure::Retention;
use model::compliance::hold_order::free_spans;
use model::compliance::retention_rule::{RetentionRule, applied};
use model::core::act::actions;
use model::core::refusal::Refusal;
use serde::Serialize;
use store::compliance::{archive, retention};

use crate::compliance::find_holds::{active_orders, holding};
use crate::compliance::retention_in_force::{in_force, rules, since};
use crate::core::context::Context;
use crate::core::error::Result;

/// How many changes one dry run reads.
pub const LOOKED: usize = 2_000;
/// The largest counts of deliveries, and of changes for the archive.
pub const COUNTED: i64 = 10_000;
/// How many changes are read at once.
const PAGE: i64 = 200;

/// A dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetentionPreview {
    /// The tried retention, limited by the rules.
    #[serde(flatten)]
    pub retention: Retention,
    /// The keys of the rules that are on.
    pub rules: Vec<String>,
    /// The changes whose texts and files would be erased, the oldest first.
    pub changes: Vec<String>,
    /// The changes that are due and that hold orders keep.
    pub held: Vec<HeldByOrders>,
    /// Whether more changes are due than were read.
    pub is_more: bool,
    /// How many raw bodies of deliveries would be erased, counted up to [`COUNTED`].
    pub deliveries: i64,
    /// How many more would be erased without hold orders, counted up to [`COUNTED`].
    pub deliveries_held: i64,
    /// How many changes would move to the archive, counted up to [`COUNTED`].
    pub to_archive: i64,
}

/// A change under hold orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldByOrders {
    /// The change's key.
    pub change: String,
    /// The ids of the orders.
    pub orders: Vec<String>,
}

/// The trial values that replace the retention in force; absent for the retention in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// Days for changes.
    pub changes_days: Option<i64>,
    /// Days for deliveries.
    pub deliveries_days: Option<i64>,
}

/// Previews the retention in force, or another one.
///
/// # Errors
/// 403, 422 for days out of range, or the store's.
pub fn preview_retention(cx: &mut Context<'_, '_>, tried: Tried) -> Result<RetentionPreview> {
    cx.allow(actions::AUDIT)?;
    for (field, days) in [
        ("changes_days", tried.changes_days),
        ("deliveries_days", tried.deliveries_days),
    ] {
        if days.is_some_and(|days| !(Retention::FEWEST..=Retention::MOST).contains(&days)) {
            let text = format!("`{field}` is {} to {}.", Retention::FEWEST, Retention::MOST);
            return Err(Refusal::field(field, "out_of_range", text).into());
        }
    }
    let in_force = in_force(cx)?;
    let wanted = Retention {
        changes_days: tried.changes_days.or(in_force.changes_days),
        deliveries_days: tried.deliveries_days.or(in_force.deliveries_days),
        ..in_force
    };
    let rules = rules(cx)?;
    let mut preview = RetentionPreview {
        retention: applied(wanted, &rules),
        rules: rules.iter().filter(|rule| rule.active).map(key).collect(),
        changes: Vec::new(),
        held: Vec::new(),
        is_more: false,
        deliveries: 0,
        deliveries_held: 0,
        to_archive: 0,
    };
    look_at_changes(cx, &mut preview)?;
    count_rest(cx, &mut preview)?;
    Ok(preview)
}

fn key(rule: &RetentionRule) -> String {
    rule.key.clone()
}

fn look_at_changes(cx: &mut Context<'_, '_>, preview: &mut RetentionPreview) -> Result<()> {
    let Some(before) = since(cx.now, preview.retention.changes_days) else {
        return Ok(());
    };
    let orders = active_orders(cx)?;
    let mut last = None;
    while preview.changes.len() + preview.held.len() < LOOKED {
        let page = retention::changes_to_erase_after(cx.tx, before, last.as_ref(), PAGE)?;
        for (_, id) in &page {
            let change = cx.change(id)?;
            let orders = holding(cx, &orders, &change)?;
            if orders.is_empty() {
                preview.changes.push(change.key);
            } else {
                let change = change.key;
                preview.held.push(HeldByOrders { change, orders });
            }
        }
        last = page.into_iter().last();
        if last.is_none() {
            return Ok(());
        }
    }
    preview.is_more = !retention::changes_to_erase_after(cx.tx, before, last.as_ref(), 1)?.is_empty();
    Ok(())
}

fn count_rest(cx: &mut Context<'_, '_>, preview: &mut RetentionPreview) -> Result<()> {
    if let Some(before) = since(cx.now, preview.retention.deliveries_days) {
        let orders = active_orders(cx)?;
        for span in free_spans(&orders, before) {
            preview.deliveries += retention::count_deliveries(cx.tx, span, COUNTED)?;
        }
        let all: i64 = match free_spans(&[], before).first() {
            Some(span) => retention::count_deliveries(cx.tx, *span, COUNTED)?,
            None => 0,
        };
        preview.deliveries = preview.deliveries.min(COUNTED);
        preview.deliveries_held = (all - preview.deliveries).max(0);
    }
    if let Some(before) = since(cx.now, preview.retention.archive_days) {
        preview.to_archive = archive::waiting(cx.tx, before, COUNTED)?;
    }
    Ok(())
}
