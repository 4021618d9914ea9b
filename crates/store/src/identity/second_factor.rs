//! Second factors of people, and the state between the two steps of a ceremony. Secrets are stored sealed.

use jiff::Timestamp;

use crate::error::Result;
use crate::row_code::{self, optional};
use crate::tx::{CrossTx, Tx};
use crate::value::{Row, Value};

/// A second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Its id.
    pub id: String,
    /// The owner.
    pub person: String,
    /// `totp`, `passkey` or `recovery`.
    pub kind: String,
    /// The owner's name for it.
    pub name: String,
    /// Encrypted secret or credential; of a recovery code its digest.
    pub secret: Vec<u8>,
    /// Whether it was shown to work once. Only then does it count.
    pub is_confirmed: bool,
    /// The last time step that a code was taken for; 0 before the first.
    pub last_step: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// From when it counts where a rule wants a second factor; absent until it was confirmed.
    pub counts_from: Option<Timestamp>,
}

/// The table of second factors.
const TABLE: &str = "second_factor";

impl SecondFactor {
    /// The fields under its code: all that decide whether it gives access.
    fn parts(&self) -> [Vec<u8>; 6] {
        let since = self.counts_from.map(|at| at.as_microsecond().to_string());
        [
            self.id.as_bytes().to_vec(),
            self.person.as_bytes().to_vec(),
            self.kind.as_bytes().to_vec(),
            self.secret.clone(),
            vec![u8::from(self.is_confirmed)],
            optional(since.as_deref()),
        ]
    }

    fn code(&self, tx: &Tx<'_>) -> Value {
        let parts = self.parts();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        row_code::code(tx.coder(), tx.tenant(), TABLE, &parts)
    }
}

/// Adds a second factor.
pub fn insert(tx: &mut Tx<'_>, factor: &SecondFactor) -> Result<()> {
    let code = factor.code(tx);
    tx.execute(
        "INSERT INTO second_factor (tenant, id, person, kind, name, secret, is_confirmed, last_step, created_at,
            last_used_at, counts_from, code)
         VALUES ($tenant, $id, $person, $kind, $name, $secret, $is_confirmed, $last_step, $created_at, $last_used_at,
            $counts_from, $code)",
        &[
            ("code", code),
            ("id", factor.id.as_str().into()),
            ("person", factor.person.as_str().into()),
            ("kind", factor.kind.as_str().into()),
            ("name", factor.name.as_str().into()),
            ("secret", factor.secret.clone().into()),
            ("is_confirmed", factor.is_confirmed.into()),
            ("last_step", factor.last_step.into()),
            ("created_at", factor.created_at.into()),
            ("last_used_at", factor.last_used_at.into()),
            ("counts_from", factor.counts_from.into()),
        ],
    )?;
    Ok(())
}

/// All second factors of a person, oldest first.
pub fn of_person(tx: &mut Tx<'_>, person: &str) -> Result<Vec<SecondFactor>> {
    let rows = tx.query(
        "SELECT * FROM second_factor WHERE tenant = $tenant AND person = $person ORDER BY created_at, id LIMIT 100",
        &[("person", person.into())],
    )?;
    rows.iter().map(|row| factor(tx, row)).collect()
}

/// Everybody's second factors, by person and oldest first, for replay: a row is returned whatever its code is.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<SecondFactor>> {
    let rows = tx.query(
        "SELECT * FROM second_factor WHERE tenant = $tenant ORDER BY person, created_at, id",
        &[],
    )?;
    rows.iter().map(unchecked).collect()
}

fn load(tx: &mut Tx<'_>, id: &str) -> Result<Option<SecondFactor>> {
    let found = tx.query_one(
        "SELECT * FROM second_factor WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    found.map(|row| factor(tx, &row)).transpose()
}

/// Records a use: for a code its time step, which must be later than every one used before. Returns whether it was later.
pub fn use_step(tx: &mut Tx<'_>, id: &str, step: i64, at: Timestamp) -> Result<bool> {
    let Some(mut known) = load(tx, id)? else {
        return Ok(false);
    };
    known.is_confirmed = true;
    let code = known.code(tx);
    let done = tx.execute(
        "UPDATE second_factor SET last_step = $step, last_used_at = $at, is_confirmed = $yes, code = $code
         WHERE tenant = $tenant AND id = $id AND last_step < $step",
        &[
            ("code", code),
            ("step", step.into()),
            ("at", at.into()),
            ("yes", true.into()),
            ("id", id.into()),
        ],
    )?;
    Ok(done > 0)
}

/// Keeps from when a factor counts where a rule wants a second one.
pub fn save_counts_from(tx: &mut Tx<'_>, id: &str, counts_from: Timestamp) -> Result<bool> {
    let Some(mut known) = load(tx, id)? else {
        return Ok(false);
    };
    known.counts_from = Some(counts_from);
    let code = known.code(tx);
    let done = tx.execute(
        "UPDATE second_factor SET counts_from = $counts_from, code = $code WHERE tenant = $tenant AND id = $id",
        &[("counts_from", counts_from.into()), ("id", id.into()), ("code", code)],
    )?;
    Ok(done > 0)
}

/// Keeps a credential as it is after a use.
pub fn save_secret(tx: &mut Tx<'_>, id: &str, secret: &[u8], at: Timestamp) -> Result<bool> {
    let Some(mut known) = load(tx, id)? else {
        return Ok(false);
    };
    known.secret = secret.to_vec();
    let code = known.code(tx);
    let done = tx.execute(
        "UPDATE second_factor SET secret = $secret, last_used_at = $at, code = $code
         WHERE tenant = $tenant AND id = $id",
        &[
            ("secret", secret.into()),
            ("at", at.into()),
            ("id", id.into()),
            ("code", code),
        ],
    )?;
    Ok(done > 0)
}

/// Removes one. Returns whether it was there: of two uses of the same recovery code, one succeeds.
pub fn delete(tx: &mut Tx<'_>, person: &str, id: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM second_factor WHERE tenant = $tenant AND person = $person AND id = $id",
        &[("person", person.into()), ("id", id.into())],
    )?;
    Ok(done > 0)
}

