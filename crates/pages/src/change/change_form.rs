//! The form that writes or edits a change: sections of fields, rows for targets and steps without script, derived facts, errors
//! both at the top and at the field.

mod fields;

use std::collections::BTreeSet;

use askama::Template;
use model::change::read_content::new_change::NewChange;

pub use fields::{ChangeFields, IN_A_MENU, NINE, Rows};

use crate::elements::form::Fields;
use crate::elements::parts::Entries;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::elements::{filters, parts};
use crate::{Entry, Field, Frame, Notice, Part, Place, Rich, Tone, render};

/// Rows of the same fields: targets, plan steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowGroup {
    /// The name that the button sends as `add`: `targets`.
    pub name: String,
    /// One of them: “Target”, “Step”.
    pub noun: String,
    /// The button's label: “Add two more targets”.
    pub add_label: String,
    /// The fields of each row; empty rows are ignored when sent.
    pub rows: Vec<Vec<Field>>,
}

/// Times that fit, offered beside the planned times: each a button that puts it into the form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fits {
    /// Start and end as the button sends them (`2026-11-22T21:00/2026-11-22T21:30`), and the start as text.
    pub times: Vec<(String, String)>,
    /// Objections to the time that was typed, a sentence each: a freeze, its windows, another change.
    pub against: Vec<String>,
    /// The last time before it and the first after it that fit, in the same form as the others.
    pub near: Vec<(String, String)>,
    /// Whether they were looked for; without a service and an environment nothing can be.
    pub is_looked: bool,
}

/// A part of the form under its heading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormSection {
    /// Its id, unique on the page.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// One sentence that helps.
    pub hint: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its rows, after the fields.
    pub rows: Option<RowGroup>,
    /// Folded until it is opened, for fields that are seldom needed; opens by itself on an error.
    pub is_folded: bool,
    /// Whether a folded section holds values already.
    pub is_known: bool,
    /// Times that fit, where the form has the planned times.
    pub fits: Option<Fits>,
}

impl FormSection {
    fn field_html(&self) -> FormHtml {
        FormHtml(
            Fields {
                form_id: "",
                fields: &self.fields,
            }
            .html(),
        )
    }

    fn row_html(fields: &[Field]) -> FormHtml {
        FormHtml(Fields { form_id: "", fields }.html())
    }

    fn fits_html(&self) -> FormHtml {
        let fits = self.fits.as_ref();
        FormHtml(fits.map(|fits| render(&FitsView { fits })).unwrap_or_default())
    }

    /// Its rows with the button that adds more; nothing without rows.
    fn group_html(&self) -> FormHtml {
        FormHtml(
            self.rows
                .as_ref()
                .map(|group| render(&GroupView { group }))
                .unwrap_or_default(),
        )
    }

    pub(crate) fn all_fields(&self) -> impl Iterator<Item = &Field> {
        let rows = self.rows.iter().flat_map(|group| group.rows.iter().flatten());
        self.fields.iter().chain(rows)
    }

    /// Takes a field out of it by its name.
    fn take(&mut self, name: &str) -> Option<Field> {
        let rows = self.rows.iter_mut().flat_map(|group| group.rows.iter_mut());
        std::iter::once(&mut self.fields).chain(rows).find_map(|fields| {
            let place = fields.iter().position(|field| field.name == name)?;
            Some(fields.remove(place))
        })
    }

    /// Leaves out fields that are shown elsewhere, by name prefix or whole name; with rollback steps, also the reason for
    /// having none.
    fn leave_out(&mut self, locked: &BTreeSet<String>) {
        let is_said = |name: &str| {
            let first = name.split('.').next().unwrap_or(name);
            locked.contains(name)
                || locked.contains(first)
                || (name == "no_rollback_reason" && locked.contains("rollback_plan"))
        };
        self.fields.retain(|field| !is_said(&field.name));
        if self.rows.as_ref().is_some_and(|group| is_said(&group.name)) {
            self.rows = None;
        }
    }

    fn is_open(&self) -> bool {
        let is_told = |field: &Field| {
            let warns = field.warnings.as_ref().is_some_and(|lines| !lines.is_empty());
            warns || field.error.is_some()
        };
        !self.is_folded || self.all_fields().any(is_told)
    }
}

#[derive(Template)]
#[template(path = "parts/fits.html")]
struct FitsView<'a> {
    fits: &'a Fits,
}

#[derive(Template)]
#[template(path = "parts/row_group.html")]
struct GroupView<'a> {
    group: &'a RowGroup,
}

