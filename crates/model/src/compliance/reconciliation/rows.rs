//! A reconciliation as rows of text.

use jiff::Timestamp;

use super::{Lack, Ran, Reconciliation};

impl Ran {
    /// The gap, as text for reports.
    #[must_use]
    pub fn why(&self) -> &'static str {
        match (self.backdated, self.lack) {
            (true, Lack::NoChange) => "no change, backdated",
            (true, Lack::NeverApproved) => "never approved, backdated",
            (true, Lack::ApprovedLater) => "approved later, backdated",
            (true, Lack::ApprovalLost) => "approval lost, backdated",
            (_, lack) => lack.as_str(),
        }
    }
}

impl Reconciliation {
    /// The heads of [`Self::rows`].
    pub const HEADS: [&'static str; 7] = ["section", "kind", "service", "environment", "change", "at", "what"];

    /// Every finding as a row of text, for CSV.
    #[must_use]
    pub fn rows(&self) -> Vec<[String; 7]> {
        let text = |word: &str| word.to_owned();
        let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let ran = |section: &str, it: &Ran| {
            let kind = if it.lack == Lack::None { it.kind } else { it.why() };
            let change = it.change.clone().unwrap_or_default();
            [
                text(section),
                text(kind),
                it.service.clone(),
                it.environment.clone(),
                change,
                it.at.to_string(),
                it.what.clone(),
            ]
        };
        let mut rows: Vec<[String; 7]> = Vec::new();
        rows.extend(self.not_approved.rows.iter().map(|it| ran("not approved", it)));
        rows.extend(self.not_seen.rows.iter().map(|it| {
            let at = moment(it.started_at);
            [
                text("not seen"),
                text(it.state),
                it.service.clone(),
                it.environment.clone(),
                it.change.clone(),
                at,
                String::new(),
            ]
        }));
        rows.extend(self.permits.rows.iter().map(|it| {
            let what = format!("{}: {}", it.permit, it.text);
            [
                text("permit"),
                text(it.kind.as_str()),
                String::new(),
                String::new(),
                it.change.clone(),
                moment(it.at),
                what,
            ]
        }));
        rows.extend(self.not_staged.rows.iter().map(|it| ran("not staged", it)));
        rows.extend(self.silent.rows.iter().map(|it| {
            let what = format!("{} changes", it.changes);
            [
                text("silent"),
                String::new(),
                it.service.clone(),
                it.environment.clone(),
                String::new(),
                moment(it.since),
                what,
            ]
        }));
        rows
    }

    /// How many findings there are in all.
    #[must_use]
    pub fn findings(&self) -> u64 {
        self.not_approved.count + self.not_seen.count + self.permits.count + self.not_staged.count + self.silent.count
    }

    /// Puts names in the place of the ids of people.
    pub fn name_people(&mut self, name: impl Fn(&str) -> String) {
        for row in &mut self.people.rows {
            row.person = name(&row.person);
        }
    }
}
