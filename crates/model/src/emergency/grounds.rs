//! The grounds of an emergency: a threat, or an open or recent incident that concerns the change's targets. One predicate
//! serves creation, edits, times, submission, approvals, the start and the gate.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::approval::obligation::{Duty, Requirements};
use crate::change::affected::affected;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::eligible;
use crate::change::record::{Change, Target};
use crate::change::related_records::Link;
use crate::core::enums::{Kind, LinkKind, NodeKind};
use crate::core::ids::ServiceKey;
use crate::core::parse::later;
use crate::core::refusal::{FieldError, Refusal};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, Incident, logins};
use crate::incident::reference::incidents_here;
use crate::integration::occurrence::SKEW;

/// The usual time after its end for which an incident is a ground, in minutes; a rule can only shorten it.
const RESOLVED_WITHIN_MINUTES: i64 = 24 * 60;
/// The usual limit between now and the start of an emergency, in minutes; a rule can only shorten it.
const START_WITHIN_MINUTES: i64 = 48 * 60;

/// The time limits of an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    resolved_within: SignedDuration,
    start_within: SignedDuration,
}

impl Limits {
    fn of(requirements: &Requirements) -> Self {
        let rules = requirements
            .obligations
            .iter()
            .filter_map(|row| match row.obligation.duty {
                Duty::Emergency {
                    resolved_within_minutes,
                    start_within_minutes,
                } => Some((resolved_within_minutes, start_within_minutes)),
                _ => None,
            });
        let (resolved, start): (Vec<_>, Vec<_>) = rules.unzip();
        let strictest = |found: Vec<Option<i64>>, usual| {
            let minutes = found.into_iter().flatten().min().unwrap_or(usual);
            SignedDuration::from_mins(minutes)
        };
        Self {
            resolved_within: strictest(resolved, RESOLVED_WITHIN_MINUTES),
            start_within: strictest(start, START_WITHIN_MINUTES),
        }
    }

    fn hours(span: SignedDuration) -> String {
        match span.as_mins() {
            minutes if minutes % 60 == 0 => format!("{} h", minutes / 60),
            minutes => format!("{minutes} min"),
        }
    }
}

/// The incident that a change names: by its key here, or by the reference of the connection that delivered it. If several open
/// incidents have one reference, the incident that concerns the change's targets.
pub fn named_by<'d>(change: &Change, directory: &'d Directory) -> Option<&'d Incident> {
    let text = change.content.incident.as_deref()?;
    let found = incidents_here(directory, text.trim());
    let concerns = |it: &Incident| it.ended_at().is_none() && unconcerned(change, it, directory).is_none();
    let nearest = found.iter().find(|it| concerns(it));
    nearest.or(found.first()).copied()
}

/// The services that a target is or reaches; a config item counts as its service.
fn reached(target: &Target, directory: &Directory) -> BTreeSet<ServiceKey> {
    let found = affected(directory, std::slice::from_ref(target)).into_iter();
    let service = |kind: NodeKind, key: String| match kind {
        NodeKind::ConfigItem => directory.config_items.get(&key).map(|item| item.service.clone()),
        _ => Some(ServiceKey(key)),
    };
    found.filter_map(|it| service(it.kind, it.key)).collect()
}

/// The errors in the grounds of an emergency, by field; none for other kinds. Missing fields of a draft are checked at its
/// submission. Work that is reported afterwards is judged by its start time.
fn trouble(
    change: &Change,
    requirements: &Requirements,
    directory: &Directory,
    now: Timestamp,
) -> Vec<(&'static str, &'static str, String)> {
    let content = &change.content;
    if content.kind != Kind::Emergency {
        return Vec::new();
    }
    let limits = Limits::of(requirements);
    let mut found = Vec::new();
    let is_told_afterwards = change.retrospective.is_some();
    let at = change.actual_start.filter(|_| is_told_afterwards).unwrap_or(now);
    if let Some(text) = &content.incident
        && let Some((code, why)) = incident_trouble(change, text, (directory, at), limits)
    {
        found.push(("incident", code, why));
    }
    let is_far = |start: Timestamp| start.duration_since(now) > limits.start_within;
    if let Some(start) = change
        .planned_start
        .filter(|start| !is_told_afterwards && is_far(*start))
    {
        let most = Limits::hours(limits.start_within);
        let why = format!(
            "An emergency change starts at most {most} ahead. {start} is later, so make it a normal \
            change."
        );
        found.push(("planned_start", "too_far_ahead", why));
    }
    found
}

fn incident_trouble(
    change: &Change,
    text: &str,
    (directory, at): (&Directory, Timestamp),
    limits: Limits,
) -> Option<(&'static str, String)> {
    let Some(incident) = named_by(change, directory) else {
        let why = format!(
            "There is no incident `{text}`. Enter an incident's key or the reference that a connection delivered; \
             describe a threat in `threat`."
        );
        return Some(("unknown", why));
    };
    let key = &incident.key;
    if let Some(end) = incident.ended_at()
        && at.duration_since(end) > limits.resolved_within
    {
        let most = Limits::hours(limits.resolved_within);
        let why = format!(
            "{key} was resolved at {end}, more than {most} ago, so it no longer justifies an emergency \
            change."
        );
        return Some(("too_old", why));
    }
    if change.retrospective.is_some() && incident.started_at > later(at, SKEW) {
        let began = incident.started_at;
        let why = format!(
            "{key} began at {began}, after the work had begun at {at}, so it was not the reason for \
            the work."
        );
        return Some(("began_later", why));
    }
    let target = unconcerned(change, incident, directory)?;
    let all = incidents_here(directory, text.trim()).into_iter();
    let open: Vec<&str> = all
        .filter(|it| it.ended_at().is_none())
        .map(|it| it.key.as_str())
        .collect();
    if open.len() > 1 {
        let why = format!(
            "None of {}, the open incidents with this reference, concerns every target of the change.",
            open.join(", ")
        );
        return Some(("not_concerned", why));
    }
    let why = format!(
        "{key} concerns neither {} nor anything that {} reaches.",
        target.service, target.service
    );
    Some(("not_concerned", why))
}

