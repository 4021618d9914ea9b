//! Connections to outside systems: a map from their repositories to our services, and a secret shown once.

use std::collections::BTreeMap;

use model::directory::{Connection, Mapping};
use model::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::reading::{LINE, Reading};
use model::refusal::Refusal;
use model::verbs::Body;
use serde_json::{Value, json};
use store::record;

use crate::error::{Error, Result};
use crate::room::Room;

/// What a connection's wrapped secret is bound to.
fn associated(tenant: &str, id: &str) -> Vec<u8> {
    format!("assent connection secret\0{tenant}\0{id}").into_bytes()
}

/// Makes a connection (`POST /connections {kind, name, map}`); answers it with its secret, once.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_connection(room: &mut Room<'_, '_>, body: &Body) -> Result<(Connection, String)> {
    room.allow(model::act::actions::SET_CONNECTION)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed("kind", LINE);
    if kind != "github" && !kind.is_empty() {
        reading.wrong("kind", "unknown_word", "`kind` is `github`.");
    }
    let name = reading.needed("name", LINE);
    let owner = model::input::person(&mut reading, "owner", &directory).unwrap_or_else(|| room.actor.person.clone());
    let map = reading
        .objects("map", |inner| read_mapping(inner, &directory))
        .unwrap_or_default();
    reading.finish()?;
    let id = RecordId(room.new_id()?);
    let mut bytes = [0_u8; 32];
    let tools = room.desk.tools();
    tools.entropy.fill(&mut bytes)?;
    let secret = proof::crypto::base64url(&bytes);
    let wrapped = tools.master.seal(
        secret.as_bytes(),
        &associated(&room.tenant(), id.as_str()),
        tools.entropy.as_ref(),
    )?;
    store::secrets::save(room.tx, id.as_str(), &wrapped, room.now)?;
    let connection = Connection {
        id,
        version: 0,
        kind,
        name,
        map,
        owner,
        active: true,
    };
    let connection = room.put_estate("connection.created", connection, json!({}))?;
    Ok((connection, secret))
}

fn read_mapping(reading: &mut Reading<'_>, directory: &model::directory::Directory) -> Mapping {
    let repository = reading.needed("repository", LINE).to_lowercase();
    let service = ServiceKey(reading.needed("service", LINE));
    if !service.0.is_empty() && !directory.services.contains_key(&service) {
        reading.wrong("service", "unknown", format!("There is no service `{service}`."));
    }
    let mut environments = BTreeMap::new();
    match reading.value("environments") {
        Some(Value::Object(map)) => {
            for (theirs, ours) in map {
                let ours = EnvironmentKey::from(ours.as_str().unwrap_or_default());
                if !directory.environments.contains_key(&ours) {
                    reading.wrong("environments", "unknown", format!("There is no environment `{ours}`."));
                }
                environments.insert(theirs.clone(), ours);
            }
        }
        Some(_) => reading.wrong(
            "environments",
            "not_an_object",
            "`environments` maps their names to ours.",
        ),
        None => {}
    }
    Mapping {
        repository,
        service,
        environments,
    }
}

/// A connection by its id.
///
/// # Errors
/// 404, or the store's.
pub fn connection(room: &mut Room<'_, '_>, id: &str) -> Result<Connection> {
    let found = record::load::<Connection>(room.tx, id)?.map(|stored| stored.record);
    found.ok_or_else(|| Error::Refused(Refusal::not_found("connection")))
}

/// The secret under which a connection's deliveries are signed.
///
/// # Errors
/// 404 when there is none; a fault of the keys.
pub fn connection_secret(room: &mut Room<'_, '_>, id: &str) -> Result<Vec<u8>> {
    let Some(wrapped) = store::secrets::load(room.tx, id)? else {
        return Err(Refusal::not_found("connection").into());
    };
    let bound = associated(&room.tenant(), id);
    Ok(room.desk.tools().master.open(&wrapped, &bound)?.to_vec())
}

/// Stops taking a connection's deliveries (`DELETE /connections/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_connection(room: &mut Room<'_, '_>, id: &str) -> Result<Connection> {
    room.allow(model::act::actions::SET_CONNECTION)?;
    let found = connection(room, id)?;
    room.put_estate("connection.ended", Connection { active: false, ..found }, json!({}))
}
