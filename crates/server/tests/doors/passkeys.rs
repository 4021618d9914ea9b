//! Passkeys through the routes: made, shown as fresh factor and at sign-in, refused in each way in which a response can be
//! wrong, copied, removed. The authenticator is the tests' own.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::SignedDuration;
use serde_json::{Value, json};
use store::audit::event;
use store::identity::{second_factor, secrets};

use crate::authenticator::{AuthenticatorData, Passkey, other_handle};
use crate::world::{Answer, PASSWORD, TENANT, World, eventually};

/// How people reach the server.
const HERE: &str = "https://changes.acme.example:8443";

fn world() -> World {
    let world = World::with(|settings| settings.public_url = Some(HERE.to_owned()));
    world.set_password("rita");
    world
}

/// Sends requests in a session; without a cookie before the sign-in.
fn ask(world: &World, cookie: &str, method: &str, path: &str, body: &Value) -> Answer {
    let ask = world
        .ask(method, &format!("/api/v1{path}"))
        .header("cookie", cookie)
        .header("origin", HERE);
    if method == "GET" {
        ask.send()
    } else {
        ask.json(body).send()
    }
}

fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

fn sign_in(world: &World, login: &str) -> String {
    let body = json!({"tenant": TENANT, "login": login, "password": PASSWORD});
    let answer = ask(world, "a=b", "POST", "/session", &body);
    answer.expect(201);
    cookie_of(&answer)
}

/// A challenge: its id and its options.
fn challenge(world: &World, cookie: &str, path: &str, body: &Value) -> (String, Value) {
    let begun = ask(world, cookie, "POST", path, body).expect(201);
    (begun["id"].as_str().unwrap().to_owned(), begun["options"].clone())
}

/// Adds a passkey to the account behind a fresh session; returns its handle and the recovery codes.
fn add(world: &World, cookie: &str, passkey: &Passkey) -> (String, usize) {
    let (id, options) = challenge(world, cookie, "/second-factors/passkeys", &json!({"name": "Laptop"}));
    assert_eq!(options["rp"]["id"], "changes.acme.example");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["user"]["name"], "rita");
    let handle = options["user"]["id"].as_str().unwrap().to_owned();
    let said = AuthenticatorData::honest(HERE, &options, &handle, 1);
    let body = json!({"response": passkey.made(&said)});
    let path = format!("/second-factors/passkeys/{id}/confirmation");
    let made = ask(world, cookie, "POST", &path, &body).expect(201);
    // The same response once more finds no challenge.
    ask(world, cookie, "POST", &path, &body).problem(401, "passkey_over");
    (handle, made["recovery_codes"].as_array().unwrap().len())
}

/// A fresh factor by passkey; `tell` may alter the data.
fn step_up(
    world: &World,
    cookie: &str,
    (passkey, handle, count): (&Passkey, &str, u32),
    tell: impl Fn(&mut AuthenticatorData),
) -> Answer {
    let (id, options) = challenge(world, cookie, "/session/step-up/passkey", &json!({}));
    let mut said = AuthenticatorData::honest(HERE, &options, handle, count);
    tell(&mut said);
    let body = json!({"response": passkey.shown(&said)});
    ask(world, cookie, "POST", &format!("/session/step-up/passkey/{id}"), &body)
}

fn enter(
    world: &World,
    (passkey, handle, count): (&Passkey, &str, u32),
    tell: impl Fn(&mut AuthenticatorData),
) -> Answer {
    let (id, options) = challenge(world, "a=b", "/session/passkey", &json!({"tenant": TENANT}));
    let mut said = AuthenticatorData::honest(HERE, &options, handle, count);
    tell(&mut said);
    let body = json!({"tenant": TENANT, "response": passkey.shown(&said)});
    ask(world, "a=b", "POST", &format!("/session/passkey/{id}"), &body)
}

/// The number of events of a kind about the person with this text.
fn told(world: &World, kind: &'static str, words: &'static str) -> usize {
    world.act(move |cx| {
        let person = cx.directory()?.by_login("rita").unwrap().id.0.clone();
        let found = event::of_subject(cx.tx, "person", &person)?;
        let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(words);
        Ok(found.iter().filter(|it| it.kind == kind && says(&it.bytes)).count())
    })
}

