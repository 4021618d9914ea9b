//! Takes what a signal tells of a deployment: finds its change, or makes one as the mapping says, and moves the change's
//! target. Signals may come late, doubled and in any order: each is judged by when it occurred.

use jiff::Timestamp;
use model::approval::authority;
use model::change::change_file::Case;
use model::change::record::{Change, EarlierOutcome, TargetRecord};
use model::change::related_records::Deployment;
use model::change::work::{self, BY_SIGNAL};
use model::change::{ready_spans, settle};
use model::core::enums::{Outcome, OwnershipRole, Role, State, ValidationResult};
use model::core::ids::{PersonId, RecordId, TargetId};
use model::integration::signal::Progress;
use serde_json::json;
use store::change::changes;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::integration::named_target::{Meant, Named};
use crate::integration::told_deployment::{Here, Told, Word, go_back, has_begun, outcome_of, sender};
use crate::integration::{after_failure, create_mapped, early_rollback};

/// Takes one word on a deployment; answers what came of it, in words.
///
/// # Errors
/// The store's.
pub(crate) fn take_deployment(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<String> {
    let told = here.told;
    let keys = natural_keys(here);
    let told_here = with_key(cx, here, &keys[1])?;
    let told_first = with_key(cx, here, &keys[0])?;
    let is_taken = told_first.is_some();
    let is_here = |row: &Deployment| &row.environment == here.environment;
    let known = told_here.or_else(|| told_first.filter(is_here));
    let is_seen = |row: &Deployment| match told.status {
        Some((id, _)) => row.seen_statuses.iter().any(|known| known == id),
        None => completed(row, told) == *row,
    };
    if known.as_ref().is_some_and(is_seen) {
        return Ok("known already".to_owned());
    }
    let mut deployment = match known {
        Some(row) => completed(&row, told),
        None => fresh(cx, here, keys[usize::from(is_taken)].clone())?,
    };
    if deployment.change.is_none() {
        let key = match find_change(cx, here)? {
            Some(key) => key,
            None => create_mapped::create_mapped(cx, here, &mut deployment)?,
        };
        let change = cx.change(&key)?;
        deployment.change = Some(change.id);
        deployment.change_key = Some(change.key);
    }
    let key = deployment.change_key.clone().unwrap_or_default();
    let Some((id, progress)) = told.status else {
        save_deployment(cx, deployment, told)?;
        return Ok(format!("deployment of {key}"));
    };
    let was_unauthorized = deployment.unauthorized;
    let standing = if was_unauthorized {
        take_start_of_end(cx, here, &key, progress, &deployment)?
    } else {
        let word = word_of(cx, here, progress, &deployment)?;
        apply_status(cx, here, &key, &word)?
    };
    let mut result = format!("{} for {key}", progress.as_str());
    match standing {
        Standing::Lawful => deployment.unauthorized = false,
        Standing::Early => {
            result.push_str(", before the start that it leads back from was told");
            deployment.is_early = true;
        }
        Standing::Unlawful => {
            result.push_str(", without a lawful start");
            deployment.unauthorized = true;
        }
    }
    deployment.seen_statuses.push(id.to_owned());
    deployment.seen_statuses.sort();
    note_status(&mut deployment, progress, told.at);
    if was_unauthorized && standing == Standing::Lawful {
        early_rollback::save_cleared(cx, deployment)?;
    } else {
        save_deployment(cx, deployment, told)?;
    }
    if standing == Standing::Lawful {
        early_rollback::take_up(cx, here, &key)?;
    }
    Ok(result)
}

/// A start that is told after its deployment's end, which counted as unauthorized for want of it. Where the start was lawful
/// the end has its effect after all, as it would have had in order.
fn take_start_of_end(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    key: &str,
    progress: &Progress,
    deployment: &Deployment,
) -> Result<Standing> {
    let end = deployment.status.as_deref().and_then(outcome_of);
    let Some((outcome, ended_at)) = end.zip(deployment.status_at) else {
        return Ok(Standing::Unlawful);
    };
    if progress.as_str() != "in_progress" || ended_at < here.told.at {
        return Ok(Standing::Unlawful);
    }
    let start = Word {
        must_begin: true,
        told_before: None,
        ..word_of(cx, here, progress, deployment)?
    };
    if apply_status(cx, here, key, &start)? != Standing::Lawful {
        return Ok(Standing::Unlawful);
    }
    let end = Word {
        must_begin: false,
        outcome: Some(outcome),
        at: ended_at.min(cx.now),
        ..start
    };
    apply_status(cx, here, key, &end)
}

fn with_key(cx: &mut Context<'_, '_>, here: &Here<'_>, key: &str) -> Result<Option<Deployment>> {
    let filter = Filter::new()
        .equals("connection", here.connection.id.as_str())
        .equals("natural_key", key);
    Ok(record::find_one::<Deployment>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// The keys under which a deployment may be known: that of the place of which it was told first, and that of this place, if it
/// was told of another first. A status may name another place than its deployment did, and which of the two comes first must
/// not decide where either belongs.
fn natural_keys(here: &Here<'_>) -> [String; 2] {
    let first = format!("{}#{}", here.mapping.repository, here.told.deployment_id);
    let own = format!("{first}@{}", here.environment);
    [first, own]
}

fn fresh(cx: &mut Context<'_, '_>, here: &Here<'_>, natural_key: String) -> Result<Deployment> {
    Ok(Deployment {
        id: RecordId(cx.new_id()?),
        version: 0,
        connection: here.connection.id.clone(),
        natural_key,
        service: here.mapping.service.clone(),
        environment: here.environment.clone(),
        commit: here.told.commit.to_owned(),
        artifact: here.told.artifact.map(str::to_owned),
        change: None,
        change_key: None,
        seen_statuses: Vec::new(),
        status: None,
        status_at: None,
        mapped: None,
        mapping_facts: None,
        unauthorized: false,
        is_early: false,
        at: here.told.at,
    })
}

/// A deployment with what one more word adds: what was not said before, and the earliest time.
fn completed(row: &Deployment, told: &Told<'_>) -> Deployment {
    let mut row = row.clone();
    if row.commit.is_empty() {
        told.commit.clone_into(&mut row.commit);
    }
    if row.artifact.is_none() {
        row.artifact = told.artifact.map(str::to_owned);
    }
    row.at = row.at.min(told.at);
    row
}

/// What was told last may not be what happened last: ends stand over beginnings, and of two alike the later one stands.
fn note_status(deployment: &mut Deployment, progress: &Progress, at: Timestamp) {
    let word = progress.as_str();
    let stands = deployment
        .status
        .as_deref()
        .map(|known| (rank(known), deployment.status_at, known));
    if stands.is_none_or(|stands| stands < (rank(word), Some(at), word)) {
        deployment.status = Some(word.to_owned());
        deployment.status_at = Some(at);
    }
}

/// How far a word says that a deployment is.
fn rank(word: &str) -> u8 {
    match word {
        "success" | "failure" | "error" | "rolled_back" => 3,
        "in_progress" => 2,
        _ => 1,
    }
}

fn save_deployment(cx: &mut Context<'_, '_>, deployment: Deployment, told: &Told<'_>) -> Result<()> {
    let mut written = Written::default();
    let is_unlawful = deployment.unauthorized && told.status.is_some();
    let saved = cx.put(&mut written, deployment)?;
    let kind = if is_unlawful {
        "deployment.unauthorized"
    } else {
        "deployment.told"
    };
    let data = json!({
        "change": saved.change_key, "status": saved.status, "service": saved.service, "environment": saved.environment,
    });
    if is_unlawful {
        alert(cx, &mut written, &saved, told)?;
    }
    let event = draft(kind, ("deployment", saved.id.0.clone()), told.at, data);
    cx.tell(vec![event], written)?;
    let outcome = told.status.and_then(|(_, progress)| outcome_of(progress.as_str()));
    let has_failed = matches!(outcome, Some(Outcome::Failed | Outcome::RolledBack));
    // What follows a way back's failure follows once its start is told.
    if has_failed && !saved.unauthorized && !saved.is_early {
        after_failure::after_failure(cx, &saved, told.at.min(cx.now))?;
    }
    Ok(())
}

/// An unauthorized deployment reaches the service's owners and the change managers at once.
fn alert(cx: &mut Context<'_, '_>, written: &mut Written, deployment: &Deployment, told: &Told<'_>) -> Result<()> {
    let directory = cx.directory()?;
    let (service, environment) = (&deployment.service, &deployment.environment);
    let mut people = directory.with_role(Role::ChangeManager);
    let owners = directory.holders(service, environment, OwnershipRole::Owner, cx.now);
    people.extend(owners.into_iter().map(|holder| holder.person));
    let key = deployment.change_key.clone().unwrap_or_default();
    let subject = format!("Unauthorized deployment of {service} in {environment}");
    let (status, word) = told.status.map_or(("", "deployment"), |(id, it)| (id, it.as_str()));
    let text = format!(
        "A deployment of {service} to {environment} was told ({word}) although {key} was not open for it.\nLook at it; a retrospective change may follow.\n"
    );
    for person in people {
        let dedup = format!("unauthorized/{}/{status}/{person}", deployment.natural_key);
        let about = deployment.change.as_ref().map(|id| (id, key.as_str()));
        let message = (
            "unauthorized_deployment",
            subject.as_str(),
            text.as_str(),
            dedup.as_str(),
        );
        save_message(cx, written, &person, about, message)?;
    }
    Ok(())
}

/// Which of several changes a deployment is of, the better the greater: whether it is lawful, goes forward and is open; how
/// far it is; the older one first.
type Rank = (bool, bool, bool, State, i64);

/// The open change of this service, environment and commit (or artifact) that is furthest along. An artifact that is a
/// target's way back leads to its change from its start, which may be told later, until that is closed; where a permit for
/// it was good at that time, also when it is told after that.
fn find_change(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<Option<String>> {
    let told = here.told;
    let (service, place) = (here.mapping.service.as_str(), here.environment.as_str());
    let named = Named::of(cx, told.artifact, told.commit())?;
    let mut rows = changes::targets_for(cx.tx, service, place, told.artifact, None)?;
    for commit in named.commits() {
        rows.extend(changes::targets_for(cx.tx, service, place, None, Some(commit))?);
    }
    let mut found: Option<(Rank, String)> = None;
    for row in rows {
        let change = cx.change(&row.change_id)?;
        let (artifact, commit) = (row.artifact.as_deref(), row.commit.as_deref());
        let Some(meant) = named.means(artifact, commit, row.rollback_to.as_deref()) else {
            continue;
        };
        let (is_forward, is_open) = (meant.is_forward(), change.state.is_open());
        let fits = if meant == Meant::Back {
            has_begun(&change, &TargetId::from(row.target_id.as_str()), told.at.min(cx.now))
                || early_rollback::is_permitted(cx, &change, &row.target_id, told.at)?
                || is_open && early_rollback::may_be_early(cx, &change, &row.target_id, told.at)?
        } else {
            is_open && (row.state == "open" || row.state == Outcome::RollbackFailed.as_str())
        };
        if !fits {
            continue;
        }
        // As at the gate, a way back is not hidden by what may not go forward.
        let is_lawful = !is_forward
            || change.state == State::Implementing
            || early_rollback::may_be_early(cx, &change, &row.target_id, told.at)?;
        let rank = (is_lawful, is_forward, is_open, change.state, -change.number);
        if found.as_ref().is_none_or(|(best, _)| rank > *best) {
            found = Some((rank, change.key));
        }
    }
    Ok(found.map(|(_, key)| key))
}

/// What a status was for the change that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It was what the change allowed, and has had its effect.
    Lawful,
    /// A way back that a permit allows; its effect waits for the start that it leads back from.
    Early,
    /// Nothing allowed it.
    Unlawful,
}

impl Standing {
    fn of(is_lawful: bool) -> Self {
        if is_lawful { Self::Lawful } else { Self::Unlawful }
    }
}

/// What a status says, with what is known of its deployment.
fn word_of(cx: &mut Context<'_, '_>, here: &Here<'_>, progress: &Progress, deployment: &Deployment) -> Result<Word> {
    Ok(Word {
        is_start: progress.as_str() == "in_progress",
        must_begin: false,
        outcome: outcome_of(progress.as_str()),
        at: here.told.at.min(cx.now),
        who: sender(cx, here)?,
        told_before: deployment.status.as_deref().and_then(outcome_of),
        made_the_change: deployment.mapped.as_ref().is_some_and(|it| it.template.is_some()),
    })
}

/// Moves the change's target by a word.
fn apply_status(cx: &mut Context<'_, '_>, here: &Here<'_>, key: &str, word: &Word) -> Result<Standing> {
    if word.outcome.is_none() && !word.is_start {
        return Ok(Standing::Lawful);
    }
    let told = here.told;
    let named = Named::of(cx, told.artifact, told.commit())?;
    let permitted = early_rollback::permitted(cx, key, word.at)?;
    cx.on_change(key, |case| {
        let place = (&here.mapping.service, here.environment);
        let found = named.target_of(case.change(), place, word.told_before.is_some());
        let Some((target, meant)) = found.map(|(target, meant)| (target.id.clone(), meant)) else {
            return Ok(Standing::Unlawful);
        };
        if meant.is_forward() {
            return Ok(Standing::of(move_target(case, &target, word)));
        }
        if go_back(case, &target, word) {
            return Ok(Standing::Lawful);
        }
        // What is closed stays as it is; what has not begun is moved by its start.
        Ok(match (permitted.contains(&target), case.change().state) {
            (true, State::Closed) => Standing::Lawful,
            (true, _) => Standing::Early,
            (false, _) => Standing::Unlawful,
        })
    })
}

fn move_target(case: &mut Case<'_>, target: &TargetId, word: &Word) -> bool {
    let done = case
        .change()
        .target_record(target)
        .filter(|record| record.outcome.is_some() && !is_repair(case.change(), record, word))
        .cloned();
    if let Some(record) = done {
        say_late(case, &record, word);
        return !word.must_begin;
    }
    let may_go = match case.change().state {
        State::Authorizing | State::Approved | State::Scheduled => may_begin(case, target, word),
        State::Implementing => ready_spans::may_go_on(case, target, word.at),
        _ => false,
    };
    if !may_go {
        return false;
    }
    if case.change().state != State::Implementing {
        note_implementer(case, word.who.as_ref());
        work::begin(case, word.at);
    }
    backdate(case, target, word.at);
    match word.outcome {
        Some(outcome) => work::complete_by_signal(case, target, outcome, word.at),
        None => settle::settle(case),
    }
    true
}

/// Whether a word is about work that followed a failed rollback, which leaves the target open.
fn is_repair(change: &Change, record: &TargetRecord, word: &Word) -> bool {
    let is_later = record.actual_end.is_some_and(|end| end < word.at);
    record.is_open() && change.state == State::Implementing && is_later
}

/// Whether a word may begin the change. Whose yes counts only beside another's work is no lawful trigger of it.
fn may_begin(case: &Case<'_>, target: &TargetId, word: &Word) -> bool {
    let is_apart = |person| authority::approved_apart(&case.file, person).is_some();
    ready_spans::was_open(case, target, word.at, word.made_the_change) && !word.who.as_ref().is_some_and(is_apart)
}

/// Whoever triggered a deployment implements the change.
fn note_implementer(case: &mut Case<'_>, who: Option<&PersonId>) {
    if let Some(person) = who.filter(|person| !case.change().implemented_by.contains(person)) {
        case.file.change.implemented_by.push(person.clone());
    }
}

/// A word that comes after its target's end: an earlier start, an end that another followed, or the end that counts. What
/// people stated stands.
fn say_late(case: &mut Case<'_>, record: &TargetRecord, word: &Word) {
    if !matches!(case.change().state, State::Implementing | State::Reviewing) {
        return;
    }
    let by_signals_alone = record.earlier.iter().all(|it| it.reason == BY_SIGNAL);
    let has_stood = |outcome| by_signals_alone && record.earlier.iter().any(|it| it.outcome == outcome);
    let was_told = word
        .told_before
        .is_some_and(|told| record.outcome == Some(told) || has_stood(told));
    let Some(outcome) = word.outcome else {
        if was_told {
            backdate(case, &record.target, word.at);
        }
        return;
    };
    let is_later = record.actual_end.is_some_and(|end| end < word.at);
    if record.outcome == Some(outcome) {
        // A person typed it before: now it is more than their word.
        return work::observe(case, &record.target, outcome);
    }
    if !was_told && is_later {
        return;
    }
    if !is_later {
        if was_told {
            backdate(case, &record.target, word.at);
        }
        note_earlier(case, &record.target, outcome);
        return;
    }
    let is_refuted = outcome == Outcome::Succeeded
        && case
            .change()
            .validations
            .last()
            .is_some_and(|it| it.result == ValidationResult::DoesNot);
    if !is_refuted {
        work::complete_by_signal(case, &record.target, outcome, word.at);
    }
}

/// Keeps an outcome that was told after the one that followed it.
fn note_earlier(case: &mut Case<'_>, target: &TargetId, outcome: Outcome) {
    let (by, at) = (case.person(), case.now);
    let change = &mut case.file.change;
    let validations = i64::try_from(change.validations.len()).unwrap_or(i64::MAX);
    let reviews = i64::try_from(change.reviews.len()).unwrap_or(i64::MAX);
    let Some(record) = change.target_records.iter_mut().find(|it| &it.target == target) else {
        return;
    };
    if record.earlier.iter().any(|it| it.outcome == outcome) {
        return;
    }
    record.earlier.push(EarlierOutcome {
        outcome,
        reason: BY_SIGNAL.to_owned(),
        by,
        at,
        validations,
        reviews,
    });
    case.tell("target.told_late", json!({"target": target, "outcome": outcome}));
    work::conclude_late(case);
}

/// Sets the start back to the earliest that was told.
fn backdate(case: &mut Case<'_>, target: &TargetId, at: Timestamp) {
    let change = &mut case.file.change;
    if let Some(record) = change.target_records.iter_mut().find(|it| &it.target == target) {
        record.actual_start = Some(record.actual_start.map_or(at, |known| known.min(at)));
    }
    change.actual_start = change.actual_start.map(|known| known.min(at));
}
