//! Tokens.

use crate::elements::list::row_acts;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Field, Fold, List, ListRow, Notice, Place, Rich, Tone};

/// Credentials of machines and people.
pub type Tokens = List<TokenRow>;

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The person whose rights it has.
    pub person: String,
    /// Its scopes: “gate, changes”.
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
            "No tokens yet",
            "A pipeline needs a token to ask the gate. The token is shown once, when it is created.",
        )
    }

    fn place() -> Place {
        Place::Tokens
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("token", "Create a token", "/t/halden/tokens")
                .field(
                    Field::text("name", "Name")
                        .hint("What uses it: “booking-api pipeline”.")
                        .required(),
                )
                .field(Field::text("person", "Acts as").half())
                .field(Field::select("days", "Ends after", &[("90", "90 days"), ("365", "A year")]).half())
                .submit("Create this token"),
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
        let mut frame = crate::elements::sample::frame(Place::Tokens);
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
