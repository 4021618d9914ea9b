//! The unmet duties from policies: approvals, evidence, peer reviews, checklists, tasks.

pub mod communication;
pub(crate) mod evidence;
pub mod items;
pub mod undo;

use jiff::{SignedDuration, Timestamp};

use crate::approval::approvals::{self, approval_unmet};
use crate::approval::authority::peer_counts;
use crate::approval::obligation::{Duty, Obligation, TargetObligation};
use crate::change::change_file::ChangeFile;
use crate::change::duties::communication::{Wanted, communication_unmet};
use crate::change::duties::evidence::{Bad, EvidenceRule, Why};
use crate::change::duties::items::{Item, item_unmet};
use crate::change::record::Target;
use crate::change::{content, eligible};
use crate::core::enums::{Aspect, TaskKind, TaskState};
use crate::core::ids::{GroupKey, PersonId};
use crate::core::unmet::{Unmet, sentence, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::emergency::outside_look::OutsideLook;
use crate::risk::effective::unaccepted;
use crate::risk::security_questions;

/// The other way than to add evidence, where some failed.
const ACCEPTED: &str = "Or an approver who neither wrote the change nor added the evidence accepts the failed \
    evidence with a reason (POST …/evidence/ID/acceptance).";

impl Directory {
    /// The last look of a group.
    pub fn last_look(&self, group: &GroupKey) -> Option<&OutsideLook> {
        self.outside_looks
            .iter()
            .filter(|look| &look.group == group)
            .max_by_key(|look| look.at)
    }
}

/// A duty other than an approval, judged.
pub(crate) fn duty_unmet(
    file: &ChangeFile,
    directory: &Directory,
    row: &TargetObligation,
    now: Timestamp,
) -> Vec<Unmet> {
    match &row.obligation.duty {
        Duty::Evidence { aspect, environment } => {
            evidence_unmet((file, directory, now), row, *aspect, environment.as_deref())
        }
        Duty::PeerReview { count, from } => {
            let mut rows = approvals::committers_unmet(file, directory, &row.obligation.id);
            rows.extend(peer_review_unmet(
                file,
                directory,
                &row.obligation,
                *count,
                from.as_ref(),
            ));
            rows
        }
        Duty::Checklist { .. } => checklist_unmet(file, directory, row),
        Duty::Item { .. } => {
            let lacks = Item::of(row).and_then(|item| item_unmet(file, directory, &item, now));
            lacks.into_iter().collect()
        }
        Duty::SecurityAnswers {} => unmet_questions(file, directory, row).into_iter().collect(),
        Duty::Task { kind, title, .. } => {
            let found = task_duty_unmet((file, directory), row, *kind, title);
            found.into_iter().collect()
        }
        Duty::Approval(rule) => approval_unmet(file, directory, row, rule, now, true),
        Duty::OutsideLook { from, within_minutes } => {
            let look = look_unmet(directory, row, (from, *within_minutes), now);
            look.into_iter().collect()
        }
        Duty::Communication {
            announced_minutes,
            acknowledged,
            ready_from,
        } => {
            let wanted = Wanted {
                announced_minutes: *announced_minutes,
                acknowledged: *acknowledged,
                ready_from: ready_from.as_ref(),
            };
            communication_unmet((file, directory, now), row, wanted)
        }
        Duty::Validation { .. }
        | Duty::Review {}
        | Duty::LeadTime { .. }
        | Duty::BreakGlass { .. }
        | Duty::Emergency { .. }
        | Duty::Permit { .. } => Vec::new(),
    }
}

fn evidence_unmet(
    (file, directory, now): (&ChangeFile, &Directory, Timestamp),
    row: &TargetObligation,
    aspect: Aspect,
    environment: Option<&str>,
) -> Vec<Unmet> {
    let change = &file.change;
    let plan = content::plan_digest(&change.content);
    let asks = EvidenceRule {
        aspect,
        environment,
        plan: &plan,
    };
    // Evidence belongs to a build at any destination, so targets of the same build lack it once.
    let mut lacking: Vec<(&str, Vec<&Target>)> = Vec::new();
    for target in change
        .content
        .targets
        .iter()
        .filter(|target| row.targets.contains(&target.id) && !evidence::shown(file, target, asks).is_enough())
    {
        let bound = bound_to(target);
        match lacking.iter_mut().find(|(known, _)| *known == bound) {
            Some((_, targets)) => targets.push(target),
            None => lacking.push((bound, vec![target])),
        }
    }
    let place = environment.map(|name| format!(" from {name}")).unwrap_or_default();
    let witnesses = logins(directory, &eligible::witnesses(file, directory, now));
    let one = |(bound, targets): (&str, Vec<&Target>)| {
        let shown = evidence::shown(file, targets[0], asks);
        let against: String = shown.bad.iter().take(MOST_NAMED).map(objection_text).collect();
        let mut satisfy = format!(
            "Add passed evidence of the aspect `{aspect}`{place} (rule `{}`).",
            row.obligation.id
        );
        if !shown.bad.is_empty() {
            // A reader at night must see that a known failure need not be repaired first.
            satisfy.push(' ');
            satisfy.push_str(ACCEPTED);
        }
        unmet(
            "evidence_missing",
            format!(
                "Passed {aspect} evidence{place} is missing for {bound} ({}).{against}",
                services_of(&targets)
            ),
            satisfy,
            witnesses.clone(),
        )
    };
    lacking.into_iter().map(one).collect()
}

/// How many results that are against it a row names.
const MOST_NAMED: usize = 3;

/// The objection to it, in one sentence.
fn objection_text(bad: &Bad<'_>) -> String {
    let name = &bad.evidence.name;
    match bad.why {
        Why::Failed => format!(" The newest evidence named `{name}` failed."),
        Why::Unknown => format!(" The newest evidence named `{name}` cannot be judged."),
        Why::New(1) => format!(" The evidence named `{name}` has one finding that the running build has not."),
        Why::New(count) => format!(" The evidence named `{name}` has {count} findings that the running build has not."),
        Why::NothingToCompare => {
            format!(" The findings in `{name}` cannot be compared: the running build has no such report.")
        }
    }
}

/// The name of the thing to which evidence about a target is bound.
fn bound_to(target: &Target) -> &str {
    let build = target.artifact.as_deref().or(target.commit.as_deref());
    build.unwrap_or("the present plan")
}

/// The services of targets, each once.
fn services_of(targets: &[&Target]) -> String {
    let mut services: Vec<&str> = Vec::new();
    for target in targets {
        if !services.contains(&target.service.0.as_str()) {
            services.push(&target.service.0);
        }
    }
    services.join(", ")
}

/// Peers who may review: in the group if one is named, and neither author nor approver.
fn peer_review_unmet(
    file: &ChangeFile,
    directory: &Directory,
    obligation: &Obligation,
    count: u32,
    from: Option<&GroupKey>,
) -> Option<Unmet> {
    let good: Vec<&PersonId> = file
        .agreeing_peers()
        .filter(|review| peer_counts(file, directory, &review.person, from))
        .map(|review| &review.person)
        .collect();
    if good.len() >= count as usize {
        return None;
    }
    let people: Vec<PersonId> = match from {
        Some(key) => directory.members(key),
        None => eligible::peers(directory),
    };
    let waiting: Vec<PersonId> = people
        .into_iter()
        .filter(|person| peer_counts(file, directory, person, from) && !good.contains(&person))
        .collect();
    let who = from.map(|key| format!(" from the group {key}")).unwrap_or_default();
    // A person who approved after their review is named here, since the review itself is still in force in the record.
    let lost: Vec<PersonId> = file
        .agreeing_peers()
        .filter(|review| !peer_counts(file, directory, &review.person, from) && file.approves(&review.person))
        .map(|review| review.person.clone())
        .collect();
    let lost = match logins(directory, &lost).as_slice() {
        [] => String::new(),
        names => format!(
            " The review by {} no longer counts, because they approve the change.",
            names.join(", ")
        ),
    };
    Some(unmet(
        "peer_review_missing",
        format!(
            "{} {} of {count} peer reviews are complete.{lost}",
            sentence(&obligation.reason),
            good.len()
        ),
        format!(
            "A peer{who} who neither wrote nor approves the change must review it and agree (rule `{}`).",
            obligation.id
        ),
        logins(directory, &waiting),
    ))
}

fn checklist_unmet(file: &ChangeFile, directory: &Directory, row: &TargetObligation) -> Vec<Unmet> {
    let Duty::Checklist { items } = &row.obligation.duty else {
        return Vec::new();
    };
    items
        .iter()
        .filter(|item| {
            !file
                .checklist
                .iter()
                .any(|c| c.rule == row.obligation.id && &c.title == *item && c.done.is_some())
        })
        .map(|item| {
            unmet(
                "checklist_open",
                format!("Not ticked: {item}"),
                format!("Tick it (rule `{}`).", row.obligation.id),
                logins(directory, &eligible::writers(&file.change, directory)),
            )
        })
        .collect()
}

/// The security questions that the change raises and leaves open.
fn unmet_questions(file: &ChangeFile, directory: &Directory, row: &TargetObligation) -> Option<Unmet> {
    let touches = unaccepted(&file.change, directory).touches;
    let open = security_questions::open(&file.change.content, &touches);
    let first = open.first()?;
    let words: Vec<&str> = open.iter().map(|question| question.asked()).collect();
    Some(unmet(
        "security_questions_open",
        format!("Security questions are open: {}", words.join(" ")),
        format!(
            "Answer `{first}` and the other questions in the assessment (security_answers; rule `{}`).",
            row.obligation.id
        ),
        logins(directory, &eligible::writers(&file.change, directory)),
    ))
}

fn task_duty_unmet(
    (file, directory): (&ChangeFile, &Directory),
    row: &TargetObligation,
    kind: TaskKind,
    title: &str,
) -> Option<Unmet> {
    let done = file
        .tasks
        .iter()
        .any(|task| task.kind == kind && task.title == title && task.state == TaskState::Done);
    (!done).then(|| {
        unmet(
            "task_missing",
            format!("The task “{title}” is not done."),
            format!(
                "Add the {kind} task “{title}” and finish it (rule `{}`).",
                row.obligation.id
            ),
            logins(directory, &eligible::writers(&file.change, directory)),
        )
    })
}

/// Until when the last look of a group is fresh enough.
pub(crate) fn fresh_until(directory: &Directory, group: &GroupKey, minutes: i64) -> Option<Timestamp> {
    directory
        .last_look(group)
        .map(|look| look.at + SignedDuration::from_mins(minutes))
}

/// The unmet row when the required group has not looked at the team's changes for too long.
pub(crate) fn look_unmet(
    directory: &Directory,
    row: &TargetObligation,
    (group, minutes): (&GroupKey, i64),
    now: Timestamp,
) -> Option<Unmet> {
    let fresh = fresh_until(directory, group, minutes);
    if fresh.is_some_and(|until| now < until) {
        return None;
    }
    let since = directory
        .last_look(group)
        .map_or_else(|| "never".to_owned(), |look| look.at.to_string());
    Some(unmet(
        "outside_look_missing",
        format!("{} Last time: {since}.", sentence(&row.obligation.reason)),
        format!(
            "A member of the group {group} must review the team's changes (POST /outside-looks; rule `{}`).",
            row.obligation.id
        ),
        logins(directory, &directory.members(group)),
    ))
}

/// When the looks end on which a change rests, and when its evidence grows too old.
pub(crate) fn ends<'a>(file: &'a ChangeFile, directory: &'a Directory) -> impl Iterator<Item = Timestamp> + 'a {
    let rows = file.requirements.obligations.iter();
    let looks = rows.filter_map(|row| match &row.obligation.duty {
        Duty::OutsideLook { from, within_minutes } => fresh_until(directory, from, *within_minutes),
        _ => None,
    });
    looks.chain(items::ends(file))
}
