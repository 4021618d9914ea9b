//! The TLS certificate of the server and of the companion beside a gateway. Its files are read at the start and again when they
//! change, so that a renewed certificate needs no restart.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use acts::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::time::MissedTickBehavior;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_cert::der::Decode;

use crate::http::clock::SystemClock;
use crate::http::settings::Tls;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// A warning is given for a certificate that ends sooner than this.
pub const CERTIFICATE_ENDS_SOON: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How often the server's log repeats the warning.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The time of writing and the size of each file; nothing for a missing file.
type Mark = [Option<(SystemTime, u64)>; 2];

/// A certificate that is reloaded from its files.
pub(crate) struct Certificate {
    files: Tls,
    pair: RwLock<Arc<CertifiedKey>>,
    looked: Mutex<Mark>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair())
    }
}

impl Certificate {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn read(files: &Tls) -> Result<Self, String> {
        // Taken before the files are read: a write meanwhile causes another read.
        let looked = mark(files);
        Ok(Self {
            files: files.clone(),
            pair: RwLock::new(Arc::new(read(files)?)),
            looked: Mutex::new(looked),
        })
    }

    fn pair(&self) -> Arc<CertifiedKey> {
        self.pair.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again if they were written since. Files that cannot be used change nothing: a certificate and its key
    /// are seldom written in the same moment.
    fn renew(&self) {
        let found = mark(&self.files);
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if *looked == found {
            return;
        }
        *looked = found;
        match read(&self.files) {
            Ok(pair) => {
                let end = end(&pair).map(|end| end.to_string());
                tracing::info!(end, "the certificate's files have changed and are in use");
                *self.pair.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
            }
            Err(why) => {
                tracing::warn!(
                    why,
                    "the certificate's files have changed; the former pair stays in use"
                );
            }
        }
    }
}

/// Follows the files for as long as the process runs. Each look reports the certificate's end to `told`; the log warns once a
/// day when the end is near.
pub(crate) async fn follow(certificate: Arc<Certificate>, told: impl Fn(Timestamp)) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut warned: Option<(Timestamp, Timestamp)> = None;
    loop {
        looks.tick().await;
        let own = certificate.clone();
        // A slow disk blocks no requests.
        if tokio::task::spawn_blocking(move || own.renew()).await.is_err() {
            tracing::error!("looking at the certificate's files had panicked");
        }
        let Some(end) = end(&certificate.pair()) else { continue };
        told(end);
        let now = SystemClock.now();
        if is_worth_a_warning(end, now, warned) {
            warned = Some((end, now));
            tracing::warn!(%end, "the certificate ends soon, or has ended; renew its files");
        }
    }
}

/// Whether the log should warn of an end; `warned` is the end and the time of the last warning.
fn is_worth_a_warning(end: Timestamp, now: Timestamp, warned: Option<(Timestamp, Timestamp)>) -> bool {
    let is_soon = end.duration_since(now) < CERTIFICATE_ENDS_SOON;
    is_soon && warned.is_none_or(|(of, at)| of != end || now.duration_since(at) >= DAY)
}

/// The end of the certificate in these files, if it has one; for checks without a server.
///
/// # Errors
/// A sentence for the operator: the files cannot be used.
pub fn certificate_end(files: &Tls) -> Result<Option<Timestamp>, String> {
    read(files).map(|pair| end(&pair))
}

/// The end of the server's own certificate, the first of the chain.
fn end(pair: &CertifiedKey) -> Option<Timestamp> {
    let first = x509_cert::Certificate::from_der(pair.cert.first()?).ok()?;
    let end = first.tbs_certificate.validity.not_after.to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}

fn mark(files: &Tls) -> Mark {
    [&files.certificate, &files.key].map(|path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}

/// The provider of cryptography for all TLS.
pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn read(files: &Tls) -> Result<CertifiedKey, String> {
    let wrong = |path: &Path, why: &dyn fmt::Display| format!("{} cannot be used: {why}", path.display());
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.certificate, &error))?;
    if certificates.is_empty() {
        let why = "it holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)";
        return Err(wrong(&files.certificate, &why));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| match error {
        PemError::Io(error) => wrong(&files.key, &error),
        error => {
            let why = format!("it holds no private key in PEM that needs no passphrase ({error})");
            wrong(&files.key, &why)
        }
    })?;
    CertifiedKey::from_der(certificates, key, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let why = format!("it is for another key than {}", files.key.display());
            wrong(&files.certificate, &why)
        }
        error => wrong(&files.certificate, &error),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn an_end_is_warned_of_a_month_before_once_a_day_and_again_when_it_is_another() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let days = |count: i64| SignedDuration::from_hours(24 * count);
        let warns = |end: Timestamp, at: Timestamp, warned| is_worth_a_warning(end, at, warned);
        assert!(!warns(now + days(31), now, None));
        let end = now + days(20);
        assert!(warns(end, now, None));
        assert!(!warns(end, now + SignedDuration::from_hours(23), Some((end, now))));
        assert!(warns(end, now + days(1), Some((end, now))));
        assert!(warns(end + days(2), now, Some((end, now))));
        assert!(warns(now - days(1), now, None));
    }
}
