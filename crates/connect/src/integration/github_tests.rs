#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use super::*;
use proptest::prelude::*;
use serde_json::json;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";
const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes()).unwrap()
}

fn one(event: &str, body: &Value) -> Result<Signal, SetAside> {
    let signals = read(event, body.to_string().as_bytes())?;
    assert_eq!(signals.len(), 1);
    Ok(signals.into_iter().next().unwrap())
}

fn reason(event: &str, body: &Value) -> String {
    one(event, body).unwrap_err().reason
}

fn deployment() -> Value {
    json!({
        "action": "created",
        "deployment": {
            "id": 7, "sha": COMMIT, "ref": "main", "task": "deploy",
            "payload": {"artifact": format!("sha256:{HEX}"), "note": 1},
            "environment": "production", "description": "ship it",
            "creator": {"login": "robot"}, "created_at": "2026-01-02T03:04:05Z",
            "url": "https://example.org/deployments/7",
        },
        "repository": {"full_name": "acme/shop", "id": 1, "owner": {"login": "acme"}},
        "sender": {"login": "ada"},
        "workflow": null,
    })
}

fn status(state: &str) -> Value {
    let mut body = deployment();
    body["deployment_status"] = json!({
        "id": 9, "state": state, "environment": "production", "description": "",
        "creator": {"login": "robot"}, "created_at": "2026-01-02T03:05:05+01:00",
        "target_url": "", "log_url": "https://example.org/runs/1",
        "url": "https://example.org/deployments/7/statuses/9",
    });
    body
}

#[test]
fn a_signature_over_pieces_is_the_one_over_the_whole() {
    let secrets = [Secret::new(&[7; 32]).unwrap(), Secret::new(&[8; 32]).unwrap()];
    let body: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
    let fits = |secrets: &[Secret], pieces: &[&[u8]], header: &str| {
        let mut signing = Signing::begin(secrets);
        pieces.iter().for_each(|piece| signing.update(piece));
        signing.fits(header)
    };
    for secret in &secrets {
        let header = secret.sign(&body);
        assert!(verify(&secrets, &body, &header));
        assert!(fits(&secrets, &[&body[..1], &body[1..7_000], &body[7_000..]], &header));
        assert!(!fits(&secrets, &[&body[1..], &body[..1]], &header));
        assert!(!fits(&secrets, &[&body], &header.to_uppercase()));
        assert!(!fits(&[], &[&body], &header));
    }
    assert!(!fits(&secrets, &[&body], &Secret::new(&[9; 32]).unwrap().sign(&body)));
}

#[test]
fn a_signature_known_from_the_documentation_is_verified() {
    // The worked example of GitHub's page "Validating webhook deliveries".
    let it = secret("It's a Secret to Everybody");
    let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(verify(std::slice::from_ref(&it), b"Hello, World!", header));
    assert_eq!(it.sign(b"Hello, World!"), header);
    assert!(!verify(&[it], b"Hello, World", header));
}

#[test]
fn either_of_two_live_secrets_verifies_and_no_other() {
    let [old, new, other] = ["old secret of 16+", "new secret of 16+", "other secret of 16"].map(secret);
    let both = [old.clone(), new.clone()];
    assert!(verify(&both, b"x", &old.sign(b"x")));
    assert!(verify(&both, b"x", &new.sign(b"x")));
    assert!(!verify(&both, b"x", &other.sign(b"x")));
    assert!(!verify(&[], b"x", &old.sign(b"x")));
    assert!(Secret::new(b"").is_none());
    assert!(Secret::new(b"15 bytes, alas!").is_none());
    assert_eq!(format!("{old:?}"), "Secret(hidden)");
}

