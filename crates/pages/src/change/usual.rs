//! The usual form of every act on a change: its labels, its fields, their names.
//!
//! The server decides which acts are legal and for which person; it takes the form from here, so that an act has the same
//! labels everywhere. Field names are those of the API, nested ones with points (`impact.data`); lists are one entry a line.

use super::by_steps::{self, BySteps};
use crate::{ActForm, ActTone, Choice, Field, Input};

/// An act on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// draft → assessing.
    Submit,
    /// assessing → authorizing.
    Assess,
    /// Stops the acknowledge clock of the reader.
    Acknowledge,
    /// A decision: yes.
    Approve,
    /// A decision: yes, if.
    ApproveWithConditions,
    /// A question instead of a decision; back to draft.
    Return,
    /// A decision: no.
    Reject,
    /// Passes the decision to another approver.
    Abstain,
    /// Takes the reader's own decision back; the context's `item` is its id.
    Withdraw,
    /// The peer's review of plan and code.
    PeerReview,
    /// Sets the planned times.
    Schedule,
    /// Pauses it.
    Hold,
    /// Ends the pause.
    Resume,
    /// scheduled → implementing.
    Start,
    /// An entry of the log of actions.
    Entry,
    /// Requests more time.
    Extend,
    /// Grants or refuses more time.
    DecideExtension,
    /// Records an outcome, for one target or all that are open.
    Complete,
    /// Does it work?
    Validate,
    /// The post-implementation review.
    Review,
    /// reviewing → closed.
    Close,
    /// Gives it up.
    Cancel,
    /// Replaces all approvals.
    BreakGlass,
    /// The second person's signature under it.
    CoSign,
    /// Looks at it afterwards.
    ValidateBreakGlass,
    /// Lifts the stop that a rejection puts on equal changes.
    Overrule,
    /// Records whether work already done had been allowed.
    ConfirmRetrospective,
    /// Adds evidence.
    AddEvidence,
    /// Adds a task.
    AddTask,
    /// Adds a comment.
    Comment,
    /// Adds a link to another record.
    Link,
    /// Voids a permit; the context's `item` is its `jti`.
    RevokePermit,
    /// Opens a target again that a revocation closed; the context's `item` is the permit's `jti`.
    LiftRevocation,
    /// Follows it by messages.
    Watch,
}

/// The facts of a change that the forms need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActContext {
    /// The change's page, to which the acts' paths are added: `/t/halden/changes/CHG-1042`.
    pub change_url: String,
    /// The address below which fields search for people and records; empty where they are plain text.
    pub picks_url: String,
    /// The digest over *what* and *when* that the reader sees now.
    pub content_digest: String,
    /// The author, for the question's label.
    pub writer: String,
    /// The reader's zone, shown beside times.
    pub zone: String,
    /// The planned start as a `datetime-local` value; empty for none.
    pub planned_start: String,
    /// The planned end as a `datetime-local` value; empty for none.
    pub planned_end: String,
    /// The earliest start under the rules on lead time, as text; empty without such a rule.
    pub earliest_start: String,
    /// The reader's login, proposed as the checker of conditions.
    pub reader: String,
    /// Open targets: id and label.
    pub targets: Vec<(String, String)>,
    /// The id of the item that the act is about, where it is about one.
    pub item: String,
    /// Environments that evidence can come from.
    pub environments: Vec<String>,
    /// The security questions that the change raises.
    pub questions: Vec<SecurityQuestionField>,
    /// Whether the log of actions records a rollback.
    pub is_rolled_back: bool,
    /// The sum of the runbook's steps; `None` where none is recorded.
    pub by_steps: Option<BySteps>,
    /// The digest of the planned times that the page shows.
    pub when_digest: String,
    /// The planned times that the page shows, to the instant, as a form sends them along.
    pub standing_times: String,
    /// A mark of this page's own, by which a form sent twice does its work once; empty for none.
    pub once: String,
    /// The root causes that a review may name, none first.
    pub causes: Vec<Choice>,
}

/// A security question of the assessment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityQuestionField {
    /// Its word: `open_ports`.
    pub key: String,
    /// The question.
    pub words: String,
    /// `yes`, `no`, or empty while it is open.
    pub answer: String,
    /// What exactly.
    pub text: String,
}

const LEVELS: [(&str, &str); 5] = [
    ("", "As derived"),
    ("none", "None"),
    ("low", "Low"),
    ("medium", "Medium"),
    ("high", "High"),
];

