//! Routes and shapes of what comes in from outside systems and of what goes out to them.

use crate::openapi::integration::sinks;
use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::shapes::{
    Shape, Words, boolean, free, free_or_null, frees, integer, integer_or_null, object, objects, shape, text,
    text_or_null, texts, time, time_or_null, word,
};
use crate::openapi::{Answer, Param};

const LINE: usize = 200;
const TEXT: usize = 20_000;
const URL: usize = 2_000;

/// Every table of this file.
pub(crate) const ALL: &[&[Row]] = &[WEBHOOKS, sinks::ROUTES, INBOUND, MAPPING];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[WEBHOOK, sinks::SHAPES, DELIVERIES, MAPPINGS];

const WEBHOOKS: &[Row] = &[
    list(
        "webhooks",
        "list_webhooks",
        "/webhooks",
        "List outgoing webhooks",
        "Webhook",
    )
    .may("set_connection"),
    post(
        "webhooks",
        "create_webhook",
        "/webhooks",
        "Make an outgoing webhook; its secret is shown once",
        "WebhookInput",
        "Webhook",
    )
    .may("set_connection"),
    get(
        "webhooks",
        "show_webhook",
        "/webhooks/{id}",
        "Show an outgoing webhook and how it fares",
        "Webhook",
    )
    .may("set_connection"),
    Row {
        may: "set_connection",
        body: Some("WebhookPatch"),
        answer: Answer::Json("Webhook"),
        ..at(
            "PATCH",
            "webhooks",
            "edit_webhook",
            "/webhooks/{id}",
            "Change, stop or continue an outgoing webhook",
        )
    },
    delete(
        "webhooks",
        "end_webhook",
        "/webhooks/{id}",
        "End an outgoing webhook",
        "Webhook",
    )
    .may("set_connection"),
    Row {
        may: "set_connection",
        answer: Answer::Json("Webhook"),
        ..at(
            "POST",
            "webhooks",
            "rotate_webhook_secret",
            "/webhooks/{id}/secret",
            "Replace a webhook's secret; for a day both sign",
        )
    },
    Row {
        may: "set_connection",
        params: &[Param::new("state", "`waiting` (usual), `delivered` or `dead`.")],
        ..list(
            "webhooks",
            "list_webhook_deliveries",
            "/webhooks/{id}/deliveries",
            "List what is on its way, was taken or was given up, the newest first",
            "WebhookDelivery",
        )
    },
    post(
        "webhooks",
        "replay_webhook",
        "/webhooks/{id}/replays",
        "Send deliveries again",
        "WebhookReplay",
        "Count",
    )
    .may("set_connection"),
];

const WEBHOOK: &[Shape] = &[
    shape(
        "WebhookInput",
        "An address outside that is told of events, signed as Standard Webhooks says.",
        &[
            text("name", LINE, "A name for people.").needed(),
            text(
                "url",
                URL,
                "Where events are posted, as CloudEvents in structured mode.",
            )
            .needed(),
            texts("kinds", LINE, "`change.approved`, `change.*` or `*`; all unless said."),
            text(
                "owner",
                LINE,
                "Who is told when it fails: a login; oneself unless said.",
            ),
            text(
                "format",
                LINE,
                "`events` (signed), or a decision card for `slack` or `teams`; then `url` is a secret.",
            ),
            texts("services", LINE, "Only changes of these services; of all unless said."),
        ],
    ),
    shape(
        "WebhookPatch",
        "What is to be different.",
        &[
            text("name", LINE, "A name for people."),
            text("url", URL, "Where events are posted."),
            texts("kinds", LINE, "Which kinds of event."),
            text("owner", LINE, "Who is told when it fails: a login."),
            boolean("active", "Whether it is told of events; it continues where it stopped."),
        ],
    ),
    shape(
        "Webhook",
        "An outgoing webhook.",
        &[
            boolean("active", "Whether it is told of events."),
            time("rotated_at", "When its secret was last replaced."),
            text(
                "secret",
                LINE,
                "What signs, `whsec_…`; only in the answer that makes it.",
            ),
            object("state", "WebhookState", "How it fares."),
        ],
    )
    .based_on(&["WebhookInput", "Stored"]),
    shape(
        "WebhookState",
        "How an outgoing webhook fares.",
        &[
            integer("next_index", 0, i64::MAX, "The next place of the log that it looks at."),
            time_or_null("failing_since", "Since when it fails; null while it is well."),
            time_or_null("next_try_at", "When it is tried again, while it fails."),
            integer_or_null("last_status", "The status of the last answer."),
            text_or_null("last_error", "What went wrong the last time."),
            time_or_null("delivered_at", "When something was last taken there."),
        ],
    ),
    shape(
        "WebhookDelivery",
        "One event on its way to one webhook.",
        &[
            integer("index", 0, i64::MAX, "The event's place in the log.").needed(),
            text("event", LINE, "The event's id; the header `webhook-id`.").needed(),
            text("kind", LINE, "Its kind.").needed(),
            word(
                "state",
                Words::These(&["waiting", "delivered", "dead"]),
                "Where it stands.",
            )
            .needed(),
            integer("tries", 0, i64::MAX, "How often it was tried."),
            time("queued_at", "From when its tries count; after 7 days it is given up."),
            time_or_null("next_try_at", "When it is tried again."),
            integer_or_null("last_status", "The status of the last answer."),
            text_or_null("last_error", "What went wrong the last time."),
            time_or_null("ended_at", "When it was taken or given up; kept for 30 days."),
        ],
    ),
    shape(
        "WebhookReplay",
        "Which deliveries are sent again.",
        &[
            integer(
                "from",
                0,
                i64::MAX,
                "From this place of the log; its beginning unless said.",
            ),
            integer(
                "to",
                0,
                i64::MAX,
                "Up to this place, not included; its end unless said.",
            ),
            boolean(
                "delivered",
                "Also those that were taken; unless said only those given up.",
            ),
        ],
    ),
    shape(
        "Count",
        "How much it was.",
        &[integer("deliveries", 0, i64::MAX, "How many deliveries are sent again.").needed()],
    ),
];

