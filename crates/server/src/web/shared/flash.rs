//! The confirmation on a page after a form was accepted. Its name is in the address of the redirect, sealed for the reader's
//! session and for a short while: no forged link can make a page confirm an act that did not happen.

use axum::extract::Query;
use axum::http::Uri;
use jiff::Timestamp;
use pages::{Notice, Reader, Rich, Tone};
use proof::crypto::{base64url, from_base64url, hmac_sha256, verify_hmac_sha256};

use crate::http::percent::escaped;

/// How long a seal holds, in seconds: as long as a browser may need for the next page.
const HOLDS: i64 = 120;
/// The name of the seal in an address.
const SEAL: &str = "seal";
/// The confirmation of a form without one of its own, where one of its times occurs twice.
pub(crate) const KEPT: &str = "kept";
/// The confirmation of a form that was sent before: its effect may have been undone since, so the effect is not confirmed
/// again.
const AGAIN: &str = "again";
/// The same as text, for forms without a page that shows the result.
pub(crate) const TAKEN_BEFORE: &str = "This form was already submitted, so nothing was done again.";

/// The confirmations of forms; an act on a change has the name of its path.
const WORDS: &[(&str, &str)] = &[
    (KEPT, "Saved."),
    (
        AGAIN,
        "This form was already submitted, so nothing was done again. The page shows the current state.",
    ),
    ("freeze_set", "The freeze is set."),
    ("freeze_answered", "Your answer is signed."),
    ("conflict_decided", "Decision on the conflict recorded."),
    ("freeze_announced", "The freeze is announced and in force from now on."),
    ("freeze_changed", "The freeze is changed."),
    ("freeze_ended", "The freeze was ended, or its end needs a confirmation."),
    ("freeze_loosened", "The freeze covers less, or is ended."),
    ("freeze_excepts", "The change is exempt from the freeze."),
    ("freeze_excepts_not", "The change is no longer exempt from the freeze."),
    ("window_added", "The maintenance window is added."),
    ("window_changed", "The maintenance window is changed."),
    ("window_ended", "The maintenance window was withdrawn."),
    ("absence_set", "Absence saved."),
    ("absence_ended", "Absence ended."),
    ("delegation_set", "Delegation saved."),
    ("delegation_ended", "The delegation is ended."),
    ("created", "Change created."),
    ("edited", "Edit saved."),
    ("handed_over", "Submitted for assessment."),
    ("by_template", "Change created from its template."),
    ("told_afterwards", "Recorded as work already done."),
    ("evidence", "The evidence is added."),
    ("submission", "Submitted for assessment."),
    ("assessment", "Assessment recorded."),
    ("acknowledgements", "Acknowledgement recorded."),
    ("approvals", "Approval recorded."),
    ("approvals/conditions", "Approval with conditions recorded."),
    ("approvals/return", "Returned with your question."),
    ("approvals/reject", "Rejection recorded."),
    ("approvals/abstain", "Abstention recorded."),
    ("approvals/{}/withdrawal", "Decision withdrawn."),
    ("meeting", "The meeting is open."),
    ("meetings/{}/attendance", "You are attending the meeting."),
    ("meetings/{}/departure", "You have left the meeting."),
    ("meetings/{}/conflict", "Conflict of interest recorded."),
    ("return", "Returned with your question."),
    ("peer-reviews", "Review recorded."),
    ("overruling", "The rejection is overruled."),
    ("schedule", "Planned times saved."),
    ("hold", "The change is on hold."),
    ("resume", "The change is resumed."),
    ("implementation", "The work has begun."),
    ("implementation/entries", "Entry recorded."),
    ("readiness", "Entry recorded."),
    (
        "extension",
        "Extension requested from the owner and the change managers.",
    ),
    ("extension/decision", "Decision on the extension recorded."),
    ("completion", "Outcome recorded."),
    ("validation", "Validation recorded."),
    ("review", "Review recorded."),
    ("closure", "The change is closed."),
    ("cancellation", "The change is cancelled."),
    ("legal-hold", "The change is under a legal hold."),
    ("legal-hold/end", "Lifting of the legal hold recorded."),
    ("erasure", "Erasure recorded."),
    ("erasure/confirmation", "The texts are erased."),
    ("erasure/withdrawal", "The texts are kept."),
    (
        "break-glass",
        "Break-glass is active. The owner and the change managers are notified.",
    ),
    ("break-glass/co-signature", "Co-signature recorded."),
    ("break-glass/validation", "Validation recorded."),
    ("retrospective/confirmation", "Answer recorded."),
    ("finding", "Finding recorded."),
    ("evidence/{}/acceptance", "Failed evidence accepted."),
    ("conditions/{}/met", "The condition is met."),
    ("checklist/{}/tick", "Checklist item ticked."),
    ("checklist/{}/waiver", "Approval of the waiver recorded."),
    (
        "checklist/{}/probe",
        "The probe was called; its result will appear in the evidence.",
    ),
    ("undo", "End of the planned undo recorded."),
    (
        "gate-reopenings",
        "The explanation is recorded. The gate opens once the second person agrees.",
    ),
    ("tasks", "The task is added."),
    ("tasks/{}", "The task is updated."),
    ("comments", "Comment added."),
    ("answer", "Answer sent, and the change was submitted again."),
    ("links", "Link added."),
    (
        "permits/{}/revocation",
        "The permit is revoked, and its target is closed.",
    ),
    ("permits/{}/revocation/lifting", "The target is open again."),
    ("watchers", "You are now watching this change."),
    ("watchers/end", "You are no longer watching this change."),
];

