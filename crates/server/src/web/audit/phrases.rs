//! The descriptions of events on pages; each follows the name of the acting person.

use model::nouns::CARDS;

/// Kind, icon and description of an event.
type Phrase = (&'static str, &'static str, &'static str);

/// Icon and description of an event of this kind; `None` for a kind that has none.
pub(crate) fn find(kind: &str) -> Option<(&'static str, &'static str)> {
    let mut all = PHRASES.iter().chain(WHOLE).copied().chain(of_cards());
    all.find(|(told, _, _)| *told == kind)
        .map(|(_, icon, words)| (icon, words))
}

/// The events of nouns with a card.
fn of_cards() -> impl Iterator<Item = Phrase> {
    let events = CARDS.iter().flat_map(|card| card.events);
    events.map(|event| (event.kind, event.icon, event.phrase))
}

/// Every kind that has a description.
#[cfg(test)]
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    PHRASES
        .iter()
        .chain(WHOLE)
        .copied()
        .chain(of_cards())
        .map(|(kind, _, _)| kind)
}

/// Whether the description of this kind needs no data of the event behind it.
pub(crate) fn needs_no_data(kind: &str) -> bool {
    WHOLE.iter().any(|(told, _, _)| *told == kind)
}

/// Descriptions that a decision, an outcome or a rule may follow.
const PHRASES: &[Phrase] = &[
    ("approval.acknowledged", "comment", "has seen it"),
    ("approval.expired", "clock", "let an approval expire"),
    ("approval.given", "go", "decided"),
    ("approval.requested", "bell", "requested a decision"),
    ("approval.unacknowledged", "clock", "reminded of an unanswered request"),
    ("approval.voided", "x", "voided an approval"),
    ("approval.withdrawn", "back", "withdrew a decision"),
    ("attempt.refused", "x", "was refused"),
    ("break_glass.cosigned", "incident", "cosigned the break-glass"),
    ("break_glass.ended", "incident", "ended the break-glass"),
    ("break_glass.opened", "incident", "used break-glass"),
    ("break_glass.validated", "go", "validated the break-glass"),
    ("change.author_added", "person", "brought other content from outside"),
    ("change.assessed", "s-assessing", "assessed it"),
    ("change.completed", "s-reviewing", "recorded its outcome"),
    ("change.created", "plus", "wrote it"),
    ("change.edited", "edit", "edited it"),
    ("change.erasure_asked", "clock", "requested the erasure of its texts"),
    ("change.erasure_done", "x", "had texts of it erased"),
    ("change.erasure_withdrawn", "back", "withdrew the erasure of its texts"),
    ("change.held", "s-hold", "put it on hold"),
    (
        "change.legal_hold_lift_asked",
        "help",
        "requested the lifting of its legal hold",
    ),
    ("change.legal_hold_lifted", "back", "lifted its legal hold"),
    ("change.legal_hold_placed", "s-hold", "placed it under a legal hold"),
    ("change.linked", "list", "linked it"),
    ("change.moved", "leaf", "moved it"),
    ("change.overrun", "clock", "flagged it: it overran its window"),
    (
        "change.reach_grown",
        "leaf",
        "found that it affects more than was assessed",
    ),
    ("change.resumed", "s-implementing", "resumed it"),
    ("change.returned", "back", "returned it with a question"),
    ("change.reviewed", "s-reviewing", "reviewed it"),
    ("change.risk_changed", "leaf", "recalculated the risk"),
    ("change.submitted", "s-assessing", "submitted it"),
    ("change.undo_called_off", "x", "cancelled its planned undo"),
    ("change.undo_missed", "clock", "flagged it: it was not undone in time"),
    ("change.undone", "back", "undid it as planned"),
    ("change.unlinked", "list", "removed a link"),
    ("change.validated", "go", "validated it"),
    (
        "change.window_missed",
        "clock",
        "flagged it: its window passed without a start",
    ),
    ("change.window_opened", "calendar", "opened its window"),
    ("changes.archived", "clock", "moved changes to the archive"),
    ("comment.added", "comment", "commented"),
    ("condition.met", "check", "marked a condition as met"),
    ("condition.reopened", "x", "reopened a condition"),
    ("condition.set", "leaf", "set a condition"),
    ("configuration.withdrawn", "back", "withdrew a proposed configuration"),
    ("deliveries.forgotten", "clock", "erased raw deliveries"),
    ("demo.filled", "leaf", "filled the demonstration"),
    ("dependency.set", "service", "set a dependency"),
    (
        "deployment.cleared",
        "gate",
        "matched a rollback to the start it reverses",
    ),
    ("deployment.told", "gate", "reported a deployment"),
    (
        "deployment.unauthorized",
        "incident",
        "reported a deployment without a lawful start",
    ),
    ("entry.recorded", "edit", "recorded an action"),
    ("environment.set", "service", "set an environment"),
    (
        "evidence.acceptance_voided",
        "x",
        "withdrew the acceptance of failed evidence",
    ),
    ("evidence.accepted", "check", "accepted failed evidence"),
    ("evidence.added", "check", "added evidence"),
    ("extension.asked", "clock", "requested an extension"),
    ("failure_model.fitted", "chart", "fitted a failure model"),
    ("freeze.set", "snow", "set a freeze"),
    ("gate.checked", "gate", "asked the gate"),
    ("group.set", "person", "set a group"),
    ("incident.opened", "incident", "opened an incident"),
    ("letter.taken", "edit", "notified a person what a draft by mail lacks"),
    ("log.replayed", "check", "compared every record with the log"),
    (
        "ownership.activated",
        "person",
        "put rows of the ownership matrix in force",
    ),
    ("ownership.proposed", "person", "proposed rows of the ownership matrix"),
    ("ownership.set", "person", "assigned the ownership of a service"),
    ("peer_review.given", "go", "reviewed it as a peer"),
    ("permit.consumed", "gate", "used a permit"),
    ("permit.issued", "leaf", "issued a permit"),
    ("permit.revoked", "x", "revoked a permit"),
    ("person.created", "person", "added a person"),
    ("person.password_removed", "person", "removed a password"),
    ("person.password_set", "person", "set a password"),
    ("policies.activated", "leaf", "put policies in force"),
    ("policies.proposed", "leaf", "proposed policies"),
    ("policies.recovered", "incident", "recovered policies on the host"),
    (
        "reply.refused",
        "x",
        "notified a person that an answer by mail was not accepted",
    ),
    ("retention.activated", "clock", "put another retention in force"),
    ("retention.proposed", "clock", "proposed another retention"),
    ("risk_table.activated", "leaf", "put a risk table in force"),
    ("risk_table.proposed", "leaf", "proposed a risk table"),
    ("person.signed_in", "token", "signed in"),
    ("person.stepped_up", "token", "reauthenticated"),
    (
        "change.ungrounded",
        "x",
        "found an event whose grounds are not in the log",
    ),
    ("sign_in.refused", "x", "refused a sign-in"),
    ("sink.created", "out", "added a sink of the log"),
    ("sink.edited", "out", "changed a sink of the log"),
    ("sink.ended", "x", "ended a sink of the log"),
    ("sink.failing", "incident", "flagged a sink that delivers nothing"),
    ("sink.moved", "out", "moved a sink to another entry of the log"),
    ("service.set", "service", "set a service"),
    (
        "service.led_elsewhere",
        "right",
        "handed the lead of a service to another system",
    ),
    (
        "service.led_here",
        "service",
        "returned the lead of a service to Assent",
    ),
    (
        "sla_table.activated",
        "clock",
        "put other times to acknowledge and to decide in force",
    ),
    (
        "sla_table.proposed",
        "clock",
        "proposed other times to acknowledge and to decide",
    ),
    ("target.closed_by_revocation", "x", "closed a target"),
    (
        "major_severity.activated",
        "snow",
        "put another severity of major incidents in force",
    ),
    (
        "major_severity.proposed",
        "snow",
        "proposed another severity of major incidents",
    ),
    ("watch_table.activated", "clock", "put other watch windows in force"),
    ("watch_table.proposed", "clock", "proposed other watch windows"),
    ("target.completed", "s-reviewing", "recorded the outcome of a target"),
    ("target.opened_again", "check", "opened a target again"),
    ("task.added", "plus", "added a task"),
    ("task.updated", "check", "updated a task"),
    ("template.approved", "template", "approved a template"),
    ("template.proposed", "template", "proposed a template"),
    ("tenant.created", "leaf", "created the organisation"),
    ("tenant.status_closed", "bell", "closed the status page to the public"),
    ("tenant.status_opened", "bell", "opened the status page to the public"),
    ("token.created", "token", "made a token"),
    ("token.ending", "bell", "warned that a token expires"),
    ("token.refused", "x", "refused an expired token"),
    ("token.revoked", "x", "revoked a token"),
    ("token.told", "bell", "was notified of a token that acts for them"),
    ("window.set", "calendar", "added a maintenance window"),
    (
        "workload.doubted",
        "bell",
        "found that a workload accepts jobs of anyone",
    ),
    ("workload.ended", "x", "ended a workload"),
    ("workload.entered", "token", "accepted a job with its platform's token"),
    ("workload.set", "token", "set up or changed a workload"),
    (
        "workload.told",
        "bell",
        "was notified of a workload whose jobs act for them",
    ),
];

