//! Every route of the server that takes an id, with every id in it in turn that is another tenant's: the response is that of an
//! id that is nowhere, byte for byte but for the id. And unrequested output, streams, outgoing webhooks, exports and searches,
//! covers its own tenant alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Write;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::Server;
use tests::caller::agent;
use tests::dice::Dice;
use tests::faults::{raw, size};
use tests::outside::Outside;

use crate::directory::tenants::{Credential, MARKS, PLAIN, Range, TENANTS, access_rows, escaped, is_uuid, range};

/// The number of a hundred foreign ids that are tried at a place, besides those of its own kind, unless `ASSENT_TEST_FOREIGN`
/// sets it.
const OTHERS: usize = 2;
/// One in so many pairs of an id of the place's own kind and a way to ask is tried, but one in each way where the kind has any;
/// of other ids each comes up once. With all foreign ids, every pair is tried.
const SHARE: usize = 3;
/// Places without an id: names of the protocol or of the page.
const NO_IDS: &[&str] = &[
    "tenant", "kind", "act", "*act", "*rest", "+rest", "level", "name", "month",
];
/// Routes that never return 404 for any id, each with the reason.
const NEVER_404: &[(&str, &str)] = &[
    (
        "POST /api/v1/outside-calendars/{id}/imports",
        "the calendar in the body is read first, and the probe sends none",
    ),
    ("DELETE /api/v1/second-factors/{id}", OWN_FACTORS),
    ("POST /api/v1/second-factors/{id}/confirmation", OWN_FACTORS),
    ("POST /api/v1/second-factors/passkeys/{id}/confirmation", ANSWER_FIRST),
    ("POST /api/v1/session/passkey/{id}", ANSWER_FIRST),
    ("POST /api/v1/session/step-up/passkey/{id}", ANSWER_FIRST),
    ("POST /api/v1/keys/{purpose}/rotation", FACTOR_FIRST),
    ("POST /api/v1/keys/{kid}/revocation", FACTOR_FIRST),
    ("GET /gateway/http/{service}/{environment}", GATE),
    ("POST /gateway/http/{service}/{environment}", GATE),
    ("GET /gateway/http/{service}/{environment}/{*rest}", GATE),
    ("POST /gateway/http/{service}/{environment}/{*rest}", GATE),
    ("POST /gateway/kubernetes/{environment}", GATE),
    (
        "GET /api/v1/control-reports/{framework}/file",
        "the form of the file is read first, and the probe names none",
    ),
    ("GET /api/v1/groups/{key}", "a group that nobody set is an empty one"),
    ("PUT /api/v1/groups/{key}", MADE),
    ("PUT /api/v1/identity-providers/{key}", MADE),
    ("PUT /api/v1/workloads/{key}", MADE),
    (
        "PUT /api/v1/people/{login}/password",
        "a password that is too short is refused before anybody is looked for",
    ),
    (
        "GET /t/{tenant}/changes/{key}/{*act}",
        "leads to the change's page, which says it",
    ),
    (
        "POST /t/{tenant}/changes/{key}/evidence",
        "a form without its file is refused before it is read",
    ),
];
const OWN_FACTORS: &str = "asks for a session before all else; doors/factors.rs of the server tries others' factors";
const ANSWER_FIRST: &str =
    "the authenticator's answer is read first; doors/passkeys.rs of the server tries others' challenges";
const FACTOR_FIRST: &str = "asks for a fresh factor before all else, which no token has";
const GATE: &str = "the gate says stop, with the same reason for what is nowhere";
const MADE: &str = "what is set by its name is made where it was not";

/// A route, as a line of the table names it.
struct Door {
    method: &'static str,
    path: &'static str,
}

