//! The acts of the business: one verb, one file. Each loads what it needs, has the policies judge, decides in `model`, and
//! saves state, event and consequences in one transaction. REST, pages, webhooks, timers and the command line are doors to
//! these functions, never copies of them.

pub mod accept_evidence;
pub mod acknowledge_change;
pub mod add_task;
pub mod approve_change;
pub mod ask_extension;
pub mod assess_change;
pub mod break_glass;
pub mod cancel_change;
pub mod close_change;
pub mod comment_change;
pub mod complete_change;
pub mod confirm_retrospective;
pub mod cosign_break_glass;
pub mod create_change;
pub mod decide_extension;
pub mod desk;
pub mod edit_change;
pub mod error;
pub mod estate;
pub mod gate;
pub mod hold_change;
pub mod issue_permit;
pub mod keys;
pub mod link_change;
pub mod meet_condition;
pub mod overrule_rejection;
pub mod peer_review_change;
pub mod record_entry;
pub mod resume_change;
pub mod return_change;
pub mod review_change;
pub mod revoke_permit;
pub mod room;
pub mod run_timer;
pub mod save;
pub mod schedule_change;
pub mod set_freeze;
pub mod settle_open;
pub mod start_change;
pub mod state_finding;
pub mod submit_change;
pub mod tick_checklist;
pub mod update_task;
pub mod validate_break_glass;
pub mod validate_change;
pub mod watch_change;
pub mod withdraw_approval;

pub use desk::{Clock, Desk, Tools};
pub use error::{Error, Result};
pub use room::Room;
