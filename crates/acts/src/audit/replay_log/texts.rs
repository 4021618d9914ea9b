//! The stored texts by themselves: each opens its commitment, even when no record contains it any more, and the named
//! event brought that commitment.

use proof::commitment::{SALT_BYTES, commit};
use store::audit::salts::SaltedText;
use store::audit::{event, salts};

use super::Replay;
use crate::core::context::Context;
use crate::core::error::Result;

/// How many texts are read at once.
const PAGE: i64 = 500;

impl Replay<'_> {
    /// Checks every stored text.
    pub(super) fn check_texts(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let mut last = None;
        loop {
            let page = salts::page(cx.tx, last.as_ref(), PAGE)?;
            for kept in &page {
                let texts = match &kept.texts {
                    Ok(texts) => texts.as_slice(),
                    Err(why) => {
                        self.past_damage(cx, ("text_salt", &kept.event_id), Err(why.clone().into()))?;
                        &[]
                    }
                };
                for text in texts {
                    let done = self.check_text(cx, text);
                    self.past_damage(cx, ("text_salt", &text.commitment), done)?;
                }
            }
            last = page.into_iter().last();
            if last.is_none() {
                return Ok(());
            }
        }
    }

    fn check_text(&mut self, cx: &mut Context<'_, '_>, text: &SaltedText) -> Result<()> {
        let salt = <[u8; SALT_BYTES]>::try_from(text.salt.as_slice());
        let opens = salt.is_ok_and(|salt| commit(&salt, &text.text) == text.commitment);
        if !opens {
            let what = "The kept text or its salt was changed.";
            self.find("text_salt", &text.commitment, None, what);
        }
        if !brings(cx, &text.event_id, &text.commitment)? {
            let what = "The kept text names an event that did not bring it.";
            self.find("text_salt", &text.commitment, Some("event_id"), what);
        }
        Ok(())
    }
}

/// Whether an event contains a commitment, in its leaf or beside it.
fn brings(cx: &mut Context<'_, '_>, id: &str, commitment: &str) -> Result<bool> {
    let Some(event) = event::load(cx.tx, id)? else {
        return Ok(false);
    };
    let holds = |bytes: &[u8]| {
        bytes
            .windows(commitment.len())
            .any(|part| part == commitment.as_bytes())
    };
    if holds(&event.bytes) {
        return Ok(true);
    }
    Ok(event::payloads(cx.tx, id)?.iter().any(|(_, bytes)| holds(bytes)))
}
