//! `assent export`: a list as a file, CSV (RFC 4180) or a workbook.

use std::io::Write;

use clap::Args;

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::Output;

/// A list to export.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent export changes --filter state=draft --to drafts.csv\n\
                  Example: assent export action-items --format xlsx --to items.xlsx")]
pub struct Export {
    /// The list as the API names it below /api/v1: changes, announcements, action-items.
    noun: String,
    /// How its rows are written.
    #[arg(long, value_parser = ["csv", "xlsx"], default_value = "csv")]
    format: String,
    /// The file; standard output unless said.
    #[arg(long, value_name = "FILE")]
    to: Option<String>,
    /// Write a quote before texts that a spreadsheet would take for formulas.
    #[arg(long)]
    safe: bool,
    /// A filter of the list; several may be given.
    #[arg(long, value_name = "NAME=VALUE")]
    filter: Vec<String>,
}

/// Exports it. A file is in its place only once it is whole.
///
/// # Errors
/// The server's refusal, or why the request or the writing failed.
pub fn run(export: &Export, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let path = path(export)?;
    let Some(file) = &export.to else {
        let mut out = std::io::stdout().lock();
        client.download(&path, &mut out)?;
        return out
            .flush()
            .map(|()| 0)
            .map_err(|error| unwritten("standard output", &error));
    };
    let part = format!("{file}.part");
    let mut target = std::fs::File::create(&part).map_err(|error| unwritten(&part, &error))?;
    if let Err(failure) = client.download(&path, &mut target) {
        // The remains are no whole file and must not be taken for one.
        let _ = std::fs::remove_file(&part);
        return Err(failure);
    }
    let kept = target.sync_all().and_then(|()| std::fs::rename(&part, file));
    kept.map_err(|error| unwritten(file, &error))?;
    output.talk(&format!("Written to {file}."));
    Ok(0)
}

fn path(export: &Export) -> Result<String> {
    let mut path = format!(
        "/exports/{}/file?format={}&safe={}",
        encode(&export.noun),
        export.format,
        export.safe
    );
    for filter in &export.filter {
        let Some((name, value)) = filter.split_once('=') else {
            let text = format!("`{filter}` is no filter. Write NAME=VALUE, such as state=draft.");
            return Err(Failure::could_not(text));
        };
        path.push_str(&format!("&{}={}", encode(name), encode(value)));
    }
    Ok(path)
}

fn unwritten(what: &str, error: &std::io::Error) -> Failure {
    Failure::could_not(format!("{what} cannot be written: {error}."))
}