/// The key that makes a form idempotent, also when it is sent again from the page before.
pub fn once(context: &ActContext) -> Field {
    Field::hidden("once", context.once.as_str())
}

impl Act {
    /// All acts, in the order of the lifecycle.
    pub const ALL: [Act; 34] = [
        Act::Submit,
        Act::Assess,
        Act::Acknowledge,
        Act::Approve,
        Act::ApproveWithConditions,
        Act::Return,
        Act::Reject,
        Act::Abstain,
        Act::Withdraw,
        Act::PeerReview,
        Act::Schedule,
        Act::Hold,
        Act::Resume,
        Act::Start,
        Act::Entry,
        Act::Extend,
        Act::DecideExtension,
        Act::Complete,
        Act::Validate,
        Act::Review,
        Act::Close,
        Act::Cancel,
        Act::BreakGlass,
        Act::CoSign,
        Act::ValidateBreakGlass,
        Act::Overrule,
        Act::ConfirmRetrospective,
        Act::AddEvidence,
        Act::AddTask,
        Act::Comment,
        Act::Link,
        Act::RevokePermit,
        Act::LiftRevocation,
        Act::Watch,
    ];

    /// The form of this act, sent to the change's address with the act's path. Sent twice it does its work once.
    #[must_use]
    pub fn form(self, context: &ActContext) -> ActForm {
        let form = self.form_of(context);
        let is_marked = form.is_link || form.fields.iter().any(|field| field.name == "once");
        if is_marked { form } else { form.field(once(context)) }
    }

    fn form_of(self, context: &ActContext) -> ActForm {
        match self {
            Act::Approve | Act::ApproveWithConditions | Act::Return | Act::Reject | Act::Abstain => {
                self.decision(context)
            }
            Act::Acknowledge | Act::Withdraw | Act::PeerReview | Act::Overrule | Act::ConfirmRetrospective => {
                self.word(context)
            }
            Act::Submit | Act::Assess | Act::Schedule | Act::Hold | Act::Resume | Act::Cancel => self.before(context),
            Act::Start | Act::Entry | Act::Extend | Act::DecideExtension | Act::Complete => self.during(context),
            Act::Validate | Act::Review | Act::Close => self.after(context),
            Act::BreakGlass | Act::CoSign | Act::ValidateBreakGlass => self.emergency(context),
            Act::RevokePermit | Act::LiftRevocation => self.stop(context),
            Act::AddEvidence | Act::AddTask | Act::Comment | Act::Link | Act::Watch => self.addition(context),
        }
    }

    fn decision(self, context: &ActContext) -> ActForm {
        let writer = if context.writer.is_empty() {
            "its writer"
        } else {
            &context.writer
        };
        let digest = Field::hidden("content_digest", context.content_digest.as_str());
        let make = |id: &str, label: &str, word: &str| {
            at(context, id, label, "/approvals")
                .field(Field::hidden("decision", word))
                .field(digest.clone())
                .field(once(context))
        };
        match self {
            Act::ApproveWithConditions => make("conditions", "Approve with conditions", "approve_with_conditions")
                .key('C')
                .field(Field::textarea("condition", "Conditions").hint("One per line, each a verifiable sentence. They are due before the start unless you choose otherwise.").required())
                .field(Field::select("due", "Due", &[("start", "Before start"), ("close", "Before closing")]).half())
                .field(search(context, "people", "checker", "Checked by").value(context.reader.as_str()).half())
                .submit("Approve with these conditions"),
            Act::Return => make("return", "Return with a question", "return")
                .key('R')
                .field(Field::textarea("comment", format!("Your question to {writer}")).hint("The change returns to draft, and its approvals become void. You are notified of the answer.").required())
                .submit("Return with this question"),
            Act::Reject => make("reject", "Reject", "reject")
                .tone(ActTone::Stop)
                .key('X')
                .field(Field::textarea("comment", "Why not").hint(format!("Visible to everyone on the change. The change ends here unless {writer} revises it.")).required())
                .submit("Reject this change"),
            Act::Abstain => make("abstain", "Abstain", "abstain")
                .tone(ActTone::Quiet)
                .field(Field::textarea("comment", "Why another person should decide").required())
                .submit("Leave it to another person"),
            _ => make("approve", "Approve", "approve").tone(ActTone::Go).key('A').field(
                Field::textarea("comment", "Comment on your approval")
                    .hint("Visible to everyone on the change. A comment is not binding; a condition is.")
                    .folded("With a comment"),
            ),
        }
    }

