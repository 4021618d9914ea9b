//! Outgoing webhooks: the addresses that receive events. The secret is shown once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::{snapshot, unknown_name};
use model::integration::webhook::{Webhook, WebhookFormat, is_pattern};
use serde_json::json;
use store::audit::{event, log};
use store::record;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::secrets::{self, address_name, former_name, secret_name};
use crate::core::services::Reach;
use crate::core::write;

/// The longest address, in characters.
const URL: usize = 2_000;
/// The most webhooks of a tenant.
const MOST: i64 = 100;

/// The events that a chat receives by default: requests for decisions, and urgent events.
const FOR_CHATS: &[&str] = &[
    "change.assessed",
    "approval.nobody_can",
    "approval.rerouted",
    "change.returned",
    "change.overrun",
    "change.window_missed",
    "break_glass.*",
];

/// The part of an address that is shown. The whole address of a chat is a credential: it allows posting there.
fn beginning(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}

fn read_format(reading: &mut Reading<'_>) -> WebhookFormat {
    match reading.text("format", LINE).as_deref() {
        None | Some("events") => WebhookFormat::Events,
        Some("slack") => WebhookFormat::Slack,
        Some("teams") => WebhookFormat::Teams,
        Some(_) => {
            reading.wrong("format", "unknown_word", "`format` is `events`, `slack` or `teams`.");
            WebhookFormat::Events
        }
    }
}

fn read_services(reading: &mut Reading<'_>, directory: &snapshot::Directory) -> Option<Vec<ServiceKey>> {
    let named: Vec<ServiceKey> = reading
        .texts("services", LINE)?
        .iter()
        .map(|it| it.as_str().into())
        .collect();
    for key in named.iter().filter(|key| !directory.services.contains_key(*key)) {
        reading.wrong("services", "unknown", unknown_name::service(directory, key.as_str()));
    }
    Some(named)
}

/// Makes a webhook (`POST /webhooks {name, url, kinds, owner, format, services}`), which receives events from now on.
/// The address of a chat is kept as a secret and never shown.
///
/// # Errors
/// 403, 409 when there are too many, 422, or the store's.
pub fn create_webhook(cx: &mut Context<'_, '_>, body: &Body) -> Result<(Webhook, Vec<u8>)> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let (name, url) = (reading.needed("name", LINE), reading.needed("url", URL));
    let format = read_format(&mut reading);
    let services = read_services(&mut reading, &directory).unwrap_or_default();
    let usual = if format.is_usual() { &["*"] } else { FOR_CHATS };
    let usual = || usual.iter().map(|kind| (*kind).to_owned()).collect();
    let kinds = reading.texts("kinds", LINE).unwrap_or_else(usual);
    let owner = read_content::person(&mut reading, "owner", &directory).unwrap_or_else(|| cx.actor.person.clone());
    check(&mut reading, &url, &kinds, &cx.services.tools().reaches);
    reading.finish()?;
    if record::count::<Webhook>(cx.tx, &record::Filter::new().equals("active", true))? >= MOST {
        let text = format!("There are {MOST} webhooks, which is the limit.");
        return Err(Refusal::not_now("too_many", text, "End one that nobody needs.", Vec::new()).into());
    }
    let id = RecordId(cx.new_id()?);
    let shown = keep_address(cx, &id, format, url)?;
    let webhook = Webhook {
        id,
        version: 0,
        name,
        url: shown,
        format,
        services,
        kinds,
        owner,
        active: true,
        rotated_at: None,
    };
    let bytes = secrets::fresh(cx)?;
    secrets::keep(cx, &secret_name(webhook.id.as_str()), &bytes)?;
    let from = next_index(cx)?;
    let now = cx.now;
    store::integration::webhook::begin(cx.tx, webhook.id.as_str(), from, now)?;
    let saved = cx.put_estate("webhook.created", webhook, json!({}))?;
    Ok((saved, bytes.to_vec()))
}

/// The index in the log of the next event that an act writes: the events that wait for their index come before it.
pub(crate) fn next_index(cx: &mut Context<'_, '_>) -> Result<i64> {
    Ok(log::state(cx.tx)?.map_or(0, |log| log.size) + event::count_unsequenced(cx.tx)?)
}

