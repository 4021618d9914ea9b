//! The request bodies for signing in, and their responses.

use model::core::enums::Period;
use model::core::parse::{LINE, TEXT};

use crate::openapi::shapes::{
    Shape, Words, all, boolean, free, free_or_null, frees, integer, integers, objects, shape, text, text_or_null,
    texts, time, time_or_null, word, words,
};

/// How many rights one part of a review holds at most.
const MOST_ROWS: i64 = 150;

/// Every shape of this file.
pub(crate) const ALL: &[&[Shape]] = &[SHAPES];

const SHAPES: &[Shape] = &[
    shape(
        "SignIn",
        "Who signs in.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            text("login", LINE, "The login.").needed(),
            text("password", 1_024, "The password.").needed(),
        ],
    ),
    shape(
        "StepUpInput",
        "A fresh factor of the session.",
        &[
            text(
                "password",
                1_024,
                "The person's password, where they have no second factor.",
            ),
            text("code", LINE, "Or the code that their authenticator shows."),
            text("recovery_code", LINE, "Or one of their recovery codes."),
        ],
    ),
    shape(
        "SessionItem",
        "A session of somebody.",
        &[
            text("id", LINE, "By which it is ended; it opens nothing.").needed(),
            text(
                "method",
                LINE,
                "How it was begun: `password`, `passkey` or `provider:KEY`.",
            )
            .needed(),
            text_or_null("factor", "The fresh factor that was shown last."),
            boolean("is_second_factor", "Whether it counts where a rule wants a second factor."),
            text("source", LINE, "The address it was begun from."),
            text("agent", LINE, "The browser or program, as it names itself."),
            time("created_at", "When it began.").needed(),
            time("expires_at", "The end.").needed(),
            time_or_null("stepped_up_at", "When a fresh factor was shown last."),
        ],
    ),
    shape(
        "SteppedUp",
        "A fresh factor that was taken.",
        &[
            boolean("stepped_up", "Always true.").needed(),
            text("factor", LINE, "`password`, `totp`, `passkey` or `recovery_code`.").needed(),
            boolean(
                "is_second_factor",
                "Whether it counts where a rule wants a second factor; one that was set up by a password alone counts a day later.",
            )
            .needed(),
        ],
    ),
    shape(
        "OwnTenant",
        "A tenant in which somebody is known.",
        &[
            text("tenant", LINE, "Its key.").needed(),
            text("name", LINE, "Its name.").needed(),
            boolean("is_acting", "Whether it is the one in which they act.").needed(),
            text("door", LINE, "Where they sign in there.").needed(),
        ],
    ),
    shape(
        "NameInput",
        "What a new thing is called.",
        &[text("name", 60, "A name for its owner.")],
    ),
    shape(
        "CodeInput",
        "A code of an authenticator.",
        &[text("code", LINE, "Six digits.").needed()],
    ),
    shape(
        "SecondFactors",
        "One's own second factors.",
        &[
            objects("items", "SecondFactor", "Authenticators and passkeys.").needed(),
            text_or_null("next", "Always null: there is one page."),
            integer(
                "recovery_codes_left",
                0,
                i64::MAX,
                "How many recovery codes were not used yet.",
            )
            .needed(),
        ],
    ),
    shape(
        "SecondFactor",
        "An authenticator or a passkey.",
        &[
            text("id", LINE, "Its id."),
            text("kind", LINE, "`totp` or `passkey`."),
            text("name", 60, "What its owner calls it."),
            boolean(
                "is_confirmed",
                "Whether it was shown to work once; only then it counts.",
            ),
            time("created_at", "When it was made."),
            time("last_used_at", "When it was used last."),
            time("counts_from", "From when it counts where a rule wants a second factor."),
            text(
                "secret",
                LINE,
                "The secret in base32; only in the answer that makes it.",
            ),
            text(
                "url",
                1_024,
                "The same for an authenticator on this device (`otpauth:`).",
            ),
            texts("recovery_codes", LINE, "Codes that open once each; shown once."),
        ],
    ),
    shape(
        "PasskeyChallenge",
        "The first half of a ceremony with a passkey (WebAuthn Level 3).",
        &[
            text(
                "id",
                LINE,
                "Stands in the address of the second half; it opens nothing.",
            )
            .needed(),
            free(
                "options",
                "What the browser hands its authenticator, as `parseCreationOptionsFromJSON` and \
                 `parseRequestOptionsFromJSON` read it.",
            )
            .needed(),
        ],
    ),
    shape(
        "PasskeyAnswer",
        "The second half of a ceremony with a passkey.",
        &[free("response", "What the browser's credential says as JSON.").needed()],
    ),
    shape(
        "PasskeySignIn",
        "Where somebody signs in.",
        &[text("tenant", LINE, "The tenant.").needed()],
    ),
    shape(
        "PasskeySignInAnswer",
        "The second half of a sign-in with a passkey.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            free("response", "What the browser's credential says as JSON.").needed(),
        ],
    ),
    shape(
        "PasskeySession",
        "A session that began with a passkey, which counts as fresh factor.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            time("expires_at", "Until when.").needed(),
        ],
    ),
    shape(
        "IdentityProviderInput",
        "An OpenID Connect provider. Its way back is `/t/{tenant}/sign-in/{key}/callback`.",
        &[
            text("name", LINE, "What its button says."),
            text("issuer", LINE, "The issuer, letter for letter as its tokens name it.").needed(),
            text("client_id", LINE, "Our name there.").needed(),
            text(
                "client_secret",
                LINE,
                "Our secret there; kept encrypted, never shown. Left out, it stays.",
            ),
            texts(
                "scopes",
                LINE,
                "Asked for besides `openid`; `profile` and `email` unless said.",
            ),
            text(
                "login_claim",
                LINE,
                "The claim that a new login is made from; `preferred_username` unless said.",
            ),
            text("groups_claim", LINE, "The claim that lists groups."),
            free(
                "groups",
                "Their groups to ours: whoever signs in joins and leaves exactly these.",
            ),
            free(
                "roles",
                "Their groups to rights: whoever signs in gains and loses exactly these.",
            ),
            integer(
                "rights_last_days",
                1,
                730,
                "How many days the rights and seats that it gives last after a sign-in there; 90 unless said. People are told a week \
                 before they end, and have them again when they sign in.",
            ),
            boolean(
                "creates_people",
                "Whether somebody unknown becomes a person on first sign-in.",
            ),
            boolean(
                "trusts_mail",
                "Whether its addresses are believed although it does not verify them.",
            ),
            boolean("active", "Whether people may sign in there."),
        ],
    ),
    shape(
        "IdentityProvider",
        "An OpenID Connect provider.",
        &[
            text("key", LINE, "Stands in its addresses."),
            boolean("has_secret", "Whether a secret is kept for it."),
            text("way_back", 1_024, "The address to register at the provider."),
            text("set_by", LINE, "Who set it last: a login."),
            time("set_at", "When that was."),
        ],
    )
    .based_on(&["IdentityProviderInput", "Stored"]),
    shape(
        "ProposedProvider",
        "A provider as it is to be, without its secret.",
        &[text("key", LINE, "Its key.").needed()],
    )
    .based_on(&["IdentityProviderInput"]),
    shape(
        "WorkloadInput",
        "Jobs of a pipeline's platform that show its token instead of a stored secret.",
        &[
            text("name", LINE, "A name for people."),
            text(
                "issuer",
                LINE,
                "The platform's issuer, such as https://token.actions.githubusercontent.com or https://gitlab.com.",
            )
            .needed(),
            boolean(
                "own_issuer",
                "Whether the issuer gives tokens to the organisation's own jobs alone; otherwise a claim says whose the job is. Refused \
                 for public platforms.",
            ),
            text("meant_for", LINE, "The audience that its tokens must name.").needed(),
            free(
                "claims",
                "What its tokens must say: for each claim one pattern or a list of them; `*` stands for anything.",
            ),
            text("person", LINE, "For whom its jobs speak: a login.").needed(),
            words(
                "scopes",
                Words::These(&["read", "write", "gate", "audit"]),
                "What its jobs may do; `gate` unless said.",
            ),
            texts(
                "roles",
                LINE,
                "The roles of the person that they carry; all of them unless said.",
            ),
            integer("minutes", 1, 60, "How long one token lets in: 1 to 60, 15 unless said."),
            boolean("active", "Whether anybody is let in."),
        ],
    ),
    shape(
        "Workload",
        "Jobs of a pipeline's platform that show its token instead of a stored secret.",
        &[
            text("key", LINE, "Stands in its address."),
            text("owner", LINE, "Who answers for it: a login."),
            text("token_url", 1_024, "Where its jobs exchange their token (RFC 8693)."),
            boolean(
                "trusts_anybody",
                "Whether it lets in jobs of anybody: it stands since before that was refused.",
            ),
            time("doubted_at", "When whoever answers for it was told of that."),
        ],
    )
    .based_on(&["WorkloadInput", "Stored"]),
    shape(
        "UnusedRights",
        "Rights that nobody used of late.",
        &[
            time("since", "From when on events were looked at.").needed(),
            integer("looked_at", 0, i64::MAX, "How many events there were.").needed(),
            boolean("is_cut", "Whether there were more than a report looks at.").needed(),
            objects("items", "UnusedRight", "Who holds more than they use.").needed(),
        ],
    ),
    shape(
        "UnusedRight",
        "Somebody, a token or a workload that holds more than it uses.",
        &[
            text("kind", LINE, "`role`, `ownership`, `group`, `token` or `workload`.").needed(),
            text("person", LINE, "A login.").needed(),
            text(
                "place",
                LINE,
                "Where it holds, for a part in owning: `service:shop in production`; the workload's key.",
            ),
            free("token", "The token's id and name, where it is a token."),
            texts("held", LINE, "What they hold.").needed(),
            texts("unused", LINE, "What of it nobody used.").needed(),
            free_or_null(
                "proposal",
                "The request that would narrow it: method, path, body; `if_match` for the header of that name; and `then` the one \
                 that ends what it replaces. Null where nothing is proposed.",
            ).needed(),
            text("kept", TEXT, "Why nothing is proposed, or why some of it stays."),
        ],
    ),
    shape(
        "ConflictingRights",
        "Two rights in one hand that should lie in two.",
        &[
            text("person", LINE, "A login.").needed(),
            texts("rights", LINE, "The two rights.").needed(),
            text(
                "place",
                LINE,
                "Where they meet: `tenant`, `everything`, or `service:shop` or `config_item:db`, with ` in production` where it is \
                 not so in every environment.",
            )
            .needed(),
            text("why", TEXT, "Why they should not lie in one hand.").needed(),
        ],
    ),
    shape(
        "AccessReviewScheduleInput",
        "How often a review of access begins by itself.",
        &[word(
            "every",
            all!(Period),
            "The period; `quarter` unless somebody says otherwise.",
        )
        .needed()],
    ),
    shape(
        "AccessReviewSchedule",
        "When reviews of access begin by themselves.",
        &[
            word("every", all!(Period), "The period.").needed(),
            time("next_at", "When the next one begins; absent for never."),
        ],
    ),
    shape(
        "AccessReviewInput",
        "A review of everybody's rights.",
        &[time("due_at", "Until when managers sign; in 14 days unless said.")],
    ),
    shape(
        "AccessReviews",
        "The parts of a review, one for each manager.",
        &[
            objects("items", "AccessReview", "The parts.").needed(),
            text_or_null("next", "Always null: there is one page."),
        ],
    ),
    shape(
        "AccessSignatureInput",
        "A manager's word on rights.",
        &[
            integers(
                "refused",
                0,
                MOST_ROWS,
                "The numbers of the rows that are taken away, `[]` for none; all others stay.",
            )
            .needed(),
            text("reason", TEXT, "Why; needed where something is refused."),
        ],
    ),
    shape(
        "AccessReview",
        "One manager's part of a review of everybody's rights.",
        &[
            text("campaign", LINE, "Joins the parts of one review.").needed(),
            text("manager", LINE, "Who looks and signs: a login.").needed(),
            text("begun_by", LINE, "Who began it: a login.").needed(),
            time("begun_at", "When it began.").needed(),
            time("due_at", "Until when it is to be signed.").needed(),
            frees("rights", "What is looked at: row, person, kind (`role`, `function`, `group`, `ownership`, `delegation`, `token`, `workload`), what, scope, refused.").needed(),
            time("reminded_at", "When its manager was last reminded, in reviews from before action items; see the action item."),
            time("signed_at", "When it was signed."),
            text("reason", TEXT, "Why something was refused."),
        ],
    )
    .based_on(&["Stored"]),
];
