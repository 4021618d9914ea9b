//! The options that every command takes.

use clap::Args;

use crate::failure::{Failure, Result, read_text};

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Print the result as JSON.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// The server's address.
    #[arg(
        long,
        global = true,
        env = "ASSENT_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Everywhere"
    )]
    pub server: String,
    /// The credential. Others on this machine see it here: prefer ASSENT_TOKEN or --token-file.
    #[arg(
        long,
        global = true,
        env = "ASSENT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        help_heading = "Everywhere"
    )]
    pub token: Option<String>,
    /// A file that holds the credential.
    #[arg(
        long,
        global = true,
        env = "ASSENT_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Everywhere"
    )]
    pub token_file: Option<String>,
    /// Sign in as a person with a fresh factor instead of using a token: what needs step-up, such as break-glass.
    #[arg(long = "as", global = true, value_name = "TENANT/LOGIN", help_heading = "Everywhere")]
    pub as_person: Option<String>,
    /// Where that person's password stands.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "-",
        hide_default_value = true,
        help_heading = "Everywhere"
    )]
    pub as_password: String,
    /// What that person's authenticator app shows now, or one of their recovery codes: for who has a second factor.
    #[arg(long, global = true, value_name = "CODE", help_heading = "Everywhere")]
    pub as_code: Option<String>,
    /// Let plain http leave this machine.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub insecure_http: bool,
    /// Certificates (PEM) of the authorities to trust instead of the usual ones.
    #[arg(
        long,
        global = true,
        env = "ASSENT_CA_CERT",
        value_name = "FILE",
        help_heading = "Everywhere"
    )]
    pub ca_cert: Option<String>,
    /// Seconds to wait for an answer.
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 90,
        help_heading = "Everywhere"
    )]
    pub timeout: u64,
}

impl Common {
    /// The credential, from wherever it was given.
    ///
    /// # Errors
    /// When its file cannot be read or it cannot be one.
    pub fn credential(&self) -> Result<Option<String>> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => read_text(path)?,
            (None, None) => return Ok(None),
        };
        let token = token.trim();
        if token.is_empty() {
            return match &self.token_file {
                Some(path) if self.token.is_none() => Err(Failure::could_not(format!("`{path}` holds no token."))),
                _ => Ok(None),
            };
        }
        if token.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Failure::could_not("The token holds characters that no token has."));
        }
        Ok(Some(token.to_owned()))
    }
}
