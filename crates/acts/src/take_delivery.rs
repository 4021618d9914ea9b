//! Takes a stored delivery's signals: their effects and the delivery's done mark share one transaction, and effects are
//! idempotent on the outside system's own ids.

use jiff::Timestamp;
use model::directory::{Connection, Mapping};
use model::file::Case;
use model::ids::{EnvironmentKey, PersonId, RecordId, TargetId};
use model::records::Deployment;
use model::signal::{self, Progress, Signal};
use model::verbs::Body;
use model::words::{GateDecision, Outcome, Purpose, State};
use serde_json::json;
use store::record::{self, Filter};

use crate::create_change::create_change_for;
use crate::error::Result;
use crate::room::Room;
use crate::save::{Written, draft, save_message};

/// What a deployment or one of its statuses says, in one shape.
struct Told<'a> {
    deployment_id: &'a str,
    repository: &'a str,
    environment: &'a str,
    commit: &'a str,
    artifact: Option<&'a str>,
    sender: Option<&'a str>,
    status: Option<(&'a str, &'a Progress)>,
    at: Timestamp,
}

impl<'a> From<&'a signal::Deployment> for Told<'a> {
    fn from(it: &'a signal::Deployment) -> Self {
        Self {
            deployment_id: &it.deployment_id,
            repository: &it.repository,
            environment: &it.environment,
            commit: &it.commit,
            artifact: it.artifact.as_deref(),
            sender: it.requester.as_deref(),
            status: None,
            at: it.occurred_at,
        }
    }
}

impl<'a> From<&'a signal::DeploymentStatus> for Told<'a> {
    fn from(it: &'a signal::DeploymentStatus) -> Self {
        Self {
            deployment_id: &it.deployment_id,
            repository: &it.repository,
            environment: &it.environment,
            commit: &it.commit,
            artifact: it.artifact.as_deref(),
            sender: it.actor.as_deref(),
            status: Some((&it.status_id, &it.status)),
            at: it.occurred_at,
        }
    }
}

/// Takes all signals of a delivery and marks it done; answers what came of it, in words.
///
/// # Errors
/// The store's. A signal that means nothing here is no error.
pub fn take_delivery(
    room: &mut Room<'_, '_>,
    delivery: &str,
    holder: &str,
    connection: &str,
    signals: &[Signal],
) -> Result<String> {
    let mut results = Vec::new();
    for signal in signals {
        results.push(take_signal(room, connection, signal)?);
    }
    let result = if results.is_empty() {
        "nothing in it concerns us".to_owned()
    } else {
        results.join("; ")
    };
    if !store::inbox::finish(room.tx, delivery, holder, &result)? {
        return Err(store::Error::Stale {
            table: "inbox".to_owned(),
        }
        .into());
    }
    Ok(result)
}

/// Takes one signal.
///
/// # Errors
/// The store's.
pub fn take_signal(room: &mut Room<'_, '_>, connection: &str, signal: &Signal) -> Result<String> {
    let told = match signal {
        Signal::Deployment(it) => Told::from(it),
        Signal::DeploymentStatus(it) => Told::from(it),
        Signal::Ping => return Ok("ping".to_owned()),
        Signal::Alert(it) => return crate::take_alert::take_alert(room, connection, it),
        Signal::CommitTree(it) => return take_tree(room, connection, it),
        Signal::Ask(it) => return take_ask(room, connection, it),
        Signal::Push(it) => return Ok(format!("noted: push to {}", it.ref_name)),
        Signal::PullRequest(it) => return Ok(format!("noted: pull request {} {}", it.number, it.action)),
        Signal::Release(it) => return Ok(format!("noted: release {}", it.tag)),
        Signal::Unknown { event, .. } => return Ok(format!("noted: {event} has no meaning here")),
    };
    let connection = crate::set_connection::connection(room, connection)?;
    let Some((mapping, environment)) = place_of(&connection, &told) else {
        return Ok(format!(
            "noted: {} to {} is mapped to nothing here",
            told.repository, told.environment
        ));
    };
    let mapping = mapping.clone();
    take_deployment(room, &connection, &mapping, &environment, &told)
}

