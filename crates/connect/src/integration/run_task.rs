//! Run tasks of HCP Terraform and Terraform Enterprise (“Run tasks integration API”, payload version 1): a run sends a request
//! before it plans, after it planned, before it applies and after it applied, and waits for a result at the address that it
//! names.
//!
//! A body is signed with HMAC-SHA512 under the task's key. The body has a token that lives as long as the task and is valid
//! only for its own result; the stored delivery has that token sealed. The natural key is the id of the task's result.

use jiff::Timestamp;
use model::core::unmet::Unmet;
use model::gate::provenance::{CheckReply, OutsideCheck};
use model::integration::signal::{self, DecisionTexts, RunTask, SetAside, Signal};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::integration::received::parse;
use crate::socket::call::Call;

/// The kind of these connections.
pub const KIND: &str = "terraform_task";
/// The header of the signature, in small letters.
pub const SIGNATURE: &str = "x-tfc-task-signature";
/// The token of the request that tries whether a task is reached; no result is wanted.
const TEST_TOKEN: &str = "test-token";
/// The longest token, in bytes.
const TOKEN_MAX_BYTES: usize = 4_096;
/// The longest line of a result, in bytes.
const MESSAGE_MAX_BYTES: usize = 1_000;
/// The most reasons of a result; each is shown on its own. A body of an outcome may have 1 MB, which these never reach.
const OUTCOMES_MAX: usize = 50;

#[derive(Deserialize)]
struct Body {
    payload_version: u64,
    stage: Option<String>,
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    is_speculative: bool,
    organization_name: Option<String>,
    workspace_name: Option<String>,
    run_id: Option<String>,
    run_message: Option<String>,
    run_created_by: Option<String>,
    task_result_id: Option<String>,
    task_result_callback_url: Option<String>,
    task_result_enforcement_level: Option<String>,
    vcs_branch: Option<String>,
    vcs_commit_url: Option<String>,
}

impl Body {
    /// Whether this only tries whether the task is reached, as Terraform does when a task is set up.
    fn is_trial(&self) -> bool {
        let is_test = |word: &Option<String>| word.as_deref() == Some("test");
        self.access_token == TEST_TOKEN || is_test(&self.stage) || is_test(&self.task_result_enforcement_level)
    }
}

/// Whether `header` is the signature of a body: HMAC-SHA512 in hexadecimal digits. The comparison takes the same time wherever the
/// first difference lies.
#[must_use]
pub fn signature(secret: &str, body: &[u8], header: &str) -> bool {
    let digits = header.trim().as_bytes();
    if digits.len() != 128 {
        return false;
    }
    let value = |byte: u8| char::from(byte).to_digit(16);
    let tag: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
    tag.is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
}

/// The stored form of a body: its token is sealed, so that no reader of deliveries can send a result in our name.
///
/// # Errors
/// The error of sealing.
pub fn sealed<E>(body: Vec<u8>, seal: impl FnOnce(&str) -> Result<String, E>) -> Result<Vec<u8>, E> {
    let Ok(Value::Object(mut told)) = parse::<Value>(&body) else {
        return Ok(body);
    };
    let token = told.get("access_token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() || token == TEST_TOKEN {
        return Ok(body);
    }
    let token = seal(token)?;
    told.insert("access_token".to_owned(), token.into());
    Ok(Value::Object(told).to_string().into_bytes())
}

