//! What answers bring.

use model::core::enums::{
    ApprovalState, Aspect, Criticality, Decision, EntryKind, EvidenceKind, EvidenceResult, Level, LinkKind, Outcome,
    OwnershipRole, PeerVerdict, Purpose, RatedFact, State, TaskKind, TaskState, TemplateState,
};
use model::core::parse::{LINE, TEXT};

use crate::openapi::answers_administration::ADMINISTRATION;
use crate::openapi::answers_schedule::SPANS;
use crate::openapi::shapes::{
    Shape, Words, all, any, boolean, free, free_or_null, frees, integer, integer_or_null, object, objects, shape, text,
    text_or_null, texts, time, word,
};

/// Every shape that a response can have.
pub(crate) const ALL: &[&[Shape]] = &[PROBLEM, CHANGE, ITEMS, ESTATE, SPANS, ADMINISTRATION];

const PROBLEM: &[Shape] = &[
    shape(
        "Problem",
        "Why something was not done (RFC 9457).",
        &[
            text("type", LINE, "A stable address of the kind of problem."),
            text("title", LINE, "The kind, in words."),
            integer("status", 400, 599, "The HTTP status."),
            text("detail", TEXT, "The plain sentence."),
            text("code", LINE, "A stable code.").needed(),
            text("request_id", LINE, "Names this request in the server's log."),
            objects("errors", "FieldError", "With 422: every wrong field, at once."),
            objects("unmet", "Unmet", "With 409, and where a rule refused: what is missing."),
            objects(
                "changes",
                "FieldChange",
                "With `digest_not_current`: what has changed since.",
            ),
            objects(
                "policies",
                "PolicyReason",
                "With 403: the policies that decided; a rule of Assent itself, which no policy changes, is `assent.` and the code.",
            ),
        ],
    ),
    shape(
        "FieldError",
        "A field that cannot be taken.",
        &[
            text("field", LINE, "Its path, such as `targets[0].service`.").needed(),
            text("code", LINE, "A stable code.").needed(),
            text("text", TEXT, "How to mend it.").needed(),
        ],
    ),
    shape(
        "FieldChange",
        "A field whose value has changed since somebody read it. `old` and `new` hold its values, null where it was absent.",
        &[
            text("field", LINE, "Its path, such as `plan[2].title`.").needed(),
            text("covers", LINE, "Which digest covers it: `what` or `when`.").needed(),
            any("old", "Its value then; null where it was absent."),
            any("new", "Its value now; null where it is absent."),
        ],
    ),
    shape(
        "Unmet",
        "One condition that is not met.",
        &[
            text("code", LINE, "A stable code.").needed(),
            text("text", TEXT, "The plain sentence.").needed(),
            text("satisfy", TEXT, "What satisfies it.").needed(),
            texts(
                "waiting_on",
                LINE,
                "Logins, or `group:KEY`; empty only with `cannot_be_met`.",
            )
            .needed(),
            boolean(
                "cannot_be_met",
                "Whether nobody can meet it as things are; `satisfy` then names the act that helps.",
            ),
        ],
    ),
    shape(
        "PolicyReason",
        "A policy that decided.",
        &[
            text("id", LINE, "Its id.").needed(),
            text("reason", TEXT, "Its reason.").needed(),
        ],
    ),
    shape("Ended", "It is ended.", &[boolean("ended", "True.").needed()]),
    shape(
        "EndedSessions",
        "How many sessions were ended.",
        &[integer("ended", 0, i64::MAX, "How many.").needed()],
    ),
    shape("Removed", "It is removed.", &[boolean("removed", "True.").needed()]),
    shape(
        "PasswordSet",
        "The password is set.",
        &[boolean("set", "True.").needed()],
    ),
    shape(
        "RefusalCounted",
        "The question is counted.",
        &[boolean("counted", "True.").needed()],
    ),
];

