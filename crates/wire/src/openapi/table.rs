//! Every route, one row each. The order is that of the document.

use crate::openapi::audit::{attestations, keys, mandates, samples, witnesses};
use crate::openapi::cab::{boards, lessons, meetings};
use crate::openapi::cards;
use crate::openapi::change::{bulk, versions, waves};
use crate::openapi::compliance::{archive, control_reports, reconciliation};
use crate::openapi::directory::{ownership, routes as table_estate, vendors};
use crate::openapi::gate::{emergency_cards, routes as table_gateways};
use crate::openapi::identity::routes as table_identity;
use crate::openapi::incident::{drift, incidents, learning, monitoring, what_changed};
use crate::openapi::integration::deliveries;
use crate::openapi::notify::{action_items, communications};
use crate::openapi::policy::configurations;
use crate::openapi::report::{dashboards, metrics, search};
use crate::openapi::risk::{adjustments, affected, forecasts};
use crate::openapi::rows::{GATE_QUESTION, OF_CHECKS, Row, at, delete, get, list, post};
use crate::openapi::schedule::planning;
use crate::openapi::{Answer, Param, Route, Scope, patches};

const CHANGE: &str = "/api/v1/changes/{key}";

/// Filters of the list of changes.
const CHANGE_FILTERS: &[Param] = &[
    Param::new("state", "Only these states; several are separated by commas."),
    Param::new("kind", "Only this kind."),
    Param::new("service", "Only with a target of this service."),
    Param::new("environment", "Only with a target in this environment."),
    Param::new("artifact", "Only with a target of this artifact."),
    Param::new(
        "commit",
        "Only with a target of this commit, of which the first seven digits suffice.",
    ),
    Param::new(
        "outcome",
        "Only with one of these outcomes of the whole change; several are separated by commas.",
    ),
    Param::new("risk", "Only this level."),
    Param::new("owner", "Only of this owner: a login."),
    Param::new("team", "Only of this team."),
    Param::new("requester", "Only of this requester: a login."),
    Param::new("q", "Only with all of these words."),
    Param::time("planned_from", "Planned to end after this."),
    Param::time("planned_to", "Planned to start before this."),
    Param::time("created_from", "Made at or after this."),
    Param::time("created_to", "Made before this."),
    Param::time("ended_from", "With an outcome, and ended at or after this."),
    Param::time("ended_to", "With an outcome, and ended before this."),
    Param::new(
        "sort",
        "The order: `number`, `planned_start` (unplanned ones last), `updated_at`, `risk` or `outcome` (those without one last), \
         each upwards, or with `-` before it downwards; `-number` unless said. A `next` belongs to its order.",
    ),
];

const WAIT: &[Param] = &[
    Param::new(
        "wait",
        "Seconds to wait for a change of the answer; more than 60 count as 60.",
    ),
    Param::new(
        "seen",
        "The `checked_at` that was read last: other reasons are a change of the answer too.",
    ),
];

/// Every route.
pub(crate) fn all() -> Vec<Route> {
    let own = [CHANGES, ACTS, DECISIONS, AROUND, GATE, table_gateways::GATEWAYS];
    let tables = own
        .iter()
        .chain(table_estate::ALL)
        .chain(ownership::TABLES)
        .chain(forecasts::TABLES)
        .chain(patches::TABLES)
        .chain(keys::TABLES)
        .chain(witnesses::TABLES)
        .chain(attestations::TABLES)
        .chain(samples::TABLES)
        .chain(mandates::TABLES)
        .chain(control_reports::TABLES)
        .chain(reconciliation::TABLES)
        .chain(archive::TABLES)
        .chain(meetings::TABLES)
        .chain(bulk::TABLES)
        .chain(table_identity::ALL)
        .chain(deliveries::ALL)
        .chain(metrics::TABLES)
        .chain(&[what_changed::ROUTES, affected::ROUTES, action_items::ROUTES])
        .chain(&[
            adjustments::ROUTES,
            boards::ROUTES,
            emergency_cards::ROUTES,
            communications::ROUTES,
            lessons::ROUTES,
            vendors::ROUTES,
            waves::ROUTES,
            versions::ROUTES,
            dashboards::ROUTES,
            search::ROUTES,
        ])
        .chain(&[
            drift::ROUTES,
            incidents::ROUTES,
            learning::ROUTES,
            monitoring::ROUTES,
            planning::ROUTES,
        ])
        .chain(&[configurations::ROWS, PUBLIC, LOG]);
    let routes = tables.copied().flatten().map(|row| row.route());
    routes.chain(cards::routes()).collect()
}

