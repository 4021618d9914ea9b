//! Permits against everything that ends them, in any order (T7): two servers on one store, whose acts a scheduler with a seed
//! puts one after the other. `ASSENT_TEST_INTERLEAVINGS` sets the number of orders.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use acts::audit::sign_revocations;
use acts::change::edit_change;
use acts::core::{gate_question, signing_keys};
use acts::gate::answer;
use acts::{Context, Executor};
use model::change::change_file;
use model::change::related_records::Approval;
use model::core::ids::RecordId;
use proof::jwks::Jwks;
use proof::permit::{Expected, verify};
use proof::revocation::RevocationList;
use serde_json::{Value, json};
use store::audit::event;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// How many orders are tried.
const ORDERS: usize = 60;
/// How many of them one world sees, whose second server's clock is right, late or early in turn.
const ORDERS_OF_A_WORLD: usize = 20;
/// How many acts there are in each.
const ACTS: usize = 14;
/// An artifact that an attacker would like to bring out under the permit.
const SWAPPED: &str = "git:bbbbe5e";

/// Small random numbers, the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % sides
    }
}

/// The next choices of a scheduler.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Mint,
    Consume,
    Revoke,
    Lift,
    Edit,
    Swap,
    Hold,
    Resume,
    Withdraw,
}

/// Minting and consuming come more often than the ends of permits, so that there is something to end.
const DEEDS: [Deed; 13] = [
    Deed::Mint,
    Deed::Mint,
    Deed::Mint,
    Deed::Consume,
    Deed::Consume,
    Deed::Consume,
    Deed::Revoke,
    Deed::Lift,
    Deed::Edit,
    Deed::Swap,
    Deed::Hold,
    Deed::Resume,
    Deed::Withdraw,
];

/// A permit that was given.
struct Given {
    jti: String,
    token: String,
    is_dead: bool,
}

/// One change, its acts, and the oracle's view of it.
struct Round<'w> {
    world: &'w World,
    desks: [&'w Executor; 2],
    key: String,
    artifact: String,
    given: Vec<Given>,
    /// Whether its content is still the approved one.
    is_whole: bool,
    is_held: bool,
    /// The permit whose revocation keeps the target closed.
    closed_by: Option<RecordId>,
    story: Vec<String>,
    /// The log's entries of holds and permits, in this order.
    told: Vec<String>,
    passed: usize,
}

impl<'w> Round<'w> {
    fn new(world: &'w World, other: &'w Executor, number: usize) -> Self {
        let artifact = proof::crypto::digest_text(&number.to_be_bytes());
        let key = world.approved(world.draft_of(&format!("Order {number}"), &artifact));
        world.note_about(&key, &artifact);
        Self {
            world,
            desks: [&world.executor, other],
            key,
            artifact,
            given: Vec::new(),
            is_whole: true,
            is_held: false,
            closed_by: None,
            story: Vec::new(),
            told: Vec::new(),
            passed: 0,
        }
    }