impl Door {
    fn places(&self) -> Vec<&'static str> {
        self.path
            .split('{')
            .skip(1)
            .map(|part| part.split('}').next().unwrap())
            .collect()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn doors() -> Vec<Door> {
    let mut found = Vec::new();
    for line in access_rows().lines().filter(|line| !line.starts_with('#')) {
        let Some((method, path)) = line.split('|').next().and_then(|it| it.trim().split_once(' ')) else {
            continue;
        };
        let methods: &[&str] = if method == "ANY" { &["GET", "POST"] } else { &[] };
        for method in methods.iter().copied().chain((method != "ANY").then_some(method)) {
            let door = Door { method, path };
            if door.places().iter().any(|place| !NO_IDS.contains(place)) {
                found.push(door);
            }
        }
    }
    assert!(found.len() > 150, "only {} doors take an id", found.len());
    // A record that is set by its name exists afterwards, under the foreign id and under the one that is nowhere.
    found.sort_by_key(|door| door.method == "PUT");
    found
}

/// A response, without the parts that differ between any two.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Answer {
    status: u16,
    headers: BTreeSet<String>,
    body: String,
}

/// Calls routes with ids.
struct Prober<'a> {
    range: &'a Range,
    agent: ureq::Agent,
    own_change: String,
    /// The ids that each list names, as the other tenant's people see it.
    lists: RefCell<HashMap<String, Vec<String>>>,
}

