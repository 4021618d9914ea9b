//! The API as an OpenAPI 3.1 document, made from one table of routes.
//!
//! The table is the single list of the served routes: the document is built from it, a test of the server compares it with the
//! router, and a test of tenants walks its id parameters.

mod answers;
mod answers_administration;
mod answers_schedule;
mod audit;
mod bodies;
mod cab;
mod cards;
mod change;
pub mod columns;
mod compliance;
mod directory;
mod gate;
mod identity;
mod incident;
mod integration;
pub mod judge;
mod notify;
mod patches;
mod policy;
mod report;
mod risk;
mod rows;
mod schedule;
mod shapes;
mod table;

use model::compliance::control_report::ReportFormat;
use model::core::enums::Noun;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// One route: a method at a path.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method in capitals.
    pub method: &'static str,
    /// The whole path with `{name}` for a segment and `{+name}` for the rest of the path.
    pub path: String,
    /// The group in which it is listed.
    pub tag: &'static str,
    /// A name that no other route has; of acts, the act's name in policies and refusals.
    pub operation: &'static str,
    /// Its purpose, in one line.
    pub summary: &'static str,
    /// The name of the request's shape.
    pub body: Option<&'static str>,
    /// The response on success.
    pub answer: Answer,
    /// The status of a success.
    pub status: u16,
    /// Query parameters beside those of paging.
    pub params: &'static [Param],
    /// The scope that the caller needs.
    pub scope: Scope,
    /// Whether `If-Match` is needed.
    pub is_conditional: bool,
    /// The right that the caller needs: actions of the policies, ` | ` between alternatives, or `own`, `open`, `signed`,
    /// `session`.
    pub may: &'static str,
}

/// The response on success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A named shape.
    Json(&'static str),
    /// A named shape under a media type of its own.
    Kind(&'static str, &'static str),
    /// A page of a named shape, `{"items", "next"}`.
    List(&'static str),
    /// Bytes of a media type.
    Bytes(&'static str),
    /// Server-sent events.
    Events,
}

impl Answer {
    /// The media type under which it comes, without its parameters.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json(_) | Self::List(_) => "application/json",
            Self::Kind(kind, _) | Self::Bytes(kind) => kind,
            Self::Events => "text/event-stream",
        }
    }
}

/// The scope that the caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Open,
    /// A credential; it decides the tenant.
    Credential,
    /// A credential with the scope `audit`, unless the tenant made its log public.
    Audit,
    /// A signature over the raw body.
    Signed,
}

/// A query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Whether it must be there.
    pub is_needed: bool,
    /// Whether it is a moment in RFC 3339.
    pub is_time: bool,
}

impl Param {
    const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            is_needed: false,
            is_time: false,
        }
    }

    const fn time(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            is_needed: false,
            is_time: true,
        }
    }

    const fn needed(self) -> Self {
        Self {
            is_needed: true,
            ..self
        }
    }
}

impl Route {
    /// The names in the path, in their order.
    #[must_use]
    pub fn path_params(&self) -> Vec<&str> {
        let names = self.path.split('{').skip(1);
        names
            .filter_map(|part| part.split('}').next())
            .map(|name| name.trim_start_matches('+'))
            .collect()
    }

    /// The path as in the document: a parameter for the rest of the path is a plain one there.
    #[must_use]
    pub fn document_path(&self) -> String {
        self.path.replace("{+", "{")
    }

    /// A path with these values in place of its parameters, in their order.
    #[must_use]
    pub fn fill(&self, values: &[&str]) -> String {
        let mut path = String::new();
        let mut values = values.iter();
        for (place, part) in self.path.split('{').enumerate() {
            match part.split_once('}') {
                Some((_, rest)) if place > 0 => {
                    path.push_str(values.next().unwrap_or(&"-"));
                    path.push_str(rest);
                }
                _ => path.push_str(part),
            }
        }
        path
    }
}

/// Every documented route, in the document's order.
#[must_use]
pub fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(table::all)
}

/// The access rule of each route and each page of a noun, as `access/rules.txt` of `server` has it for the others: the method
/// with the path, and the access.
pub fn rules() -> impl Iterator<Item = (String, &'static str)> {
    let told = routes().iter().filter(|route| !route.may.is_empty());
    let of_routes = told.map(|route| (format!("{} {}", route.method, route.path), route.may));
    of_routes.chain(cards::page_rules())
}

