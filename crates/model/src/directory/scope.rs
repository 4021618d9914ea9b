//! The view of a person or a token that is scoped to services: these services, and the records wholly inside of them. One
//! predicate for every door; all else is absent.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::change_file::Actor;
use crate::change::record::Change;
use crate::core::enums::IncidentKind;
use crate::core::ids::{PersonId, ServiceKey};
use crate::core::refusal::Refusal;
use crate::core::shared_map::Shelf;
use crate::directory::audit_mandate::AuditMandate;
use crate::directory::snapshot::{Directory, Freeze, Incident};
use crate::directory::vendor::Vendor;
use crate::incident::course::IncidentCourse;

/// Some services, outside of which everything is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    services: BTreeSet<ServiceKey>,
    person: PersonId,
    bound: Option<Bound>,
}

/// The limit on an auditor who once had a mandate: the mandate in force, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    mandate: Option<AuditMandate>,
}

/// The refusal of an act by an auditor with a mandate.
pub fn read_only() -> Refusal {
    let text = "An auditor with a mandate can only read the changes within it. An administrator can propose another \
        mandate.";
    Refusal::not_allowed("mandate_reads_only", text)
}

/// The refusal of an act that is about more than a scope's services.
pub fn refusal() -> Refusal {
    let text = "A person or token scoped to services can act only on changes of these services.";
    Refusal::not_allowed("scoped_to_services", text)
}

impl Scope {
    /// The scope of an actor: the person's and the token's together; `None` without any limit.
    pub fn of(directory: &Directory, actor: &Actor, now: Timestamp) -> Option<Self> {
        if actor.is_system {
            return None;
        }
        if directory.is_mandated(&actor.person) {
            return Some(Self::mandated(directory, actor, now));
        }
        let own = directory.people.get(&actor.person).map(|person| &person.services);
        let own = own.filter(|services| !services.is_empty());
        let lent = actor.lent.as_ref().and_then(|lent| lent.services.as_ref());
        let limits = directory.agent(&actor.person).map(|agent| &agent.services);
        let mut bounds = [own, lent, limits].into_iter().flatten();
        let first = bounds.next()?.clone();
        let services = bounds.fold(first, |all, bound| &all & bound);
        Some(Self {
            services,
            person: actor.person.clone(),
            bound: None,
        })
    }

    /// The scope of an auditor with a mandate: its services, inside of those of their token; none while none is in force.
    fn mandated(directory: &Directory, actor: &Actor, now: Timestamp) -> Self {
        let mandate = directory.mandate(&actor.person, now).cloned();
        let mut services: BTreeSet<ServiceKey> = match &mandate {
            None => BTreeSet::new(),
            Some(mandate) if mandate.services.is_empty() => directory.services.keys().cloned().collect(),
            Some(mandate) => mandate.services.clone(),
        };
        let own = directory.people.get(&actor.person).map(|person| &person.services);
        let lent = actor.lent.as_ref().and_then(|lent| lent.services.as_ref());
        let own = own.filter(|services| !services.is_empty());
        for narrower in own.into_iter().chain(lent) {
            services = &services & narrower;
        }
        Self {
            services,
            person: actor.person.clone(),
            bound: Some(Bound { mandate }),
        }
    }

