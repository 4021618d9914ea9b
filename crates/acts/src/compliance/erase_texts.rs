//! Erases texts of a change (`POST …/changes/{key}/erasure`): all of one that has ended, what was edited out of it, or
//! one comment. The texts and their salts are removed from the records and from under the log's commitments; the log
//! itself, every digest and every proof stay ([0001](../../../docs/decisions/0001-records-as-documents.md)). An erasure
//! needs two people if a second person who sets policies exists, and none is possible under a legal hold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::cab::agenda_item::AgendaItem;
use model::change::change_file::EventDraft;
use model::change::record::Change;
use model::change::related_records::{
    Approval, ChangeTask, ChecklistItem, Comment, Condition, Deployment, Entry, Evidence, GateCheck, Link, Message,
    PeerReview, Permit,
};
use model::compliance::erasure::{Erasure, name_erased, with_erased};
use model::compliance::retention_rule;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{ErasureKind, KeptKind, Role};
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::integration::outside_run::OutsideRun;
use proof::commitment::{commitment_of, erased_text};
use proof::diff;
use serde_json::{Value, json};
use store::audit::{event, salts};
use store::record::{self, Filter, Record};

use crate::compliance::erase_from_answers::erase_from_answers;
use crate::compliance::find_holds;
use crate::compliance::retention_in_force::{rules, since};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::show_timeline::{Name, opened, records_about, records_of};
use crate::core::write::{Versioned, Written, draft};
use crate::guard::other_setters::{has_lost_another, others_who_set};
use crate::guard::self_grant::is_one;

/// How many erased texts one event lists, so that it stays far below the most bytes of a leaf (64 KiB); further events
/// of the same act list the others.
pub(crate) const NAMED: usize = 100;

