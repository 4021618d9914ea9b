//! Pages in other languages: every page of the demo is walked, and every text on it is either people's, or translated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use tests::left_english::left_english;
use tests::session::{Session, links};
use tests::{Place, Server, crawl, root};

/// Every page of the demo, walked to once for all tests; what the server looked up for them, it looked up by an index.
fn every_page_of_demo() -> &'static BTreeMap<String, String> {
    static PAGES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    PAGES.get_or_init(|| {
        let place = Place::demo("languages");
        let server = Server::start_saying(&place, crate::platform::plans::LEVELS);
        let pages = every_page(&server);
        crate::platform::plans::must_look_up(&place, &server);
        pages
    })
}

/// Every page that a role can walk to, in English, by role and path.
fn every_page(server: &Server) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut session = None;
    crawl::every_page(server, |stop| {
        if stop.is_first {
            session = Some(Session::begin(server, stop.role));
        }
        let Some(session) = &session else { return Vec::new() };
        let page = session.get(&format!("/t/halden{}", stop.path));
        if !page.body.starts_with("<!doctype html>") {
            return Vec::new();
        }
        let found = links(&page.body);
        pages.insert(stop.name(), page.body);
        found
    });
    pages
}

/// Texts that are not looked up, a line each: names and titles of the demo, and texts that nobody translated yet.
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

/// A page without its title where its heading is people's text, which the title repeats unmarked.
fn without_title_of_others(page: &str) -> String {
    let heading = page.split_once("<h1").and_then(|(_, rest)| rest.split_once("</h1>"));
    let is_said = heading.is_some_and(|(heading, _)| heading.contains("translate=\"no\""));
    match (is_said, page.split_once("<title>"), page.split_once("</title>")) {
        (true, Some((before, _)), Some((_, behind))) => format!("{before}<title></title>{behind}"),
        _ => page.to_owned(),
    }
}

#[test]
fn every_text_on_every_page_is_peoples_or_has_words_in_each_language() {
    let pages = every_page_of_demo();
    let mut unknown: BTreeMap<String, String> = BTreeMap::new();
    for (tag, _) in pages::language::CHOICES {
        let Some(language) = pages::language::find(tag) else {
            continue;
        };
        for (name, page) in pages {
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

/// Texts of the demo's people, where they are unmarked within a sentence of the product; and the value of a parameter in its
/// own quotation marks, which is typed unchanged.
const SAID: [&str; 20] = [
    "Add an index to the ledger's posting table",
    "Add the missing case to the test data",
    "Correct the fuel surcharge for ferries",
    "Patch the warehouse hosts",
    "Print return labels in two languages",
    "Print the customs reference on every label",
    "Replace the rollers of line two",
    "Send invoices as structured data to the public sector",
    "Somebody watches the first hundred labels.",
    "Tell the docks",
    "The gateway would answer to any address. Restrict it first.",
    "The status page gets the figure from elsewhere.",
    "Try it at full speed in staging",
    "Warn at 400 jobs",
    "Watch the driver's connections",
    "We wait for the new surcharge table.",
    "do not disturb",
    "out of office",
    "push to refs/heads/main",
    "„none“",
];

#[test]
fn no_sentence_is_said_half_in_english() {
    let pages = every_page_of_demo();
    let mut half: BTreeMap<String, String> = BTreeMap::new();
    for (tag, _) in pages::language::CHOICES {
        let Some(language) = pages::language::find(tag) else {
            continue;
        };
        // The page of all parts shows texts of people as samples.
        for (name, page) in pages.iter().filter(|(name, _)| !name.contains("/components")) {
            let page = SAID
                .iter()
                .fold(without_title_of_others(&language.page(page)), |page, said| {
                    page.replace(&said.replace('\'', "&#39;"), "‹")
                });
            for text in left_english(&page) {
                half.entry(without_figures(&text))
                    .or_insert_with(|| format!("{tag}: {name}: {text}"));
            }
        }
    }
    let told: Vec<&String> = half.values().collect();
    assert!(
        told.is_empty(),
        "{} sentences are half in English\n{told:#?}",
        told.len()
    );
}

#[test]
fn what_is_wrong_with_a_field_is_said_in_each_language_beside_it_and_above_the_form() {
    let place = Place::demo("languages-errors");
    let server = Server::start(&place, true);
    let wrong = [
        ("title", "Swap a cable"),
        ("targets.0.service", "wms"),
        ("targets.0.environment", "production"),
        ("plan.0.title", "Swap it"),
        ("plan.0.minutes", "soon"),
        ("owner", "nobody-here"),
        ("act", "submit"),
    ];
    let page = Session::begin(&server, "requester")
        .form("/t/halden/changes", &wrong)
        .body;
    let english = page.matches("There is no person with the login `nobody-here`.").count();
    assert_eq!(english, 2, "above the form and beside the field");
    for (tag, _) in pages::language::CHOICES {
        let Some(language) = pages::language::find(tag) else {
            continue;
        };
        let said = language.text("There is no person with the login `nobody-here`.");
        let here = language.page(&page);
        assert_eq!(here.matches(&said).count(), 2, "{tag}: {said}");
        let number = language.text("“Minutes” must be a whole number from 0 to 100000.");
        assert_eq!(here.matches(&number).count(), 2, "{tag}: {number}");
        assert!(!here.contains("“Minutes”"), "{tag}: the field has its own name there");
    }
}
