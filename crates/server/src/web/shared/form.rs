//! Converts a form into the API's JSON object, and puts errors beside the form's fields.
//!
//! Names follow the API, nested ones with points (`targets.0.service`). Lists are one entry a line or parted by commas;
//! times are `datetime-local` values in the reader's zone; empty fields are left out.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use jiff::Timestamp;
use model::change::read_content::new_change::NewChange;
use model::core::body::Body;
use model::core::card::{self, Kind};
use model::core::refusal::{FieldError, Refusal};
use pages::{ActForm, Field, FieldTime, IN_WORDS, Input, Reader, Rich, WRONG, parse_times};
use serde_json::{Map, Value};

use crate::http::body::{FORM_LIMIT, buffered, is_utf8};
use crate::http::failure::Failure;
use crate::http::percent;
use crate::http::state::AppState;
use crate::web::shared::labels::{in_labels, plain_error};
use crate::web::shared::moved_times::{MOVED, read_moved};
use crate::web::shared::problem::bare_problem;
use crate::web::shared::words::with_times;

/// Times of day and date.
const TIMES: &[&str] = &[
    "planned_start",
    "planned_end",
    "until",
    "actual_start",
    "actual_end",
    "starts_at",
    "ends_at",
    "occurred_at",
    "started_at",
    "mitigated_at",
    "resolved_at",
    "expires_at",
    "review_by",
    "wait_until",
    "due_at",
    "at",
    "time",
];
/// Whole numbers.
const NUMBERS: &[&str] = &[
    "minutes",
    "rollback_minutes",
    "actual_downtime_minutes",
    "severity",
    "suspend_after",
    "watch_minutes",
    "dependency_steps",
    "gap_minutes",
    "decide_hours",
    "weight_window",
    "weight_hours",
    "weight_absence",
    "weight_on_call",
    "weight_load",
    "weight_users",
    "weight_wait",
    "reminder_minutes",
    "step",
    "template_version",
    "changes_days",
    "deliveries_days",
    "archive_days",
    "rights_last_days",
    "hour",
    "index",
];
/// Yes or no.
const BOOLEANS: &[&str] = &[
    "dependencies_reviewed",
    "only_disruptive",
    "acknowledge",
    "objectives_met",
    "assessment_adequate",
    "steps_adequate",
    "grant",
    "confirmed",
    "mandatory",
    "halt",
    "preview",
    "active",
    "is_production",
    "compromised",
    "is_needed",
    "is_fact",
    "is_shared",
    "is_agreed",
    "justified",
    "is_complete",
    "is_retired",
    "accepted",
    "helped",
    "deputy",
    "with_texts",
    "watch",
    "skipped",
];
/// Keys of changes and incidents: spaces around them, which often come with copied keys, are removed.
const KEYS: &[&str] = &["to", "change", "incident", "into", "incident_key", "change_key"];
/// Lists whose entries contain no commas.
const LISTS: &[&str] = &[
    "implementers",
    "labels",
    "services",
    "incidents",
    "environments",
    "config_items",
    "regimes",
    "members",
    "accounts",
    "free",
    "features",
    "depends_on",
    "touches",
    "roles",
    "scopes",
    "kinds",
    "categories",
    "exdates",
    "exclusive_environments",
    "hold_kinds",
    "contacts",
    "mail_addresses",
    "risks",
    "audiences",
    "duty_groups",
    "stages",
    "changes",
    "tiles",
    "people",
];
/// Lists of sentences, one a line.
const LINES: &[&str] = &["improvements", "contributing"];
/// The prefix of the names of a tenant's own fields.
pub(crate) const OWN: &str = "custom_fields.";
/// The name of the mark by which a form is known that is sent twice.
pub(crate) const MARK: &str = "once";
/// The name under which an address and a form give the template that they follow.
pub(crate) const AFTER: &str = "after";
/// The name that a button sends: a time of those that were offered, or the wish to look for some.
pub(crate) const FIT: &str = "fit";
/// Names that steer the page and are no fields of the act.
const STEERING: &[&str] = &[
    "act",
    "add",
    "revision",
    "next",
    "asked",
    "was",
    "both",
    DRAFT,
    DRAFT_VERSION,
    STANDS,
    MARK,
    AFTER,
    FIT,
];
/// The name under which a form sends the draft that it keeps.
pub(crate) const DRAFT: &str = "draft";
/// The name of the last version of the draft that the form saw.
pub(crate) const DRAFT_VERSION: &str = "draft_version";
/// The name under which a form sends the exact times that it showed: `{"planned_start": "…Z"}`.
pub(crate) const STANDS: &str = "stands";
/// The prefix for a field with two people's values: the choice between them.
pub(crate) const PICK: &str = "pick.";

