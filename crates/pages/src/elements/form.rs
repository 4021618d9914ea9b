//! Forms: fields with label, hint and error, and acts, each a form of its own.

use askama::Template;

use crate::elements::filters;
use crate::{Part, Rich, render};

/// The element that lists the errors of a form that came back; one form of a page does.
pub const WRONG: &str = "wrong";
/// The prefix of the name of a natural-language time field; the names of the fields for start and end follow it.
pub const IN_WORDS: &str = "in_words:";

/// One choice of a select, a group of radio buttons or of checkboxes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// A second line for groups; `None` for selects.
    pub hint: Option<String>,
    /// Whether the shown text is a user's own, or a name, which is never translated.
    pub is_said: bool,
}

impl Choice {
    /// A choice that sends `value` and reads `label`.
    #[must_use]
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            ..Self::default()
        }
    }

    /// A choice whose label is written by a user, or is a name: a service, an environment, a person.
    #[must_use]
    pub fn said(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            is_said: true,
            ..Self::new(value, label)
        }
    }
}

/// Which control a field has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    /// One line of text.
    #[default]
    Text,
    /// Several lines of text.
    Textarea,
    /// One of a closed list, in a menu.
    Select(Vec<Choice>),
    /// One of many: a line of text for which the script offers the matches of the letters typed so far. The address returns
    /// them.
    Pick(String),
    /// One of a few, all in view.
    Radio(Vec<Choice>),
    /// Any of a few, all in view; see [`Field::chosen`].
    Many(Vec<Choice>),
    /// Day and time in the reader's zone, `2026-11-21T22:00`.
    DateTime,
    /// A day, `2026-11-21`.
    Date,
    /// Yes or no; sends `true` and is ticked when the value is `true`.
    Checkbox,
    /// Sent along, not shown.
    Hidden,
    /// A whole number.
    Number,
    /// A secret; its value is never written into the page.
    Password,
    /// A mail address.
    Email,
    /// A web address.
    Url,
    /// A file; the form is sent as multipart.
    File,
}

/// A field: name, label and value, with a hint and the error it was sent back with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// The name it is sent under.
    pub name: String,
    /// The label above it; describes the value to enter.
    pub label: String,
    /// One sentence that helps, in grey.
    pub hint: Option<String>,
    /// The error in the value, and the way to mend it.
    pub error: Option<String>,
    /// Warnings about the value, though it may be sent: a sentence each. An empty list keeps a place for warnings that the
    /// script receives later.
    pub warnings: Option<Vec<String>>,
    /// The value as it was typed or is proposed.
    pub value: String,
    /// The ticked values of [`Input::Many`].
    pub chosen: Vec<String>,
    /// The control.
    pub input: Input,
    /// Whether the act cannot do without it.
    pub required: bool,
    /// The `autocomplete` token, where the browser can help.
    pub autocomplete: Option<&'static str>,
    /// Whether it shares a row with its neighbours that are half too.
    pub half: bool,
    /// The label behind which it is folded; an act that needs no other input stays one button.
    pub folded: Option<&'static str>,
    /// Whether a field that searches takes several keys, parted by commas.
    pub several: bool,
    /// Whether a tenant wrote its label, which is then never translated.
    pub is_said: bool,
    /// A tenant's explanation; it precedes the hint and is never translated either.
    pub explained: Option<String>,
}

