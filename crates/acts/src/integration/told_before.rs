//! Earlier reports of a deployment: by the reporting connection, and by others.

use model::change::related_records::Deployment;
use model::integration::occurrence::{self, Phase, StatusReport};

/// The reports of a deployment before another one: by the connection itself, and by others.
pub(crate) struct Before<'a> {
    pub others: &'a [Vec<StatusReport>],
    pub applied: &'a [StatusReport],
}

impl Before<'_> {
    /// The end that counts.
    pub(crate) fn end(&self) -> Option<StatusReport> {
        let all = self.others.iter().map(Vec::as_slice).chain([self.applied]);
        occurrence::end_of_all(all.filter_map(occurrence::last_end))
    }

    /// Whether it began.
    pub(crate) fn has_begun(&self) -> bool {
        !self.applied.is_empty() || self.others.iter().any(|words| !words.is_empty())
    }

    /// Whether another connection reported an end.
    pub(crate) fn is_ended_by_others(&self) -> bool {
        self.others.iter().any(|words| occurrence::last_end(words).is_some())
    }

    /// Whether any connection reported a failure, or the rollback after it.
    pub(crate) fn has_failed_as(&self, phase: Phase) -> bool {
        let mut all = self.ends().map(|it| Phase::of(&it.status));
        all.any(|it| it != Phase::Succeeded && (it == Phase::RolledBack) == (phase == Phase::RolledBack))
    }

    /// Notes the combined result of all reports on the change's record.
    pub(crate) fn note(&self, subject: &mut Deployment) {
        if self.others.is_empty() {
            return;
        }
        let all = self.others.iter().flatten().chain(self.applied);
        let stands = self.end().or_else(|| all.max().cloned());
        if let Some(word) = stands {
            subject.status = Some(word.status);
            subject.status_at = Some(word.at);
        }
    }

    /// Every reported end, to know which outcomes come from a signal.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &StatusReport> {
        let all = self.others.iter().flatten().chain(self.applied);
        all.filter(|it| Phase::of(&it.status).is_end())
    }
}