/// Requests an erasure (`POST …/erasure {kind, comment?, reason}`): it is done when a second person confirms it, or at
/// once if nobody else sets policies.
///
/// # Errors
/// 403, 404; 409 `under_legal_hold`, `not_in_state`, `already_erased` or `erasure_asked`; 422; the store's.
pub fn ask_erasure(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Change> {
    cx.allow(act::actions::SET_POLICY)?;
    let change = cx.change(key)?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed_word("kind", ErasureKind::FormerTexts);
    let comment = reading.text("comment", LINE).map(RecordId);
    let reason = reading.needed("reason", TEXT);
    check_comment(cx, &mut reading, &change, (kind, comment.as_ref()))?;
    reading.finish()?;
    check(&change, kind)?;
    check_kept(cx, &change, kind)?;
    if change.erasure.as_ref().is_some_and(Erasure::is_asked) {
        let text = format!("An erasure of texts of {} waits for a second person.", change.key);
        let satisfy = "Have that erasure confirmed or withdraw it, and then request this one.";
        return Err(Refusal::not_now("erasure_asked", text, satisfy, Vec::new()).into());
    }
    let erasure = Erasure {
        kind,
        comment,
        reason: Some(reason),
        asked_by: Some(cx.actor.person.clone()),
        handed_by: cx.actor.hand().cloned(),
        asked_at: cx.now,
        done_at: None,
        done_by: None,
    };
    let me = cx.actor.person.clone();
    if others_who_set(cx, &me)?.is_empty() && !has_lost_another(cx)? {
        return erase(cx, change, erasure);
    }
    let letter = format!(
        "{} asks to erase texts of {}. Another person who may set policies must confirm or withdraw the erasure.",
        cx.directory()?.name(&cx.actor.person),
        change.key
    );
    let asked = Change {
        erasure: Some(erasure),
        ..change
    };
    save(cx, asked, ("change.erasure_asked", json!({"kind": kind})), &letter)
}

/// Confirms an erasure that another person requested, and performs it (`POST …/erasure/confirmation`).
///
/// # Errors
/// 403, 404; 409 `nothing_asked`, `second_person_needed` or `under_legal_hold`; the store's.
pub fn confirm_erasure(cx: &mut Context<'_, '_>, key: &str) -> Result<Change> {
    cx.allow(act::actions::SET_POLICY)?;
    let change = cx.change(key)?;
    let erasure = pending_erasure(&change)?;
    let directory = cx.directory()?;
    let askers = [erasure.asked_by.clone(), erasure.handed_by.clone()];
    if askers.iter().flatten().any(|asker| is_one(cx, &directory, asker)) {
        let text = "The requester of an erasure cannot confirm it.";
        let satisfy = "Another person who may set policies must confirm it.";
        let me = cx.actor.person.clone();
        let waiting = others_who_set(cx, &me)?;
        return Err(Refusal::not_now("second_person_needed", text, satisfy, waiting).into());
    }
    check(&change, erasure.kind)?;
    check_kept(cx, &change, erasure.kind)?;
    erase(cx, change, erasure)
}

/// Withdraws a requested erasure (`POST …/erasure/withdrawal`).
///
/// # Errors
/// 403, 404, 409 `nothing_asked`, the store's.
pub fn withdraw_erasure(cx: &mut Context<'_, '_>, key: &str) -> Result<Change> {
    cx.allow(act::actions::SET_POLICY)?;
    let change = cx.change(key)?;
    let kind = pending_erasure(&change)?.kind;
    let letter = format!(
        "{} withdrew the erasure of texts of {}; the texts are kept.",
        cx.directory()?.name(&cx.actor.person),
        change.key
    );
    let kept = Change {
        erasure: None,
        ..change
    };
    save(cx, kept, ("change.erasure_withdrawn", json!({"kind": kind})), &letter)
}

/// The erasure that waits for a second person.
fn pending_erasure(change: &Change) -> Result<Erasure> {
    let waiting = change.erasure.clone().filter(Erasure::is_asked);
    waiting.ok_or_else(|| {
        let text = format!("No erasure of texts of {} was requested.", change.key);
        Refusal::not_now("nothing_asked", text, "Request an erasure first.", Vec::new()).into()
    })
}

fn check_comment(
    cx: &mut Context<'_, '_>,
    reading: &mut Reading<'_>,
    change: &Change,
    (kind, comment): (ErasureKind, Option<&RecordId>),
) -> Result<()> {
    match (kind, comment) {
        (ErasureKind::Comment, None) => reading.wrong("comment", "missing", "Give the id of the comment in `comment`."),
        (ErasureKind::Comment, Some(id)) => {
            let found = record::load::<Comment>(cx.tx, id.as_str())?;
            if found.is_none_or(|stored| stored.record.change != change.id) {
                let text = format!("{} has no comment `{id}`.", change.key);
                reading.wrong("comment", "unknown", text);
            }
        }
        (_, Some(_)) => reading.wrong(
            "comment",
            "not_asked",
            "Only an erasure of the kind `comment` takes the id of a comment.",
        ),
        (_, None) => {}
    }
    Ok(())
}

/// Whether texts of a change may be erased in its present state.
fn check(change: &Change, kind: ErasureKind) -> Result<()> {
    if change.standing_hold().is_some() {
        let text = format!("{} is under a legal hold: none of it can be erased.", change.key);
        let satisfy = "Lift the legal hold first, if its requesters agree.";
        return Err(Refusal::not_now("under_legal_hold", text, satisfy, Vec::new()).into());
    }
    if kind == ErasureKind::Texts && !change.state.is_final() {
        let text = format!(
            "{} has not ended: its texts are still needed for decisions.",
            change.key
        );
        let satisfy = "Close or cancel the change first; or edit the text out, and erase the `former_texts`.";
        return Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()).into());
    }
    if kind == ErasureKind::Texts && !change.has_texts() {
        let text = format!("The texts of {} were erased before.", change.key);
        let satisfy = "Nothing was written since then.";
        return Err(Refusal::not_now("already_erased", text, satisfy, Vec::new()).into());
    }
    Ok(())
}

