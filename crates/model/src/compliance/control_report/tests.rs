#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};

use super::*;
use crate::compliance::change_trail::Leaf;
use crate::compliance::framework::{FRAMEWORKS, framework};
use crate::compliance::violation::rule;

/// A log in memory, whose events are written one a minute.
#[derive(Default)]
struct Log {
    leaves: Vec<Value>,
}

impl Log {
    fn at(&self) -> String {
        let at = Timestamp::from_second(1_800_000_000 + 60 * self.leaves.len() as i64).unwrap();
        at.to_string()
    }

    fn event(&mut self, kind: &str, change: &str, records: Value) {
        let at = self.at();
        self.leaves.push(json!({
            "v": 1, "kind": kind, "occurred_at": at, "recorded_at": at, "actor": "p1", "act": "a", "tenant": "t", "data": {},
            "subject": {"table": "change", "id": change}, "records": records,
        }));
    }

    /// A normal change of medium risk through its whole lifecycle, with these members over the usual ones at its end.
    fn walk(&mut self, number: i64, last: Value) {
        let id = format!("c{number}");
        let first = json!({
            "key": format!("CHG-{number}"), "number": number, "state": "draft", "kind": "normal", "requester": "p1",
            "authors": ["p1"], "targets": [{"service": "till", "environment": "production"}],
            "risk": {"level": "medium"}, "title": {"c": "x"},
        });
        self.event(
            "change.created",
            &id,
            json!([{"table": "change", "id": id, "version": 1, "set": first, "unset": []}]),
        );
        let approval = json!({"change": id, "person": "p2", "decision": "approve", "at": self.at()});
        let evidence = json!({"change": id, "result": "passed", "at": self.at(), "plan_digest": "sha256:1"});
        self.event(
            "approval.given",
            &id,
            json!([
                {"table": "approval", "id": format!("a{number}"), "version": 1, "set": approval},
                {"table": "evidence", "id": format!("e{number}"), "version": 1, "set": evidence},
            ]),
        );
        self.event("change.approved", &id, json!([]));
        let begin = json!({"state": "implementing", "actual_start": self.at(), "implemented_by": ["p3"]});
        self.event(
            "change.implementing",
            &id,
            json!([{"table": "change", "id": id, "version": 2, "set": begin}]),
        );
        let mut end = json!({
            "state": "closed", "outcome": "succeeded", "closed_at": self.at(), "closed_by": "p2",
            "target_records": [{"target": "1", "outcome": "succeeded"}],
        });
        end.as_object_mut().unwrap().extend(last.as_object().unwrap().clone());
        self.event(
            "change.closed",
            &id,
            json!([{"table": "change", "id": id, "version": 3, "set": end}]),
        );
    }

    /// The trail of its events, each read as reports read it.
    fn trail(&self) -> ChangeTrail {
        let mut trail = ChangeTrail::default();
        for (index, leaf) in self.leaves.iter().enumerate() {
            trail.take(index as u64, Leaf::read_slim(leaf.to_string().as_bytes()).unwrap());
        }
        trail
    }

    fn report(&self, id: &str) -> ControlReport {
        let span = (
            Timestamp::from_second(1_800_000_000).unwrap(),
            Timestamp::from_second(1_900_000_000).unwrap(),
        );
        let log = LogPosition {
            size: self.leaves.len() as u64,
            root: "r".to_owned(),
        };
        control_report(&self.trail(), framework(id).unwrap(), span, log, &all())
    }
}

/// The policies of every control.
fn all() -> BTreeSet<String> {
    let controls = FRAMEWORKS.iter().flat_map(|it| it.controls);
    let ids = controls.flat_map(|it| it.policies);
    ids.map(|id| (*id).to_owned()).collect()
}

/// The rules that found something, each with the changes.
fn found(log: &Log) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for framework in FRAMEWORKS {
        for control in log.report(framework.id).controls {
            for test in control.tests.into_iter().filter(|test| test.found > 0) {
                let keys = test.exceptions.into_iter().map(|it| it.change).collect();
                all.insert(test.rule, keys);
            }
        }
    }
    all
}

fn only(rule: &str, log: &Log) {
    let wanted = BTreeMap::from([(rule.to_owned(), vec!["CHG-2".to_owned()])]);
    assert_eq!(found(log), wanted);
}

