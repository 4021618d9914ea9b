//! Freezes, maintenance windows and the changes planned in them.

use crate::elements::list::row_acts;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{
    ActForm, ActTone, Cell, Column, Empty, Entry, Field, Fold, Input, List, ListRow, Place, Rich, State, Tone,
};

/// Freezes, the next one first.
pub type Freezes = List<FreezeRow>;

/// A freeze in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreezeRow {
    /// Its id, unique on the page.
    pub id: String,
    /// Its page; empty when it has none.
    pub href: String,
    /// Its name.
    pub title: String,
    /// Whether it holds now, lies ahead or is over.
    pub state: String,
    /// From and to, for the reader.
    pub span: String,
    /// Services and environments it covers.
    pub scope: Rich,
    /// Whether work that is going on must stop too.
    pub halts: bool,
    /// The reason, and the people who agreed.
    pub reason: String,
    /// Exceptions granted: “2 exceptions”.
    pub exceptions: String,
    /// Acts that are legal now: end it, request an exception.
    pub acts: Vec<ActForm>,
}

impl ListRow for FreezeRow {
    const TITLE: &'static str = "Freezes";
    const LEDE: &'static str = "Times in which no change may start. Gates, pages and the calendar use the same list.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Freeze", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("From and to", Fold::Under),
            Column::new("Covers", Fold::Under),
            Column::new("Exceptions", Fold::Away),
            Column::new("", Fold::Never),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = match self.state.as_str() {
            "over" => Tone::Plain,
            _ => Tone::Freeze,
        };
        let reason = match self.halts {
            true => Rich::new().late("Halts work that is going on. ").said(&self.reason),
            false => Rich::new().said(self.reason.as_str()),
        };
        vec![
            Cell::Title {
                text: self.title.clone(),
                href: self.href.clone(),
                key: String::new(),
                marks: Vec::new(),
                sub: reason,
            },
            Cell::Mark(tone.mark(self.state.as_str())),
            Cell::text(self.span.as_str()),
            Cell::Text(self.scope.clone()),
            Cell::text(self.exceptions.as_str()),
            row_acts(&format!("freeze-{}", self.id), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No freeze is active or planned",
            "Set a freeze here for times without changes; every gate enforces it immediately.",
        )
    }

    fn place() -> Place {
        Place::Freezes
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("freeze", "Set a freeze", "/t/halden/freezes")
                .field(Field::text("title", "Name").required())
                .field(Field::new("starts_at", "From", Input::DateTime).required().half())
                .field(Field::new("ends_at", "To", Input::DateTime).required().half())
                .field(Field::text("services", "Services").hint("Keys, separated by commas; empty means all."))
                .field(Field::text("environments", "Environments").value("production"))
                .field(Field::textarea("reason", "Why").required())
                .field(Field::new(
                    "halt",
                    "Work that is going on must stop too",
                    Input::Checkbox,
                ))
                .submit("Set this freeze"),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        let end = ActForm::new("end", "End it now", "/t/halden/freezes/f1/end")
            .tone(ActTone::Link)
            .field(Field::textarea("reason", "Why it can end early").required());
        let row = |id: &str, title: &str, state: &str| Self {
            id: id.to_owned(),
            title: title.to_owned(),
            state: state.to_owned(),
            span: "Mon 23 Nov 00:00 to Tue 1 Dec 24:00".to_owned(),
            scope: Rich::from("all services, ").said("production"),
            reason: "Peak shipping; agreed by Lars Vik, Sales.".to_owned(),
            exceptions: "2 exceptions".to_owned(),
            ..Self::default()
        };
        vec![
            Self {
                acts: vec![end.clone()],
                ..row("f1", "Peak shipping", "in 3 days")
            },
            Self {
                halts: true,
                acts: vec![end],
                ..row("f2", "Customs audit", "active now")
            },
            Self {
                reason: MARKUP.to_owned(),
                ..row("f3", MARKUP, "over")
            },
            Self {
                reason: BIDI.to_owned(),
                ..row("f4", BIDI, "over")
            },
            Self {
                scope: Rich::new().said(LONG_WORD.repeat(10)),
                ..row("f5", &LONG_WORD.repeat(10), "over")
            },
        ]
    }
}

/// The calendar as a list: windows, freezes and planned changes by their time.
pub type Windows = List<WindowRow>;

