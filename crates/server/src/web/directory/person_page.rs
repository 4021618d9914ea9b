//! The page of a person: their role here, their responsibilities, and their open changes. Names on other pages link to it. For
//! a compromised account it lists everything that is suspended with it.

use acts::directory::suspend_given::{decide_suspended, display_name};
use acts::report::find_changes::{ChangeFilter, find_changes};
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{OwnershipRole, State as Stage};
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::directory::snapshot::Person;
use model::directory::suspension::{GivenKind, Suspended};
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table,
    Tone,
};
use serde_json::json;

use crate::http::percent::{escaped, segment};
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// How many of their open changes are shown.
const CHANGES: i64 = 20;
/// The most services shown.
const MOST: usize = 100;

/// Shows a person.
pub(crate) async fn show_person(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, login)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::People, move |view| page(view, &login, None)).await
}

/// Confirms or ends one thing that is suspended with a compromised account.
pub(crate) async fn decide(state: &AppState, visitor: &Visitor, login: String, form: Form) -> Response {
    let number = form.first("number").to_owned();
    let mut body = Body::new();
    body.insert("confirmed".to_owned(), json!(form.first("confirmed") == "true"));
    let here = format!("/people/{}", segment(&login));
    let sent = Sent {
        form,
        boxes: &[],
        path: format!("{here}/suspension"),
        then: here,
        place: Place::People,
        done: "",
    };
    let whose = login.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| decide_suspended(cx, &whose, &number, &body).map(drop);
    send(state, visitor, sent, run, move |view, back| page(view, &login, back)).await
}

fn page(view: &mut View<'_, '_, '_>, login: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let found = view.directory.by_login(login).cloned();
    let Some(person) = found else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    let mark = match person.active {
        true => Tone::Ok.mark("Active"),
        false => Tone::Plain.mark("Deactivated"),
    };
    let mut acts = Vec::new();
    if person.id == view.me {
        acts.push(ActForm::link("Your account", view.url("/account")));
    } else if view.may(actions::SET_PERSON) {
        let url = view.url(&format!("/people?q={}", escaped(&person.login)));
        acts.push(ActForm::link("Change their rights", url));
    }
    let mut sections = vec![services(view, &person), changes(view, &person)?];
    if let Some(list) = suspended(view, &person)? {
        sections.insert(0, list);
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("People".to_owned(), view.url("/people"))],
        title: person.shown_name(),
        is_said: true,
        marks: vec![mark],
        acts,
        sections,
        facts: facts(view, &person),
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// The grants of a compromised account, for a person who may decide about them: open ones first.
fn suspended(view: &mut View<'_, '_, '_>, person: &Person) -> acts::Result<Option<Section>> {
    let rows = person.deactivation.iter().flat_map(|it| &it.suspended);
    let mut rows: Vec<&Suspended> = rows.collect();
    if rows.is_empty() || !view.may(actions::SET_PERSON) {
        return Ok(None);
    }
    rows.sort_by_key(|row| row.decided.is_some());
    let mut entries = Vec::new();
    for row in rows.into_iter().take(MOST) {
        let name = display_name(view.cx, row)?;
        entries.push(suspended_entry(view, person, (row, name)));
    }
    let lede = "What this account gave others is suspended until another person confirms it.";
    let section = Section::new(
        "suspended",
        "Suspended with this account",
        SectionBody::Entries(entries),
    );
    Ok(Some(section.lede(lede)))
}

fn suspended_entry(view: &View<'_, '_, '_>, person: &Person, (row, name): (&Suspended, String)) -> Entry {
    let (tone, word) = match &row.decided {
        Some(it) if it.confirmed => (Tone::Ok, "Confirmed"),
        Some(_) => (Tone::Stop, "Ended"),
        None if row.holds => (Tone::Wait, "Suspended until another person decides"),
        None => (Tone::Wait, "Suspended"),
    };
    let whose = row.person.as_ref().map(|it| view.person(it));
    let what = match (whose, name.is_empty()) {
        (Some(whose), true) => whose,
        (Some(whose), false) => whose.line().said(name),
        (None, _) => Rich::new().said(name),
    };
    let mut entry = Entry::new(tone, given_label(row.kind)).why(what).aside(word);
    if let Some(decided) = &row.decided {
        return entry.aside(view.person(&decided.by));
    }
    // Nobody confirms their own grants.
    if person.id == view.me || row.person.as_ref() == Some(&view.me) {
        return entry;
    }
    let url = view.url(&format!("/people/{}/suspension", segment(&person.login)));
    for (verb, words, confirmed) in [("confirm", "Confirm it", "true"), ("end", "End it", "false")] {
        let act = ActForm::new(format!("{verb}-{}", row.number), words, url.clone())
            .tone(ActTone::Quiet)
            .field(Field::hidden("number", row.number.to_string()))
            .field(Field::hidden("confirmed", confirmed));
        entry = entry.act(format!("suspended-{}", row.number), act);
    }
    entry
}

fn given_label(kind: GivenKind) -> &'static str {
    match kind {
        GivenKind::Person => "Person",
        GivenKind::Role => "Right",
        GivenKind::Function => "Job function",
        GivenKind::Account => "Account in another system",
        GivenKind::Group => "Group",
        GivenKind::Ownership => "Ownership",
        GivenKind::Delegation => "Delegation",
        GivenKind::Webhook => "Webhook",
        GivenKind::Connection => "Connection",
        GivenKind::IdentityProvider => "Identity provider",
        GivenKind::Workload => "Workload",
        GivenKind::Sink => "Sink",
        GivenKind::Training => "Training",
    }
}

