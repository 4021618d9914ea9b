//! Fields that several requests read alike: a scope, a span of time, a merge patch on a record.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::change::read_content;
use model::core::body::Body;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use serde::Serialize;
use serde_json::Value;

use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// Reads the scope of a freeze or window: services and environments that exist.
///
/// # Errors
/// Never; wrong names are noted in the reading.
pub(crate) fn read_scope(
    reading: &mut Reading<'_>,
    directory: &Directory,
) -> (BTreeSet<ServiceKey>, BTreeSet<EnvironmentKey>) {
    let mut services = BTreeSet::new();
    for (place, key) in reading
        .texts("services", LINE)
        .unwrap_or_default()
        .into_iter()
        .map(ServiceKey)
        .enumerate()
    {
        if !directory.services.contains_key(&key) {
            reading.wrong(
                &format!("services[{place}]"),
                "unknown",
                unknown_name::service(directory, key.as_str()),
            );
        }
        services.insert(key);
    }
    let mut environments = BTreeSet::new();
    for (place, key) in reading
        .texts("environments", LINE)
        .unwrap_or_default()
        .into_iter()
        .map(EnvironmentKey)
        .enumerate()
    {
        if !directory.environments.contains_key(&key) {
            reading.wrong(
                &format!("environments[{place}]"),
                "unknown",
                unknown_name::environment(directory, key.as_str()),
            );
        }
        environments.insert(key);
    }
    (services, environments)
}

/// Reads a span of time that ends after its start.
pub(crate) fn read_span(reading: &mut Reading<'_>, otherwise: Timestamp) -> (Timestamp, Timestamp) {
    let start = reading.needed_time("starts_at");
    let end = reading.needed_time("ends_at");
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        reading.wrong("ends_at", "out_of_order", "`ends_at` must lie after `starts_at`.");
    }
    (start.unwrap_or(otherwise), end.unwrap_or(otherwise))
}

/// The services to which somebody or a token is scoped.
pub(crate) fn scoped_to(reading: &mut Reading<'_>, directory: &Directory) -> Option<BTreeSet<ServiceKey>> {
    let keys = reading.texts("services", LINE)?;
    for (place, key) in keys.iter().enumerate() {
        if !directory.services.contains_key(&ServiceKey::from(key.as_str())) {
            let text = format!("There is no service `{key}`.");
            reading.wrong(&format!("services[{place}]"), "unknown", text);
        }
    }
    Some(keys.into_iter().map(ServiceKey).collect())
}

/// How far in the past a start may be that was meant as now: clocks differ, and people enter whole minutes.
const MEANT_AS_NOW: SignedDuration = SignedDuration::from_mins(5);

/// Reads two times of a record that does not begin before it is recorded. A start slightly in the past becomes now. An
/// earlier start is allowed only as a correction (`correction`), which counts from now on. A record that has `begun`
/// may continue.
pub(crate) fn read_recorded_span(
    reading: &mut Reading<'_>,
    cx: &Context<'_, '_>,
    begun: Option<Timestamp>,
) -> (Timestamp, Timestamp, Option<Timestamp>) {
    let (starts_at, ends_at) = read_span(reading, cx.now);
    // The system's own records are never late entries.
    let now = if cx.actor.is_system { Timestamp::MIN } else { cx.now };
    let (starts_at, corrected_at) = read_start(reading, "starts_at", starts_at, (now, begun));
    (starts_at, ends_at, corrected_at)
}

/// The same for a record that gives nobody a right, such as a freeze: a late entry is marked as a correction
/// automatically.
pub(crate) fn read_marked_span(
    reading: &mut Reading<'_>,
    cx: &Context<'_, '_>,
    begun: Option<Timestamp>,
) -> (Timestamp, Timestamp, Option<Timestamp>) {
    let (starts_at, ends_at) = read_span(reading, cx.now);
    let _is_said = reading.boolean("correction");
    let is_late = starts_at < cx.now && begun != Some(starts_at) && !cx.actor.is_system;
    (starts_at, ends_at, is_late.then_some(cx.now))
}

/// The start itself, and when it was recorded if it is a correction.
fn read_start(
    reading: &mut Reading<'_>,
    field: &str,
    starts_at: Timestamp,
    (now, begun): (Timestamp, Option<Timestamp>),
) -> (Timestamp, Option<Timestamp>) {
    let is_correction = reading.boolean("correction").unwrap_or_default();
    if starts_at >= now || begun == Some(starts_at) {
        return (starts_at, None);
    }
    if is_correction {
        return (starts_at, Some(now));
    }
    refuse_late(reading, field, starts_at, now);
    (now, None)
}

/// Refuses a start in the past, unless the request is marked as a correction.
pub(crate) fn check_start(reading: &mut Reading<'_>, field: &str, starts_at: Timestamp, now: Timestamp, body: &Body) {
    if body.get("correction").and_then(Value::as_bool) != Some(true) {
        refuse_late(reading, field, starts_at, now);
    }
}

fn refuse_late(reading: &mut Reading<'_>, field: &str, starts_at: Timestamp, now: Timestamp) {
    if now.duration_since(starts_at) > MEANT_AS_NOW {
        let text = format!(
            "`{field}` is in the past: a record cannot take effect before it is recorded. To record a correction, send \
             `correction: true`; it applies from now on and does not affect earlier decisions."
        );
        reading.wrong(field, "in_the_past", text);
    }
}

/// Refuses a span that is in the past already. If the end could not be read, only that error is reported, because the
/// span is unknown.
pub(crate) fn check_ahead(reading: &mut Reading<'_>, ends_at: Timestamp, now: Timestamp, text: &str) {
    let is_told = reading.errors.iter().any(|error| error.field == "ends_at");
    if ends_at <= now && !is_told {
        reading.wrong("ends_at", "in_the_past", text);
    }
}

/// A record's own input fields with the merge patch applied. Fields that the server maintains (exceptions, whether the
/// record ended) are not among them, so a patch that names one is refused like an unknown field.
pub(crate) fn patched<T: Serialize>(before: &T, fields: &[&str], body: &Body) -> Result<Body> {
    let Value::Object(all) = serde_json::to_value(before)? else {
        return Err(Error::Fault("a record is no object".to_owned()));
    };
    let mut map: Body = all
        .into_iter()
        .filter(|(field, _)| fields.contains(&field.as_str()))
        .collect();
    read_content::merge(&mut map, body);
    read_content::name_cleared(&mut map, body);
    Ok(map)
}
