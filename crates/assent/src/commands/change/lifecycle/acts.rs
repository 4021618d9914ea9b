//! The acts of the lifecycle: each is a POST that returns the change (or, for decisions and entries, the item).

use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use super::{card, path, show};
use crate::client::Client;
use crate::clock;
use crate::commands::change::lifecycle::review::{Review, over_draft, review};
use crate::commands::change::lifecycle::undo::answers_of;
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, text_of};

/// An act.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Hand it over for assessment.
    Submit {
        /// The change's key.
        key: String,
    },
    /// State risk and impact.
    #[command(
        after_help = "Example: assent change assess CHG-1042 --impact-availability low --complexity low --dependencies-reviewed"
    )]
    Assess {
        /// The change's key.
        key: String,
        /// Impact on data.
        #[arg(long, value_parser = ["none", "low", "medium", "high"])]
        impact_data: Option<String>,
        /// Impact on availability.
        #[arg(long, value_parser = ["none", "low", "medium", "high"])]
        impact_availability: Option<String>,
        /// Impact on compliance.
        #[arg(long, value_parser = ["none", "low", "medium", "high"])]
        impact_compliance: Option<String>,
        /// How hard it is.
        #[arg(long, value_parser = ["low", "medium", "high"])]
        complexity: Option<String>,
        /// The answers to the security questions.
        #[arg(long)]
        security: Option<String>,
        /// An answer to a security question, such as open_ports=no or secrets='yes: a new key'; may be repeated.
        #[arg(long, value_name = "QUESTION=ANSWER")]
        answer: Vec<String>,
        /// The dependencies were looked at.
        #[arg(long)]
        dependencies_reviewed: bool,
        /// A level against the table; needs --reason.
        #[arg(long, value_parser = ["low", "medium", "high"], requires = "reason")]
        risk: Option<String>,
        /// Why that level.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say that you have seen that you are asked.
    Acknowledge {
        /// The change's key.
        key: String,
    },
    /// Approve. Without --digest it shows the change and approves the content that it showed.
    #[command(
        after_help = "Example: assent change approve CHG-1042 --comment 'Fine by me'\n         \
        assent change approve CHG-1042 --condition 'Backup verified' --due start"
    )]
    Approve {
        /// The change's key.
        key: String,
        /// In your own words.
        #[arg(long)]
        comment: Option<String>,
        /// The content digest that you read.
        #[arg(long)]
        digest: Option<String>,
        /// A condition; may be given several times.
        #[arg(long)]
        condition: Vec<String>,
        /// When conditions are due.
        #[arg(long, value_parser = ["start", "close"], default_value = "start")]
        due: String,
        /// Who checks the conditions; you unless said.
        #[arg(long, value_name = "LOGIN")]
        checker: Option<String>,
        /// Say neither yes nor no.
        #[arg(long, conflicts_with = "condition")]
        abstain: bool,
        /// The board's meeting at which you say it.
        #[arg(long, value_name = "ID")]
        meeting: Option<String>,
        /// A field whose value below the derived one you accept, such as impact.data; may be given several times.
        #[arg(long, value_name = "FIELD", requires = "lower_reason", conflicts_with = "abstain")]
        lower: Vec<String>,
        /// Why the lower values are right.
        #[arg(long, value_name = "REASON", requires = "lower")]
        lower_reason: Option<String>,
    },
    /// Reject. One rejection by anyone asked rejects.
    Reject {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The content digest that you read.
        #[arg(long)]
        digest: Option<String>,
    },
    /// Take your own decision back.
    Withdraw {
        /// The change's key.
        key: String,
        /// The decision's id, as `approvals` shows it.
        approval: String,
    },
    /// Send it back to draft with a question.
    Return {
        /// The change's key.
        key: String,
        /// What you ask.
        #[arg(long)]
        question: String,
    },
    /// Let other changes go on in spite of this one's rejection.
    Overrule {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Record your peer review.
    PeerReview {
        /// The change's key.
        key: String,
        /// Your decision.
        #[arg(long, value_parser = ["agree", "disagree"])]
        verdict: String,
        /// In your own words.
        #[arg(long)]
        text: Option<String>,
        /// The content digest that you read.
        #[arg(long)]
        digest: Option<String>,
    },
    /// Place it under a legal hold, so that nothing of it is erased; or lift that.
    #[command(after_help = "Example: assent change legal-hold CHG-1042 --reason 'Case 4711'")]
    LegalHold {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Lift it.
        #[arg(long)]
        end: bool,
    },
    /// Erase texts of it for good: asked for by one who sets policies, confirmed by another. What the log proves stays.
    #[command(
        after_help = "Examples:\n  assent change erase CHG-1042 --kind former_texts --reason 'A password stood in the plan'\n  \
        assent change erase CHG-1042 --comment 01J… --reason 'Names a patient'\n  \
        assent change erase CHG-1042 --confirm"
    )]
    Erase {
        /// The change's key.
        key: String,
        /// `texts`: all of a change that has ended; `former_texts`: what was edited out.
        #[arg(long, value_parser = ["texts", "former_texts"], required_unless_present_any = ["comment", "confirm", "withdraw"])]
        kind: Option<String>,
        /// One comment, by its id.
        #[arg(long, value_name = "ID", conflicts_with = "kind")]
        comment: Option<String>,
        /// Why.
        #[arg(long, required_unless_present_any = ["confirm", "withdraw"])]
        reason: Option<String>,
        /// Confirm what another person asked for.
        #[arg(long, conflicts_with_all = ["kind", "comment", "reason", "withdraw"])]
        confirm: bool,
        /// Withdraw what was asked for.
        #[arg(long, conflicts_with_all = ["kind", "comment", "reason"])]
        withdraw: bool,
    },
    /// Pause it.
    Hold {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// When people are reminded.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        until: Option<String>,
    },
    /// Go on.
    Resume {
        /// The change's key.
        key: String,
    },
    /// Begin the work by hand.
    Start {
        /// The change's key.
        key: String,
    },
    /// Write into the log of actions.
    #[command(
        after_help = "Example: assent change note CHG-1042 'Node 3 drained slowly' --kind issue\n         \
        assent change note CHG-1042 'Draining node 3' --kind begin --step 2\n         \
        assent change note CHG-1042 'Begun by mistake' --kind deviation --withdraws 0198…\n         \
        assent change note CHG-1042 'The dashboard is down' --step 3 --skipped"
    )]
    Note {
        /// The change's key.
        key: String,
        /// What was done or seen.
        text: String,
        /// `step` is the end of a step and `begin` its start. A deviation, an issue or the begin of a rollback alerts owner and
        /// change manager at once.
        #[arg(long, value_parser = ["step", "begin", "deviation", "issue", "rollback"], default_value = "step")]
        kind: String,
        /// The step that it is about, counted from 1: of the plan, or of the rollback plan where the kind is `rollback`.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        step: Option<u32>,
        /// The id of an entry to take back, as `assent change entries` shows it: with --kind deviation the beginning of a way back, else
        /// a step that you noted by mistake in the last five minutes.
        #[arg(long, value_name = "ENTRY")]
        withdraws: Option<String>,
        /// The step was skipped; the text says why.
        #[arg(long, requires = "step")]
        skipped: bool,
        /// The target's id.
        #[arg(long)]
        target: Option<String>,
        /// When it happened.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Ask for more time, or decide on it.
    #[command(
        group = ArgGroup::new("wish").required(true).args(["until", "grant", "deny"]),
        after_help = "Example: assent change extend CHG-1042 --until +30m --reason 'Index build is slow'\n         \
        assent change extend CHG-1042 --grant"
    )]
    Extend {
        /// The change's key.
        key: String,
        /// Until when.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        until: Option<String>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        /// Grant what was asked.
        #[arg(long)]
        grant: bool,
        /// Deny what was asked.
        #[arg(long)]
        deny: bool,
    },
    /// Say how it ended.
    #[command(after_help = "Example: assent change complete CHG-1042 --outcome succeeded_with_issues --downtime 3")]
    Complete {
        /// The change's key.
        key: String,
        /// How.
        #[arg(long, value_parser = ["succeeded", "succeeded_with_issues", "partially_implemented", "rolled_back", "rollback_failed", "failed", "not_implemented"])]
        outcome: String,
        /// One target's id; all that are still open unless said.
        #[arg(long)]
        target: Option<String>,
        /// When the work began.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        from: Option<String>,
        /// When it ended.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        to: Option<String>,
        /// Minutes of real downtime.
        #[arg(long, value_name = "MINUTES")]
        downtime: Option<i64>,
        /// Why, when another outcome stands already.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say whether it works.
    #[command(group = ArgGroup::new("word").required(true).args(["works", "does_not"]))]
    Validate {
        /// The change's key.
        key: String,
        /// It works.
        #[arg(long)]
        works: bool,
        /// It does not.
        #[arg(long)]
        does_not: bool,
        /// What you saw.
        #[arg(long)]
        text: Option<String>,
    },
    /// Write the post-implementation review. What is not marked as wrong was right.
    Review(Review),
    /// Close it.
    Close {
        /// The change's key.
        key: String,
    },
    /// Take it back before the start.
    Cancel {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Start without approvals, in the open. Needs a fresh factor of a session.
    #[command(
        after_help = "Example: assent change break-glass CHG-1042 --reason 'Labels stand still' --until +1h --as acme/yusuf --as-password FILE"
    )]
    BreakGlass {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long, required_unless_present = "validate")]
        reason: Option<String>,
        /// At most four hours ahead.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "+1h")]
        until: String,
        /// The incident.
        #[arg(long, value_name = "KEY")]
        incident: Option<String>,
        /// Afterwards, as another person: what you found.
        #[arg(long, value_name = "TEXT", conflicts_with_all = ["reason", "incident"])]
        validate: Option<String>,
    },
    /// Co-sign somebody else's break-glass, once you have read what it is for. With --digest an edit in between is refused.
    Cosign {
        /// The change's key.
        key: String,
        /// The content digest that you read.
        #[arg(long)]
        digest: Option<String>,
    },
    /// Confirm or deny that you agreed to work that was recorded afterwards.
    Confirm {
        /// The change's key.
        key: String,
        /// You did not agree.
        #[arg(long)]
        deny: bool,
        /// In your own words.
        #[arg(long)]
        text: Option<String>,
    },
    /// State the finding on unauthorized work.
    Finding {
        /// The change's key.
        key: String,
        /// The finding.
        text: String,
    },
    /// Ask to open the gate again after a finding about the log, or agree to it: a change manager and somebody of security or audit.
    ReopenGate {
        /// The change's key.
        key: String,
        /// What explains the finding.
        text: String,
    },
}

