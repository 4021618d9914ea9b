//! Communications: each person and address is notified of each stage once, whatever becomes of the rounds that send them.

use acts::approval::set_delegation::set_delegation;
use acts::change::verbs::{cancel_change, schedule_change};
use acts::core::noun;
use acts::effects::run_timer;
use acts::notify::act_on_items::{acknowledge, assign, settle_item};
use acts::notify::set_communication_plan::preview_communication;
use acts::notify::{action_items, communicate};
use acts::schedule::{edit_span, find_freeze_report, loosen_freeze, set_calendar, set_freeze};
use model::change::related_records::Message;
use model::change::work::begin;
use model::core::enums::{AboutKind, ActionKind, ActionState};
use model::notify::action_item::{About, ActionItem};
use model::notify::business_unit::BusinessUnit;
use model::notify::communication::Communication;
use model::notify::communication_plan::CommunicationPlan;
use model::schedule::freeze::Freeze;
use serde_json::{Value, json};
use store::audit::event;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::reviewing::work;
use crate::world::{ARTIFACT, TENANT, World, body};

pub(crate) fn plan(world: &World, more: Value) -> CommunicationPlan {
    let mut wanted = body(json!({
        "key": "all", "name": "All", "audiences": ["owners", "business_units"], "stages": ["announced", "reminder", "cancelled"],
        "reminder_minutes": 30, "acknowledge": true, "subject_en": "{stage}: {title}", "text_en": "From {start}.",
        "subject_de": "{stage}: {title}", "text_de": "Ab {start}.",
    }));
    wanted.extend(body(more));
    wanted.retain(|_, value| !value.is_null());
    world.system(move |cx| noun::add::<CommunicationPlan>(cx, &wanted))
}

/// A unit that uses the service `pay`, with Sam and these addresses.
pub(crate) fn unit(world: &World, key: &str, addresses: Vec<String>) {
    let unit = body(
        json!({"key": key, "name": key, "services": ["pay"], "contacts": ["sam"], "mail_addresses": addresses,
        "language": "de"}),
    );
    world.system(move |cx| noun::add::<BusinessUnit>(cx, &unit));
}

pub(crate) fn id_of(world: &World, key: &str) -> String {
    let key = key.to_owned();
    world.look(move |cx| Ok(cx.change(&key)?.id.0)).unwrap()
}

fn run(world: &World, id: &str) {
    let id = id.to_owned();
    world.system(move |cx| run_timer::run_timer(cx, communicate::TABLE, &id));
}

/// How many communications there are of a change at a stage.
fn sent(world: &World, key: &str, stage: &str) -> usize {
    let filter = Filter::new().equals("change_key", key).order_by("id");
    let all = world.look(move |cx| Ok(record::bodies::<Communication>(cx.tx, &filter)?));
    all.unwrap().iter().filter(|it| it.stage.as_str() == stage).count()
}

/// The subjects of the messages, in order.
fn messages(world: &World) -> Vec<String> {
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let all = all.unwrap().into_iter().filter(|it| it.topic == "communication");
    let mut subjects: Vec<String> = all.map(|it| it.subject).collect();
    subjects.sort();
    subjects
}

fn asked(world: &World, key: &str) -> Vec<ActionItem> {
    let about = About::new(AboutKind::Change, key);
    let open = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    open.into_iter()
        .filter(|it| it.kind == ActionKind::Acknowledge)
        .collect()
}

#[test]
fn everybody_is_told_once_and_acknowledges_once() {
    let world = World::new();
    unit(&world, "dispatch", vec!["dispatch@halden.example".to_owned()]);
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    // Olga owns the service, Sam is the unit's contact, and the unit has an address.
    assert_eq!(sent(&world, &key, "announced"), 3);
    let told = ["Angekündigt: Move booking to 4.2", "Announced: Move booking to 4.2"];
    assert_eq!(messages(&world), told);
    let id = id_of(&world, &key);
    run(&world, &id);
    run(&world, &id);
    assert_eq!((sent(&world, &key, "announced"), messages(&world).len()), (3, 2));
    let items = asked(&world, &key);
    assert_eq!(items.len(), 2);
    let sam = world.actor("sam").person;
    let his = items
        .iter()
        .find(|it| it.owner.as_ref() == Some(&sam))
        .unwrap()
        .key
        .clone();
    let done = world.by("sam", move |cx| acknowledge(cx, &his, &body(json!({}))));
    assert_eq!(done.state, ActionState::Done);
    assert_eq!((done.acknowledged_by, asked(&world, &key).len()), (Some(sam), 1));
    run(&world, &id);
    assert_eq!(asked(&world, &key).len(), 1, "what was acknowledged is not asked again");
    assert_eq!(sent(&world, &key, "reminder"), 0);
    // The change starts at ten; half an hour before, everybody is reminded.
    world.pass_seconds(90 * 60);
    work(&world);
    work(&world);
    assert_eq!(sent(&world, &key, "reminder"), 3);
    world.assert_replays();
}

