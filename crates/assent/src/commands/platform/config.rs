//! `assent config`: the server's settings, shown without starting it.

use clap::Subcommand;
use serde_json::json;

use crate::bridge;
use crate::failure::Result;
use crate::output::{Output, Tone};
use crate::server_flags::{Flags, merged, read, unread_variables};
use crate::settings::KEYS;

/// The server's settings.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say whether the settings can be used; exit 0 yes, 2 no.
    Check(Flags),
    /// Show every setting, its value and where it comes from.
    #[command(after_help = "Example: ASSENT_LISTEN=0.0.0.0:443 assent config explain")]
    Explain(Flags),
}

/// Runs a command of the group.
///
/// # Errors
/// The errors of the settings (exit code 2).
pub fn run(config: &Config, output: &Output) -> Result<u8> {
    for sentence in unread_variables() {
        output.talk(&format!("warning: {sentence}"));
    }
    match config {
        Config::Check(flags) => {
            bridge::check(&read(&merged(flags)?)?)?;
            output.data(&json!({"is_good": true}), |output| {
                output.line(&format!(
                    "{}: the settings can be used",
                    output.tone(Tone::Good, "good")
                ));
            });
        }
        Config::Explain(flags) => {
            let rows = merged(flags)?.rows();
            let items: Vec<_> = rows
                .iter()
                .zip(KEYS)
                .map(|([name, value, origin], key)| json!({"name": name, "value": value, "origin": origin, "about": key.about}))
                .collect();
            let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
            output.data(&json!({"items": items}), |output| {
                output.rows(&["setting", "value", "from"], &rows)
            });
        }
    }
    Ok(0)
}
