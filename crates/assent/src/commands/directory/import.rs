//! `assent import`: brings an estate in from a file, through the same routes as everything else. It may run again: existing
//! records stay, different ones are changed, nothing is taken away.

use std::collections::BTreeMap;

use clap::Args;
use connect::directory::json_rows;
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, Tone, array, text_of};

/// What to bring in.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent import estate.toml --dry-run\n\n\
    The file (TOML, or JSON when its name ends in .json) has lists of these names; each entry is what the API takes:\n\
    [[environments]]  key, name, is_production\n\
    [[services]]      key, name, criticality, regimes, data_class, holds, team\n\
    [[config_items]]  key, name, service\n\
    [[dependencies]]  from, to\n\
    [[people]]        login, name, email, roles, zone, accounts\n\
    [[groups]]        key, name, members\n\
    [[ownerships]]    service, environment, role, and person or group")]
pub struct Import {
    /// The file, `-` for standard input (TOML).
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Say what would be done, as the server judges it, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// A list of the file: its name, where it goes, and by which fields an entry is known.
struct Part {
    name: &'static str,
    path: &'static str,
    keys: &'static [&'static str],
    /// How an entry that is there is changed.
    change: Change,
}

/// How an entry that is there already is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// The same POST sets it.
    Post,
    /// PATCH with its ETag.
    Patch,
    /// PUT with its ETag, which also makes it.
    Put,
    /// It has nothing beside its keys.
    Never,
}

/// In the order in which they refer to each other.
const PARTS: &[Part] = &[
    part("environments", "/environments", &["key"], Change::Post),
    part("services", "/services", &["key"], Change::Post),
    part("config_items", "/config-items", &["key"], Change::Post),
    part("dependencies", "/dependencies", &["from", "to"], Change::Never),
    part("people", "/people", &["login"], Change::Patch),
    part("groups", "/groups", &["key"], Change::Put),
    part(
        "ownerships",
        "/ownerships",
        &["service", "environment", "role", "person", "group"],
        Change::Never,
    ),
];

const fn part(name: &'static str, path: &'static str, keys: &'static [&'static str], change: Change) -> Part {
    Part {
        name,
        path,
        keys,
        change,
    }
}

/// Runs the import. Exit code 1 when an entry was refused; the others are done all the same.
///
/// # Errors
/// Why the file could not be read or the request failed.
pub fn run(import: &Import, common: &Common, output: &Output) -> Result<u8> {
    let (file, places) = read(&import.file)?;
    let client = Client::new(common)?;
    let mut rows: Vec<Value> = Vec::new();
    for part in PARTS {
        let entries = array(&file, part.name);
        if entries.is_empty() {
            continue;
        }
        let known = all(&client, part.path)?;
        for (place, entry) in entries.iter().enumerate() {
            let mut row = bring(&client, part, entry, &known, import.dry_run)?;
            if let Some(line) = places.get(part.name).and_then(|lines| lines.get(place)) {
                row["line"] = json!(line);
            }
            rows.push(row);
        }
    }
    if import.dry_run {
        judge(&client, &file, &mut rows)?;
    }
    let count = |word: &str| rows.iter().filter(|row| row["result"] == word).count();
    let refused = count("refused");
    let value = json!({"rows": rows, "made": count("made"), "changed": count("changed"), "same": count("same"),
        "refused": refused, "dry_run": import.dry_run});
    output.data(&value, |output| print_import(output, &value));
    Ok(u8::from(refused > 0))
}

/// Has the server judge the whole file, as it would be done, and marks the entries that it would refuse.
fn judge(client: &Client, file: &Value, rows: &mut [Value]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let body = json!({"kind": "estate", "text": file.to_string(), "dry_run": true});
    let Err(failure) = client.post("/imports", &body) else {
        return Ok(());
    };
    let Failure::Refused { status: 422, problem } = &failure else {
        return Err(failure);
    };
    let mut is_placed = false;
    for error in array(problem, "errors") {
        let row = line_of(&text_of(error, "field")).and_then(|line| rows.get_mut(line.checked_sub(1)?));
        let Some(row) = row else { continue };
        is_placed = true;
        row["result"] = json!("refused");
        let mut why: Vec<Value> = array(row, "why").to_vec();
        why.push(json!(text_of(error, "text")));
        row["why"] = json!(why);
    }
    // An error about the file as a whole, such as too many entries, is no result for any entry.
    if is_placed { Ok(()) } else { Err(failure) }
}

