//! Typed page in, HTML out.
//!
//! Each page is a public struct of plain values: texts, times already written for the reader (see [`Reader`]), acts as data
//! ([`ActForm`]). A page never queries a database or a person's rights; the server decides its content. `render` gives the
//! whole document, `samples` gives believable instances, which the tests render and check.
//!
//! Rules that every page keeps: it works without JavaScript, a change of state
//! is a POST form, there is no `style` attribute and no inline script, one
//! sprite holds only the icons used, texts of people are escaped and their
//! hidden characters made visible.

mod api;
mod approval;
pub mod assets;
mod audit;
mod change;
mod components;
mod directory;
pub mod elements;
mod gate;
mod help;
mod identity;
mod incident;
mod integration;
mod kept;
pub mod language;
pub mod notify;
mod problem;
mod risk;
pub mod samples;
mod schedule;

pub use api::ApiPage;
pub use approval::home::{Home, HomeNumber, QueueCard, QueueRow};
pub use audit::log::{AuditLog, LogEntry};
pub use change::by_steps::BySteps;
pub use change::change_form::{
    ChangeFields, ChangeForm, Conflict, DerivedFact, Fits, FormSection, IN_A_MENU, KeptDraft, NINE, RowGroup, Rows,
};
pub use change::changes::{ChangeList, ChangeRow};
pub use change::page::{ChangePage, Decision, LEFT_OUT, TargetRow, Work};
pub use change::runbook::{RunClock, RunStep, RunUndo, Runbook};
pub use change::templates::{TemplateRow, Templates};
pub use change::usual::{Act, ActContext, SecurityQuestionField, once};
pub use components::Components;
pub use directory::ownership::{OwnershipRow, Ownerships};
pub use directory::people::{People, PersonRow};
pub use directory::services::{ServiceRow, Services};
pub use elements::chart::{Chart, Dot, MoveLine, Plot, SeriesPoint, StackedBar, StepMark};
pub use elements::dependency_picture::{DependencyPicture, Neighbour};
pub use elements::figures::{Figure, Graph, GraphNode};
pub use elements::form::{ActForm, ActTone, Choice, Field, IN_WORDS, Input, WRONG};
pub use elements::frame::{Frame, Place, Seal, WAITING_SHOWN};
pub use elements::glossary::{Term, glossary};
pub use elements::list::{Bulk, Chip, FILTER_FORM, List, ListOrder, ListRow, View};
pub use elements::natural_time::parse_times;
pub use elements::part::Part;
pub(crate) use elements::part::render;
pub use elements::parts::{Brief, Empty, Entry, Fact, Moment, Named, Notice, PlanStep, StageStep, Stepper};
pub use elements::reader::{FieldTime, Reader, count, count_word, minutes, short_digest, size};
pub use elements::record::{RecordPage, Section, SectionBody};
pub use elements::rich::Rich;
pub use elements::table::{Cell, Column, Fold, Paging, Sort, Table};
pub use elements::words::{Kind, Mark, Risk, State, Tone};
pub use gate::check::GatePage;
pub use gate::checks::{GateCheckRow, GateChecks};
pub use gate::emergency_card::PrintedCard;
pub use help::Help;
pub use identity::sign_in::{Passkey, SignIn, StepUp};
pub use identity::tokens::{TokenRow, Tokens};
pub use incident::incidents::{IncidentRow, Incidents};
pub use integration::deliveries::{Deliveries, DeliveryRow};
pub use kept::Kept;
pub use notify::messages::{MessageRow, Messages};
pub use problem::Problem;
pub use risk::calibration::{CalibrationPlot, CalibrationPoint};
pub use risk::forecast::{ForecastBar, ForecastPicture, Probability};
pub use risk::icon_array::IconArray;
pub use risk::matrix::{MatrixPicture, MatrixSquare};
pub use schedule::calendar::{Band, Bar, Block, Calendar, CalendarStatus, Day, Drawing, Lane, Movable};
pub use schedule::times::{FreezeRow, Freezes, WindowRow, Windows};

/// The `Content-Security-Policy` under which every page works: nothing inline,
/// nothing from elsewhere, no framing.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
