//! Stale messages: a message whose words stand in no source is one that no page shows any more, and its lines are to be deleted.
//!
//! The fixed words of a message, between its parts, must stand in this order in one text of the product, or be put together
//! of at most three texts that are joined. Capitals and punctuation do not count.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::{languages, sources, texts_and_code, with_ending};

/// Messages that are put together in a way that this test does not see, with the reason. The list only shrinks.
const EXCEPTIONS: [(&str, &str); 2] = [
    (
        "{field} lies more than a day before the change was created, at {when}. Correct the date, or record earlier work with a \
         change that is reported afterwards.",
        "the page replaces the end of the rule's sentence (OTHERWISE in web/shared/labels.rs)",
    ),
    (
        "in every part, for every service, only during an absence: {@span}",
        "three texts of the page meet at a comma of a fourth (web/approval/absences.rs)",
    ),
];

/// The crates whose texts a page, a letter or a refusal may show.
const CRATES: [&str; 9] = [
    "model", "acts", "server", "pages", "policy", "wire", "connect", "store", "proof",
];
/// Folders of files that are no Rust, with texts that are shown: templates, lessons, metrics, policies and tables.
const FOLDERS: [&str; 5] = [
    "crates/pages/templates",
    "crates/model/lessons",
    "crates/model/metrics",
    "crates/server/src",
    "policies",
];
/// The fewest pieces that the sources hold; with fewer this test has lost its way.
const FEWEST: usize = 20_000;

/// How a piece of text ends: at the end of its text.
const CLOSED: u32 = 0;
/// Or where another text is put beside it.
const OPEN: u32 = 1;
/// The numbers of the words begin here.
const FIRST_WORD: u32 = 2;

/// The words of a text in small letters; an underscore parts words.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// What stands between the pairs of signs, such as `{…}`.
fn between<'a>(text: &'a str, pairs: &[(char, char)]) -> Vec<&'a str> {
    let (mut found, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(ahead) = text[at..].find(|letter: char| pairs.iter().any(|(open, _)| *open == letter)) {
        let start = at + ahead;
        at = start + 1;
        let pair = pairs.iter().find(|(open, _)| text[start..].starts_with(*open));
        let (open, close) = pair.unwrap();
        if let Some(length) = text[at..].find([*open, *close])
            && text[at + length..].starts_with(*close)
        {
            found.push(&text[from..start]);
            at += length + 1;
            from = at;
        }
    }
    found.push(&text[from..]);
    found
}

/// The texts of the product, cut at their parts.
#[derive(Default)]
struct Pieces(BTreeSet<(u32, Vec<String>, u32)>);

impl Pieces {
    fn of_product() -> Self {
        let mut pieces = Self::default();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for name in CRATES {
            for path in sources(&root.join("crates").join(name).join("src")) {
                if !path.to_string_lossy().ends_with("tests.rs") {
                    pieces.add_rust(&std::fs::read_to_string(path).unwrap(), name == "model");
                }
            }
        }
        for folder in FOLDERS {
            for ending in ["html", "toml", "cedar", "txt"] {
                for path in with_ending(&root.join(folder), ending) {
                    let text = std::fs::read_to_string(path).unwrap();
                    match ending {
                        "html" => pieces.add_template(&text),
                        _ => pieces.add_file(&text),
                    }
                }
            }
        }
        pieces.add_file(&std::fs::read_to_string(root.join("GLOSSARY.md")).unwrap());
        pieces
    }

    fn add(&mut self, text: &str, pairs: &[(char, char)]) {
        let parts = between(text, pairs);
        for (place, part) in parts.iter().enumerate() {
            let words = words(part);
            let begins = place > 0 || part.starts_with(char::is_whitespace);
            let ends = place + 1 < parts.len() || part.ends_with(char::is_whitespace);
            if !words.is_empty() {
                self.0.insert((u32::from(begins), words, u32::from(ends)));
            }
        }
    }

