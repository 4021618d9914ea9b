//! Dashboards that are mailed, each letter once and as its reader may read; trials of templates by halves; missing facts.

use acts::change::{create_change, set_template, verbs};
use acts::core::noun;
use acts::directory::set_service;
use acts::effects::run_timer;
use acts::report::find_rework::find_template_report;
use acts::report::find_tiles::find_dashboard;
use acts::report::send_dashboard;
use model::change::related_records::Message;
use model::change::template::feedback::TemplateFeedback;
use model::change::template::trial::{TemplateTrial, is_in_variant};
use model::report::dashboard_subscription::DashboardSubscription;
use model::report::saved_dashboard::Dashboard;
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn letters(world: &World) -> Vec<Message> {
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let all = all.unwrap().into_iter();
    all.filter(|it| it.topic == send_dashboard::TOPIC).collect()
}

fn run(world: &World, id: &str) {
    let id = id.to_owned();
    world.system(move |cx| run_timer::run_timer(cx, send_dashboard::TABLE, &id));
}

fn refused<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let actor = world.actor(login);
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    match done {
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(fault) => panic!("{fault:?}"),
        Ok(_) => "done".to_owned(),
    }
}

#[test]
fn a_letter_comes_at_its_time_once_and_says_what_its_reader_may_read() {
    let world = World::new();
    let key = world.draft("Move booking to 4.2");
    let saved = json!({"title": "Mine", "tiles": ["states"], "is_shared": false});
    let mine = world.by("rita", move |cx| noun::add::<Dashboard>(cx, &body(saved.clone())));
    let id = mine.id.0.clone();
    let letter = json!({"dashboard": id, "rhythm": "daily", "hour": 7});
    let subscription = world.by("rita", move |cx| {
        noun::add::<DashboardSubscription>(cx, &body(letter.clone()))
    });
    run(&world, subscription.id.as_str());
    assert_eq!(letters(&world).len(), 0, "nothing is sent before its time");
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    world.pass_seconds(subscription.next_at.duration_since(now).as_secs() + 1);
    run(&world, subscription.id.as_str());
    run(&world, subscription.id.as_str());
    let sent = letters(&world);
    assert_eq!(sent.len(), 1, "{key}");
    assert_eq!(sent[0].subject, "Dashboard: Mine");
    assert!(sent[0].text.contains("Open changes by state"), "{}", sent[0].text);
    assert!(sent[0].text.contains("draft: 1"), "{}", sent[0].text);
    // A private dashboard is as absent for everybody else, and nobody has it mailed.
    let other = mine.id.0.clone();
    assert_eq!(
        refused(&world, "olga", move |cx| find_dashboard(cx, &other).map(drop)),
        "not_found"
    );
    let other = json!({"dashboard": mine.id, "rhythm": "daily", "hour": 7});
    assert_eq!(
        refused(&world, "olga", move |cx| noun::add::<DashboardSubscription>(
            cx,
            &body(other.clone())
        )),
        "invalid"
    );
    world.assert_replays();
}

#[test]
fn a_letter_that_is_hours_late_is_left_out_and_the_next_one_comes() {
    let world = World::new();
    let letter = json!({"dashboard": "change_manager", "rhythm": "daily", "hour": 7});
    let subscription = world.by("rita", move |cx| {
        noun::add::<DashboardSubscription>(cx, &body(letter.clone()))
    });
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    world.pass_seconds(subscription.next_at.duration_since(now).as_secs() + 7 * 3_600);
    run(&world, subscription.id.as_str());
    assert_eq!(letters(&world).len(), 0);
    let id = subscription.id.0.clone();
    let next = world.look(move |cx| Ok(record::load::<DashboardSubscription>(cx.tx, &id)?));
    let next = next.unwrap().unwrap().record;
    assert!(next.next_at > subscription.next_at);
    world.assert_replays();
}

fn propose(world: &World, key: &'static str, service: &'static str) {
    let template = body(json!({
        "key": key, "title": "Restart", "services": [service],
        "locked": {"category": "application", "complexity": "low", "description": "d", "justification": "j",
            "plan": [{"title": key}], "rollback_plan": [{"title": "Back", "minutes": 2}]},
    }));
    world.by("rita", move |cx| set_template::propose_template(cx, &template));
}

fn template(world: &World, key: &'static str) {
    propose(world, key, "pay");
    approve(world, key);
}

fn approve(world: &World, key: &'static str) {
    for login in ["olga", "mona"] {
        world.by(login, move |cx| {
            set_template::approve_template(cx, key, &body(json!({})))
        });
    }
}

fn standard(template: &str) -> Value {
    json!({"kind": "standard", "template": template, "services": ["pay"], "environment": "production",
        "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z"})
}

