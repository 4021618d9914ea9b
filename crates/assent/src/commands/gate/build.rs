//! The options that name a build, a service and an environment.

use clap::Args;
use serde_json::{Map, Value, json};

/// What is about to be deployed, and where: one service in one environment.
#[derive(Debug, Args)]
pub struct Build {
    /// The service's key.
    #[arg(long)]
    pub service: String,
    /// The environment's key.
    #[arg(long)]
    pub environment: String,
    /// The artifact's digest.
    #[arg(long, value_name = "DIGEST")]
    pub artifact: Option<String>,
    /// The commit.
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
}

impl Build {
    /// The same, as the API takes it.
    pub fn body(&self) -> Map<String, Value> {
        let named = [("artifact", &self.artifact), ("commit", &self.commit)];
        let named = named.into_iter().filter_map(|(name, it)| Some((name, it.as_ref()?)));
        [("service", &self.service), ("environment", &self.environment)]
            .into_iter()
            .chain(named)
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect()
    }
}
