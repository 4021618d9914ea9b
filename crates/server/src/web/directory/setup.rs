//! Setting Assent up, step by step: people, services, owners, rules, the first connection and the first gated pipeline.

use acts::Context;
use acts::core::connections;
use acts::directory::invite_people::{self, Invitation, read_invitations};
use acts::directory::{set_person, set_service};
use acts::identity::set_token;
use acts::integration::edit_connection;
use acts::policy::propose_configuration;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::refusal::Refusal;
use model::directory::two_people;
use pages::{ActForm, ActTone, Choice, Entry, Fact, Field, Input, Place, RecordPage, Rich, Section, SectionBody, Tone};
use serde_json::{Value, json};

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::identity::sign_in::hash_password;
use crate::web::directory::setup_steps::{SetupState, Step, repository_of, sentences};
use crate::web::identity::welcome;
use crate::web::integration::connections::{KINDS, connect};
use crate::web::shared::fields::{key_field, pick_field};
use crate::web::shared::form::{Form, lines};
use crate::web::shared::form_page::{Back, Made, Sent, send, send_made, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show, show_as};
use crate::web::shared::words::capital;

/// The most people named among those that a proposal waits for.
const NAMED: usize = 5;
/// The login of the account that the first pipeline acts as.
const PIPELINE: &str = "pipeline";
/// The most services that are typed at once.
const MOST_SERVICES: usize = 100;

/// The page.
pub(crate) async fn show_setup(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Setup, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    let standing = SetupState::of(view)?;
    let current = standing.current();
    let mut sections = Vec::new();
    for step in Step::ALL {
        let mut section = section(view, &standing, step);
        let is_next = standing.to_fill() == Some(step);
        let note = match (standing.is_done(step), is_next) {
            (true, _) => "done",
            (false, true) => "current step",
            (false, false) if step == Step::Rules && standing.has_proposal => "waits for another administrator",
            (false, false) => "open",
        };
        section.note = Rich::from(note);
        if is_next && let Some(form) = section.acts.first_mut() {
            form.is_open = true;
        }
        sections.push(section);
    }
    let done = Step::ALL.iter().filter(|step| standing.is_done(**step)).count();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Set up Assent".to_owned(),
        byline: match current {
            Some(_) => {
                Rich::from("Six steps to the first gated pipeline. Each is saved when it is done, in any order.")
            }
            None => Rich::from("Every step is done. A pipeline asks the gate, and its answer is on record."),
        },
        facts: vec![Fact::new("Steps done", format!("{done} of {}", Step::ALL.len()))],
        sections,
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let acts = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, acts);
    }
    Ok(page.render())
}

fn section(view: &View<'_, '_, '_>, standing: &SetupState, step: Step) -> Section {
    let (words, acts) = match step {
        Step::People => (
            people_text(standing),
            vec![
                people_form(view),
                ActForm::link("All people", view.url("/people")).tone(ActTone::Quiet),
            ],
        ),
        Step::Services => (services_text(standing), services_acts(view, standing)),
        Step::Owners => (
            Rich::from(format!(
                "Services with an owner: {} of {}.",
                standing.owned, standing.services
            )),
            vec![
                owner_act(view),
                ActForm::link("All owners", view.url("/ownership")).tone(ActTone::Quiet),
            ],
        ),
        Step::Rules => return rules_section(view, standing),
        Step::Connection => return connection_section(view, standing),
        Step::Gate => return gate_section(view, standing),
    };
    Section::new(step.id(), step.title(), SectionBody::Words(words)).acts(acts)
}

fn people_text(standing: &SetupState) -> Rich {
    let known = Rich::from(format!("People who can sign in: {}.", standing.people));
    match standing.second.is_empty() && !standing.has_rules {
        true => known
            .line()
            .text("Add a second administrator as well: one proposes rules, another one puts them in force."),
        false => known,
    }
}