/// A fact that nobody had to type, with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DerivedFact {
    /// Its label.
    pub label: String,
    /// Its value.
    pub value: Rich,
    /// Where it came from: “pipeline 8902”.
    pub origin: String,
}

/// A field that two people changed at once: both values, and the question which one stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conflict {
    /// The field's label: “Title”, “Plan”.
    pub label: String,
    /// The other author: “Priya Raman wrote”.
    pub their_heading: String,
    /// Their current value, one line each.
    pub theirs: Vec<String>,
    /// The reader's value, one line each.
    pub mine: Vec<String>,
    /// Which one stays; neither is preselected.
    pub pick: Field,
}

impl Conflict {
    fn pick_html(&self) -> FormHtml {
        FormHtml(
            Fields {
                form_id: "",
                fields: std::slice::from_ref(&self.pick),
            }
            .html(),
        )
    }
}

/// The draft that a form keeps while it is written, for its writer alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptDraft {
    /// The address to which the script sends typed input.
    pub save_url: String,
    /// Where it is thrown away.
    pub discard_url: String,
    /// Which form it is of, as it is sent along.
    pub form: String,
    /// That it was restored, and when it was kept; `None` where the form is a new one.
    pub restored: Option<Rich>,
    /// Drafts of other forms, a link each.
    pub others: Vec<Rich>,
}

impl KeptDraft {
    fn is_told(&self) -> bool {
        self.restored.is_some() || !self.others.is_empty()
    }
}

/// The page on which a change is written or edited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "change_form.html")]
pub struct ChangeForm {
    /// Everything around it.
    pub frame: Frame,
    /// The news: “Four answers are missing for the assessment”, “Edit CHG-1042”.
    pub title: String,
    /// The sentence under it.
    pub lede: String,
    /// Where it belongs, after “Changes”: “New”, a key.
    pub crumb: String,
    /// Warnings: the approvals that an edit will void.
    pub notices: Vec<Notice>,
    /// The refusal, when the form came back: “Not submitted yet: two answers need a second look”.
    pub refused: String,
    /// Errors that belong to no field.
    pub errors: Vec<Rich>,
    /// Where it is sent.
    pub action_url: String,
    /// Hidden fields, such as the version that was edited.
    pub hidden: Vec<Field>,
    /// Fields that two people changed at once.
    pub conflicts: Vec<Conflict>,
    /// The sections.
    pub sections: Vec<FormSection>,
    /// The main button: label and the value of `act`.
    pub go: (String, String),
    /// The second button: label and the value of `act`; an empty label for none.
    pub keep: (String, String),
    /// The draft that it keeps; `None` where it keeps none.
    pub kept: Option<KeptDraft>,
    /// Where “Discard” leads.
    pub back_url: String,
    /// Values that were filled in, each with its origin.
    pub derived: Vec<DerivedFact>,
    /// What happens next.
    pub next: Vec<Entry>,
}

impl ChangeForm {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around(&self.title, false, &render(self))
    }

    /// Believable instances: empty, sent back with errors, odd.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        vec![
            sample_empty(),
            sample_refused(),
            sample_odd(),
            sample_asked(),
            sample_warned(),
            sample_conflict(),
            sample_restored(),
        ]
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }

    fn hidden_html(&self) -> FormHtml {
        FormHtml(
            Fields {
                form_id: "",
                fields: &self.hidden,
            }
            .html(),
        )
    }

    fn next_entries(&self) -> Entries<'_> {
        Entries {
            entries: &self.next,
            wide: false,
        }
    }

    /// Each error with its field's id and the field's name, in separate parts.
    fn summary(&self) -> Vec<(String, &str, &str)> {
        let picks = self.conflicts.iter().map(|conflict| &conflict.pick);
        picks
            .chain(self.sections.iter().flat_map(FormSection::all_fields))
            .filter_map(|field| {
                let error = field.error.as_ref()?;
                Some((field.id(""), field.label.as_str(), error.as_str()))
            })
            .collect()
    }

    /// Warnings about a value that may still be sent, with the id of its field.
    fn warned(&self) -> Option<(String, &[String])> {
        let fields = self.sections.iter().flat_map(FormSection::all_fields);
        let mut warned = fields.filter_map(|field| Some((field.id(""), field.warnings.as_deref()?)));
        warned.find(|(_, lines)| !lines.is_empty())
    }

    fn is_refused(&self) -> bool {
        !self.errors.is_empty() || !self.summary().is_empty()
    }

    fn refusal(&self) -> String {
        if !self.refused.is_empty() {
            return self.refused.clone();
        }
        match self.summary().len() + self.errors.len() {
            1 => "Not kept yet: one answer needs a second look".to_owned(),
            many => format!("Not kept yet: {many} answers need a second look"),
        }
    }

    fn changes_url(&self) -> String {
        self.frame.url(Place::Changes.path())
    }
}

