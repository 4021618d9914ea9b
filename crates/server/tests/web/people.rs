//! People, by forms: their managers, and their refused rights.

use acts::directory::set_person;
use model::change::change_file::Actor;
use serde_json::json;
use store::{Lane, Mode};

use super::{TENANT, house, object};

#[test]
fn the_page_of_people_names_managers_and_what_was_refused() {
    let house = house("people");
    let marta = house.sign_in("marta");
    let people = "/t/halden/people";
    let provider = [
        ("key", "corp"),
        ("name", "Corp"),
        ("issuer", "https://id.example"),
        ("client_id", "assent"),
        ("login_claim", "sub"),
        ("groups_claim", "groups"),
        ("roles", "ops=implementer"),
        ("rights_last_days", "30"),
    ];
    let set = house.post(&marta, "/t/halden/identity-providers", &provider);
    assert_eq!(set.status, 303, "{set:?}");
    let providers = house.get(&marta, "/t/halden/identity-providers");
    assert!(providers.shows("30 days after a sign-in"), "{providers:?}");
    // The keeper of a provider sees how long its rights last, and cannot leave the duration empty.
    for (days, count) in [("30", 1), ("90", 1)] {
        let field =
            |tag: &&str| tag.contains("name=\"rights_last_days\"") && tag.contains(&format!("value=\"{days}\""));
        let found: Vec<&str> = providers.body.split('<').filter(field).collect();
        assert_eq!(found.len(), count, "{found:?}");
        assert!(found.iter().all(|tag| tag.contains("required")), "{found:?}");
    }

    let act = |name: &str, pairs: &[(&str, &str)]| house.post(&marta, &format!("{people}/ingrid/{name}"), pairs);
    assert_eq!(act("manager", &[("manager", "hanne")]).status, 303);
    assert!(house.get(&marta, people).shows("Reports to"));
    let own = act("manager", &[("manager", "ingrid")]);
    assert_eq!(own.status, 422, "{own:?}");
    assert!(own.shows("A person cannot be their own manager"), "{own:?}");
    assert_eq!(act("manager", &[("manager", "")]).status, 303);
    assert!(!house.get(&marta, people).shows("Reports to"));

    let refused = "Refused by";
    assert!(!house.get(&marta, people).shows(refused));
    assert_eq!(act("roles", &[("roles", "requester")]).status, 303);
    let page = house.get(&marta, people);
    assert!(page.shows(refused), "{page:?}");
    assert_eq!(
        act("roles", &[("roles", "requester"), ("roles", "implementer")]).status,
        303
    );
    assert!(!house.get(&marta, people).shows(refused), "given again");
}

/// The list of a compromised account's grants is on its page with its acts, and is an item in the inbox until it is decided.
#[test]
fn what_a_compromised_account_gave_is_decided_on_its_page() {
    let house = house("suspended");
    let executor = house.running.state().executor();
    let eve = executor.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, |cx| {
        let words = object(json!({"login": "eve", "name": "Eve", "roles": ["admin"]}));
        Ok(set_person::create_person(cx, &words)?.id)
    });
    let eve = eve.unwrap();
    let made = executor.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, move |cx| {
        cx.actor.person = eve.clone();
        let words = object(json!({"login": "puppet", "name": "Puppet", "roles": ["requester"]}));
        set_person::create_person(cx, &words).map(drop)
    });
    made.unwrap();
    let (marta, hanne) = (house.sign_in("marta"), house.sign_in("hanne"));
    let (page, list) = ("/t/halden/people/eve", "Suspended with this account");
    assert!(!house.get(&marta, page).shows(list));
    let words = [("compromised", "true"), ("reason", "Phished.")];
    let ended = house.post(&marta, &format!("{page}/deactivation"), &words);
    assert_eq!(ended.status, 303, "{ended:?}");

    let asked = "Decide on the rights that a compromised account granted";
    assert!(house.get(&marta, "/t/halden/inbox").shows(asked));
    let shown = house.get(&marta, page);
    assert!(
        shown.shows(list) && shown.shows("Puppet") && shown.shows("End it"),
        "{shown:?}"
    );
    assert!(!house.get(&hanne, page).shows(list), "for who may decide");
    let number = shown.hidden("number");
    let word = [("number", number.as_str()), ("confirmed", "false")];
    let way = format!("{page}/suspension");
    assert_eq!(house.post(&hanne, &way, &word).status, 403);
    let done = house.post(&marta, &way, &word);
    assert_eq!((done.status, done.place()), (303, page), "{done:?}");
    let shown = house.get(&marta, page);
    assert!(shown.shows(list) && !shown.shows("End it"), "{shown:?}");
    assert_eq!(house.post(&marta, &way, &word).status, 409, "decided already");
}
