//! Tokens end, and their users are notified before.

use acts::directory::set_person;
use acts::identity::{set_token, warn_token_expiry};
use model::change::related_records::Message;
use model::directory::snapshot::Token;
use serde_json::json;
use store::{Filter, record};

use crate::world::{World, body};

const DAY: i64 = 86_400;

/// The periodic work of two servers at once: both look, then both send. Returns the findings of the first one.
fn look_round(world: &World) -> usize {
    let looked = [0, 1].map(|_| world.look(warn_token_expiry::find_ending).unwrap());
    for id in looked.concat() {
        world.system(move |cx| warn_token_expiry::notify_end(cx, &id));
    }
    looked[0].len()
}

/// The subjects of a person's notices of ends, the oldest first.
fn letters(world: &World, login: &'static str) -> Vec<String> {
    let found = world.look(move |cx| {
        let person = cx.directory()?.by_login(login).unwrap().id.clone();
        let filter = Filter::new().equals("person", person.as_str()).order_by("id");
        Ok(record::bodies::<Message>(cx.tx, &filter)?)
    });
    let about = found.unwrap().into_iter().filter(|it| it.topic == "token_ends");
    about.map(|it| it.subject).collect()
}

fn token(world: &World, name: &'static str, person: &'static str, days: Option<i64>) -> Token {
    world.by("adam", move |cx| {
        let mut asked = json!({"name": name, "person": person, "scopes": ["read"]});
        if let Some(days) = days {
            asked["expires_at"] = json!((cx.now + jiff::SignedDuration::from_secs(days * DAY)).to_string());
        }
        Ok(set_token::create_token(cx, &body(asked))?.0)
    })
}

fn world() -> World {
    let world = World::new();
    world.system(|cx| {
        let adam = body(json!({"login": "adam", "name": "Adam", "roles": ["admin"]}));
        set_person::create_person(cx, &adam).map(drop)
    });
    world
}

#[test]
fn a_token_whose_end_nobody_named_ends_in_a_year_and_its_people_are_told_five_times() {
    let world = world();
    let made = token(&world, "nightly", "pipe", None);
    let life = made.expires_at.unwrap().duration_since(made.created_at);
    assert_eq!(life.as_secs(), 365 * DAY);
    assert_eq!(look_round(&world), 0, "a year is far away");
    let mut told = Vec::new();
    for day in 0..367 {
        world.pass_seconds(DAY);
        if look_round(&world) > 0 {
            told.push(day);
            assert_eq!(look_round(&world), 0, "told once");
        }
    }
    assert_eq!(told, [304, 334, 350, 357, 363]);
    assert_eq!(
        letters(&world, "adam"),
        [
            "A token expires in 60 days: nightly",
            "A token expires in 30 days: nightly",
            "A token expires in 14 days: nightly",
            "A token expires in 7 days: nightly",
            "A token expires within a day: nightly",
        ]
    );
    assert_eq!(
        letters(&world, "pipe"),
        Vec::<String>::new(),
        "a program reads no letters"
    );
    world.assert_replays();
}

#[test]
fn a_token_that_a_program_made_for_itself_is_told_of_to_the_administrators() {
    let world = world();
    world.system(|cx| {
        let robot = body(json!({"login": "robot", "name": "Robot", "roles": ["admin", "pipeline"]}));
        set_person::create_person(cx, &robot).map(drop)
    });
    world.by("robot", |cx| {
        let end = (cx.now + jiff::SignedDuration::from_secs(20 * DAY)).to_string();
        let asked = json!({"name": "its own", "scopes": ["read"], "expires_at": end});
        set_token::create_token(cx, &body(asked)).map(drop)
    });
    world.pass_seconds(7 * DAY);
    assert_eq!(look_round(&world), 1);
    assert_eq!(letters(&world, "adam"), ["A token expires in 13 days: its own"]);
}

#[test]
fn a_short_life_a_long_silence_and_a_revocation_tell_no_more_than_is_due() {
    let world = world();
    token(&world, "for a week", "sam", Some(10));
    token(&world, "while nobody looked", "sam", Some(100));
    let gone = token(&world, "given back", "sam", Some(50));
    assert_eq!(look_round(&world), 0, "who makes it for ten days knows it");
    world.pass_seconds(4 * DAY);
    assert_eq!(look_round(&world), 1);
    assert_eq!(letters(&world, "sam"), ["A token expires in 6 days: for a week"]);
    assert_eq!(
        letters(&world, "adam"),
        letters(&world, "sam"),
        "who answers for it and for whom it speaks"
    );
    world.by("adam", move |cx| set_token::revoke_token(cx, gone.id.as_str()));
    // The server was away for three months: one letter for credentials that end soon, none for those that have ended or were
    // given back.
    world.pass_seconds(88 * DAY);
    assert_eq!(look_round(&world), 1);
    assert_eq!(
        letters(&world, "sam")[1..],
        ["A token expires in 8 days: while nobody looked"]
    );
}