/// Refuses texts under a hold order, and all texts of a change that a retention rule keeps for longer. Single comments
/// and former texts can be erased all the same: the rule is for the record, not for a mistake in it.
fn check_kept(cx: &mut Context<'_, '_>, change: &Change, kind: ErasureKind) -> Result<()> {
    find_holds::check_free(cx, change)?;
    let rules = rules(cx)?;
    let rule = retention_rule::longest(&rules, KeptKind::Change).filter(|_| kind == ErasureKind::Texts);
    let Some(rule) = rule else { return Ok(()) };
    let is_kept = since(cx.now, Some(rule.keep_days)).is_none_or(|before| change.updated_at >= before);
    if !is_kept {
        return Ok(());
    }
    let text = format!(
        "The retention rule `{}` requires keeping the texts of {} for {} days.",
        rule.key, change.key, rule.keep_days
    );
    let satisfy = "Erase only the comment or the edited-out text, or have the rule switched off if the regime does not apply \
                   here.";
    Err(Refusal::not_now("kept_by_rule", text, satisfy, Vec::new()).into())
}

/// Saves the change with its one event, and notifies the people responsible for retention.
pub(crate) fn save(
    cx: &mut Context<'_, '_>,
    mut change: Change,
    (event, data): (&'static str, Value),
    news: &str,
) -> Result<Change> {
    change.revision += 1;
    let mut written = Written::default();
    let change = cx.put(&mut written, change)?;
    notify_keepers(cx, &mut written, &change, news)?;
    cx.emit(vec![erasure_event(cx, event, &change, data)], written)?;
    Ok(change)
}

fn erasure_event(cx: &Context<'_, '_>, event: &'static str, change: &Change, data: Value) -> EventDraft {
    draft(event, ("change", change.id.0.clone()), cx.now, data)
}

/// Notifies administrators and change managers except the acting one, without any of the texts.
fn notify_keepers(cx: &mut Context<'_, '_>, written: &mut Written, change: &Change, news: &str) -> Result<()> {
    let directory = cx.directory()?;
    let link = format!(
        "{}/t/{}/changes/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        change.key
    );
    let mut people = directory.with_role(Role::Admin);
    people.extend(directory.with_role(Role::ChangeManager));
    people.sort();
    people.dedup();
    people.retain(|person| *person != cx.actor.person);
    for person in people {
        let dedup = format!("kept:{}:{}:{person}", change.id, change.version);
        let text = format!("{news}\n\n{link}\n");
        let subject = format!("{}: what is kept of it", change.key);
        save_message(cx, written, &person, None, ("kept", &subject, &text, &dedup))?;
    }
    Ok(())
}

/// The field with the sources of a change's values. It contains Assent's own texts, under the names of fields with
/// people's texts.
const ORIGINS: &str = "/origins/";

/// A text of a record, the commitment to it, and its place (JSON Pointer).
#[derive(Clone)]
pub(crate) struct Place {
    at: String,
    commitment: String,
    text: String,
}

impl Place {
    /// As an event names it.
    pub(crate) fn told(&self) -> Value {
        json!({"at": self.at, "c": self.commitment})
    }
}

/// The contents of one event: the texts of some records.
struct ErasedTexts {
    change: Change,
    kind: ErasureKind,
    written: Written,
    places: Vec<(String, String, Vec<Place>)>,
}

/// Erases, and records which texts of which records were erased.
pub(crate) fn erase(cx: &mut Context<'_, '_>, change: Change, erasure: Erasure) -> Result<Change> {
    let (kind, now) = (erasure.kind, cx.now);
    let (own, gone_at) = match kind {
        ErasureKind::Comment => (Vec::new(), now),
        ErasureKind::Texts => (texts_of(cx, (Change::TABLE, change.id.as_str()))?, now),
        ErasureKind::FormerTexts => former_texts(cx, change.id.as_str())?,
    };
    let names = names(cx, &change, &erasure, gone_at)?;
    let mut told = ErasedTexts {
        change: change.clone(),
        kind,
        written: Written::default(),
        places: Vec::new(),
    };
    let mut gone = plain(&own);
    for (table, id) in &names {
        let texts = texts_of(cx, (table, id))?;
        gone.append(&mut plain(&texts));
        erase_pieces(cx, &mut told, (table, id), &texts)?;
    }
    erase_pieces(cx, &mut told, (Change::TABLE, change.id.as_str()), &own)?;
    record_erased(cx, &mut told)?;
    // The clock erases what is older than any kept response.
    if erasure.asked_by.is_some() {
        erase_from_answers(cx, [change.key.as_str(), change.id.as_str()], &gone)?;
    }
    let change = cx.change(change.id.as_str())?;
    let mut done = erasure;
    done.done_at = Some(now);
    done.done_by = Some(cx.actor.person.clone());
    let erased_at = (kind == ErasureKind::Texts).then_some(now);
    note_done(
        cx,
        Change {
            texts_erased_at: erased_at.or(change.texts_erased_at),
            erasure: Some(done),
            ..change
        },
    )
}

/// Notes on the change that the erasure is done. This is an event of its own: the reason is a new text, even if it
/// repeats an erased one.
fn note_done(cx: &mut Context<'_, '_>, mut change: Change) -> Result<Change> {
    change.revision += 1;
    let mut written = Written::default();
    let change = cx.put(&mut written, change)?;
    let done = change.erasure.as_ref();
    // An erasure by the clock covers many changes and is not reported for each.
    if done.is_some_and(|erasure| erasure.asked_by.is_some()) {
        let news = format!(
            "Texts of {} were erased permanently; the proofs in the log remain.",
            change.key
        );
        notify_keepers(cx, &mut written, &change, &news)?;
    }
    let data = json!({"kind": done.map(|erasure| erasure.kind)});
    cx.emit(vec![erasure_event(cx, "change.erasure_done", &change, data)], written)?;
    Ok(change)
}

/// Erases texts of one record, with a limit per event; a record without texts is unchanged, except for its file.
fn erase_pieces(
    cx: &mut Context<'_, '_>,
    told: &mut ErasedTexts,
    (table, id): (&'static str, &str),
    texts: &[Place],
) -> Result<()> {
    let is_file = table == Evidence::TABLE;
    let pieces: Vec<&[Place]> = match texts.is_empty() {
        true if is_file => vec![&[]],
        _ => texts.chunks(NAMED).collect(),
    };
    for piece in pieces {
        erase_named(cx, &mut told.written, (table, id), &commitments(piece))?;
        told.places.push((table.to_owned(), id.to_owned(), piece.to_vec()));
        if told
            .places
            .iter()
            .map(|(_, _, texts)| texts.len().max(1))
            .sum::<usize>()
            >= NAMED
        {
            record_erased(cx, told)?;
        }
    }
    Ok(())
}

/// The records whose texts are erased.
fn names(cx: &mut Context<'_, '_>, change: &Change, erasure: &Erasure, gone_at: Timestamp) -> Result<Vec<Name>> {
    match (erasure.kind, &erasure.comment) {
        (ErasureKind::Texts, _) => {
            let mut names = records_of(cx, change)?;
            // The change itself is last, with the note of the erasure.
            names.retain(|(table, _)| *table != Change::TABLE);
            names.extend(letters_until(cx, change, gone_at)?);
            names.extend(records_about(cx, change)?);
            Ok(names)
        }
        // Letters quote the texts of the time when they were written.
        (ErasureKind::FormerTexts, _) => letters_until(cx, change, gone_at),
        (ErasureKind::Comment, Some(comment)) => {
            let mut names = vec![(Comment::TABLE, comment.0.clone())];
            // The letters of the act that wrote it quote it.
            for stored in event::of_record(cx.tx, Comment::TABLE, comment.as_str())? {
                let (event, _) = opened(cx, &stored)?;
                let letters = event.records.into_iter().filter(|delta| delta.table == Message::TABLE);
                names.extend(letters.map(|delta| (Message::TABLE, delta.id)));
            }
            Ok(names)
        }
        _ => Ok(Vec::new()),
    }
}

/// The letters about a change until a moment.
fn letters_until(cx: &mut Context<'_, '_>, change: &Change, until: Timestamp) -> Result<Vec<Name>> {
    let letters = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let letters = record::bodies::<Message>(cx.tx, &letters)?;
    let until = letters.into_iter().filter(|letter| letter.at <= until);
    Ok(until.map(|letter| (Message::TABLE, letter.id.0)).collect())
}

/// The sealed versions of a record, each with the moment of its event.
fn versions(cx: &mut Context<'_, '_>, (table, id): (&str, &str)) -> Result<Vec<(Timestamp, Value)>> {
    let (mut found, mut sealed) = (Vec::new(), None);
    for stored in event::of_record(cx.tx, table, id)? {
        let (event, _) = opened(cx, &stored)?;
        let Some(delta) = event
            .records
            .iter()
            .find(|delta| delta.table == table && delta.id == id)
        else {
            continue;
        };
        let next = diff::apply(delta, sealed.as_ref())?;
        found.push((stored.recorded_at.max(stored.occurred_at), next.clone()));
        sealed = Some(next);
    }
    Ok(found)
}

/// The texts that the versions of a record brought and that still exist.
fn texts_of(cx: &mut Context<'_, '_>, (table, id): (&str, &str)) -> Result<Vec<Place>> {
    let kept = salts::of_record(cx.tx, table, id)?;
    let mut found = BTreeMap::new();
    for (_, sealed) in versions(cx, (table, id))? {
        note_places(&sealed, &mut String::new(), &mut found);
    }
    let place = |(commitment, at): (String, String)| {
        let text = kept.get(&commitment)?.text.clone();
        (!at.starts_with(ORIGINS)).then_some(Place { at, commitment, text })
    };
    Ok(found.into_iter().filter_map(place).collect())
}

/// The texts that a change no longer shows, and when the last of them was edited out.
fn former_texts(cx: &mut Context<'_, '_>, id: &str) -> Result<(Vec<Place>, Timestamp)> {
    former_of(cx, (Change::TABLE, id))
}

/// The same for a record of any table.
pub(crate) fn former_of(cx: &mut Context<'_, '_>, name: (&str, &str)) -> Result<(Vec<Place>, Timestamp)> {
    let versions = versions(cx, name)?;
    let shown = versions
        .last()
        .map(|(_, sealed)| proof::bundle::commitments(sealed))
        .unwrap_or_default();
    let mut texts = texts_of(cx, name)?;
    texts.retain(|place| !shown.contains(&place.commitment));
    let former = commitments(&texts);
    let shows = |sealed: &Value| !proof::bundle::commitments(sealed).is_disjoint(&former);
    let last = versions.iter().rposition(|(_, sealed)| shows(sealed));
    let gone_at = last.and_then(|place| versions.get(place + 1)).map(|(at, _)| *at);
    Ok((texts, gone_at.unwrap_or(cx.now)))
}

/// The texts themselves.
pub(crate) fn plain(texts: &[Place]) -> BTreeSet<String> {
    texts.iter().map(|place| place.text.clone()).collect()
}

pub(crate) fn commitments(texts: &[Place]) -> BTreeSet<String> {
    texts.iter().map(|place| place.commitment.clone()).collect()
}

/// Notes each commitment with its last place. A commitment that was ever among the origins, where equal texts of a
/// record share it, is noted there: Assent's own texts contain nothing about anybody, also as a label.
fn note_places(sealed: &Value, path: &mut String, found: &mut BTreeMap<String, String>) {
    if let Some(commitment) = commitment_of(sealed) {
        let place = found.entry(commitment.to_owned()).or_default();
        if !place.starts_with(ORIGINS) {
            place.clone_from(path);
        }
        return;
    }
    let length = path.len();
    let mut step = |name: &str, inner: &Value| {
        path.push('/');
        path.push_str(name);
        note_places(inner, path, found);
        path.truncate(length);
    };
    match sealed {
        Value::Object(members) => members.iter().for_each(|(name, inner)| step(name, inner)),
        Value::Array(items) => (0..)
            .zip(items)
            .for_each(|(place, inner): (usize, _)| step(&place.to_string(), inner)),
        _ => {}
    }
}

/// Records the texts erased so far, in one event.
fn record_erased(cx: &mut Context<'_, '_>, told: &mut ErasedTexts) -> Result<()> {
    let (places, written) = (std::mem::take(&mut told.places), std::mem::take(&mut told.written));
    if places.is_empty() {
        return Ok(());
    }
    let row = |(table, id, texts): (String, String, Vec<Place>)| {
        let texts: Vec<Value> = texts.iter().map(Place::told).collect();
        json!({"table": table, "id": id, "texts": texts})
    };
    let records: Vec<Value> = places.into_iter().map(row).collect();
    let data = json!({"kind": told.kind, "records": records});
    let subject = ("change", told.change.id.0.clone());
    cx.emit(vec![draft("text.erased", subject, cx.now, data)], written)
}

fn erase_named(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    (table, id): (&str, &str),
    gone: &BTreeSet<String>,
) -> Result<()> {
    macro_rules! in_table {
        ($($noun:ident),+ $(,)?) => {
            match table {
                $($noun::TABLE => drop(erase_record::<$noun>(cx, written, id, gone, &|_| {})?),)+
                Evidence::TABLE => {
                    let now = cx.now;
                    erase_record::<Evidence>(cx, written, id, gone, &|evidence| evidence.file_erased_at = Some(now))?;
                }
                // No other table belongs to a change.
                _ => {}
            }
        };
    }
    in_table!(
        AgendaItem,
        Approval,
        Change,
        ChangeTask,
        ChecklistItem,
        Comment,
        Condition,
        Deployment,
        Entry,
        GateCheck,
        Link,
        Message,
        OutsideRun,
        PeerReview,
        Permit,
    );
    Ok(())
}

/// Erases texts of one record: a new version with a placeholder in their places.
pub(crate) fn erase_record<R: Versioned>(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    id: &str,
    gone: &BTreeSet<String>,
    edit: &dyn Fn(&mut R),
) -> Result<R> {
    for text in salts::of_record(cx.tx, R::TABLE, id)?.into_values() {
        if gone.contains(&text.commitment) {
            salts::erase(cx.tx, &text.event_id, &text.commitment)?;
        }
    }
    let stored = record::load::<R>(cx.tx, id)?.ok_or_else(|| Refusal::not_found(R::TABLE))?;
    let sealed: Value = serde_json::from_str(&stored.sealed.text()?)?;
    let mut body = with_erased(serde_json::to_value(&stored.record)?, &stored.erased);
    blank(&mut body, &sealed, gone);
    let erased = name_erased(&mut body);
    let mut next: R = serde_json::from_value(body)?;
    edit(&mut next);
    cx.put_erased(written, next, &erased)
}

/// Writes the placeholder of an erasure where the sealed form has one of these commitments.
fn blank(body: &mut Value, sealed: &Value, gone: &BTreeSet<String>) {
    if let Some(commitment) = commitment_of(sealed) {
        if gone.contains(commitment) {
            *body = erased_text();
        }
        return;
    }
    match (body, sealed) {
        (Value::Object(body), Value::Object(sealed)) => {
            for (name, member) in body {
                if let Some(sealed) = sealed.get(name) {
                    blank(member, sealed, gone);
                }
            }
        }
        (Value::Array(body), Value::Array(sealed)) => {
            for (item, sealed) in body.iter_mut().zip(sealed) {
                blank(item, sealed, gone);
            }
        }
        _ => {}
    }
}
