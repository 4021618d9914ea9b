//! How a directory is brought up to date with one record of the estate: each kind has its place, and one that was taken away
//! leaves it.

use std::sync::Arc;

use crate::approval::absence::{Absence, Delegation};
use crate::cab::duty_rota::DutyRota;
use crate::cab::meeting::{Meeting, OnCall};
use crate::cab::training::Training;
use crate::change::custom_field::CustomField;
use crate::core::enums::ConflictState;
use crate::directory::audit_mandate::AuditMandate;
use crate::directory::ownership_matrix::Ownership;
use crate::directory::records::{
    ConfigItem, Dependency, Environment, Group, Incident, MaintenanceWindow, Person, Service, StandardTemplate,
};
use crate::directory::snapshot::{Directory, Tenant};
use crate::directory::vendor::Vendor;
use crate::emergency::outside_look::OutsideLook;
use crate::identity::agent::Agent;
use crate::risk::forecast::model_record::FailureModel;
use crate::schedule::calendar::Calendar;
use crate::schedule::conflict_record::Conflict;
use crate::schedule::freeze::Freeze;
use crate::schedule::joint_maintenance::JointMaintenance;
use crate::schedule::outside_calendar::OutsideCalendar;
use crate::schedule::planning_terms::PlanningTerms;
use crate::schedule::traffic::Traffic;
use crate::schedule::vendor_notice::VendorNotice;

/// A record of the estate that a directory holds.
pub trait Held: Sized {
    /// Brings the directory up to date with this record as it was written last.
    fn put_into(self, directory: &mut Directory);
}

macro_rules! held {
    ($($noun:ty: |$directory:ident, $record:ident| $put:expr;)+) => {$(
        impl Held for $noun {
            fn put_into(self, $directory: &mut Directory) {
                let $record = self;
                $put;
            }
        }
    )+};
}

held! {
    Tenant: |directory, it| directory.tenant = Some(it);
    Person: |directory, it| directory.put_person(it);
    Group: |directory, it| directory.groups.insert(it.key.clone(), it);
    Service: |directory, it| directory.services.insert(it.key.clone(), it);
    ConfigItem: |directory, it| directory.config_items.insert(it.key.clone(), it);
    Environment: |directory, it| directory.environments.insert(it.key.clone(), it);
    Dependency: |directory, it| directory.dependencies.renew(it);
    Ownership: |directory, it| directory.ownerships.renew(it);
    Absence: |directory, it| directory.absences.put(it, |row| &row.id);
    Delegation: |directory, it| directory.delegations.put(it, |row| &row.id);
    CustomField: |directory, it| directory.custom_fields.insert(it.key.clone(), it);
    Calendar: |directory, it| directory.calendars.insert(it.key.clone(), it);
    Freeze: |directory, it| if it.ended {
        directory.freezes.remove(&it.id, |row| &row.id);
    } else {
        directory.freezes.put(it, |row| &row.id);
    };
    MaintenanceWindow: |directory, it| if it.ended {
        directory.windows.remove(&it.id, |row| &row.id);
    } else {
        directory.windows.put(it, |row| &row.id);
    };
    Incident: |directory, it| directory.incidents.insert(it.key.clone(), it);
    StandardTemplate: |directory, it| directory.templates.insert(it.key.clone(), it);
    Meeting: |directory, it| directory.meetings.put(it, |row| &row.id);
    OnCall: |directory, it| directory.on_call.put(it, |row| &row.id);
    DutyRota: |directory, it| if it.active {
        directory.duty_rotas.put(it, |row| &row.id);
    } else {
        directory.duty_rotas.remove(&it.id, |row| &row.id);
    };
    Training: |directory, it| directory.trainings.put(it, |row| &row.id);
    OutsideLook: |directory, it| directory.outside_looks.put(it, |row| &row.id);
    Conflict: |directory, it| if it.state == ConflictState::Gone {
        directory.conflicts.remove(&it.id, |row| &row.id);
    } else {
        directory.conflicts.put(it, |row| &row.id);
    };
    PlanningTerms: |directory, it| directory.planning_terms = Some(it);
    OutsideCalendar: |directory, it| if it.active {
        directory.outside_calendars.put(it, |row| &row.id);
    } else {
        directory.outside_calendars.remove(&it.id, |row| &row.id);
    };
    AuditMandate: |directory, it| directory.audit_mandates.put(it, |row| &row.id);
    Agent: |directory, it| directory.agents.put(it, |row| &row.id);
    Vendor: |directory, it| if it.active {
        directory.vendors.put(it, |row| &row.id);
    } else {
        directory.vendors.remove(&it.id, |row| &row.id);
    };
    VendorNotice: |directory, it| if it.state.is_live() {
        directory.vendor_notices.put(it, |row| &row.id);
    } else {
        directory.vendor_notices.remove(&it.id, |row| &row.id);
    };
    JointMaintenance: |directory, it| if it.active {
        directory.joint_maintenances.put(it, |row| &row.id);
    } else {
        directory.joint_maintenances.remove(&it.id, |row| &row.id);
    };
    Traffic: |directory, it| if it.active {
        directory.traffic.insert(it.service.clone(), it);
    } else {
        directory.traffic.remove(&it.service);
    };
    FailureModel: |directory, it| directory.put_model(it);
}

impl Directory {
    /// Puts a model of failure in force, unless a later one is.
    pub fn put_model(&mut self, model: FailureModel) {
        let before = self.failure_model.as_ref().map(|it| (it.fitted_at, it.id.clone()));
        if before.is_none_or(|before| before <= (model.fitted_at, model.id.clone())) {
            self.failure_model = Some(Arc::new(model));
        }
    }

    /// Puts a person in the place of the one with the same id, and their login in the place of the one they had.
    pub fn put_person(&mut self, person: Person) {
        if let Some(before) = self.people.get(&person.id)
            && before.login != person.login
        {
            let login = before.login.clone();
            // Somebody else may have taken the old login in the same act.
            if self.logins.get(&login) == Some(&person.id) {
                self.logins.remove(&login);
            }
        }
        if self.logins.get(&person.login) != Some(&person.id) {
            self.logins.insert(person.login.clone(), person.id.clone());
        }
        self.people.insert(person.id.clone(), person);
    }
}
