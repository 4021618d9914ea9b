//! Journeys of people, each from its beginning to its end, with a picture kept.

use serde_json::{Value, json};

use crate::desk::Desk;

/// The number of a person's actions, and the most that the journey may take.
pub struct Actions {
    most: usize,
    done: usize,
}

impl Actions {
    /// None done yet.
    pub fn at_most(most: usize) -> Self {
        Self { most, done: 0 }
    }

    /// One more: a link, a key, a click.
    pub fn take<T>(&mut self, what: &str, act: impl FnOnce() -> T) -> T {
        self.done += 1;
        assert!(
            self.done <= self.most,
            "{what} is action {} of {}",
            self.done,
            self.most
        );
        act()
    }
}

#[test]
fn a_new_approver_decides_from_mail_to_done_in_three_actions_and_takes_it_back() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    let mut actions = Actions::at_most(3);
    // The link in the mail, through the sign-in page, which remembers where it led.
    actions.take("the link", || {
        desk.enter(browser, "security", &format!("/changes/{key}"))
    });
    browser.wait_for_words("Your decision");
    browser.picture("journeys/approver-card", false);
    actions.take("the key that goes to the button", || browser.press("a"));
    let focused = browser.run("return document.activeElement.innerText;", &[]);
    assert!(focused.as_str().unwrap().starts_with("Approve"), "{focused}");
    actions.take("Enter", || browser.press("\u{e007}"));
    browser.wait_for_words("Approval recorded");
    // The back button after a decision shows no form that could decide the old text again unseen: the server judges.
    desk.go("/");
    browser.wait_for_words("What you decided");
    browser.press("u");
    let focused = browser.run("return document.activeElement.innerText;", &[]);
    assert!(focused.as_str().unwrap().starts_with("Undo"), "{focused}");
    browser.press("\u{e007}");
    browser.wait_for_words("Decision withdrawn");
    browser.picture("journeys/approver-undone", false);
    let again = desk.api("security", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(again["state"], "authorizing");
}

#[test]
fn the_queue_decides_by_keyboard_with_a_comment_and_stays_the_queue() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.sign_in("security");
    browser.wait_for(
        "the card is there",
        "return document.querySelector('[data-card]') !== null;",
    );
    browser.press("r");
    browser.wait_for(
        "the question can be typed",
        "return document.activeElement.tagName === 'TEXTAREA';",
    );
    let field = browser.run("return document.activeElement.id;", &[]);
    browser.type_into(
        &format!("#{}", field.as_str().unwrap()),
        "Who watches the queue while it drains?",
    );
    browser.press("\u{e004}");
    browser.press("\u{e007}");
    browser.wait_for_words("Returned with your question");
    assert!(browser.url().contains("/t/halden/?done="), "{}", browser.url());
    let after = desk.api("security", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(after["state"], "draft");
    browser.picture("journeys/queue-returned", false);
}

#[test]
fn a_session_that_ends_in_the_middle_of_a_form_loses_nothing() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    let text = "=cmd|' /C calc'!A0 \u{202e}evil <script>alert(1)</script> ž";
    desk.sign_in("security");
    desk.go(&format!("/changes/{key}?tab=comments"));
    browser.click_words("Comment");
    browser.set("#comments textarea", text);
    browser.forget();
    browser.click("#comments form button");
    browser.wait_for_words("what you typed is restored");
    let person = desk.server.person("security");
    browser.type_into("input[name=login]", person["login"].as_str().unwrap());
    browser.type_into("input[name=password]", "wrong");
    browser.click("form button");
    browser.wait_for("the door says no", "return document.querySelector('.error') !== null;");
    browser.fill("input[name=login]", person["login"].as_str().unwrap());
    browser.type_into("input[name=password]", person["password"].as_str().unwrap());
    browser.click("form button");
    browser.wait_for_words("What you typed is here");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("journeys/kept-form", false);
    browser.click_words("Send it now");
    browser.wait_for_words("Comment added");
    let comments = desk.api("security", "GET", &format!("/changes/{key}/comments"), Value::Null);
    let kept = comments["items"]
        .as_array()
        .unwrap()
        .iter()
        .any(|comment| comment["text"] == text);
    assert!(kept, "the comment is what was typed: {comments}");
}

