//! The grounds of an event that allows something: the records that were counted, in their versions, and the sets that
//! could have blocked it, as seen by this act. The event can be evaluated again from the log alone (`proof::grounds`).

use std::collections::{BTreeMap, BTreeSet};

use model::approval::counted::counted;
use model::change::change_file::{ChangeFile, EventDraft};
use model::change::record::Change;
use model::change::related_records::{
    Approval, ChangeTask, ChecklistItem, Condition, CountedFor, Evidence, Link, PeerReview, Permit,
};
use model::core::enums::{Decision, State};
use model::core::ids::{GroupKey, PersonId, ServiceKey};
use model::directory::basis::Seen;
use model::directory::snapshot::{Directory, Freeze, Incident, Ownership, Person, StandardTemplate, Tenant, Token};
use model::integration::workload::Workload;
use proof::grounds::{self, Grounds, MetRule, Set, Stops};
use serde_json::{Map, Value};
use store::audit::{event, log};
use store::change::changes;
use store::identity::{session, workload};
use store::record::{self, Record};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};

/// The subject of the event that marks the beginning of grounds.
const BEGAN_SUBJECT: (&str, &str) = ("log", "grounds");

/// A record in its version, as sets list it.
fn entry<R: Record>(record: &R) -> String {
    format!("{}@{}", record.id(), record.version())
}

fn set_of<'r, R: Record + 'r>(records: impl IntoIterator<Item = &'r R>) -> (String, Set) {
    let entries = records.into_iter().map(entry).collect();
    (R::TABLE.to_owned(), Set::of(entries))
}

/// A record in its version, in the form used beside the sets.
pub(crate) fn named<R: Record>(record: &R) -> String {
    format!("{}/{}", R::TABLE, entry(record))
}

fn seen<R: Record>(seen: &Seen) -> String {
    format!("{}/{}@{}", R::TABLE, seen.id, seen.version)
}

/// Adds their grounds to the events of a saved change that allow something; `file` is the change's present file.
///
/// # Errors
/// The store's.
pub(crate) fn with_grounds(
    cx: &mut Context<'_, '_>,
    file: &ChangeFile,
    mut events: Vec<EventDraft>,
) -> Result<Vec<EventDraft>> {
    if !events.iter().any(|it| grounds::needs_grounds(it.kind, &it.data)) {
        return Ok(events);
    }
    let mut is_told = false;
    for event in events.iter_mut().filter(|it| grounds::needs_grounds(it.kind, &it.data)) {
        let value = if grounds::is_about_change(event.kind) {
            let value = if is_told {
                grounds::same_act()
            } else {
                of_change(cx, file)?
            };
            is_told = true;
            value
        } else {
            of_decision(cx, file, &event.data)?
        };
        event.data.insert(grounds::MEMBER.to_owned(), value);
    }
    if is_told {
        cx.grounded = Some(file.change.key.clone());
    }
    Ok(events)
}

/// The grounds of the gate's decision *go* for a change.
///
/// # Errors
/// The store's.
pub(crate) fn of_go(cx: &mut Context<'_, '_>, key: &str) -> Result<Value> {
    if cx.grounded.as_deref() == Some(key) {
        return Ok(grounds::same_act());
    }
    let file = cx.as_system(|cx| cx.file(key))?;
    let value = of_change(cx, &file)?;
    cx.grounded = Some(key.to_owned());
    Ok(value)
}

/// The credentials of a sign-in.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The digest of the password's hash.
    pub password: Option<String>,
    /// The id of the passkey or the authenticator.
    pub factor: Option<String>,
}

/// Grounds that are records alone: people in their directory versions, and other records from `named`. A sign-in also
/// has the credentials that were used.
///
/// # Errors
/// The store's.
pub(crate) fn of_records(
    cx: &mut Context<'_, '_>,
    (people, others): (&[PersonId], Vec<String>),
    shown: Shown,
) -> Result<Value> {
    let directory = cx.directory()?;
    let mut records = people_of(&directory, who_acts(cx).iter().chain(people));
    records.extend(credential(cx)?);
    records.extend(others);
    let grounds = Grounds {
        password: shown.password,
        factor: shown.factor,
        ..in_brief(records)
    };
    written(cx, grounds)
}

fn in_brief(records: BTreeSet<String>) -> Grounds {
    Grounds {
        size: 0,
        change: None,
        policy: None,
        records: records.into_iter().collect(),
        estate: Vec::new(),
        password: None,
        factor: None,
        session: None,
        sets: BTreeMap::new(),
        stops: None,
        rules: Vec::new(),
    }
}

