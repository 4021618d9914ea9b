//! Compares the permits that halting freezes voided with their events: these rows are no records.

use jiff::Timestamp;
use model::core::ids::{EnvironmentKey, ServiceKey};
use proof::event::Event;
use serde::Deserialize;
use store::gate::revocation::{self, NotBefore};

use super::Replay;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_names::HALTED;

/// The data of such an event.
#[derive(Debug, Deserialize)]
pub(super) struct Halt {
    /// Permits that were issued before this are void.
    issued_before: Timestamp,
    /// The epoch of its entries on the revocation list.
    epoch: i64,
    /// How many pairs of a service and an environment the freeze covered.
    pairs: usize,
    /// The covered services; all services if empty.
    #[serde(default)]
    services: Vec<ServiceKey>,
    /// The environments.
    #[serde(default)]
    environments: Vec<EnvironmentKey>,
}

impl Halt {
    fn covers(&self, row: &NotBefore) -> bool {
        let of_service = self.services.is_empty() || self.services.iter().any(|it| it.as_str() == row.service);
        let of_place =
            self.environments.is_empty() || self.environments.iter().any(|it| it.as_str() == row.environment);
        of_service && of_place
    }
}

impl Replay<'_> {
    /// Notes the permits that a halt voided, by its event.
    pub(super) fn note_halt(&mut self, event: &Event) {
        if event.kind != HALTED {
            return;
        }
        match serde_json::from_value(serde_json::Value::Object(event.data.clone())) {
            Ok(halt) => self.halts.push(halt),
            Err(error) => self.find(
                "event",
                &event.id,
                None,
                format!("What it halts cannot be read: {error}."),
            ),
        }
    }

    /// Every row comes from a halt in the log, and every halt's pairs have their rows. Halts of versions without such
    /// events are before the first event.
    pub(super) fn check_halts(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let rows = revocation::not_before(cx.tx)?;
        let directory = cx.directory()?;
        let is_known = |row: &NotBefore| {
            directory.services.contains_key(&ServiceKey::from(row.service.as_str()))
                && directory
                    .environments
                    .contains_key(&EnvironmentKey::from(row.environment.as_str()))
        };
        let epoch = revocation::state(cx.tx)?.epoch;
        let halts = std::mem::take(&mut self.halts);
        let first = halts.iter().map(|halt| halt.epoch).min().unwrap_or(i64::MAX);
        for row in &rows {
            let id = format!("{}/{}", row.service, row.environment);
            let is_told = |halt: &Halt| halt.epoch == row.epoch && halt.issued_before == row.iat && halt.covers(row);
            let is_older = row.epoch < first && halts.iter().all(|halt| row.iat <= halt.issued_before);
            if !is_known(row) {
                self.find(
                    "not_before",
                    &id,
                    None,
                    "It names what there is not; a halt voids what is there.",
                );
            } else if !(is_older || halts.iter().any(is_told)) || row.epoch > epoch {
                self.find("not_before", &id, None, "No event tells of a halt that wrote this row.");
            }
        }
        for halt in halts {
            let is_its = |row: &&NotBefore| is_known(row) && halt.covers(row) && row.iat >= halt.issued_before;
            let stand = rows.iter().filter(is_its).count();
            if stand < halt.pairs {
                let what = format!(
                    "A halt voided the permits of {} pairs of a service and an environment, {stand} of them are left.",
                    halt.pairs
                );
                self.find("not_before", &halt.epoch.to_string(), None, what);
            }
        }
        Ok(())
    }
}
