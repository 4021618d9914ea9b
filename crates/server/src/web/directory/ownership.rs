//! The ownership matrix: its rows, and for a place the rows that apply, each person with the reason.

use acts::directory::set_service;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::OwnershipRole;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::directory::holders;
use model::directory::ownership_matrix::{Ownership, Place as Where};
use pages::{ActForm, ActTone, Chip, Entry, Field, OwnershipRow, Ownerships, Paging, Place, Rich, Tone};

use super::super::shared::form::Form;
use super::super::shared::form_page::{Back, send, sent};
use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::capital;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::{environment_filter, environment_menu, pick_field, service_filter};

/// The most rows that one page shows.
const MOST: usize = 300;

/// The filters of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct OwnershipQuery {
    service: Option<String>,
    environment: Option<String>,
    /// How many rows the previous pages hold.
    after: Option<usize>,
}

impl OwnershipQuery {
    fn service(&self) -> Option<&str> {
        self.service.as_deref().filter(|text| !text.is_empty())
    }

    fn environment(&self) -> Option<&str> {
        self.environment.as_deref().filter(|text| !text.is_empty())
    }

    /// The address of a page of the matrix, behind so many rows.
    fn address(&self, view: &View<'_, '_, '_>, after: usize) -> String {
        let places = [("service", self.service()), ("environment", self.environment())];
        let places = places.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut pairs: Vec<String> = places
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        pairs.extend((after > 0).then(|| format!("after={after}")));
        match pairs.is_empty() {
            true => view.url("/ownership"),
            false => view.url(&format!("/ownership?{}", pairs.join("&"))),
        }
    }
}

/// The matrix.
pub(crate) async fn show_matrix(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<OwnershipQuery>,
) -> Response {
    show(&state, &visitor, Place::Ownership, move |view| page(view, &asked, None)).await
}