/// Grounds as an event records them. The tenant's first grounds are preceded by the event that marks their beginning.
fn written(cx: &mut Context<'_, '_>, grounds: Grounds) -> Result<Value> {
    note_begun(cx)?;
    let size = known_size(cx)?;
    let session = session_there(cx)?;
    Ok(serde_json::to_value(Grounds {
        size,
        session,
        ..grounds
    })?)
}

/// The session of the acting person. A session that ended during the request is not named: its end may have its place
/// in the log already, and a reader would take the act for one of a restored session.
fn session_there(cx: &mut Context<'_, '_>) -> Result<Option<String>> {
    let via = cx.actor.via.as_ref().filter(|_| !cx.actor.is_system);
    let Some(name) = via.and_then(|via| via.session.clone()) else {
        return Ok(None);
    };
    let person = cx.actor.person.clone();
    let is_there = session::is_there(cx.tx, person.as_str(), &name)?;
    Ok(is_there.then_some(name))
}

/// The least size of the log. A server that has just started reads it in this transaction; reading it each time would
/// make every act race with the sequencer.
fn known_size(cx: &mut Context<'_, '_>) -> Result<u64> {
    if cx.log_size == 0 {
        let state = log::state(cx.tx)?;
        cx.log_size = state.map_or(0, |state| u64::try_from(state.size).unwrap_or_default());
    }
    Ok(cx.log_size)
}

fn note_begun(cx: &mut Context<'_, '_>) -> Result<()> {
    let tenant = cx.tenant();
    if cx.services.has_grounds(&tenant) || cx.begins_grounds {
        return Ok(());
    }
    let (table, id) = BEGAN_SUBJECT;
    let known = event::latest_of_subject(cx.tx, BEGAN_SUBJECT, 1)?;
    if known.iter().any(|it| it.seq.is_some()) {
        // The event has its place in the log, so it is permanent.
        cx.services.note_grounds(&tenant);
        return Ok(());
    }
    if known.is_empty() {
        let began = draft(
            grounds::BEGAN,
            (table, id.to_owned()),
            cx.now,
            Value::Object(Map::new()),
        );
        cx.emit(vec![began], Written::default())?;
    }
    cx.begins_grounds = true;
    Ok(())
}

/// The event that marks the beginning of grounds, if the log has it.
///
/// # Errors
/// The store's.
pub(crate) fn find_began(cx: &mut Context<'_, '_>) -> Result<Option<event::Event>> {
    let (table, id) = BEGAN_SUBJECT;
    let known = event::of_subject(cx.tx, table, id)?;
    Ok(known.into_iter().filter(|it| it.seq.is_some()).min_by_key(|it| it.seq))
}

fn people_of<'p>(directory: &Directory, people: impl Iterator<Item = &'p PersonId>) -> BTreeSet<String> {
    people
        .filter_map(|id| directory.people.get(id))
        .map(named::<Person>)
        .collect()
}

/// The actor: the person, and the people who set up this person's sign-in.
fn who_acts(cx: &Context<'_, '_>) -> Vec<PersonId> {
    if cx.actor.is_system {
        return Vec::new();
    }
    let hand = cx.actor.hand().cloned();
    [cx.actor.person.clone()].into_iter().chain(hand).collect()
}

/// The token of the actor, or the workload that let their job in, in its version. A token without a row is named in a
/// version that no event made.
fn credential(cx: &mut Context<'_, '_>) -> Result<Option<String>> {
    let Some(via) = cx.actor.via.clone().filter(|_| !cx.actor.is_system) else {
        return Ok(None);
    };
    if let Some(id) = via.token {
        let found = record::load::<Token>(cx.tx, &id)?;
        let version = found.map_or(0, |it| it.record.version);
        return Ok(Some(format!("{}/{id}@{version}", Token::TABLE)));
    }
    let Some(digest) = via.job else {
        return Ok(None);
    };
    let Some(id) = workload::entered(cx.tx, &digest, cx.now)? else {
        return Ok(None);
    };
    let found = record::load::<Workload>(cx.tx, &id)?;
    Ok(found.map(|it| named(&it.record)))
}

/// The grounds of a decision: its author, and the records that give the author the right.
fn of_decision(cx: &mut Context<'_, '_>, file: &ChangeFile, data: &Map<String, Value>) -> Result<Value> {
    let directory = cx.directory()?;
    let mut records = people_of(&directory, who_acts(cx).iter());
    records.extend(credential(cx)?);
    let id = data.get("approval").and_then(Value::as_str).unwrap_or_default();
    let rows = file.approvals.iter().filter(|it| it.id.as_str() == id);
    for row in rows.flat_map(|it| &it.counted_for) {
        records.extend(of_right(&directory, row));
    }
    written(cx, in_brief(records))
}