/// An act on a change: its POST returns the change.
const fn act(operation: &'static str, rest: &'static str, summary: &'static str, body: &'static str) -> Row {
    Row {
        base: CHANGE,
        ..post("changes", operation, rest, summary, body, "Change")
    }
}

/// An item of a change: its POST returns the item.
const fn item(
    operation: &'static str,
    rest: &'static str,
    summary: &'static str,
    body: &'static str,
    of: &'static str,
) -> Row {
    Row {
        base: CHANGE,
        ..post("around a change", operation, rest, summary, body, of)
    }
}

const fn items(operation: &'static str, rest: &'static str, summary: &'static str, of: &'static str) -> Row {
    Row {
        base: CHANGE,
        ..list("around a change", operation, rest, summary, of)
    }
}

/// Watching, which moves no ETag; PUT needs one all the same, as every PUT does.
const fn watch(method: &'static str, operation: &'static str, summary: &'static str) -> Row {
    Row {
        answer: Answer::Json("Change"),
        ..at(method, "around a change", operation, "/changes/{key}/watchers", summary)
    }
}

/// A route outside of `/api/v1` that needs no credential.
const fn open(operation: &'static str, path: &'static str, summary: &'static str, answer: Answer) -> Row {
    Row {
        base: "",
        answer,
        scope: Scope::Open,
        ..at("GET", "without credential", operation, path, summary)
    }
}

/// A resource of a tenant's log.
const fn part(operation: &'static str, path: &'static str, summary: &'static str, kind: &'static str) -> Row {
    Row {
        scope: Scope::Audit,
        tag: "log",
        ..open(operation, path, summary, Answer::Bytes(kind))
    }
}

const CHANGES: &[Row] = &[
    Row {
        may: "read",
        params: CHANGE_FILTERS,
        ..list("changes", "list_changes", "/changes", "List changes", "Change")
    },
    post(
        "changes",
        "create_change",
        "/changes",
        "Make a change",
        "NewChange",
        "Change",
    )
    .may("create_change"),
    get("changes", "show_change", "/changes/{key}", "Show a change", "Change").may("read"),
    Row {
        may: "edit_change, label_change",
        body: Some("NewChange"),
        answer: Answer::Json("Change"),
        ..at(
            "PATCH",
            "changes",
            "edit_change",
            "/changes/{key}",
            "Edit a change (JSON Merge Patch)",
        )
    },
    Row {
        may: "schedule_change",
        body: Some("ScheduleInput"),
        answer: Answer::Json("Change"),
        ..at(
            "PUT",
            "changes",
            "schedule_change",
            "/changes/{key}/schedule",
            "Set the planned times",
        )
    },
];

