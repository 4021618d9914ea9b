//! Forecasts of board members, and how they compare with the results of the changes.

use std::collections::HashMap;

use model::cab::board_forecast::{BoardForecast, BoardForecastInput, ForecastScore, scores};
use model::change::record::Change;
use model::change::success::succeeded;
use model::core::act::actions;
use model::core::ids::{GroupKey, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;
use store::record::{self, Filter};

use crate::cab::agenda::{keep, load_agenda};
use crate::cab::agenda_items::item_for;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::guard::impersonation;

/// The most forecasts of a person that are listed, the latest first.
const MOST_LISTED: i64 = 500;
/// The most forecasts of a board that are compared, the latest first.
const MOST_COMPARED: i64 = 5_000;
/// How many changes are read at once.
const AT_ONCE: usize = 200;

impl PlainNoun for BoardForecast {
    type Input = BoardForecastInput;

    /// Those of the acting person.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("person", cx.actor.person.as_str());
        Ok(record::bodies::<Self>(
            cx.tx,
            &filter.descending_by("id").limit(MOST_LISTED),
        )?)
    }

    /// A forecast of the acting person; others' forecasts are absent.
    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record);
        Ok(found.filter(|it| it.person == cx.actor.person))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/meetings/{}", self.agenda))
    }

    fn add(cx: &mut Context<'_, '_>, input: BoardForecastInput, reading: Reading<'_>) -> Result<Self> {
        reading.finish()?;
        impersonation::check_voice(cx)?;
        let (agenda, _) = load_agenda(cx, &input.agenda)?;
        let directory = cx.directory()?;
        let person = cx.actor.person.clone();
        if !directory.members(&agenda.group).contains(&person) {
            let text = format!(
                "{} is not a member of the group {}.",
                directory.name(&person),
                agenda.group
            );
            return Err(Refusal::not_allowed("not_of_the_board", text).into());
        }
        let item = item_for(cx, &agenda.id, &input.change)?;
        let change = cx.change(&item.change_key)?;
        if !change.state.is_before_start() {
            let text = format!("The work of {} has begun or ended.", change.key);
            let help = "A forecast is given before the work begins.";
            return Err(Refusal::not_now("work_begun", text, help, Vec::new()).into());
        }
        let filter = Filter::new()
            .equals("agenda", agenda.id.as_str())
            .equals("change_key", item.change_key.as_str())
            .equals("person", person.as_str());
        let known = record::find_one::<Self>(cx.tx, &filter)?.map(|stored| stored.record);
        let kind = match &known {
            Some(_) => "board_forecast.renewed",
            None => "board_forecast.given",
        };
        let forecast = Self {
            id: match &known {
                Some(known) => known.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: known.map_or(0, |known| known.version),
            agenda: agenda.id,
            group: agenda.group,
            change: item.change,
            change_key: item.change_key,
            person,
            percent: input.percent,
            at: cx.now,
        };
        let data = json!({"change_key": forecast.change_key});
        keep(cx, kind, forecast, data)
    }
}

/// The forecasts on an agenda item. A person without a forecast of their own sees none while one can still be given, so
/// that nobody is influenced by others.
///
/// # Errors
/// The store's.
pub fn forecasts_on(cx: &mut Context<'_, '_>, agenda: &RecordId, key: &str) -> Result<Vec<BoardForecast>> {
    let filter = Filter::new()
        .equals("agenda", agenda.as_str())
        .equals("change_key", key);
    let found = record::bodies::<BoardForecast>(cx.tx, &filter.order_by("person").limit(MOST_LISTED))?;
    let is_own = |it: &BoardForecast| it.person == cx.actor.person;
    Ok(match found.iter().any(is_own) {
        true => found,
        false => Vec::new(),
    })
}

/// How the forecasts of a board's members compare with the results of the changes (`GET
/// /boards/{key}/forecast-scores`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn board_scores(cx: &mut Context<'_, '_>, group: &GroupKey) -> Result<Vec<ForecastScore>> {
    cx.allow(actions::READ)?;
    if !cx.directory()?.groups.contains_key(group) {
        return Err(Refusal::not_found(format!("group {group}")).into());
    }
    let filter = Filter::new().equals("people_group", group.as_str());
    let found = record::bodies::<BoardForecast>(cx.tx, &filter.descending_by("id").limit(MOST_COMPARED))?;
    let mut ids: Vec<&str> = found.iter().map(|it| it.change.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut outcomes: HashMap<String, Option<bool>> = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        let filter = Filter::new().one_of("id", some.iter().copied()).order_by("id");
        for change in record::bodies::<Change>(cx.tx, &filter)? {
            outcomes.insert(change.id.0.clone(), succeeded(&change));
        }
    }
    let rows: Vec<(&BoardForecast, Option<bool>)> = found
        .iter()
        .map(|it| (it, outcomes.get(it.change.as_str()).copied().flatten()))
        .collect();
    Ok(scores(&rows))
}
