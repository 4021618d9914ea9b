//! Figures that alarm: times by approver and their readers, waits above agreed bounds, a rise of emergencies, and variants of
//! templates from a proposed diff.

use acts::Context;
use acts::change::propose_variant::propose_variant;
use acts::change::{create_change, edit_change, set_template, verbs};
use acts::core::noun;
use acts::directory::set_person;
use acts::notify::act_on_items::settle_item;
use acts::report::find_figures::{find_figure, find_rows};
use acts::report::find_rework::find_template_report;
use acts::report::metric_query::read_query;
use acts::report::watch_figures::{find_due, open_due};
use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::change::related_records::Message;
use model::change::template::trial::{TemplateTrial, is_in_variant};
use model::notify::action_item::{ActionItem, NewItem};
use model::report::wait_budget::WaitBudget;
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::report::change_outcome::{self, OutcomeRow};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

/// The code of the refusal, or `done`.
fn refused<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let actor = world.actor(login);
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(fault) => panic!("{fault:?}"),
        Ok(_) => "done".to_owned(),
    }
}

type QueryPairs = &'static [(&'static str, &'static str)];

const BY_APPROVER: QueryPairs = &[("from", "2026-11-01"), ("to", "2026-12-01"), ("by", "approver")];
const BY_RULE: QueryPairs = &[("from", "2026-11-01"), ("to", "2026-12-31"), ("by", "rule")];

fn get(asked: QueryPairs) -> impl Fn(&str) -> Option<&'static str> {
    move |name: &str| asked.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
}

#[test]
fn an_approver_sees_their_own_times_and_a_change_manager_those_of_all() {
    let world = World::new();
    world.closed("One");
    world.sequence();
    let seen = |login: &'static str| -> Vec<String> {
        let found = world.by(login, |cx| {
            let query = read_query("time_to_approve", cx.now, get(BY_APPROVER))?;
            find_figure(cx, &query)
        });
        assert!(found.bottleneck.is_none(), "a share would tell of the others");
        found.groups.into_keys().collect()
    };
    let all = seen("mona");
    assert!(all.contains(&"olga".to_owned()), "{all:?}");
    assert_eq!(seen("olga"), ["olga"]);
    assert!(seen("rita").is_empty(), "who decided nothing has no times");
    let asked_of = |login: &'static str, approver: QueryPairs| {
        refused(&world, login, move |cx| {
            let query = read_query("time_to_approve", cx.now, get(approver))?;
            find_figure(cx, &query).map(drop)
        })
    };
    assert_eq!(asked_of("olga", &[("approver", "olga")]), "done");
    assert_eq!(asked_of("mona", &[("approver", "olga")]), "done");
    assert_eq!(asked_of("sam", &[("approver", "olga")]), "not_yours");
    assert_eq!(
        asked_of("sam", &[("approver", "nobody")]),
        "not_yours",
        "no word on who is here"
    );
    assert_eq!(asked_of("mona", &[("approver", "nobody")]), "invalid");
    let elsewhere = refused(&world, "mona", |cx| {
        read_query("success_share", cx.now, get(&[("approver", "olga")])).map(drop)
    });
    assert_eq!(elsewhere, "invalid");
}

#[test]
fn a_rule_that_one_person_alone_answers_tells_others_nothing_of_that_person() {
    let world = World::new();
    slow(&world);
    world.sequence();
    let seen = |login: &'static str| {
        world.by(login, |cx| {
            let query = read_query("time_to_approve", cx.now, get(BY_RULE))?;
            let rows = find_rows(cx, &query)?;
            Ok((find_figure(cx, &query)?, rows))
        })
    };
    let owner = "base.require.owner";
    // Olga alone is the owner: she and a change manager see her times, another approver does not.
    for (login, is_shown) in [("olga", true), ("mona", true), ("sam", false), ("rita", false)] {
        let (found, rows) = seen(login);
        let figure = &found.groups[owner];
        assert_eq!(figure.is_enough(), is_shown, "{login}");
        assert_eq!(figure.is_withheld, !is_shown, "{login}");
        assert_eq!(
            (figure.total.is_some(), figure.p90.is_some()),
            (is_shown, is_shown),
            "{login}"
        );
        assert!(figure.of >= 5, "that there are decisions is no secret");
        let mut theirs = rows.iter().filter(|row| row.rule == owner);
        assert!(theirs.all(|row| row.minutes.is_some() == is_shown), "{login}");
        if login != "mona" {
            assert!(
                found.bottleneck.is_none(),
                "{login}: a share of the sum would tell the rest"
            );
        }
    }
}