/// Two changes without a violation around one with these members.
fn planted(last: Value) -> Log {
    let mut log = Log::default();
    log.walk(1, json!({}));
    log.walk(2, last);
    log.walk(3, json!({}));
    log
}

#[test]
fn changes_without_a_violation_have_no_exceptions() {
    let log = planted(json!({}));
    assert_eq!(found(&log), BTreeMap::new());
    let report = log.report("sox");
    assert_eq!(report.controls[0].result, Result::NoExceptions);
    assert!(report.controls.iter().all(|it| it.result != Result::Exceptions));
    // No glass was broken, so the report has no finding about break-glass.
    let glasses = report.controls.iter().find(|it| it.id == "SOX-CM-4").unwrap();
    assert_eq!(glasses.result, Result::NotTested);
    assert!(glasses.tests.iter().all(|it| it.tested == 0));
    let counted = &report.population;
    assert_eq!((counted.changes, counted.ended, counted.succeeded), (3, 3, 3));
    assert_eq!(counted.by_service, BTreeMap::from([("till".to_owned(), 3)]));
    let month = MonthFigures {
        changes: 3,
        ended: 3,
        succeeded: 3,
    };
    assert_eq!(counted.by_month, BTreeMap::from([("2027-01".to_owned(), month)]));
}

#[test]
fn one_planted_violation_is_found_by_its_rule_and_nowhere_else() {
    let review = json!([{"by": "p9", "at": "2027-01-20T00:00:00Z"}]);
    let glass = json!({"by": "p4", "at": "2027-01-15T08:00:00Z", "until": "2027-01-15T12:00:00Z"});
    only("in_freeze", &planted(json!({"in_freeze": true})));
    only(
        "standard_misuse",
        &planted(json!({"kind": "standard", "risk": {"level": "high"}})),
    );
    let failed = json!({"outcome": "failed", "target_records": [{"target": "1", "outcome": "failed"}]});
    only("failure_without_review", &planted(failed));
    only(
        "late_validation",
        &planted(json!({"break_glass": glass, "reviews": review})),
    );
    let own = json!({"kind": "emergency", "validations": [{"by": "p3", "at": "2027-01-15T09:00:00Z"}]});
    only("self_validated", &planted(own));
    let mut unauthorized = planted(json!({"unauthorized": true, "finding": {"by": "p5"}}));
    only("unauthorized_work", &unauthorized);
    unauthorized = planted(json!({"unauthorized": true}));
    assert_eq!(
        found(&unauthorized).into_keys().collect::<Vec<_>>(),
        ["unauthorized_work", "unexplained_work"]
    );
    let mut validated = planted(json!({"break_glass": glass}));
    validated.event("break_glass.validated", "c2", json!([]));
    only("bypass_without_review", &validated);
    let mut late = planted(json!({}));
    late.event("change.overrun", "c2", json!([]));
    only("overrun", &late);
}

/// The gate of the till gets a request about another change, and CHG-2 is deployed, with a permit only where `has_permit` is
/// set.
fn deployed(has_permit: bool) -> Log {
    let mut log = Log::default();
    let asked = json!({"service": "till", "environment": "production", "change": "CHG-8", "decision": "go", "asked_at": log.at()});
    log.event(
        "gate.checked",
        "c8",
        json!([{"table": "gate_check", "id": "g1", "version": 1, "set": asked}]),
    );
    log.walk(1, json!({}));
    log.walk(2, json!({}));
    if has_permit {
        let permit =
            json!({"change_key": "CHG-2", "service": "till", "environment": "production", "issued_at": log.at()});
        log.event(
            "permit.issued",
            "c2",
            json!([{"table": "permit", "id": "p1", "version": 1, "set": permit}]),
        );
    }
    let told = json!({
        "service": "till", "environment": "production", "change_key": "CHG-2", "at": log.at(),
        "words": [{"at": log.at(), "status": "success"}],
    });
    log.event(
        "deployment.told",
        "c2",
        json!([{"table": "deployment", "id": "d1", "version": 1, "set": told}]),
    );
    log
}

#[test]
fn a_deployment_that_nobody_asked_the_gate_about_is_named_where_a_gate_stands() {
    only("gate_off", &deployed(false));
    assert_eq!(found(&deployed(true)), BTreeMap::new());
    // Break-glass is judged by rules of its own.
    let glass = json!({"by": "p4", "at": "2027-01-15T08:00:00Z", "until": "2027-01-15T12:00:00Z"});
    let mut broken = deployed(false);
    let set = json!({"break_glass": glass});
    broken.event(
        "break_glass.opened",
        "c2",
        json!([{"table": "change", "id": "c2", "version": 4, "set": set}]),
    );
    assert!(!found(&broken).contains_key("gate_off"));
}

