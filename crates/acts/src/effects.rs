//! What follows from a saved change, in order.

use crate::answer_outside::answer_moved;
use crate::lapse_exceptions::lapse_exceptions;
use crate::refresh_gate::refresh_gate;
use crate::room::Effect;
use crate::settle_others::settle_others;

/// Exceptions lapse first, as what is judged after that depends on them. The gate and outside systems are answered last, from
/// changes that were judged.
pub(crate) const EFFECTS: &[Effect] = &[lapse_exceptions, settle_others, refresh_gate, answer_moved];
