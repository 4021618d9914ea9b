//! The S3-compatible bucket that the settings name: its address, and the few calls to it. The calls use the existing interface
//! to the cryptographic library ([`signing`]) and the existing client for outgoing calls, so that neither is linked twice
//! (decision record 0020).

mod signing;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acts::Clock;
use axum::http::Uri;
use connect::socket::call::{Call, Caller};
use connect::socket::egress::is_public;
use store::bucket::{Bucket, Put, SharedBucket};
use store::{Error, Result};

use self::signing::{Request, encoded};
use crate::http::clock::SystemClock;
use crate::start::serve_error::ServeError;

/// The largest object that is read, in bytes: a file of evidence in a copy.
const MOST_BYTES: u64 = 1 << 30;
/// How long a call for the archive may take: somebody waits for it.
pub(crate) const ARCHIVE_PATIENCE: Duration = Duration::from_secs(20);
/// The same for a running copy, whose objects may be large.
const COPY_PATIENCE: Duration = Duration::from_secs(60);
/// The most bytes of an error response that are read.
const MOST_REFUSAL: u64 = 64 << 10;

/// A bucket as the operator names it. Its secret is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// Where the bucket is.
    pub place: Place,
    /// The region that requests are signed for; most other than AWS take any.
    pub region: String,
    /// The id of the access key.
    pub access_key: String,
    /// The secret of the access key.
    pub secret_key: String,
}

impl fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketSettings")
            .field("place", &self.place)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The address of a bucket, and what keys begin with: `https://s3.example/assent/halden`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    scheme: String,
    /// The host, with its port where that is not the usual one.
    authority: String,
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

impl Place {
    /// Reads an address.
    ///
    /// # Errors
    /// A sentence that describes the expected form.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let form = || "write https://HOST/BUCKET, such as https://s3.eu-central-1.amazonaws.com/assent".to_owned();
        let uri: Uri = text.parse().map_err(|_| form())?;
        let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority().ok_or_else(form)?);
        if authority.as_str().contains('@') {
            return Err(
                "write the access key into `bucket_access_key` and its secret into `bucket_secret_key`".to_owned(),
            );
        }
        let host = authority.host();
        match scheme {
            "https" => {}
            "http" if is_inside(host) => {}
            "http" => return Err("plain http goes to localhost or an address inside only; write https".to_owned()),
            _ => return Err(form()),
        }
        let path = uri.path().trim_start_matches('/');
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let is_plain = |text: &str| {
            let is_fine = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | '/');
            text.chars().all(is_fine) && !text.split('/').any(|part| matches!(part, "." | ".."))
        };
        if bucket.is_empty() || uri.query().is_some() || !is_plain(bucket) || !is_plain(prefix) {
            return Err(form());
        }
        let usual = if scheme == "https" { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port != usual => format!("{host}:{port}"),
            _ => host.to_owned(),
        };
        let prefix = match prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Ok(Self {
            scheme: scheme.to_owned(),
            authority,
            bucket: bucket.to_owned(),
            prefix,
        })
    }

    /// How it reads in the settings.
    #[must_use]
    pub fn text(&self) -> String {
        let rest = self.prefix.trim_end_matches('/');
        let slash = if rest.is_empty() { "" } else { "/" };
        format!("{}://{}/{}{slash}{rest}", self.scheme, self.authority, self.bucket)
    }

    /// The path of an object, as it is signed and sent.
    fn path(&self, key: &str) -> String {
        format!(
            "/{}/{}",
            encoded(&self.bucket, false),
            encoded(&format!("{}{key}", self.prefix), false)
        )
    }
}

/// Whether a host is this one or an address of the operator's own network.
fn is_inside(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| !is_public(address))
}

/// Where a running copy is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPlace {
    /// A folder, best on another host's disk.
    Folder(PathBuf),
    /// A bucket.
    Bucket(BucketSettings),
}

impl fmt::Display for CopyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket(bucket) => f.write_str(&bucket.place.text()),
        }
    }
}

