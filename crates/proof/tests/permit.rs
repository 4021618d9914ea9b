//! Permits from issue to refusal: good ones, hundreds of crafted ones, the wrong audience, time and
//! revocation. A token that should not pass must not pass, whatever was done to it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proof::crypto::{self, SigningKey};
use proof::jwks::{Jwk, Jwks};
use proof::jws::Refused;
use proof::permit::{self, Claims, Expected, Purpose, SKEW_SECONDS};
use proof::report::Outcome;
use proof::revocation::{self, NotBefore, RevocationList};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32]).unwrap()
}

fn keys() -> Jwks {
    let keys = vec![Jwk::new(*key(1).public()), Jwk::new(*key(2).public())];
    Jwks {
        tenant: "acme".into(),
        keys,
    }
}

fn claims() -> Claims {
    Claims {
        iss: "https://assent.example".into(),
        sub: "CHG-1042".into(),
        aud: "acme/payments/production".into(),
        jti: "p-1".into(),
        iat: NOW,
        nbf: NOW,
        exp: NOW + 900,
        tenant: "acme".into(),
        service: "payments".into(),
        environment: "production".into(),
        artifact: Some(format!("sha256:{}", "ab".repeat(32))),
        commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        member: None,
        purpose: Purpose::Deploy,
        content_digest: crypto::digest_text(b"content"),
        policy_digest: crypto::digest_text(b"policy"),
        epoch: 7,
        max_list_age_seconds: 900,
        break_glass: false,
    }
}

fn list() -> RevocationList {
    RevocationList {
        tenant: Some("acme".into()),
        epoch: 7,
        issued_at: NOW - 10,
        next_update: NOW + 50,
        revoked: vec!["p-other".into()],
        not_before: Vec::new(),
    }
}

fn verify_at(token: &str, list: Option<&RevocationList>, now: i64) -> Result<Claims, Refused> {
    let claims = claims();
    let expected = Expected {
        service: "payments",
        environment: "production",
        artifact: claims.artifact.as_deref(),
        commit: None,
        content_digest: None,
        now,
        purpose: None,
        max_list_age_seconds: None,
    };
    permit::verify(token, &keys(), list, &expected)
}

fn sign(change: impl FnOnce(&mut Claims)) -> String {
    let mut claims = claims();
    change(&mut claims);
    permit::sign(&claims, &key(1)).unwrap()
}

fn refusal(result: Result<Claims, Refused>) -> (Outcome, &'static str) {
    let refused = result.unwrap_err();
    (refused.outcome, refused.code)
}

#[test]
fn a_good_permit_passes_under_either_key_and_with_a_trailing_newline() {
    let token = sign(|_| ());
    assert_eq!(verify_at(&token, Some(&list()), NOW).unwrap(), claims());
    assert_eq!(verify_at(&format!("{token}\n"), Some(&list()), NOW).unwrap(), claims());
    let rotated = permit::sign(&claims(), &key(2)).unwrap();
    assert_eq!(verify_at(&rotated, Some(&list()), NOW).unwrap(), claims());
}

