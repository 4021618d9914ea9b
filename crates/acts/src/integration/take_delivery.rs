//! Takes a stored delivery's signals: their effects and the delivery's done mark share one transaction, and effects are
//! idempotent on the outside system's own ids.

use model::core::ids::{EnvironmentKey, RecordId};
use model::directory::snapshot::{Connection, Mapping};
use model::gate::provenance;
use model::integration::signal::{self, Signal};
use store::integration::inbox;

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::take_alert;
use crate::integration::take_deployment::take_deployment;
use crate::integration::told_deployment::{Here, Told};
use crate::integration::{external_checks, keep_provenance, take_commits};
use crate::notify::reply_by_mail;

/// Takes all signals of a delivery and marks it done; answers what came of it, in words.
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
    let mut results = Vec::new();
    for signal in signals {
        results.push(take_signal(cx, connection, signal)?);
    }
    let result = if results.is_empty() {
        "nothing in it concerns us".to_owned()
    } else {
        results.join("; ")
    };
    if !inbox::finish(cx.tx, delivery, holder, &result)? {
        return Err(store::Error::Stale {
            table: "inbox".to_owned(),
        }
        .into());
    }
    Ok(result)
}

/// Takes one signal.
///
/// # Errors
/// The store's.
pub fn take_signal(cx: &mut Context<'_, '_>, connection: &str, signal: &Signal) -> Result<String> {
    let told = match signal {
        Signal::Deployment(it) => Told::from(it),
        Signal::DeploymentStatus(it) => Told::from(it),
        Signal::Ping => return Ok("ping".to_owned()),
        Signal::Alert(it) => return take_alert::take_alert(cx, connection, it),
        Signal::CommitTree(it) => return take_tree(cx, connection, it),
        Signal::Ask(it) => return take_ask(cx, connection, it),
        Signal::MailReply(it) => return reply_by_mail::take_reply(cx, connection, it),
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
    let Some((mapping, environment)) = place_of(&connection, &told) else {
        return Ok(format!(
            "noted: {} to {} is mapped to nothing here",
            told.repository, told.environment
        ));
    };
    let here = Here {
        connection: &connection,
        mapping,
        environment: &environment,
        told: &told,
    };
    take_deployment(cx, &here)
}

/// Keeps the tree of a commit of a repository that is mapped here.
fn take_tree(cx: &mut Context<'_, '_>, connection: &str, it: &signal::CommitTree) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    if !connection
        .map
        .iter()
        .any(|row| row.repository.eq_ignore_ascii_case(&it.repository))
    {
        return Ok(format!("noted: {} is mapped to nothing here", it.repository));
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

fn take_ask(cx: &mut Context<'_, '_>, connection: &str, it: &signal::Ask) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let found = connection
        .map
        .iter()
        .find(|row| row.repository.eq_ignore_ascii_case(&it.repository));
    let Some(mapping) = found.cloned() else {
        return Ok(format!("noted: {} is mapped to nothing here", it.repository));
    };
    let ours = it.environment.as_ref().map(|theirs| {
        let found = mapping
            .environments
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(theirs));
        found.map(|(_, ours)| ours.clone())
    });
    if let Some(None) = ours {
        return Ok(format!(
            "noted: {} is mapped to nothing here",
            it.environment.clone().unwrap_or_default()
        ));
    }
    external_checks::take(cx, &connection, &mapping, ours.flatten(), it)
}

fn place_of<'a>(connection: &'a Connection, told: &Told<'_>) -> Option<(&'a Mapping, EnvironmentKey)> {
    let mapping = connection
        .map
        .iter()
        .find(|row| row.repository.eq_ignore_ascii_case(told.repository))?;
    let ours = mapping
        .environments
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(told.environment))?;
    Some((mapping, ours.1.clone()))
}
