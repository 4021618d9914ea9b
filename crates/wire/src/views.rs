//! Records as responses show them: people as logins, absent things left out. Pure functions of the record and the estate.

use model::change::change_file::VIA;
use model::change::content::{Cover, cover};
use model::change::custom_field::FIELD;
use model::change::read_content;
use model::change::record::{Change, Target, TargetRecord};
use model::change::related_records::GateCheck;
use model::change::success;
use model::core::card::Noun;
use model::core::confusables;
use model::core::enums::{GateDecision, Kind, Purpose, State};
use model::core::ids::PersonId;
use model::core::private_fields::PERSONAL;
use model::core::typed;
use model::core::unmet::{Information, Unmet};
use model::directory::led_elsewhere::LedBy;
use model::directory::manager::Origin;
use model::directory::snapshot::{Directory, Incident, Person};
use model::gate::answer::Answer;
use model::incident::watch;
use model::risk::forecast::pinned::Forecast;
use model::risk::kept_reach::KeptReach;
use model::schedule::conflict_rules::known_conflicts;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Fields whose text is a person's id in records and a login in responses.
const PEOPLE: &[&str] = &[
    "acknowledged_by",
    "acknowledged_people",
    "activated_by",
    "actor",
    "approved_by",
    "activation_handed_by",
    "asked_by",
    "asked_people",
    "assignee",
    "authors",
    "begun_by",
    "business_owner",
    "by",
    "chair",
    "checker",
    "closed_by",
    "commander",
    "confirmed_by",
    "conflicted",
    "contacts",
    "decided_by",
    "delegate",
    "delegator",
    "delegators",
    "done_by",
    "edited_by",
    "handed_by",
    "implemented_by",
    "implementers",
    "improvements_owner",
    "involved",
    "lift_asked_by",
    "lift_handed_by",
    "lifted_by",
    "manager",
    "members",
    "objected_by",
    "opened_by",
    "owner",
    "people",
    "person",
    "planned_by",
    "present",
    "proposer",
    "raised_by",
    "removed_by",
    "reviewed_by",
    "requester",
    "sent_to",
    "set_by",
    "settled_by",
    "signed_by",
    "sponsor",
    "tester",
    "used_by",
    "verbal_approver",
    "watchers",
];

/// Fields of a record that responses leave out besides those that nobody reads ([`PERSONAL`]): the change is in the path, sent
/// notices matter to timers only, and a digest of a secret is private.
const INNER: &[&str] = &["told", "digest", "to_change"];

/// A change as `GET /changes/{key}` shows it.
pub fn change(change: &Change, directory: &Directory) -> Value {
    let mut map = read_content::present(change, directory);
    map.insert("key".into(), json!(change.key));
    map.insert("id".into(), json!(change.id));
    map.insert("state".into(), json!(change.state));
    map.insert("on_hold".into(), json!(change.is_on_hold()));
    map.insert("requester".into(), json!(directory.login(&change.requester)));
    map.insert("version".into(), json!(change.revision));
    map.insert(
        "digests".into(),
        json!({"what": change.digests.what, "when": change.digests.when}),
    );
    map.insert("content_digest".into(), json!(change.digests.content));
    map.insert("targets".into(), targets(change, directory));
    for flag in [
        ("overrun", change.overrun),
        ("window_missed", change.window_missed),
        ("unauthorized", change.unauthorized),
    ] {
        map.insert(flag.0.into(), json!(flag.1));
    }
    map.insert("in_freeze".into(), json!(change.in_freeze));
    if let Some(succeeded) = success::succeeded(change) {
        map.insert("succeeded".into(), json!(succeeded));
    }
    if let Some(forecast) = &change.forecast {
        map.insert("forecast".into(), forecast_summary(forecast));
    }
    if let Some(reach) = &change.reach {
        map.insert("reach".into(), reach_summary(reach));
    }
    if let Some((from, until)) = watch::watch_span(change, directory) {
        map.insert("watch".into(), json!({"from": from, "until": until}));
    }
    if let Value::Object(record) = shown(change, directory) {
        for field in RECORD {
            if let Some(value) = record.get(*field) {
                map.insert((*field).to_owned(), value.clone());
            }
        }
    }
    map.insert("origins".into(), origins(change, directory, &map));
    let mut deceiving = Map::new();
    for (field, value) in &map {
        note_deceiving(field, value, &mut deceiving);
    }
    if !deceiving.is_empty() {
        map.insert("deceiving".into(), Value::Object(deceiving));
    }
    Value::Object(map)
}

