//! RFC 8785's own examples, the refusals with their paths, and the scanner against the writer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn members_are_sorted_by_utf_16_code_units_as_rfc_8785_shows() {
    let value = json!({
        "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis",
    });
    let text = to_text(&value).unwrap();
    let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
    let places: Vec<_> = order.iter().map(|word| text.find(word).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(is_canonical(text.as_bytes()));
}

#[test]
fn strings_are_escaped_as_rfc_8785_shows() {
    let value = json!({"string": "\u{20ac}$\u{f}\nA'B\"\\\"/", "literals": [true, false], "n": -12});
    assert_eq!(
        to_text(&value).unwrap(),
        "{\"literals\":[true,false],\"n\":-12,\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\"/\"}"
    );
}

#[test]
fn values_outside_the_subset_are_refused_with_their_path() {
    let nested = (0..65).fold(json!(1), |inner, _| json!([inner]));
    let cases = [
        (json!({"a": [1, null]}), "/a/1"),
        (json!({"a": {"b": 1.5}}), "/a/b"),
        (json!({"a/b": {"~": 1e3}}), "/a~1b/~0"),
        (json!([9_007_199_254_740_992_u64]), "/0"),
        (json!([-9_007_199_254_740_992_i64]), "/0"),
        (json!(null), ""),
        (nested, &"/0".repeat(64)),
    ];
    for (value, expected) in cases {
        let Err(Error::Canonical { path, .. }) = to_bytes(&value) else {
            panic!("accepted {value}");
        };
        assert_eq!(path, expected);
        let Err(Error::Canonical { path, .. }) = check_value(&value) else {
            panic!("accepted {value}");
        };
        assert_eq!(path, expected);
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    let deep = (0..64).fold(json!(9_007_199_254_740_991_u64), |inner, _| json!([inner]));
    let bytes = to_bytes(&deep).unwrap();
    assert!(is_canonical(&bytes));
    assert_eq!(from_bytes(&bytes).unwrap(), deep);
    assert!(to_bytes(&json!(-9_007_199_254_740_991_i64)).is_ok());
}

#[test]
fn another_spelling_of_the_same_value_is_not_canonical() {
    let wrong = [
        "",
        " 1",
        "1 ",
        "01",
        "-0",
        "-",
        "1.0",
        "1e2",
        "+1",
        "null",
        "tru",
        "[1, 2]",
        "[1,]",
        "[",
        "{",
        "{\"a\":1,}",
        "{\"b\":1,\"a\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"a\" :1}",
        "{a:1}",
        "\"\\u0041\"",
        "\"\\/\"",
        "\"\\u000A\"",
        "\"\\u000a\"",
        "\"\\u001F\"",
        "\"\n\"",
        "\"a",
        "9007199254740992",
        "1 1",
        "{\"\\u0001\":1,\"\":2}",
        "99999999999999999999999",
        "\"\u{7f}",
        "\"\\ud83d\\ude00\"",
        "'a'",
    ];
    for text in wrong {
        assert!(!is_canonical(text.as_bytes()), "accepted {text:?}");
    }
    assert!(!is_canonical(b"\"\xff\""));
    let right = [
        "0",
        "-1",
        "\"\"",
        "[]",
        "{}",
        "{\"\":1,\"\\u0001\":2}",
        "\"\\u001f\\b\u{7f}\"",
        "true",
    ];
    for text in right {
        assert!(is_canonical(text.as_bytes()), "refused {text:?}");
    }
}

#[test]
fn strings_end_at_the_first_bare_quote_however_long_they_are() {
    for length in 0..40 {
        for (end, tail) in [("\"", ""), ("\\\"\"", "x")] {
            let text = format!("\"{}é{}{end}", "a".repeat(length), "\u{7f}".repeat(length % 9));
            assert!(is_canonical(text.as_bytes()), "refused {text:?}");
            let longer = format!("{text}{tail}\"");
            assert!(!is_canonical(longer.as_bytes()), "accepted {longer:?}");
            assert!(
                !is_canonical(text.trim_end_matches('"').as_bytes()),
                "accepted an open string"
            );
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let limit = i64::try_from(MAX_INTEGER).unwrap();
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-limit..=limit).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x20\"\\\\a]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let name = prop_oneof![any::<String>(), "[a-c]{0,2}", "[\\x00-\\x22]{0,2}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_writer_agrees_with_another_one(value in any_value()) {
        prop_assert_eq!(to_bytes(&value).unwrap(), serde_json_canonicalizer::to_vec(&value).unwrap());
        prop_assert!(check_value(&value).is_ok());
    }

    #[test]
    fn the_scanner_accepts_what_the_writer_writes(value in any_value()) {
        let bytes = to_bytes(&value).unwrap();
        prop_assert!(is_canonical(&bytes));
        prop_assert_eq!(from_bytes(&bytes).unwrap(), value);
    }

    #[test]
    fn the_scanner_agrees_with_reading_and_writing_again(
        value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = to_bytes(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let again = serde_json::from_slice::<Value>(&bytes).ok().and_then(|value| to_bytes(&value).ok());
        prop_assert_eq!(is_canonical(&bytes), again.as_deref() == Some(bytes.as_slice()));
    }
}
