//! Measures the objectives of services while their changes are at work or watched. A call names the change, the objective and
//! the place. The value is kept on the change; a value outside its bound is reported to the people in charge.

use jiff::SignedDuration;
use model::change::change_file::people_in_charge;
use model::change::record::Change;
use model::core::enums::ObjectiveResult;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::incident::monitor::for_place;
use model::incident::objective::{Objective, USUAL_MINUTES};
use model::incident::objective_measure::{ObjectiveMeasure, ObjectiveMeasureInput, TEXT};
use serde_json::json;
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::noun::{PlainNoun, in_use_by_keys};
use crate::core::write::{Written, draft};
use crate::incident::watched_changes::{is_watched, watched_at};

/// The kind of call that measures; its subject is `change/objective/service/environment`.
const CALL: &str = "objective";

impl PlainNoun for ObjectiveMeasure {
    type Input = ObjectiveMeasureInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    /// Values are measured by the clock.
    fn add(_cx: &mut Context<'_, '_>, _input: ObjectiveMeasureInput, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }
}

/// Whether a call measures an objective.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == CALL
}

/// The subjects of the calls that have to be made and do not wait.
///
/// # Errors
/// The store's.
pub fn find_due(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let objectives = in_use_by_keys::<Objective>(cx)?;
    if objectives.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for change in watched_at(cx, cx.now)? {
        for objective in &objectives {
            for place in objective.places(&change) {
                if is_due(cx, &change, objective, &place)? {
                    found.push(format!("{}/{}/{place}", change.id, objective.id));
                }
            }
        }
    }
    Ok(found)
}

fn is_due(cx: &mut Context<'_, '_>, change: &Change, objective: &Objective, place: &str) -> Result<bool> {
    let subject = format!("{}/{}/{place}", change.id, objective.id);
    if call::waits(cx.tx, CALL, &subject)? {
        return Ok(false);
    }
    let every = SignedDuration::from_mins(objective.every_minutes.unwrap_or(USUAL_MINUTES).max(1));
    let last = find(cx, change, objective, place)?;
    Ok(last.is_none_or(|last| cx.now.duration_since(last.at) >= every))
}

/// Queues the calls that are due; returns whether there were any.
///
/// # Errors
/// The store's.
pub fn queue_calls(cx: &mut Context<'_, '_>) -> Result<bool> {
    let due = find_due(cx)?;
    for subject in &due {
        let id = cx.new_id()?;
        call::insert(cx.tx, &id, (CALL, subject.as_str()), cx.now)?;
    }
    Ok(!due.is_empty())
}

/// The request to make: the address of Prometheus and the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The address, without a slash at its end.
    pub base: String,
    /// The expression, about the place.
    pub expression: String,
}

/// Loads the request; `None` when the change is watched no more, or the objective is out of use.
///
/// # Errors
/// The store's.
pub fn errand(cx: &mut Context<'_, '_>, subject: &str) -> Result<Option<Errand>> {
    let Some((_, objective, place)) = named(cx, subject)? else {
        return Ok(None);
    };
    Ok(Some(Errand {
        base: objective.url.trim_end_matches('/').to_owned(),
        expression: for_place(&objective.expression, &place),
    }))
}

