//! Drafts of the form of a new change: a person's unsent input. They decide nothing, so they have no event.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormDraft {
    /// The form's address behind the question mark; empty for the plain form.
    pub form: String,
    /// Grows with every save.
    pub version: i64,
    /// Names and values as JSON, in the form's order.
    pub answers: String,
    /// When it was saved last.
    pub saved_at: Timestamp,
}

fn draft(row: &Row) -> Result<FormDraft> {
    Ok(FormDraft {
        form: row.text("form")?,
        version: row.int("version")?,
        answers: row.text("answers")?,
        saved_at: row.time("saved_at")?,
    })
}

/// A person's drafts that were saved after a time, the newest first; at most `limit`.
pub fn list(tx: &mut Tx<'_>, person: &str, after: Timestamp, limit: i64) -> Result<Vec<FormDraft>> {
    tx.query(
        "SELECT form, version, answers, saved_at FROM form_draft
         WHERE tenant = $tenant AND person = $person AND saved_at > $after ORDER BY saved_at DESC, form LIMIT $limit",
        &[
            ("person", person.into()),
            ("after", after.into()),
            ("limit", limit.into()),
        ],
    )?
    .iter()
    .map(draft)
    .collect()
}

/// Keeps a draft; one of the same form is replaced.
pub fn save(tx: &mut Tx<'_>, person: &str, draft: &FormDraft) -> Result<()> {
    tx.execute(
        "INSERT INTO form_draft (tenant, person, form, version, answers, saved_at)
         VALUES ($tenant, $person, $form, $version, $answers, $saved_at)
         ON CONFLICT (tenant, person, form) DO UPDATE
         SET version = excluded.version, answers = excluded.answers, saved_at = excluded.saved_at",
        &[
            ("person", person.into()),
            ("form", draft.form.as_str().into()),
            ("version", draft.version.into()),
            ("answers", draft.answers.as_str().into()),
            ("saved_at", draft.saved_at.into()),
        ],
    )?;
    Ok(())
}

/// Removes a person's draft of a form; false when there was none.
pub fn delete(tx: &mut Tx<'_>, person: &str, form: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM form_draft WHERE tenant = $tenant AND person = $person AND form = $form",
        &[("person", person.into()), ("form", form.into())],
    )?;
    Ok(done > 0)
}

/// Removes all drafts of a person.
pub fn delete_of_person(tx: &mut Tx<'_>, person: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM form_draft WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )
}

/// Removes drafts of all tenants that were saved before a time, at most so many.
pub fn prune(tx: &mut CrossTx<'_>, before: Timestamp, most: i64) -> Result<u64> {
    tx.execute(PRUNE, &[("before", before.into()), ("most", most.into())])
}

/// The condition is repeated outside, as in a lease.
pub(crate) const PRUNE: &str = "DELETE FROM form_draft WHERE saved_at <= $before AND (tenant, person, form) IN
    (SELECT tenant, person, form FROM form_draft WHERE saved_at <= $before ORDER BY saved_at LIMIT $most)";
