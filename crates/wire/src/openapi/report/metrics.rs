//! Routes and shapes of metrics: definitions, figures, the rows behind them, and the event log.

use model::core::enums::EmergencyCause;
use model::core::parse::{LINE, TEXT};

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, list};
use crate::openapi::shapes::{
    Shape, Words, all, boolean, free, integer, object, objects, shape, text, texts, time, word,
};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROWS];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[DEFINITIONS, FIGURES, OTHERS];

const FROM: Param = Param::new(
    "from",
    "The first day, such as `2026-01-31` (in `zone`), or a moment in RFC 3339. Unless given, the window of the definition before `to`.",
);
const TO: Param = Param::new(
    "to",
    "The first day or moment behind the window; now unless given, and the last Monday for volumes by week.",
);
const ZONE: Param = Param::new(
    "zone",
    "The time zone of the days, such as `Europe/Oslo`; UTC unless given.",
);
const TEAM: Param = Param::new(
    "team",
    "Only of this team: the one that the change names, else that of the service.",
);
const SERVICE: Param = Param::new("service", "Only with this service: a key.");
const KIND: Param = Param::new("kind", "Only of this kind: `normal`, `standard` or `emergency`.");
const CATEGORY: Param = Param::new(
    "category",
    "Only of this category: `database` or another one of a change.",
);
const RISK: Param = Param::new("risk", "Only of this risk: `none`, `low`, `medium` or `high`.");
const TEMPLATE: Param = Param::new("template", "Only from this template: a key.");
const ENVIRONMENT: Param = Param::new(
    "environment",
    "Only in this environment: a key. Unless given, deployments are those to production.",
);
const VENDOR: Param = Param::new("vendor", "Only implemented by people of this vendor: its key.");

/// The parameters of a figure.
const QUESTION: &[Param] = &[
    FROM,
    TO,
    ZONE,
    Param::new(
        "by",
        "Splits the figure: `team`, `service`, `kind`, `category`, `risk`, `template`, `environment`, `vendor`, `cause` or \
         `root_cause`; times to approve also `stage`, `rule`, `group` or `approver`. By approver a reader sees their own times alone, and change managers \
         those of all.",
    ),
    TEAM,
    SERVICE,
    KIND,
    CATEGORY,
    RISK,
    TEMPLATE,
    ENVIRONMENT,
    VENDOR,
    Param::new(
        "approver",
        "Of times to approve, those of this approver alone: your own login; change managers name any.",
    ),
];

/// The parameters of a map of paths.
const OF_MAP: &[Param] = &[
    FROM,
    TO,
    ZONE,
    TEAM,
    SERVICE,
    KIND,
    CATEGORY,
    RISK,
    TEMPLATE,
    ENVIRONMENT,
    VENDOR,
];

/// The parameters of an event log.
const OF_LOG: &[Param] = &[
    Param::new("format", "`xes` (IEEE 1849-2016) or `csv`; `xes` unless given."),
    FROM,
    TO,
    ZONE,
    TEAM,
    SERVICE,
    KIND,
    CATEGORY,
    RISK,
    TEMPLATE,
    ENVIRONMENT,
    VENDOR,
];

const TAG: &str = "reports";

