//! Changes as people write them: from nothing, after a pipeline, once more, two at once, and after a return with a question.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::journey;

use crate::desk::Desk;
use crate::journeys::Actions;

/// The controls that are in sight in the form of a change.
const IN_SIGHT: &str =
    "return [...document.querySelectorAll('.change-form :is(input:not([type=hidden]), textarea, select)')]
    .filter((one) => one.checkVisibility()).map((one) => one.name);";

/// A day and time `days` ahead, as a `datetime-local` field takes it.
fn ahead(desk: &Desk, days: i64, hour: u8) -> String {
    let day = desk.server.server_time() + SignedDuration::from_hours(24 * days);
    format!("{}T{hour:02}:00", day.to_string().split('T').next().unwrap())
}

fn key_of(desk: &Desk) -> String {
    let url = desk.browser.url();
    let path = url.split('?').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

/// A closed change of one target that went well.
fn done_well(desk: &Desk) -> Value {
    let list = desk.api(
        "requester",
        "GET",
        "/changes?state=closed&kind=normal&limit=100",
        Value::Null,
    );
    let keys = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap().to_owned());
    for key in keys {
        let change = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
        let is_single = change["targets"].as_array().is_some_and(|targets| targets.len() == 1);
        if is_single && change["outcome"] == "succeeded" && change["plan"][0]["title"].is_string() {
            return change;
        }
    }
    panic!("the demo has no change of one target that went well");
}

#[test]
fn a_requester_comes_from_nothing_to_submitted_with_nine_answers() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let known = done_well(&desk);
    let target = &known["targets"][0];
    desk.sign_in("requester");
    // From home to submitted; the attempt that is refused on the way is beside it.
    let (mut clicks, mut typed) = (Actions::at_most(8), Actions::at_most(3));
    clicks.take("the form", || browser.click_words("New change"));
    browser.wait_for_words("Nine answers are missing for the assessment");
    assert_eq!(browser.run(IN_SIGHT, &[]).as_array().unwrap().len(), 9);
    desk.look_at("journeys/requester-nine");
    let mut choose = |name: &str, value: &str| {
        clicks.take(name, || browser.set(&format!("[name='{name}']"), value));
    };
    let mut write = |name: &str, text: &str| {
        typed.take(name, || browser.type_into(&format!("[name={name}]"), text));
    };
    choose("targets.0.service", target["service"].as_str().unwrap());
    choose("targets.0.environment", target["environment"].as_str().unwrap());
    write("title", "Let the labels carry the new logo");
    write("description", "The template of the label gets another picture.");
    browser.click_words("Submit for assessment");
    browser.wait_for_words("Not submitted yet");
    desk.look_at("journeys/requester-nine-refused");
    write("justification", "Sales shows it from Monday on.");
    choose("impact.availability", "low");
    choose("complexity", "low");
    choose("planned_start", &ahead(&desk, 3, 20));
    choose("planned_end", &ahead(&desk, 3, 21));
    clicks.take("the submission", || browser.click_words("Submit for assessment"));
    browser.wait_for_words("Submitted for assessment");
    browser.wait_for_words("filled in from CHG-");
    browser.picture("journeys/requester-submitted", false);
    let made = desk.api("requester", "GET", &format!("/changes/{}", key_of(&desk)), Value::Null);
    assert_eq!(made["state"], "assessing", "{made}");
    assert!(
        made["plan"][0]["title"].is_string(),
        "the plan came from the last change like it: {made}"
    );
    assert!(
        made["labels"][0].as_str().unwrap().starts_with("plan from CHG-"),
        "{}",
        made["labels"]
    );
}

