//! Nouns as rows, lists and search.

use model::change::record::Change;
use model::change::related_records::{Approval, Comment};
use serde_json::{Value as Json, json};
use store::change::change_count::count_changes;
use store::change::changes::{
    ChangeFilter, count_by_state, count_written, id_of_key, list_changes, open_in, rejected_in, tally, targets_for,
    targets_of, targets_of_all,
};
use store::report::change_outcome::{self, OutcomeRow};
use store::{Error, Filter, Value, nouns, record, search};

use crate::world::{ACME, World, at, change_json, check};

fn change(id: &str, number: i64) -> Change {
    serde_json::from_value(change_json(id, number)).unwrap()
}

fn changed(id: &str, number: i64, edit: impl FnOnce(&mut Json)) -> Change {
    let mut value = change_json(id, number);
    edit(&mut value);
    serde_json::from_value(value).unwrap()
}

fn insert(world: &World, change: Change) {
    world.act(move |tx| record::insert(tx, &change, "{\"sealed\":true}"));
}

#[test]
fn a_record_comes_back_as_it_was() {
    check(|world| {
        let first = change("c1", 1);
        insert(world, first.clone());
        let stored = world.read(|tx| record::load::<Change>(tx, "c1")).unwrap();
        assert_eq!(stored.record, first);
        assert_eq!(stored.sealed.text().unwrap(), "{\"sealed\":true}");
        assert!(world.read(|tx| record::load::<Change>(tx, "c2")).is_none());
        let twice = world.try_act(ACME, move |tx| record::insert(tx, &first, "{}"));
        assert_eq!(
            twice,
            Err(Error::Conflict {
                table: "change".to_owned()
            })
        );
    });
}

#[test]
fn models_of_failure_are_found_by_digest_and_the_newest_first() {
    use model::risk::forecast::model_record::FailureModel;
    let fitted = |id: &str, day: &str| -> FailureModel {
        let group = json!({"group": "pair", "key": "pay", "team": "Docks", "outcomes": 3, "failures": 1, "weight": 2_500, "failure_weight": 900});
        serde_json::from_value(json!({
            "id": id, "version": 1, "key": format!("failure-{id}"), "fitted_at": day, "features_version": 1, "changes": 3,
            "digest": format!("sha256:{id}"), "outcomes": 3, "failures": 1,
            "environments": [{"environment": "production", "model": {"counts": [group], "strengths": [{"group": "pair", "weight": 50_000}]}}],
        }))
        .unwrap()
    };
    check(|world| {
        let (old, new) = (
            fitted("m1", "2026-10-01T00:00:00Z"),
            fitted("m2", "2027-01-01T00:00:00Z"),
        );
        for model in [new.clone(), old.clone()] {
            world.act(move |tx| record::insert(tx, &model, "{}"));
        }
        let newest =
            world.read(|tx| record::bodies::<FailureModel>(tx, &Filter::new().descending_by("fitted_at").limit(5)));
        assert_eq!(newest, [new, old.clone()]);
        let wanted = Filter::new().equals("digest", "sha256:m1");
        assert_eq!(
            world
                .read(move |tx| record::find_one::<FailureModel>(tx, &wanted))
                .map(|it| it.record),
            Some(old)
        );
    });
}

#[test]
fn an_update_needs_the_version_that_was_read() {
    check(|world| {
        insert(world, change("c1", 1));
        let second = changed("c1", 1, |it| {
            it["version"] = json!(2);
            it["state"] = json!("assessing");
            it["targets"] = json!([{"id": "1", "service": "web", "environment": "production"}]);
            it["title"] = json!("Lower the limit");
        });
        let update = second.clone();
        world.act(move |tx| record::update(tx, &update, "{}", 1));
        let stale = world.try_act(ACME, move |tx| record::update(tx, &second, "{}", 1));
        assert_eq!(
            stale,
            Err(Error::Stale {
                table: "change".to_owned()
            })
        );
        let row = world.read(|tx| record::raw(tx, "change", "c1")).unwrap();
        assert_eq!(row.version, 2);
        let targets = world.read(|tx| targets_of(tx, "c1"));
        assert_eq!((targets.len(), targets[0].service.as_str()), (1, "web"));
        assert!(world.read(|tx| search::find(tx, "change", "raise", 10)).is_empty());
        assert_eq!(world.read(|tx| search::find(tx, "change", "lower", 10)), ["c1"]);
    });
}