#[test]
fn a_signature_header_has_one_form() {
    let it = secret("a secret of 16 bytes");
    let good = it.sign(b"x");
    let hex = good.strip_prefix("sha256=").unwrap();
    let secrets = [it];
    assert!(verify(&secrets, b"x", &good));
    for bad in [
        String::new(),
        "sha256=".to_owned(),
        hex.to_owned(),
        format!("sha1={hex}"),
        format!("SHA256={hex}"),
        format!("sha256={}", hex.to_uppercase()),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}00"),
        good[..good.len() - 2].to_owned(),
        format!("sha256=sha256={hex}"),
        format!("sha256={}", "é".repeat(32)),
    ] {
        assert!(!verify(&secrets, b"x", &bad), "{bad:?}");
    }
}

#[test]
fn a_deployment_is_read_whole() {
    let wanted = Deployment {
        deployment_id: "7".to_owned(),
        repository: "acme/shop".to_owned(),
        environment: "production".to_owned(),
        commit: COMMIT.to_owned(),
        ref_name: "main".to_owned(),
        task: "deploy".to_owned(),
        artifact: Some(format!("sha256:{HEX}")),
        description: Some("ship it".to_owned()),
        requester: Some("ada".to_owned()),
        occurred_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        url: Some("https://example.org/deployments/7".to_owned()),
    };
    assert_eq!(one("deployment", &deployment()).unwrap(), Signal::Deployment(wanted));
}

#[test]
fn the_artifact_may_stand_in_an_object_or_in_a_text() {
    let artifact_of = |payload: Value| {
        let mut body = deployment();
        body["deployment"]["payload"] = payload;
        match one("deployment", &body).unwrap() {
            Signal::Deployment(it) => it.artifact,
            other => panic!("{other:?}"),
        }
    };
    let digest = format!("sha256:{HEX}");
    let wanted = Some(digest.clone());
    assert_eq!(artifact_of(json!({"artifact": digest})), wanted);
    assert_eq!(artifact_of(json!(json!({"artifact": digest}).to_string())), wanted);
    assert_eq!(
        artifact_of(json!({"artifact": format!("ghcr.io/a/b@{digest}")})),
        wanted
    );
    for other in [
        json!(null),
        json!({}),
        json!(""),
        json!("words"),
        json!([1]),
        json!(7),
        json!({"artifact": "app.zip"}),
        json!({"artifact": 7}),
        json!({"artifact": null}),
        json!({"other": digest}),
        json!(digest),
        json!("{\"artifact\":"),
    ] {
        assert_eq!(artifact_of(other.clone()), None, "{other}");
    }
}

#[test]
fn every_state_of_a_deployment_is_read() {
    let states = [
        ("queued", Progress::Queued),
        ("in_progress", Progress::InProgress),
        ("success", Progress::Success),
        ("failure", Progress::Failure),
        ("error", Progress::Error),
        ("inactive", Progress::Inactive),
        ("pending", Progress::Other("pending".to_owned())),
        ("waiting", Progress::Other("waiting".to_owned())),
    ];
    for (word, wanted) in states {
        let Signal::DeploymentStatus(it) = one("deployment_status", &status(word)).unwrap() else {
            panic!("{word}");
        };
        assert_eq!(it.status, wanted);
        assert_eq!((it.deployment_id.as_str(), it.status_id.as_str()), ("7", "9"));
        assert_eq!(
            (it.repository.as_str(), it.environment.as_str()),
            ("acme/shop", "production")
        );
        assert_eq!((it.commit.as_str(), it.actor.as_deref()), (COMMIT, Some("ada")));
        assert_eq!(it.artifact, Some(format!("sha256:{HEX}")));
        assert_eq!(it.description, None);
        assert_eq!(it.occurred_at.to_string(), "2026-01-02T02:05:05Z");
        assert_eq!(it.url.as_deref(), Some("https://example.org/runs/1"));
    }
}

