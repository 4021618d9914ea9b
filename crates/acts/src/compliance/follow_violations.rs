//! The round that opens an action item for each violation that the control rules find, and settles the item once they
//! no longer find the violation. The round follows the log from a position of its own. A finding has one item, however
//! often it is found.

use jiff::SignedDuration;
use model::change::change_file::Actor;
use model::change::record::Change;
use model::compliance::violation_items::{is_looked_at, items};
use model::core::enums::{AboutKind, ActionKind, ActionState};
use model::emergency::records::BreakGlassUse;
use model::notify::action_item::{About, NewItem, natural_key};
use store::audit::log;
use store::record::{self, Filter};
use store::report::projection;
use store::{Lane, Mode};

use crate::compliance::change_facts::facts_of;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::transactions::Transactions;
use crate::notify::action_items::{find, open, open_about, settle_by_rule};

/// The name of the stored position.
const NAME: &str = "violations";
/// How many events one step reads.
const BATCH: i64 = 500;
/// How far back a break-glass use is checked again: rules give it seven days after its end.
const GLASSES: SignedDuration = SignedDuration::from_hours(45 * 24);
/// The most of these that a round checks.
const MOST_GLASSES: i64 = 500;
/// The reason with which an item is settled after its violation ended.
const PASSED: &str = "The control rule no longer finds anything.";

/// The work of a round on one change.
struct Move {
    about: About,
    opens: Vec<NewItem>,
    settles: Vec<String>,
}

/// Follows the log of a tenant to its end, and checks the deadlines of its break-glass uses; returns the position.
/// Changes are evaluated in read transactions, so other writers wait only while the items are saved.
///
/// # Errors
/// The store's.
pub fn follow_violations(executor: &impl Transactions, tenant: &str) -> Result<i64> {
    let system = || Actor::system();
    let position = loop {
        let (from, to, moves) = executor.wait(Lane::Worker, tenant, system(), Mode::Read, next_moves)?;
        if to <= from {
            break from;
        }
        let save = move |cx: &mut Context<'_, '_>| match projection::save_position(cx.tx, NAME, from, to)? {
            true => moves.iter().try_for_each(|it| do_move(cx, it)),
            // Another server follows as well.
            false => Ok(()),
        };
        executor.wait(Lane::Worker, tenant, system(), Mode::Write, save)?;
    };
    let moves = executor.wait(Lane::Worker, tenant, system(), Mode::Read, late_glasses)?;
    if !moves.is_empty() {
        let save = move |cx: &mut Context<'_, '_>| moves.iter().try_for_each(|it| do_move(cx, it));
        executor.wait(Lane::Worker, tenant, system(), Mode::Write, save)?;
    }
    Ok(position)
}

fn next_moves(cx: &mut Context<'_, '_>) -> Result<(i64, i64, Vec<Move>)> {
    let size = log::state(cx.tx)?.map_or(0, |state| state.size);
    let from = projection::position(cx.tx, NAME)?;
    let to = size.min(from + BATCH);
    let mut moves = Vec::new();
    if to > from {
        let mut changes = projection::changes_between(cx.tx, from, to)?;
        changes.extend(projection::changes_deployed_between(cx.tx, from, to)?);
        changes.sort();
        changes.dedup();
        for id in changes {
            moves.extend(move_of(cx, &id)?);
        }
    }
    Ok((from, to, moves))
}

/// Deadlines pass without an event: each round checks the open duties of break-glass uses.
fn late_glasses(cx: &mut Context<'_, '_>) -> Result<Vec<Move>> {
    let since = cx.now.saturating_sub(GLASSES).unwrap_or(jiff::Timestamp::MIN);
    let latest = Filter::new().more("at", since).descending_by("at").limit(MOST_GLASSES);
    let mut changes: Vec<String> = record::bodies::<BreakGlassUse>(cx.tx, &latest)?
        .into_iter()
        .map(|glass| glass.change.0)
        .collect();
    changes.sort();
    changes.dedup();
    let mut moves = Vec::new();
    for id in changes {
        moves.extend(move_of(cx, &id)?);
    }
    Ok(moves)
}

/// The work that is due on a change; `None` if its items are correct.
fn move_of(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<Move>> {
    let Some(change) = record::load::<Change>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(None);
    };
    let Some(facts) = facts_of(cx, &change, None)?.filter(|facts| is_looked_at(facts, cx.now)) else {
        return Ok(None);
    };
    let about = About::new(AboutKind::Change, change.key);
    let found = items(&facts, cx.now);
    let is_found = |part: &str| found.iter().any(|item| item.part == part);
    let open_now = open_about(cx, &about)?.into_iter();
    let prefix = natural_key(ActionKind::ResolveViolation, &about, "");
    let parts = open_now.filter_map(|item| item.natural_key.strip_prefix(&prefix).map(str::to_owned));
    let settles: Vec<String> = parts.filter(|part| !is_found(part)).collect();
    let mut opens = Vec::new();
    for item in found {
        if is_news(cx, &item)? {
            opens.push(item);
        }
    }
    let is_nothing = opens.is_empty() && settles.is_empty();
    Ok((!is_nothing).then_some(Move { about, opens, settles }))
}

/// Whether a finding has no item, or one that its rule settled. A finding settled by a person stays settled.
fn is_news(cx: &mut Context<'_, '_>, new: &NewItem) -> Result<bool> {
    let known = find(cx, new.kind, &new.about, &new.part)?;
    Ok(known.is_none_or(|item| item.state == ActionState::Done && item.reason.as_deref() == Some(PASSED)))
}

fn do_move(cx: &mut Context<'_, '_>, it: &Move) -> Result<()> {
    for part in &it.settles {
        settle_by_rule(cx, ActionKind::ResolveViolation, &it.about, part, PASSED)?;
    }
    for item in &it.opens {
        if is_news(cx, item)? {
            open(cx, item.clone())?;
        }
    }
    Ok(())
}
