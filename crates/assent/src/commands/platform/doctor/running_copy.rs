//! Whether the running copy of a data folder keeps up.

use std::path::Path;

use jiff::Timestamp;
use server::running_copy;
use store::copying;

use super::Checks;
use crate::failure::Failure;
use crate::server_flags::named_copy;

/// A copy that is further behind than this, in seconds, loses more than is promised.
const LAG_SECONDS: i64 = 5;
/// A copy that is further behind than this, in seconds, is not reliable.
const LONG_LAG_SECONDS: i64 = 60;

/// Whether the running copy of a data folder keeps up.
pub(super) fn check(data: &Path, now: Timestamp, checks: &mut Checks) {
    let own = match running_copy::own(data) {
        Ok(None) => return,
        Ok(Some(own)) => own,
        Err(error) => return checks.bad("copy", error.to_string(), "Bring the file back, or move it away."),
    };
    let place = &own.place;
    let bucket = named_copy(place).and_then(|(place, outgoing_ca)| {
        let opened = place.open(outgoing_ca.as_deref());
        opened.map_err(|error| Failure::could_not(error.to_string()))
    });
    let bucket = match bucket {
        Ok(bucket) => bucket,
        Err(failure) => {
            return checks.warn(
                "copy",
                failure.text(),
                "Say the bucket's access key to this command as to the server.",
            );
        }
    };
    let found = copying::fence(&bucket).and_then(|fence| Ok((fence, copying::alive(&bucket)?)));
    let (fence, alive) = match found {
        Ok(found) => found,
        Err(error) => {
            return checks.bad(
                "copy",
                error.to_string(),
                "Mount the folder or reach the bucket, or give the server another one.",
            );
        }
    };
    if let Some(fence) = fence.filter(|fence| !own.holds(fence)) {
        let text = format!("{place} is written by the host {} since {}", fence.host, fence.at);
        return checks.bad("copy", text, "This host serves nothing any more; use that one.");
    }
    let Some(alive) = alive else {
        let text = format!("{place} holds no whole copy yet");
        return checks.warn(
            "copy",
            text,
            "The server writes one after its start; its log says why it does not.",
        );
    };
    let lag = now.duration_since(alive.at).as_secs();
    let text = format!("{place} holds everything up to {}, {lag} seconds ago", alive.at);
    let help = "That is fine while no server runs. Otherwise look for `keeping the running copy` in the server's log.";
    if lag <= LAG_SECONDS {
        checks.good("copy", text);
    } else if lag <= LONG_LAG_SECONDS {
        checks.warn("copy", text, help);
    } else {
        checks.bad("copy", text, help);
    }
}
