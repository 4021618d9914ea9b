//! The tenant's addresses for incoming mail: the connection that takes the letters, and the signed part that names the
//! recipient or subject of an address.

use model::change::change_file::Actor;
use model::core::ids::PersonId;
use model::directory::snapshot::Connection;
use store::record::{self, Filter};
use totp_rs::Secret;
use uuid::Uuid;

use crate::core::context::Context;
use crate::core::error::Result;

/// The kind of connection that forwards replies.
pub const KIND: &str = "mail";
/// How many bytes of the tag an address contains: 120 bits.
const TAG_BYTES: usize = 15;
/// How many characters an id takes in base32, and the tag after it.
const ID_LETTERS: usize = 26;
const TAG_LETTERS: usize = 24;
/// The longest part before `@` (RFC 5321 section 4.5.3.1.1), without `+` and the signed part.
pub(crate) const LOCAL_MAX: usize = 64 - 1 - ID_LETTERS - TAG_LETTERS;
/// How many connections of the kind are examined.
const MOST: i64 = 20;

/// The tenant's connection for replies: the first active one.
pub(crate) fn replies(cx: &mut Context<'_, '_>) -> Result<Option<Connection>> {
    let filter = Filter::new().equals("kind", KIND).order_by("name").limit(MOST);
    let found = record::find::<Connection>(cx.tx, &filter)?;
    Ok(found.into_iter().map(|stored| stored.record).find(|it| it.active))
}

pub(crate) fn letters(bytes: &[u8]) -> String {
    Secret::from(bytes).to_base32().trim_end_matches('=').to_lowercase()
}

/// A tag over parts of which none holds a zero.
pub(crate) fn tag_of(secret: &[u8], parts: &[&str]) -> String {
    let tag = proof::crypto::hmac_sha256(secret, parts.join("\0").as_bytes());
    letters(&tag[..TAG_BYTES])
}

/// The id that the signed part of an address names, and the tag beside it.
pub(crate) fn id_and_tag(token: &str) -> Option<(String, &str)> {
    Some((id_of(token)?, token.get(ID_LETTERS..)?))
}

/// The id that the signed part of an address names.
fn id_of(token: &str) -> Option<String> {
    let bytes = Secret::try_from_base32(token.get(..ID_LETTERS)?.to_uppercase()).ok()?;
    Some(Uuid::from_slice(bytes.as_bytes()).ok()?.to_string())
}

/// A person who acts by a letter: with their rights, and without a factor, so that a letter can decide nothing.
pub(crate) fn writer_of(person: &PersonId) -> Actor {
    Actor {
        person: person.clone(),
        by_token: false,
        stepped_up_at: None,
        factor: None,
        is_system: false,
        method: KIND.to_owned(),
        lent: None,
        via: None,
    }
}
