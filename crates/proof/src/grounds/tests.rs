#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::diff;
use crate::event::Subject;
use serde_json::json;

/// A log of events in the order in which they were written.
struct LogFixture {
    judge: Judge,
    size: u64,
    records: HashMap<(String, String), (u64, Value)>,
}

impl LogFixture {
    fn new(scope: Scope) -> Self {
        Self {
            judge: Judge::new(scope),
            size: 0,
            records: HashMap::new(),
        }
    }

    fn delta(&mut self, table: &str, id: &str, next: Value) -> RecordDelta {
        let name = (table.to_owned(), id.to_owned());
        let before = self.records.get(&name);
        let version = before.map_or(1, |(version, _)| version + 1);
        let delta = diff::between(table, id, version, before.map(|(_, value)| value), &next).unwrap();
        self.records.insert(name, (version, next));
        delta
    }

    fn emit(&mut self, act: &str, kind: &str, data: Value, deltas: &[RecordDelta]) -> Option<String> {
        let event = Event {
            v: 1,
            id: format!("e-{}", self.size),
            tenant: "acme".into(),
            kind: kind.into(),
            actor: "p-1".into(),
            occurred_at: "2026-11-20T07:12:52Z".into(),
            recorded_at: "2026-11-20T07:12:52.123456Z".into(),
            subject: Subject {
                table: "change".into(),
                id: "c-1".into(),
            },
            data: data.as_object().unwrap().clone(),
            records: Vec::new(),
            records_digest: None,
            act: act.into(),
        };
        let lack = self.judge.note(self.size, &event, deltas);
        self.size += 1;
        lack.map(|lack| lack.what)
    }

    fn save(&mut self, act: &str, table: &str, id: &str, next: Value) {
        let delta = self.delta(table, id, next);
        assert_eq!(self.emit(act, "record.updated", json!({}), &[delta]), None);
    }

    /// A change with two approvals of three people, and one freeze that is over and one that is not.
    fn prepared(scope: Scope) -> Self {
        Self::prepared_by(Judge::new(scope))
    }

    fn prepared_by(judge: Judge) -> Self {
        let mut told = Self::new(Scope::Log);
        told.judge = judge;
        let change = json!({"id": "c-1", "state": "authorizing", "targets": [{"service": "shop"}]});
        told.save("a-0", "change", "c-1", change);
        for (id, person) in [("y-1", "p-1"), ("y-2", "p-2")] {
            let yes = json!({"change": "c-1", "person": person, "decision": "approve", "state": "standing"});
            told.save(id, "approval", id, yes);
        }
        told.save("a-1", "freeze", "f-1", json!({"ends_at": "2026-11-20T07:12:52.123Z"}));
        told.save("a-2", "freeze", "f-2", json!({"ends_at": "2026-11-20T07:12:53Z"}));
        told.save("a-3", "person", "p-1", json!({"login": "ada"}));
        assert_eq!(told.emit("a-4", BEGAN, json!({}), &[]), None);
        told
    }

    fn approved(&mut self, grounds: &Grounds) -> Option<String> {
        let delta = self.delta(
            "change",
            "c-1",
            json!({"id": "c-1", "state": "approved", "targets": [{"service": "shop"}]}),
        );
        self.emit("a-9", "change.approved", json!({"grounds": grounds}), &[delta])
    }
}

/// The grounds of an honest server that approves the prepared change.
fn honest(size: u64) -> Grounds {
    let listed = |entries: &[&str]| Set::of(entries.iter().map(|it| (*it).to_owned()).collect());
    let mut sets: BTreeMap<String, Set> = AROUND.iter().map(|table| ((*table).to_owned(), listed(&[]))).collect();
    sets.insert("change".into(), listed(&["c-1@2"]));
    sets.insert("approval".into(), listed(&["y-1@1", "y-2@1"]));
    sets.insert("freeze".into(), listed(&["f-2@1"]));
    sets.insert("incident".into(), listed(&[]));
    Grounds {
        size,
        change: Some("c-1".into()),
        policy: None,
        records: vec!["person/p-1@1".into()],
        estate: Vec::new(),
        password: None,
        factor: None,
        session: None,
        sets,
        stops: Some(Stops::default()),
        rules: vec![MetRule {
            rule: "base.owner".into(),
            count: 2,
            approvals: vec!["y-1".into(), "y-2".into()],
        }],
    }
}