#[test]
fn the_targets_of_many_changes_are_those_of_each() {
    check(|world| {
        let ids: Vec<String> = (1..=61).map(|number| format!("c{number}")).collect();
        for (place, id) in ids.iter().enumerate() {
            insert(world, change(id, i64::try_from(place).unwrap() + 1));
        }
        let asked = ids.clone();
        let all = world.read(move |tx| {
            let asked = asked.iter().map(String::as_str).chain(["nobody"]);
            targets_of_all(tx, &asked.collect::<Vec<_>>())
        });
        assert_eq!(all.len(), 61);
        for id in ids {
            let asked = id.clone();
            let own = world.read(move |tx| targets_of(tx, &asked));
            assert_eq!(all.get(&id), Some(&own));
        }
        assert!(world.read(|tx| targets_of_all(tx, &[])).is_empty());
    });
}

#[test]
fn derived_columns_are_what_the_row_holds() {
    check(|world| {
        insert(
            world,
            changed("c1", 1, |it| {
                it["hold"] = json!({"reason": "wait", "by": "p-1", "at": at(9).to_string()});
                it["planned_start"] = json!(at(50).to_string());
            }),
        );
        let rows = world.read(|tx| record::raw_page(tx, "change", "", 10));
        assert_eq!(rows.len(), 1);
        let derived = nouns::derived_columns("change", &rows[0].body).unwrap();
        assert_eq!(rows[0].columns.len(), derived.len());
        for (name, value) in derived {
            let (_, held) = rows[0].columns.iter().find(|(it, _)| it == name).unwrap();
            let same = match (&value, held) {
                (Value::Bool(it), Value::Int(held)) => i64::from(*it) == *held,
                _ => value == *held,
            };
            assert!(same, "{name}: {value:?} is {held:?} on {}", world.engine);
        }
        assert!(world.read(|tx| record::raw_page(tx, "change", "c1", 10)).is_empty());
        let bodies: Vec<String> = rows.iter().rev().map(|row| row.body.clone()).collect();
        assert_eq!(
            world.read(|tx| record::raw_newest(tx, "change", 10)),
            bodies,
            "the newest first"
        );
        assert_eq!(world.read(|tx| record::raw_newest(tx, "change", 1)).len(), 1);
        assert!(nouns::derived_columns("nothing", "{}").is_err());
    });
}

#[test]
fn every_table_of_the_model_can_be_read_and_has_its_columns() {
    check(|world| {
        for table in nouns::TABLES {
            let rows = world.read(move |tx| record::raw_page(tx, table, "", 1));
            assert!(rows.is_empty(), "{table}");
        }
    });
}

fn approval(id: &str, person: &str, state: &str) -> Approval {
    serde_json::from_value(json!({
        "id": id, "version": 1, "change": "c1", "person": person, "decision": "approve", "content_digest": "",
        "what_digest": "", "when_digest": "", "counted_for": [], "what": "standing", "when": "not_covered",
        "state": state, "policy_digest": "", "facts_digest": "", "at": at(1).to_string(),
    }))
    .unwrap()
}

