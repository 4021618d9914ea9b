//! Free times of a change or a service in the format of the Change Management API: a worker with its result. Here the result is
//! complete at once, so the link of the worker leads to the same response.
//!
//! Source: "Change Management API" of ServiceNow's developer reference, `/change/{id}/schedule`, `/change/ci/{id}/schedule` and
//! `/change/worker/{id}`.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::fields::{CONFIG_ITEM, OWN, place, time};
use super::rows::{read_time, shown_time};
use super::sys_id::of_key;
use super::tables::{change_key, segment};
use super::wrong_method;
use crate::dialects::api::{Refused, items_of, text_of};
use crate::dialects::{DialectRequest, DialectResponse};

/// The parameter for the duration of the work.
const DURATION: &str = "duration_in_seconds";
/// The parameter for the earliest start.
const START: &str = "planned_start_time";
/// The longest work, in seconds: a week.
const MOST_SECONDS: i64 = 10_080 * 60;
/// How many times are offered.
const SPANS: usize = 20;

/// Free times of a change, for its planned duration unless the client gives another.
pub(super) async fn of_change(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    check_method(asked)?;
    let key = change_key(asked, id).await?;
    let mut plan = terms(asked)?;
    let found = match plan.is_empty() {
        true => asked.api.get(&format!("/changes/{}/slots", segment(&key))).await?,
        false => {
            plan.insert("change".to_owned(), json!(key));
            slots(asked, plan).await?
        }
    };
    let own = of_key(&key);
    Ok(response_of(asked, ("change_request_sys_id", own.as_str()), &found))
}

/// Free times of a service or of an item of one, for work that no change is made for yet.
pub(super) async fn of_item(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    check_method(asked)?;
    let mut plan = terms(asked)?;
    if !plan.contains_key("minutes") {
        return Err(Refused::field(format!("`{DURATION}` says how long the work takes.")));
    }
    let environment = format!("{OWN}environment");
    let Some(named) = asked.query(&environment) else {
        let text = format!("`{environment}` names the environment: free times differ from one to the other.");
        return Err(Refused::field(text));
    };
    let (service, item) = place(asked, id).await?;
    let mut target = json!({"service": service, "environment": named});
    if let Some(item) = &item {
        target["config_items"] = json!([item]);
    }
    plan.insert("targets".to_owned(), json!([target]));
    let found = slots(asked, plan).await?;
    let own = of_key(&item.map_or(service, |item| format!("{CONFIG_ITEM}{item}")));
    Ok(response_of(asked, ("cmdb_ci_sys_id", own.as_str()), &found))
}

async fn slots(asked: &DialectRequest, mut plan: Map<String, Value>) -> Result<Value, Refused> {
    plan.insert("count".to_owned(), json!(SPANS));
    let found = asked.api.post("/slots", &Value::Object(plan)).await;
    found.map_err(|why| why.renamed("minutes", DURATION).renamed("after", START))
}

fn check_method(asked: &DialectRequest) -> Result<(), Refused> {
    match asked.method {
        Method::GET => Ok(()),
        _ => Err(wrong_method()),
    }
}

/// The duration and the earliest start, as far as the client gives them.
fn terms(asked: &DialectRequest) -> Result<Map<String, Value>, Refused> {
    let mut found = Map::new();
    if let Some(text) = asked.query(DURATION) {
        let seconds: Option<i64> = text.parse().ok().filter(|it| (1..=MOST_SECONDS).contains(it));
        let wrong = || Refused::field(format!("`{DURATION}` is a number from 1 to {MOST_SECONDS}."));
        found.insert("minutes".to_owned(), json!(whole_minutes(seconds.ok_or_else(wrong)?)));
    }
    if let Some(text) = asked.query(START) {
        found.insert("after".to_owned(), time(START, text)?);
    }
    Ok(found)
}

/// Times here have whole minutes, so that work of a second takes one.
fn whole_minutes(seconds: i64) -> i64 {
    (seconds + 59) / 60
}

fn response_of(asked: &DialectRequest, (field, id): (&str, &str), found: &Value) -> DialectResponse {
    let mut request = Map::new();
    request.insert(field.to_owned(), json!(id));
    for name in [DURATION, START] {
        if let Some(text) = asked.query(name) {
            request.insert(name.to_owned(), json!(text));
        }
    }
    let pairs = asked.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let joint = if query.is_empty() { "" } else { "?" };
    let link = format!("{}{}{joint}{query}", asked.base, asked.path);
    let spans = spans(found);
    let none: &[&str] = if spans.is_empty() {
        &["No free time was found."]
    } else {
        &[]
    };
    let mut result = json!({
        "worker": {"sysId": id, "link": link}, "request": Value::Object(request).to_string(),
        "state": {"value": 3, "display_value": "Complete"}, "type": "schedule",
        "messages": {"errorMessages": [], "warningMessages": [], "infoMessages": none},
    });
    if !spans.is_empty() {
        result["payload"] = json!({"spans": spans});
    }
    DialectResponse::new(200, json!({"result": result}))
}

/// The free times in the order of time; the API returns the best ones first.
fn spans(found: &Value) -> Vec<Value> {
    let mut times: Vec<(&str, &str)> = items_of(&found["slots"])
        .iter()
        .map(|slot| (text_of(&slot["starts_at"]), text_of(&slot["ends_at"])))
        .collect();
    times.sort_by_key(|(start, _)| read_time(start));
    let side = |text: &str| {
        let shown = read_time(text).map(shown_time).unwrap_or_default();
        json!({"value": shown, "display_value": shown})
    };
    let spans = times
        .into_iter()
        .map(|(start, end)| json!({"start": side(start), "end": side(end)}));
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_in_their_order_in_the_form_there() {
        let found = json!({"slots": [
            {"starts_at": "2026-11-29T10:00:00Z", "ends_at": "2026-11-29T11:00:00Z", "score": 90},
            {"starts_at": "2026-11-28T10:00:00Z", "ends_at": "2026-11-28T11:00:00Z", "score": 40},
        ]});
        let shown = spans(&found);
        assert_eq!(shown[0]["start"]["value"], "2026-11-28 10:00:00");
        assert_eq!(shown[1]["end"]["value"], "2026-11-29 11:00:00");
        assert!(spans(&json!({})).is_empty());
    }

    #[test]
    fn work_of_a_second_takes_a_minute() {
        assert_eq!((whole_minutes(1), whole_minutes(60), whole_minutes(61)), (1, 1, 2));
    }
}
