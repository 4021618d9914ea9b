//! Routes and shapes of waves: the plan, the members, their outcomes, and the acts that stop and resume them.

use model::change::waves::member_list::{MOST_MEMBERS, NAME};
use model::change::waves::member_outcome::{DETAIL, MOST_TRIES};
use model::change::waves::plan::{MOST_WATCH_MINUTES, MOST_WAVES};
use model::core::enums::{MemberState, WaveStopCause};
use model::core::parse::{LINE, TEXT};

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{Shape, all, boolean, free, integer, object, objects, shape, text, texts, time, word};

/// The most members of a change.
const MANY: i64 = MOST_MEMBERS as i64;
/// The longest table of members, in characters.
pub(crate) const CSV: usize = 900_000;

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    get(
        "changes",
        "show_waves",
        "/changes/{key}/waves",
        "Show the waves of a change: the plan, the counts, what stops them",
        "Waves",
    )
    .may("read"),
    get(
        "changes",
        "show_wave_dry_run",
        "/changes/{key}/waves/dry-run",
        "Try the waves as they are planned: members, conflicts, what is missing; nothing is written",
        "WaveDryRun",
    )
    .may("read"),
    Row {
        may: "read",
        params: &[
            Param::new("wave", "Of this wave alone: its number."),
            Param::new(
                "state",
                "Those that stand so alone; `waiting` unless anything was told of them.",
            ),
            Param::new("from", "How many are left out at the beginning; 0 unless set."),
        ],
        ..get(
            "changes",
            "list_members",
            "/changes/{key}/members",
            "List the members of a change by wave and name, with their outcomes, 500 at a time",
            "MemberPage",
        )
    },
    Row {
        status: 200,
        ..post(
            "changes",
            "set_wave_plan",
            "/changes/{key}/wave-plan",
            "Set the plan of waves; members that there are already are placed anew",
            "WavePlan",
            "Waves",
        )
        .may("edit_change")
    },
    Row {
        status: 200,
        ..post(
            "changes",
            "set_members",
            "/changes/{key}/members",
            "Add, replace or remove members; approvals of targets whose members stay are kept",
            "MemberSetInput",
            "Waves",
        )
        .may("edit_change")
    },
    Row {
        status: 200,
        ..post(
            "changes",
            "tell_members",
            "/changes/{key}/waves/outcomes",
            "Tell how members stand, at most 1,000 at a time",
            "MemberReport",
            "MembersTaken",
        )
        .may("complete_change")
    },
    Row {
        status: 200,
        ..post(
            "changes",
            "pause_waves",
            "/changes/{key}/waves/pause",
            "Pause the waves: no member gets a go until they are resumed",
            "ReasonInput",
            "Waves",
        )
        .may("complete_change | hold_change")
    },
    Row {
        status: 200,
        ..post(
            "changes",
            "resume_waves",
            "/changes/{key}/waves/resume",
            "Let paused or halted waves go on",
            "ReasonInput",
            "Waves",
        )
        .may("complete_change")
    },
    Row {
        status: 200,
        ..post(
            "changes",
            "retry_members",
            "/changes/{key}/waves/retries",
            "Let failed members be tried again, at most 1,000 at a time",
            "MemberRetryInput",
            "MembersTaken",
        )
        .may("complete_change")
    },
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "WavePlan",
        "The waves of a change, in their order.",
        &[
            objects("waves", "WaveRule", "The waves, the first one first; at most 50.").needed(),
            integer(
                "most_at_once",
                1,
                MANY,
                "The most members that are in progress at once; all of a wave unless set.",
            ),
            integer(
                "halt_failures",
                1,
                MANY,
                "So many failures in one wave halt it; 3 unless set.",
            ),
            boolean(
                "halt_on_incident",
                "Whether an incident that begins on a service of the change halts it; yes unless set.",
            ),
            boolean(
                "halt_on_watch",
                "Whether a watch result that is no pass halts it; yes unless set.",
            ),
            integer(
                "watch_minutes",
                1,
                MOST_WATCH_MINUTES,
                "The minutes between the last outcome of a wave and the beginning of the next; none unless set, and needed where a rule asks that the first part is watched.",
            ),
        ],
    ),
    shape(
        "WaveRule",
        "Which members a wave takes, of those that no wave before it took. Without any bound it takes all of them.",
        &[
            text("wave", NAME, "Its technical name.").needed(),
            boolean("canary", "Whether it takes members that are marked as canaries alone."),
            texts(
                "regions",
                NAME,
                "The regions from which it takes members; none means all.",
            ),
            integer("size", 1, MANY, "The most members that it takes."),
            integer("percent", 1, 100, "The most members that it takes, as a share of all."),
        ],
    ),
    shape(
        "MemberSetInput",
        "Members of the targets of a change, from a table or a query.",
        &[
            text(
                "csv",
                CSV,
                "A table (RFC 4180) with the column `member`, and as needed `region`, `canary`, `service`, `environment`.",
            ),
            text("config_items_of", LINE, "Config items of this service become members."),
            text("config_item_kind", LINE, "Of these the items of this kind alone."),
            boolean(
                "replace",
                "Whether members that are not named leave the targets that the table names.",
            ),
            texts("remove", LINE, "Members that leave."),
        ],
    ),
    shape(
        "MemberReport",
        "What is told of members.",
        &[objects("outcomes", "MemberWord", "At most 1,000.").needed()],
    ),
    shape(
        "MemberWord",
        "What is told of one member.",
        &[
            text("member", LINE, "Its name.").needed(),
            word("state", all!(MemberState), "How it stands; `waiting` is not told.").needed(),
            text("text", DETAIL, "In words."),
            text(
                "service",
                LINE,
                "The service, where several targets have a member of the name.",
            ),
            text("environment", LINE, "The environment."),
        ],
    ),
    shape(
        "MemberRetryInput",
        "Which failed members are tried again.",
        &[texts("members", LINE, "Their names; all failed ones unless set.")],
    ),
    shape(
        "MembersTaken",
        "What came of it.",
        &[
            integer("moved", 0, MANY, "How many members stand otherwise than before.").needed(),
            integer("known", 0, MANY, "How many stood so already.").needed(),
            object("waves", "Waves", "The waves as they are now.").needed(),
        ],
    ),
    shape(
        "Waves",
        "The waves of a change.",
        &[
            text("change", LINE, "The key of the change.").needed(),
            object("plan", "WavePlan", "The plan.").needed(),
            objects(
                "waves",
                "WaveCount",
                "The waves, counted; none before the change has members.",
            )
            .needed(),
            integer(
                "current",
                1,
                MOST_WAVES as i64 + 1,
                "The number of the wave that is open; one more than there are waves once all are through.",
            ),
            time("opens_at", "From when that wave may begin."),
            integer("in_progress", 0, MANY, "How many members are in progress."),
            object("stop", "WaveStop", "What stops the waves; absent while they run."),
            texts("waiting_on", LINE, "Who lets stopped waves go on: logins.").needed(),
        ],
    ),
    shape(
        "WaveCount",
        "The members of a wave, counted.",
        &[
            text("wave", NAME, "Its name.").needed(),
            integer("count", 0, MANY, "How many members it has.").needed(),
            integer("done", 0, MANY, "How many have what the change brings.").needed(),
            integer("failed", 0, MANY, "How many failed or were rolled back.").needed(),
            integer("left_out", 0, MANY, "How many were left out.").needed(),
            integer("left", 0, MANY, "How many have not ended.").needed(),
            time("started_at", "When its first member began."),
            time("ended_at", "When its last member ended."),
        ],
    ),
    shape(
        "WaveStop",
        "What stops the waves.",
        &[
            word("cause", all!(WaveStopCause), "What it is.").needed(),
            text("text", TEXT, "In one sentence.").needed(),
            text("reason", TEXT, "In the words of the person who paused them."),
            text("incident_key", LINE, "The incident."),
            text("by", LINE, "Who paused them: a login."),
            time("at", "Since when.").needed(),
        ],
    ),
    shape(
        "MemberPage",
        "Members of a change.",
        &[
            integer("count", 0, MANY, "How many there are.").needed(),
            boolean("more", "Whether there are more than are listed: ask on with `from`.").needed(),
            objects("items", "WaveMember", "The members, at most 500.").needed(),
        ],
    ),
    shape(
        "WaveMember",
        "A member of a wave.",
        &[
            text("member", LINE, "Its name.").needed(),
            text("service", LINE, "The service of its target.").needed(),
            text("environment", LINE, "The environment of its target.").needed(),
            text("region", NAME, "Its region."),
            boolean("canary", "Whether it is marked as a canary.").needed(),
            integer("wave", 1, MOST_WAVES as i64, "The number of its wave.").needed(),
            word("state", all!(MemberState), "Its state.").needed(),
            text("text", DETAIL, "What its sender says of it."),
            integer("tries", 0, MOST_TRIES, "How often the work on it began.").needed(),
            time("at", "When that was told."),
            text("by", LINE, "Who told it: a login."),
        ],
    ),
    shape(
        "WaveDryRun",
        "What would come of the waves as they are planned.",
        &[
            objects("waves", "DryWave", "The waves.").needed(),
            integer("count", 0, MANY, "How many members there are.").needed(),
            boolean(
                "fits",
                "Whether the waves fit between the planned times; absent where one of both is unknown.",
            ),
            integer(
                "conflict_count",
                0,
                i64::MAX,
                "How many conflicts the change has; `…/conflicts` shows them.",
            )
            .needed(),
            texts("conflicts", LINE, "With which changes and maintenances, at most 50.").needed(),
            objects("shared", "SharedMembers", "Open changes with the same members.").needed(),
            objects(
                "missing",
                "Requirement",
                "What is missing before it starts, approvals among it.",
            )
            .needed(),
        ],
    ),
    shape(
        "DryWave",
        "A wave in a dry run.",
        &[
            text("wave", NAME, "Its name.").needed(),
            integer("number", 1, MOST_WAVES as i64, "Its number.").needed(),
            integer("count", 0, MANY, "How many members it has.").needed(),
            free("regions", "How many of them each region has; the empty name is none.").needed(),
            integer(
                "minutes",
                0,
                i64::MAX,
                "How long it takes by the minutes of the plan, with its watch.",
            ),
        ],
    ),
    shape(
        "SharedMembers",
        "An open change with members that this one has too.",
        &[
            text("change", LINE, "Its key.").needed(),
            integer("count", 1, MANY, "How many members both have.").needed(),
            texts("members", LINE, "Some of them, at most 20.").needed(),
        ],
    ),
];
