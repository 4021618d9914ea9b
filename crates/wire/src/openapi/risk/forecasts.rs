//! Routes and shapes of the risk matrix and of forecasts of failure. Probabilities are whole numbers, in parts per million.

use model::core::enums::{Level, NodeKind, RatedFact};
use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, get, list};
use crate::openapi::shapes::{Shape, Words, all, boolean, integer, object, objects, shape, text, texts, time, word};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES];

/// A probability of one, in parts per million.
const ONE: i64 = 1_000_000;
/// More outcomes than a model learns from.
const MANY: i64 = 1_000_000_000;
/// The levels of the history.
const LEVELS: Words = Words::These(&["environment", "type", "service", "team", "pair"]);

const ROUTES: &[Row] = &[
    get(
        "changes",
        "show_forecast",
        "/changes/{key}/forecast",
        "Show how likely a change fails, what that comes from, or which history is missing",
        "Forecast",
    )
    .may("read"),
    get(
        "changes",
        "show_risk_matrix",
        "/changes/{key}/risk",
        "Show the risk matrix of a change: its inputs, its cell, and what would move it",
        "RiskMatrix",
    )
    .may("read"),
    list(
        "administration",
        "list_failure_models",
        "/failure-models",
        "List the models of failure, the newest first",
        "FailureModel",
    )
    .may("read"),
    get(
        "administration",
        "show_failure_model",
        "/failure-models/{key}",
        "Show a model of failure, by its key or its digest",
        "FailureModel",
    )
    .may("read"),
];

