//! Reports from the outside: figures and the rows behind them.

mod dashboards;
mod bounded;
mod exports;
mod figures;
