//! Reports on the members of a change, retries of failed members, and pausing and resuming the waves.

use std::collections::BTreeSet;

use model::change::record::{Change, Target};
use model::change::waves::member_list::Member;
use model::change::waves::member_outcome::{DETAIL, MemberOutcome};
use model::change::waves::report::{self, ReportedMember};
use model::core::act::Act;
use model::core::body::Body;
use model::core::enums::MemberState;
use model::core::ids::TargetId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Connection;
use model::integration::signal::MemberReport;
use serde_json::json;
use store::record::{self, Filter, Record};

use crate::change::member_lists::{Lists, outcome_of};
use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::write::{Written, draft};
use crate::integration::unmatched_deliveries::NOTHING;

/// The most members in one request or delivery.
pub const MOST_TOLD: usize = 1_000;
/// The most unknown members that a response lists.
const NAMED: usize = 20;

/// The report on one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOutcomeInput {
    /// The service; empty if only one target has members.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The member.
    pub member: String,
    /// The member's state.
    pub state: MemberState,
    /// The sender's text.
    pub text: Option<String>,
}

/// The result of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many members changed their state.
    pub moved: usize,
    /// How many members were in this state already.
    pub known: usize,
}

/// Refuses an actor who may not report on the members of a change, before the request is read.
///
/// # Errors
/// 403, 404, or the store's.
pub fn check_may_report(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.try_on_change(key, |case| case.allow(Act::Complete))
}

/// Reads `outcomes`: a request's reports on members.
///
/// # Errors
/// [`Refusal::Invalid`].
pub fn read_outcomes(body: &Body) -> std::result::Result<Vec<MemberOutcomeInput>, Refusal> {
    let mut reading = Reading::new(body, "");
    let told = reading.objects("outcomes", |row| MemberOutcomeInput {
        service: row.text("service", LINE).unwrap_or_default(),
        environment: row.text("environment", LINE).unwrap_or_default(),
        member: row.needed("member", LINE),
        state: row.needed_word("state", MemberState::InProgress),
        text: row.text("text", DETAIL),
    });
    let count = told.as_ref().map_or(0, Vec::len);
    if count == 0 && reading.errors.is_empty() {
        reading.wrong(
            "outcomes",
            "missing",
            "`outcomes` is missing: name at least one member.",
        );
    }
    if count > MOST_TOLD {
        let text = format!("One request can report at most {MOST_TOLD} members; send the others in another one.");
        reading.wrong("outcomes", "too_many", text);
    }
    if told.iter().flatten().any(|row| row.state == MemberState::Waiting) {
        let text = "`waiting` cannot be reported: retry failed members instead (POST …/waves/retries).";
        reading.wrong("outcomes", "not_allowed", text);
    }
    reading.finish()?;
    Ok(told.unwrap_or_default())
}

/// Records reports on members.
///
/// # Errors
/// 403; 422 with every member that is unknown; 409 if the change is not under way; the store's.
pub fn tell_members(cx: &mut Context<'_, '_>, key: &str, told: &[MemberOutcomeInput]) -> Result<Taken> {
    let change = cx.change(key)?;
    let mut lists = Lists::default();
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut names: BTreeSet<(TargetId, &str)> = BTreeSet::new();
    for (at, row) in told.iter().enumerate() {
        match found(cx, &mut lists, &change, row)? {
            Ok((target, member)) => {
                if !names.insert((target.clone(), row.member.as_str())) {
                    let text = format!("`{}` is told of twice.", row.member);
                    errors.push(FieldError::new(format!("outcomes[{at}].member"), "not_unique", text));
                    continue;
                }
                let known = outcome_of(cx, (&change, &target), &row.member)?;
                rows.push(ReportedMember {
                    target,
                    member,
                    state: row.state,
                    text: row.text.clone(),
                    known,
                });
            }
            Err(text) => errors.push(FieldError::new(format!("outcomes[{at}].member"), "unknown", text)),
        }
    }
    if !errors.is_empty() {
        errors.truncate(NAMED);
        return Err(Refusal::Invalid(errors).into());
    }
    let all = rows.len();
    let moved = cx.on_change(&change.key, |case| report::report(case, rows))?;
    let moved = keep_outcomes(cx, "member_outcome.told", moved)?;
    Ok(Taken {
        moved,
        known: all - moved,
    })
}

/// The target and the member of a row, or why there is none.
fn found(
    cx: &mut Context<'_, '_>,
    lists: &mut Lists,
    change: &Change,
    row: &MemberOutcomeInput,
) -> Result<std::result::Result<(TargetId, Member), String>> {
    let is_meant = |target: &&Target| {
        target.members.is_some()
            && (row.service.is_empty() || target.service.as_str() == row.service)
            && (row.environment.is_empty() || target.environment.as_str() == row.environment)
    };
    let mut hits = Vec::new();
    for target in change.content.targets.iter().filter(is_meant) {
        let Some(list) = &target.members else { continue };
        if let Some(member) = lists.member(cx, &list.digest, &row.member)? {
            hits.push((target.id.clone(), member));
        }
    }
    let text = match hits.len() {
        0 => format!("`{}` is not a member of {}.", row.member, change.key),
        1 => return Ok(Ok(hits.remove(0))),
        _ => format!(
            "Several targets have a member `{}`: name `service` and `environment`.",
            row.member
        ),
    };
    Ok(Err(text))
}

