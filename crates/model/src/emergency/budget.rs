//! The budget of break-glass: each opening counts against the quarterly budgets of its teams. A team over its budget can still
//! open break-glass at once, because an emergency is never blocked. Executives are notified then, and only a change manager
//! validates the opening.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::approval::authority::{self, candidates, is_fit};
use crate::approval::obligation::{ApprovalRule, Asked, Due, Duty, Obligation};
use crate::approval::separation_of_duties::is_barred_holder;
use crate::change::change_file::{Actor, Case, ChangeFile};
use crate::change::eligible::owners_of;
use crate::change::record::Change;
use crate::core::enums::{self, Covers, GroupKind, Kind, Level, Role};
use crate::core::ids::{PersonId, ServiceKey};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::ownership_matrix::Place;
use crate::directory::records::{Group, Service};
use crate::directory::snapshot::{Directory, last_people, logins};
use crate::emergency::records::{BreakGlass, Counted};

/// The number of days in which openings count.
pub const BUDGET_DAYS: i64 = 90;
/// The usual number of openings per team in that time; a policy can set another.
pub const USUAL_BUDGET: u32 = 3;
/// The usual time for validation after the end of break-glass, in minutes (a day); a policy can set another.
pub const USUAL_VALIDATION_MINUTES: i64 = 24 * 60;

/// The openings of each team in the last [`BUDGET_DAYS`]; a team that is not listed has none.
pub type Used = BTreeMap<String, i64>;

/// The teams whose budgets an opening of this change counts against: the teams of its services, and the team that the change
/// names if the directory has it. A service without a team has a budget of its own. A team name that is not in the directory
/// opens no new budget: the name counts only if the change names no known service. The list is never empty; it holds an empty
/// name if the change names no team.
pub fn teams_of(change: &Change, directory: &Directory) -> Vec<String> {
    let mut teams: BTreeSet<String> = teams_of_services(change, directory).into_values().collect();
    let own = change.content.team.as_deref().unwrap_or_default();
    if teams.is_empty() || team_group(own, directory).is_some() {
        teams.insert(canonical(own, directory));
    }
    teams.into_iter().collect()
}

/// The teams of the change's services, for the budget: a service without a team is its own team. Unknown services are left out.
pub fn teams_of_services(change: &Change, directory: &Directory) -> BTreeMap<ServiceKey, String> {
    let services = change.content.targets.iter();
    let services = services.filter_map(|target| directory.services.get(&target.service));
    let team = |service: &Service| match &service.team {
        Some(team) => canonical(team, directory),
        None => service.key.0.clone(),
    };
    services.map(|service| (service.key.clone(), team(service))).collect()
}

/// All spellings of a team that [`teams_of`] maps to this key.
pub fn spellings_of_team(team: &str, directory: &Directory) -> Vec<String> {
    let group = team_group(team, directory);
    let name = group.filter(|group| group.name != team).map(|group| group.name.clone());
    [Some(team.to_owned()), name].into_iter().flatten().collect()
}

/// The team's key if the directory has the team in any spelling; else the given name.
fn canonical(word: &str, directory: &Directory) -> String {
    team_group(word, directory).map_or_else(|| word.trim().to_owned(), |group| group.key.0.clone())
}

fn team_group<'a>(word: &str, directory: &'a Directory) -> Option<&'a Group> {
    let word = word.trim().to_lowercase();
    let is_meant = |group: &&Group| group.key.0.to_lowercase() == word || group.name.trim().to_lowercase() == word;
    let mut groups = directory
        .groups
        .values()
        .filter(|group| group.kind == GroupKind::Team && !group.removed);
    groups.find(is_meant)
}

