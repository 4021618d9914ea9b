//! Authority to decide: the people who may approve for a rule, those whom the rule bars, and when an approval counts.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::approval::delegation::Passing;
use crate::approval::distinct_groups::Apart;
use crate::approval::obligation::{ApprovalRule, Asked, Duty, Party, TargetObligation};
use crate::approval::one_person;
use crate::approval::separation_of_duties::{
    are_unsure, has_conflict, is_barred, is_barred_holder, is_barred_holder_on, is_barred_on, keeps_apart,
};
use crate::cab::{meeting, quorum};
use crate::change::change_file::ChangeFile;
use crate::change::record::Target;
use crate::change::related_records::{Approval, CountedFor, Coverage};
use crate::core::enums::{EscalationStep, OwnershipRole, Role, State};
use crate::core::ids::{GroupKey, PersonId, RecordId, TargetId};
use crate::core::parse::later;
use crate::directory::basis::{Basis, Holder, Seen};
use crate::directory::impersonation::LinkedAccounts;
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::Directory;
use crate::integration::occurrence::SKEW;

/// A rule that needs a decision of a person, and the grounds on which that decision would count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRule {
    /// The rule.
    pub rule: ApprovalRule,
    /// The grounds on which a decision would count: one row for each ground of authority.
    pub counted: Vec<CountedFor>,
}

