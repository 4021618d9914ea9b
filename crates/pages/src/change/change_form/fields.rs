//! The usual fields of a change: names, labels, choices. The server fills in
//! values and errors by name and gets sections back.

use std::collections::{BTreeMap, BTreeSet};

use model::change::read_content::new_change::NewChange;
use model::core::card;

use super::{Fits, FormSection, RowGroup};
use crate::{Choice, Field, Input};

/// Which group of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// `targets.0.service`, `.environment`, `.artifact`, `.commit`, `.rollback_to`, `.config_items`.
    Targets,
    /// `plan.0.title`, `.owner`, `.minutes`, `.check`, `.watch`.
    Plan,
    /// `rollback_plan.0.title` and the same as in the plan.
    RollbackPlan,
}

impl Rows {
    /// The prefix of the names, and the value of the button “add”.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rows::Targets => "targets",
            Rows::Plan => "plan",
            Rows::RollbackPlan => "rollback_plan",
        }
    }
}

/// Values and errors of a change's form by field name.
///
/// Plain fields are named as in the API; nested ones with points
/// (`impact.data`, `disruption.kind`, `targets.0.service`). `touches` may be
/// sent several times. Times are `datetime-local` values in `zone`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeFields {
    /// Values by name.
    pub values: BTreeMap<String, String>,
    /// The ticked values of `touches`.
    pub touches: Vec<String>,
    /// Errors by name.
    pub errors: BTreeMap<String, String>,
    /// The reader's zone, shown beside the times.
    pub zone: String,
    /// The earliest start under the rules on lead time, as text; empty without such a rule, or while none is known.
    pub earliest_start: String,
    /// Times that fit; `None` where none are offered.
    pub fits: Option<Fits>,
    /// Keys of services to choose from; empty makes it a free text.
    pub services: Vec<String>,
    /// Environments to choose from; empty makes it a free text.
    pub environments: Vec<String>,
    /// Approved templates: key and title.
    pub templates: Vec<(String, String)>,
    /// The address for fields that search for keys: services and templates, where these are more than [`IN_A_MENU`].
    pub picks_url: String,
    /// Whether the form may record work that is done already: only while the change is written.
    pub retrospective: bool,
    /// Rows of targets to show; at least the filled ones, and two.
    pub target_rows: usize,
    /// Rows of the plan to show; at least the filled ones, and three.
    pub plan_rows: usize,
    /// Rows of the rollback plan to show; at least the filled ones, and two.
    pub rollback_rows: usize,
    /// The fields that the tenant added, named `custom_fields.KEY`; values and errors are filled in like any other's.
    pub own: Vec<Field>,
    /// The fields that are shown first, by name; all others are folded. Empty shows every section open.
    pub asked: Vec<String>,
    /// Fields that a template sets, by name prefix or whole name: the form leaves them out.
    pub locked: BTreeSet<String>,
}

/// The most services or templates that a menu of the form holds; a field for one of more searches.
pub const IN_A_MENU: usize = 50;

/// The fields of a new change, in this order; the rest is derived or has its usual value.
pub const NINE: [&str; 9] = [
    "targets.0.service",
    "targets.0.environment",
    NewChange::TITLE.name,
    NewChange::DESCRIPTION.name,
    NewChange::JUSTIFICATION.name,
    "impact.availability",
    NewChange::COMPLEXITY.name,
    NewChange::PLANNED_START.name,
    NewChange::PLANNED_END.name,
];

const LEVELS: [(&str, &str); 5] = [
    ("", "From the service"),
    ("none", "None"),
    ("low", "Low"),
    ("medium", "Medium"),
    ("high", "High"),
];

/// A control with the name and the label of a request's field.
fn field(of: card::Field, input: Input) -> Field {
    Field::new(of.name, of.label, input)
}

fn text(of: card::Field) -> Field {
    Field::text(of.name, of.label)
}

fn area(of: card::Field) -> Field {
    Field::textarea(of.name, of.label)
}

impl ChangeFields {
    /// Sets the value of a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Marks a field as sent back with an error.
    pub fn fail(&mut self, name: &str, error: impl Into<String>) {
        self.errors.insert(name.to_owned(), error.into());
    }

