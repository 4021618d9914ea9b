//! Compares the forecasts of changes with their models: each is computed again, to the last part per million.

use std::collections::HashMap;

use model::change::record::Change;
use model::risk::forecast::model_record::FailureModel;
use model::risk::forecast::pinned::is_repeated;
use store::record::{self, Filter, Record};

use super::Replay;
use crate::core::context::Context;
use crate::core::error::Result;

/// This many quarters are a hundred years.
const MOST_MODELS: i64 = 400;
/// How many changes are read at once.
const AT_ONCE: i64 = 500;

impl Replay<'_> {
    /// Computes every stored forecast again.
    pub(super) fn check_forecasts(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let newest = Filter::new().descending_by("fitted_at").limit(MOST_MODELS);
        let found = record::bodies::<FailureModel>(cx.tx, &newest)?;
        if found.is_empty() {
            return Ok(());
        }
        let models: HashMap<String, FailureModel> = found.into_iter().map(|it| (it.digest.clone(), it)).collect();
        let mut after = String::new();
        loop {
            let rows = record::raw_rows(cx.tx, Change::TABLE, &after, AT_ONCE)?;
            let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < AT_ONCE;
            let next = rows.last().and_then(|(id, _)| id.clone());
            // Unreadable rows are reported by the comparison of rows.
            for row in rows.into_iter().filter_map(|(_, row)| row.ok()) {
                if let Ok(change) = record::read::<Change>(&row.body) {
                    self.check_forecast(&change, &models);
                }
            }
            match next {
                Some(next) if !is_last => after = next,
                _ => return Ok(()),
            }
        }
    }

    fn check_forecast(&mut self, change: &Change, models: &HashMap<String, FailureModel>) {
        let Some(kept) = &change.forecast else { return };
        let what = match models.get(&kept.model) {
            None => "The model that it names is not stored.",
            Some(model) if !is_repeated(change, kept, model) => "Its model computes another figure from its inputs.",
            Some(_) => return,
        };
        self.find("change", change.id.as_str(), Some("/forecast"), what);
    }
}
