//! `assent-permit`: verifies a permit and does nothing else, for hosts that should carry one small static file.

use std::process::ExitCode;

use assent::commands::gate::permits::{Verify, verify};
use assent::output::Output;
use clap::Parser;

/// Verifies a permit without asking anybody; exit 0 good, 1 bad, 2 cannot tell.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    verify: Verify,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match verify(&cli.verify, &output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(2)
        }
    }
}
