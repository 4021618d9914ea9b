//! Sessions and second factors on the reader's account.

use std::collections::BTreeMap;

use acts::Room;
use acts::set_second_factor::{self as factors, NewTotp, PASSKEY, RECOVERY};
use axum::extract::{Path, State};
use axum::response::Response;
use pages::{ActForm, ActTone, Fact, Field, Input, Place, RecordPage, Rich, Section, SectionBody};
use serde_json::json;
use store::second_factor::SecondFactor;
use store::session::{self, Session};

use super::back::Back;
use super::form::Form;
use super::view::{View, Visitor, escaped, problem, see, show, show_as, write};
use crate::caller::Credential;
use crate::failure::Failure;
use crate::state::AppState;

/// How many sessions are shown, each with its own way to end it.
const SESSIONS: usize = 20;

/// The sections of the account page, for somebody with a password here or without one.
///
/// # Errors
/// The store's.
pub(super) fn sections(view: &mut View<'_, '_, '_>, has_password: bool) -> acts::Result<Vec<Section>> {
    let found = factors::own_factors(view.room)?;
    let now = view.now();
    let me = view.me.clone();
    let sessions = session::of_person(view.room.tx, me.as_str(), now)?;
    let copied = acts::set_passkey::copied(view.room)?;
    let providers = acts::providers::providers(view.room)?;
    let providers = providers.into_iter().map(|it| (it.key, it.name)).collect();
    Ok(vec![
        factor_section(view, &found, &copied, has_password),
        session_section(view, &sessions, &providers),
    ])
}

fn factor_section(view: &View<'_, '_, '_>, found: &[SecondFactor], copied: &[String], has_password: bool) -> Section {
    let left = found.iter().filter(|it| it.kind == RECOVERY).count();
    let shown: Vec<&SecondFactor> = found
        .iter()
        .filter(|it| it.kind != RECOVERY && it.is_confirmed)
        .collect();
    let mut facts: Vec<Fact> = shown
        .iter()
        .map(|it| {
            let kind = if it.kind == PASSKEY {
                "a passkey"
            } else {
                "an authenticator"
            };
            let used = it.last_used_at.map(|at| view.reader.moment(at));
            let used = used.map_or_else(|| "not used yet".to_owned(), |at| format!("used {at}"));
            let counts_from = factors::counts_from(it);
            let new = format!(
                "it counts where a rule wants a second factor from {}",
                view.reader.moment(counts_from)
            );
            let told = if copied.contains(&it.id) {
                "there may be a copy of it, so it opens nothing; remove it"
            } else if counts_from > view.now() {
                new.as_str()
            } else {
                used.as_str()
            };
            Fact::new(&it.name, format!("{kind}, {told}")).said()
        })
        .collect();
    if !shown.is_empty() {
        facts.push(Fact::new("Recovery codes", format!("{left} left")));
    }
    let body = if facts.is_empty() {
        SectionBody::Words(Rich::from(match has_password {
            true => "None yet. With one, an act of weight asks for it instead of your password.",
            false => "None yet. With one, an act of weight asks for it.",
        }))
    } else {
        SectionBody::Facts(facts)
    };
    let mut section = Section::new("factors", "Second factors", body);
    section.acts.push(
        ActForm::new("totp", "Add an authenticator", view.url("/account/factors"))
            .field(Field::text("name", "What you call it").hint("Such as “Phone”."))
            .submit("Add it"),
    );
    if acts::set_passkey::is_offered(&view.room.services.tools().public_url) {
        section.acts.push(
            ActForm::new("passkey", "Add a passkey", view.url("/account/passkeys"))
                .field(Field::text("name", "What you call it").hint("Such as “Laptop”."))
                .submit("Add it"),
        );
    }
    if !shown.is_empty() {
        let url = view.url("/account/recovery-codes");
        section.acts.push(ActForm::new("codes", "Make new recovery codes", url));
    }
    for it in shown {
        let url = view.url(&format!("/account/factors/{}/removal", escaped(&it.id)));
        let act = ActForm::new(format!("remove-{}", it.id), format!("Remove {}", it.name), url);
        section.acts.push(act.tone(ActTone::Link));
    }
    section
}

/// A browser and its system by name; the beginning of what another program calls itself; `None` where it has no name.
fn agent_words(agent: &str) -> Option<String> {
    // The order matters: most browsers also call themselves by the names of those before them.
    let known = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let first = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(sign, _)| agent.contains(sign))
            .map(|(_, name)| *name)
    };
    match (first(&known), first(&systems)) {
        (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, _) if agent.trim().is_empty() => None,
        (None, _) => Some(super::words::beginning(agent, 60)),
    }
}

