//! The fresh factor on a page: the second factor of a reader who has one, else the password again.

use acts::identity::set_second_factor as factors;
use axum::extract::{Query, State};
use axum::response::Response;
use pages::{ActForm, Field, Input, StepUp};
use store::{Lane, Mode};

use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::identity::passkeys;
use crate::identity::providers::ways_in;
use crate::identity::sign_in::{self, Shown};
use crate::web::shared::form::Form;
use crate::web::shared::problem::{bare_problem, failed_html};
use crate::web::shared::response::{ASSETS, html, safe_next, see};
use crate::web::shared::resumed_form;
use crate::web::shared::view::{self, Visitor};

/// The query parameter behind `next` where a rule requires a second factor.
pub(crate) const SECOND: &str = "&wants=second_factor";

/// The requirements of an act for its caller.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Wants {
    next: Option<String>,
    wants: Option<String>,
}

impl Wants {
    fn wants_second(&self) -> bool {
        self.wants.as_deref() == Some("second_factor")
    }
}

/// The reason for the request, and the obstacle for a reader without a factor that counts.
fn why(wants_second: bool, own: &Own) -> String {
    let text = match (wants_second, own.is_enrolled, &own.counts_from) {
        (false, ..) => "A rule requires you to authenticate again. This is valid for 5 minutes.",
        (true, false, _) => {
            "A rule requires a second factor here, and you have none. Set one up: it is accepted a day later, so that a person \
             who only knows your password cannot act in your name."
        }
        (true, true, None) => {
            "A rule requires a second factor here: your authenticator app, your passkey or a recovery code. This is valid for \
             5 minutes."
        }
        (true, true, Some(at)) => {
            return format!(
                "A rule requires a second factor here. Yours was set up by your password alone and is accepted from {at}."
            );
        }
    };
    text.to_owned()
}

/// The reader's factors.
struct Own {
    person: String,
    is_enrolled: bool,
    /// The time from which the first of their second factors counts, where none counts yet.
    counts_from: Option<String>,
}

fn own(cx: &mut acts::Context<'_, '_>) -> acts::Result<Own> {
    let person = cx.actor.person.clone();
    let found = factors::own_factors(cx)?;
    let directory = cx.directory()?;
    let reader = view::reader_of(cx, &directory);
    let confirmed = found.iter().filter(|it| it.is_confirmed);
    let first = confirmed
        .filter_map(|it| it.counts_from)
        .min()
        .filter(|at| *at > cx.now);
    Ok(Own {
        person: directory.name(&person),
        is_enrolled: factors::is_enrolled(&found),
        counts_from: first.map(|at| reader.moment(at)),
    })
}

async fn page(state: &AppState, visitor: &Visitor, wants: &Wants, error: Option<String>) -> Result<StepUp, Failure> {
    let found = state.act(Lane::Pages, &visitor.caller, Mode::Read, own).await?;
    let (is_enrolled, wants_second) = (found.is_enrolled, wants.wants_second());
    let next = wants.next.as_deref().unwrap_or_default();
    let home = format!("{}/", visitor.base());
    let next = safe_next(next, &home);
    let passkey_url = if passkeys::has_passkey(state, &visitor.caller).await? {
        format!("{}/passkey/step-up?next={}", visitor.base(), escaped(next))
    } else {
        String::new()
    };
    let mut fields = vec![Field::hidden("next", next)];
    if wants_second {
        fields.push(Field::hidden("wants", "second_factor"));
    }
    if is_enrolled {
        fields.push(code_field(error.clone()));
    }
    Ok(StepUp {
        why: why(wants_second, &found),
        person: found.person,
        purpose: "For a sensitive action".to_owned(),
        action_url: format!("{}/step-up", visitor.base()),
        assets: ASSETS.to_owned(),
        back_url: next.to_owned(),
        asks_password: !is_enrolled && !wants_second,
        setup_url: match wants_second && !is_enrolled {
            true => format!("{}/account#factors", visitor.base()),
            false => String::new(),
        },
        other_ways: if is_enrolled {
            Vec::new()
        } else {
            ways(state, visitor, next).await
        },
        error: error.filter(|_| !is_enrolled),
        fields,
        passkey_url,
    })
}

/// Providers at which the reader may authenticate anew.
async fn ways(state: &AppState, visitor: &Visitor, next: &str) -> Vec<ActForm> {
    let found = ways_in(state, &visitor.caller.tenant).await.into_iter();
    found
        .map(|(key, name)| {
            let url = format!("{}/step-up/{key}?next={}", visitor.base(), escaped(next));
            ActForm::new(&key, format!("Sign in anew with {name}"), url)
        })
        .collect()
}

fn code_field(error: Option<String>) -> Field {
    let field = Field {
        autocomplete: Some("one-time-code"),
        error,
        ..Field::new("code", "Code of your authenticator", Input::Text)
    };
    field
        .hint("Six digits. A recovery code works here too, once.")
        .required()
}

/// Requests a fresh factor for a form that was sent without one: the form is neither performed nor lost, but comes back for
/// sending again.
pub(crate) async fn hold(state: &AppState, visitor: &Visitor, (path, form): (&str, &Form), next: &str) -> Response {
    let asked = Wants {
        next: Some(next.to_owned()),
        wants: None,
    };
    match page(state, visitor, &asked, None).await {
        Ok(mut page) => {
            page.fields.extend(resumed_form::fields(path, form));
            html(403, page.render())
        }
        Err(failure) => bare_problem(&failure),
    }
}

/// Requests a fresh factor.
pub(crate) async fn form(State(state): State<AppState>, visitor: Visitor, Query(asked): Query<Wants>) -> Response {
    match page(&state, &visitor, &asked, None).await {
        Ok(page) => html(200, page.render()),
        Err(failure) => bare_problem(&failure),
    }
}

/// The type of the entered code: digits are an authenticator's, any other code is a recovery code.
fn shown(form: &Form) -> Shown {
    let code = form.first("code").trim();
    if code.is_empty() {
        return Shown::Password(form.first("password").to_owned());
    }
    let is_plain = code.chars().all(|it| it.is_ascii_digit() || it.is_whitespace());
    if is_plain {
        Shown::Code(code.to_owned())
    } else {
        Shown::Recovery(code.to_owned())
    }
}

/// Why a factor was not taken, and what helps where the refusal says it.
fn describe(failure: &Failure) -> String {
    let problem = &failure.problem;
    match problem.unmet.first() {
        Some(row) => format!("{} {}", problem.detail, row.satisfy),
        None => problem.detail.clone(),
    }
}

/// Takes a fresh factor and goes back to the act.
pub(crate) async fn go(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let home = format!("{}/", visitor.base());
    let next = safe_next(form.first("next"), &home);
    let Err(failure) = sign_in::step_up(&state, &visitor.caller, shown(&form)).await else {
        let kept = resumed_form::given_back(&visitor.caller.tenant, &form);
        return kept.unwrap_or_else(|| see(next));
    };
    let asked = Wants {
        next: Some(next.to_owned()),
        wants: Some(form.first("wants").to_owned()),
    };
    match page(&state, &visitor, &asked, Some(describe(&failure))).await {
        Ok(mut page) => {
            page.fields.extend(resumed_form::carried(&form));
            failed_html(&failure, page.render())
        }
        Err(failure) => bare_problem(&failure),
    }
}
