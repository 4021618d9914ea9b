//! The kinds of events of the log that no card names: those of nouns with a card are on the card, and a change has one for each of
//! its states.

use serde::{Deserialize, Serialize};

words! {
    /// A kind of event.
    EventKind {
        /// Phrase: ended an absence.
        AbsenceEnded = "absence.ended",
        /// Phrase: recorded an absence.
        AbsenceSet = "absence.set",
        /// Phrase: began an access review.
        AccessReviewBegun = "access_review.begun",
        /// Phrase: handed an access review over.
        AccessReviewHandedOver = "access_review.handed_over",
        /// Phrase: reminded of an access review.
        AccessReviewReminded = "access_review.reminded",
        /// Phrase: scheduled access reviews.
        AccessReviewScheduled = "access_review.scheduled",
        /// Phrase: signed an access review.
        AccessReviewSigned = "access_review.signed",
        /// Phrase: has seen it.
        ApprovalAcknowledged = "approval.acknowledged",
        /// Phrase: escalated an unanswered request.
        ApprovalEscalated = "approval.escalated",
        /// Phrase: let an approval expire.
        ApprovalExpired = "approval.expired",
        /// Phrase: decided.
        ApprovalGiven = "approval.given",
        /// Phrase: found no eligible approver.
        ApprovalNobodyCan = "approval.nobody_can",
        /// Phrase: reminded of a decision that is due.
        ApprovalReminded = "approval.reminded",
        /// Phrase: withdrew a request for a decision.
        ApprovalRequestEnded = "approval.request_ended",
        /// Phrase: requested a decision.
        ApprovalRequested = "approval.requested",
        /// Phrase: rerouted the request for a decision.
        ApprovalRerouted = "approval.rerouted",
        /// Phrase: reminded of an unanswered request.
        ApprovalUnacknowledged = "approval.unacknowledged",
        /// Phrase: voided an approval.
        ApprovalVoided = "approval.voided",
        /// Phrase: withdrew a decision.
        ApprovalWithdrawn = "approval.withdrawn",
        /// Phrase: was refused.
        AttemptRefused = "attempt.refused",
        /// Phrase: recorded the decision of the board.
        BoardDecided = "board.decided",
        /// Phrase: cosigned the break-glass.
        BreakGlassCosigned = "break_glass.cosigned",
        /// Phrase: counted a break-glass of the team.
        BreakGlassCounted = "break_glass.counted",
        /// Phrase: ended the break-glass.
        BreakGlassEnded = "break_glass.ended",
        /// Phrase: used break-glass.
        BreakGlassOpened = "break_glass.opened",
        /// Phrase: flagged it: the team uses break-glass too often.
        BreakGlassOverBudget = "break_glass.over_budget",
        /// Phrase: flagged it: nobody validated the break-glass in time.
        BreakGlassUnvalidated = "break_glass.unvalidated",
        /// Phrase: validated the break-glass.
        BreakGlassValidated = "break_glass.validated",
        /// Phrase: set working hours.
        CalendarSet = "calendar.set",
        /// Phrase: recorded an acknowledgement of its announcement.
        ChangeAcknowledged = "change.acknowledged",
        /// Phrase: recorded that its start was announced.
        ChangeAnnounced = "change.announced",
        /// Phrase: assessed it.
        ChangeAssessed = "change.assessed",
        /// Phrase: brought other content from outside.
        ChangeAuthorAdded = "change.author_added",
        /// Phrase: recorded that the work began without authorization.
        ChangeBeganEarly = "change.began_early",
        /// Phrase: recorded its outcome.
        ChangeCompleted = "change.completed",
        /// Phrase: wrote it.
        ChangeCreated = "change.created",
        /// Phrase: brought it back to draft.
        ChangeDrafted = "change.drafted",
        /// Phrase: edited it.
        ChangeEdited = "change.edited",
        /// Phrase: requested the erasure of its texts.
        ChangeErasureAsked = "change.erasure_asked",
        /// Phrase: had texts of it erased.
        ChangeErasureDone = "change.erasure_done",
        /// Phrase: withdrew the erasure of its texts.
        ChangeErasureWithdrawn = "change.erasure_withdrawn",
        /// Phrase: recorded the result of a finding.
        ChangeFindingStated = "change.finding_stated",
        /// Phrase: reopened the gate.
        ChangeGateReopened = "change.gate_reopened",
        /// Phrase: requested to reopen the gate.
        ChangeGateReopeningAsked = "change.gate_reopening_asked",
        /// Phrase: put it on hold.
        ChangeHeld = "change.held",
        /// Phrase: reminded that its hold was due to end.
        ChangeHoldEnded = "change.hold_ended",
        /// Phrase: found it inside a freeze.
        ChangeInFreeze = "change.in_freeze",
        /// Phrase: confirmed that it caused an incident.
        ChangeIncidentCaused = "change.incident_caused",
        /// Phrase: recorded an incident in its watch window.
        ChangeIncidentInWatch = "change.incident_in_watch",
        /// Phrase: flagged it: the latest time for a rollback passed.
        ChangeLatestRollbackPassed = "change.latest_rollback_passed",
        /// Phrase: requested the lifting of its legal hold.
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
        /// Phrase: found that it affects more than was assessed.
        ChangeReachGrown = "change.reach_grown",
        /// Phrase: recorded whether a team is ready for it.
        ChangeReadinessStated = "change.readiness_stated",
        /// Phrase: overruled a rejection.
        ChangeRejectionOverruled = "change.rejection_overruled",
        /// Phrase: reminded of open work.
        ChangeReminded = "change.reminded",
        /// Phrase: flagged it: it depends on a person who has left.
        ChangeRestsOnLeaver = "change.rests_on_leaver",
        /// Phrase: resumed it.
        ChangeResumed = "change.resumed",
        /// Phrase: confirmed or denied the retrospective.
        ChangeRetrospectiveAnswered = "change.retrospective_answered",
        /// Phrase: returned it with a question.
        ChangeReturned = "change.returned",
        /// Phrase: reviewed it.
        ChangeReviewed = "change.reviewed",
        /// Phrase: recalculated the risk.
        ChangeRiskChanged = "change.risk_changed",
        /// Phrase: submitted it.
        ChangeSubmitted = "change.submitted",
        /// Phrase: recorded retrospective work.
        ChangeToldAfterwards = "change.told_afterwards",
        /// Phrase: removed it from its template: it is a normal change now.
        ChangeTurnedNormal = "change.turned_normal",
        /// Phrase: flagged it as unauthorized.
        ChangeUnauthorized = "change.unauthorized",
        /// Phrase: cancelled its planned undo.
        ChangeUndoCalledOff = "change.undo_called_off",
        /// Phrase: flagged it: it was not undone in time.
        ChangeUndoMissed = "change.undo_missed",
        /// Phrase: undid it as planned.
        ChangeUndone = "change.undone",
        /// Phrase: found an event whose grounds are not in the log.
        ChangeUngrounded = "change.ungrounded",
        /// Phrase: removed a link.
        ChangeUnlinked = "change.unlinked",
        /// Phrase: stopped watching it.
        ChangeUnwatched = "change.unwatched",
        /// Phrase: validated it.
        ChangeValidated = "change.validated",
        /// Phrase: watches it.
        ChangeWatched = "change.watched",
        /// Phrase: removed a watcher of it.
        ChangeWatchingEnded = "change.watching_ended",
        /// Phrase: recorded that a wave of it has passed.
        ChangeWavePassed = "change.wave_passed",
        /// Phrase: halted its waves.
        ChangeWavesHalted = "change.waves_halted",
        /// Phrase: paused its waves.
        ChangeWavesPaused = "change.waves_paused",
        /// Phrase: planned its waves and their members.
        ChangeWavesPlanned = "change.waves_planned",
        /// Phrase: resumed its waves.
        ChangeWavesResumed = "change.waves_resumed",
        /// Phrase: flagged it: its window passed without a start.
        ChangeWindowMissed = "change.window_missed",
        /// Phrase: opened its window.
        ChangeWindowOpened = "change.window_opened",
        /// Phrase: moved changes to the archive.
        ChangesArchived = "changes.archived",
        /// Phrase: ticked an item of the checklist.
        ChecklistTicked = "checklist.ticked",
        /// Phrase: approved waiving an item of the checklist.
        ChecklistWaived = "checklist.waived",
        /// Phrase: commented.
        CommentAdded = "comment.added",
        /// Phrase: marked a condition as met.
        ConditionMet = "condition.met",
        /// Phrase: reopened a condition.
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
        /// Phrase: ended a delegation.
        DelegationEnded = "delegation.ended",
        /// Phrase: named a delegate.
        DelegationSet = "delegation.set",
        /// Phrase: erased raw deliveries.
        DeliveriesForgotten = "deliveries.forgotten",
        /// Phrase: filled the demonstration.
        DemoFilled = "demo.filled",
        /// Phrase: removed a dependency.
        DependencyEnded = "dependency.ended",
        /// Phrase: set a dependency.
        DependencySet = "dependency.set",
        /// Phrase: matched a rollback to the start it reverses.
        DeploymentCleared = "deployment.cleared",
        /// Phrase: reported a failed deployment.
        DeploymentFailed = "deployment.failed",
        /// Phrase: reported a deployment.
        DeploymentTold = "deployment.told",
        /// Phrase: reported a deployment without a lawful start.
        DeploymentUnauthorized = "deployment.unauthorized",
        /// Phrase: found a deployment without its change.
        DeploymentUnmatched = "deployment.unmatched",
        /// Phrase: imported rows of the directory.
        DirectoryImported = "directory.imported",
        /// Phrase: recorded an action.
        EntryRecorded = "entry.recorded",
        /// Phrase: set an environment.
        EnvironmentSet = "environment.set",
        /// Phrase: withdrew the acceptance of failed evidence.
        EvidenceAcceptanceVoided = "evidence.acceptance_voided",
        /// Phrase: accepted failed evidence.
        EvidenceAccepted = "evidence.accepted",
        /// Phrase: added evidence.
        EvidenceAdded = "evidence.added",
        /// Phrase: requested an extension.
        ExtensionAsked = "extension.asked",
        /// Phrase: refused an extension.
        ExtensionDenied = "extension.denied",
        /// Phrase: granted an extension.
        ExtensionGranted = "extension.granted",
        /// Phrase: fitted a failure model.
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
        /// Phrase: exempted a change from a freeze.
        FreezeExcepted = "freeze.excepted",
        /// Phrase: edited a change that was exempt from a freeze.
        FreezeExceptionLapsed = "freeze.exception_lapsed",
        /// Phrase: withdrew an exception from a freeze.
        FreezeExceptionWithdrawn = "freeze.exception_withdrawn",
        /// Phrase: recorded the expected effect of a freeze.
        FreezeExpected = "freeze.expected",
        /// Phrase: computed the next times of a freeze.
        FreezeExpanded = "freeze.expanded",
        /// Phrase: voided the permits under a freeze.
        FreezeHalted = "freeze.halted",
        /// Phrase: proposed that a freeze ends or covers less.
        FreezeLooseningProposed = "freeze.loosening_proposed",
        /// Phrase: requested the agreement of the business owner of a freeze.
        FreezeOwnerAsked = "freeze.owner_asked",
        /// Phrase: proposed a freeze.
        FreezeProposed = "freeze.proposed",
        /// Phrase: set a freeze.
        FreezeSet = "freeze.set",
        /// Phrase: reduced a freeze.
        FreezeShortened = "freeze.shortened",
        /// Phrase: asked the gate.
        GateChecked = "gate.checked",
        /// Phrase: re-evaluated a waiting check.
        GateJudgedAgain = "gate.judged_again",
        /// Phrase: asked the gate, and the system that leads the service allows it.
        GateLedElsewhere = "gate.led_elsewhere",
        /// Phrase: collected the permit of a waiting check.
        GatePermitCollected = "gate.permit_collected",
        /// Phrase: set a group.
        GroupSet = "group.set",
        /// Phrase: ended an identity provider.
        IdentityProviderEnded = "identity_provider.ended",
        /// Phrase: set up or changed an identity provider.
        IdentityProviderSet = "identity_provider.set",
        /// Phrase: found that an incident is major.
        IncidentBecameMajor = "incident.became_major",
        /// Phrase: found candidate causes of an incident.
        IncidentCandidatesFound = "incident.candidates_found",
        /// Phrase: cleared a change as the cause of an incident.
        IncidentCauseCleared = "incident.cause_cleared",
        /// Phrase: confirmed a change as the cause of an incident.
        IncidentCauseConfirmed = "incident.cause_confirmed",
        /// Phrase: closed an incident.
        IncidentClosed = "incident.closed",
        /// Phrase: changed the commander of an incident.
        IncidentCommanded = "incident.commanded",
        /// Phrase: declared an incident major.
        IncidentDeclared = "incident.declared",
        /// Phrase: found an incident.
        IncidentDetected = "incident.detected",
        /// Phrase: edited an incident.
        IncidentEdited = "incident.edited",
        /// Phrase: allowed a change during a major incident.
        IncidentExceptionSigned = "incident.exception_signed",
        /// Phrase: resumed the work around an incident.
        IncidentHaltEnded = "incident.halt_ended",
        /// Phrase: halted the work around an incident.
        IncidentHalted = "incident.halted",
        /// Phrase: could not declare a severe incident major.
        IncidentMajorWithheld = "incident.major_withheld",
        /// Phrase: merged an incident into another.
        IncidentMerged = "incident.merged",
        /// Phrase: found an incident mitigated.
        IncidentMitigated = "incident.mitigated",
        /// Phrase: opened an incident.
        IncidentOpened = "incident.opened",
        /// Phrase: linked or unlinked a change as the cause of an incident.
        IncidentRelationMoved = "incident.relation_moved",
        /// Phrase: found an incident reopened.
        IncidentReopened = "incident.reopened",
        /// Phrase: reported an incident.
        IncidentReported = "incident.reported",
        /// Phrase: resolved an incident.
        IncidentResolved = "incident.resolved",
        /// Phrase: reviewed the signature of a commander.
        IncidentSignatureReviewed = "incident.signature_reviewed",
        /// Phrase: withdrew a commander’s signature.
        IncidentSignatureWithdrawn = "incident.signature_withdrawn",
        /// Phrase: ended the freeze of a major incident.
        IncidentStoodDown = "incident.stood_down",
        /// Phrase: revoked permits of a stolen key.
        KeyPermitsRevoked = "key.permits_revoked",
        /// Phrase: revoked a signing key.
        KeyRevoked = "key.revoked",
        /// Phrase: rotated a signing key.
        KeyRotated = "key.rotated",
        /// Phrase: recorded which keys are valid.
        KeysChanged = "keys.changed",
        /// Phrase: notified a person what a draft by mail lacks.
        LetterTaken = "letter.taken",
        /// Phrase: closed the log to the public.
        LogClosed = "log.closed",
        /// Phrase: renewed the authentication codes of all rows.
        LogCodesRenewed = "log.codes_renewed",
        /// Phrase: began recording the grounds of events.
        LogGroundsBegan = "log.grounds_began",
        /// Phrase: accepted the loss of log entries.
        LogLossAccepted = "log.loss_accepted",
        /// Phrase: opened the log to the public.
        LogPublished = "log.published",
        /// Phrase: compared every record with the log.
        LogReplayed = "log.replayed",
        /// Phrase: recorded the size of the log.
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
        /// Phrase: recorded the delivery of a message.
        MessageDelivery = "message.delivery",
        /// Phrase: recorded the delivery of messages.
        MessagesDelivery = "messages.delivery",
        /// Phrase: released held messages.
        MessagesReleased = "messages.released",
        /// Phrase: ended an on-call period.
        OnCallEnded = "on_call.ended",
        /// Phrase: set the on-call person.
        OnCallSet = "on_call.set",
        /// Phrase: received the answer of an outside system.
        OutsideCheckAnswered = "outside_check.answered",
        /// Phrase: put rows of the ownership matrix in force.
        OwnershipActivated = "ownership.activated",
        /// Phrase: ended a row of the ownership matrix.
        OwnershipEnded = "ownership.ended",
        /// Phrase: proposed rows of the ownership matrix.
        OwnershipProposed = "ownership.proposed",
        /// Phrase: assigned the ownership of a service.
        OwnershipSet = "ownership.set",
        /// Phrase: reviewed it as a peer.
        PeerReviewGiven = "peer_review.given",
        /// Phrase: used a permit.
        PermitConsumed = "permit.consumed",
        /// Phrase: issued a permit.
        PermitIssued = "permit.issued",
        /// Phrase: revoked a permit.
        PermitRevoked = "permit.revoked",
        /// Phrase: linked an account to its identity provider.
        PersonBound = "person.bound",
        /// Phrase: confirmed the rights that an identity provider grants.
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
        /// Phrase: suspended rights that a compromised account granted.
        PersonGiftsSuspended = "person.gifts_suspended",
        /// Phrase: flagged a passkey that seems to be copied.
        PersonPasskeyCopied = "person.passkey_copied",
        /// Phrase: removed a password.
        PersonPasswordRemoved = "person.password_removed",
        /// Phrase: set a password.
        PersonPasswordSet = "person.password_set",
        /// Phrase: used a recovery code.
        PersonRecoveryCodeUsed = "person.recovery_code_used",
        /// Phrase: made recovery codes.
        PersonRecoveryCodesMade = "person.recovery_codes_made",
        /// Phrase: allowed a membership that had been refused.
        PersonRightAllowed = "person.right_allowed",
        /// Phrase: refused a membership.
        PersonRightRefused = "person.right_refused",
        /// Phrase: ended rights that no sign-in confirmed.
        PersonRightsEnded = "person.rights_ended",
        /// Phrase: ended sessions.
        PersonSessionsEnded = "person.sessions_ended",
        /// Phrase: signed in.
        PersonSignedIn = "person.signed_in",
        /// Phrase: reauthenticated.
        PersonSteppedUp = "person.stepped_up",
        /// Phrase: set notification preferences.
        PersonTellingSet = "person.telling_set",
        /// Phrase: notified a person that their address or accounts were changed.
        PersonToldOfAddress = "person.told_of_address",
        /// Phrase: notified a person that their rights ended.
        PersonToldOfEnd = "person.told_of_end",
        /// Phrase: put policies in force.
        PoliciesActivated = "policies.activated",
        /// Phrase: proposed policies.
        PoliciesProposed = "policies.proposed",
        /// Phrase: recovered policies on the host.
        PoliciesRecovered = "policies.recovered",
        /// Phrase: recorded the provenance of builds.
        ProvenanceTold = "provenance.told",
        /// Phrase: updated a record.
        RecordUpdated = "record.updated",
        /// Phrase: notified a person that an answer by mail was not accepted.
        ReplyRefused = "reply.refused",
        /// Phrase: put another retention in force.
        RetentionActivated = "retention.activated",
        /// Phrase: proposed another retention.
        RetentionProposed = "retention.proposed",
        /// Phrase: put a risk table in force.
        RiskTableActivated = "risk_table.activated",
        /// Phrase: proposed a risk table.
        RiskTableProposed = "risk_table.proposed",
        /// Phrase: recorded what runs.
        ServiceDeployed = "service.deployed",
        /// Phrase: handed the lead of a service to another system.
        ServiceLedElsewhere = "service.led_elsewhere",
        /// Phrase: returned the lead of a service to Assent.
        ServiceLedHere = "service.led_here",
        /// Phrase: set a service.
        ServiceSet = "service.set",
        /// Phrase: stopped watching a service.
        ServiceUnwatched = "service.unwatched",
        /// Phrase: watches a service.
        ServiceWatched = "service.watched",
        /// Phrase: removed a watcher of a service.
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
        /// Phrase: recorded the outcome of a target.
        TargetCompleted = "target.completed",
        /// Phrase: opened a target again.
        TargetOpenedAgain = "target.opened_again",
        /// Phrase: recorded the outcome of a target late.
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
        /// Phrase: created the organisation.
        TenantCreated = "tenant.created",
        /// Phrase: closed the status page to the public.
        TenantStatusClosed = "tenant.status_closed",
        /// Phrase: opened the status page to the public.
        TenantStatusOpened = "tenant.status_opened",
        /// Phrase: flagged that the tenant has no administrator.
        TenantWithoutAdministrator = "tenant.without_administrator",
        /// Phrase: erased texts.
        TextErased = "text.erased",
        /// Phrase: made a token.
        TokenCreated = "token.created",
        /// Phrase: warned that a token expires.
        TokenEnding = "token.ending",
        /// Phrase: refused an expired token.
        TokenRefused = "token.refused",
        /// Phrase: revoked a token.
        TokenRevoked = "token.revoked",
        /// Phrase: was notified of a token that acts for them.
        TokenTold = "token.told",
        /// Phrase: earned a training.
        TrainingEarned = "training.earned",
        /// Phrase: ended a training.
        TrainingEnded = "training.ended",
        /// Phrase: recorded a training.
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
        /// Phrase: flagged a webhook that does not accept its deliveries.
        WebhookFailing = "webhook.failing",
        /// Phrase: gave up on a webhook.
        WebhookGaveUp = "webhook.gave_up",
        /// Phrase: resent events.
        WebhookReplayed = "webhook.replayed",
        /// Phrase: replaced the secret of a webhook.
        WebhookSecretReplaced = "webhook.secret_replaced",
        /// Phrase: changed a maintenance window.
        WindowEdited = "window.edited",
        /// Phrase: ended a maintenance window.
        WindowEnded = "window.ended",
        /// Phrase: computed the next times of a maintenance window.
        WindowExpanded = "window.expanded",
        /// Phrase: added a maintenance window.
        WindowSet = "window.set",
        /// Phrase: found that a workload accepts jobs of anyone.
        WorkloadDoubted = "workload.doubted",
        /// Phrase: ended a workload.
        WorkloadEnded = "workload.ended",
        /// Phrase: accepted a job with its platform's token.
        WorkloadEntered = "workload.entered",
        /// Phrase: set up or changed a workload.
        WorkloadSet = "workload.set",
        /// Phrase: was notified of a workload whose jobs act for them.
        WorkloadTold = "workload.told",
    }
}