impl Field {
    /// A field with the given control.
    #[must_use]
    pub fn new(name: impl Into<String>, label: impl Into<String>, input: Input) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            input,
            ..Self::default()
        }
    }

    /// One line of text.
    #[must_use]
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, Input::Text)
    }

    /// Several lines of text.
    #[must_use]
    pub fn textarea(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, Input::Textarea)
    }

    /// One of `choices`, each a value and its label.
    #[must_use]
    pub fn select(name: impl Into<String>, label: impl Into<String>, choices: &[(&str, &str)]) -> Self {
        Self::new(name, label, Input::Select(pairs(choices)))
    }

    /// One of many, found by its letters: `url` returns the matches.
    #[must_use]
    pub fn pick(name: impl Into<String>, label: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(name, label, Input::Pick(url.into()))
    }

    /// One of a kind (`people`, `changes`, …), found by its letters below the address `picks`; one line of text where that is
    /// empty.
    #[must_use]
    pub fn searched((picks, kind): (&str, &str), name: impl Into<String>, label: impl Into<String>) -> Self {
        match picks.is_empty() {
            true => Self::text(name, label),
            false => Self::pick(name, label, format!("{picks}/{kind}")),
        }
    }

    /// A start and an end in natural language, which replace the fields of these names.
    #[must_use]
    pub fn time_in_words(start: &str, end: &str) -> Self {
        Self::text(format!("{IN_WORDS}{start}:{end}"), "Or in words")
            .hint("Such as: tomorrow 22:00 for 2 h, or Mon 9:00 to 11:30. It replaces the two times.")
    }

    /// One of `choices`, all in view.
    #[must_use]
    pub fn radio(name: impl Into<String>, label: impl Into<String>, choices: &[(&str, &str)]) -> Self {
        Self::new(name, label, Input::Radio(pairs(choices)))
    }

    /// Any of `choices`, all in view.
    #[must_use]
    pub fn many(name: impl Into<String>, label: impl Into<String>, choices: &[(&str, &str)]) -> Self {
        Self::new(name, label, Input::Many(pairs(choices)))
    }

    /// Sent along without being shown.
    #[must_use]
    pub fn hidden(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(name, "", Input::Hidden).value(value)
    }

    /// The same field with a value.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// The same field with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same field, sent back with an error.
    #[must_use]
    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// The same field, needed.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same field that searches, for several keys.
    #[must_use]
    pub fn several(mut self) -> Self {
        self.several = true;
        self
    }

    /// The same field, half as wide and beside its neighbour.
    #[must_use]
    pub fn half(mut self) -> Self {
        self.half = true;
        self
    }

    /// The same field, folded behind this label until the reader opens it.
    #[must_use]
    pub fn folded(mut self, words: &'static str) -> Self {
        self.folded = Some(words);
        self
    }

    /// The element id that an error summary links to, in the form `form_id`.
    #[must_use]
    pub fn id(&self, form_id: &str) -> String {
        if form_id.is_empty() {
            self.name.clone()
        } else {
            format!("{form_id}-{}", self.name)
        }
    }

    fn is_hidden(&self) -> bool {
        self.input == Input::Hidden
    }
}

fn pairs(choices: &[(&str, &str)]) -> Vec<Choice> {
    choices
        .iter()
        .map(|(value, label)| Choice::new(*value, *label))
        .collect()
}

/// A field in its place: the form's id makes its own id unique on the page.
#[derive(Template)]
#[template(path = "parts/field.html")]
struct PlacedField<'a> {
    field: &'a Field,
    id: String,
}

impl PlacedField<'_> {
    fn described_by(&self) -> String {
        let hint = self.field.hint.as_ref().or(self.field.explained.as_ref());
        let hint = hint.map(|_| format!("{}-h", self.id));
        let error = self.field.error.as_ref().map(|_| format!("{}-e", self.id));
        let warnings = self.field.warnings.as_ref().map(|_| format!("{}-w", self.id));
        let all = hint.into_iter().chain(error).chain(warnings);
        all.collect::<Vec<_>>().join(" ")
    }

    /// The value as it really is, when it holds characters that deceive the eye.
    fn unmasked(&self) -> Option<&str> {
        let is_typed = matches!(self.field.input, Input::Text | Input::Textarea | Input::Pick(_));
        let deceives = is_typed && crate::elements::text::deceives(&self.field.value);
        deceives.then_some(self.field.value.as_str())
    }

    fn is_chosen(&self, choice: &Choice) -> bool {
        self.field.value == choice.value
    }

    fn is_ticked(&self, choice: &Choice) -> bool {
        self.field.chosen.contains(&choice.value)
    }

    fn choice_id(&self, place: &usize) -> String {
        // The first control takes the field's own id, so that an error summary lands on it.
        if *place == 0 {
            self.id.clone()
        } else {
            format!("{}-{place}", self.id)
        }
    }

    fn control_type(&self) -> &'static str {
        match self.field.input {
            Input::DateTime => "datetime-local",
            Input::Date => "date",
            Input::Number => "number",
            Input::Password => "password",
            Input::Email => "email",
            Input::Url => "url",
            Input::File => "file",
            _ => "text",
        }
    }

    fn shown_value(&self) -> &str {
        match self.field.input {
            Input::Password | Input::File => "",
            _ => &self.field.value,
        }
    }
}