/// Five changes whose approvers took two hours.
fn slow(world: &World) {
    for number in 1..=5 {
        let times = ["2026-12-02T10:00:00Z", "2026-12-02T12:00:00Z"];
        let key = world.draft_at(&format!("Change {number}"), ARTIFACT, times);
        let k = key.clone();
        world.by("rita", move |cx| verbs::submit_change(cx, &k));
        let k = key.clone();
        let request = body(json!({"dependencies_reviewed": true}));
        world.by("rita", move |cx| verbs::assess_change(cx, &k, &request));
        world.pass_seconds(2 * 3_600);
        for login in ["olga", "sam", "mona"] {
            let k = key.clone();
            world.by(login, move |cx| {
                let digest = cx.change(&k)?.digests.content;
                let request = body(json!({"decision": "approve", "content_digest": digest}));
                acts::approval::verbs::approve_change(cx, &k, &request)
            });
        }
    }
}

fn due(world: &World) -> Vec<NewItem> {
    world.look(find_due).unwrap()
}

fn edited(world: &World, login: &'static str, id: &str, patch: Value) -> String {
    let id = id.to_owned();
    refused(world, login, move |cx| {
        noun::edit::<WaitBudget>(cx, &id, &body(patch.clone()))
    })
}

#[test]
fn a_bound_alarms_once_a_period_and_only_where_its_group_agreed() {
    let world = World::new();
    let members = body(json!({"name": "Pay", "members": ["olga", "mona"]}));
    world.system(move |cx| set_person::set_group(cx, "pay-team", &members).map(drop));
    let wanted = json!({"wait_of": "stage", "waits_at": "authorization", "minutes": 60, "group": "pay-team"});
    let w = wanted.clone();
    assert_ne!(
        refused(&world, "rita", move |cx| noun::add::<WaitBudget>(cx, &body(w.clone()))),
        "done"
    );
    let w = wanted.clone();
    let budget = world.by("mona", move |cx| noun::add::<WaitBudget>(cx, &body(w.clone())));
    assert_eq!(
        refused(&world, "mona", move |cx| noun::add::<WaitBudget>(
            cx,
            &body(wanted.clone())
        )),
        "invalid"
    );
    let id = budget.id.0.clone();
    assert_eq!(
        edited(&world, "mona", &id, json!({"is_agreed": true})),
        "own_bound",
        "a member, but she set it"
    );
    assert_eq!(edited(&world, "sam", &id, json!({"is_agreed": true})), "not_member");
    assert_eq!(
        edited(&world, "olga", &id, json!({"is_agreed": true, "minutes": 9_000})),
        "invalid"
    );
    assert_ne!(
        edited(&world, "olga", &id, json!({"minutes": 9_000})),
        "done",
        "a bound is the change manager's"
    );
    slow(&world);
    world.sequence();
    world.pass_seconds(3 * 24 * 3_600);
    assert!(due(&world).is_empty(), "nobody agreed");
    assert_eq!(edited(&world, "olga", &id, json!({"is_agreed": true})), "done");
    assert!(due(&world).is_empty(), "agreed once the week was over");
    // The week after.
    slow(&world);
    world.sequence();
    world.pass_seconds(7 * 24 * 3_600);
    let found = due(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].title.contains("120 min"), "{}", found[0].title);
    world.system(move |cx| open_due(cx, &found));
    assert!(due(&world).is_empty(), "once for each period");
    let items = world.look(|cx| Ok(record::bodies::<ActionItem>(cx.tx, &Filter::new().order_by("id"))?));
    let item = items.unwrap().pop().unwrap();
    assert_eq!(item.group.as_ref().map(|it| it.as_str()), Some("pay-team"));
    let letters = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let told = letters.unwrap().iter().filter(|it| it.text.contains(&item.key)).count();
    assert_eq!(told, 2, "both members hear of it");
    let key = item.key.clone();
    let done = body(json!({"state": "done", "reason": "A deputy helps now."}));
    assert_eq!(refused(&world, "olga", move |cx| settle_item(cx, &key, &done)), "done");
    assert!(due(&world).is_empty(), "what was settled stays so");
    // Another bound has to be agreed to once more.
    assert_eq!(edited(&world, "mona", &id, json!({"minutes": 90})), "done");
    let again = world.by("mona", move |cx| noun::show::<WaitBudget>(cx, &id));
    assert!(!again.is_agreed && again.confirmed_by.is_none());
    world.assert_replays();
}

