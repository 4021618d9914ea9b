//! Questions that people have about the figures, each resolved by clicking: three for each of nine roles, as
//! docs/guide/dashboards.md lists them. Among them: what made success fall, which approver is the bottleneck for one kind of work,
//! which fields nobody needs.

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

/// The account that asks, the dashboard of its role, and its tiles with the answers. Other questions have tests of their own
/// in this file.
const ON_TILES: [(&str, &str, &[&str]); 8] = [
    ("requester", "requester", &["own", "waiting", "freezes"]),
    ("owner", "approver", &["waiting", "items"]),
    ("owner", "service_owner", &["states", "incidents", "failure_rate"]),
    ("change_manager", "change_manager", &["ages"]),
    ("security", "board", &["waiting", "risk", "failures"]),
    ("commander", "commander", &["incidents", "states"]),
    ("executive", "executive", &["success", "emergencies"]),
    ("implementer", "platform", &["frequency", "lead_time"]),
];
/// The service of a service owner's questions, with failed deployments in the demo.
const OWNED: &str = "wms";
/// The most changes on a page of the list, and behind a row of a tile.
const PAGE: usize = 50;
const BEHIND: usize = 200;
/// The place of the first row of a tile that counts something, and its count; an empty place where none does.
const FIRST_ROW: &str = "
    const rows = [...document.querySelectorAll('#' + arguments[0] + ' tbody tr')];
    const count = (row) => Number((row.children[1].textContent.match(/[0-9]+/) || [0])[0]);
    const at = rows.findIndex((row) => row.querySelector('a') && count(row) > 0);
    return at < 0 ? [null, 0] : [at + 1, count(rows[at])];";

/// Follows a tile to the rows behind it: that of a metric to its figure, any other by its first row that counts something.
/// Returns whether there was one.
fn follow(desk: &Desk, tile: &str) -> bool {
    let browser = &desk.browser;
    let figure = format!("#{tile} .figures a");
    if browser.has(&figure) {
        browser.leave_by(|| browser.click(&figure));
        assert!(browser.url().contains("/metrics/"), "{}", browser.url());
        assert!(rows(desk, "rows") > 0, "{tile}: a figure without rows");
        return true;
    }
    assert!(browser.has(&format!("#{tile}")), "{tile} is shown");
    let fold = format!("#{tile} details.more:not([open]) > summary");
    if browser.has(&fold) {
        browser.click(&fold);
    }
    let found = browser.run(FIRST_ROW, &[json!(tile)]);
    let Some(place) = found[0].as_u64() else {
        println!("left out: the rows behind {tile}: it counts nothing now");
        return false;
    };
    let count = usize::try_from(found[1].as_u64().unwrap()).unwrap();
    browser.leave_by(|| browser.click(&format!("#{tile} tbody tr:nth-child({place}) a")));
    let url = browser.url();
    if url.contains("/rows?") {
        assert_eq!(rows(desk, "changes"), count.min(BEHIND), "{url}");
    } else if url.contains("/changes?") {
        let script = "return document.querySelectorAll('main table.table tbody tr').length;";
        assert_eq!(browser.run(script, &[]), json!(count.min(PAGE)), "{url}");
    } else {
        let mut known = ["/incidents?", "/freezes/", "/inbox?"].iter();
        assert!(known.any(|it| url.contains(it)) && browser.has("main h1"), "{url}");
    }
    true
}

#[test]
fn each_role_follows_its_questions_from_its_dashboard_to_the_rows() {
    let desk = desk_with_figures();
    let browser = &desk.browser;
    let (mut followed, mut shown) = (0, 0);
    for (role, dashboard, tiles) in ON_TILES {
        desk.sign_in(role);
        browser.set_scripts(false);
        for tile in tiles {
            desk.go("/dashboard");
            browser.leave_by(|| browser.click(&format!("#roles a[href$='/dashboard/{dashboard}']")));
            if dashboard == "service_owner" {
                narrow(&desk, &[("service", OWNED)]);
            }
            shown += 1;
            followed += usize::from(follow(&desk, tile));
        }
    }
    assert!(followed * 2 > shown, "only {followed} of {shown} tiles count something");
}

#[test]
fn an_approver_an_executive_and_an_auditor_follow_their_questions_from_the_page_of_metrics() {
    let desk = desk_with_figures();
    let browser = &desk.browser;
    desk.sign_in("owner");
    browser.set_scripts(false);
    desk.go("/metrics");
    browser.leave_by(|| browser.click("#approvals a[href*='by=rule']"));
    narrow(&desk, &[("by", "approver")]);
    assert_eq!(rows(&desk, "approvers"), 1, "nobody sees how fast others decide");
    for (role, metric) in [("executive", "written_to_done"), ("auditor", "emergency_share")] {
        desk.sign_in(role);
        browser.set_scripts(false);
        desk.go("/metrics");
        browser.leave_by(|| browser.click(&format!("#figures a[href*='/metrics/{metric}']")));
        assert!(rows(&desk, "rows") > 0, "{metric}");
        desk.look_at(&format!("questions/{metric}"));
    }
    desk.go("/metrics");
    assert!(browser.has("#causes tbody tr"), "the causes of emergencies");
    let file = browser.run(
        "return [...document.querySelectorAll('a')].find((one) => one.href.includes('/event-log.csv')).href;",
        &[],
    );
    let (_, path) = file.as_str().unwrap().split_once("/t/halden").unwrap();
    browser.set_scripts(true);
    let text = desk.fetched(path);
    assert!(text.starts_with("case_id,activity,timestamp,resource"), "{text}");
}

#[test]
fn a_commander_asks_what_changed_on_a_service_before() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("commander");
    browser.set_scripts(false);
    desk.go("/what-changed");
    browser.set("[name=service]", "label-print");
    browser.leave_by(|| browser.click_words("Show what changed"));
    let told = desk.api("commander", "GET", "/what-changed?service=label-print", Value::Null);
    let items = told["items"].as_array().unwrap();
    assert_eq!(rows(&desk, "changed"), items.len(), "{told:#}");
    let shown = browser.text("#changed");
    for key in items.iter().filter_map(|it| it["change"].as_str()) {
        assert!(shown.contains(key), "{key} is not in {shown}");
    }
}
