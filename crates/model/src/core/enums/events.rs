//! The kinds of events of the log that no card names: those of nouns with a card are on the card, and a change has one for each of
//! its states.

use serde::{Deserialize, Serialize};

words! {
    /// A kind of event.
    EventKind {
        /// Phrase: ended a time away.
        AbsenceEnded = "absence.ended",
        /// Phrase: said when they are away.
        AbsenceSet = "absence.set",
        /// Phrase: began a review of access.
        AccessReviewBegun = "access_review.begun",
        /// Phrase: handed a review of access over.
        AccessReviewHandedOver = "access_review.handed_over",
        /// Phrase: reminded of a review of access.
        AccessReviewReminded = "access_review.reminded",
        /// Phrase: said how often access is reviewed.
        AccessReviewScheduled = "access_review.scheduled",
        /// Phrase: signed a review of access.
        AccessReviewSigned = "access_review.signed",
        /// Phrase: has seen it.
        ApprovalAcknowledged = "approval.acknowledged",
        /// Phrase: took an unanswered request further.
        ApprovalEscalated = "approval.escalated",
        /// Phrase: let an approval run out.
        ApprovalExpired = "approval.expired",
        /// Phrase: decided.
        ApprovalGiven = "approval.given",
        /// Phrase: found nobody who may decide.
        ApprovalNobodyCan = "approval.nobody_can",
        /// Phrase: reminded of a decision that is due.
        ApprovalReminded = "approval.reminded",
        /// Phrase: took a request for a decision back.
        ApprovalRequestEnded = "approval.request_ended",
        /// Phrase: asked for a decision.
        ApprovalRequested = "approval.requested",
        /// Phrase: asked somebody else for the decision.
        ApprovalRerouted = "approval.rerouted",
        /// Phrase: reminded of an unanswered request.
        ApprovalUnacknowledged = "approval.unacknowledged",
        /// Phrase: voided an approval.
        ApprovalVoided = "approval.voided",
        /// Phrase: took a decision back.
        ApprovalWithdrawn = "approval.withdrawn",
        /// Phrase: was refused.
        AttemptRefused = "attempt.refused",
        /// Phrase: noted what the board decided.
        BoardDecided = "board.decided",
        /// Phrase: signed the break-glass too.
        BreakGlassCosigned = "break_glass.cosigned",
        /// Phrase: counted a break-glass of the team.
        BreakGlassCounted = "break_glass.counted",
        /// Phrase: ended the break-glass.
        BreakGlassEnded = "break_glass.ended",
        /// Phrase: broke the glass.
        BreakGlassOpened = "break_glass.opened",
        /// Phrase: flagged it: the team breaks the glass too often.
        BreakGlassOverBudget = "break_glass.over_budget",
        /// Phrase: flagged it: nobody validated the break-glass in time.
        BreakGlassUnvalidated = "break_glass.unvalidated",
        /// Phrase: validated the break-glass.
        BreakGlassValidated = "break_glass.validated",
        /// Phrase: set working hours.
        CalendarSet = "calendar.set",
        /// Phrase: noted that somebody acknowledged its announcement.
        ChangeAcknowledged = "change.acknowledged",
        /// Phrase: noted that its start was announced.
        ChangeAnnounced = "change.announced",
        /// Phrase: assessed it.
        ChangeAssessed = "change.assessed",
        /// Phrase: brought other content from outside.
        ChangeAuthorAdded = "change.author_added",
        /// Phrase: said that the work began before anything allowed it.
        ChangeBeganEarly = "change.began_early",
        /// Phrase: told how it ended.
        ChangeCompleted = "change.completed",
        /// Phrase: wrote it.
        ChangeCreated = "change.created",
        /// Phrase: brought it back to draft.
        ChangeDrafted = "change.drafted",
        /// Phrase: edited it.
        ChangeEdited = "change.edited",
        /// Phrase: asked to erase texts of it.
        ChangeErasureAsked = "change.erasure_asked",
        /// Phrase: had texts of it erased.
        ChangeErasureDone = "change.erasure_done",
        /// Phrase: withdrew the erasure of its texts.
        ChangeErasureWithdrawn = "change.erasure_withdrawn",
        /// Phrase: said what became of a finding.
        ChangeFindingStated = "change.finding_stated",
        /// Phrase: opened the gate again.
        ChangeGateReopened = "change.gate_reopened",
        /// Phrase: asked to open the gate again.
        ChangeGateReopeningAsked = "change.gate_reopening_asked",
        /// Phrase: put it on hold.
        ChangeHeld = "change.held",
        /// Phrase: reminded that its hold was to end.
        ChangeHoldEnded = "change.hold_ended",
        /// Phrase: found it inside a freeze.
        ChangeInFreeze = "change.in_freeze",
        /// Phrase: confirmed that it caused an incident.
        ChangeIncidentCaused = "change.incident_caused",
        /// Phrase: noted an incident in its watch window.
        ChangeIncidentInWatch = "change.incident_in_watch",
        /// Phrase: flagged it: the latest moment to roll back passed.
        ChangeLatestRollbackPassed = "change.latest_rollback_passed",
        /// Phrase: asked another person to lift its legal hold.
        ChangeLegalHoldLiftAsked = "change.legal_hold_lift_asked",
        /// Phrase: lifted its legal hold.
        ChangeLegalHoldLifted = "change.legal_hold_lifted",
        /// Phrase: placed it under a legal hold.
        ChangeLegalHoldPlaced = "change.legal_hold_placed",
        /// Phrase: linked it.
        ChangeLinked = "change.linked",
        /// Phrase: moved it.
        ChangeMoved = "change.moved",
        /// Phrase: flagged it: it overran its window.
        ChangeOverrun = "change.overrun",
        /// Phrase: found that it reaches more than was assessed.
        ChangeReachGrown = "change.reach_grown",
        /// Phrase: said whether a team is ready for it.
        ChangeReadinessStated = "change.readiness_stated",
        /// Phrase: overruled a rejection.
        ChangeRejectionOverruled = "change.rejection_overruled",
        /// Phrase: reminded of what is to be done.
        ChangeReminded = "change.reminded",
        /// Phrase: flagged it: it rests on somebody who has left.
        ChangeRestsOnLeaver = "change.rests_on_leaver",
        /// Phrase: resumed it.
        ChangeResumed = "change.resumed",
        /// Phrase: answered for work that was told afterwards.
        ChangeRetrospectiveAnswered = "change.retrospective_answered",
        /// Phrase: returned it with a question.
        ChangeReturned = "change.returned",
        /// Phrase: reviewed it.
        ChangeReviewed = "change.reviewed",
        /// Phrase: computed the risk anew.
        ChangeRiskChanged = "change.risk_changed",
        /// Phrase: submitted it.
        ChangeSubmitted = "change.submitted",
        /// Phrase: told work that was done already.
        ChangeToldAfterwards = "change.told_afterwards",
        /// Phrase: took it out of its template: it is a normal change now.
        ChangeTurnedNormal = "change.turned_normal",
        /// Phrase: flagged it as unauthorized.
        ChangeUnauthorized = "change.unauthorized",
        /// Phrase: called its planned undo off.
        ChangeUndoCalledOff = "change.undo_called_off",
        /// Phrase: flagged it: it was not undone in time.
        ChangeUndoMissed = "change.undo_missed",
        /// Phrase: undid it as planned.
        ChangeUndone = "change.undone",
        /// Phrase: found an event whose reasons the log does not give.
        ChangeUngrounded = "change.ungrounded",
        /// Phrase: took a link away.
        ChangeUnlinked = "change.unlinked",
        /// Phrase: watches it no longer.
        ChangeUnwatched = "change.unwatched",
        /// Phrase: validated it.
        ChangeValidated = "change.validated",
        /// Phrase: watches it.
        ChangeWatched = "change.watched",
        /// Phrase: ended somebody's watching of it.
        ChangeWatchingEnded = "change.watching_ended",
        /// Phrase: noted that a wave of it is through.
        ChangeWavePassed = "change.wave_passed",
        /// Phrase: halted its waves.
        ChangeWavesHalted = "change.waves_halted",
        /// Phrase: paused its waves.
        ChangeWavesPaused = "change.waves_paused",
        /// Phrase: planned its waves and their members.
        ChangeWavesPlanned = "change.waves_planned",
        /// Phrase: let its waves go on.
        ChangeWavesResumed = "change.waves_resumed",
        /// Phrase: flagged it: its window passed without a start.
        ChangeWindowMissed = "change.window_missed",
        /// Phrase: opened its window.
        ChangeWindowOpened = "change.window_opened",
        /// Phrase: moved changes to the archive.
        ChangesArchived = "changes.archived",
        /// Phrase: ticked a line of the checklist.
        ChecklistTicked = "checklist.ticked",
        /// Phrase: agreed that it may go without a line of the checklist.
        ChecklistWaived = "checklist.waived",
        /// Phrase: commented.
        CommentAdded = "comment.added",
        /// Phrase: said that a condition is met.
        ConditionMet = "condition.met",
        /// Phrase: took back that a condition is met.
        ConditionReopened = "condition.reopened",
        /// Phrase: set a condition.
        ConditionSet = "condition.set",
        /// Phrase: set a config item.
        ConfigItemSet = "config_item.set",
        /// Phrase: withdrew a proposed configuration.
        ConfigurationWithdrawn = "configuration.withdrawn",
        /// Phrase: put a connection in force.
        ConnectionActivated = "connection.activated",
        /// Phrase: connected a system.
        ConnectionCreated = "connection.created",
        /// Phrase: changed a connection.
        ConnectionEdited = "connection.edited",
        /// Phrase: ended a connection.
        ConnectionEnded = "connection.ended",
        /// Phrase: read the freezes of a connected system.
        ConnectionFreezePeriodsRead = "connection.freeze_periods_read",
        /// Phrase: ended a deputyship.
        DelegationEnded = "delegation.ended",
        /// Phrase: named a deputy.
        DelegationSet = "delegation.set",
        /// Phrase: forgot raw deliveries.
        DeliveriesForgotten = "deliveries.forgotten",
        /// Phrase: filled the demonstration.
        DemoFilled = "demo.filled",
        /// Phrase: took a dependency away.
        DependencyEnded = "dependency.ended",
        /// Phrase: told what depends on what.
        DependencySet = "dependency.set",
        /// Phrase: found the start that a way back leads back from.
        DeploymentCleared = "deployment.cleared",
        /// Phrase: told of a deployment that failed.
        DeploymentFailed = "deployment.failed",
        /// Phrase: told of a deployment.
        DeploymentTold = "deployment.told",
        /// Phrase: told of a deployment without a lawful start.
        DeploymentUnauthorized = "deployment.unauthorized",
        /// Phrase: found a deployment without its change.
        DeploymentUnmatched = "deployment.unmatched",
        /// Phrase: brought in rows of the estate.
        DirectoryImported = "directory.imported",
        /// Phrase: noted an action.
        EntryRecorded = "entry.recorded",
        /// Phrase: set an environment.
        EnvironmentSet = "environment.set",
        /// Phrase: took back that failed evidence was accepted.
        EvidenceAcceptanceVoided = "evidence.acceptance_voided",
        /// Phrase: accepted failed evidence.
        EvidenceAccepted = "evidence.accepted",
        /// Phrase: added evidence.
        EvidenceAdded = "evidence.added",
        /// Phrase: asked for more time.
        ExtensionAsked = "extension.asked",
        /// Phrase: refused more time.
        ExtensionDenied = "extension.denied",
        /// Phrase: gave more time.
        ExtensionGranted = "extension.granted",
        /// Phrase: fitted a model of failure.
        FailureModelFitted = "failure_model.fitted",
        /// Phrase: agreed to a freeze.
        FreezeAgreed = "freeze.agreed",
        /// Phrase: announced a freeze.
        FreezeAnnounced = "freeze.announced",
        /// Phrase: declined a freeze.
        FreezeDeclined = "freeze.declined",
        /// Phrase: changed a freeze.
        FreezeEdited = "freeze.edited",
        /// Phrase: ended a freeze.
        FreezeEnded = "freeze.ended",
        /// Phrase: excepted a change from a freeze.
        FreezeExcepted = "freeze.excepted",
        /// Phrase: edited a change that a freeze let pass.
        FreezeExceptionLapsed = "freeze.exception_lapsed",
        /// Phrase: took an exception from a freeze back.
        FreezeExceptionWithdrawn = "freeze.exception_withdrawn",
        /// Phrase: stated what a time of a freeze is expected to let through.
        FreezeExpected = "freeze.expected",
        /// Phrase: worked out the next times of a freeze.
        FreezeExpanded = "freeze.expanded",
        /// Phrase: voided the permits under a freeze.
        FreezeHalted = "freeze.halted",
        /// Phrase: proposed that a freeze ends or covers less.
        FreezeLooseningProposed = "freeze.loosening_proposed",
        /// Phrase: asked the business owner of a freeze.
        FreezeOwnerAsked = "freeze.owner_asked",
        /// Phrase: proposed a freeze.
        FreezeProposed = "freeze.proposed",
        /// Phrase: set a freeze.
        FreezeSet = "freeze.set",
        /// Phrase: let a freeze cover less.
        FreezeShortened = "freeze.shortened",
        /// Phrase: asked the gate.
        GateChecked = "gate.checked",
        /// Phrase: judged a waiting check again.
        GateJudgedAgain = "gate.judged_again",
        /// Phrase: asked the gate, and the system that leads the service lets it go.
        GateLedElsewhere = "gate.led_elsewhere",
        /// Phrase: collected the permit of a check that waited.
        GatePermitCollected = "gate.permit_collected",
        /// Phrase: set a group.
        GroupSet = "group.set",
        /// Phrase: ended an identity provider.
        IdentityProviderEnded = "identity_provider.ended",
        /// Phrase: set up or changed an identity provider.
        IdentityProviderSet = "identity_provider.set",
        /// Phrase: found that an incident is major.
        IncidentBecameMajor = "incident.became_major",
        /// Phrase: found changes that may have led to an incident.
        IncidentCandidatesFound = "incident.candidates_found",
        /// Phrase: cleared a change of having led to an incident.
        IncidentCauseCleared = "incident.cause_cleared",
        /// Phrase: confirmed that a change led to an incident.
        IncidentCauseConfirmed = "incident.cause_confirmed",
        /// Phrase: closed an incident.
        IncidentClosed = "incident.closed",
        /// Phrase: gave or took the command of an incident.
        IncidentCommanded = "incident.commanded",
        /// Phrase: declared an incident major.
        IncidentDeclared = "incident.declared",
        /// Phrase: found an incident.
        IncidentDetected = "incident.detected",
        /// Phrase: edited an incident.
        IncidentEdited = "incident.edited",
        /// Phrase: let a change through a major incident.
        IncidentExceptionSigned = "incident.exception_signed",
        /// Phrase: let the work around an incident go on.
        IncidentHaltEnded = "incident.halt_ended",
        /// Phrase: halted the work around an incident.
        IncidentHalted = "incident.halted",
        /// Phrase: could not make a grave incident major.
        IncidentMajorWithheld = "incident.major_withheld",
        /// Phrase: merged an incident into another.
        IncidentMerged = "incident.merged",
        /// Phrase: found an incident mitigated.
        IncidentMitigated = "incident.mitigated",
        /// Phrase: opened an incident.
        IncidentOpened = "incident.opened",
        /// Phrase: linked a change as the cause of an incident, or took that back.
        IncidentRelationMoved = "incident.relation_moved",
        /// Phrase: found an incident open again.
        IncidentReopened = "incident.reopened",
        /// Phrase: reported an incident.
        IncidentReported = "incident.reported",
        /// Phrase: resolved an incident.
        IncidentResolved = "incident.resolved",
        /// Phrase: reviewed the signature of a commander.
        IncidentSignatureReviewed = "incident.signature_reviewed",
        /// Phrase: took a commander’s signature back.
        IncidentSignatureWithdrawn = "incident.signature_withdrawn",
        /// Phrase: ended the freeze of a major incident.
        IncidentStoodDown = "incident.stood_down",
        /// Phrase: revoked permits of a stolen key.
        KeyPermitsRevoked = "key.permits_revoked",
        /// Phrase: revoked a signing key.
        KeyRevoked = "key.revoked",
        /// Phrase: gave a purpose a new signing key.
        KeyRotated = "key.rotated",
        /// Phrase: noted which keys are valid.
        KeysChanged = "keys.changed",
        /// Phrase: told a person what a draft by mail lacks.
        LetterTaken = "letter.taken",
        /// Phrase: closed the log to the public.
        LogClosed = "log.closed",
        /// Phrase: wrote the codes over all rows anew.
        LogCodesRenewed = "log.codes_renewed",
        /// Phrase: tells from now on what events rested on.
        LogGroundsBegan = "log.grounds_began",
        /// Phrase: accepted that entries of the log are lost.
        LogLossAccepted = "log.loss_accepted",
        /// Phrase: opened the log to the public.
        LogPublished = "log.published",
        /// Phrase: compared every record with the log.
        LogReplayed = "log.replayed",
        /// Phrase: noted the size of the log.
        LogSized = "log.sized",
        /// Phrase: put another severity of major incidents in force.
        MajorSeverityActivated = "major_severity.activated",
        /// Phrase: proposed another severity of major incidents.
        MajorSeverityProposed = "major_severity.proposed",
        /// Phrase: put a mapping in force.
        MappingActivated = "mapping.activated",
        /// Phrase: proposed a mapping.
        MappingProposed = "mapping.proposed",
        /// Phrase: attended a meeting.
        MeetingAttended = "meeting.attended",
        /// Phrase: declared a conflict of interest.
        MeetingConflictDeclared = "meeting.conflict_declared",
        /// Phrase: ended a meeting.
        MeetingEnded = "meeting.ended",
        /// Phrase: left a meeting.
        MeetingLeft = "meeting.left",
        /// Phrase: listed what a meeting votes on.
        MeetingListed = "meeting.listed",
        /// Phrase: opened a meeting.
        MeetingOpened = "meeting.opened",
        /// Phrase: noted how a message was delivered.
        MessageDelivery = "message.delivery",
        /// Phrase: noted how messages were delivered.
        MessagesDelivery = "messages.delivery",
        /// Phrase: let held messages go.
        MessagesReleased = "messages.released",
        /// Phrase: ended a time on call.
        OnCallEnded = "on_call.ended",
        /// Phrase: set who is on call.
        OnCallSet = "on_call.set",
        /// Phrase: took the answer of an outside system.
        OutsideCheckAnswered = "outside_check.answered",
        /// Phrase: put rows of the ownership matrix in force.
        OwnershipActivated = "ownership.activated",
        /// Phrase: ended a row of the ownership matrix.
        OwnershipEnded = "ownership.ended",
        /// Phrase: proposed rows of the ownership matrix.
        OwnershipProposed = "ownership.proposed",
        /// Phrase: said who answers for a service.
        OwnershipSet = "ownership.set",
        /// Phrase: reviewed it as a peer.
        PeerReviewGiven = "peer_review.given",
        /// Phrase: used a permit up.
        PermitConsumed = "permit.consumed",
        /// Phrase: issued a permit.
        PermitIssued = "permit.issued",
        /// Phrase: revoked a permit.
        PermitRevoked = "permit.revoked",
        /// Phrase: bound an account to its identity provider.
        PersonBound = "person.bound",
        /// Phrase: confirmed what an identity provider gives somebody.
        PersonConfirmed = "person.confirmed",
        /// Phrase: added a person.
        PersonCreated = "person.created",
        /// Phrase: deactivated a person.
        PersonDeactivated = "person.deactivated",
        /// Phrase: changed a person.
        PersonEdited = "person.edited",
        /// Phrase: erased a person’s data.
        PersonErased = "person.erased",
        /// Phrase: added a second factor.
        PersonFactorAdded = "person.factor_added",
        /// Phrase: removed a second factor.
        PersonFactorRemoved = "person.factor_removed",
        /// Phrase: reset the second factors of a person.
        PersonFactorsReset = "person.factors_reset",
        /// Phrase: suspended what a compromised account gave.
        PersonGiftsSuspended = "person.gifts_suspended",
        /// Phrase: flagged a passkey that seems to be copied.
        PersonPasskeyCopied = "person.passkey_copied",
        /// Phrase: took a password away.
        PersonPasswordRemoved = "person.password_removed",
        /// Phrase: set a password.
        PersonPasswordSet = "person.password_set",
        /// Phrase: used a recovery code.
        PersonRecoveryCodeUsed = "person.recovery_code_used",
        /// Phrase: made recovery codes.
        PersonRecoveryCodesMade = "person.recovery_codes_made",
        /// Phrase: allowed somebody a seat that had been refused.
        PersonRightAllowed = "person.right_allowed",
        /// Phrase: refused somebody a seat.
        PersonRightRefused = "person.right_refused",
        /// Phrase: ended rights that no sign-in confirmed.
        PersonRightsEnded = "person.rights_ended",
        /// Phrase: ended sessions.
        PersonSessionsEnded = "person.sessions_ended",
        /// Phrase: signed in.
        PersonSignedIn = "person.signed_in",
        /// Phrase: showed a fresh factor.
        PersonSteppedUp = "person.stepped_up",
        /// Phrase: said how to be told.
        PersonTellingSet = "person.telling_set",
        /// Phrase: told somebody that their address or accounts were changed.
        PersonToldOfAddress = "person.told_of_address",
        /// Phrase: told somebody of the end of their rights.
        PersonToldOfEnd = "person.told_of_end",
        /// Phrase: put policies in force.
        PoliciesActivated = "policies.activated",
        /// Phrase: proposed policies.
        PoliciesProposed = "policies.proposed",
        /// Phrase: recovered policies on the host.
        PoliciesRecovered = "policies.recovered",
        /// Phrase: told where builds come from.
        ProvenanceTold = "provenance.told",
        /// Phrase: updated a record.
        RecordUpdated = "record.updated",
        /// Phrase: told a person that an answer by mail was not taken.
        ReplyRefused = "reply.refused",
        /// Phrase: put another retention in force.
        RetentionActivated = "retention.activated",
        /// Phrase: proposed another retention.
        RetentionProposed = "retention.proposed",
        /// Phrase: put a risk table in force.
        RiskTableActivated = "risk_table.activated",
        /// Phrase: proposed a risk table.
        RiskTableProposed = "risk_table.proposed",
        /// Phrase: noted what runs.
        ServiceDeployed = "service.deployed",
        /// Phrase: handed the lead of a service to another system.
        ServiceLedElsewhere = "service.led_elsewhere",
        /// Phrase: returned a service to Assent.
        ServiceLedHere = "service.led_here",
        /// Phrase: set a service.
        ServiceSet = "service.set",
        /// Phrase: watches a service no longer.
        ServiceUnwatched = "service.unwatched",
        /// Phrase: watches a service.
        ServiceWatched = "service.watched",
        /// Phrase: ended somebody's watching of a service.
        ServiceWatchingEnded = "service.watching_ended",
        /// Phrase: refused a sign-in.
        SignInRefused = "sign_in.refused",
        /// Phrase: added a sink of the log.
        SinkCreated = "sink.created",
        /// Phrase: changed a sink of the log.
        SinkEdited = "sink.edited",
        /// Phrase: ended a sink of the log.
        SinkEnded = "sink.ended",
        /// Phrase: flagged a sink that delivers nothing.
        SinkFailing = "sink.failing",
        /// Phrase: moved a sink to another entry of the log.
        SinkMoved = "sink.moved",
        /// Phrase: put other times to acknowledge and to decide in force.
        SlaTableActivated = "sla_table.activated",
        /// Phrase: proposed other times to acknowledge and to decide.
        SlaTableProposed = "sla_table.proposed",
        /// Phrase: closed a target.
        TargetClosedByRevocation = "target.closed_by_revocation",
        /// Phrase: told the outcome of a target.
        TargetCompleted = "target.completed",
        /// Phrase: opened a target again.
        TargetOpenedAgain = "target.opened_again",
        /// Phrase: told the outcome of a target late.
        TargetToldLate = "target.told_late",
        /// Phrase: added a task.
        TaskAdded = "task.added",
        /// Phrase: updated a task.
        TaskUpdated = "task.updated",
        /// Phrase: approved a template.
        TemplateApproved = "template.approved",
        /// Phrase: counted a failed change of a template.
        TemplateFailureCounted = "template.failure_counted",
        /// Phrase: proposed a template.
        TemplateProposed = "template.proposed",
        /// Phrase: retired a template.
        TemplateRetired = "template.retired",
        /// Phrase: suspended a template.
        TemplateSuspended = "template.suspended",
        /// Phrase: opened the organisation.
        TenantCreated = "tenant.created",
        /// Phrase: closed the status page to the public.
        TenantStatusClosed = "tenant.status_closed",
        /// Phrase: opened the status page to the public.
        TenantStatusOpened = "tenant.status_opened",
        /// Phrase: flagged that nobody administers the tenant.
        TenantWithoutAdministrator = "tenant.without_administrator",
        /// Phrase: erased texts.
        TextErased = "text.erased",
        /// Phrase: made a token.
        TokenCreated = "token.created",
        /// Phrase: told that a token ends.
        TokenEnding = "token.ending",
        /// Phrase: refused a token that is over.
        TokenRefused = "token.refused",
        /// Phrase: revoked a token.
        TokenRevoked = "token.revoked",
        /// Phrase: was told of a token that speaks for them.
        TokenTold = "token.told",
        /// Phrase: earned a training.
        TrainingEarned = "training.earned",
        /// Phrase: ended a training.
        TrainingEnded = "training.ended",
        /// Phrase: noted a training.
        TrainingSet = "training.set",
        /// Phrase: put other watch windows in force.
        WatchTableActivated = "watch_table.activated",
        /// Phrase: proposed other watch windows.
        WatchTableProposed = "watch_table.proposed",
        /// Phrase: added a webhook.
        WebhookCreated = "webhook.created",
        /// Phrase: changed a webhook.
        WebhookEdited = "webhook.edited",
        /// Phrase: ended a webhook.
        WebhookEnded = "webhook.ended",
        /// Phrase: flagged a webhook that does not take what it is told.
        WebhookFailing = "webhook.failing",
        /// Phrase: gave a webhook up.
        WebhookGaveUp = "webhook.gave_up",
        /// Phrase: sent events again.
        WebhookReplayed = "webhook.replayed",
        /// Phrase: replaced the secret of a webhook.
        WebhookSecretReplaced = "webhook.secret_replaced",
        /// Phrase: changed a maintenance window.
        WindowEdited = "window.edited",
        /// Phrase: ended a maintenance window.
        WindowEnded = "window.ended",
        /// Phrase: worked out the next times of a maintenance window.
        WindowExpanded = "window.expanded",
        /// Phrase: added a maintenance window.
        WindowSet = "window.set",
        /// Phrase: found that a workload lets in jobs of anybody.
        WorkloadDoubted = "workload.doubted",
        /// Phrase: ended a workload.
        WorkloadEnded = "workload.ended",
        /// Phrase: let a job in with its platform's token.
        WorkloadEntered = "workload.entered",
        /// Phrase: set up or changed a workload.
        WorkloadSet = "workload.set",
        /// Phrase: was told of a workload whose jobs speak for them.
        WorkloadTold = "workload.told",
    }
}