    /// A text with its parts and, where it is markup, its elements.
    fn add_text(&mut self, text: &str) {
        self.add(text, &[('{', '}'), ('<', '>')]);
        if text.contains('<') {
            self.add(text, &[('{', '}')]);
            for attribute in text.split('"').skip(1).step_by(2) {
                self.add_text(attribute);
            }
        }
    }

    /// The texts of a source; its names too, as labels are made of them. The documentation of fields is shown in forms.
    fn add_rust(&mut self, source: &str, is_documentation_shown: bool) {
        let source = source
            .rsplit_once("#[cfg(test)]\nmod tests {")
            .map_or(source, |it| it.0);
        if is_documentation_shown {
            let mut documentation = String::new();
            for line in source.lines() {
                match line.trim().strip_prefix("///") {
                    Some(text) => documentation.push_str(text),
                    None => self.add_text(&std::mem::take(&mut documentation)),
                }
            }
        }
        let (texts, code) = texts_and_code(source);
        for text in texts {
            self.add_text(&text);
        }
        let names: BTreeSet<&str> = code
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .collect();
        for name in names {
            self.add(&with_spaces(name), &[]);
        }
    }

    fn add_template(&mut self, text: &str) {
        let text = without_askama(text);
        for attribute in text.split('"').skip(1).step_by(2) {
            self.add_text(attribute);
        }
        self.add_text(&text);
    }

    /// A file of tables and sentences: what stands in quotation marks, each paragraph, and each cell of a line.
    fn add_file(&mut self, text: &str) {
        for quoted in text.split('"').skip(1).step_by(2) {
            self.add_text(&joined(quoted));
        }
        for paragraph in joined(text).split("\n\n") {
            self.add_text(paragraph);
        }
        for cell in text.lines().flat_map(|line| line.split('|')) {
            self.add_text(cell);
        }
    }
}

/// Without the line breaks behind a backslash, which a text does not have.
fn joined(text: &str) -> String {
    let mut parts = text.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

/// `PeerReview` as `Peer Review`.
fn with_spaces(name: &str) -> String {
    let (mut out, mut before) = (String::new(), ' ');
    for letter in name.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            out.push(' ');
        }
        out.push(letter);
        before = letter;
    }
    out
}

/// A template with `{}` for each expression, tag and comment of askama.
fn without_askama(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    let signs = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
    let next = |rest: &str| {
        let found = signs
            .iter()
            .filter_map(|(open, close)| Some((rest.find(open)?, *close)));
        found.min_by_key(|(at, _)| *at)
    };
    while let Some((at, close)) = next(rest) {
        out.push_str(&rest[..at]);
        out.push_str("{}");
        rest = rest[at..].split_once(close).map_or("", |it| it.1);
    }
    out + rest
}

/// Whether a piece may end, or begin, at a place: closed, and open.
type Seam = (bool, bool);

fn meet(left: Seam, right: Seam) -> bool {
    left.1 && (right.0 || right.1) || left.0 && right.1
}

/// All pieces as one row of words, with the places of each word.
struct Index {
    numbers: HashMap<String, u32>,
    row: Vec<u32>,
    places: HashMap<u32, Vec<usize>>,
}

impl Index {
    fn of(pieces: Pieces) -> Self {
        let (mut numbers, mut row, mut places) = (HashMap::new(), Vec::new(), HashMap::<u32, Vec<usize>>::new());
        for (begins, words, ends) in pieces.0 {
            row.push(begins);
            for word in words {
                let next = FIRST_WORD + u32::try_from(numbers.len()).unwrap();
                let number = *numbers.entry(word).or_insert(next);
                places.entry(number).or_default().push(row.len());
                row.push(number);
            }
            row.push(ends);
        }
        Self { numbers, row, places }
    }

    /// Whether these words and ends stand somewhere in this order.
    fn has(&self, wanted: &[u32]) -> bool {
        let words = wanted.iter().enumerate().filter(|(_, it)| **it >= FIRST_WORD);
        let Some((rarest, word)) = words.min_by_key(|(_, it)| self.places[*it].len()) else {
            return true;
        };
        let starts = self.places[word].iter().filter_map(|place| place.checked_sub(rarest));
        starts
            .filter_map(|start| self.row.get(start..start + wanted.len()))
            .any(|found| found == wanted)
    }