/// A body of those fields that have a value.
fn fields(all: &[(&str, Option<Value>)]) -> Value {
    let set = all
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
    Value::Object(set.collect())
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_ref().map(|text| json!(text))
}

fn time(value: &Option<String>) -> Result<Option<Value>> {
    let moment = value
        .as_deref()
        .map(|text| clock::moment(text, clock::now()))
        .transpose()?;
    Ok(moment.map(|at| json!(at.to_string())))
}

/// Sets the planned times, on the condition that nobody was faster.
pub(super) fn schedule(client: &Client, key: &str, from: &str, to: &str, output: &Output) -> Result<()> {
    let now = clock::now();
    let body = json!({
        "planned_start": clock::moment(from, now)?.to_string(),
        "planned_end": clock::moment(to, now)?.to_string(),
    });
    let etag = client.get(&path(key, ""))?.etag.unwrap_or_else(|| "*".to_owned());
    let change = client.conditional("PUT", &path(key, "/schedule"), &body, &etag)?.body;
    show::print_done(output, &change, "has its times");
    Ok(())
}

/// Performs an act and prints the result.
pub(super) fn run(client: &Client, act: &Act, output: &Output) -> Result<()> {
    match act {
        Act::Approve { .. } | Act::Reject { .. } | Act::PeerReview { .. } => return decide(client, act, output),
        Act::Withdraw { key, approval } => {
            let at = path(key, &format!("/approvals/{}", crate::client::encode(approval)));
            let change = client.delete(&at)?.body;
            show::print_done(output, &change, "has one decision less");
            return Ok(());
        }
        _ => {}
    }
    let (key, rest, mut body, done) = request(act)?;
    if let Act::Review(said) = act
        && said.draft
    {
        body = over_draft(client, said)?;
    }
    let answer = client.post(&path(key, rest), &body)?.body;
    if let Act::BreakGlass { validate: None, .. } = act {
        return show::print_break_glass(client, &answer, output);
    }
    if answer.get("change_state").is_some() {
        print_item(output, key, &answer, done);
    } else {
        show::print_done(output, &answer, done);
    }
    if let Act::Submit { .. } = act {
        show::print_turned_normal(output, &answer);
    }
    Ok(())
}

