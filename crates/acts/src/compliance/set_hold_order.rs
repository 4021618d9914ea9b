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
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::incident::keep::keep;

impl PlainNoun for HoldOrder {
    type Input = HoldOrderInput;

    fn key(&self) -> &str {
        self.id.as_str()
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
            let text = format!("{MOST} hold orders stand.");
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
        };
        keep(cx, "hold_order.placed", order, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let data = json!({"placed_by": self.by, "placed_at": self.at});
        let mut written = Written::default();
        let lifted = cx.put(&mut written, Self { active: false, ..self })?;
        tell_placer(cx, &mut written, &lifted)?;
        let subject = ("hold_order", lifted.id.0.clone());
        cx.tell(vec![draft("hold_order.lifted", subject, cx.now, data)], written)?;
        Ok(lifted)
    }
}

/// Whoever placed an order hears that somebody else lifted it, and who.
fn tell_placer(cx: &mut Context<'_, '_>, written: &mut Written, order: &HoldOrder) -> Result<()> {
    let directory = cx.directory()?;
    let me = cx.actor.person.clone();
    let is_here = directory.people.get(&order.by).is_some_and(|it| it.active);
    if order.by == me || !is_here {
        return Ok(());
    }
    let subject = "A legal hold that you placed was lifted";
    let text = format!("{} lifted the hold order {}.\n", directory.login(&me), order.id);
    let dedup = format!("hold_order_lifted/{}", order.id);
    save_message(
        cx,
        written,
        &order.by,
        None,
        ("hold_order_lifted", subject, &text, &dedup),
    )
}
