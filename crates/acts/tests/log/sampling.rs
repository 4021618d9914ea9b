//! Audit samples: the working paper and the conclusion come from the same place of the log.

use acts::approval::set_delegation::set_delegation;
use acts::audit::audit_paper::{items, sign_sample};
use acts::core::{noun, write};
use acts::directory::set_person;
use model::audit::audit_conclusion::AuditConclusion;
use model::audit::audit_sample::AuditSample;
use model::core::enums::AuditAnswer;
use serde_json::json;
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

/// The present time, at which a span may end that has all work so far.
fn now(world: &World) -> String {
    world.pass_seconds(1);
    world.look(|cx| Ok(cx.now)).unwrap().to_string()
}

#[test]
fn a_paper_answers_from_the_log_as_it_was_when_the_sample_was_drawn() {
    let world = World::new();
    let auditor = body(json!({"login": "aud", "roles": ["auditor"]}));
    world.system(move |cx| set_person::create_person(cx, &auditor));
    let key = world.closed("Add a column");
    world.sequence();
    let wanted = body(json!({
        "title": "Quarter", "control": "A.8.32-b", "from": "2020-01-01T00:00:00Z", "to": now(&world),
        "seed": "a seed", "size": 1,
    }));
    let sample = world.by("aud", move |cx| noun::add::<AuditSample>(cx, &wanted));
    assert_eq!(sample.changes, [key.as_str()]);
    let shown = |world: &World| {
        let id = sample.id.0.clone();
        let (_, items) = world.by("aud", move |cx| items(cx, &id));
        let answers = items.into_iter().flat_map(|it| it.answers);
        answers
            .map(|it| format!("{}={}", it.rule, it.prefilled.as_str()))
            .collect::<Vec<_>>()
    };
    let before = shown(&world);
    let overrun = |answer: AuditAnswer| format!("overrun={}", answer.as_str());
    assert!(before.contains(&overrun(AuditAnswer::Held)), "{before:?}");
    let of = key.clone();
    world.system(move |cx| {
        let subject = ("change", cx.change(&of)?.id.0);
        let event = write::draft("change.overrun", subject, cx.now, json!({}));
        cx.emit(vec![event], write::Written::default())
    });
    world.sequence();
    assert_eq!(shown(&world), before, "what came later changes no answer");
    let said = body(json!({"sample": sample.id, "change": key, "verdict": "effective", "text": "In its times."}));
    let concluded = world.by("aud", move |cx| noun::add::<AuditConclusion>(cx, &said));
    assert_eq!(concluded.answers, before, "a conclusion takes what the paper shows");
}

