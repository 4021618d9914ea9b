//! Series of meetings: each meeting is planned with its agenda some days before it begins.

use model::cab::agenda::month_before;
use model::cab::meeting::Meeting;
use model::cab::meeting_series::{MOST, MeetingSeries, MeetingSeriesInput, check_input};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;
use store::queue::timer::{self, NewTimer};
use store::record;

use crate::cab::agenda::{Planned, keep, plan, read_chair};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};

/// The table of series and of their timers.
pub const TABLE: &str = "meeting_series";
/// The kind of their timers.
const KIND: &str = "meeting_series";
/// How long before a meeting its agenda is frozen by default, in minutes.
const USUAL_FREEZE: i64 = 24 * 60;

impl PlainNoun for MeetingSeries {
    type Input = MeetingSeriesInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/boards/{}", self.group))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: MeetingSeriesInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        check_input(&mut reading, &input, cx.now);
        let group = Some(&input.group).filter(|group| directory.groups.contains_key(*group));
        let chair = read_chair(cx, &mut reading, (input.chair.as_deref(), group), &directory);
        let series = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            group: input.group,
            title: input.title,
            starts_at: input.starts_at,
            rrule: input.rrule,
            time_zone: input.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            freeze_minutes: input.freeze_minutes.unwrap_or(USUAL_FREEZE),
            chair: chair.unwrap_or_else(|| cx.actor.person.clone()),
            review: input.review,
            planned_until: None,
            active: true,
        };
        if reading.errors.is_empty()
            && let Err((field, code, text)) = series.ahead(&directory.calendars, cx.now)
        {
            reading.wrong(field, code, text);
        }
        reading.finish()?;
        if noun::in_use::<Self>(cx)?.len() >= MOST {
            let text = format!("{MOST} series of meetings are in use.");
            return Err(Refusal::not_now("too_many", text, "End one.", Vec::new()).into());
        }
        let data = json!({"group": series.group, "review": series.review});
        let series = keep(cx, "meeting_series.added", series, data)?;
        plan_next(cx, series.id.as_str())?;
        let planned = record::load::<Self>(cx.tx, series.id.as_str())?.map(|stored| stored.record);
        Ok(planned.unwrap_or(series))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        timer::cancel(cx.tx, TABLE, self.id.as_str(), KIND)?;
        keep(cx, "meeting_series.ended", Self { active: false, ..self }, json!({}))
    }
}

/// Plans the next meeting of a series when its time has come, and runs again when the time for the following meeting
/// comes. A board without members meets again only once it has some.
///
/// # Errors
/// The store's.
pub(crate) fn plan_next(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(series) = record::load::<MeetingSeries>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    let directory = cx.directory()?;
    let ahead = series.ahead(&directory.calendars, cx.now).unwrap_or_default();
    let Some(next) = ahead.first().copied().filter(|_| series.active) else {
        return Ok(());
    };
    if MeetingSeries::plan_at(next) > cx.now {
        return set_timer(cx, &series, MeetingSeries::plan_at(next));
    }
    if directory.members(&series.group).is_empty() {
        return set_timer(cx, &series, next);
    }
    let meeting = Meeting {
        id: RecordId(cx.new_id()?),
        version: 0,
        group: series.group.clone(),
        title: series.title.clone(),
        starts_at: next,
        ended_at: None,
        by: series.chair.clone(),
        at: cx.now,
        attendees: Vec::new(),
        conflicts: Vec::new(),
        listed: None,
    };
    let meeting = cx.put_estate("meeting.opened", meeting, json!({}))?;
    let planned = Planned {
        freeze_at: series.freeze_at(next, cx.now),
        chair: series.chair.clone(),
        month: series.review.then(|| month_before(next)),
        series: Some(series.id.clone()),
    };
    plan(cx, &meeting, planned)?;
    let series = MeetingSeries {
        planned_until: Some(next),
        ..series
    };
    let series = keep(cx, "meeting_series.planned", series, json!({"meeting": meeting.id}))?;
    match ahead.get(1) {
        Some(after) => set_timer(cx, &series, MeetingSeries::plan_at(*after)),
        None => set_timer(cx, &series, next),
    }
}

fn set_timer(cx: &mut Context<'_, '_>, series: &MeetingSeries, run_at: jiff::Timestamp) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: series.id.as_str(),
        kind: KIND,
        run_at: run_at.max(cx.now),
    };
    Ok(timer::set(cx.tx, &new)?)
}
