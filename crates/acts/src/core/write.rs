//! Writes the results of an act: records with their sealed forms, and the events that record them.

use model::change::change_file::EventDraft;
use model::compliance::erasure::with_erased;
use model::core::typed;
use proof::commitment::seal_record;
use proof::diff::{self, RecordDelta};
use proof::event::{Event, Subject, VERSION};
use serde_json::{Map, Value};
use store::audit::event::{NewEvent, RecordRef};
use store::audit::salts;
use store::record::{self, Record};

use crate::core::context::Context;
use crate::core::error::{Error, Result};

pub(crate) mod way_in;

/// Records and salts gathered until the act's events are written.
#[derive(Default)]
pub struct Written {
    deltas: Vec<RecordDelta>,
    salts: Vec<proof::commitment::NewSalt>,
}

impl Written {
    /// How many records were written.
    pub(crate) fn count(&self) -> usize {
        self.deltas.len()
    }

    /// Whether the first version of a record of this noun was written.
    pub(crate) fn has_made<R: Record>(&self) -> bool {
        let mut deltas = self.deltas.iter();
        deltas.any(|delta| delta.table == R::TABLE && delta.version == 1)
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }
}

/// A record with a version that saving counts.
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

versioned!(model::change::record::Change);
model::card_nouns!(versioned);
model::record_nouns!(versioned);

impl Context<'_, '_> {
    /// Writes a record: a new one, or the next version of an existing one. Returns the version that was written.
    ///
    /// # Errors
    /// The store's; `Stale` when somebody else was faster.
    pub fn put<R: Versioned>(&mut self, written: &mut Written, next: R) -> Result<R> {
        self.put_erased(written, next, &[])
    }

    /// The same for a record some of whose texts this act erases, at these places (JSON Pointers); earlier erasures
    /// stay.
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
        // A record without a version was created in this act: no row exists under its new id.
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
            let body = with_erased(stored.record.to_json()?, &stored.erased);
            Ok::<_, Error>((body, serde_json::from_str(&stored.sealed.text()?)?, stored.erased))
        });
        let previous: Option<(Value, Value, Vec<String>)> = previous.transpose()?;
        let gone = previous.as_ref().map_or(&[][..], |(_, _, gone)| gone);
        let body = with_erased(with_erased(next.to_json()?, gone), erased);
        let pair = previous.as_ref().map(|(body, sealed, _)| (body, sealed));
        let sealed = seal_record(
            &body,
            &model::core::free_text::is_text,
            pair,
            self.services.tools().entropy.as_ref(),
        )?;
        let number = u64::try_from(version).unwrap_or_default();
        let delta = diff::between(R::TABLE, &id, number, pair.map(|(_, sealed)| sealed), &sealed.sealed)?;
        let text = store::sealed::shorten(&body, &sealed.sealed);
        match pair {
            None => record::insert(self.tx, &next, &text)?,
            Some(_) if gone.is_empty() && erased.is_empty() => record::update(self.tx, &next, &text, version - 1)?,
            Some(_) => record::update_erased(self.tx, &next, &body, &text, version - 1)?,
        }
        written.deltas.push(delta);
        written.salts.extend(sealed.new_salts);
        self.note_written(R::TABLE, &id);
        self.standings.note_made(R::TABLE, &id);
        Ok(next)
    }

    /// Writes the act's events; the first carries the changes of records.
    ///
    /// # Errors
    /// The store's, or a fault when bytes cannot be made.
    pub fn emit(&mut self, mut drafts: Vec<EventDraft>, written: Written) -> Result<()> {
        if drafts.is_empty() {
            let Some(first) = written.deltas.first() else {
                return Ok(());
            };
            // Timers may mark a record without an event for people.
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
        let text = |salt: &proof::commitment::NewSalt| salts::SaltedText {
            commitment: salt.commitment.clone(),
            salt: salt.salt.to_vec(),
            text: salt.text.clone(),
            event_id: event.to_owned(),
        };
        let texts: Vec<salts::SaltedText> = fresh.iter().map(text).collect();
        Ok(salts::save(self.tx, event, &texts)?)
    }

    /// Names the charter of an agent in each of its events, so that the log itself shows that no person acted.
    fn mark_agent(&mut self, draft: &mut EventDraft) -> Result<()> {
        if self.actor.is_system {
            return Ok(());
        }
        if self.charter.is_none() {
            let found = self
                .directory()?
                .agent(&self.actor.person)
                .map(|agent| agent.charter_digest.clone());
            self.charter = Some(found);
        }
        if let Some(digest) = self.charter.iter().flatten().next() {
            draft.data.insert("by_agent".to_owned(), Value::from(digest.as_str()));
        }
        Ok(())
    }

    fn write_event(&mut self, mut draft: EventDraft, records: Vec<RecordDelta>) -> Result<String> {
        let refs: Vec<RecordRef> = records
            .iter()
            .map(|delta| RecordRef {
                table: delta.table.clone(),
                id: delta.id.clone(),
                version: i64::try_from(delta.version).unwrap_or(i64::MAX),
            })
            .collect();
        let id = self.new_id()?;
        typed::leave_events(draft.kind, &mut draft.data);
        self.mark_agent(&mut draft)?;
        way_in::mark(self, &mut draft);
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
        let mac = crate::core::row_mac::of_event(self, &bytes.leaf);
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
        store::audit::event::append(self.tx, &new)?;
        self.standings.note_event(&id);
        if let Some(payload) = bytes.records_payload {
            let digest = proof::crypto::digest_text(&payload);
            store::audit::event::save_payload(self.tx, &id, &digest, &payload)?;
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
        self.emit(
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

/// The log contains no nulls: an absent fact is left out.
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

/// A helper for events with data.
pub fn draft(
    kind: &'static str,
    subject: (&'static str, String),
    occurred_at: jiff::Timestamp,
    data: Value,
) -> EventDraft {
    let data = if let Value::Object(map) = data { map } else { Map::new() };
    EventDraft {
        kind,
        subject,
        occurred_at,
        data,
    }
}
