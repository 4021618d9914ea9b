//! Saves what an act made: records with their sealed forms, events, messages, timers, gate rows, revocations. All in the
//! act's own transaction.

use jiff::Timestamp;
use model::erased::with_erased;
use model::file::{ChangeFile, EventDraft, Letter};
use model::ids::{ChangeId, PersonId, RecordId};
use model::records::Message;
use proof::commitment::seal_record;
use proof::diff::{self, RecordDelta};
use proof::event::{Event, Subject, VERSION};
use serde_json::{Map, Value};
use store::event::{NewEvent, RecordRef};
use store::record::{self, Filter, Record};
use store::{job, revocation, salts, timer};

use crate::error::{Error, Result};
use crate::keep_facts::{Allowed, keep_acts, keep_facts};
use crate::room::Room;

/// What became of a file.
pub struct Done {
    /// The file as it is now.
    pub file: ChangeFile,
    /// Events to write.
    pub events: Vec<EventDraft>,
    /// People to tell.
    pub letters: Vec<Letter>,
    /// Permits that were revoked.
    pub revoked: Vec<RecordId>,
    /// When the clock makes something due.
    pub next_due: Option<Timestamp>,
    /// What the policies allowed on the way.
    pub(crate) allowed: Vec<Allowed>,
}

/// Records and salts gathered until the act's events are written.
#[derive(Default)]
pub struct Written {
    deltas: Vec<RecordDelta>,
    salts: Vec<proof::commitment::NewSalt>,
}

impl Written {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }
}

/// A record whose version this room counts.
pub trait Versioned: Record + Clone + PartialEq {
    /// Sets the version.
    fn set_version(&mut self, version: i64);
}

macro_rules! versioned {
    ($($noun:ty),+ $(,)?) => {$(
        impl Versioned for $noun {
            fn set_version(&mut self, version: i64) {
                self.version = version;
            }
        }
    )+};
}

versioned!(
    model::change::Change,
    model::records::Approval,
    model::decision_facts::DecisionFacts,
    model::act_facts::ActFacts,
    model::records::Condition,
    model::records::PeerReview,
    model::records::Evidence,
    model::records::Entry,
    model::records::ChangeTask,
    model::records::ChecklistItem,
    model::records::Comment,
    model::records::Link,
    model::records::Permit,
    model::records::GateCheck,
    model::records::Deployment,
    model::running::Running,
    Message,
    model::directory::Person,
    model::directory::Group,
    model::directory::Service,
    model::directory::Environment,
    model::directory::ConfigItem,
    model::directory::Dependency,
    model::directory::Ownership,
    model::absence::Absence,
    model::absence::Delegation,
    model::meeting::Meeting,
    model::meeting::OnCall,
    model::emergency::GlassUse,
    model::training::Training,
    model::outside_look::OutsideLook,
    model::calendar::Calendar,
    model::custom_field::CustomField,
    model::directory::MaintenanceWindow,
    model::directory::Freeze,
    model::directory::Incident,
    model::directory::StandardTemplate,
    model::directory::Connection,
    model::directory::Token,
    model::directory::Tenant,
    model::configuration::Configuration,
    model::identity::IdentityProvider,
    model::key_turn::KeyTurn,
    model::webhook::Webhook,
    model::witness::Witness,
    model::workload::Workload,
    model::access_review::AccessReview,
    model::outside::OutsideCheck,
    model::outside::Provenance,
);

impl Room<'_, '_> {
    /// Writes a record: a new one, or the next version of one that stands. Answers the version that was written.
    ///
    /// # Errors
    /// The store's; `Stale` when somebody else was faster.
    pub fn put<R: Versioned>(&mut self, written: &mut Written, next: R) -> Result<R> {
        self.put_erased(written, next, &[])
    }

