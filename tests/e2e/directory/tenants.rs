//! Tenants stay apart: a generator that knows the ids of two tenants calls every route with every kind of credential, and no
//! byte of the other tenant is in any response. `ASSENT_TEST_FUZZ` sets the number of requests, on each engine.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use serde_json::{Map, Value, json};
use tests::caller::agent;
use tests::dice::Dice;
use tests::faults::size;
use tests::session::Session;
use tests::template::Template;
use tests::{Place, Server};

use crate::platform::crash::must_verify;
use crate::platform::filling::Filler;

/// The number of parallel clients.
const HANDS: usize = 4;
/// Marks in every text of the first tenant, and in none of the second.
pub(crate) const MARKS: [&str; 2] = ["qzxhaldenmark", "qzxferrymark"];
/// How its keys and logins begin. The generator sends these, so they have no mark: values that it stores in the wrong tenant
/// itself are no leak.
pub(crate) const PLAIN: [&str; 2] = ["north", "south"];
pub(crate) const TENANTS: [&str; 2] = ["halden", "cartwell"];

/// The routes of the server, one a line. Pages with their forms, feeds and the directory's protocol are no part of the API's
/// document; they are called besides.
const RULES: &str = include_str!("../../../crates/server/src/access/rules.txt");

/// Every route there is, as the server's own tests compare them with its router: those of the table, and those whose row has
/// its own access.
pub fn access_rows() -> &'static str {
    static DOORS: OnceLock<String> = OnceLock::new();
    DOORS.get_or_init(|| {
        let rows = wire::openapi::rules().map(|(door, asks)| format!("{door} | {asks}\n"));
        RULES.to_owned() + &rows.collect::<String>()
    })
}

/// Those routes that would end a credential of the test or slow everybody down, that call outside, take a search through all
/// policies, or never end.
const DOORS_LEFT_OUT: &[&str] = &[
    "/sign-in/{",
    "/step-up",
    "/sign-out",
    "/passkey",
    "/account/",
    "/live",
    "/token",
    "/policies/trial",
    "/policies/proposal",
];

/// The fields of forms and of the directory's protocol; each is sent in a part of the bodies.
const FIELDS: &[&str] = &[
    "title",
    "key",
    "id",
    "name",
    "login",
    "service",
    "services",
    "environment",
    "person",
    "group",
    "change",
    "to",
    "role",
    "kind",
    "text",
    "reason",
    "decision",
    "content_digest",
    "digest",
    "query",
    "state",
    "delegate",
    "starts_at",
    "ends_at",
];

/// Routes that would end a credential of the test, wait for a minute, or never end.
const LEFT_OUT: &[&str] = &[
    "DELETE /api/v1/session",
    "POST /api/v1/session",
    "POST /api/v1/session/step-up",
    "GET /api/v1/stream",
    "GET /api/v1/gate-checks/{id}/stream",
    // It makes a log public by choice, so that strangers read it: witnessed.rs walks the public parts.
    "POST /api/v1/log/publication",
    // Nor is a status page opened here: communications.rs reads the public parts of one.
    "POST /api/v1/status/publication",
];

/// The acts in the pages' addresses.
const ACTS: &[&str] = &[
    "approvals",
    "comments",
    "evidence",
    "submission",
    "cancellation",
    "hold",
    "links",
    "tasks",
    "watchers",
    "end",
    "edit",
    "deactivation",
    "suspension",
    "retirement",
    "secret",
    "replays",
    "activation",
    "sessions/end",
    "password",
];

/// The credential of a request.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    Nothing,
    Bearer(String),
    Cookie(String),
}

/// How many kinds of credentials there are, each of which every route meets.
const KINDS: usize = 4;
/// A token that nobody made.
const GUESSED: &str = "ast_guessed";

impl Credential {
    /// Its kind: none, a guess, a token, a session.
    fn kind(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Bearer(token) if token == GUESSED => 1,
            Self::Bearer(_) => 2,
            Self::Cookie(_) => 3,
        }
    }
}