    fn word(self, context: &ActContext) -> ActForm {
        match self {
            Act::Acknowledge => at(context, "acknowledge", "I have seen it", "/acknowledgements"),
            Act::Withdraw => at(
                context,
                &format!("withdraw-{}", context.item),
                "Take it back",
                &format!("/approvals/{}/withdrawal", context.item),
            )
            .tone(ActTone::Link),
            Act::PeerReview => at(context, "peer-review", "Record your peer review", "/peer-reviews")
                .field(Field::hidden("content_digest", context.content_digest.as_str()))
                .field(once(context))
                .field(
                    Field::radio(
                        "verdict",
                        "Your peer review",
                        &[
                            ("agree", "I have read plan and code, and agree"),
                            ("disagree", "I do not agree"),
                        ],
                    )
                    .required(),
                )
                .field(Field::textarea("text", "What you saw").required())
                .submit("Record it"),
            Act::Overrule => at(context, "overrule", "Overrule the rejection", "/overruling")
                .tone(ActTone::Stop)
                .note("Equal changes are then no longer stopped by this rejection.")
                .field(reason("Why"))
                .submit("Overrule this rejection"),
            _ => at(context, "confirm", "Confirm or deny it", "/retrospective/confirmation")
                .field(
                    Field::radio(
                        "confirmed",
                        "This work was",
                        &[("true", "allowed by me beforehand"), ("false", "not allowed by me")],
                    )
                    .required(),
                )
                .field(Field::textarea("text", "When and how").required())
                .submit("Record it"),
        }
    }

    fn before(self, context: &ActContext) -> ActForm {
        match self {
            Act::Submit => at(context, "submit", "Submit for assessment", "/submission").tone(ActTone::Go),
            Act::Assess => assess(context),
            Act::Schedule => at(context, "schedule", "Set its times", "/schedule")
                .note("Only the decisions that cover the time are requested again.")
                .field(Field::hidden("was", context.when_digest.as_str()))
                .field(Field::hidden("stands", context.standing_times.as_str()))
                .field(start(context).value(context.planned_start.as_str()).required())
                .field(
                    time("planned_end", "End", context)
                        .value(context.planned_end.as_str())
                        .required(),
                )
                .field(Field::time_in_words("planned_start", "planned_end"))
                .submit("Set these times"),
            Act::Hold => at(context, "hold", "Put on hold", "/hold")
                .note("Its clocks pause, and its permits are void for good.")
                .field(reason("Why it must wait"))
                .field(time("until", "Remind people", context))
                .submit("Put it on hold"),
            Act::Resume => at(context, "resume", "Resume", "/resume").tone(ActTone::Go),
            _ => at(context, "cancel", "Cancel this change", "/cancellation")
                .tone(ActTone::Stop)
                .field(reason("Why it is given up"))
                .submit("Cancel it for good"),
        }
    }

    fn during(self, context: &ActContext) -> ActForm {
        match self {
            Act::Start => at(context, "start", "Start", "/implementation").tone(ActTone::Go),
            Act::Entry => at(context, "entry", "Note an action", "/implementation/entries")
                .field(
                    Field::radio(
                        "kind",
                        "What it is",
                        &[
                            ("step", "A step is done"),
                            ("deviation", "Something differs from the plan"),
                            ("issue", "Something is wrong"),
                        ],
                    )
                    .value("step"),
                )
                .field(
                    Field::textarea("text", "What happened")
                        .hint("The owner and the change managers are notified of a deviation or an issue immediately.")
                        .required(),
                )
                .field(time("occurred_at", "When, if not just now", context))
                .field(target(context, "All of it"))
                .submit("Note it"),
            Act::Extend => at(context, "extend", "Ask for more time", "/extension")
                .field(time("until", "Until", context).required())
                .field(reason("Why"))
                .submit("Ask for it"),
            Act::DecideExtension => at(context, "extension", "Decide on more time", "/extension/decision")
                .tone(ActTone::Go)
                .field(Field::radio("grant", "More time", &[("true", "Grant it"), ("false", "Refuse it")]).required())
                .field(Field::textarea("reason", "Why"))
                .submit("Record the decision"),
            _ => at(context, "complete", "Record the outcome", "/completion")
                .field(target(context, "Every open target"))
                .field(by_steps::outcome(context.by_steps.as_ref(), context.is_rolled_back))
                .field(time("actual_start", "Began", context))
                .field(time("actual_end", "Ended", context))
                .field(Field::new(
                    "actual_downtime_minutes",
                    "Minutes of downtime",
                    Input::Number,
                ))
                .field(
                    Field::textarea("reason", "Why the outcome differs")
                        .hint("Only if an outcome was recorded before."),
                )
                .submit("Record this outcome"),
        }
    }

