//! The lessons of incidents: reviews that must be complete, root causes that move forecasts, and problems whose fix is judged.

use acts::change::verbs::review_change;
use acts::core::noun;
use acts::incident::close_incident::close_incident;
use acts::incident::draft_incident_review::draft_incident_review;
use acts::incident::link_records::find_links;
use acts::incident::problems::{decide_problem, fix_problem, judge_problem, search_problems};
use acts::incident::review_actions::{actions_of, add_review_action};
use acts::incident::set_incident::{edit_incident, open_incident};
use acts::incident::write_review::unmet_review;
use acts::notify::action_items;
use acts::risk::move_forecasts::{find_due, keep_moves, moves_of};
use acts::{Context, Error, Result};
use jiff::Timestamp;
use model::change::record::{Change, SeenWork};
use model::core::enums::{AboutKind, ActionKind, ActionState, ProblemState, State};
use model::core::refusal::Refusal;
use model::incident::incident_review::IncidentReview;
use model::incident::problem::ProblemRecord;
use model::incident::record_link::RecordLink;
use model::incident::review_answer::ReviewAnswer;
use model::notify::action_item::{About, ActionItem};
use model::policy::permission::change_facts;
use model::risk::cause::Cause;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::forecasts::{keep, material, with_history};
use crate::reviewing::go_to;
use crate::world::{TENANT, World, body};

fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Refusal> {
    let actor = world.actor(login);
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Ok(done) => Ok(done),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

fn code<T: std::fmt::Debug>(refused: std::result::Result<T, Refusal>) -> String {
    match refused.unwrap_err() {
        Refusal::Invalid(errors) => format!("{} {}", errors[0].field, errors[0].code),
        Refusal::NotNow { code, .. } => code.to_owned(),
        other => panic!("{other:?}"),
    }
}

fn incident(world: &World, title: &'static str) -> String {
    world.by("mona", move |cx| {
        let wanted = body(json!({"title": title, "severity": 2, "services": ["pay"]}));
        Ok(open_incident(cx, &wanted)?.key)
    })
}

fn review(world: &World, more: Value) -> std::result::Result<IncidentReview, Refusal> {
    let wanted = body(more);
    attempt(world, "mona", move |cx| noun::add::<IncidentReview>(cx, &wanted))
}

/// A complete review that names a cause.
fn reviewed(world: &World, key: &str, cause: &str) {
    review(
        world,
        json!({"incident_key": key, "summary": "The queue was full.", "cause": cause, "is_complete": true}),
    )
    .unwrap();
}

/// The codes of the conditions that keep an incident from being closed.
fn owed(world: &World, key: &str) -> Vec<String> {
    let key = key.to_owned();
    let found = world.look(move |cx| {
        let incident = cx.directory()?.incidents.get(&key).cloned().unwrap();
        unmet_review(cx, &incident)
    });
    found.unwrap().into_iter().map(|row| row.code).collect()
}

fn close(world: &World, key: &str) -> std::result::Result<(), Refusal> {
    let key = key.to_owned();
    attempt(world, "mona", move |cx| {
        close_incident(cx, &key, &body(json!({}))).map(drop)
    })
}

/// The draft has the change with its decisions and permits, the course, and people's texts.
fn is_drafted(world: &World, found: &str, key: &str) {
    let k = found.to_owned();
    let drafted = world.look(move |cx| draft_incident_review(cx, &k)).unwrap();
    assert_eq!(drafted.changes.len(), 1);
    assert_eq!((drafted.changes[0].role, drafted.changes[0].permits), ("caused it", 1));
    assert!(
        drafted.changes[0].decided_by.contains(&"olga".to_owned()),
        "{drafted:#?}"
    );
    assert!(drafted.course.iter().any(|(_, text)| text.contains(key)));
    assert!(drafted.markdown().contains("The alert came late"));
}

/// An implementer does not complete the review; a further edit afterwards makes it a draft again.
fn is_completed_by_another(world: &World, whole: &Value, mut answer: model::core::body::Body) {
    let found = whole["incident_key"].as_str().unwrap().to_owned();
    let own = body(whole.clone());
    let refused = attempt(world, "ivo", move |cx| noun::add::<IncidentReview>(cx, &own));
    assert_eq!(refused.unwrap_err().code(), "own_request");
    review(world, whole.clone()).unwrap();
    assert_eq!(owed(world, &found), Vec::<String>::new());
    answer.insert("rating".to_owned(), json!("right"));
    world.by("mona", move |cx| noun::add::<ReviewAnswer>(cx, &answer));
    assert_eq!(owed(world, &found), ["review_is_draft"]);
}

#[test]
fn an_incident_of_a_change_is_not_closed_before_its_review_is_complete() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    assert_eq!(owed(&world, &found), Vec::<String>::new(), "it is related to no change");
    let link = body(json!({"from": key, "kind": "caused", "to": found}));
    world.by("mona", move |cx| noun::add::<RecordLink>(cx, &link));
    let all = ["summary_missing", "cause_missing", "answers_missing"];
    assert_eq!(owed(&world, &found), all);
    let k = found.clone();
    world.by("mona", move |cx| {
        let at = cx.now.to_string();
        edit_incident(cx, &k, &body(json!({"resolved_at": at}))).map(drop)
    });
    assert_eq!(code(close(&world, &found)), "incident_not_done");

    let f = found.as_str();
    assert_eq!(
        code(review(&world, json!({"incident_key": f, "cause": "nothing"}))),
        "cause unknown"
    );
    assert_eq!(
        code(review(&world, json!({"incident_key": "INC-9"}))),
        "incident_key unknown"
    );
    let whole = |cause: &str| json!({"incident_key": f, "summary": "The queue was full.", "cause": cause, "is_complete": true, "contributing": ["The alert came late"]});
    assert_eq!(code(review(&world, whole("capacity"))), "review_incomplete");
    review(&world, json!({"incident_key": f, "summary": "The queue was full."})).unwrap();
    assert_eq!(
        owed(&world, &found),
        ["cause_missing", "answers_missing"],
        "a draft is no review"
    );

    let answer = |change: &str| {
        body(json!({"incident_key": f, "change_key": change, "rating": "too_low", "steps_adequate": false}))
    };
    let other = answer("CHG-4711");
    let refused = attempt(&world, "mona", move |cx| noun::add::<ReviewAnswer>(cx, &other));
    assert_eq!(code(refused), "change_key unknown");
    let mut unsaid = answer(&key);
    unsaid.remove("steps_adequate");
    let refused = attempt(&world, "mona", move |cx| noun::add::<ReviewAnswer>(cx, &unsaid));
    assert_eq!(code(refused), "steps_adequate missing");
    let given = answer(&key);
    world.by("mona", move |cx| noun::add::<ReviewAnswer>(cx, &given));
    is_completed_by_another(&world, &whole("capacity"), answer(&key));
    review(&world, whole("capacity")).unwrap();
    close(&world, &found).unwrap();

    assert_eq!(code(review(&world, whole("missing_test"))), "cause not_allowed");
    assert_eq!(
        code(review(
            &world,
            json!({"incident_key": f, "summary": "s", "cause": "capacity"})
        )),
        "is_complete not_allowed"
    );
    is_drafted(&world, &found, &key);
    world.sequence();
    world.assert_replays();
}

