//! Tokens: signed messages (RFC 5652) around `TSTInfo` (RFC 3161, section 2.4.2).

use super::chain::{self, Anchors};
use super::{Imprint, SHA256, Stamped, Wrong};
use crate::crypto::{ForeignDigest, Hash};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Any, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");

/// `ESSCertIDv2` (RFC 5035), with SHA-256 where it names no algorithm.
#[derive(Sequence)]
struct CertIdV2 {
    #[asn1(optional = "true")]
    algorithm: Option<AlgorithmIdentifierOwned>,
    digest: OctetString,
    #[asn1(optional = "true")]
    issuer: Option<Any>,
}

/// `ESSCertID` (RFC 2634).
#[derive(Sequence)]
struct CertId {
    digest: OctetString,
    #[asn1(optional = "true")]
    issuer: Option<Any>,
}

/// Checks a token over an imprint.
///
/// # Errors
/// [`Wrong`] with the reason.
pub fn verify(token: &[u8], imprint: &Hash, anchors: &Anchors) -> Result<Stamped, Wrong> {
    open(token, imprint, anchors).map(|(stamped, _)| stamped)
}

/// The same, with the nonce of its request, as the bytes of a number.
pub(super) fn open(token: &[u8], imprint: &Hash, anchors: &Anchors) -> Result<(Stamped, Option<Vec<u8>>), Wrong> {
    let wrong = |_| Wrong::Malformed("it is no signed message");
    let outer = ContentInfo::from_der(token).map_err(wrong)?;
    if outer.content_type != SIGNED_DATA {
        return Err(Wrong::Malformed("it is no signed message"));
    }
    let signed: SignedData = outer.content.decode_as().map_err(wrong)?;
    let inner = &signed.encap_content_info;
    let content = inner.econtent.as_ref().filter(|_| inner.econtent_type == TST_INFO);
    let content = content.ok_or(Wrong::Malformed("it holds no TSTInfo"))?;
    let content: OctetString = content
        .decode_as()
        .map_err(|_| Wrong::Malformed("it holds no TSTInfo"))?;
    let info = Info::read(content.as_bytes())?;
    if info.imprint.algorithm.oid != SHA256 || info.imprint.digest.as_bytes() != imprint {
        return Err(Wrong::OtherImprint);
    }
    let [signer_info] = signed.signer_infos.0.as_slice() else {
        return Err(Wrong::Malformed("it has not exactly one signer"));
    };
    let sent = certificates(&signed);
    let signer = signer_of(signer_info, &sent, anchors).ok_or(Wrong::UnknownSigner)?;
    check_signature(signer_info, &signer, content.as_bytes())?;
    chain::check_signer(&signer, &sent, anchors, info.time)?;
    let stamped = Stamped {
        time: info.time,
        serial: hex::encode(info.serial.as_bytes()),
        policy: info.policy.to_string(),
        signer: chain::subject(&signer),
    };
    Ok((stamped, info.nonce))
}

fn certificates(signed: &SignedData) -> Vec<Certificate> {
    let all = signed.certificates.iter().flat_map(|set| set.0.iter());
    let usual = all.filter_map(|it| match it {
        CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
        CertificateChoices::Other(_) => None,
    });
    usual.collect()
}

/// The certificate that a signer names, among those that were sent and the anchors.
fn signer_of(info: &SignerInfo, sent: &[Certificate], anchors: &Anchors) -> Option<Certificate> {
    let is_it = |certificate: &&Certificate| {
        let body = &certificate.tbs_certificate;
        match &info.sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                body.issuer == named.issuer && body.serial_number == named.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                let wanted = named.0.as_bytes();
                let mut extensions = body.extensions.iter().flatten();
                extensions.any(|it| {
                    let id = OctetString::from_der(it.extn_value.as_bytes());
                    it.extn_id == SUBJECT_KEY_ID && id.is_ok_and(|id| id.as_bytes() == wanted)
                })
            }
        }
    };
    sent.iter().chain(&anchors.0).find(is_it).cloned()
}

