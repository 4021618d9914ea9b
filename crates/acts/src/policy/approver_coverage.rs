//! The coverage that would be left without a person's right: whether each rule in force still has enough approvers, and whether
//! an administrator is left. Each removed right counts for the next, so that all proposals may be carried out together without
//! leaving less.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use model::approval::authority::{able, approvers_name, most_counted, targets_of};
use model::approval::obligation::{ApprovalRule, Asked, Duty};
use model::change::change_file::ChangeFile;
use model::change::record::Target;
use model::core::enums::{Kind, Level, Role, Touch};
use model::core::ids::{PersonId, ServiceKey};
use model::directory::apply_write::Held;
use model::directory::snapshot::{Directory, Group, Ownership, Person};
use policy::PolicySet;

use crate::case::judge;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::group_membership;
use crate::guard::last_administrator::is_last;
use crate::policy::find_unapprovable::sample;
use crate::policy::find_unmeetable::shortage;
use crate::policy::find_unstaffed::{MOST_KINDS, kinds};

/// How many rights are judged in one report; the others wait for the next.
const MOST_JUDGED: usize = 300;

/// A rule that a target brings, and that finds people enough.
struct Met {
    file: Arc<ChangeFile>,
    rule_id: String,
    rule: ApprovalRule,
    target: Target,
    needed: usize,
}

impl Met {
    /// How many could decide for it.
    fn counted(&self, directory: &Directory, now: Timestamp) -> usize {
        let holders = able(&self.file, directory, (&self.rule_id, &self.rule), &self.target, now);
        most_counted(&self.rule, &holders)
    }
}

/// The directory as it would be left.
pub(crate) struct LeftStanding {
    directory: Directory,
    policies: Arc<PolicySet>,
    now: Timestamp,
    met: Vec<Met>,
    /// Which of them a person could decide for.
    of_person: BTreeMap<PersonId, Vec<usize>>,
    services: Vec<ServiceKey>,
    judged: usize,
}

