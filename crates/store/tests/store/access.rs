//! Sessions, tokens, secrets, repeated requests, counters, the gate's view, files, servers.

use serde_json::json;
use store::change::blob;
use store::change::form_draft::{self, FormDraft};
use store::directory::estate_write;
use store::gate::gate_view::{self, GateRow};
use store::idempotency::{self, RequestKey, SavedAnswer};
use store::identity::session::{self, Session};
use store::identity::{second_factor, secrets, workload};
use store::report::change_outcome::{self, OutcomeRow};
use store::report::{projection, saved_view};
use store::servers::{self, Server};
use store::{Error, counter, record};

use crate::world::{ACME, OTHER, at, check};

fn session_of(digest: &str, person: &str, expires: i64) -> Session {
    Session {
        token_digest: digest.to_owned(),
        person: person.to_owned(),
        created_at: at(0),
        last_seen_at: at(0),
        expires_at: at(expires),
        stepped_up_at: None,
        id: format!("id-{digest}"),
        method: "password".to_owned(),
        factor: None,
        is_second_factor: false,
        source: "192.0.2.1".to_owned(),
        agent: "curl".to_owned(),
        handed_by: (digest == "d2").then(|| "p9".to_owned()),
        subject: (digest == "d1").then(|| "https://id.example 7".to_owned()),
        mac: b"a code".to_vec(),
    }
}

