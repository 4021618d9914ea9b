//! The runbook on a phone at night: one step at a time, and no tap is lost when the connection is.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::browser::Look;
use tests::journey;

use crate::desk::Desk;

/// A change under way with three steps, and its key.
pub fn under_way(desk: &Desk) -> String {
    let plan = json!([
        {"title": "Stop the old queue", "owner": "tomasz", "minutes": 3, "check": "Nothing waits in it"},
        {"title": "Start the new queue", "owner": "tomasz", "minutes": 10, "check": "The first label prints"},
        {"title": "Watch it for ten minutes", "minutes": 10},
    ]);
    under_way_by(desk, plan, 91)
}

/// A change under way with a plan, and its key.
fn under_way_by(desk: &Desk, plan: Value, build: u64) -> String {
    let digest = journey::artifact(build);
    let mut request = journey::request("Move the labels to the new queue", &digest, desk.server.server_time());
    request["plan"] = plan;
    request["implementers"] = json!(["tomasz"]);
    let path = journey::waiting_for_approval(&desk.server, &request, &digest);
    for role in ["owner", "security", "change_manager"] {
        journey::approve(&desk.server, &path, role);
    }
    let started = format!("{path}/implementation");
    desk.server
        .must("POST", &started, &desk.server.token("implementer"), Some(&json!({})));
    path.rsplit('/').next().unwrap().to_owned()
}

fn cut(desk: &Desk, is_cut: bool) {
    let conditions = json!({"offline": is_cut, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
    desk.browser.devtools("Network.enable", &json!({}));
    desk.browser.devtools("Network.emulateNetworkConditions", &conditions);
}

/// The lines of the log of actions, the oldest first: kind, step, text.
fn entries(desk: &Desk, key: &str) -> Vec<(String, i64, String)> {
    let found = desk.api(
        "implementer",
        "GET",
        &format!("/changes/{key}/implementation/entries"),
        Value::Null,
    );
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let rows = found["items"].as_array().unwrap().iter();
    rows.map(|entry| {
        (
            text(entry, "kind"),
            entry["step"].as_i64().unwrap_or(0),
            text(entry, "text"),
        )
    })
    .collect()
}

fn wait_for_entries(desk: &Desk, key: &str, count: usize) -> Vec<(String, i64, String)> {
    desk.browser.wait_for(
        "what was tapped is taken",
        "return JSON.parse(localStorage.getItem('assent.taps') || '[]').length === 0;",
    );
    let found = entries(desk, key);
    assert_eq!(found.len(), count, "{found:?}");
    found
}

#[test]
fn the_runbook_loses_no_tap_when_the_connection_is_cut() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let key = under_way(&desk);
    desk.sign_in("implementer");
    browser.look(Look::PHONE_DARK);
    desk.go(&format!("/changes/{key}/runbook"));
    browser.wait_for_words("Step 1 of 3");
    browser.wait_for_words("Roll back by");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("journeys/runbook-step", true);
    cut(&desk, true);
    browser.click("form[data-tap] button.go");
    browser.wait_for_words("Step 2 of 3");
    browser.wait_for_words("1 tap is kept on this device");
    browser.click_words("Something differs");
    browser.type_into("#differs-text", "The first label came out blank; the second was fine.");
    browser.click("details.differs form button");
    browser.click("form[data-tap] button.go");
    browser.wait_for_words("Step 3 of 3");
    browser.wait_for_words("3 taps are kept on this device");
    browser.picture("journeys/runbook-cut", true);
    assert!(
        entries(&desk, &key).is_empty(),
        "nothing went out while the connection was cut"
    );
    cut(&desk, false);
    let found = wait_for_entries(&desk, &key, 3);
    let mut told: Vec<(&str, i64)> = found.iter().map(|(kind, step, _)| (kind.as_str(), *step)).collect();
    told.sort_unstable();
    assert_eq!(told, [("deviation", 2), ("step", 1), ("step", 2)]);
    browser.wait_for_words("2 of 3 done");
    browser.wait_for_words("came out blank");
    let icons = "return [...document.querySelectorAll('main use')].every((one) => document.querySelector(one.getAttribute('href')));";
    browser.wait_for("every icon that was brought in is there", icons);

    // The response to the last tap is lost after the server has taken it: the repeated tap is the same one.
    let lose = "const real = window.fetch; let isLost = false;
        window.fetch = async (to, how) => {
            const answer = await real(to, how);
            if (how && how.method === 'POST' && !isLost) { isLost = true; throw new TypeError('the answer is lost'); }
            return answer;
        };";
    browser.run(lose, &[]);
    browser.click("form[data-tap] button.go");
    wait_for_entries(&desk, &key, 4);
    browser.wait_for_words("Every step is done");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("journeys/runbook-done", true);
    browser.click_words("Record the outcome");
    browser.wait_for_words("What you can do now");
}

#[test]
fn the_runbook_works_without_a_script_and_at_320_pixels() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let key = under_way(&desk);
    desk.sign_in("implementer");
    browser.set_scripts(false);
    desk.go(&format!("/changes/{key}/runbook"));
    for look in [Look::NARROW_DARK, Look::NARROW, Look::DESK] {
        browser.look(look);
        browser.picture(&format!("journeys/runbook-{}", look.name()), true);
        assert_eq!(desk.too_wide(), 0, "{}", look.name());
    }
    browser.click_words("Done, check passed");
    browser.wait_for_words("Step 2 of 3");
    browser.click_words("Roll back now");
    browser.wait_for_words("Rolling back, step 1 of");
    browser.wait_for_words("Rolling back since");
    let (kind, _, text) = entries(&desk, &key).pop().unwrap();
    let told = (kind.as_str(), text.as_str());
    assert_eq!(told, ("rollback", "Rolling back at step 2: Start the new queue"));
    for look in [Look::NARROW_DARK, Look::DESK] {
        browser.look(look);
        browser.picture(&format!("journeys/runbook-back-{}", look.name()), true);
        assert_eq!(desk.too_wide(), 0, "{}", look.name());
    }
}

