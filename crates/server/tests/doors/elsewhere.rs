//! The tenants in which a person is known: shown to a person who proved their identity, and to nobody else.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::{create_tenant, deactivate_person};
use acts::identity::set_identity_provider;
use model::change::change_file;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::hostile_providers::{Ring, SECRET, is_let_in, words};
use crate::world::{Answer, PASSWORD, TENANT};

/// Does an act on the host in a tenant, as the system.
fn host(ring: &Ring, tenant: &str, act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<()> + Send + 'static) {
    let executor = ring.world.server.state().executor();
    let system = change_file::Actor::system();
    executor.wait(Lane::Acts, tenant, system, Mode::Write, act).unwrap();
}

/// Sets a provider of a tenant up, or anew.
fn set_provider(ring: &Ring, tenant: &str, key: &'static str, (issuer, active): (String, bool)) {
    let body = json!({"name": key, "issuer": issuer, "client_id": "assent", "client_secret": SECRET,
        "creates_people": true, "active": active});
    host(ring, tenant, move |cx| {
        set_identity_provider::set_identity_provider(cx, key, body.as_object().unwrap())?;
        Ok(())
    });
}

/// The issuer that everybody trusts, which the usual tenant knows as `good`.
fn trusted(ring: &Ring) -> String {
    format!("{}/honest", ring.honest.origin)
}

/// Beside the usual tenant Beta, whose people sign in at the same issuer, and Gamma, whose administrator runs one as well.
fn three_tenants() -> Ring {
    let ring = Ring::new();
    for (tenant, name) in [("beta", "Beta Ferries"), ("gamma", "Gamma Rails")] {
        host(&ring, tenant, move |cx| create_tenant::create_tenant(cx, name, false));
    }
    set_provider(&ring, "beta", "good", (trusted(&ring), true));
    set_provider(&ring, "gamma", "good", (trusted(&ring), true));
    let own = format!("{}/plain", ring.hostile.origin);
    set_provider(&ring, "gamma", "own", (own, true));
    ring
}

/// A provider's claims about tess.
fn tess() -> Value {
    json!({"sub": "tess", "preferred_username": "tess", "email": "tess@acme.example", "email_verified": true})
}

/// The cookie of the session that a response began.
fn session(answer: &Answer) -> String {
    assert!(is_let_in(answer), "{} {}", answer.status, words(answer));
    let cookies = answer.header("set-cookie").split("assent_session=").nth(1).unwrap();
    format!("assent_session={}", cookies.split(';').next().unwrap())
}

fn entered(ring: &Ring, tenant: &str, provider: &'static str, claims: &Value) -> String {
    session(&ring.enter(tenant, provider, ("", claims)))
}

/// The keys of the tenants that a bearer lists; the first is the one in which they act.
fn listed(ring: &Ring, (header, value): (&str, &str)) -> Vec<String> {
    let ask = ring.world.ask("GET", "/api/v1/session/tenants").header(header, value);
    let found = ask.send().expect(200);
    let items = found["items"].as_array().unwrap();
    for (at, item) in items.iter().enumerate() {
        let door = format!("/t/{}/sign-in", item["tenant"].as_str().unwrap());
        assert_eq!((&item["is_acting"], &item["door"]), (&json!(at == 0), &json!(door)));
    }
    items
        .iter()
        .map(|it| it["tenant"].as_str().unwrap().to_owned())
        .collect()
}

/// The account page of a session.
fn account(ring: &Ring, tenant: &str, cookie: &str) -> String {
    let page = ring
        .world
        .ask("GET", &format!("/t/{tenant}/account"))
        .header("cookie", cookie)
        .send();
    assert_eq!(page.status, 200, "{}", words(&page));
    words(&page)
}

#[test]
fn who_proved_one_subject_at_two_doors_sees_both_tenants_while_both_let_them_in() {
    let ring = three_tenants();
    let here = entered(&ring, TENANT, "good", &tess());
    let known = |cookie: &str| listed(&ring, ("cookie", cookie));
    assert_eq!(known(&here), [TENANT], "nobody knows her elsewhere yet");
    assert!(!account(&ring, TENANT, &here).contains("Beta Ferries"));
    let there = entered(&ring, "beta", "good", &tess());
    assert_eq!(known(&here), [TENANT, "beta"]);
    assert_eq!(known(&there), ["beta", TENANT]);
    let page = account(&ring, TENANT, &here);
    assert!(
        page.contains("href=\"/t/beta/sign-in\"") && page.contains("Beta Ferries"),
        "{page}"
    );
    assert!(!page.contains("Gamma Rails"), "{page}");
    // She has no password, and none is required of her; her sign-in is shown by name.
    assert!(
        !page.contains("new password") && !page.contains("your password"),
        "{page}"
    );
    assert!(page.contains("by <span translate=\"no\">good</span>, from"), "{page}");
    // Her own browser gets no further than the sign-in page: the pages there require a sign-in there.
    let beyond = ring.world.ask("GET", "/t/beta/account").header("cookie", &here).send();
    assert!(
        beyond.status == 303 && beyond.header("location").starts_with("/t/beta/sign-in"),
        "{}",
        beyond.status
    );
    // A sign-in that is closed to her issuer is none of hers, and neither is one behind which she may no longer act.
    set_provider(&ring, "beta", "good", (trusted(&ring), false));
    assert_eq!(known(&here), [TENANT]);
    set_provider(&ring, "beta", "good", (trusted(&ring), true));
    assert_eq!(known(&here), [TENANT, "beta"]);
    host(&ring, "beta", |cx| {
        let gone = json!({"reason": "Left."});
        deactivate_person::deactivate_person(cx, "tess", gone.as_object().unwrap())?;
        Ok(())
    });
    assert_eq!(known(&here), [TENANT]);
    assert!(!account(&ring, TENANT, &here).contains("Beta Ferries"));
}