#[test]
fn a_session_is_found_by_its_digest_alone() {
    check(|world| {
        world.act(|tx| session::insert(tx, &session_of("d1", "p1", 10)));
        world.act(|tx| session::insert(tx, &session_of("d2", "p1", 20)));
        world.act(|tx| session::insert(tx, &session_of("d3", "p2", 30)));
        let (tenant, found) = world.across(|tx| session::find(tx, "d1")).unwrap();
        assert_eq!((tenant.as_str(), found), (ACME, session_of("d1", "p1", 10)));
        assert_eq!(world.across(|tx| session::find(tx, "d9")), None);
        let proven = |digest: &'static str| world.read(move |tx| session::proven_subject(tx, digest));
        assert_eq!(proven("d1").as_deref(), Some("https://id.example 7"));
        assert_eq!((proven("d2"), proven("d9")), (None, None));
        let foreign = world.try_act(OTHER, |tx| session::proven_subject(tx, "d1"));
        assert_eq!(foreign, Ok(None), "a session is read by its own tenant alone");
        let stepped = |second: i64, factor: &str, is_second: bool| Session {
            stepped_up_at: Some(at(second)),
            factor: Some(factor.to_owned()),
            is_second_factor: is_second,
            mac: format!("another code {second}").into_bytes(),
            ..session_of("d1", "p1", 10)
        };
        let totp = stepped(6, "totp", true);
        assert!(world.act(move |tx| session::save_factor(tx, &totp)));
        let (_, found) = world.across(|tx| session::find(tx, "d1")).unwrap();
        assert_eq!(found, stepped(6, "totp", true));
        assert_eq!(found.stepped_up_at, Some(at(6)));
        assert_eq!((found.factor.as_deref(), found.is_second_factor), (Some("totp"), true));
        let password = stepped(7, "password", false);
        assert!(world.act(move |tx| session::save_factor(tx, &password)));
        let (_, found) = world.across(|tx| session::find(tx, "d1")).unwrap();
        assert_eq!(
            (found.factor.as_deref(), found.is_second_factor),
            (Some("password"), false)
        );
        let ids = |now| {
            let found = world.read(move |tx| session::of_person(tx, "p1", at(now)));
            found.into_iter().map(|it| it.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ["id-d1", "id-d2"]);
        assert_eq!(ids(15), ["id-d2"]);
        assert!(world.act(|tx| session::delete_by_id(tx, "p2", "id-d1")).is_empty());
        assert!(world.read(|tx| session::is_there(tx, "p1", "id-d1")));
        assert!(!world.read(|tx| session::is_there(tx, "p2", "id-d1")));
        assert_eq!(world.across(|tx| session::prune(tx, at(15), 9)), 1);
        let ended = session::Ended {
            person: "p1".to_owned(),
            id: "id-d2".to_owned(),
        };
        assert_eq!(world.act(|tx| session::delete_of_person(tx, "p1")), [ended]);
        world.act(|tx| session::insert(tx, &session_of("d2", "p1", 20)));
        assert!(world.act(|tx| session::delete_set_by(tx, "p1")).is_empty());
        assert_eq!(world.act(|tx| session::delete_set_by(tx, "p9")).len(), 1);
        assert_eq!(world.act(|tx| session::delete(tx, "d3")).len(), 1);
        assert!(world.act(|tx| session::delete(tx, "d3")).is_empty());
    });
}

#[test]
fn what_a_token_is_used_for_is_kept_by_scope() {
    check(|world| {
        for (token, scope, second) in [
            ("t1", "gate", 1),
            ("t1", "write", 2),
            ("t1", "gate", 3),
            ("t2", "read", 4),
        ] {
            world.act(move |tx| session::note_scope_use(tx, token, scope, at(second)));
        }
        let uses = world.read(session::scope_uses);
        let of = |token: &str| {
            let rows = uses[token].iter();
            rows.map(|it| (it.scope.clone(), it.first_at, it.last_at))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of("t1"),
            [("gate".to_owned(), at(1), at(3)), ("write".to_owned(), at(2), at(2))]
        );
        assert_eq!(of("t2"), [("read".to_owned(), at(4), at(4))]);
        assert!(world.try_act(OTHER, session::scope_uses).unwrap().is_empty());
    });
}

#[test]
fn since_when_and_when_last_somebody_signed_in_is_kept() {
    check(|world| {
        for (person, second) in [("p1", 1), ("p2", 2), ("p1", 3)] {
            world.act(move |tx| session::note_seen(tx, person, at(second)));
        }
        let seen = world.read(session::seen);
        let of = |person: &str| seen.get(person).copied();
        assert_eq!(of("p1"), Some((at(1), at(3))));
        assert_eq!(of("p2"), Some((at(2), at(2))));
        assert!(world.try_act(OTHER, session::seen).unwrap().is_empty());
    });
}

#[test]
fn a_token_is_found_by_its_digest_alone() {
    check(|world| {
        let token: model::directory::snapshot::Token = serde_json::from_value(json!({
            "id": "t1", "version": 1, "name": "ci", "person": "p1", "owner": "p2", "digest": "sha256:1",
            "prefix": "asn_1", "scopes": ["gate"], "created_at": at(0).to_string(),
        }))
        .unwrap();
        let saved = token.clone();
        world.act(move |tx| record::insert(tx, &saved, "{}"));
        let find = |generation| {
            let (tenant, token) = (ACME.to_owned(), token.clone());
            Some(session::FoundToken {
                tenant,
                token,
                generation,
            })
        };
        assert_eq!(world.across(|tx| session::find_token(tx, "sha256:1")), find(0));
        world.act(|tx| counter::next(tx, counter::DIRECTORY));
        world.act(|tx| counter::next(tx, "another"));
        assert_eq!(world.across(|tx| session::find_token(tx, "sha256:1")), find(1));
        assert_eq!(world.across(|tx| session::find_token(tx, "sha256:2")), None);
    });
}

#[test]
fn passwords_and_secrets_are_replaced_and_removed() {
    check(|world| {
        world.act(|tx| secrets::save_password(tx, "p1", "phc1", (None, at(1))));
        assert_eq!(world.read(|tx| secrets::password_setter(tx, "p1")), None, "their own");
        world.act(|tx| secrets::save_password(tx, "p1", "phc2", (Some("p9"), at(2))));
        assert_eq!(world.read(|tx| secrets::password(tx, "p1")).as_deref(), Some("phc2"));
        let setter = world.read(|tx| secrets::password_setter(tx, "p1"));
        assert_eq!(setter, Some(("p9".to_owned(), at(2))));
        world.act(|tx| secrets::save_password(tx, "p1", "phc2", (None, at(3))));
        assert_eq!(
            world.read(|tx| secrets::password_setter(tx, "p1")),
            None,
            "their own again"
        );
        assert_eq!(world.read(|tx| secrets::password_setter(tx, "p2")), None);
        world.act(|tx| secrets::save_password(tx, "p3", "phc3", (Some("p9"), at(4))));
        assert_eq!(
            world.act(|tx| secrets::delete_passwords_set_by(tx, "p9", at(4))).len(),
            0
        );
        assert_eq!(
            world.act(|tx| secrets::delete_passwords_set_by(tx, "p9", at(3))).len(),
            1
        );
        assert_eq!(world.read(|tx| secrets::password(tx, "p3")), None);
        assert!(world.act(|tx| secrets::delete_password(tx, "p1")));
        assert_eq!(world.read(|tx| secrets::password(tx, "p1")), None);
        world.act(|tx| secrets::save(tx, "k1", &[1], at(0)));
        world.act(|tx| secrets::save(tx, "k1", &[2], at(1)));
        assert_eq!(world.read(|tx| secrets::load(tx, "k1")), Some(vec![2]));
        assert!(world.act(|tx| secrets::delete(tx, "k1")));
        assert_eq!(world.read(|tx| secrets::load(tx, "k1")), None);
    });
}

const KEY: RequestKey<'_> = RequestKey {
    credential: "t1",
    method: "POST",
    path: "/api/v1/changes",
    key: "k",
};

