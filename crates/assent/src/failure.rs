//! Why a command has no result: the server refused, or the request failed.

use serde_json::Value;

/// Errors that end a command early.
#[derive(Debug)]
pub enum Failure {
    /// The server's response was a problem (RFC 9457).
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem as the server wrote it; may be anything when another program responded.
        problem: Value,
    },
    /// It could not be done or decided: no connection, no file, a wrong call.
    CouldNot(String),
}

/// The result of commands: an exit code, or why there is none.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with one sentence.
    pub fn could_not(text: impl Into<String>) -> Self {
        Self::CouldNot(text.into())
    }

    /// The error of a program without the server where a host's data would have to be opened.
    #[cfg(not(feature = "server"))]
    pub fn client_only() -> Self {
        Self::could_not(
            "This program is the client and holds no server. Run the command with the `assent` of the server's package, on the \
             server's host.",
        )
    }

    /// 1 when the server refused the request; 2 when the request failed: no connection, no credential, not now.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { status, .. } if !matches!(status, 401 | 429 | 500..) => 1,
            _ => 2,
        }
    }

    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => problem.get("code").and_then(Value::as_str),
            Self::CouldNot(_) => None,
        }
    }

    /// Whether there was no response at all. An error status, 429 or 5xx, is a response.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::CouldNot(_))
    }

    /// The failure in one sentence.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::CouldNot(text) => text.clone(),
            Self::Refused { status, problem } => {
                detail_of(problem).map_or_else(|| format!("It answered {status}."), str::to_owned)
            }
        }
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 429 | 502..=504),
            Self::CouldNot(_) => true,
        }
    }
}

/// The text of a problem, also one in OAuth's form (RFC 6749 section 5.2).
#[must_use]
pub fn detail_of(problem: &Value) -> Option<&str> {
    ["detail", "error_description", "title"]
        .into_iter()
        .filter_map(|name| problem.get(name).and_then(Value::as_str))
        .find(|text| !text.is_empty())
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::CouldNot(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::CouldNot(text)
    }
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// [`Failure::CouldNot`] with the file's name.
pub fn read_file(path: &str) -> Result<Vec<u8>> {
    let named = |error: std::io::Error| Failure::could_not(format!("`{path}` cannot be read: {error}."));
    if path == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map_err(named)?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(named)
}

/// Reads a file that holds text.
///
/// # Errors
/// [`Failure::CouldNot`] with the file's name.
pub fn read_text(path: &str) -> Result<String> {
    String::from_utf8(read_file(path)?).map_err(|_| Failure::could_not(format!("`{path}` holds no text.")))
}

/// A file that only its owner may read, opened before the secret for it is requested: a secret that cannot be stored is better
/// not created.
#[derive(Debug)]
pub struct SecretFile {
    path: String,
    /// None for standard output.
    file: Option<std::fs::File>,
    is_new: bool,
    is_written: bool,
}

impl SecretFile {
    /// Opens the file, or makes it; `-` is standard output. Its old content stays until the secret is written.
    ///
    /// # Errors
    /// [`Failure::CouldNot`] with the file's name when it cannot be written or others may read it.
    pub fn open(path: &str) -> Result<Self> {
        let named = |error: std::io::Error| Failure::could_not(format!("`{path}` cannot be written: {error}."));
        if path == "-" {
            return Ok(Self {
                path: "standard output".to_owned(),
                file: None,
                is_new: false,
                is_written: false,
            });
        }
        let is_new = !std::path::Path::new(path).exists();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(named)?;
        // The mode above holds for a new file only. A pipe or a device keeps its own.
        #[cfg(unix)]
        if file.metadata().map_err(named)?.is_file() {
            let alone = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            file.set_permissions(alone).map_err(named)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            is_new,
            is_written: false,
        })
    }

    /// Replaces the old content by the secret.
    ///
    /// # Errors
    /// [`Failure::CouldNot`] with the file's name.
    pub fn write(mut self, bytes: &[u8]) -> Result<()> {
        use std::io::Write as _;
        let named = |error: std::io::Error| Failure::could_not(format!("`{}` cannot be written: {error}.", self.path));
        match &mut self.file {
            None => {
                let mut out = std::io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush()).map_err(named)?;
            }
            Some(file) => {
                if file.metadata().map_err(named)?.is_file() {
                    file.set_len(0).map_err(named)?;
                }
                file.write_all(bytes).map_err(named)?;
            }
        }
        self.is_written = true;
        Ok(())
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if self.is_new && !self.is_written {
            // An empty file would be taken for a permit. A file that could not be removed is visible in its folder.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
