//! The hold orders in force, and which of them hold a change.

use std::collections::BTreeSet;

use model::approval::one_hand::is_one_holder;
use model::change::record::Change;
use model::compliance::hold_order::HoldOrder;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::policy::act_facts::ActFacts;
use model::policy::decision_facts::DecisionFacts;
use serde_json::Value;
use store::record::{self, Filter, Record};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::in_use;
use crate::core::show_timeline::{records_about, records_of};

/// How many orders a refusal names.
const NAMED: usize = 3;
/// How many changes are read at once.
const CHANGES: i64 = 200;
/// Fields that name people without an act of their own: approvers requested, watchers, people notified.
const ASIDE: [&str; 4] = ["clocks", "requests", "told", "watchers"];
/// Tables of facts for policies: they name everybody whom a rule could require.
const SEEN: [&str; 2] = [ActFacts::TABLE, DecisionFacts::TABLE];

/// The orders in force now, a bounded number.
///
/// # Errors
/// The store's.
pub fn active_orders(cx: &mut Context<'_, '_>) -> Result<Vec<HoldOrder>> {
    let mut orders = in_use::<HoldOrder>(cx)?;
    orders.retain(|order| order.stands(cx.now));
    Ok(orders)
}

/// The ids of the orders that hold a change, among some.
///
/// # Errors
/// The store's.
pub fn holding(cx: &mut Context<'_, '_>, orders: &[HoldOrder], change: &Change) -> Result<Vec<String>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let names_people = orders.iter().any(|order| !order.people.is_empty());
    let mut people = BTreeSet::new();
    if names_people {
        people = people_of(cx, change)?;
        let named = orders.iter().flat_map(|order| &order.people);
        let same = with_parts(cx, named, &people)?;
        people.extend(same);
    }
    let held = orders.iter().filter(|order| order.holds(change, &people));
    Ok(held.map(|order| order.id.0.clone()).collect())
}

/// The changes in which some people had a part by one of their accounts.
fn with_parts<'p>(
    cx: &mut Context<'_, '_>,
    named: impl Iterator<Item = &'p PersonId>,
    people: &BTreeSet<PersonId>,
) -> Result<BTreeSet<PersonId>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let had_part = |named: &&PersonId| people.iter().any(|it| is_one_holder(&directory, (*named, it), now));
    Ok(named.filter(had_part).cloned().collect())
}

/// Everybody with a part in a change: the people whom the change and its records name, except those who were only
/// requested or notified.
fn people_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<BTreeSet<PersonId>> {
    let directory = cx.directory()?;
    let mut names = records_of(cx, change)?;
    names.extend(records_about(cx, change)?);
    let mut people = BTreeSet::new();
    for (table, id) in names.iter().filter(|(table, _)| !SEEN.contains(table)) {
        if let Some(row) = record::raw(cx.tx, table, id)? {
            note_people(&serde_json::from_str(&row.body)?, &directory, &mut people);
        }
    }
    Ok(people)
}

fn note_people(value: &Value, directory: &Directory, people: &mut BTreeSet<PersonId>) {
    match value {
        Value::String(text) => {
            let id = PersonId::from(text.as_str());
            if directory.people.get(&id).is_some() {
                people.insert(id);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| note_people(item, directory, people)),
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !ASIDE.contains(&name.as_str()));
            members.for_each(|(_, member)| note_people(member, directory, people));
        }
        _ => {}
    }
}

/// A change that one of some orders holds and in which a person had a part, with the id of the order.
///
/// # Errors
/// The store's.
pub(crate) fn part_held(
    cx: &mut Context<'_, '_>,
    orders: &[HoldOrder],
    person: &PersonId,
) -> Result<Option<(String, String)>> {
    for order in orders {
        let of_anybody = HoldOrder {
            people: BTreeSet::new(),
            ..order.clone()
        };
        let mut after = 0;
        loop {
            let page = record::bodies::<Change>(cx.tx, &around(order, after))?;
            for change in page.iter().filter(|it| of_anybody.holds(it, &BTreeSet::new())) {
                let people = people_of(cx, change)?;
                let has_part = !with_parts(cx, std::iter::once(person), &people)?.is_empty();
                if has_part && !holding(cx, std::slice::from_ref(order), change)?.is_empty() {
                    return Ok(Some((change.key.clone(), order.id.0.clone())));
                }
            }
            let Some(last) = page.last() else { break };
            after = last.number;
        }
    }
    Ok(None)
}

/// Some of the changes that an order may hold, after a number.
fn around(order: &HoldOrder, after: i64) -> Filter {
    let mut filter = Filter::new().more("number", after).order_by("number").limit(CHANGES);
    if !order.changes.is_empty() {
        filter = filter.one_of("key", order.changes.iter().map(String::as_str));
    }
    if let Some(to) = order.to {
        filter = filter.less("created_at", to);
    }
    if let Some(from) = order.from {
        filter = filter.at_least("updated_at", from);
    }
    filter
}

/// Refuses an erasure in a change that an order holds.
///
/// # Errors
/// 409 `under_legal_hold`, or the store's.
pub(crate) fn check_free(cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
    let orders = active_orders(cx)?;
    let held = holding(cx, &orders, change)?;
    if held.is_empty() {
        return Ok(());
    }
    let named: Vec<&str> = held.iter().take(NAMED).map(String::as_str).collect();
    let text = format!(
        "{} is under a legal hold: none of it can be erased. Hold orders that match it: {}.",
        change.key,
        named.join(", ")
    );
    let satisfy = "Lift each of them first (`POST /hold-orders/{id}/lifting`), if their requesters agree.";
    Err(Refusal::not_now("under_legal_hold", text, satisfy, Vec::new()).into())
}
