//! Finds connections without their regular polling call: those made by a version that did not poll yet, and those whose call
//! was removed by a person or a fault.

use model::directory::snapshot::Connection;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::integration::poll_deployments;
use crate::schedule::push_freezes;

/// The connections of which a call is lacking. It writes nothing.
///
/// # Errors
/// The store's.
pub fn find_lost_calls(cx: &mut Context<'_, '_>) -> Result<Vec<Connection>> {
    let mut found = Vec::new();
    for stored in record::find::<Connection>(cx.tx, &Filter::new().order_by("id"))? {
        let connection = stored.record;
        if poll_deployments::is_lacking(cx, &connection)? || push_freezes::is_lacking(cx, &connection)? {
            found.push(connection);
        }
    }
    Ok(found)
}

/// Queues the calls that a connection lacks. Polling starts again: earlier events are not fetched.
///
/// # Errors
/// The store's.
pub fn make_up(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<()> {
    if poll_deployments::is_lacking(cx, connection)? {
        poll_deployments::begin(cx, connection)?;
    }
    if push_freezes::is_lacking(cx, connection)? {
        push_freezes::begin(cx, connection)?;
    }
    Ok(())
}
