//! Handles the questions of Terraform runs: the mapping gives the workspace's place, and the question is evaluated as
//! any other.

use model::core::ids::{EnvironmentKey, RecordId};
use model::directory::snapshot::{Connection, Mapping};
use model::gate::provenance::{CheckReply, OutsideCheck, find_change};
use model::integration::signal::{DecisionKind, RunTask};
use store::integration::inbox;
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::secrets;
use crate::gate::run_tasks;
use crate::integration::external_checks;
use crate::integration::unmatched_deliveries::NOTHING;

/// Records the question of a run; a repetition is recognised, whoever sends it.
///
/// # Errors
/// The store's, or a fault of the keys.
pub(crate) fn take(cx: &mut Context<'_, '_>, connection: &str, it: &RunTask) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let Some(api) = &connection.api else {
        return Ok("noted: a run asks, but this connection has no `api` to answer it".to_owned());
    };
    if !is_callback(&it.reply_to, &api.base) {
        let text = "The callback's address is none of the configured host's.";
        let now = cx.now;
        inbox::turn_away(cx.tx, connection.id.as_str(), ("foreign_callback", text), now)?;
        return Ok(format!("refused: {text}"));
    }
    let filter = Filter::new()
        .equals("connection", connection.id.as_str())
        .equals("natural_key", it.result.as_str());
    if let Some(known) = record::find_one::<OutsideCheck>(cx.tx, &filter)? {
        return Ok(format!("run_task {}: known already", known.record.answer.as_str()));
    }
    let Some(token) = secrets::open_delivered(cx, connection.id.as_str(), &it.token) else {
        return Ok("complaint: the token of this run cannot be opened any more; let the run ask again".to_owned());
    };
    let (place, told) = match places_of(&connection, &it.workspace)[..] {
        [place] => (Some(place), None),
        [] => (None, Some(format!("noted: {} {NOTHING}", it.workspace))),
        _ => {
            let text = format!("complaint: {} is mapped to several services here", it.workspace);
            (None, Some(text))
        }
    };
    let check = new_check(cx, &connection, place, it)?;
    secrets::keep(cx, &run_tasks::token_name(check.id.as_str()), &token)?;
    let answered = external_checks::judge_first(cx, check)?;
    Ok(told.unwrap_or(answered))
}

/// A new question.
fn new_check(
    cx: &mut Context<'_, '_>,
    connection: &Connection,
    place: Option<(&Mapping, &EnvironmentKey)>,
    it: &RunTask,
) -> Result<OutsideCheck> {
    let (named, found_by) = find_change(&connection.links, &it.texts).unzip();
    let is_trusted = |login: &String| connection.trusted.iter().any(|it| it.eq_ignore_ascii_case(login));
    // A person who starts a run could name any approved commit and apply something else.
    let counts = !it.is_claimed || it.actor.as_ref().is_some_and(is_trusted);
    Ok(OutsideCheck {
        id: RecordId(cx.new_id()?),
        version: 0,
        connection: connection.id.clone(),
        ask: DecisionKind::RunTask,
        natural_key: it.result.clone(),
        repository: it.workspace.clone(),
        service: place.map(|(row, _)| row.service.clone()).unwrap_or_default(),
        others: Vec::new(),
        base: None,
        environment: place.map(|(_, ours)| ours.clone()),
        theirs: Some(it.run.clone()),
        commit: if counts { it.commit.clone() } else { String::new() },
        number: None,
        reply_to: it.reply_to.clone(),
        named,
        found_by,
        change: None,
        change_key: None,
        answer: CheckReply::Waiting,
        text: String::new(),
        stage: Some(it.stage.clone()),
        is_speculative: it.is_speculative,
        reasons: Vec::new(),
        is_over: false,
        at: it.occurred_at,
    })
}

