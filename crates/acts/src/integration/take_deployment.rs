//! Applies a signal about a deployment: finds its change, or makes one by the mapping, and moves the change's target. Signals
//! may come late, doubled and in any order: each is judged by when it occurred.

use jiff::Timestamp;
use model::change::related_records::Deployment;
use model::core::ids::RecordId;
use model::integration::occurrence::{self, Phase, StatusReport};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::integration::find_change::find_change;
use crate::integration::messengers::{self, KnownDeployments};
use crate::integration::move_target::{Lawfulness, apply_report, conform};
use crate::integration::save_deployment::save_deployment;
use crate::integration::told_before::Before;
use crate::integration::told_deployment::{Here, ReportedStatus, completed};
use crate::integration::{create_mapped, early_rollback};

/// Applies one report about a deployment; returns the result as text.
///
/// # Errors
/// The store's.
pub(crate) fn take_deployment(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<String> {
    let told = here.told;
    let known = messengers::known(cx, here)?;
    if known.rows.iter().any(|row| is_seen(row, told)) {
        return Ok("known already".to_owned());
    }
    let Some((id, progress)) = told.status else {
        return take_request(cx, here, &known);
    };
    let word = StatusReport {
        at: told.at.min(cx.now),
        status: progress.as_str().to_owned(),
    };
    let mut words: Vec<StatusReport> = known.rows.iter().flat_map(|row| row.words.clone()).collect();
    if words.len() >= occurrence::MOST_WORDS {
        return Ok("noted: too much was told of this deployment already".to_owned());
    }
    if !words.contains(&word) {
        words.push(word.clone());
    }
    if is_end_without_start(&words, &word)
        && let Some(began) = messengers::begun_here(cx, here, &known, &word)?
    {
        words.push(began);
    }
    let attempts = occurrence::attempts(&words, messengers::reports_only_success(&here.connection.kind));
    let mut result = String::new();
    for (place, attempt) in attempts.into_iter().enumerate() {
        let has_word = attempt.contains(&word);
        let row = match known.rows.get(place) {
            Some(row) if !has_word && is_as_known(row, &attempt) => continue,
            Some(row) => completed(row, told),
            None => fresh(cx, here, known.key(place))?,
        };
        let said = take_attempt(cx, here, row, attempt, Some(id).filter(|_| has_word))?;
        if has_word {
            result = said;
        }
    }
    Ok(result)
}

/// Whether a report is an end without any known start of its deployment.
fn is_end_without_start(words: &[StatusReport], word: &StatusReport) -> bool {
    Phase::of(&word.status).is_end() && occurrence::began_at(words).is_none()
}

fn is_seen(row: &Deployment, told: &ReportedStatus<'_>) -> bool {
    match told.status {
        Some((id, _)) => row.seen_statuses.iter().any(|known| known == id),
        None => (row.change.is_some() || row.same_as.is_some()) && completed(row, told) == *row,
    }
}

fn is_as_known(row: &Deployment, attempt: &[StatusReport]) -> bool {
    row.words.len() == attempt.len() && attempt.iter().all(|word| row.words.contains(word))
}

/// Handles a request for a deployment: it is bound to the change that another system leads at the time, to one that it names,
/// or to a new one.
fn take_request(cx: &mut Context<'_, '_>, here: &Here<'_>, known: &KnownDeployments) -> Result<String> {
    let mut row = match known.rows.first() {
        Some(row) => completed(row, here.told),
        None => fresh(cx, here, known.key(0))?,
    };
    let mut refused = String::new();
    if row.change.is_none() && row.same_as.is_none() {
        let asked = StatusReport {
            at: here.told.at.min(cx.now),
            status: "requested".to_owned(),
        };
        let beside = messengers::root_of(cx, &row, &asked)?.and_then(|root| root.change_key);
        refused = bind(cx, here, &mut row, (beside, true))?;
    }
    let key = row.change_key.clone().unwrap_or_default();
    save_deployment(cx, here, (None, row), None)?;
    Ok(joined([format!("deployment of {key}"), refused]))
}

/// The non-empty parts of a delivery's result.
fn joined<const N: usize>(parts: [String; N]) -> String {
    let said: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    said.join(", ")
}

/// Gives a deployment its change: the known one, one that the deployment names, or, where allowed, a new one. Returns the text
/// about a new change that no person was allowed to submit.
fn bind(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    row: &mut Deployment,
    (beside, may_make): (Option<String>, bool),
) -> Result<String> {
    let found = match beside {
        Some(key) => Some(key),
        None => find_change(cx, here)?.map(|(_, key)| key),
    };
    let (key, refused) = match found {
        Some(key) => (key, None),
        None if may_make => create_mapped::create_mapped(cx, here, row)?,
        None => return Ok(String::new()),
    };
    let change = cx.change(&key)?;
    row.change = Some(change.id);
    row.change_key = Some(change.key);
    Ok(refused.map_or_else(String::new, |it| {
        format!("a draft that was not handed in: {}", it.text())
    }))
}

/// Applies the new reports of one attempt. `id` names the present status.
fn take_attempt(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    mut own: Deployment,
    attempt: Vec<StatusReport>,
    id: Option<&str>,
) -> Result<String> {
    let mut before = occurrence::effective(&own.words);
    own.words = attempt;
    own.seen_statuses.extend(id.map(str::to_owned));
    own.seen_statuses.sort();
    note_status(&mut own);
    messengers::part(cx, here, &mut own, &mut before)?;
    let after = occurrence::effective(&own.words);
    let news: Vec<StatusReport> = after.iter().filter(|it| !before.contains(it)).cloned().collect();
    if let Some(first) = news.first().filter(|_| before.is_empty() && own.same_as.is_none())
        && let Some(root) = messengers::root_of(cx, &own, first)?
    {
        own.same_as = Some(root.id);
        (own.change, own.change_key) = (None, None);
    }
    let (own, mut subject) = messengers::subject(cx, own, here.told)?;
    let status = here.told.status.map_or("", |(_, it)| it.as_str());
    let mut refused = String::new();
    if subject.change.is_none() {
        let may_make = !news.is_empty() || Phase::of(status) == Phase::Asked;
        refused = bind(cx, here, &mut subject, (None, may_make))?;
    }
    let Some(key) = subject.change_key.clone() else {
        save_deployment(cx, here, (own, subject), None)?;
        return Ok(format!("noted: {status}, {NO_BEGINNING}"));
    };
    let was_unauthorized = subject.unauthorized;
    let others = messengers::others(cx, &subject, own.as_ref())?;
    let came = take_news(cx, here, (&key, &mut subject), (&others, before.clone()), &news)?;
    let all = Before {
        others: &others,
        applied: &after,
    };
    let has_lost = before.iter().any(|it| !after.contains(it));
    if (has_lost || all.is_ended_by_others()) && !subject.unauthorized {
        conform(cx, here, &key, (&all, &before))?;
    }
    all.note(&mut subject);
    let is_lawful = !subject.unauthorized && !subject.is_early && !news.is_empty();
    if was_unauthorized && is_lawful {
        early_rollback::save_cleared(cx, subject)?;
        if let Some(own) = own {
            save_deployment(cx, here, (None, own), None)?;
        }
    } else {
        save_deployment(cx, here, (own, subject), came.failed_at)?;
    }
    if is_lawful {
        early_rollback::take_up(cx, here, &key)?;
    }
    let is_held = Phase::of(status).is_end() && !after.iter().any(|it| it.status == status);
    let what = if is_held { NO_BEGINNING } else { came.what };
    Ok(joined([format!("{status} for {key}"), what.to_owned(), refused]))
}

/// The text about an end that has no effect.
const NO_BEGINNING: &str = "which has no effect: no beginning was told before it";

/// The result of reports.
#[derive(Default)]
struct Came {
    /// The text about the last report.
    what: &'static str,
    /// When a failure was first reported.
    failed_at: Option<Timestamp>,
}

/// Applies reports in the order of their times, and notes on the deployment whether they were lawful.
fn take_news(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    (key, subject): (&str, &mut Deployment),
    (others, mut applied): (&[Vec<StatusReport>], Vec<StatusReport>),
    news: &[StatusReport],
) -> Result<Came> {
    let mut came = Came::default();
    for word in news {
        let before = Before {
            others,
            applied: &applied,
        };
        came.what = match apply_report(cx, here, key, word, (&*subject, &before))? {
            Lawfulness::Lawful => {
                subject.unauthorized = false;
                ""
            }
            Lawfulness::Early => {
                subject.is_early = true;
                "before the start that it leads back from was told"
            }
            Lawfulness::Unlawful => {
                subject.unauthorized = true;
                "without a lawful start"
            }
        };
        let phase = Phase::of(&word.status);
        if phase.is_end() && phase != Phase::Succeeded && !before.has_failed_as(phase) {
            came.failed_at = Some(word.at);
        }
        applied.push(word.clone());
    }
    Ok(came)
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
        words: Vec::new(),
        same_as: None,
        status: None,
        status_at: None,
        mapped: None,
        mapping_facts: None,
        unauthorized: false,
        is_early: false,
        at: here.told.at,
    })
}

/// The effective status: the end that counts, else the start, else the latest report.
fn note_status(row: &mut Deployment) {
    let effective = occurrence::effective(&row.words);
    let stands = occurrence::last_end(&effective)
        .or_else(|| effective.last().cloned())
        .or_else(|| row.words.iter().max().cloned());
    if let Some(word) = stands {
        row.status = Some(word.status);
        row.status_at = Some(word.at);
    }
}
