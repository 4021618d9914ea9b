//! Communications: one record for each notice of a stage of a change to one recipient; and the stages that are due.

use std::collections::{BTreeMap, BTreeSet};

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::affected::affected;
use crate::change::record::Change;
use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::{Audience, CommunicationStage, LetterLanguage, NodeKind, Outcome, OwnershipRole, State};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::directory::snapshot::Directory;
use crate::notify::business_unit::BusinessUnit;
use crate::notify::communication_plan::CommunicationPlan;
use crate::notify::customer_list::CustomerList;
use crate::verbs;

/// The most recipients of one stage of a change by one plan.
pub const MOST_RECIPIENTS: usize = 5_000;
/// A notice counts as late this many minutes after its stage.
const LATE_MINUTES: i64 = 15;

/// What somebody was told of a change at one of its stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Communication {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What makes it one: change, stage, announced start and recipient, with a number where a start that moved away and back is
    /// announced again. There is one record for each.
    #[card(column, most = 700)]
    pub natural_key: String,
    /// The change.
    #[card(column)]
    pub change_key: String,
    /// The key of the plan.
    pub plan: String,
    /// The stage.
    #[card(words)]
    pub stage: CommunicationStage,
    /// Who was told: a login. Absent where a mail address was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The key of the business unit through which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_unit: Option<String>,
    /// The key of the customers' list through which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_list: Option<String>,
    /// The mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub mail_address: Option<String>,
    /// The language.
    #[card(words)]
    pub language: LetterLanguage,
    /// When it was sent.
    pub at: Timestamp,
    /// When the stage came, where it was told more than 15 minutes afterwards; the letter says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
    /// Of a letter to a mail address: kept, mailed or failed. Messages to people have their own delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// When a mail server reported that it gave up on the letter: its address could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub undeliverable_at: Option<Timestamp>,
    /// The status code of that report (RFC 3463), such as 5.1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeliverable_status: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    columns: &[
        "change_key",
        "stage",
        "plan",
        "person",
        "business_unit",
        "customer_list",
        "at",
        "undeliverable_at",
    ],
    verbs: verbs! {
        List "list_communications" at "/communications" may "set_freeze | audit" => "List the notifications about changes, with their recipients";
        Show "show_communication" at "/communications/{id}" may "set_freeze | audit" => "Show a communication";
    },
    events: &[Event::new("communication.sent", "bell", "notified people of a change")],
    ..Card::of::<Communication, NoInput>("communication", "Communications")
};

/// The recipient of a communication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The person; `None` for a mail address.
    pub person: Option<PersonId>,
    /// The mail address; `None` for a person.
    pub mail_address: Option<String>,
    /// The business unit through which the recipient was found.
    pub business_unit: Option<String>,
    /// The customer list through which the recipient was found.
    pub customer_list: Option<String>,
    /// The language.
    pub language: LetterLanguage,
    /// Whether an acknowledgement is requested: from owners and contacts, not from watchers and addresses.
    pub is_asked: bool,
}

/// A stage that a change is in, with the planned start where that is the news. Nothing is due while a change is on hold.
#[must_use]
pub fn stage_of(change: &Change) -> Option<(CommunicationStage, Option<Timestamp>)> {
    match change.state {
        State::Scheduled if change.hold.is_none() => {
            let start = change.planned_start?;
            Some((CommunicationStage::Announced, Some(start)))
        }
        State::Implementing => Some((CommunicationStage::Started, None)),
        State::Reviewing | State::Closed => Some((ended(change.outcome?), None)),
        State::Cancelled | State::Rejected => Some((CommunicationStage::Cancelled, None)),
        _ => None,
    }
}

fn ended(outcome: Outcome) -> CommunicationStage {
    match outcome {
        Outcome::Succeeded | Outcome::SucceededWithIssues => CommunicationStage::Finished,
        Outcome::RolledBack => CommunicationStage::RolledBack,
        Outcome::PartiallyImplemented | Outcome::RollbackFailed | Outcome::Failed | Outcome::NotImplemented => {
            CommunicationStage::Failed
        }
    }
}

/// The stages of a change that a plan announces now, in their order.
#[must_use]
pub fn due(plan: &CommunicationPlan, change: &Change, now: Timestamp) -> Vec<(CommunicationStage, Option<Timestamp>)> {
    let Some((stage, start)) = stage_of(change).filter(|_| plan.covers(change)) else {
        return Vec::new();
    };
    if start.is_some_and(|start| start <= now) {
        return Vec::new();
    }
    let mut found = vec![(stage, start)];
    if remind_at(plan, change).is_some_and(|at| at <= now) {
        found.push((CommunicationStage::Reminder, start));
    }
    found.retain(|(stage, _)| plan.stages.contains(stage));
    found
}