#[test]
fn what_the_log_gives_is_a_reason_and_further_events_of_the_act_refer_to_it() {
    for scope in [Scope::Log, Scope::Change] {
        let mut told = LogFixture::prepared(scope);
        assert_eq!(told.approved(&honest(7)), None);
        assert_eq!(
            told.emit("a-9", "change.scheduled", json!({"grounds": same_act()}), &[]),
            None
        );
        let what = told.emit("a-10", "change.scheduled", json!({"grounds": same_act()}), &[]);
        assert!(what.unwrap().contains("no earlier event of its act"));
    }
}

#[test]
fn a_bundle_judges_the_tables_whose_histories_it_holds_and_no_others() {
    let judged = |whole: &[&str], edit: &dyn Fn(&mut Grounds)| {
        let whole = whole.iter().map(|table| (*table).to_owned());
        let mut grounds = honest(7);
        edit(&mut grounds);
        let mut told = LogFixture::prepared_by(Judge::new(Scope::Change).with_whole(whole));
        told.approved(&grounds).unwrap_or_default()
    };
    let forged = |grounds: &mut Grounds| grounds.records = vec!["person/p-1@2".into()];
    let blind = |grounds: &mut Grounds| drop(grounds.sets.insert("freeze".into(), Set::of(Vec::new())));
    let mistaken = |grounds: &mut Grounds| grounds.records = vec!["incident/i-1@1".into()];
    let both = ["person", "freeze"];
    assert_eq!(judged(&both, &|_| {}), "");
    assert!(judged(&both, &forged).contains("person/p-1@2"));
    assert!(judged(&both, &blind).contains("did not see `freeze/f-2@1`"));
    for edit in [&forged as &dyn Fn(&mut Grounds), &blind] {
        assert_eq!(judged(&[], edit), "", "a bundle of an earlier version");
    }
    assert!(judged(&["person"], &forged).contains("person/p-1@2"));
    assert_eq!(judged(&["person"], &blind), "");
    assert_eq!(judged(&both, &mistaken), "", "incidents are judged by replay");
}

#[test]
fn each_ground_that_the_log_does_not_give_is_named() {
    let with = |edit: &dyn Fn(&mut Grounds)| {
        let mut grounds = honest(7);
        edit(&mut grounds);
        LogFixture::prepared(Scope::Log).approved(&grounds).unwrap_or_default()
    };
    let listed = |entries: &[&str]| Set::of(entries.iter().map(|it| (*it).to_owned()).collect());
    let set = |table: &'static str, entries: &'static [&'static str]| {
        move |grounds: &mut Grounds| drop(grounds.sets.insert(table.into(), listed(entries)))
    };
    assert_eq!(with(&|_| {}), "");
    assert!(with(&set("approval", &["y-1@1", "y-2@1", "y-3@1"])).contains("counted `approval/y-3@1`"));
    assert!(with(&set("freeze", &[])).contains("did not see `freeze/f-2@1`"));
    assert!(
        with(&set("freeze", &["f-1@1", "f-2@1"])).contains("freeze/f-1@1"),
        "it is over"
    );
    assert!(
        with(&set("change", &["c-1@1"])).contains("change/c-1@1"),
        "an earlier version was put back"
    );
    assert!(with(&|it| drop(it.sets.remove("evidence"))).contains("do not name the set `evidence`"));
    assert!(with(&|it| it.records.push("person/p-9@1".into())).contains("`person/p-9@1`, which no event made"));
    assert!(with(&|it| it.estate.push("service/s-9@1".into())).contains("`service/s-9@1`, which no event made"));
    assert!(with(&|it| it.rules[0].count = 3).contains("asks 3 approvals, and the log has 2"));
    assert!(with(&|it| it.rules[0].approvals[1] = "y-3".into()).contains("has 1"));
    assert!(
        with(&|it| it.stops = Some(Stops {
            hold: vec!["hold".into()],
            ..Stops::default()
        }))
        .contains("hold")
    );
    assert!(
        with(&|it| it.stops = Some(Stops {
            rejection: vec!["y-3".into()],
            ..Stops::default()
        }))
        .contains("rejections")
    );
    assert!(
        with(&|it| it.stops = Some(Stops {
            revocation: vec!["j".into()],
            ..Stops::default()
        }))
        .contains("closed")
    );
    assert!(with(&|it| it.stops = None).contains("what stood against"));
    assert!(with(&|it| it.size = 99).contains("99 entries"));
    assert!(with(&|it| it.change = Some("c-2".into())).contains("another change"));
}

