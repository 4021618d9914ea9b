//! Permissions in one file for auditors: every endpoint with its scope, its acts, and the roles, the parts in a change and the
//! states in which they are open. Made from the tables of routes, the base pack and the lifecycle; `ASSENT_BLESS=1 cargo test
//! -p server access` writes the file anew. `tests/doors` checks the real behaviour of the endpoints.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use model::change::lifecycle::states;
use model::core::act::{Act, actions};
use model::core::enums::{Category, Criticality, Kind, Level, Role, State, Touch};
use model::policy::facts::{ActorFacts, ChangeFacts, Part, TargetFacts};
use model::risk::regimes::REGIMES;
use policy::PolicySet;

use crate::http::address::BASE;
use crate::http::caller::Scope;

/// The path of the file.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/access-matrix.txt");
/// The rule of each endpoint.
const RULES: &str = include_str!("access/rules.txt");
/// The files of the routers beside the tables.
const ROUTERS: &[&str] = &[
    include_str!("web/mod.rs"),
    include_str!("identity/scim.rs"),
    include_str!("integration/hooks.rs"),
    include_str!("start/health.rs"),
    include_str!("identity/workloads.rs"),
    include_str!("gateway/mod.rs"),
    include_str!("schedule/mod.rs"),
    include_str!("dialects/mod.rs"),
];

const PARTS: [Part; 12] = [
    Part::Requester,
    Part::Owner,
    Part::Author,
    Part::Implementer,
    Part::Implemented,
    Part::Tester,
    Part::Asked,
    Part::Approver,
    Part::Peer,
    Part::VerbalApprover,
    Part::Checker,
    Part::Holder,
];

const HEAD: &str = "\
WHO MAY DO WHAT

Made by a test from the tables of routes, the base pack of policies and the lifecycle; the test fails when this file
says something else, and when a door has no row. Other tests ask the doors themselves: with people of each role, with tokens
of each scope, and about changes in each state.

scope   What a token must carry; a signed-in session carries all but `scim`. Whoever may write, audit or administer may read.
acts    The actions of the policies that the door asks for. `own` is one's own matters, `open` asks nothing, `signed`
        takes a signature or a secret address for a key, `session` a password or a signed-in browser.
roles   Rights in the tenant that suffice alone.
parts   Parts in the change at hand that suffice, with any right that may read: who asked for it is `requester`. Some come
        with a right: whom a rule asks as security or change managers is `asked` and `approver`, and of a change that
        names nobody whoever has the right `implementer` or `pipeline` is `implementer`.
never   Who is refused all the same, whatever else they are; `token:pipeline` is a pipeline's token.
states  States of a change in which the act is possible at all.

This is the base pack, which stands in every set; packs (at the end) and policies of a tenant take away from it, and add to
it only by what `GET /policies` shows. What the history of one change forbids comes on top of it: nobody decides about a change
that they wrote, nobody validates what they implemented, nobody closes the break-glass that they opened. A link
`depends_on` holds a start, so that `edit_change` is asked of who sets it or takes it away as well.
";

const PACKS_HEAD: &str = "
THE PACKS

What each pack makes of the actions, on a service of high stakes under every regime and a change of privileged accounts and keys;
an action that is not named stays as above. `unfit` is who lacks the job function or the training that the pack asks for.
";

const FUNCTIONS: [&str; 4] = ["engineering", "operations", "database", "security"];
const TRAININGS: [&str; 2] = ["pci_dss", "hipaa"];

/// Every name is taken to exist.
struct AnyName;

impl policy::Directory for AnyName {
    fn group_exists(&self, _: &str) -> bool {
        true
    }
    fn person_exists(&self, _: &str) -> bool {
        true
    }
    fn service_exists(&self, _: &str) -> bool {
        true
    }
    fn environment_exists(&self, _: &str) -> bool {
        true
    }
}

/// The rule of an endpoint.
#[derive(Debug, Clone)]
struct Rule {
    asks: String,
    scope: Option<String>,
}

