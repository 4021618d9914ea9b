//! `assent mail`: passes people's mail replies to the server, as the pipe of a mail server does, and on the host queues failed
//! letters again.

use clap::Subcommand;
use serde_json::json;

#[cfg(feature = "server")]
use crate::bridge::Host;
use crate::client::Client;
use crate::common::Common;
use crate::failure::{Failure, Result, read_file, read_text};
use crate::output::Output;
#[cfg(feature = "server")]
use crate::place::Place;

/// The code that `sysexits.h` calls `EX_TEMPFAIL`: Postfix, Exim and Sendmail keep the message and try again.
const TRY_AGAIN: u8 = 75;

/// Answers by mail, and letters.
#[derive(Debug, Subcommand)]
pub enum Mail {
    /// Hand a message to a connection of the kind `mail`.
    #[command(
        after_help = "Example: assent mail take --connection 0197… --secret-file /etc/assent/mail-secret -\n\n\
        Exit codes, as a mail server reads them: 0 it was taken, also when it had come before; 75 not now, try again; 1 it \
        will never be taken, such as one of more than 2 MiB; 2 the call is wrong."
    )]
    Take {
        /// The message as it came (RFC 5322); `-` reads standard input.
        #[arg(value_name = "FILE")]
        message: String,
        /// The connection's id, as `hook_path` ends.
        #[arg(long, value_name = "ID", env = "ASSENT_MAIL_CONNECTION")]
        connection: String,
        /// Where the connection's secret stands.
        #[arg(long, value_name = "FILE", env = "ASSENT_MAIL_SECRET_FILE")]
        secret_file: String,
    },
    #[cfg(feature = "server")]
    /// On the host: have the letters sent again that were set aside after too many tries.
    #[command(after_help = "Example: assent mail again --data /var/lib/assent\n\n\
        The letters of all tenants are tried at once, by the running server or by the next one that starts. `assent doctor` \
        says how many were set aside.")]
    Again {
        /// Where the data is.
        #[command(flatten)]
        place: Place,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// A wrong call: no secret, no message.
pub fn run(mail: &Mail, common: &Common, output: &Output) -> Result<u8> {
    match mail {
        Mail::Take {
            message,
            connection,
            secret_file,
        } => take(message, connection, secret_file, common, output),
        #[cfg(feature = "server")]
        Mail::Again { place } => again(place, output),
    }
}

#[cfg(feature = "server")]
fn again(place: &Place, output: &Output) -> Result<u8> {
    let host = Host::open(&place.settings_of_data()?)?;
    let letters = host.send_again()?;
    output.data(&json!({"letters": letters}), |output| {
        output.line(&format!("{letters} letters that were set aside are tried again"));
    });
    Ok(0)
}

fn take(message: &str, connection: &str, secret_file: &str, common: &Common, output: &Output) -> Result<u8> {
    let secret = read_text(secret_file)?;
    let secret = secret.trim();
    if secret.is_empty() {
        return Err(Failure::could_not(format!("`{secret_file}` holds no secret.")));
    }
    let bytes = read_file(message)?;
    // The connection's secret is the credential of this route; a person's own is not used.
    let own = Common {
        token: Some(secret.to_owned()),
        token_file: None,
        as_person: None,
        ..common.clone()
    };
    let client = Client::new(&own)?;
    match client.deliver(connection, "message/rfc822", bytes) {
        Ok(answer) => {
            let is_new = answer.body["kept"] != json!(false);
            output.data(&answer.body, |output| {
                output.line(if is_new {
                    "The message was received."
                } else {
                    "It had come before."
                });
            });
            Ok(0)
        }
        Err(failure) => {
            output.failure(&failure);
            Ok(exit_code(&failure))
        }
    }
}

/// The result for the mail server. A secret or a connection that is wrong is somebody's slip, which is mended while the message
/// waits; the message itself is at fault where it is too long or cannot be kept.
fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused {
            status: 400 | 413 | 422,
            ..
        } => 1,
        _ => TRY_AGAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_lost_only_where_it_is_at_fault_itself() {
        let refused = |status| Failure::Refused {
            status,
            problem: json!({}),
        };
        for status in [400, 413, 422] {
            assert_eq!(exit_code(&refused(status)), 1, "{status}");
        }
        for status in [401, 403, 404, 408, 429, 500, 502, 503] {
            assert_eq!(exit_code(&refused(status)), 75, "{status}");
        }
        assert_eq!(exit_code(&Failure::could_not("no answer")), 75);
    }
}