#[test]
fn a_way_back_begun_by_mistake_is_taken_back_until_a_step_of_it_is_done() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let key = under_way(&desk);
    desk.sign_in("implementer");
    browser.set_scripts(false);
    desk.go(&format!("/changes/{key}/runbook"));
    browser.leave_by(|| browser.click_words("Roll back now"));
    browser.wait_for_words("Rolling back since");
    browser.click_words("Not rolling back after all");
    desk.look_at("journeys/runbook-not-back");
    browser.type_into("details[open] [name=text]", "The wrong button, by a cold thumb.");
    browser.leave_by(|| browser.click_words("Go on with the plan"));
    browser.wait_for_words("Step 1 of 3");
    assert!(
        !browser.text("main").contains("Rolling back since"),
        "{}",
        browser.text("main")
    );
    let (kind, _, text) = entries(&desk, &key).pop().unwrap();
    assert_eq!(
        (kind.as_str(), text.as_str()),
        ("deviation", "The wrong button, by a cold thumb.")
    );
    browser.leave_by(|| browser.click_words("Roll back now"));
    browser.wait_for_words("Not rolling back after all");
    browser.leave_by(|| browser.click("form[data-done-step] button.go"));
    browser.wait_for_words("Record the outcome: rolled back");
    assert!(
        !browser.text("main").contains("Not rolling back after all"),
        "what is done stands"
    );
    let sizes = "return [...document.querySelectorAll('main a.go')].map((one) => Math.round(one.getBoundingClientRect().height));";
    let sizes = browser.run(sizes, &[]);
    assert!(sizes[0].as_i64().unwrap() >= 56, "the next step is large: {sizes}");
    // People notified of the rollback are notified of this as well.
    desk.sign_in("change_manager");
    desk.go("/messages");
    browser.wait_for_words(&format!("withdrew the start of the rollback of {key}"));
}

#[test]
fn the_way_back_is_begun_without_a_connection_and_walked_with_one() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let key = under_way(&desk);
    desk.sign_in("implementer");
    browser.look(Look::PHONE_DARK);
    desk.go(&format!("/changes/{key}/runbook"));
    browser.wait_for_words("Step 1 of 3");
    cut(&desk, true);
    browser.click_words("Roll back now");
    browser.wait_for_words("1 tap is kept on this device");
    let forward = "return [...document.querySelectorAll('form[data-done-step]')].every((one) => !one.checkVisibility())
        && document.querySelector('[data-way-back]').open;";
    browser.wait_for("nothing leads forward, and the steps back stand open", forward);
    browser.picture("journeys/runbook-back-cut", true);
    cut(&desk, false);
    browser.wait_for_words("Rolling back, step 1 of");
    browser.wait_for_words("Rolling back since");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("journeys/runbook-back", true);
    browser.click("form[data-done-step] button.go");
    browser.wait_for_words("Record the outcome: rolled back");
    browser.picture("journeys/runbook-back-done", true);
    browser.click_words("Record the outcome: rolled back");
    browser.wait_for_words("What you can do now");
    let chosen = "return document.querySelector('[name=outcome]:checked')?.value === 'rolled_back';";
    browser.wait_for("the outcome that was noted is chosen", chosen);
}

/// The large acts of a step that is ahead, in the order of the page.
const LARGE: [&str; 5] = [
    "Begin this step",
    "Done",
    "Something differs",
    "Skip this step",
    "Roll back now",
];

