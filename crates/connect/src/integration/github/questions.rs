//! Requests and reports in GitHub's deliveries beside deployments: protection rules that wait for a decision, heads of pull
//! requests and merge groups that wait for a status, and the trees of pushed commits.

use jiff::Timestamp;
use model::integration::signal::{self, CommitTree, DecisionKind, DecisionRequest, DecisionTexts, SetAside, Signal};
use serde::Deserialize;

use super::api::CONTEXT;
use super::{Repository, parse, time};

/// Adds a body's requests to its other signals. A part that cannot be read leaves the rest as it is: a vendor that changes a
/// field must not hide a deployment.
#[must_use]
pub fn with_questions(event: &str, body: &[u8], mut signals: Vec<Signal>, received_at: Timestamp) -> Vec<Signal> {
    let more = match event {
        "deployment_protection_rule" => protection_rule(body, received_at),
        "pull_request" => pull_request(body),
        "merge_group" => merge_group(body, received_at),
        "check_suite" | "check_run" => again(body, received_at),
        "push" => push(body),
        _ => return signals,
    };
    match more {
        Ok(more) if !more.is_empty() => {
            signals.retain(|known| !matches!(known, Signal::Unknown { .. }));
            signals.extend(more);
        }
        Ok(_) => {}
        Err(aside) => signals.push(Signal::unread(event, &aside)),
    }
    signals
}

#[derive(Deserialize)]
struct RuleBody {
    action: String,
    environment: String,
    sha: Option<String>,
    #[serde(rename = "ref")]
    ref_name: Option<String>,
    deployment_callback_url: String,
    deployment: Option<RuleDeployment>,
    repository: Repository,
}

#[derive(Deserialize)]
struct RuleDeployment {
    sha: Option<String>,
    created_at: Option<String>,
}

fn protection_rule(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: RuleBody = parse(body)?;
    if it.action != "requested" {
        return Ok(Vec::new());
    }
    let deployment = it.deployment.unwrap_or(RuleDeployment {
        sha: None,
        created_at: None,
    });
    let sha = it.sha.or(deployment.sha).unwrap_or_default();
    let occurred_at = deployment
        .created_at
        .as_deref()
        .map(|text| time("deployment.created_at", text))
        .transpose()?;
    let reply_to = signal::url(&it.deployment_callback_url)
        .ok_or_else(|| SetAside::because("deployment_callback_url is no address"))?;
    Ok(vec![Signal::Ask(DecisionRequest {
        ask: DecisionKind::ProtectionRule,
        repository: signal::name("repository", &it.repository.full_name)?,
        environment: Some(signal::name("environment", &it.environment)?),
        commit: signal::commit("sha", &sha)?,
        before: None,
        number: None,
        reply_to,
        is_over: false,
        actor: None,
        author: None,
        fork: None,
        is_repeat: false,
        texts: DecisionTexts {
            branch: it.ref_name,
            ..DecisionTexts::default()
        },
        occurred_at: occurred_at.unwrap_or(received_at),
    })])
}

#[derive(Deserialize)]
struct PullBody {
    action: String,
    before: Option<String>,
    pull_request: Pull,
    repository: Repository,
    sender: Option<super::Account>,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    title: String,
    body: Option<String>,
    state: Option<String>,
    head: PullHead,
    user: Option<super::Account>,
    updated_at: String,
}

#[derive(Deserialize)]
struct PullHead {
    sha: String,
    #[serde(rename = "ref")]
    ref_name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    repo: Option<Option<Repository>>,
}

/// Distinguishes `null` from an absent member: GitHub sends `null` where a fork was deleted.
fn present<'de, D: serde::Deserializer<'de>>(it: D) -> Result<Option<Option<Repository>>, D::Error> {
    Option::<Repository>::deserialize(it).map(Some)
}

/// The repository of a pull request's head, where it is another than the one that the request is made to.
fn fork_of(head: Option<Option<Repository>>, base: &str) -> Option<String> {
    let head = head?.map(|repository| repository.full_name).unwrap_or_default();
    (!head.eq_ignore_ascii_case(base)).then_some(head)
}

