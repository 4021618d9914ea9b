//! `assent freeze`, `assent service` and the lists beside them: the parts of the estate that a terminal is handy for.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::directory::{self, Export, ImportFile};
use crate::common::Common;
use crate::client::{Client, encode};
use crate::clock;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Times in which no change begins.
#[derive(Debug, Subcommand)]
pub enum Freeze {
    /// Set a freeze.
    #[command(
        after_help = "Example: assent freeze set --title 'Quarter end' --from 2026-12-28T00:00:00Z --to 2027-01-04T00:00:00Z"
    )]
    Set(FreezeSet),
    /// Change a freeze; its exceptions stay, and the gate does not open in between.
    #[command(after_help = "Example: assent freeze edit 01J… --to 2027-01-06T00:00:00Z")]
    Edit(super::spans::FreezeEdit),
    /// List freezes.
    List,
    /// Take a freeze back.
    End {
        /// The freeze's id, as `list` shows it.
        id: String,
    },
    /// Let one change pass a freeze.
    Except {
        /// The freeze's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let a change no longer pass a freeze.
    Withdraw {
        /// The freeze's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
    },
}

/// A freeze to set.
#[derive(Debug, Args)]
pub struct FreezeSet {
    /// What it is called.
    #[arg(long)]
    pub title: String,
    /// Its start, such as `now` or 2026-12-28T00:00:00Z.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: String,
    /// Its end, such as +4h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: String,
    /// A service it lies over; all unless said.
    #[arg(long)]
    pub service: Vec<String>,
    /// An environment it lies over; all unless said.
    #[arg(long)]
    pub environment: Vec<String>,
    /// Also stop what is under way.
    #[arg(long)]
    pub halt: bool,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
}

/// Services.
#[derive(Debug, Subcommand)]
pub enum Service {
    /// Make or change a service.
    #[command(after_help = "Example: assent service set booking-api --name Booking --criticality high --regime sox")]
    Set(ServiceSet),
    /// List services.
    List,
    /// Import services, or a whole Backstage catalogue.
    #[command(after_help = "Example: assent service import catalog-info.yaml --backstage --dry-run")]
    Import {
        /// The rows.
        #[command(flatten)]
        import: ImportFile,
        /// The file is a Backstage catalog-info.yaml: services, items, arrows, groups, people and owners.
        #[arg(long, conflicts_with = "format")]
        backstage: bool,
    },
    /// Export services.
    Export(Export),
    /// Show a service.
    Show {
        /// The service's key.
        key: String,
    },
    /// Watch a service: be told of the milestones of its changes.
    #[command(after_help = "Example: assent service watch booking-api --group platform")]
    Watch {
        /// The service's key.
        key: String,
        /// A group that watches; oneself unless said.
        #[arg(long)]
        group: Option<String>,
    },
    /// Stop watching a service.
    Unwatch {
        /// The service's key.
        key: String,
        /// The group that stops; oneself unless said.
        #[arg(long)]
        group: Option<String>,
    },
}

/// Columns of environments.
const ENVIRONMENTS: [&str; 3] = ["key", "name", "is_production"];
/// Columns of templates.
const TEMPLATES: [&str; 5] = ["key", "state", "template_version", "review_by", "title"];
/// Columns of incidents.
const INCIDENTS: [&str; 6] = ["key", "severity", "services", "started_at", "resolved_at", "title"];

/// Lists environments.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn environment(_: &Listed, common: &Common, output: &Output) -> Result<u8> {
    list(&Client::new(common)?, output, "/environments", &ENVIRONMENTS)?;
    Ok(0)
}

/// Lists templates.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn template(_: &Listed, common: &Common, output: &Output) -> Result<u8> {
    list(&Client::new(common)?, output, "/templates", &TEMPLATES)?;
    Ok(0)
}

/// Lists incidents.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn incident(_: &Listed, common: &Common, output: &Output) -> Result<u8> {
    list(&Client::new(common)?, output, "/incidents", &INCIDENTS)?;
    Ok(0)
}

/// A service to make or change.
#[derive(Debug, Args)]
pub struct ServiceSet {
    /// The service's key.
    pub key: String,
    /// A name for people.
    #[arg(long)]
    pub name: Option<String>,
    /// How much depends on it.
    #[arg(long, value_parser = ["low", "medium", "high", "critical"])]
    pub criticality: Option<String>,
    /// A regime it is under, such as sox; may be given several times.
    #[arg(long)]
    pub regime: Vec<String>,
    /// The class of its data.
    #[arg(long, value_parser = ["public", "internal", "confidential", "restricted"])]
    pub data_class: Option<String>,
    /// The team that runs it.
    #[arg(long)]
    pub team: Option<String>,
}

