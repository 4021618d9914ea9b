//! Lessons: a right that needs one stops with it and comes back with its test; nobody but the person earns it so; an assigned
//! lesson is settled by the training alone.

use acts::cab::lessons::{answer_attempt, lesson_figures, lesson_scores, own_lessons};
use acts::cab::training::set_training;
use acts::core::noun;
use acts::{Context, Error, Result};
use model::cab::lesson::{self, LessonFigures};
use model::cab::lesson_assignment::{KIND, LessonAssignment, about};
use model::cab::lesson_attempt::LessonAttempt;
use model::change::change_file::{Actor, Lent};
use model::core::enums::ActionState;
use model::core::refusal::Refusal;
use model::notify::action_item::ActionItem;
use model::notify::business_unit::BusinessUnit;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

const LESSON: &str = "approval";
const POLICY: &str = "@id(\"house.act.unlessoned\")\n@reason(\"Who approves has passed the lesson on approvals.\")\n\
    forbid (principal, action == Action::\"approve_change\", resource)\n\
    when { !principal.trainings.contains(\"approval\") };\n";

fn attempt<T: Send + 'static>(
    world: &World,
    actor: Actor,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act)
}

/// The code of a refusal, or of its policy; empty where it was done.
fn code<T: std::fmt::Debug>(done: Result<T>) -> String {
    match done {
        Ok(_) => String::new(),
        Err(Error::Refused(Refusal::NotAllowed { policies, code, .. })) => {
            policies.first().map_or(code.to_owned(), |policy| policy.id.clone())
        }
        Err(Error::Refused(Refusal::Invalid(errors))) => errors[0].code.clone(),
        Err(Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

fn begun(world: &World, login: &'static str, before: bool) -> LessonAttempt {
    world.by(login, move |cx| {
        noun::add::<LessonAttempt>(cx, &body(json!({"lesson": LESSON, "before": before})))
    })
}

/// The right letters of a test, the first `wrong` of them changed.
fn letters(attempt: &LessonAttempt, wrong: usize) -> Vec<String> {
    let lesson = lesson::find(&attempt.lesson).unwrap();
    let rights = attempt
        .questions
        .iter()
        .map(|name| lesson.question(name).unwrap().right.as_str());
    let other = |right: &str| if right == "a" { "b" } else { "a" };
    let given = rights.enumerate();
    given
        .map(|(place, right)| if place < wrong { other(right) } else { right }.to_owned())
        .collect()
}

fn answered(world: &World, login: &'static str, wrong: usize) -> LessonAttempt {
    let test = begun(world, login, false);
    let answers = json!({"answers": letters(&test, wrong)});
    world.by(login, move |cx| {
        answer_attempt(cx, test.id.as_str(), &body(answers.clone()))
    })
}

/// A change that waits for its approvals.
fn asked(world: &World, start: &str, end: &str) -> String {
    let key = world.draft_at("Widen the column", ARTIFACT, [start, end]);
    let (submitted, assessed) = (key.clone(), key.clone());
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &submitted));
    world.by("rita", move |cx| {
        acts::change::verbs::assess_change(cx, &assessed, &body(json!({"dependencies_reviewed": true})))
    });
    key
}

fn approves(world: &World, login: &'static str, key: &str) -> String {
    let key = key.to_owned();
    let done = attempt(world, world.actor(login), move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let request = body(json!({"decision": "approve", "content_digest": digest}));
        acts::approval::verbs::approve_change(cx, &key, &request).map(|_| ())
    });
    code(done)
}

fn assigned(world: &World, request: Value) -> LessonAssignment {
    world.by("mona", move |cx| {
        noun::add::<LessonAssignment>(cx, &body(request.clone()))
    })
}

fn item_of(world: &World, assignment: &LessonAssignment, login: &'static str) -> Option<ActionItem> {
    let (assignment, person) = (assignment.clone(), world.actor(login).person);
    let part = assignment.part(&person);
    let look = world.look(move |cx| acts::notify::action_items::find(cx, KIND, &about(&assignment.lesson), &part));
    look.unwrap()
}

