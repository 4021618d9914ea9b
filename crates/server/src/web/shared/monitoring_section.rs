//! The section about Prometheus on the page of monitors: whether the files are written, and whether Prometheus read its rules again.

use pages::{Fact, Rich, Section, SectionBody};

use crate::integration::monitoring_state::{Attempt, FilesSeen, Seen};
use crate::web::shared::view::View;

/// The section, with the state that this server saw since its start.
pub(crate) fn section(view: &View<'_, '_, '_>, seen: &Seen) -> Section {
    let mut facts = Vec::new();
    match &seen.place {
        None => facts.push(Fact::new(
            "Files",
            "No folder is set (monitoring_dir), so nothing is written for Prometheus; addresses are called all the same.",
        )),
        Some(place) => {
            facts.push(Fact::new("Folder", Rich::new().said(place.folder.as_str())));
            facts.push(Fact::new("Files", files(view, seen.files.as_ref())));
            facts.push(Fact::new("Last reload", reload(view, place.reloads, seen.reload.as_ref())));
        }
    }
    if let Some(files) = seen.files.as_ref().filter(|it| !it.left_out.is_empty()) {
        let keys: Vec<&str> = files.left_out.iter().map(String::as_str).collect();
        facts.push(Fact::new(
            "Rules that Prometheus cannot read",
            Rich::new().said(keys.join(", ")),
        ));
    }
    Section::new("prometheus", "Prometheus", SectionBody::Facts(facts))
}

fn files(view: &View<'_, '_, '_>, files: Option<&FilesSeen>) -> Rich {
    let Some(files) = files else {
        return Rich::from("Not written yet since this server started.");
    };
    if let Some(why) = &files.checked.failed {
        return failed(view, "They could not be written, ", (&files.checked, why.as_str()));
    }
    match files.written_at {
        Some(at) => Rich::from("Written, ").append(view.moment(at)),
        None => Rich::from("As they have to be, ").append(view.moment(files.checked.at)),
    }
}

fn reload(view: &View<'_, '_, '_>, reloads: bool, last: Option<&Attempt>) -> Rich {
    if !reloads {
        return Rich::from(
            "No address is set (`monitoring_reload`), so Prometheus is not asked to read its rules again.",
        );
    }
    let Some(last) = last else {
        return Rich::from("None yet since this server started.");
    };
    match &last.failed {
        Some(why) => failed(view, "Prometheus did not read its rules again, ", (last, why.as_str())),
        None => Rich::from("Prometheus read its rules, ").append(view.moment(last.at)),
    }
}

fn failed(view: &View<'_, '_, '_>, what: &'static str, (attempt, why): (&Attempt, &str)) -> Rich {
    Rich::from(what).append(view.moment(attempt.at)).line().said(why)
}
