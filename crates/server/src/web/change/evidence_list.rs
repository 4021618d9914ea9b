//! The evidence of a change on its page: each with its file, and the form that adds evidence.

use model::change::related_records::Evidence;
use model::core::act::Act as Verb;
use model::core::enums::{EvidenceKind, EvidenceResult};
use pages::{Act, ActForm, Entry, Field, Rich, Tone, Work, short_digest};

use crate::web::change::sections::Around;
use crate::web::shared::view::View;
use crate::web::shared::words::plain;

/// Whether a piece of evidence holds more than its text, and nobody erased it.
fn has_file(evidence: &Evidence) -> bool {
    let is_word = matches!(
        evidence.kind,
        EvidenceKind::Note | EvidenceKind::Waiver | EvidenceKind::Verdict
    );
    !is_word && evidence.size > 0 && evidence.file_erased_at.is_none()
}

impl Around<'_> {
    /// The name of a piece of evidence: the way to its file, where one is kept.
    fn named(&self, evidence: &Evidence) -> Rich {
        let (key, id) = (&self.file.change.key, evidence.id.as_str());
        match has_file(evidence) {
            true => Rich::new().said_link(
                evidence.name.as_str(),
                format!("/api/v1/changes/{key}/evidence/{id}/file"),
            ),
            false => Rich::new().name(evidence.name.as_str()),
        }
    }

    /// The form with which the reader accepts a piece of evidence, or agrees to a waiver, where they may.
    fn acceptance(&self, view: &View<'_, '_, '_>, evidence: &Evidence) -> Option<ActForm> {
        let is_waiver = evidence.kind == EvidenceKind::Waiver;
        let (label, why, submit) = match is_waiver {
            true => ("Agree to a waiver", "Reason for the waiver", "Agree to this waiver"),
            false => ("Accept it", "Why its failure does not matter", "Accept this failure"),
        };
        let is_open = is_waiver && evidence.agreed.iter().all(|yes| yes.by != view.me);
        let may = is_open || evidence.is_against() && evidence.accepted.is_none();
        if !may || evidence.by == view.me || !self.open.has(Verb::AcceptEvidence) {
            return None;
        }
        let id = evidence.id.as_str();
        let form = self.at(&format!("accept-{id}"), label, &format!("/evidence/{id}/acceptance"));
        Some(form.field(Field::textarea("reason", why).required()).submit(submit))
    }

    /// Evidence, with the form that adds some.
    pub fn evidence(&self, view: &View<'_, '_, '_>) -> Work {
        let entries = self.file.evidence.iter().map(|evidence| {
            let tone = match evidence.result {
                EvidenceResult::Passed => Tone::Ok,
                EvidenceResult::Failed => Tone::Stop,
                EvidenceResult::Unknown => Tone::Wait,
                EvidenceResult::Informational => Tone::Plain,
            };
            let bound = evidence
                .artifact
                .as_deref()
                .map_or_else(|| "the plan".to_owned(), short_digest);
            let place = evidence
                .environment
                .as_ref()
                .map(|name| format!(", {name}"))
                .unwrap_or_default();
            let mut entry = Entry::new(
                tone,
                self.named(evidence)
                    .text(format!(" {}", plain(evidence.result.as_str()))),
            )
            .why(format!(
                "{}, {}{place}; for {bound}; by {}",
                evidence.kind,
                evidence.aspect,
                view.name(&evidence.by)
            ))
            .aside(view.ago(evidence.at));
            if has_file(evidence) {
                let size = pages::size(evidence.size.unsigned_abs());
                let told = Rich::from(format!("{size}, ")).digest(&evidence.file_digest);
                entry = entry.aside(told);
            }
            if let Some(text) = &evidence.text {
                entry = entry.quote(text.as_str()).own(evidence.by == view.me);
            }
            if let Some(accepted) = &evidence.accepted {
                entry = entry.aside(format!("accepted by {}", view.name(&accepted.by)));
            }
            for yes in &evidence.agreed {
                entry = entry.aside(format!("accepted by {}", view.name(&yes.by)));
            }
            if let Some(form) = self.acceptance(view, evidence) {
                entry = entry.act(format!("evidence-{}", evidence.id), form);
            }
            entry
        });
        let entries: Vec<Entry> = entries.collect();
        let passed = self
            .file
            .evidence
            .iter()
            .filter(|evidence| evidence.result == EvidenceResult::Passed)
            .count();
        let note = if entries.is_empty() {
            String::new()
        } else {
            format!("{passed} of {} passed", entries.len())
        };
        Work::new(note, entries).acts(self.act(Verb::AddEvidence, Act::AddEvidence))
    }
}
