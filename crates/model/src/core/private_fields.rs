//! Fields of a record that its other readers do not get, on any interface. Views of records leave these fields out; the log's
//! own view marks them as withheld, so that an auditor sees that they were written.

/// Fields that are withheld in every record, at any depth: data of an identity provider or a directory about a person is for
/// SCIM alone, and notification preferences are private.
pub const PERSONAL: &[&str] = &["attributes", "external_id", "subjects", "telling"];

/// Fields of one table each: the salts of erased texts, the digest of a secret, and an address that may hold its receiver's
/// token. Other digests name policies, templates and facts, and are there to be compared.
const OF_TABLES: &[(&str, &str)] = &[
    ("change", "digest_salt"),
    ("token", "digest"),
    ("webhook", "url"),
    ("sink", "url"),
];

/// Whether a field of a record of this table is withheld where the log is shown.
#[must_use]
pub fn is_withheld(table: &str, field: &str) -> bool {
    PERSONAL.contains(&field) || OF_TABLES.contains(&(table, field))
}

#[cfg(test)]
mod tests {
    use super::is_withheld;

    #[test]
    fn what_is_for_scim_alone_is_withheld_everywhere_and_digests_of_secrets_where_they_are() {
        assert!(is_withheld("person", "attributes") && is_withheld("a_table_to_come", "external_id"));
        assert!(is_withheld("token", "digest") && !is_withheld("configuration", "digest"));
        assert!(!is_withheld("person", "login"));
    }
}
