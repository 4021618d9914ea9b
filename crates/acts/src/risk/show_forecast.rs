//! The forecast of a change, as its reader may see it.

use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::State;
use model::risk::forecast::environment::LEAST_KNOWN;
use model::risk::forecast::pinned::{Forecast, forecast, is_of_team};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::risk::fit_model::count_closed;

/// The forecast of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The forecast in the change's record.
    Recorded(Forecast),
    /// The forecast of the model in force for a change that was assessed before that model, or is a draft from before.
    Computed(Forecast),
    /// No forecast: there was no model yet, or the work had begun before the first.
    Absent {
        /// How many changes are closed.
        closed: i64,
        /// How many are needed before a model is fitted.
        needed: i64,
    },
}

/// The forecast of a change; the additions of teams are shown to their members alone.
///
/// # Errors
/// 403, 404, or the store's.
pub fn show_forecast(cx: &mut Context<'_, '_>, key: &str) -> Result<Shown> {
    cx.allow(actions::READ)?;
    let change = cx.change(key)?;
    forecast_of(cx, &change)
}

/// The same of a change that was read already.
///
/// # Errors
/// The store's.
pub fn forecast_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<Shown> {
    let directory = cx.directory()?;
    let is_member = is_of_team(&directory, &cx.actor.person, change.content.team.as_ref());
    let narrowed = |it: Forecast| if is_member { it } else { it.without_teams() };
    if let Some(recorded) = &change.forecast {
        return Ok(Shown::Recorded(narrowed(recorded.clone())));
    }
    let model = directory
        .failure_model
        .as_ref()
        .filter(|_| change.state < State::Implementing);
    if let Some(computed) = model.and_then(|model| forecast(change, &directory, model, cx.now)) {
        return Ok(Shown::Computed(narrowed(computed)));
    }
    Ok(Shown::Absent {
        closed: count_closed(cx)?,
        needed: LEAST_KNOWN,
    })
}