/// The reach of a change, without the things: a reader scoped to some services must not see the names of others.
fn reach_summary(reach: &KeptReach) -> Value {
    let mut view = json!({"digest": reach.digest, "count": reach.count, "at": reach.at});
    if let Some(at) = reach.grown_at {
        view["grown_at"] = json!(at);
    }
    view
}

/// A forecast without its parts: the parts of each team are for its members.
fn forecast_summary(forecast: &Forecast) -> Value {
    let mut view = json!({
        "low_ppm": forecast.low_ppm,
        "high_ppm": forecast.high_ppm,
        "text": forecast.told(),
        "model": forecast.model,
        "model_key": forecast.model_key,
        "features_version": forecast.features_version,
        "made_at": forecast.at,
    });
    if let Some(ppm) = forecast.probability_ppm {
        view["probability_ppm"] = json!(ppm);
    }
    view
}

/// Notes per field the deceiving characters of its texts: a terminal or a page that shows the response to an approver draws
/// them as something else.
fn note_deceiving(path: &str, value: &Value, found: &mut Map<String, Value>) {
    match value {
        Value::String(text) => {
            let codes = confusables::found_in(text);
            if !codes.is_empty() {
                found.insert(path.to_owned(), json!(codes));
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                note_deceiving(&format!("{path}[{place}]"), item, found);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                note_deceiving(&format!("{path}.{name}"), item, found);
            }
        }
        _ => {}
    }
}

/// The origin of each value of the content: the record lists the values that no person wrote, a template those that it locks,
/// and a person wrote the rest. An empty list has no origin.
fn origins(change: &Change, directory: &Directory, shown: &Map<String, Value>) -> Value {
    let template = change
        .content
        .template
        .as_ref()
        .filter(|_| change.content.kind == Kind::Standard);
    let template = template.and_then(|template| directory.templates.get(&template.key));
    let written = |field: &str| {
        let is_locked = template.is_some_and(|template| {
            template.locked.contains_key(field) || field == FIELD && !template.custom_fields.is_empty()
        });
        json!(if is_locked { "template" } else { "person" })
    };
    let mut map = object(&change.origins);
    let is_said = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
    let said = shown.iter().filter(|(_, value)| is_said(value)).map(|(field, _)| field);
    for field in said.filter(|field| is_content(field)) {
        if field == "impact" {
            for axis in ["data", "availability", "compliance"] {
                map.entry(format!("impact.{axis}")).or_insert_with(|| written("impact"));
            }
            continue;
        }
        map.entry(field.clone()).or_insert_with(|| written(field));
    }
    Value::Object(map)
}

fn is_content(field: &str) -> bool {
    matches!(cover(field), Some(Cover::What | Cover::When)) || field == "labels"
}

/// Fields of the record that responses take over unchanged, when present.
pub(crate) const RECORD: &[&str] = &[
    "created_at",
    "updated_at",
    "risk",
    "outcome",
    "actual_start",
    "actual_end",
    "caused_incidents",
    "watch_incidents",
    "communicated",
    "extension",
    "extended_until",
    "watchers",
    "authors",
    "planned_by",
    "implemented_by",
    "requests",
    "clocks",
    "board_decisions",
    "hold",
    "submitted_at",
    "assessed_at",
    "returned",
    "rejection",
    "cancelled",
    "finding",
    "gate_reopenings",
    "turned_normal",
    "undo",
    "undo_missed_at",
    "template_not_valid",
    "break_glass",
    "retrospective",
    "legal_hold",
    "erasure",
    "texts_erased_at",
    "closed_targets",
    "validations",
    "reviews",
    "closed_at",
    "closed_by",
];

fn targets(change: &Change, directory: &Directory) -> Value {
    change
        .content
        .targets
        .iter()
        .map(|target| one_target(change, target, directory))
        .collect()
}

fn one_target(change: &Change, target: &Target, directory: &Directory) -> Value {
    let mut map = object(target);
    let record = change.target_record(&target.id);
    map.insert("state".into(), json!(target_state(change.state, record)));
    // An item that the estate does not have needs no approver beyond the service's owners, so a typo in it must not stay
    // hidden.
    let is_unknown = |item: &&String| !directory.config_items.contains_key(*item);
    let unknown: Vec<&String> = target.config_items.iter().filter(is_unknown).collect();
    if !unknown.is_empty() {
        map.insert("unknown_config_items".into(), json!(unknown));
    }
    if let Some(record) = record
        && let Value::Object(mut known) = shown(record, directory)
    {
        known.remove("target");
        map.extend(known);
    }
    Value::Object(map)
}

