//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub mod cyclonedx;
pub mod evidence;
pub mod evidence_formats;
pub mod in_toto;
pub mod junit;
pub mod members;
pub mod sarif;
mod sarif_log;
mod sarif_rules;
pub mod slsa;
