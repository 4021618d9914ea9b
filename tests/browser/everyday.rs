//! Everyday work: today's tasks from home, overdue and conflicting ones, lists page by page, the calendar's bands, the meaning
//! of a term, links and watching, times in one's own zone, and a gate's result.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::journey;

use crate::desk::Desk;
use crate::runbook::under_way;

/// The most pages of a list that are turned.
const MOST_PAGES: usize = 20;

/// Clicks a link within the first element of a selector that holds a text.
fn follow(desk: &Desk, row: &str, text: &str, link: &str) {
    let script = "const [row, text, link] = arguments;
        const found = [...document.querySelectorAll(row)].find((one) => one.innerText.includes(text));
        if (!found) return `no ${row} says ${text}`;
        const target = found.querySelector(link);
        if (!target) return `no ${link} in: ${found.innerText}`;
        target.click();
        return '';";
    desk.browser.leave_by(|| {
        let said = desk.browser.run(script, &[json!(row), json!(text), json!(link)]);
        assert_eq!(said, "", "{}", desk.browser.text("main"));
    });
}

#[test]
fn an_implementer_finds_todays_work_at_home_and_goes_to_its_runbook() {
    let desk = Desk::open();
    let key = under_way(&desk);
    desk.sign_in("implementer");
    let work = desk.browser.text("#work");
    assert!(work.contains(&key) && work.contains("under way"), "{work}");
    follow(&desk, "#work li", &key, "a[href$='/runbook']");
    desk.browser.wait_for_words("Step 1 of 3");
}

#[test]
fn a_manager_reads_at_home_what_collides_by_which_way_and_what_missed_its_window() {
    let mut desk = Desk::open();
    let now = desk.server.server_time();
    let plan = |title: &str, number: u64, minutes: i64| {
        let start = now + SignedDuration::from_mins(minutes);
        let mut request = journey::request(title, &journey::artifact(number), start);
        request["planned_start"] = json!(start.to_string());
        desk.api("requester", "POST", "/changes", request)["key"].clone()
    };
    let (one, other) = (
        plan("Clean the print heads", 501, 20),
        plan("Change the paper", 502, 40),
    );
    let (one, other) = (one.as_str().unwrap(), other.as_str().unwrap());
    let missed = journey::scheduled(&desk.server, "Calibrate the scales", &journey::artifact(503));
    let missed = missed.rsplit('/').next().unwrap();
    desk.sign_in("change_manager");
    let stuck = desk.browser.text("#stuck");
    assert!(
        stuck.contains(&format!("{one} and {other} collide")) && stuck.contains("on label-print"),
        "{stuck}"
    );
    desk.server.hold_clock(now + SignedDuration::from_hours(3));
    desk.sign_in("change_manager");
    let told = desk.browser.text("main");
    let row = told.split("\n\n").find(|part| part.contains(missed));
    assert!(
        told.contains(missed) && told.contains("its window passed"),
        "{row:?} of {told}"
    );
}

#[test]
fn a_list_is_turned_page_by_page_and_each_change_stands_on_one_page_alone() {
    let desk = Desk::open();
    let browser = &desk.browser;
    for number in 0..55 {
        let draft = json!({"title": format!("Count the labels, part {number}")});
        desk.api("requester", "POST", "/changes", draft);
    }
    let all = desk.api("auditor", "GET", "/changes?limit=200", Value::Null);
    let all: BTreeSet<String> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap().to_owned())
        .collect();
    desk.sign_in("auditor");
    desk.go("/changes");
    let rows = "return [...document.querySelectorAll('tbody tr')].map((row) => row.id.replace('row-', ''));";
    let mut seen: Vec<String> = Vec::new();
    let mut pages = 0;
    loop {
        let page = browser.run(rows, &[]);
        seen.extend(
            page.as_array()
                .unwrap()
                .iter()
                .map(|key| key.as_str().unwrap().to_owned()),
        );
        pages += 1;
        assert!(pages <= MOST_PAGES, "the list never ends");
        if !browser.has(".pages a[rel=next]") {
            break;
        }
        browser.leave_by(|| browser.click(".pages a[rel=next]"));
    }
    assert!(pages > 1, "one page held all {}", seen.len());
    let once: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(
        (once.len(), &once),
        (seen.len(), &all),
        "each change once, and none missing"
    );
    // A key typed into the search leads to its change, and text to the changes that contain it.
    let key = all.iter().next().unwrap();
    browser.type_into(".find input", key);
    browser.leave_by(|| browser.press("\u{e007}"));
    assert!(browser.url().ends_with(&format!("/changes/{key}")), "{}", browser.url());
    browser.type_into(".find input", "count labels");
    browser.leave_by(|| browser.press("\u{e007}"));
    assert!(browser.url().contains("/search?q="), "{}", browser.url());
    browser.leave_by(|| browser.click_words("All matching changes as a list"));
    let titles = browser.run(
        "return [...document.querySelectorAll('tbody th')].map((one) => one.innerText);",
        &[],
    );
    let titles = titles.as_array().unwrap();
    assert!(titles.len() >= 50, "{titles:?}");
    assert!(
        titles
            .iter()
            .all(|title| title.as_str().unwrap().contains("Count the labels")),
        "{titles:?}"
    );
}

