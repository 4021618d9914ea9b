//! Routes of the estate, of templates and of administration.

use super::table::{at, delete, get, list, post};
use super::{Answer, Param, Route, Scope};

const SPAN: &[Param] = &[
    Param::time("from", "From when; now unless said."),
    Param::time("to", "Until when; 31 days later unless said."),
    Param::new("service", "Only this service."),
    Param::new("environment", "Only this environment."),
];

/// Every route of this file.
pub(super) fn all() -> Vec<Route> {
    let mut all = estate();
    all.extend(templates());
    all.extend(administration());
    all
}

/// The three routes that most things of the estate have: list, make or change, show.
fn noun(
    path: &str,
    names: [&'static str; 3],
    summaries: [&'static str; 3],
    body: &'static str,
    of: &'static str,
) -> Vec<Route> {
    let one = format!("{path}/{{{}}}", key_of(path));
    vec![
        list("estate", names[0], path, summaries[0], of),
        post("estate", names[1], path, summaries[1], body, of),
        get("estate", names[2], &one, summaries[2], of),
    ]
}

fn key_of(path: &str) -> &'static str {
    match path {
        "/services" | "/environments" | "/config-items" | "/incidents" => "key",
        _ => "id",
    }
}

fn estate() -> Vec<Route> {
    let mut all = Vec::new();
    all.extend(noun(
        "/services",
        ["list_services", "set_service", "show_service"],
        ["List services", "Make or change a service", "Show a service"],
        "ServiceInput",
        "Service",
    ));
    all.extend(noun(
        "/environments",
        ["list_environments", "set_environment", "show_environment"],
        [
            "List environments",
            "Make or change an environment",
            "Show an environment",
        ],
        "EnvironmentInput",
        "Environment",
    ));
    all.extend(noun(
        "/config-items",
        ["list_config_items", "set_config_item", "show_config_item"],
        [
            "List config items",
            "Make or change a config item",
            "Show a config item",
        ],
        "ConfigItemInput",
        "ConfigItem",
    ));
    all.extend(noun(
        "/dependencies",
        ["list_dependencies", "set_dependency", "show_dependency"],
        [
            "List dependencies",
            "Say that one service needs another",
            "Show a dependency",
        ],
        "DependencyInput",
        "Dependency",
    ));
    all.extend(noun(
        "/ownerships",
        ["list_ownerships", "set_ownership", "show_ownership"],
        [
            "List who owns what",
            "Add a part in owning a service",
            "Show a part in owning a service",
        ],
        "OwnershipInput",
        "Ownership",
    ));
    all.extend(noun(
        "/windows",
        ["list_windows", "set_window", "show_window"],
        [
            "List maintenance windows",
            "Set a maintenance window",
            "Show a maintenance window",
        ],
        "WindowInput",
        "Window",
    ));
    all.extend(noun(
        "/freezes",
        ["list_freezes", "set_freeze", "show_freeze"],
        ["List freezes", "Set a freeze", "Show a freeze"],
        "FreezeInput",
        "Freeze",
    ));
    all.extend(noun(
        "/incidents",
        ["list_incidents", "open_incident", "show_incident"],
        ["List incidents", "Open an incident", "Show an incident"],
        "IncidentInput",
        "Incident",
    ));
    let incident = at(
        "PATCH",
        "estate",
        "edit_incident",
        "/incidents/{key}",
        "Change or resolve an incident",
    );
    let stream = at(
        "GET",
        "estate",
        "stream_events",
        "/stream",
        "Follow all events; the event id is the log index",
    );
    all.extend([
        delete(
            "estate",
            "end_window",
            "/windows/{id}",
            "Take a maintenance window back",
            "Window",
        ),
        delete("estate", "end_freeze", "/freezes/{id}", "Take a freeze back", "Freeze"),
        post(
            "estate",
            "except_from_freeze",
            "/freezes/{id}/exceptions",
            "Let one change pass a freeze",
            "FreezeExceptionInput",
            "Freeze",
        ),
        Route {
            body: Some("IncidentInput"),
            answer: Answer::Json("Incident"),
            is_conditional: false,
            ..incident
        },
        Route {
            params: SPAN,
            ..list(
                "estate",
                "show_calendar",
                "/calendar",
                "Show what is planned",
                "CalendarEntry",
            )
        },
        Route {
            answer: Answer::Events,
            ..stream
        },
    ]);
    all
}

fn templates() -> Vec<Route> {
    let tag = "templates";
    vec![
        list(tag, "list_templates", "/templates", "List templates", "Template"),
        post(
            tag,
            "propose_template",
            "/templates",
            "Propose a template or a new version",
            "TemplateInput",
            "Template",
        ),
        get(tag, "show_template", "/templates/{key}", "Show a template", "Template"),
        post(
            tag,
            "approve_template",
            "/templates/{key}/approvals",
            "Approve the proposed version",
            "NoBody",
            "Template",
        ),
        post(
            tag,
            "suspend_template",
            "/templates/{key}/suspension",
            "Suspend it",
            "ReasonInput",
            "Template",
        ),
        post(
            tag,
            "retire_template",
            "/templates/{key}/retirement",
            "Retire it",
            "ReasonInput",
            "Template",
        ),
    ]
}

fn administration() -> Vec<Route> {
    let tag = "administration";
    let change = |method, operation, path, summary, body, of| Route {
        body: Some(body),
        answer: Answer::Json(of),
        is_conditional: false,
        ..at(method, tag, operation, path, summary)
    };
    vec![
        get(tag, "show_me", "/me", "Show whom the credential speaks for", "Me"),
        list(tag, "list_people", "/people", "List people", "Person"),
        post(
            tag,
            "create_person",
            "/people",
            "Make a person",
            "PersonInput",
            "Person",
        ),
        get(tag, "show_person", "/people/{login}", "Show a person", "Person"),
        change(
            "PATCH",
            "edit_person",
            "/people/{login}",
            "Change or deactivate a person",
            "PersonInput",
            "Person",
        ),
        change(
            "PUT",
            "set_password",
            "/people/{login}/password",
            "Set a password",
            "PasswordInput",
            "Done",
        ),
        list(tag, "list_groups", "/groups", "List groups", "Group"),
        get(tag, "show_group", "/groups/{key}", "Show a group", "Group"),
        change(
            "PUT",
            "set_group",
            "/groups/{key}",
            "Make or change a group",
            "GroupInput",
            "Group",
        ),
        list(tag, "list_tokens", "/tokens", "List tokens", "Token"),
        post(
            tag,
            "create_token",
            "/tokens",
            "Make a token; it is shown once",
            "TokenInput",
            "Token",
        ),
        delete(tag, "revoke_token", "/tokens/{id}", "Revoke a token", "Token"),
        list(
            tag,
            "list_connections",
            "/connections",
            "List connections",
            "Connection",
        ),
        post(
            tag,
            "create_connection",
            "/connections",
            "Make a connection; its secret is shown once",
            "ConnectionInput",
            "Connection",
        ),
        get(
            tag,
            "show_connection",
            "/connections/{id}",
            "Show a connection",
            "Connection",
        ),
        delete(
            tag,
            "end_connection",
            "/connections/{id}",
            "Take no more deliveries",
            "Connection",
        ),
        get(
            tag,
            "show_policies",
            "/policies",
            "Show the active policies",
            "PolicySet",
        ),
        Route {
            scope: Scope::Open,
            ..post(
                tag,
                "begin_session",
                "/session",
                "Sign in; the answer sets a cookie",
                "SignIn",
                "Session",
            )
        },
        delete(tag, "end_session", "/session", "Sign out", "Done"),
        post(
            tag,
            "step_up",
            "/session/step-up",
            "Give a fresh factor of the session",
            "StepUpInput",
            "Done",
        ),
    ]
}