/// The number in `row 7: login`: the entry's place in the file, counted through its lists in their order. The file goes to the
/// server on one line, so that a single entry is on `line 1`.
fn line_of(field: &str) -> Option<usize> {
    let rest = field.strip_prefix("row ").or_else(|| field.strip_prefix("line "))?;
    rest.split(':').next()?.trim().parse().ok()
}

fn print_import(output: &Output, value: &Value) {
    for row in array(value, "rows").iter().filter(|row| row["result"] != "same") {
        let word = text_of(row, "result");
        let tone = if word == "refused" { Tone::Bad } else { Tone::Good };
        let place = match row["line"].as_u64() {
            Some(line) if word == "refused" => format!(" (line {line})"),
            _ => String::new(),
        };
        let line = format!(
            "{}  {} {}{place}",
            output.tone(tone, &word),
            text_of(row, "part"),
            text_of(row, "key")
        );
        output.line(line.trim_end());
        for why in array(row, "why") {
            output.line(&format!("    {}", why.as_str().unwrap_or_default()));
        }
    }
    let would = if value["dry_run"] == true { "would be: " } else { "" };
    output.line(&format!(
        "{would}{} made, {} changed, {} the same, {} refused",
        value["made"], value["changed"], value["same"], value["refused"]
    ));
}

/// The lines where the entries of each list begin.
type Places = BTreeMap<String, Vec<usize>>;

/// The line, from 1, of a place in a text.
fn line_at(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

fn read_toml(path: &str, text: &str) -> Result<(Value, Places)> {
    let wrong = |error: toml::de::Error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        Failure::could_not(format!("`{path}` is no TOML: line {line}: {}.", error.message()))
    };
    let file = toml::from_str(text).map_err(wrong)?;
    // A file that is no list of entries has no places; the error then describes the file itself.
    let spans: BTreeMap<String, Vec<toml::Spanned<Value>>> = toml::from_str(text).unwrap_or_default();
    let lines = |rows: Vec<toml::Spanned<Value>>| rows.iter().map(|row| line_at(text, row.span().start)).collect();
    Ok((
        file,
        spans.into_iter().map(|(name, rows)| (name, lines(rows))).collect(),
    ))
}

fn read(path: &str) -> Result<(Value, Places)> {
    let text = read_text(path)?;
    let (file, places) = if path.ends_with(".json") {
        let file = serde_json::from_str(&text);
        let file: Value = file.map_err(|error| Failure::could_not(format!("`{path}` is no JSON: {error}.")))?;
        (file, json_rows::lines_of_rows(&text))
    } else {
        read_toml(path, &text)?
    };
    let Value::Object(map) = &file else {
        return Err(Failure::could_not(format!("`{path}` holds no lists.")));
    };
    for (name, list) in map {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        if !names.contains(&name.as_str()) {
            let near = policy::nearest(name, names.iter().copied());
            let hint = near.map_or_else(
                || format!("The lists are {}.", names.join(", ")),
                |it| format!("Did you mean `{it}`?"),
            );
            return Err(Failure::could_not(format!(
                "`{path}` has a list `{name}`, which nothing reads. {hint}"
            )));
        }
        if !list.as_array().is_some_and(|rows| rows.iter().all(Value::is_object)) {
            return Err(Failure::could_not(format!(
                "`{name}` in `{path}` must be a list of entries."
            )));
        }
    }
    Ok((file, places))
}

/// Every row of a list of the server.
fn all(client: &Client, path: &str) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        let page = client.get(&format!("{path}?limit=200{after}"))?.body;
        rows.extend(array(&page, "items").iter().cloned());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", encode(next)),
            None => return Ok(rows),
        }
    }
}

