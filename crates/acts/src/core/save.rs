//! Saves the result of a verb on a change: the records around it, the events, messages, the timer, revocations. All in
//! the act's own transaction.

use jiff::Timestamp;
use model::change::change_file::{ChangeFile, EventDraft, Letter};
use model::change::record;
use model::core::ids::{ChangeId, RecordId};
use store::gate::revocation;
use store::queue::timer;

use crate::core::context::{Context, Saved};
use crate::core::decision_facts::{Allowed, keep_acts, keep_facts};
use crate::core::error::Result;
use crate::core::grounds::with_grounds;
use crate::core::messages::save_message;
use crate::core::note_outcomes::note_outcomes;
use crate::core::write::{Versioned, Written};

/// The result of a save.
pub(crate) struct Done {
    /// The present file.
    pub file: ChangeFile,
    /// Events to write.
    pub events: Vec<EventDraft>,
    /// People to tell.
    pub letters: Vec<Letter>,
    /// Permits that were revoked.
    pub revoked: Vec<RecordId>,
    /// The next time at which the clock makes something due.
    pub next_due: Option<Timestamp>,
    /// The actions that the policies allowed during the act.
    pub(crate) allowed: Vec<Allowed>,
}

/// Saves a change's file: the differences, the events, and all that belongs to the change itself. Effects on other
/// changes are queued.
///
/// # Errors
/// The store's.
pub(crate) fn save_file(cx: &mut Context<'_, '_>, stood: Option<ChangeFile>, mut done: Done) -> Result<()> {
    let before = stood.as_ref();
    let mut written = Written::default();
    let file = &mut done.file;
    let decided = save_around(cx, &mut written, before, file)?;
    if !written.is_empty() && file.change.has_lost_texts() {
        // New texts were added to a change whose texts were erased: retention counts from them and erases them as well.
        file.change.updated_at = cx.now;
    }
    save_change(cx, &mut written, before, file, decided)?;
    note_outcomes(cx, &mut written, before, file)?;
    keep_acts(cx, &mut written, before.unwrap_or(file), (&done.events, done.allowed))?;
    let id = file.change.id.clone();
    save_letters(cx, &mut written, file, &done.letters)?;
    revoke(cx, file, &done.revoked)?;
    if !written.is_empty() || !done.events.is_empty() {
        let events = with_grounds(cx, file, std::mem::take(&mut done.events))?;
        cx.emit(events, written)?;
    }
    set_timer(cx, &id, before.is_some(), done.next_due)?;
    cx.queue_saved(Saved {
        before: stood,
        after: done.file,
    });
    Ok(())
}

/// Saves the records around the change; returns whether a decision among them changed.
fn save_around(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    before: Option<&ChangeFile>,
    file: &mut ChangeFile,
) -> Result<bool> {
    let start = written.count();
    save_list(cx, written, before.map(|old| &old.approvals[..]), &mut file.approvals)?;
    if let Some(before) = before {
        keep_facts(cx, written, before, file)?;
    }
    save_list(cx, written, before.map(|old| &old.conditions[..]), &mut file.conditions)?;
    save_list(
        cx,
        written,
        before.map(|old| &old.peer_reviews[..]),
        &mut file.peer_reviews,
    )?;
    save_list(cx, written, before.map(|old| &old.evidence[..]), &mut file.evidence)?;
    save_list(cx, written, before.map(|old| &old.checklist[..]), &mut file.checklist)?;
    let decided = written.count() > start;
    save_list(cx, written, before.map(|old| &old.tasks[..]), &mut file.tasks)?;
    save_list(cx, written, before.map(|old| &old.links[..]), &mut file.links)?;
    save_list(cx, written, before.map(|old| &old.permits[..]), &mut file.permits)?;
    save_list(cx, written, None, &mut file.entries)?;
    save_list(cx, written, None, &mut file.comments)?;
    Ok(decided)
}

/// Writes records that are new or different. Ended decisions go first, because one person has at most one decision in
/// force.
fn save_list<R: Versioned>(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    before: Option<&[R]>,
    after: &mut [R],
) -> Result<()> {
    for row in after.iter_mut() {
        let old = before.unwrap_or_default().iter().find(|old| old.id() == row.id());
        if old.is_none_or(|old| old != row) {
            *row = cx.put(written, row.clone())?;
        }
    }
    Ok(())
}

fn save_change(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    before: Option<&ChangeFile>,
    file: &mut ChangeFile,
    decided: bool,
) -> Result<()> {
    let old = before.map(|before| &before.change);
    if !decided && old.is_some_and(|old| old == &file.change) {
        return Ok(());
    }
    let moved = decided || old.is_none_or(|old| !same_to_readers(old, &file.change));
    if moved {
        file.change.revision += 1;
        file.change.updated_at = cx.now;
    }
    file.change = cx.put(written, file.change.clone())?;
    Ok(())
}

