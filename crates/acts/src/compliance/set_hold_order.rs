//! Legal holds by change, service, person and span.

use std::collections::BTreeSet;

use model::compliance::hold_order::{HoldOrder, HoldOrderInput, MOST, check};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;
use store::change::changes;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::incident::keep::keep;

impl PlainNoun for HoldOrder {
    type Input = HoldOrderInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/hold-orders/{}/page", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: HoldOrderInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let people = check(&mut reading, &input, &directory);
        let changes: BTreeSet<String> = input.changes.iter().map(|key| key.to_uppercase()).collect();
        for key in &changes {
            if changes::id_of_key(cx.tx, key)?.is_none() {
                reading.wrong("changes", "unknown", format!("There is no change `{key}`."));
            }
        }
        if input.until.is_some_and(|until| until <= cx.now) {
            reading.wrong("until", "in_the_past", "`until` must lie ahead.");
        }
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST {
            let text = format!("{MOST} hold orders are active.");
            return Err(Refusal::not_now("too_many", text, "Lift one that is over.", Vec::new()).into());
        }
        let order = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            reason: input.reason,
            changes,
            services: input.services,
            people,
            from: input.from,
            to: input.to,
            until: input.until,
            by: cx.actor.person.clone(),
            at: cx.now,
            active: true,
            lift_asked_by: None,
            lift_handed_by: None,
            lift_asked_at: None,
            lift_asked_reason: None,
            lifted_by: None,
            lifted_at: None,
            lift_reason: None,
        };
        keep(cx, "hold_order.placed", order, json!({}))
    }
}
