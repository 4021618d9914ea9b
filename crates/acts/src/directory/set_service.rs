//! The estate's things: services, config items, environments, dependencies, ownership, windows.

use model::change::affected::{begins_at, causes};
use model::core::body::Body;
use model::core::enums::NodeKind;
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::core::{act, enums};
use model::directory::impersonation::CredentialGrant;
use model::directory::ownership_matrix::Place;
use model::directory::snapshot::{
    ConfigItem, Dependency, Directory, Environment, MaintenanceWindow, Ownership, Service,
};
use model::schedule::repeat::Occurrence;
use serde_json::json;
use store::record::{self, Filter, Record};

use crate::case::settle_open::{settle_open, settle_reached};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::read_fields::{check_ahead, check_start, read_scope, read_span};
use crate::guard::{impersonation, read_directory_rows, self_grant, two_people};
use crate::schedule::edit_span::check_window_ahead;
use crate::schedule::read_repeat::read_repeat;

/// A new record gets an id; an existing one keeps its id.
fn named(cx: &Context<'_, '_>, id: &RecordId) -> Result<RecordId> {
    if id.as_str().is_empty() {
        return Ok(RecordId(cx.new_id()?));
    }
    Ok(id.clone())
}

/// Creates or changes a service (`POST /services {key, name, criticality, regimes, data_class, holds, team}`). Omitted
/// fields of an existing service stay; a null clears.
///
/// # Errors
/// 403, 409 for an edit that needs two people, 422, or the store's.
pub fn set_service(cx: &mut Context<'_, '_>, body: &Body) -> Result<Service> {
    cx.allow(act::actions::SET_SERVICE)?;
    let directory = cx.directory()?;
    let body = read_directory_rows::completed(body, read_directory_rows::present_service(body, &directory)?);
    let mut reading = Reading::new(&body, "");
    let mut service = read_directory_rows::service(&mut reading, &directory);
    reading.finish()?;
    let loosens = two_people::loosens_service(&directory, &service);
    two_people::check_facts(cx, loosens, (Service::TABLE, &service.id))?;
    let moves = two_people::moves_service(&directory, &service, cx.now);
    two_people::check(cx, moves, two_people::CLASSES)?;
    service.id = named(cx, &service.id)?;
    let service = cx.put_estate("service.set", service, json!({}))?;
    settle_reaching(cx, NodeKind::Service, service.key.as_str())?;
    Ok(service)
}

/// Creates or changes an environment (`POST /environments {key, name, is_production}`); omitted fields stay.
///
/// # Errors
/// 403, 409 for an edit that needs two people, 422, or the store's.
pub fn set_environment(cx: &mut Context<'_, '_>, body: &Body) -> Result<Environment> {
    cx.allow(act::actions::SET_SERVICE)?;
    let directory = cx.directory()?;
    let body = read_directory_rows::completed(body, read_directory_rows::present_environment(body, &directory)?);
    let mut reading = Reading::new(&body, "");
    let mut place = read_directory_rows::environment(&mut reading, &directory);
    reading.finish()?;
    let loosens = two_people::loosens_environment(&directory, &place);
    two_people::check_facts(cx, loosens, (Environment::TABLE, &place.id))?;
    place.id = named(cx, &place.id)?;
    let place = cx.put_estate("environment.set", place, json!({}))?;
    settle_open(cx, |change| {
        change
            .content
            .targets
            .iter()
            .any(|target| target.environment == place.key)
    })?;
    Ok(place)
}

/// Creates or changes a config item (`POST /config-items {key, name, service, kind, holds}`); omitted fields stay.
///
/// # Errors
/// 403, 409 for an edit that needs two people, 422, or the store's.
pub fn set_config_item(cx: &mut Context<'_, '_>, body: &Body) -> Result<ConfigItem> {
    cx.allow(act::actions::SET_SERVICE)?;
    let directory = cx.directory()?;
    let body = read_directory_rows::completed(body, read_directory_rows::present_config_item(body, &directory)?);
    let mut reading = Reading::new(&body, "");
    let mut item = read_directory_rows::config_item(&mut reading, &directory);
    reading.finish()?;
    let loosens = two_people::loosens_item(&directory, &item);
    two_people::check_facts(cx, loosens, (ConfigItem::TABLE, &item.id))?;
    let moves = two_people::moves_item(&directory, &item, cx.now);
    two_people::check(cx, moves, two_people::CLASSES)?;
    item.id = named(cx, &item.id)?;
    let item = cx.put_estate("config_item.set", item, json!({}))?;
    let known = directory.config_items.get(&item.key).map(|known| known.service.clone());
    settle_reaching(cx, NodeKind::ConfigItem, &item.key)?;
    // Work on a service that names no item of the service may touch each of them.
    for service in known
        .iter()
        .filter(|known| **known != item.service)
        .chain([&item.service])
    {
        settle_reaching(cx, NodeKind::Service, service.as_str())?;
    }
    Ok(item)
}

