//! Pages in the reader's language: the one place where a finished page is put into other words.
//!
//! The product is written in English, and its sentences stand where they are used. A language is one file under
//! `languages/`: it says for each English sentence how it reads, and how days and lengths of time are written. A page is
//! translated as it leaves: its markup is ours and of one shape (the escaper of this crate made it), so its texts can be
//! found, looked up, and replaced. What people wrote is never looked up; it is marked with HTML's own `translate="no"`.
//! Why it is so, and what was given up: `docs/decisions/0012-pages-and-languages.md`.

mod catalogue;
mod markup;
mod pseudo;
mod sentence;
mod stand_ins;
mod times;
mod walk;

use std::sync::OnceLock;

use catalogue::Catalogue;
pub use walk::SCRIPT;

/// The tag of the language that the product is written in.
pub const ENGLISH: &str = "en";
/// The tag of the language that only tests read: each text that has a translation stands in brackets, with accents.
pub const PSEUDO: &str = "en-XA";
/// The tag of the languages that people may choose, each with its own name for itself.
pub const CHOICES: [(&str, &str); 2] = [(ENGLISH, "English"), ("de", "Deutsch")];
/// The attribute of a page's root that names the language its reader chose.
const CHOSEN: &str = " data-language=\"";

/// The files, by tag.
const FILES: [(&str, &str); 1] = [("de", include_str!("../languages/de.toml"))];

/// A language that pages can be put into.
#[derive(Debug)]
pub struct Language {
    tag: &'static str,
    catalogue: Catalogue,
}

impl Language {
    /// Its tag, as in `lang` and `Content-Language`.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// The English texts that it has words for, with their places; for the template and for tests.
    #[must_use]
    pub fn messages(&self) -> Vec<&str> {
        self.catalogue.keys()
    }

    /// A whole page in this language.
    #[must_use]
    pub fn page(&self, html: &str) -> String {
        walk::page(&self.catalogue, self.tag, html).0
    }

    /// What of a page has no words in this language, neither translated nor marked as people's: each once, in order.
    #[must_use]
    pub fn unknown(&self, html: &str) -> Vec<String> {
        walk::page(&self.catalogue, self.tag, html).1
    }

    /// One text without markup, such as a line of a letter; what is not known stays English.
    #[must_use]
    pub fn text(&self, english: &str) -> String {
        sentence::plain(&self.catalogue, english).unwrap_or_else(|| english.to_owned())
    }
}

/// The language of a tag; `None` for English, which needs no other words, and for a language that there is not.
#[must_use]
pub fn find(tag: &str) -> Option<&'static Language> {
    all().iter().find(|language| language.tag.eq_ignore_ascii_case(tag))
}

fn all() -> &'static [Language] {
    static LANGUAGES: OnceLock<Vec<Language>> = OnceLock::new();
    LANGUAGES.get_or_init(|| {
        let mut all: Vec<Language> = FILES
            .iter()
            .map(|(tag, file)| Language {
                tag,
                catalogue: Catalogue::read(file).unwrap_or_else(|error| panic!("languages/{tag}.toml: {error}")),
            })
            .collect();
        let catalogue = pseudo::of(all.iter().flat_map(Language::messages));
        all.push(Language { tag: PSEUDO, catalogue });
        all
    })
}

/// The tag that we have for a wish such as `de-AT`: the same, or its language without the region.
#[must_use]
pub fn known(wish: &str) -> Option<&'static str> {
    let tags = || CHOICES.iter().map(|(tag, _)| *tag).chain([PSEUDO]);
    let main = wish.split('-').next().unwrap_or_default();
    tags()
        .find(|tag| tag.eq_ignore_ascii_case(wish))
        .or_else(|| tags().find(|tag| tag.eq_ignore_ascii_case(main)))
}

/// The best of an `Accept-Language` (RFC 9110, section 12.5.4) that we have; English where none is.
#[must_use]
pub fn accepted(header: &str) -> &'static str {
    let mut best = (0_u32, ENGLISH);
    for wish in header.split(',').take(20) {
        let mut parts = wish.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(Some(1_000), thousandths);
        if let (Some(known), Some(quality)) = (known(tag), quality)
            && quality > best.0
        {
            best = (quality, known);
        }
    }
    best.1
}

/// Regions that count 12 hours twice a day, by the Unicode CLDR (`timeData`, preferred `h`).
const BY_TWELVE: [&str; 13] = [
    "AU", "BD", "CA", "CO", "EG", "IN", "KR", "MY", "NZ", "PH", "PK", "SA", "US",
];

/// Whether the region that an `Accept-Language` names first counts 12 hours; no where it names none.
#[must_use]
pub fn is_by_twelve(header: &str) -> bool {
    let tags = header
        .split(',')
        .take(20)
        .map(|wish| wish.split(';').next().unwrap_or_default().trim());
    let mut regions = tags.filter_map(|tag| tag.split('-').skip(1).find(|part| part.len() == 2));
    regions
        .next()
        .is_some_and(|region| BY_TWELVE.iter().any(|known| known.eq_ignore_ascii_case(region)))
}

/// A quality value such as `0.8` in thousandths.
fn thousandths(value: &str) -> Option<u32> {
    let value: f32 = value.trim().parse().ok()?;
    (0.0..=1.0).contains(&value).then_some((value * 1_000.0) as u32)
}

/// The language that the reader of this page chose, as its root tells it; `None` where they chose none.
#[must_use]
pub fn chosen(html: &str) -> Option<&'static str> {
    let root = html
        .get(..120)
        .unwrap_or(html)
        .split_once("<html")?
        .1
        .split_once('>')?
        .0;
    let tag = root.split_once(CHOSEN)?.1.split_once('"')?.0;
    known(tag)
}

/// The attribute that tells it.
pub(crate) fn choice(tag: &str) -> String {
    match known(tag) {
        Some(tag) => format!("{CHOSEN}{tag}\""),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_wish_that_we_have_is_taken() {
        assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8"), "de");
        assert_eq!(accepted("fr,en;q=0.8,de;q=0.5"), "en");
        assert_eq!(accepted("fr, de;q=0"), "en");
        assert_eq!(accepted("en-XA"), "en-XA");
        assert_eq!(accepted(""), "en");
        assert_eq!(accepted("de;q=7, de;q=x"), "en");
    }

    #[test]
    fn the_region_that_is_named_first_says_which_clock() {
        assert!(is_by_twelve("en-US,en;q=0.9") && is_by_twelve("hi, en-in;q=0.5"));
        assert!(!is_by_twelve("en-GB,en-US;q=0.8"));
        assert!(!is_by_twelve("zh-Hant-TW") && !is_by_twelve("en") && !is_by_twelve(""));
    }

    #[test]
    fn a_page_tells_what_its_reader_chose() {
        let page = |tag: &str| format!("<!doctype html>\n<html lang=\"en\"{}>", choice(tag));
        assert_eq!(chosen(&page("de")), Some("de"));
        assert_eq!(chosen(&page("en")), Some("en"));
        assert_eq!(chosen(&page("")), None);
        assert_eq!(chosen(&page("\"x")), None);
    }
}
