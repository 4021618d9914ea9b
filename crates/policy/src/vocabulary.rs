//! The closed vocabulary of `@require`: one table lists the annotations that each kind needs and may have.
//!
//! | `@require` | needs | may have | due |
//! |---|---|---|---|
//! | `approval` | `@from @covers` | `@count @distinct_from @valid_for @step_up @ack_sla @decide_sla @escalate` (a group's key) `@stage @dual_control @while_active`; `@function @training` (a name); with `@from("group:…")` also `@quorum @on_call`; with `@from("group:…,group:…")` also `@distinct_groups`, which it needs | start |
//! | `evidence` | `@aspect` | `@environment @from_risk @from_impact @from_probability @due` | `@due`, else start |
//! | `peer_review` | | `@count @from` (a group's key) `@from_risk @from_impact @from_probability @due` | `@due`, else start |
//! | `checklist` | `@items` (separated by `;`) | `@due` | `@due`, else start |
//! | `item` | `@title @check @owner` (a value of `@from`) | `@due`; manual: `@distinct_from`; evidence: `@aspect`, which it needs, `@environment @max_age`, `@distinct_from("author")` where no author may vouch for it, and `@probe` with `@max_age` where a probe's result is enough too; probe: `@probe @max_age`, which it needs | `@due`, else start |
//! | `security_answers` | | `@due` | `@due`, else start |
//! | `task` | `@kind @title` | `@watched` (a plan of waves leaves time to watch its first part) `@from_risk @from_impact @from_probability` | prepare, test: start; implement, verify: close |
//! | `validation` | | `@distinct_from @from` | close |
//! | `review` | | | close |
//! | `lead_time` | `@lead_time` | `@fields` (covered fields, separated by `,`, whose edit starts it again; also beside `@lead_time` of an approval) | start |
//! | `outside_look` | `@from` (a group's key) `@within` | | start |
//! | `communication` | | `@announced_before` (so long before the start it was announced) `@acknowledged` (by all requested people; has no value) `@ready_from` (a value of `@from`; one person for each target, or for each group, confirms) | start |
//! | `break_glass` | one of: | `@budget` (openings of a team in 90 days) `@validate_within` | close |
//! | `emergency` | one of: | `@resolved_within` (an incident is a ground for so long after its end) `@start_within` (so far ahead it starts at most) | start |
//! | `permit` | one of: | `@minutes @ahead @max_list_age` | start |
//!
//! Every policy has `@id("pack.words")` and `@reason("…")` besides. `@dual_control`, `@while_active`, `@distinct_groups`,
//! `@watched` and `@ahead` have no value. `@step_up` alone or as `@step_up("any")` requires any fresh factor of the approver,
//! also their password once more; `@step_up("second_factor")` for more than a password: a code of an authenticator, a passkey,
//! a recovery code, or a login that the identity provider calls one of several factors. Durations are `30d`, `4h`, `15m`; those
//! of clocks (`@ack_sla`, `@decide_sla`, `@lead_time`) also `4bh` and `2bd`, in working time; `@count`, `@valid_for`,
//! `@ack_sla`, `@lead_time`, `@minutes`, `@max_list_age`, `@step_up` and `@environment`, `@from_risk`, `@from_impact` and
//! `@from_probability` may name a parameter (`"$name"`), and so may `@from` of an approval, one that holds groups.
//! `@due("approval")` means: before all rules on *what* are met.
//!
//! `@from("group:security,group:platform") @count("2") @distinct_groups` requires two people, each counted for another group of
//! these: one person of both counts once, and two people of one count once. If a parameter names the groups, `@distinct_groups`
//! may be present even while it names only one.
//!
//! A lawful decision stays valid after its author leaves. `@while_active` changes that: the decision becomes void when its
//! author is deactivated, and so do the permits that rest on it.

use std::collections::BTreeMap;

use model::approval::obligation::{ApprovalRule, Asked, Due, Duty, ItemCheck, Obligation};
use model::core::enums::{Aspect, Covers, ItemKind, TaskKind};
use model::core::ids::GroupKey;
use model::identity::factor::Wanted;
use model::policy::threshold::Measure;
use model::schedule::calendar::Span;

