//! Records an outside review of a small team's work: the compensating control of the pack `small-team`.

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::change::related_records::{Approval, PeerReview};
use model::core::enums::State;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::emergency::outside_look::{OutsideLook, OutsideLookInput};
use serde_json::json;
use store::record::{self, Filter};

use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

/// How many days back the first review goes.
const FIRST_DAYS: i64 = 31;
/// The most changes in one review.
const MOST_CHANGES: i64 = 1_000;

impl PlainNoun for OutsideLook {
    type Input = OutsideLookInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    /// Records a review. It names every change on which work began or ended since the review before. A person with a
    /// part in one of them is not an outsider. Neither is a person with a part in an open change, because the review
    /// would let their own work begin.
    fn add(cx: &mut Context<'_, '_>, input: OutsideLookInput, reading: Reading<'_>) -> Result<Self> {
        reading.finish()?;
        let (directory, group) = (cx.directory()?, input.group);
        let person = cx.actor.person.clone();
        if !directory.members(&group).contains(&person) {
            let text = format!(
                "{} is not a member of the group {group}, whose members review from outside.",
                directory.name(&person)
            );
            return Err(Refusal::not_allowed("not_outside", text).into());
        }
        let since = directory
            .last_look(&group)
            .map_or_else(|| cx.now - SignedDuration::from_hours(24 * FIRST_DAYS), |look| look.at);
        let mut changes = Vec::new();
        for change in worked_on(cx, since)? {
            check_outside(cx, &change, &person)?;
            changes.push(change.key);
        }
        check_open(cx, &person)?;
        let look = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            group,
            by: person,
            at: cx.now,
            text: input.text,
            changes,
        };
        let count = look.changes.len();
        let look = cx.put_estate("outside_look.recorded", look, json!({"changes": count}))?;
        settle_with_approvers(cx)?;
        Ok(look)
    }
}

/// Refuses a person with a part in a change.
fn check_outside(cx: &mut Context<'_, '_>, change: &Change, person: &PersonId) -> Result<()> {
    let Some(part) = part_in(cx, change, person)? else {
        return Ok(());
    };
    let name = cx.directory()?.name(person);
    let text = format!("{} {part} {}, so they are not outside of it.", name, change.key);
    Err(Refusal::not_allowed("not_outside", text).into())
}

/// Refuses a person with a part in any open change, read page by page.
fn check_open(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let open: Vec<String> = State::ALL
        .iter()
        .filter(|it| it.is_open())
        .map(ToString::to_string)
        .collect();
    let mut after = 0;
    loop {
        let filter = Filter::new()
            .one_of("state", open.clone())
            .more("number", after)
            .order_by("number")
            .limit(MOST_CHANGES);
        let page = record::find::<Change>(cx.tx, &filter)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.record.number;
        for found in &page {
            check_outside(cx, &found.record, person)?;
        }
    }
}

/// The changes on which work began or ended since then, oldest first; if there are too many, those that were saved last.
fn worked_on(cx: &mut Context<'_, '_>, since: Timestamp) -> Result<Vec<Change>> {
    let filter = Filter::new()
        .more("updated_at", since)
        .descending_by("updated_at")
        .limit(MOST_CHANGES);
    let mut found = record::bodies::<Change>(cx.tx, &filter)?;
    let is_since = |at: Option<Timestamp>| at.is_some_and(|at| at > since);
    found.retain(|change| is_since(change.actual_start) || is_since(change.actual_end));
    found.sort_by_key(|change| change.number);
    Ok(found)
}

/// The person's part in a change, if they had one.
pub(crate) fn part_in(cx: &mut Context<'_, '_>, change: &Change, person: &PersonId) -> Result<Option<&'static str>> {
    if change.authors.contains(person) {
        return Ok(Some("wrote"));
    }
    if &change.requester == person {
        return Ok(Some("asked for"));
    }
    if change.planned_by.contains(person) {
        return Ok(Some("set the times of"));
    }
    if change.implemented_by.contains(person) {
        return Ok(Some("implemented"));
    }
    if change.state.is_open() && change.content.implementers.contains(person) {
        return Ok(Some("is to implement"));
    }
    if change.state.is_open() && change.content.tester.as_ref() == Some(person) {
        return Ok(Some("is to test"));
    }
    if change.validations.iter().any(|it| &it.by == person) {
        return Ok(Some("validated"));
    }
    let glass = change.break_glass.as_ref();
    if glass
        .and_then(|it| it.validated.as_ref())
        .is_some_and(|it| &it.by == person)
    {
        return Ok(Some("validated the break-glass of"));
    }
    if change.reviews.iter().any(|it| &it.by == person) {
        return Ok(Some("reviewed"));
    }
    let theirs = || {
        Filter::new()
            .equals("change_id", change.id.as_str())
            .equals("person", person.as_str())
    };
    if record::count::<Approval>(cx.tx, &theirs())? > 0 {
        return Ok(Some("decided about"));
    }
    let is_peer = record::count::<PeerReview>(cx.tx, &theirs())? > 0;
    Ok(is_peer.then_some("gave a peer review of"))
}