/// The action item about a record, by its part.
fn item(world: &World, about: (AboutKind, &str), part: &'static str) -> Option<ActionItem> {
    let about = About::new(about.0, about.1);
    let found = world.look(move |cx| action_items::find(cx, ActionKind::Other, &about, part));
    found.unwrap()
}

#[test]
fn a_review_is_an_item_from_the_end_of_its_incident_until_it_is_complete() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    let asked = || item(&world, (AboutKind::Incident, &found), "review");
    let link = body(json!({"from": key, "kind": "caused", "to": found}));
    world.by("mona", move |cx| noun::add::<RecordLink>(cx, &link));
    assert_eq!(asked(), None, "it goes on");
    let k = found.clone();
    world.by("mona", move |cx| {
        let at = cx.now.to_string();
        edit_incident(cx, &k, &body(json!({"resolved_at": at}))).map(drop)
    });
    let first = asked().unwrap();
    let olga = world.actor("olga").person;
    assert_eq!((first.state, first.owner), (ActionState::Open, Some(olga)));
    let answer = |rating: &str| {
        let given = json!({"incident_key": found, "change_key": key, "rating": rating, "steps_adequate": true});
        let given = body(given);
        world.by("mona", move |cx| noun::add::<ReviewAnswer>(cx, &given));
    };
    answer("right");
    assert_eq!(asked().unwrap().state, ActionState::Open);
    reviewed(&world, &found, "capacity");
    assert_eq!(asked().unwrap().state, ActionState::Done);
    answer("too_low");
    assert_eq!(asked().unwrap().state, ActionState::Open, "the review is a draft again");
    reviewed(&world, &found, "capacity");
    close(&world, &found).unwrap();
    assert_eq!(asked().unwrap().state, ActionState::Done);
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_change_that_is_linked_after_the_review_was_complete_makes_it_a_draft_again() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    reviewed(&world, &found, "capacity");
    let link = body(json!({"from": key, "kind": "caused", "to": found}));
    world.by("mona", move |cx| noun::add::<RecordLink>(cx, &link));
    assert_eq!(owed(&world, &found), ["answers_missing"]);
    let answer = body(json!({"incident_key": found, "change_key": key, "rating": "right", "steps_adequate": true}));
    world.by("ivo", move |cx| noun::add::<ReviewAnswer>(cx, &answer));
    assert_eq!(owed(&world, &found), ["review_is_draft"], "another person completes it");
    let whole =
        json!({"incident_key": found, "summary": "The queue was full.", "cause": "capacity", "is_complete": true});
    let own = body(whole.clone());
    let refused = attempt(&world, "ivo", move |cx| noun::add::<IncidentReview>(cx, &own));
    assert_eq!(refused.unwrap_err().code(), "own_request");
    review(&world, whole).unwrap();
    assert_eq!(owed(&world, &found), Vec::<String>::new());
    world.sequence();
    world.assert_replays();
}

