//! Keeps what the policies were told with each decision, and finds it again.

use model::decision_facts::DecisionFacts;
use model::file::{ChangeFile, change_facts, target_facts};
use model::ids::RecordId;
use model::records::Approval;
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;
use crate::save::Written;

/// Writes the facts of the decisions that are new in `after`: they were taken on the file as it stood `before`.
///
/// # Errors
/// The store's.
pub(crate) fn keep_facts(
    room: &mut Room<'_, '_>,
    written: &mut Written,
    before: &ChangeFile,
    after: &ChangeFile,
) -> Result<()> {
    let is_new = |row: &&Approval| !before.approvals.iter().any(|old| old.id == row.id);
    let Some(decision) = after.approvals.iter().find(is_new) else {
        return Ok(());
    };
    if find_facts(room, decision)?.is_some() {
        return Ok(());
    }
    let directory = room.directory()?;
    let facts = DecisionFacts {
        id: RecordId(room.new_id()?),
        version: 0,
        change: decision.change.clone(),
        digest: decision.facts_digest.clone(),
        told: change_facts(before, &room.tenant()),
        targets: target_facts(before, &directory, room.now),
    };
    room.put(written, facts)?;
    Ok(())
}

/// The facts that a decision names; none of a decision from before they were kept.
///
/// # Errors
/// The store's.
pub(crate) fn find_facts(room: &mut Room<'_, '_>, decision: &Approval) -> Result<Option<DecisionFacts>> {
    let filter = Filter::new()
        .equals("change_id", decision.change.as_str())
        .equals("digest", decision.facts_digest.as_str());
    let found = record::find::<DecisionFacts>(room.tx, &filter.order_by("id").limit(1))?;
    Ok(found.into_iter().next().map(|stored| stored.record))
}
