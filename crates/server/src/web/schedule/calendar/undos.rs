//! Planned undos on the calendar.

use acts::report::find_undos::find_undos;
use jiff::Timestamp;
use model::change::duties::undo;
use model::change::record::Change;

use super::{Asked, Span, of_places};
use crate::web::shared::view::View;

/// The planned undos of a time.
pub(super) fn undos(
    view: &mut View<'_, '_, '_>,
    asked: &Asked,
    times: (Timestamp, Timestamp),
) -> acts::Result<Vec<Span>> {
    let found = find_undos(view.cx, of_places(asked), times)?;
    let span = |change: &Change| {
        let (start, end) = undo::ahead(change)?;
        let targets = change.content.targets.iter();
        Some(Span {
            title: format!("Planned undo of {}", change.key),
            start: view.reader.local(start),
            end: view.reader.local(end),
            is_freeze: false,
            services: targets.map(|target| target.service.0.clone()).collect(),
        })
    };
    Ok(found.iter().filter_map(span).collect())
}