    /// The same of a record some of whose texts are erased by this act, at these places (JSON Pointers); what was erased
    /// before stays so.
    ///
    /// # Errors
    /// The store's; `Stale` when somebody else was faster.
    pub(crate) fn put_erased<R: Versioned>(
        &mut self,
        written: &mut Written,
        mut next: R,
        erased: &[String],
    ) -> Result<R> {
        let id = next.id().to_owned();
        // A record without a version was made in this act: nothing stands under its new id.
        let before = match next.version() {
            0 => None,
            _ => record::load::<R>(self.tx, &id)?,
        };
        let version = before.as_ref().map_or(0, |stored| stored.record.version()) + 1;
        if let Some(stored) = &before
            && stored.record.version() != next.version()
        {
            return Err(store::Error::Stale {
                table: R::TABLE.to_owned(),
            }
            .into());
        }
        next.set_version(version);
        let previous = before.map(|stored| {
            let body = with_erased(serde_json::to_value(&stored.record)?, &stored.erased);
            Ok::<_, Error>((body, serde_json::from_str(&stored.sealed)?, stored.erased))
        });
        let previous: Option<(Value, Value, Vec<String>)> = previous.transpose()?;
        let gone = previous.as_ref().map_or(&[][..], |(_, _, gone)| gone);
        let body = with_erased(with_erased(serde_json::to_value(&next)?, gone), erased);
        let pair = previous.as_ref().map(|(body, sealed, _)| (body, sealed));
        let sealed = seal_record(&body, &model::texts::is_text, pair, self.desk.tools().entropy.as_ref())?;
        let number = u64::try_from(version).unwrap_or_default();
        let delta = diff::between(R::TABLE, &id, number, pair.map(|(_, sealed)| sealed), &sealed.sealed)?;
        let text = serde_json::to_string(&sealed.sealed)?;
        match pair {
            None => record::insert(self.tx, &next, &text)?,
            Some(_) if gone.is_empty() && erased.is_empty() => record::update(self.tx, &next, &text, version - 1)?,
            Some(_) => record::update_erased(self.tx, &next, &body, &text, version - 1)?,
        }
        written.deltas.push(delta);
        written.salts.extend(sealed.new_salts);
        self.note_written(R::TABLE, &id);
        self.note_made(R::TABLE, &id);
        Ok(next)
    }

    /// Writes the act's events; the first carries what was done to records.
    ///
    /// # Errors
    /// The store's, or a fault when bytes cannot be made.
    pub fn tell(&mut self, mut drafts: Vec<EventDraft>, written: Written) -> Result<()> {
        if drafts.is_empty() {
            let Some(first) = written.deltas.first() else {
                return Ok(());
            };
            // Timers may mark a record without anything that people call news.
            let subject = (table_name(&first.table), first.id.clone());
            drafts.push(EventDraft {
                kind: "record.updated",
                subject,
                occurred_at: self.now,
                data: Map::new(),
            });
        }
        let mut deltas = Some(written.deltas);
        for draft in drafts {
            let first = deltas.is_some();
            let id = self.write_event(draft, deltas.take().unwrap_or_default())?;
            if first {
                self.keep_salts(&id, &written.salts)?;
            }
        }
        Ok(())
    }

    fn keep_salts(&mut self, event: &str, fresh: &[proof::commitment::NewSalt]) -> Result<()> {
        for salt in fresh {
            let text = salts::SaltedText {
                commitment: salt.commitment.clone(),
                salt: salt.salt.to_vec(),
                text: salt.text.clone(),
                event_id: event.to_owned(),
            };
            salts::save(self.tx, &text)?;
        }
        Ok(())
    }

