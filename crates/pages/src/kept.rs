//! Input that a person had typed when their session ended, shown after the next sign-in, to be sent again by their own click.

use askama::Template;

mod labels;

use crate::elements::filters;
use crate::elements::form::Fields;
use crate::elements::frame::document;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{Field, Input, Part, render};

/// Fields that the forms of pages send along besides digests.
const SENT_ALONG: [&str; 10] = [
    "act",
    "asked",
    "from",
    "next",
    "once",
    "return_to",
    "revision",
    "version",
    "was",
    "both",
];

/// The page that gives a form back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "kept.html")]
pub struct Kept {
    /// Where the assets are served.
    pub assets: String,
    /// Where the form was on its way to.
    pub action_url: String,
    /// Where “Leave it” leads.
    pub back_url: String,
    /// The fields as they were sent, hidden ones too, in their order.
    pub fields: Vec<(String, String)>,
    /// Whether the form sends a file, which the browser alone had: it is chosen again.
    pub asks_file: bool,
}

impl Kept {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        document("What you typed is here", &self.assets, "door", &render(self))
    }

    /// Believable instances: a comment, and odd texts.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let comment = Self {
            assets: "/assets".to_owned(),
            action_url: "/t/halden/changes/CHG-1042/comments".to_owned(),
            back_url: "/t/halden/changes/CHG-1042".to_owned(),
            fields: vec![field("text", "Dispatch has planned the four minutes.")],
            asks_file: false,
        };
        let file = Self {
            action_url: "/t/halden/changes/CHG-1042/evidence".to_owned(),
            fields: vec![field("kind", "file"), field("name", "Load test of Tuesday")],
            asks_file: true,
            ..comment.clone()
        };
        let odd = Self {
            fields: vec![field("text", MARKUP), field(BIDI, LONG_WORD), field("digest", "")],
            ..comment.clone()
        };
        vec![comment, file, odd]
    }

    fn form(&self) -> String {
        let file = Field::new("file", self.label_of("file"), Input::File)
            .hint("Choose the file again: it was not saved. Without it, only what you typed is sent.");
        let hidden = self.fields.iter().map(|(name, value)| Field::hidden(name, value));
        let fields: Vec<Field> = hidden.chain(self.asks_file.then_some(file)).collect();
        Fields {
            form_id: "",
            fields: &fields,
        }
        .html()
    }

    fn hidden(&self) -> Html {
        Html(self.form())
    }

    /// The texts and choices of a person in the request, each with the label of its field: fields that a form sends along for
    /// an act on a change are left out.
    #[must_use]
    pub fn typed_by_hand(&self) -> Vec<(String, &str)> {
        let told = self.fields.iter().filter(|(name, value)| {
            is_typed(name, value) && !labels::is_sent_along(&self.action_url, name, &self.fields)
        });
        told.map(|(name, value)| (self.label_of(name), value.as_str()))
            .collect()
    }

    /// A person's input, without the fields that a form sends along by itself.
    fn typed(&self) -> Vec<(String, &str)> {
        let told = self.fields.iter().filter(|(name, value)| is_typed(name, value));
        told.map(|(name, value)| (self.label_of(name), value.as_str()))
            .collect()
    }

    /// The label of a field.
    fn label_of(&self, name: &str) -> String {
        labels::label_of(&self.action_url, name, &self.fields)
    }
}

fn is_typed(name: &str, value: &str) -> bool {
    !value.trim().is_empty() && !name.ends_with("digest") && !SENT_ALONG.contains(&name)
}

struct Html(String);

impl Part for Html {
    fn html(&self) -> String {
        self.0.clone()
    }
}
