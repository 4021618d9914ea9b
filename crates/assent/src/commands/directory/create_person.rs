//! `assent person create`: over the API; and on the host the first administrator, when nobody can sign in yet.

use clap::Args;
#[cfg(feature = "server")]
use proof::crypto::{Entropy, SystemEntropy, base64url};
use serde_json::{Map, Value, json};

#[cfg(feature = "server")]
use crate::bridge;
use crate::client::Client;
use crate::commands::identity::passwords::{read_password, set_password};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::place::Place;
#[cfg(feature = "server")]
use crate::server_flags::public_url;

/// A person to make.
#[derive(Debug, Args)]
pub struct Create {
    /// What they sign in with.
    #[arg(value_name = "LOGIN", required_unless_present = "login", conflicts_with = "login")]
    pub named: Option<String>,
    /// The same as a flag.
    #[arg(long)]
    pub login: Option<String>,
    /// The right to set up people, connections and tokens; short for --role admin.
    #[arg(long)]
    pub admin: bool,
    /// The name that others read.
    #[arg(long)]
    pub name: Option<String>,
    /// Where mail goes.
    #[arg(long)]
    pub email: Option<String>,
    /// A right in the tenant; may be given several times.
    #[arg(long, value_parser = ["requester", "owner", "security", "change_manager", "implementer", "auditor", "commander", "executive", "admin", "pipeline", "vendor"])]
    pub role: Vec<String>,
    /// IANA zone, such as Europe/Zurich.
    #[arg(long)]
    pub zone: Option<String>,
    /// A login in a connected system, such as github:octocat; may be given several times.
    #[arg(long)]
    pub account: Vec<String>,
    /// The login of who answers for them.
    #[arg(long, value_name = "LOGIN")]
    pub manager: Option<String>,
    /// Where the first password stands, `-` for standard input. On the host, one is made and printed when this is not given.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// On the host: where the data is.
    #[command(flatten)]
    pub place: Place,
    /// On the host: the tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// On the host: how the server is reached, when its settings do not say; it names the new tenant's log for good.
    #[arg(long, value_name = "URL", env = "ASSENT_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// On the host: the tenant's name for people, when it is made.
    #[arg(long)]
    pub tenant_name: Option<String>,
}

impl Create {
    /// The login, however it was given.
    #[must_use]
    pub fn login(&self) -> &str {
        self.named.as_deref().or(self.login.as_deref()).unwrap_or_default()
    }

    /// The body with these values, in the API's form.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("login".to_owned(), json!(self.login()));
        body.insert("name".to_owned(), json!(self.name.as_deref().unwrap_or(self.login())));
        for (name, value) in [("email", &self.email), ("zone", &self.zone), ("manager", &self.manager)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), json!(value));
            }
        }
        let mut roles = self.role.clone();
        if self.admin && !roles.iter().any(|role| role == "admin") {
            roles.push("admin".to_owned());
        }
        for (name, values) in [("roles", &roles), ("accounts", &self.account)] {
            if !values.is_empty() {
                body.insert(name.to_owned(), json!(values));
            }
        }
        body
    }
}

/// Makes a person: over the API, or on the host and in a tenant when either was named.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(crate) fn create(create: &Create, common: &Common, output: &Output) -> Result<u8> {
    if create.place.is_named() || create.tenant.is_some() {
        return create_on_host(create, output);
    }
    create_at_server(create, common, output)
}

/// Makes a person over the API.
fn create_at_server(create: &Create, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let password = create.password_file.as_deref().map(read_password).transpose()?;
    let made = client.post("/people", &Value::Object(create.body()))?.body;
    if let Some(password) = password {
        set_password(&client, create.login(), &password)?;
    }
    output.data(&made, |output| output.line(&format!("made {}", create.login())));
    if create.password_file.is_none() {
        output.next(&format!("assent person password {}", create.login()));
    }
    Ok(0)
}

/// The client holds no server, so it opens no data.
#[cfg(not(feature = "server"))]
fn create_on_host(_: &Create, _: &Output) -> Result<u8> {
    Err(Failure::client_only())
}

/// Makes a tenant, if need be, and a person in it.
#[cfg(feature = "server")]
fn create_on_host(create: &Create, output: &Output) -> Result<u8> {
    let tenant = create
        .tenant
        .as_deref()
        .ok_or_else(|| Failure::could_not("Say --tenant: a short key such as `acme`."))?;
    bridge::check_tenant_of_people(tenant)?;
    let said = create.public_url.as_deref().map(public_url).transpose();
    let said = said.map_err(|why| Failure::could_not(format!("`--public-url` cannot be used: {why}.")))?;
    let (password, is_made) = match create.password_file.as_deref() {
        Some(file) => (read_password(file)?, false),
        None => (new_password()?, true),
    };
    if let Some(data) = &create.place.data {
        crate::archive::make_folder(data)?;
    }
    let mut settings = create.place.settings()?;
    let host = match said {
        // An explicit address means this tenant's, also where the data's first log was begun under another.
        Some(url) => {
            settings.public_url = Some(url);
            bridge::Host::open_as_said(&settings)?
        }
        None => bridge::Host::open(&settings)?,
    };
    if settings.public_url.is_none() {
        output.talk(&format!(
            "A new tenant's log is named by the server's address, here {}. Say --public-url when people reach it otherwise.",
            host.public_url()
        ));
    }
    let name = create.tenant_name.as_deref().unwrap_or(tenant);
    host.create_person(tenant, name, create.body(), &password)?;
    let mut value = json!({"tenant": tenant, "login": create.login()});
    if is_made {
        value["password"] = json!(password);
    }
    output.data(&value, |output| {
        output.line(&format!("made {} in {tenant}", create.login()));
        if is_made {
            output.line(&format!("password: {password}"));
        }
    });
    output.next("assent serve, then sign in on its pages");
    Ok(0)
}

/// A password of 144 random bits.
#[cfg(feature = "server")]
fn new_password() -> Result<String> {
    let mut bytes = [0; 18];
    let filled = SystemEntropy::new().fill(&mut bytes);
    filled.map_err(|error| Failure::could_not(format!("There is no randomness: {error}.")))?;
    Ok(base64url(&bytes))
}
