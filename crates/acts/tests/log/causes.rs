//! People's verdicts on candidates teach: a probability, hours of a service, and a flag on the incident that follows the
//! verdicts.

use acts::Error;
use acts::core::noun;
use acts::directory::{set_person, set_service};
use acts::incident::close_incident::close_incident;
use acts::incident::fit_causes::{fit_due, is_fit_due};
use acts::incident::judge_candidates::{Candidates, find_candidates, judge_candidate};
use acts::incident::set_incident::{edit_incident, open_incident};
use model::core::enums::{CauseGap, ChangeRelation, WindowOrigin};
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use model::identity::agent::Agent;
use model::incident::cause_fit::labels;
use model::incident::cause_model::CauseModel;
use model::incident::cause_window::CauseWindow;
use model::incident::record_link::RecordLink;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::configuring::attempt;
use crate::monitored::watch_longest;
use crate::world::{TENANT, World, body};

fn opened(world: &World, more: Value) -> String {
    let mut wanted = body(json!({"title": "Slow", "severity": 3, "services": ["pay"]}));
    wanted.extend(body(more));
    world.by("mona", move |cx| Ok(open_incident(cx, &wanted)?.key))
}

fn judge(world: &World, login: &'static str, (incident, change): (&str, &str), confirmed: bool) {
    let wanted = body(json!({"change": change, "confirmed": confirmed, "reason": "The log says so."}));
    let key = incident.to_owned();
    world.by(login, move |cx| judge_candidate(cx, &key, &wanted).map(drop));
}

fn kept(world: &World, key: &str) -> Incident {
    let key = key.to_owned();
    let found = world.look(move |cx| Ok(cx.directory()?.incidents.get(&key).cloned()));
    found.unwrap().unwrap()
}

fn flag(world: &World, key: &str) -> Option<ChangeRelation> {
    kept(world, key).course.change_related
}

fn candidates(world: &World, key: &str, hours: Option<i64>) -> Candidates {
    let incident = kept(world, key);
    world.look(move |cx| find_candidates(cx, &incident, hours)).unwrap()
}

fn models(world: &World) -> Vec<CauseModel> {
    world.look(noun::list::<CauseModel>).unwrap()
}

/// Eight incidents within minutes of a change, which led to each of them, and 24 hours later ones, of which it is cleared.
fn taught(world: &World) -> String {
    let key = world.closed("One");
    for number in 0..32 {
        world.pass_seconds(if number == 8 { 100 * 60 } else { 60 });
        let found = opened(world, json!({}));
        judge(world, "mona", (&found, &key), number < 8);
    }
    key
}

#[test]
fn verdicts_teach_a_probability_and_hours_and_the_same_verdicts_the_same_fit() {
    let world = World::new();
    assert!(!world.look(is_fit_due).unwrap(), "nothing was judged");
    let key = taught(&world);
    assert!(world.look(is_fit_due).unwrap());
    assert!(
        world.system(fit_due) && !world.system(fit_due),
        "once for the same verdicts"
    );
    let model = models(&world).remove(0);
    assert_eq!(
        (model.verdicts, model.confirmed, model.gap),
        (32, 8, None),
        "{model:#?}"
    );
    assert!(model.brier_ppm < model.base_brier_ppm, "{model:#?}");
    assert_eq!((model.explained, model.first_right), (Some(8), Some(8)), "{model:#?}");
    let again = world.by("mona", |cx| {
        noun::add::<CauseModel>(cx, &body(json!({"reason": "Once more."})))
    });
    assert_eq!(again.digest, model.digest);

    // Every cause was felt within minutes, so an hour suffices here, and the change of two hours ago is no candidate any more.
    let late = opened(&world, json!({}));
    let found = candidates(&world, &late, None);
    assert_eq!((found.hours, found.windows[0].origin), (1, WindowOrigin::Learned));
    assert!(found.items.is_empty() && flag(&world, &late).is_none(), "{found:#?}");
    let found = candidates(&world, &late, Some(4));
    assert_eq!(found.items[0].change.as_deref(), Some(key.as_str()));
    assert_eq!((found.model.as_deref(), found.gap), (Some(model.digest.as_str()), None));
    let told = found.probability(0).unwrap();
    assert!(told < 500_000 && !found.sure, "like those that were cleared: {told}");

    // A person's setting precedes a learned one.
    world.system(|cx| noun::add::<CauseWindow>(cx, &body(json!({"service": "pay", "hours": 24}))).map(drop));
    let found = candidates(&world, &late, None);
    assert_eq!(
        (found.hours, found.windows[0].origin, found.items.len()),
        (24, WindowOrigin::Set, 1)
    );
    world.system(|cx| noun::end::<CauseWindow>(cx, "pay").map(drop));
    assert_eq!(candidates(&world, &late, None).hours, 1);
    world.sequence();
    world.assert_replays();
}