const INBOUND: &[Row] = &[
    get(
        "deliveries",
        "show_delivery",
        "/deliveries/{id}",
        "Show a delivery, what it says and what came of it",
        "DeliveryShown",
    )
    .may("set_connection"),
    Row {
        may: "set_connection",
        answer: Answer::Json("DeliveryReplayed"),
        ..at(
            "POST",
            "deliveries",
            "replay_delivery",
            "/deliveries/{id}/replays",
            "Read a delivery once more",
        )
    },
    list(
        "deliveries",
        "list_outside_checks",
        "/outside-checks",
        "List questions of outside systems with our answers",
        "OutsideCheck",
    )
    .may("read"),
    Row {
        may: "set_connection",
        params: &[Param::new("state", "`parked` (usual) or `waiting`.")],
        ..list(
            "deliveries",
            "list_calls",
            "/calls",
            "List calls to outside systems by their state",
            "Call",
        )
    },
    post(
        "deliveries",
        "try_links",
        "/connections/{id}/link-trials",
        "Try rules that find changes on past deliveries",
        "LinkTrialInput",
        "LinkTrial",
    )
    .may("set_connection"),
];

const DELIVERIES: &[Shape] = &[
    shape(
        "DeliveryShown",
        "A delivery, what it says and what came of it.",
        &[
            text("id", LINE, "The delivery here.").needed(),
            text("connection", LINE, "The connection it came by.").needed(),
            text("delivery_id", LINE, "The sender's id for it."),
            text("event", LINE, "What the sender calls it."),
            time("received_at", "When it came."),
            word(
                "state",
                Words::These(&["waiting", "done", "parked"]),
                "Where it stands.",
            )
            .needed(),
            integer("tries", 0, i64::MAX, "How often it was read."),
            text_or_null("reason", "Why it was set aside."),
            text_or_null("result", "What came of it."),
            frees("signals", "What is read in it, as this version reads it."),
            text_or_null("complaint", "Why it cannot be read, if so."),
        ],
    ),
    shape(
        "DeliveryTaken",
        "That a delivery was taken; PagerDuty's senders are answered in their own words.",
        &[
            boolean("kept", "Whether it is new; a repeated one was there already."),
            text("status", LINE, "For PagerDuty's senders: `success`."),
            text("message", LINE, "For PagerDuty's senders: that it was taken."),
            text(
                "dedup_key",
                LINE,
                "For PagerDuty's senders: the key under which the matter is known.",
            ),
        ],
    ),
    shape(
        "DeliveryReplayed",
        "What a delivery made when it was read once more.",
        &[
            text("id", LINE, "The delivery.").needed(),
            frees("signals", "What was read in it."),
            text("result", TEXT, "What came of it."),
            text_or_null("before", "What had come of it before."),
        ],
    ),
    shape(
        "OutsideCheck",
        "A question of an outside system with our answer, given again by itself when the change moves.",
        &[
            word(
                "ask",
                Words::These(&["protection_rule", "merge", "status_check", "deployment_approval"]),
                "What it wants to know.",
            )
            .needed(),
            text("connection", LINE, "The connection that asked."),
            text("repository", LINE, "`owner/name`."),
            text(
                "service",
                LINE,
                "Our service; of several that are built from the repository the first.",
            ),
            texts("others", LINE, "The other services that are built from the repository."),
            text("environment", LINE, "Our environment, for deployments."),
            text("commit", LINE, "The commit."),
            text(
                "base",
                LINE,
                "For a group of a merge queue: the commit that it stands on.",
            ),
            integer("number", 0, i64::MAX, "The pull or merge request."),
            text("named", LINE, "The change that it names."),
            text("found_by", LINE, "The rule that found the name."),
            text("change_key", LINE, "The change that decides."),
            word(
                "answer",
                Words::These(&["waiting", "approved", "rejected"]),
                "What we say.",
            )
            .needed(),
            text("text", TEXT, "Why."),
            boolean("is_over", "Whether nobody waits any more."),
            time("at", "When it was asked."),
        ],
    )
    .based_on(&["Stored"]),
    shape(
        "Call",
        "A call to an outside system that waits or was set aside.",
        &[
            text("id", LINE, "The call.").needed(),
            text("kind", LINE, "What it carries."),
            text("subject", LINE, "The record that it is about."),
            integer("tries", 0, i64::MAX, "How often it was tried."),
            time("run_at", "When it is tried again."),
            text("state", LINE, "`waiting` or `parked`."),
            text_or_null("last_error", "What went wrong the last time."),
        ],
    ),
    shape(
        "LinkTrialInput",
        "Rules to be tried.",
        &[
            objects("links", "LinkRule", "The rules, the first that finds a change decides."),
            integer("last", 1, 200, "How many past deliveries; 50 unless said."),
        ],
    ),
    shape(
        "LinkRule",
        "Where a change's key is looked for.",
        &[
            word(
                "from",
                Words::These(&["trailer", "branch", "title", "body"]),
                "The place.",
            )
            .needed(),
            text("prefix", LINE, "What stands before the key; of a trailer, its name."),
        ],
    ),
    shape(
        "LinkTrial",
        "What the rules find in the questions of past deliveries.",
        &[
            integer("differ", 0, i64::MAX, "For how many another change is found than now.").needed(),
            frees("questions", "Each question with what is found now and then."),
        ],
    ),
    shape(
        "ConnectionApi",
        "How an outside system is called to answer its questions.",
        &[
            text(
                "base",
                LINE,
                "`https://api.github.com` or `https://gitlab.com` unless said.",
            ),
            word(
                "status",
                Words::These(&["commit_status", "check_run"]),
                "How GitHub is told about merges; a commit status unless said.",
            ),
            integer(
                "app",
                1,
                i64::MAX,
                "A GitHub App's id, with `installation` and `private_key`.",
            ),
            integer("installation", 1, i64::MAX, "The App's installation."),
            text("token", 1_000, "The credential; never shown."),
            text("private_key", 10_000, "The App's RSA key, PEM; never shown."),
        ],
    ),
    shape(
        "Builder",
        "A builder and the key that verifies its attestations.",
        &[
            text("builder", LINE, "How it is called.").needed(),
            text("public_key", URL, "Its public key, PEM: Ed25519 or ECDSA P-256.").needed(),
        ],
    ),
];

