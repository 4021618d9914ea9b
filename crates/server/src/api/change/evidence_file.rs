//! Sends kept files of evidence, alone or in a bundle. Each file is hashed while it is sent, and cut short if it is not the
//! file that was kept.

use acts::Context;
use acts::audit::export_bundle::{Export, KeptFile, Piece};
use axum::body::Body;
use model::change::related_records::Evidence;
use model::core::refusal::Refusal;
use proof::crypto::{Sha256, digest_text, hash_text};
use store::change::blob;
use store::{Lane, Mode};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::state::AppState;

/// How much of a file is read at once, in bytes, and how many such pieces wait for a slow reader.
const PIECE: usize = 64 * 1024;
const AHEAD: usize = 1;
/// How many bytes at the end are held back until the whole is known to be the file that was kept.
const END: usize = PIECE;

/// The body that sends a file piece by piece, and the file's length. Memory holds only a few pieces, however slow the reader
/// is.
///
/// # Errors
/// 404 when there is none, or the store's.
pub(crate) async fn body_of(state: &AppState, caller: &Caller, evidence: &Evidence) -> Result<(Body, u64), Failure> {
    if evidence.file_digest == digest_text(b"") {
        return Ok((Body::empty(), 0));
    }
    let file = KeptFile {
        evidence: evidence.id.to_string(),
        digest: evidence.file_digest.clone(),
        size: u64::try_from(evidence.size).unwrap_or_default(),
    };
    if let Some(source) = open(state, caller, &file).await? {
        let (send, receive) = mpsc::channel(AHEAD);
        let (length, sending) = (file.size, Sending::new(state, file, send));
        let (state, caller) = (state.clone(), caller.clone());
        tokio::spawn(async move { sending.send_all(&state, &caller, source).await });
        return Ok((Body::from_stream(ReceiverStream::new(receive)), length));
    }
    // A note is its own file: its digest is over its text. The description of a lost document is not that document.
    let is_file = |text: &String| digest_text(text.as_bytes()) == evidence.file_digest;
    let Some(text) = evidence.text.clone().filter(is_file) else {
        log_damage(state, &file, "it is gone");
        return Err(Failure::from(acts::Error::from(Refusal::not_found("file"))));
    };
    let length = text.len() as u64;
    Ok((Body::from(text), length))
}