#[test]
fn history_that_is_told_late_is_no_gate_switched_off_and_what_may_be_older_is_told_apart() {
    // The work of CHG-2 ended before the first request to the gate of the till; that of CHG-4 began before and ended after.
    let mut log = Log::default();
    let began = log.at();
    log.walk(1, json!({}));
    log.walk(2, json!({"actual_end": began}));
    let asked = json!({"service": "till", "environment": "production", "change": "CHG-8", "decision": "go", "asked_at": log.at()});
    log.event(
        "gate.checked",
        "c8",
        json!([{"table": "gate_check", "id": "g1", "version": 1, "set": asked}]),
    );
    log.walk(4, json!({"actual_end": began}));
    let tell = |log: &mut Log, key: &str| {
        let told = json!({
            "service": "till", "environment": "production", "change_key": key, "at": began,
            "words": [{"at": began, "status": "success"}],
        });
        log.event(
            "deployment.told",
            "c2",
            json!([{"table": "deployment", "id": key, "version": 1, "set": told}]),
        );
    };
    tell(&mut log, "CHG-2");
    assert_eq!(found(&log), BTreeMap::new());
    tell(&mut log, "CHG-4");
    let wanted = BTreeMap::from([("told_late".to_owned(), vec!["CHG-4".to_owned()])]);
    assert_eq!(found(&log), wanted);
    let report = log.report("sox");
    let tests = report.controls.into_iter().flat_map(|it| it.tests);
    let named: Vec<String> = tests.flat_map(|it| it.exceptions).map(|it| it.text).collect();
    assert!(named[0].contains("before the gate there was asked first"), "{named:?}");
}

#[test]
fn a_deployment_without_a_lawful_start_is_an_exception_of_its_time_also_where_no_work_began() {
    let mut log = planted(json!({}));
    let draft = json!({
        "key": "CHG-4", "number": 4, "state": "draft", "kind": "normal", "requester": "p1", "risk": {},
    });
    log.event(
        "change.created",
        "c4",
        json!([{"table": "change", "id": "c4", "version": 1, "set": draft}]),
    );
    let told = json!({
        "service": "till", "environment": "production", "change_key": "CHG-4", "unauthorized": true,
        "at": "2020-01-01T00:00:00Z", "words": [{"at": "2020-01-01T00:00:00Z", "status": "success"}],
    });
    log.event(
        "deployment.unauthorized",
        "c4",
        json!([{"table": "deployment", "id": "d1", "version": 1, "set": told}]),
    );
    let wanted = BTreeMap::from([("unauthorized_work".to_owned(), vec!["CHG-4".to_owned()])]);
    assert_eq!(found(&log), wanted, "told in the span, as of a time before it");
    let report = log.report("sox");
    assert_eq!((report.population.unauthorized, report.population.changes), (1, 3));
    log.event(
        "deployment.cleared",
        "c4",
        json!([{"table": "deployment", "id": "d1", "version": 2, "set": {}, "unset": ["unauthorized"]}]),
    );
    assert_eq!(found(&log), BTreeMap::new());
}

#[test]
fn a_broken_glass_is_validated_by_its_own_time_and_reviewed_in_time() {
    let glass = json!({
        "by": "p4", "at": "2027-01-15T06:00:00Z", "until": "2027-01-15T07:00:00Z",
        "counted": {"validate_by": "2027-01-15T07:30:00Z"},
    });
    let review = |at: &str| json!([{"by": "p9", "at": at}]);
    let mut late = planted(json!({"break_glass": glass, "reviews": review("2027-01-16T00:00:00Z")}));
    late.event("break_glass.validated", "c2", json!([]));
    only("late_validation", &late);
    let glass = json!({"by": "p4", "at": "2027-01-15T08:00:00Z", "until": "2027-01-15T12:00:00Z"});
    let mut slow = planted(json!({"break_glass": glass, "reviews": review("2027-02-01T00:00:00Z")}));
    slow.event("break_glass.validated", "c2", json!([]));
    only("bypass_without_review", &slow);
}

