//! Imports and exports of the directory, and reports on the ownership matrix.

use std::collections::{BTreeMap, BTreeSet};

use acts::Context;
use acts::directory::import_directory::{Line, NO_ROWS_TO_KEEP, Options, Report, import_directory, with_example};
use acts::policy::find_unapprovable::{self, Loss, find_loss};
use acts::policy::propose_ownership;
use acts::schedule::set_calendar;
use connect::directory::backstage;
use connect::directory::json_rows::lines_of_rows;
use connect::directory::table::{self, Columns, Problem};
use connect::schedule::ical;
use model::core::act;
use model::core::body::Body;
use model::core::enums::Noun;
use model::core::ids::ServiceKey;
use model::core::parse::{self, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Ownership};
use model::schedule::calendar;
use serde::Serialize;
use serde_json::{Map, Value, json};
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The longest text of an import, in characters; the body's own limit comes first.
const TEXT: usize = 4 << 20;
/// The most differences that a response shows.
const SHOWN: usize = 1_000;
/// The most services that a dry run checks for lost approvers.
const LOOKED_AT: usize = 200;

/// Nouns, each after the nouns that it refers to.
const IN_ORDER: [Noun; 7] = [
    Noun::Environments,
    Noun::Services,
    Noun::ConfigItems,
    Noun::Dependencies,
    Noun::People,
    Noun::Groups,
    Noun::Ownerships,
];

/// Imports, exports, reports.
pub(crate) const ROUTES: &[Route] = &[
    Route::writes("import_directory", import).scope(Scope::Admin),
    Route::reads("export_directory", export),
    Route::reads("report_ownership", reports),
];

/// The columns of a noun, in the order of an export.
fn columns(noun: Noun) -> Columns {
    let known: &'static [&'static str] = match noun {
        Noun::People => &[
            "login",
            "name",
            "email",
            "roles",
            "zone",
            "accounts",
            "functions",
            "calendar",
            "manager",
            "active",
        ],
        Noun::Groups => &["key", "name", "kind", "members", "calendar"],
        Noun::Services => &["key", "name", "criticality", "regimes", "data_class", "holds", "team"],
        Noun::Environments => &["key", "name", "is_production"],
        Noun::ConfigItems => &["key", "name", "service", "kind", "holds"],
        Noun::Dependencies => &["from", "to", "kind", "from_kind", "to_kind", "environments"],
        Noun::Ownerships => &[
            "service",
            "config_item",
            "class",
            "environment",
            "role",
            "person",
            "group",
            "function",
            "since",
            "ends_at",
        ],
    };
    Columns {
        known,
        lists: &[
            "roles",
            "accounts",
            "functions",
            "members",
            "regimes",
            "holds",
            "environments",
        ],
        flags: &["active", "is_production"],
    }
}

fn import(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let mut reading = Reading::new(&ask.body, "");
    let kind = reading.needed("kind", parse::LINE);
    let format = reading.text("format", parse::LINE);
    let text = reading.needed("text", TEXT);
    let calendar = reading.text("calendar", parse::LINE);
    let options = Options {
        dry_run: reading.boolean("dry_run").unwrap_or_default(),
        end_missing: reading.boolean("end_missing").unwrap_or_default(),
        from_catalogue: kind == "backstage",
        ends_unsaid: kind == "backstage",
        by_two: false,
    };
    let proposes = reading.boolean("propose").unwrap_or_default();
    let reason = reading.text("reason", parse::TEXT);
    if proposes && reason.is_none() {
        reading.wrong("reason", "missing", "`reason` says why these rows are proposed.");
    }
    if kind == "holidays" && options.end_missing {
        reading.wrong("end_missing", "not_allowed", NO_ROWS_TO_KEEP);
    }
    reading.finish()?;
    let reason = reason.filter(|_| proposes);
    match kind.as_str() {
        "holidays" => holidays(cx, &text, calendar.as_deref(), options),
        "backstage" => {
            let (rows, left_out) = backstage::read(&text).map_err(|problem| refused(&problem, ENTITY))?;
            let lines: Vec<Line> = rows
                .into_iter()
                .map(|row| Line {
                    number: row.line,
                    is_row: false,
                    noun: row.noun,
                    fields: row.fields,
                })
                .collect();
            done(cx, &lines, options, (left_out, reason))
        }
        "estate" => done(cx, &estate(&text)?, options, (0, reason)),
        word => {
            let noun: Noun = word.parse().map_err(|_| {
                let known: Vec<&str> = Noun::ALL.iter().map(|noun| noun.as_str()).collect();
                let text = format!("`kind` is one of: {}, estate, backstage, holidays.", known.join(", "));
                Refusal::field("kind", "unknown_word", text)
            })?;
            let lines = lines(noun, format.as_deref().unwrap_or("csv"), &text)?;
            done(cx, &lines, options, (0, reason))
        }
    }
}

