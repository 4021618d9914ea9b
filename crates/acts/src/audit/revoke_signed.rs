//! Revokes the permits that a revoked key signed, a piece at a time, so that a stolen key with a hundred thousand
//! permits does not block the server. Nothing waits for it: the key is no longer published, and the gate checks the key
//! of each permit that it is shown. The revocation adds the records, and their ids on the list for clients that look
//! them up there.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::audit::key_rotation::KeyRotation;
use model::change::related_records::Permit;
use model::change::settle;
use model::core::enums::{KeyRotationKind, PermitState};
use serde_json::json;
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::signing_keys::turns;
use crate::core::write::{Written, draft};

/// The table of the key's timer.
pub const TABLE: &str = "signing_key";
const KIND: &str = "revoke_permits";
/// How many permits one piece reads.
const PIECE: i64 = 200;

/// Has the worker begin.
///
/// # Errors
/// The store's.
pub(crate) fn begin(cx: &mut Context<'_, '_>, kid: &str) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: kid,
        kind: KIND,
        run_at: cx.now,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Revokes the next piece of a key's permits, in the order of their expiry, and schedules the next run while some are
/// left.
///
/// # Errors
/// The store's.
pub(crate) fn revoke_signed(cx: &mut Context<'_, '_>, kid: &str) -> Result<()> {
    let found = turns(cx)?;
    let begun = found
        .into_iter()
        .find(|turn| turn.kid == kid && turn.kind == KeyRotationKind::Revoked);
    let Some((turn, after)) = begun.and_then(|turn| turn.revoking_after.clone().map(|after| (turn, after))) else {
        return Ok(());
    };
    let (piece, last) = next_piece(cx, &after)?;
    let revoked = revoke(cx, kid, &piece)?;
    let turn = KeyRotation {
        revoked_permits: turn.revoked_permits + revoked,
        revoking_after: last.map(|end| end.to_string()),
        ..turn
    };
    let is_done = turn.revoking_after.is_none();
    let data = json!({"kid": kid, "permits": turn.revoked_permits, "all": is_done});
    let mut written = Written::default();
    let turn = cx.put(&mut written, turn)?;
    let told = draft("key.permits_revoked", ("key_turn", turn.id.0), cx.now, data);
    cx.emit(vec![told], written)?;
    if is_done {
        return Ok(());
    }
    begin(cx, kid)
}

/// The next valid permits, after those that expire at `after`; and if more may be left, when the last one expires. All
/// that expire at that instant are included, so that none is left out between two pieces.
fn next_piece(cx: &mut Context<'_, '_>, after: &str) -> Result<(Vec<Permit>, Option<Timestamp>)> {
    let after = after.parse().unwrap_or(cx.now).max(cx.now);
    let next = alive(after).order_by("expires_at").limit(PIECE);
    let mut piece = record::bodies::<Permit>(cx.tx, &next)?;
    let is_full = i64::try_from(piece.len()).is_ok_and(|count| count == PIECE);
    let Some(last) = piece.last().filter(|_| is_full).map(|permit| permit.expires_at) else {
        return Ok((piece, None));
    };
    let state = PermitState::Issued.as_str();
    let beside = Filter::new().equals("state", state).equals("expires_at", last);
    piece.retain(|permit| permit.expires_at < last);
    piece.extend(record::bodies::<Permit>(cx.tx, &beside)?);
    Ok((piece, Some(last)))
}

/// Revokes the permits of a piece that the key signed; returns how many.
fn revoke(cx: &mut Context<'_, '_>, kid: &str, piece: &[Permit]) -> Result<i64> {
    let signed: BTreeSet<&str> = piece
        .iter()
        .filter(|it| it.kid == kid)
        .map(|it| it.id.as_str())
        .collect();
    let changes: BTreeSet<&str> = piece
        .iter()
        .filter(|it| signed.contains(it.id.as_str()))
        .map(|it| it.change.as_str())
        .collect();
    for change in changes {
        cx.on_change(change, |case| {
            let reason = "the key that signed it was revoked";
            settle::revoke_permits(case, reason, |it| signed.contains(it.id.as_str()));
            settle::settle(case);
            Ok(())
        })?;
    }
    Ok(i64::try_from(signed.len()).unwrap_or(i64::MAX))
}

/// The permits that are still good.
pub(crate) fn alive(now: jiff::Timestamp) -> Filter {
    Filter::new()
        .equals("state", PermitState::Issued.as_str())
        .more("expires_at", now)
}