/// Reads a request of a run.
///
/// # Errors
/// [`SetAside`] where the body is none, or has another version.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Body = parse(body)?;
    if it.payload_version != 1 {
        return Err(SetAside::because(format_args!(
            "run tasks of payload version {} are not known here",
            it.payload_version
        )));
    }
    if it.is_trial() {
        return Ok(vec![Signal::Ping]);
    }
    let stage = it.stage.as_deref().unwrap_or_default();
    if !RunTask::STAGES.contains(&stage) {
        return Err(SetAside::because(format_args!(
            "stage is none of {}: {stage}",
            RunTask::STAGES.join(", ")
        )));
    }
    let needed = |field: &str, text: &Option<String>| signal::name(field, text.as_deref().unwrap_or_default());
    let organization = needed("organization_name", &it.organization_name)?;
    let workspace = needed("workspace_name", &it.workspace_name)?;
    let callback = it.task_result_callback_url.as_deref().unwrap_or_default();
    let reply_to = signal::url(callback).ok_or_else(|| SetAside::because("task_result_callback_url is no address"))?;
    if it.access_token.is_empty() || it.access_token.len() > TOKEN_MAX_BYTES {
        return Err(SetAside::because("access_token is empty or too long"));
    }
    let message = it.run_message.as_deref().and_then(signal::free_text);
    let told = commit_of_url(it.vcs_commit_url.as_deref());
    let claimed = message.as_deref().and_then(claimed_commit).filter(|_| told.is_none());
    let is_claimed = claimed.is_some();
    Ok(vec![Signal::RunTask(RunTask {
        workspace: signal::name("workspace", &format!("{organization}/{workspace}"))?,
        run: needed("run_id", &it.run_id)?,
        result: needed("task_result_id", &it.task_result_id)?,
        stage: stage.to_owned(),
        is_speculative: it.is_speculative,
        commit: told.or(claimed).unwrap_or_default(),
        is_claimed,
        actor: it.run_created_by.as_deref().and_then(signal::line),
        reply_to,
        token: it.access_token,
        texts: DecisionTexts {
            branch: it.vcs_branch.filter(|branch| !branch.is_empty()),
            title: message.clone(),
            body: None,
            message,
        },
        // Its ten minutes begin with its request, whenever the run was made.
        occurred_at: received_at,
    })])
}

/// The commit that a run was planned from, where Terraform fetched it: the last part of its address (`…/commit/SHA` at GitHub and
/// GitLab, `…/commits/SHA` at Bitbucket).
fn commit_of_url(url: Option<&str>) -> Option<String> {
    let last = url?.trim_end_matches('/').rsplit('/').next()?;
    signal::commit("vcs_commit_url", last).ok()
}

/// The first commit that the message of a run names.
fn claimed_commit(message: &str) -> Option<String> {
    let mut words = message.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.find_map(|word| signal::commit("run_message", word).ok())
}

/// The result for a run: `running` with the pending requirements, or the decision, with each reason as an outcome.
#[must_use]
pub fn result(check: &OutsideCheck, token: &str, page: &str) -> Call {
    let status = match check.answer {
        CheckReply::Waiting => "running",
        CheckReply::Approved => "passed",
        CheckReply::Rejected => "failed",
    };
    let message = signal::shortened(&check.text, MESSAGE_MAX_BYTES);
    let outcomes: Vec<Value> = check
        .reasons
        .iter()
        .take(OUTCOMES_MAX)
        .enumerate()
        .map(|(place, reason)| outcome(check, place, reason, page))
        .collect();
    let mut data = json!({
        "type": "task-results",
        "attributes": {"status": status, "message": message, "url": page},
    });
    if !outcomes.is_empty() {
        data["relationships"] = json!({"outcomes": {"data": outcomes}});
    }
    Call {
        method: "PATCH",
        url: check.reply_to.clone(),
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("content-type".to_owned(), "application/vnd.api+json".to_owned()),
        ],
        body: json!({"data": data}).to_string().into_bytes(),
    }
}

/// One reason: its sentence, its tags, and in Markdown the next steps and the people for whom it waits.
fn outcome(check: &OutsideCheck, place: usize, reason: &Unmet, page: &str) -> Value {
    let (label, level) = match check.answer {
        CheckReply::Waiting => ("Waiting", "warning"),
        CheckReply::Approved => ("Go", "info"),
        CheckReply::Rejected => ("Stop", "error"),
    };
    let mut tags = json!({"Status": [{"label": label, "level": level}], "Reason": [{"label": reason.code}]});
    if let Some(key) = &check.change_key {
        tags["Change"] = json!([{"label": key}]);
    }
    let mut body = format!("## {}\n\n{}\n", escaped(&reason.text), escaped(&reason.satisfy));
    if !reason.waiting_on.is_empty() {
        body.push_str("\nWaits for:\n\n");
        for login in &reason.waiting_on {
            body.push_str(&format!("- {}\n", escaped(login)));
        }
    }
    json!({"type": "task-result-outcomes", "attributes": {
        "outcome-id": format!("{}-{}", reason.code, place + 1),
        "description": signal::shortened(&reason.text, MESSAGE_MAX_BYTES),
        "body": body,
        "url": page,
        "tags": tags,
    }})
}

