//! Policies and the risk table: their routes and shapes.

use model::core::act::Act;
use model::core::enums::{ConfigurationKind, ConfigurationState, Decision, Level, Role, State};
use model::core::parse::{LINE, TEXT};
use model::incident::watch_table::LONGEST_WATCH_MINUTES;

use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::shapes::{
    Shape, Words, all, boolean, free, integer, integer_or_null, object, objects, shape, text, text_or_null, texts,
    time, word, words,
};
use crate::openapi::{Answer, Param};

/// Cells of the risk table.
const LEVELS: Words = Words::These(&["low", "medium", "high"]);
/// The longest file of a set, in characters.
const FILE: usize = 256 * 1024;

const KIND: &[Param] = &[Param::new(
    "kind",
    "Only `policies`, `risk_table`, `mapping`, `ownership`, `sla_table`, `watch_table`, `major_severity` or `retention`.",
)];

/// The routes.
pub(crate) const ROWS: &[Row] = &[
    get(
        "administration",
        "show_policies",
        "/policies",
        "Show the active policies",
        "PolicySet",
    )
    .may("read"),
    post(
        "administration",
        "propose_policies",
        "/policies",
        "Propose a set of policies; a set that fails its schema, names or cases is refused",
        "PoliciesInput",
        "Configuration",
    )
    .may("set_policy"),
    post(
        "administration",
        "propose_policy_parameters",
        "/policy-parameters",
        "Propose the set of policies in force with other values of its parameters",
        "PolicyParametersInput",
        "Configuration",
    )
    .may("set_policy"),
    Row {
        may: "set_policy",
        body: Some("TrialInput"),
        answer: Answer::Json("Trial"),
        status: 200,
        ..at(
            "POST",
            "administration",
            "try_policies",
            "/policies/trial",
            "Judge the last changes under a proposed set; nothing is written",
        )
    },
    get(
        "changes",
        "explain_policies",
        "/changes/{key}/policies",
        "Explain which policies ask what of a change",
        "Explanation",
    )
    .may("read"),
    get(
        "administration",
        "show_risk_table",
        "/risk-table",
        "Show the risk table in force",
        "RiskTable",
    )
    .may("read"),
    post(
        "administration",
        "propose_risk_table",
        "/risk-table",
        "Propose a risk table",
        "RiskTableInput",
        "Configuration",
    )
    .may("set_policy"),
    get(
        "administration",
        "show_sla_table",
        "/sla-table",
        "Show the times to acknowledge and to decide",
        "SlaTable",
    )
    .may("read"),
    post(
        "administration",
        "propose_sla_table",
        "/sla-table",
        "Propose times to acknowledge and to decide; clocks that run keep theirs",
        "SlaTableInput",
        "Configuration",
    )
    .may("set_policy"),
    get(
        "administration",
        "show_watch_table",
        "/watch-table",
        "Show how long changes are watched after their work",
        "WatchTable",
    )
    .may("read"),
    post(
        "administration",
        "propose_watch_table",
        "/watch-table",
        "Propose how long changes are watched after their work",
        "WatchTableInput",
        "Configuration",
    )
    .may("set_policy"),
    get(
        "administration",
        "show_major_severity",
        "/major-severity",
        "Show from which severity on an incident is major",
        "MajorSeverity",
    )
    .may("read"),
    post(
        "administration",
        "propose_major_severity",
        "/major-severity",
        "Propose from which severity on an incident is major",
        "MajorSeverityInput",
        "Configuration",
    )
    .may("set_policy"),
    get(
        "administration",
        "show_retention",
        "/retention",
        "Show for how long texts, files and raw deliveries are kept",
        "Retention",
    )
    .may("read"),
    post(
        "administration",
        "propose_retention",
        "/retention",
        "Propose for how long texts, files and raw deliveries are kept",
        "RetentionInput",
        "Configuration",
    )
    .may("set_policy"),
    post(
        "administration",
        "propose_ownership",
        "/ownership-proposals",
        "Propose rows of the ownership matrix",
        "OwnershipProposalInput",
        "Configuration",
    )
    .may("set_ownership"),
    Row {
        may: "read",
        params: KIND,
        ..list(
            "administration",
            "list_configurations",
            "/configurations",
            "List sets of policies and risk tables",
            "Configuration",
        )
    },
    get(
        "administration",
        "show_configuration",
        "/configurations/{id}",
        "Show a configuration with its files",
        "Configuration",
    )
    .may("read"),
    post(
        "administration",
        "activate_configuration",
        "/configurations/{id}/activation",
        "Put a proposal in force; a second person or an approved change does it",
        "ActivationInput",
        "Configuration",
    )
    .may("set_policy"),
    delete(
        "administration",
        "withdraw_configuration",
        "/configurations/{id}",
        "Withdraw a proposal",
        "Configuration",
    )
    .may("set_policy"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "PolicyFile",
        "A file of a set.",
        &[
            text(
                "path",
                LINE,
                "`pack/name.cedar`, `pack/parameters.toml` or `pack/cases/name.cases`.",
            )
            .needed(),
            text("content", FILE, "What stands in it."),
        ],
    ),
    shape(
        "PoliciesInput",
        "A set of policies. The base pack joins unless `files` bring a folder `base` of their own.",
        &[
            texts(
                "packs",
                LINE,
                "Packs that come with Assent: `sox`, `hipaa`, `dual-control`.",
            ),
            objects("files", "PolicyFile", "Policies and declarations of parameters."),
            objects("cases", "PolicyFile", "The cases that the set must pass."),
            text("parameters", FILE, "The tenant's own values, TOML."),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "PolicyParametersInput",
        "Other values for parameters of the policies in force.",
        &[
            free(
                "values",
                "Values by the parameter's name, as a file of parameters writes them, words without their quotes: `2%`, `medium`, `24h`.",
            )
            .needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "TrialInput",
        "A set of policies to try.",
        &[
            texts("packs", LINE, "Packs that come with Assent."),
            objects("files", "PolicyFile", "Policies and declarations of parameters."),
            objects("cases", "PolicyFile", "The cases that the set must pass."),
            text("parameters", FILE, "The tenant's own values, TOML."),
            integer("last", 1, 500, "On how many of the last changes; 50 unless said."),
        ],
    ),
    shape(
        "Trial",
        "What a proposed set would require.",
        &[
            text("before", LINE, "Digest of the policies in force.").needed(),
            text("after", LINE, "Digest of the proposed ones.").needed(),
            integer("tried", 0, 500, "How many changes were judged, as they stand.").needed(),
            objects(
                "differing",
                "TrialRow",
                "Changes of which something else would be required.",
            )
            .needed(),
            integer(
                "decisions_tried",
                0,
                500,
                "How many decisions were judged, over the facts that were kept with them.",
            )
            .needed(),
            integer(
                "decisions_without_facts",
                0,
                500,
                "How many of the last decisions were taken before facts were kept.",
            )
            .needed(),
            objects(
                "decisions_differing",
                "TrialDecision",
                "Decisions before which something else would have been required, or that would have been refused.",
            )
            .needed(),
            integer(
                "acts_tried",
                0,
                100_000,
                "How many acts on these changes were judged, over the facts that were kept with them; also those that were refused.",
            )
            .needed(),
            integer(
                "acts_without_facts",
                0,
                100_000,
                "How many were done before facts were kept, or by a delivery or the clock.",
            )
            .needed(),
            objects(
                "acts_differing",
                "TrialAct",
                "Acts that would have gone another way: starts, permits and all else that moves a change or judges it.",
            )
            .needed(),
            objects(
                "stories",
                "Story",
                "Forbidden paths that the set leaves open; with one it cannot be proposed.",
            )
            .needed(),
            objects(
                "unmeetable",
                "Unmeetable",
                "Rules that ask for more people than there are; with one it cannot be proposed.",
            )
            .needed(),
        ],
    ),
    shape(
        "Unmeetable",
        "A rule that nobody in this organisation can meet.",
        &[
            text("place", LINE, "The file and line of the rule.").needed(),
            text("text", TEXT, "What it asks, and who is there.").needed(),
        ],
    ),
    shape(
        "Story",
        "A history that must not be possible under any set, or one that must be and is not.",
        &[
            text(
                "path",
                LINE,
                "`self_approval`, `no_peer_review`, `break_glass_unvalidated` or `nobody_can`.",
            )
            .needed(),
            text("title", TEXT, "What is wrong.").needed(),
            text("about", TEXT, "The change that it is told of.").needed(),
            objects("steps", "StoryStep", "Who does what, in this order.").needed(),
            text(
                "rule",
                TEXT,
                "Which rule should have stopped it, or what stands in the way.",
            )
            .needed(),
        ],
    ),
    shape(
        "StoryStep",
        "One step of a story.",
        &[
            text("who", LINE, "Who.").needed(),
            text("does", LINE, "What they do.").needed(),
        ],
    ),
    shape(
        "TrialRow",
        "A change of which something else would be required.",
        &[
            text("key", LINE, "The change.").needed(),
            text("title", LINE, "Its title.").needed(),
            word("state", all!(State), "Its state.").needed(),
            word("risk", all!(Level), "Its risk.").needed(),
            objects("added", "AskedRow", "What would be required in addition.").needed(),
            objects("removed", "AskedRow", "What would no longer be required.").needed(),
            text("stop", TEXT, "Why the proposed set could not judge it."),
        ],
    ),
    shape(
        "TrialAct",
        "An act that would have gone another way, on what was known when it was done or tried.",
        &[
            text("key", LINE, "The change.").needed(),
            text("title", LINE, "Its title.").needed(),
            word("act", all!(Act), "What was done, or tried.").needed(),
            text("person", LINE, "Who did it: a login, or `system` for a delivery or the clock.").needed(),
            time("at", "When.").needed(),
            boolean("was_refused", "Whether the policies refused it then.").needed(),
            objects(
                "added",
                "AskedRow",
                "What would have been required before it in addition: of starts, permits and closings.",
            )
            .needed(),
            objects("removed", "AskedRow", "What would not have been required.").needed(),
            objects("refused", "PolicyReason", "The policies that would have refused it."),
            objects("allowed", "PolicyReason", "The policies that would have allowed what was refused."),
            text("stop", TEXT, "Why the proposed set could not judge it."),
        ],
    ),
    shape(
        "TrialDecision",
        "A decision that would have been another one, on what was known when it was taken.",
        &[
            text("key", LINE, "The change.").needed(),
            text("title", LINE, "Its title.").needed(),
            text("approval", LINE, "The decision's id.").needed(),
            text("person", LINE, "Who decided: a login.").needed(),
            word("decision", all!(Decision), "What they said.").needed(),
            time("at", "When.").needed(),
            objects("added", "AskedRow", "What would have been required in addition.").needed(),
            objects("removed", "AskedRow", "What would not have been required.").needed(),
            objects(
                "refused",
                "PolicyReason",
                "The policies that would have refused the decision.",
            ),
            text("stop", TEXT, "Why the proposed set could not judge it."),
        ],
    ),
    shape(
        "AskedRow",
        "One obligation.",
        &[
            text("policy", LINE, "The policy's id.").needed(),
            text("reason", TEXT, "Its reason.").needed(),
            text("asks", TEXT, "What it asks, in the words of the cases.").needed(),
            texts("targets", LINE, "The targets that bring it.").needed(),
        ],
    ),
    shape(
        "Explanation",
        "What is required of a change, and which policies say so.",
        &[
            text("policy_digest", LINE, "Digest of schema, policies and parameters.").needed(),
            text("facts_digest", LINE, "Digest of the facts that were judged.").needed(),
            text("stop", TEXT, "Why the policies could not be judged."),
            objects("policies", "ExplainedPolicy", "One row a policy, sorted by id.").needed(),
        ],
    ),
    shape(
        "ExplainedPolicy",
        "A policy that brought an obligation.",
        &[
            object("source", "PolicySource", "Where it stands and what it says.").needed(),
            text("words", TEXT, "What it asks, in the words of the cases.").needed(),
            free("required", "The obligation as it was compiled, and the targets' ids."),
        ],
    ),
    shape(
        "RiskRow",
        "A row of the risk table: a level for each complexity.",
        &[
            word("low", LEVELS, "At low complexity.").needed(),
            word("medium", LEVELS, "At medium complexity.").needed(),
            word("high", LEVELS, "At high complexity.").needed(),
        ],
    ),
    shape(
        "RiskRows",
        "A row for each highest impact.",
        &[
            object("none", "RiskRow", "No impact.").needed(),
            object("low", "RiskRow", "Low impact.").needed(),
            object("medium", "RiskRow", "Medium impact.").needed(),
            object("high", "RiskRow", "High impact.").needed(),
        ],
    ),
    shape(
        "RiskTable",
        "The risk table in force.",
        &[
            text("digest", LINE, "Its digest.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought it; null for the first table.",
            ),
            object("table", "RiskRows", "The table.").needed(),
            free("terms", "How what a change reaches and touches counts: `near`, `far`, `many`, `most`, `complexity`, `categories`."),
        ],
    ),
    shape(
        "OwnershipProposalInput",
        "Rows that go live by two people, and what else gives somebody a voice.",
        &[
            objects("rows", "OwnershipInput", "Rows to set, at most 2,000."),
            objects("people", "ProposedPerson", "People as they are to be, at most 2,000."),
            objects("groups", "ProposedGroup", "Groups as they are to be, at most 2,000."),
            objects("services", "ServiceInput", "Services as they are to be, at most 2,000."),
            objects(
                "environments",
                "EnvironmentInput",
                "Environments as they are to be, at most 2,000.",
            ),
            objects(
                "config_items",
                "ConfigItemInput",
                "Config items as they are to be, at most 2,000.",
            ),
            objects("dependencies", "DependencyInput", "Arrows to set, at most 2,000."),
            objects(
                "delegations",
                "DelegationInput",
                "Delegations, at most 2,000; each names its `delegator`.",
            ),
            objects("trainings", "TrainingInput", "Trainings, at most 2,000."),
            objects("calendars", "BusinessCalendarInput", "Calendars as they are to be."),
            objects(
                "identity_providers",
                "ProposedProvider",
                "Identity providers as they are to be, without `client_secret`: it is set once they are in force.",
            ),
            texts("connections", LINE, "Ids of connections that wait for two people."),
            objects(
                "connection_edits",
                "ProposedConnection",
                "Changes of connections that are in force.",
            ),
            texts("end_dependencies", LINE, "Ids of arrows to take away."),
            texts("end", LINE, "Ids of rows to end."),
            boolean("end_missing", "Whether every row ends that is not named."),
            boolean(
                "by_two",
                "Whether rows that affect decisions need two people from then on; as it is unless said.",
            ),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "ProposedPerson",
        "A person as they are to be; one who is there keeps what is not named.",
        &[
            text("login", LINE, "What they sign in with.").needed(),
            text("name", LINE, "The name that others read; the login unless said."),
            text("email", LINE, "Where mail goes."),
            words("roles", all!(Role), "Rights in the tenant."),
            text("zone", LINE, "IANA zone, such as `Europe/Zurich`."),
            boolean("active", "Whether they may act."),
            texts(
                "accounts",
                LINE,
                "Logins in connected systems, such as `github:octocat`.",
            ),
            texts("functions", LINE, "Job functions, such as `dba`."),
            text("calendar", LINE, "The business calendar."),
        ],
    ),
    shape(
        "ProposedGroup",
        "A group as it is to be.",
        &[texts(
            "joins",
            LINE,
            "Logins of those who come to who is in it already.",
        )],
    )
    .based_on(&["GroupInput"]),
    shape(
        "SlaRow",
        "Two times: `15m`, `4h`, `2d` on the wall, `4bh`, `2bd` of working time; at most 90 days.",
        &[
            text("acknowledge", LINE, "To say “I have seen it”."),
            text("decide", LINE, "To decide."),
        ],
    ),
    shape(
        "SlaRows",
        "By kind and risk; rules may say otherwise (`@ack_sla`, `@decide_sla`).",
        &[
            object("emergency", "SlaRow", "Emergency changes."),
            object("expedited", "SlaRow", "Expedited changes."),
            object("high", "SlaRow", "Others of high risk."),
            object("medium", "SlaRow", "Of medium risk."),
            object("low", "SlaRow", "Of low risk."),
        ],
    ),
    shape(
        "SlaTable",
        "The times in force.",
        &[
            text("digest", LINE, "Digest of the table.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought it; null for the first table.",
            ),
            object("table", "SlaRows", "The rows.").needed(),
        ],
    ),
    shape(
        "SlaTableInput",
        "Other times. What is not named stays as it is.",
        &[
            object("table", "SlaRows", "The rows.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "WatchRow",
        "Minutes of watching after the end of the work, by the risk of the change.",
        &[
            integer("low", 1, LONGEST_WATCH_MINUTES, "Low risk."),
            integer("medium", 1, LONGEST_WATCH_MINUTES, "Medium risk."),
            integer("high", 1, LONGEST_WATCH_MINUTES, "High risk."),
        ],
    ),
    shape(
        "WatchRows",
        "By the highest criticality among the services of a change. A standard change is watched as long as its template says.",
        &[
            object("low", "WatchRow", "Low criticality."),
            object("medium", "WatchRow", "Medium criticality."),
            object("high", "WatchRow", "High criticality."),
            object("critical", "WatchRow", "Critical."),
        ],
    ),
    shape(
        "WatchTable",
        "The watch windows in force.",
        &[
            text("digest", LINE, "Digest of the table.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought it; null for the first table.",
            ),
            object("table", "WatchRows", "The rows.").needed(),
        ],
    ),
    shape(
        "WatchTableInput",
        "Other watch windows. What is not named stays as it is.",
        &[
            object("table", "WatchRows", "The rows.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "MajorSeverity",
        "From which severity on an incident stops changes of high risk around it.",
        &[
            text("digest", LINE, "Digest of the configuration.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought it; null for what holds without one.",
            ),
            integer("severity", 0, 4, "1 is the gravest; 0 means that no incident is major.").needed(),
        ],
    ),
    shape(
        "MajorSeverityInput",
        "Another bound. Incidents that are major stay so until they end.",
        &[
            integer("severity", 0, 4, "1 is the gravest; 0 means that no incident is major.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "RetentionDays",
        "For how long what need not be kept for ever is kept. The log, records, digests and proofs stay in any case.",
        &[
            integer_or_null(
                "changes_days",
                "For how many days after its end the texts and evidence files of a change are kept: 90 to 36,525; null for ever.",
            ),
            integer_or_null(
                "deliveries_days",
                "For how many days the raw body of a delivery that was worked off is kept: 90 to 36,525; null for ever.",
            ),
            integer_or_null(
                "archive_days",
                "After how many days since it was last saved an ended change moves to the archive, where all of it is kept: 90 to \
                 36,525; null never.",
            ),
        ],
    ),
    shape(
        "Retention",
        "The retention in force.",
        &[
            text("digest", LINE, "Digest of it.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought it; null for the first.",
            ),
        ],
    )
    .based_on(&["RetentionDays"]),
    shape(
        "RetentionInput",
        "Another retention. What is not named stays as it is.",
        &[text("reason", TEXT, "Why.").needed()],
    )
    .based_on(&["RetentionDays"]),
    shape(
        "RiskTableInput",
        "A risk table.",
        &[
            object("table", "RiskRows", "The table.").needed(),
            free(
                "terms",
                "How what a change reaches and touches counts: `near` and `far` in arrows, `many` and `most` reached things, and \
                 `complexity` with the least level of each touch, `categories` with that of each category; as they are unless said.",
            ),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "ActivationInput",
        "Who stands in for a second person.",
        &[text(
            "change",
            LINE,
            "An approved change one of whose targets has the configuration's digest as its artifact.",
        )],
    ),
    shape(
        "Configuration",
        "A configuration that moves decisions, proposed, in force or replaced.",
        &[
            text("id", LINE, "Its id.").needed(),
            integer("version", 1, i64::MAX, "Grows with every save.").needed(),
            word("kind", all!(ConfigurationKind), "Which of them.").needed(),
            word("state", all!(ConfigurationState), "Where it stands.").needed(),
            text("digest", LINE, "Digest of its content, where that has one."),
            text("reason", TEXT, "Why it was proposed.").needed(),
            text("proposer", LINE, "A login.").needed(),
            time("proposed_at", "When.").needed(),
            text(
                "handed_by",
                LINE,
                "Who handed out the way in by which it was proposed, where that was another person: a login.",
            ),
            text("activated_by", LINE, "A login."),
            text(
                "activation_handed_by",
                LINE,
                "Who handed out the way in by which it was put in force, where that was another person: a login.",
            ),
            time("activated_at", "When."),
            text(
                "change_key",
                LINE,
                "The approved change that stood in for a second person.",
            ),
            text(
                "before",
                LINE,
                "Digest of what was in force before; of a proposal, what was in force when it was made.",
            ),
            text("replaces", LINE, "The configuration that was in force before."),
            text("parameters", FILE, "The tenant's own values."),
            object("table", "RiskRows", "The risk table."),
            free("terms", "Of a risk table: how what a change reaches and touches counts, where it is not as usual."),
            object("slas", "SlaRows", "The times to acknowledge and to decide."),
            object("watches", "WatchRows", "The watch windows."),
            integer("major_severity", 0, 4, "The severity from which on an incident is major."),
            object(
                "retention",
                "RetentionDays",
                "For how long texts, files and raw deliveries are kept.",
            ),
            objects("rules", "MappingRule", "Of a mapping, its rules."),
            objects("files", "PolicyFile", "With one configuration: its files."),
            objects("cases", "PolicyFile", "With one configuration: its cases."),
        ],
    ),
];
