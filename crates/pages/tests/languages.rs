//! Languages: their files are whole, and a page that is put into one keeps its markup and what people wrote.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use pages::language::{CHOICES, ENGLISH, Language, PSEUDO, find};
use pages::samples::all;
use quick_xml::Reader;
use quick_xml::events::Event;

fn languages() -> Vec<&'static Language> {
    let tags = CHOICES.iter().map(|(tag, _)| *tag).filter(|tag| *tag != ENGLISH);
    tags.map(|tag| find(tag).unwrap()).collect()
}

/// The elements of a page in order, with what of their attributes no language changes, and the texts marked as people's.
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

fn template_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("languages/template.toml")
}

fn template_keys() -> Vec<String> {
    let table: toml::Table = std::fs::read_to_string(template_path()).unwrap().parse().unwrap();
    table["messages"].as_table().unwrap().keys().cloned().collect()
}

/// What a translator begins with: every message of every language once, without words. `ASSENT_BLESS=1` writes it.
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