/// One line of the calendar: a window, a freeze or a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WindowRow {
    /// Its id, unique on the page.
    pub id: String,
    /// Its page.
    pub href: String,
    /// Its name.
    pub title: String,
    /// A change's key; empty for windows and freezes.
    pub key: String,
    /// “Window”, “Freeze”, or empty for a change.
    pub sort: String,
    /// A change's state.
    pub state: Option<State>,
    /// For a closed change: that it is closed, with its outcome in short; replaces the state.
    pub outcome: Option<crate::Mark>,
    /// From and to, for the reader.
    pub span: String,
    /// Services and environments.
    pub scope: Rich,
    /// Its conflict, and the path; empty for none.
    pub clash: Rich,
    /// Acts that are legal now.
    pub acts: Vec<ActForm>,
}

impl ListRow for WindowRow {
    const TITLE: &'static str = "Calendar";
    const LEDE: &'static str = "Windows, freezes and what is planned, by time.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("From and to", Fold::Under),
            Column::new("What", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Where", Fold::Under),
            Column::new("", Fold::Never),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let mark = match (self.state, self.sort.as_str()) {
            (Some(state), _) => self.outcome.clone().unwrap_or_else(|| state.mark()),
            (None, "Freeze") => Tone::Freeze.mark("Freeze"),
            (None, sort) => crate::Mark::new("calendar", "", sort),
        };
        let sub = match self.clash.is_empty() {
            true => Rich::new(),
            false => self.clash.clone(),
        };
        vec![
            Cell::Short(self.span.clone()),
            Cell::Title {
                text: self.title.clone(),
                href: self.href.clone(),
                key: self.key.clone(),
                marks: Vec::new(),
                sub,
            },
            Cell::Mark(mark),
            Cell::Text(self.scope.clone()),
            row_acts(&format!("window-{}", self.id), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "Nothing is planned in this time",
            "Windows and freezes are set here; a change appears as soon as it has planned times.",
        )
    }

    fn place() -> Place {
        Place::Calendar
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("window", "Add a maintenance window", "/t/halden/windows")
                .field(Field::text("title", "Name").required())
                .field(Field::new("starts_at", "From", Input::DateTime).half())
                .field(Field::new("ends_at", "To", Input::DateTime).half())
                .field(Field::select(
                    "repeats",
                    "Repeats",
                    &[("none", "Once"), ("weekly", "Every week")],
                )),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        let row = |id: &str, title: &str, span: &str| Self {
            id: id.to_owned(),
            href: "/t/halden/calendar/x".to_owned(),
            title: title.to_owned(),
            span: span.to_owned(),
            scope: Rich::new().said("production"),
            ..Self::default()
        };
        vec![
            Self {
                sort: "Window".to_owned(),
                ..row("w1", "Saturday maintenance", "Sat 21 Nov, 21:00 to 24:00")
            },
            Self {
                key: "CHG-1042".to_owned(),
                state: Some(State::Authorizing),
                clash: Rich::new()
                    .late("Collides with ")
                    .link("CHG-1051", "/t/halden/changes/CHG-1051")
                    .text(", over ledger-db. Marta Lindqvist decides by today 16:00."),
                ..row(
                    "c1",
                    "Give every shipment a customs reference",
                    "Sat 21 Nov, 22:00 to 23:30",
                )
            },
            Self {
                sort: "Freeze".to_owned(),
                ..row("f1", "Peak shipping", "Mon 23 Nov 00:00 to Tue 1 Dec 24:00")
            },
            Self {
                sort: "Window".to_owned(),
                ..row("w2", MARKUP, "Sat 28 Nov, 21:00 to 24:00")
            },
            Self {
                sort: "Window".to_owned(),
                ..row("w3", BIDI, "Sat 28 Nov, 21:00 to 24:00")
            },
        ]
    }
}

impl Windows {
    /// The calendar with a collision on top, as it is used.
    #[must_use]
    pub fn sample_clash() -> Self {
        let clash = Entry::new(
            Tone::Stop,
            Rich::new()
                .strong("CHG-1042 and CHG-1051 collide on Saturday, 22:30 to 23:30")
                .text(", over ledger-db"),
        )
        .code("conflict_open")
        .why("Neither can start until Marta Lindqvist decides which one moves.")
        .aside("Marta Lindqvist, due today 16:00");
        Self {
            frame: crate::elements::sample::frame(Place::Calendar),
            first: vec![clash],
            rows: WindowRow::sample_rows(),
            ..Self::default()
        }
    }
}
