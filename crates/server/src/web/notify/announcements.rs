//! Current announcements, on the first page and on the pages of their services.

use acts::core::noun;
use model::core::ids::ServiceKey;
use model::notify::announcement::Announcement;
use pages::{Notice, Rich, Tone};

use crate::web::shared::view::View;

/// A notice for each current announcement: those about this service, or all that concern the reader.
pub(crate) fn notices(view: &mut View<'_, '_, '_>, service: Option<&ServiceKey>) -> acts::Result<Vec<Notice>> {
    let (now, directory) = (view.now(), view.directory.clone());
    // The directory of a view has the services that its reader may see.
    let concerns = |it: &Announcement| match service {
        Some(service) => it.is_about(service),
        None => it.services.is_empty() || it.services.iter().any(|key| directory.services.contains_key(key)),
    };
    let all = noun::list::<Announcement>(view.cx)?.into_iter();
    let current = all.filter(|it| it.is_current(now) && concerns(it));
    let url = view.url("/announcements");
    let notice = |it: Announcement| {
        let text = Rich::new().said_link(it.title, url.clone()).text(": ").said(it.text);
        Notice::new(Tone::Plain, text)
    };
    Ok(current.map(notice).collect())
}
