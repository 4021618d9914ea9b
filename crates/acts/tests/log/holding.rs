//! Legal holds by change, service, person and span, and retention rules: the data that they protect from people and from the
//! clock.

use acts::compliance::archive_changes;
use acts::compliance::erase_texts::ask_erasure;
use acts::compliance::lift_hold::lift_hold_order;
use acts::compliance::preview_retention::{RetentionPreview, Tried, preview_retention};
use acts::compliance::set_retention::{changes_due, changes_due_after, erase_due, forget_due, propose_retention};
use acts::core::noun;
use acts::directory::{deactivate_person, set_person};
use acts::policy::activate_configuration;
use acts::{Context, Error, Result};
use model::change::related_records::{ChangeTask, ChecklistItem, Comment, Entry, Evidence, Message, PeerReview};
use model::compliance::hold_order::HoldOrder;
use model::compliance::retention_rule::RetentionRule;
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::mutating::write_one;
use crate::world::{TENANT, World, body};

const DAY: i64 = 24 * 3600;

fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, String> {
    let actor = world.actor(login);
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_err(|error| match error {
        Error::Refused(Refusal::Invalid(errors)) => errors[0].code.clone(),
        Error::Refused(refusal) => refusal.code().to_owned(),
        other => panic!("no refusal: {other:?}"),
    })
}