    fn after(self, context: &ActContext) -> ActForm {
        match self {
            Act::Validate => at(context, "validate", "Validate", "/validation")
                .field(
                    Field::radio(
                        "result",
                        "Does it work?",
                        &[("works", "It works"), ("does_not", "It does not")],
                    )
                    .required(),
                )
                .field(Field::textarea("text", "How you checked it").required())
                .submit("Record the result"),
            Act::Review => at(context, "review", "Review it", "/review")
                .field(yes_or_no("objectives_met", "Were the objectives met?"))
                .field(yes_or_no("assessment_adequate", "Was the assessment adequate?"))
                .field(yes_or_no("steps_adequate", "Were the steps adequate?"))
                .field(Field::textarea("summary", "In a few sentences").required())
                .field(Field::new("cause", "Root cause", Input::Select(context.causes.clone())))
                .field(Field::textarea("cause_text", "The cause in detail"))
                .field(Field::textarea("improvements", "Improvements").hint("One per line; each becomes an action item."))
                .field(search(context, "people", "improvements_owner", "Assigned to").hint("A login; the owner by default."))
                .field(search(context, "incidents", "incidents", "Incidents that the review addresses").several()
                    .hint("Keys, separated by commas. Include each open incident of the watch window and each one that the change caused."))
                .submit("Finish the review"),
            _ => at(context, "close", "Close", "/closure")
                .tone(ActTone::Go)
                .note("Closed never opens again; what comes later is an addendum.")
                .submit("Close it for good"),
        }
    }

    fn emergency(self, context: &ActContext) -> ActForm {
        match self {
            Act::BreakGlass => at(context, "break-glass", "Break glass", "/break-glass")
                .tone(ActTone::Stop)
                .note("The owner and the change managers are notified immediately; another person validates it before closing.")
                .field(Field::textarea("reason", "Why it cannot wait for approvals").required())
                .field(time("until", "Until, at most 4 hours ahead", context).required())
                .field(search(context, "incidents", "incident", "Incident"))
                .submit("Break glass now"),
            Act::CoSign => at(
                context,
                "co-sign",
                "Co-sign the break-glass",
                "/break-glass/co-signature",
            )
            .tone(ActTone::Stop)
            .note("Your signature opens the gate, and you share the responsibility.")
            .field(Field::hidden("content_digest", context.content_digest.as_str()))
            .field(once(context))
            .submit("Sign it"),
            _ => at(
                context,
                "break-glass-validation",
                "Review the break-glass",
                "/break-glass/validation",
            )
            .field(Field::textarea("text", "Was it needed, and was it used for nothing else?").required())
            .submit("Record what you found"),
        }
    }

    fn stop(self, context: &ActContext) -> ActForm {
        let path = format!("/permits/{}/revocation", context.item);
        if self == Act::LiftRevocation {
            return at(
                context,
                &format!("lift-{}", context.item),
                "Open the target again",
                &format!("{path}/lifting"),
            )
            .tone(ActTone::Link)
            .field(reason("Why it may go on"))
            .submit("Lift the revocation");
        }
        at(context, &format!("revoke-{}", context.item), "Revoke", &path)
            .tone(ActTone::Link)
            .note("Its target stays closed until the revocation is lifted.")
            .field(reason("Why"))
            .submit("Revoke this permit")
    }

    fn addition(self, context: &ActContext) -> ActForm {
        match self {
            Act::AddEvidence => evidence(context),
            Act::AddTask => at(context, "task", "Add a task", "/tasks")
                .field(Field::text("title", "What to do").required())
                .field(
                    Field::select(
                        "kind",
                        "When",
                        &[
                            ("prepare", "Before the start"),
                            ("test", "As a test"),
                            ("implement", "In the work"),
                            ("verify", "Afterwards"),
                        ],
                    )
                    .half(),
                )
                .field(search(context, "people", "assignee", "Who").half())
                .field(Field::new("mandatory", "The next step waits for it", Input::Checkbox).value("true"))
                .submit("Add this task"),
            Act::Comment => at(context, "comment", "Comment", "/comments")
                .field(
                    Field::textarea("text", "Your comment")
                        .hint("Markdown is supported. Visible to everyone on the change; @login notifies that person.")
                        .required(),
                )
                .field(once(context))
                .submit("Add this comment"),
            Act::Link => at(context, "link", "Link to another", "/links")
                .field(
                    Field::select(
                        "kind",
                        "This change",
                        &[
                            ("depends_on", "depends on"),
                            ("parent_of", "is the parent of"),
                            ("follows_up", "follows up"),
                            ("replaces", "replaces"),
                            ("fixes", "fixes"),
                            ("caused", "caused"),
                            ("in_release", "is in the release"),
                        ],
                    )
                    .half(),
                )
                .field(search(context, "records", "to", "Key of the other").required().half())
                .submit("Link them"),
            _ => at(context, "watch", "Watch", "/watchers"),
        }
    }
}

