//! Probes of checklists: the rules of their keys and addresses.

use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::risk::probe::{MOST, Probe, ProbeInput, check};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};
use crate::integration::set_webhook::check_reach;

impl PlainNoun for Probe {
    type Input = ProbeInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: ProbeInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        check_reach(&mut reading, ("url", input.url.as_str()), &cx.services.tools().reaches);
        let known = Self::listed(cx)?;
        if known.iter().any(|probe| probe.key == input.key) {
            let text = format!("There is a probe `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= MOST {
            let text = format!("A tenant has at most {MOST} probes.");
            return Err(Refusal::not_now("too_many", text, "Take one out of use.", Vec::new()).into());
        }
        let probe = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            title: input.title,
            url: input.url,
            pointer: input.pointer,
            reads: input.reads,
            owner: input.owner,
            active: true,
        };
        cx.put_estate("probe.added", probe, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: ProbeInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        check_reach(&mut reading, ("url", input.url.as_str()), &cx.services.tools().reaches);
        if input.key != self.key {
            reading.wrong(
                "key",
                "not_allowed",
                "Rules refer to a probe by its key, so the key cannot change.",
            );
        }
        reading.finish()?;
        let edited = Self {
            title: input.title,
            url: input.url,
            pointer: input.pointer,
            reads: input.reads,
            owner: input.owner,
            ..self
        };
        cx.put_estate("probe.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("probe.ended", ended, json!({}))
    }
}