/// The content of a sent form, in its order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    pairs: Vec<(String, String)>,
    /// The fields of the noun's card where the form is one of a noun's page.
    fields: &'static [card::Field],
}

/// A form as the JSON object of the API.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decoded {
    /// The object.
    pub body: Body,
    /// Values that could not be read at all, such as an invalid time.
    pub errors: Vec<FieldError>,
    /// Times that occur twice because the clocks go back, as they were typed: the first of each was taken.
    pub twice: Vec<String>,
    rows: BTreeMap<String, Vec<usize>>,
}

impl FromRequest<AppState> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let request = buffered(state, request, FORM_LIMIT)
            .await
            .map_err(|it| bare_problem(&it))?;
        let request = as_text(request).await.map_err(|it| bare_problem(&it))?;
        match axum::Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(axum::Form(pairs)) => Ok(Self::new(pairs)),
            Err(rejection) => {
                let status = rejection.status().as_u16();
                Err(bare_problem(&Failure::new(
                    status,
                    "malformed",
                    "The form could not be read.",
                )))
            }
        }
    }
}

/// Refuses a body that is no UTF-8 text, as the API does: otherwise the kept text would differ from the typed one.
async fn as_text(request: Request) -> Result<Request, Failure> {
    let unread = |status| Failure::new(status, "malformed", "The form could not be read: it is not UTF-8 text.");
    if !is_utf8(request.headers()) {
        return Err(unread(415));
    }
    let (parts, body) = request.into_parts();
    // The whole body is in memory and within the limit.
    let bytes = to_bytes(body, FORM_LIMIT as usize).await.map_err(|_| unread(400))?;
    match percent::is_utf8(&bytes) {
        true => Ok(Request::from_parts(parts, axum::body::Body::from(bytes))),
        false => Err(unread(400)),
    }
}

enum Node {
    Leaf(Value),
    Branch(BTreeMap<String, Node>),
}

