//! Pages in the reader's language: the one place where a finished page is translated.
//!
//! The source code holds English sentences. A language is one file under `languages/` with a translation of each English
//! sentence and the formats of dates and durations. A page is translated just before the response is sent: the escaper of
//! this crate made its markup, so the texts can be found, looked up and replaced. Text written by users carries the HTML
//! attribute `translate="no"` and is never looked up.
//! Reasons and drawbacks: `docs/decisions/0012-pages-and-languages.md`.

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
/// The tag of the pseudo-language for tests: each text with a translation is in brackets and has accents.
pub const PSEUDO: &str = "en-XA";
/// The languages that people may choose: the tag, and the name in the language itself.
pub const CHOICES: [(&str, &str); 2] = [(ENGLISH, "English"), ("de", "Deutsch")];
/// The attribute of a page's root that names the language its reader chose.
const CHOSEN: &str = " data-language=\"";

/// The files, by tag.
const FILES: [(&str, &str); 1] = [("de", include_str!("../languages/de.toml"))];

/// A language into which pages are translated.
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

    /// The English texts with a translation, with their placeholders; for the template and for tests.
    #[must_use]
    pub fn messages(&self) -> Vec<&str> {
        self.catalogue.keys()
    }

    /// A whole page in this language.
    #[must_use]
    pub fn page(&self, html: &str) -> String {
        walk::page(&self.catalogue, self.tag, html).0
    }

    /// The texts of a page without a translation that are not marked as written by users: each once, in order.
    #[must_use]
    pub fn unknown(&self, html: &str) -> Vec<String> {
        walk::page(&self.catalogue, self.tag, html).1
    }

    /// One text without markup, such as a line of a letter; a text without a translation stays English.
    #[must_use]
    pub fn text(&self, english: &str) -> String {
        sentence::plain(&self.catalogue, english).unwrap_or_else(|| english.to_owned())
    }
}

/// The language of a tag; `None` for English, which needs no translation, and for an unknown language.
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

/// The supported tag for a requested one such as `de-AT`: the same tag, or the language without the region.
#[must_use]
pub fn known(wish: &str) -> Option<&'static str> {
    let tags = || CHOICES.iter().map(|(tag, _)| *tag).chain([PSEUDO]);
    let main = wish.split('-').next().unwrap_or_default();
    tags()
        .find(|tag| tag.eq_ignore_ascii_case(wish))
        .or_else(|| tags().find(|tag| tag.eq_ignore_ascii_case(main)))
}

/// The best supported language of an `Accept-Language` header (RFC 9110, section 12.5.4); English if none is supported.
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

/// Regions with a 12-hour clock, by the Unicode CLDR (`timeData`, preferred `h`).
const BY_TWELVE: [&str; 13] = [
    "AU", "BD", "CA", "CO", "EG", "IN", "KR", "MY", "NZ", "PH", "PK", "SA", "US",
];

/// Whether the first region in an `Accept-Language` header uses a 12-hour clock; false without a region.
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

/// The language that the reader of this page chose, from an attribute of the root element; `None` without a choice.
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

/// The attribute of the root element that names the chosen language.
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
