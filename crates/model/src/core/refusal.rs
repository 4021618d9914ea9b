//! Refusals: a stable code, a plain sentence, and the act that would remove the reason.

use serde::{Deserialize, Serialize};

use crate::core::act::Act;
use crate::core::enums::State;
use crate::core::unmet::{Unmet, unmet};

/// A field of the request that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's path: `targets[0].service`.
    pub field: String,
    /// A stable code: `missing`, `too_long`, `unknown`, `not_allowed`, `out_of_order` ….
    pub code: String,
    /// The plain sentence with the remedy.
    pub text: String,
}

impl FieldError {
    /// A field error.
    pub fn new(field: impl Into<String>, code: &str, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code: code.to_owned(),
            text: text.into(),
        }
    }
}

/// A field whose value has changed since the client read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's path: `plan[2].title`.
    pub field: String,
    /// The digest that covers it: `what` or `when`.
    pub covers: String,
    /// Its value then; null when it was absent.
    pub old: serde_json::Value,
    /// Its value now; null when it is absent.
    pub new: serde_json::Value,
}

/// Why an act was not done. Nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Absent, or hidden from the requester.
    NotFound {
        /// The requested thing, in the requester's spelling.
        what: String,
    },
    /// The policies deny it (403).
    NotAllowed {
        /// A stable code, `not_allowed` or more precise.
        code: &'static str,
        /// The plain sentence.
        text: String,
        /// The policies that decided.
        policies: Vec<PolicyReason>,
        /// The action that the policies judged.
        act: Option<String>,
        /// Logins of some people who could do it instead, as far as known.
        waiting_on: Vec<String>,
    },
    /// The request's content cannot be taken (422).
    Invalid(Vec<FieldError>),
    /// Lawful in itself, but not now (409).
    NotNow {
        /// A stable code.
        code: &'static str,
        /// The plain sentence.
        text: String,
        /// The unmet conditions.
        unmet: Vec<Unmet>,
    },
    /// Decided on content that has changed since (409, `digest_not_current`).
    NotCurrent {
        /// The plain sentence.
        text: String,
        /// The changes, field by field.
        changes: Vec<FieldChange>,
    },
    /// Somebody else was faster (412).
    Stale {
        /// The plain sentence.
        text: String,
    },
}

impl Refusal {
    /// Something that is not there.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// One wrong field.
    pub fn field(field: &str, code: &str, text: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, code, text)])
    }

    /// Not allowed by a rule of the house rather than by a policy.
    pub fn not_allowed(code: &'static str, text: impl Into<String>) -> Self {
        Self::NotAllowed {
            code,
            text: text.into(),
            policies: Vec::new(),
            act: None,
            waiting_on: Vec::new(),
        }
    }

    /// The same, with the logins of some who could instead.
    #[must_use]
    pub fn with_others(mut self, logins: Vec<String>) -> Self {
        if let Self::NotAllowed { waiting_on, .. } = &mut self {
            *waiting_on = logins;
        }
        self
    }

    /// The same, with the tenant's rule that refused, if there is one.
    #[must_use]
    pub fn by_rule(mut self, rule: Option<PolicyReason>) -> Self {
        if let Self::NotAllowed { policies, .. } = &mut self {
            policies.extend(rule);
        }
        self
    }

    /// Not now, for one reason.
    pub fn not_now(
        code: &'static str,
        text: impl Into<String>,
        satisfy: impl Into<String>,
        waiting_on: Vec<String>,
    ) -> Self {
        let text = text.into();
        let unmet = vec![unmet(code, text.clone(), satisfy, waiting_on)];
        Self::NotNow { code, text, unmet }
    }

    /// The act does not belong to this state. `satisfy` names the act that leads there, if one does.
    pub fn not_in_state(act: Act, state: State, satisfy: Option<&str>, waiting_on: Vec<String>) -> Self {
        let text = format!("It is not possible to {} while the change is {state}.", act.doing());
        let satisfy = satisfy.map_or_else(
            || format!("No action leads from {state} to a state in which this is possible."),
            str::to_owned,
        );
        Self::not_now("not_in_state", text, satisfy, waiting_on)
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::NotAllowed { code, .. } | Self::NotNow { code, .. } => code,
            Self::Invalid(_) => "invalid",
            Self::NotCurrent { .. } => "digest_not_current",
            Self::Stale { .. } => "stale",
        }
    }

    /// The plain sentence.
    pub fn text(&self) -> String {
        match self {
            Self::NotFound { what } => format!("There is no {what} here."),
            Self::NotAllowed { text, .. } | Self::NotNow { text, .. } => text.clone(),
            Self::NotCurrent { text, .. } | Self::Stale { text } => text.clone(),
            Self::Invalid(errors) => match errors.as_slice() {
                [one] => one.text.clone(),
                many => format!("{} fields need correction.", many.len()),
            },
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code(), self.text())
    }
}

impl std::error::Error for Refusal {}

/// A policy that decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyReason {
    /// `pack.name`; for a rule of Assent itself `assent.` and the refusal's code.
    pub id: String,
    /// Its `@reason`.
    pub reason: String,
}

impl PolicyReason {
    /// A rule of Assent itself that refused with this code; no policy changes it.
    pub fn built_in(code: &str, reason: &str) -> Self {
        Self {
            id: format!("assent.{code}"),
            reason: reason.to_owned(),
        }
    }
}

/// Refuses with a list of what is missing, if anything is.
///
/// # Errors
/// [`Refusal::NotNow`].
pub fn refuse_unmet(code: &'static str, text: &str, unmet: Vec<Unmet>) -> Result<(), Refusal> {
    if unmet.is_empty() {
        return Ok(());
    }
    Err(Refusal::NotNow {
        code,
        text: text.to_owned(),
        unmet,
    })
}