/// A valid example of a catalogue document.
const ENTITY: &str = "{apiVersion: backstage.io/v1alpha1, kind: Component, metadata: {name: shop}, spec: {owner: web}}";
/// A valid example of a holiday, each part on a line of its own.
const HOLIDAY: &str = "BEGIN:VEVENT, DTSTART;VALUE=DATE:20261225, SUMMARY:Christmas, END:VEVENT";
/// A valid example of the lists of a whole directory.
const LISTS: &str = "{\"services\": [{\"key\": \"shop\"}]}";

/// The error for an unreadable file: place, reason, and a valid example.
fn refused(problem: &Problem, example: &str) -> Refusal {
    let text = format!("{}. Example: {example}.", problem.text.trim_end_matches('.'));
    Refusal::field(&format!("line {}", problem.line), "not_readable", text)
}

/// The same for a row of one noun.
fn refused_row(problem: &Problem, noun: Noun) -> Refusal {
    let text = with_example(noun, &format!("{}.", problem.text.trim_end_matches('.')));
    Refusal::field(&format!("line {}", problem.line), "not_readable", text)
}

fn lines(noun: Noun, format: &str, text: &str) -> acts::Result<Vec<Line>> {
    let line = |(number, fields): (usize, Body)| Line {
        number,
        is_row: false,
        noun,
        fields,
    };
    match format {
        "csv" => {
            let rows = table::read(text, columns(noun)).map_err(|problem| refused_row(&problem, noun))?;
            Ok(rows.into_iter().map(line).collect())
        }
        "json" => json_rows(noun, text),
        _ => Err(Refusal::field("format", "unknown_word", "`format` is csv or json.").into()),
    }
}

/// The positions of a JSON text's rows: the line where each row begins, or its index where several begin on one line.
struct Places {
    lines: BTreeMap<String, Vec<usize>>,
    are_apart: bool,
}

impl Places {
    fn of(text: &str) -> Self {
        let lines = lines_of_rows(text);
        let all: Vec<usize> = lines.values().flatten().copied().collect();
        let apart: BTreeSet<usize> = all.iter().copied().collect();
        Self {
            are_apart: apart.len() == all.len(),
            lines,
        }
    }

    /// A row of the list of that key, which is the so many-th of all.
    fn line(&self, (key, place): (&str, usize), (row, noun): (usize, Noun)) -> Line {
        let line = self.lines.get(key).and_then(|lines| lines.get(place)).copied();
        let line = line.filter(|_| self.are_apart);
        Line {
            number: line.unwrap_or(row),
            is_row: line.is_none(),
            noun,
            fields: Body::new(),
        }
    }
}

/// Lists of all nouns in one object, each under the noun's name: read so that each noun comes after those it refers to.
fn estate(text: &str) -> acts::Result<Vec<Line>> {
    let wrong = |line: usize, text: String| refused(&Problem::new(line, text), LISTS);
    let value: Value =
        serde_json::from_str(text).map_err(|error| wrong(error.line(), format!("it is no JSON: {error}")))?;
    let Value::Object(mut lists) = value else {
        return Err(wrong(1, "it is no object of lists".to_owned()).into());
    };
    let places = Places::of(text);
    let mut lines: Vec<Line> = Vec::new();
    for noun in IN_ORDER {
        let rows = match lists.remove(noun.as_str()) {
            None => continue,
            Some(Value::Array(rows)) => rows,
            Some(_) => return Err(wrong(1, format!("`{noun}` must be a list of objects")).into()),
        };
        for (place, row) in rows.into_iter().enumerate() {
            let line = places.line((noun.as_str(), place), (lines.len() + 1, noun));
            let Value::Object(fields) = row else {
                let text = format!("`{noun}` holds something that is no object. Example: {LISTS}.");
                return Err(Refusal::field(&line.place(), "not_readable", text).into());
            };
            lines.push(Line { fields, ..line });
        }
    }
    match lists.keys().next() {
        Some(unknown) => {
            let known: Vec<&str> = IN_ORDER.iter().map(|noun| noun.as_str()).collect();
            let text = format!(
                "`{unknown}` is no list of the directory; its lists are {}",
                known.join(", ")
            );
            Err(wrong(1, text).into())
        }
        None => Ok(lines),
    }
}

/// A list of objects, or an object with such a list as `items`.
fn json_rows(noun: Noun, text: &str) -> acts::Result<Vec<Line>> {
    let wrong = |line: usize, text: String| refused_row(&Problem::new(line, text), noun);
    let value: Value =
        serde_json::from_str(text).map_err(|error| wrong(error.line(), format!("it is no JSON: {error}")))?;
    let no_list = || wrong(1, "it is no list of objects, such as [{\"key\": \"shop\"}]".to_owned());
    let (key, items) = match value {
        Value::Array(items) => ("", items),
        Value::Object(mut map) => match map.remove("items") {
            Some(Value::Array(items)) => ("items", items),
            _ => return Err(no_list().into()),
        },
        _ => return Err(no_list().into()),
    };
    let places = Places::of(text);
    let mut lines = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        let line = places.line((key, place), (place + 1, noun));
        let Value::Object(fields) = item else {
            let text = with_example(noun, "it is no object.");
            return Err(Refusal::field(&line.place(), "not_readable", text).into());
        };
        lines.push(Line { fields, ..line });
    }
    Ok(lines)
}

