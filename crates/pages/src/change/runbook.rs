//! The runbook: one step of a plan at a time, for a phone at night. The rollback is always in sight.

use askama::Template;

use crate::elements::form::Acts;
use crate::elements::parts::{Entries, Plan};
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::elements::{filters, parts};
use crate::{ActForm, Entry, Field, Frame, Notice, Place, PlanStep, Rich, Tone, render};

/// A step of the plan as the runbook shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunStep {
    /// What is done.
    pub title: String,
    /// The person who does it; empty when nobody is named.
    pub who: String,
    /// The check after it; empty when none is given.
    pub check: String,
    /// The duration: “18 min”; empty when none is given.
    pub length: String,
    /// Whether it is done.
    pub is_done: bool,
    /// Whether it was skipped with a reason.
    pub is_skipped: bool,
    /// Whether something went wrong with it, and it is still open.
    pub has_failed: bool,
    /// The least minutes of a watch, for the script that counts without a connection; empty for a step that is no watch.
    pub watch_minutes: String,
}

/// The latest step that the reader noted, which they may still take back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunUndo {
    /// The entry's id.
    pub entry: String,
    /// The step's number, from 1.
    pub step: usize,
    /// Its title.
    pub title: String,
    /// Whether it was skipped rather than done.
    pub is_skipped: bool,
}

/// A time that a phone shows large, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunClock {
    /// The label: “Roll back by”.
    pub label: String,
    /// The time for the reader: “23:15”.
    pub time: String,
    /// The second line: “in 55 min, then it is too late”.
    pub detail: String,
    /// The instant in UTC, for the script that counts: `2026-11-21T21:15:00Z`; empty when nothing counts.
    pub instant: String,
    /// Whether it has passed.
    pub is_late: bool,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "runbook.html")]
pub struct Runbook {
    /// Everything around it.
    pub frame: Frame,
    /// The change's key.
    pub key: String,
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// The plan; the rollback plan once it is being rolled back.
    pub steps: Vec<RunStep>,
    /// Whether it is being rolled back.
    pub is_back: bool,
    /// The place of the step that is next, from 0; `None` when all are done or nothing is under way.
    pub current: Option<usize>,
    /// Until when the step watches, in UTC: `2026-11-21T21:15:00Z`; empty where it is no watch, or its minutes are over.
    pub watch_until: String,
    /// The latest step that the reader may take back.
    pub undo: Option<RunUndo>,
    /// The text in place of a step.
    pub instead: String,
    /// Since when the step runs, and the latest moment to roll back.
    pub clocks: Vec<RunClock>,
    /// Where taps are sent by forms.
    pub entry_url: String,
    /// Where the script sends them, with a key that makes a repeated tap the same one.
    pub api_url: String,
    /// A mark of this page's own, by which a tap sent twice does its work once; empty for none.
    pub once: String,
    /// Whether the work goes on and the reader may write into the log of actions.
    pub may_record: bool,
    /// Whether nobody noted yet that the step began.
    pub may_begin: bool,
    /// The way back.
    pub rollback: Vec<PlanStep>,
    /// How long that takes: “9 min”.
    pub rollback_note: String,
    /// Past events, newest first.
    pub so_far: Vec<Entry>,
    /// Acts that cancel a rollback begun by mistake; empty once a step of it is done.
    pub go_on: Vec<ActForm>,
    /// Acts in place of a step: start, record the outcome.
    pub acts: Vec<ActForm>,
    /// Warnings.
    pub notices: Vec<Notice>,
}