#[test]
fn optional_parts_may_be_null_or_absent() {
    let mut body = status("success");
    for name in ["environment", "description", "creator", "target_url", "log_url", "url"] {
        body["deployment_status"][name] = Value::Null;
    }
    body["deployment"]["payload"] = Value::Null;
    body["deployment"].as_object_mut().unwrap().remove("description");
    body.as_object_mut().unwrap().remove("sender");
    body.as_object_mut().unwrap().remove("action");
    let Signal::DeploymentStatus(it) = one("deployment_status", &body).unwrap() else {
        panic!("another signal");
    };
    assert_eq!(it.environment, "production");
    assert_eq!((it.actor, it.artifact, it.url), (None, None, None));
}

#[test]
fn what_is_needed_and_missing_is_named() {
    for name in ["id", "sha", "environment", "created_at"] {
        let mut body = deployment();
        body["deployment"].as_object_mut().unwrap().remove(name);
        assert!(reason("deployment", &body).contains(name), "{name}");
    }
    let mut body = deployment();
    body["repository"] = json!({});
    assert!(reason("deployment", &body).contains("full_name"));
    assert!(reason("deployment", &json!({})).contains("deployment"));
    assert!(reason("deployment_status", &deployment()).contains("the body is of deployment"));
    for event in ["push", "pull_request", "release"] {
        assert!(reason(event, &json!({"action": "x"})).contains("missing field"));
    }
}

#[test]
fn what_breaks_a_limit_is_named() {
    for (name, value) in [
        ("sha", json!("main")),
        ("environment", json!("")),
        ("environment", json!("x".repeat(256))),
        ("environment", json!("pro\u{0}duction")),
        ("created_at", json!("yesterday")),
        ("ref", json!(["main"])),
        ("id", json!(-1)),
    ] {
        let mut body = deployment();
        body["deployment"][name] = value.clone();
        let reason = reason("deployment", &body);
        assert!(reason.len() <= signal::REASON_MAX_BYTES);
        assert!(!reason.chars().any(char::is_control), "{reason:?}");
    }
    let mut body = deployment();
    body["deployment"]["description"] = json!("ä".repeat(9_000));
    let Signal::Deployment(it) = one("deployment", &body).unwrap() else {
        panic!("another signal");
    };
    assert!(it.description.unwrap().len() <= signal::TEXT_MAX_BYTES);
}

#[test]
fn the_header_is_not_signed_so_the_body_must_agree_with_it() {
    for header in ["deployment", "ping", "push", "star"] {
        let reason = reason(header, &status("success"));
        assert!(reason.contains("the body is of deployment_status"), "{reason}");
    }
    assert!(reason("ping", &deployment()).contains("the body is of deployment"));
    // Some events have all fields of a push except the pusher.
    let sync = json!({
        "ref": "refs/heads/main", "before": COMMIT, "after": OTHER, "repository": {"full_name": "acme/shop"},
    });
    assert!(reason("push", &sync).contains("of another event"));
    // A deploying job reports its deployment without being one.
    let mut job = deployment();
    job["action"] = json!("queued");
    job["workflow_job"] = json!({"id": 1});
    assert!(matches!(one("workflow_job", &job), Ok(Signal::Unknown { .. })));
}