/// The change, the objective and the place of a call, while they still belong together.
fn named(cx: &mut Context<'_, '_>, subject: &str) -> Result<Option<(Change, Objective, String)>> {
    let mut parts = subject.splitn(3, '/');
    let (Some(change), Some(objective), Some(place)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let change = record::load::<Change>(cx.tx, change)?.map(|stored| stored.record);
    let objective = record::load::<Objective>(cx.tx, objective)?.map(|stored| stored.record);
    let (Some(change), Some(objective)) = (change, objective) else {
        return Ok(None);
    };
    let directory = cx.directory()?;
    let still = is_watched(&change, &directory, cx.now) && objective.places(&change).contains(place);
    Ok(still.then(|| (change, objective, place.to_owned())))
}

fn natural_key(change: &Change, objective: &Objective, place: &str) -> String {
    let parts = json!([change.key, objective.id, place]).to_string();
    proof::crypto::digest_text(parts.as_bytes())
}

fn find(
    cx: &mut Context<'_, '_>,
    change: &Change,
    objective: &Objective,
    place: &str,
) -> Result<Option<ObjectiveMeasure>> {
    let key = natural_key(change, objective, place);
    let found = record::find_one::<ObjectiveMeasure>(cx.tx, &Filter::new().equals("natural_key", key.as_str()))?;
    Ok(found.map(|stored| stored.record))
}

/// Stores the result: a value, or why there is none. A value that leaves its bound is reported to the people in charge.
///
/// # Errors
/// The store's.
pub fn take(cx: &mut Context<'_, '_>, subject: &str, told: &std::result::Result<String, String>) -> Result<()> {
    let Some((change, objective, place)) = named(cx, subject)? else {
        return Ok(());
    };
    let known = find(cx, &change, &objective, &place)?;
    let before = known.as_ref().map(|it| it.result);
    let result = told
        .as_ref()
        .map_or(ObjectiveResult::Unknown, |value| objective.judge(value));
    let is_missed = result == ObjectiveResult::Missed;
    let mut measure = match known {
        Some(known) => known,
        None => fresh(cx, &change, &objective, &place)?,
    };
    measure.value = told.as_ref().ok().cloned();
    measure.bound.clone_from(&objective.bound);
    measure.result = result;
    measure.text = told.as_ref().err().map(|why| why.chars().take(TEXT).collect());
    measure.measured_count += 1;
    measure.missed_count += i64::from(is_missed);
    measure.at = cx.now;
    let mut written = Written::default();
    let saved = cx.put(&mut written, measure)?;
    if is_missed && before != Some(ObjectiveResult::Missed) {
        notify_missed(cx, &mut written, (&change, &objective), &saved)?;
    }
    let data = json!({"change_key": saved.change, "objective": saved.objective_key, "result": saved.result});
    let subject = ("objective_measure", saved.id.0.clone());
    cx.emit(vec![draft("objective_measure.taken", subject, cx.now, data)], written)
}

fn fresh(cx: &mut Context<'_, '_>, change: &Change, objective: &Objective, place: &str) -> Result<ObjectiveMeasure> {
    Ok(ObjectiveMeasure {
        id: RecordId(cx.new_id()?),
        version: 0,
        change: change.key.clone(),
        objective: objective.id.clone(),
        objective_key: objective.key.clone(),
        place: place.to_owned(),
        natural_key: natural_key(change, objective, place),
        value: None,
        bound: objective.bound.clone(),
        result: ObjectiveResult::Unknown,
        text: None,
        measured_count: 0,
        missed_count: 0,
        at: cx.now,
    })
}

fn notify_missed(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    (change, objective): (&Change, &Objective),
    measure: &ObjectiveMeasure,
) -> Result<()> {
    let directory = cx.directory()?;
    let subject = format!(
        "{}: the objective {} is missed at {}",
        change.key, objective.key, measure.place
    );
    let value = measure.value.as_deref().unwrap_or_default();
    let text = format!(
        "{subject}. The value is {value}, the bound {}.\nCheck whether the change has to be rolled back.\n",
        measure.bound
    );
    for person in people_in_charge(change, &directory) {
        let dedup = format!("objective/{}/{}/{person}", measure.id, measure.missed_count);
        let about = Some((&change.id, change.key.as_str()));
        save_message(
            cx,
            written,
            &person,
            about,
            ("objective_missed", &subject, &text, &dedup),
        )?;
    }
    Ok(())
}

/// The objectives that count for a change, each with a place.
///
/// # Errors
/// The store's.
pub(crate) fn counting_for(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<(RecordId, String)>> {
    let mut found = Vec::new();
    for objective in in_use_by_keys::<Objective>(cx)? {
        let places = objective.places(change).into_iter();
        found.extend(places.map(|place| (objective.id.clone(), place)));
    }
    Ok(found)
}

/// The measurements on a change, in the order in which they began.
///
/// # Errors
/// The store's.
pub(crate) fn measures_on(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<ObjectiveMeasure>> {
    let filter = Filter::new().equals("change", change).order_by("id");
    Ok(record::bodies::<ObjectiveMeasure>(cx.tx, &filter)?)
}
