//! Routes and shapes of deliveries from outside systems and of calls to them.

use crate::openapi::integration::{foreign, history, sinks};
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
pub(crate) const ALL: &[&[Row]] = &[
    WEBHOOKS,
    sinks::ROUTES,
    foreign::ROUTES,
    history::ROUTES,
    INBOUND,
    MAPPING,
];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[
    WEBHOOK,
    sinks::SHAPES,
    foreign::SHAPES,
    history::SHAPES,
    DELIVERIES,
    MAPPINGS,
];

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
        "Show an outgoing webhook and the state of its deliveries",
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
            "Replace a webhook's secret; for a day the old and the new one both sign",
        )
    },
    Row {
        may: "set_connection",
        params: &[Param::new("state", "`waiting` (usual), `delivered` or `dead`.")],
        ..list(
            "webhooks",
            "list_webhook_deliveries",
            "/webhooks/{id}/deliveries",
            "List waiting, delivered and abandoned deliveries, the newest first",
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
        "An outside address that receives events, signed as in Standard Webhooks.",
        &[
            text("name", LINE, "A name for people.").needed(),
            text(
                "url",
                URL,
                "Where events are posted, as CloudEvents in structured mode.",
            )
            .needed(),
            texts("kinds", LINE, "`change.approved`, `change.*` or `*`; all by default."),
            text(
                "owner",
                LINE,
                "The login of the person who is notified when it fails; by default the caller.",
            ),
            text(
                "format",
                LINE,
                "`events` (signed), or a decision card for `slack` or `teams`; then `url` is a secret.",
            ),
            texts("services", LINE, "Only changes of these services; by default of all."),
        ],
    ),
    shape(
        "WebhookPatch",
        "The fields to change.",
        &[
            text("name", LINE, "A name for people."),
            text("url", URL, "Where events are posted."),
            texts("kinds", LINE, "The kinds of event."),
            text("owner", LINE, "The login of the person who is notified when it fails."),
            boolean(
                "active",
                "Whether it receives events; a resumed webhook continues where it stopped.",
            ),
        ],
    ),
    shape(
        "Webhook",
        "An outgoing webhook.",
        &[
            boolean("active", "Whether it receives events."),
            time("rotated_at", "When its secret was last replaced."),
            text(
                "secret",
                LINE,
                "The signing key, `whsec_…`; only in the response that created it.",
            ),
            object("state", "WebhookState", "The state of its deliveries."),
        ],
    )
    .based_on(&["WebhookInput", "Stored"]),
    shape(
        "WebhookState",
        "The state of the deliveries of an outgoing webhook.",
        &[
            integer("next_index", 0, i64::MAX, "The index in the log of the next event."),
            time_or_null("failing_since", "Since when calls fail; null while they succeed."),
            time_or_null("next_try_at", "The time of the next try, while calls fail."),
            integer_or_null("last_status", "The status of the last answer."),
            text_or_null("last_error", "The error of the last try."),
            time_or_null("delivered_at", "When the receiver last accepted an event."),
        ],
    ),
    shape(
        "WebhookDelivery",
        "One event on its way to one webhook.",
        &[
            integer("index", 0, i64::MAX, "The event's place in the log.").needed(),
            text("event", LINE, "The event's id; the header `webhook-id`.").needed(),
            text("kind", LINE, "Its kind.").needed(),
            word("state", Words::These(&["waiting", "delivered", "dead"]), "The state.").needed(),
            integer("tries", 0, i64::MAX, "How often it was tried."),
            time(
                "queued_at",
                "The start of the 7 days after which the delivery is abandoned.",
            ),
            time_or_null("next_try_at", "When it is tried again."),
            integer_or_null("last_status", "The status of the last answer."),
            text_or_null("last_error", "The error of the last try."),
            time_or_null(
                "ended_at",
                "When the receiver accepted it, or it was abandoned; kept for 30 days.",
            ),
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
                "From this index of the log; by default from its beginning.",
            ),
            integer(
                "to",
                0,
                i64::MAX,
                "Up to this index, not included; by default to the end of the log.",
            ),
            boolean(
                "delivered",
                "Also deliveries that arrived; by default only abandoned ones.",
            ),
        ],
    ),
    shape(
        "Count",
        "A number of deliveries.",
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
            "Process a delivery again",
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
            text("event", LINE, "The kind of delivery, in the terms of the sender."),
            time("received_at", "When it came."),
            word(
                "state",
                Words::These(&["waiting", "done", "parked"]),
                "The state.",
            )
            .needed(),
            integer("tries", 0, i64::MAX, "How often it was read."),
            text_or_null("reason", "Why it was set aside."),
            text_or_null("result", "The result."),
            frees("signals", "The signals in it, as this version reads them."),
            text_or_null("complaint", "Why it cannot be read; null if it can."),
        ],
    ),
    shape(
        "DeliveryTaken",
        "The receipt of a delivery; senders of PagerDuty events get the fields of PagerDuty.",
        &[
            boolean("kept", "Whether the delivery is new; false for a repeated one."),
            text("status", LINE, "For PagerDuty's senders: `success`."),
            text("message", LINE, "For PagerDuty's senders: the event was processed."),
            text(
                "dedup_key",
                LINE,
                "For PagerDuty's senders: the key that identifies the incident.",
            ),
        ],
    ),
    shape(
        "DeliveryReplayed",
        "The result of a delivery that was processed again.",
        &[
            text("id", LINE, "The delivery.").needed(),
            frees("signals", "The signals in it."),
            text("result", TEXT, "The result."),
            text_or_null("before", "The result of the previous time."),
        ],
    ),
    shape(
        "OutsideCheck",
        "A question of an outside system with our answer, which is sent again when the change moves.",
        &[
            word(
                "ask",
                Words::These(&[
                    "protection_rule",
                    "merge",
                    "status_check",
                    "deployment_approval",
                    "run_task",
                ]),
                "The kind of question.",
            )
            .needed(),
            text("connection", LINE, "The connection that asked."),
            text("natural_key", URL, "Identifies the question permanently within the connection."),
            text(
                "repository",
                LINE,
                "`owner/name`; of a run of Terraform `organisation/workspace`.",
            ),
            text(
                "theirs",
                LINE,
                "The engine's name of the environment; of a run of Terraform the run.",
            ),
            text("reply_to", URL, "Where the answer goes."),
            text("change", LINE, "The id of the change that decides."),
            text(
                "service",
                LINE,
                "Our service; the first one if several are built from the repository.",
            ),
            texts("others", LINE, "The other services that are built from the repository."),
            text("environment", LINE, "Our environment, for deployments."),
            text("commit", LINE, "The commit."),
            text(
                "base",
                LINE,
                "For a group of a merge queue: the commit on which it is based.",
            ),
            integer(
                "number",
                0,
                i64::MAX,
                "The pull or merge request; of a group of a merge queue the one that it adds.",
            ),
            text("named", LINE, "The change that the pull or merge request names."),
            text("found_by", LINE, "The rule that found the name."),
            text("change_key", LINE, "The change that decides."),
            word(
                "answer",
                Words::These(&["waiting", "approved", "rejected"]),
                "Our answer.",
            )
            .needed(),
            text("text", TEXT, "Why."),
            text(
                "stage",
                LINE,
                "For a run of Terraform: its stage, such as `pre_apply`.",
            ),
            boolean(
                "is_speculative",
                "For a run of Terraform: whether nothing of its plan can ever be applied.",
            ),
            objects("reasons", "Unmet", "For a run of Terraform: each reason of the gate."),
            boolean("is_over", "Whether the outside system no longer waits for an answer."),
            time("at", "When it was asked."),
        ],
    )
    .based_on(&["Stored"]),
    shape(
        "Call",
        "A call to an outside system that waits or was set aside.",
        &[
            text("id", LINE, "The call.").needed(),
            text("kind", LINE, "The kind of call."),
            text("subject", LINE, "The record that it is about."),
            integer("tries", 0, i64::MAX, "How often it was tried."),
            time("run_at", "When it is tried again."),
            text("state", LINE, "`waiting` or `parked`."),
            text_or_null("last_error", "The error of the last try."),
        ],
    ),
    shape(
        "LinkTrialInput",
        "Rules to try.",
        &[
            objects("links", "LinkRule", "The rules, the first that finds a change decides."),
            integer("last", 1, 200, "How many past deliveries; by default 50."),
        ],
    ),
    shape(
        "RepositoryMap",
        "A repository with its service and environments.",
        &[
            text(
                "repository",
                LINE,
                "`owner/name`; of Terraform `organisation/workspace`, where `*` is the part that names the environment.",
            )
            .needed(),
            text("service", LINE, "The service's key.").needed(),
            free("environments", "Their environment's name to ours."),
            time(
                "since",
                "When it was added, if the connection existed before; only in responses.",
            ),
            text(
                "repository_id",
                LINE,
                "The id of the repository at the sender, which outlasts a rename; only in responses.",
            ),
            text(
                "first_named",
                LINE,
                "The name before a rename; only in responses.",
            ),
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
            text("prefix", LINE, "The text before the key; for a trailer, its name."),
        ],
    ),
    shape(
        "LinkTrial",
        "What the rules find in the questions of past deliveries.",
        &[
            integer("differ", 0, i64::MAX, "For how many questions the rules find another change than the present rules.").needed(),
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
                "By default `https://api.github.com`, `https://gitlab.com` or `https://app.terraform.io`.",
            ),
            word(
                "status",
                Words::These(&["commit_status", "check_run"]),
                "How an answer about a merge appears on GitHub; by default as a commit status.",
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
            text("builder", LINE, "Its name.").needed(),
            text("public_key", URL, "Its public key, PEM: Ed25519 or ECDSA P-256.").needed(),
        ],
    ),
];