impl Form {
    /// A form from its pairs. Browsers send line ends as CRLF; they become LF.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let plain = |(name, value): (String, String)| (name, value.replace("\r\n", "\n"));
        Self {
            pairs: pairs.into_iter().map(plain).collect(),
            fields: &[],
        }
    }

    /// The same form of a noun's card: each field is decoded by its kind.
    pub fn of_card(self, fields: &'static [card::Field]) -> Self {
        Self { fields, ..self }
    }

    /// The first value under a name, or an empty text.
    pub fn first(&self, name: &str) -> &str {
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// All values under a name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.pairs
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The same form with another value under a name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same form without the values under a name.
    pub fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self
    }

    /// Every name and value, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Reads it for somebody in the reader's zone. A box of `boxes` that is not ticked is sent as `false`.
    pub fn decode(&self, reader: &Reader, boxes: &[&str]) -> Decoded {
        let mut decoded = Decoded::default();
        let mut tree = BTreeMap::new();
        for (name, value) in self.pairs() {
            if STEERING.contains(&name)
                || name.starts_with(PICK)
                || name.starts_with(IN_WORDS)
                || value.trim().is_empty()
            {
                continue;
            }
            let leaf = self.leaf(name, value, reader, &mut decoded);
            insert(&mut tree, name, leaf);
        }
        self.put_times_in_words(reader, &mut tree, &mut decoded);
        for name in boxes {
            tree.entry((*name).to_owned()).or_insert(Node::Leaf(Value::Bool(false)));
        }
        decoded.body = object(tree, "", &mut decoded.rows);
        decoded
    }

    /// Puts times that were typed as text in the place of the fields that they replace.
    fn put_times_in_words(&self, reader: &Reader, tree: &mut BTreeMap<String, Node>, decoded: &mut Decoded) {
        for (name, value) in self.pairs().filter(|(_, value)| !value.trim().is_empty()) {
            let Some((start, end)) = name.strip_prefix(IN_WORDS).and_then(|both| both.split_once(':')) else {
                continue;
            };
            match parse_times(reader, value) {
                Ok((from, to)) => {
                    insert(tree, start, Value::String(from.to_string()));
                    if let Some(to) = to {
                        insert(tree, end, Value::String(to.to_string()));
                    }
                }
                Err(text) => decoded.errors.push(FieldError::new(name, "not_a_time", text)),
            }
        }
    }

    /// The exact time behind an untouched field: the field shows only the minute, and does not distinguish the two readings of
    /// an hour that occurs twice.
    fn standing_time(&self, name: &str, value: &str, reader: &Reader) -> Option<Timestamp> {
        let shown = [STANDS, "was"].iter().find_map(|held| {
            let held: Body = serde_json::from_str(self.first(held)).ok()?;
            held.get(name)?.as_str()?.parse::<Timestamp>().ok()
        })?;
        (reader.field(shown) == value.trim()).then_some(shown)
    }

    fn leaf(&self, name: &str, value: &str, reader: &Reader, decoded: &mut Decoded) -> Value {
        // A tenant may give its own fields any name; their values are read by their definition.
        if name.starts_with(OWN) {
            return Value::String(value.to_owned());
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        let kind = self
            .fields
            .iter()
            .find(|field| field.name == last)
            .map(|field| field.kind);
        if let Some(value) = kind.and_then(|kind| self.of_kind(kind, (name, value), reader, decoded)) {
            return value;
        }
        if LISTS.contains(&last) {
            return entries(&self.all(name), &['\n', ',']);
        }
        if LINES.contains(&last) {
            return entries(&self.all(name), &['\n']);
        }
        if name == MOVED {
            let was: Option<Body> = serde_json::from_str(self.first("was")).ok();
            let held = was.as_ref().and_then(|it| it.get(MOVED)?.as_array());
            let held = held.map_or(&[][..], Vec::as_slice);
            return read_moved(value, held, reader, &mut decoded.errors);
        }
        if TIMES.contains(&last) {
            return self.time(name, value, reader, decoded);
        }
        if NUMBERS.contains(&last) {
            return integer(value);
        }
        if KEYS.contains(&last) {
            return Value::String(value.trim().to_owned());
        }
        match value {
            "true" | "on" if BOOLEANS.contains(&last) => Value::Bool(true),
            "false" if BOOLEANS.contains(&last) => Value::Bool(false),
            _ => Value::String(value.to_owned()),
        }
    }

    fn time(&self, name: &str, value: &str, reader: &Reader, decoded: &mut Decoded) -> Value {
        if let Some(stands) = self.standing_time(name, value, reader) {
            return Value::String(stands.to_string());
        }
        let Some(at) = reader.read_field(value) else {
            let error = FieldError::new(name, "not_a_time", reader.why_unread(value));
            decoded.errors.push(error);
            return Value::Null;
        };
        if matches!(reader.field_time(value), Some(FieldTime::Twice(_))) {
            decoded.twice.push(value.trim().to_owned());
        }
        Value::String(at.to_string())
    }

    /// A value by the kind of its field on a card; `None` for a text, which the lists of names above decode.
    fn of_kind(
        &self,
        kind: Kind,
        (name, value): (&str, &str),
        reader: &Reader,
        decoded: &mut Decoded,
    ) -> Option<Value> {
        Some(match kind {
            Kind::Time => self.time(name, value, reader, decoded),
            Kind::Integer(..) => integer(value),
            Kind::Boolean if matches!(value, "true" | "on") => Value::Bool(true),
            Kind::Boolean if value == "false" => Value::Bool(false),
            Kind::Texts(_) | Kind::Words(_) if !LINES.contains(&name) => entries(&self.all(name), &['\n', ',']),
            _ => return None,
        })
    }
}

fn integer(value: &str) -> Value {
    let read = value.trim().parse::<i64>();
    read.map_or_else(|_| Value::String(value.to_owned()), Value::from)
}

fn entries(values: &[String], marks: &[char]) -> Value {
    let texts = values
        .iter()
        .flat_map(|value| value.split(marks))
        .map(str::trim)
        .filter(|text| !text.is_empty());
    texts.map(|text| Value::String(text.to_owned())).collect()
}

fn insert(tree: &mut BTreeMap<String, Node>, name: &str, leaf: Value) {
    let Some((head, rest)) = name.split_once('.') else {
        tree.insert(name.to_owned(), Node::Leaf(leaf));
        return;
    };
    let branch = tree
        .entry(head.to_owned())
        .or_insert_with(|| Node::Branch(BTreeMap::new()));
    if let Node::Branch(inner) = branch {
        insert(inner, rest, leaf);
    }
}