#[test]
fn what_followed_in_the_act_from_grounds_that_the_log_does_not_give_lacks_its_reasons_as_well() {
    let mut told = LogFixture::prepared(Scope::Log);
    let mut grounds = honest(7);
    grounds.sets.insert("freeze".into(), Set::of(Vec::new()));
    assert!(told.approved(&grounds).is_some());
    let permit = told.emit("a-9", "permit.issued", json!({"grounds": same_act()}), &[]);
    assert!(permit.unwrap().contains("did not see `freeze/f-2@1`"));
}

#[test]
fn a_long_set_is_told_by_its_digest_and_judged_as_well() {
    let entries: Vec<String> = (0..9).map(|n| format!("x-{n}@1")).collect();
    let mut told = LogFixture::prepared(Scope::Log);
    let mut more = LogFixture::prepared(Scope::Log);
    for told in [&mut told, &mut more] {
        for entry in &entries {
            let id = entry.trim_end_matches("@1");
            told.save(id, "evidence", id, json!({"change": "c-1"}));
        }
    }
    let mut grounds = honest(7);
    grounds.sets.insert("evidence".into(), Set::of(entries.clone()));
    assert!(matches!(grounds.sets["evidence"], Set::Long { count: 9, .. }));
    assert_eq!(told.approved(&grounds), None);
    grounds.size = 16;
    grounds.sets.insert("evidence".into(), Set::of(entries[1..].to_vec()));
    assert!(more.approved(&grounds).unwrap().contains("`evidence`"));
}

#[test]
fn what_came_to_the_log_while_the_act_was_under_way_need_not_have_been_seen() {
    let mut told = LogFixture::prepared(Scope::Log);
    told.save("b-1", "freeze", "f-3", json!({"ends_at": "2027-01-01T00:00:00Z"}));
    told.save("b-2", "person", "p-1", json!({"login": "bob"}));
    assert_eq!(told.approved(&honest(7)), None, "its transaction began before both");
    let mut told = LogFixture::prepared(Scope::Log);
    told.save("b-1", "freeze", "f-3", json!({"ends_at": "2027-01-01T00:00:00Z"}));
    assert!(
        told.approved(&honest(8))
            .unwrap()
            .contains("did not see `freeze/f-3@1`")
    );
    let mut told = LogFixture::prepared(Scope::Log);
    told.save("b-2", "person", "p-1", json!({"login": "bob"}));
    assert!(
        told.approved(&honest(8))
            .unwrap()
            .contains("had been replaced at index 7")
    );
}

#[test]
fn an_event_without_grounds_is_old_only_before_the_first_that_has_some() {
    let mut told = LogFixture::new(Scope::Log);
    assert_eq!(told.emit("a", "permit.issued", json!({}), &[]), None);
    assert_eq!(told.emit("b", "gate.checked", json!({"decision": "stop"}), &[]), None);
    told.emit("c", BEGAN, json!({}), &[]);
    assert!(
        told.emit("d", "permit.issued", json!({}), &[])
            .unwrap()
            .contains("does not say")
    );
    assert!(told.emit("e", "gate.checked", json!({"decision": "go"}), &[]).is_some());
    assert_eq!(told.emit("f", "gate.checked", json!({"decision": "stop"}), &[]), None);
}

#[test]
fn a_sign_in_rests_on_the_password_that_was_set_last() {
    let signed = |size: u64, digest: &str| json!({"grounds": {"size": size, "password": digest}});
    let mut told = LogFixture::new(Scope::Log);
    told.emit("a", "person.password_set", json!({"hash_digest": "one"}), &[]);
    assert_eq!(told.emit("b", "person.signed_in", signed(1, "one"), &[]), None);
    assert!(
        told.emit("c", "person.signed_in", signed(2, "two"), &[])
            .unwrap()
            .contains("password")
    );
    told.emit("d", "person.password_set", json!({"hash_digest": "two"}), &[]);
    assert_eq!(
        told.emit("e", "person.signed_in", signed(3, "one"), &[]),
        None,
        "it began before"
    );
    assert!(told.emit("f", "person.signed_in", signed(4, "one"), &[]).is_some());
    told.emit("g", "person.password_removed", json!({}), &[]);
    assert!(told.emit("h", "person.signed_in", signed(7, "two"), &[]).is_some());
}

