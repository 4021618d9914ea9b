//! The suggestions of a field that searches: the keys of a kind that match the typed characters. Without the script the field
//! takes a typed key, and the act reports errors in it.

use std::collections::BTreeSet;

use acts::Context;
use acts::core::noun;
use acts::report::find_changes::{ChangeFilter, find_changes};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use model::core::act::actions;
use model::core::enums::TemplateState;
use model::core::ids::GroupKey;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::incident::problem::ProblemRecord;
use model::notify::business_unit::BusinessUnit;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::http::state::AppState;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::problem::bare_problem;
use crate::web::shared::view::Visitor;

/// The most that is offered at once.
const MOST: usize = 20;
/// The most incidents, and the most problems, that are offered among changes.
const MOST_BESIDE: usize = 5;
/// The kind of the members of one group: these words and the group's key.
pub(crate) const MEMBERS_OF: &str = "members-of-";
/// The actor of events without a person.
const SYSTEM: &str = "system";

/// Returns the matches: `{"items": [{"value": …, "label": …}]}`, in the order of keys.
pub(crate) async fn find(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, kind)): Path<(String, String)>,
    Query(words): Query<ListQuery>,
) -> Response {
    let act = move |cx: &mut Context<'_, '_>| {
        cx.allow(actions::READ)?;
        let directory = cx.visible()?;
        let is_scoped = cx.scope()?.is_some();
        // A scoped reader sees services alone, and only their own.
        let found = match kind.as_str() {
            "services" => Some(services(&directory, &words)),
            _ if is_scoped => None,
            "business-units" => Some(units(cx, &words)?),
            "changes" => Some(changes(cx, &words)?),
            "records" => Some(records(cx, &directory, &words)?),
            kind => others(&directory, kind, &words),
        };
        Ok(found.ok_or_else(|| Refusal::not_found(format!("list `{kind}`")))?)
    };
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok(items) => ([(CACHE_CONTROL, "no-store")], Json(json!({"items": items}))).into_response(),
        Err(failure) => bare_problem(&failure),
    }
}

fn services(directory: &Directory, words: &ListQuery) -> Vec<Value> {
    let rows = directory.services.values();
    fitting(words, rows.map(|it| (it.key.as_str(), it.name.as_str())))
}

fn units(cx: &mut Context<'_, '_>, words: &ListQuery) -> acts::Result<Vec<Value>> {
    let rows = noun::list::<BusinessUnit>(cx)?;
    Ok(fitting(
        words,
        rows.iter().map(|it| (it.key.as_str(), it.name.as_str())),
    ))
}

/// Changes, the newest first: those whose text contains the search terms, or whose key is typed.
fn changes(cx: &mut Context<'_, '_>, words: &ListQuery) -> acts::Result<Vec<Value>> {
    let asked = words.text();
    let filter = ChangeFilter {
        q: (!asked.is_empty()).then(|| asked.to_owned()),
        ..ChangeFilter::default()
    };
    let limit = i64::try_from(MOST).unwrap_or_default();
    let found = find_changes(cx, &filter, limit, None)?.rows;
    let offered = found
        .iter()
        .map(|(row, _)| json!({"value": row.key, "label": row.title}));
    Ok(offered.collect())
}

/// Changes, and beside them incidents and problems: what links lead to.
fn records(cx: &mut Context<'_, '_>, directory: &Directory, words: &ListQuery) -> acts::Result<Vec<Value>> {
    let problems = noun::list::<ProblemRecord>(cx)?;
    let problems = fitting(
        words,
        problems.iter().rev().map(|it| (it.key.as_str(), it.title.as_str())),
    );
    let mut beside = incidents(directory, words);
    beside.truncate(MOST_BESIDE);
    beside.extend(problems.into_iter().take(MOST_BESIDE));
    let mut found = changes(cx, words)?;
    found.truncate(MOST - beside.len());
    found.extend(beside);
    Ok(found)
}

