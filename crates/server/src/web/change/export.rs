//! The list of changes as a file, CSV (RFC 4180) or XLSX: the filters, columns and order of the page, and all rows. Above the
//! rows are the query, the time zone and the number of rows.
//!
//! A CSV file is for machines: its heads and its names of states, risks and labels are English for every reader, so that its
//! format is stable. A workbook is for people, and uses the reader's language.

use std::collections::BTreeMap;

use acts::report::find_changes::{self, Order, find_custom_values, find_ordered, find_waiting, outcome_of, read_order};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use model::core::ids;
use model::core::refusal::Refusal;
use pages::language::Language;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use store::{Lane, Mode};

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::change::change_query::{OWN, Wanted, filter};
use crate::web::change::list::WAITS;
use crate::web::change::{custom_fields, orders};
use crate::web::shared::view::{self, View, Visitor, problem};
use crate::web::shared::{languages, words};

/// The most rows of a file. A longer list is refused, with the advice to filter it.
const MOST_ROWS: usize = 50_000;
/// How many rows are read at once.
const BATCH: i64 = 500;

/// The content of an export.
struct Export {
    /// Label and value: the query, the filters, the time zone, the count.
    about: Vec<(String, String)>,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The ids of the built-in columns; the columns of the tenant's own fields follow.
    columns: Vec<String>,
    /// The language that the reader's account names; empty for none.
    language: String,
}

/// The list as CSV.
pub(crate) async fn csv(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    match gather(&state, &visitor, Wanted(pairs)).await {
        Ok(export) => file("text/csv; charset=utf-8", "changes.csv", as_csv(&export).into_bytes()),
        Err(failure) => problem(&state, &visitor, &failure, "").await,
    }
}

/// The list as a workbook.
pub(crate) async fn xlsx(
    State(state): State<AppState>,
    visitor: Visitor,
    (uri, headers): (Uri, HeaderMap),
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let made = gather(&state, &visitor, Wanted(pairs)).await.map(|export| {
        let language = languages::of_file(&uri, &headers, &export.language);
        match language {
            Some(language) => in_language(export, language),
            None => export,
        }
    });
    match made.and_then(|export| as_xlsx(&export).map_err(|error| Failure::fault(&error))) {
        Ok(bytes) => file(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "changes.xlsx",
            bytes,
        ),
        Err(failure) => problem(&state, &visitor, &failure, "").await,
    }
}

fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}

async fn gather(state: &AppState, visitor: &Visitor, wanted: Wanted) -> Result<Export, Failure> {
    let act = move |cx: &mut acts::Context<'_, '_>| {
        let mut view = View::open(cx, pages::Place::Changes)?;
        read(&mut view, &wanted)
    };
    state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await
}

