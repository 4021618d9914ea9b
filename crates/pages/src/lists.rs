//! The lists: what a row of each kind of record holds and shows.

mod administration;
mod changes;
mod estate;
mod oversight;
mod ownership;
mod times;

pub use administration::{People, PersonRow, TokenRow, Tokens};
pub use changes::{ChangeList, ChangeRow};
pub use estate::{IncidentRow, Incidents, ServiceRow, Services, TemplateRow, Templates};
pub use oversight::{Deliveries, DeliveryRow, GateCheckRow, GateChecks, MessageRow, Messages};
pub use ownership::{OwnershipRow, Ownerships};
pub use times::{FreezeRow, Freezes, WindowRow, Windows};

use crate::{ActForm, Cell};

/// The acts on one row; nothing when there are none.
fn row_acts(group: &str, acts: &[ActForm]) -> Cell {
    Cell::Acts {
        group: group.to_owned(),
        forms: acts.to_vec(),
    }
}
