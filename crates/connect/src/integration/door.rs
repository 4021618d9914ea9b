//! The one entrance for deliveries of every kind of system: checks the sender, and reads the name and the content.

use jiff::Timestamp;
use model::integration::signal::{self, Repository, SetAside, Signal};
use ring::hmac;

use crate::change::members;
use crate::incident::{canary, drift};
use crate::integration::incidents::{grafana, jira, mail as incident_mail, opsgenie, servicenow, siem, statuspage};
use crate::integration::received::{Headers, Kept};
use crate::integration::{
    alertmanager, argocd, cdevents, cloudevents, github, gitlab, jenkins, pagerduty, plain, run_task, standard_webhooks,
};
use crate::notify::mail_reply;

/// The kinds of system that deliver here.
pub const KINDS: &[&str] = &[
    "github",
    "gitlab",
    "cloudevents",
    "cdevents",
    "argocd",
    "jenkins",
    "plain",
    "alertmanager",
    "pagerduty",
    "grafana",
    "opsgenie",
    "servicenow",
    "jira",
    "siem",
    "incident_mail",
    "mail",
    "terraform",
    "argocd_drift",
    "aide",
    "kubernetes_audit",
    "flagger",
    "argo_rollouts",
    "statuspage",
    "waves",
    run_task::KIND,
];

/// Why a delivery is turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// A stable code.
    pub code: &'static str,
    /// One sentence.
    pub text: &'static str,
}

/// The signature does not fit.
pub const FORGED: Doubt = Doubt {
    code: "bad_signature",
    text: "The signature does not fit the body and this connection's secret.",
};
const OLD: Doubt = Doubt {
    code: "old_timestamp",
    text: "The message's time lies more than five minutes from ours.",
};

