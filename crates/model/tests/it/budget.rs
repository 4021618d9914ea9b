//! The budget of break-glass: over it break-glass works all the same, with more people notified.

use jiff::SignedDuration;
use model::approval::obligation::{Due, Duty};
use model::change::change_file::Lent;
use model::core::enums::{self, ActionKind, Role, State};
use model::directory::impersonation::CredentialGrant;
use model::directory::snapshot;
use model::emergency::break_glass;
use model::emergency::budget::{Used, spellings_of_team, teams_of};
use model::notify::action_item::{Due as ItemDue, Owner};
use model::notify::change_items::{settled_because, wanted};
use model::notify::preferences::{NotificationPreferences, Quiet};
use serde_json::json;

use crate::world::{World, at, body, code, facts, facts_but};

fn opened(used: i64, extra: Vec<(Due, Duty)>) -> World {
    let mut world = World::with(facts_but(json!({"team": "Shop"})), extra);
    world.estate(|estate| {
        let roles = &mut estate.people.get_mut(&"sue".into()).unwrap().roles;
        assert!(roles.contains(&Role::Executive));
        estate.people.get_mut(&"cora".into()).unwrap().manager = Some("olga".into());
    });
    let words = body(json!({"reason": "The shop is down", "until": at("11:00").to_string()}));
    world
        .act("cora", |case| {
            break_glass::break_glass(case, &words, &Used::from([("shop".to_owned(), used)]))
        })
        .unwrap();
    world
}

fn topics_to(world: &World, who: &str) -> Vec<&'static str> {
    let letters = world.letters.iter().filter(|letter| letter.to == who.into());
    letters.map(|letter| letter.topic).collect()
}

#[test]
fn within_the_budget_those_concerned_are_told_and_nobody_above() {
    let world = opened(2, Vec::new());
    assert_eq!(world.state(), State::Implementing);
    for who in ["olga", "sam", "mia", "max", "ida"] {
        assert_eq!(topics_to(&world, who), ["break_glass"], "{who}");
    }
    assert!(topics_to(&world, "sue").is_empty());
    let counted = world.change().break_glass.as_ref().unwrap().counted.as_ref().unwrap();
    assert_eq!((counted.team.as_str(), counted.number, counted.budget), ("shop", 3, 3));
}

#[test]
fn a_new_word_for_a_team_opens_no_new_budget() {
    let mut world = World::with(facts(), Vec::new());
    world.estate(|estate| {
        let crew = json!({
            "id": "g1", "version": 1, "key": "shop-crew", "name": "The shop", "kind": "team", "members": [],
        });
        let crew: snapshot::Group = serde_json::from_value(crew).unwrap();
        estate.groups.insert(crew.key.clone(), crew);
        estate.services.get_mut(&"shop".into()).unwrap().team = Some("the SHOP ".to_owned());
    });
    let teams = |world: &World, word: Option<&str>| {
        let mut change = world.change().clone();
        change.content.team = word.map(str::to_owned);
        teams_of(&change, &world.directory)
    };
    for word in [
        None,
        Some("The shop"),
        Some("SHOP-CREW"),
        Some("Shop at night"),
        Some(""),
    ] {
        assert_eq!(teams(&world, word), ["shop-crew"], "{word:?}");
    }
    assert_eq!(
        spellings_of_team("shop-crew", &world.directory),
        ["shop-crew", "The shop"]
    );
    world.estate(|estate| estate.services.get_mut(&"shop".into()).unwrap().team = None);
    for word in [None, Some("Shop at night")] {
        assert_eq!(
            teams(&world, word),
            ["shop"],
            "a service without a team has a budget of its own: {word:?}"
        );
    }
    world.estate(|estate| assert!(estate.services.remove(&"shop".into())));
    assert_eq!(teams(&world, Some(" Night ")), ["Night"], "where nothing else is known");
    assert_eq!(teams(&world, None), [""]);
}