/// Keeps the tree of a commit of a repository that is mapped here.
fn take_tree(room: &mut Room<'_, '_>, connection: &str, it: &signal::CommitTree) -> Result<String> {
    let connection = crate::set_connection::connection(room, connection)?;
    if !connection
        .map
        .iter()
        .any(|row| row.repository.eq_ignore_ascii_case(&it.repository))
    {
        return Ok(format!("noted: {} is mapped to nothing here", it.repository));
    }
    let told = model::outside::Provenance {
        id: RecordId(String::new()),
        version: 0,
        repository: it.repository.to_lowercase(),
        commit: it.commit.clone(),
        tree: Some(it.tree.clone()),
        artifact: None,
        source: connection.id.0,
        at: it.occurred_at.unwrap_or(room.now),
    };
    let is_new = crate::kin::keep(room, told)?;
    Ok(if is_new {
        "the commit's tree is kept"
    } else {
        "the commit's tree was known"
    }
    .to_owned())
}

fn take_ask(room: &mut Room<'_, '_>, connection: &str, it: &signal::Ask) -> Result<String> {
    let connection = crate::set_connection::connection(room, connection)?;
    let found = connection
        .map
        .iter()
        .find(|row| row.repository.eq_ignore_ascii_case(&it.repository));
    let Some(mapping) = found.cloned() else {
        return Ok(format!("noted: {} is mapped to nothing here", it.repository));
    };
    let ours = it.environment.as_ref().map(|theirs| {
        let found = mapping
            .environments
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(theirs));
        found.map(|(_, ours)| ours.clone())
    });
    if let Some(None) = ours {
        return Ok(format!(
            "noted: {} is mapped to nothing here",
            it.environment.clone().unwrap_or_default()
        ));
    }
    crate::answer_outside::take(room, &connection, &mapping, ours.flatten(), it)
}

fn place_of<'a>(connection: &'a Connection, told: &Told<'_>) -> Option<(&'a Mapping, EnvironmentKey)> {
    let mapping = connection
        .map
        .iter()
        .find(|row| row.repository.eq_ignore_ascii_case(told.repository))?;
    let ours = mapping
        .environments
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(told.environment))?;
    Some((mapping, ours.1.clone()))
}

fn take_deployment(
    room: &mut Room<'_, '_>,
    connection: &Connection,
    mapping: &Mapping,
    environment: &EnvironmentKey,
    told: &Told<'_>,
) -> Result<String> {
    let mut deployment = find_deployment(room, connection, mapping, environment, told)?;
    let seen = told
        .status
        .is_some_and(|(id, _)| deployment.seen_statuses.iter().any(|known| known == id));
    if seen {
        return Ok("known already".to_owned());
    }
    if deployment.change.is_none() {
        let key = find_or_create_change(room, connection, mapping, environment, told)?;
        let change = room.change(&key)?;
        deployment.change = Some(change.id);
        deployment.change_key = Some(change.key);
    }
    let key = deployment.change_key.clone().unwrap_or_default();
    let mut result = format!("deployment of {key}");
    if let Some((id, progress)) = told.status {
        let lawful = apply_status(
            room,
            &key,
            mapping,
            environment,
            told,
            progress,
            deployment.unauthorized,
        )?;
        result = format!("{} for {key}", progress.as_str());
        if !lawful {
            result.push_str(", without a lawful start");
            deployment.unauthorized = true;
        }
        deployment.seen_statuses.push(id.to_owned());
        deployment.status = Some(progress.as_str().to_owned());
    }
    save_deployment(room, deployment, told)?;
    Ok(result)
}