#[test]
fn a_repeated_request_finds_the_first_answer() {
    check(|world| {
        let answer = SavedAnswer {
            body_digest: "sha256:1".to_owned(),
            status: 201,
            answer: "{}".to_owned(),
        };
        assert_eq!(world.read(|tx| idempotency::load(tx, &KEY)), None);
        let saved = answer.clone();
        world.act(move |tx| idempotency::save(tx, &KEY, &saved, at(0)));
        assert_eq!(world.read(|tx| idempotency::load(tx, &KEY)), Some(answer.clone()));
        let twice = world.try_act(ACME, move |tx| idempotency::save(tx, &KEY, &answer, at(0)));
        assert!(matches!(twice, Err(Error::Conflict { .. })));
        let other = RequestKey {
            credential: "t2",
            ..KEY
        };
        assert_eq!(world.read(move |tx| idempotency::load(tx, &other)), None);
        assert_eq!(world.across(|tx| idempotency::prune(tx, at(0), 9)), 0);
        assert_eq!(world.across(|tx| idempotency::prune(tx, at(1), 9)), 1);
    });
}

#[test]
fn what_is_over_is_removed_piece_by_piece_and_the_oldest_first() {
    check(|world| {
        for (tenant, id, ended) in [(ACME, "c1", 3), (OTHER, "c2", 1), (ACME, "c3", 2), (OTHER, "c4", 9)] {
            world
                .try_act(tenant, move |tx| {
                    second_factor::begin(tx, id, "p", "passkey", "{}", at(ended))
                })
                .unwrap();
            world
                .try_act(tenant, move |tx| workload::insert(tx, id, "w", at(ended)))
                .unwrap();
            let key = RequestKey { key: id, ..KEY };
            let answer = SavedAnswer {
                body_digest: "sha256:1".to_owned(),
                status: 201,
                answer: "{}".to_owned(),
            };
            world
                .try_act(tenant, move |tx| idempotency::save(tx, &key, &answer, at(ended)))
                .unwrap();
        }
        for expected in [2, 1, 0] {
            assert_eq!(world.across(|tx| second_factor::prune(tx, at(3), 2)), expected);
            assert_eq!(world.across(|tx| workload::prune(tx, at(3), 2)), expected);
            assert_eq!(world.across(|tx| idempotency::prune(tx, at(4), 2)), expected);
            if expected == 2 {
                let left = world.act(|tx| second_factor::take(tx, "c1", "p", "passkey", at(0)));
                assert!(left.is_some(), "the oldest go first");
                world.act(|tx| second_factor::begin(tx, "c1", "p", "passkey", "{}", at(3)));
            }
        }
    });
}

#[test]
fn counters_only_grow() {
    check(|world| {
        assert_eq!(world.act(|tx| counter::next(tx, "change")), 1);
        world.act(|tx| counter::raise_to(tx, "change", 1_000));
        world.act(|tx| counter::raise_to(tx, "change", 5));
        assert_eq!(world.act(|tx| counter::next(tx, "change")), 1_001);
        assert_eq!(world.read(|tx| counter::get(tx, "change")), 1_001);
    });
}