#[test]
fn filters_pick_order_and_limit() {
    check(|world| {
        world.act(|tx| {
            for (id, person, state) in [
                ("a1", "p1", "voided"),
                ("a2", "p1", "standing"),
                ("a3", "p2", "standing"),
            ] {
                record::insert(tx, &approval(id, person, state), "{}")?;
            }
            Ok(())
        });
        let ids = |filter: Filter| {
            world
                .read(move |tx| record::find::<Approval>(tx, &filter))
                .into_iter()
                .map(|it| it.record.id.0)
                .collect::<Vec<_>>()
        };
        let all = || Filter::new().order_by("id");
        assert_eq!(ids(all()), ["a1", "a2", "a3"]);
        assert_eq!(ids(all().equals("person", "p1").differs("state", "voided")), ["a2"]);
        assert_eq!(
            ids(Filter::new().descending_by("person").order_by("id").limit(2)),
            ["a3", "a1"]
        );
        assert_eq!(ids(all().one_of("id", ["a1", "a3"])), ["a1", "a3"]);
        assert!(ids(all().one_of("id", Vec::<String>::new())).is_empty());
        assert_eq!(ids(all().more("id", "a1").less("id", "a3")), ["a2"]);
        assert_eq!(
            ids(all().at_least("at", at(1)).at_most("at", at(1)).starts_with("id", "a")).len(),
            3
        );
        assert!(ids(all().is_null("at")).is_empty());
        assert_eq!(ids(all().is_set("at")).len(), 3);
        let count = world.read(|tx| {
            record::count::<Approval>(tx, &Filter::new().equals("state", "standing").order_by("id").limit(1))
        });
        assert_eq!(count, 2);
        let one = world.read(|tx| record::find_one::<Approval>(tx, &Filter::new().equals("person", "p2")));
        assert_eq!(one.unwrap().record.id.0, "a3");
        let bad = world.try_act(ACME, |tx| {
            record::find::<Approval>(tx, &Filter::new().equals("id = id OR \"x", "y")).map(|_| ())
        });
        assert!(matches!(bad, Err(Error::Other(_))));
    });
}

#[test]
fn one_person_stands_once_for_a_change() {
    check(|world| {
        world.act(|tx| record::insert(tx, &approval("a1", "p1", "standing"), "{}"));
        let twice = world.try_act(ACME, |tx| record::insert(tx, &approval("a2", "p1", "standing"), "{}"));
        assert_eq!(
            twice,
            Err(Error::Conflict {
                table: "approval".to_owned()
            })
        );
    });
}

#[test]
fn a_record_can_be_deleted() {
    check(|world| {
        world.act(|tx| {
            let comment: Comment = serde_json::from_value(json!({
                "id": "k1", "version": 1, "change": "c1", "text": "why?", "by": "p1", "at": at(1).to_string(),
            }))
            .unwrap();
            record::insert(tx, &comment, "{}")
        });
        assert!(world.act(|tx| record::delete::<Comment>(tx, "k1")));
        assert!(!world.act(|tx| record::delete::<Comment>(tx, "k1")));
    });
}

fn estate(world: &World) {
    for number in 1..=5 {
        insert(
            world,
            changed(&format!("c{number}"), number, |it| {
                it["planned_start"] = json!(at(100 + number).to_string());
                if number == 3 {
                    it["state"] = json!("scheduled");
                    it["kind"] = json!("emergency");
                    it["risk"]["level"] = json!("high");
                    it["owner"] = json!("p-9");
                    it["requester"] = json!("p-8");
                    it["team"] = json!("web");
                    it["title"] = json!("Rotate Zertifikate für Kasse");
                    it["targets"][0]["service"] = json!("till");
                }
            }),
        );
    }
}

fn numbers(world: &World, filter: ChangeFilter, limit: i64, after: Option<i64>) -> Vec<i64> {
    world
        .read(move |tx| list_changes(tx, &filter, limit, after))
        .iter()
        .map(|it| it.number)
        .collect()
}

#[test]
fn changes_are_tallied_by_when_they_were_written() {
    check(|world| {
        estate(world);
        for (number, state) in [(6, "closed"), (7, "cancelled"), (8, "rejected")] {
            insert(
                world,
                changed(&format!("c{number}"), number, |it| it["state"] = json!(state)),
            );
        }
        let tallied = |from, to| {
            let it = world.read(move |tx| tally(tx, at(from), at(to)));
            assert_eq!(world.read(move |tx| count_written(tx, at(from), at(to))), it.written);
            (it.written, it.closed, it.emergencies, it.stopped)
        };
        assert_eq!(tallied(1, 9), (8, 1, 1, 2));
        assert_eq!(tallied(1, 3), (2, 0, 0, 0), "the end is not within");
        assert_eq!(tallied(3, 8), (5, 1, 1, 1));
        assert_eq!(tallied(9, 99), (0, 0, 0, 0));
    });
}

