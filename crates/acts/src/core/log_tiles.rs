//! The tenant's log as the tlog-tiles files, read from the store inside one transaction.

use std::borrow::Cow;
use std::cell::RefCell;

use proof::note::{self, Checkpoint, TrustedCheckpoint};
use proof::tile::{self, TileName, TileReader, TileSource, WIDTH};
use store::Tx;
use store::audit::bundle;
use store::audit::log::{self, LogState};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::signing_keys;

/// The tiles of a log of a known size. Of a tile that is not full only the widest is stored; a narrower one, which a
/// client may still request, is cut from it, so that a path never changes its content. A bundle that is not full is put
/// together from the rows of its events.
pub struct StoredTiles<'t, 'c> {
    tx: RefCell<&'t mut Tx<'c>>,
    state: LogState,
    /// The path that was read, and the store's error.
    fault: RefCell<Option<(String, store::Error)>>,
}

impl<'t, 'c> StoredTiles<'t, 'c> {
    /// Reads the log at the size of `state`.
    pub fn new(tx: &'t mut Tx<'c>, state: LogState) -> Self {
        Self {
            tx: RefCell::new(tx),
            state,
            fault: RefCell::new(None),
        }
    }

    /// The store's error that made a reading fail. The transaction must end with it, so that the store can repeat it.
    ///
    /// # Errors
    /// That error.
    pub fn settle<T>(&self, outcome: proof::Result<T>) -> Result<T> {
        match self.fault.borrow_mut().take() {
            Some((_, fault)) => Err(fault.into()),
            None => Ok(outcome?),
        }
    }

    /// The path of an unreadable row, and the reason, if the row made a reading fail: a retry would not help.
    pub(crate) fn damaged(&self) -> Option<(String, String)> {
        let mut fault = self.fault.borrow_mut();
        let has_failed = self.tx.borrow().has_failed();
        match fault.take() {
            Some((path, store::Error::Corrupt(why))) if !has_failed => Some((path, why)),
            other => {
                *fault = other;
                None
            }
        }
    }

    fn read(&self, path: &str) -> store::Result<Option<Vec<u8>>> {
        let tx: &mut Tx<'_> = &mut self.tx.borrow_mut();
        if path == "checkpoint" {
            return Ok(Some(self.state.checkpoint.clone().into_bytes()));
        }
        let Some(name) = TileName::parse(path) else {
            return log::tile(tx, path);
        };
        if name.level.is_none() {
            return entries(tx, name, width_at(self.size(), name));
        }
        if let Some(bytes) = log::tile(tx, path)? {
            return Ok(Some(bytes));
        }
        let full = TileName { width: WIDTH, ..name };
        let standing = TileName {
            width: width_at(self.size(), name),
            ..name
        };
        for wider in [full, standing] {
            if wider.width <= name.width {
                continue;
            }
            if let Some(bytes) = log::tile(tx, &wider.path())? {
                return Ok(cut(&bytes, name));
            }
        }
        Ok(None)
    }

    /// Leaves in the log.
    pub fn size(&self) -> u64 {
        u64::try_from(self.state.size).unwrap_or_default()
    }
}

impl TileSource for StoredTiles<'_, '_> {
    fn get(&self, path: &str) -> proof::Result<Option<Cow<'_, [u8]>>> {
        self.read(path).map(|found| found.map(Cow::Owned)).map_err(|error| {
            let why = error.to_string();
            self.fault.borrow_mut().get_or_insert((path.to_owned(), error));
            proof::Error::Source {
                path: path.to_owned(),
                why,
            }
        })
    }
}

