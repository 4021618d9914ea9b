//! The list of changes: filters and columns in the address, views of one's own, one act on several, and files.

use serde_json::{Value, json};
use tests::browser::Look;

use crate::desk::Desk;

#[test]
fn an_auditor_exports_a_population_with_its_query_filters_zone_and_row_count() {
    let desk = Desk::open();
    desk.sign_in("auditor");
    desk.go("/changes?state=closed&columns=key,owner,planned");
    let shown = desk.browser.run(
        "return [...document.querySelectorAll('thead th')].map((one) => one.innerText);",
        &[],
    );
    assert_eq!(shown, json!(["Key ↓", "Change", "Planned", "Owner"]));
    let link = desk.browser.run(
        "return [...document.querySelectorAll('a')].find((one) => one.innerText === 'Export as CSV').getAttribute('href');",
        &[],
    );
    assert_eq!(link, "/t/halden/changes.csv?state=closed&columns=key%2Cplanned%2Cowner");
    let csv = desk.fetched("/changes.csv?state=closed&columns=key,owner,planned");
    for line in [
        "\"# Query\",\"state=closed&columns=key%2Cplanned%2Cowner\"",
        "\"# Filter: State\",\"closed\"",
        "\"# Time zone\",\"Europe/",
    ] {
        assert!(csv.contains(line), "{line} is not in\n{csv}");
    }
    let rows = csv.lines().filter(|line| line.starts_with("\"CHG-")).count();
    assert!(
        rows > 5 && csv.contains(&format!("\"# Rows\",\"{rows}\"")),
        "{rows} rows in\n{csv}"
    );
    let all = desk.api("auditor", "GET", "/changes?state=closed&limit=200", Value::Null);
    assert_eq!(
        all["items"].as_array().unwrap().len(),
        rows,
        "the file holds the whole population"
    );
    assert!(desk.fetched("/changes.xlsx?state=closed").starts_with("PK"));
    desk.browser.picture("journeys/auditor-population", false);
}

#[test]
fn a_filter_becomes_a_view_and_goes_again() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    desk.go("/changes?risk=high");
    browser.click_words("Save as a view");
    browser.type_into("input[name=name]", "Grave ones");
    browser.click("form[action$='/views'] button");
    browser.wait_for_words("Remove this view");
    let current = browser.text(".tabs [aria-current]");
    let rows = browser.run("return document.querySelectorAll('tbody tr').length;", &[]);
    assert_eq!(
        current.split_whitespace().collect::<Vec<_>>(),
        ["Grave", "ones", rows.to_string().as_str()]
    );
    browser.picture("journeys/saved-view", false);
    browser.click_words("Remove this view");
    browser.wait_for(
        "the view is gone",
        "return !document.querySelector('.tabs').innerText.includes('Grave ones');",
    );
}

#[test]
fn one_act_on_several_says_beforehand_what_each_will_answer() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let asked = desk.waiting_for("security");
    let asked = asked["key"].as_str().unwrap();
    let drafts = desk.api("security", "GET", "/changes?state=draft&limit=1", Value::Null);
    let draft = drafts["items"][0]["key"].as_str().unwrap();
    desk.sign_in("security");
    desk.go("/changes");
    browser.look(Look::DESK);
    assert_eq!(
        browser.run("return document.querySelector('.bulk').checkVisibility();", &[]),
        false
    );
    for key in [asked, draft] {
        browser.run(
            &format!("document.querySelector('input[value=\"{key}\"]').click();"),
            &[],
        );
    }
    browser.picture("journeys/bulk-picked", false);
    browser.click_words("Approve");
    browser.wait_for_words("Approve: 1 of 2 can");
    assert!(
        browser.text("#rows").contains("will be approved by you"),
        "{}",
        browser.text("#rows")
    );
    assert!(browser.text("#rows").contains("Unchanged"), "{}", browser.text("#rows"));
    browser.picture("journeys/bulk-preview", false);
    let before = desk.api("security", "GET", &format!("/changes/{asked}"), Value::Null);
    browser.click_words("Approve 1 of 2");
    browser.wait_for_words("Approve: 1 of 1 done");
    let after = desk.api("security", "GET", &format!("/changes/{asked}"), Value::Null);
    assert_ne!(
        before["version"], after["version"],
        "the trial wrote nothing, the act did"
    );
}

