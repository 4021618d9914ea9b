//! The improvements of a second look at the pages: text in plain language, the next step where the eye looks for it, nothing
//! past the edge of a drawing.

use serde_json::{Value, json};
use tests::browser::Look;
use tests::journey::{artifact, question, request};

use crate::desk::Desk;

/// A title that is longer than any drawing is wide.
const LONG: &str = "Bring the long expected second line with the customs reference to every label of every printer in every \
                    warehouse north of the river before the winter timetable begins";

/// How many changes a calendar draws at most.
const DRAWN: u64 = 200;

/// By how many pixels the text of a timeline reaches past its drawing, the widest of all.
const PAST: &str = "return Math.max(0, ...[...document.querySelectorAll('.bar-words > span')].map((one) => {
        const drawing = one.closest('svg').getBoundingClientRect();
        const own = one.getBoundingClientRect();
        return Math.max(own.right - drawing.right, drawing.left - own.left);
    }));";

/// Elements of a selector whose text contains another text.
fn with_words(desk: &Desk, css: &str, words: &str) -> u64 {
    let script = "const seen = [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility());
        return seen.filter((one) => one.textContent.includes(arguments[1])).length;";
    desk.browser.run(script, &[json!(css), json!(words)]).as_u64().unwrap()
}

#[test]
fn a_long_title_in_the_timeline_ends_at_the_edge_of_its_drawing() {
    let desk = Desk::open();
    let wanted = request(LONG, &artifact(9_001), desk.server.server_time());
    desk.api("requester", "POST", "/changes", wanted);
    desk.sign_in("change_manager");
    for look in [Look::TABLET, Look::DESK] {
        desk.browser.look(look);
        desk.go("/calendar?view=service");
        assert_eq!(
            with_words(&desk, ".bar-words", "customs reference"),
            1,
            "the title is drawn"
        );
        let past = desk.browser.run(PAST, &[]).as_f64().unwrap();
        assert!(past <= 1.0, "{past} px past the drawing at {}", look.name());
        assert!(desk.too_wide() <= 0, "too wide at {}", look.name());
    }
}

#[test]
fn what_is_missing_reads_as_missing_and_messages_name_what_they_are_about() {
    let (desk, change) = Desk::open_asked();
    let key = change["key"].as_str().unwrap();
    desk.read("security", key);
    let rows = "#requirements .entries > li";
    assert!(
        with_words(&desk, rows, "Your decision is missing.") > 0,
        "{}",
        desk.browser.text("#requirements")
    );
    assert!(
        with_words(&desk, rows, "The decision of ") > 0,
        "{}",
        desk.browser.text("#requirements")
    );
    assert_eq!(
        with_words(&desk, rows, "agrees to what is done"),
        0,
        "a rule's statement reads like a fact: {}",
        desk.browser.text("#requirements")
    );
    desk.go("/messages");
    let row = desk.browser.text("tbody tr:has(.sub)");
    assert!(
        with_words(&desk, "tbody .sub i", change["title"].as_str().unwrap()) > 0,
        "{row}"
    );
    let heads = desk.browser.text("thead");
    assert!(!heads.contains("Age"), "{heads}");
}

#[test]
fn words_of_the_machine_are_not_shown_to_people() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let check = desk.api("pipeline", "POST", "/gate-checks", question(&artifact(9_002)));
    desk.sign_in("change_manager");
    desk.go(&format!("/gate-checks/{}", check["id"].as_str().unwrap()));
    let facts = browser.text(".rail");
    assert!(facts.contains("To deploy") && facts.contains("Answered"), "{facts}");
    assert!(!facts.contains("settled"), "{facts}");
    desk.go("/templates");
    let states = browser.text("tbody .mark");
    assert_eq!(states, "Approved");
    desk.go("/help");
    assert_eq!(
        with_words(&desk, ".terms .sub", "bare"),
        0,
        "that is for who writes, not for who reads"
    );
    assert_eq!(with_words(&desk, ".terms .sub", "backout plan, back-out plan"), 1);
    // A label by itself begins with a capital, whatever its language; a name or a text to copy stays unchanged.
    desk.go("/changes");
    let script = "return [...document.querySelectorAll('td.own')].every((one) =>
        getComputedStyle(one, '::first-letter').textTransform === 'uppercase') && document.querySelectorAll('td.own').length > 0;";
    assert_eq!(browser.run(script, &[]), true);
    desk.sign_in("auditor");
    desk.go("/audit/sample");
    let draws = browser.text("#draws");
    assert!(
        draws.contains("The same sample again") && !draws.contains("seed="),
        "{draws}"
    );
}

