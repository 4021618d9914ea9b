//! Manual administration: every page of it, none of which needs a script.

use serde_json::{Value, json};

use crate::desk::Desk;

/// Opens a page as a person without scripts would, keeps its pictures and lets axe look at it.
fn look_at(desk: &Desk, path: &str) {
    let name = path.trim_matches('/').replace(['/', '?', '=', '&'], "-");
    desk.go(path);
    desk.look_at(&format!("admin/{name}"));
}

/// Opens an act's form by its label, without a script of the page.
fn open_act(desk: &Desk, words: &str) {
    desk.browser.click_words(words);
    wait_for_form(desk);
}

/// The same in the first row of a table, where links beside it may have the same label.
fn open_act_of_row(desk: &Desk, words: &str) {
    let script = "const all = [...document.querySelectorAll('tbody tr:first-child summary')];
        const found = all.find((one) => one.textContent.trim() === arguments[0]);
        if (found) found.click();
        return found !== undefined;";
    assert_eq!(
        desk.browser.run(script, &[json!(words)]),
        true,
        "{}",
        desk.browser.text("tbody")
    );
    wait_for_form(desk);
}

fn wait_for_form(desk: &Desk) {
    desk.browser.wait_for(
        "its form is open",
        "return document.querySelector('details[open] form.panel') !== null;",
    );
}

/// Sends the open form and waits for the next page: going on at once may cut the sending off.
fn send(desk: &Desk) {
    desk.browser
        .leave_by(|| desk.browser.click("details[open] form.panel > div > button"));
}

/// Renames the connection whose page is open, while somebody else does so too.
fn rename_beside_another(desk: &Desk) {
    let browser = &desk.browser;
    open_act(desk, "Change name or owner");
    browser.fill("details[open] [name=name]", "Label maker");
    let id = browser.url().rsplit('/').next().unwrap().to_owned();
    let version = desk.api("admin", "GET", &format!("/connections/{id}"), Value::Null)["version"].clone();
    let renamed = tests::caller::agent()
        .patch(format!("{}/api/v1/connections/{id}", desk.server.url))
        .header("Authorization", format!("Bearer {}", desk.server.token("admin")))
        .header("Content-Type", "application/merge-patch+json")
        .header("If-Match", format!("\"{version}\""))
        .send(json!({"name": "Label works"}).to_string());
    assert_eq!(renamed.unwrap().status(), 200);
    send(desk);
    browser.wait_for_words("edited it while you did");
    browser.wait_for_words("Label works");
    browser.click("[name='pick.name'][value=mine]");
    send(desk);
    browser.wait_for_words("Label maker");
}

#[test]
fn an_administrator_connects_a_system_and_reads_its_deliveries_without_a_script() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/connections");
    open_act(&desk, "Connect a system");
    browser.set("details[open] [name=kind]", "plain");
    browser.type_into("details[open] [name=name]", "Label builder");
    browser.type_into(
        "details[open] [name=map]",
        "halden/nothing no-such-service prod=production",
    );
    send(&desk);
    browser.wait_for_words("There is no service `no-such-service`");
    browser.fill("details[open] [name=map]", "halden/labels label-print prod=production");
    send(&desk);
    browser.wait_for_words("Label builder is connected");
    browser.wait_for_words("it cannot be shown again");
    desk.look_at("admin/connection-made");
    let shown = browser.run(
        "return [...document.querySelectorAll('.notice code')].map((one) => one.innerText);",
        &[],
    );
    let address = shown[0].as_str().unwrap().to_owned();
    let path = address.split_once("/hooks/").unwrap().1.to_owned();
    let (status, _) = desk.server.ask(
        "POST",
        &format!("/hooks/{path}"),
        None,
        Some(&json!({"nonsense": true})),
    );
    assert!(
        (400..500).contains(&status),
        "an unsigned delivery is turned away: {status}"
    );
    browser.click_words("Label builder");
    browser.wait_for_words("Rejected deliveries");
    browser.wait_for_words("halden/labels");
    assert!(
        browser.has("#turned-away .entries li"),
        "{}",
        browser.text("#turned-away")
    );
    desk.look_at("admin/connection");
    rename_beside_another(&desk);
    desk.look_at("admin/connection-renamed");
    open_act(&desk, "Stop taking deliveries");
    send(&desk);
    browser.wait_for_words("Ended");
    let list = desk.api("admin", "GET", "/connections?limit=200", Value::Null);
    let made = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "Label maker")
        .unwrap();
    assert_eq!(made["active"], false);
}

