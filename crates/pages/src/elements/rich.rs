//! Sentences with parts set apart: a name in bold, a rule in mono, a link.

use std::fmt::Write;

use crate::Part;
use crate::elements::text;

/// One piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Said(String),
    Own(String),
    Strong(String),
    Name(String),
    Heavy(Vec<Piece>),
    Emphasis(String),
    Quoted(String),
    Code(String),
    Digest(String),
    Time { words: String, absolute: String },
    Countdown { words: String, until: String },
    Key(String),
    Late(String),
    Removed(String),
    Inserted(String),
    AllLate(Vec<Piece>),
    Link { text: String, href: String, kind: Kind },
    Break,
}

/// The author of a link's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Ours.
    Words,
    /// Somebody's, or a name.
    Said,
    /// Something to copy.
    Code,
}

/// A sentence or two, built from plain text. Every piece is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rich {
    pieces: Vec<Piece>,
}

impl Rich {
    /// An empty sentence, to be built from its pieces.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds plain words.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Piece::Text(text.into()))
    }

    /// Adds a user's text, or a name, which is never translated.
    #[must_use]
    pub fn said(self, text: impl Into<String>) -> Self {
        let text = text.into();
        match text.is_empty() {
            true => self,
            false => self.with(Piece::Said(text)),
        }
    }

    /// Adds a text of the reader's own.
    #[must_use]
    pub fn own(self, text: impl Into<String>) -> Self {
        self.with(Piece::Own(text.into()))
    }

    /// Adds names side by side, the last behind a joint such as “and” or “or”: only the joints are translated.
    #[must_use]
    pub fn names(mut self, names: &[String], joint: &str) -> Self {
        for (place, name) in names.iter().enumerate() {
            self = match place {
                0 => self,
                _ if place + 1 == names.len() => self.text(format!(" {joint} ")),
                _ => self.text(", "),
            };
            self = self.said(name.as_str());
        }
        self
    }

    /// Adds the name of the sentence's subject, which is never translated.
    #[must_use]
    pub fn name(self, text: impl Into<String>) -> Self {
        self.with(Piece::Name(text.into()))
    }

    /// Adds the subject of the sentence as a text of this crate: a role, a step.
    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.with(Piece::Strong(text.into()))
    }

    /// Adds the subject of the sentence where that is a sentence itself, such as several names.
    #[must_use]
    pub fn strong_parts(self, parts: Rich) -> Self {
        self.with(Piece::Heavy(parts.pieces))
    }

    /// Adds a term with emphasis, as in “approved *what* and *when*”.
    #[must_use]
    pub fn emphasis(self, text: impl Into<String>) -> Self {
        self.with(Piece::Emphasis(text.into()))
    }

    /// Adds a user's text in the second voice.
    #[must_use]
    pub fn quoted(self, text: impl Into<String>) -> Self {
        self.with(Piece::Quoted(text.into()))
    }

    /// Adds a text to copy: a digest, a rule's name, a command.
    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Self {
        self.with(Piece::Code(text.into()))
    }

    /// Adds a digest: short on a screen, whole on paper.
    #[must_use]
    pub fn digest(self, whole: impl Into<String>) -> Self {
        self.with(Piece::Digest(whole.into()))
    }

    /// The same with a time until which something lasts, as text (“until 14:12”); with the script the time that is left, second
    /// by second. `until` is the moment in RFC 3339.
    #[must_use]
    pub fn countdown(self, words: impl Into<String>, until: impl Into<String>) -> Self {
        self.with(Piece::Countdown {
            words: words.into(),
            until: until.into(),
        })
    }

    /// Adds a time that counts from now, such as `2 days ago`; paper shows it as `absolute`.
    #[must_use]
    pub fn time(self, words: impl Into<String>, absolute: impl Into<String>) -> Self {
        self.with(Piece::Time {
            words: words.into(),
            absolute: absolute.into(),
        })
    }

    /// Adds a record's key, such as `CHG-1042`.
    #[must_use]
    pub fn key(self, text: impl Into<String>) -> Self {
        self.with(Piece::Key(text.into()))
    }

    /// Adds a time that is past or close, in the colour of overdue things.
    #[must_use]
    pub fn late(self, text: impl Into<String>) -> Self {
        self.with(Piece::Late(text.into()))
    }

    /// Adds a user's text that was removed or replaced.
    #[must_use]
    pub fn removed(self, text: impl Into<String>) -> Self {
        self.with(Piece::Removed(text.into()))
    }

    /// Adds the user's text that replaced it.
    #[must_use]
    pub fn inserted(self, text: impl Into<String>) -> Self {
        self.with(Piece::Inserted(text.into()))
    }

    /// The same sentence in the colour of overdue things.
    #[must_use]
    pub fn all_late(self) -> Self {
        Self {
            pieces: vec![Piece::AllLate(self.pieces)],
        }
    }

    /// Adds a link. An address that is neither http, https, mailto nor a path of this server leaves only the text.
    #[must_use]
    pub fn link(self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.with(Piece::Link {
            text: text.into(),
            href: href.into(),
            kind: Kind::Words,
        })
    }

    /// Adds a link whose text is a user's, or a name, and is never translated.
    #[must_use]
    pub fn said_link(self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.with(Piece::Link {
            text: text.into(),
            href: href.into(),
            kind: Kind::Said,
        })
    }

    /// Adds a link whose text is in mono, for rules and digests.
    #[must_use]
    pub fn code_link(self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.with(Piece::Link {
            text: text.into(),
            href: href.into(),
            kind: Kind::Code,
        })
    }

    /// Goes to a new line.
    #[must_use]
    pub fn line(self) -> Self {
        self.with(Piece::Break)
    }

    /// Adds the whole content of `other`.
    #[must_use]
    pub fn append(mut self, other: Rich) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether it begins with a text of this crate, which gets a capital at the start of a sentence: neither a name nor a text
    /// to copy.
    #[must_use]
    pub(crate) fn begins_with_words(&self) -> bool {
        let is_empty = |piece: &&Piece| matches!(piece, Piece::Text(text) if text.is_empty());
        let first = self.pieces.iter().find(|piece| !is_empty(piece));
        matches!(
            first,
            Some(Piece::Text(_) | Piece::Late(_) | Piece::AllLate(_) | Piece::Time { .. })
        )
    }

    /// The same as plain text; links are left as their text.
    #[must_use]
    pub fn plain(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text)
                | Piece::Said(text)
                | Piece::Own(text)
                | Piece::Strong(text)
                | Piece::Name(text)
                | Piece::Emphasis(text)
                | Piece::Quoted(text)
                | Piece::Code(text)
                | Piece::Key(text)
                | Piece::Late(text)
                | Piece::Removed(text)
                | Piece::Inserted(text)
                | Piece::Time { words: text, .. }
                | Piece::Countdown { words: text, .. }
                | Piece::Link { text, .. } => text::plain(text),
                Piece::Digest(whole) => text::plain(&crate::short_digest(whole)),
                Piece::Heavy(pieces) | Piece::AllLate(pieces) => Rich { pieces: pieces.clone() }.plain(),
                Piece::Break => " ".to_owned(),
            })
            .collect()
    }

    fn with(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }
}