#[test]
fn what_began_in_the_span_can_be_drawn_though_it_is_not_closed() {
    let world = World::new();
    let auditor = body(json!({"login": "aud", "roles": ["auditor"]}));
    world.system(move |cx| set_person::create_person(cx, &auditor));
    world.draft("Not begun");
    let key = world.scheduled("Left open");
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
    let started = key.clone();
    world.by("ivo", move |cx| acts::change::verbs::start_change(cx, &started));
    let draw = |from: &str, to: &str| {
        world.sequence();
        let wanted = body(json!({
            "title": "Quarter", "control": "A.8.32-b", "from": from, "to": to, "seed": "a seed", "size": 1,
        }));
        world.by("aud", move |cx| noun::add::<AuditSample>(cx, &wanted))
    };
    let sample = draw("2020-01-01T00:00:00Z", &now(&world));
    assert_eq!((sample.changes, sample.population), (vec![key], 1));
    assert!(sample.strata[0].contains(", implementing"), "{:?}", sample.strata);
    let before = draw("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
    assert_eq!(before.population, 0, "its work began after the span");
}

#[test]
fn a_span_that_ends_ahead_is_refused_and_a_sample_without_changes_is_not_signed() {
    let world = World::new();
    let auditor = body(json!({"login": "aud", "roles": ["auditor"]}));
    world.system(move |cx| set_person::create_person(cx, &auditor));
    world.closed("Add a column");
    world.sequence();
    let wanted =
        |from: &str, to: &str| body(json!({"title": "Quarter", "control": "A.8.32-b", "from": from, "to": to}));
    let code = |done: acts::Result<AuditSample>| match done {
        Ok(_) => String::new(),
        Err(acts::Error::Refused(refusal)) => format!("{refusal:?}"),
        Err(error) => panic!("{error:?}"),
    };
    let run = |wanted: model::core::body::Body| {
        let act = move |cx: &mut acts::Context<'_, '_>| noun::add::<AuditSample>(cx, &wanted);
        world
            .executor
            .wait(Lane::Acts, TENANT, world.actor("aud"), Mode::Write, act)
    };
    let ahead = code(run(wanted("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z")));
    assert!(ahead.contains("in_the_future"), "{ahead}");
    let empty = run(wanted("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")).unwrap();
    assert_eq!((empty.population, empty.changes.len()), (0, 0));
    let id = empty.id.0.clone();
    let act = move |cx: &mut acts::Context<'_, '_>| sign_sample(cx, &id);
    let signed = code(
        world
            .executor
            .wait(Lane::Acts, TENANT, world.actor("aud"), Mode::Write, act),
    );
    assert!(signed.contains("empty_sample"), "{signed}");
    assert_eq!(code(run(wanted("2020-01-01T00:00:00Z", &now(&world)))), "");
}

#[test]
fn the_population_is_that_of_the_log_and_a_reading_just_before_serves_for_a_minute() {
    let world = World::new();
    let auditor = body(json!({"login": "aud", "roles": ["auditor"]}));
    world.system(move |cx| set_person::create_person(cx, &auditor));
    let key = world.closed("In the log");
    world.sequence();
    let window = ["2026-11-20T12:30:00Z", "2026-11-20T15:00:00Z"];
    let next = world.draft_at("In the database alone", ARTIFACT, window);
    world.closed_of(world.approved(next));
    let to = now(&world);
    let draw = || {
        let wanted = body(json!({
            "title": "Quarter", "control": "A.8.32-b", "from": "2020-01-01T00:00:00Z", "to": to,
            "seed": "a seed", "size": 2,
        }));
        world.by("aud", move |cx| noun::add::<AuditSample>(cx, &wanted))
    };
    let sample = draw();
    assert_eq!((sample.changes, sample.population), (vec![key], 1));
    world.by("aud", noun::read_first::<AuditSample>);
    world.sequence();
    let second = draw();
    assert_eq!(
        (second.population, second.log_size),
        (1, sample.log_size),
        "what was read just now"
    );
    world.pass_seconds(61);
    let third = draw();
    assert_eq!(third.population, 2);
    assert!(third.log_size > sample.log_size, "it was read again");
}

#[test]
fn nobody_concludes_on_what_an_account_that_counts_as_theirs_had_a_part_in() {
    let world = World::new();
    let admin = body(json!({"login": "ada", "roles": ["admin"]}));
    world.system(move |cx| set_person::create_person(cx, &admin));
    let key = world.closed("Add a column");
    world.sequence();
    let wanted = body(json!({
        "title": "Quarter", "control": "A.8.32-b", "from": "2020-01-01T00:00:00Z", "to": now(&world),
        "seed": "a seed", "size": 1,
    }));
    let sample = world.by("ada", move |cx| noun::add::<AuditSample>(cx, &wanted));
    world.by("ada", |cx| {
        let end = cx.now + jiff::SignedDuration::from_hours(48);
        let lent =
            json!({"delegate": "rita", "starts_at": cx.now.to_string(), "ends_at": end.to_string(), "reason": "Away"});
        set_delegation(cx, &body(lent)).map(drop)
    });
    world.pass_seconds(60);
    let conclude = || {
        let said = body(json!({"sample": sample.id, "change": key, "verdict": "effective", "text": "In its times."}));
        let actor = world.actor("ada");
        let act = move |cx: &mut acts::Context<'_, '_>| noun::add::<AuditConclusion>(cx, &said);
        match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
            Ok(_) => String::new(),
            Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(conclude(), "not_independent", "rita, who asked for it, acts for ada");
    world.pass_seconds(49 * 3_600);
    assert_eq!(conclude(), "", "it is over");
}
