//! Passkeys on pages: at the sign-in, as fresh factor, and in the account. The page brings the challenge, its script calls the
//! authenticator, and the form brings the response; nothing is fetched.

use acts::identity::set_passkey::Begun;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use model::core::body;
use pages::{ActForm, Field, Notice, Passkey, Place, Tone};
use serde_json::json;

use crate::http::authenticate::check_site;
use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::identity::passkeys;
use crate::identity::sign_in::Origin;
use crate::web::identity::account::refused;
use crate::web::identity::factors;
use crate::web::identity::sign_in::{Next, with_cookie};
use crate::web::shared::form::Form;
use crate::web::shared::problem::{bare_problem, bare_problem_with};
use crate::web::shared::response::{ASSETS, base, html, safe_next, see};
use crate::web::shared::sign_in_page::with_next;
use crate::web::shared::view::{Visitor, show};

/// The texts of a page about a ceremony.
struct CeremonyTexts {
    title: &'static str,
    lede: &'static str,
    other_way: &'static str,
    submit: &'static str,
}

const DOOR: CeremonyTexts = CeremonyTexts {
    title: "Sign in with a passkey",
    lede: "Your device asks for your fingerprint, your face or its PIN.",
    other_way: "sign in with your password",
    submit: "Use your passkey",
};

const FRESH: CeremonyTexts = CeremonyTexts {
    title: "Your passkey",
    lede: "A rule requires you to authenticate again. This is valid for 5 minutes.",
    other_way: "enter a code",
    submit: "Use your passkey",
};

const NEW: CeremonyTexts = CeremonyTexts {
    title: "Add a passkey",
    lede: "Your device makes it, and from then on unlocks it by your fingerprint, your face or its PIN.",
    other_way: "add an authenticator with codes",
    submit: "Make it",
};

fn page(words: &CeremonyTexts, begun: &Begun, (action_url, back_url, next): (String, String, &str)) -> Passkey {
    Passkey {
        title: words.title.to_owned(),
        lede: words.lede.to_owned(),
        action_url,
        assets: ASSETS.to_owned(),
        back_url,
        other_way: words.other_way.to_owned(),
        submit_label: words.submit.to_owned(),
        options: begun.options.to_string(),
        is_new: false,
        fields: vec![
            Field::hidden("id", &begun.id),
            Field::hidden("response", ""),
            Field::hidden("next", next),
        ],
        notices: Vec::new(),
    }
}

fn answer_of(form: &Form) -> (String, Vec<u8>) {
    (form.first("id").to_owned(), form.first("response").as_bytes().to_vec())
}

/// The page again with a new challenge, and the reason why the last response did not count.
fn again(mut page: Passkey, failure: Option<&Failure>) -> Response {
    let status = failure.map_or(200, Failure::status);
    let told = failure.map(|it| Notice::new(Tone::Stop, it.problem.detail.clone()));
    page.notices.extend(told);
    html(status, page.render())
}

async fn door_page(state: &AppState, tenant: &str, next: &str, failure: Option<&Failure>) -> Response {
    let begun = match passkeys::begin_sign_in(state, tenant).await {
        Ok(begun) => begun,
        Err(failure) => {
            let door = with_next(format!("{}/sign-in", base(tenant)), next);
            return bare_problem_with(&failure, ActForm::link("Sign in another way", door));
        }
    };
    let back = with_next(format!("{}/sign-in", base(tenant)), next);
    again(
        page(&DOOR, &begun, (format!("{}/passkey", base(tenant)), back, next)),
        failure,
    )
}

/// Requests a passkey at the sign-in.
pub(crate) async fn door(
    State(state): State<AppState>,
    Path(tenant): Path<String>,
    Query(asked): Query<Next>,
) -> Response {
    let next = asked.next.unwrap_or_default();
    door_page(&state, &tenant, safe_next(&next, ""), None).await
}

/// Signs in with a passkey.
pub(crate) async fn enter(
    State(state): State<AppState>,
    Path(tenant): Path<String>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    if let Err(failure) = check_site(&state, &headers) {
        return bare_problem(&failure);
    }
    let origin = Origin::of(&source, &headers);
    let home = format!("{}/", base(&tenant));
    match passkeys::sign_in(&state, &origin, &tenant, answer_of(&form)).await {
        Ok(session) => with_cookie(see(safe_next(form.first("next"), &home)), &session.cookie),
        Err(failure) if failure.status() == 401 => {
            door_page(&state, &tenant, safe_next(form.first("next"), ""), Some(&failure)).await
        }
        Err(failure) => bare_problem(&failure),
    }
}

async fn fresh_page(state: &AppState, visitor: &Visitor, next: &str, failure: Option<&Failure>) -> Response {
    let begun = match passkeys::begin_step_up(state, &visitor.caller).await {
        Ok(begun) => begun,
        Err(failure) => return bare_problem(&failure),
    };
    let at = visitor.base();
    let back = format!("{at}/step-up?next={}", escaped(next));
    again(
        page(&FRESH, &begun, (format!("{at}/passkey/step-up"), back, next)),
        failure,
    )
}

/// Requests a passkey as fresh factor.
pub(crate) async fn ask(State(state): State<AppState>, visitor: Visitor, Query(asked): Query<Next>) -> Response {
    let home = format!("{}/", visitor.base());
    let next = asked.next.unwrap_or_default();
    fresh_page(&state, &visitor, safe_next(&next, &home), None).await
}

/// Takes a passkey as fresh factor and goes back to the act.
pub(crate) async fn step_up(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let home = format!("{}/", visitor.base());
    let next = safe_next(form.first("next"), &home);
    let (id, answer) = answer_of(&form);
    match passkeys::step_up(&state, &visitor.caller, id, answer).await {
        Ok(_) => see(next),
        Err(failure) if failure.status() == 401 => fresh_page(&state, &visitor, next, Some(&failure)).await,
        Err(failure) => bare_problem(&failure),
    }
}

/// Begins to add a passkey to the account.
pub(crate) async fn begin(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let name = form.first("name").trim().to_owned();
    let mut body = body::Body::new();
    if !name.is_empty() {
        body.insert("name".to_owned(), json!(name));
    }
    let begun = match passkeys::begin_adding(&state, &visitor.caller, body).await {
        Ok(begun) => begun,
        Err(failure) => return refused(&state, &visitor, ("/account/passkeys", form), failure).await,
    };
    let account = format!("{}/account", visitor.base());
    let mut asked = page(&NEW, &begun, (format!("{account}/passkeys/confirmation"), account, ""));
    asked.is_new = true;
    html(200, asked.render())
}

/// Keeps a new passkey; shows the recovery codes, once.
pub(crate) async fn confirm(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let (id, answer) = answer_of(&form);
    match passkeys::finish_adding(&state, &visitor.caller, id, answer).await {
        Ok(codes) if codes.is_empty() => see(&format!("{}/account", visitor.base())),
        Ok(codes) => {
            show(&state, &visitor, Place::Account, move |view| {
                Ok(factors::recovery_page(view, &codes))
            })
            .await
        }
        Err(failure) => factors::failed(&state, &visitor, &failure).await,
    }
}