    fn write_event(&mut self, draft: EventDraft, records: Vec<RecordDelta>) -> Result<String> {
        let refs: Vec<RecordRef> = records
            .iter()
            .map(|delta| RecordRef {
                table: delta.table.clone(),
                id: delta.id.clone(),
                version: i64::try_from(delta.version).unwrap_or(i64::MAX),
            })
            .collect();
        let id = self.new_id()?;
        let event = Event {
            v: VERSION,
            id: id.clone(),
            tenant: self.tenant(),
            kind: draft.kind.to_owned(),
            actor: self.actor.person.0.clone(),
            occurred_at: draft.occurred_at.to_string(),
            recorded_at: self.recorded_at.to_string(),
            subject: Subject {
                table: draft.subject.0.to_owned(),
                id: draft.subject.1.clone(),
            },
            data: without_nulls(draft.data),
            records,
            records_digest: None,
            act: self.act.clone(),
        };
        let bytes = event.to_bytes()?;
        let mac = crate::macs::of_event(self, &bytes.leaf);
        let new = NewEvent {
            id: &id,
            act: &self.act,
            kind: draft.kind,
            subject_table: draft.subject.0,
            subject_id: &draft.subject.1,
            occurred_at: draft.occurred_at,
            recorded_at: self.recorded_at,
            bytes: &bytes.leaf,
            records: &refs,
            mac: &mac,
        };
        store::event::append(self.tx, &new)?;
        self.note_event(&id);
        if let Some(payload) = bytes.records_payload {
            let digest = proof::crypto::digest_text(&payload);
            store::event::save_payload(self.tx, &id, &digest, &payload)?;
        }
        Ok(id)
    }

    /// Writes one record of the estate with its one event.
    ///
    /// # Errors
    /// The store's.
    pub fn put_estate<R: Versioned>(&mut self, kind: &'static str, record: R, data: Value) -> Result<R> {
        let mut written = Written::default();
        let saved = self.put(&mut written, record)?;
        let data = if let Value::Object(map) = data { map } else { Map::new() };
        let subject = (R::TABLE, saved.id().to_owned());
        self.tell(
            vec![EventDraft {
                kind,
                subject,
                occurred_at: self.now,
                data,
            }],
            written,
        )?;
        self.touch_directory()?;
        Ok(saved)
    }
}

/// The log holds no nulls: a fact that is not there is left out.
fn without_nulls(data: Map<String, Value>) -> Map<String, Value> {
    data.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match value {
            Value::Object(inner) => (key, Value::Object(without_nulls(inner))),
            other => (key, other),
        })
        .collect()
}

fn table_name(name: &str) -> &'static str {
    store::nouns::TABLES
        .iter()
        .find(|table| **table == name)
        .copied()
        .unwrap_or("change")
}

/// Saves a change's file: what differs from before, the events, and everything that hangs on them.
///
/// # Errors
/// The store's.
pub fn file(room: &mut Room<'_, '_>, before: Option<&ChangeFile>, mut done: Done) -> Result<()> {
    let mut written = Written::default();
    let file = &mut done.file;
    let decided = save_around(room, &mut written, before, file)?;
    if !written.is_empty() && file.change.has_lost_texts() {
        // New texts stand around a change whose texts were erased: the retention counts from them, and takes them as well.
        file.change.updated_at = room.now;
    }
    save_change(room, &mut written, before, file, decided)?;
    crate::running::note_outcomes(room, &mut written, before, file)?;
    keep_acts(room, &mut written, before.unwrap_or(file), (&done.events, done.allowed))?;
    let id = file.change.id.clone();
    save_letters(room, &mut written, file, &done.letters)?;
    revoke(room, file, &done.revoked)?;
    if !written.is_empty() || !done.events.is_empty() {
        room.tell(done.events, written)?;
    }
    crate::set_freeze::end_lapsed(room, before.map(|before| &before.change), &done.file.change)?;
    set_timer(room, &id, before.is_some(), done.next_due)?;
    crate::gate::refresh(room, before, &done.file)?;
    crate::answer_outside::refresh(room, &done.file)?;
    crate::settle_others::settle_others(room, before, &done.file)
}

