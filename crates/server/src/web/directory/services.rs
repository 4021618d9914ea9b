//! Services, with the people responsible for them.

use acts::notify::watch_service;
use acts::report::find_changes::{ChangeFilter, count_changes, find_changes, outcome_of};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::{self, Body};
use model::core::enums::{Criticality, OwnershipRole, State as Stage};
use model::core::ids::{self, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Ownership, Service};
use model::directory::{ownership_matrix, two_people};
use model::risk::regimes;
use pages::{
    ActForm, Cell, Column, Entry, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, ServiceRow,
    Services, Table, Tone,
};
use serde_json::Value;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::closed_mark;
use crate::web::approval::home;
use crate::web::change::change_query::ended_lately;
use crate::web::change::list::UNSUCCESSFUL;
use crate::web::directory::service_sections;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{self, capital, names, plain};
use crate::web::shared::{fields, idempotent_form, propose_form};

/// How many changes of a service its page shows.
const CHANGES: i64 = 20;
/// Up to how many open changes of a service the list counts.
const COUNTED: i64 = 100;

/// The list of services.
pub(crate) async fn services(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Services, move |view| {
        services_page(view, &words, None)
    })
    .await
}

fn services_page(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    let directory = view.directory.clone();
    let (shown, told) = words.narrow(directory.services.values(), |service| {
        let team = service.team.as_deref().unwrap_or_default();
        vec![service.key.as_str(), service.name.as_str(), team]
    });
    let rows = shown.into_iter().map(|service| {
        let open_changes = open_changes(view, service)?;
        Ok(service_row(view, service, open_changes))
    });
    let rows = rows.collect::<acts::Result<_>>()?;
    let mut page = Services {
        frame: view.frame.clone(),
        rows,
        ..Services::default()
    };
    words.put(&mut page, view.url("/services"), &told, (Vec::new(), &[]));
    if view.may(actions::SET_SERVICE) {
        page.acts.push(service_form(view, None));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// How many open changes a service has, counted up to [`COUNTED`].
fn open_changes(view: &mut View<'_, '_, '_>, service: &Service) -> acts::Result<String> {
    let states = Stage::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str().to_owned());
    let filter = ChangeFilter {
        states: states.collect(),
        service: Some(service.key.as_str().to_owned()),
        ..ChangeFilter::default()
    };
    let count = count_changes(view.cx, &filter, COUNTED, None)?;
    Ok(match count.is_whole {
        true => count.found.to_string(),
        false => format!("{COUNTED}+"),
    })
}

fn service_row(view: &View<'_, '_, '_>, service: &Service, open_changes: String) -> ServiceRow {
    let key = service.key.as_str();
    ServiceRow {
        key: key.to_owned(),
        href: view.url(&format!("/services/{key}")),
        name: if service.name == key {
            String::new()
        } else {
            service.name.clone()
        },
        criticality: capital(service.criticality.as_str()),
        owner: names(&owners(view, &service.key)),
        team: service.team.clone().unwrap_or_default(),
        regimes: regime_names(service),
        last_change: String::new(),
        open_changes,
    }
}

/// The regimes of a service by their names: “SOX, PCI DSS”.
fn regime_names(service: &Service) -> String {
    let names: Vec<&str> = service.regimes.iter().map(|word| regimes::name(word)).collect();
    names.join(", ")
}

/// The owners of a service in any environment, by name.
pub(crate) fn owners(view: &View<'_, '_, '_>, service: &ServiceKey) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for place in view.directory.environments.keys() {
        for holder in view.directory.holders(service, place, OwnershipRole::Owner, view.now()) {
            let name = view.name(&holder.person);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn service_form(view: &View<'_, '_, '_>, service: Option<&Service>) -> ActForm {
    let words: Vec<(&str, &str)> = Criticality::ALL
        .iter()
        .map(|word| (word.as_str(), word.as_str()))
        .collect();
    let text = |pick: fn(&Service) -> String| service.map(pick).unwrap_or_default();
    let criticality = service.map_or(Criticality::Medium, |service| service.criticality);
    let classes: Vec<(&str, &str)> = std::iter::once(("", "Not stated"))
        .chain(
            view.policies
                .data_classes()
                .iter()
                .map(|word| (word.as_str(), word.as_str())),
        )
        .collect();
    let label = if service.is_some() { "Edit it" } else { "Add a service" };
    let key = Field::text("key", "Key")
        .hint("As pipelines name it: lower case, no spaces.")
        .required();
    let key = match service {
        Some(service) => Field::hidden("key", service.key.as_str()),
        None => key,
    };
    ActForm::new("service", label, view.url("/services"))
        .field(key)
        .field(Field::text("name", "Name").value(text(|service| service.name.clone())))
        .field(
            Field::select("criticality", "Criticality", &words)
                .value(criticality.as_str())
                .half(),
        )
        .field(
            Field::select("data_class", "Data class", &classes)
                .value(text(|it| it.data_class.clone().unwrap_or_default()))
                .half(),
        )
        .field(
            fields::pick_field(view, "teams", "team", "Team")
                .value(text(|it| it.team.clone().unwrap_or_default()))
                .half(),
        )
        .field(
            Field::text("regimes", "Regimes")
                .hint("Separated by commas.")
                .value(text(|it| it.regimes.iter().cloned().collect::<Vec<_>>().join(", ")))
                .half(),
        )
        .field(
            Field::text("held", "Holds")
                .hint("Separated by commas.")
                .value(text(|it| {
                    it.holds
                        .iter()
                        .map(|touch| touch.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                }))
                .half(),
        )
        .submit(if service.is_some() {
            "Keep it"
        } else {
            "Add this service"
        })
}

/// A form's values of a service: a field that was left empty clears.
fn as_shown(body: &Body) -> Body {
    let mut whole = body.clone();
    for field in ["name", "criticality", "data_class", "team", "regimes"] {
        whole.entry(field).or_insert(Value::Null);
    }
    let held = whole.remove("held");
    let held = held.as_ref().and_then(Value::as_str).unwrap_or_default();
    let words = held.split(',').map(str::trim).filter(|word| !word.is_empty());
    whole.insert("holds".to_owned(), words.map(Value::from).collect());
    whole
}

/// Adds a service or edits one.
pub(crate) async fn set_service(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(form, "/services".to_owned(), "/services".to_owned(), Place::Services);
    send(
        &state,
        &visitor,
        sent,
        |cx, body| acts::directory::set_service::set_service(cx, &as_shown(body)).map(drop),
        |view, back| services_page(view, &ListQuery::default(), back),
    )
    .await
}

/// One service.
pub(crate) async fn service(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Services, move |view| {
        service_page(view, &key, None)
    })
    .await
}

fn service_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let directory = view.directory.clone();
    let Some(service) = directory.services.get(&ServiceKey::from(key)) else {
        return Err(Refusal::not_found(format!("service {key}")).into());
    };
    let mut sections = vec![ownership_section(view, service)];
    sections.extend(service_sections::sections(view, service)?);
    sections.push(change_section(view, service)?);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Services".to_owned(), view.url("/services"))],
        key: service.key.0.clone(),
        title: service.name.clone(),
        marks: vec![Tone::Plain.mark(format!("Criticality: {}", service.criticality.as_str()))],
        sections,
        facts: service_facts(view, service),
        notices: home::news(view, Some(&service.key))?,
        ..RecordPage::default()
    };
    page.acts.extend(service_sections::new_change(view, service));
    page.acts.push(watch_form(view, service));
    if view.may(actions::SET_SERVICE) {
        page.acts.push(service_form(view, Some(service)));
    }
    if let Some(back) = back {
        let acts = page
            .acts
            .iter_mut()
            .chain(page.sections.iter_mut().flat_map(|section| section.acts.iter_mut()));
        back.put(view, &mut page.frame, acts);
    }
    Ok(page.render())
}

fn watch_form(view: &View<'_, '_, '_>, service: &Service) -> ActForm {
    let path = format!("/services/{}/watchers", escaped(service.key.as_str()));
    if service.watchers.contains(&view.me) {
        let note = "You are notified of the milestones of its changes.";
        return ActForm::new("watch", "Stop watching", view.url(&format!("{path}/end"))).note(note);
    }
    let group = fields::pick_field(view, "groups", "group", "For a group")
        .hint("The key of a group of yours, whose members are notified; empty means only you.");
    ActForm::new("watch", "Watch it", view.url(&path))
        .field(group)
        .note("Watchers are notified of the milestones of its changes.")
}

async fn send_watch(state: AppState, visitor: Visitor, key: String, form: Form, on: bool) -> Response {
    let page = format!("/services/{}", escaped(&key));
    let end = if on { "" } else { "/end" };
    let sent = sent(form, format!("{page}/watchers{end}"), page, Place::Services);
    let shown = key.clone();
    let run =
        move |cx: &mut acts::Context<'_, '_>, body: &Body| watch_service::watch_service(cx, &key, body, on).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        service_page(view, &shown, back)
    })
    .await
}

