//! The rules for every page of the demo: no finding of axe, no request to another host, nothing refused by the
//! Content-Security-Policy, no sideways scrolling at a zoom of 400 %, both themes, the same text without script.

use serde_json::Value;
use tests::browser::Look;
use tests::crawl::{Stop, every_page};

use crate::desk::Desk;
use crate::parts::Parts;

/// The most a page may weigh with all that it loads on a fresh cache, in bytes over the wire.
const MOST_BYTES: f64 = 150.0 * 1024.0;

/// The faults, over all pages.
#[derive(Default)]
pub struct Findings(Vec<String>);

impl Findings {
    /// One more.
    pub fn add(&mut self, page: &str, what: impl AsRef<str>) {
        self.0.push(format!("{page}: {}", what.as_ref()));
    }

    /// Fails with all of them.
    pub fn must_be_none(&self) {
        assert!(self.0.is_empty(), "{} findings\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// All that went over the wire since the last look stayed on this host, and was not too much.
fn check_wire(desk: &Desk, page: &str, findings: &mut Findings) {
    let mut bytes = 0.0;
    for (name, event) in desk.browser.wire() {
        if name == "requestWillBeSent" {
            let url = event["request"]["url"].as_str().unwrap_or_default();
            if !url.starts_with(&desk.server.url) && !url.starts_with("data:") {
                findings.add(page, format!("asks {url}"));
            }
        }
        if name == "loadingFinished" {
            bytes += event["encodedDataLength"].as_f64().unwrap_or_default();
        }
    }
    if bytes > MOST_BYTES {
        findings.add(page, format!("weighs {bytes} bytes"));
    }
}

fn check_console(desk: &Desk, page: &str, findings: &mut Findings) {
    for (level, line) in desk.browser.console() {
        // The page of a 404 is a page too; the browser reports its status here.
        if level == "SEVERE" && !line.contains("the server responded with a status of 404") {
            findings.add(page, format!("the console says: {line}"));
        }
    }
}

/// The text of the page, without the parts that only a script can keep true, distances that tick between two loads, and the
/// text of a list's picked rows: a script puts a box for the link in its head and text for the number that styles count.
fn words(desk: &Desk) -> String {
    let script = "const all = [...document.querySelectorAll('main')];
        const apart = '[data-script-only], [data-pick-all], [data-picked]';
        all.flatMap((one) => [...one.querySelectorAll(apart)]).forEach((one) => { one.hidden = true; });
        return all.map((one) => one.innerText).join('\\n')
        .replace(/\\d+ (s|min|minutes?|seconds?) ago/g, 'ago').replace(/in \\d+ (s|min|h)/g, 'in');";
    desk.browser.run(script, &[]).as_str().unwrap_or_default().to_owned()
}

/// The first line in which two texts differ.
fn first_difference<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return None,
            (left, right) if left == right => {}
            (left, right) => return Some((left.unwrap_or_default(), right.unwrap_or_default())),
        }
    }
}

fn check_look(desk: &Desk, page: &str, look: Look, findings: &mut Findings) {
    desk.browser.look(look);
    for finding in desk.browser.axe() {
        findings.add(page, format!("{}: axe: {finding}", look.name()));
    }
    check_width(desk, page, look, findings);
}

/// Nothing makes the window scroll sideways.
fn check_width(desk: &Desk, page: &str, look: Look, findings: &mut Findings) {
    let script = "const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        if (wide <= 0) return '';
        const isHeld = (one) => one && one !== document.body &&
            (getComputedStyle(one).overflowX !== 'visible' || isHeld(one.parentElement));
        const far = [...document.querySelectorAll('main *, .top *')].filter((one) =>
            one.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !isHeld(one.parentElement));
        return `${wide} px too wide: ` + far.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(' | ');";
    let wide = desk.browser.run(script, &[]);
    if wide != "" {
        findings.add(page, format!("{}: {wide}", look.name()));
    }
}

/// Looks at a page in every way, where it has a new part, and returns its links.
fn check(desk: &Desk, stop: Stop<'_>, parts: &mut Parts, findings: &mut Findings) -> Vec<String> {
    let (page, path) = (stop.name(), stop.path);
    let browser = &desk.browser;
    browser.look(Look::DESK);
    desk.go(path);
    if !browser.has("h1") {
        findings.add(&page, format!("has no heading: {}", browser.text("body")));
    }
    let told = words(desk);
    check_wire(desk, &page, findings);
    if parts.are_new(desk) {
        check_look(desk, &page, Look::DESK, findings);
        check_look(desk, &page, Look::ZOOMED_DARK, findings);
    } else {
        check_width(desk, &page, Look::DESK, findings);
        browser.look(Look::ZOOMED_DARK);
        check_width(desk, &page, Look::ZOOMED_DARK, findings);
    }
    browser.look(Look::DESK);
    browser.set_scripts(false);
    desk.go(path);
    let plain = words(desk);
    browser.set_scripts(true);
    if first_difference(&told, &plain).is_some() {
        // A page that shows the time of day shows another one a minute later, so it is fetched once more at once.
        desk.go(path);
        if let Some((with, without)) = first_difference(&words(desk), &plain) {
            findings.add(&page, format!("says `{with}` with script and `{without}` without"));
        }
    }
    check_wire(desk, &page, findings);
    check_console(desk, &page, findings);
    links(desk)
}

/// The links of the page.
pub fn links(desk: &Desk) -> Vec<String> {
    let script = "return [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'));";
    let links = desk.browser.run(script, &[]);
    let links = links.as_array().cloned().unwrap_or_default();
    links.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn every_page_is_clean_in_both_themes_at_a_zoom_of_400_percent_and_without_script() {
    let mut desk = Desk::open_noting_wire();
    // A minute that passes between two loads of a page would be a difference between them.
    let now = desk.server.server_time();
    desk.server.hold_clock(now);
    let (mut parts, mut findings) = (Parts::new(), Findings::default());
    desk.browser.go(&desk.at("/sign-in"));
    for finding in desk.browser.axe() {
        findings.add("the door", finding);
    }
    every_page(&desk.server, |stop| {
        if stop.is_first {
            desk.sign_in(stop.role);
            desk.browser.wire();
        }
        check(&desk, stop, &mut parts, &mut findings)
    });
    findings.must_be_none();
}

/// German texts are longer than English ones. The other roles see the same pages with fewer acts.
#[test]
fn no_page_scrolls_sideways_in_german_at_a_zoom_of_400_percent() {
    let desk = Desk::open();
    let mut findings = Findings::default();
    every_page(&desk.server, |stop| {
        if !matches!(stop.role, "change_manager" | "admin") {
            return Vec::new();
        }
        if stop.is_first {
            desk.sign_in(stop.role);
            desk.browser.look(Look::ZOOMED_DARK);
            desk.go("/?language=de");
        }
        desk.go(stop.path);
        check_width(&desk, &stop.name(), Look::ZOOMED_DARK, &mut findings);
        links(&desk)
    });
    findings.must_be_none();
}
