//! A person's notification preferences. People set their own, administrators set those of anyone.

use jiff::Timestamp;
use model::core::body::Body;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Person;
use model::notify::preferences::{CLOCKS, DENSITIES, LANGUAGES, NotificationPreferences, Quiet};
use model::schedule::calendar::minute_of_day;
use serde_json::json;
use store::audit::event;
use store::record::Record;

use crate::approval::set_absence::allow_own;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::directory::set_person::read_zone;
use crate::notify::send_deferred;

fn person_of(cx: &mut Context<'_, '_>, login: &str) -> Result<Person> {
    let directory = cx.directory()?;
    let found = directory.by_login(login).cloned();
    let Some(person) = found else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    allow_own(cx, &person.id)?;
    Ok(person)
}

/// A person's notification preferences (`GET /people/{login}/telling`).
///
/// # Errors
/// 403 for another's without the right to set people, 404, or the store's.
pub fn preferences_of(cx: &mut Context<'_, '_>, login: &str) -> Result<(Person, NotificationPreferences)> {
    let person = person_of(cx, login)?;
    let telling = person.telling.clone().unwrap_or_default();
    Ok((person, telling))
}

/// Sets it (`PUT /people/{login}/telling {how, digest_at?, quiet_from?, quiet_until?, language?, zone?, clock?, density?,
/// has_invitations?}`); `how` is `at_once` or `digest`. The preferences apply to waiting messages too. Without a zone in the
/// request the person's zone stays. The usual preferences are a choice as well: no browser changes them afterwards.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn set_telling(cx: &mut Context<'_, '_>, login: &str, body: &Body) -> Result<(Person, NotificationPreferences)> {
    let mut person = person_of(cx, login)?;
    let mut reading = Reading::new(body, "");
    let telling = read(&mut reading);
    let zone = read_zone(&mut reading);
    reading.finish()?;
    let wished = Person {
        telling: Some(telling.clone()).filter(|it| !it.is_usual()),
        zone: zone.unwrap_or_else(|| person.zone.clone()),
        ..person.clone()
    };
    if wished != person || !has_chosen(cx, &person)? {
        person = cx.put_estate(SET, wished, json!({}))?;
    }
    // Waiting messages follow the new preferences.
    send_deferred::send_held(cx, person.id.as_str())?;
    Ok((person, telling))
}

/// The zone of a person without a chosen one.
const USUAL_ZONE: &str = "UTC";
/// The event of preferences that were set.
const SET: &str = "person.telling_set";

/// Whether somebody's preferences were ever set, by them, an administrator or their browser.
fn has_chosen(cx: &mut Context<'_, '_>, person: &Person) -> Result<bool> {
    let subject = (Person::TABLE, person.id.as_str());
    Ok(event::count_of_subject(cx.tx, subject, SET, Timestamp::UNIX_EPOCH)? > 0)
}

/// The settings of a browser.
#[derive(Debug, Clone)]
pub struct BrowserSettings {
    /// The tag of its language; a language without pages is left out.
    pub language: &'static str,
    /// Whether its times are written by 12 hours with am and pm.
    pub is_by_twelve: bool,
    /// The name of its time zone; an unknown one is left out.
    pub zone: String,
}

/// Takes the language, the clock and the time zone from a person's browser, once: preferences that were ever set stay, also where
/// they were set back to the usual ones, and so does an existing zone.
///
/// # Errors
/// The store's.
pub fn take_from_browser(cx: &mut Context<'_, '_>, browser: &BrowserSettings) -> Result<()> {
    if let Some(wished) = wished_by_browser(cx, browser)? {
        cx.put_estate(SET, wished, json!({}))?;
    }
    Ok(())
}

/// Whether [`take_from_browser`] would write anything, so that a sign-in opens no transaction for nothing.
///
/// # Errors
/// The store's.
pub fn would_take_from_browser(cx: &mut Context<'_, '_>, browser: &BrowserSettings) -> Result<bool> {
    Ok(wished_by_browser(cx, browser)?.is_some())
}

