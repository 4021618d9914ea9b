//! Texts that people typed, made safe to show: markup is escaped, hidden and
//! deceiving characters are made visible, and Markdown is reduced to a small,
//! harmless part of HTML.
//!
//! An approver decides on the text that the page shows. Some characters make a
//! text look different from its content (right-to-left overrides, zero-width
//! characters, Cyrillic letters that look Latin), so each of them is marked.

use std::fmt::{self, Write};

use askama::filters::Escaper;
use model::core::confusables::{self, Deceit, is_forbidden};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The escaper of every template: escapes markup and writes hidden characters
/// as `⟦U+202E⟧`. This form needs no element, so it is also valid in attributes;
/// running text uses [`mark`], which wraps the same note in an element.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        for (c, is_hidden) in confusables::hidden(string) {
            match is_hidden {
                true => write!(dest, "⟦U+{:04X}⟧", u32::from(c))?,
                false => write_escaped(&mut dest, c)?,
            }
        }
        Ok(())
    }
}

/// Escapes `text` for HTML and keeps every character unchanged, for the value
/// of a form control that the browser sends back. Control characters that neither HTML nor
/// XML can carry become U+FFFD.
#[must_use]
pub fn raw(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let shown = if is_forbidden(c) { '\u{FFFD}' } else { c };
        push_escaped(&mut out, shown);
    }
    out
}

/// Escapes `text` for HTML and wraps each hidden or look-alike character in
/// `<span class="hidden-mark" title="U+202E">`, so that it can be seen.
#[must_use]
pub fn mark(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (c, deceit) in confusables::read(text) {
        match deceit {
            Some(Deceit::Hidden) => push_mark(&mut out, c, ""),
            Some(Deceit::LookAlike) => push_mark(&mut out, c, &c.to_string()),
            None => push_escaped(&mut out, c),
        }
    }
    out
}

/// Whether [`mark`] would mark anything in `text`.
#[must_use]
pub fn deceives(text: &str) -> bool {
    mark(text).contains("class=\"hidden-mark\"")
}

/// Writes `text` for plain-text mail: hidden characters are spelled out, and
/// each look-alike is followed by its code.
#[must_use]
pub fn plain(text: &str) -> String {
    confusables::spelled(text)
}

/// A text with a capital first letter.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The first letters of the first and the last part of a name, for the round mark beside it: `PR` for Priya Raman, `?` for a
/// name without letters.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut letters = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let Some(first) = letters.next() else {
        return "?".to_owned();
    };
    let last = letters.next_back();
    std::iter::once(first)
        .chain(last)
        .flat_map(char::to_uppercase)
        .take(2)
        .collect()
}

/// Renders a long text (a description, a comment) as HTML.
///
/// Headings start at level 3, so that a page keeps its one `h1`. Raw HTML is
/// shown as text, images are dropped (their description stays), and a link is
/// kept only with the schemes http, https or mailto.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut open_links = Vec::new();
    let events =
        Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH).filter_map(|event| harmless(event, &mut open_links));
    let mut out = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut out, events);
    out
}

/// A long text without its Markdown syntax, for use within a sentence or for shortening: on a card, in a notice, in a line of
/// the timeline. Blocks are separated by line breaks; code stays unchanged.
#[must_use]
pub fn plain_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut numbers: Vec<Option<u64>> = Vec::new();
    let end_line = |out: &mut String| {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    };
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(words) | Event::Code(words) | Event::Html(words) | Event::InlineHtml(words) => {
                out.push_str(&words);
            }
            Event::SoftBreak => out.push(' '),
            Event::Start(Tag::List(first)) => {
                end_line(&mut out);
                numbers.push(first);
            }
            Event::Start(Tag::Item) => {
                end_line(&mut out);
                if let Some(Some(number)) = numbers.last_mut() {
                    // Writing into a String cannot fail.
                    let _ = write!(out, "{number}. ");
                    *number += 1;
                }
            }
            Event::End(TagEnd::List(_)) => {
                numbers.pop();
            }
            Event::HardBreak
            | Event::Rule
            | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Item) => {
                end_line(&mut out);
            }
            _ => {}
        }
    }
    out.trim().to_owned()
}

fn harmless<'a>(event: Event<'a>, open_links: &mut Vec<bool>) -> Option<Event<'a>> {
    let html = |text: String| Some(Event::InlineHtml(CowStr::from(text)));
    match event {
        Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => html(mark(&text)),
        Event::Code(text) => html(format!("<code>{}</code>", mark(&text))),
        Event::Start(Tag::Link { dest_url, .. }) => {
            let kept = has_allowed_scheme(&dest_url);
            open_links.push(kept);
            if !kept {
                return None;
            }
            let url = Escaped(&dest_url).to_string();
            html(format!("<a href=\"{url}\" rel=\"nofollow noopener noreferrer\">"))
        }
        Event::End(TagEnd::Link) => match open_links.pop() {
            Some(true) => html("</a>".to_owned()),
            _ => None,
        },
        Event::Start(Tag::Heading { level, .. }) => html(format!("<h{}>", lowered(level))),
        Event::End(TagEnd::Heading(level)) => html(format!("</h{}>\n", lowered(level))),
        Event::Start(Tag::CodeBlock(_)) => html("<pre class=\"code\" tabindex=\"0\">".to_owned()),
        Event::End(TagEnd::CodeBlock) => html("</pre>\n".to_owned()),
        Event::Start(Tag::Image { .. } | Tag::HtmlBlock) | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => None,
        other => Some(other),
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Visible.write_escaped_str(f, self.0)
    }
}

