//! Time stamps of RFC 3161 over checkpoints: the request, and the check of an authority's response.
//!
//! The imprint is the SHA-256 of a checkpoint's text (origin, size and root, a line each), so that a time stamp proves that
//! this tree existed then. A time stamp is good when a certificate for time stamping signed it (RFC 3161, section 2.3; RFC
//! 5816) that is an anchor, or that an anchor issued, perhaps over certificates in between. Revocation is not looked up: the
//! anchors are a choice of the reader.

mod chain;
mod token;

use crate::crypto::{self, Hash};
use crate::merkle;
use crate::note::Checkpoint;
use crate::report::Report;
use der::asn1::{Any, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use x509_cert::spki::AlgorithmIdentifierOwned;

pub use chain::Anchors;
pub use token::verify;

/// The largest response of an authority that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The media type of a request.
pub const QUERY: &str = "application/timestamp-query";
/// The media type of a response.
pub const REPLY: &str = "application/timestamp-reply";
/// The most time stamps of a bundle or a log that are checked.
pub const MOST_STAMPS: usize = 1_000;

/// SHA-256 as an algorithm.
pub(crate) const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// A time stamp that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The attested time, in seconds since 1970.
    pub time: i64,
    /// The serial number at its authority, in hexadecimal digits.
    pub serial: String,
    /// The policy of the authority, as an object identifier.
    pub policy: String,
    /// The subject of the certificate that signed it.
    pub signer: String,
}

/// The reason why a time stamp is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It cannot be read.
    #[error("it is malformed: {0}")]
    Malformed(&'static str),
    /// The authority did not grant it; with its status (RFC 3161, section 2.4.2).
    #[error("the authority refused it with the status {0}")]
    Refused(u8),
    /// It covers something else.
    #[error("it is over another imprint")]
    OtherImprint,
    /// It belongs to another request.
    #[error("it answers another request")]
    OtherNonce,
    /// The signer does not chain to a trusted certificate.
    #[error("its signer is unknown: no trusted certificate issued that of the signer")]
    UnknownSigner,
    /// The certificate of its signer is not for time stamping.
    #[error("the certificate of its signer is not for time stamping")]
    NotForTimeStamping,
    /// A certificate was not valid at the attested time.
    #[error("a certificate was not valid at the attested time")]
    NotValidThen,
    /// The signature does not verify, or is of a kind that is not supported.
    #[error("its signature does not verify")]
    WrongSignature,
}

impl Wrong {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "time_stamp_malformed",
            Self::Refused(_) => "time_stamp_refused",
            Self::OtherImprint => "time_stamp_other_imprint",
            Self::OtherNonce => "time_stamp_other_nonce",
            Self::UnknownSigner => "time_stamp_unknown_signer",
            Self::NotForTimeStamping => "time_stamp_not_for_stamping",
            Self::NotValidThen => "time_stamp_not_valid_then",
            Self::WrongSignature => "time_stamp_wrong_signature",
        }
    }
}

/// The stamped data: an algorithm and a digest.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct Imprint {
    pub algorithm: AlgorithmIdentifierOwned,
    pub digest: OctetString,
}

/// `TimeStampReq`, without the parts that are never sent.
#[derive(Sequence)]
struct Request {
    version: u8,
    imprint: Imprint,
    nonce: Int,
    cert_req: bool,
}

/// `PKIStatusInfo`.
#[derive(Sequence)]
struct Status {
    status: u8,
    #[asn1(optional = "true")]
    text: Option<Vec<Any>>,
    #[asn1(optional = "true")]
    failure: Option<der::asn1::BitString>,
}

/// `TimeStampResp`.
#[derive(Sequence)]
struct Response {
    status: Status,
    #[asn1(optional = "true")]
    token: Option<Any>,
}

/// The hash that a checkpoint's time stamp covers.
#[must_use]
pub fn imprint_of(checkpoint: &Checkpoint) -> Hash {
    crypto::sha256(checkpoint.to_text().as_bytes())
}

/// A request for a time stamp, in DER. The response must name the same nonce and hold the signer's certificate.
///
/// # Errors
/// [`crate::Error::Malformed`] when it cannot be written, which does not happen.
pub fn request(imprint: &Hash, nonce: [u8; 8]) -> crate::Result<Vec<u8>> {
    let wrong = |error: der::Error| crate::Error::malformed("time stamp request", error.to_string());
    let request = Request {
        version: 1,
        imprint: Imprint {
            algorithm: AlgorithmIdentifierOwned {
                oid: SHA256,
                parameters: Some(Any::null()),
            },
            digest: OctetString::new(imprint.as_slice()).map_err(wrong)?,
        },
        nonce: Int::new(&positive(nonce)).map_err(wrong)?,
        cert_req: true,
    };
    request.to_der().map_err(wrong)
}

/// A nonce as the bytes of a number above zero in its shortest form.
pub(crate) fn positive(mut nonce: [u8; 8]) -> [u8; 8] {
    nonce[0] = (nonce[0] & 0x3f) | 0x40;
    nonce
}