#[test]
fn the_calendar_draws_windows_and_freezes_as_bands_and_its_table_says_the_same() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let span = |title: &str, day: u8, environment: &str| {
        json!({
            "title": title, "services": [], "environments": [environment],
            "starts_at": format!("2031-03-{day:02}T10:00:00Z"), "ends_at": format!("2031-03-{day:02}T14:00:00Z"),
        })
    };
    desk.api(
        "change_manager",
        "POST",
        "/freezes",
        span("Stocktaking", 5, "production"),
    );
    desk.api(
        "change_manager",
        "POST",
        "/windows",
        span("Quiet morning", 6, "staging"),
    );
    let mut request = journey::request("Paint the lines", &journey::artifact(504), desk.server.server_time());
    request["planned_start"] = json!("2031-03-05T11:00:00Z");
    request["planned_end"] = json!("2031-03-05T12:00:00Z");
    desk.api("requester", "POST", "/changes", request);
    desk.sign_in("change_manager");
    for view in ["week", "month", "service"] {
        desk.go(&format!("/calendar?view={view}&from=2031-03-03"));
        let told = browser.text("main");
        assert!(told.contains("Paint the lines"), "{view}: {told}");
        assert!(browser.has(".hatch-freeze, .chart .freeze"), "{view} draws no freeze");
        assert!(browser.has(".tint-window, .chart .window"), "{view} draws no window");
        if view != "service" {
            assert!(
                told.contains("Stocktaking") && told.contains("Quiet morning"),
                "{view}: {told}"
            );
        }
        let drawn = browser.run(
            "return new Set([...document.querySelectorAll('.block[href], .lanes svg a')].map((one) => one.getAttribute('href'))).size;",
            &[],
        );
        let rows = browser.run(
            "return new Set([...document.querySelectorAll('details.more tbody a.title')].map((one) => one.getAttribute('href'))).size;",
            &[],
        );
        assert_eq!(drawn, rows, "{view}: the table says what the picture shows");
        desk.look_at(&format!("everyday/calendar-{view}"));
    }
    desk.go("/calendar?view=day&from=2031-03-05");
    let day = browser.text("main");
    assert!(browser.has(".hatch-freeze") && browser.has(".block[href]"), "{day}");
    assert!(
        day.contains("Paint the lines") && day.contains("Stocktaking") && !day.contains("Quiet morning"),
        "{day}"
    );
    desk.look_at("everyday/calendar-day");
    desk.go("/calendar?from=2031-03-03&environment=staging");
    let told = browser.text("main");
    assert!(
        told.contains("Quiet morning") && !told.contains("Stocktaking"),
        "{told}"
    );
    assert!(!told.contains("Paint the lines"), "{told}");
    browser.leave_by(|| browser.click("a.chip.on"));
    browser.wait_for_words("Paint the lines");
}