#[test]
fn webhooks_providers_hours_and_keys_are_set_by_hand() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/webhooks");
    open_act(&desk, "Add a webhook");
    browser.type_into("details[open] [name=name]", "Chat of operations");
    browser.type_into("details[open] [name=url]", "https://chat.example.org/hook");
    browser.fill("details[open] [name=kinds]", "change.approved\napproval.*");
    send(&desk);
    browser.wait_for_words("Chat of operations is notified from now on");
    browser.click_words("Chat of operations");
    browser.wait_for_words("On their way");
    desk.look_at("admin/webhook");
    open_act(&desk, "New secret");
    send(&desk);
    browser.wait_for_words("has a new secret");
    browser.click_words("Pause");
    browser.wait_for_words("Stopped");
    look_at(&desk, "/webhooks");

    desk.go("/identity-providers");
    open_act(&desk, "Add a provider");
    browser.type_into("details[open] [name=key]", "office");
    browser.type_into("details[open] [name=name]", "Office accounts");
    browser.type_into("details[open] [name=issuer]", "http://elsewhere.example.org");
    browser.type_into("details[open] [name=client_id]", "assent");
    send(&desk);
    browser.wait_for_words("An issuer is an https address");
    browser.fill("details[open] [name=issuer]", "https://login.example.org");
    browser.type_into("details[open] [name=groups_claim]", "groups");
    browser.type_into("details[open] [name=roles]", "auditors=auditor");
    send(&desk);
    browser.wait_for_words("auditors is auditor");
    look_at(&desk, "/identity-providers");

    desk.go("/hours");
    open_act(&desk, "Add a calendar");
    browser.type_into("details[open] [name=key]", "desk");
    browser.type_into("details[open] [name=name]", "Service desk");
    browser.type_into("details[open] [name=holidays]", "2031-12-25 Christmas Day");
    send(&desk);
    browser.wait_for_words("Thu 25 Dec 2031 Christmas Day");
    browser.wait_for_words("Monday 08:00 to 16:00");
    look_at(&desk, "/hours");

    look_at(&desk, "/keys");
    browser.wait_for_words("The log is healthy");
    browser.wait_for_words("Signs permits");
}

#[test]
fn a_workload_is_trusted_by_hand_and_ended() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/workloads");
    open_act(&desk, "Add a workload");
    browser.type_into("details[open] [name=key]", "nightly");
    browser.type_into("details[open] [name=name]", "Releases at night");
    browser.type_into(
        "details[open] [name=issuer]",
        "https://token.actions.githubusercontent.com",
    );
    browser.type_into("details[open] [name=person]", "pipeline");
    browser.fill("details[open] [name=claims]", "repository=*");
    browser.click("details[open] [name=scopes][value=gate]");
    send(&desk);
    browser.wait_for_words("anyone can get a token of a public platform");
    browser.fill(
        "details[open] [name=claims]",
        "repository=halden/booking-api\nrepository=halden/label-*\nenvironment=production",
    );
    send(&desk);
    browser.click_words("Releases at night");
    browser.wait_for_words("halden/label-*");
    browser.wait_for_words("Lets in");
    desk.look_at("admin/workload");
    let token = desk.server.token("admin");
    let made = desk.server.must("GET", "/api/v1/workloads/nightly", &token, None);
    assert_eq!(
        (&made["claims"], &made["scopes"]),
        (
            &json!({"environment": ["production"], "repository": ["halden/booking-api", "halden/label-*"]}),
            &json!(["gate"])
        )
    );
    open_act(&desk, "Change it");
    browser.fill("details[open] [name=minutes]", "20");
    send(&desk);
    let changed = desk.server.must("GET", "/api/v1/workloads/nightly", &token, None);
    assert_eq!((&changed["minutes"], &changed["claims"]), (&json!(20), &made["claims"]));
    open_act(&desk, "End it");
    send(&desk);
    browser.wait_for_words("Ended");
    look_at(&desk, "/workloads");
}

#[test]
fn a_person_says_when_they_are_away_and_who_speaks_for_them() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("owner");
    browser.set_scripts(false);
    desk.go("/account");
    browser.click_words("Set dates and a delegate");
    browser.wait_for_words("You have no delegate");
    open_act(&desk, "Enter an absence");
    browser.set("details[open] [name=starts_at]", "2031-07-01T08:00");
    browser.set("details[open] [name=ends_at]", "2031-06-01T08:00");
    send(&desk);
    browser.wait_for_words("must lie after");
    browser.set("details[open] [name=ends_at]", "2031-07-21T08:00");
    send(&desk);
    browser.wait_for_words("You will be away");
    open_act(&desk, "Appoint a delegate");
    let deputy = desk.server.person("change_manager")["login"].clone();
    browser.type_into("details[open] [name=delegate]", deputy.as_str().unwrap());
    browser.set("details[open] [name=starts_at]", "2031-07-01T08:00");
    browser.set("details[open] [name=ends_at]", "2031-07-21T08:00");
    browser.click("details[open] [name=deputy]");
    send(&desk);
    browser.wait_for_words("is your delegate");
    look_at(&desk, "/away");
    browser.leave_by(|| browser.click_words("Take it back"));
    browser.wait_for_words("No absence is planned");
    browser.leave_by(|| browser.click_words("End it"));
    browser.wait_for_words("You have no delegate");
}