const BODIES: &[Shape] = &[
    shape(
        "RiskMatrix",
        "The risk matrix of a change.",
        &[
            word("level", all!(Level), "The risk that counts.").needed(),
            texts("reasons", TEXT, "Why, in words.").needed(),
            objects("inputs", "MatrixInput", "The inputs.").needed(),
            objects("cells", "MatrixCell", "The cells, by impact and complexity.").needed(),
            objects("ways", "MatrixWay", "What would move the change to another cell.").needed(),
        ],
    ),
    shape(
        "MatrixInput",
        "An input of the matrix.",
        &[
            word("fact", all!(RatedFact), "Which fact.").needed(),
            word("stated", all!(Level), "What the change states."),
            word(
                "derived",
                all!(Level),
                "What its services and what they reach say; of complexity, what facts of the change say.",
            ),
            word("counts", all!(Level), "What counts.").needed(),
            texts(
                "facts",
                TEXT,
                "The facts of the change that make the complexity so, a sentence each.",
            ),
            text(
                "from",
                TEXT,
                "Where the derived value comes from: the way through the graph of dependencies, and what says it there. Absent for who is scoped to services, where the way leads outside.",
            ),
            objects(
                "path",
                "MatrixStep",
                "That way, from a target to the thing that says it.",
            ),
        ],
    ),
    shape(
        "MatrixStep",
        "A thing on the way.",
        &[
            word("kind", all!(NodeKind), "What it is.").needed(),
            text("key", LINE, "Its key.").needed(),
        ],
    ),
    shape(
        "MatrixCell",
        "A cell of the matrix.",
        &[
            word("impact", all!(Level), "The highest impact.").needed(),
            word("complexity", all!(Level), "The complexity.").needed(),
            word("level", all!(Level), "The risk that the table says.").needed(),
            boolean("is_here", "Whether the change is in it.").needed(),
            text("way", TEXT, "What would move the change here."),
        ],
    ),
    shape(
        "MatrixWay",
        "One thing said otherwise, and where the change would be then.",
        &[
            text("text", TEXT, "What.").needed(),
            word("impact", all!(Level), "The highest impact then.").needed(),
            word("complexity", all!(Level), "The complexity then.").needed(),
            word("level", all!(Level), "The risk then.").needed(),
        ],
    ),
    shape(
        "Forecast",
        "How likely a change fails. Without enough history there is no figure, and what is missing is said.",
        &[
            word(
                "state",
                Words::These(&["figure", "abstained", "absent"]),
                "Whether there is a figure, the model gives none, or there was no model.",
            )
            .needed(),
            boolean(
                "is_recorded",
                "Whether the change keeps it; otherwise the model in force says so now, and nothing rests on it.",
            )
            .needed(),
            text("text", TEXT, "The forecast in words.").needed(),
            texts(
                "begins_anew",
                TEXT,
                "What has no history of its own, such as a renamed service or a dissolved team, a sentence each; absent where nothing.",
            ),
            integer("probability_ppm", 0, ONE, "The probability of failure."),
            integer("of_hundred", 0, 100, "How many of a hundred such changes fail."),
            integer("low_ppm", 0, ONE, "The lower end of the 90 % interval."),
            integer("high_ppm", 0, ONE, "The upper end."),
            objects("parts", "ForecastPart", "What adds up to the probability, exactly."),
            objects(
                "history",
                "ForecastHistory",
                "The outcomes that it rests on, the widest group first.",
            ),
            objects("inputs", "ForecastInput", "What was looked at in the change."),
            object("missing", "MissingHistory", "Which history is missing."),
            integer(
                "moved_ppm",
                0,
                ONE,
                "What reviewed failures moved the probability to since; rules read it.",
            ),
            texts("moves", TEXT, "Each of these moves in words, the earliest first."),
            text("service", LINE, "The service that decides."),
            text("environment", LINE, "Its environment."),
            text("model", LINE, "The digest of the model."),
            text("model_key", LINE, "The key of the model."),
            integer("features_version", 1, MANY, "The version of the features."),
            time("made_at", "When it was made."),
        ],
    ),
    shape(
        "ForecastPart",
        "A contribution to a forecast. What teams add is joined with their service for everybody who is no member.",
        &[
            text("source", LINE, "A level of the history, `base`, or a feature.").needed(),
            text("text", TEXT, "The same in words.").needed(),
            integer("ppm", -ONE, ONE, "Parts per million.").needed(),
        ],
    ),
    shape(
        "ForecastHistory",
        "The outcomes of a group.",
        &[
            word("group", LEVELS, "The level.").needed(),
            text("text", TEXT, "The same in words.").needed(),
            integer("outcomes", 0, MANY, "Known outcomes.").needed(),
            integer("failures", 0, MANY, "Those that failed.").needed(),
            integer(
                "low_ppm",
                0,
                ONE,
                "The lower end of the 90 % interval down to this level.",
            )
            .needed(),
            integer("high_ppm", 0, ONE, "The upper end.").needed(),
        ],
    ),
    shape(
        "ForecastInput",
        "An input of a forecast.",
        &[
            text("feature", LINE, "The feature.").needed(),
            integer("thousandths", -MANY, MANY, "Its value.").needed(),
        ],
    ),
    shape(
        "MissingHistory",
        "Why there is no figure.",
        &[
            word("code", Words::These(&["too_few_outcomes", "too_wide"]), "Why.").needed(),
            integer("more", 0, MANY, "How many more outcomes would do.").needed(),
        ],
    ),
    shape(
        "FailureModel",
        "A model of failure. It is fitted once a quarter, and never changed.",
        &[
            text("key", LINE, "Its key.").needed(),
            time("fitted_at", "When it was fitted; nothing later was known to it.").needed(),
            boolean("in_force", "Whether new forecasts are made by it.").needed(),
            text("model", LINE, "Its digest.").needed(),
            integer("features_version", 1, MANY, "The version of the features.").needed(),
            integer("changes", 0, MANY, "How many changes were closed then.").needed(),
            integer("outcomes", 0, MANY, "How many outcomes it learned from.").needed(),
            integer("failures", 0, MANY, "How many of them failed.").needed(),
            objects("environments", "EnvironmentModel", "The model of each environment.").needed(),
        ],
    ),
    shape(
        "EnvironmentModel",
        "A model of failure in one environment.",
        &[
            text("environment", LINE, "The environment.").needed(),
            integer("outcomes", 0, MANY, "Known outcomes.").needed(),
            integer("failures", 0, MANY, "Those that failed.").needed(),
            boolean("has_features", "Whether there was enough history for features.").needed(),
            objects("coefficients", "Coefficient", "What each feature adds."),
            object(
                "calibration",
                "Calibration",
                "How a former model did since: one of a year before, or of the middle of a shorter history; absent with too little.",
            ),
        ],
    ),
    shape(
        "Coefficient",
        "What a feature adds.",
        &[
            text("feature", LINE, "The feature.").needed(),
            integer("mean_thousandths", -MANY, MANY, "The input that adds nothing.").needed(),
            integer(
                "micro_logits",
                -MANY,
                MANY,
                "Millionths of log-odds for each whole unit above it.",
            )
            .needed(),
        ],
    ),
    shape(
        "Calibration",
        "Predicted and observed failures of a year that the model did not know.",
        &[
            time("since", "From when on.").needed(),
            time("until", "Until when.").needed(),
            objects(
                "bins",
                "CalibrationBin",
                "Changes of like probability, the lowest first.",
            )
            .needed(),
        ],
    ),
    shape(
        "CalibrationBin",
        "Changes of like probability.",
        &[
            integer("changes", 0, MANY, "How many.").needed(),
            integer("failures", 0, MANY, "How many failed.").needed(),
            integer("predicted_ppm", 0, ONE, "The mean of what was predicted.").needed(),
        ],
    ),
    shape(
        "ForecastSummary",
        "The forecast that a change keeps; `GET /changes/{key}/forecast` shows what it comes from.",
        &[
            integer(
                "probability_ppm",
                0,
                ONE,
                "The probability of failure; absent where the forecast abstains.",
            ),
            integer("low_ppm", 0, ONE, "The lower end of the 90 % interval.").needed(),
            integer("high_ppm", 0, ONE, "The upper end.").needed(),
            text("text", TEXT, "The forecast in words.").needed(),
            text("model", LINE, "The digest of the model.").needed(),
            text("model_key", LINE, "The key of the model.").needed(),
            integer("features_version", 1, MANY, "The version of the features.").needed(),
            time("made_at", "When it was made.").needed(),
        ],
    ),
];
