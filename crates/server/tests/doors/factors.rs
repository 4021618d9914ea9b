//! Second factors and sessions over HTTP: enrolment, replay, recovery, theft.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::core::services::Way;
use acts::identity::set_second_factor;
use model::core::ids::PersonId;
use proof::crypto::digest_text;
use serde_json::{Value, json};
use server::identity::password;
use store::identity::session::{self, Session};
use store::identity::{second_factor, secrets};
use totp_rs::{Builder, Secret};

use crate::world::{Answer, PASSWORD, TENANT, World, eventually};

/// A browser with a session.
struct Browser<'w> {
    world: &'w World,
    cookie: String,
}

impl<'w> Browser<'w> {
    fn sign_in(world: &'w World, login: &str) -> Self {
        let body = json!({"tenant": TENANT, "login": login, "password": PASSWORD});
        let answer = world
            .ask("POST", "/api/v1/session")
            .header("user-agent", "Browser of a test")
            .json(&body)
            .send();
        answer.expect(201);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { world, cookie }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let own = format!("http://{}", self.world.host());
        let ask = self
            .world
            .ask(method, &format!("/api/v1{path}"))
            .header("cookie", &self.cookie)
            .header("origin", &own);
        if method == "GET" {
            ask.send()
        } else {
            ask.json(body).send()
        }
    }
}

/// The code that an authenticator shows some steps from now.
fn code(world: &World, secret: &str, steps: i64) -> String {
    let totp = Builder::new()
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    let now = world.server.state().executor().tools().clock.now().as_second();
    totp.generate(u64::try_from(now + steps * 30).unwrap()).to_string()
}

/// Enrols an authenticator; returns its secret, the recovery codes, and the code that is used up by it.
fn enrol(browser: &Browser<'_>) -> (String, Vec<String>, String) {
    let made = browser
        .ask("POST", "/second-factors/totp", &json!({"name": "Phone"}))
        .expect(201);
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap().to_owned(),
    );
    assert!(
        made["url"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/Assent%20acme:")
    );
    let path = format!("/second-factors/{id}/confirmation");
    browser
        .ask("POST", &path, &json!({"code": "000000"}))
        .problem(422, "invalid");
    let used = code(browser.world, &secret, -1);
    let confirmed = browser.ask("POST", &path, &json!({"code": used})).expect(201);
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    let codes = codes.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    (secret, codes, used)
}

#[test]
fn who_has_an_authenticator_shows_it_and_no_code_counts_twice() {
    let world = World::new();
    world.set_password("rita");
    let first = Browser::sign_in(&world, "rita");
    let (secret, recovery, used) = enrol(&first);
    let browser = Browser::sign_in(&world, "rita");
    let me = browser.ask("GET", "/me", &Value::Null).expect(200);
    assert_eq!(me["stepped_up"], false, "a password is one of two factors now");
    let step_up = |body: &Value| browser.ask("POST", "/session/step-up", body);
    step_up(&json!({"password": PASSWORD})).problem(403, "second_factor_required");
    step_up(&json!({"code": used})).problem(401, "wrong_code");
    step_up(&json!({"code": "12345"})).problem(401, "wrong_code");
    let now = code(&world, &secret, 0);
    step_up(&json!({"code": now})).expect(201);
    step_up(&json!({"code": now})).problem(401, "wrong_code");
    assert_eq!(browser.ask("GET", "/me", &Value::Null).expect(200)["stepped_up"], true);
    let messy = recovery[0].to_uppercase().replace('-', " ");
    step_up(&json!({"recovery_code": messy})).expect(201);
    step_up(&json!({"recovery_code": recovery[0]})).problem(401, "wrong_code");
    step_up(&json!({})).problem(422, "invalid");
    let factors = browser.ask("GET", "/second-factors", &Value::Null).expect(200);
    assert_eq!(factors["recovery_codes_left"], 9);
    assert_eq!(factors["items"][0]["name"], "Phone");
    assert!(!factors.to_string().contains(&secret));
}

