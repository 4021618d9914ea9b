//! The words of a mail as its writer meant them: decoded although the charset is missing or wrong, and a page for reading as
//! plain lines in which what is quoted is marked as such.

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
/// What a text without a usable charset is, where it is not UTF-8.
const USUAL: &[u8] = b"windows-1252";
/// Where Outlook, Gmail, Yahoo, Apple, Proton and Thunderbird begin what they put below an answer.
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
pub(super) fn text_of(message: &Message<'_>, reads_page: bool) -> String {
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

/// Bytes as text. What is UTF-8 beyond ASCII is that by no accident, whatever a careless program declares.
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

/// A page in which quotations are lines that begin with `>`, and what a program put below the answer comes after the mark
/// below which nothing is read.
fn marked(html: &str) -> String {
    let html = without_quotations(html);
    // Of the same length, since only ASCII letters change.
    let lower = html.to_ascii_lowercase();
    let below = BELOW.iter().filter_map(|mark| lower.find(mark)).min();
    match below.and_then(|place| lower[..place].rfind('<')) {
        Some(cut) => format!("{}<p>{REPLY_MARK}</p>", &html[..cut]),
        None => html,
    }
}

/// The page with each outermost `blockquote` replaced by one quoted line.
fn without_quotations(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let (mut kept, mut depth, mut from) = (String::new(), 0_usize, 0);
    let mut at = 0;
    while let Some(found) = lower[at..].find('<').map(|found| at + found) {
        let tag = &lower[found..];
        let end = tag.find('>').map_or(lower.len(), |length| found + length + 1);
        if tag.starts_with("<blockquote") {
            if depth == 0 {
                kept.push_str(&html[from..found]);
                kept.push_str("<p>&gt; </p>");
            }
            depth += 1;
        } else if tag.starts_with("</blockquote") && depth > 0 {
            depth -= 1;
            from = end;
        }
        at = end;
    }
    if depth == 0 {
        kept.push_str(&html[from..]);
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
