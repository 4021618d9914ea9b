//! Typed page in, HTML out.
//!
//! Each page is a public struct of plain values: words, times already written
//! for the reader (see [`Reader`]), acts as data ([`ActForm`]). It never asks a
//! database or a person's rights; the server decides what is on it. `render`
//! gives the whole document, `samples` gives believable instances, which the
//! tests render and check.
//!
//! Rules that every page keeps: it works without JavaScript, a change of state
//! is a POST form, there is no `style` attribute and no inline script, one
//! sprite holds only the icons used, texts of people are escaped and their
//! hidden characters made visible.

mod api;
pub mod assets;
mod audit;
mod calendar;
mod change;
mod change_form;
mod components;
mod figures;
mod filters;
mod form;
mod frame;
mod gate;
mod glossary;
mod help;
mod home;
mod icons;
mod kept;
pub mod language;
mod list;
mod lists;
pub mod mail;
mod parts;
mod problem;
mod reader;
mod record;
mod rich;
mod runbook;
pub mod samples;
mod sign_in;
mod table;
pub mod text;
mod usual;
mod words;

pub use api::ApiPage;
pub use audit::{AuditLog, LogEntry};
pub use calendar::{Band, Bar, Block, Calendar, Day, Drawing, Lane, Standing};
pub use change::{ChangePage, Decision, TargetRow, Work};
pub use change_form::{ChangeFields, ChangeForm, Conflict, DerivedFact, Fits, FormSection, NINE, RowGroup, Rows};
pub use components::Components;
pub use figures::{Figure, Graph, GraphNode};
pub use form::{ActForm, ActTone, Choice, Field, Input, WRONG};
pub use frame::{Frame, Place, Seal, WAITING_SHOWN};
pub use gate::GatePage;
pub use glossary::glossary;
pub use help::{Help, Term};
pub use home::{Home, QueueCard, QueueRow};
pub use kept::Kept;
pub use list::{Bulk, Chip, FILTER_FORM, List, ListOrder, ListRow, View};
pub use lists::administration::{People, PersonRow};
pub use lists::changes::{ChangeList, ChangeRow};
pub use lists::deliveries::{Deliveries, DeliveryRow};
pub use lists::estate::{ServiceRow, Services};
pub use lists::incidents::{IncidentRow, Incidents};
pub use lists::messages::{MessageRow, Messages};
pub use lists::oversight::{GateCheckRow, GateChecks};
pub use lists::ownership::{OwnershipRow, Ownerships};
pub use lists::templates::{TemplateRow, Templates};
pub use lists::times::{FreezeRow, Freezes, WindowRow, Windows};
pub use lists::tokens::{TokenRow, Tokens};
pub use parts::{Brief, Empty, Entry, Fact, Moment, Notice, PlanStep, Stepper};
pub use problem::Problem;
pub use reader::{FieldTime, Reader, count, count_word, minutes, short_digest, size};
pub use record::{RecordPage, Section, SectionBody};
pub use rich::Rich;
pub use runbook::{RunClock, RunStep, Runbook};
pub use sign_in::{Passkey, SignIn, StepUp};
pub use table::{Cell, Column, Fold, Paging, Sort, Table};
pub use usual::{Act, ActContext, once};
pub use words::{Kind, Mark, Risk, State, Tone};

/// The `Content-Security-Policy` under which every page works: nothing inline,
/// nothing from elsewhere, no framing.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A component: a value of this crate that knows its own, already escaped HTML.
/// Strings are deliberately none, so a template cannot pass one through unescaped.
pub trait Part {
    /// The component's HTML.
    fn html(&self) -> String;
}

impl<T: Part + ?Sized> Part for &T {
    fn html(&self) -> String {
        (**self).html()
    }
}

/// Renders a template into memory.
pub(crate) fn render<T: askama::Template>(template: &T) -> String {
    template
        .render()
        .expect("writing a page into memory cannot fail: no filter of this crate returns an error")
}
