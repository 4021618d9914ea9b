//! Mail replies: reads from a raw message of RFC 5322 the new text, the writer, and the signed address of the recipient.
//! Automatic messages are ignored, so that no two programs write to each other. A report that a letter came back is a bounce.
//!
//! The natural key of a reply is its Message-ID. The mail server checks the sender (SPF, DKIM, DMARC) before it forwards a
//! message: a verdict in a header could be anybody's.

use mail_parser::{Message, MessageParser, MimeHeaders};
use model::integration::signal::{self, MailReply, REPLY_MARK, SetAside, Signal};

use crate::notify::bounce;
use crate::notify::mail_text::text_of;

/// How many characters the signed part of a reply address has: an id and its tag in base32.
pub const TOKEN_LETTERS: usize = 50;
/// The longest text that becomes a comment, in bytes; a longer one is shortened.
pub const WORDS_MAX_BYTES: usize = 10_000;
/// The longest subject that is read, in bytes.
const SUBJECT_MAX_BYTES: usize = 600;
/// How many signed addresses of one message are examined.
const MOST_TOKENS: usize = 8;
/// How many lines of a message are read.
const MOST_LINES: usize = 20_000;
/// Headers in which a mail server leaves the delivery address.
const RECIPIENTS: [&str; 6] = [
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-forwarded-to",
];

pub(crate) fn parsed(body: &[u8]) -> Option<Message<'_>> {
    MessageParser::default().parse(without_envelope(body))
}

