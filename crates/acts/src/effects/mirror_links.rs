//! Each link that a change holds has its row among the links between records, written in the same transaction, so that
//! the other end shows the link. This holds for links from the page, the API, a delivery or the grounds of an
//! emergency.

use model::change::change_file::Actor;
use model::change::related_records::Link;
use model::core::enums::{RelationEnd, RelationOrigin};
use model::incident::record_link::{CERTAIN, RecordLink, SUPPOSED, kind_of_key, of_change};
use store::record;

use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::incident::link_records::{add_link, end_link, is_plain_number};

/// Writes the rows of links that were added or removed.
pub(crate) fn mirror_links(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let before = saved
        .before
        .as_ref()
        .map(|file| file.links.as_slice())
        .unwrap_or_default();
    let is_same = |link: &Link| {
        before
            .iter()
            .any(|old| old.id == link.id && old.removed_at == link.removed_at)
    };
    for link in saved.after.links.iter().filter(|link| !is_same(link)) {
        mirror(cx, &saved.after.change.key, link)?;
    }
    Ok(())
}

fn mirror(cx: &mut Context<'_, '_>, change_key: &str, link: &Link) -> Result<()> {
    let known = record::load::<RecordLink>(cx.tx, link.id.as_str())?.map(|found| found.record);
    match (known, link.removed_at) {
        (Some(row), Some(_)) if row.active => {
            end_link(cx, row)?;
        }
        (None, None) => {
            if let Some(row) = row_of(change_key, link) {
                add_link(cx, row)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn row_of(change_key: &str, link: &Link) -> Option<RecordLink> {
    let (kind, leads_away) = of_change(link)?;
    let own = (change_key.to_owned(), RelationEnd::Change);
    let other_kind = kind_of_key(&link.to).unwrap_or(RelationEnd::Outside);
    // The log shows the ends of a row in clear; the change's own link seals a reference that could contain free text of
    // a person.
    if other_kind == RelationEnd::Outside && !is_plain_number(&link.to) {
        return None;
    }
    let other = (link.to.clone(), other_kind);
    let ((from, from_kind), (to, to_kind)) = if leads_away { (own, other) } else { (other, own) };
    let origin = match () {
        () if link.by_grounds => RelationOrigin::Rule,
        () if link.by == Actor::system().person => RelationOrigin::Source,
        () => RelationOrigin::Person,
    };
    Some(RecordLink {
        id: link.id.clone(),
        version: 0,
        from,
        from_kind,
        kind,
        to,
        to_kind,
        origin,
        confidence_ppm: if origin == RelationOrigin::Source {
            SUPPOSED
        } else {
            CERTAIN
        },
        reason: None,
        reasons_before: Vec::new(),
        is_of_change: true,
        by: link.by.clone(),
        at: link.at,
        active: true,
        edited_by: None,
        edited_at: None,
        removed_by: None,
        removed_at: None,
    })
}
