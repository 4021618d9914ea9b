//! Password hashes, and the encrypted secrets of connections.

use jiff::Timestamp;

use crate::error::Result;
use crate::row_code::{self, optional};
use crate::tx::Tx;
use crate::value::Row;

/// The table of passwords.
const PASSWORD: &str = "password";

/// Sets a person's password hash (PHC text), with the other person who set it, if any, and the time.
pub fn save_password(tx: &mut Tx<'_>, person: &str, phc: &str, (by, at): (Option<&str>, Timestamp)) -> Result<()> {
    let kept = KeptPassword {
        person: person.to_owned(),
        phc: phc.to_owned(),
        set_by: by.map(str::to_owned),
        set_at: Some(at),
    };
    let code = row_code::code(tx.coder(), tx.tenant(), PASSWORD, &slices(&kept.parts()));
    tx.execute(
        "INSERT INTO password (tenant, person, phc, set_by, set_at, code)
         VALUES ($tenant, $person, $phc, $by, $at, $code)
         ON CONFLICT (tenant, person) DO UPDATE SET phc = $phc, set_by = $by, set_at = $at, code = $code",
        &[
            ("code", code),
            ("person", person.into()),
            ("phc", phc.into()),
            ("by", by.map(str::to_owned).into()),
            ("at", at.into()),
        ],
    )?;
    Ok(())
}

/// The person who set a password for another, and when; `None` where the owner did, or the host.
pub fn password_setter(tx: &mut Tx<'_>, person: &str) -> Result<Option<(String, Timestamp)>> {
    Ok(load_password(tx, person)?.and_then(|it| it.set_by.zip(it.set_at)))
}

/// A person's password hash.
pub fn password(tx: &mut Tx<'_>, person: &str) -> Result<Option<String>> {
    Ok(load_password(tx, person)?.map(|it| it.phc))
}

/// A password as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPassword {
    /// The owner.
    pub person: String,
    /// Its hash.
    pub phc: String,
    /// The other person who set it; `None` where the owner did, or the host.
    pub set_by: Option<String>,
    /// Since when they have it, where that is known: for a day from then, the person who set it counts as the author of their
    /// decisions.
    pub set_at: Option<Timestamp>,
}

impl KeptPassword {
    /// The fields under its code.
    fn parts(&self) -> [Vec<u8>; 4] {
        let since = self.set_at.map(|at| at.as_microsecond().to_string());
        [
            self.person.as_bytes().to_vec(),
            self.phc.as_bytes().to_vec(),
            optional(self.set_by.as_deref()),
            optional(since.as_deref()),
        ]
    }
}

fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}

/// Computes the code of every password, whatever its content.
pub(crate) fn code_passwords(tx: &mut Tx<'_>) -> Result<()> {
    for it in passwords(tx)? {
        let code = row_code::code(tx.coder(), tx.tenant(), PASSWORD, &slices(&it.parts()));
        tx.execute(
            "UPDATE password SET code = $code WHERE tenant = $tenant AND person = $person",
            &[("code", code), ("person", it.person.into())],
        )?;
    }
    Ok(())
}

fn read_password(tx: &Tx<'_>, row: &Row) -> Result<KeptPassword> {
    let kept = unchecked_password(row)?;
    let place = (tx.tenant(), PASSWORD, kept.person.as_str());
    row_code::check(tx.coder(), row, place, &slices(&kept.parts()))?;
    Ok(kept)
}

fn unchecked_password(row: &Row) -> Result<KeptPassword> {
    Ok(KeptPassword {
        person: row.text("person")?,
        phc: row.text("phc")?,
        set_by: row.opt_text("set_by")?,
        set_at: row.opt_time("set_at")?,
    })
}

fn load_password(tx: &mut Tx<'_>, person: &str) -> Result<Option<KeptPassword>> {
    let found = tx.query_one(
        "SELECT person, phc, set_by, set_at, code FROM password WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )?;
    found.map(|row| read_password(tx, &row)).transpose()
}

/// Everybody's password, by person, for replay: a row is returned whatever its code is.
pub fn passwords(tx: &mut Tx<'_>) -> Result<Vec<KeptPassword>> {
    let rows = tx.query(
        "SELECT person, phc, set_by, set_at FROM password WHERE tenant = $tenant ORDER BY person",
        &[],
    )?;
    rows.iter().map(unchecked_password).collect()
}

/// The people whose passwords have no server's code, for replay.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT person, phc, set_by, set_at, code FROM password WHERE tenant = $tenant ORDER BY person",
        &[],
    )?;
    let wrong = rows.iter().filter(|row| read_password(tx, row).is_err());
    wrong.map(|row| row.text("person")).collect()
}

/// Takes a person's password away.
pub fn delete_password(tx: &mut Tx<'_>, person: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM password WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )?;
    Ok(done > 0)
}

/// Removes all passwords that a person set for others since an instant, and that nobody changed; returns their owners.
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