fn pull_request(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let it: PullBody = parse(body)?;
    if !matches!(
        it.action.as_str(),
        "opened" | "reopened" | "synchronize" | "edited" | "closed" | "ready_for_review"
    ) {
        return Ok(Vec::new());
    }
    let pull = it.pull_request;
    Ok(vec![Signal::Ask(DecisionRequest {
        ask: DecisionKind::Merge,
        repository: signal::name("repository", &it.repository.full_name)?,
        environment: None,
        commit: signal::commit("pull_request.head.sha", &pull.head.sha)?,
        before: it.before.as_deref().and_then(|sha| signal::commit("before", sha).ok()),
        number: Some(pull.number),
        reply_to: pull.head.sha,
        is_over: it.action == "closed" || pull.state.as_deref() == Some("closed"),
        actor: super::login(&[it.sender])?,
        author: super::login(&[pull.user])?,
        fork: fork_of(pull.head.repo, &it.repository.full_name),
        is_repeat: false,
        texts: DecisionTexts {
            branch: pull.head.ref_name,
            title: Some(pull.title),
            body: pull.body,
            message: None,
        },
        occurred_at: time("pull_request.updated_at", &pull.updated_at)?,
    })])
}

#[derive(Deserialize)]
struct GroupBody {
    action: String,
    merge_group: Group,
    repository: Repository,
}

#[derive(Deserialize)]
struct Group {
    head_sha: String,
    base_sha: Option<String>,
    head_ref: String,
    head_commit: GroupCommit,
}

#[derive(Deserialize)]
struct GroupCommit {
    id: String,
    tree_id: Option<String>,
    message: Option<String>,
}

fn merge_group(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: GroupBody = parse(body)?;
    let repository = signal::name("repository", &it.repository.full_name)?;
    let group = it.merge_group;
    let commit = signal::commit("merge_group.head_sha", &group.head_sha)?;
    let mut signals = Vec::new();
    if let Some(tree) = group
        .head_commit
        .tree_id
        .as_deref()
        .filter(|_| group.head_commit.id == commit)
    {
        signals.push(Signal::CommitTree(CommitTree {
            repository: repository.clone(),
            commit: commit.clone(),
            tree: signal::commit("merge_group.head_commit.tree_id", tree)?,
            files: None,
            before: None,
            occurred_at: None,
        }));
    }
    signals.push(Signal::Ask(DecisionRequest {
        ask: DecisionKind::Merge,
        repository,
        environment: None,
        reply_to: commit.clone(),
        commit,
        before: group
            .base_sha
            .as_deref()
            .and_then(|sha| signal::commit("base_sha", sha).ok()),
        number: None,
        is_over: it.action != "checks_requested",
        actor: None,
        author: None,
        fork: None,
        is_repeat: false,
        texts: DecisionTexts {
            branch: Some(group.head_ref),
            message: group.head_commit.message,
            ..DecisionTexts::default()
        },
        occurred_at: received_at,
    }));
    Ok(signals)
}

#[derive(Deserialize)]
struct AgainBody {
    action: String,
    check_suite: Option<Checked>,
    check_run: Option<Checked>,
    repository: Repository,
}

#[derive(Deserialize)]
struct Checked {
    name: Option<String>,
    head_sha: String,
    head_branch: Option<String>,
    #[serde(default)]
    pull_requests: Vec<CheckedPull>,
}

#[derive(Deserialize)]
struct CheckedPull {
    number: u64,
}

/// A person requests our check again: for the suite, or for our own run in it.
fn again(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: AgainBody = parse(body)?;
    if it.action != "rerequested" {
        return Ok(Vec::new());
    }
    let run = it.check_run.filter(|run| run.name.as_deref() == Some(CONTEXT));
    let Some(checked) = run.or(it.check_suite) else {
        return Ok(Vec::new());
    };
    let commit = signal::commit("head_sha", &checked.head_sha)?;
    Ok(vec![Signal::Ask(DecisionRequest {
        ask: DecisionKind::Merge,
        repository: signal::name("repository", &it.repository.full_name)?,
        environment: None,
        reply_to: commit.clone(),
        commit,
        before: None,
        number: checked.pull_requests.first().map(|pull| pull.number),
        is_over: false,
        actor: None,
        author: None,
        fork: None,
        is_repeat: true,
        texts: DecisionTexts {
            branch: checked.head_branch,
            ..DecisionTexts::default()
        },
        occurred_at: received_at,
    })])
}

#[derive(Deserialize)]
struct PushTrees {
    before: Option<String>,
    after: String,
    #[serde(default)]
    forced: bool,
    #[serde(default)]
    commits: Vec<PushedFiles>,
    head_commit: Option<PushedHead>,
    repository: Repository,
}