#[test]
fn the_same_form_twice_and_the_back_button_decide_once() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.read("security", key);
    browser.click_words("Approve");
    browser.wait_for_words("Approval recorded");
    browser.back();
    // The page behind is current: it knows the decision, and takes another in its place.
    browser.click_words("Change your decision");
    let yes = "document.querySelector('[name=decision][value=approve]').click(); return true;";
    assert_eq!(browser.run(yes, &[]), true);
    browser.click_words("Record this decision");
    browser.wait_for(
        "an answer is there",
        "return document.querySelector('.notice') !== null;",
    );
    let login = desk.server.person("security")["login"].clone();
    let file = desk.api("security", "GET", &format!("/changes/{key}/approvals"), Value::Null);
    let standing = file["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == "standing" && one["person"] == login)
        .count();
    assert_eq!(standing, 1, "{file}");
}

#[test]
fn what_a_reader_may_not_see_is_not_there_and_nothing_hints_at_it() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    let title = change["title"].as_str().unwrap();
    desk.enter(browser, "other_requester", "/");
    browser.go(&format!("{}/t/{}/changes/{key}", desk.server.url, "halden"));
    assert!(!browser.text("body").contains(title), "{}", browser.text("body"));
    let own = desk.server.person("other_requester")["tenant"]
        .as_str()
        .unwrap()
        .to_owned();
    browser.go(&format!("{}/t/{own}/changes/{key}", desk.server.url));
    let hidden = browser.text("main");
    browser.go(&format!("{}/t/{own}/changes/CHG-999999", desk.server.url));
    assert_eq!(
        hidden.replace(key, "CHG-999999"),
        browser.text("main"),
        "absent and hidden look the same"
    );
}

#[test]
fn an_auditor_draws_a_sample_of_25_that_can_be_drawn_again_and_verifies_a_bundle() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.click_words("Draw a sample");
    browser.wait_for_words("A sample of 25");
    let keys = "return [...document.querySelectorAll('#sample th .key')].map((one) => one.innerText);";
    let drawn = browser.run(keys, &[]);
    assert_eq!(drawn.as_array().unwrap().len(), 25);
    browser.picture("journeys/auditor-sample", true);
    browser.click_words("The same sample again");
    browser.wait_for(
        "the address holds the seed",
        "return location.search.includes('seed=');",
    );
    assert_eq!(browser.run(keys, &[]), drawn, "the address alone draws the same");
    desk.go("/audit/sample?seed=another");
    assert_ne!(browser.run(keys, &[]), drawn);
    // Checked independently: the smallest digest over seed, line feed and key is the first of the sample.
    let first = browser.run(keys, &[])[0].as_str().unwrap().to_owned();
    let list = desk.api("auditor", "GET", "/changes?state=closed&limit=200", Value::Null);
    let lot = |key: &str| {
        let digest = ring::digest::digest(&ring::digest::SHA256, format!("another\n{key}").as_bytes());
        digest.as_ref().to_vec()
    };
    let all = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap().to_owned());
    assert_eq!(all.min_by_key(|key| lot(key)).unwrap(), first);
    browser.click_words(&format!("Verify {first}"));
    browser.wait_for_words(&format!("The bundle of {first} is good"));
    browser.picture("journeys/auditor-verified", true);
}

#[test]
fn the_failures_of_a_service_last_month_are_three_clicks_away() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    let mut clicks = Actions::at_most(3);
    clicks.take("the services", || browser.leave_by(|| browser.click_words("Services")));
    clicks.take("the service", || {
        browser.leave_by(|| browser.click("a[href$='/services/wms']"))
    });
    clicks.take("its failures", || {
        browser.leave_by(|| browser.click_words("Without success, last month"));
    });
    let url = browser.url();
    for part in ["service=wms", "outcome=", "ended_from=", "ended_to="] {
        assert!(url.contains(part), "{url}");
    }
    assert!(browser.has("h1"), "{}", browser.text("body"));
}

