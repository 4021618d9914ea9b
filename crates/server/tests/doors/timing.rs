//! The information in a response's time: the time of a refusal must not reveal whether a person is known here (T20).
//! `ASSENT_TEST_TIMINGS` sets the number of tries of each kind.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::set_person;
use serde_json::{Value, json};
use server::identity::password;

use crate::world::{TENANT, World};

/// How many tries of each kind.
const TRIES: usize = 40;
/// How many tries an account has before it must wait.
const FREE: usize = 4;
/// Above it two times differ, by Welch's t (Goodwill and others, “A testing methodology for side-channel resistance”).
const DIFFERENT: f64 = 4.5;

/// The tried people; each with a wrong password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Known,
    Unknown,
    WithoutPassword,
    OtherTenant,
    /// A request that is refused before any password is looked at: the measure must see that it is quicker.
    Malformed,
}

const KINDS: [Kind; 5] = [
    Kind::Known,
    Kind::Unknown,
    Kind::WithoutPassword,
    Kind::OtherTenant,
    Kind::Malformed,
];

fn body(kind: Kind, number: usize) -> Value {
    let account = number / FREE;
    let (tenant, login) = match kind {
        Kind::Known => (TENANT, format!("known-{account}")),
        Kind::Unknown => (TENANT, format!("nobody-{account}")),
        Kind::WithoutPassword => (TENANT, format!("outside-{account}")),
        Kind::OtherTenant => ("nowhere", format!("known-{account}")),
        Kind::Malformed => return json!({"tenant": TENANT, "login": format!("known-{account}")}),
    };
    json!({"tenant": tenant, "login": login, "password": "not the right one"})
}

/// How long a try takes, in milliseconds. Each comes from an address of its own.
fn took(world: &World, kind: Kind, number: usize) -> f64 {
    let clock = world.server.state().executor().tools().clock.clone();
    let address = format!("10.{}.{}.{}", kind as u8, number / 250, number % 250 + 1);
    let ask = world.ask("POST", "/api/v1/session").header("x-forwarded-for", &address);
    let ask = ask.json(&body(kind, number));
    let began = clock.now();
    let answer = ask.send();
    let took = clock.now().duration_since(began).as_secs_f64() * 1_000.0;
    let wanted = if kind == Kind::Malformed { 422 } else { 401 };
    assert_eq!(answer.status, wanted, "{kind:?} {number}: {answer:?}");
    took
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Welch's t of two samples.
fn welch(left: &[f64], right: &[f64]) -> f64 {
    let part = |values: &[f64]| {
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        squares / (values.len() - 1) as f64 / values.len() as f64
    };
    (mean(left) - mean(right)) / (part(left) + part(right)).sqrt()
}

#[test]
fn welch_tells_samples_apart_that_differ_and_those_that_do_not() {
    let ramp = |from: f64| (0..40).map(|it| from + f64::from(it % 7)).collect::<Vec<_>>();
    assert!(welch(&ramp(10.0), &ramp(10.0)).abs() < 0.001);
    assert!(welch(&ramp(10.0), &ramp(14.0)) < -DIFFERENT);
}

#[test]
fn a_refusal_takes_as_long_for_who_is_known_as_for_who_is_not() {
    let tries = std::env::var("ASSENT_TEST_TIMINGS").map_or(TRIES, |text| text.parse().unwrap());
    let world = World::with(|settings| settings.trusted_proxies = vec!["127.0.0.1".to_owned()]);
    let phc = password::hash("another password").unwrap();
    world.act(move |cx| {
        for account in 0..=tries / FREE {
            for name in ["known", "outside"] {
                let person = json!({"login": format!("{name}-{account}"), "name": name, "roles": ["requester"]});
                set_person::create_person(cx, person.as_object().unwrap())?;
            }
            set_person::set_password(cx, &format!("known-{account}"), &phc)?;
        }
        Ok(())
    });
    // The dummy hash for people without one is made at the first such try of a process, which takes twice as long.
    took(&world, Kind::Unknown, 60_000);
    let mut times: [Vec<f64>; KINDS.len()] = Default::default();
    for number in 0..tries {
        // All kinds in each round, each time another one first: other load of the machine affects them alike.
        for place in 0..KINDS.len() {
            let chosen = (place + number * 3) % KINDS.len();
            times[chosen].push(took(&world, KINDS[chosen], number));
        }
    }
    let known = &times[0];
    for (kind, times) in KINDS.iter().zip(&times).skip(1) {
        let t = welch(known, times);
        println!(
            "{kind:?}: {:.2} ms beside {:.2} ms, t = {t:.2} over {tries} tries each",
            mean(times),
            mean(known)
        );
        if *kind == Kind::Malformed {
            assert!(t > DIFFERENT, "the measure sees nothing: t = {t}");
        } else {
            assert!(t.abs() < DIFFERENT, "{kind:?} is told apart: t = {t}");
        }
    }
}
