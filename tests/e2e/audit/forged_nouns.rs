//! One row of each further noun that a decision rests on, copied or altered beside a running server by somebody with full rights
//! over the database and without the master key. Each keeps the code of a real row. Used through the product none opens anything,
//! the server names it, and replay finds it.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{
    ENVIRONMENT, SERVICE, approve, artifact, evidence, question, request, scheduled, waiting_for_approval,
};
use tests::outside::Outside;
use tests::{Place, Server};

use crate::approval::attacks::yes;
use crate::audit::forged_rows::{is_open, person};
use crate::audit::planted::doctor;
use crate::audit::tamper::{copy, replay};
use crate::platform::beside::beside;

const FLAGS: &[&str] = &["--outgoing-allow", "127.0.0.1"];

/// A request; whether it goes through. The second argument tells whether it is made by right, once the row is gone, which shows
/// that nothing but the row was in the way, or would be opened by the row alone.
type Use = Box<dyn Fn(&Server, bool) -> bool>;

/// A row of the first tenant as it is to stand in the database.
struct Forged {
    table: &'static str,
    /// The id of the row that is copied or altered.
    real: String,
    /// Its own id; a copy has another one.
    id: String,
    body: Value,
    /// The columns that differ with the body.
    columns: Vec<(&'static str, String)>,
}

/// Makes everything ready for an attack.
type Attack = fn(&Scene<'_>) -> (Forged, Use);

/// Each attack, and whether servers hold its noun in memory and read it again when the directory was written.
const ATTACKS: [(bool, Attack); 12] = [
    (false, evidence_of_another_change),
    (false, peer_review_of_another_change),
    (false, condition_met_by_nobody),
    (false, permit_not_used_yet),
    (false, check_that_was_go),
    (false, build_that_never_ran),
    (true, seat_in_a_group),
    (true, ownership_of_another),
    (false, provider_elsewhere),
    (false, connection_of_another_service),
    (true, template_approved_by_nobody),
    (false, policies_of_another_proposer),
];

impl Forged {
    fn with(mut self, column: &'static str, value: &str) -> Self {
        self.columns.push((column, value.to_owned()));
        self
    }

    fn is_altered(&self) -> bool {
        self.id == self.real
    }

    /// Writes the row; the real one is kept beside it.
    fn write(&self, place: &Place) {
        let (table, id, real) = (self.table, &self.id, &self.real);
        let body = self.body.to_string().replace('\'', "''");
        let columns = self
            .columns
            .iter()
            .map(|(name, value)| format!(", \"{name}\" = '{value}'"));
        let columns: String = columns.collect();
        let gone = match self.is_altered() {
            true => format!("DELETE FROM \"{table}\" WHERE tenant = 'halden' AND id = '{real}'; "),
            false => String::new(),
        };
        let sql = format!(
            "BEGIN; CREATE TABLE kept AS SELECT * FROM \"{table}\" WHERE tenant = 'halden' AND id = '{real}'; \
             CREATE TABLE forged AS SELECT * FROM kept; UPDATE forged SET id = '{id}', body = '{body}'{columns}; \
             {gone}INSERT INTO \"{table}\" SELECT * FROM forged; COMMIT"
        );
        beside(place, &sql);
        let there = format!("SELECT id FROM \"{table}\" WHERE tenant = 'halden' AND id = '{id}' AND body = '{body}'");
        assert_eq!(beside(place, &there).trim(), id, "{table}: it stands there");
    }

    /// Removes the row, and puts the real one back.
    fn remove(&self, place: &Place) {
        let (table, id) = (self.table, &self.id);
        let back = match self.is_altered() {
            true => format!("INSERT INTO \"{table}\" SELECT * FROM kept; "),
            false => String::new(),
        };
        let sql = format!(
            "BEGIN; DELETE FROM \"{table}\" WHERE tenant = 'halden' AND id = '{id}'; \
             {back}DROP TABLE kept; DROP TABLE forged; COMMIT"
        );
        beside(place, &sql);
    }
}

struct Scene<'a> {
    place: &'a Place,
    server: &'a Server,
}

impl Scene<'_> {
    /// The id and the body of a row.
    fn row(&self, table: &str, which: &str) -> (String, Value) {
        let of = |column: &str| {
            let of_it = format!("tenant = 'halden' AND {which} ORDER BY id LIMIT 1");
            let found = beside(self.place, &format!("SELECT {column} FROM \"{table}\" WHERE {of_it}"));
            found.trim().to_owned()
        };
        let body = of("body");
        let body = serde_json::from_str(&body).unwrap_or_else(|why| panic!("{table} {which}: {why}: {body}"));
        (of("id"), body)
    }

