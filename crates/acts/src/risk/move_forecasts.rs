//! Moves the forecasts of pending changes by the root causes that reviews named since the model in force was fitted. Due moves
//! are found in a reading transaction; small acts of their own write them, so that no other writer waits.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::enums::State;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::incident::incident_review::IncidentReview;
use model::risk::cause::Cause;
use model::risk::cause_move::{CauseMove, Named, current, due};
use model::risk::failed_reviews::with_changes;
use serde_json::json;
use store::record::{self, Filter};

use crate::case::settle_one::settle_one;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};

/// The most reviews that count for one model.
const MOST_REVIEWS: i64 = 500;
/// How many changes are read at once.
const AT_ONCE: i64 = 500;
/// The most moves shown for one incident.
const SHOWN: i64 = 500;

impl PlainNoun for CauseMove {
    type Input = model::core::card::NoInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("way to write a move by hand").into())
    }
}

/// The causes that reviews of incidents and of failed changes named since the model in force was fitted, the earliest first.
fn named(cx: &mut Context<'_, '_>, fitted_at: Timestamp) -> Result<Vec<Named>> {
    let filter = Filter::new().more("completed_at", fitted_at).order_by("completed_at");
    let reviews = record::bodies::<IncidentReview>(cx.tx, &filter.order_by("id").limit(MOST_REVIEWS))?;
    let causes = Cause::listed(cx)?;
    let keys = causes.iter().map(|cause| cause.key.as_str());
    let since = Filter::new()
        .one_of("review_cause", keys)
        .at_least("updated_at", fitted_at)
        .order_by("updated_at");
    let changes = record::bodies::<Change>(cx.tx, &since.order_by("id").limit(MOST_REVIEWS))?;
    let of = |review: IncidentReview| {
        let key = review.cause?;
        let cause = causes.iter().find(|cause| cause.key == key)?;
        Some(Named {
            incident_key: review.incident_key,
            cause: cause.clone(),
            at: review.completed_at?,
            same: BTreeSet::new(),
        })
    };
    let by_incidents = reviews.into_iter().filter_map(of).collect();
    Ok(with_changes(by_incidents, &changes, &causes))
}

/// The moves that are due of pending changes that were saved at a time or later; of all of them where a review was completed since
/// then.
///
/// # Errors
/// The store's.
pub fn find_due(cx: &mut Context<'_, '_>, since: Timestamp) -> Result<Vec<CauseMove>> {
    let Some(fitted_at) = cx.directory()?.failure_model.as_ref().map(|model| model.fitted_at) else {
        return Ok(Vec::new());
    };
    let named = named(cx, fitted_at)?;
    let Some(last) = named.last() else {
        return Ok(Vec::new());
    };
    let since = if last.at >= since { Timestamp::MIN } else { since };
    let states = State::ALL
        .iter()
        .filter(|state| state.is_before_start() && !state.is_final());
    let states: Vec<&str> = states.map(|state| state.as_str()).collect();
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let filter = Filter::new()
            .one_of("state", states.iter().copied())
            .at_least("updated_at", since)
            .more("id", after.as_str());
        let page = record::bodies::<Change>(cx.tx, &filter.order_by("id").limit(AT_ONCE))?;
        for change in &page {
            let known = moves_of(cx, change)?;
            found.extend(due(change, &known, &named, fitted_at, cx.now));
        }
        match page.last() {
            Some(last) if page.len() as i64 >= AT_ONCE => last.id.0.clone_into(&mut after),
            _ => return Ok(found),
        }
    }
}

/// Writes moves that are still due; returns how many. A change that was edited or began meanwhile is left out, and so is a move
/// that another server wrote. Rules read the moved figure, so a change that was assessed is judged again with it.
///
/// # Errors
/// The store's.
pub fn keep_moves(cx: &mut Context<'_, '_>, wanted: &[CauseMove]) -> Result<usize> {
    let mut kept = 0;
    let mut moved = BTreeSet::new();
    for row in wanted {
        let Some(change) = record::load::<Change>(cx.tx, &row.change)?.map(|stored| stored.record) else {
            continue;
        };
        let known = moves_of(cx, &change)?;
        let forecast = change.forecast.as_ref().filter(|_| change.state.is_before_start());
        let before = current(&change, &known)
            .last()
            .map(|it| it.to_ppm)
            .or_else(|| forecast.and_then(|it| it.probability_ppm));
        let is_same = forecast.is_some_and(|it| it.model == row.model && it.what == row.what);
        let is_there = current(&change, &known)
            .iter()
            .any(|it| it.incident_key == row.incident_key);
        if !is_same || is_there || before != Some(row.from_ppm) {
            continue;
        }
        let id = cx.new_id()?;
        let mut written = Written::default();
        let row = CauseMove {
            id: RecordId(id.clone()),
            at: cx.now,
            ..row.clone()
        };
        let data = json!({"change": row.change_key, "incident": row.incident_key, "cause": row.cause, "from_ppm": row.from_ppm, "to_ppm": row.to_ppm});
        cx.put(&mut written, row)?;
        let event = draft("cause_move.noted", ("cause_move", id), cx.now, data);
        cx.emit(vec![event], written)?;
        kept += 1;
        // Before that, the next act on the change judges it, and its forecast is computed again until then.
        if change.state > State::Assessing {
            moved.insert(change.id.0);
        }
    }
    for id in &moved {
        settle_one(cx, id)?;
    }
    Ok(kept)
}

/// The moves of a change, in their order.
///
/// # Errors
/// The store's.
pub fn moves_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<CauseMove>> {
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    Ok(record::bodies::<CauseMove>(cx.tx, &filter)?)
}

/// The moves that the review of an incident led to, in their order; for readers of the whole tenant.
///
/// # Errors
/// The store's.
pub fn moves_by(cx: &mut Context<'_, '_>, incident_key: &str) -> Result<Vec<CauseMove>> {
    let filter = Filter::new()
        .equals("incident_key", incident_key)
        .order_by("id")
        .limit(SHOWN);
    Ok(record::bodies::<CauseMove>(cx.tx, &filter)?)
}
