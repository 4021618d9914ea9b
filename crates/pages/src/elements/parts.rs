//! The components that pages are built from, named as the look names them.

use askama::Template;

use crate::elements::filters;
use crate::elements::form::Acts;
use crate::{ActForm, MatrixPicture, Part, Rich, State, Tone, render};

/// A result or a warning; one per matter, never nested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "parts/notice.html")]
pub struct Notice {
    /// What it means.
    pub tone: Tone,
    /// The news in one line; empty when the text has it all.
    pub title: String,
    /// The reason, the next step, and the person.
    pub text: Rich,
    /// One line each, such as unmet conditions or links to fields.
    pub rows: Vec<Rich>,
    /// Whether it reports the reader's last act; it is then read aloud first.
    pub is_answer: bool,
    /// Acts on it: undoing the last act.
    pub acts: Vec<ActForm>,
}

impl Notice {
    /// A notice with a tone and a sentence.
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<Rich>) -> Self {
        Self {
            tone,
            text: text.into(),
            ..Self::default()
        }
    }

    /// The same notice with its news on a line of its own.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The same notice, as the result of an act.
    #[must_use]
    pub fn answer(mut self) -> Self {
        self.is_answer = true;
        self
    }

    fn icon(&self) -> &'static str {
        match self.tone {
            Tone::Wait => "clock",
            Tone::Plain => "bell",
            tone => tone.icon(),
        }
    }

    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: "told",
            forms: &self.acts,
        }
    }

    fn role(&self) -> &'static str {
        match (self.is_answer, self.tone) {
            (true, Tone::Stop) => "alert",
            _ => "status",
        }
    }
}

impl Part for Notice {
    fn html(&self) -> String {
        render(self)
    }
}

/// Several notices in order.
pub(crate) struct Notices<'a>(pub(crate) &'a [Notice]);

impl Part for Notices<'_> {
    fn html(&self) -> String {
        self.0.iter().map(Part::html).collect()
    }
}

/// A person by name, with their page where the reader may open it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The name that others read.
    pub name: String,
    /// Their page; empty for none.
    pub href: String,
}

impl From<String> for Named {
    fn from(name: String) -> Self {
        Self {
            name,
            href: String::new(),
        }
    }
}

/// A fact beside the page: a small grey label and its value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fact {
    /// The label: “Owner”.
    pub label: String,
    /// The value, one line each.
    pub values: Vec<Rich>,
    /// Names of people, each with a round mark; shown before the values.
    pub people: Vec<Named>,
    /// Whether a tenant or a person wrote the label, which is then not translated.
    pub is_said: bool,
    /// Whether it repeats another part of the page, and is folded below the others.
    pub is_folded: bool,
}

impl Fact {
    /// A fact with one line.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<Rich>) -> Self {
        Self {
            label: label.into(),
            values: vec![value.into()],
            ..Self::default()
        }
    }

    /// The same fact under a label of somebody's own.
    #[must_use]
    pub fn said(mut self) -> Self {
        self.is_said = true;
        self
    }

    /// The same fact, folded: another part of the page shows it.
    #[must_use]
    pub fn folded(mut self) -> Self {
        self.is_folded = true;
        self
    }

    /// A fact that names people.
    #[must_use]
    pub fn people(label: impl Into<String>, people: Vec<impl Into<Named>>) -> Self {
        Self {
            label: label.into(),
            people: people.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

#[derive(Template)]
#[template(path = "parts/facts.html")]
pub(crate) struct Facts<'a> {
    pub(crate) facts: &'a [Fact],
}

/// Facts that belong together.
struct FactGroup<'a> {
    is_folded: bool,
    facts: Vec<&'a Fact>,
}

impl Facts<'_> {
    /// The open facts, and below them the folded ones.
    fn groups(&self) -> Vec<FactGroup<'_>> {
        let of = |is_folded: bool| FactGroup {
            is_folded,
            facts: self.facts.iter().filter(|fact| fact.is_folded == is_folded).collect(),
        };
        let mut groups = vec![of(false), of(true)];
        groups.retain(|group| !group.is_folded || !group.facts.is_empty());
        groups
    }
}

impl Part for Facts<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// One entry of a list of approvals, reasons, evidence, people: always with why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Its meaning; gives colour and, without `icon`, the shape.
    pub tone: Tone,
    /// Another shape than the tone's own.
    pub icon: Option<&'static str>,
    /// The sentence: “**Hanne Brandt** approved”.
    pub text: Rich,
    /// A machine code beside the sentence.
    pub code: Option<String>,
    /// A user's text, unchanged.
    pub quote: Option<String>,
    /// Whether the reader wrote that text.
    pub is_own: bool,
    /// The second voice: the reason for this person or rule.
    pub sub: Rich,
    /// At the end of the row: the time, the person, one line each.
    pub aside: Vec<Rich>,
    /// Acts on this entry alone.
    pub acts: Vec<ActForm>,
    /// Makes the ids of those acts unique; needed only with acts.
    pub id: String,
}

