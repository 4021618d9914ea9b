//! Mail that people answer with: a raw message of RFC 5322 becomes the new words in it, with who wrote them and the signed
//! address that they were sent to. What a program sent by itself is left alone, so that no two of them talk to each other.
//!
//! The natural key of a reply is its Message-ID. What the mail server thinks of the sender (SPF, DKIM, DMARC) is decided
//! there, before a message is handed on: its verdict in a header could be anybody's.

use mail_parser::{Message, MessageParser, MimeHeaders};
use model::integration::signal::{self, MailReply, REPLY_MARK, SetAside, Signal};

/// How many characters the signed part of a reply address has: an id and its tag in base32.
pub const TOKEN_LETTERS: usize = 50;
/// The longest text that becomes a comment, in bytes; a longer one is shortened.
pub const WORDS_MAX_BYTES: usize = 10_000;
/// How many signed addresses of one message are looked at.
const MOST_TOKENS: usize = 8;
/// How many lines of a message are read.
const MOST_LINES: usize = 20_000;
/// Headers in which a mail server leaves the address that it delivered to.
const RECIPIENTS: [&str; 6] = [
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-forwarded-to",
];

fn parsed(body: &[u8]) -> Option<Message<'_>> {
    MessageParser::default().parse(without_envelope(body))
}

/// The message without the line that some mail servers put before what they pipe: `From ada@example.org Fri Nov 20 …`
/// (RFC 4155).
fn without_envelope(body: &[u8]) -> &[u8] {
    if !body.starts_with(b"From ") {
        return body;
    }
    let end = body.iter().position(|byte| *byte == b'\n');
    end.map_or(body, |end| &body[end + 1..])
}

/// The message's own id; empty when it has none.
#[must_use]
pub fn message_id(body: &[u8]) -> String {
    let found = parsed(body).and_then(|it| it.message_id().map(str::to_owned));
    found.unwrap_or_default()
}

/// Reads a message.
///
/// # Errors
/// [`SetAside`] when it is no mail or says not who wrote it.
pub fn read(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let message = parsed(body).ok_or_else(|| SetAside::because("the body is no message of RFC 5322"))?;
    if let Some(why) = automatic(&message) {
        return Ok(vec![Signal::Unknown {
            event: format!("mail that a program sent by itself ({why})"),
            action: None,
        }]);
    }
    let mut writers = message.from().into_iter().flat_map(|it| it.iter());
    let writer = writers.next().and_then(|it| it.address()).unwrap_or_default();
    // Of several such headers (RFC 5322 allows one) a mail server may have judged another than the one that is read here.
    let headers = message
        .headers_raw()
        .filter(|(name, _)| name.eq_ignore_ascii_case("from"));
    if writer.is_empty() || writers.next().is_some() || headers.count() != 1 {
        return Err(SetAside::because("the message has not just one writer in `From`"));
    }
    let text = message.body_text(0).unwrap_or_default();
    Ok(vec![Signal::MailReply(MailReply {
        message_id: signal::free_text(message.message_id().unwrap_or_default()).unwrap_or_default(),
        from: signal::name("From", &writer.to_lowercase())?,
        tokens: tokens(&message),
        text: signal::shortened(&new_words(&text), WORDS_MAX_BYTES),
    })])
}

/// Why a message counts as a program's own: RFC 3834's header, the older customs, reports (RFC 3464), lists (RFC 2919), and
/// an empty way back.
fn automatic(message: &Message<'_>) -> Option<&'static str> {
    let is_report = message
        .content_type()
        .is_some_and(|it| it.ctype().eq_ignore_ascii_case("multipart") && it.subtype() == Some("report"));
    if is_report {
        return Some("a report");
    }
    for (name, value) in message.headers_raw() {
        let (name, value) = (name.to_lowercase(), value.trim().to_lowercase());
        let is_no = || value.split(';').next().is_some_and(|word| word.trim() == "no");
        match name.as_str() {
            "auto-submitted" if !is_no() => return Some("Auto-Submitted"),
            "x-autoreply" | "x-autorespond" | "x-auto-response-suppress" => return Some("an automatic answer"),
            "precedence" if matches!(value.as_str(), "bulk" | "junk" | "list" | "auto_reply") => {
                return Some("Precedence");
            }
            "list-id" | "list-unsubscribe" => return Some("a mailing list"),
            "return-path" if value == "<>" => return Some("an empty Return-Path"),
            _ => {}
        }
    }
    None
}

/// The signed parts of the addresses that the message was sent to: what stands between `+` and `@`.
fn tokens(message: &Message<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (name, value) in message.headers_raw() {
        if !RECIPIENTS.contains(&name.to_lowercase().as_str()) {
            continue;
        }
        let value = value.to_lowercase();
        for part in value.split('+').skip(1) {
            let Some((token, _)) = part.split_once('@') else {
                continue;
            };
            let is_token = token.len() == TOKEN_LETTERS
                && token
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte));
            if is_token && found.len() < MOST_TOKENS && !found.iter().any(|known| known == token) {
                found.push(token.to_owned());
            }
        }
    }
    found
}

