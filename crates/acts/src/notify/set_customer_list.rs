//! Customers' lists: the rules of their keys and mail addresses, and how the owner of an address opts out and back in.

use std::collections::BTreeSet;

use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::notify::communication::Communication;
use model::notify::customer_list::{CustomerList, CustomerListInput, MOST, check, is_same, opted_out};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};
use crate::guard::person_fields::{is_address, no_address};
use crate::notify::mail_address::letters;

/// The purpose of the code in a letter's opt-out address.
const PURPOSE: &str = "customer letter";
/// How many bytes of the code the address contains: 120 bits.
const CODE_BYTES: usize = 15;

impl PlainNoun for CustomerList {
    type Input = CustomerListInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: CustomerListInput, mut reading: Reading<'_>) -> Result<Self> {
        checked(cx, &input, &mut reading)?;
        let known = Self::listed(cx)?;
        if known.iter().any(|list| list.key == input.key) {
            let text = format!("There is a customers' list `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= MOST {
            let text = format!("A tenant has at most {MOST} customers' lists.");
            return Err(Refusal::not_now("too_many", text, "Remove one that nobody needs.", Vec::new()).into());
        }
        let list = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            name: input.name,
            services: input.services,
            mail_addresses: input.mail_addresses,
            opted_out_addresses: BTreeSet::new(),
            language: input.language,
            active: true,
        };
        cx.put_estate("customer_list.added", list, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: CustomerListInput, mut reading: Reading<'_>) -> Result<Self> {
        checked(cx, &input, &mut reading)?;
        if input.key != self.key {
            reading.wrong("key", "not_allowed", "The key of a customers' list cannot change.");
        }
        reading.finish()?;
        let edited = Self {
            name: input.name,
            services: input.services,
            mail_addresses: input.mail_addresses,
            language: input.language,
            ..self
        };
        cx.put_estate("customer_list.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("customer_list.ended", ended, json!({}))
    }
}

/// Every list, also those out of use: opt-outs stay known.
fn all(cx: &mut Context<'_, '_>) -> Result<Vec<CustomerList>> {
    Ok(record::bodies::<CustomerList>(cx.tx, &Filter::new().order_by("id"))?)
}

fn checked(cx: &mut Context<'_, '_>, input: &CustomerListInput, reading: &mut Reading<'_>) -> Result<()> {
    check(reading, input);
    for address in input.mail_addresses.iter().filter(|address| !is_address(address)) {
        reading.wrong("mail_addresses", "not_an_address", no_address(address));
    }
    refuse_opted_out(cx, input.mail_addresses.iter(), reading)
}

/// The mail addresses that opted out of letters, in small letters.
///
/// # Errors
/// The store's.
pub(crate) fn find_opted_out(cx: &mut Context<'_, '_>) -> Result<BTreeSet<String>> {
    Ok(opted_out(&all(cx)?))
}

/// Refuses mail addresses that opted out, wherever they are put.
///
/// # Errors
/// The store's.
pub(crate) fn refuse_opted_out<'i>(
    cx: &mut Context<'_, '_>,
    addresses: impl Iterator<Item = &'i String>,
    reading: &mut Reading<'_>,
) -> Result<()> {
    let gone = find_opted_out(cx)?;
    for address in addresses.filter(|it| gone.contains(&it.to_lowercase())) {
        let text = format!(
            "{address} opted out of letters; only the owner of the address can opt in again, by the link in a letter."
        );
        reading.wrong("mail_addresses", "opted_out", text);
    }
    Ok(())
}

/// The path below the server's address by which the receiver of a letter opts out.
#[must_use]
pub(crate) fn opt_out_path(cx: &Context<'_, '_>, letter: &str) -> String {
    format!("/t/{}/customer-letters/{letter}/{}", cx.tenant(), code(cx, letter))
}

/// The code of a letter, known only to its receiver.
fn code(cx: &Context<'_, '_>, letter: &str) -> String {
    let tenant = cx.tenant();
    let master = &cx.services.tools().master;
    let mac = master.mac(PURPOSE, &[tenant.as_bytes(), letter.as_bytes()]);
    letters(&mac[..CODE_BYTES])
}

/// The mail address behind the link of a letter, and the key of the list for which it was sent.
///
/// # Errors
/// 404 for a link that no letter has, or whose letter is gone; the store's.
fn address_of(cx: &mut Context<'_, '_>, letter: &str, told: &str) -> Result<(String, String)> {
    let absent = || Refusal::not_found("letter");
    if !proof::crypto::is_same_secret(code(cx, letter).as_bytes(), told.as_bytes()) {
        return Err(absent().into());
    }
    let found = record::load::<Communication>(cx.tx, letter)?.map(|stored| stored.record);
    let found = found.and_then(|it| Some((it.mail_address?, it.customer_list?)));
    Ok(found.ok_or_else(absent)?)
}

/// The content of the page behind a letter's link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLetter {
    /// The tenant's name.
    pub tenant: String,
    /// Whether its receiver gets letters.
    pub is_told: bool,
    /// Whether its receiver opted out.
    pub has_left: bool,
}

/// The content of the page behind a letter's link, for everybody with the link.
///
/// # Errors
/// 404, or the store's.
pub fn find_customer_letter(cx: &mut Context<'_, '_>, letter: &str, code: &str) -> Result<CustomerLetter> {
    let (address, _) = address_of(cx, letter, code)?;
    let lists = all(cx)?;
    let mut told = lists.iter().filter(|it| it.active).flat_map(|it| &it.mail_addresses);
    let is_told = told.any(|it| is_same(it, &address));
    let has_left = lists.iter().any(|it| it.has_left(&address));
    let directory = cx.directory()?;
    let tenant = directory.tenant.as_ref().map(|it| it.name.clone());
    Ok(CustomerLetter {
        tenant: tenant.unwrap_or_default(),
        is_told,
        has_left,
    })
}

/// Takes the receiver of a letter off every list; once more changes nothing. Who is on no list any more opts out of the one of the
/// letter, so that nobody puts them back.
///
/// # Errors
/// 404, or the store's.
pub fn opt_out(cx: &mut Context<'_, '_>, letter: &str, code: &str) -> Result<()> {
    let (address, key) = address_of(cx, letter, code)?;
    let lists = all(cx)?;
    let is_known = lists.iter().any(|it| it.is_on(&address) || it.has_left(&address));
    // A key may have been used before: the newest list has it.
    let of_letter = lists.iter().rfind(|it| it.key == key).map(|it| it.id.clone());
    for mut list in lists {
        let is_noted = !is_known && of_letter.as_ref() == Some(&list.id);
        if is_noted {
            list.opted_out_addresses.insert(address.clone());
        }
        if list.opt_out(&address) || is_noted {
            cx.put_estate("customer_list.left", list, json!({}))?;
        }
    }
    Ok(())
}

/// Puts the receiver of a letter back on the lists that they opted out of; once more changes nothing.
///
/// # Errors
/// 404, or the store's.
pub fn opt_in(cx: &mut Context<'_, '_>, letter: &str, code: &str) -> Result<()> {
    let (address, _) = address_of(cx, letter, code)?;
    for mut list in all(cx)? {
        if list.opt_in(&address) {
            cx.put_estate("customer_list.returned", list, json!({}))?;
        }
    }
    Ok(())
}