#[test]
fn what_a_pipeline_wrote_asks_for_four_answers_at_most() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let draft = json!({
        "title": "Label printer 4.2", "description": "Twelve commits since 4.1.", "owner": "ingrid",
        "targets": [{"service": journey::SERVICE, "environment": journey::ENVIRONMENT, "artifact": journey::artifact(42)}],
    });
    let made = desk.api("pipeline", "POST", "/changes", draft);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}/edit"));
    browser.wait_for_words("Four answers are missing for the assessment");
    let asked = browser.run(IN_SIGHT, &[]);
    assert_eq!(
        asked,
        json!(["justification", "complexity", "planned_start", "planned_end"])
    );
    browser.wait_for_words("reported by the pipeline");
    desk.look_at("journeys/pipeline-four");
    browser.type_into("[name=justification]", "Scanners of the new kind need it.");
    browser.set("[name=complexity]", "low");
    browser.set("[name=planned_start]", &ahead(&desk, 2, 20));
    browser.set("[name=planned_end]", &ahead(&desk, 2, 21));
    browser.click_words("Submit for assessment");
    browser.wait_for_words("Submitted for assessment");
    let after = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(after["state"], "assessing");
    assert_eq!(
        after["description"], "Twelve commits since 4.1.",
        "what the pipeline told stays"
    );
}

#[test]
fn last_months_patching_is_cloned_for_the_same_weekday_to_come() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let known = done_well(&desk);
    let key = known["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}"));
    browser.click_words("Clone");
    browser.wait_for_words(&format!("Repeat {key}"));
    assert_eq!(
        browser.run(IN_SIGHT, &[]),
        json!(["title", "planned_start", "planned_end"])
    );
    desk.look_at("journeys/clone");
    browser.click_words("Submit for assessment");
    browser.wait_for_words("Submitted for assessment");
    let made = desk.api("requester", "GET", &format!("/changes/{}", key_of(&desk)), Value::Null);
    for same in ["title", "description", "plan", "rollback_plan", "complexity"] {
        assert_eq!(made[same], known[same], "{same}");
    }
    assert_eq!(made["labels"], json!([format!("copy of {key}")]));
    assert!(
        made["targets"][0]["artifact"].is_null(),
        "the build of last month is not this month's"
    );
    let start = |change: &Value| -> jiff::Timestamp { change["planned_start"].as_str().unwrap().parse().unwrap() };
    assert!(start(&made) > desk.server.server_time());
    let days = (start(&made).as_second() - start(&known).as_second() + 43_200) / 86_400;
    assert_eq!(days % 7, 0, "the weekday is the same");
}

#[test]
fn two_people_edit_at_once_and_neither_loses_a_word() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let draft = json!({
        "title": "Move the label queue", "description": "To the new broker.", "justification": "The old one ends in March.",
        "targets": [{"service": journey::SERVICE, "environment": journey::ENVIRONMENT}], "complexity": "low",
    });
    let made = desk.api("requester", "POST", "/changes", draft);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}/edit"));
    browser.click_words("What and why");
    browser.fill("[name=title]", "Move the label queue to the broker in Oslo");
    browser.fill("[name=justification]", "The old broker ends in February.");
    let theirs =
        json!({"title": "Move the label queue at night", "description": "To the new broker, tenant by tenant."});
    desk.edit("change_manager", key, made["version"].as_i64().unwrap(), &theirs);
    browser.click_words("Keep these edits");
    browser.wait_for_words(&format!("Two of you edited {key}"));
    browser.wait_for_words("Marta Lindqvist edited it while you did");
    let both = browser.text("#both");
    assert!(both.contains("Move the label queue at night"), "{both}");
    assert!(both.contains("Move the label queue to the broker in Oslo"), "{both}");
    assert!(!browser.has("#both input:checked"), "neither side is preselected");
    desk.look_at("journeys/two-at-once");
    browser.click_words("Keep these edits");
    browser.wait_for_words("Choose which one to keep");
    browser.click_words("Mine");
    browser.click_words("Keep these edits");
    browser.wait_for_words("Edit saved");
    let after = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(after["title"], "Move the label queue to the broker in Oslo");
    assert_eq!(
        after["description"], "To the new broker, tenant by tenant.",
        "what only she touched is hers"
    );
    assert_eq!(
        after["justification"], "The old broker ends in February.",
        "what only he touched is his"
    );
}