/// The result for an item: its id, and the change's state now.
pub(super) fn print_item(output: &Output, key: &str, item: &Value, done: &str) {
    let state = text_of(item, "change_state");
    output.data(item, |output| {
        let now = if state.is_empty() {
            String::new()
        } else {
            format!(", {}", output.tone(Tone::Strong, &state))
        };
        output.line(&format!("{key} {done} ({}){now}", text_of(item, "id")));
    });
    show::suggest(output, key, &state, false);
}

type Request<'a> = (&'a str, &'static str, Value, &'static str);

/// The same for the stored data of a change.
fn kept(act: &Act) -> Result<Request<'_>> {
    let nothing = || json!({});
    Ok(match act {
        Act::LegalHold { key, reason, end } => (
            key,
            if *end { "/legal-hold/end" } else { "/legal-hold" },
            json!({"reason": reason}),
            if *end {
                "has the lifting of its legal hold noted"
            } else {
                "is under a legal hold"
            },
        ),
        Act::Erase { key, confirm: true, .. } => (key, "/erasure/confirmation", nothing(), "has lost those texts"),
        Act::Erase {
            key, withdraw: true, ..
        } => (key, "/erasure/withdrawal", nothing(), "keeps its texts"),
        Act::Erase {
            key,
            kind,
            comment,
            reason,
            ..
        } => {
            let kind = kind.as_deref().unwrap_or("comment");
            let all = [
                ("kind", Some(json!(kind))),
                ("comment", text(comment)),
                ("reason", text(reason)),
            ];
            (key, "/erasure", fields(&all), "has its erasure noted")
        }
        _ => return Err(Failure::could_not("This act has no route of its own.")),
    })
}

