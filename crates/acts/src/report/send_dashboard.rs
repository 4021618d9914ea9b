//! Subscriptions to dashboards: the permission, the recipients, and the letters. A timer sends the letters; each one is made in
//! the name of its reader, so that it shows only data that the reader may read.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::core::act::actions::{READ, SET_FREEZE};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::report::dashboard_subscription::{
    DashboardSubscription, DashboardSubscriptionInput, MOST_OWN, MOST_PEOPLE, next_after,
};
use serde_json::json;
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::report::find_tiles::{FoundTile, find_dashboard, find_tiles, read_narrow};
use crate::report::set_dashboard::{check_own, keep};

/// The table of the timers, whose subject is the id of a subscription.
pub const TABLE: &str = "dashboard_subscription";
/// The topic of the letters.
pub const TOPIC: &str = "dashboard";
/// The kind of the timers.
const KIND: &str = "dashboard";
/// A letter that is late by more is not sent; the next one comes at its time.
const LATE_HOURS: i64 = 6;
/// How long a timer may lie behind before it counts as lost.
const GRACE_MINUTES: i64 = 10;
/// The most lost timers found by one round.
const MOST_LOST: i64 = 20;

impl PlainNoun for DashboardSubscription {
    type Input = DashboardSubscriptionInput;

    /// The acting person's own.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new()
            .equals("active", true)
            .equals("owner", cx.actor.person.as_str());
        Ok(record::bodies::<Self>(
            cx.tx,
            &filter.order_by("id").limit(MOST_OWN as i64),
        )?)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record);
        Ok(found.filter(|it| it.owner == cx.actor.person))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/dashboard/{}", self.dashboard))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: DashboardSubscriptionInput, mut reading: Reading<'_>) -> Result<Self> {
        let people = checked(cx, &input, &mut reading)?;
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST_OWN {
            let text = format!("You have {MOST_OWN} subscriptions, which is the limit.");
            return Err(Refusal::not_now("too_many", text, "End one that nobody needs.", Vec::new()).into());
        }
        let owner = cx.actor.person.clone();
        let subscription = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            dashboard: input.dashboard,
            rhythm: input.rhythm,
            hour: input.hour,
            people: if people.is_empty() {
                BTreeSet::from([owner.clone()])
            } else {
                people
            },
            next_at: next_after(input.rhythm, input.hour, &zone_of(cx, &owner)?, cx.now),
            owner,
            active: true,
        };
        let saved = keep(cx, "dashboard_subscription.added", subscription, json!({}))?;
        set_timer(cx, &saved)?;
        Ok(saved)
    }

    fn edit(
        self,
        cx: &mut Context<'_, '_>,
        input: DashboardSubscriptionInput,
        mut reading: Reading<'_>,
    ) -> Result<Self> {
        let found = checked(cx, &input, &mut reading)?;
        let people = match reading.says("people") && !found.is_empty() {
            true => found,
            false => self.people.clone(),
        };
        reading.finish()?;
        check_own(cx, &self.owner)?;
        let edited = Self {
            next_at: next_after(input.rhythm, input.hour, &zone_of(cx, &self.owner)?, cx.now),
            dashboard: input.dashboard,
            rhythm: input.rhythm,
            hour: input.hour,
            people,
            ..self
        };
        let saved = keep(cx, "dashboard_subscription.edited", edited, json!({}))?;
        set_timer(cx, &saved)?;
        Ok(saved)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_own(cx, &self.owner)?;
        let ended = Self { active: false, ..self };
        keep(cx, "dashboard_subscription.ended", ended, json!({}))
    }
}

/// Checks an input; returns the people behind its logins.
fn checked(
    cx: &mut Context<'_, '_>,
    input: &DashboardSubscriptionInput,
    reading: &mut Reading<'_>,
) -> Result<BTreeSet<PersonId>> {
    if reading.says("dashboard") && !input.dashboard.is_empty() {
        match find_dashboard(cx, &input.dashboard) {
            Err(Error::Refused(Refusal::NotFound { .. })) => {
                let text = format!("There is no dashboard `{}` that you may read.", input.dashboard);
                reading.wrong("dashboard", "unknown", text);
            }
            other => drop(other?),
        }
    }
    let mut people = BTreeSet::new();
    if !reading.says("people") {
        return Ok(people);
    }
    if input.people.len() > MOST_PEOPLE {
        let text = format!(
            "A subscription has at most {MOST_PEOPLE} readers; this one has {}.",
            input.people.len()
        );
        reading.wrong("people", "too_many", text);
    }
    let (directory, me) = (cx.directory()?, cx.actor.person.clone());
    for login in input.people.iter().take(MOST_PEOPLE) {
        match directory.by_login(login).filter(|person| person.active) {
            Some(person) => drop(people.insert(person.id.clone())),
            None => {
                let text = format!("No active person has the login `{login}`.");
                reading.wrong("people", "unknown", text);
            }
        }
    }
    if people.iter().any(|person| *person != me) && cx.allow(SET_FREEZE).is_err() {
        let text =
            "Only change managers can have a dashboard mailed to others. Share the dashboard, and let them subscribe.";
        reading.wrong("people", "not_allowed", text);
    }
    Ok(people)
}