/// Whether a plan still announces the start of a change's work although that work has ended since.
#[must_use]
pub fn announces_start_late(plan: &CommunicationPlan, change: &Change) -> bool {
    plan.covers(change)
        && plan.stages.contains(&CommunicationStage::Started)
        && matches!(change.state, State::Reviewing | State::Closed)
        && change.actual_start.is_some()
}

/// The time of a stage whose notice is late, for the letter. A notice of the start is late too once the work has ended. `None`
/// in time.
#[must_use]
pub fn late_since(change: &Change, stage: CommunicationStage, now: Timestamp) -> Option<Timestamp> {
    use CommunicationStage as S;
    let (at, is_over) = match stage {
        S::Announced | S::Reminder | S::Cancelled => return None,
        S::Started => (change.actual_start?, change.state != State::Implementing),
        S::Finished | S::Failed | S::RolledBack => (change.actual_end?, false),
    };
    (is_over || at + SignedDuration::from_mins(LATE_MINUTES) < now).then_some(at)
}

/// The time at which a plan reminds of an announced change.
#[must_use]
pub fn remind_at(plan: &CommunicationPlan, change: &Change) -> Option<Timestamp> {
    let (_, start) = stage_of(change).filter(|_| plan.covers(change))?;
    reminder_of(plan, start?)
}

/// The time at which a plan reminds of a start.
#[must_use]
pub fn reminder_of(plan: &CommunicationPlan, start: Timestamp) -> Option<Timestamp> {
    let minutes = plan
        .reminder_minutes
        .filter(|_| plan.stages.contains(&CommunicationStage::Reminder))?;
    Some(start - SignedDuration::from_mins(minutes))
}

/// The planned start of a change if it is too late for an advance notice. `None` before the start, for a change on hold, and
/// for one that will not start.
#[must_use]
pub fn start_behind(change: &Change, now: Timestamp) -> Option<Timestamp> {
    let (stage, _) = stage_of(change)?;
    let is_before = stage == CommunicationStage::Announced;
    let start = change
        .planned_start
        .filter(|_| stage != CommunicationStage::Cancelled)?;
    (!is_before || start <= now).then_some(start)
}

/// The natural key of a communication.
#[must_use]
pub fn natural_key(change: &str, stage: CommunicationStage, start: Option<Timestamp>, recipient: &str) -> String {
    let start = start.map(|at| at.as_second().to_string()).unwrap_or_default();
    format!("{change}/{stage}/{start}/{recipient}")
}

/// The people and addresses that a plan notifies of a change, each once. People who may not see the change get no notice.
#[must_use]
pub fn recipients(
    directory: &Directory,
    (plan, units): (&CommunicationPlan, &[BusinessUnit]),
    change: &Change,
    now: Timestamp,
) -> Vec<Recipient> {
    let services = reached(directory, change);
    let mut people: BTreeMap<PersonId, Recipient> = BTreeMap::new();
    let mut addresses: BTreeMap<String, Recipient> = BTreeMap::new();
    if plan.audiences.contains(&Audience::Owners) {
        for person in owners(directory, change, &services, now) {
            let row = of_person(directory, &person, None, true);
            people.entry(person).or_insert(row);
        }
    }
    if plan.audiences.contains(&Audience::BusinessUnits) {
        for unit in units.iter().filter(|unit| !unit.services.is_disjoint(&services)) {
            for person in &unit.contacts {
                let row = of_person(directory, person, Some(unit), true);
                people.entry(person.clone()).or_insert(row);
            }
            for address in &unit.mail_addresses {
                let row = Recipient {
                    person: None,
                    mail_address: Some(address.clone()),
                    business_unit: Some(unit.key.clone()),
                    customer_list: None,
                    language: unit.language,
                    is_asked: false,
                };
                addresses.entry(address.to_lowercase()).or_insert(row);
            }
        }
    }
    if plan.audiences.contains(&Audience::Watchers) {
        for person in watchers(directory, &services) {
            let row = of_person(directory, &person, None, false);
            people.entry(person).or_insert(row);
        }
    }
    people.retain(|person, _| directory.is_active(person) && directory.sees(person, change));
    let found = people.into_values().chain(addresses.into_values());
    found.take(MOST_RECIPIENTS).collect()
}

