//! Major incidents: the severity from which an incident stops high-risk changes, their place and duration, and the people who
//! may allow a change. The freeze of a major incident follows from the incident alone; nobody edits it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::approval::one_hand;
use crate::core::enums::{FreezeReach, IncidentState, Level, Role};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::later;
use crate::core::refusal::Refusal;
use crate::directory::snapshot::{Directory, Freeze, Incident, last_people, logins};
pub use crate::incident::course::USUAL_BOUND;
use crate::schedule::freeze_steps::Course;
use crate::schedule::repeat::Repeat;

/// The longest time for which a major incident stops changes. A longer incident is declared again, so that nothing is stopped
/// for ever.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The time after a commander ended the freeze of an incident in which the same person alone cannot make another incident of
/// the same services major.
pub const SPENT: SignedDuration = SignedDuration::from_hours(24);

/// The notice on a change that a major incident stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The incident and what it stops, without a full stop.
    pub text: String,
    /// The declarer and the commander, in whole sentences.
    pub who: String,
    /// How to request the commander's signature.
    pub satisfy: String,
    /// Whether the commander halted all work, under break-glass too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halted: bool,
}

/// The severity from which on an incident is major: 1 is the gravest, 0 means none.
#[must_use]
pub fn bound(directory: &Directory) -> i64 {
    let tenant = directory.tenant.as_ref();
    tenant.map_or(USUAL_BOUND, |tenant| tenant.major_severity)
}

/// Whether a person may lead the work on an incident: an active commander or change manager.
#[must_use]
pub fn may_command(directory: &Directory, person: &PersonId) -> bool {
    directory.has_role(person, Role::Commander) || last_people(directory).contains(person)
}

/// The people who may take command, in display order: commanders, then change managers.
#[must_use]
pub fn commanders(directory: &Directory) -> Vec<PersonId> {
    let mut found = directory.with_role(Role::Commander);
    for person in last_people(directory) {
        if !found.contains(&person) {
            found.push(person);
        }
    }
    found
}

/// The commander, while that person may act. A deactivated person, or one without the right, does not command.
#[must_use]
pub fn commander<'i>(incident: &'i Incident, directory: &Directory) -> Option<&'i PersonId> {
    let named = incident.course.commander.as_ref();
    named.filter(|person| directory.takes_part(person) && may_command(directory, person))
}

/// The people whom a stopped change waits for: the commander, or without one the people who may take command.
#[must_use]
pub fn awaited_people(incident: &Incident, directory: &Directory) -> Vec<PersonId> {
    match commander(incident, directory) {
        Some(person) => vec![person.clone()],
        None => commanders(directory),
    }
}

/// Whether the person who makes an incident major did so recently for one of these services, by any account, and a commander
/// ended that freeze. So one person can block others only once.
#[must_use]
pub fn is_spent(incident: &Incident, directory: &Directory, by: &PersonId, now: Timestamp) -> bool {
    directory.incidents.values().any(|other| {
        let course = &other.course;
        let raised_by = course.raised_by.as_ref();
        let is_theirs = raised_by.is_some_and(|person| one_hand::are_one(directory, (person, by), now));
        let is_late = course.stood_down.as_ref().is_some_and(|it| now < later(it.at, SPENT));
        other.key != incident.key && is_theirs && is_late && !other.services.is_disjoint(&incident.services)
    })
}

/// The reason why a grave incident is not major, if the acting person could not make it major.
#[must_use]
pub fn why_withheld(incident: &Incident) -> Option<String> {
    incident.course.withheld_at?;
    Some(format!(
        "This is not a major incident, although its severity is {}: its reporter declared another major incident of \
         the same services, and a commander ended the freeze of that one less than 24 hours before. Another eligible \
         commander can declare it (POST /incidents/{}/major).",
        incident.severity, incident.key
    ))
}

/// The incident in the form to save: it becomes major by its severity, and stays so until it ends or its commander ends the
/// freeze. A lower severity ends nothing, so that an alternating source opens no gate. `by` is the acting person; `None` for a
/// source.
#[must_use]
pub fn judged(mut incident: Incident, directory: &Directory, by: Option<&PersonId>, now: Timestamp) -> Incident {
    if !matches!(incident.state(), IncidentState::Open | IncidentState::Mitigated) {
        incident.course.major_since = None;
        incident.course.withheld_at = None;
        incident.course.halted = false;
        return incident;
    }
    let course = &incident.course;
    let is_settled = course.major_since.is_some() || course.stood_down.is_some();
    // No service means no place that could be frozen.
    let is_grave = incident.severity <= bound(directory) && !incident.services.is_empty();
    if is_settled || !is_grave {
        incident.course.withheld_at = None;
        return incident;
    }
    // Once withheld it stays so, whoever edits it: another person says that it is one by declaring it.
    let is_withheld = incident.course.withheld_at.is_some();
    if by.is_some_and(|by| is_withheld || is_spent(&incident, directory, by, now)) {
        incident.course.withheld_at = incident.course.withheld_at.or(Some(now));
        return incident;
    }
    incident.course.withheld_at = None;
    incident.course.major_since = Some(now);
    incident.course.raised_by = by.cloned();
    incident
}

