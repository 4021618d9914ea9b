//! The reader's open work: cards to decide, own changes with their next step.

use askama::Template;

use crate::elements::filters;
use crate::elements::form::Acts;
use crate::elements::parts::{BriefRows, Entries};
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{
    Act, ActContext, ActForm, ActTone, Brief, Cell, Column, Empty, Entry, Fold, Frame, Place, Rich, Risk, Section,
    State, Table, Tone, WAITING_SHOWN, count_word, render,
};

/// A change that needs the reader's decision, with all facts that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueCard {
    /// Its key, unique on the page.
    pub key: String,
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Its risk.
    pub risk: Risk,
    /// How long it waits: “waits 19 h”.
    pub waits: String,
    /// When the decision is due: “Due 17:00, in 6 h”; empty for no due time.
    pub due: String,
    /// The deadline for the reader to confirm having seen it; empty where they did.
    pub seen: String,
    /// Whether that is close or past.
    pub is_late: bool,
    /// The card's answers.
    pub brief: Brief,
    /// Approve, approve with conditions, return, reject; each carries the content digest hidden.
    pub acts: Vec<ActForm>,
}

impl QueueCard {
    fn brief_rows(&self) -> BriefRows<'_> {
        BriefRows {
            rows: self.brief.queued(),
        }
    }

    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: &self.key,
            forms: &self.acts,
        }
    }
}

/// A change in a short list: one that waits later, or one of the reader's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueRow {
    /// Its key.
    pub key: String,
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: State,
    /// Its risk; `None` until it was computed.
    pub risk: Option<Risk>,
    /// The next step and whose it is: “Submit for assessment”, “waits for Priya Raman”.
    pub next: Rich,
    /// When that is due or planned.
    pub due: String,
    /// Warnings to read before the decision, in short: “Freeze, conflict”; empty for nothing.
    pub warned: Rich,
}

/// A number with the list that it counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HomeNumber {
    /// The name of the count: “Under way”.
    pub label: String,
    /// The count as the list shows it: `12`, `1,000+`.
    pub count: String,
    /// The list.
    pub href: String,
}

impl HomeNumber {
    /// A number with its label, its count and its list.
    #[must_use]
    pub fn new(label: impl Into<String>, count: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            count: count.into(),
            href: href.into(),
        }
    }
}

/// The first page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "home.html")]
pub struct Home {
    /// Everything around it.
    pub frame: Frame,
    /// The roles for which the reader decides: “You are responsible for Security, and for Yusuf Demir until Monday.”
    pub lede: Rich,
    /// Urgent matters: uses of break-glass, halted rollouts, open incidents, overdue work.
    pub acute: Vec<Entry>,
    /// The figures that matter most to the reader, each with its list.
    pub numbers: Vec<HomeNumber>,
    /// Changes that need the reader's decision now, the most urgent first.
    pub due: Vec<QueueCard>,
    /// Changes that need it later.
    pub later: Vec<QueueRow>,
    /// The reader's own open changes.
    pub own: Vec<QueueRow>,
    /// Work given to the reader: tasks, reviews, confirmations.
    pub tasks: Vec<Entry>,
    /// Further work of the reader, by role.
    pub sections: Vec<Section>,
    /// The reader's recent decisions.
    pub decided: Vec<Entry>,
    /// Freezes, incidents and other things to keep in mind.
    pub keep_in_mind: Vec<Entry>,
    /// New messages.
    pub messages: Vec<Entry>,
}

impl Home {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around(&self.title(), false, &render(self))
    }

    /// Believable instances: empty, ordinary, extreme.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let empty = Self {
            frame: crate::elements::sample::frame(Place::Home),
            ..Self::default()
        };
        vec![empty, sample_ordinary(), sample_extreme()]
    }

    fn title(&self) -> String {
        let total = self.due.len() + self.later.len();
        match (total, self.tasks.len()) {
            (0, 0) => "Nothing waits for your decision".to_owned(),
            (0, 1) => "One change waits for your work".to_owned(),
            (0, many) => format!("{} changes wait for your work", count_word(many as u64)),
            (1, _) => "One change needs your decision".to_owned(),
            (many, _) if many >= WAITING_SHOWN as usize => format!("{many} changes or more need your decision"),
            (many, _) => format!("{} changes need your decision", count_word(many as u64)),
        }
    }

    fn later_table(&self) -> Table {
        table("Changes that wait for your decision later", &self.later, "Why you")
    }

    fn own_table(&self) -> Table {
        table("Your open changes and their next step", &self.own, "Next step")
    }

    fn entries<'a>(&self, entries: &'a [Entry]) -> Entries<'a> {
        Entries { entries, wide: false }
    }

    fn wide_entries<'a>(&self, entries: &'a [Entry]) -> Entries<'a> {
        Entries { entries, wide: true }
    }

    /// Whether nothing waits for the reader.
    fn is_idle(&self) -> bool {
        self.due.is_empty() && self.later.is_empty() && self.tasks.is_empty()
    }

    /// Whether the page has no other content.
    fn is_alone(&self) -> bool {
        self.is_idle() && self.own.is_empty() && self.sections.is_empty()
    }

    /// Suggestions for a reader without open work.
    fn later_words(&self) -> Rich {
        Rich::new()
            .text("When a change needs your decision it appears here and in your mail. Meanwhile: ")
            .link("recent changes", self.frame.url("/changes"))
            .text(", or ")
            .link("a tour of Assent", self.frame.url("/help#tour"))
            .text(".")
    }

    fn nothing(&self) -> Empty {
        Empty::new("Your queue is empty", self.later_words())
    }
}