/// The state of the head's box: ticked, and ticked in part.
const HEAD: &str = "const one = document.querySelector('thead .pick input'); return [one.checked, one.indeterminate];";
/// How many rows are ticked, and how many there are.
const TICKED: &str =
    "return ['tbody .pick :checked', 'tbody .pick input'].map((one) => document.querySelectorAll(one).length);";

#[test]
fn the_heads_box_picks_every_row_says_when_some_are_picked_and_counts_them() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("security");
    browser.look(Look::DESK);
    desk.go("/changes?state=open");
    let rows = browser.run(TICKED, &[])[1].as_u64().unwrap();
    assert!(rows > 1, "{rows} open");
    assert_eq!(browser.run(HEAD, &[]), json!([false, false]));
    browser.run("document.querySelector('thead .pick input').focus();", &[]);
    browser.press(" ");
    assert_eq!(browser.run(TICKED, &[]), json!([rows, rows]));
    browser.wait_for_words(&format!("{rows} of {rows} selected"));
    browser.run("document.querySelector('tbody .pick input').click();", &[]);
    assert_eq!(browser.run(HEAD, &[]), json!([false, true]), "some are picked");
    browser.wait_for_words(&format!("{} of {rows} selected", rows - 1));
    desk.look_at("lists/some-picked");
    browser.click("thead .pick input");
    assert_eq!(browser.run(HEAD, &[]), json!([true, false]));
    browser.click_words("Clear");
    browser.wait_for(
        "no row is picked",
        "return !document.querySelector('thead .pick input').checked && !document.querySelector('tbody :checked');",
    );
    browser.click("thead .pick input");
    browser.leave_by(|| browser.click_words("Watch"));
    browser.wait_for_words(&format!("Watch: {rows} of {rows} can"));
}

#[test]
fn without_script_a_link_picks_every_row_of_this_page_and_of_no_other() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("security");
    browser.set_scripts(false);
    browser.look(Look::DESK);
    desk.go("/changes?sort=planned_start");
    let rows = browser.run(TICKED, &[])[1].as_u64().unwrap();
    assert_eq!(browser.text("thead .pick a").trim(), "Select all on this page");
    browser.leave_by(|| browser.click("thead .pick a"));
    assert!(
        browser.url().ends_with("/changes?sort=planned_start&picked=all"),
        "{}",
        browser.url()
    );
    assert_eq!(browser.run(TICKED, &[]), json!([rows, rows]));
    // The text that is read aloud: no text of the page, because its style counts there.
    let told = browser.devtools("Accessibility.getFullAXTree", &json!({}))["nodes"].take();
    let count = rows.to_string();
    let is_count = |node: &Value| node["name"]["value"] == count;
    assert!(told.as_array().unwrap().iter().any(is_count), "{rows} are selected");
    desk.look_at("lists/all-picked");
    let older = browser.run(
        "return document.querySelector('a[rel=next]').getAttribute('href');",
        &[],
    );
    assert!(!older.as_str().unwrap().contains("picked"), "{older}");
    browser.run("document.querySelector('tbody .pick input').click();", &[]);
    browser.leave_by(|| browser.click_words("Watch"));
    browser.wait_for_words(&format!("of {} can", rows - 1));
    desk.go("/changes?sort=planned_start&picked=all");
    browser.leave_by(|| browser.click_words("Clear"));
    assert!(
        browser.url().ends_with("/changes?sort=planned_start"),
        "{}",
        browser.url()
    );
    assert_eq!(browser.run(TICKED, &[]), json!([0, rows]));
}

#[test]
fn a_view_is_shown_to_everybody_and_kept_to_oneself_again() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let tabs = || browser.text(".tabs");
    desk.sign_in("change_manager");
    desk.go("/changes?risk=high");
    browser.click_words("Save as a view");
    browser.type_into("input[name=name]", "Grave ones");
    browser.leave_by(|| browser.click("form[action$='/views'] button"));
    desk.enter(browser, "auditor", "/changes");
    assert!(!tabs().contains("Grave ones"), "{}", tabs());
    desk.enter(browser, "change_manager", "/changes?risk=high");
    browser.leave_by(|| browser.click_words("Share this view with everyone"));
    browser.wait_for_words("Make this view private");
    desk.enter(browser, "auditor", "/changes");
    assert!(tabs().contains("Grave ones (Marta Lindqvist)"), "{}", tabs());
    browser.leave_by(|| browser.click_words("Grave ones (Marta Lindqvist)"));
    assert!(browser.url().ends_with("/changes?risk=high"), "{}", browser.url());
    assert!(!browser.has("form[action$='/views/removal']"), "it is another's");
    desk.enter(browser, "change_manager", "/changes?risk=high");
    browser.leave_by(|| browser.click_words("Make this view private"));
    desk.enter(browser, "auditor", "/changes");
    assert!(!tabs().contains("Grave ones"), "{}", tabs());
}