/// Records that one service or item needs, runs on or is part of another (`POST /dependencies {from, to, kind?,
/// from_kind?, to_kind?}`).
///
/// # Errors
/// 403, 409 for a part-of relation, whose owners need two people; 422, or the store's.
pub fn set_dependency(cx: &mut Context<'_, '_>, body: &Body) -> Result<Dependency> {
    cx.allow(act::actions::SET_SERVICE)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let mut arrow = read_directory_rows::dependency(&mut reading, &directory);
    let old = directory.dependencies.iter().find(|known| known.id == arrow.id);
    if old.is_some_and(|known| known.kind == arrow.kind && known.environments == arrow.environments) {
        reading.wrong("to", "not_unique", "This dependency already exists.");
    }
    reading.finish()?;
    if self_grant::gives_part(cx, &directory, &arrow) {
        return Err(self_grant::own_request(self_grant::OWN_WHOLE).into());
    }
    two_people::check(cx, two_people::moves_owners(&directory, &arrow), two_people::ARROWS)?;
    let turns = two_people::turns_reach(&directory, &arrow);
    two_people::check_reach(cx, turns, &arrow.id)?;
    take_up(cx, &mut arrow)?;
    arrow.id = named(cx, &arrow.id)?;
    let arrow = cx.put_estate("dependency.set", arrow, json!({}))?;
    settle_around(cx, &arrow)?;
    // Only parts inherit owners.
    if arrow.kind == enums::DependencyKind::PartOf || old.is_some() {
        crate::case::settle_open::settle_with_approvers(cx)?;
    }
    settle_reached(cx)?;
    Ok(arrow)
}

/// Evaluates the open changes again that reach a thing: their risk depends on its fields.
fn settle_reaching(cx: &mut Context<'_, '_>, kind: NodeKind, key: &str) -> Result<()> {
    let things = causes(&*cx.directory()?, kind, key);
    settle_open(cx, |change| begins_at(&things, &change.content.targets))
}

/// Evaluates the open changes again whose reach an active dependency changes.
fn settle_around(cx: &mut Context<'_, '_>, arrow: &Dependency) -> Result<()> {
    let directory = cx.directory()?;
    settle_through(cx, &directory, arrow)
}

/// The same for a dependency in a given directory: either end counts as the cause, because its kind may have been
/// different before.
fn settle_through(cx: &mut Context<'_, '_>, directory: &Directory, arrow: &Dependency) -> Result<()> {
    let mut things = causes(directory, arrow.from_kind, arrow.from.as_str());
    things.extend(causes(directory, arrow.to_kind, arrow.to.as_str()));
    settle_open(cx, |change| begins_at(&things, &change.content.targets))
}

/// A removed dependency that comes back is the same record: there is one between two ends.
pub(crate) fn take_up(cx: &mut Context<'_, '_>, arrow: &mut Dependency) -> Result<()> {
    if !arrow.id.as_str().is_empty() {
        return Ok(());
    }
    let between = Filter::new()
        .equals("from_service", arrow.from.as_str())
        .equals("to_service", arrow.to.as_str())
        .order_by("id");
    // A service and an item may have equal keys; their kinds differ.
    let is_it = |former: &Dependency| former.from_kind == arrow.from_kind && former.to_kind == arrow.to_kind;
    let found = record::find::<Dependency>(cx.tx, &between)?.into_iter();
    let former = found.map(|stored| stored.record).find(is_it);
    if let Some(former) = former.filter(|former| former.ended) {
        (arrow.id, arrow.version) = (former.id, former.version);
    }
    Ok(())
}

/// Removes a dependency (`DELETE /dependencies/{id}`). Its reach counts until a second person agrees.
///
/// # Errors
/// 403, 404, 409 if the end needs two people; the store's.
pub fn end_dependency(cx: &mut Context<'_, '_>, id: &str) -> Result<Dependency> {
    cx.allow(act::actions::SET_SERVICE)?;
    let Some(stored) = record::load::<Dependency>(cx.tx, id)? else {
        return Err(Refusal::not_found("dependency").into());
    };
    if stored.record.ended {
        return Ok(stored.record);
    }
    two_people::check(cx, two_people::is_part(&stored.record), two_people::ARROWS)?;
    two_people::check_reach(cx, true, &stored.record.id)?;
    let before = cx.directory()?;
    let ended = end_arrow(cx, id)?;
    settle_through(cx, &before, &ended)?;
    crate::case::settle_open::settle_with_approvers(cx)?;
    settle_reached(cx)?;
    Ok(ended)
}

/// Removes a dependency without a check of rights; one that is gone already is unchanged. The caller evaluates open
/// changes again.
///
/// # Errors
/// 404, or the store's.
pub(crate) fn end_arrow(cx: &mut Context<'_, '_>, id: &str) -> Result<Dependency> {
    let Some(stored) = record::load::<Dependency>(cx.tx, id)? else {
        return Err(Refusal::not_found("dependency").into());
    };
    if stored.record.ended {
        return Ok(stored.record);
    }
    let ended = Dependency {
        ended: true,
        ..stored.record
    };
    cx.put_estate("dependency.ended", ended, json!({}))
}