/// Plans other times for a change, has its approvers approve them, and notifies the audience.
fn moved(world: &World, key: &str, day: &str) {
    let times = body(json!({"planned_start": format!("{day}T10:00:00Z"), "planned_end": format!("{day}T12:00:00Z")}));
    let k = key.to_owned();
    world.by("rita", move |cx| schedule_change(cx, &k, &times));
    for login in ["olga", "sam", "mona"] {
        let k = key.to_owned();
        let approve = move |cx: &mut acts::Context<'_, '_>| {
            let digest = cx.change(&k)?.digests.content;
            let request = body(json!({"decision": "approve", "content_digest": digest, "comment": "Fine by me"}));
            acts::approval::verbs::approve_change(cx, &k, &request)
        };
        // An approver whose approval is still valid, or a person who is no approver, is refused.
        let actor = world.actor(login);
        world
            .executor
            .wait(Lane::Acts, TENANT, actor, Mode::Write, approve)
            .map(drop)
            .unwrap_or_default();
    }
    work(world);
    work(world);
}

#[test]
fn a_start_that_moved_away_and_back_is_announced_and_acknowledged_again() {
    let world = World::new();
    unit(&world, "dispatch", vec!["dispatch@halden.example".to_owned()]);
    plan(&world, json!({"stages": ["announced"], "reminder_minutes": null}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    assert_eq!(sent(&world, &key, "announced"), 3);
    let sam = world.actor("sam").person;
    let his = |world: &World| {
        asked(world, &key)
            .into_iter()
            .find(|it| it.owner.as_ref() == Some(&sam))
    };
    let item = his(&world).unwrap().key;
    world.by("sam", move |cx| acknowledge(cx, &item, &body(json!({}))));
    moved(&world, &key, "2026-11-24");
    assert_eq!(sent(&world, &key, "announced"), 6);
    moved(&world, &key, "2026-11-20");
    assert_eq!(
        sent(&world, &key, "announced"),
        9,
        "everybody was last told the other start"
    );
    let k = key.clone();
    let change = world.look(move |cx| cx.change(&k)).unwrap();
    let noted = change.communicated.unwrap();
    assert_eq!(Some(noted.starts_at), change.planned_start);
    assert!(noted.announced_at.is_some());
    assert_eq!((noted.asked_people.len(), noted.acknowledged_people.len()), (2, 0));
    assert!(
        his(&world).is_some(),
        "an acknowledgement of another start does not count"
    );
    run(&world, &id_of(&world, &key));
    assert_eq!(sent(&world, &key, "announced"), 9, "each is told once of this return");
    world.assert_replays();
}

/// The code of the refusal of an act on an item, or nothing where it was done.
fn tried(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<ActionItem> + Send + 'static,
) -> String {
    let actor = world.actor(login);
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Ok(_) => String::new(),
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn an_announcement_is_acknowledged_by_the_person_asked_and_by_nobody_in_their_own_matter() {
    let world = World::new();
    unit(&world, "dispatch", Vec::new());
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    let sam = world.actor("sam").person;
    let items = asked(&world, &key);
    let item = items
        .into_iter()
        .find(|it| it.owner.as_ref() == Some(&sam))
        .unwrap()
        .key;
    for state in ["done", "dismissed"] {
        let (k, request) = (item.clone(), body(json!({"state": state, "reason": "Seen."})));
        let code = tried(&world, "sam", move |cx| settle_item(cx, &k, &request));
        assert_eq!(code, "waits_for_condition", "{state} would leave the start waiting");
    }
    let (k, to) = (item.clone(), body(json!({"owner": "mona"})));
    assert_eq!(tried(&world, "mona", move |cx| assign(cx, &k, &to)), "fixed_owner");
    let k = item.clone();
    let code = tried(&world, "mona", move |cx| acknowledge(cx, &k, &body(json!({}))));
    assert_eq!(
        code, "not_the_owner",
        "a change manager knows nothing for another person"
    );
    // Rita requested the change, and is Sam's deputy.
    let lent = json!({"delegate": "rita", "starts_at": "2026-11-20T08:00:00Z", "ends_at": "2026-11-27T08:00:00Z"});
    world.by("sam", move |cx| set_delegation(cx, &body(lent.clone())).map(drop));
    let k = item.clone();
    let code = tried(&world, "rita", move |cx| acknowledge(cx, &k, &body(json!({}))));
    assert_eq!(code, "own_request");
    let k = item.clone();
    assert_eq!(
        tried(&world, "sam", move |cx| acknowledge(cx, &k, &body(json!({})))),
        ""
    );
    world.assert_replays();
}

#[test]
fn a_round_that_is_cut_off_leaves_nothing_and_the_next_one_tells_everybody() {
    let world = World::new();
    for unit_key in ["one", "two"] {
        let addresses = (0..150).map(|number| format!("{unit_key}{number}@halden.example"));
        unit(&world, unit_key, addresses.collect());
    }
    plan(&world, json!({"stages": ["announced"], "reminder_minutes": null}));
    let key = world.scheduled("Move booking to 4.2");
    let id = id_of(&world, &key);
    for _ in 0..4 {
        let subject = id.clone();
        let killed = world.executor.wait(
            Lane::Acts,
            TENANT,
            model::change::change_file::Actor::system(),
            Mode::Write,
            {
                move |cx: &mut acts::Context<'_, '_>| {
                    run_timer::run_timer(cx, communicate::TABLE, &subject)?;
                    Err::<(), _>(acts::Error::Fault("the worker was killed".to_owned()))
                }
            },
        );
        assert!(killed.is_err());
        let before = sent(&world, &key, "announced");
        run(&world, &id);
        let after = sent(&world, &key, "announced");
        assert_eq!(
            after,
            (before + 200).min(302),
            "a round tells 200, and a killed one nobody"
        );
    }
    assert_eq!(messages(&world).len(), 2);
    world.assert_replays();
}

#[test]
fn a_cancellation_goes_to_those_who_were_told_that_the_change_comes() {
    let world = World::new();
    unit(&world, "dispatch", Vec::new());
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    unit(&world, "late", vec!["late@halden.example".to_owned()]);
    let k = key.clone();
    let reason = body(json!({"reason": "Not needed any more."}));
    world.by("rita", move |cx| acts::change::verbs::cancel_change(cx, &k, &reason));
    work(&world);
    assert_eq!(
        sent(&world, &key, "cancelled"),
        2,
        "the address was never told that it comes"
    );
    assert!(asked(&world, &key).is_empty(), "nobody acknowledges what does not come");
    world.assert_replays();
}

#[test]
fn a_preview_sends_nothing_and_a_plan_without_sense_is_refused() {
    let world = World::new();
    unit(&world, "dispatch", Vec::new());
    let plan = plan(&world, json!({"only_disruptive": true}));
    let key = world.draft("Move booking to 4.2");
    let (id, asked) = (
        plan.id.0.clone(),
        body(json!({"change": key, "stage": "started", "language": "de"})),
    );
    let preview = world.by("rita", move |cx| preview_communication(cx, &id, &asked));
    assert_eq!(preview.subject, "Begonnen: Move booking to 4.2");
    assert_eq!((preview.recipient_count, preview.asked_count), (2, 2));
    assert!(!preview.is_covered, "nobody will notice it");
    assert!(messages(&world).is_empty());
    let wrong = body(
        json!({"key": "all", "name": "x", "audiences": [], "stages": ["reminder"], "acknowledge": true,
        "subject_en": "{titel}", "text_en": "t"}),
    );
    let refused = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor("mona"), Mode::Write, move |cx| {
            noun::add::<CommunicationPlan>(cx, &wrong).map(drop)
        });
    let text = format!("{:?}", refused.unwrap_err());
    for field in [
        "audiences",
        "reminder_minutes",
        "acknowledge",
        "unknown_placeholder",
        "not_unique",
    ] {
        assert!(text.contains(field), "{field} is not in {text}");
    }
}

/// The texts of the messages to Sam, in the order in which they were written.
fn told_to_sam(world: &World) -> Vec<(String, String)> {
    let sam = world.actor("sam").person;
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let all = all.unwrap().into_iter();
    let own = all.filter(|it| it.topic == "communication" && it.person == sam);
    own.map(|it| (it.subject, it.text)).collect()
}

#[test]
fn a_start_that_passed_by_unsent_is_told_late_and_before_the_end() {
    let world = World::new();
    unit(&world, "dispatch", vec!["dispatch@halden.example".to_owned()]);
    plan(
        &world,
        json!({"stages": ["started", "finished"], "reminder_minutes": null, "acknowledge": false}),
    );
    // No worker runs while the change begins and ends.
    let key = world.closed("Move booking to 4.2");
    assert!(told_to_sam(&world).is_empty());
    work(&world);
    work(&world);
    let told = told_to_sam(&world);
    let subjects: Vec<&str> = told.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["Begonnen: Move booking to 4.2", "Beendet: Move booking to 4.2"]
    );
    let late = "Dies wird verspätet mitgeteilt. Es geschah am ";
    assert!(told[0].1.starts_with(late), "{}", told[0].1);
    assert!(!told[1].1.starts_with(late), "the end is told in time: {}", told[1].1);
    let filter = Filter::new().equals("change_key", key.as_str()).order_by("id");
    let all = world
        .look(move |cx| Ok(record::bodies::<Communication>(cx.tx, &filter)?))
        .unwrap();
    let starts = all.iter().filter(|it| it.stage.as_str() == "started");
    assert_eq!(starts.clone().count(), 3);
    assert!(starts.clone().all(|it| it.happened_at.is_some_and(|at| at <= it.at)));
    let address = starts
        .clone()
        .find(|it| it.mail_address.is_some())
        .unwrap()
        .id
        .0
        .clone();
    let letter = world
        .look(move |cx| communicate::address_letter(cx, &address))
        .unwrap()
        .unwrap();
    assert!(letter.text.starts_with(late), "{}", letter.text);
    world.assert_replays();
}

#[test]
fn a_plan_that_came_after_the_start_was_told_tells_no_late_start() {
    let world = World::new();
    plan(
        &world,
        json!({"stages": ["started", "finished"], "reminder_minutes": null, "acknowledge": false}),
    );
    let key = world.closed("Move booking to 4.2");
    work(&world);
    let before = sent(&world, &key, "started");
    assert!(before > 0);
    unit(&world, "dispatch", vec!["dispatch@halden.example".to_owned()]);
    let id = id_of(&world, &key);
    run(&world, &id);
    assert_eq!(sent(&world, &key, "started"), before, "the start was told, and is over");
    assert!(
        sent(&world, &key, "finished") > before,
        "the end is told to whom it concerns now"
    );
}

/// Notices of freezes that hit changes.
fn told_of_freezes(world: &World) -> Vec<String> {
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let all = all.unwrap().into_iter().filter(|it| it.topic == "freeze_announced");
    all.map(|it| it.text).collect()
}

#[test]
fn whoever_owns_a_change_that_a_freeze_hits_is_told_once_of_each_time() {
    let world = World::new();
    let key = world.scheduled("Move booking to 4.2");
    let span = body(
        json!({"title": "Stop", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-20T18:00:00Z",
        "reason": "Fire."}),
    );
    let id = world.by("mona", move |cx| Ok(set_freeze::set_freeze(cx, &span)?.id.0));
    work(&world);
    let first = told_of_freezes(&world);
    assert_eq!(first.len(), 1, "{first:?}");
    let news = format!("The freeze “Stop” stops {key} from 2026-11-20T09:00:00Z to 2026-11-20T18:00:00Z.");
    assert!(first[0].contains(&news), "{first:?}");
    let until = |end: &str| {
        let (id, longer) = (id.clone(), body(json!({"ends_at": end})));
        world.by("mona", move |cx| edit_span::edit_freeze(cx, &id, &longer).map(drop));
        work(&world);
    };
    // It lasts longer, and the owner knows already.
    until("2026-11-20T19:00:00Z");
    assert_eq!(told_of_freezes(&world), first);
    // The change moved out of it, and is hit at its new time.
    moved(&world, &key, "2026-11-23");
    assert_eq!(told_of_freezes(&world), first);
    until("2026-11-24T19:00:00Z");
    assert_eq!(told_of_freezes(&world).len(), 2);
    world.assert_replays();
}

#[test]
fn of_more_changes_than_a_round_takes_none_is_left_out_where_others_go_away() {
    let world = World::new();
    let draft = |minute: usize| {
        let start = format!("2026-11-20T10:{minute:02}:00Z");
        world.draft_at(&format!("Load {minute}"), ARTIFACT, [&start, "2026-11-20T12:00:00Z"])
    };
    let keys: Vec<String> = (0..53).map(draft).collect();
    let span = body(
        json!({"title": "Stop", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-20T18:00:00Z",
        "reason": "Fire."}),
    );
    world.by("mona", move |cx| set_freeze::set_freeze(cx, &span).map(drop));
    work(&world);
    assert_eq!(told_of_freezes(&world).len(), 50, "one round");
    let first = keys[0].clone();
    world.by("rita", move |cx| {
        cancel_change(cx, &first, &body(json!({"reason": "Not needed."})))
    });
    work(&world);
    assert_eq!(told_of_freezes(&world).len(), 53);
    world.assert_replays();
}

#[test]
fn the_report_of_a_freeze_that_repeats_keeps_old_times_and_exceptions_that_ended() {
    let world = World::new();
    let key = world.scheduled("Move booking to 4.2");
    let span = body(
        json!({"title": "Stop", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-20T18:00:00Z",
        "reason": "Fire.", "rrule": "FREQ=WEEKLY", "time_zone": "UTC"}),
    );
    let id = world.by("mona", move |cx| Ok(set_freeze::set_freeze(cx, &span)?.id.0));
    let report = || {
        let id = id.clone();
        world.by("mona", move |cx| find_freeze_report::find_freeze_report(cx, &id))
    };
    let (freeze, excepted) = (id.clone(), body(json!({"change": key, "reason": "Totals are wrong."})));
    world.by("mona", move |cx| {
        set_freeze::except_from_freeze(cx, &freeze, &excepted).map(drop)
    });
    assert_eq!((report().excepted, report().excepted_withdrawn), (1, 0));
    let (freeze, change) = (id.clone(), key.clone());
    world.by("mona", move |cx| {
        set_freeze::withdraw_exception(cx, &freeze, &change).map(drop)
    });
    let before = report();
    assert_eq!((before.excepted, before.excepted_withdrawn), (0, 1));
    assert_eq!(before.changes[0].reason.as_deref(), Some("Totals are wrong."));

    // More than the 100 days for which the list keeps its times.
    world.pass_seconds(130 * 24 * 3_600);
    let subject = id.clone();
    world.system(move |cx| run_timer::run_timer(cx, "freeze", &subject));
    let after = report();
    assert_eq!(after.past[0].starts_at.to_string(), "2026-11-20T09:00:00Z");
    assert_eq!((after.past.len(), after.hit), (19, before.hit));
    assert_eq!(after.changes[0].key, key);
}

#[test]
fn a_freeze_that_names_every_environment_is_one_over_everything() {
    let world = World::new();
    let known = world.look(|cx| Ok(cx.directory()?.environments.keys().map(|it| it.0.clone()).collect()));
    let all: Vec<String> = known.unwrap();
    assert!(all.len() > 1, "{all:?}");
    let set = |environments: &[String]| {
        let wanted = body(
            json!({"title": "Stop", "starts_at": "2026-11-21T09:00:00Z", "ends_at": "9998-11-20T18:00:00Z",
            "reason": "Fire.", "environments": environments}),
        );
        let act = move |cx: &mut acts::Context<'_, '_>| set_freeze::set_freeze(cx, &wanted).map(drop);
        world
            .executor
            .wait(Lane::Acts, TENANT, world.actor("mona"), Mode::Write, act)
    };
    assert!(set(&all).is_err());
    assert!(set(&all[..1]).is_ok());
}

#[test]
fn a_holiday_moves_a_freeze_that_counts_only_once_somebody_confirms_it() {
    let world = World::new();
    let calendar = |holidays: Value| {
        let wanted = body(
            json!({"key": "finance", "name": "Finance", "zone": "UTC", "holidays": holidays,
            "hours": [{"day": "monday", "from": "08:00", "to": "16:00"}, {"day": "tuesday", "from": "08:00", "to": "16:00"},
            {"day": "wednesday", "from": "08:00", "to": "16:00"}, {"day": "thursday", "from": "08:00", "to": "16:00"},
            {"day": "friday", "from": "08:00", "to": "16:00"}]}),
        );
        world.system(move |cx| set_calendar::set_calendar(cx, &wanted).map(drop));
    };
    calendar(json!([]));
    let span = body(
        json!({"title": "Close", "starts_at": "2026-11-26T09:00:00Z", "ends_at": "2026-11-26T18:00:00Z",
        "rrule": "FREQ=MONTHLY;BYSETPOS=-3", "working_days_of": "finance", "time_zone": "UTC"}),
    );
    let id = world.by("mona", move |cx| Ok(set_freeze::set_freeze(cx, &span)?.id.0));
    let stands = || {
        let id = id.clone();
        let freeze = world.look(move |cx| Ok(record::load::<Freeze>(cx.tx, &id)?.unwrap().record));
        let freeze = freeze.unwrap();
        let december = freeze.times().nth(1).unwrap().starts_at.to_string();
        (december, freeze.loosening.is_some())
    };
    let (before, after) = ("2026-12-29T09:00:00Z".to_owned(), "2026-12-24T09:00:00Z".to_owned());
    assert_eq!(stands(), (before.clone(), false));
    let days = ["2026-12-29", "2026-12-30", "2026-12-31"].map(|date| json!({"date": date}));
    calendar(json!(days));
    assert_eq!(stands(), (before.clone(), true), "the new times are a proposal");
    calendar(json!([]));
    assert_eq!(stands(), (before, false), "and none where they are the old ones again");
    calendar(json!(days));
    let confirmed = id.clone();
    world.by("mona", move |cx| {
        loosen_freeze::confirm_loosening(cx, &confirmed).map(drop)
    });
    assert_eq!(stands(), (after, false));
    world.assert_replays();
}

#[test]
fn a_freeze_that_nobody_announced_in_time_asks_for_no_step_any_more() {
    let world = World::new();
    let span = body(
        json!({"title": "Close", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-20T10:00:00Z",
        "reason": "The books close.", "business_owner": "olga"}),
    );
    let id = world.by("mona", move |cx| Ok(set_freeze::set_freeze(cx, &span)?.id.0));
    let about = About::new(AboutKind::Freeze, id.as_str());
    let open = || {
        let about = about.clone();
        let found = world.look(move |cx| action_items::open_about(cx, &about));
        found.unwrap().into_iter().map(|it| it.title).collect::<Vec<_>>()
    };
    let step = ["Agree to the freeze “Close”, or decline it"];
    assert_eq!(open(), step);
    world.pass_seconds(90 * 60);
    work(&world);
    assert_eq!(open(), step, "there is time left");
    world.pass_seconds(60 * 60);
    work(&world);
    assert!(open().is_empty(), "nobody can agree to it any more");
    world.assert_replays();
}

/// The titles of the open items that require the owner of a change to announce it.
fn missed(world: &World, key: &str) -> Vec<String> {
    let about = About::new(AboutKind::Change, key);
    let open = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    let k = key.to_owned();
    let owner = world.look(move |cx| Ok(cx.change(&k)?.content.owner)).unwrap();
    let own = open.into_iter().filter(|it| it.kind == ActionKind::Other);
    own.inspect(|it| assert_eq!(it.owner.as_ref(), Some(&owner)))
        .map(|it| it.title)
        .collect()
}

#[test]
fn of_all_rounds_of_a_stage_one_event_is_the_first() {
    let world = World::new();
    for unit_key in ["one", "two"] {
        let addresses = (0..125).map(|number| format!("{unit_key}{number}@halden.example"));
        unit(&world, unit_key, addresses.collect());
    }
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    for _ in 0..4 {
        work(&world);
    }
    assert!(sent(&world, &key, "announced") >= 250, "everybody is told");
    world.sequence();
    let events = world.look(|cx| Ok(event::page(cx.tx, 0, 1_000)?)).unwrap();
    let leaves = events.iter().filter(|it| it.kind == "communication.sent");
    let firsts: Vec<bool> = leaves
        .map(|it| serde_json::from_slice::<Value>(&it.bytes).unwrap()["data"]["is_first"] == true)
        .collect();
    assert!(firsts.len() > 1, "one round does not reach everybody");
    assert!(firsts[0] && !firsts[1..].contains(&true), "{firsts:?}");
}

#[test]
fn an_announcement_that_was_not_sent_before_the_start_is_told_to_the_owner_of_the_change() {
    let world = World::new();
    unit(&world, "dispatch", vec!["dispatch@halden.example".to_owned()]);
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    // No worker runs until the change was to start, at ten.
    world.pass_seconds(121 * 60);
    work(&world);
    assert_eq!(
        sent(&world, &key, "announced"),
        0,
        "nobody is told ahead of what is behind"
    );
    let wanted = [format!("Notify the recipients of {key}: its announcement was not sent")];
    assert_eq!(missed(&world, &key), wanted);
    run(&world, &id_of(&world, &key));
    assert_eq!(missed(&world, &key), wanted, "it is said once");
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let said = "who were not notified before 2026-11-20T10:00:00Z: 3.";
    assert!(
        all.unwrap().iter().any(|it| it.text.contains(said)),
        "a letter tells it"
    );
    world.assert_replays();
}

#[test]
fn an_address_that_the_mail_server_refuses_is_to_be_corrected() {
    let world = World::new();
    unit(&world, "dispatch", vec!["gone@halden.example".to_owned()]);
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    let filter = Filter::new().equals("change_key", key.as_str()).order_by("id");
    let all = world
        .look(move |cx| Ok(record::bodies::<Communication>(cx.tx, &filter)?))
        .unwrap();
    let letter = all.iter().find(|it| it.mail_address.is_some()).unwrap().id.0.clone();
    let id = letter.clone();
    world.system(move |cx| communicate::mark_letter(cx, &id, "mailed"));
    let about = About::new(AboutKind::Other, "business-unit dispatch");
    let open = || {
        let about = about.clone();
        world.look(move |cx| action_items::open_about(cx, &about)).unwrap()
    };
    assert!(open().is_empty(), "it was mailed");
    for _ in 0..2 {
        let id = letter.clone();
        world.system(move |cx| communicate::mark_letter(cx, &id, communicate::REFUSED));
    }
    let items = open();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0].title, "Correct a mail address of the business unit dispatch");
    assert!(
        items[0]
            .text
            .as_ref()
            .is_some_and(|text| text.contains("gone@halden.example"))
    );
    world.assert_replays();
}