fn table(caption: &str, rows: &[QueueRow], next: &'static str) -> Table {
    let cells = rows.iter().map(|row| {
        vec![
            Cell::Title {
                text: row.title.clone(),
                href: row.href.clone(),
                key: row.key.clone(),
                marks: Vec::new(),
                sub: row.warned.clone(),
            },
            Cell::Mark(row.state.mark()),
            row.risk.map_or(Cell::text(""), |risk| Cell::Mark(risk.mark())),
            Cell::Text(row.next.clone()),
            Cell::Short(row.due.clone()),
        ]
    });
    Table {
        caption: caption.to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Risk", Fold::Under),
            Column::new(next, Fold::Under),
            Column::new("When", Fold::Under),
        ],
        rows: cells.collect(),
        ..Table::default()
    }
}

/// The acts of a decision, as the samples use them.
pub(crate) fn sample_decisions(change_url: &str, writer: &str) -> Vec<ActForm> {
    let context = ActContext {
        change_url: change_url.to_owned(),
        writer: writer.to_owned(),
        ..crate::change::usual_sample::sample_context()
    };
    [
        Act::Approve,
        Act::ApproveWithConditions,
        Act::Return,
        Act::Reject,
        Act::Abstain,
    ]
    .iter()
    .map(|act| act.form(&context))
    .collect()
}

fn sample_card(key: &str, title: &str, risk: Risk, is_late: bool) -> QueueCard {
    let url = format!("/t/halden/changes/{key}");
    QueueCard {
        key: key.to_owned(),
        href: format!("/t/halden/changes/{key}"),
        title: title.to_owned(),
        risk,
        waits: "waits 19 h".to_owned(),
        due: "Due 17:00, in 6 h".to_owned(),
        seen: "acknowledge it by today 12:00".to_owned(),
        is_late,
        brief: Brief {
            why_you: Rich::from("The new column may hold personal data."),
            when: Rich::from("Sat 21 Nov, 22:00 to 23:30. Bookings read-only for 4 minutes."),
            where_: Rich::from("shipments and booking-api, production."),
            why_safe: vec![
                (Tone::Ok, Rich::from("412 of 412 tests passed on this build")),
                (Tone::Ok, Rich::from("Last night’s backup was restored")),
            ],
            since: vec![(
                Tone::Wait,
                Rich::new()
                    .strong("Plan, step 3: Minutes")
                    .text(": ")
                    .removed("3")
                    .text(" → ")
                    .inserted("7"),
            )],
            warned: vec![(
                Tone::Freeze,
                Rich::from("The freeze ").said("Peak shipping").text(" stops it"),
            )],
            if_it_fails: Rich::from("Back in 9 minutes, latest Saturday 23:15."),
            still_missing: Rich::from("Your decision, then Marta Lindqvist’s."),
            ..Brief::default()
        },
        acts: sample_decisions(&url, "Ingrid Solheim"),
    }
}

fn sample_second_card() -> QueueCard {
    let mut card = sample_card(
        "CHG-1057",
        "Replace the carrier certificate on edge-dns",
        Risk::Medium,
        false,
    );
    card.waits = "waits 5 h".to_owned();
    card.due = "Due 18:30, in 7 h".to_owned();
    card.brief = Brief {
        why_you: Rich::from("It touches a key. A second approver from Platform is asked too."),
        when: Rich::from("Tonight 23:00 to 23:20. No effect on users expected."),
        where_: Rich::from("edge-dns, production."),
        why_safe: vec![
            (Tone::Ok, Rich::from("Both certificates are valid for 9 more days")),
            (Tone::Ok, Rich::from("The same step went well 11 of 11 times")),
        ],
        if_it_fails: Rich::from("Old certificate back in 2 minutes."),
        still_missing: Rich::from("Your decision and your password again."),
        ..Brief::default()
    };
    card
}

fn sample_row(key: &str, title: &str, state: State, next: Rich) -> QueueRow {
    QueueRow {
        key: key.to_owned(),
        href: format!("/t/halden/changes/{key}"),
        title: title.to_owned(),
        state,
        risk: Some(Risk::Medium),
        next,
        due: "Mon 23 Nov 12:00".to_owned(),
        warned: Rich::new(),
    }
}

