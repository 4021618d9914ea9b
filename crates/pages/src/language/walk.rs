//! Translates a page: its sentences are found, translated, and put back.
//!
//! A sentence is a run of neighbours in one block: its texts and the small elements between them (`b`, `a`, `code` …), which
//! the language may move as wholes. Where the sentence is not known as one, each of its texts is looked up alone.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::catalogue::Catalogue;
use super::markup::{self, Piece, attribute, attributes, name, unescaped};
use super::sentence::translate_text;
use super::stand_ins::{FIRST_ELEMENT, FIRST_WHEN, element_of, has_letters, is_data, is_odd};
use crate::elements::text;

/// Texts that the script shows by itself; a translated page carries the translations for it.
pub const SCRIPT: [&str; 49] = [
    "The server cannot be reached. What you type stays on this page, which goes on when the server is back.",
    "The server is back. What you typed is still here.",
    "Not sent: the server cannot be reached. What you typed is still here; send it again when the server is back.",
    "1 new entry, ",
    "{#n} new entries, ",
    "show",
    "It was edited while you read it, ",
    "see the timeline",
    "No connection. 1 tap is kept on this device and will go out, with the time of each.",
    "No connection. {#n} taps are kept on this device and will go out, with the time of each.",
    "Every step is done",
    "{#n} of {#all} steps done",
    "Step {#n} of {#all}",
    "Every rollback step is done",
    "{#n} of {#all} steps back done",
    "Rolling back, step {#n} of {#all}",
    "On this step since",
    "Watch until",
    "then it can be ended",
    "Step {#n} is noted as done.",
    "Step {#n} is noted as skipped.",
    "Taken back: {title}",
    "You are signed out. Sign in again; what you tapped is kept.",
    "Not noted: {text}. {why}",
    "{#h} h {#min} min",
    "in {time}",
    "What you typed here on {when} is kept on this device.",
    "Another window of this form has saved different answers; what you type here is kept on this device only. ",
    "Open it again",
    "Turn the keys on",
    "Turn the keys off",
    "This authenticator has a passkey of yours already.",
    "No passkey was used. Try again, or go back.",
    "Select all on this page",
    "{#n} of {#all} selected",
    "Nothing fits.",
    "Recent",
    "Search or type a command",
    "Results",
    "Arrows choose, Tab completes, Enter opens, Esc closes.",
    "Search and commands",
    "Close this",
    "Keys of the keyboard",
    "Copy",
    "Copied",
    "The first delivery arrived. ",
    "Use {zone}",
    "Show what this time would mean",
    "Arrow keys or the pointer move a change. Enter shows what the other time would mean.",
];

/// Elements that occur within a sentence.
const WITHIN: [&str; 16] = [
    "a", "b", "i", "em", "strong", "code", "kbd", "small", "span", "button", "svg", "wbr", "del", "ins", "abbr",
    "tspan",
];
/// Elements whose text is data and never looked up.
const DATA: [&str; 6] = ["code", "pre", "kbd", "textarea", "script", "style"];
/// Classes with the same meaning.
const DATA_CLASSES: [&str; 3] = ["key", "face", "hidden-mark"];
/// Attributes that people read or hear.
const HUMAN: [&str; 5] = ["title", "aria-label", "placeholder", "alt", "data-label"];

struct Walk<'a> {
    catalogue: &'a Catalogue,
    tag: &'a str,
    pieces: Vec<Piece<'a>>,
    ends: Vec<usize>,
    /// The texts of people in the page's heading, because the title repeats them.
    heading: Vec<String>,
    unknown: Vec<String>,
    seen: BTreeSet<String>,
}

/// A translated page, and its texts without a translation.
pub(super) fn page(catalogue: &Catalogue, tag: &str, html: &str) -> (String, Vec<String>) {
    let pieces = markup::pieces(html);
    let ends = markup::ends(&pieces);
    let mut walk = Walk {
        catalogue,
        tag,
        heading: Vec::new(),
        unknown: Vec::new(),
        seen: BTreeSet::new(),
        pieces,
        ends,
    };
    walk.heading = walk.kept_heading();
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    walk.range(0, walk.pieces.len(), &mut out);
    (out, walk.unknown)
}

