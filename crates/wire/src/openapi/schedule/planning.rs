//! Routes and shapes of planning beside others.

use model::core::enums::{ConflictKind, SlotTerm};
use model::core::parse::LINE;

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{Shape, all, boolean, frees, integer, objects, shape, text, texts, time, word};

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        status: 200,
        ..post(
            "estate",
            "preview_conflicts",
            "/conflict-previews",
            "Show what a plan would conflict with; nothing is written",
            "PlanInput",
            "PlanConflicts",
        )
        .may("read")
    },
    get(
        "changes",
        "show_change_conflicts",
        "/changes/{key}/conflicts",
        "Show what a change conflicts with as it is planned",
        "PlanConflicts",
    )
    .may("read"),
    Row {
        status: 200,
        ..post(
            "estate",
            "find_slots",
            "/slots",
            "Find free times for a plan, the best ones first; nothing is written",
            "SlotsInput",
            "Slots",
        )
        .may("read")
    },
    get(
        "changes",
        "show_change_slots",
        "/changes/{key}/slots",
        "Show free times for a change, the best ones first",
        "Slots",
    )
    .may("read"),
    get(
        "estate",
        "show_precedents",
        "/conflicts/{id}/precedents",
        "Show how conflicts like this one were decided, the newest first",
        "Precedents",
    )
    .may("read"),
    post(
        "estate",
        "import_outside_calendar",
        "/outside-calendars/{id}/imports",
        "Replace the events of a calendar by those of an iCalendar text",
        "CalendarImportInput",
        "CalendarImport",
    )
    .may("set_window"),
    Row {
        status: 200,
        ..post(
            "estate",
            "set_calendar_credential",
            "/outside-calendars/{id}/credentials",
            "Keep the login and password for the address of a calendar, and have it read",
            "CalendarCredentialInput",
            "OutsideCalendar",
        )
        .may("set_window")
    },
    Row {
        params: &[Param::new("environment", "Only of this environment.")],
        ..get(
            "estate",
            "show_sync_windows",
            "/argocd/sync-windows",
            "Show the freezes ahead as sync windows of Argo CD",
            "SyncWindows",
        )
        .may("read")
    },
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "PlanTargetInput",
        "Where a plan is carried out.",
        &[
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            texts("config_items", LINE, "Config items inside the service, by key."),
        ],
    ),
    shape(
        "PlanInput",
        "A plan that is tried: a change, and what would be otherwise; or targets and times.",
        &[
            text("change", LINE, "The key of a change that is planned."),
            objects("targets", "PlanTargetInput", "Where; those of the change unless set."),
            texts("implementers", LINE, "Who does it: logins."),
            text("tester", LINE, "Who tests it: a login."),
            time("planned_start", "Its start; that of the change unless set."),
            time("planned_end", "Its end; that of the change unless set."),
        ],
    ),
    shape(
        "SlotsInput",
        "What free times are looked for.",
        &[
            integer(
                "minutes",
                1,
                10_080,
                "How long it takes; as long as planned, or an hour, unless set.",
            ),
            time("after", "From when on; now unless set."),
            integer("count", 1, 100, "How many; 10 unless set."),
            text(
                "zone",
                LINE,
                "The IANA zone of days; that of the usual calendar unless set.",
            ),
        ],
    )
    .based_on(&["PlanInput"]),
    shape(
        "PlanConflicts",
        "What a plan conflicts with, in the order of time.",
        &[objects(
            "conflicts",
            "PlanConflict",
            "Each change or event with which it conflicts.",
        )
        .needed()],
    ),
    shape(
        "PlanConflict",
        "A change, or maintenance of another calendar, with which a plan conflicts.",
        &[
            text("with", LINE, "The key of the change, or the title of the event.").needed(),
            text("change", LINE, "The id of the change; absent for maintenance."),
            boolean(
                "undo",
                "True where the planned undo of the other change is met instead of its window; absent otherwise.",
            ),
            time("from", "From when both are under way.").needed(),
            time("to", "Until when.").needed(),
            objects("met", "ConflictReason", "Why, the strongest reason first.").needed(),
            texts("why", LINE, "The same in sentences.").needed(),
        ],
    ),
    shape(
        "ConflictReason",
        "One reason why two plans conflict.",
        &[
            word("kind", all!(ConflictKind), "What they share.").needed(),
            texts("path", LINE, "The way from the one to the other.").needed(),
            text("environment", LINE, "The environment in which they meet."),
            text(
                "shared",
                LINE,
                "What both share inside of the way: the place of the data.",
            ),
        ],
    ),
    shape(
        "Slots",
        "Free times, the best ones first.",
        &[objects("slots", "Slot", "Each with its reasons.").needed()],
    ),
    shape(
        "Slot",
        "A time that no freeze, no change and no maintenance takes.",
        &[
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            integer("score", 0, 100, "How good it is.").needed(),
            objects("reasons", "SlotReason", "What speaks for it and against it.").needed(),
        ],
    ),
    shape(
        "SlotReason",
        "What a term of the ranking says of a time.",
        &[
            word("term", all!(SlotTerm), "The term.").needed(),
            integer("against", 0, 100, "How much it speaks against the time.").needed(),
            text("text", LINE, "In a sentence.").needed(),
        ],
    ),
    shape(
        "Precedents",
        "How conflicts like one were decided.",
        &[objects("conflicts", "Conflict", "At most three, the newest decision first.").needed()],
    ),
    shape(
        "CalendarImportInput",
        "The events of a calendar.",
        &[text(
            "text",
            4 << 20,
            "The iCalendar text (RFC 5545), with at most 5,000 events.",
        )
        .needed()],
    ),
    shape(
        "CalendarCredentialInput",
        "By what the address of a calendar is read.",
        &[
            text("login", LINE, "The login; it has no colon.").needed(),
            text("password", LINE, "The password; it is kept sealed and never shown.").needed(),
        ],
    ),
    shape(
        "SyncWindows",
        "Freezes as sync windows.",
        &[frees(
            "sync_windows",
            "Windows of the kind `deny`, each in the form of `spec.syncWindows` of an AppProject; those that begin within 300 days.",
        )
        .needed()],
    ),
    shape(
        "CalendarImport",
        "What an import brought.",
        &[integer(
            "left_out",
            0,
            i64::MAX,
            "How many events are over, called off, too far ahead, longer than 31 days, or repeat within a day.",
        )
        .needed()],
    )
    .based_on(&["OutsideCalendar"]),
];
