//! Pages in other languages: every page of the demo is walked, and every text on it is either people's, or has words.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tests::session::{Session, links};
use tests::{Place, Server, root};

/// The roles that see different pages, and pages that no link leads to.
const ROLES: [(&str, &[&str]); 10] = [
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
const STATES: [&str; 10] = [
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
/// Parts of addresses that lead to files.
const FILES: [&str; 9] = [
    ".ics",
    ".csv",
    ".xlsx",
    ".zip",
    "/log/",
    "/evidence/",
    "/bundle",
    "/feed/",
    "/assets/",
];

/// A path by its shape: keys and long ids become a star, and of the query only the names stay.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts: Vec<&str> = path.split('/').collect();
    for place in 1..parts.len() {
        let is_key = parts[place].chars().any(|c| c.is_ascii_digit()) || parts[place].len() > 24;
        let is_listed =
            ["services", "templates", "people", "incidents", "groups", "connections"].contains(&parts[place - 1]);
        if is_key || is_listed {
            parts[place] = "*";
        }
    }
    let mut names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.sort_unstable();
    names.dedup();
    format!("{}?{}", parts.join("/"), names.join("&"))
}

/// Every page that a role can walk to, in English; `seen` are the shapes that were looked at before.
fn walk(server: &Server, role: &str, also: &[&str], seen: &mut BTreeSet<String>) -> BTreeMap<String, String> {
    let session = Session::begin(server, role);
    let mut ahead: VecDeque<String> = std::iter::once("/".to_owned())
        .chain(also.iter().map(|path| (*path).to_owned()))
        .collect();
    if role == "change_manager" {
        let token = server.token(role);
        for state in STATES {
            let path = format!("/api/v1/changes?limit=1&state={state}");
            let list = server.must("GET", &path, &token, None);
            ahead.push_back(format!("/changes/{}", list["items"][0]["key"].as_str().unwrap()));
        }
    }
    let mut forced = ahead.len();
    let mut found = BTreeMap::new();
    while let Some(path) = ahead.pop_front() {
        let is_forced = forced > 0;
        forced = forced.saturating_sub(1);
        if !seen.insert(shape(&path)) && !is_forced {
            continue;
        }
        let page = session.get(&format!("/t/halden{path}"));
        if !page.body.starts_with("<!doctype html>") {
            continue;
        }
        let own = links(&page.body).into_iter().filter_map(|link| {
            let link = link.strip_prefix("/t/halden")?.split('#').next()?.to_owned();
            (link.starts_with('/') && !FILES.iter().any(|file| link.contains(file))).then_some(link)
        });
        ahead.extend(own);
        found.insert(format!("{role} {path}"), page.body);
    }
    found
}

fn every_page(server: &Server) -> BTreeMap<String, String> {
    let mut seen = BTreeSet::new();
    let mut pages = BTreeMap::new();
    for (role, also) in ROLES {
        pages.extend(walk(server, role, also, &mut seen));
    }
    assert!(seen.len() >= 30, "the walk found only {seen:?}");
    pages
}

/// What is not looked up for want of words, a line each: names and titles of the demo, and what nobody translated yet.
const KNOWN: &str = "tests/e2e/languages.txt";

/// The same text with a hash for each number, so that a figure that moves is no other text.
fn without_figures(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            other => out.push(other),
        }
    }
    out
}

#[test]
fn every_text_on_every_page_is_peoples_or_has_words_in_each_language() {
    let place = Place::demo("languages");
    let server = Server::start(&place, true);
    let pages = every_page(&server);
    let mut unknown: BTreeMap<String, String> = BTreeMap::new();
    for (tag, _) in pages::language::CHOICES {
        let Some(language) = pages::language::find(tag) else {
            continue;
        };
        for (name, page) in &pages {
            for text in language.unknown(page) {
                unknown
                    .entry(without_figures(&text))
                    .or_insert_with(|| format!("{tag}: {name}: {text}"));
            }
        }
    }
    let list = root().join(KNOWN);
    if std::env::var_os("ASSENT_BLESS").is_some() {
        let lines: String = unknown.keys().map(|text| format!("{text}\n")).collect();
        std::fs::write(&list, lines).unwrap();
    }
    let known = std::fs::read_to_string(&list).unwrap();
    let known: BTreeSet<&str> = known.lines().collect();
    let new: Vec<&String> = unknown
        .iter()
        .filter(|(text, _)| !known.contains(text.as_str()))
        .map(|(_, told)| told)
        .collect();
    assert!(
        new.is_empty(),
        "{} texts have no words: add them to crates/pages/languages, or mark them as people's\n{new:#?}",
        new.len()
    );
}
