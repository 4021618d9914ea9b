//! The section of a change's page with the communications of its plans, for the people who may read them.

use acts::notify::take_bounce::find_told;
use model::core::act::actions;
use model::core::enums::LetterLanguage;
use model::notify::communication::Communication;
use model::notify::wording::stage_name;
use pages::{Entry, Rich, Section, SectionBody, Tone};

use crate::web::shared::view::View;

/// The recipients of a change's communications: those that were not reached, then the latest others.
pub(crate) fn section(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<Option<Section>> {
    let may = [actions::AUDIT, actions::SET_FREEZE];
    if may.into_iter().all(|action| view.cx.allow(action).is_err()) {
        return Ok(None);
    }
    let found = find_told(view.cx, key)?;
    if found.is_empty() {
        return Ok(None);
    }
    let entries = found.iter().map(|sent| entry(view, sent)).collect();
    let section = Section::new("told", "Notified people", SectionBody::Entries(entries));
    Ok(Some(section))
}

fn entry(view: &View<'_, '_, '_>, sent: &Communication) -> Entry {
    let who = match (&sent.person, &sent.mail_address) {
        (Some(person), _) => view.person(person),
        (None, address) => Rich::new().said(address.clone().unwrap_or_default()),
    };
    let is_lost = sent.undeliverable_at.is_some();
    let entry = Entry::new(if is_lost { Tone::Stop } else { Tone::Plain }, who)
        .aside(stage_name(sent.stage, LetterLanguage::En))
        .aside(view.moment(sent.at));
    match &sent.undeliverable_status {
        Some(status) => entry.why(format!("The letter could not be delivered: {status}.")),
        None => entry,
    }
}