#[test]
fn a_sign_in_rests_on_a_passkey_that_was_added_and_not_removed() {
    let signed = |size: u64, factor: &str| json!({"grounds": {"size": size, "factor": factor}});
    let mut told = LogFixture::new(Scope::Log);
    told.emit("a", "person.factor_added", json!({"factor": "k-1"}), &[]);
    told.emit("b", "person.factor_added", json!({"factor": "k-2"}), &[]);
    assert_eq!(told.emit("c", "person.signed_in", signed(2, "k-1"), &[]), None);
    assert!(told.emit("d", "person.signed_in", signed(3, "k-3"), &[]).is_some());
    told.emit("e", "person.factor_removed", json!({"factor": "k-1"}), &[]);
    assert_eq!(told.emit("f", "person.signed_in", signed(4, "k-1"), &[]), None);
    let what = told.emit("g", "person.signed_in", signed(6, "k-1"), &[]);
    assert!(what.unwrap().contains("passkey"), "it was put back");
    assert_eq!(told.emit("h", "person.signed_in", signed(7, "k-2"), &[]), None);
    told.emit("i", "person.factors_reset", json!({}), &[]);
    assert!(told.emit("j", "person.signed_in", signed(9, "k-2"), &[]).is_some());
}

#[test]
fn a_fresh_factor_rests_on_an_authenticator_that_was_added_and_not_removed() {
    let shown = |size: u64| json!({"factor": "totp", "grounds": {"size": size, "factor": "a-1"}});
    let mut told = LogFixture::new(Scope::Log);
    told.emit("a", "person.factor_added", json!({"factor": "a-1"}), &[]);
    assert_eq!(told.emit("b", "person.stepped_up", shown(1), &[]), None);
    told.emit("c", "person.factor_removed", json!({"factor": "a-1"}), &[]);
    let what = told.emit("d", "person.stepped_up", shown(3), &[]);
    assert!(what.unwrap().contains("authenticator"), "it was put back");
    let mut told = LogFixture::new(Scope::Log);
    told.emit("a", BEGAN, json!({}), &[]);
    let what = told.emit("b", "person.stepped_up", json!({"factor": "totp"}), &[]);
    assert!(what.unwrap().contains("does not say"));
}

#[test]
fn a_password_alone_is_no_fresh_factor_where_the_log_gives_a_second_one() {
    let alone = |size: u64, factor: &str| json!({"factor": factor, "grounds": {"size": size}});
    let mut told = LogFixture::new(Scope::Log);
    assert_eq!(told.emit("a", "person.stepped_up", alone(0, "password"), &[]), None);
    told.emit("b", "person.factor_added", json!({"factor": "a-1"}), &[]);
    assert_eq!(
        told.emit("c", "person.stepped_up", alone(1, "password"), &[]),
        None,
        "it began before"
    );
    for factor in ["password", "provider:entra"] {
        let what = told.emit("d", "person.stepped_up", alone(2, factor), &[]);
        assert!(what.unwrap().contains("second one"), "{factor}: the row was gone");
    }
    let signed = json!({"factor": null, "grounds": {"size": 5}});
    assert_eq!(told.emit("e", "person.signed_in", signed, &[]), None);
    told.emit("f", "person.factor_added", json!({"factor": "a-2"}), &[]);
    told.emit("g", "person.factor_removed", json!({"factor": "a-1"}), &[]);
    assert!(told.emit("h", "person.signed_in", alone(8, "password"), &[]).is_some());
    told.emit("i", "person.factor_removed", json!({"factor": "a-2"}), &[]);
    assert_eq!(told.emit("j", "person.signed_in", alone(10, "password"), &[]), None);
}

