//! Commands on nouns with a card: a subcommand for each verb, its arguments and its table from the card.

use std::marker::PhantomData;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, Subcommand};
use serde_json::{Map, Value, json};
use wire::nouns::{CARDS, Card, Does, Field, Kind, Noun, Verb};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Nouns whose command has more than the verbs of the card; it takes in [`Verbs`].
const WITH_MORE: &[&str] = &[
    "action-item",
    "witness",
    "problem",
    "incident-review",
    "record-link",
    "outside-calendar",
    "foreign-system",
    "imported-change",
    "traffic",
    "vendor",
    "vendor-notice",
    "hold-order",
    "communication-plan",
    "dashboard",
    "monitor",
];

/// A verb that was chosen, with its arguments.
#[derive(Debug)]
pub struct Chosen {
    card: &'static Card,
    verb: &'static Verb,
    matches: ArgMatches,
}

/// The verbs of one noun, for a command that has more than these.
#[derive(Debug)]
pub struct Verbs<N> {
    chosen: Chosen,
    noun: PhantomData<N>,
}

/// A verb of any noun whose command is all from its card.
#[derive(Debug)]
pub struct AnyNoun(Chosen);

impl<N: Noun> Subcommand for Verbs<N> {
    fn augment_subcommands(command: Command) -> Command {
        with_verbs(command, N::CARD)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        with_verbs(command, N::CARD)
    }

    fn has_subcommand(name: &str) -> bool {
        verb_of(N::CARD, name).is_some()
    }
}

impl<N: Noun> FromArgMatches for Verbs<N> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Ok(Self {
            chosen: choose(N::CARD, matches)?,
            noun: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        self.chosen = choose(N::CARD, matches)?;
        Ok(())
    }
}