/// Saves the records around the change; answers whether a decision among them moved.
fn save_around(
    room: &mut Room<'_, '_>,
    written: &mut Written,
    before: Option<&ChangeFile>,
    file: &mut ChangeFile,
) -> Result<bool> {
    let count = |written: &Written| written.deltas.len();
    let start = count(written);
    save_list(room, written, before.map(|old| &old.approvals[..]), &mut file.approvals)?;
    if let Some(before) = before {
        keep_facts(room, written, before, file)?;
    }
    save_list(
        room,
        written,
        before.map(|old| &old.conditions[..]),
        &mut file.conditions,
    )?;
    save_list(
        room,
        written,
        before.map(|old| &old.peer_reviews[..]),
        &mut file.peer_reviews,
    )?;
    save_list(room, written, before.map(|old| &old.evidence[..]), &mut file.evidence)?;
    save_list(room, written, before.map(|old| &old.checklist[..]), &mut file.checklist)?;
    let decided = count(written) > start;
    save_list(room, written, before.map(|old| &old.tasks[..]), &mut file.tasks)?;
    save_list(room, written, before.map(|old| &old.links[..]), &mut file.links)?;
    save_list(room, written, before.map(|old| &old.permits[..]), &mut file.permits)?;
    save_list(room, written, None, &mut file.entries)?;
    save_list(room, written, None, &mut file.comments)?;
    Ok(decided)
}

/// Writes what is new or different. Ended decisions go first: one person has one standing decision at a time.
fn save_list<R: Versioned>(
    room: &mut Room<'_, '_>,
    written: &mut Written,
    before: Option<&[R]>,
    after: &mut [R],
) -> Result<()> {
    for row in after.iter_mut() {
        let old = before.unwrap_or_default().iter().find(|old| old.id() == row.id());
        if old.is_none_or(|old| old != row) {
            *row = room.put(written, row.clone())?;
        }
    }
    Ok(())
}

fn save_change(
    room: &mut Room<'_, '_>,
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
        file.change.updated_at = room.now;
    }
    file.change = room.put(written, file.change.clone())?;
    Ok(())
}

/// Whether two versions differ only in what the ETag does not follow: watchers, marks, who did some of the work.
fn same_to_readers(old: &model::change::Change, new: &model::change::Change) -> bool {
    let mut old = old.clone();
    old.watchers.clone_from(&new.watchers);
    old.told.clone_from(&new.told);
    old.implemented_by.clone_from(&new.implemented_by);
    &old == new
}

fn save_letters(room: &mut Room<'_, '_>, written: &mut Written, file: &ChangeFile, letters: &[Letter]) -> Result<()> {
    for letter in letters {
        let subject = match (letter.topic, &letter.headline) {
            // What happened is the news itself.
            ("milestone", _) => letter.news.trim_end_matches('.').to_owned(),
            (_, Some(headline)) => format!("{} {headline}", file.change.key),
            (topic, None) => format!("{} {}", file.change.key, topic_words(topic)),
        };
        let text = format!(
            "{}\n{}\n\n{}: {}\n{}/t/{}/changes/{}\n",
            letter.news,
            letter.next,
            file.change.key,
            file.change.content.title,
            room.desk.tools().public_url,
            room.tenant(),
            file.change.key
        );
        let about = Some((&file.change.id, file.change.key.as_str()));
        save_message(
            room,
            written,
            &letter.to,
            about,
            (letter.topic, &subject, &text, &letter.dedup),
        )?;
    }
    Ok(())
}