impl Runbook {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around(&self.heading(), false, &render(self))
    }

    /// Believable instances: under way, not begun, all done and odd.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let under_way = sample();
        let waiting = Self {
            current: None,
            instead: "It has not started yet.".to_owned(),
            acts: vec![ActForm::new(
                "start",
                "Start the work",
                "/t/halden/changes/CHG-1042/implementation",
            )],
            may_record: false,
            clocks: Vec::new(),
            so_far: Vec::new(),
            ..sample()
        };
        let mut odd = sample();
        for step in &mut odd.steps {
            step.title = format!("{MARKUP} {}", LONG_WORD.repeat(6));
            step.who = BIDI.to_owned();
            step.check = MARKUP.to_owned();
        }
        odd.title = BIDI.to_owned();
        odd.rollback = vec![PlanStep {
            title: MARKUP.to_owned(),
            detail: Rich::new().said(BIDI),
            length: "9 min".to_owned(),
        }];
        odd.notices = vec![Notice::new(Tone::Stop, MARKUP).title(BIDI)];
        vec![
            under_way,
            waiting,
            odd,
            sample_all_done(),
            sample_back(),
            sample_watch(),
        ]
    }

    fn heading(&self) -> String {
        match (self.step(), self.is_back) {
            (Some((number, step)), false) => format!("{number} of {}: {}", self.steps.len(), step.title),
            (Some((number, step)), true) => format!("Back, {number} of {}: {}", self.steps.len(), step.title),
            (None, _) => format!("Runbook of {}", self.key),
        }
    }

    /// The step that is next, with its number from 1.
    fn step(&self) -> Option<(usize, &RunStep)> {
        let place = self.current?;
        Some((place + 1, self.steps.get(place)?))
    }

    fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.is_done).count()
    }

    fn mark(&self, place: &usize, step: &RunStep) -> &'static str {
        match (self.current == Some(*place), step.is_done || step.is_skipped) {
            (true, _) => "now",
            (false, true) => "past",
            (false, false) => "",
        }
    }

    /// A step's status as text beside its title, for readers that do not see the marks.
    fn said_of(&self, step: &RunStep) -> &'static str {
        match (step.is_done, step.is_skipped, step.has_failed) {
            (true, ..) => "done",
            (_, true, _) => "skipped",
            (.., true) => "failed",
            _ => "",
        }
    }

    /// Whether the step watches still, so that “Done” comes later.
    fn watches(&self) -> bool {
        !self.watch_until.is_empty()
    }

    /// The entry that undo removes: empty where undo is not allowed.
    fn undo_entry(&self) -> &str {
        self.undo.as_ref().map_or("", |undo| undo.entry.as_str())
    }

    fn undo_step(&self) -> String {
        self.undo.as_ref().map(|undo| undo.step.to_string()).unwrap_or_default()
    }

    fn undo_words(&self) -> String {
        match &self.undo {
            Some(undo) if undo.is_skipped => format!("Step {} is noted as skipped.", undo.step),
            Some(undo) => format!("Step {} is noted as done.", undo.step),
            None => String::new(),
        }
    }

    /// The text of the action log when a step is undone.
    fn undo_text(&self) -> String {
        let title = self.undo.as_ref().map_or("", |undo| undo.title.as_str());
        format!("Taken back: {title}")
    }

    fn progress(&self) -> String {
        match (self.step(), self.is_back) {
            (Some((number, _)), false) => format!("Step {number} of {}", self.steps.len()),
            (Some((number, _)), true) => format!("Rolling back, step {number} of {}", self.steps.len()),
            (None, false) => format!("{} of {} steps done", self.done(), self.steps.len()),
            (None, true) => format!("{} of {} steps back done", self.done(), self.steps.len()),
        }
    }

    /// The log kind of a step that is done.
    fn kind(&self) -> &'static str {
        if self.is_back { "rollback" } else { "step" }
    }

    /// The log entry where the rollback begins: the step at which it does.
    fn turns_at(&self) -> String {
        match self.step() {
            Some((number, step)) => format!("Rolling back at step {number}: {}", step.title),
            None => "Rolling back after the last step".to_owned(),
        }
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }

    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: "runbook",
            forms: &self.acts,
        }
    }

    fn go_on_row(&self) -> Acts<'_> {
        Acts {
            group: "go-on",
            forms: &self.go_on,
        }
    }

    fn way_back(&self) -> Plan<'_> {
        Plan {
            steps: &self.rollback,
            unsaid: "No rollback steps are given.",
        }
    }

    fn so_far(&self) -> Entries<'_> {
        Entries {
            entries: &self.so_far,
            wide: false,
        }
    }
}

