//! Access reviews: an administrator of people begins them, managers sign them; refused rights are removed in the same
//! transaction.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{Role, Touch};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::access_review::{AccessReview, HeldRight};
use model::directory::snapshot::{Directory, Person};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::directory::entitlements::{rights, take_away};
use crate::directory::review_items;
use crate::guard::{impersonation, required_factor};

/// The most rights in one part: an entry of the log has at most 65,535 bytes.
const MOST_ROWS: usize = 150;
/// How many open parts are read.
pub(crate) const MOST_PARTS: i64 = 5_000;
/// The default time for managers, in days.
const USUAL_DAYS: i64 = 14;

/// Begins an access review of everybody's rights (`POST /access-reviews {due_at?}`): one part for each manager, several
/// if there are many rights. The person who begins the review checks people without a known manager. Nobody reviews
/// their own rights while anybody else can.
///
/// # Errors
/// 403, 409 while another review is open, 422, or the store's.
pub fn begin_review(cx: &mut Context<'_, '_>, body: &Body) -> Result<Vec<AccessReview>> {
    cx.allow(actions::SET_PERSON)?;
    let mut reading = Reading::new(body, "");
    let due_at = reading.time("due_at");
    if due_at.is_some_and(|due| due <= cx.now) {
        reading.wrong("due_at", "in_the_past", "`due_at` must be in the future.");
    }
    reading.finish()?;
    let open = Filter::new().equals("is_open", true).order_by("id").limit(MOST_PARTS);
    let open = record::find::<AccessReview>(cx.tx, &open)?;
    if !open.is_empty() {
        let directory = cx.directory()?;
        let waits: BTreeSet<String> = open.iter().map(|it| directory.login(&it.record.manager)).collect();
        let (text, satisfy) = ("An access review is already open.", "Its managers must sign first.");
        return Err(Refusal::not_now("review_open", text, satisfy, waits.into_iter().collect()).into());
    }
    let beginner = cx.actor.person.clone();
    begin_parts(cx, &beginner, due_at)
}

/// Writes the parts of a review; `beginner` reviews people without a known manager.
pub(crate) fn begin_parts(
    cx: &mut Context<'_, '_>,
    beginner: &PersonId,
    due_at: Option<Timestamp>,
) -> Result<Vec<AccessReview>> {
    let due_at = due_at.unwrap_or(cx.now + SignedDuration::from_hours(24 * USUAL_DAYS));
    let directory = cx.directory()?;
    let mut parts: BTreeMap<PersonId, Vec<HeldRight>> = BTreeMap::new();
    let held = rights(cx, &directory)?;
    for person in directory.people.values().filter(|it| it.active) {
        let manager = manager_of(&directory, person, beginner);
        let rows = held.get(&person.id).cloned().unwrap_or_default();
        if !rows.is_empty() {
            parts.entry(manager).or_default().extend(rows);
        }
    }
    let campaign = cx.new_id()?;
    let mut begun = Vec::new();
    for (manager, rights) in parts {
        for rows in rights.chunks(MOST_ROWS) {
            let numbered = rows.iter().cloned().zip(1..);
            let review = AccessReview {
                id: RecordId(cx.new_id()?),
                version: 0,
                campaign: campaign.clone(),
                manager: manager.clone(),
                begun_by: cx.actor.person.clone(),
                begun_at: cx.now,
                due_at,
                rights: numbered.map(|(right, row)| HeldRight { row, ..right }).collect(),
                reminded_at: None,
                signed_at: None,
                reason: None,
            };
            begun.push(keep(cx, "access_review.begun", review, true)?);
        }
    }
    Ok(begun)
}

fn keep(cx: &mut Context<'_, '_>, kind: &'static str, review: AccessReview, tells: bool) -> Result<AccessReview> {
    let mut written = Written::default();
    let review = cx.put(&mut written, review)?;
    if tells {
        let text = format!(
            "{} rights of your people need your signature until {}.\n{}/t/{}/access-reviews/{}\n",
            review.rights.len(),
            review.due_at,
            cx.services.tools().public_url,
            cx.tenant(),
            review.id
        );
        // A part may be reassigned, and then its next reviewer is notified as well.
        let dedup = format!("{}/{}", review.id, review.manager);
        let letter = (
            "access_review",
            "Rights of your people to review",
            text.as_str(),
            dedup.as_str(),
        );
        save_message(cx, &mut written, &review.manager, None, letter)?;
    }
    let data = json!({"campaign": review.campaign, "manager": review.manager, "rights": review.rights.len()});
    let event = draft(kind, ("access_review", review.id.0.clone()), cx.now, data);
    cx.emit(vec![event], written)?;
    review_items::follow(cx, &review)?;
    Ok(review)
}

/// The person's manager, otherwise the person who begins the review; never the person themselves while another
/// administrator can.
fn manager_of(directory: &Directory, person: &Person, beginner: &PersonId) -> PersonId {
    if let Some(manager) = directory.manager_of(person).filter(|it| it.active) {
        return manager.id.clone();
    }
    if beginner != &person.id {
        return beginner.clone();
    }
    let mut others = directory.people.values().filter(|it| it.active && it.id != person.id);
    let other = others.find(|it| it.roles.contains(&Role::Admin) || it.roles.contains(&Role::ChangeManager));
    other.map_or_else(|| beginner.clone(), |it| it.id.clone())
}