/// Descriptions that are complete by themselves.
const WHOLE: &[Phrase] = &[
    ("absence.ended", "person", "ended an absence"),
    ("absence.set", "person", "recorded an absence"),
    ("access_review.begun", "person", "began an access review"),
    ("access_review.handed_over", "person", "handed an access review over"),
    ("access_review.reminded", "clock", "reminded of an access review"),
    ("access_review.scheduled", "calendar", "scheduled access reviews"),
    ("access_review.signed", "person", "signed an access review"),
    ("approval.escalated", "clock", "escalated an unanswered request"),
    ("approval.nobody_can", "incident", "found no eligible approver"),
    ("approval.reminded", "clock", "reminded of a decision that is due"),
    ("approval.request_ended", "bell", "withdrew a request for a decision"),
    ("approval.rerouted", "bell", "rerouted the request for a decision"),
    ("board.decided", "meeting", "recorded the decision of the board"),
    ("break_glass.counted", "incident", "counted a break-glass of the team"),
    (
        "break_glass.over_budget",
        "incident",
        "flagged it: the team uses break-glass too often",
    ),
    (
        "break_glass.unvalidated",
        "incident",
        "flagged it: nobody validated the break-glass in time",
    ),
    ("calendar.set", "clock", "set working hours"),
    ("change.drafted", "s-draft", "brought it back to draft"),
    ("change.gate_reopened", "check", "reopened the gate"),
    ("change.gate_reopening_asked", "flag", "requested to reopen the gate"),
    ("change.finding_stated", "flag", "recorded the result of a finding"),
    ("change.hold_ended", "s-hold", "reminded that its hold was due to end"),
    ("change.in_freeze", "snow", "found it inside a freeze"),
    (
        "change.incident_caused",
        "incident",
        "confirmed that it caused an incident",
    ),
    ("change.announced", "bell", "recorded that its start was announced"),
    (
        "change.acknowledged",
        "bell",
        "recorded an acknowledgement of its announcement",
    ),
    (
        "change.readiness_stated",
        "flag",
        "recorded whether a team is ready for it",
    ),
    (
        "change.incident_in_watch",
        "incident",
        "recorded an incident in its watch window",
    ),
    ("change.wave_passed", "check", "recorded that a wave of it has passed"),
    ("change.waves_halted", "x", "halted its waves"),
    ("change.waves_paused", "s-hold", "paused its waves"),
    ("change.waves_planned", "list", "planned its waves and their members"),
    ("change.waves_resumed", "go", "resumed its waves"),
    (
        "change.latest_rollback_passed",
        "clock",
        "flagged it: the latest time for a rollback passed",
    ),
    ("change.rejection_overruled", "go", "overruled a rejection"),
    ("change.reminded", "clock", "reminded of open work"),
    (
        "change.rests_on_leaver",
        "person",
        "flagged it: it depends on a person who has left",
    ),
    (
        "change.retrospective_answered",
        "comment",
        "confirmed or denied the retrospective",
    ),
    (
        "change.began_early",
        "flag",
        "recorded that the work began without authorization",
    ),
    ("change.told_afterwards", "flag", "recorded retrospective work"),
    (
        "change.turned_normal",
        "k-normal",
        "removed it from its template: it is a normal change now",
    ),
    ("change.unauthorized", "incident", "flagged it as unauthorized"),
    ("change.unwatched", "eye", "stopped watching it"),
    ("change.watched", "eye", "watches it"),
    ("change.watching_ended", "eye", "removed a watcher of it"),
    ("checklist.ticked", "check", "ticked an item of the checklist"),
    ("checklist.waived", "check", "approved waiving an item of the checklist"),
    ("config_item.set", "service", "set a configuration item"),
    ("connection.activated", "inbox", "put a connection in force"),
    ("connection.created", "inbox", "connected a system"),
    ("connection.edited", "inbox", "changed a connection"),
    ("connection.ended", "x", "ended a connection"),
    (
        "connection.freeze_periods_read",
        "snow",
        "read the freezes of a connected system",
    ),
    ("delegation.ended", "person", "ended a delegation"),
    ("delegation.set", "person", "named a delegate"),
    ("dependency.ended", "service", "removed a dependency"),
    ("deployment.failed", "incident", "reported a failed deployment"),
    (
        "deployment.unmatched",
        "incident",
        "found a deployment without its change",
    ),
    ("directory.imported", "service", "imported rows of the directory"),
    ("extension.denied", "clock", "refused an extension"),
    ("extension.granted", "clock", "granted an extension"),
    ("freeze.proposed", "snow", "proposed a freeze"),
    (
        "freeze.owner_asked",
        "snow",
        "requested the agreement of the business owner of a freeze",
    ),
    ("freeze.agreed", "snow", "agreed to a freeze"),
    ("freeze.declined", "snow", "declined a freeze"),
    ("freeze.announced", "snow", "announced a freeze"),
    ("freeze.expected", "snow", "recorded the expected effect of a freeze"),
    ("freeze.expanded", "snow", "computed the next times of a freeze"),
    (
        "window.expanded",
        "calendar",
        "computed the next times of a maintenance window",
    ),
    ("freeze.edited", "snow", "changed a freeze"),
    ("freeze.halted", "snow", "voided the permits under a freeze"),
    ("freeze.ended", "snow", "ended a freeze"),
    (
        "freeze.loosening_proposed",
        "snow",
        "proposed that a freeze ends or covers less",
    ),
    ("freeze.shortened", "snow", "reduced a freeze"),
    ("freeze.excepted", "snow", "exempted a change from a freeze"),
    (
        "freeze.exception_lapsed",
        "snow",
        "edited a change that was exempt from a freeze",
    ),
    (
        "freeze.exception_withdrawn",
        "snow",
        "withdrew an exception from a freeze",
    ),
    (
        "gate.led_elsewhere",
        "gate",
        "asked the gate, and the system that leads the service allows it",
    ),
    ("gate.judged_again", "gate", "re-evaluated a waiting check"),
    (
        "gate.permit_collected",
        "gate",
        "collected the permit of a waiting check",
    ),
    ("identity_provider.ended", "x", "ended an identity provider"),
    (
        "identity_provider.set",
        "person",
        "set up or changed an identity provider",
    ),
    (
        "incident.candidates_found",
        "incident",
        "found candidate causes of an incident",
    ),
    (
        "incident.cause_cleared",
        "check",
        "cleared a change as the cause of an incident",
    ),
    (
        "incident.cause_confirmed",
        "incident",
        "confirmed a change as the cause of an incident",
    ),
    (
        "incident.relation_moved",
        "incident",
        "linked or unlinked a change as the cause of an incident",
    ),
    ("incident.detected", "incident", "found an incident"),
    ("incident.became_major", "snow", "found that an incident is major"),
    (
        "incident.major_withheld",
        "incident",
        "could not declare a severe incident major",
    ),
    ("incident.closed", "check", "closed an incident"),
    ("incident.commanded", "person", "changed the commander of an incident"),
    ("incident.declared", "snow", "declared an incident major"),
    ("incident.edited", "incident", "edited an incident"),
    (
        "incident.exception_signed",
        "go",
        "allowed a change during a major incident",
    ),
    ("incident.halt_ended", "go", "resumed the work around an incident"),
    ("incident.halted", "stop", "halted the work around an incident"),
    ("incident.merged", "incident", "merged an incident into another"),
    ("incident.mitigated", "incident", "found an incident mitigated"),
    (
        "incident.signature_reviewed",
        "eye",
        "reviewed the signature of a commander",
    ),
    ("incident.signature_withdrawn", "x", "withdrew a commander’s signature"),
    ("incident.stood_down", "snow", "ended the freeze of a major incident"),
    ("incident.reported", "incident", "reported an incident"),
    ("incident.reopened", "incident", "found an incident reopened"),
    ("incident.resolved", "check", "resolved an incident"),
    ("key.permits_revoked", "x", "revoked permits of a stolen key"),
    ("key.revoked", "x", "revoked a signing key"),
    ("key.rotated", "token", "rotated a signing key"),
    ("keys.changed", "token", "recorded which keys are valid"),
    ("log.closed", "leaf", "closed the log to the public"),
    (
        "log.codes_renewed",
        "leaf",
        "renewed the authentication codes of all rows",
    ),
    ("log.grounds_began", "leaf", "began recording the grounds of events"),
    ("log.loss_accepted", "x", "accepted the loss of log entries"),
    ("log.published", "leaf", "opened the log to the public"),
    ("log.sized", "leaf", "recorded the size of the log"),
    ("mapping.activated", "leaf", "put a mapping in force"),
    ("mapping.proposed", "leaf", "proposed a mapping"),
    ("meeting.attended", "meeting", "attended a meeting"),
    ("meeting.conflict_declared", "flag", "declared a conflict of interest"),
    ("meeting.ended", "meeting", "ended a meeting"),
    ("meeting.left", "meeting", "left a meeting"),
    ("meeting.listed", "meeting", "listed what a meeting votes on"),
    ("meeting.opened", "meeting", "opened a meeting"),
    ("message.delivery", "bell", "recorded the delivery of a message"),
    ("messages.delivery", "bell", "recorded the delivery of messages"),
    ("messages.released", "bell", "released held messages"),
    ("on_call.ended", "clock", "ended an on-call period"),
    ("on_call.set", "clock", "set the on-call person"),
    (
        "outside_check.answered",
        "out",
        "received the answer of an outside system",
    ),
    ("ownership.ended", "person", "ended a row of the ownership matrix"),
    ("person.bound", "person", "linked an account to its identity provider"),
    (
        "person.confirmed",
        "person",
        "confirmed the rights that an identity provider grants",
    ),
    ("person.deactivated", "person", "deactivated a person"),
    ("person.edited", "person", "changed a person"),
    ("person.erased", "person", "erased a person’s data"),
    (
        "person.gifts_suspended",
        "person",
        "suspended rights that a compromised account granted",
    ),
    ("person.factor_added", "token", "added a second factor"),
    ("person.factor_removed", "token", "removed a second factor"),
    ("person.factors_reset", "token", "reset the second factors of a person"),
    (
        "person.passkey_copied",
        "incident",
        "flagged a passkey that seems to be copied",
    ),
    ("person.recovery_code_used", "token", "used a recovery code"),
    ("person.recovery_codes_made", "token", "made recovery codes"),
    (
        "person.right_allowed",
        "person",
        "allowed a membership that had been refused",
    ),
    ("person.right_refused", "person", "refused a membership"),
    ("person.rights_ended", "out", "ended rights that no sign-in confirmed"),
    ("person.sessions_ended", "out", "ended sessions"),
    (
        "person.told_of_address",
        "person",
        "notified a person that their address or accounts were changed",
    ),
    ("person.telling_set", "bell", "set notification preferences"),
    (
        "person.told_of_end",
        "bell",
        "notified a person that their rights ended",
    ),
    ("provenance.told", "leaf", "recorded the provenance of builds"),
    ("record.updated", "edit", "updated a record"),
    ("service.deployed", "gate", "recorded what runs"),
    ("service.unwatched", "eye", "stopped watching a service"),
    ("service.watched", "eye", "watches a service"),
    ("service.watching_ended", "eye", "removed a watcher of a service"),
    ("target.told_late", "clock", "recorded the outcome of a target late"),
    (
        "template.failure_counted",
        "incident",
        "counted a failed change of a template",
    ),
    ("template.retired", "x", "retired a template"),
    ("template.suspended", "s-hold", "suspended a template"),
    (
        "tenant.without_administrator",
        "incident",
        "flagged that the tenant has no administrator",
    ),
    ("text.erased", "x", "erased texts"),
    ("training.earned", "check", "earned a training"),
    ("training.ended", "x", "ended a training"),
    ("training.set", "person", "recorded a training"),
    ("webhook.created", "out", "added a webhook"),
    ("webhook.edited", "out", "changed a webhook"),
    ("webhook.ended", "x", "ended a webhook"),
    (
        "webhook.failing",
        "incident",
        "flagged a webhook that does not accept its deliveries",
    ),
    ("webhook.gave_up", "incident", "gave up on a webhook"),
    ("webhook.replayed", "out", "resent events"),
    ("webhook.secret_replaced", "token", "replaced the secret of a webhook"),
    ("window.edited", "calendar", "changed a maintenance window"),
    ("window.ended", "calendar", "ended a maintenance window"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The literals `first.second` of a source before its tests.
    fn literals(source: &str) -> impl Iterator<Item = &str> {
        let own = source.split("#[cfg(test)]").next().unwrap_or_default();
        let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        own.split('"').filter(move |text| {
            text.split_once('.')
                .is_some_and(|(one, two)| is_word(one) && is_word(two))
        })
    }

    /// The sources of a folder with those below it.
    fn sources(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                found.extend(sources(&path));
            } else {
                found.push(std::fs::read_to_string(&path).expect("a source is text"));
            }
        }
        found
    }

    #[test]
    fn every_event_that_an_act_or_the_model_tells_has_words() {
        let subject = |kind: &'static str| kind.split('.').next().unwrap_or_default();
        let subjects: BTreeSet<&str> = kinds().map(subject).collect();
        let is_state = |word: &str| {
            crate::web::shared::timeline::STATES
                .iter()
                .any(|(state, _)| *state == word)
        };
        let cx = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut told = 0;
        for source in ["acts/src", "model/src"]
            .iter()
            .flat_map(|folder| sources(&cx.join(folder)))
        {
            for kind in literals(&source) {
                let Some((about, word)) = kind.split_once('.') else {
                    continue;
                };
                if !subjects.contains(about) || about == "change" && is_state(word) {
                    continue;
                }
                assert!(find(kind).is_some(), "`{kind}` is told by its name alone");
                told += 1;
            }
        }
        assert!(told > 150, "only {told} kinds were found");
    }

    #[test]
    fn the_model_names_every_kind_that_has_words() {
        let known = model::nouns::event_kinds();
        let lost: Vec<&str> = kinds().filter(|kind| !known.contains(*kind)).collect();
        assert!(lost.is_empty(), "missing in `EventKind`: {lost:?}");
        let no_words: Vec<_> = model::core::enums::EventKind::ALL
            .iter()
            .filter(|kind| find(kind.as_str()).is_none())
            .collect();
        assert!(no_words.is_empty(), "without words: {no_words:?}");
    }

    #[test]
    fn no_kind_has_words_twice() {
        let mut kinds = BTreeSet::new();
        for kind in super::kinds() {
            assert!(kinds.insert(kind), "`{kind}` stands there twice");
        }
    }
}
