//! Announcements of change managers.

use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::notify::announcement::{Announcement, AnnouncementInput, MOST, check_times};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

impl PlainNoun for Announcement {
    type Input = AnnouncementInput;

    /// The current or future announcements.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("active", true).more("ends_at", cx.now);
        Ok(record::bodies::<Self>(
            cx.tx,
            &filter.order_by("ends_at").order_by("id"),
        )?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: AnnouncementInput, mut reading: Reading<'_>) -> Result<Self> {
        check_times(&mut reading, &input, cx.now);
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST {
            let text = format!("{MOST} announcements are current or upcoming, which is the limit.");
            let satisfy = "Withdraw one, or wait until one has ended.";
            return Err(Refusal::not_now("too_many", text, satisfy, Vec::new()).into());
        }
        let announcement = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            title: input.title,
            text: input.text,
            services: input.services,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            active: true,
            by: cx.actor.person.clone(),
        };
        cx.put_estate("announcement.added", announcement, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: AnnouncementInput, mut reading: Reading<'_>) -> Result<Self> {
        check_times(&mut reading, &input, cx.now);
        reading.finish()?;
        let edited = Self {
            title: input.title,
            text: input.text,
            services: input.services,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            ..self
        };
        cx.put_estate("announcement.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("announcement.ended", ended, json!({}))
    }
}
