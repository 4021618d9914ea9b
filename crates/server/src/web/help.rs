//! The glossary, the page of all components, and what is not there.

use axum::extract::State;
use axum::response::Response;
use pages::{Components, Help, Place, Problem, Term};

use super::ASSETS;
use super::view::{Visitor, html, show};
use crate::state::AppState;

/// The words of the field, as the repository tells them.
const GLOSSARY: &str = include_str!("../../../../GLOSSARY.md");

/// The glossary's words: the rows of its tables.
fn terms() -> Vec<Term> {
    let rows = GLOSSARY.lines().filter(|line| line.starts_with("| **"));
    rows.filter_map(|line| {
        let cells: Vec<&str> = line.split('|').skip(1).map(str::trim).collect();
        let word = cells.first()?.replace("**", "");
        let meaning = cells.get(1)?;
        let also = cells.get(3).copied().unwrap_or_default();
        Some(Term {
            also: also.to_owned(),
            ..Term::new(apart(&word), *meaning)
        })
    })
    .collect()
}

/// A name of the code as people write it: `RollbackPlan` is “Rollback plan”.
fn apart(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut was_small = false;
    for letter in word.chars() {
        if was_small && letter.is_ascii_uppercase() {
            text.push(' ');
            text.push(letter.to_ascii_lowercase());
        } else {
            text.push(letter);
        }
        was_small = letter.is_ascii_lowercase();
    }
    text
}

/// The help page.
pub(super) async fn show_help(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Help, |view| {
        let page = Help {
            frame: view.frame.clone(),
            terms: terms(),
            keys: Help::usual_keys(),
            api_url: "/api".to_owned(),
        };
        Ok(page.render())
    })
    .await
}

/// Every component in every state, for whoever changes the look.
pub(super) async fn components(_: Visitor) -> Response {
    let page = Components::samples().into_iter().next();
    page.map_or_else(
        || html(404, Problem::not_found(None, ASSETS).render()),
        |page| html(200, page.render()),
    )
}

/// Nothing is here.
pub(super) async fn nothing() -> Response {
    html(404, Problem::not_found(None, ASSETS).render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_code_are_written_apart() {
        assert_eq!(apart("PostImplementationReview"), "Post implementation review");
        assert_eq!(apart("CAB"), "CAB");
        assert_eq!(apart("Standard change"), "Standard change");
    }

    #[test]
    fn the_glossary_is_read_whole() {
        let terms = terms();
        let rows = GLOSSARY.lines().filter(|line| line.starts_with("| **")).count();
        assert_eq!(terms.len(), rows);
        assert!(terms.len() > 40);
        assert!(
            terms
                .iter()
                .all(|term| !term.word.is_empty() && !term.word.contains('*') && term.meaning.len() > 10)
        );
        assert!(
            terms
                .iter()
                .any(|term| term.word == "Change" && term.also.starts_with("change request"))
        );
    }
}
