//! Runs of Terraform ask the gate by a run task, and wait for its result: the workspace says by the map which service and which
//! environment it is, the commit says what is applied, and the gate's answer becomes the result with each of its reasons.
//!
//! A run that may not go on yet is told why, again within the ten minutes that Terraform waits for news, and has its result as soon
//! as the gate opens. After an hour Terraform gives up, so it is refused a little before.

use jiff::{SignedDuration, Timestamp};
use model::core::ids::{EnvironmentKey, RecordId};
use model::core::unmet::{Unmet, unmet};
use model::directory::snapshot::{Connection, ConnectionApi, Mapping};
use model::gate::provenance::{OutsideCheck, Word, find_change};
use model::integration::signal::{AskKind, RunTask};
use store::identity::secrets as rows;
use store::integration::inbox;
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::secrets;
use crate::integration::external_checks::{self, Said};
use crate::integration::take_delivery::environment_of;
use crate::integration::unmatched_deliveries::NOTHING;

/// The kind of the connections whose runs ask.
pub(crate) const KIND: &str = "terraform_task";
/// Where results go unless a connection says so.
pub(crate) const USUAL_BASE: &str = "https://app.terraform.io";
/// How long a run waits at most: Terraform ends a task after an hour, and a result needs some time on its way.
const PATIENCE: SignedDuration = SignedDuration::from_mins(58);
/// How often a run that waits hears of it: Terraform takes ten silent minutes for an error.
const PROGRESS: SignedDuration = SignedDuration::from_mins(8);

/// Where results of a kind go that answers without a credential of its own.
pub(crate) fn usual_api(kind: &str) -> Option<ConnectionApi> {
    (kind == KIND).then(|| ConnectionApi {
        base: USUAL_BASE.to_owned(),
        status: "commit_status".to_owned(),
        app: None,
        installation: None,
    })
}

/// Takes the question of a run; the same once more is known, whoever sends it.
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
    let check = asked(cx, &connection, place, it)?;
    secrets::keep(cx, &token_name(check.id.as_str()), &token)?;
    let answered = external_checks::ask_first(cx, check)?;
    Ok(told.unwrap_or(answered))
}

/// A question that was not asked before.
fn asked(
    cx: &mut Context<'_, '_>,
    connection: &Connection,
    place: Option<(&Mapping, &EnvironmentKey)>,
    it: &RunTask,
) -> Result<OutsideCheck> {
    let (named, found_by) = find_change(&connection.links, &it.texts).unzip();
    let is_trusted = |login: &String| connection.trusted.iter().any(|it| it.eq_ignore_ascii_case(login));
    // Whoever starts a run could name any commit that was approved, and apply something else.
    let counts = !it.is_claimed || it.actor.as_ref().is_some_and(is_trusted);
    Ok(OutsideCheck {
        id: RecordId(cx.new_id()?),
        version: 0,
        connection: connection.id.clone(),
        ask: AskKind::RunTask,
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
        answer: Word::Waiting,
        text: String::new(),
        stage: Some(it.stage.clone()),
        is_speculative: it.is_speculative,
        reasons: Vec::new(),
        is_over: false,
        at: it.occurred_at,
    })
}

/// A result goes to the configured host alone, and to nothing else there.
fn is_callback(reply_to: &str, base: &str) -> bool {
    let rest = reply_to.strip_prefix(base.trim_end_matches('/'));
    let rest = rest.and_then(|rest| rest.strip_prefix("/api/v2/task-results/"));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    rest.and_then(|rest| rest.strip_suffix("/callback"))
        .is_some_and(|id| !id.is_empty() && id.bytes().all(is_part))
}

/// What a workspace is here. A row that names it whole goes before those with a `*`, whose part of the name is the environment;
/// with a whole name it is the name of the workspace.
fn places_of<'a>(connection: &'a Connection, workspace: &str) -> Vec<(&'a Mapping, &'a EnvironmentKey)> {
    let workspace = workspace.to_lowercase();
    let named = |row: &'a Mapping| {
        let (_, name) = workspace.split_once('/').filter(|_| row.is_of(&workspace))?;
        Some((row, environment_of(row, name)?))
    };
    let by_rule = |row: &'a Mapping| {
        let (before, after) = row.repository.split_once('*')?;
        let theirs = workspace.strip_prefix(before)?.strip_suffix(after)?;
        Some((row, environment_of(row, theirs)?))
    };
    let found: Vec<_> = connection.map.iter().filter_map(named).collect();
    if !found.is_empty() {
        return found;
    }
    connection.map.iter().filter_map(by_rule).collect()
}

