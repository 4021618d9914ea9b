//! The log from outside: keys, checkpoint, tiles, bundles, live events, and their readers.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{BufRead, BufReader, Write};

use acts::directory::{create_tenant, provision, set_person};
use acts::identity::set_token;
use acts::notify::set_telling;
use acts::report::find_records;
use model::change::change_file::Actor;
use model::identity::provider::ProvisionedPerson;
use serde_json::json;
use store::audit::event;
use store::{Lane, Mode};

use crate::world::{Answer, World};

fn fetch(world: &World, login: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {}", world.tokens[login]);
    world.ask("GET", path).header("authorization", &bearer).send()
}

/// The bundle of a change, requested until its events have their place.
fn bundle(world: &World, key: &str) -> Answer {
    loop {
        let answer = world.get("aino", &format!("/changes/{key}/bundle"));
        if answer.status != 503 {
            return answer;
        }
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[test]
fn an_auditor_fetches_what_verifies() {
    let world = World::new();
    let key = world.draft();
    let zip = bundle(&world, &key);
    assert_eq!(zip.status, 200);
    let keys = String::from_utf8(fetch(&world, "aino", "/t/acme/log/key").body).unwrap();
    let keys = proof::note::VerifierKeys::parse(&keys).unwrap();
    let report = proof::bundle::verify(&zip.body, Some(&keys));
    assert_eq!(report.outcome, proof::report::Outcome::Good, "{report:?}");
    let checkpoint = fetch(&world, "aino", "/t/acme/log/checkpoint");
    assert_eq!(checkpoint.status, 200);
    let size: u64 = String::from_utf8(checkpoint.body)
        .unwrap()
        .lines()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!(size > 0);
    assert_eq!(
        fetch(&world, "aino", &format!("/t/acme/log/tile/0/000.p/{size}")).status,
        200
    );
    fetch(&world, "aino", "/t/acme/log/tile/0/999").problem(404, "not_found");
}

#[test]
fn the_log_is_open_to_auditors_alone() {
    let world = World::new();
    let key = world.draft();
    fetch(&world, "rita", "/t/acme/log/checkpoint").problem(403, "not_allowed");
    world
        .get("rita", &format!("/changes/{key}/bundle"))
        .problem(403, "not_allowed");
    world
        .ask("GET", "/t/acme/log/checkpoint")
        .send()
        .problem(401, "unauthenticated");
    fetch(&world, "aino", "/t/other/log/checkpoint").problem(404, "not_found");
    world.ask("GET", "/t/other/log/key").send().problem(404, "not_found");
    world
        .ask("GET", "/t/other/.well-known/assent-revocations")
        .send()
        .problem(404, "not_found");
    assert_eq!(fetch(&world, "aino", "/t/system/log/checkpoint").status, 200);
}

#[test]
fn an_event_with_what_it_wrote_is_shown_to_auditors_alone_and_keeps_what_is_for_scim() {
    let world = World::new();
    let id = world.act(|cx| {
        let told = ProvisionedPerson {
            login: "petra".to_owned(),
            name: "Petra".to_owned(),
            external_id: Some("hr-4711".to_owned()),
            attributes: vec![("phoneNumbers".to_owned(), "+47-111".to_owned())],
            ..ProvisionedPerson::default()
        };
        let petra = provision::create_person(cx, &told)?;
        let wish = json!({"how": "digest", "digest_at": "05:55"});
        set_telling::set_telling(cx, "petra", wish.as_object().unwrap())?;
        Ok(petra.id.0)
    });
    let events = |tenant: &str, table: &'static str, id: String| {
        let look = move |cx: &mut acts::Context<'_, '_>| Ok(event::of_subject(cx.tx, table, &id)?);
        let executor = world.server.state().executor();
        executor
            .wait(Lane::Pages, tenant, Actor::system(), Mode::Read, look)
            .unwrap()
    };
    let of_petra = events(crate::world::TENANT, "person", id);
    assert_eq!(of_petra.len(), 2);
    for event in &of_petra {
        let shown = world.get("aino", &format!("/events/{}", event.id)).expect(200);
        let text = shown.to_string();
        assert!(text.contains("(withheld)"), "{shown}");
        for secret in ["hr-4711", "phoneNumbers", "+47-111", "05:55"] {
            assert!(!text.contains(secret), "{secret}: {shown}");
        }
    }
    let path = format!("/events/{}", of_petra[0].id);
    world.get("rita", &path).problem(403, "not_allowed");
    world
        .ask("GET", &format!("/api/v1{path}"))
        .send()
        .problem(401, "unauthenticated");
    let reader = world.token("aino", &["read"]);
    let by_reader = world
        .ask("GET", &format!("/api/v1{path}"))
        .header("authorization", &format!("Bearer {reader}"));
    assert_eq!(by_reader.send().status, 403, "a token without the scope `audit`");
    let foreign = {
        let make = |cx: &mut acts::Context<'_, '_>| {
            create_tenant::create_tenant(cx, "Other", false)?;
            let otto = json!({"login": "otto", "name": "Otto"});
            Ok(set_person::create_person(cx, otto.as_object().unwrap())?.id.0)
        };
        let executor = world.server.state().executor();
        let otto = executor
            .wait(Lane::Acts, "other", Actor::system(), Mode::Write, make)
            .unwrap();
        events("other", "person", otto)[0].id.clone()
    };
    for nothing in [foreign.as_str(), "999999", "-1", "no-such-event"] {
        world
            .get("aino", &format!("/events/{nothing}"))
            .problem(404, "not_found");
    }
}

/// A stream goes on for minutes; it ends with the credential that opened it.
#[test]
fn a_stream_ends_with_its_credential() {
    let world = World::new();
    let key = world.draft();
    assert_eq!(bundle(&world, &key).status, 200, "by now its events have their place");
    let token = world.token("rita", &["read"]);
    let mut stream = world.connect();
    let head = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\nlast-event-id: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "event: change.created"));
    let id = world.act(|cx| {
        let tokens = find_records::find_tokens(cx)?;
        Ok(tokens.last().map(|token| token.id.0.clone()).unwrap_or_default())
    });
    world.act(move |cx| set_token::revoke_token(cx, &id));
    // Reading on comes to an end; before, it would go on for a quarter of an hour.
    world.draft();
    lines.for_each(drop);
}