#[test]
fn an_expired_lesson_stops_the_right_that_needs_it_and_a_passed_one_restores_it() {
    let world = World::with_policy(POLICY);
    let key = asked(&world, "2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z");
    let due = json!({"lesson": LESSON, "person": "olga", "due_at": "2026-11-27T08:00:00Z"});
    let assignment = assigned(&world, due);
    assert_eq!(approves(&world, "olga", &key), "house.act.unlessoned");
    assert!(!answered(&world, "olga", 1).passed, "one answer is wrong");
    assert_eq!(approves(&world, "olga", &key), "house.act.unlessoned");
    assert!(item_of(&world, &assignment, "olga").unwrap().state.is_open());
    assert!(answered(&world, "olga", 0).passed);
    assert_eq!(approves(&world, "olga", &key), "");
    assert_eq!(item_of(&world, &assignment, "olga").unwrap().state, ActionState::Done);
    assert_eq!(
        approves(&world, "sam", &key),
        "house.act.unlessoned",
        "another's test earns nothing"
    );

    world.pass_seconds(366 * 86_400);
    let later = asked(&world, "2027-11-21T12:00:00Z", "2027-11-21T14:00:00Z");
    assert_eq!(approves(&world, "olga", &later), "house.act.unlessoned", "it has ended");
    let own = world.by("olga", own_lessons);
    let own = own.iter().find(|it| it.lesson.id == LESSON).unwrap();
    assert!(own.is_expired && own.valid_until.is_none());
    assert!(answered(&world, "olga", 0).passed);
    assert_eq!(approves(&world, "olga", &later), "");
    world.sequence();
    world.assert_replays();
}

#[test]
fn nobody_but_the_person_passes_a_lesson_and_three_times_a_day_is_enough() {
    let world = World::new();
    let begin = |cx: &mut Context<'_, '_>| noun::add::<LessonAttempt>(cx, &body(json!({"lesson": LESSON})));
    let lent = Actor {
        by_token: true,
        method: "token".to_owned(),
        lent: Some(Lent {
            maker: world.actor("mona").person,
            roles: None,
            services: None,
        }),
        ..world.actor("olga")
    };
    assert_eq!(code(attempt(&world, lent.clone(), begin)), "lent_voice");
    assert_eq!(code(attempt(&world, Actor::system(), begin)), "not_a_person");
    let test = begun(&world, "olga", false);
    assert_eq!(
        begun(&world, "olga", false).id,
        test.id,
        "an open test is not drawn anew"
    );
    let (id, answers) = (test.id.to_string(), json!({"answers": letters(&test, 0)}));
    let answer = move |cx: &mut Context<'_, '_>| answer_attempt(cx, &id, &body(answers.clone()));
    assert_eq!(
        code(attempt(&world, world.actor("sam"), answer.clone())),
        "not_found",
        "a test of another"
    );
    assert_eq!(code(attempt(&world, lent, answer.clone())), "lent_voice");
    assert_eq!(code(attempt(&world, world.actor("olga"), answer.clone())), "");
    assert_eq!(code(attempt(&world, world.actor("olga"), answer)), "answered");
    answered(&world, "olga", 1);
    answered(&world, "olga", 1);
    assert_eq!(code(attempt(&world, world.actor("olga"), begin)), "too_many");
    world.pass_seconds(86_400);
    assert_eq!(code(attempt(&world, world.actor("olga"), begin)), "");
    let named = attempt(&world, world.actor("olga"), |cx| {
        noun::add::<LessonAttempt>(cx, &body(json!({"lesson": "aproval"})))
    });
    assert_eq!(code(named), "unknown");
}

