//! Duty rotas: one for each group, replaced as a whole.

use jiff::Timestamp;
use model::cab::duty_rota::{DutyRota, DutyRotaInput};
use model::cab::on_duty::{ahead, check};
use model::core::ids::{GroupKey, RecordId};
use model::core::parse::Reading;
use model::directory::snapshot::Directory;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

impl PlainNoun for DutyRota {
    type Input = DutyRotaInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let mut found: Vec<Self> = cx.directory()?.duty_rotas.iter().cloned().collect();
        found.sort_by(|one, other| one.group.cmp(&other.group));
        Ok(found)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        Ok(cx.directory()?.duty_rota(&GroupKey::from(key)).cloned())
    }

    fn key(&self) -> &str {
        self.group.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    /// Replaces the rota that a group has.
    fn add(cx: &mut Context<'_, '_>, input: DutyRotaInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let people = check(&mut reading, &input, &directory);
        reading.finish()?;
        // A retired rota comes back under its record.
        let old = Filter::new()
            .equals("people_group", input.group.as_str())
            .order_by("id");
        let old = record::bodies::<Self>(cx.tx, &old.limit(1))?.into_iter().next();
        let rota = Self {
            id: match &old {
                Some(old) => old.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: old.map_or(0, |old| old.version),
            group: input.group,
            people,
            starts_at: input.starts_at,
            time_zone: input.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            turn_days: input.turn_days.unwrap_or(7),
            active: true,
        };
        cx.put_estate("duty_rota.set", rota, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("duty_rota.ended", ended, json!({}))
    }

    fn further(&self, cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, Vec<String>)>> {
        let directory = cx.directory()?;
        let people = directory.on_duty(&self.group, cx.now);
        let people = people.iter().map(|person| directory.login(person)).collect();
        Ok(vec![
            ("On duty now", people),
            ("Gaps in the next 30 days", gaps(&directory, &self.group, cx.now)),
        ])
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let directory = cx.directory()?;
        for (rota, value) in records.iter().zip(values) {
            let spans = directory.duty_spans(&rota.group, cx.now, ahead(cx.now));
            let people = spans.first().map(|span| span.people.as_slice()).unwrap_or_default();
            value["on_duty"] = people.iter().map(|person| json!(directory.login(person))).collect();
            if let [first, _, ..] = spans.as_slice() {
                value["until"] = json!(first.ends_at);
            }
            value["gaps"] = json!(gaps(&directory, &rota.group, cx.now));
        }
        Ok(())
    }
}

/// The gaps ahead, each as its start and its end.
fn gaps(directory: &Directory, group: &GroupKey, now: Timestamp) -> Vec<String> {
    let gaps = directory.duty_gaps(group, now);
    gaps.iter()
        .map(|gap| format!("{} – {}", gap.starts_at, gap.ends_at))
        .collect()
}