/// Reassigns the open parts of managers who may not act any more: only a part's manager signs it, and no other review
/// begins while one is open.
///
/// # Errors
/// The store's.
pub(crate) fn reassign_parts(cx: &mut Context<'_, '_>) -> Result<()> {
    let open = Filter::new().equals("is_open", true).order_by("id").limit(MOST_PARTS);
    for stored in record::find::<AccessReview>(cx.tx, &open)? {
        let part = stored.record;
        let directory = cx.directory()?;
        if directory.is_active(&part.manager) {
            continue;
        }
        let Some(manager) = stand_in(&directory, &part) else {
            continue;
        };
        keep(cx, "access_review.handed_over", AccessReview { manager, ..part }, true)?;
    }
    Ok(())
}

/// The substitute for a part's manager: the person who began the review, an administrator or a change manager. Nobody
/// reviews their own rights while anybody else can.
fn stand_in(directory: &Directory, part: &AccessReview) -> Option<PersonId> {
    let mut able = vec![part.begun_by.clone()];
    able.extend(directory.with_role(Role::Admin));
    able.extend(directory.with_role(Role::ChangeManager));
    able.retain(|person| directory.is_active(person));
    let is_apart = |person: &&PersonId| part.rights.iter().all(|right| &right.person != *person);
    able.iter().find(is_apart).or(able.first()).cloned()
}

/// The reviews that the acting person may see, the newest first: their own parts, or all of them for administrators of
/// people and auditors.
///
/// # Errors
/// The store's.
pub fn reviews(cx: &mut Context<'_, '_>, limit: i64) -> Result<Vec<AccessReview>> {
    let newest = seen(cx)?.descending_by("id").limit(limit);
    let found = record::find::<AccessReview>(cx.tx, &newest)?;
    Ok(found.into_iter().map(|stored| stored.record).collect())
}

/// The reviews that the acting person may see.
///
/// # Errors
/// The store's.
pub fn seen(cx: &mut Context<'_, '_>) -> Result<Filter> {
    for action in [actions::SET_PERSON, actions::AUDIT] {
        match cx.allow(action) {
            Ok(()) => return Ok(Filter::new()),
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Filter::new().equals("manager", cx.actor.person.as_str()))
}

/// A review, for its manager, an administrator of people or an auditor.
///
/// # Errors
/// 403, 404, or the store's.
pub fn review(cx: &mut Context<'_, '_>, id: &str) -> Result<AccessReview> {
    let Some(stored) = record::load::<AccessReview>(cx.tx, id)? else {
        return Err(Refusal::not_found("access review").into());
    };
    if stored.record.manager != cx.actor.person && cx.allow(actions::SET_PERSON).is_err() {
        cx.allow(actions::AUDIT)?;
    }
    Ok(stored.record)
}

/// Signs (`POST /access-reviews/{id}/signature {refused: [row], reason?}`): the named rows are removed now, all others
/// stay. It needs the fresh factor that the policies require of changes to privileged accounts, because it decides
/// about the rights of many people.
///
/// # Errors
/// 403 for anybody but its manager and without a fresh factor; 404; 409 when it is signed, and where two people take a role
/// away; 422; the store's.
pub fn sign_review(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<AccessReview> {
    let found = review(cx, id)?;
    if found.manager != cx.actor.person {
        let text = "An access review must be signed by the manager it is assigned to.";
        return Err(Refusal::not_allowed("not_asked", text).into());
    }
    required_factor::check_wanted(cx, &[Touch::PrivilegedAccess])?;
    impersonation::check_voice(cx)?;
    impersonation::check_whole(cx)?;
    let mut reading = Reading::new(body, "");
    if !reading.says("refused") {
        let text = "Name in `refused` the rows that are taken away; `[]` says that all rights stay.";
        reading.wrong("refused", "missing", text);
    }
    let refused = read_rows(&mut reading, &found);
    let reason = reading.text("reason", TEXT);
    if !refused.is_empty() && reason.is_none() {
        reading.wrong("reason", "missing", "Give the reason for refusals in `reason`.");
    }
    reading.finish()?;
    if found.signed_at.is_some() {
        return Err(Refusal::not_now(
            "signed",
            "This review is already signed.",
            "Nothing is left to do.",
            Vec::new(),
        )
        .into());
    }
    let mut signed = found;
    for right in &mut signed.rights {
        right.refused = refused.contains(&right.row);
    }
    (signed.signed_at, signed.reason) = (Some(cx.now), reason);
    let signed = keep(cx, "access_review.signed", signed, false)?;
    for right in signed.rights.iter().filter(|right| right.refused) {
        take_away(cx, right, &signed.id)?;
    }
    if !refused.is_empty() {
        settle_open::settle_with_approvers(cx)?;
    }
    Ok(signed)
}

fn read_rows(reading: &mut Reading<'_>, found: &AccessReview) -> BTreeSet<i64> {
    let told = reading.value("refused").cloned().unwrap_or_else(|| json!([]));
    let rows: Option<BTreeSet<i64>> = told
        .as_array()
        .and_then(|rows| rows.iter().map(Value::as_i64).collect());
    let known = |row: &i64| found.rights.iter().any(|right| right.row == *row);
    match rows {
        Some(rows) if rows.iter().all(known) => rows,
        _ => {
            reading.wrong("refused", "unknown", "`refused` lists numbers of rows of this review.");
            BTreeSet::new()
        }
    }
}
