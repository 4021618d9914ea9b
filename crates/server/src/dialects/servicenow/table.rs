//! The supported tables, by their names.

use crate::dialects::api::Refused;

/// A supported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Change,
    ChangeTask,
    Incident,
    Problem,
    CmdbCi,
    SysUser,
    SysUserGroup,
    Approver,
    TemplateVersion,
}

/// The tables and their names.
pub(super) const TABLES: &[(Table, &str)] = &[
    (Table::Change, "change_request"),
    (Table::ChangeTask, "change_task"),
    (Table::Incident, "incident"),
    (Table::Problem, "problem"),
    (Table::CmdbCi, "cmdb_ci"),
    (Table::SysUser, "sys_user"),
    (Table::SysUserGroup, "sys_user_group"),
    (Table::Approver, "sysapproval_approver"),
    (Table::TemplateVersion, "std_change_producer_version"),
];

impl Table {
    pub(super) fn name(self) -> &'static str {
        let row = TABLES.iter().find(|(table, _)| *table == self);
        row.map_or("", |(_, name)| name)
    }

    /// The table with this name.
    ///
    /// # Errors
    /// The list of the tables.
    pub(super) fn named(name: &str) -> Result<Self, Refused> {
        let row = TABLES.iter().find(|(_, known)| *known == name);
        row.map(|(table, _)| *table).ok_or_else(|| {
            let known: Vec<&str> = TABLES.iter().map(|(_, name)| *name).collect();
            let text = format!("There is no table `{name}` here. There are: {}.", known.join(", "));
            Refused::new(400, "invalid_table", text)
        })
    }
}
