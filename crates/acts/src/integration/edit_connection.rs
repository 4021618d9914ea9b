//! Changes an existing connection: its address and its secret stay, so the other side needs no new setup.
//!
//! Where changes of trust need two people, one person alone cannot make a repository, builder or address trusted this way. A
//! waiting connection is not trusted yet, and a proposal from before the edit must be made again.

use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::EnvironmentKey;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::core::typed;
use model::directory::snapshot::{Connection, Directory, Mapping};
use serde_json::{Value, json};

use crate::core::connections::connection;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::secrets;
use crate::guard::two_people;
use crate::integration::set_connection::{check_base, read_api, read_builder, read_link, read_mapping, read_reply_to};
use crate::integration::{map_rows, poll_deployments};
use crate::schedule::push_freezes;

/// The fields that may change. The kind decides how deliveries are read, and the secret authenticates their sender: a different
/// kind or secret needs a new connection.
const FIELDS: [&str; 8] = [
    "name", "owner", "map", "links", "api", "builders", "reply_to", "trusted",
];

/// A connection as it is to be.
pub(crate) struct Edited {
    before: Connection,
    after: Connection,
    credential: Option<String>,
}

/// Reads a connection after an edit: the stored one with the merge patch applied.
///
/// # Errors
/// 404, 409 for a connection that has ended, 422, or the store's.
pub(crate) fn read_edit(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Edited> {
    let before = connection(cx, id)?;
    if !before.active && !before.waits {
        let said = "This connection no longer accepts deliveries.";
        return Err(Refusal::not_now("not_in_state", said, "Make a new one.", Vec::new()).into());
    }
    let directory = cx.directory()?;
    let whole = patched(&before, &directory, body)?;
    let mut reading = Reading::new(&whole, "");
    let name = reading.needed("name", LINE);
    let owner = read_content::person(&mut reading, "owner", &directory).unwrap_or_else(|| before.owner.clone());
    let map = reading.objects("map", |inner| read_mapping(inner, &directory));
    let links = reading.objects("links", read_link).unwrap_or_default();
    let api = reading.object("api", |inner| {
        let told = read_api(inner, &before.kind, false);
        match &before.api {
            Some(known) if known.base != told.0.base => {
                let text = "Another address is another system: make a connection for it.";
                inner.wrong("base", "not_here", text);
            }
            Some(_) => {}
            None => check_base(cx, inner, &told.0),
        }
        told
    });
    let builders = reading.objects("builders", read_builder).unwrap_or_default();
    let reply_to = read_reply_to(&mut reading, &before.kind);
    let trusted = reading.texts("trusted", LINE).unwrap_or_default();
    // Rows from before this check stay valid as long as the map is not edited.
    if let Some(map) = map.as_ref().filter(|map| !is_same_map(map, &before.map)) {
        map_rows::check(&mut reading, &before.kind, map);
    }
    reading.finish()?;
    let (api, credential) = api.map_or((None, None), |(api, credential)| (Some(api), credential));
    let mut after = Connection {
        name,
        owner,
        map: map.unwrap_or_default(),
        links,
        api,
        builders,
        reply_to,
        trusted,
        ..before.clone()
    };
    for row in &mut after.map {
        let mut of_it = before.map.iter().filter(|known| known.is_of(&row.repository));
        let known = of_it.clone().find(|known| known.service == row.service);
        // Earlier deployments there are not judged: the map did not cover them.
        row.since = known.map_or(Some(cx.now), |known| known.since);
        let same = of_it.next();
        row.repository_id = same.and_then(|same| same.repository_id.clone());
        row.first_named = same.and_then(|same| same.first_named.clone());
    }
    Ok(Edited {
        before,
        after,
        credential,
    })
}

fn is_same_map(one: &[Mapping], other: &[Mapping]) -> bool {
    let is_same = |(one, other): (&Mapping, &Mapping)| {
        one.is_of(&other.repository) && one.service == other.service && one.environments == other.environments
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

/// A connection as a request body, with the merge patch applied.
fn patched(before: &Connection, directory: &Directory, body: &Body) -> Result<Body> {
    let mut told = serde_json::to_value(before)?;
    typed::flatten(&mut told);
    let Value::Object(all) = told else {
        return Err(Error::Fault("a connection is no object".to_owned()));
    };
    let is_ours = |(field, _): &(String, Value)| FIELDS.contains(&field.as_str());
    let mut map: Body = all.into_iter().filter(is_ours).collect();
    map.insert("owner".to_owned(), json!(directory.login(&before.owner)));
    read_content::merge(&mut map, body);
    Ok(map)
}

/// Whether an edit makes something trusted that was not before: deliveries and poll results count as evidence, as attestations,
/// as running versions and as replies. A removal or a new name gives no trust.
fn gives_voice(before: &Connection, after: &Connection) -> bool {
    let was_mapped = |row: &Mapping| {
        let same = |known: &&Mapping| known.repository == row.repository && known.service == row.service;
        before.map.iter().filter(same).any(|known| {
            let is_known = |(theirs, ours): (&String, &EnvironmentKey)| known.environments.get(theirs) == Some(ours);
            row.environments.iter().all(is_known)
        })
    };
    !after.map.iter().all(was_mapped)
        || !after.builders.iter().all(|it| before.builders.contains(it))
        || !after.trusted.iter().all(|it| before.trusted.contains(it))
        || before.links != after.links
        || before.owner != after.owner
        || (after.reply_to.is_some() && before.reply_to != after.reply_to)
        || (after.api.is_some() && before.api.is_none())
}

/// Changes a connection (`PATCH /connections/{id} {name?, owner?, map?, links?, api?, builders?, reply_to?, trusted?}`).
///
/// # Errors
/// 403, 404, 409 for a connection that has ended or an edit that needs two people; 422, or the store's.
pub fn edit_connection(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Connection> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let edited = read_edit(cx, id, body)?;
    let needs = edited.before.active && gives_voice(&edited.before, &edited.after);
    two_people::check(cx, needs, two_people::CONNECTIONS)?;
    let way = |it: &Connection| it.api.as_ref().map(|api| api.app.is_some());
    let is_other_way = way(&edited.before) != way(&edited.after);
    if is_other_way && edited.after.api.is_some() && edited.credential.is_none() {
        let text = "Send the credential for this method as well: `token`, or `private_key` of an App.";
        return Err(Refusal::field("api", "missing", text).into());
    }
    keep_edit(cx, edited)
}

/// Reads a row of a proposal: the id, and the edits of the connection.
///
/// # Errors
/// 404, 409 for one that has ended, 422, also for a credential; or the store's.
pub(crate) fn read_proposed(cx: &mut Context<'_, '_>, body: &Body) -> Result<Edited> {
    let mut body = body.clone();
    let Some(Value::String(id)) = body.remove("id") else {
        return Err(Refusal::field("id", "missing", "`id` is missing.").into());
    };
    let edited = read_edit(cx, &id, &body)?;
    if edited.credential.is_some() {
        let text =
            "A proposal cannot contain a credential: set it with `PATCH /connections/{id}` once this is in force.";
        return Err(Refusal::field("api", "not_here", text).into());
    }
    Ok(edited)
}

/// Stores an edited connection, without a check of permissions, and begins polling for new repositories.
///
/// # Errors
/// The store's, or a fault of the keys.
pub(crate) fn keep_edit(cx: &mut Context<'_, '_>, edited: Edited) -> Result<Connection> {
    let Edited {
        before,
        after,
        credential,
    } = edited;
    let is_new_api = before.api.is_none() && after.api.is_some();
    if credential.is_some() || is_new_api {
        // A credential that was given for another address must not be sent to this one.
        let name = secrets::credential_name(before.id.as_str());
        secrets::keep(cx, &name, credential.unwrap_or_default().as_bytes())?;
    }
    if after == before {
        return Ok(before);
    }
    let after = cx.put_estate("connection.edited", after, json!({}))?;
    if after.active {
        push_freezes::bring_all(cx, &after)?;
        if poll_deployments::is_lacking(cx, &after)? {
            poll_deployments::begin(cx, &after)?;
        }
    }
    Ok(after)
}