#[test]
fn what_a_tenant_says_of_its_people_tells_nobody_of_another_tenant() {
    let ring = three_tenants();
    entered(&ring, TENANT, "good", &tess());
    entered(&ring, "beta", "good", &tess());
    // An issuer that the administrator of a tenant runs claims the same subject, login and address.
    let claimed = entered(&ring, "gamma", "own", &tess());
    assert_eq!(listed(&ring, ("cookie", &claimed)), ["gamma"]);
    assert!(!account(&ring, "gamma", &claimed).contains("Beta Ferries"));
    // It does not get in as the trusted issuer: not by its name, and not with a token that the trusted one signed.
    for (wrong, told) in [("issuer", "issued by another provider"), ("stolen", "")] {
        let answer = ring.enter("gamma", "own", (wrong, &tess()));
        assert!(
            answer.status == 403 && !is_let_in(&answer),
            "{wrong}: {}",
            answer.status
        );
        assert!(words(&answer).contains(told), "{wrong}: {}", words(&answer));
    }
    // Somebody else at the trusted issuer, with a subject that begins as hers does.
    let twin = json!({"sub": "tess 2", "preferred_username": "twin", "email": "twin@acme.example"});
    let twin = entered(&ring, "gamma", "good", &twin);
    assert_eq!(listed(&ring, ("cookie", &twin)), ["gamma"]);
}

#[test]
fn whoever_administers_a_tenant_learns_of_no_other_by_the_ways_in_that_they_hand_out() {
    let ring = three_tenants();
    entered(&ring, "beta", "good", &tess());
    let here = entered(&ring, TENANT, "good", &tess());
    assert_eq!(listed(&ring, ("cookie", &here)), [TENANT, "beta"]);
    // The administrator lists her sessions, and reads of no subject and no other tenant.
    let sessions = ring.world.get("adam", "/people/tess/sessions").expect(200).to_string();
    assert!(sessions.contains("provider:good"), "{sessions}");
    assert!(
        !sessions.contains("beta") && !sessions.contains(&trusted(&ring)),
        "{sessions}"
    );
    // A password that they set, and a token that they make.
    ring.world.set_password("tess");
    let body = json!({"tenant": TENANT, "login": "tess", "password": PASSWORD});
    let taken = session(&ring.world.ask("POST", "/api/v1/session").json(&body).send());
    assert_eq!(listed(&ring, ("cookie", &taken)), [TENANT]);
    let page = account(&ring, TENANT, &taken);
    assert!(!page.contains("/t/beta") && !page.contains("Beta Ferries"), "{page}");
    let token = format!("Bearer {}", ring.world.token("tess", &["read", "write", "admin"]));
    assert_eq!(listed(&ring, ("authorization", &token)), [TENANT]);
    // A fresh factor changes nothing of how the session began.
    let step = ring
        .world
        .ask("POST", "/api/v1/session/step-up")
        .header("cookie", &taken);
    let step = step.header("sec-fetch-site", "same-origin");
    step.json(&json!({"password": PASSWORD})).send().expect(201);
    assert_eq!(listed(&ring, ("cookie", &taken)), [TENANT]);
    // Without any credential nothing is shown at all, and a token that reads nothing reads this no more.
    ring.world
        .ask("GET", "/api/v1/session/tenants")
        .send()
        .problem(401, "unauthenticated");
    let gate = format!("Bearer {}", ring.world.token("tess", &["gate"]));
    let refused = ring
        .world
        .ask("GET", "/api/v1/session/tenants")
        .header("authorization", &gate);
    assert_eq!(refused.send().status, 403);
}

#[test]
fn sessions_that_began_at_a_provider_end_when_it_is_switched_off() {
    let ring = three_tenants();
    let (here, there) = (
        entered(&ring, TENANT, "good", &tess()),
        entered(&ring, "beta", "good", &tess()),
    );
    let is_in = |tenant: &str, cookie: &str| {
        let page = ring.world.ask("GET", &format!("/t/{tenant}/account"));
        page.header("cookie", cookie).send().status == 200
    };
    assert!(is_in(TENANT, &here) && is_in("beta", &there));
    set_provider(&ring, "beta", "good", (trusted(&ring), true));
    assert!(
        is_in("beta", &there),
        "it stays with a provider that only says the same anew"
    );
    set_provider(&ring, "beta", "good", (trusted(&ring), false));
    assert!(!is_in("beta", &there));
    assert!(is_in(TENANT, &here), "another tenant's provider is another one");
    set_provider(&ring, "beta", "good", (trusted(&ring), true));
    assert!(!is_in("beta", &there), "it does not come back with the provider");
}