/// The known facts of a tenant.
#[derive(Clone, Default)]
pub(crate) struct TenantFacts {
    /// Ids, keys and logins that lead somewhere in it.
    pub(crate) names: Vec<String>,
    /// Those of them that no other tenant can have by chance.
    pub(crate) own: HashSet<String>,
    pub(crate) credentials: Vec<Credential>,
}

/// Fills a tenant with its mark in every text; returns the credentials that this made.
fn seed(server: &Server, tenant: usize, admin: &str) -> TenantFacts {
    let mark = MARKS[tenant];
    let mut filler = Filler {
        server,
        mark,
        plain: PLAIN[tenant],
        admin: admin.to_owned(),
        many: String::new(),
        service: format!("{}-service", PLAIN[tenant]),
        artifact: tests::journey::artifact(8_100 + tenant as u64),
    };
    filler.hire();
    filler.change();
    filler.rest();
    let scopes = [&["read"][..], &["gate"], &["audit"], &["scim"], &["admin"]];
    let mut credentials: Vec<Credential> = scopes.iter().map(|it| Credential::Bearer(filler.token(it))).collect();
    credentials.push(Credential::Bearer(filler.many.clone()));
    credentials.push(Credential::Bearer(filler.admin));
    TenantFacts {
        credentials,
        ..TenantFacts::default()
    }
}

/// All routes of the API's document: method, path, and the shape of the body.
fn routes(server: &Server) -> (Vec<(String, String, Value)>, Value) {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, told) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            if !LEFT_OUT.contains(&format!("{method} {path}").as_str()) {
                found.push((method, path.clone(), told.clone()));
            }
        }
    }
    assert!(found.len() > 150, "only {} routes are documented", found.len());
    let documented: HashSet<String> = found
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let doors = access_rows().lines().filter_map(|line| line.split_once(" | "));
    let doors = doors.filter_map(|(door, _)| door.split_once(' '));
    for (method, path) in doors.flat_map(each_method) {
        let is_left_out = (path == "/t/{tenant}/sign-in" && method == "POST")
            || DOORS_LEFT_OUT.iter().any(|part| path.contains(part));
        if path.starts_with("/t/") && !is_left_out && !documented.contains(&format!("{method} {path}")) {
            let kind = if path.contains("/scim/") { "scim" } else { "form" };
            found.push((method.to_owned(), path.to_owned(), json!({"body": kind})));
        }
    }
    let beside = found.len() - documented.len();
    assert!(
        beside > 110,
        "only {beside} doors of pages, feeds and the directory are asked"
    );
    (found, document["components"]["schemas"].clone())
}

/// The methods of a route: one for every method is called by two.
fn each_method((method, path): (&'static str, &'static str)) -> Vec<(&'static str, &'static str)> {
    match method {
        "ANY" => vec![("GET", path), ("POST", path)],
        method => vec![(method, path)],
    }
}

/// How many of a tenant's credentials, from the last on, may do all that their people may.
const UNNARROWED: usize = 2;

/// Learns the ids of a tenant from every list that its people may read; tokens of less scope are asked where the others may not.
fn learn(server: &Server, routes: &[(String, String, Value)], known: &mut TenantFacts) {
    let (mut names, mut read) = (BTreeSet::new(), HashSet::new());
    for (place, credential) in known.credentials.iter().rev().enumerate() {
        let Credential::Bearer(token) = credential else {
            continue;
        };
        for (_, path, _) in routes
            .iter()
            .filter(|(method, path, _)| method == "GET" && !path.contains('{'))
        {
            if place >= UNNARROWED && read.contains(path) {
                continue;
            }
            let (status, bytes) = server.get(path, Some(token));
            if status == 200 {
                read.insert(path);
            }
            if let Ok(value) = serde_json::from_slice::<Value>(&bytes)
                && path != "/api/openapi.json"
            {
                gather(&value, &mut names);
            }
        }
    }
    // Every second id is never sent by the generator: where it appears all the same, it came from the server.
    let ids: Vec<String> = names.iter().filter(|name| is_uuid(name)).cloned().collect();
    known.own = ids.into_iter().step_by(2).collect();
    known.names = names.into_iter().filter(|name| !known.own.contains(name)).collect();
    assert!(known.own.len() > 10, "only {} ids were learnt", known.own.len());
}