fn people_form(view: &View<'_, '_, '_>) -> ActForm {
    let roles = Role::ALL
        .iter()
        .map(|role| Choice::new(role.as_str(), capital(role.as_str())));
    ActForm::new("invite", "Add people", view.url("/setup/people"))
        .field(idempotent_form::field(view))
        .field(
            Field::textarea("people", "One person a line")
                .hint("Such as: Hanne Brandt <hanne@halden.example>, owner. At most 20 at once.")
                .required(),
        )
        .field(
            Field::new("roles", "Rights", Input::Many(roles.collect()))
                .hint("For all of them, in addition to the rights after an address."),
        )
        .note("Each gets a link that works once, to choose a password. The links are shown once: send each to its person.")
        .submit("Add them")
}

fn services_text(standing: &SetupState) -> Rich {
    let known = Rich::from(format!("Services: {}.", standing.services));
    match standing.strangers.is_empty() {
        true => known.line().text(
            "Type them, import a file with “assent import”, or take them from the first delivery of a connection.",
        ),
        false => known
            .line()
            .text("Deliveries named repositories that are not mapped here: they are listed below."),
    }
}

fn services_acts(view: &View<'_, '_, '_>, standing: &SetupState) -> Vec<ActForm> {
    let typed = ActForm::new("services", "Add services", view.url("/setup/services"))
        .field(idempotent_form::field(view))
        .field(
            Field::textarea("services", "One service a line")
                .hint("Its key, then its name and its team where they matter: booking-api, Booking API, Port systems")
                .required(),
        )
        .submit("Add these services");
    let mut acts = vec![typed];
    if let Some(repository) = standing.strangers.iter().find_map(|text| repository_of(text)) {
        acts.push(from_delivery(view, standing, repository));
    }
    acts.push(ActForm::link("All services", view.url("/services")).tone(ActTone::Quiet));
    acts
}

fn from_delivery(view: &View<'_, '_, '_>, standing: &SetupState, repository: &str) -> ActForm {
    let key = repository.rsplit('/').next().unwrap_or_default().to_lowercase();
    let connections = standing.connections.iter();
    let connections = connections.map(|(id, name, _, _)| Choice::said(id.as_str(), name.as_str()));
    let places = view.directory.environments.keys();
    let places = places.map(|place| Choice::said(place.0.as_str(), place.0.as_str()));
    ActForm::new(
        "repository",
        "Take a service from a delivery",
        view.url("/setup/repository"),
    )
    .field(idempotent_form::field(view))
    .field(Field::new("connection", "Connection", Input::Select(connections.collect())).required())
    .field(
        Field::text("repository", "Repository")
            .value(repository)
            .required()
            .half(),
    )
    .field(Field::text("key", "Key of the service").value(key).required().half())
    .field(
        Field::text("theirs", "Their environment")
            .value("production")
            .required()
            .half(),
    )
    .field(
        Field::new("ours", "Our environment", Input::Select(places.collect()))
            .required()
            .half(),
    )
    .submit("Add this service")
}

fn owner_act(view: &View<'_, '_, '_>) -> ActForm {
    if two_people::is_by_two(&view.directory, view.now()) {
        return ActForm::link("Propose an owner", view.url("/ownership"));
    }
    let services = view.directory.services.keys().map(|key| key.0.clone());
    ActForm::new("owner", "Assign an owner", view.url("/setup/owner"))
        .field(idempotent_form::field(view))
        .field(Field::hidden("role", "owner"))
        .field(key_field(
            view,
            ("services", "Every service"),
            ("service", "Service"),
            services,
        ))
        .field(pick_field(view, "people", "person", "Person").half())
        .field(pick_field(view, "groups", "group", "Or a group").half())
        .note("An owner approves the changes of a service. You cannot assign yourself.")
        .submit("Assign this owner")
}

