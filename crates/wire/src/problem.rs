//! The body of every error response: `application/problem+json` (RFC 9457) with the members that this API adds.

use model::core::refusal::{FieldChange, FieldError, PolicyReason, Refusal};
use model::core::unmet::{Unmet, unmet};
use serde::{Deserialize, Serialize};

/// The media type of this body.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The code with which the server's own routes require an `If-Match`; its status is 428.
pub const IF_MATCH_NEEDED: &str = "if_match_needed";
/// The code of a credential that is absent or not good; its status is 401.
pub const UNAUTHENTICATED: &str = "unauthenticated";

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Always `about:blank`: the code is more precise than a type would be.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status as text.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable code such as `not_in_state`.
    pub code: String,
    /// The plain sentence for people.
    pub detail: String,
    /// Wrong fields, all at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The unmet conditions; never empty where the status is 409.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// With `digest_not_current`: the differences since, field by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// The policies that decided, with their reasons; never empty where the status is 403.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyReason>,
    /// The action that policies refused; it is recorded with the attempt and not sent.
    #[serde(skip)]
    pub refused_act: Option<String>,
}

impl Problem {
    /// A problem of a status, with its code and its sentence.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let policies = (status == 403).then(|| PolicyReason::built_in(code, &detail));
        Self {
            kind: "about:blank".to_owned(),
            title: title(status).to_owned(),
            status,
            code: code.to_owned(),
            detail,
            errors: Vec::new(),
            unmet: Vec::new(),
            changes: Vec::new(),
            policies: policies.into_iter().collect(),
            refused_act: None,
        }
    }

    /// The same with one thing that is missing.
    #[must_use]
    pub fn with_unmet(mut self, satisfy: &str) -> Self {
        self.unmet
            .push(unmet(&self.code, self.detail.clone(), satisfy, Vec::new()));
        self
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let mut problem = Self::new(status(refusal), refusal.code(), refusal.text());
        match refusal {
            Refusal::Invalid(errors) => problem.errors.clone_from(errors),
            Refusal::NotAllowed {
                policies,
                act,
                waiting_on,
                ..
            } => {
                if !policies.is_empty() {
                    problem.policies.clone_from(policies);
                    problem.unmet.extend(by_rules(&problem, policies));
                } else if !waiting_on.is_empty() {
                    problem = problem.with_unmet("Whoever the rules ask decides.");
                } else if let Some(satisfy) = way_out(&problem) {
                    problem = problem.with_unmet(satisfy);
                }
                for row in &mut problem.unmet {
                    row.waiting_on.clone_from(waiting_on);
                    row.cannot_be_met = waiting_on.is_empty();
                    if row.cannot_be_met && row.code != "step_up_required" {
                        row.satisfy.push_str(NOBODY);
                    }
                }
                problem.refused_act.clone_from(act);
            }
            Refusal::NotNow { unmet, .. } => problem.unmet.clone_from(unmet),
            Refusal::NotCurrent { changes, .. } => {
                problem.changes.clone_from(changes);
                return problem.with_unmet("Read the change as it stands now and decide on its `content_digest`.");
            }
            Refusal::NotFound { .. } | Refusal::Stale { .. } => {}
        }
        if problem.status == 409 && problem.unmet.is_empty() {
            return problem.with_unmet("Read the change again, and ask for what the present state allows.");
        }
        problem
    }
}

/// The act that helps where nobody is named.
const NOBODY: &str = " Nobody who may is known here: an administrator gives somebody the role, the group or the ownership that is asked.";

/// The way out where a built-in rule refused the person and not the credential: a person without a part in the change, or
/// another factor.
fn way_out(problem: &Problem) -> Option<&'static str> {
    match problem.code.as_str() {
        "step_up_required" => Some("Confirm with it, and do it again."),
        "approved_it"
        | "is_approver"
        | "lent_voice"
        | "not_a_person"
        | "not_asked"
        | "not_independent"
        | "not_its_owner"
        | "not_of_the_board"
        | "not_outside"
        | "not_the_checker"
        | "not_the_named_approver"
        | "not_yours"
        | "one_hand"
        | "only_implementer"
        | "own_request"
        | "own_work" => Some("Somebody else does it."),
        _ => None,
    }
}

