//! The commander's part of the page of an incident: freeze, work under way, signatures, contacts, timeline, and the forms.

use acts::audit::find_timeline::find_history;
use acts::core::noun;
use acts::incident::find_situation::{InScope, Situation, find_situation};
use acts::incident::{close_incident, command_incident, note_entry, set_incident, sign_exception};
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{IncidentState, TimelineKind};
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use model::incident::entry::IncidentEntry;
use model::incident::major;
use pages::{ActForm, ActTone, Entry, Fact, Field, Mark, Moment, Notice, Place, Rich, Section, SectionBody, Tone};
use serde_json::json;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::incident::incidents::incident_page;
use crate::web::shared::fields::{pick_field, present_times, time_field};
use crate::web::shared::form::{Form, STANDS};
use crate::web::shared::form_page::{send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::timeline::index as written;
use crate::web::shared::view::{View, Visitor};
use crate::web::shared::words;

/// The most entries of the timeline on the page.
const MOMENTS: usize = 100;
/// The most changes of a list on the page.
const CHANGES: usize = 20;
/// The most services that a sentence names.
const NAMED: usize = 12;

/// The label and the tone of a state.
pub(super) fn state_mark(incident: &Incident) -> Mark {
    match incident.state() {
        IncidentState::Open => Tone::Wait.mark("Open"),
        IncidentState::Mitigated => Tone::Wait.mark("Mitigated"),
        IncidentState::Resolved => Tone::Ok.mark("Resolved"),
        IncidentState::Closed => Tone::Plain.mark("Closed"),
    }
}

/// Facts beside the page.
pub(super) fn facts(view: &View<'_, '_, '_>, incident: &Incident) -> Vec<Fact> {
    let course = &incident.course;
    let commander = match major::commander(incident, &view.directory) {
        Some(person) => Fact::people("Commander", vec![view.named(person)]),
        None => Fact::new("Commander", "Nobody yet"),
    };
    let mut found = vec![commander];
    if !course.kind.is_usual() {
        found.push(Fact::new("Kind", "Security"));
    }
    found.extend(
        course
            .mitigated_at
            .map(|at| Fact::new("Mitigated", view.reader.moment(at))),
    );
    found.extend(course.closed_at.map(|at| Fact::new("Closed", view.reader.moment(at))));
    if let Some(key) = &course.duplicate_of {
        let url = view.url(&format!("/incidents/{}", escaped(key)));
        found.push(Fact::new("Duplicate of", Rich::new().link(key.as_str(), url)));
    }
    if !course.external_keys.is_empty() {
        let keys: Vec<&str> = course.external_keys.iter().map(String::as_str).collect();
        found.push(Fact::new("Keys elsewhere", Rich::new().said(keys.join(", "))));
    }
    found
}

/// The notice above a major incident.
pub(super) fn notice(view: &View<'_, '_, '_>, incident: &Incident) -> Option<Notice> {
    if let Some(why) = major::why_withheld(incident) {
        let mut notice = Notice::new(Tone::Wait, Rich::from(why));
        "Severe, but not a major incident".clone_into(&mut notice.title);
        return Some(notice);
    }
    let since = incident.course.major_since?;
    let text =
        Rich::from("Changes of high risk on its services and around them neither start nor are scheduled, since ")
            .text(view.reader.moment(since))
            .text(".");
    let mut notice = Notice::new(Tone::Stop, text);
    "A major incident".clone_into(&mut notice.title);
    if incident.course.halted {
        notice.rows.push(Rich::from("Work under way is halted as well."));
    }
    if let Some(person) = &incident.course.raised_by {
        notice.rows.push(Rich::from("Declared by ").append(view.person(person)));
    }
    Some(notice)
}

/// The sections of the commander.
pub(super) fn sections(view: &mut View<'_, '_, '_>, incident: &Incident) -> acts::Result<Vec<Section>> {
    let situation = find_situation(view.cx, incident)?;
    let mut found = Vec::new();
    if situation.freeze.is_some() {
        found.push(scope(&situation));
        found.push(changes(
            view,
            "stopped",
            "Changes that it blocks",
            (&situation.stopped, situation.stopped_count),
        ));
    }
    found.push(changes(
        view,
        "in-flight",
        "Changes under way around it",
        (&situation.in_flight, situation.in_flight_count),
    ));
    if !incident.course.signatures.is_empty() {
        found.push(signatures(view, incident));
    }
    found.push(contacts(view, &situation));
    found.push(timeline(view, incident)?);
    Ok(found)
}

fn scope(situation: &Situation) -> Section {
    let keys: Vec<&str> = situation.services.iter().take(NAMED).map(|key| key.as_str()).collect();
    let more = situation.services.len().saturating_sub(NAMED);
    let mut rich = Rich::new().said(keys.join(", "));
    if more > 0 {
        rich = rich.text(format!(" and {more} more"));
    }
    Section::new("scope", "Services that are frozen", SectionBody::Words(rich))
        .note("Its services, what they need, and what needs them.".to_owned())
}

fn changes(
    view: &View<'_, '_, '_>,
    id: &'static str,
    title: &'static str,
    (rows, count): (&[InScope], usize),
) -> Section {
    let entries = rows.iter().take(CHANGES).map(|row| {
        let keys: Vec<&str> = row.services.iter().map(|key| key.as_str()).collect();
        let text = Rich::new()
            .link(row.key.as_str(), view.change_url(&row.key))
            .text(" ")
            .said(row.title.as_str());
        let entry = Entry::new(if row.signed { Tone::Ok } else { Tone::Plain }, text)
            .icon(if row.signed { "go" } else { "list" })
            .why(
                Rich::from(words::plain(row.state.as_str()))
                    .text(" · ")
                    .said(keys.join(", ")),
            );
        match row.signed {
            true => entry.aside("let through"),
            false => entry,
        }
    });
    let section = Section::new(id, title, SectionBody::Entries(entries.collect())).unsaid("None.");
    match count > rows.len().min(CHANGES) {
        true => section.note(format!("{} of {count}", rows.len().min(CHANGES))),
        false => section,
    }
}

fn signatures(view: &View<'_, '_, '_>, incident: &Incident) -> Section {
    let now = view.now();
    let rows = incident.course.signatures.iter().rev().enumerate();
    let entries = rows.map(|(place, row)| {
        let text = Rich::new().link(row.change_key.as_str(), view.change_url(&row.change_key));
        let word = match (row.is_in_force(now), row.withdrawn_at) {
            (_, Some(_)) => "taken back",
            (true, None) => "in force",
            (false, None) => "ended",
        };
        let mut entry = Entry::new(if row.is_in_force(now) { Tone::Ok } else { Tone::Plain }, text)
            .icon("go")
            .quote(row.reason.clone())
            .why(
                Rich::from("Signed by ")
                    .append(view.person(&row.by))
                    .text(" · ")
                    .text(view.reader.moment(row.at)),
            )
            .aside(word);
        entry = match &row.review {
            Some(review) if review.justified => entry.aside("reviewed: justified"),
            Some(_) => entry.aside("reviewed: not justified"),
            None => entry.aside("waits for its review"),
        };
        if row.is_in_force(now) && view.may(actions::SET_INCIDENT) {
            let withdraw = ActForm::new("withdraw", "Take it back", act_url(view, incident, "withdrawal"))
                .tone(ActTone::Link)
                .field(Field::hidden("change", row.change_key.as_str()));
            entry = entry.act(format!("signature-{place}"), withdraw);
        }
        entry
    });
    let waiting = incident.unreviewed().count();
    Section::new(
        "signatures",
        "Exceptions signed",
        SectionBody::Entries(entries.collect()),
    )
    .note(format!(
        "{} signed, {waiting} wait for their review",
        incident.course.signatures.len()
    ))
}

fn contacts(view: &View<'_, '_, '_>, situation: &Situation) -> Section {
    let entries = situation.contacts.iter().map(|row| {
        let keys: Vec<&str> = row.services.iter().map(|key| key.as_str()).collect();
        let entry = Entry::new(Tone::Plain, view.person(&row.person))
            .icon("person")
            .why(Rich::new().said(keys.join(", ")));
        row.roles
            .iter()
            .fold(entry, |entry, role| entry.aside(words::plain(role)))
    });
    Section::new("contacts", "Contacts", SectionBody::Entries(entries.collect())).unsaid("Its services have no owners.")
}

fn timeline(view: &mut View<'_, '_, '_>, incident: &Incident) -> acts::Result<Section> {
    let entries = note_entry::timeline(view.cx, &incident.key)?;
    let count = entries.len();
    let mut moments = Vec::new();
    for entry in entries.iter().take(MOMENTS) {
        // The oldest event of an entry is the one that added it.
        let added = find_history::<IncidentEntry>(view.cx, entry.id.as_str())?.pop();
        moments.push(moment(view, entry, added.and_then(|told| told.index)));
    }
    let section = Section::new("timeline", "Timeline", SectionBody::Timeline(moments)).unsaid("Nothing is noted yet.");
    let section = match count > MOMENTS {
        true => section.note(format!("{MOMENTS} of {count}")),
        false => section,
    };
    if !view.may(actions::SET_INCIDENT) || incident.course.closed_at.is_some() {
        return Ok(section);
    }
    let form = ActForm::new("entry", "Add an entry", act_url(view, incident, "entries"))
        .field(idempotent_form::field(view))
        .field(Field::textarea("text", "What happened, or what was decided").required())
        .submit("Add it");
    Ok(section.acts(vec![form]))
}

/// An entry with the index of its event in the log; the proof is a link for a reader who may see the log.
fn moment(view: &View<'_, '_, '_>, entry: &IncidentEntry, index: Option<i64>) -> Moment {
    let icon = match entry.kind {
        TimelineKind::Note => "comment",
        TimelineKind::Alert => "bell",
        TimelineKind::State => "edit",
        TimelineKind::Severity => "incident",
        TimelineKind::Command => "person",
        TimelineKind::Freeze => "snow",
        TimelineKind::Signature => "go",
    };
    let mut meta = Rich::from(view.reader.moment(entry.at));
    if let Some(person) = &entry.by {
        meta = meta.text(" · ").append(view.person(person));
    }
    Moment {
        icon,
        text: Rich::new().said(entry.text.as_str()),
        meta,
        index: index.map(written),
        proof_url: index
            .filter(|_| view.frame.places.contains(&Place::AuditLog))
            .map(|number| view.url(&format!("/audit/events/{number}")))
            .unwrap_or_default(),
    }
}

fn act_url(view: &View<'_, '_, '_>, incident: &Incident, act: &str) -> String {
    view.url(&format!("/incidents/{}/{act}", escaped(&incident.key)))
}

/// The forms of the commander.
pub(super) fn forms(view: &View<'_, '_, '_>, incident: &Incident) -> Vec<ActForm> {
    if !view.may(actions::SET_INCIDENT) {
        return Vec::new();
    }
    let mut found = Vec::new();
    match incident.state() {
        IncidentState::Closed => return review_form(view, incident).into_iter().collect(),
        IncidentState::Resolved => found.push(close_form(view, incident)),
        IncidentState::Open => {
            found.push(mitigate_form(view, incident));
            found.extend(command_forms(view, incident));
        }
        IncidentState::Mitigated => found.extend(command_forms(view, incident)),
    }
    found.extend(review_form(view, incident));
    found.push(merge_form(view, incident));
    found
}

fn mitigate_form(view: &View<'_, '_, '_>, incident: &Incident) -> ActForm {
    ActForm::new(
        "mitigate",
        "Mitigated",
        view.url(&format!("/incidents/{}", escaped(&incident.key))),
    )
    .field(
        time_field(view, "mitigated_at", "Since when its effect is contained")
            .value(view.reader.field(view.now()))
            .required(),
    )
    .field(Field::hidden(
        STANDS,
        present_times([("mitigated_at", Some(view.now()))]),
    ))
    .submit("Mark as mitigated")
}

fn close_form(view: &View<'_, '_, '_>, incident: &Incident) -> ActForm {
    ActForm::new("close", "Close it", act_url(view, incident, "closure"))
        .field(Field::textarea("reason", "Closing note"))
        .submit("Close the incident")
}

/// Whether a commander is what the incident wants first: it is major, and nobody commands it. Otherwise its end is the main act.
pub(super) fn wants_one(view: &View<'_, '_, '_>, incident: &Incident) -> bool {
    incident.is_major() && major::commander(incident, &view.directory).is_none()
}

fn command_forms(view: &View<'_, '_, '_>, incident: &Incident) -> Vec<ActForm> {
    let me = &view.cx.actor.person;
    let commander = major::commander(incident, &view.directory);
    let mut found = Vec::new();
    if commander != Some(me) && major::may_command(&view.directory, me) {
        let tone = match wants_one(view, incident) {
            true => ActTone::Go,
            false => ActTone::Plain,
        };
        found.push(ActForm::new("command", "Take command", act_url(view, incident, "command")).tone(tone));
    }
    if !incident.is_major() {
        if !incident.services.is_empty() {
            found.push(reason_form(
                view,
                incident,
                ("major", "Declare it major", "declaration"),
                ActTone::Stop,
            ));
        }
        return found;
    }
    if commander != Some(me) {
        return found;
    }
    found.push(sign_form(view, incident));
    found.push(match incident.course.halted {
        false => reason_form(view, incident, ("halt", "Halt work under way", "halt"), ActTone::Stop),
        true => reason_form(view, incident, ("go-on", "Let work go on", "go-on"), ActTone::Plain),
    });
    found.push(reason_form(
        view,
        incident,
        ("stand-down", "End the freeze", "stand-down"),
        ActTone::Stop,
    ));
    found.push(
        ActForm::new("hand-over", "Hand over command", act_url(view, incident, "command"))
            .field(pick_field(view, "people", "commander", "The next commander").required())
            .submit("Hand it over"),
    );
    found
}

fn sign_form(view: &View<'_, '_, '_>, incident: &Incident) -> ActForm {
    ActForm::new("sign", "Allow one change", act_url(view, incident, "signatures"))
        .tone(ActTone::Go)
        .field(idempotent_form::field(view))
        .field(pick_field(view, "changes", "change", "The change’s key").required().half())
        .field(time_field(view, "until", "It may start until"))
        .field(Field::textarea("reason", "Why it cannot wait"))
        .note("You must authenticate again to sign. For the change that fixes the incident, the link is reason enough. Another \
               person reviews each signature afterwards.")
        .submit("Sign")
}

fn reason_form(
    view: &View<'_, '_, '_>,
    incident: &Incident,
    (id, label, act): (&'static str, &'static str, &'static str),
    tone: ActTone,
) -> ActForm {
    ActForm::new(id, label, act_url(view, incident, act))
        .tone(tone)
        .field(Field::textarea("reason", "Why").required())
        .submit(label)
}

fn review_form(view: &View<'_, '_, '_>, incident: &Incident) -> Option<ActForm> {
    let me = &view.cx.actor.person;
    incident.unreviewed().find(|row| &row.by != me)?;
    let verdicts = [("true", "It could not have waited"), ("false", "It could have waited")];
    let form = ActForm::new(
        "review-signature",
        "Review a signature",
        act_url(view, incident, "signature-reviews"),
    )
    .field(
        pick_field(view, "changes", "change", "The change’s key")
            .required()
            .half(),
    )
    .field(Field::select("justified", "Verdict", &verdicts).half())
    .field(Field::textarea("reason", "Why").required())
    .submit("Record it");
    Some(form)
}

fn merge_form(view: &View<'_, '_, '_>, incident: &Incident) -> ActForm {
    ActForm::new("merge", "It is a duplicate", act_url(view, incident, "merge"))
        .field(
            pick_field(view, "incidents", "into", "The incident that it repeats")
                .required()
                .half(),
        )
        .field(Field::textarea("reason", "Why").required())
        .note("This incident is closed; the other one takes over its services, keys and severity.")
        .submit("Close as a duplicate")
}

/// Runs one act on an incident.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let page = format!("/incidents/{}", escaped(&key));
    let sent = sent(form, format!("{page}/{}", escaped(&act)), page, Place::Incidents);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| run(cx, &whose, &act, body);
    send(&state, &visitor, sent, run, move |view, back| {
        incident_page(view, &key, back)
    })
    .await
}

fn run(cx: &mut acts::Context<'_, '_>, key: &str, act: &str, body: &Body) -> acts::Result<()> {
    let with = |field: &str, value: serde_json::Value| {
        let mut body = body.clone();
        body.insert(field.to_owned(), value);
        body
    };
    match act {
        "command" => command_incident::command_incident(cx, key, body).map(drop),
        "declaration" => command_incident::declare_major(cx, key, body).map(drop),
        "stand-down" => command_incident::stand_down(cx, key, body).map(drop),
        "halt" => command_incident::halt_work(cx, key, &with("halt", json!(true))).map(drop),
        "go-on" => command_incident::halt_work(cx, key, &with("halt", json!(false))).map(drop),
        "signatures" => sign_exception::sign_exception(cx, key, body).map(drop),
        "withdrawal" => {
            let change = body
                .get("change")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned();
            sign_exception::withdraw_signature(cx, key, &change).map(drop)
        }
        "signature-reviews" => sign_exception::review_signature(cx, key, body).map(drop),
        "closure" => close_incident::close_incident(cx, key, body).map(drop),
        "merge" => close_incident::merge_incident(cx, key, body).map(drop),
        "entries" => noun::add::<IncidentEntry>(cx, &with("about", json!(key.to_uppercase()))).map(drop),
        "reopening" => set_incident::edit_incident(cx, key, &with("resolved_at", json!(null))).map(drop),
        _ => Err(Refusal::not_found("page").into()),
    }
}