impl From<&str> for Rich {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            Self::new()
        } else {
            Self::new().text(text)
        }
    }
}

impl From<String> for Rich {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Part for Rich {
    fn html(&self) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            push(&mut out, piece);
        }
        out
    }
}

/// An address breaks behind its slashes rather than at any letter; the break points are not copied.
fn breakable(words: &str) -> String {
    match words.split_once("://") {
        Some((scheme, rest)) if !rest.contains(' ') => {
            let parts: Vec<String> = rest.split('/').map(text::mark).collect();
            format!("{}://{}", text::mark(scheme), parts.join("/<wbr/>"))
        }
        _ => text::mark(words),
    }
}

fn push(out: &mut String, piece: &Piece) {
    let (pieces, before, after) = match piece {
        Piece::Heavy(pieces) => (pieces.as_slice(), "<b>", "</b>"),
        Piece::AllLate(pieces) => (pieces.as_slice(), "<span class=\"late\">", "</span>"),
        _ => (&[][..], "", ""),
    };
    if !before.is_empty() {
        out.push_str(before);
        pieces.iter().for_each(|inner| push(out, inner));
        return out.push_str(after);
    }
    // Writing into a String cannot fail.
    let _ = match piece {
        Piece::Text(words) => write!(out, "{}", text::mark(words)),
        Piece::Countdown { words, until } => write!(
            out,
            "<b role=\"timer\" data-until=\"{}\">{}</b>",
            text::mark(until),
            text::mark(words)
        ),
        Piece::Said(words) => write!(out, "<span translate=\"no\">{}</span>", text::mark(words)),
        Piece::Own(words) => write!(
            out,
            "<span translate=\"no\" data-own=\"true\">{}</span>",
            text::mark(words)
        ),
        Piece::Name(words) => write!(out, "<b translate=\"no\">{}</b>", text::mark(words)),
        Piece::Strong(words) => write!(out, "<b>{}</b>", text::mark(words)),
        Piece::Emphasis(words) => write!(out, "<i>{}</i>", text::mark(words)),
        Piece::Quoted(words) => write!(out, "<i translate=\"no\">{}</i>", text::mark(words)),
        Piece::Code(words) => write!(out, "<code>{}</code>", breakable(words)),
        Piece::Digest(whole) => write!(
            out,
            "<code class=\"digest\" data-whole=\"{}\">{}</code>",
            text::raw(&text::plain(whole)),
            text::mark(&crate::short_digest(whole))
        ),
        Piece::Time { words, absolute } => write!(
            out,
            "<span class=\"when\" data-label=\"{}\">{}</span>",
            text::raw(&text::plain(absolute)),
            text::mark(words)
        ),
        Piece::Key(words) => write!(out, "<span class=\"key\">{}</span>", text::mark(words)),
        Piece::Removed(words) => write!(out, "<del translate=\"no\">{}</del>", text::mark(words)),
        Piece::Inserted(words) => write!(out, "<ins translate=\"no\">{}</ins>", text::mark(words)),
        Piece::Late(words) => write!(out, "<span class=\"late\">{}</span>", text::mark(words)),
        Piece::Break | Piece::Heavy(_) | Piece::AllLate(_) => write!(out, "<br/>"),
        Piece::Link {
            text: words,
            href,
            kind,
        } => {
            let (words, kept) = match kind {
                Kind::Code => (format!("<code>{}</code>", text::mark(words)), ""),
                Kind::Words => (text::mark(words), ""),
                Kind::Said => (text::mark(words), " translate=\"no\""),
            };
            match text::has_allowed_scheme(href) {
                true => write!(out, "<a href=\"{}\"{kept}>{words}</a>", text::raw(href)),
                false => write!(out, "<span{kept}>{words}</span>"),
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ours_are_told_from_names_and_from_what_is_copied() {
        assert!(Rich::from("today 10:42").begins_with_words());
        assert!(Rich::new().late("overdue").begins_with_words());
        assert!(!Rich::new().text("").said("ledger-db").begins_with_words());
        assert!(
            !Rich::new()
                .said_link("ledger-db", "/services/ledger-db")
                .begins_with_words()
        );
        assert!(!Rich::new().code("sha256:ab").begins_with_words());
        assert!(!Rich::new().begins_with_words());
    }

    #[test]
    fn paper_tells_digests_whole_and_times_absolute() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let html = Rich::new().digest(&digest).time("now", "Sat 21 Nov 2026 22:00").html();
        assert_eq!(
            html,
            format!(
                "<code class=\"digest\" data-whole=\"{digest}\">sha256:abab…bab</code><span class=\"when\" data-label=\"Sat 21 \
                 Nov 2026 22:00\">now</span>"
            )
        );
    }

    #[test]
    fn an_address_may_break_behind_its_slashes() {
        let html = Rich::new().code("https://a.example/t/<b>").html();
        assert_eq!(html, "<code>https://a.example/<wbr/>t/<wbr/>&lt;b&gt;</code>");
        assert_eq!(Rich::new().code("sha256:ab/c").html(), "<code>sha256:ab/c</code>");
    }

    #[test]
    fn what_was_taken_away_and_written_is_told_apart_by_its_elements_and_in_plain_text_by_order() {
        let edit = Rich::new()
            .strong("Minutes")
            .text(": ")
            .removed("<3>")
            .text(" → ")
            .inserted("7");
        assert_eq!(
            edit.html(),
            "<b>Minutes</b>: <del translate=\"no\">&lt;3&gt;</del> → <ins translate=\"no\">7</ins>"
        );
        assert_eq!(edit.plain(), "Minutes: <3> → 7");
    }

    #[test]
    fn pieces_are_escaped_and_bad_links_lose_their_address() {
        let rich = Rich::new()
            .strong("<b>")
            .text(" & ")
            .link("go", "javascript:alert(1)")
            .link("in", "/a?b=\"");
        assert_eq!(
            rich.html(),
            "<b>&lt;b&gt;</b> &amp; <span>go</span><a href=\"/a?b=&quot;\">in</a>"
        );
        assert_eq!(rich.plain(), "<b> & goin");
    }
}
