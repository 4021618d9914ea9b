//! The deliveries of outside systems.

use std::collections::BTreeMap;

use acts::report::find_records;
use axum::extract::State;
use axum::response::Response;
use model::directory::snapshot::Connection;
use pages::{Deliveries, DeliveryRow, Place, Rich, Tone};
use store::record::{self, Filter};

use crate::http::state::AppState;
use crate::web::shared::view::{Visitor, show};
use crate::web::shared::words::capital;

/// How many deliveries are shown.
const DELIVERIES: i64 = 200;

/// The deliveries of outside systems.
pub(crate) async fn deliveries(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Deliveries, |view| {
        let found = find_records::find_deliveries(view.cx, DELIVERIES)?;
        let names = record::find::<Connection>(view.cx.tx, &Filter::new().order_by("id"))?;
        let names: BTreeMap<String, String> = names
            .into_iter()
            .map(|stored| (stored.record.id.0, stored.record.name))
            .collect();
        let rows = found.into_iter().map(|delivery| {
            let (tone, word) = match delivery.state.as_str() {
                "done" => (Tone::Ok, "Done"),
                "parked" => (Tone::Stop, "Set aside"),
                _ => (Tone::Wait, "Waiting"),
            };
            DeliveryRow {
                id: delivery.id,
                href: String::new(),
                event: capital(&delivery.event),
                connection: names.get(&delivery.connection).cloned().unwrap_or(delivery.connection),
                state: word.to_owned(),
                tone,
                effect: Rich::from(delivery.result.or(delivery.reason).unwrap_or_default()),
                received: view.reader.moment(delivery.received_at),
                acts: Vec::new(),
            }
        });
        let rows: Vec<DeliveryRow> = rows.collect();
        let page = Deliveries {
            frame: view.frame.clone(),
            count: format!("{} shown", rows.len()),
            rows,
            ..Deliveries::default()
        };
        Ok(page.render())
    })
    .await
}
