//! What answers bring.

use model::reading::{LINE, TEXT};
use model::words::{
    ApprovalState, Aspect, CheckState, Criticality, Decision, EntryKind, EvidenceKind, EvidenceResult, GateDecision,
    Level, LinkKind, Outcome, OwnershipRole, PeerVerdict, Purpose, Role, State, TaskKind, TaskState, TemplateState,
};

use super::shapes::{
    Shape, Words, all, boolean, free, integer, object, objects, shape, text, text_or_null, texts, time, word, words,
};

/// The longest leaf in base64, in characters: an entry has at most 65,535 bytes.
const LEAF: usize = 87_380;

/// Every shape that an answer can have.
pub(super) const ALL: &[&[Shape]] = &[PROBLEM, CHANGE, ITEMS, GATE, ESTATE, ADMINISTRATION];

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
            objects("policies", "PolicyReason", "With 403: the policies that decided."),
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
        ],
    ),
    shape(
        "Unmet",
        "One condition that is not met.",
        &[
            text("code", LINE, "A stable code.").needed(),
            text("text", TEXT, "The plain sentence.").needed(),
            text("satisfy", TEXT, "What satisfies it.").needed(),
            texts("waiting_on", LINE, "Logins, or `group:KEY`.").needed(),
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
    shape("Done", "Nothing more is to be said.", &[]),
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
            text("requester", LINE, "A login.").needed(),
            objects("targets", "Target", "With their ids and outcomes."),
            object("risk", "Risk", "Computed anew on every edit."),
            object("digests", "Digests", "Over *what* and *when*.").needed(),
            text("content_digest", LINE, "Over both; an approval names it.").needed(),
            free("origins", "Per field: person, template, pipeline or derived."),
            free(
                "deceiving",
                "Per field: its characters that are hidden or look like others, as `U+202E`. Absent without any.",
            ),
            word("outcome", all!(Outcome), "How it ended."),
            time("actual_start", "When the work began."),
            time("actual_end", "When it ended."),
            time("extended_until", "Until when it was extended."),
            boolean("overrun", "Whether it went on past its time."),
            boolean("window_missed", "Whether its window passed without a start."),
            boolean("unauthorized", "Whether work was done without leave."),
            texts("turned_normal", LINE, "The locked fields that an edit touched."),
            integer("version", 1, i64::MAX, "Grows with every save.").needed(),
        ],
    )
    .based_on(&["NewChange"]),
    shape(
        "Target",
        "A target as it stands.",
        &[
            text("id", LINE, "`1`, `2` ….").needed(),
            text("state", LINE, "Where it stands."),
            word("outcome", all!(Outcome), "How it ended."),
            time("actual_start", "When the work on it began."),
            time("actual_end", "When it ended."),
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
        "Event",
        "One line of the timeline.",
        &[
            text("id", LINE, "The event's id.").needed(),
            text("kind", LINE, "`change.approved`.").needed(),
            text("actor", LINE, "Who: a login, or `system`."),
            time("occurred_at", "When it happened.").needed(),
            time("recorded_at", "When it was recorded.").needed(),
            integer("index", 0, i64::MAX, "Its place in the log, once it has one."),
            free("data", "What it says."),
        ],
    ),
];

