//! Custom fields of an organisation's changes: added manually, without a script, and then on the form of a change's author.

use serde_json::{Value, json};
use tests::browser::Look;

use crate::desk::Desk;

#[test]
fn a_field_of_ones_own_is_added_by_hand_and_asked_of_the_next_change() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/fields");
    browser.click_words("Add a field");
    browser.wait_for(
        "its form is open",
        "return document.querySelector('details[open] form.panel') !== null;",
    );
    browser.type_into("details[open] [name=key]", "Tier");
    browser.set("details[open] [name=holds]", "choice");
    browser.type_into("details[open] [name=name]", "Customer tier");
    browser.type_into("details[open] [name=choices]", "gold\nsilver");
    browser.click("details[open] input[name=kinds][value=normal]");
    browser.click("details[open] input[name=is_needed]");
    let send = || browser.leave_by(|| browser.click("details[open] form.panel > div > button"));
    send();
    browser.wait_for_words("must start with a lower-case letter");
    browser.fill("details[open] [name=key]", "tier");
    send();
    browser.wait_for_words("gold, silver");
    let budget = browser.text("#budget");
    assert!(budget.contains("9 usual answers and 1 of 3 of your own"), "{budget}");
    desk.look_at("own-fields/page");

    desk.sign_in("requester");
    browser.set_scripts(true);
    browser.look(Look::DESK);
    desk.go("/changes/new");
    browser.wait_for_words("Ten answers are missing for the assessment");
    browser.set("[name='targets.0.service']", "label-print");
    browser.set("[name='targets.0.environment']", "production");
    browser.type_into("[name=title]", "Print the tier on the label");
    browser.leave_by(|| browser.click_words("Submit for assessment"));
    browser.wait_for_words("Not submitted yet");
    let summary = browser.text(".notice.stop");
    assert!(summary.contains("Customer tier"), "{summary}");
    browser.set("[name='custom_fields.tier']", "gold");
    desk.look_at("own-fields/form");
    browser.leave_by(|| browser.click_words("Keep as draft"));
    browser.wait_for_words("Change created");
    let key = browser
        .url()
        .split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let facts = browser.text("body");
    assert!(facts.contains("Customer tier"), "{facts}");
    let made = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(made["custom_fields"], json!({"tier": "gold"}));

    desk.go("/changes?q=tier&columns=key,own");
    browser.wait_for_words("Customer tier: gold");
    let csv = desk.fetched("/changes.csv?q=tier&columns=key,own");
    assert!(csv.contains("\"Change\",\"Customer tier\""), "{csv}");
    assert!(csv.contains("\"Print the tier on the label\",\"gold\""), "{csv}");
}

#[test]
fn a_field_of_each_kind_is_asked_by_its_own_control_and_read_back_on_the_change() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let person = desk.server.person("owner");
    let kinds = [
        ("note", "text", "text", "By hand alone"),
        ("tier", "choice", "select-one", "gold"),
        ("parcels", "number", "number", "1200"),
        ("handed_over", "date", "date", "2031-03-05"),
        ("at_night", "person", "text", person["login"].as_str().unwrap()),
        ("depends", "service", "select-one", "invoicing"),
        ("manual", "link", "url", "https://docs.example/labels"),
    ];
    for (key, holds, _, _) in kinds {
        let mut field = json!({"key": key, "name": format!("Field {key}"), "holds": holds});
        if holds == "choice" {
            field["choices"] = json!(["gold", "silver"]);
        }
        desk.api("admin", "POST", "/custom-fields", field);
    }
    desk.sign_in("requester");
    desk.go("/changes/new");
    browser.click_words("Fields of your own");
    browser.type_into("[name=title]", "With every kind of field");
    for (key, _, control, value) in kinds {
        let css = format!("[name='custom_fields.{key}']");
        let script = "return document.querySelector(arguments[0])?.type || '';";
        assert_eq!(browser.run(script, &[json!(css)]), control, "{key}");
        if key != "at_night" {
            browser.set(&css, value);
        }
    }
    browser.set("[name='custom_fields.at_night']", "nobody-of-that-name");
    browser.leave_by(|| browser.click_words("Keep as draft"));
    browser.wait_for_words("Not kept yet");
    let beside = browser.run(
        "const one = document.querySelector(\"[name='custom_fields.at_night']\");
        return one.checkVisibility() && one.getAttribute('aria-invalid') === 'true' && one.value;",
        &[],
    );
    assert_eq!(
        beside, "nobody-of-that-name",
        "what is wrong is in sight, and what was typed stays"
    );
    browser.set("[name='custom_fields.at_night']", person["login"].as_str().unwrap());
    browser.leave_by(|| browser.click_words("Keep as draft"));
    browser.wait_for_words("Change created");
    let facts = browser.text("aside.rail");
    for words in [
        "By hand alone",
        "gold",
        "1200",
        "Wed 5 Mar 2031",
        "Hanne Brandt",
        "invoicing",
        "docs.example",
    ] {
        assert!(facts.contains(words), "`{words}` is not in {facts}");
    }
    let leads = browser.run(
        "return [...document.querySelectorAll('aside.rail a')].map((one) => one.getAttribute('href'));",
        &[],
    );
    for way in ["/t/halden/services/invoicing", "https://docs.example/labels"] {
        assert!(
            leads.as_array().unwrap().contains(&json!(way)),
            "{way} is not in {leads}"
        );
    }
}
