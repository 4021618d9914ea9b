//! The working paper of a sample: its changes with the facts from the log, the conclusions, the signature, and the
//! export.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::audit::audit_conclusion::AuditConclusion;
use model::audit::audit_sample::AuditSample;
use model::compliance::change_trail::ChangeTrail;
use model::compliance::control_report::{Exception, LogPosition};
use model::compliance::framework::{Control, FRAMEWORKS};
use model::compliance::violation::rule;
use model::core::act::actions;
use model::core::enums::AuditAnswer;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use proof::archive;
use proof::canonical;
use proof::crypto::digest_text;
use proof::dsse::{self, attestation};
use serde_json::{Value, json};

use crate::audit::draw_sample::conclusions;
use crate::audit::export_bundle::pack_bundle;
use crate::compliance::read_trail::{position, with_trail};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun;
use crate::core::signing_keys;

mod text;

/// The most bytes of bundles in one export; further changes are listed as missing.
const BUNDLE_LIMIT: usize = 256 << 20;
/// The type of the statement that signs a working paper.
const PREDICATE: &str = "urn:assent:working-paper:v1";

/// A change of a sample.
#[derive(Debug)]
pub struct Item {
    /// Its key.
    pub change: String,
    /// The questions of the control, with the facts from the log.
    pub answers: Vec<RuleResult>,
    /// The conclusion.
    pub conclusion: Option<AuditConclusion>,
}

/// The results by the keys of the changes.
type RuleResults = BTreeMap<String, Vec<RuleResult>>;

/// A rule's result from the log.
#[derive(Debug, Clone)]
pub struct RuleResult {
    /// The rule's id.
    pub rule: &'static str,
    /// The comparison that the rule makes.
    pub question: &'static str,
    /// The exception in a sentence; `None` if there is none.
    pub exception: Option<String>,
    /// The result from the log.
    pub prefilled: AuditAnswer,
}

/// The changes of a sample, each with the log's results for the control's questions and its conclusion.
///
/// # Errors
/// 403, 404, or the store's.
pub fn items(cx: &mut Context<'_, '_>, id: &str) -> Result<(AuditSample, Vec<Item>)> {
    let sample = noun::show::<AuditSample>(cx, id)?;
    let control = FRAMEWORKS
        .iter()
        .flat_map(|it| it.controls)
        .find(|it| it.id == sample.control);
    let answers = rule_results(cx, &sample, control)?;
    let concluded = conclusions(cx, &Some(sample.clone()))?;
    let item = |key: &String| Item {
        change: key.clone(),
        answers: answers.get(key).cloned().unwrap_or_default(),
        conclusion: concluded.iter().find(|it| &it.change == key).cloned(),
    };
    let items = sample.changes.iter().map(item).collect();
    Ok((sample, items))
}

/// The results from the log at the time of the sample, evaluated as of the end of the span: a conclusion takes them if
/// its author gives none.
fn rule_results(
    cx: &mut Context<'_, '_>,
    sample: &AuditSample,
    control: Option<&'static Control>,
) -> Result<Arc<RuleResults>> {
    let Some(control) = control else {
        return Ok(Arc::default());
    };
    let position = position_of(cx, sample)?;
    let key = format!(
        "{} {} {} {} {}",
        cx.tenant(),
        sample.id,
        sample.version,
        position.size,
        position.root
    );
    if let Some(known) = cx.services.papers().get::<RuleResults>(&key) {
        return Ok(known);
    }
    let found = Arc::new(with_trail(cx, &position, None, |trail| {
        results(trail, sample, control)
    })?);
    if !position.root.is_empty() {
        cx.services.papers().keep(&key, Arc::clone(&found));
    }
    Ok(found)
}

/// The log at the time of the sample, or at present.
fn position_of(cx: &mut Context<'_, '_>, sample: &AuditSample) -> Result<LogPosition> {
    let present = position(cx, None)?;
    let Some(size) = sample
        .log_size
        .and_then(|size| u64::try_from(size).ok())
        .filter(|size| *size < present.size)
    else {
        return Ok(present);
    };
    match position(cx, sample.log_size) {
        // Its checkpoint is gone or damaged; the entries are there.
        Err(Error::Refused(_) | Error::Proof(_)) => Ok(LogPosition {
            size,
            root: String::new(),
        }),
        found => found,
    }
}