/// Runs a command about freezes.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn freeze(freeze: &Freeze, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let heads = [
        "id",
        "title",
        "starts_at",
        "ends_at",
        "services",
        "environments",
        "halt",
        "ended",
    ];
    match freeze {
        Freeze::Set(set) => {
            let now = clock::now();
            let mut body = json!({
                "title": set.title,
                "starts_at": clock::moment(&set.from, now)?.to_string(),
                "ends_at": clock::moment(&set.to, now)?.to_string(),
                "services": set.service,
                "environments": set.environment,
                "halt": set.halt,
            });
            if let Some(reason) = &set.reason {
                body["reason"] = json!(reason);
            }
            let made = client.post("/freezes", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {}", text_of(&made, "id"))));
            output.next(&format!("assent freeze end {}", text_of(&made, "id")));
        }
        Freeze::Edit(wanted) => super::spans::edit_freeze(wanted, &client, output)?,
        Freeze::List => list(&client, output, "/freezes", &heads)?,
        Freeze::End { id } => {
            let ended = client.delete(&format!("/freezes/{}", encode(id)))?.body;
            output.data(&ended, |output| output.line(&format!("ended {id}")));
        }
        Freeze::Except { id, change, reason } => {
            let body = json!({"change": change, "reason": reason});
            let freeze = client.post(&format!("/freezes/{}/exceptions", encode(id)), &body)?.body;
            output.data(&freeze, |output| {
                output.line(&format!("{change} may pass {}", text_of(&freeze, "title")))
            });
        }
        Freeze::Withdraw { id, change } => {
            let path = format!("/freezes/{}/exceptions/{}", encode(id), encode(change));
            let freeze = client.delete(&path)?.body;
            output.data(&freeze, |output| {
                output.line(&format!("{change} may pass {} no more", text_of(&freeze, "title")))
            });
        }
    }
    Ok(0)
}

/// Runs a command about services.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn service(service: &Service, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let heads = ["key", "name", "criticality", "regimes", "data_class", "team"];
    match service {
        Service::Set(set) => {
            let mut body = Map::new();
            body.insert("key".to_owned(), json!(set.key));
            let texts = [
                ("name", &set.name),
                ("criticality", &set.criticality),
                ("data_class", &set.data_class),
                ("team", &set.team),
            ];
            for (name, value) in texts {
                if let Some(value) = value {
                    body.insert(name.to_owned(), json!(value));
                }
            }
            if !set.regime.is_empty() {
                body.insert("regimes".to_owned(), json!(set.regime));
            }
            let made = client.post("/services", &Value::Object(body))?.body;
            output.data(&made, |output| output.line(&format!("set {}", set.key)));
        }
        Service::List => list(&client, output, "/services", &heads)?,
        Service::Import { import, backstage } => {
            let kind = if *backstage { "backstage" } else { "services" };
            return directory::import(&client, output, kind, import, false);
        }
        Service::Export(rows) => return directory::export(&client, output, "services", rows),
        Service::Show { key } => {
            let found = client.get(&format!("/services/{}", encode(key)))?.body;
            let pairs: Vec<(&str, String)> = heads.iter().map(|head| (*head, text_of(&found, head))).collect();
            output.data(&found, |output| output.pairs(&pairs));
        }
        Service::Watch { key, group } => {
            let body = group
                .as_ref()
                .map_or_else(|| json!({}), |group| json!({"group": group}));
            let seen = client.post(&format!("/services/{}/watchers", encode(key)), &body)?.body;
            show_watchers(output, key, &seen);
        }
        Service::Unwatch { key, group } => {
            let query = group.as_ref().map(|group| format!("?group={}", encode(group)));
            let path = format!("/services/{}/watchers{}", encode(key), query.unwrap_or_default());
            show_watchers(output, key, &client.delete(&path)?.body);
        }
    }
    Ok(0)
}

fn show_watchers(output: &Output, key: &str, seen: &Value) {
    let names = |field: &str| text_of(seen, field);
    output.data(seen, |output| {
        output.line(&format!(
            "{key} is watched by people: {}; groups: {}",
            names("people"),
            names("groups")
        ));
    });
}