impl Directory {
    /// The trainings of a person that are valid now, in order.
    pub fn trainings_of(&self, person: &PersonId, now: Timestamp) -> Vec<String> {
        let rows = self.trainings.iter();
        let mut found: Vec<String> = rows
            .filter(|row| &row.person == person && row.is_on(now))
            .map(|row| row.training.clone())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a training of a person is valid now.
    pub fn is_trained(&self, person: &PersonId, subject: &str, now: Timestamp) -> bool {
        self.trainings
            .iter()
            .any(|row| &row.person == person && row.training == subject && row.is_on(now))
    }

    /// The next instant after `now` at which a training begins or ends.
    pub fn next_training_edge(&self, now: Timestamp) -> Option<Timestamp> {
        let edges = self.trainings.iter().flat_map(|row| [row.counts_from(), row.ends_at]);
        edges.filter(|at| *at > now).min()
    }
}

/// The rules that need a person's decision on the present content of the change, in any state of the change. Rules of a stage
/// that is not yet open need nobody.
pub fn rules_open_for(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> Vec<OpenRule> {
    let stage = open_stage(file, now);
    let mut found = Vec::new();
    for row in &file.requirements.obligations {
        let Duty::Approval(rule) = &row.obligation.duty else {
            continue;
        };
        if rule.stage > stage {
            continue;
        }
        let counted = counted_for(file, directory, row, rule, person, now);
        if !counted.is_empty() {
            found.push(OpenRule {
                rule: rule.clone(),
                counted,
            });
        }
    }
    found
}

fn counted_for(
    file: &ChangeFile,
    directory: &Directory,
    row: &TargetObligation,
    rule: &ApprovalRule,
    person: &PersonId,
    now: Timestamp,
) -> Vec<CountedFor> {
    let mut counted: Vec<CountedFor> = Vec::new();
    for target in targets_of(file, row) {
        let able = able(file, directory, (&row.obligation.id, rule), target, now);
        for holder in able.into_iter().filter(|holder| &holder.person == person) {
            let when = rule.covers.when() && !is_barred_holder_on(file, rule, &holder, false);
            if let Some(known) = counted.iter_mut().find(|known| known.basis == holder.basis) {
                known.targets.push(target.id.clone());
                continue;
            }
            counted.push(CountedFor {
                rule: row.obligation.id.clone(),
                asked: Some(rule.from.word()),
                targets: vec![target.id.clone()],
                why: holder.why,
                basis: holder.basis,
                what: rule.covers.what(),
                when,
                valid_until: rule
                    .valid_for_minutes
                    .map(|minutes| now + SignedDuration::from_mins(minutes)),
            });
        }
    }
    counted
}

/// The targets of a change to which an obligation applies.
pub fn targets_of<'a>(file: &'a ChangeFile, row: &'a TargetObligation) -> impl Iterator<Item = &'a Target> {
    let all = row.targets.len() == file.change.content.targets.len();
    file.change
        .content
        .targets
        .iter()
        .filter(move |target| all || row.targets.contains(&target.id))
}

/// The people who may decide for a rule on a target now: its approvers, their delegates, and the people added by an escalation;
/// never a person whom the rule bars. With distinct groups a member of several groups has one entry for each of them.
pub fn able(
    file: &ChangeFile,
    directory: &Directory,
    (rule_id, rule): (&str, &ApprovalRule),
    target: &Target,
    now: Timestamp,
) -> Vec<Holder> {
    let clock = file.change.clocks.iter().find(|clock| clock.rule == rule_id);
    let is_late = clock.is_some_and(|clock| clock.has_reached(EscalationStep::Deputies));
    let mut holders = first_approvers(file, directory, &rule.from, target, now);
    if let (Asked::Group(key), true, false) = (&rule.from, rule.on_call, is_late) {
        holders = quorum::keep_on_call(directory, key, holders, now);
    }
    if clock.is_some_and(|clock| clock.has_reached(EscalationStep::Line)) {
        for mut holder in line_above(directory, &rule.from, target, now) {
            if holders.iter().any(|known| known.person == holder.person) {
                continue;
            }
            holder.why = format!("escalated: {}", holder.why);
            holder.basis.escalated = true;
            holders.push(holder);
        }
    }
    let passing = Passing {
        asked: &rule.from,
        service: &target.service,
        now,
        is_late,
    };
    // A barred person cannot delegate.
    let is_let = |holder: &Holder| {
        let is_seen = directory.sees(&holder.person, &file.change);
        let may = is_seen && !file.requirements.refused.contains(&holder.person);
        may && is_fit(directory, rule, &holder.person, now)
    };
    holders.retain(|holder| !is_barred(file, rule, &holder.person) && is_let(holder));
    // A board's members vote themselves.
    if rule.dual_control || rule.quorum.is_some() || rule.from == Asked::Tester {
        return holders;
    }
    let mut found = directory.with_delegates(holders, passing);
    found.retain(|holder| !is_barred_holder(file, rule, holder) && is_let(holder));
    found
}

/// The people who may decide for a rule on a target, on *what* or on *when*: a person who set the planned times may not decide
/// on *when*, and neither may that person's delegates.
pub fn able_on(
    file: &ChangeFile,
    directory: &Directory,
    rule: (&str, &ApprovalRule),
    target: &Target,
    now: Timestamp,
    what: bool,
) -> Vec<Holder> {
    let mut found = able(file, directory, rule, target, now);
    found.retain(|holder| {
        !is_barred_holder_on(file, rule.1, holder, what)
            && one_person::may_still_count_for(file, &holder.person, holder.root())
    });
    found
}

/// Everybody who may decide for any rule on any target, each once.
pub fn all_able(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = Vec::new();
    for (row, rule) in approval_rules(file) {
        for target in targets_of(file, row) {
            for holder in able(file, directory, (&row.obligation.id, rule), target, now) {
                if !people.contains(&holder.person) {
                    people.push(holder.person);
                }
            }
        }
    }
    people
}

/// The people one line higher in the ownership matrix than a rule's approvers.
fn line_above(directory: &Directory, asked: &Asked, target: &Target, now: Timestamp) -> Vec<Holder> {
    let Some(role) = asked.ownership_role() else {
        return Vec::new();
    };
    directory.holders_above(&Place::from(target), role, now, 1)
}

/// The approvers of a rule on a target and their delegates; includes authors and other barred people.
pub fn candidates(
    file: &ChangeFile,
    directory: &Directory,
    asked: &Asked,
    target: &Target,
    now: Timestamp,
) -> Vec<Holder> {
    let passing = Passing {
        asked,
        service: &target.service,
        now,
        is_late: false,
    };
    directory.with_delegates(first_approvers(file, directory, asked, target, now), passing)
}

/// The approvers of a rule on a target, without their delegates.
fn first_approvers(
    file: &ChangeFile,
    directory: &Directory,
    asked: &Asked,
    target: &Target,
    now: Timestamp,
) -> Vec<Holder> {
    let owned = |role| directory.holders_at(&Place::from(target), role, now);
    match asked {
        Asked::Owner => owned(OwnershipRole::Owner),
        Asked::TechnicalLead => owned(OwnershipRole::TechnicalLead),
        Asked::Data => owned(OwnershipRole::Data),
        Asked::Security => {
            let holders = owned(OwnershipRole::Security);
            if holders.is_empty() {
                by_role_or_group(directory, Role::Security, "security")
            } else {
                holders
            }
        }
        Asked::ChangeManager => by_role_or_group(directory, Role::ChangeManager, "change-managers"),
        Asked::Tester => file
            .change
            .content
            .tester
            .iter()
            .map(|person| Holder {
                person: person.clone(),
                why: "named tester".to_owned(),
                basis: Basis {
                    named: true,
                    ..Basis::default()
                },
            })
            .collect(),
        Asked::Group(key) => members(directory, key),
        Asked::Groups(keys) => keys.iter().flat_map(|key| members(directory, key)).collect(),
    }
}

/// The members of a group, each with the group's version.
pub(crate) fn members(directory: &Directory, key: &GroupKey) -> Vec<Holder> {
    let version = directory.groups.get(key).map_or(0, |group| group.version);
    directory
        .members(key)
        .into_iter()
        .map(|person| Holder {
            person,
            why: format!("member of the group {key}"),
            basis: Basis {
                membership: Some(Seen {
                    id: key.0.clone(),
                    version,
                }),
                ..Basis::default()
            },
        })
        .collect()
}

fn by_role_or_group(directory: &Directory, role: Role, group: &str) -> Vec<Holder> {
    let name = role.as_str().replace('_', " ");
    let found: Vec<Holder> = directory
        .with_role(role)
        .into_iter()
        .map(|person| Holder {
            person,
            why: format!("has the role {name}"),
            basis: Basis {
                role: Some(role),
                ..Basis::default()
            },
        })
        .collect();
    if found.is_empty() {
        return members(directory, &GroupKey::from(group));
    }
    found
}

/// The rule that keeps its approvers apart from implementers and for which this person approved, directly or through a
/// delegate.
pub fn approved_apart<'a>(file: &'a ChangeFile, person: &PersonId) -> Option<&'a str> {
    let spoke = |rule_id: &str| {
        let said = file.standing().filter(|approval| approval.is_yes());
        said.flat_map(|approval| approval.counted_for.iter().map(move |row| (approval, row)))
            .filter(|(_, row)| row.rule == rule_id)
            .any(|(approval, row)| &approval.person == person || row.basis.delegators.contains(person))
    };
    approval_rules(file)
        .filter(|(_, rule)| rule.dual_control || rule.distinct_from.contains(&Party::Implementer))
        .map(|(row, _)| row.obligation.id.as_str())
        .find(|rule_id| spoke(rule_id))
}