use crate::parameters::{Parameters, Type, Value};
use crate::{limits, nearest, values};

/// A mistake in a policy's annotations.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The annotation that is wrong; without it, the policy as a whole.
    pub key: Option<String>,
    pub code: &'static str,
    pub text: String,
    pub help: Option<String>,
}

struct Kind {
    name: &'static str,
    needed: &'static [&'static str],
    optional: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "approval",
        needed: &["from", "covers"],
        optional: &[
            "count",
            "distinct_from",
            "distinct_groups",
            "valid_for",
            "lead_time",
            "fields",
            "step_up",
            "ack_sla",
            "decide_sla",
            "escalate",
            "stage",
            "dual_control",
            "quorum",
            "on_call",
            "function",
            "training",
            "while_active",
        ],
    },
    Kind {
        name: "evidence",
        needed: &["aspect"],
        optional: &["environment", "from_risk", "from_impact", "from_probability", "due"],
    },
    Kind {
        name: "peer_review",
        needed: &[],
        optional: &["count", "from", "from_risk", "from_impact", "from_probability", "due"],
    },
    Kind {
        name: "checklist",
        needed: &["items"],
        optional: &["due"],
    },
    Kind {
        name: "item",
        needed: &["title", "check", "owner"],
        optional: &["aspect", "environment", "probe", "max_age", "distinct_from", "due"],
    },
    Kind {
        name: "security_answers",
        needed: &[],
        optional: &["due"],
    },
    Kind {
        name: "task",
        needed: &["kind", "title"],
        optional: &["watched", "from_risk", "from_impact", "from_probability"],
    },
    Kind {
        name: "validation",
        needed: &[],
        optional: &["distinct_from", "from"],
    },
    Kind {
        name: "review",
        needed: &[],
        optional: &[],
    },
    Kind {
        name: "lead_time",
        needed: &["lead_time"],
        optional: &["fields"],
    },
    Kind {
        name: "outside_look",
        needed: &["from", "within"],
        optional: &[],
    },
    Kind {
        name: "communication",
        needed: &[],
        optional: &["announced_before", "acknowledged", "ready_from"],
    },
    Kind {
        name: "break_glass",
        needed: &[],
        optional: &["budget", "validate_within"],
    },
    Kind {
        name: "emergency",
        needed: &[],
        optional: &["resolved_within", "start_within"],
    },
    Kind {
        name: "permit",
        needed: &[],
        optional: &["minutes", "ahead", "max_list_age"],
    },
];

/// The annotations that every policy has.
const COMMON: [&str; 2] = ["id", "reason"];

/// A policy's annotations by key.
pub(crate) type Annotations = BTreeMap<String, String>;

/// Compiles the annotations of a `require` permit to its obligation.
pub(crate) fn obligation(
    id: &str,
    reason: &str,
    annotations: &Annotations,
    parameters: &Parameters,
) -> Result<Obligation, Vec<Problem>> {
    let kind = kind_of(annotations).map_err(|problem| {
        let is_known = |key: &&String| known_keys().any(|known| known == *key);
        let unknown = annotations
            .keys()
            .filter(|key| !is_known(key))
            .map(|key| unknown_key(key));
        [problem].into_iter().chain(unknown).collect::<Vec<_>>()
    })?;
    let problems = misplaced(kind, annotations);
    if !problems.is_empty() {
        return Err(problems);
    }
    let reader = Reader {
        annotations,
        parameters,
    };
    let (due, duty) = reader.duty(kind.name).map_err(|problem| vec![problem])?;
    Ok(Obligation {
        id: id.to_owned(),
        reason: reason.to_owned(),
        due,
        duty,
    })
}

/// The annotations that set the value from which a `require` permit applies, each with its measure.
const FROM: &[(&str, Measure)] = &[
    ("from_risk", Measure::Risk),
    ("from_impact", Measure::Impact),
    ("from_probability", Measure::Probability),
];

