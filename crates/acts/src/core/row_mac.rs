//! The codes by which a server recognises rows that a server wrote: events that wait for their place, sessions,
//! incoming deliveries. No signed log covers these rows (yet), so each carries a message authentication code under the
//! master key. The key is not in the database, so a writer without it can plant none of them.

use std::sync::Arc;

use jiff::Timestamp;
use model::identity::factor::Factor;
use proof::crypto::{Hash, MasterKey};
use store::RowCoder;
use store::audit::event::Waiting;
use store::identity::session::{self, Session};
use store::integration::inbox::Delivery;

use crate::core::context::Context;
use crate::core::error::{Error, Result};

const EVENT: &str = "event";
const ROW: &str = "row";
const SESSION: &str = "session";
const DELIVERY: &str = "delivery";

/// Makes the codes of rows that can open the gate; the store writes and checks them.
pub(crate) fn row_coder(master: Arc<MasterKey>) -> RowCoder {
    Arc::new(move |parts| master.mac(ROW, parts))
}

/// The code of an event, over its leaf: the leaf names its tenant, its records and the digest of the data stored beside
/// it.
pub(crate) fn of_event(cx: &Context<'_, '_>, leaf: &[u8]) -> Hash {
    cx.services.tools().master.mac(EVENT, &[leaf])
}

/// Whether a server wrote an event that waits for its place.
pub(crate) fn is_own_event(cx: &Context<'_, '_>, waiting: &Waiting) -> bool {
    let master = &cx.services.tools().master;
    let mac = waiting.mac.as_deref();
    mac.is_some_and(|mac| master.verify_mac(EVENT, &[&waiting.event.bytes], mac))
}

/// Refuses to continue over an event that no server wrote: a signature cannot be taken back.
///
/// # Errors
/// A fault that names the event.
pub(crate) fn check_event(cx: &Context<'_, '_>, waiting: &Waiting) -> Result<()> {
    if is_own_event(cx, waiting) {
        return Ok(());
    }
    Err(Error::Fault(format!(
        "the event {} (`{}`) waits for its place without the code of a server that holds the master key: somebody wrote it \
         into the database. Nothing is placed before it is away; docs/operations/README.md says how to go on",
        waiting.event.id, waiting.event.kind
    )))
}

/// The parts of a session that decide what the session opens. A missing part is an empty part with its own mark before
/// it, so that a missing text and an empty text differ.
fn session_parts(tenant: &str, session: &Session) -> Vec<Vec<u8>> {
    let text = |text: &str| text.as_bytes().to_vec();
    let optional = |text: &Option<String>| match text {
        None => vec![0],
        Some(text) => [&[1], text.as_bytes()].concat(),
    };
    vec![
        text(tenant),
        text(&session.token_digest),
        text(&session.person),
        text(&session.id),
        text(&session.method),
        text(&session.created_at.to_string()),
        text(&session.expires_at.to_string()),
        optional(&session.stepped_up_at.map(|at| at.to_string())),
        optional(&session.factor),
        vec![u8::from(session.is_second_factor)],
        optional(&session.handed_by),
        optional(&session.subject),
    ]
}

fn of_session(master: &MasterKey, tenant: &str, session: &Session) -> Hash {
    let parts = session_parts(tenant, session);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    master.mac(SESSION, &parts)
}

/// Whether a server began a session and noted its factor. No other session opens anything.
#[must_use]
pub fn is_own_session(master: &MasterKey, tenant: &str, session: &Session) -> bool {
    let parts = session_parts(tenant, session);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    master.verify_mac(SESSION, &parts, &session.mac)
}

/// Begins a session; this function computes the code and ignores any code in the record.
///
/// # Errors
/// The store's.
pub fn begin_session(cx: &mut Context<'_, '_>, mut session: Session) -> Result<()> {
    let executor = cx.services;
    session.mac = of_session(&executor.tools().master, &cx.tenant(), &session).to_vec();
    Ok(session::insert(cx.tx, &session)?)
}

/// Notes in a session that a fresh factor was used now, and its kind. `false` when the session is over, or if no server
/// began it.
///
/// # Errors
/// The store's.
pub fn note_factor(cx: &mut Context<'_, '_>, digest: &str, factor: &Factor) -> Result<bool> {
    let Some(mut session) = session::load(cx.tx, digest)? else {
        return Ok(false);
    };
    let executor = cx.services;
    let (master, tenant) = (&executor.tools().master, cx.tenant());
    if !is_own_session(master, &tenant, &session) {
        return Ok(false);
    }
    session.stepped_up_at = Some(cx.now);
    session.factor = Some(factor.kind.clone());
    session.is_second_factor = factor.is_second;
    session.mac = of_session(master, &tenant, &session).to_vec();
    Ok(session::save_factor(cx.tx, &session)?)
}

/// The identification of an incoming delivery.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// Its id.
    pub id: &'a str,
    /// The connection of the delivery.
    pub connection: &'a str,
    /// The sender's id for it.
    pub delivery_id: &'a str,
    /// The sender's name for the event.
    pub event: &'a str,
    /// `sha256:…` of the raw body.
    pub body_digest: &'a str,
    /// Its subject, which decides which deliveries it waits for.
    pub subject: &'a str,
    /// When it came: its place in the order, and the time at which its body is read.
    pub received_at: Timestamp,
}

impl<'a> From<&'a Delivery> for Came<'a> {
    fn from(row: &'a Delivery) -> Self {
        Self {
            id: &row.id,
            connection: &row.connection,
            delivery_id: &row.delivery_id,
            event: &row.event,
            body_digest: &row.body_digest,
            subject: &row.subject,
            received_at: row.received_at,
        }
    }
}

impl Came<'_> {
    fn parts(&self, tenant: &str) -> Vec<Vec<u8>> {
        let came = self.received_at.as_microsecond().to_string();
        let texts = [
            tenant,
            self.id,
            self.connection,
            self.delivery_id,
            self.event,
            self.body_digest,
            self.subject,
            came.as_str(),
        ];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    }

    /// The code of a delivery that a server accepts after its signature was checked with the connection's secret, or
    /// that an authorised person processes again.
    #[must_use]
    pub fn mac(&self, cx: &Context<'_, '_>) -> Hash {
        let parts = self.parts(&cx.tenant());
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        cx.services.tools().master.mac(DELIVERY, &parts)
    }
}

/// Whether a server accepted this delivery, and with this body if the body was read.
#[must_use]
pub fn is_own_delivery(cx: &Context<'_, '_>, row: &Delivery) -> bool {
    let parts = Came::from(row).parts(&cx.tenant());
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let master = &cx.services.tools().master;
    let is_own = |mac: &[u8]| master.verify_mac(DELIVERY, &parts, mac);
    let has_own_body = row.body.is_empty() || proof::crypto::digest_text(&row.body) == row.body_digest;
    has_own_body && row.mac.as_deref().is_some_and(is_own)
}
