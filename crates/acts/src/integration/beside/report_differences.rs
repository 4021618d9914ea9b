//! Compares the decisions of a coexisting system with the rules here, in numbers and one by one.

use std::collections::BTreeMap;

use model::core::enums::ForeignDifference;
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::integration::foreign_change::ForeignChange;
use model::integration::foreign_system::ForeignSystem;
use serde::Deserialize;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun;
use crate::integration::beside::read_foreign::of_difference;

/// The most changes whose rules are counted.
const MOST_COUNTED: i64 = 20_000;

/// A rule that would have stopped changes, or a service whose changes it would have stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The rule's id, the code of a condition, or the service's key.
    pub key: String,
    /// How many changes.
    pub count: i64,
}

/// The comparison of a system.
#[derive(Debug, Clone)]
pub struct Report {
    /// The system.
    pub system: ForeignSystem,
    /// How many changes there are of each kind, in the order of the enum.
    pub counts: Vec<(ForeignDifference, i64)>,
    /// The rules that would have stopped changes of theirs, the most frequent one first.
    pub rules: Vec<Counted>,
    /// The services that this concerns.
    pub services: Vec<Counted>,
    /// Whether every change was counted for rules and services.
    pub is_whole: bool,
    /// The changes of the requested kind, after the given key.
    pub changes: Vec<ForeignChange>,
    /// The id behind which the next page begins.
    pub next: Option<String>,
}

/// The part of a change that is counted.
#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    unmet_rules: Vec<String>,
    #[serde(default)]
    service: Option<ServiceKey>,
}

/// Compares a system with the rules here (`GET /foreign-systems/{id}/differences`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn report_differences(
    cx: &mut Context<'_, '_>,
    id: &str,
    (difference, after, limit): (ForeignDifference, Option<&str>, i64),
) -> Result<Report> {
    noun::allow::<ForeignSystem>(cx, model::core::card::Does::Show)?;
    let Some(stored) = record::load::<ForeignSystem>(cx.tx, id)? else {
        return Err(Refusal::not_found("foreign-system").into());
    };
    let system = stored.record;
    let mut counts = Vec::new();
    for word in ForeignDifference::ALL {
        counts.push((
            *word,
            record::count::<ForeignChange>(cx.tx, &of_difference(&system.id, *word))?,
        ));
    }
    let filter = of_difference(&system.id, ForeignDifference::WouldStop)
        .order_by("id")
        .limit(MOST_COUNTED);
    let parts = record::parts::<ForeignChange, Part>(cx.tx, &filter)?;
    let stopped = counts.iter().find(|(word, _)| *word == ForeignDifference::WouldStop);
    let is_whole = stopped.is_none_or(|(_, count)| *count <= MOST_COUNTED);
    let services = parts
        .iter()
        .filter_map(|part| part.service.as_ref().map(|it| it.0.clone()));
    let services = counted(services);
    let rules = counted(parts.iter().flat_map(|part| part.unmet_rules.iter().cloned()));
    let mut filter = of_difference(&system.id, difference).order_by("id").limit(limit + 1);
    if let Some(after) = after {
        filter = filter.more("id", after);
    }
    let mut changes = record::bodies::<ForeignChange>(cx.tx, &filter)?;
    let most = usize::try_from(limit).unwrap_or_default();
    let has_more = changes.len() > most;
    changes.truncate(most);
    let next = changes.last().filter(|_| has_more).map(|it| it.id.to_string());
    Ok(Report {
        system,
        counts,
        rules,
        services,
        is_whole,
        changes,
        next,
    })
}

fn counted(keys: impl Iterator<Item = String>) -> Vec<Counted> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    let mut found: Vec<Counted> = counts.into_iter().map(|(key, count)| Counted { key, count }).collect();
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
    found
}
