//! Notices of vendors by mail: each vendor has a secret address of its own, and a letter to it from one of its contacts becomes a notice.
//! The address holds the vendor's id and a tag over tenant and vendor under the secret of the mail connection; `From` alone makes
//! nothing. The sender gets a reply with the recorded data, or the reason for a refusal. A notice decides nothing: its owners
//! acknowledge it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::enums::Role;
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::directory::vendor::Vendor;
use model::integration::signal::MailReply;
use model::schedule::mailed_notice;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::audit::event;
use store::queue::job;
use uuid::Uuid;

use crate::core::connections::connection_secret;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::secrets;
use crate::core::write::{Written, draft};
use crate::notify::mail_address::{id_and_tag, letters, replies, tag_of};
use crate::schedule::take_notice::record_mailed;

/// The kind of the job that mails a vendor's desk.
pub const LETTER: &str = "desk_letter";

/// The most letters of a vendor that are taken in a day.
const MOST_LETTERS: i64 = 100;
/// The time over which letters are counted.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A letter to a vendor's desk, as its job holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskLetter {
    /// The mail address.
    pub address: String,
    /// The subject.
    pub subject: String,
    /// The text, plain in memory alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The sealed text in the job: one letter names the vendor's secret address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sealed: String,
    /// When it was written.
    pub at: Timestamp,
}

/// The address for a vendor's notices; `None` where no mail is taken.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn notice_address(cx: &mut Context<'_, '_>, vendor: &Vendor) -> Result<Option<String>> {
    let Some(found) = replies(cx)? else { return Ok(None) };
    let Some((local, domain)) = found.reply_to.as_deref().and_then(|it| it.split_once('@')) else {
        return Ok(None);
    };
    let Ok(id) = Uuid::parse_str(vendor.id.as_str()) else {
        return Ok(None);
    };
    let secret = connection_secret(cx, found.id.as_str())?;
    let tag = tag(&cx.tenant(), &secret, vendor);
    Ok(Some(format!("{local}+{}{tag}@{domain}", letters(id.as_bytes()))))
}

fn tag(tenant: &str, secret: &[u8], vendor: &Vendor) -> String {
    tag_of(secret, &["assent vendor notice v1", tenant, vendor.id.as_str()])
}

/// Mails the address for notices to the contacts of a vendor (`POST /vendors/{key}/notice-address`).
///
/// # Errors
/// 403, 404; 409 `no_mail` where no mail is taken, or `no_contacts`; the store's.
pub fn mail_notice_address(cx: &mut Context<'_, '_>, key: &str) -> Result<Vendor> {
    cx.allow(actions::SET_SERVICE)?;
    let vendor = Vendor::found(cx, key)?.filter(|it| it.active);
    let vendor = vendor.ok_or_else(|| Refusal::not_found(format!("vendor {key}")))?;
    let Some(address) = notice_address(cx, &vendor)? else {
        let text = "No mail is received here, so there is no address for notices.";
        let satisfy = "Make a connection of the kind `mail` with `reply_to` first.";
        return Err(Refusal::not_now("no_mail", text, satisfy, Vec::new()).into());
    };
    if vendor.contacts.is_empty() {
        let text = format!("{} has no contacts to write to.", vendor.called());
        return Err(Refusal::not_now("no_contacts", text, "Add mail addresses as `contacts`.", Vec::new()).into());
    }
    let text = format!(
        "Notices of your maintenance are taken at this address, which is for you alone:\n\n{address}\n\n{}\nWrite from one of these \
         addresses: {}.\n",
        form(&vendor),
        vendor.contacts.iter().cloned().collect::<Vec<_>>().join(", ")
    );
    for contact in &vendor.contacts {
        post(cx, &vendor, contact, ("Where to send notices of maintenance", &text))?;
    }
    let data = json!({"letters": vendor.contacts.len()});
    let event = draft("vendor.address_mailed", ("vendor", vendor.id.0.clone()), cx.now, data);
    cx.emit(vec![event], Written::default())?;
    Ok(vendor)
}

/// The lines of a letter that is a notice.
fn form(vendor: &Vendor) -> String {
    let services: Vec<&str> = vendor.services.iter().map(ServiceKey::as_str).collect();
    format!(
        "A letter is a notice if it has these lines; the same reference again renews it:\n\nReference: your own number\nServices: {}\n\
         Start: 2026-12-02 20:00 UTC\nEnd: 2026-12-02 23:00 UTC\nImpact: none, degraded or outage\nState: announced, under way, \
         completed or cancelled\n",
        services.join(", ")
    )
}

/// The vendor of one of the addresses.
pub(crate) fn addressee(cx: &mut Context<'_, '_>, secret: &[u8], tokens: &[String]) -> Result<Option<Vendor>> {
    let (directory, tenant) = (cx.directory()?, cx.tenant());
    for token in tokens {
        let Some((id, told)) = id_and_tag(token) else {
            continue;
        };
        let Some(vendor) = directory.vendors.iter().find(|it| it.id.as_str() == id && it.active) else {
            continue;
        };
        let expected = tag(&tenant, secret, vendor);
        if proof::crypto::is_same_secret(expected.as_bytes(), told.as_bytes()) {
            return Ok(Some(Vendor::clone(vendor)));
        }
    }
    Ok(None)
}

