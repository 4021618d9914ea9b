//! The page of a major incident: its commander takes command and ends the freeze by keyboard, and it fits a phone.

use serde_json::{Value, json};
use tests::browser::Look;

use crate::desk::Desk;

/// Enter.
const ENTER: &str = "\u{e007}";

/// Moves the focus to the first button or summary that reads so, as a reader of the page would by keyboard.
fn focus(desk: &Desk, words: &str) {
    let script =
        "const seen = [...document.querySelectorAll('button, summary')].filter((one) => one.checkVisibility());
        const found = seen.find((one) => one.textContent.trim() === arguments[0]);
        if (found) found.focus();
        return Boolean(found) && document.activeElement === found;";
    assert_eq!(
        desk.browser.run(script, &[json!(words)]),
        true,
        "{words} takes the focus"
    );
}

fn major(desk: &Desk) -> String {
    let wanted = json!({"title": "The warehouse stands still", "severity": 1, "services": ["wms"]});
    let made = desk.api("commander", "POST", "/incidents", wanted);
    made["key"].as_str().unwrap().to_owned()
}

#[test]
fn a_commander_takes_command_by_keyboard_and_reads_what_is_stopped() {
    let desk = Desk::open();
    let key = major(&desk);
    desk.sign_in("commander");
    desk.go(&format!("/incidents/{key}"));
    let browser = &desk.browser;
    let page = browser.text("main");
    for words in ["A major incident", "Services that are frozen", "Contacts", "Timeline"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    focus(&desk, "Take command");
    browser.leave_by(|| browser.press(ENTER));
    let shown = desk.api("commander", "GET", &format!("/incidents/{key}"), Value::Null);
    assert_eq!(shown["commander"], desk.server.person("commander")["login"]);
    let page = browser.text("main");
    for words in ["Allow one change", "Halt work under way", "End the freeze"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(browser.axe(), Vec::<String>::new());
}

#[test]
fn the_commander_s_page_fits_a_phone() {
    let desk = Desk::open();
    let key = major(&desk);
    desk.api("commander", "POST", &format!("/incidents/{key}/command"), json!({}));
    desk.sign_in("commander");
    for look in [Look::PHONE, Look::NARROW_DARK] {
        desk.browser.look(look);
        desk.go(&format!("/incidents/{key}"));
        assert!(desk.too_wide() <= 0, "too wide at {}", look.name());
        assert!(desk.browser.text("main").contains("A major incident"));
    }
}
