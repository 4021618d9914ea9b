//! Sessions: signing in, the fresh factor, other sites, guessing.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::json;

use crate::world::{Answer, PASSWORD, TENANT, World};

fn sign_in(world: &World, login: &str, password: &str) -> Answer {
    let body = json!({"tenant": TENANT, "login": login, "password": password});
    world.ask("POST", "/api/v1/session").json(&body).send()
}

fn cookie(answer: &Answer) -> String {
    let line = answer.header("set-cookie");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax"), "{line}");
    line.split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_acts_from_its_own_pages_alone() {
    let world = World::new();
    world.set_password("rita");
    let begun = sign_in(&world, "Rita", PASSWORD);
    begun.expect(201);
    let cookie = cookie(&begun);
    let ask = |method: &str, path: &str| world.ask(method, &format!("/api/v1{path}")).header("cookie", &cookie);
    assert_eq!(ask("GET", "/me").send().expect(200)["login"], "rita");
    let body = World::change_body();
    ask("POST", "/changes").json(&body).send().problem(403, "cross_site");
    ask("POST", "/changes")
        .header("origin", "https://evil.example")
        .json(&body)
        .send()
        .problem(403, "cross_site");
    ask("POST", "/changes")
        .header("sec-fetch-site", "cross-site")
        .json(&body)
        .send()
        .problem(403, "cross_site");
    let own = format!("http://{}", world.host());
    ask("POST", "/changes")
        .header("origin", &own)
        .json(&body)
        .send()
        .expect(201);
    ask("POST", "/changes")
        .header("sec-fetch-site", "same-origin")
        .json(&body)
        .send()
        .expect(201);
    ask("DELETE", "/session").header("origin", &own).send().expect(200);
    ask("GET", "/me").send().problem(401, "unauthenticated");
}

#[test]
fn a_fresh_factor_is_a_sessions_and_needs_the_password() {
    let world = World::new();
    world.set_password("rita");
    let cookie = cookie(&sign_in(&world, "rita", PASSWORD));
    let own = format!("http://{}", world.host());
    let step_up = |password: &str| {
        let ask = world
            .ask("POST", "/api/v1/session/step-up")
            .header("cookie", &cookie)
            .header("origin", &own);
        ask.json(&json!({"password": password})).send()
    };
    step_up("wrong password").problem(401, "unauthenticated");
    step_up(PASSWORD).expect(201);
    world
        .post("rita", "/session/step-up", &json!({"password": PASSWORD}))
        .problem(403, "step_up_required");
}

#[test]
fn guessing_is_slowed_down() {
    let world = World::new();
    world.set_password("rita");
    for _ in 0..5 {
        sign_in(&world, "rita", "wrong password").problem(401, "unauthenticated");
    }
    let slowed = sign_in(&world, "rita", PASSWORD);
    slowed.problem(429, "too_many_tries");
    assert!(slowed.header("retry-after").parse::<u32>().unwrap() >= 1);
}

/// One address may be a whole company's: who guesses there at nobody in particular keeps nobody else out.
#[test]
fn guesses_at_unknown_logins_keep_nobody_of_the_same_address_out() {
    let world = World::new();
    world.set_password("rita");
    for number in 0..6 {
        sign_in(&world, &format!("nobody-{number}"), "wrong password").problem(401, "unauthenticated");
    }
    let cookie = cookie(&sign_in(&world, "rita", PASSWORD));
    let own = format!("http://{}", world.host());
    let ask = world
        .ask("POST", "/api/v1/session/step-up")
        .header("cookie", &cookie)
        .header("origin", &own);
    ask.json(&json!({"password": PASSWORD})).send().expect(201);
}

#[test]
fn nobody_and_nowhere_look_alike() {
    let world = World::new();
    let unknown = sign_in(&world, "nobody", PASSWORD).problem(401, "unauthenticated");
    let body = json!({"tenant": "no/where", "login": "rita", "password": PASSWORD});
    let nowhere = world
        .ask("POST", "/api/v1/session")
        .json(&body)
        .send()
        .problem(401, "unauthenticated");
    assert_eq!(unknown, nowhere);
}