/// The rows by which an approval counts for a rule on a target now: one, or of distinct groups one for each of its author's.
/// After an edit of the rule's approvers, approvals of the earlier approvers no longer count.
fn counting<'a>(
    approval: &'a Approval,
    (rule_id, rule): (&str, &ApprovalRule),
    target: &TargetId,
    now: Timestamp,
    what: bool,
) -> impl Iterator<Item = &'a CountedFor> {
    let part = if what { approval.what } else { approval.when };
    let stands = approval.is_yes() && part == Coverage::Standing;
    approval.counted_for.iter().filter(move |row| {
        stands
            && row.rule == rule_id
            && still_has_approvers(&rule.from, row)
            && row.targets.contains(target)
            && (if what { row.what } else { row.when })
            && row.valid_until.is_none_or(|until| now < until)
    })
}

/// Whether a rule still has the approvers that it had when a row was written.
fn still_has_approvers(asked: &Asked, row: &CountedFor) -> bool {
    let group = row.basis.membership.as_ref().map(|group| group.id.as_str());
    match asked {
        // With distinct groups the group of each person decides this, at the place where people are counted.
        Asked::Groups(_) => true,
        Asked::Group(key) if group == Some(key.as_str()) => true,
        _ => row.asked.as_deref().is_none_or(|then| then == asked.word()),
    }
}

