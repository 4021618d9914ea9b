//! Which target a deployment is about: the deployment's artifact and commit are compared with the target's. Both must agree, at
//! the gate and for a signal.

use model::change::record::{Change, Target};
use model::core::ids::{EnvironmentKey, ServiceKey, TargetId};
use model::gate::names::{Kin, Names, matches_question};

use crate::case::commit_equivalence;
use crate::core::context::Context;
use crate::core::error::Result;

/// How a target is matched, the surest way last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meant {
    /// By its commit, while one of the two names no artifact.
    ByCommit,
    /// Its rollback, by the artifact that it restores.
    Back,
    /// By its artifact.
    ByArtifact,
}

impl Meant {
    /// Whether the deployment goes forward.
    pub(crate) fn is_forward(self) -> bool {
        self != Self::Back
    }
}

/// The builds that a deployment names: an artifact, a commit, and their equivalents.
pub(crate) struct Named<'a> {
    artifact: Option<&'a str>,
    commit: Option<&'a str>,
    kin: Kin,
    commits: Vec<String>,
}

impl<'a> Named<'a> {
    /// The names of a deployment, with the equivalents of its commits (`crate::case::commit_equivalence`).
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of(cx: &mut Context<'_, '_>, artifact: Option<&'a str>, commit: Option<&'a str>) -> Result<Self> {
        let kin = commit_equivalence::kin_of(cx, Names::new(artifact, commit))?;
        let mut commits: Vec<String> = kin.of_artifact.iter().chain(&kin.of_commit).cloned().collect();
        commits.extend(commit.map(str::to_owned));
        commits.sort();
        commits.dedup();
        Ok(Self {
            artifact,
            commit,
            kin,
            commits,
        })
    }

    /// The commits by which targets may name this build.
    pub(crate) fn commits(&self) -> &[String] {
        &self.commits
    }

    /// How the deployment matches a target with this build; `None` when it does not. As at the gate, a target with only a
    /// commit does not match an artifact without an attestation that it was built from this commit. An engine reports a commit
    /// of its own beside an artifact, such as that of its configuration: the artifact's digest is surer.
    pub(crate) fn means(
        &self,
        artifact: Option<&str>,
        commit: Option<&str>,
        rollback_to: Option<&str>,
    ) -> Option<Meant> {
        if self.artifact.is_some() {
            if artifact == self.artifact {
                return Some(Meant::ByArtifact);
            }
            if rollback_to == self.artifact {
                return Some(Meant::Back);
            }
        }
        let (own, asked) = (Names::new(artifact, commit), Names::new(self.artifact, self.commit));
        matches_question(own, asked, &self.kin).then_some(Meant::ByCommit)
    }

    /// The matching target of a change, and how it matches. Among equal matches one without an outcome comes first, unless the
    /// deployment reported an end before (`has_ended`): then one with an outcome does.
    pub(crate) fn target_of<'c>(
        &self,
        change: &'c Change,
        (service, environment): (&ServiceKey, &EnvironmentKey),
        has_ended: bool,
    ) -> Option<(&'c Target, Meant)> {
        let is_done = |id: &TargetId| change.target_record(id).is_some_and(|it| it.outcome.is_some());
        let targets = change.content.targets.iter();
        let here = targets.filter(|it| &it.service == service && &it.environment == environment);
        let meant = here.filter_map(|it| {
            let how = self.means(it.artifact.as_deref(), it.commit.as_deref(), it.rollback_to.as_deref())?;
            Some((it, how))
        });
        // Of equals the first stays: `max_by_key` would take the last.
        meant.rev().max_by_key(|(it, how)| (*how, is_done(&it.id) == has_ended))
    }
}