const ROWS: &[Row] = &[
    list(
        TAG,
        "list_field_use",
        "/field-use",
        "List the fields that people type in changes, with how they are used; useless ones are proposed to be dropped",
        "FieldUse",
    )
    .may("set_service"),
    list(
        TAG,
        "list_metrics",
        "/metrics",
        "List the definitions of the metrics",
        "Metric",
    )
    .may("read"),
    Row {
        may: "read",
        params: QUESTION,
        ..get(
            TAG,
            "show_figure",
            "/metrics/{id}",
            "Show a figure with its interval and its groups",
            "Figure",
        )
    },
    get(
        TAG,
        "show_metric",
        "/metrics/{id}/definition",
        "Show the definition of a metric with its versions",
        "Metric",
    )
    .may("read"),
    Row {
        may: "read",
        params: QUESTION,
        ..list(
            TAG,
            "list_figure_rows",
            "/metrics/{id}/rows",
            "List the changes that a figure is counted from, and those that it leaves out",
            "FigureRow",
        )
    },
    Row {
        may: "read",
        params: QUESTION,
        ..get(
            TAG,
            "show_sensitivity",
            "/metrics/{id}/sensitivity",
            "Show how much a figure depends on its window and on what makes a failure",
            "Sensitivity",
        )
    },
    Row {
        may: "read",
        params: OF_MAP,
        ..get(
            TAG,
            "show_process_map",
            "/process-map",
            "Show the paths that changes really took through the lifecycle",
            "ProcessMap",
        )
    },
    Row {
        may: "read",
        params: OF_LOG,
        ..get(
            TAG,
            "export_event_log",
            "/event-log",
            "Export the events of changes for process mining",
            "EventLog",
        )
    },
];

const UNITS: Words = Words::These(&[
    "parts_per_million",
    "minutes",
    "thousandths_per_day",
    "thousandths_per_week",
]);
const MOST: i64 = i64::MAX;

const DEFINITIONS: &[Shape] = &[
    shape(
        "MetricVersion",
        "A version of a definition.",
        &[
            integer("version", 1, MOST, "Its number.").needed(),
            text("since", LINE, "The day from which it counts.").needed(),
            text("digest", LINE, "The digest of its file.").needed(),
        ],
    ),
    shape(
        "MetricBand",
        "A level of maturity.",
        &[
            text(
                "level",
                LINE,
                "`elite`, `high` or `medium`; what is worse than all limits is `low`.",
            )
            .needed(),
            integer(
                "limit",
                0,
                MOST,
                "The worst value that still has it, in the unit of the metric.",
            )
            .needed(),
        ],
    ),
    shape(
        "Metric",
        "The definition of a metric: a file of the product, with a version and a digest.",
        &[
            text("id", LINE, "Its id, such as `change_failure_rate`.").needed(),
            integer("version", 1, MOST, "Its version.").needed(),
            text("digest", LINE, "The digest of its file.").needed(),
            text("since", LINE, "The day from which this version counts.").needed(),
            text("title", LINE, "Its name.").needed(),
            text("words", TEXT, "What it counts.").needed(),
            word(
                "formula",
                Words::These(&["share", "median", "per_day", "per_week"]),
                "How it is computed.",
            )
            .needed(),
            word(
                "population",
                Words::These(&["changes", "deployments", "rules", "created"]),
                "What is counted.",
            )
            .needed(),
            text("measure", LINE, "What is asked of each.").needed(),
            text("filter", LINE, "Which rows are looked at.").needed(),
            integer("window_days", 1, MOST, "The window unless another is asked for.").needed(),
            texts(
                "exclusions",
                LINE,
                "What is not counted, each with a count in the figure.",
            )
            .needed(),
            integer(
                "minimum",
                1,
                MOST,
                "Below so many there is not enough data for a value.",
            )
            .needed(),
            word(
                "direction",
                Words::These(&["higher", "lower"]),
                "Which values are better.",
            )
            .needed(),
            text("source", TEXT, "Where the definition comes from.").needed(),
            word("unit", UNITS, "The unit of the values.").needed(),
            objects("bands", "MetricBand", "Levels of maturity, the best first.").needed(),
            objects("versions", "MetricVersion", "Every version, the oldest first.").needed(),
        ],
    ),
    shape(
        "MetricName",
        "Which version of which definition a figure follows.",
        &[
            text("id", LINE, "The metric.").needed(),
            integer("version", 1, MOST, "The version of its definition.").needed(),
            text("digest", LINE, "The digest of its file.").needed(),
            text("title", LINE, "Its name.").needed(),
        ],
    ),
];