/// The document for a server that is reached at `public_url` (without a slash at the end).
#[must_use]
pub fn document(public_url: &str) -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.document_path()).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Assent API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": TAGS.iter().map(|(name, doc)| json!({"name": name, "description": doc})).collect::<Vec<_>>(),
        "paths": paths,
        "components": components(),
    })
}

const DESCRIPTION: &str = "Changes, approvals and gates. Bodies are JSON in snake_case of at most 1 MiB; times are RFC 3339 in \
UTC; absent values are left out. Lists are cut by key: follow `next`. A refusal is `application/problem+json` with a stable \
`code`, and names in `unmet` what would open the way and whom it waits for.";

/// The operation of lists as files.
const FILE: &str = "export_list";

const TAGS: &[(&str, &str)] = &[
    (
        "changes",
        "The change and the acts of its lifecycle. An act's POST answers the change.",
    ),
    (
        "around a change",
        "Decisions, evidence, tasks and the like. An item's POST answers the item.",
    ),
    ("gate", "May this go? Permits to deploy, and their revocation."),
    (
        "estate",
        "Services, environments, ownership, windows, freezes, incidents.",
    ),
    ("directory", "Who is away, who speaks for whom, who answers for what."),
    (
        "identity",
        "Sign-in, second factors, sessions, identity providers and what they provision.",
    ),
    ("templates", "Standard changes: pre-approved and versioned."),
    ("training", "Lessons, their tests and assignments."),
    (
        "boards",
        "Agendas of meetings, their minutes, forecasts of members, the board pack.",
    ),
    (
        "action items",
        "What somebody has to do about a record, and until when.",
    ),
    ("reports", "Figures with their definitions, intervals and rows."),
    ("administration", "People, groups, tokens, connections, policies."),
    ("deliveries", "What outside systems send."),
    ("webhooks", "What outside systems are told."),
    ("sinks", "The log for a SIEM: formats over transports."),
    ("without credential", "Health, this document, public keys."),
    (
        "log",
        "The tenant's transparency log, to be verified without trusting the server.",
    ),
];

fn operation(route: &Route) -> Value {
    let mut told = json!({
        "tags": [route.tag],
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
        "security": security(route.scope),
    });
    if let Some(body) = route.body {
        told["requestBody"] = request(route, body);
    }
    told
}

fn security(scope: Scope) -> Value {
    match scope {
        Scope::Open => json!([]),
        Scope::Credential => json!([{"credential": []}]),
        Scope::Audit => json!([{"credential": ["audit"]}, {}]),
        Scope::Signed => json!([{"signature": []}]),
    }
}