#[test]
fn the_next_step_stands_once_and_where_it_is_looked_for() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let (held, draft) = (key_in(&desk, "authorizing"), key_in(&desk, "draft"));
    desk.sign_in("change_manager");
    desk.go(&format!("/changes/bulk?act=hold&key={held}&key={draft}"));
    assert_eq!(with_words(&desk, "main :is(a, button, summary)", "Put on hold"), 1);
    browser.devtools("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    desk.go(&format!("/changes/{held}"));
    assert_eq!(
        with_words(&desk, "h2", "What you can do now"),
        0,
        "paper cannot be clicked"
    );
    assert!(with_words(&desk, "h2", "Timeline") > 0, "the record is printed");
    browser.devtools("Emulation.setEmulatedMedia", &json!({"media": ""}));
    desk.sign_in("admin");
    desk.go("/policies");
    browser.click_words("Try a set");
    browser.type_into("details[open] [name=policies]", "permit (principal, action, resource);");
    browser.click_words("Try it on the last changes");
    browser.wait_for_words("own/policies.cedar:1");
    let script = "const top = (css) => document.querySelector(css).getBoundingClientRect().top;
        return top('#wrong .entries') < top('details[open] [name=policies]');";
    assert_eq!(
        browser.run(script, &[]),
        true,
        "what is wrong is read before the form that mends it"
    );
}

#[test]
fn what_a_page_leaves_out_or_has_none_of_is_said() {
    let desk = Desk::open();
    let browser = &desk.browser;
    // One more than a calendar draws, all of them within two hours.
    for number in 0..=DRAWN {
        let title = format!("Crowded {number}");
        let wanted = request(&title, &artifact(9_100 + number), desk.server.server_time());
        desk.api("requester", "POST", "/changes", wanted);
    }
    desk.sign_in("change_manager");
    desk.go("/calendar");
    let notices = browser.text("main");
    assert!(notices.contains("Not every change is shown"), "{notices}");
    assert!(notices.contains("more are in the table."), "{notices}");
    let script = "const seen = new Set();
        return [...document.querySelectorAll('.week .day')].every((day, number) =>
            [...day.querySelectorAll('.hours > .block')].every((block) => {
                const place = [number, block.offsetLeft, block.offsetTop].join();
                return !seen.has(place) && seen.add(place);
            })) && seen.size > 0;";
    assert_eq!(browser.run(script, &[]), true, "no change lies over another");
    let drawn = browser.run("return document.querySelectorAll('table tbody tr').length", &[]);
    assert_eq!(drawn, DRAWN, "the table has them all");
    desk.go("/calendar?service=invoicing");
    let notices = browser.text("main");
    assert!(!notices.contains("Not every change is shown"), "{notices}");

    let incident = json!({"title": "Labels stand still", "severity": 2, "services": ["label-print"]});
    let incident = desk.api("commander", "POST", "/incidents", incident);
    desk.go(&format!("/incidents/{}", incident["key"].as_str().unwrap()));
    let page = browser.text("main");
    assert!(
        page.contains("A change that fixes it, or that led to it, names it"),
        "{page}"
    );
}

#[test]
fn messages_stand_by_their_times_and_a_session_s_begins_with_a_capital() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("owner");
    desk.go("/messages");
    // Days as the page writes them, by how long they are ago; the demo's last year of months is clear without a year.
    let script = "const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';
        const ago = (one) => {
            const day = /^[A-Z][a-z]+ (\\d+) ([A-Z][a-z]+) /.exec(one.innerText.trim());
            return day && ((12 + new Date().getMonth() - months.indexOf(day[2]) / 3) % 12) * 31 - Number(day[1]);
        };
        return [...document.querySelectorAll('tbody td')].map(ago).filter((one) => one !== null);";
    let ago = browser.run(script, &[]);
    let ago: Vec<i64> = ago.as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).collect();
    assert!(ago.len() > 10, "{ago:?}");
    assert!(ago.is_sorted(), "{ago:?}");
    desk.go("/account");
    let session = browser.text("#sessions dt");
    assert!(session.starts_with("Today"), "{session}");
}

/// The key of some change in a state.
fn key_in(desk: &Desk, state: &str) -> String {
    let list = desk.api(
        "change_manager",
        "GET",
        &format!("/changes?limit=1&state={state}"),
        Value::Null,
    );
    list["items"][0]["key"].as_str().unwrap().to_owned()
}
