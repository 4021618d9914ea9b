//! The surroundings of a service on its page: its neighbours drawn, its running builds, and the freezes and incidents that
//! concern it.

use std::collections::BTreeMap;

use acts::gate::running;
use model::core::enums::DependencyKind;
use model::core::ids::ServiceKey;
use model::directory::snapshot::Service;
use pages::{
    ActForm, ActTone, Cell, Column, DependencyPicture, Entry, Fold, Rich, Section, SectionBody, Table, Tone,
    short_digest,
};

use crate::http::percent::escaped;
use crate::web::directory::services::owners;
use crate::web::shared::view::View;
use crate::web::shared::words::{capital, names};

/// The most rows of one section.
const MOST: usize = 100;

/// The sections, in their order.
///
/// # Errors
/// The store's.
pub(crate) fn sections(view: &mut View<'_, '_, '_>, service: &Service) -> acts::Result<Vec<Section>> {
    Ok(vec![
        neighbours(view, service),
        builds(view, service)?,
        freezes(view, service),
        incidents(view, service),
    ])
}

/// A link to a new change of this service; nothing for a reader who writes none.
pub(crate) fn new_change(view: &View<'_, '_, '_>, service: &Service) -> Option<ActForm> {
    let url = view.url(&format!("/changes/new?service={}", escaped(service.key.as_str())));
    let form = ActForm::link("New change here", url).tone(ActTone::Go);
    view.frame.may_create.then_some(form)
}

/// Each neighbour once, with its relations.
fn ways(view: &View<'_, '_, '_>, service: &Service) -> BTreeMap<(&'static str, ServiceKey), ()> {
    let rows = view
        .directory
        .dependencies
        .iter()
        .filter(|row| row.is_between_services());
    let way = |row: &model::directory::snapshot::Dependency| {
        let is_part = row.kind == DependencyKind::PartOf;
        match (row.from == service.key, row.to == service.key, is_part) {
            (true, false, false) => Some(("It needs", row.to.clone())),
            (false, true, false) => Some(("Needs it", row.from.clone())),
            (true, false, true) => Some(("It is part of", row.to.clone())),
            (false, true, true) => Some(("Part of it", row.from.clone())),
            _ => None,
        }
    };
    rows.filter_map(way).map(|it| (it, ())).collect()
}

fn neighbours(view: &View<'_, '_, '_>, service: &Service) -> Section {
    let found = ways(view, service);
    let url = |key: &ServiceKey| view.url(&format!("/services/{}", escaped(key.as_str())));
    let of = |word: &str| {
        let own = found.keys().filter(|(way, _)| *way == word);
        own.map(|(_, key)| (key.0.clone(), url(key))).collect()
    };
    let picture = DependencyPicture {
        name: service.key.0.clone(),
        needed_by: of("Needs it"),
        needs: of("It needs"),
    };
    let rows = found.keys().map(|(way, key)| {
        let known = view.directory.services.get(key);
        let criticality = known.map(|it| capital(it.criticality.as_str())).unwrap_or_default();
        vec![
            Cell::title(key.as_str(), url(key)),
            Cell::text(*way),
            Cell::text(criticality),
            Cell::Text(names(&owners(view, key))),
        ]
    });
    let table = Table {
        caption: "Neighbours of the service".to_owned(),
        columns: vec![
            Column::new("Service", Fold::Never),
            Column::new("How", Fold::Under),
            Column::new("Criticality", Fold::Under),
            Column::new("Service owner", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new(
        "dependencies",
        "Dependencies",
        SectionBody::Dependencies(Box::new(picture), table),
    )
    .unsaid("None is known.")
}

fn builds(view: &mut View<'_, '_, '_>, service: &Service) -> acts::Result<Section> {
    let found = running::list(view.cx, Some(service.key.as_str()), None)?;
    let rows = found.iter().take(MOST).map(|row| {
        vec![
            Cell::title(row.environment.as_str(), ""),
            Cell::Text(Rich::new().code(short_digest(&row.artifact))),
            Cell::Text(Rich::new().link(row.change_key.as_str(), view.change_url(&row.change_key))),
            Cell::Text(view.moment(row.since)),
        ]
    });
    let table = Table {
        caption: "What runs, with the change that brought it".to_owned(),
        columns: vec![
            Column::new("Environment", Fold::Never),
            Column::new("Build", Fold::Under),
            Column::new("Change", Fold::Under),
            Column::new("Since", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Ok(Section::new("running", "What runs", SectionBody::Table(table)).unsaid("Nothing is recorded as running."))
}

/// The freezes that stop a change of the service in any environment, now or later.
fn freezes(view: &View<'_, '_, '_>, service: &Service) -> Section {
    let now = view.now();
    let is_hit = |freeze: &model::schedule::freeze::Freeze| {
        let mut places = view.directory.environments.keys();
        places.any(|place| view.directory.is_frozen_by(freeze, &service.key, place))
    };
    let found = view
        .directory
        .freezes
        .iter()
        .filter(|it| !it.is_over(now) && is_hit(it));
    let entries = found.take(MOST).map(|freeze| {
        let time = freeze.next_time(now);
        let words = if freeze.is_on(now) { " is on" } else { " lies ahead" };
        let url = view.url(&format!("/freezes/{}", freeze.id));
        Entry::new(
            Tone::Freeze,
            Rich::new().said_link(freeze.title.as_str(), url).text(words),
        )
        .why(view.reader.span(time.starts_at, time.ends_at))
    });
    Section::new("freezes", "Freezes", SectionBody::Entries(entries.collect())).unsaid("None is on or lies ahead.")
}

fn incidents(view: &View<'_, '_, '_>, service: &Service) -> Section {
    let open = view.directory.incidents.values().filter(|it| it.resolved_at.is_none());
    let own = open.filter(|it| it.services.contains(&service.key));
    let entries = own.take(MOST).map(|incident| {
        let url = view.url(&format!("/incidents/{}", escaped(&incident.key)));
        let text = Rich::new()
            .link(incident.key.as_str(), url)
            .text(" ")
            .said(incident.title.as_str());
        Entry::new(Tone::Wait, text)
            .icon("incident")
            .why(format!("since {}", view.reader.moment(incident.started_at)))
    });
    Section::new("incidents", "Open incidents", SectionBody::Entries(entries.collect())).unsaid("None is open.")
}
