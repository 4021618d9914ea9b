//! The page of a change in tabs, each with an address of its own, and the page of a person to which names lead.

use serde_json::json;
use tests::journey::{artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

/// The tabs that are open on a page; the others are there and hidden.
fn open(page: &str) -> Vec<String> {
    let panels = page.split("id=\"panel-").skip(1);
    let shown = panels.filter(|panel| !panel.split('>').next().unwrap().contains("hidden"));
    shown.map(|panel| panel.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn each_tab_has_an_address_and_whoever_acts_stays_in_it() {
    let place = Place::demo("tabs");
    let server = Server::start(&place, true);
    let path = scheduled(&server, "Wash the tabs", &artifact(411));
    let key = path.rsplit('/').next().unwrap();
    let reader = Session::begin(&server, "requester");
    let url = format!("/t/halden/changes/{key}");
    assert_eq!(open(&reader.get(&url).body), ["overview"]);
    for tab in ["approvals", "plan", "evidence", "risk", "work", "comments", "timeline"] {
        let page = reader.get(&format!("{url}?tab={tab}")).body;
        assert_eq!(open(&page), [tab]);
        assert!(
            page.contains("id=\"panel-overview\" hidden"),
            "all of them are on the page"
        );
        assert!(
            page.contains(&format!("?tab={tab}\" data-tab=\"{tab}\" aria-current=\"page\"")),
            "{tab}"
        );
    }
    let odd = reader
        .get(&format!("{url}?tab=%3Cscript%3Ealert(1)%3C%2Fscript%3E"))
        .body;
    assert_eq!(open(&odd), ["overview"]);
    assert!(!odd.contains("<script>alert"), "nothing of the address is on the page");
    let said = reader.form(&format!("{url}/comments"), &[("text", "Whoever says it stays here.")]);
    assert!(
        said.location.contains("?done=comments&") && said.location.ends_with("&tab=comments"),
        "{}",
        said.location
    );
    let after = reader.get(&said.location).body;
    assert_eq!(open(&after), ["comments"]);
    assert!(after.contains("Comment added."), "it says what was recorded");
    let empty = reader.form(&format!("{url}/comments"), &[("text", "")]);
    assert_eq!((empty.status, open(&empty.body)), (422, vec!["comments".to_owned()]));

    server.must(
        "POST",
        &format!("{path}/implementation"),
        &server.token("implementer"),
        Some(&json!({})),
    );
    let work = reader.get(&format!("{url}?tab=work")).body;
    assert!(
        work.contains("Planned and actual") && work.contains("later"),
        "planned beside actual"
    );
}

#[test]
fn names_lead_to_the_page_of_a_person_for_whoever_sees_more_than_their_own_services() {
    let place = Place::demo("person-page");
    let server = Server::start(&place, true);
    let path = scheduled(&server, "Wash the names", &artifact(412));
    let key = path.rsplit('/').next().unwrap();
    let login = server.person("requester")["login"].as_str().unwrap().to_owned();
    let reader = Session::begin(&server, "auditor");
    let page = reader.get(&format!("/t/halden/changes/{key}")).body;
    let address = format!("/t/halden/people/{login}");
    assert!(
        page.contains(&format!("<a class=\"who\" href=\"{address}\"")),
        "the owner’s name is a link"
    );
    let person = reader.get(&address);
    assert_eq!(person.status, 200);
    assert!(
        person.body.contains("Answers for") && person.body.contains(key),
        "with their open changes"
    );
    assert!(person.body.contains("class=\"face face-"), "their initials, drawn here");
    for nobody in ["nobody-at-all", "%3Cscript%3E", "..%2Faccount"] {
        let seen = reader.get(&format!("/t/halden/people/{nobody}"));
        assert_eq!(seen.status, 404, "{nobody}");
        assert!(!seen.body.contains("<script>alert"), "{nobody}");
    }
    // Another tenant's reader learns nothing, not even that the login is there.
    let stranger = Session::begin(&server, "other_requester");
    let seen = stranger.get(&address);
    assert!(
        seen.status == 303 && seen.location.contains("/sign-in"),
        "{} {}",
        seen.status,
        seen.location
    );
}

#[test]
fn what_harms_nobody_is_taken_back_from_where_it_was_told() {
    let place = Place::demo("taken-back");
    let server = Server::start(&place, true);
    let path = scheduled(&server, "Wash the undo", &artifact(413));
    let key = path.rsplit('/').next().unwrap();
    let reader = Session::begin(&server, "requester");
    let url = format!("/t/halden/changes/{key}");
    let watched = reader.form(&format!("{url}/watchers"), &[]);
    assert!(watched.location.contains("done=watchers"), "{}", watched.location);
    let answer = |address: &str| {
        let page = reader.get(address).body;
        let told = page.split("data-answer=\"true\"").nth(1).unwrap_or_default().to_owned();
        told.split("<nav class=\"tabs\"").next().unwrap_or_default().to_owned()
    };
    assert!(
        answer(&watched.location).contains(&format!("{url}/watchers/end")),
        "the way back stands beside it"
    );
    let forged = format!("{url}?done=watchers&seal=1.abcd");
    assert_eq!(
        answer(&forged),
        "",
        "a link that somebody made tells nothing and offers nothing"
    );
    let ended = reader.form(&format!("{url}/watchers/end"), &[]);
    assert!(answer(&ended.location).contains("Watch it again"));
}
