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

/// Guessing at one place keeps the right person out at that place alone, and not on a device that they signed in on.
#[test]
fn guesses_at_one_address_keep_the_right_person_out_at_no_other_and_on_no_known_device() {
    let world = World::with(|settings| settings.trusted_proxies = vec!["127.0.0.1".to_owned()]);
    world.set_password("rita");
    let enter = |address: &str, password: &str, cookie: &str| {
        let body = json!({"tenant": TENANT, "login": "rita", "password": password});
        let ask = world.ask("POST", "/api/v1/session").header("x-forwarded-for", address);
        ask.header("cookie", cookie).json(&body).send()
    };
    let first = enter("203.0.113.1", PASSWORD, "a=b");
    assert_eq!(first.status, 201);
    let device = first.header("set-cookie, more").to_owned();
    assert!(device.starts_with("assent_device="), "{device}");
    let device = device.split(';').next().unwrap().to_owned();
    for _ in 0..5 {
        enter("203.0.113.1", "wrong password", "a=b").problem(401, "unauthenticated");
    }
    enter("203.0.113.1", PASSWORD, "a=b").problem(429, "too_many_tries");
    enter("198.51.100.7", PASSWORD, "a=b").expect(201);
    for _ in 0..5 {
        enter("203.0.113.1", "wrong password", "a=b");
    }
    enter("203.0.113.1", PASSWORD, &device).expect(201);
    // A cookie that somebody made up, or that is another account's, is no device.
    let forged = device.replace("assent_device=", "assent_device=x");
    enter("203.0.113.1", PASSWORD, &forged).problem(429, "too_many_tries");
}

/// A page that came by plain HTTP may be anybody's on the way.
#[test]
fn an_origin_of_another_scheme_is_another_site() {
    let world = World::new();
    world.set_password("rita");
    let cookie = cookie(&sign_in(&world, "rita", PASSWORD));
    let end = |origin: &str| {
        let ask = world.ask("DELETE", "/api/v1/session").header("cookie", &cookie);
        ask.header("origin", origin).send()
    };
    let host = world.host();
    for foreign in [
        format!("https://{host}"),
        format!("ftp://{host}"),
        host.clone(),
        "null".to_owned(),
    ] {
        end(&foreign).problem(403, "cross_site");
    }
    end(&format!("HTTP://{host}")).expect(200);
}

/// One address may be a whole company's: guesses there at unknown logins keep nobody else out.
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