fn gate_row(target: &str, artifact: Option<&str>, commit: Option<&str>) -> GateRow {
    GateRow {
        change_id: "c1".to_owned(),
        target_id: target.to_owned(),
        purpose: "deploy".to_owned(),
        service: "web".to_owned(),
        environment: "production".to_owned(),
        artifact: artifact.map(str::to_owned),
        commit: commit.map(str::to_owned),
        body: "{}".to_owned(),
    }
}

#[test]
fn of_many_targets_only_the_rows_that_differ_are_written() {
    let row = |target: usize, artifact: &str| gate_row(&target.to_string(), Some(artifact), None);
    let before: Vec<GateRow> = (0..40).map(|target| row(target, "a")).collect();
    let mut after = before.clone();
    after[7] = row(7, "b");
    after.remove(3);
    after.push(row(40, "a"));
    after.reverse();
    let differing = gate_view::differing(&before, &after);
    let named: Vec<(&str, Option<&str>)> = differing
        .iter()
        .map(|it| (it.target_id.as_str(), it.artifact.as_deref()))
        .collect();
    assert_eq!(
        named,
        [("3", Some("a")), ("7", Some("a")), ("40", Some("a")), ("7", Some("b"))]
    );
    assert!(gate_view::differing(&before, &before).is_empty());
    check(|world| {
        let (first, then) = (before.clone(), after.clone());
        world.act(move |tx| gate_view::save(tx, "c1", &[], &first));
        world.act(move |tx| {
            let present = gate_view::of_change(tx, "c1")?;
            gate_view::save(tx, "c1", &present, &then)
        });
        let mut wanted = after.clone();
        wanted.sort_by(|one, other| one.place().cmp(&other.place()));
        let mut there = world.read(|tx| gate_view::of_change(tx, "c1"));
        there.sort_by(|one, other| one.place().cmp(&other.place()));
        assert_eq!(there, wanted);
    });
}

#[test]
fn the_gate_finds_a_target_by_artifact_or_commit() {
    check(|world| {
        let rows = [gate_row("2", None, Some("c")), gate_row("1", Some("a"), None)];
        world.act(move |tx| gate_view::save(tx, "c1", &[], &rows));
        let find = |artifact: Option<&'static str>, commit: Option<&'static str>| {
            world
                .read(move |tx| gate_view::find(tx, "web", "production", artifact, commit))
                .into_iter()
                .map(|it| it.target_id)
                .collect::<Vec<_>>()
        };
        assert_eq!(find(Some("a"), None), ["1"]);
        assert_eq!(find(None, Some("c")), ["2"]);
        assert_eq!(find(Some("a"), Some("c")), ["1", "2"]);
        assert!(find(None, None).is_empty());
        assert!(find(Some("x"), None).is_empty());
        world.act(|tx| {
            let present = gate_view::of_change(tx, "c1")?;
            gate_view::save(tx, "c1", &present, &[gate_row("1", Some("b"), None)])
        });
        assert_eq!(
            world.read(|tx| gate_view::of_change(tx, "c1")),
            [gate_row("1", Some("b"), None)]
        );
        world.act(|tx| {
            let present = gate_view::of_change(tx, "c1")?;
            gate_view::save(tx, "c1", &present, &[])
        });
        assert!(world.read(|tx| gate_view::of_change(tx, "c1")).is_empty());
    });
}

#[test]
fn a_file_comes_back_chunk_by_chunk() {
    check(|world| {
        world.act(|tx| blob::save_chunk(tx, "sha256:1", 0, b"one", at(0)));
        world.act(|tx| blob::save_chunk(tx, "sha256:1", 1, b"two", at(0)));
        assert_eq!(world.read(|tx| blob::size(tx, "sha256:1")), None);
        world.act(|tx| blob::finish(tx, "sha256:1", 6, at(0)));
        assert_eq!(world.read(|tx| blob::size(tx, "sha256:1")), Some(6));
        assert_eq!(world.read(|tx| blob::chunk(tx, "sha256:1", 1)), Some(b"two".to_vec()));
        assert_eq!(world.read(|tx| blob::chunk(tx, "sha256:1", 2)), None);
        // A chunk that is saved again replaces the edited bytes, and is no second chunk.
        world.act(|tx| blob::save_chunk(tx, "sha256:1", 1, b"three", at(1)));
        let part = |number, length| blob::Part { number, length };
        let parts = |from, limit| world.read(move |tx| blob::parts(tx, "sha256:1", from, limit));
        assert_eq!(parts(0, 9), [part(0, 3), part(1, 5)]);
        assert_eq!((parts(0, 1), parts(1, 9)), (vec![part(0, 3)], vec![part(1, 5)]));
        assert_eq!(parts(2, 9), []);
        assert!(world.act(|tx| blob::delete(tx, "sha256:1")));
        assert_eq!(world.read(|tx| blob::chunk(tx, "sha256:1", 0)), None);
    });
}

