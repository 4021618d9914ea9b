//! Emergency cards and the record of their uses, for the time in which no server can be reached. A card is a compact JWS that two
//! people signed for beforehand; a record is a text of JSON lines, each of which names the digest of the line before.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crypto::{SigningKey, digest_text};
use crate::jwks::Jwks;
use crate::jws::{self, Refused};
use crate::permit::SKEW_SECONDS;
use crate::revocation::RevocationList;
use crate::{Error, Result, canonical};

/// The `typ` of a card's header.
pub const TYPE: &str = "assent-emergency-card+jwt";
/// The largest card: it still fits into one QR code of medium correction (version 40, 2,331 bytes).
pub const MAX_CARD_BYTES: usize = 2_300;
/// The most services of a card.
pub const MOST_SERVICES: usize = 12;
/// The most uses of a card.
pub const MOST_USES: i64 = 20;
/// The largest record that is read.
pub const MAX_RECORD_BYTES: usize = 512 * 1024;
/// The most lines of a record.
pub const MOST_LINES: usize = 500;
/// The longest text of a line, in bytes.
const MOST_TEXT: usize = 2_500;

/// The claims of a card. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The card's own id.
    pub jti: String,
    /// The tenant.
    pub tenant: String,
    /// Signed at.
    pub iat: i64,
    /// Not valid before.
    pub nbf: i64,
    /// Not valid from here on.
    pub exp: i64,
    /// The services.
    pub services: Vec<String>,
    /// The environment.
    pub environment: String,
    /// The number of allowed uses.
    pub uses: i64,
    /// The logins of the two signers.
    pub signers: Vec<String>,
}

/// The intended act.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The service's key.
    pub service: &'a str,
    /// The environment's key.
    pub environment: &'a str,
    /// Now, in seconds since 1970.
    pub now: i64,
    /// The number of earlier uses, as far as known here.
    pub used: i64,
}

/// Signs a card.
///
/// # Errors
/// [`Error::TooLarge`] for one that does not fit into a QR code; [`Error::Canonical`] for numbers that JSON cannot carry.
pub fn sign(card: &Card, key: &SigningKey) -> Result<String> {
    let payload = serde_json::to_value(card).map_err(|error| Error::malformed("card", error.to_string()))?;
    let token = jws::sign(TYPE, &payload, key)?;
    match token.len() > MAX_CARD_BYTES {
        true => Err(Error::TooLarge {
            what: "card",
            size: token.len() as u64,
            limit: MAX_CARD_BYTES as u64,
        }),
        false => Ok(token),
    }
}

/// Opens a card: checks its signature and its tenant, but none of its limits.
///
/// # Errors
/// [`Refused`] with a code of [`jws::open`], `malformed` or `wrong_tenant`.
pub fn open(token: &str, keys: &Jwks) -> std::result::Result<Card, Refused> {
    let payload = jws::open(token.trim(), TYPE, keys, MAX_CARD_BYTES)?;
    let card: Card = serde_json::from_slice(&payload)
        .map_err(|error| Refused::bad("malformed", format!("The card's claims are malformed: {error}.")))?;
    if card.tenant != keys.tenant {
        return Err(Refused::bad(
            "wrong_tenant",
            "The card is of another tenant than the key set.",
        ));
    }
    Ok(card)
}

/// The refusal of a person without a card.
#[must_use]
pub fn no_card() -> Refused {
    Refused::bad("no_card", "Nothing allows this: there is no card. It is recorded.")
}

/// Whether an opened card allows something, without a network.
///
/// # Errors
/// [`Refused`] with `outside_scope`, `not_yet_valid`, `expired`, `used_up` or `revoked`.
pub fn check(card: &Card, list: Option<&RevocationList>, wanted: &Wanted<'_>) -> std::result::Result<(), Refused> {
    let is_there = card.services.iter().any(|it| it == wanted.service) && card.environment == wanted.environment;
    if !is_there {
        let text = format!(
            "The card is for {} in {}, not for {} in {}.",
            card.services.join(", "),
            card.environment,
            wanted.service,
            wanted.environment
        );
        return Err(Refused::bad("outside_scope", text));
    }
    if wanted.now < card.nbf - SKEW_SECONDS {
        return Err(Refused::bad("not_yet_valid", "The card is not valid yet."));
    }
    if wanted.now >= card.exp + SKEW_SECONDS {
        return Err(Refused::bad("expired", "The card has expired."));
    }
    if wanted.used >= card.uses {
        let text = format!(
            "The card was used {} times here, of {} that it allows.",
            wanted.used, card.uses
        );
        return Err(Refused::bad("used_up", text));
    }
    if list.is_some_and(|list| list.revoked.contains(&card.jti)) {
        return Err(Refused::bad("revoked", "The card was revoked."));
    }
    Ok(())
}

