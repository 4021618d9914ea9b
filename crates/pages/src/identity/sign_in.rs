//! Signing in, the password again before a sensitive action, and passkeys for either.

use askama::Template;
use model::core::percent::encoded_path;

use crate::elements::form::Fields;
use crate::elements::frame::document;
use crate::elements::{filters, parts};
use crate::{ActForm, Field, Input, Notice, Part, Tone, render};

/// The page on which somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// The tenant's name, when the address names one.
    pub tenant: String,
    /// Where the form is sent.
    pub action_url: String,
    /// Where the assets are served.
    pub assets: String,
    /// Where the reader was going: “You were on the way to CHG-1042.”; empty when nowhere.
    pub on_the_way: String,
    /// Login, password, and hidden fields; with the tenant when the address names none.
    pub fields: Vec<Field>,
    /// Ways to sign in that are links, such as an identity provider.
    pub other_ways: Vec<ActForm>,
    /// Why the reader is here: signed out, session over, paused after too many tries.
    pub notices: Vec<Notice>,
    /// The contact for people without an account; empty when nobody is named.
    pub whom_to_ask: String,
    /// The address that requests a passkey; empty where none can be used.
    pub passkey_url: String,
}

impl SignIn {
    /// The usual form for a tenant: login and password.
    #[must_use]
    pub fn new(tenant: impl Into<String>, action_url: impl Into<String>, assets: impl Into<String>) -> Self {
        let login = Field {
            autocomplete: Some("username"),
            ..Field::text("login", "Login").required()
        };
        let password = Field {
            autocomplete: Some("current-password"),
            ..Field::new("password", "Password", Input::Password).required()
        };
        Self {
            tenant: tenant.into(),
            action_url: action_url.into(),
            assets: assets.into(),
            fields: vec![login, password],
            ..Self::default()
        }
    }

    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        document("Sign in", &self.assets, "door", &render(self))
    }

    /// Believable instances: fresh, refused, without a tenant in the address.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let fresh = Self {
            on_the_way: "You were on the way to CHG-1042. What you had typed is kept.".to_owned(),
            whom_to_ask: "Marta Lindqvist, who keeps the list of people".to_owned(),
            passkey_url: "/t/halden/passkey".to_owned(),
            ..Self::new("Halden Freight", "/t/halden/session", "/assets")
        };
        let mut refused = fresh.clone();
        if let Some(password) = refused.fields.last_mut() {
            password.error =
                Some("Login and password do not match. Two tries are left before a pause of 15 minutes.".to_owned());
        }
        let mut open = Self::new("", "/session", "/assets");
        open.fields.insert(
            0,
            Field::text("tenant", "Organisation")
                .hint("Its short name, as in the address of its pages.")
                .required(),
        );
        open.notices
            .push(Notice::new(Tone::Ok, "You are signed out on this device."));
        vec![fresh, refused, open]
    }

    fn title(&self) -> String {
        if self.tenant.is_empty() {
            return "Sign in to Assent".to_owned();
        }
        format!("Sign in to {}", self.tenant)
    }

    /// This page in another language, on the way to the same place.
    fn in_language(&self, tag: &str) -> String {
        let next = self.fields.iter().find(|field| field.name == "next");
        let next = next.map(|field| encoded_path(&field.value));
        next.map_or_else(
            || format!("?language={tag}"),
            |next| format!("?language={tag}&next={next}"),
        )
    }

    fn form(&self) -> Fields<'_> {
        Fields {
            form_id: "",
            fields: &self.fields,
        }
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }
}

/// The password asked again: a fresh factor before a sensitive action.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "step_up.html")]
pub struct StepUp {
    /// The reader's name.
    pub person: String,
    /// Its purpose: “Break glass on CHG-1042”.
    pub purpose: String,
    /// The rule that requires it: its sentence, and how long the step-up lasts.
    pub why: String,
    /// Where the form is sent.
    pub action_url: String,
    /// Where the assets are served.
    pub assets: String,
    /// Where “Go back” leads.
    pub back_url: String,
    /// Hidden fields, such as the address to return to.
    pub fields: Vec<Field>,
    /// Whether the password is needed; a person with a second factor has its field among the others.
    pub asks_password: bool,
    /// The page for setting a second factor up, for a person who needs one and has none; empty where there is something to
    /// enter.
    pub setup_url: String,
    /// Other ways to show it, as links: signing in anew at an identity provider.
    pub other_ways: Vec<ActForm>,
    /// The error of the last try.
    pub error: Option<String>,
    /// The address that requests a passkey; empty where the reader has none.
    pub passkey_url: String,
}

