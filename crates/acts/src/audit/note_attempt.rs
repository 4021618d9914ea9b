//! Records a refused attempt. The refused act left nothing behind, so this is an act of its own: the log contains
//! attempts as well as acts. It holds only codes and ids, no free text.

use model::change::change_file::WayIn;
use model::core::act::Act;
use model::core::refusal::Refusal;
use model::directory::snapshot;
use model::policy::permission::{actor_facts, parts_of};
use serde_json::{Value, json};
use store::identity::session;
use store::record;

use crate::core::context::Context;
use crate::core::decision_facts::keep_refused;
use crate::core::error::{Error, Result};
use crate::core::write::{Written, draft, way_in};

/// Something that was tried and refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The attempted operation, as its endpoint names it: `POST /changes/{key}/approvals`.
    pub what: String,
    /// The key of the change, if the attempt was about one.
    pub change: Option<String>,
    /// The refusal's code.
    pub code: String,
    /// The policies that refused, by their ids.
    pub policies: Vec<String>,
    /// The attempted act, if it was an act on a change.
    pub act: Option<Act>,
    /// How often the same was refused since the last note, including this time.
    pub times: u32,
}

/// Writes an attempt of the acting person into the log: under its change, if the tenant has that change, otherwise
/// under the person.
///
/// # Errors
/// The store's.
pub fn note_attempt(cx: &mut Context<'_, '_>, attempt: &Attempt) -> Result<()> {
    let person = cx.actor.person.0.clone();
    let subject = match &attempt.change {
        Some(key) => subject_of(cx, key)?.unwrap_or(("person", person)),
        None => ("person", person),
    };
    let mut data = json!({
        "what": attempt.what, "code": attempt.code, "method": cx.actor.method, "times": attempt.times,
    });
    if !attempt.policies.is_empty() {
        data["policies"] = json!(attempt.policies);
    }
    let mut written = Written::default();
    if let (Some(act), ("change", change)) = (attempt.act, (subject.0, subject.1.clone())) {
        keep_facts_of(cx, &mut written, (act, &change))?;
    }
    let event = draft("attempt.refused", subject, cx.now, data);
    cx.emit(vec![event], written)
}

/// Stores the facts with which the policies refused an act, so that a later set can be tried on them.
fn keep_facts_of(cx: &mut Context<'_, '_>, written: &mut Written, (act, change): (Act, &str)) -> Result<()> {
    if act != Act::Approve && act.told_as().is_empty() {
        return Ok(());
    }
    let file = cx.file(change)?;
    let directory = cx.directory()?;
    let parts = parts_of(&file, &directory, &cx.actor.person, cx.now);
    let facts = actor_facts(&cx.actor, &directory, parts, cx.now);
    let facts = match cx.actor.narrowed_to() {
        Some(roles) => facts.narrowed(roles),
        None => facts,
    };
    keep_refused(cx, written, &file, (act, facts))
}

fn subject_of(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<(&'static str, String)>> {
    match cx.change(key) {
        Ok(change) => Ok(Some(("change", change.id.0))),
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Records in the log that an invalid credential was used; `subject` is the token's record, or the person of the
/// attempted sign-in; `address` is the source of the request.
///
/// # Errors
/// The store's.
pub fn note_credential(
    cx: &mut Context<'_, '_>,
    (kind, subject): (&'static str, (&'static str, String)),
    data: &Value,
    address: Option<&str>,
) -> Result<()> {
    let via = WayIn {
        address: address.map(str::to_owned),
        ..WayIn::default()
    };
    let mut data = data.clone();
    if let Some(told) = way_in::to_data(cx, &via) {
        data[way_in::MEMBER] = told;
    }
    let event = draft(kind, subject, cx.now, data);
    cx.emit(vec![event], Written::default())
}

/// Stores when a token was last used, or for which of its scopes. Called rarely, not for each use.
///
/// # Errors
/// The store's.
pub fn note_use(cx: &mut Context<'_, '_>, token: &str, scope: Option<&str>) -> Result<()> {
    if record::load::<snapshot::Token>(cx.tx, token)?.is_none() {
        return Ok(());
    }
    match scope {
        Some(scope) => session::note_scope_use(cx.tx, token, scope, cx.now)?,
        None => session::note_token_use(cx.tx, token, cx.now)?,
    }
    Ok(())
}
