//! The tabs of a change's page: each fits a screen, and its parts are read together. All of them are on the page, so that it
//! can be searched, printed and read without script; one is open, by the address.

use super::{ChangePage, LEFT_OUT, Work};
use crate::Section;

/// The tab that is open where the address names none.
const FIRST: &str = "overview";

/// A tab with its content.
pub(super) struct Tab {
    /// Its name in an address.
    pub(super) id: &'static str,
    /// Its word.
    pub(super) label: &'static str,
    /// How many entries it holds; empty where nobody counts them.
    pub(super) count: String,
    /// Its sections, below the page's own ones.
    pub(super) sections: Vec<Section>,
    /// Whether its sections are side by side.
    pub(super) is_pair: bool,
    /// Where it is.
    pub(super) href: String,
    /// Whether it is the open one.
    pub(super) is_open: bool,
}

impl Tab {
    fn new(id: &'static str, label: &'static str, sections: Vec<Section>) -> Self {
        Self {
            id,
            label,
            count: String::new(),
            sections,
            is_pair: false,
            href: String::new(),
            is_open: false,
        }
    }

    fn counted(mut self, number: usize) -> Self {
        if number > 0 {
            self.count = number.to_string();
        }
        self
    }

    /// Whether the page puts something there beside its sections.
    fn is_always(&self) -> bool {
        matches!(self.id, FIRST | "plan")
    }
}

/// The sections of lists that hold something.
fn describe<const N: usize>(sections: [Option<Section>; N]) -> Vec<Section> {
    sections.into_iter().flatten().collect()
}

fn listed(work: &Work) -> usize {
    work.entries.len()
}

impl ChangePage {
    /// The tabs that hold something, one of them open.
    pub(super) fn tabs(&self) -> Vec<Tab> {
        let approvals = describe([
            self.approvals.section(
                "approvals",
                "Approvals",
                "No approval is requested yet. Submission and assessment determine the approvers.",
            ),
            self.conditions.section("conditions", "Conditions", ""),
        ]);
        let evidence = describe([self.evidence.section("evidence", "Evidence", "None yet.")]);
        let mut work: Vec<Section> = (!self.targets.is_empty())
            .then(|| self.target_section())
            .into_iter()
            .collect();
        work.extend(self.course.clone());
        work.extend(describe([
            self.gate.section("gate", "Gate and permits", ""),
            self.runbook.section("runbook", "Log of actions", ""),
        ]));
        let after = describe([
            self.watch.section("watch", "Watch", ""),
            self.review.section("review", "Validation and review", ""),
        ]);
        let plan = describe([self.tasks.section("tasks", "Tasks", "")]);
        let comments = describe([self.comments.section("comments", "Comments", "")]);
        let timeline = self.timeline_section().into_iter().collect();
        let mut tabs = vec![
            Tab::new(FIRST, "Overview", self.overview()),
            Tab::new("approvals", "Approvals", approvals).counted(listed(&self.approvals)),
            Tab::new("plan", "Plan", plan),
            Tab::new("evidence", "Evidence", evidence).counted(listed(&self.evidence)),
            Tab::new("risk", "Risk", self.risk_sections.clone()),
            Tab::new("work", "Work", work),
            Tab {
                is_pair: true,
                ..Tab::new("review", "Review", after)
            },
            Tab::new("comments", "Comments", comments).counted(listed(&self.comments)),
            Tab::new("timeline", "Timeline", timeline).counted(self.timeline.len()),
        ];
        tabs.retain(|tab| tab.is_always() || !tab.sections.is_empty());
        let open = tabs.iter().position(|tab| tab.id == self.tab).unwrap_or_default();
        for (place, tab) in tabs.iter_mut().enumerate() {
            tab.is_open = place == open;
            tab.href = self.frame.url(&format!("/changes/{}?tab={}", self.key, tab.id));
        }
        tabs
    }

    /// The sections below the decision: open requirements, the long texts, links.
    fn overview(&self) -> Vec<Section> {
        let texts = self.texts.iter().enumerate().map(|(place, (label, text))| {
            // The text of the omitted parts is put together from names, some of which a reader may not see.
            let body = match label == LEFT_OUT {
                true => crate::SectionBody::Prose(text.clone()),
                false => crate::SectionBody::Written(text.clone()),
            };
            Section::new(format!("text-{place}"), label.as_str(), body)
        });
        let mut sections = describe([self.requirements.section("requirements", "Still to be met", "")]);
        sections.extend(texts.filter(|section| !section.is_empty()));
        sections.extend(self.links.section("links", "Links", ""));
        sections.extend(self.linked.iter().cloned());
        sections
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use crate::ChangePage;

    #[test]
    fn one_tab_is_open_and_each_has_an_address_of_its_own() {
        for page in ChangePage::samples() {
            let tabs = page.tabs();
            assert_eq!(tabs.iter().filter(|tab| tab.is_open).count(), 1);
            assert!(
                tabs.first().unwrap().is_open,
                "the overview, where the address names none"
            );
            let mut hrefs: Vec<&str> = tabs.iter().map(|tab| tab.href.as_str()).collect();
            hrefs.sort_unstable();
            hrefs.dedup();
            assert_eq!(hrefs.len(), tabs.len());
        }
    }

    #[test]
    fn the_address_opens_a_tab_and_one_that_is_not_there_opens_the_first() {
        let mut page = ChangePage::samples().swap_remove(1);
        page.tab = "plan".to_owned();
        let html = page.render();
        assert!(html.contains("id=\"panel-overview\" hidden"), "{html}");
        assert!(html.contains("id=\"panel-plan\">"), "{html}");
        page.tab = "<script>".to_owned();
        assert!(page.tabs().first().unwrap().is_open);
        assert!(page.render().contains("id=\"panel-overview\">"));
    }
}