fn rules_section(view: &View<'_, '_, '_>, standing: &SetupState) -> Section {
    let in_force: Vec<String> = view.policies.sources().map(|source| source.text.clone()).collect();
    let in_force: Vec<&str> = in_force.iter().map(String::as_str).collect();
    let told = sentences(&in_force);
    let entries = told.into_iter().map(|text| Entry::new(Tone::Plain, text));
    let mut acts = Vec::new();
    if view.may(actions::SET_POLICY) && !standing.has_proposal {
        acts.push(pack_form(view));
    }
    let named = standing.second.iter().take(NAMED).map(String::as_str);
    let named: Vec<&str> = named.collect();
    let words = match (standing.has_proposal, standing.has_rules) {
        (true, _) if named.is_empty() => {
            "A pack is proposed, and nobody else may put it in force yet: add a second administrator in the first step."
                .to_owned()
        }
        (true, _) => format!(
            "A pack is proposed. On the page Policies it is put in force by one of these: {}.",
            named.join(", ")
        ),
        (false, true) => "These rules are in force.".to_owned(),
        (false, false) => {
            "The basic rules are in force. A pack adds to them; nothing is blocked until a pipeline asks the gate."
                .to_owned()
        }
    };
    acts.push(ActForm::link("Policies, with their text", view.url("/policies")).tone(ActTone::Quiet));
    Section::new(
        Step::Rules.id(),
        Step::Rules.title(),
        SectionBody::Folded("The rules in sentences", entries.collect()),
    )
    .lede(words)
    .acts(acts)
}

fn pack_form(view: &View<'_, '_, '_>) -> ActForm {
    let choices = policy::packs().into_iter().map(|pack| {
        let texts: Vec<&str> = pack.files.iter().map(|file| file.text.as_str()).collect();
        let told = sentences(&texts);
        Choice {
            hint: Some(format!("{} {}", pack.about, told.join(" "))),
            ..Choice::said(pack.name, pack.name)
        }
    });
    ActForm::new("pack", "Choose a policy pack", view.url("/setup/rules"))
        .field(idempotent_form::field(view))
        .field(Field::new("packs", "Pack", Input::Radio(choices.collect())).required())
        .field(Field::text("reason", "Why").required())
        .note("It is a proposal: another administrator puts it in force.")
        .submit("Propose this pack")
}

fn connection_section(view: &View<'_, '_, '_>, standing: &SetupState) -> Section {
    let entries = standing.connections.iter().map(|(id, name, kind, has_delivered)| {
        let url = view.url(&format!("/connections/{id}/guide"));
        let (tone, state) = match has_delivered {
            true => (Tone::Ok, "The first delivery arrived."),
            false => (Tone::Wait, "Waiting for the first delivery."),
        };
        let kind = crate::web::integration::connections::kind_label(kind);
        Entry::new(tone, Rich::new().said_link(name.as_str(), url)).why(Rich::from(kind).line().text(state))
    });
    let form = ActForm::new("connect", "Connect a system", view.url("/setup/connection"))
        .field(idempotent_form::field(view))
        .field(Field::select("kind", "Kind", &KINDS).required().half())
        .field(
            Field::text("name", "Name")
                .hint("For people: “GitHub of Logistics”.")
                .required()
                .half(),
        )
        .note("The next page guides you through the settings of the other system.")
        .submit("Connect it");
    Section::new(
        Step::Connection.id(),
        Step::Connection.title(),
        SectionBody::Entries(entries.collect()),
    )
    .unsaid("Deployments, tests and reviews arrive automatically from a connected system.")
    .acts(vec![form])
}