#[test]
fn actions_of_a_review_are_items_with_an_owner_and_a_due_time() {
    let world = World::new();
    let found = incident(&world, "Slow");
    let wanted = |title: &str, owner: &str, due: &str| body(json!({"title": title, "owner": owner, "due_at": due}));
    let add = |more: model::core::body::Body| {
        let key = found.clone();
        attempt(&world, "mona", move |cx| add_review_action(cx, &key, &more))
    };
    let first = wanted("Bound the queue", "olga", "2026-12-01T10:00:00Z");
    assert!(
        matches!(add(first.clone()), Err(Refusal::NotFound { .. })),
        "there is no review yet"
    );
    review(&world, json!({"incident_key": found})).unwrap();
    let item = add(first.clone()).unwrap();
    assert_eq!(item.about, found);
    assert_eq!(code(add(first)), "title not_unique");
    assert_eq!(
        code(add(wanted("Else", "nobody", "2026-12-01T10:00:00Z"))),
        "owner unknown"
    );
    assert_eq!(
        code(add(wanted("Else", "olga", "2026-01-01T10:00:00Z"))),
        "due_at in_the_past"
    );
    let key = found.clone();
    assert_eq!(world.look(move |cx| actions_of(cx, &key)).unwrap().len(), 1);
}

#[test]
fn the_review_of_a_change_that_missed_its_objectives_names_a_cause_which_is_then_in_use() {
    let world = World::new();
    let own = body(json!({"key": "dock_strike", "name": "A strike"}));
    world.system(move |cx| noun::add::<Cause>(cx, &own));
    let key = world.closed("Widen the column");
    let say = |more: Value| {
        let key = key.clone();
        let mut words = body(json!({
            "objectives_met": false, "assessment_adequate": true, "steps_adequate": true, "summary": "Nobody unloaded.",
        }));
        words.extend(body(more));
        attempt(&world, "rita", move |cx| review_change(cx, &key, &words))
    };
    assert_eq!(code(say(json!({}))), "cause missing");
    assert_eq!(code(say(json!({"cause": "dock_strikes"}))), "cause unknown");
    say(json!({"cause": "dock_strike", "cause_text": "The north dock stood still."})).unwrap();
    let end = |cx: &mut Context<'_, '_>| noun::end::<Cause>(cx, "dock_strike");
    assert_eq!(code(attempt_as_system(&world, end)), "in_use");
    world.sequence();
    world.assert_replays();
}

