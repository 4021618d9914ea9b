//! Time-stamping authorities of the tenant.

use model::audit::time_authority::{EVERY_HOURS, MOST, MOST_HOURS, TimeAuthority, TimeAuthorityInput};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use proof::time_stamp::Anchors;
use serde_json::{Value, json};
use store::audit::time_stamp;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use};
use crate::integration::set_webhook::check_address;

impl PlainNoun for TimeAuthority {
    type Input = TimeAuthorityInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: TimeAuthorityInput, mut reading: Reading<'_>) -> Result<Self> {
        let certificates = check(cx, &input, &mut reading)?;
        reading.finish()?;
        let authority = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            url: input.url,
            certificates,
            every_hours: input.every_hours.unwrap_or(EVERY_HOURS),
            active: true,
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        cx.put_estate("time_authority.added", authority, json!({}))
    }

    /// The authority's time stamps stay, and so do its certificates.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("time_authority.ended", ended, json!({}))
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        for (record, value) in records.iter().zip(values) {
            let signer = Anchors::parse(&record.certificates).map(|it| it.subject());
            value["signer"] = json!(signer.unwrap_or_default());
            if let Some(newest) = time_stamp::newest(cx.tx, record.id.as_str())? {
                let at = jiff::Timestamp::from_second(newest.time).ok();
                value["stamped"] = json!({"size": newest.size, "at": at});
            }
        }
        Ok(())
    }
}

/// Checks an input; returns its certificates without the text around them, as the log shows them in clear.
fn check(cx: &mut Context<'_, '_>, input: &TimeAuthorityInput, reading: &mut Reading<'_>) -> Result<String> {
    check_address(reading, &input.url, &cx.services.tools().reaches);
    let known = in_use::<TimeAuthority>(cx)?;
    if known.len() >= MOST {
        let text = format!("A tenant has at most {MOST} time-stamping authorities.");
        reading.wrong("url", "too_many", text);
    }
    if !input.url.is_empty() && known.iter().any(|it| it.url == input.url) {
        reading.wrong("url", "not_unique", "This time-stamping authority is already in use.");
    }
    let certificates = match Anchors::parse(&input.certificates) {
        Ok(anchors) => anchors.to_pem(),
        // A missing value was reported already.
        Err(_) if input.certificates.is_empty() => String::new(),
        Err(why) => {
            let text = format!("`certificates` holds no certificates in PEM: {why}.");
            reading.wrong("certificates", "not_certificates", text);
            String::new()
        }
    };
    if input
        .every_hours
        .is_some_and(|hours| !(1..=MOST_HOURS).contains(&hours))
    {
        let text = format!("`every_hours` is a number from 1 to {MOST_HOURS}.");
        reading.wrong("every_hours", "out_of_range", text);
    }
    Ok(certificates)
}
