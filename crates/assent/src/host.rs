//! The commands that need the server's inside: the server itself, the companion, and those that open the data of a host. The
//! client has none of them.

use clap::Subcommand;

use crate::commands::gate::gateway;
use crate::commands::platform::{backup, config, doctor, migrate, running_copies, serve};
use crate::common::Common;
use crate::failure::Result;
use crate::output::Output;
use crate::place::Place;

/// A command of the host.
#[derive(Debug, Subcommand)]
pub enum Host {
    /// Start the server.
    Serve(serve::Serve),
    /// Look at the server's settings without starting it.
    #[command(subcommand)]
    Config(config::Config),
    /// Stand beside a gateway: ask the server for it, and verify permits when the server is away.
    Gateway(gateway::Gateway),
    /// Save the embedded database and its evidence while the server runs.
    Backup(backup::Backup),
    /// Bring a backup, or a moment of a running copy, back into an empty data directory.
    Restore(backup::Restore),
    /// Make this host the one that serves the data of a running copy.
    Takeover(running_copies::Takeover),
    /// Find and explain what is wrong with an installation.
    Doctor(doctor::Doctor),
    /// On the host: bring the schema of the data up to this program, without serving.
    #[command(after_help = "Example: assent migrate --database postgres://assent@db/assent\n\n\
        Without --data and --database the settings say where: variables and ./assent.toml.")]
    Migrate {
        /// Where the data is.
        #[command(flatten)]
        place: Place,
    },
}

/// Runs the command; returns the exit code.
///
/// # Errors
/// Why something could not be done.
pub fn run(host: &Host, common: &Common, output: &Output) -> Result<u8> {
    match host {
        Host::Serve(serve) => serve::run(serve),
        Host::Config(config) => config::run(config, output),
        Host::Gateway(gateway) => gateway::run(gateway, common),
        Host::Backup(backup) => backup::backup(backup, output),
        Host::Restore(restore) => backup::restore(restore, output),
        Host::Takeover(takeover) => running_copies::takeover(takeover, output),
        Host::Doctor(doctor) => doctor::run(doctor, common, output),
        Host::Migrate { place } => migrate::run(place, output),
    }
}
