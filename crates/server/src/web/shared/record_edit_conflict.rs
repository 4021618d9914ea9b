//! A short form over an existing record that two people edit at once: fields that only one of them edited are merged. For the
//! other fields both values are shown side by side, until the second person picks one. The form over a change has rows, and its
//! own module: `conflict`.

use acts::audit::find_timeline::ShownEvent;
use jiff::Timestamp;
use model::core::body::Body;
use model::core::refusal::{FieldError, Refusal};
use pages::{ActForm, Choice, Field, Frame, Input, Reader};
use serde_json::Value;

use crate::web::change::edit_conflict;
use crate::web::shared::form::{self, Form, PICK};
use crate::web::shared::form_page::Back;
use crate::web::shared::moved_times::moved_line;
use crate::web::shared::view::View;

/// The present record, in the format of its form.
pub(crate) struct PresentRecord {
    /// The names of its fields, as the form has them.
    pub names: &'static [&'static str],
    /// The present values of the fields.
    pub now: Body,
    /// The version of the record.
    pub version: i64,
}

/// A value as the form shows it: times to the minute and for the reader, an unticked box like nothing.
fn shown(value: Option<&Value>, reader: &Reader) -> String {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => String::new(),
        Some(Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(at) => reader.field(at),
            Err(_) => text.trim().to_owned(),
        },
        Some(Value::Array(items)) if items.iter().any(Value::is_object) => {
            let lines: Vec<String> = items.iter().filter_map(|row| moved_line(row, reader)).collect();
            lines.join("\n")
        }
        Some(Value::Array(items)) => {
            let mut texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            texts.sort_unstable();
            texts.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

impl PresentRecord {
    /// A record's fields by these names.
    pub fn of<T: serde::Serialize>(names: &'static [&'static str], record: &T, version: i64) -> acts::Result<Self> {
        let all = serde_json::to_value(record)?;
        let held = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.clone())));
        Ok(Self {
            names,
            now: held.collect(),
            version,
        })
    }

    /// The value of a field of the form.
    pub fn value(&self, name: &str, reader: &Reader) -> String {
        shown(self.now.get(name), reader)
    }

    /// The hidden fields of the form, by which an edit in between is noticed and merged.
    ///
    /// # Errors
    /// None in practice: the values are JSON already.
    pub fn hidden(&self) -> acts::Result<[Field; 2]> {
        Ok([
            Field::hidden("revision", self.version.to_string()),
            Field::hidden("was", serde_json::to_string(&self.now)?),
        ])
    }

    /// The form's edits of the record: a merge patch as for the API.
    ///
    /// # Errors
    /// 412 when another person's edit came first, 422 for a conflicting field without a choice.
    pub fn patch(&self, form: &Form, sent: &Body, reader: &Reader) -> acts::Result<Body> {
        if form.first("revision") != self.version.to_string() {
            let text =
                "Another person changed it since you opened this form. Compare both, and choose which one to keep.";
            return Err(Refusal::Stale { text: text.to_owned() }.into());
        }
        let theirs = self.picked_theirs(form).map_err(Refusal::Invalid)?;
        let differs = |name: &&&str| shown(self.now.get(**name), reader) != shown(sent.get(**name), reader);
        let mine = self.names.iter().filter(differs).filter(|name| !theirs.contains(name));
        let row = |name: &&str| ((*name).to_owned(), sent.get(*name).cloned().unwrap_or(Value::Null));
        Ok(mine.map(row).collect())
    }

    /// The names that an earlier response listed.
    fn asked_before(&self, form: &Form) -> Vec<&'static str> {
        let asked: Vec<&str> = form.first("both").split(',').collect();
        self.names.iter().copied().filter(|name| asked.contains(name)).collect()
    }

    fn picked_theirs(&self, form: &Form) -> Result<Vec<&'static str>, Vec<FieldError>> {
        let (mut theirs, mut errors) = (Vec::new(), Vec::new());
        for name in self.asked_before(form) {
            let pick = format!("{PICK}{name}");
            match form.first(&pick) {
                "theirs" => theirs.push(name),
                "mine" => {}
                _ => errors.push(FieldError::new(pick, "missing", "Choose which one to keep.")),
            }
        }
        if errors.is_empty() { Ok(theirs) } else { Err(errors) }
    }

    /// The form with other people's values where the sender edited nothing, the names of conflicting fields, and whether there
    /// was any edit since the sender saw the record.
    fn merge(&self, form: &Form, reader: &Reader) -> (Form, Vec<&'static str>, bool) {
        let was: Body = serde_json::from_str(form.first("was")).unwrap_or_default();
        let mine = form.decode(reader, &[]).body;
        let mut merged = form.clone();
        let mut both = self.asked_before(form);
        let mut is_edited = false;
        for name in self.names.iter().copied() {
            let was = shown(was.get(name), reader);
            let now = shown(self.now.get(name), reader);
            let mine = shown(mine.get(name), reader);
            if was == now {
                continue;
            }
            is_edited = true;
            // The choice was made over another text than the present one.
            merged = merged.without(&format!("{PICK}{name}"));
            if now == mine {
                continue;
            }
            if was == mine {
                merged = merged.with(name, &now);
            } else if !both.contains(&name) {
                both.push(name);
            }
        }
        (merged, both, is_edited)
    }

    /// Shows the returned form: filled in, with its errors, and after another person's edit with both values of each
    /// conflicting field. `who` is the last editor, and `latest` the latest event of the record's timeline.
    ///
    /// # Errors
    /// None in practice: the values are JSON already.
    pub fn put(
        &self,
        view: &View<'_, '_, '_>,
        (frame, act): (&mut Frame, &mut ActForm),
        back: &Back,
        (who, latest): (&str, Option<&ShownEvent>),
    ) -> acts::Result<()> {
        if act.action_url != back.url {
            return Ok(());
        }
        if !back.is_stale() && back.form().first("both").is_empty() {
            // The sender still edits from the values that they saw.
            for field in act.fields.iter_mut().filter(|field| field.input == Input::Hidden) {
                field.value = back.form().first(&field.name).to_owned();
            }
            back.put(view, frame, std::iter::once(act));
            return Ok(());
        }
        let (form, both, is_edited) = self.merge(back.form(), &view.reader);
        let mut form = form.with("both", &both.join(","));
        for hidden in self.hidden()? {
            form = form.with(&hidden.name, &hidden.value);
        }
        act.fields.push(Field::hidden("both", both.join(",")));
        for name in &both {
            let pick = self.pick(name, (&form, act), who, &view.reader);
            let place = act.fields.iter().position(|field| field.name == **name);
            act.fields.insert(place.map_or(0, |place| place + 1), pick);
        }
        if back.is_stale() {
            frame.notices.push(match is_edited || !both.is_empty() {
                true => edit_conflict::faster(who, both.is_empty()),
                false => edit_conflict::moved_on(view, latest),
            });
            *act = filled(std::mem::take(act), &form);
            return Ok(());
        }
        back.with_form(form).put(view, frame, std::iter::once(act));
        Ok(())
    }

    /// The question which of two values of a field stays.
    fn pick(&self, name: &str, (form, act): (&Form, &ActForm), who: &str, reader: &Reader) -> Field {
        let label = act.fields.iter().find(|field| field.name == name);
        let label = label.map_or_else(|| name.to_owned(), |field| field.label.clone());
        let mine = shown(form.decode(reader, &[]).body.get(name), reader);
        let choice = |value: &str, label: String, text: String| Choice {
            hint: Some(describe(&text)),
            ..Choice::new(value, label)
        };
        let choices = vec![
            choice("theirs", format!("{who}’s"), self.value(name, reader)),
            choice("mine", "Mine".to_owned(), mine),
        ];
        Field::new(
            format!("{PICK}{name}"),
            format!("{label}: which one to keep"),
            Input::Radio(choices),
        )
        .required()
    }
}

/// What a field of the form holds, said in a sentence.
fn describe(text: &str) -> String {
    match text {
        "" => "Nothing.".to_owned(),
        "true" => "Yes.".to_owned(),
        other => other.replace('T', " "),
    }
}

/// The act with a form's values, opened.
fn filled(mut act: ActForm, form: &Form) -> ActForm {
    form::refill(&mut act, form, &std::collections::BTreeMap::new());
    act
}
