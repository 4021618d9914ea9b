//! People and records are searched for wherever a form asks for one; without a script the field is plain text, which the act
//! checks. A freeze is planned with its list of hit changes, and after an act the answer has the focus.

use serde_json::{Value, json};
use tests::journey;

use crate::desk::Desk;

/// The values that a field offers.
const OFFERED: &str = "return [...document.querySelector(arguments[0]).list.options].map((one) => one.value);";
/// Whether the answer of an act has the focus.
const ON_THE_ANSWER: &str = "return document.activeElement.matches('[data-answer]');";

/// Types into a field that searches, and waits until it offers a value.
fn search(desk: &Desk, css: &str, typed: &str, wanted: &str) {
    desk.browser.fill(css, typed);
    let script = format!(
        "return [...document.querySelector({}).list.options].some((one) => one.value === {});",
        json!(css),
        json!(wanted)
    );
    desk.browser.wait_for(&format!("`{wanted}` is offered"), &script);
}

/// A board of owner and security, and the login of a person outside of it.
fn board(desk: &Desk) -> (String, String) {
    let login = |role: &str| desk.server.person(role)["login"].as_str().unwrap().to_owned();
    let group = json!({"key": "cab", "name": "The board", "members": [login("owner"), login("security")]});
    desk.api("admin", "PUT", "/groups/cab", group);
    (login("owner"), login("requester"))
}

#[test]
fn the_chair_of_a_board_is_searched_for_among_its_members() {
    let desk = Desk::open();
    let (member, other) = board(&desk);
    desk.sign_in("change_manager");
    desk.go("/boards/cab");
    desk.browser.click_words("Plan a meeting");
    let chair = "form[action$='/boards/cab/meetings'] [name=chair]";
    search(&desk, chair, &member[..2], &member);
    let offered = desk.browser.run(OFFERED, &[json!(chair)]);
    assert!(!offered.as_array().unwrap().contains(&json!(other)), "{offered}");
}

#[test]
fn without_a_script_a_chair_outside_of_the_board_is_refused_beside_the_field() {
    let desk = Desk::open();
    let (_, other) = board(&desk);
    let browser = &desk.browser;
    browser.set_scripts(false);
    desk.sign_in("change_manager");
    desk.go("/boards/cab");
    browser.click_words("Plan a meeting");
    let form = "form[action$='/boards/cab/meetings']";
    let at = |hours: i64| {
        let time = desk.server.server_time() + jiff::SignedDuration::from_hours(hours);
        time.to_string()[..16].to_owned()
    };
    browser.set(&format!("{form} [name=title]"), "Tuesday’s sitting");
    browser.set(&format!("{form} [name=starts_at]"), &at(48));
    browser.set(&format!("{form} [name=freeze_at]"), &at(40));
    browser.set(&format!("{form} [name=chair]"), &other);
    browser.leave_by(|| browser.click(&format!("{form} > div > button")));
    browser.wait_for_words("its chair is one");
    let kept = browser.run(
        "return document.querySelector(arguments[0]).value;",
        &[json!(format!("{form} [name=chair]"))],
    );
    assert_eq!(kept, other.as_str(), "what was typed is still there");
}

#[test]
fn a_link_and_the_log_search_for_records_and_for_people() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let first = desk.api("requester", "POST", "/changes", json!({"title": "What comes first"}));
    let other = desk.api(
        "requester",
        "POST",
        "/changes",
        json!({"title": "What comes zebra-striped"}),
    );
    desk.read("requester", first["key"].as_str().unwrap());
    browser.click_words("Link to another");
    search(
        &desk,
        "#links [name=to]",
        "zebra-striped",
        other["key"].as_str().unwrap(),
    );
    desk.sign_in("auditor");
    for page in ["/audit", "/audit/timeline"] {
        desk.go(page);
        let open = "document.querySelectorAll('details').forEach((one) => { one.open = true; }); return true;";
        browser.run(open, &[]);
        search(&desk, "[name=actor]", "syst", "system");
    }
}

#[test]
fn a_freeze_is_planned_with_pickers_and_the_list_of_changes_that_it_hits() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let mut hit = journey::request(
        "Print labels in the freeze",
        &journey::artifact(9_301),
        desk.server.server_time(),
    );
    let at = |days: i64| desk.server.server_time() + jiff::SignedDuration::from_hours(24 * days);
    hit["planned_start"] = json!(at(6).to_string());
    hit["planned_end"] = json!((at(6) + jiff::SignedDuration::from_hours(1)).to_string());
    let path = journey::waiting_for_approval(&desk.server, &hit, &journey::artifact(9_301));
    let key = path.rsplit('/').next().unwrap();
    desk.sign_in("change_manager");
    desk.go("/freezes");
    browser.click_words("Set a freeze");
    let field = |name: &str| format!("form[action$='/freezes'] [name={name}]");
    let field_time = |days: i64| at(days).to_string()[..16].to_owned();
    browser.fill(&field("title"), "Stocktaking");
    browser.set(&field("starts_at"), &field_time(5));
    browser.set(&field("ends_at"), &field_time(8));
    search(&desk, &field("services"), "label", journey::SERVICE);
    browser.fill(&field("services"), journey::SERVICE);
    browser.fill(&field("reason"), "The warehouse counts.");
    browser.leave_by(|| browser.click_words("Set this freeze"));
    browser.wait_for_words("Send the form again to set it");
    assert!(browser.text("main").contains(key), "{}", browser.text("main"));
    let named = |desk: &Desk| {
        let found = desk.api("change_manager", "GET", "/freezes", Value::Null);
        let rows = found["items"].as_array().unwrap().iter();
        rows.filter(|row| row["title"] == "Stocktaking").count()
    };
    assert_eq!(named(&desk), 0, "nothing is set before its hits were read");
    browser.leave_by(|| browser.click_words("Set this freeze"));
    browser.wait_for("it is set", "return location.search.includes('done=');");
    assert_eq!(named(&desk), 1);
}

#[test]
fn after_an_act_its_answer_has_the_focus_whether_it_is_done_or_refused() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.read("security", key);
    browser.leave_by(|| browser.click_words("Approve"));
    browser.wait_for_words("Approval recorded");
    assert_eq!(browser.run(ON_THE_ANSWER, &[]), true);
    desk.go(&format!("/changes/{key}?tab=comments"));
    browser.click_words("Comment");
    browser.set("#comments textarea", "The printers are ready.");
    browser.leave_by(|| browser.click("#comments form button"));
    browser.wait_for_words("Comment added");
    assert_eq!(browser.run(ON_THE_ANSWER, &[]), true);
    // A refusal takes the focus as well: a link to nothing.
    desk.go(&format!("/changes/{key}"));
    browser.click_words("Link to another");
    browser.set("#links [name=kind]", "follows_up");
    browser.fill("#links [name=to]", "CHG-999999");
    browser.leave_by(|| browser.click("#links details[open] form.panel > div > button"));
    browser.wait_for(
        "the refusal is there",
        "return document.querySelector('[data-answer]') !== null;",
    );
    assert_eq!(browser.run(ON_THE_ANSWER, &[]), true);
    let told = "return Boolean(document.querySelector('#links [name=to][aria-invalid=true]'));";
    assert_eq!(browser.run(told, &[]), true, "{}", browser.text("main"));
}
