//! One entry of the log for people: the acting person, the act, and each written field, before and after.

use std::collections::{BTreeMap, BTreeSet};

use acts::audit::find_timeline::ShownEvent;
use acts::audit::show_event::{ERASED, FieldWrite, WITHHELD, WrittenRecord, show_event};
use acts::change::compare_versions::parts;
use acts::report::name_record::name_record;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use model::core::free_text;
use model::core::ids::PersonId;
use model::core::refusal::FieldChange;
use pages::{Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table};
use serde_json::Value;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::edit_words;
use crate::web::shared::labels::label_of;
use crate::web::shared::timeline::{index, moment};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// The most characters of a value that are shown; the command line shows all of it.
const MOST_SHOWN: usize = 500;
/// The most ids whose names are looked up for one page.
const MOST_NAMED: usize = 100;

/// One entry of the log: the written fields, before and after.
pub(crate) async fn show_entry(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::AuditLog, move |view| event_page(view, &id)).await
}

/// The session or token of the act, each with a link to the timeline of its acts.
fn ways_in(view: &View<'_, '_, '_>, told: &ShownEvent) -> Vec<Fact> {
    let fact = |(name, label): (&str, &'static str)| {
        let id = told.data.get("via")?.get(name)?.as_str()?;
        let url = view.url(&format!("/audit/timeline?{name}={}", escaped(id)));
        Some(Fact::new(label, Rich::new().said_link(id, url)))
    };
    [("session", "Session"), ("token", "Token")]
        .into_iter()
        .filter_map(fact)
        .collect()
}