fn page(view: &mut View<'_, '_, '_>, asked: &OwnershipQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let directory = view.directory.clone();
    let now = view.now();
    let may_set = view.may(actions::SET_OWNERSHIP);
    let mut found: Vec<&Ownership> = directory
        .ownerships
        .iter()
        .filter(|row| row.ends_at.is_none_or(|end| end > now) && touches(row, asked))
        .collect();
    found.sort_by_key(|row| (row.scope(), row.environment.clone(), row.role, row.since));
    let all = found.len();
    // Beyond the end, the list begins anew.
    let from = asked.after.filter(|after| *after < all).unwrap_or_default();
    let end = all.min(from + MOST);
    let rows = found
        .into_iter()
        .skip(from)
        .take(MOST)
        .map(|row| matrix_row(view, row, may_set));
    let mut page = Ownerships {
        rows: rows.collect(),
        frame: view.frame.clone(),
        count: format!("{} of {all} rows", end - from),
        paging: Paging {
            newer: (from > 0).then(|| asked.address(view, 0)),
            older: (end < all).then(|| asked.address(view, end)),
            is_sorted: true,
            ..Paging::default()
        },
        chips: chips(view, asked),
        filters: filters(view, asked),
        filter_url: view.url("/ownership"),
        first: lines(view, asked),
        first_title: match (asked.service(), asked.environment()) {
            (Some(service), Some(environment)) => format!("Who answers for {service} in {environment}"),
            _ => String::new(),
        },
        ..Ownerships::default()
    };
    if may_set {
        page.acts.push(name_form(view));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// Whether a row may apply to the place: a row of a class or of everything stays visible.
fn touches(row: &Ownership, asked: &OwnershipQuery) -> bool {
    let service = asked
        .service()
        .is_none_or(|key| row.service.as_ref().is_none_or(|it| it.as_str() == key));
    let place = asked
        .environment()
        .is_none_or(|key| row.environment.as_ref().is_none_or(|it| it.as_str() == key));
    service && place
}

fn scope_text(scope: &str) -> String {
    match scope.split_once(':') {
        Some(("class", class)) => format!(
            "all of {}",
            super::super::shared::words::plain(&class.replacen(':', " ", 1))
        ),
        Some((kind, key)) => format!("{} {key}", if kind == "item" { "config item" } else { kind }),
        None => scope.to_owned(),
    }
}

fn matrix_row(view: &View<'_, '_, '_>, row: &Ownership, may_set: bool) -> OwnershipRow {
    let holder = match (&row.person, &row.group, &row.function) {
        (Some(person), _, _) => view.person(person),
        (None, Some(group), None) => Rich::from("the group ").said(group.as_str()),
        (None, Some(group), Some(function)) => Rich::new().said(function).text(" in the group ").said(group.as_str()),
        (None, None, _) => Rich::new(),
    };
    let end = ActForm::new(
        "end",
        "End it",
        view.url(&format!("/ownership/{}/end", escaped(row.id.as_str()))),
    )
    .tone(ActTone::Link)
    .note("From now on this row grants no rights. Decisions made under it remain valid.")
    .submit("End this row");
    OwnershipRow {
        id: row.id.0.clone(),
        scope: scope_text(&row.scope()),
        environment: match &row.environment {
            Some(environment) => Rich::new().said(environment.as_str()),
            None => Rich::from("everywhere"),
        },
        part: capital(row.role.as_str()),
        holder,
        span: match row.ends_at {
            Some(end) => format!("until {}", view.reader.day(end)),
            None => format!("since {}", view.reader.day(row.since)),
        },
        acts: if may_set { vec![end] } else { Vec::new() },
    }
}

/// The lines of the chosen place, part by part, the nearest first.
fn lines(view: &View<'_, '_, '_>, asked: &OwnershipQuery) -> Vec<Entry> {
    let (Some(service), Some(environment)) = (asked.service(), asked.environment()) else {
        return Vec::new();
    };
    let (service, environment) = (ServiceKey::from(service), EnvironmentKey::from(environment));
    let directory = &view.directory;
    if !directory.services.contains_key(&service) || !directory.environments.contains_key(&environment) {
        return vec![Entry::new(Tone::Stop, "There is no such service or environment.")];
    }
    let place = Where {
        service: &service,
        environment: &environment,
        items: &[],
    };
    let mut entries = Vec::new();
    for role in OwnershipRole::ALL {
        let found = directory.lines(&place, *role, view.now());
        for (number, line) in found.iter().enumerate() {
            entries.extend(line_entries(view, *role, number, line));
        }
        if found.iter().all(|line| line.holders.is_empty()) && *role == OwnershipRole::Owner {
            let text = "It has no owner: no change to it can be approved.";
            entries.insert(0, Entry::new(Tone::Stop, text).why("Assign a role above."));
        }
    }
    entries
}

fn line_entries(view: &View<'_, '_, '_>, role: OwnershipRole, number: usize, line: &holders::Line) -> Vec<Entry> {
    let part = capital(role.as_str());
    let tone = if number == 0 { Tone::Ok } else { Tone::Plain };
    let scope = scope_text(&line.scope);
    let path = if line.path.len() > 1 {
        format!(" by {}", line.path.join(", "))
    } else {
        String::new()
    };
    let holders = line.holders.iter().map(|holder| {
        let text = Rich::from(format!("{part}: ")).append(view.person(&holder.person));
        let order = if number == 0 {
            "asked first"
        } else {
            "asked if the line before has no one"
        };
        Entry::new(tone, text)
            .why(view.sentence(&holder.why).text(path.as_str()))
            .aside(scope.as_str())
            .aside(order)
    });
    let idle = line.idle.iter().map(|(_, why)| {
        Entry::new(Tone::Wait, format!("{part}: a row that nobody can use"))
            .why(view.sentence(why))
            .aside(scope.as_str())
    });
    holders.chain(idle).collect()
}

fn chips(view: &View<'_, '_, '_>, asked: &OwnershipQuery) -> Vec<Chip> {
    let other = |name: &str, value: Option<&str>| match value {
        Some(value) => view.url(&format!("/ownership?{name}={}", escaped(value))),
        None => view.url("/ownership"),
    };
    let service = asked.service().map(|value| Chip {
        label: "Service".to_owned(),
        value: value.to_owned(),
        remove_url: other("environment", asked.environment()),
        is_said: true,
    });
    let place = asked.environment().map(|value| Chip {
        label: "Environment".to_owned(),
        value: value.to_owned(),
        remove_url: other("service", asked.service()),
        is_said: true,
    });
    service.into_iter().chain(place).collect()
}

fn filters(view: &View<'_, '_, '_>, asked: &OwnershipQuery) -> Vec<Field> {
    vec![
        service_filter(view, asked.service().unwrap_or_default()),
        environment_filter(view, asked.environment().unwrap_or_default()),
    ]
}

fn name_form(view: &View<'_, '_, '_>) -> ActForm {
    let parts: Vec<(String, String)> = OwnershipRole::ALL
        .iter()
        .map(|role| (role.as_str().to_owned(), capital(role.as_str())))
        .collect();
    let parts: Vec<(&str, &str)> = parts
        .iter()
        .map(|(word, label)| (word.as_str(), label.as_str()))
        .collect();
    ActForm::new("ownership", "Assign a role", view.url("/ownership"))
        .field(super::super::shared::idempotent_form::field(view))
        .field(Field::select("role", "Role", &parts).required().half())
        .field(environment_menu(view).half())
        .field(
            pick_field(view, "services", "service", "Service")
                .hint("Its key; empty for everything or a class.")
                .half(),
        )
        .field(
            Field::text("class", "Or a class")
                .hint("Such as regime:sox or team:Finance.")
                .half(),
        )
        .field(pick_field(view, "people", "person", "Person").half())
        .field(pick_field(view, "groups", "group", "Or a group").half())
        .field(super::super::shared::fields::time_field(view, "ends_at", "Until"))
        .submit("Assign this role")
}

/// Names somebody.
pub(crate) async fn name(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/ownership".to_owned();
    let sent = sent(form, path.clone(), path, Place::Ownership);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| set_service::set_ownership(cx, body).map(drop);
    send(&state, &visitor, sent, run, |view, back| {
        page(view, &OwnershipQuery::default(), back)
    })
    .await
}

/// Ends a row.
pub(crate) async fn end(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let then = "/ownership".to_owned();
    let sent = sent(form, format!("{then}/{}/end", escaped(&id)), then, Place::Ownership);
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| set_service::end_ownership(cx, &id).map(drop);
    send(&state, &visitor, sent, run, |view, back| {
        page(view, &OwnershipQuery::default(), back)
    })
    .await
}