#[test]
fn half_of_the_uses_follow_the_variant_as_the_digest_of_their_ids_says() {
    let world = World::new();
    template(&world, "restart");
    template(&world, "restart-short");
    let wanted = json!({"template": "restart", "variant": "restart-short"});
    let trial = world.by("rita", move |cx| noun::add::<TemplateTrial>(cx, &body(wanted.clone())));
    let mut seen = [0, 0];
    for _ in 0..16 {
        let key = world.by("rita", |cx| {
            create_change::create_change(cx, &body(standard("restart")), &[])
        });
        let change = world.look(move |cx| cx.change(&key)).unwrap();
        let is_variant = is_in_variant(change.id.as_str());
        let wanted = if is_variant { "restart-short" } else { "restart" };
        assert_eq!(change.content.template.unwrap().key, wanted);
        assert_eq!(
            change.content.plan[0].title, wanted,
            "its plan is that of the template it follows"
        );
        seen[usize::from(is_variant)] += 1;
    }
    // Sixteen throws of a coin are all alike once in 32,768.
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    let directly = refused(&world, "rita", |cx| {
        create_change::create_change(cx, &body(standard("restart-short")), &[])
    });
    assert_eq!(directly, "invalid", "nobody chooses the variant");
    let id = trial.id.0.clone();
    world.by("rita", move |cx| noun::end::<TemplateTrial>(cx, &id));
    let key = world.by("rita", |cx| {
        create_change::create_change(cx, &body(standard("restart-short")), &[])
    });
    let change = world.look(move |cx| cx.change(&key)).unwrap();
    assert_eq!(
        change.content.template.unwrap().key,
        "restart-short",
        "the trial is over"
    );
    world.assert_replays();
}

#[test]
fn a_trial_needs_two_approved_templates_for_the_same_services() {
    let world = World::new();
    template(&world, "restart");
    let tried = |template: &str, variant: &str| {
        let wanted = json!({"template": template, "variant": variant});
        refused(&world, "rita", move |cx| {
            noun::add::<TemplateTrial>(cx, &body(wanted.clone()))
        })
    };
    assert_eq!(tried("restart", "restart"), "invalid");
    assert_eq!(tried("restart", "nowhere"), "invalid");
    world.system(|cx| set_service::set_service(cx, &body(json!({"key": "web", "criticality": "low"}))));
    propose(&world, "other", "pay");
    propose(&world, "elsewhere", "web");
    approve(&world, "elsewhere");
    assert_eq!(tried("restart", "other"), "invalid", "nobody approved it");
    assert_eq!(tried("restart", "elsewhere"), "invalid", "it is for another service");
    approve(&world, "other");
    assert_eq!(tried("restart", "other"), "done");
}

#[test]
fn what_was_missing_is_answered_once_the_change_has_closed_and_by_nobody_else() {
    let world = World::new();
    let closed = world.closed("Move booking to 4.2");
    let answer = json!({"change": closed, "part": "plan", "text": "Drain the queue."});
    let given = move |answer: Value| {
        move |cx: &mut acts::Context<'_, '_>| noun::add::<TemplateFeedback>(cx, &body(answer.clone()))
    };
    assert_eq!(
        refused(&world, "rita", given(answer)),
        "invalid",
        "it follows no template"
    );
    template(&world, "restart");
    let key = world.by("rita", |cx| {
        create_change::create_change(cx, &body(standard("restart")), &[])
    });
    let answer = json!({"change": key, "part": "nothing"});
    assert_eq!(refused(&world, "rita", given(answer)), "not_closed");
    world.by("rita", move |cx| verbs::submit_change(cx, &key));
    world.sequence();
    let report = world.by("rita", |cx| find_template_report(cx, "restart"));
    assert_eq!((report.uses, report.reworked, report.is_whole), (1, 0, true));
}

#[test]
fn a_dashboard_whose_filters_nothing_has_is_not_saved() {
    let world = World::new();
    for query in ["kind=bogus", "service=nowhere", "environment=moon", "risk=huge"] {
        let wanted = json!({"title": "Mine", "tiles": ["states"], "query": query, "is_shared": false});
        let said = refused(&world, "rita", move |cx| {
            noun::add::<Dashboard>(cx, &body(wanted.clone()))
        });
        assert_eq!(said, "invalid", "{query}");
    }
    let wanted = json!({"title": "Mine", "tiles": ["states"], "query": "kind=normal&service=pay", "is_shared": false});
    let saved = world.by("rita", move |cx| noun::add::<Dashboard>(cx, &body(wanted.clone())));
    let key = saved.id.0.clone();
    let edited = body(json!({"query": "kind=bogus"}));
    let said = refused(&world, "rita", move |cx| noun::edit::<Dashboard>(cx, &key, &edited));
    assert_eq!(said, "invalid");
}
