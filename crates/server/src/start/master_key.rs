//! The master key: found or made at the start, and held to the data that was sealed under it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use proof::crypto::{Entropy, MasterKey};
use store::identity::secrets;
use store::{Lane, Mode, SYSTEM_TENANT, Store};

use crate::http::settings::Settings;
use crate::start::serve_error::ServeError;

/// The key's own file in the data folder.
const FILE: &str = "master.key";
/// The name under which the stored data remembers the key's fingerprint.
const FINGERPRINT: &str = "master-key-fingerprint";

fn refused(text: impl Into<String>) -> ServeError {
    ServeError::Refused(text.into())
}

/// The key: from the settings with PostgreSQL, from its own file beside the embedded database. The file is made when the store
/// is empty. A key that differs from that of the stored data is refused.
///
/// # Errors
/// [`ServeError::Refused`] with a sentence for the operator, or the store's.
pub(crate) fn key(settings: &Settings, store: &Store, entropy: &dyn Entropy) -> Result<MasterKey, ServeError> {
    let known = fingerprint(store)?;
    let key = match named(settings)? {
        Some(key) => key,
        None => made(&settings.data_dir.join(FILE), known.is_none(), entropy)?,
    };
    match known {
        None => remember(store, key.fingerprint())?,
        Some(known) if known == key.fingerprint() => {}
        Some(_) => {
            return Err(refused(
                "the master key is not the one under which the stored keys were sealed",
            ));
        }
    }
    Ok(key)
}

/// The key from the settings or from its file; none where it is yet to be made. Nothing is written.
///
/// # Errors
/// [`ServeError::Refused`] with a sentence for the operator.
pub(crate) fn named(settings: &Settings) -> Result<Option<MasterKey>, ServeError> {
    match &settings.master_key {
        Some(text) => MasterKey::from_base64(text)
            .map(Some)
            .map_err(|error| refused(format!("ASSENT_MASTER_KEY: {error}"))),
        None if settings.database_url.is_some() => Err(refused(
            "with PostgreSQL the master key comes from ASSENT_MASTER_KEY: 32 bytes in base64",
        )),
        None => in_file(&settings.data_dir.join(FILE)),
    }
}

fn fingerprint(store: &Store) -> Result<Option<String>, ServeError> {
    let found = store.wait(Lane::Worker, SYSTEM_TENANT, Mode::Read, |tx| {
        secrets::load(tx, FINGERPRINT)
    })?;
    Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn remember(store: &Store, fingerprint: String) -> Result<(), ServeError> {
    store.wait(Lane::Worker, SYSTEM_TENANT, Mode::Write, move |tx| {
        secrets::save(tx, FINGERPRINT, fingerprint.as_bytes(), jiff::Timestamp::UNIX_EPOCH)
    })?;
    Ok(())
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> ServeError {
    refused(format!("{} cannot be used: {error}", path.display()))
}

/// A new key in its file, where nothing was sealed under another.
fn made(path: &Path, may_make: bool, entropy: &dyn Entropy) -> Result<MasterKey, ServeError> {
    if !may_make {
        return Err(refused(format!(
            "{} is missing, and the stored keys were sealed under it",
            path.display()
        )));
    }
    make_file(path, entropy).map_err(|error| unusable(path, &error))
}

fn in_file(path: &Path) -> Result<Option<MasterKey>, ServeError> {
    if !path.exists() {
        return Ok(None);
    }
    let mode = std::fs::metadata(path)
        .map_err(|error| unusable(path, &error))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(refused(format!(
            "{} is readable by others; set its mode to 0600",
            path.display()
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let key = MasterKey::from_base64(&text).map_err(|error| unusable(path, &error))?;
    Ok(Some(key))
}

fn make_file(path: &Path, entropy: &dyn Entropy) -> std::io::Result<MasterKey> {
    let mut bytes = [0_u8; 32];
    entropy.fill(&mut bytes).map_err(std::io::Error::other)?;
    let key = MasterKey::new(bytes);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.to_base64().as_bytes())?;
    file.sync_all()?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(key)
}
