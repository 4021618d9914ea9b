//! Delivery status notifications (RFC 3464): a mail server reports that it gave up on recipients of a letter. A notice of a delay
//! names none, because the server still tries.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use model::integration::signal::{self, Bounce, BouncedRecipient};

/// How many lines of a report are read.
const MOST_LINES: usize = 2_000;
/// How many recipients of a report are read.
const MOST_RECIPIENTS: usize = 50;

/// The letter that came back, with the recipients that it did not reach; `None` for a message that is no such report.
pub(crate) fn read(message: &Message<'_>) -> Option<Bounce> {
    if !is_of(message.root_part(), "multipart", &["report"]) {
        return None;
    }
    let mut parts = message.parts.iter();
    let status = parts.find(|part| is_of(part, "message", &["delivery-status", "global-delivery-status"]))?;
    let text = String::from_utf8_lossy(status.contents());
    let blocks = blocks(&text);
    let recipients = blocks.iter().filter_map(|it| recipient(it));
    Some(Bounce {
        letter: letter_of(message).unwrap_or_default(),
        recipients: recipients.take(MOST_RECIPIENTS).collect(),
    })
}

fn is_of(part: &MessagePart<'_>, kind: &str, subtypes: &[&str]) -> bool {
    part.content_type().is_some_and(|it| {
        let subtype = it.subtype().unwrap_or_default();
        it.ctype().eq_ignore_ascii_case(kind) && subtypes.iter().any(|known| subtype.eq_ignore_ascii_case(known))
    })
}

/// A field of a report: its name in lower case, and its value.
type StatusField = (String, String);

/// The blocks of a report: one about the message, then one for each recipient.
fn blocks(text: &str) -> Vec<Vec<StatusField>> {
    let mut found: Vec<Vec<StatusField>> = Vec::new();
    let mut is_open = false;
    for line in text.lines().take(MOST_LINES) {
        if line.trim().is_empty() {
            is_open = false;
            continue;
        }
        if !is_open {
            found.push(Vec::new());
            is_open = true;
        }
        let Some(block) = found.last_mut() else { continue };
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = block.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            block.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

/// A recipient on which the server gave up. A delay, an expansion and a delivery are none.
fn recipient(block: &[StatusField]) -> Option<BouncedRecipient> {
    let value = |wanted: &str| {
        block
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let word = |name: &str| value(name)?.split([' ', '\t', '(']).next();
    if !word("action")?.eq_ignore_ascii_case("failed") {
        return None;
    }
    let status = word("status").filter(|it| is_status(it))?;
    let addresses = ["original-recipient", "final-recipient"]
        .into_iter()
        .filter_map(|name| {
            let (_, address) = value(name)?.split_once(';')?;
            let address = address.trim().trim_start_matches('<').trim_end_matches('>');
            signal::name(name, &address.to_lowercase()).ok()
        });
    Some(BouncedRecipient {
        addresses: addresses.collect(),
        status: status.to_owned(),
    })
}

/// Whether a text is the enhanced status code of a failure (RFC 3463). A server also gives up on a transient one that persists.
fn is_status(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number) && matches!(parts[0], "4" | "5")
}

/// The Message-ID of the letter: from the letter or its headers in the report, otherwise from the report's `In-Reply-To`.
fn letter_of(message: &Message<'_>) -> Option<String> {
    let of_part = |part: &MessagePart<'_>| match &part.body {
        PartType::Message(inner) => inner.message_id().map(str::to_owned),
        _ if is_of(part, "text", &["rfc822-headers"]) => {
            let inner = MessageParser::default().parse(part.contents())?;
            inner.message_id().map(str::to_owned)
        }
        _ => None,
    };
    let found = message.parts.iter().find_map(of_part);
    let found = found.or_else(|| message.in_reply_to().as_text().map(str::to_owned))?;
    signal::free_text(&found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::integration::signal::Signal;

    use super::*;
    use crate::integration::door;
    use crate::notify::mail_reply;

    const LETTER: &str = "0198c2d4-0000-7000-8000-000000000001@assent.example";

    /// The report of Postfix about one recipient.
    fn report(action: &str, status: &str, third: &str) -> Vec<u8> {
        format!(
            "From: MAILER-DAEMON@mx.example (Mail Delivery System)\r\nTo: assent@halden.example\r\nSubject: Undelivered Mail\r\n\
             Auto-Submitted: auto-replied\r\nMessage-ID: <r1@mx.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nService: pay\r\nI am sorry to have to inform you.\r\n\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\nArrival-Date: Fri, 20 Nov 2026 10:00:00 \
             +0000\r\n\r\nFinal-Recipient: rfc822; Box@Inner.example\r\nOriginal-Recipient: rfc822;Dispatch@Halden.example\r\n\
             Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 5.1.1 no such\r\n    user here\r\n\r\n\
             --b\r\n{third}\r\n--b--\r\n"
        )
        .into_bytes()
    }

    fn headers() -> String {
        format!("Content-Type: text/rfc822-headers\r\n\r\nFrom: assent@halden.example\r\nMessage-ID: <{LETTER}>\r\n")
    }

    fn one(body: &[u8]) -> Signal {
        let mut found = mail_reply::read(body).unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn a_failed_recipient_is_named_with_the_letter_that_came_back() {
        let whole = format!(
            "Content-Type: message/rfc822\r\n\r\nFrom: assent@halden.example\r\nMessage-ID: <{LETTER}>\r\nSubject: News\r\n\r\nText\r\n"
        );
        for third in [headers(), whole] {
            let Signal::Bounce(bounce) = one(&report("failed", "5.1.1", &third)) else {
                panic!("it is a bounce")
            };
            assert_eq!(bounce.letter, LETTER);
            assert_eq!(
                bounce.recipients,
                [BouncedRecipient {
                    addresses: vec!["dispatch@halden.example".to_owned(), "box@inner.example".to_owned()],
                    status: "5.1.1".to_owned(),
                }]
            );
        }
    }

    #[test]
    fn a_delay_a_delivery_and_a_receipt_are_no_bounce_and_no_reply() {
        for (action, status) in [
            ("delayed", "4.4.1"),
            ("relayed", "2.1.5"),
            ("delivered", "2.0.0"),
            ("failed", "x"),
        ] {
            let found = one(&report(action, status, &headers()));
            assert!(matches!(found, Signal::Unknown { .. }), "{action}: {found:?}");
        }
        let receipt = b"From: ada@example.org\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n\
            --b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n";
        assert!(matches!(one(receipt), Signal::Unknown { .. }));
    }

    #[test]
    fn a_letter_that_came_back_opens_no_incident() {
        let now = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        let found = door::read("incident_mail", "mail", &report("failed", "5.1.1", &headers()), now).unwrap();
        assert!(matches!(found[0], Signal::Unknown { .. }), "{found:?}");
    }
}
