//! The users of services by hour of the week.

use jiff::tz::TimeZone;
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::Reading;
use model::schedule::calendar::zone;
use model::schedule::traffic::{MOST, Traffic, TrafficInput, read_profile};
use model::schedule::traffic_answer;
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

impl PlainNoun for Traffic {
    type Input = TrafficInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(cx.directory()?.traffic.values().cloned().collect())
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        Ok(cx.directory()?.traffic.get(&ServiceKey::from(key)).cloned())
    }

    fn key(&self) -> &str {
        self.service.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    /// Replaces the table that a service has.
    fn add(cx: &mut Context<'_, '_>, input: TrafficInput, mut reading: Reading<'_>) -> Result<Self> {
        if !input.zone.is_empty() && zone(&input.zone).is_none() {
            let text = format!("`{}` is not an IANA time zone such as Europe/Oslo.", input.zone);
            reading.wrong("zone", "unknown", text);
        }
        let (profile, source) = table_of(&mut reading, input.profile, (&input.zone, input.source));
        if !profile.is_empty()
            && let Err(text) = read_profile(&profile)
        {
            reading.wrong("profile", "not_a_table", text);
        }
        reading.finish()?;
        // A record that was taken out of use is used again.
        let old = Filter::new().equals("service", input.service.as_str()).order_by("id");
        let old = record::bodies::<Self>(cx.tx, &old)?.into_iter().next();
        let traffic = Self {
            id: match &old {
                Some(old) => old.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: old.map_or(0, |old| old.version),
            service: input.service,
            zone: input.zone,
            profile,
            source,
            active: true,
        };
        cx.put_estate("traffic.set", traffic, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("traffic.ended", ended, json!({}))
    }
}

/// The table in a request, and its source: a response of Prometheus is converted, and stored as a table.
fn table_of(
    reading: &mut Reading<'_>,
    profile: String,
    (name, source): (&str, Option<String>),
) -> (String, Option<String>) {
    if !traffic_answer::is_response(&profile) {
        if profile.chars().count() > MOST {
            let text = format!("A table has at most {MOST} characters.");
            reading.wrong("profile", "too_long", text);
        }
        return (profile, source);
    }
    let source = source.or_else(|| Some("Prometheus".to_owned()));
    match traffic_answer::table_of(&profile, &zone(name).unwrap_or(TimeZone::UTC)) {
        Ok(table) => (table, source),
        Err(text) => {
            reading.wrong("profile", "not_an_answer", text);
            (String::new(), source)
        }
    }
}