fn rules() -> BTreeMap<String, Rule> {
    let mut found = BTreeMap::new();
    let of_rows: Vec<String> = wire::openapi::rules()
        .map(|(door, asks)| format!("{door} | {asks}"))
        .collect();
    for line in RULES
        .lines()
        .chain(of_rows.iter().map(String::as_str))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (door, rest) = line.split_once(" | ").unwrap();
        let (asks, scope) = match rest.split_once(" @") {
            Some((asks, scope)) => (asks, Some(scope.to_owned())),
            None => (rest, None),
        };
        let asks = asks.to_owned();
        let twice = found.insert(door.to_owned(), Rule { asks, scope });
        assert!(twice.is_none(), "{door} stands twice");
    }
    found
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Gate => "gate",
        Scope::Audit => "audit",
        Scope::Admin => "admin",
        Scope::Scim => "scim",
    }
}

/// Every endpoint of the program: from the API's document, and from the routers beside it.
fn doors() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = wire::openapi::routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .chain(wire::openapi::rules().map(|(door, _)| door))
        .collect();
    for router in ROUTERS {
        for route in router.split(".route(").skip(1).map(inside) {
            let (path, handlers) = route.split_once(',').unwrap();
            let path = match path.split('"').nth(1) {
                Some(path) => path
                    .replace("{base}", "/t/{tenant}/scim/v2")
                    .replace("{{", "{")
                    .replace("}}", "}"),
                None => {
                    assert_eq!(path.trim(), "envoy::PATH", "an address that is no text");
                    "/envoy.service.auth.v3.Authorization/Check".to_owned()
                }
            };
            let words: Vec<&str> = handlers
                .split(|it: char| !it.is_alphanumeric() && it != '_' && it != '(')
                .collect();
            for method in ["get", "post", "put", "patch", "delete", "any"] {
                if words.iter().any(|word| word.starts_with(&format!("{method}("))) {
                    found.insert(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
    }
    found
}

/// The content of a bracket that was opened before the text.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}

/// The permitted people, in the base pack.
#[derive(Debug, Clone, Default)]
struct Who {
    roles: Vec<&'static str>,
    parts: Vec<String>,
    never: Vec<String>,
}

/// The setting of a permission check.
#[derive(Clone, Copy)]
struct Scene<'a> {
    /// The policy set.
    set: &'a PolicySet,
    /// Whether the change is in the scope of every pack.
    is_regulated: bool,
    /// Whether the acting person has each job function and training that a pack requires.
    is_fit: bool,
}

impl<'a> Scene<'a> {
    fn plain(set: &'a PolicySet) -> Self {
        Self {
            set,
            is_regulated: false,
            is_fit: false,
        }
    }
}

fn actor(role: Role, parts: &[Part], by_token: bool) -> ActorFacts {
    ActorFacts {
        person: "p1".into(),
        roles: vec![role],
        groups: Vec::new(),
        by_token,
        parts: parts.to_vec(),
        functions: Vec::new(),
        trainings: Vec::new(),
    }
}

fn facts() -> (ChangeFacts, TargetFacts) {
    let change = ChangeFacts {
        tenant: "acme".to_owned(),
        change: "c1".to_owned(),
        kind: Kind::Normal,
        expedited: false,
        retrospective: false,
        names_threat: false,
        state: State::Authorizing,
        category: Category::Application,
        touches: Vec::new(),
        risk: Level::Low,
        impact_data: Level::None,
        impact_availability: Level::Low,
        impact_compliance: Level::None,
        complexity: Level::Low,
        forecast: None,
        requester: "p9".into(),
        owner: "p9".into(),
        authors: vec!["p9".into()],
        implementers: vec!["p8".into()],
        implemented_by: Vec::new(),
        tester: None,
        fields: BTreeMap::new(),
    };
    let target = TargetFacts {
        target: "1".into(),
        service: "web".into(),
        criticality: Criticality::Low,
        regimes: Vec::new(),
        data_class: None,
        environment: "production".to_owned(),
        is_production: true,
        has_artifact: true,
        owners: Vec::new(),
    };
    (change, target)
}

fn may(scene: Scene<'_>, actor: &ActorFacts, action: &str) -> bool {
    let (mut change, mut target) = facts();
    let mut actor = actor.clone();
    if scene.is_regulated {
        change.touches = vec![Touch::PrivilegedAccess, Touch::CryptoKeys];
        target.criticality = Criticality::Critical;
        target.regimes = REGIMES.map(str::to_owned).to_vec();
    }
    if scene.is_fit {
        actor.functions = FUNCTIONS.map(str::to_owned).to_vec();
        actor.trainings = TRAININGS.map(str::to_owned).to_vec();
    }
    // A pack's rule on creating applies to the created record.
    let is_of_change =
        Act::ALL.iter().any(|act| act.as_str() == action) && (scene.is_regulated || action != Act::Create.as_str());
    let targets = [target];
    let about = is_of_change.then_some((&change, &targets[..]));
    scene.set.may(&actor, action, about).allowed
}

fn name(part: Part) -> String {
    serde_json::to_value(part).unwrap().as_str().unwrap().to_owned()
}

fn who(scene: Scene<'_>, action: &str) -> Who {
    let mut who = Who::default();
    let mut opens: Vec<(Role, Vec<Part>)> = Vec::new();
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| may(scene, &actor(*role, &[], false), action))
    {
        who.roles.push(role.as_str());
        opens.push((role, Vec::new()));
    }
    // An executive may only read and comment, so any further permission comes from the part.
    let by_role = may(scene, &actor(Role::Executive, &[], false), action);
    for part in PARTS.into_iter().filter(|_| !by_role) {
        if may(scene, &actor(Role::Executive, &[part], false), action) {
            who.parts.push(name(part));
            opens.push((Role::Executive, vec![part]));
        }
    }
    let refused = |bar: Part| {
        opens.iter().all(|(role, parts)| {
            let parts: Vec<Part> = parts.iter().copied().chain([bar]).collect();
            !may(scene, &actor(*role, &parts, false), action)
        })
    };
    who.never = PARTS.into_iter().filter(|part| refused(*part)).map(name).collect();
    let as_pipeline = |(role, parts): &(Role, Vec<Part>)| {
        let mut bearer = actor(*role, parts, true);
        bearer.roles.push(Role::Pipeline);
        may(scene, &bearer, action)
    };
    if !opens.iter().any(as_pipeline) {
        who.never.push("token:pipeline".to_owned());
    }
    who
}

fn joined_names(words: &[impl AsRef<str>]) -> String {
    if words.is_empty() {
        return "-".to_owned();
    }
    words.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" ")
}