const ACTS: &[Row] = &[
    act("submit_change", "/submission", "Hand it over for assessment", "NoBody").may("submit_change"),
    act(
        "assess_change",
        "/assessment",
        "State risk and impact",
        "AssessmentInput",
    )
    .may("assess_change"),
    act(
        "acknowledge_change",
        "/acknowledgements",
        "Say that one has seen that one is asked",
        "NoBody",
    )
    .may("acknowledge_change"),
    act(
        "return_change",
        "/return",
        "Send it back to draft with a question",
        "ReturnInput",
    )
    .may("return_change"),
    act(
        "overrule_rejection",
        "/overruling",
        "Let others go on in spite of its rejection",
        "ReasonInput",
    )
    .may("overrule_rejection"),
    act("hold_change", "/hold", "Pause it", "HoldInput").may("hold_change"),
    act("resume_change", "/resume", "Go on", "NoBody").may("resume_change"),
    act("start_change", "/implementation", "Begin the work", "NoBody").may("start_change"),
    act("ask_extension", "/extension", "Ask for more time", "ExtensionInput").may("ask_extension"),
    act(
        "decide_extension",
        "/extension/decision",
        "Grant or deny more time",
        "ExtensionDecisionInput",
    )
    .may("decide_extension"),
    act(
        "complete_change",
        "/completion",
        "Say how targets ended",
        "CompletionInput",
    )
    .may("complete_change"),
    act(
        "undo_change",
        "/undo",
        "Say that its planned undo is done, or call it off",
        "UndoInput",
    )
    .may("complete_change"),
    act(
        "say_ready",
        "/readiness",
        "Say that one's team is ready for the planned start, where a rule asks, or take that back",
        "ReadinessInput",
    )
    .may("comment_change"),
    act(
        "validate_change",
        "/validation",
        "Say whether it works",
        "ValidationInput",
    )
    .may("validate_change"),
    act(
        "review_change",
        "/review",
        "Write the post-implementation review",
        "ReviewInput",
    )
    .may("review_change"),
    act("close_change", "/closure", "Close it", "NoBody").may("close_change"),
    act(
        "cancel_change",
        "/cancellation",
        "Take it back before the start",
        "ReasonInput",
    )
    .may("cancel_change"),
    act(
        "break_glass",
        "/break-glass",
        "Start without approvals, in the open",
        "BreakGlassInput",
    )
    .may("break_glass"),
    act(
        "cosign_break_glass",
        "/break-glass/co-signature",
        "Co-sign a break-glass",
        "CosignatureInput",
    )
    .may("cosign_break_glass"),
    act(
        "place_legal_hold",
        "/legal-hold",
        "Place it under a legal hold: nothing of it is erased",
        "ReasonInput",
    )
    .may("audit"),
    act(
        "end_legal_hold",
        "/legal-hold/end",
        "Lift its legal hold",
        "ReasonInput",
    )
    .may("set_policy"),
    act(
        "ask_erasure",
        "/erasure",
        "Ask to erase texts of it; a second person who sets policies confirms",
        "ErasureInput",
    )
    .may("set_policy"),
    act(
        "confirm_erasure",
        "/erasure/confirmation",
        "Confirm an erasure that another person asked for, and do it",
        "NoBody",
    )
    .may("set_policy"),
    act(
        "withdraw_erasure",
        "/erasure/withdrawal",
        "Withdraw an erasure that was asked for",
        "NoBody",
    )
    .may("set_policy"),
    act(
        "validate_break_glass",
        "/break-glass/validation",
        "Validate a break-glass",
        "TextInput",
    )
    .may("validate_break_glass"),
    act(
        "confirm_retrospective",
        "/retrospective/confirmation",
        "Confirm or deny work told afterwards",
        "ConfirmationInput",
    )
    .may("confirm_retrospective"),
    act(
        "state_finding",
        "/finding",
        "State the finding on unauthorized work",
        "TextInput",
    )
    .may("state_finding"),
    act(
        "reopen_gate",
        "/gate-reopenings",
        "Open the gate again after a finding about the log, by two people",
        "TextInput",
    )
    .may("read"),
];

const DECISIONS: &[Row] = &[
    items("list_approvals", "/approvals", "List decisions", "Approval").may("read"),
    item("approve_change", "/approvals", "Decide", "ApprovalInput", "Approval").may("approve_change"),
    delete(
        "around a change",
        "withdraw_approval",
        "/changes/{key}/approvals/{id}",
        "Take one's own decision back",
        "Change",
    )
    .may("withdraw_approval"),
    items(
        "list_conditions",
        "/conditions",
        "List conditions of approvals",
        "Condition",
    )
    .may("read"),
    item(
        "meet_condition",
        "/conditions/{id}/met",
        "Say that a condition is met",
        "OptionalTextInput",
        "Condition",
    )
    .may("meet_condition"),
    items("list_peer_reviews", "/peer-reviews", "List peer reviews", "PeerReview").may("read"),
    item(
        "peer_review_change",
        "/peer-reviews",
        "Say one's word as a peer",
        "PeerReviewInput",
        "PeerReview",
    )
    .may("peer_review_change"),
    Row {
        may: "read",
        base: CHANGE,
        ..get(
            "around a change",
            "list_requirements",
            "/requirements",
            "List all that is unmet before each next step",
            "Requirements",
        )
    },
];

