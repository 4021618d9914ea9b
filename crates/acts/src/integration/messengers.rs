//! Several connections may report one deployment, and one key of a connection may cover several attempts. Finds the records
//! that belong together by place, build and time, in any order of their reports.

use jiff::Timestamp;
use model::change::ready_spans::SKEW;
use model::change::related_records::Deployment;
use model::core::enums::State;
use model::core::parse::later;
use model::integration::occurrence::{self, Phase, StatusReport};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::integration::early_rollback;
use crate::integration::find_change::find_change;
use crate::integration::move_target::conform;
use crate::integration::named_target::{Meant, Named};
use crate::integration::save_deployment::save_deployment;
use crate::integration::told_before::Before;
use crate::integration::told_deployment::{Here, ReportedStatus, completed, has_begun};

/// How many of the latest deployments to a place are examined for the same one.
const LOOKED_AT: i64 = 200;

/// The records under the key of a deployment in the reported place: one for each attempt.
pub(crate) struct KnownDeployments {
    base: String,
    /// The attempts in the order of their times.
    pub rows: Vec<Deployment>,
}

impl KnownDeployments {
    /// The key of an attempt's record.
    pub(crate) fn key(&self, place: usize) -> String {
        match place {
            0 => self.base.clone(),
            later => format!("{}~{}", self.base, later + 1),
        }
    }
}

