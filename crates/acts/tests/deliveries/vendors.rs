//! Work on a vendor's services without a change names the vendor.

use acts::core::noun::{self, PlainNoun};
use acts::gate::coverage;
use jiff::SignedDuration;
use model::directory::vendor::Vendor;
use model::incident::drift::finding::DriftFinding;
use model::incident::drift::{Difference, DriftReport};
use serde_json::json;

use crate::{World, artifact, began, body, status};

impl World {
    fn vendor_of(&self, service: &'static str) {
        self.system(move |cx| {
            let wanted = json!({"key": "cartwell", "name": "Cartwell", "services": [service]});
            noun::add::<Vendor>(cx, &body(wanted))
        });
    }

    /// The sentence about the one deployment without a change, and the vendor that it names.
    fn unmatched(&self) -> (String, Option<String>) {
        let found = self.system(|cx| coverage::unmatched(cx, began() - SignedDuration::from_hours(24)));
        let mut found = found.into_iter().filter(|it| it.code == "deployment_without_change");
        let one = found.next().expect("a deployment without a change");
        assert!(found.next().is_none());
        (one.text, one.vendor)
    }
}

#[test]
fn a_deployment_without_a_change_on_a_vendor_s_service_names_the_vendor() {
    let world = World::new();
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("stranger", &artifact(9, 0), "success", 4));
    let (text, vendor) = world.unmatched();
    assert_eq!(vendor, None, "nobody else operates it");
    assert!(!text.contains("operates"), "{text}");
    world.vendor_of("pay");
    let (text, vendor) = world.unmatched();
    assert_eq!(vendor.as_deref(), Some("Cartwell (cartwell)"));
    assert!(text.ends_with(". Cartwell (cartwell) operates pay."), "{text}");
}

#[test]
fn drift_on_a_vendor_s_service_names_the_vendor_and_drift_elsewhere_does_not() {
    let world = World::new();
    let connection = world.source("terraform");
    let difference = |address: &str| Difference {
        address: address.to_owned(),
        attribute: "size".to_owned(),
        found: Some("x".to_owned()),
        digest: None,
        at: None,
        doer: None,
    };
    let at = began() + SignedDuration::from_mins(15);
    world.set_clock(at);
    let report = DriftReport {
        scope: String::new(),
        taken_at: at,
        is_complete: true,
        is_log: false,
        clean: Vec::new(),
        count: 2,
        differences: vec![difference("pay.one"), difference("web.one")],
    };
    world.report(&connection, report);
    world.vendor_of("pay");
    let found = world.findings();
    let named = world.system(move |cx| {
        let mut values = vec![json!({}); found.len()];
        DriftFinding::complete(cx, &found, &mut values)?;
        let addresses = found.iter().map(|it| it.address.clone());
        Ok(addresses
            .zip(values.into_iter().map(|it| it["vendor"].clone()))
            .collect::<Vec<_>>())
    });
    for (address, vendor) in named {
        let wanted = if address == "pay.one" {
            json!("Cartwell (cartwell)")
        } else {
            json!(null)
        };
        assert_eq!(vendor, wanted, "{address}");
    }
}