/// Adds a row to the ownership matrix, or edits the one for the same scope, place, part and holder (`POST /ownerships
/// {service? | config_item? | class?, environment?, role, person | group, function?, since?, ends_at?}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_ownership(cx: &mut Context<'_, '_>, body: &Body) -> Result<Ownership> {
    cx.allow(act::actions::SET_OWNERSHIP)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let old = |key: &str| {
        directory
            .ownerships
            .iter()
            .find(|row| row.natural_key() == key)
            .cloned()
    };
    let mut row = read_directory_rows::ownership(&mut reading, &directory, old, cx.now);
    read_directory_rows::check_row(&mut reading, &directory, &row);
    if row.corrected_at == Some(cx.now) && !cx.actor.is_system {
        check_start(&mut reading, "since", row.since, cx.now, body);
    }
    reading.finish()?;
    if self_grant::gives_voice(cx, &row)? {
        return Err(self_grant::own_request(self_grant::OWN_PART).into());
    }
    two_people::check(cx, two_people::decides(&row), two_people::ROWS)?;
    row.id = named(cx, &row.id)?;
    // A row set by a person stays that person's, whatever a catalogue lists later.
    row.is_from_catalogue = false;
    row.hand = grant_of_row(cx, &row);
    let row = cx.put_estate("ownership.set", row, json!({}))?;
    settle_under(cx, &row)?;
    Ok(row)
}

/// The person who sets a row of the ownership matrix, if it is another person than its holder.
pub(crate) fn grant_of_row(cx: &Context<'_, '_>, row: &Ownership) -> Option<CredentialGrant> {
    match &row.person {
        Some(person) => impersonation::credential_grant(cx, person),
        None => Some(CredentialGrant {
            by: cx.actor.speaker().clone(),
            at: cx.now,
        })
        .filter(|_| !cx.actor.is_system),
    }
}

/// Ends a row of the ownership matrix now (`DELETE /ownerships/{id}`); it stays readable.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_ownership(cx: &mut Context<'_, '_>, id: &str) -> Result<Ownership> {
    cx.allow(act::actions::SET_OWNERSHIP)?;
    let Some(stored) = record::load::<Ownership>(cx.tx, id)? else {
        return Err(Refusal::not_found("ownership").into());
    };
    two_people::check(cx, two_people::decides(&stored.record), two_people::ROWS)?;
    let version = stored.record.version;
    let row = end_row(cx, id)?;
    if row.version != version {
        settle_under(cx, &row)?;
    }
    Ok(row)
}

/// Ends a row now, without a check of rights; an ended row is unchanged. The caller evaluates open changes again.
///
/// # Errors
/// 404, or the store's.
pub(crate) fn end_row(cx: &mut Context<'_, '_>, id: &str) -> Result<Ownership> {
    let Some(stored) = record::load::<Ownership>(cx.tx, id)? else {
        return Err(Refusal::not_found("ownership").into());
    };
    let row = stored.record;
    if row.ends_at.is_some_and(|end| end <= cx.now) {
        return Ok(row);
    }
    let ended = Ownership {
        ends_at: Some(cx.now),
        ..row
    };
    cx.put_estate("ownership.ended", ended, json!({}))
}

/// Evaluates the open changes again whose targets a row covers in any way.
fn settle_under(cx: &mut Context<'_, '_>, row: &Ownership) -> Result<()> {
    let directory = cx.directory()?;
    settle_open(cx, |change| {
        let targets = &change.content.targets;
        targets
            .iter()
            .any(|target| directory.concerns(row, &Place::from(target)))
    })
}

/// Sets a maintenance window (`POST /windows {title, starts_at, ends_at, services, environments}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_window(cx: &mut Context<'_, '_>, body: &Body) -> Result<MaintenanceWindow> {
    cx.allow(act::actions::SET_WINDOW)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let (services, environments) = read_scope(&mut reading, &directory);
    let (starts_at, ends_at) = read_span(&mut reading, cx.now);
    let id = RecordId(cx.new_id()?);
    let title = reading.needed("title", LINE);
    let repeat = read_repeat(&mut reading, (&directory, cx.now), Occurrence { starts_at, ends_at });
    let window = MaintenanceWindow {
        id,
        version: 0,
        title,
        starts_at,
        ends_at,
        services,
        environments,
        ended: false,
        repeat,
    };
    if window.repeat.is_set() {
        check_window_ahead(&mut reading, &window, cx.now);
    } else {
        check_ahead(&mut reading, ends_at, cx.now, "`ends_at` must lie ahead.");
    }
    reading.finish()?;
    cx.put_estate("window.set", window, json!({}))
}

/// Withdraws a maintenance window; one that is over is unchanged.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_window(cx: &mut Context<'_, '_>, id: &str) -> Result<MaintenanceWindow> {
    cx.allow(act::actions::SET_WINDOW)?;
    let Some(stored) = record::load::<MaintenanceWindow>(cx.tx, id)? else {
        return Err(Refusal::not_found("window").into());
    };
    let window = stored.record;
    if window.is_over(cx.now) {
        return Ok(window);
    }
    cx.put_estate("window.ended", MaintenanceWindow { ended: true, ..window }, json!({}))
}