/// Removes all of a kind, or all there are with an empty kind.
pub fn delete_of_person(tx: &mut Tx<'_>, person: &str, kind: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM second_factor WHERE tenant = $tenant AND person = $person AND ($kind = '' OR kind = $kind)",
        &[("person", person.into()), ("kind", kind.into())],
    )
}

/// The factors without a server's code, for replay.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx.query("SELECT * FROM second_factor WHERE tenant = $tenant ORDER BY id", &[])?;
    let wrong = rows.iter().filter(|row| factor(tx, row).is_err());
    wrong.map(|row| row.text("id")).collect()
}

/// Computes the code of every factor, whatever its content.
pub(crate) fn code_rows(tx: &mut Tx<'_>) -> Result<()> {
    for it in all(tx)? {
        let code = it.code(tx);
        tx.execute(
            "UPDATE second_factor SET code = $code WHERE tenant = $tenant AND id = $id",
            &[("code", code), ("id", it.id.into())],
        )?;
    }
    Ok(())
}

fn factor(tx: &Tx<'_>, row: &Row) -> Result<SecondFactor> {
    let found = unchecked(row)?;
    let parts = found.parts();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    row_code::check(tx.coder(), row, (tx.tenant(), TABLE, &found.id), &parts)?;
    Ok(found)
}

fn unchecked(row: &Row) -> Result<SecondFactor> {
    Ok(SecondFactor {
        id: row.text("id")?,
        person: row.text("person")?,
        kind: row.text("kind")?,
        name: row.text("name")?,
        secret: row.bytes("secret")?,
        is_confirmed: row.bool("is_confirmed")?,
        last_step: row.int("last_step")?,
        created_at: row.time("created_at")?,
        last_used_at: row.opt_time("last_used_at")?,
        counts_from: row.opt_time("counts_from")?,
    })
}

/// Remembers the first half of a ceremony.
pub fn begin(tx: &mut Tx<'_>, id: &str, person: &str, kind: &str, state: &str, expires_at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO ceremony (tenant, id, person, kind, state, expires_at)
         VALUES ($tenant, $id, $person, $kind, $state, $expires_at)",
        &[
            ("id", id.into()),
            ("person", person.into()),
            ("kind", kind.into()),
            ("state", state.into()),
            ("expires_at", expires_at.into()),
        ],
    )?;
    Ok(())
}

/// Takes the first half of a person's ceremony out: it serves once. `None` when it is unknown, another's or over.
pub fn take(tx: &mut Tx<'_>, id: &str, person: &str, kind: &str, now: Timestamp) -> Result<Option<String>> {
    let found = tx.query_one(
        "SELECT state FROM ceremony
         WHERE tenant = $tenant AND id = $id AND person = $person AND kind = $kind AND expires_at > $now",
        &[
            ("id", id.into()),
            ("person", person.into()),
            ("kind", kind.into()),
            ("now", now.into()),
        ],
    )?;
    let Some(row) = found else { return Ok(None) };
    let done = tx.execute(
        "DELETE FROM ceremony WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    // Of two responses to the same challenge at once, one succeeds.
    if done == 0 {
        return Ok(None);
    }
    Ok(Some(row.text("state")?))
}

/// Ends the ceremonies of a kind that a person has open: one at a time is enough.
pub fn end_open(tx: &mut Tx<'_>, person: &str, kind: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM ceremony WHERE tenant = $tenant AND person = $person AND kind = $kind",
        &[("person", person.into()), ("kind", kind.into())],
    )
}

/// Ends the oldest ceremonies of a kind without a known person, so that at most `kept` stay: without signing in, anybody may
/// begin as many as they like.
pub fn end_oldest(tx: &mut Tx<'_>, kind: &str, kept: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM ceremony WHERE tenant = $tenant AND person = '' AND kind = $kind AND id IN
            (SELECT id FROM ceremony WHERE tenant = $tenant AND person = '' AND kind = $kind
             ORDER BY expires_at DESC, id LIMIT 1000000 OFFSET $kept)",
        &[("kind", kind.into()), ("kept", kept.into())],
    )
}

/// Removes ceremonies of all tenants that were never finished, at most so many.
pub fn prune(tx: &mut CrossTx<'_>, now: Timestamp, most: i64) -> Result<u64> {
    tx.execute(PRUNE, &[("now", now.into()), ("most", most.into())])
}

/// The condition is repeated outside, as in a lease.
pub(crate) const PRUNE: &str = "DELETE FROM ceremony WHERE expires_at <= $now AND (tenant, id) IN
    (SELECT tenant, id FROM ceremony WHERE expires_at <= $now ORDER BY expires_at LIMIT $most)";
