//! Records refused attempts, the use of credentials that are no longer valid, and the last use of tokens. The same event is
//! recorded at most once a minute, so that repeated requests cannot fill the log.

use acts::Context;
use acts::audit::note_attempt::{Attempt, note_attempt, note_credential, note_use};
use acts::audit::note_look::{note_look, wanted};
use model::audit::auditor_look::AuditorLook;
use model::change::change_file::Actor;
use model::core::act::Act;
use model::core::refusal::PolicyReason;
use model::identity::provider::IdentityProvider;
use model::integration::workload::Workload;
use serde_json::{Value, json};
use store::{Lane, Mode};
use wire::problem::Problem;

use crate::http::caller::{Caller, Credential, Scope};
use crate::http::clock;
use crate::http::failure::Failure;
use crate::http::source::current_source;
use crate::http::state::AppState;

/// Wrong fields that count as attempts: a new account under the address of an existing account.
const OF_SOMEBODY: &[(&str, &str)] = &[("email", "not_unique"), ("emails", "not_unique")];

/// Refusals that count as attempts wherever they occur: granting a right to oneself, and doing alone a step that needs two
/// people.
const GRAVE: &[&str] = &[
    "own_request",
    "two_people_needed",
    "second_person_needed",
    "moved_since",
    "digest_not_current",
];

/// Whether a failure has to be recorded in the log: the caller lacked the permission, did alone a step that needs two people,
/// or decided on an outdated text.
fn is_attempt(failure: &Failure) -> bool {
    matches!(failure.status(), 401 | 403)
        || GRAVE.contains(&code_of(failure))
        || failure
            .problem
            .errors
            .iter()
            .any(|error| OF_SOMEBODY.contains(&(error.field.as_str(), error.code.as_str())))
}

/// The code of a refusal. A grave code of a single field, also in a line of an import, comes first.
fn code_of(failure: &Failure) -> &str {
    let mut codes = failure.problem.errors.iter().map(|error| error.code.as_str());
    codes
        .find(|code| GRAVE.contains(code))
        .unwrap_or(failure.problem.code.as_str())
}

/// Records a refused attempt of a caller before the response is sent. `what` names the endpoint, `change` the key of the change
/// concerned.
pub(crate) async fn note(state: &AppState, caller: &Caller, what: String, change: Option<String>, failure: &Failure) {
    if !is_attempt(failure) {
        return;
    }
    let code = code_of(failure);
    let about = change.as_deref().unwrap_or_default();
    let name = format!("{}/{} {what} {about} {code}", caller.tenant, caller.person);
    let Some(times) = state.noted().count(&name, clock::tick()) else {
        return;
    };
    let attempt = Attempt {
        what,
        change,
        code: code.to_owned(),
        policies: named(&failure.problem, code),
        act: failure.problem.refused_act.as_deref().and_then(Act::named),
        times,
    };
    let write = move |cx: &mut Context<'_, '_>| note_attempt(cx, &attempt);
    let written = state
        .act_as(Lane::Acts, &caller.tenant, caller.actor(), Mode::Write, write)
        .await;
    describe(written);
}

/// The policies that decided. For a rule built into Assent this adds nothing to the code.
fn named(problem: &Problem, code: &str) -> Vec<String> {
    let own = PolicyReason::built_in(code, "").id;
    let ids = problem.policies.iter().map(|it| it.id.clone());
    ids.filter(|id| *id != own).collect()
}

/// The refusal is answered all the same when it cannot be noted: whoever is refused must not learn that the store is away.
fn describe(written: Result<(), Failure>) {
    if let Err(failure) = written {
        tracing::warn!(code = failure.problem.code, "an attempt could not be noted");
    }
}

/// Records the use of a token that is no longer valid.
pub(crate) async fn note_token(state: &AppState, tenant: &str, id: &str, code: &'static str) {
    let Some(times) = state
        .noted()
        .count(&format!("{tenant} token {id} {code}"), clock::tick())
    else {
        return;
    };
    let news = ("token.refused", ("token", id.to_owned()));
    credential(state, tenant, news, json!({"code": code, "times": times})).await;
}

/// Records a failed sign-in or second factor of a person. The response does not wait for the record, so its timing does not
/// reveal which accounts exist.
pub(crate) fn note_sign_in(state: &AppState, tenant: &str, person: &str, method: &str, code: &'static str) {
    let name = format!("{tenant}/{person} sign-in {method} {code}");
    let Some(times) = state.noted().count(&name, clock::tick()) else {
        return;
    };
    let (state, tenant) = (state.clone(), tenant.to_owned());
    let news = ("sign_in.refused", ("person", person.to_owned()));
    let data = json!({"method": method, "code": code, "times": times});
    let source = current_source();
    tokio::spawn(async move { credential_from(&state, &tenant, news, data, source).await });
}

/// Records that a provider authenticated a person who is not admitted: a second account, an ended account, or an unknown
/// person.
pub(crate) async fn note_provider(state: &AppState, tenant: &str, provider: &IdentityProvider, failure: &Failure) {
    if failure.status() != 403 {
        return;
    }
    let code = failure.problem.code.clone();
    let name = format!("{tenant} provider {} {code}", provider.key);
    let Some(times) = state.noted().count(&name, clock::tick()) else {
        return;
    };
    let news = ("sign_in.refused", ("identity_provider", provider.id.0.clone()));
    let method = format!("provider:{}", provider.key);
    credential(
        state,
        tenant,
        news,
        json!({"method": method, "code": code, "times": times}),
    )
    .await;
}

