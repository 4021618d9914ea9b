//! Messages as plain text: the same texts as on the page, with one link.
//!
//! A subject is one line without control characters, so that no text can add a
//! header. The mail program of the reader wraps the body.

use crate::elements::parts::BriefRow;
use crate::elements::text::plain;
use crate::{Brief, Rich, Tone};

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line, at most 150 letters.
    pub subject: String,
    /// Plain text; lines end in `\n`.
    pub body: String,
}

/// The event that a letter reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The reader is requested to decide.
    AskedToApprove {
        /// Why this person: “for Security: the change touches personal data”.
        why: String,
        /// By when, for the reader; empty for no due time.
        due: String,
    },
    /// The time to decide is running out.
    Reminder {
        /// By when, for the reader.
        due: String,
    },
    /// An edit voided the reader's approval.
    ApprovalVoided {
        /// The edit, and its author.
        what: String,
    },
    /// An approver returned the change to its author.
    Returned {
        /// Who returned it.
        by: String,
        /// The question.
        question: String,
    },
    /// An approver rejected the change.
    Rejected {
        /// Who rejected it.
        by: String,
        /// Why.
        reason: String,
    },
    /// The window passed without a start.
    WindowMissed {
        /// The window, for the reader.
        when: String,
    },
    /// The work goes on past its time.
    Overrun {
        /// When it should have ended, for the reader.
        since: String,
    },
    /// A person started the work under break-glass.
    BrokeGlass {
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// Until when, for the reader.
        until: String,
    },
    /// More time was requested.
    ExtensionAsked {
        /// Who asks.
        by: String,
        /// Until when, for the reader.
        until: String,
        /// Why.
        reason: String,
    },
    /// Any other event, with the texts of the message.
    Other {
        /// The news in short, after the key in the subject.
        subject: String,
        /// The news as a sentence.
        text: String,
    },
}

/// A message about one change to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The reader's name.
    pub to: String,
    /// The tenant's name.
    pub tenant: String,
    /// The change's key.
    pub key: String,
    /// The change's title.
    pub title: String,
    /// Its page, with the server's address.
    pub link: String,
    /// The event.
    pub news: News,
    /// The decision card; `None` where nothing is decided.
    pub card: Option<Brief>,
}

impl Letter {
    /// Subject and body.
    #[must_use]
    pub fn render(&self) -> Mail {
        let (subject, sentence) = self.news.words();
        let mut body = format!("{} {}\n\n{}\n", self.key, plain(&self.title), plain(&sentence));
        if let Some(card) = &self.card {
            body.push('\n');
            body.push_str(&card_text(card));
        }
        body.push_str(&format!(
            "\n{}: {}\n\n-- \nTo {} from Assent, {}. All messages are also on the page Messages.\n",
            self.news.way_on(),
            self.link,
            plain(&self.to),
            plain(&self.tenant)
        ));
        Mail {
            subject: one_line(&format!("{} {}: {}", self.key, subject, self.title)),
            body,
        }
    }
}

/// Several messages to one person in one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The reader's name.
    pub to: String,
    /// The tenant's name.
    pub tenant: String,
    /// The page of their messages, with the server's address.
    pub link: String,
    /// The messages, the oldest first.
    pub rows: Vec<DigestRow>,
}

/// One message of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestRow {
    /// When it was written, for the reader.
    pub at: String,
    /// Its subject.
    pub subject: String,
    /// The news as a sentence.
    pub text: String,
    /// The page of its subject; empty for none.
    pub link: String,
}

impl Digest {
    /// Subject and body.
    #[must_use]
    pub fn render(&self) -> Mail {
        let count = self.rows.len();
        let noun = if count == 1 { "message" } else { "messages" };
        let mut body = format!("{count} {noun} since the last letter.\n");
        for row in &self.rows {
            body.push_str(&format!(
                "\n{}  {}\n  {}\n",
                plain(&row.at),
                one_line(&row.subject),
                plain(&row.text)
            ));
            if !row.link.is_empty() {
                body.push_str(&format!("  {}\n", row.link));
            }
        }
        body.push_str(&format!(
            "\nAll messages: {}\n\n-- \nTo {} from Assent, {}. You chose one letter a day; urgent messages arrive at once.\n",
            self.link,
            plain(&self.to),
            plain(&self.tenant)
        ));
        Mail {
            subject: one_line(&format!("Assent: {count} {noun}, {}", self.tenant)),
            body,
        }
    }
}