const MAPPING: &[Row] = &[
    post(
        "deliveries",
        "attest_build",
        "/attestations",
        "Take a build attestation; an approval of its commit then covers the artifact",
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
        "Draft the post-implementation review from recorded facts",
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
        "The verified content of the attestation.",
        &[
            text("builder", LINE, "The builder whose signature was verified.").needed(),
            text("repository", LINE, "`owner/name`.").needed(),
            text("commit", LINE, "The commit.").needed(),
            texts("artifacts", LINE, "The artifacts built from it.").needed(),
            integer("new", 0, i64::MAX, "How many of the artifacts are new.").needed(),
        ],
    ),
    shape(
        "MappingRule",
        "Maps the origin and the target of a deployment to a kind of change. An absent condition matches everything.",
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
            texts("files", LINE, "Patterns; each touched file must match one of them."),
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
            free_or_null(
                "configuration",
                "The configuration that set the mapping; null for none.",
            ),
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
            text("commit", LINE, "The commit; its files are known if a push named them."),
            texts("files", 1_000, "The touched files."),
        ],
    ),
    shape(
        "MappingAnswer",
        "The result of the mapping.",
        &[
            free("facts", "The known facts.").needed(),
            free("mapped", "The deciding rule, the kind, the template and hints.").needed(),
        ],
    ),
    shape(
        "MappingTrialInput",
        "A mapping to try on past deployments.",
        &[
            objects("rules", "MappingRule", "The first rule that fits decides.").needed(),
            integer("last", 1, 500, "How many past deployments; by default 50."),
        ],
    ),
    shape(
        "MappingTrial",
        "Past deployments under the mapping in force and under the proposed one.",
        &[
            integer("differ", 0, i64::MAX, "For how many they differ.").needed(),
            frees("deployments", "Each deployment with the known facts and both results.").needed(),
        ],
    ),
    shape(
        "ReviewDraft",
        "A draft of the review, with its facts.",
        &[
            boolean(
                "objectives_met",
                "A proposal; false while an incident of the watch window is open or if a canary did not pass.",
            )
            .needed(),
            boolean("assessment_adequate", "A proposal.").needed(),
            boolean("steps_adequate", "A proposal.").needed(),
            text("summary", TEXT, "What happened.").needed(),
            texts("improvements", LINE, "Empty; people write them."),
            texts(
                "incidents",
                LINE,
                "Keys of the incidents of its watch window, for the review to address.",
            ),
            free(
                "facts",
                "Planned and actual times, deviations, canary verdicts, measured objectives, raised monitors, timeline, differences, alerts of the watch window, permits, notified people.",
            ),
        ],
    ),
];