#[test]
fn nothing_rests_on_a_session_that_was_ended() {
    let given = |size: u64, session: &str| json!({"grounds": {"size": size, "session": session}});
    let mut told = LogFixture::new(Scope::Log);
    told.emit("a", BEGAN, json!({}), &[]);
    assert_eq!(told.emit("b", "token.created", given(1, "s-1"), &[]), None);
    told.emit(
        "c",
        "person.sessions_ended",
        json!({"count": 1, "sessions": ["s-1"]}),
        &[],
    );
    assert_eq!(
        told.emit("d", "token.created", given(2, "s-1"), &[]),
        None,
        "it began before"
    );
    let what = told.emit("e", "token.created", given(3, "s-1"), &[]);
    assert!(what.unwrap().contains("ended at index 2"), "it was put back");
    assert_eq!(told.emit("f", "token.created", given(3, "s-2"), &[]), None);
}

/// The honest grounds with one more set.
fn with_set(size: u64, table: &str, entries: &[&str]) -> Grounds {
    let mut grounds = honest(size);
    let entries = entries.iter().map(|it| (*it).to_owned()).collect();
    grounds.sets.insert(table.into(), Set::of(entries));
    grounds
}

#[test]
fn an_arrow_that_was_removed_and_put_back_is_missed() {
    let prepared = || {
        let mut told = LogFixture::prepared(Scope::Log);
        told.save("b-1", "dependency", "d-1", json!({"from": "till", "to": "shop"}));
        told.save("b-2", "dependency", "d-2", json!({"from": "web", "to": "till"}));
        told
    };
    let both = ["d-1@1", "d-2@1"];
    assert_eq!(prepared().approved(&with_set(9, DEPENDENCY, &both)), None);
    let what = prepared().approved(&with_set(9, DEPENDENCY, &["d-1@1"]));
    assert!(what.unwrap().contains("did not see `dependency/d-2@1`"));
    assert_eq!(
        prepared().approved(&with_set(8, DEPENDENCY, &["d-1@1"])),
        None,
        "it began before"
    );
    // One that was taken away belongs to no set, and earlier events name none.
    let mut told = prepared();
    let ended = json!({"from": "web", "to": "till", "ended": true});
    told.save("b-3", "dependency", "d-2", ended);
    assert_eq!(told.approved(&with_set(10, DEPENDENCY, &["d-1@1"])), None);
    assert_eq!(prepared().approved(&honest(9)), None);
}

#[test]
fn a_rejected_change_with_the_same_build_is_missed() {
    let target = |artifact: &str| json!([{"service": "shop", "environment": "production", "artifact": artifact}]);
    let prepared = || {
        let mut told = LogFixture::prepared(Scope::Log);
        let own = json!({"id": "c-1", "state": "authorizing", "targets": target("git:aa")});
        told.save("b-1", "change", "c-1", own);
        for (id, artifact) in [("c-2", "git:aa"), ("c-3", "git:bb")] {
            told.save(
                id,
                "change",
                id,
                json!({"id": id, "state": "rejected", "targets": target(artifact)}),
            );
        }
        told
    };
    let approved = |mut told: LogFixture, size: u64, entries: &[&str]| {
        let mut grounds = with_set(size, REJECTED, entries);
        let own = Set::of(vec!["c-1@3".to_owned()]);
        grounds.sets.insert("change".into(), own);
        let next = json!({"id": "c-1", "state": "approved", "targets": target("git:aa")});
        let delta = told.delta("change", "c-1", next);
        told.emit("a-9", "change.approved", json!({"grounds": grounds}), &[delta])
    };
    assert_eq!(approved(prepared(), 10, &["c-2@1"]), None);
    let what = approved(prepared(), 10, &[]);
    assert!(what.unwrap().contains("did not see `rejected_change/c-2@1`"));
    let what = approved(prepared(), 10, &["c-2@1", "c-3@1"]);
    assert!(what.unwrap().contains("rejected_change/c-3@1"), "another build");
    let mut told = prepared();
    told.save(
        "b-2",
        "change",
        "c-2",
        json!({"id": "c-2", "state": "draft", "targets": target("git:aa")}),
    );
    assert_eq!(approved(told, 11, &[]), None, "it was revised");
}

#[test]
fn times_of_any_fraction_are_compared() {
    assert!(is_later("2026-11-20T07:12:52.2Z", "2026-11-20T07:12:52.19Z"));
    assert!(!is_later("2026-11-20T07:12:52Z", "2026-11-20T07:12:52Z"));
    assert!(is_later("2026-11-20T07:12:53Z", "2026-11-20T07:12:52.999999Z"));
}
