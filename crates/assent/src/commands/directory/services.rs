//! `assent service`: services and their watchers.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::commands::directory::rows::{self, Export, ImportFile};
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, text_of};

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
    /// Something sensitive that it holds; may be given several times.
    #[arg(long, value_parser = ["privileged_access", "crypto_keys", "personal_data", "schema"])]
    pub holds: Vec<String>,
    /// The team that runs it.
    #[arg(long)]
    pub team: Option<String>,
}

/// Runs a command about services.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn service(service: &Service, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let heads = ["key", "name", "criticality", "regimes", "data_class", "holds", "team"];
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
            if !set.holds.is_empty() {
                body.insert("holds".to_owned(), json!(set.holds));
            }
            let made = client.post("/services", &Value::Object(body))?.body;
            output.data(&made, |output| output.line(&format!("set {}", set.key)));
        }
        Service::List => list(&client, output, "/services", &heads)?,
        Service::Import { import, backstage } => {
            let kind = if *backstage { "backstage" } else { "services" };
            return rows::import(&client, output, kind, import, false);
        }
        Service::Export(wanted) => return rows::export(&client, output, "services", wanted),
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