fn gather(value: &Value, names: &mut BTreeSet<String>) {
    const NAMING: &[&str] = &[
        "id",
        "key",
        "login",
        "change",
        "service",
        "environment",
        "person",
        "requester",
        "owner",
        "jti",
        "digest",
        "artifact",
        "template",
        "connection",
        "act",
        "team",
    ];
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, names)),
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text)
                        if NAMING.contains(&name.as_str())
                            && !text.contains(char::is_whitespace)
                            && !text.contains("qzx") =>
                    {
                        names.insert(text.clone());
                    }
                    inner => gather(inner, names),
                }
            }
        }
        _ => {}
    }
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Everything in a text that looks like an id.
pub(crate) fn uuids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !(it.is_ascii_hexdigit() || it == '-'))
        .filter(|part| is_uuid(part))
}

/// The generator's data.
pub(crate) struct Range {
    pub(crate) routes: Vec<(String, String, Value)>,
    pub(crate) schemas: Value,
    pub(crate) known: [TenantFacts; 2],
    pub(crate) url: String,
    /// How many requests found their connection broken.
    broken: AtomicUsize,
}

/// One request and its response.
struct Shot {
    tenant: usize,
    line: String,
    status: u16,
    answer: String,
}

impl Range {
    /// A name of a tenant, mostly of the other than the requesting one.
    fn name<'a>(&'a self, dice: &mut Dice, asking: usize, foreign: bool) -> &'a str {
        let whose = if foreign || dice.roll(4) > 0 {
            1 - asking
        } else {
            asking
        };
        dice.pick::<String>(&self.known[whose].names)
    }

    fn place(&self, dice: &mut Dice, name: &str, asking: usize, foreign: bool) -> String {
        match name {
            "tenant" if dice.roll(4) > 0 => TENANTS[1 - asking].to_owned(),
            "tenant" => TENANTS[asking].to_owned(),
            "level" => dice.roll(2).to_string(),
            "rest" | "+rest" => (*dice.pick(&["000", "001", "entries/000", "000.p/1"])).to_owned(),
            "kind" => (*dice.pick(&["Users", "Groups"])).to_owned(),
            "act" | "*act" => (*dice.pick(ACTS)).to_owned(),
            "*rest" => format!("changes/{}/nowhere", self.name(dice, asking, foreign)),
            _ => self.name(dice, asking, foreign).to_owned(),
        }
    }

    /// Who asks. Pages are for people who signed in, so mostly a session calls those: a token is sent to the route alone.
    fn credential(&self, dice: &mut Dice, asking: usize, is_page: bool) -> Credential {
        let all = &self.known[asking].credentials;
        let signed_in: Vec<&Credential> = all.iter().filter(|it| matches!(it, Credential::Cookie(_))).collect();
        match is_page && dice.roll(3) > 0 {
            true => (*dice.pick(&signed_in)).clone(),
            false => dice.pick(all).clone(),
        }
    }

    /// A form's request, its kind and its text.
    fn form(&self, dice: &mut Dice, asking: usize) -> (&'static str, String) {
        let fields = FIELDS.iter().filter(|_| dice.roll(3) == 0).copied().collect::<Vec<_>>();
        let pairs = fields
            .iter()
            .map(|field| format!("{field}={}", escaped(self.name(dice, asking, true), false)));
        ("application/x-www-form-urlencoded", pairs.collect::<Vec<_>>().join("&"))
    }

    /// A directory's request: a person, a group with members, or a change of one, all by the other tenant's names.
    fn scim(&self, dice: &mut Dice, asking: usize) -> (&'static str, String) {
        let name = self.name(dice, asking, true).to_owned();
        let member = json!([{"value": self.name(dice, asking, true)}]);
        let core = |kind: &str| format!("urn:ietf:params:scim:schemas:core:2.0:{kind}");
        let message = |kind: &str| format!("urn:ietf:params:scim:api:messages:2.0:{kind}");
        let body = match dice.roll(4) {
            0 => json!({"schemas": [core("User")], "userName": name, "externalId": name, "displayName": name}),
            1 => json!({"schemas": [core("Group")], "displayName": name, "members": member}),
            2 => {
                json!({"schemas": [message("PatchOp")], "Operations": [{"op": "add", "path": "members", "value": member}]})
            }
            _ => json!({"schemas": [message("SearchRequest")], "filter": format!("userName eq \"{name}\"")}),
        };
        ("application/scim+json", body.to_string())
    }

    pub(crate) fn body(&self, dice: &mut Dice, schema: &Value, asking: usize, depth: u32) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return self.body(dice, &self.schemas[name], asking, depth);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut all = Map::new();
            for part in parts {
                if let Value::Object(map) = self.body(dice, part, asking, depth) {
                    all.extend(map);
                }
            }
            return Value::Object(all);
        }
        if let Some(words) = schema["enum"].as_array() {
            return dice.pick(words).clone();
        }
        match schema["type"].as_str() {
            Some("integer") => json!(dice.roll(100)),
            Some("boolean") => json!(dice.roll(2) == 0),
            Some("array") if depth < 3 => json!([self.body(dice, &schema["items"], asking, depth + 1)]),
            Some("object") if depth < 3 => {
                let mut map = Map::new();
                for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                    if dice.roll(3) > 0 {
                        map.insert(name.clone(), self.body(dice, inner, asking, depth + 1));
                    }
                }
                Value::Object(map)
            }
            Some("array" | "object") | None => Value::Null,
            _ if schema["format"] == "date-time" => json!("2031-01-01T00:00:00Z"),
            _ => json!(self.name(dice, asking, false)),
        }
    }

    /// The number of requests to call each route in each tenant with each kind of credential.
    fn round(&self) -> usize {
        self.routes.len() * KINDS * TENANTS.len()
    }

    /// The request of this number: in the first round each route with each kind of credential, then any.
    fn shoot(&self, agent: &ureq::Agent, dice: &mut Dice, number: usize) -> Option<Shot> {
        if number < self.round() {
            let (tenant, kind) = (number % TENANTS.len(), number / TENANTS.len() % KINDS);
            let route = &self.routes[number / TENANTS.len() / KINDS];
            let all = self.known[tenant].credentials.iter();
            let of_kind: Vec<&Credential> = all.filter(|it| it.kind() == kind).collect();
            let credential = *dice.pick(&of_kind);
            return Some(self.ask(agent, dice, (tenant, route, credential)));
        }
        let tenant = dice.roll(TENANTS.len());
        let route = dice.pick(&self.routes);
        let (method, path, told) = route;
        let credential = self.credential(dice, tenant, told["body"] == "form");
        // Routes that make new things with every request are called less often, so that the tenants do not grow without end.
        let makes = method != "GET" && !path.replace("{tenant}", "").contains('{');
        if makes && dice.roll(10) > 0 {
            return None;
        }
        Some(self.ask(agent, dice, (tenant, route, &credential)))
    }

    /// Makes a request of a route up and sends it.
    fn ask(
        &self,
        agent: &ureq::Agent,
        dice: &mut Dice,
        (tenant, (method, path, told), credential): (usize, &(String, String, Value), &Credential),
    ) -> Shot {
        let mut line = String::new();
        for (place, part) in path.split('{').enumerate() {
            match part.split_once('}').filter(|_| place > 0) {
                Some((name, rest)) => {
                    // A changing route is called for the other tenant's things alone: of its own it may.
                    line.push_str(&escaped(
                        &self.place(dice, name, tenant, method != "GET"),
                        name.ends_with("rest") || name == "*act",
                    ));
                    line.push_str(rest);
                }
                None => line.push_str(part),
            }
        }
        let mut pairs = Vec::new();
        for parameter in told["parameters"].as_array().into_iter().flatten() {
            // Those of paging are elsewhere in the document, under names of their own.
            let Some(name) = parameter["name"].as_str() else {
                continue;
            };
            let is_asked =
                parameter["in"] == "query" && name != "wait" && (parameter["required"] == true || dice.roll(3) == 0);
            if is_asked {
                let value = self.body(dice, &parameter["schema"], tenant, 0);
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                pairs.push(format!("{name}={}", escaped(&value, false)));
            }
        }
        if !pairs.is_empty() {
            line = format!("{line}?{}", pairs.join("&"));
        }
        let schema = &told["requestBody"]["content"]["application/json"]["schema"];
        let (kind, body) = match told["body"].as_str().filter(|_| method != "GET") {
            Some("scim") => self.scim(dice, tenant),
            Some(_) => self.form(dice, tenant),
            None if schema.is_null() => ("application/json", String::new()),
            None => ("application/json", self.body(dice, schema, tenant, 0).to_string()),
        };
        let (status, answer) = self.send(agent, method, &line, credential, (kind, &body));
        Shot {
            tenant,
            line: format!("{method} {line} {body} by {credential:?}"),
            status,
            answer,
        }
    }

    /// Sends a request, and once more over a connection of its own where the kept one broke: a server may end a connection
    /// whose request it refused before the body came, and the next request learns of it too late.
    fn send(
        &self,
        agent: &ureq::Agent,
        method: &str,
        line: &str,
        credential: &Credential,
        body: (&str, &str),
    ) -> (u16, String) {
        let again = |_| {
            self.broken.fetch_add(1, Ordering::Relaxed);
            self.try_send(&tests::caller::agent(), method, line, credential, body)
        };
        let answer = self.try_send(agent, method, line, credential, body).or_else(again);
        answer.unwrap_or_else(|error| (0, error.to_string()))
    }

    fn try_send(
        &self,
        agent: &ureq::Agent,
        method: &str,
        line: &str,
        credential: &Credential,
        (kind, body): (&str, &str),
    ) -> Result<(u16, String), ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{line}", self.url));
        request = match credential {
            Credential::Nothing => request,
            Credential::Bearer(token) => request.header("Authorization", format!("Bearer {token}")),
            Credential::Cookie(cookie) => request.header("Cookie", cookie).header("Origin", &self.url),
        };
        request = request.header("If-Match", "*");
        let answer = if body.is_empty() {
            agent.run(request.body(()).unwrap())
        } else {
            agent.run(request.header("Content-Type", kind).body(body.to_owned()).unwrap())
        };
        let mut answer = answer?;
        let mut text = format!("{:?}\n", answer.headers());
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&bytes));
        Ok((answer.status().as_u16(), text))
    }

    /// The other tenant's data in a response that was not in the request.
    fn leaked(&self, shot: &Shot) -> Option<String> {
        let other = 1 - shot.tenant;
        if shot.answer.to_lowercase().contains(MARKS[other]) && !shot.line.to_lowercase().contains(MARKS[other]) {
            return Some(MARKS[other].to_owned());
        }
        let asked: HashSet<&str> = uuids(&shot.line).collect();
        uuids(&shot.answer)
            .find(|id| self.known[other].own.contains(*id) && !asked.contains(id))
            .map(str::to_owned)
    }
}