/// What a subject says after the key, as on the pages and in letters.
fn topic_words(topic: &str) -> String {
    let words = match topic {
        "asked_to_approve" => "needs your word",
        "reminder" => "still needs your word",
        "unacknowledged" => "waits for a word",
        "approval_voided" | "approval_expired" => "needs your word again",
        "returned" => "came back with a question",
        "answered" => "has an answer to your question",
        "rejected" => "was rejected",
        "window_opens" => "may start",
        "window_missed" => "missed its window",
        "overrun" => "runs over its time",
        "latest_rollback" => "is at its latest moment to roll back",
        "hold_ended" => "is still on hold",
        "break_glass" => "broke glass",
        "break_glass_ended" => "ended its break-glass",
        "exception_lapsed" | "exception_withdrawn" => "may pass a freeze no more",
        "permit_voided" => "needs a new permit",
        "went_wrong" => "went wrong",
        "does_not_work" => "does not work",
        "extension_asked" => "needs more time",
        "extension_decided" => "has an answer on more time",
        "confirm_retrospective" => "asks what you allowed",
        "unauthorized" => "was not authorized",
        "validation_due" => "waits for its validation",
        "review_due" => "waits for its review",
        "task" => "has work for you",
        "comment" => "has a comment",
        "mentioned" => "names you in a comment",
        "work_report" => "has news of the work",
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

/// Writes a message and the job that mails it, or lets it wait as its reader wishes; the same matter is told once.
///
/// # Errors
/// The store's.
pub fn save_message(
    room: &mut Room<'_, '_>,
    written: &mut Written,
    to: &PersonId,
    about: Option<(&ChangeId, &str)>,
    message: (&str, &str, &str, &str),
) -> Result<()> {
    save_message_for(room, written, (to, ""), about, message)
}

/// The same of a message that is mailed to an address of its own, where that is not empty: one that the person has no more.
///
/// # Errors
/// The store's.
pub(crate) fn save_message_for(
    room: &mut Room<'_, '_>,
    written: &mut Written,
    (to, address): (&PersonId, &str),
    about: Option<(&ChangeId, &str)>,
    (topic, subject, text, dedup): (&str, &str, &str, &str),
) -> Result<()> {
    let known = record::count::<Message>(room.tx, &Filter::new().equals("dedup", dedup))?;
    if known > 0 {
        return Ok(());
    }
    let due = room.directory()?.told_at(to, topic, room.now);
    let waits = due > room.now;
    let message = Message {
        id: RecordId(room.new_id()?),
        version: 0,
        person: to.clone(),
        change: about.map(|(id, _)| id.clone()),
        change_key: about.map(|(_, key)| key.to_owned()),
        topic: topic.to_owned(),
        subject: subject.to_owned(),
        text: text.to_owned(),
        dedup: dedup.to_owned(),
        at: room.now,
        delivery: if waits { crate::tell_held::HELD } else { "kept" }.to_owned(),
    };
    let message = room.put(written, message)?;
    if waits {
        return crate::tell_held::wake(room, to, due);
    }
    let id = room.new_id()?;
    let new = job::NewJob {
        id: &id,
        kind: "mail",
        subject: message.id.as_str(),
        payload: address,
        run_at: room.now,
    };
    job::insert(room.tx, &new)?;
    Ok(())
}

fn revoke(room: &mut Room<'_, '_>, file: &ChangeFile, revoked: &[RecordId]) -> Result<()> {
    if revoked.is_empty() {
        return Ok(());
    }
    let epoch = revocation::raise(room.tx)?;
    for id in revoked {
        let Some(permit) = file.permits.iter().find(|permit| &permit.id == id) else {
            continue;
        };
        let entry = revocation::Revoked {
            jti: id.0.clone(),
            epoch,
            at: room.now,
            expires_at: permit.expires_at,
        };
        revocation::revoke(room.tx, &entry)?;
    }
    Ok(())
}

fn set_timer(room: &mut Room<'_, '_>, change: &ChangeId, stood: bool, due: Option<Timestamp>) -> Result<()> {
    let Some(run_at) = due else {
        if !stood {
            return Ok(());
        }
        timer::cancel(room.tx, "change", change.as_str(), "due")?;
        return Ok(());
    };
    let id = room.new_id()?;
    let new = timer::NewTimer {
        id: &id,
        subject_table: "change",
        subject_id: change.as_str(),
        kind: "due",
        run_at,
    };
    timer::set(room.tx, &new)?;
    Ok(())
}

/// A helper for events with data.
pub fn draft(kind: &'static str, subject: (&'static str, String), occurred_at: Timestamp, data: Value) -> EventDraft {
    let data = if let Value::Object(map) = data { map } else { Map::new() };
    EventDraft {
        kind,
        subject,
        occurred_at,
        data,
    }
}