#[test]
fn live_events_come_with_their_index_and_are_replayed() {
    let world = World::new();
    let key = world.draft();
    assert_eq!(bundle(&world, &key).status, 200, "by now its events have their place");
    let mut stream = world.connect();
    let head = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nlast-event-id: 0\r\n\r\n",
        world.tokens["rita"]
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(lines.find(|line| line.starts_with("id:")).unwrap(), "id: 1");
    assert!(lines.any(|line| line == "event: change.created"));
}

/// An id of another tenant, or of a time before a restore, would be waited for in silence.
#[test]
fn a_stream_goes_on_only_from_an_event_that_is_there() {
    let world = World::new();
    let ask = |last: &str| {
        world
            .as_person("rita", "GET", "/stream")
            .header("last-event-id", last)
            .send()
    };
    for last in ["99999999", "-1", "abc", "1.5", "18446744073709551616"] {
        ask(last).problem(400, "malformed");
    }
    world
        .get("rita", "/stream?kinds=change.created")
        .problem(422, "invalid");
}

#[test]
fn all_that_a_filter_of_the_log_says_wrongly_is_told_at_once() {
    let world = World::new();
    let path = "/events?kind=A+B&actor=nobody&from=then&to=now&after=here&limit=0";
    let problem = world.get("aino", path).problem(422, "invalid");
    let fields: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["from", "to", "after", "limit", "kind", "actor"], "{problem:#}");
    let turned = "/events?kind=A&from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z";
    let problem = world.get("aino", turned).problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "{problem:#}");
}
