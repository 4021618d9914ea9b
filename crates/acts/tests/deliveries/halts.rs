//! A halting freeze in the middle of a second: permits tell their time in whole seconds, and yet what was given before it is
//! void and what is lawfully given after it is good, for those who verify without the server as well.

use acts::gate::Question;
use jiff::SignedDuration;
use model::words::Purpose;
use proof::permit::{Expected, verify};
use proof::revocation::RevocationList;
use serde_json::json;

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
        };
        let checked = self.system(move |room| acts::gate::check(room, &question, None));
        checked
            .permit
            .unwrap_or_else(|| panic!("no permit: {:?}", checked.check.reasons))
    }

    /// A freeze that halts from now on.
    fn halts(&self) -> String {
        let freeze = json!({
            "title": "Halt", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-20T11:00:00Z", "services": ["pay"],
            "halt": true,
        });
        self.by("mona", move |room| {
            Ok(acts::set_freeze::set_freeze(room, &body(freeze.clone()))?.id.0)
        })
    }

    /// Lets a change pass it.
    fn excepts(&self, freeze: String, key: &str) {
        let exception = json!({"change": key, "reason": "It mends what we halted for."});
        self.by("mona", move |room| {
            acts::set_freeze::except_from_freeze(room, &freeze, &body(exception.clone())).map(drop)
        });
    }

    /// The word of a verifier without a network on a permit: `good`, or why not.
    fn word_on(&self, permit: &str, artifact: &str) -> &'static str {
        let signed = self.system(acts::sign_revocations::sign_revocations);
        let keys = self.system(acts::keys::jwks);
        let list = RevocationList::open(&signed, &keys).unwrap();
        let expected = Expected {
            service: "pay",
            environment: "production",
            artifact: Some(artifact),
            commit: None,
            content_digest: None,
            now: began().as_second() + 30,
            max_list_age_seconds: None,
        };
        match verify(permit, &keys, Some(&list), &expected) {
            Ok(_) => "good",
            Err(refused) => refused.code,
        }
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
    world.by("mona", move |room| {
        let title = body(json!({"title": "Halt, says the manager"}));
        acts::edit_span::edit_freeze(room, &edited, &title).map(drop)
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
