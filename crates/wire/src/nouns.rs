//! The cards of nouns, for the command line.

pub use model::audit::witness::Witness;
pub use model::compliance::hold_order::HoldOrder;
pub use model::core::card::{Card, Does, Field, Kind, Noun, Verb};
pub use model::directory::vendor::Vendor;
pub use model::incident::incident_review::IncidentReview;
pub use model::incident::monitor::Monitor;
pub use model::incident::problem::ProblemRecord;
pub use model::incident::record_link::RecordLink;
pub use model::integration::foreign_system::ForeignSystem;
pub use model::integration::imported_change::ImportedChange;
pub use model::notify::action_item::ActionItem;
pub use model::notify::communication_plan::CommunicationPlan;
pub use model::nouns::CARDS;
pub use model::report::saved_dashboard::Dashboard;
pub use model::schedule::outside_calendar::OutsideCalendar;
pub use model::schedule::traffic::Traffic;
pub use model::schedule::vendor_notice::VendorNotice;
