//! Passwords: Argon2id, never inside a transaction.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

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
/// [`PasswordError`] as its variants say.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST_CHARS {
        return Err(PasswordError::TooShort);
    }
    if password.len() > LONGEST_BYTES {
        return Err(PasswordError::TooLong);
    }
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed
        .map(|phc| phc.to_string())
        .map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Whether a password is the one behind a PHC text. Takes as long for a wrong one.
pub fn verify(password: &str, phc: &str) -> bool {
    if password.len() > LONGEST_BYTES {
        return false;
    }
    PasswordHash::new(phc).is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

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