/// Writes emergencies of one week into the projection.
fn emergencies(world: &World, (week, count): (i64, i64), cause: &'static str) {
    let to: Timestamp = "2026-11-16T00:00:00Z".parse().unwrap();
    let created = to - SignedDuration::from_hours(7 * 24 * week) + SignedDuration::from_hours(8);
    world.system(move |cx| {
        for place in 0..count {
            let number = week * 1_000 + place + if cause == "incident" { 0 } else { 500 };
            let row = json!({
                "change": format!("c{number}"), "version": 1, "number": number, "key": format!("CHG-{number}"),
                "kind": "emergency", "category": "application", "risk": "low", "state": "closed", "created_at": created,
                "cause": cause, "targets": [{"target": "1", "service": "pay", "environment": "production"}],
            });
            let row = OutcomeRow {
                change_id: format!("c{number}"),
                version: 1,
                number,
                created_at: created,
                moved_at: created,
                ended_at: None,
                body: row.to_string(),
            };
            change_outcome::save(cx.tx, &row)?;
        }
        Ok(())
    });
}

#[test]
fn a_lasting_rise_of_emergencies_is_told_once_with_what_rose_and_its_rows() {
    let world = World::new();
    for week in 1..=52 {
        emergencies(&world, (week, 8), "incident");
    }
    assert!(due(&world).is_empty(), "a steady volume is no news");
    for week in 1..=3 {
        emergencies(&world, (week, 12), "capacity");
    }
    let found = due(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    let item = &found[0];
    assert!(item.title.contains("from 8.0 to 20.0 a week"), "{}", item.title);
    let text = item.text.as_deref().unwrap_or_default();
    assert!(text.contains("cause capacity: from 0.0 to 12.0 a week"), "{text}");
    assert!(
        item.links[0].contains("/metrics/emergency_volume?from=2026-10-26"),
        "{}",
        item.links[0]
    );
    assert!(
        item.links[1..].iter().all(|link| link.starts_with("CHG-")),
        "{:?}",
        item.links
    );
    world.system(move |cx| open_due(cx, &found));
    assert!(due(&world).is_empty(), "the same rise is no news");
    let mona = world.actor("mona").person;
    let letters = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let mut to_mona = letters.unwrap().into_iter().filter(|it| it.person == mona);
    assert!(
        to_mona.any(|it| it.text.contains("Emergencies rose")),
        "whoever owns the figure hears of it"
    );
    // Nor is it where corrections of the past let it be found in another week.
    emergencies(&world, (3, 40), "capacity");
    assert!(
        due(&world).is_empty(),
        "found a week or two earlier, it is the same rise"
    );
    // A rise that was found weeks ago is history.
    world.pass_seconds(8 * 7 * 24 * 3_600);
    assert!(due(&world).is_empty());
}

fn template(world: &World) {
    let template = body(json!({
        "key": "restart", "title": "Restart", "services": ["pay"],
        "locked": {"category": "application", "complexity": "low", "description": "d", "plan": [{"title": "Restart"}],
            "rollback_plan": [{"title": "Back", "minutes": 2}]},
        "free": ["planned_start", "planned_end", "labels"],
    }));
    world.by("rita", move |cx| set_template::propose_template(cx, &template));
    approve(world, "restart");
}

fn approve(world: &World, key: &'static str) {
    for login in ["olga", "mona"] {
        world.by(login, move |cx| {
            set_template::approve_template(cx, key, &body(json!({})))
        });
    }
}

fn uses(world: &World, count: usize) {
    for _ in 0..count {
        let request = body(json!({
            "kind": "standard", "template": "restart", "services": ["pay"], "environment": "production",
            "justification": "Policy asks for it", "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        }));
        let key = world.by("rita", move |cx| create_change::create_change(cx, &request, &[]));
        world.by("rita", move |cx| verbs::submit_change(cx, &key));
    }
    world.sequence();
}

#[test]
fn a_planted_bad_field_is_proposed_tried_on_half_and_dropped() {
    let world = World::new();
    template(&world);
    uses(&world, 19);
    let proposed = |wanted: Value| {
        refused(&world, "rita", move |cx| {
            propose_variant(cx, "restart", &body(wanted.clone()))
        })
    };
    assert_eq!(
        proposed(json!({"key": "restart-short"})),
        "nothing_proposed",
        "19 uses speak for nothing"
    );
    uses(&world, 1);
    let report = world.by("rita", |cx| find_template_report(cx, "restart"));
    let lines: Vec<(&str, &str)> = report
        .proposal
        .iter()
        .map(|it| (it.field.as_str(), it.edit.as_str()))
        .collect();
    assert_eq!(lines, [("justification", "lock"), ("labels", "drop")]);
    assert_eq!(
        proposed(json!({"key": "restart"})),
        "invalid",
        "a variant has a key of its own"
    );
    assert_eq!(proposed(json!({"key": "restart-short", "fields": ["plan"]})), "invalid");
    let variant = world.by("rita", |cx| {
        propose_variant(
            cx,
            "restart",
            &body(json!({"key": "restart-short", "fields": ["justification"]})),
        )
    });
    assert_eq!(variant.locked["justification"], "Policy asks for it");
    assert!(!variant.free.contains("justification") && variant.free.contains("labels"));
    let tried = || {
        let wanted = json!({"template": "restart", "variant": "restart-short"});
        refused(&world, "rita", move |cx| {
            noun::add::<TemplateTrial>(cx, &body(wanted.clone()))
        })
    };
    assert_eq!(tried(), "invalid", "nobody has approved it");
    approve(&world, "restart-short");
    world.pass_seconds(60);
    assert_eq!(tried(), "done");
    settle_trial(&world);
    let template = world
        .look(|cx| Ok(cx.directory()?.templates.get("restart").cloned()))
        .unwrap()
        .unwrap();
    let next = template.next.unwrap();
    assert_eq!(next.locked["justification"], "Policy asks for it");
    assert!(template.free.contains("justification"), "nobody has approved it yet");
    approve(&world, "restart");
    let change = used(&world, |_| {});
    assert_eq!(change.content.template.as_ref().unwrap().template_version, 2);
    assert_eq!(
        change.content.justification.as_deref(),
        Some("Policy asks for it"),
        "nobody is asked any more"
    );
    world.assert_replays();
}

/// A use without the field on trial unless `fill` sets it.
fn used(world: &World, fill: fn(&mut Value)) -> Change {
    let mut request = json!({
        "kind": "standard", "template": "restart", "services": ["pay"], "environment": "production",
        "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
    });
    fill(&mut request);
    let request = body(request);
    let key = world.by("rita", move |cx| create_change::create_change(cx, &request, &[]));
    world.look(move |cx| cx.change(&key)).unwrap()
}

/// Uses of both sides, of which those of the template are edited after submission; the proposer hears of the verdict and ends
/// the trial.
fn settle_trial(world: &World) {
    let other = used(world, |request| request["justification"] = json!("Something else"));
    assert_eq!(
        other.content.template.unwrap().key,
        "restart",
        "another value stays with the template"
    );
    let mut seen = [0_usize, 0];
    while seen.iter().any(|uses| *uses < 20) {
        assert!(seen.iter().sum::<usize>() < 400, "{seen:?}");
        let change = used(world, |request| request["justification"] = json!("Policy asks for it"));
        let follows = is_in_variant(change.id.as_str());
        let followed = if follows { "restart-short" } else { "restart" };
        assert_eq!(
            change.content.template.unwrap().key,
            followed,
            "the usual value follows"
        );
        assert_eq!(change.content.justification.as_deref(), Some("Policy asks for it"));
        let key = change.key.clone();
        world.by("rita", move |cx| verbs::submit_change(cx, &key));
        if !follows {
            let (key, patch) = (change.key, body(json!({"justification": "The node hangs"})));
            world.by("rita", move |cx| edit_change::edit_change(cx, &key, &patch));
        }
        seen[usize::from(follows)] += 1;
    }
    world.sequence();
    let found = due(world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].title.contains("restart-short of restart is reworked less"),
        "{}",
        found[0].title
    );
    let text = found[0].text.as_deref().unwrap_or_default();
    assert!(text.contains("of the template were reworked, and 0 of"), "{text}");
    world.system(move |cx| open_due(cx, &found));
    assert!(due(world).is_empty(), "one item for a verdict");
    let trial = world.by("rita", noun::list::<TemplateTrial>).pop().unwrap();
    world.by("rita", move |cx| noun::end::<TemplateTrial>(cx, &trial.id.0));
    let items = world.look(|cx| Ok(record::bodies::<ActionItem>(cx.tx, &Filter::new().order_by("id"))?));
    let item = items
        .unwrap()
        .into_iter()
        .find(|it| it.title.contains("restart-short"))
        .unwrap();
    assert_eq!(item.owner, Some(world.actor("rita").person));
    assert!(!item.state.is_open(), "the end of the trial settles it");
}
