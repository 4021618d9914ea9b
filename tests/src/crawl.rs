//! The walk over every page of the demo, as for a person who looks at all of them: the roles, the pages that no link leads to,
//! and when a page is the same as one that was seen.

use std::collections::{BTreeSet, VecDeque};

use crate::Server;
use crate::furnish::furnish;

/// The roles that see different pages, each with pages that no link leads to and kinds of response that none shows.
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
    ("admin", &["/setup", "/search?q=label"]),
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
/// The changes that the page of one act on several needs beside its act: one that can, and one that cannot.
const PICKED: [&str; 2] = ["authorizing", "draft"];
/// Parts of addresses that lead to files and raw responses instead of pages.
const FILES: [&str; 17] = [
    ".atom",
    ".md",
    ".pdf",
    ".svg",
    ".ics",
    ".csv",
    ".xlsx",
    ".xes",
    ".zip",
    ".json",
    "/log/",
    "/.well-known/",
    "/evidence/",
    "/bundle",
    "/feed/",
    "/file/",
    "/assets/",
];
/// Parts of addresses that a name of the demo follows.
const LISTED: [&str; 6] = ["services", "templates", "people", "incidents", "groups", "connections"];
/// Parts of addresses that a name follows that is seen once alone: with a query all names are as good as one.
const ASKED: [&str; 2] = ["metrics", "dashboard"];
/// The fewest things to see; a walk that finds fewer has lost its way.
const FEWEST: usize = 50;

/// A page to look at.
#[derive(Debug, Clone, Copy)]
pub struct Stop<'p> {
    /// The role that walks.
    pub role: &'p str,
    /// The path within the tenant, with its query.
    pub path: &'p str,
    /// Whether it is the first page of this role, before which it signs in.
    pub is_first: bool,
}

impl Stop<'_> {
    /// Role and path, for reports about the page.
    pub fn name(&self) -> String {
        format!("{} {}", self.role, self.path)
    }
}

/// The identity of a page: its path, in which keys, numbers and long ids become a star, with each name of its query, or none. A
/// list that was seen filtered, and seen sorted, need not be seen filtered and sorted.
fn shapes(path: &str) -> Vec<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts: Vec<&str> = path.split('/').collect();
    for place in 1..parts.len() {
        let is_key = parts[place].chars().any(|c| c.is_ascii_digit()) || parts[place].len() > 24;
        let is_asked = !query.is_empty() && ASKED.contains(&parts[place - 1]);
        if is_key || is_asked || LISTED.contains(&parts[place - 1]) {
            parts[place] = "*";
        }
    }
    let path = parts.join("/");
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    names.map(|name| format!("{path}?{name}")).collect()
}

/// The path within the tenant that a link leads to, when there is a page.
fn own(link: &str) -> Option<String> {
    let path = link.strip_prefix("/t/halden")?.split('#').next()?;
    let bare = path.split('?').next()?;
    let is_page = path.starts_with('/') && !FILES.iter().any(|file| bare.contains(file));
    is_page.then(|| path.to_owned())
}

/// Furnishes the demo and walks: `look` sees each kind of page, alone and with each name of its query, and returns its links;
/// the first page of each role, pages that no link leads to and a change in each state are always seen. Returns the number of
/// pages.
pub fn every_page(server: &Server, mut look: impl FnMut(Stop<'_>) -> Vec<String>) -> usize {
    let furnished = furnish(server);
    let mut seen = BTreeSet::new();
    for (role, also) in ROLES {
        let mut ahead: VecDeque<String> = std::iter::once("/")
            .chain(also.iter().copied())
            .map(str::to_owned)
            .collect();
        if role == "change_manager" {
            ahead.extend(change_pages(server));
            ahead.extend(furnished.iter().cloned());
        }
        let forced = ahead.len();
        let mut place = 0;
        while let Some(path) = ahead.pop_front() {
            let is_forced = place < forced;
            place += 1;
            let known = seen.len();
            seen.extend(shapes(&path));
            if seen.len() == known && !is_forced {
                continue;
            }
            let stop = Stop {
                role,
                path: &path,
                is_first: place == 1,
            };
            println!("{}", stop.name());
            ahead.extend(look(stop).iter().filter_map(|link| own(link)));
        }
    }
    assert!(seen.len() >= FEWEST, "the walk found only {seen:?}");
    seen.len()
}

/// The page of one change in each state, and the preview of one act on two of them.
fn change_pages(server: &Server) -> Vec<String> {
    let token = server.token("change_manager");
    let key = |state: &str| {
        let path = format!("/api/v1/changes?limit=1&state={state}");
        let list = server.must("GET", &path, &token, None);
        let key = list["items"][0]["key"].as_str();
        key.unwrap_or_else(|| panic!("the demo has no change that is {state}"))
            .to_owned()
    };
    let mut pages: Vec<String> = STATES.iter().map(|state| format!("/changes/{}", key(state))).collect();
    let picked = PICKED.map(|state| format!("&key={}", key(state))).concat();
    pages.extend(["approve", "hold", "watch"].map(|act| format!("/changes/bulk?act={act}{picked}")));
    pages
}
