//! Every route, one row each. The order is that of the document.

use super::{Answer, Param, Route, Scope};

const V1: &str = "/api/v1";

/// Filters of the list of changes.
const CHANGE_FILTERS: &[Param] = &[
    Param::new("state", "Only these states; several are separated by commas."),
    Param::new("kind", "Only this kind."),
    Param::new("service", "Only with a target of this service."),
    Param::new("environment", "Only with a target in this environment."),
    Param::new("risk", "Only this level."),
    Param::new("owner", "Only of this owner: a login."),
    Param::new("team", "Only of this team."),
    Param::new("requester", "Only of this requester: a login."),
    Param::new("q", "Only with all of these words."),
    Param::time("planned_from", "Planned to end after this."),
    Param::time("planned_to", "Planned to start before this."),
    Param::time("created_from", "Made at or after this."),
    Param::time("created_to", "Made before this."),
];

const GATE_QUESTION: &[Param] = &[
    Param::new("service", "The service's key.").needed(),
    Param::new("environment", "The environment's key.").needed(),
    Param::new("artifact", "The artifact's digest; this or `commit` must be given."),
    Param::new("commit", "The commit."),
    Param::new("change", "The change that is meant; it never suffices alone."),
];

/// Every route.
pub(super) fn all() -> Vec<Route> {
    let mut all = changes();
    all.extend(acts());
    all.extend(decisions());
    all.extend(around());
    all.extend(gate());
    all.extend(super::table_estate::all());
    all.extend(public());
    all.extend(log());
    all
}

pub(super) fn at(
    method: &'static str,
    tag: &'static str,
    operation: &'static str,
    path: &str,
    summary: &'static str,
) -> Route {
    let status = if method == "POST" { 201 } else { 200 };
    Route {
        method,
        path: format!("{V1}{path}"),
        tag,
        operation,
        summary,
        body: None,
        answer: Answer::Json("Done"),
        status,
        params: &[],
        scope: Scope::Credential,
        is_conditional: matches!(method, "PATCH" | "PUT"),
    }
}

pub(super) fn get(
    tag: &'static str,
    operation: &'static str,
    path: &str,
    summary: &'static str,
    of: &'static str,
) -> Route {
    Route {
        answer: Answer::Json(of),
        ..at("GET", tag, operation, path, summary)
    }
}

pub(super) fn list(
    tag: &'static str,
    operation: &'static str,
    path: &str,
    summary: &'static str,
    of: &'static str,
) -> Route {
    Route {
        answer: Answer::List(of),
        ..at("GET", tag, operation, path, summary)
    }
}

pub(super) fn post(
    tag: &'static str,
    operation: &'static str,
    path: &str,
    summary: &'static str,
    body: &'static str,
    of: &'static str,
) -> Route {
    Route {
        body: Some(body),
        answer: Answer::Json(of),
        ..at("POST", tag, operation, path, summary)
    }
}

pub(super) fn delete(
    tag: &'static str,
    operation: &'static str,
    path: &str,
    summary: &'static str,
    of: &'static str,
) -> Route {
    Route {
        answer: Answer::Json(of),
        ..at("DELETE", tag, operation, path, summary)
    }
}

/// An act on a change: its POST answers the change.
fn act(operation: &'static str, rest: &str, summary: &'static str, body: &'static str) -> Route {
    post(
        "changes",
        operation,
        &format!("/changes/{{key}}{rest}"),
        summary,
        body,
        "Change",
    )
}

/// An item of a change: its POST answers the item.
fn item(operation: &'static str, rest: &str, summary: &'static str, body: &'static str, of: &'static str) -> Route {
    post(
        "around a change",
        operation,
        &format!("/changes/{{key}}{rest}"),
        summary,
        body,
        of,
    )
}

fn items(operation: &'static str, rest: &str, summary: &'static str, of: &'static str) -> Route {
    list(
        "around a change",
        operation,
        &format!("/changes/{{key}}{rest}"),
        summary,
        of,
    )
}

fn changes() -> Vec<Route> {
    let put = |operation, path, summary, body| Route {
        body: Some(body),
        answer: Answer::Json("Change"),
        ..at("PUT", "changes", operation, path, summary)
    };
    let edit = at(
        "PATCH",
        "changes",
        "edit_change",
        "/changes/{key}",
        "Edit a change (JSON Merge Patch)",
    );
    vec![
        Route {
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
        ),
        get("changes", "show_change", "/changes/{key}", "Show a change", "Change"),
        Route {
            body: Some("NewChange"),
            answer: Answer::Json("Change"),
            ..edit
        },
        put(
            "schedule_change",
            "/changes/{key}/schedule",
            "Set the planned times",
            "ScheduleInput",
        ),
    ]
}