fn zone_of(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<TimeZone> {
    let directory = cx.directory()?;
    let found = directory.people.get(person);
    let zone = found.and_then(|it| model::schedule::calendar::zone(&it.zone));
    Ok(zone.unwrap_or(TimeZone::UTC))
}

fn set_timer(cx: &mut Context<'_, '_>, subscription: &DashboardSubscription) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: subscription.id.as_str(),
        kind: KIND,
        run_at: subscription.next_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// The subscriptions that are due and have no timer.
///
/// # Errors
/// The store's.
pub(crate) fn lost(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let before = cx.now - SignedDuration::from_mins(GRACE_MINUTES);
    let filter = Filter::new().equals("active", true).at_most("next_at", before);
    let found =
        record::bodies::<DashboardSubscription>(cx.tx, &filter.order_by("next_at").order_by("id").limit(MOST_LOST))?;
    Ok(found.into_iter().map(|it| it.id.0).collect())
}

/// Sends the letters of a subscription that is due, and sets the timer of the next ones. A run before its time sends nothing.
///
/// # Errors
/// The store's.
pub(crate) fn send_dashboard(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(subscription) = record::load::<DashboardSubscription>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    let directory = cx.directory()?;
    if !subscription.active || !directory.is_active(&subscription.owner) {
        return Ok(());
    }
    if cx.now < subscription.next_at {
        return set_timer(cx, &subscription);
    }
    let due = subscription.next_at;
    let mut written = Written::default();
    let mut count = 0;
    if cx.now <= due + SignedDuration::from_hours(LATE_HOURS) {
        for person in subscription.people.iter().filter(|person| directory.is_active(person)) {
            let Some((subject, text)) = letter(cx, person, &subscription.dashboard)? else {
                continue;
            };
            let dedup = format!("dashboard/{id}/{due}/{person}");
            save_message(cx, &mut written, person, None, (TOPIC, &subject, &text, &dedup))?;
            count += 1;
        }
    }
    let zone = zone_of(cx, &subscription.owner)?;
    let next = DashboardSubscription {
        next_at: next_after(subscription.rhythm, subscription.hour, &zone, cx.now),
        ..subscription
    };
    let next = cx.put(&mut written, next)?;
    let subject = (TABLE, next.id.0.clone());
    let data = json!({"dashboard": next.dashboard, "count": count});
    cx.emit(
        vec![draft("dashboard_subscription.sent", subject, cx.now, data)],
        written,
    )?;
    set_timer(cx, &next)
}

/// The letter for a reader; `None` where the reader may not read the dashboard, or is scoped to services.
fn letter(cx: &mut Context<'_, '_>, reader: &PersonId, dashboard: &str) -> Result<Option<(String, String)>> {
    let as_reader = Actor {
        person: reader.clone(),
        is_system: false,
        method: "subscription".to_owned(),
        ..Actor::system()
    };
    let before = std::mem::replace(&mut cx.actor, as_reader);
    let made = make_letter(cx, dashboard);
    cx.actor = before;
    match made {
        Err(Error::Refused(_)) => Ok(None),
        other => other,
    }
}

fn make_letter(cx: &mut Context<'_, '_>, dashboard: &str) -> Result<Option<(String, String)>> {
    cx.allow(READ)?;
    if cx.scope()?.is_some() {
        return Ok(None);
    }
    let wanted = find_dashboard(cx, dashboard)?;
    let narrow = read_narrow(&*cx.directory()?, &wanted.narrow, |_| None)?;
    let tiles = find_tiles(cx, &wanted.tiles, &narrow)?;
    let link = format!(
        "{}/t/{}/dashboard/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        wanted.key
    );
    let mut text = String::new();
    for tile in &tiles {
        text.push_str(&describe(tile));
    }
    text.push_str(&format!("\n{link}\n"));
    Ok(Some((format!("Dashboard: {}", wanted.title), text)))
}

/// A tile in lines: its heading, then its rows.
fn describe(found: &FoundTile) -> String {
    let mut text = format!("{}\n", found.tile.title);
    if let Some(figure) = &found.figure {
        let whole = &figure.whole;
        let value = whole.estimate.map_or("not enough data".to_owned(), |it| {
            value_of(figure.definition.formula, it.value)
        });
        text.push_str(&format!("  {value} ({} of {})\n", whole.hits, whole.of));
    }
    for row in &found.rows {
        let more = if row.is_whole { "" } else { " or more" };
        let when = row
            .span
            .map(|(from, to)| format!(" ({} to {})", minute(from), minute(to)))
            .unwrap_or_default();
        text.push_str(&format!(
            "  {}{when}: {}{more}\n",
            row.label.replace('_', " "),
            row.count
        ));
    }
    if let Some(since) = found.since {
        text.push_str(&format!("  counted from {} on\n", minute(since)));
    }
    if found.rows.is_empty() && found.figure.is_none() {
        text.push_str("  nothing\n");
    }
    text
}

fn value_of(formula: model::report::definition::Formula, value: i64) -> String {
    use model::report::definition::Formula;
    match formula {
        Formula::Share => format!("{}.{} %", value / 10_000, value % 10_000 / 1_000),
        Formula::Median => format!("{value} minutes"),
        Formula::PerDay => format!("{}.{} a day", value / 1_000, value % 1_000 / 100),
        Formula::PerWeek => format!("{}.{} a week", value / 1_000, value % 1_000 / 100),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