/// The numbers from which a `require` permit applies, if it has any; past the highest level it never does.
pub(crate) fn thresholds_of(
    annotations: &Annotations,
    parameters: &Parameters,
) -> Result<Vec<(Measure, i64)>, Problem> {
    let reader = Reader {
        annotations,
        parameters,
    };
    let said = FROM
        .iter()
        .filter_map(|(key, measure)| Some((*key, *measure, annotations.get(*key)?)));
    said.map(|(key, measure, text)| Ok((measure, reader.asks_from(key, measure, text)?)))
        .collect()
}

/// The parameters from which a `require` permit takes these numbers.
pub(crate) fn threshold_parameters(annotations: &Annotations) -> impl Iterator<Item = (Measure, &str)> {
    let name = move |(key, measure): &(&str, Measure)| Some((*measure, annotations.get(*key)?.strip_prefix('$')?));
    FROM.iter().filter_map(name)
}

/// The mistakes in the annotations of a policy outside `require`: it has the common ones only.
pub(crate) fn plain(annotations: &Annotations) -> Vec<Problem> {
    let is_foreign = |key: &&String| !COMMON.contains(&key.as_str());
    annotations.keys().filter(is_foreign).map(|key| foreign(key)).collect()
}

fn foreign(key: &str) -> Problem {
    if known_keys().any(|known| known == key) {
        let text = format!("`@{key}` is valid only in policies of the action `require`");
        return problem(Some(key), "misplaced_annotation", text, None);
    }
    unknown_key(key)
}

fn kind_of(annotations: &Annotations) -> Result<&'static Kind, Problem> {
    let names = || KINDS.iter().map(|kind| kind.name);
    let Some(word) = annotations.get("require") else {
        let text = "a policy of the action `require` needs `@require(\"…\")`".to_owned();
        return Err(problem(None, "require_missing", text, None));
    };
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == word) {
        return Ok(kind);
    }
    let text = format!(
        "`@require(\"{word}\")` is none of {}",
        names().collect::<Vec<_>>().join(", ")
    );
    let help = nearest(word, names()).map(|n| format!("did you mean `{n}`?"));
    Err(problem(Some("require"), "unknown_kind", text, help))
}

/// Annotations that the kind does not have, and missing ones that it needs.
fn misplaced(kind: &Kind, annotations: &Annotations) -> Vec<Problem> {
    let mut problems = Vec::new();
    for key in annotations.keys() {
        let is_known = COMMON.contains(&key.as_str())
            || key == "require"
            || kind.needed.contains(&key.as_str())
            || kind.optional.contains(&key.as_str());
        if is_known {
            continue;
        }
        if known_keys().any(|known| known == key) {
            let own: Vec<String> = kind
                .needed
                .iter()
                .chain(kind.optional)
                .map(|k| format!("`@{k}`"))
                .collect();
            let own = if own.is_empty() {
                "none".to_owned()
            } else {
                own.join(", ")
            };
            let text = format!(
                "`@{key}` does not belong to `{}`, whose annotations are: {own}",
                kind.name
            );
            problems.push(problem(Some(key), "misplaced_annotation", text, None));
        } else {
            problems.push(unknown_key(key));
        }
    }
    for key in kind.needed.iter().filter(|key| !annotations.contains_key(**key)) {
        let text = format!("`{}` needs `@{key}`", kind.name);
        problems.push(problem(None, "annotation_missing", text, None));
    }
    let is_optional = matches!(kind.name, "permit" | "break_glass" | "emergency");
    if is_optional && !kind.optional.iter().any(|key| annotations.contains_key(*key)) {
        let keys: Vec<String> = kind.optional.iter().map(|key| format!("`@{key}`")).collect();
        let text = format!("`{}` needs one of {}", kind.name, keys.join(", "));
        problems.push(problem(None, "annotation_missing", text, None));
    }
    problems
}

fn unknown_key(key: &str) -> Problem {
    let help = nearest(key, known_keys()).map(|n| format!("did you mean `@{n}`?"));
    problem(
        Some(key),
        "unknown_annotation",
        format!("there is no annotation `@{key}`"),
        help,
    )
}

fn known_keys() -> impl Iterator<Item = &'static str> {
    let own = KINDS
        .iter()
        .flat_map(|kind| kind.needed.iter().chain(kind.optional).copied());
    COMMON.into_iter().chain(["require"]).chain(own)
}