impl Prober<'_> {
    fn ask(&self, (method, line): (&str, &str), by: &Credential, (kind, body): (&str, &str), id: &str) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{line}", self.range.url))
            .header("If-Match", "*");
        request = match by {
            Credential::Nothing => request,
            Credential::Bearer(token) => request.header("Authorization", format!("Bearer {token}")),
            Credential::Cookie(cookie) => request.header("Cookie", cookie).header("Origin", &self.range.url),
        };
        let has_body = !matches!(method, "GET" | "DELETE");
        let answer = if has_body {
            self.agent
                .run(request.header("Content-Type", kind).body(body.to_owned()).unwrap())
        } else {
            self.agent.run(request.body(()).unwrap())
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {line}: {error}"));
        let told = String::from_utf8_lossy(&answer.body_mut().read_to_vec().unwrap_or_default()).into_owned();
        let is_asked = id == MARKS[1];
        assert!(
            is_asked || !told.contains(MARKS[1]),
            "{method} {line} by {by:?} tells of the other tenant:\n{told}"
        );
        let headers = answer.headers().iter();
        let of_each = |name: &str| matches!(name, "date" | "x-request-id" | "content-length");
        Answer {
            status: answer.status().as_u16(),
            headers: headers
                .filter(|(name, _)| !of_each(name.as_str()))
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()).replace(id, "ID"))
                .collect(),
            body: told.replace(&escaped(id, false), "ID").replace(id, "ID"),
        }
    }

    /// The value of a place that is not the one in question: an own record.
    fn own(&self, door: &Door, place: &str, number: usize) -> String {
        match place {
            "tenant" => TENANTS[0].to_owned(),
            "kind" => ["Users", "Groups"][number % 2].to_owned(),
            "key" if door.path.contains("/changes/") => self.own_change.clone(),
            "key" | "service" => format!("{}-service", PLAIN[0]),
            "login" => format!("{}-person", PLAIN[0]),
            "environment" => "production".to_owned(),
            "act" | "*act" => act_of(door.path, number).to_owned(),
            "level" => "0".to_owned(),
            _ => "000".to_owned(),
        }
    }

    fn line(&self, door: &Door, at: usize, id: &str, number: usize) -> String {
        let mut line = String::new();
        for (count, part) in door.path.split('{').enumerate() {
            match part.split_once('}').filter(|_| count > 0) {
                Some((_, rest)) if count == at + 1 => {
                    line.push_str(&escaped(id, false));
                    line.push_str(rest);
                }
                Some((place, rest)) => {
                    line.push_str(&escaped(&self.own(door, place, number), true));
                    line.push_str(rest);
                }
                None => line.push_str(part),
            }
        }
        line
    }

    /// The ids of the other tenant of the route's own kind, and some of every other kind; each with whether it is of that kind.
    fn foreign_ids(&self, door: &Door, at: usize) -> Vec<(String, bool)> {
        let theirs = &self.range.known[1];
        let ours: HashSet<&String> = self.range.known[0].names.iter().collect();
        let listed = self.listed(door, at);
        let mut found = listed.clone();
        let (ids, words): (Vec<&String>, Vec<&String>) = theirs.names.iter().partition(|name| is_uuid(name));
        let step = 100_usize.div_ceil(size("ASSENT_TEST_FOREIGN", OTHERS).clamp(1, 100));
        found.extend(ids.into_iter().step_by(step).cloned());
        let plain = words
            .into_iter()
            .filter(|it| it.starts_with(PLAIN[1]) && !ours.contains(it));
        found.extend(plain.cloned());
        // A number or a name may mean something in both tenants; an id, or a name that the test gave, does not.
        let is_theirs = |id: &String| is_uuid(id) || id.starts_with(PLAIN[1]);
        found.retain(|id| is_theirs(id) && !ours.contains(id) && !self.range.known[0].own.contains(id));
        found.sort();
        found.dedup();
        let of_kind = |id: String| {
            let is_of_kind = listed.contains(&id);
            (id, is_of_kind)
        };
        found.into_iter().map(of_kind).collect()
    }

    /// The ids that the list before a place names, as the other tenant's people see it.
    fn listed(&self, door: &Door, at: usize) -> Vec<String> {
        let head = door.path.split('{').take(at + 1).collect::<Vec<_>>().join("{");
        let head = head.trim_end_matches('/');
        if !door.path.starts_with("/api/v1") || head.contains('{') {
            return Vec::new();
        }
        if let Some(found) = self.lists.borrow().get(head) {
            return found.clone();
        }
        let mut found = BTreeSet::new();
        for by in self.range.known[1].credentials.iter().take(7) {
            let Credential::Bearer(token) = by else { continue };
            let request = ureq::http::Request::get(format!("{}{head}", self.range.url));
            let request = request
                .header("Authorization", format!("Bearer {token}"))
                .body(())
                .unwrap();
            let Ok(mut answer) = self.agent.run(request) else {
                continue;
            };
            let told = answer.body_mut().read_to_string().unwrap_or_default();
            let told: Value = serde_json::from_str(&told).unwrap_or_default();
            for item in told["items"].as_array().into_iter().flatten() {
                let names = ["id", "key", "login", "jti"]
                    .into_iter()
                    .filter_map(|name| item[name].as_str());
                found.extend(names.map(str::to_owned));
            }
        }
        let found: Vec<String> = found.into_iter().take(3).collect();
        self.lists.borrow_mut().insert(head.to_owned(), found.clone());
        found
    }

    /// The bodies that are sent: none, and invented ones from the API's description.
    fn bodies(&self, door: &Door) -> Vec<(&'static str, String)> {
        if matches!(door.method, "GET" | "DELETE") {
            return vec![("application/json", String::new())];
        }
        if !door.path.starts_with("/api/v1") && !door.path.contains("/scim/") {
            return vec![("application/x-www-form-urlencoded", String::new())];
        }
        let mut found = vec![("application/json", "{}".to_owned())];
        let is_it = |(method, path, _): &&(String, String, Value)| method == door.method && path == door.path;
        if let Some((_, _, told)) = self.range.routes.iter().find(is_it) {
            let schema = &told["requestBody"]["content"]["application/json"]["schema"];
            let mut dice = Dice::new(door.path.len() as u64);
            if !schema.is_null() {
                found.push(("application/json", self.range.body(&mut dice, schema, 0, 0).to_string()));
            }
        }
        if door.path.contains("/scim/") {
            found.push(("application/scim+json", scim_body(door.method)));
        }
        found
    }
}