#[test]
fn causes_are_extended_retired_and_removed_only_while_nobody_names_them() {
    let world = World::new();
    let add = |more: Value| {
        let wanted = body(more);
        move |cx: &mut Context<'_, '_>| noun::add::<Cause>(cx, &wanted)
    };
    let own = json!({"key": "dock_strike", "name": "A strike", "features": ["disruption"]});
    world.system(add(own.clone()));
    assert_eq!(code(attempt_as_system(&world, add(own))), "key not_unique");
    let shipped = json!({"key": "capacity", "name": "Other"});
    assert_eq!(code(attempt_as_system(&world, add(shipped))), "key not_unique");
    let wrong = json!({"key": "Not a key", "name": "n"});
    assert_eq!(code(attempt_as_system(&world, add(wrong))), "key not_a_key");
    let found = incident(&world, "Slow");
    reviewed(&world, &found, "dock_strike");
    let end = |key: &'static str| move |cx: &mut Context<'_, '_>| noun::end::<Cause>(cx, key);
    assert_eq!(code(attempt_as_system(&world, end("dock_strike"))), "in_use");
    world.system(|cx| noun::edit::<Cause>(cx, "dock_strike", &body(json!({"is_retired": true}))));
    let other = incident(&world, "Slower");
    let named = review(&world, json!({"incident_key": other, "cause": "dock_strike"}));
    assert_eq!(code(named), "cause unknown", "a retired cause is named no more");
    review(
        &world,
        json!({"incident_key": found, "summary": "Corrected.", "cause": "dock_strike", "is_complete": true}),
    )
    .unwrap();
    // A shipped cause that nobody names is removed as well, and can be added again.
    world.system(end("unannounced"));
    let named = review(&world, json!({"incident_key": other, "cause": "unannounced"}));
    assert_eq!(code(named), "cause unknown");
    world.system(add(json!({"key": "unannounced", "name": "Again"})));
    world.sequence();
    world.assert_replays();
}