#[test]
fn questions_before_a_lesson_earn_nothing_and_come_first() {
    let world = World::new();
    let test = begun(&world, "olga", true);
    let answers = json!({"answers": letters(&test, 0)});
    let done = world.by("olga", move |cx| {
        answer_attempt(cx, test.id.as_str(), &body(answers.clone()))
    });
    assert_eq!((done.right, done.passed), (3, false));
    let olga = world.actor("olga").person;
    let trained = world.look(move |cx| Ok(cx.directory()?.is_trained(&olga, LESSON, cx.now)));
    assert!(!trained.unwrap());
    let again = attempt(&world, world.actor("olga"), |cx| {
        noun::add::<LessonAttempt>(cx, &body(json!({"lesson": LESSON, "before": true})))
    });
    assert_eq!(code(again), "too_late");
    answered(&world, "olga", 0);
    let scores = world.by("mona", lesson_scores);
    let score = scores.iter().find(|it| it.lesson == LESSON).unwrap();
    assert_eq!((score.people, score.before, score.tests, score.passed), (1, None, 1, 1));
    assert_ne!(
        code(attempt(&world, world.actor("olga"), lesson_scores)),
        "",
        "scores are for change managers"
    );
    assert_eq!(
        world.by("olga", lesson_figures),
        LessonFigures::example(),
        "a tenant without changes"
    );
}

