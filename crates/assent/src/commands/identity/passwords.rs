//! Passwords of people: read from a file, set over the API or on the host.

use serde_json::json;

#[cfg(feature = "server")]
use crate::bridge;
use crate::client::{Client, encode};
use crate::failure::{Failure, Result, read_text};
use crate::output::Output;
use crate::place::Place;

/// A password from a file: its first line.
///
/// # Errors
/// When the file cannot be read or is empty.
pub fn read_password(file: &str) -> Result<String> {
    let text = read_text(file)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::could_not(format!("`{file}` holds no password.")));
    }
    Ok(line.to_owned())
}

/// Sets a password over the API.
pub(crate) fn set_password(client: &Client, login: &str, password: &str) -> Result<()> {
    let path = format!("/people/{}/password", encode(login));
    client.send("PUT", &path, Some(&json!({"password": password})), &[("If-Match", "*")])?;
    Ok(())
}

/// Sets a password on the host.
#[cfg(feature = "server")]
pub(crate) fn set_on_host(
    place: &Place,
    tenant: Option<&str>,
    login: &str,
    password: &str,
    output: &Output,
) -> Result<u8> {
    let tenant = tenant.ok_or_else(|| Failure::could_not("Say --tenant."))?;
    let host = bridge::Host::open(&place.settings_of_data()?)?;
    host.set_password(tenant, login, password)?;
    output.data(&json!({"tenant": tenant, "login": login}), |output| {
        output.line(&format!("{login} has a new password"))
    });
    Ok(0)
}

/// The client holds no server, so it opens no data.
#[cfg(not(feature = "server"))]
pub(crate) fn set_on_host(_: &Place, _: Option<&str>, _: &str, _: &str, _: &Output) -> Result<u8> {
    Err(Failure::client_only())
}