    /// The form's sections, with values and errors in place.
    #[must_use]
    pub fn sections(&self) -> Vec<FormSection> {
        let mut all = self.all_sections();
        if !self.locked.is_empty() {
            all.iter_mut().for_each(|section| section.leave_out(&self.locked));
            all.retain(|section| section.all_fields().next().is_some());
        }
        let mut all = if self.asked.is_empty() {
            all
        } else {
            self.asked_first(all)
        };
        let asks_when = |section: &&mut FormSection| section.fields.iter().any(|field| field.name == "planned_start");
        if let Some(section) = all.iter_mut().find(asks_when) {
            section.fits.clone_from(&self.fits);
        }
        all
    }

    /// The main fields in a section of their own, then all others folded.
    fn asked_first(&self, mut sections: Vec<FormSection>) -> Vec<FormSection> {
        let mut first = Vec::new();
        for name in &self.asked {
            let taken = sections.iter_mut().find_map(|section| section.take(name));
            first.extend(taken.map(|field| match name.as_str() {
                "targets.0.service" | "targets.0.environment" => field.required(),
                _ => field,
            }));
        }
        let zone = if self.zone.is_empty() { "UTC" } else { &self.zone };
        let answers = FormSection {
            id: "s-answers".to_owned(),
            title: "Your answers".to_owned(),
            hint: format!("Times in {zone}."),
            fields: first,
            ..FormSection::default()
        };
        sections.retain(|section| section.all_fields().next().is_some());
        for section in &mut sections {
            section.is_folded = true;
            let is_filled = |field: &Field| !field.value.is_empty() || !field.chosen.is_empty();
            let is_known = section.all_fields().any(is_filled);
            section.is_known = is_known;
        }
        std::iter::once(answers).chain(sections).collect()
    }

    fn all_sections(&self) -> Vec<FormSection> {
        let mut sections = vec![
            self.what(),
            self.targets(),
            self.times(),
            self.effect(),
            self.harm(),
            self.plan(),
            self.rollback_plan(),
            self.people(),
            self.special(),
        ];
        if !self.own.is_empty() {
            let place = sections.len() - 2;
            sections.insert(place, self.section("s-own", "Fields of your own", "", self.own.clone()));
        }
        if self.retrospective {
            sections.push(self.afterwards());
        }
        sections
    }

    fn afterwards(&self) -> FormSection {
        FormSection {
            is_folded: true,
            ..self.section(
                "s-afterwards",
                "Work that is done already",
                "Only if it could not be requested beforehand. The person who agreed verbally confirms it within a day; such \
                 a change never gets a permit.",
                vec![
                    Field::new("retrospective.actual_start", "Began", Input::DateTime).half(),
                    Field::new("retrospective.actual_end", "Ended", Input::DateTime).half(),
                    Field::searched(
                        (&self.picks_url, "people"),
                        "retrospective.verbal_approver",
                        "Who agreed",
                    )
                    .hint("A login."),
                    Field::textarea("retrospective.reason", "Why it could not be requested beforehand"),
                ],
            )
        }
    }

    fn what(&self) -> FormSection {
        self.section(
            "s-what",
            "What and why",
            "",
            vec![
                text(NewChange::TITLE)
                    .hint("What will be different, in one line.")
                    .required(),
                area(NewChange::DESCRIPTION).hint("For a reader without background knowledge. Markdown is supported."),
                area(NewChange::JUSTIFICATION).hint("One or two sentences for the owner, who is not an engineer."),
                text(NewChange::VERIFICATION),
                Field::select(
                    "category",
                    "Category",
                    &[
                        ("", "Not stated"),
                        ("application", "Application"),
                        ("configuration", "Configuration"),
                        ("database", "Database"),
                        ("infrastructure", "Infrastructure"),
                        ("network", "Network"),
                        ("security", "Security"),
                        ("data", "Data"),
                        ("facility", "Facility"),
                        ("other", "Other"),
                    ],
                )
                .half(),
                Field::many(
                    "touches",
                    "It touches",
                    &[
                        ("privileged_access", "Privileged access"),
                        ("crypto_keys", "Keys"),
                        ("schema", "A schema"),
                        ("network", "The network"),
                        ("personal_data", "Personal data"),
                    ],
                ),
            ],
        )
    }

