//! Passkeys at the sign-in and as fresh factor, for both the API and the pages. Wrong responses are logged and slow nobody
//! down: a signature cannot be guessed, and an owner of a passkey gets in while others try passwords.

use acts::Context;
use acts::identity::set_passkey::{Begun, CeremonyResult, Shown, Wrong};
use acts::identity::{set_passkey as passkeys, set_second_factor};
use model::change::change_file::Actor;
use model::core::body::Body;
use model::core::refusal::Refusal;
use model::identity::factor::Factor;
use store::{Lane, Mode};

use crate::http::attempts;
use crate::http::caller::{Caller, Credential};
use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::identity::sign_in::{self, NewSession, Origin, Start};

/// The recorded name of this sign-in method and fresh factor.
const PASSKEY: &str = "passkey";

/// Turns the result of a verification into a response, and records a failure under its person.
fn judged<T>(state: &AppState, tenant: &str, answered: CeremonyResult<T>) -> Result<T, Failure> {
    let (wrong, person) = match answered {
        CeremonyResult::Right(found) => return Ok(found),
        CeremonyResult::Wrong(wrong, person) => (wrong, person),
    };
    if let Some(person) = person {
        attempts::note_sign_in(state, tenant, person.as_str(), PASSKEY, wrong.code());
    }
    if wrong == Wrong::There {
        let refusal = Refusal::not_now(wrong.code(), wrong.text(), "Use another authenticator.", Vec::new());
        return Err(Failure::from(acts::Error::from(refusal)));
    }
    Err(Failure::new(401, wrong.code(), wrong.text()))
}

/// The session in which a caller shows a factor; a token shows none.
fn session_of(caller: &Caller) -> Result<&str, Failure> {
    match &caller.credential {
        Credential::Session { digest, .. } => Ok(digest),
        _ => Err(Failure::new(
            403,
            "step_up_required",
            "A token has no fresh factor; sign in, and step up there.",
        )),
    }
}

/// The challenge for a new passkey.
///
/// # Errors
/// As `begin_passkey` of the acts.
pub(crate) async fn begin_adding(state: &AppState, caller: &Caller, body: Body) -> Result<Begun, Failure> {
    let begin = move |cx: &mut Context<'_, '_>| passkeys::begin_passkey(cx, &body);
    state.act(Lane::Pages, caller, Mode::Write, begin).await
}

/// Keeps a new passkey; returns the recovery codes, once, when there were none.
///
/// # Errors
/// 401 with the reason why the response is wrong; 409 when the passkey is kept already; as `finish_passkey` of the acts.
pub(crate) async fn finish_adding(
    state: &AppState,
    caller: &Caller,
    id: String,
    answer: Vec<u8>,
) -> Result<Vec<String>, Failure> {
    let finish = move |cx: &mut Context<'_, '_>| passkeys::finish_passkey(cx, &id, &answer);
    let answered = state.act(Lane::Pages, caller, Mode::Write, finish).await?;
    judged(state, &caller.tenant, answered)
}

/// The challenge for a fresh factor.
///
/// # Errors
/// 403 for a token; as `begin_step_up` of the acts.
pub(crate) async fn begin_step_up(state: &AppState, caller: &Caller) -> Result<Begun, Failure> {
    session_of(caller)?;
    state
        .act(Lane::Pages, caller, Mode::Write, passkeys::begin_step_up)
        .await
}

/// Notes in the session that the passkey was shown.
///
/// # Errors
/// 403 for a token; 401 with the reason why the response is wrong.
pub(crate) async fn step_up(state: &AppState, caller: &Caller, id: String, answer: Vec<u8>) -> Result<Factor, Failure> {
    let digest = session_of(caller)?;
    let finish = move |cx: &mut Context<'_, '_>| passkeys::finish_step_up(cx, &id, &answer);
    let answered = state.act(Lane::Pages, caller, Mode::Write, finish).await?;
    let factor = judged(state, &caller.tenant, answered)?.factor;
    sign_in::note_factor(state, caller, digest, factor.clone()).await?;
    Ok(factor)
}

fn check_tenant(tenant: &str) -> Result<(), Failure> {
    let absent = || Failure::from(acts::Error::from(Refusal::not_found("organisation")));
    store::check_tenant(tenant).map_err(|_| absent())
}

/// The challenge for a person who signs in.
///
/// # Errors
/// 404 for a tenant that is not here; as `begin_sign_in` of the acts.
pub(crate) async fn begin_sign_in(state: &AppState, tenant: &str) -> Result<Begun, Failure> {
    check_tenant(tenant)?;
    state
        .act_as(
            Lane::Pages,
            tenant,
            Actor::system(),
            Mode::Write,
            passkeys::begin_sign_in,
        )
        .await
}

/// Begins a session for the owner of a passkey. Possessing and unlocking the passkey are two factors, so the session has a
/// fresh factor.
///
/// # Errors
/// 401 with the reason why the response is wrong; 404 for an unknown tenant.
pub(crate) async fn sign_in(
    state: &AppState,
    origin: &Origin,
    tenant: &str,
    (id, answer): (String, Vec<u8>),
) -> Result<NewSession, Failure> {
    check_tenant(tenant)?;
    let finish = move |cx: &mut Context<'_, '_>| passkeys::finish_sign_in(cx, &id, &answer);
    let answered: CeremonyResult<Shown> = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Write, finish)
        .await?;
    let Shown { person, factor, id } = judged(state, tenant, answered)?;
    let start = Start {
        method: PASSKEY.to_owned(),
        factor: Some(factor),
        passkey: Some(id),
        password: None,
        subject: None,
    };
    sign_in::begin(state, origin, tenant, person, start).await
}

/// Whether the caller has a passkey, and whether passkeys work at this server's address.
///
/// # Errors
/// The store's.
pub(crate) async fn has_passkey(state: &AppState, caller: &Caller) -> Result<bool, Failure> {
    if !passkeys::is_offered(state.public_url()) {
        return Ok(false);
    }
    let find = |cx: &mut Context<'_, '_>| {
        let own = set_second_factor::own_factors(cx)?;
        Ok(own.iter().any(|it| it.kind == set_second_factor::PASSKEY))
    };
    state.act(Lane::Pages, caller, Mode::Read, find).await
}