#[test]
fn words_find_a_person_a_service_and_a_token_and_say_so_when_none_fits() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("admin");
    browser.set_scripts(false);
    let titles = "return [...document.querySelectorAll('tbody tr')].map((one) => one.innerText.replace(/\\s+/g, ' '));";
    for (path, word, only) in [
        ("/people", "lindqvist", "Marta Lindqvist"),
        ("/services", "label", "label-print"),
        ("/tokens", "pipeline", "pipeline"),
    ] {
        desk.go(path);
        let all = browser.run(titles, &[]).as_array().unwrap().len();
        browser.click_words("Filter");
        browser.type_into("details[open] [name=q]", word);
        browser.leave_by(|| browser.click_words("Show these"));
        let found = browser.run(titles, &[]);
        let found = found.as_array().unwrap();
        assert!(
            !found.is_empty() && found.len() < all,
            "{path}: {} of {all}",
            found.len()
        );
        assert!(
            found.iter().all(|row| row.as_str().unwrap().contains(only)),
            "{path}: {found:?}"
        );
        desk.look_at(&format!("lists/words{}", path.replace('/', "-")));
        desk.go(&format!("{path}?q=no-such-word"));
        browser.wait_for_words("No entries match the filter");
        browser.leave_by(|| browser.click("a.chip.on"));
        assert_eq!(browser.run(titles, &[]).as_array().unwrap().len(), all, "{path}");
    }
}

#[test]
fn columns_are_chosen_by_hand_beside_a_filter_and_the_workbook_holds_what_is_shown() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.set_scripts(false);
    desk.go("/changes?service=label-print");
    browser.click_words("Columns");
    let script = "document.querySelectorAll('details[open] input[name=columns]').forEach((box) => {
            box.checked = ['key', 'owner', 'state'].includes(box.value);
        });
        return true;";
    assert_eq!(browser.run(script, &[]), true);
    browser.leave_by(|| browser.click_words("Show these columns"));
    assert!(browser.url().contains("service=label-print"), "{}", browser.url());
    let heads = browser.run(
        "return [...document.querySelectorAll('thead th')].map((one) => one.innerText);",
        &[],
    );
    let named = ["Key", "Change", "State", "Owner"];
    let shown = heads.as_array().unwrap().iter().filter_map(Value::as_str);
    let shown: Vec<&str> = shown.map(|head| head.trim_end_matches(" ↓")).collect();
    assert!(named.iter().all(|head| shown.contains(head)), "{shown:?}");
    assert!(!shown.contains(&"Planned"), "{shown:?}");
    desk.look_at("journeys/columns");
    let keys = browser.run(
        "return [...document.querySelectorAll('tbody tr')].map((row) => row.id.replace('row-', ''));",
        &[],
    );
    let link = browser.run(
        "return [...document.querySelectorAll('a')].find((one) => one.innerText === 'Export as Excel').getAttribute('href');",
        &[],
    );
    browser.set_scripts(true);
    let sheet = crate::bad_input::workbook(&desk, link.as_str().unwrap());
    let place = sheet
        .iter()
        .position(|row| row.first().is_some_and(|cell| cell == "Key"))
        .unwrap_or_else(|| panic!("no heads in {sheet:?}"));
    let mut heads = sheet[place].clone();
    heads.sort();
    let mut expected = named.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(heads, expected, "the columns of the page and no other");
    let told: Vec<&str> = sheet[place + 1..].iter().map(|row| row[0].as_str()).collect();
    let keys: Vec<&str> = keys.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        !keys.is_empty() && told == keys,
        "{told:?} in the file, {keys:?} on the page"
    );
}

