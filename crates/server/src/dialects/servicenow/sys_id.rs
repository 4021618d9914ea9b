//! Ids as ServiceNow has them, 32 hexadecimal digits, made from keys here and read back without a table.
//!
//! A key of at most 16 characters is written as its bytes, padded with zeros. A longer key is a digest, marked by its first
//! byte, and is looked up among all records of its table. The id of a change's part consists of the change's key and a digest
//! of the rest.

use proof::crypto::digest_text;

/// The bytes of an id.
const BYTES: usize = 16;
/// The first byte of the id of a task of a change.
const TASK: u8 = 1;
/// The first byte of the id of an approval of a change.
const APPROVAL: u8 = 2;
/// The first byte of the id of a longer key.
const LONG: u8 = 3;
/// The first byte of the id of a file of a change.
const ATTACHMENT: u8 = 4;
/// How the key of a change begins.
const CHANGE: &str = "CHG-";
/// The digits of the change's number in the id of one of its parts: 40 bits.
const NUMBER: std::ops::Range<usize> = 2..12;

/// A kind of record that belongs to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Task,
    Approval,
    Attachment,
}

/// The record that an id names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A record with this key.
    Key(String),
    /// A record with a longer key, with this id.
    Long,
    /// A part of the change with this key.
    Part(Part, String),
}

/// The id of a record with this key.
pub(super) fn of_key(key: &str) -> String {
    if !is_short(key) {
        return format!("{LONG:02x}{}", digits(key.as_bytes(), 30));
    }
    let mut bytes = [0_u8; BYTES];
    for (place, byte) in bytes.iter_mut().zip(key.bytes()) {
        *place = byte;
    }
    hex::encode(bytes)
}

/// The id of a part of a change; `identity` distinguishes it from the other parts.
pub(super) fn of_part(part: Part, change: &str, identity: &str) -> String {
    let number: u64 = change
        .strip_prefix(CHANGE)
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    let tag = match part {
        Part::Task => TASK,
        Part::Approval => APPROVAL,
        Part::Attachment => ATTACHMENT,
    };
    let rest = digits(format!("{change}\n{identity}").as_bytes(), 20);
    format!("{tag:02x}{number:010x}{rest}")
}

/// The record that an id names; `None` for an invalid id.
pub(super) fn read(id: &str) -> Option<Named> {
    if id.len() != 2 * BYTES || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let id = id.to_ascii_lowercase();
    let byte = |place: usize| u8::from_str_radix(&id[2 * place..2 * place + 2], 16).unwrap_or_default();
    let of_change = |part| {
        let number = u64::from_str_radix(&id[NUMBER], 16).ok()?;
        Some(Named::Part(part, format!("{CHANGE}{number}")))
    };
    match byte(0) {
        TASK => return of_change(Part::Task),
        APPROVAL => return of_change(Part::Approval),
        ATTACHMENT => return of_change(Part::Attachment),
        LONG => return Some(Named::Long),
        _ => {}
    }
    let bytes: Vec<u8> = (0..BYTES).map(byte).take_while(|byte| *byte != 0).collect();
    let key = String::from_utf8(bytes).ok()?;
    (is_short(&key) && of_key(&key) == id).then_some(Named::Key(key))
}

fn is_short(key: &str) -> bool {
    (1..=BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The first digits of a digest.
fn digits(bytes: &[u8], count: usize) -> String {
    let text = digest_text(bytes);
    text.trim_start_matches("sha256:").chars().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_is_read_back_from_its_id() {
        for key in ["CHG-1042", "INC-12", "booking-api", "sixteen-letters-", "x"] {
            let id = of_key(key);
            assert_eq!(id.len(), 32, "{id}");
            assert_eq!(read(&id), Some(Named::Key(key.to_owned())));
        }
    }

    #[test]
    fn a_long_key_is_marked_and_two_differ() {
        let (one, two) = (of_key("ada.lovelace@example.org"), of_key("ada.lovelace@example.com"));
        assert_eq!(read(&one), Some(Named::Long));
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
    }

    #[test]
    fn a_part_names_its_change_and_each_identity_has_its_own() {
        let one = of_part(Part::Approval, "CHG-1042", "ada\nsha256:1");
        let edited = of_part(Part::Approval, "CHG-1042", "ada\nsha256:2");
        assert_eq!(read(&one), Some(Named::Part(Part::Approval, "CHG-1042".to_owned())));
        assert_ne!(one, edited);
        let task = of_part(Part::Task, "CHG-7", "t");
        assert_eq!(read(&task), Some(Named::Part(Part::Task, "CHG-7".to_owned())));
    }

    #[test]
    fn what_is_no_id_names_nothing() {
        for text in [
            "",
            "CHG-1042",
            "zz",
            "4348472d313034320000000000000001",
            "ff000000000000000000000000000000",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
