//! A trial of the rules in force on an imagined change: their requirements, in sentences.

use acts::policy::what_is_asked::{RuleRequirements, Thought, what_is_asked};
use axum::extract::{Query, State};
use axum::response::Response;
use model::approval::obligation::{Due, Duty, TargetObligation};
use model::change::waiting_on::Step;
use model::core::enums::{Kind, Level};
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::Refusal;
use pages::{
    ActForm, Cell, Column, Fact, Field, Fold, Notice, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
};

use crate::http::state::AppState;
use crate::web::approval::decision_card::step_name;
use crate::web::shared::fields::{environment_menu, pick_field};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::capital;

/// The title, and the name of links to the page.
pub(crate) const TITLE: &str = "What would happen to a change like this?";
/// The kinds that a person creates, each with its label.
const KINDS: [(&str, &str); 3] = [
    ("normal", "Normal"),
    ("standard", "Standard"),
    ("emergency", "Emergency"),
];
/// Impact: empty where it is the service's own.
const IMPACTS: [(&str, &str); 5] = [
    ("", "From the service"),
    ("none", "None"),
    ("low", "Low"),
    ("medium", "Medium"),
    ("high", "High"),
];
const COMPLEXITIES: [(&str, &str); 3] = [("low", "Low"), ("medium", "Medium"), ("high", "High")];

/// The query of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct RulePreviewQuery {
    kind: Option<String>,
    service: Option<String>,
    environment: Option<String>,
    impact: Option<String>,
    complexity: Option<String>,
}

impl RulePreviewQuery {
    /// The change that it is about; nothing before a service and an environment are named.
    fn thought(&self) -> Result<Option<Thought>, Refusal> {
        let (service, environment) = (text(&self.service), text(&self.environment));
        if service.is_empty() || environment.is_empty() {
            return Ok(None);
        }
        Ok(Some(Thought {
            kind: word("kind", &self.kind)?.unwrap_or(Kind::Normal),
            service: ServiceKey::from(service),
            environment: EnvironmentKey::from(environment),
            impact: word("impact", &self.impact)?,
            complexity: word("complexity", &self.complexity)?.unwrap_or(Level::Low),
        }))
    }
}

fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default().trim()
}

/// An enumerated value; nothing for an empty text.
fn word<W: std::str::FromStr<Err = String>>(name: &'static str, value: &Option<String>) -> Result<Option<W>, Refusal> {
    let wrong = |help: String| Refusal::field(name, "unknown_word", format!("`{name}`: {help}."));
    match text(value) {
        "" => Ok(None),
        word => word.parse().map(Some).map_err(wrong),
    }
}

/// The page.
pub(crate) async fn show_like_this(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<RulePreviewQuery>,
) -> Response {
    show(&state, &visitor, Place::Policies, move |view| page(view, &asked)).await
}

fn page(view: &mut View<'_, '_, '_>, asked: &RulePreviewQuery) -> acts::Result<String> {
    let thought = asked.thought()?;
    let mut page = RecordPage {
        crumb: vec![("Policies".to_owned(), view.url("/policies"))],
        title: TITLE.to_owned(),
        byline: Rich::from(
            "The requirements of the rules in force for a change that does not exist yet, without those that a forecast of \
             failure would add.",
        ),
        acts: vec![form(view, asked, thought.is_none())],
        is_facts_first: true,
        ..RecordPage::default()
    };
    if let Some(thought) = &thought {
        let found = what_is_asked(view.cx, thought)?;
        page.facts = facts(thought, &found);
        if let Some(stop) = &found.requirements.stop {
            page.notices.push(Notice::new(Tone::Stop, view.sentence(stop)));
        }
        let rows = table(&found.requirements.obligations);
        let section = Section::new("asked", "Requirements", SectionBody::Table(rows));
        page.sections.push(section.unsaid("Nothing is required."));
    }
    page.frame = view.frame.clone();
    Ok(page.render())
}

fn form(view: &View<'_, '_, '_>, asked: &RulePreviewQuery, is_open: bool) -> ActForm {
    let mut form = ActForm::new("thought", "Check a change", view.url("/policies/like-this"))
        .question()
        .field(Field::select("kind", "Kind", &KINDS).value(text(&asked.kind)).half())
        .field(
            pick_field(view, "services", "service", "Service")
                .value(text(&asked.service))
                .required()
                .half(),
        )
        .field(environment_menu(view).value(text(&asked.environment)).required().half())
        .field(
            Field::select("impact", "Highest impact", &IMPACTS)
                .value(text(&asked.impact))
                .half(),
        )
        .field(
            Field::select("complexity", "Complexity", &COMPLEXITIES)
                .value(text(&asked.complexity))
                .half(),
        )
        .submit("Show");
    form.is_open = is_open;
    form
}

fn facts(thought: &Thought, found: &RuleRequirements) -> Vec<Fact> {
    let impact = thought
        .impact
        .map_or_else(|| "From the service".to_owned(), |impact| capital(impact.as_str()));
    vec![
        Fact::new("Risk", capital(found.risk.as_str())),
        Fact::new("Kind", capital(thought.kind.as_str())),
        Fact::new("Service", Rich::new().said(thought.service.as_str())),
        Fact::new("Environment", Rich::new().said(thought.environment.as_str())),
        Fact::new("Highest impact", impact),
        Fact::new("Complexity", capital(thought.complexity.as_str())),
    ]
}

/// The step before which a row must be met: for a decision the approval of the change, even if other conditions are due then.
fn step_of(row: &TargetObligation) -> Step {
    match (&row.obligation.duty, row.obligation.due) {
        (Duty::Approval(_), _) | (_, Due::Approval) => Step::Approval,
        (_, Due::Start) => Step::Implementation,
        (_, Due::Close) => Step::Closure,
    }
}

fn table(obligations: &[TargetObligation]) -> Table {
    let mut rows: Vec<&TargetObligation> = obligations.iter().collect();
    rows.sort_by_key(|row| step_of(row));
    let row = |row: &&TargetObligation| {
        vec![
            Cell::Name(row.obligation.reason.clone()),
            Cell::text(step_name(step_of(row))),
            Cell::Text(Rich::new().code(row.obligation.id.as_str())),
        ]
    };
    Table {
        caption: "Requirements".to_owned(),
        columns: vec![
            Column::new("Rule", Fold::Never),
            Column::new("When", Fold::Under),
            Column::new("Name", Fold::Under),
        ],
        rows: rows.iter().map(row).collect(),
        ..Table::default()
    }
}
