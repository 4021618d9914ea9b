//! The holders of a right at a place, by the ownership matrix, each with the reason.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::core::enums::{NodeKind, OwnershipRole};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::directory::basis::{Basis, Holder, Seen};
use crate::directory::ownership_matrix::{Ownership, Place};
use crate::directory::snapshot::Directory;
use crate::risk::regimes::canonical;

/// How far up the graph ownership comes down at most.
const MOST_STEPS: usize = 16;

/// One line of the matrix for a place: the rows of one scope, and their holders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The scope of the rows: `service:shop`.
    pub scope: String,
    /// The environment, where the rows name it.
    pub environment: Option<EnvironmentKey>,
    /// The way from the target to that scope.
    pub path: Vec<String>,
    /// The holders who can act.
    pub holders: Vec<Holder>,
    /// Rows that nobody can use now, and why.
    pub idle: Vec<(RecordId, String)>,
}

/// A scope on the way up, and the place in the list of the scope below it.
struct Step<'a> {
    scope: Scope<'a>,
    below: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope<'a> {
    Item(&'a str),
    Service(&'a ServiceKey),
    Class(&'static str, &'a str),
    Rest,
}

impl Scope<'_> {
    fn word(self) -> String {
        match self {
            Self::Item(key) => format!("item:{key}"),
            Self::Service(key) => format!("service:{key}"),
            Self::Class(word, value) => format!("class:{word}:{value}"),
            Self::Rest => "everything".to_owned(),
        }
    }
}

impl Directory {
    /// The lines of the matrix for a place and a part, nearest first; lines without a row in force are left out. A place with
    /// several config items is looked up as a whole by [`Directory::holders_at`].
    pub fn lines(&self, place: &Place<'_>, role: OwnershipRole, now: Timestamp) -> Vec<Line> {
        let steps = self.steps(place);
        (0..steps.len())
            .flat_map(|at| self.lines_of((&steps, at), place, role, now))
            .collect()
    }