impl Subcommand for AnyNoun {
    fn augment_subcommands(command: Command) -> Command {
        plain_cards().fold(command, |command, card| {
            let noun = Command::new(card.command).about(sentence(card.doc));
            let noun = noun.subcommand_required(true).arg_required_else_help(true);
            command.subcommand(with_verbs(noun, card))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        plain_cards().any(|card| card.command == name)
    }
}

impl FromArgMatches for AnyNoun {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let named = matches.subcommand();
        let found = named.and_then(|(name, inner)| Some((plain_cards().find(|card| card.command == name)?, inner)));
        let (card, inner) = found.ok_or_else(unknown)?;
        Ok(Self(choose(card, inner)?))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn plain_cards() -> impl Iterator<Item = &'static Card> {
    CARDS.iter().copied().filter(|card| !WITH_MORE.contains(&card.command))
}

fn verb_of(card: &'static Card, name: &str) -> Option<&'static Verb> {
    card.verbs.iter().find(|verb| verb.command == name)
}

fn choose(card: &'static Card, matches: &ArgMatches) -> std::result::Result<Chosen, clap::Error> {
    let named = matches.subcommand();
    let found = named.and_then(|(name, inner)| Some((verb_of(card, name)?, inner)));
    let (verb, inner) = found.ok_or_else(unknown)?;
    Ok(Chosen {
        card,
        verb,
        matches: inner.clone(),
    })
}

fn unknown() -> clap::Error {
    clap::Error::raw(ErrorKind::InvalidSubcommand, "this is no command of a noun\n")
}

/// A documentation as clap writes sentences: without the full stop.
fn sentence(doc: &'static str) -> &'static str {
    doc.trim_end_matches('.')
}

fn with_verbs(command: Command, card: &'static Card) -> Command {
    card.verbs.iter().fold(command, |command, verb| {
        let own = Command::new(verb.command).about(verb.doc);
        command.subcommand(arguments(own, card, verb))
    })
}

fn arguments(command: Command, card: &'static Card, verb: &'static Verb) -> Command {
    let fields = card.input.2;
    match verb.does {
        Does::List => command,
        Does::Add | Does::Set => command.args(fields.iter().map(|field| argument(field, false))),
        Does::Edit => command
            .arg(key())
            .args(fields.iter().map(|field| argument(field, true))),
        Does::Show | Does::End => command.arg(key()),
    }
}

fn key() -> Arg {
    Arg::new("named")
        .value_name("KEY")
        .required(true)
        .help("Its id or key, as `list` shows it")
}

fn argument(field: &'static Field, is_edit: bool) -> Arg {
    let argument = Arg::new(field.name).help(sentence(field.doc));
    let is_needed = field.is_needed && field.usual.is_empty() && !is_edit;
    let argument = match (field.is_positional && !is_edit, field.option) {
        (true, _) => argument.value_name("KEY").required(is_needed),
        (false, "") => argument.long(field.name).required(is_needed),
        (false, option) => argument.long(option).required(is_needed),
    };
    let argument = match field.kind {
        Kind::Boolean => return argument.action(ArgAction::SetTrue),
        Kind::Word(words) => argument.value_parser(PossibleValuesParser::new((words.all)())),
        Kind::Words(words) => argument
            .value_parser(PossibleValuesParser::new((words.all)()))
            .action(ArgAction::Append),
        Kind::Texts(_) => argument.action(ArgAction::Append),
        Kind::Time => argument.value_name("TIME").allow_hyphen_values(true),
        Kind::Integer(..) => argument.value_parser(clap::value_parser!(i64)),
        Kind::Text(_) | Kind::Object | Kind::Part(_) | Kind::Parts(_) => argument,
    };
    if is_edit || field.usual.is_empty() {
        argument
    } else {
        argument.default_value(field.usual)
    }
}

/// The given values, as the body of the request.
fn body(chosen: &Chosen) -> Result<Value> {
    let (matches, now) = (&chosen.matches, clock::now());
    let mut body = Map::new();
    for field in chosen.card.input.2 {
        let name = field.name;
        let texts = || matches.get_many::<String>(name).into_iter().flatten();
        let value = match field.kind {
            Kind::Boolean => {
                (matches.get_flag(name) || chosen.verb.does != Does::Edit).then(|| json!(matches.get_flag(name)))
            }
            Kind::Integer(..) => matches.get_one::<i64>(name).map(|number| json!(number)),
            Kind::Texts(_) | Kind::Words(_) => Some(texts().collect::<Vec<_>>())
                .filter(|it| !it.is_empty())
                .map(|it| json!(it)),
            Kind::Time => texts()
                .next()
                .map(|text| clock::moment(text, now))
                .transpose()?
                .map(|at| json!(at.to_string())),
            Kind::Text(_) | Kind::Word(_) | Kind::Object | Kind::Part(_) | Kind::Parts(_) => {
                texts().next().map(|text| json!(text))
            }
        };
        body.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(Value::Object(body))
}

/// Runs a command on a noun.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(noun: &AnyNoun, common: &Common, output: &Output) -> Result<u8> {
    run_chosen(&noun.0, common, output)
}

/// Runs a verb of a noun whose command has more.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run_verb<N: Noun>(verbs: &Verbs<N>, common: &Common, output: &Output) -> Result<u8> {
    run_chosen(&verbs.chosen, common, output)
}

fn run_chosen(chosen: &Chosen, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let (card, verb) = (chosen.card, chosen.verb);
    let path = path(chosen);
    match verb.does {
        Does::List => {
            let list = client.get(&format!("{path}?limit=200"))?.body;
            output.data(&list, |output| list_rows(output, card, &list));
        }
        Does::Show => {
            let shown = client.get(&path)?.body;
            let pairs: Vec<(&str, String)> = card.columns.iter().map(|name| (*name, cell(&shown, name))).collect();
            output.data(&shown, |output| output.pairs(&pairs));
        }
        Does::Add | Does::Set => {
            let made = client.post(&path, &body(chosen)?)?.body;
            output.data(&made, |output| output.line(&cell(&made, card.columns[0])));
        }
        Does::Edit => {
            let etag = client.get(&path)?.etag.unwrap_or_default();
            let edited = client.conditional("PATCH", &path, &body(chosen)?, &etag)?.body;
            output.data(&edited, |output| output.line(&cell(&edited, card.columns[0])));
        }
        Does::End => {
            let ended = client.delete(&path)?.body;
            let name = card.columns.get(1).map_or_else(String::new, |name| cell(&ended, name));
            output.data(&ended, |output| output.line(&format!("ended {name}")));
        }
    }
    Ok(0)
}

/// The path of the verb with the key that was given.
fn path(chosen: &Chosen) -> String {
    let path = chosen.verb.path;
    match (path.split_once('{'), chosen.matches.try_get_one::<String>("named")) {
        (Some((begin, _)), Ok(Some(key))) => format!("{begin}{}", encode(key)),
        _ => path.to_owned(),
    }
}

fn list_rows(output: &Output, card: &Card, list: &Value) {
    let heads: Vec<String> = card.columns.iter().map(|name| name.replace('.', " ")).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let row = |item: &Value| card.columns.iter().map(|name| cell(item, name)).collect();
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(&heads, &rows);
}

/// The text of a column; a point leads into an object.
fn cell(item: &Value, name: &str) -> String {
    match name.split_once('.') {
        Some((outer, inner)) => text_of(&item[outer], inner),
        None => text_of(item, name),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn options_are_written_with_hyphens_alone() {
        let unhyphened: Vec<String> = CARDS
            .iter()
            .flat_map(|card| card.input.2.iter().map(move |field| (card.name, field)))
            .filter(|(_, field)| {
                let option = if field.option.is_empty() {
                    field.name
                } else {
                    field.option
                };
                !field.is_positional && option.contains('_')
            })
            .map(|(card, field)| format!("{card}.{}", field.name))
            .collect();
        assert_eq!(unhyphened, [""; 0], "each needs an `option`");
    }

    #[test]
    fn the_arguments_become_the_body_of_the_request() {
        let command = AnyNoun::augment_subcommands(Command::new("assent"));
        let words = [
            "assent", "field", "set", "tier", "--name", "Tier", "--holds", "choice", "--choice", "gold", "--choice",
            "silver",
        ];
        let AnyNoun(chosen) = AnyNoun::from_arg_matches(&command.get_matches_from(words)).unwrap();
        let wanted = json!({"key": "tier", "name": "Tier", "holds": "choice", "choices": ["gold", "silver"], "is_needed": false, "is_fact": false});
        assert_eq!(body(&chosen).unwrap(), wanted);
        assert_eq!(path(&chosen), "/custom-fields");
    }
}
