//! The home page of a board's member: its next meeting, and the items that need a decision.

use serde_json::json;
use tests::browser::Look;
use tests::faults::size;
use tests::journey;

use crate::desk::Desk;

#[test]
fn a_member_of_the_board_sees_what_wants_a_word_there_and_attends_from_home() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let login = |role: &str| desk.server.person(role)["login"].clone();
    let members: Vec<_> = ["owner", "security", "change_manager"].map(login).to_vec();
    for (key, name) in [("cab", "The change advisory board"), ("ecab", "The emergency board")] {
        let group = json!({"key": key, "name": name, "members": members});
        desk.api("admin", "PUT", &format!("/groups/{key}"), group);
    }
    let proposal = json!({"packs": ["cab"], "reason": "High risk is decided at a meeting"});
    let proposed = desk.api("admin", "POST", "/policies", proposal);
    let path = format!("/configurations/{}/activation", proposed["id"].as_str().unwrap());
    desk.api("change_manager", "POST", &path, json!({}));
    let digest = journey::artifact(611);
    let mut request = journey::request("Turn the label store around", &digest, desk.server.server_time());
    request["impact"] = json!({"data": "low", "availability": "high", "compliance": "none"});
    request["complexity"] = json!("high");
    let path = journey::waiting_for_approval(&desk.server, &request, &digest);
    let key = path.rsplit('/').next().unwrap();
    desk.sign_in("security");
    browser.wait_for_words("Before The change advisory board decides");
    let before = browser.text("#board-cab");
    assert!(before.contains("No meeting is open or planned"), "{before}");
    assert!(before.contains(key) && before.contains("High risk"), "{before}");
    let meeting = json!({"group": "cab", "title": "Tuesday’s sitting"});
    desk.api("change_manager", "POST", "/meetings", meeting);
    desk.go("/");
    browser.wait_for_words("“Tuesday’s sitting” is on");
    for look in [Look::NARROW_DARK, Look::DESK] {
        browser.look(look);
        browser.picture(&format!("journeys/board-home-{}", look.name()), true);
        let found = browser.axe();
        assert!(found.is_empty(), "{found:?}");
    }
    browser.leave_by(|| browser.click_words("Attend “Tuesday’s sitting”"));
    browser.wait_for_words("You are attending the meeting");
    let after = browser.text("#board-cab");
    assert!(
        after.contains("you are present") && after.contains("one person is present"),
        "{after}"
    );
}

/// A board of owner, security and change manager that a pack requires for changes of high risk.
fn with_board(desk: &Desk) {
    let login = |role: &str| desk.server.person(role)["login"].clone();
    let members: Vec<_> = ["owner", "security", "change_manager"].map(login).to_vec();
    for key in ["cab", "ecab"] {
        let group = json!({"key": key, "name": "The board", "members": members});
        desk.api("admin", "PUT", &format!("/groups/{key}"), group);
    }
    let proposal = json!({"packs": ["cab"], "reason": "High risk is decided at a meeting"});
    let proposed = desk.api("admin", "POST", "/policies", proposal);
    let path = format!("/configurations/{}/activation", proposed["id"].as_str().unwrap());
    desk.api("change_manager", "POST", &path, json!({}));
}

#[test]
fn items_come_before_the_board_by_keyboard_and_a_reload_loses_nothing() {
    let mut desk = Desk::open();
    let now = desk.server.server_time();
    desk.server.hold_clock(now);
    with_board(&desk);
    for number in 620..623 {
        let digest = journey::artifact(number);
        let start = now + jiff::SignedDuration::from_hours(72);
        let mut request = journey::request(&format!("Turn label store {number} around"), &digest, start);
        request["impact"] = json!({"data": "low", "availability": "high", "compliance": "none"});
        request["complexity"] = json!("high");
        journey::waiting_for_approval(&desk.server, &request, &digest);
    }
    let at = |minutes: i64| (now + jiff::SignedDuration::from_mins(minutes)).to_string();
    let meeting = json!({"group": "cab", "title": "Tuesday’s sitting", "starts_at": at(60)});
    let meeting = desk.api("change_manager", "POST", "/meetings", meeting);
    let id = meeting["id"].as_str().unwrap().to_owned();
    let chair = desk.server.person("owner")["login"].clone();
    desk.api(
        "change_manager",
        "POST",
        "/agendas",
        json!({"meeting": id, "freeze_at": at(30), "chair": chair}),
    );
    desk.api("change_manager", "POST", &format!("/agendas/{id}/freeze"), json!({}));
    desk.server.advance(61 * 60);
    desk.api("owner", "POST", &format!("/meetings/{id}/attendance"), json!({}));
    desk.sign_in("owner");
    let here = format!("/meetings/{id}");
    desk.go(&here);
    let browser = &desk.browser;
    // The demo may have changes of its own that need the board.
    let mut shown = 0;
    while shown < 20 && browser.has("[data-key=\"N\"]") {
        shown += 1;
        browser.press("n");
        browser.leave_by(|| browser.press("\u{e007}"));
        browser.wait_for(
            "a time box that counts down",
            "return document.querySelector('[data-until]') !== null",
        );
        let before = browser.text("#item h2");
        desk.go(&here);
        assert_eq!(
            browser.text("#item h2"),
            before,
            "item {shown} is still before the board"
        );
    }
    assert!(shown >= 3, "{shown} items came before the board");
    assert!(!browser.has("[data-key=\"N\"]"), "no item is left");
    browser.press("t");
    browser.leave_by(|| browser.press("\u{e007}"));
    browser.wait_for_words("of 11 minutes");
    for look in [Look::NARROW_DARK, Look::DESK] {
        browser.look(look);
        browser.picture(&format!("journeys/meeting-{}", look.name()), true);
        let found = browser.axe();
        assert!(found.is_empty(), "{found:?}");
    }
}

