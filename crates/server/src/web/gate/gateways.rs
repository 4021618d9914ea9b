//! The page about gateways: findings, deployments and changes without a match, refused questions, how long was waited.

use acts::gate::coverage;
use acts::gate::gate_waits::{self, Budget};
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::SignedDuration;
use model::core::act;
use model::core::unmet::Unmet;
use model::gate::coverage::{SILENT_DAYS, Unmatched, findings};
use pages::{ActForm, Cell, Column, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count};
use store::gate::gate_use;

use crate::http::state::AppState;
use crate::web::shared::fields::service_filter;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// How many refused questions are shown.
const REFUSED: i64 = 100;
/// How many rows of the other lists are shown.
const MOST: usize = 100;

/// Problems around the gateways.
pub(crate) async fn gateways(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Gateways, move |view| page(view, &words)).await
}

/// A row: place, problem, reason, responsible people, time.
type Row = Vec<Cell>;

fn page(view: &mut View<'_, '_, '_>, words: &ListQuery) -> acts::Result<String> {
    view.cx.allow(act::actions::AUDIT)?;
    let from = view.cx.now - SignedDuration::from_hours(24 * SILENT_DAYS);
    let (unmatched, all_unmatched) = cut(coverage::unmatched(view.cx, from)?);
    let (waits, all_waits) = cut(gate_waits::gate_waits(view.cx, from)?);
    let (amiss, shown) = words.cut(amiss(view, words)?);
    let url = view.url("/gateways");
    let mut ways = vec![words.question(url.clone(), vec![service_filter(view, words.service())])];
    ways.extend(words.page_acts(&url, &shown));
    let sections = vec![
        section(
            ("unmatched", "Deployments and changes without a match"),
            "A deployment without an approved change, or a change recorded as deployed without a deployment. Contact the \
             person responsible.",
            &["Where", "What", "Why", "Responsible", "When"],
            unmatched_rows(view, unmatched),
            "Every deployment has its change, and every change its deployment.",
        )
        .note(note(all_unmatched, "/api/v1/completeness")),
        section(
            ("amiss", "Without a gate or a source"),
            "Production services whose deployments pass no gate or are not reported. Connect what is missing.",
            &["Where", "What", "Why", "Responsible"],
            amiss_rows(view, &amiss),
            match words.narrows() {
                true => "No entries match the filter",
                false => "Every production service has a source and a gate with recent signals.",
            },
        )
        .note(shown.count.as_str())
        .acts(ways),
        section(
            ("refused", "Refused requests"),
            "Requests of gateways that this server could not answer, mostly because of a wrong token, name or address.",
            &["Where", "What", "Why", "When"],
            refused(view)?,
            "No request was refused.",
        ),
        section(
            ("waits", "How long pipelines waited"),
            "Time from request to decision, by cause of the wait. Long waits for people point to approvals, not to gates.",
            &["Where", "What", "Pipeline"],
            wait_rows(waits),
            "No pipeline has waited recently.",
        )
        .note(note(all_waits, "/api/v1/gate-waits")),
    ];
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Gateways".to_owned(),
        byline: Rich::from(
            "Deployments without a gate, a change or a report, refused requests, and waiting times of pipelines.",
        )
        .line()
        .link("Drift", view.url("/drift")),
        sections,
        acts: vec![
            ActForm::link("Emergency cards", view.url("/emergency-cards")),
            ActForm::link("Offline work", view.url("/emergency-uses")),
        ],
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn section((id, title): (&str, &str), means: &str, columns: &[&'static str], rows: Vec<Row>, none: &str) -> Section {
    let note = match rows.len() {
        0 => String::new(),
        many => count(many as u64),
    };
    let column = |(place, words): (usize, &&'static str)| match place {
        0 => Column::new(words, Fold::Never),
        _ => Column::new(words, Fold::Under),
    };
    let table = Table {
        caption: title.to_owned(),
        columns: columns.iter().enumerate().map(column).collect(),
        rows,
        ..Table::default()
    };
    Section::new(id, title, SectionBody::Table(table))
        .lede(means)
        .note(note)
        .unsaid(none)
}

/// The first rows, and how many there are.
fn cut<R>(mut rows: Vec<R>) -> (Vec<R>, usize) {
    let all = rows.len();
    rows.truncate(MOST);
    (rows, all)
}

/// How many there are; where not all are shown, the way to them.
fn note(all: usize, href: &str) -> Rich {
    match all {
        0 => Rich::new(),
        _ if all <= MOST => Rich::from(count(all as u64)),
        _ => Rich::from(format!("the first {MOST} of {}", count(all as u64)))
            .text(" · ")
            .link("All as JSON", href),
    }
}

fn unmatched_rows(view: &View<'_, '_, '_>, found: Vec<Unmatched>) -> Vec<Row> {
    let rows = found.into_iter().map(|row| {
        let word = match row.code {
            "deployment_without_change" if row.backdated => "No change, backdated",
            "deployment_without_change" => "No change",
            _ => "No deployment",
        };
        vec![
            Cell::title(format!("{}, {}", row.service, row.environment), ""),
            Cell::Mark(Tone::Stop.mark(word)),
            Cell::Text(Rich::from(row.text)),
            Cell::said(row.owners.join(", ")),
            Cell::Short(view.reader.moment(row.since)),
        ]
    });
    rows.collect()
}

/// The problems of the selected services, by place.
fn amiss(view: &mut View<'_, '_, '_>, words: &ListQuery) -> acts::Result<Vec<(String, Unmet)>> {
    let now = view.cx.now;
    let asked = words.service();
    let mut found = Vec::new();
    for watched in coverage::watched(view.cx)? {
        let is_of = asked.is_empty() || watched.service == asked;
        if is_of && words.fit(&[watched.service.as_str(), watched.environment.as_str()]) {
            let place = format!("{}, {}", watched.service, watched.environment);
            let its = findings(&watched, SILENT_DAYS, now).into_iter();
            found.extend(its.map(|finding| (place.clone(), finding)));
        }
    }
    Ok(found)
}

fn amiss_rows(view: &View<'_, '_, '_>, found: &[(String, Unmet)]) -> Vec<Row> {
    let rows = found.iter().map(|(place, finding)| {
        vec![
            Cell::title(place.as_str(), ""),
            Cell::Mark(Tone::Wait.mark(capital(&plain(&finding.code)))),
            Cell::Text(view.sentence(&format!("{} {}", finding.text, finding.satisfy))),
            Cell::Text(view.all_waits_on(&finding.waiting_on)),
        ]
    });
    rows.collect()
}

fn refused(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Row>> {
    let found = gate_use::refused(view.cx.tx, REFUSED)?;
    let rows = found.into_iter().map(|row| {
        let place = match row.service.is_empty() {
            true => row.door,
            false => format!("{}, {}", row.service, row.environment),
        };
        let why = Rich::new()
            .code(&row.code)
            .text(format!(" {} ", row.text))
            .code(&row.subject);
        vec![
            Cell::title(place, ""),
            Cell::Mark(Tone::Plain.mark(format!("Refused {} times", count(row.asked.unsigned_abs())))),
            Cell::Text(why),
            Cell::Short(view.reader.moment(row.last_at)),
        ]
    });
    Ok(rows.collect())
}

fn wait_rows(found: Vec<Budget>) -> Vec<Row> {
    let rows = found.into_iter().map(|row| {
        let seconds = |ms: i64| format!("{} s", count((ms.unsigned_abs() + 500) / 1_000));
        let told = format!(
            "{} by {}. 95 of 100 waited no longer than {} for people, {} in the queue, {} for the decision.",
            match row.checks {
                1 => "One check".to_owned(),
                many => format!("{} checks", count(many as u64)),
            },
            row.pipeline,
            seconds(row.people.p95),
            seconds(row.queue.p95),
            seconds(row.decision.p95),
        );
        vec![
            Cell::title(format!("{}, {}", row.service, row.environment), ""),
            Cell::text(told),
            Cell::said(row.pipeline),
        ]
    });
    rows.collect()
}