fn scim_body(method: &str) -> String {
    if method == "PATCH" {
        return json!({"Operations": [{"op": "replace", "path": "displayName", "value": "Other"}]}).to_string();
    }
    json!({"userName": "nobody@else.example", "displayName": "Other"}).to_string()
}

/// An act that a route of the pages knows behind an id.
fn act_of(path: &str, number: usize) -> &'static str {
    let words: &[&str] = match path {
        it if it.contains("/changes/") => &["submission", "approvals", "hold", "comments"],
        it if it.contains("/people/") => &["deactivation", "roles"],
        it if it.contains("/templates/") => &["approval", "suspension"],
        it if it.contains("/policies/") => &["confirmation"],
        it if it.contains("/connections/") => &["secret", "map"],
        _ => &["secret", "test"],
    };
    words[number % words.len()]
}

/// An id of the same form that nobody has.
fn nowhere(like: &str) -> String {
    if is_uuid(like) {
        return "019f0000-0000-7000-8000-00000000dead".to_owned();
    }
    let number = like
        .rsplit_once('-')
        .filter(|(_, tail)| tail.bytes().all(|it| it.is_ascii_digit()));
    match number {
        Some((head, _)) => format!("{head}-99999"),
        None => format!("nowhere-{}", "x".repeat(like.len().saturating_sub(8))),
    }
}

/// The findings for a route.
#[derive(Default)]
struct Tally {
    asked: usize,
    /// The ways to ask, over all places: credentials, bodies and acts.
    ways: usize,
    statuses: BTreeMap<String, BTreeSet<u16>>,
    told_apart: Vec<String>,
}

fn probe(prober: &Prober<'_>, door: &Door, by: &[Credential], tally: &mut Tally) {
    for (at, place) in door.places().into_iter().enumerate() {
        if NO_IDS.contains(&place) {
            continue;
        }
        let ids = prober.foreign_ids(door, at);
        let bodies = prober.bodies(door);
        let rounds = if door.path.contains("{kind}") || door.path.contains("act}") {
            2
        } else {
            1
        };
        let ways = by.iter().flat_map(|by| {
            let bodies = bodies.iter();
            bodies.flat_map(move |body| (0..rounds).map(move |number| (by, body, number)))
        });
        let ways: Vec<_> = ways.collect();
        tally.ways += ways.len();
        let (own, others): (Vec<_>, Vec<_>) = ids.iter().partition(|(_, is_of_kind)| *is_of_kind);
        let is_whole = size("ASSENT_TEST_FOREIGN", OTHERS) > OTHERS;
        let (share, other_share) = if is_whole {
            (1, 1)
        } else {
            // An id of the kind, where there is one, and two others at least come up in each way.
            (SHARE.min(own.len()).max(1), ways.len().min(others.len() / 2).max(1))
        };
        for (way, &(credential, body, number)) in ways.iter().enumerate() {
            let mut absent: BTreeMap<String, Answer> = BTreeMap::new();
            let ask = |id: &str| {
                let line = prober.line(door, at, id, number);
                prober.ask((door.method, &line), credential, (body.0, &body.1), id)
            };
            let own = own.iter().enumerate().filter(|(at, _)| (at + way) % share == 0);
            let others = others.iter().enumerate();
            let others = others.filter(|(at, _)| (at + way) % other_share == 0);
            // A body that happens to name the id would name it in the response to the other as well.
            for (_, (id, _)) in own.chain(others).filter(|(_, (id, _))| !body.1.contains(id.as_str())) {
                let other = nowhere(id);
                let of_absent = absent.entry(other.clone()).or_insert_with(|| ask(&other));
                let of_foreign = ask(id);
                tally.asked += 1;
                tally.statuses.entry(door.name()).or_default().insert(of_foreign.status);
                // A record that is set by its name is made where it was not: two names make two things.
                let is_made = (200..300).contains(&of_absent.status) && of_foreign.status == of_absent.status;
                // A page may have been drawn anew meanwhile, with another person's news: then both are requested once more.
                if !is_made && of_foreign != *of_absent && ask(id) != ask(&other) {
                    tally.told_apart.push(format!(
                        "{} at `{place}`: {id} is told from {other} by {credential:?}:\n  {of_foreign:?}\n  {of_absent:?}",
                        door.name()
                    ));
                }
            }
        }
    }
}

