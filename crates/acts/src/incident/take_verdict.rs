//! Takes a canary verdict of an outside system: it is kept on the changes that are at work or watched where it was reached.

use jiff::Timestamp;
use model::change::around::canary::keep_verdict;
use model::change::change_file::people_in_charge;
use model::change::record::Change;
use model::change::waves::report;
use model::core::enums::WatchResult;
use model::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Connection;
use model::incident::watch_verdict::{TEXT, WatchVerdict, WatchVerdictInput};
use model::integration::signal::Verdict;
use serde_json::json;
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::incident::watched_changes::watched_at;
use crate::integration::unmatched_deliveries::NOTHING;

/// The most changes that store one verdict.
const MOST: usize = 5;

impl PlainNoun for WatchVerdict {
    type Input = WatchVerdictInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    /// Only outside systems report verdicts.
    fn add(_cx: &mut Context<'_, '_>, _input: WatchVerdictInput, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }
}

/// The verdicts on a change, in the order in which they were taken.
///
/// # Errors
/// The store's.
pub(crate) fn verdicts_on(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<WatchVerdict>> {
    Ok(record::bodies::<WatchVerdict>(
        cx.tx,
        &Filter::new().equals("change", change).order_by("id"),
    )?)
}

/// Applies a verdict; returns the result as text.
///
/// # Errors
/// The store's.
pub fn take_verdict(cx: &mut Context<'_, '_>, connection: &str, verdict: &Verdict) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let Some((service, environment)) = place_of(&connection, verdict) else {
        return Ok(format!("noted: {} in {} {NOTHING}", verdict.judged, verdict.place));
    };
    let changes = watched(cx, (&service, &environment), verdict.at)?;
    if changes.is_empty() {
        return Ok(format!(
            "noted: no change of {service} in {environment} was at work or watched then"
        ));
    }
    let mut keys = Vec::new();
    for change in changes {
        if keep(cx, &connection, verdict, (&service, &environment), &change)? {
            keys.push(change.key);
        }
    }
    Ok(match keys.is_empty() {
        true => "known already".to_owned(),
        false => format!("{} is kept on {}", verdict.result, keys.join(", ")),
    })
}

/// Our service and environment of the judged subject; none where the map has none or several.
fn place_of(connection: &Connection, verdict: &Verdict) -> Option<(ServiceKey, EnvironmentKey)> {
    let rows = connection.map.iter().filter(|row| row.is_of(&verdict.judged));
    let mut places = rows.filter_map(|row| {
        let mut names = row.environments.iter();
        let found = names.find(|(theirs, _)| theirs.eq_ignore_ascii_case(&verdict.place));
        found.map(|(_, ours)| (row.service.clone(), ours.clone()))
    });
    places.next().filter(|_| places.next().is_none())
}

/// The changes of a place with an instant in their work or watch.
fn watched(
    cx: &mut Context<'_, '_>,
    (service, environment): (&ServiceKey, &EnvironmentKey),
    at: Timestamp,
) -> Result<Vec<Change>> {
    let mut found = watched_at(cx, at)?;
    found.retain(|change| {
        let mut targets = change.content.targets.iter();
        targets.any(|it| it.service == *service && it.environment == *environment)
    });
    found.truncate(MOST);
    Ok(found)
}

/// Stores a verdict on a change, once, and adds it to the evidence; a verdict other than pass is reported to the people in
/// charge.
fn keep(
    cx: &mut Context<'_, '_>,
    connection: &Connection,
    verdict: &Verdict,
    (service, environment): (&ServiceKey, &EnvironmentKey),
    change: &Change,
) -> Result<bool> {
    let parts = json!([connection.id, verdict.source_key, change.key]).to_string();
    let natural_key = proof::crypto::digest_text(parts.as_bytes());
    let known = Filter::new().equals("natural_key", natural_key.as_str());
    if record::count::<WatchVerdict>(cx.tx, &known)? > 0 {
        return Ok(false);
    }
    let taken = WatchVerdict {
        id: RecordId(cx.new_id()?),
        version: 0,
        change: change.key.clone(),
        connection: connection.id.clone(),
        natural_key,
        judged: verdict.judged.clone(),
        service: service.clone(),
        environment: environment.clone(),
        result: verdict.result,
        text: verdict.text.as_ref().map(|text| text.chars().take(TEXT).collect()),
        at: verdict.at,
    };
    let mut written = Written::default();
    let taken = cx.put(&mut written, taken)?;
    if taken.result != WatchResult::Passed {
        let directory = cx.directory()?;
        let subject = format!("{}: the canary of {service} is {}", change.key, taken.result);
        let said = taken.text.clone().unwrap_or_default();
        let text = format!("{subject}, which is no pass. {said}\nCheck whether the change has to be rolled back.\n");
        for person in people_in_charge(change, &directory) {
            let dedup = format!("watch_verdict/{}/{person}", taken.id);
            let about = Some((&change.id, change.key.as_str()));
            save_message(
                cx,
                &mut written,
                &person,
                about,
                ("watch_verdict", &subject, &text, &dedup),
            )?;
        }
    }
    let data =
        json!({"change_key": change.key, "service": service, "environment": environment, "result": taken.result});
    cx.emit(
        vec![draft(
            "watch_verdict.taken",
            ("watch_verdict", taken.id.0.clone()),
            cx.now,
            data,
        )],
        written,
    )?;
    let is_halting = taken.result != WatchResult::Passed && change.wave_run.is_some();
    cx.on_change(change.id.as_str(), |case| {
        keep_verdict(case, &taken, &connection.name);
        if is_halting {
            report::note_watch(case);
        }
        Ok(())
    })?;
    Ok(true)
}
