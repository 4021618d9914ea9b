//! The effects of a saved change, in order.

use crate::change::set_template::count_failures;
use crate::core::context::Effect;
use crate::effects::follow_items::follow_items;
use crate::effects::lapse_exceptions::lapse_exceptions;
use crate::effects::mirror_links::mirror_links;
use crate::effects::refresh_gate::refresh_gate;
use crate::effects::settle_related_changes::settle_others;
use crate::integration::beside::mirror_changes::mirror_saved;
use crate::integration::external_checks::answer_moved;
use crate::notify::communicate::follow_stage;
use crate::notify::invite::invite;
use crate::risk::ask_probes::queue_new;
use crate::schedule::keep_conflicts::follow_saved;
use crate::schedule::set_joint_maintenance::follow_joint;

/// Links get their rows first, because an effect that saves the change again ends the round. Exceptions lapse and
/// templates are suspended before the evaluation that depends on them; conflicts are updated once the plans are
/// evaluated. The gate, outside systems and action items follow evaluated changes. Probes are requested for them, and
/// people are notified last.
pub(crate) const EFFECTS: &[Effect] = &[
    mirror_links,
    lapse_exceptions,
    count_failures,
    settle_others,
    follow_joint,
    follow_saved,
    refresh_gate,
    answer_moved,
    mirror_saved,
    queue_new,
    follow_items,
    follow_stage,
    invite,
];
