//! The comparison of runs with approvals, as a page and as CSV.

use acts::compliance::reconcile_runs::{Wanted as ReportSpan, reconcile_runs};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use model::compliance::permit_check::PermitFinding;
use model::compliance::reconciliation::{
    Could, Listed, MOST_ROWS, NotSeen, Ran, Reconciliation, ServiceFigures, Silent,
};
use model::compliance::run_trail::Held;
use pages::{ActForm, ActTone, Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::change_query::Wanted;
use crate::web::change::export::csv_line;
use crate::web::compliance::control_reports;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::view::{View, Visitor, problem, read_file, show};

/// The address of the page below the tenant's.
const HERE: &str = "/audit/reconciliation";
/// The most rights of a person that the page shows; the API has more.
const MOST_HELD: usize = 20;

fn read_query(view: &View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<ReportSpan> {
    let said = control_reports::read_query(view, wanted)?;
    let service = wanted.get("service").map(str::trim).filter(|key| !key.is_empty());
    Ok(ReportSpan {
        from: said.from,
        to: said.to,
        size: said.size,
        service: service.map(str::to_owned),
    })
}

/// The page.
pub(crate) async fn show_page(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    show(&state, &visitor, Place::AuditLog, move |view| {
        let asked = read_query(view, &wanted)?;
        let found = reconcile_runs(view.cx, &asked)?;
        Ok(page(view, &asked, &found).render())
    })
    .await
}

/// Every finding as CSV (RFC 4180).
pub(crate) async fn csv(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    let act = move |cx: &mut acts::Context<'_, '_>| {
        let view = View::open(cx, Place::AuditLog)?;
        let asked = read_query(&view, &wanted)?;
        reconcile_runs(view.cx, &asked)
    };
    match read_file(&state, &visitor, act).await {
        Ok(found) => {
            let rows = found.rows();
            let heads = csv_line(Reconciliation::HEADS.into_iter());
            let lines = rows.iter().map(|row| csv_line(row.iter().map(String::as_str)));
            let body: String = std::iter::once(heads).chain(lines).collect();
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"reconciliation.csv\"",
                ),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, body).into_response()
        }
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}{HERE}", visitor.base())).await,
    }
}

fn page(view: &View<'_, '_, '_>, asked: &ReportSpan, found: &Reconciliation) -> RecordPage {
    let mut query = format!(
        "from={}&to={}",
        escaped(&found.from.to_string()),
        escaped(&found.to.to_string())
    );
    if let Some(service) = &asked.service {
        query.push_str(&format!("&service={}", escaped(service)));
    }
    let byline = format!("{} findings in the span.", count(found.findings()));
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: "Reconciliation".to_owned(),
        byline: Rich::from(byline),
        acts: vec![
            span_form(view, asked, found),
            ActForm::link("Findings as CSV", view.url(&format!("{HERE}.csv?{query}"))).tone(ActTone::Quiet),
        ],
        facts: vec![
            Fact::new("From", Rich::from(view.reader.moment(found.from))),
            Fact::new("To", Rich::from(view.reader.moment(found.to))),
            Fact::new("Size of the log", Rich::from(count(found.log.size))),
            Fact::new("Root", Rich::new().code(found.log.root.as_str())),
        ],
        sections: vec![
            services(view, found),
            ran(view, ("not-approved", "Ran without an approval"), &found.not_approved),
            not_seen(view, &found.not_seen),
            permits(view, &found.permits),
            ran(
                view,
                (
                    "not-staged",
                    "Deployed to production without another environment before",
                ),
                &found.not_staged,
            ),
            silent(view, &found.silent),
            administration(found),
            people(view, &found.people),
            erased(found),
        ],
        ..RecordPage::default()
    }
}

fn span_form(view: &View<'_, '_, '_>, asked: &ReportSpan, found: &Reconciliation) -> ActForm {
    let moment = |name, label, at| time_field(view, name, label).value(view.reader.field(at));
    ActForm::new("span", "Choose the span", view.url(HERE))
        .question()
        .field(moment("from", "From", found.from))
        .field(moment("to", "To", found.to))
        .field(pick_field(view, "services", "service", "Service").value(asked.service.clone().unwrap_or_default()))
        .submit("Show")
}

