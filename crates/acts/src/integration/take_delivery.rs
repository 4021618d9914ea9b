//! Takes a stored delivery's signals: their effects and the delivery's done mark share one transaction, and effects are
//! idempotent on the outside system's own ids.

use model::core::ids::{EnvironmentKey, RecordId};
use model::directory::snapshot::{Connection, Mapping};
use model::gate::provenance;
use model::integration::signal::{self, Signal};
use store::integration::inbox;

use crate::change::tell_members;
use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::{keep_provenance, take_run_task};
use crate::incident::{take_alert, take_drift, take_verdict};
use crate::integration::take_deployment::take_deployment;
use crate::integration::told_deployment::{Here, ReportedStatus};
use crate::integration::unmatched_deliveries::NOTHING;
use crate::integration::{external_checks, follow_repository, messengers, take_commits};
use crate::notify::{reply_by_mail, take_bounce};
use crate::schedule::take_notice;

/// Applies all signals of a delivery and marks it done; returns the results as text.
///
/// # Errors
/// The store's. A signal that means nothing here is no error.
pub fn take_delivery(
    cx: &mut Context<'_, '_>,
    delivery: &str,
    holder: &str,
    connection: &str,
    signals: &[Signal],
) -> Result<String> {
    let result = take_signals(cx, connection, signals)?;
    if !inbox::finish(cx.tx, delivery, holder, &result)? {
        return Err(store::Error::Stale {
            table: "inbox".to_owned(),
        }
        .into());
    }
    Ok(result)
}

/// Applies all signals of a delivery; returns the results as text.
///
/// # Errors
/// The store's.
pub fn take_signals(cx: &mut Context<'_, '_>, connection: &str, signals: &[Signal]) -> Result<String> {
    let mut results = Vec::new();
    for signal in signals {
        if let Signal::Repository(it) = signal {
            let Some(told) = follow_repository::follow(cx, connection, it)? else {
                continue;
            };
            results.push(told.text);
            if told.is_stranger {
                break;
            }
            continue;
        }
        results.push(take_signal(cx, connection, signal)?);
    }
    Ok(if results.is_empty() {
        "nothing in it concerns us".to_owned()
    } else {
        results.join("; ")
    })
}

/// Takes one signal.
///
/// # Errors
/// The store's.
pub fn take_signal(cx: &mut Context<'_, '_>, connection: &str, signal: &Signal) -> Result<String> {
    let told = match signal {
        Signal::Deployment(it) => ReportedStatus::from(it),
        Signal::DeploymentStatus(it) => ReportedStatus::from(it),
        Signal::Ping | Signal::Repository(_) => return Ok("ping".to_owned()),
        Signal::Alert(it) => return take_alert::take_alert(cx, connection, it),
        Signal::Verdict(it) => return take_verdict::take_verdict(cx, connection, it),
        Signal::Notice(it) => return take_notice::take_notice(cx, connection, it),
        Signal::Members(it) => return tell_members::take_members(cx, connection, it),
        Signal::Drift(it) => return take_drift::take_drift(cx, connection, it),
        Signal::CommitTree(it) => return take_tree(cx, connection, it),
        Signal::Ask(it) => return take_decision_request(cx, connection, it),
        Signal::RunTask(it) => return take_run_task::take(cx, connection, it),
        Signal::MailReply(it) => return reply_by_mail::take_reply(cx, connection, it),
        Signal::Bounce(it) => return take_bounce::take_bounce(cx, connection, it),
        Signal::Push(it) => return take_commits::take_push(cx, connection, it),
        Signal::PullRequest(it) => return take_commits::take_merge(cx, connection, it),
        Signal::Release(it) => return Ok(format!("noted: release {}", it.tag)),
        Signal::Unknown { event, .. } if signal.complaint().is_some() => {
            let why = signal.complaint().unwrap_or_default();
            return Ok(format!("complaint: a part of {event} could not be read: {why}"));
        }
        Signal::Unknown { event, .. } => return Ok(format!("noted: {event} has no meaning here")),
    };
    let connection = connections::connection(cx, connection)?;
    let (mapping, environment) = match places_of(&connection, &told)[..] {
        [(mapping, environment)] => (mapping, environment),
        [] => {
            return Ok(format!("noted: {} to {} {NOTHING}", told.repository, told.environment));
        }
        _ => {
            return Ok(format!(
                "complaint: {} to {} is mapped to several services here; which of them is meant cannot be told",
                told.repository, told.environment
            ));
        }
    };
    let here = Here {
        connection: &connection,
        mapping,
        environment,
        told: &told,
    };
    let told = messengers::choose(cx, &here)?;
    take_deployment(cx, &Here { told: &told, ..here })
}

/// Keeps the tree of a commit of a repository that is mapped here.
fn take_tree(cx: &mut Context<'_, '_>, connection: &str, it: &signal::CommitTree) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    if !connection.map.iter().any(|row| row.is_of(&it.repository)) {
        return Ok(format!("noted: {} {NOTHING}", it.repository));
    }
    let told = provenance::Provenance {
        id: RecordId(String::new()),
        version: 0,
        repository: it.repository.to_lowercase(),
        commit: it.commit.clone(),
        tree: Some(it.tree.clone()),
        artifact: None,
        files: it.files.clone(),
        before: it.before.clone(),
        committers: None,
        is_partial: false,
        merged: None,
        source: connection.id.0,
        at: it.occurred_at.unwrap_or(cx.now),
    };
    let is_new = keep_provenance::keep(cx, told)?;
    Ok(if is_new {
        "the commit's tree is kept"
    } else {
        "the commit's tree was known"
    }
    .to_owned())
}

fn take_decision_request(cx: &mut Context<'_, '_>, connection: &str, it: &signal::DecisionRequest) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let rows: Vec<&Mapping> = connection.map.iter().filter(|row| row.is_of(&it.repository)).collect();
    if rows.is_empty() {
        return Ok(format!("noted: {} {NOTHING}", it.repository));
    }
    let Some(theirs) = &it.environment else {
        if external_checks::binds(cx, &connection, it)? {
            take_commits::keep_strangers(cx, &connection, it)?;
        }
        return external_checks::take(cx, &connection, &rows, None, it);
    };
    let mut places = Vec::new();
    for row in rows {
        places.extend(row.environment_of(theirs).map(|ours| (row, ours.clone())));
    }
    match &places[..] {
        [(row, ours)] => external_checks::take(cx, &connection, &[*row], Some(ours.clone()), it),
        [] => Ok(format!("noted: {theirs} {NOTHING}")),
        _ => Ok(format!(
            "complaint: {theirs} of {} is mapped to several services here; which of them is meant cannot be told",
            it.repository
        )),
    }
}

/// Every place that the map gives a deployment: the environment distinguishes several services of one repository.
fn places_of<'a>(connection: &'a Connection, told: &ReportedStatus<'_>) -> Vec<(&'a Mapping, &'a EnvironmentKey)> {
    let rows = connection.map.iter().filter(|row| row.is_of(told.repository));
    rows.filter_map(|row| Some((row, row.environment_of(told.environment)?)))
        .collect()
}
