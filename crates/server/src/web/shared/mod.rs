//! Code that all areas of this layer share.

pub(super) mod assets;
pub(super) mod bad_address;
pub(super) mod fields;
pub(super) mod flash;
pub(super) mod form;
pub(super) mod form_page;
pub(super) mod help;
pub(super) mod idempotent_form;
pub(super) mod labels;
pub(super) mod languages;
pub(super) mod list_filter;
pub(super) mod live;
pub(super) mod monitoring_section;
pub(super) mod moved_times;
pub(super) mod noun_page;
pub(super) mod picks;
pub(super) mod problem;
pub(super) mod propose_form;
pub(super) mod record_edit_conflict;
pub(super) mod response;
pub(super) mod resumed_form;
pub(super) mod sign_in_page;
pub(super) mod step_up;
pub(super) mod timeline;
pub(super) mod view;
pub(super) mod words;
