//! The text of a mail as its writer meant it: decoded although the charset is missing or wrong, and a page for reading as plain
//! lines with the quotations marked.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use model::integration::signal::REPLY_MARK;

/// Charsets that programs declare without looking at the text.
const CARELESS: [&str; 9] = [
    "",
    "ascii",
    "us-ascii",
    "iso-8859-1",
    "iso-8859-15",
    "latin1",
    "unknown-8bit",
    "utf-8",
    "windows-1252",
];
/// The charset of a text without a usable charset that is not UTF-8.
const USUAL: &[u8] = b"windows-1252";
/// Where Outlook, Gmail, Yahoo, Apple, Proton and Thunderbird begin the part below a reply.
const BELOW: [&str; 12] = [
    "id=\"appendonsend\"",
    "id=appendonsend",
    "id=\"divrplyfwdmsg\"",
    "id=divrplyfwdmsg",
    "name=\"_mailoriginal\"",
    "id=\"mail-editor-reference-message-container\"",
    "id=\"ms-outlook-mobile-body-separator-line\"",
    "class=\"yahoo_quoted",
    "class=\"ms-outlook-mobile-reference-message",
    "border-top:solid #e1e1e1",
    "border-top:solid #b5c4df",
    "class=\"protonmail_quote",
];

/// The first text of a message as plain lines; of a plain and a readable one the plain, unless `reads_page`.
pub(crate) fn text_of(message: &Message<'_>, reads_page: bool) -> String {
    let part = if reads_page {
        message.html_part(0)
    } else {
        message.text_part(0)
    };
    let Some(part) = part else { return String::new() };
    match &part.body {
        PartType::Html(parsed) => {
            let html = decoded(message, part).unwrap_or_else(|| parsed.clone().into_owned());
            html_to_text(&marked(&html))
        }
        PartType::Text(parsed) => decoded(message, part).unwrap_or_else(|| parsed.clone().into_owned()),
        _ => String::new(),
    }
}

/// A part decoded from its bytes.
fn decoded(message: &Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    let place = usize::try_from(part.offset_body).ok()?..usize::try_from(part.offset_end).ok()?;
    let raw = message.raw_message.get(place)?;
    let bytes = match part.encoding {
        Encoding::None => raw.to_vec(),
        Encoding::QuotedPrintable => quoted_printable_decode(raw)?,
        Encoding::Base64 => base64_decode(raw)?,
    };
    let declared = part.content_type().and_then(|kind| kind.attribute("charset"));
    Some(of_charset(&bytes, declared.unwrap_or_default()))
}

/// Bytes as text. Valid UTF-8 beyond ASCII is no accident, whatever a careless program declares.
fn of_charset(bytes: &[u8], declared: &str) -> String {
    let declared = declared.trim().to_ascii_lowercase();
    let known = charset_decoder(declared.as_bytes());
    let is_careless = CARELESS.contains(&declared.as_str()) || known.is_none();
    if is_careless && let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let is_unicode = declared.starts_with("utf-8");
    let read = known
        .filter(|_| !is_unicode && !declared.contains("ascii"))
        .or_else(|| charset_decoder(USUAL));
    read.map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |read| read(bytes))
}

/// A page in which quotations are lines that begin with `>`, and the program's part below the reply comes after the mark below
/// which nothing is read.
fn marked(html: &str) -> String {
    let html = in_lines(html);
    // Of the same length, since only ASCII letters change.
    let lower = html.to_ascii_lowercase();
    let below = BELOW.iter().filter_map(|mark| lower.find(mark)).min();
    match below.and_then(|place| lower[..place].rfind('<')) {
        Some(cut) => format!("{}<p>{REPLY_MARK}</p>", &html[..cut]),
        None => html,
    }
}

/// Elements that begin and end a line besides paragraphs.
const BLOCKS: [&str; 20] = [
    "address", "article", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "pre",
    "section", "table", "tbody", "tr", "ul",
];

/// The page with each outermost `blockquote` replaced by one quoted line, and with a line for each block: the converter to text
/// knows only line breaks and paragraphs.
fn in_lines(html: &str) -> String {
    let (mut kept, mut depth, mut is_start) = (String::new(), 0_usize, true);
    let mut rest = html;
    while let Some(found) = rest.find('<') {
        let (text, tag) = rest.split_at(found);
        let (tag, below) = tag.split_at(tag.find('>').map_or(tag.len(), |end| end + 1));
        rest = below;
        if depth == 0 {
            is_start &= text.trim().is_empty();
            kept.push_str(text);
        }
        let is_end = tag.starts_with("</");
        let name = tag.trim_start_matches(['<', '/']);
        let name = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let begins_line = name == "blockquote" || name == "p" && !is_end || BLOCKS.contains(&name.as_str());
        if depth == 0 && begins_line && !is_start {
            kept.push_str("<br>");
            is_start = true;
        }
        match (name.as_str(), is_end) {
            ("blockquote", false) => {
                if depth == 0 {
                    kept.push_str("<p>&gt; </p>");
                }
                depth += 1;
            }
            ("blockquote", true) => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            (name, _) => {
                is_start |= name == "br" || name == "p" && is_end;
                kept.push_str(tag);
            }
        }
    }
    if depth == 0 {
        kept.push_str(rest);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_whatever_charset_is_declared() {
        let words = "Grüße – naïve";
        let (utf8, western) = (words.as_bytes(), b"Gr\xfc\xdfe \x96 na\xefve");
        for declared in [
            "",
            "us-ascii",
            "utf-8",
            "UTF-8",
            "iso-8859-1",
            "windows-1252",
            "unknown-8bit",
            "x-none",
            "foo",
        ] {
            assert_eq!(of_charset(utf8, declared), words, "{declared}");
        }
        for declared in ["", "us-ascii", "utf-8", "windows-1252", "unknown-8bit", "foo"] {
            assert_eq!(of_charset(western, declared), words, "{declared}");
        }
        assert_eq!(of_charset(b"\x1b$B$O$$\x1b(B", "iso-2022-jp"), "はい");
        assert_eq!(of_charset(b"\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251"), "Привет");
    }

    #[test]
    fn blocks_stand_on_lines_of_their_own() {
        let text = |html: &str| html_to_text(&marked(html)).trim().to_owned();
        assert_eq!(text("<div>One <i>two</i>.</div><div>Three</div>"), "One two.\nThree");
        assert_eq!(text("<div>One</div><div><br></div><div>Two</div>"), "One\n\nTwo");
        assert_eq!(
            text("One<div>Two</div>Three<ul><li>Four</li><li>Five</li></ul>"),
            "One\nTwo\nThree\nFour\nFive"
        );
        assert_eq!(text("<p>One</p><p>Two</p>"), "One\nTwo");
    }

    #[test]
    fn quotations_of_a_page_are_marked_and_nothing_else_is_taken() {
        let text = |html: &str| html_to_text(&marked(html));
        let found = text("<p>One</p><blockquote>x<BLOCKQUOTE>y</BLOCKQUOTE>z</blockquote><p>Two</p>");
        assert!(
            found.contains("One") && found.contains("Two") && found.contains('>'),
            "{found}"
        );
        assert!(!found.contains(['x', 'y', 'z']), "{found}");
        assert!(!text("<p>One</p><blockquote>never closed").contains("never"));
        assert!(text("a </blockquote> b").contains('b'));
        let found = text("<p>Yes.</p><div id=\"divRplyFwdMsg\"><b>From:</b> Assent");
        assert!(
            found.contains("Yes.") && found.contains(REPLY_MARK) && !found.contains("From"),
            "{found}"
        );
    }
}
