//! A halting freeze in the middle of a second: permits have their time in whole seconds, and yet an earlier one is void and a
//! later lawful one is good, for offline verifiers as well.

use acts::Context;
use acts::audit::sign_revocations;
use acts::core::gate_question::Question;
use acts::core::signing_keys;
use acts::emergency::break_glass;
use acts::gate::{answer, consume_permit};
use acts::schedule::{edit_span, set_freeze};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use model::change::related_records::{Message, Permit};
use model::core::enums::{PermitState, Purpose};
use proof::permit::{Expected, verify};
use proof::revocation::RevocationList;
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::{OLD, World, artifact, began, body};

impl World {
    /// So many milliseconds after the beginning.
    fn reaches(&self, millis: i64) {
        self.set_clock(began() + SignedDuration::from_millis(millis));
    }

    /// The permit that the gate gives now.
    fn collects(&self, artifact: &str, purpose: Purpose) -> String {
        let question = Question {
            service: "pay".to_owned(),
            environment: "production".to_owned(),
            artifact: Some(artifact.to_owned()),
            commit: None,
            change: None,
            purpose: Some(purpose),
            member: None,
        };
        let checked = self.system(move |cx| answer::check(cx, &question, None));
        checked
            .permit
            .unwrap_or_else(|| panic!("no permit: {:?}", checked.check.reasons))
    }

    /// A freeze that halts from now on.
    fn halts(&self) -> String {
        self.by("mona", move |cx| {
            let freeze = json!({
                "title": "Halt", "starts_at": cx.now, "ends_at": "2026-11-20T11:00:00Z", "services": ["pay"], "halt": true,
            });
            Ok(set_freeze::set_freeze(cx, &body(freeze.clone()))?.id.0)
        })
    }

    /// Lets a change pass it.
    fn excepts(&self, freeze: String, key: &str) {
        let exception = json!({"change": key, "reason": "It mends what we halted for."});
        self.by("mona", move |cx| {
            set_freeze::except_from_freeze(cx, &freeze, &body(exception.clone())).map(drop)
        });
    }

