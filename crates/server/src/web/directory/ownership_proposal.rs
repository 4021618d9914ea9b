//! The content of an ownership proposal as text: the person who puts the proposal in force is responsible for all of it, so all
//! of it is shown.

use std::collections::{BTreeMap, BTreeSet};

use acts::policy::propose_ownership::{self, Content};
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, ConfigurationState, DependencyKind, Noun};
use model::directory::snapshot::{Connection, Dependency, Directory, Group, Ownership};
use model::policy::configuration::Configuration;
use serde_json::Value;
use store::record;

use crate::web::integration::connections::kind_label;
use crate::web::shared::view::View;

/// The most rows of each list for a decided proposal. A pending proposal shows all rows: the second person must see all of
/// them.
const ROWS_SHOWN: usize = 20;

/// The content of the ownership proposals among these, a line for each item, by the proposals' ids.
pub(crate) fn proposal_lines(
    view: &mut View<'_, '_, '_>,
    found: &[Configuration],
) -> acts::Result<BTreeMap<String, Vec<String>>> {
    let mut told = BTreeMap::new();
    for row in found.iter().filter(|row| row.kind == ConfigurationKind::Ownership) {
        if let Ok(content) = propose_ownership::content(row) {
            let waits = row.state == ConfigurationState::Proposed;
            told.insert(row.id.0.clone(), content_lines(view, &content, waits)?);
        }
    }
    Ok(told)
}

fn content_lines(view: &mut View<'_, '_, '_>, content: &Content, waits: bool) -> acts::Result<Vec<String>> {
    let most = if waits { usize::MAX } else { ROWS_SHOWN };
    let mut words = Vec::new();
    for (noun, _, rows) in content.lists() {
        for body in rows.iter().take(most) {
            // A decided proposal has changed its groups already, so nothing is left to compare with.
            match noun {
                Noun::Groups if waits => words.extend(group_lines(&view.directory, body)),
                Noun::People if waits => words.push(format!("person: {}", person_text(&view.directory, body))),
                _ => words.push(format!("{}{}", one_of(noun), cells(body))),
            }
        }
        words.extend(rest(rows.len(), most));
    }
    for (list, rows) in content.requests() {
        let shown = rows.iter().take(most);
        words.extend(shown.map(|body| format!("{}{}", one_request(list), cells(body))));
        words.extend(rest(rows.len(), most));
    }
    for (list, ids) in content.ids() {
        for id in ids.iter().take(most) {
            words.push(record_name(view, list, id)?);
        }
        words.extend(rest(ids.len(), most));
    }
    if content.from_catalogue {
        words.push("the rows come from a catalogue and end when it no longer contains them".to_owned());
    }
    if content.end_missing {
        words.push("every other row ends".to_owned());
    }
    match content.by_two {
        Some(true) => words.push("rows that affect decisions need two people from then on".to_owned()),
        Some(false) => words.push("rows no longer need two people".to_owned()),
        None => {}
    }
    Ok(words)
}

fn rest(count: usize, most: usize) -> Option<String> {
    (count > most).then(|| format!("and {} more rows", count - most))
}

fn cells(body: &Body) -> String {
    let cells = body.iter().map(|(field, value)| cell(field, value));
    cells.collect::<Vec<_>>().join("; ")
}

fn cell(field: &str, value: &Value) -> String {
    format!("{field} {}", whole(value))
}

/// The whole value, without the marks of JSON: an omitted part would go in force without a second person's check.
fn whole(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(rows) => rows.iter().map(whole).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(field, value)| cell(field, value));
            format!("({})", fields.collect::<Vec<_>>().join("; "))
        }
        other => other.to_string(),
    }
}

/// A person, with the present rights and functions beside the proposed ones.
fn person_text(directory: &Directory, body: &Body) -> String {
    let login = body.get("login").and_then(Value::as_str).unwrap_or_default();
    let known = directory.by_login(&login.trim().to_lowercase());
    let until_now = |field: &str| -> Option<Vec<&str>> {
        let known = known?;
        match field {
            "roles" => Some(known.roles.iter().map(|role| role.as_str()).collect()),
            "functions" => Some(known.functions.iter().map(String::as_str).collect()),
            _ => None,
        }
    };
    let cells = body.iter().map(|(field, value)| match until_now(field).as_deref() {
        None => cell(field, value),
        Some([]) => format!("{} (until now none)", cell(field, value)),
        Some(had) => format!("{} (until now {})", cell(field, value), had.join(", ")),
    });
    cells.collect::<Vec<_>>().join("; ")
}

