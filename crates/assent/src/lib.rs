//! The binary's inside: `serve`, and a command line that uses a server's REST API or checks a server's signatures without
//! trusting it.
//!
//! One file per group of commands under `commands/`. A command's result goes to standard output, all other text to standard
//! error. Exit codes: 0 yes, 1 no, 2 could not be done or decided.

#[cfg(feature = "server")]
pub mod archive;
#[cfg(feature = "server")]
mod bridge;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod common;
#[cfg(feature = "server")]
mod companion;
mod dispatch;
pub mod failure;
#[cfg(feature = "server")]
pub mod host;
mod kube;
mod lists;
#[cfg(feature = "server")]
mod mail_address;
pub mod memory;
mod names;
pub mod output;
mod place;
mod progress;
#[cfg(feature = "server")]
mod server_flags;
#[cfg(feature = "server")]
pub mod settings;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::output::Output;

/// Reads the command line, runs the command and returns the exit code.
pub fn run<I: IntoIterator<Item = OsString>>(words: I) -> ExitCode {
    let cli = match cli::read(words) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results, everything else is a wrong call.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let output = Output::new(cli.common.json);
    let code = dispatch::run(&cli, &output).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit_code()
    });
    if let Some(why) = output::lost() {
        output.talk(&format!("assent: The result could not be written whole: {why}."));
        return ExitCode::from(2);
    }
    ExitCode::from(code)
}
