//! Finds the last change that resembles a new one: in the same place, closed, and successful. Its plan is a better
//! start than an empty page.

use model::change::read_content;
use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::change::success;
use model::core::body::Body;
use model::core::enums::{Kind, State};
use serde_json::Value;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_changes::{ChangeFilter, find_changes};

/// How many of the newest changes in the place are read.
const LOOKED_AT: i64 = 20;
/// The fields copied from a similar change if a request omits them.
pub const TAKEN_OVER: &[&str] = &[
    NewChange::PLAN.name,
    NewChange::ROLLBACK_PLAN.name,
    NewChange::ROLLBACK_MINUTES.name,
    NewChange::NO_ROLLBACK_REASON.name,
    NewChange::VERIFICATION.name,
    NewChange::CATEGORY.name,
    NewChange::TOUCHES.name,
    NewChange::DISRUPTION.name,
];

/// The newest closed normal change on this service and environment that succeeded and has a plan.
///
/// # Errors
/// 403, or the store's.
pub fn find_similar(cx: &mut Context<'_, '_>, service: &str, environment: &str) -> Result<Option<Change>> {
    let filter = ChangeFilter {
        states: vec![State::Closed.as_str().to_owned()],
        kind: Some(Kind::Normal.as_str().to_owned()),
        service: Some(service.to_owned()),
        environment: Some(environment.to_owned()),
        ..ChangeFilter::default()
    };
    for (row, _) in find_changes(cx, &filter, LOOKED_AT, None)?.rows {
        let change = cx.file(&row.key)?.change;
        if success::succeeded(&change) == Some(true) && !change.content.plan.is_empty() {
            return Ok(Some(change));
        }
    }
    Ok(None)
}

/// The values copied into a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// The source change; `None` if there is none.
    pub from: Option<String>,
    /// The fields.
    pub fields: Vec<&'static str>,
}

/// Fills a request for a change without a plan from the last similar change, and labels it with the source. A request
/// with its own steps, with several targets, or of another kind is unchanged. So is a request for work that is already
/// done: an earlier plan does not show how the work was done.
///
/// # Errors
/// 403, or the store's.
pub fn fill_from_similar(cx: &mut Context<'_, '_>, body: &mut Body) -> Result<Filled> {
    let is_normal = body.get("kind").is_none_or(|kind| kind == Kind::Normal.as_str());
    let has_steps = [
        NewChange::PLAN.name,
        NewChange::ROLLBACK_PLAN.name,
        NewChange::NO_ROLLBACK_REASON.name,
    ]
    .iter()
    .any(|field| body.contains_key(*field));
    let is_done = body.get("retrospective").is_some_and(|told| !told.is_null());
    let Some((service, environment)) = only_place(body).filter(|_| is_normal && !has_steps && !is_done) else {
        return Ok(Filled::default());
    };
    let Some(similar) = find_similar(cx, &service, &environment)? else {
        return Ok(Filled::default());
    };
    let known = read_content::patch_base(&similar, &*cx.directory()?);
    let mut fields = Vec::new();
    for field in TAKEN_OVER
        .iter()
        .filter(|field| !body.contains_key(**field))
        .copied()
        .collect::<Vec<_>>()
    {
        if let Some(value) = known.get(field) {
            body.insert(field.to_owned(), value.clone());
            fields.push(field);
        }
    }
    let label = Value::String(format!("plan from {}", similar.key));
    match body.get_mut("labels") {
        Some(Value::Array(labels)) => labels.push(label),
        _ => drop(body.insert("labels".to_owned(), Value::Array(vec![label]))),
    }
    Ok(Filled {
        from: Some(similar.key),
        fields,
    })
}

/// The one place that a request names; `None` for none, several, or an unreadable one.
fn only_place(body: &Body) -> Option<(String, String)> {
    let [target] = body.get("targets")?.as_array()?.as_slice() else {
        return None;
    };
    let text = |field: &str| target.get(field).and_then(Value::as_str).map(str::to_owned);
    Some((text("service")?, text("environment")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::only_place;

    #[test]
    fn one_whole_target_names_a_place_and_nothing_else_does() {
        let place = |targets: serde_json::Value| only_place(json!({"targets": targets}).as_object()?);
        let target = json!({"service": "api", "environment": "production"});
        let found = place(json!([target]));
        assert_eq!(found, Some(("api".to_owned(), "production".to_owned())));
        assert_eq!(place(json!([target, target])), None);
        assert_eq!(place(json!([{"service": "api"}])), None);
        assert_eq!(place(json!("api")), None);
    }
}