/// A text as Markdown shows it letter by letter: titles of changes are in reasons, and people write those.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if r"\`*_{}[]<>#|!~&".contains(letter) {
            shown.push('\\');
        }
        shown.push(if letter.is_control() { ' ' } else { letter });
    }
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::core::ids::{RecordId, ServiceKey};
    use model::core::unmet::unmet;
    use model::integration::signal::DecisionKind;

    use super::*;

    const COMMIT: &str = "7d8fb2a2d601edebdb7a59ad2088a96673637d22";
    const CALLBACK: &str = "https://app.terraform.io/api/v2/task-results/5ea8d46c-2ceb-42cd-83f2-82e54697bddd/callback";

    fn at() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    /// The documented request, with these fields in place of its own.
    fn request(more: Value) -> Vec<u8> {
        let mut body = json!({
            "payload_version": 1, "stage": "pre_apply", "access_token": "4QEuyyxug1f2rw.atlasv1.iDyxqhXGVZ0yk",
            "capabilities": {"outcomes": true},
            "configuration_version_download_url": "https://app.terraform.io/api/v2/configuration-versions/cv-ntv3HbhJqvFzamy7/download",
            "configuration_version_id": "cv-ntv3HbhJqvFzamy7", "is_speculative": false, "organization_name": "hashicorp",
            "plan_json_api_url": "https://app.terraform.io/api/v2/plans/plan-6AFmRJW1PFJ7qbAh/json-output",
            "run_app_url": "https://app.terraform.io/app/hashicorp/my-workspace/runs/run-i3Df5to9ELvibKpQ",
            "run_created_at": "2021-09-02T14:47:13.036Z", "run_created_by": "username", "run_id": "run-i3Df5to9ELvibKpQ",
            "run_message": "CHG-1042: more memory", "task_result_callback_url": CALLBACK,
            "task_result_enforcement_level": "mandatory", "task_result_id": "taskrs-2nH5dncYoXaMVQmJ", "vcs_branch": "main",
            "vcs_commit_url": format!("https://github.com/hashicorp/terraform-random/commit/{COMMIT}"),
            "vcs_pull_request_url": null, "vcs_repo_url": "https://github.com/hashicorp/terraform-random",
            "workspace_app_url": "https://app.terraform.io/app/hashicorp/my-workspace",
            "workspace_id": "ws-ck4G5bb1Yei5szRh", "workspace_name": "tfr_github_0",
            "workspace_working_directory": "/terraform",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.to_string().into_bytes()
    }

    fn task(more: Value) -> RunTask {
        match &read(&request(more), at()).unwrap()[..] {
            [Signal::RunTask(task)] => task.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_documented_request_is_read() {
        let it = task(json!({}));
        assert_eq!(it.workspace, "hashicorp/tfr_github_0");
        assert_eq!((it.stage.as_str(), it.commit.as_str()), ("pre_apply", COMMIT));
        assert_eq!(
            (it.reply_to.as_str(), it.run.as_str()),
            (CALLBACK, "run-i3Df5to9ELvibKpQ")
        );
        assert_eq!((it.occurred_at, it.is_speculative, it.is_claimed), (at(), false, false));
        assert_eq!(it.actor.as_deref(), Some("username"));
        let shown = serde_json::to_string(&it).unwrap();
        assert!(!shown.contains("atlasv1"), "a signal is shown to people: {shown}");
    }

    #[test]
    fn a_commit_in_the_message_is_the_word_of_who_started_the_run() {
        let of = |url: Value, message: &str| {
            let it = task(json!({"vcs_commit_url": url, "run_message": message}));
            (it.commit, it.is_claimed)
        };
        let claim = format!("CHG-7 at {COMMIT}.");
        let (told, none) = ((COMMIT.to_owned(), false), (String::new(), false));
        assert_eq!(of(Value::Null, &claim), (COMMIT.to_owned(), true));
        assert_eq!(of(Value::Null, "CHG-7"), none);
        let bitbucket = json!(format!("https://bitbucket.org/a/b/commits/{COMMIT}/"));
        assert_eq!(of(bitbucket, &claim.replace('7', "8")), told);
        assert_eq!(of(json!("https://github.com/a/b/commit/main"), ""), none);
    }

    #[test]
    fn a_trial_wants_no_result_and_an_unknown_request_is_set_aside() {
        for trial in [
            json!({"access_token": "test-token"}),
            json!({"stage": "test"}),
            json!({"task_result_enforcement_level": "test"}),
        ] {
            assert_eq!(read(&request(trial), at()).unwrap(), [Signal::Ping]);
        }
        for wrong in [
            json!({"payload_version": 2}),
            json!({"stage": "during_apply"}),
            json!({"workspace_name": null}),
            json!({"task_result_callback_url": "file:///etc/passwd"}),
            json!({"access_token": ""}),
            json!({"run_id": "x\n"}),
        ] {
            assert!(read(&request(wrong.clone()), at()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_signature_is_of_the_raw_body_under_the_key() {
        // HMAC-SHA512 of RFC 4231, test case 2.
        let good = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        let body = b"what do ya want for nothing?";
        assert!(signature("Jefe", body, good));
        assert!(!signature("Jefe", b"what do ya want for nothing!", good));
        assert!(!signature("jefe", body, good));
        for wrong in ["", &good[..126], &good.replace('1', "z"), &format!("sha512={good}")] {
            assert!(!signature("Jefe", body, wrong), "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_holds_no_token() {
        let kept = sealed(request(json!({})), |token| {
            Ok::<_, ()>(format!("sealed-{}", token.len()))
        })
        .unwrap();
        let text = String::from_utf8(kept.clone()).unwrap();
        assert!(!text.contains("atlasv1") && text.contains("sealed-36"), "{text}");
        let [Signal::RunTask(task)] = &read(&kept, at()).unwrap()[..] else {
            panic!("{text}")
        };
        assert_eq!(task.token, "sealed-36");
        assert!(sealed(request(json!({})), |_| Err(())).is_err());
        let trial = request(json!({"access_token": "test-token"}));
        assert_eq!(sealed(trial.clone(), |_| Err(())), Ok(trial));
    }

    fn check(answer: CheckReply, reasons: Vec<Unmet>) -> OutsideCheck {
        OutsideCheck {
            id: RecordId::from("c"),
            version: 1,
            connection: RecordId::from("k"),
            ask: DecisionKind::RunTask,
            natural_key: "taskrs-1".to_owned(),
            repository: "hashicorp/tfr_github_0".to_owned(),
            service: ServiceKey::from("pay"),
            others: Vec::new(),
            base: None,
            environment: None,
            theirs: None,
            commit: COMMIT.to_owned(),
            number: None,
            reply_to: CALLBACK.to_owned(),
            named: None,
            found_by: None,
            change: None,
            change_key: Some("CHG-1042".to_owned()),
            answer,
            text: "It waits.".to_owned(),
            stage: Some("pre_apply".to_owned()),
            is_speculative: false,
            reasons,
            is_over: false,
            at: at(),
        }
    }

    #[test]
    fn each_reason_is_an_outcome_and_shows_as_it_was_written() {
        let reasons = vec![
            unmet(
                "approval_missing",
                "An approval of <b>*Ops*</b> is missing.",
                "Ops approves.",
                vec!["ada".to_owned()],
            ),
            unmet(
                "window_closed",
                "The window opens at 22:00.",
                "Wait.",
                vec!["bo".to_owned()],
            ),
        ];
        let call = result(
            &check(CheckReply::Waiting, reasons),
            "secret",
            "https://a.example/t/x/changes/CHG-1042",
        );
        assert_eq!((call.method, call.url.as_str()), ("PATCH", CALLBACK));
        assert_eq!(call.headers[0].1, "Bearer secret");
        assert_eq!(call.headers[1].1, "application/vnd.api+json");
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(body["data"]["type"], "task-results");
        assert_eq!(body["data"]["attributes"]["status"], "running");
        let outcomes = body.pointer("/data/relationships/outcomes/data").unwrap();
        assert_eq!(outcomes.as_array().unwrap().len(), 2);
        assert_eq!(outcomes[0]["type"], "task-result-outcomes");
        let first = &outcomes[0]["attributes"];
        assert_eq!(first["outcome-id"], "approval_missing-1");
        assert_eq!(
            first["tags"]["Status"][0],
            json!({"label": "Waiting", "level": "warning"})
        );
        assert_eq!(first["tags"]["Change"][0]["label"], "CHG-1042");
        let shown = first["body"].as_str().unwrap();
        assert!(
            shown.contains(r"\<b\>\*Ops\*\</b\>") && shown.contains("- ada"),
            "{shown}"
        );
        let done = result(&check(CheckReply::Approved, Vec::new()), "secret", "p");
        let done: Value = serde_json::from_slice(&done.body).unwrap();
        assert_eq!(done["data"]["attributes"]["status"], "passed");
        assert!(done["data"].get("relationships").is_none());
    }
}
