//! Vendors: the rules of their keys, people and connections.

use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::vendor::{MOST, Vendor, VendorInput};
use model::directory::vendor_rules::check;
use serde_json::json;
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};

impl PlainNoun for Vendor {
    type Input = VendorInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::find_one::<Self>(cx.tx, &Filter::new().equals("key", key))?;
        Ok(found.map(|stored| stored.record))
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn page(&self) -> Option<String> {
        Some(format!("/vendors/{}/parity", self.key))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: VendorInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let members = check(&mut reading, &input, None, &directory);
        check_connection(cx, &input, &mut reading)?;
        // A key stays a vendor's once it was in use: old notices name it.
        if !input.key.is_empty() && Self::found(cx, &input.key)?.is_some() {
            let text = format!("The key of vendor `{}` is or was in use.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if directory.vendors.len() >= MOST {
            let text = format!("A tenant has at most {MOST} vendors.");
            return Err(Refusal::not_now("too_many", text, "Take one out of use.", Vec::new()).into());
        }
        let vendor = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            name: input.name,
            contract: input.contract,
            contract_ends_at: input.contract_ends_at,
            services: input.services,
            contacts: input.contacts,
            members,
            connection: input.connection,
            active: true,
        };
        cx.put_estate("vendor.added", vendor, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: VendorInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let members = check(&mut reading, &input, Some(&self), &directory);
        check_connection(cx, &input, &mut reading)?;
        if input.key != self.key {
            reading.wrong(
                "key",
                "not_allowed",
                "Notices refer to a vendor by its key, so the key cannot change.",
            );
        }
        reading.finish()?;
        let edited = Self {
            name: input.name,
            contract: input.contract,
            contract_ends_at: input.contract_ends_at,
            services: input.services,
            contacts: input.contacts,
            members,
            connection: input.connection,
            ..self
        };
        cx.put_estate("vendor.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("vendor.ended", ended, json!({}))
    }
}

/// Notes a connection that does not exist, or that another vendor names: each notice comes from one vendor.
fn check_connection(cx: &mut Context<'_, '_>, input: &VendorInput, reading: &mut Reading<'_>) -> Result<()> {
    let Some(connection) = input.connection.as_ref().filter(|_| reading.says("connection")) else {
        return Ok(());
    };
    let found = connections::find(cx, connection.as_str())?;
    if found.is_none_or(|it| !it.active) {
        let text = format!("No connection has the id `{connection}`. `assent connection list` names them.");
        reading.wrong("connection", "unknown", text);
        return Ok(());
    }
    let directory = cx.directory()?;
    let is_other = |it: &&Vendor| it.connection.as_ref() == Some(connection) && it.key != input.key;
    if let Some(other) = directory.vendors.iter().find(is_other) {
        let text = format!(
            "Deliveries of this connection are notices of {} already.",
            other.called()
        );
        reading.wrong("connection", "not_unique", text);
    }
    Ok(())
}
