//! Reports from the outside: figures and the rows behind them.

mod bounded;
mod dashboards;
mod delivered;
mod exports;
pub(crate) mod figures;
mod homes;
mod role_questions;
mod search;
