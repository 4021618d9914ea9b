//! Rows that somebody writes or alters beside a running server, with full rights over the database and without the
//! master key: none of them opens anything, also if it is removed again before anybody looks.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{self, approve, artifact, gate_path, question};
use tests::session::Session;
use tests::{Place, Server, on_postgres};

use crate::audit::planted::doctor;
use crate::audit::tamper::{replay, run_sql};
use crate::platform::beside::beside;

/// The id of a person of the demo.
pub(crate) fn person(place: &Place, server: &Server, role: &str) -> String {
    let login = server.person(role)["login"].as_str().unwrap().to_owned();
    let sql = format!("SELECT id FROM person WHERE tenant = 'halden' AND login = '{login}'");
    beside(place, &sql).trim().to_owned()
}

/// Whether the gate lets an artifact through, by the plain question or with a permit.
pub(crate) fn is_open(server: &Server, digest: &str) -> bool {
    let pipeline = server.token("pipeline");
    let plain = server.get(&gate_path(digest), Some(&pipeline)).0;
    let (status, body) = server.ask("POST", "/api/v1/gate-checks", Some(&pipeline), Some(&question(digest)));
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    plain == 200 || (status == 201 && (body["decision"] == "go" || !body["permit"].is_null()))
}

/// Writes copies of a row of one person as rows of another.
fn copy_for(place: &Place, table: &str, (from, to): (&str, &str), columns: &[&str]) {
    let same = columns.join(", ");
    run_sql(
        place,
        &format!(
            "INSERT INTO {table} (tenant, id, {same}, person, body, sealed) \
             SELECT tenant, 'forged-{to}', {same}, '{to}', replace(replace(body, '{from}', '{to}'), id, 'forged-{to}'), \
             replace(replace(sealed, '{from}', '{to}'), id, 'forged-{to}') \
             FROM {table} WHERE tenant = 'halden' AND person = '{from}' AND change_id = \
             (SELECT id FROM change WHERE tenant = 'halden' AND title = 'Approved by one')"
        ),
    );
}

#[test]
fn forged_approvals_open_no_gate_and_their_removal_leaves_the_change_as_it_was() {
    let place = Place::demo("forged_approvals");
    let server = Server::start(&place, true);
    let digest = artifact(9_701);
    let wanted = journey::request("Approved by one", &digest, server.server_time());
    let path = journey::waiting_for_approval(&server, &wanted, &digest);
    approve(&server, &path, "owner");
    let [owner, security, manager] = ["owner", "security", "change_manager"].map(|role| person(&place, &server, role));
    let columns = ["change_id", "version", "state", "at"];
    copy_for(&place, "approval", (&owner, &security), &columns);
    copy_for(&place, "approval", (&owner, &manager), &columns);
    let forged = "SELECT CAST(count(*) AS TEXT) FROM approval WHERE tenant = 'halden' AND id LIKE 'forged-%'";
    assert_eq!(beside(&place, forged).trim(), "2", "both stand there");
    // Any act on the change would settle it with the forged decisions.
    let requester = server.token("requester");
    let comment = format!("{path}/comments");
    server.ask(
        "POST",
        &comment,
        Some(&requester),
        Some(&json!({"text": "Is it there?"})),
    );
    assert!(!is_open(&server, &digest), "forged approvals opened the gate");
    run_sql(
        &place,
        "DELETE FROM approval WHERE tenant = 'halden' AND id LIKE 'forged-%'",
    );
    assert!(!is_open(&server, &digest));
    let shown = server.must("GET", &path, &requester, None);
    assert_eq!(shown["state"], "authorizing");
    server.wait_for_log();
    server.stop();
    assert_eq!(replay(&place).0, Some(0), "nothing happened");
}

#[test]
fn an_altered_gate_row_is_not_go() {
    let place = Place::demo("forged_gate_row");
    let server = Server::start(&place, true);
    let digest = artifact(9_702);
    let wanted = journey::request("Gate row", &digest, server.server_time());
    journey::waiting_for_approval(&server, &wanted, &digest);
    let body = beside(
        &place,
        &format!("SELECT body FROM gate_view WHERE tenant = 'halden' AND artifact = '{digest}' AND purpose = 'deploy'"),
    );
    let mut view: Value = serde_json::from_str(body.trim()).unwrap();
    let before = view.clone();
    view["unmet"] = json!([]);
    view["state"] = json!("scheduled");
    assert_ne!(view, before);
    let altered = view.to_string().replace('\'', "''");
    let place_of_it = format!("tenant = 'halden' AND artifact = '{digest}' AND purpose = 'deploy'");
    run_sql(
        &place,
        &format!("UPDATE gate_view SET body = '{altered}' WHERE {place_of_it}"),
    );
    assert!(!is_open(&server, &digest), "an altered row of the gate was believed");
}

