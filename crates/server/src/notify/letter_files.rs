//! Keeps the files of a letter before a draft is made of it. Files of another writer's letter are not kept; the sweep removes
//! files that no evidence names.

use std::io::Write as _;
use std::path::Path;

use acts::Context;
use acts::notify::draft_by_mail;
use connect::notify::mail_files::{self, LetterFile};
use model::change::change_file::Actor;
use model::integration::signal::{MailFile, Signal};
use store::change::blob;
use store::{Lane, Mode};

use crate::http::failed_sync;
use crate::http::state::AppState;

/// How large the chunks are in which the database keeps files, in bytes.
const CHUNK: usize = 1024 * 1024;

/// Keeps the files of a letter, and has its signal name them.
pub(crate) fn keep(
    state: &AppState,
    (tenant, connection): (&str, &str),
    body: &[u8],
    signals: &mut [Signal],
) -> acts::Result<()> {
    let Some(reply) = signals.iter_mut().find_map(|signal| match signal {
        Signal::MailReply(reply) => Some(reply),
        _ => None,
    }) else {
        return Ok(());
    };
    let (found, left_out) = mail_files::files(body);
    if found.is_empty() && left_out.is_empty() {
        return Ok(());
    }
    let (connection, asked) = (connection.to_owned(), reply.clone());
    let look = move |cx: &mut Context<'_, '_>| draft_by_mail::is_own_letter(cx, &connection, &asked);
    let is_own = state
        .executor()
        .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)?;
    if !is_own {
        return Ok(());
    }
    for file in &found {
        reply.files.push(keep_one(state, tenant, file)?);
    }
    reply.left_out = left_out;
    Ok(())
}

fn keep_one(state: &AppState, tenant: &str, file: &LetterFile) -> acts::Result<MailFile> {
    let digest = proof::crypto::digest_text(&file.bytes);
    let hex = digest.trim_start_matches("sha256:").to_owned();
    match state.executor().tools().evidence_folder.clone() {
        Some(folder) => keep_in_folder(state, &folder, &hex, &file.bytes)?,
        None => keep_in_database(state, tenant, &hex, &file.bytes)?,
    }
    Ok(MailFile {
        name: file.name.clone(),
        media_type: file.media_type.to_owned(),
        size: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
        digest,
    })
}

fn fault(error: &std::io::Error) -> acts::Error {
    acts::Error::Fault(error.to_string())
}

fn keep_in_folder(state: &AppState, folder: &Path, hex: &str, bytes: &[u8]) -> acts::Result<()> {
    let id = state.executor().new_id(state.executor().tools().recorder.now())?;
    // The next start removes left-over files in the folder for uploads.
    let path = state.uploads().join(id);
    let mut file = std::fs::File::create_new(&path).map_err(|error| fault(&error))?;
    file.write_all(bytes).map_err(|error| fault(&error))?;
    sync(&file)?;
    std::fs::rename(&path, folder.join(hex)).map_err(|error| fault(&error))?;
    let folder = std::fs::File::open(folder).map_err(|error| fault(&error))?;
    sync(&folder)
}

/// A failed sync may have lost written data, and a second sync would not report the loss.
fn sync(file: &std::fs::File) -> acts::Result<()> {
    match file.sync_all() {
        Err(error) if error.kind() != std::io::ErrorKind::StorageFull => failed_sync::end_after_failed_sync(&error),
        done => done.map_err(|error| fault(&error)),
    }
}

fn keep_in_database(state: &AppState, tenant: &str, hex: &str, bytes: &[u8]) -> acts::Result<()> {
    let (hex, bytes) = (hex.to_owned(), bytes.to_owned());
    let save = move |cx: &mut Context<'_, '_>| {
        let at = cx.services.tools().recorder.now();
        for (part, chunk) in (0_i64..).zip(bytes.chunks(CHUNK)) {
            blob::save_chunk(cx.tx, &hex, part, chunk, at)?;
        }
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Ok(blob::finish(cx.tx, &hex, size, at)?)
    };
    let executor = state.executor();
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, save)
}
