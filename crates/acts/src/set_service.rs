//! The estate's things: services, config items, environments, dependencies, ownership, windows.

use model::directory::{ConfigItem, Dependency, Environment, MaintenanceWindow, Ownership, Service};
use model::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::reading::{LINE, Reading};
use model::refusal::Refusal;
use model::verbs::Body;
use model::words::{Criticality, OwnershipRole};
use serde_json::json;
use store::record;

use crate::error::Result;
use crate::room::Room;
use crate::set_freeze::{read_scope, read_span};
use crate::settle_open::settle_open;

/// A key as the estate uses it: lower case, digits, `-`, `_`, `.`, at most 100 characters.
fn read_key(reading: &mut Reading<'_>, field: &'static str) -> String {
    let key = reading.needed(field, 100);
    if !key
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
    {
        reading.wrong(
            field,
            "not_a_key",
            format!("`{field}` takes lower-case letters, digits, `-`, `_` and `.`."),
        );
    }
    key
}

fn identity(room: &Room<'_, '_>, old: Option<(RecordId, i64)>) -> Result<(RecordId, i64)> {
    match old {
        Some(known) => Ok(known),
        None => Ok((RecordId(room.new_id()?), 0)),
    }
}

/// Makes or changes a service (`POST /services {key, name, criticality, regimes, data_class, team}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_service(room: &mut Room<'_, '_>, body: &Body) -> Result<Service> {
    room.allow(model::act::actions::SET_SERVICE)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let key = ServiceKey(read_key(&mut reading, "key"));
    let old = directory.services.get(&key).map(|old| (old.id.clone(), old.version));
    let (id, version) = identity(room, old)?;
    let service = Service {
        id,
        version,
        name: reading.text("name", LINE).unwrap_or_else(|| key.0.clone()),
        criticality: reading.word("criticality").unwrap_or(Criticality::Medium),
        regimes: reading.texts("regimes", LINE).unwrap_or_default().into_iter().collect(),
        data_class: read_data_class(&mut reading),
        team: reading.text("team", LINE),
        key,
    };
    reading.finish()?;
    let service = room.put_estate("service.set", service, json!({}))?;
    settle_open(room, |change| {
        change
            .content
            .targets
            .iter()
            .any(|target| target.service == service.key)
    })?;
    Ok(service)
}

fn read_data_class(reading: &mut Reading<'_>) -> Option<String> {
    let class = reading.text("data_class", LINE)?;
    let known = ["public", "internal", "confidential", "restricted"];
    if !known.contains(&class.as_str()) {
        reading.wrong(
            "data_class",
            "unknown_word",
            format!("`data_class` is one of: {}.", known.join(", ")),
        );
    }
    Some(class)
}

/// Makes or changes an environment (`POST /environments {key, name, is_production}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_environment(room: &mut Room<'_, '_>, body: &Body) -> Result<Environment> {
    room.allow(model::act::actions::SET_SERVICE)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let key = EnvironmentKey(read_key(&mut reading, "key"));
    let old = directory
        .environments
        .get(&key)
        .map(|old| (old.id.clone(), old.version));
    let (id, version) = identity(room, old)?;
    let name = reading.text("name", LINE).unwrap_or_else(|| key.0.clone());
    let is_production = reading.boolean("is_production").unwrap_or(true);
    reading.finish()?;
    let place = room.put_estate(
        "environment.set",
        Environment {
            id,
            version,
            key,
            name,
            is_production,
        },
        json!({}),
    )?;
    settle_open(room, |change| {
        change
            .content
            .targets
            .iter()
            .any(|target| target.environment == place.key)
    })?;
    Ok(place)
}

fn known_service(
    reading: &mut Reading<'_>,
    field: &'static str,
    directory: &model::directory::Directory,
) -> ServiceKey {
    let key = ServiceKey(reading.needed(field, LINE));
    if !key.0.is_empty() && !directory.services.contains_key(&key) {
        reading.wrong(field, "unknown", format!("There is no service `{key}`."));
    }
    key
}