const CHANGE: &[Shape] = &[
    shape(
        "Change",
        "A change: what its request says, and how far it has come.",
        &[
            text("key", LINE, "`CHG-1042`.").needed(),
            text("id", LINE, "The record's id."),
            word("state", all!(State), "Where it stands.").needed(),
            boolean("on_hold", "Whether it pauses.").needed(),
            texts("watchers", LINE, "Logins of who is told of what happens to it."),
            text("requester", LINE, "A login.").needed(),
            objects("targets", "Target", "With their ids and outcomes."),
            object("wave_plan", "WavePlan", "In which waves it goes to the members of its targets."),
            text("security", TEXT, "The assessment's answers to the security questions."),
            objects("security_answers", "SecurityAnswer", "The answers to the typed security questions."),
            objects("excluded", "Exclusion", "What the assessment left out."),
            object("risk_override", "RiskOverride", "A level that the assessment stated against the table."),
            object("risk", "Risk", "Computed anew on every edit."),
            object("forecast", "ForecastSummary", "The forecast of failure; kept as it was once the assessment is over."),
            object("reach", "KeptReach", "What it reached when it was assessed last."),
            object("undo", "UndoRecord", "How its planned undo ended."),
            time("undo_missed_at", "When its planned undo was missed."),
            object("digests", "Digests", "Over *what* and *when*; absent only in brief."),
            text("content_digest", LINE, "Over both; an approval names it. Absent only in brief."),
            boolean("is_in_brief", "True in a list while the archive's bucket, in which it lies, is away: the rest is absent."),
            free("origins", "Per field: person, template, pipeline or derived."),
            free(
                "deceiving",
                "Per field: its characters that are hidden or look like others, as `U+202E`. Absent without any.",
            ),
            word("outcome", all!(Outcome), "How it ended."),
            boolean(
                "succeeded",
                "Whether it succeeded: every target did, nothing was rolled back, and no incident is confirmed as caused by it. \
                 Absent until its work has ended, and where nothing was implemented.",
            ),
            object("watch", "WatchSpan", "The watch window: incidents of its services that begin in it are collected."),
            time("actual_start", "When the work began."),
            time("actual_end", "When it ended."),
            time("extended_until", "Until when it was extended."),
            boolean("overrun", "Whether it went on past its time."),
            boolean("window_missed", "Whether its window passed without a start."),
            boolean("unauthorized", "Whether work was done without leave."),
            texts(
                "handed_by",
                LINE,
                "Logins of who handed out the ways in by which it was written, where that were others.",
            ),
            texts("turned_normal", LINE, "What went beyond the template: locked fields, fields outside of its bounds, `risk`."),
            text("template_not_valid", TEXT, "Why its template holds no more."),
            boolean("in_freeze", "Whether a freeze began while its work was under way."),
            time("created_at", "When it was written.").needed(),
            time("updated_at", "When it last changed.").needed(),
            time("submitted_at", "When it was submitted last."),
            time("assessed_at", "When its assessment ended last."),
            time("closed_at", "When it was closed."),
            text(
                "closed_by",
                LINE,
                "Who closed it: a login; absent where it closed by itself.",
            ),
            boolean("dependencies_reviewed", "Whether its assessor looked at what depends on it."),
            texts("authors", LINE, "Logins of who wrote it or edited what is done."),
            texts("planned_by", LINE, "Logins of who set the planned times as they stand; their word on the times does not count."),
            texts("implemented_by", LINE, "Logins of who did some of the work."),
            objects(
                "requests",
                "Request",
                "Who is asked for a decision, by which rule, and why.",
            ),
            objects("clocks", "RuleClock", "By when each rule's decision is awaited."),
            object("hold", "Hold", "While it pauses: who said so, and why."),
            object(
                "returned",
                "Stated",
                "The question with which it was returned, until it is submitted again.",
            ),
            object("rejection", "Rejection", "While it is rejected."),
            object("cancelled", "Stated", "Who called it off, and why."),
            free(
                "legal_hold",
                "While it stands nothing of the change is erased: `reason`, `by`, `at`, `lift_asked` (`reason`, `by`, `at`, \
                 and `handed_by` where another person handed out the way in) while another person has to agree to lift it, which \
                 lapses after seven days, and `lifted` (`reason`, `by`, `at`) when it stands no more.",
            ),
            time("texts_erased_at", "When all its texts were erased last."),
            objects(
                "closed_targets",
                "ClosedTarget",
                "Targets that a person closed by revoking a permit, also those that were opened again.",
            ),
            free(
                "erasure",
                "The erasure of texts that is asked for, or the last that was done: `kind`, `comment`, `reason`, `asked_by`, \
                 `handed_by`, `asked_at`, `done_at`, `done_by`.",
            ),
            object(
                "finding",
                "Stated",
                "What a change manager found of work without leave.",
            ),
            frees(
                "gate_reopenings",
                "How the gate was opened again after a finding about the log: `event`, `asked` and `agreed` (`by`, `at`, `reason`).",
            ),
            free(
                "extension",
                "The last request for more time: `until`, `reason`, `by`, `at`, `decision`.",
            ),
            free(
                "break_glass",
                "A start by break-glass: `reason`, `until`, `by`, `at`, how it was signed and validated, and what was `bypassed`: each with \
                 `code`, `text`, and for a rule `rule`, of approvals `given` and `needed`.",
            ),
            object("retrospective", "Retrospective", "Work done first."),
            frees(
                "board_decisions",
                "What boards decided: `rule`, `group`, `meeting`, `quorum`, who was there, who agreed.",
            ),
            objects(
                "caused_incidents",
                "CausedIncident",
                "Incidents that a person confirmed as caused by it, each once.",
            ),
            objects(
                "watch_incidents",
                "WatchIncident",
                "Incidents of its services that began in its watch window.",
            ),
            free(
                "communicated",
                "What people know of its planned start: `starts_at`, `announced_at`, `asked_people`, `acknowledged_people`, and who is `ready`.",
            ),
            frees("validations", "Whether it works: `result`, `text`, `by`, `at`."),
            frees(
                "reviews",
                "Post-implementation reviews: what was met, `summary`, the root `cause` with its `cause_text`, `improvements`, the `incidents` addressed, `by`, `at`.",
            ),
            integer("version", 1, i64::MAX, "Grows with every save; absent only in brief."),
        ],
    )
    .based_on(&["NewChange"]),
    shape(
        "Stated",
        "What somebody said, and when.",
        &[
            text("by", LINE, "Who: a login.").needed(),
            time("at", "When.").needed(),
            text("reason", TEXT, "In their words.").needed(),
        ],
    ),
    shape(
        "Hold",
        "A pause.",
        &[time("until", "When people are reminded.")],
    )
    .based_on(&["Stated"]),
    shape(
        "Rejection",
        "A rejection.",
        &[object("overruled", "Stated", "Who let others go on in spite of it.")],
    )
    .based_on(&["Stated"]),
    shape(
        "Request",
        "A person who is asked for a decision.",
        &[
            text("rule", LINE, "The policy that asks.").needed(),
            text("person", LINE, "Who is asked: a login.").needed(),
            texts("targets", LINE, "The targets' ids.").needed(),
            text("why", TEXT, "Why this person has the authority.").needed(),
            frees(
                "grounds",
                "The same as records and versions: ownership row, membership, role, delegation.",
            ),
            time("asked_at", "When they were asked.").needed(),
            time("acknowledge_by", "By when they should say that they have seen it.").needed(),
            time("acknowledged_at", "When they said so."),
        ],
    ),
    shape(
        "RuleClock",
        "By when a rule's decision is awaited.",
        &[
            text("rule", LINE, "The policy that asks.").needed(),
            time("asked_at", "When it began.").needed(),
            time("remind_at", "When who is asked is reminded.").needed(),
            time("decide_by", "By when it should be decided.").needed(),
            free(
                "decide",
                "The time for it, as the table or the policy says it: `minutes`, `work_minutes`, `days` or `work_days`.",
            ),
            frees(
                "steps",
                "The escalations: `step`, `due_at`, and `done_at` once it was taken.",
            )
            .needed(),
            time("met_at", "When it was decided."),
            time("acknowledged_at", "When the first of those who were asked said that they look at it."),
        ],
    ),
    shape(
        "Target",
        "A target as it stands.",
        &[
            text("id", LINE, "`1`, `2` ….").needed(),
            text("state", LINE, "Where it stands."),
            free("members", "The list of its members, where it goes to many in waves: `digest` and `count`."),
            word("outcome", all!(Outcome), "How it ended."),
            time("actual_start", "When the work on it began."),
            time("actual_end", "When it ended."),
            integer("actual_downtime_minutes", 0, 1_000_000, "Minutes of real downtime."),
            frees(
                "earlier",
                "Outcomes that a later one replaced before closing: `outcome`, `reason`, `by`, `at`, `validations` (how many stood \
                 at that moment).",
            ),
            boolean(
                "is_observed",
                "Whether a connected system or a pipeline's token told the outcome. One that a person typed makes nothing `running`.",
            ),
            texts("ran_before", LINE, "What was recorded as running in its place when work began."),
            boolean(
                "rollback_unproven",
                "Whether its `rollback_to` is neither what ran there when work began nor a build with passed evidence: its way back \
                 is closed.",
            ),
            texts(
                "unknown_config_items",
                LINE,
                "Of its config items those that the estate does not hold: nobody but the service's owners is asked for them.",
            ),
        ],
    )
    .based_on(&["NewTarget"]),
    shape(
        "Risk",
        "The risk and why.",
        &[
            word("level", all!(Level), "The level.").needed(),
            integer("score", 0, 1_000, "The score behind it."),
            texts("reasons", TEXT, "Why, in words."),
            objects(
                "lowered",
                "Lowered",
                "What the change states below what its services and config items say. The higher value counts until an approver accepts the lower one.",
            ),
        ],
    ),
    shape(
        "Lowered",
        "A fact that is stated below what is derived.",
        &[
            word("fact", all!(RatedFact), "Which fact.").needed(),
            text("stated", LINE, "What the change states.").needed(),
            text("derived", LINE, "What its services and config items say; of touches, those that the change does not name.").needed(),
            text("accepted_by", LINE, "The id of the approval by which the lower value counts."),
        ],
    ),
    shape(
        "Digests",
        "Digests over canonical JSON (RFC 8785).",
        &[
            text("what", LINE, "Over all that the decision card shows.").needed(),
            text("when", LINE, "Over the planned times.").needed(),
        ],
    ),
    shape(
        "Requirement",
        "Something unmet ahead of a change.",
        &[word(
            "step",
            Words::These(&[
                "submission",
                "assessment",
                "approval",
                "scheduling",
                "implementation",
                "closure",
            ]),
            "The step that it holds up.",
        )
        .needed()],
    )
    .based_on(&["Unmet"]),
    shape(
        "Requirements",
        "All that is unmet ahead of a change, and what its policies ask of it.",
        &[
            objects("items", "Requirement", "What is unmet, in the order of the steps.").needed(),
            text_or_null("next", "Always null: there is one page."),
            word("change_state", all!(State), "Where the change stands now.").needed(),
            free_or_null("stop", "The policy that stops it altogether; null without one."),
            frees(
                "obligations",
                "What the policies ask: each with its rule (`obligation`) and the ids of the `targets` that it is asked for.",
            )
            .needed(),
            text("policy_digest", LINE, "Digest of the policies that were asked.").needed(),
        ],
    ),
    shape(
        "Event",
        "One line of the timeline.",
        &[
            text("id", LINE, "The event's id.").needed(),
            text("kind", LINE, "`change.approved`.").needed(),
            text("actor", LINE, "Who: a login, or `system`."),
            time("occurred_at", "When it happened.").needed(),
            time("recorded_at", "When it was recorded.").needed(),
            integer_or_null("index", "Its place in the log; null until it has one."),
            free("data", "What it says."),
            integer("v", 1, i64::MAX, "The version of its form.").needed(),
            text("tenant", LINE, "The tenant.").needed(),
            free("subject", "What it is about: `table` and `id`.").needed(),
            text("act", LINE, "The act that wrote it, where that wrote several."),
            frees(
                "records",
                "What it wrote, as the log seals it: `table`, `id`, `version`, and what was set; `{\"c\": …}` is a commitment.",
            ),
            free("texts", "The texts behind commitments, for whoever may read them."),
        ],
    ),
];

