//! The page of a change: the decision first, everything else below or beside.

mod sample;
mod tabs;

use askama::Template;

use crate::elements::form::Acts;
use crate::elements::parts::{BriefRows, Facts, Plan};
use crate::elements::record::Head;
use crate::elements::{filters, parts};
use crate::{
    ActForm, Brief, Cell, Column, Entry, Fact, Fold, Frame, Kind, Mark, Moment, Notice, Part, PlanStep, Rich, Risk,
    Section, SectionBody, State, Stepper, Table, render,
};

/// The label of the long text with the omitted parts of the assessment.
pub const LEFT_OUT: &str = "Left out of the assessment";

/// The head and the foot of the decision card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// The role that decides: “Your decision, for Security”, or “What is decided here”.
    pub heading: String,
    /// When it is due: “Due today 17:00, in 6 h”; empty for no due time.
    pub due: String,
    /// Whether that is close or past.
    pub is_late: bool,
    /// The time of the request: “asked yesterday 16:10”; empty when no decision of the reader is needed.
    pub asked: String,
    /// The deadline for the reader to confirm having seen it; empty where they did, or need not decide.
    pub seen: String,
    /// The decisions open to the reader, each with `content_digest` hidden; empty for none.
    pub acts: Vec<ActForm>,
    /// The content that the decision binds: “You decide on exactly this text: digest …”.
    pub binds: Rich,
}

/// A list of a change with acts on it: approvals, evidence, tasks, comments …
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// At the heading's end: “2 of 4”.
    pub note: Rich,
    /// Acts that add to it or decide on it.
    pub acts: Vec<ActForm>,
}

impl Work {
    /// A list without acts.
    #[must_use]
    pub fn new(note: impl Into<Rich>, entries: Vec<Entry>) -> Self {
        Self {
            entries,
            note: note.into(),
            acts: Vec::new(),
        }
    }

    /// The same list with its acts.
    #[must_use]
    pub fn acts(mut self, acts: Vec<ActForm>) -> Self {
        self.acts = acts;
        self
    }

    fn section(&self, id: &str, title: &str, unsaid: &str) -> Option<Section> {
        if self.entries.is_empty() && self.acts.is_empty() && unsaid.is_empty() {
            return None;
        }
        let body = SectionBody::Entries(self.entries.clone());
        Some(
            Section::new(id, title, body)
                .note(self.note.clone())
                .unsaid(unsaid)
                .acts(self.acts.clone()),
        )
    }
}

/// One target of a change: a service in an environment, with its own outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetRow {
    /// Its id within the change: `1`.
    pub id: String,
    /// The service's key.
    pub service: String,
    /// The service's page; empty for none.
    pub href: String,
    /// The environment.
    pub environment: String,
    /// Artifact or commit, shortened; empty for manual work.
    pub build: String,
    /// The target of the rollback; empty when not given.
    pub rollback_to: String,
    /// The state of the work on it, or its outcome.
    pub outcome: Mark,
    /// Acts on it: its completion.
    pub acts: Vec<ActForm>,
}

/// The page of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "change.html")]
pub struct ChangePage {
    /// Everything around it.
    pub frame: Frame,
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The digest of the content to decide: a page that is followed live does not swap it under the reader's eyes.
    pub digest: String,
    /// Its state in the lifecycle.
    pub state: State,
    /// Whether it is on hold; the state stays.
    pub is_on_hold: bool,
    /// Its risk; `None` until it was computed.
    pub risk: Option<Risk>,
    /// Its kind.
    pub kind: Kind,
    /// Further marks: expedited, overrun, missed its window, unauthorized.
    pub flags: Vec<Mark>,
    /// The outcome of the whole. For a closed change that did not plainly succeed, the outcome replaces the state.
    pub outcome: Option<Mark>,
    /// The author and the time: “by Ingrid Solheim, 4 days ago”.
    pub byline: Rich,
    /// Warnings about it: voided approvals, a freeze, a collision.
    pub notices: Vec<Notice>,
    /// Acts at the head's right end: edit, watch, the bundle.
    pub head_acts: Vec<ActForm>,
    /// The lifecycle.
    pub stepper: Stepper,
    /// The card's answers.
    pub brief: Brief,
    /// The card's head and foot.
    pub decision: Decision,
    /// Every other act that is legal now, one form each, the main one first.
    pub acts: Vec<ActForm>,
    /// The note above those acts: “Next: submit it for assessment.”
    pub acts_note: Rich,
    /// Unmet requirements of each next step, with the person or role that each waits for.
    pub requirements: Work,
    /// The approvers, the reason for each, and their decisions.
    pub approvals: Work,
    /// The plan.
    pub plan: Vec<PlanStep>,
    /// At the plan's heading: “75 min, 28 of them watched”.
    pub plan_note: Rich,
    /// The rollback plan.
    pub rollback_plan: Vec<PlanStep>,
    /// At its heading: “9 min, rehearsed 18 Nov”.
    pub rollback_note: Rich,
    /// Long texts with their label: description, justification, objectives, verification.
    pub texts: Vec<(String, String)>,
    /// Targets with their outcomes; of many, a page of them.
    pub targets: Vec<TargetRow>,
    /// At their heading, where the list is partial: the number of targets, with links to those before and after.
    pub targets_note: Option<Rich>,
    /// Evidence, with the form that adds to it.
    pub evidence: Work,
    /// Its risk: the matrix, and how likely it fails.
    pub risk_sections: Vec<Section>,
    /// Links from other records.
    pub linked: Vec<Section>,
    /// The plan beside the actual work.
    pub course: Option<Section>,
    /// The watch after the work, and its findings.
    pub watch: Work,
    /// The tab that the address names; the first where it names none that is there.
    pub tab: String,
    /// Conditions of approvals and whether they are met.
    pub conditions: Work,
    /// Tasks.
    pub tasks: Work,
    /// The gate's state per target, and permits.
    pub gate: Work,
    /// The log of actions.
    pub runbook: Work,
    /// Validation and post-implementation review.
    pub review: Work,
    /// Links to other changes and incidents.
    pub links: Work,
    /// Comments.
    pub comments: Work,
    /// Past events, newest first, with log indexes.
    pub timeline: Vec<Moment>,
    /// At the timeline's heading: a link to all of it.
    pub timeline_note: Rich,
    /// Facts beside the page.
    pub facts: Vec<Fact>,
}

