//! The few members of a log's entry that verifying a log looks at, read in the same pass that holds the entry against the
//! canonical form.

use crate::canonical::{Scan, Written};
use std::borrow::Cow;

/// The parts of an entry that are checked, except the records. Texts are the bytes of UTF-8, which was checked before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub v: u64,
    pub tenant: Cow<'a, [u8]>,
    pub records_digest: Option<Cow<'a, [u8]>>,
}

/// The record and version that an entry made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DeltaHead<'a> {
    pub table: Cow<'a, [u8]>,
    pub id: Cow<'a, [u8]>,
    pub version: u64,
}

/// Why bytes have no head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// They are no canonical JSON of the right outer form.
    Form,
    /// This member is missing or of another type.
    Member(&'static str),
}

/// Members that were found to be missing or of another type; the first one is reported.
type Wrong = Option<&'static str>;

impl<'a> Head<'a> {
    /// Reads an entry: an object. Its records are put behind those that were `found` already, so that one piece of memory
    /// serves many entries. Records of an entry without a valid head mean nothing.
    pub(crate) fn read(entry: &'a [u8], found: &mut Vec<DeltaHead<'a>>) -> Result<Self, Unread> {
        let mut head = Self::default();
        let (mut wrong, mut has_version, mut has_tenant) = (None, false, false);
        let read = Scan::read(entry, |scan| {
            scan.object(0, |scan, depth, name| match name.bytes {
                b"v" => number(scan, depth, &mut head.v, "v", &mut wrong).map(|()| has_version = true),
                b"tenant" => text(scan, depth, &mut head.tenant, "tenant", &mut wrong).map(|()| has_tenant = true),
                b"records" => records(scan, depth, found, &mut wrong),
                b"records_digest" => {
                    let mut digest = Cow::default();
                    text(scan, depth, &mut digest, "records_digest", &mut wrong)?;
                    head.records_digest = Some(digest);
                    Some(())
                }
                _ => scan.value(depth),
            })
        });
        read.ok_or(Unread::Form)?;
        let missing = [("v", has_version), ("tenant", has_tenant)];
        let missing = missing.into_iter().find(|(_, has)| !has).map(|(name, _)| name);
        match wrong.or(missing) {
            None => Ok(head),
            Some(name) => Err(Unread::Member(name)),
        }
    }
}

impl<'a> DeltaHead<'a> {
    /// Reads the payload beside an entry: an array of deltas.
    pub(crate) fn read_all(payload: &'a [u8]) -> Result<Vec<Self>, Unread> {
        let (mut found, mut wrong) = (Vec::new(), None);
        let read = Scan::read(payload, |scan| records(scan, 0, &mut found, &mut wrong));
        read.ok_or(Unread::Form)?;
        wrong.map_or(Ok(found), |name| Err(Unread::Member(name)))
    }
}

fn records<'a>(scan: &mut Scan<'a>, depth: usize, found: &mut Vec<DeltaHead<'a>>, wrong: &mut Wrong) -> Option<()> {
    if scan.next() != Some(b'[') {
        wrong.get_or_insert("records");
        return scan.value(depth);
    }
    scan.array(depth, |scan, depth| {
        if scan.next() != Some(b'{') {
            wrong.get_or_insert("records");
            return scan.value(depth);
        }
        let mut delta = DeltaHead::default();
        let mut members = 0;
        scan.object(depth, |scan, depth, name| match name.bytes {
            b"table" => text(scan, depth, &mut delta.table, "records", wrong).map(|()| members += 1),
            b"id" => text(scan, depth, &mut delta.id, "records", wrong).map(|()| members += 1),
            b"version" => number(scan, depth, &mut delta.version, "records", wrong).map(|()| members += 1),
            _ => scan.value(depth),
        })?;
        // A name occurs at most once, so three of them are all.
        if members < 3 {
            wrong.get_or_insert("records");
        }
        found.push(delta);
        Some(())
    })
}

fn number(scan: &mut Scan<'_>, depth: usize, into: &mut u64, name: &'static str, wrong: &mut Wrong) -> Option<()> {
    if !matches!(scan.next(), Some(b'-' | b'0'..=b'9')) {
        wrong.get_or_insert(name);
        return scan.value(depth);
    }
    match u64::try_from(scan.integer()?) {
        Ok(number) => *into = number,
        Err(_) => *wrong = wrong.or(Some(name)),
    }
    Some(())
}

fn text<'a>(
    scan: &mut Scan<'a>,
    depth: usize,
    into: &mut Cow<'a, [u8]>,
    name: &'static str,
    wrong: &mut Wrong,
) -> Option<()> {
    if scan.next() != Some(b'"') {
        wrong.get_or_insert(name);
        return scan.value(depth);
    }
    *into = Written::plain(scan.string()?)?;
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_members_that_count_are_read_and_others_passed_over() {
        let entry = r#"{"data":{"v":7},"records":[{"id":"c\n1","ops":[{"id":"x"}],"table":"change","version":2}],"tenant":"acmé","v":1}"#;
        let delta = DeltaHead {
            table: Cow::Borrowed(b"change"),
            id: Cow::Borrowed(b"c\n1"),
            version: 2,
        };
        let head = Head {
            v: 1,
            tenant: Cow::Borrowed("acmé".as_bytes()),
            records_digest: None,
        };
        let mut found = vec![DeltaHead::default()];
        assert_eq!(Head::read(entry.as_bytes(), &mut found), Ok(head));
        assert_eq!(found, [DeltaHead::default(), delta]);
        let head = Head::read(br#"{"records_digest":"sha256:0","tenant":"a","v":1}"#, &mut found).unwrap();
        assert_eq!(head.records_digest.as_deref(), Some(&b"sha256:0"[..]));
        assert_eq!(found.len(), 2);
        let deltas = DeltaHead::read_all(br#"[{"id":"1","table":"t","version":1}]"#).unwrap();
        assert_eq!((deltas.len(), deltas[0].version), (1, 1));
    }

    #[test]
    fn members_that_are_missing_or_of_another_type_are_named() {
        let cases = [
            (r#"{"tenant":"a"}"#, "v"),
            (r#"{"v":1}"#, "tenant"),
            (r#"{"tenant":1,"v":1}"#, "tenant"),
            (r#"{"tenant":"a","v":"1"}"#, "v"),
            (r#"{"tenant":"a","v":-1}"#, "v"),
            (r#"{"records":{},"tenant":"a","v":1}"#, "records"),
            (r#"{"records":[1],"tenant":"a","v":1}"#, "records"),
            (r#"{"records":[{"id":"1","table":"t"}],"tenant":"a","v":1}"#, "records"),
            (
                r#"{"records":[{"id":1,"table":"t","version":1}],"tenant":"a","v":1}"#,
                "records",
            ),
            (r#"{"records_digest":[],"tenant":"a","v":1}"#, "records_digest"),
        ];
        for (entry, member) in cases {
            let read = Head::read(entry.as_bytes(), &mut Vec::new());
            assert_eq!(read, Err(Unread::Member(member)), "{entry}");
        }
        for entry in [
            "[]",
            r#"{"v":1,"tenant":"a"}"#,
            r#"{"tenant":"a", "v":1}"#,
            r#"{"tenant":"a","v":1}x"#,
            "",
        ] {
            let read = Head::read(entry.as_bytes(), &mut Vec::new());
            assert_eq!(read, Err(Unread::Form), "{entry}");
        }
    }
}