fn attempt_as_system<T: Send + 'static>(
    world: &World,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Refusal> {
    let actor = model::change::change_file::Actor::system();
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Ok(done) => Ok(done),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

fn change(world: &World, key: &str) -> Change {
    let key = key.to_owned();
    world.look(move |cx| cx.change(&key)).unwrap()
}

#[test]
fn a_root_cause_moves_the_pending_changes_that_share_its_features_and_no_others() {
    let world = with_history();
    assert!(keep(&world, material(&world).unwrap()));
    let plain = world.draft("Plain");
    let hard = world.draft_of("Hard", "git:bbbbe5e");
    let k = hard.clone();
    world.by("rita", move |cx| {
        acts::change::edit_change::edit_change(cx, &k, &body(json!({"complexity": "high"}))).map(drop)
    });
    let recorded = [change(&world, &plain), change(&world, &hard)].map(|it| it.forecast);
    assert!(recorded.iter().all(|it| it.as_ref().unwrap().probability_ppm.is_some()));
    let due = |since: Timestamp| world.look(move |cx| find_due(cx, since)).unwrap();
    assert_eq!(due(Timestamp::MIN), [], "no review named a cause");
    // Behind the watch windows of the history, which would all take note of the incident.
    go_to(&world, "2026-12-05T08:00:00Z");
    let found = incident(&world, "Slow");
    reviewed(&world, &found, "configuration_error");
    let moves = due(Timestamp::MIN);
    assert_eq!(moves.len(), 1, "{moves:#?}");
    assert_eq!((&moves[0].change_key, &moves[0].incident_key), (&hard, &found));
    let wanted = moves.clone();
    assert_eq!(world.system(move |cx| keep_moves(cx, &wanted)), 1);
    assert_eq!(
        world.system(move |cx| keep_moves(cx, &moves)),
        0,
        "another server wrote it already"
    );
    assert_eq!(due(Timestamp::MIN), []);
    let after = [change(&world, &plain), change(&world, &hard)];
    assert_eq!(after.clone().map(|it| it.forecast), recorded, "recorded figures stay");
    let hard = after[1].clone();
    let kept = world.look(move |cx| moves_of(cx, &hard)).unwrap();
    assert!(kept[0].to_ppm > kept[0].from_ppm);
    assert!(
        kept[0].told().contains("because it is of high complexity"),
        "{}",
        kept[0].told()
    );
}

/// A move is no mere note: rules read the moved figure, and a change that was ready waits for the requirements of then.
#[test]
fn a_change_that_reviews_moved_far_enough_is_asked_for_a_peer() {
    let world = with_history();
    assert!(keep(&world, material(&world).unwrap()));
    let late = json!({"key": "late_work", "name": "Late work", "features": ["expedited"]});
    world.system(move |cx| noun::add::<Cause>(cx, &body(late.clone())));
    let key = world.draft_at("Late", "git:bbbbe5e", ["2026-12-10T10:00:00Z", "2026-12-10T12:00:00Z"]);
    let k = key.clone();
    world.by("rita", move |cx| {
        let more = json!({"expedited": true, "expedited_reason": "Customs told us late."});
        acts::change::edit_change::edit_change(cx, &k, &body(more)).map(drop)
    });
    let key = world.approved(key);
    assert_eq!(change(&world, &key).state, State::Scheduled);
    // Behind the watch windows of the history, as above.
    go_to(&world, "2026-12-05T08:00:00Z");
    for title in ["Slow", "Slower", "Dead", "Gone", "Lost", "Mute"] {
        let found = incident(&world, title);
        reviewed(&world, &found, "late_work");
        world.pass_seconds(60);
    }
    let told = || {
        let k = key.clone();
        let found = world.look(move |cx| {
            let (file, directory) = (cx.file(&k)?, cx.directory()?);
            let rows = file.requirements.obligations.iter();
            let rules: Vec<String> = rows.map(|row| row.obligation.id.clone()).collect();
            Ok((change_facts(&file, &directory, TENANT).forecast.unwrap(), rules))
        });
        found.unwrap()
    };
    let rule = "base.require.peer_review_when_likely_to_fail".to_owned();
    let (before, rules) = told();
    assert!(before.moved_ppm.is_none() && !rules.contains(&rule), "{before:?}");
    let moves = world.look(|cx| find_due(cx, Timestamp::MIN)).unwrap();
    assert_eq!(world.system(move |cx| keep_moves(cx, &moves)), 6);
    let (after, rules) = told();
    assert_eq!(
        after.probability_ppm, before.probability_ppm,
        "the recorded figure stays"
    );
    assert!(after.moved_ppm >= Some(100_000) && rules.contains(&rule), "{after:?}");
    assert_eq!(change(&world, &key).state, State::Authorizing);
}

fn problem(world: &World, key: &str) -> ProblemRecord {
    let key = key.to_owned();
    world.look(move |cx| noun::show::<ProblemRecord>(cx, &key)).unwrap()
}

/// Ends the work on a change as a closed one ended.
fn finish(world: &World, key: &str, like: &Change) {
    let (key, like) = (key.to_owned(), like.clone());
    world.system(move |cx| {
        let fix = cx.change(&key)?;
        let done = Change {
            id: fix.id,
            version: fix.version,
            key: fix.key,
            number: fix.number,
            actual_start: Some(cx.now),
            actual_end: Some(cx.now),
            seen_work: SeenWork::default(),
            ..like.clone()
        };
        cx.put_estate("change.closed", done, json!({})).map(drop)
    });
}

#[test]
fn a_duplicate_is_no_failure_of_its_own() {
    let world = World::new();
    let keys = ["Slow", "Slower", "Dead"].map(|title| {
        let found = incident(&world, title);
        reviewed(&world, &found, "capacity");
        world.pass_seconds(60);
        found
    });
    let wanted = body(json!({"from": keys[2], "kind": "duplicate_of", "to": keys[0]}));
    world.by("mona", move |cx| noun::add::<RecordLink>(cx, &wanted));
    assert_eq!(world.by("mona", search_problems), []);
}

#[test]
fn three_failures_propose_one_problem_whose_fix_is_judged_by_recurrence() {
    let world = World::new();
    for title in ["Slow", "Slower", "Dead"] {
        let found = incident(&world, title);
        reviewed(&world, &found, "capacity");
        world.pass_seconds(60);
    }
    let search = || world.by("mona", search_problems);
    let proposed = search();
    assert_eq!(proposed.len(), 1, "{proposed:#?}");
    let key = proposed[0].key.clone();
    assert_eq!(
        (proposed[0].state, proposed[0].cases.len()),
        (ProblemState::Proposed, 3)
    );
    assert_eq!(search(), [], "what is proposed is not proposed again");
    let links = world.look(|cx| find_links(cx, "INC-101")).unwrap();
    assert_eq!(
        (links[0].reads.words(), links[0].other.key.as_str()),
        ("caused by", key.as_str())
    );

    let act = |body: Value, what: fn(&mut Context<'_, '_>, &str, &model::core::body::Body) -> Result<ProblemRecord>| {
        let (key, body) = (key.clone(), crate::world::body(body));
        attempt(&world, "mona", move |cx| what(cx, &key, &body))
    };
    assert_eq!(code(act(json!({"accepted": false}), decide_problem)), "reason missing");
    assert_eq!(code(act(json!({}), fix_problem)), "not_open");
    let accepted = act(json!({"accepted": true}), decide_problem).unwrap();
    let fix = accepted.fix.clone().unwrap();
    let drafted = change(&world, &fix);
    assert!(drafted.content.title.contains(&key), "{}", drafted.content.title);
    assert_eq!(
        (drafted.state, drafted.content.targets[0].service.as_str()),
        (State::Draft, "pay")
    );
    assert_eq!(code(act(json!({"accepted": true}), decide_problem)), "decided");
    let helped = |helped: bool| json!({"helped": helped, "reason": "Seen."});
    assert_eq!(code(act(helped(true), judge_problem)), "fix_not_done");
    world.sequence();
    world.assert_replays();

    let first = world.closed("One");
    finish(&world, &fix, &change(&world, &first));
    assert_eq!(code(act(helped(true), judge_problem)), "too_early");
    go_to(&world, "2026-12-01T08:00:00Z");
    assert_eq!(act(helped(true), judge_problem).unwrap().state, ProblemState::Closed);
    assert_eq!(search(), []);

    // It recurs more often than before: the fix was useless, and the problem is open again.
    let again = incident(&world, "Slow again");
    reviewed(&world, &again, "capacity");
    world.pass_seconds(60);
    search();
    let reopened = problem(&world, &key);
    assert_eq!(
        (reopened.state, reopened.fix, reopened.former_fixes),
        (ProblemState::Open, None, vec![fix])
    );
    assert!(reopened.cases.contains(&again));
    let next = act(json!({}), fix_problem).unwrap();
    assert!(next.fix.is_some());
    assert_eq!(code(act(json!({}), fix_problem)), "fix_is_there");
}

/// The key of a problem that three outages with one cause propose.
fn proposed_problem(world: &World) -> String {
    for title in ["Slow", "Slower", "Dead"] {
        let found = incident(world, title);
        reviewed(world, &found, "capacity");
        world.pass_seconds(60);
    }
    world.by("mona", search_problems)[0].key.clone()
}

#[test]
fn a_problem_that_was_dismissed_is_not_proposed_again_for_the_same_failures() {
    let world = World::new();
    let key = proposed_problem(&world);
    world.by("mona", move |cx| {
        decide_problem(
            cx,
            &key,
            &body(json!({"accepted": false, "reason": "Three exercises."})),
        )
    });
    assert_eq!(world.by("mona", search_problems), []);
    let refused = attempt(&world, "rita", search_problems);
    assert!(matches!(refused, Err(Refusal::NotAllowed { .. })), "{refused:?}");
}

#[test]
fn a_problem_is_an_item_until_it_is_decided_and_then_until_it_is_closed() {
    let world = World::new();
    let key = proposed_problem(&world);
    let asked = |part: &'static str| item(&world, (AboutKind::Problem, &key), part);
    let [mona, olga] = ["mona", "olga"].map(|login| world.actor(login).person);
    let proposed = asked("decide").unwrap();
    assert_eq!((proposed.state, proposed.owner), (ActionState::Open, Some(olga)));
    assert_eq!(asked("fix"), None);
    let act = |more: Value, what: fn(&mut Context<'_, '_>, &str, &model::core::body::Body) -> Result<ProblemRecord>| {
        let (key, more) = (key.clone(), body(more));
        world.by("mona", move |cx| what(cx, &key, &more))
    };
    let fix = act(json!({"accepted": true}), decide_problem).fix.unwrap();
    assert_eq!(asked("decide").unwrap().state, ActionState::Done);
    let accepted = asked("fix").unwrap();
    assert_eq!((accepted.state, accepted.owner), (ActionState::Open, Some(mona)));
    let first = world.closed("One");
    finish(&world, &fix, &change(&world, &first));
    go_to(&world, "2026-12-01T08:00:00Z");
    act(json!({"helped": true, "reason": "Quiet."}), judge_problem);
    assert_eq!(asked("fix").unwrap().state, ActionState::Done);
}

#[test]
fn a_problem_that_was_accepted_by_mistake_is_dismissed_and_its_item_is_settled() {
    let world = World::new();
    let key = proposed_problem(&world);
    let decide = |more: Value| {
        let (key, more) = (key.clone(), body(more));
        attempt(&world, "mona", move |cx| decide_problem(cx, &key, &more))
    };
    decide(json!({"accepted": true})).unwrap();
    assert_eq!(code(decide(json!({"accepted": true}))), "decided");
    let dismissed = decide(json!({"accepted": false, "reason": "Three exercises."})).unwrap();
    assert_eq!(dismissed.state, ProblemState::Dismissed);
    let asked = item(&world, (AboutKind::Problem, &key), "fix").unwrap();
    assert_eq!(asked.state, ActionState::Done);
    assert_eq!(
        code(decide(json!({"accepted": false, "reason": "Once more."}))),
        "decided"
    );
}