/// The keys of the rows, in their order.
fn keys(desk: &Desk) -> Vec<String> {
    let script = "return [...document.querySelectorAll('tbody tr')].map((row) => row.id.replace('row-', ''));";
    let keys = desk.browser.run(script, &[]);
    keys.as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

/// The keys that the API lists in an order.
fn listed(desk: &Desk, query: &str) -> Vec<String> {
    let list = desk.api("auditor", "GET", &format!("/changes?limit=50&{query}"), Value::Null);
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_head_sorts_without_script_and_the_order_stays_with_filters_views_and_files() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.set_scripts(false);
    desk.go("/changes?state=open");
    let sorted = || browser.text("thead [aria-sort]");
    assert_eq!(sorted().trim(), "Key ↓");
    browser.leave_by(|| browser.click("thead th:not([aria-sort]) a[href$='sort=planned_start']"));
    assert!(
        browser.url().ends_with("/changes?state=open&sort=planned_start"),
        "{}",
        browser.url()
    );
    assert_eq!(browser.text("thead [aria-sort=ascending]").trim(), "Planned ↑");
    assert!(
        browser.text(".tabs [aria-current]").starts_with("Open"),
        "the view stays, whatever its order"
    );
    let soonest = keys(&desk);
    assert_eq!(
        soonest,
        listed(
            &desk,
            "state=draft,assessing,authorizing,approved,scheduled,implementing,reviewing&sort=planned_start"
        )
    );
    desk.look_at("lists/sorted");
    browser.leave_by(|| browser.click("thead [aria-sort] a"));
    assert_eq!(browser.text("thead [aria-sort=descending]").trim(), "Planned ↓");
    assert_ne!(keys(&desk), soonest);
    browser.click_words("Filter");
    browser.set("details[open] [name=risk]", "high");
    browser.leave_by(|| browser.click_words("Show these"));
    assert!(browser.url().contains("sort=-planned_start"), "{}", browser.url());
    let shown = keys(&desk);
    let link = browser.run(
        "return [...document.querySelectorAll('a')].find((one) => one.innerText === 'Export as CSV').getAttribute('href');",
        &[],
    );
    let link = link.as_str().unwrap().trim_start_matches("/t/halden").to_owned();
    browser.set_scripts(true);
    let csv = desk.fetched(&link);
    let told = csv
        .lines()
        .filter_map(|line| line.strip_prefix("\"CHG-")?.split('"').next());
    assert_eq!(
        told.map(|rest| format!("CHG-{rest}")).collect::<Vec<_>>(),
        shown,
        "{csv}"
    );
    assert!(csv.contains("\"# Order\",\"latest planned first\""), "{csv}");
}

#[test]
fn on_a_narrow_screen_the_order_is_chosen_in_words() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.set_scripts(false);
    browser.look(Look::PHONE);
    desk.go("/changes");
    browser.click_words("Order: newest first");
    browser.leave_by(|| browser.click_words("highest risk first"));
    assert_eq!(keys(&desk), listed(&desk, "sort=-risk"));
    browser.wait_for_words("Order: highest risk first");
    desk.look_at("lists/order-in-words");
    desk.go("/changes?sort=title");
    browser.wait_for_words("The list has no such order or page");
    assert!(!browser.has("tbody tr"), "an order that there is not is no order");
}

#[test]
fn each_view_and_the_list_say_how_many_changes_they_hold() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    desk.go("/changes");
    let script = "return [...document.querySelectorAll('.tabs a')].map((one) => [one.getAttribute('href'), one.querySelector('span')?.innerText]);";
    let views = browser.run(script, &[]);
    for view in views.as_array().unwrap() {
        let (href, figure) = (view[0].as_str().unwrap(), view[1].as_str().unwrap());
        let csv = desk.fetched(
            &href
                .trim_start_matches("/t/halden")
                .replacen("/changes", "/changes.csv", 1),
        );
        let rows = csv.lines().filter(|line| line.starts_with("\"CHG-")).count();
        assert_eq!(figure, rows.to_string(), "{href}");
    }
    let all = views[0][1].as_str().unwrap().to_owned();
    assert!(browser.text(".filters .end").contains(&format!("{all} changes")));
    let first = format!("1 to 50 of {all}");
    assert!(browser.text(".pages").contains(&first), "{}", browser.text(".pages"));
    browser.leave_by(|| browser.click("a[rel=next]"));
    let second = format!("51 to {} of {all}", 50 + keys(&desk).len());
    assert!(browser.text(".pages").contains(&second), "{}", browser.text(".pages"));
}
