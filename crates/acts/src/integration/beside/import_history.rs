//! Imports the past of another system as reported later: the same file again adds nothing, and one wrong line refuses the whole.

use std::collections::BTreeMap;

use model::core::act::actions::SET_CONNECTION;
use model::core::card::NoInput;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::{FieldError, Refusal};
use model::integration::imported_change::{Import, ImportedChange, MOST_PROBLEMS, MOST_ROWS, Problem, Row, read};
use model::report::evaluate::Window;
use model::report::population::RowFilter;
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};

/// How many keys are looked up at once.
const AT_ONCE: usize = 200;
/// The most rows listed when no page is requested.
const MOST_LISTED: i64 = 200;

/// The result of an import or of its dry run.
#[derive(Debug, Clone)]
pub struct Imported {
    /// How many rows are new.
    pub added: usize,
    /// How many rows were imported before with equal content.
    pub known: usize,
    /// The errors by line; empty where anything was written.
    pub problems: Vec<Problem>,
}

/// Imports rows (`POST /history-imports`); a dry run writes nothing and returns the errors.
///
/// # Errors
/// 403; 422 with each wrong line; the store's.
pub fn import_history(cx: &mut Context<'_, '_>, source: &str, (rows, is_dry_run): (&[Row], bool)) -> Result<Imported> {
    cx.allow(SET_CONNECTION)?;
    if rows.len() > MOST_ROWS {
        let text = format!(
            "There are {} rows; one import takes at most {MOST_ROWS}. Split the file.",
            rows.len()
        );
        return Err(Refusal::field("text", "too_many", text).into());
    }
    let (directory, by) = (cx.directory()?, cx.actor.person.clone());
    let import = Import {
        source,
        by: &by,
        directory: &directory,
        now: cx.now,
    };
    let (found, mut problems) = read(rows, import);
    let before = known(cx, source, &found)?;
    let mut fresh = Vec::new();
    let mut known = 0;
    for (line, change) in found {
        match before.get(&change.foreign_key) {
            None => fresh.push(change),
            Some(it) if it.tells_the_same(&change) => known += 1,
            Some(_) => {
                let text = format!(
                    "`{}` was imported before and said something else: what was reported stays.",
                    change.foreign_key
                );
                let error = FieldError::new("key", "differs", text);
                problems.push(Problem { line, error });
            }
        }
    }
    problems.sort_by_key(|problem| problem.line);
    if !is_dry_run && !problems.is_empty() {
        let named = problems.into_iter().take(MOST_PROBLEMS);
        let errors = named.map(|it| FieldError {
            field: format!("line {}: {}", it.line, it.error.field),
            ..it.error
        });
        return Err(Refusal::Invalid(errors.collect()).into());
    }
    let added = fresh.len();
    if !is_dry_run {
        keep(cx, source, fresh)?;
    }
    problems.truncate(MOST_PROBLEMS);
    Ok(Imported { added, known, problems })
}

fn known(
    cx: &mut Context<'_, '_>,
    source: &str,
    found: &[(usize, ImportedChange)],
) -> Result<BTreeMap<String, ImportedChange>> {
    let mut known = BTreeMap::new();
    for part in found.chunks(AT_ONCE) {
        let keys = part.iter().map(|(_, change)| change.foreign_key.as_str());
        let filter = Filter::new()
            .equals("source", source)
            .one_of("foreign_key", keys)
            .order_by("id");
        let rows = record::bodies::<ImportedChange>(cx.tx, &filter)?;
        known.extend(rows.into_iter().map(|it| (it.foreign_key.clone(), it)));
    }
    Ok(known)
}

fn keep(cx: &mut Context<'_, '_>, source: &str, fresh: Vec<ImportedChange>) -> Result<()> {
    let count = fresh.len();
    let (mut written, mut first) = (Written::default(), None);
    for change in fresh {
        let change = ImportedChange {
            id: RecordId(cx.new_id()?),
            ..change
        };
        let saved = cx.put(&mut written, change)?;
        first.get_or_insert(saved.id);
    }
    let Some(first) = first else { return Ok(()) };
    let data = json!({"source": source, "rows": count, "reported": "later"});
    let event = draft(
        "imported_change.added",
        ("imported_change", first.to_string()),
        cx.now,
        data,
    );
    cx.emit(vec![event], written)
}

/// How many imported changes a figure leaves out: those that ended in its window, as far as the filter can match them. A filter
/// on a field that imports lack leaves all of them out.
///
/// # Errors
/// The store's.
pub(crate) fn left_out(cx: &mut Context<'_, '_>, window: Window, filter: &RowFilter) -> Result<u64> {
    let is_told = filter.team.is_none()
        && filter.kind.is_none()
        && filter.category.is_none()
        && filter.risk.is_none()
        && filter.template.is_none()
        && filter.vendor.is_none();
    if !is_told || filter.within.as_ref().is_some_and(|it| it.is_empty()) {
        return Ok(0);
    }
    let mut rows = Filter::new()
        .at_least("ended_at", window.from)
        .less("ended_at", window.to);
    if let Some(service) = &filter.service {
        rows = rows.equals("service", service.as_str());
    }
    if let Some(environment) = &filter.environment {
        rows = rows.equals("environment", environment.as_str());
    }
    if let Some(within) = &filter.within {
        rows = rows.one_of("service", within.iter().map(|it| it.0.as_str()));
    }
    Ok(u64::try_from(record::count::<ImportedChange>(cx.tx, &rows)?).unwrap_or_default())
}

impl PlainNoun for ImportedChange {
    type Input = NoInput;
    const IS_HISTORY: bool = true;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().descending_by("id").limit(MOST_LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("imported-change").into())
    }
}