impl News {
    /// A short text for the subject, and the news as sentences.
    fn words(&self) -> (&str, String) {
        match self {
            News::AskedToApprove { why, due } => (
                "needs your decision",
                format!("You are asked {why}.{}", sentence(" Your decision is due ", due)),
            ),
            News::Reminder { due } => (
                "still needs your decision",
                format!("Your decision is due {due}. A missing decision never counts as an approval."),
            ),
            News::ApprovalVoided { what } => (
                "needs your decision again",
                format!("{what} This content is part of your approval, so your approval is void."),
            ),
            News::Returned { by, question } => (
                "came back with a question",
                format!(
                    "{by} returned the change and asks: {question}\n\nAnswer by editing the change, then submit it again."
                ),
            ),
            News::Rejected { by, reason } => (
                "was rejected",
                format!(
                    "{by} rejected the change: {reason}\n\nThe change ends here unless you revise it: an edit makes it a draft again."
                ),
            ),
            News::WindowMissed { when } => (
                "missed its window",
                format!(
                    "The planned time, {when}, passed without a start. The content stays approved. Set new times; only the approvals of the time are asked for again."
                ),
            ),
            News::Overrun { since } => (
                "overran its planned end",
                format!(
                    "The work should have ended {since}. The gate now allows only a rollback. Ask for more time, roll back, or record the outcome."
                ),
            ),
            News::BrokeGlass { by, reason, until } => (
                "used break-glass",
                format!(
                    "{by} used break-glass until {until}: {reason}\n\nBreak-glass replaces all approvals. Another person must validate the change before it can close."
                ),
            ),
            News::ExtensionAsked { by, until, reason } => (
                "needs an extension",
                format!(
                    "{by} requests an extension until {until}: {reason}\n\nWithout an answer within 15 minutes the change \
                     counts as overrun."
                ),
            ),
            News::Other { subject, text } => (subject, text.clone()),
        }
    }

    fn way_on(&self) -> &'static str {
        match self {
            News::AskedToApprove { .. } | News::Reminder { .. } | News::ApprovalVoided { .. } => "Decide",
            News::ExtensionAsked { .. } => "Answer",
            News::Returned { .. } | News::Rejected { .. } => "Revise",
            _ => "Read it",
        }
    }
}

fn sentence(start: &str, end: &str) -> String {
    if end.is_empty() {
        String::new()
    } else {
        format!("{start}{end}.")
    }
}

