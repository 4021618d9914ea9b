//! What requests about signing in bring, and what they are answered with.

use model::reading::LINE;

use super::shapes::{Shape, boolean, free, shape, text, texts, time};

/// Every shape of this file.
pub(super) const ALL: &[&[Shape]] = &[SHAPES];

const SHAPES: &[Shape] = &[
    shape(
        "SessionItem",
        "A session of somebody.",
        &[
            text("id", LINE, "By which it is ended; it opens nothing.").needed(),
            text("method", LINE, "How it was begun: `password` or `provider:KEY`.").needed(),
            text("factor", LINE, "The fresh factor that was shown last."),
            text("source", LINE, "The address it was begun from."),
            text("agent", LINE, "The browser or program, as it names itself."),
            time("created_at", "When it began.").needed(),
            time("expires_at", "When it ends.").needed(),
            time("stepped_up_at", "When a fresh factor was shown last."),
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
        ],
    )
    .based_on(&["IdentityProviderInput", "Stored"]),
];
