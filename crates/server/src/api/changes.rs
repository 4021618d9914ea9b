//! Changes and the acts that move them.

use std::collections::HashMap;

use acts::Room;
use acts::find_changes::{Spot, read_order};
use model::change::Change;
use model::directory::Directory;
use model::reading::Reading;
use model::refusal::{FieldError, Refusal};
use model::words::{Kind, Level, State};
use serde_json::Value;
use store::change_order::list_ordered;
use store::changes::ChangeFilter;
use store::record::{self, Filter};
use wire::views;

use crate::caller::Scope;
use crate::route::{Ask, Reply, Route};

/// An act on a change that takes the body's fields.
macro_rules! act {
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, |room, ask| {
            $verb(room, ask.place(0), &ask.body)?;
            moved(room, ask)
        })
    };
}

/// An act on a change that takes nothing.
macro_rules! plain_act {
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, |room, ask| {
            let done = $verb(room, ask.place(0)).map(drop);
            nothing_said(ask, done)?;
            moved(room, ask)
        })
    };
}

/// Changes and their acts.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/changes", "Lists changes, newest first or in another order.", list),
    Route::post("/changes", "Makes a change.", create),
    Route::get("/changes/{key}", "Shows a change.", |room, ask| {
        show(room, ask.place(0))
    }),
    Route::patch(
        "/changes/{key}",
        "Edits a change by a merge patch.",
        current,
        |room, ask| {
            acts::edit_change::edit_change(room, ask.place(0), &ask.body)?;
            show(room, ask.place(0))
        },
    ),
    Route::put(
        "/changes/{key}/schedule",
        "Sets both planned times.",
        current,
        |room, ask| {
            acts::change_verbs::schedule_change(room, ask.place(0), &ask.body)?;
            show(room, ask.place(0))
        },
    ),
    plain_act!(
        "/changes/{key}/submission",
        "Hands a change over for assessment.",
        acts::change_verbs::submit_change
    ),
    act!(
        "/changes/{key}/assessment",
        "States risk and impact, and asks for approvals.",
        acts::change_verbs::assess_change
    ),
    plain_act!(
        "/changes/{key}/acknowledgements",
        "Says that one has seen the request.",
        acts::approval_verbs::acknowledge_change
    ),
    act!(
        "/changes/{key}/return",
        "Sends a change back with a question.",
        acts::approval_verbs::return_change
    ),
    act!(
        "/changes/{key}/overruling",
        "Lets others go on in spite of a rejection.",
        acts::approval_verbs::overrule_rejection
    ),
    act!(
        "/changes/{key}/hold",
        "Pauses a change.",
        acts::change_verbs::hold_change
    ),
    plain_act!(
        "/changes/{key}/resume",
        "Ends a pause.",
        acts::change_verbs::resume_change
    ),
    plain_act!(
        "/changes/{key}/implementation",
        "Starts the work.",
        acts::change_verbs::start_change
    ),
    act!(
        "/changes/{key}/extension",
        "Asks for more time.",
        acts::change_verbs::ask_extension
    ),
    act!(
        "/changes/{key}/extension/decision",
        "Grants or denies more time.",
        acts::change_verbs::decide_extension
    ),
    act!(
        "/changes/{key}/completion",
        "Says how targets ended.",
        acts::change_verbs::complete_change
    ),
    act!(
        "/changes/{key}/validation",
        "Says whether it works.",
        acts::change_verbs::validate_change
    ),
    act!(
        "/changes/{key}/review",
        "Writes the post-implementation review.",
        acts::change_verbs::review_change
    ),
    plain_act!(
        "/changes/{key}/closure",
        "Closes a change.",
        acts::change_verbs::close_change
    ),
    act!(
        "/changes/{key}/cancellation",
        "Takes a change back before its start.",
        acts::change_verbs::cancel_change
    ),
    act!(
        "/changes/{key}/break-glass",
        "Starts without approvals, in the open.",
        acts::break_glass::break_glass
    ),
    act!(
        "/changes/{key}/break-glass/co-signature",
        "Signs a break-glass as the second person.",
        acts::emergency_verbs::cosign_break_glass
    ),
    act!(
        "/changes/{key}/break-glass/validation",
        "Validates a break-glass afterwards.",
        acts::emergency_verbs::validate_break_glass
    ),
    act!(
        "/changes/{key}/retrospective/confirmation",
        "Confirms or denies work told afterwards.",
        acts::emergency_verbs::confirm_retrospective
    ),
    act!(
        "/changes/{key}/finding",
        "States the finding on unauthorized work.",
        acts::emergency_verbs::state_finding
    ),
    act!(
        "/changes/{key}/legal-hold",
        "Places a change under a legal hold.",
        acts::set_legal_hold::place_legal_hold
    ),
    act!(
        "/changes/{key}/legal-hold/end",
        "Lifts its legal hold.",
        acts::set_legal_hold::end_legal_hold
    )
    .scope(Scope::Admin),
    act!(
        "/changes/{key}/erasure",
        "Asks to erase texts of a change.",
        acts::erase_texts::ask_erasure
    )
    .scope(Scope::Admin),
    plain_act!(
        "/changes/{key}/erasure/confirmation",
        "Confirms an erasure as the second person, and does it.",
        acts::erase_texts::confirm_erasure
    )
    .scope(Scope::Admin),
    plain_act!(
        "/changes/{key}/erasure/withdrawal",
        "Withdraws an erasure that was asked for.",
        acts::erase_texts::withdraw_erasure
    )
    .scope(Scope::Admin),
];

