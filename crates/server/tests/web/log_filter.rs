//! The filters of the log's page and of its list in the interface.

use serde_json::{Value, json};

use super::{House, house, send};

/// The kinds of the entries that a page shows, in its order.
fn kinds(house: &House, cookie: &str, query: &str) -> Vec<String> {
    let page = house.get(cookie, &format!("/t/halden/audit{query}"));
    assert_eq!(page.status, 200, "{page:?}");
    let list = page.body.split_once("id=\"entries\"").unwrap().1;
    let list = list.split_once("</section>").unwrap().0;
    let codes = list.split("<code").skip(1);
    let told = codes.filter_map(|rest| Some(rest.split_once('>')?.1.split_once('<')?.0.to_owned()));
    told.filter(|code| code.contains('.')).collect()
}

fn settled(house: &House, cookie: &str) {
    while house
        .get(cookie, "/t/halden/audit")
        .shows("waiting to be sequenced in the log")
    {
        std::thread::yield_now();
    }
}

#[test]
fn the_log_is_narrowed_to_a_kind_an_actor_a_thing_and_days() {
    let house = house("log-filters");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let form = super::change_form(&house, "draft");
    assert_eq!(send(&house, &ingrid, "/t/halden/changes", &form).status, 303);
    settled(&house, &marta);
    let all = kinds(&house, &marta, "");
    assert!(all.len() > 5, "{all:?}");
    let people = kinds(&house, &marta, "?kind=person");
    assert!(
        people.len() > 2 && people.iter().all(|it| it.starts_with("person.")),
        "{people:?}"
    );
    let one = kinds(&house, &marta, "?kind=person.created");
    assert_eq!(one, ["person.created"; 3]);
    assert_eq!(kinds(&house, &marta, "?actor=ingrid&kind=change"), ["change.created"]);
    assert_eq!(kinds(&house, &marta, "?about=booking-api"), ["service.set"]);
    assert_eq!(kinds(&house, &marta, "?about=chg-1001"), ["change.created"]);
    assert_eq!(
        kinds(&house, &marta, "?about=chg-1001&actor=hanne"),
        Vec::<String>::new()
    );
    let days = |from: &str, to: &str| kinds(&house, &marta, &format!("?from={from}&to={to}"));
    assert!(days("2000-01-01", "2000-01-02").is_empty());
    assert!(days("2000-01-01", "2999-01-02").len() > 5);
    assert!(days("2999-01-01", "2999-01-02").is_empty());
}

#[test]
fn a_filter_that_means_nothing_says_so_and_shows_nothing() {
    let house = house("log-filter-words");
    let marta = house.sign_in("marta");
    for (query, words) in [
        ("?about=no-such-thing", "is neither the key of a change"),
        ("?actor=nobody", "No person has the login"),
        ("?from=yesterday", "is not a day such as 2026-11-21"),
        ("?from=2026-11-21&to=2026-11-19", "must be later than"),
        ("?kind=%25", "is not a kind of entry"),
    ] {
        let page = house.get(&marta, &format!("/t/halden/audit{query}"));
        assert!(page.status == 200 && page.shows(words), "{query}: {page:?}");
        assert!(kinds(&house, &marta, query).is_empty(), "{query}");
    }
}

#[test]
fn pages_of_a_narrowed_log_lead_on_and_miss_nothing() {
    let house = house("log-filter-pages");
    let marta = house.sign_in("marta");
    let body = json!({"kind": "person"});
    let all = listed(&house, &marta, &body, 200);
    assert!(all.len() > 5, "{all:?}");
    let by_two = listed(&house, &marta, &body, 2);
    assert_eq!(all, by_two);
    let page = house.get(&marta, "/t/halden/audit?kind=person&actor=system");
    assert!(
        page.shows("remove this filter") && page.shows("href=\"/t/halden/audit?actor=system\""),
        "{page:?}"
    );
}

/// The indexes of all entries that fit, page by page through the interface.
fn listed(house: &House, cookie: &str, filter: &Value, limit: usize) -> Vec<i64> {
    settled(house, cookie);
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let kind = filter["kind"].as_str().unwrap();
        let answer = house.get(cookie, &format!("/api/v1/events?kind={kind}&limit={limit}{after}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.body.trim();
        let start = body.find('{').unwrap();
        let page: Value = serde_json::from_str(&body[start..=body.rfind('}').unwrap()]).unwrap();
        found.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["index"].as_i64().unwrap()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}
