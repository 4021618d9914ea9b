//! People, by administrators.

use acts::directory::review_access::reviews;
use acts::directory::{deactivate_person, set_person};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::Role;
use model::directory::records::Given;
use model::directory::snapshot::Person;
use pages::{ActForm, ActTone, Choice, Field, Input, People, PersonRow, Place, Rich};
use serde_json::json;

use crate::http::failure::Failure;
use crate::http::percent::segment;
use crate::http::state::AppState;
use crate::identity::sign_in::hash_password;
use crate::web::directory::person_page;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::propose_form::{propose_or, with_reason_field};
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, problem, show, write};
use crate::web::shared::words::{self, capital};

fn role_choices() -> Input {
    Input::Many(
        Role::ALL
            .iter()
            .map(|role| Choice::new(role.as_str(), capital(role.as_str())))
            .collect(),
    )
}

/// The list of people.
pub(crate) async fn show_people(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::People, move |view| {
        people_page(view, &words, None)
    })
    .await
}

fn people_page(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let may_set = view.may(actions::SET_PERSON);
    let has_reviews = may_set || view.may(actions::AUDIT) || !reviews(view.cx, 1)?.is_empty();
    let mut found: Vec<&Person> = view.directory.people.values().collect();
    found.sort_by_cached_key(|person| (!person.active, person.name.to_lowercase()));
    let (shown, told) = words.narrow(found.into_iter(), |person| {
        vec![person.login.as_str(), person.name.as_str()]
    });
    let rows = shown.into_iter().map(|person| person_row(view, person, may_set));
    let mut page = People {
        frame: view.frame.clone(),
        rows: rows.collect(),
        ..People::default()
    };
    words.put(&mut page, view.url("/people"), &told, (Vec::new(), &[]));
    if has_reviews {
        let url = view.url("/access-reviews");
        page.acts
            .push(ActForm::link("Access reviews", url).tone(ActTone::Quiet));
    }
    if may_set {
        page.acts.push(person_form(view));
    }
    if let Some(back) = back {
        let acts = page
            .acts
            .iter_mut()
            .chain(page.rows.iter_mut().flat_map(|row| row.acts.iter_mut()));
        back.put(view, &mut page.frame, acts);
    }
    Ok(page.render())
}

fn person_row(view: &View<'_, '_, '_>, person: &Person, may_set: bool) -> PersonRow {
    let groups = view.directory.groups_of(&person.id);
    let roles = person.roles.iter().map(|role| words::plain(role.as_str()));
    let roles: Vec<String> = roles
        .chain(groups.iter().map(|group| format!("group {group}")))
        .collect();
    PersonRow {
        told: person_notes(view, person),
        login: person.login.clone(),
        href: view.named(&person.id).href,
        name: person.shown_name(),
        roles: roles.join(", "),
        team: String::new(),
        is_active: person.active,
        last_seen: String::new(),
        acts: if may_set { person_acts(view, person) } else { Vec::new() },
    }
}

/// The person responsible for somebody, the refusals, and the expiry of rights that a provider gives.
fn person_notes(view: &View<'_, '_, '_>, person: &Person) -> Rich {
    let mut lines = Vec::new();
    if let Some(manager) = view.directory.manager_of(person) {
        lines.push(Rich::from("Reports to ").append(view.person(&manager.id)));
    }
    for refusal in &person.refused_rights {
        let what = match refusal.kind {
            Given::Role => words::plain(&refusal.what),
            Given::Group => format!("group {}", refusal.what),
        };
        let on = view.reader.day(refusal.at);
        let line = Rich::from("Refused by ").append(view.person(&refusal.by));
        lines.push(line.text(format!(" on {on}: ")).said(what));
    }
    for vouched in person.vouched.iter().filter(|it| !it.is_empty()) {
        let until = view.reader.day(vouched.until);
        let line = Rich::from("What ").said(vouched.provider.as_str());
        lines.push(line.text(format!(" gives lasts until {until}")));
    }
    let mut told = Rich::new();
    for (place, line) in lines.into_iter().enumerate() {
        told = if place == 0 { line } else { told.line().append(line) };
    }
    told
}

fn person_acts(view: &View<'_, '_, '_>, person: &Person) -> Vec<ActForm> {
    let url = |act: &str| view.url(&format!("/people/{}/{act}", segment(&person.login)));
    let mut roles = Field::new("roles", "Rights", role_choices());
    roles.chosen = person.roles.iter().map(|role| role.as_str().to_owned()).collect();
    let mut acts = Vec::new();
    if person.id != view.me {
        let form = ActForm::new("roles", "Rights", url("roles"))
            .tone(ActTone::Link)
            .field(roles);
        acts.push(with_reason_field(view, form).submit("Keep these rights"));
    }
    if person.id != view.me {
        let manager = person.manager.as_ref().map(|id| view.directory.login(id));
        let field = crate::web::shared::fields::pick_field(view, "people", "manager", "Login of their manager")
            .value(manager.unwrap_or_default());
        acts.push(
            ActForm::new("manager", "Manager", url("manager"))
                .tone(ActTone::Link)
                .field(field.hint("Empty for the manager from the directory, if any."))
                .note("In each access review, managers check the rights of their people.")
                .submit("Keep this manager"),
        );
    }
    let password = Field {
        autocomplete: Some("new-password"),
        ..Field::new("password", "New password", Input::Password)
    };
    let password = password.hint("At least 10 characters. Their sessions end.").required();
    acts.push(
        ActForm::new("password", "New password", url("password"))
            .tone(ActTone::Link)
            .field(password)
            .submit("Set it"),
    );
    if person.id != view.me {
        acts.push(if person.active {
            deactivation(url("deactivation"))
        } else {
            with_reason_field(
                view,
                ActForm::new("activation", "Activate", url("activation")).tone(ActTone::Link),
            )
        });
    }
    acts
}