fn results(trail: &ChangeTrail, sample: &AuditSample, control: &Control) -> RuleResults {
    let mut found = RuleResults::new();
    trail.each(|it| {
        if !sample.changes.contains(&it.key) {
            return;
        }
        let rules = control.rules.iter().filter_map(|id| rule(id));
        let answers = rules.map(|rule| {
            let exception = Exception::found(rule, &it, sample.to).map(|it| it.text);
            RuleResult {
                rule: rule.id,
                question: rule.test,
                prefilled: match exception.is_some() {
                    true => AuditAnswer::Exception,
                    false if (rule.applies)(&it) => AuditAnswer::Held,
                    false => AuditAnswer::NotApplicable,
                },
                exception,
            }
        });
        found.insert(it.key.clone(), answers.collect());
    });
    found
}

/// The working paper in its signed form: sample and conclusions, without the signature.
fn paper(sample: &AuditSample, concluded: &[AuditConclusion]) -> Result<Vec<u8>> {
    let plain = AuditSample {
        version: 0,
        signed_by: None,
        signed_at: None,
        paper_digest: None,
        ..sample.clone()
    };
    Ok(canonical::to_bytes(
        &json!({"sample": plain, "conclusions": concluded}),
    )?)
}

/// Signs the working paper (`POST /audit-samples/{id}/signature`): every change of the sample has a conclusion, and
/// each conclusion a review. The paper is final from then on.
///
/// # Errors
/// 403, 404; 409 for a sample without changes, while a conclusion or a review is missing, or once it is signed or withdrawn; the
/// store's.
pub fn sign_sample(cx: &mut Context<'_, '_>, id: &str) -> Result<AuditSample> {
    cx.allow(actions::AUDIT)?;
    let sample = noun::show::<AuditSample>(cx, id)?;
    if !sample.is_open() {
        let text = "The sample is signed or withdrawn.";
        return Err(Refusal::not_now("not_open", text, "Draw another sample.", Vec::new()).into());
    }
    if sample.changes.is_empty() {
        let text = "The sample has no changes, so there is no conclusion to sign.";
        let satisfy = "The empty population was recorded when the sample was drawn. Withdraw the sample, or draw one from a \
                       period with changes.";
        return Err(Refusal::not_now("empty_sample", text, satisfy, Vec::new()).into());
    }
    let concluded = conclusions(cx, &Some(sample.clone()))?;
    let is_done = |key: &&String| {
        concluded
            .iter()
            .any(|it| &it.change == *key && it.reviewed_at.is_some())
    };
    let missing: Vec<&str> = sample
        .changes
        .iter()
        .filter(|key| !is_done(key))
        .map(String::as_str)
        .take(5)
        .collect();
    if !missing.is_empty() {
        let text = format!("A conclusion or its review is missing: {}.", missing.join(", "));
        let satisfy = "Conclude on each change; another auditor reviews each conclusion.";
        return Err(Refusal::not_now("not_concluded", text, satisfy, Vec::new()).into());
    }
    let digest = digest_text(&paper(&sample, &concluded)?);
    let signed = AuditSample {
        signed_by: Some(cx.actor.person.clone()),
        signed_at: Some(cx.now),
        paper_digest: Some(digest.clone()),
        ..sample
    };
    cx.put_estate("audit_sample.signed", signed, json!({"paper": digest}))
}

