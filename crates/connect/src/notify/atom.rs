//! Atom feeds (RFC 4287).

use std::fmt::Write;

use jiff::Timestamp;

/// One entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its permanent address, which is also its id.
    pub link: String,
    /// Its title.
    pub title: String,
    /// When it changed last.
    pub updated: Timestamp,
    /// Its text.
    pub text: String,
}

/// A feed with its entries; `link` is the address of its page, and its id.
#[must_use]
pub fn feed(title: &str, link: &str, updated: Timestamp, entries: &[Entry]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    let link = escaped(link);
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "<title>{}</title>\n<id>{link}</id>\n<link href=\"{link}\"/>\n<updated>{updated}</updated>\n<author><name>Assent</name></author>",
        escaped(title)
    );
    for entry in entries {
        let link = escaped(&entry.link);
        let _ = writeln!(
            out,
            "<entry>\n<title>{}</title>\n<id>{link}</id>\n<link href=\"{link}\"/>\n<updated>{}</updated>\n<summary>{}</summary>\n</entry>",
            escaped(&entry.title),
            entry.updated,
            escaped(&entry.text)
        );
    }
    out.push_str("</feed>\n");
    out
}

/// A text as XML; characters that XML 1.0 does not have are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if letter.is_control() => {}
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        let entry = Entry {
            link: "https://a.example/?x=1&y=2".to_owned(),
            title: "</title><script>\u{1b}".to_owned(),
            updated: Timestamp::UNIX_EPOCH,
            text: "\"a\" & b".to_owned(),
        };
        let text = feed("S", "https://a.example/s", Timestamp::UNIX_EPOCH, &[entry]);
        assert!(text.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"), "{text}");
        assert!(text.contains("<id>https://a.example/?x=1&amp;y=2</id>"), "{text}");
        assert!(text.contains("<summary>&quot;a&quot; &amp; b</summary>"), "{text}");
        assert!(text.contains("<updated>1970-01-01T00:00:00Z</updated>"), "{text}");
    }
}
