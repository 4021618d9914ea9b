//! The review after a failure as it is drafted: what its form begins with, and what is told of each target.

use pages::{ActForm, Entry, Rich, Tone, short_digest};
use serde_json::Value;

/// Fills a review's form with its draft: a start for whoever writes it. What is judged with yes or no stays theirs to say.
pub(crate) fn start_from(form: &mut ActForm, draft: &Value) {
    for field in &mut form.fields {
        match &draft[field.name.as_str()] {
            Value::String(text) => field.value.clone_from(text),
            Value::Array(rows) if field.name == "incidents" => {
                let keys: Vec<&str> = rows.iter().filter_map(Value::as_str).collect();
                field.value = keys.join(", ");
            }
            _ => {}
        }
    }
    form.note = Some("Drafted from times, incidents, permits and messages. Correct what you know better.".to_owned());
}

/// What a draft says of each target: what was to run, what ran before, how it ended.
pub(crate) fn what_differs(draft: &Value) -> Entry {
    let told = |row: &Value, name: &str| row[name].as_str().map(short_digest).unwrap_or_default();
    let mut entry = Entry::new(Tone::Wait, "A review is drafted from what is known");
    for row in draft["facts"]["differs"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default().replace('_', " ");
        let after = Some(told(row, "after")).filter(|it| !it.is_empty());
        let after = after.unwrap_or_else(|| told(row, "commit"));
        let mut line = format!("{} in {}: {after}", text("service"), text("environment"));
        let before = told(row, "before");
        if !before.is_empty() {
            line.push_str(&format!(" in place of {before}"));
        }
        entry = entry.aside(format!("{line}, {}", text("outcome")));
    }
    for row in draft["facts"]["deviations"].as_array().into_iter().flatten() {
        entry = entry.aside(Rich::new().said(row["text"].as_str().unwrap_or_default()));
    }
    for row in draft["facts"]["verdicts"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        entry = entry.aside(Rich::new().said(format!("{}: {}", text("judged"), text("result"))));
    }
    for row in draft["facts"]["objectives"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let value = row["value"].as_str().unwrap_or("no value");
        let line = format!(
            "{} at {}: {value}, {}",
            text("objective"),
            text("place"),
            text("result")
        );
        entry = entry.aside(Rich::new().said(line));
    }
    for row in draft["facts"]["alerts"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        entry = entry.aside(format!("{}: {}", text("key"), text("title")));
    }
    entry
}