    fn targets(&self) -> FormSection {
        let rows = self.rows(Rows::Targets, self.target_rows.max(2), |name| {
            vec![
                self.service_field(format!("{name}.service")).half(),
                self.choose(format!("{name}.environment"), "Environment", &self.environments)
                    .half(),
                Field::text(format!("{name}.artifact"), "Artifact").half(),
                Field::text(format!("{name}.commit"), "Commit").half(),
                Field::text(format!("{name}.rollback_to"), "Roll back to").half(),
                Field::text(format!("{name}.config_items"), "Config items").half(),
            ]
        });
        FormSection {
            rows: Some(RowGroup { name: "targets".to_owned(), noun: "Target".to_owned(), add_label: "Add two more targets".to_owned(), rows }),
            ..self.section("s-where", "Where", "One row for each service in each environment. With an artifact the gate opens for exactly that one; rows left empty are ignored.", Vec::new())
        }
    }

    fn times(&self) -> FormSection {
        let zone = if self.zone.is_empty() { "UTC" } else { &self.zone };
        let mut start = field(NewChange::PLANNED_START, Input::DateTime).half();
        if !self.earliest_start.is_empty() {
            start = start.hint(format!("It can start at {} at the earliest.", self.earliest_start));
        }
        start.warnings = self.fits.as_ref().map(|fits| fits.against.clone());
        let mut fields = vec![start, field(NewChange::PLANNED_END, Input::DateTime).half()];
        // Locked times cannot be set as text either.
        if !self.locked.iter().any(|name| name.starts_with("planned_")) {
            fields.push(Field::time_in_words(
                NewChange::PLANNED_START.name,
                NewChange::PLANNED_END.name,
            ));
        }
        self.section("s-when", "When", &format!("Times in {zone}."), fields)
    }

    fn effect(&self) -> FormSection {
        self.section(
            "s-effect",
            "What people will notice",
            "",
            vec![
                Field::radio(
                    "disruption.kind",
                    "For them",
                    &[
                        ("none", "Nothing"),
                        ("degraded", "Slower or partly unavailable"),
                        ("read_only", "Readable, but not writable"),
                        ("outage", "Something is unavailable"),
                    ],
                ),
                Field::new("disruption.minutes", "For how many minutes", Input::Number).half(),
                Field::text("disruption.audience", "Affected users").half(),
            ],
        )
    }

    fn harm(&self) -> FormSection {
        self.section(
            "s-harm",
            "If it goes wrong",
            "The risk is computed from these values. Missing values are derived from the service.",
            vec![
                Field::select("impact.data", "Harm to data", &LEVELS).half(),
                Field::select("impact.availability", "Harm to availability", &LEVELS).half(),
                Field::select("impact.compliance", "Harm to compliance", &LEVELS).half(),
                Field::select(
                    "complexity",
                    "Complexity",
                    &[
                        ("", "Not stated"),
                        ("low", "Low"),
                        ("medium", "Medium"),
                        ("high", "High"),
                    ],
                )
                .half(),
            ],
        )
    }

    fn plan(&self) -> FormSection {
        FormSection {
            rows: Some(RowGroup {
                name: "plan".to_owned(),
                noun: "Step".to_owned(),
                add_label: "Add three more steps".to_owned(),
                rows: self.steps(Rows::Plan, self.plan_rows.max(3)),
            }),
            ..self.section(
                "s-plan",
                "Plan",
                "The steps of the work, each with a person, a duration and a check. Steps are shown as they are typed.",
                Vec::new(),
            )
        }
    }

