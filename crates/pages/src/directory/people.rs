//! People.

use crate::elements::list::row_acts;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Field, Fold, Input, List, ListRow, Place, Rich, Tone};

/// People of the tenant and their rights.
pub type People = List<PersonRow>;

/// A person in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonRow {
    /// The login, unique.
    pub login: String,
    /// Their page; empty when there is none.
    pub href: String,
    /// Their name.
    pub name: String,
    /// Their groups and rights: “owner, security”.
    pub roles: String,
    /// Their manager, refused rights and long-lasting rights, each a line.
    pub told: Rich,
    /// Their team.
    pub team: String,
    /// Whether they can sign in.
    pub is_active: bool,
    /// When they were last here, for the reader.
    pub last_seen: String,
    /// Acts that are legal now: deactivate, new password.
    pub acts: Vec<ActForm>,
}

impl ListRow for PersonRow {
    const TITLE: &'static str = "People";
    const LEDE: &'static str =
        "People and their rights. A decision that was valid when it was made stays valid after its author has left.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Person", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Rights", Fold::Under),
            Column::new("Team", Fold::Away),
            Column::new("Last here", Fold::Away),
            Column::new("", Fold::Never),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let state = match self.is_active {
            true => Tone::Ok.mark("Active"),
            false => Tone::Plain.mark("Deactivated"),
        };
        vec![
            Cell::Title {
                text: self.name.clone(),
                href: self.href.clone(),
                key: self.login.clone(),
                marks: Vec::new(),
                sub: self.told.clone(),
            },
            Cell::Mark(state),
            Cell::text(self.roles.as_str()),
            Cell::said(self.team.as_str()),
            Cell::Short(self.last_seen.clone()),
            row_acts(&format!("person-{}", self.login), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No people yet",
            "Add the first people, or let your identity provider do it.",
        )
    }

    fn place() -> Place {
        Place::People
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("person", "Add a person", "/t/halden/people")
                .field(Field::text("login", "Login").required().half())
                .field(Field::text("name", "Name").required().half())
                .field(Field::new("mail", "Mail address", Input::Email))
                .field(Field::many(
                    "roles",
                    "Rights",
                    &[
                        ("owner", "Owner"),
                        ("security", "Security"),
                        ("change_manager", "Change manager"),
                    ],
                )),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        let row = |login: &str, name: &str, is_active: bool| Self {
            login: login.to_owned(),
            name: name.to_owned(),
            roles: "security, requester".to_owned(),
            team: "Platform".to_owned(),
            is_active,
            last_seen: "today 10:12".to_owned(),
            ..Self::default()
        };
        let leave = ActForm::new("leave", "Deactivate", "/t/halden/people/priya.raman/deactivation")
            .tone(ActTone::Link)
            .field(Field::textarea("reason", "Why").required())
            .field(Field::new(
                "compromised",
                "The account was compromised: void its decisions and revoke its permits",
                Input::Checkbox,
            ));
        vec![
            Self {
                acts: vec![leave],
                told: Rich::from("Reports to ")
                    .said("Lena Voss")
                    .line()
                    .text("Refused by ")
                    .said("Lena Voss")
                    .text(" on 24 Nov: ")
                    .said("security"),
                ..row("priya.raman", "Priya Raman", true)
            },
            row("sofie.aas", "Sofie Aas", false),
            row("x1", MARKUP, true),
            row("x2", BIDI, true),
            row("x3", &LONG_WORD.repeat(10), true),
        ]
    }
}