/// Warnings about a field's value: above its row, because half a row would break the sentences.
#[derive(Template)]
#[template(path = "parts/warned.html")]
struct Warned<'a> {
    id: String,
    lines: &'a [String],
}

/// The fields of one form in their order; halves that follow each other share a row.
pub(crate) struct Fields<'a> {
    pub(crate) form_id: &'a str,
    pub(crate) fields: &'a [Field],
}

impl Part for Fields<'_> {
    fn html(&self) -> String {
        let mut out = String::new();
        let mut in_pair = false;
        for field in self.fields {
            let half = field.half && !field.is_hidden();
            let id = field.id(self.form_id);
            if in_pair && (!half || field.warnings.is_some()) {
                out.push_str("</div>");
                in_pair = false;
            }
            if let Some(lines) = &field.warnings {
                let id = format!("{id}-w");
                out.push_str(&render(&Warned { id, lines }));
            }
            if half && !in_pair {
                out.push_str("<div class=\"pair\">");
            }
            in_pair = half;
            let placed = render(&PlacedField { field, id });
            match field.folded {
                Some(words) => {
                    let is_open = field.error.is_some() || !field.value.is_empty();
                    let open = if is_open { " open=\"open\"" } else { "" };
                    out.push_str(&format!(
                        "<details{open}><summary class=\"linkish\">{words}</summary>{placed}</details>"
                    ));
                }
                None => out.push_str(&placed),
            }
        }
        if in_pair {
            out.push_str("</div>");
        }
        out
    }
}

/// How an act looks. One `Go` per form; `Stop` only where harm is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActTone {
    /// One of several.
    #[default]
    Plain,
    /// The main act of this page.
    Go,
    /// Harm: reject, cancel, revoke, break glass.
    Stop,
    /// Beside a row.
    Quiet,
    /// A small act in a sentence: Undo, Remind.
    Link,
}

/// One act that is legal now (or the reason against it), as data: the server decides which acts are there, the page only draws
/// them.
///
/// Without visible fields, or with folded ones alone, it is one button; with fields the button opens them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActForm {
    /// Unique among the acts of one page: `approve`, `complete-2`.
    pub id: String,
    /// The verb of the lifecycle: “Return with a question”.
    pub verb_label: String,
    /// The label of the last click, when it differs: “Return with this question”.
    pub submit_label: Option<String>,
    /// Where it is sent by POST, or where the link leads.
    pub action_url: String,
    /// How it looks.
    pub tone: ActTone,
    /// The input fields, and those sent along hidden.
    pub fields: Vec<Field>,
    /// A sentence above the last button: the effect of the act.
    pub note: Option<String>,
    /// Why it cannot be done now; the button stays focusable and does nothing.
    pub disabled_reason: Option<Rich>,
    /// The key that opens or does it, with the script: `A`.
    pub key: Option<char>,
    /// A link to a page of its own instead of a form.
    pub is_link: bool,
    /// Opened from the start, for a form that came back with errors.
    pub is_open: bool,
    /// Sent by GET: it fetches a page and changes nothing, so its values are part of the address.
    pub is_question: bool,
}

