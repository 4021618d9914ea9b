//! Tokens: scopes, ends, people who may no longer act. Routes that need no credential.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::core::services::Way;
use acts::identity::set_token;
use acts::report::find_records;
use serde_json::json;

use crate::world::{TENANT, World, eventually};

#[test]
fn without_a_good_credential_nothing_opens() {
    let world = World::new();
    for value in ["", "Bearer", "Bearer ast_unknown", "Basic YTpi", "Bearer x y"] {
        let answer = world
            .ask("GET", "/api/v1/changes")
            .header("authorization", value)
            .send();
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    world
        .ask("GET", "/api/v1/changes")
        .send()
        .problem(401, "unauthenticated");
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/openapi.json",
        "/t/acme/.well-known/jwks.json",
        "/t/acme/log/key",
    ] {
        assert_eq!(world.ask("GET", path).send().status, 200, "{path}");
    }
}

#[test]
fn figures_and_reasons_are_for_direct_connections_and_for_the_token() {
    let world = World::with(|settings| settings.metrics_token = Some("a-token-for-the-figures".to_owned()));
    let proxied = |path: &str| world.ask("GET", path).header("x-forwarded-for", "127.0.0.1");
    let with_token = |path: &str| proxied(path).header("authorization", "Bearer a-token-for-the-figures");
    assert!(world.ask("GET", "/readyz").send().expect(200)["reasons"].is_array());
    assert_eq!(proxied("/readyz").send().expect(200), json!({"is_ready": true}));
    assert!(with_token("/readyz").send().expect(200)["reasons"].is_array());
    assert_eq!(world.ask("GET", "/metrics").send().status, 200);
    proxied("/metrics").send().problem(401, "unauthenticated");
    assert_eq!(with_token("/metrics").send().status, 200);
    assert_eq!(proxied("/healthz").send().status, 200);

    let closed = World::with(|settings| settings.metrics_from = vec!["10.0.0.0/8".to_owned()]);
    closed.ask("GET", "/metrics").send().problem(401, "unauthenticated");
    assert_eq!(
        closed.ask("GET", "/readyz").send().expect(200),
        json!({"is_ready": true})
    );
}

#[test]
fn scopes_are_held_to() {
    let world = World::new();
    let key = world.draft();
    let ask = |token: &str, method: &str, path: &str| {
        world
            .ask(method, &format!("/api/v1{path}"))
            .header("authorization", &format!("Bearer {token}"))
            .json(&json!({}))
            .send()
    };
    let reader = world.token("rita", &["read"]);
    assert_eq!(ask(&reader, "GET", "/changes").status, 200);
    ask(&reader, "POST", "/changes").problem(403, "scope_missing");
    ask(&reader, "POST", &format!("/changes/{key}/submission")).problem(403, "scope_missing");
    ask(&reader, "POST", "/changes/CHG-1/submission").problem(404, "not_found");
    ask(&reader, "GET", "/gate?service=a&environment=b&commit=1234567").problem(403, "scope_missing");
    let gate = world.token("pipe", &["gate"]);
    ask(&gate, "GET", "/changes").problem(403, "scope_missing");
    assert_eq!(
        ask(&gate, "GET", "/gate?service=a&environment=b&commit=1234567").header("assent-decision"),
        "stop"
    );
}

/// A credential that may not read does not learn by its refusals which changes there are.
#[test]
fn a_token_that_may_not_read_hears_the_same_of_every_change() {
    let world = World::new();
    let key = world.draft();
    let doors = [
        ("GET", "/changes/{key}"),
        ("PATCH", "/changes/{key}"),
        ("POST", "/changes/{key}/submission"),
        ("GET", "/changes/{key}/approvals"),
        ("POST", "/changes/{key}/comments"),
        ("GET", "/changes/{key}/bundle"),
        ("GET", "/changes/{key}/evidence/e1/file"),
        ("POST", "/changes/{key}/evidence"),
    ];
    for token in [world.token("pipe", &["gate"]), world.token("adam", &["scim"])] {
        let ask = |method: &str, door: &str, key: &str| {
            let path = format!("/api/v1{}", door.replace("{key}", key));
            let asked = world
                .ask(method, &path)
                .header("authorization", &format!("Bearer {token}"));
            let told = asked.json(&json!({})).send().problem(403, "scope_missing");
            told["detail"].clone()
        };
        for (method, door) in doors {
            assert_eq!(ask(method, door, &key), ask(method, door, "CHG-1"), "{method} {door}");
        }
    }
}

#[test]
fn revoked_tokens_and_deactivated_people_are_out_at_once() {
    let world = World::new();
    let token = world.token("rita", &["read"]);
    let ask = || {
        world
            .ask("GET", "/api/v1/me")
            .header("authorization", &format!("Bearer {token}"))
            .send()
    };
    assert_eq!(ask().expect(200)["login"], "rita");
    let tokens = world.get("adam", "/tokens?limit=200").expect(200);
    let own = tokens["items"].as_array().unwrap().last().unwrap().clone();
    assert!(own.get("digest").is_none());
    world
        .as_person("adam", "DELETE", &format!("/tokens/{}", own["id"].as_str().unwrap()))
        .send()
        .expect(200);
    ask().problem(401, "unauthenticated");
    let tag = world.get("adam", "/people/vera").header("etag").to_owned();
    assert_eq!(world.get("vera", "/changes").status, 200);
    let off = world
        .as_person("adam", "PATCH", "/people/vera")
        .header("if-match", &tag)
        .json(&json!({"active": false}));
    off.send().expect(200);
    world.get("vera", "/changes").problem(401, "unauthenticated");
}