/// Whether two versions differ only in fields that the ETag does not cover: watchers, marks, performers of the work.
fn same_to_readers(old: &record::Change, new: &record::Change) -> bool {
    let mut old = old.clone();
    old.watchers.clone_from(&new.watchers);
    old.told.clone_from(&new.told);
    old.communicated.clone_from(&new.communicated);
    old.way_back_taken = new.way_back_taken;
    old.implemented_by.clone_from(&new.implemented_by);
    &old == new
}

fn save_letters(cx: &mut Context<'_, '_>, written: &mut Written, file: &ChangeFile, letters: &[Letter]) -> Result<()> {
    for letter in letters {
        let subject = match (letter.topic, &letter.headline) {
            // The news itself is the event.
            ("milestone", _) => letter.news.trim_end_matches('.').to_owned(),
            (_, Some(headline)) => format!("{} {headline}", file.change.key),
            (topic, None) => format!("{} {}", file.change.key, topic_suffix(topic)),
        };
        let text = format!(
            "{}\n{}\n\n{}: {}\n{}/t/{}/changes/{}\n",
            letter.news,
            letter.next,
            file.change.key,
            file.change.content.title,
            cx.services.tools().public_url,
            cx.tenant(),
            file.change.key
        );
        let about = Some((&file.change.id, file.change.key.as_str()));
        save_message(
            cx,
            written,
            &letter.to,
            about,
            (letter.topic, &subject, &text, &letter.dedup),
        )?;
    }
    Ok(())
}

/// The text that a subject has after the key, as on the pages and in letters.
fn topic_suffix(topic: &str) -> String {
    let words = match topic {
        "asked_to_approve" => "needs your decision",
        "reminder" => "still needs your decision",
        "decide_soon" => "needs your decision soon",
        "unacknowledged" => "waits for your acknowledgement",
        "escalated" => "was escalated",
        "answered_late" => "was escalated before your decision",
        "no_longer_asked" => "no longer needs your decision",
        "rests_on_leaver" => "depends on a person who left",
        "break_glass_over_budget" => "exceeds its team's budget of break-glass",
        "approval_voided" | "approval_expired" => "needs your decision again",
        "returned" => "came back with a question",
        "answered" => "has an answer to your question",
        "rejected" => "was rejected",
        "window_opens" => "may start",
        "window_missed" => "missed its window",
        "overrun" => "overran its planned end",
        "latest_rollback" => "has reached its latest time for a rollback",
        "hold_ended" => "is still on hold",
        "turned_normal" => "is a normal change now",
        "reach_grown" => "affects more than was assessed",
        "undo_due" => "is due to be undone soon",
        "undo_missed" => "was not undone in time",
        "break_glass" => "used break-glass",
        "break_glass_ended" => "ended its break-glass",
        "exception_lapsed" | "exception_withdrawn" => "is no longer exempt from a freeze",
        "exception_signed" => "may start in spite of an incident",
        "permit_voided" => "needs a new permit",
        "went_wrong" => "went wrong",
        "does_not_work" => "does not work",
        "extension_asked" => "needs an extension",
        "extension_decided" => "has a decision on its extension",
        "confirm_retrospective" => "needs your confirmation",
        "unauthorized" => "was not authorized",
        "validation_due" => "waits for its validation",
        "review_due" => "waits for its review",
        "task" => "has work for you",
        "comment" => "has a comment",
        "mentioned" => "names you in a comment",
        "work_report" => "has an update on the work",
        "freeze_announced" => "is in a freeze",
        "conflict_found" => "conflicts with another change",
        "conflict_decided" => "has a decision on its conflict",
        "conflict_escalated" => "has a conflict that was not decided in time",
        "freeze_loosened" => "is in a freeze that was reduced",
        "incident_in_watch" => "has an incident in its watch window",
        "incident_caused" => "caused an incident",
        "cause_withdrawn" => "is no longer considered the cause of an incident",
        "waves_halted" => "has a halted wave",
        "go_taken_back" => "waits for a common go again",
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

fn revoke(cx: &mut Context<'_, '_>, file: &ChangeFile, revoked: &[RecordId]) -> Result<()> {
    if revoked.is_empty() {
        return Ok(());
    }
    let epoch = revocation::raise(cx.tx)?;
    for id in revoked {
        let Some(permit) = file.permits.iter().find(|permit| &permit.id == id) else {
            continue;
        };
        let entry = revocation::Revoked {
            jti: id.0.clone(),
            epoch,
            at: cx.now,
            expires_at: permit.expires_at,
        };
        revocation::revoke(cx.tx, &entry)?;
    }
    Ok(())
}

fn set_timer(cx: &mut Context<'_, '_>, change: &ChangeId, stood: bool, due: Option<Timestamp>) -> Result<()> {
    let Some(run_at) = due else {
        if !stood {
            return Ok(());
        }
        timer::cancel(cx.tx, "change", change.as_str(), "due")?;
        return Ok(());
    };
    let id = cx.new_id()?;
    let new = timer::NewTimer {
        id: &id,
        subject_table: "change",
        subject_id: change.as_str(),
        kind: "due",
        run_at,
    };
    timer::set(cx.tx, &new)?;
    Ok(())
}
