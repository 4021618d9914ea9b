//! The tabs of a change by keyboard, with the address that follows; rows of one line; their density; the content of a home page
//! without scrolling.

use serde_json::json;
use tests::browser::Look;
use tests::journey;

use crate::desk::Desk;

const RIGHT: &str = "\u{e014}";
const END: &str = "\u{e010}";

/// The name of the panel that is seen; several would be named together.
const SHOWN: &str = "return [...document.querySelectorAll('.tab-panel')].filter((one) => one.checkVisibility())
    .map((one) => one.id.replace('panel-', '')).join(' ');";

#[test]
fn arrows_move_among_tabs_and_the_address_and_the_way_back_follow() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.read("security", key);
    assert_eq!(browser.run(SHOWN, &[]), "overview");
    let seen = browser.run(
        "return document.querySelector('.decision').getBoundingClientRect().top < innerHeight / 2;",
        &[],
    );
    assert_eq!(seen, true, "what is decided stands in the upper half");
    browser.run("document.querySelector('[role=tab][aria-selected=true]').focus();", &[]);
    browser.press(RIGHT);
    assert_eq!(browser.run(SHOWN, &[]), "approvals");
    assert!(browser.url().ends_with("?tab=approvals"), "{}", browser.url());
    browser.press(END);
    assert_eq!(browser.run(SHOWN, &[]), "timeline");
    let state = "const all = [...document.querySelectorAll('[role=tablist] > [role=tab]')];
        return [all.filter((one) => one.getAttribute('aria-selected') === 'true').length, all.filter((one) => one.tabIndex === 0).length,
            all.every((one) => document.getElementById(one.getAttribute('aria-controls')).getAttribute('role') === 'tabpanel')];";
    assert_eq!(browser.run(state, &[]), json!([1, 1, true]));
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.back();
    browser.wait_for("the tab before is open", "return location.search === '?tab=approvals';");
    assert_eq!(browser.run(SHOWN, &[]), "approvals");
    // A key that decides leads to its act, wherever the reader is.
    browser.press("a");
    assert_eq!(browser.run(SHOWN, &[]), "overview");
    let focused = browser.run("return document.activeElement.innerText;", &[]);
    assert!(focused.as_str().unwrap().starts_with("Approve"), "{focused}");
    for look in [Look::DESK_DARK, Look::PHONE, Look::NARROW] {
        browser.look(look);
        desk.go(&format!("/changes/{key}?tab=plan"));
        assert_eq!(desk.too_wide(), 0, "{}", look.name());
        browser.picture(&format!("tabs/plan-{}", look.name()), true);
    }
}

#[test]
fn without_script_a_link_to_something_within_a_tab_opens_it() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.sign_in("security");
    browser.set_scripts(false);
    desk.go(&format!("/changes/{key}?tab=plan"));
    assert_eq!(browser.run(SHOWN, &[]), "plan");
    desk.go(&format!("/changes/{key}#timeline"));
    assert_eq!(browser.run(SHOWN, &[]), "timeline");
    browser.set_scripts(true);
}

#[test]
fn a_row_of_the_list_is_one_line_on_a_desk_and_closer_for_whoever_wishes_so() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    browser.look(Look::DESK);
    desk.go("/changes");
    let tallest = "return Math.max(...[...document.querySelectorAll('.lines tbody tr')].map((one) => one.getBoundingClientRect().height));";
    let before = browser.run(tallest, &[]).as_f64().unwrap();
    assert!(before > 0.0 && before < 40.0, "a row is {before} pixels high");
    assert_eq!(desk.too_wide(), 0);
    browser.picture("tabs/rows", false);
    let login = desk.server.person("requester")["login"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/people/{login}/telling");
    let wish = json!({"how": "at_once", "density": "compact"});
    let token = desk.server.token("requester");
    let (status, _) = desk
        .server
        .ask_with("PUT", &path, Some(&token), Some(&wish), &[("If-Match", "*")]);
    assert_eq!(status, 200);
    desk.go("/changes");
    let after = browser.run(tallest, &[]).as_f64().unwrap();
    assert!(after < before, "{after} is not less than {before}");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("tabs/rows-compact", false);
}

#[test]
fn a_home_answers_without_scrolling_what_is_acute_how_much_there_is_and_what_is_decided_next() {
    let (desk, _) = Desk::open_asked();
    let browser = &desk.browser;
    let incident = json!({"title": "Labels come out blank", "severity": 1, "services": [journey::SERVICE]});
    desk.api("change_manager", "POST", "/incidents", incident);
    for role in [
        "security",
        "change_manager",
        "requester",
        "implementer",
        "executive",
        "owner",
        "auditor",
        "admin",
        "commander",
    ] {
        desk.sign_in(role);
        browser.look(Look::DESK);
        desk.go("/");
        let script = "const bottom = (css) => document.querySelector(css)?.getBoundingClientRect().bottom ?? 0;
            const first = document.querySelector('main [data-card] h3, main .sections > section:not(#acute) h2');
            const isThere = (first || document.querySelector('.numbers')) !== null;
            const ends = first ? first.getBoundingClientRect().bottom : 0;
            return isThere && [bottom('h1'), bottom('#acute'), bottom('.numbers'), ends].every((at) => at <= innerHeight);";
        assert_eq!(
            browser.run(script, &[]),
            true,
            "{role} has to scroll:\n{}",
            browser.text("main")
        );
        assert!(browser.text("#acute").contains("Labels come out blank"), "{role}");
        browser.picture(&format!("tabs/home-{role}"), false);
    }
}