/// A subject: control characters become spaces, and it is cut at 150 letters.
fn one_line(text: &str) -> String {
    let clean: String = plain(text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= 150 {
        return line;
    }
    let cut: String = line.chars().take(149).collect();
    format!("{}…", cut.trim_end())
}

/// The card as text: each row's title, then its content, indented.
fn card_text(card: &Brief) -> String {
    let mut out = String::new();
    for (question, lines) in card.told() {
        out.push_str(&format!("{question}\n"));
        for line in lines {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

impl Brief {
    /// The seven rows in their order, each with its lines in plain text, for mail and chat.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, Vec<String>)> {
        self.full().into_iter().map(|row| (row.question, lines(&row))).collect()
    }
}

fn lines(row: &BriefRow<'_>) -> Vec<String> {
    let mut lines: Vec<String> = row.list.iter().map(list_line).collect();
    if let Some(answer) = row.answer.map(Rich::plain).filter(|answer| !answer.is_empty()) {
        lines.insert(0, answer);
    }
    if lines.is_empty() {
        lines.push(row.unsaid.to_owned());
    }
    lines
}

fn list_line((tone, text): &(Tone, Rich)) -> String {
    let sign = match tone {
        Tone::Ok => "[x]",
        Tone::Stop => "[!]",
        Tone::Plain | Tone::Wait | Tone::Freeze => "[ ]",
    };
    format!("{sign} {}", text.plain())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(title: &str, news: News) -> Letter {
        Letter {
            to: "Priya Raman".to_owned(),
            tenant: "Halden Freight".to_owned(),
            key: "CHG-1042".to_owned(),
            title: title.to_owned(),
            link: "https://assent.example.org/t/halden/changes/CHG-1042".to_owned(),
            news,
            card: None,
        }
    }

    #[test]
    fn a_decision_card_is_told_in_full_with_one_link() {
        let mut asked = letter(
            "Give every shipment a customs reference",
            News::AskedToApprove {
                why: "for Security: the change touches personal data".to_owned(),
                due: "today 17:00, in 6 h".to_owned(),
            },
        );
        asked.card = Some(Brief {
            what: Rich::from("Adds one column."),
            why_safe: vec![
                (Tone::Ok, Rich::from("412 of 412 tests passed")),
                (Tone::Wait, Rich::from("peer review is open")),
            ],
            ..Brief::default()
        });
        let mail = asked.render();
        assert_eq!(
            mail.subject,
            "CHG-1042 needs your decision: Give every shipment a customs reference"
        );
        assert_eq!(
            mail.body,
            "CHG-1042 Give every shipment a customs reference\n\nYou are asked for Security: the change touches personal data. Your decision is due today 17:00, in 6 h.\n\n\
What\n  Adds one column.\nWhere\n  No target is named yet.\nWhen\n  No time is planned yet.\nWhy it is safe\n  [x] 412 of 412 tests passed\n  [ ] peer review is open\n\
Who decides\n  No approval is requested yet.\nIf it fails\n  No rollback plan is written yet.\n\nDecide: https://assent.example.org/t/halden/changes/CHG-1042\n\n-- \nTo Priya Raman from Assent, Halden Freight. All messages are also on the page Messages.\n"
        );
    }

    fn every_news() -> Vec<News> {
        let text = || "words".to_owned();
        vec![
            News::AskedToApprove {
                why: text(),
                due: String::new(),
            },
            News::Reminder { due: text() },
            News::ApprovalVoided { what: text() },
            News::Returned {
                by: text(),
                question: text(),
            },
            News::Rejected {
                by: text(),
                reason: text(),
            },
            News::WindowMissed { when: text() },
            News::Overrun { since: text() },
            News::BrokeGlass {
                by: text(),
                reason: text(),
                until: text(),
            },
            News::ExtensionAsked {
                by: text(),
                until: text(),
                reason: text(),
            },
            News::Other {
                subject: text(),
                text: text(),
            },
        ]
    }

    #[test]
    fn every_letter_has_its_own_subject_one_link_and_whole_sentences() {
        let letters: Vec<Mail> = every_news()
            .into_iter()
            .map(|news| letter("Title", news).render())
            .collect();
        let subjects: std::collections::BTreeSet<&str> = letters.iter().map(|mail| mail.subject.as_str()).collect();
        assert_eq!(subjects.len(), letters.len());
        for mail in &letters {
            assert!(
                mail.subject.starts_with("CHG-1042 ") && mail.subject.ends_with(": Title"),
                "{}",
                mail.subject
            );
            assert_eq!(mail.body.matches("https://").count(), 1, "{}", mail.body);
            assert!(!mail.body.contains("  .") && !mail.body.contains('!'), "{}", mail.body);
        }
    }

    fn reminder() -> News {
        News::Reminder {
            due: "today".to_owned(),
        }
    }

    #[test]
    fn a_subject_cannot_carry_a_second_header_or_hidden_letters() {
        let mail = letter("evil\r\nBcc: all@example.org \u{202E}x", reminder()).render();
        assert!(!mail.subject.contains(['\r', '\n']));
        assert!(mail.subject.contains("[U+202E]"));
        let long = letter(&"very long ".repeat(60), reminder()).render();
        assert_eq!(long.subject.chars().count(), 150);
    }
}
