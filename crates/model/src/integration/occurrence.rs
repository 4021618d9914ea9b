//! The meaning of the status reports on a deployment: which reports have an effect, which attempt they belong to, and whether
//! two systems report the same deployment. Every rule here uses the time at which a status occurred, never the order of
//! arrival.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::enums::State;
use crate::core::parse::later;

/// The largest lag of outside clocks: the same as in Standard Webhooks.
pub const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The largest distance between two systems' beginnings, or successful ends, of one deployment.
const APART: SignedDuration = SignedDuration::from_hours(6);
/// The most reports that are kept of one deployment; further ones have no effect.
pub const MOST_WORDS: usize = 256;

/// One report on a deployment: a status, and the time at which it occurred.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusReport {
    /// When it occurred.
    pub at: Timestamp,
    /// The status.
    pub status: String,
}

/// The phase in the life of a deployment that a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It was requested, or it waits.
    Asked,
    /// It began.
    Began,
    /// It ended well.
    Succeeded,
    /// It was stopped or left out.
    Stopped,
    /// It ended badly.
    Failed,
    /// The deployed version was rolled back.
    RolledBack,
    /// A status without a meaning here, such as that a later deployment took its place.
    Other,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Asked,
        Self::Began,
        Self::Succeeded,
        Self::Stopped,
        Self::Failed,
        Self::RolledBack,
        Self::Other,
    ];

    /// The phase of a status.
    #[must_use]
    pub fn of(status: &str) -> Self {
        match status {
            "queued" | "pending" | "waiting" | "created" | "blocked" | "requested" => Self::Asked,
            "in_progress" => Self::Began,
            "success" => Self::Succeeded,
            "canceled" | "skipped" => Self::Stopped,
            "failure" | "error" => Self::Failed,
            "rolled_back" => Self::RolledBack,
            _ => Self::Other,
        }
    }

    /// Whether it ends a deployment.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Stopped | Self::Failed | Self::RolledBack)
    }

    /// Whether the phase implies a beginning: only a deployment that began can succeed or be rolled back.
    #[must_use]
    pub fn implies_beginning(self) -> bool {
        matches!(self, Self::Began | Self::Succeeded | Self::RolledBack)
    }
}

/// The known history of a deployment before a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Nothing that has an effect.
    Nothing,
    /// It began.
    Begun,
    /// It ended.
    Ended,
}

impl History {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Begun, Self::Ended];
}

/// The effect of a report on the target of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is kept and moves nothing.
    Noted,
    /// It is kept until a beginning is reported: an end without a beginning is no failure.
    Held,
    /// It begins the work if the change was ready at that time, else it is unauthorized.
    BeginsIfReady,
    /// It continues begun work if the gate would have allowed it at its time, else it is unauthorized.
    GoesOn,
    /// It corrects a reported end: an earlier beginning, or another end.
    Corrects,
    /// Nothing allowed it: it is unauthorized.
    Unauthorized,
}

/// The effect of a report, by the history before it and the state of the change.
#[must_use]
pub fn effect(before: History, phase: Phase, state: State) -> Effect {
    match (before, phase) {
        (_, Phase::Asked | Phase::Other) => Effect::Noted,
        (History::Nothing, Phase::Failed | Phase::Stopped) => Effect::Held,
        (before, _) => match (state, before) {
            (State::Authorizing | State::Approved | State::Scheduled, _) => Effect::BeginsIfReady,
            (State::Implementing, _) => Effect::GoesOn,
            (State::Reviewing, History::Nothing) => Effect::Unauthorized,
            (State::Reviewing, _) => Effect::Corrects,
            (State::Closed, History::Begun | History::Ended) => Effect::Noted,
            _ => Effect::Unauthorized,
        },
    }
}

fn in_time(words: &[StatusReport]) -> Vec<StatusReport> {
    let mut words = words.to_vec();
    words.sort_by(|a, b| (a.at, Phase::of(&a.status), &a.status).cmp(&(b.at, Phase::of(&b.status), &b.status)));
    words
}

/// The beginning of a deployment by its reports; `None` where they contain no beginning.
#[must_use]
pub fn began_at(words: &[StatusReport]) -> Option<Timestamp> {
    let beginnings = words.iter().filter(|it| Phase::of(&it.status).implies_beginning());
    beginnings.map(|it| it.at).min()
}

