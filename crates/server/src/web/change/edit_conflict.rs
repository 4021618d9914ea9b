//! Two people edit one change at once: fields that only one of them edited are merged. For the other fields both values are
//! shown side by side, until the second person picks one.

use std::collections::BTreeMap;

use acts::audit::find_timeline::{ShownEvent, find_timeline};
use model::change::custom_field::FIELD;
use model::change::read_content;
use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::core::body::Body;
use model::core::refusal::FieldError;
use pages::{ChangeForm, Conflict, Field, Notice, Reader, Tone};

use crate::web::change::custom_fields::own_fields;
use crate::web::change::edit_fields::{self, Back, flat, held, is_same, labels, read};
use crate::web::shared::form::{Form, PICK};
use crate::web::shared::timeline;
use crate::web::shared::view::View;
use crate::web::shared::words::{and, capital};

/// A form updated to the present change, and the names of the fields that both people edited.
pub(crate) struct Merged {
    /// The form: the sender's own values, and others' where the sender had touched nothing.
    pub form: Form,
    /// The fields that both edited, by their names in the API.
    pub both: Vec<String>,
    /// Whether another person edited the form's fields since the sender saw them.
    pub is_edited: bool,
}

/// The form's field that holds a name of the API: the reason for lateness represents the flag as well.
pub(crate) fn field_of(name: &str) -> &str {
    if name == NewChange::EXPEDITED_REASON.name {
        return NewChange::EXPEDITED.name;
    }
    name
}

