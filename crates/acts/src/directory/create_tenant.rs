//! Creates a tenant on the host: its settings, environments, the two groups that every tenant has, its keys and its
//! log.

use model::compliance::erasure;
use model::core::enums::Day;
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Environment, Group, GroupKind, Tenant};
use model::risk::assessment::RiskTable;
use model::risk::terms::RiskTerms;
use model::schedule::calendar::{self, Calendar, Hours};
use serde_json::json;
use store::record;

use crate::audit::open_log;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::directory::review_by_clock;

/// The groups that the base policies name: key and name.
const GROUPS: [(&str, &str); 2] = [("change-managers", "Change managers"), ("security", "Security")];

/// Refuses a text that cannot be the key of a tenant of people: the log of Assent itself has a tenant of its own, and a
/// key of dots means another place in a URL.
///
/// # Errors
/// 422.
pub fn check_key(key: &str) -> std::result::Result<(), Refusal> {
    if key.eq_ignore_ascii_case(store::SYSTEM_TENANT) {
        let text = format!(
            "`{key}` is reserved for the log of Assent itself and has no members. Choose another key for the tenant."
        );
        return Err(Refusal::field("tenant", "reserved", text));
    }
    if store::check_tenant(key).is_err() || key.bytes().all(|byte| byte == b'.') {
        let text =
            "A tenant's key has 1 to 64 of the characters A-Z a-z 0-9 . _ : - and is more than dots, such as `acme`.";
        return Err(Refusal::field("tenant", "not_a_key", text));
    }
    Ok(())
}

/// Creates the tenant of this context's transaction, unless it exists already.
///
/// # Errors
/// 422 for a key that no tenant of people has, or the store's.
pub fn create_tenant(cx: &mut Context<'_, '_>, name: &str, demo: bool) -> Result<()> {
    let key = cx.tenant();
    check_key(key.as_str())?;
    if record::load::<Tenant>(cx.tx, &key)?.is_some() {
        return Ok(());
    }
    open_log::open_log(cx)?;
    let risk_table = RiskTable::default();
    let tenant = Tenant {
        id: key,
        version: 0,
        name: name.to_owned(),
        demo,
        log_is_public: false,
        log_said: None,
        status_is_public: false,
        status_said: None,
        access_review_period: Default::default(),
        ownership_by_two: !demo,
        sla_table: Default::default(),
        sla_table_from: None,
        watch_table: Default::default(),
        watch_table_from: None,
        major_severity: model::incident::major::USUAL_BOUND,
        major_severity_from: None,
        retention: erasure::Retention::default(),
        retention_from: None,
        risk_table,
        risk_terms: RiskTerms::default(),
        risk_table_from: None,
        mapping: Vec::new(),
        mapping_from: None,
        policies: None,
    };
    cx.put_estate("tenant.created", tenant, json!({}))?;
    for (key, name, is_production) in [("staging", "Staging", false), ("production", "Production", true)] {
        let id = RecordId(cx.new_id()?);
        let place = Environment {
            id,
            version: 0,
            key: key.into(),
            name: name.to_owned(),
            is_production,
        };
        cx.put_estate("environment.set", place, json!({}))?;
    }
    cx.put_estate("calendar.set", usual_calendar(cx)?, json!({}))?;
    for (key, name) in GROUPS {
        let id = RecordId(cx.new_id()?);
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
        cx.put_estate("group.set", group, json!({}))?;
    }
    // A history that is entered afterwards has no access reviews of its own: the first review begins at its real time.
    review_by_clock::set_after(cx, cx.now.max(cx.recorded_at))
}

/// Weekdays from eight to five, in UTC until somebody sets the tenant's zone.
fn usual_calendar(cx: &Context<'_, '_>) -> Result<Calendar> {
    let days = [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday];
    Ok(Calendar {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: calendar::USUAL.to_owned(),
        name: "Usual working hours".to_owned(),
        zone: "UTC".to_owned(),
        hours: days
            .into_iter()
            .map(|day| Hours {
                day,
                from: "08:00".to_owned(),
                to: "17:00".to_owned(),
            })
            .collect(),
        holidays: Vec::new(),
        fiscal: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_of_people_is_neither_the_systems_nor_a_path() {
        for fine in ["acme", "halden-freight", "a.b", "systems", ".a", "A:1"] {
            assert_eq!(check_key(fine), Ok(()), "{fine}");
        }
        for reserved in ["system", "System"] {
            let refusal = check_key(reserved).err();
            assert!(
                matches!(&refusal, Some(Refusal::Invalid(errors)) if errors[0].code == "reserved"),
                "{refusal:?}"
            );
        }
        for odd in [".", "..", "...", "", "a/b", "a b"] {
            assert!(check_key(odd).is_err(), "{odd}");
        }
    }
}
