//! Incoming files: written as they arrive, hashed as they are written, never held in memory.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acts::Context;
use axum::body::Bytes;
use store::change::blob;
use store::{Lane, Mode};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;

use crate::http::caller::Caller;
use crate::http::failed_sync;
use crate::http::failure::Failure;
use crate::http::state::AppState;

/// How large the chunks are in which the database keeps files, in bytes.
const CHUNK: usize = 1024 * 1024;

/// A file that is being received. A file that is dropped before it is kept is removed.
pub struct NewFile {
    path: PathBuf,
    // Written without a buffer of its own: many files wait for slow senders at the same time.
    file: Arc<std::fs::File>,
    hash: proof::crypto::Sha256,
    digest: Option<String>,
    size: u64,
    kept: bool,
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody waits for the result; the next start removes a file that is left over.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn io(error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Failure::busy("storage_full", "The storage is full; nothing can be written now.").after(30);
    }
    Failure::fault(&error)
}

/// A failed sync may have lost written data, and a second sync would not report the loss. As with the database, nothing more is
/// acknowledged.
fn sync(error: std::io::Error) -> Failure {
    if error.kind() != std::io::ErrorKind::StorageFull {
        failed_sync::end_after_failed_sync(&error);
    }
    io(error)
}

impl NewFile {
    /// Begins a file in the folder for uploads.
    ///
    /// # Errors
    /// 503 when the storage is full, 500.
    pub async fn begin(state: &AppState) -> Result<Self, Failure> {
        let id = state.executor().new_id(state.executor().tools().recorder.now())?;
        let path = state.uploads().join(id);
        let file = File::create_new(&path).await.map_err(io)?;
        Ok(Self {
            path,
            file: Arc::new(file.into_std().await),
            hash: proof::crypto::Sha256::new(),
            digest: None,
            size: 0,
            kept: false,
        })
    }

    /// A file with this content.
    ///
    /// # Errors
    /// 503 when the storage is full, 500.
    pub async fn of(state: &AppState, bytes: impl Into<Bytes>) -> Result<Self, Failure> {
        let mut file = Self::begin(state).await?;
        file.write(bytes).await?;
        Ok(file)
    }

    /// Appends bytes, taking ownership: with a copy, each sender would hold its bytes twice while it waits for a thread.
    /// Returns the size so far.
    ///
    /// # Errors
    /// 503 when the storage is full, 500.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<u64, Failure> {
        let (file, piece) = (self.file.clone(), bytes.into());
        self.hash.update(&piece);
        let length = piece.len() as u64;
        off_the_doors(move || (&*file).write_all(&piece)).await.map_err(io)?;
        self.size += length;
        Ok(self.size)
    }

    /// Its digest (`sha256:…`); nothing may be added afterwards.
    pub fn digest(&mut self) -> String {
        let hash = &mut self.hash;
        let finish = || proof::crypto::hash_text(&std::mem::take(hash).finish());
        self.digest.get_or_insert_with(finish).clone()
    }

    /// Its size so far, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The first bytes of it, for a reader; `None` when there are more than `limit`.
    ///
    /// # Errors
    /// 500.
    pub async fn bytes(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Failure> {
        if usize::try_from(self.size).map_or(true, |size| size > limit) {
            return Ok(None);
        }
        // The buffer is allocated on the requesting thread: each reading thread would otherwise keep as much memory for its
        // next file.
        let mut whole = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        let path = self.path.clone();
        let read = move || {
            std::fs::File::open(path)?.read_to_end(&mut whole)?;
            Ok(whole)
        };
        off_the_doors(read).await.map(Some).map_err(io)
    }

    /// Keeps the file for good under its digest (`sha256:…`) in the folder or in the database. Returns the digest.
    ///
    /// # Errors
    /// 503 when the storage is full or away, 500.
    pub async fn keep(mut self, state: &AppState, caller: &Caller) -> Result<String, Failure> {
        let file = self.file.clone();
        off_the_doors(move || file.sync_all()).await.map_err(sync)?;
        let digest = self.digest();
        let hex = digest.trim_start_matches("sha256:").to_owned();
        match state.executor().tools().evidence_folder.clone() {
            Some(folder) => self.keep_in_folder(&folder, &hex).await?,
            None => self.keep_in_database(state, caller, &hex).await?,
        }
        Ok(digest)
    }

    async fn keep_in_folder(&mut self, folder: &Path, hex: &str) -> Result<(), Failure> {
        fs::rename(&self.path, folder.join(hex)).await.map_err(io)?;
        self.kept = true;
        // The name is durable only after the folder's sync: a power cut must not lose an acknowledged file.
        let folder = folder.to_owned();
        let open_and_sync = move || std::fs::File::open(folder).and_then(|it| it.sync_all());
        off_the_doors(open_and_sync).await.map_err(sync)
    }

    async fn keep_in_database(&mut self, state: &AppState, caller: &Caller, hex: &str) -> Result<(), Failure> {
        let mut source = File::open(&self.path).await.map_err(io)?;
        let mut part = 0;
        loop {
            let chunk = next_chunk(&mut source).await.map_err(io)?;
            if chunk.is_empty() {
                break;
            }
            let name = hex.to_owned();
            let save = move |cx: &mut Context<'_, '_>| {
                let at = cx.services.tools().recorder.now();
                Ok(blob::save_chunk(cx.tx, &name, part, &chunk, at)?)
            };
            state.act(Lane::Pages, caller, Mode::Write, save).await?;
            part += 1;
        }
        let (name, size) = (hex.to_owned(), i64::try_from(self.size).unwrap_or(i64::MAX));
        let finish = move |cx: &mut Context<'_, '_>| {
            let at = cx.services.tools().recorder.now();
            Ok(blob::finish(cx.tx, &name, size, at)?)
        };
        state.act(Lane::Pages, caller, Mode::Write, finish).await
    }
}

/// Runs slow work on a thread that serves no requests.
async fn off_the_doors<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

async fn next_chunk(source: &mut File) -> std::io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    source.take(CHUNK as u64).read_to_end(&mut chunk).await?;
    Ok(chunk)
}