/// A bundle of a log, with its `standing` entries.
fn entries(tx: &mut Tx<'_>, name: TileName, standing: u64) -> store::Result<Option<Vec<u8>>> {
    let (Ok(number), Ok(width)) = (i64::try_from(name.index), i64::try_from(name.width)) else {
        return Ok(None);
    };
    if name.width > standing {
        return Ok(None);
    }
    if standing < WIDTH
        && let Some(bytes) = bundle::assemble(tx, number, width)?
    {
        return Ok(Some(bytes));
    }
    // The bundle is full, or was filled while the size of the log was read.
    let full = match bundle::load(tx, number)? {
        Some(full) => Some(full),
        // An earlier version stored the entries among the tiles.
        None => log::tile(tx, &TileName { width: WIDTH, ..name }.path())?,
    };
    Ok(match full {
        Some(full) if name.width < WIDTH => cut(&full, name),
        full => full,
    })
}

/// The width of a tile in a log of this size.
pub(crate) fn width_at(size: u64, name: TileName) -> u64 {
    let nothing = tile::MemoryTiles::default();
    TileReader::new(&nothing, size).width(name.level.unwrap_or(0), name.index)
}

/// The first `name.width` hashes or entries of a wider tile; `None` when it holds fewer.
fn cut(bytes: &[u8], name: TileName) -> Option<Vec<u8>> {
    let width = usize::try_from(name.width).ok()?;
    if name.level.is_some() {
        return bytes.get(..32 * width).map(<[u8]>::to_vec);
    }
    let entries = tile::read_entries(bytes).ok()?;
    tile::write_entries(entries.get(..width)?).ok()
}

/// How far the tenant's log is.
///
/// # Errors
/// A fault when the tenant has no log, or the store's.
pub fn log_state(cx: &mut Context<'_, '_>) -> Result<LogState> {
    log::state(cx.tx)?.ok_or_else(|| Error::Fault(format!("the tenant {} has no log", cx.tenant())))
}

/// The checkpoint of a state after its signature was verified with the log's own keys: a state that was changed outside
/// of Assent is never signed again.
///
/// # Errors
/// A fault when the checkpoint is not signed or has another size, or the store's.
pub fn trusted(cx: &mut Context<'_, '_>, state: &LogState) -> Result<TrustedCheckpoint> {
    let verifiers = signing_keys::verifier_keys(cx)?;
    let origin = signing_keys::log_origin(cx)?;
    let opened = note::open_checkpoint(&state.checkpoint, &verifiers, Some(&origin));
    let opened =
        opened.map_err(|why| Error::Fault(format!("the stored checkpoint of {origin} is not trusted: {why}")))?;
    if i64::try_from(opened.checkpoint.size).ok() != Some(state.size) {
        return Err(Error::Fault(format!(
            "the stored checkpoint of {origin} speaks of another size than the log's state"
        )));
    }
    Ok(opened)
}

/// Signs a checkpoint with the log's key and has the server's own cosigner attest its time, in seconds since 1970.
///
/// # Errors
/// A fault of the keys, or the store's.
pub fn signed(cx: &mut Context<'_, '_>, checkpoint: &Checkpoint, seconds: u64) -> Result<String> {
    let mut note = checkpoint.sign(&signing_keys::note_signer(cx, signing_keys::LOG)?);
    let cosigner = signing_keys::note_signer(cx, signing_keys::COSIGNER)?;
    note.signatures.push(cosigner.cosign(&note.text, seconds));
    Ok(note.to_text())
}

/// How many seconds a cosignature may be in the future: a later one was made while a clock was wrong.
pub(crate) const COSIGNING_SKEW: u64 = 60;

/// The time of a cosignature, in seconds since 1970: now, but not before the last one, unless a clock was wrong then.
/// Otherwise one jump of a clock ahead would block cosignatures for as long.
pub(crate) fn cosigning_time(cx: &Context<'_, '_>, last: &TrustedCheckpoint) -> u64 {
    let now = u64::try_from(cx.recorded_at.as_second()).unwrap_or_default();
    let times = last.cosigned.iter().map(|(_, time)| *time);
    let believed = times.filter(|time| *time <= now.saturating_add(COSIGNING_SKEW));
    believed.fold(now, u64::max)
}