/// Counts an opening that ends at `until`, for the team with the most openings.
pub(crate) fn count(file: &ChangeFile, directory: &Directory, used: &Used, until: Timestamp) -> Counted {
    let rules = file
        .requirements
        .obligations
        .iter()
        .filter_map(|row| match &row.obligation.duty {
            Duty::BreakGlass {
                budget,
                validate_within_minutes,
            } => Some((*budget, *validate_within_minutes)),
            _ => None,
        });
    let (budgets, times): (Vec<_>, Vec<_>) = rules.unzip();
    let budget = budgets.into_iter().flatten().min().unwrap_or(USUAL_BUDGET);
    let minutes = times.into_iter().flatten().min().unwrap_or(USUAL_VALIDATION_MINUTES);
    let uses = teams_of(&file.change, directory).into_iter().map(|team| {
        let before = used.get(&team).copied().unwrap_or_default();
        (before, team)
    });
    let (before, team) = uses.max().unwrap_or_default();
    Counted {
        team,
        number: before.saturating_add(1),
        budget: i64::from(budget),
        validate_by: until + SignedDuration::from_mins(minutes),
    }
}

/// The people concerned by an opening: the responsible people, owners and security of every target, and the implementers.
pub(crate) fn concerned(case: &Case<'_>) -> Vec<PersonId> {
    let (file, directory) = (&case.file, &case.directory);
    let mut people = case.people_in_charge();
    people.extend(owners_of(file, directory, case.now));
    let security = ApprovalRule::plain(Asked::Security, Covers::What);
    for target in &file.change.content.targets {
        let holders = authority::candidates(file, directory, &security.from, target, case.now);
        people.extend(holders.into_iter().map(|holder| holder.person));
        let leads = directory.holders_at(&Place::from(target), enums::OwnershipRole::TechnicalLead, case.now);
        people.extend(leads.into_iter().map(|holder| holder.person));
    }
    people.extend(file.change.content.implementers.iter().cloned());
    once_each(people)
}

/// Whether break-glass waits for its second signature and opens nothing yet.
pub fn waits_for_cosignature(change: &Change, now: Timestamp) -> bool {
    let waits = |glass: &BreakGlass| !glass.is_lawful() && !glass.ended && now < glass.until;
    change.state.is_before_start() && change.break_glass.as_ref().is_some_and(waits)
}

/// The people named by the rules who may also co-sign. A peer review without a group names nobody, though any peer may co-sign.
pub fn cosigners(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let mut people = Vec::new();
    let any_approver = any_approver_signs(file);
    for row in &file.requirements.obligations {
        match &row.obligation.duty {
            Duty::Approval(rule) if rule.dual_control || any_approver => {
                for target in &file.change.content.targets {
                    let holders = authority::candidates(file, directory, &rule.from, target, now);
                    people.extend(holders.into_iter().map(|holder| holder.person));
                }
            }
            Duty::PeerReview { from: Some(group), .. } if is_dual(&row.obligation) => {
                people.extend(directory.members(group));
            }
            _ => {}
        }
    }
    let opener = file.change.break_glass.as_ref().map(|glass| &glass.by);
    let mut people = once_each(people);
    people.retain(|person| Some(person) != opener && could_co_sign(file, directory, person, now));
    people
}

/// The missing co-signature of a break-glass, as an unmet condition.
pub fn cosignature_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let waits = waits_for_cosignature(&file.change, now);
    let glass = file.change.break_glass.as_ref().filter(|_| waits)?;
    let until = glass.until;
    let satisfy = match any_approver_signs(file) {
        true => format!("A person whom an approval rule could ask must co-sign before {until}."),
        false => format!("A person whom the dual-control or peer-review rule could ask must co-sign before {until}."),
    };
    Some(unmet(
        "cosignature_missing",
        "Break-glass is requested, but the gate stays closed until a second person co-signs.",
        satisfy,
        logins(directory, &cosigners(file, directory, now)),
    ))
}

/// The people to whom a spent budget is escalated.
fn above(case: &Case<'_>) -> Vec<PersonId> {
    let mut people = case.directory.with_role(Role::Executive);
    people.extend(last_people(&case.directory));
    once_each(people)
}