impl ChangePage {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame
            .around(&format!("{} {}", self.key, self.title), false, &render(self))
    }

    /// Believable instances: an empty draft, one seen by an approver, one in
    /// implementation, a closed one, one full of odd texts.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        sample::all()
    }

    fn marks(&self) -> Vec<Mark> {
        let is_told = self.state == State::Closed && self.outcome.as_ref().is_some_and(|it| !it.is_good());
        let mut marks = Vec::new();
        if !is_told {
            marks.push(self.state.mark());
        }
        if self.is_on_hold {
            marks.push(State::OnHold.mark());
        }
        marks.extend(self.risk.map(Risk::long_mark));
        marks.push(self.kind.mark());
        marks.extend(self.flags.clone());
        marks.extend(self.outcome.clone());
        marks
    }

    fn head_html(&self) -> HeadHtml {
        let crumb = [("Changes".to_owned(), self.frame.url("/changes"))];
        let head = Head {
            crumb: &crumb,
            key: &self.key,
            title: &self.title,
            is_said: true,
            marks: &self.marks(),
            byline: &self.byline,
            acts: &self.head_acts,
        };
        HeadHtml(head.html())
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }

    fn brief_rows(&self) -> BriefRows<'_> {
        BriefRows {
            rows: self.brief.full(),
        }
    }

    fn decision_acts(&self) -> Acts<'_> {
        Acts {
            group: "decide",
            forms: &self.decision.acts,
        }
    }

    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: "act",
            forms: &self.acts,
        }
    }

    fn plan_steps(&self) -> Plan<'_> {
        Plan {
            steps: &self.plan,
            unsaid: "No step is written yet.",
        }
    }

    fn rollback_steps(&self) -> Plan<'_> {
        Plan {
            steps: &self.rollback_plan,
            unsaid: "No rollback plan is written yet.",
        }
    }

    fn fact_list(&self) -> Facts<'_> {
        Facts { facts: &self.facts }
    }

    fn timeline_section(&self) -> Option<Section> {
        let body = SectionBody::Timeline(self.timeline.clone());
        let section = Section::new("timeline", "Timeline", body).note(self.timeline_note.clone());
        (!self.timeline.is_empty()).then_some(section)
    }

    fn target_section(&self) -> Section {
        let rows = self.targets.iter().map(TargetRow::cells).collect();
        let table = Table {
            caption: "Targets with their outcomes".to_owned(),
            columns: vec![
                Column::new("Service", Fold::Never),
                Column::new("Environment", Fold::Under),
                Column::new("Build", Fold::Under),
                Column::new("Rollback to", Fold::Away),
                Column::new("Outcome", Fold::Under).named(),
                Column::new("", Fold::Never),
            ],
            rows,
            ..Table::default()
        };
        let done = self
            .targets
            .iter()
            .filter(|target| target.outcome != Mark::default())
            .count();
        let note = self.targets_note.clone();
        let note = note.unwrap_or_else(|| Rich::from(format!("{done} of {} recorded", self.targets.len())));
        Section::new("targets", "Targets", SectionBody::Table(table)).note(note)
    }
}

impl TargetRow {
    fn cells(&self) -> Vec<Cell> {
        let outcome = match self.outcome == Mark::default() {
            true => Cell::text("Open"),
            false => Cell::Mark(self.outcome.clone()),
        };
        let build = match self.build.is_empty() {
            true => Rich::from("by hand"),
            false => Rich::new().digest(&self.build),
        };
        vec![
            Cell::title(self.service.as_str(), self.href.as_str()),
            Cell::said(self.environment.as_str()),
            Cell::Text(build),
            Cell::Text(match self.rollback_to.is_empty() {
                true => Rich::new(),
                false => Rich::new().digest(&self.rollback_to),
            }),
            outcome,
            Cell::Acts {
                group: format!("target-{}", self.id),
                forms: self.acts.clone(),
            },
        ]
    }
}

struct HeadHtml(String);

impl Part for HeadHtml {
    fn html(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::ChangePage;
    use crate::{Mark, State, Tone};

    #[test]
    fn a_failure_has_no_mark_of_a_closed_change_beside_it() {
        let marks = |outcome: Mark| {
            let page = ChangePage {
                state: State::Closed,
                outcome: Some(outcome),
                ..ChangePage::default()
            };
            page.marks()
        };
        let closed = State::Closed.mark();
        assert!(!marks(Tone::Stop.mark("Failed")).contains(&closed));
        assert!(marks(Tone::Ok.mark("Succeeded")).contains(&closed));
    }
}