    fn altered(&self, table: &'static str, which: &str, edit: impl FnOnce(&mut Value)) -> Forged {
        let (id, before) = self.row(table, which);
        let (real, mut body, columns) = (id.clone(), before.clone(), Vec::new());
        edit(&mut body);
        assert_ne!(body, before, "{table}");
        Forged {
            table,
            real,
            id,
            body,
            columns,
        }
    }

    fn copied(&self, table: &'static str, which: &str, edit: impl FnOnce(&mut Value)) -> Forged {
        let mut forged = self.altered(table, which, edit);
        forged.id = format!("forged-{table}");
        forged.body["id"] = json!(forged.id);
        forged
    }

    fn change_id(&self, path: &str) -> String {
        let key = path.rsplit('/').next().unwrap();
        self.row("change", &format!("key = '{key}'")).0
    }

    /// A change of a risk that waits for its approvals, and its build.
    fn waiting(&self, title: &str, (number, risk): (u64, &str)) -> (String, String) {
        let build = artifact(number);
        let mut body = request(title, &build, self.server.server_time());
        body["complexity"] = json!(risk);
        body["impact"]["availability"] = json!(risk);
        (waiting_for_approval(self.server, &body, &build), build)
    }

    /// A build that went through the gate.
    fn gone_through(&self, title: &str, number: u64) -> (String, String) {
        let build = artifact(number);
        let path = scheduled(self.server, title, &build);
        assert!(is_open(self.server, &build), "{title}");
        (path, build)
    }
}