/// Watches a service.
pub(crate) async fn watch(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    send_watch(state, visitor, key, form, true).await
}

/// Stops watching one.
pub(crate) async fn unwatch(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    send_watch(state, visitor, key, form, false).await
}

fn service_facts(view: &View<'_, '_, '_>, service: &Service) -> Vec<Fact> {
    let mut facts = vec![Fact::people("Service owner", owners(view, &service.key))];
    facts.extend(
        service
            .team
            .as_deref()
            .map(|team| Fact::new("Team", Rich::new().said(team))),
    );
    facts.extend(
        service
            .data_class
            .as_deref()
            .map(|class| Fact::new("Data class", class)),
    );
    if let Some(led) = &service.led_by {
        facts.push(Fact::new(
            "Led by",
            Rich::from(led.kind.label())
                .text(" since ")
                .text(view.reader.moment(led.since)),
        ));
    }
    if !service.regimes.is_empty() {
        facts.push(Fact::new("Regimes", Rich::new().said(regime_names(service))));
    }
    if !service.holds.is_empty() {
        let words: Vec<String> = service.holds.iter().map(|touch| plain(touch.as_str())).collect();
        facts.push(Fact::new("Holds", words.join(", ")));
    }
    let groups = service.watching_groups.iter().map(|group| group.0.clone());
    facts.push(fields::watching(view, service.watchers.iter(), groups));
    facts
}

