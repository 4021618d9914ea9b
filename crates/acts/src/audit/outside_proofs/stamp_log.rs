//! Time stamps over checkpoints of this log (RFC 3161): the due ones, and the stored ones.

use model::audit::time_authority::TimeAuthority;
use proof::note::{Checkpoint, Note};
use proof::tile::TileReader;
use proof::time_stamp::{self, Anchors, KeptStamp, Stamped, Wrong};
use store::audit::log;
use store::audit::time_stamp::{self as stamps, TimeStamp};
use store::record;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_tiles::{StoredTiles, log_state};
use crate::core::noun::in_use;

/// The largest difference, in seconds, between an attested time and that of this server.
const SKEW_SECONDS: i64 = 300;
/// The most time stamps in a bundle: the first ones after its checkpoint.
const MOST_IN_BUNDLE: i64 = 3;

/// A request to an authority.
#[derive(Debug, Clone)]
pub struct StampRequest {
    /// The id of the authority.
    pub authority: String,
    /// Its address.
    pub url: String,
    /// The checkpoint that is to be stamped.
    pub checkpoint: Checkpoint,
    /// The nonce that the response must contain.
    pub nonce: [u8; 8],
    /// The request in DER.
    pub body: Vec<u8>,
    anchors: Anchors,
}

impl StampRequest {
    /// Checks the response: the token in DER and its contents.
    ///
    /// # Errors
    /// Why the time stamp is not good.
    pub fn open(&self, answer: &[u8]) -> std::result::Result<(Vec<u8>, Stamped), Wrong> {
        let imprint = time_stamp::imprint_of(&self.checkpoint);
        time_stamp::open_answer(answer, &imprint, self.nonce, &self.anchors)
    }
}

/// The time stamps that are due: the log has grown since the authority's last one, and the last one is old enough.
///
/// # Errors
/// A fault of the log or of the randomness, or the store's.
pub fn find_due_stamps(cx: &mut Context<'_, '_>) -> Result<Vec<StampRequest>> {
    let authorities = in_use::<TimeAuthority>(cx)?;
    if authorities.is_empty() {
        return Ok(Vec::new());
    }
    let Some(kept) = log::last_checkpoint(cx.tx)? else {
        return Ok(Vec::new());
    };
    let checkpoint = Checkpoint::parse(&Note::parse(&kept.note)?.text)?;
    let now = cx.recorded_at.as_second();
    let mut due = Vec::new();
    for authority in authorities {
        let newest = stamps::newest(cx.tx, authority.id.as_str())?;
        let is_due =
            |it: &TimeStamp| it.size < kept.size && now.saturating_sub(it.time) >= authority.every_hours * 3_600;
        if newest.is_some_and(|it| !is_due(&it)) {
            continue;
        }
        let mut nonce = [0; 8];
        cx.services.tools().entropy.fill(&mut nonce)?;
        due.push(StampRequest {
            body: time_stamp::request(&time_stamp::imprint_of(&checkpoint), nonce)?,
            anchors: Anchors::parse(&authority.certificates)?,
            authority: authority.id.0,
            url: authority.url,
            checkpoint: checkpoint.clone(),
            nonce,
        });
    }
    Ok(due)
}

/// Stores a verified time stamp. `false` if the authority was ended meanwhile, or stamped that size already.
///
/// # Errors
/// A fault when the attested time is far from this server's, or the store's.
pub fn keep_stamp(cx: &mut Context<'_, '_>, asked: &StampRequest, token: &[u8], stamped: &Stamped) -> Result<bool> {
    let away = stamped.time.saturating_sub(cx.recorded_at.as_second());
    if away.abs() > SKEW_SECONDS {
        return Err(Error::Fault(format!(
            "the authority attests a time {away} seconds from this server's: one of the two clocks is wrong"
        )));
    }
    if !in_use::<TimeAuthority>(cx)?
        .iter()
        .any(|it| it.id.as_str() == asked.authority)
    {
        return Ok(false);
    }
    let kept = TimeStamp {
        size: i64::try_from(asked.checkpoint.size).unwrap_or(i64::MAX),
        authority: asked.authority.clone(),
        time: stamped.time,
        token: proof::crypto::base64_standard(token),
    };
    Ok(stamps::save(cx.tx, &kept)?)
}

/// The time stamp over the longest log, of the authorities in use.
///
/// # Errors
/// The store's.
pub fn newest_stamp(cx: &mut Context<'_, '_>) -> Result<Option<TimeStamp>> {
    let mut newest: Option<TimeStamp> = None;
    for authority in in_use::<TimeAuthority>(cx)? {
        let found = stamps::newest(cx.tx, authority.id.as_str())?;
        newest = newest.into_iter().chain(found).max_by_key(|it| it.size);
    }
    Ok(newest)
}

/// The first time stamps over checkpoints of at least the size `from`, with the proofs that the stamped log extends the
/// one of that size.
///
/// # Errors
/// A fault of the log, or the store's.
pub fn stamps_after(cx: &mut Context<'_, '_>, from: u64) -> Result<Vec<KeptStamp>> {
    let found = stamps::covering(cx.tx, i64::try_from(from).unwrap_or(i64::MAX), MOST_IN_BUNDLE)?;
    with_proofs(cx, found, Some(from))
}

/// The file `time-stamps` of the log: one time stamp a line, the oldest first. `None` if the log has none.
///
/// # Errors
/// A fault of the log, or the store's.
pub fn stamps_file(cx: &mut Context<'_, '_>) -> Result<Option<Vec<u8>>> {
    let most = i64::try_from(time_stamp::MOST_STAMPS).unwrap_or(i64::MAX);
    let found = stamps::covering(cx.tx, 0, most)?;
    if found.is_empty() {
        return Ok(None);
    }
    let mut lines = String::new();
    for kept in with_proofs(cx, found, None)? {
        lines.push_str(&serde_json::to_string(&kept)?);
        lines.push('\n');
    }
    Ok(Some(lines.into_bytes()))
}

fn with_proofs(cx: &mut Context<'_, '_>, found: Vec<TimeStamp>, from: Option<u64>) -> Result<Vec<KeptStamp>> {
    let mut kept = Vec::new();
    for stamp in found {
        let authority = record::load::<TimeAuthority>(cx.tx, &stamp.authority)?;
        let size = u64::try_from(stamp.size).unwrap_or_default();
        let state = log_state(cx)?;
        let source = StoredTiles::new(cx.tx, state);
        let reader = TileReader::new(&source, size);
        let proved = reader.root().and_then(|root| {
            let proof = match from {
                Some(from) if from < size => reader.consistency_proof(from)?,
                _ => Vec::new(),
            };
            Ok((root, proof))
        });
        let (root, proof) = source.settle(proved)?;
        let certificates = authority.map(|it| it.record.certificates).unwrap_or_default();
        kept.push(KeptStamp::new(size, &root, &proof, stamp.token, certificates));
    }
    Ok(kept)
}
