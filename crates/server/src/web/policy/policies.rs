//! The policies and the risk table in force, the proposals, and putting them in force.

use std::collections::BTreeMap;

use acts::Context;
use acts::approval::set_sla_table;
use acts::policy::propose_parameters::propose_parameters;
use acts::policy::{activate_configuration, configurations};
use axum::extract::{Path, State};
use axum::response::Response;
use model::approval::sla::{self, SlaTable, span_text};
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, ConfigurationState, Level};
use model::core::ids::RecordId;
use model::core::refusal;
use model::policy::configuration::Configuration;
use model::risk::assessment::RiskTable;
use model::schedule::calendar::Span;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table,
    Tone,
};
use store::record::{self, Filter};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::compliance::retention;
use crate::web::directory::ownership_proposal;
use crate::web::policy::{like_this, parameters, try_policies, watch_windows};
use crate::web::risk::matrix_section;
use crate::web::shared::fields::pick_field;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::{idempotent_form, words};

/// How many configurations are shown.
const SHOWN: i64 = 20;

/// The page.
pub(crate) async fn show_policies(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Policies, |view| policies_page(view, None)).await
}

pub(crate) fn policies_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let filter = Filter::new().descending_by("proposed_at").limit(SHOWN);
    let found = record::find::<Configuration>(view.cx.tx, &filter)?;
    let found: Vec<Configuration> = found.into_iter().map(|stored| stored.record).collect();
    let older = proposed_over_older(view, &found)?;
    let told = ownership_proposal::proposal_lines(view, &found)?;
    let in_words = Rich::new().link("as a document to print", view.url("/policies/document"));
    let mut sections = vec![
        Section::new(
            "proposals",
            "Proposed and earlier",
            SectionBody::Entries(entries(view, &found, (&older, &told))),
        )
        .unsaid("Nothing was proposed yet: the policies and the risk table that come with Assent are in force."),
        rules(view).note(in_words),
        risk_section(view),
        sla_section(view),
        watch_windows::section(view),
        retention::section(view)?,
        mapping_section(view),
        parameters::section(view),
    ];
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in view.policies.sources() {
        files.entry(source.file.clone()).or_default().push(source.text.clone());
    }
    for (number, (file, texts)) in files.into_iter().enumerate() {
        sections.push(Section::new(
            format!("file-{number}"),
            file,
            SectionBody::Code(texts.join("\n\n")),
        ));
    }
    sections.extend(try_policies::case_sections(view)?);
    let digest = view.policies.digest().to_owned();
    let mut acts = vec![ActForm::link(like_this::TITLE, view.url("/policies/like-this"))];
    if view.may(actions::SET_POLICY) {
        acts.push(try_policies::try_form(view)?);
    }
    let mut page = RecordPage {
        acts,
        frame: view.frame.clone(),
        title: "Policies".to_owned(),
        byline: Rich::new().text("Permissions and requirements. Every decision records the digest of its policies."),
        sections,
        facts: vec![
            Fact::new("Policies", view.policies.sources().count().to_string()),
            Fact::new("Digest", Rich::new().digest(&digest)),
        ],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(acts_of);
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

/// The forms of a section and of its entries.
fn acts_of(section: &mut Section) -> impl Iterator<Item = &mut ActForm> {
    let entries = match &mut section.body {
        SectionBody::Entries(entries) => entries.as_mut_slice(),
        _ => &mut [],
    };
    let of_entries = entries.iter_mut().flat_map(|entry| entry.acts.iter_mut());
    section.acts.iter_mut().chain(of_entries)
}

/// The proposals over a version that is no longer in force: later edits are missing in them.
fn proposed_over_older(view: &mut View<'_, '_, '_>, found: &[Configuration]) -> acts::Result<Vec<RecordId>> {
    let mut older = Vec::new();
    for row in found.iter().filter(|row| row.state == ConfigurationState::Proposed) {
        let now = configurations::in_force(view.cx, row.kind)?;
        if row.before.as_ref().is_some_and(|before| *before != now) {
            older.push(row.id.clone());
        }
    }
    Ok(older)
}

fn entries(
    view: &View<'_, '_, '_>,
    found: &[Configuration],
    (older, told): (&[RecordId], &BTreeMap<String, Vec<String>>),
) -> Vec<Entry> {
    let shown = |row: &Configuration| {
        let entry = entry(view, row, told.get(&row.id.0).map_or(&[], Vec::as_slice));
        if !older.contains(&row.id) {
            return entry;
        }
        entry.aside("Another version came into force since; putting this one in force replaces it.")
    };
    found.iter().map(shown).collect()
}

fn entry(view: &View<'_, '_, '_>, row: &Configuration, told: &[String]) -> Entry {
    let what = match row.kind {
        ConfigurationKind::Policies => "policies",
        ConfigurationKind::RiskTable => "a risk table",
        ConfigurationKind::Mapping => "a mapping",
        ConfigurationKind::Ownership => "rows of the ownership matrix",
        ConfigurationKind::SlaTable => "times to acknowledge and to decide",
        ConfigurationKind::WatchTable => "watch windows",
        ConfigurationKind::MajorSeverity => "the severity of major incidents",
        ConfigurationKind::Retention => "a retention",
    };
    let tone = match row.state {
        ConfigurationState::Active => Tone::Ok,
        ConfigurationState::Proposed => Tone::Wait,
        ConfigurationState::Replaced | ConfigurationState::Withdrawn => Tone::Plain,
    };
    let state = match row.state {
        ConfigurationState::Active => "in force",
        ConfigurationState::Proposed => "waits for a second person or an approved change",
        ConfigurationState::Replaced => "replaced",
        ConfigurationState::Withdrawn => "withdrawn",
    };
    let text = Rich::new()
        .append(view.person(&row.proposer))
        .text(format!(" proposed {what}: {state}"));
    let mut entry = Entry::new(tone, text)
        .quote(row.reason.clone())
        .why(content_of(row, told).code(row.digest.as_str()))
        .aside(Rich::new().text(view.reader.moment(row.proposed_at)));
    if let (Some(by), Some(at)) = (&row.activated_by, row.activated_at) {
        let text = format!("{} put it in force, {}", view.name(by), view.reader.moment(at));
        entry = entry.aside(Rich::new().text(text));
    }
    if let Some(hand) = &row.activation_handed_by {
        let text = format!("with a credential from {}", view.name(hand));
        entry = entry.aside(Rich::new().text(text));
    }
    if row.state != ConfigurationState::Proposed || !view.may(actions::SET_POLICY) {
        return entry;
    }
    let activate = ActForm::new(
        "activate",
        "Put it in force",
        view.url(&format!("/policies/{}/activation", row.id)),
    )
    .field(pick_field(view, "changes", "change", "Approved change").hint(
        "Required if you proposed it yourself. One of the change's targets must have this digest as its artifact.",
    ))
    .submit("Put it in force");
    let withdraw = ActForm::new(
        "withdraw",
        "Withdraw",
        view.url(&format!("/policies/{}/withdrawal", row.id)),
    )
    .tone(ActTone::Link);
    entry.act(row.id.0.clone(), activate).act(row.id.0.clone(), withdraw)
}

/// Every rule in force, in its approved text.
pub(super) fn rules(view: &View<'_, '_, '_>) -> Section {
    let rows = view.policies.sources().map(|source| {
        vec![
            Cell::title(source.reason.as_str(), ""),
            Cell::Text(Rich::new().code(source.id.as_str())),
        ]
    });
    let table = Table {
        caption: "The rules in force".to_owned(),
        columns: vec![Column::new("Rule", Fold::Never), Column::new("Name", Fold::Under)],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("rules", "Rules", SectionBody::Table(table))
}

/// Pages beside the risk table.
fn further(view: &View<'_, '_, '_>) -> Rich {
    Rich::new()
        .link("Forecasts of failure", view.url("/failure-models"))
        .text(" ")
        .link("Probes of checklists", view.url("/probes"))
        .text(" ")
        .link("Monitors", view.url("/monitors"))
        .text(" ")
        .link("Objectives", view.url("/objectives"))
        .text(" ")
        .link("Quarterly adjustments", view.url("/risk-adjustments"))
}

fn risk_section(view: &View<'_, '_, '_>) -> Section {
    let tenant = view.directory.tenant.as_ref();
    let table = tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default();
    let picture = Box::new(matrix_section::table_picture(view, &table));
    let title = "Risk by highest impact (rows) and complexity (columns)";
    let body = SectionBody::RiskTable(picture, risk_table(&table));
    Section::new("risk-table", title, body).note(further(view))
}

fn sla_section(view: &View<'_, '_, '_>) -> Section {
    let tenant = view.directory.tenant.as_ref();
    let slas = tenant.map(|tenant| tenant.sla_table).unwrap_or_default();
    let section = Section::new(
        "sla-table",
        "Times to acknowledge and to decide, unless a rule sets others",
        SectionBody::Table(sla_table(&slas)),
    );
    if view.may(actions::SET_POLICY) {
        section.acts(vec![sla_form(view, &slas)])
    } else {
        section
    }
}

/// The content of a configuration as text, each item on a line of its own, where its table is not on the page; `ownership` is
/// the text of an ownership proposal.
fn content_of(row: &Configuration, ownership: &[String]) -> Rich {
    let told = match row.kind {
        ConfigurationKind::Ownership => ownership.to_vec(),
        ConfigurationKind::SlaTable => row.slas.iter().map(sla_text).collect(),
        ConfigurationKind::WatchTable => row.watches.iter().map(watch_windows::table_text).collect(),
        ConfigurationKind::MajorSeverity => row.major_severity.map(bound_text).into_iter().collect(),
        ConfigurationKind::Retention => row.retention.map(retention::retention_lines).unwrap_or_default(),
        _ => Vec::new(),
    };
    let lines = told.into_iter();
    lines.fold(Rich::new(), |rich, line| rich.text(line).line())
}

fn bound_text(bound: i64) -> String {
    match bound {
        0 => "No incident is major.".to_owned(),
        1 => "Incidents of severity 1 are major.".to_owned(),
        _ => format!("Incidents of severity 1 to {bound} are major."),
    }
}

fn sla_text(table: &SlaTable) -> String {
    let row = |name: &&str| {
        let row = table.named(name)?;
        let (acknowledge, decide) = (span_text(row.acknowledge), span_text(row.decide));
        Some(format!("{name}: {acknowledge} and {decide}"))
    };
    sla::ROWS.iter().filter_map(row).collect::<Vec<_>>().join("; ")
}

pub(super) fn sla_table(table: &SlaTable) -> Table {
    let row = |name: &&str| {
        let row = table.named(name)?;
        Some(vec![
            Cell::Name(sla_label(name).to_owned()),
            Cell::text(span_for_people(row.acknowledge)),
            Cell::text(span_for_people(row.decide)),
        ])
    };
    Table {
        caption: "How long people have to acknowledge and to decide".to_owned(),
        columns: vec![
            Column::new("Changes", Fold::Never),
            Column::new("Acknowledge", Fold::Under).named(),
            Column::new("Decide", Fold::Under).named(),
        ],
        rows: sla::ROWS.iter().filter_map(row).collect(),
        ..Table::default()
    }
}

/// A span for people.
fn span_for_people(span: Span) -> String {
    let of = |number: i64, one: &str| match number {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    match span {
        Span::Minutes(minutes) if minutes % 60 == 0 => format!("{} h", minutes / 60),
        Span::Minutes(minutes) => format!("{minutes} min"),
        Span::WorkMinutes(minutes) => of((minutes / 60).max(1), "working hour"),
        Span::WorkDays(days) => of(days, "working day"),
    }
}

fn sla_label(name: &str) -> &'static str {
    match name {
        "emergency" => "Emergency",
        "expedited" => "Expedited",
        "high" => "High risk",
        "medium" => "Medium risk",
        _ => "Low risk",
    }
}

/// Other times, proposed.
fn sla_form(view: &View<'_, '_, '_>, table: &SlaTable) -> ActForm {
    let url = view.url("/policies/sla-table/proposal");
    let mut form = ActForm::new("slas", "Propose other times", url).field(idempotent_form::field(view));
    for name in sla::ROWS {
        let Some(row) = table.named(name) else { continue };
        for (field, label, span) in [
            ("acknowledge", "acknowledge", row.acknowledge),
            ("decide", "decide", row.decide),
        ] {
            let label = format!("{}: {label}", sla_label(name));
            let field = Field::text(format!("table.{name}.{field}"), label)
                .value(span_text(span))
                .half();
            form = form.field(field);
        }
    }
    form.field(
        Field::text("reason", "Why")
            .hint("15m, 4h, 2d of calendar time; 4bh, 2bd of working time. Another person puts it in force.")
            .required(),
    )
    .submit("Propose")
}

fn mapping_section(view: &View<'_, '_, '_>) -> Section {
    Section::new(
        "mapping",
        "From deployments to kinds of change: the first matching rule applies",
        SectionBody::Entries(mapping(view)),
    )
    .unsaid("No rule: every deployment without a change creates a draft of a normal change.")
}

fn mapping(view: &View<'_, '_, '_>) -> Vec<Entry> {
    let rules = view.directory.tenant.iter().flat_map(|tenant| &tenant.mapping);
    let entry = |rule: &model::policy::mapping::MappingRule| {
        let template = rule
            .template
            .as_ref()
            .map(|key| format!(" by {key}"))
            .unwrap_or_default();
        Entry::new(
            Tone::Plain,
            Rich::from(format!("{}: {} change{template}", rule.rule, rule.kind)),
        )
        .why(Rich::from(rule.in_words()))
    };
    rules.map(entry).collect()
}

pub(super) fn risk_table(table: &RiskTable) -> Table {
    let rows = ["None", "Low", "Medium", "High"]
        .into_iter()
        .zip(&table.0)
        .map(|(impact, cells)| {
            let mut row = vec![Cell::Short(impact.to_owned())];
            row.extend(cells.iter().map(|level| Cell::Short(capital(*level))));
            row
        });
    Table {
        caption: "The risk by the highest impact and the complexity".to_owned(),
        columns: vec![
            Column::new("Impact", Fold::Never),
            Column::new("Low", Fold::Never),
            Column::new("Medium", Fold::Never),
            Column::new("High", Fold::Never),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

fn capital(level: Level) -> String {
    words::capital(level.as_str())
}

/// Proposes another value for a parameter.
pub(crate) async fn propose_parameter(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/policy-parameters".to_owned();
    let sent = sent(form, path, "/policies".to_owned(), Place::Policies);
    let run = |cx: &mut Context<'_, '_>, body: &Body| propose_parameters(cx, &parameters::gather(body)).map(drop);
    send(&state, &visitor, sent, run, policies_page).await
}

/// Puts a proposal in force, or withdraws it.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let sent = Sent {
        path: format!("/policies/{}/{}", escaped(&id), escaped(&act)),
        form,
        boxes: &[],
        then: "/policies".to_owned(),
        place: Place::Policies,
        done: "",
    };
    let run = move |cx: &mut Context<'_, '_>, body: &Body| match act.as_str() {
        "proposal" if id == "retention" => retention::propose(cx, body.clone()),
        "proposal" if id == "watch-table" => watch_windows::propose(cx, body),
        "proposal" if id == "sla-table" => set_sla_table::propose_sla_table(cx, body).map(drop),
        "activation" => activate_configuration::activate_configuration(cx, &id, body).map(drop),
        "withdrawal" => activate_configuration::withdraw_configuration(cx, &id).map(drop),
        _ => Err(refusal::Refusal::not_found("page").into()),
    };
    send(&state, &visitor, sent, run, policies_page).await
}