/// The text of a confirmation, by its name.
pub(crate) fn text_of(name: &str) -> Option<&'static str> {
    let found = WORDS.iter().find(|(known, _)| *known == name);
    found.map(|(_, words)| *words)
}

/// The name of a decision's confirmation, by the decision.
pub(crate) fn decided(decision: &str) -> &'static str {
    match decision {
        "approve_with_conditions" => "approvals/conditions",
        "return" => "approvals/return",
        "reject" => "approvals/reject",
        "abstain" => "approvals/abstain",
        _ => "approvals",
    }
}

/// The confirmation of an act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flash {
    /// Its name, one of [`WORDS`].
    pub done: String,
    /// The key of the changed record, if the page is another one's.
    pub key: String,
    /// The change whose plan was taken over.
    pub from: String,
    /// Times of the form that occur twice on the clock, as they were typed.
    pub twice: Vec<String>,
    /// The keys of similar changes.
    pub alike: Vec<String>,
    /// The tab of the page that is shown with it; empty for the first.
    pub tab: &'static str,
}

impl Flash {
    /// The confirmation of an act.
    pub fn new(done: impl Into<String>) -> Self {
        Self {
            done: done.into(),
            ..Self::default()
        }
    }

    /// The confirmation that a form created or edited a change, with the change from which empty fields were taken.
    pub fn written(done: &str, similar: Option<String>, twice: Vec<String>) -> Self {
        Self {
            from: similar.unwrap_or_default(),
            twice,
            ..Self::new(done)
        }
    }

    /// The same with the times of the form that occur twice.
    pub fn twice(self, twice: Vec<String>) -> Self {
        Self { twice, ..self }
    }

    /// The same with the keys of similar changes.
    pub fn alike(self, alike: Vec<String>) -> Self {
        Self { alike, ..self }
    }

    /// The same, or that the form was taken before and did nothing now.
    pub fn unless_again(self, is_again: bool) -> Self {
        match is_again {
            true => Self {
                key: self.key,
                tab: self.tab,
                ..Self::new(AGAIN)
            },
            false => self,
        }
    }