#[test]
fn what_was_announced_and_reminded_in_time_was_not_missed() {
    let world = World::new();
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    world.pass_seconds(90 * 60);
    work(&world);
    work(&world);
    world.pass_seconds(31 * 60);
    work(&world);
    assert_eq!(
        (sent(&world, &key, "announced"), sent(&world, &key, "reminder")),
        (1, 1)
    );
    assert!(missed(&world, &key).is_empty(), "everybody was told and reminded");
}

#[test]
fn a_worker_that_stands_still_at_the_time_of_the_reminder_leaves_an_item() {
    let world = World::new();
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    world.pass_seconds(121 * 60);
    work(&world);
    assert_eq!(
        (sent(&world, &key, "announced"), sent(&world, &key, "reminder")),
        (1, 0)
    );
    let wanted = [format!("Notify the recipients of {key}: its reminder was not sent")];
    assert_eq!(missed(&world, &key), wanted);
    world.assert_replays();
}

#[test]
fn a_reminder_that_was_not_due_when_the_work_began_was_not_missed() {
    let world = World::new();
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    let k = key.clone();
    world.system(move |cx| {
        let now = cx.now;
        cx.on_change(&k, |case| {
            begin(case, now);
            Ok(())
        })
    });
    work(&world);
    assert_eq!(sent(&world, &key, "reminder"), 0);
    assert!(missed(&world, &key).is_empty(), "it was to come at half past nine");
    world.assert_replays();
}