/// Applies the import. With a reason, rows that need two people are proposed instead.
fn done(
    cx: &mut Context<'_, '_>,
    lines: &[Line],
    options: Options,
    (left_out, reason): (usize, Option<String>),
) -> acts::Result<Reply> {
    let (mut report, proposal) = match reason {
        Some(reason) => propose_ownership::import_and_propose(cx, lines, options, reason)?,
        None => (import_directory(cx, lines, options)?, None),
    };
    let differing = report.rows.len();
    let loss = loss(cx, &report)?;
    report.rows.truncate(SHOWN);
    let directory = report.becomes.clone().unwrap_or(cx.directory()?);
    let mut value = views::shown(&report, &directory);
    if let Some(loss) = loss {
        value["no_longer_approvable"] = serde_json::to_value(loss.no_longer_approvable)?;
        value["services_looked_at"] = json!(loss.services_looked_at);
        value["services_not_looked_at"] = json!(loss.services_not_looked_at);
    }
    value["left_out"] = json!(left_out);
    value["differing"] = json!(differing);
    if let Some(proposal) = proposal {
        value["proposal"] = json!({"id": proposal.id, "digest": proposal.digest});
    }
    Ok(Reply::ok(value))
}

/// The services that an import would leave without approvers, although they have them now. Only a dry run looks for them.
fn loss(cx: &mut Context<'_, '_>, report: &Report) -> acts::Result<Option<Loss>> {
    let Some(to_be) = report.becomes.as_ref().filter(|_| !report.rows.is_empty()) else {
        return Ok(None);
    };
    let service = |row: &Value| row["service"].as_str().map(|key| ServiceKey(key.to_owned()));
    let rows = report
        .rows
        .iter()
        .flat_map(|row| [row.before.as_ref(), Some(&row.after)]);
    let named = rows.flatten().filter_map(service).collect();
    find_loss(cx, to_be, &named, LOOKED_AT).map(Some)
}

fn holidays(cx: &mut Context<'_, '_>, text: &str, calendar: Option<&str>, options: Options) -> acts::Result<Reply> {
    let today = cx.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (days, left_out) = ical::holidays(text, today).map_err(|problem| refused(&problem, HOLIDAY))?;
    let key = calendar.unwrap_or(calendar::USUAL);
    let (calendar, fresh) = set_calendar::import_holidays(cx, key, days, options.dry_run)?;
    Ok(Reply::ok(json!({
        "dry_run": options.dry_run, "calendar": calendar.key, "added": fresh.len(),
        "unchanged": calendar.holidays.len().saturating_sub(fresh.len()), "left_out": left_out, "rows": fresh,
    })))
}

fn export(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let noun: Noun = ask
        .place(0)
        .parse()
        .map_err(|_| Refusal::not_found(format!("export {}", ask.place(0))))?;
    let directory = cx.directory()?;
    let rows = rows(&directory, noun);
    let format = ask.query("format").unwrap_or("csv");
    let text = match format {
        "csv" => table::write(columns(noun), &rows)
            .map_err(|error| acts::Error::Fault(format!("a table could not be written: {error}")))?,
        "json" => serde_json::to_string_pretty(&rows)?,
        _ => return Err(Refusal::field("format", "unknown_word", "`format` is csv or json.").into()),
    };
    Ok(Reply::ok(
        json!({"noun": noun, "format": format, "rows": rows.len(), "text": text}),
    ))
}

/// The rows of a noun with the fields that an import reads.
fn rows(directory: &Directory, noun: Noun) -> Vec<Map<String, Value>> {
    fn all<'a, T: Serialize + 'a>(
        rows: impl Iterator<Item = &'a T>,
        directory: &Directory,
        noun: Noun,
    ) -> Vec<Map<String, Value>> {
        let keep = columns(noun).known;
        rows.map(|row| match views::shown(row, directory) {
            Value::Object(map) => map
                .into_iter()
                .filter(|(field, _)| keep.contains(&field.as_str()))
                .collect(),
            _ => Map::new(),
        })
        .collect()
    }
    match noun {
        Noun::People => all(directory.people.values(), directory, noun),
        // A group that its directory removed would come back with the next import.
        Noun::Groups => all(directory.groups.values().filter(|it| !it.removed), directory, noun),
        Noun::Services => all(directory.services.values(), directory, noun),
        Noun::Environments => all(directory.environments.values(), directory, noun),
        Noun::ConfigItems => all(directory.config_items.values(), directory, noun),
        Noun::Dependencies => all(directory.dependencies.iter(), directory, noun),
        Noun::Ownerships => {
            // A row that was withdrawn before its start was never in force.
            let held = |row: &&Ownership| row.ends_at.is_none_or(|end| row.since < end);
            all(directory.ownerships.iter().filter(held), directory, noun)
        }
    }
}

fn reports(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let limit = usize::try_from(ask.limit()?).unwrap_or_default();
    let report = find_unapprovable::find_unapprovable(cx, ask.query("after").unwrap_or_default(), limit)?;
    Ok(Reply::ok(serde_json::to_value(report)?))
}