/// Filters that find the third change alone; the last finds none.
fn filters_for_the_third() -> [ChangeFilter; 11] {
    let all = ChangeFilter::default;
    let some = |text: &str| Some(text.to_owned());
    [
        ChangeFilter {
            states: vec!["scheduled".to_owned(), "closed".to_owned()],
            ..all()
        },
        ChangeFilter {
            kind: some("emergency"),
            ..all()
        },
        ChangeFilter {
            risk: some("high"),
            ..all()
        },
        ChangeFilter {
            owner: some("p-9"),
            ..all()
        },
        ChangeFilter {
            requester: some("p-8"),
            ..all()
        },
        ChangeFilter {
            team: some("web"),
            ..all()
        },
        ChangeFilter {
            service: some("till"),
            environment: some("production"),
            ..all()
        },
        ChangeFilter {
            q: some("zertifikate KASS"),
            ..all()
        },
        ChangeFilter {
            planned_from: Some(at(103)),
            planned_to: Some(at(104)),
            ..all()
        },
        ChangeFilter {
            created_from: Some(at(3)),
            created_to: Some(at(4)),
            ..all()
        },
        ChangeFilter {
            q: some("fur für rotate"),
            service: some("till"),
            kind: some("normal"),
            ..all()
        },
    ]
}

#[test]
fn lists_of_changes_filter_and_page() {
    check(|world| {
        estate(world);
        let all = ChangeFilter::default;
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(numbers(world, all(), 2, None), [5, 4]);
        assert_eq!(numbers(world, all(), 9, Some(4)), [3, 2, 1]);
        let only_third = filters_for_the_third();
        for (place, filter) in only_third.into_iter().enumerate() {
            let wanted: &[i64] = if place == 10 { &[] } else { &[3] };
            let told = format!("{filter:?}");
            assert_eq!(numbers(world, filter, 9, None), wanted, "{told} on {}", world.engine);
        }
        let wrong_place = ChangeFilter {
            service: some("till"),
            environment: some("staging"),
            ..all()
        };
        assert!(numbers(world, wrong_place, 9, None).is_empty());
        assert!(numbers(world, ChangeFilter { q: some("!?"), ..all() }, 9, None).is_empty());
        let inside = |keys: &[&str]| ChangeFilter {
            within: Some(keys.iter().map(|key| (*key).to_owned()).collect()),
            ..all()
        };
        assert_eq!(
            numbers(world, inside(&["web", "till", "booking-api"]), 9, None),
            [5, 4, 3, 2, 1]
        );
        assert!(
            !numbers(world, inside(&["web"]), 9, None).contains(&3),
            "it is about the till as well"
        );
        assert!(numbers(world, inside(&[]), 9, None).is_empty());
        let counts = world.read(count_by_state);
        assert_eq!(counts, [("draft".to_owned(), 4), ("scheduled".to_owned(), 1)]);
        assert_eq!(world.read(|tx| id_of_key(tx, "CHG-3")).as_deref(), Some("c3"));
    });
}

#[test]
fn lists_of_changes_filter_by_the_outcome_of_the_whole() {
    check(|world| {
        estate(world);
        let ended = |number: i64, outcomes: [&str; 2]| {
            changed(&format!("c{number}"), number, |it| {
                it["state"] = json!("closed");
                it["target_records"] = json!([
                    {"target": "1", "outcome": outcomes[0]},
                    {"target": "2", "outcome": outcomes[1]},
                ]);
            })
        };
        insert(world, ended(6, ["failed", "succeeded"]));
        insert(world, ended(7, ["succeeded", "rolled_back"]));
        insert(world, ended(8, ["succeeded", "succeeded"]));
        let of = |outcomes: &[&str], service: Option<&str>| ChangeFilter {
            outcomes: outcomes.iter().map(|it| (*it).to_owned()).collect(),
            service: service.map(str::to_owned),
            ..ChangeFilter::default()
        };
        let cases = [
            (of(&["failed"], None), vec![]),
            (of(&["partially_implemented"], None), vec![7, 6]),
            (of(&["succeeded"], None), vec![8]),
            (of(&["failed", "partially_implemented"], None), vec![7, 6]),
            (of(&["failed", "partially_implemented"], Some("web")), vec![7, 6]),
            (of(&["partially_implemented"], Some("nowhere")), vec![]),
            (of(&["not_implemented"], None), vec![]),
        ];
        for (filter, wanted) in cases {
            let asked = format!("{filter:?}");
            assert_eq!(numbers(world, filter, 9, None), wanted, "{asked} on {}", world.engine);
        }
    });
}

