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
    ("approval.expired", "clock", "let an approval run out"),
    ("approval.given", "go", "decided"),
    ("approval.requested", "bell", "asked for a decision"),
    ("approval.unacknowledged", "clock", "reminded of an unanswered request"),
    ("approval.voided", "x", "voided an approval"),
    ("approval.withdrawn", "back", "took a decision back"),
    ("attempt.refused", "x", "was refused"),
    ("break_glass.cosigned", "incident", "signed the break-glass too"),
    ("break_glass.ended", "incident", "ended the break-glass"),
    ("break_glass.opened", "incident", "broke the glass"),
    ("break_glass.validated", "go", "validated the break-glass"),
    ("change.author_added", "person", "brought other content from outside"),
    ("change.assessed", "s-assessing", "assessed it"),
    ("change.completed", "s-reviewing", "told how it ended"),
    ("change.created", "plus", "wrote it"),
    ("change.edited", "edit", "edited it"),
    ("change.erasure_asked", "clock", "asked to erase texts of it"),
    ("change.erasure_done", "x", "had texts of it erased"),
    ("change.erasure_withdrawn", "back", "withdrew the erasure of its texts"),
    ("change.held", "s-hold", "put it on hold"),
    (
        "change.legal_hold_lift_asked",
        "help",
        "asked another person to lift its legal hold",
    ),
    ("change.legal_hold_lifted", "back", "lifted its legal hold"),
    ("change.legal_hold_placed", "s-hold", "placed it under a legal hold"),
    ("change.linked", "list", "linked it"),
    ("change.moved", "leaf", "moved it"),
    ("change.overrun", "clock", "flagged it: it overran its window"),
    (
        "change.reach_grown",
        "leaf",
        "found that it reaches more than was assessed",
    ),
    ("change.resumed", "s-implementing", "resumed it"),
    ("change.returned", "back", "returned it with a question"),
    ("change.reviewed", "s-reviewing", "reviewed it"),
    ("change.risk_changed", "leaf", "computed the risk anew"),
    ("change.submitted", "s-assessing", "submitted it"),
    ("change.undo_called_off", "x", "called its planned undo off"),
    ("change.undo_missed", "clock", "flagged it: it was not undone in time"),
    ("change.undone", "back", "undid it as planned"),
    ("change.unlinked", "list", "took a link away"),
    ("change.validated", "go", "validated it"),
    (
        "change.window_missed",
        "clock",
        "flagged it: its window passed without a start",
    ),
    ("change.window_opened", "calendar", "opened its window"),
    ("changes.archived", "clock", "moved changes to the archive"),
    ("comment.added", "comment", "commented"),
    ("condition.met", "check", "said that a condition is met"),
    ("condition.reopened", "x", "took back that a condition is met"),
    ("condition.set", "leaf", "set a condition"),
    ("configuration.withdrawn", "back", "withdrew a proposed configuration"),
    ("deliveries.forgotten", "clock", "forgot raw deliveries"),
    ("demo.filled", "leaf", "filled the demonstration"),
    ("dependency.set", "service", "told what depends on what"),
    (
        "deployment.cleared",
        "gate",
        "found the start that a way back leads back from",
    ),
    ("deployment.told", "gate", "told of a deployment"),
    (
        "deployment.unauthorized",
        "incident",
        "told of a deployment without a lawful start",
    ),
    ("entry.recorded", "edit", "noted an action"),
    ("environment.set", "service", "set an environment"),
    (
        "evidence.acceptance_voided",
        "x",
        "took back that failed evidence was accepted",
    ),
    ("evidence.accepted", "check", "accepted failed evidence"),
    ("evidence.added", "check", "added evidence"),
    ("extension.asked", "clock", "asked for more time"),
    ("failure_model.fitted", "chart", "fitted a model of failure"),
    ("freeze.set", "snow", "set a freeze"),
    ("gate.checked", "gate", "asked the gate"),
    ("group.set", "person", "set a group"),
    ("incident.opened", "incident", "opened an incident"),
    ("letter.taken", "edit", "told a person what a draft by mail lacks"),
    ("log.replayed", "check", "compared every record with the log"),
    (
        "ownership.activated",
        "person",
        "put rows of the ownership matrix in force",
    ),
    ("ownership.proposed", "person", "proposed rows of the ownership matrix"),
    ("ownership.set", "person", "said who answers for a service"),
    ("peer_review.given", "go", "reviewed it as a peer"),
    ("permit.consumed", "gate", "used a permit up"),
    ("permit.issued", "leaf", "issued a permit"),
    ("permit.revoked", "x", "revoked a permit"),
    ("person.created", "person", "added a person"),
    ("person.password_removed", "person", "took a password away"),
    ("person.password_set", "person", "set a password"),
    ("policies.activated", "leaf", "put policies in force"),
    ("policies.proposed", "leaf", "proposed policies"),
    ("policies.recovered", "incident", "recovered policies on the host"),
    (
        "reply.refused",
        "x",
        "told a person that an answer by mail was not taken",
    ),
    ("retention.activated", "clock", "put another retention in force"),
    ("retention.proposed", "clock", "proposed another retention"),
    ("risk_table.activated", "leaf", "put a risk table in force"),
    ("risk_table.proposed", "leaf", "proposed a risk table"),
    ("person.signed_in", "token", "signed in"),
    ("person.stepped_up", "token", "showed a fresh factor"),
    (
        "change.ungrounded",
        "x",
        "found an event whose reasons the log does not give",
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
    ("service.led_here", "service", "returned a service to Assent"),
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
    ("target.completed", "s-reviewing", "told the outcome of a target"),
    ("target.opened_again", "check", "opened a target again"),
    ("task.added", "plus", "added a task"),
    ("task.updated", "check", "updated a task"),
    ("template.approved", "template", "approved a template"),
    ("template.proposed", "template", "proposed a template"),
    ("tenant.created", "leaf", "opened the organisation"),
    ("tenant.status_closed", "bell", "closed the status page to the public"),
    ("tenant.status_opened", "bell", "opened the status page to the public"),
    ("token.created", "token", "made a token"),
    ("token.ending", "bell", "told that a token ends"),
    ("token.refused", "x", "refused a token that is over"),
    ("token.revoked", "x", "revoked a token"),
    ("token.told", "bell", "was told of a token that speaks for them"),
    ("window.set", "calendar", "added a maintenance window"),
    (
        "workload.doubted",
        "bell",
        "found that a workload lets in jobs of anybody",
    ),
    ("workload.ended", "x", "ended a workload"),
    ("workload.entered", "token", "let a job in with its platform's token"),
    ("workload.set", "token", "set up or changed a workload"),
    (
        "workload.told",
        "bell",
        "was told of a workload whose jobs speak for them",
    ),
];