const ITEMS: &[Shape] = &[
    shape(
        "Item",
        "What every item has.",
        &[
            text("id", LINE, "The record's id.").needed(),
            integer("version", 1, i64::MAX, "Grows with every save."),
            word(
                "change_state",
                all!(State),
                "In the answer to a POST: where the change stands now.",
            ),
            text("by", LINE, "Who: a login."),
            time("at", "When."),
        ],
    ),
    shape(
        "Approval",
        "A decision.",
        &[
            text("person", LINE, "Who decided: a login."),
            word("decision", all!(Decision), "What they said.").needed(),
            text("comment", TEXT, "In their words."),
            word("state", all!(ApprovalState), "Whether it counts.").needed(),
            objects("conditions", "Condition", "Its conditions."),
            integer("version", 1, i64::MAX, "Grows with every save."),
            objects("counted_for", "CountedFor", "The rules for which it counts, and why."),
            text("content_digest", LINE, "The content that they named."),
            text("what_digest", LINE, "The digest *what* at that moment."),
            text("when_digest", LINE, "The digest *when* at that moment."),
            text("policy_digest", LINE, "Digest of the policies that were asked."),
            text(
                "facts_digest",
                LINE,
                "Digest of the facts that they judged; the bundle holds them.",
            ),
            free(
                "person_facts",
                "What the policies were told of the author then: rights, groups, parts, trainings.",
            ),
            word("what", COVERAGES, "Whether it stands for what is done."),
            word("when", COVERAGES, "Whether it stands for the planned times."),
            boolean("stepped_up", "Whether a fresh factor was shown for it."),
            text("method", LINE, "How they had signed in, or `token`."),
            free(
                "factor",
                "Which fresh factor stood behind it: `kind`, and with `is_second` whether it counted as a second factor.",
            ),
            text("handed_by", LINE, "Who made the way in by which it was given, where that was another person: a login."),
            time("escalated_at", "When it was first escalated past its author, if it came after that."),
            text("ended", TEXT, "Why it counts no more."),
            texts("evidence_seen", LINE, "Digests of the evidence that was there."),
            text("meeting", LINE, "The board's meeting at which it was given."),
            free(
                "lowering",
                "The lower values that it accepts: `facts`, each with what was derived then, and the `reason`.",
            ),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "CountedFor",
        "A rule for which a decision counts.",
        &[
            text("rule", LINE, "The policy's id.").needed(),
            text("asked", LINE, "Whom the rule asked then: the word in `@from`."),
            texts("targets", LINE, "The targets' ids.").needed(),
            text("why", TEXT, "Why this person could decide.").needed(),
            free("basis", "The records that say why, with their versions."),
            boolean("what", "Whether the rule covers what is done.").needed(),
            boolean("when", "Whether it covers the planned times.").needed(),
            time("valid_until", "After this it counts no more."),
        ],
    ),
    shape(
        "Condition",
        "A condition of an approval.",
        &[
            text("text", TEXT, "What must be so.").needed(),
            word("due", Words::These(&["start", "close"]), "By when.").needed(),
            text("checker", LINE, "Who checks it: a login."),
            text("approval", LINE, "The approval's id."),
            free("met", "Who found it to be so: `by`, `at`, `text`. Absent until then."),
            boolean("lapsed", "Whether it ended with its approval."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Evidence",
        "A piece of evidence.",
        &[
            word("kind", all!(EvidenceKind), "What kind of file it is.").needed(),
            word("aspect", all!(Aspect), "Which question it answers.").needed(),
            word("result", all!(EvidenceResult), "What it says.").needed(),
            text("name", LINE, "A name for people."),
            text("environment", LINE, "Where it was gained."),
            text("artifact", 255, "The artifact that was tested."),
            text(
                "plan_digest",
                LINE,
                "Without an artifact: digest of the plan that was tested.",
            ),
            text("text", TEXT, "What was read in it."),
            free(
                "accepted",
                "Who took it although it failed or cannot be judged: `by`, `at`, `reason`.",
            ),
            texts(
                "findings",
                LINE,
                "What a report found, each as a short digest, to be compared with the report of the running build.",
            ),
            texts(
                "suites",
                LINE,
                "The suites that a report of tests ran, of a failed one those that failed, each as a short digest.",
            ),
            frees(
                "agreed",
                "Of a waiver: who agreed to it, as `part` `owner` or `security`, with `places`, `by`, `at` and `reason`. It counts for a \
                 place where an owner and security, two people, agreed.",
            ),
            text("file_digest", LINE, "The file's digest."),
            time("file_erased_at", "When the file was erased; its digest stays."),
            integer("size", 0, i64::MAX, "Bytes of the file."),
            text("media_type", LINE, "Its media type."),
            time("measured_at", "When what it shows was so, where that is another time than `at`."),
            text("place", LINE, "Of a probe or a verdict: the place that it is about, as `service/environment`."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Entry",
        "A line in the log of actions.",
        &[
            text("text", TEXT, "What was done or seen.").needed(),
            word("kind", all!(EntryKind), "Step, begin, deviation, issue or rollback.").needed(),
            integer(
                "step",
                1,
                i64::MAX,
                "The step of the plan it is about, of the rollback plan where it is a rollback, counted from 1.",
            ),
            text("withdraws", LINE, "The entry that it takes back."),
            boolean("skipped", "Whether the step was skipped; `text` says why."),
            text("tap", 64, "The key of the tap that noted it."),
            integer(
                "clock_ahead_seconds",
                -86_400,
                86_400,
                "By how much the clock of the device ran ahead, negative behind; `occurred_at` is corrected by it.",
            ),
            text("target", LINE, "The target's id."),
            time("occurred_at", "When it happened, by whoever reports it; `at` is when it was received."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "PeerReview",
        "A peer's word.",
        &[
            text("person", LINE, "Whose word it is: a login.").needed(),
            word("verdict", all!(PeerVerdict), "The word.").needed(),
            text("what_digest", LINE, "Over what was read; an edit of it ends the word."),
            text("text", TEXT, "In their words."),
            word("state", all!(ApprovalState), "Whether it counts."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Task",
        "Work given to somebody.",
        &[
            word("kind", all!(TaskKind), "Which step it holds.").needed(),
            text("title", LINE, "What is to be done.").needed(),
            text("assignee", LINE, "A login."),
            texts("depends_on", LINE, "Ids of tasks that come first."),
            boolean("mandatory", "Whether it holds its step while open."),
            word("state", all!(TaskState), "Where it stands.").needed(),
            time("planned_start", "When it is to begin."),
            time("planned_end", "When it is to end."),
            time("actual_start", "When it began."),
            time("actual_end", "When it ended."),
            text("text", TEXT, "What came of it."),
            text("done_by", LINE, "Who did or dropped it: a login."),
            texts(
                "set_under",
                LINE,
                "The rules of approval for which its setter could decide: then it is an approver's.",
            ),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Comment",
        "A comment.",
        &[text("text", TEXT, "In one's own words.").needed()],
    )
    .based_on(&["Item"]),
    shape(
        "Link",
        "A link.",
        &[
            word("kind", all!(LinkKind), "How they relate.").needed(),
            text("to", LINE, "The other's key.").needed(),
            text("removed_by", LINE, "Who took it away, if so: a login."),
            time("removed_at", "When that was."),
            boolean("by_grounds", "Whether it follows from the incident that the emergency names."),
            texts(
                "set_under",
                LINE,
                "Of a `depends_on`: the rules of approval for which its setter could decide.",
            ),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Watchers",
        "Who is told of what happens.",
        &[
            texts("items", LINE, "Logins.").needed(),
            text_or_null("next", "Always null: there is one page."),
        ],
    ),
    shape(
        "Watcher",
        "Somebody who watches a change.",
        &[
            text("id", LINE, "The login again.").needed(),
            text("person", LINE, "A login.").needed(),
            word("change_state", all!(State), "The change's state.").needed(),
        ],
    ),
    shape(
        "ClosedTarget",
        "A target that a person closed by revoking its permit.",
        &[
            text("permit", LINE, "The permit's id.").needed(),
            text("target", LINE, "The target's id.").needed(),
            text("service", LINE, "The service's key.").needed(),
            text("environment", LINE, "The environment's key.").needed(),
            text("artifact", 255, "What may not be deployed."),
            text("commit", 64, "Its commit."),
            word("purpose", all!(Purpose), "Forward or back.").needed(),
            text("reason", TEXT, "Why it was closed.").needed(),
            text("by", LINE, "Who closed it: a login.").needed(),
            time("at", "When.").needed(),
            object("lifted", "Stated", "Who opened it again, and why; absent while it is closed."),
        ],
    ),
    shape(
        "Permit",
        "A permit that was given.",
        &[
            text("jti", LINE, "The permit's id."),
            text("permit", 8_192, "The compact JWS; only in the answer that gives it."),
            text("service", LINE, "The service's key."),
            text("environment", LINE, "The environment's key."),
            word("purpose", all!(Purpose), "Forward or back."),
            word("state", Words::These(&["issued", "revoked"]), "Whether it holds."),
            time("expires_at", "Until when."),
            time("revoked_at", "When it was revoked."),
            text("revoked_reason", TEXT, "Why it was revoked."),
            text("change_key", LINE, "The change."),
            text("target", LINE, "The target's id."),
            text("member", LINE, "The member for which alone it is."),
            text("artifact", 255, "What may be deployed."),
            text("commit", 64, "Its commit."),
            boolean("break_glass", "Whether it was given under break-glass."),
            text("content_digest", LINE, "The content that was approved."),
            text("policy_digest", LINE, "Digest of the policies that were asked."),
            integer("epoch", 0, i64::MAX, "Permits of older epochs are dead."),
            integer(
                "max_list_age_seconds",
                0,
                i64::MAX,
                "How old the revocation list may be.",
            ),
            time("issued_at", "When it was given."),
            time("not_before", "The start of its validity."),
            text(
                "kid",
                LINE,
                "The key that signs it.",
            ),
            time(
                "used_at",
                "When it was used up at the online gate; absent if it was not.",
            ),
            text("used_by", LINE, "Who used it up: a login."),
        ],
    )
    .based_on(&["Item"]),
];

/// The state of an approval for a part of the content.
const COVERAGES: Words = Words::These(&["not_covered", "standing", "voided"]);

const ESTATE: &[Shape] = &[
    shape(
        "Stored",
        "What every stored thing has.",
        &[
            text("id", LINE, "The record's id.").needed(),
            integer("version", 0, i64::MAX, "Grows with every save; 0 for an entry that is shipped and was never saved."),
        ],
    ),
    shape(
        "Service",
        "A service.",
        &[
            word("criticality", all!(Criticality), "How much depends on it."),
            texts("watchers", LINE, "Logins of who is told of its changes."),
            texts("watching_groups", LINE, "Groups that are told of them."),
        ],
    )
    .based_on(&["ServiceInput", "Stored", "Led"]),
    shape("Environment", "An environment.", &[]).based_on(&["EnvironmentInput", "Stored"]),
    shape("ConfigItem", "A config item.", &[]).based_on(&["ConfigItemInput", "Stored"]),
    shape(
        "Dependency",
        "One service needs another.",
        &[boolean("ended", "Whether it was taken back.")],
    )
    .based_on(&["DependencyInput", "Stored"]),
    shape(
        "Ownership",
        "A part in owning a service.",
        &[
            word("role", all!(OwnershipRole), "The part."),
            time("since", "Since when."),
            time(
            "corrected_at",
            "When it was recorded, where that was after its start: it counts from then on.",
        ),
            boolean(
                "is_from_catalogue",
                "Whether the import of a catalogue made it, which ends it when the catalogue no longer says it.",
            ),
            free("hand", "Who alone gave it last: `by` and `at`."),
        ],
    )
    .based_on(&["OwnershipInput", "Stored"]),
    shape(
        "Template",
        "A pre-approved kind of change.",
        &[
            word("state", all!(TemplateState), "Where it stands."),
            integer("template_version", 1, i64::MAX, "Grows when its fields change."),
            text("proposer", LINE, "Who proposed this version: a login."),
            text("handed_by", LINE, "Who handed the proposer their way in, where that was another person: a login."),
            text("digest", LINE, "Digest of the locked fields."),
            frees("failures", "The changes of this version that failed: `change`, `change_key` and `at`."),
            text("ended_reason", TEXT, "Why it was suspended or retired."),
            frees(
                "approvals",
                "Who approved this version: `person`, `role`, `at`, and `handed_by` where another handed them their way in.",
            ),
            free(
                "custom_fields",
                "Locked values of fields of your own: each with its key and what it holds.",
            ),
            object("next", "Template", "The version that is proposed beside this one, until it is approved or retired."),
        ],
    )
    .based_on(&["TemplateInput", "Stored"]),
];