impl CopyPlace {
    /// Opens the place; `outgoing_ca` as in the settings. Nothing is called yet.
    ///
    /// # Errors
    /// [`ServeError`] where the own authority's certificates cannot be read.
    pub fn open(&self, outgoing_ca: Option<&Path>) -> std::result::Result<SharedBucket, ServeError> {
        match self {
            Self::Folder(folder) => Ok(SharedBucket::in_folder(folder)),
            Self::Bucket(bucket) => {
                let authority = authority_of(outgoing_ca)?;
                client(bucket, authority.as_deref(), (Arc::new(SystemClock), COPY_PATIENCE))
            }
        }
    }
}

/// The certificates of an own authority, where the settings name one.
pub(crate) fn authority_of(outgoing_ca: Option<&Path>) -> std::result::Result<Option<Vec<u8>>, ServeError> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| ServeError::Folder(path.to_owned(), error));
    outgoing_ca.map(read).transpose()
}

/// A client of one bucket.
struct S3 {
    settings: BucketSettings,
    /// How long a call may take.
    patience: Duration,
    caller: Caller,
    clock: Arc<dyn Clock>,
}

/// The client of a bucket. Nothing is called yet.
///
/// # Errors
/// [`ServeError::Refused`] where the own authority's certificates cannot be used.
pub(crate) fn client(
    settings: &BucketSettings,
    authority_pem: Option<&[u8]>,
    (clock, patience): (Arc<dyn Clock>, Duration),
) -> std::result::Result<SharedBucket, ServeError> {
    let caller = Caller::of_operator(authority_pem);
    let caller = caller.map_err(|why| ServeError::Refused(format!("`outgoing_ca`: {why}")))?;
    Ok(SharedBucket(Arc::new(S3 {
        settings: settings.clone(),
        patience,
        caller,
        clock,
    })))
}

impl S3 {
    /// Makes a call to an object. Returns the status and, on success, the body.
    fn ask(&self, method: &'static str, key: &str, body: &[u8], headers: &[(&str, &str)]) -> Result<(u16, Vec<u8>)> {
        let path = self.settings.place.path(key);
        self.ask_for(method, (&path, ""), body, headers)
    }

    fn ask_for(
        &self,
        method: &'static str,
        (path, query): (&str, &str),
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Result<(u16, Vec<u8>)> {
        let place = &self.settings.place;
        let request = Request {
            method,
            authority: &place.authority,
            path,
            query,
            headers,
            body,
        };
        let rest = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        let mut headers = request.signed(&self.settings, self.clock.now());
        if method == "PUT" {
            headers.push(("content-type".to_owned(), "application/octet-stream".to_owned()));
        }
        let call = Call {
            method,
            url: format!("{}://{}{path}{rest}", place.scheme, place.authority),
            headers,
            body: body.to_vec(),
        };
        let most = if method == "GET" { MOST_BYTES } else { MOST_REFUSAL };
        let answer = self.caller.fetch(&call, most, self.patience);
        answer.map_err(|why| Error::BucketAway(format!("`{}` cannot be asked: {why}", place.authority)))
    }

    /// The error for an unexpected status. It leaves the body out: some services repeat the key's id in it.
    fn refused(&self, status: u16, body: &[u8]) -> Error {
        let code = code_of(body).map(|code| format!(" ({code})")).unwrap_or_default();
        let text = format!("`{}` answers {status}{code}", self.settings.place.authority);
        // Wrong keys and a missing bucket pass as well once the operator has put them right: nothing of the store is damaged.
        Error::BucketAway(text)
    }
}

/// The code of an error response, such as `AccessDenied`.
fn code_of(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_word = code.len() <= 64 && code.chars().all(|it| it.is_ascii_alphanumeric());
    is_word.then_some(code)
}

/// The keys in a response to `ListObjectsV2`, without the prefix. Our keys need no escapes; keys of other writers are skipped.
fn keys_of(body: &[u8], prefix: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
    keys.filter(|(key, _)| !key.contains('&'))
        .filter_map(|(key, _)| key.strip_prefix(prefix).map(str::to_owned))
        .collect()
}

impl Bucket for S3 {
    fn put(&self, key: &str, bytes: &[u8], when: Put) -> Result<bool> {
        let headers: &[(&str, &str)] = match when {
            Put::Always => &[],
            Put::IfAbsent => &[("if-none-match", "*")],
        };
        match self.ask("PUT", key, bytes, headers)? {
            (200..300, _) => Ok(true),
            // 409: another writer writes the object at this very moment.
            (409 | 412, _) if when == Put::IfAbsent => Ok(false),
            (status, body) => Err(self.refused(status, &body)),
        }
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match self.ask("GET", key, &[], &[])? {
            (200, body) => Ok(Some(body)),
            // A missing bucket is no missing object.
            (404, body) if code_of(&body) == Some("NoSuchKey") => Ok(None),
            (status, body) => Err(self.refused(status, &body)),
        }
    }

    fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let place = &self.settings.place;
        let whole = |key: &str| encoded(&format!("{}{key}", place.prefix), true);
        let mut query = format!("list-type=2&prefix={}", whole(prefix));
        if !after.is_empty() {
            query.push_str(&format!("&start-after={}", whole(after)));
        }
        let path = format!("/{}", encoded(&place.bucket, false));
        match self.ask_for("GET", (&path, &query), &[], &[])? {
            (200, body) => Ok(keys_of(&body, &place.prefix)),
            (status, body) => Err(self.refused(status, &body)),
        }
    }

    fn delete(&self, key: &str) -> Result<()> {
        match self.ask("DELETE", key, &[], &[])? {
            (200..300, _) => Ok(()),
            (404, body) if code_of(&body) == Some("NoSuchKey") => Ok(()),
            (status, body) => Err(self.refused(status, &body)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn an_address_names_host_bucket_and_what_keys_begin_with() {
        let place = Place::parse("https://s3.example:443/assent/halden/one/").unwrap();
        assert_eq!(
            (place.authority.as_str(), place.bucket.as_str(), place.prefix.as_str()),
            ("s3.example", "assent", "halden/one/")
        );
        assert_eq!(place.path("archive/ab/c.zst"), "/assent/halden/one/archive/ab/c.zst");
        assert_eq!(
            Place::parse("http://127.0.0.1:9000/assent").unwrap().path("k"),
            "/assent/k"
        );
        assert_eq!(
            Place::parse("http://[::1]:9000/assent").unwrap().authority,
            "[::1]:9000"
        );
        for text in ["https://s3.example/assent/one", "https://s3.example/assent"] {
            assert_eq!(Place::parse(text).unwrap().text(), text);
        }
        for (text, why) in [
            ("http://s3.example/assent", "write https"),
            ("http://8.8.8.8/assent", "write https"),
            ("https://key:secret@s3.example/assent", "bucket_secret_key"),
            ("https://s3.example", "HOST/BUCKET"),
            ("https://s3.example/assent?x=1", "HOST/BUCKET"),
            ("https://s3.example/assent/../other", "HOST/BUCKET"),
            ("s3://assent", "HOST/BUCKET"),
            ("assent", "HOST/BUCKET"),
        ] {
            let told = Place::parse(text).unwrap_err();
            assert!(told.contains(why) && !told.contains("key:secret"), "{text}: {told}");
        }
    }

    #[test]
    fn a_list_gives_the_keys_behind_the_prefix() {
        let body =
            b"<ListBucketResult><Contents><Key>one/a/b</Key><Size>1</Size></Contents><Contents><Key>one/c&amp;d</Key>\
            </Contents><Contents><Key>two/e</Key></Contents></ListBucketResult>";
        assert_eq!(keys_of(body, "one/"), ["a/b"]);
        assert!(keys_of(b"<ListBucketResult/>", "").is_empty());
    }

    #[test]
    fn a_secret_is_never_printed_and_a_refusal_names_its_code_alone() {
        let settings = BucketSettings {
            place: Place::parse("https://s3.example/assent").unwrap(),
            region: "us-east-1".to_owned(),
            access_key: "AKIA".to_owned(),
            secret_key: "zookeeper".to_owned(),
        };
        let told = format!("{settings:?}");
        assert!(!told.contains("zookeeper") && !told.contains("AKIA"), "{told}");
        let body = b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        assert_eq!(code_of(body), Some("SignatureDoesNotMatch"));
        assert_eq!(code_of(b"<Code>no word</Code>"), None);
        assert_eq!(code_of(b"<html>"), None);
    }
}