impl ActForm {
    /// An act sent by POST to `action_url`.
    #[must_use]
    pub fn new(id: impl Into<String>, verb_label: impl Into<String>, action_url: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            verb_label: verb_label.into(),
            action_url: action_url.into(),
            ..Self::default()
        }
    }

    /// A link to a page of its own.
    #[must_use]
    pub fn link(verb_label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            is_link: true,
            ..Self::new("", verb_label, href)
        }
    }

    /// The same form as a question, opened from the start: it leads to a page and changes nothing.
    #[must_use]
    pub fn question(mut self) -> Self {
        self.is_question = true;
        self.is_open = true;
        self
    }

    /// The same act with a tone.
    #[must_use]
    pub fn tone(mut self, tone: ActTone) -> Self {
        self.tone = tone;
        self
    }

    /// The same act with one more field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// The same act with a sentence above its last button.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The same act with another label on its last button.
    #[must_use]
    pub fn submit(mut self, label: impl Into<String>) -> Self {
        self.submit_label = Some(label.into());
        self
    }

    /// The same act, not possible now, and why.
    #[must_use]
    pub fn disabled(mut self, reason: impl Into<Rich>) -> Self {
        self.disabled_reason = Some(reason.into());
        self
    }

    /// The same act with its key.
    #[must_use]
    pub fn key(mut self, key: char) -> Self {
        self.key = Some(key);
        self
    }

    fn asks(&self) -> bool {
        let is_asked = |field: &Field| !field.is_hidden() && field.folded.is_none();
        self.note.is_some() || self.fields.iter().any(is_asked)
    }

    fn is_multipart(&self) -> bool {
        self.fields.iter().any(|field| field.input == Input::File)
    }

    /// The class of the button that opens or does it.
    fn class(&self) -> &'static str {
        match self.tone {
            ActTone::Plain => "btn",
            ActTone::Go => "btn go",
            ActTone::Stop => "btn stop",
            ActTone::Quiet => "btn quiet",
            ActTone::Link => "linkish",
        }
    }

    /// The class of the last button.
    fn submit_class(&self) -> &'static str {
        match self.tone {
            ActTone::Stop => "btn stop go",
            _ => "btn go",
        }
    }

    fn submit_words(&self) -> &str {
        self.submit_label.as_deref().unwrap_or(&self.verb_label)
    }
}

/// The errors of one form, each with the field that it leads to.
#[derive(Template)]
#[template(path = "parts/wrong.html")]
struct Wrong<'a> {
    form_id: &'a str,
    fields: &'a [Field],
}

impl Wrong<'_> {
    /// For each error the field's id, its label, and the error text.
    fn errors(&self) -> Vec<(String, &str, &str)> {
        let fields = self.fields.iter().filter(|field| !field.is_hidden());
        fields
            .filter_map(|field| Some((field.id(self.form_id), field.label.as_str(), field.error.as_deref()?)))
            .collect()
    }
}

impl Part for Wrong<'_> {
    fn html(&self) -> String {
        if self.errors().is_empty() {
            String::new()
        } else {
            render(self)
        }
    }
}

/// A row of acts, of which one at a time is open.
#[derive(Template)]
#[template(path = "parts/acts.html")]
pub(crate) struct Acts<'a> {
    /// Makes the ids of this row unique on the page.
    pub(crate) group: &'a str,
    pub(crate) forms: &'a [ActForm],
}

impl Acts<'_> {
    fn form_id(&self, act: &ActForm) -> String {
        format!("{}-{}", self.group, act.id)
    }

    /// The errors of a form that came back, above its fields.
    fn wrong<'b>(&self, act: &'b ActForm, form_id: &'b str) -> Wrong<'b> {
        Wrong {
            form_id,
            fields: &act.fields,
        }
    }

    fn fields<'b>(&self, act: &'b ActForm, form_id: &'b str) -> Fields<'b> {
        Fields {
            form_id,
            fields: &act.fields,
        }
    }
}

impl Part for Acts<'_> {
    fn html(&self) -> String {
        if self.forms.is_empty() {
            String::new()
        } else {
            render(self)
        }
    }
}