const MAPPING: &[Row] = &[
    post(
        "deliveries",
        "attest_build",
        "/attestations",
        "Take a build attestation: from then on the artifact stands for its commit",
        "AttestationInput",
        "AttestationTaken",
    )
    .may("ask_gate"),
    get(
        "deliveries",
        "show_mapping",
        "/mapping",
        "Show the mapping in force",
        "MappingShown",
    )
    .may("read"),
    post(
        "deliveries",
        "propose_mapping",
        "/mapping",
        "Propose a mapping; `/configurations/{id}/activation` puts it in force",
        "MappingInput",
        "Configuration",
    )
    .may("set_policy"),
    Row {
        may: "read",
        status: 200,
        ..post(
            "deliveries",
            "explain_mapping",
            "/mapping/explanation",
            "Name the rule that decides for a deployment",
            "MappingQuestion",
            "MappingAnswer",
        )
    },
    Row {
        may: "set_policy",
        status: 200,
        ..post(
            "deliveries",
            "try_mapping",
            "/mapping/trial",
            "Map the last deployments under a proposed mapping; writes nothing",
            "MappingTrialInput",
            "MappingTrial",
        )
    },
    get(
        "around a change",
        "draft_review",
        "/changes/{key}/review-draft",
        "Draft the post-implementation review from what is known",
        "ReviewDraft",
    )
    .may("read"),
];