#[test]
fn approvals_are_judged_by_their_place_in_the_log_and_by_their_person() {
    let mut log = planted(json!({}));
    // The approval of the second change moves behind its start.
    let place = |log: &Log, kind: &str| {
        let is_it = |leaf: &Value| leaf["kind"] == kind && leaf["subject"]["id"] == "c2";
        log.leaves.iter().position(is_it).unwrap()
    };
    let (approved, began) = (place(&log, "change.approved"), place(&log, "change.implementing"));
    log.leaves.swap(approved, began);
    only("approval_after_start", &log);

    let mut own = planted(json!({}));
    let given = place(&own, "approval.given");
    own.leaves[given]["records"][0]["set"]["person"] = json!("p1");
    only("same_person", &own);

    let mut untested = planted(json!({}));
    untested.leaves[given]["records"][1]["set"]["result"] = json!("failed");
    only("missing_evidence", &untested);

    let mut later = planted(json!({}));
    later.leaves[given]["records"][1]["set"]["at"] = json!("2027-02-01T00:00:00Z");
    only("missing_evidence", &later);

    let mut of_another = planted(json!({}));
    let bound = &mut of_another.leaves[given]["records"][1]["set"];
    bound["artifact"] = json!("registry.example/other@sha256:2");
    bound["plan_digest"] = Value::Null;
    only("missing_evidence", &of_another);
}

/// The place of the first event of a kind about the second change.
fn place_of(log: &Log, kind: &str) -> usize {
    let is_it = |leaf: &Value| leaf["kind"] == kind && leaf["subject"]["id"] == "c2";
    log.leaves.iter().position(is_it).unwrap()
}

/// Logs in each of which the second change alone violates these rules, as its record tells.
fn violating_records() -> Vec<(&'static [&'static str], Log)> {
    let glass = json!({"by": "p4", "at": "2027-01-15T08:00:00Z", "until": "2027-01-15T12:00:00Z"});
    let review = json!([{"by": "p9", "at": "2027-01-20T00:00:00Z"}]);
    let failed = json!({"outcome": "failed", "target_records": [{"target": "1", "outcome": "failed"}]});
    let own = json!({"kind": "emergency", "validations": [{"by": "p3", "at": "2027-01-15T09:00:00Z"}]});
    let members: [(&'static [&'static str], Value); 7] = [
        (&["in_freeze"], json!({"in_freeze": true})),
        (
            &["standard_misuse"],
            json!({"kind": "standard", "risk": {"level": "high"}}),
        ),
        (&["failure_without_review"], failed),
        (&["late_validation"], json!({"break_glass": glass, "reviews": review})),
        (&["self_validated"], own),
        (
            &["unauthorized_work"],
            json!({"unauthorized": true, "finding": {"by": "p5"}}),
        ),
        // Work that nobody explained is unauthorized as well.
        (
            &["unauthorized_work", "unexplained_work"],
            json!({"unauthorized": true}),
        ),
    ];
    members
        .into_iter()
        .map(|(rules, last)| (rules, planted(last)))
        .collect()
}

/// The same, as events and other records tell.
fn violating_events() -> [(&'static [&'static str], Log); 8] {
    let mut late = planted(json!({}));
    let (approved, began) = (
        place_of(&late, "change.approved"),
        place_of(&late, "change.implementing"),
    );
    late.leaves.swap(approved, began);
    let mut own = planted(json!({}));
    let given = place_of(&own, "approval.given");
    own.leaves[given]["records"][0]["set"]["person"] = json!("p1");
    let mut untested = planted(json!({}));
    untested.leaves[given]["records"][1]["set"]["result"] = json!("failed");
    let mut twice = planted(json!({}));
    let counted =
        json!([{"rule": "base.require.owner", "targets": ["1"], "why": {"c": "x"}, "what": true, "when": true}]);
    let one = json!({"person": "p4", "decision": "approve", "counted_for": counted});
    let other = json!({"person": "p5", "handed_by": "p4", "decision": "approve", "counted_for": counted});
    let both = json!([word("b2", one), word("d2", other)]);
    put(&mut twice, ("approval.given", 1), "approval.given", both);
    let glass = json!({"by": "p4", "at": "2027-01-15T08:00:00Z", "until": "2027-01-15T12:00:00Z"});
    let mut unreviewed = planted(json!({"break_glass": glass}));
    unreviewed.event("break_glass.validated", "c2", json!([]));
    let mut overrun = planted(json!({}));
    overrun.event("change.overrun", "c2", json!([]));
    [
        (&["approval_after_start"], late),
        (&["same_person"], own),
        (&["missing_evidence"], untested),
        (&["counted_twice"], twice),
        (&["bypass_without_review"], unreviewed),
        (&["overrun"], overrun),
        (&["gate_off"], deployed(false)),
        (&["told_late"], deployed_before_the_gate()),
    ]
}

