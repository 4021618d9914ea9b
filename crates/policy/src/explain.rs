//! Names the deciding policies with their place and text.

use model::approval::obligation::{Requirements, TargetObligation};
use model::policy::facts::{ChangeFacts, TargetFacts};

use crate::{PolicySet, PolicySource};

/// The requirements of a change, with the policies behind them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// Digest of schema, policies and parameters.
    pub policy_digest: String,
    /// Digest of the facts that were judged.
    pub facts_digest: String,
    /// Set when the policies could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// One row per policy, sorted by id.
    pub policies: Vec<Explained>,
}

/// One policy that brought an obligation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explained {
    /// The policy's place and text.
    pub source: PolicySource,
    /// The obligation, with the parameters' values put in, and its targets.
    pub required: TargetObligation,
    /// The same in the cases format: `approval, count 1, covers what, from owner`.
    pub words: String,
}

impl PolicySet {
    /// The requirements of a change, with each policy's place and verbatim text. The caller's thread needs a stack of
    /// [`crate::STACK_BYTES`].
    pub fn explain(&self, change: &ChangeFacts, targets: &[TargetFacts]) -> Explanation {
        let Requirements {
            policy_digest,
            facts_digest,
            obligations,
            stop,
            refused: _,
        } = self.require(change, targets);
        let explained = |required: TargetObligation| {
            let source = self.source(&required.obligation.id)?.clone();
            Some(Explained {
                words: crate::cases::obligation_text(&required.obligation),
                source,
                required,
            })
        };
        let policies = obligations.into_iter().filter_map(explained).collect();
        Explanation {
            policy_digest,
            facts_digest,
            stop,
            policies,
        }
    }
}
