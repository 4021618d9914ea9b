//! A second judge, written apart from the rules: it keeps its own history of authors and decisions, and knows the test's
//! policies by heart.

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::{self, Change};
use model::core::enums::{self, Kind, Level};

/// One person's last decision.
#[derive(Clone, Debug)]
pub struct Given {
    pub yes: bool,
    pub what_epoch: u32,
    pub when_epoch: u32,
    pub withdrawn: bool,
}

/// The events so far, as a careful clerk would have written them down.
#[derive(Clone, Debug, Default)]
pub struct Clerk {
    /// Grows whenever approvals of *what* lose their ground.
    pub what_epoch: u32,
    /// Grows whenever approvals of *when* lose their ground.
    pub when_epoch: u32,
    pub authors: BTreeSet<String>,
    /// The people who set the current planned times.
    pub planners: BTreeSet<String>,
    pub words: BTreeMap<String, Given>,
    /// Peers and the epoch in which they agreed.
    pub peers: BTreeMap<String, u32>,
    /// Artifacts with passed functional evidence from staging.
    pub tested: BTreeSet<String>,
    /// Whether a break-glass was opened, and whether it needed and has a second signature.
    pub glass: Option<(bool, bool)>,
    /// Whether the work began on an approval that another person may have given.
    pub distrusted: bool,
}

impl Clerk {
    /// Compares the state after an act with the state before, and writes down the approvals that lost their ground.
    pub fn note_edit(&mut self, who: &str, before: &Change, after: &Change) {
        let what = before.content != after.content;
        let when = (before.planned_start, before.planned_end) != (after.planned_start, after.planned_end);
        self.what_epoch += u32::from(what);
        self.when_epoch += u32::from(when);
        if what {
            self.authors.insert(who.to_owned());
        }
    }

    /// A person who states both times is their author, unless they have agreed to just these already.
    pub fn note_times(&mut self, who: &str) {
        let agreed = matches!(who, "mia" | "max") && self.says_yes(who, true);
        if !agreed {
            self.planners = BTreeSet::from([who.to_owned()]);
        }
    }

    pub fn note_all_void(&mut self) {
        self.what_epoch += 1;
        self.when_epoch += 1;
    }

    pub fn note_word(&mut self, who: &str, yes: bool) {
        let word = Given {
            yes,
            what_epoch: self.what_epoch,
            // An approval of one's own times never counts, also later.
            when_epoch: if self.planners.contains(who) {
                u32::MAX
            } else {
                self.when_epoch
            },
            withdrawn: false,
        };
        self.words.insert(who.to_owned(), word);
    }

    /// Another person may have used the account: its decisions count as never made, and work that rests on them stops.
    pub fn note_compromised(&mut self, who: &str, is_begun: bool) {
        let agreed = self.peers.get(who) == Some(&self.what_epoch);
        let counted = self.has_approved(who) || agreed;
        self.distrusted |= is_begun && counted;
        self.words.remove(who);
        self.peers.remove(who);
    }

    fn says_yes(&self, who: &str, when: bool) -> bool {
        let fresh = |word: &Given| {
            let epoch = if when {
                word.when_epoch == self.when_epoch
            } else {
                word.what_epoch == self.what_epoch
            };
            word.yes && !word.withdrawn && epoch
        };
        let set_them = when && self.planners.contains(who);
        !set_them && !self.authors.contains(who) && self.words.get(who).is_some_and(fresh)
    }

    fn any(&self, people: &[&str], when: bool) -> bool {
        people.iter().any(|who| self.says_yes(who, when))
    }

    /// Whether all that is due before *what* counts as approved is there.
    pub fn what_is_met(&self, change: &Change) -> bool {
        let owner = self.any(&["olga"], false);
        let manager = self.any(&["mia", "max"], false);
        let peer = ["sam", "sue"].iter().any(|who| {
            let agreed = self.peers.get(*who) == Some(&self.what_epoch);
            agreed && !self.authors.contains(*who) && !self.has_approved(who)
        });
        let plans = !change.content.plan.is_empty();
        match change.content.kind {
            Kind::Emergency => owner && manager && plans,
            Kind::Normal => {
                owner && manager && plans && self.any(&["sam"], false) && (peer || change.risk.level != Level::High)
            }
            Kind::Standard => is_as_the_template(change),
        }
    }

    /// Whether a person's approval is valid in any part.
    fn has_approved(&self, who: &str) -> bool {
        self.says_yes(who, false) || (matches!(who, "mia" | "max") && self.says_yes(who, true))
    }

    /// Whether the rules on *when* are met.
    pub fn when_is_met(&self, change: &Change) -> bool {
        change.content.kind != Kind::Normal || self.any(&["mia", "max"], true)
    }

    /// Whether the evidence due before start is there.
    pub fn evidence_is_there(&self, change: &Change) -> bool {
        let tested = |artifact: &Option<String>| artifact.as_ref().is_some_and(|name| self.tested.contains(name));
        change.content.kind != Kind::Normal || change.content.targets.iter().all(|target| tested(&target.artifact))
    }

    /// Whether a break-glass opens the way.
    pub fn glass_is_lawful(&self) -> bool {
        self.glass.is_some_and(|(needs, signed)| !needs || signed)
    }
}

/// Whether a change equals the content that the approvers of the template `patch` have seen: its steps, its category, its
/// service.
fn is_as_the_template(change: &Change) -> bool {
    let steps = |steps: &[record::Step], title: &str| steps.len() == 1 && steps[0].title == title;
    let content = &change.content;
    steps(&content.plan, "Patch")
        && steps(&content.rollback_plan, "Take the patch back")
        && content.category == enums::Category::Application
        && content.targets.iter().all(|target| target.service.as_str() == "shop")
        && [content.impact.highest(), change.risk.level]
            .iter()
            .all(|level| *level <= Level::Low)
        && content.complexity.is_some_and(|level| level <= Level::Low)
        && content.touches.is_empty()
        && content.disruption.is_none()
}
