//! The request bodies of the estate: services, environments, config items, dependencies, rows of the matrix, spans.

use model::core::enums::{
    Criticality, DependencyKind, FreezeAnswer, FreezeReach, IncidentKind, NodeKind, OwnershipRole, Recurrence,
};
use model::core::parse::{LINE, TEXT};

use crate::openapi::shapes::{Shape, Words, all, boolean, integer, objects, shape, text, texts, time, word};

/// The shapes.
pub(crate) const ESTATE: &[Shape] = &[
    shape(
        "ServiceInput",
        "A service.",
        &[
            text("key", LINE, "`booking-api`.").needed(),
            text("name", LINE, "A name for people."),
            word("criticality", all!(Criticality), "How much depends on it."),
            texts("regimes", LINE, "Regimes such as `sox`, `hipaa`."),
            word(
                "data_class",
                Words::These(&["public", "internal", "confidential", "restricted"]),
                "The class of its data.",
            ),
            texts(
                "holds",
                LINE,
                "Sensitive things that it holds: `privileged_access`, `crypto_keys`, `personal_data`, `schema`. A change of it touches these.",
            ),
            text("team", LINE, "The team that runs it."),
        ],
    ),
    shape(
        "ServicePatch",
        "What changes of a service.",
        &[
            text("name", LINE, "A name for people."),
            word("criticality", all!(Criticality), "How much depends on it."),
            texts("regimes", LINE, "Regimes such as `sox`, `hipaa`."),
            text("data_class", LINE, "The class of its data."),
            texts(
                "holds",
                LINE,
                "Sensitive things that it holds. A change of it touches these.",
            ),
            text("team", LINE, "The team that runs it."),
        ],
    ),
    shape(
        "EnvironmentInput",
        "An environment.",
        &[
            text("key", LINE, "`production`.").needed(),
            text("name", LINE, "A name for people."),
            boolean("is_production", "Whether customers depend on it."),
        ],
    ),
    shape(
        "ConfigItemInput",
        "A config item.",
        &[
            text("key", LINE, "Unique in the tenant.").needed(),
            text("name", LINE, "A name for people."),
            text("service", LINE, "The service it belongs to.").needed(),
            text(
                "kind",
                LINE,
                "What kind of thing it is, such as `database`: a class for ownership.",
            ),
            texts(
                "holds",
                LINE,
                "Sensitive things that it holds: `privileged_access`, `crypto_keys`, `personal_data`, `schema`. A change of it touches these.",
            ),
            texts(
                "addresses",
                253,
                "Its host names and IP addresses, by which it is found; at most 50.",
            ),
        ],
    ),
    shape(
        "DependencyInput",
        "One service needs another.",
        &[
            text("from", LINE, "What needs, runs on or is part: a key.").needed(),
            text("to", LINE, "What is needed, runs the other or holds it: a key.").needed(),
            word(
                "kind",
                all!(DependencyKind),
                "What it means; `depends_on` unless said. Owners come down along `part_of` alone.",
            ),
            word("from_kind", all!(NodeKind), "What `from` is; `service` unless said."),
            word("to_kind", all!(NodeKind), "What `to` is; `service` unless said."),
            texts("environments", LINE, "Environments in which it holds; absent: all."),
        ],
    ),
    shape(
        "OwnershipInput",
        "A part in owning a service: of a person or a group.",
        &[
            text("service", LINE, "The service; without any of these three: everything."),
            text("config_item", LINE, "Or a config item."),
            text("class", LINE, "Or a whole class, such as `regime:sox`."),
            text("environment", LINE, "Absent: every environment."),
            word("role", all!(OwnershipRole), "The part.").needed(),
            text("person", LINE, "A login."),
            text("group", LINE, "Or a group's key."),
            text("function", LINE, "The job function without which nobody holds it."),
            time("since", "Since when; now unless said."),
            boolean(
                "correction",
                "Whether it notes what began before it is recorded; it counts from now on, and for nothing decided before.",
            ),
            time("ends_at", "Until when, exclusive."),
        ],
    ),
    shape(
        "Span",
        "A time, and where it applies.",
        &[
            text("title", LINE, "What it is called.").needed(),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            texts("services", LINE, "Services' keys; empty means all."),
            texts("environments", LINE, "Environments' keys; empty means all."),
        ],
    ),
    shape(
        "Repetition",
        "How it repeats. The first time is given by `starts_at` and `ends_at`.",
        &[
            text(
                "rrule",
                LINE,
                "The rule by which each time begins (RFC 5545, 3.3.10), such as `FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-3`; it is \
                 expanded for 400 days. Once without it.",
            ),
            text("time_zone", LINE, "The IANA zone of the rule; that of its calendar unless said."),
            text(
                "ends_rrule",
                LINE,
                "The rule by which each time ends, at the time of day of `ends_at`; without it each lasts as long as the first.",
            ),
            text("working_days_of", LINE, "The calendar of which only working days count."),
            text(
                "fiscal_of",
                LINE,
                "The calendar whose fiscal months and years the rule means.",
            ),
            texts("exdates", LINE, "Local dates on which a time by the rule is left out."),
            objects("overrides", "MovedTime", "Single times that are moved."),
        ],
    ),
    shape(
        "RepetitionWord",
        "How it repeats, in a word.",
        &[word(
            "recurrence",
            all!(Recurrence),
            "Instead of a rule, or beside one of the same frequency.",
        )],
    ),
    shape(
        "MovedTime",
        "One time of several, moved.",
        &[
            text("date", LINE, "The local date on which it would begin by the rule.").needed(),
            time("starts_at", "Its start instead.").needed(),
            time("ends_at", "Its end instead.").needed(),
        ],
    ),
    shape("WindowInput", "A time in which work is welcome.", &[]).based_on(&["Span", "Repetition", "RepetitionWord"]),
    shape(
        "FreezeInput",
        "A time in which no change begins.",
        &[
            boolean("halt", "Whether it also stops what is under way."),
            word(
                "reach",
                all!(FreezeReach),
                "`dependants`: it also stops the services that need those named, near and far. `none` without a word.",
            ),
            text("reason", TEXT, "Why."),
            boolean(
                "correction",
                "Whether it notes what began before it is recorded; it counts from now on, and for nothing decided before.",
            ),
            text(
                "business_owner",
                LINE,
                "Who agrees for the business: a login. With one it is proposed, and counts from its announcement on.",
            ),
            word(
                "thaw_risk",
                Words::These(&["none", "low", "medium"]),
                "Changes of this risk or less pass.",
            ),
        ],
    )
    .based_on(&["Span", "Repetition", "RepetitionWord"]),
    shape(
        "FreezeAgreementInput",
        "The answer of a freeze's business owner.",
        &[
            word("decision", all!(FreezeAnswer), "`agree` unless said."),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "FreezeExceptionInput",
        "Lets one change pass one time of a freeze.",
        &[
            text("change", LINE, "The change's key.").needed(),
            text("reason", TEXT, "Why.").needed(),
            time(
                "time",
                "The start of the time, where the freeze repeats; otherwise the first over the change's window that has no exception \
                 for it.",
            ),
        ],
    ),
    shape(
        "IncidentInput",
        "An incident.",
        &[text("title", LINE, "In one line.").needed()],
    )
    .based_on(&["IncidentPatch"]),
    shape(
        "IncidentPatch",
        "What changes of an incident.",
        &[
            text("title", LINE, "In one line."),
            integer("severity", 1, 4, "1 is the gravest."),
            texts("services", LINE, "Services it hurts."),
            time("started_at", "Its start."),
            time("mitigated_at", "Since when its effect is contained."),
            time("resolved_at", "Its end."),
            time("end_recorded_at", "When its end was recorded first."),
            text(
                "external_ref",
                LINE,
                "Its key elsewhere: of letters, digits, `.`, `_` and `-`, or `system:key`, or a link.",
            ),
            texts("external_keys", LINE, "Further keys in other systems, such as `jira:OPS-7`; at most 20."),
            word("kind", all!(IncidentKind), "`service` unless said."),
        ],
    ),
];
