//! What follows from a saved change, in order.

use crate::change::set_template::count_failures;
use crate::core::context::Effect;
use crate::effects::lapse_exceptions::lapse_exceptions;
use crate::effects::refresh_gate::refresh_gate;
use crate::effects::settle_related_changes::settle_others;
use crate::integration::external_checks::answer_moved;
use crate::schedule::keep_conflicts::follow_saved;

/// Exceptions lapse and templates are suspended first, as what is judged after that depends on them; conflicts are followed once the plans are judged. The gate and outside systems are answered last, from
/// changes that were judged.
pub(crate) const EFFECTS: &[Effect] = &[
    lapse_exceptions,
    count_failures,
    settle_others,
    follow_saved,
    refresh_gate,
    answer_moved,
];
