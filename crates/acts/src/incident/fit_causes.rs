//! Fits how likely candidates led to incidents, from verdicts on earlier ones, and computes how far back the candidates of a
//! service are searched. A fit is written once, names its verdicts by a digest and is never changed. It is made when due, or on
//! request.

use model::core::enums::WindowOrigin;
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::Reading;
use model::directory::snapshot::Incident;
use model::incident::cause_fit::{CauseFit, Label, fit, labels, windows};
use model::incident::cause_model::{CauseModel, CauseModelInput, is_due};
use model::incident::cause_window::{self, CauseWindow, CauseWindowInput};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::incident::keep::keep;

/// The most fits that are listed.
const MOST_LISTED: i64 = 40;

/// How far back candidates of one service of an incident are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceWindow {
    /// The service.
    pub service: ServiceKey,
    /// How many hours.
    pub hours: i64,
    /// Where they come from.
    pub origin: WindowOrigin,
}

/// The fit in force, which is the newest, with its record.
///
/// # Errors
/// The store's.
pub(crate) fn in_force(cx: &mut Context<'_, '_>) -> Result<Option<(CauseModel, CauseFit)>> {
    let newest = Filter::new().descending_by("fitted_at").limit(1);
    let found = record::bodies::<CauseModel>(cx.tx, &newest)?.into_iter().next();
    Ok(found.and_then(|model| {
        let fit = model.fit()?;
        Some((model, fit))
    }))
}

/// How far back candidates of each service of an incident are looked for.
///
/// # Errors
/// The store's.
pub(crate) fn windows_of(
    cx: &mut Context<'_, '_>,
    incident: &Incident,
    fit: Option<&CauseFit>,
) -> Result<Vec<ServiceWindow>> {
    let keys: Vec<String> = incident.services.iter().map(|key| key.0.clone()).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let set = Filter::new()
        .equals("active", true)
        .one_of("service", keys)
        .order_by("id");
    let set = record::bodies::<CauseWindow>(cx.tx, &set)?;
    let window = |service: &ServiceKey| {
        let (hours, origin) = cause_window::hours_of(service.as_str(), &set, fit);
        ServiceWindow {
            service: service.clone(),
            hours,
            origin,
        }
    };
    Ok(incident.services.iter().map(window).collect())
}

fn verdicts(cx: &mut Context<'_, '_>) -> Result<Vec<Label>> {
    let directory = cx.directory()?;
    Ok(labels(directory.incidents.values()))
}

/// Whether a fit is due: checked in a reading transaction.
///
/// # Errors
/// The store's.
pub fn is_fit_due(cx: &mut Context<'_, '_>) -> Result<bool> {
    let known = verdicts(cx)?;
    let last = in_force(cx)?.map(|(model, _)| model);
    Ok(is_due(last.as_ref(), known.len(), cx.now))
}

/// Makes a fit when one is due; returns whether it was made. Another server may have been faster.
///
/// # Errors
/// The store's.
pub fn fit_due(cx: &mut Context<'_, '_>) -> Result<bool> {
    if !is_fit_due(cx)? {
        return Ok(false);
    }
    let model = fitted(cx)?;
    write(cx, model)?;
    Ok(true)
}

fn fitted(cx: &mut Context<'_, '_>) -> Result<CauseModel> {
    let known = verdicts(cx)?;
    let directory = cx.directory()?;
    let found = fit(&known, windows(directory.incidents.values()));
    let model = CauseModel::of(&known, &found, cx.now)?;
    Ok(CauseModel {
        id: RecordId(cx.new_id()?),
        ..model
    })
}

fn write(cx: &mut Context<'_, '_>, model: CauseModel) -> Result<CauseModel> {
    let data = json!({
        "model": model.digest, "verdicts": model.verdicts, "confirmed": model.confirmed, "brier_ppm": model.brier_ppm,
        "base_brier_ppm": model.base_brier_ppm,
    });
    keep(cx, "cause_model.fitted", model, data)
}

impl PlainNoun for CauseModel {
    type Input = CauseModelInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let newest = Filter::new().descending_by("fitted_at").limit(MOST_LISTED);
        Ok(record::bodies::<Self>(cx.tx, &newest)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    /// Makes a fit from the verdicts so far, even when they are too few: the record then lists what is missing.
    fn add(cx: &mut Context<'_, '_>, input: CauseModelInput, reading: Reading<'_>) -> Result<Self> {
        reading.finish()?;
        let model = Self {
            by: Some(cx.actor.person.clone()),
            reason: Some(input.reason),
            ..fitted(cx)?
        };
        write(cx, model)
    }

    fn further(&self, _cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, Vec<String>)>> {
        let fit = self.fit().unwrap_or_default();
        let share = |ppm: i64| format!("{}.{:03}", ppm / 1_000_000, ppm % 1_000_000 / 1_000);
        let mut rows = vec![
            ("Fitted", vec![self.fitted_at.to_string()]),
            ("Verdicts", vec![self.verdicts.to_string()]),
            ("Confirmed", vec![self.confirmed.to_string()]),
            ("Digest", vec![self.digest.clone()]),
        ];
        if let (Some(explained), Some(right)) = (self.explained, self.first_right) {
            rows.push(("Incidents with a confirmed cause", vec![explained.to_string()]));
            rows.push(("The first candidate was the cause", vec![right.to_string()]));
        }
        if !fit.bins.is_empty() {
            rows.push(("Brier score", vec![share(self.brier_ppm)]));
            rows.push(("Brier score of the share alone", vec![share(self.base_brier_ppm)]));
            rows.push((
                "Mean difference of predicted and confirmed",
                vec![share(self.error_ppm)],
            ));
        }
        rows.extend(self.gap.map(|gap| ("No probability, because", vec![gap.to_string()])));
        let hours = fit.windows.iter().map(|it| format!("{} {} h", it.service, it.hours));
        rows.push(("Hours of services", hours.collect()));
        Ok(rows)
    }

    fn complete(_cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        for (model, value) in records.iter().zip(values) {
            if let Some(body) = value.as_object_mut() {
                body.remove("report");
            }
            value["fit"] = serde_json::to_value(model.fit().unwrap_or_default())?;
        }
        Ok(())
    }
}

impl PlainNoun for CauseWindow {
    type Input = CauseWindowInput;

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let own = Filter::new()
            .equals("service", key)
            .equals("active", true)
            .order_by("id");
        Ok(record::bodies::<Self>(cx.tx, &own)?.into_iter().next())
    }

    fn key(&self) -> &str {
        self.service.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    /// Replaces the hours that a service has.
    fn add(cx: &mut Context<'_, '_>, input: CauseWindowInput, mut reading: Reading<'_>) -> Result<Self> {
        if input.hours < 1 && !reading.errors.iter().any(|error| error.field == "hours") {
            reading.wrong("hours", "out_of_range", "`hours` is at least 1.");
        }
        reading.finish()?;
        // A model that was taken out of use comes back under its record.
        let old = Filter::new().equals("service", input.service.as_str()).order_by("id");
        let old = record::bodies::<Self>(cx.tx, &old)?.into_iter().next();
        let window = Self {
            id: match &old {
                Some(old) => old.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: old.map_or(0, |old| old.version),
            service: input.service,
            hours: input.hours,
            reason: input.reason,
            active: true,
        };
        keep(cx, "cause_window.set", window, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        keep(cx, "cause_window.ended", Self { active: false, ..self }, json!({}))
    }
}