#[test]
fn over_the_budget_it_opens_at_once_and_is_escalated() {
    let mut world = opened(3, Vec::new());
    assert_eq!(world.state(), State::Implementing, "an emergency is never blocked");
    assert_eq!(topics_to(&world, "sue"), ["break_glass_over_budget"]);
    assert!(topics_to(&world, "mia").contains(&"break_glass_over_budget"));
    assert!(
        topics_to(&world, "olga").contains(&"break_glass_over_budget"),
        "the manager of who opened it"
    );
    assert!(world.events.iter().any(|event| event.kind == "break_glass.over_budget"));
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    let words = body(json!({"text": "It was right."}));
    assert_eq!(
        code(world.act("olga", |case| break_glass::validate(case, &words))),
        "over_budget"
    );
    // Where no other change manager is there, security takes it: nothing stays open for ever.
    let mut alone = world.clone();
    alone.estate(|estate| {
        for person in estate.people.values_mut() {
            person.roles.retain(|role| *role != enums::Role::ChangeManager);
        }
    });
    assert_eq!(
        code(alone.act("olga", |case| break_glass::validate(case, &words))),
        "over_budget"
    );
    alone.act("sam", |case| break_glass::validate(case, &words)).unwrap();
    world.act("mia", |case| break_glass::validate(case, &words)).unwrap();
}

#[test]
fn who_broke_the_glass_does_not_validate_it_by_a_way_in_that_they_handed_out() {
    let mut world = opened(0, Vec::new());
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    let words = body(json!({"text": "It was right."}));
    let mut by_hand_of = |maker: &str| {
        let lent = Lent {
            maker: maker.into(),
            roles: None,
            services: None,
        };
        world.act("mia", |case| {
            case.actor.lent = Some(lent);
            break_glass::validate(case, &words)
        })
    };
    assert_eq!(code(by_hand_of("cora")), "one_hand");
    by_hand_of("sue").unwrap();
}

#[test]
fn who_broke_the_glass_does_not_validate_it_by_an_account_that_they_made_today() {
    let mut world = opened(0, Vec::new());
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    let words = body(json!({"text": "It was right."}));
    for (hours, told) in [(1, "one_hand"), (25, "done")] {
        let hand = CredentialGrant {
            by: "cora".into(),
            at: world.now - SignedDuration::from_hours(hours),
        };
        world.estate(|estate| estate.people.get_mut(&"mia".into()).unwrap().made_by = Some(hand));
        let done = world.act("mia", |case| break_glass::validate(case, &words));
        assert_eq!(code(done), told, "made {hours} hours before");
    }
}

#[test]
fn a_policy_sets_the_budget_and_the_time_of_its_validation() {
    let stricter = Duty::BreakGlass {
        budget: Some(1),
        validate_within_minutes: Some(60),
    };
    let world = opened(1, vec![(Due::Close, stricter)]);
    let counted = world.change().break_glass.as_ref().unwrap().counted.clone().unwrap();
    assert!(counted.is_over());
    assert_eq!(counted.validate_by, at("12:00"));
}

#[test]
fn a_broken_glass_owes_its_validation_until_another_gives_it() {
    let mut world = opened(0, Vec::new());
    let due = at("11:00") + SignedDuration::from_hours(24);
    let item = wanted(world.change(), ActionKind::ValidateBreakGlass).unwrap();
    assert_eq!((item.due, item.owner), (ItemDue::At(due), Owner::ServiceOwner));
    assert!(
        item.involved.contains(&"cora".into()),
        "who broke it does not settle it"
    );
    let words = body(json!({"text": "It was right."}));
    assert_eq!(
        code(world.act("cora", |case| break_glass::validate(case, &words))),
        "own_request"
    );
    world.wait_until(due + SignedDuration::from_hours(30 * 24));
    assert!(wanted(world.change(), ActionKind::ValidateBreakGlass).is_some());
    world.act("mia", |case| break_glass::validate(case, &words)).unwrap();
    assert_eq!(wanted(world.change(), ActionKind::ValidateBreakGlass), None);
    let reason = settled_because(world.change(), ActionKind::ValidateBreakGlass);
    assert_eq!(reason, "The break-glass was validated.");
}

#[test]
fn beyond_the_budget_the_validation_is_the_change_managers() {
    let world = opened(3, Vec::new());
    let item = wanted(world.change(), ActionKind::ValidateBreakGlass).unwrap();
    assert_eq!(item.owner, Owner::ChangeManagers);
}