/// One line of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// A random name that the first line gave the record.
    pub record: String,
    /// Counts the lines from 1.
    pub number: i64,
    /// The digest of the line before; of the record's name in the first one.
    pub previous: String,
    /// The host that wrote it.
    pub host: String,
    /// When, by that host's clock, in seconds since 1970.
    pub at: i64,
    /// The card that was shown; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The service's key.
    pub service: String,
    /// The environment's key.
    pub environment: String,
    /// The artifact's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The person, as they named themselves: a login.
    pub by: String,
    /// The reason, as that person wrote it.
    pub reason: String,
    /// `good`, or the code of the refusal.
    pub code: String,
    /// The digest of the line without this field.
    #[serde(default)]
    pub digest: String,
}

impl Line {
    /// The digest that the line should have.
    ///
    /// # Errors
    /// [`Error::Canonical`] for numbers that JSON cannot carry.
    pub fn own_digest(&self) -> Result<String> {
        let mut value = serde_json::to_value(self).map_err(|error| Error::malformed("line", error.to_string()))?;
        if let Value::Object(map) = &mut value {
            map.remove("digest");
        }
        canonical::digest(&value)
    }

    /// The same line with its digest, as it is written.
    ///
    /// # Errors
    /// As [`Line::own_digest`].
    pub fn sealed(mut self) -> Result<Self> {
        self.digest = self.own_digest()?;
        Ok(self)
    }

    /// The digest that the first line of a record has as the one before.
    #[must_use]
    pub fn first_previous(record: &str) -> String {
        digest_text(record.as_bytes())
    }

    /// Whether it was allowed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.code == "good"
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its lines, in their order.
    pub lines: Vec<Line>,
    /// The first line, counted from 1, that does not follow the one before or was edited.
    pub broken_at: Option<usize>,
}

/// Reads a record. A line that does not follow is listed in the result; a text that is no record is an error.
///
/// # Errors
/// [`Error::TooLarge`] and [`Error::Malformed`], with the line.
pub fn read(text: &str) -> Result<Record> {
    let too_large = |what, size: usize, limit: usize| Error::TooLarge {
        what,
        size: size as u64,
        limit: limit as u64,
    };
    if text.len() > MAX_RECORD_BYTES {
        return Err(too_large("record", text.len(), MAX_RECORD_BYTES));
    }
    let mut record = Record::default();
    for (place, row) in text.lines().filter(|row| !row.trim().is_empty()).enumerate() {
        if place >= MOST_LINES {
            return Err(too_large("record in lines", place + 1, MOST_LINES));
        }
        let wrong = |why: String| Error::malformed("record", format!("line {}: {why}", place + 1));
        let line: Line = serde_json::from_str(row).map_err(|error| wrong(error.to_string()))?;
        check_lengths(&line).map_err(wrong)?;
        let follows = match record.lines.last() {
            None => line.number == 1 && line.previous == Line::first_previous(&line.record),
            Some(before) => {
                line.record == before.record && line.number == before.number + 1 && line.previous == before.digest
            }
        };
        if record.broken_at.is_none() && (!follows || line.own_digest()? != line.digest) {
            record.broken_at = Some(place + 1);
        }
        record.lines.push(line);
    }
    Ok(record)
}