const MAPPINGS: &[Shape] = &[
    shape(
        "AttestationInput",
        "SLSA provenance (v1 or v0.2) in a DSSE envelope, bare or inside of a Sigstore bundle.",
        &[free("attestation", "The envelope or the bundle, as the builder wrote it.").needed()],
    ),
    shape(
        "AttestationTaken",
        "What was verified and kept.",
        &[
            text("builder", LINE, "Whose signature held.").needed(),
            text("repository", LINE, "`owner/name`.").needed(),
            text("commit", LINE, "The commit.").needed(),
            texts("artifacts", LINE, "What was made from it.").needed(),
            integer("new", 0, i64::MAX, "How many of them were not known before.").needed(),
        ],
    ),
    shape(
        "MappingRule",
        "From where and how something is deployed to the kind of change. A condition that is absent fits everything.",
        &[
            text("rule", LINE, "Its name, unique in the list.").needed(),
            text(
                "pipeline",
                LINE,
                "The repository, job or application; `*` stands for any part.",
            ),
            text(
                "stage",
                LINE,
                "The stage as the engine calls it; `*` stands for any part.",
            ),
            texts("environments", LINE, "Our environments."),
            texts("services", LINE, "Our services."),
            texts("criticality", LINE, "How much depends on the service."),
            texts("files", LINE, "Patterns, one of which every touched file must fit."),
            word(
                "kind",
                Words::These(&["standard", "normal", "emergency"]),
                "The kind of change.",
            )
            .needed(),
            text("template", LINE, "For a standard change: its template."),
            word(
                "complexity",
                Words::These(&["low", "medium", "high"]),
                "A hint for the risk.",
            ),
        ],
    ),
    shape(
        "MappingShown",
        "The mapping in force.",
        &[
            objects("rules", "MappingRule", "The first rule that fits decides.").needed(),
            free_or_null("configuration", "Which configuration brought it; null for none."),
        ],
    ),
    shape(
        "MappingInput",
        "A mapping to be proposed.",
        &[
            objects("rules", "MappingRule", "The first rule that fits decides.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "MappingQuestion",
        "A deployment to be mapped.",
        &[
            text("service", LINE, "Our service.").needed(),
            text("environment", LINE, "Our environment.").needed(),
            text("pipeline", LINE, "The repository, job or application."),
            text("stage", LINE, "The engine's name of the stage."),
            text("commit", LINE, "The commit, whose files a push may have told."),
            texts("files", 1_000, "The touched files."),
        ],
    ),
    shape(
        "MappingAnswer",
        "What the mapping says.",
        &[
            free("facts", "What was known.").needed(),
            free("mapped", "The deciding rule, the kind, the template and hints.").needed(),
        ],
    ),
    shape(
        "MappingTrialInput",
        "A mapping to be tried on the past.",
        &[
            objects("rules", "MappingRule", "The first rule that fits decides.").needed(),
            integer("last", 1, 500, "How many past deployments; 50 unless said."),
        ],
    ),
    shape(
        "MappingTrial",
        "Past deployments under the mapping in force and under the proposed one.",
        &[
            integer("differ", 0, i64::MAX, "For how many they differ.").needed(),
            frees("deployments", "Each with what was known, and what both say.").needed(),
        ],
    ),
    shape(
        "ReviewDraft",
        "A draft of the review, with the facts that it rests on.",
        &[
            boolean(
                "objectives_met",
                "As it seems; never while an incident of the watch is open or a canary did not pass.",
            )
            .needed(),
            boolean("assessment_adequate", "As it seems.").needed(),
            boolean("steps_adequate", "As it seems.").needed(),
            text("summary", TEXT, "What happened.").needed(),
            texts("improvements", LINE, "For people to write."),
            texts(
                "incidents",
                LINE,
                "Keys of the incidents of its watch window, for the review to address.",
            ),
            free(
                "facts",
                "Planned and actual times, deviations, canary verdicts, measured objectives, raised monitors, timeline, what differs, alerts of its watch, permits, who was told.",
            ),
        ],
    ),
];