#[test]
fn swapped_credentials_sign_nobody_in_as_another() {
    let place = Place::demo("forged_credentials");
    let server = Server::start(&place, true);
    let [requester, security] = ["requester", "security"].map(|role| person(&place, &server, role));
    let sign_in = |role: &str, password: &Value| {
        let who = server.person(role);
        let words = json!({"tenant": who["tenant"], "login": who["login"], "password": password});
        server.ask("POST", "/api/v1/session", None, Some(&words)).0
    };
    let known = server.person("requester")["password"].clone();
    run_sql(
        &place,
        &format!(
            "UPDATE password SET phc = (SELECT phc FROM password WHERE tenant = 'halden' AND person = '{requester}') \
             WHERE tenant = 'halden' AND person = '{security}'"
        ),
    );
    assert!(sign_in("security", &known) >= 400, "a swapped password signed in");
    assert!(sign_in("requester", &known) < 300, "an unaltered one still does");
    let digest = proof::crypto::digest_text(b"assent_a_token_of_ones_own");
    run_sql(
        &place,
        &format!("UPDATE token SET digest = '{digest}' WHERE tenant = 'halden' AND person = '{security}'"),
    );
    let status = server.get("/api/v1/me", Some("assent_a_token_of_ones_own")).0;
    assert!(status >= 400, "a swapped token signed in: {status}");
}

#[test]
fn a_role_that_was_written_into_the_database_gives_no_right() {
    let place = Place::demo("forged_role");
    let server = Server::start(&place, true);
    let requester = person(&place, &server, "requester");
    server.stop();
    run_sql(
        &place,
        &format!(
            "UPDATE person SET body = replace(body, '\"roles\":[', '\"roles\":[\"admin\",') \
             WHERE tenant = 'halden' AND id = '{requester}'"
        ),
    );
    let server = Server::spawn(&place, true, &[]);
    // The server may also refuse to begin over such a directory; either way nothing is given.
    eventually("the server is ready or says why not", || {
        server.get("/readyz", None).0 == 200 || server.log().contains("past Assent")
    });
    let body = json!({"name": "Mine", "scopes": ["read", "write"]});
    let (status, _) = server.ask("POST", "/api/v1/tokens", Some(&server.token("requester")), Some(&body));
    assert!(!(200..300).contains(&status), "a forged role made a token: {status}");
    server.stop();
    let (code, said) = replay(&place);
    assert!(code == Some(1) && said.contains("person"), "{code:?} {said}");
}

/// The tables that have a tenant.
const OF_SQLITE: &str = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'tenant' \
                         WHERE m.type = 'table' ORDER BY m.name";
const OF_POSTGRES: &str = "SELECT table_name FROM information_schema.columns \
                           WHERE column_name = 'tenant' AND table_schema = 'public' ORDER BY table_name";

#[test]
fn a_tenant_whose_rows_are_gone_is_missed() {
    let place = Place::demo("lost_tenant");
    let server = Server::start(&place, true);
    server.wait_for_log();
    assert_eq!(server.get("/readyz", None).0, 200);
    let tables = if on_postgres() { OF_POSTGRES } else { OF_SQLITE };
    for table in beside(&place, tables).lines() {
        let count = format!("SELECT CAST(count(*) AS TEXT) FROM \"{table}\" WHERE tenant = 'cartwell'");
        if beside(&place, &count).trim() != "0" {
            run_sql(&place, &format!("DELETE FROM \"{table}\" WHERE tenant = 'cartwell'"));
        }
    }
    let (status, said) = server.get("/readyz", None);
    assert!(
        status == 503 && String::from_utf8_lossy(&said).contains("cartwell"),
        "{status}"
    );
    server.stop();
    let (code, said) = replay(&place);
    assert!(
        code == Some(1) && said.contains("tenant_info cartwell"),
        "{code:?} {said}"
    );
    // Also where the data folder forgot: the system's log names the tenant.
    std::fs::remove_file(place.folder.path().join("seen-logs.json")).unwrap();
    let (code, said) = replay(&place);
    assert!(
        code == Some(1) && said.contains("tenant_info cartwell"),
        "{code:?} {said}"
    );
    let (code, said) = doctor(&place);
    assert!(
        code != Some(0) && said.contains("cartwell: its log was seen"),
        "{code:?} {said}"
    );
    let server = Server::spawn(&place, false, &[]);
    eventually("a server without a memory of its own says so", || {
        let (status, said) = server.get("/readyz", None);
        status == 503 && String::from_utf8_lossy(&said).contains("cartwell")
    });
    server.stop();
}

#[test]
fn sign_ins_are_in_the_log_with_what_they_rested_on() {
    let place = Place::demo("signed_in");
    let server = Server::start(&place, true);
    let who = server.person("requester");
    let words = json!({"tenant": who["tenant"], "login": who["login"], "password": who["password"]});
    for _ in 0..3 {
        let status = server.ask("POST", "/api/v1/session", None, Some(&words)).0;
        assert!((200..300).contains(&status), "{status}");
    }
    server.wait_for_log();
    let listed = server.must(
        "GET",
        "/api/v1/events?kind=person.signed_in&limit=50",
        &server.token("auditor"),
        None,
    );
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "the same within a minute is counted: {listed}");
    let data = &items[0]["data"];
    assert_eq!(
        (&data["method"], &data["factor"], &data["times"]),
        (&json!("password"), &json!("password"), &json!(1))
    );
    assert!(
        data["grounds"]["password"].as_str().unwrap().starts_with("sha256:"),
        "{data}"
    );
    assert!(
        data["grounds"]["records"][0].as_str().unwrap().starts_with("person/"),
        "{data}"
    );
    server.stop();
    assert_eq!(replay(&place).0, Some(0));
}

