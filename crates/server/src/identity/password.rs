//! Passwords: Argon2id, never inside a transaction.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use proof::crypto::{Entropy as _, SystemEntropy};

/// How many passwords a server hashes at once: each takes 19 MiB and some tens of milliseconds of a core.
pub(crate) const HASHERS: usize = 2;
/// Memory of earlier hashes, for reuse. Otherwise the system's allocator would keep memory for every thread that ever hashed a
/// password, of which there can be hundreds.
static SPARE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// The longest password that is hashed, in bytes; a longer one is refused unread.
pub const LONGEST_BYTES: usize = 1_024;
/// The shortest that may be chosen, in characters.
pub const SHORTEST_CHARS: usize = 10;

/// Why a password could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`SHORTEST_CHARS`] characters.
    #[error("a password has at least 10 characters")]
    TooShort,
    /// More than [`LONGEST_BYTES`] bytes.
    #[error("a password has at most 1024 bytes")]
    TooLong,
    /// The library failed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Hashes a password with a fresh salt into its PHC text (`$argon2id$…`). Takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// The variants of [`PasswordError`].
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST_CHARS {
        return Err(PasswordError::TooShort);
    }
    if password.len() > LONGEST_BYTES {
        return Err(PasswordError::TooLong);
    }
    let phc = fresh_salt().and_then(|salt| phc_of(password, salt));
    phc.map(|phc| phc.to_string()).map_err(PasswordError::Hash)
}

/// The library's own salts need a device file where the C library is linked statically, and an image may have none.
fn fresh_salt() -> Result<Salt, String> {
    let mut bytes = [0_u8; Salt::RECOMMENDED_LENGTH];
    SystemEntropy::new()
        .fill(&mut bytes)
        .map_err(|error| error.to_string())?;
    Salt::new(&bytes).map_err(|error| error.to_string())
}

fn phc_of(password: &str, salt: Salt) -> Result<PasswordHash, String> {
    let argon2 = Argon2::default();
    let hash = output(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN).map_err(|error| error.to_string())?;
    let params = ParamsString::try_from(argon2.params()).map_err(|error| error.to_string())?;
    Ok(PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params,
        salt: Some(salt),
        hash: Some(hash),
    })
}

/// Whether a password is the one behind a PHC text. Takes as long for a wrong one.
pub fn verify(password: &str, phc: &str) -> bool {
    if password.len() > LONGEST_BYTES {
        return false;
    }
    let known = PasswordHash::new(phc).ok();
    known.is_some_and(|known| is_behind(password, &known).unwrap_or(false))
}

/// The library compares outputs in constant time.
fn is_behind(password: &str, known: &PasswordHash) -> argon2::password_hash::Result<bool> {
    let (Some(salt), Some(expected)) = (&known.salt, &known.hash) else {
        return Ok(false);
    };
    let algorithm = Algorithm::try_from(known.algorithm.as_str())?;
    let version = known.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(known)?);
    Ok(output(&argon2, password, salt, expected.len())? == *expected)
}

fn output(argon2: &Argon2<'_>, password: &str, salt: &[u8], bytes: usize) -> argon2::password_hash::Result<Output> {
    let mut memory = spare().pop().unwrap_or_default();
    memory.resize(argon2.params().block_count(), Block::new());
    let mut out = [0_u8; Output::MAX_LENGTH];
    let out = out.get_mut(..bytes).ok_or(argon2::password_hash::Error::OutputSize)?;
    let done = argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory);
    let mut spare = spare();
    if spare.len() < HASHERS {
        spare.push(memory);
    }
    done?;
    Ok(Output::new(out)?)
}

fn spare() -> std::sync::MutexGuard<'static, Vec<Vec<Block>>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn what_the_library_hashes_is_verified_here_and_the_other_way_round() {
        let library = Argon2::default();
        let theirs = library.hash_password(b"correct horse battery").unwrap().to_string();
        assert!(verify("correct horse battery", &theirs));
        assert!(!verify("correct horse batterz", &theirs));
        let ours = hash("correct horse battery").unwrap();
        let ours = PasswordHash::new(&ours).unwrap();
        assert!(library.verify_password(b"correct horse battery", &ours).is_ok());
        assert!(library.verify_password(b"correct horse batterz", &ours).is_err());
        let weaker = Argon2::new(
            Algorithm::Argon2i,
            Version::V0x10,
            Params::new(64, 2, 1, Some(16)).unwrap(),
        );
        let weaker = weaker.hash_password(b"correct horse battery").unwrap().to_string();
        assert!(
            verify("correct horse battery", &weaker),
            "one that was made by other settings"
        );
    }

    #[test]
    fn the_memory_of_hashing_is_used_again() {
        let hashes: Vec<_> = (0..3 * HASHERS)
            .map(|_| std::thread::spawn(|| hash("correct horse battery").unwrap()))
            .collect();
        for one in hashes {
            assert!(verify("correct horse battery", &one.join().unwrap()));
        }
        assert!(spare().len() <= HASHERS, "{}", spare().len());
    }

    #[test]
    fn a_password_opens_its_own_hash_alone() {
        let phc = hash("correct horse battery").unwrap();
        assert!(phc.starts_with("$argon2id$"));
        assert!(verify("correct horse battery", &phc));
        assert!(!verify("correct horse batterz", &phc));
        assert!(!verify("correct horse battery", "no phc"));
        assert_eq!(hash("short"), Err(PasswordError::TooShort));
        assert_eq!(hash(&"x".repeat(2_000)), Err(PasswordError::TooLong));
    }
}
