//! Route and shapes of the comparison of a vendor with internal teams.

use model::core::enums::{ParityMeasure, ParityVerdict};
use model::core::parse::LINE;

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{Shape, all, boolean, integer, object, objects, shape, text, texts, time, word};

/// One whole, in parts per million.
const PPM: i64 = 1_000_000;

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    post(
        "estate",
        "mail_notice_address",
        "/vendors/{key}/notice-address",
        "Mail the address for notices of maintenance to the contacts of a vendor",
        "NoBody",
        "Vendor",
    )
    .may("set_service"),
    post(
        "estate",
        "take_up_vendor_notice",
        "/vendor-notices/{id}/changes",
        "Draft the change that takes up a vendor’s notice: its window, its services and their owner",
        "NoBody",
        "VendorNotice",
    )
    .may("create_change"),
    Row {
        may: "read",
        params: &[Param::new(
            "days",
            "Work that began in so many days; 90 unless set, at most 366.",
        )],
        ..get(
            "estate",
            "show_vendor_parity",
            "/vendors/{key}/parity",
            "Compare a vendor's changes with those of internal teams",
            "VendorParity",
        )
    },
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "VendorParity",
        "The comparison of a vendor's changes with those of internal teams.",
        &[
            text("vendor", LINE, "The vendor's key.").needed(),
            time("from", "From when on work began that is looked at.").needed(),
            time("to", "Until when.").needed(),
            integer(
                "minimum",
                0,
                i64::MAX,
                "The fewest changes on each side from which a measure is compared.",
            )
            .needed(),
            integer(
                "score",
                0,
                PPM,
                "One million less the mean of what the vendor falls short of; absent where nothing is compared.",
            ),
            objects("measures", "ParityMeasure", "What is compared.").needed(),
            objects(
                "rows",
                "ParityRow",
                "The vendor's changes, the newest first, at most 1,000.",
            )
            .needed(),
            objects(
                "internal_rows",
                "ParityRow",
                "The changes of internal teams in the same form.",
            )
            .needed(),
            boolean("is_cut", "Whether one side has more changes than are compared.").needed(),
        ],
    ),
    shape(
        "ParityMeasure",
        "A measure on both sides.",
        &[
            word("measure", all!(ParityMeasure), "What is compared.").needed(),
            word("verdict", all!(ParityVerdict), "How they compare.").needed(),
            object("vendor", "ParitySide", "The vendor.").needed(),
            object("internal", "ParitySide", "Internal teams.").needed(),
        ],
    ),
    shape(
        "ParitySide",
        "A share in parts per million with its interval for 95 of 100; without one where there are too few changes.",
        &[
            integer("hits", 0, i64::MAX, "How many changes meet it.").needed(),
            integer("of", 0, i64::MAX, "Of how many.").needed(),
            integer("share", 0, PPM, "The share."),
            integer("low", 0, PPM, "Its lower end."),
            integer("high", 0, PPM, "Its upper end."),
        ],
    ),
    shape(
        "ParityRow",
        "A change whose work has ended.",
        &[
            text("change", LINE, "Its key.").needed(),
            boolean("facts", "Whether all facts are recorded.").needed(),
            texts("lacks", LINE, "Which of them are not.").needed(),
            boolean("evidence", "Whether evidence is attached.").needed(),
            boolean(
                "timeliness",
                "Whether it was recorded before the work, and the work stayed in its planned times.",
            )
            .needed(),
            boolean(
                "outcomes",
                "Whether it succeeded; absent where nothing was implemented.",
            ),
        ],
    ),
];
