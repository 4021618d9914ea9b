//! The estate of a tenant: all records that decisions use. The estate is loaded once; later writes are read record by
//! record into a copy that shares the other records.

use std::collections::{BTreeMap, BTreeSet};

use model::approval::absence::{Absence, Delegation};
use model::cab::duty_rota::DutyRota;
use model::cab::meeting::{Meeting, OnCall};
use model::cab::training::Training;
use model::change::custom_field::CustomField;
use model::directory::apply_write::Held;
use model::directory::audit_mandate::AuditMandate;
use model::directory::snapshot::{
    ConfigItem, Dependency, Directory, Environment, Freeze, Group, Incident, MaintenanceWindow, Ownership, Person,
    Service, StandardTemplate, Tenant,
};
use model::directory::vendor::Vendor;
use model::emergency::outside_look::OutsideLook;
use model::identity::agent::Agent;
use model::risk::forecast::model_record::FailureModel;
use model::schedule::calendar::Calendar;
use model::schedule::conflict_record::Conflict;
use model::schedule::joint_maintenance::JointMaintenance;
use model::schedule::outside_calendar::OutsideCalendar;
use model::schedule::planning_terms::PlanningTerms;
use model::schedule::traffic::Traffic;
use model::schedule::vendor_notice::VendorNotice;
use store::Tx;
use store::directory::estate_write;
use store::record::{self, Filter, Record};

use crate::core::error::{Error, Result};

/// How many records are read at once: their texts use memory beside the parsed records.
const AT_ONCE: usize = 500;

/// Reads all records of a noun into a directory.
fn all<R: Record + Held>(tx: &mut Tx<'_>, directory: &mut Directory) -> Result<()> {
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let mut after = String::new();
    loop {
        let page = Filter::new().more("id", after.as_str()).order_by("id").limit(limit);
        let found = record::bodies::<R>(tx, &page)?;
        let is_last = found.len() < AT_ONCE;
        if let Some(last) = found.last() {
            last.id().clone_into(&mut after);
        }
        for record in found {
            record.put_into(directory);
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Reads some records of a noun into a directory; returns whether all of them exist.
fn some<R: Record + Held>(tx: &mut Tx<'_>, directory: &mut Directory, ids: &[String]) -> Result<bool> {
    for ids in ids.chunks(AT_ONCE) {
        let wanted = Filter::new()
            .one_of("id", ids.iter().map(String::as_str))
            .order_by("id");
        let found = record::bodies::<R>(tx, &wanted)?;
        if found.len() != ids.len() {
            return Ok(false);
        }
        for record in found {
            record.put_into(directory);
        }
    }
    Ok(true)
}

/// The nouns of the estate, and the operation on each by its table.
macro_rules! nouns {
    ($($noun:ty),+ $(,)?) => {
        /// Whether a directory holds the records of a table.
        pub(crate) fn is_held(table: &str) -> bool {
            [$(<$noun as Record>::TABLE),+].contains(&table)
        }

        /// Loads the whole estate. Withdrawn freezes and windows are left out.
        ///
        /// # Errors
        /// The store's.
        pub fn load(tx: &mut Tx<'_>, generation: i64) -> Result<Directory> {
            let mut directory = Directory {
                generation,
                ..Directory::default()
            };
            $(all::<$noun>(tx, &mut directory)?;)+
            Ok(directory)
        }

        fn bring(tx: &mut Tx<'_>, directory: &mut Directory, table: &str, ids: &[String]) -> Result<bool> {
            match table {
                $(it if it == <$noun as Record>::TABLE => some::<$noun>(tx, directory, ids),)+
                _ => Err(Error::Fault(format!("`{table}` is no part of the estate"))),
            }
        }
    };
}

nouns![
    Tenant,
    Person,
    Group,
    Service,
    ConfigItem,
    Environment,
    Dependency,
    Ownership,
    Absence,
    Delegation,
    CustomField,
    Calendar,
    Freeze,
    MaintenanceWindow,
    Incident,
    StandardTemplate,
    Meeting,
    OnCall,
    DutyRota,
    Training,
    OutsideLook,
    Conflict,
    PlanningTerms,
    OutsideCalendar,
    AuditMandate,
    Agent,
    Vendor,
    VendorNotice,
    JointMaintenance,
    Traffic,
    FailureModel,
];

/// The estate at a later value of its counter, made of an earlier one and of the records written in between. `None`
/// when those records are unknown; then the estate must be loaded.
///
/// # Errors
/// The store's.
pub(crate) fn advance(tx: &mut Tx<'_>, from: &Directory, generation: i64) -> Result<Option<Directory>> {
    let Some(written) = estate_write::between(tx, from.generation, generation)? else {
        return Ok(None);
    };
    let mut directory = from.clone();
    directory.generation = generation;
    if bring_all(tx, &mut directory, written)? {
        return Ok(Some(directory));
    }
    Ok(None)
}

fn bring_all(tx: &mut Tx<'_>, directory: &mut Directory, written: BTreeSet<estate_write::Written>) -> Result<bool> {
    let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, id) in written {
        by_table.entry(table).or_default().push(id);
    }
    for (table, ids) in by_table {
        // A later binary may note a noun that this binary does not know.
        if is_held(&table) && !bring(tx, directory, &table, &ids)? {
            return Ok(false);
        }
    }
    Ok(true)
}
