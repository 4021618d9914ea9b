//! The differences of two versions of a change as text: “Plan, step 3: Minutes: 3 → 7”.

use model::change::read_content::new_change::NewChange;
use model::core::refusal::FieldChange;
use pages::Rich;
use serde_json::Value;

use crate::web::shared::labels::label_of;
use crate::web::shared::view::View;
use crate::web::shared::words::{beginning_of_prose, capital, plain};

/// How many letters of a value are shown.
const MOST_SHOWN: usize = 160;
/// Fields whose values are logins.
const OF_PEOPLE: [&str; 4] = ["owner", "implementers", "tester", "checker"];

/// A field's path as people name it: `plan[2].minutes` is “Plan, step 3: Minutes”.
pub(crate) fn label(path: &str) -> String {
    let (list, rest) = match path.split_once('[') {
        Some(parts) => parts,
        None => return member(path),
    };
    let Some((place, inner)) = rest.split_once(']') else {
        return member(path);
    };
    let number = place.parse::<usize>().map_or(0, |place| place.saturating_add(1));
    let row = match list {
        "plan" | "rollback_plan" => "step",
        _ => "row",
    };
    let list = member(list);
    match inner.strip_prefix('.') {
        Some(inner) => format!("{list}, {row} {number}: {}", of_row(path, inner)),
        None => format!("{list}, {row} {number}"),
    }
}

fn member(name: &str) -> String {
    match name {
        "impact.data" => "Impact on data".to_owned(),
        "impact.availability" => "Impact on availability".to_owned(),
        "impact.compliance" => "Impact on compliance".to_owned(),
        "verification" => NewChange::VERIFICATION.label.to_owned(),
        "security" => "Effect on security".to_owned(),
        "touches" => "What it touches".to_owned(),
        _ => label_of(name).map_or_else(|| capital(&plain(&name.replace('.', " "))), str::to_owned),
    }
}

fn of_row(path: &str, inner: &str) -> String {
    label_of(path).map_or_else(|| capital(&plain(&inner.replace('.', " "))), str::to_owned)
}

/// A value as people read it; `None` for an empty field.
pub(crate) fn value(view: &View<'_, '_, '_>, path: &str, value: &Value) -> Option<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let last = last.split('[').next().unwrap_or(last);
    let told = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::Array(rows) if rows.is_empty() => return None,
        Value::String(text) if OF_PEOPLE.contains(&last) => {
            let person = view.directory.by_login(text);
            person.map_or_else(|| text.clone(), |it| it.name.clone())
        }
        Value::String(text) => match text.parse() {
            Ok(at) if path.starts_with("planned_") => view.reader.moment(at),
            _ => beginning_of_prose(text, MOST_SHOWN),
        },
        Value::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Value::Array(rows) => {
            let rows: Vec<String> = rows.iter().filter_map(|row| self::value(view, path, row)).collect();
            beginning_of_prose(&rows.join(", "), MOST_SHOWN)
        }
        Value::Object(row) => {
            // A step is known by its title, a target by its place; the ids of rows are meaningless to readers.
            let rows = row.iter().filter(|(name, _)| *name != "id");
            let told: Vec<String> = match (row.get("title"), row.get("service")) {
                (Some(title), _) => self::value(view, "title", title).into_iter().collect(),
                (None, Some(_)) => ["service", "environment"]
                    .iter()
                    .filter_map(|name| self::value(view, name, row.get(*name)?))
                    .collect(),
                (None, None) => rows
                    .filter_map(|(name, inner)| self::value(view, name, inner))
                    .collect(),
            };
            beginning_of_prose(&told.join(", "), MOST_SHOWN)
        }
        Value::Number(number) => number.to_string(),
    };
    Some(told)
}

/// A difference in a sentence that shows without colour which value was removed and which was added.
pub(crate) fn difference(view: &View<'_, '_, '_>, change: &FieldChange) -> Rich {
    let name = Rich::new().strong(label(&change.field));
    let (old, new) = (
        value(view, &change.field, &change.old),
        value(view, &change.field, &change.new),
    );
    match (old, new) {
        (Some(old), Some(new)) => name.text(": ").removed(old).text(" → ").inserted(new),
        (None, Some(new)) => name.text(" is added: ").inserted(new),
        (Some(old), None) => name.text(" is removed: ").removed(old),
        (None, None) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_by_the_words_above_the_controls_and_rows_count_from_one() {
        for (path, told) in [
            ("plan[2].minutes", "Plan, step 3: Minutes"),
            ("rollback_plan[0]", "Rollback plan, step 1"),
            ("targets[1].artifact", "Where, row 2: Artifact"),
            ("planned_end", "End"),
            ("impact.data", "Impact on data"),
            ("verification", "How we will see that it worked"),
            ("objectives", "Objectives"),
            ("odd[", "Odd["),
        ] {
            assert_eq!(label(path), told, "{path}");
        }
    }
}