fn acts() -> Vec<Route> {
    vec![
        act("submit_change", "/submission", "Hand it over for assessment", "NoBody"),
        act(
            "assess_change",
            "/assessment",
            "State risk and impact",
            "AssessmentInput",
        ),
        act(
            "acknowledge_change",
            "/acknowledgements",
            "Say that one has seen that one is asked",
            "NoBody",
        ),
        act(
            "return_change",
            "/return",
            "Send it back to draft with a question",
            "ReturnInput",
        ),
        act(
            "overrule_rejection",
            "/overruling",
            "Let others go on in spite of its rejection",
            "ReasonInput",
        ),
        act("hold_change", "/hold", "Pause it", "HoldInput"),
        act("resume_change", "/resume", "Go on", "NoBody"),
        act("start_change", "/implementation", "Begin the work", "NoBody"),
        act("ask_extension", "/extension", "Ask for more time", "ExtensionInput"),
        act(
            "decide_extension",
            "/extension/decision",
            "Grant or deny more time",
            "ExtensionDecisionInput",
        ),
        act(
            "complete_change",
            "/completion",
            "Say how targets ended",
            "CompletionInput",
        ),
        act(
            "validate_change",
            "/validation",
            "Say whether it works",
            "ValidationInput",
        ),
        act(
            "review_change",
            "/review",
            "Write the post-implementation review",
            "ReviewInput",
        ),
        act("close_change", "/closure", "Close it", "NoBody"),
        act(
            "cancel_change",
            "/cancellation",
            "Take it back before the start",
            "ReasonInput",
        ),
        act(
            "break_glass",
            "/break-glass",
            "Start without approvals, in the open",
            "BreakGlassInput",
        ),
        act(
            "cosign_break_glass",
            "/break-glass/co-signature",
            "Co-sign a break-glass",
            "NoBody",
        ),
        act(
            "validate_break_glass",
            "/break-glass/validation",
            "Validate a break-glass",
            "TextInput",
        ),
        act(
            "confirm_retrospective",
            "/retrospective/confirmation",
            "Confirm or deny work told afterwards",
            "ConfirmationInput",
        ),
        act(
            "state_finding",
            "/finding",
            "State the finding on unauthorized work",
            "TextInput",
        ),
    ]
}

fn decisions() -> Vec<Route> {
    let withdraw = "/changes/{key}/approvals/{id}";
    vec![
        items("list_approvals", "/approvals", "List decisions", "Approval"),
        item("approve_change", "/approvals", "Decide", "ApprovalInput", "Approval"),
        delete(
            "around a change",
            "withdraw_approval",
            withdraw,
            "Take one's own decision back",
            "Change",
        ),
        items(
            "list_conditions",
            "/conditions",
            "List conditions of approvals",
            "Condition",
        ),
        item(
            "meet_condition",
            "/conditions/{id}/met",
            "Say that a condition is met",
            "OptionalTextInput",
            "Condition",
        ),
        items("list_peer_reviews", "/peer-reviews", "List peer reviews", "PeerReview"),
        item(
            "peer_review_change",
            "/peer-reviews",
            "Say one's word as a peer",
            "PeerReviewInput",
            "PeerReview",
        ),
        items(
            "list_requirements",
            "/requirements",
            "List all that is unmet before each next step",
            "Requirement",
        ),
    ]
}

fn around() -> Vec<Route> {
    let tag = "around a change";
    let task = at(
        "PATCH",
        tag,
        "update_task",
        "/changes/{key}/tasks/{id}",
        "Move a task on",
    );
    let watch = |method, operation, summary| Route {
        answer: Answer::Json("Change"),
        is_conditional: false,
        ..at(method, tag, operation, "/changes/{key}/watchers", summary)
    };
    let file = at(
        "GET",
        tag,
        "read_evidence",
        "/changes/{key}/evidence/{id}/file",
        "Read an evidence file",
    );
    let bundle = at(
        "GET",
        tag,
        "read_bundle",
        "/changes/{key}/bundle",
        "Export the change with its proofs",
    );
    vec![
        items("list_evidence", "/evidence", "List evidence", "Evidence"),
        item("add_evidence", "/evidence", "Add evidence", "EvidenceInput", "Evidence"),
        Route {
            answer: Answer::Bytes("application/octet-stream"),
            ..file
        },
        item(
            "accept_evidence",
            "/evidence/{id}/acceptance",
            "Accept failed evidence",
            "ReasonInput",
            "Evidence",
        ),
        items(
            "list_entries",
            "/implementation/entries",
            "List the log of actions",
            "Entry",
        ),
        item(
            "record_entry",
            "/implementation/entries",
            "Write into the log of actions",
            "EntryInput",
            "Entry",
        ),
        items("list_checklist", "/checklist", "List the checklist", "ChecklistItem"),
        item(
            "tick_checklist",
            "/checklist/{id}/tick",
            "Tick an item",
            "OptionalTextInput",
            "ChecklistItem",
        ),
        items("list_tasks", "/tasks", "List tasks", "Task"),
        item("add_task", "/tasks", "Give work to somebody", "TaskInput", "Task"),
        Route {
            body: Some("TaskPatch"),
            answer: Answer::Json("Change"),
            is_conditional: false,
            ..task
        },
        items("list_comments", "/comments", "List comments", "Comment"),
        item("comment_change", "/comments", "Comment", "TextInput", "Comment"),
        get(
            tag,
            "list_watchers",
            "/changes/{key}/watchers",
            "List watchers",
            "Watchers",
        ),
        watch("PUT", "watch_change", "Watch"),
        watch("DELETE", "unwatch_change", "Stop watching"),
        items("list_links", "/links", "List links", "Link"),
        item(
            "link_change",
            "/links",
            "Link to a change or an incident",
            "LinkInput",
            "Link",
        ),
        items("list_permits", "/permits", "List permits", "Permit"),
        item(
            "issue_permit",
            "/permits",
            "Get a permit ahead of the window",
            "PermitInput",
            "Permit",
        ),
        items("list_events", "/events", "Show the timeline with log indexes", "Event"),
        Route {
            answer: Answer::Bytes("application/zip"),
            ..bundle
        },
    ]
}