/// Records the refusal of a platform's token; `workload` is the best match for it.
pub(crate) async fn note_workload(state: &AppState, tenant: &str, workload: &Workload, failure: &Failure) {
    if failure.status() != 403 {
        return;
    }
    let code = failure.problem.code.clone();
    let Some(times) = state
        .noted()
        .count(&format!("{tenant} workload {} {code}", workload.key), clock::tick())
    else {
        return;
    };
    let news = ("workload.refused", ("workload", workload.id.0.clone()));
    credential(state, tenant, news, json!({"code": code, "times": times})).await;
}

/// The event and the record it is about.
type News = (&'static str, (&'static str, String));

async fn credential(state: &AppState, tenant: &str, news: News, data: Value) {
    credential_from(state, tenant, news, data, current_source()).await;
}

async fn credential_from(state: &AppState, tenant: &str, news: News, data: Value, source: Option<String>) {
    let write = move |cx: &mut Context<'_, '_>| note_credential(cx, news.clone(), &data, source.as_deref());
    describe(
        state
            .act_as(Lane::Acts, tenant, Actor::system(), Mode::Write, write)
            .await,
    );
}

/// Records the use of a token, at intervals. The request does not wait for the record.
pub(crate) fn note_token_use(state: &AppState, caller: &Caller) {
    let Credential::Token { id, .. } = &caller.credential else {
        return;
    };
    note_kind_of_use(state, caller, id, None);
}

/// Records which of its scopes a token used, at intervals. The request does not wait for the record.
pub(crate) fn note_scope_use(state: &AppState, caller: &Caller, scope: Scope) {
    let Credential::Token { id, scopes, .. } = &caller.credential else {
        return;
    };
    if scopes.len() < 2 {
        return;
    }
    let used = scope.opened_by().iter().find(|it| scopes.contains(it.as_str()));
    if let Some(used) = used {
        note_kind_of_use(state, caller, id, Some(used.as_str()));
    }
}

fn note_kind_of_use(state: &AppState, caller: &Caller, id: &str, scope: Option<&'static str>) {
    let name = [&caller.tenant, " token ", id, " used ", scope.unwrap_or_default()].concat();
    if state.noted().count(&name, clock::tick()).is_none() {
        return;
    }
    let (state, tenant, id) = (state.clone(), caller.tenant.clone(), id.to_owned());
    tokio::spawn(async move {
        let write = move |cx: &mut Context<'_, '_>| note_use(cx, &id, scope);
        let written = state.act_as(Lane::Acts, &tenant, Actor::system(), Mode::Write, write);
        if let Err(failure) = written.await {
            tracing::debug!(code = failure.problem.code, "the use of a token could not be noted");
        }
    });
}

/// Addresses that are about the reader alone.
const OWN_ADDRESSES: [&str; 4] = ["/me", "/session", "/sessions", "/second-factors"];

/// The auditor's access that a response of the API represents, with the key of the change concerned; `None` where nothing has
/// to be recorded.
///
/// # Errors
/// The store's.
pub(crate) fn look_at_route(
    cx: &mut Context<'_, '_>,
    (method, path): (&str, &str),
    change: Option<&str>,
) -> acts::Result<Option<AuditorLook>> {
    if method != "GET" || OWN_ADDRESSES.iter().any(|own| path.starts_with(own)) {
        return Ok(None);
    }
    match change {
        Some(key) => wanted(cx, ("change", &key.to_uppercase())),
        None => wanted(cx, ("route", path)),
    }
}

/// The look at a page below the tenant's address.
///
/// # Errors
/// The store's.
pub(crate) fn look_at_page(cx: &mut Context<'_, '_>, path: &str) -> acts::Result<Option<AuditorLook>> {
    let rest = path.strip_prefix("/changes/").and_then(|rest| rest.split('/').next());
    match rest.filter(|key| key.to_uppercase().starts_with("CHG-")) {
        Some(key) => wanted(cx, ("change", &key.to_uppercase())),
        None => wanted(cx, ("page", path)),
    }
}

/// Records an auditor's access before the response leaves. An auditor with a mandate gets no response if the access cannot be
/// recorded; other readers do.
///
/// # Errors
/// The store's, as a failure response.
pub(crate) async fn note_looked(state: &AppState, caller: &Caller, look: Option<AuditorLook>) -> Result<(), Failure> {
    let Some(look) = look else { return Ok(()) };
    let write = move |cx: &mut Context<'_, '_>| note_look(cx, &look);
    let noted = state.act_as(Lane::Acts, &caller.tenant, caller.actor(), Mode::Write, write);
    let Err(failure) = noted.await else { return Ok(()) };
    let read = |cx: &mut Context<'_, '_>| Ok(cx.directory()?.is_mandated(&cx.actor.person));
    let is_mandated = state.act_as(Lane::Pages, &caller.tenant, caller.actor(), Mode::Read, read);
    if is_mandated.await? {
        return Err(failure);
    }
    tracing::warn!(code = failure.problem.code, "the look of an auditor could not be noted");
    Ok(())
}