#[test]
fn a_question_is_answered_from_home_and_the_answer_reaches_who_asked() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let digest = journey::artifact(77);
    let request = journey::request("Print two labels at once", &digest, desk.server.server_time());
    let path = journey::waiting_for_approval(&desk.server, &request, &digest);
    let key = path.rsplit('/').next().unwrap();
    let question = json!({"question": "Which printers are too old for it?"});
    desk.api("security", "POST", &format!("/changes/{key}/return"), question);
    desk.sign_in("requester");
    browser.click_words("Answer Priya Raman");
    browser.wait_for_words("returned it with a question");
    browser.click_words("Answer Priya Raman");
    browser.type_into("[name=text]", "None since the swap in May.");
    desk.look_at("journeys/answer");
    browser.click_words("Answer and submit again");
    browser.wait_for_words("Answer sent");
    let after = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(after["state"], "assessing");
    desk.enter(browser, "security", "/messages");
    browser.wait_for_words(&format!("{key} has an answer to your question"));
    browser.wait_for_words("None since the swap in May.");
    browser.picture("journeys/answer-read", false);
}

#[test]
fn a_change_manager_finds_out_why_a_change_is_stuck_in_two_clicks() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let digest = journey::artifact(78);
    let soon = desk.server.server_time() + SignedDuration::from_hours(6);
    let request = journey::request("Refresh the label fonts", &digest, soon);
    journey::waiting_for_approval(&desk.server, &request, &digest);
    desk.sign_in("change_manager");
    browser.wait_for_words("Refresh the label fonts");
    desk.look_at("journeys/manager-home");
    // The home names the change with the people it waits for; its page names the rule.
    let mut clicks = Actions::at_most(2);
    let script = "const row = [...document.querySelectorAll('#stuck li')].find((one) => one.innerText.includes('Refresh the label fonts'));
        row.querySelector('a').click(); return row.innerText;";
    let row = clicks.take("the change", || browser.run(script, &[]));
    assert!(row.as_str().unwrap().contains("waits for"), "{row}");
    browser.wait_for_words("Still to be met");
    let missing = browser.text("#requirements");
    assert!(
        missing.contains("approval") && missing.contains("Priya Raman"),
        "{missing}"
    );
    browser.picture("journeys/manager-why", false);
}

#[test]
fn a_form_is_kept_while_it_is_typed_and_forgotten_when_it_is_taken() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let kept = "return Object.keys(localStorage).filter((name) => name.startsWith('assent.draft:')).length;";
    desk.sign_in("requester");
    desk.go("/changes/new");
    browser.type_into("[name=title]", "Half a thought");
    browser.set("[name=complexity]", "medium");
    browser.wait_for(
        "it is kept",
        "return Object.values(localStorage).some((text) => text.includes('Half a thought'));",
    );
    desk.go("/changes");
    desk.go("/changes/new");
    browser.wait_for_words("is kept on this device");
    assert_eq!(
        browser.run("return document.querySelector('[name=title]').value;", &[]),
        "",
        "nothing comes back unasked"
    );
    browser.picture("journeys/draft-kept", false);
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.click_words("Put it back");
    assert_eq!(
        browser.run("return document.querySelector('[name=title]').value;", &[]),
        "Half a thought"
    );
    assert_eq!(
        browser.run("return document.querySelector('[name=complexity]').value;", &[]),
        "medium"
    );
    browser.click_words("Keep as draft");
    browser.wait_for_words("Change created");
    assert_eq!(browser.run(kept, &[]), 0, "what was taken is forgotten");
    desk.go("/changes/new");
    browser.type_into("[name=title]", "A secret plan");
    browser.wait_for(
        "it is kept",
        "return Object.values(localStorage).some((text) => text.includes('A secret plan'));",
    );
    browser.run(
        "document.querySelector(\"form[action$='/sign-out'] button\").click();",
        &[],
    );
    browser.wait_for("the door is there", "return location.pathname.endsWith('/sign-in');");
    assert_eq!(browser.run(kept, &[]), 0, "nothing stays behind for the next one");
}

