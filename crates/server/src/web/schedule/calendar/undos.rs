//! Planned undos on the calendar.

use model::change::duties::undo;
use model::change::record::Change;

use super::Span;
use crate::web::shared::view::View;

/// The planned undos of changes, as the calendar draws them.
pub(super) fn undos(view: &View<'_, '_, '_>, found: &[Change]) -> Vec<Span> {
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
    found.iter().filter_map(span).collect()
}