#[test]
fn an_authenticator_that_cannot_be_read_is_told_as_that_and_keeps_nobody_from_another_way() {
    let world = World::new();
    world.set_password("rita");
    let first = Browser::sign_in(&world, "rita");
    let (secret, recovery, _) = enrol(&first);
    let browser = Browser::sign_in(&world, "rita");
    let step_up = |body: &Value| browser.ask("POST", "/session/step-up", body);
    let spoil = |secret: &'static [u8]| {
        world.act(move |cx| {
            for factor in second_factor::all(cx.tx)? {
                if factor.kind == set_second_factor::TOTP {
                    second_factor::save_secret(cx.tx, &factor.id, secret, cx.now)?;
                }
            }
            Ok(())
        });
    };
    for broken in [&b"x"[..], &[7; 80][..]] {
        spoil(broken);
        let told = step_up(&json!({"code": code(&world, &secret, 0)})).problem(409, "factor_unreadable");
        assert_eq!(told["detail"], "Your authenticator `Phone` cannot be read here.");
        assert!(
            told["unmet"][0]["satisfy"]
                .as_str()
                .unwrap()
                .contains("a recovery code"),
            "{told}"
        );
    }
    step_up(&json!({"recovery_code": recovery[0]})).expect(201);
    // With that a new one is added, which is read beside the broken one.
    let made = browser
        .ask("POST", "/second-factors/totp", &json!({"name": "Tablet"}))
        .expect(201);
    let (id, new) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let confirm = json!({"code": code(&world, new, -1)});
    browser
        .ask("POST", &format!("/second-factors/{id}/confirmation"), &confirm)
        .expect(201);
    step_up(&json!({"code": "000000"})).problem(401, "wrong_code");
    step_up(&json!({"code": code(&world, new, 0)})).expect(201);
}

#[test]
fn guessed_codes_are_slowed_down() {
    let world = World::new();
    world.set_password("rita");
    let browser = Browser::sign_in(&world, "rita");
    enrol(&browser);
    for _ in 0..5 {
        browser
            .ask("POST", "/session/step-up", &json!({"code": "000000"}))
            .problem(401, "wrong_code");
    }
    browser
        .ask("POST", "/session/step-up", &json!({"code": "000000"}))
        .problem(429, "too_many_tries");
}

#[test]
fn factors_are_changed_with_a_fresh_factor_alone_and_reset_by_an_administrator() {
    let world = World::new();
    world.set_password("rita");
    let first = Browser::sign_in(&world, "rita");
    let (secret, ..) = enrol(&first);
    world
        .post("rita", "/second-factors/totp", &json!({}))
        .problem(403, "step_up_required");
    let stolen = Browser::sign_in(&world, "rita");
    let id = stolen.ask("GET", "/second-factors", &Value::Null).expect(200)["items"][0]["id"].clone();
    let path = format!("/second-factors/{}", id.as_str().unwrap());
    stolen.ask("DELETE", &path, &json!({})).problem(403, "step_up_required");
    stolen
        .ask("POST", "/second-factors/totp", &json!({}))
        .problem(403, "step_up_required");
    stolen
        .ask("POST", "/second-factors/recovery-codes", &json!({}))
        .problem(403, "step_up_required");
    stolen
        .ask("POST", "/session/step-up", &json!({"code": code(&world, &secret, 1)}))
        .expect(201);
    stolen.ask("DELETE", &path, &json!({})).expect(200);
    stolen.ask("DELETE", &path, &json!({})).problem(404, "not_found");
    enrol(&first);
    world
        .as_person("rita", "DELETE", "/people/rita/second-factors")
        .send()
        .problem(403, "not_allowed");
    world
        .as_person("adam", "DELETE", "/people/adam/second-factors")
        .send()
        .problem(403, "own_request");
    world
        .as_person("adam", "DELETE", "/people/rita/second-factors")
        .send()
        .expect(200);
    first.ask("GET", "/me", &Value::Null).problem(401, "unauthenticated");
    let after = Browser::sign_in(&world, "rita");
    assert_eq!(after.ask("GET", "/me", &Value::Null).expect(200)["stepped_up"], true);
}

