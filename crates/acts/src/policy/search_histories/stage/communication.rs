//! Rules on communication in a story: the start is announced long enough ahead, all addressees acknowledge it, and each team
//! reports that it is ready.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::approval::obligation::Duty;
use model::change::around::communication::{note_acknowledged, note_announced, say_ready};
use model::change::duties::communication::ready_people;
use model::change::requirement::before_start;
use model::core::body::Body;
use model::core::enums::OwnershipRole;
use model::core::ids::PersonId;
use model::notify::communication::stage_of;

use super::{Stage, StageActor};

impl Stage<'_> {
    /// How long before its start the rules of the change require the announcement at the latest; `None` where none requires
    /// communication.
    pub(super) fn announced_ahead(&self) -> Option<SignedDuration> {
        let rows = self.file.requirements.obligations.iter();
        let minutes = rows.filter_map(|row| match &row.obligation.duty {
            Duty::Communication { announced_minutes, .. } => Some(announced_minutes.unwrap_or_default()),
            _ => None,
        });
        minutes.max().map(SignedDuration::from_mins)
    }

    /// Meets the rules on communication: the messages of a communication plan are sent once the change is scheduled.
    pub(super) fn communicate(&mut self) {
        if self.announced_ahead().is_none() {
            return;
        }
        self.announce();
        let known = self.file.change.communicated.clone();
        let missing: Vec<PersonId> = known
            .map(|it| it.asked_people.difference(&it.acknowledged_people).cloned().collect())
            .unwrap_or_default();
        for person in missing {
            // An addressee may always acknowledge.
            let _ = self.act(&StageActor::person(person.as_str()), "acknowledges the start", |case| {
                note_acknowledged(case, &person);
                Ok(())
            });
        }
        for person in ready_people(&self.file, &self.directory, self.now) {
            if self.waits_for_team_of(&person) {
                // A person whom a rule excludes is reported if nobody else of the team reports that it is ready.
                let _ = self.act(
                    &StageActor::person(person.as_str()),
                    "says that the team is ready",
                    |case| say_ready(case, &Body::new()),
                );
            }
        }
    }

    /// Announces the start to the owners, before it.
    fn announce(&mut self) {
        let Some((_, Some(start))) = stage_of(&self.file.change) else {
            return;
        };
        let known = self.file.change.communicated.as_ref();
        let is_known = known.is_some_and(|it| it.starts_at == start && it.announced_at.is_some());
        if is_known || start <= self.now {
            return;
        }
        let targets = self.file.change.content.targets.iter();
        let holders = targets.flat_map(|target| {
            let (service, environment) = (&target.service, &target.environment);
            self.directory
                .holders(service, environment, OwnershipRole::Owner, self.now)
        });
        let asked: BTreeSet<PersonId> = holders.map(|holder| holder.person).collect();
        // The clock's own act refuses nothing.
        let _ = self.act(&StageActor::clock(), "announces the start", |case| {
            note_announced(case, start, &asked);
            Ok(())
        });
    }

    /// Whether nobody has yet reported that a person's team is ready.
    fn waits_for_team_of(&self, person: &PersonId) -> bool {
        let unmet = before_start(&self.file, &self.directory, self.now);
        let mut teams = unmet.iter().filter(|row| row.code == "team_not_ready");
        teams.any(|row| row.waiting_on.iter().any(|login| login == person.as_str()))
    }
}