#[test]
fn clearing_a_change_in_which_ones_agent_has_a_part_teaches_nothing() {
    let world = World::new();
    let key = world.closed("One");
    world.pass_seconds(60);
    let found = opened(&world, json!({}));
    judge(&world, "mona", (&found, &key), false);
    assert!(!kept(&world, &found).cause_verdicts[0].is_own);
    let (ivo, mona) = (world.actor("ivo").person, world.actor("mona").person);
    let agent: Agent = serde_json::from_value(json!({"id": "agent-1", "version": 0, "person": ivo, "sponsor": mona,
        "charter": "Deploys.", "charter_digest": "", "services": ["pay"], "environments": ["production"], "changes_per_day": 1,
        "highest_risk": "low", "ends_at": "2026-12-20T00:00:00Z", "active": true, "by": mona, "at": "2026-11-20T08:00:00Z"}))
    .unwrap();
    world.system(move |cx| cx.put_estate("agent.added", agent.clone(), json!({})).map(drop));
    judge(&world, "mona", (&found, &key), false);
    let incident = kept(&world, &found);
    assert!(
        incident.cause_verdicts[1].is_own,
        "the account that implemented it is hers"
    );
    assert_eq!(labels([&incident]), []);
}

#[test]
fn a_scoped_reader_is_told_no_hours_of_a_service_that_they_do_not_see() {
    let world = World::new();
    world.system(|cx| {
        set_service::set_service(cx, &body(json!({"key": "shop", "criticality": "low"})))?;
        let vendor = json!({"login": "vic", "roles": ["vendor", "implementer"], "services": ["pay"]});
        set_person::create_person(cx, &body(vendor))?;
        noun::add::<CauseWindow>(cx, &body(json!({"service": "shop", "hours": 24}))).map(drop)
    });
    let found = opened(&world, json!({"services": ["pay", "shop"]}));
    assert_eq!(candidates(&world, &found, None).hours, 24);
    let (incident, vic) = (kept(&world, &found), world.actor("vic"));
    let told = world.executor.wait(Lane::Pages, TENANT, vic, Mode::Read, move |cx| {
        find_candidates(cx, &incident, None)
    });
    let told = told.unwrap();
    assert_eq!((told.hours, told.windows.len()), (4, 1), "{told:#?}");
}

#[test]
fn without_verdicts_there_is_no_probability_and_the_reason_is_told() {
    let world = World::new();
    let key = world.closed("One");
    world.pass_seconds(60);
    let found = opened(&world, json!({}));
    let told = candidates(&world, &found, None);
    assert_eq!(told.items[0].change.as_deref(), Some(key.as_str()));
    assert_eq!(
        (told.probability(0), told.gap, told.hours),
        (None, Some(CauseGap::TooFew), 4)
    );
    let model = world.by("mona", |cx| {
        noun::add::<CauseModel>(cx, &body(json!({"reason": "A look."})))
    });
    assert_eq!((model.verdicts, model.gap), (0, Some(CauseGap::TooFew)));
    assert_eq!(candidates(&world, &found, None).probability(0), None);
}

#[test]
fn a_change_in_whose_watch_an_incident_began_is_a_candidate_however_long_ago_its_work_ended() {
    let world = World::new();
    watch_longest(&world);
    let key = world.closed("One");
    world.pass_seconds(10 * 3_600);
    let found = opened(&world, json!({}));
    assert_eq!(flag(&world, &found), Some(ChangeRelation::Suspected));
    let told = candidates(&world, &found, None);
    assert_eq!((told.hours, told.items.len()), (4, 1), "{told:#?}");
    assert_eq!(told.items[0].change.as_deref(), Some(key.as_str()));
    let reasons = &told.items[0].ranked.reasons;
    assert!(reasons.iter().any(|it| it == "in its watch window"), "{reasons:?}");
    assert!(
        candidates(&world, &found, Some(4)).items.is_empty(),
        "so many hours alone"
    );
    world.pass_seconds(14 * 86_400);
    let late = opened(&world, json!({}));
    assert_eq!(flag(&world, &late), None, "its watch is over");
}

