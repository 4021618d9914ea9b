//! Items of an agenda: a member objects to a decision by vote, the chair adds urgent changes and calls item after item
//! before the board, each within its time box.

use model::cab::agenda::{Agenda, MOST_ITEMS};
use model::cab::agenda_item::{AgendaItem, AgendaItemInput, ItemListing, ListingGround, MOST_ADDED, waits_for};
use model::cab::meeting::Meeting;
use model::core::act::actions;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use serde_json::json;
use store::record::{self, Filter};

use crate::cab::agenda::{end_votes, items_of, keep, listed, load_agenda, move_to_meeting, relist};
use crate::cab::meetings::own_meeting;
use crate::case::settle_one::settle_own;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::guard::impersonation;

impl PlainNoun for AgendaItem {
    type Input = AgendaItemInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/meetings/{}", self.agenda))
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(cx: &mut Context<'_, '_>, input: AgendaItemInput, reading: Reading<'_>) -> Result<Self> {
        reading.finish()?;
        let (agenda, meeting) = load_agenda(cx, &input.agenda)?;
        check_leads(cx, &agenda)?;
        check_frozen(&agenda)?;
        if meeting.is_over(cx.now) {
            return Err(over().into());
        }
        let file = cx.file(&input.change)?;
        let Some(since) = waits_for(&file, &agenda.group, cx.now) else {
            let text = format!(
                "{} needs no decision of the group {} now.",
                file.change.key, agenda.group
            );
            return Err(Refusal::field("change", "not_needed", text).into());
        };
        let known = by_change(cx, &agenda.id, &file.change.key)?;
        let fresh = AgendaItem::of(&file, since);
        let is_same = |it: &AgendaItem| it.listing == ItemListing::Live && it.content_digest == fresh.content_digest;
        if let Some(known) = known.as_ref().filter(|it| is_same(it)) {
            return Ok(known.clone());
        }
        let last = items_of(cx, &agenda.id)?
            .iter()
            .map(|it| it.place)
            .max()
            .unwrap_or_default();
        if known.is_none() && last >= i64::try_from(MOST_ITEMS * 2).unwrap_or(i64::MAX) {
            let text = "This agenda is full.";
            return Err(Refusal::not_now("too_many", text, "Leave it for the next meeting.", Vec::new()).into());
        }
        let item = AgendaItem {
            id: match &known {
                Some(known) => known.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: known.as_ref().map_or(0, |it| it.version),
            agenda: agenda.id.clone(),
            place: known.as_ref().map_or(last + 1, |it| it.place),
            listing: ItemListing::Live,
            ground: ListingGround::Added,
            reason: Some(input.reason),
            ..fresh
        };
        let data = json!({"agenda": agenda.id, "change_key": item.change_key, "content_digest": item.content_digest});
        let item = keep(cx, "agenda_item.added", item, data)?;
        let change = item.change_id();
        if let Some(votes) = &agenda.votes {
            relist(cx, votes, &change, None)?;
        }
        relist(cx, &agenda.id, &change, Some(listed(&item)))?;
        settle_own(cx, &file.change)?;
        Ok(item)
    }
}

fn over() -> Refusal {
    Refusal::not_now("meeting_over", "The meeting is over.", "Plan another.", Vec::new())
}

fn by_change(cx: &mut Context<'_, '_>, agenda: &RecordId, key: &str) -> Result<Option<AgendaItem>> {
    let filter = Filter::new()
        .equals("agenda", agenda.as_str())
        .equals("change_key", key);
    Ok(record::find_one::<AgendaItem>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// The item of an agenda for a change.
///
/// # Errors
/// 404, or the store's.
pub(crate) fn item_for(cx: &mut Context<'_, '_>, agenda: &RecordId, key: &str) -> Result<AgendaItem> {
    let key = key.to_uppercase();
    let found = by_change(cx, agenda, &key)?;
    Ok(found.ok_or_else(|| Refusal::not_found(format!("item for {key} on this agenda")))?)
}

/// Refuses an actor who neither chairs the meeting nor plans meetings.
fn check_leads(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<()> {
    impersonation::check_whole(cx)?;
    let directory = cx.directory()?;
    if cx.actor.person == agenda.chair && directory.members(&agenda.group).contains(&agenda.chair) {
        return Ok(());
    }
    cx.allow(actions::SET_MEETING)
}

fn check_frozen(agenda: &Agenda) -> Result<()> {
    if agenda.is_frozen() {
        return Ok(());
    }
    let (text, help) = match agenda.frozen_at {
        None => (
            "The agenda is not frozen yet.",
            "Changes that need the board are added automatically.",
        ),
        Some(_) => ("The minutes are signed.", "Plan another meeting."),
    };
    Err(Refusal::not_now("not_frozen", text, help, Vec::new()).into())
}

fn load_item(cx: &mut Context<'_, '_>, id: &str) -> Result<(AgendaItem, Agenda, Meeting)> {
    let Some(stored) = record::load::<AgendaItem>(cx.tx, id)? else {
        return Err(Refusal::not_found(format!("agenda item {id}")).into());
    };
    let item = stored.record;
    let (agenda, meeting) = load_agenda(cx, item.agenda.as_str())?;
    Ok((item, agenda, meeting))
}

/// Objects to a decision by vote (`POST /agenda-items/{id}/objections {reason}`): the item is discussed at the meeting.
/// Its votes no longer count for a decision before the meeting.
///
/// # Errors
/// 403 for a person who is not of the board or declared a conflict of interest, 404, 409 if it is decided or at the
/// meeting, 422, or the store's.
pub fn object_to_vote(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<AgendaItem> {
    cx.allow(actions::READ)?;
    impersonation::check_voice(cx)?;
    let (item, agenda, _) = load_item(cx, id)?;
    check_frozen(&agenda)?;
    let own = match &agenda.votes {
        Some(votes) if item.listing == ItemListing::Vote => own_meeting(cx, votes.as_str())?,
        _ => {
            let text = format!("{} is decided at the meeting.", item.change_key);
            return Err(Refusal::not_now("decided_live", text, "Discuss the change there.", Vec::new()).into());
        }
    };
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let person = cx.actor.person.clone();
    if own.has_conflict(&person, &item.change_id()) {
        let text = format!("You declared a conflict of interest about {}.", item.change_key);
        return Err(Refusal::not_allowed("has_conflict", text).into());
    }
    let file = cx.file(&item.change_key)?;
    if waits_for(&file, &agenda.group, cx.now).is_none() {
        let text = format!("The board has decided about {} already.", item.change_key);
        return Err(Refusal::not_now("decided", text, "Comment on the change.", Vec::new()).into());
    }
    let mut objected = item;
    objected.objected_by.retain(|known| *known != person);
    objected.objected_by.push(person);
    objected.reason = Some(reason);
    let moved = move_to_meeting(cx, &agenda, objected, ListingGround::Contested)?;
    settle_own(cx, &file.change)?;
    Ok(moved)
}

/// Calls an item before the board, or gives the current item more time (`POST /agenda-items/{id}/turns {minutes?}`).
///
/// # Errors
/// 403 for a person who neither chairs the meeting nor plans meetings, 404, 409 outside of the meeting or for an item
/// decided by vote, 422 for more time than an item may have, or the store's.
pub fn take_turn(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<AgendaItem> {
    cx.allow(actions::READ)?;
    let (item, mut agenda, meeting) = load_item(cx, id)?;
    check_leads(cx, &agenda)?;
    check_frozen(&agenda)?;
    if !meeting.is_on(cx.now) {
        let text = "The meeting is not in progress.";
        return Err(Refusal::not_now(
            "meeting_not_open",
            text,
            "Discuss its items once the meeting has started.",
            Vec::new(),
        )
        .into());
    }
    if !agenda.voted {
        agenda = end_votes(cx, agenda)?;
    }
    // Ending the votes may have moved it.
    let (item, ..) = load_item(cx, item.id.as_str())?;
    if item.listing != ItemListing::Live {
        let text = format!("{} was decided by vote before the meeting.", item.change_key);
        return Err(Refusal::not_now("decided", text, "Continue with another item.", Vec::new()).into());
    }
    let mut reading = Reading::new(body, "");
    let minutes = reading.integer("minutes", 1..=MOST_ADDED);
    let is_current = agenda.current.as_ref() == Some(&item.id);
    if is_current && minutes.is_none() && !reading.says("minutes") {
        let text = "`minutes` is missing: the item is before the board, and is given more time.";
        reading.wrong("minutes", "missing", text);
    }
    if let Some(more) = minutes.filter(|more| is_current && *more > item.room()) {
        let text = format!(
            "{more} minutes are more than this item may have: {} are left.",
            item.room()
        );
        reading.wrong("minutes", "too_many", text);
    }
    reading.finish()?;
    if let Some(more) = minutes.filter(|_| is_current) {
        let extended = AgendaItem {
            added_minutes: item.added_minutes + more,
            ..item
        };
        return keep(cx, "agenda_item.extended", extended, json!({"minutes": more}));
    }
    end_current(cx, &agenda)?;
    let begun = AgendaItem {
        begun_at: Some(item.begun_at.unwrap_or(cx.now)),
        ended_at: None,
        ..item
    };
    let begun = keep(cx, "agenda_item.begun", begun, json!({}))?;
    let turned = Agenda {
        current: Some(begun.id.clone()),
        ..agenda
    };
    keep(cx, "agenda.turned", turned, json!({"change_key": begun.change_key}))?;
    Ok(begun)
}

/// Ends the item that is before the board, if there is one.
pub(crate) fn end_current(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<()> {
    let Some(current) = &agenda.current else { return Ok(()) };
    let Some(stored) = record::load::<AgendaItem>(cx.tx, current.as_str())? else {
        return Ok(());
    };
    if stored.record.ended_at.is_none() {
        let ended = AgendaItem {
            ended_at: Some(cx.now),
            ..stored.record
        };
        keep(cx, "agenda_item.ended", ended, json!({}))?;
    }
    Ok(())
}