#[test]
fn a_standard_change_is_written_after_its_template_which_answers_all_but_its_times() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    desk.go("/templates/restart-label-print");
    let plan = browser.text("#plan");
    for words in ["Restart node one", "check: A test label prints", "3 min"] {
        assert!(plan.contains(words), "`{words}` is not in {plan}");
    }
    browser.leave_by(|| browser.click_words("New change from this template"));
    browser.wait_for_words("Two fields to fill in; the template provides the others");
    let asked = json!(["planned_start", "planned_end"]);
    assert_eq!(browser.run(IN_SIGHT, &[]), asked);
    assert!(
        !browser.has(":is([name='complexity'], [name^='plan.'], [name='description'], [name='kind'])"),
        "what the template says is not asked again"
    );
    let given = browser.text(".later");
    for words in [
        "The spooler holds memory after two weeks.",
        "Restart node two",
        "set by the template",
    ] {
        assert!(given.contains(words), "`{words}` is not in {given}");
    }
    desk.look_at("journeys/after-template");
    browser.leave_by(|| browser.click_words("Submit as a standard change"));
    browser.wait_for_words("Not submitted yet");
    browser.wait_for_words("Two fields to fill in; the template provides the others");
    assert_eq!(browser.run(IN_SIGHT, &[]), asked, "it comes back as the same form");
    browser.set("[name=planned_start]", &ahead(&desk, 3, 20));
    browser.set("[name=planned_end]", &ahead(&desk, 3, 21));
    browser.leave_by(|| browser.click_words("Submit as a standard change"));
    browser.wait_for_words("Change created from its template");
    let made = desk.api("requester", "GET", &format!("/changes/{}", key_of(&desk)), Value::Null);
    assert_eq!(
        (&made["kind"], &made["template"]),
        (&json!("standard"), &json!("restart-label-print")),
        "{made}"
    );
    assert_eq!(made["title"], "Restart label printing");
    assert_eq!(made["targets"][0]["service"], "label-print");
    assert_eq!(made["plan"].as_array().unwrap().len(), 2);
    assert!(
        !["draft", "assessing"].contains(&made["state"].as_str().unwrap()),
        "nobody assesses what its template was assessed for: {}",
        made["state"]
    );
}

#[test]
fn what_is_wrong_with_each_answer_stands_beside_it_and_the_summary_leads_there() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    desk.go("/changes/new");
    browser.set("[name='targets.0.service']", journey::SERVICE);
    browser.set("[name='targets.0.environment']", journey::ENVIRONMENT);
    browser.type_into("[name=title]", "Half of a change");
    browser.leave_by(|| browser.click_words("Submit for assessment"));
    browser.wait_for_words("Not submitted yet");
    let focused = browser.run("return document.activeElement.hasAttribute('data-answer');", &[]);
    assert_eq!(focused, true, "the focus is on the summary");
    // Each line of the summary leads to a control that is named invalid and described by the same text.
    let script = "return [...document.querySelectorAll('.notice.stop li a')].map((link) => {
            const control = document.getElementById(link.getAttribute('href').slice(1));
            const words = (control.getAttribute('aria-describedby') || '').split(' ')
                .map((id) => document.getElementById(id)?.innerText || '').join(' ');
            const said = link.innerText.slice(link.innerText.indexOf(': ') + 2);
            return [control.name, control.getAttribute('aria-invalid') === 'true' && words.includes(said)];
        });";
    let led = browser.run(script, &[]);
    let names: Vec<&str> = led
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one[0].as_str())
        .collect();
    for name in [
        "description",
        "justification",
        "complexity",
        "planned_start",
        "planned_end",
    ] {
        assert!(names.contains(&name), "{name} is not told in {led}");
    }
    assert!(led.as_array().unwrap().iter().all(|one| one[1] == true), "{led}");
    let kept = browser.run("return document.querySelector('[name=title]').value;", &[]);
    assert_eq!(kept, "Half of a change");
}