/// `done` with an outcome that leaves nothing to be done, `implementing` while work is under way, else `open`.
fn target_state(state: State, record: Option<&TargetRecord>) -> &'static str {
    if record.is_some_and(|record| !record.is_open()) {
        return "done";
    }
    if state == State::Implementing {
        "implementing"
    } else {
        "open"
    }
}

fn object<T: Serialize>(record: &T) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Any record, with logins in place of people's ids.
pub fn shown<T: Serialize>(record: &T, directory: &Directory) -> Value {
    let mut value = Value::Object(object(record));
    name_people(&mut value, directory);
    value
}

/// A record that has a card, with every field that its card describes: a described digest is meant to be compared.
pub fn noun<N: Noun>(record: &N, directory: &Directory) -> Value {
    let mut value = shown(record, directory);
    let mut whole = object(record);
    let described = N::FIELDS.iter().map(|field| field.name);
    for name in described.filter(|name| INNER.contains(name)) {
        if let Some(inner) = whole.remove(name) {
            value[name] = inner;
        }
    }
    value
}

/// An incident with its state, which follows from its times.
pub fn incident(incident: &Incident, directory: &Directory) -> Value {
    let mut value = shown(incident, directory);
    value["state"] = json!(incident.state());
    value
}

/// A person, with all recorded managers: the one that was named here precedes the one from a provisioning directory.
pub fn person(person: &Person, directory: &Directory) -> Value {
    let mut value = shown(person, directory);
    let managers = directory.managers_of(person);
    if !managers.is_empty() {
        let row = |(manager, origin): (&Person, Origin)| json!({"manager": manager.login, "origin": origin.as_str()});
        value["managers"] = managers.into_iter().map(row).collect();
    }
    value
}

/// An item of a change (evidence, entry, comment, task …) with the state of its change.
pub fn item<T: Serialize>(record: &T, state: State, directory: &Directory) -> Value {
    let mut value = shown(record, directory);
    if let Value::Object(map) = &mut value {
        map.remove("change");
        map.insert("change_state".into(), json!(state));
    }
    value
}

/// An item of a change in a list.
pub fn listed<T: Serialize>(record: &T, directory: &Directory) -> Value {
    let mut value = shown(record, directory);
    if let Value::Object(map) = &mut value {
        map.remove("change");
    }
    value
}

fn name_people(value: &mut Value, directory: &Directory) {
    typed::flatten(value);
    put_logins(value, directory);
}

fn put_logins(value: &mut Value, directory: &Directory) {
    match value {
        Value::Object(map) => {
            for field in INNER.iter().chain(PERSONAL) {
                map.remove(*field);
            }
            for (field, inner) in map.iter_mut() {
                if PEOPLE.contains(&field.as_str()) {
                    name_person(inner, directory);
                }
                put_logins(inner, directory);
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| put_logins(row, directory)),
        _ => {}
    }
}

fn name_person(value: &mut Value, directory: &Directory) {
    match value {
        Value::String(id) => *id = directory.login(&PersonId::from(id.as_str())),
        Value::Array(rows) => rows.iter_mut().for_each(|row| name_person(row, directory)),
        _ => {}
    }
}

/// The response of `GET /gate`.
pub fn gate_answer(answer: &Answer, checked_at: &str) -> Value {
    json!(GateAnswer::new(answer, checked_at))
}

/// The usual number of bytes of the response to a plain query.
const GATE_ANSWER: usize = 256;

/// The same as text, without an intermediate value: this is the most frequent response.
pub fn gate_answer_text(answer: &Answer, checked_at: &str) -> String {
    let mut text = Vec::with_capacity(GATE_ANSWER);
    // Strings and times always have a JSON form.
    let _ = serde_json::to_writer(&mut text, &GateAnswer::new(answer, checked_at));
    String::from_utf8(text).unwrap_or_default()
}

#[derive(Serialize)]
struct GateAnswer<'a> {
    decision: GateDecision,
    change: Option<&'a str>,
    purpose: Purpose,
    checked_at: &'a str,
    reasons: &'a [Unmet],
    #[serde(skip_serializing_if = "is_nothing")]
    information: &'a [Information],
    next_transition_at: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    led_by: Option<&'a LedBy>,
}

fn is_nothing(rows: &&[Information]) -> bool {
    rows.is_empty()
}

impl<'a> GateAnswer<'a> {
    fn new(answer: &'a Answer, checked_at: &'a str) -> Self {
        Self {
            decision: answer.decision,
            change: answer.change.as_deref(),
            purpose: answer.purpose,
            checked_at,
            reasons: &answer.reasons,
            information: &answer.information,
            next_transition_at: answer.next_transition_at,
            led_by: answer.led_by.as_ref(),
        }
    }
}