fn evidence(id: &str, digest: &str) -> model::change::related_records::Evidence {
    serde_json::from_value(json!({
        "id": id, "version": 1, "change": "c1", "kind": "file", "aspect": "functional", "result": "passed", "name": "",
        "file_digest": digest, "size": 3, "media_type": "text/plain", "by": "p1", "at": at(0).to_string(),
    }))
    .unwrap()
}

#[test]
fn old_files_that_no_evidence_names_go() {
    check(|world| {
        for (digest, kept) in [("aa", 0), ("bb", 0), ("cc", 90)] {
            world.act(move |tx| blob::save_chunk(tx, digest, 0, b"one", at(kept)));
            world.act(move |tx| blob::finish(tx, digest, 3, at(kept)));
        }
        // Of this one the rest never came.
        world.act(|tx| blob::save_chunk(tx, "dd", 0, b"one", at(0)));
        world.act(|tx| record::insert(tx, &evidence("e1", "sha256:aa"), "{}"));
        assert_eq!(world.act(|tx| blob::sweep(tx, at(50))), 3);
        for (digest, stays) in [("aa", true), ("bb", false), ("cc", true), ("dd", false)] {
            let found = world.read(move |tx| blob::chunk(tx, digest, 0));
            assert_eq!(found.is_some(), stays, "{digest}");
        }
        // A file that is saved again is young again.
        world.act(|tx| blob::save_chunk(tx, "cc", 0, b"one", at(200)));
        world.act(|tx| blob::finish(tx, "cc", 3, at(200)));
        assert_eq!(world.act(|tx| blob::sweep(tx, at(150))), 0);
        let digests = ["aa", "bb"].map(|hex| format!("sha256:{hex}"));
        let tenants = ["nobody".to_owned(), ACME.to_owned()];
        let named = world.across(move |tx| blob::named(tx, &tenants, &digests));
        assert_eq!(named.into_iter().collect::<Vec<_>>(), ["sha256:aa"]);
    });
}

#[test]
fn servers_tell_of_themselves() {
    check(|world| {
        let server = |beat| Server {
            id: "s1".to_owned(),
            started_at: at(0),
            beat_at: at(beat),
            version: "0.1.0".to_owned(),
        };
        world.across(move |tx| servers::beat(tx, &server(1)));
        world.across(move |tx| servers::beat(tx, &server(5)));
        assert_eq!(world.across(|tx| servers::list(tx, at(5))), [server(5)]);
        assert!(world.across(|tx| servers::list(tx, at(6))).is_empty());
        assert_eq!(world.across(|tx| servers::prune(tx, at(6))), 1);
        assert!(world.across(servers::tenants).is_empty());
        assert_eq!(world.across(|tx| servers::tenant_of_connection(tx, "nobody's")), None);
    });
}

#[test]
fn a_saved_view_is_one_persons_and_is_replaced_by_its_name() {
    check(|world| {
        let view = |name: &str, query: &str| saved_view::SavedView {
            name: name.to_owned(),
            query: query.to_owned(),
            is_shared: false,
            version: 1,
        };
        for (name, query) in [
            ("Late", "state=open"),
            ("Mine", "owner=ada"),
            ("Late", "state=scheduled"),
        ] {
            let kept = view(name, query);
            world.act(move |tx| saved_view::save(tx, "p1", "changes", &kept, at(0)));
        }
        let found = world.read(|tx| saved_view::list(tx, "p1", "changes", 10));
        assert_eq!(found, [view("Late", "state=scheduled"), view("Mine", "owner=ada")]);
        assert_eq!(world.read(|tx| saved_view::list(tx, "p2", "changes", 10)), []);
        let shared = saved_view::SavedView {
            is_shared: true,
            version: 2,
            ..view("Late", "state=scheduled")
        };
        let kept = shared.clone();
        world.act(move |tx| saved_view::save(tx, "p1", "changes", &kept, at(1)));
        let of_others = |person: &'static str| world.read(move |tx| saved_view::list_shared(tx, person, "changes", 10));
        assert_eq!(of_others("p2"), [("p1".to_owned(), shared)]);
        assert_eq!(of_others("p1"), []);
        assert!(world.act(|tx| saved_view::delete(tx, "p1", "changes", "Late")));
        assert!(!world.act(|tx| saved_view::delete(tx, "p1", "changes", "Late")));
        assert_eq!(world.read(|tx| saved_view::list(tx, "p1", "changes", 1)).len(), 1);
    });
}