const AROUND: &[Row] = &[
    items("list_evidence", "/evidence", "List evidence", "Evidence").may("read"),
    item("add_evidence", "/evidence", "Add evidence", "EvidenceInput", "Evidence").may("add_evidence @write"),
    Row {
        may: "read @read",
        answer: Answer::Bytes("application/octet-stream"),
        ..at(
            "GET",
            "around a change",
            "read_evidence",
            "/changes/{key}/evidence/{id}/file",
            "Read an evidence file",
        )
    },
    item(
        "accept_evidence",
        "/evidence/{id}/acceptance",
        "Accept failed evidence",
        "ReasonInput",
        "Evidence",
    )
    .may("accept_evidence"),
    items(
        "list_entries",
        "/implementation/entries",
        "List the log of actions",
        "Entry",
    )
    .may("read"),
    item(
        "record_entry",
        "/implementation/entries",
        "Write into the log of actions",
        "EntryInput",
        "Entry",
    )
    .may("record_entry"),
    items("list_checklist", "/checklist", "List the checklist", "ChecklistItem").may("read"),
    item(
        "tick_checklist",
        "/checklist/{id}/tick",
        "Tick an item",
        "OptionalTextInput",
        "ChecklistItem",
    )
    .may("tick_checklist"),
    item(
        "waive_item",
        "/checklist/{id}/waiver",
        "Agree that the change may go without an item",
        "ReasonInput",
        "ChecklistItem",
    )
    .may("accept_evidence"),
    item(
        "ask_probe",
        "/checklist/{id}/probe",
        "Have the probe of an item asked at once",
        "NoBody",
        "ChecklistItem",
    )
    .may("tick_checklist"),
    items("list_tasks", "/tasks", "List tasks", "Task").may("read"),
    item("add_task", "/tasks", "Give work to somebody", "TaskInput", "Task").may("add_task"),
    Row {
        may: "update_task",
        body: Some("TaskPatch"),
        answer: Answer::Json("Change"),
        ..at(
            "PATCH",
            "around a change",
            "update_task",
            "/changes/{key}/tasks/{id}",
            "Move a task on",
        )
    },
    items("list_comments", "/comments", "List comments", "Comment").may("read"),
    item("comment_change", "/comments", "Comment", "TextInput", "Comment").may("comment_change"),
    get(
        "around a change",
        "list_watchers",
        "/changes/{key}/watchers",
        "List watchers",
        "Watchers",
    )
    .may("read"),
    watch("PUT", "watch_change", "Watch").may("watch_change"),
    Row {
        may: "watch_change",
        answer: Answer::Json("Watcher"),
        ..watch("POST", "add_watcher", "Watch, as an item")
    },
    watch("DELETE", "unwatch_change", "Stop watching").may("watch_change"),
    items("list_links", "/links", "List links", "Link").may("read"),
    delete(
        "around a change",
        "unlink_change",
        "/changes/{key}/links/{id}",
        "Take a link away",
        "Change",
    )
    .may("link_change"),
    item(
        "link_change",
        "/links",
        "Link to a change or an incident",
        "LinkInput",
        "Link",
    )
    .may("link_change"),
    items("list_permits", "/permits", "List permits", "Permit").may("read"),
    item(
        "issue_permit",
        "/permits",
        "Get a permit ahead of the window",
        "PermitInput",
        "Permit",
    )
    .may("issue_permit"),
    items("list_events", "/events", "Show the timeline with log indexes", "Event").may("read"),
    Row {
        may: "audit @audit",
        answer: Answer::Bytes("application/zip"),
        ..at(
            "GET",
            "around a change",
            "read_bundle",
            "/changes/{key}/bundle",
            "Export the change with its proofs",
        )
    },
];

const GATE: &[Row] = &[
    Row {
        may: "ask_gate @gate",
        params: GATE_QUESTION,
        ..get(
            "gate",
            "ask_gate",
            "/gate",
            "May this go? 200 go, 403 stop",
            "GateAnswer",
        )
    },
    Row {
        may: "read",
        params: OF_CHECKS,
        ..list(
            "gate",
            "list_gate_checks",
            "/gate-checks",
            "List recorded checks, the newest first",
            "GateCheck",
        )
    },
    post(
        "gate",
        "create_gate_check",
        "/gate-checks",
        "Ask, and record the answer",
        "GateCheckInput",
        "GateCheck",
    )
    .may("ask_gate"),
    Row {
        may: "ask_gate | read @gate",
        params: WAIT,
        ..get(
            "gate",
            "show_gate_check",
            "/gate-checks/{id}",
            "Read a check, waiting if asked",
            "GateCheck",
        )
    },
    Row {
        may: "ask_gate | read @gate",
        answer: Answer::Events,
        ..at(
            "GET",
            "gate",
            "stream_gate_check",
            "/gate-checks/{id}/stream",
            "Follow a check",
        )
    },
    post(
        "gate",
        "collect_permit",
        "/gate-checks/{id}/permit",
        "Collect the permit of a check that turned go",
        "NoBody",
        "GateCheck",
    )
    .may("ask_gate"),
    post(
        "gate",
        "revoke_permit",
        "/permits/{jti}/revocation",
        "Revoke a permit, which closes its target until it is lifted",
        "ReasonInput",
        "Permit",
    )
    .may("revoke_permit"),
    post(
        "gate",
        "lift_revocation",
        "/permits/{jti}/revocation/lifting",
        "Lift a permit's revocation: its target opens again, by another permit",
        "ReasonInput",
        "Permit",
    )
    .may("revoke_permit"),
    post(
        "gate",
        "consume_permit",
        "/permits/{jti}/consumption",
        "Use a permit up: the gate is asked, and the first who asks has it",
        "ConsumptionInput",
        "Permit",
    )
    .may("issue_permit, ask_gate"),
];