/// A recorded check, with its permit where it is given out.
pub fn gate_check(check: &GateCheck, permit: Option<&str>, directory: &Directory) -> Value {
    let mut value = shown(check, directory);
    if let Value::Object(map) = &mut value {
        map.remove("version");
        if let Some(asked) = map.remove("asked_artifact") {
            map.insert("artifact".into(), asked);
        }
        // The order of what is left says nothing of whether there is such a service.
        if map.shift_remove("asked_place").is_some() {
            let (service, environment) = check.place();
            map.extend([
                ("service".into(), json!(service)),
                ("environment".into(), json!(environment)),
            ]);
        }
        map.insert("change".into(), json!(check.change));
        map.insert("next_transition_at".into(), json!(check.next_transition_at));
        map.insert("permit".into(), json!(permit));
    }
    value
}

/// A check with its fresh result, with facts of its change that block nothing.
pub fn gate_check_now(check: &GateCheck, permit: Option<&str>, directory: &Directory) -> Value {
    let mut value = gate_check(check, permit, directory);
    let change = check.change.as_deref().unwrap_or_default();
    let known = match check.purpose {
        Purpose::Deploy => known_conflicts(change, &check.reasons, directory),
        Purpose::Rollback => Vec::new(),
    };
    if !known.is_empty() {
        value["information"] = json!(known);
    }
    value
}

/// An event of a timeline: its leaf, opened as far as readers need it, with its place in the log. The way of sign-in stays in
/// the log.
pub fn event(leaf: &[u8], index: Option<i64>, directory: &Directory) -> Value {
    let leaf: Map<String, Value> = serde_json::from_slice(leaf).unwrap_or_default();
    let mut map = Map::new();
    for field in [
        "id",
        "kind",
        "act",
        "subject",
        "actor",
        "occurred_at",
        "recorded_at",
        "data",
    ] {
        if let Some(value) = leaf.get(field) {
            map.insert(field.to_owned(), value.clone());
        }
    }
    map.insert("index".into(), json!(index));
    let mut value = Value::Object(map);
    leave_way_in(&mut value);
    name_people(&mut value, directory);
    value
}

/// Removes the kind of sign-in from an event. Sessions, tokens and codes of client addresses reveal where a person was: readers
/// of the log see them there, and readers of a change, of the stream and of webhooks do not.
pub fn leave_way_in(event: &mut Value) {
    if let Some(data) = event.get_mut("data").and_then(Value::as_object_mut) {
        data.remove(VIA);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::change::related_records::Comment;
    use model::core::ids::{ChangeId, RecordId};
    use model::directory::snapshot;

    #[test]
    fn what_everybody_reads_of_an_event_says_nothing_of_the_way_in() {
        let leaf = br#"{"id": "e1", "kind": "approval.given", "data": {"decision": "approved", "via": {"session": "s1", "address": "c0"}}}"#;
        let shown = event(leaf, None, &Directory::default());
        assert_eq!(shown["data"], json!({"decision": "approved"}));
        let mut silent = json!({"id": "e2"});
        leave_way_in(&mut silent);
        assert_eq!(silent, json!({"id": "e2"}));
    }

    #[test]
    fn items_show_logins_and_the_state_of_their_change() {
        let mut directory = Directory::default();
        let id = PersonId::from("0197");
        let person = snapshot::Person {
            id: id.clone(),
            version: 1,
            login: "mira".to_owned(),
            name: "Mira".to_owned(),
            email: None,
            roles: std::collections::BTreeSet::new(),
            zone: "UTC".to_owned(),
            active: true,
            accounts: Vec::new(),
            functions: std::collections::BTreeSet::new(),
            calendar: None,
            deactivation: None,
            subjects: Vec::new(),
            external_id: None,
            attributes: Vec::new(),
            removed: false,
            telling: None,
            manager: None,
            refused_rights: Vec::new(),
            vouched: Vec::new(),
            readdressed: None,
            made_by: None,
            is_agent: false,
            services: Default::default(),
        };
        directory.people.insert(id.clone(), person);
        let mut permit = json!({"used_by": "0197", "used_at": "2026-01-01T00:00:00Z"});
        name_people(&mut permit, &directory);
        assert_eq!(permit["used_by"], "mira");
        let comment = Comment {
            id: RecordId::from("c1"),
            version: 1,
            change: ChangeId::from("x"),
            text: "by".to_owned(),
            by: id,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let value = item(&comment, State::Draft, &directory);
        assert_eq!(value["by"], "mira");
        assert_eq!(value["change_state"], "draft");
        assert_eq!(value["text"], "by");
        assert!(value.get("change").is_none());
    }
}
