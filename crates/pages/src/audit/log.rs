//! The audit log: its checkpoint and size, its last entries, how to verify it.

use askama::Template;

use crate::elements::form::Fields;
use crate::elements::parts::{Facts, Timeline};
use crate::elements::sample::{BIDI, MARKUP};
use crate::elements::{filters, parts};
use crate::{Chip, Fact, Field, Frame, Input, Moment, Notice, Paging, Place, Rich, Tone, render};

/// An entry of the log is shown as a moment of a timeline.
pub type LogEntry = Moment;

/// The page of the tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "audit.html")]
pub struct AuditLog {
    /// Everything around it.
    pub frame: Frame,
    /// The news: “48,213 entries, sealed 12 s ago”.
    pub lede: String,
    /// The last checkpoint as it is served, a signed note.
    pub checkpoint: String,
    /// Warnings: stale, no witness, a failed check.
    pub notices: Vec<Notice>,
    /// Filters that are on.
    pub chips: Vec<Chip>,
    /// The form of filters, sent by GET to `filter_url`.
    pub filters: Vec<Field>,
    /// Where the filters are sent.
    pub filter_url: String,
    /// The text when no entry is shown.
    pub unsaid: String,
    /// The last entries, newest first, or those that fit.
    pub entries: Vec<LogEntry>,
    /// Links to the neighbouring pages.
    pub paging: Paging,
    /// Commands that verify, with a sentence each.
    pub checks: Vec<(String, String)>,
    /// Origin, size, root, witnesses, keys.
    pub facts: Vec<Fact>,
}

impl AuditLog {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around("Audit log", false, &render(self))
    }

    /// Believable instances: new and empty, ordinary, odd.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let empty = Self {
            frame: crate::elements::sample::frame(Place::AuditLog),
            lede: "No entry yet.".to_owned(),
            unsaid: "The first act creates the first entry.".to_owned(),
            notices: vec![
                Notice::new(
                    Tone::Wait,
                    "This log has no outside witness. The holder of the signing key could rewrite it \
                     unnoticed; name a witness in the configuration.",
                )
                .title("No witness"),
            ],
            ..Self::default()
        };
        let entry = |text: Rich, index: &str| LogEntry {
            icon: "leaf",
            text,
            meta: Rich::new().text("today 10:42 · ").code("change.approved"),
            index: Some(index.to_owned()),
            proof_url: "/t/halden/audit/48107".to_owned(),
        };
        let full = Self {
            lede: "48,213 entries, sealed 12 s ago, seen by 2 witnesses.".to_owned(),
            checkpoint: "halden.example.org/t/halden\n48213\nqNe0…=\n\n— halden.example.org/t/halden 9f2c…=\n— witness-1 77b2…=\n".to_owned(),
            notices: Vec::new(),
            filters: vec![
                Field::select("kind", "Kind", &[("", "Any"), ("approval", "Approvals")]).half(),
                Field::text("actor", "Who").half(),
                Field::text("about", "About"),
                Field::new("from", "From", Input::Date).half(),
                Field::new("to", "To", Input::Date).half(),
            ],
            filter_url: "/t/halden/audit".to_owned(),
            entries: vec![
                entry(Rich::new().link("CHG-1042", "/t/halden/changes/CHG-1042").text(": Hanne Brandt approved ").emphasis("what"), "48,107"),
                entry(Rich::from(MARKUP), "48,106"),
                LogEntry { index: None, ..entry(Rich::from(BIDI), "48,105") },
            ],
            paging: Paging { newer: None, older: Some("/t/halden/audit?before=48105".to_owned()), count: "the last 3 of 48,213".to_owned(), is_sorted: false },
            checks: vec![
                ("Every entry, its place and the signatures, without trusting this server:".to_owned(), "assent audit verify --log https://halden.example.org/t/halden/log --key halden.pub".to_owned()),
                ("That the database matches the log, on the host:".to_owned(), "assent audit replay --data ./assent-data".to_owned()),
            ],
            facts: vec![
                Fact::new("Size", "48,213"),
                Fact::new("Root", Rich::new().code("qNe0…=")),
                Fact::new("Witnesses", Rich::new().text("witness-1, 8 s ago").line().text("witness-2, 31 s ago")),
                Fact::new("Key", Rich::new().link("Verifier keys", "/t/halden/log/key")),
            ],
            ..empty.clone()
        };
        let chip = |label: &str, value: &str| Chip {
            label: label.to_owned(),
            value: value.to_owned(),
            remove_url: "/t/halden/audit".to_owned(),
            is_said: true,
        };
        let narrowed = Self {
            chips: vec![chip("Who", "hanne"), chip("About", MARKUP), chip("Kind", BIDI)],
            unsaid: "No matching entries.".to_owned(),
            entries: Vec::new(),
            ..full.clone()
        };
        vec![empty, full, narrowed]
    }

    fn filter_fields(&self) -> Fields<'_> {
        Fields {
            form_id: "filter",
            fields: &self.filters,
        }
    }

    fn timeline(&self) -> Timeline<'_> {
        Timeline { moments: &self.entries }
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }

    fn fact_list(&self) -> Facts<'_> {
        Facts { facts: &self.facts }
    }
}