    fn rollback_plan(&self) -> FormSection {
        FormSection {
            rows: Some(RowGroup {
                name: "rollback_plan".to_owned(),
                noun: "Step back".to_owned(),
                add_label: "Add two more rollback steps".to_owned(),
                rows: self.steps(Rows::RollbackPlan, self.rollback_rows.max(2)),
            }),
            ..self.section(
                "s-back",
                "Rollback plan",
                "The steps of the rollback, and its total duration.",
                vec![
                    field(NewChange::ROLLBACK_MINUTES, Input::Number),
                    Field::text(NewChange::NO_ROLLBACK_REASON.name, "Or why no rollback is possible")
                        .hint("Only if no step can undo the change."),
                    Field::text("planned_undo.text", "Planned undo")
                        .hint("Only if the change is undone as planned, such as read-only mode: what, and how.")
                        .half(),
                    Field::new("planned_undo.at", "Undone at", Input::DateTime).half(),
                ],
            )
        }
    }

    /// A field for one person: it searches where the form knows an address for it.
    fn person_field(&self, of: card::Field) -> Field {
        self.searched(of, "people")
    }

    /// A field that searches among the records of a kind.
    fn searched(&self, of: card::Field, kind: &str) -> Field {
        Field::searched((&self.picks_url, kind), of.name, of.label)
    }

    fn people(&self) -> FormSection {
        self.section(
            "s-people",
            "People",
            "Logins. Empty fields are derived from the service.",
            vec![
                self.person_field(NewChange::OWNER).half(),
                self.searched(NewChange::TEAM, "teams").half(),
                self.person_field(NewChange::IMPLEMENTERS)
                    .several()
                    .hint("Separated by commas.")
                    .half(),
                self.person_field(NewChange::TESTER).half(),
                self.person_field(NewChange::BUSINESS_CONTACT).half(),
            ],
        )
    }

    fn special(&self) -> FormSection {
        FormSection {
            is_folded: true,
            ..self.section(
                "s-special",
                "Kind, urgency, labels",
                "Most changes are normal and need nothing here.",
                vec![
                    Field::select(
                        "kind",
                        "Kind",
                        &[
                            ("normal", "Normal"),
                            ("standard", "Standard, from a template"),
                            ("emergency", "Emergency"),
                        ],
                    )
                    .half(),
                    self.template_field().half(),
                    self.searched(NewChange::INCIDENT, "incidents")
                        .hint("For an emergency: its key.")
                        .half(),
                    text(NewChange::THREAT)
                        .hint("For an emergency without an incident.")
                        .half(),
                    Field::text(NewChange::EXPEDITED.name, NewChange::EXPEDITED_REASON.label)
                        .hint("Fill it in for work that is late but not urgent; it is then marked as expedited."),
                    area(NewChange::OBJECTIVES).hint("One per line; the review covers each."),
                    text(NewChange::LABELS).hint("Separated by commas."),
                ],
            )
        }
    }

    fn steps(&self, rows: Rows, shown: usize) -> Vec<Vec<Field>> {
        self.rows(rows, shown, |name| {
            vec![
                Field::text(format!("{name}.title"), "What"),
                Field::text(format!("{name}.owner"), "Who").half(),
                Field::new(format!("{name}.minutes"), "Minutes", Input::Number).half(),
                Field::text(format!("{name}.check"), "Check").half(),
                Field::select(
                    format!("{name}.watch"),
                    "Ends",
                    &[
                        ("", "When the work is done"),
                        ("true", "After its minutes at the earliest (watch step)"),
                    ],
                )
                .half(),
            ]
        })
    }

    fn rows(&self, rows: Rows, shown: usize, make: impl Fn(&str) -> Vec<Field>) -> Vec<Vec<Field>> {
        let count = shown.max(self.filled(rows)).min(200);
        (0..count)
            .map(|place| {
                make(&format!("{}.{place}", rows.name()))
                    .into_iter()
                    .map(|field| self.fill(field))
                    .collect()
            })
            .collect()
    }