    /// Does an act as somebody at one of the servers; `None` when it was refused.
    fn act<T: Send + 'static>(
        &mut self,
        (dice, login): (&mut Dice, &'static str),
        act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> Option<T> {
        let actor = self.world.actor(login);
        let server = dice.roll(2);
        let done = self.desks[server].wait(Lane::Acts, TENANT, actor, Mode::Write, act);
        match done {
            Ok(done) => Some(done),
            Err(acts::Error::Refused(refusal)) => {
                self.story
                    .push(format!("server {server}: {login} is refused: {refusal}"));
                None
            }
            Err(error) => panic!("{error:?} after {:#?}", self.story),
        }
    }

    fn end_all(&mut self) {
        self.given.iter_mut().for_each(|it| it.is_dead = true);
    }

    fn step(&mut self, dice: &mut Dice, deed: Deed) {
        self.story.push(format!("{deed:?}"));
        let key = self.key.clone();
        match deed {
            Deed::Mint => self.mint(dice),
            Deed::Consume => self.consume(dice),
            Deed::Revoke => {
                let Some(jti) = self.given.last().map(|it| it.jti.clone()) else {
                    return;
                };
                let id = RecordId(jti);
                let why = body(json!({"reason": "Not this one."}));
                let revoked = id.clone();
                let revoke = move |cx: &mut Context<'_, '_>| acts::gate::verbs::revoke_permit(cx, &key, &revoked, &why);
                if self.act((dice, "mona"), revoke).is_some() {
                    self.closed_by = Some(id);
                    self.end_all();
                }
            }
            Deed::Lift => {
                let Some(id) = self.closed_by.clone() else { return };
                let why = body(json!({"reason": "It was the right one."}));
                let lift = move |cx: &mut Context<'_, '_>| acts::gate::verbs::lift_revocation(cx, &key, &id, &why);
                if self.act((dice, "mona"), lift).is_some() {
                    self.closed_by = None;
                }
            }
            Deed::Edit | Deed::Swap => {
                let patch = match deed {
                    Deed::Edit => json!({"title": format!("Another title {}", dice.roll(1_000))}),
                    _ => json!({"targets": [{"service": "pay", "environment": "production", "artifact": SWAPPED}]}),
                };
                let patch = body(patch);
                let edit = move |cx: &mut Context<'_, '_>| edit_change::edit_change(cx, &key, &patch);
                if self.act((dice, "rita"), edit).is_some() {
                    self.is_whole = false;
                    self.end_all();
                }
            }
            Deed::Hold => {
                let why = body(json!({"reason": "Look again."}));
                let hold = move |cx: &mut Context<'_, '_>| acts::change::verbs::hold_change(cx, &key, &why);
                if self.act((dice, "mona"), hold).is_some() {
                    self.is_held = true;
                    self.told.push("change.held".to_owned());
                    self.end_all();
                }
            }
            Deed::Resume => {
                let resume = move |cx: &mut Context<'_, '_>| acts::change::verbs::resume_change(cx, &key);
                if self.act((dice, "mona"), resume).is_some() {
                    self.is_held = false;
                    self.told.push("change.resumed".to_owned());
                }
            }
            Deed::Withdraw => self.withdraw(dice),
        }
    }

    fn mint(&mut self, dice: &mut Dice) {
        let question = gate_question::Question {
            service: "pay".into(),
            environment: "production".into(),
            artifact: Some(self.artifact.clone()),
            commit: None,
            change: None,
            purpose: None,
            member: None,
        };
        let ask = move |cx: &mut Context<'_, '_>| answer::check(cx, &question, None);
        let Some(checked) = self.act((dice, "pipe"), ask) else {
            return;
        };
        let Some(token) = checked.permit else { return };
        assert!(
            self.is_whole && !self.is_held && self.closed_by.is_none(),
            "a permit was given after {:#?}",
            self.story
        );
        let payload = token.split('.').nth(1).and_then(proof::crypto::from_base64url).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        let jti = claims["jti"].as_str().unwrap().to_owned();
        // Checks of one target share the permit while it is alive.
        if let Some(known) = self.given.iter().find(|known| known.jti == jti) {
            assert!(!known.is_dead, "a dead permit was given again after {:#?}", self.story);
            assert_eq!(known.token, token);
            return;
        }
        // A server whose clock is late takes the permit of the other for one that is not good yet.
        let [here, there] = self.desks.map(|desk| desk.tools().clock.now());
        let alive = self.given.iter().filter(|known| !known.is_dead).count();
        assert!(
            alive <= usize::from(here != there),
            "{alive} permits live after {:#?}",
            self.story
        );
        self.told.push(format!("permit.issued {jti}"));
        self.given.push(Given {
            jti,
            token,
            is_dead: false,
        });
    }

    /// The bearer of the permits presents all of them, with a list fetched now: for the approved artifact, and for another.
    fn consume(&mut self, dice: &mut Dice) {
        let server = dice.roll(2);
        let look = |cx: &mut Context<'_, '_>| Ok((signing_keys::jwks(cx)?, sign_revocations::sign_revocations(cx)?));
        let system = change_file::Actor::system();
        let (keys, list) = self.desks[server]
            .wait(Lane::Acts, TENANT, system, Mode::Write, look)
            .unwrap();
        let keys: Jwks = keys;
        let list = RevocationList::open(&list, &keys).unwrap();
        for given in &self.given {
            let expected = |artifact: &'static str| Expected {
                service: "pay",
                environment: "production",
                artifact: Some(artifact),
                commit: None,
                content_digest: None,
                now: self.world.executor.tools().clock.now().as_second(),
                purpose: None,
                max_list_age_seconds: None,
            };
            let swapped = verify(&given.token, &keys, Some(&list), &expected(SWAPPED));
            assert!(swapped.is_err(), "a swapped artifact passed after {:#?}", self.story);
            let own = Expected {
                artifact: Some(&self.artifact),
                ..expected("")
            };
            let passes = verify(&given.token, &keys, Some(&list), &own).is_ok();
            assert!(
                !(passes && given.is_dead),
                "a dead permit passed after {:#?}",
                self.story
            );
            self.passed += usize::from(passes);
        }
    }

