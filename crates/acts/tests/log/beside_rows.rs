//! The leading system of a service, and the copy of a change in a system beside this one.

use model::integration::foreign_mirror::ForeignMirror;
use model::integration::service_lead::ServiceLead;
use serde_json::json;

use crate::mutating::write_one;
use crate::world::World;

pub(crate) fn write(world: &World) {
    world.system(|cx| {
        let at = "2026-11-20T08:00:00Z";
        let lead = json!({"id": "r-lead", "version": 0, "service": "web", "system": "r-foreign", "terms": "sha256:ad",
            "reason": "Its board still meets there.", "by": "p-1", "approved": false, "active": true});
        write_one::<ServiceLead>(cx, "service_lead.proposed", lead)?;
        let copy = json!({"id": "r-copy", "version": 0, "system": "r-foreign", "change_key": "CHG-1001", "natural_key": "b1",
            "foreign_key": "CHG9", "edited_at": at, "written_at": at});
        write_one::<ForeignMirror>(cx, "foreign_mirror.written", copy)
    });
}