/// Reads the records. A status may name another place than its deployment did, and their order must not decide where either
/// belongs: therefore one key has the first reported place, and one has this place.
///
/// # Errors
/// The store's.
pub(crate) fn known(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<KnownDeployments> {
    let first = format!("{}#{}", here.mapping.keyed_by(), here.told.deployment_id);
    let own = format!("{first}@{}", here.environment);
    let is_here = |row: &Deployment| &row.environment == here.environment && row.service == here.mapping.service;
    let told_here = with_key(cx, here, &own)?;
    let told_first = with_key(cx, here, &first)?;
    let is_of_here = told_here.is_some() || told_first.as_ref().is_some_and(|row| !is_here(row));
    let mut known = KnownDeployments {
        base: if is_of_here { own } else { first },
        rows: Vec::from_iter(told_here.or_else(|| told_first.filter(is_here))),
    };
    while !known.rows.is_empty() {
        let next = known.key(known.rows.len());
        let Some(row) = with_key(cx, here, &next)? else { break };
        known.rows.push(row);
    }
    Ok(known)
}

fn with_key(cx: &mut Context<'_, '_>, here: &Here<'_>, key: &str) -> Result<Option<Deployment>> {
    let filter = Filter::new()
        .equals("connection", here.connection.id.as_str())
        .equals("natural_key", key);
    Ok(record::find_one::<Deployment>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// The assumed start of a failure without one: for a target whose work a permit or a person began and whose deployment no
/// system reports, and for a rollback that a person or a permit began. A run that was stopped or left out never began.
///
/// # Errors
/// The store's.
pub(crate) fn begun_here(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    known: &KnownDeployments,
    word: &StatusReport,
) -> Result<Option<StatusReport>> {
    if Phase::of(&word.status) != Phase::Failed {
        return Ok(None);
    }
    let bound = known.rows.last().and_then(|row| row.change_key.clone());
    let found = match bound {
        Some(key) => Some(key),
        None => find_change(cx, here)?.map(|(_, key)| key),
    };
    let Some(key) = found else { return Ok(None) };
    let (change, at) = (cx.change(&key)?, word.at);
    let named = Named::of(cx, here.told.artifact, here.told.commit())?;
    let place = (&here.mapping.service, here.environment);
    let Some((target, meant)) = named.target_of(&change, place, false) else {
        return Ok(None);
    };
    let begins = |at: Timestamp| StatusReport {
        at,
        status: "in_progress".to_owned(),
    };
    if !meant.is_forward() {
        let is_taken = has_begun(&change, &target.id, at) && early_rollback::is_taken(cx, &change, &target.id, at)?;
        return Ok(is_taken.then(|| begins(at)));
    }
    if change.state != State::Implementing {
        return Ok(None);
    }
    let record = change.target_record(&target.id).filter(|it| it.outcome.is_none());
    let began = record.and_then(|it| it.actual_start.or(change.actual_start));
    let Some(began) = began.filter(|began| *began <= later(at, SKEW)) else {
        return Ok(None);
    };
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let told = record::bodies::<Deployment>(cx.tx, &filter)?;
    let is_here = |it: &Deployment| &it.service == place.0 && &it.environment == place.1;
    if told.iter().any(|it| is_here(it) && it.has_begun()) {
        return Ok(None);
    }
    Ok(Some(begins(began.min(at))))
}

/// Whether a kind of system reports only successful deployments: each success is an occurrence.
pub(crate) fn reports_only_success(kind: &str) -> bool {
    matches!(kind, "cdevents" | "cloudevents")
}

/// The record that belongs to the change: from the connection that reported this deployment first. Returns the reporting
/// connection's own record beside it, when it is another one.
///
/// # Errors
/// The store's.
pub(crate) fn subject(
    cx: &mut Context<'_, '_>,
    own: Deployment,
    told: &ReportedStatus<'_>,
) -> Result<(Option<Deployment>, Deployment)> {
    let Some(id) = own.same_as.clone() else {
        return Ok((None, own));
    };
    Ok(match record::load::<Deployment>(cx.tx, id.as_str())? {
        Some(root) => (Some(own), completed(&root.record, told)),
        None => (None, Deployment { same_as: None, ..own }),
    })
}

/// Separates a record from another connection's deployment when the start reported now is after that deployment's end. `before`
/// are the effective reports that this record had before.
///
/// # Errors
/// The store's.
pub(crate) fn part(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    own: &mut Deployment,
    before: &mut Vec<StatusReport>,
) -> Result<()> {
    let first = occurrence::effective(&own.words).into_iter().next();
    let Some(first) = first.filter(|it| Phase::of(&it.status) == Phase::Began && !before.contains(it)) else {
        return Ok(());
    };
    let Some(root) = own
        .same_as
        .as_ref()
        .map(|id| record::load::<Deployment>(cx.tx, id.as_str()))
    else {
        return Ok(());
    };
    let Some(mut root) = root?.map(|stored| stored.record) else {
        return Ok(());
    };
    let others = others(cx, &root, Some(&*own))?;
    if occurrence::is_same(&others.concat(), &first) {
        return Ok(());
    }
    let left = Before {
        others: &others,
        applied: &[],
    };
    if let Some(key) = root.change_key.clone().filter(|_| !root.unauthorized) {
        conform(cx, here, &key, (&left, before))?;
    }
    left.note(&mut root);
    save_deployment(cx, here, (None, root), None)?;
    own.same_as = None;
    before.clear();
    Ok(())
}

/// The effective reports of all other records of the same deployment.
///
/// # Errors
/// The store's.
pub(crate) fn others(
    cx: &mut Context<'_, '_>,
    root: &Deployment,
    own: Option<&Deployment>,
) -> Result<Vec<Vec<StatusReport>>> {
    let mut members = beside(cx, root)?;
    members.retain(|row| row.same_as.as_ref() == Some(&root.id) && own.is_none_or(|own| own.id != row.id));
    members.extend(own.map(|_| root.clone()));
    Ok(members.iter().map(|row| occurrence::effective(&row.words)).collect())
}

/// The latest deployments to the place of one; none where its own connection alone reports there, as in most places.
fn beside(cx: &mut Context<'_, '_>, row: &Deployment) -> Result<Vec<Deployment>> {
    let place = Filter::new()
        .equals("service", row.service.as_str())
        .equals("environment", row.environment.as_str())
        .descending_by("id");
    let latest = place.clone().limit(LOOKED_AT);
    let Some((oldest, _)) = record::versions::<Deployment>(cx.tx, &latest)?.pop() else {
        return Ok(Vec::new());
    };
    let elsewhere = place
        .differs("connection", row.connection.as_str())
        .at_least("id", oldest);
    if record::versions::<Deployment>(cx.tx, &elsewhere.limit(1))?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(record::bodies::<Deployment>(cx.tx, &latest)?)
}

/// The same deployment's record from the connection that reported it first: one place, one build, and close in time. A
/// connection reports one deployment under one key, so a second key of the same connection is another deployment.
///
/// # Errors
/// The store's.
pub(crate) fn root_of(cx: &mut Context<'_, '_>, row: &Deployment, word: &StatusReport) -> Result<Option<Deployment>> {
    let rows = beside(cx, row)?;
    let mut found: Option<(u64, Deployment)> = None;
    for root in rows.iter().filter(|it| it.same_as.is_none() && it.id != row.id) {
        let is_member = |it: &&Deployment| it.id == root.id || it.same_as.as_ref() == Some(&root.id);
        let members: Vec<&Deployment> = rows.iter().filter(is_member).collect();
        if members.iter().any(|it| it.connection == row.connection) {
            continue;
        }
        let words: Vec<StatusReport> = members.iter().flat_map(|it| occurrence::effective(&it.words)).collect();
        if !occurrence::is_same(&words, word) || !is_one_build(cx, row, root)? {
            continue;
        }
        let began = occurrence::began_at(&words).unwrap_or(root.at);
        let apart = began.duration_since(word.at).as_secs().unsigned_abs();
        if found.as_ref().is_none_or(|(best, _)| apart < *best) {
            found = Some((apart, root.clone()));
        }
    }
    Ok(found.map(|(_, root)| root))
}

fn commit(row: &Deployment) -> Option<&str> {
    Some(row.commit.as_str()).filter(|commit| !commit.is_empty())
}

/// Whether two records name one build: the same artifact or commit, equivalent commits, or the artifact and the commit of one
/// target.
fn is_one_build(cx: &mut Context<'_, '_>, row: &Deployment, root: &Deployment) -> Result<bool> {
    if row.artifact.is_some() && root.artifact.is_some() {
        return Ok(row.artifact == root.artifact);
    }
    let named = Named::of(cx, row.artifact.as_deref(), commit(row))?;
    let means = |named: &Named<'_>, artifact: Option<&str>, commit: Option<&str>| {
        named.means(artifact, commit, None).is_some_and(Meant::is_forward)
    };
    if means(&named, root.artifact.as_deref(), commit(root)) {
        return Ok(true);
    }
    let theirs = Named::of(cx, root.artifact.as_deref(), commit(root))?;
    if means(&theirs, row.artifact.as_deref(), commit(row)) {
        return Ok(true);
    }
    let is_of_one_kind = row.artifact.is_some() == root.artifact.is_some();
    let Some(key) = root.change_key.as_ref().filter(|_| !is_of_one_kind) else {
        return Ok(false);
    };
    let change = cx.change(key)?;
    let targets = change.content.targets.iter();
    Ok(targets
        .filter(|it| it.service == row.service && it.environment == row.environment)
        .any(|it| {
            let (artifact, commit) = (it.artifact.as_deref(), it.commit.as_deref());
            means(&named, artifact, commit) && means(&theirs, artifact, commit)
        }))
}

/// Of several commits and artifacts in one status, those that count: those of the known deployment, else those that an open
/// change names. If no change names any, none of the artifacts is *the* artifact.
///
/// # Errors
/// The store's.
pub(crate) fn choose<'a>(cx: &mut Context<'_, '_>, here: &Here<'a>) -> Result<ReportedStatus<'a>> {
    let told = here.told;
    let (commits, artifacts) = told.others;
    if commits.is_empty() && artifacts.is_empty() {
        return Ok(*told);
    }
    let commits: Vec<&'a str> = std::iter::once(told.commit)
        .chain(commits.iter().map(String::as_str))
        .collect();
    let artifacts: Vec<Option<&'a str>> = match artifacts {
        [] => vec![told.artifact],
        several => several.iter().map(|it| Some(it.as_str())).collect(),
    };
    let with = |commit: &'a str, artifact: Option<&'a str>| ReportedStatus {
        commit,
        artifact,
        ..*told
    };
    if let Some(row) = known(cx, here)?.rows.into_iter().next() {
        let commit = commits.into_iter().find(|it| *it == row.commit);
        let artifact = artifacts
            .into_iter()
            .flatten()
            .find(|it| Some(*it) == row.artifact.as_deref());
        return Ok(with(commit.unwrap_or(told.commit), artifact));
    }
    let mut best = None;
    for artifact in &artifacts {
        for commit in commits.iter().copied() {
            let told = with(commit, *artifact);
            let found = find_change(cx, &Here { told: &told, ..*here })?;
            if let Some((rank, _)) = found
                && best.as_ref().is_none_or(|(known, _)| rank > *known)
            {
                best = Some((rank, told));
            }
        }
    }
    Ok(best.map_or(*told, |(_, told)| told))
}
