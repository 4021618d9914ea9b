//! The responses about people, their sign-in and the program itself.

use model::core::enums::Role;
use model::core::parse::{LINE, TEXT};

use crate::openapi::shapes::{
    Shape, Words, all, boolean, free, frees, integer, lists, objects, shape, text, text_or_null, texts, time, word,
    words,
};

/// The longest leaf in base64, in characters: an entry has at most 65,535 bytes.
const LEAF: usize = 87_380;
/// Their shapes.
pub(crate) const ADMINISTRATION: &[Shape] = &[
    shape(
        "Person",
        "A person.",
        &[
            text("name", LINE, "The name that others read.").needed(),
            words("roles", all!(Role), "Rights in the tenant."),
            texts(
                "services",
                LINE,
                "The services to which they are scoped; absent for who sees everything.",
            ),
            free(
                "deactivation",
                "How they were deactivated: by whom, when, whether as compromised, why.",
            ),
            free(
                "made_by",
                "Who alone made the account: `by` and `at`. Within a day it counts as theirs for changes of high risk and sensitive ones.",
            ),
            boolean(
                "is_agent",
                "Whether it is the account of an agent, or was: it drafts, tests and implements, and decides nothing.",
            ),
            boolean("removed", "Whether the directory that provisions them took them away."),
            free(
                "readdressed",
                "Who moved their mail address alone, where that was another person: `by` and `at`.",
            ),
            frees(
                "refused_rights",
                "Rights and seats that somebody here refused them, which no identity provider and no directory gives back: `kind` \
                 (`role` or `group`), `what`, `by`, `at` and the `review` of access, where one did. Whoever may give it here lifts \
                 it by giving it.",
            ),
            frees(
                "managers",
                "Who is said to answer for them, whoever counts first: `manager` (a login) and `origin`: `named` here or `scim`, by the \
                 directory that provisions them. In the answer for one person alone.",
            ),
            frees(
                "vouched",
                "What identity providers give them: `provider`, `roles`, `groups`, when a sign-in confirmed it (`confirmed_at`, as \
                 far as a day) and when it ends (`until`).",
            ),
        ],
    )
    .based_on(&["PersonInput", "Stored"]),
    shape(
        "Group",
        "A group of people.",
        &[boolean("removed", "Whether the directory that provisions it took it away.")],
    )
    .based_on(&["GroupInput", "Stored"]),
    shape(
        "Token",
        "A credential for a program.",
        &[
            text("name", LINE, "What it is for."),
            text("person", LINE, "Whose rights it has: a login."),
            words(
                "scopes",
                Words::These(&["read", "write", "gate", "audit", "admin", "scim", "calendar", "status"]),
                "What it may do; `calendar` and `status` are those of feeds, which are made by themselves.",
            ),
            words("roles", all!(Role), "The roles of the person that it carries; absent for all of them."),
            texts(
                "services",
                LINE,
                "The services to which it is scoped; absent for one that sees what its person sees.",
            ),
            time("expires_at", "Until when it is good."),
            text("owner", LINE, "Who answers for it: a login."),
            text("prefix", LINE, "How it begins."),
            time("created_at", "When it was made."),
            text(
                "token",
                LINE,
                "The credential itself; only in the answer that makes it.",
            ),
            boolean("revoked", "Whether it was revoked."),
            time(
                "last_used_at",
                "When it was used last, as far as a minute; absent if never.",
            ),
        ],
    )
    .based_on(&["Stored"]),
    shape(
        "Connection",
        "A connection to an outside system.",
        &[
            text("hook_path", LINE, "Where deliveries go."),
            text("secret", LINE, "What signs them; only in the answer that makes it."),
            text(
                "signing_secret",
                LINE,
                "The same secret as Standard Webhooks writes it, `whsec_…`.",
            ),
            boolean("active", "Whether its deliveries are taken."),
            boolean(
                "waits",
                "Whether it was never taken yet: two people put it in force (`POST /ownership-proposals` with `connections`).",
            ),
            frees("refused", "Deliveries that were turned away: how often, and why."),
            free(
                "unmatched",
                "Where its latest deliveries match no row of its map: how many (`count`), the last one (`last_at`), and what it named \
                 (`text`).",
            ),
        ],
    )
    .based_on(&["ConnectionInput", "Stored"]),
    shape(
        "Tenant",
        "The tenant's settings.",
        &[
            text("id", LINE, "Its key.").needed(),
            text("name", LINE, "A name for people.").needed(),
            integer("version", 1, i64::MAX, "Grows with every save."),
            lists(
                "risk_table",
                "The risk table: for each impact the level at each complexity.",
            ),
            free("risk_terms", "How what a change reaches and touches counts, where it is not as usual."),
            boolean("demo", "Whether it is a demo's."),
            boolean("log_is_public", "Whether its log is read without a credential."),
            free("log_said", "Who last said so (`by`, a login), when (`at`), and why (`reason`)."),
            boolean("status_is_public", "Whether its status page is read without signing in."),
            free("status_said", "Who last said so (`by`, a login), when (`at`), and why (`reason`)."),
            boolean(
                "ownership_by_two",
                "Whether rows of the matrix that move decisions go live by two people, once there are two administrators.",
            ),
        ],
    ),
    shape(
        "DeliveryRow",
        "What a connection delivered.",
        &[
            text("id", LINE, "Its id.").needed(),
            text("delivery_id", LINE, "The sender's own id.").needed(),
            text("event", LINE, "What the sender calls it.").needed(),
            time("received_at", "When it came.").needed(),
            word(
                "state",
                Words::These(&["waiting", "parked", "done"]),
                "Where it stands.",
            )
            .needed(),
            integer("tries", 0, 1_000, "How often it was worked."),
            text_or_null("reason", "Why it was set aside."),
            text_or_null("result", "What came of it."),
        ],
    ),
    shape(
        "LoggedEvent",
        "An entry of the log.",
        &[
            text("id", LINE, "The event's id.").needed(),
            integer("index", 0, i64::MAX, "Its place in the log.").needed(),
            text("kind", LINE, "`service.edited`.").needed(),
            text("actor", LINE, "Who: a login, or `system`.").needed(),
            time("occurred_at", "When it happened.").needed(),
            time("recorded_at", "When it was recorded.").needed(),
            free(
                "subject",
                "What it is about: `table` and `id`, where it has one `name`, what people call it, and `change`, the key of the change \
                 that it belongs to.",
            ).needed(),
            free("data", "What it says: codes, keys, ids and numbers.").needed(),
        ],
    ),
    shape(
        "EventView",
        "An event of the log, and what it wrote.",
        &[
            text("id", LINE, "The event's id.").needed(),
            text("kind", LINE, "`service.edited`.").needed(),
            text("actor", LINE, "Who: a login, or `system`.").needed(),
            time("occurred_at", "When it happened.").needed(),
            time("recorded_at", "When it was recorded.").needed(),
            integer("index", 0, i64::MAX, "Its place in the log, once it has one."),
            free("subject", "What it is about: `table` and `id`.").needed(),
            free("data", "What it says: codes, keys, ids and numbers.").needed(),
            free(
                "told_by",
                "Where the event itself wrote nothing: `id` and `index` of the nearest earlier event of the same act that did. Of \
                 events that are written together the first tells of all records; an act may also have written another matter \
                 before.",
            ),
            objects(
                "records",
                "WrittenRecord",
                "What it wrote; with `told_by` what that earlier event wrote, for this one or for another matter of the act. Empty \
                 where neither wrote anything.",
            )
            .needed(),
        ],
    ),
    shape(
        "WrittenRecord",
        "A record that an event wrote.",
        &[
            text("table", LINE, "Its table.").needed(),
            text("id", LINE, "Its id.").needed(),
            integer("version", 1, i64::MAX, "Its version after the event; 1 where the event made it.").needed(),
            text("digest", LINE, "The digest of the sealed record after the event.").needed(),
            frees(
                "changes",
                "What became of its fields: `field`, `before` (absent where nothing stood there) and `after` (absent where it was \
                 taken away). What was erased since reads `(erased)`; \
                 letters to people, what only SCIM tells of them, how they wish to be told, and what is or may hold a secret read \
                 `(withheld)`.",
            )
            .needed(),
        ],
    ),
    shape(
        "EventProof",
        "What proves that an event stands in the log.",
        &[
            integer("index", 0, i64::MAX, "Its index.").needed(),
            text("leaf", LEAF, "The leaf's bytes in base64.").needed(),
            text("checkpoint", TEXT, "The signed checkpoint that the proof leads to.").needed(),
            texts("inclusion", LINE, "The hashes in hex, the leaf's end first.").needed(),
        ],
    ),
    shape(
        "PolicySet",
        "The active policies.",
        &[
            text("digest", LINE, "Digest of schema, policies and parameters.").needed(),
            text_or_null(
                "configuration",
                "The configuration that brought them; null for those of the program.",
            ),
            objects("policies", "PolicySource", "Every policy, sorted by id.").needed(),
            objects("parameters", "PolicyParameter", "Every parameter with the value that holds, by name.").needed(),
        ],
    ),
    shape(
        "PolicyParameter",
        "A parameter of the policies; values as a file of parameters writes them, words without their quotes.",
        &[
            text("name", LINE, "Its name.").needed(),
            text(
                "type",
                LINE,
                "`count`, `minutes`, `duration`, `name`, `factor`, `groups`, `risk` or `probability`.",
            )
            .needed(),
            text("value", LINE, "The value that holds.").needed(),
            text("default", LINE, "The value that holds where a tenant sets none.").needed(),
            text("floor", LINE, "The least that a tenant may set."),
            text("ceiling", LINE, "The most that a tenant may set."),
            text("about", TEXT, "What it is for.").needed(),
        ],
    ),
    shape(
        "PolicySource",
        "Where a policy stands and what it says.",
        &[
            text("id", LINE, "`pack.words`.").needed(),
            text("reason", TEXT, "Its reason."),
            text("file", LINE, "The file's name."),
            integer("line", 1, i64::MAX, "The line, from 1."),
            text("text", TEXT, "The policy, verbatim."),
        ],
    ),
    shape(
        "Me",
        "The person whom the credential stands for, with what this credential may do.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            texts("groups", LINE, "Keys of the groups to which they belong."),
            boolean("by_token", "Whether this is a token, and no session."),
            boolean("stepped_up", "Whether a fresh factor was shown."),
            boolean("is_second_factor", "Whether that was a second factor."),
            texts(
                "narrowed_to",
                LINE,
                "The roles that a narrowed token carries of its person's; absent for one that carries all.",
            ),
        ],
    )
    .based_on(&["Person"]),
    shape(
        "Session",
        "A session that began.",
        &[
            text("tenant", LINE, "The tenant.").needed(),
            text("login", LINE, "The login.").needed(),
            time("expires_at", "Until when.").needed(),
        ],
    ),
    shape(
        "KeySet",
        "Signing keys (RFC 7517), with a `tenant` member.",
        &[
            text("tenant", LINE, "The tenant whose permits they sign.").needed(),
            objects("keys", "Key", "The current key and those before it.").needed(),
        ],
    ),
    shape(
        "Key",
        "An Ed25519 public key (RFC 8037).",
        &[
            word("kty", Words::These(&["OKP"]), "Key type.").needed(),
            word("crv", Words::These(&["Ed25519"]), "Curve.").needed(),
            text("x", LINE, "The key, base64url.").needed(),
            text("kid", LINE, "Its thumbprint (RFC 7638).").needed(),
            word("use", Words::These(&["sig"]), "What it is for."),
            word("alg", Words::These(&["EdDSA"]), "The algorithm."),
        ],
    ),
    shape(
        "Health",
        "How the server is.",
        &[
            boolean("is_ready", "Whether it takes work."),
            texts("reasons", TEXT, "Why not, in words."),
        ],
    ),
];
