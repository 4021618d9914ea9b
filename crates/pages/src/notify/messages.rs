//! Messages to a person.

use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{Cell, Column, Empty, Fold, List, ListRow, Place, Rich, Tone};

/// Messages of the reader, kept as they were sent.
pub type Messages = List<MessageRow>;

/// A message in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageRow {
    /// Its subject.
    pub subject: String,
    /// The page of its subject; empty for no page.
    pub href: String,
    /// The title of the change that it is about; empty for none.
    pub about: String,
    /// Its first sentence.
    pub summary: String,
    /// Whether it was written within the last day.
    pub is_new: bool,
    /// When it was written, for the reader.
    pub sent: String,
    /// How it went out: “mail 10:42”, “mail failed: no such box”, “here only”.
    pub delivery: String,
}

impl MessageRow {
    /// The second line: the subject as its author wrote it, then the news.
    fn sub(&self) -> Rich {
        match self.about.is_empty() {
            true => Rich::from(self.summary.as_str()),
            false => Rich::new()
                .quoted(self.about.as_str())
                .line()
                .text(self.summary.as_str()),
        }
    }
}

impl ListRow for MessageRow {
    const TITLE: &'static str = "Messages";
    const LEDE: &'static str = "All messages to you, and whether they were also sent by mail.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Message", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Written", Fold::Under),
            Column::new("Sent", Fold::Away),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let seen = match self.is_new {
            true => Cell::Mark(Tone::Wait.mark("New")),
            false => Cell::text(""),
        };
        vec![
            Cell::Told {
                text: self.subject.clone(),
                href: self.href.clone(),
                sub: self.sub(),
            },
            seen,
            Cell::Short(self.sent.clone()),
            Cell::text(self.delivery.as_str()),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No messages",
            "When a change needs you or one of yours progresses, you are notified here and by mail.",
        )
    }

    fn place() -> Place {
        Place::Messages
    }

    fn sample_rows() -> Vec<Self> {
        let row = |subject: &str, summary: &str, is_new: bool| Self {
            subject: subject.to_owned(),
            href: "/t/halden/changes/CHG-1042".to_owned(),
            about: "Give every shipment a customs reference".to_owned(),
            summary: summary.to_owned(),
            is_new,
            sent: "today 10:42".to_owned(),
            delivery: "mail 10:42".to_owned(),
        };
        vec![
            row(
                "CHG-1042 needs your decision by today 17:00",
                "You are asked for Security: the new column may hold personal data.",
                true,
            ),
            row(
                "CHG-1031 came back with an answer",
                "Luc Moreau answered your question.",
                false,
            ),
            row(MARKUP, MARKUP, false),
            row(BIDI, &LONG_WORD.repeat(10), false),
        ]
    }
}
