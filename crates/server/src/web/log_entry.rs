//! One entry of the log for people: who did what, and each field that it wrote, before and after.

use acts::find_timeline::Told;
use acts::show_event::{WrittenRecord, show_event};
use axum::extract::{Path, State};
use axum::response::Response;
use model::ids::PersonId;
use pages::{Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table};
use serde_json::Value;

use super::audit::moment;
use super::sections::index;
use super::view::{View, Visitor, show};
use crate::state::AppState;

/// How many characters of a value are shown; the interface tells all of it.
const MOST_SHOWN: usize = 500;

/// One entry of the log: what it wrote, before and after.
pub(super) async fn show_entry(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::AuditLog, move |view| event_page(view, &id)).await
}

fn event_page(view: &mut View<'_, '_, '_>, id: &str) -> acts::Result<String> {
    let found = show_event(view.room, id)?;
    let told = Told {
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
        Fact::new("Kind", Rich::new().code(found.kind.as_str())),
        Fact::new("About", Rich::new().code(format!("{} {}", told.table, told.subject))),
        Fact::new("Event", Rich::new().code(found.id.as_str())),
    ];
    if let (Some(number), Some(url)) = (found.index, around) {
        facts.push(Fact::new("Place in the log", Rich::new().link(place(number), url)));
    }
    if let Some(teller) = &found.told_by {
        let name = teller.index.map_or_else(|| teller.id.clone(), place);
        let url = view.url(&format!("/audit/events/{}", teller.id));
        facts.push(Fact::new("Written by the same act", Rich::new().link(name, url)));
    }
    let sections = found.records.iter().map(written_section);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: "An entry of the log".to_owned(),
        byline: moment.text,
        facts,
        sections: sections.collect(),
        ..RecordPage::default()
    };
    if page.sections.is_empty() {
        let text = "It wrote no record.";
        page.sections = vec![Section::new(
            "records",
            "What it wrote",
            SectionBody::Words(Rich::from(text)),
        )];
    }
    Ok(page.render())
}

/// A place in the log as timelines write it: `#48,107`.
fn place(number: i64) -> String {
    format!("#{}", index(number))
}

/// What an event wrote into one record.
fn written_section(record: &WrittenRecord) -> Section {
    let rows = record.changes.iter().map(|change| {
        vec![
            Cell::said(change.field.as_str()),
            Cell::said(short(change.before.as_ref())),
            Cell::said(short(change.after.as_ref())),
        ]
    });
    let table = Table {
        caption: "What it wrote".to_owned(),
        columns: vec![
            Column::new("Field", Fold::Never),
            Column::new("Before", Fold::Under).named(),
            Column::new("After", Fold::Under).named(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let which = format!("{} {}, version {}", record.table, record.id, record.version);
    Section {
        note: Rich::new().code(which),
        ..Section::new(
            format!("record-{}", record.id),
            "What it wrote",
            SectionBody::Table(table),
        )
    }
}

/// A value as people read it, cut where it is long.
fn short(value: Option<&Value>) -> String {
    let text = match value {
        None => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
