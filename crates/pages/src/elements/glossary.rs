//! The glossary behind the terms of pages: one source, `GLOSSARY.md`. A heading or a label that is a term of it becomes a
//! button that opens its meaning; the browser does that without a script.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::OnceLock;

use crate::elements::text;

/// The field's terms, as the repository lists them.
const SOURCE: &str = include_str!("../../../../GLOSSARY.md");
/// The prefix of the ids of opened meanings.
const OPENS: &str = "popovertarget=\"g-";

/// A term of the glossary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Term {
    /// The word.
    pub word: String,
    /// Its meaning, in a sentence or two of Markdown.
    pub meaning: String,
    /// Synonyms that search understands: “RFC, ticket”.
    pub also: String,
}

impl Term {
    /// A term and its meaning.
    #[must_use]
    pub fn new(word: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            meaning: meaning.into(),
            also: String::new(),
        }
    }

    /// The id that `#permit` in an address leads to.
    pub(crate) fn anchor(&self) -> String {
        self.word
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect()
    }
}

/// The glossary's terms: the rows of its tables, in their order.
#[must_use]
pub fn glossary() -> &'static [Term] {
    static TERMS: OnceLock<Vec<Term>> = OnceLock::new();
    TERMS.get_or_init(|| {
        let rows = SOURCE.lines().filter(|line| line.starts_with("| **"));
        rows.filter_map(|line| {
            let cells: Vec<&str> = line.split('|').skip(1).map(str::trim).collect();
            let word = cells.first()?.replace("**", "");
            let meaning = cells.get(1)?;
            let also = cells.get(3).copied().unwrap_or_default();
            Some(Term {
                also: called(also),
                ..Term::new(apart(&word), *meaning)
            })
        })
        .collect()
    })
}

/// Its synonyms, as a reader may know them: without their meaning here and without notes on their use.
fn called(also: &str) -> String {
    let mut out = String::with_capacity(also.len());
    let mut depth = 0_u32;
    for letter in also.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    let words = out.split(',').map(str::trim);
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty() && !word.starts_with("bare "))
        .collect();
    words.join(", ")
}

/// A name of the code as people write it: `RollbackPlan` is “Rollback plan”.
fn apart(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut was_small = false;
    for letter in word.chars() {
        if was_small && letter.is_ascii_uppercase() {
            text.push(' ');
            text.push(letter.to_ascii_lowercase());
        } else {
            text.push(letter);
        }
        was_small = letter.is_ascii_lowercase();
    }
    text
}

/// The noun that a heading or label is, in the singular or the plural.
fn find(label: &str) -> Option<&'static Term> {
    let is_it = |word: &str| word == label || format!("{word}s") == label;
    glossary()
        .iter()
        .find(|term| term.word.starts_with(char::is_uppercase) && is_it(&term.word))
}

/// A heading or label; a term of the glossary opens its meaning.
pub(crate) fn word(label: &str) -> String {
    match find(label) {
        Some(term) => format!(
            "<button type=\"button\" class=\"term\" {OPENS}{}\">{}</button>",
            term.anchor(),
            text::mark(label)
        ),
        None => text::mark(label),
    }
}

/// The button beside a label that is a link: it opens the label's meaning. Empty where the label is no term of the glossary.
pub(crate) fn help_button(label: &str) -> String {
    find(label).map_or_else(String::new, |term| {
        format!(
            "<button type=\"button\" class=\"term ask\" {OPENS}{}\" aria-label=\"What {} means\">?</button>",
            term.anchor(),
            text::raw(label)
        )
    })
}

/// The meanings that a page's terms open, each once, in the order of their ids.
pub(crate) fn meanings(html: &str, help_url: &str) -> String {
    let opened: BTreeSet<&str> = html
        .split(OPENS)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let mut out = String::new();
    for term in glossary().iter().filter(|term| opened.contains(term.anchor().as_str())) {
        let anchor = term.anchor();
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            "<div class=\"gloss\" id=\"g-{anchor}\" popover=\"auto\" role=\"note\"><p class=\"news\">{}</p><div \
             class=\"prose\">{}</div><p class=\"sub\"><a href=\"{}#w-{anchor}\">More in the glossary</a></p></div>",
            text::mark(&term.word),
            text::markdown(&term.meaning),
            text::raw(help_url),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_code_are_written_apart() {
        assert_eq!(apart("PostImplementationReview"), "Post implementation review");
        assert_eq!(apart("CAB"), "CAB");
        assert_eq!(apart("Standard change"), "Standard change");
    }

    #[test]
    fn other_words_are_told_without_what_is_for_writers_alone() {
        assert_eq!(called("order, ticket (understood by search alone)"), "order, ticket");
        assert_eq!(called("bare “review”, PIR"), "PIR");
        assert_eq!(
            called("clash, collision (words of pages, not of code)"),
            "clash, collision"
        );
        assert_eq!(called(""), "");
    }

    #[test]
    fn the_glossary_is_read_whole() {
        let terms = glossary();
        let rows = SOURCE.lines().filter(|line| line.starts_with("| **")).count();
        assert_eq!(terms.len(), rows);
        assert!(terms.len() > 40);
        assert!(
            terms
                .iter()
                .all(|term| !term.word.is_empty() && !term.word.contains('*') && term.meaning.len() > 10)
        );
        assert!(terms.iter().any(|term| term.word == "Change" && term.also == "ticket"));
    }

    #[test]
    fn a_word_of_the_glossary_opens_its_meaning_once_however_often_it_stands_there() {
        let html = format!("{} {} {}", word("Permit"), word("Permits"), word("<b>"));
        assert!(
            html.contains("class=\"term\" popovertarget=\"g-permit\">Permits</button>"),
            "{html}"
        );
        assert!(html.ends_with("&lt;b&gt;"), "{html}");
        let opened = meanings(&html, "/t/halden/help");
        assert_eq!(opened.matches("id=\"g-permit\"").count(), 1, "{opened}");
        assert!(opened.contains("/t/halden/help#w-permit"), "{opened}");
        assert_eq!(meanings("<p>permit</p>", "/help"), "");
        assert!(
            help_button("Risk").contains("popovertarget=\"g-risk\" aria-label=\"What Risk means\""),
            "{}",
            help_button("Risk")
        );
        assert_eq!(help_button("Nothing of the kind"), "");
    }
}
