//! A real S3-speaking server that others wrote, moto, on 127.0.0.1.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::faults::eventually;

/// The server with one bucket, `assent`. It keeps its objects in memory and ends when it is dropped.
pub struct S3 {
    child: Child,
    /// The port that it listens on.
    pub port: u16,
}

/// The id of the access key in [`S3::settings`], and its secret, which nothing may show.
pub const KEY: &str = "AKIAZOOKEEPER";
/// See [`KEY`].
pub const SECRET: &str = "ZookeepersSecretKey";

impl S3 {
    /// Starts it and makes the bucket.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        let python = std::env::var_os("ASSENT_TEST_PYTHON").expect("run by cargo xtask test, which installs moto");
        let port = crate::free_port();
        let mut command = Command::new(python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let s3 = Self {
            child: child.expect("Python starts"),
            port,
        };
        // It needs no signature where none is sent.
        eventually("the bucket is made", || ureq::put(s3.url("")).send_empty().is_ok());
        s3
    }

    fn url(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}/assent{rest}", self.port)
    }

    /// The keys of its objects, in order; at most 1,000.
    ///
    /// # Panics
    /// When it does not respond.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut answer = ureq::get(self.url("?list-type=2"))
            .call()
            .expect("it lists its objects");
        let text = answer.body_mut().read_to_string().expect("a list is text");
        let keys = text.split("<Key>").skip(1);
        keys.filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned()))
            .collect()
    }

    /// Reads as the owner of the key: a request without a signature is a stranger's, who gets nothing. Moto looks at whose key
    /// it is and computes no signature.
    fn get(&self, key: &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        ureq::get(self.url(&format!("/{key}")))
            .header("Authorization", signed())
            .call()
    }

    /// The bytes of an object.
    ///
    /// # Panics
    /// When it does not respond.
    #[must_use]
    pub fn object(&self, key: &str) -> Vec<u8> {
        let answer = self.get(key);
        answer
            .expect("it has the object")
            .body_mut()
            .read_to_vec()
            .expect("an object is bytes")
    }

    /// Puts bytes in an object's place.
    ///
    /// # Panics
    /// When it does not respond.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        ureq::put(self.url(&format!("/{key}")))
            .header("Authorization", signed())
            .content_type("application/octet-stream")
            .send(bytes)
            .expect("it takes an object");
    }

    /// The bytes of an object; nothing where it is not there.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Vec<u8>> {
        self.get(key).ok()?.body_mut().read_to_vec().ok()
    }

    /// The address of the bucket with the prefix of the keys, reached at its own port.
    #[must_use]
    pub fn address(&self, prefix: &str) -> String {
        self.url(&format!("/{prefix}"))
    }

    /// The access key and the archive's bucket as variables, reached at its own port.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("ASSENT_ARCHIVE_BUCKET", self.address("one")),
            ("ASSENT_BUCKET_ACCESS_KEY", KEY.to_owned()),
            ("ASSENT_BUCKET_SECRET_KEY", SECRET.to_owned()),
        ]
    }

    /// Writes a file of settings that names the bucket for the archive, reached over this port, with the access key.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn settings(&self, port: u16, file: &Path) {
        let bucket = format!("archive_bucket = \"http://127.0.0.1:{port}/assent/one\"\n");
        std::fs::write(file, bucket + &key_lines()).expect("a file can be written");
    }

    /// The same with the access key alone.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn settings_of_key(&self, file: &Path) {
        std::fs::write(file, key_lines()).expect("a file can be written");
    }
}

fn signed() -> String {
    format!("AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00")
}

fn key_lines() -> String {
    format!("bucket_access_key = \"{KEY}\"\nbucket_secret_key = \"{SECRET}\"\n")
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