fn request(route: &Route, body: &str) -> Value {
    let schema = shapes::reference(body);
    let mut content = json!({"application/json": {"schema": schema}});
    if body == "EvidenceInput" {
        let file = json!({"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}}});
        content["multipart/form-data"] = json!({"schema": {"allOf": [schema, file]}});
    }
    // A body that may be empty may be left out altogether.
    let is_needed = !matches!(body, "NoBody" | "OptionalTextInput" | "CosignatureInput");
    let mut told = json!({"required": is_needed, "content": content});
    if route.method == "PATCH" {
        // Two media types of one shape are two bodies to generators of clients, and some of them write code that does not run.
        told["description"] = json!("A merge patch (RFC 7396); `application/merge-patch+json` is taken as well.");
    }
    told
}

fn parameters(route: &Route) -> Value {
    let mut all: Vec<Value> = route
        .path_params()
        .iter()
        .map(|name| path_parameter(route, name))
        .collect();
    for param in route.params {
        let mut schema = json!({"type": "string"});
        if param.is_time {
            schema["format"] = json!("date-time");
        }
        all.push(json!({"name": param.name, "in": "query", "required": param.is_needed, "description": param.doc, "schema": schema}));
    }
    let shared = |name: &str| json!({"$ref": format!("#/components/parameters/{name}")});
    // A person is known in a few tenants only, which are all returned at once.
    if matches!(route.answer, Answer::List(_)) && route.operation != "list_own_tenants" {
        all.extend([shared("limit"), shared("after")]);
    }
    if route.method == "POST" && route.scope == Scope::Credential {
        all.push(shared("idempotency_key"));
    }
    if route.is_conditional {
        all.push(shared(if makes_by_put(route) {
            "if_match_of_known"
        } else {
            "if_match"
        }));
    }
    if makes_or_sets(route) {
        all.push(shared("if_none_match"));
    }
    json!(all)
}

/// Whether a POST also sets the thing that is there under the key it names.
fn makes_or_sets(route: &Route) -> bool {
    matches!(
        route.operation,
        "set_service" | "set_environment" | "set_config_item" | "set_calendar"
    )
}

/// Whether a PUT also makes the thing, of which nothing was read then.
fn makes_by_put(route: &Route) -> bool {
    matches!(route.operation, "set_group" | "set_identity_provider" | "set_workload")
}

/// The lists at a path of one segment below `/api/v1`: the segment, and the name of their shape.
pub fn lists() -> impl Iterator<Item = (&'static str, &'static str)> {
    routes().iter().filter_map(|route| {
        let noun = route.path.strip_prefix("/api/v1/")?;
        match route.answer {
            Answer::List(shape) if route.method == "GET" && !noun.contains(['/', '{']) => Some((noun, shape)),
            _ => None,
        }
    })
}

fn path_parameter(route: &Route, name: &str) -> Value {
    let doc = match name {
        "key" => "The key, such as `CHG-1042`.",
        "id" => "The record's id.",
        "jti" => "The permit's id.",
        "login" => "The person's login.",
        "tenant" => "The tenant.",
        "connection" => "The connection's id.",
        "level" => "The level of the tile.",
        "noun" if route.operation == FILE => "The list; its own filters are query parameters here as well.",
        "noun" => "What the rows are. A list that no import reads back comes as the file of `/exports/{noun}/file`.",
        _ => "The rest of the path.",
    };
    let mut schema = json!({"type": "string"});
    if name == "noun" && route.operation == FILE {
        schema["enum"] = json!(lists().map(|(noun, _)| noun).collect::<Vec<_>>());
    } else if name == "noun" {
        let mut nouns: Vec<&str> = Noun::ALL.iter().map(|noun| noun.as_str()).collect();
        // A name that differs by its dash alone would be the same name in a generated client.
        let others = lists().filter(|(noun, _)| noun.replace('-', "_").parse::<Noun>().is_err());
        nouns.extend(others.map(|(noun, _)| noun));
        schema["enum"] = json!(nouns);
    }
    json!({"name": name, "in": "path", "required": true, "description": doc, "schema": schema})
}

fn responses(route: &Route) -> Value {
    let mut all = Map::new();
    all.insert(route.status.to_string(), success(route));
    if let ("ask_gate" | "ask_admission", Answer::Json(name)) = (route.operation, route.answer) {
        let content = json!({"application/json": {"schema": shapes::reference(name)}, "application/problem+json": {"schema": shapes::reference("Problem")}});
        all.insert("403".to_owned(), json!({"description": "Stop, when the header `Assent-Decision` is there; otherwise the caller may not ask.", "content": content}));
    }
    if route.operation == "readyz" {
        // While the server starts, it returns a problem on every path.
        let content = json!({"application/json": {"schema": shapes::reference("Health")}, "application/problem+json": {"schema": shapes::reference("Problem")}});
        all.insert("503".to_owned(), json!({"description": "Not now.", "content": content}));
    }
    if makes_or_sets(route) {
        let mut told = success(route);
        told["description"] = json!("It was there already, and is set.");
        all.insert("200".to_owned(), told);
        all.insert("412".to_owned(), json!({"$ref": "#/components/responses/stale"}));
    }
    if route.operation == "receive_delivery" {
        // Terraform takes nothing else for a yes.
        all.insert("200".to_owned(), success(route));
    }
    if route.operation == "add_checkpoint" {
        witnessed(&mut all);
    }
    for status in refusals(route) {
        let told = json!({"$ref": format!("#/components/responses/{}", name_of(*status))});
        all.entry(status.to_string()).or_insert(told);
    }
    Value::Object(all)
}

/// The responses of a witness, which are text (C2SP tlog-witness).
fn witnessed(all: &mut Map<String, Value>) {
    let answers = [
        (
            400,
            "text/plain",
            "The request cannot be read, or its old size is beyond its checkpoint.",
        ),
        (403, "text/plain", "No trusted key of the log signed the checkpoint."),
        (404, "text/plain", "No log of this origin is watched."),
        (409, "text/x.tlog.size", "The size of the log that was seen last."),
        (422, "text/plain", "The proof does not show that the log only grew."),
    ];
    for (status, kind, doc) in answers {
        let content = json!({kind: {"schema": {"type": "string"}}, "application/problem+json": {"schema": shapes::reference("Problem")}});
        all.insert(status.to_string(), json!({"description": doc, "content": content}));
    }
}

/// The media types of a control report as a file.
fn report_files() -> Value {
    let mut content = Map::new();
    for format in ReportFormat::ALL {
        let kind = format.media_type().split(';').next().unwrap_or_default();
        let schema = match kind {
            "application/json" => json!({"type": "object"}),
            _ => json!({"type": "string", "contentMediaType": kind}),
        };
        content.insert(kind.to_owned(), json!({"schema": schema}));
    }
    Value::Object(content)
}

fn success(route: &Route) -> Value {
    let kind = route.answer.media_type();
    let schema = match route.answer {
        Answer::Json(name) | Answer::Kind(_, name) => shapes::reference(name),
        Answer::List(name) => page_of(name),
        Answer::Bytes("text/plain" | "text/html" | "application/jose" | "application/openmetrics-text")
        | Answer::Events => json!({"type": "string"}),
        // A JSON document whose own schema is published elsewhere.
        Answer::Bytes("application/json") => json!({"type": "object"}),
        Answer::Bytes(kind) => json!({"type": "string", "contentMediaType": kind}),
    };
    let mut told = json!({"description": "Done.", "content": {kind: {"schema": schema}}});
    if matches!(route.operation, "export_list" | "export_directory" | "metrics") {
        let other = match route.operation {
            "export_list" => ReportFormat::Xlsx.media_type(),
            "export_directory" => "text/csv",
            _ => "text/plain",
        };
        told["content"][other] = json!({"schema": {"type": "string", "contentMediaType": other}});
    }
    if route.operation == "export_control_report" {
        told["content"] = report_files();
    }
    if matches!(route.answer, Answer::Json("Change")) {
        told["headers"] = json!({"ETag": {"description": "Moves with the record, its state and decisions.", "schema": {"type": "string"}}});
    }
    if matches!(route.answer, Answer::List(_)) {
        told["headers"] =
            json!({"Link": {"description": "The next page, `rel=\"next\"`.", "schema": {"type": "string"}}});
    }
    if matches!(route.operation, "ask_gate" | "ask_admission") {
        told["headers"] = json!({"Assent-Decision": {"description": "`go` or `stop`.", "schema": {"type": "string", "enum": ["go", "stop"]}}});
    }
    told
}

fn page_of(name: &str) -> Value {
    json!({"type": "object", "required": ["items"], "properties": {
        "items": {"type": "array", "items": shapes::reference(name)},
        "next": {"type": ["string", "null"], "description": "What to give as `after`; absent or null on the last page."},
    }})
}

/// The refusals that a route can return. Every route with a credential passes the same checks in the same order, whatever its
/// method, so each can return each of them; without a credential none can be wrong or change anything.
fn refusals(route: &Route) -> &'static [u16] {
    match route.scope {
        Scope::Credential | Scope::Audit => &[400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428, 429, 503],
        Scope::Signed => &[400, 401, 404, 408, 413, 415, 422, 429, 503],
        Scope::Open if route.method == "POST" => &[400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503],
        Scope::Open if route.path.contains('{') => &[400, 404, 429, 503],
        // The settings name its readers.
        Scope::Open if route.path == "/metrics" => &[401, 429, 503],
        Scope::Open => &[429, 503],
    }
}

const STATUSES: &[(u16, &str, &str)] = &[
    (400, "malformed", "The request cannot be read."),
    (401, "no_credential", "There is no credential, or none that is known."),
    (403, "not_allowed", "A policy or a rule says no, and which."),
    (404, "not_found", "It is absent, or hidden from the one who asks."),
    (408, "too_slow", "The body comes too slowly."),
    (409, "not_now", "Not legal now; `unmet` says what leads there."),
    (412, "stale", "Another person was faster; read it again."),
    (413, "too_large", "The body is too large."),
    (415, "wrong_media_type", "The body is of a kind that is not read here."),
    (422, "invalid", "Fields cannot be taken; `errors` names all of them."),
    (
        428,
        "if_match_needed",
        "`If-Match` is absent, and what is to be changed is there.",
    ),
    (429, "too_many", "Too many requests; `Retry-After` says when."),
    (503, "unavailable", "Not at the moment; `Retry-After` says when."),
];

fn name_of(status: u16) -> &'static str {
    STATUSES
        .iter()
        .find(|row| row.0 == status)
        .map_or("malformed", |row| row.1)
}

