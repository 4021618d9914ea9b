//! The calls that answer a request of an outside system.

use jiff::Timestamp;
use model::directory::snapshot::{Connection, ConnectionApi};
use model::gate::provenance::{CheckReply, OutsideCheck};
use model::integration::signal::{self, DecisionKind};

use crate::integration::github::api::{self, CheckDecision};
use crate::integration::{gitlab, run_task};
use crate::socket::call::{Call, Caller};

/// Carries an answer. `Ok` when it was taken or there is nothing to carry.
///
/// # Errors
/// A sentence, and whether trying again later may help.
pub fn carry(
    caller: &Caller,
    connection: &Connection,
    check: &OutsideCheck,
    (credential, page): (&str, &str),
    now: Timestamp,
) -> Result<(), (String, bool)> {
    let Some(of) = &connection.api else { return Ok(()) };
    let base = of.base.trim_end_matches('/');
    let token = token_of(caller, of, credential, now)?;
    let say = match check.answer {
        CheckReply::Waiting => CheckDecision::Wait,
        CheckReply::Approved => CheckDecision::Yes,
        CheckReply::Rejected => CheckDecision::No,
    };
    let (place, words) = (
        (check.repository.as_str(), check.commit.as_str()),
        (check.text.as_str(), page),
    );
    let theirs = check.theirs.as_deref().unwrap_or_default();
    let call = match check.ask {
        DecisionKind::ProtectionRule => Some(api::protection_rule(&check.reply_to, &token, theirs, say, &check.text)),
        DecisionKind::Merge if of.status == "check_run" => Some(api::check_run(base, &token, place, say, words)),
        DecisionKind::Merge => Some(api::commit_status(base, &token, place, say, words)),
        DecisionKind::StatusCheck => gitlab::api::status_check(base, &token, &check.reply_to, &check.commit, say),
        DecisionKind::DeploymentApproval => {
            gitlab::api::deployment_approval(base, &token, &check.reply_to, say, &check.text)
        }
        DecisionKind::RunTask => Some(run_task::result(check, &token, page)),
    };
    call.map_or(Ok(()), |call| send(caller, &call).map(drop))
}

/// Makes a call that must succeed; returns the body.
///
/// # Errors
/// A sentence, and whether trying again later may help.
pub(crate) fn send(caller: &Caller, call: &Call) -> Result<Vec<u8>, (String, bool)> {
    let answer = caller.call(call).map_err(|why| (why, true))?;
    if answer.is_taken() {
        return Ok(answer.body);
    }
    let text = String::from_utf8_lossy(&answer.body);
    let why = signal::SetAside::because(format_args!("answered {}: {text}", answer.status)).reason;
    // A credential may be put right, so its refusals are tried again as well.
    Err((why, answer.is_busy() || matches!(answer.status, 401 | 403 | 404)))
}

/// The token for a connection's API: the credential itself, or that of the App's installation.
///
/// # Errors
/// As [`send`].
pub(crate) fn token_of(
    caller: &Caller,
    of: &ConnectionApi,
    credential: &str,
    now: Timestamp,
) -> Result<String, (String, bool)> {
    let base = of.base.trim_end_matches('/');
    match (of.app, of.installation) {
        (Some(app), Some(installation)) => installation_token(caller, base, (app, installation), credential, now),
        _ => Ok(credential.to_owned()),
    }
}

fn installation_token(
    caller: &Caller,
    base: &str,
    ids: (i64, i64),
    key: &str,
    now: Timestamp,
) -> Result<String, (String, bool)> {
    let call = api::installation_token(base, ids, key, now).map_err(|why| (why, false))?;
    let body = send(caller, &call)?;
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = answer["token"].as_str().map(str::to_owned);
    token.ok_or_else(|| ("the installation's token is missing in the answer".to_owned(), true))
}