#[test]
fn a_word_of_the_glossary_opens_its_meaning_by_keyboard_and_without_a_script() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    browser.set_scripts(false);
    desk.read("security", change["key"].as_str().unwrap());
    browser.run(
        "document.querySelector('button.term[popovertarget=g-risk]').focus();",
        &[],
    );
    browser.press("\u{e007}");
    let open = "return document.querySelector('#g-risk').matches(':popover-open') && document.querySelector('#g-risk').innerText;";
    let meaning = browser.run(open, &[]);
    assert!(
        meaning
            .as_str()
            .is_some_and(|text| text.contains("computed from impact and complexity")),
        "{meaning}"
    );
    browser.leave_by(|| browser.click("#g-risk a"));
    assert!(browser.url().ends_with("/help#w-risk"), "{}", browser.url());
}

#[test]
fn a_change_is_linked_to_another_and_watched_by_hand() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    let other = desk.api("requester", "POST", "/changes", json!({"title": "What comes after"}));
    let other = other["key"].as_str().unwrap();
    desk.read("requester", key);
    browser.click_words("Link to another");
    browser.set("#links [name=kind]", "follows_up");
    browser.type_into("#links [name=to]", other);
    browser.leave_by(|| browser.click("#links details[open] form.panel > div > button"));
    let links = browser.text("#links");
    assert!(links.contains("Follows up") && links.contains(other), "{links}");
    browser.leave_by(|| browser.click_words("Watch"));
    let me = desk.server.person("requester")["login"].clone();
    let after = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert!(
        after["watchers"].as_array().unwrap().contains(&me),
        "{}",
        after["watchers"]
    );
    assert!(
        browser.text("aside.rail").contains("Watching"),
        "{}",
        browser.text("aside.rail")
    );
}

#[test]
fn times_are_written_for_the_zone_of_who_reads() {
    let (desk, change) = Desk::open_asked();
    let key = change["key"].as_str().unwrap();
    let start: jiff::Timestamp = change["planned_start"].as_str().unwrap().parse().unwrap();
    let login = desk.server.person("executive")["login"].as_str().unwrap().to_owned();
    let path = format!("/people/{login}");
    for zone in ["Pacific/Auckland", "America/New_York"] {
        let version = desk.api("admin", "GET", &path, Value::Null)["version"].clone();
        let etag = format!("\"{version}\"");
        let (status, said) = desk.server.ask_with(
            "PATCH",
            &format!("/api/v1{path}"),
            Some(&desk.server.token("admin")),
            Some(&json!({"zone": zone})),
            &[("If-Match", &etag)],
        );
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
        desk.read("executive", key);
        let there = start.in_tz(zone).unwrap();
        let hour = there.strftime("%H:%M").to_string();
        let brief = desk.browser.text(".decision .brief");
        assert!(brief.contains(&hour), "{hour} in {zone} is not in {brief}");
        desk.go("/calendar");
        assert!(
            desk.browser.text("main").contains(zone),
            "{}",
            desk.browser.text("main")
        );
    }
}

#[test]
fn what_a_gate_said_names_what_is_open_what_is_met_and_how_to_wait() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let digest = journey::artifact(505);
    let request = journey::request("Replace the label rolls", &digest, desk.server.server_time());
    let path = journey::waiting_for_approval(&desk.server, &request, &digest);
    let key = path.rsplit('/').next().unwrap();
    let check = desk.api("pipeline", "POST", "/gate-checks", journey::question(&digest));
    desk.sign_in("implementer");
    desk.go(&format!("/gate-checks/{}", check["id"].as_str().unwrap()));
    let told = browser.text("main");
    for words in [
        "Stop",
        "label-print may not go to production",
        &format!("conditions of {key} are open"),
        "Tests in staging passed",
        "No freeze stopped it",
        "Break glass",
        "assent gate check --service label-print --environment production",
        &format!("--artifact {digest}"),
        &format!("--change {key} --wait"),
    ] {
        assert!(told.contains(words), "`{words}` is not in {told}");
    }
    assert!(!told.contains("All required approvals are given"), "{told}");
    desk.look_at("everyday/gate-stop");
    for role in ["owner", "security", "change_manager"] {
        journey::approve(&desk.server, &path, role);
    }
    let check = desk.api("pipeline", "POST", "/gate-checks", journey::question(&digest));
    desk.go(&format!("/gate-checks/{}", check["id"].as_str().unwrap()));
    let told = browser.text("main");
    assert!(
        told.contains("Go") && told.contains("All required approvals are given"),
        "{told}"
    );
    assert!(!told.contains("--wait"), "nothing has to be waited for: {told}");
    desk.look_at("everyday/gate-go");
}