const FIGURES: &[Shape] = &[
    shape(
        "FigureValue",
        "A value with its interval for 95 of 100. Whole numbers alone.",
        &[
            boolean("has_enough_data", "Whether there are enough rows for a value that the reader may see.").needed(),
            boolean(
                "is_withheld",
                "Of times to approve: the values are shown to change managers alone, because fewer than three people decided.",
            ),
            integer("of", 0, MOST, "How many were counted.").needed(),
            integer("hits", 0, MOST, "Of a share, how many of them it asks for.").needed(),
            integer("value", 0, MOST, "The value; absent without enough data."),
            integer("low", 0, MOST, "The lower end of its interval."),
            integer("high", 0, MOST, "The upper end."),
            integer("mean", 0, MOST, "Of times, the mean (MTTA for times to approve)."),
            integer("p90", 0, MOST, "Of times, the 90th percentile."),
            integer(
                "queue",
                0,
                MOST,
                "Of times to approve, the median until an approver takes the request up.",
            ),
            integer("touch", 0, MOST, "The median from then until the decision."),
            integer("paused", 0, MOST, "The median of the time on hold."),
            integer("total", 0, MOST, "Of times to approve, the sum."),
            text("level", LINE, "The level of maturity, where the metric has levels."),
            free("excluded", "What was left out, by reason, with counts.").needed(),
        ],
    ),
    shape(
        "FigureGroup",
        "The same of one group.",
        &[text("group", LINE, "The group, such as a team.").needed()],
    )
    .based_on(&["FigureValue"]),
    shape(
        "Correlation",
        "Spearman's rank correlation of failure rate and frequency over the groups with enough data.",
        &[
            integer("groups", 0, MOST, "How many groups have enough data.").needed(),
            boolean("has_enough_data", "Whether they are enough for a correlation.").needed(),
            integer(
                "rho_ppm",
                -1_000_000,
                1_000_000,
                "The correlation in parts per million.",
            ),
            integer("low_ppm", -1_000_000, 1_000_000, "The lower end of its interval."),
            integer("high_ppm", -1_000_000, 1_000_000, "The upper end."),
        ],
    ),
    shape(
        "FigureWeek",
        "A week of a volume, with the limits of a Laney u′ chart from the 26 weeks before it.",
        &[
            time("starts_at", "The start.").needed(),
            integer("count", 0, MOST, "What was counted.").needed(),
            integer("mean_milli", 0, MOST, "The mean of the weeks before, in thousandths."),
            integer("low_milli", 0, MOST, "The lower limit, in thousandths."),
            integer("high_milli", 0, MOST, "The upper limit, in thousandths."),
            boolean("is_out", "Whether it lies outside of the limits.").needed(),
            boolean("is_alert", "Whether CUSUM alerts in this week.").needed(),
        ],
    ),
    shape(
        "FigureShareWeek",
        "A week of a share, with the limits of a p chart and of Laney's p′ chart, which allows for weeks that differ more than by \
         chance. Limits need 12 weeks in which anything was counted.",
        &[
            time("starts_at", "The start.").needed(),
            integer("hits", 0, MOST, "How many are hits.").needed(),
            integer("of", 0, MOST, "How many were counted.").needed(),
            integer("value_ppm", 0, MOST, "The share, in parts per million."),
            integer("low_ppm", 0, MOST, "The lower limit of the p′ chart, in parts per million."),
            integer("high_ppm", 0, MOST, "The upper limit of the p′ chart, in parts per million."),
            integer("p_low_ppm", 0, MOST, "The lower limit of the p chart, in parts per million."),
            integer("p_high_ppm", 0, MOST, "The upper limit of the p chart, in parts per million."),
            boolean("is_out", "Whether it lies outside of the limits of the p′ chart.").needed(),
            boolean("is_out_of_p", "Whether it lies outside of the limits of the p chart.").needed(),
        ],
    ),
    shape(
        "FigureShift",
        "A lasting shift upwards.",
        &[
            time(
                "began_at",
                "The week in which it began, by the likelihood of the counts.",
            )
            .needed(),
            time("found_at", "The week in which it was found.").needed(),
            integer("before_milli", 0, MOST, "The weekly mean before, in thousandths.").needed(),
            integer("after_milli", 0, MOST, "The weekly mean since, in thousandths.").needed(),
        ],
    ),
    shape(
        "FigureVersion",
        "The figure of the part of a window in which one version of the definition was in force.",
        &[
            object("definition", "MetricName", "The version.").needed(),
            time("from", "The first moment of its part.").needed(),
            time("to", "The first moment behind it.").needed(),
        ],
    )
    .based_on(&["FigureValue"]),
    shape(
        "EmergencyCauseCount",
        "Emergencies of one cause.",
        &[
            word("cause", all!(EmergencyCause), "The cause.").needed(),
            integer(
                "counted",
                0,
                MOST,
                "Emergencies that count under it: by their review, else by a label, else by the rule.",
            )
            .needed(),
            integer("by_rule", 0, MOST, "Emergencies for which the rule finds it.").needed(),
            integer("confirmed", 0, MOST, "Of those that count under it, how many a review confirmed.").needed(),
            integer(
                "changed",
                0,
                MOST,
                "Of the confirmed ones, how many the rule has under another cause.",
            )
            .needed(),
        ],
    ),
    shape(
        "SensitivityRow",
        "The figure under another line than the defined one.",
        &[
            word(
                "varied",
                Words::These(&["window_days", "return_days", "up_to_severity"]),
                "What is varied: the days of the window, the days in which a return fails a deployment, or the severity up to \
                 which incidents make a failure (1 is the gravest).",
            )
            .needed(),
            integer("varied_to", 0, MOST, "Its value.").needed(),
            boolean("is_defined", "Whether it is the value of the definition, or the window that was asked for.").needed(),
        ],
    )
    .based_on(&["FigureValue"]),
    shape(
        "Sensitivity",
        "How much a figure depends on where its definition draws lines; each is varied alone.",
        &[
            object("definition", "MetricName", "The definition.").needed(),
            word("unit", UNITS, "The unit of the values.").needed(),
            time("from", "The first moment of the window that was asked for.").needed(),
            time("to", "The first moment behind it.").needed(),
            objects("rows", "SensitivityRow", "The figures.").needed(),
        ],
    ),
    shape(
        "Bottleneck",
        "The group that takes most of the time to approve: what a shorter wait there would save at most.",
        &[
            text("group", LINE, "The group.").needed(),
            integer(
                "share_ppm",
                0,
                1_000_000,
                "Its share of all the time, in parts per million.",
            )
            .needed(),
        ],
    ),
    shape(
        "Figure",
        "A figure, with the definition that it follows.",
        &[
            object("definition", "MetricName", "The definition.").needed(),
            word("unit", UNITS, "The unit of the values.").needed(),
            time("from", "The first moment of the window.").needed(),
            time("to", "The first moment behind it.").needed(),
            text("zone", LINE, "The zone of the days.").needed(),
            integer("minimum", 1, MOST, "Below so many rows there is not enough data.").needed(),
            text("by", LINE, "By what it is split."),
            objects("groups", "FigureGroup", "Each group, by name.").needed(),
            object("correlation", "Correlation", "Of failure rates by team or service."),
            object("bottleneck", "Bottleneck", "Of times to approve."),
            objects("weeks", "FigureWeek", "Of volumes, the weeks."),
            objects("shifts", "FigureShift", "Of volumes, the lasting shifts."),
            objects("share_weeks", "FigureShareWeek", "Of shares, the weeks."),
            integer(
                "spread_milli",
                0,
                MOST,
                "Of shares, how much more neighbouring weeks differ than by chance, in thousandths: 1,000 for chance alone.",
            ),
            objects(
                "versions",
                "FigureVersion",
                "Where the definition changed within the window, each version with its part of it, the oldest first.",
            ),
            objects(
                "causes",
                "EmergencyCauseCount",
                "Of emergencies, their causes by rule and as reviews left them.",
            ),
            integer(
                "projected_to",
                0,
                MOST,
                "The events of the log up to this index are counted.",
            )
            .needed(),
            integer("log_size", 0, MOST, "The size of the log.").needed(),
        ],
    )
    .based_on(&["FigureValue"]),
];

