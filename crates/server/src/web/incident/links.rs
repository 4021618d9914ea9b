//! The links of a record on its page.

use acts::incident::link_records::{Seen, find_links};
use model::core::act::actions;
use model::core::enums::{RelationEnd, RelationKind};
use model::incident::record_link::{CERTAIN, End};
use model::risk::forecast::words::percent;
use pages::{ActForm, ActTone, Entry, Field, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::web::shared::fields::pick_field;
use crate::web::shared::idempotent_form;
use crate::web::shared::view::View;

/// How two records may relate, as the form offers it.
const KINDS: [(&str, &str); 5] = [
    ("related", "related to"),
    ("caused", "caused"),
    ("fixed_by", "fixed by"),
    ("duplicate_of", "duplicate of"),
    ("blocked_by", "blocked by"),
];

/// The links of a record, and the form that adds one; `page` is the record's own.
pub(crate) fn section(view: &mut View<'_, '_, '_>, key: &str, page: &str) -> acts::Result<Section> {
    let found = find_links(view.cx, key)?;
    let may = view.may(actions::SET_INCIDENT);
    let entries = found.iter().map(|seen| entry(view, seen)).collect();
    let mut section = Section::new("links", "Linked records", SectionBody::Entries(entries))
        .unsaid("Nothing is linked. Both records show a link, regardless of where it was added.");
    if may {
        section.acts.push(form(view, page));
        section
            .acts
            .extend(found.iter().map(|seen| unlink_form(view, seen, page)));
    }
    Ok(section)
}

/// The links to a change from other records; nothing where there are none.
pub(crate) fn from_elsewhere(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<Option<Section>> {
    let is_own = |seen: &Seen| {
        let holder = match seen.link.kind {
            RelationKind::FixedBy => &seen.link.to,
            _ => &seen.link.from,
        };
        seen.link.is_of_change && holder == key
    };
    let found = find_links(view.cx, key)?;
    let entries: Vec<Entry> = found
        .iter()
        .filter(|seen| !is_own(seen))
        .map(|seen| entry(view, seen))
        .collect();
    let section = || {
        Section::new(
            "linked",
            "Linked from other records",
            SectionBody::Entries(entries.clone()),
        )
    };
    Ok((!entries.is_empty()).then(section))
}

/// A record at the other end, with its page where it has one.
pub(crate) fn linked(view: &View<'_, '_, '_>, end: &End) -> Rich {
    let rich = Rich::new();
    match end.kind {
        RelationEnd::Change => rich.link(end.key.as_str(), view.change_url(&end.key)),
        RelationEnd::Incident => rich.link(end.key.as_str(), view.url(&format!("/incidents/{}", escaped(&end.key)))),
        RelationEnd::Problem => rich.link(end.key.as_str(), view.url(&format!("/problems/{}", escaped(&end.key)))),
        RelationEnd::Drift => rich.link("a finding of drift", view.url(&format!("/drift/{}", escaped(&end.key)))),
        RelationEnd::VendorNotice => {
            let url = view.url(&format!("/vendor-notices/{}/change", escaped(&end.key)));
            rich.link("a vendor’s notice", url)
        }
        RelationEnd::Deployment | RelationEnd::Outside => rich.said(end.key.as_str()),
    }
}

fn entry(view: &View<'_, '_, '_>, seen: &Seen) -> Entry {
    let text = Rich::from(seen.reads.words())
        .text(" ")
        .append(linked(view, &seen.other));
    let link = &seen.link;
    let by = match link.by.as_str() {
        "system" => Rich::from("set by a rule"),
        _ => Rich::from("set by ").append(view.person(&link.by)),
    };
    let mut why = by.text(", ").append(view.moment(link.at));
    if link.confidence_ppm < CERTAIN {
        why = why.text(format!(", {} % sure", percent(link.confidence_ppm)));
    }
    if let Some(reason) = &link.reason {
        why = why.text(": ").said(reason.as_str());
    }
    Entry::new(Tone::Plain, text).icon("right").why(why)
}

fn form(view: &View<'_, '_, '_>, page: &str) -> ActForm {
    ActForm::new("link", "Link a record", view.url(&format!("{page}/links")))
        .field(idempotent_form::field(view))
        .field(Field::select("kind", "It is", &KINDS).value("related").half())
        .field(
            pick_field(view, "records", "to", "The other record")
                .required()
                .half()
                .hint("A key such as CHG-1042, the id of a deployment or of drift, or a reference such as jira:OPS-7."),
        )
        .field(Field::textarea("reason", "Why"))
        .submit("Link it")
}

fn unlink_form(view: &View<'_, '_, '_>, seen: &Seen, page: &str) -> ActForm {
    let url = view.url(&format!("{page}/links/{}/end", escaped(seen.link.id.as_str())));
    let label = format!("Remove the link to {}", seen.other.key);
    ActForm::new(format!("unlink-{}", seen.link.id), label, url).tone(ActTone::Link)
}
