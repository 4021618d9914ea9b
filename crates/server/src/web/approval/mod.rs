//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub(super) mod absences;
pub(super) mod card_news;
pub(super) mod decision_card;
pub(super) mod edit_words;
pub(super) mod home;
pub(super) mod versions;
pub(super) mod warnings;
pub(super) mod what_next;
