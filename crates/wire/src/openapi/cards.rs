//! Routes and shapes of the nouns that have a card, and the shape of the request for a change.

use model::change::read_content::new_change::NewChange;
use model::core::card::{Card, Described, Does, Token, Verb};
use model::nouns::CARDS;
use serde_json::Value;

use crate::openapi::rows::{Row, at};
use crate::openapi::shapes::{Field, schema_of};
use crate::openapi::{Answer, Route, Scope};

/// The routes of every card.
pub(crate) fn routes() -> impl Iterator<Item = Route> {
    CARDS
        .iter()
        .flat_map(|card| card.verbs.iter().map(|verb| row(card, verb).route()))
}

/// The shape of the request for a change, and those of every card, by name: its input, its patch if it can be edited, its
/// response.
pub(crate) fn shapes() -> impl Iterator<Item = (String, Value)> {
    let change = schema_of(NewChange::DOC, NewChange::FIELDS.iter().map(Field::from), &[]);
    let change = (NewChange::NAME.to_owned(), change);
    std::iter::once(change).chain(CARDS.iter().flat_map(|card| {
        let (name, doc, fields) = card.input;
        let answered = card.fields.iter().chain(card.shown).map(Field::from);
        let mut all = vec![(card.name.to_owned(), schema_of(card.doc, answered, &["Stored"]))];
        if card.has_input() {
            all.push((name.to_owned(), schema_of(doc, fields.iter().map(Field::from), &[])));
        }
        if !card.patch.is_empty() {
            let fields = fields.iter().map(|field| Field::from(field).optional());
            let doc = format!("What changes, and no more. {doc}");
            all.push((card.patch.to_owned(), schema_of(&doc, fields, &[])));
        }
        all
    }))
}

/// The pages of cards with their rights: the list needs the right to list, each form the right of its verb.
pub(crate) fn page_rules() -> impl Iterator<Item = (String, &'static str)> {
    CARDS.iter().flat_map(|card| {
        let path = card.page.map_or("", |page| page.path);
        let rows = card.verbs.iter().filter(|_| card.page.is_some());
        rows.filter_map(move |verb| {
            let place = match verb.does {
                Does::List => format!("GET /t/{{tenant}}{path}"),
                Does::Add | Does::Set => format!("POST /t/{{tenant}}{path}"),
                Does::Edit => format!("POST /t/{{tenant}}{path}/{{id}}"),
                Does::End => format!("POST /t/{{tenant}}{path}/{{id}}/end"),
                Does::Show => return None,
            };
            Some((place, verb.may))
        })
    })
}

fn row(card: &'static Card, verb: &'static Verb) -> Row {
    let body = match verb.does {
        Does::Add | Does::Set => Some(card.input.0),
        Does::Edit => Some(card.patch),
        Does::List | Does::Show | Does::End => None,
    };
    Row {
        body,
        may: verb.may,
        scope: if verb.token == Token::Audit {
            Scope::Audit
        } else {
            Scope::Credential
        },
        answer: if verb.does == Does::List {
            Answer::List(card.name)
        } else {
            Answer::Json(card.name)
        },
        ..at(verb.method(), card.tag, verb.name, verb.path, verb.doc)
    }
}
