//! How far a long command has come, shown on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Output;

/// A moving count on a terminal, nothing elsewhere.
pub(crate) fn bar(output: &Output) -> ProgressBar {
    if output.is_json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg}") {
        bar.set_style(style);
    }
    bar
}