impl Entry {
    /// An entry with a tone and its sentence.
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<Rich>) -> Self {
        Self {
            tone,
            text: text.into(),
            ..Self::default()
        }
    }

    /// The same entry with another shape.
    #[must_use]
    pub fn icon(mut self, icon: &'static str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// The same entry with its second voice.
    #[must_use]
    pub fn why(mut self, sub: impl Into<Rich>) -> Self {
        self.sub = sub.into();
        self
    }

    /// The same entry with a user's text.
    #[must_use]
    pub fn quote(mut self, quote: impl Into<String>) -> Self {
        self.quote = Some(quote.into());
        self
    }

    /// The same entry, where `is_own` with a text of the reader's own: this text is never withheld, even from a reader with
    /// fewer rights.
    #[must_use]
    pub fn own(mut self, is_own: bool) -> Self {
        self.is_own = is_own;
        self
    }

    /// The same entry with a machine code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same entry with one more line at its end.
    #[must_use]
    pub fn aside(mut self, line: impl Into<Rich>) -> Self {
        self.aside.push(line.into());
        self
    }

    /// The same entry with an act of its own; `id` must be unique on the page.
    #[must_use]
    pub fn act(mut self, id: impl Into<String>, act: ActForm) -> Self {
        self.id = id.into();
        self.acts.push(act);
        self
    }

    fn shape(&self) -> &'static str {
        self.icon.unwrap_or_else(|| self.tone.icon())
    }

    fn acts(&self) -> Acts<'_> {
        Acts {
            group: &self.id,
            forms: &self.acts,
        }
    }
}

#[derive(Template)]
#[template(path = "parts/entries.html")]
pub(crate) struct Entries<'a> {
    pub(crate) entries: &'a [Entry],
    pub(crate) wide: bool,
}

impl Part for Entries<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// The rows of a decision card. On a page, in a queue and in mail they keep their order; a queue leaves out an empty row, the
/// page marks it as empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brief {
    /// The work and its purpose, in one sentence.
    pub what: Rich,
    /// Services and environment, and their dependants.
    pub where_: Rich,
    /// The planned times and the effect on people.
    pub when: Rich,
    /// Its cell in the risk matrix; empty where it has none yet.
    pub risk: Rich,
    /// The matrix with that cell; absent where there is none.
    pub matrix: Option<MatrixPicture>,
    /// Why this reader decides; the queue begins with it.
    pub why_you: Rich,
    /// Facts in its favour, each with its tone.
    pub why_safe: Vec<(Tone, Rich)>,
    /// The approvers and their decisions.
    pub who_decides: Vec<(Tone, Rich)>,
    /// The rollback, how long it takes and its latest moment.
    pub if_it_fails: Rich,
    /// Open requirements and the person or role of each; empty when nothing is open.
    pub still_missing: Rich,
    /// Its history since this reader decided last; empty where they did not, or nothing happened.
    pub since: Vec<(Tone, Rich)>,
    /// Blockers, bypassed checks and values below the derived ones; empty where there are none.
    pub warned: Vec<(Tone, Rich)>,
    /// The conditions of those who approved it.
    pub conditions: Vec<(Tone, Rich)>,
    /// The question with which it was returned last; empty where it never was.
    pub question: Rich,
}

/// One row of a card: a question, its sentence or its list.
pub(crate) struct BriefRow<'a> {
    pub(crate) question: &'static str,
    pub(crate) class: &'static str,
    pub(crate) answer: Option<&'a Rich>,
    /// The picture below the text.
    pub(crate) picture: Option<&'a MatrixPicture>,
    pub(crate) list: &'a [(Tone, Rich)],
    pub(crate) unsaid: &'static str,
    /// The shape of a met row: a fact is ticked, a person's approval is ringed.
    pub(crate) met_icon: &'static str,
}

/// The class of an empty row, on a card for a decision.
const UNANSWERED: &str = "unanswered";

impl BriefRow<'_> {
    fn is_empty(&self) -> bool {
        self.answer.is_none_or(Rich::is_empty) && self.list.is_empty()
    }

    /// An empty row is quiet where it may still be filled, and marked as waiting where the decision is due.
    fn unsaid_class(&self) -> &'static str {
        match self.class {
            UNANSWERED => "waits",
            _ => "muted",
        }
    }

    fn list_icon(&self, tone: &Tone) -> &'static str {
        match tone {
            Tone::Ok => self.met_icon,
            Tone::Stop => "x",
            other => other.icon(),
        }
    }
}