fn moment(view: &View<'_, '_, '_>, at: Option<Timestamp>) -> Cell {
    Cell::Short(at.map(|at| view.reader.moment(at)).unwrap_or_default())
}

/// A table of findings, with how many there are in all.
fn listed<T>(
    (id, title): (&'static str, &'static str),
    columns: &[&'static str],
    rows: &Listed<T>,
    row: impl Fn(&T) -> Vec<Cell>,
) -> Section {
    let columns = columns
        .iter()
        .enumerate()
        .map(|(place, name)| Column::new(name, if place == 0 { Fold::Never } else { Fold::Under }));
    let table = Table {
        caption: title.to_owned(),
        columns: columns.collect(),
        rows: rows.rows.iter().map(row).collect(),
        ..Table::default()
    };
    let section = Section::new(id, title, SectionBody::Table(table));
    if rows.count > MOST_ROWS as u64 {
        return section.lede(format!(
            "The first {} of {}.",
            count(MOST_ROWS as u64),
            count(rows.count)
        ));
    }
    section
        .lede(format!("{} in the span.", count(rows.count)))
        .unsaid("None in the span.")
}

fn change(view: &View<'_, '_, '_>, key: Option<&str>) -> Cell {
    match key.filter(|key| !key.is_empty()) {
        Some(key) => Cell::Text(Rich::new().said_link(key, view.change_url(key))),
        None => Cell::Short(String::new()),
    }
}

fn services(view: &View<'_, '_, '_>, found: &Reconciliation) -> Section {
    let number = |number: u64| Cell::Short(count(number));
    let of = |part: u64, whole: u64| Cell::Short(format!("{} / {}", count(part), count(whole)));
    let row = |it: &ServiceFigures| {
        vec![
            Cell::said(it.service.as_str()),
            Cell::said(it.environment.as_str()),
            of(it.approved, it.deployments),
            of(it.permitted, it.deployments),
            of(it.changes_seen, it.changes),
            number(it.gate_asked),
            number(it.gate_refused),
            number(it.running),
            of(it.drift_open, it.drift),
            moment(view, it.last_signal_at),
        ]
    };
    let table = Table {
        caption: "Services".to_owned(),
        columns: vec![
            Column::new("Service", Fold::Never),
            Column::new("Environment", Fold::Under),
            Column::new("Deployments approved", Fold::Under).number(),
            Column::new("Deployments with a permit", Fold::Under).number(),
            Column::new("Changes seen", Fold::Under).number(),
            Column::new("Gate asked", Fold::Under).number(),
            Column::new("Gate refused", Fold::Under).number(),
            Column::new("Builds", Fold::Under).number(),
            Column::new("Drift open", Fold::Under).number(),
            Column::new("Last report", Fold::Under),
        ],
        rows: found.services.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("services", "Services", SectionBody::Table(table))
        .lede("Deployments compared with approvals, per service and environment.")
}

fn ran(view: &View<'_, '_, '_>, named: (&'static str, &'static str), rows: &Listed<Ran>) -> Section {
    let columns = ["What", "Service", "Environment", "Change", "At", "Why"];
    listed(named, &columns, rows, |it| {
        vec![
            Cell::said(it.what.as_str()),
            Cell::said(it.service.as_str()),
            Cell::said(it.environment.as_str()),
            change(view, it.change.as_deref()),
            moment(view, Some(it.at)),
            Cell::Short(it.why().to_owned()),
        ]
    })
}

fn not_seen(view: &View<'_, '_, '_>, rows: &Listed<NotSeen>) -> Section {
    let named = ("not-seen", "Approved, but not reported as deployed");
    listed(
        named,
        &["Change", "Service", "Environment", "State", "Work began"],
        rows,
        |it| {
            vec![
                change(view, Some(&it.change)),
                Cell::said(it.service.as_str()),
                Cell::said(it.environment.as_str()),
                Cell::Short(it.state.to_owned()),
                moment(view, it.started_at),
            ]
        },
    )
}

fn permits(view: &View<'_, '_, '_>, rows: &Listed<PermitFinding>) -> Section {
    let named = ("permits", "Permits that differ from the log");
    listed(
        named,
        &["Permit", "Kind", "Change", "At", "What was found"],
        rows,
        |it| {
            vec![
                Cell::said(it.permit.as_str()),
                Cell::Short(it.kind.as_str().to_owned()),
                change(view, Some(&it.change)),
                moment(view, it.at),
                Cell::said(it.text.as_str()),
            ]
        },
    )
}

fn silent(view: &View<'_, '_, '_>, rows: &Listed<Silent>) -> Section {
    let named = ("silent", "Services that reported nothing");
    let columns = ["Service", "Environment", "Since", "Changes in the span"];
    listed(named, &columns, rows, |it| {
        vec![
            Cell::said(it.service.as_str()),
            Cell::said(it.environment.as_str()),
            match it.since {
                Some(at) => moment(view, Some(at)),
                None => Cell::Short("never reported".to_owned()),
            },
            Cell::Short(count(it.changes)),
        ]
    })
}

fn administration(found: &Reconciliation) -> Section {
    let rows = found.administration.iter();
    let table = Table {
        caption: "Changes of Assent itself".to_owned(),
        columns: vec![
            Column::new("Event", Fold::Never),
            Column::new("Count", Fold::Under).number(),
        ],
        rows: rows
            .map(|(kind, number)| vec![Cell::said(kind.as_str()), Cell::Short(count(*number))])
            .collect(),
        ..Table::default()
    };
    Section::new("administration", "Changes of Assent itself", SectionBody::Table(table))
        .lede("People, rights, policies, keys and connections.")
}

/// A right that a person held, with its times.
fn held(view: &View<'_, '_, '_>, it: &Held) -> String {
    let until = it.until.map(|at| view.reader.absolute(at)).unwrap_or_default();
    let words = [
        it.right.clone(),
        it.of.join(", "),
        it.environment.clone().unwrap_or_default(),
    ];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{}: {} – {until}", words.join(" "), view.reader.absolute(it.from))
}

fn people(view: &View<'_, '_, '_>, rows: &Listed<Could>) -> Section {
    let named = ("people", "People with access, and what they changed");
    let columns = [
        "Person",
        "Rights",
        "Services",
        "Approved",
        "Implemented",
        "Changed Assent",
        "Rights and ownership in the span",
    ];
    listed(named, &columns, rows, |it| {
        let mut lines: Vec<String> = it.held.rows.iter().take(MOST_HELD).map(|it| held(view, it)).collect();
        if it.held.count > MOST_HELD as u64 {
            lines.push("…".to_owned());
        }
        vec![
            Cell::said(it.person.as_str()),
            Cell::said(it.roles.join(", ")),
            match it.services.is_empty() {
                true => Cell::Short("all".to_owned()),
                false => Cell::said(it.services.join(", ")),
            },
            Cell::Short(count(it.approved)),
            Cell::Short(count(it.implemented)),
            Cell::Short(count(it.administered)),
            Cell::said(lines.join("; ")),
        ]
    })
}

fn erased(found: &Reconciliation) -> Section {
    let erased = found.erased;
    let rows = [
        ("Erasures of changes", erased.changes),
        ("Texts", erased.texts),
        ("Raw bodies of deliveries", erased.deliveries),
        ("People’s data", erased.people),
    ];
    let table = Table {
        caption: "What was erased".to_owned(),
        columns: vec![
            Column::new("Kind", Fold::Never),
            Column::new("Count", Fold::Under).number(),
        ],
        rows: rows
            .into_iter()
            .map(|(label, number)| vec![Cell::text(label), Cell::Short(count(number))])
            .collect(),
        ..Table::default()
    };
    Section::new("erased", "What was erased", SectionBody::Table(table)).lede("The log keeps these counts forever.")
}
