//! The access review that begins by the clock: at the beginning of each period (a quarter unless the tenant sets
//! another), at eight in the morning of the tenant's default calendar. Managers get their parts and a letter, as when a
//! person begins a review. If the last review is still open, reviewers who have not signed are reminded instead, and no
//! second review begins.
//!
//! The tenant's timer is the only state: it is set if missing and moved on when it has run, in one transaction with its
//! effects.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::core::act;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::access_review::{AccessReview, Period};
use model::directory::snapshot::Tenant;
use model::schedule::calendar::{USUAL, zone};
use serde_json::json;
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::directory::review_access;

/// The table of the tenant's timer.
pub const TABLE: &str = "tenant_info";
/// The table of a tenant whose timer was lost: it is set to the next beginning.
pub const LOST: &str = "tenant_timer";
const KIND: &str = "access_review";
/// The hour of the day at which a review begins.
const HOUR: i8 = 8;

/// The first beginning of a period after an instant; `None` for never.
fn next_begin(period: Period, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let months = period.months()?;
    let today = after.to_zoned(zone.clone()).date();
    let (mut year, mut month) = (today.year(), (today.month() - 1) / months * months + 1);
    for _ in 0..3 {
        let first = Date::new(year, month, 1).ok()?;
        let at = zone.to_timestamp(first.at(HOUR, 0, 0, 0)).ok()?;
        if at > after {
            return Some(at);
        }
        month += months;
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    None
}

fn settings(cx: &mut Context<'_, '_>) -> Result<(Option<Tenant>, TimeZone)> {
    let directory = cx.directory()?;
    let name = directory.calendars.get(USUAL).map_or("UTC", |it| it.zone.as_str());
    Ok((directory.tenant.clone(), zone(name).unwrap_or(TimeZone::UTC)))
}

/// Whether the tenant needs a timer and has none.
///
/// # Errors
/// The store's.
pub(crate) fn is_lost(cx: &mut Context<'_, '_>) -> Result<bool> {
    let (Some(tenant), _) = settings(cx)? else {
        return Ok(false);
    };
    if tenant.access_review_period.months().is_none() {
        return Ok(false);
    }
    let known = timer::of_subject(cx.tx, TABLE, &tenant.id)?;
    Ok(!known.iter().any(|it| it.kind == KIND))
}

/// Sets the tenant's timer to the next beginning, or removes it if the tenant wants no reviews.
///
/// # Errors
/// The store's.
pub(crate) fn set_again(cx: &mut Context<'_, '_>) -> Result<()> {
    set_after(cx, cx.now)
}

/// Sets the tenant's timer to the first beginning after an instant.
///
/// # Errors
/// The store's.
pub(crate) fn set_after(cx: &mut Context<'_, '_>, after: Timestamp) -> Result<()> {
    let (Some(tenant), zone) = settings(cx)? else {
        return Ok(());
    };
    let Some(run_at) = next_begin(tenant.access_review_period, &zone, after) else {
        timer::cancel(cx.tx, TABLE, &tenant.id, KIND)?;
        return Ok(());
    };
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: &tenant.id,
        kind: KIND,
        run_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Begins the period's review, or sends reminders of the open one, and sets the timer for the next.
///
/// # Errors
/// The store's.
pub(crate) fn begin(cx: &mut Context<'_, '_>) -> Result<()> {
    let (Some(tenant), _) = settings(cx)? else {
        return Ok(());
    };
    if tenant.access_review_period.months().is_some() {
        review_access::reassign_parts(cx)?;
        let open = Filter::new()
            .equals("is_open", true)
            .order_by("id")
            .limit(review_access::MOST_PARTS);
        let open = record::find::<AccessReview>(cx.tx, &open)?;
        if open.is_empty() {
            begin_parts(cx)?;
        } else {
            remind(cx, open.into_iter().map(|it| it.record).collect())?;
        }
    }
    set_again(cx)
}

fn begin_parts(cx: &mut Context<'_, '_>) -> Result<()> {
    let directory = cx.directory()?;
    let mut others = directory.with_role(Role::Admin);
    others.extend(directory.with_role(Role::ChangeManager));
    // An administrator reviews people without a known manager.
    match others.first() {
        Some(person) => review_access::begin_parts(cx, person, None).map(drop),
        None => Ok(()),
    }
}

fn remind(cx: &mut Context<'_, '_>, open: Vec<AccessReview>) -> Result<()> {
    let mut written = Written::default();
    let count = open.len();
    for part in open {
        let text = format!(
            "{} rights of your people have waited for your signature since {}; the next review is due and does not \
             begin before.\n{}/t/{}/access-reviews/{}\n",
            part.rights.len(),
            part.begun_at,
            cx.services.tools().public_url,
            cx.tenant(),
            part.id
        );
        let dedup = format!("access_review/{}/{}", part.id, cx.now);
        let message = (
            "access_review",
            "Rights of your people still to review",
            text.as_str(),
            dedup.as_str(),
        );
        save_message(cx, &mut written, &part.manager, None, message)?;
    }
    let subject = (TABLE, cx.tenant());
    cx.emit(
        vec![draft("access_review.reminded", subject, cx.now, json!({"open": count}))],
        written,
    )
}

/// Sets how often an access review begins by the clock (`PUT /access-review-schedule {every}`): `month`, `quarter`,
/// `half_year`, `year` or `never`.
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_schedule(cx: &mut Context<'_, '_>, body: &Body) -> Result<Schedule> {
    cx.allow(act::actions::SET_PERSON)?;
    let mut reading = Reading::new(body, "");
    let every = reading.needed_word("every", Period::Quarter);
    reading.finish()?;
    let (tenant, _) = settings(cx)?;
    let tenant = tenant.ok_or_else(|| Refusal::not_found("tenant"))?;
    if tenant.access_review_period != every {
        let before = tenant.access_review_period;
        let tenant = Tenant {
            access_review_period: every,
            ..tenant
        };
        let data = json!({"before": before, "after": every});
        cx.put_estate("access_review.scheduled", tenant, data)?;
    }
    set_again(cx)?;
    schedule(cx)
}

/// When reviews of access begin by themselves.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Schedule {
    /// How often.
    pub every: Period,
    /// When the next one begins; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// How often an access review begins by the clock, and when the next one does (`GET /access-review-schedule`).
///
/// # Errors
/// 403, or the store's.
pub fn schedule(cx: &mut Context<'_, '_>) -> Result<Schedule> {
    cx.allow(act::actions::READ)?;
    let (tenant, zone) = settings(cx)?;
    let every = tenant.map(|it| it.access_review_period).unwrap_or_default();
    Ok(Schedule {
        every,
        next_at: next_begin(every, &zone, cx.now),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn periods_begin_on_the_first_day_of_their_month_at_eight_where_the_tenant_works() {
        let oslo = zone("Europe/Oslo").unwrap();
        let next = |period, after: &str| next_begin(period, &oslo, after.parse().unwrap()).map(|it| it.to_string());
        for (period, after, wanted) in [
            (Period::Quarter, "2026-11-20T10:00:00Z", Some("2027-01-01T07:00:00Z")),
            (Period::Quarter, "2027-01-01T07:00:00Z", Some("2027-04-01T06:00:00Z")),
            (Period::Quarter, "2027-01-01T06:59:59Z", Some("2027-01-01T07:00:00Z")),
            (Period::Month, "2026-12-31T23:30:00Z", Some("2027-01-01T07:00:00Z")),
            (Period::HalfYear, "2026-11-20T10:00:00Z", Some("2027-01-01T07:00:00Z")),
            (Period::Year, "2027-01-01T07:00:00Z", Some("2028-01-01T07:00:00Z")),
            (Period::Never, "2026-11-20T10:00:00Z", None),
        ] {
            assert_eq!(next(period, after).as_deref(), wanted, "{period:?} {after}");
        }
    }
}