#[test]
fn a_push_is_read_with_the_people_behind_it() {
    let body = json!({
        "ref": "refs/heads/main", "before": COMMIT, "after": OTHER,
        "commits": [
            {"id": OTHER, "author": {"name": "Ada", "email": "a@b", "username": "ada"},
             "committer": {"name": "GitHub", "username": "web-flow"},
             "message": "A zone\n\nCo-Authored-By: Bea <Bea@b>"},
            {"id": COMMIT, "author": {"name": "Nobody"}, "committer": {"name": "Carl", "username": "carl"}},
        ],
        "repository": {"full_name": "acme/shop"}, "pusher": {"name": "bob"}, "sender": {"login": "bob"},
    });
    let Signal::Push(it) = one("push", &body).unwrap() else {
        panic!("another signal");
    };
    assert_eq!(
        (it.ref_name.as_str(), it.before.as_str(), it.after.as_str()),
        ("refs/heads/main", COMMIT, OTHER)
    );
    assert_eq!(it.pusher.as_deref(), Some("bob"));
    let [ada, bea] = &it.commits[0].authors[..] else {
        panic!("an author and a co-author: {:?}", it.commits[0].authors);
    };
    assert_eq!((ada.login.as_deref(), ada.email.as_deref()), (Some("ada"), Some("a@b")));
    assert_eq!(
        (bea.name.as_deref(), bea.email.as_deref()),
        (Some("Bea"), Some("bea@b"))
    );
    // GitHub's own name as committer names nobody: anybody can set that name in git.
    assert_eq!(it.commits[0].committer, None);
    assert_eq!(it.commits[1].authors[0].name.as_deref(), Some("Nobody"));
    assert_eq!(it.commits[1].committer.as_ref().unwrap().login.as_deref(), Some("carl"));
    assert!(!it.is_partial);
    let mut many = body;
    many["commits"] = vec![json!({"id": COMMIT}); signal::PUSH_MAX_COMMITS].into();
    assert!(matches!(one("push", &many), Ok(Signal::Push(it)) if it.is_partial));
    many["commits"] = vec![json!({"id": COMMIT}); signal::PUSH_MAX_COMMITS + 1].into();
    assert!(reason("push", &many).contains("too many commits"));
}

#[test]
fn a_pull_request_and_a_release_are_read() {
    let pull = json!({
        "action": "closed", "number": 12, "repository": {"full_name": "acme/shop"},
        "pull_request": {"title": "Add a cart", "head": {"sha": COMMIT}, "merge_commit_sha": OTHER,
            "merged": true, "user": {"login": "ada"}, "updated_at": "2026-01-02T03:04:05Z"},
    });
    let Signal::PullRequest(it) = one("pull_request", &pull).unwrap() else {
        panic!("another signal");
    };
    assert_eq!((it.number, it.action.as_str(), it.merged), (12, "closed", true));
    assert_eq!(
        (it.head_commit.as_str(), it.merge_commit.as_deref()),
        (COMMIT, Some(OTHER))
    );
    assert_eq!((it.title.as_str(), it.author.as_deref()), ("Add a cart", Some("ada")));
    let release = json!({
        "action": "published", "repository": {"full_name": "acme/shop"},
        "release": {"tag_name": "v1", "target_commitish": "main", "author": null,
            "published_at": "2026-01-02T03:04:05Z"},
    });
    let Signal::Release(it) = one("release", &release).unwrap() else {
        panic!("another signal");
    };
    assert_eq!(
        (it.tag.as_str(), it.action.as_str(), it.target.as_deref()),
        ("v1", "published", Some("main"))
    );
    assert!(it.occurred_at.is_some() && it.author.is_none());
}

