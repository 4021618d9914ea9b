//! The checklist on the page of a change, and the end of its planned undo.

use model::change::duties::communication::ready_people;
use model::change::duties::items::{Item, item_status};
use model::change::duties::undo;
use model::change::related_records::ChecklistItem;
use model::core::act::Act as Verb;
use model::core::enums::{ItemKind, State};
use pages::{ActForm, Entry, Field, Rich, Tone};

use crate::web::approval::decision_card::missing;
use crate::web::change::sections::Around;
use crate::web::shared::view::View;

impl Around<'_> {
    /// The lines of the checklist.
    pub(crate) fn checklist(&self, view: &View<'_, '_, '_>) -> Vec<Entry> {
        self.file
            .checklist
            .iter()
            .map(|item| self.checklist_line(view, item))
            .collect()
    }

    /// A line of the checklist: its state, its assignee, and the reader's acts on it.
    fn checklist_line(&self, view: &View<'_, '_, '_>, item: &ChecklistItem) -> Entry {
        let id = item.id.as_str();
        let title = || Rich::new().said(item.title.as_str());
        let standing = item_status(self.file, &view.directory, item, view.now());
        let entry = match (&standing, &item.done) {
            (Some(found), _) if found.state == "waived" => {
                Entry::new(Tone::Ok, title()).why("Waived by an owner and security.")
            }
            (Some(found), _) if found.state == "not_asked" => {
                Entry::new(Tone::Plain, title()).why("No rule requires this item any more.")
            }
            (Some(found), _) if found.lacks.is_some() => {
                let entry = Entry::new(Tone::Wait, title());
                match &found.lacks {
                    Some(lacks) => entry
                        .why(missing(view, lacks))
                        .aside(view.all_waits_on(&lacks.waiting_on)),
                    None => entry,
                }
            }
            (_, Some(done)) => {
                Entry::new(Tone::Ok, title()).why(format!("{}, {}", view.name(&done.by), view.reader.distance(done.at)))
            }
            (Some(_), None) => Entry::new(Tone::Ok, title()).why("Confirmed by a recorded fact."),
            (None, None) => Entry::new(Tone::Wait, title()).why(format!("Required by rule {}", item.rule)),
        };
        let is_open = standing
            .as_ref()
            .map_or(item.done.is_none(), |found| found.state == "open");
        match is_open {
            true => self
                .checklist_acts(view, item, id)
                .into_iter()
                .fold(entry, |entry, (id, act)| entry.act(id, act)),
            false => entry,
        }
    }

    /// The reader's acts on an open line: tick it, or have its probe queried; and agree to a waiver.
    fn checklist_acts(&self, view: &View<'_, '_, '_>, item: &ChecklistItem, id: &str) -> Vec<(String, ActForm)> {
        let mut acts = Vec::new();
        let may_tick = self.open.has(Verb::TickChecklist);
        let asked = Item::of_line(self.file, item);
        let has_probe = asked.is_some_and(|it| it.check.probe().is_some());
        let owners = asked
            .map(|it| it.named_owners(self.file, &view.directory, view.now()))
            .unwrap_or_default();
        let is_others = !owners.is_empty() && !owners.contains(&view.me);
        match item.kind {
            None | Some(ItemKind::Manual) if may_tick && !is_others => {
                let form = self.at(&format!("tick-{id}"), "Tick it", &format!("/checklist/{id}/tick"));
                acts.push((format!("check-{id}"), form));
            }
            Some(ItemKind::Probe | ItemKind::Evidence) if may_tick && has_probe => {
                let form = self.at(&format!("ask-{id}"), "Check it now", &format!("/checklist/{id}/probe"));
                acts.push((format!("probe-{id}"), form));
            }
            _ => {}
        }
        let is_asked_too = item.kind == Some(ItemKind::Evidence);
        if item.kind.is_some() && (acts.is_empty() || is_asked_too) && self.open.has(Verb::AcceptEvidence) {
            let form = self
                .at(&format!("waive-{id}"), "Waive it", &format!("/checklist/{id}/waiver"))
                .field(Field::textarea("reason", "Reason for the waiver").required())
                .submit("Agree to the waiver");
            acts.push((format!("waiver-{id}"), form));
        }
        acts
    }

    /// The acts of the people whom a readiness rule names: they confirm that their team is ready, or withdraw the confirmation.
    pub(crate) fn ready_acts(&self, view: &View<'_, '_, '_>) -> Vec<ActForm> {
        let change = &self.file.change;
        let asked = ready_people(self.file, &view.directory, view.cx.now);
        if !change.state.is_before_start() || !asked.contains(&view.me) || !self.open.has(Verb::Comment) {
            return Vec::new();
        }
        let known = change.communicated.as_ref();
        let known = known.filter(|it| Some(it.starts_at) == change.planned_start);
        let is_ready = known.is_some_and(|it| it.ready.iter().any(|said| said.person == view.me));
        let form = match is_ready {
            true => self
                .at("ready", "Your team is not ready", "/readiness")
                .field(Field::hidden("ready", "no"))
                .submit("Take it back"),
            false => self
                .at("ready", "Your team is ready", "/readiness")
                .note("A rule requires this confirmation before the change starts. It applies only to the current planned \
                    start.")
                .submit("Confirm"),
        };
        vec![form]
    }

    /// The end of a planned undo: implementers record it, and a person who may close the change cancels the undo.
    pub(crate) fn undo_acts(&self) -> Vec<ActForm> {
        let is_begun = matches!(self.file.change.state, State::Implementing | State::Reviewing);
        if !is_begun || undo::open(&self.file.change).is_none() {
            return Vec::new();
        }
        let mut acts = Vec::new();
        if self.open.has(Verb::Complete) {
            let form = self
                .at("undo", "Record the undo", "/undo")
                .field(Field::textarea("text", "What you saw"))
                .submit("It is undone");
            acts.push(form);
        } else if self.open.has(Verb::Close) {
            let form = self
                .at("undo-off", "Cancel the undo", "/undo")
                .field(Field::hidden("done", "no"))
                .field(Field::textarea("text", "Why the change is not undone").required())
                .submit("Cancel it");
            acts.push(form);
        }
        acts
    }
}