/// The assessment: harm, risk and the parts that were left out.
fn assess(context: &ActContext) -> ActForm {
    let form = at(context, "assess", "Assess", "/assessment")
        .tone(ActTone::Go)
        .field(Field::select("impact.data", "Harm to data, if it goes wrong", &LEVELS).half())
        .field(Field::select("impact.availability", "Harm to availability", &LEVELS).half())
        .field(Field::select("impact.compliance", "Harm to compliance", &LEVELS).half())
        .field(
            Field::select(
                "complexity",
                "Complexity",
                &[
                    ("", "As written"),
                    ("low", "Low"),
                    ("medium", "Medium"),
                    ("high", "High"),
                ],
            )
            .half(),
        )
        .field(Field::textarea("security", "Effect on security").hint("Leave empty if there is none."))
        .field(Field::textarea("excluded", "Left out, and why").hint("One per line: the item, a colon, the reason."))
        .field(
            Field::select(
                "risk_override.level",
                "Risk, if it differs from the computed risk",
                &[
                    ("", "As computed"),
                    ("low", "Low"),
                    ("medium", "Medium"),
                    ("high", "High"),
                ],
            )
            .half(),
        )
        .field(
            Field::text("risk_override.reason", "Why the risk differs")
                .hint("Shown beside the computed risk.")
                .half(),
        )
        .field(Field::new(
            "dependencies_reviewed",
            "I have looked at what depends on the targets",
            Input::Checkbox,
        ));
    let form = context.questions.iter().fold(form, |form, asked| {
        let choices = [("", "Not answered"), ("no", "No"), ("yes", "Yes")];
        let name = format!("question_{}", asked.key);
        let text = Field::text(format!("{name}_text"), "What exactly, if yes");
        form.field(
            Field::select(name, asked.words.as_str(), &choices)
                .value(asked.answer.as_str())
                .half(),
        )
        .field(text.value(asked.text.as_str()).half())
    });
    form.submit("Record the assessment")
}

fn evidence(context: &ActContext) -> ActForm {
    let environments = std::iter::once(Choice::new("", "Not stated"))
        .chain(
            context
                .environments
                .iter()
                .map(|name| Choice::said(name.as_str(), name.as_str())),
        )
        .collect();
    at(context, "evidence", "Add evidence", "/evidence")
        .field(Field::text("name", "Name").required().half())
        .field(
            Field::select(
                "kind",
                "Kind",
                &[
                    ("note", "Note"),
                    ("file", "File"),
                    ("junit", "JUnit report"),
                    ("sarif", "SARIF report"),
                    ("cyclonedx", "CycloneDX list"),
                    ("in_toto", "in-toto statement"),
                    ("waiver", "Waiver"),
                ],
            )
            .half(),
        )
        .field(
            Field::select(
                "aspect",
                "What it shows",
                &[
                    ("functional", "It works"),
                    ("compatibility", "Old and new are compatible"),
                    ("security", "It is safe"),
                    ("backup", "A backup exists"),
                    ("rehearsal", "The way back was rehearsed"),
                    ("other", "Something else"),
                ],
            )
            .half(),
        )
        .field(
            Field::select(
                "result",
                "Result",
                &[("", "From the file"), ("passed", "Passed"), ("failed", "Failed")],
            )
            .half(),
        )
        .field(Field::new("environment", "Where it ran", Input::Select(environments)).half())
        .field(Field::text("artifact", "Artifact").half())
        .field(Field::new("file", "File", Input::File))
        .field(
            Field::textarea("text", "Text")
                .hint("Instead of a file or with it; for a waiver, the reason. Without an artifact the evidence binds to the plan."),
        )
        .submit("Add this evidence")
}

fn at(context: &ActContext, id: &str, label: &str, path: &str) -> ActForm {
    ActForm::new(id, label, format!("{}{path}", context.change_url))
}