#[test]
fn whoever_broke_the_glass_does_not_close_the_change() {
    let mut world = World::with(facts(), Vec::new());
    world.break_glass("mia", 30).unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(code(world.close("mia")), "own_request");
    assert_eq!(code(world.close("max")), "closure_refused");
}

/// Break-glass uses of any kind (T36): for every user, every notification setting, and any delay of the look.
/// `ASSENT_TEST_GLASSES` sets the number.
#[test]
fn every_broken_glass_is_told_at_once_owes_its_validation_and_closes_not_before() {
    let count: u64 = std::env::var("ASSENT_TEST_GLASSES").map_or(300, |text| text.parse().unwrap());
    let mut late = 0;
    for number in 0..count {
        let mut dice = Dice(number + 1);
        let mut world = World::with(facts_but(json!({"team": "Shop"})), Vec::new());
        wish(&mut world, &mut dice);
        world.wait(i64::try_from(dice.roll(40)).unwrap());
        let who = ["cora", "mia", "max"][dice.roll(3)];
        break_it(&mut world, who, i64::try_from(1 + dice.roll(240)).unwrap());
        let days = i64::try_from(dice.roll(12)).unwrap();
        wait_days(&mut world, days);
        late += days;
        let words = body(json!({"text": "It was right."}));
        assert_eq!(
            code(world.act(who, |case| break_glass::validate(case, &words))),
            "own_request",
            "{number}"
        );
        let other = if who == "mia" { "max" } else { "mia" };
        world.act(other, |case| break_glass::validate(case, &words)).unwrap();
        world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
        world.close("olga").unwrap();
        assert_eq!(world.state(), State::Closed);
    }
    println!("{count} broken glasses, {late} days late, each told at once");
    assert!(late > 0);
}

/// Everybody lives somewhere and wishes for something.
fn wish(world: &mut World, dice: &mut Dice) {
    world.estate(|estate| {
        for person in estate.people.values_mut() {
            person.zone = ["Europe/Oslo", "Pacific/Apia", "America/New_York"][dice.roll(3)].to_owned();
            person.telling = Some(NotificationPreferences {
                digest_at: (dice.roll(2) == 0).then(|| format!("{:02}:00", dice.roll(24))),
                quiet: (dice.roll(2) == 0).then(|| Quiet {
                    from: format!("{:02}:30", dice.roll(24)),
                    until: format!("{:02}:00", dice.roll(24)),
                }),
                ..NotificationPreferences::default()
            });
        }
    });
}

/// Uses break-glass, checks that everybody concerned is notified in that instant, and does the work up to its end.
fn break_it(world: &mut World, who: &str, minutes: i64) {
    let (before, broken_at) = (world.letters.len(), world.now);
    world.break_glass(who, minutes).unwrap();
    let mut told = world.letters[before..].iter().filter(|it| it.topic == "break_glass");
    for person in ["olga", "sam", "mia", "max", "ida"] {
        let letter = told.clone().find(|letter| letter.to == person.into());
        assert!(letter.is_some() || person == who, "{person} is not told what {who} did");
    }
    assert!(
        told.all(|letter| world.directory.told_at(&letter.to, letter.topic, broken_at) == broken_at),
        "a letter waits"
    );
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
}

/// Lets days pass after the validation was due: on each of them it is owed, and nobody closes.
fn wait_days(world: &mut World, days: i64) {
    let glass = world.change().break_glass.as_ref().unwrap();
    let validate_by = glass.counted.as_ref().unwrap().validate_by;
    world.wait_until(validate_by - SignedDuration::from_secs(1));
    for day in 0..days {
        world.wait_until(validate_by + SignedDuration::from_hours(24 * day) + SignedDuration::from_secs(5));
        let item = wanted(world.change(), ActionKind::ValidateBreakGlass).unwrap();
        assert_eq!(item.due, ItemDue::At(validate_by), "day {day}");
        for closer in ["olga", "mia", "max"] {
            assert!(world.close(closer).is_err(), "{closer} closed it unvalidated");
        }
    }
}

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
