//! Links with two ends: both ends agree after any order of edits, on every route; nothing replaces a link, and nothing is
//! linked to itself or in a ring of duplicates.

use std::collections::BTreeSet;

use acts::change::link_change::{link_change, unlink_change};
use acts::core::noun;
use acts::incident::close_incident::{close_incident, merge_incident};
use acts::incident::judge_candidates::judge_candidate;
use acts::incident::link_records::{find_links, show_history, show_links};
use acts::incident::set_incident::{edit_incident, open_incident};
use acts::incident::write_review::{involved, is_change_related};
use acts::{Context, Error, Result};
use jiff::SignedDuration;
use model::change::related_records::{Deployment, Link, Message};
use model::core::enums::{ChangeRelation, Outcome, RelationEnd, RelationKind, RelationOrigin};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::incident::record_link::{RecordLink, SUPPOSED, of_change};
use model::incident::watch::watch_end;
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// Does something that may be refused; a refusal changes nothing.
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

fn incident(world: &World, title: &'static str) -> String {
    world.by("mona", move |cx| {
        let wanted = body(json!({"title": title, "severity": 2, "services": ["pay"]}));
        Ok(open_incident(cx, &wanted)?.key)
    })
}

fn link(world: &World, from: &str, kind: &str, to: &str) -> std::result::Result<RecordLink, Refusal> {
    let wanted = body(json!({"from": from, "kind": kind, "to": to, "reason": "Seen in the log."}));
    attempt(world, "mona", move |cx| noun::add::<RecordLink>(cx, &wanted))
}

fn all_links(world: &World) -> Vec<RecordLink> {
    let found = world.look(|cx| Ok(record::bodies::<RecordLink>(cx.tx, &Filter::new().order_by("id"))?));
    found.unwrap()
}

/// The links of a key: the label of each link and the other end.
fn seen(world: &World, key: &str) -> BTreeSet<(String, String, String)> {
    let key = key.to_owned();
    let found = world.look(move |cx| find_links(cx, &key)).unwrap();
    found
        .into_iter()
        .map(|it| (it.link.id.0, it.reads.words().to_owned(), it.other.key))
        .collect()
}

/// How the other end reads what one end reads so.
fn turned(words: &str) -> &'static str {
    match words {
        "caused" => "caused by",
        "caused by" => "caused",
        "fixed by" => "fixes",
        "fixes" => "fixed by",
        "duplicate of" => "has the duplicate",
        "has the duplicate" => "duplicate of",
        "blocked by" => "blocks",
        "blocks" => "blocked by",
        _ => "related to",
    }
}

fn assert_ends_agree(world: &World, keys: &[String]) {
    for key in keys {
        for (id, words, other) in seen(world, key) {
            let back = (id, turned(&words).to_owned(), key.clone());
            assert!(seen(world, &other).contains(&back), "{key} {words} {other}");
        }
    }
    // The content of a change equals its rows, and its outcome follows.
    let links = world
        .look(|cx| Ok(record::bodies::<Link>(cx.tx, &Filter::new().order_by("id"))?))
        .unwrap();
    let held = links
        .iter()
        .filter(|link| link.removed_at.is_none() && of_change(link).is_some());
    let held: BTreeSet<&str> = held.map(|link| link.id.as_str()).collect();
    let rows = all_links(world);
    let active = rows.iter().filter(|row| row.active && row.is_of_change);
    let active: BTreeSet<&str> = active.map(|row| row.id.as_str()).collect();
    assert_eq!(held, active);
    for key in keys.iter().filter(|key| key.starts_with("CHG-")) {
        let wanted: BTreeSet<String> = seen(world, key)
            .into_iter()
            .filter(|(_, words, other)| words == "caused" && other.starts_with("INC-"))
            .map(|(_, _, other)| other)
            .collect();
        let k = key.clone();
        let change = world.look(move |cx| cx.change(&k)).unwrap();
        let caused: BTreeSet<String> = change.caused_incidents.iter().map(|row| row.incident.clone()).collect();
        assert_eq!(caused, wanted, "{key}");
    }
}