/// The body that sends a bundle: its evidence files are read as they are sent. A file that has changed since the bundle was
/// made ends the body before the announced length.
pub(crate) fn body_of_bundle(state: &AppState, caller: &Caller, export: Export) -> Body {
    let (send, receive) = mpsc::channel(AHEAD);
    let (state, caller) = (state.clone(), caller.clone());
    tokio::spawn(async move {
        for piece in export.pieces {
            let goes_on = match piece {
                Piece::Bytes(bytes) => send.send(Ok(bytes)).await.is_ok(),
                Piece::File(file) => send_kept(&state, &caller, file, send.clone()).await,
            };
            if !goes_on {
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(receive))
}

/// Sends a file of a bundle; `false` when nothing more may follow.
async fn send_kept(state: &AppState, caller: &Caller, file: KeptFile, send: Pieces) -> bool {
    match open(state, caller, &file).await {
        Ok(Some(source)) => Sending::new(state, file, send).send_all(state, caller, source).await,
        Ok(None) => {
            let sending = Sending::new(state, file, send);
            sending.cut("it is gone").await;
            false
        }
        Err(_) => {
            let sending = Sending::new(state, file, send);
            sending.break_off(UNREAD).await;
            false
        }
    }
}

/// Where the bytes of a file come from.
enum Source {
    Folder(tokio::fs::File),
    /// The file's chunks in the database, with the first one.
    Chunks(Vec<u8>),
}

/// Opens a kept file; nothing when it is not there.
async fn open(state: &AppState, caller: &Caller, file: &KeptFile) -> Result<Option<Source>, Failure> {
    let hex = file.digest.trim_start_matches("sha256:");
    let Some(folder) = state.executor().tools().evidence_folder.clone() else {
        return Ok(chunk_of(state, caller, hex, 0).await?.map(Source::Chunks));
    };
    match tokio::fs::File::open(folder.join(hex)).await {
        Ok(file) => Ok(Some(Source::Folder(file))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::fault(&error)),
    }
}

/// Reports that a kept file is missing or altered, so that an operator checks with `assent audit replay`.
fn log_damage(state: &AppState, file: &KeptFile, what: &str) {
    state.metrics().note_damaged_file();
    tracing::error!(
        evidence = file.evidence,
        digest = file.digest,
        what,
        "a file of evidence is not the one that was kept; run `assent audit replay`"
    );
}

const UNREAD: &str = "the file could not be read to its end";

type Pieces = mpsc::Sender<std::io::Result<Vec<u8>>>;

/// A file that is being sent. Its end is held back until all of it was hashed, so that no recipient takes another file for the
/// kept one. On a mismatch the connection ends before the announced length.
struct Sending {
    state: AppState,
    file: KeptFile,
    send: Pieces,
    hash: Sha256,
    /// How many bytes are still to come.
    left: usize,
    end: Vec<u8>,
}

impl Sending {
    fn new(state: &AppState, file: KeptFile, send: Pieces) -> Self {
        Self {
            state: state.clone(),
            left: usize::try_from(file.size).unwrap_or_default(),
            file,
            send,
            hash: Sha256::new(),
            end: Vec::new(),
        }
    }

    /// Sends the whole file; `false` when it was not the file that was kept, or when the recipient disconnected.
    async fn send_all(self, state: &AppState, caller: &Caller, source: Source) -> bool {
        match source {
            Source::Folder(file) => self.send_file(file).await,
            Source::Chunks(first) => self.send_chunks(state, caller, first).await,
        }
    }

    async fn send_file(mut self, mut file: tokio::fs::File) -> bool {
        loop {
            let mut piece = vec![0; PIECE];
            match file.read(&mut piece).await {
                Ok(0) => return self.finish().await,
                Ok(length) => piece.truncate(length),
                Err(error) => {
                    self.break_off(&error.to_string()).await;
                    return false;
                }
            }
            if !self.take(piece).await {
                return false;
            }
        }
    }

    async fn send_chunks(mut self, state: &AppState, caller: &Caller, first: Vec<u8>) -> bool {
        let hex = self.file.digest.trim_start_matches("sha256:").to_owned();
        let (mut next, mut part) = (Ok(Some(first)), 0);
        loop {
            match next {
                Ok(Some(piece)) => {
                    if !self.take(piece).await {
                        return false;
                    }
                }
                Ok(None) => return self.finish().await,
                Err(_) => {
                    self.break_off(UNREAD).await;
                    return false;
                }
            }
            part += 1;
            next = chunk_of(state, caller, &hex, part).await;
        }
    }

    /// Takes the next piece; `false` when nothing more is wanted.
    async fn take(&mut self, mut piece: Vec<u8>) -> bool {
        let Some(left) = self.left.checked_sub(piece.len()) else {
            self.cut("it has more bytes than were kept").await;
            return false;
        };
        self.left = left;
        self.hash.update(&piece);
        let end = piece.split_off(piece.len().saturating_sub(END));
        let before = std::mem::replace(&mut self.end, end);
        // A recipient that disconnected reads nothing more.
        self.pass_on(before).await && self.pass_on(piece).await
    }

    /// Lets the end go, if the whole is the file that was kept.
    async fn finish(mut self) -> bool {
        let digest = hash_text(&std::mem::take(&mut self.hash).finish());
        let end = std::mem::take(&mut self.end);
        match self.left {
            0 if digest == self.file.digest => return self.pass_on(end).await,
            0 => self.cut("it has another digest").await,
            _ => self.cut("it has fewer bytes than were kept").await,
        }
        false
    }

    async fn pass_on(&self, piece: Vec<u8>) -> bool {
        piece.is_empty() || self.send.send(Ok(piece)).await.is_ok()
    }

    async fn cut(&self, what: &str) {
        log_damage(&self.state, &self.file, what);
        self.break_off("the file is not the one that was kept").await;
    }

    /// The body ends before the announced length, so that no recipient takes a part for the whole.
    async fn break_off(&self, why: &str) {
        // A recipient that disconnected needs no notice.
        drop(self.send.send(Err(std::io::Error::other(why.to_owned()))).await);
    }
}

async fn chunk_of(state: &AppState, caller: &Caller, hex: &str, part: i64) -> Result<Option<Vec<u8>>, Failure> {
    let hex = hex.to_owned();
    let read = move |cx: &mut Context<'_, '_>| Ok(blob::chunk(cx.tx, &hex, part)?);
    state.act(Lane::Pages, caller, Mode::Read, read).await
}