impl LeftStanding {
    /// The directory as it is.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn new(cx: &mut Context<'_, '_>) -> Result<Self> {
        let (directory, policies) = (cx.directory()?, cx.policies()?);
        let mut found = Self {
            directory: (*directory).clone(),
            policies: policies.clone(),
            now: cx.now,
            met: Vec::new(),
            of_person: BTreeMap::new(),
            services: Vec::new(),
            judged: 0,
        };
        for alike in kinds(cx, &directory, &policies)?.into_iter().take(MOST_KINDS) {
            found.look_at(cx, alike[0])?;
        }
        Ok(found)
    }

    /// Adds the rules of a service that find people enough.
    fn look_at(&mut self, cx: &Context<'_, '_>, service: &ServiceKey) -> Result<()> {
        if self.services.contains(service) {
            return Ok(());
        }
        self.services.push(service.clone());
        for kind in [Kind::Normal, Kind::Emergency] {
            let Some(mut file) = sample(cx, &self.directory, service, (kind, Level::High))? else {
                continue;
            };
            file.change.content.touches = Touch::ALL.iter().copied().collect();
            file.requirements = judge::judge_draft(&self.policies, &cx.tenant(), (&self.directory, self.now), &file);
            let file = Arc::new(file);
            for row in &file.requirements.obligations {
                let Duty::Approval(rule) = &row.obligation.duty else {
                    continue;
                };
                for target in targets_of(&file, row) {
                    self.note(Met {
                        file: file.clone(),
                        rule_id: row.obligation.id.clone(),
                        rule: rule.clone(),
                        target: target.clone(),
                        needed: rule.count.max(rule.quorum.unwrap_or_default()) as usize,
                    });
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, met: Met) {
        let holders = able(
            &met.file,
            &self.directory,
            (&met.rule_id, &met.rule),
            &met.target,
            self.now,
        );
        if most_counted(&met.rule, &holders) < met.needed {
            return;
        }
        for holder in &holders {
            for person in [&holder.person, holder.root()] {
                let places = self.of_person.entry(person.clone()).or_default();
                if places.last() != Some(&self.met.len()) {
                    places.push(self.met.len());
                }
            }
        }
        self.met.push(met);
    }

    /// Removes a role from a person, or returns why the role must stay.
    pub(crate) fn take_role(&mut self, person: &PersonId, role: Role) -> Option<String> {
        let person = self.directory.people.get(person).cloned()?;
        let mut roles = person.roles.clone();
        roles.remove(&role);
        let after = Person { roles, ..person };
        if is_last(&self.directory, &after) {
            return Some(format!("{} is the only administrator left.", after.name));
        }
        let mut directory = self.directory.clone();
        let id = after.id.clone();
        after.put_into(&mut directory);
        // A person who loses such a role also leaves its group.
        for (_, key) in group_membership::WITH_GROUP.iter().filter(|(it, _)| *it == role) {
            if let Some(group) = directory.groups.get_mut(&(*key).into()) {
                group.members.remove(&id);
            }
        }
        self.take(&id, directory)
    }

    /// Removes a person from a group, or returns why the membership must stay.
    pub(crate) fn take_seat(&mut self, group: &Group, person: &PersonId) -> Option<String> {
        let mut directory = self.directory.clone();
        if let Some(group) = directory.groups.get_mut(&group.key) {
            group.members.remove(person);
        }
        self.take(person, directory)
    }

    /// Ends a row of the ownership matrix, or returns why the row must stay.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn take_row(
        &mut self,
        cx: &Context<'_, '_>,
        row: &Ownership,
        person: &PersonId,
    ) -> Result<Option<String>> {
        let of_item = row
            .config_item
            .as_deref()
            .and_then(|key| self.directory.config_items.get(key));
        let service = row.service.clone().or(of_item.map(|item| item.service.clone()));
        if let Some(service) = service.filter(|key| self.directory.services.contains_key(key)) {
            self.look_at(cx, &service)?;
        }
        let mut directory = self.directory.clone();
        let ended = Ownership {
            ends_at: Some(self.now),
            ..row.clone()
        };
        ended.put_into(&mut directory);
        Ok(self.take(person, directory))
    }

    /// Lets a right go where every rule that found people enough still does.
    fn take(&mut self, person: &PersonId, after: Directory) -> Option<String> {
        self.judged += 1;
        if self.judged > MOST_JUDGED {
            return Some(format!(
                "One report judges {MOST_JUDGED} rights; take away those first."
            ));
        }
        let why = self.short_for(person, &after).or_else(|| self.short_of_group(&after));
        if why.is_none() {
            self.directory = after;
        }
        why
    }

    /// The rule of a target that would find too few.
    fn short_for(&self, person: &PersonId, after: &Directory) -> Option<String> {
        let places = self.of_person.get(person)?;
        places.iter().map(|place| &self.met[*place]).find_map(|met| {
            let left = met.counted(after, self.now);
            (left < met.needed).then(|| {
                let asked = approvers_name(&met.rule.from);
                let (rule, needed) = (&met.rule_id, met.needed);
                let (service, environment) = (&met.target.service, &met.target.environment);
                format!("`{rule}` requires {needed} of {asked}; {left} would be left for {service} in {environment}.")
            })
        })
    }

    /// A rule that requires approvers of a group and would find too few in it.
    fn short_of_group(&self, after: &Directory) -> Option<String> {
        let asked_group = |duty: &Duty| match duty {
            Duty::Approval(rule) if matches!(rule.from, Asked::Group(_) | Asked::Groups(_) | Asked::ChangeManager) => {
                Some(approvers_name(&rule.from))
            }
            Duty::PeerReview { from: Some(group), .. } | Duty::OutsideLook { from: group, .. } => {
                Some(format!("the group {group}"))
            }
            _ => None,
        };
        let mut rules: Vec<_> = self.policies.obligations().collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules.into_iter().find_map(|rule| {
            let asked = asked_group(&rule.duty)?;
            let (_, left, needed) = shortage(&rule.duty, after, self.now)?;
            let was_short = shortage(&rule.duty, &self.directory, self.now).is_some();
            (!was_short).then(|| format!("`{}` requires {needed} of {asked}; {left} would be left.", rule.id))
        })
    }
}