/// A change as answers show it, with its ETag.
pub(crate) fn show(room: &mut Room<'_, '_>, key: &str) -> acts::Result<Reply> {
    let change = room.change(key)?;
    let directory = room.directory()?;
    Ok(Reply::ok(views::change(&change, &directory)).tagged(change.revision))
}

/// An act that takes nothing refuses what it is told all the same, by name: who sends a reason must not believe that it was
/// kept. Who may not do it learns that first; what was done is taken back with the refusal.
pub(super) fn nothing_said<T>(ask: &Ask, done: acts::Result<T>) -> acts::Result<T> {
    match done {
        Err(acts::Error::Refused(Refusal::NotFound { .. } | Refusal::NotAllowed { .. })) => done,
        _ => {
            Reading::new(&ask.body, "").finish()?;
            done
        }
    }
}

fn moved(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    Ok(Reply {
        status: 201,
        ..show(room, ask.place(0))?
    })
}

/// What `If-Match` is held against.
pub(crate) fn current(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(Some(room.change(ask.place(0))?.revision))
}

fn create(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let key = acts::create_change::create_change(room, &ask.body, &[])?;
    let reply = Reply {
        status: 201,
        ..show(room, &key)?
    };
    Ok(reply.with("location", format!("{}/changes/{key}", crate::route::BASE)))
}

fn list(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let limit = ask.limit()?;
    let filter = filter(room, ask)?;
    let (order, after) = read_order(ask.query("sort"), ask.query("after"))?;
    let mut rows = list_ordered(room.tx, &filter, order, limit + 1, after.as_ref())?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().filter(|_| more).map(|row| Spot::of(order, row).word(order));
    let items = shown(room, rows.iter().map(|row| row.id.as_str()).collect())?;
    Ok(ask.page(items, next))
}

/// The changes with these ids, in their order.
fn shown(room: &mut Room<'_, '_>, ids: Vec<&str>) -> acts::Result<Vec<Value>> {
    let directory = room.directory()?;
    let places: HashMap<String, usize> = ids.iter().map(|id| (*id).to_owned()).zip(0..).collect();
    // Sorted here: asked for in an order of the table, they would be picked by walking through all changes.
    let mut found = record::bodies::<Change>(room.tx, &Filter::new().one_of("id", ids))?;
    found.sort_by_key(|change| places.get(change.id.as_str()).copied());
    Ok(found.iter().map(|change| views::change(change, &directory)).collect())
}

/// Closed words in a filter are checked: an unknown one would find nothing, which reads like an answer.
fn known_words(ask: &Ask) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    let mut check = |field: &str, wanted: Vec<String>, wrong: fn(&str) -> Option<String>| {
        let found = wanted.iter().filter_map(|word| wrong(word));
        errors.extend(found.map(|text| FieldError::new(field, "unknown_word", format!("`{field}`: {text}."))));
    };
    check("state", ask.queries("state"), |word| word.parse::<State>().err());
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
        let near = model::reading::nearest(wanted, &known).map(|near| format!(" Did you mean `{near}`?"));
        let text = format!("There is no {field} `{wanted}`.{}", near.unwrap_or_default());
        return Err(Refusal::field(field, "unknown", text));
    }
    Ok(())
}

/// An artifact has one name, in whichever letters somebody writes its digits.
pub(crate) fn artifact_of(text: &str) -> String {
    model::input::tidy_digest(text.trim().to_owned())
}

/// The fewest digits by which a commit is looked for: with fewer there are too many that begin so.
const COMMIT_BEGINS: usize = 7;

/// A commit, or how it begins.
///
/// # Errors
/// 422 for what begins no commit: it would find nothing, which reads like an answer.
pub(crate) fn commit_of(text: &str) -> acts::Result<String> {
    let commit = text.trim().to_lowercase();
    let is_one = commit.len() >= COMMIT_BEGINS && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wrong = || {
        let text = format!("`commit` has {COMMIT_BEGINS} to 64 hexadecimal digits.");
        Refusal::field("commit", "not_a_commit", text)
    };
    Ok(is_one.then_some(commit).ok_or_else(wrong)?)
}

fn filter(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<ChangeFilter> {
    let directory = room.directory()?;
    let text = |name: &str| ask.query(name).map(str::to_owned);
    // A login that nobody has finds nothing.
    let person = |name: &str| {
        ask.query(name)
            .map(|login| directory.by_login(login).map_or_else(String::new, |p| p.id.0.clone()))
    };
    known_words(ask)?;
    known_places(ask, &directory)?;
    let [planned_from, planned_to] = ask.query_span("planned_from", "planned_to")?;
    let [created_from, created_to] = ask.query_span("created_from", "created_to")?;
    Ok(ChangeFilter {
        states: ask.queries("state"),
        kind: text("kind"),
        service: text("service"),
        environment: text("environment"),
        artifact: ask.query("artifact").map(artifact_of),
        commit: ask.query("commit").map(commit_of).transpose()?,
        risk: text("risk"),
        owner: person("owner"),
        team: text("team"),
        requester: person("requester"),
        q: text("q"),
        planned_from,
        planned_to,
        created_from,
        created_to,
    })
}