#[test]
fn a_session_that_was_put_back_after_its_end_and_used_is_named() {
    let place = Place::demo("session_put_back");
    let server = Server::start(&place, true);
    let digest = artifact(9_704);
    let wanted = journey::request("By a session that was over", &digest, server.server_time());
    let path = journey::waiting_for_approval(&server, &wanted, &digest);
    let change = server.must("GET", &path, &server.token("requester"), None);
    let owner = person(&place, &server, "owner");
    let own = Session::begin(&server, "owner");
    let of_owner = format!("tenant = 'halden' AND person = '{owner}'");
    run_sql(
        &place,
        &format!("CREATE TABLE former_session AS SELECT * FROM \"session\" WHERE {of_owner}"),
    );
    assert_eq!(own.api("DELETE", "/session", &json!({})).0, 200);
    server.wait_for_log();
    let approvals = format!("{}/approvals", path.strip_prefix("/api/v1").unwrap());
    let yes = json!({"decision": "approve", "content_digest": change["content_digest"]});
    assert_eq!(own.api("POST", &approvals, &yes).0, 401, "it is over");
    run_sql(
        &place,
        "INSERT INTO \"session\" SELECT * FROM former_session; DROP TABLE former_session",
    );
    let (status, said) = own.api("POST", &approvals, &yes);
    assert_eq!(status, 201, "its code is good: {said}");
    run_sql(&place, &format!("DELETE FROM \"session\" WHERE {of_owner}"));
    server.wait_for_log();
    server.stop();
    let (code, said) = replay(&place);
    let is_named = said.contains("lacks its reasons") && said.contains("session had been ended");
    assert!(code == Some(1) && is_named, "{code:?} {said}");
}

/// The tables that decide whether something is frozen.
const OF_FREEZES: [&str; 2] = ["freeze", "gate_view"];

/// Keeps the rows of the tables aside under a name.
fn keep(place: &Place, name: &str) {
    for table in OF_FREEZES {
        let sql = format!("CREATE TABLE {name}_{table} AS SELECT * FROM \"{table}\" WHERE tenant = 'halden'");
        run_sql(place, &sql);
    }
}

/// Puts rows that were kept in the place of those that are there.
fn put_back(place: &Place, name: &str) {
    for table in OF_FREEZES {
        let sql = format!(
            "DELETE FROM \"{table}\" WHERE tenant = 'halden'; INSERT INTO \"{table}\" SELECT * FROM {name}_{table}; \
             DROP TABLE {name}_{table}"
        );
        run_sql(place, &sql);
    }
}

/// Sets a freeze over everything from now on, which halts the work under way.
fn freeze(server: &Server) {
    let now = server.server_time();
    let freeze = json!({
        "title": "Stop", "reason": "A leak", "starts_at": now.to_string(), "halt": true,
        "ends_at": (now + jiff::SignedDuration::from_hours(5)).to_string(),
    });
    server.must(
        "POST",
        "/api/v1/freezes",
        &server.token("change_manager"),
        Some(&freeze),
    );
}

/// The rows of a former state have good codes. Used and put back they leave only the log as evidence.
#[test]
fn a_former_state_that_is_used_and_put_back_closes_the_gate_for_the_change() {
    let place = Place::demo("freeze_put_back");
    let server = Server::start(&place, true);
    let digest = artifact(9_703);
    // Work under way goes on as it is, but for the freeze: the record of its change does not move.
    let path = journey::scheduled(&server, "Under a freeze that was away", &digest);
    let start = format!("{path}/implementation");
    server.must("POST", &start, &server.token("implementer"), Some(&json!({})));
    let plain = |server: &Server| server.get(&gate_path(&digest), Some(&server.token("pipeline"))).0;
    assert_eq!(plain(&server), 200);
    server.wait_for_log();
    server.stop();
    keep(&place, "former");
    let server = Server::start(&place, true);
    freeze(&server);
    assert_ne!(plain(&server), 200, "it is frozen");
    server.wait_for_log();
    server.stop();
    keep(&place, "later");
    put_back(&place, "former");
    let server = Server::start(&place, true);
    let pipeline = server.token("pipeline");
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(&digest)));
    assert_eq!(check["decision"], "go", "the freeze held all the same: {check}");
    put_back(&place, "later");
    eventually("the server names it by itself", || {
        String::from_utf8_lossy(&server.get("/readyz", None).1).contains("were let through for")
    });
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(&digest)));
    let said = (&check["decision"], &check["permit"]);
    assert_eq!(said, (&json!("stop"), &Value::Null), "{check}");
    server.wait_for_log();
    server.stop();
    let (code, said) = replay(&place);
    let is_named = said.contains("lacks its reasons") && said.contains("did not see `freeze/");
    assert!(code == Some(1) && is_named, "{code:?} {said}");
}
