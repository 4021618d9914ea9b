//! Languages: their files are whole, and a translated page keeps its markup and people's texts.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use pages::language::{CHOICES, ENGLISH, Language, PSEUDO, find};
use pages::samples::all;
use quick_xml::Reader;
use quick_xml::events::Event;

#[path = "languages/stale_messages.rs"]
mod stale_messages;

fn languages() -> Vec<&'static Language> {
    let tags = CHOICES.iter().map(|(tag, _)| *tag).filter(|tag| *tag != ENGLISH);
    tags.map(|tag| find(tag).unwrap()).collect()
}

/// The elements of a page in order, with the attributes that no language changes, and the texts marked as people's.
fn skeleton(html: &str) -> (Vec<String>, Vec<String>) {
    let (mut elements, mut kept) = (Vec::new(), Vec::new());
    let (mut reader, mut depth, mut kept_from) = (Reader::from_str(html), 0_u32, None);
    loop {
        let event = reader.read_event().unwrap();
        let is_start = matches!(event, Event::Start(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                let fixed = ["id", "href", "class", "name", "value", "action", "translate"];
                let mut line = tag.name().as_ref().to_owned();
                let mut is_kept = false;
                for attribute in tag.attributes() {
                    let attribute = attribute.unwrap();
                    let key = attribute.key.as_ref().to_owned();
                    is_kept = is_kept || key == "translate" && *attribute.value == *"no";
                    if fixed.contains(&key.as_str()) {
                        line.push_str(&format!(" {key}={}", attribute.value));
                    }
                }
                elements.push(line);
                if is_start {
                    depth += 1;
                    if is_kept && kept_from.is_none() {
                        kept_from = Some(depth);
                    }
                }
            }
            Event::End(_) => {
                if kept_from == Some(depth) {
                    kept_from = None;
                }
                depth -= 1;
            }
            Event::Text(text) if kept_from.is_some() => kept.push(text.to_string()),
            Event::Eof => return (elements, kept),
            _ => {}
        }
    }
}

#[test]
fn a_page_in_another_language_keeps_its_elements_and_what_people_wrote() {
    for language in languages().into_iter().chain(find(PSEUDO)) {
        for sample in all() {
            let said = language.page(&sample.html);
            let ((mut before, kept_before), (mut after, kept_after)) = (skeleton(&sample.html), skeleton(&said));
            // Elements within a sentence may change places.
            before.sort();
            after.sort();
            assert_eq!(before, after, "{} in {}", sample.name, language.tag());
            let sorted = |texts: Vec<String>| texts.into_iter().collect::<BTreeSet<_>>();
            assert_eq!(
                sorted(kept_before),
                sorted(kept_after),
                "{} in {}",
                sample.name,
                language.tag()
            );
            assert!(
                said.contains(&format!("<html lang=\"{}\"", language.tag())),
                "{}",
                sample.name
            );
        }
    }
}

#[test]
fn every_language_has_words_for_every_message() {
    for language in languages() {
        let has: BTreeSet<&str> = language.messages().into_iter().collect();
        let misses: Vec<String> = template_keys()
            .into_iter()
            .filter(|key| !has.contains(key.as_str()))
            .collect();
        assert!(misses.is_empty(), "{} lacks {misses:#?}", language.tag());
    }
}

/// Parts of the rules whose sentences no page shows: the findings of replaying the log, the results of a search for forbidden
/// paths, responses to other programs, the beginning of a draft.
const UNSHOWN: [&str; 9] = [
    // Control reports have the same bytes for every reader.
    "compliance/framework",
    "compliance/violation.rs",
    "replay_log",
    "search_histories",
    "provision.rs",
    "external_checks.rs",
    "shown_permit.rs",
    "draft_review.rs",
    "create_mapped.rs",
];
/// Sentences that are put together from parts, each of which has its own translation.
const COMPOSED: [&str; 8] = [
    // The example of a German wording.
    "{services} von {start} bis {end}: {disruption}.",
    // A line of a German letter.
    "Dies wird verspätet mitgeteilt. Es geschah am {at}.",
    "A peer{who} who neither wrote nor approves the change must review it and agree (rule `{}`).",
    "Never yet {what} {place} {done}.",
    "Not since {} {what} {place} {done}.",
    "Register the {what}, or correct the name.",
    "{} {part} {}, so they are not outside of it.",
    "{} {} of {count} peer reviews are complete.",
];
/// The fewest sentences that the rules hold; with fewer this test has lost its way.
const FEWEST: usize = 400;