#[test]
fn a_passkey_is_a_fresh_factor_and_a_way_in() {
    let world = world();
    let first = sign_in(&world, "rita");
    let passkey = Passkey::new(7);
    let (handle, codes) = add(&world, &first, &passkey);
    assert_eq!(codes, 10, "recovery codes come with the first second factor");

    // From now on the password is one of two factors.
    let cookie = sign_in(&world, "rita");
    let me = |cookie: &str| ask(&world, cookie, "GET", "/me", &Value::Null).expect(200);
    assert_eq!(me(&cookie)["stepped_up"], false);
    let password = json!({"password": PASSWORD});
    ask(&world, &cookie, "POST", "/session/step-up", &password).problem(403, "second_factor_required");
    step_up(&world, &cookie, (&passkey, &handle, 2), |_| {}).expect(201);
    assert_eq!(me(&cookie)["stepped_up"], true);
    let sessions = ask(&world, &cookie, "GET", "/sessions", &Value::Null).expect(200);
    assert_eq!(sessions["items"][0]["factor"], "passkey", "{sessions}");

    // At sign-in it is both factors at once.
    let answer = enter(&world, (&passkey, &handle, 3), |_| {});
    assert_eq!(answer.expect(201)["tenant"], TENANT);
    let own = cookie_of(&answer);
    assert_eq!(me(&own)["login"], "rita");
    assert_eq!(me(&own)["stepped_up"], true);
    let sessions = ask(&world, &own, "GET", "/sessions", &Value::Null).expect(200);
    assert!(sessions.to_string().contains("\"method\":\"passkey\""), "{sessions}");

    // It is named and listed, and removed with a fresh factor alone.
    let factors = ask(&world, &own, "GET", "/second-factors", &Value::Null).expect(200);
    assert_eq!(factors["items"][0]["name"], "Laptop");
    assert_eq!(factors["items"][0]["kind"], "passkey");
    let path = format!("/second-factors/{}", factors["items"][0]["id"].as_str().unwrap());
    let stolen = sign_in(&world, "rita");
    ask(&world, &stolen, "DELETE", &path, &json!({})).problem(403, "step_up_required");
    ask(&world, &own, "DELETE", &path, &json!({})).expect(200);
    enter(&world, (&passkey, &handle, 4), |_| {}).problem(401, "passkey_unknown");
    assert!(told(&world, "person.factor_added", "passkey") >= 1);
    assert!(told(&world, "person.factor_removed", "passkey") >= 1);
}

#[test]
fn an_answer_that_is_wrong_in_any_way_opens_nothing() {
    let world = world();
    let first = sign_in(&world, "rita");
    let passkey = Passkey::new(7);
    let (handle, _) = add(&world, &first, &passkey);
    let cookie = sign_in(&world, "rita");
    type Tell = fn(&mut AuthenticatorData);
    let lies: [(&str, &str, Tell); 7] = [
        ("another origin", "passkey_elsewhere", |it| {
            it.origin = "https://changes.acme.example".to_owned()
        }),
        ("a look-alike", "passkey_elsewhere", |it| {
            it.origin = "https://changes.acme.example.evil.example:8443".to_owned()
        }),
        ("another relying party", "passkey_elsewhere", |it| {
            it.site = "acme.example".to_owned()
        }),
        ("a frame of another site", "passkey_elsewhere", |it| it.is_framed = true),
        ("nobody verified", "passkey_unverified", |it| it.is_verified = false),
        ("an altered signature", "passkey_forged", |it| it.is_altered = true),
        ("another challenge", "passkey_over", |it| {
            it.challenge = "AAAAAAAAAAAAAAAAAAAAAA".to_owned()
        }),
    ];
    for (what, code, tell) in lies {
        println!("{what}");
        step_up(&world, &cookie, (&passkey, &handle, 9), tell).problem(401, code);
        enter(&world, (&passkey, &handle, 9), tell).problem(401, code);
    }
    step_up(&world, &cookie, (&passkey, &other_handle(&handle), 9), |_| {}).problem(401, "passkey_of_another");
    enter(&world, (&passkey, &other_handle(&handle), 9), |_| {}).problem(401, "passkey_unknown");
    // Another key under the same id, and a key that nobody knows.
    step_up(&world, &cookie, (&Passkey::new(7), &handle, 9), |_| {}).problem(401, "passkey_forged");
    step_up(&world, &cookie, (&Passkey::new(8), &handle, 9), |_| {}).problem(401, "passkey_unknown");
    for junk in [
        json!({}),
        json!({"id": "x"}),
        json!({"response": {"clientDataJSON": "x"}}),
    ] {
        let (id, _) = challenge(&world, &cookie, "/session/step-up/passkey", &json!({}));
        let path = format!("/session/step-up/passkey/{id}");
        ask(&world, &cookie, "POST", &path, &json!({"response": junk})).problem(401, "passkey_unreadable");
    }
    ask(&world, &cookie, "POST", "/session/step-up/passkey/x", &json!({})).problem(422, "invalid");
    let me = ask(&world, &cookie, "GET", "/me", &Value::Null).expect(200);
    assert_eq!(me["stepped_up"], false, "nothing of this was a fresh factor");
    eventually("each is told in the log", || {
        [
            "passkey_elsewhere",
            "passkey_unverified",
            "passkey_forged",
            "passkey_over",
            "passkey_of_another",
        ]
        .into_iter()
        .all(|code| told(&world, "sign_in.refused", code) >= 1)
    });
    // The honest one still opens: nobody is locked out by somebody else's tries.
    step_up(&world, &cookie, (&passkey, &handle, 9), |_| {}).expect(201);
}

