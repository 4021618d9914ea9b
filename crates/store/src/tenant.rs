//! The ids of tenants.

use crate::error::{Error, Result};

/// The tenant whose log is the system's own.
pub const SYSTEM_TENANT: &str = "system";
/// The longest tenant id, in characters.
const TENANT_LIMIT: usize = 64;

/// Whether a text may be a tenant's id. PostgreSQL's session gets it inside a statement, so quotes must not pass.
pub fn check_tenant(tenant: &str) -> Result<()> {
    let fits = (1..=TENANT_LIMIT).contains(&tenant.len())
        && tenant
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"._:-".contains(&it));
    if !fits {
        return Err(Error::other(
            "a tenant's id has 1 to 64 of the characters A-Z a-z 0-9 . _ : -",
        ));
    }
    Ok(())
}
