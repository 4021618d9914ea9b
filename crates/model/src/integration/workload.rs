//! Workloads: jobs of other people's pipelines, which show a token of their platform instead of a stored secret. The trusted
//! claims are configured one by one, because anybody in the world can have a token of a public platform.

use std::collections::{BTreeMap, BTreeSet};

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::enums::Role;
use crate::core::ids::{PersonId, RecordId};

/// Issuers that give a token to anybody with an account. None of them is an organisation's own.
const PUBLIC_ISSUERS: [&str; 14] = [
    "https://token.actions.githubusercontent.com",
    "https://gitlab.com",
    "https://accounts.google.com",
    "https://agent.buildkite.com",
    "https://api.bitbucket.org",
    "https://app.terraform.io",
    "https://login.microsoftonline.com/common/v2.0",
    "https://oauth2.sigstore.dev/auth",
    "https://oidc.circleci.com",
    "https://oidc.codefresh.io",
    "https://oidc.fly.io",
    "https://oidc.vercel.com",
    "https://sts.windows.net",
    "https://vstoken.dev.azure.com",
];
/// Claims that name the owner of a job: the repository, the organisation, the workspace or the account.
const OWNER_CLAIMS: [&str; 21] = [
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "project_path",
    "project_id",
    "namespace_id",
    "namespace_path",
    "account_id",
    "email",
    "organization",
    "organization_id",
    "organization_slug",
    "org_id",
    "owner",
    "owner_id",
    "repositoryUuid",
    "terraform_organization_id",
    "terraform_organization_name",
    "workspaceUuid",
    "workspace_id",
];
/// The longest that a platform's token may live, in seconds.
pub const LONGEST_LIFE_SECONDS: i64 = 3_600;
/// Which jobs of a platform are let in, as whom, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "workload")]
pub struct Workload {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `github-main`: stands in its address.
    #[card(column)]
    pub key: String,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// The platform's issuer, exactly as its tokens name it.
    pub issuer: String,
    /// Whether an administrator confirmed that the issuer gives tokens only to the organisation's own jobs. No public platform
    /// fulfils this.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own_issuer: bool,
    /// The required audience of its tokens.
    pub meant_for: String,
    /// What its tokens must say: for each claim the patterns of which one must fit. `*` stands for anything.
    #[card(object)]
    pub claims: BTreeMap<String, BTreeSet<String>>,
    /// The person on whose behalf its jobs act.
    pub person: PersonId,
    /// The owner.
    pub owner: PersonId,
    /// The scopes of its jobs: `read`, `write`, `gate`, `audit`.
    pub scopes: BTreeSet<String>,
    /// The roles that its jobs have of the person's; absent for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub roles: Option<BTreeSet<Role>>,
    /// The session length for one token of the platform, in minutes.
    pub minutes: i64,
    /// Whether anybody is let in.
    #[card(column)]
    pub active: bool,
    /// The time at which the administrators were notified that it trusts anybody; absent until then, and after each edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
}

impl Workload {
    /// Whether it accepts jobs of anybody. Older records can still have such rules; new ones are refused.
    pub fn trusts_anybody(&self) -> bool {
        self.active && trusts_anybody(&self.issuer, &self.claims, self.own_issuer)
    }

    /// The claim that does not fit, if there is one.
    pub fn misfit(&self, told: &Map<String, Value>) -> Option<&str> {
        let fits = |(name, patterns): (&String, &BTreeSet<String>)| {
            let text = told.get(name).and_then(text_of);
            text.is_some_and(|text| patterns.iter().any(|pattern| fits(pattern, &text)))
        };
        self.claims
            .iter()
            .find(|row| !fits(*row))
            .map(|(name, _)| name.as_str())
    }
}

