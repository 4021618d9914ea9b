//! Shapes around gateways.

use model::core::enums::{CheckState, ForeignKind, GateDecision, Purpose};
use model::core::parse::{LINE, TEXT};

use crate::openapi::shapes::{
    Shape, Words, all, boolean, frees, integer, object, objects, shape, text, text_or_null, texts, time, time_or_null,
    word,
};

/// Every shape.
pub(crate) const ALL: &[&[Shape]] = &[GATE, GATEWAYS];

const GATE: &[Shape] = &[
    shape(
        "GateAnswer",
        "The gate's answer.",
        &[
            word("decision", all!(GateDecision), "Go or stop.").needed(),
            text_or_null("change", "The change that decided."),
            word("purpose", all!(Purpose), "Forward or back."),
            time("checked_at", "When it was judged."),
            objects("reasons", "Unmet", "Why not, each with what opens it.").needed(),
            objects(
                "information",
                "GateInformation",
                "What is known of the change and stops nothing, such as a conflict that nobody has to decide first.",
            ),
            text_or_null("next_transition_at", "When time alone would change the answer."),
            object(
                "led_by",
                "LedBy",
                "On whose word it is, for a service that another system leads; absent where Assent leads.",
            ),
        ],
    ),
    shape(
        "GateInformation",
        "Something that is known of a change and stops nothing.",
        &[
            text("code", 64, "A stable code: conflict_known.").needed(),
            text("text", TEXT, "The sentence.").needed(),
        ],
    ),
    shape(
        "LedBy",
        "The system that leads a service, and its change.",
        &[
            text("system", LINE, "The id of the system beside this one.").needed(),
            word("kind", all!(ForeignKind), "The kind of system.").needed(),
            text(
                "change",
                LINE,
                "Of an answer: the key there of the change that it is about.",
            ),
            time("since", "Of a service: from when on the system leads it."),
        ],
    ),
    shape(
        "Led",
        "Who leads the changes of a service.",
        &[object(
            "led_by",
            "LedBy",
            "The system that leads; absent where Assent leads.",
        )],
    ),
    shape(
        "GateCheck",
        "A recorded question and its answer.",
        &[
            text("id", LINE, "The check's id.").needed(),
            word("state", all!(CheckState), "Whether it still waits."),
            text_or_null("permit", "The permit, a compact JWS, on go."),
            text(
                "target",
                LINE,
                "The id of the change's target that the permit is for. Name it when you tell the outcome.",
            ),
            text("service", LINE, "The service that was asked about."),
            text("environment", LINE, "Its environment."),
            text("artifact", 255, "What is to be deployed."),
            text("commit", 64, "Its commit."),
            text("asked_change", LINE, "The change that the question named."),
            text("member", LINE, "The member that the question named."),
            text("by", LINE, "Who asked: a login."),
            time("asked_at", "When the question came."),
            time("wait_until", "Until when the answer is kept up."),
            object("waited", "Waited", "How long it waited; absent where it did not."),
        ],
    )
    .based_on(&["GateAnswer"]),
    shape(
        "Waited",
        "How long a check waited, and for what.",
        &[
            integer("people_ms", 0, i64::MAX, "For people, in milliseconds.").needed(),
            integer(
                "queue_ms",
                0,
                i64::MAX,
                "For a window, a freeze or another turn of the clock.",
            )
            .needed(),
            integer(
                "decision_ms",
                0,
                i64::MAX,
                "For the gate itself: from the turn to go until the permit.",
            )
            .needed(),
        ],
    ),
];

const GATEWAYS: &[Shape] = &[
    shape(
        "Admission",
        "The gate's answer for a workload.",
        &[word("basis", Words::These(&["gate", "running"]), "On what it rests.")],
    )
    .based_on(&["GateAnswer"]),
    shape(
        "Running",
        "An artifact that is recorded as running.",
        &[
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            text("artifact", LINE, "Its digest.").needed(),
            text("change_key", LINE, "The change that brought it.").needed(),
            text("change", LINE, "The same by its id."),
            text("target", LINE, "The change's target."),
            texts("config_items", LINE, "Config items of the target."),
            time("since", "Since when.").needed(),
            time("until", "Until when, of one that was replaced."),
            text("ended_by", LINE, "The change that replaced it, by its id."),
            text("ended_target", LINE, "That change's target."),
        ],
    )
    .based_on(&["Stored"]),
    shape(
        "GateRefusalInput",
        "A question that could not be read.",
        &[
            text("door", LINE, "Which gateway was asked.").needed(),
            text("code", 64, "A stable code.").needed(),
            text("subject", 1_000, "What was named."),
            text("text", 1_000, "The sentence."),
        ],
    ),
    shape(
        "GateRefusal",
        "Questions that were refused alike.",
        &[
            text("service", LINE, "The service that was named."),
            text("environment", LINE, "The environment that was named."),
            integer("asked", 1, i64::MAX, "How often.").needed(),
            time("first_at", "The first time.").needed(),
            time("last_at", "The last time.").needed(),
        ],
    )
    .based_on(&["GateRefusalInput"]),
    shape(
        "Coverage",
        "A production service and what is heard of it.",
        &[
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            texts("sources", LINE, "Connections that tell of its deployments."),
            frees(
                "doors",
                "Gates that asked: `door`, `last_at`, and how often they `asked`.",
            ),
            time_or_null("last_signal_at", "When a deployment was told last."),
            time_or_null("last_check_at", "When a gate asked last."),
            texts("owners", LINE, "Logins of those who answer for it."),
            objects("findings", "Unmet", "What is amiss.").needed(),
        ],
    ),
    shape(
        "Unmatched",
        "Something without its partner.",
        &[
            word(
                "code",
                Words::These(&["deployment_without_change", "change_without_deployment"]),
                "What lacks what.",
            )
            .needed(),
            text("text", TEXT, "The sentence.").needed(),
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            text_or_null("vendor", "The vendors that operate the service."),
            text_or_null("artifact", "The artifact."),
            text_or_null("commit", "The commit."),
            text_or_null("change", "The change's key."),
            text_or_null("deployment", "The deployment's record."),
            time("since", "Since when.").needed(),
            boolean(
                "backdated",
                "Whether it was told in the time that is asked about, as of a time before that.",
            ),
            integer("age_seconds", i64::MIN, i64::MAX, "How long ago.").needed(),
            texts("owners", LINE, "Logins of those who answer for the service."),
        ],
    ),
    shape(
        "Spans",
        "Spans in milliseconds.",
        &[
            integer("p50_ms", 0, i64::MAX, "Half waited no longer.").needed(),
            integer("p95_ms", 0, i64::MAX, "95 of 100 waited no longer.").needed(),
            integer("longest_ms", 0, i64::MAX, "The longest.").needed(),
            integer("sum_ms", 0, i64::MAX, "All together.").needed(),
        ],
    ),
    shape(
        "GateWait",
        "How long a pipeline waited.",
        &[
            text("pipeline", LINE, "The login that asked.").needed(),
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            integer("checks", 0, i64::MAX, "How many checks.").needed(),
            object("people", "Spans", "For people.").needed(),
            object("queue", "Spans", "For a window or a freeze.").needed(),
            object("decision", "Spans", "For the gate itself.").needed(),
        ],
    ),
];
