//! Evaluates open changes again after an edit of the estate: a freeze, an ownership row, a template. The act itself
//! evaluates a few; many are left to the settler ([`crate::case::unsettled`]).

use model::change::record::{Change, Target};
use model::core::enums::{FreezeReach, Role, State};
use model::core::ids::PersonId;
use model::directory::snapshot::{Freeze, Incident, Person};
use store::record::{self, Filter};

use crate::case::committers::of_change;
use crate::case::settle_one::settle_one;
use crate::case::unsettled;
use crate::core::context::Context;
use crate::core::error::Result;

/// Evaluates every open change for which `concerns` is true. With few open changes this happens in the transaction,
/// otherwise soon after it; until then nothing relies on the outdated results.
///
/// # Errors
/// The store's.
pub fn settle_open(cx: &mut Context<'_, '_>, concerns: impl Fn(&Change) -> bool) -> Result<()> {
    if unsettled::are_many(cx)? {
        return unsettled::leave(cx);
    }
    let open: Vec<&str> = State::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str())
        .collect();
    let filter = Filter::new().one_of("state", open).order_by("number");
    let changes = record::find::<Change>(cx.tx, &filter)?;
    for stored in changes.into_iter().filter(|stored| concerns(&stored.record)) {
        settle_one(cx, stored.record.id.as_str())?;
    }
    Ok(())
}

/// Evaluates every open change again after an edit of a dependency, if a freeze reaches along dependencies.
///
/// # Errors
/// The store's.
pub(crate) fn settle_reached(cx: &mut Context<'_, '_>) -> Result<()> {
    let (directory, now) = (cx.directory()?, cx.now);
    let reaches = |freeze: &Freeze| freeze.reach == FreezeReach::Dependants && !freeze.is_over(now);
    if directory.freezes.iter().any(reaches) {
        settle_open(cx, |_| true)?;
    }
    Ok(())
}

/// Evaluates every open change again that has or needs approvers: after an edit of people, groups or delegations.
///
/// # Errors
/// The store's.
pub fn settle_with_approvers(cx: &mut Context<'_, '_>) -> Result<()> {
    settle_open(cx, |change| {
        !change.requests.is_empty() || change.clocks.iter().any(|clock| clock.met_at.is_none())
    })
}

/// The same after a person was added or edited, if a fact that rules use changed: whether the person may act, the roles
/// that are required or barred, whether they have any role, their job functions. A new person has no ownership and no
/// membership, so only the roles count.
///
/// # Errors
/// The store's.
pub(crate) fn settle_person(cx: &mut Context<'_, '_>, before: Option<&Person>, after: &Person) -> Result<()> {
    let has_moved = before.is_some_and(|before| before.active != after.active || before.roles != after.roles);
    let commands = |it: &Incident| it.is_major() && it.course.commander.as_ref() == Some(&after.id);
    // A change stopped by a major incident lists the incident's commander, or the people who may take command.
    if has_moved && cx.directory()?.incidents.values().any(commands) {
        return settle_open(cx, |_| true);
    }
    let asked = |person: &Person| [Role::Security, Role::ChangeManager].map(|role| person.roles.contains(&role));
    let is_same = match before {
        Some(before) => {
            before.active == after.active
                && asked(before) == asked(after)
                && before.is_barred_from_deciding() == after.is_barred_from_deciding()
                && before.functions == after.functions
                && before.roles.is_empty() == after.roles.is_empty()
        }
        None => !asked(after).contains(&true),
    };
    if is_same {
        return Ok(());
    }
    settle_with_approvers(cx)
}

/// Evaluates the open changes again whose commits a person made, or made under their earlier accounts.
///
/// # Errors
/// The store's.
pub(crate) fn settle_of(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    if unsettled::are_many(cx)? {
        return unsettled::leave(cx);
    }
    let open = State::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str());
    let filter = Filter::new().one_of("state", open).order_by("number");
    for stored in record::find::<Change>(cx.tx, &filter)? {
        let change = stored.record;
        if !has_code(&change) {
            continue;
        }
        let found = of_change(cx, &change)?;
        if found.people.contains(person) || !found.unknown.is_empty() {
            settle_one(cx, change.id.as_str())?;
        }
    }
    Ok(())
}

/// Whether a change names builds of commits.
fn has_code(change: &Change) -> bool {
    let names = |target: &Target| target.artifact.is_some() || target.commit.is_some();
    change.content.targets.iter().any(names)
}