/// Key, route, body and the verb for the output.
fn request(act: &Act) -> Result<Request<'_>> {
    let nothing = || json!({});
    Ok(match act {
        Act::Submit { key } => (key, "/submission", nothing(), "submitted"),
        Act::Assess { key, .. } => (key, "/assessment", assessment(act), "assessed"),
        Act::Acknowledge { key } => (key, "/acknowledgements", nothing(), "acknowledged"),
        Act::Return { key, question } => (key, "/return", json!({"question": question}), "returned"),
        Act::Overrule { key, reason } => (key, "/overruling", json!({"reason": reason}), "overruled"),
        Act::LegalHold { .. } | Act::Erase { .. } => kept(act)?,
        Act::Hold { key, reason, until } => (
            key,
            "/hold",
            fields(&[("reason", Some(json!(reason))), ("until", time(until)?)]),
            "held",
        ),
        Act::Resume { key } => (key, "/resume", nothing(), "resumed"),
        Act::Start { key } => (key, "/implementation", nothing(), "started"),
        Act::Note {
            key,
            text: words,
            kind,
            step,
            withdraws,
            skipped,
            target,
            at,
        } => {
            let all = [
                ("text", Some(json!(words))),
                ("kind", Some(json!(kind))),
                ("step", step.map(|it| json!(it))),
                ("withdraws", text(withdraws)),
                ("skipped", skipped.then(|| json!(true))),
                ("target", text(target)),
                ("occurred_at", time(at)?),
            ];
            (key, "/implementation/entries", fields(&all), "noted")
        }
        Act::Extend { key, until, reason, .. } if until.is_some() => (
            key,
            "/extension",
            fields(&[("until", time(until)?), ("reason", text(reason))]),
            "asks for more time",
        ),
        Act::Extend { key, reason, grant, .. } => {
            let done = if *grant { "has more time" } else { "gets no more time" };
            (
                key,
                "/extension/decision",
                fields(&[("grant", Some(json!(grant))), ("reason", text(reason))]),
                done,
            )
        }
        _ => return later(act),
    })
}

/// The acts from completion on.
fn later(act: &Act) -> Result<Request<'_>> {
    Ok(match act {
        Act::Complete { key, .. } => (key, "/completion", completion(act)?, "completed"),
        Act::Validate {
            key,
            works,
            text: words,
            ..
        } => {
            let result = if *works { "works" } else { "does_not" };
            (
                key,
                "/validation",
                fields(&[("result", Some(json!(result))), ("text", text(words))]),
                "validated",
            )
        }
        Act::Review(said) => (&said.key, "/review", review(said), "reviewed"),
        Act::Close { key } => (key, "/closure", json!({}), "closed"),
        Act::Cancel { key, reason } => (key, "/cancellation", json!({"reason": reason}), "cancelled"),
        Act::BreakGlass {
            key,
            validate: Some(words),
            ..
        } => (key, "/break-glass/validation", json!({"text": words}), "validated"),
        Act::BreakGlass {
            key,
            reason,
            until,
            incident,
            ..
        } => {
            let until = Some(json!(clock::moment(until, clock::now())?.to_string()));
            let all = [("reason", text(reason)), ("until", until), ("incident", text(incident))];
            (key, "/break-glass", fields(&all), "used break-glass")
        }
        Act::Cosign { key, digest } => {
            let read = fields(&[("content_digest", text(digest))]);
            (key, "/break-glass/co-signature", read, "co-signed")
        }
        Act::Confirm { key, deny, text: words } => {
            let all = [("confirmed", Some(json!(!deny))), ("text", text(words))];
            (
                key,
                "/retrospective/confirmation",
                fields(&all),
                if *deny { "denied" } else { "confirmed" },
            )
        }
        Act::ReopenGate { key, text } => (key, "/gate-reopenings", json!({"text": text}), "has its explanation"),
        Act::Finding { key, text: words } => (key, "/finding", json!({"text": words}), "has its finding"),
        _ => return Err(Failure::could_not("This act has no route of its own.")),
    })
}