fn gate_section(view: &View<'_, '_, '_>, standing: &SetupState) -> Section {
    if standing.was_asked {
        let words = Rich::from("A pipeline asked the gate. ")
            .link("Its answers", view.url("/gate-checks"))
            .text(".");
        return Section::new(Step::Gate.id(), Step::Gate.title(), SectionBody::Words(words));
    }
    let service = view
        .directory
        .services
        .keys()
        .next()
        .map_or("SERVICE", |key| key.0.as_str());
    let production = view.directory.environments.values().find(|place| place.is_production);
    let place = production.map_or("production", |place| place.key.0.as_str());
    let url = &view.cx.services.tools().public_url;
    let text = format!(
        "export ASSENT_SERVER={url}\nexport ASSENT_TOKEN=…\nassent gate check --service {service} --environment {place} --artifact \"$ARTIFACT\" --wait 30m"
    );
    let account = view.directory.by_login(PIPELINE);
    let may_act = match account {
        Some(account) => view.directory.has_role(&account.id, Role::Pipeline),
        None => !two_people::is_by_two(&view.directory, view.now()),
    };
    let label = "Create a token for the pipeline";
    let token = match may_act {
        true => ActForm::new("token", label, view.url("/setup/token")).field(idempotent_form::field(view)),
        false => ActForm::link(label, view.url("/tokens")),
    };
    Section::new(Step::Gate.id(), Step::Gate.title(), SectionBody::Code(text))
        .lede("Three lines before the deployment in one pipeline. The token needs the scope gate. This step is done once the gate was asked.")
        .acts(vec![token])
}

/// Adds people, each with a link that works once.
async fn add_people(state: &AppState, visitor: &Visitor, form: Form) -> Response {
    let sent = to("people", form);
    let prepared = match prepare(state, &sent.form).await {
        Ok(prepared) => prepared,
        Err(failure) => return refused(state, visitor, sent, failure).await,
    };
    let roles = sent.form.all("roles");
    let run = move |cx: &mut Context<'_, '_>, _: &Body| {
        let people: Vec<(Invitation, String)> = prepared
            .iter()
            .map(|it| (it.invitation.clone(), it.phc.clone()))
            .collect();
        let made = invite_people::invite_people(cx, &people, &roles)?;
        let (url, tenant) = (cx.services.tools().public_url.clone(), cx.tenant());
        let links = made.iter().zip(&prepared);
        let shown = links.map(|(person, it)| {
            (
                person.name.clone(),
                welcome::address(&url, &tenant, &person.login, &it.key),
            )
        });
        Ok(Made {
            title: format!("People added: {}", made.len()),
            text: "Copy the links now: they cannot be shown again. Each works until its person has chosen a password."
                .to_owned(),
            shown: shown.collect(),
        })
    };
    send_made(state, visitor, sent, run, page).await
}

/// Somebody to be made, with the key of their link and its hash.
#[derive(Debug, Clone)]
struct Prepared {
    invitation: Invitation,
    key: String,
    phc: String,
}

/// Reads the people and makes their keys; hashed here, outside of any transaction.
async fn prepare(state: &AppState, form: &Form) -> Result<Vec<Prepared>, Failure> {
    let mut prepared = Vec::new();
    for invitation in read_invitations(form.first("people"))? {
        let key = welcome::new_key(state)?;
        let phc = hash_password(state, &key).await?;
        prepared.push(Prepared { invitation, key, phc });
    }
    Ok(prepared)
}

async fn refused(state: &AppState, visitor: &Visitor, sent: Sent, failure: Failure) -> Response {
    let status = failure.status();
    let back = Back::new(state, visitor, &sent.path, sent.form, failure);
    show_as(state, visitor, Place::Setup, status, move |view| {
        page(view, Some(&back))
    })
    .await
}

fn to(step: &str, form: Form) -> Sent {
    sent(form, format!("/setup/{step}"), "/setup".to_owned(), Place::Setup)
}

/// Performs the act of a step.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, step)): Path<(String, String)>,
    form: Form,
) -> Response {
    if step == "people" {
        return add_people(&state, &visitor, form).await;
    }
    let sent = to(&step, form);
    if step == "connection" {
        return send_made(&state, &visitor, sent, connect, |view, back| match back {
            Some(back) => page(view, Some(back)),
            None => crate::web::integration::connection_guide::newest(view),
        })
        .await;
    }
    if step == "token" {
        return send_made(&state, &visitor, sent, make_token, page).await;
    }
    let typed = sent.form.clone();
    let run = move |cx: &mut Context<'_, '_>, body: &Body| match step.as_str() {
        "services" => add_services(cx, typed.first("services")),
        "repository" => add_repository(cx, body),
        "owner" => set_service::set_ownership(cx, body).map(drop),
        "rules" => propose_pack(cx, typed.first("packs"), typed.first("reason")),
        _ => Err(Refusal::not_found("step of the set-up").into()),
    };
    send(&state, &visitor, sent, run, page).await
}