#[test]
fn an_assignment_asks_each_member_and_a_live_session_counts() {
    let world = World::new();
    world.system(|cx| {
        let group = body(json!({"key": "board", "name": "Board", "members": ["olga", "sam"]}));
        acts::directory::set_person::set_group(cx, "board", &group).map(drop)
    });
    let request = json!({"lesson": LESSON, "group": "board", "due_at": "2026-12-01T08:00:00Z"});
    let assignment = assigned(&world, request.clone());
    let state = |login: &'static str| item_of(&world, &assignment, login).map(|item| item.state);
    assert_eq!(
        (state("olga"), state("sam"), state("rita")),
        (Some(ActionState::Open), Some(ActionState::Open), None)
    );
    let live = json!({"person": "sam", "training": LESSON, "starts_at": "2026-11-20T08:00:00Z", "ends_at": "2027-11-20T08:00:00Z"});
    world.system(move |cx| set_training(cx, &body(live.clone())).map(drop));
    assert_eq!(state("sam"), Some(ActionState::Done));
    assert_eq!(assigned(&world, request).id, assignment.id, "the same one again");
    assert_eq!(
        state("sam"),
        Some(ActionState::Done),
        "who is trained is not asked again"
    );
    let id = assignment.id.clone();
    world.by("mona", move |cx| noun::end::<LessonAssignment>(cx, id.as_str()));
    assert_eq!(state("olga"), Some(ActionState::Done));
    let refused = |request: Value| {
        let done = attempt(&world, world.actor("mona"), move |cx| {
            noun::add::<LessonAssignment>(cx, &body(request.clone()))
        });
        code(done)
    };
    let ahead = "2026-12-01T08:00:00Z";
    assert_eq!(
        refused(json!({"lesson": "none", "person": "olga", "due_at": ahead})),
        "unknown"
    );
    assert_eq!(refused(json!({"lesson": LESSON, "due_at": ahead})), "missing");
    assert_eq!(
        refused(json!({"lesson": LESSON, "person": "olga", "group": "board", "due_at": ahead})),
        "both"
    );
    let behind = json!({"lesson": LESSON, "person": "olga", "due_at": "2026-11-20T07:00:00Z"});
    assert_eq!(refused(behind), "in_the_past");
    let by_olga = attempt(&world, world.actor("olga"), |cx| {
        let request = json!({"lesson": LESSON, "person": "sam", "due_at": "2026-12-01T08:00:00Z"});
        noun::add::<LessonAssignment>(cx, &body(request))
    });
    assert_ne!(code(by_olga), "", "lessons are assigned by change managers");
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_assignment_asks_the_contacts_of_a_business_unit() {
    let world = World::new();
    for (key, contacts) in [("dispatch", json!(["sam", "olga"])), ("post", json!([]))] {
        let unit = body(
            json!({"key": key, "name": key, "services": ["pay"], "contacts": contacts,
            "mail_addresses": ["desk@halden.example"]}),
        );
        world.system(move |cx| noun::add::<BusinessUnit>(cx, &unit));
    }
    let request = json!({"lesson": LESSON, "business_unit": "dispatch", "due_at": "2026-12-01T08:00:00Z"});
    let assignment = assigned(&world, request.clone());
    let state = |login: &'static str| item_of(&world, &assignment, login).map(|item| item.state);
    assert_eq!(
        (state("olga"), state("sam"), state("rita")),
        (Some(ActionState::Open), Some(ActionState::Open), None)
    );
    assert_eq!(assigned(&world, request).id, assignment.id, "the same one again");
    let refused = |more: Value| {
        let mut request = body(json!({"lesson": LESSON, "due_at": "2026-12-01T08:00:00Z"}));
        request.extend(body(more));
        let done = attempt(&world, world.actor("mona"), move |cx| {
            noun::add::<LessonAssignment>(cx, &request)
        });
        code(done)
    };
    assert_eq!(refused(json!({"business_unit": "nowhere"})), "unknown");
    assert_eq!(refused(json!({"business_unit": "post"})), "empty");
    assert_eq!(refused(json!({"business_unit": "dispatch", "person": "sam"})), "both");
    world.assert_replays();
}

#[test]
fn a_live_session_trains_those_who_took_part_once_it_has_begun() {
    use model::cab::lesson_session::LessonSession;
    let world = World::new();
    world.system(|cx| {
        let ada = body(json!({"login": "ada", "roles": ["admin"]}));
        acts::directory::set_person::create_person(cx, &ada).map(drop)
    });
    let request = json!({"lesson": LESSON, "person": "sam", "due_at": "2026-12-01T08:00:00Z"});
    let assignment = assigned(&world, request);
    let planned = body(json!({"lesson": LESSON, "starts_at": "2026-11-20T09:00:00Z", "text": "Room 4"}));
    let session = world.by("mona", move |cx| noun::add::<LessonSession>(cx, &planned));
    assert_eq!(session.minutes, 60);
    let adds = |login: &'static str, wanted: Value| {
        let (id, wanted) = (session.id.0.clone(), body(wanted));
        code(attempt(&world, world.actor(login), move |cx| {
            noun::edit::<LessonSession>(cx, &id, &wanted)
        }))
    };
    let trained = |login: &'static str| {
        let person = world.actor(login).person;
        world
            .look(move |cx| Ok(cx.directory()?.is_trained(&person, LESSON, cx.now)))
            .unwrap()
    };
    assert_eq!(adds("ada", json!({"people": ["sam"]})), "not_begun");
    world.pass_seconds(2 * 3_600);
    assert_eq!(adds("ada", json!({"people": ["ada"]})), "own_request");
    assert_eq!(adds("ada", json!({"people": ["nobody"]})), "unknown");
    assert!(
        !adds("mona", json!({"people": ["sam"]})).is_empty(),
        "she records no trainings"
    );
    assert!(!trained("sam"));
    assert_eq!(adds("ada", json!({"people": ["sam"]})), "");
    assert!(trained("sam") && !trained("olga"));
    world.sequence();
    let events = world
        .look(|cx| Ok(store::audit::event::page(cx.tx, 0, 5_000)?))
        .unwrap();
    let own = events.iter().filter(|it| it.kind.starts_with("lesson_session."));
    for event in own {
        let mut named = model::cab::lesson_session::CARD.events.iter();
        assert!(
            named.any(|it| it.kind == event.kind),
            "{} has no words in the log",
            event.kind
        );
    }
    let item = item_of(&world, &assignment, "sam").map(|item| item.state);
    assert_eq!(item, Some(ActionState::Done));
    assert_eq!(adds("ada", json!({"people": ["olga"]})), "not_allowed", "sam took part");
    assert_eq!(adds("ada", json!({"lesson": "intervals"})), "not_allowed");
    assert_eq!(adds("ada", json!({"people": ["sam", "olga"], "minutes": 45})), "");
    let count = world.look(|cx| Ok(cx.directory()?.trainings.iter().count())).unwrap();
    assert_eq!(
        (trained("olga"), count),
        (true, 2),
        "nobody is trained twice by one session"
    );
    world.assert_replays();
}