/// Reads the response to a request: the token in DER, and its content. The token is good.
///
/// # Errors
/// [`Wrong`] with the reason.
pub fn open_answer(
    answer: &[u8],
    imprint: &Hash,
    nonce: [u8; 8],
    anchors: &Anchors,
) -> Result<(Vec<u8>, Stamped), Wrong> {
    if answer.len() > MAX_ANSWER_BYTES {
        return Err(Wrong::Malformed("the answer is too long"));
    }
    let read = Response::from_der(answer).map_err(|_| Wrong::Malformed("it is no answer of RFC 3161"))?;
    // Granted, and granted with modifications.
    if read.status.status > 1 {
        return Err(Wrong::Refused(read.status.status));
    }
    let token = read.token.ok_or(Wrong::Malformed("the answer holds no token"))?;
    let token = token
        .to_der()
        .map_err(|_| Wrong::Malformed("the token cannot be read"))?;
    let (stamped, answered) = token::open(&token, imprint, anchors)?;
    if answered.as_deref() != Some(positive(nonce).as_slice()) {
        return Err(Wrong::OtherNonce);
    }
    Ok((token, stamped))
}

/// A time stamp of a log, as bundles and the log's file `time-stamps` hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptStamp {
    /// The size of the log that was stamped.
    pub size: u64,
    /// Its root in hexadecimal digits.
    pub root: String,
    /// In a bundle, the proof that the stamped log grew out of the bundle's checkpoint, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consistency: Vec<String>,
    /// The token in base64.
    pub token: String,
    /// The certificates in PEM that the tenant trusts its authority by.
    pub certificates: String,
}

impl KeptStamp {
    /// A time stamp over the log of `size` events with this root. `proof` shows that it grew out of a bundle's checkpoint.
    #[must_use]
    pub fn new(size: u64, root: &Hash, proof: &[Hash], token: String, certificates: String) -> Self {
        Self {
            size,
            root: hex::encode(root),
            consistency: proof.iter().map(hex::encode).collect(),
            token,
            certificates,
        }
    }

    /// Checks the time stamp of a log that had `checkpoint`; with `anchors`, these are trusted in place of its own
    /// certificates. Findings go to the report.
    pub(crate) fn check(&self, checkpoint: &Checkpoint, anchors: Option<&Anchors>, report: &mut Report) {
        let at = format!("time stamp of {} events", self.size);
        let hash = |text: &String| hex::decode(text).ok().and_then(|hash| Hash::try_from(hash).ok());
        let proof: Option<Vec<Hash>> = self.consistency.iter().map(hash).collect();
        let (Some(root), Some(proof)) = (hash(&self.root), proof) else {
            report.bad("time_stamp_malformed", &at, "A hash of the time stamp cannot be read.");
            return;
        };
        let (old, new) = (checkpoint.size, self.size);
        let is_of_log = match old == new {
            true => root == checkpoint.root && proof.is_empty(),
            false => old < new && merkle::verify_consistency(old, new, &proof, &checkpoint.root, &root),
        };
        if !is_of_log {
            let text = "The time stamp is of another log: the stamped tree did not grow out of this one.";
            report.bad("time_stamp_other_log", &at, text);
            return;
        }
        let stamped = Checkpoint {
            origin: checkpoint.origin.clone(),
            size: self.size,
            root,
        };
        self.check_token(&stamped, anchors, &at, report);
    }

    /// Checks the token alone, over a checkpoint that is known to be of the log.
    pub(crate) fn check_token(&self, stamped: &Checkpoint, anchors: Option<&Anchors>, at: &str, report: &mut Report) {
        let own = match anchors {
            Some(_) => None,
            None => Anchors::parse(&self.certificates).ok(),
        };
        let Some(trusted) = anchors.or(own.as_ref()) else {
            report.cannot_tell(
                "time_stamp_no_anchor",
                at,
                "The time stamp comes without a certificate to trust it by.",
            );
            return;
        };
        let token = crypto::from_base64_standard(&self.token).ok_or(Wrong::Malformed("the token is not base64"));
        match token.and_then(|token| verify(&token, &imprint_of(stamped), trusted)) {
            Ok(found) => {
                let seconds = Duration::from_secs(u64::try_from(found.time).unwrap_or_default());
                let at_time = der::DateTime::from_unix_duration(seconds).map(|it| it.to_string());
                let text = format!(
                    "`{}` attests that the log of {} events existed at {}.",
                    found.signer,
                    stamped.size,
                    at_time.unwrap_or_default()
                );
                report.remark("time_stamped", at, text);
            }
            Err(why) => report.bad(why.code(), at, format!("A time stamp is not good: {why}.")),
        }
        if own.is_some() {
            let text = "The certificates beside the time stamp were trusted; name your own with --time-authority.";
            report.remark("own_authority_trusted", at, text);
        }
    }
}

#[cfg(test)]
mod tests;