    /// Whether this confirms that the form was accepted before.
    pub fn is_again(&self) -> bool {
        self.done == AGAIN
    }

    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [("done", &self.done), ("key", &self.key), ("from", &self.from)];
        let all = all.into_iter().chain(self.twice.iter().map(|time| ("twice", time)));
        let all = all.chain(self.alike.iter().map(|key| ("alike", key)));
        all.filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }

    /// The sealed content: the page, the confirmation, and the time.
    fn message(&self, path: &str, at: i64) -> String {
        let pairs = self.pairs().into_iter();
        let lines: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        format!("{path}?{}\n{at}", lines.join("&"))
    }

    /// The query of an address with this confirmation.
    pub fn query(&self, path: &str, credential: &str, now: Timestamp) -> String {
        let at = now.as_second();
        let tag = base64url(&hmac_sha256(credential.as_bytes(), self.message(path, at).as_bytes()));
        let pairs = self.pairs().into_iter();
        let query: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let tab = match self.tab {
            "" => String::new(),
            tab => format!("&tab={tab}"),
        };
        format!("{}&{SEAL}={at}.{tag}{tab}", query.join("&"))
    }

    /// The confirmation in an address, if its seal is this session's and fresh.
    pub fn of(uri: &Uri, credential: &str, now: Timestamp) -> Option<Self> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
        let mut told = Self::default();
        let mut seal = String::new();
        for (name, value) in pairs {
            match name.as_str() {
                "done" => told.done = value,
                "key" => told.key = value,
                "from" => told.from = value,
                "twice" => told.twice.push(value),
                "alike" => told.alike.push(value),
                SEAL => seal = value,
                _ => {}
            }
        }
        let (at, tag) = seal.split_once('.')?;
        let (at, tag) = (at.parse::<i64>().ok()?, from_base64url(tag)?);
        let is_fresh = (0..=HOLDS).contains(&now.as_second().checked_sub(at)?);
        let message = told.message(uri.path(), at);
        (is_fresh && verify_hmac_sha256(credential.as_bytes(), message.as_bytes(), &tag)).then_some(told)
    }

    /// The notice with the confirmation; `url_of` is the page of a change.
    pub fn notice(&self, reader: &Reader, url_of: impl Fn(&str) -> String) -> Option<Notice> {
        let words = text_of(&self.done)?;
        let mut notice = match self.key.is_empty() {
            true => done_notice(words),
            false => done_notice(&format!("{}: {words}", self.key)),
        };
        if self.is_again() {
            notice.tone = Tone::Plain;
        }
        if !self.from.is_empty() {
            let row = Rich::from("Empty fields were filled in from ")
                .link(&self.from, url_of(&self.from))
                .text(
                    ", the last similar change that succeeded: plan, rollback plan, verification, category, what it touches \
                     and who notices. Check whether they fit.",
                );
            notice.rows.push(row);
        }
        let twice = self.twice.iter().filter_map(|time| reader.which_of_two(time));
        notice.rows.extend(twice.map(Rich::from));
        let alike = self.alike.iter();
        notice.rows.extend(alike.map(|key| {
            Rich::from("This change is similar to ")
                .link(key, url_of(key))
                .text(". Is it the same work?")
        }));
        Some(notice)
    }
}

/// The notice after something was done.
fn done_notice(words: &str) -> Notice {
    Notice::new(Tone::Ok, words).answer()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    const PATH: &str = "/t/halden/changes/CHG-1001";
    const SESSION: &str = "sha256:6b1d";

    fn told() -> Flash {
        Flash {
            from: "CHG-7".to_owned(),
            twice: vec!["2027-10-31T02:30".to_owned()],
            ..Flash::new("approvals/{}/withdrawal")
        }
    }

    fn read(query: &str, path: &str, session: &str, later: i64) -> Option<Flash> {
        let now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(later);
        Flash::of(&format!("{path}?{query}").parse().unwrap(), session, now)
    }

    #[test]
    fn what_was_done_is_told_once_to_its_session_on_its_page() {
        let query = told().query(PATH, SESSION, Timestamp::UNIX_EPOCH);
        assert_eq!(read(&query, PATH, SESSION, 5), Some(told()));
        assert_eq!(read(&query, PATH, "sha256:other", 5), None);
        assert_eq!(read(&query, "/t/halden/changes/CHG-1002", SESSION, 5), None);
        assert_eq!(read(&query, PATH, SESSION, HOLDS + 1), None);
        assert_eq!(read(&query, PATH, SESSION, -1), None);
    }

    #[test]
    fn a_link_that_somebody_made_tells_nothing() {
        assert_eq!(read("done=approvals", PATH, SESSION, 0), None);
        let query = told().query(PATH, SESSION, Timestamp::UNIX_EPOCH);
        let other = query.replace("withdrawal", "met");
        assert_ne!(other, query);
        assert_eq!(read(&other, PATH, SESSION, 0), None);
        assert_eq!(read(&format!("{query}&key=CHG-1"), PATH, SESSION, 0), None);
    }

    #[test]
    fn each_decision_is_told_in_words_of_its_own() {
        let mut told: Vec<&str> = Vec::new();
        for decision in model::core::enums::Decision::ALL {
            let words = text_of(decided(decision.as_str())).unwrap();
            assert!(!told.contains(&words), "{words}");
            told.push(words);
        }
    }

    #[test]
    fn what_forms_tell_has_words_in_every_language() {
        for (tag, _) in pages::language::CHOICES {
            let Some(language) = pages::language::find(tag) else {
                continue;
            };
            // Each text is a message of its own: a pattern such as “{what} is {so}” would match many of them and leave half in
            // English.
            let messages = language.messages();
            for (_, words) in WORDS {
                assert!(messages.contains(words), "{tag}: {words}");
            }
        }
    }
}
