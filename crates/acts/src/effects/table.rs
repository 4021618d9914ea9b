//! What follows from a saved change, in order.

use crate::change::set_template::count_failures;
use crate::core::context::Effect;
use crate::effects::follow_items::follow_items;
use crate::effects::lapse_exceptions::lapse_exceptions;
use crate::effects::refresh_gate::refresh_gate;
use crate::effects::settle_related_changes::settle_others;
use crate::integration::external_checks::answer_moved;

/// Exceptions lapse and templates are suspended first, as what is judged after that depends on them. The gate and outside systems are answered from
/// changes that were judged, and so are action items.
pub(crate) const EFFECTS: &[Effect] = &[
    lapse_exceptions,
    count_failures,
    settle_others,
    refresh_gate,
    answer_moved,
    follow_items,
];
