//! Pages as a browser meets them: how long the server takes, the first paint on a fresh cache, what goes over the wire, and
//! how soon somebody else's act stands on a page that is open.

use ::tests::browser::{Browser, Look, is_there};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::product::{Caller, Product, text_of};
use super::report::Line;

/// How often each act on an open page is timed.
const ACTS: usize = 10;
/// Server's time and first paint of the page that stands, in milliseconds.
const TIMES: &str = "const page = performance.getEntriesByType('navigation')[0];
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return [page.responseStart - page.requestStart, paint ? paint.startTime : page.domContentLoadedEventEnd];";
/// Notes the moment at which the line of news first stands there.
const WATCH: &str = "window.seenAt = 0;
    const look = () => {
        if (window.seenAt === 0 && document.querySelector('.news-line')) window.seenAt = Date.now();
    };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
    return Date.now();";

/// Measures each page `loads` times. Without a browser one line says so.
pub fn measure(product: &Product, loads: usize) -> Result<Vec<Line>> {
    if !is_there() {
        let missing = "no chromedriver: apt-get install chromium chromium-driver".to_owned();
        return Ok(vec![Line::told("Pages in a browser", missing, "–")]);
    }
    let browser = Browser::open();
    browser.look(Look::DESK);
    let base = sign_in(product, &browser)?;
    let mut caller = Caller::new(product)?;
    let found = caller.ask("change_manager", "GET", "/changes?limit=1", None)?;
    let key = text_of(&found["items"][0], "key")?;
    let change = format!("/changes/{key}");
    let pages = [
        ("Home", "/"),
        ("The list of changes", "/changes"),
        ("A change", change.as_str()),
        ("The calendar", "/calendar"),
        ("The form of a change", "/changes/new"),
    ];
    let mut lines = Vec::new();
    for (name, path) in pages {
        lines.extend(one_page(&browser, (name, &format!("{base}{path}")), loads));
    }
    browser.go(&format!("{base}{change}"));
    lines.push(act_to_result(&browser, product, &key)?);
    Ok(lines)
}

/// Signs the change manager of the demo in; the tenant's address.
fn sign_in(product: &Product, browser: &Browser) -> Result<String> {
    let person = product.person("change_manager")?;
    let word = |name: &str| text_of(&person, name);
    let base = format!("http://{}/t/{}", product.address, word("tenant")?);
    browser.go(&format!("{base}/sign-in"));
    browser.type_into("input[name=login]", &word("login")?);
    browser.type_into("input[name=password]", &word("password")?);
    browser.leave_by(|| browser.click("form button"));
    Ok(base)
}

fn one_page(browser: &Browser, (name, url): (&str, &str), loads: usize) -> [Line; 3] {
    let (mut server, mut paint, mut bytes) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..loads {
        browser.devtools("Network.clearBrowserCache", &json!({}));
        browser.wire();
        browser.go(url);
        let times = browser.run(TIMES, &[]);
        server.extend(times[0].as_f64());
        paint.extend(times[1].as_f64());
        bytes = bytes.max(weight(&browser.wire()));
    }
    let kib = bytes / 1_024.0;
    [
        Line::under(
            format!("{name}: the server's time, p95 of {loads}"),
            p95(&mut server),
            "–",
            50.0,
        ),
        Line::under(
            format!("{name}: first paint on a fresh cache, p95 of {loads}"),
            p95(&mut paint),
            "–",
            1_000.0,
        ),
        Line::below(
            format!("{name}: weight with all it loads"),
            kib,
            format!("{kib:.0} KiB"),
            150.0,
            "KiB",
        ),
    ]
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

/// From the request of somebody else's act until it is told on a page that is open.
fn act_to_result(browser: &Browser, product: &Product, key: &str) -> Result<Line> {
    let mut took = Vec::new();
    let url = browser.url();
    for number in 0..ACTS {
        browser.go(&url);
        browser.wait_for("the stream is open", "return document.readyState === 'complete';");
        let begun = browser.run(WATCH, &[]).as_f64().context("the browser has a clock")?;
        let text = json!({"text": format!("Seen, for the {number}th time.")});
        // The server ends a connection that says nothing for seconds.
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