fn find_deployment(
    room: &mut Room<'_, '_>,
    connection: &Connection,
    mapping: &Mapping,
    environment: &EnvironmentKey,
    told: &Told<'_>,
) -> Result<Deployment> {
    let natural_key = format!("{}#{}", mapping.repository, told.deployment_id);
    let filter = Filter::new()
        .equals("connection", connection.id.as_str())
        .equals("natural_key", natural_key.as_str());
    if let Some(stored) = record::find_one::<Deployment>(room.tx, &filter)? {
        return Ok(stored.record);
    }
    Ok(Deployment {
        id: RecordId(room.new_id()?),
        version: 0,
        connection: connection.id.clone(),
        natural_key,
        service: mapping.service.clone(),
        environment: environment.clone(),
        commit: told.commit.to_owned(),
        artifact: told.artifact.map(str::to_owned),
        change: None,
        change_key: None,
        seen_statuses: Vec::new(),
        status: None,
        unauthorized: false,
        at: told.at,
    })
}

fn save_deployment(room: &mut Room<'_, '_>, deployment: Deployment, told: &Told<'_>) -> Result<()> {
    let mut written = Written::default();
    let unauthorized = deployment.unauthorized && told.status.is_some();
    let saved = room.put(&mut written, deployment)?;
    let kind = if unauthorized {
        "deployment.unauthorized"
    } else {
        "deployment.told"
    };
    let data = json!({"change": saved.change_key, "status": saved.status, "service": saved.service, "environment": saved.environment});
    if unauthorized {
        alert(room, &mut written, &saved)?;
    }
    let event = draft(kind, ("deployment", saved.id.0.clone()), told.at, data);
    room.tell(vec![event], written)
}

/// An unauthorized deployment reaches the service's owners and the change managers at once.
fn alert(room: &mut Room<'_, '_>, written: &mut Written, deployment: &Deployment) -> Result<()> {
    let directory = room.directory()?;
    let mut people = directory.with_role(model::words::Role::ChangeManager);
    let owners = directory.holders(
        &deployment.service,
        &deployment.environment,
        model::words::OwnershipRole::Owner,
        room.now,
    );
    people.extend(owners.into_iter().map(|holder| holder.person));
    let key = deployment.change_key.clone().unwrap_or_default();
    let subject = format!(
        "Unauthorized deployment of {} in {}",
        deployment.service, deployment.environment
    );
    let text = format!(
        "A deployment of {} to {} was told ({}) although {key} was not open for it.\nLook at it; a retrospective change may follow.\n",
        deployment.service,
        deployment.environment,
        deployment.status.as_deref().unwrap_or("deployment")
    );
    let status = deployment.seen_statuses.last().cloned().unwrap_or_default();
    for person in people {
        let dedup = format!("unauthorized/{}/{status}/{person}", deployment.natural_key);
        let about = deployment.change.as_ref().map(|id| (id, key.as_str()));
        save_message(
            room,
            written,
            &person,
            about,
            ("unauthorized_deployment", &subject, &text, &dedup),
        )?;
    }
    Ok(())
}

/// The open change of this service, environment and commit (or artifact) that is furthest along; else a new draft.
fn find_or_create_change(
    room: &mut Room<'_, '_>,
    connection: &Connection,
    mapping: &Mapping,
    environment: &EnvironmentKey,
    told: &Told<'_>,
) -> Result<String> {
    let (service, place) = (mapping.service.as_str(), environment.as_str());
    let mut rows = store::changes::targets_for(room.tx, service, place, told.artifact, commit_of(told))?;
    for kin in crate::kin::commits_behind(room, told.artifact, commit_of(told))? {
        rows.extend(store::changes::targets_for(room.tx, service, place, None, Some(&kin))?);
    }
    let mut found: Option<(State, i64, String)> = None;
    for row in rows.into_iter().filter(|row| row.state == "open") {
        let change = room.change(&row.change_id)?;
        let better = found
            .as_ref()
            .is_none_or(|(state, number, _)| (change.state, -change.number) > (*state, -number));
        if change.state.is_open() && better {
            found = Some((change.state, change.number, change.key));
        }
    }
    if let Some((_, _, key)) = found {
        return Ok(key);
    }
    let requester = sender(room, told)?.unwrap_or_else(|| connection.owner.clone());
    let what = commit_of(told).or(told.artifact).unwrap_or_default();
    let short: String = what.trim_start_matches("sha256:").chars().take(12).collect();
    let mut target = Body::new();
    for (field, value) in [
        ("service", Some(service)),
        ("environment", Some(place)),
        ("commit", commit_of(told)),
        ("artifact", told.artifact),
    ] {
        if let Some(value) = value {
            target.insert(field.to_owned(), json!(value));
        }
    }
    let body = json!({
        "title": format!("Deploy {} at {short} to {place}", mapping.service),
        "description": format!("Deployment {} of {} to {}, told by {}.", told.deployment_id, told.repository, told.environment, connection.name),
        "category": "application",
        "targets": [target],
    });
    let body = body.as_object().cloned().unwrap_or_default();
    create_change_for(
        room,
        &body,
        &["title", "description", "category", "targets"],
        &requester,
    )
}

