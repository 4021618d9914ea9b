//! The severity from which on an incident is major: proposed like any configuration that moves decisions.

use model::core::act;
use model::core::body::Body;
use model::core::enums::ConfigurationKind;
use model::core::parse::{Reading, TEXT};
use model::incident::major;
use model::policy::configuration::Configuration;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};

/// Proposes a bound (`POST /major-severity {severity, reason}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_major_severity(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let mut reading = Reading::new(body, "");
    let severity = reading.integer("severity", 0..=4);
    if severity.is_none() && !reading.says("severity") {
        let text = "`severity` is missing: 1 to 4, or 0 for no major incidents.";
        reading.wrong("severity", "missing", text);
    }
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let bound = severity.unwrap_or(major::USUAL_BOUND);
    let digest = configurations::of_major_severity(bound)?;
    let proposal = Configuration {
        major_severity: Some(bound),
        ..bare(cx, ConfigurationKind::MajorSeverity, digest, reason)?
    };
    save(cx, proposal)
}
