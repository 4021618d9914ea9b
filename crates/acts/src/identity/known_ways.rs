//! Credentials as the log has them. A row that was put back into the database after its end has the right form and a good code;
//! the server's memory of the log shows that it gives no access.

use model::core::ids::PersonId;
use model::directory::snapshot::Directory;
use model::integration::workload::Workload;
use proof::crypto::digest_text;
use store::identity::secrets;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::services::Way;

/// A person's password hash, unless the log ended that password.
///
/// # Errors
/// The store's.
pub fn password(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<Option<String>> {
    let Some(phc) = secrets::password(cx.tx, person.as_str())? else {
        return Ok(None);
    };
    let is_over = is_over(cx, Way::Password(&digest_text(phc.as_bytes())), person.as_str());
    Ok((!is_over).then_some(phc))
}

/// Whether a person's row is of a state before the log deactivated them.
#[must_use]
pub fn is_person_over(cx: &Context<'_, '_>, directory: &Directory, person: &PersonId) -> bool {
    let row = directory.people.get(person).filter(|row| row.active);
    row.is_some_and(|row| is_over(cx, Way::Person(person.as_str(), row.version), person.as_str()))
}

/// Whether a workload's row is of a state before the log ended it.
#[must_use]
pub fn is_workload_over(cx: &Context<'_, '_>, workload: &Workload) -> bool {
    let way = Way::Workload(workload.id.as_str(), workload.version);
    workload.active && is_over(cx, way, workload.person.as_str())
}

/// Whether the log ended a person's way in whose row is here all the same. The server's log reports it to the operator.
pub(crate) fn is_over(cx: &Context<'_, '_>, way: Way<'_>, person: &str) -> bool {
    let is_over = cx.services.ended().is_over(cx.tx.tenant(), way);
    if is_over {
        let kind = way.kind();
        tracing::warn!(
            tenant = cx.tx.tenant(),
            person,
            kind,
            "a row was put back after the log ended it; it opens nothing"
        );
    }
    is_over
}
