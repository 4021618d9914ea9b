//! An obligation as text, in the form of the rows of `requires` and `explain`.

use model::approval::obligation::{ApprovalRule, Asked, Duty, ItemCheck, Obligation, Party};
use model::schedule::calendar::Span;

use crate::values::{due_name, party_name, source_name};

/// The kind, then every annotation that holds, separated by commas: `approval, from owner, count 1, covers what`.
pub fn obligation_text(obligation: &Obligation) -> String {
    let due = format!("due {}", due_name(obligation.due));
    match &obligation.duty {
        Duty::Approval(rule) => approval(rule),
        Duty::Evidence { aspect, environment } => {
            let environment = environment.as_ref().map(|key| format!("environment {key}"));
            joined([Some(format!("evidence, aspect {aspect}")), environment, Some(due)])
        }
        Duty::PeerReview { count, from } => {
            let from = from.as_ref().map(|group| format!("from {group}"));
            joined([Some(format!("peer_review, count {count}")), from, Some(due)])
        }
        Duty::Checklist { items } => format!("checklist, items {}, {due}", items.join("; ")),
        Duty::Item { title, check, owner } => joined([
            Some(format!("item {title}, check {}", check.kind())),
            item(check),
            Some(format!("owner {}", source_name(owner))),
            Some(due),
        ]),
        Duty::SecurityAnswers {} => format!("security_answers, {due}"),
        Duty::Task { kind, title, watched } => joined([
            Some(format!("task, kind {kind}, title {title}")),
            watched.then(|| "watched".to_owned()),
        ]),
        Duty::Validation { distinct_from, from } => {
            let from = from.as_ref().map(|asked| format!("from {}", source_name(asked)));
            joined([Some("validation".to_owned()), from, distinct(distinct_from)])
        }
        Duty::Review {} => "review".to_owned(),
        Duty::LeadTime { span: lead, fields } => joined([
            Some(format!("lead_time {}", span(*lead))),
            (!fields.is_empty()).then(|| format!("fields {}", fields.join("+"))),
        ]),
        Duty::OutsideLook { from, within_minutes } => {
            format!("outside_look, from {from}, within {}", duration(*within_minutes))
        }
        Duty::Communication {
            announced_minutes,
            acknowledged,
            ready_from,
        } => communication(*announced_minutes, *acknowledged, ready_from.as_ref()),
        Duty::BreakGlass {
            budget,
            validate_within_minutes,
        } => joined([
            Some("break_glass".to_owned()),
            budget.map(|budget| format!("budget {budget}")),
            validate_within_minutes.map(|minutes| format!("validate_within {}", duration(minutes))),
        ]),
        Duty::Emergency {
            resolved_within_minutes,
            start_within_minutes,
        } => joined([
            Some("emergency".to_owned()),
            resolved_within_minutes.map(|minutes| format!("resolved_within {}", duration(minutes))),
            start_within_minutes.map(|minutes| format!("start_within {}", duration(minutes))),
        ]),
        Duty::Permit {
            minutes,
            ahead,
            max_list_age_seconds,
        } => joined([
            Some("permit".to_owned()),
            minutes.map(|minutes| format!("minutes {minutes}")),
            ahead.then(|| "ahead".to_owned()),
            max_list_age_seconds.map(|seconds| format!("max_list_age {}", duration(seconds / 60))),
        ]),
    }
}

fn communication(announced_minutes: Option<i64>, acknowledged: bool, ready_from: Option<&Asked>) -> String {
    joined([
        Some("communication".to_owned()),
        announced_minutes.map(|minutes| format!("announced_before {}", duration(minutes))),
        acknowledged.then(|| "acknowledged".to_owned()),
        ready_from.map(|asked| format!("ready_from {}", source_name(asked))),
    ])
}

/// The condition of an item's check; `None` if there is none.
fn item(check: &ItemCheck) -> Option<String> {
    let age = |minutes: i64| format!("max_age {}", duration(minutes));
    match check {
        ItemCheck::Manual { distinct_from } => distinct(distinct_from),
        ItemCheck::Evidence {
            aspect,
            environment,
            max_age_minutes,
            distinct_from,
            probe,
        } => Some(joined([
            Some(format!("aspect {aspect}")),
            probe.as_ref().map(|key| format!("probe {key}")),
            environment.as_ref().map(|key| format!("environment {key}")),
            max_age_minutes.map(age),
            distinct(distinct_from),
        ])),
        ItemCheck::Probe { probe, max_age_minutes } => Some(format!("probe {probe}, {}", age(*max_age_minutes))),
    }
}

fn approval(rule: &ApprovalRule) -> String {
    joined([
        Some(format!(
            "approval, from {}, count {}, covers {}",
            source_name(&rule.from),
            rule.count,
            rule.covers
        )),
        distinct(&rule.distinct_from),
        rule.from.distinct_groups().map(|_| "distinct_groups".to_owned()),
        rule.valid_for_minutes
            .map(|minutes| format!("valid_for {}", duration(minutes))),
        rule.lead_time.map(|lead| format!("lead_time {}", span(lead))),
        (!rule.lead_time_fields.is_empty()).then(|| format!("fields {}", rule.lead_time_fields.join("+"))),
        (rule.step_up && !rule.second_factor).then(|| "step_up".to_owned()),
        rule.second_factor.then(|| "step_up second_factor".to_owned()),
        rule.ack_sla.map(|sla| format!("ack_sla {}", span(sla))),
        rule.decide_sla.map(|sla| format!("decide_sla {}", span(sla))),
        rule.escalate.as_ref().map(|group| format!("escalate {group}")),
        (rule.stage > 1).then(|| format!("stage {}", rule.stage)),
        rule.dual_control.then(|| "dual_control".to_owned()),
        rule.quorum.map(|quorum| format!("quorum {quorum}")),
        rule.on_call.then(|| "on_call".to_owned()),
        rule.function.as_ref().map(|word| format!("function {word}")),
        rule.training.as_ref().map(|word| format!("training {word}")),
        rule.while_active.then(|| "while_active".to_owned()),
    ])
}

fn distinct(parties: &[Party]) -> Option<String> {
    let words: Vec<&str> = parties.iter().map(|party| party_name(*party)).collect();
    (!words.is_empty()).then(|| format!("distinct_from {}", words.join("+")))
}

fn joined<const N: usize>(words: [Option<String>; N]) -> String {
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A clock's span in the spelling of an annotation.
fn span(span: Span) -> String {
    match span {
        Span::Minutes(minutes) => duration(minutes),
        Span::WorkMinutes(minutes) => format!("{}bh", minutes / 60),
        Span::WorkDays(days) => format!("{days}bd"),
    }
}

/// Minutes in the spelling of an annotation, in the largest unit that fits.
pub(crate) fn duration(minutes: i64) -> String {
    match minutes {
        m if m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::approval::obligation::Due;

    #[test]
    fn durations_read_back_as_they_were_written() {
        for (minutes, text) in [(43_200, "30d"), (240, "4h"), (90, "90m"), (1, "1m")] {
            assert_eq!(duration(minutes), text);
            assert_eq!(crate::values::duration(text), Ok(minutes));
        }
    }

    #[test]
    fn a_permit_tells_what_it_grants() {
        let duty = Duty::Permit {
            minutes: Some(30),
            ahead: true,
            max_list_age_seconds: Some(86_400),
        };
        let obligation = Obligation {
            id: "p.x".to_owned(),
            reason: "Why.".to_owned(),
            due: Due::Start,
            duty,
        };
        assert_eq!(
            obligation_text(&obligation),
            "permit, minutes 30, ahead, max_list_age 1d"
        );
    }
}
