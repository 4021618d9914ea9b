//! The people whom a row names: those whom the model finds, without people who do not see the change and without those whom the
//! policies would refuse the act. The same predicate judges the act, so that the row and the refusal agree.

use jiff::Timestamp;

use crate::change::change_file::ChangeFile;
use crate::core::act::Act;
use crate::core::ids::PersonId;
use crate::core::refusal::Refusal;
use crate::core::unmet::Unmet;
use crate::directory::snapshot::Directory;

/// The most people of one row for whom the policies are evaluated; of more, at least one will be allowed.
const MOST_ASKED: usize = 100;

/// The rows without people whom the policies would refuse the satisfying act.
pub fn named(mut rows: Vec<Unmet>, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let judge = file.lets.judge();
    for row in &mut rows {
        let act = act_of(&row.code);
        let is_let = |person: &PersonId| match (judge, act) {
            (Some(judge), Some(act)) => judge(file, directory, person, act, now),
            _ => true,
        };
        let mut asked = 0;
        row.keep(|login| {
            asked += 1;
            let person = directory.by_login(login).map(|found| &found.id);
            person.is_none_or(|person| directory.sees(person, &file.change) && (asked > MOST_ASKED || is_let(person)))
        });
    }
    rows
}

/// The same in a refusal.
#[must_use]
pub fn named_in(refusal: Refusal, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Refusal {
    match refusal {
        Refusal::NotNow { code, text, unmet } => Refusal::NotNow {
            code,
            text,
            unmet: named(unmet, file, directory, now),
        },
        other => other,
    }
}

/// The act on the change that satisfies a row of this code, where the policies are evaluated for it. A person whom a rule
/// refuses gets no approval request; an assignee needs no rule for a task; a freeze and another change have acts of their own.
pub(crate) fn act_of(code: &str) -> Option<Act> {
    Some(match code {
        "field_missing" | "plan_missing" | "rollback_plan_missing" | "template_not_valid" | "no_emergency" => Act::Edit,
        "not_submitted" => Act::Submit,
        "not_assessed" | "dependencies_not_reviewed" | "reach_grown" | "security_questions_open" => Act::Assess,
        "not_planned" | "window_over" | "window_not_open" | "lead_time" => Act::Schedule,
        "on_hold" => Act::Resume,
        "peer_review_missing" => Act::PeerReview,
        "evidence_missing" => Act::AddEvidence,
        "checklist_open" | "probe_missing" => Act::TickChecklist,
        "task_missing" => Act::AddTask,
        "condition_open" => Act::MeetCondition,
        "outcome_missing" | "rollback_failed" | "undo_open" => Act::Complete,
        "validation_missing" => Act::Validate,
        "review_missing" | "incident_not_addressed" | "reach_not_reviewed" => Act::Review,
        "cosignature_missing" => Act::CosignBreakGlass,
        "break_glass_validation_missing" => Act::ValidateBreakGlass,
        "confirmation_missing" => Act::ConfirmRetrospective,
        "finding_missing" => Act::StateFinding,
        _ => return None,
    })
}