/// A required yes or no: no choice is never taken as a no.
fn yes_or_no(name: &str, label: &str) -> Field {
    Field::radio(name, label, &[("true", "Yes"), ("false", "No")]).required()
}

fn search(context: &ActContext, kind: &str, name: &str, label: &str) -> Field {
    Field::searched((&context.picks_url, kind), name, label)
}

fn reason(label: &str) -> Field {
    Field::textarea("reason", label).required()
}

fn time(name: &str, label: &str, context: &ActContext) -> Field {
    Field::new(name, label, Input::DateTime)
        .hint(format!("In {}.", zone(context)))
        .half()
}

fn zone(context: &ActContext) -> &str {
    if context.zone.is_empty() { "UTC" } else { &context.zone }
}

/// The planned start, beside which lead times are shown while a date is picked.
fn start(context: &ActContext) -> Field {
    let field = time("planned_start", "Start", context);
    if context.earliest_start.is_empty() {
        return field;
    }
    field.hint(format!(
        "In {}. It can start at {} at the earliest.",
        zone(context),
        context.earliest_start
    ))
}

/// A choice among the open targets; one alone needs no choice.
fn target(context: &ActContext, all: &str) -> Field {
    if context.targets.len() < 2 {
        return Field::hidden("target", "");
    }
    let choices = std::iter::once(Choice::new("", all))
        .chain(
            context
                .targets
                .iter()
                .map(|(id, words)| Choice::said(id.as_str(), words.as_str())),
        )
        .collect();
    Field::new("target", "For", Input::Select(choices))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::usual_sample::sample_context;
    use std::collections::BTreeSet;

    #[test]
    fn people_and_records_are_searched_for_and_are_plain_text_without_an_address() {
        let names = [
            "checker",
            "improvements_owner",
            "incidents",
            "incident",
            "assignee",
            "to",
        ];
        let fields = |context: &ActContext| {
            let forms = Act::ALL.iter().map(|act| act.form(context));
            let fields = forms
                .flat_map(|form| form.fields)
                .filter(|field| names.contains(&field.name.as_str()));
            fields.collect::<Vec<Field>>()
        };
        let searched = fields(&sample_context());
        assert_eq!(searched.len(), names.len());
        let is_searched =
            |field: &Field| matches!(&field.input, Input::Pick(url) if url.starts_with("/t/halden/picks/"));
        assert!(searched.iter().all(is_searched));
        assert!(
            fields(&ActContext::default())
                .iter()
                .all(|field| field.input == Input::Text)
        );
    }

    #[test]
    fn every_act_has_a_form_of_its_own_below_the_change() {
        let context = sample_context();
        let forms: Vec<ActForm> = Act::ALL.iter().map(|act| act.form(&context)).collect();
        let ids: BTreeSet<&str> = forms.iter().map(|form| form.id.as_str()).collect();
        let labels: BTreeSet<&str> = forms.iter().map(|form| form.verb_label.as_str()).collect();
        assert_eq!((ids.len(), labels.len()), (Act::ALL.len(), Act::ALL.len()));
        assert!(
            forms
                .iter()
                .all(|form| form.action_url.starts_with("/t/halden/changes/CHG-1042/"))
        );
    }

    #[test]
    fn decisions_carry_the_digest_that_was_seen() {
        let context = sample_context();
        for act in [
            Act::Approve,
            Act::ApproveWithConditions,
            Act::Return,
            Act::Reject,
            Act::Abstain,
            Act::PeerReview,
        ] {
            let form = act.form(&context);
            let digest = form.fields.iter().find(|field| field.name == "content_digest");
            assert_eq!(
                digest.map(|field| field.value.as_str()),
                Some("sha256:9f2c03ab"),
                "{act:?}"
            );
        }
    }

    #[test]
    fn nobody_is_told_how_it_ended_unless_it_was_rolled_back() {
        let chosen = |context: &ActContext| {
            let form = Act::Complete.form(context);
            let outcome = form.fields.into_iter().find(|field| field.name == "outcome");
            outcome.map(|field| (field.value, field.required))
        };
        let mut context = sample_context();
        assert_eq!(chosen(&context), Some((String::new(), true)));
        context.is_rolled_back = true;
        assert_eq!(chosen(&context), Some(("rolled_back".to_owned(), true)));
    }

    #[test]
    fn one_target_needs_no_choice() {
        let mut context = sample_context();
        context.targets.truncate(1);
        let form = Act::Complete.form(&context);
        assert!(
            form.fields
                .iter()
                .any(|field| field.name == "target" && field.input == Input::Hidden)
        );
    }
}