#[test]
fn a_draft_is_one_persons_and_ends_by_hand_by_age_or_with_its_person() {
    check(|world| {
        let draft = |form: &str, version: i64, at_second: i64| FormDraft {
            form: form.to_owned(),
            version,
            answers: format!("[[\"title\",\"{version}\"]]"),
            saved_at: at(at_second),
        };
        for (form, version, second) in [("", 1, 1), ("service=pay", 1, 2), ("", 2, 3)] {
            let kept = draft(form, version, second);
            world.act(move |tx| form_draft::save(tx, "p1", &kept));
        }
        let other = draft("", 1, 4);
        world.act(move |tx| form_draft::save(tx, "p2", &other));
        let of = |person: &'static str, after: i64| world.read(move |tx| form_draft::list(tx, person, at(after), 10));
        assert_eq!(of("p1", 0), [draft("", 2, 3), draft("service=pay", 1, 2)]);
        assert_eq!(of("p1", 2), [draft("", 2, 3)], "older ones are not told");
        assert_eq!(of("p2", 0), [draft("", 1, 4)]);
        let foreign = world.try_act(OTHER, |tx| form_draft::list(tx, "p1", at(0), 10));
        assert_eq!(foreign, Ok(Vec::new()), "another tenant has none of them");
        assert!(world.act(|tx| form_draft::delete(tx, "p1", "")));
        assert!(!world.act(|tx| form_draft::delete(tx, "p1", "")));
        assert_eq!(world.act(|tx| form_draft::delete_of_person(tx, "p2")), 1);
        assert_eq!(world.across(|tx| form_draft::prune(tx, at(1), 10)), 0);
        assert_eq!(world.across(|tx| form_draft::prune(tx, at(2), 10)), 1);
        assert_eq!(of("p1", 0), []);
    });
}

#[test]
fn what_was_written_of_the_estate_is_known_or_said_to_be_unknown() {
    check(|world| {
        let written = |ids: &[&str]| -> std::collections::BTreeSet<estate_write::Written> {
            ids.iter().map(|id| ("person".to_owned(), (*id).to_owned())).collect()
        };
        let note = |generation: i64, ids: &'static [&'static str]| {
            let written = written(ids);
            world.act(move |tx| estate_write::insert(tx, generation, &written));
        };
        let between = |after, up_to| world.read(move |tx| estate_write::between(tx, after, up_to));
        note(1, &["p1", "p2"]);
        note(2, &[]);
        note(3, &["p2", "p3"]);
        assert_eq!(between(0, 3), Some(written(&["p1", "p2", "p3"])));
        assert_eq!(between(1, 2), Some(written(&[])));
        assert_eq!(between(2, 3), Some(written(&["p2", "p3"])));
        assert_eq!(between(3, 3), Some(written(&[])));
        // An earlier binary moved the counter and noted nothing.
        note(5, &["p4"]);
        for (after, up_to) in [(3, 5), (3, 4), (5, 6), (6, 5)] {
            assert_eq!(between(after, up_to), None, "after {after} up to {up_to}");
        }
        assert_eq!(between(4, 5), Some(written(&["p4"])));
        let many: std::collections::BTreeSet<_> = (0..1_001).map(|it| ("person".to_owned(), it.to_string())).collect();
        world.act(move |tx| estate_write::insert(tx, 6, &many));
        assert_eq!(between(5, 6), None, "too many to be named");
        // Old ones go.
        note(4_096 + 512, &["p5"]);
        assert_eq!(between(4, 5), None);
        assert_eq!(between(4_096 + 511, 4_096 + 512), Some(written(&["p5"])));
        assert!(
            world
                .try_act("other", |tx| estate_write::between(tx, 0, 3))
                .unwrap()
                .is_none()
        );
    });
}