/// The rights that approved a rule on a target: one right counts once, also where both its holder and a delegate approved.
pub fn approving_rights<'a>(
    file: &'a ChangeFile,
    (rule_id, rule): (&str, &ApprovalRule),
    target: &TargetId,
    now: Timestamp,
    what: bool,
) -> Yes<'a> {
    let mut yes = Yes {
        people: BTreeSet::new(),
        roots: BTreeSet::new(),
        apart: None,
        meeting: None,
        lacks_quorum: false,
        lacks_committers: keeps_apart(rule) && are_unsure(file),
        hands: &file.hands,
    };
    // With distinct groups, each group that the author was a member of when deciding is a ground of its own.
    let grounds = rule.from.distinct_groups().map_or(1, <[GroupKey]>::len);
    let spoken: Vec<(&Approval, &CountedFor)> = file
        .standing()
        .flat_map(|approval| {
            let right = one_person::right_of(file, approval);
            let rows = counting(approval, (rule_id, rule), target, now, what);
            let rows = rows.filter(move |row| one_person::root_of(approval, row) == right);
            rows.take(grounds).map(move |row| (approval, row))
        })
        .filter(|(approval, row)| {
            let barred = |person: &PersonId| is_barred_on(file, rule, person, what);
            let by_hand = (rule.dual_control || file.hands.is_grave) && approval.handed_by.as_ref().is_some_and(barred);
            let meeting = file
                .meetings
                .iter()
                .find(|it| approval.meeting.as_ref() == Some(&it.id));
            let sat = rule.quorum.is_none()
                || meeting.is_some_and(|meeting| quorum::was_in_quorum(file, rule, meeting, approval));
            !barred(&approval.person) && !by_hand && sat && !row.basis.delegators.iter().any(barred)
        })
        .collect();
    if rule.quorum.is_some() {
        let at = |id: &RecordId| spoken.iter().filter(|(it, _)| it.meeting.as_ref() == Some(id)).count();
        yes.meeting = quorum::meeting_that_counts(file, rule, at);
        yes.lacks_quorum = yes
            .meeting
            .is_none_or(|meeting| !quorum::has_quorum(file, rule, meeting));
    }
    let mut stands_for: Vec<(&PersonId, &str)> = Vec::new();
    for (approval, row) in spoken {
        if rule.quorum.is_some() && approval.meeting.as_ref() != yes.meeting.map(|meeting| &meeting.id) {
            continue;
        }
        yes.people.insert(&approval.person);
        let own = if rule.dual_control || file.hands.is_grave {
            approval.speaker()
        } else {
            &approval.person
        };
        let root = file.hands.root(row.basis.delegators.first().unwrap_or(own));
        yes.roots.insert(root);
        stands_for.extend(row.basis.membership.iter().map(|group| (root, group.id.as_str())));
    }
    yes.apart = rule.from.distinct_groups().map(|keys| {
        let is_asked = |(_, group): &(&PersonId, &str)| keys.iter().any(|key| key.as_str() == *group);
        Apart::of(stands_for.into_iter().filter(is_asked))
    });
    yes
}

/// Whether a rule is met on a target, on all that it covers.
pub fn is_met(file: &ChangeFile, (rule_id, rule): (&str, &ApprovalRule), target: &TargetId, now: Timestamp) -> bool {
    let said = |what: bool| approving_rights(file, (rule_id, rule), target, now, what).meets(rule);
    (!rule.covers.what() || said(true)) && (!rule.covers.when() || said(false))
}

/// The approvers that a rule still needs: with distinct groups only those groups for which one more person would count.
pub fn missing_source(file: &ChangeFile, row: &TargetObligation, rule: &ApprovalRule, now: Timestamp) -> Asked {
    match open_groups(file, row, rule, now) {
        Some(open) if !open.is_empty() => Asked::Groups(open),
        _ => rule.from.clone(),
    }
}

/// With distinct groups, the groups for which one more person would count.
pub(crate) fn open_groups(
    file: &ChangeFile,
    row: &TargetObligation,
    rule: &ApprovalRule,
    now: Timestamp,
) -> Option<Vec<GroupKey>> {
    let keys = rule.from.distinct_groups()?;
    let is_open = |key: &GroupKey| {
        let lacks = |target: &Target, what: bool| {
            let yes = approving_rights(file, (&row.obligation.id, rule), &target.id, now, what);
            !yes.meets(rule) && yes.takes(key.as_str())
        };
        targets_of(file, row)
            .any(|target| (rule.covers.what() && lacks(target, true)) || (rule.covers.when() && lacks(target, false)))
    };
    Some(keys.iter().filter(|key| is_open(key)).cloned().collect())
}