const PUBLIC: &[Row] = &[
    Row {
        may: "signed",
        base: "",
        path: "/hooks/{connection}",
        body: Some("Delivery"),
        answer: Answer::Json("DeliveryTaken"),
        status: 202,
        scope: Scope::Signed,
        ..at(
            "POST",
            "deliveries",
            "receive_delivery",
            "",
            "Take a delivery, signed over its raw bytes",
        )
    },
    open(
        "healthz",
        "/healthz",
        "Is the process alive?",
        Answer::Bytes("application/json"),
    )
    .may("open"),
    open(
        "readyz",
        "/readyz",
        "Does it take work? Why not, in words for the same readers",
        Answer::Json("Health"),
    )
    .may("open"),
    open(
        "metrics",
        "/metrics",
        "Figures without any tenant's content, for the readers that the settings name",
        Answer::Bytes("application/openmetrics-text"),
    )
    .may("open"),
    open(
        "read_api",
        "/api",
        "This document as a page",
        Answer::Bytes("text/html"),
    )
    .may("open"),
    open(
        "openapi",
        "/api/openapi.json",
        "This document",
        Answer::Bytes("application/json"),
    )
    .may("open"),
    open(
        "jwks",
        "/t/{tenant}/.well-known/jwks.json",
        "Keys that sign permits",
        Answer::Kind("application/jwk-set+json", "KeySet"),
    )
    .may("open"),
    open(
        "revocations",
        "/t/{tenant}/.well-known/assent-revocations",
        "The signed list of revoked permits",
        Answer::Bytes("application/jose"),
    )
    .may("open"),
    open(
        "log_key",
        "/t/{tenant}/log/key",
        "The log's verifier keys, one a line",
        Answer::Bytes("text/plain"),
    )
    .may("open"),
    Row {
        body: None,
        answer: Answer::Bytes("text/plain"),
        status: 200,
        scope: Scope::Open,
        base: "",
        ..at(
            "POST",
            "without credential",
            "add_checkpoint",
            "/t/{tenant}/witness/add-checkpoint",
            "Cosign a checkpoint of a watched log that only grew (C2SP tlog-witness); the body is the request in text",
        )
    }
    .may("open"),
    open(
        "log_key_pem",
        "/t/{tenant}/log/key.pem",
        "The keys that sign checkpoints and attestations, in PEM",
        Answer::Bytes("text/plain"),
    )
    .may("open"),
];

const LOG: &[Row] = &[
    part(
        "checkpoint",
        "/t/{tenant}/log/checkpoint",
        "The signed checkpoint (C2SP tlog-checkpoint)",
        "text/plain",
    )
    .may("audit @audit"),
    part(
        "time_stamps",
        "/t/{tenant}/log/time-stamps",
        "Time stamps over checkpoints (RFC 3161), a JSON object a line",
        "text/plain",
    )
    .may("audit @audit"),
    part(
        "entries",
        "/t/{tenant}/log/tile/entries/{+rest}",
        "Entries: `N` or `N.p/W` (C2SP tlog-tiles)",
        "application/octet-stream",
    ),
    part(
        "tile",
        "/t/{tenant}/log/tile/{level}/{+rest}",
        "Hashes: `N` or `N.p/W` (C2SP tlog-tiles)",
        "application/octet-stream",
    ),
];
