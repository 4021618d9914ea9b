//! `assent serve`: reads the settings and starts the server.

use clap::Args;

use crate::bridge;
use crate::failure::{Failure, Result};
use crate::server_flags::{Flags, log_words, merged, read, unread_variables};
use crate::settings::Merged;

/// Starts the server.
#[derive(Debug, Args)]
#[command(
    after_help = "Flags win over ASSENT_* variables, these over ./assent.toml; `assent config explain` shows what came from where.\n\
    Example: assent serve --demo --data /tmp/demo\n         \
    assent serve --listen 0.0.0.0:443 --public-url https://assent.example --tls-cert cert.pem --tls-key key.pem"
)]
pub struct Serve {
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,
}

/// Starts the server and stays until it ends.
///
/// # Errors
/// Settings that cannot be used, or why the server could not start.
pub fn run(serve: &Serve) -> Result<u8> {
    let merged = merged(&serve.flags)?;
    let settings = read(&merged)?;
    start_log(&merged)?;
    for sentence in unread_variables() {
        tracing::warn!("{sentence}");
    }
    bridge::serve(&settings, merged.switch("demo"))?;
    Ok(0)
}

fn start_log(merged: &Merged) -> Result<()> {
    let filter = server::logs::filter(log_words(merged))
        .map_err(|error| Failure::could_not(format!("`log` cannot be used: {error}.")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log that cannot be written, on a full disk perhaps, must not end the thread that writes it.
        .log_internal_errors(false)
        .with_ansi(has_colours())
        .with_writer(std::io::stderr);
    let begun = if is_json(merged) {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    } else {
        builder.try_init()
    };
    begun.map_err(|error| Failure::could_not(format!("The log cannot be written: {error}.")))?;
    if is_json(merged) {
        // The usual hook writes lines that are no objects, which whoever reads the others would lose.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    Ok(())
}

/// Where nobody looks on, a program reads the lines.
fn is_json(merged: &Merged) -> bool {
    use std::io::IsTerminal as _;
    let said = merged.text("log_format");
    said.map_or_else(|| !std::io::stderr().is_terminal(), |word| word == "json")
}

/// Colours are for people at a terminal who did not ask for none (<https://no-color.org>); a file gets plain lines.
fn has_colours() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}