/// By what a session was begun: a provider by its name, as far as it is still known.
fn begun_by(session: &Session, providers: &BTreeMap<String, String>) -> Rich {
    let from = format!(", from {}, with ", session.source);
    match session.method.strip_prefix("provider:") {
        Some(key) => {
            let name = providers.get(key).map_or(key, String::as_str);
            Rich::from("by ").said(name).text(from)
        }
        None => Rich::from(format!("by {}{from}", session.method)),
    }
}

fn session_section(view: &View<'_, '_, '_>, found: &[Session], providers: &BTreeMap<String, String>) -> Section {
    let facts = found.iter().take(SESSIONS).map(|it| {
        let began = pages::text::capital(&view.reader.moment(it.created_at));
        let told = begun_by(it, providers);
        Fact::new(
            began,
            match agent_words(&it.agent) {
                Some(agent) => told.said(agent),
                None => told.text("a program without a name"),
            },
        )
    });
    let mut section = Section::new("sessions", "Your sessions", SectionBody::Facts(facts.collect()));
    if found.len() > 1 {
        let url = view.url("/account/sessions/others");
        section.acts.push(ActForm::new("others", "End all others", url));
    }
    section
}

/// What to do about a form of the account that was refused: it comes back filled in, after a fresh factor where one is missing.
pub(super) async fn refused(
    state: &AppState,
    visitor: &Visitor,
    (path, form): (&str, Form),
    failure: Failure,
) -> Response {
    let account = format!("{}/account", visitor.base());
    if failure.problem.code == "step_up_required" {
        let path = format!("{}{path}", visitor.base());
        return super::step_up::hold(state, visitor, (&path, &form), &account).await;
    }
    if !matches!(failure.status(), 409 | 422) {
        return problem(state, visitor, &failure, &account).await;
    }
    super::account::show_back(
        state,
        visitor,
        failure.status(),
        Back::new(state, visitor, path, form, failure),
    )
    .await
}

/// What to do about a failure: a missing factor is asked for, anything else is told.
pub(super) async fn failed(state: &AppState, visitor: &Visitor, failure: &Failure) -> Response {
    let account = format!("{}/account", visitor.base());
    if failure.problem.code == "step_up_required" {
        return see(&format!("{}/step-up?next={}", visitor.base(), escaped(&account)));
    }
    problem(state, visitor, failure, &account).await
}

/// Ends all sessions of the reader but this one.
pub(super) async fn end_others(State(state): State<AppState>, visitor: Visitor) -> Response {
    let Credential::Session { digest, .. } = visitor.caller.credential.clone() else {
        return see(&visitor.base());
    };
    let end = move |room: &mut Room<'_, '_>| {
        let person = room.actor.person.clone();
        Ok(session::delete_others(room.tx, person.as_str(), &digest)?)
    };
    match write(&state, &visitor, end).await {
        Ok(_) => see(&format!("{}/account", visitor.base())),
        Err(failure) => failed(&state, &visitor, &failure).await,
    }
}

/// Makes a TOTP secret and shows it: the answer is the page itself, so the secret stands in no address.
pub(super) async fn begin(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let name = form.first("name").trim().to_owned();
    let make = move |room: &mut Room<'_, '_>| {
        let mut body = model::verbs::Body::new();
        if !name.is_empty() {
            body.insert("name".to_owned(), json!(name));
        }
        factors::begin_totp(room, &body)
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
                    "Type this key into your authenticator, or open the address below it on the device that has it. It is shown this once.",
                )),
            ),
            key,
        ],
        ..RecordPage::default()
    };
    page.render()
}

/// Takes the first code; shows the recovery codes, once.
pub(super) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let (wanted, code) = (id.clone(), form.first("code").to_owned());
    let done = write(&state, &visitor, move |room| {
        factors::confirm_totp(room, &wanted, &code)
    })
    .await;
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

pub(super) fn recovery_page(view: &View<'_, '_, '_>, codes: &[String]) -> String {
    let text = "Keep these where you find them without your device. Each opens once; they are shown this once.";
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
pub(super) async fn renew(State(state): State<AppState>, visitor: Visitor) -> Response {
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
pub(super) async fn remove(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match write(&state, &visitor, move |room| factors::remove_factor(room, &id)).await {
        Ok(()) => see(&format!("{}/account", visitor.base())),
        Err(failure) => failed(&state, &visitor, &failure).await,
    }
}
