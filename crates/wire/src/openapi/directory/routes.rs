//! Routes of the estate, of templates and of administration.

use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::{Answer, Param, Scope};

const SPAN: &[Param] = &[
    Param::time("from", "From when; now unless said."),
    Param::time("to", "Until when; 31 days later unless said."),
    Param::new("service", "Only this service."),
    Param::new("environment", "Only this environment."),
];

/// Every table of this file.
pub(crate) const ALL: &[&[Row]] = &[
    SERVICES,
    ENVIRONMENTS,
    CONFIG_ITEMS,
    DEPENDENCIES,
    OWNERSHIPS,
    WINDOWS,
    FREEZES,
    INCIDENTS,
    ESTATE,
    TEMPLATES,
    ADMINISTRATION,
];

/// The three routes that most things of the estate have: list, make or change, show.
const fn noun(
    path: &'static str,
    one: &'static str,
    names: [&'static str; 3],
    summaries: [&'static str; 3],
    body: &'static str,
    of: &'static str,
    may: &'static str,
) -> [Row; 3] {
    [
        Row {
            params: NAMED,
            may: "read",
            ..list("estate", names[0], path, summaries[0], of)
        },
        post("estate", names[1], path, summaries[1], body, of).may(may),
        get("estate", names[2], one, summaries[2], of).may("read"),
    ]
}

/// A change of an existing record: it names the version that was read.
const fn change(
    method: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    of: &'static str,
) -> Row {
    Row {
        body: Some(body),
        answer: Answer::Json(of),
        ..at(method, "administration", operation, path, summary)
    }
}

/// A list that `q` searches by key, name and title.
const NAMED: &[Param] = &[Param::new("q", "Only whose key, name or title holds this.")];

const SERVICES: &[Row] = &noun(
    "/services",
    "/services/{key}",
    ["list_services", "set_service", "show_service"],
    ["List services", "Make or change a service", "Show a service"],
    "ServiceInput",
    "Service",
    "set_service",
);

const ENVIRONMENTS: &[Row] = &noun(
    "/environments",
    "/environments/{key}",
    ["list_environments", "set_environment", "show_environment"],
    [
        "List environments",
        "Make or change an environment",
        "Show an environment",
    ],
    "EnvironmentInput",
    "Environment",
    "set_service",
);

const CONFIG_ITEMS: &[Row] = &noun(
    "/config-items",
    "/config-items/{key}",
    ["list_config_items", "set_config_item", "show_config_item"],
    [
        "List config items",
        "Make or change a config item",
        "Show a config item",
    ],
    "ConfigItemInput",
    "ConfigItem",
    "set_service",
);

const DEPENDENCIES: &[Row] = &noun(
    "/dependencies",
    "/dependencies/{id}",
    ["list_dependencies", "set_dependency", "show_dependency"],
    [
        "List dependencies",
        "Say that one service needs another",
        "Show a dependency",
    ],
    "DependencyInput",
    "Dependency",
    "set_service",
);

const OWNERSHIPS: &[Row] = &noun(
    "/ownerships",
    "/ownerships/{id}",
    ["list_ownerships", "set_ownership", "show_ownership"],
    [
        "List who owns what",
        "Add a part in owning a service",
        "Show a part in owning a service",
    ],
    "OwnershipInput",
    "Ownership",
    "set_ownership",
);

const SERVICE: Param = Param::new(
    "service",
    "Only what concerns the service with this key; what names no service concerns each.",
);

/// The filters of windows.
const OF_WINDOWS: &[Param] = &[
    NAMED[0],
    SERVICE,
    Param::new(
        "state",
        "Only windows in this state: `ahead`, `on`, `over`, or `ended` when they were taken back.",
    ),
];

/// The filters of freezes.
const OF_FREEZES: &[Param] = &[
    NAMED[0],
    SERVICE,
    Param::new(
        "state",
        "Only freezes at this stage: `proposed`, `declined`, `agreed`, `announced`, `in_force` or `ended`.",
    ),
];

/// The filters of incidents.
const OF_INCIDENTS: &[Param] = &[
    NAMED[0],
    Param::new("service", "Only incidents that name the service with this key."),
    Param::new(
        "state",
        "Only incidents in this state: `open`, `mitigated`, `resolved` or `closed`.",
    ),
    Param::new("major", "`true` for major incidents alone, `false` for the others."),
];

/// The same rows with other filters.
const fn listed_by(params: &'static [Param], rows: [Row; 3]) -> [Row; 3] {
    let [list, make, show] = rows;
    [Row { params, ..list }, make, show]
}

const WINDOWS: &[Row] = &listed_by(
    OF_WINDOWS,
    noun(
        "/windows",
        "/windows/{id}",
        ["list_windows", "set_window", "show_window"],
        [
            "List maintenance windows",
            "Set a maintenance window",
            "Show a maintenance window",
        ],
        "WindowInput",
        "Window",
        "set_window",
    ),
);

const FREEZES: &[Row] = &listed_by(
    OF_FREEZES,
    noun(
        "/freezes",
        "/freezes/{id}",
        ["list_freezes", "set_freeze", "show_freeze"],
        ["List freezes", "Set a freeze", "Show a freeze"],
        "FreezeInput",
        "Freeze",
        "set_freeze",
    ),
);

const INCIDENTS: &[Row] = &listed_by(
    OF_INCIDENTS,
    noun(
        "/incidents",
        "/incidents/{key}",
        ["list_incidents", "open_incident", "show_incident"],
        ["List incidents", "Open an incident", "Show an incident"],
        "IncidentInput",
        "Incident",
        "set_incident",
    ),
);

const ESTATE: &[Row] = &[
    Row {
        may: "set_service",
        tag: "estate",
        ..change(
            "PATCH",
            "edit_service",
            "/services/{key}",
            "Change a service",
            "ServicePatch",
            "Service",
        )
    },
    delete(
        "estate",
        "end_window",
        "/windows/{id}",
        "Take a maintenance window back",
        "Window",
    )
    .may("set_window"),
    Row {
        may: "set_freeze",
        body: Some("ReasonInput"),
        ..delete(
            "estate",
            "end_freeze",
            "/freezes/{id}",
            "Propose to end a freeze; it stands until another person confirms",
            "Freeze",
        )
    },
    Row {
        may: "set_freeze",
        answer: Answer::Json("Freeze"),
        status: 201,
        ..at(
            "POST",
            "estate",
            "confirm_loosening",
            "/freezes/{id}/confirmation",
            "Confirm that a freeze is ended or shortened",
        )
    },
    post(
        "estate",
        "except_from_freeze",
        "/freezes/{id}/exceptions",
        "Let one change pass one time of a freeze",
        "FreezeExceptionInput",
        "Freeze",
    )
    .may("set_freeze"),
    Row {
        status: 200,
        ..post(
            "estate",
            "preview_freeze",
            "/freeze-previews",
            "Show what a freeze would hit; nothing is written",
            "FreezeInput",
            "FreezePreview",
        )
        .may("set_freeze")
    },
    get(
        "estate",
        "show_freeze_preview",
        "/freezes/{id}/preview",
        "Show what a freeze hits now",
        "FreezePreview",
    )
    .may("read"),
    get(
        "estate",
        "show_freeze_report",
        "/freezes/{id}/report",
        "Show what a freeze did: changes hit, exceptions, what passed",
        "FreezeReport",
    )
    .may("read"),
    post(
        "estate",
        "answer_freeze",
        "/freezes/{id}/agreement",
        "Sign the answer of a freeze's business owner",
        "FreezeAgreementInput",
        "Freeze",
    )
    .may("read"),
    post(
        "estate",
        "announce_freeze",
        "/freezes/{id}/announcement",
        "Announce a freeze; it counts from now on",
        "ReasonInput",
        "Freeze",
    )
    .may("set_freeze"),
    delete(
        "estate",
        "withdraw_exception",
        "/freezes/{id}/exceptions/{change}",
        "Let a change no longer pass a freeze",
        "Freeze",
    )
    .may("set_freeze"),
    Row {
        may: "set_incident",
        body: Some("IncidentPatch"),
        answer: Answer::Json("Incident"),
        ..at(
            "PATCH",
            "estate",
            "edit_incident",
            "/incidents/{key}",
            "Change or resolve an incident",
        )
    },
    Row {
        may: "read",
        params: SPAN,
        ..list(
            "estate",
            "show_calendar",
            "/calendar",
            "Show what is planned",
            "CalendarEntry",
        )
    },
    Row {
        may: "read @read",
        answer: Answer::Events,
        ..at(
            "GET",
            "estate",
            "stream_events",
            "/stream",
            "Follow all events; the event id is the log index",
        )
    },
];

const TEMPLATES: &[Row] = &[
    Row {
        may: "read",
        params: NAMED,
        ..list(
            "templates",
            "list_templates",
            "/templates",
            "List templates",
            "Template",
        )
    },
    post(
        "templates",
        "propose_template",
        "/templates",
        "Propose a template or a new version",
        "TemplateInput",
        "Template",
    )
    .may("propose_template"),
    get(
        "templates",
        "show_template",
        "/templates/{key}",
        "Show a template",
        "Template",
    )
    .may("read"),
    post(
        "templates",
        "approve_template",
        "/templates/{key}/approvals",
        "Approve the proposed version",
        "TemplateApprovalInput",
        "Template",
    )
    .may("approve_template"),
    post(
        "templates",
        "suspend_template",
        "/templates/{key}/suspension",
        "Suspend it",
        "TemplateEndInput",
        "Template",
    )
    .may("approve_template"),
    post(
        "templates",
        "retire_template",
        "/templates/{key}/retirement",
        "Retire it",
        "TemplateEndInput",
        "Template",
    )
    .may("approve_template"),
];

const DELIVERY_STATES: &[Param] = &[Param::new("state", "Only `waiting`, `parked` or `done` ones.")];

/// The filters of the log.
const LOG_FILTERS: &[Param] = &[
    Param::new(
        "kind",
        "Only entries of this kind, `approval.given`, or of a family, `approval`.",
    ),
    Param::new("actor", "Only what this login did; `system` for timers and deliveries."),
    Param::new(
        "about",
        "Only what is about this: the key of a change, service, environment, group, template or incident, a login, or the id of a \
         freeze or window.",
    ),
    Param::new("from", "Only what was written down at this time or later."),
    Param::new("to", "Only what was written down before this time."),
    Param::new(
        "address",
        "Only what was done from this IP address; sign-ins that were refused too.",
    ),
    Param::new("session", "Only what was done in the session of this name."),
    Param::new("token", "Only what was done with the token of this id."),
];

const FORENSIC: &[Param] = &[
    Param::new(
        "incident",
        "Around this incident: what concerns its services from a day before it to an hour after its end, each sign-in and refused \
         attempt, and what moved rights, policies, keys and credentials.",
    ),
    LOG_FILTERS[0],
    LOG_FILTERS[1],
    LOG_FILTERS[2],
    LOG_FILTERS[3],
    LOG_FILTERS[4],
    LOG_FILTERS[5],
    LOG_FILTERS[6],
    LOG_FILTERS[7],
];

const ADMINISTRATION: &[Row] = &[
    Row {
        may: "audit",
        scope: Scope::Audit,
        params: FORENSIC,
        ..list(
            "administration",
            "list_forensic_timeline",
            "/forensic-timeline",
            "List who did what of one person, record, address, session, token or incident, the newest first; one of them must be named. \
             `next` leads on, also from a page with few or none",
            "LoggedEvent",
        )
    },
    get(
        "administration",
        "show_tenant",
        "/tenant",
        "Show the tenant's settings",
        "Tenant",
    )
    .may("read"),
    Row {
        may: "audit",
        scope: Scope::Audit,
        params: LOG_FILTERS,
        ..list(
            "administration",
            "list_log",
            "/events",
            "List the entries of the log that fit, the newest first. A page looks at 20,000 entries at most: `next` leads on, also \
             from a page with few or none",
            "LoggedEvent",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..get(
            "administration",
            "show_event",
            "/events/{id}",
            "Show an event, by its id or index, with each field that it wrote, before and after",
            "EventView",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..get(
            "administration",
            "prove_event",
            "/events/{id}/proof",
            "Prove that an event stands in the log, by its id or index",
            "EventProof",
        )
    },
    Row {
        may: "set_connection",
        params: DELIVERY_STATES,
        ..list(
            "administration",
            "list_deliveries",
            "/connections/{id}/deliveries",
            "List what a connection delivered, the newest first",
            "DeliveryRow",
        )
    },
    get(
        "administration",
        "show_me",
        "/me",
        "Show whom the credential speaks for",
        "Me",
    )
    .may("own"),
    Row {
        may: "read",
        params: NAMED,
        ..list("administration", "list_people", "/people", "List people", "Person")
    },
    post(
        "administration",
        "create_person",
        "/people",
        "Make a person",
        "PersonInput",
        "Person",
    )
    .may("set_person"),
    get(
        "administration",
        "show_person",
        "/people/{login}",
        "Show a person",
        "Person",
    )
    .may("read"),
    change(
        "PATCH",
        "edit_person",
        "/people/{login}",
        "Change or deactivate a person",
        "PersonPatch",
        "Person",
    )
    .may("set_person"),
    post(
        "administration",
        "decide_suspension",
        "/people/{login}/suspensions/{number}",
        "Confirm something that a compromised account gave, or let it go",
        "SuspensionInput",
        "Person",
    )
    .may("set_person"),
    post(
        "administration",
        "deactivate_person",
        "/people/{login}/deactivation",
        "Deactivate a person; as compromised, their decisions are void and their permits revoked",
        "DeactivationInput",
        "Person",
    )
    .may("set_person"),
    Row {
        may: "own | set_person",
        is_conditional: false,
        ..change(
            "PUT",
            "set_password",
            "/people/{login}/password",
            "Set a password",
            "PasswordInput",
            "PasswordSet",
        )
    },
    Row {
        may: "read",
        params: NAMED,
        ..list("administration", "list_groups", "/groups", "List groups", "Group")
    },
    get("administration", "show_group", "/groups/{key}", "Show a group", "Group").may("read"),
    change(
        "PUT",
        "set_group",
        "/groups/{key}",
        "Make or change a group",
        "GroupInput",
        "Group",
    )
    .may("set_person"),
    list("administration", "list_tokens", "/tokens", "List tokens", "Token").may("set_token"),
    post(
        "administration",
        "create_token",
        "/tokens",
        "Create a token; it is shown once",
        "TokenInput",
        "Token",
    )
    .may("set_token"),
    delete(
        "administration",
        "revoke_token",
        "/tokens/{id}",
        "Revoke a token",
        "Token",
    )
    .may("own | set_token"),
    list(
        "administration",
        "list_connections",
        "/connections",
        "List connections",
        "Connection",
    )
    .may("set_connection"),
    post(
        "administration",
        "create_connection",
        "/connections",
        "Make a connection; its secret is shown once",
        "ConnectionInput",
        "Connection",
    )
    .may("set_connection"),
    get(
        "administration",
        "show_connection",
        "/connections/{id}",
        "Show a connection",
        "Connection",
    )
    .may("set_connection"),
    delete(
        "administration",
        "end_connection",
        "/connections/{id}",
        "Take no more deliveries",
        "Connection",
    )
    .may("set_connection"),
    Row {
        may: "session",
        scope: Scope::Open,
        ..post(
            "administration",
            "begin_session",
            "/session",
            "Sign in; the answer sets a cookie",
            "SignIn",
            "Session",
        )
    },
    delete("administration", "end_session", "/session", "Sign out", "Ended").may("own"),
    Row {
        may: "session",
        scope: Scope::Open,
        ..post(
            "administration",
            "begin_passkey_session",
            "/session/passkey",
            "Ask for a challenge to sign in with a passkey",
            "PasskeySignIn",
            "PasskeyChallenge",
        )
    },
    Row {
        may: "session",
        scope: Scope::Open,
        ..post(
            "administration",
            "sign_in_with_passkey",
            "/session/passkey/{id}",
            "Sign in with a passkey; the answer sets a cookie",
            "PasskeySignInAnswer",
            "PasskeySession",
        )
    },
    post(
        "administration",
        "begin_passkey_step_up",
        "/session/step-up/passkey",
        "Ask for a challenge to show a passkey as fresh factor",
        "NoBody",
        "PasskeyChallenge",
    )
    .may("own"),
    post(
        "administration",
        "step_up_with_passkey",
        "/session/step-up/passkey/{id}",
        "Show a passkey as fresh factor of the session",
        "PasskeyAnswer",
        "SteppedUp",
    )
    .may("own"),
    post(
        "administration",
        "step_up",
        "/session/step-up",
        "Give a fresh factor of the session",
        "StepUpInput",
        "SteppedUp",
    )
    .may("own"),
];