fn belongs(field: &str, name: &str) -> bool {
    field == name || field.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

/// The names that an earlier response listed.
fn listed_before(form: &Form) -> Vec<String> {
    let known = |name: &&str| held().any(|it| it == *name);
    form.first("both").split(',').filter(known).map(str::to_owned).collect()
}

/// Merges the sent values with the present change. `was` in the form holds the values that its sender saw; without it every
/// difference is a conflict.
pub(crate) fn merge(now: &Body, form: &Form, reader: &Reader) -> Merged {
    let was: Body = serde_json::from_str(form.first("was")).unwrap_or_default();
    let mine = read(form, reader).body;
    let mut pairs: Vec<(String, String)> = form
        .pairs()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let current = flat(now, reader);
    let mut both = listed_before(form);
    let mut is_edited = false;
    for name in held() {
        let (was, now, mine) = (was.get(name), now.get(name), mine.get(name));
        if is_same(was, now, reader) {
            continue;
        }
        is_edited = true;
        let field = field_of(name);
        // The choice was made over another text than the present one.
        let pick = format!("{PICK}{field}");
        pairs.retain(|(known, _)| *known != pick);
        if is_same(now, mine, reader) {
            continue;
        }
        if is_same(was, mine, reader) {
            pairs.retain(|(known, _)| !belongs(known, field));
            pairs.extend(current.iter().filter(|(known, _)| belongs(known, field)).cloned());
        } else if !both.iter().any(|known| known == field) {
            both.push(field.to_owned());
        }
    }
    Merged {
        form: Form::new(pairs),
        both,
        is_edited,
    }
}

/// The names whose present value the sender keeps.
///
/// # Errors
/// One error for each name without a choice.
pub(crate) fn picked_theirs(form: &Form) -> Result<Vec<String>, Vec<FieldError>> {
    let (mut theirs, mut errors) = (Vec::new(), Vec::new());
    for name in listed_before(form) {
        match form.first(&format!("{PICK}{name}")) {
            "theirs" => theirs.push(name),
            "mine" => {}
            _ => errors.push(FieldError::new(
                format!("{PICK}{name}"),
                "missing",
                "Choose which one to keep.",
            )),
        }
    }
    if errors.is_empty() { Ok(theirs) } else { Err(errors) }
}

/// Shows a form after another person's edit: the notice, and both values of each conflicting field.
pub(crate) fn show(
    view: &mut View<'_, '_, '_>,
    page: &mut ChangeForm,
    change: &Change,
    back: &Back,
    (both, is_edited): (&[String], bool),
) -> acts::Result<()> {
    let timeline = find_timeline(view.cx, &change.id.0)?;
    if both.is_empty() && !is_edited {
        page.notices.push(moved_on(view, timeline.first()));
        return Ok(());
    }
    let last = timeline.into_iter().find(|told| told.kind == "change.edited");
    let who = last.map_or_else(|| "Somebody".to_owned(), |told| view.name(&told.actor));
    let now = read_content::patch_base(change, &view.directory);
    let own = own_fields(view, Some(change));
    page.conflicts = conflicts(&now, back, both, &who, (&view.reader, own));
    page.title = format!("Two of you edited {}", change.key);
    page.notices.push(faster(&who, both.is_empty()));
    Ok(())
}

/// The notice that another person's edit came first.
pub(crate) fn faster(who: &str, is_merged: bool) -> Notice {
    let text = match is_merged {
        true => "The edits do not conflict. The form below contains both; check it and save it.",
        false => {
            "Nothing is lost. The form contains what only one of you edited; for the rest, choose which one to keep."
        }
    };
    Notice::new(Tone::Wait, text)
        .title(format!("{who} edited it while you did"))
        .answer()
}

/// The notice that another act than an edit came first: the act and the acting person.
pub(crate) fn moved_on(view: &View<'_, '_, '_>, latest: Option<&ShownEvent>) -> Notice {
    let text =
        "The change was not edited by anyone else, and your edits are in the form below. Save them if they still fit.";
    let mut notice = Notice::new(Tone::Wait, text)
        .title("Something happened since you opened this form")
        .answer();
    notice.rows.extend(latest.map(|told| timeline::moment(view, told).text));
    notice
}

/// Both values of each conflicting field; `own` are the tenant's own fields.
fn conflicts(
    now: &Body,
    back: &Back,
    both: &[String],
    who: &str,
    (reader, own): (&Reader, Vec<Field>),
) -> Vec<Conflict> {
    let theirs = flat(now, reader);
    let mine: Vec<(String, String)> = back
        .form
        .pairs()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let fields = edit_fields::plain_fields(&theirs, &mine);
    let own = own.into_iter().map(|field| (field.name, field.label));
    let labels: BTreeMap<String, String> = labels(&fields).into_iter().chain(own).collect();
    let errors = back.failure.iter().flat_map(|failure| failure.problem.errors.iter());
    let errors: BTreeMap<&str, &str> = errors
        .map(|error| (error.field.as_str(), error.text.as_str()))
        .collect();
    let one = |name: &String| {
        let label = match labels.get(name) {
            Some(label) => label.clone(),
            None if name == FIELD => differing(&theirs, &mine, &labels),
            None => capital(name),
        };
        let pick = format!("{PICK}{name}");
        let choices = [("theirs", format!("{who}’s")), ("mine", "Mine".to_owned())];
        let choices: Vec<(&str, &str)> = choices.iter().map(|(value, words)| (*value, words.as_str())).collect();
        let field = Field::radio(pick.as_str(), format!("{label}: which one to keep"), &choices)
            .value(back.form.first(&pick))
            .required();
        Conflict {
            theirs: lines(name, &theirs, &labels),
            mine: lines(name, &mine, &labels),
            their_heading: format!("{who} wrote"),
            pick: match errors.get(pick.as_str()) {
                Some(error) => field.error(*error),
                None => field,
            },
            label,
        }
    };
    both.iter().map(one).collect()
}

/// The names of the tenant's own fields in which two forms differ.
fn differing(theirs: &[(String, String)], mine: &[(String, String)], labels: &BTreeMap<String, String>) -> String {
    let value = |form: &[(String, String)], name: &str| {
        let found = form.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.trim().to_owned()).unwrap_or_default()
    };
    let names = labels.iter().filter(|(name, _)| name.starts_with(FIELD));
    let differ = names.filter(|(name, _)| value(theirs, name) != value(mine, name));
    let names: Vec<String> = differ.map(|(_, label)| label.clone()).collect();
    if names.is_empty() { capital(FIELD) } else { and(&names) }
}