/// A password is a factor, so setting it without one would make the very factor that grave acts require.
#[test]
fn nobody_sets_their_own_password_without_a_fresh_factor() {
    let world = World::new();
    world.set_password("rita");
    let own = json!({"password": "chosen by whoever holds the token"});
    let token = world.token("rita", &["read", "write", "admin"]);
    let by_token = world.ask("PUT", "/api/v1/people/rita/password");
    by_token
        .header("authorization", &format!("Bearer {token}"))
        .json(&own)
        .send()
        .problem(403, "step_up_required");
    let first = Browser::sign_in(&world, "rita");
    let (secret, ..) = enrol(&first);
    // A password alone is one of two factors now.
    let stolen = Browser::sign_in(&world, "rita");
    stolen
        .ask("PUT", "/people/rita/password", &own)
        .problem(403, "step_up_required");
    stolen
        .ask("POST", "/session/step-up", &json!({"code": code(&world, &secret, 1)}))
        .expect(201);
    stolen.ask("PUT", "/people/rita/password", &own).expect(200);
    first.ask("GET", "/me", &Value::Null).problem(401, "unauthenticated");
}

#[test]
fn sessions_are_listed_and_ended() {
    let world = World::new();
    world.set_password("rita");
    world.set_password("oscar");
    let (first, second) = (Browser::sign_in(&world, "rita"), Browser::sign_in(&world, "rita"));
    let other = Browser::sign_in(&world, "oscar");
    let listed = first.ask("GET", "/sessions", &Value::Null).expect(200);
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        (&items[0]["agent"], &items[0]["method"]),
        (&json!("Browser of a test"), &json!("password"))
    );
    assert!(!listed.to_string().contains("sha256:"));
    let foreign = other.ask("GET", "/sessions", &Value::Null).expect(200)["items"][0]["id"].clone();
    let path = |id: &Value| format!("/sessions/{}", id.as_str().unwrap());
    first
        .ask("DELETE", &path(&foreign), &json!({}))
        .problem(404, "not_found");
    for item in items {
        second.ask("DELETE", &path(&item["id"]), &json!({}));
    }
    let gone = [&first, &second]
        .iter()
        .filter(|it| it.ask("GET", "/me", &Value::Null).status == 401)
        .count();
    assert!(gone >= 1);
    assert_eq!(
        world.get("adam", "/people/oscar/sessions").expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    world.get("rita", "/people/oscar/sessions").problem(403, "not_allowed");
    world
        .as_person("adam", "DELETE", "/people/oscar/sessions")
        .send()
        .expect(200);
    other.ask("GET", "/me", &Value::Null).problem(401, "unauthenticated");
}

/// A stolen cookie without the factor decides nothing that requires one; a copied form neither.
#[test]
fn a_stolen_session_breaks_no_glass() {
    let world = World::new();
    world.set_password("oscar");
    let owner = Browser::sign_in(&world, "oscar");
    let (secret, ..) = enrol(&owner);
    let stolen = Browser::sign_in(&world, "oscar");
    let key = world.draft();
    let until = world.server.state().executor().tools().clock.now() + jiff::SignedDuration::from_hours(1);
    let body = json!({"reason": "The shop is down.", "until": until.to_string()});
    let path = format!("/changes/{key}/break-glass");
    for _ in 0..3 {
        stolen.ask("POST", &path, &body).problem(403, "step_up_required");
    }
    stolen
        .ask("POST", "/session/step-up", &json!({"code": code(&world, &secret, 1)}))
        .expect(201);
    stolen.ask("POST", &path, &body).expect(201);
}