#[test]
fn the_service_desk_names_what_changed_on_a_service_in_two_clicks() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    let service = browser.text("#since-yesterday td a");
    assert!(!service.is_empty(), "{}", browser.text("main"));
    let mut clicks = Actions::at_most(2);
    clicks.take("the service", || browser.click("#since-yesterday td a"));
    browser.wait_for("the list is there", "return location.pathname.endsWith('/changes');");
    assert!(
        browser.text(".filters").contains(service.trim()),
        "{}",
        browser.text(".filters")
    );
    assert!(browser.has("tbody tr"), "the list names it");
    browser.picture("journeys/service-desk", false);
}

#[test]
fn a_time_that_collides_says_so_before_anybody_asks_for_it() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let list = desk.api(
        "change_manager",
        "GET",
        "/changes?state=scheduled&limit=50",
        Value::Null,
    );
    let items = list["items"].as_array().unwrap();
    let change = items.iter().find(|item| item["on_hold"] != true).unwrap();
    let key = change["key"].as_str().unwrap();
    desk.sign_in("change_manager");
    let day = |days: i64| {
        let at = desk.server.server_time() + jiff::SignedDuration::from_hours(24 * days);
        at.to_string()[..10].to_owned()
    };
    let (day, next) = (day(60), day(61));
    let freeze = json!({
        "title": "Stocktaking", "reason": "Counting", "starts_at": format!("{day}T10:00:00Z"),
        "ends_at": format!("{day}T14:00:00Z"), "services": [], "environments": [],
    });
    desk.api("change_manager", "POST", "/freezes", freeze);
    desk.go(&format!(
        "/calendar/propose?change={key}&planned_start={day}T12:00&planned_end={day}T13:00"
    ));
    browser.wait_for_words("Stocktaking");
    browser.picture("journeys/propose-collides", false);
    browser.click_words("A day later");
    browser.wait_for_words("No conflict with a freeze or another change");
    browser.click_words("Set these times");
    browser.wait_for(
        "the form is open",
        "return document.querySelector('details[open] form') !== null;",
    );
    browser.click("details[open] form button");
    browser.wait_for(
        "the change is there",
        &format!("return location.pathname.endsWith('/changes/{key}');"),
    );
    let after = desk.api("change_manager", "GET", &format!("/changes/{key}"), Value::Null);
    assert!(
        after["planned_start"].as_str().unwrap().starts_with(&next),
        "{}",
        after["planned_start"]
    );
}

#[test]
fn a_change_is_rejected_from_the_queue_by_key_with_the_reason_that_everyone_reads() {
    let (desk, _) = Desk::open_asked();
    let browser = &desk.browser;
    desk.sign_in("security");
    browser.wait_for(
        "the card is there",
        "return document.querySelector('[data-card]') !== null;",
    );
    let card = "return document.querySelector('[data-card] a[href*=\"/changes/CHG-\"]').getAttribute('href');";
    let href = browser.run(card, &[]);
    let key = href.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    browser.press("x");
    browser.wait_for(
        "the reason can be typed",
        "return document.activeElement.tagName === 'TEXTAREA';",
    );
    browser.press("The old printers cannot print it.");
    browser.picture("journeys/queue-rejecting", false);
    browser.press("\u{e004}");
    let last = browser.run("return document.activeElement.innerText;", &[]);
    assert_eq!(last, "Reject this change");
    browser.leave_by(|| browser.press("\u{e007}"));
    browser.wait_for_words("Rejection recorded");
    let after = desk.api("security", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(after["state"], "rejected", "{after}");
    desk.read("requester", &key);
    browser.wait_for_words("The old printers cannot print it.");
}