impl Brief {
    /// The seven questions in their order, as on the page of a change.
    pub(crate) fn full(&self) -> Vec<BriefRow<'_>> {
        vec![
            row("What", "first", &self.what, "Nothing is written yet."),
            list("Since you decided", &self.since, ""),
            row("Where", "", &self.where_, "No target is named yet."),
            row("When", "", &self.when, "No time is planned yet."),
            self.risk_row(),
            list("Before you decide", &self.warned, ""),
            list("Why it is safe", &self.why_safe, "No evidence is recorded yet."),
            BriefRow {
                met_icon: "go",
                ..list("Who decides", &self.who_decides, "No approval is requested yet.")
            },
            list("Conditions", &self.conditions, ""),
            row("Question", "", &self.question, ""),
            row("If it fails", "", &self.if_it_fails, "No rollback plan is written yet."),
            row("Still missing", "missing", &self.still_missing, ""),
        ]
        .into_iter()
        .filter(|row| !row.is_empty() || !row.unsaid.is_empty())
        .collect()
    }

    fn risk_row(&self) -> BriefRow<'_> {
        BriefRow {
            picture: self.matrix.as_ref(),
            ..row("Risk", "", &self.risk, "")
        }
    }

    /// The same in a queue: the reason for the reader comes first, and the parts that the title already has are left out. A
    /// missing proof of safety or a missing rollback is shown: the approver could take silence for a good sign.
    pub(crate) fn queued(&self) -> Vec<BriefRow<'_>> {
        vec![
            row("Why you", "", &self.why_you, ""),
            list("Since you decided", &self.since, ""),
            row("When", "", &self.when, ""),
            row("Where", "", &self.where_, ""),
            self.risk_row(),
            list("Before you decide", &self.warned, ""),
            list("Conditions", &self.conditions, ""),
            row("Question", "", &self.question, ""),
            list("Why it is safe", &self.why_safe, "No evidence is recorded yet."),
            row("If it fails", "", &self.if_it_fails, "No rollback plan is written yet."),
            row("Still missing", "missing", &self.still_missing, ""),
        ]
        .into_iter()
        .filter(|row| !row.is_empty() || !row.unsaid.is_empty())
        .map(|row| match row.is_empty() {
            true => BriefRow {
                class: UNANSWERED,
                ..row
            },
            false => row,
        })
        .collect()
    }
}

fn row<'a>(question: &'static str, class: &'static str, answer: &'a Rich, unsaid: &'static str) -> BriefRow<'a> {
    BriefRow {
        question,
        class,
        answer: Some(answer),
        picture: None,
        list: &[],
        unsaid,
        met_icon: "check",
    }
}

fn list<'a>(question: &'static str, rows: &'a [(Tone, Rich)], unsaid: &'static str) -> BriefRow<'a> {
    BriefRow {
        question,
        class: "",
        answer: None,
        picture: None,
        list: rows,
        unsaid,
        met_icon: "check",
    }
}

/// The card's list of rows.
#[derive(Template)]
#[template(path = "parts/brief.html")]
pub(crate) struct BriefRows<'a> {
    pub(crate) rows: Vec<BriefRow<'a>>,
}

impl Part for BriefRows<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// The lifecycle as eight steps, the current one with a label and a note.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stepper {
    /// The change's current state; on hold and the exits leave all steps ahead or past.
    pub current: State,
    /// The last step that was reached, when `current` is an exit or a hold.
    pub reached: Option<State>,
    /// A date or a short note under a step: `(State::Draft, "16 Nov")`.
    pub notes: Vec<(State, String)>,
}

/// One drawn step.
pub(crate) struct StepMark<'a> {
    label: &'static str,
    note: &'a str,
    is_past: bool,
    is_current: bool,
}

impl Stepper {
    fn steps(&self) -> Vec<StepMark<'_>> {
        let place = |state: State| State::WAY.iter().position(|step| *step == state);
        let current = place(self.current);
        let reached = current.or_else(|| self.reached.and_then(place)).unwrap_or(0);
        State::WAY
            .iter()
            .enumerate()
            .map(|(index, state)| StepMark {
                label: state.label(),
                note: self.note(*state),
                is_past: index < reached || (current.is_none() && index == reached),
                is_current: current == Some(index),
            })
            .collect()
    }

    fn note(&self, state: State) -> &str {
        self.notes
            .iter()
            .find(|(noted, _)| *noted == state)
            .map_or("", |(_, note)| note.as_str())
    }
}

