//! Signature Version 4 of AWS, as S3 expects it in the header `Authorization`: a digest of the request under a key that is
//! derived from the secret, the day, the region and the service. The signature covers the body's digest, so a body that was
//! altered on its way is refused.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::core::percent;
use proof::crypto::{hmac_sha256, sha256};

use super::BucketSettings;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request that is to be signed.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) authority: &'a str,
    /// The path, encoded.
    pub(super) path: &'a str,
    /// The query, encoded, its parameters in the order of their names.
    pub(super) query: &'a str,
    /// Further headers, their names in small letters.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// A text with every octet but the unreserved ones (RFC 3986) as `%XX`; a slash stays in a path.
pub(super) fn encoded(text: &str, is_query: bool) -> String {
    match is_query {
        true => percent::encoded(text),
        false => percent::encoded_path(text),
    }
}

impl Request<'_> {
    /// The headers to send, with the signature; `host` is the client's to send.
    pub(super) fn signed(&self, settings: &BucketSettings, now: Timestamp) -> Vec<(String, String)> {
        let moment = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = moment.get(..8).unwrap_or_default();
        let digest = hex::encode(sha256(self.body));
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        headers.push(("x-amz-content-sha256".to_owned(), digest.clone()));
        headers.push(("x-amz-date".to_owned(), moment.clone()));
        let mut canonical = headers.clone();
        canonical.push(("host".to_owned(), self.authority.to_owned()));
        canonical.sort();
        let lines: String = canonical
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let names: Vec<&str> = canonical.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let target = format!("{}\n{}\n{}", self.method, self.path, self.query);
        let request = format!("{target}\n{lines}\n{names}\n{digest}");
        let scope = format!("{day}/{}/s3/aws4_request", settings.region);
        let to_sign = format!(
            "{ALGORITHM}\n{moment}\n{scope}\n{}",
            hex::encode(sha256(request.as_bytes()))
        );
        let mut key = hmac_sha256(format!("AWS4{}", settings.secret_key).as_bytes(), day.as_bytes());
        for part in [settings.region.as_str(), "s3", "aws4_request"] {
            key = hmac_sha256(&key, part.as_bytes());
        }
        let signature = hex::encode(hmac_sha256(&key, to_sign.as_bytes()));
        let credential = format!("{}/{scope}", settings.access_key);
        let line = format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization".to_owned(), line));
        headers
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::super::Place;
    use super::*;

    /// The signature of botocore 1.44.8 for the same request (`S3SigV4Auth`).
    #[test]
    fn a_request_is_signed_as_the_reference_client_signs_it() {
        let settings = BucketSettings {
            place: Place::parse("https://s3.example.com:9000/examplebucket").unwrap(),
            region: "us-east-1".to_owned(),
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let request = Request {
            method: "PUT",
            authority: "s3.example.com:9000",
            path: "/examplebucket/archive/ab/abc.zst",
            query: "",
            headers: &[("if-none-match", "*")],
            body: b"Welcome",
        };
        let headers = request.signed(&settings, "2013-05-24T00:00:00Z".parse().unwrap());
        let line = headers.iter().find(|(name, _)| name == "authorization").unwrap();
        assert_eq!(
            line.1,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date, \
             Signature=c07a59e3fee4429b3250526d6a00d272260ef2948c3e8d6005f4c4be8a85eb64"
        );
    }

    #[test]
    fn a_path_keeps_its_slashes_and_nothing_else_that_is_reserved() {
        assert_eq!(encoded("a b/ü", false), "a%20b/%C3%BC");
        assert_eq!(encoded("a/b", true), "a%2Fb");
    }
}