/// Takes a letter to a vendor's address; returns the result as text. A contact gets a reply; a stranger gets none.
///
/// # Errors
/// The store's. A letter that becomes nothing is no error.
pub(crate) fn take_letter(cx: &mut Context<'_, '_>, vendor: &Vendor, reply: &MailReply) -> Result<String> {
    let contact = vendor.contacts.iter().find(|it| it.eq_ignore_ascii_case(&reply.from));
    let Some(contact) = contact else {
        return Ok(format!("refused: it was not sent by a contact of {}", vendor.called()));
    };
    let since = cx.now.saturating_sub(DAY).unwrap_or(Timestamp::MIN);
    if event::count_of_subject(cx.tx, ("vendor", vendor.id.as_str()), "vendor.answered", since)? >= MOST_LETTERS {
        // No reply is sent either: this stops two programs that reply to each other.
        return Ok(format!(
            "refused: {} sent {MOST_LETTERS} letters within a day already",
            vendor.called()
        ));
    }
    let taken = match mailed_notice::read(&reply.subject, &reply.text, cx.now) {
        Ok(notice) => {
            let services = services(vendor, &notice.components);
            match services {
                Ok(services) => record_mailed(cx, vendor, services, &notice)?,
                Err(why) => Err(why),
            }
        }
        Err(why) => Err(why),
    };
    match taken {
        Ok(saved) => {
            let text = format!(
                "Your notice {} is recorded as {}: {} to {}, impact {}, {}.\n\nThe owners of the services acknowledge it. Send a letter \
                 with the same reference to change it.\n",
                saved.reference, saved.id, saved.starts_at, saved.ends_at, saved.impact, saved.state
            );
            post(
                cx,
                vendor,
                contact,
                (&format!("{} is recorded", saved.reference), &text),
            )?;
            record_answer(cx, vendor, json!({"notice": saved.id}))?;
            Ok(format!("recorded the notice {}: {}", saved.reference, saved.state))
        }
        Err(why) => {
            let text = format!("Nothing was recorded from your letter: {why}.\n\n{}", form(vendor));
            post(cx, vendor, contact, ("Your notice was not recorded", &text))?;
            record_answer(cx, vendor, json!({}))?;
            Ok(format!("refused: {why}"))
        }
    }
}

/// The services that a letter names, all of which the vendor operates.
fn services(vendor: &Vendor, named: &[String]) -> std::result::Result<BTreeSet<ServiceKey>, String> {
    let mut found = BTreeSet::new();
    for name in named {
        let key = ServiceKey::from(name.to_lowercase().as_str());
        if !vendor.services.contains(&key) {
            let known: Vec<&str> = vendor.services.iter().map(ServiceKey::as_str).collect();
            return Err(format!("`{name}` is none of your services: {}", known.join(", ")));
        }
        found.insert(key);
    }
    Ok(found)
}

fn record_answer(cx: &mut Context<'_, '_>, vendor: &Vendor, data: serde_json::Value) -> Result<()> {
    let event = draft("vendor.answered", ("vendor", vendor.id.0.clone()), cx.now, data);
    cx.emit(vec![event], Written::default())
}

/// Has a letter mailed. The letter has no reply address, so that no two programs write to each other.
fn post(cx: &mut Context<'_, '_>, vendor: &Vendor, address: &str, (subject, text): (&str, &str)) -> Result<()> {
    let id = cx.new_id()?;
    let letter = DeskLetter {
        address: address.to_owned(),
        subject: subject.to_owned(),
        text: String::new(),
        sealed: secrets::seal_text(cx, &letter_name(&id), text)?,
        at: cx.now,
    };
    let payload = serde_json::to_string(&letter)?;
    let new = job::NewJob {
        id: &id,
        kind: LETTER,
        subject: vendor.id.as_str(),
        payload: &payload,
        run_at: cx.now,
    };
    job::insert(cx.tx, &new)?;
    Ok(())
}

/// The name to which a letter's sealed text is bound.
fn letter_name(job: &str) -> String {
    format!("{LETTER}/{job}")
}

/// A job's letter, with its text decrypted.
///
/// # Errors
/// A payload that is no letter, or a fault of the keys.
pub fn read_letter(cx: &mut Context<'_, '_>, job: &str, payload: &str) -> Result<DeskLetter> {
    let mut letter: DeskLetter = serde_json::from_str(payload)?;
    if !letter.sealed.is_empty() {
        letter.text = secrets::open_text(cx, &letter_name(job), &letter.sealed)?;
        letter.sealed.clear();
    }
    Ok(letter)
}

/// Notifies the change managers of a letter that the mail server refused: the vendor did not get it.
///
/// # Errors
/// The store's.
pub fn notify_refused(cx: &mut Context<'_, '_>, job: &str, vendor: &str, address: &str) -> Result<()> {
    let directory = cx.directory()?;
    let found = directory.vendors.iter().find(|it| it.id.as_str() == vendor);
    let name = found.map_or_else(|| vendor.to_owned(), |it| it.called());
    let text =
        format!("The mail server refused the letter to {address} of {name}. Check the contacts of the vendor.\n");
    let mut written = Written::default();
    for person in directory.with_role(Role::ChangeManager) {
        let dedup = format!("desk_letter_refused/{job}/{person}");
        let message = (
            "desk_letter_refused",
            "A letter to a vendor was refused",
            text.as_str(),
            dedup.as_str(),
        );
        save_message(cx, &mut written, &person, None, message)?;
    }
    cx.emit(Vec::new(), written)
}