fn read(view: &mut View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<Export> {
    let (order, _) = read_order(wanted.get("sort"), None)?;
    let filter = filter(view, wanted).map_err(Refusal::Invalid)?;
    let mut columns = wanted.columns();
    let has_own = columns.iter().any(|id| id == OWN);
    columns.retain(|id| id != OWN);
    let own: Vec<String> = view
        .directory
        .custom_fields
        .keys()
        .filter(|_| has_own)
        .cloned()
        .collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut after = None;
    let is_whole = loop {
        let (found, next) = find_ordered(view.cx, &filter, order, BATCH, after.as_ref())?;
        let values = match own.is_empty() {
            true => BTreeMap::new(),
            false => find_custom_values(view.cx, &found)?,
        };
        let waiting = match columns.iter().any(|id| id == WAITS) {
            true => find_waiting(view.cx, &found)?,
            false => BTreeMap::new(),
        };
        for (listed, targets) in &found.rows {
            let waits = waiting.get(&listed.id).map(Vec::as_slice).unwrap_or_default();
            let usual = columns.iter().map(|id| match id == WAITS {
                true => waits
                    .iter()
                    .map(|who| view.waits_on(who))
                    .collect::<Vec<_>>()
                    .join(", "),
                false => cell(view, id, listed, targets),
            });
            let said = values.get(&listed.id).map(Vec::as_slice).unwrap_or_default();
            let own = own.iter().map(|key| {
                let value = said.iter().find(|value| value.key == *key);
                value.map(|value| custom_fields::plain(view, value)).unwrap_or_default()
            });
            rows.push(usual.chain(own).collect());
        }
        after = next;
        if after.is_none() || rows.len() >= MOST_ROWS {
            break after.is_none();
        }
    };
    let count = match is_whole {
        true => rows.len().to_string(),
        false => format!("{}, and there are more: cut the list by its filters", rows.len()),
    };
    let names = own
        .iter()
        .map(|key| custom_fields::name(&view.directory, key).to_owned());
    Ok(Export {
        about: about(view, wanted, order, count),
        heads: columns.iter().map(|id| head(id).to_owned()).chain(names).collect(),
        rows,
        columns,
        language: view::language_of(&view.directory, &view.me),
    })
}

/// The description of the file: tenant, query, time zone, number of rows, time and author.
fn about(view: &View<'_, '_, '_>, wanted: &Wanted, order: Order, count: String) -> Vec<(String, String)> {
    let query = wanted.query();
    let mut about = vec![
        ("Export".to_owned(), format!("Changes of {}", view.frame.tenant)),
        (
            "Query".to_owned(),
            if query.is_empty() { "all".to_owned() } else { query },
        ),
    ];
    about.extend(
        wanted
            .told()
            .into_iter()
            .map(|(label, value)| (format!("Filter: {label}"), value)),
    );
    about.push(("Order".to_owned(), orders::order_label(order).to_owned()));
    about.push(("Time zone".to_owned(), view.reader.zone_name().to_owned()));
    about.push(("Rows".to_owned(), count));
    let now = view.reader.field(view.now()).replace('T', " ");
    about.push(("Made".to_owned(), format!("{now} by {}", view.frame.person)));
    about
}

fn head(id: &str) -> &'static str {
    match id {
        "key" => "Key",
        "title" => "Change",
        "state" => "State",
        "outcome" => "Outcome",
        "risk" => "Risk",
        "where" => "Where",
        "planned" => "Planned",
        "planned_end" => "Planned end",
        WAITS => "Waits for",
        "owner" => "Owner",
        "requester" => "Requester",
        "team" => "Team",
        "created" => "Written",
        "updated" => "Last changed",
        _ => "Age",
    }
}

fn cell(
    view: &View<'_, '_, '_>,
    id: &str,
    listed: &find_changes::ChangeRow,
    targets: &[find_changes::TargetRow],
) -> String {
    let time = |at: jiff::Timestamp| view.reader.field(at).replace('T', " ");
    let name = |person: &str| view.name(&ids::PersonId::from(person));
    match id {
        "key" => listed.key.clone(),
        "title" => listed.title.clone(),
        "state" if listed.on_hold => format!("{} (on hold)", listed.state),
        "state" => listed.state.clone(),
        "outcome" => outcome_of(targets).map_or_else(String::new, |outcome| outcome.as_str().to_owned()),
        "risk" => listed.risk.clone(),
        "where" => {
            let places = targets
                .iter()
                .map(|target| format!("{} {}", target.service, target.environment));
            places.collect::<Vec<_>>().join(", ")
        }
        "planned" => listed.planned_start.map(time).unwrap_or_default(),
        "planned_end" => listed.planned_end.map(time).unwrap_or_default(),
        "owner" => name(&listed.owner),
        "requester" => name(&listed.requester),
        "team" => listed.team.clone().unwrap_or_default(),
        "created" => time(listed.created_at),
        "updated" => time(listed.updated_at),
        _ => view.reader.age(listed.created_at),
    }
}

/// The same with our own texts in a language: text that people wrote, and the query, stay unchanged.
fn in_language(mut export: Export, language: &Language) -> Export {
    let said = |words: &str| language.text(&words::capital(words));
    let ours = export.columns.len();
    for head in export.heads.iter_mut().take(ours) {
        *head = language.text(head);
    }
    for row in &mut export.rows {
        for (id, value) in export.columns.iter().zip(row) {
            *value = match (id.as_str(), value.split_once(" (")) {
                ("state", Some((state, _))) => format!("{} ({})", said(state), language.text("On hold").to_lowercase()),
                ("state" | "outcome" | "risk", None) => said(value),
                _ => continue,
            };
        }
    }
    for (label, _) in &mut export.about {
        *label = match label.split_once(": ") {
            Some((begin, rest)) => format!("{}: {}", language.text(begin), language.text(rest)),
            None => language.text(label),
        };
    }
    export
}