/// The largest number of people that a rule could count if all of these approved.
pub fn most_counted(rule: &ApprovalRule, holders: &[Holder]) -> usize {
    match rule.from.distinct_groups() {
        Some(_) => apart(holders).count(),
        None => holders.iter().map(Holder::root).collect::<BTreeSet<_>>().len(),
    }
}

/// Whether the absence of a single person could leave a rule with too few approvers.
pub fn hangs_on_one(rule: &ApprovalRule, holders: &[Holder]) -> bool {
    let needed = rule.count as usize;
    if rule.from.distinct_groups().is_none() {
        return most_counted(rule, holders) == needed;
    }
    let all = apart(holders);
    // A person who is not counted is not needed either: the count is the same without that person.
    all.count() >= needed && all.people().any(|person| all.without(person).count() < needed)
}

fn apart(holders: &[Holder]) -> Apart<'_> {
    Apart::of(
        holders
            .iter()
            .filter_map(|holder| Some((holder.root(), holder.group()?))),
    )
}

/// The people behind the yes of a rule.
pub struct Yes<'a> {
    /// The people who approved.
    pub people: BTreeSet<&'a PersonId>,
    /// The holders of the rights that they used.
    pub roots: BTreeSet<&'a PersonId>,
    /// The counted people and the group of each, for a rule of distinct groups.
    pub apart: Option<Apart<'a>>,
    /// The board meeting at which they approved, for a rule that needs a meeting.
    pub meeting: Option<&'a meeting::Meeting>,
    /// Whether too few of the board were there.
    pub lacks_quorum: bool,
    /// Whether some people that the approvers must be kept apart from are unknown.
    pub lacks_committers: bool,
    /// The accounts that count as one person.
    pub hands: &'a LinkedAccounts,
}

impl Yes<'_> {
    /// Whether these approvals meet the rule.
    pub fn meets(&self, rule: &ApprovalRule) -> bool {
        !self.lacks_quorum && !self.lacks_committers && self.count() >= rule.count as usize
    }

    /// The number of rights that approved; with distinct groups, the number of them that are counted.
    pub fn count(&self) -> usize {
        self.apart.as_ref().map_or(self.roots.len(), Apart::count)
    }

    /// Whether an approval of this holder would add to these.
    fn lacks(&self, holder: &Holder) -> bool {
        let has_spoken = self.people.contains(&holder.person) || self.roots.contains(self.hands.root(holder.root()));
        !has_spoken && holder.group().map_or(self.apart.is_none(), |group| self.takes(group))
    }

    /// Whether one more person of this group would count: always, unless the rule has distinct groups.
    pub fn takes(&self, group: &str) -> bool {
        self.apart.as_ref().is_none_or(|apart| apart.takes(group))
    }

    /// The holders whose approval would help: each of them alone adds to these approvals. With distinct groups two approvals
    /// may be needed together, where a right was used for one group and could be used for another; then the list holds
    /// everybody with a new ground.
    pub fn helping<'h>(&self, rule: &ApprovalRule, holders: &[&'h Holder]) -> Vec<&'h Holder> {
        let alone: Vec<&Holder> = holders.iter().copied().filter(|holder| self.lacks(holder)).collect();
        let Some(apart) = &self.apart else { return alone };
        if self.count_with(&alone) >= rule.count as usize {
            return alone;
        }
        let is_new = |holder: &&Holder| {
            let by_other = self.people.contains(&holder.person) && !self.roots.contains(self.hands.root(holder.root()));
            let is_known = holder.group().is_none_or(|group| apart.knows(holder.root(), group));
            !by_other && !is_known
        };
        holders.iter().copied().filter(is_new).collect()
    }

    /// The number of people that would be counted if these holders approved too.
    pub fn count_with(&self, holders: &[&Holder]) -> usize {
        match &self.apart {
            Some(apart) => {
                let rows = holders
                    .iter()
                    .filter_map(|holder| Some((holder.root(), holder.group()?)));
                apart.with(rows).count()
            }
            None => {
                let rights: BTreeSet<&PersonId> = holders.iter().map(|holder| self.hands.root(holder.root())).collect();
                self.count() + rights.len()
            }
        }
    }
}

