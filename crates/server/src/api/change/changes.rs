//! Changes and the acts that move them.

use std::collections::HashMap;

use acts::Context;
use acts::change::{create_change, draft_review, edit_change};
use acts::report::find_changes::{Spot, read_order};
use model::change::record::Change;
use model::core::enums::{Kind, Level, Outcome, State};
use model::core::ids::PersonId;
use model::core::parse;
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Directory;
use serde_json::{Value, json};
use store::change::changes::{ChangeFilter, ChangeRow, TargetRow, list_ordered, targets_of_all};
use store::record::{self, Filter};
use wire::views;

use crate::api::shared::change_replies::{act, current, moved, plain_act, show, without_parameters};
use crate::change::search_words::{artifact_of, commit_of};
use crate::http::address;
use crate::http::route::{Ask, Reply, Route};

/// Changes and their acts.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_changes", list),
    Route::writes("create_change", create),
    Route::reads("show_change", |cx, ask| show(cx, ask.place(0))),
    Route::edits("edit_change", current, |cx, ask| {
        edit_change::edit_change(cx, ask.place(0), &ask.body)?;
        show(cx, ask.place(0))
    }),
    plain_act!("submit_change", acts::change::verbs::submit_change),
    act!("assess_change", acts::change::verbs::assess_change),
    act!("hold_change", acts::change::verbs::hold_change),
    plain_act!("resume_change", acts::change::verbs::resume_change),
    plain_act!("start_change", acts::change::verbs::start_change),
    act!("ask_extension", acts::change::verbs::ask_extension),
    act!("decide_extension", acts::change::verbs::decide_extension),
    act!("complete_change", acts::change::verbs::complete_change),
    act!("undo_change", acts::change::verbs::undo_change),
    act!("say_ready", acts::change::verbs::say_ready),
    act!("validate_change", acts::change::verbs::validate_change),
    act!("review_change", acts::change::verbs::review_change),
    plain_act!("close_change", acts::change::verbs::close_change),
    act!("cancel_change", acts::change::verbs::cancel_change),
    act!("state_finding", acts::emergency::verbs::state_finding),
    act!("reopen_gate", acts::gate::reopen_gate::reopen_gate),
    Route::reads("draft_review", |cx, ask| {
        cx.allow(model::core::act::actions::READ)?;
        Ok(Reply::ok(draft_review::draft_review(cx, ask.place(0))?))
    }),
];

fn create(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let key = create_change::create_change(cx, &ask.body, &[])?;
    let reply = Reply {
        status: 201,
        ..show(cx, &key)?
    };
    Ok(reply.with("location", format!("{}/changes/{key}", address::BASE)))
}

fn list(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(model::core::act::actions::READ)?;
    let limit = ask.limit()?;
    let filter = filter(cx, ask)?;
    let (order, after) = read_order(ask.query("sort"), ask.query("after"))?;
    let mut rows = list_ordered(cx.tx, &filter, order, limit + 1, after.as_ref())?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().filter(|_| more).map(|row| Spot::of(order, row).word(order));
    let items = shown(cx, &rows)?;
    Ok(ask.page(items, next))
}

/// The changes of these rows, in their order. A list does not depend on the archive's bucket: when the bucket is unavailable,
/// an archived change is shown with the fields of its row alone.
fn shown(cx: &mut Context<'_, '_>, rows: &[ChangeRow]) -> acts::Result<Vec<Value>> {
    let directory = cx.directory()?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    // In the order of the rows: with an order of the table, the query would walk through all changes.
    let (found, away) = record::bodies_at_hand::<Change>(cx.tx, &Filter::new().one_of("id", ids))?;
    let found: HashMap<&str, &Change> = found.iter().map(|change| (change.id.as_str(), change)).collect();
    let away: Vec<&str> = away.iter().map(String::as_str).collect();
    let targets = targets_of_all(cx.tx, &away)?;
    let item = |row: &ChangeRow| match found.get(row.id.as_str()) {
        Some(change) => Some(views::change(change, &directory)),
        None if away.contains(&row.id.as_str()) => {
            let own = targets.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            Some(in_brief((row, own), &directory))
        }
        None => None,
    };
    Ok(rows.iter().filter_map(item).collect())
}

