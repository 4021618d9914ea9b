//! People and tokens.

use super::row_acts;
use crate::samples::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Field, Fold, Input, List, ListRow, Notice, Place, Rich, Tone};

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
    /// Their manager, what was refused them and what lasts so long, each a line.
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
        "Who may do what. A decision stands if it was lawful when it was made, also after its author has left.";

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
            "Nobody is here yet",
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
                "The account was in foreign hands: void its decisions and revoke its permits",
                Input::Checkbox,
            ));
        vec![
            Self {
                acts: vec![leave],
                told: Rich::from("Answers to ")
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

/// Credentials of machines and people.
pub type Tokens = List<TokenRow>;

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose rights it has.
    pub person: String,
    /// What it may do: “gate, changes”.
    pub scopes: String,
    /// When it was last used, for the reader; empty when nobody counts it.
    pub last_used: String,
    /// When it ends, for the reader.
    pub ends: String,
    /// Acts that are legal now: revoke.
    pub acts: Vec<ActForm>,
}

impl ListRow for TokenRow {
    const TITLE: &'static str = "Tokens";
    const LEDE: &'static str =
        "Credentials for pipelines and command lines. A token has its person's rights and never more.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Token", Fold::Never),
            Column::new("Acts as", Fold::Under).named(),
            Column::new("May", Fold::Under).named(),
            Column::new("Last used", Fold::Away),
            Column::new("Ends", Fold::Under),
            Column::new("", Fold::Never),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::title(self.name.as_str(), ""),
            Cell::said(self.person.as_str()),
            Cell::text(self.scopes.as_str()),
            Cell::Short(self.last_used.clone()),
            Cell::Short(self.ends.clone()),
            row_acts(&format!("token-{}", self.id), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No token is out",
            "A pipeline needs one to ask the gate. It is shown once, when it is made.",
        )
    }

    fn place() -> Place {
        Place::Tokens
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("token", "Make a token", "/t/halden/tokens")
                .field(
                    Field::text("name", "Name")
                        .hint("What uses it: “booking-api pipeline”.")
                        .required(),
                )
                .field(Field::text("person", "Acts as").half())
                .field(Field::select("days", "Ends after", &[("90", "90 days"), ("365", "A year")]).half())
                .submit("Make this token"),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        let revoke = ActForm::new("revoke", "Revoke", "/t/halden/tokens/t1/revocation").tone(ActTone::Link);
        let row = |id: &str, name: &str| Self {
            id: id.to_owned(),
            name: name.to_owned(),
            person: "pipeline".to_owned(),
            scopes: "gate, changes".to_owned(),
            last_used: "today 10:12".to_owned(),
            ends: "Thu 18 Feb 2027".to_owned(),
            acts: vec![revoke.clone()],
        };
        vec![
            row("t1", "booking-api pipeline"),
            row("t2", MARKUP),
            row("t3", BIDI),
            row("t4", LONG_WORD),
        ]
    }
}

impl Tokens {
    /// The notice that shows a new token's secret, the only time that it can be
    /// seen; it belongs into the frame's notices.
    #[must_use]
    pub fn created(name: &str, secret: &str) -> Notice {
        let mut notice = Notice::new(Tone::Ok, "Copy it now: it is not kept and cannot be shown again.")
            .title(format!("{name} is made"))
            .answer();
        notice.rows.push(Rich::new().code(secret));
        notice
    }

    /// The list right after one was made.
    #[must_use]
    pub fn sample_created() -> Self {
        let mut frame = crate::samples::frame(Place::Tokens);
        frame.notices.push(Self::created(
            "booking-api pipeline",
            "assent_7Qm2vR9xT4bN8cW1zK6yH3jL5pD0sF",
        ));
        Self {
            frame,
            acts: TokenRow::sample_acts(),
            rows: TokenRow::sample_rows(),
            ..Self::default()
        }
    }
}