fn incidents(directory: &Directory, words: &ListQuery) -> Vec<Value> {
    let rows = directory.incidents.values().rev();
    fitting(words, rows.map(|it| (it.key.as_str(), it.title.as_str())))
}

/// Everybody who may have acted, also people who left; events without a person are those of the system.
fn actors(directory: &Directory, words: &ListQuery) -> Vec<Value> {
    let people = directory.people.values();
    let people = people.map(|it| (it.login.as_str(), it.name.as_str()));
    fitting(words, std::iter::once((SYSTEM, SYSTEM)).chain(people))
}

/// The active members of a group; none for a group that there is not.
fn members(directory: &Directory, group: &str, words: &ListQuery) -> Vec<Value> {
    let members = directory.members(&GroupKey::from(group));
    let people = members.iter().filter_map(|person| directory.people.get(person));
    fitting(words, people.map(|it| (it.login.as_str(), it.name.as_str())))
}

/// The teams that run services, each once.
fn teams(directory: &Directory, words: &ListQuery) -> Vec<Value> {
    let teams = directory.services.values().filter_map(|it| it.team.as_deref());
    let teams: BTreeSet<&str> = teams.collect();
    fitting(words, teams.into_iter().map(|team| (team, team)))
}

fn others(directory: &Directory, kind: &str, words: &ListQuery) -> Option<Vec<Value>> {
    Some(match kind {
        "groups" => {
            let rows = directory.groups.values().filter(|it| !it.removed);
            fitting(words, rows.map(|it| (it.key.as_str(), it.name.as_str())))
        }
        "people" => {
            let rows = directory.people.values().filter(|it| it.active);
            fitting(words, rows.map(|it| (it.login.as_str(), it.name.as_str())))
        }
        "environments" => {
            let rows = directory.environments.values();
            fitting(words, rows.map(|it| (it.key.as_str(), it.name.as_str())))
        }
        "items" => {
            let rows = directory.config_items.values();
            fitting(words, rows.map(|it| (it.key.as_str(), it.name.as_str())))
        }
        "actors" => actors(directory, words),
        "incidents" => incidents(directory, words),
        "teams" => teams(directory, words),
        "calendars" => {
            let rows = directory.calendars.values();
            fitting(words, rows.map(|it| (it.key.as_str(), it.name.as_str())))
        }
        "templates" => {
            let approved = |it: &&model::directory::snapshot::StandardTemplate| it.state == TemplateState::Approved;
            let rows = directory.templates.values().filter(approved);
            fitting(words, rows.map(|it| (it.key.as_str(), it.title.as_str())))
        }
        kind => members(directory, kind.strip_prefix(MEMBERS_OF)?, words),
    })
}

/// The first keys that match, each with its name if the name adds something.
fn fitting<'r>(words: &ListQuery, rows: impl Iterator<Item = (&'r str, &'r str)>) -> Vec<Value> {
    let fit = rows.filter(|(key, name)| words.fit(&[key, name]));
    fit.take(MOST)
        .map(|(key, name)| json!({"value": key, "label": if name == key { "" } else { name }}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_offered_by_key_and_by_name_and_no_more_than_a_few() {
        let rows: Vec<(String, String)> = (0..90)
            .map(|at| (format!("svc-{at:02}"), format!("Billing {at}")))
            .collect();
        let found = |text: &str| {
            let rows = rows.iter().map(|(key, name)| (key.as_str(), name.as_str()));
            fitting(&ListQuery::of(text), rows)
        };
        assert_eq!(found("").len(), MOST);
        assert_eq!(found("SVC-07"), [json!({"value": "svc-07", "label": "Billing 7"})]);
        assert_eq!(found("billing 42")[0]["value"], "svc-42");
        assert!(found("nothing").is_empty());
        let same = fitting(&ListQuery::of("a"), [("a", "a")].into_iter());
        assert_eq!(
            same,
            [json!({"value": "a", "label": ""})],
            "a name that says the same is left out"
        );
    }
}
