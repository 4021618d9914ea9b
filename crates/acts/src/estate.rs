//! Loads the estate of a tenant: everything of it that decisions look at.

use model::absence::{Absence, Delegation};
use model::board::{Meeting, OnCall};
use model::calendar::Calendar;
use model::custom_field::CustomField;
use model::directory::{
    ConfigItem, Dependency, Directory, Environment, Freeze, Group, Incident, MaintenanceWindow, Ownership, Person,
    Service, StandardTemplate, Tenant,
};
use model::outside_look::OutsideLook;
use model::training::Training;
use store::Tx;
use store::record::{self, Filter, Record};

use crate::error::Result;

fn all<R: Record>(tx: &mut Tx<'_>) -> Result<Vec<R>> {
    let filter = Filter::new().order_by("id");
    Ok(record::find::<R>(tx, &filter)?
        .into_iter()
        .map(|stored| stored.record)
        .collect())
}

/// Loads everything. Freezes and windows that were taken back are left out.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, generation: i64) -> Result<Directory> {
    let tenant = tx.tenant().to_owned();
    let mut directory = Directory {
        generation,
        ..Directory::default()
    };
    directory.tenant = record::load::<Tenant>(tx, &tenant)?.map(|stored| stored.record);
    for person in all::<Person>(tx)? {
        directory.logins.insert(person.login.clone(), person.id.clone());
        directory.people.insert(person.id.clone(), person);
    }
    directory.groups = all::<Group>(tx)?
        .into_iter()
        .map(|group| (group.key.clone(), group))
        .collect();
    directory.services = all::<Service>(tx)?
        .into_iter()
        .map(|service| (service.key.clone(), service))
        .collect();
    directory.config_items = all::<ConfigItem>(tx)?
        .into_iter()
        .map(|item| (item.key.clone(), item))
        .collect();
    directory.environments = all::<Environment>(tx)?
        .into_iter()
        .map(|place| (place.key.clone(), place))
        .collect();
    directory.dependencies = all::<Dependency>(tx)?
        .into_iter()
        .filter(|arrow| !arrow.ended)
        .collect::<Vec<_>>()
        .into();
    directory.ownerships = all::<Ownership>(tx)?.into();
    directory.absences = all::<Absence>(tx)?;
    directory.delegations = all::<Delegation>(tx)?;
    directory.custom_fields = all::<CustomField>(tx)?
        .into_iter()
        .map(|field| (field.key.clone(), field))
        .collect();
    directory.calendars = all::<Calendar>(tx)?
        .into_iter()
        .map(|calendar| (calendar.key.clone(), calendar))
        .collect();
    directory.freezes = all::<Freeze>(tx)?.into_iter().filter(|freeze| !freeze.ended).collect();
    directory.windows = all::<MaintenanceWindow>(tx)?
        .into_iter()
        .filter(|window| !window.ended)
        .collect();
    directory.incidents = all::<Incident>(tx)?
        .into_iter()
        .map(|incident| (incident.key.clone(), incident))
        .collect();
    directory.templates = all::<StandardTemplate>(tx)?
        .into_iter()
        .map(|template| (template.key.clone(), template))
        .collect();
    directory.meetings = all::<Meeting>(tx)?;
    directory.on_call = all::<OnCall>(tx)?;
    directory.trainings = all::<Training>(tx)?;
    directory.outside_looks = all::<OutsideLook>(tx)?;
    Ok(directory)
}