/// Keeps the address of a chat as a secret; returns the part of an address that is shown.
fn keep_address(cx: &mut Context<'_, '_>, id: &RecordId, format: WebhookFormat, url: String) -> Result<String> {
    if format.is_usual() {
        return Ok(url);
    }
    secrets::keep(cx, &address_name(id.as_str()), url.as_bytes())?;
    Ok(beginning(&url))
}

/// Reports the errors of an address that the server is to call.
pub(crate) fn check_address(reading: &mut Reading<'_>, url: &str, reaches: &Reach) {
    if !url.is_empty() && !is_address(url) {
        let text = "`url` is an address such as https://hooks.example.org/assent, without a login and a fragment.";
        reading.wrong("url", "not_an_address", text);
    } else {
        check_reach(reading, ("url", url), reaches);
    }
}

/// Notes an address inside the network of the server, as far as its writing shows.
pub(crate) fn check_reach(reading: &mut Reading<'_>, (field, url): (&str, &str), reaches: &Reach) {
    if literal_address(url).is_some_and(|address| !reaches(address)) {
        let text = format!(
            "`{field}` is in the server's own network, which is not allowed. Use a public address, or have the operator allow \
             this one (`outgoing_allow`)."
        );
        reading.wrong(field, "inner_address", text);
    }
}

fn check(reading: &mut Reading<'_>, url: &str, kinds: &[String], reaches: &Reach) {
    check_address(reading, url, reaches);
    check_kind_count(reading, kinds);
    for kind in kinds.iter().filter(|kind| !is_pattern(kind)) {
        let text = format!("`{kind}` is not a kind of event; write `change.approved`, `change.*` or `*`.");
        reading.wrong("kinds", "unknown_word", text);
    }
}

pub(crate) fn check_kind_count(reading: &mut Reading<'_>, kinds: &[String]) {
    if kinds.is_empty() || kinds.len() > 50 {
        let text = "`kinds` names between 1 and 50 kinds of event.";
        reading.wrong("kinds", "out_of_range", text);
    }
}

/// Whether a text is an address that may be called, as far as its writing shows.
pub fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['#', '\\', '"', '<', '>', '`']);
    is_clean && !host.is_empty() && !host.starts_with(':') && !host.contains('@')
}

/// The address that a URL names in figures, in any notation that programs read, or as this host. The address behind any other
/// name is checked at each call.
fn literal_address(url: &str) -> Option<IpAddr> {
    let host = url.split_once("://")?.1.split(['/', '?']).next()?;
    if let Some(inside) = host.strip_prefix('[') {
        let figures = inside.split(']').next()?.split('%').next()?;
        return figures.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let name = host.split(':').next()?.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    old_figures(&name).map(IpAddr::V4)
}

/// An IPv4 address as the C library reads it (inet_aton): one to four parts, each decimal, octal or hexadecimal, of which the last
/// fills the rest.
fn old_figures(name: &str) -> Option<Ipv4Addr> {
    let part = |text: &str| match text.strip_prefix("0x") {
        Some("") => Some(0),
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
        None => text.parse::<u32>().ok(),
    };
    let parts: Vec<u32> = name.split('.').map(part).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() <= 3)?;
    let bits = 32 - 8 * u32::try_from(first.len()).ok()?;
    if first.iter().any(|part| *part > 255) || u64::from(*last) >= 1_u64 << bits {
        return None;
    }
    let high = first
        .iter()
        .enumerate()
        .fold(0_u32, |sum, (place, part)| sum | (part << (24 - 8 * place)));
    Some(Ipv4Addr::from_bits(high | last))
}

/// A webhook by its id.
///
/// # Errors
/// 404, or the store's.
pub fn webhook(cx: &mut Context<'_, '_>, id: &str) -> Result<Webhook> {
    let found = record::load::<Webhook>(cx.tx, id)?.map(|stored| stored.record);
    found.ok_or_else(|| Error::Refused(Refusal::not_found("webhook")))
}

