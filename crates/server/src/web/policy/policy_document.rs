//! The change management policy as a document to print: a version that two people approved, its rules as text, the tables that
//! they rest on, and the IT control that each of them enforces.

use std::collections::BTreeSet;

use acts::audit::find_timeline::{ShownEvent, find_history};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use model::approval::sla::SlaTable;
use model::compliance::framework::{Control, FRAMEWORKS, Framework};
use model::core::act::actions;
use model::core::enums::{ConfigurationKind, ConfigurationState};
use model::core::ids::PersonId;
use model::policy::configuration::Configuration;
use model::risk::assessment::RiskTable;
use pages::{Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table};
use store::record::{self, Filter};

use crate::http::state::AppState;
use crate::web::policy::policies::{risk_table, rules, sla_table};
use crate::web::policy::watch_windows;
use crate::web::shared::view::{View, Visitor, show};

/// The parts of the document: each new configuration of these kinds makes a new version of it.
const KINDS: [ConfigurationKind; 4] = [
    ConfigurationKind::Policies,
    ConfigurationKind::RiskTable,
    ConfigurationKind::SlaTable,
    ConfigurationKind::WatchTable,
];
/// How many of the latest versions are listed one by one.
const VERSIONS: usize = 20;
/// How many configurations are read: more than an organisation approves in years.
const READ: i64 = 500;

