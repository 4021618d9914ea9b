//! The pages of observers: figures with the changes behind them, a log that is narrowed, reports with headings; and a
//! template's next version, approved by a person with that right.

use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn an_executive_follows_each_figure_to_the_changes_that_it_is_counted_from() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("executive");
    browser.set_scripts(false);
    desk.go("/");
    browser.wait_for_words("How changes go: the last 30 days");
    desk.look_at("oversight/executive-home");
    let figure = |words: &str| {
        let script = "const one = [...document.querySelectorAll('#success .figure')].find((it) => it.innerText.includes(arguments[0]));
            return [one.querySelector('.val').innerText, one.querySelector('.sub').innerText, one.querySelector('a').getAttribute('href')];";
        let found = browser.run(script, &[json!(words)]);
        [0, 1, 2].map(|place| found[place].as_str().unwrap().to_owned())
    };
    let [rate, of, rows] = figure("Changes that succeeded");
    browser.go(&format!("{}{rows}", desk.server.url));
    desk.look_at("oversight/ended");
    let count = |section: &str| {
        let script = "return document.querySelectorAll(arguments[0] + ' tbody tr').length;";
        browser.run(script, &[json!(section)]).as_i64().unwrap()
    };
    let (well, ill) = (count("#well"), count("#ill"));
    assert!(well > 0, "the demo's changes end in these days");
    assert!(of.starts_with(&format!("{well} of {}, likely", well + ill)), "{of}");
    let percent = (well * 200 + (well + ill)) / (2 * (well + ill));
    assert_eq!(rate, format!("{percent} %"));
    desk.go("/");
    let [waiting, _, rows] = figure("Changes that wait for a decision");
    browser.go(&format!("{}{rows}", desk.server.url));
    assert_eq!(count(".cq").to_string(), waiting, "the list holds as many");
}

#[test]
fn a_change_manager_opens_the_rows_behind_a_metric_and_reads_every_chart_as_a_table() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    browser.set_scripts(false);
    desk.go("/metrics");
    browser.wait_for_words("Time to approve");
    desk.look_at("oversight/metrics");
    let unnamed = browser.run(
        "return [...document.querySelectorAll('main svg.chart')].filter((it) => !it.getAttribute('aria-label')).length;",
        &[],
    );
    assert_eq!(unnamed, json!(0), "each chart says what it shows");
    let without = browser.run(
        "return [...document.querySelectorAll('main section')].filter((it) => it.querySelector('svg.chart') && \
            !it.querySelector('details table')).map((it) => it.id);",
        &[],
    );
    assert_eq!(without, json!([]), "a table stands behind each chart");
    let script = "const one = [...document.querySelectorAll('#figures .figure')].find((it) => it.innerText.includes('Changes that succeeded'));
        return [one.querySelector('.sub').innerText, one.querySelector('a').getAttribute('href')];";
    let found = browser.run(script, &[]);
    let [of, rows] = [0, 1].map(|place| found[place].as_str().unwrap().to_owned());
    browser.go(&format!("{}{rows}", desk.server.url));
    desk.look_at("oversight/metric");
    let count = browser.run("return document.querySelectorAll('#rows tbody tr').length;", &[]);
    let count = count.as_i64().unwrap();
    assert!(count > 0 && of.contains(&format!(" of {count};")), "{of}: {count} rows");
}

#[test]
fn an_auditor_narrows_the_log_and_opens_what_a_record_is_called() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.set_scripts(false);
    desk.go("/audit");
    browser.click_words("Filter");
    browser.set("[name=kind]", "approval");
    desk.look_at("oversight/log-filter");
    browser.leave_by(|| browser.click_words("Show these"));
    let kinds = browser.run(
        "return [...document.querySelectorAll('#entries code')].map((one) => one.innerText);",
        &[],
    );
    let kinds: Vec<&str> = kinds.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        !kinds.is_empty() && kinds.iter().all(|kind| kind.starts_with("approval.")),
        "{kinds:?}"
    );
    desk.look_at("oversight/log-narrowed");
    browser.leave_by(|| browser.click(".chip.on"));
    assert!(!browser.has(".chip.on"), "the chip takes its filter away");
    desk.go("/audit?kind=approval.given");
    browser.leave_by(|| browser.click("#entries a[href*='/audit/events/']"));
    browser.wait_for_words("Approval by");
    desk.look_at("oversight/log-entry");
}

#[test]
fn reports_on_rights_and_gateways_stand_under_headings() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("auditor");
    browser.set_scripts(false);
    desk.go("/rights");
    let found = browser.text("#summary");
    for words in ["Targets that nobody can approve", "Rights not used in 90 days"] {
        assert!(found.contains(words), "{found}");
    }
    let rows = "return [...document.querySelectorAll('#alone tbody tr')].every((row) => row.querySelectorAll('td:last-child a').length <= 4);";
    assert_eq!(
        browser.run(rows, &[]),
        true,
        "a row names a few places and counts the rest"
    );
    desk.look_at("oversight/rights");
    desk.go("/gateways");
    for id in ["unmatched", "amiss", "refused", "waits"] {
        assert!(browser.has(&format!("section#{id} h2")), "{id}");
    }
    desk.look_at("oversight/gateways");
}

#[test]
fn the_next_version_of_a_template_is_approved_by_its_button() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let next = json!({
        "key": "restart-label-print", "title": "Restart label printing", "services": ["label-print"],
        "environments": ["production"], "free": ["planned_start", "planned_end"],
        "locked": {
            "category": "application", "complexity": "low", "description": "Restart the spooler on all three nodes.",
            "justification": "The spooler holds memory after two weeks.", "plan": [{"title": "Restart each node"}],
            "rollback_plan": [{"title": "Fail over to the spare printer server", "minutes": 5}],
        },
    });
    desk.api("requester", "POST", "/templates", next);
    for role in ["owner", "change_manager"] {
        desk.sign_in(role);
        browser.set_scripts(false);
        desk.go("/templates/restart-label-print");
        let script = "return [...document.querySelectorAll('main button, main summary, main a')]
            .filter((one) => one.matches('.go') && one.checkVisibility()).map((one) => one.innerText.trim());";
        assert_eq!(
            browser.run(script, &[]),
            json!(["Approve v2"]),
            "one act stands out, as {role}"
        );
        browser.leave_by(|| browser.click_words("Approve v2"));
    }
    browser.wait_for_words("Restart each node");
    let after = desk.api("requester", "GET", "/templates/restart-label-print", Value::Null);
    assert_eq!(
        (&after["template_version"], &after["state"]),
        (&json!(2), &json!("approved"))
    );
    assert!(!browser.text("main").contains("Approve v2"));
}