/// The name of a rule's approvers in sentences.
pub fn approvers_name(asked: &Asked) -> String {
    match asked {
        Asked::Owner => "the service's owner".to_owned(),
        Asked::TechnicalLead => "the technical lead".to_owned(),
        Asked::Security => "security".to_owned(),
        Asked::Data => "the data owner".to_owned(),
        Asked::ChangeManager => "a change manager".to_owned(),
        Asked::Tester => "the tester".to_owned(),
        Asked::Group(key) => format!("the group {key}"),
        Asked::Groups(keys) => match keys.as_slice() {
            [key] => format!("the group {key}"),
            keys => {
                let keys: Vec<&str> = keys.iter().map(GroupKey::as_str).collect();
                format!("the groups {}", keys.join(", "))
            }
        },
    }
}

/// Whether this person's peer review counts.
pub fn peer_counts(file: &ChangeFile, directory: &Directory, person: &PersonId, from: Option<&GroupKey>) -> bool {
    // An implementer cannot review the work afterwards.
    let did = |person: &PersonId| file.change.implemented_by.contains(person);
    let worked = file.change.state >= State::Reviewing && file.hands.same(person).into_iter().any(did);
    !worked && counts_before(file, directory, person, from)
}

/// Whether enough peers had reviewed a change before its work began; what they did afterwards does not invalidate their review.
pub(crate) fn was_read(file: &ChangeFile, directory: &Directory, (count, from): (u32, Option<&GroupKey>)) -> bool {
    let began = file.change.seen_work.earliest(file.change.actual_start);
    let good = file.agreeing_peers().filter(|review| {
        // The start may have been reported by another system, whose clock may be behind this one.
        let is_before = began.is_some_and(|began| review.at <= later(began, SKEW));
        is_before && counts_before(file, directory, &review.person, from)
    });
    good.count() >= count as usize
}

fn counts_before(file: &ChangeFile, directory: &Directory, person: &PersonId, from: Option<&GroupKey>) -> bool {
    let wrote = file.wrote(person) || (file.hands.is_grave && file.wrote_by_hand(person)) || has_conflict(file, person);
    let belongs = from.is_none_or(|key| directory.members(key).contains(person));
    !wrote && !file.approves(person) && belongs
}

/// The approval rules that are not yet met, on *what* or on *when*.
pub(crate) fn open_rules(file: &ChangeFile, now: Timestamp) -> BTreeSet<String> {
    approval_rules(file)
        .filter(|(row, rule)| is_open(file, row, rule, now))
        .map(|(row, _)| row.obligation.id.clone())
        .collect()
}

/// The rules of approval with their obligations.
pub(crate) fn approval_rules(file: &ChangeFile) -> impl Iterator<Item = (&TargetObligation, &ApprovalRule)> {
    file.requirements
        .obligations
        .iter()
        .filter_map(|row| match &row.obligation.duty {
            Duty::Approval(rule) => Some((row, rule)),
            _ => None,
        })
}

/// Whether a rule still lacks an approval.
pub(crate) fn is_open(file: &ChangeFile, row: &TargetObligation, rule: &ApprovalRule, now: Timestamp) -> bool {
    let lacks = |what: bool| {
        targets_of(file, row)
            .any(|target| !approving_rights(file, (&row.obligation.id, rule), &target.id, now, what).meets(rule))
    };
    (rule.covers.what() && lacks(true)) || (rule.covers.when() && lacks(false))
}

/// The highest stage whose people may decide: the stage of the first open rule.
pub(crate) fn open_stage(file: &ChangeFile, now: Timestamp) -> u32 {
    let last = approval_rules(file).map(|(_, rule)| rule.stage).max().unwrap_or(1);
    if last == 1 {
        return last;
    }
    approval_rules(file)
        .filter(|(row, rule)| is_open(file, row, rule, now))
        .map(|(_, rule)| rule.stage)
        .min()
        .unwrap_or(last)
}

/// Whether a person has the job function and the valid training that a rule requires.
pub fn is_fit(directory: &Directory, rule: &ApprovalRule, person: &PersonId, now: Timestamp) -> bool {
    let found = directory.people.get(person);
    let has_function = |needed: &String| found.is_some_and(|found| found.functions.contains(needed));
    rule.function.as_ref().is_none_or(has_function)
        && rule
            .training
            .as_ref()
            .is_none_or(|subject| directory.is_trained(person, subject, now))
}
