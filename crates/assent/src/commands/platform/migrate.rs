//! `assent migrate`: brings the schema of the data up to this program, without serving. A server does the same at its start; a
//! rollout of several runs it once before, so that no server of the new version waits for the migration of another.

use serde_json::json;

use crate::bridge::Host;
use crate::failure::Result;
use crate::output::Output;
use crate::place::Place;

/// Runs the migrations that wait.
///
/// # Errors
/// When the settings cannot be used, or the data cannot be opened.
pub fn run(place: &Place, output: &Output) -> Result<u8> {
    let settings = place.settings()?;
    let waiting = Host::waiting_migrations(&settings)?;
    Host::open(&settings)?.close();
    output.data(&json!({"migrations": waiting}), |output| {
        output.line(&format!("{} migrations were run", waiting.len()));
        for name in &waiting {
            output.line(name);
        }
    });
    Ok(0)
}