/// The second line of a row: the permitted people, and the states.
fn line(scene: Scene<'_>, action: &str) -> String {
    let found = who(scene, action);
    let act = Act::ALL.iter().find(|act| act.as_str() == action);
    let mut text = format!("    {action:<22} roles {}", joined_names(&found.roles));
    if act.is_some() {
        write!(text, " | parts {}", joined_names(&found.parts)).unwrap();
    }
    if !found.never.is_empty() {
        write!(text, " | never {}", joined_names(&found.never)).unwrap();
    }
    if let Some(act) = act.filter(|act| **act != Act::Create) {
        let states: Vec<&str> = states(*act).iter().map(|state| state.as_str()).collect();
        let all = states.len() == State::ALL.len();
        write!(
            text,
            " | states {}",
            if all { "all".to_owned() } else { joined_names(&states) }
        )
        .unwrap();
    }
    text
}

/// The actions that a rule names, without other text.
fn named(asks: &str) -> Vec<String> {
    let words = asks.split([',', '|']).map(|word| word.trim().to_owned());
    let known =
        |word: &String| Act::ALL.iter().any(|act| act.as_str() == word) || actions::ALL.contains(&word.as_str());
    let found: Vec<String> = words.clone().filter(known).collect();
    let odd: Vec<String> = words
        .filter(|word| !known(word) && !["own", "open", "signed", "session", "every act"].contains(&word.as_str()))
        .collect();
    assert!(odd.is_empty(), "no action is called {odd:?}");
    found
}

