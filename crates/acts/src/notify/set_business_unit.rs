//! Business units: the rules of their keys and contacts.

use std::collections::BTreeSet;

use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::notify::business_unit::{BusinessUnit, BusinessUnitInput, MOST, check};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};
use crate::guard::person_fields::{is_address, no_address};
use crate::notify::set_customer_list::refuse_opted_out;

impl PlainNoun for BusinessUnit {
    type Input = BusinessUnitInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: BusinessUnitInput, mut reading: Reading<'_>) -> Result<Self> {
        let contacts = checked(cx, (&input, None), &mut reading)?;
        let known = Self::listed(cx)?;
        if known.iter().any(|unit| unit.key == input.key) {
            let text = format!("There is a business unit `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= MOST {
            let text = format!("A tenant has at most {MOST} business units.");
            return Err(Refusal::not_now("too_many", text, "Remove one that nobody needs.", Vec::new()).into());
        }
        let unit = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            name: input.name,
            services: input.services,
            contacts,
            mail_addresses: input.mail_addresses,
            language: input.language,
            active: true,
        };
        cx.put_estate("business_unit.added", unit, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: BusinessUnitInput, mut reading: Reading<'_>) -> Result<Self> {
        let found = checked(cx, (&input, Some(&self)), &mut reading)?;
        if input.key != self.key {
            reading.wrong("key", "not_allowed", "The key of a business unit cannot change.");
        }
        // An edit that does not set the contacts keeps them, even those who have left.
        let contacts = match reading.says("contacts") {
            true => found,
            false => self.contacts.clone(),
        };
        reading.finish()?;
        let edited = Self {
            name: input.name,
            services: input.services,
            contacts,
            mail_addresses: input.mail_addresses,
            language: input.language,
            ..self
        };
        cx.put_estate("business_unit.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("business_unit.ended", ended, json!({}))
    }
}

/// Checks an input, for a known unit if any; returns the people behind the logins of its contacts.
fn checked(
    cx: &mut Context<'_, '_>,
    (input, known): (&BusinessUnitInput, Option<&BusinessUnit>),
    reading: &mut Reading<'_>,
) -> Result<BTreeSet<PersonId>> {
    check(reading, input);
    let directory = cx.directory()?;
    let mut contacts = BTreeSet::new();
    if reading.says("contacts") {
        for login in &input.contacts {
            match directory.by_login(login).filter(|person| person.active) {
                Some(person) => {
                    contacts.insert(person.id.clone());
                }
                None => {
                    let text = format!("No active person has the login `{login}`.");
                    reading.wrong("contacts", "unknown", text);
                }
            }
        }
    }
    for address in input.mail_addresses.iter().filter(|address| !is_address(address)) {
        reading.wrong("mail_addresses", "not_an_address", no_address(address));
    }
    // An address of the unit that opted out since gets no letters, and stands in the way of no other edit.
    let is_known = |address: &String| known.is_some_and(|unit| unit.mail_addresses.contains(address));
    let added = input.mail_addresses.iter().filter(|address| !is_known(address));
    refuse_opted_out(cx, added, reading)?;
    Ok(contacts)
}
