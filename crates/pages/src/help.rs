//! The glossary: one term per thing.

use askama::Template;

use crate::elements::filters;
use crate::elements::glossary::Term;
use crate::elements::parts::Entries;
use crate::elements::sample::{BIDI, MARKUP};
use crate::{Entry, Frame, Place, Rich, Tone, render};

/// The help page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "help.html")]
pub struct Help {
    /// Everything around it.
    pub frame: Frame,
    /// The stops of a tour for new users.
    pub tour: Vec<Entry>,
    /// The terms, in their order.
    pub terms: Vec<Term>,
    /// The keys of the keyboard and their effects.
    pub keys: Vec<(String, String)>,
    /// Where the API's page is; empty to leave it out.
    pub api_url: String,
}

impl Help {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around("Help and glossary", false, &render(self))
    }

    fn stops(&self) -> Entries<'_> {
        Entries {
            entries: &self.tour,
            wide: true,
        }
    }

    /// The keys that the script understands.
    #[must_use]
    pub fn usual_keys() -> Vec<(String, String)> {
        [
            ("/", "go to the search"),
            ("Ctrl K", "search and commands, such as approve CHG-1042"),
            ("J", "next change of the queue, or next row of a list"),
            ("K", "change or row before it"),
            ("A", "go to Approve; Enter then decides"),
            ("C", "approve with conditions"),
            ("R", "return with a question"),
            ("X", "reject"),
            ("U", "go to Undo of the last decision"),
            ("?", "show these keys"),
        ]
        .into_iter()
        .map(|(key, act)| (key.to_owned(), act.to_owned()))
        .collect()
    }

    /// Believable instances: the usual glossary, and one of odd terms.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let usual = Self {
            frame: crate::elements::sample::frame(Place::Help),
            tour: vec![
                Entry::new(Tone::Plain, Rich::new().link("What waits for you", "/t/halden/"))
                    .icon("home")
                    .why("Each card says what, where, when and why it is safe; you decide on the card."),
            ],
            terms: vec![
                Term {
                    also: "RFC, ticket, change request".to_owned(),
                    ..Term::new(
                        "Change",
                        "Anything that is done to production: what, where, when, by whom, and how to take it back.",
                    )
                },
                Term::new(
                    "Permit",
                    "A signed note that lets one build go to one service for a short time. It can be checked without asking us.",
                ),
                Term::new(
                    "Freeze",
                    "A time in which nothing may start. A way back is never stopped by it.",
                ),
            ],
            keys: Self::usual_keys(),
            api_url: "/api".to_owned(),
        };
        let odd = Self {
            tour: vec![Entry::new(Tone::Plain, MARKUP).why(BIDI)],
            terms: vec![Term::new(MARKUP, MARKUP), Term::new(BIDI, BIDI)],
            keys: Vec::new(),
            api_url: String::new(),
            ..usual.clone()
        };
        vec![usual, odd]
    }
}