#[test]
fn what_is_expected_must_match() {
    let token = sign(|_| ());
    let claims = claims();
    let good = Expected {
        service: "payments",
        environment: "production",
        artifact: claims.artifact.as_deref(),
        commit: claims.commit.as_deref(),
        content_digest: Some(&claims.content_digest),
        now: NOW,
        purpose: None,
        max_list_age_seconds: None,
    };
    let verify = |expected: &Expected<'_>| permit::verify(&token, &keys(), Some(&list()), expected);
    assert!(verify(&good).is_ok());
    assert!(
        verify(&Expected {
            artifact: None,
            ..good.clone()
        })
        .is_ok()
    );
    type Change = fn(&mut Expected<'_>);
    let cases: [(Change, &str); 7] = [
        (|expected| expected.purpose = Some(Purpose::Rollback), "wrong_purpose"),
        (|expected| expected.service = "ledger", "wrong_audience"),
        (|expected| expected.environment = "staging", "wrong_audience"),
        (|expected| expected.artifact = Some("sha256:00"), "wrong_artifact"),
        (|expected| expected.commit = Some("abc"), "wrong_commit"),
        (|expected| expected.content_digest = Some("sha256:00"), "wrong_content"),
        (
            |expected| (expected.artifact, expected.commit) = (None, None),
            "nothing_expected",
        ),
    ];
    for (change, code) in cases {
        let mut expected = good.clone();
        change(&mut expected);
        assert_eq!(refusal(verify(&expected)), (Outcome::Bad, code));
    }
    let capitals = format!("SHA256:{}", "AB".repeat(32));
    let written = Expected {
        artifact: Some(&capitals),
        ..good.clone()
    };
    assert!(verify(&written).is_ok(), "one number, in other letters");
    // Elsewhere than in hexadecimal digits the case of letters distinguishes two things.
    let tagged = sign(|claims| claims.artifact = Some("tag:ab".to_owned()));
    let other = Expected {
        artifact: Some("tag:AB"),
        ..good.clone()
    };
    let told = proof::permit::verify(&tagged, &keys(), Some(&list()), &other);
    assert_eq!(refusal(told).1, "wrong_artifact");
    let without_artifact = sign(|claims| claims.artifact = None);
    assert_eq!(
        refusal(verify_at(&without_artifact, Some(&list()), NOW)).1,
        "wrong_artifact"
    );
}

#[test]
fn life_is_bounded_with_a_minute_of_skew() {
    let token = sign(|_| ());
    let cases = [
        (NOW - SKEW_SECONDS - 1, Some("not_yet_valid")),
        (NOW - SKEW_SECONDS, None),
        (NOW + 899 + SKEW_SECONDS, None),
        (NOW + 900 + SKEW_SECONDS, Some("expired")),
        (NOW + 31_536_000, Some("expired")),
        (i64::MIN, Some("not_yet_valid")),
        (i64::MAX, Some("expired")),
    ];
    for (now, code) in cases {
        let list = RevocationList {
            issued_at: now,
            ..list()
        };
        let result = verify_at(&token, Some(&list), now);
        assert_eq!(result.err().map(|refused| refused.code), code, "{now}");
    }
    let ahead = sign(|claims| claims.nbf = NOW + 600);
    assert_eq!(refusal(verify_at(&ahead, Some(&list()), NOW)).1, "not_yet_valid");
    let never = sign(|claims| (claims.nbf, claims.exp) = (NOW + 30, NOW + 30));
    assert_eq!(refusal(verify_at(&never, Some(&list()), NOW)).1, "malformed");
    let careless = sign(|claims| claims.max_list_age_seconds = 86_401);
    assert_eq!(refusal(verify_at(&careless, Some(&list()), NOW)).1, "malformed");
}

/// The verifier's clock is wrong; the list, which is fetched four times a minute, has the signer's time.
#[test]
fn a_clock_that_is_wrong_lengthens_no_life_by_more_than_a_minute() {
    const MINUTE: i64 = 60;
    let token = sign(|_| ());
    for wrong_by in [MINUTE, 3_600, 86_400, 31_536_000] {
        for skew in [-wrong_by, wrong_by] {
            let mut passed = Vec::new();
            for second in -300..1_500 {
                let list = RevocationList {
                    issued_at: NOW + second - 15,
                    ..list()
                };
                let verdict = verify_at(&token, Some(&list), NOW + second + skew);
                passed.extend(verdict.is_ok().then_some(second));
            }
            let (first, last) = (passed.first().copied(), passed.last().copied());
            if wrong_by > MINUTE {
                assert_eq!(first, None, "closed, with a clock that is {skew} s wrong");
                continue;
            }
            // Before its life both minutes may add up: the list does not have the time since it was signed.
            assert!(first.is_some_and(|it| it >= -2 * MINUTE), "{skew}: {first:?}");
            assert!(last.is_some_and(|it| it < 900 + MINUTE + 15), "{skew}: {last:?}");
            assert!(passed.len() > 700, "{skew}: it passes in its life");
        }
    }
}

#[test]
fn a_verifier_may_insist_on_a_newer_list_than_the_permit_does_and_never_on_an_older_one() {
    let (token, claims) = (sign(|_| ()), claims());
    let told = |age: i64, own: Option<u64>| {
        let old = RevocationList {
            issued_at: NOW - age,
            ..list()
        };
        let expected = Expected {
            service: "payments",
            environment: "production",
            artifact: claims.artifact.as_deref(),
            commit: None,
            content_digest: None,
            now: NOW,
            purpose: None,
            max_list_age_seconds: own,
        };
        permit::verify(&token, &keys(), Some(&old), &expected).map_err(|refused| (refused.code, refused.text))
    };
    let stale = |age: i64, who: &str, limit: i64| {
        let text = format!("The revocation list is {age} seconds old, {who} allows {limit}.");
        Err(("list_stale", text))
    };
    assert!(told(60, Some(60)).is_ok());
    assert_eq!(told(61, Some(60)), stale(61, "this verifier", 60));
    assert!(told(900, None).is_ok());
    assert_eq!(told(901, Some(86_400)), stale(901, "the permit", 900));
    assert!(told(-60, Some(0)).is_ok(), "a clock that is a minute behind");
}

#[test]
fn without_a_list_that_is_new_enough_it_cannot_be_told() {
    let token = sign(|_| ());
    let cases = [
        (None, "no_list"),
        (Some(RevocationList { epoch: 6, ..list() }), "list_behind"),
        (
            Some(RevocationList {
                issued_at: NOW - 901,
                ..list()
            }),
            "list_stale",
        ),
        (
            Some(RevocationList {
                issued_at: NOW + 61,
                ..list()
            }),
            "list_from_future",
        ),
    ];
    for (list, code) in cases {
        assert_eq!(
            refusal(verify_at(&token, list.as_ref(), NOW)),
            (Outcome::CannotTell, code)
        );
    }
    for issued_at in [NOW - 900, NOW + 60] {
        assert!(verify_at(&token, Some(&RevocationList { issued_at, ..list() }), NOW).is_ok());
    }
    let patient = sign(|claims| claims.max_list_age_seconds = 86_400);
    let old = RevocationList {
        issued_at: NOW - 86_400,
        ..list()
    };
    assert!(verify_at(&patient, Some(&old), NOW).is_ok());
}

#[test]
fn a_revoked_permit_is_bad_even_by_an_old_list() {
    let token = sign(|_| ());
    let revoked = vec!["p-1".to_owned()];
    for list in [
        RevocationList {
            revoked: revoked.clone(),
            ..list()
        },
        RevocationList {
            revoked,
            issued_at: NOW - 10_000,
            ..list()
        },
    ] {
        assert_eq!(refusal(verify_at(&token, Some(&list), NOW)), (Outcome::Bad, "revoked"));
    }
}

#[test]
fn not_before_stops_older_permits_of_its_place_but_never_a_way_back() {
    let entry = |service: &str, environment: &str, iat| NotBefore {
        service: service.into(),
        environment: environment.into(),
        iat,
    };
    let cases = [
        (entry("payments", "production", NOW + 1), false),
        (entry("payments", "production", NOW), true),
        (entry("payments", "staging", NOW + 1), true),
        (entry("ledger", "production", NOW + 1), true),
    ];
    let back = sign(|claims| claims.purpose = Purpose::Rollback);
    for (entry, passes) in cases {
        let list = RevocationList {
            not_before: vec![entry],
            ..list()
        };
        assert_eq!(verify_at(&sign(|_| ()), Some(&list), NOW).is_ok(), passes);
        assert!(verify_at(&back, Some(&list), NOW).is_ok());
    }
}

#[test]
fn a_list_opens_only_when_it_is_the_tenants_own() {
    let token = list().sign(&key(1)).unwrap();
    assert_eq!(RevocationList::open(&token, &keys()).unwrap(), list());
    let mut foreign = list();
    foreign.tenant = Some("other".into());
    let mut broken = token.clone();
    broken.replace_range(broken.len() - 5..broken.len() - 4, "_");
    let wrong = [
        foreign.sign(&key(1)).unwrap(),
        list().sign(&key(9)).unwrap(),
        sign(|_| ()),
        proof::jws::sign(revocation::TYPE, &json!({"epoch": 7}), &key(1)).unwrap(),
        broken,
        String::new(),
    ];
    for token in wrong {
        let refused = RevocationList::open(&token, &keys()).unwrap_err();
        assert_eq!((refused.outcome, refused.code), (Outcome::CannotTell, "list_invalid"));
    }
    let as_permit = verify_at(&token, Some(&list()), NOW);
    assert_eq!(refusal(as_permit).1, "wrong_header");
}

#[test]
fn of_50_permits_at_50_audiences_only_the_diagonal_passes() {
    let places: Vec<(String, String)> = (0..50)
        .map(|i| (format!("service-{}", i / 5), format!("environment-{}", i % 5)))
        .collect();
    let token = |(service, environment): &(String, String)| {
        sign(|claims| {
            claims.service = service.clone();
            claims.environment = environment.clone();
            claims.aud = Claims::audience("acme", service, environment);
        })
    };
    let tokens: Vec<String> = places.iter().map(token).collect();
    let claims = claims();
    let mut passed = Vec::new();
    for (row, token) in tokens.iter().enumerate() {
        for (column, (service, environment)) in places.iter().enumerate() {
            let expected = Expected {
                service,
                environment,
                artifact: claims.artifact.as_deref(),
                commit: None,
                content_digest: None,
                now: NOW,
                purpose: None,
                max_list_age_seconds: None,
            };
            if permit::verify(token, &keys(), Some(&list()), &expected).is_ok() {
                passed.push((row, column));
            }
        }
    }
    let diagonal: Vec<_> = (0..50).map(|i| (i, i)).collect();
    assert_eq!(passed, diagonal);
}

/// A token with any header and payload, correctly signed by `key`.
fn raw(header: &str, payload: &[u8], key: &SigningKey) -> String {
    let input = format!(
        "{}.{}",
        crypto::base64url(header.as_bytes()),
        crypto::base64url(payload)
    );
    let signature = crypto::base64url(&key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn header(change: impl FnOnce(&mut Value)) -> String {
    let kid = Jwk::new(*key(1).public()).kid();
    let mut header = json!({"alg": "EdDSA", "typ": permit::TYPE, "kid": kid});
    change(&mut header);
    header.to_string()
}

fn payload() -> Vec<u8> {
    serde_json::to_vec(&claims()).unwrap()
}

/// Headers that are wrong, each over a payload that is right and under a signature that is right.
fn tokens_with_wrong_headers() -> Vec<String> {
    let headers = [
        wrong_algorithms_and_types(),
        additional_members(),
        wrong_keys_and_shapes(),
    ]
    .concat();
    headers.iter().map(|header| raw(header, &payload(), &key(1))).collect()
}

fn wrong_algorithms_and_types() -> Vec<String> {
    let mut headers = Vec::new();
    let algorithms = [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256",
        "ES384", "ES512", "ES256K", "eddsa", "EDDSA", "Eddsa", "EdDSA ", " EdDSA", "Ed25519", "Ed448", "EdDSA\0",
        "dir",
    ];
    headers.extend(algorithms.map(|alg| header(|header| header["alg"] = json!(alg))));
    let odd = [
        json!(null),
        json!(1),
        json!(true),
        json!([]),
        json!(["EdDSA"]),
        json!({}),
        json!({"EdDSA": 1}),
    ];
    for name in ["alg", "typ", "kid"] {
        headers.extend(odd.iter().map(|value| header(|header| header[name] = value.clone())));
        headers.push(header(|header| drop(header.as_object_mut().unwrap().remove(name))));
        let duplicate = header(|_| ()).replacen('{', &format!("{{\"{name}\":\"x\","), 1);
        headers.push(duplicate);
    }
    let types = [
        "JWT",
        "jwt",
        "at+jwt",
        "assent-permit",
        "ASSENT-PERMIT+JWT",
        "application/assent-permit+jwt",
        revocation::TYPE,
        "assent-permit+jwt ",
        "",
    ];
    headers.extend(types.map(|typ| header(|header| header["typ"] = json!(typ))));
    headers
}

/// Members that a careless verifier would follow, such as addresses of keys.
fn additional_members() -> Vec<String> {
    let own_key = Jwks {
        tenant: "acme".into(),
        keys: vec![Jwk::new(*key(1).public())],
    }
    .to_json()["keys"][0]
        .clone();
    let extras = [
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("jwk", own_key),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("epk", json!({})),
        ("p2c", json!(1)),
        ("url", json!("https://evil.example")),
        ("nonce", json!("x")),
        ("Alg", json!("none")),
        ("kid\0", json!("x")),
    ];
    let add = |(name, value): (&str, Value)| header(|header| header[name] = value);
    extras.map(add).to_vec()
}

fn wrong_keys_and_shapes() -> Vec<String> {
    let mut headers = Vec::new();
    let other_kid = Jwk::new(*key(2).public()).kid();
    let kids = ["", "../../etc/passwd", "' OR 1=1 --", "0", "kid", other_kid.as_str()];
    headers.extend(kids.map(|kid| header(|header| header["kid"] = json!(kid))));
    let shapes = [
        "",
        "{",
        "[]",
        "null",
        "\"EdDSA\"",
        "{}",
        "EdDSA",
        "{\"alg\":\"EdDSA\"}",
        "\u{feff}{}",
    ];
    headers.extend(shapes.map(str::to_owned));
    headers.push(header(|_| ()) + "x");
    headers
}

/// Claims that are wrong, correctly signed.
fn tokens_with_wrong_claims() -> Vec<String> {
    let payloads = [claims_of_wrong_type(), claims_of_wrong_value()].concat();
    payloads
        .iter()
        .map(|payload| raw(&header(|_| ()), payload, &key(1)))
        .collect()
}

/// A payload with one claim changed.
fn change(name: &str, value: Value) -> Vec<u8> {
    let mut payload = serde_json::to_value(claims()).unwrap();
    payload[name] = value;
    serde_json::to_vec(&payload).unwrap()
}

fn claims_of_wrong_type() -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!(1.5),
        json!([1]),
        json!("\u{0}"),
        json!(-1),
    ];
    let names = [
        "aud",
        "iat",
        "nbf",
        "exp",
        "tenant",
        "service",
        "environment",
        "artifact",
        "purpose",
        "epoch",
        "max_list_age_seconds",
        "break_glass",
    ];
    for name in names {
        let harmless = |value: &&Value| {
            // A past `iat` or `nbf` is lawful, so these two are not crafted that way.
            !(matches!(name, "iat" | "nbf") && **value == json!(-1))
        };
        payloads.extend(odd.iter().filter(harmless).map(|value| change(name, value.clone())));
        let mut fewer = serde_json::to_value(claims()).unwrap();
        fewer.as_object_mut().unwrap().remove(name);
        payloads.push(serde_json::to_vec(&fewer).unwrap());
        let twice = format!("{{\"{name}\":{},", serde_json::to_value(claims()).unwrap()[name]);
        payloads.push(
            String::from_utf8(payload())
                .unwrap()
                .replacen('{', &twice, 1)
                .into_bytes(),
        );
    }
    for name in ["jti", "iss", "sub", "content_digest", "policy_digest"] {
        payloads.extend([json!(null), json!(1), json!([])].map(|value| change(name, value)));
    }
    payloads.extend(["", "null", "[]", "{}", "1", "\"x\""].map(|text| text.as_bytes().to_vec()));
    payloads.push(payload()[..payload().len() - 1].to_vec());
    payloads
}

fn claims_of_wrong_value() -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let audiences = [
        "",
        "acme",
        "acme/payments",
        "acme/payments/production/",
        "/acme/payments/production",
        "acme//payments/production",
        "acme/payments/staging",
        "other/payments/production",
        "ACME/payments/production",
        "acme/payments/*",
        "*",
        "acme/payments/production ",
        "acme/payments/production\n",
    ];
    payloads.extend(audiences.map(|audience| change("aud", json!(audience))));
    payloads.push(change("aud", json!(["acme/payments/production"])));
    payloads.push(change("tenant", json!("other")));
    payloads.push(change("tenant", json!("acme ")));
    payloads.push(change("service", json!("ledger")));
    payloads.push(change("environment", json!("staging")));
    payloads.push(change("purpose", json!("Deploy")));
    payloads.push(change("exp", json!(NOW - SKEW_SECONDS)));
    payloads.push(change("exp", json!(9.9e99)));
    payloads.push(change("nbf", json!(NOW + 61)));
    payloads.push(change("epoch", json!(8)));
    payloads.push(change("max_list_age_seconds", json!(u64::MAX)));
    payloads.push(change("max_list_age_seconds", json!(9)));
    payloads.push(change("break_glass", json!("true")));
    payloads
}

