//! Structured logs: JSON lines on standard error. Secrets stand in none: headers and bodies are never logged.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Who tells nothing finer than this, also where everything is asked for: the driver for PostgreSQL tells each statement with its
/// parameters, which are people's texts, digests of passwords, and whatever somebody put into an address.
const SILENT: [&str; 2] = ["tokio_postgres=info", "postgres=info"];

/// Begins to write logs, at the level of `ASSENT_LOG` (by default `info`). A process that logs already keeps its own way.
pub(crate) fn begin() {
    let words = std::env::var("ASSENT_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = filter(&words).unwrap_or_else(|_| quiet(EnvFilter::new("info")));
    let lines = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = lines.try_init();
}

/// What a log tells: levels and parts as in `info,server=debug`, whatever they ask of the driver.
///
/// # Errors
/// Words that are no such levels.
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