const OTHERS: &[Shape] = &[
    shape(
        "FieldUse",
        "How a field that may be left out is used, over the newest 2,000 changes that were submitted or the newest 500 records of \
         another form.",
        &[
            text("field", LINE, "Its name in requests; of a field of the tenant's own `custom_fields.KEY`, of another form `NOUN.FIELD`.").needed(),
            text("name", LINE, "The words above a field of the tenant's own."),
            integer("asked", 0, i64::MAX, "On how many changes or other records it was asked for.").needed(),
            integer("filled", 0, i64::MAX, "On how many it was filled, and not with its default.").needed(),
            integer("filler", 0, i64::MAX, "On how many the text says nothing, such as `n/a` or the title.").needed(),
            integer("distinct", 0, i64::MAX, "How many different values it had.").needed(),
            integer("most_common", 0, i64::MAX, "How many have its most frequent value.").needed(),
            boolean("is_read", "Whether a policy in force or a rule of the product reads it.").needed(),
            word(
                "verdict",
                Words::These(&["used", "not_enough", "blank", "filler", "constant"]),
                "`blank`, `filler` and `constant` are proposals to drop it or to make it a default; `not_enough` is fewer than 30 of them.",
            )
            .needed(),
        ],
    ),
    shape(
        "FigureRow",
        "A change, target or approval rule that a figure looks at.",
        &[
            text("key", LINE, "The key of the change.").needed(),
            text("title", LINE, "Its title."),
            text("service", LINE, "Of deployments, the service."),
            text("environment", LINE, "Of deployments, the environment."),
            text("rule", LINE, "Of times to approve, the rule."),
            time("at", "When it counts.").needed(),
            word(
                "counted",
                Words::These(&["hit", "miss", "skipped", "rerun", "burst", "planned_undo", "clock"]),
                "`hit` and `miss` are counted; anything else is the reason why it is left out.",
            )
            .needed(),
            integer("minutes", 0, MOST, "How long it took."),
        ],
    ),
    shape(
        "MapStep",
        "A step of the lifecycle that changes took.",
        &[
            text("step", LINE, "What happened, such as `submitted`.").needed(),
            integer("changes", 0, MOST, "How many changes took it.").needed(),
        ],
    ),
    shape(
        "MapMove",
        "A step that directly followed another one in the same change.",
        &[
            text("from", LINE, "The step before.").needed(),
            text("to", LINE, "The step behind.").needed(),
            integer("count", 0, MOST, "How often.").needed(),
            integer("median_minutes", 0, MOST, "The median time from one to the other.").needed(),
        ],
    ),
    shape(
        "MapPath",
        "A path from the first step to the last one.",
        &[
            texts("steps", LINE, "Its steps.").needed(),
            integer("changes", 0, MOST, "How many changes took it.").needed(),
            texts("keys", LINE, "The keys of the first five of them.").needed(),
        ],
    ),
    shape(
        "ProcessMap",
        "The paths of the changes that were created in a window; of more than 2,000 the newest are looked at.",
        &[
            time("from", "The first moment of the window.").needed(),
            time("to", "The first moment behind it.").needed(),
            integer("created", 0, MOST, "How many changes were created in the window.").needed(),
            integer("changes", 0, MOST, "How many of those that are looked at took a step.").needed(),
            integer("other", 0, MOST, "How many took a path that is not listed.").needed(),
            objects("steps", "MapStep", "The steps, in the order of the lifecycle.").needed(),
            objects("moves", "MapMove", "The moves between them.").needed(),
            objects("paths", "MapPath", "The 20 most frequent paths, the most frequent first.").needed(),
        ],
    ),
    shape(
        "EventLog",
        "An event log for process mining: one case per change that was created in the window.",
        &[
            word("format", Words::These(&["xes", "csv"]), "Its format.").needed(),
            time("from", "The first moment of the window.").needed(),
            time("to", "The first moment behind it.").needed(),
            integer("cases", 0, MOST, "How many changes.").needed(),
            integer("events", 0, MOST, "How many events.").needed(),
            text("text", 100_000_000, "The file.").needed(),
        ],
    ),
];
