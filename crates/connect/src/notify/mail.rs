//! Letters: one plain text to one person, turned into a message of RFC 5322.
//!
//! Text in a letter may come from anybody (the title of a change, a display name), so no part of it can add a header: addresses
//! and the message's id are checked, and the other parts are brought onto one line before the library encodes them.

use std::time::SystemTime;

use jiff::Timestamp;
pub use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, MultiPart, MultiPartKind, SinglePart};

/// The longest subject or display name, in bytes; a longer one is cut off.
pub const LINE_MAX_BYTES: usize = 255;
/// The longest text, in bytes.
pub const TEXT_MAX_BYTES: usize = 1024 * 1024;
/// The longest message id, in bytes with its brackets.
pub const MESSAGE_ID_MAX_BYTES: usize = 200;

/// A mail to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The sender.
    pub from: Party,
    /// The recipient. There is only one, so that no recipient learns of the others.
    pub to: Party,
    /// The reply address, if it is not the sender.
    pub reply_to: Option<String>,
    /// The opt-out address of a letter (RFC 8058) to people outside the organisation.
    pub unsubscribe: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text, with line feeds between its lines.
    pub text: String,
    /// `left@right` without brackets. The caller chooses it once for each letter, so that a
    /// second try carries the same id and the receiver can drop the double.
    pub message_id: String,
    /// When it was written; the same on every try.
    pub written_at: Timestamp,
}

/// One end of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The display name, which may be empty.
    pub name: String,
    /// The address, `local@domain`.
    pub address: String,
}

/// Why a letter cannot become a message; a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// The address is not valid; the field is named (`from`, `to` or `reply_to`).
    #[error("the address of `{0}` is not a mail address")]
    Address(&'static str),
    /// The message id is not `left@right` of plain characters.
    #[error("the message id is not of the form left@right")]
    MessageId,
    /// The time is not valid in a mail.
    #[error("the letter's time lies outside of the years 1970 to 9999")]
    Time,
    /// The text is longer than [`TEXT_MAX_BYTES`].
    #[error("the text is longer than 1 MiB")]
    TooLong,
    /// The library refused the message.
    #[error("the message cannot be built: {0}")]
    Build(String),
}

/// The action of a calendar program for the calendar part of a letter (RFC 6047).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Adds the event, or moves an existing one.
    Request,
    /// It takes the event out.
    Cancel,
}

impl Method {
    /// The method's name in RFC 5546.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// The calendar part of a letter: the method and the iCalendar text with the same method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarPart {
    /// The method.
    pub method: Method,
    /// The text.
    pub text: String,
}

/// Builds the message, with `Auto-Submitted: auto-generated` (RFC 3834), so that no absence note replies to it. The same letter
/// always gives the same message.
///
/// # Errors
/// [`LetterError`], for the reasons in its variants.
pub fn message(letter: &Letter) -> Result<Message, LetterError> {
    message_with(letter, None)
}

/// The same with a part for calendar programs beside the text (`multipart/alternative`).
///
/// # Errors
/// [`LetterError`], for the reasons in its variants.
pub fn message_with(letter: &Letter, calendar: Option<&CalendarPart>) -> Result<Message, LetterError> {
    if letter.text.len() > TEXT_MAX_BYTES {
        return Err(LetterError::TooLong);
    }
    let id = message_id(&letter.message_id)?;
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let mut builder = Message::builder().date(date(letter.written_at)?);
    if let Some(address) = &letter.reply_to {
        let party = Party {
            name: String::new(),
            address: address.clone(),
        };
        builder = builder.reply_to(mailbox("reply_to", &party)?);
    }
    let builder = builder
        .from(mailbox("from", &letter.from)?)
        .to(mailbox("to", &letter.to)?)
        .subject(one_line(&letter.subject))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let built = match calendar {
        Some(part) => builder.multipart(parts(letter, part)?),
        // The library sets it only for messages in several parts; RFC 2045 section 4 requires it for every one.
        None => builder
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(lines(&letter.text)),
    };
    let mut message = built.map_err(|error| LetterError::Build(error.to_string()))?;
    // Written as it is: folding would put a line break into a long id.
    let name = HeaderName::new_from_ascii_str("Message-ID");
    let header = HeaderValue::dangerous_new_pre_encoded(name, id.clone(), id);
    message.headers_mut().insert_raw(header);
    for (name, value) in unsubscribing(letter.unsubscribe.as_deref()) {
        let name = HeaderName::new_from_ascii_str(name);
        let header = HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value);
        message.headers_mut().insert_raw(header);
    }
    Ok(message)
}

