//! Accounts that count as one person, by a log: an agent counts as its sponsor, and on a change of high risk an account counts
//! as the person who made it within the day before. Subjects and addresses are sealed in the log, so that nobody is joined by
//! them here.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::approval::one_hand::HAND_HOURS;
use crate::compliance::change_trail::Delta;
use crate::directory::impersonation::CredentialGrant;

/// The longest chain of accounts of which each counts as the next.
const MOST_HANDS: usize = 64;

/// The facts of accounts in the log so far.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// The account and the sponsor of each agent's record.
    agents: BTreeMap<String, (String, String)>,
    /// The maker of each account, with the time.
    makers: BTreeMap<String, CredentialGrant>,
}

impl Accounts {
    /// Takes a difference of an agent or of a person.
    pub(super) fn take(&mut self, delta: &Delta) {
        let word = |name: &str| delta.set.get(name).and_then(|it| it.as_str()).map(str::to_owned);
        if delta.table == "agent" {
            let (person, sponsor) = self.agents.entry(delta.id.clone()).or_default();
            if let Some(told) = word("person") {
                *person = told;
            }
            if let Some(told) = word("sponsor") {
                *sponsor = told;
            }
            return;
        }
        if delta.unset.iter().any(|name| name == "made_by") {
            self.makers.remove(&delta.id);
        }
        let made = delta.set.get("made_by").cloned();
        if let Some(hand) = made.and_then(|made| serde_json::from_value(made).ok()) {
            self.makers.insert(delta.id.clone(), hand);
        }
    }

    /// The person behind an account at a moment.
    pub(super) fn behind(&self, account: &str, at: Timestamp, is_grave: bool) -> String {
        let mut found = account;
        for _ in 0..MOST_HANDS {
            let sponsor = self.agents.values().find(|(person, _)| person == found);
            let is_of_late =
                |hand: &&CredentialGrant| hand.at <= at && at < hand.at + SignedDuration::from_hours(HAND_HOURS);
            let maker = self.makers.get(found).filter(|_| is_grave).filter(is_of_late);
            match sponsor
                .map(|(_, sponsor)| sponsor.as_str())
                .or(maker.map(|hand| hand.by.as_str()))
            {
                Some(by) if by != found => found = by,
                _ => break,
            }
        }
        found.to_owned()
    }
}
