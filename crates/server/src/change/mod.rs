//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub(crate) mod bulk_acts;
pub(crate) mod keep_evidence;
pub(crate) mod member_rows;
pub(crate) mod search_words;