/// The Rust files of a folder and of those below it.
fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    with_ending(folder, "rs")
}

/// The files of a folder and of those below it whose names have this ending.
fn with_ending(folder: &Path, wanted: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(with_ending(&path, wanted));
        } else if path.extension().is_some_and(|ending| ending == wanted) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The texts in quotation marks of a source without its tests and comments.
fn quoted(source: &str) -> Vec<String> {
    texts_and_code(source.split("#[cfg(test)]").next().unwrap()).0
}

/// The texts in quotation marks of a source, and what stands around them; without comments.
fn texts_and_code(source: &str) -> (Vec<String>, String) {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let source = lines.collect::<Vec<_>>().join("\n").replace("'\"'", "' '");
    let (mut found, mut code, mut text, mut is_inside) = (Vec::new(), String::new(), String::new(), false);
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, is_inside) {
            ('"', true) => {
                found.push(std::mem::take(&mut text));
                is_inside = false;
            }
            ('"', false) => {
                code.push(' ');
                is_inside = true;
            }
            ('\\', true) => match letters.next() {
                Some('\n') => while letters.next_if(|next| next.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some(escaped) => text.push(escaped),
                None => {}
            },
            (_, true) => text.push(letter),
            (_, false) => code.push(letter),
        }
    }
    (found, code)
}

/// A text with something in each of its places, in every way that may matter: a key, a number, a time.
fn filled(text: &str) -> Vec<String> {
    let Some((before, behind)) = text.split_once('{') else {
        return vec![text.to_owned()];
    };
    let Some((_, after)) = behind.split_once('}') else {
        return vec![text.to_owned()];
    };
    let rest = filled(after);
    let mut all = Vec::new();
    for filler in ["CHG-1", "7", "today 11:00"] {
        all.extend(rest.iter().map(|rest| format!("{before}{filler}{rest}")));
    }
    all
}

/// Whether a text is a whole sentence; the parts that begin with one are listed behind it.
fn sentence(text: &str) -> Option<&str> {
    let own = match text.split_once("} ") {
        Some((place, rest)) if place.starts_with('{') && rest.starts_with(char::is_uppercase) => rest,
        _ => text,
    };
    let is_begun = own.starts_with(|first: char| first.is_uppercase() || first == '`' || first == '{');
    let is_whole = is_begun && own.ends_with(['.', '?']) && own.contains(' ') && own.len() > 12;
    let mut depth = 0_i32;
    let words = own.chars().filter(|letter| {
        depth += i32::from(*letter == '{') - i32::from(*letter == '}');
        depth == 0 && letter.is_alphabetic()
    });
    (words.count() > 5 && is_whole).then_some(own)
}

#[test]
fn every_language_has_words_for_what_the_rules_say() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = ["model", "acts"]
        .map(|name| sources(&crates.join(name).join("src")))
        .concat();
    for part in UNSHOWN {
        let is_there = files.iter().any(|path| path.to_string_lossy().contains(part));
        assert!(is_there, "no source file is called {part}");
    }
    let is_shown = |path: &std::path::PathBuf| !UNSHOWN.iter().any(|part| path.to_string_lossy().contains(part));
    let mut told = BTreeSet::new();
    for path in files.iter().filter(|path| is_shown(path)) {
        told.extend(quoted(&std::fs::read_to_string(path).unwrap()));
    }
    let told: BTreeSet<&str> = told.iter().filter_map(|text| sentence(text)).collect();
    assert!(told.len() >= FEWEST, "only {} sentences were found", told.len());
    for language in languages() {
        let is_known = |text: &&str| filled(text).iter().any(|told| language.text(told) != *told);
        let unknown: Vec<&&str> = told
            .iter()
            .filter(|text| !COMPOSED.contains(text) && !is_known(text))
            .collect();
        assert!(
            unknown.is_empty(),
            "{} has no words for {} sentences of the rules: {unknown:#?}",
            language.tag(),
            unknown.len()
        );
    }
}

/// The readers of evidence, whose sentences are beside the form's file.
const READERS: [&str; 5] = ["evidence.rs", "junit.rs", "sarif.rs", "cyclonedx.rs", "in_toto.rs"];

