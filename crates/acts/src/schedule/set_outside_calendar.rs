//! External calendars, and the import of their events.

use model::core::act::actions::SET_WINDOW;
use model::core::ids::{EnvironmentKey, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::schedule::outside_calendar::{
    EVERY_MINUTES, MOST_CALENDARS, MOST_EVENTS, OutsideCalendar, OutsideCalendarInput, OutsideEvent, kept,
};
use serde_json::{Value, json};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::integration::set_webhook::check_reach;
use crate::schedule::{calendar_notices, read_calendars};

impl PlainNoun for OutsideCalendar {
    type Input = OutsideCalendarInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(cx.directory()?.outside_calendars.to_vec())
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: OutsideCalendarInput, mut reading: Reading<'_>) -> Result<Self> {
        check(cx, &input, &mut reading)?;
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST_CALENDARS {
            let text = format!("There are {MOST_CALENDARS} calendars of others already.");
            return Err(Refusal::not_now("too_many", text, "Remove one that nobody needs.", Vec::new()).into());
        }
        let calendar = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            name: input.name,
            url: input.url,
            is_caldav: input.is_caldav,
            every_minutes: input.every_minutes,
            has_credential: false,
            services: input.services,
            environments: input.environments,
            vendor: input.vendor,
            imported: None,
            imported_at: None,
            entity_tag: None,
            read_problem: None,
            active: true,
        };
        let added = cx.put_estate("outside_calendar.added", calendar, json!({}))?;
        read_calendars::queue_reading(cx, &added)?;
        Ok(added)
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: OutsideCalendarInput, mut reading: Reading<'_>) -> Result<Self> {
        check(cx, &input, &mut reading)?;
        reading.finish()?;
        let before = self.clone();
        let is_moved = (&input.url, input.is_caldav) != (&self.url, self.is_caldav);
        let edited = Self {
            name: input.name,
            url: input.url,
            is_caldav: input.is_caldav,
            every_minutes: input.every_minutes,
            // A credential is meant for the address that it was given for.
            has_credential: self.has_credential && !is_moved,
            services: input.services,
            environments: input.environments,
            vendor: input.vendor,
            entity_tag: self.entity_tag.filter(|_| !is_moved),
            read_problem: self.read_problem.filter(|_| !is_moved),
            ..self
        };
        let edited = cx.put_estate("outside_calendar.edited", edited, json!({}))?;
        if is_moved {
            read_calendars::settle(cx, edited.id.as_str(), "The calendar is read from another address.")?;
        }
        calendar_notices::follow(cx, &before, &edited)?;
        read_calendars::queue_reading(cx, &edited)?;
        Ok(edited)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self {
            active: false,
            imported: None,
            ..self
        };
        let ended = cx.put_estate("outside_calendar.ended", ended, json!({}))?;
        read_calendars::settle(cx, ended.id.as_str(), "The calendar was removed.")?;
        Ok(ended)
    }

    /// Responses have the number of events, and not each of them.
    fn complete(_cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        for (record, value) in records.iter().zip(values) {
            if let Value::Object(map) = value {
                map.remove("imported");
                map.remove("entity_tag");
                map.insert("event_count".to_owned(), json!(record.events().count()));
            }
        }
        Ok(())
    }
}

fn check(cx: &mut Context<'_, '_>, input: &OutsideCalendarInput, reading: &mut Reading<'_>) -> Result<()> {
    let directory = cx.directory()?;
    let unknown = |key: &&EnvironmentKey| !directory.environments.contains_key(*key);
    for key in input.environments.iter().filter(unknown) {
        reading.wrong("environments", "unknown", format!("There is no environment `{key}`."));
    }
    if let Some(vendor) = input.vendor.as_ref().filter(|key| directory.vendor(key).is_none()) {
        reading.wrong("vendor", "unknown", format!("There is no vendor `{vendor}`."));
    }
    let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    if input.url.as_ref().is_some_and(|url| !is_web(url)) {
        reading.wrong("url", "not_a_url", "`url` begins with https:// or http://.");
    }
    if let Some(url) = &input.url {
        check_reach(reading, ("url", url.as_str()), &cx.services.tools().reaches);
    }
    if input.url.as_ref().is_some_and(|url| url.contains('@')) {
        let text =
            "`url` must not contain a login or password; `POST /outside-calendars/…/credentials` stores them sealed.";
        reading.wrong("url", "not_a_url", text);
    }
    if input.url.is_none() && (input.is_caldav || input.every_minutes.is_some()) {
        reading.wrong(
            "url",
            "missing",
            "Only a calendar with an address, `url`, is read again.",
        );
    }
    let (least, most) = EVERY_MINUTES;
    if input
        .every_minutes
        .is_some_and(|minutes| !(least..=most).contains(&minutes))
    {
        let text = format!("`every_minutes` is {least} to {most}.");
        reading.wrong("every_minutes", "out_of_range", text);
    }
    Ok(())
}

/// Replaces the events of a calendar (`POST /outside-calendars/{id}/imports`); the reader of the file leaves out events that
/// ended long ago. An import that changes nothing writes nothing.
///
/// # Errors
/// 403, 404, 422 for too many events, or the store's.
pub fn import_events(cx: &mut Context<'_, '_>, id: &str, events: &[OutsideEvent]) -> Result<OutsideCalendar> {
    cx.allow(SET_WINDOW)?;
    let found = cx
        .directory()?
        .outside_calendars
        .iter()
        .find(|it| it.id.as_str() == id)
        .cloned();
    let calendar = found.ok_or_else(|| Refusal::not_found("outside-calendar"))?;
    if events.len() > MOST_EVENTS {
        let text = format!(
            "The calendar has {} events; at most {MOST_EVENTS} are imported.",
            events.len()
        );
        return Err(Refusal::field("text", "too_many", text).into());
    }
    let imported = kept(events);
    if calendar.imported.as_ref() == Some(&imported) {
        return Ok(calendar);
    }
    let next = OutsideCalendar {
        imported: Some(imported),
        imported_at: Some(cx.now),
        ..calendar.clone()
    };
    let saved = cx.put_estate("outside_calendar.imported", next, json!({"events": events.len()}))?;
    calendar_notices::follow(cx, &calendar, &saved)?;
    Ok(saved)
}
