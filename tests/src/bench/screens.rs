//! Pages as a browser meets them: the server's time, the first paint on a fresh cache, the bytes over the wire, and how soon
//! another person's act appears on a page that is open.

use ::tests::browser::{Browser, Look, is_there};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::product::{Caller, Product, text_of};
use super::report::Line;

/// How often each act on an open page is timed.
const ACTS: usize = 10;
/// Server's time and first paint of the current page, in milliseconds.
const TIMES: &str = "const page = performance.getEntriesByType('navigation')[0];
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return [page.responseStart - page.requestStart, paint ? paint.startTime : page.domContentLoadedEventEnd];";
/// Notes the moment at which the line of news first appears.
const WATCH: &str = "window.seenAt = 0;
    const look = () => {
        if (window.seenAt === 0 && document.querySelector('.news-line')) window.seenAt = Date.now();
    };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
    return Date.now();";

/// The most that a page's server may take, in milliseconds, at the 95th of a hundred loads.
const SERVER: f64 = 50.0;
/// The latest first paint on a fresh cache, in milliseconds.
const PAINT: f64 = 1_000.0;
/// The most that a page may weigh with all it loads, in KiB.
const WEIGHT: f64 = 150.0;
/// The people whose home page is measured besides the change manager's, each with a session of its own.
const HOMES: [&str; 6] = ["requester", "owner", "implementer", "auditor", "executive", "admin"];
/// Pages of the change manager. In a path, `{key}` is a change that is under way and `{draft}` the newest draft.
const PAGES: [(&str, &str); 26] = [
    ("Home of a change manager", "/"),
    ("The list of changes", "/changes"),
    (
        "The list, filtered",
        "/changes?state=draft&risk=low&service=label-print",
    ),
    ("The list, by a common word", "/changes?q=rotate"),
    ("The list, by a rare word", "/changes?q=no77"),
    ("A change", "/changes/{key}"),
    ("A draft", "/changes/{draft}"),
    ("What a change reaches", "/changes/{key}/affected"),
    ("The runbook", "/changes/{key}/runbook"),
    ("The form of a change", "/changes/new"),
    ("The form of an edit", "/changes/{draft}/edit"),
    ("One act on several", "/changes/bulk?act=hold&key={key}&key={draft}"),
    ("The calendar, a week", "/calendar"),
    ("The calendar, a month", "/calendar?view=month"),
    ("The calendar, by service", "/calendar?view=service"),
    ("Dashboard of a change manager", "/dashboard/change_manager"),
    ("Dashboard of an executive", "/dashboard/executive"),
    ("Services", "/services"),
    ("A service", "/services/label-print"),
    ("Templates", "/templates"),
    ("Incidents", "/incidents"),
    ("Gate checks", "/gate-checks"),
    ("Policies", "/policies"),
    ("Messages", "/messages"),
    ("The account", "/account"),
    ("Help", "/help"),
];

/// Measures each page `loads` times. Without a browser one line reports that.
pub fn measure(product: &Product, loads: usize) -> Result<Vec<Line>> {
    if !is_there() {
        let missing = "no chromedriver: apt-get install chromium chromium-driver".to_owned();
        return Ok(vec![Line::told("Pages in a browser", missing, "–")]);
    }
    let browser = Browser::open_noting_wire();
    browser.look(Look::DESK);
    let mut lines = Vec::new();
    for role in HOMES {
        let base = sign_in(product, &browser, role)?;
        lines.push(one_page(
            &browser,
            &format!("Home of the demo's {role}"),
            &format!("{base}/"),
            loads,
        )?);
    }
    let base = sign_in(product, &browser, "change_manager")?;
    let mut caller = Caller::new(product)?;
    let mut newest = |state: &str| -> Result<String> {
        let path = format!("/changes?limit=1&state={state}");
        text_of(&caller.ask("change_manager", "GET", &path, None)?["items"][0], "key")
    };
    let (key, draft) = (newest("implementing")?, newest("draft")?);
    for (name, path) in PAGES {
        let path = path.replace("{key}", &key).replace("{draft}", &draft);
        lines.push(one_page(&browser, name, &format!("{base}{path}"), loads)?);
    }
    browser.go(&format!("{base}/changes/{key}"));
    lines.push(act_to_result(&browser, product, &key)?);
    Ok(lines)
}

/// Signs a role of the demo in; the tenant's address.
fn sign_in(product: &Product, browser: &Browser, role: &str) -> Result<String> {
    let person = product.person(role)?;
    let base = format!("http://{}/t/{}", product.address, text_of(&person, "tenant")?);
    browser.forget();
    browser.go(&format!("{base}/sign-in"));
    browser.pass_the_door(&person);
    Ok(base)
}

fn one_page(browser: &Browser, name: &str, url: &str, loads: usize) -> Result<Line> {
    let (mut server, mut paint, mut bytes) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..loads {
        browser.devtools("Network.clearBrowserCache", &json!({}));
        browser.wire();
        browser.go(url);
        ensure!(browser.has("main h1"), "{url} is no page:\n{}", browser.text("body"));
        let times = browser.run(TIMES, &[]);
        server.extend(times[0].as_f64());
        paint.extend(times[1].as_f64());
        bytes = bytes.max(weight(&browser.wire()));
    }
    let (server, paint, kib) = (p95(&mut server), p95(&mut paint), bytes / 1_024.0);
    Ok(Line {
        what: format!("{name}: the server's time and the first paint on a fresh cache, p95 of {loads}; weight"),
        figure: format!("{server:.1} ms, {paint:.0} ms, {kib:.0} KiB"),
        floor: "–".to_owned(),
        ratio: None,
        wanted: format!("under {SERVER:.0} ms, {PAINT:.0} ms, {WEIGHT:.0} KiB"),
        is_met: Some(server < SERVER && paint < PAINT && kib < WEIGHT),
    })
}

fn weight(events: &[(String, Value)]) -> f64 {
    let ended = events.iter().filter(|(name, _)| name == "loadingFinished");
    ended.filter_map(|(_, event)| event["encodedDataLength"].as_f64()).sum()
}

/// The value below which 95 of 100 lie; nothing measured is infinitely slow.
fn p95(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * 95).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or(f64::INFINITY)
}

/// From the request of another person's act until it appears on a page that is open.
fn act_to_result(browser: &Browser, product: &Product, key: &str) -> Result<Line> {
    let mut took = Vec::new();
    let url = browser.url();
    for number in 0..ACTS {
        browser.go(&url);
        browser.wait_for("the stream is open", "return document.readyState === 'complete';");
        let begun = browser.run(WATCH, &[]).as_f64().context("the browser has a clock")?;
        let text = json!({"text": format!("Seen, for the {number}th time.")});
        // The server ends a connection that is silent for seconds.
        let mut caller = Caller::new(product)?;
        caller.ask("owner", "POST", &format!("/changes/{key}/comments"), Some(&text))?;
        browser.wait_for("the act is told", "return window.seenAt > 0;");
        let seen = browser.run("return window.seenAt;", &[]).as_f64();
        took.extend(seen.map(|seen| seen - begun));
    }
    let what = format!("An act to its line on another's open page, p95 of {ACTS}");
    Ok(Line::under(what, p95(&mut took), "–", 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_the_slow_ones() {
        let mut values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(p95(&mut values), 19.0);
        assert_eq!(p95(&mut [7.0]), 7.0);
        assert!(p95(&mut []).is_infinite());
    }
}