#[test]
fn a_challenge_serves_one_answer_of_its_own_person_and_kind_right_or_wrong() {
    let world = world();
    world.set_password("oscar");
    let (first, other) = (sign_in(&world, "rita"), sign_in(&world, "oscar"));
    let passkey = Passkey::new(7);
    let (handle, _) = add(&world, &first, &passkey);
    let path = |id: &str| format!("/session/step-up/passkey/{id}");

    // A wrong response uses it up as well.
    let (id, options) = challenge(&world, &first, "/session/step-up/passkey", &json!({}));
    let good = AuthenticatorData::honest(HERE, &options, &handle, 5);
    let bad = json!({"response": passkey.shown(&AuthenticatorData { is_altered: true, ..good.clone() })});
    let good = json!({"response": passkey.shown(&good)});
    ask(&world, &first, "POST", &path(&id), &bad).problem(401, "passkey_forged");
    ask(&world, &first, "POST", &path(&id), &good).problem(401, "passkey_over");

    // Another person's session, another kind of ceremony.
    let (id, options) = challenge(&world, &first, "/session/step-up/passkey", &json!({}));
    let body = json!({"response": passkey.shown(&AuthenticatorData::honest(HERE, &options, &handle, 6))});
    ask(&world, &other, "POST", &path(&id), &body).problem(401, "passkey_over");
    let door = json!({"tenant": TENANT, "response": body["response"]});
    ask(&world, "a=b", "POST", &format!("/session/passkey/{id}"), &door).problem(401, "passkey_over");
    ask(&world, &first, "POST", &path(&id), &body).expect(201);
    ask(&world, &first, "POST", &path(&id), &body).problem(401, "passkey_over");

    // A second challenge ends the first.
    let (old, options) = challenge(&world, &first, "/session/step-up/passkey", &json!({}));
    challenge(&world, &first, "/session/step-up/passkey", &json!({}));
    let body = json!({"response": passkey.shown(&AuthenticatorData::honest(HERE, &options, &handle, 7))});
    ask(&world, &first, "POST", &path(&old), &body).problem(401, "passkey_over");

    // One that was kept for more than five minutes is as good as none.
    let (id, options) = challenge(&world, &first, "/session/step-up/passkey", &json!({}));
    let body = json!({"response": passkey.shown(&AuthenticatorData::honest(HERE, &options, &handle, 8))});
    let kept = id.clone();
    let late = world.act(move |cx| {
        cx.now += SignedDuration::from_secs(301);
        let person = cx.directory()?.by_login("rita").unwrap().id.0.clone();
        Ok(second_factor::take(cx.tx, &kept, &person, "passkey_step_up", cx.now)?)
    });
    assert_eq!(late, None);
    ask(&world, &first, "POST", &path(&id), &body).expect(201);
}

#[test]
fn a_copied_passkey_is_told_and_opens_nothing_any_more() {
    let world = world();
    let first = sign_in(&world, "rita");
    let passkey = Passkey::new(7);
    let (handle, _) = add(&world, &first, &passkey);
    let cookie = sign_in(&world, "rita");
    step_up(&world, &cookie, (&passkey, &handle, 20), |_| {}).expect(201);
    for count in [20, 19, 0] {
        let fresh = sign_in(&world, "rita");
        step_up(&world, &fresh, (&passkey, &handle, count), |_| {}).problem(401, "passkey_copied");
    }
    enter(&world, (&passkey, &handle, 21), |_| {}).problem(401, "passkey_copied");
    assert_eq!(told(&world, "person.passkey_copied", "factor"), 1);
    let page = world
        .ask("GET", &format!("/t/{TENANT}/account"))
        .header("cookie", &cookie)
        .send();
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(page.contains("it may have been copied"), "the account tells its owner");
}