/// A value that no spreadsheet takes for a formula: an apostrophe before a formula's first character makes spreadsheets read
/// the value as text.
pub(crate) fn defused(value: &str) -> String {
    let begins = value.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    match begins.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        true => format!("'{value}"),
        false => value.to_owned(),
    }
}

pub(crate) fn csv_line<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let quoted = values.map(|value| format!("\"{}\"", defused(value).replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

/// Lines that begin with `#` describe the file; then the heads, then a line a change. Every line has as many cells as there are
/// heads (RFC 4180, section 2).
fn as_csv(export: &Export) -> String {
    // The byte order mark shows spreadsheets that this is UTF-8.
    let mut out = String::from("\u{feff}");
    for (label, value) in &export.about {
        let label = format!("# {label}");
        let rest = std::iter::repeat_n("", export.heads.len().saturating_sub(2));
        out.push_str(&csv_line([label.as_str(), value.as_str()].into_iter().chain(rest)));
    }
    out.push_str(&csv_line(export.heads.iter().map(String::as_str)));
    for row in &export.rows {
        out.push_str(&csv_line(row.iter().map(String::as_str)));
    }
    out
}

fn as_xlsx(export: &Export) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let strong = Format::new().set_bold();
    let sheet = book.add_worksheet().set_name("Changes")?;
    for (column, words) in (0_u16..).zip(&export.heads) {
        sheet.write_string_with_format(0, column, words, &strong)?;
    }
    for (line, row) in (1_u32..).zip(&export.rows) {
        for (column, value) in (0_u16..).zip(row) {
            // Written as text, a cell is never computed; the apostrophe keeps it so when it is saved as CSV.
            sheet.write_string(line, column, defused(value))?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    let about = book.add_worksheet().set_name("About")?;
    for (line, (label, value)) in (0_u32..).zip(&export.about) {
        about.write_string_with_format(line, 0, label, &strong)?;
        about.write_string(line, 1, defused(value))?;
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn export(cell: &str) -> Export {
        Export {
            about: vec![("Rows".to_owned(), "1".to_owned())],
            heads: vec!["Change".to_owned()],
            rows: vec![vec![cell.to_owned()]],
            columns: vec!["title".to_owned()],
            language: String::new(),
        }
    }

    #[test]
    fn a_workbook_says_our_words_in_the_readers_language_and_leaves_theirs() {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let export = Export {
            about: vec![("Filter: State".to_owned(), "closed".to_owned())],
            heads: texts(&["State", "Change", "Risk", "State"]),
            rows: vec![
                texts(&["implementing", "Closed", "high", "closed"]),
                texts(&["authorizing (on hold)", "High", "", "low"]),
            ],
            columns: texts(&["state", "title", "risk"]),
            language: "de".to_owned(),
        };
        let told = in_language(export, pages::language::find("de").unwrap());
        assert_eq!(told.heads, ["Status", "Change", "Risiko", "State"]);
        assert_eq!(told.rows[0], ["In Umsetzung", "Closed", "Hoch", "closed"]);
        assert_eq!(told.rows[1], ["In Genehmigung (angehalten)", "High", "", "low"]);
        assert_eq!(told.about[0], ("Filter: Status".to_owned(), "closed".to_owned()));
    }

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=cmd", "\n+2", "\u{ff1d}1"] {
            assert_eq!(defused(cell), format!("'{cell}"));
        }
        assert_eq!(defused("a=1"), "a=1");
    }

    #[test]
    fn quotes_and_line_ends_stay_inside_of_their_cell() {
        let text = as_csv(&export("say \"=1\"\nand go"));
        assert_eq!(
            text,
            "\u{feff}\"# Rows\",\"1\"\r\n\"Change\"\r\n\"say \"\"=1\"\"\nand go\"\r\n"
        );
    }

    #[test]
    fn a_workbook_is_a_zip_archive() {
        let bytes = as_xlsx(&export("=HYPERLINK(1)")).unwrap();
        assert_eq!(bytes.get(..2).unwrap(), b"PK");
    }
}
