//! `assent serve`: reads the settings and starts the server.

use clap::Args;

use crate::bridge;
use crate::failure::{Failure, Result};
use crate::server_flags::{Flags, log_format_name, merged, read, unread_variables};
use crate::settings::{KEYS, Kind, Merged};

/// Starts the server.
#[derive(Debug, Args)]
#[command(after_help = help())]
pub struct Serve {
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,
}

/// The help below the flags: every setting by its variable, also those that have no flag.
fn help() -> String {
    let mut text =
        "Settings, as variables; in ./assent.toml the same names in small letters, without ASSENT_:\n".to_owned();
    for key in KEYS {
        let usual = key.usual.map(|usual| format!(" [usual: {usual}]")).unwrap_or_default();
        let file = if key.kind == Kind::Secret {
            "; or its file in …_FILE"
        } else {
            ""
        };
        text.push_str(&format!(
            "  ASSENT_{}: {}{file}{usual}\n",
            key.name.to_uppercase(),
            key.about
        ));
    }
    text.push_str(
        "\nFlags win over variables, these over ./assent.toml; `assent config explain` shows what came from where.\n\
         Example: assent serve --demo --data /tmp/demo\n         \
         assent serve --listen 0.0.0.0:443 --public-url https://assent.example --tls-cert cert.pem --tls-key key.pem",
    );
    text
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
    let demo_days = merged
        .switch("demo")
        .then(|| i64::try_from(merged.number("demo_days")).unwrap_or(i64::MAX));
    bridge::serve(&settings, demo_days)?;
    Ok(0)
}

fn start_log(merged: &Merged) -> Result<()> {
    let filter = server::logs::filter(log_format_name(merged))
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
        // The usual hook writes lines that are no objects, which a reader of the log would lose.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    Ok(())
}

/// Where standard error is no terminal, a program reads the lines.
fn is_json(merged: &Merged) -> bool {
    use std::io::IsTerminal as _;
    let said = merged.text("log_format");
    said.map_or_else(|| !std::io::stderr().is_terminal(), |word| word == "json")
}

/// Colours are for people at a terminal who have not turned them off (<https://no-color.org>); a file gets plain lines.
fn has_colours() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_help_of_serve_names_every_setting() {
        let mut command = crate::cli::Cli::command();
        let serve = command.find_subcommand_mut("serve").unwrap();
        let help = serve.render_help().to_string();
        for key in KEYS {
            let variable = format!("ASSENT_{}:", key.name.to_uppercase());
            assert!(help.contains(&variable), "{variable} is missing in\n{help}");
        }
    }
}
