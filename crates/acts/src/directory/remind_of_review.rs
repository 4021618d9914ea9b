//! A part of a review of access that nobody signs: its manager is reminded at three quarters of their time, and from its due date
//! on administrators and auditors learn of it with them, again each week until it is signed.
//!
//! The part's timer only wakes; what was told stands in the part itself, so that a timer that runs twice tells once.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::directory::access_review::AccessReview;
use serde_json::json;
use store::queue::timer::{self, NewTimer};
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};

/// The table of the timers.
pub const TABLE: &str = "access_review";
const KIND: &str = "unsigned";
/// How long after the due date, and after each further telling, it is told again, in hours.
const AGAIN_HOURS: i64 = 7 * 24;

/// The first moment after another at which something is told.
fn next_point(part: &AccessReview, after: Timestamp) -> Timestamp {
    let soon = soon(part);
    if after < soon {
        return soon;
    }
    if after < part.due_at {
        return part.due_at;
    }
    let again = AGAIN_HOURS * 3_600;
    let weeks = after.duration_since(part.due_at).as_secs() / again + 1;
    part.due_at + SignedDuration::from_secs(weeks * again)
}

/// Three quarters of the time that there is to sign.
fn soon(part: &AccessReview) -> Timestamp {
    let whole = part.due_at.duration_since(part.begun_at).as_secs();
    part.begun_at + SignedDuration::from_secs(whole / 4 * 3)
}

/// Sets the part's timer to what is told next, or takes it away where it is signed.
///
/// # Errors
/// The store's.
pub(crate) fn set_again(cx: &mut Context<'_, '_>, part: &AccessReview) -> Result<()> {
    if part.signed_at.is_some() {
        timer::cancel(cx.tx, TABLE, part.id.as_str(), KIND)?;
        return Ok(());
    }
    let id = cx.new_id()?;
    let told_at = part.reminded_at.unwrap_or(part.begun_at);
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: part.id.as_str(),
        kind: KIND,
        // What fell due while nobody looked is told now, once.
        run_at: next_point(part, told_at).max(cx.now),
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Tells of a part that is still not signed, where a moment to do so has passed since it was told last, and sets its timer.
///
/// # Errors
/// The store's.
pub(crate) fn remind(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(stored) = record::load::<AccessReview>(cx.tx, id)? else {
        return Ok(());
    };
    let mut part = stored.record;
    let told_at = part.reminded_at.unwrap_or(part.begun_at);
    if part.signed_at.is_none() && next_point(&part, told_at) <= cx.now {
        part = tell(cx, part)?;
    }
    set_again(cx, &part)
}

fn tell(cx: &mut Context<'_, '_>, part: AccessReview) -> Result<AccessReview> {
    let directory = cx.directory()?;
    let is_late = part.due_at <= cx.now;
    let mut written = Written::default();
    let reminded_at = Some(cx.now);
    let part = cx.put(&mut written, AccessReview { reminded_at, ..part })?;
    let mut readers = BTreeSet::from([part.manager.clone()]);
    if is_late {
        readers.extend(
            [Role::Admin, Role::Auditor]
                .into_iter()
                .flat_map(|role| directory.with_role(role)),
        );
    }
    let (subject, text) = words(cx, &part, is_late, &directory.name(&part.manager));
    for reader in readers {
        let dedup = dedup(&part, &reader, cx.now);
        let letter = ("access_review", subject, text.as_str(), dedup.as_str());
        save_message(cx, &mut written, &reader, None, letter)?;
    }
    let data = json!({
        "campaign": part.campaign, "manager": part.manager, "rights": part.rights.len(), "due_at": part.due_at.to_string(),
        "is_late": is_late,
    });
    let event = draft("access_review.reminded", (TABLE, part.id.0.clone()), cx.now, data);
    cx.tell(vec![event], written)?;
    Ok(part)
}

fn dedup(part: &AccessReview, reader: &PersonId, now: Timestamp) -> String {
    format!("access_review_reminder/{}/{now}/{reader}", part.id)
}

fn words(cx: &Context<'_, '_>, part: &AccessReview, is_late: bool, manager: &str) -> (&'static str, String) {
    let (count, due) = (part.rights.len(), part.due_at);
    let url = format!(
        "{}/t/{}/access-reviews/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        part.id
    );
    if is_late {
        let text = format!(
            "{manager} was to sign {count} rights until {due} and has not. Nothing of them is taken away before.\n\
             {url}\n"
        );
        return ("A review of access is late", text);
    }
    let text = format!("{count} rights of your people wait for your signature until {due}.\n{url}\n");
    ("A review of access is due soon", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn it_is_told_at_three_quarters_when_due_and_each_week_after() {
        let part: AccessReview = serde_json::from_value(json!({
            "id": "r1", "version": 1, "campaign": "c1", "manager": "adam", "begun_by": "adam", "rights": [],
            "begun_at": "2026-11-20T08:00:00Z", "due_at": "2026-12-04T08:00:00Z",
        }))
        .unwrap();
        for (after, wanted) in [
            ("2026-11-20T08:00:00Z", "2026-11-30T20:00:00Z"),
            ("2026-11-30T19:59:59Z", "2026-11-30T20:00:00Z"),
            ("2026-11-30T20:00:00Z", "2026-12-04T08:00:00Z"),
            ("2026-12-04T08:00:00Z", "2026-12-11T08:00:00Z"),
            ("2026-12-11T07:59:59Z", "2026-12-11T08:00:00Z"),
            ("2027-01-01T08:00:00Z", "2027-01-08T08:00:00Z"),
        ] {
            assert_eq!(next_point(&part, after.parse().unwrap()).to_string(), wanted, "{after}");
        }
    }
}
