//! Saved dashboards: the permissions to read and to change them.

use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::report::saved_dashboard::{Dashboard, DashboardInput, MOST, MOST_OWN, check, filters_of};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::write::{Versioned, Written, draft};
use crate::report::find_tiles::why_not;

impl PlainNoun for Dashboard {
    type Input = DashboardInput;

    /// The acting person's own dashboards, then shared ones, by id.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let me = cx.actor.person.clone();
        let filter = Filter::new().equals("active", true).order_by("id");
        let mut all = record::bodies::<Self>(cx.tx, &filter.limit(MOST as i64))?;
        let directory = cx.directory()?;
        // A person who has left shares nothing any more.
        all.retain(|it| it.owner == me || (it.is_shared && directory.is_active(&it.owner)));
        all.sort_by_key(|it| (it.owner != me, it.id.clone()));
        Ok(all)
    }

    /// A dashboard that the acting person may read; another person's private one counts as absent.
    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record);
        let directory = cx.directory()?;
        let is_mine = |it: &Self| it.owner == cx.actor.person;
        Ok(found.filter(|it| is_mine(it) || (it.is_shared && directory.is_active(&it.owner))))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/dashboard/{}", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: DashboardInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        check_values(cx, &input, &mut reading)?;
        reading.finish()?;
        check_room(cx)?;
        let dashboard = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            title: input.title,
            tiles: input.tiles,
            query: input.query.filter(|query| !query.is_empty()),
            is_shared: input.is_shared,
            owner: cx.actor.person.clone(),
            active: true,
        };
        keep(cx, "dashboard.added", dashboard, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: DashboardInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        check_values(cx, &input, &mut reading)?;
        reading.finish()?;
        check_own(cx, &self.owner)?;
        let edited = Self {
            title: input.title,
            tiles: input.tiles,
            query: input.query.filter(|query| !query.is_empty()),
            is_shared: input.is_shared,
            ..self
        };
        keep(cx, "dashboard.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_own(cx, &self.owner)?;
        let ended = Self { active: false, ..self };
        keep(cx, "dashboard.ended", ended, json!({}))
    }
}

/// Notes each filter whose value nothing has: nobody could open such a dashboard.
fn check_values(cx: &mut Context<'_, '_>, input: &DashboardInput, reading: &mut Reading<'_>) -> Result<()> {
    let Some(query) = input.query.as_deref().filter(|_| reading.says("query")) else {
        return Ok(());
    };
    let directory = cx.directory()?;
    for (name, value) in filters_of(query).unwrap_or_default() {
        if let Some(why) = why_not(&directory, name, &value) {
            reading.wrong("query", "unknown", why);
        }
    }
    Ok(())
}

/// Refuses to touch what another person owns.
pub(super) fn check_own(cx: &mut Context<'_, '_>, owner: &PersonId) -> Result<()> {
    if *owner == cx.actor.person {
        return Ok(());
    }
    let login = cx.directory()?.login(owner);
    let text = "Only its owner can change it.";
    let satisfy = "Save one of your own, or ask its owner.";
    Err(Refusal::not_now("not_yours", text, satisfy, vec![login]).into())
}

/// Writes a record and its one event.
pub(super) fn keep<R: Versioned>(cx: &mut Context<'_, '_>, kind: &'static str, record: R, data: Value) -> Result<R> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, record)?;
    let subject = (R::TABLE, saved.id().to_owned());
    cx.emit(vec![draft(kind, subject, cx.now, data)], written)?;
    Ok(saved)
}

fn check_room(cx: &mut Context<'_, '_>) -> Result<()> {
    let in_use = Filter::new().equals("active", true);
    let own = in_use.clone().equals("owner", cx.actor.person.as_str());
    let counts = [
        (record::count::<Dashboard>(cx.tx, &own)?, MOST_OWN, "You have"),
        (record::count::<Dashboard>(cx.tx, &in_use)?, MOST, "The tenant has"),
    ];
    for (count, most, who) in counts {
        if count >= most as i64 {
            let text = format!("{who} {most} saved dashboards, which is the limit.");
            return Err(Refusal::not_now("too_many", text, "Remove one that nobody needs.", Vec::new()).into());
        }
    }
    Ok(())
}