/// The recipients and the on-call people of a plan's groups at an instant, each once. The instant is the first notice of the
/// stage, so that a handover notifies nobody a second time.
#[must_use]
pub fn with_duty(
    mut found: Vec<Recipient>,
    directory: &Directory,
    (plan, change): (&CommunicationPlan, &Change),
    at: Timestamp,
) -> Vec<Recipient> {
    if !plan.audiences.contains(&Audience::OnDuty) {
        return found;
    }
    for person in plan
        .duty_groups
        .iter()
        .flat_map(|group| directory.reached_on_duty(group, at))
    {
        let is_known = found.iter().any(|row| row.person.as_ref() == Some(&person));
        let is_told = directory.is_active(&person) && directory.sees(&person, change);
        if is_told && !is_known && found.len() < MOST_RECIPIENTS {
            found.push(of_person(directory, &person, None, true));
        }
    }
    found
}

/// The same and the customers of a plan's change, each mail address once: those of every list with a service that the change reaches.
#[must_use]
pub fn with_customers(
    mut found: Vec<Recipient>,
    directory: &Directory,
    (plan, lists): (&CommunicationPlan, &[CustomerList]),
    change: &Change,
) -> Vec<Recipient> {
    if !plan.audiences.contains(&Audience::Customers) {
        return found;
    }
    let services = reached(directory, change);
    let mut addresses: BTreeMap<String, Recipient> = BTreeMap::new();
    for list in lists.iter().filter(|list| !list.services.is_disjoint(&services)) {
        for address in &list.mail_addresses {
            let row = Recipient {
                person: None,
                mail_address: Some(address.clone()),
                business_unit: None,
                customer_list: Some(list.key.clone()),
                language: list.language,
                is_asked: false,
            };
            addresses.entry(address.to_lowercase()).or_insert(row);
        }
    }
    let left = MOST_RECIPIENTS.saturating_sub(found.len());
    found.extend(addresses.into_values().take(left));
    found
}

/// The recipients without the mail addresses that opted out, which are in small letters. People stay, also where their own
/// address opted out: they are notified because of their part in the organisation.
#[must_use]
pub fn without_opted_out(mut found: Vec<Recipient>, opted_out: &BTreeSet<String>) -> Vec<Recipient> {
    let has_left = |address: &String| opted_out.contains(&address.to_lowercase());
    found.retain(|row| !row.mail_address.as_ref().is_some_and(has_left));
    found
}

/// The services of a customer list that a change reaches, by their public names: the key of one without a name.
#[must_use]
pub fn customer_services(directory: &Directory, list: &CustomerList, change: &Change) -> Vec<String> {
    let reached = reached(directory, change);
    let name = |key: &ServiceKey| {
        let known = directory.services.get(key).map(|service| service.name.clone());
        known.filter(|name| !name.is_empty()).unwrap_or_else(|| key.to_string())
    };
    let names: BTreeSet<String> = list.services.intersection(&reached).map(name).collect();
    names.into_iter().collect()
}

fn of_person(directory: &Directory, person: &PersonId, unit: Option<&BusinessUnit>, is_asked: bool) -> Recipient {
    let telling = directory.people.get(person).and_then(|found| found.telling.as_ref());
    let own = telling.and_then(|telling| telling.language.as_deref());
    Recipient {
        person: Some(person.clone()),
        mail_address: None,
        business_unit: unit.map(|unit| unit.key.clone()),
        customer_list: None,
        language: match (own, unit) {
            (None, Some(unit)) => unit.language,
            _ => LetterLanguage::of(own),
        },
        is_asked,
    }
}

/// The services of a change and all their dependents.
fn reached(directory: &Directory, change: &Change) -> BTreeSet<ServiceKey> {
    let all = affected(directory, &change.content.targets).into_iter();
    let services = all.filter(|it| it.kind == NodeKind::Service);
    services.map(|it| ServiceKey::from(it.key.as_str())).collect()
}

fn owners(
    directory: &Directory,
    change: &Change,
    services: &BTreeSet<ServiceKey>,
    now: Timestamp,
) -> BTreeSet<PersonId> {
    let targets = change.content.targets.iter();
    let environments: BTreeSet<&EnvironmentKey> = targets.map(|target| &target.environment).collect();
    let mut found = BTreeSet::new();
    for service in services {
        for environment in &environments {
            let holders = directory.holders(service, environment, OwnershipRole::Owner, now);
            found.extend(holders.into_iter().map(|holder| holder.person));
        }
    }
    found
}

/// Everybody who watches one of some services, themselves or in a group.
#[must_use]
pub fn watchers(directory: &Directory, services: &BTreeSet<ServiceKey>) -> BTreeSet<PersonId> {
    let mut found = BTreeSet::new();
    for service in services.iter().filter_map(|key| directory.services.get(key)) {
        found.extend(service.watchers.iter().cloned());
        for group in &service.watching_groups {
            found.extend(directory.members(group));
        }
    }
    found
}