/// CHG-2 is told to have been deployed before the gate of the till was asked first, and its work ended afterwards.
fn deployed_before_the_gate() -> Log {
    let mut log = Log::default();
    let began = log.at();
    log.walk(1, json!({}));
    let asked = json!({
        "service": "till", "environment": "production", "change": "CHG-8", "decision": "go", "asked_at": log.at(),
    });
    log.event(
        "gate.checked",
        "c8",
        json!([{"table": "gate_check", "id": "g1", "version": 1, "set": asked}]),
    );
    log.walk(2, json!({"actual_end": began}));
    let told = json!({
        "service": "till", "environment": "production", "change_key": "CHG-2", "at": began,
        "words": [{"at": began, "status": "success"}],
    });
    log.event(
        "deployment.told",
        "c2",
        json!([{"table": "deployment", "id": "d1", "version": 1, "set": told}]),
    );
    log
}

#[test]
fn a_violation_is_an_exception_of_each_control_that_tests_its_rule_and_of_no_other_control() {
    let (mut controls, mut rules) = (BTreeSet::new(), BTreeSet::new());
    for (planted, log) in violating_records().into_iter().chain(violating_events()) {
        rules.extend(planted.iter().copied());
        for framework in FRAMEWORKS {
            let report = log.report(framework.id);
            assert_eq!(report.controls.len(), framework.controls.len());
            for (control, judged) in framework.controls.iter().zip(&report.controls) {
                let is_planted = |rule: &&&str| planted.contains(*rule);
                let wanted: Vec<&str> = control.rules.iter().filter(is_planted).copied().collect();
                let tests = judged.tests.iter().filter(|test| test.found > 0);
                let found: Vec<&str> = tests.clone().map(|test| test.rule.as_str()).collect();
                assert_eq!(found, wanted, "{} of {}", control.id, framework.id);
                let mut exceptions = tests.flat_map(|test| &test.exceptions);
                assert!(exceptions.all(|it| it.change == "CHG-2"), "{}", control.id);
                let has_exceptions = judged.result == Result::Exceptions;
                assert_eq!(has_exceptions, !wanted.is_empty(), "{}", control.id);
                if has_exceptions {
                    controls.insert((framework.id, control.id));
                }
            }
        }
    }
    let of = |it: &'static Framework| it.controls.iter().map(move |control| (it.id, control.id));
    let all: BTreeSet<(&str, &str)> = FRAMEWORKS.iter().flat_map(of).collect();
    assert_eq!(controls, all, "a violation of each control is planted");
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(rules, all);
}

/// Puts an event about the second change before or after the first one of a kind.
fn put(log: &mut Log, beside: (&str, usize), kind: &str, records: Value) {
    log.event(kind, "c2", records);
    let leaf = log.leaves.pop().unwrap();
    let is_it = |leaf: &Value| leaf["kind"] == beside.0 && leaf["subject"]["id"] == "c2";
    let place = log.leaves.iter().position(is_it).unwrap();
    log.leaves.insert(place + beside.1, leaf);
}

/// The record of a decision about the second change.
fn word(id: &str, set: Value) -> Value {
    let mut record = json!({"table": "approval", "id": id, "version": 1, "set": set});
    let members = record["set"].as_object_mut().unwrap();
    members.insert("change".to_owned(), json!("c2"));
    members.insert("at".to_owned(), json!("2027-01-15T08:05:00Z"));
    record
}

#[test]
fn an_approval_that_was_lost_before_the_start_is_none() {
    let mut log = planted(json!({}));
    put(&mut log, ("change.approved", 1), "change.authorizing", json!([]));
    only("approval_after_start", &log);
    put(&mut log, ("change.implementing", 1), "change.approved", json!([]));
    only("approval_after_start", &log);
    put(&mut log, ("change.implementing", 0), "change.approved", json!([]));
    assert_eq!(found(&log), BTreeMap::new(), "it was approved anew");
}