fn deactivation(url: String) -> ActForm {
    let compromised = Field::new("compromised", "The account is compromised", Input::Checkbox)
        .hint("Then their decisions become void, and permits based on them are revoked at once.");
    ActForm::new("deactivation", "Deactivate", url)
        .tone(ActTone::Link)
        .field(compromised)
        .field(Field::text("reason", "Why"))
        .note("Their sessions and tokens end. Decisions that were valid when made remain valid.")
        .submit("Deactivate")
}

fn person_form(view: &View<'_, '_, '_>) -> ActForm {
    let form = ActForm::new("person", "Add a person", view.url("/people"))
        .field(Field::text("login", "Login").required().half())
        .field(Field::text("name", "Name").required().half())
        .field(Field::new("email", "Mail address", Input::Email).half())
        .field(Field::text("zone", "Time zone").hint("Such as Europe/Oslo.").half())
        .field(crate::web::shared::fields::pick_field(view, "people", "manager", "Login of their manager").half())
        .field(Field::new("roles", "Rights", role_choices()));
    with_reason_field(view, form).submit("Add this person")
}

/// Adds a person.
pub(crate) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/people".to_owned();
    let sent = Sent {
        form,
        boxes: &[],
        path: path.clone(),
        then: path,
        place: Place::People,
        done: "",
    };
    send(
        &state,
        &visitor,
        sent,
        |cx, body| propose_or(cx, ("people", body.clone()), set_person::create_person),
        |view, back| people_page(view, &ListQuery::default(), back),
    )
    .await
}

/// Changes a person's rights, manager, password or activity.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, login, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let body = match act.as_str() {
        "roles" => json!({"roles": form.all("roles")}),
        "manager" => json!({"manager": form.first("manager").trim()}),
        "activation" => json!({"active": true}),
        "deactivation" => return deactivate(&state, &visitor, login, form).await,
        "suspension" => return person_page::decide(&state, &visitor, login, form).await,
        "password" => return set_password(&state, &visitor, &login, form.first("password"), "/people").await,
        _ => {
            let failure = Failure::new(404, "not_found", "There is no such act.");
            return problem(&state, &visitor, &failure, &format!("{}/people", visitor.base())).await;
        }
    };
    let mut body: Body = body.as_object().cloned().unwrap_or_default();
    let reason = form.first("reason").trim();
    if !reason.is_empty() {
        body.insert("login".to_owned(), json!(login));
        body.insert("reason".to_owned(), json!(reason));
    }
    let path = format!("/people/{}/{act}", segment(&login));
    let sent = Sent {
        form,
        boxes: &[],
        path,
        then: "/people".to_owned(),
        place: Place::People,
        done: "",
    };
    let words = ListQuery::of(&login);
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| {
        propose_or(cx, ("people", body.clone()), |cx, body| {
            set_person::edit_person(cx, &login, body)
        })
    };
    send(&state, &visitor, sent, run, move |view, back| {
        people_page(view, &words, back)
    })
    .await
}

async fn deactivate(state: &AppState, visitor: &Visitor, login: String, form: Form) -> Response {
    let sent = Sent {
        form,
        boxes: &[],
        path: format!("/people/{}/deactivation", segment(&login)),
        then: "/people".to_owned(),
        place: Place::People,
        done: "",
    };
    let words = ListQuery::of(&login);
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        deactivate_person::deactivate_person(cx, &login, body).map(drop)
    };
    send(state, visitor, sent, run, move |view, back| {
        people_page(view, &words, back)
    })
    .await
}

/// Sets a password; the new one is hashed before the act begins.
pub(crate) async fn set_password(
    state: &AppState,
    visitor: &Visitor,
    login: &str,
    password: &str,
    then: &str,
) -> Response {
    let then = format!("{}{then}", visitor.base());
    let phc = match hash_password(state, password).await {
        Ok(phc) => phc,
        Err(failure) => return problem(state, visitor, &failure, &then).await,
    };
    let login = login.to_owned();
    match write(state, visitor, move |cx| set_person::set_password(cx, &login, &phc)).await {
        Ok(()) => see(&then),
        Err(failure) => problem(state, visitor, &failure, &then).await,
    }
}