/// Tokens whose signature or encoding is wrong.
fn tokens_with_wrong_bytes() -> Vec<String> {
    let good = sign(|_| ());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let mut tokens = vec![
        raw(&header(|_| ()), &payload(), &key(9)),
        raw(&header(|_| ()), &payload(), &key(2)),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}..{signature}"),
        format!(".{body}.{signature}"),
        format!("{good}.{signature}"),
        format!("{good}=="),
        format!("{head}=.{body}.{signature}"),
        format!(" {good}"),
        format!("{good} "),
        format!("Bearer {good}"),
        good.replace('.', ","),
        good.to_uppercase(),
        format!("{head}.{body}.{}", "A".repeat(86)),
        format!("{head}.{body}.{}", crypto::base64url(&[0; 63])),
        format!("{head}.{body}.{}", crypto::base64url(&[0; 65])),
        format!("{good}\0"),
        format!("{good}\n\u{a0}"),
        "..".into(),
        String::new(),
        "a".repeat(permit::MAX_PERMIT_BYTES + 1),
        sign(|claims| claims.iss = "x".repeat(permit::MAX_PERMIT_BYTES)),
    ];
    // An HMAC made with the public key, the classic confusion of algorithms.
    for alg in ["HS256", "EdDSA"] {
        let input = format!(
            "{}.{body}",
            crypto::base64url(header(|header| header["alg"] = json!(alg)).as_bytes())
        );
        let tag = crypto::hmac_sha256(key(1).public(), input.as_bytes());
        tokens.push(format!("{input}.{}", crypto::base64url(&tag)));
    }
    // Signatures with the group order added to S verify under careless libraries.
    tokens.push(format!("{head}.{body}.{}", crypto::base64url(&malleated(signature))));
    // The last character of each part carries spare bits: another spelling of the same bytes.
    tokens.push(respelled(&good));
    for index in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        tokens.push(String::from_utf8(changed).unwrap());
    }
    tokens
}

fn malleated(signature: &str) -> Vec<u8> {
    let mut bytes = crypto::from_base64url(signature).unwrap();
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0_u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    bytes
}

fn respelled(token: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = token.as_bytes().to_vec();
    let last = bytes.len() - 1;
    let value = alphabet.iter().position(|c| *c == bytes[last]).unwrap();
    bytes[last] = alphabet[value ^ 1];
    String::from_utf8(bytes).unwrap()
}

#[test]
fn none_of_hundreds_of_crafted_tokens_passes() {
    assert!(
        verify_at(&raw(&header(|_| ()), &payload(), &key(1)), Some(&list()), NOW).is_ok(),
        "the base is good"
    );
    let groups = [
        tokens_with_wrong_headers(),
        tokens_with_wrong_claims(),
        tokens_with_wrong_bytes(),
    ];
    let all: Vec<String> = groups.concat();
    assert!(all.len() >= 500, "only {} tokens", all.len());
    for token in &all {
        let result = verify_at(token, Some(&list()), NOW);
        let shown: String = token.chars().take(400).collect();
        assert!(result.is_err(), "accepted {shown}");
    }
}