    /// One more than the highest row that holds a value or an error.
    fn filled(&self, rows: Rows) -> usize {
        let prefix = format!("{}.", rows.name());
        let with_value = self
            .values
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, _)| name);
        with_value
            .chain(self.errors.keys())
            .filter_map(|name| name.strip_prefix(&prefix)?.split('.').next()?.parse::<usize>().ok())
            .map(|place| place.saturating_add(1))
            .max()
            .unwrap_or(0)
    }

    /// A menu of known values, with the present value kept even when it is unknown. Whether so many keys are searched for
    /// rather than shown in a menu.
    fn is_searched(&self, count: usize) -> bool {
        count > IN_A_MENU && !self.picks_url.is_empty()
    }

    fn template_field(&self) -> Field {
        if self.is_searched(self.templates.len()) {
            return Field::pick("template", "Template", format!("{}/templates", self.picks_url));
        }
        let templates = self.templates.iter();
        let templates = templates.map(|(key, title)| Choice::said(key.as_str(), format!("{title} ({key})")));
        let templates = std::iter::once(Choice::new("", "None")).chain(templates);
        Field::new("template", "Template", Input::Select(templates.collect()))
    }

    fn service_field(&self, name: String) -> Field {
        if self.is_searched(self.services.len()) {
            return Field::pick(name, "Service", format!("{}/services", self.picks_url));
        }
        self.choose(name, "Service", &self.services)
    }

    fn choose(&self, name: String, label: &str, known: &[String]) -> Field {
        if known.is_empty() {
            return Field::text(name, label);
        }
        let value = self
            .values
            .get(&name)
            .filter(|value| !value.is_empty() && !known.contains(value));
        let choices = std::iter::once(Choice::new("", "Not stated"))
            .chain(
                known
                    .iter()
                    .chain(value)
                    .map(|key| Choice::said(key.as_str(), key.as_str())),
            )
            .collect();
        Field::new(name, label, Input::Select(choices))
    }

    fn section(&self, id: &str, title: &str, hint: &str, fields: Vec<Field>) -> FormSection {
        FormSection {
            id: id.to_owned(),
            title: title.to_owned(),
            hint: hint.to_owned(),
            fields: fields.into_iter().map(|field| self.fill(field)).collect(),
            ..FormSection::default()
        }
    }

    fn fill(&self, mut field: Field) -> Field {
        if let Some(value) = self.values.get(&field.name) {
            field.value.clone_from(value);
        }
        if field.name == "touches" {
            field.chosen.clone_from(&self.touches);
        }
        field.error = self.errors.get(&field.name).cloned();
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_errors_find_their_fields_and_rows_grow_with_them() {
        let mut fields = ChangeFields::default();
        fields.set("plan.6.title", "Seventh");
        fields.fail("targets.3.service", "Unknown service.");
        let sections = fields.sections();
        let rows = |name: &str| {
            sections
                .iter()
                .filter_map(|section| section.rows.as_ref())
                .find(|group| group.name == name)
                .map_or(0, |group| group.rows.len())
        };
        assert_eq!((rows("plan"), rows("targets"), rows("rollback_plan")), (7, 4, 2));
        let failed: Vec<&str> = sections
            .iter()
            .flat_map(FormSection::all_fields)
            .filter(|field| field.error.is_some())
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(failed, ["targets.3.service"]);
    }

    #[test]
    fn what_a_template_says_is_not_asked_again() {
        let locked = ["plan", "rollback_plan", "complexity", "disruption"];
        let fields = ChangeFields {
            locked: locked.map(str::to_owned).into(),
            ..ChangeFields::default()
        };
        let sections = fields.sections();
        let names: Vec<&str> = sections
            .iter()
            .flat_map(FormSection::all_fields)
            .map(|field| field.name.as_str())
            .collect();
        let is_of = |name: &str, field: &str| name == field || name.starts_with(&format!("{field}."));
        let says = |field: &str| names.iter().any(|name| is_of(name, field));
        assert!(!locked.iter().any(|start| says(start)), "{names:?}");
        assert!(!says("no_rollback_reason"), "there is a way back: {names:?}");
        assert!(says("rollback_minutes") && says("impact.data") && says("targets.0.service"));
        assert!(
            sections
                .iter()
                .all(|section| section.id != "s-plan" && section.id != "s-effect"),
            "a section without a field is gone"
        );
    }

    #[test]
    fn a_huge_row_number_does_not_make_a_huge_page() {
        let mut fields = ChangeFields::default();
        fields.set("plan.99999999.title", "x");
        let most = fields
            .sections()
            .iter()
            .filter_map(|section| section.rows.as_ref())
            .map(|group| group.rows.len())
            .max();
        assert_eq!(most, Some(200));
    }
}