fn event_page(view: &mut View<'_, '_, '_>, id: &str) -> acts::Result<String> {
    let found = show_event(view.cx, id)?;
    let told = ShownEvent {
        id: found.id.clone(),
        recorded_at: found.recorded_at,
        kind: found.kind.clone(),
        at: found.occurred_at,
        index: found.index,
        actor: view
            .directory
            .by_login(&found.actor)
            .map_or_else(|| PersonId::from(found.actor.as_str()), |it| it.id.clone()),
        table: found.subject.table.clone(),
        subject: found.subject.id.clone(),
        data: found.data.clone(),
    };
    let moment = moment(view, &told);
    let around = found
        .index
        .map(|number| view.url(&format!("/audit?before={}", number + 1)));
    let mut facts = vec![
        Fact::new("When", view.reader.moment(found.occurred_at)),
        Fact::new("Kind", kind_link(view, &found.kind)),
        Fact::new("About", about(view, &told)),
        Fact::new("Event", Rich::new().code(found.id.as_str())),
    ];
    if let (Some(number), Some(url)) = (found.index, around) {
        facts.push(Fact::new("Place in the log", Rich::new().link(place(number), url)));
    }
    facts.extend(ways_in(view, &told));
    let mut sections = Vec::new();
    if let Some(teller) = &found.told_by {
        let name = teller.index.map_or_else(|| teller.id.clone(), place);
        let url = view.url(&format!("/audit/events/{}", teller.id));
        facts.push(Fact::new("Earlier entry of the same act", Rich::new().link(name, url)));
        let text = "It wrote no record by itself. Below is what an earlier entry of the same act wrote, for this one or for \
                    another matter.";
        sections.push(text_section("What an earlier entry of the same act wrote", text));
    } else if found.records.is_empty() {
        sections.push(text_section("What it wrote", "It wrote no record."));
    }
    if !found.records.is_empty() && found.told_by.is_none() {
        sections.push(text_section(
            "What it wrote",
            "Below is each record that it wrote, with every field before and after.",
        ));
    }
    let names = names_of(view, &found.records)?;
    // The full text of a long value is in the entry that wrote it.
    let whole = found.told_by.map_or(found.id, |teller| teller.id);
    for record in &found.records {
        sections.push(written_section(view, record, &names, &whole)?);
    }
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: "An entry of the log".to_owned(),
        byline: moment.text,
        facts,
        sections,
        is_facts_first: true,
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// A kind, with the way to all entries of it.
fn kind_link(view: &View<'_, '_, '_>, kind: &str) -> Rich {
    let url = view.url(&format!("/audit?kind={}", escaped(kind)));
    Rich::new().code(kind).line().link("All entries of this kind", url)
}

fn text_section(title: &str, text: &str) -> Section {
    Section::new("records", title, SectionBody::Words(Rich::from(text)))
}

/// The subject of an entry: a change by its key, a person by their name, else the record's table and id.
fn about(view: &mut View<'_, '_, '_>, told: &ShownEvent) -> Rich {
    match told.table.as_str() {
        "change" => {
            if let Ok(change) = view.cx.change(&told.subject) {
                return Rich::new().said_link(change.key.as_str(), view.change_url(&change.key));
            }
        }
        "person" => {
            if let Some(person) = view.directory.people.get(&PersonId::from(told.subject.as_str())) {
                return Rich::new().said(person.name.as_str());
            }
        }
        _ => {}
    }
    Rich::new().code(format!("{} {}", told.table, told.subject))
}

/// A place in the log as timelines write it: `#48,107`.
fn place(number: i64) -> String {
    format!("#{}", index(number))
}

/// Display names of the records that an event wrote and names, by their ids.
type Names = BTreeMap<String, String>;

/// The names of records whose ids fields hold: an approval names its change.
fn names_of(view: &mut View<'_, '_, '_>, records: &[WrittenRecord]) -> acts::Result<Names> {
    let mut ids: BTreeSet<(&'static str, String)> = BTreeSet::new();
    let values = records.iter().flat_map(|record| &record.changes);
    for change in values.filter(|change| !free_text::is_text(&change.field)) {
        for value in [&change.before, &change.after].into_iter().flatten() {
            gather(&change.field, value, &mut ids);
        }
    }
    let mut names = Names::new();
    for (table, id) in ids.into_iter().take(MOST_NAMED) {
        if let Some(name) = name_record(view.cx, table, &id)?.name {
            names.insert(id, name);
        }
    }
    Ok(names)
}

/// The ids of records within a value, each with the table that its field refers to.
fn gather(field: &str, value: &Value, ids: &mut BTreeSet<(&'static str, String)>) {
    match value {
        Value::String(text) if is_id(text) => ids.extend(table_of(field).map(|table| (table, text.clone()))),
        Value::Array(rows) => rows.iter().for_each(|row| gather(field, row, ids)),
        Value::Object(map) => map.iter().for_each(|(name, inner)| gather(name, inner, ids)),
        _ => {}
    }
}

/// Whether a text has the form of a record's id.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The table of the record that a field names by its id: `change`, `from_change`, `approvals`.
fn table_of(field: &str) -> Option<&'static str> {
    let word = field.strip_suffix("_id").unwrap_or(field);
    let is_it = |table: &&&str| {
        word == **table || word.strip_suffix('s') == Some(**table) || (word.ends_with("_change") && **table == "change")
    };
    store::nouns::TABLES.iter().find(is_it).copied()
}

/// The fields that an event wrote into one record, under the record's kind and name.
fn written_section(
    view: &mut View<'_, '_, '_>,
    record: &WrittenRecord,
    names: &Names,
    event: &str,
) -> acts::Result<Section> {
    let called = name_record(view.cx, &record.table, &record.id)?;
    let (title, name) = match (called.name, called.person) {
        (Some(name), _) => (noun(&record.table), name),
        (None, Some(person)) => (
            format!("{} {}", noun(&record.table), whose(&record.table)),
            view.name(&person),
        ),
        (None, None) => (noun(&record.table), String::new()),
    };
    let teller = ValueRenderer { view, event, names };
    let rows = record
        .changes
        .iter()
        .flat_map(|change| teller.rows(&record.table, change));
    let table = Table {
        caption: title.clone(),
        columns: vec![
            Column::new("Field", Fold::Never),
            Column::new("Before", Fold::Under).named(),
            Column::new("After", Fold::Under).named(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let which = format!("{} {}, version {}", record.table, record.id, record.version);
    let of = called.change.map_or_else(Rich::new, |key| {
        Rich::new().link(key.as_str(), view.change_url(&key)).text(" · ")
    });
    Ok(
        Section::new(format!("record-{}", record.id), title, SectionBody::Table(table))
            .named(name)
            .note(of.code(which)),
    )
}

/// The display name of each table's records.
const NOUNS: &[(&str, &str)] = &[
    ("people_group", "Group"),
    ("tenant_info", "Tenant"),
    ("key_turn", "Rotation of a key"),
    ("glass_use", "Break-glass use"),
    ("entry", "Entry of the work"),
    ("decision_facts", "Facts of a decision"),
    ("act_facts", "Act"),
    ("message", "Letter"),
];

/// The relation of a record to the person whom it names: author, addressee or owner.
fn whose(table: &str) -> &'static str {
    match table {
        "approval" | "peer_review" | "comment" | "entry" | "evidence" | "link" | "glass_use" | "act_facts" => "by",
        "message" => "to",
        _ => "of",
    }
}

fn noun(table: &str) -> String {
    let known = NOUNS.iter().find(|(name, _)| *name == table);
    known.map_or_else(|| capital(&plain(table)), |(_, noun)| (*noun).to_owned())
}

/// Renders values for people.
struct ValueRenderer<'v, 'a, 'b, 'c> {
    view: &'v View<'a, 'b, 'c>,
    /// The entry that holds the full text of a value that is cut.
    event: &'v str,
    /// Display names of the records that fields name by their ids.
    names: &'v Names,
}

/// The lists of a change of which only the differing parts are shown.
const IN_PARTS: [&str; 3] = ["plan", "rollback_plan", "targets"];

impl ValueRenderer<'_, '_, '_, '_> {
    /// A field before and after; of a plan or the targets, each part that differs: “Plan, step 3: Minutes”.
    fn rows(&self, table: &str, change: &FieldWrite) -> Vec<Vec<Cell>> {
        let is_of_parts = table == "change" && IN_PARTS.contains(&change.field.as_str());
        if !is_of_parts || change.before.is_none() || change.after.is_none() {
            return vec![self.row(table, change)];
        }
        let found = parts(&change.field, change.before.as_ref(), change.after.as_ref());
        let row = |part: FieldChange| {
            let name = part.field.rsplit('.').next().unwrap_or_default().to_owned();
            let tell = |value: &Value| self.value(&name, Some(value).filter(|it| !it.is_null()));
            vec![
                Cell::title(edit_words::label(&part.field), ""),
                Cell::Text(tell(&part.old)),
                Cell::Text(tell(&part.new)),
            ]
        };
        found.into_iter().map(row).collect()
    }

    fn row(&self, table: &str, change: &FieldWrite) -> Vec<Cell> {
        let label = label_of(&change.field).filter(|_| table == "change");
        let label = label.map_or_else(|| capital(&plain(&change.field)), str::to_owned);
        let tell = |value: &Option<Value>| self.value(&change.field, value.as_ref());
        let (mut before, mut after) = (tell(&change.before), tell(&change.after));
        if before == after && change.before != change.after {
            // Two moments within a minute look the same, so the exact times are shown.
            let exact = |value: &Option<Value>| value.as_ref().map_or_else(Rich::new, |it| self.cut(text_of(it)));
            (before, after) = (exact(&change.before), exact(&change.after));
        }
        vec![Cell::title(label, ""), Cell::Text(before), Cell::Text(after)]
    }

    fn value(&self, field: &str, value: Option<&Value>) -> Rich {
        match value {
            None => Rich::new().text("–"),
            Some(Value::Bool(is)) => Rich::new().text(yes(*is)),
            Some(Value::String(text)) if text == WITHHELD => Rich::new().text("withheld"),
            Some(Value::String(text)) if text == ERASED => Rich::new().text("erased"),
            Some(Value::String(text)) if text.is_empty() => Rich::new().text("empty"),
            Some(Value::Array(rows)) if rows.is_empty() => Rich::new().text("empty"),
            Some(Value::Object(map)) if map.is_empty() => Rich::new().text("empty"),
            Some(Value::String(text)) if text.starts_with("sha256:") => Rich::new().code(text.as_str()),
            Some(Value::String(text)) => match moment_of(field, text) {
                Some(at) => Rich::new().text(self.view.reader.moment(at)),
                None => self.cut(self.words(field, &Value::from(text.as_str()))),
            },
            Some(other) => self.cut(self.words(field, other)),
        }
    }

    /// A value as text, with all its members: `level: high, reasons: …`.
    fn words(&self, field: &str, value: &Value) -> String {
        match value {
            Value::Bool(is) => yes(*is).to_owned(),
            Value::String(text) => match moment_of(field, text) {
                Some(at) => self.view.reader.moment(at),
                None => self.named(field, text),
            },
            Value::Array(rows) => {
                let between = if rows.iter().any(is_of_parts) { "; " } else { ", " };
                let rows: Vec<String> = rows.iter().map(|row| self.words(field, row)).collect();
                rows.join(between)
            }
            Value::Object(map) => {
                let of = |(name, inner): (&String, &Value)| format!("{}: {}", plain(name), self.words(name, inner));
                map.iter().map(of).collect::<Vec<String>>().join(", ")
            }
            other => text_of(other),
        }
    }

    /// A record's id as its name and a person's as theirs; any other text unchanged. Text that people wrote is never taken for
    /// an id.
    fn named(&self, field: &str, text: &str) -> String {
        if let Some(name) = self.names.get(text).filter(|_| !free_text::is_text(field)) {
            return name.clone();
        }
        let person = self.view.directory.people.get(&PersonId::from(text));
        match person.filter(|_| !free_text::is_text(field)) {
            Some(person) => person.shown_name(),
            None => text.to_owned(),
        }
    }

    /// A text, cut where it is long: then with a reference to the full text.
    fn cut(&self, text: String) -> Rich {
        match text.char_indices().nth(MOST_SHOWN) {
            Some((end, _)) => Rich::new()
                .said(format!("{}…", &text[..end]))
                .line()
                .text("All of it: ")
                .code(format!("assent audit show {}", self.event)),
            None => Rich::new().said(text),
        }
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// The time in a text of the rules; text that people wrote is left unchanged.
fn moment_of(field: &str, text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|_| !free_text::is_text(field))
}

fn is_of_parts(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// A value, unchanged.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
