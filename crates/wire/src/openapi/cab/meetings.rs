//! Routes and shapes of boards: meetings, and members on call.

use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, delete, get, list, post};
use crate::openapi::shapes::{Shape, boolean, frees, integer, objects, shape, text, texts, time};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[MEETINGS, ON_CALL, GLASSES, PEOPLE];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES, ANSWERS];

const MEETINGS: &[Row] = &[
    list(
        "directory",
        "list_meetings",
        "/meetings",
        "List meetings of boards",
        "Meeting",
    )
    .may("read"),
    post(
        "directory",
        "open_meeting",
        "/meetings",
        "Open a meeting of a board",
        "MeetingInput",
        "Meeting",
    )
    .may("set_meeting"),
    get(
        "directory",
        "show_meeting",
        "/meetings/{id}",
        "Show a meeting",
        "Meeting",
    )
    .may("read"),
    delete("directory", "end_meeting", "/meetings/{id}", "End a meeting", "Meeting").may("set_meeting"),
    post(
        "directory",
        "attend_meeting",
        "/meetings/{id}/attendance",
        "Say that one is there",
        "AttendanceInput",
        "Meeting",
    )
    .may("read"),
    delete(
        "directory",
        "leave_meeting",
        "/meetings/{id}/attendance",
        "Say that one is there no more",
        "Meeting",
    )
    .may("read"),
    post(
        "directory",
        "declare_conflict",
        "/meetings/{id}/conflicts",
        "Declare a conflict of interest about a change",
        "ConflictInput",
        "Meeting",
    )
    .may("read"),
];

const ON_CALL: &[Row] = &[
    list(
        "directory",
        "list_on_call",
        "/on-call",
        "List who is on call, and when",
        "OnCall",
    )
    .may("read"),
    post(
        "directory",
        "set_on_call",
        "/on-call",
        "Say that a member of a board is on call",
        "OnCallInput",
        "OnCall",
    )
    .may("set_meeting"),
    post(
        "directory",
        "import_on_call",
        "/on-call/imports",
        "Take the times of a group on call in from an iCalendar text; they replace those of the import before",
        "OnCallImportInput",
        "OnCallImport",
    )
    .may("set_meeting"),
    get(
        "directory",
        "show_on_call",
        "/on-call/{id}",
        "Show a time on call",
        "OnCall",
    )
    .may("read"),
    delete(
        "directory",
        "end_on_call",
        "/on-call/{id}",
        "End a time on call",
        "OnCall",
    )
    .may("set_meeting"),
];

const PEOPLE: &[Row] = &[
    list(
        "directory",
        "list_trainings",
        "/trainings",
        "List trainings",
        "Training",
    )
    .may("read"),
    post(
        "directory",
        "set_training",
        "/trainings",
        "Say that a person is trained",
        "TrainingInput",
        "Training",
    )
    .may("set_person"),
    get(
        "directory",
        "show_training",
        "/trainings/{id}",
        "Show a training",
        "Training",
    )
    .may("read"),
    delete(
        "directory",
        "end_training",
        "/trainings/{id}",
        "End a training",
        "Training",
    )
    .may("set_person"),
    list(
        "directory",
        "find_unstaffed",
        "/staffing",
        "Tell whether this directory can staff the set in force, and which packs it cannot staff",
        "Staffing",
    )
    .may("read"),
];

const GLASSES: &[Row] = &[list(
    "directory",
    "list_break_glasses",
    "/break-glasses",
    "List break-glasses, with the budgets of teams",
    "GlassUse",
)
.may("read")];

const BODIES: &[Shape] = &[
    shape(
        "MeetingInput",
        "A sitting of a board.",
        &[
            text("group", LINE, "The board: the key of a group, such as cab.").needed(),
            text("title", LINE, "What it is called.").needed(),
            time("starts_at", "From when it sits; now unless said."),
        ],
    ),
    shape("AttendanceInput", "Nothing: a member speaks for themselves.", &[]),
    shape(
        "ConflictInput",
        "A conflict of interest of one's own.",
        &[
            text("change", LINE, "The change's key.").needed(),
            text("reason", TEXT, "Which interest.").needed(),
        ],
    ),
    shape(
        "TrainingInput",
        "What a person has learned.",
        &[
            text("person", LINE, "Who: a login.").needed(),
            text("training", LINE, "Which: a word such as pci_dss.").needed(),
            time(
                "starts_at",
                "From when it is valid. One that lies before now needs evidence and a second person (`POST /ownership-proposals`).",
            )
            .needed(),
            time("ends_at", "Until when, exclusive.").needed(),
            text(
                "evidence_note",
                2_000,
                "What shows that it is so, such as the number of a certificate; needed where it began before now.",
            ),
        ],
    ),
    shape(
        "OnCallImportInput",
        "The times of a group on call as a calendar.",
        &[
            text("group", LINE, "A group's key.").needed(),
            text(
                "text",
                1 << 19,
                "The iCalendar text (RFC 5545); the title of each event has the login or the name of one member.",
            )
            .needed(),
        ],
    ),
    shape(
        "OnCallInput",
        "A time in which a member of a board is on call.",
        &[
            text("group", LINE, "The board: a group's key.").needed(),
            text("person", LINE, "Who: a login, a member of the group.").needed(),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end, exclusive.").needed(),
            boolean(
                "correction",
                "Whether it notes what began before it is recorded; it counts from now on, and for nothing decided before.",
            ),
        ],
    ),
];

