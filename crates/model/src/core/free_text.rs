//! The free-text fields of a record: the log commits to them with a salt instead of holding them, so that they can be erased
//! while the proof stays valid. A name means the same in every record.

/// Fields that may hold a person's text or name.
pub const TEXT_FIELDS: &[&str] = &[
    "accounts",
    "asked_artifact",
    "asked_environment",
    "asked_service",
    "attributes",
    "audience",
    "business_contact",
    "cause_text",
    "charter",
    "check",
    "choice",
    "choices",
    "comment",
    "contacts",
    "contributing",
    "copies_into",
    "decided_why",
    "defaults",
    "description",
    "digest_salt",
    "doer",
    "email",
    "ended",
    "ended_reason",
    "entity_tag",
    "evidence_note",
    "expedited_reason",
    "expression",
    "external_id",
    "external_keys",
    "external_ref",
    "field_map",
    "imported",
    "improvements",
    "incident",
    "item",
    "justification",
    "labels",
    "lift_asked_reason",
    "lift_reason",
    "login",
    "mail_address",
    "mail_addresses",
    "name",
    "narrowed_by",
    "no_rollback_reason",
    "objectives",
    "opted_out_addresses",
    "read_problem",
    "reason",
    "reasons_before",
    "revoked_reason",
    "said_by",
    "satisfy",
    "scrape_targets",
    "security",
    "service_map",
    "state_map",
    "subject",
    "subject_de",
    "subject_en",
    "subjects",
    "summary",
    "team",
    "text",
    "text_de",
    "text_en",
    "threat",
    "title",
    "told_approvers",
    "told_by",
    "told_outcome",
    "told_service",
    "told_state",
    "typed",
    "url",
    "verification",
    "waiting_on",
    "why",
];

/// Whether a field holds free text.
pub fn is_text(field: &str) -> bool {
    TEXT_FIELDS.binary_search(&field).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::TEXT_FIELDS.is_sorted());
    }
}
