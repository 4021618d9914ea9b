//! Makes a tenant on the host: its settings, environments, the two groups that every tenant has, its keys and its log.

use model::directory::{Environment, Group, GroupKind, Tenant};
use model::ids::RecordId;
use model::risk::RiskTable;
use serde_json::json;
use store::record;

use crate::error::Result;
use crate::room::Room;

/// The groups that the base policies name: key and name.
const GROUPS: [(&str, &str); 2] = [("change-managers", "Change managers"), ("security", "Security")];

/// Makes the tenant of this room's transaction, unless it is there already.
///
/// # Errors
/// The store's.
pub fn create_tenant(room: &mut Room<'_, '_>, name: &str, demo: bool) -> Result<()> {
    let key = room.tenant();
    if record::load::<Tenant>(room.tx, &key)?.is_some() {
        return Ok(());
    }
    crate::open_log::open_log(room)?;
    let risk_table = RiskTable::default();
    let tenant = Tenant {
        id: key,
        version: 0,
        name: name.to_owned(),
        demo,
        log_is_public: false,
        risk_table,
        risk_table_from: None,
        policies: None,
    };
    room.put_estate("tenant.created", tenant, json!({}))?;
    for (key, name, is_production) in [("staging", "Staging", false), ("production", "Production", true)] {
        let id = RecordId(room.new_id()?);
        let place = Environment {
            id,
            version: 0,
            key: key.into(),
            name: name.to_owned(),
            is_production,
        };
        room.put_estate("environment.set", place, json!({}))?;
    }
    for (key, name) in GROUPS {
        let id = RecordId(room.new_id()?);
        let members = std::collections::BTreeSet::new();
        let group = Group {
            id,
            version: 0,
            key: key.into(),
            name: name.to_owned(),
            members,
            kind: GroupKind::Group,
            calendar: None,
            external_id: None,
            removed: false,
        };
        room.put_estate("group.set", group, json!({}))?;
    }
    Ok(())
}
