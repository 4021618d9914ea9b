//! Which target a deployment is about: what it says of artifact and commit, against what the target names. The gate asks that
//! both agree, and so does a signal.

use model::change::record::{Change, Target};
use model::core::ids::{EnvironmentKey, ServiceKey, TargetId};

use crate::case::commit_equivalence;
use crate::core::context::Context;
use crate::core::error::Result;

/// How a target is meant, the surer word last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meant {
    /// By its commit, while one of the two names no artifact.
    ByCommit,
    /// Its way back, by the artifact that it restores.
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

/// What a deployment names: an artifact, and every commit that stands for it.
pub(crate) struct Named<'a> {
    artifact: Option<&'a str>,
    commits: Vec<String>,
}

impl<'a> Named<'a> {
    /// The names of a deployment, with the commits of its kin (`crate::case::commit_equivalence`). A commit that stands beside an artifact which is
    /// attested to be made from others names nothing.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of(cx: &mut Context<'_, '_>, artifact: Option<&'a str>, commit: Option<&str>) -> Result<Self> {
        let mut commits = commit_equivalence::commits_behind(cx, artifact, commit)?;
        if !commit_equivalence::is_of_another_commit(cx, artifact, commit)? {
            commits.extend(commit.map(str::to_owned));
        }
        Ok(Self { artifact, commits })
    }

    /// The commits that stand for it.
    pub(crate) fn commits(&self) -> &[String] {
        &self.commits
    }

    /// How it means a target that names these; `None` where it does not. A target with an artifact of its own is about that
    /// one, whatever commit stands beside another.
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
            if artifact.is_some() {
                return None;
            }
        }
        let commit = commit?;
        self.commits
            .iter()
            .any(|known| known == commit)
            .then_some(Meant::ByCommit)
    }

    /// The target of a change that is meant here, and how. Of those meant alike one without an outcome comes first, unless
    /// the deployment told an end before (`has_ended`): then it is about one that has its own.
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