#[test]
fn the_flag_follows_candidates_verdicts_and_links() {
    let world = World::new();
    let key = world.closed("One");
    world.pass_seconds(60);
    let before = opened(&world, json!({"started_at": "2026-11-20T07:00:00Z"}));
    assert_eq!(flag(&world, &before), None, "the work began after it");
    let found = opened(&world, json!({}));
    assert_eq!(flag(&world, &found), Some(ChangeRelation::Suspected));
    judge(&world, "mona", (&found, &key), false);
    assert_eq!(flag(&world, &found), Some(ChangeRelation::Cleared));
    judge(&world, "mona", (&found, &key), true);
    assert_eq!(flag(&world, &found), Some(ChangeRelation::Confirmed));
    // Another title changes nothing of it.
    let k = found.clone();
    world.by("mona", move |cx| {
        edit_incident(cx, &k, &body(json!({"title": "Slower"}))).map(drop)
    });
    assert_eq!(flag(&world, &found), Some(ChangeRelation::Confirmed));

    world.pass_seconds(60);
    let other = opened(&world, json!({}));
    let wanted = body(json!({"from": key, "kind": "caused", "to": other, "reason": "Seen."}));
    let link = world.by("mona", move |cx| noun::add::<RecordLink>(cx, &wanted));
    assert_eq!(flag(&world, &other), Some(ChangeRelation::Confirmed));
    world.by("mona", move |cx| {
        noun::end::<RecordLink>(cx, link.id.as_str()).map(drop)
    });
    assert_eq!(
        flag(&world, &other),
        Some(ChangeRelation::Suspected),
        "nobody cleared it"
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn who_stands_behind_a_change_and_clears_it_teaches_nothing() {
    let world = World::new();
    let key = world.closed("One");
    world.pass_seconds(60);
    let found = opened(&world, json!({}));
    judge(&world, "ivo", (&found, &key), false);
    let incident = kept(&world, &found);
    assert!(incident.cause_verdicts[0].is_own && incident.cause_verdicts[0].rank.is_some());
    assert_eq!(labels([&incident]), []);
    judge(&world, "mona", (&found, &key), false);
    let learned = labels([&kept(&world, &found)]);
    assert_eq!(
        (learned.len(), learned[0].confirmed),
        (1, false),
        "another person's verdict counts"
    );
}

#[test]
fn an_incident_whose_candidates_nobody_judged_is_closed_with_a_reason_alone() {
    let world = World::new();
    let key = world.closed("One");
    world.pass_seconds(60);
    let (one, other) = (opened(&world, json!({})), opened(&world, json!({"title": "Slower"})));
    for found in [&one, &other] {
        let found = found.clone();
        world.by("mona", move |cx| {
            let at = cx.now.to_string();
            edit_incident(cx, &found, &body(json!({"resolved_at": at}))).map(drop)
        });
    }
    let close = |found: &str, wanted: Value| {
        let (found, wanted) = (found.to_owned(), body(wanted));
        attempt(&world, "mona", move |cx| close_incident(cx, &found, &wanted).map(drop))
    };
    let Err(Error::Refused(Refusal::NotNow { unmet, .. })) = close(&one, json!({})) else {
        panic!("it was closed without a word");
    };
    assert_eq!(unmet.len(), 1, "{unmet:#?}");
    assert_eq!(unmet[0].code, "candidates_not_judged");
    close(&one, json!({"reason": "A cable was cut."})).unwrap();
    let closed = kept(&world, &one);
    let said = &closed.cause_verdicts[0];
    assert_eq!(
        (said.change_key.as_str(), said.confirmed, said.reason.as_str()),
        (key.as_str(), false, "A cable was cut.")
    );
    assert_eq!(closed.course.change_related, Some(ChangeRelation::Cleared));
    assert_eq!(labels([&closed]), [], "nobody looked at each of them");
    judge(&world, "mona", (&other, &key), false);
    close(&other, json!({})).unwrap();
}