fn check_lengths(line: &Line) -> std::result::Result<(), String> {
    let texts = [
        ("record", Some(&line.record)),
        ("previous", Some(&line.previous)),
        ("host", Some(&line.host)),
        ("card", line.card.as_ref()),
        ("service", Some(&line.service)),
        ("environment", Some(&line.environment)),
        ("artifact", line.artifact.as_ref()),
        ("commit", line.commit.as_ref()),
        ("by", Some(&line.by)),
        ("reason", Some(&line.reason)),
        ("code", Some(&line.code)),
        ("digest", Some(&line.digest)),
    ];
    for (name, text) in texts {
        if text.is_some_and(|text| text.len() > MOST_TEXT) {
            return Err(format!("`{name}` has more than {MOST_TEXT} bytes"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::jwks::Jwk;

    fn key() -> SigningKey {
        SigningKey::from_seed([7; 32]).unwrap()
    }

    fn keys(tenant: &str) -> Jwks {
        Jwks {
            tenant: tenant.to_owned(),
            keys: vec![Jwk::new(*key().public())],
        }
    }

    fn card() -> Card {
        Card {
            jti: "card".to_owned(),
            tenant: "halden".to_owned(),
            iat: 1_000,
            nbf: 1_000,
            exp: 9_000,
            services: vec!["booking-api".to_owned()],
            environment: "production".to_owned(),
            uses: 2,
            signers: vec!["marta".to_owned(), "olga".to_owned()],
        }
    }

    #[test]
    fn a_card_holds_within_its_limits_and_nowhere_else() {
        let token = sign(&card(), &key()).unwrap();
        let opened = open(&token, &keys("halden")).unwrap();
        assert_eq!(opened, card());
        assert_eq!(open(&token, &keys("other")).unwrap_err().code, "wrong_tenant");
        let mut edited = token.clone();
        edited.replace_range(60..61, if &token[60..61] == "A" { "B" } else { "A" });
        assert!(open(&edited, &keys("halden")).is_err());
        let wanted = Wanted {
            service: "booking-api",
            environment: "production",
            now: 2_000,
            used: 1,
        };
        assert!(check(&opened, None, &wanted).is_ok());
        let refused = |wanted: Wanted<'_>| check(&opened, None, &wanted).unwrap_err().code;
        assert_eq!(
            refused(Wanted {
                service: "label-print",
                ..wanted
            }),
            "outside_scope"
        );
        assert_eq!(
            refused(Wanted {
                environment: "staging",
                ..wanted
            }),
            "outside_scope"
        );
        assert_eq!(refused(Wanted { now: 900, ..wanted }), "not_yet_valid");
        assert_eq!(refused(Wanted { now: 9_060, ..wanted }), "expired");
        assert_eq!(refused(Wanted { used: 2, ..wanted }), "used_up");
        let list = RevocationList {
            tenant: None,
            epoch: 1,
            issued_at: 1,
            next_update: 2,
            revoked: vec!["card".to_owned()],
            not_before: Vec::new(),
        };
        assert_eq!(check(&opened, Some(&list), &wanted).unwrap_err().code, "revoked");
    }

    /// A record of three lines.
    fn lines() -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for number in 1..=3 {
            let previous = lines
                .last()
                .map_or_else(|| Line::first_previous("r"), |line| line.digest.clone());
            let line = Line {
                record: "r".to_owned(),
                number,
                previous,
                host: "h".to_owned(),
                at: 2_000 + number,
                card: None,
                service: "booking-api".to_owned(),
                environment: "production".to_owned(),
                artifact: None,
                commit: Some("abc".to_owned()),
                by: "ada".to_owned(),
                reason: "The rack burns.".to_owned(),
                code: "good".to_owned(),
                digest: String::new(),
            };
            lines.push(line.sealed().unwrap());
        }
        lines
    }

    fn text(lines: &[Line]) -> String {
        let rows: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
        rows.join("\n")
    }

    #[test]
    fn an_edited_or_cut_record_says_where() {
        let whole = lines();
        assert_eq!(read(&text(&whole)).unwrap().broken_at, None);
        let mut edited = whole.clone();
        edited[1].by = "ben".to_owned();
        assert_eq!(read(&text(&edited)).unwrap().broken_at, Some(2));
        // A new digest for a forged line breaks the next line.
        edited[1] = edited[1].clone().sealed().unwrap();
        assert_eq!(read(&text(&edited)).unwrap().broken_at, Some(3));
        assert_eq!(
            read(&text(&whole[1..])).unwrap().broken_at,
            Some(1),
            "its beginning is gone"
        );
        assert_eq!(
            read(&text(&[whole[0].clone(), whole[2].clone()])).unwrap().broken_at,
            Some(2)
        );
        assert!(read("{}").unwrap_err().to_string().contains("line 1"));
        let mut long = whole[0].clone();
        long.reason = "x".repeat(MOST_TEXT + 1);
        assert!(read(&text(&[long])).is_err());
    }
}