#[test]
fn changes_with_a_planned_undo_are_found_by_it_alone() {
    check(|world| {
        estate(world);
        let declared = changed("c6", 6, |it| {
            it["planned_undo"] = json!({"text": "Writes go through again", "at": at(90).to_string()});
        });
        // A text that looks like the field is none.
        let told = changed("c7", 7, |it| it["description"] = json!("\"planned_undo\":{"));
        insert(world, declared);
        insert(world, told);
        let filter = |service: Option<&str>| ChangeFilter {
            has_undo: true,
            service: service.map(str::to_owned),
            ..ChangeFilter::default()
        };
        assert_eq!(numbers(world, filter(None), 9, None), [6], "{}", world.engine);
        assert_eq!(numbers(world, filter(Some("web")), 9, None), [6], "{}", world.engine);
        assert!(numbers(world, filter(Some("nowhere")), 9, None).is_empty());
    });
}

#[test]
fn lists_of_changes_filter_by_when_they_ended() {
    check(|world| {
        estate(world);
        for (number, ended) in [(1, Some(10)), (2, Some(20)), (3, None)] {
            let row = OutcomeRow {
                change_id: format!("c{number}"),
                version: 1,
                number,
                created_at: at(1),
                moved_at: at(30),
                ended_at: ended.map(at),
                body: "{}".to_owned(),
            };
            world.act(move |tx| change_outcome::save(tx, &row));
        }
        let ended = |from: Option<i64>, to: Option<i64>| ChangeFilter {
            ended_from: from.map(at),
            ended_to: to.map(at),
            ..ChangeFilter::default()
        };
        assert_eq!(numbers(world, ended(Some(10), None), 9, None), [2, 1]);
        assert_eq!(numbers(world, ended(Some(10), Some(20)), 9, None), [1]);
        assert_eq!(numbers(world, ended(None, Some(10)), 9, None), Vec::<i64>::new());
    });
}

#[test]
fn targets_are_found_by_what_is_deployed() {
    check(|world| {
        estate(world);
        let by_artifact = world.read(|tx| targets_for(tx, "booking-api", "production", Some("sha256:2"), None));
        assert_eq!((by_artifact.len(), by_artifact[0].change_id.as_str()), (1, "c2"));
        let by_commit = world.read(|tx| targets_for(tx, "web", "staging", None, Some("c4")));
        assert_eq!(
            (by_commit[0].change_id.as_str(), by_commit[0].state.as_str()),
            ("c4", "open")
        );
        assert!(
            world
                .read(|tx| targets_for(tx, "web", "staging", None, None))
                .is_empty()
        );
        insert(world, changed("c6", 6, |it| it["state"] = json!("closed")));
        assert_eq!(world.read(|tx| open_in(tx, "till")), ["c3"]);
        let counted = ["web", "till"].map(|service| {
            let open = ChangeFilter {
                states: vec!["draft".to_owned(), "scheduled".to_owned()],
                service: Some(service.to_owned()),
                ..ChangeFilter::default()
            };
            let count = world.read(move |tx| count_changes(tx, &open, 100, None));
            (count.found, count.is_whole)
        });
        assert_eq!(counted, [(5, true), (1, true)], "c6 is closed");
        assert_eq!(world.read(|tx| open_in(tx, "web")), ["c1", "c2", "c3", "c4", "c5"]);
        assert!(world.read(|tx| open_in(tx, "nowhere")).is_empty());
        assert!(world.read(|tx| rejected_in(tx, "web", "staging")).is_empty());
        insert(world, changed("c7", 7, |it| it["state"] = json!("rejected")));
        let rejected = world.read(|tx| rejected_in(tx, "web", "staging"));
        assert!(
            rejected.iter().all(|row| row.change_id == "c7") && !rejected.is_empty(),
            "{rejected:?}"
        );
    });
}