/// A world with two administrators and an auditor, in which the texts of changes are kept for 90 days.
fn world() -> World {
    let world = World::new();
    for (login, role) in [("ada", "admin"), ("bea", "admin"), ("aud", "auditor")] {
        let person = body(json!({"login": login, "roles": [role]}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    set_retention(
        &world,
        json!({"changes_days": 90, "deliveries_days": 90, "reason": "Our rules"}),
    );
    world
}

fn set_retention(world: &World, wanted: Value) {
    let wanted = body(wanted);
    let made = attempt(world, "ada", move |cx| propose_retention(cx, &wanted)).unwrap();
    let activate = move |cx: &mut Context<'_, '_>| {
        activate_configuration::activate_configuration(cx, &made.id.0, &body(json!({})))
    };
    attempt(world, "bea", activate).unwrap();
}

fn cancelled(world: &World, title: &str) -> String {
    let key = world.draft(title);
    let k = key.clone();
    world.by("rita", move |cx| {
        acts::change::verbs::cancel_change(cx, &k, &body(json!({"reason": "Not needed"})))
    });
    key
}

fn hold(world: &World, who: &'static str, wanted: Value) -> std::result::Result<HoldOrder, String> {
    attempt(world, who, move |cx| noun::add::<HoldOrder>(cx, &body(wanted.clone())))
}

fn lift(world: &World, who: &'static str, order: &HoldOrder) -> std::result::Result<HoldOrder, String> {
    let id = order.id.0.clone();
    let reason = body(json!({"reason": "The case is over"}));
    attempt(world, who, move |cx| lift_hold_order(cx, &id, &reason))
}

/// Two people lift it, as the tenant requires.
fn lift_by_two(world: &World, order: &HoldOrder) {
    assert!(
        lift(world, "ada", order).unwrap().active,
        "one person alone lifts nothing"
    );
    assert!(!lift(world, "bea", order).unwrap().active);
}

fn rule(world: &World, who: &'static str, wanted: Value) -> std::result::Result<RetentionRule, String> {
    attempt(world, who, move |cx| {
        noun::add::<RetentionRule>(cx, &body(wanted.clone()))
    })
}

fn preview(world: &World) -> RetentionPreview {
    world.look(|cx| preview_retention(cx, Tried::default())).unwrap()
}

/// The worker's periodic run; returns the number of erased changes.
fn look_at_retention(world: &World) -> usize {
    let due = world.system(changes_due);
    for id in due.clone() {
        world.system(move |cx| erase_due(cx, &id));
    }
    while world.system(forget_due) {}
    due.len()
}

fn title(world: &World, key: &str) -> String {
    let key = key.to_owned();
    world.look(move |cx| Ok(cx.change(&key)?.content.title)).unwrap()
}

#[test]
fn what_two_overlapping_orders_hold_goes_only_once_both_are_lifted() {
    let world = world();
    let key = cancelled(&world, "Held twice");
    let by_service = hold(&world, "aud", json!({"reason": "Case 1", "services": ["pay"]})).unwrap();
    let by_person = hold(
        &world,
        "aud",
        json!({"reason": "Case 2", "people": ["rita"], "from": "2026-11-01T00:00:00Z"}),
    )
    .unwrap();
    world.pass_seconds(91 * DAY);
    let found = preview(&world);
    assert_eq!(found.changes, Vec::<String>::new());
    assert_eq!(found.held.len(), 1);
    assert_eq!(
        (found.held[0].change.clone(), found.held[0].orders.len()),
        (key.clone(), 2)
    );
    assert_eq!(look_at_retention(&world), 0);
    let wanted = body(json!({"kind": "texts", "reason": "Tidy"}));
    let k = key.clone();
    let asked = attempt(&world, "ada", move |cx| ask_erasure(cx, &k, &wanted));
    assert_eq!(asked.unwrap_err(), "under_legal_hold");
    assert_eq!(lift(&world, "aud", &by_service).unwrap_err(), "not_allowed");
    lift_by_two(&world, &by_service);
    let letters = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let letters: Vec<Message> = letters.unwrap();
    let told = letters.iter().filter(|it| it.topic == "hold_order_lifted");
    assert_eq!(told.count(), 1, "who placed it hears that another lifted it");
    assert_eq!(look_at_retention(&world), 0, "the other order holds it still");
    lift_by_two(&world, &by_person);
    assert_eq!(preview(&world).changes, std::slice::from_ref(&key));
    assert_eq!(look_at_retention(&world), 1);
    assert_eq!(title(&world, &key), "[erased]");
    world.sequence();
    world.assert_replays();
}

/// Writes a record of some table.
type Write = fn(&mut Context<'_, '_>, Value) -> Result<()>;

#[test]
fn a_hold_on_a_person_keeps_each_change_around_which_they_did_something() {
    let world = world();
    let key = cancelled(&world, "Much was said about it");
    let k = key.clone();
    let change = world.look(move |cx| Ok(cx.change(&k)?.id.0)).unwrap();
    let at = "2026-11-20T08:00:00Z";
    let parts: [(&str, Write, Value); 6] = [
        (
            "cora",
            |cx, it| write_one::<Comment>(cx, "comment.added", it),
            json!({"text": "Seen.", "by": "WHO", "at": at}),
        ),
        (
            "enno",
            |cx, it| write_one::<Entry>(cx, "entry.recorded", it),
            json!({"kind": "issue", "text": "Went.", "by": "WHO", "occurred_at": at, "at": at}),
        ),
        (
            "tara",
            |cx, it| write_one::<ChangeTask>(cx, "task.added", it),
            json!({"kind": "prepare", "title": "Call", "assignee": "WHO", "mandatory": false, "state": "open",
                "by": "system", "at": at}),
        ),
        (
            "pete",
            |cx, it| write_one::<PeerReview>(cx, "peer_review.given", it),
            json!({"person": "WHO", "verdict": "agree", "what_digest": "sha256:aa", "state": "standing", "at": at}),
        ),
        (
            "cleo",
            |cx, it| write_one::<ChecklistItem>(cx, "checklist.ticked", it),
            json!({"rule": "r", "title": "Called", "done": {"by": "WHO", "at": at}}),
        ),
        (
            "evan",
            |cx, it| write_one::<Evidence>(cx, "evidence.added", it),
            json!({"kind": "note", "aspect": "functional", "result": "passed", "name": "note", "file_digest": "sha256:aa",
                "size": 1, "media_type": "text/plain", "by": "WHO", "at": at}),
        ),
    ];
    let ask = |world: &World| {
        let (k, wanted) = (key.clone(), body(json!({"kind": "texts", "reason": "Tidy"})));
        attempt(world, "ada", move |cx| ask_erasure(cx, &k, &wanted).map(drop))
    };
    for (login, write, record) in parts {
        let person = body(json!({"login": login}));
        world.system(move |cx| set_person::create_person(cx, &person));
        let id = world.look(move |cx| Ok(cx.directory()?.by_login(login).map(|it| it.id.0.clone())));
        let text = record.to_string().replace("WHO", &id.unwrap().unwrap());
        let mut record: Value = serde_json::from_str(&text).unwrap();
        let members = [("id", format!("of-{login}")), ("change", change.clone())];
        for (name, value) in members {
            record[name] = json!(value);
        }
        record["version"] = json!(0);
        world.system(move |cx| write(cx, record.clone()));
        let order = hold(&world, "aud", json!({"reason": "Case", "people": [login]})).unwrap();
        assert_eq!(ask(&world).unwrap_err(), "under_legal_hold", "{login}");
        lift_by_two(&world, &order);
    }
    // A person who was only requested to approve, or only notified, is not involved.
    hold(&world, "aud", json!({"reason": "Case", "people": ["sam", "mona"]})).unwrap();
    ask(&world).unwrap();
}

#[test]
fn an_order_that_is_over_or_names_another_holds_nothing() {
    let world = world();
    let key = cancelled(&world, "Not meant");
    for wanted in [
        json!({"reason": "Case", "people": ["sam"]}),
        json!({"reason": "Case", "to": "2026-11-19T00:00:00Z"}),
        json!({"reason": "Case", "services": ["pay"], "until": "2026-12-01T00:00:00Z"}),
    ] {
        hold(&world, "aud", wanted).unwrap();
    }
    let of_it = hold(
        &world,
        "aud",
        json!({"reason": "Case", "changes": [key.to_lowercase()]}),
    )
    .unwrap();
    world.pass_seconds(91 * DAY);
    assert_eq!(look_at_retention(&world), 0, "its own order holds it");
    lift_by_two(&world, &of_it);
    assert_eq!(look_at_retention(&world), 1);
    for (wanted, code) in [
        (json!({"reason": "Case"}), "missing"),
        (json!({"reason": "Case", "people": ["nobody"]}), "unknown"),
        (json!({"reason": "Case", "changes": ["CHG-9"]}), "unknown"),
        (
            json!({"reason": "Case", "from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}),
            "out_of_order",
        ),
        (
            json!({"reason": "Case", "services": ["pay"], "until": "2026-01-01T00:00:00Z"}),
            "in_the_past",
        ),
    ] {
        assert_eq!(hold(&world, "aud", wanted.clone()).unwrap_err(), code, "{wanted}");
    }
    assert_eq!(
        hold(&world, "rita", json!({"reason": "Mine", "services": ["pay"]})).unwrap_err(),
        "not_allowed"
    );
}

#[test]
fn a_retention_that_would_erase_what_is_held_is_refused() {
    let world = world();
    set_retention(&world, json!({"changes_days": 400, "reason": "Longer"}));
    cancelled(&world, "Held");
    let order = hold(&world, "aud", json!({"reason": "Case", "services": ["pay"]})).unwrap();
    world.pass_seconds(200 * DAY);
    let shorter = body(json!({"changes_days": 100, "reason": "Shorter"}));
    let wanted = shorter.clone();
    let asked = attempt(&world, "ada", move |cx| propose_retention(cx, &wanted));
    assert_eq!(asked.unwrap_err(), "under_legal_hold");
    lift_by_two(&world, &order);
    attempt(&world, "ada", move |cx| propose_retention(cx, &shorter)).unwrap();
}

#[test]
fn a_rule_keeps_what_the_retention_would_erase_and_is_not_loosened_by_one_person() {
    let world = world();
    let key = cancelled(&world, "Kept for years");
    let less = json!({"regime": "sox", "record_kind": "change", "keep_days": 365, "active": true});
    assert_eq!(rule(&world, "ada", less).unwrap_err(), "less_than_regime");
    assert_eq!(
        rule(
            &world,
            "aud",
            json!({"regime": "sox", "record_kind": "change", "active": true})
        )
        .unwrap_err(),
        "not_allowed"
    );
    let set = rule(
        &world,
        "ada",
        json!({"regime": "sox", "record_kind": "change", "active": true}),
    )
    .unwrap();
    assert_eq!(
        (set.key.as_str(), set.keep_days, set.active),
        ("sox-change", 2_557, true)
    );
    world.pass_seconds(400 * DAY);
    assert_eq!(look_at_retention(&world), 0);
    let (k, wanted) = (key.clone(), body(json!({"kind": "texts", "reason": "Tidy"})));
    assert_eq!(
        attempt(&world, "ada", move |cx| ask_erasure(cx, &k, &wanted)).unwrap_err(),
        "kept_by_rule"
    );
    let short = body(json!({"changes_days": 400, "reason": "Shorter"}));
    assert_eq!(
        attempt(&world, "ada", move |cx| propose_retention(cx, &short)).unwrap_err(),
        "less_than_rule"
    );
    let off = json!({"regime": "sox", "record_kind": "change", "active": false});
    assert_eq!(rule(&world, "ada", off.clone()).unwrap_err(), "retention_is_shorter");
    // Two people agree on as long a retention first; then the rule is one person's to switch off.
    set_retention(&world, json!({"changes_days": 2_557, "reason": "As the law says"}));
    rule(&world, "ada", off).unwrap();
    assert_eq!(look_at_retention(&world), 0);
    assert_eq!(title(&world, &key), "Kept for years");
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_is_held_holds_up_nothing_behind_it_and_is_not_archived_before_its_time() {
    let world = world();
    for number in 0..3 {
        cancelled(&world, &format!("Held {number}"));
    }
    hold(&world, "aud", json!({"reason": "Case", "to": "2026-11-21T00:00:00Z"})).unwrap();
    world.pass_seconds(2 * DAY);
    let free = cancelled(&world, "Free");
    world.pass_seconds(91 * DAY);
    let due = world.look(|cx| changes_due_after(cx, None)).unwrap();
    let id = world.look(move |cx| Ok(cx.change(&free)?.id.0)).unwrap();
    assert_eq!((due.changes, due.next), (vec![id], None));
    set_retention(&world, json!({"archive_days": 90, "reason": "Room"}));
    let waiting = |world: &World| world.look(archive_changes::report).unwrap();
    assert_eq!(
        waiting(&world).waiting,
        4,
        "the archive keeps everything, so holds do not concern it"
    );
    rule(
        &world,
        "ada",
        json!({"regime": "pci_dss", "record_kind": "change", "hot_days": 120, "active": true}),
    )
    .unwrap();
    let report = waiting(&world);
    assert_eq!((report.after_days, report.waiting), (Some(120), 0));
}

#[test]
fn a_hold_is_lifted_with_a_reason_and_by_two_people() {
    let world = world();
    let order = hold(&world, "aud", json!({"reason": "Case", "services": ["pay"]})).unwrap();
    let without = |who: &'static str| {
        let id = order.id.0.clone();
        attempt(&world, who, move |cx| {
            lift_hold_order(cx, &id, &body(json!({"reason": " "})))
        })
    };
    assert_eq!(lift(&world, "aud", &order).unwrap_err(), "not_allowed");
    assert!(without("ada").is_err(), "a reason is needed");
    let asked = lift(&world, "ada", &order).unwrap();
    assert!(asked.active && asked.lift_asked().is_some());
    assert_eq!(lift(&world, "ada", &order).unwrap_err(), "second_person_needed");
    assert!(without("bea").is_err(), "the second person says why too");
    let lifted = lift(&world, "bea", &order).unwrap();
    assert!(!lifted.active && lifted.lifted_by.is_some() && lifted.lift_reason.is_some());
    assert_eq!(lift(&world, "ada", &order).unwrap_err(), "not_open");
    world.sequence();
    world.assert_replays();
}

#[test]
fn the_word_of_somebody_who_left_does_not_lift_a_hold() {
    let world = world();
    let order = hold(&world, "aud", json!({"reason": "Case", "services": ["pay"]})).unwrap();
    assert!(lift(&world, "ada", &order).unwrap().active);
    world.system(|cx| deactivate_person::deactivate_person(cx, "ada", &body(json!({"reason": "Ada left"}))));
    // The deactivated administrator counts as the second one for a day, so two people are still needed.
    assert!(
        lift(&world, "bea", &order).unwrap().active,
        "the word of who left is none"
    );
    assert_eq!(lift(&world, "bea", &order).unwrap_err(), "second_person_needed");
}

#[test]
fn a_first_word_to_lift_a_hold_lapses_after_a_week() {
    let world = world();
    let order = hold(&world, "aud", json!({"reason": "Case", "services": ["pay"]})).unwrap();
    assert!(lift(&world, "ada", &order).unwrap().active);
    world.pass_seconds(7 * DAY);
    assert!(
        lift(&world, "bea", &order).unwrap().active,
        "the word of last week lifts nothing: Bea asks anew"
    );
    assert!(!lift(&world, "ada", &order).unwrap().active);
    world.sequence();
    world.assert_replays();
}
