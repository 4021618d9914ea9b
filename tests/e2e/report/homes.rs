//! Homes: each number is the count of the list that it opens, and the changes since yesterday match the log.

use serde_json::json;
use tests::faults::eventually;
use tests::journey::{artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

/// The numbers of a home: the text of each, and the address of its list.
fn numbers(home: &str) -> Vec<(String, String)> {
    let Some(rest) = home.split("<ul class=\"numbers\"").nth(1) else {
        return Vec::new();
    };
    let list = rest.split("</ul>").next().unwrap();
    let number = |row: &str| {
        let href = row
            .split('"')
            .next()
            .unwrap()
            .replace("&amp;", "&")
            .replace("&#38;", "&");
        let count = row.split("class=\"val\">").nth(1).unwrap().split('<').next().unwrap();
        (count.to_owned(), href)
    };
    list.split("<a href=\"").skip(1).map(number).collect()
}

/// The total that a list shows.
fn count_of(list: &str, href: &str) -> String {
    if href.contains("/inbox") {
        let title = list.split("<h1>").nth(1).unwrap().split('<').next().unwrap();
        return title.split(' ').next().unwrap().replace("One", "1");
    }
    let told = list.split("<span class=\"end small muted tnum\">").nth(1).unwrap();
    let told = told.split('<').next().unwrap();
    match told.split_once(" of ") {
        Some((_, all)) => all.to_owned(),
        None => told
            .trim_start_matches("at least ")
            .split(' ')
            .next()
            .unwrap()
            .to_owned(),
    }
}

#[test]
fn each_number_of_each_home_is_the_count_of_the_list_that_it_opens() {
    let place = Place::demo("homes");
    let server = Server::start(&place, true);
    scheduled(&server, "Wash the labels", &artifact(401));
    let mut seen = 0;
    for role in [
        "requester",
        "owner",
        "security",
        "change_manager",
        "implementer",
        "executive",
        "auditor",
    ] {
        let session = Session::begin(&server, role);
        let home = session.get("/t/halden/").body;
        for (count, href) in numbers(&home) {
            let list = session.get(&href);
            assert_eq!(list.status, 200, "{role}: {href}");
            assert_eq!(
                count.trim_end_matches('+'),
                count_of(&list.body, &href),
                "{role}: {href}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} numbers on seven homes");
    let vendor = Session::begin(&server, "vendor").get("/t/halden/").body;
    assert!(
        numbers(&vendor).is_empty(),
        "a vendor is told nothing of what others do"
    );
}

#[test]
fn what_changed_since_yesterday_is_what_happened_and_not_what_was_planned() {
    let place = Place::demo("moved");
    let server = Server::start(&place, true);
    let (begun, waiting) = (
        scheduled(&server, "Begun at once", &artifact(402)),
        scheduled(&server, "Planned alone", &artifact(403)),
    );
    server.must(
        "POST",
        &format!("{begun}/implementation"),
        &server.token("implementer"),
        Some(&json!({})),
    );
    let reader = Session::begin(&server, "requester");
    let section = || {
        let home = reader.get("/t/halden/").body;
        let found = home
            .split("<section id=\"since-yesterday\">")
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        found.split("</section>").next().unwrap_or_default().to_owned()
    };
    let key = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    eventually("the log has it", || section().contains(&key(&begun)));
    assert!(section().contains("The work began"), "{}", section());
    assert!(
        !section().contains(&key(&waiting)),
        "its window is open, and nothing happened"
    );
}