/// Every step is done and no outcome is recorded yet: a rollback is still possible.
fn sample_all_done() -> Runbook {
    let mut done = Runbook {
        current: None,
        instead: "Every step is done".to_owned(),
        acts: vec![ActForm::link("Record the outcome", "/t/halden/changes/CHG-1042#act")],
        ..sample()
    };
    for step in &mut done.steps {
        step.is_done = true;
    }
    done.clocks.remove(0);
    done
}

/// A watch goes on, and the step before it may still be taken back.
fn sample_watch() -> Runbook {
    let mut watch = sample();
    watch.steps[1].is_skipped = true;
    watch.steps[2].watch_minutes = "20".to_owned();
    watch.steps[2].has_failed = true;
    watch.current = Some(2);
    watch.watch_until = "2026-11-21T21:28:00Z".to_owned();
    watch.clocks[0] = RunClock {
        label: "Watch until".to_owned(),
        time: "22:28".to_owned(),
        detail: "then it can be ended".to_owned(),
        instant: watch.watch_until.clone(),
        is_late: false,
    };
    watch.undo = Some(RunUndo {
        entry: "019ac000-0000-7000-8000-000000000001".to_owned(),
        step: 2,
        title: watch.steps[1].title.clone(),
        is_skipped: true,
    });
    watch
}

/// The rollback is under way.
fn sample_back() -> Runbook {
    let mut back = Runbook {
        is_back: true,
        current: Some(0),
        ..sample()
    };
    back.steps = vec![RunStep {
        title: "Back to 2.31.4".to_owned(),
        who: "pipeline".to_owned(),
        length: "9 min".to_owned(),
        ..RunStep::default()
    }];
    let told = "Ingrid Solheim and Marta Lindqvist are notified.";
    let go_on = ActForm::new(
        "go-on",
        "Not rolling back after all",
        "/t/halden/changes/CHG-1042/implementation/entries",
    )
    .field(Field::textarea("text", "Why the work continues").required())
    .submit("Go on with the plan");
    back.go_on = vec![go_on];
    back.notices = vec![Notice::new(Tone::Stop, told).title("Rolling back since 22:11")];
    back
}

fn sample() -> Runbook {
    let step = |title: &str, length: &str, is_done: bool| RunStep {
        title: title.to_owned(),
        who: "pipeline".to_owned(),
        check: "The error rate stays below 0.2 % on every new node".to_owned(),
        length: length.to_owned(),
        is_done,
        ..RunStep::default()
    };
    let clock = |label: &str, time: &str, detail: &str| RunClock {
        label: label.to_owned(),
        time: time.to_owned(),
        detail: detail.to_owned(),
        instant: "2026-11-21T21:15:00Z".to_owned(),
        is_late: false,
    };
    Runbook {
        frame: crate::elements::sample::frame(Place::Changes),
        key: "CHG-1042".to_owned(),
        href: "/t/halden/changes/CHG-1042".to_owned(),
        title: "Give every shipment a customs reference".to_owned(),
        steps: vec![
            step("Add the column", "6 min", true),
            step("Bring booking-api 2.32.0 out, one node at a time", "18 min", false),
            step("Watch the dashboards", "20 min", false),
        ],
        current: Some(1),
        clocks: vec![
            clock("On this step since", "22:08", "of 18 min"),
            clock("Roll back by", "23:15", "in 55 min, then it is too late"),
        ],
        entry_url: "/t/halden/changes/CHG-1042/implementation/entries".to_owned(),
        api_url: "/api/v1/changes/CHG-1042/implementation/entries".to_owned(),
        once: "0193-a1".to_owned(),
        may_record: true,
        may_begin: true,
        rollback: vec![PlanStep {
            title: "Back to 2.31.4".to_owned(),
            detail: Rich::new().said("pipeline"),
            length: "9 min".to_owned(),
        }],
        rollback_note: "9 min, no gate stops it".to_owned(),
        so_far: vec![Entry::new(Tone::Ok, "Column added, 0 queries waited").why("Tomasz Wrona, 22:07")],
        ..Runbook::default()
    }
}