struct FormHtml(String);

impl Part for FormHtml {
    fn html(&self) -> String {
        self.0.clone()
    }
}

fn sample_base(fields: &ChangeFields) -> ChangeForm {
    ChangeForm {
        frame: crate::elements::sample::frame(Place::Changes),
        title: "Write a change".to_owned(),
        lede: "State what, where, when and why; the rest is derived and shown before the decision.".to_owned(),
        crumb: "New".to_owned(),
        action_url: "/t/halden/changes".to_owned(),
        sections: fields.sections(),
        go: ("Submit for assessment".to_owned(), "submit".to_owned()),
        keep: ("Keep as draft".to_owned(), "keep".to_owned()),
        back_url: "/t/halden/changes".to_owned(),
        next: vec![
            Entry::new(Tone::Plain, "Assessed at once")
                .icon("s-assessing")
                .why("Everything needed is there."),
            Entry::new(Tone::Plain, "Hanne Brandt is asked")
                .icon("s-authorizing")
                .why("She usually answers in 3 h."),
            Entry::new(Tone::Plain, "The gate opens at start")
                .icon("s-scheduled")
                .why("Pipeline 8902 waits by itself."),
        ],
        ..ChangeForm::default()
    }
}

fn sample_fields() -> ChangeFields {
    let mut fields = ChangeFields {
        zone: "Europe/Oslo".to_owned(),
        environments: vec!["staging".to_owned(), "production".to_owned()],
        services: vec!["booking-api".to_owned(), "shipments".to_owned()],
        fits: Some(Fits {
            times: ["today 21:00", "Sat 21 Nov 21:00", "Sun 22 Nov 21:00"]
                .map(|words| ("2026-11-22T21:00/2026-11-22T21:30".to_owned(), words.to_owned()))
                .to_vec(),
            is_looked: true,
            ..Fits::default()
        }),
        ..ChangeFields::default()
    };
    for (name, value) in [
        ("title", "booking-api 2.33.0: quote cache per customer"),
        ("planned_start", "2026-11-23T20:00"),
        ("planned_end", "2026-11-23T20:30"),
        ("targets.0.service", "booking-api"),
        ("targets.0.environment", "production"),
        ("plan.0.title", "Bring it out, one node at a time"),
    ] {
        fields.set(name, value);
    }
    fields
}

fn sample_empty() -> ChangeForm {
    sample_base(&ChangeFields {
        zone: "Europe/Oslo".to_owned(),
        ..ChangeFields::default()
    })
}

fn sample_refused() -> ChangeForm {
    let mut fields = sample_fields();
    fields.fail(
        NewChange::JUSTIFICATION.name,
        "The reason is empty. What does the business lose if this waits?",
    );
    fields.fail("planned_start", "Monday 23 November 20:00 is inside the peak shipping freeze (23 Nov to 1 Dec), agreed by Sales. Latest free slot: Sunday 22 November 21:00.");
    fields.fail(
        "targets.0.artifact",
        "This is no digest. It begins with sha256: and has 64 more letters.",
    );
    let fact = |label: &str, value: Rich, origin: &str| DerivedFact {
        label: label.to_owned(),
        value,
        origin: origin.to_owned(),
    };
    ChangeForm {
        title: "Four answers are missing for the assessment".to_owned(),
        refused: "Not submitted yet: three answers need a second look".to_owned(),
        derived: vec![
            fact(
                "Build",
                Rich::new().code("sha256:c04e…91b").text(", commit ").code("7ad21f0"),
                "pipeline 8902",
            ),
            fact("Tests", Rich::from("388 passed, none failed, staging"), "pipeline 8902"),
            fact(
                "Risk",
                Rich::from("Medium: 11 things depend on it; 1 of 24 similar ones failed"),
                "computed",
            ),
        ],
        ..sample_base(&fields)
    }
}

