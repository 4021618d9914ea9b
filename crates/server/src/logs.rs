//! Structured logs: JSON lines on standard error. They contain no secrets: headers and bodies are never logged.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Parts that log nothing finer than this, also where the finest level is set. The driver for PostgreSQL would log each
/// statement with its parameters: people's texts, digests of passwords, and text from addresses.
const SILENT: [&str; 2] = ["tokio_postgres=info", "postgres=info"];

/// Begins to write logs, at the level of `ASSENT_LOG` (by default `info`). A process with a logger of its own keeps that.
pub(crate) fn begin() {
    let words = std::env::var("ASSENT_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = filter(&words).unwrap_or_else(|_| quiet(EnvFilter::new("info")));
    let lines = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = lines.try_init();
}

/// The log's filter: levels and parts as in `info,server=debug`, with the driver's level limited.
///
/// # Errors
/// A text that is no such filter.
pub fn filter(words: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(words).map(quiet)
}

/// The same with those silent.
fn quiet(filter: EnvFilter) -> EnvFilter {
    SILENT.iter().fold(filter, |filter, directive| {
        filter.add_directive(directive.parse().expect("a directive of ours is well formed"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
    use super::*;

    #[test]
    fn statements_are_not_told_where_everything_is_asked_for() {
        for asked in [
            "debug",
            "trace",
            "tokio_postgres=debug,postgres=trace",
            "info,tokio_postgres=trace",
        ] {
            let said = filter(asked).unwrap().to_string();
            for directive in SILENT {
                let is_there = said
                    .split(',')
                    .filter(|it| it.split('=').next() == directive.split('=').next());
                assert_eq!(is_there.collect::<Vec<_>>(), [directive], "{asked}: {said}");
            }
        }
    }
}