fn matrix(set: &PolicySet) -> String {
    let scene = Scene::plain(set);
    let scopes: BTreeMap<String, &'static str> = crate::api::rows()
        .iter()
        .map(|route| {
            (
                format!("{} {BASE}{}", route.method, route.path),
                scope_name(route.scope),
            )
        })
        .collect();
    let mut text = HEAD.to_owned();
    text.push_str("\nTHE ACTIONS\n\n");
    for action in every_action() {
        text.push_str(&line(scene, action));
        text.push('\n');
    }
    let rules = rules();
    type Belongs = fn(&str) -> bool;
    let sections: [(&str, Belongs); 3] = [
        ("THE API", |door| door.contains(" /api/v1/")),
        ("PAGES", |door| is_page(door)),
        ("OTHER DOORS", |door| !door.contains(" /api/v1/") && !is_page(door)),
    ];
    for (title, belongs) in sections {
        write!(text, "\n{title}\n\n").unwrap();
        let mut rows: Vec<(&str, &str, &Rule)> = rules
            .iter()
            .filter(|(door, _)| belongs(door))
            .map(|(door, rule)| {
                let (method, path) = door.split_once(' ').unwrap();
                (path, method, rule)
            })
            .collect();
        rows.sort_by_key(|(path, method, _)| (*path, *method));
        for (path, method, rule) in rows {
            let scope = scopes.get(&format!("{method} {path}")).copied();
            assert!(
                scope.is_none() || rule.scope.is_none(),
                "{method} {path} has a scope in its table"
            );
            let scope = scope.or(rule.scope.as_deref()).unwrap_or("-");
            writeln!(text, "{method:<6} {path}  [{scope}]  {}", rule.asks).unwrap();
            for action in named(&rule.asks) {
                text.push_str(&line(scene, &action));
                text.push('\n');
            }
        }
    }
    text
}

/// The effect of each pack on the actions, if it has one.
fn of_packs() -> String {
    let mut text = PACKS_HEAD.to_owned();
    let base = set_with(None);
    for pack in policy::packs() {
        let name = pack.name;
        let set = set_with(Some(pack));
        let scene = |set, is_fit| Scene {
            set,
            is_regulated: true,
            is_fit,
        };
        write!(text, "\n{name}\n").unwrap();
        let before = text.len();
        for action in every_action() {
            let usual = line(scene(&base, true), action);
            let [fit, unfit] = [true, false].map(|is_fit| line(scene(&set, is_fit), action));
            if fit != usual {
                writeln!(text, "{fit}").unwrap();
            }
            if unfit != fit {
                writeln!(text, "{unfit} | unfit").unwrap();
            }
        }
        if text.len() == before {
            text.push_str("    asks more of a change, and lets everybody act as before\n");
        }
    }
    text
}

fn every_action() -> impl Iterator<Item = &'static str> {
    Act::ALL
        .iter()
        .map(|act| act.as_str())
        .chain(actions::ALL.iter().copied())
}

/// The base pack, optionally with another pack.
fn set_with(pack: Option<policy::Pack>) -> PolicySet {
    let mut files = policy::base().files;
    files.extend(pack.into_iter().flat_map(|pack| pack.files));
    PolicySet::compile(&files, "", policy::SCHEMA, &AnyName, proof::crypto::digest_text).unwrap()
}

fn is_page(door: &str) -> bool {
    let path = door.split_once(' ').unwrap().1;
    let is_machine = ["/scim/", "/.well-known/", "/log/", "/witness/"]
        .iter()
        .any(|it| path.contains(it));
    let stands_first = path == "/" || path.starts_with("/sign-in") || path.starts_with("/assets");
    stands_first || (path.starts_with("/t/") && !is_machine && path != "/t/{tenant}/token")
}

#[test]
fn every_door_has_a_rule_and_every_rule_a_door() {
    let (doors, rules) = (doors(), rules());
    let without: Vec<&String> = doors.iter().filter(|door| !rules.contains_key(*door)).collect();
    assert!(
        without.is_empty(),
        "doors that crates/server/src/access/rules.txt does not name: {without:#?}"
    );
    // The log's files are served below one address; the API's document lists them separately.
    let gone: Vec<&String> = rules.keys().filter(|door| !doors.contains(*door)).collect();
    assert!(gone.is_empty(), "rules without a door: {gone:#?}");
}

#[test]
fn the_access_matrix_is_the_reviewed_one() {
    let text = policy::on_policy_thread(|| matrix(&set_with(None)) + &of_packs());
    if std::env::var_os("ASSENT_BLESS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept == text,
        "docs/operations/access-matrix.txt is not what the program does: {differs:?}. Read the difference; \
         `ASSENT_BLESS=1 cargo test -p server access` writes the file anew."
    );
}