    fn lines_of(
        &self,
        (steps, at): (&[Step<'_>], usize),
        place: &Place<'_>,
        role: OwnershipRole,
        now: Timestamp,
    ) -> Vec<Line> {
        let mut here: Vec<&Ownership> = Vec::new();
        let mut wide: Vec<&Ownership> = Vec::new();
        let speaks = |row: &&Ownership| row.role == role && row.is_in_force(now);
        for row in self.rows_of(steps[at].scope).filter(speaks) {
            match &row.environment {
                Some(environment) if environment == place.environment => here.push(row),
                Some(_) => {}
                None => wide.push(row),
            }
        }
        [here, wide]
            .into_iter()
            .filter(|rows| !rows.is_empty())
            .map(|rows| self.line((steps, at), &rows, place))
            .collect()
    }

    fn rows_of<'a>(&'a self, scope: Scope<'_>) -> impl Iterator<Item = &'a Ownership> + 'a {
        let index = self.ownerships.index();
        let places = match scope {
            Scope::Item(key) => index.items.get(key),
            Scope::Service(key) => index.services.get(key),
            Scope::Class(word, value) => index.classes.get(word).and_then(|values| values.get(value)),
            Scope::Rest => Some(&index.rest),
        };
        self.ownerships.at(places)
    }

    fn line(&self, (steps, at): (&[Step<'_>], usize), rows: &[&Ownership], place: &Place<'_>) -> Line {
        let scope = steps[at].scope;
        let mut line = Line {
            scope: scope.word(),
            environment: rows.first().and_then(|row| row.environment.clone()),
            path: way(steps, at),
            holders: Vec::new(),
            idle: Vec::new(),
        };
        for row in rows {
            let before = line.holders.len();
            let mut excluded = 0;
            for person in self.people_of(row) {
                if !self.may_hold(&person, row.role, row.function.as_deref()) {
                    excluded += 1;
                    continue;
                }
                if line.holders.iter().any(|holder| holder.person == person) {
                    continue;
                }
                line.holders.push(self.holder(row, person, (scope, &line.path), place));
            }
            if line.holders.len() == before {
                line.idle.push((row.id.clone(), self.idle_reason(row, excluded)));
            }
        }
        line
    }

    fn idle_reason(&self, row: &Ownership, excluded: usize) -> String {
        let without_role = |person: &PersonId| self.is_active(person) && !self.takes_part(person);
        match (&row.person, &row.group) {
            (Some(person), _) if without_role(person) => {
                format!(
                    "{} has no role here, which is needed to read a change",
                    self.login(person)
                )
            }
            _ if excluded > 0 => match &row.function {
                Some(function) => format!("no member with the job function {function} may decide"),
                None => "no member may decide".to_owned(),
            },
            (Some(_), _) => "the person is no longer active".to_owned(),
            (None, Some(group)) => format!("the group {group} has no active member with a role"),
            (None, None) => "it has no holder".to_owned(),
        }
    }

    fn people_of(&self, row: &Ownership) -> Vec<PersonId> {
        match (&row.person, &row.group) {
            (Some(person), _) if self.is_active(person) => vec![person.clone()],
            (None, Some(group)) => self.members(group),
            _ => Vec::new(),
        }
    }

    /// Whether a person may hold a part: pipelines, vendors, auditors and people without a role may not, and a row may require
    /// a job function.
    pub fn may_hold(&self, person: &PersonId, role: OwnershipRole, function: Option<&str>) -> bool {
        let works = matches!(role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
        self.people.get(person).is_some_and(|found| {
            self.takes_part(person)
                && (works || !found.is_barred_from_deciding())
                && function.is_none_or(|needed| found.functions.contains(needed))
        })
    }

    fn holder(
        &self,
        row: &Ownership,
        person: PersonId,
        (scope, path): (Scope<'_>, &[String]),
        place: &Place<'_>,
    ) -> Holder {
        let membership = row.group.as_ref().filter(|_| row.person.is_none()).map(|key| Seen {
            id: key.0.clone(),
            version: self.groups.get(key).map_or(0, |group| group.version),
        });
        let mut items = place.items.iter().map(String::as_str);
        let item = items.find(|item| self.is_inside(item, place.service));
        Holder {
            why: why(row, scope, place.service, item),
            basis: Basis {
                ownership: Some(Seen {
                    id: row.id.0.clone(),
                    version: row.version,
                }),
                scope: Some(row.scope()),
                path: path.to_vec(),
                membership,
                ..Basis::default()
            },
            person,
        }
    }

    /// The holders for a place: the nearest line in which somebody can act, one row for each person. For a target with several
    /// config items, the people who hold the part for each of them; without such people, the holders for the service.
    pub fn holders_at(&self, place: &Place<'_>, role: OwnershipRole, now: Timestamp) -> Vec<Holder> {
        self.holders_above(place, role, now, 0)
    }

    /// The same, `skip` lines further up.
    pub fn holders_above(&self, place: &Place<'_>, role: OwnershipRole, now: Timestamp, skip: usize) -> Vec<Holder> {
        let own = || place.items.iter().filter(|item| !self.is_foreign(item, place.service));
        if own().count() < 2 {
            return self.nth_line(place, role, now, skip);
        }
        let mut common: Option<Vec<Holder>> = None;
        for item in own() {
            let one = Place {
                items: std::slice::from_ref(item),
                ..*place
            };
            let found = self.nth_line(&one, role, now, skip);
            common = Some(match common {
                None => found,
                Some(known) => known
                    .into_iter()
                    .filter(|holder| found.iter().any(|other| other.person == holder.person))
                    .collect(),
            });
        }
        match common {
            Some(found) if !found.is_empty() => found,
            _ => self.nth_line(&Place::new(place.service, place.environment), role, now, skip),
        }
    }

    fn nth_line(&self, place: &Place<'_>, role: OwnershipRole, now: Timestamp, skip: usize) -> Vec<Holder> {
        let steps = self.steps(place);
        (0..steps.len())
            .flat_map(|at| self.lines_of((&steps, at), place, role, now))
            .filter(|line| !line.holders.is_empty())
            .nth(skip)
            .map(|line| line.holders)
            .unwrap_or_default()
    }

    /// The holders for a whole service in an environment.
    pub fn holders(
        &self,
        service: &ServiceKey,
        environment: &EnvironmentKey,
        role: OwnershipRole,
        now: Timestamp,
    ) -> Vec<Holder> {
        self.holders_at(&Place::new(service, environment), role, now)
    }

    /// Whether a person holds a part in any line, also one further up: this allows acts other than decisions.
    pub fn holds(
        &self,
        person: &PersonId,
        service: &ServiceKey,
        environment: &EnvironmentKey,
        role: OwnershipRole,
        now: Timestamp,
    ) -> bool {
        let place = Place::new(service, environment);
        self.steps(&place).iter().any(|step| {
            self.rows_of(step.scope).any(|row| {
                row.role == role
                    && row.is_in_force(now)
                    && row.environment.as_ref().is_none_or(|own| own == environment)
                    && self.is_held_by(row, person)
            })
        })
    }

    fn is_held_by(&self, row: &Ownership, person: &PersonId) -> bool {
        let named = match (&row.person, &row.group) {
            (Some(own), _) => own == person,
            (None, Some(group)) => self
                .groups
                .get(group)
                .is_some_and(|found| found.members.contains(person)),
            (None, None) => false,
        };
        named && self.may_hold(person, row.role, row.function.as_deref())
    }

    /// Whether a row covers a place, by any path and at any time.
    pub fn concerns(&self, row: &Ownership, place: &Place<'_>) -> bool {
        let here = row.environment.as_ref().is_none_or(|own| own == place.environment);
        here && self.steps(place).iter().any(|step| match (step.scope, &row.class) {
            (Scope::Item(key), _) => row.config_item.as_deref() == Some(key),
            (Scope::Service(key), _) => row.service.as_ref() == Some(key),
            (Scope::Class(word, value), Some(class)) => class.parts() == (word, value),
            (Scope::Class(..), None) => false,
            (Scope::Rest, class) => row.config_item.is_none() && row.service.is_none() && class.is_none(),
        })
    }

    /// The next instant after `now` at which a row that covers this place begins or ends.
    pub fn next_edge(&self, place: &Place<'_>, now: Timestamp) -> Option<Timestamp> {
        let whole = self.steps(place);
        whole
            .iter()
            .flat_map(|step| self.rows_of(step.scope))
            .flat_map(|row| [Some(row.since), row.ends_at])
            .flatten()
            .filter(|at| *at > now)
            .min()
    }

    /// The scopes of a place, nearest first. Each is visited once, so a cycle in the graph ends by itself.
    fn steps<'a>(&'a self, place: &Place<'a>) -> Vec<Step<'a>> {
        let mut steps: Vec<Step<'a>> = Vec::new();
        for item in place.items.iter().filter(|item| self.is_inside(item, place.service)) {
            self.climb(&mut steps, Scope::Item(item));
        }
        self.climb(&mut steps, Scope::Service(place.service));
        if !self.ownerships.index().classes.is_empty() {
            for at in 0..steps.len() {
                self.add_classes(&mut steps, at);
            }
        }
        steps.push(Step {
            scope: Scope::Rest,
            below: None,
        });
        steps
    }

    /// Whether a config item belongs to a service, or is part of it over the arrows of the graph. The author of a change
    /// chooses its items, so an item of another service must not decide the holders here.
    pub fn is_inside(&self, item: &str, service: &ServiceKey) -> bool {
        let Some(known) = self.config_items.get(item) else {
            return false;
        };
        if &known.service == service {
            return true;
        }
        let mut steps = Vec::new();
        self.climb(&mut steps, Scope::Item(item));
        steps.iter().any(|step| step.scope == Scope::Service(service))
    }

    /// Whether a config item is known to lie outside of a service. Unregistered items are not known to be outside.
    pub fn is_foreign(&self, item: &str, service: &ServiceKey) -> bool {
        self.config_items.contains_key(item) && !self.is_inside(item, service)
    }

    /// Adds a thing and all that it is part of, level by level.
    fn climb<'a>(&'a self, steps: &mut Vec<Step<'a>>, from: Scope<'a>) {
        let mut queue: VecDeque<(Scope<'a>, Option<usize>)> = VecDeque::from([(from, None)]);
        while let Some((scope, below)) = queue.pop_front() {
            if steps.len() >= MOST_STEPS || steps.iter().any(|step| step.scope == scope) {
                continue;
            }
            steps.push(Step { scope, below });
            let here = Some(steps.len() - 1);
            let (kind, key) = match scope {
                Scope::Item(key) => (NodeKind::ConfigItem, key),
                Scope::Service(key) => (NodeKind::Service, key.as_str()),
                Scope::Class(..) | Scope::Rest => continue,
            };
            let parents = self.dependencies.parents(kind, key).into_iter();
            queue.extend(parents.map(|(kind, key)| match kind {
                NodeKind::ConfigItem => (Scope::Item(key.as_str()), here),
                NodeKind::Service => (Scope::Service(key), here),
            }));
            if kind == NodeKind::ConfigItem
                && let Some(item) = self.config_items.get(key)
            {
                queue.push_back((Scope::Service(&item.service), here));
            }
        }
    }

    fn add_classes<'a>(&'a self, steps: &mut Vec<Step<'a>>, at: usize) {
        let mut found: Vec<(&'static str, &'a str)> = Vec::new();
        match steps[at].scope {
            Scope::Item(key) => {
                let kind = self.config_items.get(key).and_then(|item| item.kind.as_deref());
                found.extend(kind.map(|kind| ("item_kind", kind)));
            }
            Scope::Service(key) => {
                let Some(service) = self.services.get(key) else { return };
                found.extend(service.regimes.iter().map(|regime| ("regime", canonical(regime))));
                found.extend(service.data_class.as_deref().map(|class| ("data_class", class)));
                found.extend(service.team.as_deref().map(|team| ("team", team)));
                found.push(("criticality", service.criticality.as_str()));
            }
            Scope::Class(..) | Scope::Rest => {}
        }
        for (word, value) in found {
            let scope = Scope::Class(word, value);
            if !steps.iter().any(|step| step.scope == scope) {
                steps.push(Step { scope, below: Some(at) });
            }
        }
    }
}

/// The way from the target to a step, both ends left out but for the target's own end.
fn way(steps: &[Step<'_>], place: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = steps.get(place).and_then(|step| step.below);
    while let Some(step) = at.and_then(|place| steps.get(place)) {
        found.push(step.scope.word());
        at = step.below;
    }
    found.reverse();
    found
}

fn why(row: &Ownership, scope: Scope<'_>, service: &ServiceKey, item: Option<&str>) -> String {
    let day = row.since.strftime("%Y-%m-%d");
    let role = row.role.as_str().replace('_', " ");
    let subject = item.unwrap_or(service.as_str());
    let through = row
        .group
        .as_ref()
        .filter(|_| row.person.is_none())
        .map(|group| format!(" through the group {group}"))
        .unwrap_or_default();
    let inherited = match scope {
        Scope::Item(_) | Scope::Rest => String::new(),
        Scope::Service(key) if item.is_none() && key == service => String::new(),
        Scope::Service(key) => format!(" by {key}, which it is part of,"),
        Scope::Class(word, value) => format!(" by the class {word}:{value}"),
    };
    format!("{role} of {subject}{inherited}{through} since {day}")
}