fn object(tree: BTreeMap<String, Node>, path: &str, rows: &mut BTreeMap<String, Vec<usize>>) -> Map<String, Value> {
    tree.into_iter()
        .map(|(name, node)| (name.clone(), value_of(node, &join(path, &name), rows)))
        .collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn value_of(node: Node, path: &str, rows: &mut BTreeMap<String, Vec<usize>>) -> Value {
    let inner = match node {
        Node::Leaf(value) => return value,
        Node::Branch(inner) => inner,
    };
    let numbers: Option<Vec<usize>> = inner.keys().map(|name| name.parse().ok()).collect();
    let Some(numbers) = numbers else {
        return Value::Object(object(inner, path, rows));
    };
    let mut items: Vec<(usize, Node)> = numbers.into_iter().zip(inner.into_values()).collect();
    items.sort_by_key(|(number, _)| *number);
    rows.insert(path.to_owned(), items.iter().map(|(number, _)| *number).collect());
    items
        .into_iter()
        .map(|(number, node)| value_of(node, &join(path, &number.to_string()), rows))
        .collect()
}

impl Decoded {
    /// The same without the unreadable values, which a refusal has reported already.
    pub fn without_errors(mut self) -> Self {
        self.errors.clear();
        self
    }

    /// The result of an act, together with the unreadable values of its form, so that the sender corrects the form once. If a
    /// value could not be read, the act is rolled back by the refusal.
    ///
    /// # Errors
    /// The act's; and 422 where something could not be read.
    pub fn tell_all<T>(&self, done: acts::Result<T>) -> acts::Result<T> {
        if self.errors.is_empty() {
            return done;
        }
        let mut all = self.errors.clone();
        let is_told = |error: &FieldError| {
            let name = self.field_name(&error.field);
            let below = |unread: &FieldError| {
                name.strip_prefix(&unread.field)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            self.errors.iter().any(below)
        };
        match done {
            // An unreadable value counts as missing as well, which adds nothing.
            Err(acts::Error::Refused(Refusal::Invalid(more))) => {
                all.extend(more.into_iter().filter(|error| !is_told(error)))
            }
            Ok(_) | Err(acts::Error::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
        Err(Refusal::Invalid(all).into())
    }

    /// The name of the form's field for an error of the API: `targets[0].service` is `targets.3.service` when the first rows
    /// were left empty.
    pub fn field_name(&self, api: &str) -> String {
        let mut name = String::new();
        for part in api.split('.') {
            let (head, index) = match part.split_once('[') {
                Some((head, rest)) => (head, rest.trim_end_matches(']').parse::<usize>().ok()),
                None => (part, None),
            };
            name = join(&name, head);
            let row = index.and_then(|index| self.rows.get(&name)?.get(index).copied());
            if let Some(row) = row {
                name = join(&name, &row.to_string());
            }
        }
        name
    }

    /// Errors by the names of the form's fields, each once: with the form's name in place of the API's, and times by the
    /// reader's clock. Several errors of one field, such as of a list of names, follow one another.
    pub fn by_field(&self, errors: &[FieldError], reader: &Reader) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for error in errors {
            let name = self.field_name(&error.field);
            let text = error.text.replace(&format!("`{}`", error.field), &format!("`{name}`"));
            let text = with_times(&text, reader);
            let told = found.entry(name).or_default();
            if !told.contains(&text) {
                told.push(text);
            }
        }
        found.into_iter().map(|(name, texts)| (name, texts.join(" "))).collect()
    }
}

/// The link from the notice above a page to the errors in its form.
pub(crate) fn to_errors() -> Rich {
    Rich::new().link("See what is wrong", format!("#{WRONG}"))
}

/// Puts sent values and errors back into the form of an act, and opens it. Returns the errors that fit no field.
pub(crate) fn refill(act: &mut ActForm, form: &Form, errors: &BTreeMap<String, String>) -> Vec<String> {
    act.is_open = true;
    let names = act.fields.iter().map(|field| (field.name.clone(), field.label.clone()));
    let labels: Vec<(String, String)> = names.chain(act.fields.iter().flat_map(choices)).collect();
    let mut known = Vec::new();
    for field in &mut act.fields {
        if field.input != Input::Hidden {
            refill_field(field, form);
        }
        if let Some((name, text)) = errors.iter().find(|(name, _)| belongs(name, &field.name)) {
            let own = text.replace(&format!("`{name}`"), &format!("“{}”", field.label));
            field.error = Some(with_labels(&own, &labels));
            known.push(name.clone());
        }
    }
    let unplaced = errors.iter().filter(|(name, _)| !known.contains(name));
    unplaced
        .map(|(name, text)| plain_error(&with_labels(text, &labels), name))
        .collect()
}

/// Errors of a form that no page shows again, in the terms of the pages.
pub(crate) fn unplaced(errors: &BTreeMap<String, String>) -> Vec<String> {
    let told = errors.iter();
    told.map(|(name, text)| plain_error(&in_labels(text), name)).collect()
}

/// The values that a menu sends, each with its label.
fn choices(field: &Field) -> Vec<(String, String)> {
    let (Input::Select(choices) | Input::Radio(choices)) = &field.input else {
        return Vec::new();
    };
    let ours = choices.iter().filter(|choice| !choice.is_said);
    ours.map(|choice| (choice.value.clone(), choice.label.clone()))
        .collect()
}

fn refill_field(field: &mut Field, form: &Form) {
    match field.input {
        Input::Many(_) => field.chosen = form.all(&field.name),
        Input::Password | Input::File => {}
        _ => field.value = form.first(&field.name).to_owned(),
    }
}

/// Whether an error's name is the field's or lies below it: an entry of a list, or of rows that one field gathers.
fn belongs(error: &str, field: &str) -> bool {
    let gathered = match field {
        "condition" => "conditions",
        "due" => "conditions.due",
        "checker" => "conditions.checker",
        "expedited" => NewChange::EXPEDITED_REASON.name,
        other => other,
    };
    let is_below = |name: &str| error == name || (field != "condition" && error.starts_with(&format!("{name}.")));
    is_below(gathered) || (field == "condition" && error == "conditions.text")
}

/// A rule's sentence with labels in place of fields: `` `title` `` is “Title”.
pub(crate) fn with_labels(text: &str, labels: &[(String, String)]) -> String {
    let own = labels
        .iter()
        .filter(|(name, label)| !name.is_empty() && !label.is_empty())
        .fold(text.to_owned(), |text, (name, label)| {
            text.replace(&format!("`{name}`"), &format!("“{label}”"))
        });
    in_labels(&own)
}

/// The lines of a text that are not empty.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The pairs of a line: `staging=test production=prod`.
pub(crate) fn pairs<'t>(words: impl Iterator<Item = &'t str>) -> serde_json::Map<String, serde_json::Value> {
    let pair = |word: &str| {
        let (theirs, ours) = word.split_once('=')?;
        Some((
            theirs.trim().to_owned(),
            serde_json::Value::String(ours.trim().to_owned()),
        ))
    };
    words.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    fn oslo() -> Reader {
        Reader::named("Europe/Oslo", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn names_nest_and_empty_fields_are_left_out() {
        let decoded = form(&[
            ("title", "A\r\nB"),
            ("description", "  "),
            ("impact.data", "low"),
            ("targets.1.service", "api"),
            ("targets.0.service", ""),
            ("targets.1.config_items", "a, b"),
            ("planned_start", "2026-11-21T22:00"),
            ("time", "2026-11-22T22:00"),
            ("rollback_minutes", "9"),
            ("touches", "schema"),
            ("touches", "network"),
            ("improvements", "one, two\nthree"),
            ("add", "plan"),
        ])
        .decode(&oslo(), &["halt"]);
        assert_eq!(
            Value::Object(decoded.body.clone()),
            json!({
                "halt": false, "impact": {"data": "low"}, "improvements": ["one, two", "three"],
                "planned_start": "2026-11-21T21:00:00Z", "rollback_minutes": 9,
                "targets": [{"config_items": ["a", "b"], "service": "api"}], "time": "2026-11-22T21:00:00Z", "title": "A\nB",
                "touches": ["schema", "network"],
            })
        );
        assert_eq!(decoded.field_name("targets[0].service"), "targets.1.service");
        assert_eq!(decoded.field_name("implementers[2]"), "implementers");
    }

    #[test]
    fn a_form_of_a_card_is_decoded_by_the_kinds_of_its_fields() {
        use model::audit::audit_sample::AuditSample;
        use model::core::card::Noun;

        let sent = form(&[
            ("title", "Quarter"),
            ("from", "2026-11-21T22:00"),
            ("size", "2"),
            ("kinds", "normal, emergency"),
        ]);
        let decoded = sent.of_card(AuditSample::CARD.input.2).decode(&oslo(), &[]);
        assert_eq!(
            Value::Object(decoded.body),
            json!({"title": "Quarter", "from": "2026-11-21T21:00:00Z", "size": 2, "kinds": ["normal", "emergency"]})
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_and_each_thing_once() {
        let sent = form(&[("until", "tomorrow"), ("implementers", "ada, bo, ada")]);
        let decoded = sent.decode(&oslo(), &[]);
        let error = |field: &str, text: &str| FieldError::new(field, "unknown", text);
        let refused: acts::Result<()> = Err(Refusal::Invalid(vec![
            error("implementers[0]", "No `ada`."),
            error("implementers[1]", "No `bo`."),
            error("implementers[2]", "No `ada`."),
            error("until", "`until` is missing."),
        ])
        .into());
        let Err(acts::Error::Refused(Refusal::Invalid(errors))) = decoded.tell_all(refused) else {
            panic!("it is refused");
        };
        let told = decoded.by_field(&errors, &oslo());
        assert_eq!(told["implementers"], "No `ada`. No `bo`.");
        assert!(told["until"].starts_with("This is not a day and time"), "{told:?}");
        assert!(!told["until"].contains("missing"), "{told:?}");
        assert!(
            decoded.tell_all(Ok(())).is_err(),
            "what was not read is not done without"
        );
    }

    #[test]
    fn an_error_names_its_field_by_the_form_and_times_by_the_readers_clock() {
        let decoded = form(&[("targets.1.service", "api"), ("end", "x")]).decode(&oslo(), &[]);
        let errors = [
            FieldError::new("targets[0].service", "unknown", "`targets[0].service` is missing."),
            FieldError::new("end", "in_the_past", "`end`, 1970-01-01T10:00:00Z, must lie ahead."),
        ];
        let told = decoded.by_field(&errors, &oslo());
        let mut act = ActForm::new("x", "X", "/x").field(Field::text("end", "When it ends"));
        let rest = refill(&mut act, &form(&[]), &told);
        let error = act.fields[0].error.as_deref();
        assert_eq!(error, Some("“When it ends”, today 11:00, must lie ahead."));
        assert_eq!(rest, ["“Service” is missing."]);
        assert_eq!(
            unplaced(&told),
            ["“end”, today 11:00, must lie ahead.", "“Service” is missing."]
        );
    }

    #[test]
    fn what_is_no_time_is_told_beside_its_field() {
        let decoded = form(&[("until", "tomorrow"), ("plan.4.minutes", "x")]).decode(&oslo(), &[]);
        assert_eq!(decoded.errors[0].field, "until");
        assert_eq!(decoded.body["plan"][0]["minutes"], "x");
    }

    #[test]
    fn a_time_that_clocks_leave_out_is_refused_and_one_that_comes_twice_is_told() {
        let sent = form(&[
            ("planned_start", "2027-03-28T02:30"),
            ("planned_end", "2027-10-31T02:30"),
        ]);
        let decoded = sent.decode(&oslo(), &[]);
        assert_eq!(decoded.errors.len(), 1);
        assert!(
            decoded.errors[0].text.contains("clocks go forward then"),
            "{:?}",
            decoded.errors
        );
        assert_eq!(decoded.body["planned_end"], "2027-10-31T00:30:00Z");
        assert_eq!(decoded.twice, ["2027-10-31T02:30"]);
    }

    #[test]
    fn a_leaf_that_is_also_a_branch_breaks_nothing() {
        let decoded = form(&[("a", "1"), ("a.b", "2"), ("c.d", "3"), ("c", "4")]).decode(&oslo(), &[]);
        assert_eq!(decoded.body["a"], "1");
        assert_eq!(decoded.body["c"], "4");
    }

    #[test]
    fn values_and_errors_come_back_to_their_fields() {
        let mut act = ActForm::new("hold", "Hold", "/x")
            .field(Field::textarea("reason", "Why it waits"))
            .field(Field::text("condition", "Condition"));
        let errors = [
            ("reason", "`reason` is missing."),
            ("conditions.text", "No."),
            ("other", "Odd."),
        ];
        let errors = errors.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let rest = refill(&mut act, &form(&[("reason", "because")]), &errors);
        assert_eq!(act.fields[0].value, "because");
        assert_eq!(act.fields[0].error.as_deref(), Some("“Why it waits” is missing."));
        assert_eq!(act.fields[1].error.as_deref(), Some("No."));
        assert_eq!(rest, ["Odd."]);
        assert!(act.is_open);
    }
}