#[test]
fn the_word_of_an_approver_who_edits_afterwards_is_held_against_nobody_once_it_is_void() {
    let wrote = json!({"table": "change", "id": "c2", "version": 2, "set": {"authors": ["p1", "p2"]}});
    let mut void = json!({"table": "approval", "id": "a2", "version": 2, "set": {"what": "voided", "state": "voided"}});
    let anew = word("b2", json!({"person": "p4", "decision": "approve"}));
    let mut lawful = planted(json!({}));
    let edit = json!([wrote, void, anew]);
    put(&mut lawful, ("approval.given", 1), "change.edited", edit);
    assert_eq!(found(&lawful), BTreeMap::new());
    let mut kept = planted(json!({}));
    put(&mut kept, ("approval.given", 1), "change.edited", json!([wrote]));
    only("same_person", &kept);
    // The approval was in force when the work began, whatever became of it later.
    void["version"] = json!(3);
    put(&mut kept, ("change.implementing", 1), "change.edited", json!([void]));
    only("same_person", &kept);
}

#[test]
fn a_yes_of_the_author_is_found_behind_conditions_a_lent_way_in_and_an_agent() {
    let given = |members: Value| {
        let mut log = planted(json!({}));
        put(
            &mut log,
            ("approval.given", 1),
            "approval.given",
            json!([word("b2", members)]),
        );
        log
    };
    only(
        "same_person",
        &given(json!({"person": "p1", "decision": "approve_with_conditions"})),
    );
    let lent = json!({"person": "p4", "handed_by": "p1", "decision": "approve"});
    only("same_person", &given(lent));
    let uncounted = json!({"person": "p1", "decision": "approve", "counted_for": []});
    assert_eq!(found(&given(uncounted)), BTreeMap::new());
    let mut agent = given(json!({"person": "p7", "decision": "approve"}));
    assert_eq!(found(&agent), BTreeMap::new());
    let set = json!({"person": "p7", "sponsor": "p1"});
    agent.event(
        "agent.added",
        "c9",
        json!([{"table": "agent", "id": "g1", "version": 1, "set": set}]),
    );
    agent.leaves.last_mut().unwrap()["subject"]["table"] = json!("agent");
    only("same_person", &agent);
}

#[test]
fn an_account_that_the_author_made_the_day_before_is_theirs_on_a_change_of_high_risk() {
    let made = |risk: &str, at: &str| {
        let mut log = planted(json!({"risk": {"level": risk}}));
        let set = json!({"made_by": {"by": "p1", "at": at}});
        log.event(
            "person.created",
            "c9",
            json!([{"table": "person", "id": "p2", "version": 1, "set": set}]),
        );
        log.leaves.last_mut().unwrap()["subject"]["table"] = json!("person");
        let found = found(&log);
        found.get("same_person").is_some_and(|keys| *keys == ["CHG-2"])
    };
    assert!(made("high", "2027-01-15T07:00:00Z"));
    assert!(!made("medium", "2027-01-15T07:00:00Z"));
    assert!(!made("high", "2027-01-12T07:00:00Z"));
}

#[test]
fn two_words_of_one_hand_for_one_rule_are_one_person_counted_twice() {
    let twice = |rule: &str| {
        let mut log = planted(json!({}));
        let counted =
            |rule: &str| json!([{"rule": rule, "targets": ["1"], "why": {"c": "x"}, "what": true, "when": true}]);
        let one = json!({"person": "p4", "decision": "approve", "counted_for": counted("base.require.owner")});
        let other = json!({"person": "p5", "handed_by": "p4", "decision": "approve", "counted_for": counted(rule)});
        let both = json!([word("b2", one), word("d2", other)]);
        put(&mut log, ("approval.given", 1), "approval.given", both);
        log
    };
    only("counted_twice", &twice("base.require.owner"));
    assert_eq!(found(&twice("sox.require.owners")), BTreeMap::new());
}

