//! The endpoints for agents. A writing endpoint is closed to agents unless this list names it, so a new endpoint needs a review
//! before an agent can write through it. Their services limit what agents can read.

use acts::Context;
use model::core::refusal::Refusal;
use store::Mode;

use super::Route;

/// Operations that write and are open to agents: drafting, testing, and the work within a permit.
const OPEN: &[&str] = &[
    "create_change",
    "edit_change",
    "submit_change",
    "comment_change",
    "add_evidence",
    "start_change",
    "record_entry",
    "ask_extension",
    "complete_change",
    "issue_permit",
    "create_gate_check",
    "collect_permit",
    "consume_permit",
];

/// Refuses an agent a writing endpoint that is not in the list.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the code `agent_decides_nothing`, or the store's.
pub(super) fn check_door(cx: &mut Context<'_, '_>, route: &Route) -> acts::Result<()> {
    if route.mode() == Mode::Read || OPEN.contains(&route.operation) || cx.actor.is_system {
        return Ok(());
    }
    let person = cx.actor.person.clone();
    if cx.directory()?.agent(&person).is_none() {
        return Ok(());
    }
    let text = "An agent can only draft, test and implement within a permit. A person must do this.";
    Err(Refusal::not_allowed("agent_decides_nothing", text).into())
}

#[cfg(test)]
mod tests {
    use model::core::act::Act;
    use model::directory::agent_rules::is_act_of_agents;

    use super::OPEN;

    #[test]
    fn every_open_door_is_there_and_none_is_of_an_act_that_agents_do_not_have() {
        for operation in OPEN {
            let mut rows = wire::openapi::routes().iter();
            assert!(rows.any(|row| row.operation == *operation), "{operation}");
            let is_closed = Act::named(operation).is_some_and(|act| !is_act_of_agents(act));
            assert!(!is_closed, "{operation}");
        }
    }
}
