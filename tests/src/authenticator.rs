//! An authenticator app without a telephone.

use serde_json::json;
use totp_rs::{Builder, Secret};

use crate::Server;
use crate::session::Session;

/// The secret that somebody enrolled, and the codes for the day on which it is lost.
#[derive(Debug)]
pub struct Authenticator {
    secret: String,
    /// Each opens once.
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// Enrols one in a session; its first code is used up by that.
    pub fn enrol(server: &Server, session: &Session<'_>) -> Self {
        let (status, made) = session.api("POST", "/second-factors/totp", &json!({"name": "Phone"}));
        assert_eq!(status, 201, "{made}");
        let mut found = Self {
            secret: made["secret"].as_str().unwrap().to_owned(),
            recovery_codes: Vec::new(),
        };
        let path = format!("/second-factors/{}/confirmation", made["id"].as_str().unwrap());
        // The code of the step before, so that the present one is still good.
        let (status, confirmed) = session.api("POST", &path, &json!({"code": found.code(server, -1)}));
        assert_eq!(status, 201, "{confirmed}");
        let codes = confirmed["recovery_codes"].as_array().unwrap().iter();
        found.recovery_codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
        found
    }

    /// The code that it shows this number of steps from now, under a held clock.
    pub fn code(&self, server: &Server, steps: i64) -> String {
        let secret = Secret::try_from_base32(&self.secret).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        let now = server.held_time().as_second() + steps * 30;
        totp.generate(u64::try_from(now).unwrap()).to_string()
    }
}
