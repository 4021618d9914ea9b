//! A cookie that was copied opens nothing once its session has ended: signed out, ended from elsewhere, or its person switched
//! off by the directory; nor any act that needs a fresh factor before.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{Answer, PASSWORD, TENANT, World};

/// The default number of copies; `ASSENT_TEST_COPIES` sets another.
const COPIES: usize = 100;
/// How soon after its end a session opens nothing at one server.
const SOON: SignedDuration = SignedDuration::from_secs(1);

fn now(world: &World) -> Timestamp {
    world.server.state().executor().tools().clock.now()
}

fn cookie(world: &World, login: &str) -> String {
    let body = json!({"tenant": TENANT, "login": login, "password": PASSWORD});
    let answer = world.ask("POST", "/api/v1/session").json(&body).send();
    answer.expect(201);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// Sends requests as a second client that has the cookie.
fn ask(world: &World, cookie: &str, method: &str, path: &str, body: &Value) -> Answer {
    let ask = world
        .ask(method, path)
        .header("cookie", cookie)
        .header("user-agent", "Another client")
        .header("origin", &format!("http://{}", world.host()));
    if method == "GET" {
        ask.send()
    } else {
        ask.header("if-match", "*").json(body).send()
    }
}

/// Every route of the API that a session opens, with some value in each place.
fn routes() -> Vec<(&'static str, String)> {
    let opened = wire::openapi::routes().iter().filter(|it| {
        let is_open = [
            "/api/v1/session",
            "/api/v1/session/passkey",
            "/api/v1/session/passkey/{id}",
        ]
        .contains(&it.path.as_str());
        it.path.starts_with("/api/v1/") && !(is_open && it.method == "POST")
    });
    opened
        .map(|it| {
            let parts = it
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { "x" } else { part });
            (it.method, parts.collect::<Vec<_>>().join("/"))
        })
        .collect()
}

/// Calls every route with the cookie; none opens, and the first refuses soon after `ended_at`.
fn opens_nothing(world: &World, cookie: &str, ended_at: Timestamp) {
    ask(world, cookie, "GET", "/api/v1/me", &Value::Null).problem(401, "unauthenticated");
    let took = now(world).duration_since(ended_at);
    assert!(took <= SOON, "it opened something for {took:#}");
    let routes = routes();
    assert!(routes.len() > 200, "{} routes", routes.len());
    for (method, path) in &routes {
        let answer = ask(world, cookie, method, path, &json!({}));
        assert_eq!(
            answer.status,
            401,
            "{method} {path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
}

#[test]
fn a_copied_cookie_opens_no_route_once_its_session_has_ended() {
    let world = World::new();
    for login in ["rita", "oscar", "sina"] {
        world.set_password(login);
    }
    let out = cookie(&world, "rita");
    ask(&world, &out, "GET", "/api/v1/me", &Value::Null).expect(200);
    ask(&world, &out, "DELETE", "/api/v1/session", &json!({})).expect(200);
    opens_nothing(&world, &out, now(&world));

    // Ended by an administrator.
    let ended = cookie(&world, "oscar");
    ask(&world, &ended, "GET", "/api/v1/me", &Value::Null).expect(200);
    world
        .as_person("adam", "DELETE", "/people/oscar/sessions")
        .send()
        .expect(200);
    opens_nothing(&world, &ended, now(&world));

    // Switched off by the directory.
    let off = cookie(&world, "sina");
    ask(&world, &off, "GET", "/api/v1/me", &Value::Null).expect(200);
    let token = world.token("adam", &["scim"]);
    let scim = |method: &str, path: &str| {
        let ask = world.ask(method, &format!("/t/{TENANT}/scim/v2{path}"));
        ask.header("authorization", &format!("Bearer {token}"))
    };
    let found = scim("GET", "/Users?filter=userName%20eq%20%22sina%22")
        .send()
        .expect(200);
    let id = found["Resources"][0]["id"].as_str().unwrap();
    let path = format!("/{}/{id}", "Users");
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": {"active": false}}]});
    scim("PATCH", &path)
        .bytes("application/scim+json", patch.to_string().as_bytes())
        .send()
        .expect(200);
    opens_nothing(&world, &off, now(&world));
}

#[test]
fn copies_of_a_cookie_without_the_factor_break_no_glass() {
    let copies = std::env::var("ASSENT_TEST_COPIES").map_or(COPIES, |text| text.parse().unwrap());
    let world = World::new();
    world.set_password("oscar");
    let owner = cookie(&world, "oscar");
    // With a second factor of their own a password alone is no fresh one.
    let made = ask(
        &world,
        &owner,
        "POST",
        "/api/v1/second-factors/totp",
        &json!({"name": "Phone"}),
    )
    .expect(201);
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(made["secret"].as_str().unwrap()).unwrap())
        .build()
        .unwrap();
    let then = now(&world).as_second();
    let code = totp.generate(u64::try_from(then).unwrap()).to_string();
    let path = format!("/api/v1/second-factors/{}/confirmation", made["id"].as_str().unwrap());
    ask(&world, &owner, "POST", &path, &json!({"code": code})).expect(201);
    let copied = cookie(&world, "oscar");
    let key = world.draft();
    let until = now(&world) + SignedDuration::from_hours(1);
    let body = json!({"reason": "The shop is down.", "until": until.to_string()});
    for _ in 0..copies {
        let answer = ask(
            &world,
            &copied,
            "POST",
            &format!("/api/v1/changes/{key}/break-glass"),
            &body,
        );
        answer.problem(403, "step_up_required");
    }
    assert_eq!(
        world.get("rita", &format!("/changes/{key}")).expect(200)["state"],
        "draft"
    );
    let events = world
        .get("aino", &format!("/changes/{key}/events?limit=200"))
        .expect(200);
    assert!(
        events.to_string().contains("attempt.refused"),
        "it stands in the log: {events}"
    );
    println!("{copies} copies, none let through");
}