#[test]
fn a_change_that_is_being_written_outlives_its_session_and_is_sent_whole() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    desk.go("/changes/new");
    let answers = [
        ("targets.0.service", journey::SERVICE.to_owned()),
        ("targets.0.environment", journey::ENVIRONMENT.to_owned()),
        ("title", "Written while the session ran out".to_owned()),
        (
            "description",
            "First line.\nSecond line, with „quotes“ and <b>signs</b>.".to_owned(),
        ),
        ("justification", "It took the whole afternoon.".to_owned()),
        ("impact.availability", "low".to_owned()),
        ("complexity", "low".to_owned()),
        ("planned_start", ahead(&desk, 4, 20)),
        ("planned_end", ahead(&desk, 4, 21)),
    ];
    for (name, value) in &answers {
        browser.set(&format!("[name='{name}']"), value);
    }
    browser.forget();
    browser.leave_by(|| browser.click_words("Submit for assessment"));
    browser.wait_for_words("what you typed is restored");
    // The kept input is shown by the response to the sign-in itself, at its address.
    let person = desk.server.person("requester");
    for name in ["login", "password"] {
        browser.type_into(&format!("input[name={name}]"), person[name].as_str().unwrap());
    }
    browser.leave_by(|| browser.click_words("Sign in"));
    browser.wait_for_words("What you typed is here");
    desk.look_at("journeys/kept-change");
    browser.leave_by(|| browser.click_words("Send it now"));
    browser.wait_for_words("Submitted for assessment");
    let made = desk.api("requester", "GET", &format!("/changes/{}", key_of(&desk)), Value::Null);
    assert_eq!(made["state"], "assessing");
    for (name, value) in &answers[2..5] {
        assert_eq!(made[*name], **value, "{name}");
    }
    assert_eq!(made["targets"][0]["service"], journey::SERVICE);
}

/// The values that the buttons of the times that fit send.
const OFFERED: &str = "return [...document.querySelectorAll('button[name=fit]')].map((one) => one.value).filter((one) => one !== 'look');";

fn texts(found: &Value) -> Vec<String> {
    let all = found.as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn value(desk: &Desk, name: &str) -> String {
    let script = format!("return document.querySelector('[name={name}]').value;");
    desk.browser.run(&script, &[]).as_str().unwrap().to_owned()
}

#[test]
fn times_that_fit_are_offered_and_filled_in_without_script_and_a_freeze_takes_them_away() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    browser.set_scripts(false);
    desk.go("/changes/new");
    assert!(texts(&browser.run(OFFERED, &[])).is_empty(), "nobody knows where yet");
    browser.set("[name='targets.0.service']", journey::SERVICE);
    browser.set("[name='targets.0.environment']", journey::ENVIRONMENT);
    browser.type_into("[name=title]", "Let the labels carry the new logo");
    browser.leave_by(|| browser.click_words("Find times that fit"));
    let offered = texts(&browser.run(OFFERED, &[]));
    assert!(!offered.is_empty(), "{}", browser.text("#s-answers"));
    desk.look_at("journeys/times-that-fit");
    let (start, end) = offered[0].split_once('/').unwrap();
    browser.leave_by(|| browser.click(&format!("button[value='{}']", offered[0])));
    assert_eq!(
        (value(&desk, "planned_start"), value(&desk, "planned_end")),
        (start.to_owned(), end.to_owned())
    );
    assert_eq!(value(&desk, "title"), "Let the labels carry the new logo");
    let from = desk.server.server_time();
    let freeze = json!({
        "title": "Stocktaking", "starts_at": from.to_string(),
        "ends_at": (from + SignedDuration::from_hours(24 * 60)).to_string(), "services": [journey::SERVICE],
    });
    desk.api("change_manager", "POST", "/freezes", freeze);
    browser.leave_by(|| browser.click_words("Look again"));
    assert!(
        texts(&browser.run(OFFERED, &[])).is_empty(),
        "all of them lie in the freeze"
    );
    browser.wait_for_words("No time in the next three weeks fits.");
}