/// The freeze of a major incident: new starts and scheduling of high-risk changes on its services, on their dependencies and on
/// their dependents. `None` if the incident wants none. `before` is the existing freeze; a new one takes the id.
#[must_use]
pub fn freeze(incident: &Incident, before: Option<&Freeze>, id: RecordId, now: Timestamp) -> Option<Freeze> {
    let since = incident.course.major_since?;
    let same = before.filter(|it| it.starts_at == since);
    // An empty list of services would mean all of them.
    let services = match incident.services.is_empty() {
        true => same?.services.clone(),
        false => incident.services.clone(),
    };
    let is_signed = |change: &crate::core::ids::ChangeId| {
        let mut rows = incident.course.signatures.iter();
        rows.any(|row| &row.change == change && row.is_in_force(now))
    };
    let mut kept = same.cloned();
    if let Some(kept) = &mut kept {
        kept.end_exceptions(|row| !is_signed(&row.change), None, now);
    }
    let (exceptions, past_exceptions) = kept
        .map(|it| (it.exceptions, it.course.past_exceptions))
        .unwrap_or_default();
    Some(Freeze {
        id: same.map_or(id, |it| it.id.clone()),
        version: same.map_or(0, |it| it.version),
        title: format!("{}: {}", incident.key, incident.title),
        reason: None,
        starts_at: since,
        ends_at: later(since, LONGEST),
        services,
        environments: std::collections::BTreeSet::new(),
        halt: incident.course.halted,
        reach: FreezeReach::Dependants,
        exceptions,
        ended: false,
        corrected_at: None,
        loosening: None,
        loosened: Vec::new(),
        set_by: incident.course.raised_by.clone(),
        set_at: Some(since),
        repeat: Repeat::default(),
        course: Course {
            thaw_risk: Some(Level::Medium),
            major_incident: Some(incident.key.clone()),
            past_exceptions,
            ..Course::default()
        },
    })
}

/// The incident that a freeze follows from.
#[must_use]
pub fn incident_of<'d>(freeze: &Freeze, directory: &'d Directory) -> Option<&'d Incident> {
    let key = freeze.course.major_incident.as_ref()?;
    directory.incidents.get(key)
}

/// The notice of a freeze that follows from a major incident, for the changes that it stops.
#[must_use]
pub fn refusal(freeze: &Freeze, directory: &Directory) -> Option<Stop> {
    let incident = incident_of(freeze, directory)?;
    let key = &incident.key;
    let commands = match commander(incident, directory) {
        Some(person) => format!("{} is its commander.", directory.name(person)),
        None => "The incident has no commander yet.".to_owned(),
    };
    let opener = incident.course.raised_by.as_ref();
    let declared = opener.map_or_else(String::new, |person| {
        format!("{} declared it. ", directory.name(person))
    });
    let satisfy = match commander(incident, directory) {
        Some(person) => format!(
            "Wait for the end of {key}, or ask {} to sign for this change on the page of {key} (POST /incidents/{key}/signatures).",
            directory.login(person)
        ),
        None => format!(
            "Wait for the end of {key}, or have an eligible person take command of it (POST \
             /incidents/{key}/command) and then sign for this change."
        ),
    };
    let what = match freeze.halts_all() {
        true => "halts all work",
        false => "stops changes of high risk",
    };
    Some(Stop {
        text: format!(
            "The major incident {key} (“{}”) {what} on its services and around them",
            incident.title
        ),
        who: format!("{declared}{commands}"),
        satisfy,
        halted: freeze.halts_all(),
    })
}

impl Stop {
    /// Both in one text; `whose` names the target where a change has several.
    #[must_use]
    pub fn sentence(&self, whose: &str) -> String {
        format!("{}{whose}. {}", self.text, self.who)
    }
}

/// Refuses everybody but the commander; without one, everybody who may not take command.
///
/// # Errors
/// 403 `not_commander`, which names the people to contact.
pub fn check_commander(incident: &Incident, directory: &Directory, person: &PersonId) -> Result<(), Refusal> {
    let asked = awaited_people(incident, directory);
    if asked.contains(person) {
        return Ok(());
    }
    let key = &incident.key;
    let text = match commander(incident, directory) {
        Some(commander) => format!(
            "Only {}, the commander of {key}, can decide this.",
            directory.name(commander)
        ),
        None => format!("{key} has no commander; a commander or change manager must take command first."),
    };
    Err(Refusal::not_allowed("not_commander", text).with_others(logins(directory, &asked)))
}

/// Refuses everybody but the commander: for acts that need the commander's own signature.
///
/// # Errors
/// 403 `not_commander`.
pub fn check_in_command(incident: &Incident, directory: &Directory, person: &PersonId) -> Result<(), Refusal> {
    check_commander(incident, directory, person)?;
    if commander(incident, directory).is_some() {
        return Ok(());
    }
    let key = &incident.key;
    let text = format!("{key} has no commander. Take command first: POST /incidents/{key}/command.");
    Err(Refusal::not_allowed("not_commander", text)
        .with_others(logins(directory, &awaited_people(incident, directory))))
}

/// Checks a change of command: while somebody commands, only that person may transfer it, or a change manager decides.
///
/// # Errors
/// 403 `not_commander`; 422 for a person who may not command.
pub fn check_command(
    incident: &Incident,
    directory: &Directory,
    (actor, wanted): (&PersonId, &PersonId),
) -> Result<(), Refusal> {
    if !directory.takes_part(wanted) || !may_command(directory, wanted) {
        let text = format!(
            "{} cannot command an incident: this requires the right `commander` or `change_manager`.",
            directory.name(wanted)
        );
        return Err(Refusal::field("commander", "not_allowed", text));
    }
    let present = commander(incident, directory);
    if present.is_none() && may_command(directory, actor) || present == Some(actor) {
        return Ok(());
    }
    if last_people(directory).contains(actor) && actor != wanted {
        return Ok(());
    }
    check_commander(incident, directory, actor)
}
