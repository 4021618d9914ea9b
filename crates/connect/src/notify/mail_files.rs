//! The files that come with a letter: of kinds that people send as evidence, few and small, named without folders. A picture
//! inside the text, such as that of a signature, is left out.

use mail_parser::{MessagePart, MimeHeaders};
use model::integration::signal;

use crate::notify::mail_reply::parsed;

/// The most files of one letter.
pub const MOST_FILES: usize = 10;
/// The largest file, in bytes. A letter as a whole has at most 2 MiB.
pub const FILE_MAX_BYTES: usize = 2 << 20;
/// How many parts of a letter are examined.
const MOST_PARTS: usize = 100;
/// The longest name, in bytes.
const NAME_MAX_BYTES: usize = 150;
/// The kinds that are kept, by the end of the name. Executable files are refused, and the type declared by the sender is
/// ignored.
const KINDS: [(&str, &str); 14] = [
    ("pdf", "application/pdf"),
    ("txt", "text/plain; charset=utf-8"),
    ("log", "text/plain; charset=utf-8"),
    ("md", "text/plain; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("odt", "application/vnd.oasis.opendocument.text"),
];

/// A file of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterFile {
    /// Its name.
    pub name: String,
    /// Its media type, by its name.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a letter that may be kept, and why others may not.
#[must_use]
pub fn files(body: &[u8]) -> (Vec<LetterFile>, Vec<String>) {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    let Some(message) = parsed(body) else {
        return (kept, left_out);
    };
    for part in message.attachments().take(MOST_PARTS) {
        if is_inside(part) {
            continue;
        }
        let name = name_of(part);
        match judge(&name, part.contents(), kept.len()) {
            Ok(media_type) => kept.push(LetterFile {
                name,
                media_type,
                bytes: part.contents().to_vec(),
            }),
            Err(why) => left_out.push(format!("{name}: {why}")),
        }
    }
    left_out.truncate(MOST_FILES);
    (kept, left_out)
}

fn judge(name: &str, bytes: &[u8], kept: usize) -> Result<&'static str, &'static str> {
    let kind = name
        .rsplit_once('.')
        .map(|(_, kind)| kind.to_lowercase())
        .unwrap_or_default();
    let Some((_, media_type)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        return Err("files of this kind are not taken by mail");
    };
    match bytes.len() {
        _ if kept == MOST_FILES => Err("a letter brings at most 10 files"),
        0 => Err("it is empty"),
        size if size > FILE_MAX_BYTES => Err("it is larger than 2 MiB"),
        _ => Ok(media_type),
    }
}

/// Whether the file is a picture inside the text (RFC 2392).
fn is_inside(part: &MessagePart<'_>) -> bool {
    let is_picture = part
        .content_type()
        .is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
    let is_attached = part
        .content_disposition()
        .is_some_and(|it| it.ctype().eq_ignore_ascii_case("attachment"));
    is_picture && part.content_id().is_some() && !is_attached
}

/// The name without folders, control characters and leading points.
fn name_of(part: &MessagePart<'_>) -> String {
    let told = part.attachment_name().unwrap_or_default();
    let bare = told.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = bare.chars().filter(|it| !it.is_control()).collect();
    let clean = clean.trim().trim_start_matches('.');
    // The extension at the end of the name is kept.
    if clean.len() <= NAME_MAX_BYTES {
        return if clean.is_empty() {
            "file".to_owned()
        } else {
            clean.to_owned()
        };
    }
    let kind = clean
        .rsplit_once('.')
        .map(|(_, kind)| kind)
        .filter(|kind| kind.len() <= 5);
    let short = signal::shortened(clean, NAME_MAX_BYTES - 6);
    kind.map_or_else(|| short.clone(), |kind| format!("{short}.{kind}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn letter(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut text = "From: <ada@example.org>\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
            .to_owned();
        for (heads, body) in parts {
            text.push_str(&format!("--b\r\n{heads}\r\n\r\n{body}\r\n"));
        }
        text.push_str("--b--\r\n");
        text.into_bytes()
    }

    fn attached(name: &str) -> String {
        format!("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"")
    }

    #[test]
    fn files_of_known_kinds_are_kept_and_others_told() {
        let (plan, program, up) = (
            attached("plan.pdf"),
            attached("run.exe"),
            attached("../../etc/passwd.txt"),
        );
        let (kept, left_out) = files(&letter(&[(&plan, "PDF"), (&program, "MZ"), (&up, "root")]));
        let names: Vec<(&str, &str)> = kept.iter().map(|it| (it.name.as_str(), it.media_type)).collect();
        assert_eq!(
            names,
            [
                ("plan.pdf", "application/pdf"),
                ("passwd.txt", "text/plain; charset=utf-8")
            ]
        );
        assert_eq!(left_out.len(), 1);
        assert!(left_out[0].starts_with("run.exe: "), "{left_out:?}");
    }

    #[test]
    fn a_letter_brings_no_more_than_its_share() {
        let heads: Vec<String> = (0..14).map(|number| attached(&format!("{number}.txt"))).collect();
        let parts: Vec<(&str, &str)> = heads.iter().map(|head| (head.as_str(), "text")).collect();
        let (kept, left_out) = files(&letter(&parts));
        assert_eq!((kept.len(), left_out.len()), (MOST_FILES, 4));
    }

    #[test]
    fn a_picture_inside_the_text_is_no_file() {
        let logo = "Content-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo>\r\nContent-Disposition: inline; filename=\"logo.png\"";
        let (kept, left_out) = files(&letter(&[(logo, "png")]));
        assert!(kept.is_empty() && left_out.is_empty(), "{kept:?} {left_out:?}");
    }
}