/// Descriptions that are complete by themselves.
const WHOLE: &[Phrase] = &[
    ("absence.ended", "person", "ended a time away"),
    ("absence.set", "person", "said when they are away"),
    ("access_review.begun", "person", "began a review of access"),
    ("access_review.handed_over", "person", "handed a review of access over"),
    ("access_review.reminded", "clock", "reminded of a review of access"),
    (
        "access_review.scheduled",
        "calendar",
        "said how often access is reviewed",
    ),
    ("access_review.signed", "person", "signed a review of access"),
    ("approval.escalated", "clock", "took an unanswered request further"),
    ("approval.nobody_can", "incident", "found nobody who may decide"),
    ("approval.reminded", "clock", "reminded of a decision that is due"),
    ("approval.request_ended", "bell", "took a request for a decision back"),
    ("approval.rerouted", "bell", "asked somebody else for the decision"),
    ("board.decided", "meeting", "noted what the board decided"),
    ("break_glass.counted", "incident", "counted a break-glass of the team"),
    (
        "break_glass.over_budget",
        "incident",
        "flagged it: the team breaks the glass too often",
    ),
    (
        "break_glass.unvalidated",
        "incident",
        "flagged it: nobody validated the break-glass in time",
    ),
    ("calendar.set", "clock", "set working hours"),
    ("change.drafted", "s-draft", "brought it back to draft"),
    ("change.gate_reopened", "check", "opened the gate again"),
    ("change.gate_reopening_asked", "flag", "asked to open the gate again"),
    ("change.finding_stated", "flag", "said what became of a finding"),
    ("change.hold_ended", "s-hold", "reminded that its hold was to end"),
    ("change.in_freeze", "snow", "found it inside a freeze"),
    (
        "change.incident_caused",
        "incident",
        "confirmed that it caused an incident",
    ),
    ("change.announced", "bell", "noted that its start was announced"),
    (
        "change.acknowledged",
        "bell",
        "noted that somebody acknowledged its announcement",
    ),
    ("change.readiness_stated", "flag", "said whether a team is ready for it"),
    (
        "change.incident_in_watch",
        "incident",
        "noted an incident in its watch window",
    ),
    ("change.wave_passed", "check", "noted that a wave of it is through"),
    ("change.waves_halted", "x", "halted its waves"),
    ("change.waves_paused", "s-hold", "paused its waves"),
    ("change.waves_planned", "list", "planned its waves and their members"),
    ("change.waves_resumed", "go", "let its waves go on"),
    (
        "change.latest_rollback_passed",
        "clock",
        "flagged it: the latest moment to roll back passed",
    ),
    ("change.rejection_overruled", "go", "overruled a rejection"),
    ("change.reminded", "clock", "reminded of what is to be done"),
    (
        "change.rests_on_leaver",
        "person",
        "flagged it: it rests on somebody who has left",
    ),
    (
        "change.retrospective_answered",
        "comment",
        "answered for work that was told afterwards",
    ),
    (
        "change.began_early",
        "flag",
        "said that the work began before anything allowed it",
    ),
    ("change.told_afterwards", "flag", "told work that was done already"),
    (
        "change.turned_normal",
        "k-normal",
        "took it out of its template: it is a normal change now",
    ),
    ("change.unauthorized", "incident", "flagged it as unauthorized"),
    ("change.unwatched", "eye", "watches it no longer"),
    ("change.watched", "eye", "watches it"),
    ("change.watching_ended", "eye", "ended somebody's watching of it"),
    ("checklist.ticked", "check", "ticked a line of the checklist"),
    (
        "checklist.waived",
        "check",
        "agreed that it may go without a line of the checklist",
    ),
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
    ("delegation.ended", "person", "ended a deputyship"),
    ("delegation.set", "person", "named a deputy"),
    ("dependency.ended", "service", "took a dependency away"),
    ("deployment.failed", "incident", "told of a deployment that failed"),
    (
        "deployment.unmatched",
        "incident",
        "found a deployment without its change",
    ),
    ("directory.imported", "service", "brought in rows of the estate"),
    ("extension.denied", "clock", "refused more time"),
    ("extension.granted", "clock", "gave more time"),
    ("freeze.proposed", "snow", "proposed a freeze"),
    ("freeze.owner_asked", "snow", "asked the business owner of a freeze"),
    ("freeze.agreed", "snow", "agreed to a freeze"),
    ("freeze.declined", "snow", "declined a freeze"),
    ("freeze.announced", "snow", "announced a freeze"),
    (
        "freeze.expected",
        "snow",
        "stated what a time of a freeze is expected to let through",
    ),
    ("freeze.expanded", "snow", "worked out the next times of a freeze"),
    (
        "window.expanded",
        "calendar",
        "worked out the next times of a maintenance window",
    ),
    ("freeze.edited", "snow", "changed a freeze"),
    ("freeze.halted", "snow", "voided the permits under a freeze"),
    ("freeze.ended", "snow", "ended a freeze"),
    (
        "freeze.loosening_proposed",
        "snow",
        "proposed that a freeze ends or covers less",
    ),
    ("freeze.shortened", "snow", "let a freeze cover less"),
    ("freeze.excepted", "snow", "excepted a change from a freeze"),
    (
        "freeze.exception_lapsed",
        "snow",
        "edited a change that a freeze let pass",
    ),
    (
        "freeze.exception_withdrawn",
        "snow",
        "took an exception from a freeze back",
    ),
    (
        "gate.led_elsewhere",
        "gate",
        "asked the gate, and the system that leads the service lets it go",
    ),
    ("gate.judged_again", "gate", "judged a waiting check again"),
    (
        "gate.permit_collected",
        "gate",
        "collected the permit of a check that waited",
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
        "found changes that may have led to an incident",
    ),
    (
        "incident.cause_cleared",
        "check",
        "cleared a change of having led to an incident",
    ),
    (
        "incident.cause_confirmed",
        "incident",
        "confirmed that a change led to an incident",
    ),
    (
        "incident.relation_moved",
        "incident",
        "linked a change as the cause of an incident, or took that back",
    ),
    ("incident.detected", "incident", "found an incident"),
    ("incident.became_major", "snow", "found that an incident is major"),
    (
        "incident.major_withheld",
        "incident",
        "could not make a grave incident major",
    ),
    ("incident.closed", "check", "closed an incident"),
    (
        "incident.commanded",
        "person",
        "gave or took the command of an incident",
    ),
    ("incident.declared", "snow", "declared an incident major"),
    ("incident.edited", "incident", "edited an incident"),
    (
        "incident.exception_signed",
        "go",
        "let a change through a major incident",
    ),
    ("incident.halt_ended", "go", "let the work around an incident go on"),
    ("incident.halted", "stop", "halted the work around an incident"),
    ("incident.merged", "incident", "merged an incident into another"),
    ("incident.mitigated", "incident", "found an incident mitigated"),
    (
        "incident.signature_reviewed",
        "eye",
        "reviewed the signature of a commander",
    ),
    ("incident.signature_withdrawn", "x", "took a commander’s signature back"),
    ("incident.stood_down", "snow", "ended the freeze of a major incident"),
    ("incident.reported", "incident", "reported an incident"),
    ("incident.reopened", "incident", "found an incident open again"),
    ("incident.resolved", "check", "resolved an incident"),
    ("key.permits_revoked", "x", "revoked permits of a stolen key"),
    ("key.revoked", "x", "revoked a signing key"),
    ("key.rotated", "token", "gave a purpose a new signing key"),
    ("keys.changed", "token", "noted which keys are valid"),
    ("log.closed", "leaf", "closed the log to the public"),
    ("log.codes_renewed", "leaf", "wrote the codes over all rows anew"),
    ("log.grounds_began", "leaf", "tells from now on what events rested on"),
    ("log.loss_accepted", "x", "accepted that entries of the log are lost"),
    ("log.published", "leaf", "opened the log to the public"),
    ("log.sized", "leaf", "noted the size of the log"),
    ("mapping.activated", "leaf", "put a mapping in force"),
    ("mapping.proposed", "leaf", "proposed a mapping"),
    ("meeting.attended", "meeting", "attended a meeting"),
    ("meeting.conflict_declared", "flag", "declared a conflict of interest"),
    ("meeting.ended", "meeting", "ended a meeting"),
    ("meeting.left", "meeting", "left a meeting"),
    ("meeting.listed", "meeting", "listed what a meeting votes on"),
    ("meeting.opened", "meeting", "opened a meeting"),
    ("message.delivery", "bell", "noted how a message was delivered"),
    ("messages.delivery", "bell", "noted how messages were delivered"),
    ("messages.released", "bell", "let held messages go"),
    ("on_call.ended", "clock", "ended a time on call"),
    ("on_call.set", "clock", "set who is on call"),
    ("outside_check.answered", "out", "took the answer of an outside system"),
    ("ownership.ended", "person", "ended a row of the ownership matrix"),
    ("person.bound", "person", "bound an account to its identity provider"),
    (
        "person.confirmed",
        "person",
        "confirmed what an identity provider gives somebody",
    ),
    ("person.deactivated", "person", "deactivated a person"),
    ("person.edited", "person", "changed a person"),
    ("person.erased", "person", "erased a person’s data"),
    (
        "person.gifts_suspended",
        "person",
        "suspended what a compromised account gave",
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
        "allowed somebody a seat that had been refused",
    ),
    ("person.right_refused", "person", "refused somebody a seat"),
    ("person.rights_ended", "out", "ended rights that no sign-in confirmed"),
    ("person.sessions_ended", "out", "ended sessions"),
    (
        "person.told_of_address",
        "person",
        "told somebody that their address or accounts were changed",
    ),
    ("person.telling_set", "bell", "said how to be told"),
    ("person.told_of_end", "bell", "told somebody of the end of their rights"),
    ("provenance.told", "leaf", "told where builds come from"),
    ("record.updated", "edit", "updated a record"),
    ("service.deployed", "gate", "noted what runs"),
    ("service.unwatched", "eye", "watches a service no longer"),
    ("service.watched", "eye", "watches a service"),
    (
        "service.watching_ended",
        "eye",
        "ended somebody's watching of a service",
    ),
    ("target.told_late", "clock", "told the outcome of a target late"),
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
        "flagged that nobody administers the tenant",
    ),
    ("text.erased", "x", "erased texts"),
    ("training.earned", "check", "earned a training"),
    ("training.ended", "x", "ended a training"),
    ("training.set", "person", "noted a training"),
    ("webhook.created", "out", "added a webhook"),
    ("webhook.edited", "out", "changed a webhook"),
    ("webhook.ended", "x", "ended a webhook"),
    (
        "webhook.failing",
        "incident",
        "flagged a webhook that does not take what it is told",
    ),
    ("webhook.gave_up", "incident", "gave a webhook up"),
    ("webhook.replayed", "out", "sent events again"),
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