#[test]
fn the_matrix_says_who_is_asked_for_a_place_and_why() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/ownership?service=label-print&environment=production");
    browser.wait_for_words("Owner: Hanne Brandt");
    let why = browser.text(".entries");
    assert!(
        why.contains("Owner of label-print") && why.contains("asked first"),
        "{why}"
    );
    look_at(&desk, "/ownership?service=label-print&environment=production");
    open_act(&desk, "Assign a role");
    browser.set("details[open] [name=role]", "security");
    browser.set("details[open] [name=environment]", "production");
    browser.type_into("details[open] [name=service]", "label-print");
    browser.type_into("details[open] [name=person]", "nobody-of-that-name");
    send(&desk);
    browser.wait_for_words("nobody-of-that-name");
    assert!(browser.has("details[open] .error"), "the error stands beside its field");
    browser.fill("details[open] [name=person]", "priya");
    send(&desk);
    desk.go("/ownership?service=label-print&environment=production");
    browser.wait_for_words("Security: Priya Raman");
}

#[test]
fn a_set_of_policies_is_tried_on_the_last_changes_before_it_is_proposed() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/policies");
    open_act(&desk, "Try a set");
    browser.type_into("details[open] [name=policies]", "permit (principal, action, resource);");
    send(&desk);
    browser.wait_for_words("This set cannot be accepted");
    browser.wait_for_words("own/policies.cedar:1");
    desk.look_at("admin/trial-refused");
    browser.fill("details[open] [name=policies]", "");
    browser.click("details[open] input[value=dual-control]");
    send(&desk);
    browser.wait_for_words("would have had other requirements");
    desk.look_at("admin/trial");
    open_act(&desk, "Propose it");
    browser.type_into(
        "details[open] [name=reason]",
        "Keys never change by the word of one person.",
    );
    send(&desk);
    browser.wait_for_words("proposed policies: waits for a second person");
    look_at(&desk, "/policies");
}

#[test]
fn a_person_is_added_given_rights_and_let_go_by_hand() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/people");
    open_act(&desk, "Add a person");
    browser.type_into("details[open] [name=login]", "Not A Login");
    browser.type_into("details[open] [name=name]", "Nora Berg");
    browser.type_into("details[open] [name=zone]", "Europe/Nowhere");
    send(&desk);
    assert!(browser.has("details[open] .error"), "{}", browser.text("main"));
    let kept = browser.run("return document.querySelector('details[open] [name=name]').value;", &[]);
    assert_eq!(kept, "Nora Berg", "what was right stays");
    browser.fill("details[open] [name=login]", "nora");
    browser.fill("details[open] [name=zone]", "Europe/Oslo");
    send(&desk);
    desk.go("/people?q=nora");
    let row = || browser.text("tbody tr");
    assert!(row().contains("Nora Berg") && row().contains("Active"), "{}", row());
    open_act_of_row(&desk, "Rights");
    browser.click("details[open] input[name=roles][value=auditor]");
    send(&desk);
    desk.go("/people?q=nora");
    assert!(row().contains("Auditor"), "{}", row());
    open_act_of_row(&desk, "Deactivate");
    browser.type_into("details[open] [name=reason]", "She went to another house.");
    send(&desk);
    desk.go("/people?q=nora");
    assert!(row().contains("Deactivated"), "{}", row());
    let told = desk.api("admin", "GET", "/people/nora", Value::Null);
    assert_eq!(
        (&told["active"], &told["roles"]),
        (&json!(false), &json!(["auditor"])),
        "{told}"
    );
}

#[test]
fn reviews_of_access_are_found_from_the_people_and_each_manager_has_a_part() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    desk.go("/people");
    browser.leave_by(|| browser.click_words("Access reviews"));
    browser.wait_for_words("None yet");
    open_act(&desk, "Start a review");
    send(&desk);
    let managers = browser.run(
        "return [...document.querySelectorAll('#reviews tbody th a')].map((one) => one.innerText);",
        &[],
    );
    assert!(!managers.as_array().unwrap().is_empty(), "{}", browser.text("main"));
    look_at(&desk, "/access-reviews");
    browser.leave_by(|| browser.click("#reviews tbody th a"));
    browser.wait_for_words("Not reviewed yet");
    desk.look_at("admin/access-review");
}