/// Whether nothing in an element is looked up.
fn is_kept(tag: &str) -> bool {
    let classes = attribute(tag, "class").unwrap_or_default();
    attribute(tag, "translate") == Some("no")
        || DATA.contains(&name(tag))
        || classes.split(' ').any(|class| DATA_CLASSES.contains(&class))
}

impl<'a> Walk<'a> {
    fn piece(&self, place: usize) -> Piece<'a> {
        self.pieces.get(place).copied().unwrap_or(Piece::Text(""))
    }

    fn end(&self, place: usize) -> usize {
        self.ends.get(place).copied().unwrap_or(place).max(place)
    }

    /// Everything from one piece to another.
    fn range(&mut self, from: usize, to: usize, out: &mut String) {
        let mut place = from;
        while place < to {
            let behind = self.run(place, to);
            if behind > place {
                self.sentence(place, behind, out);
                place = behind;
                continue;
            }
            match self.piece(place) {
                Piece::Open(_) => {
                    self.element(place, out);
                    place = self.end(place) + 1;
                }
                Piece::Alone(tag) | Piece::Close(tag) => {
                    self.tag(tag, out);
                    place += 1;
                }
                Piece::Text(text) => {
                    out.push_str(text);
                    place += 1;
                }
            }
        }
    }

    /// An element with all that it holds.
    fn element(&mut self, place: usize, out: &mut String) {
        let Piece::Open(tag) = self.piece(place) else {
            return self.range(place, place + 1, out);
        };
        let end = self.end(place);
        if is_kept(tag) {
            return self.as_it_is(place, end + 1, out);
        }
        self.tag(tag, out);
        self.range(place + 1, end, out);
        if let Piece::Close(tag) = self.piece(end) {
            out.push_str(tag);
        }
    }

    fn as_it_is(&self, from: usize, to: usize, out: &mut String) {
        for place in from..to {
            match self.piece(place) {
                Piece::Open(text) | Piece::Alone(text) | Piece::Close(text) | Piece::Text(text) => out.push_str(text),
            }
        }
    }

    /// A tag with its human attributes in the language.
    fn tag(&mut self, tag: &'a str, out: &mut String) {
        match name(tag) {
            "html" => {
                let said = tag.replacen("lang=\"en\"", &format!("lang=\"{}\"", self.tag), 1);
                return out.push_str(&said);
            }
            "body" => {
                let words = self.script_words();
                let _ = write!(out, "<body data-words=\"{words}\"{}", tag.get(5..).unwrap_or(">"));
                return;
            }
            _ => {}
        }
        if !HUMAN.iter().any(|human| tag.contains(human)) || is_kept(tag) {
            return out.push_str(tag);
        }
        let mut said = tag.to_owned();
        for (name, value) in attributes(tag).filter(|(name, _)| HUMAN.contains(name)) {
            let text = unescaped(value);
            if !has_letters(&text) || is_odd(&text) {
                continue;
            }
            match translate_text(self.catalogue, &text, 0) {
                Some(words) => {
                    said = said.replacen(
                        &format!("{name}=\"{value}\""),
                        &format!("{name}=\"{}\"", text::raw(&words)),
                        1,
                    );
                }
                None => self.note(&text),
            }
        }
        out.push_str(&said);
    }

    /// The script's texts and their translations, as JSON in an attribute.
    fn script_words(&self) -> String {
        let pairs = SCRIPT.iter().filter_map(|english| {
            let said = match english.contains('{') {
                true => self.catalogue.raw(english)?,
                false => translate_text(self.catalogue, english, 0)?,
            };
            Some(((*english).to_owned(), serde_json::Value::String(said)))
        });
        let words: serde_json::Map<String, serde_json::Value> = pairs.collect();
        text::raw(&serde_json::Value::Object(words).to_string())
    }

    /// Where the sentence that begins at a piece ends; the same place where none begins.
    fn run(&self, from: usize, to: usize) -> usize {
        let mut place = from;
        while place < to {
            place = match self.piece(place) {
                Piece::Text(_) => place + 1,
                Piece::Open(tag) if WITHIN.contains(&name(tag)) && !self.holds_blocks(place) => self.end(place) + 1,
                Piece::Alone(tag) if WITHIN.contains(&name(tag)) => place + 1,
                _ => break,
            };
        }
        place.min(to)
    }

    /// Whether an element that may be in a sentence contains one that may not.
    fn holds_blocks(&self, place: usize) -> bool {
        let Piece::Open(tag) = self.piece(place) else {
            return false;
        };
        name(tag) != "svg"
            && (place + 1..self.end(place)).any(|inner| match self.piece(inner) {
                Piece::Open(tag) | Piece::Alone(tag) => {
                    !WITHIN.contains(&name(tag)) && !["use", "br", "path", "symbol"].contains(&name(tag))
                }
                _ => false,
            })
    }

    /// A sentence: as one where it is known so, else text by text.
    fn sentence(&mut self, from: usize, to: usize, out: &mut String) {
        let parts = self.parts(from, to);
        if let [part] = parts.as_slice() {
            return self.part(*part, out);
        }
        if self.is_label_and_sentence(&parts) {
            return parts.into_iter().for_each(|part| self.part(part, out));
        }
        let Some((text, first, last)) = self.joined(&parts) else {
            return parts.into_iter().for_each(|part| self.part(part, out));
        };
        match translate_text(self.catalogue, &text, 0) {
            Some(said) => {
                parts.iter().take(first).for_each(|part| self.part(*part, out));
                self.spaces(&parts, first, true, out);
                self.put(&said, &parts, out);
                self.spaces(&parts, last, false, out);
                parts.iter().skip(last + 1).for_each(|part| self.part(*part, out));
            }
            None if self.knows_each(&parts) => parts.into_iter().for_each(|part| self.part(part, out)),
            None => {
                // A sentence of which only one piece is known, such as a rule of the tenant's own, is not shown in a mix of two
                // languages.
                for part in parts {
                    match self.piece(part.0) {
                        Piece::Text(raw) => out.push_str(raw),
                        _ => self.part(part, out),
                    }
                }
                self.note(&text);
            }
        }
    }

    /// Whether a whole known sentence follows a label, as a folded cell follows its column's name: a pattern would take the
    /// label for a part of the sentence.
    fn is_label_and_sentence(&self, parts: &[(usize, usize)]) -> bool {
        let [(label, _), (sentence, _)] = parts else {
            return false;
        };
        let (Piece::Open(_), Piece::Text(raw)) = (self.piece(*label), self.piece(*sentence)) else {
            return false;
        };
        let text = unescaped(raw);
        let text = text.trim();
        text.starts_with(char::is_uppercase) && text.ends_with('.') && self.catalogue.whole(text).is_some()
    }

    /// Whether each text beside the elements of a sentence has a translation of its own.
    fn knows_each(&self, parts: &[(usize, usize)]) -> bool {
        parts.iter().all(|(from, _)| {
            let Piece::Text(raw) = self.piece(*from) else {
                return true;
            };
            let text = unescaped(raw);
            !has_letters(&text)
                || is_odd(&text)
                || is_data(&text)
                || translate_text(self.catalogue, text.trim(), 0).is_some()
        })
    }

    /// The neighbouring texts and elements of a sentence: from, to.
    fn parts(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut parts = Vec::new();
        let mut place = from;
        while place < to {
            let end = match self.piece(place) {
                Piece::Open(_) => self.end(place) + 1,
                _ => place + 1,
            };
            parts.push((place, end));
            place = end;
        }
        parts
    }

    /// The sentence as one text, with a character for each element in it, and its first and last part that have text. `None`
    /// where it has no text of its own.
    fn joined(&self, parts: &[(usize, usize)]) -> Option<(String, usize, usize)> {
        // The key of an act is beside its label and not part of it.
        let is_silent = |part: &&(usize, usize)| !self.says(**part) || self.is_key(**part);
        let first = parts.iter().take_while(is_silent).count();
        let last = parts
            .len()
            .checked_sub(1 + parts.iter().rev().take_while(is_silent).count())?;
        let mut out = String::new();
        for (place, (from, _)) in parts
            .iter()
            .enumerate()
            .skip(first)
            .take(last + 1 - first.min(last + 1))
        {
            match self.piece(*from) {
                Piece::Text(text) if is_odd(text) => return None,
                Piece::Text(text) => out.push_str(&unescaped(text)),
                Piece::Open(tag) if attribute(tag, "class") == Some("when") => {
                    out.push(char::from_u32(FIRST_WHEN + u32::try_from(place).ok()?)?);
                }
                _ => out.push(char::from_u32(FIRST_ELEMENT + u32::try_from(place).ok()?)?),
            }
        }
        let text = out.split_whitespace().collect::<Vec<_>>().join(" ");
        let own: String = text.chars().filter(|letter| element_of(*letter).is_none()).collect();
        has_letters(&own).then_some((text, first, last))
    }

    /// Whether a part is the key that does an act.
    fn is_key(&self, (from, _): (usize, usize)) -> bool {
        matches!(self.piece(from), Piece::Open(tag) if name(tag) == "kbd")
    }

    /// Whether a part is more than space or a picture.
    fn says(&self, (from, to): (usize, usize)) -> bool {
        (from..to).any(|place| matches!(self.piece(place), Piece::Text(text) if !text.trim().is_empty()))
    }

    /// The space before or behind a sentence, which belongs to the markup.
    fn spaces(&self, parts: &[(usize, usize)], at: usize, is_before: bool, out: &mut String) {
        let Some(Piece::Text(text)) = parts.get(at).map(|(from, _)| self.piece(*from)) else {
            return;
        };
        let bare = if is_before { text.trim_start() } else { text.trim_end() };
        let space = if is_before {
            &text[..text.len() - bare.len()]
        } else {
            &text[bare.len()..]
        };
        out.push_str(space);
    }

    /// A part of a sentence by itself.
    fn part(&mut self, (from, to): (usize, usize), out: &mut String) {
        let Piece::Text(raw) = self.piece(from) else {
            if to - from == 1 {
                return self.range_of_one(from, out);
            }
            return self.element(from, out);
        };
        let text = unescaped(raw);
        let lone = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if lone.is_empty() || is_odd(&text) {
            return out.push_str(raw);
        }
        let kept = self.hide_heading(from, &lone);
        match translate_text(self.catalogue, kept.as_ref().map_or(lone.as_str(), |(text, _)| text), 0) {
            Some(said) => {
                let lead = &text[..text.len() - text.trim_start().len()];
                let tail = &text[text.trim_end().len()..];
                let said = match &kept {
                    Some((_, heading)) => said.replace(stand_in(), heading),
                    None => said,
                };
                let _ = write!(out, "{lead}{}{tail}", text::raw(&said));
            }
            None => {
                if has_letters(&lone) {
                    self.note(&lone);
                }
                out.push_str(raw);
            }
        }
    }

    fn range_of_one(&mut self, place: usize, out: &mut String) {
        match self.piece(place) {
            Piece::Alone(tag) => self.tag(tag, out),
            Piece::Open(text) | Piece::Close(text) | Piece::Text(text) => out.push_str(text),
        }
    }

    /// A sentence in the language, its elements put back.
    fn put(&mut self, said: &str, parts: &[(usize, usize)], out: &mut String) {
        let mut words = String::new();
        for letter in said.chars() {
            match element_of(letter).and_then(|place| parts.get(place)) {
                Some((from, to)) => {
                    out.push_str(&text::raw(&words));
                    words.clear();
                    if to - from == 1 {
                        self.range_of_one(*from, out);
                    } else {
                        self.element(*from, out);
                    }
                }
                None => words.push(letter),
            }
        }
        out.push_str(&text::raw(&words));
    }

    /// The texts of people in the page's first heading.
    fn kept_heading(&self) -> Vec<String> {
        let is_heading = |piece: &Piece<'_>| matches!(piece, Piece::Open(tag) if name(tag) == "h1");
        let Some(start) = self.pieces.iter().position(is_heading) else {
            return Vec::new();
        };
        let end = self.end(start);
        let mut kept = Vec::new();
        for place in start..end {
            if matches!(self.piece(place), Piece::Open(tag) if is_kept(tag)) {
                let inner = (place..self.end(place)).filter_map(|inner| match self.piece(inner) {
                    Piece::Text(text) => Some(unescaped(text)),
                    _ => None,
                });
                kept.push(inner.collect::<String>().trim().to_owned());
            }
        }
        kept.retain(|text| !text.is_empty());
        kept
    }

    /// The document's title without people's texts, where it repeats those of the heading.
    fn hide_heading(&self, place: usize, text: &str) -> Option<(String, String)> {
        let is_title = place > 0 && matches!(self.piece(place - 1), Piece::Open(tag) if name(tag) == "title");
        let heading = self
            .heading
            .iter()
            .find(|heading| is_title && text.contains(heading.as_str()))?;
        Some((text.replacen(heading.as_str(), stand_in(), 1), heading.clone()))
    }

    fn note(&mut self, text: &str) {
        let mut number = 0_u8;
        let shown: String = text
            .chars()
            .map(|letter| match element_of(letter) {
                Some(_) => {
                    number = number.saturating_add(1);
                    format!("{{{}}}", char::from(b'a' + (number - 1).min(25)))
                }
                None => letter.to_string(),
            })
            .collect();
        if !is_data(&shown) && self.seen.insert(shown.clone()) {
            self.unknown.push(shown);
        }
    }
}