/// A target without connection to the incident. A related target does not cover the others.
fn unconcerned<'c>(change: &'c Change, incident: &Incident, directory: &Directory) -> Option<&'c Target> {
    let mut known: BTreeSet<(&ServiceKey, &[String])> = BTreeSet::new();
    let mut targets = change.content.targets.iter();
    targets.find(|target| {
        let is_new = known.insert((&target.service, &target.config_items));
        is_new && !incident.services.contains(&target.service) && {
            let services = reached(target, directory);
            !incident.services.iter().any(|service| services.contains(service))
        }
    })
}

/// Refuses invalid grounds when they are written, and links the change and its incident. Only edited fields are checked here;
/// later problems appear in the unmet list.
///
/// # Errors
/// 422 with each field.
pub(crate) fn take(case: &mut Case<'_>, before: Option<&Change>) -> Result<(), Refusal> {
    let change = case.change();
    let grounds = |it: &Change| {
        let targets: Vec<_> = it
            .content
            .targets
            .iter()
            .map(|it| (it.service.clone(), it.config_items.clone()))
            .collect();
        (it.content.kind, it.content.incident.clone(), targets, it.planned_start)
    };
    if before.is_some_and(|before| grounds(before) == grounds(change)) {
        return Ok(());
    }
    let wrong = trouble(change, &case.file.requirements, &case.directory, case.now);
    if !wrong.is_empty() {
        let errors = wrong
            .into_iter()
            .map(|(field, code, text)| FieldError::new(field, code, text));
        return Err(Refusal::Invalid(errors.collect()));
    }
    link(case);
    Ok(())
}

/// The key of the incident that an emergency names.
pub(crate) fn incident_of(change: &Change, directory: &Directory) -> Option<String> {
    let is_emergency = change.content.kind == Kind::Emergency;
    let found = named_by(change, directory).filter(|_| is_emergency);
    found.map(|incident| incident.key.clone())
}

/// Links the change to its named incident. A link to an earlier incident stays only in the history.
fn link(case: &mut Case<'_>) {
    let key = incident_of(case.change(), &case.directory);
    let (by, at) = (case.person(), case.now);
    let stale = |link: &&mut Link| {
        let is_standing = link.kind == LinkKind::Fixes && link.removed_at.is_none();
        is_standing && link.by_grounds && key.as_ref() != Some(&link.to)
    };
    let mut ended = Vec::new();
    for link in case.file.links.iter_mut().filter(stale) {
        link.removed_by = Some(by.clone());
        link.removed_at = Some(at);
        ended.push((link.id.clone(), link.to.clone()));
    }
    for (id, to) in ended {
        case.emit(
            "change.unlinked",
            json!({"link": id, "kind": LinkKind::Fixes, "to": to}),
        );
    }
    let Some(to) = key else { return };
    let is_there = |link: &Link| link.kind == LinkKind::Fixes && link.to == to && link.removed_at.is_none();
    if case.file.links.iter().any(is_there) {
        return;
    }
    let (id, change) = (case.new_id(), case.change_id());
    case.emit("change.linked", json!({"link": id, "kind": LinkKind::Fixes, "to": to}));
    case.file.links.push(Link {
        id,
        version: 0,
        change,
        kind: LinkKind::Fixes,
        to_change: None,
        to,
        by,
        at,
        by_grounds: true,
        set_under: Vec::new(),
        removed_by: None,
        removed_at: None,
    });
}

/// The unmet conditions of an emergency's grounds before the start.
pub(crate) fn grounds_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    if !change.state.is_before_start() || change.has_lost_texts() {
        return Vec::new();
    }
    let rows = trouble(change, &file.requirements, directory, now).into_iter();
    let row = |(field, _, text): (&str, &str, String)| {
        let satisfy = match field {
            "planned_start" => "Plan the change earlier, or make it a normal change.",
            _ => "Enter an open incident that concerns the targets, or make it a normal change.",
        };
        unmet(
            "no_emergency",
            text,
            satisfy,
            logins(directory, &eligible::writers(change, directory)),
        )
    };
    rows.map(row).collect()
}

/// The time at which the incident of an emergency stops being a ground.
pub(crate) fn end_of_grounds(file: &ChangeFile, directory: &Directory) -> Option<Timestamp> {
    let is_emergency = file.change.content.kind == Kind::Emergency;
    let end = named_by(&file.change, directory).filter(|_| is_emergency)?.ended_at()?;
    // A ground still holds in the last microsecond of its time.
    let span = Limits::of(&file.requirements).resolved_within + SignedDuration::from_micros(1);
    end.checked_add(span).ok()
}
