//! Records the writes of an import in events of a size that the log accepts.

use model::change::change_file::EventDraft;
use serde_json::{Map, Value, json};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Versioned, Written};

/// The most records in one event.
const CHUNK: usize = 100;

/// Records that were written, and whose event is not written yet.
#[derive(Default)]
pub(super) struct Pending {
    written: Written,
    first: Option<(&'static str, String)>,
    count: usize,
}

impl Pending {
    pub(super) fn put<R: Versioned>(&mut self, cx: &mut Context<'_, '_>, record: R) -> Result<R> {
        let saved = cx.put(&mut self.written, record)?;
        self.first.get_or_insert_with(|| (R::TABLE, saved.id().to_owned()));
        self.count += 1;
        if self.count >= CHUNK {
            self.tell(cx)?;
        }
        Ok(saved)
    }

    pub(super) fn tell(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let Some(subject) = self.first.take() else {
            return Ok(());
        };
        let written = std::mem::take(&mut self.written);
        let data = match json!({"count": self.count}) {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        self.count = 0;
        let event = EventDraft {
            kind: "directory.imported",
            subject,
            occurred_at: cx.now,
            data,
        };
        cx.emit(vec![event], written)
    }
}
