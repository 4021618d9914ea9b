//! Samples of changes by which an auditor tests a control.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::draw;
use crate::core::act::actions::AUDIT;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{Kind, Level};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::verbs;

/// The most samples in use.
pub const MOST_SAMPLES: usize = 200;
/// The longest seed, in characters.
pub const SEED: usize = 200;

/// A sample of changes, with the population that it was drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct AuditSample {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The purpose of the sample.
    #[card(text)]
    pub title: String,
    /// The control that it tests, such as SOX-CM-1.
    pub control: String,
    /// The begin of the span in which the work of a change began.
    pub from: Timestamp,
    /// The end of the span, not included.
    pub to: Timestamp,
    /// The kinds of change; all by default.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub kinds: BTreeSet<Kind>,
    /// The levels of risk; all by default.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub risks: BTreeSet<Level>,
    /// The services; all by default. With services, the sample is also stratified by service.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// What the lots are drawn with.
    #[card(most = SEED)]
    pub seed: String,
    /// Whether the auditor chose the seed; otherwise it is the root of the log, which nobody chooses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_seed_chosen: bool,
    /// How many changes the population has.
    pub population: i64,
    /// The digest over the sorted keys of the population, one a line.
    pub population_digest: String,
    /// How many changes each stratum has and gave.
    pub strata: Vec<String>,
    /// The keys of the sample.
    pub changes: Vec<String>,
    /// The size of the log when it was drawn: events up to it answer the questions of the control. Without it, all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_size: Option<i64>,
    /// Who drew it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether it is in use; a withdrawn one stays in the log.
    #[card(column)]
    pub active: bool,
    /// Who signed the working paper: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub signed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// The digest of the working paper that was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_digest: Option<String>,
}

/// A sample of changes. The population is the changes whose work began in the span, in whatever state they are.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AuditSampleInput {
    /// The purpose of the sample.
    #[card(text, example = "Changes of the third quarter")]
    pub title: String,
    /// The tested control, such as SOX-CM-1; control reports list the samples of each control.
    #[card(example = "SOX-CM-1")]
    pub control: String,
    /// The begin of the span in which the work of a change began.
    #[card(label = "From", option = "from", example = "2026-07-01T00:00:00Z")]
    pub from: Timestamp,
    /// The end of the span, not included.
    #[card(label = "To", option = "to", example = "2026-10-01T00:00:00Z")]
    pub to: Timestamp,
    /// The kinds of change; all by default.
    #[card(words, option = "kind")]
    pub kinds: BTreeSet<Kind>,
    /// The levels of risk; all by default.
    #[card(words, option = "risk")]
    pub risks: BTreeSet<Level>,
    /// The services; all by default. With services, the sample is also stratified by service.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// The seed of the random selection; by default the root of the log.
    #[card(most = SEED)]
    pub seed: Option<String>,
    /// The number of changes; by default the usual sample size for such a population.
    #[card(most = draw::MOST, example = "25")]
    pub size: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    command: "audit-sample",
    columns: &["id", "title", "control", "from", "to", "population", "signed_by"],
    verbs: verbs! {
        List "list_audit_samples" at "/audit-samples" may AUDIT => "List samples of changes that auditors test", token Audit;
        Add "draw_audit_sample" at "/audit-samples" may AUDIT => "Draw a sample of changes whose work began, stratified by kind, risk and state", token Audit, called "draw";
        Show "show_audit_sample" at "/audit-samples/{id}" may AUDIT => "Show a sample", token Audit;
        End "withdraw_audit_sample" at "/audit-samples/{id}" may AUDIT => "Withdraw a sample that is not signed", token Audit;
    },
    events: &[
        Event::new("audit_sample.drawn", "eye", "drew a sample of changes"),
        Event::new("audit_sample.withdrawn", "x", "withdrew a sample of changes"),
        Event::new("audit_sample.signed", "check", "signed the working paper of a sample"),
    ],
    page: Some(Page {
        path: "/audit-samples",
        byline: "Samples of changes by which auditors test a control, with a conclusion on each change.",
        empty: "No sample was drawn yet.",
        labels: ["Draw a sample", "Change it", "Withdraw it"],
    }),
    ..Card::of::<AuditSample, AuditSampleInput>("audit_sample", "Audit samples")
};

impl AuditSample {
    /// Whether conclusions are still taken.
    pub fn is_open(&self) -> bool {
        self.active && self.signed_at.is_none()
    }
}

/// The size of a sample: the requested size within bounds, or the usual one.
///
/// # Errors
/// The sentence for a size that is none.
pub fn size(asked: Option<i64>, population: usize) -> Result<usize, String> {
    let Some(asked) = asked else {
        return Ok(draw::usual_size(population));
    };
    match usize::try_from(asked) {
        Ok(size @ 1..=draw::MOST) => Ok(size),
        _ => Err(format!("A sample has 1 to {} changes.", draw::MOST)),
    }
}