/// The reports that have an effect, in the order of their times: the beginning, and every end since. Failures and stops before
/// any beginning have none, as where a run was refused before its first step.
#[must_use]
pub fn effective(words: &[StatusReport]) -> Vec<StatusReport> {
    let Some(began) = began_at(words) else {
        return Vec::new();
    };
    let has_effect = |it: &StatusReport| {
        let phase = Phase::of(&it.status);
        it.at >= began && (phase == Phase::Began || phase.is_end())
    };
    in_time(words).into_iter().filter(has_effect).collect()
}

/// The end that counts: the last one; among ends at one time the worse.
#[must_use]
pub fn last_end(words: &[StatusReport]) -> Option<StatusReport> {
    let ends = effective(words).into_iter().filter(|it| Phase::of(&it.status).is_end());
    ends.max_by_key(|it| (it.at, Phase::of(&it.status)))
}

/// The end that counts when several systems report one deployment: the worst from any system; among equal ones, the first.
#[must_use]
pub fn end_of_all(ends: impl IntoIterator<Item = StatusReport>) -> Option<StatusReport> {
    ends.into_iter()
        .min_by_key(|it| (std::cmp::Reverse(Phase::of(&it.status)), it.at))
}

/// The attempts in the reports under one key, in the order of their times: a beginning after an end is another attempt. With
/// `each_success` a success after an end is one as well, for senders that never report a beginning.
#[must_use]
pub fn attempts(words: &[StatusReport], each_success: bool) -> Vec<Vec<StatusReport>> {
    let mut all: Vec<Vec<StatusReport>> = vec![Vec::new()];
    for word in in_time(words) {
        let current = all.last().map_or(&[][..], Vec::as_slice);
        let phase = Phase::of(&word.status);
        let begins = phase == Phase::Began || each_success && phase == Phase::Succeeded;
        let is_after = last_end(current).is_some_and(|end| end.at < word.at);
        if begins && is_after {
            all.push(Vec::new());
        }
        if let Some(current) = all.last_mut() {
            current.push(word);
        }
    }
    all
}