/// What is said to a run now.
///
/// # Errors
/// The store's.
pub(crate) fn said(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<Said> {
    let only_plans = matches!(check.stage.as_deref(), Some("pre_plan" | "post_plan"));
    if check.is_speculative && only_plans {
        let text = "A speculative plan is never applied, so it needs no change.";
        return Ok(at_once(Word::Approved, text.to_owned(), Vec::new()));
    }
    if check.environment.is_none() {
        let text = format!("The workspace {} belongs to no single service here.", check.repository);
        let help = "An administrator maps the workspace in the connection.";
        return Ok(refused(unmet("workspace_unmapped", text, help, Vec::new())));
    }
    if check.commit.is_empty() {
        let text = "The run names no commit, so nothing ties it to what was approved.";
        let help = "Plan from a repository; or start the run by an account that the connection trusts, with the commit in its message.";
        return Ok(refused(unmet("commit_missing", text, help, Vec::new())));
    }
    let said = external_checks::may_deploy(cx, check)?;
    Ok(in_time(check, said, cx.now))
}

fn at_once(answer: Word, text: String, reasons: Vec<Unmet>) -> Said {
    Said {
        answer,
        text,
        reasons,
        change: None,
        next: None,
        is_over: true,
    }
}

fn refused(reason: Unmet) -> Said {
    at_once(Word::Rejected, reason.text.clone(), vec![reason])
}

/// A result is the last word. Until there is one, the run hears at fixed times after its question that it waits: were they counted
/// from now, whatever moves the change would put them off.
fn in_time(check: &OutsideCheck, mut said: Said, now: Timestamp) -> Said {
    let end = check.at + PATIENCE;
    // What was applied cannot be held back, and a run that ends waits for nothing.
    let is_applied = check.stage.as_deref() == Some(RunTask::APPLIED);
    if said.answer == Word::Waiting && (is_applied || now >= end) {
        said.answer = Word::Rejected;
        if !is_applied {
            let text = "The gate did not open in the hour that Terraform waits.";
            let over = unmet("wait_over", text, "Start the run again.", Vec::new());
            said.text = format!("{text} {}", said.text);
            said.reasons.insert(0, over);
        }
    }
    said.is_over = said.answer != Word::Waiting;
    let passed = now.duration_since(check.at).as_secs().max(0) / PROGRESS.as_secs();
    let beats = i32::try_from(passed).unwrap_or(i32::MAX).saturating_add(1);
    let beat = check.at + PROGRESS * beats;
    let soonest = said.next.map_or(end, |next| next.min(end)).min(beat);
    said.next = (!said.is_over).then_some(soonest);
    said
}

/// The name under which the token of a run rests.
pub(crate) fn token_name(check: &str) -> String {
    format!("outside_check/{check}")
}

/// Forgets the token of a run that has its result.
///
/// # Errors
/// The store's.
pub fn forget_token(cx: &mut Context<'_, '_>, check: &str) -> Result<()> {
    rows::delete(cx.tx, &token_name(check))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_goes_to_the_configured_host_and_to_a_task_alone() {
        let good = "https://app.terraform.io/api/v2/task-results/5ea8d46c-2ceb-42cd-83f2-82e54697bddd/callback";
        assert!(is_callback(good, USUAL_BASE));
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
            assert!(!is_callback(bad, USUAL_BASE), "{bad}");
        }
    }

    fn connection(map: serde_json::Value) -> Connection {
        serde_json::from_value(json!({
            "id": "k", "version": 1, "kind": KIND, "name": "Terraform", "map": map, "links": [], "builders": [],
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

    #[test]
    fn a_run_that_waits_hears_of_it_and_is_refused_within_the_hour() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let check = |stage: &str| -> OutsideCheck {
            serde_json::from_value(json!({
                "id": "c", "version": 1, "connection": "k", "ask": "run_task", "natural_key": "r", "repository": "acme/shop-prod",
                "service": "shop", "environment": "production", "commit": "c", "reply_to": "u", "answer": "waiting", "text": "",
                "stage": stage, "at": at,
            }))
            .unwrap()
        };
        let waits = |next: Option<Timestamp>| Said {
            next,
            is_over: false,
            ..at_once(Word::Waiting, "Not yet.".to_owned(), Vec::new())
        };
        let minutes = |count: i64| at + SignedDuration::from_mins(count);
        let look = |stage: &str, next: Option<i64>, now: i64| {
            let said = in_time(&check(stage), waits(next.map(minutes)), minutes(now));
            (said.answer, said.next.map(|next| next.duration_since(at).as_mins()))
        };
        assert_eq!(look("pre_apply", None, 0), (Word::Waiting, Some(8)));
        assert_eq!(
            look("pre_apply", None, 7),
            (Word::Waiting, Some(8)),
            "nothing puts it off"
        );
        assert_eq!(look("pre_apply", None, 8), (Word::Waiting, Some(16)));
        assert_eq!(look("pre_apply", Some(11), 9), (Word::Waiting, Some(11)));
        assert_eq!(look("pre_apply", None, 57), (Word::Waiting, Some(58)));
        assert_eq!(look("pre_apply", Some(70), 58), (Word::Rejected, None));
        assert_eq!(look("post_apply", None, 0), (Word::Rejected, None));
    }
}
