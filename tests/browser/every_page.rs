//! What every page of the demo keeps: nothing for axe to find, nothing asked of another host, nothing refused by the
//! Content-Security-Policy, no sideways scrolling at a zoom of 400 %, both themes, the same words without script.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;
use tests::browser::Look;

use crate::desk::Desk;

/// The most a page may weigh with all that it loads on a fresh cache, in bytes over the wire.
const MOST_BYTES: f64 = 150.0 * 1024.0;

/// Pages that no link leads to, and each state of a change and each kind of answer.
const ALSO: &[(&str, &[&str])] = &[
    (
        "change_manager",
        &[
            "/components",
            "/nowhere",
            "/changes?q=zzzz",
            "/changes?state=open&risk=high",
        ],
    ),
    ("admin", &[]),
    (
        "auditor",
        &[
            "/audit/sample",
            "/calendar?view=month",
            "/calendar?view=service",
            "/calendar?view=day",
        ],
    ),
    ("requester", &["/changes/new"]),
    ("owner", &[]),
    ("security", &[]),
    ("implementer", &[]),
    ("executive", &[]),
    ("commander", &[]),
    ("vendor", &[]),
];
/// The states whose page is looked at, for the acts differ.
const STATES: &[&str] = &[
    "draft",
    "assessing",
    "authorizing",
    "approved",
    "scheduled",
    "implementing",
    "reviewing",
    "closed",
    "rejected",
    "cancelled",
];

/// A path by its shape: keys, numbers and long ids become a star, and of the query only the names stay.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let named = |part: &str| part.chars().any(|c| c.is_ascii_digit()) || part.len() > 24;
    let mut parts: Vec<&str> = path.split('/').collect();
    let is_listed = ["services", "templates", "people", "incidents", "groups", "connections"];
    for place in 1..parts.len() {
        if named(parts[place]) || is_listed.contains(&parts[place - 1]) {
            parts[place] = "*";
        }
    }
    let mut names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.sort_unstable();
    names.dedup();
    format!("{}?{}", parts.join("/"), names.join("&"))
}

/// What was found wrong, over all pages.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn add(&mut self, page: &str, what: impl AsRef<str>) {
        self.0.push(format!("{page}: {}", what.as_ref()));
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
        // The page of a 404 is a page too; that it is one is what the browser tells here.
        if level == "SEVERE" && !line.contains("the server responded with a status of 404") {
            findings.add(page, format!("the console says: {line}"));
        }
    }
}

/// The words of the page, without those that only a script can keep true: distances that tick between two loads.
fn words(desk: &Desk) -> String {
    let script = "const all = [...document.querySelectorAll('main')];
        all.flatMap((one) => [...one.querySelectorAll('[data-script-only]')]).forEach((one) => { one.hidden = true; });
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

/// Looks at a page in every way; answers the paths that it links to.
fn check(desk: &Desk, role: &str, path: &str, findings: &mut Findings) -> Vec<String> {
    let page = format!("{role} {path}");
    let browser = &desk.browser;
    browser.look(Look::DESK);
    desk.go(path);
    if !browser.has("h1") {
        findings.add(&page, format!("has no heading: {}", browser.text("body")));
    }
    let told = words(desk);
    check_wire(desk, &page, findings);
    check_look(desk, &page, Look::DESK, findings);
    check_look(desk, &page, Look::ZOOMED_DARK, findings);
    browser.look(Look::DESK);
    browser.set_scripts(false);
    desk.go(path);
    let plain = words(desk);
    browser.set_scripts(true);
    if let Some((with, without)) = first_difference(&told, &plain) {
        findings.add(&page, format!("says `{with}` with script and `{without}` without"));
    }
    check_wire(desk, &page, findings);
    check_console(desk, &page, findings);
    let links = browser.run(
        "return [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'));",
        &[],
    );
    let links = links.as_array().cloned().unwrap_or_default();
    let own = |link: &Value| Some(link.as_str()?.strip_prefix("/t/halden")?.split('#').next()?.to_owned());
    links.iter().filter_map(own).filter(|link| !is_file(link)).collect()
}

/// Whether a link leads to a file or a raw answer instead of a page.
fn is_file(link: &str) -> bool {
    let path = link.split('?').next().unwrap_or_default();
    let files = [
        ".ics",
        ".csv",
        ".xlsx",
        ".zip",
        ".json",
        "/log/",
        "/.well-known/",
        "/evidence/",
        "/bundle",
        "/feed",
    ];
    files.iter().any(|part| path.contains(part))
}

#[test]
fn every_page_is_clean_in_both_themes_at_a_zoom_of_400_percent_and_without_script() {
    let desk = Desk::open();
    let mut findings = Findings::default();
    let mut seen = BTreeSet::new();
    desk.browser.go(&desk.at("/sign-in"));
    for finding in desk.browser.axe() {
        findings.add("the door", finding);
    }
    for (role, also) in ALSO {
        desk.sign_in(role);
        desk.browser.wire();
        let mut ahead: VecDeque<String> = std::iter::once("/")
            .chain(also.iter().copied())
            .map(str::to_owned)
            .collect();
        if *role == "change_manager" {
            ahead.extend(change_pages(&desk));
        }
        let mut forced = ahead.len();
        while let Some(path) = ahead.pop_front() {
            let is_forced = forced > 0;
            forced = forced.saturating_sub(1);
            if !seen.insert(shape(&path)) && !is_forced {
                continue;
            }
            println!("{role} {path}");
            ahead.extend(check(&desk, role, &path, &mut findings));
        }
    }
    assert!(seen.len() >= 30, "the crawl found only {seen:?}");
    assert!(
        findings.0.is_empty(),
        "{} findings\n{}",
        findings.0.len(),
        findings.0.join("\n")
    );
}

/// The page of one change in each state.
fn change_pages(desk: &Desk) -> Vec<String> {
    let first = |state: &str| {
        let list = desk.api(
            "change_manager",
            "GET",
            &format!("/changes?limit=1&state={state}"),
            Value::Null,
        );
        let key = list["items"][0]["key"]
            .as_str()
            .unwrap_or_else(|| panic!("the demo has no change that is {state}"));
        format!("/changes/{key}")
    };
    STATES.iter().map(|state| first(state)).collect()
}