/// The commit, where one was told.
fn commit_of<'a>(told: &Told<'a>) -> Option<&'a str> {
    Some(told.commit).filter(|commit| !commit.is_empty())
}

/// The person behind the sender's account, if one is mapped and active.
fn sender(room: &mut Room<'_, '_>, told: &Told<'_>) -> Result<Option<PersonId>> {
    let Some(login) = told.sender else { return Ok(None) };
    let directory = room.directory()?;
    let account = format!("github:{}", login.to_lowercase());
    let found = directory
        .people
        .values()
        .find(|person| person.active && person.accounts.iter().any(|known| known.to_lowercase() == account));
    Ok(found.map(|person| person.id.clone()))
}

/// Moves the change's target by a status; answers whether that was lawful.
fn apply_status(
    room: &mut Room<'_, '_>,
    key: &str,
    mapping: &Mapping,
    environment: &EnvironmentKey,
    told: &Told<'_>,
    progress: &Progress,
    deployment_began_unlawfully: bool,
) -> Result<bool> {
    let outcome = match progress {
        Progress::InProgress => None,
        Progress::Success => Some(Outcome::Succeeded),
        Progress::Failure | Progress::Error => Some(Outcome::Failed),
        _ => return Ok(true),
    };
    let who = sender(room, told)?;
    let at = told.at.min(room.now);
    if deployment_began_unlawfully {
        return Ok(false);
    }
    let mut commits = crate::kin::commits_behind(room, told.artifact, commit_of(told))?;
    commits.extend(commit_of(told).map(str::to_owned));
    room.on_change(key, |case| {
        let target = case.change().content.targets.iter().find(|target| {
            target.service == mapping.service
                && &target.environment == environment
                && (target.commit.as_ref().is_some_and(|commit| commits.contains(commit))
                    || told.artifact.is_some() && target.artifact.as_deref() == told.artifact)
        });
        let Some(target) = target.map(|target| target.id.clone()) else {
            return Ok(false);
        };
        Ok(move_target(case, &target, outcome, at, who.clone()))
    })
}

fn move_target(
    case: &mut Case<'_>,
    target: &TargetId,
    outcome: Option<Outcome>,
    at: Timestamp,
    who: Option<PersonId>,
) -> bool {
    let done = case
        .change()
        .target_record(target)
        .is_some_and(|record| record.outcome.is_some());
    if done {
        // A late word on a target that has ended says nothing new.
        return true;
    }
    if case.change().state == State::Scheduled {
        if !was_open(case, target, at) {
            return false;
        }
        if let Some(person) = who.filter(|person| !case.change().implemented_by.contains(person)) {
            case.file.change.implemented_by.push(person);
        }
        model::verbs::work::begin(case, at);
    }
    if case.change().state != State::Implementing {
        return false;
    }
    match outcome {
        Some(outcome) => model::verbs::work::complete_by_signal(case, target, outcome, at),
        None => model::settle::settle(case),
    }
    true
}

/// Whether the gate would have said go for the target at the signal's own time.
fn was_open(case: &Case<'_>, target: &TargetId, at: Timestamp) -> bool {
    let rows = model::gate::rows(&case.file, &case.directory, case.now);
    let row = rows
        .iter()
        .find(|row| &row.target == target && row.purpose == Purpose::Deploy);
    row.is_some_and(|row| model::gate::judge(row, at).decision == GateDecision::Go)
}