#[test]
fn a_change_says_why_each_person_was_asked_and_where_in_the_log_each_entry_stands() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.sign_in("auditor");
    desk.go(&format!("/changes/{key}?tab=timeline"));
    assert_everybody_was_asked_by_a_rule(browser);
    browser.wait_for(
        "every entry has its place in the log",
        "return document.querySelectorAll('#timeline .time li').length > 2 &&
            [...document.querySelectorAll('#timeline .time li')].every((one) => one.querySelector('a.proof'));",
    );
    let script = "const one = document.querySelector('#timeline .time li');
        return [one.querySelector('a.proof').getAttribute('href'), one.querySelector('a.proof').innerText.trim(),
            one.querySelector('.meta code').innerText];";
    let newest = browser.run(script, &[]);
    browser.go(&format!("{}{}", desk.server.url, newest[0].as_str().unwrap()));
    // Its number leads to the entry's writes, and from there to its place among the others.
    let entry = browser.text("main");
    for told in [&newest[1], &newest[2]] {
        assert!(entry.contains(told.as_str().unwrap()), "{told} is not in {entry}");
    }
    assert!(entry.contains("Before") && entry.contains("After"), "{entry}");
    browser.leave_by(|| browser.click_words(newest[1].as_str().unwrap()));
    let first = browser.text(".time li");
    for told in [&newest[1], &newest[2]] {
        assert!(first.contains(told.as_str().unwrap()), "{told} is not in {first}");
    }
    // The log proves the same event at that place.
    let number: i64 = newest[1]
        .as_str()
        .unwrap()
        .replace(['#', ',', ' '], "")
        .parse()
        .unwrap();
    let events = desk.api(
        "auditor",
        "GET",
        &format!("/changes/{key}/events?limit=200"),
        Value::Null,
    );
    let event = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["index"] == number)
        .unwrap_or_else(|| panic!("{number} is not among {events}"));
    assert_eq!(event["kind"], newest[2], "{event}");
    let proof = desk.api(
        "auditor",
        "GET",
        &format!("/events/{}/proof", event["id"].as_str().unwrap()),
        Value::Null,
    );
    assert_eq!(proof["index"], number, "{proof}");
    desk.go(&format!("/changes/{key}?tab=timeline"));
    browser.leave_by(|| browser.click_words("Verify all"));
    browser.wait_for_words(&format!("The bundle of {key} is good"));
}

/// Asserts that every approver is on the change's page beside the rule that requires them.
fn assert_everybody_was_asked_by_a_rule(browser: &Browser) {
    let asked = browser.run(
        "return [...document.querySelectorAll('#approvals .entries li')].map((one) => one.innerText).filter((one) => one.includes('is asked'));",
        &[],
    );
    let asked = asked.as_array().unwrap();
    assert!(!asked.is_empty());
    for row in asked {
        let row = row.as_str().unwrap();
        assert!(row.contains(", rule base."), "{row} names no rule");
    }
    assert!(
        asked.iter().any(|row| row.as_str().unwrap().contains("Priya Raman")),
        "{asked:?}"
    );
}

#[test]
fn an_emergency_leads_to_the_incident_that_it_is_for() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let incident = json!({"title": "Labels come out blank", "severity": 1, "services": [journey::SERVICE]});
    let incident = desk.api("change_manager", "POST", "/incidents", incident);
    let incident = incident["key"].as_str().unwrap();
    let mut request = journey::request(
        "Bring the old driver back",
        &journey::artifact(506),
        desk.server.server_time(),
    );
    request["kind"] = json!("emergency");
    request["incident"] = json!(incident);
    let made = desk.api("requester", "POST", "/changes", request);
    desk.read("requester", made["key"].as_str().unwrap());
    browser.leave_by(|| browser.click(&format!("aside.rail a[href$='/incidents/{incident}']")));
    browser.wait_for_words("Labels come out blank");
    assert!(
        browser.text("main").contains(made["key"].as_str().unwrap()),
        "the incident names its change: {}",
        browser.text("main")
    );
}