pub(crate) fn escaped(text: &str, slashes: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' => char::from(byte).to_string(),
            b'/' if slashes => "/".to_owned(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The credentials and names of a tenant, which is filled for it.
fn known(server: &Server, routes: &[(String, String, Value)], tenant: usize) -> TenantFacts {
    let admin = server.token(["admin", "other_admin"][tenant]);
    let mut known = seed(server, tenant, &admin);
    learn(server, routes, &mut known);
    let roles: &[&str] = match tenant {
        0 => &["requester", "owner", "change_manager", "auditor", "admin"],
        _ => &["other_requester", "other_admin"],
    };
    for role in roles {
        known
            .credentials
            .push(Credential::Cookie(Session::begin(server, role).cookie));
        known.credentials.push(Credential::Bearer(server.token(role)));
    }
    known.credentials.push(Credential::Nothing);
    known.credentials.push(Credential::Bearer(GUESSED.to_owned()));
    known
}

/// The tenants as they were filled, and the document of the routes.
struct Filled {
    template: Template,
    routes: Vec<(String, String, Value)>,
    schemas: Value,
    known: [TenantFacts; 2],
}

fn fill() -> Filled {
    let place = Place::demo("filled");
    let server = Server::start(&place, true);
    let (routes, schemas) = routes(&server);
    let mut known = [0, 1].map(|tenant| known(&server, &routes, tenant));
    let shared: HashSet<String> = known[0].own.intersection(&known[1].own).cloned().collect();
    for known in &mut known {
        known.own.retain(|id| !shared.contains(id));
    }
    assert!(server.stop().success());
    Filled {
        template: Template::of(&place, "filled"),
        routes,
        schemas,
        known,
    }
}

/// A server of a test's own over both tenants, which are filled once for all tests, and what is known of them.
pub(crate) fn range(name: &str, flags: &[&str]) -> (Place, Server, Range) {
    static FILLED: OnceLock<Filled> = OnceLock::new();
    let filled = FILLED.get_or_init(fill);
    let place = filled.template.place(name);
    let server = Server::start_with(&place, true, flags);
    let range = Range {
        routes: filled.routes.clone(),
        schemas: filled.schemas.clone(),
        known: filled.known.clone(),
        url: server.url.clone(),
        broken: AtomicUsize::new(0),
    };
    (place, server, range)
}

#[test]
fn no_byte_of_another_tenant_stands_in_any_answer() {
    let (_place, server, range) = range("tenants", &[]);
    // Never less than each route with each kind of credential.
    let wanted = size("ASSENT_TEST_FUZZ", 20_000).max(range.round());
    let made = AtomicUsize::new(0);
    let statuses: Mutex<BTreeMap<u16, usize>> = Mutex::default();
    let own_seen = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for hand in 0..HANDS {
            let (range, made, statuses, own_seen) = (&range, &made, &statuses, &own_seen);
            scope.spawn(move || {
                let (agent, mut dice) = (agent(), Dice::new(hand as u64 + 1));
                loop {
                    let number = made.fetch_add(1, Ordering::Relaxed);
                    if number >= wanted {
                        break;
                    }
                    let shot = std::iter::repeat_with(|| range.shoot(&agent, &mut dice, number));
                    let shot = shot.flatten().next().unwrap();
                    *statuses.lock().unwrap().entry(shot.status).or_default() += 1;
                    assert!(
                        shot.status != 0 && shot.status != 500,
                        "{}: {}\n{}",
                        shot.line,
                        shot.status,
                        shot.answer
                    );
                    if let Some(leak) = range.leaked(&shot) {
                        panic!(
                            "{leak} of another tenant in the answer to {}:\n{}",
                            shot.line, shot.answer
                        );
                    }
                    if shot.answer.contains(MARKS[shot.tenant]) {
                        own_seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let statuses = statuses.into_inner().unwrap();
    println!(
        "{wanted} requests, {} of them told of their own tenant, over {} routes, {} connections broke: {statuses:?}",
        own_seen.load(Ordering::Relaxed),
        range.routes.len(),
        range.broken.load(Ordering::Relaxed)
    );
    assert!(
        range.broken.load(Ordering::Relaxed) * 100 < wanted,
        "more than one request in a hundred found its connection broken"
    );
    for status in [200, 201, 303, 401, 403, 404, 422] {
        assert!(statuses.contains_key(&status), "never {status}: {statuses:?}");
    }
    assert!(
        own_seen.load(Ordering::Relaxed) * 80 > wanted,
        "the marks are hardly ever seen at all"
    );
    must_verify(&server);
}