/// The origin of a row that applies to more than the service alone.
fn inherited(row: &Ownership, service: &Service) -> String {
    match (&row.service, &row.class) {
        (Some(key), _) if *key == service.key => String::new(),
        (Some(key), _) => format!("through {key}, "),
        (None, Some(class)) => format!("by the class {class}, "),
        (None, None) => "for every service, ".to_owned(),
    }
}

fn ownership_section(view: &View<'_, '_, '_>, service: &Service) -> Section {
    let places: Vec<&ids::EnvironmentKey> = view.directory.environments.keys().collect();
    let is_about = |row: &&Ownership| {
        row.ends_at.is_none_or(|end| view.now() < end)
            && places.iter().any(|place| {
                view.directory
                    .concerns(row, &ownership_matrix::Place::new(&service.key, place))
            })
    };
    let entries = view.directory.ownerships.iter().filter(is_about).map(|row| {
        let who = match (&row.person, &row.group) {
            (Some(person), _) => view.person(person),
            (None, Some(group)) => Rich::from("The group ").name(group.0.as_str()),
            (None, None) => Rich::from("Nobody"),
        };
        let place = row
            .environment
            .as_ref()
            .map_or_else(|| "everywhere".to_owned(), |key| key.0.clone());
        Entry::new(
            Tone::Plain,
            who.text(format!(" is {}", words::plain(row.role.as_str()))),
        )
        .icon("person")
        .why(format!(
            "{}{place}, since {}",
            inherited(row, service),
            view.reader.day(row.since)
        ))
    });
    let section = Section::new(
        "ownership",
        "Who answers for it",
        SectionBody::Entries(entries.collect()),
    )
    .unsaid("None: no change to it can be approved.");
    if view.may(actions::SET_OWNERSHIP) {
        section.acts(vec![ownership_form(view, service)])
    } else {
        section
    }
}