#[test]
fn a_foreign_id_at_any_place_of_any_door_is_answered_as_one_that_is_nowhere() {
    let (_place, server, range) = range("foreign_ids", &[]);
    let own = server.must("GET", "/api/v1/changes?q=qzxhaldenmark", &server.token("auditor"), None);
    let prober = Prober {
        range: &range,
        agent: agent(),
        own_change: own["items"][0]["key"].as_str().unwrap().to_owned(),
        lists: RefCell::default(),
    };
    let known = &range.known[0].credentials;
    let bearers: Vec<Credential> = [3, 5, 6].map(|place| known[place].clone()).into();
    let cookies: Vec<Credential> = known
        .iter()
        .filter(|it| matches!(it, Credential::Cookie(_)))
        .cloned()
        .collect();
    assert!(cookies.len() > 2);
    let mut tally = Tally::default();
    let doors = doors();
    let count = doors.iter().map(Door::name).collect::<BTreeSet<_>>().len();
    for door in doors {
        let is_page = door.path.starts_with("/t/{tenant}/") && !door.path.contains("/scim/");
        probe(&prober, &door, if is_page { &cookies } else { &bearers }, &mut tally);
    }
    assert!(tally.told_apart.is_empty(), "{}", tally.told_apart.join("\n"));
    let never: Vec<&String> = tally
        .statuses
        .iter()
        .filter(|(_, seen)| !seen.contains(&404))
        .map(|(name, _)| name)
        .collect();
    println!(
        "{} questions at {} doors; never 404: {never:#?}",
        tally.asked,
        tally.statuses.len()
    );
    let reasons: BTreeSet<&str> = NEVER_404.iter().map(|(name, _)| *name).collect();
    let unexplained: Vec<_> = never
        .iter()
        .filter(|name| !reasons.contains(name.as_str()))
        .map(|name| (name, &tally.statuses[name.as_str()]))
        .collect();
    assert!(
        unexplained.is_empty(),
        "no reason is given why these never say 404: {unexplained:#?}"
    );
    // At each place, in each way, two foreign ids at least.
    assert!(
        tally.asked >= 2 * tally.ways && tally.ways >= bearers.len() * tally.statuses.len(),
        "only {} were asked in {} ways",
        tally.asked,
        tally.ways
    );
    assert_eq!(tally.statuses.len(), count, "each door was tried");
}

#[test]
fn another_tenants_address_is_answered_as_that_of_one_that_is_nowhere() {
    let (_place, _server, range) = range("foreign_tenant", &[]);
    let prober = Prober {
        range: &range,
        agent: agent(),
        own_change: String::new(),
        lists: RefCell::default(),
    };
    let (mut asked, mut open) = (0, BTreeSet::new());
    for line in access_rows()
        .lines()
        .filter(|line| line.starts_with("GET /t/{tenant}/"))
    {
        let (door, rule) = line.split_once('|').unwrap();
        let path = door.trim().trim_start_matches("GET ");
        // The key of a route that is open to everybody shows nobody's secret: it serves each tenant's own.
        let is_open = rule.trim().starts_with("open") || rule.trim().starts_with("session");
        if path.matches('{').count() > 1 || path.ends_with("/live") {
            continue;
        }
        for credential in &range.known[0].credentials {
            let ask = |tenant: &str| {
                let line = path.replace("{tenant}", tenant);
                prober.ask(("GET", &line), credential, ("application/json", ""), tenant)
            };
            let (foreign, absent) = (ask(TENANTS[1]), ask("nowhere1"));
            asked += 1;
            if is_open {
                open.insert(path);
                continue;
            }
            assert_eq!(foreign, absent, "{path} by {credential:?}");
        }
    }
    println!("{asked} questions; open to everybody: {open:?}");
    assert!(asked > 300, "only {asked}");
}