/// Numbers that follow from a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn both_ends_agree_after_any_order_of_edits() {
    for seed in 1..=3 {
        let world = World::new();
        let mut keys = vec![world.closed("One"), world.draft("Two"), world.draft("Three")];
        keys.extend(["Slow", "Slower", "Dead"].map(|title| incident(&world, title)));
        let mut numbers = Numbers(seed);
        let mut done = 0;
        for _ in 0..40 {
            let (from, to) = (keys[numbers.below(6)].clone(), keys[numbers.below(6)].clone());
            let kinds = ["caused", "fixed_by", "related", "duplicate_of", "blocked_by"];
            let kind = kinds[numbers.below(5)];
            let held = ["caused", "fixes", "depends_on", "follows_up"][numbers.below(4)];
            let rows: Vec<RecordLink> = all_links(&world).into_iter().filter(|row| row.active).collect();
            let some = (!rows.is_empty()).then(|| rows[numbers.below(rows.len())].clone());
            let is_done = match (numbers.below(6), some) {
                (0 | 1, _) => link(&world, &from, kind, &to).is_ok(),
                (2, _) => attempt(&world, "mona", move |cx| {
                    link_change(cx, &from, &body(json!({"kind": held, "to": to})))
                })
                .is_ok(),
                (3, Some(row)) => {
                    attempt(&world, "mona", move |cx| noun::end::<RecordLink>(cx, row.id.as_str())).is_ok()
                }
                (4, Some(row)) if row.is_of_change => attempt(&world, "mona", move |cx| {
                    let holder = if row.from.starts_with("CHG-") && row.kind.as_str() != "fixed_by" {
                        &row.from
                    } else {
                        &row.to
                    };
                    unlink_change(cx, holder, &RecordId(row.id.0.clone()))
                })
                .is_ok(),
                (_, Some(row)) => attempt(&world, "mona", move |cx| {
                    let wanted = body(json!({"confidence_ppm": 700_000, "reason": "Likely."}));
                    noun::edit::<RecordLink>(cx, row.id.as_str(), &wanted)
                })
                .is_ok(),
                _ => false,
            };
            done += usize::from(is_done);
            assert_ends_agree(&world, &keys);
        }
        assert!(done >= 12, "most edits of seed {seed} were lawful: {done}");
        world.sequence();
        world.assert_replays();
    }
}