/// The condition where a rule of the tenant refused: another person, as the rules themselves require.
fn by_rules(problem: &Problem, policies: &[PolicyReason]) -> Option<Unmet> {
    let reasons: Vec<&str> = policies.iter().map(|row| row.reason.trim()).collect();
    (problem.status == 403).then(|| {
        unmet(
            &problem.code,
            problem.detail.clone(),
            format!("Somebody whom the rules let does it. {}", reasons.join(" ")),
            Vec::new(),
        )
    })
}

fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NotFound { .. } => 404,
        Refusal::NotAllowed { code, .. } if *code == UNAUTHENTICATED => 401,
        Refusal::NotAllowed { .. } => 403,
        Refusal::Invalid(_) => 422,
        Refusal::NotNow { code, .. } if *code == IF_MATCH_NEEDED => 428,
        Refusal::NotNow { .. } | Refusal::NotCurrent { .. } => 409,
        Refusal::Stale { .. } => 412,
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status() {
        let rows = [
            (Refusal::not_found("change CHG-1"), 404),
            (Refusal::not_allowed("not_asked", "No."), 403),
            (Refusal::not_allowed(UNAUTHENTICATED, "Who?"), 401),
            (Refusal::field("title", "missing", "`title` is missing."), 422),
            (
                Refusal::not_now("on_hold", "The change is on hold.", "Resume it.", Vec::new()),
                409,
            ),
            (
                Refusal::not_now(IF_MATCH_NEEDED, "Say it.", "Send it.", Vec::new()),
                428,
            ),
            (
                Refusal::Stale {
                    text: "Too late.".to_owned(),
                },
                412,
            ),
        ];
        for (refusal, status) in rows {
            let problem = Problem::from(&refusal);
            assert_eq!(problem.status, status, "{refusal}");
            assert_eq!(problem.code, refusal.code());
        }
    }

    #[test]
    fn what_is_not_allowed_always_names_the_rule_and_its_reason() {
        let ours = PolicyReason::built_in("not_asked", "No rule asks you.");
        let refusal = Refusal::not_allowed("not_asked", "No rule asks you.");
        let ours = [ours];
        assert_eq!(Problem::from(&refusal).policies, ours);
        assert_eq!(Problem::new(403, "not_asked", "No rule asks you.").policies, ours);
        assert_eq!(Problem::new(401, UNAUTHENTICATED, "Who?").policies, []);
        let row = &Problem::from(&refusal).unmet[0];
        assert!(
            row.cannot_be_met && row.satisfy.starts_with("Somebody else does it."),
            "{row:?}"
        );
        assert!(
            row.satisfy.ends_with(NOBODY),
            "nobody is named, so the act that helps is: {row:?}"
        );
        assert_eq!(Problem::from(&Refusal::not_allowed("narrowed_token", "No.")).unmet, []);
        let theirs = PolicyReason {
            id: "sox.act.create_function".to_owned(),
            reason: "Developers do not create.".to_owned(),
        };
        let refusal = Refusal::NotAllowed {
            code: "not_allowed",
            text: "No.".to_owned(),
            policies: vec![theirs.clone()],
            act: None,
            waiting_on: vec!["marta".to_owned()],
        };
        let problem = Problem::from(&refusal);
        assert_eq!(problem.policies, [theirs]);
        let unmet = &problem.unmet;
        assert_eq!((unmet.len(), unmet[0].code.as_str()), (1, "not_allowed"));
        assert!(unmet[0].satisfy.ends_with("Developers do not create."), "{unmet:?}");
        assert_eq!(unmet[0].waiting_on, ["marta"]);
    }

    #[test]
    fn a_conflict_always_says_what_is_unmet() {
        let bare = Refusal::NotNow {
            code: "stale",
            text: "It moved.".to_owned(),
            unmet: Vec::new(),
        };
        assert_eq!(Problem::from(&bare).unmet.len(), 1);
    }
}
