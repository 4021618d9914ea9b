//! Sealing, opening, erasing, and the reuse of commitments from version to version.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::crypto::SeededEntropy;

fn is_text(name: &str) -> bool {
    matches!(name, "title" | "notes" | "text")
}

fn seal(body: &Value, previous: Option<(&Value, &Value)>, seed: u64) -> Sealed {
    seal_record(body, &is_text, previous, &SeededEntropy::new(seed)).unwrap()
}

fn salts(parts: &[&Sealed]) -> HashMap<String, [u8; SALT_BYTES]> {
    let all = parts.iter().flat_map(|part| &part.new_salts);
    all.map(|new| (new.commitment.clone(), new.salt)).collect()
}

fn sample() -> Value {
    json!({
        "id": "c-1", "title": "Upgrade", "notes": ["one", "two"], "risk": 3,
        "plan": [{"minutes": 5, "title": "Drain"}, {"minutes": 6, "title": "Upgrade"}],
    })
}

#[test]
fn a_commitment_is_the_digest_that_the_format_promises() {
    let salt: [u8; 16] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let by_hand = crypto::sha256(&[&[2], salt.as_slice(), "Grüße".as_bytes()].concat());
    assert_eq!(commit(&salt, "Grüße"), crypto::base64url(&by_hand));
    assert_eq!(commit(&salt, "Grüße").len(), COMMITMENT_CHARS);
}

#[test]
fn texts_are_sealed_and_everything_else_stays() {
    let body = sample();
    let first = seal(&body, None, 1);
    assert_eq!(first.sealed["id"], "c-1");
    assert_eq!(first.sealed["plan"][0]["minutes"], 5);
    assert!(commitment_of(&first.sealed["notes"][1]).is_some());
    assert_eq!(first.new_salts.len(), 5);
    assert_ne!(
        first.sealed["title"], first.sealed["plan"][1]["title"],
        "equal texts show"
    );
    for word in ["Upgrade", "Drain", "one", "two"] {
        assert!(!first.sealed.to_string().contains(word));
    }
    let salts = salts(&[&first]);
    open_record(&first.sealed, &body, &|c| salts.get(c).copied()).unwrap();
}

#[test]
fn an_unchanged_or_moved_text_keeps_its_commitment() {
    let before = sample();
    let first = seal(&before, None, 1);
    let mut after = before.clone();
    after["notes"] = json!(["zero", "two", "one"]);
    let second = seal(&after, Some((&before, &first.sealed)), 2);
    assert_eq!(second.new_salts.len(), 1);
    assert_eq!(second.new_salts[0].text, "zero");
    assert_eq!(second.sealed["title"], first.sealed["title"]);
    assert_eq!(second.sealed["plan"], first.sealed["plan"]);
    assert_eq!(second.sealed["notes"][2], first.sealed["notes"][0]);
    let salts = salts(&[&first, &second]);
    open_record(&second.sealed, &after, &|c| salts.get(c).copied()).unwrap();
}

#[test]
fn an_erased_text_keeps_its_commitment_and_opens_only_without_its_salt() {
    let before = sample();
    let first = seal(&before, None, 1);
    let mut after = before.clone();
    after["notes"][0] = erased_text();
    let second = seal(&after, Some((&before, &first.sealed)), 2);
    assert_eq!(second.sealed, first.sealed);
    let mut salts = salts(&[&first]);
    let hidden = open_record(&second.sealed, &after, &|c| salts.get(c).copied()).unwrap_err();
    assert_eq!(hidden.path, "/notes/0");
    salts.remove(commitment_of(&first.sealed["notes"][0]).unwrap());
    open_record(&second.sealed, &after, &|c| salts.get(c).copied()).unwrap();
    let missing = open_record(&second.sealed, &before, &|c| salts.get(c).copied()).unwrap_err();
    assert_eq!(missing.path, "/notes/0");

    let mut moved = after.clone();
    moved["notes"] = json!(["new", erased_text(), "two"]);
    let third = seal(&moved, Some((&after, &second.sealed)), 3);
    assert_eq!(third.sealed["notes"][1], first.sealed["notes"][0]);
}

#[test]
fn erasing_a_second_text_beside_an_erased_one_keeps_both_apart() {
    let before = sample();
    let first = seal(&before, None, 1);
    let mut once = before.clone();
    once["notes"][0] = erased_text();
    let second = seal(&once, Some((&before, &first.sealed)), 2);
    let mut twice = once.clone();
    twice["notes"][1] = erased_text();
    let third = seal(&twice, Some((&once, &second.sealed)), 3);
    assert_eq!(third.sealed, first.sealed);
}

#[test]
fn look_alikes_and_groundless_erasures_are_refused() {
    let salt = [0; 16];
    let cases = [
        (json!({"id": {"c": commit(&salt, "x")}}), "/id"),
        (json!({"title": {"c": commit(&salt, "x")}}), "/title"),
        (json!({"id": {"erased": true}}), "/id"),
        (json!({"notes": ["a", {"erased": true}]}), "/notes/1"),
        (json!({"title": null}), "/title"),
    ];
    for (body, expected) in cases {
        let answer = seal_record(&body, &is_text, None, &SeededEntropy::new(1));
        let Err(Error::Canonical { path, .. }) = answer else {
            panic!("accepted {body}");
        };
        assert_eq!(path, expected);
    }
    let labels = json!({"labels": {"c": "short"}});
    assert_eq!(seal(&labels, None, 1).sealed, labels);
}

#[test]
fn every_change_of_a_body_is_found_where_it_stands() {
    let body = sample();
    let first = seal(&body, None, 1);
    let salts = salts(&[&first]);
    let open = |body: &Value| open_record(&first.sealed, body, &|c| salts.get(c).copied());
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 8] = [
        ("/risk", |b| b["risk"] = json!(4)),
        ("/title", |b| b["title"] = json!("upgrade")),
        ("/title", |b| b["title"] = json!({"c": "x"})),
        ("/notes", |b| b["notes"] = json!(["one"])),
        ("/notes/1", |b| b["notes"] = json!(["one", "one"])),
        ("/plan/1/title", |b| b["plan"][1]["title"] = json!("Drain")),
        ("/extra", |b| b["extra"] = json!(1)),
        ("/id", |b| {
            b.as_object_mut().unwrap().remove("id");
        }),
    ];
    for (path, change) in cases {
        let mut changed = body.clone();
        change(&mut changed);
        assert_eq!(open(&changed).unwrap_err().path, path);
    }
    let sealed_as_body = open(&first.sealed).unwrap_err();
    assert_eq!(sealed_as_body.why, "a text was committed here");
}