    fn has_between(&self, before: &[u32], words: &[u32], behind: &[u32]) -> bool {
        self.has(&[before, words, behind].concat())
    }

    /// Whether the product can put these fixed words together.
    fn can_say(&self, fixed: &str) -> bool {
        let numbers = words(fixed).into_iter().map(|word| self.numbers.get(&word).copied());
        let Some(words) = numbers.collect::<Option<Vec<u32>>>() else {
            return false;
        };
        if self.has(&words) {
            return true;
        }
        let left = |at: usize| -> Seam {
            let has = |end| self.has_between(&[], &words[..at], &[end]);
            (has(CLOSED), has(OPEN))
        };
        let right = |at: usize| -> Seam {
            let has = |begin| self.has_between(&[begin], &words[at..], &[]);
            (has(CLOSED), has(OPEN))
        };
        let seams: Vec<(usize, Seam, Seam)> = (1..words.len()).map(|at| (at, left(at), right(at))).collect();
        if seams.iter().any(|(_, left, right)| meet(*left, *right)) {
            return true;
        }
        let seam_of = |end: u32| (end == CLOSED, end == OPEN);
        seams.iter().any(|(from, left, _)| {
            let behind = seams.iter().filter(|(to, _, _)| to > from);
            let mut ends = behind.flat_map(|(to, _, right)| {
                let ends = [(CLOSED, CLOSED), (CLOSED, OPEN), (OPEN, CLOSED), (OPEN, OPEN)];
                ends.map(|(begin, end)| (*to, *right, begin, end))
            });
            ends.any(|(to, right, begin, end)| {
                meet(*left, seam_of(begin))
                    && meet(seam_of(end), right)
                    && self.has_between(&[begin], &words[*from..to], &[end])
            })
        })
    }

    /// Whether the product can put this message together.
    fn can_say_all(&self, message: &str) -> bool {
        between(message, &[('{', '}')])
            .into_iter()
            .all(|fixed| self.can_say(fixed))
    }
}

#[test]
fn no_message_is_stale() {
    let pieces = Pieces::of_product();
    assert!(pieces.0.len() >= FEWEST, "only {} pieces were found", pieces.0.len());
    let index = Index::of(pieces);
    for language in languages() {
        let stale: BTreeSet<&str> = language
            .messages()
            .into_iter()
            .filter(|message| !index.can_say_all(message))
            .collect();
        let excused: BTreeSet<&str> = EXCEPTIONS.iter().map(|(message, _)| *message).collect();
        let new: Vec<&&str> = stale.difference(&excused).collect();
        assert!(
            new.is_empty(),
            "{}: {} messages stand in no source: delete their lines in languages/*.toml, or give them the words of the source\n{new:#?}",
            language.tag(),
            new.len()
        );
        let unneeded: Vec<&&str> = excused.difference(&stale).collect();
        assert!(unneeded.is_empty(), "no exceptions any more: {unneeded:#?}");
    }
}

#[test]
fn a_message_is_found_whole_or_joined_and_not_otherwise() {
    let mut pieces = Pieces::default();
    let source = "fn show() { format!(\"The freeze “{name}” is {state} until {end}.\"); \"taken back\"; \"Log sealed {when}\"; \"now\" }";
    pieces.add_rust(source, false);
    pieces.add_template("<p title=\"Sealed by hand\">{{ count }} of {{ all }} <b>done</b></p>");
    let index = Index::of(pieces);
    for said in [
        "The freeze “{name}” is taken back until {@when}.",
        "Log sealed now",
        "{#n} of {#all} {done}",
        "Sealed by hand",
    ] {
        assert!(index.can_say_all(said), "{said}");
    }
    for stale in [
        "The freeze “{name}” was taken back.",
        "Log sealed by hand",
        "now sealed",
        "never",
    ] {
        assert!(!index.can_say_all(stale), "{stale}");
    }
}