/// The server caches the person of a token; that cache is checked against the transaction in which the act is done, so it does
/// not matter by which route, or by which server, a token was revoked.
#[test]
fn a_remembered_token_is_out_as_soon_as_its_revocation_is_committed() {
    let world = World::new();
    let token = world.token("pipe", &["gate"]);
    let bearer = format!("Bearer {token}");
    let gate = || {
        let path = "/api/v1/gate?service=booking-api&environment=production&commit=abcdef1";
        world.ask("GET", path).header("authorization", &bearer).send()
    };
    let check = || {
        let question = json!({"service": "booking-api", "environment": "production", "commit": "abcdef1"});
        let ask = world
            .ask("POST", "/api/v1/gate-checks")
            .header("authorization", &bearer);
        ask.json(&question).send()
    };
    for _ in 0..2 {
        gate().expect(403);
        check().expect(201);
    }
    let id = world.act(|cx| {
        let tokens = find_records::find_tokens(cx)?;
        Ok(tokens.last().map(|token| token.id.0.clone()).unwrap_or_default())
    });
    world.act(move |cx| set_token::revoke_token(cx, &id));
    gate().problem(401, "unauthenticated");
    check().problem(401, "unauthenticated");
}

/// Somebody with write access to the database puts the row of a revoked token back, and uses it before the server has read of its
/// end, so that the server remembers its bearer.
#[test]
fn a_remembered_token_that_was_put_back_is_out_once_its_end_is_read() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token("rita", &["read"]));
    let ask = || world.ask("GET", "/api/v1/me").header("authorization", &bearer).send();
    let id = world.act(|cx| {
        let tokens = find_records::find_tokens(cx)?;
        Ok(tokens.last().map(|token| token.id.0.clone()).unwrap_or_default())
    });
    let whose = id.clone();
    let row = world.act(move |cx| {
        let sql = "SELECT body, sealed, code FROM token WHERE tenant = $tenant AND id = $id";
        Ok(cx.tx.query_one(sql, &[("id", whose.as_str().into())])?.unwrap())
    });
    assert_eq!(ask().expect(200)["login"], "rita");
    let whose = id.clone();
    world.act(move |cx| set_token::revoke_token(cx, &whose));
    let whose = id.clone();
    world.act(move |cx| {
        let sql = "UPDATE token SET version = 1, revoked = FALSE, body = $body, sealed = $sealed, code = $code
             WHERE tenant = $tenant AND id = $id";
        let kept = [
            ("id", whose.as_str().into()),
            ("body", row.get("body")?.clone()),
            ("sealed", row.get("sealed")?.clone()),
            ("code", row.get("code")?.clone()),
        ];
        Ok(cx.tx.execute(sql, &kept)?)
    });
    // It may be good for some seconds, which is what makes the server remember it.
    assert!([200, 401].contains(&ask().status));
    let is_over = || {
        world
            .server
            .state()
            .executor()
            .services()
            .ended()
            .is_over(TENANT, Way::Token(&id))
    };
    eventually("the server has read it", is_over);
    ask().problem(401, "unauthenticated");
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let world = World::new();
    let answer = world.ask("GET", "/healthz").header("x-request-id", "abc-1").send();
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-request-id"), "abc-1");
    let other = world.ask("GET", "/healthz").header("x-request-id", "a b").send();
    assert_eq!(other.header("x-request-id").len(), 36);
}

/// A response has the media type that the document names.
#[test]
fn every_answer_has_its_documented_media_type() {
    let world = World::new();
    let (mut looked_at, mut other) = (0, Vec::new());
    for route in wire::openapi::routes()
        .iter()
        .filter(|route| route.method == "GET" && !route.path.contains("stream"))
    {
        let path = route.path.replace("{tenant}", "acme").replace(['{', '}', '+'], "x");
        let bearer = format!("Bearer {}", world.tokens["adam"]);
        let answer = world.ask("GET", &path).header("authorization", &bearer).send();
        let kind = answer.header("content-type").split(';').next().unwrap_or_default();
        if answer.status == 200 {
            looked_at += 1;
            if kind != route.answer.media_type() {
                other.push(format!("{} comes as {kind}", route.path));
            }
        }
    }
    assert!(looked_at > 30, "{looked_at} were answered");
    assert!(other.is_empty(), "{other:#?}");
}

/// Every documented route is served: an unknown path returns `There is nothing here`, another method 405.
#[test]
fn every_documented_route_is_served() {
    let world = World::new();
    let mut absent = Vec::new();
    for route in wire::openapi::routes()
        .iter()
        .filter(|route| !route.path.contains("stream"))
    {
        let path = route
            .path
            .replace("{tenant}", "acme")
            .replace("{+rest}", "000")
            .replace("{level}", "0")
            .replace(['{', '}'], "x");
        let bearer = format!("Bearer {}", world.tokens["adam"]);
        let answer = world.ask(route.method, &path).header("authorization", &bearer).send();
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status == 405 || body.contains("There is nothing here") {
            absent.push(format!("{} {}", route.method, route.path));
        }
    }
    assert!(absent.is_empty(), "{absent:#?}");
}