/// Makes a token for the first pipeline, which acts as an account of its own.
fn make_token(cx: &mut Context<'_, '_>, _: &Body) -> acts::Result<Made> {
    let directory = cx.directory()?;
    match directory.by_login(PIPELINE) {
        Some(account) if directory.has_role(&account.id, Role::Pipeline) => {}
        Some(_) => return Err(Refusal::not_found("step of the set-up").into()),
        None => {
            let account = json!({"login": PIPELINE, "name": "Pipeline", "roles": [Role::Pipeline.as_str()]});
            set_person::create_person(cx, account.as_object().unwrap_or(&Body::new()))?;
        }
    }
    let token = json!({"name": "The first pipeline", "person": PIPELINE, "scopes": ["read", "write", "gate"]});
    let (token, secret) = set_token::create_token(cx, token.as_object().unwrap_or(&Body::new()))?;
    Ok(Made {
        title: format!("{} is made", token.name),
        text: "Copy it now: it is not kept and cannot be shown again.".to_owned(),
        shown: vec![("ASSENT_TOKEN".to_owned(), secret)],
    })
}

fn add_services(cx: &mut Context<'_, '_>, text: &str) -> acts::Result<()> {
    let rows: Vec<&str> = lines(text).map(str::trim).filter(|line| !line.is_empty()).collect();
    if rows.is_empty() || rows.len() > MOST_SERVICES {
        let text = format!("Name from one to {MOST_SERVICES} services, one a line.");
        return Err(Refusal::field("services", "out_of_range", text).into());
    }
    for row in rows {
        let mut parts = row.split([',', ';', '\t']).map(str::trim);
        let mut body = Body::new();
        for name in ["key", "name", "team"] {
            if let Some(value) = parts.next().filter(|it| !it.is_empty()) {
                body.insert(name.to_owned(), json!(value));
            }
        }
        set_service::set_service(cx, &body).map_err(|error| of_row("services", row, error))?;
    }
    Ok(())
}

/// The same refusal about the field of the page, with the row that it is about.
fn of_row(field: &str, row: &str, error: acts::Error) -> acts::Error {
    let acts::Error::Refused(refusal @ Refusal::Invalid(_)) = error else {
        return error;
    };
    Refusal::field(field, "unreadable", format!("`{row}`: {}", refusal.text())).into()
}

/// Makes the service of a repository, and maps the repository to it.
fn add_repository(cx: &mut Context<'_, '_>, body: &Body) -> acts::Result<()> {
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let service = json!({"key": text("key")});
    set_service::set_service(cx, service.as_object().unwrap_or(&Body::new()))?;
    let id = text("connection");
    let connection = connections::connection(cx, &id)?;
    let mut map = serde_json::to_value(&connection.map)?;
    model::core::typed::flatten(&mut map);
    let row = json!({
        "repository": text("repository"), "service": text("key"), "environments": {text("theirs"): text("ours")},
    });
    if let Some(rows) = map.as_array_mut() {
        rows.push(row);
    }
    let patch = json!({"map": map});
    edit_connection::edit_connection(cx, &id, patch.as_object().unwrap_or(&Body::new())).map(drop)
}

fn propose_pack(cx: &mut Context<'_, '_>, pack: &str, reason: &str) -> acts::Result<()> {
    let body = json!({"packs": [pack], "reason": reason.trim()});
    propose_configuration::propose_policies(cx, body.as_object().unwrap_or(&Body::new())).map(drop)
}
