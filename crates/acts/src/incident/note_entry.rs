//! The timeline of incidents: notes of people, and the events of sources, states, commanders and freezes.

use jiff::Timestamp;
use model::change::ready_spans::SKEW;
use model::core::enums::TimelineKind;
use model::core::ids::RecordId;
use model::core::parse::{Reading, later, one_line};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Incident};
use model::incident::entry::{IncidentEntry, IncidentEntryInput, MOST, MOST_DECIDED, TEXT};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

/// How many of the latest entries a list shows.
const LISTED: i64 = 200;

/// Records an entry in the timeline of a saved incident. Beyond the limit only its states, its freeze and its commander's acts
/// are recorded, and the record itself stays complete.
///
/// # Errors
/// The store's.
pub(crate) fn note(cx: &mut Context<'_, '_>, incident: &Incident, kind: TimelineKind, text: &str) -> Result<()> {
    let most = match kind {
        TimelineKind::Note | TimelineKind::Alert | TimelineKind::Severity => MOST,
        TimelineKind::State | TimelineKind::Command | TimelineKind::Freeze | TimelineKind::Signature => MOST_DECIDED,
    };
    if has_entries(cx, &incident.key, most)? {
        return Ok(());
    }
    let entry = IncidentEntry {
        id: RecordId(cx.new_id()?),
        version: 0,
        about: incident.key.clone(),
        at: cx.now,
        kind,
        text: one_line(text).chars().take(TEXT).collect(),
        by: (!cx.actor.is_system).then(|| cx.actor.person.clone()),
        recorded_at: cx.now,
    };
    cx.put_estate("incident_entry.added", entry, json!({"key": incident.key}))
        .map(drop)
}

/// The timeline of an incident, the latest entries first.
///
/// # Errors
/// The store's.
pub fn timeline(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<IncidentEntry>> {
    let filter = Filter::new()
        .equals("about", key)
        .descending_by("at")
        .descending_by("id");
    Ok(record::bodies::<IncidentEntry>(cx.tx, &filter.limit(MOST_DECIDED))?)
}

fn has_entries(cx: &mut Context<'_, '_>, key: &str, most: i64) -> Result<bool> {
    let own = Filter::new().equals("about", key);
    Ok(record::count::<IncidentEntry>(cx.tx, &own)? >= most)
}

/// The incident that an entry is about, where the reader sees it.
fn is_seen(directory: &Directory, entry: &IncidentEntry) -> bool {
    directory.incidents.contains_key(&entry.about)
}

impl PlainNoun for IncidentEntry {
    type Input = IncidentEntryInput;

    /// The latest ones.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().descending_by("at").descending_by("id").limit(LISTED);
        let found = record::bodies::<Self>(cx.tx, &filter)?;
        let directory = cx.visible()?;
        Ok(found.into_iter().filter(|entry| is_seen(&directory, entry)).collect())
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record);
        let directory = cx.visible()?;
        Ok(found.filter(|entry| is_seen(&directory, entry)))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: IncidentEntryInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.visible()?;
        let incident = directory.incidents.get(&input.about.trim().to_uppercase());
        if incident.is_none() && !input.about.is_empty() {
            let text = format!("There is no incident `{}`.", input.about);
            reading.wrong("about", "unknown", text);
        }
        if let Some(incident) = incident {
            check_time(&mut reading, incident, input.at, cx.now);
        }
        reading.finish()?;
        let key = incident.map(|it| it.key.clone()).unwrap_or_default();
        if has_entries(cx, &key, MOST)? {
            let text = format!("The timeline of {key} has {MOST} entries, which is the limit.");
            let satisfy = "Write the rest into the review of the incident.";
            return Err(Refusal::not_now("too_many", text, satisfy, Vec::new()).into());
        }
        let entry = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            about: key.clone(),
            at: input.at.unwrap_or(cx.now),
            kind: TimelineKind::Note,
            text: input.text,
            by: Some(cx.actor.person.clone()),
            recorded_at: cx.now,
        };
        cx.put_estate("incident_entry.added", entry, json!({"key": key}))
    }
}

/// An entry is about the past.
fn check_time(reading: &mut Reading<'_>, incident: &Incident, at: Option<Timestamp>, now: Timestamp) {
    let Some(at) = at else { return };
    if at > later(now, SKEW) {
        reading.wrong("at", "in_the_future", "`at` cannot lie ahead.");
    } else if at < incident.started_at.checked_sub(BEFORE).unwrap_or(Timestamp::MIN) {
        let text = "`at` lies more than 30 days before the incident began.";
        reading.wrong("at", "out_of_range", text);
    }
}

/// So long before an incident something may lie that belongs to it.
const BEFORE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 30);
