//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub mod affected;
pub mod after;
pub mod around;
pub mod change_file;
pub mod closure;
pub mod conditions;
pub mod content;
pub mod custom_field;
pub mod custom_values;
pub mod duties;
pub mod eligible;
pub mod lifecycle;
pub(crate) mod next_step;
pub mod read_content;
pub mod ready_spans;
pub mod record;
pub mod related_records;
pub mod requirement;
pub mod settle;
pub mod success;
pub mod tasks;
pub mod template;
pub mod timers;
pub mod waiting_on;
pub mod work;
pub mod write;
