//! Questions that people have about the figures, each resolved by clicking: what made success fall, which approver is the
//! bottleneck for one kind of work, which fields nobody needs.

use serde_json::{Value, json};
use tests::faults::eventually;

use crate::desk::Desk;

/// A window of a change manager, once the figures include all of the log: until then a page and the API may differ.
fn desk_with_figures() -> Desk {
    let desk = Desk::open();
    desk.sign_in("change_manager");
    eventually("the figures reach the end of the log", || {
        let shown = desk.api("change_manager", "GET", "/metrics/success_share", Value::Null);
        shown["projected_to"] == shown["log_size"] && shown["of"].as_i64().is_some_and(|of| of > 0)
    });
    desk
}

/// Narrows the figure in the window by its form.
fn narrow(desk: &Desk, answers: &[(&str, &str)]) {
    desk.browser.click_words("Filter");
    for (name, value) in answers {
        desk.browser.set(&format!("[name={name}]"), value);
    }
    desk.browser.leave_by(|| desk.browser.click_words("Show these"));
    for (name, value) in answers {
        assert!(
            desk.browser.url().contains(&format!("{name}={value}")),
            "{}",
            desk.browser.url()
        );
    }
}

/// How many rows of a table the page shows.
fn rows(desk: &Desk, section: &str) -> usize {
    let script = "return document.querySelectorAll(arguments[0]).length;";
    let found = desk.browser.run(script, &[json!(format!("#{section} tbody tr"))]);
    usize::try_from(found.as_u64().unwrap()).unwrap()
}

/// The number of rows of a figure, as the API returns them, page by page.
fn counted(desk: &Desk, path: &str) -> usize {
    let (mut found, mut after) = (0, String::new());
    loop {
        let page = desk.api("change_manager", "GET", &format!("{path}limit=200{after}"), Value::Null);
        let items = page["items"].as_array().unwrap().iter();
        found += items
            .filter(|it| it["counted"] == "hit" || it["counted"] == "miss")
            .count();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[test]
fn a_change_manager_asks_why_success_fell_and_reads_the_changes_and_their_root_causes() {
    let desk = desk_with_figures();
    let browser = &desk.browser;
    browser.set_scripts(false);
    desk.go("/metrics");
    browser.leave_by(|| browser.click("#root-causes a[href*='by=root_cause']"));
    assert!(browser.url().contains("/metrics/success_share"), "{}", browser.url());
    assert!(browser.has("#groups"), "the groups stand on the page of the metric");
    let ended = counted(&desk, "/metrics/success_share/rows?");
    assert!(ended > 0, "the demo's changes end in these days");
    assert_eq!(rows(&desk, "rows"), ended);
    narrow(&desk, &[("by", "category"), ("kind", "standard")]);
    let standard = counted(&desk, "/metrics/success_share/rows?kind=standard&");
    assert!(standard < ended, "some changes of the demo are no standard ones");
    assert_eq!(rows(&desk, "rows"), standard);
    desk.look_at("questions/success");
}

#[test]
fn a_change_manager_asks_who_is_the_bottleneck_for_one_category_of_changes() {
    let desk = desk_with_figures();
    let browser = &desk.browser;
    browser.set_scripts(false);
    desk.go("/metrics");
    browser.leave_by(|| browser.click("#approvals a[href*='by=rule']"));
    let all = counted(&desk, "/metrics/time_to_approve/rows?");
    assert!(all > 0, "the demo has decisions");
    let groups = rows(&desk, "groups");
    assert!(groups > 0, "each rule has its time");
    narrow(&desk, &[("by", "group"), ("category", "database")]);
    let of_databases = counted(&desk, "/metrics/time_to_approve/rows?category=database&");
    assert!(of_databases < all, "other work waited too");
    assert_eq!(rows(&desk, "rows"), of_databases);
    desk.look_at("questions/bottleneck");
}

#[test]
fn an_administrator_asks_which_fields_can_be_dropped() {
    let desk = Desk::open();
    desk.sign_in("admin");
    desk.browser.set_scripts(false);
    desk.go("/fields");
    let (mut fields, mut after) = (Vec::new(), String::new());
    loop {
        let told = desk.api("admin", "GET", &format!("/field-use?limit=200{after}"), Value::Null);
        fields.extend(told["items"].as_array().unwrap().iter().cloned());
        match told["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert!(!fields.is_empty());
    assert_eq!(rows(&desk, "use"), fields.len());
    for field in &fields {
        let name = field["field"].as_str().unwrap();
        assert!(desk.browser.text("#use").contains(name), "{name}");
    }
    desk.look_at("questions/fields");
}
