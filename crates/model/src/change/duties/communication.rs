//! The unmet parts of a rule on communication before the start: the announcement, long enough ahead; the acknowledgements; and
//! the confirmation of each team that takes part. Nobody's silence counts as a yes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::approval::authority::{candidates, targets_of};
use crate::approval::obligation::{Asked, Duty, TargetObligation};
use crate::change::change_file::ChangeFile;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::core::unmet::{Unmet, sentence, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::notify::communicated::Communicated;

/// The communication that a rule requires.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'r> {
    /// How many minutes before the start the announcement is sent at the latest.
    pub(crate) announced_minutes: Option<i64>,
    /// Whether all recipients have to acknowledge.
    pub(crate) acknowledged: bool,
    /// The people of whom one for each target, or for each group, confirms that the team is ready.
    pub(crate) ready_from: Option<&'r Asked>,
}

/// The missing parts.
pub(crate) fn communication_unmet(
    (file, directory, now): (&ChangeFile, &Directory, Timestamp),
    row: &TargetObligation,
    wanted: Wanted<'_>,
) -> Vec<Unmet> {
    let change = &file.change;
    // Without planned times scheduling is refused already.
    let Some(start) = change.planned_start else {
        return Vec::new();
    };
    let known = change.communicated.as_ref().filter(|it| it.starts_at == start);
    let mut rows: Vec<Unmet> = announced_unmet(directory, row, (start, known), wanted.announced_minutes)
        .into_iter()
        .collect();
    if wanted.acknowledged {
        rows.extend(acknowledged_unmet(directory, row, known));
    }
    if let Some(asked) = wanted.ready_from {
        rows.extend(ready_unmet((file, directory, now), row, asked, known));
    }
    rows
}

fn announced_unmet(
    directory: &Directory,
    row: &TargetObligation,
    (start, known): (Timestamp, Option<&Communicated>),
    minutes: Option<i64>,
) -> Option<Unmet> {
    let reason = sentence(&row.obligation.reason);
    let rule = &row.obligation.id;
    let managers = || logins(directory, &directory.with_role(Role::ChangeManager));
    let Some(announced_at) = known.and_then(|it| it.announced_at) else {
        return Some(unmet(
            "not_announced",
            format!("{reason} The start at {start} was not announced."),
            format!(
                "A communication plan with the stage `announced` covers the change and has recipients; it is sent once the change is scheduled (rule `{rule}`)."
            ),
            managers(),
        ));
    };
    let latest = start - SignedDuration::from_mins(minutes?);
    if announced_at <= latest {
        return None;
    }
    let earliest = announced_at + SignedDuration::from_mins(minutes?);
    Some(unmet(
        "announced_late",
        format!(
            "{reason} The start at {start} was announced at {announced_at}, less than {} minutes before.",
            minutes?
        ),
        format!(
            "Plan a start that leaves this time after its announcement, such as one well after {earliest} (rule `{rule}`)."
        ),
        managers(),
    ))
}

fn acknowledged_unmet(directory: &Directory, row: &TargetObligation, known: Option<&Communicated>) -> Option<Unmet> {
    let known = known?;
    let missing: Vec<PersonId> = known
        .asked_people
        .difference(&known.acknowledged_people)
        .filter(|person| directory.is_active(person))
        .cloned()
        .collect();
    if missing.is_empty() && !known.asked_people.is_empty() {
        return None;
    }
    let names = logins(directory, &missing);
    let (text, satisfy) = match names.is_empty() {
        true => (
            "No recipient was asked to acknowledge the announcement.".to_owned(),
            "The communication plan asks for acknowledgement (`acknowledge`), of owners or business units".to_owned(),
        ),
        false => (
            format!("Not acknowledged by {}.", names.join(", ")),
            "Each of them acknowledges the announcement in their inbox".to_owned(),
        ),
    };
    Some(unmet(
        "not_acknowledged",
        format!("{} {text}", sentence(&row.obligation.reason)),
        format!("{satisfy} (rule `{}`).", row.obligation.id),
        names,
    ))
}

/// A team that takes part: what it is called, and its people.
struct Team {
    name: String,
    people: Vec<PersonId>,
}

/// The teams of a rule: one for each group that it names, else one for each of its targets.
fn teams(
    (file, directory, now): (&ChangeFile, &Directory, Timestamp),
    row: &TargetObligation,
    asked: &Asked,
) -> Vec<Team> {
    let groups = match asked {
        Asked::Group(key) => vec![key.clone()],
        other => other.distinct_groups().map(<[_]>::to_vec).unwrap_or_default(),
    };
    if !groups.is_empty() {
        let team = |key: &crate::core::ids::GroupKey| Team {
            name: format!("the group {key}"),
            people: directory.members(key),
        };
        return groups.iter().map(team).collect();
    }
    let mut found: Vec<Team> = Vec::new();
    for target in targets_of(file, row) {
        let holders = candidates(file, directory, asked, target, now).into_iter();
        let people: BTreeSet<PersonId> = holders.map(|holder| holder.person).collect();
        let people: Vec<PersonId> = people
            .into_iter()
            .filter(|person| directory.is_active(person))
            .collect();
        let name = format!("{} of {}", asked.word().replace('_', " "), target.service);
        if !found.iter().any(|team| team.name == name) {
            found.push(Team { name, people });
        }
    }
    found
}

fn ready_unmet(
    at: (&ChangeFile, &Directory, Timestamp),
    row: &TargetObligation,
    asked: &Asked,
    known: Option<&Communicated>,
) -> Vec<Unmet> {
    let (_, directory, _) = at;
    let is_ready = |person: &PersonId| known.is_some_and(|it| it.ready.iter().any(|said| &said.person == person));
    let lacking = teams(at, row, asked)
        .into_iter()
        .filter(|team| !team.people.iter().any(is_ready));
    lacking
        .map(|team| {
            unmet(
                "team_not_ready",
                format!(
                    "{} Readiness was not confirmed for {}.",
                    sentence(&row.obligation.reason),
                    team.name
                ),
                format!(
                    "One of them must confirm it (POST …/readiness; rule `{}`).",
                    row.obligation.id
                ),
                logins(directory, &team.people),
            )
        })
        .collect()
}

/// The people who confirm that their team is ready, by the rules of a change.
pub fn ready_people(file: &ChangeFile, directory: &Directory, now: Timestamp) -> BTreeSet<PersonId> {
    let mut found = BTreeSet::new();
    for row in &file.requirements.obligations {
        if let Duty::Communication {
            ready_from: Some(asked),
            ..
        } = &row.obligation.duty
        {
            let teams = teams((file, directory, now), row, asked);
            found.extend(teams.into_iter().flat_map(|team| team.people));
        }
    }
    found
}