fn components() -> Value {
    let mut schemas = Map::new();
    for shape in every_shape() {
        schemas.insert(shape.name.to_owned(), shape.schema());
    }
    schemas.extend(cards::shapes());
    schemas.insert(
        "Delivery".to_owned(),
        json!({"type": "object", "description": "The payload as its sender made it."}),
    );
    let mut responses = Map::new();
    for (status, name, doc) in STATUSES {
        let mut told = json!({"description": doc, "content": {"application/problem+json": {"schema": shapes::reference("Problem")}}});
        if matches!(status, 429 | 503) {
            told["headers"] = json!({"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}});
        }
        responses.insert((*name).to_owned(), told);
    }
    json!({
        "schemas": schemas,
        "responses": responses,
        "parameters": shared_parameters(),
        "securitySchemes": {
            "credential": {"type": "http", "scheme": "bearer", "description": "A token; it decides the tenant."},
            "signature": {"type": "apiKey", "in": "header", "name": "X-Hub-Signature-256", "description": "HMAC-SHA256 over the raw body."},
        },
    })
}

/// Every named shape of requests and responses.
fn every_shape() -> impl Iterator<Item = &'static shapes::Shape> {
    let own = bodies::ALL
        .iter()
        .chain(answers::ALL)
        .chain(directory::ownership::SHAPES)
        .chain(change::templates::SHAPES)
        .chain(patches::SHAPES)
        .chain(audit::keys::SHAPES)
        .chain(audit::witnesses::SHAPES)
        .chain(audit::attestations::SHAPES)
        .chain(audit::samples::SHAPES)
        .chain(compliance::control_reports::SHAPES)
        .chain(compliance::reconciliation::SHAPES)
        .chain(compliance::archive::SHAPES)
        .chain(cab::meetings::SHAPES)
        .chain(change::bulk::SHAPES)
        .chain(identity::bodies::ALL)
        .chain(gate::shapes::ALL)
        .chain(integration::deliveries::SHAPES)
        .chain(report::metrics::SHAPES)
        .chain(risk::forecasts::SHAPES)
        .chain(&[
            cab::boards::SHAPES,
            cab::lessons::SHAPES,
            incident::what_changed::SHAPES,
            incident::drift::SHAPES,
            incident::incidents::SHAPES,
            incident::learning::SHAPES,
            incident::monitoring::SHAPES,
            notify::action_items::SHAPES,
            risk::adjustments::SHAPES,
            gate::emergency_cards::SHAPES,
            notify::communications::SHAPES,
            risk::affected::SHAPES,
            risk::checklists::SHAPES,
            schedule::planning::SHAPES,
            directory::vendors::SHAPES,
            change::waves::SHAPES,
            change::versions::SHAPES,
            report::dashboards::SHAPES,
            report::search::SHAPES,
        ])
        .copied()
        .flatten();
    own.chain(policy::configurations::SHAPES)
}

fn shared_parameters() -> Value {
    let text = json!({"type": "string", "maxLength": 255});
    json!({
        "limit": {"name": "limit", "in": "query", "description": "Items of a page. Without `limit` and `after` a list that nobody writes row by row, such as `/calendar`, is whole; others give 50.", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
        "after": {"name": "after", "in": "query", "description": "The `next` of the page before.", "schema": {"type": "string"}},
        "idempotency_key": {"name": "Idempotency-Key", "in": "header", "description": "Makes a repeat harmless; kept for seven days.", "schema": text},
        "if_match": {"name": "If-Match", "in": "header", "required": true, "description": "The ETag that was read.", "schema": text},
        "if_match_of_known": {"name": "If-Match", "in": "header", "description": "The ETag that was read; needed where it is there already.", "schema": text},
        "if_none_match": {"name": "If-None-Match", "in": "header", "description": "`*`: make a new one, and leave one that is there as it is (412).", "schema": text},
    })
}

#[cfg(test)]
mod tests;
