//! The query parameters that the API's document lists for each route. Ignoring a misspelt filter would return everything, which
//! reads like a match; on a write it would do something else than was requested.

use std::collections::HashMap;
use std::sync::OnceLock;

use model::core::parse::nearest;
use model::core::refusal::{FieldError, Refusal};
use wire::openapi::Answer;

use crate::http::address::BASE;

/// The parameters of paging.
const PAGING: [&str; 2] = ["limit", "after"];

type Words = HashMap<(&'static str, String), Vec<&'static str>>;

/// Parameters by method and path, for all routes.
fn parameters() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let routes = wire::openapi::routes().iter();
        routes
            .map(|route| {
                let mut words: Vec<&'static str> = route.params.iter().map(|param| param.name).collect();
                if matches!(route.answer, Answer::List(_)) && route.method == "GET" {
                    words.extend(PAGING);
                }
                ((route.method, route.path.clone()), words)
            })
            .collect()
    })
}

/// Refuses, by name, query parameters that the route of this method and path (behind the base) does not have.
///
/// # Errors
/// 422.
pub(crate) fn check((method, path): (&'static str, &str), query: &[(String, String)]) -> Result<(), Refusal> {
    if query.is_empty() {
        return Ok(());
    }
    let Some(known) = parameters().get(&(method, format!("{BASE}{path}"))) else {
        return Ok(());
    };
    let mut errors: Vec<FieldError> = Vec::new();
    for (place, (word, _)) in query.iter().enumerate() {
        if errors.iter().any(|error| &error.field == word) {
            continue;
        }
        if known.contains(&word.as_str()) {
            // The second value would be ignored, and the list would not match the request.
            if query[..place].iter().any(|(before, _)| before == word) {
                let text = format!("`{word}` stands there twice.");
                errors.push(FieldError::new(word.as_str(), "not_unique", text));
            }
            continue;
        }
        let help = match nearest(word, known) {
            Some(near) => format!(" Did you mean `{near}`?"),
            None if known.is_empty() => " This address takes no query.".to_owned(),
            None => format!(" It takes {}.", known.join(", ")),
        };
        errors.push(FieldError::new(
            word.as_str(),
            "unknown_field",
            format!("`{word}` is no word of this query.{help}"),
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(errors))
    }
}

/// The same for a reading route that is in no table, by its path behind the base.
///
/// # Errors
/// 422.
pub(crate) fn check_parameters(path: &str, query: &[(String, String)]) -> Result<(), Refusal> {
    check(("GET", path), query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_know_paging_and_their_filters() {
        let of = |method: &'static str, path: &str| &parameters()[&(method, path.to_owned())];
        let changes = of("GET", "/api/v1/changes");
        assert!(
            ["state", "q", "limit", "after"]
                .iter()
                .all(|word| changes.contains(word))
        );
        assert!(of("GET", "/api/v1/me").is_empty());
        assert!(of("POST", "/api/v1/changes").is_empty());
        assert_eq!(of("DELETE", "/api/v1/services/{key}/watchers"), &["group"]);
    }
}
