//! Password hashes, and the encrypted secrets of connections.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;

/// Sets a person's password hash (PHC text), with whoever set it for them, if it was not they, and when.
pub fn save_password(tx: &mut Tx<'_>, person: &str, phc: &str, (by, at): (Option<&str>, Timestamp)) -> Result<()> {
    tx.execute(
        "INSERT INTO password (tenant, person, phc, set_by, set_at) VALUES ($tenant, $person, $phc, $by, $at)
         ON CONFLICT (tenant, person) DO UPDATE SET phc = $phc, set_by = $by, set_at = $at",
        &[
            ("person", person.into()),
            ("phc", phc.into()),
            ("by", by.map(str::to_owned).into()),
            ("at", at.into()),
        ],
    )?;
    Ok(())
}

/// Who set a person's password for them, and when; `None` where they did themselves, or on the host.
pub fn password_setter(tx: &mut Tx<'_>, person: &str) -> Result<Option<(String, Timestamp)>> {
    let found = tx.query_one(
        "SELECT set_by, set_at FROM password WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )?;
    let Some(row) = found else { return Ok(None) };
    Ok(row.opt_text("set_by")?.zip(row.opt_time("set_at")?))
}

/// A person's password hash.
pub fn password(tx: &mut Tx<'_>, person: &str) -> Result<Option<String>> {
    tx.query_one(
        "SELECT phc FROM password WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )?
    .map(|row| row.text("phc"))
    .transpose()
}

/// A password as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPassword {
    /// Whose it is.
    pub person: String,
    /// Its hash.
    pub phc: String,
    /// Who set it for them; `None` where they did themselves, or on the host.
    pub set_by: Option<String>,
    /// Since when they have it, where that is known: whoever set it for them stands behind their word for a day from then.
    pub set_at: Option<Timestamp>,
}

/// Everybody's password, by person.
pub fn passwords(tx: &mut Tx<'_>) -> Result<Vec<KeptPassword>> {
    tx.query(
        "SELECT person, phc, set_by, set_at FROM password WHERE tenant = $tenant ORDER BY person",
        &[],
    )?
    .iter()
    .map(|row| {
        Ok(KeptPassword {
            person: row.text("person")?,
            phc: row.text("phc")?,
            set_by: row.opt_text("set_by")?,
            set_at: row.opt_time("set_at")?,
        })
    })
    .collect()
}

/// Takes a person's password away.
pub fn delete_password(tx: &mut Tx<'_>, person: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM password WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )?;
    Ok(done > 0)
}

/// Takes all passwords away that somebody set for others since an instant, and that nobody changed; answers whose they were.
pub fn delete_passwords_set_by(tx: &mut Tx<'_>, person: &str, since: Timestamp) -> Result<Vec<String>> {
    tx.query(
        "DELETE FROM password WHERE tenant = $tenant AND set_by = $person AND set_at > $since RETURNING person",
        &[("person", person.into()), ("since", since.into())],
    )?
    .iter()
    .map(|row| row.text("person"))
    .collect()
}

/// Sets a secret, already encrypted, under an id such as a connection's.
pub fn save(tx: &mut Tx<'_>, id: &str, wrapped: &[u8], created_at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO secret (tenant, id, wrapped, created_at) VALUES ($tenant, $id, $wrapped, $created_at)
         ON CONFLICT (tenant, id) DO UPDATE SET wrapped = $wrapped, created_at = $created_at",
        &[
            ("id", id.into()),
            ("wrapped", wrapped.into()),
            ("created_at", created_at.into()),
        ],
    )?;
    Ok(())
}

/// The encrypted secret under an id.
pub fn load(tx: &mut Tx<'_>, id: &str) -> Result<Option<Vec<u8>>> {
    tx.query_one(
        "SELECT wrapped FROM secret WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?
    .map(|row| row.bytes("wrapped"))
    .transpose()
}

/// Removes a secret.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM secret WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    Ok(done > 0)
}
