//! The reader's own account.

use acts::directory::set_person;
use axum::extract::State;
use axum::response::Response;
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot;
use pages::{ActForm, Fact, Field, Input, Place, RecordPage, Rich, Section, SectionBody};
use store::identity::secrets;

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::identity::other_tenants::{OtherTenant, known_in};
use crate::identity::sign_in;
use crate::web::identity::factor_sections;
use crate::web::notify::preferences;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::Back;
use crate::web::shared::view::{self, View, Visitor, problem, show, show_as, write};
use crate::web::shared::words::plain;
use crate::web::shared::{response, step_up};

/// The account.
pub(crate) async fn show_account(State(state): State<AppState>, visitor: Visitor) -> Response {
    let known = match known_in(&state, &visitor.caller).await {
        Ok(known) => known,
        Err(failure) => return view::problem(&state, &visitor, &failure, "").await,
    };
    let page = move |view: &mut View<'_, '_, '_>| account_page(view, &known, None);
    show(&state, &visitor, Place::Account, page).await
}

/// The account again, with a returned form.
pub(crate) async fn show_back(state: &AppState, visitor: &Visitor, status: u16, back: Back) -> Response {
    let known = match known_in(state, &visitor.caller).await {
        Ok(known) => known,
        Err(failure) => return view::problem(state, visitor, &failure, "").await,
    };
    let page = move |view: &mut View<'_, '_, '_>| account_page(view, &known, Some(&back));
    show_as(state, visitor, Place::Account, status, page).await
}

/// The tenants that know the reader; other tenants need a sign-in of their own.
fn tenants_of(known: &[OtherTenant]) -> Section {
    let fact = |it: &OtherTenant| match it.is_acting {
        true => Fact::new("You act in", Rich::new().said(it.name.as_str())),
        false => Fact::new(
            "You also have an account in",
            Rich::new().said_link(it.name.as_str(), it.door()),
        ),
    };
    let facts = known.iter().map(fact).collect();
    let section = Section::new("tenants", "Your tenants", SectionBody::Facts(facts));
    if known.len() > 1 {
        return section;
    }
    let text = "Other tenants are listed here when you sign in with an identity provider that knows you there as well.";
    section.note(Rich::from(text))
}

fn account_page(view: &mut View<'_, '_, '_>, known: &[OtherTenant], back: Option<&Back>) -> acts::Result<String> {
    let mut sections = vec![
        Section::new("you", "You", SectionBody::Facts(facts_of(view))),
        tenants_of(known),
    ];
    let has_password = secrets::password(view.cx.tx, view.me.as_str())?.is_some();
    sections.extend(factor_sections::sections(view, has_password)?);
    let text = "While you are away you get no reminders, and your delegate is asked instead.";
    let away = Section::new("away", "When you are away", SectionBody::Words(Rich::from(text)));
    sections.push(away.note(Rich::new().link("Set dates and a delegate", view.url("/away"))));
    let person = view.directory.people.get(&view.me);
    let telling = person.and_then(|it| it.telling.clone()).unwrap_or_default();
    let zone = person.map(|it| it.zone.clone()).unwrap_or_default();
    let told = Section::new(
        "telling",
        "Notifications",
        SectionBody::Facts(preferences::facts(&telling, &zone)),
    );
    sections.push(told.note(Rich::new().link("Daily letter, quiet hours", view.url("/telling"))));
    let text = "Tokens for command lines and pipelines act with your rights.";
    let tokens = Section::new("tokens", "Your tokens", SectionBody::Words(Rich::from(text)));
    sections.push(tokens.note(Rich::new().link("Show them", view.url("/tokens"))));
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: view.name(&view.me),
        is_said: true,
        // A person who signs in only through a provider has no password to show before a new one.
        acts: has_password.then(|| password_form(view)).into_iter().collect(),
        sections,
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let of_sections = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(of_sections));
    }
    Ok(page.render())
}

fn password_form(view: &View<'_, '_, '_>) -> ActForm {
    let field = |name: &str, label: &str, token: &'static str| Field {
        autocomplete: Some(token),
        ..Field::new(name, label, Input::Password).required()
    };
    ActForm::new("password", "Set a new password", view.url("/account/password"))
        .field(field("present", "Present password", "current-password"))
        .field(field("password", "New password", "new-password").hint("At least 10 characters."))
        .note("Your other sessions end, and you sign in again.")
        .submit("Set this password")
}

fn facts_of(view: &View<'_, '_, '_>) -> Vec<Fact> {
    let person = view.directory.people.get(&view.me);
    let text = |pick: fn(&snapshot::Person) -> String| person.map(pick).unwrap_or_default();
    let roles = text(|it| {
        it.roles
            .iter()
            .map(|role| plain(role.as_str()))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let groups: Vec<String> = view
        .directory
        .groups_of(&view.me)
        .iter()
        .map(|group| group.0.clone())
        .collect();
    vec![
        Fact::new("Login", Rich::new().said(text(|it| it.login.clone()))),
        Fact::new(
            "Mail address",
            person
                .and_then(|it| it.email.as_deref())
                .map_or_else(|| Rich::from("none"), |it| Rich::new().said(it)),
        ),
        Fact::new("Time zone", text(|it| it.zone.clone())),
        Fact::new("Rights", if roles.is_empty() { "none".to_owned() } else { roles }),
        Fact::new(
            "Groups",
            if groups.is_empty() {
                Rich::from("none")
            } else {
                Rich::new().said(groups.join(", "))
            },
        ),
    ]
}

/// The new password, hashed; on a refusal everything that is wrong with both.
async fn checked_passwords(state: &AppState, visitor: &Visitor, form: &Form) -> Result<String, Failure> {
    let mut errors = Vec::new();
    match sign_in::confirm_password(state, &visitor.caller, form.first("present")).await {
        Err(failure) if failure.status() == 401 => {
            let text = "The present password is not correct.";
            errors.push(FieldError::new("present", "wrong_password", text));
        }
        other => other?,
    }
    match sign_in::hash_password(state, form.first("password")).await {
        Ok(phc) if errors.is_empty() => return Ok(phc),
        Ok(_) => {}
        Err(failure) if failure.status() == 422 => errors.extend(failure.problem.errors.iter().cloned()),
        Err(failure) => return Err(failure),
    }
    Err(acts::Error::from(Refusal::Invalid(errors)).into())
}

/// Sets the reader's own password, after the present one was entered again.
pub(crate) async fn set_password(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let back = format!("{}/account", visitor.base());
    let phc = match checked_passwords(&state, &visitor, &form).await {
        Ok(phc) => phc,
        Err(failure) => return refused(&state, &visitor, ("/account/password", form), failure).await,
    };
    match write(&state, &visitor, move |cx| set_person::change_password(cx, &phc)).await {
        Ok(()) => response::see(&back),
        Err(failure) => view::problem(&state, &visitor, &failure, &back).await,
    }
}

/// The response to a refused form of the account: the form comes back filled in, after a fresh factor where one is missing.
pub(crate) async fn refused(
    state: &AppState,
    visitor: &Visitor,
    (path, form): (&str, Form),
    failure: Failure,
) -> Response {
    let account = format!("{}/account", visitor.base());
    if failure.problem.code == "step_up_required" {
        let path = format!("{}{path}", visitor.base());
        return step_up::hold(state, visitor, (&path, &form), &account).await;
    }
    if !matches!(failure.status(), 409 | 422) {
        return problem(state, visitor, &failure, &account).await;
    }
    show_back(
        state,
        visitor,
        failure.status(),
        Back::new(state, visitor, path, form, failure),
    )
    .await
}
