//! The bodies of requests: one shape per act.

use model::core::enums::{
    Aspect, ConditionDue, Decision, Disruption, EmergencyCause, EntryKind, ErasureKind, EvidenceKind, EvidenceResult,
    GroupKind, Level, LinkKind, Outcome, PeerVerdict, Purpose, Role, SecurityQuestion, TaskKind, TaskState,
    ValidationResult,
};
use model::core::parse::{LINE, TEXT};

use crate::openapi::directory::estate::ESTATE;
use crate::openapi::shapes::{
    Shape, Words, all, boolean, integer, object, objects, shape, text, text_or_free, texts, time, word, words,
};

const MINUTES: i64 = 100_000;

/// Every shape that a request can have.
pub(crate) const ALL: &[&[Shape]] = &[CONTENT, DECISIONS, WORK, AFTER, AROUND, GATE, ESTATE, ADMINISTRATION];

const CONTENT: &[Shape] = &[
    shape(
        "NewTarget",
        "One service in one environment.",
        &[
            text("service", LINE, "The service's key.").needed(),
            text("environment", LINE, "The environment's key.").needed(),
            texts("config_items", LINE, "Keys of config items."),
            text("artifact", 255, "Digest of what is deployed."),
            text("commit", 64, "The commit that is deployed."),
            text("rollback_to", 255, "Digest of what runs again after a rollback."),
        ],
    ),
    shape(
        "Step",
        "A step of a plan.",
        &[
            text("title", LINE, "What is done.").needed(),
            text("owner", LINE, "A login or free text."),
            text("team", LINE, "The team."),
            integer("minutes", 0, MINUTES, "How long it takes."),
            text("check", TEXT, "How one sees that it worked."),
            boolean(
                "watch",
                "Whether it is a watch: it ends after its `minutes` at the earliest, or is skipped with a reason.",
            ),
        ],
    ),
    shape(
        "Impact",
        "What is at stake, on three axes.",
        &[
            word("data", all!(Level), "On data."),
            word("availability", all!(Level), "On availability."),
            word("compliance", all!(Level), "On compliance."),
        ],
    ),
    shape(
        "Disruption",
        "What users will notice.",
        &[
            word("kind", all!(Disruption), "The kind.").needed(),
            integer("minutes", 0, MINUTES, "For how long."),
            text("audience", TEXT, "Whom it concerns."),
        ],
    ),
    shape(
        "RetrospectiveInput",
        "Work that was done before it was recorded.",
        &[
            time(
                "actual_start",
                "When it began: needed to tell of it, and told of each target afterwards.",
            ),
            time(
                "actual_end",
                "When it ended: needed to tell of it, and told of each target afterwards.",
            ),
            text("reason", TEXT, "Why it could not be recorded before.").needed(),
            text("verbal_approver", LINE, "Who agreed by word: a login.").needed(),
        ],
    ),
    shape(
        "AssessmentInput",
        "The assessment.",
        &[
            object("impact", "Impact", "The axes that the assessment states."),
            word(
                "complexity",
                Words::These(&["low", "medium", "high"]),
                "How hard it is.",
            ),
            text_or_free(
                "security",
                TEXT,
                "The answers to the security questions: a text, or an object of questions and answers.",
            ),
            objects(
                "security_answers",
                "SecurityAnswer",
                "The answers to the security questions that its category and touches raise.",
            ),
            boolean(
                "dependencies_reviewed",
                "Whether the dependencies were looked at; needed where something is reached, but in an emergency.",
            ),
            objects(
                "excluded",
                "Exclusion",
                "What the assessment leaves out of what the change reaches; it lowers nothing.",
            ),
            object(
                "risk_override",
                "RiskOverride",
                "A level against the table; lowered only by an approval.",
            ),
        ],
    ),
    shape(
        "PlannedUndo",
        "The inverse of a change, declared before its work.",
        &[
            text("text", LINE, "What is undone, and how.").needed(),
            time("at", "When: after the planned start, within 92 days.").needed(),
        ],
    ),
    shape(
        "SecurityAnswer",
        "An answer to a security question.",
        &[
            word("question", all!(SecurityQuestion), "The question.").needed(),
            boolean("yes", "Whether it is so.").needed(),
            text("text", TEXT, "What exactly; needed where it is so."),
        ],
    ),
    shape(
        "Exclusion",
        "Something left out, with the reason.",
        &[
            text("item", LINE, "What.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "RiskOverride",
        "A level stated against the table.",
        &[
            word("level", Words::These(&["low", "medium", "high"]), "The level.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
];

const DECISIONS: &[Shape] = &[
    shape(
        "ApprovalInput",
        "A decision. The digest is that of the content that was read; a changed content answers 409 with the difference.",
        &[
            word("decision", all!(Decision), "The decision.").needed(),
            text("comment", TEXT, "In one's own words; needed to reject or return."),
            text("content_digest", LINE, "`content_digest` of the change as it was read.").needed(),
            text(
                "meeting",
                LINE,
                "The id of the board's meeting at which it is given, for a rule that wants one.",
            ),
            objects(
                "conditions",
                "ConditionInput",
                "For `approve_with_conditions`: at least one.",
            ),
            object(
                "lowering",
                "LoweringInput",
                "Accepts values that the change states below what its services and config items say.",
            ),
        ],
    ),
    shape(
        "LoweringInput",
        "Which lower values count with this approval, and why.",
        &[
            texts(
                "fields",
                LINE,
                "`impact.data`, `impact.availability`, `impact.compliance`, `complexity`, `touches` or `risk_override`: of `risk.lowered` of the change.",
            )
            .needed(),
            text("reason", TEXT, "Why the lower values are right.").needed(),
        ],
    ),
    shape(
        "ConditionInput",
        "A condition under which somebody approves.",
        &[
            text("text", TEXT, "What must be so.").needed(),
            word("due", all!(ConditionDue), "By when.").needed(),
            text("checker", LINE, "Who checks it: a login; the approver unless said."),
        ],
    ),
    shape(
        "ReturnInput",
        "Sends a change back to its author.",
        &[text("question", TEXT, "What is asked.").needed()],
    ),
    shape("ReasonInput", "Says why.", &[text("reason", TEXT, "Why.").needed()]),
    shape(
        "TemplateEndInput",
        "Says why, and of which version.",
        &[integer("template_version", 1, i64::MAX, "That in force, or proposed.")],
    )
    .based_on(&["ReasonInput"]),
    shape(
        "ErasureInput",
        "Which texts of a change are to be erased, and why. The proofs in the log remain.",
        &[
            word(
                "kind",
                all!(ErasureKind),
                "`texts`: all of a change that has ended; `former_texts`: what was edited out; `comment`: one comment.",
            )
            .needed(),
            text("comment", LINE, "With `comment`: its id."),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "ScheduleInput",
        "The planned times.",
        &[
            time("planned_start", "May lie in the past.").needed(),
            time("planned_end", "Lies ahead and after the start.").needed(),
        ],
    ),
    shape(
        "HoldInput",
        "Pauses a change.",
        &[
            text("reason", TEXT, "Why.").needed(),
            time("until", "When people are reminded."),
        ],
    ),
    shape(
        "PeerReviewInput",
        "A peer's word on plan and code.",
        &[
            word("verdict", all!(PeerVerdict), "The word.").needed(),
            text("text", TEXT, "In one's own words."),
            text("content_digest", LINE, "`content_digest` of the change as it was read.").needed(),
        ],
    ),
    shape("NoBody", "Nothing needs to be said.", &[]),
    shape(
        "CosignatureInput",
        "The second signature of a break-glass.",
        &[text(
            "content_digest",
            LINE,
            "`content_digest` of the change as it was read: 409 once it is no longer the present one.",
        )],
    ),
    shape(
        "TemplateApprovalInput",
        "Approves a standard template.",
        &[integer(
            "template_version",
            1,
            i64::MAX,
            "The version that was read: 409 once another one is proposed.",
        )],
    ),
];

const WORK: &[Shape] = &[
    shape(
        "EntryInput",
        "A line in the log of actions.",
        &[
            text("text", TEXT, "What was done or seen.").needed(),
            word(
                "kind",
                all!(EntryKind),
                "`step` (the end of one) unless said; `begin` says that a `step` began. The others alert at once, a rollback \
                 where it begins (without `step`).",
            ),
            integer(
                "step",
                1,
                i64::MAX,
                "The step of the plan it is about, of the rollback plan where it is a rollback, counted from 1.",
            ),
            text(
                "withdraws",
                LINE,
                "The id (or `tap`) of an entry that is taken back: the beginning of a way back, with the kind `deviation`, before any \
                 step of it is done; or a step that the same person noted less than five minutes before, with the kind `step`.",
            ),
            boolean("skipped", "Whether the step was skipped; `text` says why."),
            text("target", LINE, "The target's id."),
            time(
                "occurred_at",
                "When it happened; now unless said. The end of a step does not lie before the start of the work.",
            ),
            time(
                "sent_at",
                "The time by the clock of the device that sends what it kept: `occurred_at` is corrected by how far that clock is off.",
            ),
            text(
                "tap",
                64,
                "A key that the device made for this tap: what arrives again with the same key is the same entry.",
            ),
        ],
    ),
    shape(
        "ExtensionInput",
        "Asks for more time.",
        &[
            time("until", "Until when: at most seven days after the planned end.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "ExtensionDecisionInput",
        "Grants or denies more time.",
        &[
            boolean("grant", "Whether it is granted.").needed(),
            text("reason", TEXT, "Why."),
        ],
    ),
    shape(
        "CompletionInput",
        "How a target ended; without a target, all that are still open.",
        &[
            word("outcome", all!(Outcome), "How.").needed(),
            text("target", LINE, "The target's id."),
            time("actual_start", "When the work began."),
            time("actual_end", "When it ended."),
            integer("actual_downtime_minutes", 0, 1_000_000, "Minutes of real downtime."),
            text("reason", TEXT, "Needed when another outcome stands already."),
        ],
    ),
    shape(
        "ReadinessInput",
        "Whether one's team is ready.",
        &[boolean("ready", "false takes it back; ready unless said.")],
    ),
    shape(
        "UndoInput",
        "How the planned undo ended.",
        &[
            boolean(
                "done",
                "false calls it off, with the reason as `text`; done unless said.",
            ),
            time("occurred_at", "When; now unless said."),
            text("text", TEXT, "What was seen, or why it is called off."),
        ],
    ),
    shape(
        "BreakGlassInput",
        "Starts without approvals, in the open.",
        &[
            text("reason", TEXT, "Why.").needed(),
            time("until", "At most four hours ahead.").needed(),
            text("incident", LINE, "An incident's key or outside reference."),
        ],
    ),
    shape(
        "PermitInput",
        "Asks for a permit ahead of the window.",
        &[
            text("service", LINE, "The service's key.").needed(),
            text("environment", LINE, "The environment's key.").needed(),
            text("artifact", 255, "The artifact's digest."),
            text("commit", 64, "Or the commit."),
        ],
    ),
];

const AFTER: &[Shape] = &[
    shape(
        "ValidationInput",
        "Does it work?",
        &[
            word("result", all!(ValidationResult), "The answer.").needed(),
            text("text", TEXT, "What was seen."),
        ],
    ),
    shape(
        "ReviewInput",
        "The post-implementation review.",
        &[
            boolean("objectives_met", "Whether the objectives were met.").needed(),
            boolean("assessment_adequate", "Whether the assessment was adequate.").needed(),
            boolean("steps_adequate", "Whether the steps were adequate.").needed(),
            text("summary", TEXT, "What is to be remembered.").needed(),
            text(
                "cause",
                LINE,
                "The root cause, by its key in the taxonomy (`GET /causes`); needed where the change failed or missed its objectives.",
            ),
            text(
                "cause_text",
                TEXT,
                "What exactly it was; needed where it was not found (`unknown`).",
            ),
            texts(
                "improvements",
                LINE * 5,
                "What should be done better; each becomes an action item.",
            ),
            text(
                "improvements_owner",
                LINE,
                "Who sees to it: a login; the owner of the change unless set.",
            ),
            time(
                "improvements_due_at",
                "Until when it is done; 30 days after the review unless set.",
            ),
            texts(
                "incidents",
                LINE,
                "The incidents that it addresses, by key or outside reference. A key in the summary counts as well.",
            ),
            word(
                "emergency_cause",
                all!(EmergencyCause),
                "Of an emergency, the cause that the review confirms or changes; never `unknown`, and never by its requester.",
            ),
            boolean(
                "dependencies_reviewed",
                "Whether its author looked at what the change reaches; owed of an emergency and a broken glass where the assessment did not.",
            ),
        ],
    ),
    shape(
        "TextInput",
        "A statement.",
        &[text("text", TEXT, "In one's own words.").needed()],
    ),
    shape(
        "OptionalTextInput",
        "A statement that may be empty.",
        &[text("text", TEXT, "In one's own words.")],
    ),
    shape(
        "ConfirmationInput",
        "The named approver confirms or denies.",
        &[
            boolean("confirmed", "Whether it was agreed.").needed(),
            text("text", TEXT, "In one's own words."),
        ],
    ),
];

const AROUND: &[Shape] = &[
    shape(
        "EvidenceInput",
        "A piece of evidence. A file comes as multipart with the same fields and `file`.",
        &[
            word("kind", all!(EvidenceKind), "What kind of file it is.").needed(),
            word(
                "aspect",
                all!(Aspect),
                "Which question it answers: unless said `security` of `sarif` and `cyclonedx`, else `functional`.",
            ),
            word(
                "result",
                all!(EvidenceResult),
                "What it says, where its kind does not tell.",
            ),
            text("name", LINE, "A name for people."),
            text("environment", LINE, "Where it was gained."),
            text(
                "artifact",
                255,
                "The artifact that was tested; without it, it binds to the plan, and satisfies no target that has one.",
            ),
            text(
                "text",
                TEXT,
                "What was read in it; for `note`, the note; for `waiver`, why it may go without.",
            ),
            time(
                "measured_at",
                "When what it shows was so; when it is added unless said.",
            ),
            text(
                "target",
                LINE,
                "Of the answer of a probe, which a pipeline's token pushes: the id of the target.",
            ),
        ],
    ),
    shape(
        "TaskInput",
        "Work given to somebody.",
        &[
            word("kind", all!(TaskKind), "Which step it holds.").needed(),
            text("title", LINE, "What is to be done.").needed(),
            text("assignee", LINE, "A login."),
            texts("depends_on", LINE, "Ids of tasks that come first."),
            boolean("mandatory", "Whether it holds its step while open."),
            time("planned_start", "Planned start."),
            time("planned_end", "Planned end."),
        ],
    ),
    shape(
        "TaskPatch",
        "What becomes of a task.",
        &[
            word("state", all!(TaskState), "Where it stands."),
            text("assignee", LINE, "Who does it from now on: a login."),
            time("actual_start", "Actual start."),
            time("actual_end", "Actual end."),
            text("text", TEXT, "What came of it; needed to drop it."),
        ],
    ),
    shape(
        "LinkInput",
        "A link.",
        &[
            word("kind", all!(LinkKind), "How they relate.").needed(),
            text("to", LINE, "A change's key, an incident's key or an outside reference.").needed(),
        ],
    ),
];

const GATE: &[Shape] = &[
    shape(
        "ConsumptionInput",
        "What is about to be deployed under the permit, and where.",
        &[
            text("service", LINE, "The service's key.").needed(),
            text("environment", LINE, "The environment's key.").needed(),
            text("artifact", 255, "The artifact's digest."),
            text("commit", 64, "Or the commit."),
            text("member", LINE, "The member, where the change goes to many in waves."),
        ],
    ),
    shape(
        "GateCheckInput",
        "A question to the gate.",
        &[
            text("service", LINE, "The service's key.").needed(),
            text("environment", LINE, "The environment's key.").needed(),
            text("artifact", 255, "The artifact's digest."),
            text("commit", 64, "Or the commit."),
            text("change", LINE, "The change that is meant; it never suffices alone."),
            text("member", LINE, "The member, where the change goes to many in waves."),
            word(
                "purpose",
                all!(Purpose),
                "Unless said: `deploy`, or `rollback` for an artifact that is an open way back.",
            ),
            time("wait_until", "How long to wait for go; at most seven days ahead."),
            integer(
                "wait_seconds",
                1,
                604_800,
                "The same, counted by the server's clock from now.",
            ),
        ],
    ),
];

const ADMINISTRATION: &[Shape] = &[
    shape(
        "PersonInput",
        "A person.",
        &[text("login", LINE, "What they sign in with; unique in the tenant.").needed()],
    )
    .based_on(&["PersonPatch"]),
    shape(
        "PersonPatch",
        "What changes of a person.",
        &[
            text("name", LINE, "The name that others read; the login unless said."),
            text("email", LINE, "Where mail goes."),
            words("roles", all!(Role), "Rights in the tenant."),
            text("zone", LINE, "IANA zone, such as `Europe/Zurich`."),
            boolean("active", "Whether they may act."),
            texts(
                "accounts",
                LINE,
                "Logins in connected systems, such as `github:octocat`, and other mail addresses as `mail:ada@home.example`: by them a person's commits and deployments are known. One account is one person.",
            ),
            texts("functions", LINE, "Job functions, such as `dba`."),
            texts(
                "services",
                LINE,
                "The services to which they are scoped; all without it.",
            ),
            text(
                "calendar",
                LINE,
                "The business calendar; the tenant's `default` unless said.",
            ),
            text(
                "manager",
                LINE,
                "Who answers for them and looks at what they may do: a login. It goes before what a directory tells; null takes it away.",
            ),
        ],
    ),
    shape(
        "DeactivationInput",
        "How a person is deactivated.",
        &[
            boolean("compromised", "Whether somebody else may have used the account."),
            text("reason", TEXT, "Why."),
        ],
    ),
    shape(
        "PasswordInput",
        "A new password.",
        &[text("password", 1_024, "At least ten characters.").needed()],
    ),
    shape(
        "GroupInput",
        "A group of people.",
        &[
            text("key", LINE, "`change-managers`.").needed(),
            text("name", LINE, "A name for people."),
            texts("members", LINE, "Logins."),
            word("kind", all!(GroupKind), "A group of any people, or a team."),
            text("calendar", LINE, "The business calendar of rules that ask this group."),
        ],
    ),
    shape(
        "TokenInput",
        "A credential for a program.",
        &[
            text("name", LINE, "What it is for.").needed(),
            text("person", LINE, "Whose rights it has: a login; one's own unless said."),
            words(
                "scopes",
                Words::These(&["read", "write", "gate", "audit", "admin", "scim"]),
                "What it may do.",
            ),
            words(
                "roles",
                all!(Role),
                "The roles of the person that it carries; all of them unless said.",
            ),
            texts(
                "services",
                LINE,
                "The services to which it is scoped; all that its person sees without it.",
            ),
            time(
                "expires_at",
                "Until when it is good, at most five years; a year from now unless said. Its people are told 60, 30, 14, 7 and 1 days before.",
            ),
        ],
    ),
    shape(
        "ConnectionInput",
        "A connection to an outside system.",
        &[
            word(
                "kind",
                Words::These(&[
                    "github",
                    "gitlab",
                    "cloudevents",
                    "cdevents",
                    "argocd",
                    "jenkins",
                    "plain",
                    "alertmanager",
                    "pagerduty",
                    "grafana",
                    "opsgenie",
                    "servicenow",
                    "jira",
                    "siem",
                    "incident_mail",
                    "mail",
                    "terraform",
                    "argocd_drift",
                    "aide",
                    "kubernetes_audit",
                    "flagger",
                    "argo_rollouts",
                    "statuspage",
                    "waves",
                    "terraform_task",
                ]),
                "Which system.",
            )
            .needed(),
            text("name", LINE, "A name for people.").needed(),
            objects("map", "RepositoryMap", "Which repository is which service."),
            text(
                "owner",
                LINE,
                "Who stands for drafts of unknown senders: a login; oneself unless said.",
            ),
            objects(
                "links",
                "LinkRule",
                "Where a change's key is looked for; everywhere unless said.",
            ),
            object("api", "ConnectionApi", "How its questions are answered."),
            text(
                "reply_to",
                LINE,
                "For mail: the address that letters are answered to, such as `assent@example.org`.",
            ),
            objects("builders", "Builder", "Whose attestations tie an artifact to a commit."),
            texts(
                "trusted",
                LINE,
                "Accounts and repositories outside of the map whose requests may write their commit into a change; accounts whose runs of Terraform are believed the commit in their message.",
            ),
            text(
                "secret",
                LINE,
                "A secret that the sender made, where it takes none of ours; one is made unless said.",
            ),
        ],
    ),
];
