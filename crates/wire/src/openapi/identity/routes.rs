//! Routes of sessions, second factors and identity providers.

use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::{Answer, Param};

/// Every row of this file.
pub(crate) const ALL: &[&[Row]] = &[SESSIONS, FACTORS, PROVIDERS, WORKLOADS, RIGHTS, REVIEWS];

const SESSIONS: &[Row] = &[
    list(
        "identity",
        "list_sessions",
        "/sessions",
        "List one's own sessions",
        "SessionItem",
    )
    .may("own"),
    list(
        "identity",
        "list_own_tenants",
        "/session/tenants",
        "List the tenants in which one is known by the identity that this session proved",
        "OwnTenant",
    )
    .may("own @read"),
    delete(
        "identity",
        "end_own_session",
        "/sessions/{id}",
        "End one of one's own sessions",
        "Ended",
    )
    .may("own"),
    list(
        "identity",
        "list_sessions_of",
        "/people/{login}/sessions",
        "List a person's sessions",
        "SessionItem",
    )
    .may("set_person"),
    delete(
        "identity",
        "end_sessions_of",
        "/people/{login}/sessions",
        "End all sessions of a person",
        "EndedSessions",
    )
    .may("set_person"),
];

const FACTORS: &[Row] = &[
    get(
        "identity",
        "list_second_factors",
        "/second-factors",
        "List one's own second factors",
        "SecondFactors",
    )
    .may("own"),
    post(
        "identity",
        "begin_totp",
        "/second-factors/totp",
        "Make a TOTP secret; it is shown once and counts after its first code",
        "NameInput",
        "SecondFactor",
    )
    .may("own"),
    post(
        "identity",
        "confirm_totp",
        "/second-factors/{id}/confirmation",
        "Take the first code of a new authenticator; recovery codes are shown once",
        "CodeInput",
        "SecondFactor",
    )
    .may("own"),
    post(
        "identity",
        "begin_passkey",
        "/second-factors/passkeys",
        "Ask for a challenge that makes a passkey; it holds for 5 minutes, once",
        "NameInput",
        "PasskeyChallenge",
    )
    .may("own"),
    post(
        "identity",
        "confirm_passkey",
        "/second-factors/passkeys/{id}/confirmation",
        "Take a new passkey; recovery codes are shown once",
        "PasskeyAnswer",
        "SecondFactor",
    )
    .may("own"),
    post(
        "identity",
        "make_recovery_codes",
        "/second-factors/recovery-codes",
        "Make new recovery codes; they are shown once",
        "NoBody",
        "SecondFactor",
    )
    .may("own"),
    delete(
        "identity",
        "remove_second_factor",
        "/second-factors/{id}",
        "Remove one of one's own second factors",
        "Removed",
    )
    .may("own"),
    delete(
        "identity",
        "reset_second_factors",
        "/people/{login}/second-factors",
        "Take the second factors away of somebody who lost them",
        "Removed",
    )
    .may("set_person"),
];

const PROVIDERS: &[Row] = &[
    list(
        "identity",
        "list_identity_providers",
        "/identity-providers",
        "List identity providers",
        "IdentityProvider",
    )
    .may("set_connection"),
    get(
        "identity",
        "show_identity_provider",
        "/identity-providers/{key}",
        "Show an identity provider",
        "IdentityProvider",
    )
    .may("set_connection"),
    Row {
        may: "set_connection",
        body: Some("IdentityProviderInput"),
        answer: Answer::Json("IdentityProvider"),
        ..at(
            "PUT",
            "identity",
            "set_identity_provider",
            "/identity-providers/{key}",
            "Set an identity provider up or change it; its secret is never shown",
        )
    },
    delete(
        "identity",
        "end_identity_provider",
        "/identity-providers/{key}",
        "Let nobody sign in at a provider any more",
        "IdentityProvider",
    )
    .may("set_connection"),
];

const WORKLOADS: &[Row] = &[
    list("identity", "list_workloads", "/workloads", "List workloads", "Workload").may("set_token"),
    get(
        "identity",
        "show_workload",
        "/workloads/{key}",
        "Show a workload",
        "Workload",
    )
    .may("set_token"),
    Row {
        may: "set_token",
        body: Some("WorkloadInput"),
        answer: Answer::Json("Workload"),
        ..at(
            "PUT",
            "identity",
            "set_workload",
            "/workloads/{key}",
            "Set up which jobs of a pipeline's platform are let in with its tokens",
        )
    },
    delete(
        "identity",
        "end_workload",
        "/workloads/{key}",
        "Let no job of a workload in any more; those inside are out at once",
        "Workload",
    )
    .may("set_token"),
];

const RIGHTS: &[Row] = &[
    Row {
        may: "audit",
        params: DAYS,
        ..get(
            "identity",
            "find_unused_rights",
            "/rights/unused",
            "Rights that nobody used of late, each with the request that would narrow it",
            "UnusedRights",
        )
    },
    list(
        "identity",
        "find_conflicting_rights",
        "/rights/conflicts",
        "Rights that one person should not combine",
        "ConflictingRights",
    )
    .may("audit"),
];

const DAYS: &[Param] = &[Param::new(
    "days",
    "How many days without use are too many: 1 to 400, 90 unless said.",
)];

const REVIEWS: &[Row] = &[
    get(
        "identity",
        "show_access_review_schedule",
        "/access-review-schedule",
        "Show when reviews of access begin by themselves",
        "AccessReviewSchedule",
    )
    .may("read"),
    Row {
        may: "set_person",
        body: Some("AccessReviewScheduleInput"),
        answer: Answer::Json("AccessReviewSchedule"),
        ..at(
            "PUT",
            "identity",
            "set_access_review_schedule",
            "/access-review-schedule",
            "Set how often a review of access begins by itself",
        )
    },
    list(
        "identity",
        "list_access_reviews",
        "/access-reviews",
        "List reviews of access",
        "AccessReview",
    )
    .may("own | set_person | audit"),
    get(
        "identity",
        "show_access_review",
        "/access-reviews/{id}",
        "Show a review of access",
        "AccessReview",
    )
    .may("own | set_person | audit"),
    post(
        "identity",
        "begin_access_review",
        "/access-reviews",
        "Ask each manager to look at the rights of their people",
        "AccessReviewInput",
        "AccessReviews",
    )
    .may("set_person"),
    post(
        "identity",
        "sign_access_review",
        "/access-reviews/{id}/signature",
        "Sign a review of access, with a fresh factor; what is refused is taken away at once",
        "AccessSignatureInput",
        "AccessReview",
    )
    .may("own"),
];
