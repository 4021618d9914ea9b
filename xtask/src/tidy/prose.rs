//! Plain English (STYLE.md, section 15): the share of sentences that begin with “who” or “what”, and of those with “tell”, “say”,
//! “word”, “asked” or “answer”, in comments, documents and messages. The shares only fall.

use super::Finding;
use super::tree::Tree;

const BEGINNINGS: &[&str] = &["Whoever", "Who", "Whom", "Whose", "What", "Whatever"];
const FIGURATIVE: &[&str] = &[
    "told", "tell", "tells", "said", "say", "says", "word", "asked", "answer", "answers",
];
/// The least length of a sentence that counts.
const WORDS: usize = 4;
/// How far below its ceiling a share may lie before the ceiling has to follow, in tenths of a percent.
const SLACK: usize = 5;

/// One kind of prose.
struct Kind {
    name: &'static str,
    /// The paragraphs of a file; none where it has no such prose.
    paragraphs: fn(&str, &str) -> Vec<String>,
    /// The highest shares of the two, in tenths of a percent.
    ceilings: [usize; 2],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "comments",
        paragraphs: comments,
        ceilings: [10, 14],
    },
    Kind {
        name: "documents",
        paragraphs: documents,
        ceilings: [2, 19],
    },
    Kind {
        name: "messages",
        paragraphs: messages,
        ceilings: [9, 25],
    },
];

/// Measures each kind of prose.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in KINDS {
        let mut count = Count::default();
        for (path, text) in tree.texts() {
            for paragraph in (kind.paragraphs)(path, text) {
                count.add(&paragraph);
            }
        }
        findings.extend(judge(kind, &count));
    }
    findings
}

fn judge(kind: &Kind, count: &Count) -> Vec<Finding> {
    let whats = [
        "begin with “who” or “what”",
        "have “tell”, “say”, “word”, “asked” or “answer”",
    ];
    let rows = whats.into_iter().zip(count.hits).zip(kind.ceilings);
    let one = |((what, hits), most): ((&str, usize), usize)| {
        let share = (hits * 1000).checked_div(count.sentences)?;
        let percent = |tenths: usize| format!("{}.{} %", tenths / 10, tenths % 10);
        let text = match share {
            _ if share > most => format!(
                "{} of the sentences in {} {what}, where {} may; STYLE.md, section 15, has the rules",
                percent(share),
                kind.name,
                percent(most)
            ),
            _ if share + SLACK < most => format!(
                "{} of the sentences in {} {what} by now; lower the ceiling of {} in prose.rs",
                percent(share),
                kind.name,
                percent(most)
            ),
            _ => return None,
        };
        Some(Finding::new("STYLE.md", 0, text))
    };
    rows.filter_map(one).collect()
}

/// Sentences, and how many of them hit each rule.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    sentences: usize,
    hits: [usize; 2],
}

impl Count {
    fn add(&mut self, paragraph: &str) {
        // Code and links are no prose.
        let text = without_spans(&without_spans(paragraph, '`', '`'), '[', ']');
        for sentence in sentences(&text) {
            let is_letter = |c: char| c.is_ascii_alphabetic() || c == '’' || c == '\'';
            let words: Vec<&str> = sentence
                .split(|c: char| !is_letter(c))
                .filter(|word| !word.is_empty())
                .collect();
            if words.len() < WORDS {
                continue;
            }
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let mut parts = sentence.split(|c: char| !is_part(c));
            self.sentences += 1;
            self.hits[0] += usize::from(BEGINNINGS.contains(&words[0]));
            self.hits[1] += usize::from(parts.any(|part| FIGURATIVE.contains(&part.to_lowercase().as_str())));
        }
    }
}

/// The text with `X` for the span between the two marks, and for the address behind it.
fn without_spans(text: &str, open: char, close: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(open) {
        let Some((_, after)) = behind.split_once(close) else {
            break;
        };
        out.push_str(before);
        out.push('X');
        let address = after.strip_prefix('(').filter(|_| close == ']');
        rest = address
            .and_then(|address| address.split_once(')'))
            .map_or(after, |(_, behind)| behind);
    }
    out.push_str(rest);
    out
}

fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(char::is_whitespace) {
        if text[from..at].ends_with(['.', '!', '?']) {
            found.push(&text[from..at]);
            from = at;
        }
    }
    found.push(&text[from..]);
    found
}

fn comments(path: &str, text: &str) -> Vec<String> {
    let file = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"));
    let is_source = file.is_some_and(|(name, _)| !name.contains('/')) && path.ends_with(".rs");
    if !is_source || path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    joined(text.lines().map(|line| {
        let comment = line.trim_start().strip_prefix("//")?;
        Some(comment.strip_prefix(['/', '!']).unwrap_or(comment))
    }))
}

/// Paragraphs and lists, without tables, headings and quotations.
fn documents(path: &str, text: &str) -> Vec<String> {
    let is_ours = path.starts_with("docs/") || !path.contains('/');
    if !is_ours || !path.ends_with(".md") {
        return Vec::new();
    }
    let is_prose = |line: &&str| !line.trim_start().starts_with(['|', '#', '`', '>']);
    joined(text.lines().map(|line| Some(line).filter(is_prose)))
}

/// The English side of the messages, each a paragraph of its own.
fn messages(path: &str, text: &str) -> Vec<String> {
    if path != "crates/pages/languages/template.toml" {
        return Vec::new();
    }
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.rsplit_once("\" = "));
    rows.map(|(message, _)| message.to_owned()).collect()
}

/// Lines that follow each other as one text; a line without prose parts two.
fn joined<'t>(lines: impl Iterator<Item = Option<&'t str>>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in lines {
        match line.map(str::trim).filter(|line| !line.is_empty()) {
            Some(line) => open.push(line),
            None => found.push(std::mem::take(&mut open).join(" ")),
        }
    }
    found.push(open.join(" "));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(paragraphs: &[String]) -> (usize, [usize; 2]) {
        let mut count = Count::default();
        for paragraph in paragraphs {
            count.add(paragraph);
        }
        (count.sentences, count.hits)
    }

    #[test]
    fn sentences_are_counted_in_comments_documents_and_messages() {
        let source = "/// Whoever waits is told of\n/// the `answer`. It is so. The store keeps each row.\nfn a() {} // Who reads this line now?\n";
        assert_eq!(counted(&comments("crates/model/src/a.rs", source)), (2, [1, 1]));
        assert_eq!(comments("crates/model/tests/a.rs", source), [] as [String; 0]);
        let page = "# What a page is called\n\nThe server\nsays no. See [what it tells](a/told.md) of this row.\n> Who is it who quotes?\n";
        assert_eq!(counted(&documents("docs/a.md", page)), (2, [0, 1]));
        let file = "[messages]\n\"What is asked of you\" = \"\"\n";
        let found = messages("crates/pages/languages/template.toml", file);
        assert_eq!(counted(&found), (1, [1, 1]));
    }

    #[test]
    fn a_share_above_its_ceiling_is_a_finding_and_so_is_a_ceiling_far_above_its_share() {
        let kind = &KINDS[0];
        let [begins, figurative] = kind.ceilings;
        let texts = |begins: usize, figurative: usize| -> Vec<String> {
            let count = Count {
                sentences: 1000,
                hits: [begins, figurative],
            };
            judge(kind, &count).into_iter().map(|it| it.text).collect()
        };
        assert_eq!(texts(begins, figurative), [] as [String; 0]);
        assert_eq!(texts(begins - SLACK, figurative - SLACK), [] as [String; 0]);
        assert_eq!(texts(begins + 1, figurative + 1).len(), 2);
        assert!(texts(begins, figurative - SLACK - 1)[0].contains("lower the ceiling"));
        assert_eq!(judge(kind, &Count::default()), []);
    }
}
