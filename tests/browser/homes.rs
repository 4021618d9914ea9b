//! The rules of the roles' home pages: a vendor's own targets alone, figures with a table of the same values, undo until a
//! permit rests on the decision, the tour, names in comments that reach people, and the card in print.

use std::collections::BTreeSet;

use serde_json::json;
use tests::browser::Look;
use tests::journey;

use crate::desk::Desk;

/// The longest text of a decision card, so that it is read in half a minute.
const MOST_WORDS: i64 = 120;

#[test]
fn a_vendor_at_home_sees_their_own_targets_and_nothing_of_what_others_do() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let login = desk.server.person("vendor")["login"].clone();
    let mut request = journey::request(
        "Swap the label printers",
        &journey::artifact(301),
        desk.server.server_time(),
    );
    request["implementers"] = json!([login]);
    let made = desk.api("requester", "POST", "/changes", request);
    let key = made["key"].as_str().unwrap();
    let incident =
        |service: &str| json!({"title": format!("Trouble with {service}"), "severity": 3, "services": [service]});
    desk.api("change_manager", "POST", "/incidents", incident("invoicing"));
    desk.api("change_manager", "POST", "/incidents", incident(journey::SERVICE));
    desk.sign_in("vendor");
    browser.wait_for_words("Your targets");
    let told = browser.text("main");
    assert!(told.contains("label-print, production") && told.contains(key), "{told}");
    assert!(told.contains("Trouble with label-print"), "{told}");
    assert!(!told.contains("Trouble with invoicing"), "{told}");
    let keys: BTreeSet<&str> = told
        .split_whitespace()
        .filter(|word| word.starts_with("CHG-"))
        .collect();
    assert_eq!(keys, BTreeSet::from([key]), "{told}");
    for look in [Look::NARROW_DARK, Look::DESK] {
        browser.look(look);
        browser.picture(&format!("journeys/vendor-home-{}", look.name()), true);
    }
}

#[test]
fn an_executive_reads_four_figures_and_the_table_says_the_same() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("executive");
    browser.wait_for_words("The last 30 days, and twelve weeks");
    // Each chart describes its points, which are the column of the table below it.
    let script = "const charts = [...document.querySelectorAll('#figures .figures svg[role=img]')];
        const rows = [...document.querySelectorAll('#figures .figures + details tbody tr')];
        const told = charts.map((one) => one.getAttribute('aria-label').match(/\\d+/g).map(Number));
        const columns = charts.map((_, place) => rows.map((row) => Number(row.querySelectorAll('td')[place].innerText)));
        return [told, columns];";
    browser.click("#figures details summary");
    let both = browser.run(script, &[]);
    let (told, columns) = (both[0].as_array().unwrap(), both[1].as_array().unwrap());
    assert_eq!((told.len(), columns.len()), (4, 4), "{both}");
    for (chart, column) in told.iter().zip(columns) {
        let (chart, column) = (chart.as_array().unwrap(), column.as_array().unwrap());
        assert!(
            column.len() >= 12 && chart.ends_with(column),
            "the chart says {chart:?}, the table {column:?}"
        );
    }
    browser.picture("journeys/executive-figures", true);
    browser.look(Look::PHONE);
    assert!(
        desk.too_wide() <= 0,
        "the opened table is {} pixels too wide",
        desk.too_wide()
    );
}

#[test]
fn a_word_is_taken_back_until_a_permit_rests_on_it() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let digest = journey::artifact(302);
    let path = journey::scheduled(&desk.server, "Print the new logo", &digest);
    let key = path.rsplit('/').next().unwrap();
    let ways_back = format!(
        "const row = [...document.querySelectorAll('.entries li')].find((one) =>
            one.innerText.includes('Approved') && one.innerText.includes('{key}'));
        return row ? row.querySelectorAll('form button').length : -1;"
    );
    desk.sign_in("security");
    browser.wait_for_words("What you decided");
    assert_eq!(browser.run(&ways_back, &[]), 1);
    let asked = desk.api("pipeline", "POST", "/gate-checks", journey::question(&digest));
    assert!(asked["permit"].is_string(), "{asked}");
    desk.go("/");
    browser.wait_for_words("What you decided");
    assert_eq!(browser.run(&ways_back, &[]), 0, "a permit rests on it");
    browser.picture("journeys/undo-gone", false);
}