fn bring(client: &Client, part: &Part, entry: &Value, known: &[Value], is_dry: bool) -> Result<Value> {
    let is_it = |row: &&Value| part.keys.iter().all(|key| same(&row[*key], &entry[*key]));
    let found = known.iter().find(is_it);
    let name = part
        .keys
        .iter()
        .map(|key| text_of(entry, key))
        .filter(|text| !text.is_empty());
    let name = name.collect::<Vec<_>>().join(" ");
    let is_same = found.is_some_and(|row| {
        let fields = entry.as_object().into_iter().flatten();
        fields.into_iter().all(|(field, value)| same(&row[field], value))
    });
    let word = match (found, is_same) {
        (Some(_), true) => "same",
        (Some(_), false) => "changed",
        (None, _) => "made",
    };
    let mut row = json!({"part": part.name, "key": name, "result": word});
    if is_same || is_dry {
        return Ok(row);
    }
    if let Err(failure) = send(client, part, entry, found) {
        row["why"] = json!(refusal(failure)?);
        row["result"] = json!("refused");
    }
    Ok(row)
}

/// Equal values; lists that are sets in any order, and an absent value equals an empty one.
fn same(left: &Value, right: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value == "";
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().all(|one| right.contains(one))
        }
        (left, right) => left == right || is_empty(left) && is_empty(right),
    }
}

fn send(client: &Client, part: &Part, entry: &Value, found: Option<&Value>) -> Result<()> {
    let key = encode(&text_of(entry, part.keys[0]));
    let one = format!("{}/{key}", part.path);
    let mut body = entry.as_object().cloned().unwrap_or_default();
    match (part.change, found) {
        (Change::Put, _) => {
            drop_key(&mut body, part);
            let etag = match found {
                Some(_) => client.get(&one)?.etag.unwrap_or_default(),
                None => "*".to_owned(),
            };
            client.conditional("PUT", &one, &Value::Object(body), &etag)?;
        }
        (Change::Patch, Some(_)) => {
            drop_key(&mut body, part);
            let etag = client.get(&one)?.etag.unwrap_or_default();
            client.conditional("PATCH", &one, &Value::Object(body), &etag)?;
        }
        _ => {
            client.post(part.path, &Value::Object(body))?;
        }
    }
    Ok(())
}

fn drop_key(body: &mut Map<String, Value>, part: &Part) {
    body.remove(part.keys[0]);
}

/// The sentences of a refusal about one entry; anything else ends the import.
fn refusal(failure: Failure) -> Result<Vec<String>> {
    let Failure::Refused { status, problem } = &failure else {
        return Err(failure);
    };
    if matches!(status, 401 | 429 | 500..) {
        return Err(failure);
    }
    let fields: Vec<String> = array(problem, "errors")
        .iter()
        .map(|row| text_of(row, "text"))
        .collect();
    Ok(if fields.is_empty() {
        vec![text_of(problem, "detail")]
    } else {
        fields
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_line_is_found_by_its_number() {
        assert_eq!(line_of("row 7: login"), Some(7));
        assert_eq!(line_of("line 7: login"), Some(7));
        assert_eq!(line_of("line 7"), Some(7));
        assert_eq!(line_of("text"), None);
    }

    #[test]
    fn entries_of_a_toml_file_are_found_on_their_lines() {
        let text = "# Ours.\n[[services]]\nkey = \"a\"\n\n[[services]]\nkey = \"b\"\n[[groups]]\nkey = \"c\"\n";
        let (file, places) = read_toml("e.toml", text).expect("it is TOML");
        assert_eq!(file["services"][1]["key"], "b");
        assert_eq!(
            (&places["services"][..], &places["groups"][..]),
            (&[2, 5][..], &[7][..])
        );
        let Err(Failure::CouldNot(told)) = read_toml("e.toml", "a = 1\nb = = 2\n") else {
            panic!("it is none");
        };
        assert!(told.contains("`e.toml` is no TOML: line 2: "), "{told}");
    }

    #[test]
    fn sets_are_compared_in_any_order_and_absent_is_empty() {
        assert!(same(&json!(["sox", "hipaa"]), &json!(["hipaa", "sox"])));
        assert!(same(&Value::Null, &json!([])));
        assert!(same(&json!("a"), &json!("a")));
        assert!(!same(&json!(["sox"]), &json!(["hipaa"])));
        assert!(!same(&Value::Null, &json!("team-a")));
    }
}