/// The acting person with the settings of their browser; `None` where they add nothing or the preferences were set before.
fn wished_by_browser(cx: &mut Context<'_, '_>, browser: &BrowserSettings) -> Result<Option<Person>> {
    let directory = cx.directory()?;
    let Some(person) = directory.people.get(&cx.actor.person) else {
        return Ok(None);
    };
    let telling = NotificationPreferences {
        language: LANGUAGES
            .contains(&browser.language)
            .then(|| browser.language.to_owned()),
        clock: browser.is_by_twelve.then(|| "12".to_owned()),
        ..NotificationPreferences::default()
    };
    let takes_zone = person.zone == USUAL_ZONE && jiff::tz::TimeZone::get(&browser.zone).is_ok();
    let wished = Person {
        telling: match &person.telling {
            None if !telling.is_usual() => Some(telling),
            kept => kept.clone(),
        },
        zone: match takes_zone {
            true => browser.zone.clone(),
            false => person.zone.clone(),
        },
        ..person.clone()
    };
    match wished == *person || has_chosen(cx, person)? {
        true => Ok(None),
        false => Ok(Some(wished)),
    }
}

/// One of a few values.
fn one_of(reading: &mut Reading<'_>, field: &'static str, words: &[&str]) -> Option<String> {
    let said = reading.text(field, LINE)?;
    if !words.contains(&said.as_str()) {
        let wrong = format!(
            "`{field}` is one of {}; leave it out for {}.",
            words.join(", "),
            words.first()?
        );
        reading.wrong(field, "unknown_word", wrong);
    }
    Some(said)
}

fn read(reading: &mut Reading<'_>) -> NotificationPreferences {
    let how = reading.needed("how", LINE);
    let digest_at = time_of_day(reading, "digest_at");
    let from = time_of_day(reading, "quiet_from");
    let until = time_of_day(reading, "quiet_until");
    let digest_at = match how.as_str() {
        "at_once" => {
            if digest_at.is_some() {
                let text = "`digest_at` belongs to `how: digest`; omit it, or choose a digest.";
                reading.wrong("digest_at", "not_here", text);
            }
            None
        }
        "digest" => Some(digest_at.unwrap_or_else(|| "08:00".to_owned())),
        "" => None,
        _ => {
            reading.wrong("how", "unknown_word", "`how` is `at_once` or `digest`.");
            None
        }
    };
    if from.is_some() != until.is_some() {
        let text = "Quiet hours have a start and an end, for example `quiet_from` 22:00, `quiet_until` 07:00.";
        reading.wrong("quiet_until", "missing", text);
    }
    if from.is_some() && from == until {
        let text = "Quiet hours that end where they begin would last all day; choose another end.";
        reading.wrong("quiet_until", "out_of_order", text);
    }
    let quiet = from.zip(until).map(|(from, until)| Quiet { from, until });
    let language = reading.text("language", LINE);
    if language.as_deref().is_some_and(|tag| !LANGUAGES.contains(&tag)) {
        let wrong = format!(
            "`language` is one of {}; leave it out for what the browser asks for.",
            LANGUAGES.join(", ")
        );
        reading.wrong("language", "unknown_word", wrong);
    }
    NotificationPreferences {
        digest_at,
        quiet,
        language,
        has_invitations: reading.boolean("has_invitations").unwrap_or(false),
        clock: one_of(reading, "clock", &CLOCKS),
        density: one_of(reading, "density", &DENSITIES),
    }
}

fn time_of_day(reading: &mut Reading<'_>, field: &'static str) -> Option<String> {
    let text = reading.text(field, LINE)?;
    if minute_of_day(&text).is_none_or(|minute| minute >= 1_440) {
        let wrong = format!("`{text}` is not a time of day such as 08:00 or 22:30.");
        reading.wrong(field, "not_a_time", wrong);
    }
    Some(text)
}
