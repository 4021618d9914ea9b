//! An existing freeze and window are changed manually, also by two people at once.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::browser::Look;
use tests::journey;

use crate::desk::Desk;

/// A freeze ahead, as the API returns it, with its version.
fn freeze(desk: &Desk) -> Value {
    let at = |days: i64| (desk.server.server_time() + SignedDuration::from_hours(24 * days)).to_string();
    let body = json!({
        "title": "Stocktaking", "starts_at": at(3), "ends_at": at(5), "services": [journey::SERVICE],
        "environments": [journey::ENVIRONMENT], "reason": "The warehouse counts.",
    });
    desk.api("change_manager", "POST", "/freezes", body)
}

/// Changes a span through the API as a role, from the current version.
fn edit(desk: &Desk, role: &str, path: &str, fields: &Value) {
    let version = desk.api(role, "GET", path, Value::Null)["version"].as_i64().unwrap();
    let answer = tests::caller::agent()
        .patch(format!("{}/api/v1{path}", desk.server.url))
        .header("Authorization", format!("Bearer {}", desk.server.token(role)))
        .header("Content-Type", "application/merge-patch+json")
        .header("If-Match", format!("\"{version}\""))
        .send(fields.to_string());
    assert_eq!(answer.unwrap().status(), 200);
}

/// How far down a page something begins, in pixels.
fn top(desk: &Desk, selector: &str) -> i64 {
    let script = "return Math.round(document.querySelector(arguments[0]).getBoundingClientRect().top)";
    desk.browser.run(script, &[json!(selector)]).as_i64().unwrap()
}

#[test]
fn on_a_phone_times_and_scope_of_a_freeze_stand_above_its_history() {
    let desk = Desk::open();
    let made = freeze(&desk);
    desk.sign_in("requester");
    for look in [Look::PHONE, Look::DESK] {
        desk.browser.look(look);
        desk.go(&format!("/freezes/{}", made["id"].as_str().unwrap()));
        let (facts, history, first) = (
            top(&desk, "aside.rail"),
            top(&desk, "#history"),
            top(&desk, ".sections"),
        );
        match look == Look::PHONE {
            true => assert!(facts < first, "facts at {facts}, sections at {first}"),
            false => assert_eq!(facts, first, "on a desk they stand beside it"),
        }
        assert!(first < history, "sections at {first}, history at {history}");
    }
}

#[test]
fn a_freeze_that_stands_is_moved_by_hand_and_only_by_who_may() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let made = freeze(&desk);
    let path = format!("/freezes/{}", made["id"].as_str().unwrap());
    desk.sign_in("change_manager");
    browser.set_scripts(false);
    desk.go("/freezes");
    browser.leave_by(|| browser.click_words("Change it"));
    assert!(browser.has("details[open] form.panel"), "the form stands open");
    desk.look_at("spans/freeze");
    browser.fill("[name=title]", "Stocktaking of the north");
    browser.fill("[name=services]", "no-such-service");
    browser.leave_by(|| browser.click_words("Keep these edits"));
    browser.wait_for_words("There is no service `no-such-service`");
    browser.fill("[name=services]", "");
    browser.click("[name=halt]");
    browser.leave_by(|| browser.click_words("Keep these edits"));
    let after = desk.api("change_manager", "GET", &path, Value::Null);
    assert_eq!(after["title"], "Stocktaking of the north");
    assert_eq!(after["halt"], true);
    assert!(after.get("services").is_none(), "it lies over all services: {after}");
    assert_eq!(
        after["starts_at"], made["starts_at"],
        "what nobody touched stays to the second"
    );
    assert_eq!(after["reason"], made["reason"]);
    browser.wait_for_words("changed a freeze");
    desk.sign_in("requester");
    desk.go(&path);
    browser.wait_for_words("The warehouse counts.");
    assert!(!browser.text("main").contains("Change it"));
}

#[test]
fn two_people_who_change_a_freeze_at_once_lose_no_word() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let made = freeze(&desk);
    let path = format!("/freezes/{}", made["id"].as_str().unwrap());
    desk.sign_in("change_manager");
    browser.set_scripts(false);
    desk.go(&format!("{path}?change=1"));
    browser.fill("[name=title]", "Stocktaking of the north");
    browser.fill("[name=reason]", "The warehouse in Tromsø counts.");
    let theirs = json!({"title": "Stocktaking of the south", "environments": [], "halt": true});
    edit(&desk, "change_manager", &path, &theirs);
    browser.leave_by(|| browser.click_words("Keep these edits"));
    browser.wait_for_words("edited it while you did");
    assert!(
        !browser.has("form.panel [type=radio]:checked"),
        "neither side is preselected"
    );
    let asked = browser.text("details[open] form.panel");
    assert!(asked.contains("Stocktaking of the south"), "{asked}");
    assert!(asked.contains("Stocktaking of the north"), "{asked}");
    desk.look_at("spans/two-at-once");
    let standing = desk.api("change_manager", "GET", &path, Value::Null);
    assert_eq!(standing["title"], "Stocktaking of the south", "nothing is written over");
    browser.click("[name='pick.title'][value=mine]");
    browser.leave_by(|| browser.click_words("Keep these edits"));
    let after = desk.api("change_manager", "GET", &path, Value::Null);
    assert_eq!(after["title"], "Stocktaking of the north");
    assert_eq!(
        after["reason"], "The warehouse in Tromsø counts.",
        "what only he touched is his"
    );
    assert_eq!(after["halt"], true, "what only she touched is hers");
    assert!(
        after.get("environments").is_none(),
        "and so is what she emptied: {after}"
    );
}

#[test]
fn a_window_that_stands_is_moved_by_hand() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let at = |days: i64| (desk.server.server_time() + SignedDuration::from_hours(24 * days)).to_string();
    let body = json!({
        "title": "Night of the labels", "starts_at": at(3), "ends_at": at(4), "services": [journey::SERVICE],
    });
    let made = desk.api("change_manager", "POST", "/windows", body);
    let path = format!("/windows/{}", made["id"].as_str().unwrap());
    desk.sign_in("change_manager");
    browser.set_scripts(false);
    desk.go("/windows");
    browser.leave_by(|| browser.click_words("Night of the labels"));
    browser.click_words("Change it");
    let start = browser.run("return document.querySelector('[name=starts_at]').value;", &[]);
    browser.set("[name=ends_at]", start.as_str().unwrap());
    browser.leave_by(|| browser.click_words("Keep these edits"));
    browser.wait_for_words("must lie after");
    let end = format!(
        "{}T23:00",
        &desk.api("change_manager", "GET", &path, Value::Null)["ends_at"]
            .as_str()
            .unwrap()[..10]
    );
    browser.set("[name=ends_at]", &end);
    browser.fill("[name=title]", "Night of all labels");
    browser.leave_by(|| browser.click_words("Keep these edits"));
    let after = desk.api("change_manager", "GET", &path, Value::Null);
    assert_eq!(after["title"], "Night of all labels");
    assert_ne!(after["ends_at"], made["ends_at"]);
    desk.look_at("spans/window");
}