/// The placeholder in a title for people's texts of the heading: a mark without letters.
fn stand_in() -> &'static str {
    "\u{FFFC}"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
    use super::*;

    fn german(pairs: &[(&str, &str)], html: &str) -> (String, Vec<String>) {
        let catalogue = Catalogue::english(pairs).unwrap();
        page(&catalogue, "de", html)
    }

    #[test]
    fn what_the_script_says_is_what_pages_carry_words_for() {
        let script = include_str!("../../assets/assent.js");
        let said: BTreeSet<&str> = script
            .split("told(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(said, SCRIPT.into_iter().collect());
    }

    #[test]
    fn a_sentence_moves_its_elements_and_keeps_their_markup() {
        let (html, unknown) = german(
            &[("{who} approved {what} late", "{what} hat {who} spät genehmigt")],
            "<p><svg><use href=\"#x\"/></svg><b>Ada &amp; Co</b> approved <a href=\"/c\">CHG-1</a> late</p>",
        );
        assert_eq!(
            html,
            "<p><svg><use href=\"#x\"/></svg><a href=\"/c\">CHG-1</a> hat <b>Ada &amp; Co</b> spät genehmigt</p>"
        );
        assert_eq!(unknown, ["Ada & Co"]);
    }

    #[test]
    fn the_key_of_an_act_is_no_part_of_its_words() {
        let pairs = [("Approve", "Genehmigen"), ("Approve {version}", "{version} genehmigen")];
        let html = "<button>Approve <kbd aria-hidden=\"true\">A</kbd></button>";
        assert_eq!(german(&pairs, html).0, html.replace("Approve", "Genehmigen"));
    }

    #[test]
    fn an_element_that_tells_a_time_fits_where_a_time_does_and_no_other() {
        let pairs = [("{who} approved, {@when}", "{who} genehmigte, {when}")];
        let html = "<p><b translate=\"no\">Ada</b> approved, <span class=\"when\" data-label=\"Sat 21 Nov 2026 22:00\">2 days ago</span></p>";
        let (said, unknown) = german(&pairs, html);
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(said.contains("</b> genehmigte, <span class=\"when\""), "{said}");
        let (other, _) = german(&pairs, &html.replace(" class=\"when\"", ""));
        assert!(!other.contains("genehmigte"), "{other}");
    }

    #[test]
    fn a_sentence_that_is_known_in_part_alone_stays_whole() {
        let pairs = [
            ("Changes of", "Changes von"),
            ("and", "und"),
            ("Owner", "Verantwortlich"),
        ];
        let rule = "<p>Changes of <code>card-data</code> need two people. <b>Owner</b></p>";
        let (said, unknown) = german(&pairs, rule);
        assert_eq!(said, rule.replace("<b>Owner", "<b>Verantwortlich"));
        assert_eq!(unknown, ["Changes of {a} need two people. {b}"]);
        let (said, unknown) = german(&pairs, "<p>Changes of <code>a</code> and <code>b</code></p>");
        assert_eq!(said, "<p>Changes von <code>a</code> und <code>b</code></p>");
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_sentence_behind_a_label_is_said_apart_and_no_pattern_takes_the_label_in() {
        let pairs = [
            ("What for", "Wofür"),
            ("{key} is approved", "{key} ist genehmigt"),
            (
                "A peer reads it before it is approved.",
                "Ein Peer liest es vor der Genehmigung.",
            ),
        ];
        let html = "<td><span>What for</span> A peer reads it before it is approved.</td>";
        let (said, unknown) = german(&pairs, html);
        assert_eq!(
            said,
            "<td><span>Wofür</span> Ein Peer liest es vor der Genehmigung.</td>"
        );
        assert!(unknown.is_empty(), "{unknown:?}");
        let (said, _) = german(&pairs, "<p><b translate=\"no\">CHG-1</b> is approved.</p>");
        assert_eq!(said, "<p><b translate=\"no\">CHG-1</b> ist genehmigt.</p>");
    }

    #[test]
    fn what_people_wrote_is_never_touched() {
        let pairs = [("Approved", "Genehmigt"), ("Home", "Start")];
        let html =
            "<h1 translate=\"no\">Approved</h1><td><code>Home</code> <span class=\"key\">Home</span></td><p>Home</p>";
        let (said, unknown) = german(&pairs, html);
        assert_eq!(said, html.replace("<p>Home", "<p>Start"));
        assert!(unknown.is_empty());
        let odd = "<p>\u{F0001} Home</p>";
        assert_eq!(german(&pairs, odd).0, odd);
    }

    #[test]
    fn a_title_repeats_the_heading_of_people_and_is_translated_around_it() {
        let html = "<html lang=\"en\"><title>Home: Home · Assent</title><h1><span translate=\"no\">Home: Home</span></h1></html>";
        let (said, unknown) = german(&[("Home", "Start"), ("Home: Home", "falsch")], html);
        assert_eq!(said, html.replace("lang=\"en\"", "lang=\"de\""));
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_is_unknown_beside_an_icon_is_told_as_well() {
        let (_, unknown) = german(&[], "<p><svg><use href=\"#x\"/></svg>No source</p>");
        assert_eq!(unknown, ["No source"]);
    }

    #[test]
    fn attributes_that_people_read_are_said_and_escaped() {
        let (html, unknown) = german(
            &[("Select {key}", "\"{key}\" wählen")],
            "<input aria-label=\"Select a&lt;b\" value=\"Select x\"/><a title=\"Unheard\">7</a>",
        );
        assert_eq!(
            html,
            "<input aria-label=\"&quot;a&lt;b&quot; wählen\" value=\"Select x\"/><a title=\"Unheard\">7</a>"
        );
        assert_eq!(unknown, ["Unheard"]);
    }

    #[test]
    fn what_is_not_known_as_a_sentence_is_said_text_by_text() {
        let (html, unknown) = german(
            &[("approved", "genehmigt"), ("and waits", "und wartet")],
            "<p> approved <b translate=\"no\">x</b>\n and waits </p><p>nothing <b translate=\"no\">y</b> known</p>",
        );
        assert_eq!(
            html,
            "<p> genehmigt <b translate=\"no\">x</b>\n und wartet </p><p>nothing <b translate=\"no\">y</b> known</p>"
        );
        assert_eq!(unknown, ["nothing {a} known"]);
    }
}