/// The working paper with all proofs, as one ZIP: the paper, its statement signed by the log's key, the key, and the
/// bundle of each change.
///
/// # Errors
/// 403, 404; [`crate::core::error::Error::NotYet`] while an event waits for its place in the log; the store's.
pub fn export_paper(cx: &mut Context<'_, '_>, id: &str) -> Result<Vec<u8>> {
    cx.allow(actions::AUDIT)?;
    let sample = noun::show::<AuditSample>(cx, id)?;
    let concluded = conclusions(cx, &Some(sample.clone()))?;
    let paper = paper(&sample, &concluded)?;
    let key = signing_keys::signing_key(cx, signing_keys::LOG)?;
    let said = json!({
        "sample": sample.id,
        "signedBy": sample.signed_by,
        "signedAt": sample.signed_at.map(|at| at.to_string()),
    });
    let statement = attestation::about_file("working-paper.json", &paper, PREDICATE, &said);
    let envelope = format!("{}\n", attestation::sign(&statement, &key)?);
    let (bundles, missing) = bundles(cx, &sample)?;
    let readme = readme(&sample, &missing);
    let pem = dsse::public_pem(key.public());
    let text = text::written(&sample, &concluded, &*cx.directory()?);
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("README.txt".to_owned(), readme.into_bytes()),
        ("working-paper.txt".to_owned(), text.into_bytes()),
        ("working-paper.json".to_owned(), paper),
        ("working-paper.intoto.jsonl".to_owned(), envelope.into_bytes()),
        ("log-key.pem".to_owned(), pem.into_bytes()),
    ];
    files.extend(bundles);
    let parts: Vec<archive::File<'_>> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    Ok(archive::write(&parts)?)
}

type Files = Vec<(String, Vec<u8>)>;

fn bundles(cx: &mut Context<'_, '_>, sample: &AuditSample) -> Result<(Files, Vec<String>)> {
    let (mut files, mut missing, mut bytes) = (Vec::new(), Vec::new(), 0);
    for key in &sample.changes {
        if bytes >= BUNDLE_LIMIT {
            missing.push(key.clone());
            continue;
        }
        let bundle = pack_bundle(cx, key)?;
        bytes += bundle.len();
        files.push((format!("bundles/{key}.zip"), bundle));
    }
    Ok((files, missing))
}

fn readme(sample: &AuditSample, missing: &[String]) -> String {
    let state = match sample.signed_at {
        Some(at) => format!("It was signed at {at}."),
        None => "It is NOT signed.".to_owned(),
    };
    let left_out = match missing.is_empty() {
        true => String::new(),
        false => format!("Not included, for the size of the file: {}.\n", missing.join(", ")),
    };
    format!(
        "Working paper of an audit sample of {} changes out of {}.\n{state}\n{left_out}\n\
         working-paper.txt          questions, answers, conclusions and the names of the auditors, to read\n\
         working-paper.json         the sample and the conclusions, as they are signed\n\
         working-paper.intoto.jsonl a statement on its SHA-256, signed by the log's key (DSSE)\n\
         log-key.pem                that key; compare it with the one you got elsewhere\n\
         bundles/                   the proof of each change: assent audit verify bundles/KEY.zip --key FILE\n\n\
         The sample can be drawn again: the lot of a change is the SHA-256 over seed, line feed and key.\n",
        sample.changes.len(),
        sample.population,
    )
}

/// The auditor's result for the question of a rule.
#[must_use]
pub fn auditor_result<'c>(conclusion: Option<&'c AuditConclusion>, rule: &str) -> Option<&'c str> {
    let mut answers = conclusion?.answers.iter().filter_map(|it| it.split_once('='));
    answers.find(|(of, _)| *of == rule).map(|(_, answer)| answer)
}

/// An item in the form of the API.
#[must_use]
pub fn item_view(item: &Item, directory: &Directory) -> Value {
    let answer = |it: &RuleResult| {
        let mut value = json!({"rule": it.rule, "question": it.question, "is_exception": it.exception.is_some()});
        if let Some(answer) = auditor_result(item.conclusion.as_ref(), it.rule) {
            value["answer"] = json!(answer);
        }
        if let Some(text) = &it.exception {
            value["text"] = json!(text);
        }
        value
    };
    let mut value = json!({"change": item.change, "answers": item.answers.iter().map(answer).collect::<Vec<_>>()});
    if let Some(it) = &item.conclusion {
        value["conclusion"] = json!(it.id);
        value["verdict"] = json!(it.verdict);
        value["text"] = json!(it.text);
        value["is_reviewed"] = json!(it.reviewed_at.is_some());
        value["by"] = json!(directory.login(&it.by));
        if let Some(by) = &it.reviewed_by {
            value["reviewed_by"] = json!(directory.login(by));
        }
    }
    value
}