#[test]
fn search_needs_all_words_and_completes_the_last() {
    check(|world| {
        world.act(|tx| search::save(tx, "change", "c1", &["Raise the ﬁrst limit", "naïve 東京"]));
        world.act(|tx| search::save(tx, "change", "c2", &["Raise the second limit"]));
        let find = |question: &'static str| world.read(move |tx| search::find(tx, "change", question, 9));
        assert_eq!(find("raise lim"), ["c2", "c1"]);
        assert_eq!(find("RAISE first"), ["c1"]);
        assert_eq!(find("東"), ["c1"]);
        assert_eq!(find("naïv"), ["c1"]);
        assert!(find("rai first").is_empty(), "only the last word may be a beginning");
        assert!(find("").is_empty());
        assert!(world.read(|tx| search::find(tx, "person", "raise", 9)).is_empty());
        world.act(|tx| search::forget(tx, "change", "c2"));
        assert_eq!(find("raise"), ["c1"]);
        assert!(world.read(|tx| search::terms_of(tx, "change", "c2")).is_empty());
    });
}

#[test]
fn many_words_are_written_in_chunks() {
    check(|world| {
        let text: String = (0..40).map(|it| format!("word{it} ")).collect();
        world.act(move |tx| search::save(tx, "change", "c1", &[&text]));
        assert_eq!(world.read(|tx| search::terms_of(tx, "change", "c1")).len(), 40);
    });
}

fn from<R: record::Record>(value: Json) -> R {
    serde_json::from_value(value).unwrap()
}

#[test]
fn links_between_records_are_found_from_both_ends() {
    use model::incident::record_link::RecordLink;
    let link: RecordLink = from(json!({
        "id": "l1", "version": 1, "from": "INC-101", "from_kind": "incident", "kind": "related", "to": "PRB-101", "to_kind": "problem",
        "origin": "person", "confidence_ppm": 1_000_000, "by": "p", "at": "2026-11-20T08:00:00Z", "active": true,
    }));
    check(|world| {
        let row = link.clone();
        world.act(move |tx| record::insert(tx, &row, "{}"));
        for (column, value) in [("from_key", "INC-101"), ("to_key", "PRB-101"), ("kind", "related")] {
            let wanted = Filter::new()
                .equals(column, value)
                .equals("active", true)
                .order_by("id");
            let found = world.read(move |tx| record::bodies::<RecordLink>(tx, &wanted));
            assert_eq!(found, std::slice::from_ref(&link), "{column}");
        }
    });
}

#[test]
fn an_incident_has_one_review_and_a_change_one_answer_in_it() {
    use model::incident::incident_review::IncidentReview;
    use model::incident::review_answer::ReviewAnswer;
    let at = "2026-11-20T08:00:00Z";
    let review: IncidentReview = from(json!({
        "id": "r1", "version": 1, "incident_key": "INC-101", "cause": "capacity", "completed_at": at, "by": "p", "at": at,
    }));
    let answer: ReviewAnswer = from(json!({
        "id": "a1", "version": 1, "incident_key": "INC-101", "change_key": "CHG-1", "rating": "right", "steps_adequate": true, "by": "p",
        "at": at,
    }));
    check(|world| {
        let rows = (review.clone(), answer.clone());
        world.act(move |tx| {
            record::insert(tx, &rows.0, "{}")?;
            record::insert(tx, &rows.1, "{}")
        });
        let complete = Filter::new().is_set("completed_at").order_by("id");
        let found = world.read(move |tx| record::bodies::<IncidentReview>(tx, &complete));
        assert_eq!(found, std::slice::from_ref(&review));
        let (mut other, mut twice) = (review.clone(), answer.clone());
        (other.id, twice.id) = ("r2".into(), "a2".into());
        assert!(world.try_act(ACME, move |tx| record::insert(tx, &other, "{}")).is_err());
        assert!(world.try_act(ACME, move |tx| record::insert(tx, &twice, "{}")).is_err());
    });
}

