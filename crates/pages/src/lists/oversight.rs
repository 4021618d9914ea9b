//! Gate checks, deliveries of outside systems, and messages.

use super::row_acts;
use crate::samples::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Fold, List, ListRow, Place, Rich, Tone};

/// What the gates were asked and answered, newest first.
pub type GateChecks = List<GateCheckRow>;

/// A gate check in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateCheckRow {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: String,
    /// The service and environment: “booking-api, production”.
    pub target: String,
    /// The artifact or commit, shortened.
    pub artifact: String,
    /// Whether the answer was go.
    pub is_go: bool,
    /// Whether it still waits for an answer that may turn.
    pub is_waiting: bool,
    /// The change that answered for it; empty when there is none.
    pub change: Rich,
    /// The first open condition, in words; empty on go.
    pub why: String,
    /// When it was asked, for the reader.
    pub asked: String,
}

impl ListRow for GateCheckRow {
    const TITLE: &'static str = "Gate checks";
    const LEDE: &'static str = "What pipelines and gateways asked, and what they were told.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Where", Fold::Never),
            Column::new("Answer", Fold::Under),
            Column::new("Artifact", Fold::Away),
            Column::new("Change", Fold::Under),
            Column::new("Why", Fold::Under),
            Column::new("Asked", Fold::Under),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let answer = match (self.is_go, self.is_waiting) {
            (true, _) => Tone::Ok.mark("Go"),
            (false, true) => Tone::Wait.mark("Stop, waiting"),
            (false, false) => Tone::Stop.mark("Stop"),
        };
        vec![
            Cell::title(self.target.as_str(), self.href.as_str()),
            Cell::Mark(answer),
            Cell::Text(Rich::new().code(&self.artifact)),
            Cell::Text(self.change.clone()),
            Cell::text(self.why.as_str()),
            Cell::Short(self.asked.clone()),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No gate has asked yet",
            Rich::new()
                .text("A pipeline asks with ")
                .code("assent gate check")
                .text("; a gateway asks by itself. Each question appears here with its answer."),
        )
    }

    fn place() -> Place {
        Place::GateChecks
    }

    fn sample_rows() -> Vec<Self> {
        let row = |id: &str, target: &str, why: &str| Self {
            id: id.to_owned(),
            href: "/t/halden/gate-checks/gc-77b2f0".to_owned(),
            target: target.to_owned(),
            artifact: "sha256:6b1d…07a".to_owned(),
            change: Rich::new().link("CHG-1042", "/t/halden/changes/CHG-1042"),
            why: why.to_owned(),
            asked: "today 10:42".to_owned(),
            ..Self::default()
        };
        vec![
            Self {
                is_waiting: true,
                ..row("1", "booking-api, production", "Two approvals are missing")
            },
            Self {
                is_go: true,
                ..row("2", "edge-dns, production", "")
            },
            Self {
                change: Rich::new(),
                ..row("3", "rates-engine, production", "No change names this artifact")
            },
            row("4", MARKUP, MARKUP),
            row("5", BIDI, &LONG_WORD.repeat(10)),
        ]
    }
}

/// What outside systems delivered, newest first.
pub type Deliveries = List<DeliveryRow>;

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryRow {
    /// Its id, unique on the page.
    pub id: String,
    /// Its page; empty when it has none.
    pub href: String,
    /// What it was: “deployment, success”.
    pub event: String,
    /// The connection that it came through.
    pub connection: String,
    /// Its state: waiting, done, unknown, set aside, unauthorized.
    pub state: String,
    /// What it means: done, waiting, or in need of a person.
    pub tone: Tone,
    /// What came of it: “CHG-1042, succeeded”.
    pub effect: Rich,
    /// When it came, for the reader.
    pub received: String,
    /// Acts that are legal now: read it again.
    pub acts: Vec<ActForm>,
}

impl ListRow for DeliveryRow {
    const TITLE: &'static str = "Deliveries";
    const LEDE: &'static str =
        "What GitHub and other systems sent. Each is kept as it came, read once, and never lost.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Delivery", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("From", Fold::Away),
            Column::new("What came of it", Fold::Under),
            Column::new("Received", Fold::Under),
            Column::new("", Fold::Away),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::title(self.event.as_str(), self.href.as_str()),
            Cell::Mark(self.tone.mark(self.state.as_str())),
            Cell::said(self.connection.as_str()),
            Cell::Text(self.effect.clone()),
            Cell::Short(self.received.clone()),
            row_acts(&format!("delivery-{}", self.id), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "Nothing was delivered yet",
            "Connect a repository, and its deployments appear here within a second.",
        )
    }

    fn place() -> Place {
        Place::Deliveries
    }

    fn sample_rows() -> Vec<Self> {
        let row = |id: &str, event: &str, state: &str, tone: Tone, effect: Rich| Self {
            id: id.to_owned(),
            event: event.to_owned(),
            connection: "GitHub, halden/booking-api".to_owned(),
            state: state.to_owned(),
            tone,
            effect,
            received: "today 10:42".to_owned(),
            ..Self::default()
        };
        let again = ActForm::new("again", "Read it again", "/t/halden/deliveries/3/reading").tone(ActTone::Link);
        vec![
            row(
                "1",
                "deployment_status, success",
                "done",
                Tone::Ok,
                Rich::new()
                    .link("CHG-1033", "/t/halden/changes/CHG-1033")
                    .text(" succeeded"),
            ),
            row("2", "push", "not asked for", Tone::Plain, Rich::from("kept, counted")),
            Self {
                acts: vec![again],
                ..row(
                    "3",
                    "deployment",
                    "set aside",
                    Tone::Stop,
                    Rich::from("The service in it is unknown: warehouse-2"),
                )
            },
            row("4", MARKUP, "waiting", Tone::Wait, Rich::from(MARKUP)),
            row("5", BIDI, "waiting", Tone::Wait, Rich::from(LONG_WORD)),
        ]
    }
}

/// Messages of the reader, kept as they were sent.
pub type Messages = List<MessageRow>;

/// A message in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageRow {
    /// Its subject.
    pub subject: String,
    /// What it speaks of; empty for no page.
    pub href: String,
    /// The title of the change that it speaks of; empty for none.
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
    /// The second line: what it is about in its writer's own words, then what was told.
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
    const LEDE: &'static str = "Everything you were told, and whether it went out by mail as well.";

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
            "When a change needs you or one of yours moves, it is told here and by mail.",
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
                "CHG-1042 needs your word by today 17:00",
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