#[test]
fn the_tour_leads_to_a_page_at_every_stop() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.click_words("a tour of Assent");
    browser.wait_for_words("A tour in ");
    let script = "return [...document.querySelectorAll('#tour .entries a')].map((one) => [one.innerText, one.getAttribute('href')]);";
    let stops = browser.run(script, &[]);
    let stops = stops.as_array().unwrap().clone();
    assert!(stops.len() >= 6, "{stops:?}");
    browser.picture("journeys/tour", false);
    for stop in stops {
        browser.go(&format!("{}{}", desk.server.url, stop[1].as_str().unwrap()));
        let heading = browser.text("h1");
        assert!(
            !heading.is_empty() && !heading.starts_with("Page not found"),
            "{stop} leads to `{heading}`"
        );
    }
}

#[test]
fn a_person_named_in_a_comment_is_told_of_it_and_nobody_else_for_an_address() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    let login = |role: &str| desk.server.person(role)["login"].as_str().unwrap().to_owned();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}?tab=comments"));
    browser.click_words("Comment");
    let text = format!(
        "(@{}), who prints at night? Not x@{}.",
        login("executive"),
        login("commander")
    );
    browser.type_into("#comments textarea", &text);
    browser.leave_by(|| browser.click("#comments form button"));
    desk.enter(browser, "commander", "/messages");
    browser.wait_for_words("Messages");
    let told = browser.text("main");
    assert!(
        !told.contains("names you in a comment"),
        "an address names nobody: {told}"
    );
    desk.enter(browser, "executive", "/messages");
    browser.wait_for_words(&format!("{key} names you in a comment"));
    browser.picture("journeys/mentioned", false);
}

#[test]
fn the_card_is_the_same_in_print_and_short_enough_for_half_a_minute() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.read("security", key);
    let card = "return document.querySelector('.decision .brief').innerText.replace(/\\s+/g, ' ').trim();";
    let shown = browser.run(card, &[]);
    let words = shown.as_str().unwrap().split(' ').count();
    assert!(i64::try_from(words).unwrap() <= MOST_WORDS, "{words} words: {shown}");
    browser.devtools("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    assert_eq!(browser.run(card, &[]), shown, "the same seven answers");
    let away = "return ['nav.side', 'header.top', '.decision .acts', '.skip'].filter((css) =>
        [...document.querySelectorAll(css)].some((one) => one.checkVisibility()));";
    assert_eq!(browser.run(away, &[]), json!([]), "what only a screen needs is gone");
    let ink = "const style = getComputedStyle(document.querySelector('.decision'));
        return [style.boxShadow, getComputedStyle(document.body).backgroundColor];";
    let ink = browser.run(ink, &[]);
    assert_eq!(ink[0], "none", "{ink}");
    browser.picture("journeys/card-printed", true);
}

#[test]
fn the_queue_shows_the_graver_first_and_of_the_same_risk_what_waits_longest() {
    let desk = Desk::open();
    // One time for all: of two that lie on both sides of a full minute the earlier would be due first.
    let now = desk.server.server_time();
    let ask = |title: &str, number: u64, level: &str| {
        let digest = journey::artifact(number);
        let mut request = journey::request(title, &digest, now);
        request["impact"]["availability"] = json!(level);
        request["complexity"] = json!(level);
        let path = journey::waiting_for_approval(&desk.server, &request, &digest);
        path.rsplit('/').next().unwrap().to_owned()
    };
    let (first, second) = (ask("First asked", 311, "low"), ask("Asked later", 312, "low"));
    let grave = ask("Asked last, and grave", 313, "high");
    desk.sign_in("security");
    desk.browser.wait_for_words("most urgent first");
    let script = "const keys = [...document.querySelectorAll('main .sections a[href*=\"/changes/CHG-\"]')]
        .map((one) => one.getAttribute('href').split('/changes/')[1].split(/[?#/]/)[0]);
        return [...arguments].map((key) => keys.indexOf(key));";
    let places = desk.browser.run(script, &[json!(grave), json!(first), json!(second)]);
    let places: Vec<i64> = places
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_i64().unwrap())
        .collect();
    assert!(
        places[0] >= 0 && places[0] < places[1] && places[1] < places[2],
        "{places:?} of {grave}, {first}, {second}"
    );
}
