//! One gate check: go or stop, open conditions, met conditions.

use askama::Template;

use crate::elements::filters;
use crate::elements::parts::{Entries, Facts};
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{Entry, Fact, Frame, Place, Rich, Tone, render};

/// The number of characters of an id in the page's head.
const SHORT_ID: usize = 12;

/// The page of one gate check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "gate.html")]
pub struct GatePage {
    /// Everything around it.
    pub frame: Frame,
    /// The check's id.
    pub id: String,
    /// Whether the result is go.
    pub is_go: bool,
    /// The result as a sentence that names the change.
    pub answer: Rich,
    /// When it was decided: “decided 10:42:07, in 3 ms”.
    pub decided: String,
    /// Open conditions, each with its code, the act that opens it and the person or role that it waits for.
    pub open: Vec<Entry>,
    /// Warnings of its change, to read before the gate is opened.
    pub warned: Vec<Entry>,
    /// What is met.
    pub met: Vec<Entry>,
    /// The command that waits for the result; empty when it is given.
    pub command: String,
    /// The response as the API gives it.
    pub json: String,
    /// Facts beside the page.
    pub facts: Vec<Fact>,
}

impl GatePage {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame
            .around(&format!("{} {}", self.word(), self.short_id()), false, &render(self))
    }

    /// Believable instances: stop, go, and one full of odd texts.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let mut odd = sample_stop();
        odd.id = LONG_WORD.to_owned();
        odd.answer = Rich::from(MARKUP).text(BIDI);
        odd.open = vec![
            Entry::new(Tone::Wait, MARKUP)
                .code(MARKUP)
                .why(BIDI)
                .quote(MARKUP)
                .aside(LONG_WORD.repeat(10)),
        ];
        odd.json = format!("{{\"x\": \"{MARKUP}\"}}");
        odd.command = format!("assent gate check --service '{MARKUP}'");
        vec![sample_stop(), sample_go(), odd]
    }

    /// The end of its id, which distinguishes the checks of one day; the response below has the whole id.
    fn short_id(&self) -> String {
        let letters: Vec<char> = self.id.chars().collect();
        match letters.len() > SHORT_ID {
            true => format!("…{}", letters.iter().skip(letters.len() - SHORT_ID).collect::<String>()),
            false => self.id.clone(),
        }
    }

    fn word(&self) -> &'static str {
        if self.is_go { "Go" } else { "Stop" }
    }

    fn verdict_class(&self) -> &'static str {
        if self.is_go { "verdict ok" } else { "verdict" }
    }

    fn verdict_icon(&self) -> &'static str {
        if self.is_go { "go" } else { "stop" }
    }

    fn list_url(&self) -> String {
        self.frame.url(Place::GateChecks.path())
    }

    fn entries<'a>(&self, entries: &'a [Entry]) -> Entries<'a> {
        Entries { entries, wide: true }
    }

    fn fact_list(&self) -> Facts<'_> {
        Facts { facts: &self.facts }
    }

    fn met_count(&self) -> String {
        match self.met.len() {
            1 => "1 condition".to_owned(),
            count => format!("{count} conditions"),
        }
    }
}

fn sample_stop() -> GatePage {
    let change = "/t/halden/changes/CHG-1042";
    GatePage {
        frame: crate::elements::sample::frame(Place::GateChecks),
        id: "gc-77b2f0".to_owned(),
        is_go: false,
        answer: Rich::new()
            .text("booking-api 2.32.0 may not go to production yet: three conditions of ")
            .link("CHG-1042", change)
            .text(" are open"),
        decided: "decided 10:42:07, in 3 ms".to_owned(),
        open: vec![
            Entry::new(Tone::Wait, Rich::new().strong("Two approvals are missing"))
                .code("approval_missing")
                .why(Rich::new().text("Priya Raman or her deputy Yusuf Demir for Security, then Marta Lindqvist, approve digest ").code("what 9f2c…e41").text("."))
                .aside("Priya Raman, due 17:00"),
            Entry::new(Tone::Wait, Rich::new().strong("A collision is undecided"))
                .icon("incident")
                .code("conflict_open")
                .why("CHG-1051 stops ledger-db in the same hour. Opens when Marta Lindqvist says which one moves.")
                .aside("Marta Lindqvist, due 16:00"),
            Entry::new(Tone::Wait, Rich::new().strong("The window is not open"))
                .icon("s-scheduled")
                .code("window_not_open")
                .why("Opens by itself on Saturday 21 November 22:00 and stays open until 23:30.")
                .aside("the clock, in 35 h"),
        ],
        warned: vec![Entry::new(
            Tone::Freeze,
            Rich::from("The freeze ").said("Peak shipping").text(" stops it"),
        )],
        met: vec![
            Entry::new(Tone::Ok, "The change names this service, environment and artifact").aside("CHG-1042"),
            Entry::new(Tone::Ok, "Tests passed on this artifact: 412 of 412").aside("pipeline 8841"),
            Entry::new(Tone::Ok, "Owner and peer approved; no freeze on Saturday").aside("4 conditions"),
        ],
        command: "assent gate check --service booking-api --environment production \\\n  --artifact sha256:6b1d…07a --change CHG-1042 --wait 36h".to_owned(),
        json: "{\n  \"decision\": \"stop\",\n  \"change\": \"CHG-1042\",\n  \"next_transition_at\": \"2026-11-21T21:00:00Z\",\n  \"permit\": null\n}".to_owned(),
        facts: vec![
            Fact::new("Asked by", Rich::new().text("pipeline 8841, job ").code("promote")),
            Fact::new("Artifact", Rich::new().code("sha256:6b1d…07a")),
            Fact::new("Commit", Rich::new().code("3fe90c2")),
            Fact::new("Next change of the decision", "Sat 21 Nov 22:00, if the rest is met by then"),
            Fact::new("Recorded as", Rich::new().code_link("#48,191", "/t/halden/audit#48191")),
        ],
    }
}

fn sample_go() -> GatePage {
    GatePage {
        is_go: true,
        answer: Rich::new()
            .text("edge-dns may go to production until 23:20, under ")
            .link("CHG-1057", "/t/halden/changes/CHG-1057"),
        open: Vec::new(),
        command: String::new(),
        facts: vec![Fact::new("Permit", "valid for 15 minutes, until 23:05")],
        ..sample_stop()
    }
}