/// Saves outcomes with one event; returns their number.
pub(crate) fn keep_outcomes(cx: &mut Context<'_, '_>, kind: &'static str, rows: Vec<MemberOutcome>) -> Result<usize> {
    let Some(first) = rows.first() else { return Ok(0) };
    let (id, key, count) = (first.id.to_string(), first.change_key.clone(), rows.len());
    let failed = rows.iter().filter(|row| row.state == MemberState::Failed).count();
    let mut written = Written::default();
    for row in rows {
        cx.put(&mut written, row)?;
    }
    let data = json!({"change_key": key, "count": count, "failed": failed});
    cx.emit(vec![draft(kind, (MemberOutcome::TABLE, id), cx.now, data)], written)?;
    Ok(count)
}

/// Retries failed members: the named ones, otherwise all, at most [`MOST_TOLD`] at a time. Returns their number.
///
/// # Errors
/// 403; 409 if the waves do not run, or if nothing failed; 422 for a member that did not fail; the store's.
pub fn retry_members(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<usize> {
    let change = cx.change(key)?;
    check_may_report(cx, key)?;
    let mut reading = Reading::new(body, "");
    let named: BTreeSet<String> = reading.texts("members", LINE).unwrap_or_default().into_iter().collect();
    reading.finish()?;
    let states = [MemberState::Failed, MemberState::RolledBack];
    let filter = Filter::new()
        .equals("change_id", change.id.as_str())
        .one_of("state", states.map(MemberState::as_str))
        .order_by("id");
    let mut failed = record::bodies::<MemberOutcome>(cx.tx, &filter)?;
    if !named.is_empty() {
        failed.retain(|row| named.contains(&row.member));
        let absent = named.iter().find(|name| failed.iter().all(|row| row.member != **name));
        if let Some(name) = absent {
            let text = format!("`{name}` has not failed.");
            return Err(Refusal::field("members", "unknown", text).into());
        }
    }
    if failed.is_empty() {
        let text = "No member has failed.";
        return Err(Refusal::not_now("none_failed", text, "There is nothing to retry.", Vec::new()).into());
    }
    failed.truncate(MOST_TOLD);
    let rows = failed.into_iter().map(|row| {
        let member = Member {
            name: row.member.clone(),
            wave: row.wave,
            ..Member::default()
        };
        (row, member)
    });
    let rows = rows.collect();
    let waiting = cx.on_change(&change.key, |case| report::retry(case, rows))?;
    keep_outcomes(cx, "member_outcome.retried", waiting)
}

/// Pauses the waves.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn pause_waves(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| report::pause(case, body))
}

/// Resumes stopped waves.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn resume_waves(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| report::resume(case, body))
}

/// Processes a delivery about members; returns the result as text. A connection reports only on the services that it
/// maps.
///
/// # Errors
/// The store's.
pub(crate) fn take_members(cx: &mut Context<'_, '_>, connection: &str, told: &MemberReport) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let change = match cx.change(&told.change) {
        Ok(change) => change,
        Err(Error::Refused(_)) => return Ok(format!("complaint: there is no change {}", told.change)),
        Err(error) => return Err(error),
    };
    let mut lists = Lists::default();
    let (mut rows, mut unknown) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for row in &told.members {
        let one = MemberOutcomeInput {
            service: row.service.clone().unwrap_or_default(),
            environment: row.environment.clone().unwrap_or_default(),
            member: row.member.clone(),
            state: row.state,
            text: row.text.as_ref().map(|text| text.chars().take(DETAIL).collect()),
        };
        match found(cx, &mut lists, &change, &one)? {
            // If a delivery has two reports on one member, the last counts, as if they had come one after the other.
            Ok((target, _)) if is_mapped(&connection, &change, &target) => {
                if !names.insert((target, one.member.clone())) {
                    rows.retain(|known: &MemberOutcomeInput| {
                        known.member != one.member || known.service != one.service
                    });
                }
                rows.push(one);
            }
            Ok(_) => return Ok(format!("noted: {} {NOTHING}", told.change)),
            Err(_) => unknown.push(row.member.clone()),
        }
    }
    let said = match tell_members(cx, &change.key, &rows) {
        Ok(taken) => format!(
            "{}: {} members moved, {} stood so already",
            change.key, taken.moved, taken.known
        ),
        Err(Error::Refused(refusal)) => return Ok(format!("complaint: {}: {}", change.key, refusal.text())),
        Err(error) => return Err(error),
    };
    if unknown.is_empty() {
        return Ok(said);
    }
    let names = unknown.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    Ok(format!("complaint: {said}; {} are no members: {names}", unknown.len()))
}

fn is_mapped(connection: &Connection, change: &Change, target: &TargetId) -> bool {
    let mut targets = change.content.targets.iter().filter(|it| &it.id == target);
    targets.any(|target| {
        let mut rows = connection.map.iter().filter(|row| row.service == target.service);
        rows.any(|row| row.environments.values().any(|it| *it == target.environment))
    })
}