fn id_of(world: &World, login: &'static str) -> PersonId {
    world.act(move |cx| Ok(cx.directory()?.by_login(login).unwrap().id.clone()))
}

/// Waits until the server has read in the log that a way in ended.
fn until_over(world: &World, way: Way<'_>) {
    let ended = || world.server.state().executor().services().ended().is_over(TENANT, way);
    eventually("the server has read it", ended);
}

/// A person with write access to the database kept rows with their codes, and puts them back after their end.
#[test]
fn sessions_and_factors_that_are_put_back_after_their_end_open_nothing() {
    let world = World::new();
    world.set_password("rita");
    let rita = id_of(&world, "rita");
    let browser = Browser::sign_in(&world, "rita");
    let (secret, recovery, _) = enrol(&browser);
    let whose = rita.clone();
    let (sessions, factors): (Vec<Session>, _) = world.act(move |cx| {
        let sessions = session::of_person(cx.tx, whose.as_str(), cx.now)?;
        Ok((sessions, second_factor::of_person(cx.tx, whose.as_str())?))
    });
    world.act(|cx| set_second_factor::reset_factors(cx, "rita"));
    until_over(&world, Way::Session(&sessions[0].id));
    let rows = (sessions, factors);
    world.act(move |cx| {
        rows.0.iter().try_for_each(|it| session::insert(cx.tx, it))?;
        Ok(rows.1.iter().try_for_each(|it| second_factor::insert(cx.tx, it))?)
    });
    browser.ask("GET", "/me", &Value::Null).problem(401, "unauthenticated");
    let after = Browser::sign_in(&world, "rita");
    let step_up = |body: &Value| after.ask("POST", "/session/step-up", body);
    step_up(&json!({"code": code(&world, &secret, 0)})).problem(401, "wrong_code");
    step_up(&json!({"recovery_code": recovery[0]})).problem(401, "wrong_code");
}

#[test]
fn a_password_that_is_put_back_after_its_end_signs_nobody_in() {
    let world = World::new();
    world.set_password("rita");
    let rita = id_of(&world, "rita");
    let whose = rita.clone();
    let former = world.act(move |cx| Ok(secrets::password(cx.tx, whose.as_str())?.unwrap()));
    let new = password::hash("another one, which is long enough").unwrap();
    world.act(move |cx| acts::directory::set_person::set_password(cx, "rita", &new));
    until_over(&world, Way::Password(&digest_text(former.as_bytes())));
    let whose = rita.clone();
    world.act(move |cx| Ok(secrets::save_password(cx.tx, whose.as_str(), &former, (None, cx.now))?));
    let body = json!({"tenant": TENANT, "login": "rita", "password": PASSWORD});
    world
        .ask("POST", "/api/v1/session")
        .json(&body)
        .send()
        .problem(401, "unauthenticated");
}

/// Without its row an authenticator asks for nothing; the log still gives it to its person.
#[test]
fn an_authenticator_whose_row_is_taken_away_is_asked_for_all_the_same() {
    let world = World::new();
    world.set_password("rita");
    let rita = id_of(&world, "rita");
    enrol(&Browser::sign_in(&world, "rita"));
    let has_read = || {
        let ended = world.server.state().executor().services().ended();
        let told = ended.factors_of(TENANT, rita.as_str());
        told.is_some_and(|(factors, _)| !factors.is_empty())
    };
    eventually("the server has read it", has_read);
    let whose = rita.clone();
    world.act(move |cx| Ok(second_factor::delete_of_person(cx.tx, whose.as_str(), "")?));
    let browser = Browser::sign_in(&world, "rita");
    let me = browser.ask("GET", "/me", &Value::Null).expect(200);
    assert_eq!(me["stepped_up"], false, "a password is one of two factors");
    browser
        .ask("POST", "/session/step-up", &json!({"password": PASSWORD}))
        .problem(403, "second_factor_required");
}