#[test]
fn every_language_has_words_for_why_evidence_cannot_be_read() {
    let connect = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connect/src");
    let is_reader = |path: &std::path::PathBuf| READERS.iter().any(|name| path.ends_with(name));
    let readers: Vec<std::path::PathBuf> = sources(&connect).into_iter().filter(is_reader).collect();
    assert_eq!(readers.len(), READERS.len(), "{readers:?}");
    let sources = readers.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let sources: Vec<String> = sources.collect();
    let mut told: BTreeSet<String> = BTreeSet::new();
    for source in &sources {
        let source = source.split("#[cfg(test)]").next().unwrap();
        for call in source.split("Unreadable::because(").skip(1) {
            told.extend(quoted(call).into_iter().next());
        }
    }
    assert!(told.len() > 12, "only {told:?}");
    for language in languages() {
        let is_known = |text: &&String| {
            filled(text)
                .iter()
                .any(|it| language.text(&format!("{it}.")) != format!("{it}."))
        };
        let unknown: Vec<&String> = told.iter().filter(|text| !is_known(text)).collect();
        assert!(unknown.is_empty(), "{} has no words for {unknown:#?}", language.tag());
    }
}

/// The pages' names of each event, in the table of the server's phrases: `("token.created", "token", "made a token"),`.
fn phrases() -> BTreeSet<String> {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    let path = sources(&server).into_iter().find(|path| path.ends_with("phrases.rs"));
    let source = std::fs::read_to_string(path.unwrap()).unwrap();
    let rows = source.lines().filter(|line| line.trim_start().starts_with("(\""));
    rows.map(quoted)
        .filter(|row| row.len() == 3 && row[0].contains('.'))
        .filter_map(|mut row| row.pop())
        .collect()
}

#[test]
fn every_language_has_words_for_every_event() {
    let told = phrases();
    assert!(told.len() > 150, "only {told:?}");
    for language in languages() {
        let unknown: Vec<&String> = told.iter().filter(|text| language.text(text) == **text).collect();
        assert!(unknown.is_empty(), "{} has no words for {unknown:#?}", language.tag());
    }
}

/// The sentences behind `@reason` in a file of policies.
fn reasons(source: &str) -> Vec<&str> {
    let found = source.split("@reason(\"").skip(1);
    found.filter_map(|rest| rest.split("\")").next()).collect()
}

#[test]
fn every_language_has_words_for_the_reasons_of_the_policies_that_come_with_it() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut folders = vec![policies];
    let mut told = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "cedar") {
                let source = std::fs::read_to_string(&path).unwrap();
                told.extend(reasons(&source).into_iter().map(str::to_owned));
            }
        }
    }
    assert!(told.len() > 50, "only {told:?}");
    for language in languages() {
        let unknown: Vec<&String> = told.iter().filter(|text| language.text(text) == **text).collect();
        assert!(unknown.is_empty(), "{} has no words for {unknown:#?}", language.tag());
    }
}

fn template_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("languages/template.toml")
}

fn template_keys() -> Vec<String> {
    let table: toml::Table = std::fs::read_to_string(template_path()).unwrap().parse().unwrap();
    table["messages"].as_table().unwrap().keys().cloned().collect()
}

/// A translator's start: every message of every language once, without translation. `ASSENT_BLESS=1` writes it.
#[test]
fn the_template_names_every_message_that_some_language_has() {
    let all: BTreeSet<&str> = languages().iter().flat_map(|language| language.messages()).collect();
    let head = "# Every message, for a new language: copy this file, give it a name of its own, and fill in the right sides.\n\
                # An empty one shows English. What the signs mean stands in docs/guide/languages.md; `[times]`, `plural` and\n\
                # the marks of numbers are to be copied from de.toml and filled in.\n\n[messages]\n";
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let lines: String = all.iter().map(|key| format!("{} = \"\"\n", quoted(key))).collect();
    let wanted = format!("{head}{lines}");
    if std::env::var_os("ASSENT_BLESS").is_some() {
        std::fs::write(template_path(), &wanted).unwrap();
    }
    let has = std::fs::read_to_string(template_path()).unwrap_or_default();
    assert!(
        has == wanted,
        "languages/template.toml is behind: run this test with ASSENT_BLESS=1"
    );
}