/// Changes, stops or resumes a webhook (`PATCH /webhooks/{id}`): `active: true` resumes where it stopped.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn edit_webhook(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Webhook> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let before = webhook(cx, id)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let mut next = before.clone();
    next.name = reading.text("name", LINE).unwrap_or(next.name);
    let url = reading.text("url", URL);
    next.services = read_services(&mut reading, &directory).unwrap_or(next.services);
    next.kinds = reading.texts("kinds", LINE).unwrap_or(next.kinds);
    next.owner = read_content::person(&mut reading, "owner", &directory).unwrap_or(next.owner);
    next.active = reading.boolean("active").unwrap_or(next.active);
    let reaches = &cx.services.tools().reaches;
    check(&mut reading, url.as_deref().unwrap_or_default(), &next.kinds, reaches);
    reading.finish()?;
    let is_moved = url.is_some();
    if let Some(url) = url {
        next.url = keep_address(cx, &before.id, before.format, url)?;
    }
    // A chat's address is kept sealed, so the record looks the same with another one.
    let is_hidden_move = is_moved && !before.format.is_usual();
    if next == before && !is_hidden_move {
        return Ok(before);
    }
    match (before.active, next.active) {
        (true, false) => store::integration::webhook::stop(cx.tx, id)?,
        (false, true) => {
            let position = store::integration::webhook::state(cx.tx, id)?.map_or(0, |state| state.position);
            let now = cx.now;
            store::integration::webhook::begin(cx.tx, id, position, now)?;
        }
        _ => {}
    }
    cx.put_estate("webhook.edited", next, json!({}))
}

/// Ends a webhook (`DELETE /webhooks/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_webhook(cx: &mut Context<'_, '_>, id: &str) -> Result<Webhook> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = webhook(cx, id)?;
    store::integration::webhook::stop(cx.tx, id)?;
    cx.put_estate("webhook.ended", Webhook { active: false, ..found }, json!({}))
}

/// Replaces a webhook's secret (`POST /webhooks/{id}/secret`): for a day the old and the new one both sign.
///
/// # Errors
/// 403, 404, or the store's.
pub fn rotate_secret(cx: &mut Context<'_, '_>, id: &str) -> Result<(Webhook, Vec<u8>)> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = webhook(cx, id)?;
    if !found.format.is_usual() {
        let text = "What a chat is told is not signed: its address is the secret.";
        return Err(Refusal::not_now("no_secret", text, "Set a new `url` instead.", Vec::new()).into());
    }
    if let Some(former) = secrets::open(cx, &secret_name(id))? {
        secrets::keep(cx, &former_name(id), &former)?;
    }
    let bytes = secrets::fresh(cx)?;
    secrets::keep(cx, &secret_name(id), &bytes)?;
    let rotated_at = Some(cx.now);
    let saved = cx.put_estate("webhook.secret_replaced", Webhook { rotated_at, ..found }, json!({}))?;
    Ok((saved, bytes.to_vec()))
}

/// Sends deliveries again (`POST /webhooks/{id}/replays {from, to, delivered}`): those given up between two indexes of the
/// log, and with `delivered` also those that arrived. A receiver recognises a repeated delivery by the id of its event.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn replay_webhook(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<u64> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = webhook(cx, id)?;
    let mut reading = Reading::new(body, "");
    let from = reading.integer("from", 0..=i64::MAX).unwrap_or(0);
    let to = reading.integer("to", 0..=i64::MAX).unwrap_or(i64::MAX);
    let delivered = reading.boolean("delivered").unwrap_or(false);
    if to <= from {
        reading.wrong("to", "out_of_range", "`to` lies behind `from`; it is not included.");
    }
    reading.finish()?;
    if !found.active {
        let text = "This webhook has ended.";
        return Err(Refusal::not_now("ended", text, "Set `active` to true first.", Vec::new()).into());
    }
    let now = cx.now;
    let count = store::integration::webhook::again(cx.tx, id, (from, to), !delivered, now)?;
    store::integration::webhook::wake(cx.tx, id, now)?;
    let data = json!({"from": from, "deliveries": count});
    let event = write::draft("webhook.replayed", ("webhook", id.to_owned()), now, data);
    cx.emit(vec![event], write::Written::default())?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in [
            "https://example.org",
            "http://127.0.0.1:9000/a?b=c",
            "https://[::1]:1/x",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "ftp://example.org",
            "https://",
            "https:///x",
            "https://me:pw@example.org",
            "https://example.org/#x",
            "https://exa mple.org",
            "javascript:alert(1)",
            "https://:80/",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