/// The value of a name, one line a field; “nothing” when it is empty.
fn lines(name: &str, values: &[(String, String)], labels: &BTreeMap<String, String>) -> Vec<String> {
    let own = values
        .iter()
        .filter(|(field, text)| belongs(field, name) && !text.trim().is_empty());
    let told = own.map(|(field, text)| match labels.get(field).filter(|_| field != name) {
        Some(label) => format!("{label}: {text}"),
        None => text.clone(),
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        vec!["Nothing.".to_owned()]
    } else {
        told
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn body(value: Value) -> Body {
        value.as_object().unwrap().clone()
    }

    fn sent(was: &Value, fields: &[(&str, &str)]) -> Form {
        let mut pairs = vec![("was".to_owned(), was.to_string())];
        pairs.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        Form::new(pairs)
    }

    #[test]
    fn what_one_touched_is_merged_and_what_both_touched_is_asked() {
        let reader = Reader::named("UTC", Timestamp::UNIX_EPOCH);
        let was = json!({"title": "A", "description": "B", "justification": "C", "plan": [{"title": "Go"}]});
        let now = body(json!({"title": "A2", "description": "B2", "justification": "C", "plan": [{"title": "Go"}]}));
        let form = sent(
            &was,
            &[
                ("title", "A3"),
                ("description", "B"),
                ("justification", "C3"),
                ("plan.0.title", "Go"),
            ],
        );
        let merged = merge(&now, &form, &reader);
        assert_eq!(merged.both, ["title"]);
        assert_eq!(merged.form.first("title"), "A3");
        assert_eq!(merged.form.first("description"), "B2");
        assert_eq!(merged.form.first("justification"), "C3");
        assert_eq!(merged.form.first("plan.0.title"), "Go");
    }

    #[test]
    fn the_same_edit_twice_is_no_conflict_and_rows_move_as_one() {
        let reader = Reader::named("UTC", Timestamp::UNIX_EPOCH);
        let was = json!({"title": "A", "plan": [{"title": "Go"}]});
        let now = body(json!({"title": "B", "plan": [{"title": "Wait"}, {"title": "Go"}]}));
        let form = sent(&was, &[("title", "B"), ("plan.0.title", "Go")]);
        let merged = merge(&now, &form, &reader);
        assert!(merged.both.is_empty());
        assert_eq!(merged.form.first("plan.1.title"), "Go");
    }

    #[test]
    fn fields_of_ones_own_are_told_by_their_names() {
        let reader = Reader::named("UTC", Timestamp::UNIX_EPOCH);
        let own = vec![
            Field::text("custom_fields.tier", "Customer tier"),
            Field::text("custom_fields.centre", "Cost centre"),
        ];
        let now = body(json!({"custom_fields": {"tier": "gold", "centre": "12"}}));
        let back = Back {
            form: Form::new(vec![
                ("custom_fields.tier".to_owned(), "silver".to_owned()),
                ("custom_fields.centre".to_owned(), "12".to_owned()),
            ]),
            failure: None,
        };
        let both = ["custom_fields".to_owned()];
        let shown = conflicts(&now, &back, &both, "Hanne", (&reader, own));
        assert_eq!(shown[0].label, "Customer tier");
        assert_eq!(shown[0].theirs, ["Customer tier: gold", "Cost centre: 12"]);
        assert_eq!(shown[0].mine, ["Customer tier: silver", "Cost centre: 12"]);
    }

    #[test]
    fn a_pick_that_is_missing_is_told_by_its_name() {
        let form = Form::new(vec![
            ("both".to_owned(), "title,plan,unknown".to_owned()),
            ("pick.plan".to_owned(), "theirs".to_owned()),
        ]);
        let errors = picked_theirs(&form).unwrap_err();
        assert_eq!(
            errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(),
            ["pick.title"]
        );
    }
}
