//! Passwords against the events that set them: their rows are no records, so that the log holds their digests alone.

use proof::event::Event;
use store::secrets;

use super::Replay;
use crate::error::Result;
use crate::room::Room;

/// The kind of the event that sets a password.
const SET: &str = "person.password_set";

impl Replay<'_> {
    /// Notes which password an event set. One of a version that told no digest leaves nothing to compare with.
    pub(super) fn note_password(&mut self, event: &Event) {
        if event.kind != SET {
            return;
        }
        let digest = event.data.get("hash_digest").and_then(|it| it.as_str());
        self.passwords
            .insert(event.subject.id.clone(), digest.map(str::to_owned));
    }

    /// Every password that opens the door is the one that was set last. One that is gone opens none, so that it is not missed.
    pub(super) fn check_passwords(&mut self, room: &mut Room<'_, '_>) -> Result<()> {
        for (person, phc) in secrets::passwords(room.tx)? {
            let what = match self.passwords.get(&person) {
                None => "No event set this password.",
                Some(Some(told)) if *told != proof::crypto::digest_text(phc.as_bytes()) => {
                    "This is not the password that was set last."
                }
                Some(_) => continue,
            };
            self.find("password", &person, Some("phc"), what);
        }
        Ok(())
    }
}