/// POSTs as a role; the status and the answer.
fn post(server: &Server, role: &str, path: &str, body: &Value) -> (u16, Value) {
    let (status, answer) = server.ask("POST", path, Some(&server.token(role)), Some(body));
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn done(server: &Server, role: &str, path: &str, body: &Value) -> Value {
    server.must("POST", path, &server.token(role), Some(body))
}

fn approve_all(server: &Server, path: &str) {
    for role in ["owner", "security", "change_manager"] {
        approve(server, path, role);
    }
}

/// Any act on the change, which settles it with its rows, or the one that is missing; and then the gate.
fn after_an_act(path: &str, build: &str, missing: impl Fn(&Server) + 'static) -> Use {
    let (comments, build) = (format!("{path}/comments"), build.to_owned());
    Box::new(move |server, by_right| {
        if by_right {
            missing(server);
        } else {
            post(server, "requester", &comments, &json!({"text": "Is it there?"}));
        }
        is_open(server, &build)
    })
}

fn evidence_of_another_change(scene: &Scene<'_>) -> (Forged, Use) {
    let (server, build) = (scene.server, artifact(9_711));
    let wanted = request("Without a test", &build, server.server_time());
    let made = done(server, "requester", "/api/v1/changes", &wanted);
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    let reviewed = json!({"dependencies_reviewed": true});
    done(server, "requester", &format!("{path}/submission"), &json!({}));
    done(server, "requester", &format!("{path}/assessment"), &reviewed);
    approve_all(server, &path);
    let (other, _) = scene.waiting("With a test", (9_712, "low"));
    let (id, other) = (scene.change_id(&path), scene.change_id(&other));
    let forged = scene.copied("evidence", &format!("change_id = '{other}'"), |body| {
        body["change"] = json!(id);
        body["artifact"] = json!(build);
    });
    let forged = forged.with("change_id", &id).with("artifact", &build);
    let (added, passed) = (format!("{path}/evidence"), evidence(&build));
    let add = move |server: &Server| drop(done(server, "requester", &added, &passed));
    (forged, after_an_act(&path, &build, add))
}

/// Reads a change as a peer; the status.
fn read_by(server: &Server, role: &str, path: &str, seen: &Value) -> u16 {
    let words = json!({"verdict": "agree", "text": "Read.", "content_digest": seen["content_digest"]});
    post(server, role, &format!("{path}/peer-reviews"), &words).0
}

fn peer_review_of_another_change(scene: &Scene<'_>) -> (Forged, Use) {
    let server = scene.server;
    let (path, build) = scene.waiting("Read by nobody", (9_713, "high"));
    let (other, _) = scene.waiting("Read by a peer", (9_714, "high"));
    approve_all(server, &path);
    assert_eq!(read_by(server, "commander", &other, &yes(server, &other)), 201);
    let what = server.must("GET", &path, &server.token("auditor"), None)["digests"]["what"].clone();
    let (id, other) = (scene.change_id(&path), scene.change_id(&other));
    let forged = scene.copied("peer_review", &format!("change_id = '{other}'"), |body| {
        body["change"] = json!(id);
        body["what_digest"] = what;
    });
    let (place, seen) = (path.clone(), yes(server, &path));
    let read = move |server: &Server| assert_eq!(read_by(server, "commander", &place, &seen), 201);
    (forged.with("change_id", &id), after_an_act(&path, &build, read))
}

fn condition_met_by_nobody(scene: &Scene<'_>) -> (Forged, Use) {
    let server = scene.server;
    let (path, build) = scene.waiting("Under a condition", (9_715, "low"));
    let mut decision = yes(server, &path);
    decision["decision"] = json!("approve_with_conditions");
    let checker = server.person("security")["login"].clone();
    decision["conditions"] = json!([{"text": "Back the queue up", "due": "start", "checker": checker}]);
    done(server, "owner", &format!("{path}/approvals"), &decision);
    approve(server, &path, "security");
    approve(server, &path, "change_manager");
    let which = format!("change_id = '{}'", scene.change_id(&path));
    let forged = scene.altered("condition", &which, |body| {
        body["met"] = json!({"by": body["checker"], "at": server.server_time().to_string()});
    });
    let met = format!("{path}/conditions/{}/met", forged.id);
    let meet = move |server: &Server| drop(done(server, "security", &met, &json!({})));
    (forged.with("state", "met"), after_an_act(&path, &build, meet))
}

fn permit_not_used_yet(scene: &Scene<'_>) -> (Forged, Use) {
    let (_, build) = scene.gone_through("Used once", 9_716);
    let which = format!("artifact = '{build}'");
    let path = format!("/api/v1/permits/{}/consumption", scene.row("permit", &which).0);
    done(scene.server, "pipeline", &path, &question(&build));
    let forged = scene.altered("permit", &which, |body| {
        for field in ["used_at", "used_by"] {
            body.as_object_mut().unwrap().remove(field);
        }
    });
    let used = move |server: &Server, by_right: bool| {
        let (status, answer) = post(server, "pipeline", &path, &question(&build));
        // The real one was used up already, and that alone was in the way.
        if by_right {
            answer["code"] == "permit_used"
        } else {
            status == 201
        }
    };
    (forged, Box::new(used))
}

fn check_that_was_go(scene: &Scene<'_>) -> (Forged, Use) {
    let (_, build) = scene.waiting("Asked about too early", (9_717, "low"));
    let check = done(scene.server, "pipeline", "/api/v1/gate-checks", &question(&build));
    assert_eq!(check["decision"], "stop", "{check}");
    let id = check["id"].as_str().unwrap();
    let forged = scene.altered("gate_check", &format!("id = '{id}'"), |body| {
        body["decision"] = json!("go");
        body["reasons"] = json!([]);
    });
    let path = format!("/api/v1/gate-checks/{id}");
    let shown = move |server: &Server, by_right: bool| {
        let body = server.get(&path, Some(&server.token("pipeline"))).1;
        let check: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (_, collected) = post(server, "pipeline", &format!("{path}/permit"), &json!({}));
        if by_right {
            check["decision"] == "stop"
        } else {
            check["decision"] == "go" || !collected["permit"].is_null()
        }
    };
    (forged.with("decision", "go"), Box::new(shown))
}

fn build_that_never_ran(scene: &Scene<'_>) -> (Forged, Use) {
    let (path, build) = scene.gone_through("What runs", 9_718);
    let outcome = json!({"outcome": "succeeded"});
    done(scene.server, "pipeline", &format!("{path}/completion"), &outcome);
    let never = artifact(9_719);
    let forged = scene.copied("running", &format!("artifact = '{build}'"), |body| {
        body["artifact"] = json!(never);
    });
    let forged = forged.with("artifact", &never);
    let admits = move |server: &Server, by_right: bool| {
        let build = if by_right { &build } else { &never };
        let path = format!("/api/v1/admission?service={SERVICE}&environment={ENVIRONMENT}&artifact={build}");
        server.get(&path, Some(&server.token("pipeline"))).0 == 200
    };
    (forged, Box::new(admits))
}

fn seat_in_a_group(scene: &Scene<'_>) -> (Forged, Use) {
    let (path, _) = scene.waiting("Read by a stranger", (9_720, "high"));
    let seen = yes(scene.server, &path);
    let stranger = person(scene.place, scene.server, "implementer");
    let forged = scene.altered("people_group", "key = 'security'", |body| {
        body["members"].as_array_mut().unwrap().push(json!(stranger));
    });
    let read = move |server: &Server, by_right: bool| {
        let role = if by_right { "commander" } else { "implementer" };
        read_by(server, role, &path, &seen) == 201
    };
    (forged, Box::new(read))
}

fn ownership_of_another(scene: &Scene<'_>) -> (Forged, Use) {
    let (path, _) = scene.waiting("Owned by another", (9_721, "low"));
    let decision = yes(scene.server, &path);
    let [owner, other] = ["owner", "executive"].map(|role| person(scene.place, scene.server, role));
    let which = format!("role = 'owner' AND person = '{owner}'");
    let forged = scene.copied("ownership", &which, |body| body["person"] = json!(other));
    let decide = move |server: &Server, by_right: bool| {
        let role = if by_right { "owner" } else { "executive" };
        post(server, role, &format!("{path}/approvals"), &decision).0 == 201
    };
    (forged.with("person", &other), Box::new(decide))
}

fn provider_elsewhere(scene: &Scene<'_>) -> (Forged, Use) {
    let elsewhere = Outside::start(|_| (404, json!({})));
    let put = |server: &Server, key: &str, issuer: &str| {
        let body = json!({"name": "The house's directory", "issuer": issuer, "client_id": "assent"});
        let path = format!("/api/v1/identity-providers/{key}");
        server.must("PUT", &path, &server.token("admin"), Some(&body));
    };
    put(scene.server, "house", "https://id.example");
    let forged = scene.altered("identity_provider", "key = 'house'", |body| {
        body["issuer"] = json!(elsewhere.url);
    });
    let calls = move |server: &Server, by_right: bool| {
        let key = if by_right { "elsewhere" } else { "house" };
        if by_right {
            put(server, key, &elsewhere.url);
        }
        server.get(&format!("/t/halden/sign-in/{key}"), None);
        !elsewhere.sent().is_empty()
    };
    (forged, Box::new(calls))
}

fn connection_of_another_service(scene: &Scene<'_>) -> (Forged, Use) {
    let map = json!([{"repository": "printer", "service": "edge-dns", "environments": {"prod": ENVIRONMENT}}]);
    let wanted = json!({"kind": "plain", "name": "Pipelines", "map": map});
    let made = done(scene.server, "admin", "/api/v1/connections", &wanted);
    let path = made["hook_path"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let which = format!("id = '{}'", path.rsplit('/').next().unwrap());
    let forged = scene.altered("connection", &which, |body| body["map"][0]["service"] = json!("wms"));
    let deliver = move |server: &Server, _: bool| {
        let body = json!({
            "id": "run-1", "service": "printer", "environment": "prod", "status": "in_progress", "artifact": artifact(9_722),
            "at": server.server_time().to_string(),
        });
        let headers = [("Authorization", bearer.as_str())];
        server.ask_with("POST", &path, None, Some(&body), &headers).0 == 202
    };
    (forged, Box::new(deliver))
}

fn template_approved_by_nobody(scene: &Scene<'_>) -> (Forged, Use) {
    let locked = json!({"category": "application"});
    let wanted = json!({"key": "hasty", "services": [SERVICE], "locked": locked, "free": ["complexity", "impact"]});
    done(scene.server, "requester", "/api/v1/templates", &wanted);
    let forged = scene.altered("template", "key = 'hasty'", |body| body["state"] = json!("approved"));
    let build = artifact(9_723);
    let mut body = request("As always", &build, scene.server.server_time());
    body["kind"] = json!("standard");
    body["template"] = json!("hasty");
    let goes = move |server: &Server, by_right: bool| {
        for role in ["owner", "change_manager"].into_iter().filter(|_| by_right) {
            done(server, role, "/api/v1/templates/hasty/approvals", &json!({}));
        }
        let (_, made) = post(server, "requester", "/api/v1/changes", &body);
        let key = made["key"].as_str().unwrap_or("none");
        post(
            server,
            "requester",
            &format!("/api/v1/changes/{key}/submission"),
            &json!({}),
        );
        is_open(server, &build)
    };
    (forged.with("state", "approved"), Box::new(goes))
}

/// Whoever proposed policies does not put them in force alone.
fn policies_of_another_proposer(scene: &Scene<'_>) -> (Forged, Use) {
    let wanted = json!({"values": {"canary_from_impact": "high"}, "reason": "Half of them failed"});
    let made = done(scene.server, "admin", "/api/v1/policy-parameters", &wanted);
    let id = made["id"].as_str().unwrap();
    let other = person(scene.place, scene.server, "requester");
    let forged = scene.altered("configuration", &format!("id = '{id}'"), |body| {
        body["proposer"] = json!(other);
    });
    let path = format!("/api/v1/configurations/{id}/activation");
    let activate = move |server: &Server, by_right: bool| {
        let alone = post(server, "admin", &path, &json!({})).0 == 201;
        if by_right {
            !alone && post(server, "change_manager", &path, &json!({})).0 == 201
        } else {
            alone
        }
    };
    (forged, Box::new(activate))
}

/// Makes the server read its directory again, as after an act of another server.
fn have_read_again(place: &Place, is_held: bool) {
    if is_held {
        let sql = "UPDATE counter SET value = value + 1 WHERE tenant = 'halden' AND name = 'directory'";
        beside(place, sql);
    }
}

#[test]
fn forged_rows_of_every_noun_open_nothing_are_named_at_use_and_found_by_replay() {
    let place = Place::demo("forged_nouns");
    let server = Server::start_with(&place, true, FLAGS);
    let scene = Scene {
        place: &place,
        server: &server,
    };
    let cases = ATTACKS.map(|(is_held, begin)| (is_held, begin(&scene)));
    for (is_held, (forged, goes)) in &cases {
        let (table, id) = (forged.table, &forged.id);
        forged.write(&place);
        have_read_again(&place, *is_held);
        assert!(!goes(&server, false), "{table}: the forged row was believed");
        let named = format!("the row `{id}` of `{table}` has no valid code");
        eventually(&format!("the server names the row of {table}"), || {
            server.log().contains(&named)
        });
        // By now the server has read the directory with the row, which the first use may have been ahead of.
        assert!(
            !is_held || !goes(&server, false),
            "{table}: the forged row was believed later"
        );
        forged.remove(&place);
        have_read_again(&place, *is_held);
    }
    server.wait_for_log();
    server.stop();
    assert_eq!(replay(&place).0, Some(0), "nothing was let through");
    let twin = copy(&place, 96);
    for (_, (forged, _)) in &cases {
        forged.write(&twin);
        beside(&twin, "DROP TABLE kept; DROP TABLE forged");
    }
    let (code, said) = replay(&twin);
    let unnamed = cases
        .iter()
        .map(|(_, (forged, _))| forged)
        .filter(|it| !said.contains(&it.id));
    let unnamed: Vec<&str> = unnamed.map(|it| it.table).collect();
    assert!(
        code == Some(1) && unnamed.is_empty(),
        "{code:?} without {unnamed:?}: {said}"
    );
    assert_ne!(doctor(&twin).0, Some(0), "the directory cannot be read");
    let server = Server::start_with(&place, true, FLAGS);
    for (_, (forged, goes)) in &cases {
        assert!(goes(&server, true), "{}: not by right either", forged.table);
    }
}
