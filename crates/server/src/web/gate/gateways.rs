//! The page about gateways: findings, deployments and changes without a match, refused questions, how long was waited.

use acts::gate::{coverage, gate_waits};
use axum::extract::State;
use axum::response::Response;
use jiff::SignedDuration;
use model::core::act;
use model::gate::coverage::{SILENT_DAYS, findings};
use pages::{ActForm, Cell, Column, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count};
use store::gate::gate_use;

use crate::http::state::AppState;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// How many refused questions are shown.
const REFUSED: i64 = 100;

/// What is amiss around the gateways.
pub(crate) async fn gateways(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Gateways, page).await
}

/// A row: where, what, why, who answers, when.
type Row = Vec<Cell>;

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(act::actions::AUDIT)?;
    let sections = vec![
        section(
            ("unmatched", "Deployments and changes without a match"),
            "A deployment without an approved change, or a change that says it was deployed where nothing was. Ask who answers.",
            &["Where", "What", "Why", "Who answers", "When"],
            unmatched(view)?,
            "Each deployment met its change, and each change its deployment.",
        ),
        section(
            ("amiss", "Where nothing watches"),
            "Production services whose deployments pass no gate, or of which nobody tells. Connect what is missing.",
            &["Where", "What", "Why", "Who answers"],
            amiss(view)?,
            "Every production service has a source and a gate that were heard of lately.",
        ),
        section(
            ("refused", "Questions that were refused"),
            "A gateway asked what this server could not answer: mostly a wrong token, name or address on its side.",
            &["Where", "What", "Why", "When"],
            refused(view)?,
            "Every question could be answered.",
        ),
        section(
            ("waits", "How long pipelines waited"),
            "From the question to the answer, by what it waited for. Long waits for people are a matter of approvals, not of gates.",
            &["Where", "What", "Pipeline"],
            waits(view)?,
            "No pipeline waited lately.",
        ),
    ];
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Gateways".to_owned(),
        byline: Rich::from(
            "Whether every deployment passes a gate and is told of, what was refused, and how long pipelines waited.",
        )
        .line()
        .link("Drift", view.url("/drift")),
        sections,
        acts: vec![
            ActForm::link("Emergency cards", view.url("/emergency-cards")),
            ActForm::link("Work without the server", view.url("/emergency-uses")),
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

fn unmatched(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Row>> {
    let from = view.cx.now - SignedDuration::from_hours(24 * SILENT_DAYS);
    let found = coverage::unmatched(view.cx, from)?;
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
    Ok(rows.collect())
}

fn amiss(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Row>> {
    let now = view.cx.now;
    let mut rows = Vec::new();
    for watched in coverage::watched(view.cx)? {
        for finding in findings(&watched, SILENT_DAYS, now) {
            rows.push(vec![
                Cell::title(format!("{}, {}", watched.service, watched.environment), ""),
                Cell::Mark(Tone::Wait.mark(capital(&plain(&finding.code)))),
                Cell::Text(view.sentence(&format!("{} {}", finding.text, finding.satisfy))),
                Cell::Text(view.all_waits_on(&finding.waiting_on)),
            ]);
        }
    }
    Ok(rows)
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

fn waits(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Row>> {
    let from = view.cx.now - SignedDuration::from_hours(24 * SILENT_DAYS);
    let rows = gate_waits::gate_waits(view.cx, from)?.into_iter().map(|row| {
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
    Ok(rows.collect())
}