/// The document.
pub(crate) async fn show_document(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Policies, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let approved = versions_so_far(view)?;
    let tenant = view.directory.tenant.clone();
    let organisation = tenant.as_ref().map(|it| it.name.clone()).unwrap_or_default();
    let risks: RiskTable = tenant.as_ref().map(|it| it.risk_table.clone()).unwrap_or_default();
    let slas: SlaTable = tenant.as_ref().map(|it| it.sla_table).unwrap_or_default();
    let mut sections = vec![
        Section::new(
            "purpose",
            "Purpose and scope",
            SectionBody::Words(purpose(&organisation)),
        ),
        rules(view).note(Rich::new().link("their texts", view.url("/policies"))),
        Section::new(
            "risk-table",
            "Risk by highest impact (rows) and complexity (columns)",
            SectionBody::Table(risk_table(&risks)),
        ),
        Section::new(
            "sla-table",
            "Times to acknowledge and to decide, unless a rule sets others",
            SectionBody::Table(sla_table(&slas)),
        ),
        Section {
            acts: Vec::new(),
            ..watch_windows::section(view)
        },
    ];
    sections.extend(FRAMEWORKS.iter().map(|framework| controls(view, framework)));
    sections.push(versions(view, &approved));
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Policies".to_owned(), view.url("/policies"))],
        title: "Change management policy".to_owned(),
        byline: Rich::from(format!("Version {} of ", approved.len() + 1)).said(organisation),
        sections,
        facts: approval(view, &approved),
        is_facts_first: true,
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// A version: a configuration that went in force or was restored, according to the log.
struct Version {
    at: Timestamp,
    by: PersonId,
    /// The configuration; for a return to the defaults of Assent, the removed one.
    about: Configuration,
    /// The approved change that replaced a second person's approval, with its approvers.
    change: Option<(String, Vec<PersonId>)>,
    /// Whether it was restored on the host, which needs no approval.
    is_recovered: bool,
    /// Whether the version in force since then is the default of Assent.
    is_shipped: bool,
}

/// The configurations that went in force so far, the newest first. The defaults of Assent are the version before the first of
/// them.
fn versions_so_far(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Version>> {
    let filter = Filter::new()
        .one_of("kind", KINDS.map(|kind| kind.as_str()))
        .descending_by("proposed_at")
        .limit(READ);
    let mut found = Vec::new();
    for stored in record::find::<Configuration>(view.cx.tx, &filter)? {
        let about = stored.record;
        if !matches!(about.state, ConfigurationState::Active | ConfigurationState::Replaced) {
            continue;
        }
        for told in find_history::<Configuration>(view.cx, about.id.as_str())? {
            let is_recovered = told.kind == "policies.recovered";
            if is_recovered || told.kind.ends_with(".activated") {
                found.push(version(view, about.clone(), &told, is_recovered)?);
            }
        }
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.at));
    Ok(found)
}

fn version(
    view: &mut View<'_, '_, '_>,
    about: Configuration,
    told: &ShownEvent,
    is_recovered: bool,
) -> acts::Result<Version> {
    let text = |name: &str| told.data.get(name).and_then(serde_json::Value::as_str);
    let is_shipped = is_recovered && text("after") != Some(about.digest.as_str());
    let change = match text("change").filter(|_| !is_recovered) {
        Some(key) => Some((key.to_owned(), approvers(view, key)?)),
        None => None,
    };
    Ok(Version {
        at: told.at,
        by: told.actor.clone(),
        about,
        change,
        is_recovered,
        is_shipped,
    })
}

/// The approvers of a change; nobody where the reader may not see the change.
fn approvers(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<Vec<PersonId>> {
    let file = match view.cx.file(key) {
        Ok(file) => file,
        Err(acts::Error::Refused(_)) => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let yes = file.standing().filter(|approval| approval.is_yes());
    Ok(yes.map(|approval| approval.person.clone()).collect())
}

/// The approvers of a version, or the replacement for their approval.
fn approved_by(view: &View<'_, '_, '_>, version: &Version) -> Rich {
    if version.is_recovered {
        return Rich::from("restored on the host by ").append(view.person(&version.by));
    }
    let Some((key, people)) = &version.change else {
        return view.person(&version.by);
    };
    let mut rich = Rich::new().link(key.as_str(), view.change_url(key));
    for (place, person) in people.iter().enumerate() {
        rich = rich
            .text(if place == 0 { " · " } else { ", " })
            .append(view.person(person));
    }
    rich
}

fn purpose(organisation: &str) -> Rich {
    Rich::from("This policy applies to every change of ").said(organisation).text(
        " to the services in Assent. The rules below are enforced: the gate, the approvals and the lifecycle follow them, and \
         every decision records the digest of its rules. No person can change them alone; a second person or an approved \
         change puts a new version in force.",
    )
}

/// The approvers of the version in force, and the time.
fn approval(view: &View<'_, '_, '_>, approved: &[Version]) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Version", (approved.len() + 1).to_string())];
    match approved.first() {
        Some(latest) => {
            facts.push(Fact::new("In force since", view.moment(latest.at)));
            if !latest.is_shipped {
                facts.push(Fact::people("Proposed by", vec![view.named(&latest.about.proposer)]));
            }
            facts.push(Fact::new("Approved by", approved_by(view, latest)));
        }
        None => facts.push(Fact::new("Approved by", "nobody here yet; supplied with Assent")),
    }
    facts.push(Fact::new(
        "Digest of the rules",
        Rich::new().digest(view.policies.digest()),
    ));
    facts
}

/// Names to copy, one after another.
fn codes(ids: impl Iterator<Item = &'static str>) -> Rich {
    ids.enumerate().fold(Rich::new(), |rich, (place, id)| {
        let rich = if place == 0 { rich } else { rich.text(", ") };
        rich.code(id)
    })
}

/// The control that each rule enforces, and its tests, clause by clause.
fn controls(view: &View<'_, '_, '_>, framework: &'static Framework) -> Section {
    let in_force: BTreeSet<&str> = view.policies.sources().map(|source| source.id.as_str()).collect();
    let row = |control: &Control| {
        let rules = codes(control.policies.iter().copied().filter(|id| in_force.contains(id)));
        let rules = match rules.is_empty() {
            true => Rich::new().late("no rule in force"),
            false => rules,
        };
        vec![
            Cell::Title {
                text: control.objective.to_owned(),
                href: String::new(),
                key: control.id.to_owned(),
                marks: Vec::new(),
                sub: Rich::new().said(control.clause),
            },
            Cell::said(control.enforcement),
            Cell::Text(rules),
            Cell::Text(codes(control.rules.iter().copied())),
        ]
    };
    let table = Table {
        caption: "Controls, with the rules that enforce them and what tests them".to_owned(),
        columns: vec![
            Column::new("Control", Fold::Never),
            Column::new("How it is enforced", Fold::Under),
            Column::new("Rules in force", Fold::Under),
            Column::new("Tested by", Fold::Under),
        ],
        rows: framework.controls.iter().map(row).collect(),
        ..Table::default()
    };
    let section = Section::new(
        format!("map-{}", framework.id),
        "Map to controls:",
        SectionBody::Table(table),
    );
    let report = view.url("/audit/reports");
    section
        .named(framework.title)
        .note(Rich::new().link("tested against the log", report))
}

/// The versions so far, the newest first, each with its proposer and its approvers.
fn versions(view: &View<'_, '_, '_>, approved: &[Version]) -> Section {
    let rows = approved.iter().enumerate().take(VERSIONS).map(|(place, it)| {
        let (why, proposer) = match it.is_shipped {
            true => (Cell::text("back to the rules that come with Assent"), Rich::new()),
            false => (Cell::said(it.about.reason.as_str()), view.person(&it.about.proposer)),
        };
        vec![
            Cell::Name((approved.len() - place + 1).to_string()),
            Cell::text(what(it.about.kind)),
            why,
            Cell::Text(proposer),
            Cell::Text(approved_by(view, it)),
            Cell::Text(view.moment(it.at)),
        ]
    });
    let table = Table {
        caption: "The versions so far, the newest first".to_owned(),
        columns: vec![
            Column::new("Version", Fold::Never),
            Column::new("What", Fold::Under),
            Column::new("Why", Fold::Under),
            Column::new("Proposed by", Fold::Under),
            Column::new("Approved by", Fold::Under),
            Column::new("In force since", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let unsaid = "Version 1 comes with Assent; nothing was changed since.";
    Section::new("versions", "Versions", SectionBody::Table(table)).unsaid(unsaid)
}

/// The content that a version changed.
fn what(kind: ConfigurationKind) -> &'static str {
    match kind {
        ConfigurationKind::RiskTable => "Risk table",
        ConfigurationKind::SlaTable => "Times to decide",
        ConfigurationKind::WatchTable => "Watch windows",
        _ => "Rules",
    }
}
