//! Incidents: the record, its command, and the changes that its commander lets through.

use acts::Context;
use acts::incident::find_situation::{Contact, InScope, Situation, find_situation};
use acts::incident::{close_incident, command_incident, note_entry, set_incident, sign_exception};
use acts::report::find_changes::find_naming;
use model::core::act::actions;
use model::core::enums::IncidentState;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Incident};
use model::incident::major;
use serde_json::{Value, json};
use wire::views;

use crate::api::shared::records::{is_titled, keyed, state_filter};
use crate::http::route::{Ask, Reply, Route};

/// Incidents.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_incidents", incidents),
    Route::writes("open_incident", |cx, ask| {
        let made = set_incident::open_incident(cx, &ask.body)?;
        created(cx, &made)
    }),
    Route::reads("show_incident", incident),
    Route::edits("edit_incident", incident_version, |cx, ask| {
        let made = set_incident::edit_incident(cx, ask.place(0), &ask.body)?;
        shown(cx, &made)
    }),
    Route::reads("show_situation", situation),
    Route::reads("show_timeline", timeline),
    Route::writes("command_incident", |cx, ask| {
        let made = command_incident::command_incident(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
    Route::writes("declare_major", |cx, ask| {
        let made = command_incident::declare_major(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
    Route::writes("stand_down", |cx, ask| {
        let made = command_incident::stand_down(cx, ask.place(0), &ask.body)?;
        shown(cx, &made)
    }),
    Route::writes("halt_work", |cx, ask| {
        let made = command_incident::halt_work(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
    Route::writes("sign_exception", |cx, ask| {
        let made = sign_exception::sign_exception(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
    Route::writes("withdraw_signature", |cx, ask| {
        let made = sign_exception::withdraw_signature(cx, ask.place(0), ask.place(1))?;
        shown(cx, &made)
    }),
    Route::writes("review_signature", |cx, ask| {
        let made = sign_exception::review_signature(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
    Route::writes("close_incident", |cx, ask| {
        let made = close_incident::close_incident(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
    Route::writes("merge_incident", |cx, ask| {
        let made = close_incident::merge_incident(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    }),
];

fn incidents(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let directory = cx.visible()?;
    let states: Vec<&str> = IncidentState::ALL.iter().map(|state| state.as_str()).collect();
    let state = state_filter(ask, &states)?;
    let is_major = match ask.query("major").filter(|word| !word.is_empty()) {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Refusal::field("major", "not_a_boolean", "`major` is true or false.").into()),
    };
    let service = ask.query("service").unwrap_or_default();
    let wanted = |it: &&Incident| {
        state.is_none_or(|word| word == it.state().as_str())
            && is_major.is_none_or(|major| major == it.is_major())
            && (service.is_empty() || it.services.iter().any(|key| key.as_str() == service))
    };
    let after = ask.query("after").unwrap_or_default();
    let is_named = |it: &&Incident| is_titled(ask, &it.title) || is_titled(ask, &it.key);
    let rows = directory.incidents.values().filter(wanted).filter(is_named);
    let mut rows: Vec<&Incident> = rows.filter(|it| it.key.as_str() > after).collect();
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    // Only the rows of one page are rendered.
    rows.truncate(usize::try_from(ask.limit()?).unwrap_or_default() + 1);
    let rows = rows.into_iter();
    keyed(ask, rows.map(|row| (row.key.clone(), views::incident(row, &directory))))
}

fn shown(cx: &mut Context<'_, '_>, incident: &Incident) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    Ok(Reply::ok(views::incident(incident, &directory)).tagged(incident.version))
}

fn created(cx: &mut Context<'_, '_>, incident: &Incident) -> acts::Result<Reply> {
    Ok(Reply {
        status: 201,
        ..shown(cx, incident)?
    })
}

fn found(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<Incident> {
    cx.allow(actions::READ)?;
    let directory = cx.visible()?;
    let found = directory.incidents.get(&key.to_uppercase());
    Ok(found
        .cloned()
        .ok_or_else(|| Refusal::not_found(format!("incident {key}")))?)
}

fn incident(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let (directory, key) = (cx.visible()?, ask.place(0));
    let found = directory.incidents.get(&key.to_uppercase());
    let incident = found.ok_or_else(|| Refusal::not_found(format!("incident {key}")))?;
    let mut shown = views::incident(incident, &directory);
    let changes = find_naming(cx, incident)?.into_iter();
    shown["changes"] = changes.map(|row| json!({"key": row.key, "state": row.state})).collect();
    Ok(Reply::ok(shown).tagged(incident.version))
}

fn incident_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx
        .directory()?
        .incidents
        .get(&ask.place(0).to_uppercase())
        .map(|row: &Incident| row.version))
}

fn timeline(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let incident = found(cx, ask.place(0))?;
    let (entries, directory) = (note_entry::timeline(cx, &incident.key)?, cx.directory()?);
    // The latest come first, so the order of their numbers is the order of the list.
    let rows = entries.iter().enumerate();
    keyed(
        ask,
        rows.map(|(place, entry)| (format!("{place:06}"), views::shown(entry, &directory))),
    )
}

fn situation(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let incident = found(cx, ask.place(0))?;
    let (situation, directory) = (find_situation(cx, &incident)?, cx.directory()?);
    Ok(Reply::ok(situation_view(&incident, &situation, &directory)))
}

fn situation_view(incident: &Incident, it: &Situation, directory: &Directory) -> Value {
    let freeze = it.freeze.as_ref();
    let freeze =
        freeze.map(|row| json!({"id": row.id, "since": row.starts_at, "until": row.ends_at, "halt": row.halt}));
    let commander = major::commander(incident, directory).map(|person| directory.login(person));
    let asked: Vec<String> = it.asked.iter().map(|person| directory.login(person)).collect();
    let contact = |row: &Contact| {
        json!({
            "person": directory.login(&row.person),
            "name": directory.name(&row.person),
            "roles": row.roles,
            "services": row.services,
        })
    };
    json!({
        "incident": incident.key,
        "state": incident.state(),
        "is_major": incident.is_major(),
        "commander": commander,
        "waiting_on": asked,
        "freeze": freeze,
        "services": it.services,
        "in_flight_count": it.in_flight_count,
        "in_flight": it.in_flight.iter().map(scope_view).collect::<Vec<Value>>(),
        "stopped_count": it.stopped_count,
        "stopped": it.stopped.iter().map(scope_view).collect::<Vec<Value>>(),
        "signed_count": incident.course.signatures.len(),
        "unreviewed_count": incident.unreviewed().count(),
        "contacts": it.contacts.iter().map(contact).collect::<Vec<Value>>(),
        "closed_at": incident.course.closed_at,
    })
}

fn scope_view(row: &InScope) -> Value {
    json!({
        "key": row.key,
        "title": row.title,
        "state": row.state,
        "risk": row.risk,
        "services": row.services,
        "signed": row.signed,
    })
}