fn ownership_form(view: &View<'_, '_, '_>, service: &Service) -> ActForm {
    let roles: Vec<(String, String)> = OwnershipRole::ALL
        .iter()
        .map(|role| (role.as_str().to_owned(), capital(role.as_str())))
        .collect();
    let roles: Vec<(&str, &str)> = roles
        .iter()
        .map(|(word, label)| (word.as_str(), label.as_str()))
        .collect();
    let by_two = two_people::is_by_two(&view.directory, view.now());
    let form = ActForm::new(
        "ownership",
        if by_two { "Propose a role" } else { "Assign a role" },
        view.url(&format!("/services/{}/ownerships", service.key)),
    )
    .field(idempotent_form::field(view))
    .field(Field::hidden("service", service.key.as_str()))
    .field(Field::select("role", "Role", &roles).half())
    .field(fields::environment_menu(view).half())
    .field(fields::pick_field(view, "people", "person", "Person").half())
    .field(fields::pick_field(view, "groups", "group", "Or a group").half());
    if !by_two {
        return form.submit("Assign this role");
    }
    form.field(
        Field::text("reason", "Why")
            .hint("Another person puts it in force, on the page Policies.")
            .required(),
    )
    .submit("Propose them")
}

fn change_section(view: &mut View<'_, '_, '_>, service: &Service) -> acts::Result<Section> {
    let filter = ChangeFilter {
        service: Some(service.key.0.clone()),
        ..ChangeFilter::default()
    };
    let found = find_changes(view.cx, &filter, CHANGES, None)?;
    let rows = found.rows.iter().map(|(listed, targets)| {
        let state = pages::State::from_word(&listed.state).unwrap_or_default();
        let outcome = outcome_of(targets).filter(|_| state == pages::State::Closed);
        let mark = outcome.map_or_else(|| state.mark(), closed_mark);
        let title = Cell::Title {
            text: listed.title.clone(),
            href: view.change_url(&listed.key),
            key: listed.key.clone(),
            marks: Vec::new(),
            sub: Rich::new(),
        };
        let planned = listed
            .planned_start
            .map(|at| view.reader.moment(at))
            .unwrap_or_default();
        vec![title, Cell::Mark(mark), Cell::Short(planned)]
    });
    let table = Table {
        caption: "Changes of this service, the newest first".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Planned", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let key = escaped(service.key.as_str());
    let all = view.url(&format!("/changes?service={key}"));
    let failed = view.url(&format!("/changes?service={key}&outcome={}", escaped(UNSUCCESSFUL)));
    let share = view.url(&format!("/metrics/success_share?service={key}"));
    let mut links = Rich::new()
        .link("All", all)
        .text(" · ")
        .link("Without success", failed.as_str())
        .text(" · ");
    for (label, ended) in ended_lately(view) {
        links = links.link(label, format!("{failed}&{ended}")).text(" · ");
    }
    let links = links.link("Success over time", share);
    Ok(Section::new("changes", "Changes", SectionBody::Table(table))
        .note(links)
        .unsaid("None yet."))
}

/// Names an owner or another part of a service.
pub(crate) async fn set_ownership(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/services/{}", escaped(&key));
    let sent = sent(form, format!("{page}/ownerships"), page, Place::Services);
    let run = |cx: &mut acts::Context<'_, '_>, body: &body::Body| {
        propose_form::propose_or(cx, ("rows", body.clone()), acts::directory::set_service::set_ownership)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        service_page(view, &key, back)
    })
    .await
}