const ITEMS: &[Shape] = &[
    shape(
        "Item",
        "What every item has.",
        &[
            text("id", LINE, "The record's id.").needed(),
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
            texts("counted_for", LINE, "The rules for which it counts."),
            texts("evidence_seen", LINE, "Digests of the evidence that was there."),
            text("meeting", LINE, "The board's meeting at which it was given."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Condition",
        "A condition of an approval.",
        &[
            text("text", TEXT, "What must be so.").needed(),
            word("due", Words::These(&["start", "close"]), "By when.").needed(),
            text("checker", LINE, "Who checks it: a login."),
            boolean("is_met", "Whether it was found to be so."),
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
            text("text", TEXT, "What was read in it."),
            text("file_digest", LINE, "The file's digest."),
            integer("size", 0, i64::MAX, "Bytes of the file."),
            text("media_type", LINE, "Its media type."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Entry",
        "A line in the log of actions.",
        &[
            text("text", TEXT, "What was done or seen.").needed(),
            word("kind", all!(EntryKind), "Step, deviation or issue.").needed(),
            integer("step", 1, i64::MAX, "The step of the plan it is about, counted from 1."),
            text("target", LINE, "The target's id."),
            time("occurred_at", "When it happened."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "PeerReview",
        "A peer's word.",
        &[
            word("verdict", all!(PeerVerdict), "The word.").needed(),
            text("text", TEXT, "In their words."),
            word("state", all!(ApprovalState), "Whether it counts."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "ChecklistItem",
        "An item of the checklist.",
        &[
            text("title", LINE, "What to check.").needed(),
            text("rule", LINE, "The rule that brought it."),
            boolean("is_done", "Whether it was ticked."),
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
            text("text", TEXT, "What came of it."),
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
        ],
    )
    .based_on(&["Item"]),
    shape(
        "Watchers",
        "Who is told of what happens.",
        &[texts("items", LINE, "Logins.").needed()],
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
        ],
    )
    .based_on(&["Item"]),
];

const GATE: &[Shape] = &[
    shape(
        "GateAnswer",
        "The gate's answer.",
        &[
            word("decision", all!(GateDecision), "Go or stop.").needed(),
            text_or_null("change", "The change that decided."),
            time("checked_at", "When it was judged."),
            objects("reasons", "Unmet", "Why not, each with what opens it.").needed(),
            text_or_null("next_transition_at", "When time alone would change the answer."),
        ],
    ),
    shape(
        "GateCheck",
        "A recorded question and its answer.",
        &[
            text("id", LINE, "The check's id.").needed(),
            word("state", all!(CheckState), "Whether it still waits."),
            text_or_null("permit", "The permit, a compact JWS, on go."),
        ],
    )
    .based_on(&["GateAnswer"]),
];

const ESTATE: &[Shape] = &[
    shape(
        "Stored",
        "What every stored thing has.",
        &[
            text("id", LINE, "The record's id.").needed(),
            integer("version", 1, i64::MAX, "Grows with every save."),
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
    .based_on(&["ServiceInput", "Stored"]),
    shape("Environment", "An environment.", &[]).based_on(&["EnvironmentInput", "Stored"]),
    shape("ConfigItem", "A config item.", &[]).based_on(&["ConfigItemInput", "Stored"]),
    shape("Dependency", "One service needs another.", &[]).based_on(&["DependencyInput", "Stored"]),
    shape(
        "Ownership",
        "A part in owning a service.",
        &[
            word("role", all!(OwnershipRole), "The part."),
            time("since", "Since when."),
        ],
    )
    .based_on(&["OwnershipInput", "Stored"]),
    shape(
        "Window",
        "A time in which work is welcome.",
        &[boolean("ended", "Whether it was taken back.")],
    )
    .based_on(&["WindowInput", "Stored"]),
    shape(
        "Freeze",
        "A time in which no change begins.",
        &[
            boolean("ended", "Whether it was taken back."),
            objects("exceptions", "FreezeExceptionInput", "Changes that it lets pass."),
        ],
    )
    .based_on(&["FreezeInput", "Stored"]),
    shape("Incident", "An incident.", &[text("key", LINE, "`INC-12`.")]).based_on(&["IncidentInput", "Stored"]),
    shape(
        "Template",
        "A pre-approved kind of change.",
        &[
            word("state", all!(TemplateState), "Where it stands."),
            integer("template_version", 1, i64::MAX, "Grows when its fields change."),
            text("proposer", LINE, "Who proposed this version: a login."),
            text("digest", LINE, "Digest of the locked fields."),
            free(
                "custom_fields",
                "Locked values of fields of your own: each with its key and what it holds.",
            ),
        ],
    )
    .based_on(&["TemplateInput", "Stored"]),
    shape(
        "CalendarEntry",
        "Something in the calendar.",
        &[
            word("kind", Words::These(&["change", "freeze", "window"]), "What it is.").needed(),
            text("key", LINE, "The change's key."),
            text("title", LINE, "What it is called.").needed(),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            texts("services", LINE, "Services' keys."),
            texts("environments", LINE, "Environments' keys."),
        ],
    ),
];

const ADMINISTRATION: &[Shape] = &[
    shape(
        "Person",
        "A person.",
        &[
            words("roles", all!(Role), "Rights in the tenant."),
            free(
                "deactivation",
                "How they were deactivated: by whom, when, whether as compromised, why.",
            ),
        ],
    )
    .based_on(&["PersonInput", "Stored"]),
    shape("Group", "A group of people.", &[]).based_on(&["GroupInput", "Stored"]),
    shape(
        "Token",
        "A credential for a program.",
        &[
            text("owner", LINE, "Who answers for it: a login."),
            text("prefix", LINE, "How it begins."),
            text(
                "token",
                LINE,
                "The credential itself; only in the answer that makes it.",
            ),
            boolean("revoked", "Whether it was revoked."),
            time(
                "last_used_at",
                "When it was used last, as far as a minute; absent if never.",
            ),
        ],
    )
    .based_on(&["TokenInput", "Stored"]),
    shape(
        "Connection",
        "A connection to an outside system.",
        &[
            text("hook_path", LINE, "Where deliveries go."),
            text("secret", LINE, "What signs them; only in the answer that makes it."),
            text(
                "signing_secret",
                LINE,
                "The same secret as Standard Webhooks writes it, `whsec_…`.",
            ),
            free("refused", "Deliveries that were turned away: how often, and why."),
        ],
    )
    .based_on(&["ConnectionInput", "Stored"]),
    shape(
        "Tenant",
        "The tenant's settings.",
        &[
            text("id", LINE, "Its key.").needed(),
            text("name", LINE, "A name for people.").needed(),
            boolean("demo", "Whether it is a demo's."),
            boolean("log_is_public", "Whether its log is read without a credential."),
            boolean(
                "ownership_by_two",
                "Whether rows of the matrix that move decisions go live by two people, once there are two administrators.",
            ),
        ],
    ),
    shape(
        "DeliveryRow",
        "What a connection delivered.",
        &[
            text("id", LINE, "Its id.").needed(),
            text("delivery_id", LINE, "The sender's own id.").needed(),
            text("event", LINE, "What the sender calls it.").needed(),
            time("received_at", "When it came.").needed(),
            word(
                "state",
                Words::These(&["waiting", "parked", "done"]),
                "Where it stands.",
            )
            .needed(),
            integer("tries", 0, 1_000, "How often it was worked."),
            text_or_null("reason", "Why it was set aside."),
            text_or_null("result", "What came of it."),
        ],
    ),
    shape(
        "EventProof",
        "What proves that an event stands in the log.",
        &[
            integer("index", 0, i64::MAX, "Its index.").needed(),
            text("leaf", LEAF, "The leaf's bytes in base64.").needed(),
            text("checkpoint", TEXT, "The signed checkpoint that the proof leads to.").needed(),
            texts("inclusion", LINE, "The hashes in hex, the leaf's end first.").needed(),
        ],
    ),
    shape(
        "PolicySet",
        "The active policies.",
        &[
            text("digest", LINE, "Digest of schema, policies and parameters.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought them; null for those of the program.",
            ),
            objects("policies", "PolicySource", "Every policy, sorted by id.").needed(),
        ],
    ),
    shape(
        "PolicySource",
        "Where a policy stands and what it says.",
        &[
            text("id", LINE, "`pack.words`.").needed(),
            text("reason", TEXT, "Its reason."),
            text("file", LINE, "The file's name."),
            integer("line", 1, i64::MAX, "The line, from 1."),
            text("text", TEXT, "The policy, verbatim."),
        ],
    ),
    shape(
        "Me",
        "Who the credential speaks for.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            text("login", LINE, "The login.").needed(),
            text("name", LINE, "The name."),
            words("roles", all!(Role), "Rights in the tenant."),
        ],
    ),
    shape(
        "Session",
        "A session that began.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            text("login", LINE, "The login.").needed(),
            time("expires_at", "Until when.").needed(),
        ],
    ),
    shape(
        "KeySet",
        "Signing keys (RFC 7517), with a `tenant` member.",
        &[
            text("tenant", LINE, "The tenant whose permits they sign.").needed(),
            objects("keys", "Key", "The current key and those before it.").needed(),
        ],
    ),
    shape(
        "Key",
        "An Ed25519 public key (RFC 8037).",
        &[
            word("kty", Words::These(&["OKP"]), "Key type.").needed(),
            word("crv", Words::These(&["Ed25519"]), "Curve.").needed(),
            text("x", LINE, "The key, base64url.").needed(),
            text("kid", LINE, "Its thumbprint (RFC 7638).").needed(),
        ],
    ),
    shape(
        "Health",
        "How the server is.",
        &[
            boolean("is_ready", "Whether it takes work."),
            texts("reasons", TEXT, "Why not, in words."),
        ],
    ),
];