/// A result goes only to the configured host, and only to its path for results.
fn is_callback(reply_to: &str, base: &str) -> bool {
    let rest = reply_to.strip_prefix(base.trim_end_matches('/'));
    let rest = rest.and_then(|rest| rest.strip_prefix("/api/v2/task-results/"));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    rest.and_then(|rest| rest.strip_suffix("/callback"))
        .is_some_and(|id| !id.is_empty() && id.bytes().all(is_part))
}

/// The place of a workspace. A mapping with the whole name comes before those with a `*`, whose matching part is the
/// environment; with the whole name, the environment is the workspace's name.
fn places_of<'a>(connection: &'a Connection, workspace: &str) -> Vec<(&'a Mapping, &'a EnvironmentKey)> {
    let workspace = workspace.to_lowercase();
    let named = |row: &'a Mapping| {
        let (_, name) = workspace.split_once('/').filter(|_| row.is_of(&workspace))?;
        Some((row, row.environment_of(name)?))
    };
    let by_rule = |row: &'a Mapping| {
        let (before, after) = row.repository.split_once('*')?;
        let theirs = workspace.strip_prefix(before)?.strip_suffix(after)?;
        Some((row, row.environment_of(theirs)?))
    };
    let found: Vec<_> = connection.map.iter().filter_map(named).collect();
    if !found.is_empty() {
        return found;
    }
    connection.map.iter().filter_map(by_rule).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_goes_to_the_configured_host_and_to_a_task_alone() {
        let good = "https://app.terraform.io/api/v2/task-results/5ea8d46c-2ceb-42cd-83f2-82e54697bddd/callback";
        assert!(is_callback(good, run_tasks::USUAL_BASE));
        assert!(is_callback(
            &good.replace("app.", "app.eu."),
            "https://app.eu.terraform.io/"
        ));
        for bad in [
            "https://app.terraform.io.evil.example/api/v2/task-results/5ea8/callback",
            "https://app.terraform.io@evil.example/api/v2/task-results/5ea8/callback",
            "http://app.terraform.io/api/v2/task-results/5ea8/callback",
            "https://app.terraform.io/api/v2/task-results/../runs/callback",
            "https://app.terraform.io/api/v2/task-results/5ea8/callback?x=1",
            "https://app.terraform.io/api/v2/task-results//callback",
            "https://app.terraform.io/api/v2/workspaces/5ea8/callback",
            "https://169.254.169.254/api/v2/task-results/5ea8/callback",
        ] {
            assert!(!is_callback(bad, run_tasks::USUAL_BASE), "{bad}");
        }
    }

    fn connection(map: serde_json::Value) -> Connection {
        serde_json::from_value(json!({
            "id": "k", "version": 1, "kind": run_tasks::KIND, "name": "Terraform", "map": map, "links": [], "builders": [],
            "owner": "p", "active": true,
        }))
        .unwrap()
    }

    #[test]
    fn a_workspace_is_named_whole_or_by_a_rule() {
        let of_it = connection(json!([
            {"repository": "acme/shop-*", "service": "shop", "environments": {"prod": "production", "stage": "staging"}},
            {"repository": "acme/shop-stage", "service": "other", "environments": {"shop-stage": "staging"}},
            {"repository": "acme/a-*", "service": "a", "environments": {"b-prod": "production"}},
            {"repository": "acme/*-prod", "service": "b", "environments": {"a-b": "production"}},
        ]));
        let of = |workspace: &str| {
            let found = places_of(&of_it, workspace);
            let found = found.into_iter().map(|(row, ours)| format!("{} {ours}", row.service));
            found.collect::<Vec<_>>()
        };
        assert_eq!(of("Acme/Shop-Prod"), ["shop production"]);
        assert_eq!(of("acme/shop-stage"), ["other staging"]);
        assert_eq!(of("acme/shop-lab"), [""; 0]);
        assert_eq!(of("evil/shop-prod"), [""; 0]);
        assert_eq!(of("acme/a-b-prod").len(), 2, "two rules fit, and none is chosen");
    }
}