/// Holds a delivery to the connection's secret over its raw bytes, before anything in it is read.
///
/// # Errors
/// [`Doubt`].
pub fn verify(kind: &str, secret: &str, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<(), Doubt> {
    if secret.len() < github::SECRET_MIN_BYTES {
        return Err(FORGED);
    }
    let fits = |fits: bool| if fits { Ok(()) } else { Err(FORGED) };
    match kind {
        "github" => fits(hub_signature(secret, headers, body)),
        "gitlab" => gitlab_sender(secret, headers, body, now),
        "pagerduty" if !headers("x-pagerduty-signature").is_empty() => fits(pagerduty::webhook_signature(
            secret,
            body,
            &headers("x-pagerduty-signature"),
        )),
        // Terraform signs in no other way, and a request without a signature is nobody's.
        run_task::KIND => fits(run_task::signature(secret, body, &headers(run_task::SIGNATURE))),
        "pagerduty" => fits(pagerduty::routing_key(body).is_some_and(|key| is_equal(&key, secret))),
        _ if !headers("webhook-signature").is_empty() => standard(secret, headers, body, now),
        _ if !headers("x-hub-signature-256").is_empty() => fits(hub_signature(secret, headers, body)),
        _ => fits(credential(headers).is_some_and(|token| is_equal(&token, secret))),
    }
}

fn hub_signature(secret: &str, headers: Headers<'_>, body: &[u8]) -> bool {
    let Some(key) = github::Secret::new(secret.as_bytes()) else {
        return false;
    };
    github::verify(&[key], body, &headers("x-hub-signature-256"))
}

/// GitLab signs in the newer way, signs status checks in another, and else sends the secret itself.
fn gitlab_sender(secret: &str, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<(), Doubt> {
    if !headers("webhook-signature").is_empty() {
        return standard(secret, headers, body, now);
    }
    let check = headers("x-gitlab-signature");
    let is_sender = if check.is_empty() {
        is_equal(&headers("x-gitlab-token"), secret)
    } else {
        gitlab::check_signature(secret, body, &check)
    };
    if is_sender { Ok(()) } else { Err(FORGED) }
}

fn standard(secret: &str, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<(), Doubt> {
    let Some(key) = signing_secret(secret).and_then(|text| standard_webhooks::key(&text)) else {
        return Err(FORGED);
    };
    let told = (
        headers("webhook-id"),
        headers("webhook-timestamp"),
        headers("webhook-signature"),
    );
    standard_webhooks::verify(&[key], (&told.0, &told.1, &told.2), body, now).map_err(|doubt| match doubt {
        standard_webhooks::Doubt::Old => OLD,
        _ => FORGED,
    })
}

/// The connection's secret as Standard Webhooks writes it: the same bytes, `whsec_…`. A secret that the sender made may be
/// written so already.
#[must_use]
pub fn signing_secret(secret: &str) -> Option<String> {
    use base64::Engine;
    if secret.starts_with(standard_webhooks::PREFIX) {
        return Some(secret.to_owned());
    }
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(secret).ok()?;
    Some(standard_webhooks::secret_text(&bytes))
}

/// The secret from the sender: as a bearer's token, or as the password of `Basic` (RFC 7617), for senders that support nothing
/// but an address (`https://assent:SECRET@…`), such as Jenkins' Notification plugin.
fn credential(headers: Headers<'_>) -> Option<String> {
    use base64::Engine;
    let value = headers("authorization");
    let (scheme, token) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(token.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = base64::engine::general_purpose::STANDARD.decode(token.trim()).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// Compares in constant time: the tags of the texts under a key are compared.
fn is_equal(left: &str, right: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"assent compare");
    let tag = hmac::sign(&key, left.as_bytes());
    hmac::verify(&key, right.as_bytes(), tag.as_ref()).is_ok()
}

/// The stored form of a verified delivery.
///
/// # Errors
/// [`SetAside`] when a CloudEvent's attributes cannot be read.
pub fn keep(kind: &str, headers: Headers<'_>, body: Vec<u8>) -> Result<Kept, SetAside> {
    let named = |event: &str, id: &str| (headers(event), headers(id));
    let (event, delivery_id) = match kind {
        "github" => named("x-github-event", "x-github-delivery"),
        "gitlab" => {
            let (event, id) = named("x-gitlab-event", "x-gitlab-event-uuid");
            let unique = [headers("webhook-id"), headers("idempotency-key"), id];
            (
                event,
                unique.into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
            )
        }
        "cloudevents" | "cdevents" => return cloudevents::keep(headers, body),
        "mail" | "incident_mail" => ("mail".to_owned(), mail_reply::message_id(&body)),
        // No header is signed, so none distinguishes deliveries: the same body is the same request.
        run_task::KIND => ("run_task".to_owned(), String::new()),
        other => (other.to_owned(), headers("webhook-id")),
    };
    Ok(Kept {
        event,
        delivery_id,
        body,
    })
}

/// Reads a stored delivery, with its repository in front, where the sender names it by an id.
///
/// # Errors
/// [`SetAside`] with the reason, for an administrator.
pub fn read_whole(kind: &str, event: &str, body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let mut signals = read(kind, event, body, received_at)?;
    if let Some(repository) = repository_of(kind, body) {
        signals.insert(0, Signal::Repository(repository));
    }
    Ok(signals)
}

/// The subject of a kept delivery, so that those about one subject are worked in order. Empty where order makes no
/// difference, and where the delivery cannot be read: it will be set aside, and holds up no other.
#[must_use]
pub fn subject_of(kind: &str, event: &str, body: &[u8], received_at: Timestamp) -> String {
    let signals = read(kind, event, body, received_at).unwrap_or_default();
    signal::subject_of(&signals).unwrap_or_default()
}

fn repository_of(kind: &str, body: &[u8]) -> Option<Repository> {
    let (of, name) = match kind {
        "github" => ("repository", "full_name"),
        "gitlab" => ("project", "path_with_namespace"),
        _ => return None,
    };
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let id = body.pointer(&format!("/{of}/id"))?.as_u64().filter(|id| *id > 0)?;
    let name = body.pointer(&format!("/{of}/{name}"))?.as_str()?;
    Some(Repository {
        id: id.to_string(),
        name: signal::name(of, name).ok()?,
    })
}

/// Reads a stored delivery.
///
/// # Errors
/// [`SetAside`] with the reason, for an administrator.
pub fn read(kind: &str, event: &str, body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    match kind {
        "github" => github::read_received(event, body, Some(received_at))
            .map(|signals| github::with_questions(event, body, signals, received_at)),
        "gitlab" => gitlab::read(body, received_at),
        "cloudevents" => cloudevents::read(body, received_at),
        "cdevents" => cdevents::read_event(body, received_at),
        "argocd" => argocd::read(body, received_at),
        "jenkins" => jenkins::read(body, received_at),
        "plain" => plain::read(body, received_at),
        "alertmanager" => alertmanager::read(body),
        "pagerduty" => pagerduty::read(body, received_at),
        "grafana" => grafana::read(body),
        "opsgenie" => opsgenie::read(body, received_at),
        "servicenow" => servicenow::read(body, received_at),
        "jira" => jira::read(body, received_at),
        "siem" => siem::read(body, received_at),
        "statuspage" => statuspage::read(body, received_at),
        "waves" => members::read_report(body),
        "incident_mail" => incident_mail::read(body, received_at),
        "mail" => mail_reply::read(body),
        run_task::KIND => run_task::read(body, received_at),
        kind if canary::KINDS.contains(&kind) => canary::read(kind, body, received_at),
        kind if drift::KINDS.contains(&kind) => drift::read(kind, body, received_at),
        other => Err(SetAside::because(format_args!(
            "nothing reads deliveries of the kind {other}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    const SECRET: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn ask(kind: &str, headers: &[(String, String)], body: &[u8]) -> Result<(), Doubt> {
        let look = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        verify(kind, SECRET, &look, body, now())
    }

    fn basic(user: &str, password: &str) -> String {
        use base64::Engine;
        let pair = format!("{user}:{password}");
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }

    #[test]
    fn each_kind_is_held_to_its_own_signature() {
        let body = br#"{"routing_key":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}"#;
        let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let hub = github::Secret::new(SECRET.as_bytes()).unwrap().sign(body);
        let key = standard_webhooks::key(&signing_secret(SECRET).unwrap()).unwrap();
        let standard = standard_webhooks::headers(&[key], "m1", now(), body);
        for (kind, headers) in [
            ("github", one("x-hub-signature-256", &hub)),
            ("plain", one("x-hub-signature-256", &hub)),
            ("gitlab", one("x-gitlab-token", SECRET)),
            ("gitlab", standard.clone()),
            ("cdevents", standard.clone()),
            ("alertmanager", one("authorization", &format!("Bearer {SECRET}"))),
            ("jenkins", one("authorization", &basic("assent", SECRET))),
            ("pagerduty", Vec::new()),
        ] {
            assert_eq!(ask(kind, &headers, body), Ok(()), "{kind}");
            let other = ask(kind, &headers, b"{}");
            let covers_body =
                !matches!(headers.first(), Some((name, _)) if name.contains("token") || name == "authorization");
            assert_eq!(other.is_err(), covers_body, "{kind}");
        }
        for kind in KINDS {
            assert_eq!(ask(kind, &[], b"{}"), Err(FORGED), "{kind}");
            for wrong in [
                "Bearer x",
                &basic(SECRET, "x"),
                &basic(SECRET, ""),
                "Basic ====",
                SECRET,
            ] {
                assert_eq!(
                    ask(kind, &one("authorization", wrong), b"{}"),
                    Err(FORGED),
                    "{kind} {wrong}"
                );
            }
        }
    }

    #[test]
    fn a_secret_that_the_sender_made_is_taken_in_the_sender_s_way() {
        let (theirs, body) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", br#"{"event":{}}"#);
        let verify_with = |kind: &str, headers: &[(String, String)], body: &[u8]| {
            let look = |name: &str| {
                let found = headers.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            };
            verify(kind, theirs, &look, body, now())
        };
        let standard = standard_webhooks::headers(&[standard_webhooks::key(theirs).unwrap()], "m1", now(), body);
        assert_eq!(verify_with("gitlab", &standard, body), Ok(()));
        assert_eq!(verify_with("gitlab", &standard, b"{}"), Err(FORGED));
        // PagerDuty signs with each secret that is live: `v1=…,v1=…`.
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, theirs.as_bytes()), body);
        let digits = hex::encode(tag);
        let signed = |value: String| vec![("x-pagerduty-signature".to_owned(), value)];
        let good = format!("v1={},v1={digits}", "0".repeat(64));
        assert_eq!(verify_with("pagerduty", &signed(good.clone()), body), Ok(()));
        assert_eq!(verify_with("pagerduty", &signed(good), b"{}"), Err(FORGED));
        for wrong in [
            digits.clone(),
            format!("v0={digits}"),
            "v1=".to_owned(),
            "v1=zz".to_owned(),
        ] {
            assert_eq!(
                verify_with("pagerduty", &signed(wrong.clone()), body),
                Err(FORGED),
                "{wrong}"
            );
        }
        // A signature that does not fit is not made good by a key in the body.
        let keyed = format!("{{\"routing_key\": \"{theirs}\"}}");
        assert_eq!(
            verify_with("pagerduty", &signed("v1=00".to_owned()), keyed.as_bytes()),
            Err(FORGED)
        );
        assert_eq!(verify_with("pagerduty", &[], keyed.as_bytes()), Ok(()));
    }

    /// One change of a good delivery: its body, a header's value or name, or the header taken away.
    fn mutate(headers: &mut [(String, String)], body: &mut Vec<u8>, dice: &mut impl FnMut(usize) -> usize) {
        let flip = |bytes: &mut Vec<u8>, dice: &mut dyn FnMut(usize) -> usize| {
            let place = dice(bytes.len());
            bytes[place] = bytes[place].wrapping_add(1 + u8::try_from(dice(255)).unwrap());
        };
        let which = dice(headers.len());
        match dice(5) {
            0 => flip(body, dice),
            1 => body.truncate(dice(body.len())),
            2 => {
                let mut value = std::mem::take(&mut headers[which].1).into_bytes();
                flip(&mut value, dice);
                headers[which].1 = String::from_utf8_lossy(&value).into_owned();
            }
            3 => headers[which].0.push('x'),
            _ => headers[which].1 = headers[which].1.replace("sha256=", "sha1=").replace("v1,", "v2,"),
        }
    }

    #[test]
    fn no_signed_delivery_passes_once_it_was_changed() {
        let count: u64 = std::env::var("ASSENT_TEST_FORGED").map_or(20_000, |text| text.parse().unwrap());
        let body = br#"{"id":"run-17","service":"shop","environment":"prod","status":"success"}"#;
        let hub = github::Secret::new(SECRET.as_bytes()).unwrap().sign(body);
        let key = standard_webhooks::key(&signing_secret(SECRET).unwrap()).unwrap();
        let standard = standard_webhooks::headers(&[key], "m1", now(), body);
        let good = [
            ("github", vec![("x-hub-signature-256".to_owned(), hub)]),
            ("plain", standard.clone()),
            ("gitlab", standard),
        ];
        let (mut state, mut changed) = (3_u64, 0);
        let mut dice = move |end: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % end
        };
        for number in 0..count {
            let (kind, headers) = &good[dice(good.len())];
            let (mut sent, mut bytes) = (headers.clone(), body.to_vec());
            mutate(&mut sent, &mut bytes, &mut dice);
            // Hexadecimal digits are read in both cases, and a header without new information changes nothing.
            let is_same = bytes == body
                && headers.iter().all(|(name, value)| {
                    sent.iter()
                        .any(|(it, other)| it == name && other.eq_ignore_ascii_case(value))
                });
            changed += u64::from(!is_same);
            let verdict = ask(kind, &sent, &bytes);
            assert!(is_same || verdict.is_err(), "number {number}, {kind}: {sent:?}");
        }
        assert!(changed * 10 > count * 8, "only {changed} of {count} were changed");
    }

    #[test]
    fn a_message_whose_time_is_long_gone_is_refused() {
        let key = standard_webhooks::key(&signing_secret(SECRET).unwrap()).unwrap();
        let long_ago = now() - jiff::SignedDuration::from_hours(1);
        let headers = standard_webhooks::headers(&[key], "m1", long_ago, b"{}");
        assert_eq!(ask("gitlab", &headers, b"{}"), Err(OLD));
        assert_eq!(ask("plain", &headers, b"{}"), Err(OLD));
    }
}