/// Whether a link may have this address: http, https or mailto, or a path
/// within this server, but no `javascript:` or `data:`.
#[must_use]
pub fn has_allowed_scheme(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
        || (lower.starts_with('/') && !lower.starts_with("//") && !lower.contains('\\'))
        || lower.starts_with('#')
}

fn lowered(level: HeadingLevel) -> usize {
    (level as usize + 2).min(6)
}

fn push_mark(out: &mut String, c: char, shown: &str) {
    let code = u32::from(c);
    let _ = write!(
        out,
        "<span class=\"hidden-mark\" title=\"U+{code:04X}\">{shown}<span>U+{code:04X}</span></span>"
    );
}

fn push_escaped(out: &mut String, c: char) {
    // Writing into a String cannot fail.
    let _ = write_escaped(out, c);
}

fn write_escaped<W: Write>(dest: &mut W, c: char) -> fmt::Result {
    match c {
        '&' => dest.write_str("&amp;"),
        '<' => dest.write_str("&lt;"),
        '>' => dest.write_str("&gt;"),
        '"' => dest.write_str("&quot;"),
        '\'' => dest.write_str("&#39;"),
        other => dest.write_char(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_hidden_characters_are_marked() {
        let shown = mark("<b>safe\u{202E}exe</b>");
        assert_eq!(
            shown,
            "&lt;b&gt;safe<span class=\"hidden-mark\" title=\"U+202E\"><span>U+202E</span></span>exe&lt;/b&gt;"
        );
    }

    #[test]
    fn every_trick_text_is_marked() {
        let hidden: Vec<char> = [
            '\u{200B}',
            '\u{200D}',
            '\u{2066}',
            '\u{FEFF}',
            '\u{00AD}',
            '\u{E0041}',
            '\u{FE00}',
            '\u{3164}',
        ]
        .into_iter()
        .chain('\u{202A}'..='\u{202E}')
        .chain('\u{2060}'..='\u{2069}')
        .collect();
        let mut tried = 0;
        for word in [
            "payments",
            "customs",
            "ledger-db",
            "approve",
            "Zürich",
            "تجارة",
            "отдел",
        ] {
            for trick in &hidden {
                for place in 0..=word.chars().count() {
                    let text: String = word
                        .chars()
                        .take(place)
                        .chain(std::iter::once(*trick))
                        .chain(word.chars().skip(place))
                        .collect();
                    assert!(mark(&text).contains("hidden-mark"), "not marked: {text:?}");
                    assert!(Escaped(&text).to_string().contains('⟦'), "not shown: {text:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried >= 500, "only {tried} texts were tried");
    }

    #[test]
    fn look_alikes_are_marked_but_honest_words_are_not() {
        assert!(mark("p\u{0430}yments").contains("U+0430"));
        assert!(mark("deploy \u{0441}\u{043E}\u{0440} now").contains("hidden-mark"));
        assert!(mark("ｐayments").contains("hidden-mark"));
        assert!(!mark("обновить сервис payments").contains("hidden-mark"));
        assert!(!mark("Größe 10 µs, 5 kΩ ❤️").contains("hidden-mark"));
        let emoji = "👩🏽‍💻 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪";
        assert_eq!(
            (mark(emoji), Escaped(emoji).to_string()),
            (emoji.to_owned(), emoji.to_owned())
        );
        assert!(mark("💻\u{200D}\u{202E}x").contains("U+202E"));
    }

    #[test]
    fn markdown_keeps_no_html_no_image_and_no_script_link() {
        let html = markdown(
            "# Big\n<img src=x onerror=alert(1)>\n\n![cat](https://x/y.png) [go](javascript:alert(1)) [ok](https://example.org/a?b=1&c=2)\n\n<div onclick=x>\nhi\n</div>",
        );
        assert!(!html.contains("<img") && !html.contains("<div") && !html.contains("javascript:"));
        assert!(html.contains("&lt;img src=x"));
        assert!(html.contains("<h3>Big</h3>"));
        assert!(html.contains("<a href=\"https://example.org/a?b=1&amp;c=2\" rel="));
    }

    #[test]
    fn words_are_taken_out_of_markdown_and_code_stays_as_typed() {
        let text = "## Why\n\n**Customs** asks for [it](https://example.org)\nfrom *Monday*.\n\n3. run `rm *_old`\n4. look\n- done";
        assert_eq!(
            plain_text(text),
            "Why\nCustoms asks for it from Monday.\n3. run rm *_old\n4. look\ndone"
        );
        assert_eq!(plain_text("5 * 3 < 16 and a_b_c"), "5 * 3 < 16 and a_b_c");
        assert_eq!(plain_text("<b>x</b>"), "<b>x</b>");
        assert_eq!(plain_text(" \n"), "");
    }

    #[test]
    fn a_value_that_goes_back_keeps_its_characters() {
        assert_eq!(raw("a\u{202E}b\u{0}<"), "a\u{202E}b\u{FFFD}&lt;");
    }

    #[test]
    fn initials_come_from_the_first_and_last_word() {
        assert_eq!(initials("Priya Raman"), "PR");
        assert_eq!(initials("ci-bot"), "C");
        assert_eq!(initials("  "), "?");
    }
}