fn problem(key: Option<&str>, code: &'static str, text: String, help: Option<String>) -> Problem {
    Problem {
        key: key.map(str::to_owned),
        code,
        text,
        help,
    }
}

fn bad_value(key: &str, text: String) -> Problem {
    problem(Some(key), "bad_value", format!("`@{key}`: {text}"), None)
}

/// Reads values out of annotations whose keys have been checked.
struct Reader<'a> {
    annotations: &'a Annotations,
    parameters: &'a Parameters,
}

impl Reader<'_> {
    fn duty(&self, kind: &str) -> Result<(Due, Duty), Problem> {
        match kind {
            "approval" => Ok((Due::Start, Duty::Approval(self.approval()?))),
            "evidence" => {
                let aspect = self.needed("aspect", |text| text.parse::<Aspect>())?;
                Ok((
                    self.due()?,
                    Duty::Evidence {
                        aspect,
                        environment: self.environment()?,
                    },
                ))
            }
            "peer_review" => {
                let from = self.text("from", values::key)?.map(GroupKey);
                Ok((
                    self.due()?,
                    Duty::PeerReview {
                        count: self.count()?,
                        from,
                    },
                ))
            }
            "checklist" => Ok((
                self.due()?,
                Duty::Checklist {
                    items: self.needed("items", values::items)?,
                },
            )),
            "item" => self.item(),
            "security_answers" => Ok((self.due()?, Duty::SecurityAnswers {})),
            "task" => self.task(),
            "validation" => {
                let distinct_from = self.text("distinct_from", values::parties)?.unwrap_or_default();
                let from = self.text("from", values::approver_source)?;
                Ok((Due::Close, Duty::Validation { distinct_from, from }))
            }
            "review" => Ok((Due::Close, Duty::Review {})),
            "outside_look" => {
                let from = GroupKey(self.needed("from", values::key)?);
                let minutes = self.minutes("within", limits::DURATION_MINUTES)?;
                let missing = || problem(None, "annotation_missing", "`@within` is missing".to_owned(), None);
                let within_minutes = minutes.ok_or_else(missing)?;
                Ok((Due::Start, Duty::OutsideLook { from, within_minutes }))
            }
            "communication" => self.communication(),
            "break_glass" => {
                let budget = match self.annotations.get("budget") {
                    Some(_) => Some(self.people("budget")?),
                    None => None,
                };
                let validate_within_minutes = self.minutes("validate_within", limits::DURATION_MINUTES)?;
                Ok((
                    Due::Close,
                    Duty::BreakGlass {
                        budget,
                        validate_within_minutes,
                    },
                ))
            }
            "emergency" => self.emergency(),
            "lead_time" => {
                let missing = || problem(None, "annotation_missing", "`@lead_time` is missing".to_owned(), None);
                let span = self.span("lead_time")?.ok_or_else(missing)?;
                let fields = self.text("fields", values::covered_fields)?.unwrap_or_default();
                Ok((Due::Start, Duty::LeadTime { span, fields }))
            }
            _ => self.permit(),
        }
    }

    fn communication(&self) -> Result<(Due, Duty), Problem> {
        let duty = Duty::Communication {
            announced_minutes: self.minutes("announced_before", limits::DURATION_MINUTES)?,
            acknowledged: self.flag("acknowledged")?,
            ready_from: self.text("ready_from", values::approver_sources)?,
        };
        Ok((Due::Start, duty))
    }

    fn approval(&self) -> Result<ApprovalRule, Problem> {
        let rule = self.approval_rule()?;
        self.check_groups(&rule)?;
        let is_group = matches!(rule.from, Asked::Group(_));
        for (key, is_there) in [("quorum", rule.quorum.is_some()), ("on_call", rule.on_call)] {
            if is_there && !is_group {
                return Err(bad_value(
                    key,
                    "a meeting needs exactly one group: write `@from(\"group:…\")`".to_owned(),
                ));
            }
        }
        Ok(rule)
    }

    /// Several groups must be distinct, and enough for the required people.
    fn check_groups(&self, rule: &ApprovalRule) -> Result<(), Problem> {
        let are_distinct = self.flag("distinct_groups")?;
        let Some(groups) = rule.from.distinct_groups() else {
            // Where a parameter names the groups, it may name a single one: all its people are counted then.
            let is_left_to_the_house = self.annotations.get("from").is_some_and(|text| text.starts_with('$'));
            if are_distinct && !is_left_to_the_house {
                let text = "name the groups: write `@from(\"group:security,group:platform\")`";
                return Err(bad_value("distinct_groups", text.to_owned()));
            }
            return Ok(());
        };
        if !are_distinct {
            let text = "several groups need `@distinct_groups`: each group counts one person";
            return Err(bad_value("from", text.to_owned()));
        }
        let (most, count) = (groups.len(), rule.count);
        if !(2..=most).contains(&(count as usize)) {
            let text = format!("with {most} distinct groups, the count must be from 2 to {most}, not {count}");
            return Err(bad_value("count", text));
        }
        Ok(())
    }

    fn approval_rule(&self) -> Result<ApprovalRule, Problem> {
        let wanted = self.wanted_factor()?;
        Ok(ApprovalRule {
            from: self.asked()?,
            count: self.count()?,
            covers: self.needed("covers", |text| text.parse::<Covers>())?,
            distinct_from: self.text("distinct_from", values::parties)?.unwrap_or_default(),
            valid_for_minutes: self.minutes("valid_for", limits::DURATION_MINUTES)?,
            lead_time: self.span("lead_time")?,
            lead_time_fields: self.lead_time_fields()?,
            step_up: wanted != Wanted::Nothing,
            second_factor: wanted == Wanted::Second,
            ack_sla: self.span("ack_sla")?,
            decide_sla: self.span("decide_sla")?,
            escalate: self.text("escalate", values::key)?.map(GroupKey),
            stage: self.stage()?,
            dual_control: self.flag("dual_control")?,
            quorum: match self.annotations.get("quorum") {
                Some(_) => Some(self.people("quorum")?),
                None => None,
            },
            on_call: self.flag("on_call")?,
            function: self.text("function", values::key)?,
            training: self.text("training", values::key)?,
            while_active: self.flag("while_active")?,
        })
    }

    /// The fields whose edit restarts the lead time of an approval.
    fn lead_time_fields(&self) -> Result<Vec<String>, Problem> {
        let fields = self.text("fields", values::covered_fields)?.unwrap_or_default();
        if !fields.is_empty() && !self.annotations.contains_key("lead_time") {
            let text = "only a lead time can restart: add `@lead_time(\"…\")`";
            return Err(bad_value("fields", text.to_owned()));
        }
        Ok(fields)
    }

    /// The approvers of `@from`; a parameter may name the groups.
    fn asked(&self) -> Result<Asked, Problem> {
        const KEY: &str = "from";
        let name = self.annotations.get(KEY).and_then(|text| text.strip_prefix('$'));
        let Some(name) = name else {
            return self.needed(KEY, values::approver_sources);
        };
        match self.parameter(KEY, name, Type::Groups)? {
            Value::Name(groups) => values::groups(groups).map_err(|text| bad_value(KEY, text)),
            Value::Number(_) => Err(bad_value(KEY, format!("`${name}` names no groups"))),
        }
    }

    fn emergency(&self) -> Result<(Due, Duty), Problem> {
        let duty = Duty::Emergency {
            resolved_within_minutes: self.minutes("resolved_within", limits::DURATION_MINUTES)?,
            start_within_minutes: self.minutes("start_within", limits::DURATION_MINUTES)?,
        };
        Ok((Due::Start, duty))
    }

    fn task(&self) -> Result<(Due, Duty), Problem> {
        let kind = self.needed("kind", |text| text.parse::<TaskKind>())?;
        let due = match kind {
            TaskKind::Prepare | TaskKind::Test => Due::Start,
            TaskKind::Implement | TaskKind::Verify => Due::Close,
        };
        Ok((
            due,
            Duty::Task {
                kind,
                title: self.needed("title", values::sentence)?,
                watched: self.flag("watched")?,
            },
        ))
    }

    /// One typed item of a checklist: each way of checking has annotations of its own.
    fn item(&self) -> Result<(Due, Duty), Problem> {
        let kind = self.needed("check", |text| text.parse::<ItemKind>())?;
        let own: &[&str] = match kind {
            ItemKind::Manual => &["distinct_from"],
            ItemKind::Evidence => &["aspect", "environment", "max_age", "distinct_from", "probe"],
            ItemKind::Probe => &["probe", "max_age"],
        };
        for key in ["distinct_from", "aspect", "environment", "probe", "max_age"] {
            if self.annotations.contains_key(key) && !own.contains(&key) {
                return Err(bad_value(
                    key,
                    format!("an item that is checked by `{kind}` cannot have this"),
                ));
            }
        }
        let max_age = self.minutes("max_age", limits::DURATION_MINUTES)?;
        if max_age.is_none() && self.annotations.contains_key("probe") {
            let text = "`@max_age` is missing: the maximum age of the probe's report".to_owned();
            return Err(problem(None, "annotation_missing", text, None));
        }
        let check = match kind {
            ItemKind::Manual => ItemCheck::Manual {
                distinct_from: self.text("distinct_from", values::parties)?.unwrap_or_default(),
            },
            ItemKind::Evidence => ItemCheck::Evidence {
                aspect: self.needed("aspect", |text| text.parse::<Aspect>())?,
                environment: self.environment()?,
                max_age_minutes: max_age,
                distinct_from: self.text("distinct_from", values::only_author)?.unwrap_or_default(),
                probe: self.text("probe", values::key)?,
            },
            ItemKind::Probe => ItemCheck::Probe {
                probe: self.needed("probe", values::key)?,
                max_age_minutes: max_age.unwrap_or_default(),
            },
        };
        let title = self.needed("title", values::sentence)?;
        let owner = self.needed("owner", values::approver_source)?;
        Ok((self.due()?, Duty::Item { title, check, owner }))
    }

    fn permit(&self) -> Result<(Due, Duty), Problem> {
        let seconds = self
            .minutes("max_list_age", limits::LIST_AGE_MINUTES)?
            .map(|minutes| minutes * 60);
        let minutes = match self.annotations.get("minutes") {
            Some(text) => Some(self.number("minutes", text, limits::PERMIT_MINUTES, Type::Minutes)?),
            None => None,
        };
        let duty = Duty::Permit {
            minutes,
            ahead: self.flag("ahead")?,
            max_list_age_seconds: seconds,
        };
        Ok((Due::Start, duty))
    }

    fn text<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Problem> {
        let Some(text) = self.annotations.get(key) else {
            return Ok(None);
        };
        parse(text).map(Some).map_err(|text| bad_value(key, text))
    }

    fn needed<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Problem> {
        let missing = || problem(None, "annotation_missing", format!("`@{key}` is missing"), None);
        self.text(key, parse)?.ok_or_else(missing)
    }

    fn flag(&self, key: &str) -> Result<bool, Problem> {
        match self.annotations.get(key).map(String::as_str) {
            None => Ok(false),
            Some("") => Ok(true),
            Some(_) => Err(bad_value(key, "it must have no value".to_owned())),
        }
    }

    /// `@step_up`, `@step_up("any")` or `@step_up("second_factor")`; a parameter may select one of the two.
    fn wanted_factor(&self) -> Result<Wanted, Problem> {
        const KEY: &str = "step_up";
        let Some(text) = self.annotations.get(KEY) else {
            return Ok(Wanted::Nothing);
        };
        if text.is_empty() {
            return Ok(Wanted::Any);
        }
        let Some(name) = text.strip_prefix('$') else {
            return values::factor(text).map_err(|text| bad_value(KEY, text));
        };
        match self.parameter(KEY, name, Type::Factor)? {
            Value::Name(word) => values::factor(word).map_err(|text| bad_value(KEY, text)),
            Value::Number(_) => Err(bad_value(KEY, format!("`${name}` is not a factor"))),
        }
    }

    /// The number from which a rule applies, written out or taken from a parameter.
    fn asks_from(&self, key: &str, measure: Measure, text: &str) -> Result<i64, Problem> {
        let kind = match measure {
            Measure::Probability => Type::Probability,
            Measure::Risk | Measure::Impact => Type::Risk,
        };
        let read = |text: &str| match measure {
            Measure::Probability => values::probability(text),
            Measure::Risk | Measure::Impact => values::risk(text),
        };
        let Some(name) = text.strip_prefix('$') else {
            return read(text).map_err(|text| bad_value(key, text));
        };
        match self.parameter(key, name, kind)? {
            Value::Number(number) => Ok(*number),
            Value::Name(word) => read(word).map_err(|text| bad_value(key, text)),
        }
    }

    fn due(&self) -> Result<Due, Problem> {
        Ok(self.text("due", values::due)?.unwrap_or(Due::Start))
    }

    fn count(&self) -> Result<u32, Problem> {
        self.people("count")
    }

    /// A number of people; 1 by default.
    fn people(&self, key: &str) -> Result<u32, Problem> {
        let Some(text) = self.annotations.get(key) else {
            return Ok(1);
        };
        let number = self.number(key, text, i64::from(limits::COUNT), Type::Count)?;
        u32::try_from(number).map_err(|_| bad_value(key, "it is too large".to_owned()))
    }

    fn number(&self, key: &str, text: &str, most: i64, kind: Type) -> Result<i64, Problem> {
        let Some(name) = text.strip_prefix('$') else {
            return values::number(text, most).map_err(|text| bad_value(key, text));
        };
        self.parameter_number(key, name, most, kind)
    }

    /// A duration in minutes, at most `most`.
    fn minutes(&self, key: &str, most: i64) -> Result<Option<i64>, Problem> {
        let Some(text) = self.annotations.get(key) else {
            return Ok(None);
        };
        if let Some(name) = text.strip_prefix('$') {
            return self.parameter_number(key, name, most, Type::Duration).map(Some);
        }
        let minutes = values::duration(text).map_err(|text| bad_value(key, text))?;
        bounded(key, minutes, most).map(Some)
    }

    /// A clock's span; a parameter is a duration on the wall.
    fn span(&self, key: &str) -> Result<Option<Span>, Problem> {
        match self.annotations.get(key) {
            Some(text) if !text.starts_with('$') => values::span(text).map(Some).map_err(|text| bad_value(key, text)),
            _ => Ok(self.minutes(key, limits::DURATION_MINUTES)?.map(Span::Minutes)),
        }
    }

    fn stage(&self) -> Result<u32, Problem> {
        let stage = self.text("stage", |text| values::number(text, i64::from(limits::STAGES)))?;
        u32::try_from(stage.unwrap_or(1)).map_err(|_| bad_value("stage", "it is too large".to_owned()))
    }

    fn environment(&self) -> Result<Option<String>, Problem> {
        let Some(text) = self.annotations.get("environment") else {
            return Ok(None);
        };
        let Some(name) = text.strip_prefix('$') else {
            return self.text("environment", values::key);
        };
        match self.parameter("environment", name, Type::Name)? {
            Value::Name(name) => Ok(Some(name.clone())),
            Value::Number(_) => Err(bad_value("environment", format!("`${name}` is not a name"))),
        }
    }

    fn parameter_number(&self, key: &str, name: &str, most: i64, kind: Type) -> Result<i64, Problem> {
        match self.parameter(key, name, kind)? {
            Value::Number(number) => bounded(key, *number, most),
            Value::Name(_) => Err(bad_value(key, format!("`${name}` is not a number"))),
        }
    }

    fn parameter(&self, key: &str, name: &str, kind: Type) -> Result<&Value, Problem> {
        self.parameters
            .get(name, &[kind])
            .map_err(|(text, help)| problem(Some(key), "parameter", format!("`@{key}`: {text}"), help))
    }
}

fn bounded(key: &str, number: i64, most: i64) -> Result<i64, Problem> {
    if number <= most {
        return Ok(number);
    }
    Err(bad_value(key, format!("it is at most {most} minutes")))
}

#[cfg(test)]
mod tests;