/// Whether a system's first effective report may be about a deployment that another system reported. Place and build are
/// already equal.
///
/// A beginning after a failed end is a rerun, and so is a report long after the end. Overlapping reports are one deployment. An
/// end whose beginning was not yet reported counts as overlapping until that report arrives.
#[must_use]
pub fn is_same(known: &[StatusReport], word: &StatusReport) -> bool {
    let known = effective(known);
    let (Some(first), phase) = (known.first(), Phase::of(&word.status)) else {
        return false;
    };
    // A requested deployment may wait for hours.
    if phase != Phase::Asked && later(word.at, APART) < first.at {
        return false;
    }
    let is_begun = Phase::of(&first.status) == Phase::Began;
    if phase.is_end() && is_begun && later(word.at, SKEW) < first.at {
        return false;
    }
    let Some(end) = last_end(&known) else {
        return true;
    };
    let has_succeeded = Phase::of(&end.status) == Phase::Succeeded;
    let latest = match (phase.is_end(), has_succeeded) {
        (true, _) => later(end.at, APART),
        (false, true) => later(end.at, SKEW),
        (false, false) => end.at,
    };
    word.at <= latest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use proptest::prelude::*;

    fn word(status: &str, minutes: i64) -> StatusReport {
        let began: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        StatusReport {
            at: began + SignedDuration::from_mins(minutes),
            status: status.to_owned(),
        }
    }

    const STATUSES: [&str; 9] = [
        "queued",
        "in_progress",
        "success",
        "failure",
        "error",
        "canceled",
        "skipped",
        "rolled_back",
        "inactive",
    ];

    fn words() -> impl Strategy<Value = Vec<StatusReport>> {
        let one = (0..STATUSES.len(), 0..30_i64).prop_map(|(which, minutes)| word(STATUSES[which], minutes));
        proptest::collection::vec(one, 0..10)
    }

    #[test]
    fn an_end_without_a_beginning_has_no_effect_and_one_after_it_has() {
        for end in ["failure", "error", "canceled", "skipped"] {
            assert!(effective(&[word("queued", 0), word(end, 1)]).is_empty(), "{end}");
            let refused_first = [word(end, 1), word("in_progress", 2), word("success", 3)];
            assert_eq!(last_end(&refused_first), Some(word("success", 3)), "{end}");
            assert_eq!(effective(&refused_first).len(), 2, "{end}");
            assert_eq!(
                last_end(&[word(end, 3), word("in_progress", 2)]),
                Some(word(end, 3)),
                "{end}"
            );
        }
        assert_eq!(effective(&[word("success", 4)]).len(), 1);
    }

    #[test]
    fn a_beginning_after_an_end_is_another_attempt() {
        let told = [
            word("in_progress", 1),
            word("failure", 2),
            word("in_progress", 3),
            word("success", 4),
        ];
        let found = attempts(&told, false);
        assert_eq!(found.len(), 2);
        assert_eq!(last_end(&found[0]), Some(word("failure", 2)));
        assert_eq!(last_end(&found[1]), Some(word("success", 4)));
        assert_eq!(attempts(&[word("failure", 2), word("in_progress", 3)], false).len(), 1);
        let again = [word("success", 1), word("success", 9)];
        assert_eq!(attempts(&again, false).len(), 1);
        assert_eq!(attempts(&again, true).len(), 2);
    }

    #[test]
    fn what_happened_side_by_side_is_one_deployment_and_a_rerun_is_another() {
        let failed = [word("in_progress", 0), word("failure", 5)];
        assert!(is_same(&failed, &word("in_progress", 3)));
        assert!(is_same(&failed, &word("failure", 6)));
        assert!(!is_same(&failed, &word("in_progress", 6)), "a rerun");
        assert!(is_same(&failed, &word("success", 20)), "until its beginning is told");
        let done = [word("in_progress", 0), word("success", 5)];
        assert!(is_same(&done, &word("success", 20)));
        assert!(!is_same(&done, &word("in_progress", 20)));
        assert!(!is_same(&done, &word("success", 5 + 7 * 60)));
        assert!(!is_same(&[word("failure", 5)], &word("in_progress", 3)));
    }

    #[test]
    fn every_word_has_its_effect_in_the_table() {
        for state in State::ALL {
            for before in History::ALL {
                for phase in Phase::ALL {
                    let found = effect(before, phase, *state);
                    let is_bare = before == History::Nothing && matches!(phase, Phase::Failed | Phase::Stopped);
                    assert_eq!(found == Effect::Held, is_bare, "{before:?} {phase:?} {state}");
                    let moves = !matches!(phase, Phase::Asked | Phase::Other) && !is_bare;
                    assert!(moves || matches!(found, Effect::Held | Effect::Noted));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_order_of_telling_decides_nothing(told in words(), seed in any::<u64>()) {
            let mut other = told.clone();
            for place in (1..other.len()).rev() {
                let with = usize::try_from(seed.rotate_left(u32::try_from(place).unwrap()) % (place as u64 + 1)).unwrap();
                other.swap(place, with);
            }
            prop_assert_eq!(effective(&told), effective(&other));
            prop_assert_eq!(last_end(&told), last_end(&other));
            prop_assert_eq!(attempts(&told, false), attempts(&other, false));
        }

        #[test]
        fn no_attempt_has_a_beginning_after_its_end_and_no_word_is_lost(told in words()) {
            let found = attempts(&told, false);
            prop_assert_eq!(found.iter().map(Vec::len).sum::<usize>(), told.len());
            for attempt in &found {
                let begins = attempt.iter().filter(|it| it.status == "in_progress").map(|it| it.at).max();
                let Some(begins) = begins else { continue };
                let earlier: Vec<StatusReport> = attempt.iter().filter(|it| it.at < begins).cloned().collect();
                prop_assert!(last_end(&earlier).is_none());
            }
        }

        #[test]
        fn nothing_ends_that_did_not_begin(told in words()) {
            if began_at(&told).is_none() {
                prop_assert!(effective(&told).is_empty());
            }
            let Some(end) = last_end(&told) else { return Ok(()) };
            prop_assert!(began_at(&told).is_some_and(|began| began <= end.at));
        }
    }
}
