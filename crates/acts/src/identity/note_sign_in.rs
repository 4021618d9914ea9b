//! Records in the log that a person signed in, or used a fresh factor: the factor, and its basis.

use model::change::change_file::WayIn;
use model::core::ids::PersonId;
use model::identity::factor::Factor;
use serde_json::json;
use store::identity::secrets;
use store::identity::session::Session;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::grounds::{self, Shown};
use crate::core::providers::provider;
use crate::core::write::{Written, draft, way_in};

/// The event of a session that begins.
const SIGNED_IN: &str = "person.signed_in";
/// The event of a fresh factor in a session.
const STEPPED_UP: &str = "person.stepped_up";
/// The prefix of a provider's key in a session's method.
const AT_PROVIDER: &str = "provider:";
const BY_PASSWORD: &str = "password";

/// Writes the event `person.signed_in` about the person: `method`, `factor` and whether it is a second one, the session's name,
/// and how often the same was done since the last record (`times`). `factor` is the id of the passkey that was shown. Call it
/// in the act that begins the session; the caller records the same method of the same person once a minute.
///
/// # Errors
/// The store's.
pub fn note_sign_in(cx: &mut Context<'_, '_>, session: &Session, factor: Option<String>, times: u32) -> Result<()> {
    let person = PersonId::from(session.person.as_str());
    let others = match session.method.strip_prefix(AT_PROVIDER) {
        Some(key) => vec![grounds::named(&provider(cx, key)?)],
        None => Vec::new(),
    };
    let password = match session.method.as_str() {
        BY_PASSWORD => password_digest(cx, &session.person)?,
        _ => None,
    };
    let shown = Shown { password, factor };
    let grounds = grounds::of_records(cx, (&[person], others), shown)?;
    let via = WayIn {
        session: Some(session.id.clone()),
        address: Some(session.source.clone()),
        ..WayIn::default()
    };
    let data = json!({
        "via": way_in::to_data(cx, &via),
        "method": session.method, "factor": session.factor, "second_factor": session.is_second_factor,
        "handed_by": session.handed_by, "session": session.id, "times": times, "grounds": grounds,
    });
    let event = draft(SIGNED_IN, ("person", session.person.clone()), cx.now, data);
    cx.emit(vec![event], Written::default())
}

/// Writes the event `person.stepped_up` about the acting person: `factor`, and whether it is a second one. `id` is that of the
/// passkey or the authenticator that was shown. Call it in the act that took the factor; a recovery code has an event of its own.
///
/// # Errors
/// The store's.
pub fn note_step_up(cx: &mut Context<'_, '_>, factor: &Factor, id: Option<String>) -> Result<()> {
    let person = cx.actor.person.clone();
    let others = match factor.kind.strip_prefix(AT_PROVIDER) {
        Some(key) => vec![grounds::named(&provider(cx, key)?)],
        None => Vec::new(),
    };
    let password = match factor.kind.as_str() {
        BY_PASSWORD => password_digest(cx, person.as_str())?,
        _ => None,
    };
    let shown = Shown { password, factor: id };
    let grounds = grounds::of_records(cx, (&[], others), shown)?;
    let data = json!({"factor": factor.kind, "second_factor": factor.is_second, "grounds": grounds});
    let event = draft(STEPPED_UP, ("person", person.0), cx.now, data);
    cx.emit(vec![event], Written::default())
}

/// The digest of a person's password hash, as recorded in the event that set the password.
fn password_digest(cx: &mut Context<'_, '_>, person: &str) -> Result<Option<String>> {
    let phc = secrets::password(cx.tx, person)?;
    Ok(phc.map(|phc| proof::crypto::digest_text(phc.as_bytes())))
}