fn sample_odd() -> ChangeForm {
    let mut fields = sample_fields();
    for name in [
        "title",
        "description",
        "owner",
        "plan.0.title",
        "targets.0.service",
        "targets.1.service",
    ] {
        fields.set(name, crate::elements::sample::MARKUP);
    }
    fields.set(NewChange::JUSTIFICATION.name, crate::elements::sample::BIDI);
    fields.fail("title", crate::elements::sample::MARKUP);
    fields.plan_rows = 6;
    ChangeForm {
        title: "Edit CHG-1042".to_owned(),
        crumb: "CHG-1042".to_owned(),
        notices: vec![Notice::new(Tone::Wait, "Hanne Brandt and Luc Moreau approved this content. An edit of approved content voids their decision, and they are notified.").title("An edit voids two approvals")],
        hidden: vec![Field::hidden("version", "7")],
        errors: vec![Rich::from(crate::elements::sample::MARKUP)],
        go: ("Keep these edits".to_owned(), "keep".to_owned()),
        keep: (String::new(), String::new()),
        ..sample_base(&fields)
    }
}

fn sample_asked() -> ChangeForm {
    let mut fields = sample_fields();
    fields.asked = NINE.iter().map(|name| (*name).to_owned()).collect();
    fields.fail("complexity", "How hard is it to do right?");
    ChangeForm {
        title: "Nine answers are missing for the assessment".to_owned(),
        ..sample_base(&fields)
    }
}

fn sample_restored() -> ChangeForm {
    let link = |title: &str| {
        let url = "/t/halden/changes/new?service=booking-api";
        Rich::new()
            .said_link(title, url)
            .text(", kept ")
            .time("2 h ago", "Fri 20 Nov 2026 10:12")
    };
    ChangeForm {
        kept: Some(KeptDraft {
            save_url: "/t/halden/changes/new/draft".to_owned(),
            discard_url: "/t/halden/changes/new/draft/removal".to_owned(),
            form: "service=shipments".to_owned(),
            restored: Some(
                Rich::from("Your draft is restored; it was saved ")
                    .time("5 min ago", "Fri 20 Nov 2026 12:07")
                    .text(". Only you can see it."),
            ),
            others: vec![link("Rotate the keys"), link(MARKUP), link(BIDI)],
        }),
        hidden: vec![
            Field::hidden("draft", "service=shipments"),
            Field::hidden("draft_version", "3"),
        ],
        ..sample_base(&sample_fields())
    }
}

fn sample_warned() -> ChangeForm {
    let mut fields = sample_fields();
    fields.asked = NINE.iter().map(|name| (*name).to_owned()).collect();
    if let Some(fits) = &mut fields.fits {
        fits.against = vec![
            "The freeze “Peak shipping” lies over it, from Mon 23 Nov 00:00 to Tue 1 Dec 00:00.".to_owned(),
            format!("The freeze “{MARKUP}” lies over it, from Mon 23 Nov 00:00 to Tue 1 Dec 00:00."),
            "The slot lies outside the maintenance windows of its targets.".to_owned(),
            "CHG-1051 is planned then too: both touch booking-api in production.".to_owned(),
            "The latest free time before it is Sun 22 Nov 21:00, the next one after it Tue 1 Dec 21:00.".to_owned(),
        ];
        fits.near = ["Sun 22 Nov 21:00", "Tue 1 Dec 21:00"]
            .map(|words| ("2026-11-22T21:00/2026-11-22T21:30".to_owned(), words.to_owned()))
            .to_vec();
    }
    ChangeForm {
        title: "Nine answers are missing for the assessment".to_owned(),
        ..sample_base(&fields)
    }
}

fn sample_conflict() -> ChangeForm {
    let conflict = |name: &str, theirs: &str, error: Option<&str>| Conflict {
        label: "Title".to_owned(),
        their_heading: "Luc Moreau wrote".to_owned(),
        theirs: vec![theirs.to_owned()],
        mine: vec![MARKUP.to_owned(), BIDI.to_owned(), LONG_WORD.repeat(4)],
        pick: Field {
            error: error.map(str::to_owned),
            ..Field::radio(
                name,
                "Which title stays",
                &[("theirs", "Luc Moreau’s"), ("mine", "Mine")],
            )
            .required()
        },
    };
    ChangeForm {
        title: "Two of you edited CHG-1042".to_owned(),
        conflicts: vec![
            conflict("pick.title", "Give every shipment a customs reference number", None),
            conflict("pick.description", MARKUP, Some("Choose which one to keep.")),
        ],
        ..sample_base(&sample_fields())
    }
}