/// The fields of a change that its row and the rows of its targets hold.
fn in_brief((row, targets): (&ChangeRow, &[TargetRow]), directory: &Directory) -> Value {
    let login = |id: &str| directory.login(&PersonId::from(id));
    let targets = targets.iter().map(|target| {
        let told = [("artifact", &target.artifact), ("commit", &target.commit)];
        let mut value = json!({"id": target.target_id, "service": target.service, "environment": target.environment});
        for (field, said) in told {
            if let Some(said) = said {
                value[field] = json!(said);
            }
        }
        value
    });
    let mut value = json!({
        "key": row.key, "id": row.id, "title": row.title, "state": row.state, "kind": row.kind, "on_hold": row.on_hold,
        "expedited": row.expedited, "requester": login(&row.requester), "owner": login(&row.owner),
        "created_at": row.created_at.to_string(), "updated_at": row.updated_at.to_string(),
        "targets": targets.collect::<Vec<Value>>(), "is_in_brief": true,
    });
    for (field, said) in [("team", &row.team), ("outcome", &row.outcome)] {
        if let Some(said) = said {
            value[field] = json!(said);
        }
    }
    for (field, at) in [("planned_start", row.planned_start), ("planned_end", row.planned_end)] {
        if let Some(at) = at {
            value[field] = json!(at.to_string());
        }
    }
    value
}

/// A filter's enumerated values are checked: an unknown value would match nothing, which reads like a valid result.
fn check_filter_values(ask: &Ask) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    let mut check = |field: &str, wanted: Vec<String>, wrong: fn(&str) -> Option<String>| {
        let found = wanted.iter().filter_map(|word| wrong(word));
        errors.extend(found.map(|text| FieldError::new(field, "unknown_word", format!("`{field}`: {text}."))));
    };
    check("state", ask.queries("state"), |word| word.parse::<State>().err());
    check("outcome", ask.queries("outcome"), |word| word.parse::<Outcome>().err());
    let one = |field: &str| ask.query(field).map(str::to_owned).into_iter().collect();
    check("kind", one("kind"), |word| word.parse::<Kind>().err());
    check("risk", one("risk"), |word| word.parse::<Level>().err());
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(errors))
    }
}

/// So are services and environments: one that there is not has no changes, and a slip of the finger has none either.
fn known_places(ask: &Ask, directory: &Directory) -> Result<(), Refusal> {
    let services: Vec<&str> = directory.services.keys().map(|key| key.0.as_str()).collect();
    let environments: Vec<&str> = directory.environments.keys().map(|key| key.0.as_str()).collect();
    for (field, known) in [("service", services), ("environment", environments)] {
        let Some(wanted) = ask.query(field).filter(|wanted| !known.contains(wanted)) else {
            continue;
        };
        let near = parse::nearest(wanted, &known).map(|near| format!(" Did you mean `{near}`?"));
        let text = format!("There is no {field} `{wanted}`.{}", near.unwrap_or_default());
        return Err(Refusal::field(field, "unknown", text));
    }
    Ok(())
}

fn filter(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<ChangeFilter> {
    let directory = cx.visible()?;
    let text = |name: &str| ask.query(name).map(str::to_owned);
    // An unknown login finds nothing.
    let person = |name: &str| {
        ask.query(name)
            .map(|login| directory.by_login(login).map_or_else(String::new, |p| p.id.0.clone()))
    };
    check_filter_values(ask)?;
    known_places(ask, &directory)?;
    let [planned_from, planned_to] = ask.query_span("planned_from", "planned_to")?;
    let [created_from, created_to] = ask.query_span("created_from", "created_to")?;
    let [ended_from, ended_to] = ask.query_span("ended_from", "ended_to")?;
    Ok(ChangeFilter {
        states: ask.queries("state"),
        kind: text("kind"),
        service: text("service"),
        environment: text("environment"),
        artifact: ask.query("artifact").map(artifact_of),
        commit: ask.query("commit").map(commit_of).transpose()?,
        outcomes: ask.queries("outcome"),
        risk: text("risk"),
        owner: person("owner"),
        team: text("team"),
        requester: person("requester"),
        q: text("q"),
        planned_from,
        planned_to,
        created_from,
        created_to,
        ended_from,
        ended_to,
        within: cx
            .scope()?
            .map(|scope| scope.services().iter().map(|key| key.0.clone()).collect()),
        ..ChangeFilter::default()
    })
}