    /// Whether it is that of an auditor with a mandate, who reads changes and nothing else.
    pub fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    /// The span in which the changes inside were created; open where it is not limited.
    pub fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let mandate = self.bound.as_ref().and_then(|bound| bound.mandate.as_ref());
        mandate.map_or((None, None), |it| (it.span_from, it.span_to))
    }

    /// The services.
    pub fn services(&self) -> &BTreeSet<ServiceKey> {
        &self.services
    }

    /// Whether a service is inside.
    pub fn has(&self, service: &str) -> bool {
        self.services.iter().any(|own| own.as_str() == service)
    }

    /// Whether a span or a record about some services is inside: about one of them, or about all.
    pub fn touches(&self, services: &BTreeSet<ServiceKey>) -> bool {
        // Records about no change are outside of every mandate.
        if self.is_bound() {
            return false;
        }
        services.is_empty() || !services.is_disjoint(&self.services)
    }

    /// Whether an incident is inside: it hurts one of the services. One that names no service may be about anything, and one of
    /// security is for the whole house's own people, so both are outside of every scope.
    pub fn has_incident(&self, incident: &Incident) -> bool {
        !incident.services.is_empty()
            && incident.course.kind != IncidentKind::Security
            && self.touches(&incident.services)
    }

    /// Whether a change is inside: each of its targets is. A change without targets belongs to its requester.
    pub fn sees(&self, change: &Change) -> bool {
        let targets = &change.content.targets;
        if let Some(bound) = &self.bound {
            let is_inside = bound.mandate.as_ref().is_some_and(|mandate| mandate.has(change));
            return is_inside && targets.iter().all(|target| self.services.contains(&target.service));
        }
        if targets.is_empty() {
            return change.requester == self.person;
        }
        targets.iter().all(|target| self.services.contains(&target.service))
    }

    /// Those of some services that are inside; none where a record is about all.
    fn inside(&self, services: &BTreeSet<ServiceKey>) -> BTreeSet<ServiceKey> {
        services & &self.services
    }

    /// The estate within the scope: without other services, their items, incidents, spans and templates; lists of services name
    /// only those inside.
    pub fn narrow(&self, directory: &Directory) -> Directory {
        let mut seen = directory.clone();
        let services = &self.services;
        seen.services = directory
            .services
            .iter()
            .filter(|(key, _)| services.contains(*key))
            .map(copied)
            .collect();
        seen.config_items = directory
            .config_items
            .iter()
            .filter(|(_, item)| services.contains(&item.service))
            .map(copied)
            .collect();
        let incidents = directory.incidents.iter().filter(|(_, row)| self.has_incident(row));
        // Verdicts on changes that may have caused the incident name changes outside.
        let bare = |(key, row): (&String, &Incident)| {
            let row = Incident {
                cause_verdicts: Vec::new(),
                services: self.inside(&row.services),
                course: IncidentCourse {
                    signatures: Vec::new(),
                    ..row.course.clone()
                },
                ..row.clone()
            };
            (key.clone(), row)
        };
        seen.incidents = incidents.map(bare).collect();
        let templates = directory
            .templates
            .iter()
            .filter(|(_, row)| self.touches(&row.services));
        let templates = templates.map(|(key, row)| {
            let mut row = row.clone();
            row.services = self.inside(&row.services);
            (key.clone(), row)
        });
        seen.templates = templates.collect();
        let freezes = directory.freezes.iter();
        let freezes = freezes.filter_map(|row| self.freeze(row, &seen.incidents));
        seen.freezes = freezes.collect::<Vec<_>>().into();
        let windows = directory.windows.iter().filter(|row| self.touches(&row.services));
        let windows = windows.cloned().map(|mut row| {
            row.services = self.inside(&row.services);
            row
        });
        seen.windows = windows.collect::<Vec<_>>().into();
        self.narrow_maintenance(directory, &mut seen);
        seen
    }

    /// A freeze within the scope; `None` for a freeze about other services only. `incidents` are those inside the scope.
    pub fn freeze(&self, row: &Freeze, incidents: &Shelf<String, Incident>) -> Option<Freeze> {
        if !self.touches(&row.services) {
            return None;
        }
        let mut row = row.clone();
        row.services = self.inside(&row.services);
        // The title describes the incident; from outside only the key is seen.
        if let Some(key) = &row.course.major_incident
            && !incidents.contains_key(key)
        {
            row.title.clone_from(key);
        }
        Some(row)
    }

    /// Maintenance of others and of vendors: what concerns no service inside is absent, and so are the vendors' own facts.
    fn narrow_maintenance(&self, directory: &Directory, seen: &mut Directory) {
        let calendars = directory.outside_calendars.iter();
        let calendars = calendars.filter(|row| self.touches(&row.services)).cloned();
        let calendars = calendars.map(|mut row| {
            row.services = self.inside(&row.services);
            row
        });
        seen.outside_calendars = calendars.collect::<Vec<_>>().into();
        let notices = directory.vendor_notices.iter();
        let notices = notices.filter(|row| self.touches(&row.services)).cloned();
        let notices = notices.map(|mut row| {
            row.services = self.inside(&row.services);
            row
        });
        seen.vendor_notices = notices.collect::<Vec<_>>().into();
        let vendors = directory.vendors.iter();
        let vendors =
            vendors.filter(|row| !self.is_bound() && row.services.iter().any(|it| self.services.contains(it)));
        let bare = vendors.cloned().map(|row| Vendor {
            contract: None,
            contract_ends_at: None,
            contacts: BTreeSet::new(),
            members: BTreeSet::new(),
            services: self.inside(&row.services),
            ..row
        });
        seen.vendors = bare.collect::<Vec<_>>().into();
        // A coordinated maintenance is about changes of several owners.
        seen.joint_maintenances = Vec::new().into();
        seen.audit_mandates = Vec::new().into();
        seen.agents = Vec::new().into();
    }
}

fn copied<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

impl Directory {
    /// Whether a person sees an incident in a session of their own: notifications go only to people who see the incident.
    pub fn sees_incident(&self, person: &PersonId, incident: &Incident) -> bool {
        if self.is_mandated(person) {
            return false;
        }
        let found = self.people.get(person);
        let found = found.filter(|found| !found.services.is_empty());
        found.is_none_or(|found| {
            let scope = Scope {
                services: found.services.clone(),
                person: person.clone(),
                bound: None,
            };
            scope.has_incident(incident)
        })
    }

    /// Whether a person is notified of a record about some services: the record is about a service within the person's scope.
    pub fn sees_services(&self, person: &PersonId, services: &BTreeSet<ServiceKey>) -> bool {
        let found = self.people.get(person).filter(|found| !found.services.is_empty());
        !self.is_mandated(person) && found.is_none_or(|found| !found.services.is_disjoint(services))
    }

    /// Whether a person sees a change in a session of their own: notifications and requests go only to people who see the
    /// change.
    pub fn sees(&self, person: &PersonId, change: &Change) -> bool {
        // An auditor with a mandate reads the pages: letters would go on after the mandate's end.
        if self.is_mandated(person) {
            return false;
        }
        let found = self.people.get(person);
        let Some(found) = found.filter(|found| !found.services.is_empty()) else {
            return true;
        };
        let scope = Scope {
            services: found.services.clone(),
            person: person.clone(),
            bound: None,
        };
        scope.sees(change)
    }
}
