//! The screenshots of the documentation site: each page that it names, as the demo shows it.

use std::collections::BTreeSet;

use tests::browser::Look;
use tests::root;

use crate::desk::Desk;

/// The smallest picture of a page with text, in bytes: an empty one has fewer.
const SMALLEST: u64 = 8_000;

/// The pages: the picture's name, the role, the path, and a text that is there when the page is.
const SCREENS: &[(&str, &str, &str, &str)] = &[
    ("site/requester-home", "requester", "/", "Changes"),
    ("site/decision-card", "security", "/changes/{key}", "Approve"),
    ("site/calendar", "implementer", "/calendar", "Calendar"),
];

/// The names of the pictures that the pages of the site use.
fn wanted() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("docs/site")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "md") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let marks = text.lines().filter_map(|line| line.strip_prefix("<!-- picture "));
        found.extend(
            marks
                .filter_map(|mark| mark.split_once(": "))
                .map(|(name, _)| name.to_owned()),
        );
    }
    found
}

#[test]
fn every_screenshot_that_the_documentation_asks_for_is_taken() {
    let taken: BTreeSet<String> = SCREENS.iter().map(|screen| screen.0.to_owned()).collect();
    assert_eq!(
        taken,
        wanted(),
        "the pages of docs/site and this test name the same pictures"
    );
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    browser.look(Look::DESK);
    for (name, role, path, words) in SCREENS {
        desk.sign_in(role);
        desk.go(&path.replace("{key}", change["key"].as_str().unwrap()));
        browser.wait_for_words(words);
        let picture = browser.picture(name, false);
        let size = std::fs::metadata(&picture).unwrap().len();
        assert!(size >= SMALLEST, "{} is nearly empty: {size} bytes", picture.display());
    }
}