    fn withdraw(&mut self, dice: &mut Dice) {
        let key = self.key.clone();
        let olga = self.world.actor("olga").person;
        let withdraw = move |cx: &mut Context<'_, '_>| {
            let change = cx.change(&key)?.id;
            let own = Filter::new()
                .equals("change_id", change.as_str())
                .equals("person", olga.as_str())
                .equals("state", "standing")
                .order_by("id");
            match record::find_one::<Approval>(cx.tx, &own)? {
                Some(found) => acts::approval::verbs::withdraw_approval(cx, &key, &found.record.id).map(|()| true),
                None => Ok(false),
            }
        };
        if self.act((dice, "olga"), withdraw) == Some(true) {
            self.is_whole = false;
            self.end_all();
        }
    }
}

/// Permits that were given by the same version of a change are in any order among each other.
fn in_runs(mut told: Vec<String>) -> Vec<String> {
    let is_of_run = |a: &String, b: &String| a.starts_with("permit") == b.starts_with("permit");
    told.chunk_by_mut(is_of_run).for_each(<[String]>::sort);
    told
}

/// The log matches: holds and permits are in the order in which they were done, and the end of a permit comes after its issue.
/// Returns the number of ended permits.
fn check_log(world: &World, told: std::collections::BTreeMap<String, Vec<String>>) -> usize {
    while world.look(|cx| Ok(event::count_unsequenced(cx.tx)?)).unwrap() > 0 {
        world.sequence();
    }
    let mut found: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    let mut revoked: std::collections::BTreeSet<String> = Default::default();
    let mut from = 0;
    loop {
        let page = world.look(move |cx| Ok(event::page(cx.tx, from, 500)?)).unwrap();
        for event in &page {
            let bytes: Value = serde_json::from_slice(&event.bytes).unwrap();
            let of_change = found.entry(event.subject_id.clone()).or_default();
            let jti = bytes["data"]["jti"].as_str().unwrap_or_default().to_owned();
            match event.kind.as_str() {
                "change.held" | "change.resumed" => of_change.push(event.kind.clone()),
                "permit.issued" => {
                    assert!(!revoked.contains(&jti), "{jti} was issued after its end");
                    of_change.push(format!("permit.issued {jti}"));
                }
                "permit.revoked" => {
                    revoked.insert(jti);
                }
                _ => {}
            }
        }
        if page.len() < 500 {
            break;
        }
        from += 500;
    }
    for (change, told) in told {
        let found = found.remove(&change).unwrap_or_default();
        assert_eq!(in_runs(found), in_runs(told), "{change}");
    }
    revoked.len()
}

/// The result of orders: permits that were given, were revoked, and how often one passed.
#[derive(Default)]
struct Sums {
    given: usize,
    revoked: usize,
    passed: usize,
}

fn try_world(number: usize, orders: usize) -> Sums {
    let world = World::new();
    // The window is open from ten to twelve; the scheduler holds the clock.
    *world.clock.0.lock().unwrap() = "2026-11-20T10:30:00Z".parse().unwrap();
    let mut dice = Dice(0x5eed + 7_919 * number as u64);
    let other = world.other_desk([0, -1, 1][number % 3]);
    let mut sums = Sums::default();
    let mut told = std::collections::BTreeMap::new();
    for number in 0..orders {
        let mut round = Round::new(&world, &other, number);
        for _ in 0..ACTS {
            let deed = DEEDS[dice.roll(DEEDS.len())];
            round.step(&mut dice, deed);
        }
        round.step(&mut dice, Deed::Consume);
        sums.given += round.given.len();
        sums.passed += round.passed;
        let key = round.key;
        let change = world.look(move |cx| cx.change(&key)).unwrap();
        told.insert(change.id.0, round.told);
    }
    sums.revoked = check_log(&world, told);
    world.assert_replays();
    sums
}

#[test]
fn no_permit_outlives_or_follows_what_ends_it_in_any_order() {
    let orders = std::env::var("ASSENT_TEST_INTERLEAVINGS").map_or(ORDERS, |text| text.parse().unwrap());
    let (next, sums) = (AtomicUsize::new(0), Mutex::new(Sums::default()));
    let try_worlds = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let left = orders.saturating_sub(number * ORDERS_OF_A_WORLD);
        if left == 0 {
            break;
        }
        let of_world = try_world(number, left.min(ORDERS_OF_A_WORLD));
        let mut sums = sums.lock().unwrap();
        sums.given += of_world.given;
        sums.revoked += of_world.revoked;
        sums.passed += of_world.passed;
    };
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..2).map(|_| scope.spawn(try_worlds)).collect();
        hands.into_iter().for_each(|hand| hand.join().unwrap());
    });
    let Sums { given, revoked, passed } = sums.into_inner().unwrap();
    println!(
        "{orders} orders of {ACTS} acts, {given} permits, {revoked} revoked, {passed} passed, none that was ended"
    );
    assert!(given > 0 && revoked > 0 && passed > 0, "nothing was tried");
}