/// The person's responsibilities: each service with the roles that they hold.
fn services(view: &View<'_, '_, '_>, person: &Person) -> Section {
    let (now, directory) = (view.now(), &view.directory);
    let holds = |key: &ServiceKey, role: OwnershipRole| {
        let mut places = directory.environments.keys();
        places.any(|place| directory.holds(&person.id, key, place, role, now))
    };
    let entries = directory.services.values().filter_map(|service| {
        let roles = OwnershipRole::ALL.iter().filter(|role| holds(&service.key, **role));
        let roles: Vec<&str> = roles.map(|role| role.as_str()).collect();
        let url = view.url(&format!("/services/{}", escaped(service.key.as_str())));
        let text = Rich::new().said_link(service.key.as_str(), url);
        let entry = Entry::new(Tone::Plain, text).icon("service");
        let told = roles.iter().fold(entry, |entry, role| entry.aside(capital(role)));
        (!roles.is_empty()).then_some(told)
    });
    let body = SectionBody::Entries(entries.take(MOST).collect());
    Section::new("answers-for", "Answers for", body).unsaid("No service.")
}

fn changes(view: &mut View<'_, '_, '_>, person: &Person) -> acts::Result<Section> {
    let states = Stage::ALL.iter().filter(|state| !state.is_final());
    let filter = ChangeFilter {
        states: states.map(|state| state.as_str().to_owned()).collect(),
        owner: Some(person.id.0.clone()),
        ..ChangeFilter::default()
    };
    let found = find_changes(view.cx, &filter, CHANGES, None)?;
    let rows = found.rows.iter().map(|(listed, _)| {
        let state = pages::State::from_word(&listed.state).unwrap_or_default();
        let title = Cell::Title {
            text: listed.title.clone(),
            href: view.change_url(&listed.key),
            key: listed.key.clone(),
            marks: Vec::new(),
            sub: Rich::new(),
        };
        let planned = listed.planned_start.map(|at| view.reader.moment(at));
        vec![
            title,
            Cell::Mark(state.mark()),
            Cell::Short(planned.unwrap_or_default()),
        ]
    });
    let table = Table {
        caption: "Their open changes, the newest first".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Planned", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Ok(Section::new("changes", "Open changes", SectionBody::Table(table)).unsaid("None is open."))
}

fn facts(view: &View<'_, '_, '_>, person: &Person) -> Vec<Fact> {
    let now = view.now();
    let roles: Vec<String> = person.roles.iter().map(|role| plain(role.as_str())).collect();
    let groups: Vec<String> = view
        .directory
        .groups_of(&person.id)
        .iter()
        .map(|group| group.0.clone())
        .collect();
    let mut facts = vec![
        Fact::people("Name", vec![view.name(&person.id)]),
        Fact::new("Login", Rich::new().said(person.login.as_str())),
        Fact::new(
            "Rights",
            if roles.is_empty() {
                "none".to_owned()
            } else {
                roles.join(", ")
            },
        ),
    ];
    if !groups.is_empty() {
        facts.push(Fact::new("Groups", Rich::new().said(groups.join(", "))));
    }
    if let Some(manager) = view.directory.manager_of(person) {
        facts.push(Fact::people("Answers to", vec![view.named(&manager.id)]));
    }
    facts.push(Fact::new("Time zone", person.zone.as_str()));
    let away = view
        .directory
        .absences
        .iter()
        .find(|row| row.person == person.id && row.is_on(now));
    facts.extend(away.map(|row| Fact::new("Away until", view.moment(row.ends_at))));
    facts
}