fn sample_ordinary() -> Home {
    Home {
        frame: crate::elements::sample::frame(Place::Home),
        lede: Rich::from("Two are due today. You are responsible for Security, and for Yusuf Demir until Monday."),
        due: vec![
            sample_card("CHG-1042", "Give every shipment a customs reference", Risk::High, true),
            sample_second_card(),
        ],
        later: vec![
            sample_row(
                "CHG-1051",
                "Move ledger-db to new storage",
                State::Authorizing,
                Rich::from("for Security"),
            ),
            sample_row(
                "CHG-1060",
                "Let Cartwell Hosting patch the backup hosts",
                State::Authorizing,
                Rich::from("for Yusuf Demir"),
            ),
            sample_row(
                "CHG-1044",
                "Turn on passkeys for warehouse scanners",
                State::OnHold,
                Rich::from("for Security"),
            ),
        ],
        own: vec![
            sample_row(
                "CHG-1036",
                "Remove the second pricing table",
                State::Draft,
                Rich::new().link("Submit for assessment", "/t/halden/changes/CHG-1036#act"),
            ),
            sample_row(
                "CHG-1063",
                "Rotate the key of the label service",
                State::Approved,
                Rich::from("Set its times"),
            ),
        ],
        ..sample_surroundings()
    }
}

/// The reader's tasks and the parts beside the queue.
fn sample_surroundings() -> Home {
    let undo = ActForm::new("undo", "Undo", "/t/halden/changes/CHG-1049/approvals/a1/withdrawal").tone(ActTone::Link);
    Home {
        acute: vec![
            Entry::new(
                Tone::Stop,
                Rich::new()
                    .link("CHG-1061", "/t/halden/changes/CHG-1061")
                    .text(" ")
                    .said("Restart label printing with the patched driver"),
            )
            .why(Rich::new().late("Break-glass is active until today 14:50, in 3 h")),
        ],
        numbers: vec![
            HomeNumber::new("Your open changes", "5", "/t/halden/changes?state=open"),
            HomeNumber::new("Under way", "1,000+", "/t/halden/changes?state=implementing"),
        ],
        tasks: vec![
            Entry::new(
                Tone::Wait,
                Rich::new()
                    .link("CHG-1039", "/t/halden/changes/CHG-1039")
                    .text(" needs your validation"),
            )
            .why("driver-app 7.2 to all drivers, due tomorrow 12:00"),
        ],
        decided: vec![
            Entry::new(
                Tone::Ok,
                Rich::new()
                    .link("CHG-1049", "/t/halden/changes/CHG-1049")
                    .text(" approved"),
            )
            .why("10 min ago")
            .act("decided-1", undo),
            Entry::new(
                Tone::Plain,
                Rich::new()
                    .link("CHG-1031", "/t/halden/changes/CHG-1031")
                    .text(" returned"),
            )
            .icon("back")
            .why("Luc Moreau answered 08:12"),
        ],
        keep_in_mind: vec![
            Entry::new(Tone::Freeze, "Peak shipping freeze from Monday").why("23 Nov to 1 Dec, agreed by Sales"),
            Entry::new(
                Tone::Wait,
                Rich::new()
                    .link("INC-318", "/t/halden/incidents/INC-318")
                    .text(" slow label printing"),
            )
            .icon("incident")
            .why("rates-engine is changing since 10:30"),
        ],
        messages: vec![
            Entry::new(
                Tone::Plain,
                Rich::new().link("CHG-1031 came back with an answer", "/t/halden/messages"),
            )
            .icon("bell")
            .why("08:12"),
        ],
        ..Home::default()
    }
}

fn sample_extreme() -> Home {
    let long = LONG_WORD.repeat(10);
    let mut card = sample_card("CHG-9", &format!("{MARKUP} {long}"), Risk::Low, false);
    card.brief.why_you = Rich::from(BIDI);
    card.brief.still_missing = Rich::from(long.as_str());
    card.brief.why_safe = vec![(Tone::Stop, Rich::from(MARKUP)), (Tone::Wait, Rich::from(BIDI))];
    if let Some(act) = card.acts.get_mut(2) {
        act.is_open = true;
        if let Some(field) = act.fields.last_mut() {
            field.error = Some("The question is empty. What do you need to know?".to_owned());
            field.value = MARKUP.to_owned();
        }
    }
    if let Some(act) = card.acts.first_mut() {
        act.disabled_reason = Some(Rich::from(
            "Your training in risk disclosures ended yesterday. Pass the lesson, and this opens.",
        ));
    }
    Home {
        frame: crate::elements::sample::frame(Place::Home),
        lede: Rich::from(MARKUP),
        due: vec![card],
        later: vec![
            sample_row("CHG-8", &long, State::Rejected, Rich::from(MARKUP)),
            sample_row("CHG-7", BIDI, State::Closed, Rich::new()),
        ],
        decided: vec![Entry::new(Tone::Stop, MARKUP).quote(MARKUP).code(MARKUP).why(BIDI)],
        ..Home::default()
    }
}