/// How long something may take to come over a stream, on a crowded machine too.
const LONGEST: SignedDuration = SignedDuration::from_secs(120);

/// Reads a stream until the id that `act` returns has come, and then until it has been silent for a while.
fn read_stream(server: &Server, (path, more): (&str, &str), by: &Credential, act: impl FnOnce() -> String) -> String {
    let address = server.url.trim_start_matches("http://");
    let mut stream = raw::connect(&server.url);
    let credential = match by {
        Credential::Bearer(token) => format!("authorization: Bearer {token}"),
        Credential::Cookie(cookie) => format!("cookie: {cookie}"),
        Credential::Nothing => String::new(),
    };
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\n{credential}\r\n{more}accept: text/event-stream\r\n\r\n"
    )
    .unwrap();
    let mut told = String::new();
    let mut buffer = [0; 16_384];
    // The head comes first, so that all later events are seen.
    let count = raw::read(&mut stream, &mut buffer).unwrap();
    told.push_str(&String::from_utf8_lossy(&buffer[..count]));
    let wanted = act();
    let (mut has_come, began) = (false, assent::clock::now());
    while assent::clock::now().duration_since(began) < LONGEST {
        if !has_come && told.contains(&wanted) {
            has_come = true;
            stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        }
        match raw::read(&mut stream, &mut buffer) {
            Ok(count @ 1..) if told.len() <= 4 << 20 => told.push_str(&String::from_utf8_lossy(&buffer[..count])),
            _ => break,
        }
    }
    told
}

/// Both tenants do an act that streams and webhooks report; returns the keys of the new changes.
fn both_act(server: &Server, range: &Range, round: usize) -> [String; 2] {
    [0, 1].map(|tenant| {
        let Credential::Bearer(many) = &range.known[tenant].credentials[5] else {
            panic!("the sixth is a token");
        };
        let body = json!({"title": format!("{} round {round}", MARKS[tenant]), "services": [format!("{}-service", PLAIN[tenant])],
            "environment": "production"});
        let made = server.must("POST", "/api/v1/changes", many, Some(&body));
        let path = format!("/api/v1/changes/{}/comments", made["key"].as_str().unwrap());
        server.must("POST", &path, many, Some(&json!({"text": MARKS[tenant]})));
        made["id"].as_str().unwrap().to_owned()
    })
}

/// The parts of a text that belong to the second tenant.
fn foreign_in(range: &Range, text: &str, new: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let marks = [MARKS[1], new].into_iter().map(str::to_owned);
    let ids = range.known[1].own.iter().cloned();
    marks.chain(ids).find(|it| lower.contains(it.as_str()))
}