#[test]
fn a_control_without_a_policy_in_force_is_not_enforced_as_the_log_tells() {
    let mut log = planted(json!({}));
    assert!(log.report("sox").controls.iter().all(|it| it.not_in_force.is_empty()));
    let content = "// @id(\"sox.require.owners\")\n@id(\"base.require.owner\")\n@reason(\"x\")\npermit (principal, action, resource);";
    let files = json!([{"path": "base/base.cedar", "content": content}]);
    log.event(
        "policies.activated",
        "s1",
        json!([
            {"table": "configuration", "id": "s1", "version": 1, "set": {"kind": "policies", "files": files}},
            {"table": "tenant_info", "id": "t", "version": 2, "set": {"policies": {"id": "s1", "digest": "d"}}},
        ]),
    );
    let report = log.report("sox");
    let approval = &report.controls[0];
    assert_eq!(approval.result, Result::NoExceptions, "one of its policies is in force");
    assert!(approval.policy_line().contains("sox.require.owners (not in force)"));
    let duties = &report.controls[1];
    assert_eq!(
        (duties.result, duties.not_in_force.len()),
        (Result::NotEnforced, duties.policies.len())
    );
    let reason = duties.reason.as_deref().unwrap();
    assert!(report.rows().any(|row| row[0] == duties.id && row[5] == reason));
    log.event(
        "policies.recovered",
        "s1",
        json!([{"table": "tenant_info", "id": "t", "version": 3, "set": {}, "unset": ["policies"]}]),
    );
    // The span has both: a control that was off for a while is reported with its time, and a span before or after it has
    // nothing of it.
    let report = log.report("sox");
    let reason = report.controls[1].reason.as_deref().unwrap();
    assert!(
        reason.contains("was in force during 2027-01-15T08:15:00Z/2027-01-15T08:16:00Z"),
        "{reason}"
    );
    assert_eq!(report.controls[0].reason, None);
    let whole = (1_800_000_000, 1_900_000_000);
    let off = (1_800_000_000 + 15 * 60, 1_800_000_000 + 16 * 60);
    for (from, to, is_enforced) in [(whole.0, off.0, true), (off.1, whole.1, true), (off.0, off.1, false)] {
        let span = (
            Timestamp::from_second(from).unwrap(),
            Timestamp::from_second(to).unwrap(),
        );
        let at = LogPosition {
            size: 17,
            root: "r".to_owned(),
        };
        let report = control_report(&log.trail(), framework("sox").unwrap(), span, at, &all());
        assert_eq!(report.controls[1].reason.is_none(), is_enforced, "{from} {to}");
    }
}

#[test]
fn a_report_depends_on_the_log_alone_and_on_its_span() {
    let log = planted(json!({"in_freeze": true}));
    let bytes = |report: &ControlReport| serde_json::to_vec(report).unwrap();
    assert_eq!(bytes(&log.report("sox")), bytes(&log.report("sox")));
    let before = (
        Timestamp::from_second(1_700_000_000).unwrap(),
        Timestamp::from_second(1_800_000_000).unwrap(),
    );
    let at = LogPosition {
        size: 0,
        root: "r".to_owned(),
    };
    let empty = control_report(&log.trail(), framework("sox").unwrap(), before, at, &all());
    assert_eq!(empty.population, Population::default());
    assert!(empty.controls.iter().all(|it| it.result == Result::NotTested));
    assert_ne!(
        definition(framework("sox").unwrap()),
        definition(framework("hipaa").unwrap())
    );
}

#[test]
fn each_figure_has_as_many_rows_as_it_counts() {
    use super::rows::{RowFilter, rows};
    use crate::core::enums::ReportFigure;

    let failed = json!({"outcome": "failed", "way_back_taken": true, "kind": "emergency",
        "target_records": [{"target": "1", "outcome": "failed"}]});
    let log = planted(failed);
    let trail = log.trail();
    let span = (
        Timestamp::from_second(1_800_000_000).unwrap(),
        Timestamp::from_second(1_900_000_000).unwrap(),
    );
    let report = log.report("sox");
    let counted = &report.population;
    for (figure, number) in [
        (ReportFigure::Changes, counted.changes),
        (ReportFigure::Ended, counted.ended),
        (ReportFigure::Succeeded, counted.succeeded),
        (ReportFigure::RolledBack, counted.rolled_back),
        (ReportFigure::Emergency, report.emergencies()),
        (ReportFigure::BreakGlass, counted.break_glass),
        (ReportFigure::Unauthorized, counted.unauthorized),
    ] {
        let found = rows(&trail, RowFilter::Figure(figure), span);
        assert_eq!(found.len() as u64, number, "{figure}");
    }
    for test in report.controls.iter().flat_map(|control| &control.tests) {
        let found = rows(&trail, RowFilter::Rule(rule(&test.rule).unwrap()), span);
        let exceptions = found.iter().filter(|row| row.exception.is_some()).count();
        assert_eq!(
            (found.len() as u64, exceptions as u64),
            (test.tested, test.found),
            "{}",
            test.rule
        );
    }
    let before = (Timestamp::UNIX_EPOCH, span.0);
    assert!(rows(&trail, RowFilter::Figure(ReportFigure::Changes), before).is_empty());
}

