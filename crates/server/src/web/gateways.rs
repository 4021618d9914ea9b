//! The page about gateways: findings, what has no partner, refused questions, how long was waited.

use axum::extract::State;
use axum::response::Response;
use jiff::SignedDuration;
use model::coverage::{SILENT_DAYS, findings};
use pages::{GatewayRow, Gateways, Place, Rich, Tone, count};

use super::view::{View, Visitor, show};
use super::words::{capital, plain};
use crate::state::AppState;

/// How many refused questions are shown.
const REFUSED: i64 = 100;

/// What is amiss around the gateways.
pub(super) async fn gateways(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Gateways, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.room.allow(model::act::actions::AUDIT)?;
    let mut rows = unmatched(view)?;
    rows.extend(amiss(view)?);
    rows.extend(refused(view)?);
    rows.extend(waits(view)?);
    let page = Gateways {
        frame: view.frame.clone(),
        count: format!("{} shown", count(rows.len() as u64)),
        rows,
        ..Gateways::default()
    };
    Ok(page.render())
}

fn unmatched(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<GatewayRow>> {
    let from = view.room.now - SignedDuration::from_hours(24 * SILENT_DAYS);
    let found = acts::coverage::unmatched(view.room, from)?;
    let rows = found.into_iter().map(|row| GatewayRow {
        place: format!("{}, {}", row.service, row.environment),
        word: if row.code == "deployment_without_change" {
            "No change"
        } else {
            "No deployment"
        }
        .to_owned(),
        tone: Tone::Stop,
        text: Rich::from(row.text),
        owners: Rich::new().said(row.owners.join(", ")),
        when: view.reader.moment(row.since),
    });
    Ok(rows.collect())
}

fn amiss(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<GatewayRow>> {
    let now = view.room.now;
    let mut rows = Vec::new();
    for watched in acts::coverage::watched(view.room)? {
        for finding in findings(&watched, SILENT_DAYS, now) {
            rows.push(GatewayRow {
                place: format!("{}, {}", watched.service, watched.environment),
                word: capital(&plain(&finding.code)),
                tone: Tone::Wait,
                text: view.sentence(&format!("{} {}", finding.text, finding.satisfy)),
                owners: view.all_waits_on(&finding.waiting_on),
                when: String::new(),
            });
        }
    }
    Ok(rows)
}

fn refused(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<GatewayRow>> {
    let found = store::gate_use::refused(view.room.tx, REFUSED)?;
    let rows = found.into_iter().map(|row| GatewayRow {
        place: if row.service.is_empty() {
            row.door
        } else {
            format!("{}, {}", row.service, row.environment)
        },
        word: format!("Refused {} times", count(row.asked.unsigned_abs())),
        tone: Tone::Plain,
        text: Rich::new()
            .code(&row.code)
            .text(format!(" {} ", row.text))
            .code(&row.subject),
        owners: Rich::new(),
        when: view.reader.moment(row.last_at),
    });
    Ok(rows.collect())
}

fn waits(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<GatewayRow>> {
    let from = view.room.now - SignedDuration::from_hours(24 * SILENT_DAYS);
    let rows = acts::gate_waits::gate_waits(view.room, from)?.into_iter().map(|row| {
        let seconds = |ms: i64| format!("{} s", count((ms.unsigned_abs() + 500) / 1_000));
        GatewayRow {
            place: format!("{}, {}", row.service, row.environment),
            word: "Waited".to_owned(),
            tone: Tone::Plain,
            text: Rich::from(format!(
                "{} by {}. 95 of 100 waited no longer than {} for people, {} in the queue, {} for the decision.",
                match row.checks {
                    1 => "One check".to_owned(),
                    many => format!("{} checks", count(many as u64)),
                },
                row.pipeline,
                seconds(row.people.p95),
                seconds(row.queue.p95),
                seconds(row.decision.p95),
            )),
            owners: Rich::new().said(row.pipeline),
            when: String::new(),
        }
    });
    Ok(rows.collect())
}