#[test]
fn a_time_that_fits_is_put_into_the_form_at_once_and_collides_with_nothing() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let draft = json!({
        "title": "Label printer 4.2", "description": "Twelve commits since 4.1.", "owner": "ingrid",
        "targets": [{"service": journey::SERVICE, "environment": journey::ENVIRONMENT, "artifact": journey::artifact(43)}],
    });
    let made = desk.api("pipeline", "POST", "/changes", draft);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}/edit"));
    browser.type_into("[name=justification]", "Scanners of the new kind need it.");
    let offered = texts(&browser.run(OFFERED, &[]));
    browser.click(&format!("button[value='{}']", offered[0]));
    let (start, end) = offered[0].split_once('/').unwrap();
    assert_eq!(
        (value(&desk, "planned_start"), value(&desk, "planned_end")),
        (start.to_owned(), end.to_owned())
    );
    assert_eq!(
        value(&desk, "justification"),
        "Scanners of the new kind need it.",
        "the page stayed"
    );
    for time in offered {
        let (start, end) = time.split_once('/').unwrap();
        desk.go(&format!(
            "/calendar/propose?change={key}&planned_start={start}&planned_end={end}"
        ));
        browser.wait_for_words("No conflict with a freeze or another change");
    }
}

/// The days on which the freeze of these tests lies, ahead.
const FROZEN: (i64, i64) = (3, 12);

/// A freeze of the service of these tests, and a window of theirs behind it.
fn freeze(desk: &Desk) {
    let at = |days: i64| (desk.server.server_time() + SignedDuration::from_hours(24 * days)).to_string();
    let freeze = json!({
        "title": "Stocktaking", "starts_at": at(FROZEN.0), "ends_at": at(FROZEN.1), "services": [journey::SERVICE],
    });
    desk.api("change_manager", "POST", "/freezes", freeze);
    let window = json!({
        "title": "Night of the labels", "starts_at": at(FROZEN.1 + 1), "ends_at": at(FROZEN.1 + 2),
        "services": [journey::SERVICE],
    });
    desk.api("change_manager", "POST", "/windows", window);
}

#[test]
fn a_time_in_a_freeze_is_told_beside_the_start_without_script_and_nothing_typed_is_lost() {
    let desk = Desk::open();
    let browser = &desk.browser;
    freeze(&desk);
    desk.sign_in("requester");
    browser.set_scripts(false);
    desk.go("/changes/new");
    let (start, end) = (ahead(&desk, 6, 20), ahead(&desk, 6, 21));
    for (name, value) in [
        ("targets.0.service", journey::SERVICE),
        ("targets.0.environment", journey::ENVIRONMENT),
        ("title", "Labels carry the new logo"),
        ("planned_start", start.as_str()),
        ("planned_end", end.as_str()),
    ] {
        browser.set(&format!("[name='{name}']"), value);
    }
    // It lacks values, so it comes back; the time alone would not have stopped it.
    browser.leave_by(|| browser.click_words("Submit for assessment"));
    let beside = browser.text("#planned_start-w");
    assert!(beside.contains("The freeze “Stocktaking” lies over it"), "{beside}");
    assert!(beside.contains("The latest free time before it is"), "{beside}");
    assert!(beside.contains("the next one after it"), "{beside}");
    assert!(browser.text("#warned").contains("Its time needs a second look"));
    let described = browser.run(
        "return document.querySelector('[name=planned_start]').getAttribute('aria-describedby');",
        &[],
    );
    assert!(described.as_str().unwrap().contains("planned_start-w"), "{described}");
    assert_eq!(value(&desk, "title"), "Labels carry the new logo");
    assert_eq!(
        (value(&desk, "planned_start"), value(&desk, "planned_end")),
        (start.clone(), end)
    );
    desk.look_at("journeys/time-in-a-freeze");
    let offered = texts(&browser.run(OFFERED, &[]));
    assert!(offered[0] < start, "the last one before it comes first: {offered:?}");
    assert!(
        offered[1] > ahead(&desk, FROZEN.1 - 1, 20),
        "then the one after the freeze: {offered:?}"
    );
    browser.leave_by(|| browser.click(&format!("button[value='{}']", offered[1])));
    assert_eq!(browser.text("#planned_start-w").trim(), "", "that one is free");
    assert_eq!(browser.text("#warned").trim(), "");
}

