//! Route and shapes of a change's reach.

use model::core::enums::{DependencyKind, NodeKind, SecurityQuestion};
use model::core::parse::{LINE, TEXT};

use crate::openapi::Param;
use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, all, boolean, integer, object, objects, shape, text, texts, time, word};

/// More things than a graph holds.
const MANY: i64 = 1_000_000_000;

/// The route.
pub(crate) const ROUTES: &[Row] = &[Row {
    may: "read",
    params: &[
        Param::new(
            "from",
            "How many things of each list are left out at its beginning; 0 unless set.",
        ),
        Param::new("depth", "The most arrows away; all unless set."),
    ],
    ..get(
        "changes",
        "show_affected",
        "/changes/{key}/affected",
        "Show what a change reaches, with the way to each thing",
        "Reach",
    )
}];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "Reach",
        "What a change reaches.",
        &[
            text("change", LINE, "The change's key.").needed(),
            text("digest", LINE, "The digest of what fails with it and whose data it may damage, as it is now.").needed(),
            object(
                "cut_off",
                "ReachCutOff",
                "How far a thing counts for the impact by itself.",
            )
            .needed(),
            object("outage", "ReachList", "What fails with it.").needed(),
            object(
                "data",
                "ReachList",
                "Whose data it may damage: what stores its data in it.",
            )
            .needed(),
            objects("excluded", "ReachExclusion", "What the assessment left out.").needed(),
            objects(
                "open_questions",
                "OpenQuestion",
                "The security questions that it raises and leaves without an answer.",
            )
            .needed(),
            object(
                "assessed",
                "KeptReach",
                "The set that the assessment looked at; absent before.",
            ),
            object("grown", "ReachGrowth", "What it reaches beyond that set."),
        ],
    ),
    shape(
        "KeptReach",
        "The set of things that a change reached when it was assessed.",
        &[
            text("digest", LINE, "The digest of the set.").needed(),
            integer("count", 0, i64::MAX, "How many things fail with the change.").needed(),
            time("at", "When it was looked at.").needed(),
            time(
                "grown_at",
                "When the graph was found to reach more; the assessment is due again.",
            ),
        ],
    ),
    shape(
        "ReachCutOff",
        "The cut-off: what lies further away counts among the many alone.",
        &[
            integer("arrows", 0, MANY, "The most arrows away.").needed(),
            integer("beyond", 0, MANY, "How many things lie further away.").needed(),
        ],
    ),
    shape(
        "ReachList",
        "Things that are reached, the nearest first.",
        &[
            integer("count", 0, MANY, "How many there are.").needed(),
            boolean("more", "Whether there are more than are listed: ask on with `from`.").needed(),
            objects("items", "ReachedThing", "The things, at most 500.").needed(),
        ],
    ),
    shape(
        "ReachedThing",
        "A thing that is reached.",
        &[
            word("kind", all!(NodeKind), "What it is.").needed(),
            text("key", LINE, "Its key.").needed(),
            integer("distance", 1, MANY, "How many arrows away.").needed(),
            word("by", all!(DependencyKind), "The last arrow of the way.").needed(),
            texts(
                "path",
                LINE,
                "The keys on the way, from what is changed to the thing itself.",
            )
            .needed(),
            integer(
                "path_left_out",
                1,
                MANY,
                "How many keys in the middle of a long way are left out.",
            ),
        ],
    ),
    shape(
        "ReachExclusion",
        "Something that the assessment left out.",
        &[
            text("item", LINE, "What.").needed(),
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "Who left it out: a login."),
            time("at", "When."),
        ],
    ),
    shape(
        "ReachGrowth",
        "What is reached beyond the assessed set.",
        &[
            integer("count", 1, MANY, "How many things, as far as is known.").needed(),
            texts(
                "things",
                LINE,
                "The things, `data:` before those whose data may be damaged; none where the assessed set was too large to be kept by name.",
            )
            .needed(),
        ],
    ),
    shape(
        "OpenQuestion",
        "A security question without an answer.",
        &[
            word("question", all!(SecurityQuestion), "The question.").needed(),
            text("text", TEXT, "The same in words.").needed(),
        ],
    ),
];
