//! People, by forms: who answers for them, and what was refused them.

use super::house;

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
    // Whoever keeps a provider sees how long what it gives lasts, and cannot leave it unsaid.
    for (days, count) in [("30", 1), ("90", 1)] {
        let field =
            |tag: &&str| tag.contains("name=\"rights_last_days\"") && tag.contains(&format!("value=\"{days}\""));
        let found: Vec<&str> = providers.body.split('<').filter(field).collect();
        assert_eq!(found.len(), count, "{found:?}");
        assert!(found.iter().all(|tag| tag.contains("required")), "{found:?}");
    }

    let act = |name: &str, pairs: &[(&str, &str)]| house.post(&marta, &format!("{people}/ingrid/{name}"), pairs);
    assert_eq!(act("manager", &[("manager", "hanne")]).status, 303);
    assert!(house.get(&marta, people).shows("Answers to"));
    let own = act("manager", &[("manager", "ingrid")]);
    assert_eq!(own.status, 422, "{own:?}");
    assert!(own.shows("Nobody is their own manager"), "{own:?}");
    assert_eq!(act("manager", &[("manager", "")]).status, 303);
    assert!(!house.get(&marta, people).shows("Answers to"));

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