fn code_of(refused: std::result::Result<RecordLink, Refusal>) -> String {
    match refused.unwrap_err() {
        Refusal::Invalid(errors) => errors[0].code.to_string(),
        Refusal::NotNow { code, .. } => code.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_linked_to_itself_twice_or_in_a_ring() {
    let world = World::new();
    let [one, two, three] = ["Slow", "Slower", "Dead"].map(|title| incident(&world, title));
    assert_eq!(
        code_of(link(&world, &one, "related", &one.to_lowercase())),
        "not_allowed"
    );
    assert_eq!(code_of(link(&world, &one, "related", "INC-999")), "unknown");
    assert_eq!(code_of(link(&world, &one, "related", "banana")), "unknown");
    link(&world, &one, "related", &two).unwrap();
    assert_eq!(
        code_of(link(&world, &two, "related", &one)),
        "not_unique",
        "it reads the same"
    );
    link(&world, &one, "duplicate_of", &two).unwrap();
    link(&world, &two, "duplicate_of", &three).unwrap();
    assert_eq!(code_of(link(&world, &three, "duplicate_of", &one)), "circular");
    assert_eq!(
        code_of(link(&world, &one, "duplicate_of", &three)),
        "duplicate_already",
        "links cannot be replaced"
    );
    assert_eq!(all_links(&world).len(), 3);
    link(&world, &one, "fixed_by", "jira:OPS-7").unwrap();
    let (_, shown) = world.look(|cx| show_links(cx, "jira:OPS-7")).unwrap();
    assert_eq!(shown[0].reads.words(), "fixes");
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_incident_that_is_linked_after_the_closing_revises_the_outcome_and_the_history_stays() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    let made = link(&world, &found, "caused", &key).unwrap();
    assert!(!made.is_of_change, "an incident that leads to a change revises nothing");
    let made = link(&world, &key, "caused", &found).unwrap();
    assert!(made.is_of_change);
    assert_eq!(made.reason.as_deref(), Some("Seen in the log."));
    let k = key.clone();
    let change = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!(change.caused_incidents[0].incident, found);
    assert!(
        change.reviews.last().unwrap().addendum,
        "the closing was revised by an addendum"
    );
    let id = made.id.clone();
    world.by("mona", move |cx| {
        noun::edit::<RecordLink>(cx, id.as_str(), &body(json!({"confidence_ppm": 800_000})))
    });
    let id = made.id.clone();
    let other = attempt(&world, "mona", move |cx| {
        noun::edit::<RecordLink>(cx, id.as_str(), &body(json!({"kind": "related"})))
    });
    assert_eq!(code_of(other), "not_allowed");
    let id = made.id.clone();
    world.by("mona", move |cx| noun::end::<RecordLink>(cx, id.as_str()));
    let id = made.id.clone();
    let kinds = world.look(move |cx| show_history(cx, id.as_str())).unwrap();
    let mona = world.actor("mona").person;
    assert_eq!((&kinds[2].by, kinds[2].confidence_ppm_before), (&mona, Some(1_000_000)));
    let kinds: Vec<&str> = kinds.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "record_link.added",
            "record_link.edited",
            "record_link.edited",
            "record_link.ended"
        ]
    );
    let k = key.clone();
    let change = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!(change.caused_incidents, []);
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_deployment_that_led_to_an_incident_stands_for_its_change_and_a_link_keeps_its_former_reasons() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    let k = key.clone();
    world.system(move |cx| {
        let (change, at) = (cx.change(&k)?.id, cx.now);
        for (id, more) in [
            ("run-1", json!({"change": change, "change_key": k})),
            ("run-2", json!({"same_as": "run-1"})),
            ("run-3", json!({})),
        ] {
            let mut run = body(
                json!({"id": id, "version": 0, "connection": "ci", "natural_key": id, "service": "pay",
                "environment": "production", "commit": "aaaa", "at": at}),
            );
            run.extend(body(more));
            let run: Deployment = serde_json::from_value(run.into())?;
            cx.put_estate("deployment.told", run, json!({}))?;
        }
        Ok(())
    });
    let unmatched = link(&world, "run-3", "caused", &found).unwrap();
    assert_eq!(unmatched.from_kind, RelationEnd::Deployment, "no change is known of it");
    let made = link(&world, "run-1", "caused", &found).unwrap();
    assert_eq!((made.from.as_str(), made.is_of_change), (key.as_str(), true));
    assert_eq!(
        code_of(link(&world, "run-2", "caused", &found)),
        "not_unique",
        "it is the same one"
    );
    assert_eq!(relation(&world, &found), Some(ChangeRelation::Confirmed));
    let k = key.clone();
    let change = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!(change.caused_incidents[0].incident, found);
    assert!(change.reviews.last().unwrap().addendum, "its closing was revised");
    for reason in ["Seen in a trace.", "Seen in two traces."] {
        let id = made.id.clone();
        world.by("mona", move |cx| {
            noun::edit::<RecordLink>(cx, id.as_str(), &body(json!({"reason": reason})))
        });
    }
    let rows = all_links(&world);
    let kept = rows.iter().find(|row| row.id == made.id).unwrap();
    assert_eq!(kept.reason.as_deref(), Some("Seen in two traces."));
    assert_eq!(kept.reasons_before, ["Seen in the log.", "Seen in a trace."]);
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_merge_carries_causes_and_fixes_so_that_the_review_is_asked_for() {
    let world = World::new();
    let change = world.closed("One");
    let (one, two) = (incident(&world, "Slow"), incident(&world, "Slower"));
    link(&world, &change, "caused", &one).unwrap();
    link(&world, &one, "fixed_by", &change).unwrap();
    let (key, into) = (one.clone(), json!({"into": two, "reason": "The same."}));
    world.by("mona", move |cx| {
        merge_incident(cx, &key, &body(into.clone())).map(drop)
    });
    let shown = seen(&world, &two);
    for words in ["caused by", "fixed by"] {
        let is_there = shown.iter().any(|(_, reads, other)| reads == words && other == &change);
        assert!(is_there, "{words}: {shown:?}");
    }
    let from_one = format!("merged from {one}");
    let is_merge = |row: &&RecordLink| row.kind == RelationKind::DuplicateOf;
    let is_of_two = |row: &&RecordLink| (row.from == two || row.to == two) && !is_merge(row);
    let rows = all_links(&world);
    let merged: Vec<_> = rows
        .iter()
        .filter(is_merge)
        .map(|row| (&row.from, &row.to, row.reason.as_deref()))
        .collect();
    assert_eq!(merged, [(&one, &two, Some("The same."))], "the merge is a link");
    assert!(
        rows.iter()
            .filter(is_of_two)
            .all(|row| row.reason.as_deref() == Some(from_one.as_str()))
    );
    let (key, now) = (two.clone(), world.executor.tools().clock.now().to_string());
    let refused = attempt(&world, "mona", move |cx| {
        edit_incident(cx, &key, &body(json!({"resolved_at": now})))?;
        close_incident(cx, &key, &body(json!({}))).map(drop)
    });
    assert_eq!(refused.unwrap_err().code(), "incident_not_done");
    // Verdicts on the duplicate after the merge count as well.
    let later = world.draft("Two");
    link(&world, &one, "caused", &later).unwrap();
    let key = two.clone();
    let found = world.look(move |cx| {
        let directory = cx.directory()?;
        involved(cx, directory.incidents.get(&key).unwrap())
    });
    assert_eq!(found.unwrap(), BTreeSet::from([change, later]));
    world.sequence();
    world.assert_replays();
}

#[test]
fn the_owner_of_a_candidate_is_notified_after_its_watch_also_when_the_service_is_named_later() {
    let world = World::new();
    let key = world.closed("One");
    let k = key.clone();
    let watched = world.look(move |cx| {
        let (change, directory) = (cx.change(&k)?, cx.directory()?);
        Ok(watch_end(&change, &directory))
    });
    let began = watched.unwrap().unwrap() + SignedDuration::from_mins(1);
    world.pass_seconds(5 * 3_600);
    let told = |world: &World| {
        let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
        let all = all.unwrap().into_iter();
        all.filter(|it| it.topic == "incident_candidate").count()
    };
    let found = world.by("mona", move |cx| {
        let wanted = json!({"title": "Slow", "severity": 3, "started_at": began.to_string()});
        Ok(open_incident(cx, &body(wanted))?.key)
    });
    assert_eq!(told(&world), 0, "without a service there is no candidate");
    for title in ["Slow", "Slower"] {
        let key = found.clone();
        world.by("mona", move |cx| {
            edit_incident(cx, &key, &body(json!({"title": title, "services": ["pay"]})))
        });
        assert_eq!(told(&world), 1, "nobody is told twice");
    }
}

#[test]
fn a_merge_and_a_link_make_no_ring_of_duplicates() {
    let world = World::new();
    let [one, two, three, four] = ["Slow", "Slower", "Dead", "Deader"].map(|title| incident(&world, title));
    let merge = |from: &str, into: &str| {
        let (from, wanted) = (from.to_owned(), body(json!({"into": into, "reason": "The same."})));
        attempt(&world, "mona", move |cx| merge_incident(cx, &from, &wanted))
    };
    link(&world, &one, "duplicate_of", &two).unwrap();
    assert!(matches!(merge(&two, &one), Err(Refusal::Invalid(_))));
    merge(&three, &four).unwrap();
    assert_eq!(code_of(link(&world, &four, "duplicate_of", &three)), "circular");
    // A merged incident has one original, by the link as well, which stays.
    assert_eq!(code_of(link(&world, &three, "duplicate_of", &one)), "duplicate_already");
    let made = all_links(&world).into_iter().find(|row| row.from == three).unwrap();
    let ended = attempt(&world, "mona", move |cx| {
        noun::end::<RecordLink>(cx, made.id.as_str()).map(drop)
    });
    assert_eq!(ended.unwrap_err().code(), "not_in_state");
    assert_eq!(merge(&one, &four).unwrap_err().code(), "duplicate_already");
}

fn relation(world: &World, key: &str) -> Option<ChangeRelation> {
    let key = key.to_owned();
    let found = world.look(move |cx| Ok(cx.directory()?.incidents.get(&key).cloned()));
    found.unwrap().unwrap().course.change_related
}

#[test]
fn a_cause_that_came_with_a_merge_is_cleared_at_the_incident_that_goes_on() {
    let world = World::new();
    let change = world.closed("One");
    let (one, two) = (incident(&world, "Slow"), incident(&world, "Slower"));
    let judge = |found: &str, confirmed: bool| {
        let wanted = body(json!({"change": change, "confirmed": confirmed, "reason": "The log says so."}));
        let found = found.to_owned();
        world.by("mona", move |cx| judge_candidate(cx, &found, &wanted).map(drop));
    };
    judge(&one, true);
    let (key, into) = (one.clone(), json!({"into": two, "reason": "The same."}));
    world.by("mona", move |cx| {
        merge_incident(cx, &key, &body(into.clone())).map(drop)
    });
    assert_eq!(relation(&world, &two), Some(ChangeRelation::Confirmed));
    world.pass_seconds(60);
    judge(&two, false);
    assert_eq!(relation(&world, &two), Some(ChangeRelation::Cleared));
    let left: Vec<RecordLink> = all_links(&world).into_iter().filter(|row| row.active).collect();
    assert!(
        left.iter().all(|row| row.kind == RelationKind::DuplicateOf),
        "{left:#?}"
    );
    let key = two.clone();
    let is_related = world.look(move |cx| {
        let directory = cx.directory()?;
        is_change_related(cx, directory.incidents.get(&key).unwrap())
    });
    assert!(!is_related.unwrap(), "what was confirmed before is cleared");
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_a_delivery_supposes_stays_suspected_until_a_person_says_so() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    let (change, wanted) = (key.clone(), body(json!({"kind": "caused", "to": found})));
    world.system(move |cx| link_change(cx, &change, &wanted));
    let made = all_links(&world).remove(0);
    assert_eq!((made.origin, made.confidence_ppm), (RelationOrigin::Source, SUPPOSED));
    assert_eq!(relation(&world, &found), Some(ChangeRelation::Suspected));
    link(&world, &key, "caused", &found).unwrap();
    assert_eq!(relation(&world, &found), Some(ChangeRelation::Confirmed));
    world.pass_seconds(60);
    let wanted = body(json!({"change": key, "confirmed": false, "reason": "It was the network."}));
    let at = found.clone();
    world.by("mona", move |cx| judge_candidate(cx, &at, &wanted).map(drop));
    assert_eq!(relation(&world, &found), Some(ChangeRelation::Cleared));
    assert!(seen(&world, &found).is_empty());
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_confirmed_candidate_that_is_cleared_is_linked_no_more_and_the_outcome_follows() {
    let world = World::new();
    let key = world.closed("One");
    let found = incident(&world, "Slow");
    let judge = |confirmed: bool, reason: &str| {
        let wanted = body(json!({"change": key, "confirmed": confirmed, "reason": reason}));
        let found = found.clone();
        world.by("mona", move |cx| judge_candidate(cx, &found, &wanted));
    };
    judge(true, "The log says so.");
    let made = all_links(&world).remove(0);
    assert_eq!(made.reason.as_deref(), Some("The log says so."));
    world.pass_seconds(60);
    judge(false, "It was the network.");
    assert!(seen(&world, &found).is_empty());
    let ended = all_links(&world).remove(0);
    assert_eq!(
        (ended.active, ended.reason.as_deref(), ended.edited_by),
        (false, Some("It was the network."), Some(world.actor("mona").person))
    );
    let k = key.clone();
    let change = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!(
        (change.outcome, change.caused_incidents.len()),
        (Some(Outcome::Succeeded), 0)
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn who_may_not_set_incidents_links_nothing() {
    let world = World::new();
    let [one, two] = ["Slow", "Slower"].map(|title| incident(&world, title));
    let wanted = body(json!({"from": one, "kind": "related", "to": two}));
    let refused = attempt(&world, "rita", move |cx| noun::add::<RecordLink>(cx, &wanted));
    assert!(matches!(refused, Err(Refusal::NotAllowed { .. })), "{refused:?}");
}