#[test]
fn problems_causes_and_moved_forecasts_are_found_by_their_columns() {
    use model::incident::problem::ProblemRecord;
    use model::risk::cause::Cause;
    use model::risk::cause_move::CauseMove;
    let at = "2026-11-20T08:00:00Z";
    let problem: ProblemRecord = from(json!({
        "id": "b1", "version": 1, "key": "PRB-101", "title": "t", "pattern": "cause", "cases": ["INC-101"], "state": "open", "by": "p",
        "at": at,
    }));
    let cause: Cause = from(json!({"id": "strike", "version": 1, "key": "strike", "name": "n", "active": true}));
    let moved: CauseMove = from(json!({
        "id": "m1", "version": 1, "change": "c1", "change_key": "CHG-1", "incident_key": "INC-101", "cause": "capacity",
        "features": ["schema"], "model": "m", "what": "w", "from_ppm": 1, "to_ppm": 2, "at": at,
    }));
    check(|world| {
        let rows = (problem.clone(), cause.clone(), moved.clone());
        world.act(move |tx| {
            record::insert(tx, &rows.0, "{}")?;
            record::insert(tx, &rows.1, "{}")?;
            record::insert(tx, &rows.2, "{}")
        });
        let open = Filter::new().equals("state", "open").order_by("key");
        let found = world.read(move |tx| record::bodies::<ProblemRecord>(tx, &open));
        assert_eq!(found, std::slice::from_ref(&problem));
        let active = Filter::new().equals("active", true).order_by("id");
        let found = world.read(move |tx| record::bodies::<Cause>(tx, &active));
        assert_eq!(found, std::slice::from_ref(&cause));
        let of_change = Filter::new().equals("change_id", "c1").order_by("id");
        let found = world.read(move |tx| record::bodies::<CauseMove>(tx, &of_change));
        assert_eq!(found, std::slice::from_ref(&moved));
    });
}

#[test]
fn fits_of_candidates_hours_of_services_and_decisions_are_found_by_their_columns() {
    use model::incident::cause_model::CauseModel;
    use model::incident::cause_window::CauseWindow;
    use model::incident::drift::decision::DriftDecision;
    let at = "2026-11-20T08:00:00Z";
    let model = |id: &str, fitted_at: &str| -> CauseModel {
        from(json!({
            "id": id, "version": 1, "fitted_at": fitted_at, "digest": "d", "verdicts": 0, "confirmed": 0, "gap": "too_few",
            "brier_ppm": 0, "base_brier_ppm": 0, "error_ppm": 0,
        }))
    };
    let models = [model("m1", at), model("m2", "2026-11-21T08:00:00Z")];
    let window = |id: &str| -> CauseWindow {
        from(json!({"id": id, "version": 1, "service": "pay", "hours": 9, "active": true}))
    };
    let decision: DriftDecision = from(json!({
        "id": "d1", "version": 1, "finding": "f1", "address": "a", "attribute": "b", "outcome": "revert", "reason": "r", "by": "p",
        "at": at,
    }));
    check(|world| {
        let rows = (models.clone(), window("w1"), decision.clone());
        world.act(move |tx| {
            record::insert(tx, &rows.0[0], "{}")?;
            record::insert(tx, &rows.0[1], "{}")?;
            record::insert(tx, &rows.1, "{}")?;
            record::insert(tx, &rows.2, "{}")
        });
        let newest = Filter::new().descending_by("fitted_at").limit(1);
        let found = world.read(move |tx| record::bodies::<CauseModel>(tx, &newest));
        assert_eq!(found, std::slice::from_ref(&models[1]));
        let own = Filter::new()
            .equals("service", "pay")
            .equals("active", true)
            .order_by("id");
        let found = world.read(move |tx| record::bodies::<CauseWindow>(tx, &own));
        assert_eq!(found, [window("w1")]);
        let twice = window("w2");
        assert!(world.try_act(ACME, move |tx| record::insert(tx, &twice, "{}")).is_err());
        let of_finding = Filter::new().equals("finding", "f1").descending_by("id").limit(5);
        let found = world.read(move |tx| record::bodies::<DriftDecision>(tx, &of_finding));
        assert_eq!(found, std::slice::from_ref(&decision));
    });
}