#[test]
fn what_is_tapped_at_night_is_large_and_the_step_s_clock_goes_on() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let key = under_way(&desk);
    desk.sign_in("implementer");
    browser.look(Look::NARROW_DARK);
    desk.go(&format!("/changes/{key}/runbook"));
    let sizes = "return [...document.querySelectorAll('.btn.big')].filter((one) => one.checkVisibility())
        .map((one) => [one.innerText, Math.round(one.getBoundingClientRect().height)]);";
    let sizes = browser.run(sizes, &[]);
    let sizes = sizes.as_array().unwrap();
    assert_eq!(sizes.len(), LARGE.len(), "these acts and no more: {sizes:?}");
    for (one, act) in sizes.iter().zip(LARGE) {
        assert!(one[0].as_str().unwrap().contains(act), "{one} is not `{act}`");
        assert!(one[1].as_i64().unwrap() >= 56, "{one} is small for a thumb");
    }
    let in_sight = browser.run(
        "const one = [...document.querySelectorAll('.clocks dt')].find((label) => label.innerText === 'Roll back by');
        const place = one.parentElement.getBoundingClientRect();
        return place.top >= 0 && place.bottom <= innerHeight;",
        &[],
    );
    assert_eq!(in_sight, true, "the latest moment to roll back stands beside the step");
    browser.run(
        "window.first = document.querySelector('[data-count]').innerText; return true;",
        &[],
    );
    browser.wait_for(
        "the clock has gone on",
        "return document.querySelector('[data-count]').innerText !== window.first;",
    );
}

#[test]
fn five_taps_and_an_undo_without_a_connection_keep_their_order_and_their_times() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let titles = ["One", "Two", "Three", "Four", "Five"];
    let plan: Vec<Value> = titles
        .iter()
        .map(|title| json!({"title": title, "minutes": 1}))
        .collect();
    let key = under_way_by(&desk, json!(plan), 92);
    desk.sign_in("implementer");
    browser.look(Look::PHONE_DARK);
    desk.go(&format!("/changes/{key}/runbook"));
    browser.wait_for_words("Step 1 of 5");
    cut(&desk, true);
    for next in ["Step 2 of 5", "Step 3 of 5", "Step 4 of 5"] {
        browser.click("form[data-done-step] button.go");
        browser.wait_for_words(next);
    }
    browser.wait_for_words("Step 3 is noted as done.");
    browser.click("form[data-undo] button");
    browser.wait_for_words("Step 3 of 5");
    browser.picture("journeys/runbook-taken-back", true);
    browser.click_words("Skip this step");
    browser.type_into("#skip-text", "It was done yesterday.");
    browser.click("details.skips form button");
    browser.wait_for_words("Step 4 of 5");
    browser.click("form[data-done-step] button.go");
    browser.wait_for_words("Step 5 of 5");
    browser.wait_for_words("6 taps are kept on this device");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    cut(&desk, false);
    let found = wait_for_entries(&desk, &key, 6);
    let steps: Vec<i64> = found.iter().map(|(_, step, _)| *step).collect();
    assert_eq!(steps, [1, 2, 3, 0, 3, 4]);
    let path = format!("/changes/{key}/implementation/entries");
    let entries = desk.api("implementer", "GET", &path, Value::Null);
    let entries = entries["items"].as_array().unwrap();
    let times = |name: &str| -> Vec<Timestamp> {
        let texts = entries.iter().map(|entry| entry[name].as_str().unwrap());
        texts.map(|text| text.parse().unwrap()).collect()
    };
    let (tapped, received) = (times("occurred_at"), times("at"));
    assert!(tapped.is_sorted() && received.is_sorted(), "{entries:?}");
    assert!(
        tapped.last() <= received.first(),
        "all were tapped before one was received"
    );
    assert_eq!(entries[3]["withdraws"], entries[2]["id"]);
    assert_eq!(
        (&entries[4]["skipped"], &entries[4]["text"]),
        (&json!(true), &json!("It was done yesterday."))
    );
    browser.wait_for_words("3 of 5 done");
}

#[test]
fn a_watch_is_ended_by_its_minutes_or_skipped() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let plan = json!([{"title": "Bring it out"}, {"title": "Look at the errors", "minutes": 10, "watch": true}, {"title": "Tell them"}]);
    let key = under_way_by(&desk, plan, 93);
    desk.sign_in("implementer");
    browser.look(Look::PHONE_DARK);
    desk.go(&format!("/changes/{key}/runbook"));
    browser.wait_for_words("Step 1 of 3");
    browser.click("form[data-done-step] button.go");
    browser.wait_for_words("Step 2 of 3");
    browser.wait_for_words("Watch until");
    browser.wait_for(
        "the watch cannot be ended yet",
        "return document.querySelector('form[data-done-step] button').disabled;",
    );
    browser.picture("journeys/runbook-watch", true);
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.set_scripts(false);
    desk.go(&format!("/changes/{key}/runbook"));
    browser.leave_by(|| browser.click("form[data-done-step] button.go"));
    browser.wait_for_words("is a watch step that lasts until");
    desk.go(&format!("/changes/{key}/runbook"));
    browser.click_words("Skip this step");
    browser.type_into("#skip-text", "The errors stayed low for an hour in staging.");
    browser.leave_by(|| browser.click("details.skips form button"));
    browser.wait_for_words("Step 3 of 3");
    browser.wait_for_words("Step 2 is noted as skipped.");
    browser.leave_by(|| browser.click_words("Take it back"));
    browser.wait_for_words("Step 2 of 3");
}