#[test]
fn a_time_is_warned_of_while_it_is_typed_and_the_draft_is_kept_all_the_same() {
    let desk = Desk::open();
    let browser = &desk.browser;
    freeze(&desk);
    let request = json!({
        "title": "Label printer 4.2", "description": "Twelve commits since 4.1.", "owner": "ingrid",
        "targets": [{"service": journey::SERVICE, "environment": journey::ENVIRONMENT, "artifact": journey::artifact(44)}],
    });
    let made = desk.api("pipeline", "POST", "/changes", request);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}/edit"));
    assert_eq!(browser.text("#planned_start-w").trim(), "");
    browser.type_into("[name=justification]", "Scanners of the new kind need it.");
    browser.set("[name=planned_start]", &ahead(&desk, 6, 20));
    browser.set("[name=planned_end]", &ahead(&desk, 6, 21));
    browser.wait_for(
        "the freeze is told",
        "return document.querySelector('#planned_start-w').innerText.includes('The freeze “Stocktaking” lies over it');",
    );
    assert_eq!(value(&desk, "justification"), "Scanners of the new kind need it.");
    assert_eq!(value(&desk, "planned_start"), ahead(&desk, 6, 20));
    desk.look_at("journeys/time-warned-live");
    browser.leave_by(|| browser.click_words("Keep these edits"));
    let kept = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(
        kept["justification"], "Scanners of the new kind need it.",
        "a warning refuses nothing"
    );
    assert!(kept["planned_start"].is_string());
    desk.go(&format!("/changes/{key}/edit"));
    let offered = texts(&browser.run(OFFERED, &[]));
    browser.click(&format!("button[value='{}']", offered[0]));
    browser.wait_for(
        "the time that was taken is free",
        "return document.querySelector('#planned_start-w').innerText === '' && document.querySelector('#warned').innerText === '';",
    );
}

#[test]
fn another_change_on_the_same_service_is_told_beside_the_start() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let now = desk.server.server_time();
    let mut other = journey::request("Labels in two languages", &journey::artifact(45), now);
    let at = |days: i64| (now + SignedDuration::from_hours(24 * days)).to_string();
    other["planned_start"] = json!(at(3));
    other["planned_end"] = json!(at(6));
    let other = desk.api("requester", "POST", "/changes", other);
    desk.sign_in("requester");
    browser.set_scripts(false);
    desk.go("/changes/new");
    for (name, value) in [
        ("targets.0.service", journey::SERVICE.to_owned()),
        ("targets.0.environment", journey::ENVIRONMENT.to_owned()),
        ("planned_start", ahead(&desk, 4, 20)),
        ("planned_end", ahead(&desk, 4, 21)),
    ] {
        browser.set(&format!("[name='{name}']"), &value);
    }
    browser.leave_by(|| browser.click_words("Find times that fit"));
    let beside = browser.text("#planned_start-w");
    let key = other["key"].as_str().unwrap();
    let told = format!(
        "{key} is planned then too: both touch {} in {}.",
        journey::SERVICE,
        journey::ENVIRONMENT
    );
    assert!(beside.contains(&told), "{beside}");
    assert!(!beside.contains("freeze"), "{beside}");
    desk.go(&format!("/changes/{key}/edit"));
    assert!(
        !browser.text("#planned_start-w").contains(key),
        "it does not collide with itself"
    );
}