/// The signature is over the attributes, which name the content by its digest and the certificate of the signer.
fn check_signature(info: &SignerInfo, signer: &Certificate, content: &[u8]) -> Result<(), Wrong> {
    let digest = chain::digest_of(&info.digest_alg).ok_or(Wrong::WrongSignature)?;
    let attributes = info
        .signed_attrs
        .as_ref()
        .ok_or(Wrong::Malformed("it signs no attributes"))?;
    let value = |id: ObjectIdentifier| {
        let found: Option<&Attribute> = attributes.iter().find(|it| it.oid == id);
        found.and_then(|it| it.values.get(0))
    };
    let kind = value(CONTENT_TYPE).and_then(|it| it.decode_as::<ObjectIdentifier>().ok());
    let named = value(MESSAGE_DIGEST).and_then(|it| it.decode_as::<OctetString>().ok());
    let is_named = named.is_some_and(|it| it.as_bytes() == digest.of(content));
    if kind != Some(TST_INFO) || !is_named {
        return Err(Wrong::WrongSignature);
    }
    let certificate = signer
        .to_der()
        .map_err(|_| Wrong::Malformed("a certificate cannot be written"))?;
    let is_bound = value(SIGNING_CERTIFICATE_V2).is_some_and(|it| names_v2(it, &certificate))
        || value(SIGNING_CERTIFICATE).is_some_and(|it| names(it, &certificate));
    if !is_bound {
        return Err(Wrong::WrongSignature);
    }
    let message = attributes
        .to_der()
        .map_err(|_| Wrong::Malformed("the attributes cannot be written"))?;
    let key = &signer.tbs_certificate.subject_public_key_info;
    let signature = info.signature.as_bytes();
    match chain::is_signed(key, &info.signature_algorithm, Some(digest), &message, signature) {
        true => Ok(()),
        false => Err(Wrong::WrongSignature),
    }
}

/// The first of the certificate ids of an attribute, in DER.
fn first_id(value: &Any) -> Option<Vec<u8>> {
    let outer: Vec<Any> = value.decode_as().ok()?;
    let ids: Vec<Any> = outer.first()?.decode_as().ok()?;
    ids.first()?.to_der().ok()
}

fn names_v2(value: &Any, certificate: &[u8]) -> bool {
    let Some(id) = first_id(value).and_then(|id| CertIdV2::from_der(&id).ok()) else {
        return false;
    };
    let digest = match &id.algorithm {
        None => Some(ForeignDigest::Sha256),
        Some(algorithm) => chain::digest_of(algorithm),
    };
    digest.is_some_and(|digest| digest.of(certificate) == id.digest.as_bytes())
}

fn names(value: &Any, certificate: &[u8]) -> bool {
    let id = first_id(value).and_then(|id| CertId::from_der(&id).ok());
    id.is_some_and(|id| ForeignDigest::Sha1.of(certificate) == id.digest.as_bytes())
}

/// The parts of `TSTInfo` that count.
struct Info {
    policy: ObjectIdentifier,
    imprint: Imprint,
    serial: Int,
    time: i64,
    nonce: Option<Vec<u8>>,
}

impl Info {
    fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let wrong = |_| Wrong::Malformed("its TSTInfo cannot be read");
        let parts: Vec<Any> = Vec::from_der(bytes).map_err(wrong)?;
        let [version, policy, imprint, serial, time, rest @ ..] = parts.as_slice() else {
            return Err(Wrong::Malformed("its TSTInfo has too few parts"));
        };
        if version.decode_as::<u8>().map_err(wrong)? != 1 {
            return Err(Wrong::Malformed("its version is not 1"));
        }
        // Behind the time come, each as it likes, an accuracy (SEQUENCE), an order (BOOLEAN), the nonce and tagged parts.
        let nonce = rest.iter().find(|it| it.tag() == Tag::Integer);
        Ok(Self {
            policy: policy.decode_as().map_err(wrong)?,
            imprint: imprint.decode_as().map_err(wrong)?,
            serial: serial.decode_as().map_err(wrong)?,
            time: generalized(time).ok_or(Wrong::Malformed("its time cannot be read"))?,
            nonce: nonce.map(|it| it.value().to_vec()),
        })
    }
}

/// A `GeneralizedTime` as RFC 3161 writes it: `YYYYMMDDhhmmss[.s...]Z`. In seconds since 1970; fractions are cut.
fn generalized(value: &Any) -> Option<i64> {
    if value.tag() != Tag::GeneralizedTime {
        return None;
    }
    let text = std::str::from_utf8(value.value()).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<u16>().ok();
    let small = |from: usize| whole.get(from..from + 2)?.parse::<u8>().ok();
    let at = der::DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?).ok()?;
    i64::try_from(at.unix_duration().as_secs()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn times_have_seconds_and_perhaps_fractions_and_end_in_utc() {
        let at = |text: &str| generalized(&Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap());
        assert_eq!(at("20261128162000Z"), Some(1_795_882_800));
        assert_eq!(at("20261128162000.25Z"), Some(1_795_882_800));
        for bad in [
            "20261128162000",
            "202611281620Z",
            "20261128162000.Z",
            "20261328162000Z",
            "2026112816200xZ",
            "",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}