#[test]
fn a_projection_moves_on_from_its_own_position_alone() {
    check(|world| {
        let position = || world.read(|tx| projection::position(tx, "change_outcome"));
        let moved = |from: i64, to: i64| world.act(move |tx| projection::save_position(tx, "change_outcome", from, to));
        assert_eq!(position(), 0);
        assert!(moved(0, 5));
        assert!(!moved(0, 7), "another server was there first");
        assert!(moved(5, 9) && !moved(5, 9));
        assert_eq!(position(), 9);
        let foreign = world.try_act(OTHER, |tx| projection::position(tx, "change_outcome"));
        assert_eq!(foreign, Ok(0), "each tenant has its own");
    });
}

#[test]
fn a_row_for_figures_replaces_the_one_before_and_is_listed_by_its_times() {
    check(|world| {
        let row = |id: &str, number: i64, created: i64, moved: i64| OutcomeRow {
            change_id: id.to_owned(),
            version: 1,
            number,
            created_at: at(created),
            moved_at: at(moved),
            ended_at: Some(at(moved)),
            body: format!("{{\"moved\":{moved}}}"),
        };
        let rows = [
            row("c1", 1, 10, 20),
            row("c2", 2, 15, 90),
            row("c3", 3, 80, 80),
            row("c1", 1, 10, 50),
        ];
        for it in rows.clone() {
            world.act(move |tx| change_outcome::save(tx, &it));
        }
        let ids = |from: i64, to: i64, limit: i64| {
            let found = world.read(move |tx| change_outcome::list(tx, at(from), at(to), limit));
            found.into_iter().map(|it| it.change_id).collect::<Vec<_>>()
        };
        assert_eq!(ids(0, 100, 10), ["c1", "c3", "c2"], "by when they moved");
        assert_eq!(ids(60, 100, 10), ["c3", "c2"]);
        assert_eq!(ids(0, 80, 10), ["c1", "c2"], "created before");
        assert_eq!(ids(0, 100, 1), ["c1"]);
        let cut = |from: i64, to: i64, most: i64| world.read(move |tx| change_outcome::cut(tx, at(from), at(to), most));
        assert_eq!(cut(0, 100, 2), Some(at(50)), "the two that moved later fit");
        assert_eq!(cut(0, 100, 3), None, "all fit");
        assert_eq!(cut(0, 80, 1), Some(at(50)), "of those created before");
        let written = OutcomeRow {
            ended_at: None,
            ..row("c4", 4, 95, 95)
        };
        world.act(move |tx| change_outcome::save(tx, &written));
        assert_eq!(ids(0, 100, 10), ["c1", "c3", "c2", "c4"]);
        let moved = world.read(|tx| change_outcome::list_moved(tx, at(0), at(100), 10));
        let moved: Vec<String> = moved.into_iter().map(|it| it.change_id).collect();
        assert_eq!(moved, ["c1", "c3", "c2"], "not what was only written");
        let cut = |most: i64| world.read(move |tx| change_outcome::cut_moved(tx, at(0), at(100), most));
        assert_eq!((cut(2), cut(3)), (Some(at(50)), None));
        let emergencies = world.read(|tx| change_outcome::list_of_kind(tx, "emergency", (at(0), at(100)), 10));
        assert!(emergencies.is_empty(), "no change of this kind is behind a row");
        assert_eq!(world.read(|tx| change_outcome::find(tx, "c1")), Some(rows[3].clone()));
        assert_eq!(world.read(|tx| change_outcome::find(tx, "c9")), None);
        let foreign = world.try_act(OTHER, |tx| change_outcome::find(tx, "c1"));
        assert_eq!(foreign, Ok(None));
        assert_eq!(
            world.read(|tx| change_outcome::list_orphans(tx, 2)),
            ["c1", "c2"],
            "no change has these ids"
        );
        world.act(|tx| projection::save_position(tx, "change_outcome", 0, 4));
        world.act(change_outcome::delete_all);
        assert_eq!(ids(0, 100, 10), Vec::<String>::new());
        assert_eq!(
            world.read(|tx| projection::position(tx, "change_outcome")),
            0,
            "it begins anew"
        );
    });
}