#[test]
fn who_has_left_or_has_no_local_account_is_not_let_in_and_nobody_adds_one_without_a_fresh_factor() {
    let world = world();
    let first = sign_in(&world, "rita");
    let passkey = Passkey::new(7);
    let (handle, _) = add(&world, &first, &passkey);
    let stale = sign_in(&world, "rita");
    let new = json!({"name": "Mine"});
    ask(&world, &stale, "POST", "/second-factors/passkeys", &new).problem(403, "step_up_required");
    world
        .post("rita", "/second-factors/passkeys", &new)
        .problem(403, "step_up_required");
    world
        .post("rita", "/session/step-up/passkey", &json!({}))
        .problem(403, "step_up_required");
    ask(&world, "a=b", "POST", "/session/passkey", &json!({"tenant": "nobody"})).problem(404, "not_found");
    ask(&world, "a=b", "POST", "/session/passkey", &json!({"tenant": "no/body"})).problem(404, "not_found");
    // Somebody whose password was taken away signs in at their provider.
    world.act(|cx| {
        let person = cx.directory()?.by_login("rita").unwrap().id.0.clone();
        Ok(secrets::delete_password(cx.tx, &person)?)
    });
    enter(&world, (&passkey, &handle, 2), |_| {}).problem(401, "passkey_unknown");
    world.set_password("rita");
    enter(&world, (&passkey, &handle, 3), |_| {}).expect(201);
    world
        .post("adam", "/people/rita/deactivation", &json!({"reason": "She left."}))
        .expect(201);
    enter(&world, (&passkey, &handle, 4), |_| {}).problem(401, "passkey_unknown");
}

#[test]
fn who_has_a_passkey_gets_in_while_others_guess_the_password() {
    let world = world();
    let first = sign_in(&world, "rita");
    let passkey = Passkey::new(7);
    let (handle, _) = add(&world, &first, &passkey);
    for count in 2..12 {
        for _ in 0..6 {
            let body = json!({"tenant": TENANT, "login": "rita", "password": "a good guess, but wrong"});
            let guess = ask(&world, "a=b", "POST", "/session", &body);
            assert!(matches!(guess.status, 401 | 429), "{guess:?}");
        }
        let body = json!({"tenant": TENANT, "login": "rita", "password": PASSWORD});
        ask(&world, "a=b", "POST", "/session", &body).problem(429, "too_many_tries");
        enter(&world, (&passkey, &handle, count), |_| {}).expect(201);
    }
}

#[test]
fn a_server_without_a_name_says_why_it_takes_no_passkeys() {
    let world = World::new();
    world.set_password("rita");
    let door = world
        .ask("POST", "/api/v1/session/passkey")
        .json(&json!({"tenant": TENANT}))
        .send();
    let problem = door.problem(409, "no_passkeys_here");
    assert!(
        problem["unmet"][0]["satisfy"]
            .as_str()
            .unwrap()
            .contains("--public-url")
    );
    let page = world.ask("GET", &format!("/t/{TENANT}/sign-in")).send();
    assert!(
        !String::from_utf8_lossy(&page.body).contains("passkey"),
        "nobody is offered it"
    );
}

/// The page's form comes from somebody without a session, and is not held as one of a session that has ended.
#[test]
fn the_door_s_own_form_lets_in_and_tells_what_was_wrong() {
    let world = world();
    let passkey = Passkey::new(7);
    let (handle, _) = add(&world, &sign_in(&world, "rita"), &passkey);
    let send = |is_altered: bool, count: u32| {
        let (id, options) = challenge(&world, "a=b", "/session/passkey", &json!({"tenant": TENANT}));
        let mut said = AuthenticatorData::honest(HERE, &options, &handle, count);
        said.is_altered = is_altered;
        let answer = passkey.shown(&said).to_string();
        let letters = answer.bytes().map(|byte| format!("%{byte:02X}"));
        let form = format!("id={id}&next=&response={}", letters.collect::<String>());
        let ask = world
            .ask("POST", &format!("/t/{TENANT}/passkey"))
            .header("origin", HERE);
        ask.bytes("application/x-www-form-urlencoded", form.as_bytes()).send()
    };
    let wrong = send(true, 2);
    let page = String::from_utf8_lossy(&wrong.body).into_owned();
    assert_eq!(wrong.status, 401);
    assert!(
        page.contains("Sign in with a passkey") && page.contains("Begin again"),
        "{page}"
    );
    let right = send(false, 3);
    assert_eq!(right.status, 303, "{}", String::from_utf8_lossy(&right.body));
    assert!(right.header("set-cookie").starts_with("assent_session="));
}
