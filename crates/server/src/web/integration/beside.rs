//! A change system beside this one: a comparison of its decisions with the rules here, and the credential for reading it.

use acts::integration::beside::report_differences::{Counted, Report, report_differences};
use acts::integration::beside::set_foreign_system::keep_credential;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions::SET_CONNECTION;
use model::core::body::Body;
use model::core::enums::{ForeignDifference, ForeignKind};
use model::integration::foreign_change::ForeignChange;
use pages::{
    ActForm, Cell, Column, Fact, Field, Fold, Input, Mark, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
    count,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::view::{View, Visitor, show};

/// How many changes a page shows.
const SHOWN: i64 = 100;
/// How many rules or services are shown.
const COUNTED: usize = 20;

/// The query of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct DifferencesQuery {
    difference: Option<String>,
    after: Option<String>,
}

impl DifferencesQuery {
    fn difference(&self) -> ForeignDifference {
        let word = self.difference.as_deref().and_then(|word| word.parse().ok());
        word.unwrap_or(ForeignDifference::WouldStop)
    }
}

/// The comparison.
pub(crate) async fn show_system(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<DifferencesQuery>,
) -> Response {
    show(&state, &visitor, Place::Connections, move |view| {
        page(view, &id, &asked, None)
    })
    .await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, asked: &DifferencesQuery, back: Option<&Back>) -> acts::Result<String> {
    let difference = asked.difference();
    let report = report_differences(view.cx, id, (difference, asked.after.as_deref(), SHOWN))?;
    let system = &report.system;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("External systems".to_owned(), view.url("/foreign-systems"))],
        title: system.name.clone(),
        is_said: true,
        marks: vec![status_mark(&report)],
        byline: Rich::from(
            "Their changes are read and judged here. No approval there counts here, unless the system leads the service. ",
        )
        .link("Systems of record", view.url("/service-leads")),
        facts: facts(view, &report),
        sections: vec![
            kinds(view, &report),
            counted(
                "rules",
                "Rules that would have blocked what they allowed",
                "Rule",
                &report.rules,
            ),
            counted("services", "Services that this concerns", "Service", &report.services),
            changes(view, &report, difference),
        ],
        ..RecordPage::default()
    };
    if view.may(SET_CONNECTION) && system.active {
        page.acts.push(credential_form(view, &report));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn status_mark(report: &Report) -> Mark {
    match (report.system.active, &report.system.read_problem) {
        (false, _) => Tone::Plain.mark("Ended"),
        (true, Some(_)) => Tone::Stop.mark("Failing"),
        (true, None) => Tone::Ok.mark("Active"),
    }
}

fn facts(view: &View<'_, '_, '_>, report: &Report) -> Vec<Fact> {
    let system = &report.system;
    let kind = match system.kind {
        ForeignKind::Servicenow => "ServiceNow",
        ForeignKind::Jira => "Jira",
    };
    let mut facts = vec![
        Fact::new("Kind", kind),
        Fact::new("Address", Rich::new().said(system.url.as_str())),
        Fact::new("Environment", Rich::new().said(system.environment.0.as_str())),
        Fact::new("Credential", if system.has_credential { "kept" } else { "none" }),
    ];
    if let Some(at) = system.read_until {
        facts.push(Fact::new("Read until", view.reader.moment(at)));
    }
    if let Some(at) = system.read_at {
        facts.push(Fact::new("Last news", view.reader.moment(at)));
    }
    if let Some(problem) = &system.read_problem {
        facts.push(Fact::new("Problem", Rich::new().said(problem.as_str())));
    }
    facts
}

/// How many changes there are of each kind; each leads to its list.
fn kinds(view: &View<'_, '_, '_>, report: &Report) -> Section {
    let row = |(difference, number): &(ForeignDifference, i64)| {
        let url = view.url(&format!(
            "/beside/{}?difference={difference}",
            escaped(report.system.id.as_str())
        ));
        vec![
            Cell::Told {
                text: difference_label(*difference).to_owned(),
                href: url,
                sub: Rich::new(),
            },
            Cell::Short(count(number.unsigned_abs())),
        ]
    };
    let table = Table {
        caption: "How the decisions compare".to_owned(),
        columns: vec![
            Column::new("Comparison", Fold::Never),
            Column::new("Changes", Fold::Under).number(),
        ],
        rows: report.counts.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("kinds", "How the decisions compare", SectionBody::Table(table))
}

fn counted(id: &'static str, title: &'static str, label: &'static str, rows: &[Counted]) -> Section {
    let row = |it: &Counted| vec![Cell::said(it.key.as_str()), Cell::Short(count(it.count.unsigned_abs()))];
    let table = Table {
        caption: title.to_owned(),
        columns: vec![
            Column::new(label, Fold::Never),
            Column::new("Changes", Fold::Under).number(),
        ],
        rows: rows.iter().take(COUNTED).map(row).collect(),
        ..Table::default()
    };
    Section::new(id, title, SectionBody::Table(table)).unsaid("None so far.")
}

fn changes(view: &View<'_, '_, '_>, report: &Report, difference: ForeignDifference) -> Section {
    let row = |it: &ForeignChange| {
        let mut why = Rich::new();
        for (place, text) in it.why.iter().chain(&it.read_problem).enumerate() {
            why = if place > 0 { why.line() } else { why };
            why = why.said(text.as_str());
        }
        let service = it.service.as_ref().map(|service| service.0.as_str());
        vec![
            Cell::Title {
                text: it.title.clone(),
                href: String::new(),
                key: it.foreign_key.clone(),
                marks: Vec::new(),
                sub: Rich::new().said(it.told_state.as_str()),
            },
            Cell::said(service.or(it.told_service.as_deref()).unwrap_or_default()),
            Cell::Short(view.reader.moment(it.edited_at)),
            Cell::Text(why),
        ]
    };
    let table = Table {
        caption: difference_label(difference).to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Service", Fold::Under).named(),
            Column::new("Edited there", Fold::Under).named(),
            Column::new("Why", Fold::Under),
        ],
        rows: report.changes.iter().map(row).collect(),
        ..Table::default()
    };
    let section =
        Section::new("changes", difference_label(difference), SectionBody::Table(table)).unsaid("None so far.");
    let Some(next) = &report.next else { return section };
    let url = format!(
        "/beside/{}?difference={difference}&after={}#changes",
        escaped(report.system.id.as_str()),
        escaped(next)
    );
    section.note(Rich::new().link("The next ones", view.url(&url)))
}

fn difference_label(difference: ForeignDifference) -> &'static str {
    match difference {
        ForeignDifference::Same => "The same on both sides",
        ForeignDifference::WouldStop => "They allowed it, we would have blocked it",
        ForeignDifference::WouldLetGo => "They blocked it, we would have allowed it",
        ForeignDifference::NotJudged => "Not judged here",
        ForeignDifference::Undecided => "Not decided there yet",
    }
}

fn credential_form(view: &View<'_, '_, '_>, report: &Report) -> ActForm {
    let url = view.url(&format!("/beside/{}/credential", escaped(report.system.id.as_str())));
    ActForm::new("credential", "Keep its credential", url)
        .field(
            Field::text("login", "Login")
                .hint("Of an account that may only read; empty for a token.")
                .half(),
        )
        .field(
            Field::new("secret", "Password or token", Input::Password)
                .required()
                .half(),
        )
        .note("The credential is sealed and never shown.")
        .submit("Keep it")
}

/// Keeps the credential.
pub(crate) async fn keep(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let url = format!("/beside/{}", escaped(&id));
    let sent = sent(form, format!("{url}/credential"), url, Place::Connections);
    let whose = id.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| keep_credential(cx, &whose, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        page(view, &id, &DifferencesQuery::default(), back)
    })
    .await
}