#[test]
fn a_quarter_has_one_adjustment_and_the_newest_comes_first() {
    use model::risk::risk_adjustment::RiskAdjustment;
    let of = |quarter: &str| -> RiskAdjustment {
        from(json!({
            "id": quarter, "version": 1, "quarter": quarter, "state": "nothing_found", "compared": 0, "findings": [],
            "at": "2026-11-20T08:00:00Z",
        }))
    };
    let rows = [of("2026-Q2"), of("2026-Q3")];
    check(|world| {
        let wanted = rows.clone();
        world.act(move |tx| {
            record::insert(tx, &wanted[0], "{}")?;
            record::insert(tx, &wanted[1], "{}")
        });
        let newest = Filter::new().descending_by("quarter").limit(1);
        let found = world.read(move |tx| record::bodies::<RiskAdjustment>(tx, &newest));
        assert_eq!(found, std::slice::from_ref(&rows[1]));
        let twice = rows[0].clone();
        assert!(world.try_act(ACME, move |tx| record::insert(tx, &twice, "{}")).is_err());
    });
}

#[test]
fn members_are_found_by_change_state_and_wave_and_maintenances_by_use() {
    use model::change::waves::member_list::{Member, MemberBucket, MemberList, build};
    use model::change::waves::member_outcome::MemberOutcome;
    use model::schedule::joint_maintenance::JointMaintenance;
    let at = "2026-11-20T08:00:00Z";
    let outcome = |member: &str, wave: i64, state: &str| -> MemberOutcome {
        from(json!({
            "id": format!("c1.1.{member}"), "version": 1, "change": "c1", "change_key": "CHG-1", "target": "1", "member": member,
            "wave": wave, "state": state, "tries": 1, "at": at, "by": "p",
        }))
    };
    let rows = [
        outcome("a", 1, "succeeded"),
        outcome("b", 2, "failed"),
        outcome("c", 2, "rolled_back"),
    ];
    let joint: JointMaintenance = from(json!({
        "id": "j", "version": 1, "title": "t", "changes": ["CHG-1", "CHG-2"], "starts_at": at, "ends_at": "2026-11-20T09:00:00Z",
        "active": true, "by": "p",
    }));
    let member = Member {
        name: "a".to_owned(),
        wave: 1,
        ..Member::default()
    };
    let (mut list, mut buckets) = build(&"pay".into(), &[member]);
    list.version = 1;
    buckets[0].version = 1;
    check(|world| {
        let (wanted, row, known, bucket) = (rows.clone(), joint.clone(), list.clone(), buckets[0].clone());
        world.act(move |tx| {
            for row in &wanted {
                record::insert(tx, row, "{}")?;
            }
            record::insert(tx, &known, "{}")?;
            record::insert(tx, &bucket, "{}")?;
            record::insert(tx, &row, "{}")
        });
        let of_change = || Filter::new().equals("change_id", "c1").order_by("id");
        let failed = of_change().one_of("state", ["failed", "rolled_back"]);
        assert_eq!(
            world.read(move |tx| record::bodies::<MemberOutcome>(tx, &failed)),
            rows[1..]
        );
        let first = of_change().equals("wave", 1);
        assert_eq!(
            world.read(move |tx| record::bodies::<MemberOutcome>(tx, &first)),
            rows[..1]
        );
        let in_use = Filter::new().equals("active", true).order_by("id");
        let found = world.read(move |tx| record::bodies::<JointMaintenance>(tx, &in_use));
        assert_eq!(found, std::slice::from_ref(&joint));
        let digest = list.id.to_string();
        let found = world
            .read(move |tx| record::load::<MemberList>(tx, &digest))
            .unwrap()
            .record;
        assert_eq!((&found, found.is_whole()), (&list, true));
        let digest = found.buckets[0].clone();
        let found = world
            .read(move |tx| record::load::<MemberBucket>(tx, &digest))
            .unwrap()
            .record;
        assert_eq!(found.member("a").map(|member| member.wave), Some(1));
    });
}