/// The message without the line that some mail servers put before piped mail: `From ada@example.org Fri Nov 20 …` (RFC 4155).
pub(crate) fn without_envelope(body: &[u8]) -> &[u8] {
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
/// [`SetAside`] when it is no mail or has no writer.
pub fn read(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let message = parsed(body).ok_or_else(|| SetAside::because("the body is no message of RFC 5322"))?;
    if let Some(bounce) = bounce::read(&message).filter(|it| !it.recipients.is_empty()) {
        return Ok(vec![Signal::Bounce(bounce)]);
    }
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
    // Some programs send an empty plain text beside the page for reading.
    let mut words = new_text(&text_of(&message, false));
    if words.is_empty() {
        words = new_text(&text_of(&message, true));
    }
    Ok(vec![Signal::MailReply(MailReply {
        message_id: signal::free_text(message.message_id().unwrap_or_default()).unwrap_or_default(),
        from: signal::name("From", &writer.to_lowercase())?,
        tokens: tokens(&message),
        text: signal::shortened(&words, WORDS_MAX_BYTES),
        subject: signal::shortened(
            &signal::free_text(message.subject().unwrap_or_default()).unwrap_or_default(),
            SUBJECT_MAX_BYTES,
        ),
        files: Vec::new(),
        left_out: Vec::new(),
    })])
}

/// Why a message counts as automatic: RFC 3834's header, the older customs, reports (RFC 3464), lists (RFC 2919), and an empty
/// return path. `X-Auto-Response-Suppress` does not count: Exchange puts it on people's own mail, to suppress automatic replies
/// (MS-OXCMAIL, section 2.2.3.2.14).
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
            "x-autoreply" | "x-autorespond" if !is_no() => return Some("an automatic answer"),
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

/// The signed parts of the recipient addresses: the text between `+` and `@`.
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

/// The writer's new text: without quoted lines, the original letter, the line that introduces it, and a signature.
#[must_use]
pub fn new_text(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take(MOST_LINES).map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut has_cut = false;
    for (place, line) in lines.iter().enumerate() {
        let is_end = line.contains(REPLY_MARK) || is_rule(line) || begins_letter(&lines[place..]);
        if is_end || *line == "--" {
            has_cut |= is_end;
            break;
        }
        if is_quoted(line) {
            has_cut = true;
            // The introduction of the quoted lines is removed with them.
            drop_introduction(&mut kept);
            continue;
        }
        kept.push(line);
    }
    if has_cut {
        drop_introduction(&mut kept);
    }
    kept.join("\n").trim().to_owned()
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// The headers that Outlook puts above the original letter, in the languages that it is used in: writer, time, recipients and
/// subject. The first is that of the writer.
const HEADS: [[&str; 4]; 7] = [
    ["from", "sent", "to", "subject"],
    ["von", "gesendet", "an", "betreff"],
    ["de", "envoyé", "à", "objet"],
    ["de", "enviado", "para", "asunto"],
    ["da", "inviato", "a", "oggetto"],
    ["de", "enviada em", "para", "assunto"],
    ["van", "verzonden", "aan", "onderwerp"],
];
/// Gmail's “wrote” in the same languages.
const WROTE: [&str; 7] = [
    "wrote",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "escreveu",
    "schreef",
];
/// How many lines of heads Outlook puts there, copies and importance included.
const MOST_HEADS: usize = 8;

/// Whether the original letter begins here without any quotation mark: with its headers, or with the line that names its
/// writer.
fn begins_letter(rest: &[&str]) -> bool {
    let head = |line: &str| -> Option<String> {
        let (name, _) = line.trim().trim_matches('*').split_once(':')?;
        Some(name.trim_matches(['*', '\u{a0}', ' ']).to_lowercase())
    };
    let Some(first) = rest.first().and_then(|line| head(line)) else {
        return introduces_unquoted(rest);
    };
    let near: Vec<String> = rest
        .iter()
        .skip(1)
        .take(MOST_HEADS)
        .map_while(|line| head(line))
        .collect();
    let is_of = |names: &[&str; 4]| {
        let others = names[1..].iter().filter(|name| near.iter().any(|near| near == *name));
        first == names[0] && others.count() >= 2
    };
    HEADS.iter().any(is_of) || introduces_unquoted(rest)
}

/// Whether an introduction of a quotation begins here, with a writer and a time, and the text after it is not marked as quoted.
fn introduces_unquoted(rest: &[&str]) -> bool {
    let paragraph = rest.iter().take(MOST_BREAKS).take_while(|line| !line.trim().is_empty());
    let paragraph: Vec<&str> = paragraph.copied().collect();
    let Some(last) = paragraph.iter().position(|line| line.trim_end().ends_with(':')) else {
        return false;
    };
    let said = paragraph[..=last].join(" ").to_lowercase();
    let words = said.trim_end_matches([':', ' ', '\u{a0}']);
    // In some languages the writer follows the verb.
    let says = WROTE
        .iter()
        .any(|verb| words.ends_with(verb) || words.contains(&format!(" {verb} ")));
    let is_whole = words.contains('@') && has_year(words) && begin_of_introduction(&paragraph[..=last]) == Some(0);
    let below = rest[last + 1..].iter().find(|line| !line.trim().is_empty());
    says && is_whole && below.is_some_and(|line| !is_quoted(line))
}

/// Into how many lines programs break the line that introduces a quotation.
const MOST_BREAKS: usize = 3;

/// Where in a paragraph whose last line ends with a colon the introduction of a quotation begins: the shortest end of it that names
/// an address and a year, and holds no end of a sentence; else the last line, where that has either.
fn begin_of_introduction(paragraph: &[&str]) -> Option<usize> {
    let last = paragraph.last().filter(|line| line.trim_end().ends_with(':'))?;
    for length in 1..=paragraph.len().min(MOST_BREAKS) {
        let start = paragraph.len() - length;
        let is_sentence = paragraph[start].trim_end().ends_with(['.', '!', '?']);
        if length > 1 && is_sentence {
            break;
        }
        let joined = paragraph[start..].join(" ");
        if joined.contains('@') && has_year(&joined) {
            return Some(start);
        }
    }
    (last.contains('@') || has_year(last)).then(|| paragraph.len() - 1)
}

/// Whether the text has four digits in a row.
fn has_year(text: &str) -> bool {
    let is_figures = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    text.as_bytes().windows(4).any(is_figures)
}

/// A line between a reply and the original: `-----Original Message-----`, or a rule of underscores.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    let is_framed = line.len() > 12 && line.starts_with("-----") && line.ends_with("-----");
    is_framed || (line.len() >= 10 && line.bytes().all(|byte| byte == b'_'))
}

/// Removes the last paragraph when it introduces a quotation: “On Friday, Ada <ada@…> wrote:”, or the headers of the original
/// message.
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
    let is_head = |line: &&str| {
        line.trim_matches('*')
            .split_once(':')
            .is_some_and(|(name, _)| !name.is_empty() && !name.contains(' '))
    };
    let heads = last.len() >= 2 && names_somebody && last.iter().all(is_head);
    if heads {
        kept.truncate(start);
    } else if let Some(begin) = begin_of_introduction(last) {
        kept.truncate(start + begin);
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
            "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All",
            "List-Id: <all.example.org>",
            "Return-Path: <>",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        ] {
            let found = read(&mail(&format!("{head}\r\n"), "I am away.\r\n")).unwrap();
            assert!(matches!(&found[..], [Signal::Unknown { .. }]), "{head}: {found:?}");
        }
        for head in [
            "Auto-Submitted: no",
            // Exchange puts this on the mail of a person.
            "X-Auto-Response-Suppress: DR, OOF, AutoReply",
            "X-MS-Exchange-Organization-AuthAs: Internal\r\nX-Auto-Response-Suppress: All\r\nX-MS-Has-Attach: ",
            "Thread-Index: AQHa\r\nAccept-Language: de-DE\r\nx-ms-exchange-messagesentrepresentingtype: 1",
        ] {
            let found = read(&mail(&format!("{head}\r\n"), "Here.\r\n")).unwrap();
            assert!(matches!(&found[..], [Signal::MailReply(_)]), "{head}: {found:?}");
        }
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
            assert_eq!(new_text(text), words, "{text}");
        }
    }

    /// The lines that Gmail and Outlook put around the original letter, in plain text, in each language.
    #[test]
    fn the_letter_below_is_cut_off_in_every_language() {
        let gmail = [
            "On Fri, Nov 20, 2026 at 10:00 AM Assent <a@b.example> wrote:",
            "Am Fr., 20. Nov. 2026 um 10:00 Uhr schrieb Assent <a@b.example>:",
            "Le ven. 20 nov. 2026 à 10:00, Assent <a@b.example> a écrit :",
            "El vie, 20 nov 2026 a las 10:00, Assent (<a@b.example>) escribió:",
            "Il giorno ven 20 nov 2026 alle ore 10:00 Assent <a@b.example> ha scritto:",
            "Em sex., 20 de nov. de 2026 às 10:00, Assent <a@b.example> escreveu:",
            "Op vr 20 nov 2026 om 10:00 schreef Assent <a@b.example>:",
            "On Fri, Nov 20, 2026 at 10:00 AM Assent\n<a@b.example> wrote:",
        ];
        for introduction in gmail {
            for below in ["> CHG-7 waits\n>\n> for you", "CHG-7 waits\n\nfor you"] {
                let text = format!("Yes, go on.\nAda\n\n{introduction}\n\n{below}\n");
                assert_eq!(new_text(&text), "Yes, go on.\nAda", "{text}");
            }
            let close = format!("Yes, go on.\n{introduction}\n> CHG-7 waits");
            assert_eq!(new_text(&close), "Yes, go on.", "{close}");
            let inline = format!("{introduction}\n\n> when?\n\nToday.\n\n> who?\n\nAda.");
            assert_eq!(new_text(&inline), "Today.\n\nAda.", "{inline}");
        }
        for names in HEADS {
            for (bold, space) in [("", ""), ("*", ""), ("", " "), ("", "\u{a0}")] {
                let head = |name: &str, value: &str| format!("{bold}{name}{space}:{bold} {value}\n");
                let heads = head(names[0], "Assent <a@b.example>")
                    + &head(names[1], "20 11 2026")
                    + &head(names[2], "Ada")
                    + &head("cc", "Bo")
                    + &head(names[3], "CHG-7 waits");
                let text = format!("Yes, go on.\n\n{heads}\nCHG-7 waits\n");
                assert_eq!(new_text(&text), "Yes, go on.", "{text}");
            }
        }
        for plain in [
            "From: the cellar\nit smells.",
            "To: do\n\nSubject: to change",
            "De: acuerdo",
            "She wrote in 2026:\nit works",
            "Ada a@b.example wrote in 2026 that it works.\nSo:\nit does",
        ] {
            assert_eq!(new_text(plain), plain);
        }
    }

    /// The pages that Gmail, Outlook and Apple send, without any plain text beside them.
    #[test]
    fn of_a_page_alone_the_new_words_are_read() {
        let heads = "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n";
        for below in [
            "<div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">Am Fr., 20. Nov. 2026 um 10:00 Uhr schrieb Assent \
             &lt;<a href=\"mailto:a@b.example\">a@b.example</a>&gt;:<br></div><blockquote class=\"gmail_quote\">CHG-7 old</blockquote></div>",
            "<div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>Von:</b> Assent &lt;a@b.example&gt;<br></div>CHG-7 old",
            "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>Da:</b> Assent</p></div><p>CHG-7 old</p>",
            "<div><br><blockquote type=\"cite\"><div>Le 20 nov. 2026 à 10:00, Assent a écrit :</div>CHG-7 old</blockquote></div>",
        ] {
            let body = format!("<html><body><div>Go on, it is <i>safe</i>.</div>{below}</body></html>\r\n");
            assert_eq!(reply(&mail(heads, &body)).text, "Go on, it is safe.", "{below}");
        }
        let alternative = "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n";
        let parts = "--x\r\nContent-Type: text/plain\r\n\r\n \r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Yes.</p>\r\n--x--\r\n";
        assert_eq!(
            reply(&mail(alternative, parts)).text,
            "Yes.",
            "an empty plain text hides nothing"
        );
    }

    /// A charset is missing or wrong, in each encoding of the transfer.
    #[test]
    fn words_are_read_whatever_charset_they_declare() {
        let encodings: [(&str, &[u8]); 5] = [
            ("8bit", "Grüße".as_bytes()),
            ("8bit", b"Gr\xfc\xdfe"),
            ("quoted-printable", b"Gr=C3=BC=C3=9Fe"),
            ("quoted-printable", b"Gr=FC=DFe"),
            ("base64", b"R3LDvMOfZQ=="),
        ];
        for kind in [
            "",
            "; charset=utf-8",
            "; charset=us-ascii",
            "; charset=unknown-8bit",
            "; charset=\"no such\"",
        ] {
            for (encoding, bytes) in encodings {
                let heads = format!(
                    "MIME-Version: 1.0\r\nContent-Type: text/plain{kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
                );
                let mut body = mail(&heads, "");
                body.extend_from_slice(bytes);
                body.extend_from_slice(b"\r\n");
                assert_eq!(reply(&body).text, "Grüße", "{kind} {encoding} {bytes:?}");
            }
        }
        let mut bare = mail("", "");
        bare.extend_from_slice(b"Gr\xfc\xdfe\r\n");
        assert_eq!(reply(&bare).text, "Grüße", "without any head for it");
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
            let words = new_text(&lines.join("\n"));
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