    /// The result of an offline verifier for a permit: `good`, or why not.
    fn word_on(&self, permit: &str, artifact: &str) -> &'static str {
        let signed = self.system(sign_revocations::sign_revocations);
        let keys = self.system(signing_keys::jwks);
        let list = RevocationList::open(&signed, &keys).unwrap();
        let expected = Expected {
            service: "pay",
            environment: "production",
            artifact: Some(artifact),
            commit: None,
            content_digest: None,
            now: began().as_second() + 30,
            purpose: None,
            max_list_age_seconds: None,
        };
        match verify(permit, &keys, Some(&list), &expected) {
            Ok(_) => "good",
            Err(refused) => refused.code,
        }
    }

    /// Every permit is void for an offline verifier exactly where the server itself has it as revoked.
    fn both_say_the_same(&self) {
        let signed = self.system(sign_revocations::sign_revocations);
        let keys = self.system(signing_keys::jwks);
        let list = RevocationList::open(&signed, &keys).unwrap();
        let told = self.system(|cx| {
            let permits = record::bodies::<Permit>(cx.tx, &Filter::new().order_by("id"))?;
            let sign = |permit: Permit| Ok((answer::sign(cx, &permit)?, permit));
            permits.into_iter().map(sign).collect::<acts::Result<Vec<_>>>()
        });
        assert!(!told.is_empty());
        for (token, permit) in told {
            let claims = proof::jws::open(&token, proof::permit::TYPE, &keys, proof::permit::MAX_PERMIT_BYTES).unwrap();
            let claims = serde_json::from_slice(&claims).unwrap();
            let is_void = permit.state == PermitState::Revoked;
            assert_eq!(list.revokes(&claims), is_void, "{permit:#?}");
        }
    }

    /// Mona, with a fresh factor, uses break-glass on a change.
    fn breaks_glass(&self, key: &str) {
        let person = self.system(|cx| Ok(cx.directory()?.by_login("mona").unwrap().id.clone()));
        let actor = Actor {
            person,
            is_system: false,
            stepped_up_at: Some(self.executor.tools().clock.now()),
            ..Actor::system()
        };
        let (key, words) = (
            key.to_owned(),
            json!({"reason": "Pay is down.", "until": "2026-11-20T11:00:00Z"}),
        );
        let glass = move |cx: &mut Context<'_, '_>| break_glass::break_glass(cx, &key, &body(words.clone()));
        self.executor
            .wait(Lane::Acts, "halden", actor, Mode::Write, glass)
            .unwrap();
    }

    /// The code with which the online gate refuses to use the last permit for an artifact up.
    fn refused_at_the_gate(&self, named: &str) -> String {
        let named = named.to_owned();
        let tried = self
            .executor
            .wait(Lane::Acts, "halden", Actor::system(), Mode::Write, move |cx| {
                let all = record::bodies::<Permit>(cx.tx, &Filter::new().order_by("id"))?;
                let mut own = all.into_iter().filter(|it| it.artifact.as_ref() == Some(&named));
                let question = Question {
                    service: "pay".to_owned(),
                    environment: "production".to_owned(),
                    artifact: Some(named.clone()),
                    commit: None,
                    change: None,
                    purpose: None,
                    member: None,
                };
                consume_permit::consume_permit(cx, own.next_back().unwrap().id.as_str(), &question)
            });
        match tried {
            Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// People notified that a permit is void, and of which change.
    fn told_of_void_permits(&self) -> Vec<(String, String)> {
        self.system(|cx| {
            let found = record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?;
            let directory = cx.directory()?;
            let told = found.into_iter().filter(|it| it.topic == "permit_voided");
            let mut told: Vec<_> = told
                .map(|it| (directory.login(&it.person), it.change_key.unwrap()))
                .collect();
            told.sort();
            Ok(told)
        })
    }
}

#[test]
fn a_permit_that_is_lawfully_given_in_the_second_of_a_halt_is_good_and_one_given_before_it_is_not() {
    let world = World::new();
    let (halted, excepted) = (artifact(1, 0), artifact(2, 0));
    world.planned(halted.clone());
    let key = world.planned(excepted.clone());
    world.reaches(200);
    let before = world.collects(&halted, Purpose::Deploy);
    let back = world.collects(OLD, Purpose::Rollback);
    world.reaches(400);
    let freeze = world.halts();
    world.reaches(500);
    world.excepts(freeze.clone(), &key);
    world.reaches(600);
    let after = world.collects(&excepted, Purpose::Deploy);
    assert_eq!(world.word_on(&before, &halted), "revoked");
    assert_eq!(world.word_on(&back, OLD), "good", "no halt touches a way back");
    assert_eq!(world.word_on(&after, &excepted), "good", "it was given after the halt");
    // Another title halts nothing anew.
    world.reaches(1_700);
    let (edited, later) = (freeze.clone(), world.collects(&excepted, Purpose::Deploy));
    world.reaches(2_300);
    world.by("mona", move |cx| {
        let title = body(json!({"title": "Halt, says the manager"}));
        edit_span::edit_freeze(cx, &edited, &title).map(drop)
    });
    assert_eq!(world.word_on(&later, &excepted), "good");
    // A second halt within the second of a permit knows nothing of that exception.
    world.reaches(2_400);
    let last = world.collects(&excepted, Purpose::Deploy);
    world.reaches(2_800);
    world.halts();
    assert_eq!(world.word_on(&last, &excepted), "revoked");
    assert_eq!(world.word_on(&after, &excepted), "revoked");
    assert_eq!(world.word_on(&back, OLD), "good");
}

#[test]
fn a_permit_of_an_earlier_second_than_the_halt_is_void_also_for_an_excepted_change() {
    let world = World::new();
    let (first, second) = (artifact(1, 0), artifact(2, 0));
    let key = world.planned(first.clone());
    world.planned(second.clone());
    world.reaches(-300);
    let earlier = world.collects(&first, Purpose::Deploy);
    world.reaches(0);
    let freeze = world.halts();
    world.excepts(freeze, &key);
    assert_eq!(
        world.word_on(&earlier, &first),
        "revoked",
        "it was given before the halt"
    );
    let anew = world.collects(&first, Purpose::Deploy);
    assert_eq!(world.word_on(&anew, &first), "good");
}

#[test]
fn what_a_halt_voids_without_a_network_the_server_calls_revoked_also_for_excepted_changes_and_broken_glasses() {
    let world = World::new();
    let (plain, excepted, broken) = (artifact(1, 0), artifact(2, 0), artifact(3, 0));
    let before = artifact(4, 0);
    world.planned_with_way_back(plain.clone(), before.clone());
    let let_pass = world.planned(excepted.clone());
    let key = world.planned(broken.clone());
    world.reaches(-9_000);
    world.breaks_glass(&key);
    let given = [&plain, &excepted, &broken].map(|it| world.collects(it, Purpose::Deploy));
    let back = world.collects(&before, Purpose::Rollback);
    world.reaches(-5_000);
    // It lay over another time until now, and excepted the change before it began.
    let ahead = json!({"title": "Halt", "starts_at": "2026-11-20T10:30:00Z", "ends_at": "2026-11-20T11:00:00Z",
        "services": ["pay"], "halt": true});
    let freeze = world.by("mona", move |cx| {
        Ok(set_freeze::set_freeze(cx, &body(ahead.clone()))?.id.0)
    });
    world.excepts(freeze.clone(), &let_pass);
    world.both_say_the_same();
    world.reaches(500);
    world.by("mona", move |cx| {
        let now = body(json!({"starts_at": "2026-11-20T10:00:00Z"}));
        edit_span::edit_freeze(cx, &freeze, &now).map(drop)
    });
    for (token, named) in given.iter().zip([&plain, &excepted, &broken]) {
        assert_eq!(world.word_on(token, named), "revoked");
        assert_eq!(world.refused_at_the_gate(named), "permit_revoked");
    }
    assert_eq!(world.word_on(&back, &before), "good");
    world.both_say_the_same();
    // The two that may go on check again, in the same second, and the people responsible for them were notified.
    for named in [&excepted, &broken] {
        let anew = world.collects(named, Purpose::Deploy);
        assert_eq!(world.word_on(&anew, named), "good");
    }
    world.both_say_the_same();
    let told = world.told_of_void_permits();
    let wanted = [let_pass, key].map(|key| ("rita".to_owned(), key));
    assert_eq!(told, wanted);
}
