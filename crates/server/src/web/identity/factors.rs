//! Sessions and second factors on the reader's account.

use acts::Context;
use acts::guard::session_end;
use acts::identity::set_second_factor as factors;
use acts::identity::set_second_factor::NewTotp;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::body;
use pages::{ActForm, Field, Input, Place, RecordPage, Rich, Section, SectionBody};
use serde_json::json;
use store::identity::session;

use crate::http::caller::Credential;
use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::identity::account::refused;
use crate::web::shared::form::Form;
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, problem, show, show_as, write};

/// The response to a failure: a request for a missing factor; any other failure is shown.
pub(crate) async fn failed(state: &AppState, visitor: &Visitor, failure: &Failure) -> Response {
    let account = format!("{}/account", visitor.base());
    if failure.problem.code == "step_up_required" {
        return see(&format!("{}/step-up?next={}", visitor.base(), escaped(&account)));
    }
    problem(state, visitor, failure, &account).await
}

/// Ends all sessions of the reader but this one.
pub(crate) async fn end_others(State(state): State<AppState>, visitor: Visitor) -> Response {
    let Credential::Session { digest, .. } = visitor.caller.credential.clone() else {
        return see(&visitor.base());
    };
    let end = move |cx: &mut Context<'_, '_>| {
        let person = cx.actor.person.clone();
        let ended = session::delete_others(cx.tx, person.as_str(), &digest)?;
        session_end::note_ended(cx, &ended)
    };
    match write(&state, &visitor, end).await {
        Ok(_) => see(&format!("{}/account", visitor.base())),
        Err(failure) => failed(&state, &visitor, &failure).await,
    }
}

/// Makes a TOTP secret and shows it: the response is the page itself, so that no address contains the secret.
pub(crate) async fn begin(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let name = form.first("name").trim().to_owned();
    let make = move |cx: &mut Context<'_, '_>| {
        let mut body = body::Body::new();
        if !name.is_empty() {
            body.insert("name".to_owned(), json!(name));
        }
        factors::begin_totp(cx, &body)
    };
    match write(&state, &visitor, make).await {
        Ok(made) => {
            show(&state, &visitor, Place::Account, move |view| {
                Ok(code_page(view, &made, None))
            })
            .await
        }
        Err(failure) => refused(&state, &visitor, ("/account/factors", form), failure).await,
    }
}

fn code_page(view: &View<'_, '_, '_>, made: &NewTotp, error: Option<&str>) -> String {
    let code = Field {
        autocomplete: Some("one-time-code"),
        error: error.map(str::to_owned),
        ..Field::new("code", "The code it shows", Input::Text).required()
    };
    let grouped: Vec<String> = made
        .secret
        .as_bytes()
        .chunks(4)
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .collect();
    let url = view.url(&format!("/account/factors/{}/confirmation", escaped(&made.id)));
    let mut confirm = ActForm::new("confirm", "Enter its code", url)
        .field(Field::hidden("secret", &made.secret))
        .field(Field::hidden("url", &made.url))
        .field(code)
        .submit("It shows this code");
    confirm.is_open = true;
    let mut key = Section::new(
        "key",
        "The key",
        SectionBody::Code(format!("{}\n\n{}", grouped.join(" "), made.url)),
    );
    key.acts.push(confirm);
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Add an authenticator".to_owned(),
        sections: vec![
            Section::new(
                "how",
                "How",
                SectionBody::Words(Rich::from(
                    "Type this key into your authenticator, or open the address below it on the device that has it. It is \
                     shown only once.",
                )),
            ),
            key,
        ],
        ..RecordPage::default()
    };
    page.render()
}

/// Takes the first code; shows the recovery codes, once.
pub(crate) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let (wanted, code) = (id.clone(), form.first("code").to_owned());
    let done = write(&state, &visitor, move |cx| factors::confirm_totp(cx, &wanted, &code)).await;
    match done {
        Ok(codes) if codes.is_empty() => see(&format!("{}/account", visitor.base())),
        Ok(codes) => {
            show(&state, &visitor, Place::Account, move |view| {
                Ok(recovery_page(view, &codes))
            })
            .await
        }
        Err(failure) if failure.status() == 422 => {
            let made = NewTotp {
                id,
                secret: form.first("secret").to_owned(),
                url: form.first("url").to_owned(),
            };
            let why = failure.problem.errors.first().map(|it| it.text.clone());
            show_as(&state, &visitor, Place::Account, 422, move |view| {
                Ok(code_page(view, &made, why.as_deref()))
            })
            .await
        }
        Err(failure) => failed(&state, &visitor, &failure).await,
    }
}

pub(crate) fn recovery_page(view: &View<'_, '_, '_>, codes: &[String]) -> String {
    let text = "Keep these where you can find them without your device. Each works once; they are shown only once.";
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Your recovery codes".to_owned(),
        sections: vec![
            Section::new("why", "Keep them", SectionBody::Words(Rich::from(text))),
            Section::new("codes", "The codes", SectionBody::Code(codes.join("\n"))),
        ],
        ..RecordPage::default()
    };
    page.render()
}

/// Makes new recovery codes and shows them, once.
pub(crate) async fn renew(State(state): State<AppState>, visitor: Visitor) -> Response {
    match write(&state, &visitor, factors::renew_recovery_codes).await {
        Ok(codes) => {
            show(&state, &visitor, Place::Account, move |view| {
                Ok(recovery_page(view, &codes))
            })
            .await
        }
        Err(failure) => failed(&state, &visitor, &failure).await,
    }
}

/// Removes a second factor.
pub(crate) async fn remove(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match write(&state, &visitor, move |cx| factors::remove_factor(cx, &id)).await {
        Ok(()) => see(&format!("{}/account", visitor.base())),
        Err(failure) => failed(&state, &visitor, &failure).await,
    }
}