/// What the writer added: without quoted lines, the letter that they answered, the line that introduces it, and a
/// signature.
#[must_use]
pub fn new_words(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut has_cut = false;
    for line in text.lines().take(MOST_LINES) {
        let trimmed = line.trim_end();
        let is_end = trimmed.contains(REPLY_MARK) || is_rule(trimmed);
        if is_end || trimmed == "--" {
            has_cut |= is_end;
            break;
        }
        if trimmed.trim_start().starts_with('>') {
            has_cut = true;
            // Whatever introduces the quoted lines goes with them.
            drop_introduction(&mut kept);
            continue;
        }
        kept.push(trimmed);
    }
    if has_cut {
        drop_introduction(&mut kept);
    }
    kept.join("\n").trim().to_owned()
}

/// A line that parts an answer from what it answers: `-----Original Message-----`, or a rule of underscores.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    let is_framed = line.len() > 12 && line.starts_with("-----") && line.ends_with("-----");
    is_framed || (line.len() >= 10 && line.bytes().all(|byte| byte == b'_'))
}

/// Takes the last paragraph away when it introduces a quotation: “On Friday, Ada <ada@…> wrote:”, or the heads of the
/// message that is answered.
fn drop_introduction(kept: &mut Vec<&str>) {
    while kept.last().is_some_and(|line| line.trim().is_empty()) {
        kept.pop();
    }
    let start = kept
        .iter()
        .rposition(|line| line.trim().is_empty())
        .map_or(0, |place| place + 1);
    let last = kept.get(start..).unwrap_or_default();
    let names_somebody = last.iter().any(|line| line.contains('@'));
    let has_year = last.iter().any(|line| {
        line.as_bytes()
            .windows(4)
            .any(|digits| digits.iter().all(u8::is_ascii_digit))
    });
    let ends_open = last.last().is_some_and(|line| line.trim_end().ends_with(':'));
    let is_head = |line: &&str| {
        line.trim_matches('*')
            .split_once(':')
            .is_some_and(|(name, _)| !name.is_empty() && !name.contains(' '))
    };
    let introduces = ends_open && last.len() <= 3 && (names_somebody || has_year);
    let heads = last.len() >= 2 && names_somebody && last.iter().all(is_head);
    if introduces || heads {
        kept.truncate(start);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqr";

    fn mail(heads: &str, text: &str) -> Vec<u8> {
        format!(
            "From: Ada Lovelace <Ada@Example.org>\r\nTo: Assent <assent+{TOKEN}@example.org>\r\nSubject: Re: CHG-7\r\n\
             Message-ID: <m1@example.org>\r\n{heads}\r\n{text}"
        )
        .into_bytes()
    }

    fn reply(body: &[u8]) -> MailReply {
        match read(body).unwrap().remove(0) {
            Signal::MailReply(reply) => reply,
            other => panic!("no reply: {other:?}"),
        }
    }

    #[test]
    fn a_reply_tells_its_writer_its_address_and_its_new_words() {
        let text = "It is safe: the index is built\r\nbeforehand.\r\n\r\nOn Fri, 20 Nov 2026 at 10:00, Assent\r\n\
                    <assent+x@example.org> wrote:\r\n> [Reply above this line]\r\n> CHG-7 came back with a question\r\n";
        let found = reply(&mail("", text));
        assert_eq!(found.text, "It is safe: the index is built\nbeforehand.");
        assert_eq!(found.from, "ada@example.org");
        assert_eq!(found.tokens, [TOKEN]);
        assert_eq!(found.message_id, "m1@example.org");
        assert_eq!(message_id(&mail("", text)), "m1@example.org");
    }

    #[test]
    fn the_line_of_an_envelope_is_no_part_of_the_message() {
        let piped = [
            &b"From ada@example.org Fri Nov 20 10:00:00 2026\n"[..],
            &mail("", "Yes.\r\n"),
        ]
        .concat();
        assert_eq!(reply(&piped), reply(&mail("", "Yes.\r\n")));
        assert_eq!(message_id(&piped), "m1@example.org");
        assert!(read(b"From nobody").is_err());
    }

    #[test]
    fn what_a_program_sent_by_itself_is_left_alone() {
        for head in [
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-generated",
            "Precedence: bulk",
            "X-Autoreply: yes",
            "X-Auto-Response-Suppress: All",
            "List-Id: <all.example.org>",
            "Return-Path: <>",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        ] {
            let found = read(&mail(&format!("{head}\r\n"), "I am away.\r\n")).unwrap();
            assert!(matches!(&found[..], [Signal::Unknown { .. }]), "{head}: {found:?}");
        }
        let found = read(&mail("Auto-Submitted: no\r\n", "Here.\r\n")).unwrap();
        assert!(matches!(&found[..], [Signal::MailReply(_)]), "{found:?}");
    }

    #[test]
    fn a_message_without_a_writer_or_with_two_is_set_aside() {
        let twice = "From: a@example.org\r\nFrom: b@example.org\r\n";
        for from in ["", "From: a@example.org, b@example.org\r\n", "From: nobody\r\n", twice] {
            let body = format!("{from}To: x@example.org\r\nSubject: x\r\n\r\nWords\r\n");
            assert!(read(body.as_bytes()).is_err(), "{from}");
        }
        assert!(read(b"").is_err());
    }

    #[test]
    fn new_words_stand_alone() {
        for (text, words) in [
            ("Yes.\n\n-- \nAda\n+47 1", "Yes."),
            ("Yes.\n\n[Reply above this line]\nCHG-7", "Yes."),
            ("> why?\n\nBecause.\n> and when?\n\nToday.", "Because.\n\nToday."),
            ("Look here:\n> it says so", "Look here:"),
            ("Ja.\n\nAm 20.11.2026 um 10:00 schrieb Assent <a@b>:\n> x", "Ja."),
            (
                "Fine.\n\n________________________________\nFrom: Assent <a@b>\nSent: Friday",
                "Fine.",
            ),
            ("Fine.\n\n-----Original Message-----\nFrom: Assent", "Fine."),
            (
                "Fine.\n\n*From:* Assent <a@b>\n*Sent:* Friday\n*To:* Ada\n*Subject:* CHG-7\n\n[Reply above this line]",
                "Fine.",
            ),
            ("> only quoted\n", ""),
            ("", ""),
            ("Mail me at a@b:\n\nlater", "Mail me at a@b:\n\nlater"),
        ] {
            assert_eq!(new_words(text), words, "{text}");
        }
    }

    #[test]
    fn a_page_for_reading_becomes_plain_words() {
        let html = "<html><body><p>It is <b>safe</b>.</p><script>x()</script><blockquote>[Reply above this line]</blockquote>\
                    </body></html>\r\n";
        let found = reply(&mail(
            "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n",
            html,
        ));
        assert_eq!(found.text, "It is safe.");
    }

    #[test]
    fn words_in_other_letters_are_read() {
        let mut body = mail(
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n",
            "",
        );
        body.extend_from_slice(b"Gr\xfc\xdfe\r\n");
        assert_eq!(reply(&body).text, "Grüße");
    }

    #[test]
    fn long_words_are_shortened() {
        let found = reply(&mail("", &"ä".repeat(20_000)));
        assert!(found.text.len() <= WORDS_MAX_BYTES, "{}", found.text.len());
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = read(&bytes);
            let _ = message_id(&bytes);
        }

        #[test]
        fn no_line_that_is_quoted_is_taken(lines in proptest::collection::vec("(> ?)?[a-z@:0-9 ]{0,20}", 0..30)) {
            let words = new_words(&lines.join("\n"));
            prop_assert!(!words.lines().any(|line| line.trim_start().starts_with('>')));
        }

        #[test]
        fn forged_heads_name_no_more_than_a_few_addresses(count in 0_usize..40) {
            let many: Vec<String> = (0..count).map(|it| {
                let letter = char::from(b'a' + u8::try_from(it % 26).unwrap());
                format!("x+{}@example.org", letter.to_string().repeat(TOKEN_LETTERS))
            }).collect();
            let found = reply(&mail(&format!("Cc: {}\r\n", many.join(", ")), "Hello\r\n"));
            prop_assert!(found.tokens.len() <= 8);
        }
    }
}