fn assessment(act: &Act) -> Value {
    let Act::Assess {
        impact_data,
        impact_availability,
        impact_compliance,
        complexity,
        security,
        answer,
        dependencies_reviewed,
        risk,
        reason,
        ..
    } = act
    else {
        return Value::Null;
    };
    let impact = fields(&[
        ("data", text(impact_data)),
        ("availability", text(impact_availability)),
        ("compliance", text(impact_compliance)),
    ]);
    let has_impact = impact.as_object().is_some_and(|axes| !axes.is_empty());
    fields(&[
        ("impact", has_impact.then_some(impact)),
        ("complexity", text(complexity)),
        ("security", text(security)),
        ("security_answers", (!answer.is_empty()).then(|| answers_of(answer))),
        ("dependencies_reviewed", dependencies_reviewed.then_some(json!(true))),
        (
            "risk_override",
            risk.as_ref().map(|level| json!({"level": level, "reason": reason})),
        ),
    ])
}

fn completion(act: &Act) -> Result<Value> {
    let Act::Complete {
        outcome,
        target,
        from,
        to,
        downtime,
        reason,
        ..
    } = act
    else {
        return Ok(Value::Null);
    };
    Ok(fields(&[
        ("outcome", Some(json!(outcome))),
        ("target", text(target)),
        ("actual_start", time(from)?),
        ("actual_end", time(to)?),
        ("actual_downtime_minutes", downtime.map(|minutes| json!(minutes))),
        ("reason", text(reason)),
    ]))
}

/// Decisions and peer reviews name the digest of the content that was read; without one, the content is shown first and
/// its digest named, so that an edit in between is refused.
fn decide(client: &Client, act: &Act, output: &Output) -> Result<()> {
    let (key, digest) = match act {
        Act::Approve { key, digest, .. } | Act::Reject { key, digest, .. } | Act::PeerReview { key, digest, .. } => {
            (key, digest)
        }
        _ => return Ok(()),
    };
    let digest = match digest {
        Some(digest) => digest.clone(),
        None => {
            let change = client.get(&path(key, ""))?.body;
            match output.is_json() {
                // Standard output is for programs; a person at a terminal reads the card beside it.
                true => card::card(&output.aside(), &change),
                false => card::card(output, &change),
            }
            text_of(&change, "content_digest")
        }
    };
    let (rest, mut body, done) = decision(act)?;
    body["content_digest"] = json!(digest);
    let item = client.post(&path(key, rest), &body)?.body;
    print_item(output, key, &item, done);
    Ok(())
}

/// Route, body without its digest, and the verb for the output.
fn decision(act: &Act) -> Result<(&'static str, Value, &'static str)> {
    Ok(match act {
        Act::Reject { reason, .. } => (
            "/approvals",
            json!({"decision": "reject", "comment": reason}),
            "rejected",
        ),
        Act::PeerReview {
            verdict, text: words, ..
        } => (
            "/peer-reviews",
            fields(&[("verdict", Some(json!(verdict))), ("text", text(words))]),
            "peer-reviewed",
        ),
        Act::Approve { .. } => approval(act),
        _ => return Err(Failure::could_not("This act is no decision.")),
    })
}

fn approval(act: &Act) -> (&'static str, Value, &'static str) {
    let Act::Approve {
        comment,
        condition,
        due,
        checker,
        abstain,
        meeting,
        lower,
        lower_reason,
        ..
    } = act
    else {
        return ("/approvals", Value::Null, "");
    };
    let one = |words: &String| {
        fields(&[
            ("text", Some(json!(words))),
            ("due", Some(json!(due))),
            ("checker", text(checker)),
        ])
    };
    let conditions: Vec<Value> = condition.iter().map(one).collect();
    let (word, done) = match (*abstain, conditions.is_empty()) {
        (true, _) => ("abstain", "has your abstention"),
        (false, true) => ("approve", "approved"),
        (false, false) => ("approve_with_conditions", "approved with conditions"),
    };
    let conditions = (!conditions.is_empty()).then_some(Value::Array(conditions));
    let lowering = (!lower.is_empty()).then(|| json!({"fields": lower, "reason": lower_reason}));
    let all = [
        ("lowering", lowering),
        ("decision", Some(json!(word))),
        ("comment", text(comment)),
        ("conditions", conditions),
        ("meeting", text(meeting)),
    ];
    ("/approvals", fields(&all), done)
}