#[test]
fn what_has_no_meaning_here_is_kept_by_its_name() {
    let star = json!({"action": "created", "starred_at": "x"});
    let wanted = Signal::Unknown {
        event: "star".to_owned(),
        action: Some("created".to_owned()),
    };
    assert_eq!(one("star", &star).unwrap(), wanted);
    let odd = json!({"action": {"a": 1}});
    assert_eq!(one("odd", &odd).unwrap().natural_key(), r#"["unknown","odd",""]"#);
    assert_eq!(one("ping", &json!({"zen": "x", "hook_id": 1})).unwrap(), Signal::Ping);
    let mut deleted = deployment();
    deleted["action"] = json!("deleted");
    assert!(matches!(one("deployment", &deleted), Ok(Signal::Unknown { .. })));
}

#[test]
fn a_form_an_oversized_body_and_a_bad_header_are_set_aside() {
    let told = |event: &str, body: &[u8]| read(event, body).unwrap_err().reason;
    assert!(told("push", b"payload=%7B%7D").contains("application/json"));
    assert!(told("push", &vec![b' '; BODY_MAX_BYTES + 1]).contains("25 MiB"));
    assert!(told("", b"{}").contains("event header"));
    assert!(told("a\nb", b"{}").contains("event header"));
    assert!(told("push", b"").contains("cannot be read"));
    assert!(told("push", b"{\"ref\":\"\xff\"}").contains("cannot be read"));
    let twice = br#"{"action":"a","action":"b"}"#;
    assert!(told("star", twice).contains("duplicate"));
}

#[test]
fn deep_bodies_neither_overflow_nor_hide_a_signal() {
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let mut text = deployment().to_string();
    text.insert_str(1, &format!("\"extra\":{deep},"));
    assert!(matches!(
        read("deployment", text.as_bytes()).unwrap()[0],
        Signal::Deployment(_)
    ));
    let payload = deployment()
        .to_string()
        .replace(r#""note":1"#, &format!(r#""note":{deep}"#));
    assert!(
        read("deployment", payload.as_bytes())
            .unwrap_err()
            .reason
            .contains("recursion")
    );
}

#[test]
fn the_same_fact_has_the_same_key_in_any_delivery() {
    let key = |body: &Value| one("deployment_status", body).unwrap().natural_key();
    let mut again = status("success");
    again["sender"] = json!({"login": "someone"});
    assert_eq!(key(&status("success")), key(&again));
    again["deployment_status"]["id"] = json!(10);
    assert_ne!(key(&status("success")), key(&again));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_changed_body_is_never_verified(
        body in proptest::collection::vec(any::<u8>(), 0..200), place in any::<prop::sample::Index>(), flip in 1u8..,
    ) {
        let secrets = [secret("first secret of all"), secret("second secret of all")];
        let header = secrets[0].sign(&body);
        prop_assert!(verify(&secrets, &body, &header));
        let mut longer = body.clone();
        longer.push(flip);
        prop_assert!(!verify(&secrets, &longer, &header));
        if !body.is_empty() {
            let mut changed = body.clone();
            changed[place.index(body.len())] ^= flip;
            prop_assert!(!verify(&secrets, &changed, &header));
            prop_assert!(!verify(&secrets, &body[..body.len() - 1], &header));
        }
    }

    #[test]
    fn a_changed_header_is_never_verified(
        body in proptest::collection::vec(any::<u8>(), 0..50), place in any::<prop::sample::Index>(), other in any::<char>(),
    ) {
        let secrets = [secret("first secret of all")];
        let header = secrets[0].sign(&body);
        let mut chars: Vec<char> = header.chars().collect();
        let place = place.index(chars.len());
        prop_assume!(chars[place] != other);
        chars[place] = other;
        let changed: String = chars.into_iter().collect();
        prop_assert!(!verify(&secrets, &body, &changed));
    }

    #[test]
    fn an_arbitrary_header_is_never_verified(header in any::<String>(), body in any::<Vec<u8>>()) {
        prop_assert!(!verify(&[secret("first secret of all")], &body, &header));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        event in "(ping|deployment|deployment_status|push|pull_request|release|star|)",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = read(&event, &body);
    }

    #[test]
    fn a_damaged_body_is_read_or_set_aside(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = status("success").to_string().into_bytes();
        let at = place.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        match read("deployment_status", &body) {
            Ok(signals) => prop_assert_eq!(signals.len(), 1),
            Err(set_aside) => prop_assert!(!set_aside.reason.is_empty()),
        }
    }
}

#[test]
fn a_deployment_that_does_not_say_when_or_by_what_name_is_taken_as_received() {
    let body = br#"{"action": "created", "deployment": {"id": 7, "sha": "0123456789abcdef0123456789abcdef01234567",
        "environment": "production"}, "repository": {"full_name": "halden/booking-api"}}"#;
    let received: Timestamp = "2026-05-04T20:00:00Z".parse().unwrap();
    let signals = read_received("deployment", body, Some(received)).unwrap();
    let [Signal::Deployment(it)] = signals.as_slice() else {
        panic!("{signals:?}")
    };
    assert_eq!(
        (it.occurred_at, it.ref_name.as_str()),
        (received, "0123456789abcdef0123456789abcdef01234567")
    );
    assert!(read("deployment", body).is_err());
}