/// Makes or changes a config item (`POST /config-items {key, name, service}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_config_item(room: &mut Room<'_, '_>, body: &Body) -> Result<ConfigItem> {
    room.allow(model::act::actions::SET_SERVICE)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let key = read_key(&mut reading, "key");
    let old = directory
        .config_items
        .get(&key)
        .map(|old| (old.id.clone(), old.version));
    let (id, version) = identity(room, old)?;
    let name = reading.text("name", LINE).unwrap_or_else(|| key.clone());
    let service = known_service(&mut reading, "service", &directory);
    reading.finish()?;
    room.put_estate(
        "config_item.set",
        ConfigItem {
            id,
            version,
            key,
            name,
            service,
        },
        json!({}),
    )
}

/// Says that one service needs another (`POST /dependencies {from, to}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_dependency(room: &mut Room<'_, '_>, body: &Body) -> Result<Dependency> {
    room.allow(model::act::actions::SET_SERVICE)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let from = known_service(&mut reading, "from", &directory);
    let to = known_service(&mut reading, "to", &directory);
    if from == to && !from.0.is_empty() {
        reading.wrong("to", "not_allowed", "A service does not depend on itself.");
    }
    if directory
        .dependencies
        .iter()
        .any(|known| known.from == from && known.to == to)
    {
        reading.wrong("to", "not_unique", "This dependency is there already.");
    }
    reading.finish()?;
    let id = RecordId(room.new_id()?);
    room.put_estate(
        "dependency.set",
        Dependency {
            id,
            version: 0,
            from,
            to,
        },
        json!({}),
    )
}

/// Adds a line to the ownership list (`POST /ownerships {service?, environment?, role, person | group}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_ownership(room: &mut Room<'_, '_>, body: &Body) -> Result<Ownership> {
    room.allow(model::act::actions::SET_OWNERSHIP)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let service = reading.text("service", LINE).map(ServiceKey);
    if service
        .as_ref()
        .is_some_and(|key| !directory.services.contains_key(key))
    {
        reading.wrong("service", "unknown", "There is no such service.");
    }
    let environment = reading.text("environment", LINE).map(EnvironmentKey);
    if environment
        .as_ref()
        .is_some_and(|key| !directory.environments.contains_key(key))
    {
        reading.wrong("environment", "unknown", "There is no such environment.");
    }
    let role = reading.needed_word("role", OwnershipRole::Owner);
    let person = model::input::person(&mut reading, "person", &directory);
    let group = reading.text("group", LINE).map(model::ids::GroupKey);
    if group.as_ref().is_some_and(|key| !directory.groups.contains_key(key)) {
        reading.wrong("group", "unknown", "There is no such group.");
    }
    if person.is_some() == group.is_some() && reading.errors.is_empty() {
        reading.wrong("person", "missing", "Name either `person` or `group`.");
    }
    reading.finish()?;
    let id = RecordId(room.new_id()?);
    let row = Ownership {
        id,
        version: 0,
        service,
        environment,
        role,
        person,
        group,
        since: room.now,
    };
    let row = room.put_estate("ownership.set", row, json!({}))?;
    settle_open(room, |change| {
        row.service
            .as_ref()
            .is_none_or(|key| change.content.targets.iter().any(|target| &target.service == key))
    })?;
    Ok(row)
}

/// Sets a maintenance window (`POST /windows {title, starts_at, ends_at, services, environments}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_window(room: &mut Room<'_, '_>, body: &Body) -> Result<MaintenanceWindow> {
    room.allow(model::act::actions::SET_WINDOW)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let (services, environments) = read_scope(&mut reading, &directory);
    let (starts_at, ends_at) = read_span(&mut reading, room.now);
    let id = RecordId(room.new_id()?);
    let title = reading.needed("title", LINE);
    reading.finish()?;
    let window = MaintenanceWindow {
        id,
        version: 0,
        title,
        starts_at,
        ends_at,
        services,
        environments,
        ended: false,
    };
    room.put_estate("window.set", window, json!({}))
}

/// Takes a maintenance window back.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_window(room: &mut Room<'_, '_>, id: &str) -> Result<MaintenanceWindow> {
    room.allow(model::act::actions::SET_WINDOW)?;
    let Some(stored) = record::load::<MaintenanceWindow>(room.tx, id)? else {
        return Err(Refusal::not_found("window").into());
    };
    room.put_estate(
        "window.ended",
        MaintenanceWindow {
            ended: true,
            ..stored.record
        },
        json!({}),
    )
}
