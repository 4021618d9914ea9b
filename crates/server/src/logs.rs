//! Structured logs: JSON lines on standard error. Secrets stand in none: headers and bodies are never logged.

use tracing_subscriber::EnvFilter;

/// Begins to write logs, at the level of `ASSENT_LOG` (by default `info`). A process that logs already keeps its own way.
pub(crate) fn begin() {
    let filter = EnvFilter::try_from_env("ASSENT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = lines.try_init();
}
