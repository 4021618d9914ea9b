//! A kept file of evidence on its way out: hashed while it is sent, and cut short when it is not the one that was kept.

use acts::Room;
use axum::body::Body;
use model::records::Evidence;
use model::refusal::Refusal;
use proof::crypto::{Sha256, digest_text, hash_text};
use store::{Lane, Mode};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::caller::Caller;
use crate::failure::Failure;
use crate::state::AppState;

/// How much of a file is read at once, in bytes, and how many such pieces wait for a slow reader.
const PIECE: usize = 64 * 1024;
const AHEAD: usize = 1;
/// How many bytes at the end are held back until the whole is known to be the file that was kept.
const END: usize = PIECE;

/// The body that sends a file piece by piece, and its length: however slowly it is read, no more than a few pieces of it are
/// held in memory.
///
/// # Errors
/// 404 when there is none, or the store's.
pub(super) async fn body_of(state: &AppState, caller: &Caller, evidence: &Evidence) -> Result<(Body, u64), Failure> {
    let length = u64::try_from(evidence.size).unwrap_or_default();
    if evidence.file_digest == digest_text(b"") {
        return Ok((Body::empty(), 0));
    }
    let hex = evidence.file_digest.trim_start_matches("sha256:").to_owned();
    let (send, receive) = mpsc::channel(AHEAD);
    let body = Body::from_stream(ReceiverStream::new(receive));
    let sending = Sending::new(state, evidence, send);
    if let Some(folder) = state.desk().tools().evidence_folder.clone() {
        match tokio::fs::File::open(folder.join(&hex)).await {
            Ok(file) => {
                tokio::spawn(send_file(file, sending));
                return Ok((body, length));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::fault(&error)),
        }
    } else if let Some(first) = chunk_of(state, caller, &hex, 0).await? {
        tokio::spawn(send_chunks(state.clone(), caller.clone(), hex, first, sending));
        return Ok((body, length));
    }
    // A note is its own file: its digest is over its text. The words about a document that was lost are not that document.
    let is_file = |text: &String| digest_text(text.as_bytes()) == evidence.file_digest;
    let Some(text) = evidence.text.clone().filter(is_file) else {
        tell(state, evidence, "it is gone");
        return Err(Failure::from(acts::Error::from(Refusal::not_found("file"))));
    };
    let length = text.len() as u64;
    Ok((Body::from(text), length))
}

/// Says aloud that a kept file is not what it should be: whoever runs the server has to look, with `assent audit replay`.
fn tell(state: &AppState, evidence: &Evidence, what: &str) {
    state.metrics().note_damaged_file();
    tracing::error!(
        evidence = evidence.id.as_str(),
        digest = evidence.file_digest,
        what,
        "a file of evidence is not the one that was kept; run `assent audit replay`"
    );
}

type Pieces = mpsc::Sender<std::io::Result<Vec<u8>>>;

/// A file that is being sent. Its end is held back until all of it was hashed, so that nobody takes another file for the
/// one that was kept: the connection breaks off before the length that was told.
struct Sending {
    state: AppState,
    evidence: Evidence,
    send: Pieces,
    hash: Sha256,
    /// How many bytes are still to come.
    left: usize,
    end: Vec<u8>,
}

impl Sending {
    fn new(state: &AppState, evidence: &Evidence, send: Pieces) -> Self {
        Self {
            state: state.clone(),
            evidence: evidence.clone(),
            send,
            hash: Sha256::new(),
            left: usize::try_from(evidence.size).unwrap_or_default(),
            end: Vec::new(),
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
        // Whoever went away reads nothing more.
        self.pass_on(before).await && self.pass_on(piece).await
    }

    /// Lets the end go, if the whole is the file that was kept.
    async fn finish(mut self) {
        let digest = hash_text(&std::mem::take(&mut self.hash).finish());
        let end = std::mem::take(&mut self.end);
        match self.left {
            0 if digest == self.evidence.file_digest => drop(self.pass_on(end).await),
            0 => self.cut("it has another digest").await,
            _ => self.cut("it has fewer bytes than were kept").await,
        }
    }

    async fn pass_on(&self, piece: Vec<u8>) -> bool {
        piece.is_empty() || self.send.send(Ok(piece)).await.is_ok()
    }

    async fn cut(&self, what: &str) {
        tell(&self.state, &self.evidence, what);
        self.break_off("the file is not the one that was kept").await;
    }

    /// The length that was told is not reached, so that nobody takes a part for the whole.
    async fn break_off(&self, why: &str) {
        // Whoever went away needs not be told.
        drop(self.send.send(Err(std::io::Error::other(why.to_owned()))).await);
    }
}

async fn send_file(mut file: tokio::fs::File, mut sending: Sending) {
    loop {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => return sending.finish().await,
            Ok(length) => piece.truncate(length),
            Err(error) => return sending.break_off(&error.to_string()).await,
        }
        if !sending.take(piece).await {
            return;
        }
    }
}

async fn send_chunks(state: AppState, caller: Caller, hex: String, first: Vec<u8>, mut sending: Sending) {
    let (mut next, mut part) = (Ok(Some(first)), 0);
    loop {
        match next {
            Ok(Some(piece)) => {
                if !sending.take(piece).await {
                    return;
                }
            }
            Ok(None) => return sending.finish().await,
            Err(_) => return sending.break_off("the file could not be read to its end").await,
        }
        part += 1;
        next = chunk_of(&state, &caller, &hex, part).await;
    }
}

async fn chunk_of(state: &AppState, caller: &Caller, hex: &str, part: i64) -> Result<Option<Vec<u8>>, Failure> {
    let hex = hex.to_owned();
    let read = move |room: &mut Room<'_, '_>| Ok(store::blob::chunk(room.tx, &hex, part)?);
    state.act(Lane::Pages, caller, Mode::Read, read).await
}