#[test]
fn streams_webhooks_exports_and_searches_tell_of_their_own_tenant_alone() {
    let (_place, server, range) = range("foreign_streams", &["--outgoing-allow", "127.0.0.1"]);
    let receiver = Outside::start(|_| (204, Value::Null));
    for (tenant, known) in range.known.iter().enumerate() {
        let Credential::Bearer(admin) = &known.credentials[6] else {
            panic!("the seventh is a token");
        };
        let body =
            json!({"name": "all", "url": format!("{}/{tenant}", receiver.url), "kinds": ["change.*", "comment.*"]});
        server.must("POST", "/api/v1/webhooks", admin, Some(&body));
    }
    let known = &range.known[0].credentials;
    let cookie = known.iter().find(|it| matches!(it, Credential::Cookie(_))).unwrap();
    for (round, (path, by)) in [
        (("/api/v1/stream", ""), &known[5]),
        (("/api/v1/stream", "last-event-id: 0\r\n"), &known[5]),
        (("/t/halden/live", ""), cookie),
    ]
    .into_iter()
    .enumerate()
    {
        let mut made = [String::new(), String::new()];
        let told = read_stream(&server, path, by, || {
            made = both_act(&server, &range, round);
            // Pages learn that something moved, not what.
            if path.0.ends_with("live") {
                String::new()
            } else {
                made[0].clone()
            }
        });
        let path = path.0;
        assert!(told.starts_with("HTTP/1.1 200"), "{path}: {told}");
        assert_eq!(foreign_in(&range, &told, &made[1]), None, "{path}: {told}");
        // Pages learn that something moved, not what; the stream of the API names it.
        assert!(
            path.ends_with("live") || told.contains(&made[0]),
            "{path} is not live: {told}"
        );
    }
    let made = both_act(&server, &range, 9);
    for (tenant, id) in made.iter().enumerate() {
        let is_it = |sent: &tests::outside::Sent| {
            sent.path == format!("/{tenant}") && String::from_utf8_lossy(&sent.body).contains(id.as_str())
        };
        receiver.wait_for("each tenant's own", is_it);
    }
    let mut seen = [0, 0];
    for sent in receiver.sent() {
        let text = format!("{:?} {}", sent.headers, String::from_utf8_lossy(&sent.body));
        let tenant = usize::from(sent.path == "/1");
        seen[tenant] += 1;
        assert!(!text.contains(&made[1 - tenant]), "{text}");
        assert!(!text.contains(TENANTS[1 - tenant]), "{text}");
        if tenant == 0 {
            assert_eq!(foreign_in(&range, &text, &made[1]), None, "{text}");
        }
    }
    assert!(seen.iter().all(|count| *count > 3), "{seen:?}");
    exports_and_searches(&server, &range, (cookie, &known[5]), &made);
}

fn exports_and_searches(
    server: &Server,
    range: &Range,
    (cookie, many): (&Credential, &Credential),
    made: &[String; 2],
) {
    let prober = Prober {
        range,
        agent: agent(),
        own_change: String::new(),
        lists: RefCell::default(),
    };
    let marked = [MARKS[0], MARKS[1]];
    for (path, by) in [
        ("/api/v1/changes?limit=200&q=", many),
        ("/t/halden/changes?q=", cookie),
        ("/t/halden/changes.csv?q=", cookie),
    ] {
        let counts = marked.map(|mark| {
            // The search text is in the page's own field, so the check looks for the things that it would find.
            let answer = prober.ask(("GET", &format!("{path}{mark}")), by, ("", ""), mark);
            assert_eq!(answer.status, 200, "{path}{mark}");
            assert!(!answer.body.contains(&made[1]), "{path}{mark}");
            answer.body.matches("CHG-").count()
        });
        assert!(counts[0] > 0, "{path} finds what is there");
        let nothing = prober.ask(("GET", &format!("{path}qzxnobodymark")), by, ("", ""), "qzxnobodymark");
        assert_eq!(
            counts[1],
            nothing.body.matches("CHG-").count(),
            "{path} finds the other tenant's"
        );
    }
    let own = server.must(
        "GET",
        &format!("/api/v1/changes/{}", made[0]),
        &server.token("auditor"),
        None,
    );
    let bundle = format!("/api/v1/changes/{}/bundle", own["key"].as_str().unwrap());
    server.wait_for_log();
    let (status, bytes) = server.get(&bundle, Some(&server.token("auditor")));
    assert_eq!(status, 200);
    let text = unpacked(&bytes);
    assert!(text.contains(MARKS[0]), "a bundle tells of its change");
    assert_eq!(foreign_in(range, &text, &made[1]), None);
}

/// Everything in a ZIP, as one text.
fn unpacked(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n\
        sys.stdout.buffer.write(b''.join(z.read(n) for n in z.namelist()))";
    let done = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(file.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
