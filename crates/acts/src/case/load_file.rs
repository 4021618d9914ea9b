//! Loads a change with all that hangs on it and with what other changes say of it, judged by the policies as it stands.

use std::collections::HashMap;

use model::approval::one_hand;
use model::change::change_file::{ChangeFile, Linked, RejectedElsewhere};
use model::change::record::Change;
use model::change::related_records::{
    Approval, ChangeTask, ChecklistItem, Condition, Evidence, Link, PeerReview, Permit,
};
use model::change::waiting_on;
use model::core::enums::{LinkKind, State};
use model::core::ids::ChangeId;
use store::change::changes::{self, TargetRow};
use store::record::{self, Filter, Record};

use crate::case::committers::of_change;
use crate::case::judge::judge;
use crate::case::present::present_of;
use crate::core::context::Context;
use crate::core::error::{Error, Result};

impl Context<'_, '_> {
    /// What hangs on changes, by the id of the change; what hangs on all of them is read at once.
    fn around<R: Record>(
        &mut self,
        column: &str,
        ids: &[String],
        of: fn(&R) -> &ChangeId,
    ) -> Result<HashMap<String, Vec<R>>> {
        let filter = match ids {
            [only] => Filter::new().equals(column, only.as_str()),
            _ => Filter::new().one_of(column, ids.iter().map(String::as_str)),
        };
        let mut found: HashMap<String, Vec<R>> = HashMap::new();
        for stored in record::find::<R>(self.tx, &filter.order_by("id"))? {
            let change = of(&stored.record).0.clone();
            found.entry(change).or_default().push(stored.record);
        }
        Ok(found)
    }

    /// The whole file of a change, judged by the policies as it stands.
    ///
    /// # Errors
    /// [`model::core::refusal::Refusal::NotFound`], or the store's.
    pub fn file(&mut self, key: &str) -> Result<ChangeFile> {
        let change = self.change(key)?;
        let files = self.files(vec![change])?;
        let file = files.into_iter().next();
        file.ok_or_else(|| Error::Fault(format!("the file of {key} was not made")))
    }

    /// The whole files of changes, in their order, each judged by the policies as it stands.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn files(&mut self, changes: Vec<Change>) -> Result<Vec<ChangeFile>> {
        let ids: Vec<String> = changes.iter().map(|change| change.id.0.clone()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut approvals = self.around("change_id", &ids, |it: &Approval| &it.change)?;
        let mut conditions = self.around("change_id", &ids, |it: &Condition| &it.change)?;
        let mut peer_reviews = self.around("change_id", &ids, |it: &PeerReview| &it.change)?;
        let mut evidence = self.around("change_id", &ids, |it: &Evidence| &it.change)?;
        let mut tasks = self.around("change_id", &ids, |it: &ChangeTask| &it.change)?;
        let mut checklist = self.around("change_id", &ids, |it: &ChecklistItem| &it.change)?;
        let mut permits = self.around("change_id", &ids, |it: &Permit| &it.change)?;
        let mut links = self.around("from_change", &ids, |it: &Link| &it.change)?;
        let mut files = Vec::with_capacity(changes.len());
        for (change, id) in changes.into_iter().zip(&ids) {
            let mut file = ChangeFile::new(change);
            file.approvals = approvals.remove(id).unwrap_or_default();
            file.conditions = conditions.remove(id).unwrap_or_default();
            file.peer_reviews = peer_reviews.remove(id).unwrap_or_default();
            file.evidence = evidence.remove(id).unwrap_or_default();
            file.tasks = tasks.remove(id).unwrap_or_default();
            file.checklist = checklist.remove(id).unwrap_or_default();
            file.permits = permits.remove(id).unwrap_or_default();
            file.links = links.remove(id).unwrap_or_default();
            file.links.retain(|link| link.removed_at.is_none());
            files.push(self.judged(file)?);
        }
        Ok(files)
    }

    /// A file with what other changes and pushes say of it, judged.
    fn judged(&mut self, mut file: ChangeFile) -> Result<ChangeFile> {
        file.depends_on = self.depends_on(&file)?;
        file.rejected_elsewhere = self.rejected_elsewhere(&file.change)?;
        file.committers = of_change(self, &file.change)?;
        file.present = present_of(self, &file)?;
        let directory = self.directory()?;
        file.meetings = directory.meetings_about(&file);
        file.hands = one_hand::behind(&file, &directory, self.now);
        file.requirements = judge(self.policies()?.as_ref(), &self.tenant(), (&directory, self.now), &file);
        Ok(file)
    }

    fn depends_on(&mut self, file: &ChangeFile) -> Result<Vec<Linked>> {
        let mut found = Vec::new();
        for link in file.links.iter().filter(|link| link.kind == LinkKind::DependsOn) {
            let Some(id) = &link.to_change else { continue };
            if let Some(other) = self.load_change(id.as_str())? {
                let has_succeeded = other.has_succeeded();
                found.push(Linked {
                    key: other.key,
                    state: other.state,
                    has_succeeded,
                    owner: Some(other.content.owner),
                });
            }
        }
        Ok(found)
    }

    /// Another change for the same artifact, service and environment that was rejected and not overruled.
    pub(crate) fn rejected_elsewhere(&mut self, change: &Change) -> Result<Option<RejectedElsewhere>> {
        for target in &change.content.targets {
            let Some(artifact) = &target.artifact else { continue };
            let rows = changes::targets_for(
                self.tx,
                target.service.as_str(),
                target.environment.as_str(),
                Some(artifact),
                None,
            )?;
            // What another one would go back to is not what was rejected.
            let is_another = |row: &TargetRow| row.change_id != change.id.0 && row.artifact.as_ref() == Some(artifact);
            for row in rows.into_iter().filter(is_another) {
                let Some(other) = self.load_change(&row.change_id)? else {
                    continue;
                };
                if stops_others(&other) {
                    return Ok(Some(RejectedElsewhere {
                        key: other.key,
                        requester: other.requester,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// What is unmet ahead of a change.
    ///
    /// # Errors
    /// [`model::core::refusal::Refusal::NotFound`], or the store's.
    pub fn ahead(&mut self, key: &str) -> Result<Vec<waiting_on::Ahead>> {
        let file = self.file(key)?;
        let directory = self.directory()?;
        Ok(waiting_on::ahead(&file, &directory, self.now))
    }
}

/// Whether others with the same artifact, service and environment may not start because of this one.
pub(crate) fn stops_others(change: &Change) -> bool {
    let rejection = change.rejection.as_ref().filter(|_| change.state == State::Rejected);
    rejection.is_some_and(|rejection| rejection.overruled.is_none())
}
