//! Sealed forms of records, stored as the difference from the body.
//!
//! The sealed form of a record is its body with each free text replaced by `{"c": commitment}`. The column `sealed` holds one of
//! three texts: nothing where the two are equal; an array of pairs, each a JSON Pointer (RFC 6901) into the body and the
//! commitment that is in its place; or the sealed form itself, an object, as versions before kept it.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// A sealed form as stored beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Nothing where the sealed form is kept as it is.
    body: String,
    kept: String,
}

impl Sealed {
    /// The column `sealed` of a row with this body.
    pub(crate) fn new(body: &str, kept: String) -> Self {
        let body = if is_whole(&kept) { "" } else { body };
        Self {
            body: body.to_owned(),
            kept,
        }
    }

    /// The sealed form as JSON.
    ///
    /// # Errors
    /// `Corrupt` where the column does not fit the body.
    pub fn text(&self) -> Result<Cow<'_, str>> {
        if self.kept.is_empty() {
            return Ok(Cow::Borrowed(&self.body));
        }
        if is_whole(&self.kept) {
            return Ok(Cow::Borrowed(&self.kept));
        }
        let opened = open(&self.body, &self.kept);
        let text = opened.ok_or_else(|| Error::Corrupt("a sealed form does not fit its body".to_owned()))?;
        Ok(Cow::Owned(text))
    }
}

fn is_whole(kept: &str) -> bool {
    kept.starts_with('{')
}

fn open(body: &str, kept: &str) -> Option<String> {
    let mut sealed: Value = serde_json::from_str(body).ok()?;
    let pairs: Vec<(String, String)> = serde_json::from_str(kept).ok()?;
    for (place, commitment) in pairs {
        *sealed.pointer_mut(&place)? = json!({"c": commitment});
    }
    Some(sealed.to_string())
}

/// The shortest form of a sealed body beside this body, for the column `sealed`.
#[must_use]
pub fn shorten(body: &Value, sealed: &Value) -> String {
    let mut pairs = Vec::new();
    if !note_pairs(body, sealed, &mut String::new(), &mut pairs) {
        return sealed.to_string();
    }
    match pairs.is_empty() {
        true => String::new(),
        false => json!(pairs).to_string(),
    }
}

/// Notes where commitments are in the place of texts; `false` where the two differ in something else.
fn note_pairs(body: &Value, sealed: &Value, path: &mut String, pairs: &mut Vec<(String, String)>) -> bool {
    let length = path.len();
    match (body, sealed) {
        (Value::Array(body), Value::Array(sealed)) => {
            body.len() == sealed.len()
                && body.iter().zip(sealed).enumerate().all(|(at, (body, sealed))| {
                    path.push_str(&format!("/{at}"));
                    let fits = note_pairs(body, sealed, path, pairs);
                    path.truncate(length);
                    fits
                })
        }
        (body, Value::Object(members)) if body != sealed && commitment_in(members).is_some() => {
            let commitment = commitment_in(members).unwrap_or_default();
            pairs.push((path.clone(), commitment.to_owned()));
            true
        }
        (Value::Object(body), Value::Object(sealed)) => {
            body.len() == sealed.len()
                && sealed.iter().all(|(name, sealed)| {
                    let Some(body) = body.get(name) else { return false };
                    path.push('/');
                    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                    let fits = note_pairs(body, sealed, path, pairs);
                    path.truncate(length);
                    fits
                })
        }
        (body, sealed) => body == sealed,
    }
}

/// The commitment of a sealed text.
fn commitment_in(members: &serde_json::Map<String, Value>) -> Option<&str> {
    match members.len() {
        1 => members.get("c")?.as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &Value, sealed: &Value) -> String {
        let kept = shorten(body, sealed);
        let text = Sealed::new(&body.to_string(), kept.clone());
        let text = text.text().expect("it fits");
        assert_eq!(&serde_json::from_str::<Value>(&text).expect("it is JSON"), sealed);
        kept
    }

    #[test]
    fn a_sealed_form_is_kept_as_what_differs() {
        let plain = json!({"id": "1", "state": "draft"});
        assert_eq!(kept(&plain, &plain), "");
        let body = json!({"id": "1", "title": "A", "plan": [{"title": "B", "minutes": 5}], "a/b": {"~": "C"}});
        let sealed = json!({"id": "1", "title": {"c": "x"}, "plan": [{"title": {"c": "y"}, "minutes": 5}], "a/b": {"~": {"c": "z"}}});
        assert_eq!(
            kept(&body, &sealed),
            r#"[["/title","x"],["/plan/0/title","y"],["/a~1b/~0","z"]]"#
        );
        let erased = json!({"title": {"erased": true}});
        assert_eq!(kept(&erased, &json!({"title": {"c": "x"}})), r#"[["/title","x"]]"#);
    }

    #[test]
    fn a_sealed_form_of_another_body_is_kept_whole() {
        for (body, sealed) in [
            (json!({"a": 1}), json!({"a": 2})),
            (json!({"a": 1}), json!({"a": 1, "b": 2})),
            (json!({"a": 1, "b": 2}), json!({"a": 1})),
            (json!({"a": [1]}), json!({"a": [1, 2]})),
        ] {
            assert_eq!(kept(&body, &sealed), sealed.to_string());
        }
    }

    #[test]
    fn what_does_not_fit_the_body_is_damage() {
        for kept in ["x", "[", r#"[["/gone","x"]]"#, r#"["/title"]"#] {
            let sealed = Sealed::new(r#"{"title":"A"}"#, kept.to_owned());
            assert!(matches!(sealed.text(), Err(Error::Corrupt(_))), "{kept}");
        }
    }
}