/// Whether the patterns fit any value of a claim.
pub fn is_anybody(patterns: &BTreeSet<String>) -> bool {
    patterns.iter().any(|it| it.chars().all(|it| it == '*'))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// Whether rules accept more than an organisation's own jobs: no claim is restricted, or no claim names the owner of the job
/// and the issuer is not the organisation's own.
pub fn trusts_anybody(issuer: &str, claims: &BTreeMap<String, BTreeSet<String>>, own_issuer: bool) -> bool {
    let is_own = own_issuer && !is_public(issuer);
    claims.values().all(is_anybody) || !(is_own || claims.iter().any(|row| names_owner(issuer, row)))
}

/// Whether anybody can have a token of this issuer. A GitHub enterprise with an issuer of its own (`…/ENTERPRISE`) is not
/// public.
pub fn is_public(issuer: &str) -> bool {
    let bare = issuer.trim_end_matches('/').to_ascii_lowercase();
    PUBLIC_ISSUERS.contains(&bare.as_str())
}

/// Whether a claim names the owner of a job. A whole subject does so at issuers with fixed subjects: an issuer never gives one
/// to a second holder (OpenID Connect Core 1.0, section 2), but on GitHub and GitLab a repository configures its own subjects.
fn names_owner(issuer: &str, row: (&String, &BTreeSet<String>)) -> bool {
    let is_whole = |pattern: &String| !pattern.is_empty() && !pattern.contains('*');
    let is_subject = row.0 == "sub" && !is_public(issuer) && row.1.iter().all(is_whole);
    is_subject || fixes_owner(row)
}

/// Whether a claim fixes the owner of the repository, whatever else its patterns leave open: each of them contains the full
/// owner.
fn fixes_owner((name, patterns): (&String, &BTreeSet<String>)) -> bool {
    let written = |text: &str| {
        let owner = text.split('/').next().unwrap_or_default();
        !owner.is_empty() && !owner.contains('*')
    };
    // Subjects are `repo:acme/booking-api:…` and `project_path:acme/booking-api:…`, or begin with another claim that GitHub lets
    // a repository put there.
    let of_subject = |text: &str| {
        let Some((claim, rest)) = text.split_once(':') else {
            return false;
        };
        let value = rest.split(':').next().unwrap_or_default();
        (matches!(claim, "repo" | "org") || OWNER_CLAIMS.contains(&claim)) && written(value)
    };
    match name.as_str() {
        "sub" => patterns.iter().all(|it| of_subject(it)),
        name => OWNER_CLAIMS.contains(&name) && patterns.iter().all(|it| written(it)),
    }
}

/// The value of a claim as patterns see it. Lists and objects fit nothing.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a text fits a pattern in which `*` matches any number of characters. The time is bounded by the product of their
/// lengths. A text that other programs might read differently fits no `*`: one with line breaks or other controls, and one
/// whose path leads up.
pub fn fits(pattern: &str, text: &str) -> bool {
    if pattern.contains('*') && is_odd(text) {
        return false;
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn is_odd(text: &str) -> bool {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let leads_up = |part: &str| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    };
    let plain = text.replace('\\', "/").replace("%2f", "/").replace("%2F", "/");
    text.chars().any(is_break) || plain.split('/').any(leads_up)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, is_so) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "", false),
            ("*", "", true),
            ("refs/tags/*", "refs/tags/v1", true),
            ("refs/tags/*", "refs/heads/refs/tags/v1", false),
            ("acme/*-api", "acme/booking-api", true),
            ("acme/*-api", "acme/booking-api-evil", false),
            ("acme/*", "acme-evil/x", false),
            ("*a*b*", "xaybz", true),
            ("*a*b*", "xbya", false),
            ("ab*ba", "aba", false),
            ("", "", true),
            ("", "x", false),
            ("acme/*", "acme/../evil/x", false),
            ("acme/*", "acme/..", false),
            ("acme/*", "acme/./x", false),
            ("acme/*", "acme/%2e%2E/evil", false),
            ("acme/*", "acme/..%2fevil", false),
            ("acme/*", "acme\\..\\evil", false),
            ("acme/*", "acme/x\nevil", false),
            ("acme/*", "acme/x\r", false),
            ("acme/*", "acme/x\u{2028}", false),
            ("acme/*", "acme/..x", true),
            ("*", "a\nb", false),
            ("acme/../x", "acme/../x", true),
        ] {
            assert_eq!(fits(pattern, text), is_so, "{pattern} {text}");
        }
    }

    #[test]
    fn every_claim_must_fit_and_be_there() {
        let workload: Workload = serde_json::from_value(json!({
            "id": "w", "version": 1, "key": "k", "name": "n", "issuer": "https://i.example", "meant_for": "a",
            "claims": {"repository": ["acme/api", "acme/web"], "ref_protected": ["true"]},
            "person": "p", "owner": "o", "scopes": ["gate"], "minutes": 15, "active": true,
        }))
        .unwrap();
        let misfit = |value: Value| workload.misfit(value.as_object().unwrap()).map(str::to_owned);
        assert_eq!(misfit(json!({"repository": "acme/web", "ref_protected": true})), None);
        assert_eq!(misfit(json!({"repository": "acme/web", "ref_protected": "true"})), None);
        assert_eq!(
            misfit(json!({"repository": "acme/web"})).as_deref(),
            Some("ref_protected")
        );
        assert_eq!(
            misfit(json!({"repository": ["acme/web"], "ref_protected": true})).as_deref(),
            Some("repository")
        );
        assert_eq!(
            misfit(json!({"repository": "evil/web", "ref_protected": true})).as_deref(),
            Some("repository")
        );
    }

    #[test]
    fn a_claim_of_a_public_platform_fixes_whose_the_repository_is() {
        let fixes = |name: &str, patterns: &[&str]| {
            let patterns = patterns.iter().map(|it| (*it).to_owned()).collect();
            fixes_owner((&name.to_owned(), &patterns))
        };
        for (name, pattern) in [
            ("repository", "acme/*"),
            ("repository_owner", "acme"),
            ("repository_owner_id", "4711"),
            ("repository_id", "123"),
            ("project_path", "acme/*"),
            ("namespace_path", "acme/*"),
            ("sub", "repo:acme/*"),
            ("sub", "repo:acme/booking-api:environment:*"),
            ("sub", "repository_owner:acme:*"),
            ("sub", "project_path:acme/booking-api:ref_type:branch:ref:main"),
        ] {
            assert!(fixes(name, &[pattern]), "{name} {pattern}");
        }
        for (name, pattern) in [
            ("repository", "*"),
            ("repository", "*/booking-api"),
            ("repository", "acme*"),
            ("repository", "a*/x"),
            ("repository_owner", "acme-*"),
            ("repository_owner_id", "47*"),
            ("ref", "refs/heads/main"),
            ("environment", "production"),
            (
                "job_workflow_ref",
                "acme/flows/.github/workflows/deploy.yml@refs/heads/main",
            ),
            ("sub", "repo:*"),
            ("sub", "repo:acme*:environment:production"),
            ("sub", "*repo:acme/*"),
            ("sub", "environment:production"),
        ] {
            assert!(!fixes(name, &[pattern]), "{name} {pattern}");
        }
        assert!(!fixes("repository", &["acme/*", "*/*"]), "one open pattern opens it");
        assert!(is_public("https://gitlab.com/") && !is_public("https://gitlab.acme.example"));
        assert!(!is_public("https://token.actions.githubusercontent.com/acme"));
    }

    /// For every issuer: a claim that anybody can have opens nothing, unless the issuer is marked as the organisation's own,
    /// which no public platform is.
    #[test]
    fn an_issuer_that_nobody_knows_is_held_to_a_claim_of_the_organisations_own() {
        let trusts = |issuer: &str, name: &str, pattern: &str, own: bool| {
            let claims = BTreeMap::from([(name.to_owned(), BTreeSet::from([pattern.to_owned()]))]);
            trusts_anybody(issuer, &claims, own)
        };
        let unknown = [
            "https://ci.example",
            "https://gitlab.acme.example",
            "https://oidc.fly.io/acme",
        ];
        let anybodys = [
            ("ref", "refs/heads/main"),
            ("environment", "production"),
            ("aud", "assent"),
            ("sub", "main*"),
        ];
        for issuer in PUBLIC_ISSUERS.into_iter().chain(unknown) {
            for (name, pattern) in anybodys {
                assert!(trusts(issuer, name, pattern, false), "{issuer} {name}");
                assert_eq!(
                    trusts(issuer, name, pattern, true),
                    is_public(issuer),
                    "{issuer} {name}"
                );
            }
            for (name, pattern) in [
                ("repository", "acme/*"),
                ("organization_slug", "acme"),
                ("account_id", "4711"),
            ] {
                assert!(!trusts(issuer, name, pattern, false), "{issuer} {name}");
            }
            assert!(
                trusts(issuer, "repository", "*", true),
                "{issuer}: no claim is held to anything"
            );
            assert_eq!(trusts(issuer, "sub", "whole", false), is_public(issuer), "{issuer}");
        }
    }
}