fn of_right(directory: &Directory, row: &CountedFor) -> Vec<String> {
    use model::approval::absence::Delegation;
    use model::cab::meeting::OnCall;
    let basis = &row.basis;
    let mut records: Vec<String> = basis.ownership.iter().map(seen::<Ownership>).collect();
    let group = basis.membership.as_ref().map(|group| GroupKey::from(group.id.as_str()));
    records.extend(group.and_then(|key| directory.groups.get(&key)).map(named));
    records.extend(basis.on_call.iter().map(seen::<OnCall>));
    records.extend(basis.delegations.iter().map(seen::<Delegation>));
    records
}

fn of_change(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<Value> {
    let directory = cx.directory()?;
    let change = &file.change;
    let approvers = file.standing().map(|it| it.person.clone());
    let people: Vec<PersonId> = who_acts(cx).into_iter().chain(approvers).collect();
    let mut records = people_of(&directory, people.iter());
    records.extend(credential(cx)?);
    records.extend(directory.tenant.as_ref().map(named::<Tenant>));
    let template = change.content.template.as_ref();
    let template = template.and_then(|it| directory.templates.get(&it.key));
    records.extend(template.map(named::<StandardTemplate>));
    let met = counted(file, cx.now).into_iter().map(|it| MetRule {
        rule: it.rule,
        count: u64::from(it.count),
        approvals: it.approvals.into_iter().map(|id| id.0).collect(),
    });
    let sets = sets(cx, file, &directory)?;
    let grounds = Grounds {
        change: Some(change.id.0.clone()),
        policy: Some(file.requirements.policy_digest.clone()),
        estate: estate(&directory, change).into_iter().collect(),
        sets: sets.into_iter().collect(),
        stops: Some(stops(file)),
        rules: met.collect(),
        ..in_brief(records)
    };
    written(cx, grounds)
}

/// The estate records that a change's targets name: their facts determine its risk and its obligations.
fn estate(directory: &Directory, change: &Change) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for target in &change.content.targets {
        found.extend(directory.services.get(&target.service).map(named));
        found.extend(directory.environments.get(&target.environment).map(named));
        let items = target.config_items.iter();
        found.extend(items.filter_map(|key| directory.config_items.get(key)).map(named));
    }
    found
}

fn sets(cx: &mut Context<'_, '_>, file: &ChangeFile, directory: &Directory) -> Result<Vec<(String, Set)>> {
    let rejected = rejected(cx, &file.change)?;
    let services: BTreeSet<&ServiceKey> = file.change.content.targets.iter().map(|it| &it.service).collect();
    let is_unended = |freeze: &&Freeze| !freeze.ended && freeze.ends_at > cx.recorded_at;
    let hurts = |incident: &&Incident| {
        incident.resolved_at.is_none() && incident.services.iter().any(|it| services.contains(it))
    };
    Ok(vec![
        set_of::<Change>([&file.change]),
        set_of::<Approval>(&file.approvals),
        set_of::<PeerReview>(&file.peer_reviews),
        set_of::<Evidence>(&file.evidence),
        set_of::<Condition>(&file.conditions),
        set_of::<ChecklistItem>(&file.checklist),
        set_of::<ChangeTask>(&file.tasks),
        set_of::<Link>(file.links.iter().filter(|link| link.removed_at.is_none())),
        set_of::<Permit>(&file.permits),
        set_of::<Freeze>(directory.freezes.iter().filter(is_unended)),
        set_of::<Incident>(directory.incidents.values().filter(hurts)),
        (grounds::DEPENDENCY.to_owned(), directory.dependencies.named()),
        (grounds::REJECTED.to_owned(), Set::of(rejected)),
    ])
}

/// The rejected changes that name one of the builds of a change in the same place, in their versions. Equal builds by
/// attestation are not considered: the log alone could not evaluate them.
fn rejected(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    for target in &change.content.targets {
        let ours = [&target.artifact, &target.commit];
        for row in changes::rejected_in(cx.tx, target.service.as_str(), target.environment.as_str())? {
            let is_one = [&row.artifact, &row.commit]
                .into_iter()
                .any(|build| build.is_some() && ours.contains(&build));
            if !is_one || row.change_id == change.id.0 {
                continue;
            }
            let other = cx.load_change(&row.change_id)?;
            found.extend(other.filter(|it| it.state == State::Rejected).map(|it| entry(&it)));
        }
    }
    Ok(found.into_iter().collect())
}

fn stops(file: &ChangeFile) -> Stops {
    let rejections = file.standing().filter(|it| it.decision == Decision::Reject);
    let closed = file.change.closed_targets.iter().filter(|it| it.lifted.is_none());
    Stops {
        rejection: rejections.map(|it| it.id.0.clone()).collect(),
        hold: file.change.hold.iter().map(|_| "hold".to_owned()).collect(),
        revocation: closed.map(|it| it.permit.0.clone()).collect(),
    }
}
