//! Open pages follow the acts of others, and never remove a text that is being typed.

use serde_json::{Value, json};

use crate::desk::Desk;

fn approve(desk: &Desk, role: &str, change: &Value) {
    let key = change["key"].as_str().unwrap();
    let word = json!({"decision": "approve", "content_digest": change["content_digest"]});
    desk.api(role, "POST", &format!("/changes/{key}/approvals"), word);
}

#[test]
fn an_open_page_shows_another_persons_act_and_keeps_what_is_being_typed() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    let name = "return document.querySelector('#approvals').innerText";
    desk.sign_in("owner");
    desk.go(&format!("/changes/{key}?tab=comments"));
    browser.click_words("Comment");
    browser.type_into("#comments textarea", "Half a sen");
    let before = browser.run(name, &[]);
    approve(&desk, "security", &change);
    browser.wait_for(
        "the line tells",
        "return document.querySelector('.news-line') !== null;",
    );
    browser.wait_for_words("new entr");
    assert_ne!(browser.run(name, &[]), before, "the approval stands on the page");
    let kept = browser.run("return document.querySelector('#comments textarea').value;", &[]);
    assert_eq!(kept, "Half a sen", "what was typed is still there");
    let focused = browser.run("return document.activeElement.tagName;", &[]);
    assert_eq!(focused, "TEXTAREA", "the hand is where it was");
    browser.picture("live-change", false);
}

#[test]
fn an_edit_under_the_eyes_of_an_approver_is_told_and_not_slipped_in() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.read("security", key);
    let digest = "return document.querySelector('.decision input[name=content_digest]').value;";
    let before = browser.run(digest, &[]);
    let now = desk.api("change_manager", "GET", &format!("/changes/{key}"), Value::Null);
    let version = now["version"].as_i64().unwrap();
    let edit = json!({"justification": "Another reason than the one that was read."});
    desk.edit("change_manager", key, version, &edit);
    browser.wait_for_words("It was edited while you read it");
    assert_eq!(browser.run(digest, &[]), before, "the form still names what was read");
}

#[test]
fn a_list_says_that_there_is_more_and_moves_nothing() {
    let (desk, change) = Desk::open_asked();
    desk.sign_in("change_manager");
    desk.go("/changes");
    let rows = "return document.querySelectorAll('tbody tr').length;";
    let before = desk.browser.run(rows, &[]);
    approve(&desk, "security", &change);
    desk.browser.wait_for_words("show");
    assert_eq!(desk.browser.run(rows, &[]), before);
}

#[test]
fn acts_that_follow_each_other_are_all_on_an_open_page_without_a_word_of_its_reader() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.sign_in("auditor");
    desk.go(&format!("/changes/{key}?tab=comments"));
    browser.run("window.stays = true; return true;", &[]);
    for number in 1..=7 {
        let words = format!("Comment number {number}");
        desk.api(
            "requester",
            "POST",
            &format!("/changes/{key}/comments"),
            json!({"text": words}),
        );
        browser.wait_for_words(&words);
    }
    assert_eq!(
        browser.run("return window.stays;", &[]),
        true,
        "the page is the same one"
    );
    let shown = browser.run("return document.querySelectorAll('#comments .entries li').length;", &[]);
    assert_eq!(shown, 7, "each stands there once");
}

#[test]
fn an_open_dashboard_counts_what_another_person_does_and_stays_as_it_is_read() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    desk.go("/dashboard/change_manager");
    browser.click_words("The same as a table");
    browser.run("window.stays = true; return true;", &[]);
    let row =
        "[...document.querySelectorAll('#states tbody tr')].find((it) => it.textContent.includes('Draft')).textContent";
    let before = browser.run(&format!("return {row};"), &[]);
    let opened = "return document.querySelectorAll('main details[open]').length;";
    let read = browser.run(opened, &[]);
    let draft = json!({
        "title": "Renew the spooler certificate", "targets": [{"service": "label-print", "environment": "production"}],
    });
    desk.api("requester", "POST", "/changes", draft);
    browser.wait_for("the draft is counted", &format!("return {row} !== {before};"));
    assert_eq!(browser.run(opened, &[]), read, "the table that is read stays open");
    assert_eq!(
        browser.run("return window.stays;", &[]),
        true,
        "the page is the same one"
    );
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
}

/// Waits until the page shows that the server is back, and starts it for that.
fn bring_back(desk: &mut Desk) {
    desk.server.again();
    desk.browser.wait_for_words("The server is back");
}

#[test]
fn a_page_says_that_the_server_cannot_be_reached_keeps_what_was_typed_and_goes_on() {
    let mut desk = Desk::open();
    desk.sign_in("requester");
    let path = |desk: &Desk| desk.browser.run("return location.pathname;", &[]);
    // A page that follows the news hears of it at once.
    desk.browser
        .wait_for("the stream is open", "return document.readyState === 'complete';");
    desk.server.end();
    desk.browser.wait_for_words("The server cannot be reached");
    bring_back(&mut desk);
    // A form learns of it when it stores typed input.
    desk.go("/changes/new");
    desk.server.end();
    desk.browser.type_into("[name=title]", "Half a sentence");
    desk.browser.wait_for_words("The server cannot be reached");
    assert_eq!(desk.browser.axe(), Vec::<String>::new());
    desk.browser.click(".change-form button.go[name=act]");
    desk.browser.wait_for_words("Not sent: the server cannot be reached");
    desk.browser.picture("live-cut", false);
    desk.browser.click_words("Calendar");
    assert_eq!(path(&desk), "/t/halden/changes/new", "no link leads into the void");
    bring_back(&mut desk);
    let title = desk
        .browser
        .run("return document.querySelector('[name=title]').value;", &[]);
    assert_eq!(title, "Half a sentence", "what was typed is still there");
    desk.browser.leave_by(|| desk.browser.click_words("Calendar"));
    assert_eq!(path(&desk), "/t/halden/calendar");
}

#[test]
fn a_server_that_answers_nothing_is_told_like_one_that_is_away() {
    let desk = Desk::open();
    desk.sign_in("requester");
    desk.go("/changes/new");
    desk.server.halt();
    desk.browser
        .run("dispatchEvent(new Event('offline')); return true;", &[]);
    desk.browser.wait_for_words("The server cannot be reached");
    desk.server.go_on();
    desk.browser.wait_for_words("The server is back");
}
