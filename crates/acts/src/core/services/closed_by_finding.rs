//! Findings that keep the gate closed, whatever its rows allow: changes whose events lack their reasons in the log, and
//! tenants whose log is halted because the database was set back. Each server finds these by itself, so that no row
//! opens the gate again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::core::enums::GateDecision;
use model::core::refusal::Refusal;
use model::core::unmet::{Unmet, unmet};
use model::gate::answer::Answer;

/// The code of a reason that names a finding.
const UNGROUNDED: &str = "ungrounded";
/// The code of a reason that names a log that was set back.
const LOG_SET_BACK: &str = "log_set_back";

/// The findings of this server.
#[derive(Default)]
pub struct ClosedByFinding(Mutex<FindingClosures>);

#[derive(Default)]
struct FindingClosures {
    /// By tenant and change: the fault.
    changes: BTreeMap<(String, String), String>,
    /// By tenant: why nothing is placed in its log.
    set_back: BTreeMap<String, String>,
    /// Why the gates of all tenants are closed, until the process ends.
    all: Option<String>,
}

impl ClosedByFinding {
    fn known(&self) -> MutexGuard<'_, FindingClosures> {
        // A map is whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the gate for a change; returns whether the finding is new here. The first finding stays.
    pub fn close_change(&self, tenant: &str, change: &str, what: &str) -> bool {
        let name = (tenant.to_owned(), change.to_owned());
        let mut known = self.known();
        let is_news = !known.changes.contains_key(&name);
        known.changes.entry(name).or_insert_with(|| what.to_owned());
        is_news
    }

    /// Opens the gate for a change again: two people explained the finding.
    pub fn open_change(&self, tenant: &str, change: &str) {
        self.known().changes.remove(&(tenant.to_owned(), change.to_owned()));
    }

    /// Notes why nothing is placed in a tenant's log, or that the log is in order.
    pub fn note_log(&self, tenant: &str, why: Option<String>) {
        let mut known = self.known();
        match why {
            Some(why) => drop(known.set_back.insert(tenant.to_owned(), why)),
            None => drop(known.set_back.remove(tenant)),
        }
    }

    /// Closes the gates of all tenants until the process ends: the data is an older copy, or another host serves the
    /// same data.
    pub fn close_all(&self, why: &str) {
        self.known().all.get_or_insert_with(|| why.to_owned());
    }

    /// The logs that accept no entry, with the reason, by tenant; `*` is for all.
    #[must_use]
    pub fn logs(&self) -> Vec<(String, String)> {
        let known = self.known();
        let all = known.all.iter().map(|why| ("*".to_owned(), why.clone()));
        let each = known.set_back.iter().map(|(tenant, why)| (tenant.clone(), why.clone()));
        all.chain(each).collect()
    }

    /// How many changes the gate is closed for, and one of them: its tenant, its id and the fault.
    #[must_use]
    pub fn changes(&self) -> (usize, Option<(String, String, String)>) {
        let known = self.known();
        let first = known.changes.iter().next();
        let first = first.map(|((tenant, change), what)| (tenant.clone(), change.clone(), what.clone()));
        (known.changes.len(), first)
    }

    /// Why the gate is closed for a change, if it is.
    #[must_use]
    pub fn reason(&self, tenant: &str, change: &str) -> Option<Unmet> {
        let known = self.known();
        if let Some(why) = known.all.as_ref().or_else(|| known.set_back.get(tenant)) {
            let text = format!("The log stands still, so no permit is given: {why}.");
            let help = "An administrator of the host must restore the log; `assent doctor` shows how.";
            return Some(unmet(LOG_SET_BACK, text, help, Vec::new()));
        }
        let what = known.changes.get(&(tenant.to_owned(), change.to_owned()))?;
        let text = format!("The log does not give what this change was let through for. {what}");
        let help = "An administrator must investigate with `assent audit replay`. Once the finding is explained, a change \
                    manager and a member of security or audit reopen the gate (POST …/gate-reopenings); otherwise the work \
                    needs a new change.";
        Some(unmet(UNGROUNDED, text, help, Vec::new()))
    }

    /// Whether a finding about the log closed the gate for a change.
    #[must_use]
    pub fn is_closed(&self, tenant: &str, change: &str) -> bool {
        self.known()
            .changes
            .contains_key(&(tenant.to_owned(), change.to_owned()))
    }

    /// The gate's decision, restricted by the findings of this server.
    #[must_use]
    pub fn over(&self, tenant: &str, mut answer: Answer) -> Answer {
        if answer.decision == GateDecision::Stop {
            return answer;
        }
        let change = answer.target.as_ref().map_or("", |(change, _)| change.as_str());
        if let Some(reason) = self.reason(tenant, change) {
            answer.decision = GateDecision::Stop;
            answer.reasons = vec![reason];
        }
        answer
    }

    /// Refuses a permit while the gate is closed for its change.
    ///
    /// # Errors
    /// 409 with the reason.
    pub fn check(&self, tenant: &str, change: &str) -> Result<(), Refusal> {
        match self.reason(tenant, change) {
            None => Ok(()),
            Some(reason) => Err(Refusal::NotNow {
                code: "permit_refused",
                text: "No permit is given.".to_owned(),
                unmet: vec![reason],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_closes_its_change_alone_and_a_log_that_was_set_back_closes_its_tenant() {
        let closed = ClosedByFinding::default();
        assert!(closed.close_change("acme", "c-1", "It counted a row."));
        assert!(!closed.close_change("acme", "c-1", "Another one."), "it is known");
        assert!(closed.check("acme", "c-1").is_err());
        assert!(closed.check("acme", "c-2").is_ok() && closed.check("other", "c-1").is_ok());
        closed.note_log("acme", Some("it was cut".to_owned()));
        assert_eq!(
            closed.reason("acme", "c-2").map(|it| it.code),
            Some(LOG_SET_BACK.to_owned())
        );
        assert!(closed.check("other", "c-2").is_ok());
        closed.note_log("acme", None);
        assert!(closed.check("acme", "c-2").is_ok() && closed.check("acme", "c-1").is_err());
        closed.open_change("acme", "c-1");
        assert!(closed.check("acme", "c-1").is_ok());
        assert!(
            closed.close_change("acme", "c-1", "A later one."),
            "a later finding is news"
        );
    }
}
