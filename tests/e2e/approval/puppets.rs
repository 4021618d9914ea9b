//! One stolen account of an administrator makes people, ownership and tokens, and gets no permit for a change of keys that is
//! not declared as one.

use serde_json::{Value, json};
use tests::journey::{artifact, evidence, request};
use tests::{Place, Server};

use crate::approval::attacks::{ask, below, yes};
use crate::platform::crash::must_verify;

/// A person whom the stolen account makes, with a token of theirs.
fn make(server: &Server, login: &str, roles: &[&str]) -> String {
    let admin = server.token("admin");
    let person = json!({"login": login, "name": login, "roles": roles});
    let (status, answer) = ask(server, &admin, "POST", "/people", &person);
    assert_eq!(status, 201, "{answer}");
    first_token(server, login)
}

/// The same by a list that is imported.
fn import(server: &Server, login: &str, roles: &str) -> String {
    let list = json!({"kind": "people", "text": format!("login,name,roles\n{login},{login},{roles}\n")});
    server.must("POST", "/api/v1/imports", &server.token("admin"), Some(&list));
    first_token(server, login)
}

fn first_token(server: &Server, login: &str) -> String {
    let admin = server.token("admin");
    let token = json!({"name": "first", "person": login});
    let (status, answer) = ask(server, &admin, "POST", "/tokens", &token);
    assert_eq!(status, 201, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

fn token_for(server: &Server, login: &str) -> String {
    let token = json!({"name": "lent", "person": login});
    let (status, answer) = ask(server, &server.token("admin"), "POST", "/tokens", &token);
    assert_eq!(status, 201, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

/// A change of the vault by a person, without a declaration of keys; its path.
fn change_by(server: &Server, token: &str, digest: &str) -> String {
    let mut body = request("A new label", digest, server.server_time());
    body["targets"] = json!([{"service": "vault", "environment": "production", "artifact": digest}]);
    let made = server.must("POST", "/api/v1/changes", token, Some(&body));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    server.must("POST", &format!("{path}/submission"), token, Some(&json!({})));
    let assessment = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/assessment"), token, Some(&assessment));
    server.must("POST", &format!("{path}/evidence"), token, Some(&evidence(digest)));
    path
}

fn says_yes(server: &Server, token: &str, path: &str) -> (u16, Value) {
    ask(
        server,
        token,
        "POST",
        &format!("{}/approvals", below(path)),
        &yes(server, path),
    )
}

fn gate(server: &Server, digest: &str) -> u16 {
    let question = format!("/api/v1/gate?service=vault&environment=production&artifact={digest}");
    server.get(&question, Some(&server.token("pipeline"))).0
}

#[test]
fn one_stolen_administrator_with_people_of_their_own_gets_no_permit_for_keys() {
    let place = Place::demo("attack_puppets");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    let vault = json!({"key": "vault", "name": "Vault", "criticality": "low", "holds": ["crypto_keys"]});
    server.must("POST", "/api/v1/services", &admin, Some(&vault));
    let writer = make(&server, "puppet-writer", &["requester"]);
    let yes_men: Vec<String> = [
        ("puppet-owner", "owner"),
        ("puppet-security", "security"),
        ("puppet-manager", "change_manager"),
    ]
    .iter()
    .map(|(login, role)| make(&server, login, &[role]))
    .collect();
    let row = json!({"service": "vault", "role": "owner", "person": "puppet-owner"});
    server.must("POST", "/api/v1/ownerships", &admin, Some(&row));
    let digest = artifact(9_100);
    let path = change_by(&server, &writer, &digest);
    for token in &yes_men {
        assert_eq!(says_yes(&server, token, &path).0, 403);
    }
    assert_eq!(gate(&server, &digest), 403);
    // Imported, people and ownership have the same maker.
    let writer = import(&server, "second-writer", "requester");
    let yes_men = [
        ("second-owner", "owner"),
        ("second-security", "security"),
        ("second-manager", "change_manager"),
    ]
    .map(|(login, role)| import(&server, login, role));
    let rows = json!({"kind": "ownerships", "text": "service,role,person\nvault,owner,second-owner\n"});
    server.must("POST", "/api/v1/imports", &admin, Some(&rows));
    let digest = artifact(9_102);
    let path = change_by(&server, &writer, &digest);
    for token in &yes_men {
        assert_eq!(says_yes(&server, token, &path).0, 403);
    }
    assert_eq!(gate(&server, &digest), 403);
    // Tokens for the real people count as the same person, the author of the change.
    let digest = artifact(9_101);
    let path = change_by(&server, &token_for(&server, "ingrid"), &digest);
    for login in ["hanne", "priya", "marta"] {
        let (status, answer) = says_yes(&server, &token_for(&server, login), &path);
        assert_eq!(status, 403, "{login}: {answer}");
    }
    assert_eq!(gate(&server, &digest), 403);
    must_verify(&server);
}