fn once_each(mut people: Vec<PersonId>) -> Vec<PersonId> {
    people.sort();
    people.dedup();
    people
}

/// The opener's manager, if the opener has one who may read the change.
fn manager_of_opener(case: &Case<'_>) -> Option<PersonId> {
    let opener = &case.change().break_glass.as_ref()?.by;
    let manager = case.directory.manager_of(case.directory.people.get(opener)?)?;
    case.directory.takes_part(&manager.id).then(|| manager.id.clone())
}

/// Notifies the executives and the opener's manager that a team is over its budget.
pub(crate) fn notify_over_budget(case: &mut Case<'_>, counted: &Counted) {
    let Counted {
        team, number, budget, ..
    } = counted;
    case.emit("break_glass.over_budget", json!({"number": number, "budget": budget}));
    let team = if team.is_empty() { "a team without a name" } else { team };
    let news = format!(
        "{} is break-glass number {number} of {team} within {BUDGET_DAYS} days; its budget is {budget}.",
        case.change().key
    );
    let mark = case.now.to_string();
    let mut readers = above(case);
    readers.extend(manager_of_opener(case));
    for person in once_each(readers) {
        let next = "A change manager validates it. Find out why the normal process does not work for this team.";
        case.write_to(&person, "break_glass_over_budget", &mark, news.clone(), next);
    }
}

/// Whether a rule requires two people, under break-glass too.
pub(crate) fn names_two(file: &ChangeFile) -> bool {
    let mut rows = file.requirements.obligations.iter();
    rows.any(|row| is_dual(&row.obligation))
}

/// Whether the change needs a second person because its risk is high. A standard change is exempt: two people approved its
/// template.
pub(crate) fn is_grave(change: &Change) -> bool {
    change.risk.level == Level::High && change.content.kind != Kind::Standard
}

/// Whether the credentials of the actor or opener were issued by another person, on a change of high risk or a sensitive
/// change. One person is not enough then.
pub(crate) fn is_lent(file: &ChangeFile, actor: &Actor) -> bool {
    file.hands.is_grave && (actor.hand().is_some() || file.hands.is_joined(&actor.person))
}

/// The same check for an opening that exists.
fn was_lent(file: &ChangeFile) -> bool {
    let glass = file.change.break_glass.as_ref();
    let lent = |glass: &BreakGlass| glass.handed_by.is_some() || file.hands.is_joined(&glass.by);
    file.hands.is_grave && glass.is_some_and(lent)
}

/// Whether every approver may co-sign: high risk needs two people, and no rule names them.
pub(crate) fn any_approver_signs(file: &ChangeFile) -> bool {
    (is_grave(&file.change) || was_lent(file)) && !names_two(file)
}

/// Whether an obligation requires two people, under break-glass too. A peer review after the work does not count.
pub(crate) fn is_dual(obligation: &Obligation) -> bool {
    match &obligation.duty {
        Duty::Approval(rule) => rule.dual_control,
        Duty::PeerReview { .. } => obligation.due != Due::Close,
        _ => false,
    }
}

/// Whether a rule of dual control or peer review fits this person, who may then co-sign. For high risk without such a rule, any
/// approval rule counts.
pub fn could_co_sign(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> bool {
    let any_approver = any_approver_signs(file);
    file.requirements
        .obligations
        .iter()
        .any(|row| match &row.obligation.duty {
            Duty::Approval(rule) if rule.dual_control || any_approver => {
                file.change.content.targets.iter().any(|target| {
                    candidates(file, directory, &rule.from, target, now)
                        .iter()
                        .filter(|holder| &holder.person == person)
                        // Dual control accepts neither a delegate alone nor a person without the required qualification.
                        .any(|holder| {
                            !is_barred_holder(file, rule, holder) && is_fit(directory, rule, &holder.person, now)
                        })
                })
            }
            Duty::PeerReview { from, .. } if is_dual(&row.obligation) => {
                authority::peer_counts(file, directory, person, from.as_ref())
            }
            _ => false,
        })
}
