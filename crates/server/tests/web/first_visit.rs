//! A first sign-in: the language, the clock and the time zone of the browser are the person's from then on.

use acts::directory::set_person;
use model::change::change_file::Actor;
use serde_json::json;
use server::identity::password;
use store::{Lane, Mode};

use super::{Answer, House, SECRET, TENANT, encoded, house, object};

/// Signs in by the page, as a browser with these settings; returns the answer.
fn enter(house: &House, login: &str, (accepted, zone): (&str, &str)) -> Answer {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
        ("accept-language", accepted),
    ];
    let form = encoded(&[("login", login), ("password", SECRET), ("zone", zone)]);
    let answer = house.ask("POST", "/t/halden/sign-in", &headers, &form);
    assert_eq!(answer.status, 303, "{answer:?}");
    answer
}

/// The zone, the language and the clock of somebody's account.
fn settings(house: &House, login: &'static str) -> (String, Option<String>, Option<String>) {
    let executor = house.running.state().executor();
    let found = executor.wait(Lane::Acts, TENANT, Actor::system(), Mode::Read, move |cx| {
        let person = cx.directory()?.by_login(login).unwrap().clone();
        let telling = person.telling.unwrap_or_default();
        Ok((person.zone, telling.language, telling.clock))
    });
    found.unwrap()
}

fn add(house: &House, login: &'static str) {
    let executor = house.running.state().executor();
    let phc = password::hash(SECRET).unwrap();
    let made = executor.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, move |cx| {
        let words = object(json!({"login": login, "name": "Nia Berg", "roles": ["requester"]}));
        set_person::create_person(cx, &words)?;
        set_person::set_password(cx, login, &phc)
    });
    made.unwrap();
}

#[test]
fn a_first_sign_in_takes_the_settings_of_the_browser_and_a_later_one_does_not() {
    let house = house("first-visit");
    add(&house, "nia");
    let usual = ("UTC".to_owned(), None, None);
    enter(&house, "nia", ("en-GB,en;q=0.9", "Etc/UTC"));
    assert_eq!(settings(&house, "nia"), usual, "a usual browser sets nothing");
    let answer = enter(&house, "nia", ("de-AT,de;q=0.9", "Europe/Vienna"));
    let taken = ("Europe/Vienna".to_owned(), Some("de".to_owned()), None);
    assert_eq!(settings(&house, "nia"), taken);
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    let home = house.ask(
        "GET",
        "/t/halden/",
        &[("cookie", cookie), ("accept-language", "en")],
        "",
    );
    assert!(home.shows("<html lang=\"de\""), "{home:?}");
    enter(&house, "nia", ("en-US,en;q=0.9", "America/New_York"));
    assert_eq!(settings(&house, "nia"), taken, "they are theirs by now");
    // A zone that somebody gave the person stays; the language and the clock are the browser's.
    enter(&house, "ingrid", ("en-US,en;q=0.9", "America/New_York"));
    let twelve = ("Europe/Oslo".to_owned(), None, Some("12".to_owned()));
    assert_eq!(settings(&house, "ingrid"), twelve);
}