/// The headers of RFC 2369 and RFC 8058 for an address; none for an address that is not valid in a header. A mail program opts
/// out by itself over HTTPS alone.
fn unsubscribing(address: Option<&str>) -> Vec<(&'static str, String)> {
    let is_plain =
        |it: &&str| it.len() <= LINE_MAX_BYTES && it.bytes().all(|b| b.is_ascii_graphic() && !b"<>,".contains(&b));
    let Some(address) = address.filter(is_plain) else {
        return Vec::new();
    };
    let mut found = vec![("List-Unsubscribe", format!("<{address}>"))];
    if address.starts_with("https://") {
        found.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    found
}

/// The text and the calendar part; their boundary comes from the letter's id, so that the message is always the same.
fn parts(letter: &Letter, part: &CalendarPart) -> Result<MultiPart, LetterError> {
    let kind = format!("text/calendar; charset=utf-8; method={}", part.method.as_str());
    let kind = ContentType::parse(&kind).map_err(|error| LetterError::Build(error.to_string()))?;
    let letters = letter.message_id.bytes().filter(u8::is_ascii_alphanumeric).take(40);
    let boundary: String = letters.map(char::from).collect();
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(lines(&letter.text));
    let calendar = SinglePart::builder().header(kind).body(part.text.clone());
    let both = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(format!("assent-{boundary}"))
        .singlepart(text)
        .singlepart(calendar);
    Ok(both)
}

fn mailbox(which: &'static str, party: &Party) -> Result<Mailbox, LetterError> {
    let address = party.address.parse().map_err(|_| LetterError::Address(which))?;
    let is_plain = !party.address.chars().any(|c| c.is_control() || c.is_whitespace());
    if !is_plain {
        return Err(LetterError::Address(which));
    }
    let name = Some(one_line(&party.name)).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

fn message_id(text: &str) -> Result<String, LetterError> {
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+=".contains(&b));
    match text.split_once('@') {
        Some((left, right)) if is_plain(left) && is_plain(right) && text.len() + 2 <= MESSAGE_ID_MAX_BYTES => {
            Ok(format!("<{text}>"))
        }
        _ => Err(LetterError::MessageId),
    }
}

/// The library panics on times before 1970 and cannot write years beyond 9999.
fn date(at: Timestamp) -> Result<SystemTime, LetterError> {
    const END_OF_9999_SECONDS: i64 = 253_402_300_800;
    let is_writable = (0..END_OF_9999_SECONDS).contains(&at.as_second());
    is_writable.then(|| at.into()).ok_or(LetterError::Time)
}

/// Brings a text onto one line: control characters and runs of white space become one space. The sign `=?` gets a space inside,
/// because readers would take it for the start of an encoded text.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = spaced
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("=?", "= ?");
    if line.len() > LINE_MAX_BYTES {
        let end = (0..=LINE_MAX_BYTES - '…'.len_utf8())
            .rev()
            .find(|end| line.is_char_boundary(*end))
            .unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Gives the text one kind of line end and takes control characters out of it.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\r' => '\n',
            '\n' | '\t' => c,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use proptest::prelude::*;

    fn letter() -> Letter {
        Letter {
            from: Party {
                name: "Assent".to_owned(),
                address: "assent@example.org".to_owned(),
            },
            to: Party {
                name: "Ada Lovelace".to_owned(),
                address: "ada@example.org".to_owned(),
            },
            reply_to: None,
            unsubscribe: None,
            subject: "CHG-7 waits for you".to_owned(),
            text: "Hello,\nplease look.\n".to_owned(),
            message_id: "0197.mail@assent.example.org".to_owned(),
            written_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        }
    }

    fn formatted(letter: &Letter) -> String {
        String::from_utf8(message(letter).unwrap().formatted()).unwrap()
    }

    /// The names of the headers, each at the beginning of a line that does not continue another.
    fn header_names(formatted: &str) -> Vec<String> {
        let (head, _) = formatted.split_once("\r\n\r\n").unwrap();
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect()
    }

    const HEADERS: [&str; 9] = [
        "Date",
        "From",
        "To",
        "Subject",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Message-ID",
    ];

    #[test]
    fn a_letter_to_customers_names_the_way_to_opt_out_in_its_head() {
        let with = |address: &str| {
            let letter = Letter {
                unsubscribe: Some(address.to_owned()),
                ..letter()
            };
            String::from_utf8(message(&letter).unwrap().formatted()).unwrap()
        };
        let text = with("https://assent.example.org/t/halden/customer-letters/1/2");
        assert!(text.contains("\r\nList-Unsubscribe: <https://assent.example.org/t/halden/customer-letters/1/2>\r\n"));
        assert!(text.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        assert!(
            !with("http://localhost/1/2").contains("One-Click"),
            "nobody opts out over plain HTTP by itself"
        );
        for wrong in [
            "https://x.example/\r\nBcc: eve@x.example",
            "https://x.example/>,<https://y.example",
        ] {
            assert!(!with(wrong).contains("List-Unsubscribe"), "{wrong:?}");
        }
    }

    #[test]
    fn a_letter_becomes_a_message_that_is_always_the_same() {
        let text = formatted(&letter());
        assert_eq!(text, formatted(&letter()));
        for line in [
            "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n",
            "From: Assent <assent@example.org>\r\n",
            "To: \"Ada Lovelace\" <ada@example.org>\r\n",
            "Subject: CHG-7 waits for you\r\n",
            "Message-ID: <0197.mail@assent.example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "MIME-Version: 1.0\r\n",
            "\r\n\r\nHello,\r\nplease look.\r\n",
        ] {
            assert!(text.contains(line), "{line:?} is missing in {text}");
        }
    }

    #[test]
    fn an_invitation_has_a_calendar_part_beside_its_text() {
        let part = CalendarPart {
            method: Method::Request,
            text: "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n".to_owned(),
        };
        let built = || String::from_utf8(message_with(&letter(), Some(&part)).unwrap().formatted()).unwrap();
        let text = built();
        assert_eq!(text, built(), "it is always the same");
        assert!(text.contains("Content-Type: multipart/alternative"), "{text}");
        assert!(
            text.contains("text/calendar") && text.contains("method=REQUEST"),
            "{text}"
        );
        assert!(
            text.contains("METHOD:REQUEST\r\n") && text.contains("please look."),
            "{text}"
        );
        assert_eq!(text.matches("MIME-Version: 1.0").count(), 1, "{text}");
    }

    #[test]
    fn addresses_and_ids_that_would_add_a_header_are_refused() {
        for bad in [
            "",
            "ada",
            "ada@example.org\r\nBcc: eve@example.org",
            "a@b.c>\n",
            "a b@example.org",
            "a@exam ple.org",
        ] {
            let mut it = letter();
            it.to.address = bad.to_owned();
            assert_eq!(message(&it).unwrap_err(), LetterError::Address("to"), "{bad:?}");
        }
        for bad in ["", "a", "@b", "a@", "a@b@c", "<a@b>", "a@b\r\nX: y", "ä@b"] {
            let mut it = letter();
            it.message_id = bad.to_owned();
            assert_eq!(message(&it).unwrap_err(), LetterError::MessageId, "{bad:?}");
        }
        let mut long = letter();
        long.message_id = format!("{}@b", "a".repeat(MESSAGE_ID_MAX_BYTES));
        assert_eq!(message(&long).unwrap_err(), LetterError::MessageId);
    }

    #[test]
    fn times_that_a_mail_cannot_hold_are_refused() {
        for bad in ["1969-12-31T23:59:59Z", "-000001-01-01T00:00:00Z"] {
            let mut it = letter();
            it.written_at = bad.parse().unwrap();
            assert_eq!(message(&it).unwrap_err(), LetterError::Time);
        }
        let mut it = letter();
        it.written_at = Timestamp::MAX;
        assert!(message(&it).is_ok());
    }

    #[test]
    fn long_ids_are_not_broken_and_long_texts_are_refused() {
        let mut it = letter();
        it.message_id = format!("{}@{}", "a".repeat(98), "b".repeat(99));
        assert!(formatted(&it).contains(&format!("Message-ID: <{}>\r\n", it.message_id)));
        it.text = "x".repeat(TEXT_MAX_BYTES + 1);
        assert_eq!(message(&it).unwrap_err(), LetterError::TooLong);
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\r\nBcc: b\t c\u{0}"), "a Bcc: b c");
        assert_eq!(one_line("=?utf-8?q?x?="), "= ?utf-8?q?x?=");
        let long = one_line(&"ä".repeat(300));
        assert!(long.len() <= LINE_MAX_BYTES && long.ends_with('…'));
    }

    proptest! {
        #[test]
        fn no_text_adds_a_header(subject in any::<String>(), name in any::<String>(), text in any::<String>()) {
            let mut it = letter();
            it.subject = subject;
            it.to.name = name;
            it.text = text;
            prop_assert_eq!(header_names(&formatted(&it)), HEADERS);
        }

        #[test]
        fn no_line_break_adds_a_header(parts in proptest::collection::vec("(\r\n|\n|\r|Bcc: eve@example.org|\u{85}|\u{2028}|ä| |,|\"|<|>|;)", 0..30)) {
            let mut it = letter();
            it.subject = parts.concat();
            it.from.name = parts.concat();
            it.to.name = parts.concat();
            prop_assert_eq!(header_names(&formatted(&it)), HEADERS);
        }

        #[test]
        fn no_address_adds_a_header(address in "(a|@|b\\.org|\r|\n|Bcc:| |<|>|,|\"|ä){0,12}") {
            let mut it = letter();
            it.to.address = address;
            if let Ok(message) = message(&it) {
                let text = String::from_utf8_lossy(&message.formatted()).into_owned();
                prop_assert_eq!(header_names(&text), HEADERS);
                prop_assert_eq!(message.envelope().to().len(), 1);
            }
        }
    }
}
