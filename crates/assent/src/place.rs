//! Where the data is, for commands that work on the host.

#[cfg(feature = "server")]
use std::path::PathBuf;

use clap::Args;

#[cfg(feature = "server")]
use crate::archive::DATABASE_FILE;
#[cfg(feature = "server")]
use crate::failure::{Failure, Result};
#[cfg(feature = "server")]
use crate::server_flags::{Flags, merged, read};

#[cfg(feature = "server")]
/// Where the data is.
#[derive(Debug, Args, Clone, Default)]
pub struct Place {
    /// The server's data folder; beside a database what it remembers of the logs.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The server's PostgreSQL database; the master key comes from ASSENT_MASTER_KEY.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

#[cfg(feature = "server")]
impl Place {
    /// Whether either was named.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.data.is_some() || self.database.is_some()
    }

    /// Settings over this place; where it was not named, and in everything else, from variables and the file.
    ///
    /// # Errors
    /// When the settings cannot be used or there is no such folder.
    pub fn settings(&self) -> Result<server::Settings> {
        let flags = Flags {
            data: self.data.as_ref().map(|data| data.display().to_string()),
            database: self.database.clone(),
            ..Flags::default()
        };
        let mut settings = read(&merged(&flags)?)?;
        settings.remembers_logs = self.database.is_none() || self.data.is_some();
        if let Some(data) = &self.data {
            if self.database.is_none() {
                // One named in a variable belongs to the server's own start, not to this folder.
                settings.database_url = None;
            }
            if !data.is_dir() {
                return Err(Failure::could_not(format!("`{}` is no folder.", data.display())));
            }
        }
        Ok(settings)
    }

    /// Settings over a place that holds data already: a command that reads or mends data never makes a place.
    ///
    /// # Errors
    /// As [`Place::settings`], and when there is no database in the folder.
    pub fn settings_of_data(&self) -> Result<server::Settings> {
        let settings = self.settings()?;
        let folder = &settings.data_dir;
        if settings.database_url.is_none() && !folder.join(DATABASE_FILE).is_file() {
            let text = format!(
                "`{}` holds no database of Assent. Say --data DIR or --database URL.",
                folder.display()
            );
            return Err(Failure::could_not(text));
        }
        Ok(settings)
    }
}

/// The client holds no server, so it takes no place of data.
#[cfg(not(feature = "server"))]
#[derive(Debug, Args, Clone, Default)]
pub struct Place {}

#[cfg(not(feature = "server"))]
impl Place {
    /// Never: a place cannot be named.
    #[must_use]
    pub fn is_named(&self) -> bool {
        false
    }
}