#[derive(Template)]
#[template(path = "parts/stepper.html")]
struct StepperView<'a> {
    steps: Vec<StepMark<'a>>,
}

impl Part for Stepper {
    fn html(&self) -> String {
        render(&StepperView { steps: self.steps() })
    }
}

/// One step of a record that is no change, drawn as those of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageStep {
    /// Its word.
    pub label: &'static str,
    /// When; empty for a step that has no time.
    pub note: String,
    /// Whether it lies behind.
    pub is_past: bool,
    /// Whether it is the record's current step.
    pub is_current: bool,
}

/// Steps of a record that is no change.
pub(crate) struct StageSteps<'a> {
    pub(crate) steps: &'a [StageStep],
}

impl Part for StageSteps<'_> {
    fn html(&self) -> String {
        let steps = self.steps.iter().map(|step| StepMark {
            label: step.label,
            note: step.note.as_str(),
            is_past: step.is_past,
            is_current: step.is_current,
        });
        render(&StepperView { steps: steps.collect() })
    }
}

/// A step of a plan or rollback plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanStep {
    /// What is done.
    pub title: String,
    /// The person and the check: “Tomasz Wrona · check: banner shows”.
    pub detail: Rich,
    /// The duration, as text: “6 min”; empty when none is given.
    pub length: String,
}

#[derive(Template)]
#[template(path = "parts/plan.html")]
pub(crate) struct Plan<'a> {
    pub(crate) steps: &'a [PlanStep],
    pub(crate) unsaid: &'static str,
}

impl Part for Plan<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// One entry of a timeline, with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// The shape: `go`, `edit`, `plus`, `leaf`, `comment`, a state's icon.
    pub icon: &'static str,
    /// The event, with the person's name.
    pub text: Rich,
    /// The time, and the grounds.
    pub meta: Rich,
    /// The entry's index in the tenant's log, written as `48,107`; `None` while it is not sealed yet.
    pub index: Option<String>,
    /// Where its proof can be read.
    pub proof_url: String,
}

#[derive(Template)]
#[template(path = "parts/timeline.html")]
pub(crate) struct Timeline<'a> {
    pub(crate) moments: &'a [Moment],
}

impl Part for Timeline<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// The text of an empty list: the news, and the next step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "parts/empty.html")]
pub struct Empty {
    /// The news: “Nobody waits for you”.
    pub title: String,
    /// When something will be here, or the next step until then.
    pub text: Rich,
}

impl Empty {
    /// An empty list with its text.
    #[must_use]
    pub fn new(title: impl Into<String>, text: impl Into<Rich>) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
        }
    }
}

impl Part for Empty {
    fn html(&self) -> String {
        render(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_and_what_warns_stands_on_page_queue_and_letter_alike() {
        let told = || vec![(Tone::Wait, Rich::from("x"))];
        let brief = Brief {
            since: told(),
            warned: told(),
            conditions: told(),
            question: Rich::from("Why now?"),
            ..Brief::default()
        };
        let expected = ["Since you decided", "Before you decide", "Conditions", "Question"];
        let of_letter = brief.told();
        for question in expected {
            assert!(brief.full().iter().any(|row| row.question == question), "{question}");
            assert!(brief.queued().iter().any(|row| row.question == question), "{question}");
            assert!(of_letter.iter().any(|(told, _)| *told == question), "{question}");
        }
        let bare = Brief::default();
        assert!(!bare.full().iter().any(|row| expected.contains(&row.question)));
    }

    #[test]
    fn the_matrix_is_drawn_below_its_words_on_the_page_and_in_the_queue() {
        let brief = Brief {
            risk: Rich::from("Impact medium, complexity medium: risk medium"),
            matrix: Some(MatrixPicture {
                whole: "/t/halden/changes/CHG-1?tab=risk".to_owned(),
                ..crate::risk::matrix::sample()
            }),
            ..Brief::default()
        };
        for rows in [brief.full(), brief.queued()] {
            let drawn = BriefRows { rows }.html();
            let words = drawn.find("risk medium").expect("the words of the cell");
            assert!(drawn[words..].contains("<svg class=\"chart\""), "{drawn}");
        }
        let bare = Brief::default();
        assert!(!BriefRows { rows: bare.full() }.html().contains("<svg class=\"chart\""));
    }

    #[test]
    fn a_card_in_the_queue_tells_what_nobody_showed() {
        let bare = Brief::default();
        let rows: Vec<(&str, &str)> = bare.queued().iter().map(|row| (row.question, row.unsaid)).collect();
        let expected = [
            ("Why it is safe", "No evidence is recorded yet."),
            ("If it fails", "No rollback plan is written yet."),
        ];
        assert_eq!(rows, expected);
    }
}