/// Changes of high risk that need the board, and a meeting about them that has begun, with everybody there; the keys and its id.
fn sitting(desk: &mut Desk, count: usize) -> (Vec<String>, String) {
    let now = desk.server.server_time();
    desk.server.hold_clock(now);
    with_board(desk);
    let mut keys = Vec::new();
    for number in 0..count {
        let digest = journey::artifact(700 + u64::try_from(number).unwrap());
        let start = now + jiff::SignedDuration::from_hours(72);
        let mut request = journey::request(&format!("Turn label store {number} around"), &digest, start);
        request["impact"] = json!({"data": "low", "availability": "high", "compliance": "none"});
        request["complexity"] = json!("high");
        let path = journey::waiting_for_approval(&desk.server, &request, &digest);
        keys.push(path.rsplit('/').next().unwrap().to_owned());
    }
    let at = |minutes: i64| (now + jiff::SignedDuration::from_mins(minutes)).to_string();
    let meeting = json!({"group": "cab", "title": "Tuesday’s sitting", "starts_at": at(60)});
    let meeting = desk.api("change_manager", "POST", "/meetings", meeting);
    let id = meeting["id"].as_str().unwrap().to_owned();
    let chair = desk.server.person("owner")["login"].clone();
    let agenda = json!({"meeting": id, "freeze_at": at(30), "chair": chair});
    desk.api("change_manager", "POST", "/agendas", agenda);
    desk.api("change_manager", "POST", &format!("/agendas/{id}/freeze"), json!({}));
    desk.server.advance(61 * 60);
    for role in ["owner", "security", "change_manager"] {
        desk.api(role, "POST", &format!("/meetings/{id}/attendance"), json!({}));
    }
    (keys, id)
}

/// Security approves the item that is before the board.
fn votes(desk: &Desk, key: &str, meeting: &str) {
    let change = desk.api("security", "GET", &format!("/changes/{key}"), json!(null));
    let vote = json!({"decision": "approve", "content_digest": change["content_digest"], "meeting": meeting});
    desk.api("security", "POST", &format!("/changes/{key}/approvals"), vote);
}

/// `ASSENT_TEST_AGENDA` sets the number of changes; a soak has twenty.
#[test]
fn a_meeting_is_decided_by_keyboard_and_its_minutes_verify() {
    let count = size("ASSENT_TEST_AGENDA", 3);
    let mut desk = Desk::open();
    let (keys, id) = sitting(&mut desk, count);
    desk.sign_in("owner");
    let here = format!("/meetings/{id}");
    desk.go(&here);
    let (browser, mut decided) = (&desk.browser, 0);
    while browser.has("[data-key=\"N\"]") {
        browser.press("n");
        browser.leave_by(|| browser.press("\u{e007}"));
        // The demo may have changes of its own that need the board.
        let title = browser.text("#item h2");
        let Some(key) = title
            .strip_prefix("Turn label store ")
            .and_then(|rest| rest.split(' ').next())
        else {
            continue;
        };
        votes(&desk, &keys[key.parse::<usize>().unwrap()], &id);
        if decided == count / 2 {
            desk.go(&here);
        }
        browser.press("a");
        let focused = browser.run("return document.activeElement.innerText;", &[]);
        assert!(focused.as_str().unwrap().starts_with("Approve"), "{focused}");
        browser.leave_by(|| browser.press("\u{e007}"));
        assert!(browser.url().contains(&here), "{}", browser.url());
        decided += 1;
    }
    assert_eq!(decided, count);
    let signed = desk.api("owner", "POST", &format!("/agendas/{id}/signature"), json!({}));
    assert_eq!(
        (&signed["state"], &signed["verifies"]),
        (&json!("signed"), &json!(true))
    );
    let minuted = signed["record"]["items"].as_array().unwrap();
    for key in &keys {
        let item = minuted.iter().find(|it| it["change_key"] == key.as_str()).unwrap();
        assert_eq!(
            (&item["outcome"], &item["yes"]),
            (&json!("approved"), &json!(2)),
            "{item}"
        );
    }
}
