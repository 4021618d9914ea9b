//! The state of the files for Prometheus and of its last reload, as this server saw them since its start. The state is kept in
//! memory alone: a restarted server writes the files and reloads again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// The longest reason that is kept, in characters.
const REASON: usize = 300;
/// The most monitors without a rule that are named.
const MOST_LEFT_OUT: usize = 50;

/// The state, shared by the thread that writes the files and the page that shows it.
#[derive(Debug, Default)]
pub(crate) struct MonitoringState(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    place: Option<Configured>,
    files: BTreeMap<String, FilesSeen>,
    reload: Option<Attempt>,
}

/// The folder of the files, and whether Prometheus reloads them on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Configured {
    /// The folder.
    pub(crate) folder: String,
    /// Whether an address for reloads is set.
    pub(crate) reloads: bool,
}

/// An attempt: when, and why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// When.
    pub(crate) at: Timestamp,
    /// The reason of the failure; `None` after a success.
    pub(crate) failed: Option<String>,
}

/// The files of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilesSeen {
    /// When they were compared with the records last, and why that failed.
    pub(crate) checked: Attempt,
    /// When one of them was written last; `None` where none had to be since the start.
    pub(crate) written_at: Option<Timestamp>,
    /// The keys of monitors whose expression Prometheus cannot read, so that their rule is left out.
    pub(crate) left_out: BTreeSet<String>,
}

/// The state that a tenant's page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where files are written; `None` where nothing is set.
    pub(crate) place: Option<Configured>,
    /// The tenant's files; `None` before the first round.
    pub(crate) files: Option<FilesSeen>,
    /// The last reload; `None` before the first.
    pub(crate) reload: Option<Attempt>,
}

impl MonitoringState {
    fn locked<T>(&self, use_it: impl FnOnce(&mut All) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes at the start where files are written.
    pub(crate) fn configure(&self, place: Option<Configured>) {
        self.locked(|all| all.place = place);
    }

    /// Notes a round over the files of a tenant: whether one was written, or why none could be.
    pub(crate) fn note_files(
        &self,
        tenant: &str,
        at: Timestamp,
        done: Result<bool, String>,
        left_out: impl IntoIterator<Item = String>,
    ) {
        self.locked(|all| {
            let before = all.files.get(tenant).and_then(|it| it.written_at);
            let seen = FilesSeen {
                written_at: if done == Ok(true) { Some(at) } else { before },
                checked: Attempt {
                    at,
                    failed: done.err().map(shortened),
                },
                left_out: left_out.into_iter().take(MOST_LEFT_OUT).collect(),
            };
            all.files.insert(tenant.to_owned(), seen);
        });
    }

    /// Notes whether Prometheus read its rules again.
    pub(crate) fn note_reload(&self, at: Timestamp, done: &Result<(), String>) {
        let failed = done.as_ref().err().cloned().map(shortened);
        self.locked(|all| all.reload = Some(Attempt { at, failed }));
    }

    /// The state for a tenant's page.
    pub(crate) fn seen(&self, tenant: &str) -> Seen {
        self.locked(|all| Seen {
            place: all.place.clone(),
            files: all.files.get(tenant).cloned(),
            reload: all.reload.clone(),
        })
    }
}

fn shortened(why: String) -> String {
    why.chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_last_write_and_the_last_failure_are_both_known_and_tenants_are_apart() {
        let state = MonitoringState::default();
        assert_eq!(state.seen("acme"), Seen::default());
        state.note_files("acme", at(1), Ok(true), ["bad".to_owned()]);
        state.note_files("acme", at(2), Ok(false), []);
        let files = state.seen("acme").files.unwrap();
        assert_eq!((files.written_at, files.checked.at), (Some(at(1)), at(2)));
        assert!(files.left_out.is_empty(), "it can be read by now");
        state.note_files("acme", at(3), Err("x".repeat(1_000)), []);
        let files = state.seen("acme").files.unwrap();
        assert_eq!(files.written_at, Some(at(1)));
        assert_eq!(files.checked.failed.map(|why| why.len()), Some(REASON));
        assert_eq!(state.seen("other").files, None);
        state.note_reload(at(4), &Err("it answered 500".to_owned()));
        state.note_reload(at(5), &Ok(()));
        assert_eq!(
            state.seen("other").reload,
            Some(Attempt {
                at: at(5),
                failed: None
            })
        );
    }
}