const ANSWERS: &[Shape] = &[
    shape(
        "Meeting",
        "A sitting of a board, with who was there.",
        &[
            time("ended_at", "When it was ended."),
            text("by", LINE, "Who called it: a login."),
            time("at", "When."),
            objects("attendees", "Attendance", "Who came, in the order of coming."),
            objects("conflicts", "DeclaredConflict", "Declared conflicts of interest."),
            objects(
                "listed",
                "ListedChange",
                "The changes that are voted on at it, once its agenda is frozen; absent where every change of its board may be.",
            ),
        ],
    )
    .based_on(&["MeetingInput", "Stored"]),
    shape(
        "ListedChange",
        "A change on the frozen agenda of a meeting.",
        &[
            text("change", LINE, "The change's id.").needed(),
            text("content_digest", LINE, "Its content when it was listed: what was edited since is not voted on.").needed(),
        ],
    ),
    shape(
        "Attendance",
        "A member who came.",
        &[
            text("person", LINE, "Who: a login.").needed(),
            time("at", "Since when.").needed(),
            time("left_at", "When they left; absent for who is there."),
        ],
    ),
    shape(
        "DeclaredConflict",
        "Who declared it has no say in that change.",
        &[
            text("person", LINE, "Who: a login.").needed(),
            text("change", LINE, "The change's id.").needed(),
            text("change_key", LINE, "The change's key.").needed(),
            text("reason", TEXT, "Which interest.").needed(),
            time("at", "When.").needed(),
        ],
    ),
    shape(
        "GlassUse",
        "One break-glass, as it counts against its team's budget of 90 days.",
        &[
            text("team", LINE, "The team; empty where nobody said one.").needed(),
            text("change", LINE, "The change's id.").needed(),
            text("change_key", LINE, "The change's key.").needed(),
            text("by", LINE, "Who opened it: a login.").needed(),
            time("at", "When.").needed(),
            integer("number", 1, 1_000_000, "Which one of the 90 days it was.").needed(),
            integer("budget", 0, 1_000, "How many the team had.").needed(),
            boolean("over_budget", "Whether it was one too many."),
            frees(
                "bypassed",
                "What it stood in for when it was opened: `code`, `text`, for a rule `rule`, of approvals `given` and `needed`.",
            ),
        ],
    )
    .based_on(&["Stored"]),
    shape(
        "Training",
        "A training. For rules it counts from when it was recorded, or from its begin where that lies later.",
        &[time("recorded_at", "When it was recorded, by the clock of the server.")],
    )
    .based_on(&["TrainingInput", "Stored"]),
    shape(
        "Staffing",
        "Whether a pack can be staffed.",
        &[
            text("pack", LINE, "The pack, or `in force` for the whole set that is.").needed(),
            boolean(
                "is_staffed",
                "Whether people enough are there for every service; never where not all of them were looked at.",
            )
            .needed(),
            integer(
                "services_looked_at",
                0,
                i64::MAX,
                "For how many services it was looked at.",
            )
            .needed(),
            integer("services", 0, i64::MAX, "How many services there are.").needed(),
            objects("lacks", "StaffingLack", "What is lacking.").needed(),
            text(
                "assumed",
                TEXT,
                "Said where the pack is about nothing here yet: it was looked at as if it were about every service.",
            ),
        ],
    ),
    shape(
        "OnCallImport",
        "What an import brought.",
        &[
            integer("added", 0, i64::MAX, "Times that were added.").needed(),
            integer("known", 0, i64::MAX, "Times that were there.").needed(),
            integer("ended", 0, i64::MAX, "Times of the import before that were ended.").needed(),
            integer("left_out", 0, i64::MAX, "How many events are over, called off or too far ahead.").needed(),
        ],
    ),
    shape(
        "StaffingLack",
        "What a pack lacks.",
        &[
            texts("services", LINE, "The services for which it does.").needed(),
            text("rule", LINE, "The policy.").needed(),
            text("text", TEXT, "What is missing.").needed(),
        ],
    ),
    shape(
        "OnCall",
        "A time on call.",
        &[
            time(
                "corrected_at",
                "When it was recorded, where that was after its start: it counts from then on.",
            ),
            boolean("imported", "Whether a calendar brought it: the next import of its group replaces it."),
        ],
    )
    .based_on(&["OnCallInput", "Stored"]),
];