impl StepUp {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        document(self.title(), &self.assets, "door", &render(self))
    }

    /// Believable instances: requested, and refused once.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let asked = Self {
            person: "Marta Lindqvist".to_owned(),
            purpose: "Break glass on CHG-1061".to_owned(),
            why: "Break-glass replaces all approvals, so you must authenticate again. This is valid for 5 minutes."
                .to_owned(),
            action_url: "/t/halden/session/step-up".to_owned(),
            assets: "/assets".to_owned(),
            back_url: "/t/halden/changes/CHG-1061".to_owned(),
            fields: vec![Field::hidden("return_to", "/t/halden/changes/CHG-1061#act-break-glass")],
            asks_password: true,
            setup_url: String::new(),
            other_ways: Vec::new(),
            error: None,
            passkey_url: String::new(),
        };
        let code = Field::text("code", "Code of your authenticator").required();
        let second = Self {
            asks_password: false,
            fields: vec![Field::hidden("return_to", "/t/halden/"), code],
            other_ways: vec![ActForm::new(
                "corp",
                "Sign in anew with Halden ID",
                "/t/halden/step-up/corp",
            )],
            passkey_url: "/t/halden/passkey/step-up".to_owned(),
            ..asked.clone()
        };
        let missing = Self {
            asks_password: false,
            why: "A rule requires a second factor here, and you have none.".to_owned(),
            setup_url: "/t/halden/account#factors".to_owned(),
            ..asked.clone()
        };
        let refused = Self {
            error: Some("That is not your password. Two tries are left.".to_owned()),
            ..asked.clone()
        };
        vec![asked, refused, second, missing]
    }

    fn title(&self) -> &'static str {
        if !self.setup_url.is_empty() {
            "A second factor"
        } else if self.asks_password {
            "Your password again"
        } else {
            "Your code"
        }
    }

    fn password(&self) -> Vec<Field> {
        let mut fields = self.fields.clone();
        if !self.asks_password {
            return fields;
        }
        fields.push(Field {
            autocomplete: Some("current-password"),
            error: self.error.clone(),
            ..Field::new("password", "Password", Input::Password).required()
        });
        fields
    }

    fn form_html(&self) -> FormHtml {
        FormHtml(
            Fields {
                form_id: "",
                fields: &self.password(),
            }
            .html(),
        )
    }
}

/// A passkey ceremony: the browser passes the options to its authenticator, and the form sends the response.
///
/// Without script, or in a browser that does not know passkeys, the page names the other way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "passkey.html")]
pub struct Passkey {
    /// Its purpose: “Sign in with a passkey”.
    pub title: String,
    /// The act that the reader is about to do.
    pub lede: String,
    /// Where the form is sent.
    pub action_url: String,
    /// Where the assets are served.
    pub assets: String,
    /// Where “Go back” and the other way lead.
    pub back_url: String,
    /// The label of the other way.
    pub other_way: String,
    /// The label of the button.
    pub submit_label: String,
    /// The options for the authenticator, as JSON of the WebAuthn standard.
    pub options: String,
    /// Whether a new passkey is made, else one is shown.
    pub is_new: bool,
    /// Hidden fields; the response goes into the field `response`.
    pub fields: Vec<Field>,
    /// Why the last try did not count.
    pub notices: Vec<Notice>,
}

impl Passkey {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        document(&self.title, &self.assets, "door", &render(self))
    }

    /// Believable instances: at sign-in, and a new one after a refused try.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let door = Self {
            title: "Sign in with a passkey".to_owned(),
            lede: "Your device asks for your fingerprint, your face or its PIN.".to_owned(),
            action_url: "/t/halden/passkey".to_owned(),
            assets: "/assets".to_owned(),
            back_url: "/t/halden/sign-in".to_owned(),
            other_way: "sign in with your password".to_owned(),
            submit_label: "Use your passkey".to_owned(),
            options: r#"{"challenge":"AAAAAAAAAAAAAAAAAAAAAA","rpId":"changes.halden.example"}"#.to_owned(),
            is_new: false,
            fields: vec![Field::hidden("id", "c1"), Field::hidden("response", "")],
            notices: Vec::new(),
        };
        let new = Self {
            title: "Add a passkey".to_owned(),
            is_new: true,
            action_url: "/t/halden/account/passkeys/confirmation".to_owned(),
            submit_label: "Make it".to_owned(),
            notices: vec![Notice::new(Tone::Stop, "This challenge was already used. Start again.")],
            ..door.clone()
        };
        vec![door, new]
    }

    fn form(&self) -> Fields<'_> {
        Fields {
            form_id: "",
            fields: &self.fields,
        }
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }
}

struct FormHtml(String);

impl Part for FormHtml {
    fn html(&self) -> String {
        self.0.clone()
    }
}
