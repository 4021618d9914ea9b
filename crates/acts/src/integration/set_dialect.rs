//! Dialects: each is switched on once.

use model::core::enums::DialectName;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::integration::dialect::{Dialect, DialectInput};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

impl PlainNoun for Dialect {
    type Input = DialectInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("active", true);
        Ok(record::bodies::<Self>(cx.tx, &filter.order_by("name").order_by("id"))?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: DialectInput, mut reading: Reading<'_>) -> Result<Self> {
        if reading.errors.is_empty() && is_enabled(cx, input.name)? {
            let text = format!("The dialect `{}` is already enabled.", input.name);
            reading.wrong("name", "not_unique", text);
        }
        reading.finish()?;
        let dialect = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            name: input.name,
            active: true,
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        cx.put_estate("dialect.enabled", dialect, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("dialect.disabled", ended, json!({}))
    }
}

/// Whether a dialect is enabled in this tenant.
///
/// # Errors
/// The store's.
pub fn is_enabled(cx: &mut Context<'_, '_>, name: DialectName) -> Result<bool> {
    Ok(Dialect::listed(cx)?.iter().any(|dialect| dialect.name == name))
}