#[derive(Deserialize)]
struct PushedFiles {
    added: Option<Vec<String>>,
    modified: Option<Vec<String>>,
    removed: Option<Vec<String>>,
}

/// The most files that are kept of a push; with more they count as not known.
const FILES: usize = 1_000;

/// The files of all commits of a push; `None` unless every commit lists its own.
fn files(commits: &[PushedFiles]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for commit in commits {
        for part in [&commit.added, &commit.modified, &commit.removed] {
            all.extend(part.clone()?);
        }
    }
    all.sort();
    all.dedup();
    (!all.is_empty() && all.len() <= FILES).then_some(all)
}

#[derive(Deserialize)]
struct PushedHead {
    id: String,
    tree_id: Option<String>,
}

fn push(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let it: PushTrees = parse(body)?;
    let Some(head) = it.head_commit.filter(|head| head.id == it.after) else {
        return Ok(Vec::new());
    };
    let Some(tree) = head.tree_id else {
        return Ok(Vec::new());
    };
    // After a forced push the earlier commit is no ancestor, so the files do not show the difference.
    let files = files(&it.commits).filter(|_| !it.forced);
    let before = it
        .before
        .filter(|_| files.is_some())
        .and_then(|sha| signal::commit("before", &sha).ok());
    Ok(vec![Signal::CommitTree(CommitTree {
        repository: signal::name("repository", &it.repository.full_name)?,
        commit: signal::commit("head_commit.id", &head.id)?,
        tree: signal::commit("head_commit.tree_id", &tree)?,
        files,
        before,
        occurred_at: None,
    })])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Value, json};

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const TREE: &str = "89abcdef0123456789abcdef0123456789abcdef";

    fn at() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn told(event: &str, body: &Value) -> Vec<Signal> {
        let nothing = vec![Signal::Unknown {
            event: event.to_owned(),
            action: None,
        }];
        with_questions(event, body.to_string().as_bytes(), nothing, at())
    }

    fn repository() -> Value {
        json!({"full_name": "acme/shop"})
    }

    #[test]
    fn a_merge_queue_asks_for_its_commit_and_tells_the_tree() {
        let group = |action: &str| {
            json!({"action": action, "repository": repository(), "merge_group": {
                "head_sha": COMMIT, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7", "base_sha": TREE,
                "head_commit": {"id": COMMIT, "tree_id": TREE, "message": "Merge\n\nChange: CHG-1042"},
            }})
        };
        let asked = told("merge_group", &group("checks_requested"));
        let [Signal::CommitTree(tree), Signal::Ask(ask)] = &asked[..] else {
            panic!("{asked:?}");
        };
        assert_eq!((tree.commit.as_str(), tree.tree.as_str()), (COMMIT, TREE));
        assert_eq!(
            (ask.ask, ask.commit.as_str(), ask.is_over),
            (DecisionKind::Merge, COMMIT, false)
        );
        assert_eq!(ask.texts.message.as_deref(), Some("Merge\n\nChange: CHG-1042"));
        let over = told("merge_group", &group("destroyed"));
        assert!(matches!(&over[..], [_, Signal::Ask(ask)] if ask.is_over), "{over:?}");
    }

    #[test]
    fn our_check_is_asked_for_once_more_and_no_other() {
        let suite = json!({"action": "rerequested", "repository": repository(),
            "check_suite": {"head_sha": COMMIT, "head_branch": "zone", "pull_requests": [{"number": 7}]}});
        let run = |name: &str| {
            json!({"action": "rerequested", "repository": repository(), "check_run": {
                "name": name, "head_sha": COMMIT, "pull_requests": [],
                "check_suite": {"head_sha": COMMIT, "head_branch": "zone"},
            }})
        };
        for (event, body, number) in [
            ("check_suite", suite.clone(), Some(7)),
            ("check_run", run(CONTEXT), None),
        ] {
            let found = told(event, &body);
            let [Signal::Ask(ask)] = &found[..] else {
                panic!("{found:?}");
            };
            assert!(ask.is_repeat && ask.number == number && ask.commit == COMMIT, "{ask:?}");
        }
        let mut begun = suite;
        begun["action"] = json!("requested");
        for (event, body) in [("check_run", run("lint")), ("check_suite", begun)] {
            assert!(matches!(&told(event, &body)[..], [Signal::Unknown { .. }]), "{event}");
        }
    }
}