/// An event of the action item about the freeze of the second change.
fn told_of_item(log: &mut Log, what: &str) {
    let reason = proof::commitment::sealed_text(&proof::commitment::commit(
        &[7; proof::commitment::SALT_BYTES],
        "A drill.",
    ));
    log.event(what, "c2", json!([]));
    let leaf = log.leaves.last_mut().unwrap();
    leaf["subject"] = json!({"table": "action_item", "id": "i1"});
    leaf["data"] = json!({"key": "ACT-101", "kind": "resolve_violation", "about": "CHG-2", "rule": "in_freeze"});
    leaf["records"] = json!([{"table": "action_item", "id": "i1", "version": 2, "set": {"reason": reason}}]);
}

#[test]
fn a_violation_that_was_dismissed_is_counted_apart_and_named_as_such() {
    let mut log = planted(json!({"in_freeze": true}));
    told_of_item(&mut log, "action_item.opened");
    only("in_freeze", &log);
    told_of_item(&mut log, "action_item.dismissed");
    assert_eq!(found(&log), BTreeMap::new());
    let report = log.report("iso-27001");
    let mut tests = report.controls.iter().flat_map(|it| &it.tests);
    let test = tests.find(|it| it.dismissed > 0).unwrap();
    assert_eq!((test.rule.as_str(), test.found, test.dismissed), ("in_freeze", 0, 1));
    let text = &test.exceptions[0].text;
    assert!(
        text.contains("Dismissed as a false positive at ") && text.ends_with("ACT-101."),
        "{text}"
    );
    let dismissed = test.exceptions[0].dismissed.as_ref().unwrap();
    assert!(dismissed.reason.is_some(), "the commitment of the reason");
    assert!(report.controls.iter().all(|it| it.result != Result::Exceptions));
    assert!(report.rows().any(|row| row[4] == "CHG-2" && row[5] == text));
    told_of_item(&mut log, "action_item.reopened");
    only("in_freeze", &log);
}

#[test]
fn what_was_closed_before_the_span_is_forgotten_and_changes_no_report() {
    // Nine changes before the span; one of them is reported as deployed in it without a lawful start.
    let mut log = Log::default();
    (1..10).for_each(|number| log.walk(number, json!({})));
    let from: Timestamp = log.at().parse().unwrap();
    log.walk(10, json!({"in_freeze": true}));
    let told = json!({
        "service": "till", "environment": "production", "change_key": "CHG-4", "unauthorized": true, "at": log.at(),
        "words": [{"at": log.at(), "status": "success"}],
    });
    let told = json!([{"table": "deployment", "id": "d1", "version": 1, "set": told}]);
    log.event("deployment.unauthorized", "c4", told);
    // A text of one of them is erased, and a file beside it.
    let erased = json!([
        {"table": "approval", "id": "a4", "version": 2, "set": {"comment": {"c": "y"}}},
        {"table": "evidence", "id": "e4", "version": 2, "set": {"file_erased_at": log.at()}},
    ]);
    log.event("text.erased", "c4", erased);
    let mut short = ChangeTrail::since(from);
    for (index, leaf) in log.leaves.iter().enumerate() {
        short.take(index as u64, Leaf::read(leaf.to_string().as_bytes()).unwrap());
    }
    let span = (from, Timestamp::from_second(1_900_000_000).unwrap());
    let at = || LogPosition {
        size: log.leaves.len() as u64,
        root: "r".to_owned(),
    };
    for framework in FRAMEWORKS {
        let [whole, short] = [&log.trail(), &short].map(|trail| control_report(trail, framework, span, at(), &all()));
        assert_eq!(short, whole);
        assert_eq!((whole.population.changes, whole.population.unauthorized), (1, 1));
    }
    let kept: usize = short.facts().0.iter().map(|it| it.approvals.len()).sum();
    assert_eq!(kept, 1, "of the change in the span alone");
}