fn gate() -> Vec<Route> {
    const WAIT: &[Param] = &[Param::new(
        "wait",
        "Seconds to wait for a change of the answer, at most 60.",
    )];
    let ask = get(
        "gate",
        "ask_gate",
        "/gate",
        "May this go? 200 go, 403 stop",
        "GateAnswer",
    );
    let show = get(
        "gate",
        "show_gate_check",
        "/gate-checks/{id}",
        "Read a check, waiting if asked",
        "GateCheck",
    );
    let stream = at(
        "GET",
        "gate",
        "stream_gate_check",
        "/gate-checks/{id}/stream",
        "Follow a check",
    );
    let collect = "/gate-checks/{id}/permit";
    vec![
        Route {
            params: GATE_QUESTION,
            ..ask
        },
        post(
            "gate",
            "create_gate_check",
            "/gate-checks",
            "Ask, and record the answer",
            "GateCheckInput",
            "GateCheck",
        ),
        Route { params: WAIT, ..show },
        Route {
            answer: Answer::Events,
            ..stream
        },
        post(
            "gate",
            "collect_permit",
            collect,
            "Collect the permit of a check that turned go",
            "NoBody",
            "GateCheck",
        ),
        post(
            "gate",
            "revoke_permit",
            "/permits/{jti}/revocation",
            "Revoke a permit",
            "ReasonInput",
            "Permit",
        ),
    ]
}

/// A route outside of `/api/v1` that needs no credential.
fn open(operation: &'static str, path: &str, summary: &'static str, answer: Answer) -> Route {
    let row = at("GET", "without credential", operation, "", summary);
    Route {
        path: path.to_owned(),
        answer,
        scope: Scope::Open,
        ..row
    }
}

fn public() -> Vec<Route> {
    let hook = Route {
        path: "/hooks/{connection}".to_owned(),
        body: Some("Delivery"),
        status: 202,
        scope: Scope::Signed,
        ..at(
            "POST",
            "deliveries",
            "receive_delivery",
            "",
            "Take a delivery, signed over its raw bytes",
        )
    };
    vec![
        hook,
        open(
            "healthz",
            "/healthz",
            "Is the process alive?",
            Answer::Bytes("text/plain"),
        ),
        open(
            "readyz",
            "/readyz",
            "Does it take work? Why not, in words",
            Answer::Json("Health"),
        ),
        open(
            "metrics",
            "/metrics",
            "Figures without any tenant's content",
            Answer::Bytes("application/openmetrics-text"),
        ),
        open(
            "read_api",
            "/api",
            "This document as a page",
            Answer::Bytes("text/html"),
        ),
        open(
            "openapi",
            "/api/openapi.json",
            "This document",
            Answer::Bytes("application/json"),
        ),
        open(
            "jwks",
            "/t/{tenant}/.well-known/jwks.json",
            "Keys that sign permits",
            Answer::Json("KeySet"),
        ),
        open(
            "revocations",
            "/t/{tenant}/.well-known/assent-revocations",
            "The signed list of revoked permits",
            Answer::Bytes("application/jwt"),
        ),
        open(
            "log_key",
            "/t/{tenant}/log/key",
            "The log's verifier keys, one a line",
            Answer::Bytes("text/plain"),
        ),
    ]
}

fn log() -> Vec<Route> {
    let part = |operation, path: &str, summary, kind| Route {
        scope: Scope::Audit,
        tag: "log",
        ..open(operation, path, summary, Answer::Bytes(kind))
    };
    vec![
        part(
            "checkpoint",
            "/t/{tenant}/log/checkpoint",
            "The signed checkpoint (C2SP tlog-checkpoint)",
            "text/plain",
        ),
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
    ]
}