/// A group, with the members that join and leave: a bare list of members would not show the difference.
fn group_lines(directory: &Directory, body: &Body) -> Vec<String> {
    let mut others = body.clone();
    let whole = others.remove("members");
    let joins = others.remove("joins");
    let mut words = vec![format!("{}{}", one_of(Noun::Groups), cells(&others))];
    let key = body.get("key").and_then(Value::as_str).unwrap_or_default();
    let group = directory.groups.get(&key.into()).filter(|group| !group.removed);
    let sits = group.map(|group| seated(directory, group)).unwrap_or_default();
    let coming: BTreeSet<String> = [&whole, &joins].into_iter().flatten().flat_map(logins).collect();
    // A null beside joining members does not empty the group, and a group whose members are not named keeps them.
    let empties = whole.as_ref().is_some_and(|told| !told.is_null() || joins.is_none());
    let name = |login: &String| {
        let person = directory.by_login(login);
        person.map_or_else(|| login.clone(), |person| person.name.clone())
    };
    let joining = coming.difference(&sits);
    words.extend(joining.map(|login| format!("{} joins the group {key}", name(login))));
    if empties {
        let leaving = sits.difference(&coming);
        words.extend(leaving.map(|login| format!("{} leaves the group {key}", name(login))));
    }
    words
}

fn seated(directory: &Directory, group: &Group) -> BTreeSet<String> {
    group.members.iter().map(|person| directory.login(person)).collect()
}

/// Logins are compared as they are kept, in lower case.
fn logins(list: &Value) -> Vec<String> {
    let told = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = told.iter().filter_map(Value::as_str);
    texts.map(|login| login.trim().to_lowercase()).collect()
}

/// The display name of a record that is given by its id.
fn record_name(view: &mut View<'_, '_, '_>, list: &str, id: &str) -> acts::Result<String> {
    let tx = &mut *view.cx.tx;
    let told = match list {
        "connections" => record::load::<Connection>(tx, id)?.map(|it| connection_text(&it.record)),
        "end_dependencies" => record::load::<Dependency>(tx, id)?.map(|it| arrow_text(&it.record)),
        _ => record::load::<Ownership>(tx, id)?.map(|it| row_text(&view.directory, &it.record)),
    };
    Ok(told.unwrap_or_else(|| id.to_owned()))
}

fn connection_text(connection: &Connection) -> String {
    let kind = kind_label(&connection.kind);
    let mut told = vec![format!(
        "deliveries of the connection {} ({kind}) are taken",
        connection.name
    )];
    // The connection's trust settings are shown nowhere else before the second person decides.
    told.extend(connection.map.iter().map(|row| {
        let places = row
            .environments
            .iter()
            .map(|(theirs, ours)| format!("{theirs} is {ours}"));
        let places: Vec<String> = places.collect();
        format!("{} is {} ({})", row.repository, row.service, places.join(", "))
    }));
    told.extend(connection.builders.iter().map(|it| format!("builder {}", it.builder)));
    told.extend(connection.api.as_ref().map(|api| format!("answers at {}", api.base)));
    told.join("; ")
}

fn arrow_text(arrow: &Dependency) -> String {
    let (from, to) = (&arrow.from, &arrow.to);
    match arrow.kind {
        DependencyKind::PartOf => format!("{from} is no longer part of {to}"),
        DependencyKind::RunsOn => format!("{from} runs on {to} no longer"),
        DependencyKind::StoresIn => format!("{from} no longer stores its data in {to}"),
        _ => format!("{from} no longer depends on {to}"),
    }
}

fn row_text(directory: &Directory, row: &Ownership) -> String {
    let holder = match (&row.person, &row.group) {
        (Some(person), _) => directory.name(person),
        (None, group) => group.as_ref().map_or_else(String::new, |key| format!("group:{key}")),
    };
    let place = row.environment.as_ref().map_or("everywhere", |key| key.as_str());
    format!("the row {} {place} {} {holder} ends", row.scope(), row.role)
}

/// The kind of a proposal's row, as its label.
fn one_of(noun: Noun) -> &'static str {
    match noun {
        Noun::People => "person: ",
        Noun::Groups => "group: ",
        Noun::Services => "service: ",
        Noun::Environments => "environment: ",
        Noun::ConfigItems => "config item: ",
        Noun::Dependencies => "dependency: ",
        Noun::Ownerships => "",
    }
}

fn one_request(list: &str) -> &'static str {
    match list {
        "delegations" => "delegation: ",
        "trainings" => "training: ",
        "calendars" => "calendar: ",
        "connection_edits" => "connection: ",
        _ => "identity provider: ",
    }
}
